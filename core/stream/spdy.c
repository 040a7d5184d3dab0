/* One connection: reads frame heads of 8 bytes, gathers control frames, hands data on as it comes. A stream:
 *
 *   (SYN_STREAM) open --(client's FIN)--> it only hears --(our FIN)--> gone
 *                     --(our FIN)--> it only speaks --(client's FIN)--> gone       RST from either side: gone at once
 *
 * Ids are odd and grow; streams are kept in that order. A handler's function may free the connection: then it is freed when
 * the outermost call of ours returns (depth). */
#include "core/stream/spdy.h"

#include <string.h>

#include "core/base/limits.h"
#include "core/stream/spdy_headers.h"

enum { SYN_STREAM = 1, SYN_REPLY, RST_STREAM, SETTINGS, PING = 6, GOAWAY, HEADERS, WINDOW_UPDATE };
#define FLAG_FIN 1u
#define HEAD_SIZE 8
#define DATA_MAX (32u * 1024) /* of one frame that we send */

typedef struct SpdyStream {
    uint32_t id;
    bool they_finished, we_finished;
} SpdyStream;

struct Spdy {
    SpdyHandler handler;
    void *data;
    SpdyHeaders headers;
    GArray *streams; /* of SpdyStream, by id */
    uint32_t last_id;
    GByteArray *frame;   /* the control frame, or the head, so far */
    uint32_t data_id;    /* of the data frame that is being read */
    size_t data_left;    /* of it */
    bool data_fin, in_data;
    unsigned depth;
    bool closed, freed;
};

/* ---- life ---------------------------------------------------------------------------------------------------------- */

Spdy *
spdy_new(const SpdyHandler *handler, void *data)
{
    Spdy *spdy = g_new0(Spdy, 1);
    spdy->handler = *handler;
    spdy->data = data;
    spdy_headers_init(&spdy->headers);
    spdy->streams = g_array_new(FALSE, TRUE, sizeof(SpdyStream));
    spdy->frame = g_byte_array_new();
    return spdy;
}

static void
spdy_leave(Spdy *spdy)
{
    if (--spdy->depth > 0 || !spdy->freed)
        return;
    spdy_headers_clear(&spdy->headers);
    g_array_unref(spdy->streams);
    g_byte_array_unref(spdy->frame);
    g_free(spdy);
}

void
spdy_free(Spdy *spdy)
{
    if (spdy == NULL)
        return;
    spdy->freed = true;
    spdy->depth++;
    spdy_leave(spdy);
}

size_t
spdy_stream_count(const Spdy *spdy)
{
    return spdy->streams->len;
}

static SpdyStream *
find_stream(Spdy *spdy, uint32_t id)
{
    for (guint i = 0; i < spdy->streams->len; i++) {
        SpdyStream *stream = &g_array_index(spdy->streams, SpdyStream, i);
        if (stream->id == id)
            return stream;
    }
    return NULL;
}

static void
drop_stream(Spdy *spdy, uint32_t id)
{
    for (guint i = 0; i < spdy->streams->len; i++)
        if (g_array_index(spdy->streams, SpdyStream, i).id == id) {
            g_array_remove_index(spdy->streams, i);
            return;
        }
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static void
put_u32(uint8_t *to, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t
get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void
write_frame(Spdy *spdy, uint32_t first_word, unsigned flags, const void *payload, size_t length)
{
    g_autoptr(GByteArray) frame = g_byte_array_sized_new((guint)(HEAD_SIZE + length));
    uint8_t head[HEAD_SIZE];
    if (spdy->freed)
        return;
    put_u32(head, first_word);
    put_u32(head + 4, flags << 24 | (uint32_t)length);
    g_byte_array_append(frame, head, sizeof head);
    if (length > 0)
        g_byte_array_append(frame, payload, (guint)length);
    spdy->depth++;
    spdy->handler.write(frame->data, frame->len, spdy->data);
    spdy_leave(spdy);
}

static void
write_control(Spdy *spdy, unsigned type, const void *payload, size_t length)
{
    write_frame(spdy, 0x80030000u | type, 0, payload, length);
}

static void
write_reset(Spdy *spdy, uint32_t id, SpdyReset status)
{
    uint8_t payload[8];
    put_u32(payload, id);
    put_u32(payload + 4, status);
    write_control(spdy, RST_STREAM, payload, sizeof payload);
}

void
spdy_reply(Spdy *spdy, uint32_t id)
{
    if (spdy->closed || find_stream(spdy, id) == NULL)
        return;
    g_autoptr(GByteArray) payload = g_byte_array_new();
    uint8_t word[4];
    put_u32(word, id);
    g_byte_array_append(payload, word, sizeof word);
    spdy_headers_write_none(&spdy->headers, payload);
    write_control(spdy, SYN_REPLY, payload->data, payload->len);
}

void
spdy_send(Spdy *spdy, uint32_t id, const void *bytes, size_t length, bool finish)
{
    SpdyStream *stream = spdy->closed ? NULL : find_stream(spdy, id);
    if (stream == NULL || stream->we_finished || (length == 0 && !finish))
        return;
    stream->we_finished = finish;
    if (finish && stream->they_finished)
        drop_stream(spdy, id);
    spdy->depth++;
    do {
        size_t part = MIN(length, (size_t)DATA_MAX);
        write_frame(spdy, id, finish && part == length ? FLAG_FIN : 0, bytes, part);
        bytes = (const char *)bytes + part;
        length -= part;
    } while (length > 0);
    spdy_leave(spdy);
}

void
spdy_reset(Spdy *spdy, uint32_t id, SpdyReset status)
{
    if (spdy->closed || find_stream(spdy, id) == NULL)
        return;
    drop_stream(spdy, id);
    write_reset(spdy, id, status);
}

static void
write_goaway(Spdy *spdy, uint32_t status)
{
    uint8_t payload[8];
    put_u32(payload, spdy->last_id);
    put_u32(payload + 4, status);
    write_control(spdy, GOAWAY, payload, sizeof payload);
}

void
spdy_goaway(Spdy *spdy)
{
    if (!spdy->closed)
        write_goaway(spdy, 0);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static void
spdy_lost(Spdy *spdy, const char *why)
{
    if (spdy->closed || spdy->freed)
        return;
    if (why != NULL)
        write_goaway(spdy, SPDY_PROTOCOL_ERROR);
    spdy->closed = true;
    if (!spdy->freed)
        spdy->handler.closed(why, spdy->data);
}

static void
read_syn_stream(Spdy *spdy, const uint8_t *payload, size_t length, bool finished)
{
    if (length < 10) {
        spdy_lost(spdy, "a SYN_STREAM frame is too short");
        return;
    }
    uint32_t id = get_u32(payload) & 0x7fffffffu;
    g_autoptr(Value) headers = spdy_headers_read(&spdy->headers, payload + 10, length - 10);
    if (headers == NULL) {
        spdy_lost(spdy, "a header block is broken");
        return;
    }
    if (id % 2 == 0 || id <= spdy->last_id) {
        spdy_lost(spdy, "a stream's id is even or out of order");
        return;
    }
    spdy->last_id = id;
    if (spdy->streams->len >= SPDY_STREAMS_MAX) {
        write_reset(spdy, id, SPDY_REFUSED_STREAM);
        return;
    }
    const SpdyStream stream = {.id = id, .they_finished = finished};
    g_array_append_val(spdy->streams, stream);
    spdy->handler.opened(id, headers, finished, spdy->data);
}

static void
read_reset(Spdy *spdy, const uint8_t *payload, size_t length)
{
    if (length < 8) {
        spdy_lost(spdy, "a RST_STREAM frame is too short");
        return;
    }
    uint32_t id = get_u32(payload) & 0x7fffffffu;
    if (find_stream(spdy, id) == NULL)
        return;
    drop_stream(spdy, id);
    spdy->handler.reset(id, spdy->data);
}

static void
read_ping(Spdy *spdy, const uint8_t *payload, size_t length)
{
    if (length < 4)
        spdy_lost(spdy, "a PING frame is too short");
    else if (payload[3] % 2 == 1) /* the client's, not an answer to ours */
        write_control(spdy, PING, payload, 4);
}

/* Headers that come later say nothing here, but the compressors must stay in step. */
static void
read_more_headers(Spdy *spdy, const uint8_t *payload, size_t length)
{
    g_autoptr(Value) headers =
        length < 4 ? NULL : spdy_headers_read(&spdy->headers, payload + 4, length - 4);
    if (headers == NULL)
        spdy_lost(spdy, "a header block is broken");
}

static void
read_control(Spdy *spdy, const uint8_t *frame, size_t length)
{
    unsigned version = (unsigned)(frame[0] & 0x7f) << 8 | frame[1];
    unsigned type = (unsigned)frame[2] << 8 | frame[3];
    const uint8_t *payload = frame + HEAD_SIZE;
    length -= HEAD_SIZE;
    if (version != 3) {
        spdy_lost(spdy, "this is not version 3 of SPDY");
        return;
    }
    switch (type) {
    case SYN_STREAM:
        read_syn_stream(spdy, payload, length, frame[4] & FLAG_FIN);
        break;
    case SYN_REPLY:
    case HEADERS:
        read_more_headers(spdy, payload, length);
        break;
    case RST_STREAM:
        read_reset(spdy, payload, length);
        break;
    case PING:
        read_ping(spdy, payload, length);
        break;
    case GOAWAY:
        spdy_lost(spdy, NULL);
        break;
    default: /* SETTINGS, WINDOW_UPDATE, and what the protocol wants ignored */
        break;
    }
}

/* Data as far as it is there; the last part carries the end of the stream. */
static void
give_data(Spdy *spdy, const uint8_t *bytes, size_t length)
{
    spdy->data_left -= length;
    bool finished = spdy->data_left == 0 && spdy->data_fin;
    spdy->in_data = spdy->data_left > 0;
    SpdyStream *stream = find_stream(spdy, spdy->data_id);
    if (stream == NULL && spdy->data_id > spdy->last_id) {
        if (!spdy->in_data)
            write_reset(spdy, spdy->data_id, SPDY_INVALID_STREAM);
        return;
    }
    if (stream == NULL || stream->they_finished || (length == 0 && !finished))
        return; /* what a reset stream still sent */
    stream->they_finished = finished;
    if (finished && stream->we_finished)
        drop_stream(spdy, spdy->data_id);
    spdy->handler.received(spdy->data_id, bytes, length, finished, spdy->data);
}

/* The frame's head is complete: how many bytes does it want in the buffer? 0: it is a data frame. */
static size_t
frame_size(Spdy *spdy)
{
    const uint8_t *head = spdy->frame->data;
    size_t length = get_u32(head + 4) & 0xffffffu;
    if (head[0] & 0x80)
        return HEAD_SIZE + length;
    spdy->data_id = get_u32(head);
    spdy->data_fin = head[4] & FLAG_FIN;
    spdy->data_left = length;
    spdy->in_data = true;
    return 0;
}

/* Takes what completes the head or the control frame; returns how many bytes it took. */
static size_t
read_frame(Spdy *spdy, const uint8_t *bytes, size_t length)
{
    size_t wanted = HEAD_SIZE;
    if (spdy->frame->len >= HEAD_SIZE)
        wanted = frame_size(spdy);
    size_t part = MIN(length, wanted - spdy->frame->len);
    g_byte_array_append(spdy->frame, bytes, (guint)part);
    if (spdy->frame->len < HEAD_SIZE)
        return part;
    wanted = frame_size(spdy);
    if (wanted == 0) {
        g_byte_array_set_size(spdy->frame, 0);
        if (spdy->data_left == 0)
            give_data(spdy, NULL, 0);
    } else if (wanted > SPDY_CONTROL_MAX) {
        spdy_lost(spdy, "a control frame is too large");
    } else if (spdy->frame->len == wanted) {
        g_autoptr(GByteArray) frame = g_steal_pointer(&spdy->frame);
        spdy->frame = g_byte_array_new();
        read_control(spdy, frame->data, frame->len);
    }
    return part;
}

void
spdy_receive(Spdy *spdy, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    spdy->depth++;
    while (length > 0 && !spdy->closed && !spdy->freed) {
        size_t part;
        if (spdy->in_data) {
            part = MIN(length, spdy->data_left);
            give_data(spdy, at, part);
        } else {
            part = read_frame(spdy, at, length);
        }
        at += part;
        length -= part;
    }
    spdy_leave(spdy);
}
