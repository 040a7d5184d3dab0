/* kube-controller-manager: the controllers of core/controllers in one process, sharing their
 * informers, led by one leader (cmd/kube-controller-manager/app/controllermanager.go).
 *
 * Configuration (a map; all may be absent), by the component's flags:
 *   controllers: ["*", "-name", ...]       which run; default ["*"]
 *   leaderElect: false, identity: text     take the lease kube-controller-manager first
 *   clusterCIDR, nodeCIDRMaskSize (24), allocateNodeCIDRs: true
 *   rootCA: PEM text                       of ConfigMap kube-root-ca.crt
 *   nodeMonitorPeriod (5), nodeMonitorGracePeriod (50), nodeStartupGracePeriod (60)    seconds
 *   nodeEvictionRate (0.1), secondaryNodeEvictionRate (0.01), unhealthyZoneThreshold (0.55),
 * largeClusterSizeThreshold (50) terminatedPodGCThreshold (12500) provisioners: [names] that the
 * simulated dynamic provisioner answers to, besides sim.timonel.dev/local
 */
#pragma once

#include "core/controllers/controller.h"

typedef struct ControllerManager ControllerManager;

/* Starts at once, or when it becomes leader. All borrowed but config, of which a reference is kept.
 */
ControllerManager *controller_manager_new(const Ports *ports, Client *client, const Value *config);
void controller_manager_free(ControllerManager *manager);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControllerManager, controller_manager_free)
/* The lease is lost: the process must exit, as the real one does; func is called when that happens.
 */
void controller_manager_on_lost(ControllerManager *manager, void (*func)(void *data), void *data);
bool controller_manager_has_lost(const ControllerManager *manager);

/* The table, in the order in which they start; NULL terminated. */
const ControllerClass *const *controller_classes(void);
