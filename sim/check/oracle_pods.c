/* Oracles about pods: nodes are not over-committed, a pod is bound once, a StatefulSet has each ordinal once. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "sim/check/oracle.h"

static const char *const PODS[] = {"pods", NULL};

/* ---- no node is over-committed: requests against allocatable -------------------------------------------------- */

typedef struct NodeSum {
    int64_t milli_cpu, memory, ephemeral_storage, pods;
} NodeSum;

static void
add_pod(NodeSum *sum, const Value *pod)
{
    ResourceList requests = {0};
    pod_requests(pod, &requests);
    sum->milli_cpu += requests.milli_cpu;
    sum->memory += requests.memory;
    sum->ephemeral_storage += requests.ephemeral_storage;
    sum->pods++;
    resource_list_clear(&requests);
}

/* Requests of all pods that hold room, by node. Static pods are the kubelet's own and were not scheduled. */
static GTree *
sums_by_node(World *world)
{
    GTree *sums = oracle_tree_new(g_free);
    PMap *pods = world_objects(world, "", "pods");
    PMapIter iter = pmap_seek(pods, NULL);
    while (pmap_next(&iter)) {
        const char *node = pod_node_name(iter.value);
        if (*node == '\0' || pod_is_terminal(iter.value))
            continue;
        NodeSum *sum = g_tree_lookup(sums, node);
        if (sum == NULL) {
            sum = g_new0(NodeSum, 1);
            g_tree_insert(sums, g_strdup(node), sum);
        }
        add_pod(sum, iter.value);
    }
    return sums;
}

static void
compare(Oracle *oracle, const char *node, const char *what, int64_t asked, int64_t room)
{
    g_autofree char *subject = g_strdup_printf("Node/%s", node);
    if (asked > room)
        oracle_breach(oracle, subject,
                      "its pods request %" G_GINT64_FORMAT " of %s, but %" G_GINT64_FORMAT " are allocatable", asked,
                      what, room);
}

static void
overcommit_look(Oracle *oracle)
{
    g_autoptr(GTree) sums = sums_by_node(oracle->world);
    PMapIter iter = pmap_seek(world_objects(oracle->world, "", "nodes"), NULL);
    while (pmap_next(&iter)) {
        const NodeSum *sum = g_tree_lookup(sums, iter.key);
        const Value *allocatable = value_at(iter.value, "status.allocatable");
        if (sum == NULL || value_size(allocatable) == 0)
            continue;
        ResourceList room = {0};
        int64_t pods = 0;
        resource_list_parse(allocatable, &room, &pods);
        compare(oracle, iter.key, "millicores", sum->milli_cpu, room.milli_cpu);
        compare(oracle, iter.key, "bytes of memory", sum->memory, room.memory);
        compare(oracle, iter.key, "bytes of ephemeral storage", sum->ephemeral_storage, room.ephemeral_storage);
        compare(oracle, iter.key, "pods", sum->pods, pods);
        resource_list_clear(&room);
    }
}

const OracleClass ORACLE_NODE_OVERCOMMIT = {
    .name = "node-overcommit",
    .title = N_("No node's pods request more than it has"),
    .look = overcommit_look,
};

/* ---- a pod is bound once -------------------------------------------------------------------------------------------- */

static void
binding_changed(Oracle *oracle, const StoreEvent *event)
{
    const char *before = pod_node_name(event->previous);
    const char *now = pod_node_name(event->value);
    bool same_pod = strcmp(object_uid(event->previous), object_uid(event->value)) == 0;
    if (event->type != STORE_CHANGED || !same_pod || *before == '\0' || strcmp(before, now) == 0)
        return;
    g_autofree char *subject = object_subject(event->value, "Pod");
    oracle_breach(oracle, subject, "was bound to %s and then to \"%s\"", before, now);
}

const OracleClass ORACLE_ONE_BINDING = {
    .name = "one-binding",
    .title = N_("A pod is bound to one node, once"),
    .resources = PODS,
    .changed = binding_changed,
};

/* ---- at most one running pod per StatefulSet ordinal ---------------------------------------------------------------------- */

/* The store holds one object of a name; the rule breaks when machines run two pods of that name at once. So each pod's
 * containers are followed by uid: a pod forced out of the API while its node still runs it is the known way to break it. */
static void
ordinal_changed(Oracle *oracle, const StoreEvent *event)
{
    GTree *removed = oracle->data; /* key -> uid of the pod that left the API while it may still run */
    const Value *controller = object_controller(event->value);
    if (strcmp(value_text_at(controller, "kind"), "StatefulSet") != 0)
        return;
    if (event->type == STORE_DELETED) {
        bool may_run = strcmp(pod_phase(event->value), "Running") == 0 && !pod_is_terminal(event->value) &&
                       pod_grace_period(event->value) != 0 && !object_is_deleting(event->value);
        if (may_run)
            g_tree_replace(removed, g_strdup(event->key), g_strdup(object_uid(event->value)));
        return;
    }
    if (event->type == STORE_CREATED && g_tree_lookup(removed, event->key) != NULL) {
        g_autofree char *subject = object_subject(event->value, "Pod");
        oracle_breach(oracle, subject, "was made again while the pod before it (uid %s) may still run",
                      (const char *)g_tree_lookup(removed, event->key));
        g_tree_remove(removed, event->key);
    }
}

static void
ordinal_begin(Oracle *oracle)
{
    oracle->data = oracle_tree_new(g_free);
}

static void
tree_end(Oracle *oracle)
{
    g_tree_unref(oracle->data);
}

/* Ordinals are in the name; two pods of one set and ordinal would need two names. */
static void
ordinal_look(Oracle *oracle)
{
    g_autoptr(GTree) seen = oracle_tree_new(NULL);
    PMapIter iter = pmap_seek(world_objects(oracle->world, "", "pods"), NULL);
    while (pmap_next(&iter)) {
        const Value *controller = object_controller(iter.value);
        const char *index = object_label(iter.value, "apps.kubernetes.io/pod-index");
        if (strcmp(value_text_at(controller, "kind"), "StatefulSet") != 0 || index == NULL)
            continue;
        char *key = g_strdup_printf("%s/%s", value_text_at(controller, "uid"), index);
        if (g_tree_lookup(seen, key) != NULL) {
            g_autofree char *subject = object_subject(iter.value, "Pod");
            oracle_breach(oracle, subject, "is the second pod with ordinal %s of StatefulSet %s", index,
                          value_text_at(controller, "name"));
        }
        g_tree_replace(seen, key, iter.value);
    }
}

const OracleClass ORACLE_STATEFULSET_ORDINAL = {
    .name = "statefulset-ordinal",
    .title = N_("A StatefulSet has at most one pod per ordinal"),
    .resources = PODS,
    .begin = ordinal_begin,
    .end = tree_end,
    .changed = ordinal_changed,
    .look = ordinal_look,
};
