/* The reflector and its cache.
 *
 *             list answered             watch ended
 *   LISTING ----------------> WATCHING --------------> BACKOFF or, after a good watch, WATCHING
 * again ^                         | ERROR 410               |
 *      `-------------------------+-------------------------'  (relist, or resume from the last
 * revision)
 *
 * Invariants:
 *   1. `state` holds what the handlers have been told, no more and no less, once a dispatch is over
 *   2. every index lists exactly the objects of `state`
 *   3. `revision` never goes back, but by a list after the history was lost */
#include "core/client/informer.h"

#include "core/api/status.h"
#include "core/client/informer_index.h"

#include <string.h>

/* client-go tools/cache/reflector.go */
#define BACKOFF_MIN_NS (800 * NS_PER_MS)
#define BACKOFF_MAX_NS (30 * NS_PER_S)
#define BACKOFF_RESET_NS (120 * NS_PER_S)
#define WATCH_TIMEOUT_MIN_S 300 /* up to twice as long */
#define WATCH_GRACE_NS (30 * NS_PER_S)
#define WATCH_SHORT_NS NS_PER_S

typedef struct {
    InformerHandler handler;
    void *data;
} Handler;

struct Informer {
    const Ports *ports;
    Client *client;
    char *group, *resource, *namespace_, *label_selector, *field_selector;
    PMap *state;
    int64_t revision; /* 0: none yet */
    bool started, synced, listing;
    bool revision_lost; /* the last list at `revision` was refused: list what is newest */
    bool relist;        /* what the next attempt is to do */
    bool adopted;       /* `state` is the server's, so the next one shares its objects */
    TransportWatch *watch;
    int64_t watch_began_ns;
    unsigned watch_events;
    TimerId timer; /* back-off, or the guard of a silent watch */
    int64_t backoff_ns, backoff_at_ns;
    GArray *handlers;   /* Handler */
    GPtrArray *indices; /* InformerIndex */
};

static void
value_unref_pointer(void *value)
{
    value_unref(value);
}

static const PMapType state_type = {.unref = value_unref_pointer};

static char *
object_key_of(const Value *object)
{
    const Value *metadata = value_get(object, "metadata");
    const char *namespace_ = value_text(value_get(metadata, "namespace"));
    const char *name = value_text(value_get(metadata, "name"));
    return namespace_[0] != '\0' ? g_strconcat(namespace_, "/", name, NULL) : g_strdup(name);
}

static int64_t
revision_of(const Value *object)
{
    const char *text = value_text(value_get(value_get(object, "metadata"), "resourceVersion"));
    return g_ascii_strtoll(text, NULL, 10);
}

static bool
is_whole(const Informer *informer)
{
    return informer->namespace_ == NULL && informer->label_selector == NULL &&
           informer->field_selector == NULL;
}

/* ---- telling
 * ------------------------------------------------------------------------------------------ */

static void
index_change(Informer *informer, const Value *old, const Value *new_)
{
    for (unsigned i = 0; i < informer->indices->len; i++)
        informer_index_change(informer->indices->pdata[i], old, new_);
}

static void
tell(Informer *informer, const char *key, const Value *old, const Value *new_, CauseId cause,
     bool initial)
{
    for (unsigned i = 0; i < informer->handlers->len; i++) {
        Handler handler = g_array_index(informer->handlers, Handler, i);
        if (handler.handler.changed != NULL)
            handler.handler.changed(key, old, new_, cause, initial, handler.data);
    }
}

/* ---- lists
 * -------------------------------------------------------------------------------------------- */

typedef struct {
    char *key;
    Value *old, *new_;
} Change;

static void
change_clear(void *data)
{
    Change *change = data;
    g_free(change->key);
    value_unref(change->old);
    value_unref(change->new_);
}

static void
changes_add(GArray *changes, const char *key, const Value *old, const Value *new_)
{
    Change change = {.key = g_strdup(key),
                     .old = old != NULL ? value_ref(old) : NULL,
                     .new_ = new_ != NULL ? value_ref(new_) : NULL};
    g_array_append_val(changes, change);
}

/* Both in key order: what is new or different first, then what is gone (as DeltaFIFO.Replace). */
static GArray *
state_difference(const PMap *from, const PMap *to)
{
    GArray *changes = g_array_new(FALSE, FALSE, sizeof(Change));
    g_array_set_clear_func(changes, change_clear);
    PMapIter iter = pmap_seek(to, NULL);
    while (pmap_next(&iter)) {
        const Value *old = pmap_get(from, iter.key);
        if (old == iter.value)
            continue;
        if (old == NULL || revision_of(old) != revision_of(iter.value))
            changes_add(changes, iter.key, old, iter.value);
    }
    iter = pmap_seek(from, NULL);
    while (pmap_next(&iter))
        if (pmap_get(to, iter.key) == NULL)
            changes_add(changes, iter.key, iter.value, NULL);
    return changes;
}

static PMap *
state_of_list(const Value *list)
{
    PMap *state = pmap_new(&state_type);
    const char *api_version = value_string(value_get(list, "apiVersion"));
    const char *list_kind = value_text(value_get(list, "kind"));
    size_t length = strlen(list_kind);
    g_autofree char *kind =
        length > 4 && g_str_has_suffix(list_kind, "List") ? g_strndup(list_kind, length - 4) : NULL;
    VALUE_ARRAY_FOREACH (item, value_get(list, "items")) {
        g_autofree char *key = object_key_of(item);
        Value *object = value_ref(item);
        if (kind != NULL && !value_has(item, "kind")) { /* items of a list need not repeat it */
            value_edit(&object, "kind", value_new_string(kind));
            if (api_version != NULL)
                value_edit(&object, "apiVersion", value_new_string(api_version));
        }
        pmap_put(&state, key, object);
    }
    return state;
}

/* The same objects may lie elsewhere in memory in another state: let the indices point there. */
static void
reindex(Informer *informer, const PMap *before, const PMap *after)
{
    if (informer->indices->len == 0)
        return;
    PMapIter iter = pmap_seek(after, NULL);
    while (pmap_next(&iter)) {
        const Value *old = pmap_get(before, iter.key);
        if (old != NULL && old != iter.value && revision_of(old) == revision_of(iter.value))
            index_change(informer, old, iter.value);
    }
}

/* Takes in a whole new state: cache and indices first, then the handlers, one object after another.
 */
static void
replace_state(Informer *informer, PMap *take)
{
    g_autoptr(PMap) before = informer->state;
    bool initial = !informer->synced;
    informer->state = take;
    g_autoptr(GArray) changes = state_difference(before, take);
    g_autoptr(PMap) after = pmap_ref(take);
    for (unsigned i = 0; i < changes->len; i++) {
        Change *change = &g_array_index(changes, Change, i);
        index_change(informer, change->old, change->new_);
    }
    reindex(informer, before, after);
    CauseId cause = trace_current(informer->ports->trace);
    for (unsigned i = 0; i < changes->len; i++) {
        Change *change = &g_array_index(changes, Change, i);
        tell(informer, change->key, change->old, change->new_, cause, initial);
    }
    if (!initial)
        return;
    informer->synced = true;
    for (unsigned i = 0; i < informer->handlers->len; i++) {
        Handler handler = g_array_index(informer->handlers, Handler, i);
        if (handler.handler.synced != NULL)
            handler.handler.synced(handler.data);
    }
}

static void attempt(void *data);

/* wait.Backoff 800 ms .. 30 s, doubling, jitter up to as much again, forgotten after two quiet
 * minutes. */
static void
attempt_later(Informer *informer)
{
    int64_t now = clock_now(informer->ports->clock);
    if (informer->backoff_ns == 0 || now - informer->backoff_at_ns > BACKOFF_RESET_NS)
        informer->backoff_ns = BACKOFF_MIN_NS;
    else
        informer->backoff_ns = MIN(informer->backoff_ns * 2, BACKOFF_MAX_NS);
    informer->backoff_at_ns = now;
    int64_t delay = random_jitter(informer->ports->random, informer->backoff_ns, 1.0);
    clock_cancel(informer->ports->clock, &informer->timer);
    informer->timer = clock_timer_in(informer->ports->clock, delay, attempt, informer);
}

static void list_begin(Informer *informer);
static void watch_begin(Informer *informer);

static void
list_done(ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    Informer *informer = data;
    informer->listing = false;
    if (!api_response_ok(response)) {
        bool lost = response->code == 410 ||
                    strstr(status_message(response->object), "Too large resource version") != NULL;
        if (lost && !informer->revision_lost) {
            informer->revision_lost = true;
            list_begin(informer);
            return;
        }
        log_warning(informer->ports->log, "failed to list %s: %s", informer->resource,
                    status_message(response->object));
        attempt_later(informer);
        return;
    }
    informer->revision_lost = false;
    informer->relist = false;
    informer->revision = revision_of(response->object);
    informer->adopted = response->state != NULL && is_whole(informer);
    replace_state(informer,
                  informer->adopted ? pmap_ref(response->state) : state_of_list(response->object));
    watch_begin(informer);
}

static ApiRequest *
request_new(const Informer *informer, ApiVerb verb)
{
    ApiRequest *request =
        api_request_new(verb, informer->group, informer->resource, informer->namespace_, NULL);
    request->list.label_selector = g_strdup(informer->label_selector);
    request->list.field_selector = g_strdup(informer->field_selector);
    return request;
}

static void
list_begin(Informer *informer)
{
    ApiRequest *request = request_new(informer, API_VERB_LIST);
    request->want_state = is_whole(informer);
    if (!informer->revision_lost)
        request->list.resource_version = g_strdup_printf("%" G_GINT64_FORMAT, informer->revision);
    informer->listing = true;
    client_request(informer->client, request, list_done, informer);
}

/* ---- watches
 * ------------------------------------------------------------------------------------------- */

/* The informer's state after one event: the server's own version if it came along, else ours with
 * the change. */
static void
apply_event(Informer *informer, const WatchEvent *event)
{
    g_autofree char *key = object_key_of(event->object);
    bool deleted = event->type == WATCH_DELETED;
    const Value *found = pmap_get(informer->state, key);
    g_autoptr(Value) old = found != NULL ? value_ref(found) : NULL;
    g_autoptr(PMap) before = NULL;
    bool adopts = event->state != NULL && is_whole(informer);
    if (adopts) {
        before = informer->state;
        informer->state = pmap_ref(event->state);
        if (!informer->adopted)
            reindex(informer, before, informer->state);
    } else if (deleted) {
        pmap_remove(&informer->state, key);
    } else {
        pmap_put(&informer->state, key, value_ref(event->object));
    }
    informer->adopted = adopts;
    if (deleted && old == NULL)
        return;
    const Value *now = deleted ? NULL : pmap_get(informer->state, key);
    if (!deleted && now == NULL)
        now = event->object;
    index_change(informer, old, now);
    tell(informer, key, deleted ? event->object : old, now, event->cause, false);
}

static void
watch_error(Informer *informer, const Value *status)
{
    if (status_code(status) == 410)
        informer->relist = true;
    else
        log_warning(informer->ports->log, "watch of %s ended with: %s", informer->resource,
                    status_message(status));
}

static void
watch_ended(Informer *informer)
{
    int64_t lasted = clock_now(informer->ports->clock) - informer->watch_began_ns;
    informer->watch = NULL;
    clock_cancel(informer->ports->clock, &informer->timer);
    bool short_watch = lasted < WATCH_SHORT_NS && informer->watch_events == 0;
    if (!informer->relist && !short_watch)
        watch_begin(informer);
    else
        attempt_later(informer);
}

static void
watch_event(const WatchEvent *event, void *data)
{
    Informer *informer = data;
    if (event == NULL) {
        watch_ended(informer);
        return;
    }
    if (event->type == WATCH_ERROR) {
        watch_error(informer, event->object);
        return;
    }
    informer->watch_events++;
    if (event->type != WATCH_BOOKMARK)
        apply_event(informer, event);
    int64_t revision = event->revision != 0 ? event->revision : revision_of(event->object);
    informer->revision = MAX(informer->revision, revision);
}

/* Nothing ended the watch in its time: the other side is gone without a word. */
static void
watch_silent(void *data)
{
    Informer *informer = data;
    informer->timer = 0;
    client_unwatch(informer->client, informer->watch);
    watch_ended(informer);
}

static void
watch_begin(Informer *informer)
{
    ApiRequest *request = request_new(informer, API_VERB_WATCH);
    request->list.resource_version = g_strdup_printf("%" G_GINT64_FORMAT, informer->revision);
    request->list.watch_bookmarks = true;
    int64_t seconds =
        random_jitter(informer->ports->random, WATCH_TIMEOUT_MIN_S * NS_PER_S, 1.0) / NS_PER_S;
    request->list.timeout_seconds = seconds;
    informer->watch_began_ns = clock_now(informer->ports->clock);
    informer->watch_events = 0;
    informer->watch = client_watch(informer->client, request, watch_event, informer);
    clock_cancel(informer->ports->clock, &informer->timer);
    informer->timer = clock_timer_in(informer->ports->clock, seconds * NS_PER_S + WATCH_GRACE_NS,
                                     watch_silent, informer);
}

static void
attempt(void *data)
{
    Informer *informer = data;
    informer->timer = 0;
    if (informer->relist)
        list_begin(informer);
    else
        watch_begin(informer);
}

/* ---- the informer
 * ------------------------------------------------------------------------------------------ */

Informer *
informer_new(const Ports *ports, Client *client, const char *group, const char *resource,
             const char *namespace_, const char *label_selector, const char *field_selector)
{
    Informer *informer = g_new0(Informer, 1);
    informer->ports = ports;
    informer->client = client;
    informer->group = g_strdup(group);
    informer->resource = g_strdup(resource);
    informer->namespace_ = g_strdup(namespace_);
    informer->label_selector = g_strdup(label_selector);
    informer->field_selector = g_strdup(field_selector);
    informer->state = pmap_new(&state_type);
    informer->relist = true;
    informer->handlers = g_array_new(FALSE, FALSE, sizeof(Handler));
    informer->indices = g_ptr_array_new_with_free_func((GDestroyNotify)informer_index_free);
    return informer;
}

void
informer_free(Informer *informer)
{
    if (informer == NULL)
        return;
    clock_cancel(informer->ports->clock, &informer->timer);
    if (informer->listing)
        client_forget(informer->client, informer);
    if (informer->watch != NULL)
        client_unwatch(informer->client, informer->watch);
    g_ptr_array_unref(informer->indices);
    g_array_unref(informer->handlers);
    pmap_unref(informer->state);
    g_free(informer->group);
    g_free(informer->resource);
    g_free(informer->namespace_);
    g_free(informer->label_selector);
    g_free(informer->field_selector);
    g_free(informer);
}

void
informer_add_handler(Informer *informer, const InformerHandler *handler, void *data)
{
    Handler entry = {.handler = *handler, .data = data};
    g_array_append_val(informer->handlers, entry);
    if (!informer->synced)
        return;
    g_autoptr(PMap) state = pmap_ref(informer->state);
    CauseId cause = trace_current(informer->ports->trace);
    PMapIter iter = pmap_seek(state, NULL);
    while (pmap_next(&iter))
        if (handler->changed != NULL)
            handler->changed(iter.key, NULL, iter.value, cause, true, data);
    if (handler->synced != NULL)
        handler->synced(data);
}

void
informer_start(Informer *informer)
{
    if (informer->started)
        return;
    informer->started = true;
    list_begin(informer);
}

bool
informer_has_synced(const Informer *informer)
{
    return informer->synced;
}

const Value *
informer_get(const Informer *informer, const char *key)
{
    return pmap_get(informer->state, key);
}

const Value *
informer_get_named(const Informer *informer, const char *namespace_, const char *name)
{
    if (namespace_ == NULL || namespace_[0] == '\0')
        return informer_get(informer, name);
    g_autofree char *key = g_strconcat(namespace_, "/", name, NULL);
    return informer_get(informer, key);
}

struct PMap *
informer_state(const Informer *informer)
{
    return informer->state;
}

size_t
informer_count(const Informer *informer)
{
    return pmap_count(informer->state);
}

int64_t
informer_revision(const Informer *informer)
{
    return informer->revision;
}

void
informer_iter_init(InformerIter *iter, const Informer *informer, const char *namespace_)
{
    iter->informer = informer;
    iter->started = false;
    iter->prefix[0] = '\0';
    if (namespace_ != NULL)
        g_snprintf(iter->prefix, sizeof iter->prefix, "%s/", namespace_);
}

const Value *
informer_iter_next(InformerIter *iter, const char **ret_key)
{
    if (!iter->started) { /* here, not in init: the prefix must not move any more */
        iter->started = true;
        iter->iter = pmap_seek_prefix(iter->informer->state, iter->prefix);
    }
    if (!pmap_next(&iter->iter))
        return NULL;
    if (ret_key != NULL)
        *ret_key = iter->iter.key;
    return iter->iter.value;
}

void
informer_add_index(Informer *informer, const char *index, IndexFunc func)
{
    g_assert(!informer->started);
    for (unsigned i = 0; i < informer->indices->len; i++)
        if (strcmp(informer_index_name(informer->indices->pdata[i]), index) == 0)
            return;
    g_ptr_array_add(informer->indices, informer_index_new(index, func));
}

const GPtrArray *
informer_by_index(const Informer *informer, const char *index, const char *string)
{
    for (unsigned i = 0; i < informer->indices->len; i++)
        if (strcmp(informer_index_name(informer->indices->pdata[i]), index) == 0)
            return informer_index_get(informer->indices->pdata[i], string);
    g_assert_not_reached();
}
