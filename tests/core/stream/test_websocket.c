#include <string.h>

#include "core/base/limits.h"
#include "core/stream/websocket.h"
#include "tests/core/stream/client.h"
#include "tests/support/runner.h"

typedef struct Peer {
    WebSocket *socket;
    GByteArray *out;   /* what the server wrote */
    GString *messages; /* "b:..." or "t:...", a line each */
    int closed;        /* code; 0: not */
    bool free_at_message;
} Peer;

static void
on_write(const void *bytes, size_t length, void *data)
{
    g_byte_array_append(((Peer *)data)->out, bytes, (guint)length);
}

static void
on_message(bool text, const void *bytes, size_t length, void *data)
{
    Peer *peer = data;
    g_string_append_printf(peer->messages, "%c:%.*s\n", text ? 't' : 'b', (int)length, (const char *)bytes);
    if (peer->free_at_message)
        web_socket_free(g_steal_pointer(&peer->socket));
}

static void
on_closed(int code, void *data)
{
    Peer *peer = data;
    ck_assert_int_eq(peer->closed, 0);
    peer->closed = code;
}

static const WebSocketHandler HANDLER = {on_write, on_message, on_closed};

static void
peer_init(Peer *peer)
{
    *peer = (Peer){.out = g_byte_array_new(), .messages = g_string_new(NULL)};
    peer->socket = web_socket_new(&HANDLER, peer);
}

static void
peer_clear(Peer *peer)
{
    web_socket_free(peer->socket);
    g_byte_array_unref(peer->out);
    g_string_free(peer->messages, TRUE);
}

START_TEST(the_accept_key_is_the_one_of_the_rfc)
{
    g_autofree char *accept = web_socket_accept("dGhlIHNhbXBsZSBub25jZQ==");
    ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ck_assert_ptr_null(web_socket_accept(NULL));
    ck_assert_ptr_null(web_socket_accept(""));
    ck_assert_ptr_null(web_socket_accept("c2hvcnQ="));
    ck_assert_ptr_null(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=="));
}
END_TEST

START_TEST(messages_arrive_whole_however_they_are_cut)
{
    g_autoptr(GByteArray) in = g_byte_array_new();
    char large[3000];
    memset(large, 'x', sizeof large);
    client_ws_frame(in, 0x82, "one", 3);
    client_ws_frame(in, 0x01, "tw", 2);
    client_ws_frame(in, 0x89, "ping", 4); /* between the fragments */
    client_ws_frame(in, 0x80, "o", 1);
    client_ws_frame(in, 0x82, large, sizeof large);
    for (size_t step = 1; step < 40; step += 6) {
        Peer peer;
        peer_init(&peer);
        for (size_t at = 0; at < in->len; at += step)
            web_socket_receive(peer.socket, in->data + at, MIN(step, in->len - at));
        ck_assert(g_str_has_prefix(peer.messages->str, "b:one\nt:two\nb:xxx"));
        ck_assert_uint_eq(peer.messages->len, 12 + 2 + sizeof large + 1);
        size_t at = 0;
        WsFrame pong;
        ck_assert(client_ws_next(peer.out, &at, &pong));
        ck_assert_uint_eq(pong.first_byte, 0x8a);
        ck_assert_mem_eq(pong.bytes, "ping", 4);
        ck_assert_uint_eq(at, peer.out->len);
        peer_clear(&peer);
    }
}
END_TEST

START_TEST(a_close_is_answered_and_told_once)
{
    Peer peer;
    g_autoptr(GByteArray) in = g_byte_array_new();
    peer_init(&peer);
    client_ws_frame(in, 0x88, "\x03\xe8", 2);
    client_ws_frame(in, 0x82, "late", 4);
    web_socket_receive(peer.socket, in->data, in->len);
    web_socket_receive(peer.socket, in->data, in->len);
    ck_assert_int_eq(peer.closed, 1000);
    ck_assert_str_eq(peer.messages->str, "");
    size_t at = 0;
    WsFrame frame;
    ck_assert(client_ws_next(peer.out, &at, &frame));
    ck_assert_uint_eq(frame.first_byte, 0x88);
    ck_assert(!client_ws_next(peer.out, &at, &frame));
    web_socket_send(peer.socket, false, "x", 1);
    ck_assert_uint_eq(at, peer.out->len);
    peer_clear(&peer);
}
END_TEST

START_TEST(our_close_comes_behind_what_was_sent)
{
    Peer peer;
    peer_init(&peer);
    web_socket_send(peer.socket, false, "bye", 3);
    web_socket_close(peer.socket, WEB_SOCKET_CLOSE_NORMAL, "done");
    web_socket_close(peer.socket, WEB_SOCKET_CLOSE_NORMAL, "done");
    size_t at = 0;
    WsFrame frame;
    ck_assert(client_ws_next(peer.out, &at, &frame));
    ck_assert_uint_eq(frame.first_byte, 0x82);
    ck_assert(client_ws_next(peer.out, &at, &frame));
    ck_assert_uint_eq(frame.first_byte, 0x88);
    ck_assert_mem_eq(frame.bytes, "\x03\xe8" "done", 6);
    ck_assert_uint_eq(at, peer.out->len);
    ck_assert_int_eq(peer.closed, 0);
    peer_clear(&peer);
}
END_TEST

START_TEST(what_breaks_the_protocol_closes)
{
    static const struct {
        const char *what, *bytes;
        size_t length;
    } CASES[] = {
        {"not masked", "\x82\x03one", 5},
        {"a reserved bit", "\xc2\x80\x01\x02\x03\x04", 6},
        {"an unknown opcode", "\x83\x80\x01\x02\x03\x04", 6},
        {"a fragmented ping", "\x09\x80\x01\x02\x03\x04", 6},
        {"a continuation of nothing", "\x80\x80\x01\x02\x03\x04", 6},
        {"text that is not UTF-8", "\x81\x81\x00\x00\x00\x00\xff", 7},
        {"a message of 2^62 bytes", "\x82\xff\x40\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04x", 15},
        {"a message of 2^63 bytes", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04", 14},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Peer peer;
        peer_init(&peer);
        web_socket_receive(peer.socket, CASES[i].bytes, CASES[i].length);
        ck_assert_msg(peer.closed != 0, "%s", CASES[i].what);
        ck_assert_str_eq(peer.messages->str, "");
        peer_clear(&peer);
    }
}
END_TEST

START_TEST(a_handler_may_free_the_socket)
{
    Peer peer;
    g_autoptr(GByteArray) in = g_byte_array_new();
    peer_init(&peer);
    peer.free_at_message = true;
    client_ws_frame(in, 0x82, "one", 3);
    client_ws_frame(in, 0x82, "two", 3);
    web_socket_receive(peer.socket, in->data, in->len);
    ck_assert_str_eq(peer.messages->str, "b:one\n");
    peer_clear(&peer);
}
END_TEST

START_TEST(noise_never_crashes_it)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    for (int round = 0; round < 3000; round++) {
        Peer peer;
        uint8_t noise[64];
        peer_init(&peer);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)g_rand_int(rand);
        if (round % 2 == 0) { /* a good head more often than by chance */
            noise[0] = (uint8_t)(0x80 | (noise[0] & 0x8f));
            noise[1] |= 0x80;
        }
        web_socket_receive(peer.socket, noise, sizeof noise);
        peer_clear(&peer);
    }
}
END_TEST

TCase *websocket_case(void);

TCase *
websocket_case(void)
{
    return test_case("websocket", the_accept_key_is_the_one_of_the_rfc, messages_arrive_whole_however_they_are_cut,
                     a_close_is_answered_and_told_once, our_close_comes_behind_what_was_sent,
                     what_breaks_the_protocol_closes, a_handler_may_free_the_socket, noise_never_crashes_it);
}
