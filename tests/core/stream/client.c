#include "tests/core/stream/client.h"

#include <check.h>
#include <string.h>

void
client_ws_frame(GByteArray *out, unsigned first_byte, const void *bytes, size_t length)
{
    static const uint8_t MASK[4] = {1, 2, 3, 4};
    uint8_t head[4] = {(uint8_t)first_byte, (uint8_t)(0x80 | length)};
    size_t head_length = 2;
    ck_assert_uint_lt(length, 65536);
    if (length > 125) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(length >> 8);
        head[3] = (uint8_t)length;
        head_length = 4;
    }
    g_byte_array_append(out, head, (guint)head_length);
    g_byte_array_append(out, MASK, sizeof MASK);
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = ((const uint8_t *)bytes)[i] ^ MASK[i % 4];
        g_byte_array_append(out, &byte, 1);
    }
}

bool
client_ws_next(const GByteArray *in, size_t *at, WsFrame *ret)
{
    const uint8_t *b = in->data + *at;
    size_t left = in->len - *at, head = 2;
    if (left < 2)
        return false;
    ck_assert_uint_eq(b[1] & 0x80, 0); /* a server does not mask */
    size_t length = b[1];
    if (length == 126) {
        head = 4;
        if (left < head)
            return false;
        length = (size_t)b[2] << 8 | b[3];
    }
    ck_assert_uint_ne(length, 127);
    if (left < head + length)
        return false;
    *ret = (WsFrame){b[0], b + head, length};
    *at += head + length;
    return true;
}

/* ---- SPDY ---- */

void
client_spdy_init(SpdyClient *client)
{
    uint8_t dictionary[SPDY_DICTIONARY_SIZE];
    *client = (SpdyClient){0};
    spdy_dictionary(dictionary);
    ck_assert_int_eq(deflateInit(&client->out, 6), Z_OK);
    ck_assert_int_eq(deflateSetDictionary(&client->out, dictionary, sizeof dictionary), Z_OK);
    ck_assert_int_eq(inflateInit(&client->in), Z_OK);
}

void
client_spdy_clear(SpdyClient *client)
{
    deflateEnd(&client->out);
    inflateEnd(&client->in);
}

static void
put_u32(GByteArray *out, uint32_t number)
{
    const uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                              (uint8_t)number};
    g_byte_array_append(out, bytes, 4);
}

void
client_spdy_control(GByteArray *out, unsigned type, unsigned flags, const void *payload, size_t length)
{
    put_u32(out, 0x80030000u | type);
    put_u32(out, flags << 24 | (uint32_t)length);
    g_byte_array_append(out, payload, (guint)length);
}

void
client_spdy_open(SpdyClient *client, GByteArray *out, uint32_t id, bool finish, const char *const *headers)
{
    g_autoptr(GByteArray) plain = g_byte_array_new(), payload = g_byte_array_new();
    uint8_t packed[4096];
    size_t n = g_strv_length((char **)headers);
    put_u32(plain, (uint32_t)n / 2);
    for (size_t i = 0; i < n; i++) {
        put_u32(plain, (uint32_t)strlen(headers[i]));
        g_byte_array_append(plain, (const guint8 *)headers[i], (guint)strlen(headers[i]));
    }
    client->out.next_in = plain->data;
    client->out.avail_in = plain->len;
    client->out.next_out = packed;
    client->out.avail_out = sizeof packed;
    ck_assert_int_eq(deflate(&client->out, Z_SYNC_FLUSH), Z_OK);
    put_u32(payload, id);
    put_u32(payload, 0);
    g_byte_array_append(payload, (const guint8 *)"\0\0", 2);
    g_byte_array_append(payload, packed, (guint)(sizeof packed - client->out.avail_out));
    client_spdy_control(out, 1, finish ? 1 : 0, payload->data, payload->len);
}

void
client_spdy_data(GByteArray *out, uint32_t id, bool finish, const char *text)
{
    put_u32(out, id);
    put_u32(out, (finish ? 1u << 24 : 0) | (uint32_t)strlen(text));
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static uint32_t
get_u32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool
client_spdy_next(const GByteArray *in, size_t *at, SpdyFrame *ret)
{
    const uint8_t *b = in->data + *at;
    if (in->len - *at < 8)
        return false;
    size_t length = get_u32(b + 4) & 0xffffff;
    if (in->len - *at - 8 < length)
        return false;
    *ret = (SpdyFrame){.flags = b[4], .bytes = b + 8, .length = length};
    if (b[0] & 0x80) {
        ck_assert_uint_eq(b[1], 3);
        ret->type = b[3];
        ret->stream = length >= 4 ? get_u32(b + 8) : 0;
    } else {
        ret->stream = get_u32(b);
    }
    *at += 8 + length;
    return true;
}
