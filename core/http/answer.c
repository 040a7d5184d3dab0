/* Answers: objects in the form that was asked for, compressed when large, with the JSON of stored
 * objects kept, so that watchers and readers of one object share one serialisation. */
#include <zlib.h>

#include "core/api/columns.h"
#include "core/http/private.h"
#include "core/object/yaml.h"

/* Direct mapped by the object's address; holds the object, so the address means it. */
struct JsonCacheSlot {
    Value *object;
    GString *json;
};

const GString *
answer_json(HttpFace *face, const Value *object)
{
    size_t index = ((uintptr_t)object >> 4) % JSON_CACHE_SLOTS;
    struct JsonCacheSlot *slot;

    if (face->cache == NULL)
        face->cache = g_new0(struct JsonCacheSlot, JSON_CACHE_SLOTS);
    slot = &face->cache[index];
    if (slot->object == object)
        return slot->json;
    if (slot->json == NULL || slot->json->allocated_len > HTTP_CHUNK) {
        if (slot->json != NULL)
            g_string_free(slot->json, TRUE);
        slot->json = g_string_new(NULL);
    }
    g_string_truncate(slot->json, 0);
    json_write(slot->json, object);
    value_replace(&slot->object, value_ref(object));
    return slot->json;
}

void
answer_cache_clear(HttpFace *face)
{
    for (size_t i = 0; face->cache != NULL && i < JSON_CACHE_SLOTS; i++) {
        value_unref(face->cache[i].object);
        if (face->cache[i].json != NULL)
            g_string_free(face->cache[i].json, TRUE);
    }
    g_clear_pointer(&face->cache, g_free);
}

/* ---- forms
 * ---------------------------------------------------------------------------------------------------------
 */

static Value *
shape_partial(const Value *object, const char *version)
{
    const Value *items = value_get(object, "items");
    g_autofree char *api_version = g_strconcat("meta.k8s.io/", version, NULL);
    ValueBuilder *builder;

    if (items == NULL)
        return value_new_f("{kind: PartialObjectMetadata, apiVersion: %s, metadata: %v}",
                           api_version, value_get(object, "metadata"));
    builder = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, items)
        value_builder_append(builder, shape_partial(item, version));
    return value_new_f("{kind: PartialObjectMetadataList, apiVersion: %s, metadata: %v, items: %V}",
                       api_version, value_get(object, "metadata"), value_builder_end(builder));
}

Value *
answer_shape(const Exchange *exchange, const Value *object, bool with_headers)
{
    const char *version = exchange->media.beta ? "v1beta1" : "v1";
    Value *table;

    if (exchange->media.form == FORM_PLAIN || exchange->kind == NULL || status_is(object))
        return value_ref(object);
    if (exchange->media.form == FORM_PARTIAL)
        return shape_partial(object, version);
    table = api_table(exchange->kind, object, exchange->include_object,
                      clock_now(api_server_ports(exchange->face->server)->clock), with_headers);
    if (exchange->media.beta)
        value_edit(&table, "apiVersion", value_new_string("meta.k8s.io/v1beta1"));
    return table;
}

/* ---- bytes
 * ----------------------------------------------------------------------------------------------------------
 */

static GBytes *
gzip_bytes(const GString *text)
{
    z_stream stream = {0};
    uint8_t *out;
    uLong bound;

    if (deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    bound = deflateBound(&stream, text->len);
    out = g_malloc(bound);
    stream.next_in = (Bytef *)text->str;
    stream.avail_in = (uInt)text->len;
    stream.next_out = out;
    stream.avail_out = (uInt)bound;
    deflate(&stream, Z_FINISH);
    bound = stream.total_out;
    deflateEnd(&stream);
    return g_bytes_new_take(out, bound);
}

static void
write_list(HttpFace *face, GString *out, const Value *list)
{
    bool first = true;

    g_string_append(out, "{\"kind\":");
    json_write(out, value_get(list, "kind"));
    g_string_append(out, ",\"apiVersion\":");
    json_write(out, value_get(list, "apiVersion"));
    g_string_append(out, ",\"metadata\":");
    json_write(out, value_get(list, "metadata"));
    g_string_append(out, ",\"items\":[");
    VALUE_ARRAY_FOREACH (item, value_get(list, "items")) {
        const GString *json = answer_json(face, item);

        if (!first)
            g_string_append_c(out, ',');
        first = false;
        g_string_append_len(out, json->str, (gssize)json->len);
    }
    g_string_append(out, "]}");
}

static void
write_object(Exchange *exchange, GString *out, const Value *object)
{
    if (exchange->media.yaml) {
        yaml_write(out, object);
        return;
    }
    if (exchange->pretty)
        json_write_pretty(out, object);
    else if (exchange->media.form == FORM_PLAIN && value_is_array(value_get(object, "items")))
        write_list(exchange->face, out, object);
    else if (exchange->media.form == FORM_PLAIN && !exchange->is_write && !status_is(object)) {
        const GString *json = answer_json(exchange->face, object);

        g_string_append_len(out, json->str, (gssize)json->len);
    } else
        json_write(out, object);
    g_string_append_c(out, '\n');
}

static void
send_text(HttpResponder *responder, int code, GString *take, const HttpHeader *headers,
          size_t n_headers, bool gzip)
{
    HttpHeader all[12];
    GBytes *bytes = NULL;
    size_t n = MIN(n_headers, 8);

    memcpy(all, headers, n * sizeof *headers);
    if (take->len > HTTP_GZIP_FROM) {
        all[n++] = (HttpHeader){"Vary", "Accept-Encoding"};
        if (gzip && (bytes = gzip_bytes(take)) != NULL)
            all[n++] = (HttpHeader){"Content-Encoding", "gzip"};
    }
    if (bytes == NULL)
        bytes = g_string_free_to_bytes(take);
    else
        g_string_free(take, TRUE);
    responder->ops->start(responder, code, all, n, (gint64)g_bytes_get_size(bytes));
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
    g_bytes_unref(bytes);
}

/* 299 warnings as RFC 7234 writes them: quotes and backslashes escaped, no control characters. */
static char *
warning_text(const char *text)
{
    GString *out = g_string_new("299 - \"");

    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, g_ascii_iscntrl(*text) ? ' ' : *text);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

#define WARNINGS_MAX 4

void
answer_object(Exchange *exchange, int code, const Value *object, char *const *warnings,
              int64_t retry_after_s)
{
    g_autoptr(Value) shaped = answer_shape(exchange, object, true);
    HttpHeader headers[8] = {
        {"Content-Type", exchange->media.yaml ? "application/yaml" : "application/json"},
        {"Cache-Control", "no-cache, private"}};
    g_autofree char *retry = NULL;
    char *texts[WARNINGS_MAX] = {0};
    size_t n = 2;
    GString *out = g_string_sized_new(4096);

    if (retry_after_s > 0) {
        retry = g_strdup_printf("%d", (int)retry_after_s);
        headers[n++] = (HttpHeader){"Retry-After", retry};
    }
    for (size_t i = 0; i < WARNINGS_MAX && warnings != NULL && warnings[i] != NULL; i++) {
        texts[i] = warning_text(warnings[i]);
        headers[n++] = (HttpHeader){"Warning", texts[i]};
    }
    write_object(exchange, out, shaped);
    send_text(exchange->responder, code, out, headers, n, exchange->gzip);
    for (size_t i = 0; i < WARNINGS_MAX; i++)
        g_free(texts[i]);
}

void
answer_status(HttpResponder *responder, Value *take_status)
{
    static const HttpHeader headers[] = {{"Content-Type", "application/json"},
                                         {"Cache-Control", "no-cache, private"}};
    GString *out = g_string_new(NULL);

    json_write(out, take_status);
    g_string_append_c(out, '\n');
    send_text(responder, status_code(take_status), out, headers, G_N_ELEMENTS(headers), false);
    value_unref(take_status);
}

void
answer_text(HttpResponder *responder, int code, const char *type, const char *text)
{
    HttpHeader headers[] = {{"Content-Type", type},
                            {"Cache-Control", "no-cache, private"},
                            {"X-Content-Type-Options", "nosniff"}};

    send_text(responder, code, g_string_new(text), headers, G_N_ELEMENTS(headers), false);
}

void
answer_bytes(const HttpRequest *request, HttpResponder *responder, const char *type, GBytes *bytes,
             const char *etag, const HttpHeader *headers, size_t n_headers)
{
    const char *known = http_request_header(request, "If-None-Match");
    HttpHeader all[8] = {{"Content-Type", type}, {"Etag", etag}, {"Vary", "Accept"}};
    size_t n = 3;
    bool same = known != NULL && (strcmp(known, etag) == 0 || strstr(known, etag) != NULL);

    for (size_t i = 0; i < n_headers && n < G_N_ELEMENTS(all); i++)
        all[n++] = headers[i];
    responder->ops->start(responder, same ? 304 : 200, all, n,
                          same ? 0 : (gint64)g_bytes_get_size(bytes));
    if (!same)
        responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}
