/* The objects that kubeadm brings along, from core/cluster/manifests/ (YAML), filled in for one cluster. */
#pragma once

#include "core/cluster/topology.h"

/* Static pods of a control-plane node, an array; empty for other nodes. Owned. */
Value *cluster_static_pods(const Topology *topology, const TopologyNode *node);
/* Objects that are created once the API answers, in order, an array. Owned. */
Value *cluster_addons(const Topology *topology);
/* Images that kubeadm has pulled onto a node before it starts it: those of the objects above that run there. NULL
 * terminated; owned. */
char **cluster_node_images(const Topology *topology, const TopologyNode *node);
