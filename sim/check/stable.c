/* Eventually stable reconciliation: status equals spec, for every workload. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "sim/check/oracle.h"

/* A kind, and what keeps an object of it from being reconciled (owned), or NULL. */
typedef struct StableRule {
    const char *group, *resource, *kind;
    char *(*lacks)(World *world, const Value *object);
} StableRule;

static char *
not_observed(const Value *object)
{
    int64_t observed = value_int_at(object, "status.observedGeneration");
    if (observed >= object_generation(object))
        return NULL;
    return g_strdup_printf("its controller has seen generation %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, observed,
                           object_generation(object));
}

static char *
differs(const Value *object, const char *path, int64_t wanted)
{
    int64_t found = value_int_at(object, path);
    if (found == wanted)
        return NULL;
    return g_strdup_printf("%s is %" G_GINT64_FORMAT ", expected %" G_GINT64_FORMAT, path, found, wanted);
}

static char *
replicas_lack(World *world, const Value *object)
{
    int64_t wanted = value_int_at_or(object, "spec.replicas", 1);
    char *lack = not_observed(object);
    if (lack == NULL)
        lack = differs(object, "status.replicas", wanted);
    return lack != NULL ? lack : differs(object, "status.readyReplicas", wanted);
}

static char *
deployment_lacks(World *world, const Value *object)
{
    char *lack = replicas_lack(world, object);
    if (lack == NULL && !value_bool_at(object, "spec.paused"))
        lack = differs(object, "status.updatedReplicas", value_int_at_or(object, "spec.replicas", 1));
    return lack != NULL ? lack : differs(object, "status.availableReplicas", value_int_at_or(object, "spec.replicas", 1));
}

static char *
daemon_set_lacks(World *world, const Value *object)
{
    int64_t wanted = value_int_at(object, "status.desiredNumberScheduled");
    char *lack = not_observed(object);
    if (lack == NULL)
        lack = differs(object, "status.currentNumberScheduled", wanted);
    if (lack == NULL)
        lack = differs(object, "status.numberMisscheduled", 0);
    return lack != NULL ? lack : differs(object, "status.numberReady", wanted);
}

static char *
node_lacks(World *world, const Value *node)
{
    return node_is_ready(node) ? NULL : g_strdup("it is not Ready");
}

static char *
pod_lacks(World *world, const Value *pod)
{
    if (object_is_deleting(pod))
        return g_strdup("it is still being deleted");
    const Value *controller = object_controller(pod);
    if (strcmp(value_text_at(controller, "kind"), "ReplicaSet") != 0)
        return NULL;
    const Value *owner = world_peek(world, "apps", "replicasets", object_namespace(pod), value_text_at(controller, "name"));
    return owner == NULL ? g_strdup("its ReplicaSet is gone") : NULL;
}

static char *
claim_lacks(World *world, const Value *claim)
{
    const char *phase = value_text_at(claim, "status.phase");
    return strcmp(phase, "Lost") == 0 ? g_strdup("its volume is lost") : NULL;
}

static char *
namespace_lacks(World *world, const Value *object)
{
    return object_is_deleting(object) ? g_strdup("it is still being deleted") : NULL;
}

static const StableRule RULES[] = {
    {"", "nodes", "Node", node_lacks},
    {"", "namespaces", "Namespace", namespace_lacks},
    {"apps", "deployments", "Deployment", deployment_lacks},
    {"apps", "replicasets", "ReplicaSet", replicas_lack},
    {"", "replicationcontrollers", "ReplicationController", replicas_lack},
    {"apps", "statefulsets", "StatefulSet", replicas_lack},
    {"apps", "daemonsets", "DaemonSet", daemon_set_lacks},
    {"", "persistentvolumeclaims", "PersistentVolumeClaim", claim_lacks},
    {"", "pods", "Pod", pod_lacks},
};

bool
world_is_reconciled(World *world, char **ret_reason, char **ret_subject)
{
    for (size_t i = 0; i < G_N_ELEMENTS(RULES); i++) {
        PMap *objects = world_objects(world, RULES[i].group, RULES[i].resource);
        if (objects == NULL)
            continue;
        PMapIter iter = pmap_seek(objects, NULL);
        while (pmap_next(&iter)) {
            g_autofree char *lack = RULES[i].lacks(world, iter.value);
            if (lack == NULL)
                continue;
            *ret_subject = object_subject(iter.value, RULES[i].kind);
            *ret_reason = g_strdup_printf("%s %s: %s", RULES[i].kind, iter.key, lack);
            return false;
        }
    }
    return true;
}
