/* The fake API's resources, watches and transports. */
#include "tests/support/fake_api.h"

#include <string.h>

#include "core/api/status.h"
#include "tests/support/fake_private.h"

#define DELAY_NS NS_PER_MS

typedef struct {
    Transport base;
    FakeApi *api;
    ApiUser *user;
    GQueue calls; /* FakeCall */
} FakeTransport;

typedef struct {
    FakeTransport *transport;
    ApiRequest *request;
    ApiResponse *response; /* NULL: still on its way to the server */
    ApiDone done;
    void *data;
    TimerId timer;
} FakeCall;

typedef struct {
    WatchEvent event; /* owned */
    bool ends;
} Pending;

struct TransportWatch {
    FakeTransport *transport;
    ApiRequest *request;
    FakeResource *resource;
    GQueue pending; /* Pending */
    TimerId timer;
    bool dispatching, dropped, ending;
    ApiWatchFunc func;
    void *data;
};

/* ---- resources
 * ------------------------------------------------------------------------------------------ */

static void
unref_value(void *value)
{
    value_unref(value);
}

static const PMapType state_type = {.unref = unref_value};

static void
event_free(FakeEvent *event)
{
    value_unref(event->object);
    value_unref(event->before);
    pmap_unref(event->state);
    g_free(event);
}

static void
forget_history(FakeResource *resource)
{
    FakeEvent *event;
    while ((event = g_queue_pop_head(&resource->history)) != NULL)
        event_free(event);
}

static void
resource_free(void *data)
{
    FakeResource *resource = data;
    forget_history(resource);
    pmap_unref(resource->state);
    g_free(resource->group);
    g_free(resource->resource);
    g_free(resource);
}

FakeResource *
fake_resource(FakeApi *api, const char *group, const char *name)
{
    for (unsigned i = 0; i < api->resources->len; i++) {
        FakeResource *resource = api->resources->pdata[i];
        if (strcmp(resource->group, group) == 0 && strcmp(resource->resource, name) == 0)
            return resource;
    }
    FakeResource *resource = g_new0(FakeResource, 1);
    resource->group = g_strdup(group);
    resource->resource = g_strdup(name);
    resource->state = pmap_new(&state_type);
    g_ptr_array_add(api->resources, resource);
    return resource;
}

const Value *
fake_store(FakeApi *api, FakeResource *resource, const char *key, Value *take)
{
    const Value *before = pmap_get(resource->state, key);
    FakeEvent *event = g_new0(FakeEvent, 1);
    event->before = before != NULL ? value_ref(before) : NULL;
    event->type = take == NULL ? WATCH_DELETED : before == NULL ? WATCH_ADDED : WATCH_MODIFIED;
    event->revision = ++api->revision;
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, event->revision);
    event->object = take != NULL ? take : value_ref(before);
    value_edit(&event->object, "metadata.resourceVersion", value_new_string(text));
    if (take != NULL)
        pmap_put(&resource->state, key, value_ref(event->object));
    else
        pmap_remove(&resource->state, key);
    event->state = pmap_ref(resource->state);
    g_autofree char *subject = g_strdup_printf("%s/%s", resource->resource, key);
    event->cause = trace_record(api->ports->trace, &(Fact){.kind = FACT_WRITE,
                                                           .actor = "kube-apiserver",
                                                           .verb = watch_event_name(event->type),
                                                           .subject = subject,
                                                           .digest = value_digest(event->object),
                                                           .revision = event->revision});
    g_queue_push_tail(&resource->history, event);
    fake_watches_notify(api, resource, event);
    return event->object;
}

/* ---- watches
 * -------------------------------------------------------------------------------------------- */

static void
pending_free(Pending *pending)
{
    value_unref(pending->event.object);
    pmap_unref(pending->event.state);
    g_free(pending);
}

static void
watch_free(TransportWatch *watch)
{
    Pending *pending;
    while ((pending = g_queue_pop_head(&watch->pending)) != NULL)
        pending_free(pending);
    clock_cancel(watch->transport->api->ports->clock, &watch->timer);
    api_request_free(watch->request);
    g_free(watch);
}

static void
watch_drop(TransportWatch *watch)
{
    g_queue_remove(&watch->transport->api->watches, watch);
    if (watch->dispatching)
        watch->dropped = true;
    else
        watch_free(watch);
}

static void
watch_deliver(void *data)
{
    TransportWatch *watch = data;
    watch->timer = 0;
    watch->dispatching = true;
    Pending *pending;
    while (!watch->dropped && (pending = g_queue_pop_head(&watch->pending)) != NULL) {
        bool ends = pending->ends;
        if (ends)
            watch_drop(watch);
        watch->func(ends ? NULL : &pending->event, watch->data);
        pending_free(pending);
    }
    watch->dispatching = false;
    if (watch->dropped)
        watch_free(watch);
}

static void
watch_post(TransportWatch *watch, WatchEvent event, bool ends)
{
    if (watch->ending) {
        value_unref(event.object);
        pmap_unref(event.state);
        return;
    }
    Pending *pending = g_new0(Pending, 1);
    pending->event = event;
    pending->ends = watch->ending = ends;
    g_queue_push_tail(&watch->pending, pending);
    if (watch->timer == 0)
        watch->timer =
            clock_timer_in(watch->transport->api->ports->clock, DELAY_NS, watch_deliver, watch);
}

static bool
watch_sees(const TransportWatch *watch, const Value *object)
{
    const ApiRequest *request = watch->request;
    return object != NULL &&
           (request->namespace_ == NULL ||
            strcmp(request->namespace_, value_text_at(object, "metadata.namespace")) == 0) &&
           fake_matches(object, request->list.label_selector, request->list.field_selector);
}

static void
watch_tell(TransportWatch *watch, const FakeEvent *event)
{
    bool before = watch_sees(watch, event->before);
    bool after = event->type != WATCH_DELETED && watch_sees(watch, event->object);
    if (!before && !after)
        return;
    const ApiRequest *request = watch->request;
    bool whole = request->namespace_ == NULL && request->list.label_selector == NULL &&
                 request->list.field_selector == NULL && !watch->transport->api->hides_state;
    watch_post(watch,
               (WatchEvent){.type = !after   ? WATCH_DELETED
                                    : before ? WATCH_MODIFIED
                                             : WATCH_ADDED,
                            .object = value_ref(event->object),
                            .revision = event->revision,
                            .state = whole ? pmap_ref(event->state) : NULL,
                            .cause = event->cause},
               false);
}

void
fake_watches_notify(FakeApi *api, FakeResource *resource, const FakeEvent *event)
{
    for (GList *link = api->watches.head; link != NULL; link = link->next) {
        TransportWatch *watch = link->data;
        if (watch->resource == resource)
            watch_tell(watch, event);
    }
}

static void
watch_begin(TransportWatch *watch)
{
    FakeApi *api = watch->transport->api;
    const char *text = watch->request->list.resource_version;
    int64_t from = text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
    if (api->down) {
        watch_post(watch, (WatchEvent){0}, true);
    } else if (from == 0) {
        PMapIter iter = pmap_seek(watch->resource->state, NULL);
        while (pmap_next(&iter)) {
            FakeEvent event = {
                .type = WATCH_ADDED, .object = iter.value, .revision = api->revision};
            watch_tell(watch, &event);
        }
    } else if (from < api->compacted) {
        g_autofree char *message =
            g_strdup_printf("too old resource version: %" G_GINT64_FORMAT " (%" G_GINT64_FORMAT ")",
                            from, api->compacted);
        watch_post(watch, (WatchEvent){.type = WATCH_ERROR, .object = status_expired(message)},
                   false);
        watch_post(watch, (WatchEvent){0}, true);
    } else {
        for (GList *link = watch->resource->history.head; link != NULL; link = link->next)
            if (((FakeEvent *)link->data)->revision > from)
                watch_tell(watch, link->data);
    }
}

/* ---- the transport
 * ---------------------------------------------------------------------------------------- */

static char *
request_text(const ApiRequest *request)
{
    GString *text = g_string_new(api_request_label(request));
    const char *name =
        request->name != NULL ? request->name : value_string_at(request->body, "metadata.name");
    if (request->verb == API_VERB_DELETECOLLECTION)
        name = "*";
    if (name != NULL || request->namespace_ != NULL)
        g_string_append_printf(
            text, " %s%s%s", request->namespace_ != NULL ? request->namespace_ : "",
            request->namespace_ != NULL && name != NULL ? "/" : "", name != NULL ? name : "");
    return g_string_free(text, FALSE);
}

static ApiResponse *
answer(FakeApi *api, const ApiRequest *request)
{
    if (api->down)
        return api_response_new(503, status_unavailable("connect: connection refused"));
    char *text = request_text(request);
    g_ptr_array_add(api->requests, text);
    for (unsigned i = 0; i < api->failures->len; i++) {
        FakeFailure *failure = api->failures->pdata[i];
        if (failure->times == 0 || !g_str_has_prefix(text, failure->prefix))
            continue;
        failure->times--;
        return api_response_new(failure->code,
                                status_new(failure->code, failure->reason, "%s", failure->message));
    }
    return fake_answer(api, request);
}

static void
call_free(FakeCall *call)
{
    clock_cancel(call->transport->api->ports->clock, &call->timer);
    g_queue_remove(&call->transport->calls, call);
    api_request_free(call->request);
    api_response_free(call->response);
    g_free(call);
}

/* Twice for each call: at the server, and back at the client. */
static void
call_travel(void *data)
{
    FakeCall *call = data;
    FakeApi *api = call->transport->api;
    call->timer = 0;
    if (call->response == NULL) {
        call->response = answer(api, call->request);
        call->timer = clock_timer_in(api->ports->clock, DELAY_NS / 2, call_travel, call);
        return;
    }
    ApiDone done = call->done;
    void *done_data = call->data;
    ApiResponse *response = g_steal_pointer(&call->response);
    call_free(call);
    done(response, done_data);
}

static void
fake_call(Transport *base, ApiRequest *take, ApiDone done, void *data)
{
    FakeTransport *transport = (FakeTransport *)base;
    FakeCall *call = g_new0(FakeCall, 1);
    if (take->user == NULL)
        take->user = api_user_ref(transport->user);
    *call = (FakeCall){.transport = transport, .request = take, .done = done, .data = data};
    g_queue_push_tail(&transport->calls, call);
    call->timer = clock_timer_in(transport->api->ports->clock, DELAY_NS / 2, call_travel, call);
}

static TransportWatch *
fake_watch(Transport *base, ApiRequest *take, ApiWatchFunc func, void *data)
{
    FakeTransport *transport = (FakeTransport *)base;
    FakeApi *api = transport->api;
    TransportWatch *watch = g_new0(TransportWatch, 1);
    *watch = (TransportWatch){.transport = transport, .request = take, .func = func, .data = data};
    watch->resource = fake_resource(api, take->group, take->resource);
    g_queue_push_tail(&api->watches, watch);
    if (!api->down)
        g_ptr_array_add(api->requests, request_text(take));
    watch_begin(watch);
    return watch;
}

static void
fake_unwatch(Transport *base, TransportWatch *watch)
{
    watch_drop(watch);
}

static void
fake_transport_free(Transport *base)
{
    FakeTransport *transport = (FakeTransport *)base;
    while (!g_queue_is_empty(&transport->calls))
        call_free(g_queue_peek_head(&transport->calls));
    for (GList *link = transport->api->watches.head, *next; link != NULL; link = next) {
        next = link->next;
        if (((TransportWatch *)link->data)->transport == transport)
            watch_drop(link->data);
    }
    api_user_unref(transport->user);
    g_free(transport);
}

static const TransportOps fake_ops = {
    .call = fake_call, .watch = fake_watch, .unwatch = fake_unwatch, .free = fake_transport_free};

Transport *
fake_api_transport(FakeApi *api, const char *user)
{
    FakeTransport *transport = g_new0(FakeTransport, 1);
    transport->base.ops = &fake_ops;
    transport->api = api;
    transport->user = api_user_new(user, NULL);
    return &transport->base;
}

/* ---- for tests
 * -------------------------------------------------------------------------------------------- */

static char *
object_key_text(const char *namespace_, const char *name)
{
    return namespace_ != NULL && namespace_[0] != '\0' ? g_strconcat(namespace_, "/", name, NULL)
                                                       : g_strdup(name);
}

const Value *
fake_api_put(FakeApi *api, const char *group, const char *resource_name, Value *take)
{
    FakeResource *resource = fake_resource(api, group, resource_name);
    g_autofree char *key = object_key_text(value_string_at(take, "metadata.namespace"),
                                           value_text_at(take, "metadata.name"));
    const Value *old = pmap_get(resource->state, key);
    if (value_string_at(take, "metadata.uid") == NULL) {
        g_autofree char *uid = old != NULL ? g_strdup(value_text_at(old, "metadata.uid"))
                                           : random_uuid(api->ports->random);
        value_edit(&take, "metadata.uid", value_new_string(uid));
    }
    return fake_store(api, resource, key, take);
}

bool
fake_api_remove(FakeApi *api, const char *group, const char *resource_name, const char *namespace_,
                const char *name)
{
    FakeResource *resource = fake_resource(api, group, resource_name);
    g_autofree char *key = object_key_text(namespace_, name);
    if (pmap_get(resource->state, key) == NULL)
        return false;
    fake_store(api, resource, key, NULL);
    return true;
}

const Value *
fake_api_get(FakeApi *api, const char *group, const char *resource, const char *namespace_,
             const char *name)
{
    g_autofree char *key = object_key_text(namespace_, name);
    return pmap_get(fake_resource(api, group, resource)->state, key);
}

const Value *
fake_api_edit(FakeApi *api, const char *group, const char *resource, const char *namespace_,
              const char *name, const char *path, Value *take)
{
    const Value *old = fake_api_get(api, group, resource, namespace_, name);
    g_assert(old != NULL);
    return fake_api_put(api, group, resource, value_set_at(old, path, take));
}

struct PMap *
fake_api_state(FakeApi *api, const char *group, const char *resource)
{
    return fake_resource(api, group, resource)->state;
}

size_t
fake_api_count(FakeApi *api, const char *group, const char *resource)
{
    return pmap_count(fake_resource(api, group, resource)->state);
}

int64_t
fake_api_revision(const FakeApi *api)
{
    return api->revision;
}

const GPtrArray *
fake_api_requests(const FakeApi *api)
{
    return api->requests;
}

size_t
fake_api_count_requests(const FakeApi *api, const char *prefix)
{
    size_t n = 0;
    for (unsigned i = 0; i < api->requests->len; i++)
        n += g_str_has_prefix(api->requests->pdata[i], prefix) ? 1 : 0;
    return n;
}

void
fake_api_forget_requests(FakeApi *api)
{
    g_ptr_array_set_size(api->requests, 0);
}

void
fake_api_fail(FakeApi *api, const char *prefix, int code, const char *reason, const char *message,
              unsigned times)
{
    FakeFailure *failure = g_new0(FakeFailure, 1);
    *failure = (FakeFailure){.prefix = g_strdup(prefix),
                             .reason = g_strdup(reason),
                             .message = g_strdup(message),
                             .code = code,
                             .times = times};
    g_ptr_array_add(api->failures, failure);
}

void
fake_api_break_watches(FakeApi *api)
{
    for (GList *link = api->watches.head; link != NULL; link = link->next)
        watch_post(link->data, (WatchEvent){0}, true);
}

void
fake_api_compact(FakeApi *api)
{
    for (unsigned i = 0; i < api->resources->len; i++)
        forget_history(api->resources->pdata[i]);
    api->compacted = api->revision;
}

void
fake_api_set_down(FakeApi *api, bool down)
{
    api->down = down;
    if (down)
        fake_api_break_watches(api);
}

void
fake_api_share_state(FakeApi *api, bool share)
{
    api->hides_state = !share;
}

static void
failure_free(void *data)
{
    FakeFailure *failure = data;
    g_free(failure->prefix);
    g_free(failure->reason);
    g_free(failure->message);
    g_free(failure);
}

FakeApi *
fake_api_new(const Ports *ports, const ApiTypes *types)
{
    FakeApi *api = g_new0(FakeApi, 1);
    api->ports = ports;
    api->types = types;
    api->revision = 1;
    api->resources = g_ptr_array_new_with_free_func(resource_free);
    api->requests = g_ptr_array_new_with_free_func(g_free);
    api->failures = g_ptr_array_new_with_free_func(failure_free);
    return api;
}

void
fake_api_free(FakeApi *api)
{
    if (api == NULL)
        return;
    g_ptr_array_unref(api->resources);
    g_ptr_array_unref(api->requests);
    g_ptr_array_unref(api->failures);
    g_free(api);
}
