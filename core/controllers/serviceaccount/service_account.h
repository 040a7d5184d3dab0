/* What every namespace gets: the ServiceAccount default, and the ConfigMap kube-root-ca.crt
 * (pkg/controller/serviceaccount; pkg/controller/certificates/rootcacertpublisher). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass service_account_controller_class;
extern const ControllerClass root_ca_controller_class;
