/* The event recorder: what client-go's broadcaster, correlator and sink do together. One event at a
 * time is under way; the others stand in line (at most QUEUE_MAX, more are dropped as the real
 * broadcaster does). */
#include "core/client/events.h"

#include "core/api/status.h"
#include "core/base/timestamp.h"
#include "core/client/bucket.h"
#include "core/client/lru.h"

#include <string.h>

/* client-go tools/record: event.go, events_cache.go */
#define QUEUE_MAX 1000
#define TRIES_MAX 12
#define RETRY_NS (10 * NS_PER_S)
#define CACHE_MAX 4096
#define SIMILAR_MAX 10
#define SIMILAR_INTERVAL_NS (600 * NS_PER_S)
#define SPAM_BURST 25
#define SPAM_QPS (1.0 / 300)
#define NAME_MAX_LENGTH 253
#define MESSAGE_MAX 1024 /* events/v1 validation: longer notes are refused */
#define STAMP_SPREAD_NS 100000

typedef struct {
    int64_t last_ns;
    unsigned n;
    unsigned messages[SIMILAR_MAX - 1]; /* digests of the different ones */
} Similar;

typedef struct {
    int64_t count;
    char *first_timestamp, *name;
} Seen;

typedef struct {
    Value *event;
    CauseId cause;
} Queued;

struct EventRecorder {
    const Ports *ports;
    Client *client;
    char *component, *host;
    Lru *similar; /* by all but the message -> Similar */
    Lru *seen;    /* by everything -> Seen */
    Lru *spam;    /* by source and object -> TokenBucket */
    GQueue queue; /* Queued, the first of them under way */
    bool busy;
    Value *current; /* as it is written */
    char *current_key;
    int tries;
    TimerId timer;
    int64_t spread_ns, last_stamp_ns;
};

/* ---- keys
 * ---------------------------------------------------------------------------------------------- */

/* A recorder keeps three keys an event, thousands of events long: so a key is a 128-bit digest of the
 * texts and not the texts. */
typedef struct KeyDigest {
    uint64_t a, b;
} KeyDigest;

static void
key_mix(KeyDigest *digest, const Value *text)
{
    const char *bytes = value_text(text);
    do {
        uint64_t byte = (unsigned char)*bytes;
        digest->a = (digest->a ^ byte) * UINT64_C(0x100000001b3);
        digest->b = (digest->b + byte + 1) * UINT64_C(0x9e3779b97f4a7c15);
        digest->b ^= digest->b >> 29;
    } while (*bytes++ != '\0');
}

static char *
event_key(const Value *event, bool with_reason, bool with_message)
{
    const Value *object = value_get(event, "involvedObject");
    const Value *source = value_get(event, "source");
    KeyDigest digest = {.a = UINT64_C(0xcbf29ce484222325), .b = 1};
    key_mix(&digest, value_get(source, "component"));
    key_mix(&digest, value_get(source, "host"));
    key_mix(&digest, value_get(object, "kind"));
    key_mix(&digest, value_get(object, "namespace"));
    key_mix(&digest, value_get(object, "name"));
    key_mix(&digest, value_get(object, "uid"));
    key_mix(&digest, value_get(object, "apiVersion"));
    key_mix(&digest, with_message ? value_get(object, "fieldPath") : NULL);
    key_mix(&digest, with_reason ? value_get(event, "type") : NULL);
    key_mix(&digest, with_reason ? value_get(event, "reason") : NULL);
    key_mix(&digest, with_message ? value_get(event, "message") : NULL);
    return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                           (guint64)digest.a, (guint64)digest.b);
}

/* Notes one more message; true once there have been SIMILAR_MAX different ones. */
static bool
similar_is_full(Similar *similar, const char *message)
{
    unsigned hash = g_str_hash(message);
    for (unsigned i = 0; i < similar->n; i++)
        if (similar->messages[i] == hash)
            return false;
    if (similar->n + 1 >= SIMILAR_MAX)
        return true;
    similar->messages[similar->n++] = hash;
    return false;
}

static void
seen_free(void *data)
{
    Seen *seen = data;
    g_free(seen->first_timestamp);
    g_free(seen->name);
    g_free(seen);
}

/* ---- names
 * --------------------------------------------------------------------------------------------- */

static bool
is_subdomain(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool edge = i == 0 || i + 1 == length || name[i - 1] == '.' || name[i + 1] == '.';
        bool alphanumeric = g_ascii_islower(name[i]) || g_ascii_isdigit(name[i]);
        if (!alphanumeric && (edge || (name[i] != '-' && name[i] != '.')))
            return false;
    }
    return true;
}

/* `name.<hex of nanoseconds>`. Virtual time can stand still between two events: the stamp moves on
 * all the same. */
static char *
event_name(EventRecorder *recorder, const char *object_name)
{
    int64_t stamp = clock_now(recorder->ports->clock) + recorder->spread_ns;
    stamp = MAX(stamp, recorder->last_stamp_ns + 1);
    recorder->last_stamp_ns = stamp;
    g_autofree char *name =
        g_strdup_printf("%s.%" G_GINT64_MODIFIER "x", object_name, (guint64)stamp);
    return is_subdomain(name) ? g_steal_pointer(&name) : random_uuid(recorder->ports->random);
}

/* ---- correlation
 * --------------------------------------------------------------------------------------- */

/* EventAggregator: from the tenth different message on, similar events become one. */
static Value *
aggregate(EventRecorder *recorder, const Value *event, char **ret_key)
{
    g_autofree char *key = event_key(event, true, false);
    int64_t now = clock_now(recorder->ports->clock);
    Similar *similar = lru_get(recorder->similar, key);
    if (similar == NULL) {
        similar = g_new0(Similar, 1);
        lru_put(recorder->similar, key, similar);
    } else if (now - similar->last_ns > SIMILAR_INTERVAL_NS) {
        similar->n = 0;
    }
    const char *message = value_text(value_get(event, "message"));
    bool full = similar_is_full(similar, message);
    similar->last_ns = now;
    if (!full) {
        *ret_key = event_key(event, true, true);
        return value_ref(event);
    }
    *ret_key = g_steal_pointer(&key);
    g_autofree char *time = timestamp_text(now);
    ValueBuilder *copy = value_builder_new(event);
    value_builder_set(copy, "message",
                      value_new_stringf("(combined from similar events): %s", message));
    value_builder_set(copy, "firstTimestamp", value_new_string(time));
    value_builder_set(copy, "lastTimestamp", value_new_string(time));
    return value_builder_end(copy);
}

/* eventLogger: an event seen before is counted up. */
static Value *
observe(EventRecorder *recorder, Value *take, const char *key)
{
    Seen *seen = lru_get(recorder->seen, key);
    if (seen == NULL) {
        seen = g_new0(Seen, 1);
        lru_put(recorder->seen, key, seen);
    } else {
        value_edit(&take, "metadata.name", value_new_string(seen->name));
        value_edit(&take, "firstTimestamp", value_new_string(seen->first_timestamp));
        value_edit(&take, "count", value_new_int(seen->count + 1));
    }
    seen->count = value_int(value_get(take, "count"));
    g_free(seen->name);
    seen->name = g_strdup(value_text_at(take, "metadata.name"));
    g_free(seen->first_timestamp);
    seen->first_timestamp = g_strdup(value_text(value_get(take, "firstTimestamp")));
    return take;
}

static bool
is_spam(EventRecorder *recorder, const Value *event)
{
    g_autofree char *key = event_key(event, false, false);
    TokenBucket *bucket = lru_get(recorder->spam, key);
    if (bucket == NULL) {
        bucket = g_new0(TokenBucket, 1);
        token_bucket_init(bucket, SPAM_QPS, SPAM_BURST);
        lru_put(recorder->spam, key, bucket);
    }
    return !token_bucket_try(bucket, clock_now(recorder->ports->clock));
}

/* ---- writing
 * ------------------------------------------------------------------------------------------- */

static void take_next(EventRecorder *recorder);
static void write_current(void *data);

static void
drop_current(EventRecorder *recorder)
{
    g_autofree Queued *queued = g_queue_pop_head(&recorder->queue);
    value_unref(queued->event);
    value_replace(&recorder->current, NULL);
    g_clear_pointer(&recorder->current_key, g_free);
    recorder->busy = false;
}

static void
finish_current(EventRecorder *recorder)
{
    drop_current(recorder);
    take_next(recorder);
}

static void
create_current(EventRecorder *recorder, ApiDone done)
{
    client_create(recorder->client, "", "events",
                  value_text_at(recorder->current, "metadata.namespace"),
                  value_ref(recorder->current), done, recorder);
}

static void
written(ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    EventRecorder *recorder = data;
    if (api_response_ok(response)) {
        finish_current(recorder);
        return;
    }
    bool counted = value_int(value_get(recorder->current, "count")) > 1;
    if (response->code == 404 && counted && recorder->tries == 0) {
        recorder->tries = 1; /* it expired meanwhile: make it anew */
        create_current(recorder, written);
        return;
    }
    if (response->code != 503 || ++recorder->tries >= TRIES_MAX) {
        log_warning(recorder->ports->log, "Server rejected event '%s': %s (will not retry!)",
                    value_text_at(recorder->current, "metadata.name"),
                    status_message(response->object));
        finish_current(recorder);
        return;
    }
    int64_t delay = recorder->tries == 1
                        ? (int64_t)(random_unit(recorder->ports->random) * RETRY_NS)
                        : RETRY_NS;
    recorder->timer = clock_timer_in(recorder->ports->clock, delay, write_current, recorder);
}

static void
write_current(void *data)
{
    EventRecorder *recorder = data;
    const Value *event = recorder->current;
    const Queued *queued = g_queue_peek_head(&recorder->queue);
    recorder->timer = 0;
    trace_adopt(recorder->ports->trace, queued->cause);
    if (value_int(value_get(event, "count")) == 1) {
        create_current(recorder, written);
        return;
    }
    Value *patch =
        value_new_f("{count: %v, lastTimestamp: %v, message: %v}", value_get(event, "count"),
                    value_get(event, "lastTimestamp"), value_get(event, "message"));
    client_patch(recorder->client, "", "events", value_text_at(event, "metadata.namespace"),
                 value_text_at(event, "metadata.name"), NULL, PATCH_STRATEGIC, patch, written,
                 recorder);
}

static void
take_next(EventRecorder *recorder)
{
    while (!recorder->busy && !g_queue_is_empty(&recorder->queue)) {
        Queued *queued = g_queue_peek_head(&recorder->queue);
        Value *event = aggregate(recorder, queued->event, &recorder->current_key);
        event = observe(recorder, event, recorder->current_key);
        recorder->busy = true;
        recorder->tries = 0;
        value_replace(&recorder->current, event);
        if (is_spam(recorder, event))
            drop_current(recorder);
        else
            write_current(recorder);
    }
}

/* ---- recording
 * ----------------------------------------------------------------------------------------- */

static Value *
reference_to(const Value *object, const char *field_path)
{
    const Value *metadata = value_get(object, "metadata");
    if (metadata == NULL) /* already a reference */
        return field_path != NULL ? value_set(object, "fieldPath", value_new_string(field_path))
                                  : value_ref(object);
    return value_new_f("{kind: ?%v, namespace: ?%v, name: ?%v, uid: ?%v, apiVersion: ?%v, "
                       "resourceVersion: ?%v, fieldPath: ?%s}",
                       value_get(object, "kind"), value_get(metadata, "namespace"),
                       value_get(metadata, "name"), value_get(metadata, "uid"),
                       value_get(object, "apiVersion"), value_get(metadata, "resourceVersion"),
                       field_path);
}

static void
record(EventRecorder *recorder, const Value *object, const char *field_path, const char *type,
       const char *reason, const char *format, va_list args)
{
    if (recorder->queue.length >= QUEUE_MAX)
        return;
    g_autofree char *text = g_strdup_vprintf(format, args);
    if (strlen(text) > MESSAGE_MAX)
        *(char *)g_utf8_find_prev_char(text, text + MESSAGE_MAX) = '\0';
    Value *reference = reference_to(object, field_path);
    const char *namespace_ = value_text(value_get(reference, "namespace"));
    g_autofree char *name = event_name(recorder, value_text(value_get(reference, "name")));
    g_autofree char *time = timestamp_text(clock_now(recorder->ports->clock));
    Queued *queued = g_new0(Queued, 1);
    queued->cause = trace_current(recorder->ports->trace);
    queued->event = value_new_f(
        "{apiVersion: v1, kind: Event, metadata: {name: %s, namespace: %s}, involvedObject: %V, "
        "reason: %s, message: %s, source: {component: %s, host: ?%s}, firstTimestamp: %s, "
        "lastTimestamp: %s, count: 1, type: %s, eventTime: null, reportingComponent: %s, "
        "reportingInstance: %s}",
        name, namespace_[0] != '\0' ? namespace_ : "default", reference, reason, text,
        recorder->component, recorder->host, time, time, type, recorder->component,
        recorder->host != NULL ? recorder->host : "");
    g_queue_push_tail(&recorder->queue, queued);
    take_next(recorder);
}

void
event_record(EventRecorder *recorder, const Value *object, const char *type, const char *reason,
             const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(recorder, object, NULL, type, reason, format, args);
    va_end(args);
}

void
event_record_field(EventRecorder *recorder, const Value *object, const char *field_path,
                   const char *type, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(recorder, object, field_path, type, reason, format, args);
    va_end(args);
}

EventRecorder *
event_recorder_new(const Ports *ports, Client *client, const char *component, const char *host)
{
    EventRecorder *recorder = g_new0(EventRecorder, 1);
    recorder->ports = ports;
    recorder->client = client;
    recorder->component = g_strdup(component);
    recorder->host = g_strdup(host);
    recorder->similar = lru_new(CACHE_MAX, g_free);
    recorder->seen = lru_new(CACHE_MAX, seen_free);
    recorder->spam = lru_new(CACHE_MAX, g_free);
    recorder->spread_ns = (int64_t)random_below(ports->random, STAMP_SPREAD_NS);
    return recorder;
}

void
event_recorder_free(EventRecorder *recorder)
{
    if (recorder == NULL)
        return;
    clock_cancel(recorder->ports->clock, &recorder->timer);
    client_forget(recorder->client, recorder);
    Queued *queued;
    while ((queued = g_queue_pop_head(&recorder->queue)) != NULL) {
        value_unref(queued->event);
        g_free(queued);
    }
    value_unref(recorder->current);
    g_free(recorder->current_key);
    lru_free(recorder->similar);
    lru_free(recorder->seen);
    lru_free(recorder->spam);
    g_free(recorder->component);
    g_free(recorder->host);
    g_free(recorder);
}
