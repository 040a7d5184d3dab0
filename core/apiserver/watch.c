/* Watches: one listener per resource, and an index that finds the watchers an event concerns
 * without asking all of them: by name, by the node a pod is bound to (each kubelet's watch), by
 * namespace; the rest hears everything.
 *
 * Invariants: a watch stands in exactly one list of its resource's index and in server->watches;
 * `revision` is that of the last event considered, so an event replayed at the start is not sent
 * twice. A watch that ends while events are being given out stays allocated until that is over
 * (`dead`). */
#include "core/apiserver/private.h"

#define BOOKMARK_INTERVAL_NS (60 * NS_PER_S)

struct ApiServerWatch {
    ApiResource *resource;
    const ApiKind *kind; /* as asked */
    ApiServerWatchFunc func;
    void *data;
    Filter *filter;
    char *namespace_;
    GPtrArray *list;   /* of the index; borrowed */
    GHashTable *table; /* that holds the list under `key`; NULL: the general list */
    char *key;
    uint64_t id;
    int64_t revision;
    TimerId timeout;
    bool bookmarks;
    bool dead;
};

struct WatchIndex {
    ApiResource *resource;
    GPtrArray *general;
    GHashTable
        *by_namespace;   /* -> GPtrArray of watches, in the order of starting; looked up only */
    GHashTable *by_name; /* the key in the bucket */
    GHashTable *by_node;
    GPtrArray *dead;
    int dispatching;
};

static void index_event(StoreBucket *bucket, const StoreEvent *event, void *data);

static void
list_unref(gpointer data)
{
    g_ptr_array_unref(data);
}

struct WatchIndex *
watch_index_new(ApiResource *resource)
{
    struct WatchIndex *index = g_new0(struct WatchIndex, 1);

    index->resource = resource;
    index->general = g_ptr_array_new();
    index->by_namespace = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_unref);
    index->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_unref);
    index->by_node = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, list_unref);
    index->dead = g_ptr_array_new();
    store_listen(resource->bucket, index_event, index);
    return index;
}

static void
watch_free(ApiServerWatch *watch)
{
    filter_free(watch->filter);
    g_free(watch->namespace_);
    g_free(watch->key);
    g_free(watch);
}

static void
index_bury(struct WatchIndex *index)
{
    if (index->dispatching > 0)
        return;
    for (guint i = 0; i < index->dead->len; i++) {
        ApiServerWatch *watch = g_ptr_array_index(index->dead, i);

        g_ptr_array_remove(watch->list, watch);
        if (watch->list->len == 0 && watch->table != NULL)
            g_hash_table_remove(watch->table, watch->key);
        watch_free(watch);
    }
    g_ptr_array_set_size(index->dead, 0);
}

void
watch_index_free(struct WatchIndex *index)
{
    if (index == NULL)
        return;
    store_unlisten(index->resource->bucket, index_event, index);
    index_bury(index);
    g_ptr_array_unref(index->general);
    g_hash_table_unref(index->by_namespace);
    g_hash_table_unref(index->by_name);
    g_hash_table_unref(index->by_node);
    g_ptr_array_unref(index->dead);
    g_free(index);
}

static void
index_join(ApiServerWatch *watch, GHashTable *table, char *take_key)
{
    watch->table = table;
    watch->key = take_key;
    watch->list = g_hash_table_lookup(table, take_key);
    if (watch->list == NULL) {
        watch->list = g_ptr_array_new();
        g_hash_table_insert(table, g_strdup(take_key), watch->list);
    }
}

static void
index_add(struct WatchIndex *index, ApiServerWatch *watch)
{
    const ApiKind *kind = index->resource->kind;
    const char *name = filter_exact(watch->filter, "metadata.name");
    const char *node = filter_exact(watch->filter, "spec.nodeName");

    if (name != NULL && (watch->namespace_ != NULL || !kind->namespaced))
        index_join(watch, index->by_name, resource_key(kind, watch->namespace_, name));
    else if (node != NULL)
        index_join(watch, index->by_node, g_strdup(node));
    else if (watch->namespace_ != NULL)
        index_join(watch, index->by_namespace, g_strdup(watch->namespace_));
    else
        watch->list = index->general;
    g_ptr_array_add(watch->list, watch);
}

/* ---- giving out
 * -------------------------------------------------------------------------------------------------
 */

static void
watch_send(ApiServerWatch *watch, WatchEventType type, const Value *object, const StoreEvent *event)
{
    WatchEvent out = {.type = type,
                      .object = convert_from_stored(watch->kind, watch->resource, object),
                      .revision = event->revision,
                      .state =
                          watch->filter == NULL && watch->namespace_ == NULL ? event->state : NULL,
                      .cause = event->cause};

    watch->func(&out, watch->data);
    value_unref(out.object);
}

/* What left the selection is told with its last matching content and the revision at which it left.
 */
static void
watch_send_left(ApiServerWatch *watch, const StoreEvent *event)
{
    Value *object = value_ref(event->previous);

    value_edit(&object, "metadata.resourceVersion",
               value_new_stringf("%" G_GINT64_FORMAT, event->revision));
    watch_send(watch, WATCH_DELETED, object, event);
    value_unref(object);
}

static void
watch_consider(ApiServerWatch *watch, const StoreEvent *event)
{
    bool was, is;

    if (watch->dead || event->revision <= watch->revision)
        return;
    watch->revision = event->revision;
    if (watch->namespace_ != NULL && strcmp(object_namespace(event->value), watch->namespace_) != 0)
        return;
    was = event->previous != NULL && filter_matches(watch->filter, event->previous);
    is = event->type != STORE_DELETED && filter_matches(watch->filter, event->value);
    if (is)
        watch_send(watch, was ? WATCH_MODIFIED : WATCH_ADDED, event->value, event);
    else if (was && event->type == STORE_DELETED)
        watch_send(watch, WATCH_DELETED, event->value, event);
    else if (was)
        watch_send_left(watch, event);
}

static void
list_consider(GPtrArray *list, const StoreEvent *event)
{
    guint n = list == NULL ? 0 : list->len; /* who joins now has seen this event already */

    for (guint i = 0; i < n; i++)
        watch_consider(g_ptr_array_index(list, i), event);
}

static void
index_event(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    struct WatchIndex *index = data;

    index->dispatching++;
    list_consider(index->general, event);
    list_consider(g_hash_table_lookup(index->by_namespace, object_namespace(event->value)), event);
    list_consider(g_hash_table_lookup(index->by_name, event->key), event);
    if (g_hash_table_size(index->by_node) > 0) {
        const char *node = value_text_at(event->value, "spec.nodeName");
        const char *before = value_text_at(event->previous, "spec.nodeName");

        list_consider(g_hash_table_lookup(index->by_node, node), event);
        if (strcmp(node, before) != 0)
            list_consider(g_hash_table_lookup(index->by_node, before), event);
    }
    index->dispatching--;
    index_bury(index);
}

/* ---- bookmarks
 * ----------------------------------------------------------------------------------------------------
 */

static void
watch_send_bookmark(ApiServerWatch *watch, bool initial_end)
{
    int64_t revision = store_revision(watch->resource->server->store);
    WatchEvent event = {.type = WATCH_BOOKMARK, .revision = revision};

    event.object =
        value_new_f("{kind: %s, apiVersion: %s, metadata: {resourceVersion: %V, annotations: ?%V}}",
                    watch->kind->kind, api_kind_api_version(watch->kind),
                    value_new_stringf("%" G_GINT64_FORMAT, revision),
                    initial_end ? value_new_f("{'k8s.io/initial-events-end': 'true'}") : NULL);
    if (watch->filter == NULL && watch->namespace_ == NULL)
        event.state = store_committed(watch->resource->bucket);
    watch->func(&event, watch->data);
    value_unref(event.object);
}

static void
server_bookmarks(void *data)
{
    ApiServer *server = data;
    bool any = false;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();

    server->bookmark_timer = 0;
    for (GTreeNode *node = g_tree_node_first(server->watches); node != NULL;
         node = g_tree_node_next(node))
        if (((ApiServerWatch *)g_tree_node_value(node))->bookmarks)
            g_ptr_array_add(ids, g_tree_node_key(node));
    for (guint i = 0; i < ids->len; i++) {
        ApiServerWatch *watch = g_tree_lookup(server->watches, g_ptr_array_index(ids, i));

        if (watch == NULL)
            continue;
        any = true;
        watch_send_bookmark(watch, false);
    }
    if (any && server->bookmark_timer == 0)
        server->bookmark_timer =
            clock_timer_in(server->ports.clock, BOOKMARK_INTERVAL_NS, server_bookmarks, server);
}

/* ---- beginning and end
 * ---------------------------------------------------------------------------------------------- */

static void
watch_bury(ApiServerWatch *watch)
{
    struct WatchIndex *index = watch->resource->watches;

    watch->dead = true;
    clock_cancel(watch->resource->server->ports.clock, &watch->timeout);
    g_tree_remove(watch->resource->server->watches, GSIZE_TO_POINTER(watch->id));
    g_ptr_array_add(index->dead, watch);
    index_bury(index);
}

void
api_server_unwatch(ApiServerWatch *watch)
{
    if (watch != NULL && !watch->dead)
        watch_bury(watch);
}

static void
watch_end(ApiServerWatch *watch)
{
    ApiServerWatchFunc func = watch->func;
    void *data = watch->data;

    watch_bury(watch);
    func(NULL, data);
}

static void
watch_time_out(void *data)
{
    ApiServerWatch *watch = data;

    watch->timeout = 0;
    watch_end(watch);
}

void
server_end_watches(ApiServer *server)
{
    GTreeNode *node;

    while ((node = g_tree_node_first(server->watches)) != NULL)
        watch_end(g_tree_node_value(node));
}

static void
watch_replay_event(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    watch_consider(data, event);
}

/* All that is there now, as ADDED. */
static void
watch_send_all(ApiServerWatch *watch)
{
    g_autofree char *prefix =
        watch->namespace_ == NULL ? g_strdup("") : g_strconcat(watch->namespace_, "/", NULL);
    g_autoptr(PMap) state = pmap_ref(store_committed(watch->resource->bucket));
    PMapIter iter = pmap_seek_prefix(state, prefix);
    int64_t revision = store_revision(watch->resource->server->store);

    while (!watch->dead && pmap_next(&iter)) {
        StoreEvent event = {.revision = object_resource_version(iter.value), .state = state};

        if (filter_matches(watch->filter, iter.value))
            watch_send(watch, WATCH_ADDED, iter.value, &event);
    }
    watch->revision = revision;
}

static Value *
watch_check(ApiServer *server, const ApiRequest *request, const ApiKind *kind,
            int64_t *ret_revision)
{
    const ApiListOptions *options = &request->list;
    const char *version = options->resource_version == NULL ? "" : options->resource_version;
    Value *refusal;

    *ret_revision = 0;
    if (kind == NULL || server_resource_of(server, kind) == NULL)
        return status_new(404, "NotFound", "the server could not find the requested resource");
    if ((kind->verbs & API_VERB_WATCH) == 0)
        return status_method_not_supported(kind, "watch");
    if ((refusal = authorize(server, request, kind)) != NULL)
        return refusal;
    if (*version != '\0' && !resource_version_parse(version, ret_revision))
        return status_bad_request("resourceVersion: Invalid value: \"%s\": must be a number",
                                  version);
    if (options->send_initial_events && options->rv_match != RV_MATCH_NOT_OLDER_THAN)
        return status_bad_request(
            "sendInitialEvents is forbidden unless resourceVersionMatch is set to NotOlderThan");
    if (options->send_initial_events && *ret_revision > store_revision(server->store))
        return resource_version_too_large(*ret_revision, store_revision(server->store));
    return NULL;
}

static ApiServerWatch *
watch_refuse(ApiRequest *take, Value *take_status, ApiServerWatchFunc func, void *data)
{
    WatchEvent event = {.type = WATCH_ERROR, .object = take_status};

    api_request_free(take);
    func(&event, data);
    func(NULL, data);
    value_unref(take_status);
    return NULL;
}

/* Sends what the start asks for. False when that is too far back. */
static bool
watch_begin(ApiServerWatch *watch, const ApiListOptions *options, int64_t revision)
{
    if (revision == 0 || options->send_initial_events) {
        watch_send_all(watch);
        if (options->send_initial_events && watch->bookmarks && !watch->dead)
            watch_send_bookmark(watch, true);
        return true;
    }
    watch->revision = revision;
    return store_replay(watch->resource->bucket, revision, watch_replay_event, watch);
}

ApiServerWatch *
api_server_watch(ApiServer *server, ApiRequest *take, ApiServerWatchFunc func, void *data)
{
    const ApiKind *kind =
        api_types_by_resource(server->types, take->group, take->version, take->resource);
    Filter *filter = NULL;
    ApiServerWatch *watch;
    struct WatchIndex *index;
    int64_t revision = 0;
    Value *refusal = watch_check(server, take, kind, &revision);

    if (refusal != NULL || (refusal = filter_new(kind, &take->list, &filter)) != NULL)
        return watch_refuse(take, refusal, func, data);
    watch = g_new0(ApiServerWatch, 1);
    watch->resource = server_resource_of(server, kind);
    watch->kind = kind;
    watch->func = func;
    watch->data = data;
    watch->filter = filter;
    watch->namespace_ = g_strdup(take->namespace_);
    watch->bookmarks = take->list.watch_bookmarks;
    watch->id = ++server->watch_next;
    index = watch->resource->watches;
    index_add(index, watch);
    g_tree_insert(server->watches, GSIZE_TO_POINTER(watch->id), watch);
    index->dispatching++;
    if (!watch_begin(watch, &take->list, revision) && !watch->dead) {
        WatchEvent event = {.type = WATCH_ERROR};

        event.object = status_expired("too old resource version");
        watch->func(&event, watch->data);
        value_unref(event.object);
        if (!watch->dead)
            watch_end(watch);
    }
    index->dispatching--;
    if (!watch->dead && take->list.timeout_seconds > 0)
        watch->timeout = clock_timer_in(server->ports.clock, take->list.timeout_seconds * NS_PER_S,
                                        watch_time_out, watch);
    if (!watch->dead && watch->bookmarks && server->bookmark_timer == 0)
        server->bookmark_timer =
            clock_timer_in(server->ports.clock, BOOKMARK_INTERVAL_NS, server_bookmarks, server);
    api_request_free(take);
    watch = watch->dead ? NULL : watch;
    index_bury(index);
    return watch;
}
