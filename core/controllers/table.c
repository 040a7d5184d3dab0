/* The table of controllers: one line each, in the order in which they start. */
#include "core/controllers/deployment/deployment.h"
#include "core/controllers/manager.h"
#include "core/controllers/replicaset/replica_set.h"

const ControllerClass *const *
controller_classes(void)
{
    static const ControllerClass *const classes[] = {
        &deployment_controller_class,
        &replica_set_controller_class,
        &replication_controller_class,
        NULL,
    };
    return classes;
}
