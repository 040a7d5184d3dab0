/* The table of controllers: one line each, in the order in which they start. */
#include "core/controllers/cronjob/cron_job.h"
#include "core/controllers/daemonset/daemon_set.h"
#include "core/controllers/deployment/deployment.h"
#include "core/controllers/disruption/disruption.h"
#include "core/controllers/endpoint/endpoints.h"
#include "core/controllers/endpoint/mirroring.h"
#include "core/controllers/endpoint/slice.h"
#include "core/controllers/gc/collector.h"
#include "core/controllers/job/job.h"
#include "core/controllers/manager.h"
#include "core/controllers/namespace/namespace.h"
#include "core/controllers/node/ipam.h"
#include "core/controllers/node/lifecycle.h"
#include "core/controllers/podgc/pod_gc.h"
#include "core/controllers/quota/quota.h"
#include "core/controllers/replicaset/replica_set.h"
#include "core/controllers/serviceaccount/service_account.h"
#include "core/controllers/statefulset/stateful_set.h"
#include "core/controllers/volume/volume.h"

const ControllerClass *const *
controller_classes(void)
{
    static const ControllerClass *const classes[] = {
        &endpoints_controller_class,
        &endpoint_slice_controller_class,
        &endpoint_slice_mirroring_controller_class,
        &replication_controller_class,
        &pod_gc_controller_class,
        &resource_quota_controller_class,
        &namespace_controller_class,
        &service_account_controller_class,
        &garbage_collector_class,
        &daemon_set_controller_class,
        &job_controller_class,
        &deployment_controller_class,
        &replica_set_controller_class,
        &disruption_controller_class,
        &stateful_set_controller_class,
        &cron_job_controller_class,
        &node_ipam_controller_class,
        &node_lifecycle_controller_class,
        &taint_eviction_controller_class,
        &volume_binder_class,
        &volume_provisioner_class,
        &claim_protection_class,
        &volume_protection_class,
        &ttl_after_finished_controller_class,
        &root_ca_controller_class,
        NULL,
    };
    return classes;
}
