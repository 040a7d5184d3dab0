/* Namespaces on their way out: deletes what is in them, pods first, tells in conditions what
 * remains, and takes the finalizer "kubernetes" away when nothing does
 * (pkg/controller/namespace/deletion; OrderedNamespaceDeletion). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass namespace_controller_class;
