#include "core/controllers/common/history.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"

static gint
compare_revisions(gconstpointer a, gconstpointer b)
{
    const Value *x = *(const Value *const *)a, *y = *(const Value *const *)b;
    int64_t number_x = value_int(value_get(x, "revision")),
            number_y = value_int(value_get(y, "revision"));
    return number_x != number_y ? (number_x < number_y ? -1 : 1) : object_compare_age(x, y);
}

GPtrArray *
history_list(const History *history, const Value *owner, Sync *sync, bool *ret_writing)
{
    GPtrArray *revisions = children_claim(history->children, owner, sync, ret_writing, NULL);
    g_ptr_array_sort(revisions, compare_revisions);
    return revisions;
}

/* The template as a patch that would bring it back. */
static Value *
revision_data(const Value *owner)
{
    Value *template_ =
        value_set(value_at(owner, "spec.template"), "$patch", value_new_string("replace"));
    return value_new_f("{spec: {template: %V}}", template_);
}

Value *
revision_template(const Value *revision)
{
    return value_remove(value_at(revision, "data.spec.template"), "$patch");
}

const char *
revision_hash(const History *history, const Value *revision)
{
    const char *hash = object_label(revision, history->hash_label);
    return hash != NULL ? hash : "";
}

const Value *
revision_by_name(const GPtrArray *revisions, const char *name)
{
    for (guint i = 0; i < revisions->len; i++)
        if (strcmp(object_name(objects_item(revisions, i)), name) == 0)
            return objects_item(revisions, i);
    return NULL;
}

/* ---- making one
 * -------------------------------------------------------------------------------------- */

typedef struct Making {
    const History *history;
    Sync *sync;
    Value *owner, *revision;
} Making;

static void
making_free(gpointer data)
{
    Making *making = data;
    value_unref(making->owner);
    value_unref(making->revision);
    g_free(making);
}

static char *
on_found(const ApiResponse *response, void *data)
{
    const Making *making = data;
    const Children *children = making->history->children;
    if (!api_response_ok(response))
        return g_strdup(response_error(response));
    if (object_is_controlled_by(response->object, object_uid(making->owner)) &&
        values_equal_semantically(value_get(response->object, "data"),
                                  value_get(making->revision, "data")))
        return NULL; /* ours; the cache will show it */
    int64_t collisions = value_int_at(making->owner, "status.collisionCount") + 1;
    const char *resource = strcmp(children->kind, "DaemonSet") == 0 ? "daemonsets" : "statefulsets";
    client_update(children->controller->client, "apps", resource, "status",
                  value_set_at(making->owner, "status.collisionCount", value_new_int(collisions)),
                  sync_call, sync_begin(making->sync));
    return NULL;
}

static char *
on_made(const ApiResponse *response, void *data)
{
    const Making *making = data;
    const Children *children = making->history->children;
    if (response_is(response, "AlreadyExists")) {
        Making *again = g_new(Making, 1);
        *again = (Making){making->history, making->sync, value_ref(making->owner),
                          value_ref(making->revision)};
        client_get(children->controller->client, "apps", "controllerrevisions",
                   object_namespace(making->owner), object_name(making->revision), sync_call,
                   sync_begin_checked(making->sync, on_found, again, making_free));
        return NULL;
    }
    return api_response_ok(response) || response_is_namespace_terminating(response)
               ? NULL
               : g_strdup(response_error(response));
}

static void
make(const History *history, const Value *owner, Value *take_data, int64_t number, Sync *sync)
{
    const Children *children = history->children;
    const Value *template_ = value_at(owner, "spec.template");
    g_autofree char *hash = template_hash(template_, value_at(owner, "status.collisionCount"));
    Value *labels = value_set(value_at(template_, "metadata.labels"), history->hash_label,
                              value_new_string(hash));
    Value *reference = owner_reference_new(owner, children->owner_api_version, children->kind);
    Value *name = value_new_stringf("%s-%s", object_name(owner), hash);
    Value *revision =
        value_new_f("{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: %V, "
                    "namespace: %s, labels: %V, "
                    "ownerReferences: [%V]}, data: %V, revision: %i}",
                    name, object_namespace(owner), labels, reference, take_data, number);
    Making *making = g_new(Making, 1);
    *making = (Making){history, sync, value_ref(owner), value_ref(revision)};
    client_create(children->controller->client, "apps", "controllerrevisions",
                  object_namespace(owner), revision, sync_call,
                  sync_begin_checked(sync, on_made, making, making_free));
}

const Value *
history_ensure(const History *history, const Value *owner, const GPtrArray *revisions, Sync *sync)
{
    g_autoptr(Value) data = revision_data(owner);
    const Value *newest = revisions->len > 0 ? objects_item(revisions, revisions->len - 1) : NULL;
    int64_t next = value_int(value_get(newest, "revision")) + 1;
    const Value *equal = NULL;
    for (guint i = 0; i < revisions->len; i++)
        if (values_equal_semantically(value_get(objects_item(revisions, i), "data"), data))
            equal = objects_item(revisions, i);
    if (equal != NULL && equal == newest)
        return equal;
    if (equal != NULL)
        client_update(history->children->controller->client, "apps", "controllerrevisions", NULL,
                      value_set(equal, "revision", value_new_int(next)), sync_call,
                      sync_begin(sync));
    else
        make(history, owner, g_steal_pointer(&data), next, sync);
    return NULL;
}

void
history_truncate(const History *history, const Value *owner, const GPtrArray *revisions,
                 const char *const *live, size_t n_live, Sync *sync)
{
    int64_t limit = value_int_at_or(owner, "spec.revisionHistoryLimit", 10);
    g_autoptr(GPtrArray) idle = g_ptr_array_new();
    for (guint i = 0; i < revisions->len; i++) {
        bool used = false;
        for (size_t j = 0; j < n_live; j++)
            used |= strcmp(live[j], object_name(objects_item(revisions, i))) == 0;
        if (!used)
            g_ptr_array_add(idle, g_ptr_array_index(revisions, i));
    }
    for (int64_t i = 0; i < (int64_t)idle->len - limit; i++) {
        const Value *revision = objects_item(idle, (guint)i);
        client_delete(history->children->controller->client, "apps", "controllerrevisions",
                      object_namespace(revision), object_name(revision), NULL, sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
    }
}
