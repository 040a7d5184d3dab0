/* The garbage collector: objects whose owners are gone go too, in the background, in the foreground
 * (dependents first) or by being orphaned (pkg/controller/garbagecollector). It watches every kind
 * that can be listed, watched and deleted. */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass garbage_collector_class;
