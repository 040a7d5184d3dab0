#include "core/cluster/topology.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/error.h"

#define NODES_MAX 10000 /* 5,000 is what Kubernetes itself supports */
#define CONTROL_PLANES_MAX 7

static void
node_free(TopologyNode *node)
{
    g_free(node->name);
    g_free(node->ip);
    g_free(node->group);
    g_free(node->backend);
    g_free(node->os);
    g_free(node->arch);
    value_unref(node->cpu);
    value_unref(node->memory);
    value_unref(node->ephemeral_storage);
    value_unref(node->labels);
    value_unref(node->taints);
    g_free(node);
}

void
topology_free(Topology *topology)
{
    if (topology == NULL)
        return;
    g_free(topology->name);
    g_free(topology->kubernetes_version);
    g_free(topology->pod_cidr);
    g_free(topology->service_cidr);
    g_free(topology->cluster_domain);
    g_free(topology->dns_ip);
    g_free(topology->service_ip);
    g_ptr_array_unref(topology->nodes);
    value_unref(topology->images);
    value_unref(topology->document);
    g_free(topology);
}

const TopologyNode *
topology_item(const Topology *topology, size_t index)
{
    return topology->nodes->pdata[index];
}

const TopologyNode *
topology_node(const Topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->nodes->len; i++)
        if (strcmp(topology_item(topology, i)->name, name) == 0)
            return topology_item(topology, i);
    return NULL;
}

/* ---- reading with the field's path in every refusal ------------------------------------------------- */

static bool
known_fields(const Value *map, const char *path, const char *const *known, GError **error)
{
    if (map != NULL && !value_is_map(map))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: expected a mapping", path);
    VALUE_MAP_FOREACH(key, value, map)
    {
        (void)value;
        if (!g_strv_contains(known, key)) {
            g_autofree char *list = g_strjoinv(", ", (char **)known);
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: unknown field; known here: %s", path,
                        key, list);
        }
    }
    return true;
}

static char *
text_or(const Value *map, const char *key, const char *otherwise)
{
    const char *text = value_string(value_get(map, key));
    return g_strdup(text != NULL ? text : otherwise);
}

/* Quantities may be written as numbers. */
static Value *
quantity_or(const Value *map, const char *key, const char *otherwise)
{
    const Value *value = value_get(map, key);
    if (value_type(value) == VALUE_INT)
        return value_new_stringf("%" G_GINT64_FORMAT, value_int(value));
    return value_is_string(value) ? value_ref(value) : value_new_string(otherwise);
}

static bool
count_at(const Value *map, const char *path, int64_t otherwise, int64_t min, int64_t max,
         int64_t *ret_count, GError **error)
{
    const Value *value = value_get(map, "count");
    if (value != NULL && value_type(value) != VALUE_INT)
        return fail(error, TIMONEL_ERROR_INVALID, "%s.count: expected a whole number", path);
    int64_t count = value != NULL ? value_int(value) : otherwise;
    if (count < min || count > max)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "%s.count: must be between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                    ", not %" G_GINT64_FORMAT,
                    path, min, max, count);
    *ret_count = count;
    return true;
}

static bool
one_of(const char *path, const char *text, const char *const *words, GError **error)
{
    if (g_strv_contains(words, text))
        return true;
    g_autofree char *list = g_strjoinv(", ", (char **)words);
    return fail(error, TIMONEL_ERROR_INVALID, "%s: \"%s\" is not one of %s", path, text, list);
}

/* Node addresses count up from 172.18.0.2, as kind's do. */
static char *
node_address(size_t index)
{
    uint32_t address = (172u << 24) + (18u << 16) + 2 + (uint32_t)index;
    return g_strdup_printf("%u.%u.%u.%u", address >> 24, (address >> 16) & 255,
                           (address >> 8) & 255, address & 255);
}

/* kubeadm's mark-control-plane phase. */
static void
mark_control_plane(TopologyNode *node)
{
    value_replace(&node->labels,
                  value_set(node->labels, "node-role.kubernetes.io/control-plane",
                            value_new_string("")));
    value_replace(&node->labels,
                  value_set(node->labels,
                            "node.kubernetes.io/exclude-from-external-load-balancers",
                            value_new_string("")));
    value_replace(&node->taints,
                  value_append(node->taints,
                               value_new_f("{key: node-role.kubernetes.io/control-plane, "
                                           "effect: NoSchedule}")));
}

static bool
add_group(Topology *topology, const Value *group, const char *path, const char *name,
          bool control_plane, int64_t count, GError **error)
{
    static const char *const OSES[] = {"linux", "windows", NULL};
    static const char *const ARCHES[] = {"amd64", "arm64", NULL};
    static const char *const BACKENDS[] = {"simulated", "runc", NULL};
    g_autofree char *os = text_or(group, "os", "linux");
    g_autofree char *arch = text_or(group, "arch", "amd64");
    g_autofree char *backend = text_or(group, "backend", "simulated");
    g_autofree char *os_path = g_strconcat(path, ".os", NULL);
    g_autofree char *arch_path = g_strconcat(path, ".arch", NULL);
    g_autofree char *backend_path = g_strconcat(path, ".backend", NULL);
    if (!one_of(os_path, os, OSES, error) || !one_of(arch_path, arch, ARCHES, error) ||
        !one_of(backend_path, backend, BACKENDS, error))
        return false;
    if (topology->nodes->len + (size_t)count > NODES_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT, "%s.count: more than %d nodes in all", path,
                    NODES_MAX);
    for (int64_t i = 1; i <= count; i++) {
        TopologyNode *node = g_new0(TopologyNode, 1);
        node->name = g_strdup_printf("%s-%" G_GINT64_FORMAT, name, i);
        node->ip = node_address(topology->nodes->len);
        node->group = g_strdup(name);
        node->os = g_strdup(os);
        node->arch = g_strdup(arch);
        node->backend = g_strdup(backend);
        node->cpu = quantity_or(group, "cpu", "4");
        node->memory = quantity_or(group, "memory", "8Gi");
        node->ephemeral_storage = quantity_or(group, "ephemeralStorage", "100Gi");
        node->pods = value_int_at_or(group, "pods", 110);
        node->labels = value_get(group, "labels") != NULL ? value_ref(value_get(group, "labels"))
                                                          : value_new_map();
        node->taints = value_get(group, "taints") != NULL ? value_ref(value_get(group, "taints"))
                                                          : value_new_array();
        node->control_plane = control_plane;
        if (control_plane)
            mark_control_plane(node);
        g_ptr_array_add(topology->nodes, node);
    }
    return true;
}

static const char *const GROUP_FIELDS[] = {"name",   "count",   "backend",          "os",
                                           "arch",   "cpu",     "memory",           "pods",
                                           "labels", "taints",  "ephemeralStorage", NULL};

static bool
add_nodes(Topology *topology, const Value *spec, GError **error)
{
    const Value *control_plane = value_get(spec, "controlPlane");
    int64_t count = 0;
    if (!known_fields(control_plane, "spec.controlPlane", GROUP_FIELDS, error) ||
        !count_at(control_plane, "spec.controlPlane", 1, 1, CONTROL_PLANES_MAX, &count, error) ||
        !add_group(topology, control_plane, "spec.controlPlane", "control-plane", true, count,
                   error))
        return false;
    const Value *groups = value_get(spec, "nodeGroups");
    for (size_t i = 0; i < value_size(groups); i++) {
        const Value *group = value_item(groups, i);
        g_autofree char *path = g_strdup_printf("spec.nodeGroups[%zu]", i);
        const char *name = value_string(value_get(group, "name"));
        if (!known_fields(group, path, GROUP_FIELDS, error) ||
            !count_at(group, path, 1, 0, NODES_MAX, &count, error))
            return false;
        if (name == NULL || *name == '\0')
            return fail(error, TIMONEL_ERROR_INVALID, "%s.name: required", path);
        if (!add_group(topology, group, path, name, false, count, error))
            return false;
    }
    return true;
}

/* Two nodes of one name would be one node with two kubelets. */
static bool
names_differ(const Topology *topology, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < topology->nodes->len; i++) {
        const TopologyNode *node = topology_item(topology, i);
        if (!g_hash_table_add(seen, node->name))
            return fail(error, TIMONEL_ERROR_INVALID,
                        "spec.nodeGroups: two nodes would be called \"%s\"; give the groups "
                        "different names",
                        node->name);
    }
    return true;
}

static char *
address_in(const char *cidr, uint32_t offset)
{
    g_auto(GStrv) parts = g_strsplit(cidr, "/", 2);
    struct in_addr address;
    if (parts[0] == NULL || inet_pton(AF_INET, parts[0], &address) != 1)
        return NULL;
    char text[INET_ADDRSTRLEN];
    address.s_addr = htonl(ntohl(address.s_addr) + offset);
    return g_strdup(inet_ntop(AF_INET, &address, text, sizeof text));
}

static bool
read_networking(Topology *topology, const Value *networking, GError **error)
{
    static const char *const KNOWN[] = {"podCIDR", "serviceCIDR", "clusterDomain", NULL};
    if (!known_fields(networking, "spec.networking", KNOWN, error))
        return false;
    topology->pod_cidr = text_or(networking, "podCIDR", "10.244.0.0/16");
    topology->service_cidr = text_or(networking, "serviceCIDR", "10.96.0.0/12");
    topology->cluster_domain = text_or(networking, "clusterDomain", "cluster.local");
    topology->service_ip = address_in(topology->service_cidr, 1);
    topology->dns_ip = address_in(topology->service_cidr, 10);
    g_autofree char *pods = address_in(topology->pod_cidr, 0);
    if (topology->service_ip == NULL)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "spec.networking.serviceCIDR: \"%s\" is not an IPv4 range such as 10.96.0.0/12",
                    topology->service_cidr);
    if (pods == NULL)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "spec.networking.podCIDR: \"%s\" is not an IPv4 range such as 10.244.0.0/16",
                    topology->pod_cidr);
    return true;
}

Topology *
topology_parse(const Value *document, GError **error)
{
    static const char *const TOP[] = {"apiVersion", "kind", "metadata", "spec", NULL};
    static const char *const SPEC[] = {"kubernetesVersion", "networking", "controlPlane",
                                       "nodeGroups",        "images",     NULL};
    const Value *spec = value_get(document, "spec");
    if (strcmp(value_text_at(document, "apiVersion"), "sim.timonel.dev/v1") != 0 ||
        strcmp(value_text_at(document, "kind"), "Cluster") != 0) {
        fail(error, TIMONEL_ERROR_INVALID,
             "expected a document with apiVersion sim.timonel.dev/v1 and kind Cluster");
        return NULL;
    }
    if (!known_fields(document, "", TOP, error) || !known_fields(spec, "spec", SPEC, error))
        return NULL;
    g_autoptr(Topology) topology = g_new0(Topology, 1);
    topology->nodes = g_ptr_array_new_with_free_func((GDestroyNotify)node_free);
    topology->name = text_or(value_get(document, "metadata"), "name", "default");
    topology->kubernetes_version = text_or(spec, "kubernetesVersion", "v1.35.0");
    topology->images = value_get(spec, "images") != NULL ? value_ref(value_get(spec, "images"))
                                                         : NULL;
    topology->document = value_ref(document);
    if (!read_networking(topology, value_get(spec, "networking"), error) ||
        !add_nodes(topology, spec, error) || !names_differ(topology, error))
        return NULL;
    return g_steal_pointer(&topology);
}
