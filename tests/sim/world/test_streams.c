/* Exec, attach, port-forward and logs as a client's bytes meet them: each protocol against a simulated cluster. */
#include "core/object/json.h"
#include "tests/core/stream/client.h"
#include "tests/sim/world/fixture.h"

typedef struct Peer {
    HttpResponder responder;
    World *world;
    int code; /* of an answer; 101 after the upgrade */
    GString *headers, *body;
    GByteArray *out; /* raw bytes of the server */
    bool ended;
    void (*received)(const void *bytes, size_t length, void *data);
    void *data;
    SpdyClient spdy;
    GByteArray *in;
    size_t at; /* read of out */
} Peer;

static Peer *
peer_of(HttpResponder *responder)
{
    return (Peer *)responder;
}

static void
keep_headers(Peer *peer, const HttpHeader *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(peer->headers, "%s: %s\n", headers[i].name, headers[i].value);
}

static void
fake_start(HttpResponder *responder, int code, const HttpHeader *headers, size_t n, gint64 length)
{
    peer_of(responder)->code = code;
    keep_headers(peer_of(responder), headers, n);
}

static void
fake_write(HttpResponder *responder, GBytes *bytes)
{
    Peer *peer = peer_of(responder);
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    ck_assert(!peer->ended);
    if (peer->code == 101)
        g_byte_array_append(peer->out, data, (guint)length);
    else
        g_string_append_len(peer->body, data, (gssize)length);
}

static void
fake_end(HttpResponder *responder)
{
    ck_assert(!peer_of(responder)->ended);
    peer_of(responder)->ended = true;
}

static void
fake_on_gone(HttpResponder *responder, void (*func)(void *data), void *data)
{
}

static size_t
fake_backlog(HttpResponder *responder)
{
    return 0;
}

static void
fake_upgrade(HttpResponder *responder, const HttpHeader *headers, size_t n,
             void (*received)(const void *, size_t, void *), void *data)
{
    Peer *peer = peer_of(responder);
    peer->code = 101;
    keep_headers(peer, headers, n);
    peer->received = received;
    peer->data = data;
}

static const HttpResponderOps OPS = {fake_start, fake_write, fake_end, fake_on_gone, fake_backlog, fake_upgrade};

static Peer *
peer_new(World *world)
{
    Peer *peer = g_new0(Peer, 1);
    peer->responder.ops = &OPS;
    peer->world = world;
    peer->headers = g_string_new(NULL);
    peer->body = g_string_new(NULL);
    peer->out = g_byte_array_new();
    peer->in = g_byte_array_new();
    client_spdy_init(&peer->spdy);
    return peer;
}

static void
peer_free(Peer *peer)
{
    g_string_free(peer->headers, TRUE);
    g_string_free(peer->body, TRUE);
    g_byte_array_unref(peer->out);
    g_byte_array_unref(peer->in);
    client_spdy_clear(&peer->spdy);
    g_free(peer);
}

/* protocols: comma list. Waits a second of the world's time. */
static Peer *
ask(World *world, const char *method, const char *target, bool spdy, const char *protocols)
{
    static const char *const ORGANIZATIONS[] = {"system:masters", NULL};
    Peer *peer = peer_new(world);
    HttpHeader headers[16] = {
        {"Connection", "Upgrade"},
        {"Upgrade", spdy ? "SPDY/3.1" : "websocket"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
    };
    size_t n = spdy ? 2 : 4;
    g_auto(GStrv) each = g_strsplit(protocols, ",", 8); /* repeated headers, as kubectl sends them */
    for (char **protocol = each; *protocol != NULL; protocol++)
        headers[n++] = (HttpHeader){spdy ? "X-Stream-Protocol-Version" : "Sec-WebSocket-Protocol", *protocol};
    const HttpRequest request = {
        .method = method,
        .target = target,
        .headers = headers,
        .n_headers = n,
        .peer_common_name = "admin",
        .peer_organizations = ORGANIZATIONS,
        .peer_address = "127.0.0.1:1",
        .secure = true,
    };
    world_http(world, &request, &peer->responder);
    world_run_for(world, NS_PER_S);
    return peer;
}

static void
give(Peer *peer)
{
    ck_assert_ptr_nonnull(peer->received);
    peer->received(peer->in->data, peer->in->len, peer->data);
    g_byte_array_set_size(peer->in, 0);
    world_run_for(peer->world, NS_PER_S);
}

/* All messages of the server's since the last look: "1:text" each, the close frame as "close". */
static char *
messages(Peer *peer)
{
    GString *text = g_string_new(NULL);
    WsFrame frame;
    while (client_ws_next(peer->out, &peer->at, &frame)) {
        if ((frame.first_byte & 0xf) == 8)
            g_string_append(text, "close\n");
        else if ((frame.first_byte & 0xf) == 1)
            g_string_append_printf(text, "%.*s\n", (int)frame.length, (const char *)frame.bytes);
        else
            g_string_append_printf(text, "%u:%.*s\n", frame.bytes[0], (int)frame.length - 1,
                                   (const char *)frame.bytes + 1);
    }
    return g_string_free(text, FALSE);
}

#define EXEC "/api/v1/namespaces/default/pods/web/exec?stdout=true&stderr=true&"

START_TEST(a_command_runs_over_websocket_v5)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "GET", EXEC "stdin=true&command=cat", false, "v5.channel.k8s.io");
    ck_assert_int_eq(peer->code, 101);
    ck_assert_str_eq(peer->headers->str, "Upgrade: websocket\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n"
                                         "Sec-WebSocket-Protocol: v5.channel.k8s.io\n");
    client_ws_frame(peer->in, 0x82, "\0salt\n", 6);
    give(peer);
    g_autofree char *first = messages(peer);
    ck_assert_str_eq(first, "1:\n1:salt\n\n");
    ck_assert(!peer->ended);
    client_ws_frame(peer->in, 0x82, "\xff\0", 2);
    give(peer);
    g_autofree char *last = messages(peer);
    ck_assert_str_eq(last, "3:{\"apiVersion\":\"v1\",\"kind\":\"Status\",\"metadata\":{},\"status\":\"Success\"}\nclose\n");
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(older_websocket_protocols_are_spoken_too)
{
    static const struct {
        const char *protocols, *chosen, *said;
    } CASES[] = {
        {"v4.channel.k8s.io", "v4.channel.k8s.io", "1:\n1:hi\n\n3:{\"apiVersion\""},
        {"v9.channel.k8s.io,v4.channel.k8s.io", "v4.channel.k8s.io", "1:\n1:hi\n\n3:{\"apiVersion\""},
        {"channel.k8s.io", "channel.k8s.io", "1:\n1:hi\n\n3:command terminated"},
        {"base64.channel.k8s.io", "base64.channel.k8s.io", "1\n1aGkK\n3Y29tbWFuZCB0ZXJtaW5hdGVk"},
    };
    g_autoptr(World) world = world_fixture_new();
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Peer *peer = ask(world, "GET", EXEC "command=sh&command=-c&command=echo+hi%3Bexit+4", false, CASES[i].protocols);
        g_autofree char *said = messages(peer);
        ck_assert_int_eq(peer->code, 101);
        g_autofree char *line = g_strdup_printf("Sec-WebSocket-Protocol: %s\n", CASES[i].chosen);
        ck_assert_ptr_nonnull(strstr(peer->headers->str, line));
        ck_assert_msg(g_str_has_prefix(said, CASES[i].said), "%s", said);
        ck_assert(g_str_has_suffix(said, "close\n"));
        ck_assert(peer->ended);
        peer_free(peer);
    }
}
END_TEST

/* Everything of the server's since the last look, a line a frame, but replies. */
static char *
frames(Peer *peer)
{
    GString *text = g_string_new(NULL);
    SpdyFrame frame;
    while (client_spdy_next(peer->out, &peer->at, &frame)) {
        if (frame.type == 0)
            g_string_append_printf(text, "%u:%.*s%s\n", frame.stream, (int)frame.length, (const char *)frame.bytes,
                                   frame.flags & 1 ? " fin" : "");
        else if (frame.type != 2)
            g_string_append_printf(text, "control %u\n", frame.type);
    }
    return g_string_free(text, FALSE);
}

static void
open_stream(Peer *peer, uint32_t id, const char *type, bool finish)
{
    const char *const headers[] = {"streamtype", type, "port", "80", "requestid", "0", NULL};
    client_spdy_open(&peer->spdy, peer->in, id, finish, headers);
}

START_TEST(a_command_runs_over_spdy_and_what_it_said_early_waits_for_the_streams)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "POST", EXEC "command=sh&command=-c&command=echo+hi%3Bexit+4", true,
                     "v5.channel.k8s.io,v4.channel.k8s.io,v3.channel.k8s.io");
    ck_assert_int_eq(peer->code, 101);
    ck_assert_str_eq(peer->headers->str, "Upgrade: SPDY/3.1\nX-Stream-Protocol-Version: v5.channel.k8s.io\n");
    ck_assert_uint_eq(peer->out->len, 0);
    open_stream(peer, 1, "error", true);
    open_stream(peer, 3, "stdout", false);
    open_stream(peer, 5, "stderr", false);
    give(peer);
    g_autofree char *said = frames(peer);
    ck_assert_msg(g_str_has_prefix(said, "3:hi\n\n3: fin\n5: fin\n1:{\"apiVersion\":\"v1\",\"code\":500,"
                                         "\"details\":{\"causes\":[{\"message\":\"4\",\"reason\":\"ExitCode\"}]}"), "%s", said);
    ck_assert(!peer->ended);
    client_spdy_control(peer->in, 7, 0, "\0\0\0\0\0\0\0\0", 8);
    give(peer);
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(a_client_that_opens_no_streams_is_given_up)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "POST", EXEC "command=sleep&command=600", true, "v4.channel.k8s.io");
    world_run_for(world, 31 * NS_PER_S);
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(what_cannot_be_had_is_refused_before_the_upgrade)
{
    static const struct {
        const char *method, *target;
        bool spdy;
        const char *protocols;
        int code;
        const char *body;
    } CASES[] = {
        {"GET", "/api/v1/namespaces/default/pods/nobody/exec?command=ls", false, "v5.channel.k8s.io", 404,
         "pods \\\"nobody\\\" not found"},
        {"GET", EXEC "command=ls&container=x", false, "v5.channel.k8s.io", 400, "container x is not valid for pod web"},
        {"POST", EXEC "stdin=true", true, "v4.channel.k8s.io", 400, "you must specify at least 1 command"},
        {"GET", EXEC "command=ls", false, "v9.channel.k8s.io", 403, "client supports [v9.channel.k8s.io]"},
        {"POST", EXEC "command=ls", true, "v9.channel.k8s.io", 403, "unable to negotiate protocol"},
        {"POST", EXEC "command=ls", false, "v5.channel.k8s.io", 400, "the WebSocket handshake is wrong"},
        {"GET", "/api/v1/namespaces/default/pods/web/portforward", false, "v4.channel.k8s.io", 400, "is required"},
        {"GET", "/api/v1/namespaces/default/pods/web/portforward?ports=0", false, "v4.channel.k8s.io", 400,
         "invalid port"},
    };
    g_autoptr(World) world = world_fixture_new();
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Peer *peer = ask(world, CASES[i].method, CASES[i].target, CASES[i].spdy, CASES[i].protocols);
        ck_assert_int_eq(peer->code, CASES[i].code);
        ck_assert_msg(strstr(peer->body->str, CASES[i].body) != NULL, "%s", peer->body->str);
        ck_assert(peer->ended);
        peer_free(peer);
    }
}
END_TEST

#define GET_PAGE "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

START_TEST(a_port_is_forwarded_over_spdy)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "POST", "/api/v1/namespaces/default/pods/web/portforward", true, "portforward.k8s.io");
    ck_assert_int_eq(peer->code, 101);
    open_stream(peer, 1, "error", true);
    open_stream(peer, 3, "data", false);
    client_spdy_data(peer->in, 3, false, GET_PAGE);
    const char *const closed[] = {"streamtype", "error", "port", "81", "requestid", "1", NULL};
    const char *const closed_data[] = {"streamtype", "data", "port", "81", "requestid", "1", NULL};
    client_spdy_open(&peer->spdy, peer->in, 5, true, closed);
    client_spdy_open(&peer->spdy, peer->in, 7, false, closed_data);
    give(peer);
    g_autofree char *said = frames(peer);
    ck_assert_ptr_nonnull(strstr(said, "3:HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(said, "3: fin\n1: fin\n"));
    ck_assert_ptr_nonnull(strstr(said, "7: fin\n5:error forwarding port 81 to pod web, uid "));
    ck_assert(!peer->ended);
    peer->received(NULL, 0, peer->data); /* the client hangs up */
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(a_port_is_forwarded_through_spdy_within_a_websocket)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "GET", "/api/v1/namespaces/default/pods/web/portforward", false, "SPDY/3.1+portforward.k8s.io");
    g_autoptr(GByteArray) inner = g_byte_array_new();
    const char *const error[] = {"streamtype", "error", "port", "80", "requestid", "0", NULL};
    const char *const data[] = {"streamtype", "data", "port", "80", "requestid", "0", NULL};
    client_spdy_open(&peer->spdy, inner, 1, true, error);
    client_spdy_open(&peer->spdy, inner, 3, false, data);
    client_spdy_data(inner, 3, false, GET_PAGE);
    client_ws_frame(peer->in, 0x82, inner->data, 20); /* cut anywhere */
    client_ws_frame(peer->in, 0x82, inner->data + 20, inner->len - 20);
    give(peer);
    g_autoptr(GByteArray) unwrapped = g_byte_array_new();
    WsFrame frame;
    while (client_ws_next(peer->out, &peer->at, &frame))
        g_byte_array_append(unwrapped, frame.bytes, (guint)frame.length);
    g_byte_array_unref(peer->out);
    peer->out = g_byte_array_ref(unwrapped);
    peer->at = 0;
    g_autofree char *said = frames(peer);
    ck_assert_msg(g_str_has_prefix(said, "3:HTTP/1.1 200 OK\r\n"), "%s", said);
    ck_assert(g_str_has_suffix(said, "3: fin\n1: fin\n"));
    peer->received(NULL, 0, peer->data);
    peer_free(peer);
}
END_TEST

START_TEST(a_port_is_forwarded_over_plain_channels)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "GET", "/api/v1/namespaces/default/pods/web/portforward?ports=80", false, "v4.channel.k8s.io");
    g_autofree char *first = messages(peer);
    ck_assert_str_eq(first, "0:P\n1:P\n"); /* 80, in two bytes each; the second is NUL */
    client_ws_frame(peer->in, 0x82, "\0" GET_PAGE, sizeof GET_PAGE);
    give(peer);
    g_autofree char *said = messages(peer);
    ck_assert(g_str_has_prefix(said, "0:HTTP/1.1 200 OK\r\n"));
    ck_assert(g_str_has_suffix(said, "close\n"));
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(a_log_comes_over_a_websocket)
{
    g_autoptr(World) world = world_fixture_new();
    Peer *peer = ask(world, "GET", "/api/v1/namespaces/default/pods/web/log?container=web", false, "binary.k8s.io");
    ck_assert_int_eq(peer->code, 101);
    g_autofree char *said = messages(peer);
    ck_assert(g_str_has_suffix(said, "close\n"));
    ck_assert(peer->ended);
    peer_free(peer);
}
END_TEST

START_TEST(a_stopped_world_ends_the_connections)
{
    World *world = world_fixture_new();
    Peer *peer = ask(world, "GET", EXEC "stdin=true&command=cat", false, "v5.channel.k8s.io");
    Peer *other = ask(world, "POST", EXEC "stdin=true&command=cat", true, "v4.channel.k8s.io");
    world_free(world);
    ck_assert(peer->ended);
    ck_assert(other->ended);
    peer_free(peer);
    peer_free(other);
}
END_TEST

TCase *
streams_case(void)
{
    return test_case("streams", a_command_runs_over_websocket_v5, older_websocket_protocols_are_spoken_too,
                     a_command_runs_over_spdy_and_what_it_said_early_waits_for_the_streams,
                     a_client_that_opens_no_streams_is_given_up, what_cannot_be_had_is_refused_before_the_upgrade,
                     a_port_is_forwarded_over_spdy, a_port_is_forwarded_through_spdy_within_a_websocket,
                     a_port_is_forwarded_over_plain_channels, a_log_comes_over_a_websocket,
                     a_stopped_world_ends_the_connections);
}
