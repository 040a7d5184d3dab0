/* Oracles about objects of any kind: owners, finalizers, and that what was acknowledged is kept, in order. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/object/selector.h"
#include "sim/check/oracle.h"

static const char *const ALL[] = {NULL};

/* ---- owners ------------------------------------------------------------------------------------------------------- */

/* How long a pod may keep a controller that no longer selects it: labels change first, the controller follows. */
#define RELEASE_MAX_NS (60 * NS_PER_S)

/* Does the ReplicaSet that controls the pod select it? An owner that is gone is the garbage collector's work. */
static bool
is_selected_by_owner(World *world, const Value *pod)
{
    const Value *controller = object_controller(pod);
    if (strcmp(value_text_at(controller, "kind"), "ReplicaSet") != 0 || object_is_deleting(pod))
        return true;
    const Value *owner =
        world_peek(world, "apps", "replicasets", object_namespace(pod), value_text_at(controller, "name"));
    if (owner == NULL || strcmp(object_uid(owner), value_text_at(controller, "uid")) != 0)
        return true;
    g_autoptr(Selector) selector = selector_from_object(value_at(owner, "spec.selector"), NULL);
    return selector == NULL || selector_matches(selector, object_labels(pod));
}

static void
check_selected(Oracle *oracle, const char *key, const Value *pod)
{
    GTree *suspects = oracle->data; /* key -> since when */
    int64_t now = world_now(oracle->world);
    if (is_selected_by_owner(oracle->world, pod)) {
        g_tree_remove(suspects, key);
        return;
    }
    const int64_t *since = g_tree_lookup(suspects, key);
    if (since == NULL)
        g_tree_insert(suspects, g_strdup(key), g_memdup2(&now, sizeof now));
    else if (now - *since > RELEASE_MAX_NS) {
        g_autofree char *subject = object_subject(pod, "Pod");
        oracle_breach(oracle, subject, "is controlled by ReplicaSet %s, whose selector does not match it",
                      value_text_at(object_controller(pod), "name"));
    }
}

static void
owners_begin(Oracle *oracle)
{
    oracle->data = oracle_tree_new(g_free);
}

static void
owners_end(Oracle *oracle)
{
    g_tree_unref(oracle->data);
}

static void
owners_look(Oracle *oracle)
{
    PMapIter iter = pmap_seek(world_objects(oracle->world, "", "pods"), NULL);
    while (pmap_next(&iter)) {
        size_t controllers = 0;
        VALUE_ARRAY_FOREACH (owner, value_at(iter.value, "metadata.ownerReferences"))
            controllers += value_bool_at(owner, "controller");
        if (controllers > 1) {
            g_autofree char *subject = object_subject(iter.value, "Pod");
            oracle_breach(oracle, subject, "has %zu owners that say they control it", controllers);
        }
        check_selected(oracle, iter.key, iter.value);
    }
}

const OracleClass ORACLE_OWNERS = {
    .name = "owners",
    .title = N_("A pod has one controller, and that controller's selector matches it"),
    .begin = owners_begin,
    .end = owners_end,
    .look = owners_look,
};

/* ---- finalizers ------------------------------------------------------------------------------------------------------- */

static void
finalizers_changed(Oracle *oracle, const StoreEvent *event)
{
    const Value *before = value_at(event->previous, "metadata.finalizers");
    g_autofree char *subject = NULL;
    if (event->type == STORE_DELETED && value_size(value_at(event->value, "metadata.finalizers")) > 0 &&
        value_size(before) > 0) {
        subject = object_subject(event->value, NULL);
        oracle_breach(oracle, subject, "was removed while finalizer %s was on it", value_text(value_item(before, 0)));
    } else if (event->type == STORE_CHANGED && object_is_deleting(event->previous)) {
        subject = object_subject(event->value, NULL);
        if (!object_is_deleting(event->value))
            oracle_breach(oracle, subject, "was being deleted and then was not any more");
        VALUE_ARRAY_FOREACH (finalizer, value_at(event->value, "metadata.finalizers"))
            if (!object_has_finalizer(event->previous, value_text(finalizer)))
                oracle_breach(oracle, subject, "got finalizer %s while it was being deleted", value_text(finalizer));
    }
}

const OracleClass ORACLE_FINALIZERS = {
    .name = "finalizers",
    .title = N_("Nothing is removed while it has a finalizer, and deletion is not taken back"),
    .resources = ALL,
    .changed = finalizers_changed,
};

/* ---- revisions only grow, and no two writes share one ----------------------------------------------------------------------- */

static void
order_begin(Oracle *oracle)
{
    oracle->data = g_new0(int64_t, 1);
}

static void
order_end(Oracle *oracle)
{
    g_free(oracle->data);
}

/* Events of one resource come in order; across resources of one transaction revisions may be equal. */
static void
order_changed(Oracle *oracle, const StoreEvent *event)
{
    int64_t *last = oracle->data;
    int64_t before = object_resource_version(event->previous);
    if (event->revision < *last || (event->previous != NULL && event->revision <= before)) {
        g_autofree char *subject = object_subject(event->value, NULL);
        oracle_breach(oracle, subject, "was written at revision %" G_GINT64_FORMAT " after %" G_GINT64_FORMAT,
                      event->revision, MAX(*last, before));
    }
    *last = MAX(*last, event->revision);
}

const OracleClass ORACLE_REVISION_ORDER = {
    .name = "revision-order",
    .title = N_("Watchers hear of writes in the order of their revisions"),
    .resources = ALL,
    .begin = order_begin,
    .end = order_end,
    .changed = order_changed,
};
