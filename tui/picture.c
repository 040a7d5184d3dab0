#include "tui/picture.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "core/object/quantity.h"

/* ---- nodes and their pods
 * ------------------------------------------------------------------------------------ */

static void
picture_node_free(void *data)
{
    PictureNode *node = data;
    g_free(node->name);
    g_ptr_array_unref(node->pods);
    g_free(node);
}

static PictureNode *
add_node(Picture *picture, const char *name)
{
    PictureNode *node = g_new0(PictureNode, 1);
    node->name = g_strdup(name);
    node->pods = g_ptr_array_new();
    node->node = name != NULL && picture->node_objects != NULL
                     ? pmap_get(picture->node_objects, name)
                     : NULL;
    ResourceList allocatable = {0};
    resource_list_parse(value_at(node->node, "status.allocatable"), &allocatable, NULL);
    node->milli_cpu_max = allocatable.milli_cpu;
    node->memory_max = allocatable.memory;
    resource_list_clear(&allocatable);
    g_ptr_array_add(picture->nodes, node);
    return node;
}

int
picture_find_node(const Picture *picture, const char *name)
{
    for (guint i = 0; i < picture->nodes->len; i++)
        if (g_strcmp0(picture_node(picture, i)->name, name) == 0)
            return (int)i;
    return -1;
}

static void
add_nodes(Picture *picture, World *world, GHashTable *by_name)
{
    const Topology *topology = cluster_topology(world_cluster(world));
    for (guint i = 0; i < topology->nodes->len; i++) {
        PictureNode *node = add_node(picture, topology_item(topology, i)->name);
        g_hash_table_insert(by_name, node->name, node);
    }
    if (picture->node_objects == NULL)
        return;
    PMapIter iter = pmap_seek(picture->node_objects, NULL);
    while (pmap_next(&iter)) {
        if (g_hash_table_lookup(by_name, iter.key) != NULL)
            continue;
        PictureNode *node = add_node(picture, iter.key);
        g_hash_table_insert(by_name, node->name, node);
    }
}

static bool
is_system(const Value *pod)
{
    return strcmp(object_namespace(pod), "kube-system") == 0;
}

/* A person's pods first: they are what is looked for. */
static void
add_pods(Picture *picture, GHashTable *by_name, bool system)
{
    PictureNode *nowhere = NULL;
    int at = picture_find_node(picture, NULL);
    if (at >= 0)
        nowhere = picture->nodes->pdata[at];
    PMapIter iter = pmap_seek(picture->pod_objects, NULL);
    while (pmap_next(&iter)) {
        const Value *pod = iter.value;
        if (is_system(pod) != system)
            continue;
        PictureNode *node = g_hash_table_lookup(by_name, pod_node_name(pod));
        if (node == NULL && nowhere == NULL)
            nowhere = add_node(picture, NULL);
        if (node == NULL)
            node = nowhere;
        g_ptr_array_add(node->pods, (void *)pod);
        if (pod_is_terminal(pod))
            continue;
        ResourceList requests = {0};
        pod_requests(pod, &requests);
        node->milli_cpu += requests.milli_cpu;
        node->memory += requests.memory;
        resource_list_clear(&requests);
    }
}

/* ---- components
 * -------------------------------------------------------------------------------------------------
 */

typedef struct ComponentRow {
    const char *name;
    const char *label; /* of its pods in kube-system; NULL: it has none */
    const char *value;
} ComponentRow;

static const ComponentRow ROWS[] = {
    {"kube-apiserver", "component", "kube-apiserver"},
    {"etcd", "component", "etcd"},
    {"kube-scheduler", "component", "kube-scheduler"},
    {"kube-controller-manager", "component", "kube-controller-manager"},
    {"cloud-controller-manager", "component", "cloud-controller-manager"},
    {"kubelet", NULL, NULL},
    {"kube-proxy", "k8s-app", "kube-proxy"},
    {"coredns", "k8s-app", "kube-dns"},
    {"kubectl", NULL, NULL},
};

static void
count_instances(const Picture *picture, const ComponentRow *row, PictureComponent *component)
{
    if (row->label == NULL || picture->pod_objects == NULL)
        return;
    PMapIter iter = pmap_seek_prefix(picture->pod_objects, "kube-system/");
    while (pmap_next(&iter)) {
        const char *value = object_label(iter.value, row->label);
        if (value == NULL || strcmp(value, row->value) != 0)
            continue;
        component->wanted++;
        component->running += pod_look(iter.value).style == STYLE_GOOD;
    }
}

static void
count_kubelets(const Picture *picture, PictureComponent *component)
{
    for (guint i = 0; i < picture->nodes->len; i++) {
        const PictureNode *node = picture_node(picture, i);
        component->wanted += node->name != NULL;
        component->running += node->node != NULL && node_is_ready(node->node);
    }
}

/* Of these the world itself knows whether they run, also when no API server can tell. */
static void
look_inside(World *world, PictureComponent *component)
{
    Cluster *cluster = world_cluster(world);
    bool up = true, known = true;
    if (strcmp(component->name, "kube-apiserver") == 0)
        up = cluster_api_server(cluster) != NULL;
    else if (strcmp(component->name, "etcd") == 0)
        up = cluster_etcd_is_running(cluster);
    else if (strcmp(component->name, "kube-scheduler") == 0)
        up = cluster_scheduler(cluster) != NULL;
    else
        known = false;
    if (known) {
        component->wanted = MAX(component->wanted, 1);
        component->running = up ? MAX(component->running, 1) : 0;
    }
}

static void
add_component(Picture *picture, World *world, const ComponentRow *row)
{
    PictureComponent component = {.name = row->name};
    const FlowLink *link = flow_link(&picture->flow, row->name);
    if (link != NULL) {
        component.to_api = link->to_api;
        component.from_api = link->from_api;
    }
    if (strcmp(row->name, "kubelet") == 0)
        count_kubelets(picture, &component);
    count_instances(picture, row, &component);
    look_inside(world, &component);
    if (component.wanted == 0 && link == NULL)
        return;
    if (component.running == component.wanted)
        component.look = (Look){"●", component.wanted > 0 ? "Running" : "", STYLE_GOOD};
    else if (component.running > 0)
        component.look = (Look){"◐", "NotReady", STYLE_BUSY};
    else
        component.look = (Look){"✖", "down", STYLE_BAD};
    picture->components[picture->n_components++] = component;
}

/* ---- the whole
 * -----------------------------------------------------------------------------------------------------
 */

Picture *
picture_new(World *world)
{
    Picture *picture = g_new0(Picture, 1);
    picture->nodes = g_ptr_array_new_with_free_func(picture_node_free);
    PMap *nodes = world_objects(world, "", "nodes"), *pods = world_objects(world, "", "pods");
    picture->node_objects = nodes != NULL ? pmap_ref(nodes) : NULL;
    picture->pod_objects = pods != NULL ? pmap_ref(pods) : NULL;
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    add_nodes(picture, world, by_name);
    if (picture->pod_objects != NULL) {
        add_pods(picture, by_name, false);
        add_pods(picture, by_name, true);
    }
    flow_read(&picture->flow, world);
    G_STATIC_ASSERT(G_N_ELEMENTS(ROWS) <= PICTURE_COMPONENTS_MAX);
    for (size_t i = 0; i < G_N_ELEMENTS(ROWS); i++)
        add_component(picture, world, &ROWS[i]);
    return picture;
}

void
picture_free(Picture *picture)
{
    if (picture == NULL)
        return;
    g_ptr_array_unref(picture->nodes);
    pmap_unref(picture->node_objects);
    pmap_unref(picture->pod_objects);
    g_free(picture);
}

const PictureNode *
picture_node(const Picture *picture, guint index)
{
    return index < picture->nodes->len ? picture->nodes->pdata[index] : NULL;
}

const Value *
picture_pod(const PictureNode *node, int index)
{
    if (node == NULL || index < 0 || (guint)index >= node->pods->len)
        return NULL;
    return node->pods->pdata[index];
}

bool
picture_find_pod(const Picture *picture, const char *namespace_, const char *name, int *ret_node,
                 int *ret_pod)
{
    for (guint i = 0; i < picture->nodes->len; i++) {
        const PictureNode *node = picture_node(picture, i);
        for (guint j = 0; j < node->pods->len; j++) {
            const Value *pod = node->pods->pdata[j];
            if (strcmp(object_name(pod), name) != 0 ||
                strcmp(object_namespace(pod), namespace_) != 0)
                continue;
            *ret_node = (int)i;
            *ret_pod = (int)j;
            return true;
        }
    }
    return false;
}

int
picture_find_component(const Picture *picture, const char *name)
{
    for (size_t i = 0; i < picture->n_components; i++)
        if (strcmp(picture->components[i].name, name) == 0)
            return (int)i;
    return -1;
}
