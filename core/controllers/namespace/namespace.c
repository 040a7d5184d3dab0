/* One sync of a terminating namespace, each step a batch of calls:
 *
 *   [pods] list -> delete collection (if any) -> list again --none remain--> [all other kinds] the
 * same --none remain--> finalize
 *                                                   `--some remain--> conditions, come back later
 * `--some remain--> likewise */
#include "core/controllers/namespace/namespace.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/util.h"

#define FINALIZER "kubernetes"
/* namespaceDeletionGracePeriod: until all API servers refuse new content. */
#define DELETION_GRACE_NS (5 * NS_PER_S)

typedef struct Resource {
    const char *group, *resource;
    size_t remaining;
} Resource;

typedef enum { STEP_LIST, STEP_DELETE, STEP_LIST_AGAIN } Step;

typedef struct Emptying {
    Controller *controller;
    Value *namespace_;
    GArray *resources;  /* Resource; the first is pods */
    guint first, count; /* of this round */
    GArray *batch;      /* guint: indices into resources of the step under way */
    Step step;
    GTree *finalizers; /* name -> count as a boxed int64 */
    GPtrArray *errors; /* texts */
    int64_t grace_s;   /* the longest grace period of a remaining pod */
} Emptying;

static void
emptying_clear(gpointer data)
{
    Emptying *emptying = data;
    value_unref(emptying->namespace_);
    g_array_free(emptying->resources, TRUE);
    g_array_free(emptying->batch, TRUE);
    g_tree_unref(emptying->finalizers);
    g_ptr_array_unref(emptying->errors);
}

static void
emptying_unref(gpointer data)
{
    g_rc_box_release_full(data, emptying_clear);
}

static gint
compare_text(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static gint
compare_text_slots(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every namespaced resource that can be listed and deleted, once (not once a version), as stored.
 */
static void
add_resources(GArray *resources, const ApiTypes *types)
{
    Resource pods = {.group = "", .resource = "pods"};
    g_array_append_val(resources, pods);
    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);
        unsigned needed = API_VERB_LIST | API_VERB_DELETE;
        bool known = !kind->namespaced || (kind->verbs & needed) != needed ||
                     (kind->storage_group != NULL && strcmp(kind->storage_group, kind->group) != 0);
        for (guint j = 0; j < resources->len && !known; j++) {
            const Resource *other = &g_array_index(resources, Resource, j);
            known = strcmp(other->group, kind->group) == 0 &&
                    strcmp(other->resource, kind->resource) == 0;
        }
        if (known)
            continue;
        Resource resource = {.group = kind->group, .resource = kind->resource};
        g_array_append_val(resources, resource);
    }
}

/* ---- conclusions
 * ------------------------------------------------------------------------------------- */

static Value *
put_condition(Value *take_conditions, const Emptying *emptying, const char *type,
              const char *reason, const char *message, bool is_true)
{
    Value *condition = condition_new(type, is_true ? "True" : "False", reason, message,
                                     controller_now(emptying->controller));
    Value *result = condition_set(take_conditions, condition, false);
    value_unref(take_conditions);
    return result;
}

static char *
describe_remaining(const Emptying *emptying)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < emptying->resources->len; i++) {
        const Resource *resource = &g_array_index(emptying->resources, Resource, i);
        if (resource->remaining > 0)
            g_ptr_array_add(texts,
                            g_strdup_printf("%s.%s has %zu resource instances", resource->resource,
                                            resource->group, resource->remaining));
    }
    if (texts->len == 0)
        return NULL;
    g_ptr_array_sort(texts, compare_text_slots);
    g_ptr_array_add(texts, NULL);
    g_autofree char *joined = g_strjoinv(", ", (char **)texts->pdata);
    return g_strconcat("Some resources are remaining: ", joined, NULL);
}

static char *
describe_finalizers(const Emptying *emptying)
{
    if (g_tree_nnodes(emptying->finalizers) == 0)
        return NULL;
    GString *text = g_string_new("Some content in the namespace has finalizers remaining: ");
    const char *comma = "";
    for (GTreeNode *node = g_tree_node_first(emptying->finalizers); node != NULL;
         node = g_tree_node_next(node)) {
        g_string_append_printf(text, "%s%s in %" G_GINT64_FORMAT " resource instances", comma,
                               (const char *)g_tree_node_key(node),
                               *(int64_t *)g_tree_node_value(node));
        comma = ", ";
    }
    return g_string_free(text, FALSE);
}

static char *
describe_errors(const Emptying *emptying)
{
    if (emptying->errors->len == 0)
        return NULL;
    g_ptr_array_sort(emptying->errors, compare_text_slots);
    GString *text = g_string_new(NULL);
    g_string_printf(text,
                    "Failed to delete all resource types, %u remaining: ", emptying->errors->len);
    for (guint i = 0; i < emptying->errors->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "",
                               (const char *)g_ptr_array_index(emptying->errors, i));
    return g_string_free(text, FALSE);
}

static void
write_conditions(Sync *sync, const Emptying *emptying, const char *remaining)
{
    const Value *old = value_at(emptying->namespace_, "status.conditions");
    g_autofree char *finalizers = describe_finalizers(emptying),
                    *errors = describe_errors(emptying);
    Value *conditions = old != NULL ? value_ref(old) : value_new_array();
    conditions =
        put_condition(conditions, emptying, "NamespaceDeletionDiscoveryFailure",
                      "ResourcesDiscovered", "All resources successfully discovered", false);
    conditions =
        put_condition(conditions, emptying, "NamespaceDeletionGroupVersionParsingFailure",
                      "ParsedGroupVersions", "All legacy kube types successfully parsed", false);
    conditions = put_condition(
        conditions, emptying, "NamespaceDeletionContentFailure",
        errors != NULL ? "ContentDeletionFailed" : "ContentDeleted",
        errors != NULL ? errors
                       : "All content successfully deleted, may be waiting on finalization",
        errors != NULL);
    conditions = put_condition(conditions, emptying, "NamespaceContentRemaining",
                               remaining != NULL ? "SomeResourcesRemain" : "ContentRemoved",
                               remaining != NULL ? remaining : "All content successfully removed",
                               remaining != NULL);
    conditions = put_condition(
        conditions, emptying, "NamespaceFinalizersRemaining",
        finalizers != NULL ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
        finalizers != NULL ? finalizers : "All content-preserving finalizers finished",
        finalizers != NULL);
    if (value_equal(old, conditions)) {
        value_unref(conditions);
        return;
    }
    client_update(emptying->controller->client, "", "namespaces", "status",
                  value_set_at(emptying->namespace_, "status.conditions", conditions), sync_call,
                  sync_begin_tolerating(sync, "NotFound,Conflict"));
}

static void
finalize(Sync *sync, const Emptying *emptying)
{
    g_autoptr(ValueBuilder) finalizers = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, value_at(emptying->namespace_, "spec.finalizers"))
        if (strcmp(value_text(item), FINALIZER) != 0)
            value_builder_append(finalizers, value_ref(item));
    controller_decide(emptying->controller, "finalize", emptying->namespace_, "Namespace",
                      "nothing remains in namespace %s: remove its finalizer",
                      object_name(emptying->namespace_));
    Value *written = value_set_at(emptying->namespace_, "spec.finalizers",
                                  value_builder_end(g_steal_pointer(&finalizers)));
    client_update(emptying->controller->client, "", "namespaces", "finalize", written, sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

/* ---- steps
 * ------------------------------------------------------------------------------------------- */

static void step_run(Sync *sync, Emptying *emptying);

static void
round_run(Sync *sync, Emptying *emptying, guint first, guint count)
{
    emptying->first = first;
    emptying->count = count;
    emptying->step = STEP_LIST;
    g_array_set_size(emptying->batch, 0);
    for (guint i = first; i < first + count; i++)
        g_array_append_val(emptying->batch, i);
    step_run(sync, emptying);
}

static void
round_done(Sync *sync, Emptying *emptying)
{
    g_autofree char *remaining = describe_remaining(emptying);
    if (remaining == NULL && emptying->errors->len == 0 && emptying->first == 0) {
        round_run(sync, emptying, 1, emptying->resources->len - 1);
        return;
    }
    if (remaining == NULL && emptying->errors->len == 0) {
        finalize(sync, emptying);
    } else {
        write_conditions(sync, emptying, remaining);
        /* As ResourcesRemainingError: half the estimate and a second; without one a while, and
         * events wake it too. */
        sync_again_after(sync, (emptying->grace_s > 0 ? emptying->grace_s / 2 + 1 : 5) * NS_PER_S);
    }
}

static void
step_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    Emptying *emptying = data;
    if (emptying->step == STEP_LIST_AGAIN) {
        round_done(sync, emptying);
        return;
    }
    if (emptying->step == STEP_LIST) {
        g_array_set_size(emptying->batch, 0);
        for (guint i = emptying->first; i < emptying->first + emptying->count; i++)
            if (g_array_index(emptying->resources, Resource, i).remaining > 0)
                g_array_append_val(emptying->batch, i);
    }
    emptying->step++;
    step_run(sync, emptying);
}

static void
step_start(size_t index, void *begun, void *data)
{
    Emptying *emptying = data;
    const Resource *resource =
        &g_array_index(emptying->resources, Resource, g_array_index(emptying->batch, guint, index));
    const char *namespace_ = object_name(emptying->namespace_);
    if (emptying->step == STEP_DELETE) {
        ApiRequest *request = api_request_new(API_VERB_DELETECOLLECTION, resource->group,
                                              resource->resource, namespace_, NULL);
        request->body = value_new_f("{propagationPolicy: Background}");
        client_request(emptying->controller->client, request, sync_call, begun);
    } else {
        client_list(emptying->controller->client, resource->group, resource->resource, namespace_,
                    NULL, NULL, sync_call, begun);
    }
}

static void
look_at_remaining(Emptying *emptying, const Resource *resource, const Value *items)
{
    VALUE_ARRAY_FOREACH (item, items) {
        VALUE_ARRAY_FOREACH (finalizer, value_at(item, "metadata.finalizers")) {
            int64_t *count = g_tree_lookup(emptying->finalizers, value_text(finalizer));
            if (count == NULL) {
                count = g_new0(int64_t, 1);
                g_tree_insert(emptying->finalizers, g_strdup(value_text(finalizer)), count);
            }
            ++*count;
        }
        if (strcmp(resource->resource, "pods") == 0 && *resource->group == '\0')
            emptying->grace_s = MAX(emptying->grace_s, pod_grace_period(item));
    }
}

static char *
step_answer(size_t index, const ApiResponse *response, void *data)
{
    Emptying *emptying = data;
    Resource *resource =
        &g_array_index(emptying->resources, Resource, g_array_index(emptying->batch, guint, index));
    if (!api_response_ok(response)) {
        if (response_is(response, "NotFound") || response_is(response, "MethodNotAllowed"))
            return NULL;
        g_ptr_array_add(emptying->errors, g_strdup(response_error(response)));
        return NULL; /* the round goes on with the other kinds and comes back */
    }
    if (emptying->step != STEP_DELETE)
        resource->remaining = value_size(value_get(response->object, "items"));
    if (emptying->step == STEP_LIST_AGAIN)
        look_at_remaining(emptying, resource, value_get(response->object, "items"));
    return NULL;
}

static void
step_run(Sync *sync, Emptying *emptying)
{
    static const BatchOps ops = {step_start, step_answer, step_done};
    batch_run(sync, BATCH_ALL, emptying->batch->len, &ops, g_rc_box_acquire(emptying),
              emptying_unref);
}

static void
sync_namespace(const char *key, Sync *sync, void *data)
{
    Controller *controller = data;
    const Value *namespace_ =
        informer_get(context_informer(controller->context, "", "namespaces"), key);
    if (namespace_ == NULL || !object_is_deleting(namespace_))
        return;
    if (strcmp(value_text_at(namespace_, "status.phase"), "Terminating") != 0) {
        client_update(controller->client, "", "namespaces", "status",
                      value_set_at(namespace_, "status.phase", value_new_string("Terminating")),
                      sync_call, sync_begin_tolerating(sync, "NotFound"));
        return;
    }
    if (value_size(value_at(namespace_, "spec.finalizers")) == 0)
        return;
    Emptying *emptying = g_rc_box_new0(Emptying);
    emptying->controller = controller;
    emptying->namespace_ = value_ref(namespace_);
    emptying->resources = g_array_new(FALSE, TRUE, sizeof(Resource));
    emptying->batch = g_array_new(FALSE, TRUE, sizeof(guint));
    emptying->finalizers = g_tree_new_full(compare_text, NULL, g_free, g_free);
    emptying->errors = g_ptr_array_new_with_free_func(g_free);
    add_resources(emptying->resources, client_types(controller->client));
    controller_decide(controller, "empty", namespace_, "Namespace",
                      "namespace %s is terminating: delete what is in it", key);
    round_run(sync, emptying, 0, 1);
    emptying_unref(emptying);
}

static void
namespace_changed(const char *key, const Value *old, const Value *new_, uint64_t cause,
                  bool initial, void *data)
{
    if (new_ != NULL && object_is_deleting(new_))
        work_queue_add_after(((Controller *)data)->queue, key, DELETION_GRACE_NS);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = namespace_changed};
    Controller *controller = g_new0(Controller, 1);
    controller_init(controller, context, &namespace_controller_class, "namespace-controller", 10,
                    sync_namespace);
    informer_add_handler(context_informer(context, "", "namespaces"), &handler, controller);
    return controller;
}

static void
stop(Controller *controller)
{
    controller_clear(controller);
    g_free(controller);
}

const ControllerClass namespace_controller_class = {"namespace-controller", start, NULL, stop};
