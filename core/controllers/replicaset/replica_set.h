/* ReplicaSets and ReplicationControllers (pkg/controller/replicaset; replication is the same code
 * over a conversion). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass replica_set_controller_class;
extern const ControllerClass replication_controller_class;
