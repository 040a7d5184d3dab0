#include <string.h>

#include "core/base/limits.h"
#include "core/object/json.h"
#include "tests/core/stream/client.h"
#include "tests/support/runner.h"

typedef struct Peer {
    Spdy *spdy;
    SpdyClient client;
    GByteArray *in, *out; /* from and to the client */
    GString *heard;       /* a line for each of the handler's calls */
    bool reply, free_at_data;
} Peer;

static void
on_write(const void *bytes, size_t length, void *data)
{
    g_byte_array_append(((Peer *)data)->out, bytes, (guint)length);
}

static void
on_opened(uint32_t stream, const Value *headers, bool finished, void *data)
{
    Peer *peer = data;
    g_autofree char *text = json_text(headers);
    g_string_append_printf(peer->heard, "open %u %s%s\n", stream, text, finished ? " fin" : "");
    if (peer->reply)
        spdy_reply(peer->spdy, stream);
}

static void
on_received(uint32_t stream, const void *bytes, size_t length, bool finished, void *data)
{
    Peer *peer = data;
    g_string_append_printf(peer->heard, "data %u %.*s%s\n", stream, (int)length, length > 0 ? (const char *)bytes : "",
                           finished ? " fin" : "");
    if (peer->free_at_data)
        spdy_free(g_steal_pointer(&peer->spdy));
}

static void
on_reset(uint32_t stream, void *data)
{
    g_string_append_printf(((Peer *)data)->heard, "reset %u\n", stream);
}

static void
on_closed(const char *why, void *data)
{
    g_string_append_printf(((Peer *)data)->heard, "closed %s\n", why != NULL ? why : "");
}

static const SpdyHandler HANDLER = {on_write, on_opened, on_received, on_reset, on_closed};

static void
peer_init(Peer *peer)
{
    *peer = (Peer){.in = g_byte_array_new(), .out = g_byte_array_new(), .heard = g_string_new(NULL), .reply = true};
    client_spdy_init(&peer->client);
    peer->spdy = spdy_new(&HANDLER, peer);
}

static void
peer_clear(Peer *peer)
{
    spdy_free(peer->spdy);
    client_spdy_clear(&peer->client);
    g_byte_array_unref(peer->in);
    g_byte_array_unref(peer->out);
    g_string_free(peer->heard, TRUE);
}

static void
open_stream(Peer *peer, uint32_t id, const char *type, bool finish)
{
    const char *const headers[] = {"streamtype", type, NULL};
    client_spdy_open(&peer->client, peer->in, id, finish, headers);
}

static void
give(Peer *peer)
{
    spdy_receive(peer->spdy, peer->in->data, peer->in->len);
    g_byte_array_set_size(peer->in, 0);
}

START_TEST(the_dictionary_is_the_one_of_the_specification)
{
    uint8_t dictionary[SPDY_DICTIONARY_SIZE];
    spdy_dictionary(dictionary);
    ck_assert_uint_eq(adler32(adler32(0, NULL, 0), dictionary, sizeof dictionary), 0xe3c6a7c2u);
}
END_TEST

START_TEST(streams_open_carry_data_and_end_however_the_bytes_are_cut)
{
    static const char EXPECTED[] = "open 1 {\"streamtype\":\"error\"} fin\n"
                                   "open 3 {\"streamtype\":\"stdin\"}\n"
                                   "data 3 a\n"
                                   "data 3  fin\n"
                                   "reset 1\n"
                                   "closed \n";
    for (size_t step = 1; step < 30; step += 7) {
        Peer peer;
        peer_init(&peer);
        open_stream(&peer, 1, "error", true);
        open_stream(&peer, 3, "stdin", false);
        client_spdy_data(peer.in, 3, false, "a");
        client_spdy_data(peer.in, 3, true, "");
        client_spdy_control(peer.in, 3, 0, "\0\0\0\1\0\0\0\5", 8); /* RST_STREAM */
        client_spdy_control(peer.in, 7, 0, "\0\0\0\0\0\0\0\0", 8); /* GOAWAY */
        for (size_t at = 0; at < peer.in->len; at += step)
            spdy_receive(peer.spdy, peer.in->data + at, MIN(step, peer.in->len - at));
        ck_assert_str_eq(peer.heard->str, EXPECTED);
        peer_clear(&peer);
    }
}
END_TEST

START_TEST(replies_and_data_are_well_formed)
{
    Peer peer;
    peer_init(&peer);
    open_stream(&peer, 1, "stdout", false);
    open_stream(&peer, 3, "stderr", false);
    give(&peer);
    spdy_send(peer.spdy, 1, "hello", 5, false);
    spdy_send(peer.spdy, 1, NULL, 0, true);
    spdy_send(peer.spdy, 1, "late", 4, false);
    spdy_reset(peer.spdy, 3, SPDY_CANCEL);
    spdy_send(peer.spdy, 3, "late", 4, false);
    client_spdy_control(peer.in, 6, 0, "\0\0\0\7", 4); /* PING */
    client_spdy_control(peer.in, 6, 0, "\0\0\0\2", 4); /* an answer to none of ours */
    give(&peer);
    static const struct {
        unsigned type, flags;
        uint32_t stream;
    } EXPECTED[] = {{2, 0, 1}, {2, 0, 3}, {0, 0, 1}, {0, 1, 1}, {3, 0, 3}, {6, 0, 7}};
    size_t at = 0;
    SpdyFrame frame;
    for (size_t i = 0; i < G_N_ELEMENTS(EXPECTED); i++) {
        ck_assert(client_spdy_next(peer.out, &at, &frame));
        ck_assert_uint_eq(frame.type, EXPECTED[i].type);
        ck_assert_uint_eq(frame.flags, EXPECTED[i].flags);
        ck_assert_uint_eq(frame.stream, EXPECTED[i].stream);
        if (frame.type == 2) { /* both replies unfold, by one stream */
            uint8_t plain[64], dictionary[SPDY_DICTIONARY_SIZE];
            z_stream *in = &peer.client.in;
            in->next_in = (Bytef *)frame.bytes + 4;
            in->avail_in = (uInt)frame.length - 4;
            in->next_out = plain;
            in->avail_out = sizeof plain;
            if (inflate(in, Z_SYNC_FLUSH) == Z_NEED_DICT) {
                spdy_dictionary(dictionary);
                ck_assert_int_eq(inflateSetDictionary(in, dictionary, sizeof dictionary), Z_OK);
                ck_assert_int_eq(inflate(in, Z_SYNC_FLUSH), Z_OK);
            }
            ck_assert_uint_eq(sizeof plain - in->avail_out, 4);
        }
    }
    ck_assert_uint_eq(at, peer.out->len);
    peer_clear(&peer);
}
END_TEST

START_TEST(large_data_is_cut_into_frames_and_only_the_last_ends_the_stream)
{
    Peer peer;
    g_autofree char *large = g_malloc0(100000);
    peer_init(&peer);
    open_stream(&peer, 1, "stdout", true);
    give(&peer);
    g_byte_array_set_size(peer.out, 0);
    spdy_send(peer.spdy, 1, large, 100000, true);
    size_t at = 0, sum = 0;
    SpdyFrame frame;
    while (client_spdy_next(peer.out, &at, &frame)) {
        sum += frame.length;
        ck_assert_uint_eq(frame.flags, sum == 100000 ? 1 : 0);
    }
    ck_assert_uint_eq(sum, 100000);
    ck_assert_uint_eq(spdy_stream_count(peer.spdy), 0);
    peer_clear(&peer);
}
END_TEST

START_TEST(what_breaks_the_protocol_ends_the_connection)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *heard;
    } CASES[] = {
        {"\x80\x02\x00\x01\x00\x00\x00\x00", 8, "closed this is not version 3 of SPDY\n"},
        {"\x80\x03\x00\x01\x00\x00\x00\x04\x00\x00\x00\x01", 12, "closed a SYN_STREAM frame is too short\n"},
        {"\x80\x03\x00\x01\x00\x00\x00\x0e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" "junk", 22,
         "closed a header block is broken\n"},
        {"\x80\x03\x00\x01\x00\xff\xff\xff", 8, "closed a control frame is too large\n"},
        {"\x80\x03\x00\x03\x00\x00\x00\x00", 8, "closed a RST_STREAM frame is too short\n"},
        {"\x80\x03\x00\x06\x00\x00\x00\x00", 8, "closed a PING frame is too short\n"},
        {"\x80\x03\x00\x63\x00\x00\x00\x00", 8, ""}, /* an unknown type is ignored */
        {"\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00", 12, ""}, /* so are SETTINGS */
        {"\x00\x00\x00\x09\x01\x00\x00\x01x", 9, ""}, /* data of no stream: reset */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Peer peer;
        peer_init(&peer);
        spdy_receive(peer.spdy, CASES[i].bytes, CASES[i].length);
        ck_assert_str_eq(peer.heard->str, CASES[i].heard);
        peer_clear(&peer);
    }
}
END_TEST

START_TEST(ids_must_be_odd_and_grow_and_streams_are_bounded)
{
    Peer peer;
    peer_init(&peer);
    for (uint32_t i = 0; i < SPDY_STREAMS_MAX + 5; i++)
        open_stream(&peer, 2 * i + 1, "data", false);
    give(&peer);
    ck_assert_uint_eq(spdy_stream_count(peer.spdy), SPDY_STREAMS_MAX);
    open_stream(&peer, 3, "data", false);
    give(&peer);
    ck_assert(g_str_has_suffix(peer.heard->str, "closed a stream's id is even or out of order\n"));
    peer_clear(&peer);
}
END_TEST

START_TEST(a_header_block_may_not_unfold_without_bound)
{
    Peer peer;
    peer_init(&peer);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autofree uint8_t *zeros = g_malloc0(4u << 20), *packed = g_malloc(64 * 1024);
    z_stream *out = &peer.client.out;
    out->next_in = zeros;
    out->avail_in = 4u << 20;
    out->next_out = packed;
    out->avail_out = 64 * 1024;
    ck_assert_int_eq(deflate(out, Z_SYNC_FLUSH), Z_OK);
    g_byte_array_append(payload, (const guint8 *)"\0\0\0\1\0\0\0\0\0\0", 10);
    g_byte_array_append(payload, packed, (guint)(64 * 1024 - out->avail_out));
    client_spdy_control(peer.in, 1, 0, payload->data, payload->len);
    give(&peer);
    ck_assert_str_eq(peer.heard->str, "closed a header block is broken\n");
    peer_clear(&peer);
}
END_TEST

START_TEST(a_handler_may_free_the_connection)
{
    Peer peer;
    peer_init(&peer);
    peer.free_at_data = true;
    open_stream(&peer, 1, "data", false);
    client_spdy_data(peer.in, 1, false, "one");
    client_spdy_data(peer.in, 1, false, "two");
    give(&peer);
    ck_assert(g_str_has_suffix(peer.heard->str, "data 1 one\n"));
    peer_clear(&peer);
}
END_TEST

/* A good conversation with bytes altered here and there. */
START_TEST(altered_bytes_never_crash_it)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    for (int round = 0; round < 2000; round++) {
        Peer peer;
        peer_init(&peer);
        open_stream(&peer, 1, "error", true);
        open_stream(&peer, 3, "data", false);
        client_spdy_data(peer.in, 3, false, "some data");
        client_spdy_control(peer.in, 8, 0, "\0\0\0\3", 4);
        client_spdy_control(peer.in, 3, 0, "\0\0\0\1\0\0\0\5", 8);
        client_spdy_data(peer.in, 3, true, "more");
        for (int i = 0; i < round % 8 + 1; i++)
            peer.in->data[g_rand_int_range(rand, 0, (gint32)peer.in->len)] = (uint8_t)g_rand_int(rand);
        give(&peer);
        if (peer.spdy != NULL) {
            spdy_send(peer.spdy, 3, "x", 1, true);
            spdy_goaway(peer.spdy);
        }
        peer_clear(&peer);
    }
}
END_TEST

TCase *spdy_case(void);

TCase *
spdy_case(void)
{
    return test_case("spdy", the_dictionary_is_the_one_of_the_specification,
                     streams_open_carry_data_and_end_however_the_bytes_are_cut, replies_and_data_are_well_formed,
                     large_data_is_cut_into_frames_and_only_the_last_ends_the_stream,
                     what_breaks_the_protocol_ends_the_connection,
                     ids_must_be_odd_and_grow_and_streams_are_bounded,
                     a_header_block_may_not_unfold_without_bound, a_handler_may_free_the_connection,
                     altered_bytes_never_crash_it);
}
