/* Reading: get, and list with selectors, pages and the meanings of resourceVersion (apiserver
 * pkg/storage/etcd3 store.go and cacher.go). Pages are consistent: the state that the first page
 * came from is kept for a while. */
#include "core/apiserver/private.h"
#include "core/base/text.h"
#include "core/object/json.h"

#define LIST_SNAPSHOTS_MAX 64
#define LIST_SNAPSHOT_AGE_NS (300 * NS_PER_S)

#define EXPIRED_TEXT "The resourceVersion for the provided list is too old."
#define CONTINUE_EXPIRED_TEXT                                                                      \
    "The provided continue parameter is too old to display a consistent list result. You can "     \
    "start a new list "                                                                            \
    "without the continue parameter, or use the continue token in this response to retrieve the "  \
    "remainder of the "                                                                            \
    "results. Continuing with the provided token results in an inconsistent list - objects that "  \
    "were created, "                                                                               \
    "modified, or deleted between the time the first chunk was returned and now may show up in "   \
    "the list."

typedef struct ListSnapshot {
    StoreBucket *bucket;
    int64_t revision;
    int64_t time_ns;
    PMap *state;
} ListSnapshot;

typedef struct ListPlan {
    PMap *state;      /* owned */
    int64_t revision; /* that the list is of */
    char *after;      /* NULL: from the beginning */
    Filter *filter;
} ListPlan;

static void
plan_clear(ListPlan *plan)
{
    pmap_unref(plan->state);
    g_free(plan->after);
    filter_free(plan->filter);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListPlan, plan_clear)

/* ---- kept states
 * ------------------------------------------------------------------------------------------ */

static void
snapshot_free(gpointer data)
{
    ListSnapshot *snapshot = data;

    pmap_unref(snapshot->state);
    g_free(snapshot);
}

void
list_snapshots_clear(ApiServer *server)
{
    g_queue_clear_full(&server->snapshots, snapshot_free);
}

static void
snapshot_keep(ApiServer *server, StoreBucket *bucket, const ListPlan *plan)
{
    int64_t now = clock_now(server->ports.clock);
    ListSnapshot *snapshot;

    for (GList *link = server->snapshots.head; link != NULL; link = link->next) {
        snapshot = link->data;
        if (snapshot->bucket == bucket && snapshot->revision == plan->revision)
            return;
    }
    while ((snapshot = g_queue_peek_head(&server->snapshots)) != NULL &&
           (server->snapshots.length >= LIST_SNAPSHOTS_MAX ||
            now - snapshot->time_ns > LIST_SNAPSHOT_AGE_NS))
        snapshot_free(g_queue_pop_head(&server->snapshots));
    snapshot = g_new0(ListSnapshot, 1);
    snapshot->bucket = bucket;
    snapshot->revision = plan->revision;
    snapshot->time_ns = now;
    snapshot->state = pmap_ref(plan->state);
    g_queue_push_tail(&server->snapshots, snapshot);
}

static PMap *
snapshot_find(ApiServer *server, StoreBucket *bucket, int64_t revision)
{
    for (GList *link = server->snapshots.head; link != NULL; link = link->next) {
        ListSnapshot *snapshot = link->data;

        if (snapshot->bucket == bucket && snapshot->revision == revision)
            return pmap_ref(snapshot->state);
    }
    return store_state_at(bucket, revision);
}

/* ---- continue tokens
 * --------------------------------------------------------------------------------------- */

static Value *
continue_token(int64_t revision, const char *last_key)
{
    g_autoptr(Value) token =
        value_new_f("{v: %s, rv: %i, start: %s}", "meta.k8s.io/v1", revision, last_key);
    g_autofree char *json = json_text(token);

    return value_new_string_take(text_base64(json, strlen(json)));
}

static bool
continue_read(const char *text, int64_t *ret_revision, char **ret_after)
{
    size_t length = 0;
    g_autofree uint8_t *bytes = text_base64_decode(text, &length);
    g_autoptr(Value) token = bytes == NULL ? NULL : json_parse((const char *)bytes, length, NULL);

    if (token == NULL || g_strcmp0(value_string_at(token, "v"), "meta.k8s.io/v1") != 0 ||
        !value_has(token, "start"))
        return false;
    *ret_revision = value_int_at(token, "rv");
    *ret_after = g_strdup(value_text_at(token, "start"));
    return true;
}

static Value *
continue_expired(const char *after)
{
    Value *status = status_expired(CONTINUE_EXPIRED_TEXT);

    value_edit(&status, "metadata.continue", continue_token(-1, after));
    return status;
}

/* ---- which state
 * ------------------------------------------------------------------------------------------- */

bool
resource_version_parse(const char *text, int64_t *ret_revision)
{
    char *end = NULL;

    if (!g_ascii_isdigit(*text))
        return false;
    *ret_revision = g_ascii_strtoll(text, &end, 10);
    return *end == '\0';
}

Value *
resource_version_too_large(int64_t wanted, int64_t current)
{
    Value *status =
        status_new(504, "Timeout",
                   "Too large resource version: %" G_GINT64_FORMAT ", current: %" G_GINT64_FORMAT,
                   wanted, current);

    value_edit(&status, "details.causes",
               value_new_f("[{reason: ResourceVersionTooLarge, message: %s}]",
                           "Too large resource version"));
    value_edit(&status, "details.retryAfterSeconds", value_new_int(1));
    return status;
}

static Value *
plan_continue(ApiCall *call, ListPlan *plan)
{
    const ApiListOptions *options = &call->request->list;
    int64_t revision = 0;

    if (options->resource_version != NULL && *options->resource_version != '\0' &&
        strcmp(options->resource_version, "0") != 0)
        return status_bad_request("specifying resource version is not allowed when using continue");
    if (!continue_read(options->continue_token, &revision, &plan->after))
        return status_bad_request(
            "continue key is not valid: the token was not made by this server");
    if (revision < 0) {
        plan->revision = store_revision(call->server->store);
        plan->state = pmap_ref(store_committed(call->resource->bucket));
        return NULL;
    }
    plan->revision = revision;
    plan->state = snapshot_find(call->server, call->resource->bucket, revision);
    return plan->state == NULL ? continue_expired(plan->after) : NULL;
}

static Value *
plan_state(ApiCall *call, ListPlan *plan)
{
    const ApiListOptions *options = &call->request->list;
    bool has_version = options->resource_version != NULL && *options->resource_version != '\0';
    int64_t wanted = 0, current = store_revision(call->server->store);

    if (options->continue_token != NULL && *options->continue_token != '\0')
        return plan_continue(call, plan);
    if (options->rv_match != RV_MATCH_UNSET && !has_version)
        return status_bad_request(
            "resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (has_version && !resource_version_parse(options->resource_version, &wanted))
        return status_bad_request("resourceVersion: Invalid value: \"%s\": must be a number",
                                  options->resource_version);
    if (wanted > current)
        return resource_version_too_large(wanted, current);
    plan->revision = current;
    if (options->rv_match == RV_MATCH_EXACT) {
        if (wanted == 0)
            return status_bad_request(
                "resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
        plan->revision = wanted;
        plan->state = snapshot_find(call->server, call->resource->bucket, wanted);
        return plan->state == NULL ? status_expired(EXPIRED_TEXT) : NULL;
    }
    plan->state = pmap_ref(store_committed(call->resource->bucket));
    return NULL;
}

/* ---- verbs
 * ---------------------------------------------------------------------------------------------------
 */

void
call_get(ApiCall *call)
{
    g_autofree char *key =
        resource_key(call->resource->kind, call->request->namespace_, call->request->name);
    const Value *object = pmap_get(store_committed(call->resource->bucket), key);
    int64_t wanted = 0;

    if (call->request->list.resource_version != NULL &&
        resource_version_parse(call->request->list.resource_version, &wanted) &&
        wanted > store_revision(call->server->store)) {
        call_refuse(call, resource_version_too_large(wanted, store_revision(call->server->store)));
        return;
    }
    if (object == NULL)
        call_refuse(call, status_not_found(call->kind, call->request->name));
    else
        call_answer(call, 200, convert_from_stored(call->kind, call->resource, object));
}

/* The one key that a list by metadata.name can give, or NULL. Owned. */
static char *
list_only_key(const ApiCall *call, const ListPlan *plan)
{
    const char *name = filter_exact(plan->filter, "metadata.name");
    const char *namespace_ = call->request->namespace_;

    if (name == NULL || (call->resource->kind->namespaced && namespace_ == NULL))
        return NULL;
    return resource_key(call->resource->kind, namespace_, name);
}

/* An in-process informer of the whole resource shares the state instead of reading items. */
static bool
list_is_state(const ApiCall *call, const ListPlan *plan)
{
    return call->request->want_state && plan->filter == NULL && plan->after == NULL &&
           call->request->namespace_ == NULL && call->request->list.limit == 0 &&
           call->kind == call->resource->kind;
}

static Value *
list_items(ApiCall *call, ListPlan *plan, Value **ret_continue, int64_t *ret_remaining)
{
    const ApiListOptions *options = &call->request->list;
    ValueBuilder *items = value_builder_new_array();
    g_autofree char *prefix = call->request->namespace_ == NULL
                                  ? g_strdup("")
                                  : g_strconcat(call->request->namespace_, "/", NULL);
    g_autofree char *only = list_only_key(call, plan);
    PMapIter iter = plan->after != NULL
                        ? pmap_seek_after(plan->state, plan->after)
                        : pmap_seek(plan->state, only != NULL ? only : prefix);
    g_autofree char *last = NULL;
    int64_t n = 0;

    while (pmap_next(&iter)) {
        if (only != NULL ? strcmp(iter.key, only) != 0 : !g_str_has_prefix(iter.key, prefix))
            break;
        if (!filter_matches(plan->filter, iter.value))
            continue;
        if (options->limit > 0 && n == options->limit) {
            size_t end = pmap_rank(plan->state, prefix) + pmap_count_prefix(plan->state, prefix);

            *ret_continue = continue_token(plan->revision, last);
            if (plan->filter == NULL)
                *ret_remaining = (int64_t)(end - pmap_rank(plan->state, last)) - 1;
            break;
        }
        value_builder_append(items, convert_from_stored(call->kind, call->resource, iter.value));
        n++;
        if (n == options->limit)
            last = g_strdup(iter.key);
    }
    return value_builder_end(items);
}

void
call_list(ApiCall *call)
{
    g_auto(ListPlan) plan = {0};
    g_autoptr(Value) continue_text = NULL, version = NULL;
    int64_t remaining = 0;
    Value *refusal, *items;

    if ((refusal = filter_new(call->kind, &call->request->list, &plan.filter)) != NULL ||
        (refusal = plan_state(call, &plan)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    if (list_is_state(call, &plan)) {
        call->state = pmap_ref(plan.state);
        items = value_new_array();
    } else {
        items = list_items(call, &plan, &continue_text, &remaining);
    }
    if (continue_text != NULL)
        snapshot_keep(call->server, call->resource->bucket, &plan);
    version = value_new_stringf("%" G_GINT64_FORMAT, plan.revision);
    call_answer(
        call, 200,
        value_new_f("{kind: %s, apiVersion: %s, metadata: {resourceVersion: %v, continue: ?%v, "
                    "remainingItemCount: ?%i}, items: %V}",
                    call->kind->list_kind, api_kind_api_version(call->kind), version, continue_text,
                    remaining, items));
}
