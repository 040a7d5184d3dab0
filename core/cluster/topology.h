/* The shape of a cluster: a document of kind Cluster (sim.timonel.dev/v1, see manifests/clusters) read into plain
 * structs. Wrong input is refused whole, with the field's path. */
#pragma once

#include "core/object/value.h"

typedef struct TopologyNode {
    char *name;       /* "control-plane-1", "worker-2" */
    char *ip;         /* InternalIP, out of the node network */
    char *group;      /* the node group's name; "control-plane" for those */
    char *backend;    /* "simulated" or "runc" */
    char *os;         /* "linux" or "windows" */
    char *arch;       /* "amd64", "arm64" */
    Value *cpu, *memory, *ephemeral_storage; /* quantities as texts */
    int64_t pods;     /* the most pods */
    Value *labels;    /* a map */
    Value *taints;    /* an array */
    bool control_plane;
} TopologyNode;

typedef struct Topology {
    char *name;
    char *kubernetes_version;
    char *pod_cidr, *service_cidr, *cluster_domain, *dns_ip, *service_ip;
    GPtrArray *nodes; /* of TopologyNode; control-plane nodes first */
    Value *images;    /* further image models, or NULL */
    Value *document;  /* as given */
} Topology;

/* `document` is borrowed. */
Topology *topology_parse(const Value *document, GError **error);
void topology_free(Topology *topology);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Topology, topology_free)
const TopologyNode *topology_node(const Topology *topology, const char *name); /* NULL when unknown */
const TopologyNode *topology_item(const Topology *topology, size_t index);
