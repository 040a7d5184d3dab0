/* The node's Lease in kube-node-lease: its heartbeat. */
#pragma once

#include "core/kubelet/internal.h"

/* Makes it, or renews it; does nothing while a renewal is under way. */
void lease_renew(Kubelet *kubelet);
