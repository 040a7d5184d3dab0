#include "core/api/status.h"
#include "core/client/client.h"
#include "core/client/wire.h"
#include "tests/core/client/suites.h"

/* A server's end: answers with its host's name, and keeps the streams. */
typedef struct {
    const Ports *ports;
    NetServer *server;
    NetStream *stream;
    unsigned calls;
    char *user;
} Server;

static void
serve_call(NetServer *net_server, NetMessage message, NetReply *reply, const char *from, void *data)
{
    Server *server = data;
    ApiRequest *request = message.body;
    server->calls++;
    g_free(server->user);
    server->user = g_strdup(request->user->name);
    message.free_body(message.body);
    Net *net = server->ports->net;
    net->ops->reply(
        net, reply,
        wire_response(api_response_new(200, value_new_f("{host: %s}", net->ops->host_name(net)))));
}

static void
serve_stream(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    Server *server = data;
    if (status != NET_OK && server->stream == stream)
        server->stream = NULL;
    else if (message.free_body != NULL)
        message.free_body(message.body);
}

static void
serve_open(NetServer *net_server, NetMessage message, NetStream *stream, const char *from,
           void *data)
{
    Server *server = data;
    message.free_body(message.body);
    server->stream = stream;
    server->ports->net->ops->receive(server->ports->net, stream, serve_stream, server);
}

static const NetServerHandler server_handler = {.call = serve_call, .open = serve_open};

typedef struct {
    TestWorld *world;
    Server servers[2];
    Transport *transport;
    GString *got;
} Bench;

static Bench bench;

static void
server_start(unsigned i)
{
    static const char *const hosts[] = {"cp-1", "cp-2"};
    Server *server = &bench.servers[i];
    server->ports = test_world_ports(bench.world, hosts[i]);
    server->server = server->ports->net->ops->listen(server->ports->net, API_SERVER_PORT,
                                                     &server_handler, server);
}

static void
setup(void)
{
    static const char *const hosts[] = {"cp-1", "cp-2", NULL};
    bench = (Bench){.world = test_world_new(1), .got = g_string_new(NULL)};
    test_world_ports(bench.world, "cp-1");
    test_world_ports(bench.world, "cp-2");
    g_autoptr(ApiUser) user = api_user_new("system:kube-scheduler", NULL);
    bench.transport = transport_net_new(test_world_ports(bench.world, "node-1"), hosts,
                                        API_SERVER_PORT, user, "kube-scheduler");
}

static void
teardown(void)
{
    bench.transport->ops->free(bench.transport);
    g_free(bench.servers[0].user);
    g_free(bench.servers[1].user);
    g_string_free(bench.got, TRUE);
    test_world_free(bench.world);
}

static void
note(ApiResponse *take_response, void *data)
{
    g_string_append_printf(bench.got, "%d %s%s;", take_response->code,
                           value_text_at(take_response->object, "host"),
                           status_message(take_response->object));
    api_response_free(take_response);
}

static void
call(ApiVerb verb)
{
    bench.transport->ops->call(
        bench.transport, api_request_new(verb, "apps", "deployments", "d", "web"), note, NULL);
    test_world_run_for(bench.world, 40 * NS_PER_S);
}

static void
note_event(const WatchEvent *event, void *data)
{
    if (event == NULL)
        g_string_append(bench.got, "end;");
    else
        g_string_append_printf(bench.got, "%s %s;", watch_event_name(event->type),
                               event->type == WATCH_ERROR ? status_reason(event->object)
                                                          : value_text_at(event->object, "name"));
}

START_TEST(a_messages_label_outlives_its_body)
{
    NetMessage message = wire_request(api_request_new(API_VERB_CREATE, "", "pods", "d", NULL));
    message.free_body(message.body);
    ck_assert_str_eq(message.label, "POST pods");
}
END_TEST

START_TEST(a_call_carries_who_asks_and_is_answered)
{
    setup();
    server_start(0);
    call(API_VERB_GET);
    ck_assert_str_eq(bench.got->str, "200 cp-1;");
    ck_assert_str_eq(bench.servers[0].user, "system:kube-scheduler");
    teardown();
}
END_TEST

START_TEST(when_one_server_refuses_the_next_one_is_asked_and_stays_in_use)
{
    setup();
    server_start(1);
    call(API_VERB_CREATE);
    server_start(0);
    call(API_VERB_CREATE);
    ck_assert_str_eq(bench.got->str, "200 cp-2;200 cp-2;");
    teardown();
}
END_TEST

START_TEST(when_nobody_listens_the_error_reads_as_in_go)
{
    setup();
    call(API_VERB_GET);
    ck_assert_str_eq(bench.got->str,
                     "503 Get \"https://cp-2:6443/apis/apps/v1/namespaces/d/deployments/web\": "
                     "dial tcp cp-2:6443: connect: connection refused;");
    teardown();
}
END_TEST

START_TEST(a_write_that_may_have_happened_is_not_repeated)
{
    setup();
    server_start(0);
    server_start(1);
    test_world_set_down(bench.world, "cp-1", true);
    call(API_VERB_CREATE);
    ck_assert(strstr(bench.got->str, "i/o timeout") != NULL);
    ck_assert_uint_eq(bench.servers[1].calls, 0);
    g_string_truncate(bench.got, 0);
    call(API_VERB_CREATE);
    ck_assert_str_eq(bench.got->str, "200 cp-2;");
    teardown();
}
END_TEST

START_TEST(a_watch_gets_batches_and_ends_when_the_server_closes)
{
    setup();
    server_start(0);
    bench.transport->ops->watch(
        bench.transport, api_request_new(API_VERB_WATCH, "", "pods", NULL, NULL), note_event, NULL);
    test_world_settle(bench.world);
    WatchBatch *batch = watch_batch_new(2);
    batch->events[0] = (WatchEvent){.type = WATCH_ADDED, .object = value_new_f("{name: a}")};
    batch->events[1] = (WatchEvent){.type = WATCH_DELETED, .object = value_new_f("{name: b}")};
    Net *net = bench.servers[0].ports->net;
    net->ops->send(net, bench.servers[0].stream, wire_batch(batch));
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.got->str, "ADDED a;DELETED b;");
    net->ops->close(net, bench.servers[0].stream);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.got->str, "ADDED a;DELETED b;end;");
    teardown();
}
END_TEST

START_TEST(a_watch_that_nobody_serves_says_so_before_it_ends)
{
    setup();
    bench.transport->ops->watch(
        bench.transport, api_request_new(API_VERB_WATCH, "", "pods", NULL, NULL), note_event, NULL);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.got->str, "ERROR ServiceUnavailable;end;");
    teardown();
}
END_TEST

START_TEST(an_unwatched_watch_is_silent)
{
    setup();
    server_start(0);
    TransportWatch *watch = bench.transport->ops->watch(
        bench.transport, api_request_new(API_VERB_WATCH, "", "pods", NULL, NULL), note_event, NULL);
    test_world_settle(bench.world);
    bench.transport->ops->unwatch(bench.transport, watch);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.got->str, "");
    ck_assert_ptr_null(bench.servers[0].stream);
    teardown();
}
END_TEST

TCase *
transport_case(void)
{
    return test_case(
        "transport", a_messages_label_outlives_its_body, a_call_carries_who_asks_and_is_answered,
        when_one_server_refuses_the_next_one_is_asked_and_stays_in_use,
        when_nobody_listens_the_error_reads_as_in_go,
        a_write_that_may_have_happened_is_not_repeated,
        a_watch_gets_batches_and_ends_when_the_server_closes,
        a_watch_that_nobody_serves_says_so_before_it_ends, an_unwatched_watch_is_silent);
}
