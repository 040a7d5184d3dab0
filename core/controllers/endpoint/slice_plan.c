#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/endpoint/slice.h"

void
slice_plan_init(SlicePlan *plan)
{
    *plan = (SlicePlan){objects_new(), objects_new(), objects_new()};
}

void
slice_plan_clear(SlicePlan *plan)
{
    g_ptr_array_unref(plan->create);
    g_ptr_array_unref(plan->update);
    g_ptr_array_unref(plan->remove);
}

/* One existing slice while it is planned for. */
typedef struct Draft {
    const Value *slice;
    GPtrArray *endpoints; /* references */
    bool changed;
} Draft;

static void
draft_clear(gpointer data)
{
    g_ptr_array_unref(((Draft *)data)->endpoints);
}

/* Endpoints are the same when address and target are (endpointHash). */
static guint
endpoint_hash(gconstpointer key)
{
    const Value *endpoint = key;
    return g_str_hash(value_text(value_item(value_get(endpoint, "addresses"), 0))) ^
           g_str_hash(value_text_at(endpoint, "targetRef.uid"));
}

static gboolean
endpoint_same(gconstpointer a, gconstpointer b)
{
    return value_equal(value_get(a, "addresses"), value_get(b, "addresses")) &&
           strcmp(value_text_at(a, "targetRef.uid"), value_text_at(b, "targetRef.uid")) == 0 &&
           strcmp(value_text(value_get(a, "hostname")), value_text(value_get(b, "hostname"))) == 0;
}

/* Takes over what the slice has and shall have, in its order. `left`: wanted endpoints not yet
 * placed. */
static void
draft_keep(Draft *draft, GHashTable *left, const Value *labels)
{
    const Value *old = value_get(draft->slice, "endpoints");
    VALUE_ARRAY_FOREACH (endpoint, old) {
        const Value *wanted = g_hash_table_lookup(left, endpoint);
        if (wanted == NULL)
            continue;
        /* The pod's resourceVersion alone is not worth a write. */
        objects_add(draft->endpoints, wanted);
        draft->changed |=
            !value_equal(value_get(wanted, "conditions"), value_get(endpoint, "conditions")) ||
            !value_equal(value_get(wanted, "nodeName"), value_get(endpoint, "nodeName")) ||
            !value_equal(value_get(wanted, "zone"), value_get(endpoint, "zone"));
        g_hash_table_remove(left, wanted);
    }
    draft->changed |= draft->endpoints->len != value_size(old) ||
                      !values_equal_semantically(labels, object_labels(draft->slice));
}

static Value *
endpoints_array(const GPtrArray *endpoints)
{
    g_autoptr(ValueBuilder) builder = value_builder_new_array();
    for (guint i = 0; i < endpoints->len; i++)
        value_builder_append(builder, value_ref(objects_item(endpoints, i)));
    return value_builder_end(g_steal_pointer(&builder));
}

/* The next wanted endpoint that has no place yet, in their given order. */
static const Value *
next_left(const GPtrArray *wanted, GHashTable *left, guint *cursor)
{
    while (*cursor < wanted->len) {
        const Value *endpoint = objects_item(wanted, (*cursor)++);
        if (g_hash_table_lookup(left, endpoint) == endpoint) {
            g_hash_table_remove(left, endpoint);
            return endpoint;
        }
    }
    return NULL;
}

static gint
compare_fullest(gconstpointer a, gconstpointer b)
{
    const Draft *const *x = a, *const *y = b;
    if ((*x)->endpoints->len != (*y)->endpoints->len)
        return (*x)->endpoints->len > (*y)->endpoints->len ? -1 : 1;
    return strcmp(object_name((*x)->slice), object_name((*y)->slice));
}

static void
draft_fill(Draft *draft, const GPtrArray *wanted, GHashTable *left, guint *cursor)
{
    const Value *endpoint;
    while (draft->endpoints->len < ENDPOINTS_PER_SLICE_MAX &&
           (endpoint = next_left(wanted, left, cursor)) != NULL) {
        objects_add(draft->endpoints, endpoint);
        draft->changed = true;
    }
}

/* The unchanged slice that comes closest to full with `count` more; NULL when they fit into none.
 */
static Draft *
draft_to_fill(GArray *drafts, guint count)
{
    Draft *best = NULL;
    for (guint i = 0; i < drafts->len; i++) {
        Draft *draft = &g_array_index(drafts, Draft, i);
        if (draft->changed || draft->endpoints->len + count > ENDPOINTS_PER_SLICE_MAX)
            continue;
        if (best == NULL || draft->endpoints->len > best->endpoints->len)
            best = draft;
    }
    return best;
}

static void
place_left(SlicePlan *plan, GArray *drafts, const GPtrArray *wanted, GHashTable *left)
{
    guint cursor = 0;
    g_autoptr(GPtrArray) changed = g_ptr_array_new();
    for (guint i = 0; i < drafts->len; i++) {
        Draft *draft = &g_array_index(drafts, Draft, i);
        if (draft->changed && draft->endpoints->len > 0)
            g_ptr_array_add(changed, draft);
    }
    g_ptr_array_sort(changed, compare_fullest);
    for (guint i = 0; i < changed->len; i++)
        draft_fill(g_ptr_array_index(changed, i), wanted, left, &cursor);
    while (g_hash_table_size(left) > 0) {
        guint count = g_hash_table_size(left);
        Draft *draft = count < ENDPOINTS_PER_SLICE_MAX ? draft_to_fill(drafts, count) : NULL;
        if (draft != NULL) {
            draft_fill(draft, wanted, left, &cursor);
            continue;
        }
        g_autoptr(GPtrArray) fresh = objects_new();
        const Value *endpoint;
        while (fresh->len < ENDPOINTS_PER_SLICE_MAX &&
               (endpoint = next_left(wanted, left, &cursor)) != NULL)
            objects_add(fresh, endpoint);
        g_ptr_array_add(plan->create, endpoints_array(fresh));
    }
}

void
slice_plan_add(SlicePlan *plan, const GPtrArray *existing, const GPtrArray *wanted,
               const Value *labels)
{
    g_autoptr(GHashTable) left =
        g_hash_table_new(endpoint_hash, endpoint_same); /* only ever looked up */
    for (guint i = 0; i < wanted->len; i++)
        g_hash_table_add(left, g_ptr_array_index(wanted, i));
    g_autoptr(GArray) drafts = g_array_new(FALSE, TRUE, sizeof(Draft));
    g_array_set_clear_func(drafts, draft_clear);
    for (guint i = 0; i < existing->len; i++) {
        Draft draft = {.slice = objects_item(existing, i), .endpoints = objects_new()};
        draft_keep(&draft, left, labels);
        g_array_append_val(drafts, draft);
    }
    place_left(plan, drafts, wanted, left);
    for (guint i = 0; i < drafts->len; i++) {
        const Draft *draft = &g_array_index(drafts, Draft, i);
        bool empty_before = value_size(value_get(draft->slice, "endpoints")) == 0;
        if (draft->endpoints->len == 0 && (!empty_before || wanted->len > 0)) {
            objects_add(plan->remove, draft->slice);
        } else if (draft->changed) {
            Value *written =
                value_set(draft->slice, "endpoints", endpoints_array(draft->endpoints));
            value_edit(&written, "metadata.labels", value_ref(labels));
            g_ptr_array_add(plan->update, written);
        }
    }
}
