#include "core/stream/spdy_headers.h"

#include <string.h>

#include "core/base/limits.h"

/* ---- the dictionary -------------------------------------------------------------------------------------------- */

/* Words that stand in it each behind its length in four bytes ... */
static const char *const WORDS[] = {
    "options", "head", "post", "put", "delete", "trace", "accept", "accept-charset", "accept-encoding",
    "accept-language", "accept-ranges", "age", "allow", "authorization", "cache-control", "connection",
    "content-base", "content-encoding", "content-language", "content-length", "content-location",
    "content-md5", "content-range", "content-type", "date", "etag", "expect", "expires", "from", "host",
    "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
    "last-modified", "location", "max-forwards", "pragma", "proxy-authenticate", "proxy-authorization",
    "range", "referer", "retry-after", "server", "te", "trailer", "transfer-encoding", "upgrade",
    "user-agent", "vary", "via", "warning", "www-authenticate", "method", "get", "status", "200 OK",
    "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin",
};

/* ... and what follows them as it is. */
static const char REST[] =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

void
spdy_dictionary(uint8_t ret_bytes[static SPDY_DICTIONARY_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++) {
        size_t length = strlen(WORDS[i]);
        const uint8_t head[4] = {0, 0, 0, (uint8_t)length};
        g_assert(at + 4 + length <= SPDY_DICTIONARY_SIZE);
        memcpy(ret_bytes + at, head, sizeof head);
        memcpy(ret_bytes + at + 4, WORDS[i], length);
        at += 4 + length;
    }
    g_assert(at + sizeof REST - 1 == SPDY_DICTIONARY_SIZE);
    memcpy(ret_bytes + at, REST, sizeof REST - 1);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

void
spdy_headers_init(SpdyHeaders *headers)
{
    uint8_t dictionary[SPDY_DICTIONARY_SIZE];
    *headers = (SpdyHeaders){0};
    spdy_dictionary(dictionary);
    if (inflateInit(&headers->in) != Z_OK || deflateInit(&headers->out, Z_BEST_COMPRESSION) != Z_OK ||
        deflateSetDictionary(&headers->out, dictionary, sizeof dictionary) != Z_OK)
        g_error("spdy: out of memory");
}

void
spdy_headers_clear(SpdyHeaders *headers)
{
    inflateEnd(&headers->in);
    deflateEnd(&headers->out);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* Unfolds a whole block; false when it is broken or too large. */
static bool
unfold(z_stream *in, const void *block, size_t length, GByteArray *out)
{
    uint8_t chunk[4096];
    in->next_in = (Bytef *)block;
    in->avail_in = (uInt)length;
    do {
        in->next_out = chunk;
        in->avail_out = sizeof chunk;
        int code = inflate(in, Z_SYNC_FLUSH);
        if (code == Z_NEED_DICT) {
            uint8_t dictionary[SPDY_DICTIONARY_SIZE];
            spdy_dictionary(dictionary);
            if (inflateSetDictionary(in, dictionary, sizeof dictionary) != Z_OK)
                return false;
            continue;
        }
        if (code != Z_OK && code != Z_BUF_ERROR)
            return false;
        g_byte_array_append(out, chunk, (guint)(sizeof chunk - in->avail_out));
        if (out->len > SPDY_HEADERS_MAX)
            return false;
        if (code == Z_BUF_ERROR)
            break;
    } while (in->avail_in > 0 || in->avail_out == 0);
    return in->avail_in == 0;
}

typedef struct Cursor {
    const uint8_t *bytes;
    size_t left;
} Cursor;

static bool
read_u32(Cursor *cursor, uint32_t *ret_number)
{
    if (cursor->left < 4)
        return false;
    const uint8_t *b = cursor->bytes;
    *ret_number = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    cursor->bytes += 4;
    cursor->left -= 4;
    return true;
}

/* A text that JSON could hold: of several values (set apart by NUL) the first. */
static Value *
read_text(Cursor *cursor)
{
    uint32_t length;
    if (!read_u32(cursor, &length) || length > cursor->left)
        return NULL;
    const char *text = (const char *)cursor->bytes;
    size_t first = strnlen(text, length);
    cursor->bytes += length;
    cursor->left -= length;
    return g_utf8_validate(text, (gssize)first, NULL) ? value_new_string_len(text, first) : NULL;
}

Value *
spdy_headers_read(SpdyHeaders *headers, const void *block, size_t length)
{
    g_autoptr(GByteArray) plain = g_byte_array_new();
    uint32_t count;
    if (!unfold(&headers->in, block, length, plain))
        return NULL;
    Cursor cursor = {plain->data, plain->len};
    if (!read_u32(&cursor, &count) || count > plain->len / 8)
        return NULL;
    g_autoptr(ValueBuilder) map = value_builder_new(NULL);
    for (uint32_t i = 0; i < count; i++) {
        g_autoptr(Value) name = read_text(&cursor);
        Value *text = name != NULL ? read_text(&cursor) : NULL;
        if (text == NULL)
            return NULL;
        value_builder_set(map, value_string(name), text);
    }
    return value_builder_end(g_steal_pointer(&map));
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

void
spdy_headers_write_none(SpdyHeaders *headers, GByteArray *out)
{
    static const uint8_t NONE[4] = {0, 0, 0, 0};
    uint8_t chunk[64];
    headers->out.next_in = (Bytef *)NONE;
    headers->out.avail_in = sizeof NONE;
    do {
        headers->out.next_out = chunk;
        headers->out.avail_out = sizeof chunk;
        deflate(&headers->out, Z_SYNC_FLUSH);
        g_byte_array_append(out, chunk, (guint)(sizeof chunk - headers->out.avail_out));
    } while (headers->out.avail_out == 0);
}
