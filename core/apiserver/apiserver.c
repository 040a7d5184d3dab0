/* The API server's making: resources from the table of kinds, the store's hooks, what is there from
 * the start. */
#include "core/apiserver/private.h"

/* ---- the store's hooks
 * -------------------------------------------------------------------------------------------- */

static Value *
hook_stamp(Value *take, int64_t revision)
{
    value_edit(&take, "metadata.resourceVersion", value_new_stringf("%" G_GINT64_FORMAT, revision));
    return take;
}

/* "kubelet/worker-1", "kube-scheduler", "user admin" */
static char *
hook_actor(const ApiRequest *request)
{
    const char *name = user_name(request), *agent = request->user_agent;

    if (g_str_has_prefix(name, "system:node:"))
        return g_strconcat("kubelet/", name + strlen("system:node:"), NULL);
    if (!g_str_has_prefix(name, "system:"))
        return g_strconcat("user ", name, NULL);
    if (agent != NULL && *agent != '\0')
        return g_strndup(agent, strcspn(agent, "/ "));
    return g_strdup(strrchr(name, ':') + 1);
}

static const char *
hook_verb(const ApiCall *call, const StoreEvent *event)
{
    if (call != NULL && call->verb != NULL)
        return call->verb;
    if (event->type == STORE_DELETED)
        return "delete";
    if (event->type == STORE_CREATED)
        return "create";
    if (call != NULL && call->request->verb == API_VERB_DELETE)
        return "mark for deletion";
    if (call != NULL && call->sub != NULL)
        return "update status";
    return call != NULL && call->request->verb == API_VERB_PATCH ? "patch" : "update";
}

static uint64_t
hook_written(const StoreEvent *event, StoreBucket *bucket, void *op_data, void *data)
{
    const WriteSource *source = op_data;
    ApiCall *call = source == NULL ? NULL : source->call;
    Trace *trace = source == NULL ? NULL : source->server->ports.trace;
    g_autofree char *subject = NULL, *actor = NULL;
    Fact fact = {.kind = FACT_WRITE, .revision = event->revision};

    if (call != NULL)
        value_replace(&call->result, value_ref(event->value));
    if (trace == NULL)
        return 0; /* an expiry is nobody's write */
    subject = object_subject(event->value, NULL);
    actor = call == NULL ? g_strdup("kube-apiserver") : hook_actor(call->request);
    fact.actor = actor;
    fact.subject = subject;
    fact.verb = hook_verb(call, event);
    fact.digest = value_digest(event->value);
    return trace_record(trace, &fact);
}

/* ---- resources
 * ------------------------------------------------------------------------------------------------------
 */

static void
resource_free(gpointer data)
{
    ApiResource *resource = data;

    watch_index_free(resource->watches);
    g_free(resource);
}

static void
server_add_resource(ApiServer *server, const ApiKind *kind)
{
    ApiResource *resource;

    if ((kind->verbs & API_VERB_GET) == 0 || strcmp(kind->resource, "componentstatuses") == 0)
        return; /* asked once, never stored */
    resource = g_new0(ApiResource, 1);
    resource->server = server;
    resource->kind = kind;
    resource->bucket = store_bucket(server->store, api_kind_qualified(kind));
    resource->strategy = strategy_of(kind);
    resource->watches = watch_index_new(resource);
    g_ptr_array_add(server->resources, resource);
    g_hash_table_insert(server->resources_by_kind, (gpointer)kind, resource);
}

static bool
kind_is_stored(const ApiKind *kind)
{
    return strcmp(kind->group, kind->storage_group) == 0 &&
           strcmp(kind->version, kind->storage_version) == 0;
}

static void
server_add_resources(ApiServer *server)
{
    size_t n = api_types_count(server->types);

    for (size_t i = 0; i < n; i++)
        if (kind_is_stored(api_types_item(server->types, i)))
            server_add_resource(server, api_types_item(server->types, i));
    for (size_t i = 0; i < n; i++) {
        const ApiKind *kind = api_types_item(server->types, i);
        ApiResource *resource;

        if (kind_is_stored(kind))
            continue;
        resource = server_resource_of(server,
                                      api_types_by_resource(server->types, kind->storage_group,
                                                            kind->storage_version, kind->resource));
        if (resource != NULL)
            g_hash_table_insert(server->resources_by_kind, (gpointer)kind, resource);
    }
}

static gint
watch_id_compare(gconstpointer a, gconstpointer b)
{
    return a < b ? -1 : a > b;
}

ApiServer *
api_server_new(const Ports *ports, const ApiTypes *types, Store *store,
               const ApiServerOptions *options)
{
    ApiServer *server = g_new0(ApiServer, 1);

    server->ports = *ports;
    server->types = types;
    server->store = store;
    if (options != NULL)
        server->options = *options;
    if (server->options.event_ttl_ns == 0)
        server->options.event_ttl_ns = 3600 * NS_PER_S;
    if (server->options.git_version == NULL)
        server->options.git_version = API_SERVER_GIT_VERSION;
    if (server->options.advertise_port == 0)
        server->options.advertise_port = 6443;
    server->service_cidr = g_strdup(
        server->options.service_cidr == NULL ? "10.96.0.0/12" : server->options.service_cidr);
    server->resources_by_kind = g_hash_table_new(g_direct_hash, g_direct_equal);
    server->resources = g_ptr_array_new_with_free_func(resource_free);
    server->watches = g_tree_new(watch_id_compare);
    server->metrics = metrics_new();
    server->addresses = ip_allocator_new(server->service_cidr);
    server->node_ports =
        port_allocator_new(server->options.node_port_min, server->options.node_port_max);
    server->signer = token_signer_new(server->options.service_account_key);
    g_queue_init(&server->snapshots);
    server->source.server = server;
    g_queue_init(&server->in_flight);
    store_set_hooks(store, hook_stamp, hook_written, NULL);
    server_add_resources(server);
    service_adopt_all(server);
    bootstrap_objects(server);
    server->is_ready = true;
    return server;
}

void
api_server_free(ApiServer *server)
{
    if (server == NULL)
        return;
    server_end_watches(server);
    service_adopt_end(server);
    create_forget_waiting(server);
    for (GList *link = server->in_flight.head; link != NULL; link = link->next)
        ((ApiCall *)link->data)->server = NULL;
    clock_cancel(server->ports.clock, &server->bookmark_timer);
    list_snapshots_clear(server);
    g_ptr_array_unref(server->resources);
    g_hash_table_unref(server->resources_by_kind);
    g_tree_unref(server->watches);
    metrics_free(server->metrics);
    ip_allocator_free(server->addresses);
    port_allocator_free(server->node_ports);
    token_signer_free(server->signer);
    value_unref(server->now_text);
    value_unref(server->token_projection);
    value_unref(server->default_tolerations);
    g_free(server->service_cidr);
    g_free(server);
}

const ApiTypes *
api_server_types(const ApiServer *server)
{
    return server->types;
}

const Ports *
api_server_ports(const ApiServer *server)
{
    return &server->ports;
}

const ApiServerOptions *
api_server_options(const ApiServer *server)
{
    return &server->options;
}

bool
api_server_is_ready(const ApiServer *server)
{
    return server->is_ready && store_failure(server->store) == NULL;
}

const Value *
api_server_peek(ApiServer *server, const char *group, const char *resource, const char *namespace_,
                const char *name)
{
    ApiResource *stored = server_resource(server, group, resource);
    g_autofree char *key = NULL;

    if (stored == NULL)
        return NULL;
    key = resource_key(stored->kind, namespace_, name);
    return pmap_get(store_committed(stored->bucket), key);
}
