#include "sim/backend/simulated/net.h"
#include "tests/sim/backend/simulated/suites.h"

/* Two hosts, a server process on b (port 80) that answers each call with its own text after `delay`, a client on a. */
typedef struct Fixture {
    Engine *engine;
    SimulatedNet *net;
    EngineProcess *client, *server;
    NetServer *listener;
    GString *out;
    NetReply *owed;
    NetStream *accepted;
    bool keep;
} Fixture;

static NetMessage
text_message(const char *text)
{
    return (NetMessage){.body = g_strdup(text), .free_body = g_free, .size = 100, .label = "TEST"};
}

static const Ports *
ports(EngineProcess *process)
{
    return engine_process_ports(process);
}

static void
note(Fixture *f, const char *who, NetStatus status, NetMessage *message)
{
    g_string_append_printf(f->out, "%s:%s ", who, status == NET_OK ? (char *)message->body : net_status_text(status));
    if (message->free_body != NULL)
        message->free_body(message->body);
}

static void
on_reply(NetStatus status, NetMessage message, void *data)
{
    note(data, "reply", status, &message);
}

static void
on_call(NetServer *server, NetMessage message, NetReply *reply, const char *from, void *data)
{
    Fixture *f = data;
    note(f, from, NET_OK, &message);
    f->owed = reply;
    if (!f->keep)
        ports(f->server)->net->ops->reply(ports(f->server)->net, reply, text_message("pong"));
}

static void
server_receives(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    note(data, "server", status, &message);
}

static void
client_receives(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    note(data, "client", status, &message);
}

static void
on_open(NetServer *server, NetMessage message, NetStream *stream, const char *from, void *data)
{
    Fixture *f = data;
    note(f, "open", NET_OK, &message);
    f->accepted = stream;
    ports(f->server)->net->ops->receive(ports(f->server)->net, stream, server_receives, f);
}

static EngineProcess *
start_process(Fixture *f, const char *name, const char *host)
{
    EngineProcess *process = engine_process_new(f->engine, &(EngineProcessOptions){.name = name, .host = host});
    simulated_net_attach(f->net, process, NULL);
    return process;
}

static void
setup(Fixture *f)
{
    static const NetServerHandler handler = {.call = on_call, .open = on_open};
    *f = (Fixture){.engine = engine_new(&(EngineOptions){.seed = 5}), .out = g_string_new(NULL)};
    f->net = simulated_net_new(f->engine);
    simulated_net_add_host(f->net, "a", "10.0.0.1");
    simulated_net_add_host(f->net, "b", "10.0.0.2");
    f->client = start_process(f, "client", "a");
    f->server = start_process(f, "server", "b");
    f->listener = ports(f->server)->net->ops->listen(ports(f->server)->net, 80, &handler, f);
    ck_assert_ptr_null(ports(f->server)->net->ops->listen(ports(f->server)->net, 80, &handler, f));
}

static uint64_t
teardown(Fixture *f)
{
    engine_process_free(f->client);
    engine_process_free(f->server);
    uint64_t digest = engine_digest(f->engine);
    engine_drop_pending(f->engine);
    simulated_net_free(f->net);
    engine_free(f->engine);
    g_string_free(f->out, TRUE);
    return digest;
}

static uint64_t
call(Fixture *f, const char *host, uint16_t port)
{
    Net *net = ports(f->client)->net;
    return net->ops->call(net, (NetAddress){host, port}, text_message("ping"), 0, on_reply, f);
}

static NetStream *
open_stream(Fixture *f)
{
    Net *net = ports(f->client)->net;
    return net->ops->open(net, (NetAddress){"b", 80}, text_message("hello"), client_receives, f);
}

static void
send_to_client(Fixture *f, const char *text)
{
    ports(f->server)->net->ops->send(ports(f->server)->net, f->accepted, text_message(text));
}

static void
run(Fixture *f, int64_t ns)
{
    engine_run_until(f->engine, engine_now(f->engine) + ns);
}

START_TEST(a_call_is_answered_by_name_and_by_ip)
{
    Fixture f;
    setup(&f);
    call(&f, "b", 80);
    call(&f, "10.0.0.2", 80);
    run(&f, NS_PER_MS);
    ck_assert_str_eq(f.out->str, "a:ping a:ping reply:pong reply:pong ");
    teardown(&f);
}
END_TEST

START_TEST(what_nobody_has_is_refused_or_unreachable)
{
    Fixture f;
    setup(&f);
    call(&f, "b", 81);
    run(&f, NS_PER_MS);
    ck_assert_str_eq(f.out->str, "reply:connect: connection refused ");
    g_string_truncate(f.out, 0);
    call(&f, "10.9.9.9", 80);
    run(&f, 4 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "reply:connect: no route to host ");
    teardown(&f);
}
END_TEST

START_TEST(a_dying_server_resets_what_it_owes_and_what_is_on_its_way)
{
    Fixture f;
    setup(&f);
    f.keep = true;
    call(&f, "b", 80);
    run(&f, NS_PER_MS);
    call(&f, "b", 80);
    engine_process_kill(f.server, ENGINE_DEATH_KILLED);
    run(&f, NS_PER_MS);
    ck_assert_str_eq(f.out->str, "a:ping reply:read: connection reset by peer reply:read: connection reset by peer ");
    teardown(&f);
}
END_TEST

START_TEST(power_loss_is_silent_until_the_time_out)
{
    Fixture f;
    setup(&f);
    f.keep = true;
    call(&f, "b", 80);
    open_stream(&f);
    run(&f, NS_PER_MS);
    simulated_net_set_power(f.net, "b", false);
    engine_process_kill(f.server, ENGINE_DEATH_POWER_LOSS);
    g_string_truncate(f.out, 0);
    run(&f, 29 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "");
    run(&f, 30 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "reply:i/o timeout client:i/o timeout ");
    teardown(&f);
}
END_TEST

START_TEST(a_cancelled_call_and_a_dead_caller_hear_nothing)
{
    Fixture f;
    setup(&f);
    uint64_t id = call(&f, "b", 80);
    ports(f.client)->net->ops->cancel_call(ports(f.client)->net, id);
    call(&f, "b", 80);
    engine_process_kill(f.client, ENGINE_DEATH_KILLED);
    run(&f, NS_PER_S);
    ck_assert_str_eq(f.out->str, "a:ping a:ping ");
    ck_assert_uint_eq(call(&f, "b", 80), 0);
    teardown(&f);
}
END_TEST

START_TEST(a_stream_keeps_order_and_tells_its_end)
{
    Fixture f;
    setup(&f);
    NetStream *stream = open_stream(&f);
    ports(f.client)->net->ops->send(ports(f.client)->net, stream, text_message("early"));
    run(&f, 2 * NS_PER_MS);
    for (int i = 0; i < 5; i++) {
        char text[2] = {(char)('1' + i), '\0'};
        send_to_client(&f, text);
    }
    run(&f, NS_PER_MS);
    ports(f.client)->net->ops->close(ports(f.client)->net, stream);
    run(&f, NS_PER_MS);
    ck_assert_str_eq(f.out->str, "open:hello server:early client:1 client:2 client:3 client:4 client:5 "
                                 "server:read: connection reset by peer ");
    teardown(&f);
}
END_TEST

START_TEST(a_short_cut_delays_a_stream_and_a_long_one_breaks_it)
{
    Fixture f;
    setup(&f);
    open_stream(&f);
    run(&f, NS_PER_MS);
    g_string_truncate(f.out, 0);
    ck_assert(simulated_net_partition(f.net, "a", "b"));
    send_to_client(&f, "1");
    send_to_client(&f, "2");
    run(&f, 10 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "");
    simulated_net_heal(f.net);
    send_to_client(&f, "3");
    run(&f, NS_PER_S);
    ck_assert_str_eq(f.out->str, "client:1 client:2 client:3 ");
    run(&f, 60 * NS_PER_S);
    simulated_net_shape(f.net, NULL, "b", &(SimulatedShape){.cut = true});
    run(&f, 50 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "client:1 client:2 client:3 client:i/o timeout server:i/o timeout ");
    ck_assert(!simulated_net_partition(f.net, "a", "nowhere"));
    teardown(&f);
}
END_TEST

START_TEST(a_one_way_cut_stops_one_way)
{
    Fixture f;
    setup(&f);
    simulated_net_shape(f.net, "b", "a", &(SimulatedShape){.cut = true});
    call(&f, "b", 80);
    run(&f, NS_PER_S);
    ck_assert_str_eq(f.out->str, "a:ping ");
    ck_assert(simulated_net_can_reach(f.net, "a", "b"));
    ck_assert(!simulated_net_can_reach(f.net, "b", "a"));
    run(&f, 30 * NS_PER_S);
    ck_assert_str_eq(f.out->str, "a:ping reply:i/o timeout ");
    teardown(&f);
}
END_TEST

START_TEST(delay_and_bandwidth_add_to_the_way)
{
    Fixture f;
    setup(&f);
    simulated_net_shape(f.net, "a", NULL, &(SimulatedShape){.delay_ns = NS_PER_S, .bandwidth = 100});
    call(&f, "b", 80); /* 100 bytes: one second more */
    run(&f, 1990 * NS_PER_MS);
    ck_assert_str_eq(f.out->str, "");
    run(&f, 20 * NS_PER_MS);
    ck_assert_str_eq(f.out->str, "a:ping reply:pong ");
    teardown(&f);
}
END_TEST

static uint64_t
noisy_run(void)
{
    Fixture f;
    setup(&f);
    simulated_net_shape(f.net, "a", "b", &(SimulatedShape){.loss_ppm = 300000, .jitter_ns = NS_PER_MS});
    for (int i = 0; i < 100; i++)
        call(&f, "b", 80);
    run(&f, 60 * NS_PER_S);
    return teardown(&f);
}

START_TEST(a_lossy_network_is_the_same_twice)
{
    ck_assert_uint_eq(noisy_run(), noisy_run());
}
END_TEST

static bool
serve(void *owner, const SimulatedRequest *request, SimulatedRespond *respond)
{
    if (request->port != 8080)
        return false;
    g_autofree char *body = g_strdup_printf("%s %s", request->http_host, request->path);
    simulated_respond(respond, NS_PER_MS, 200, body);
    return true;
}

static void
on_answer(const SimulatedAnswer *answer, void *data)
{
    Fixture *f = data;
    g_string_append_printf(f->out, "%s %d %s; ", net_status_text(answer->status), answer->http_status,
                           answer->body != NULL ? answer->body : "-");
}

static NetResolve
virtual_ip(const char *host, const char *source, const char *ip, uint16_t port, const char *protocol,
           NetEndpoint *ret_endpoint, void *data)
{
    if (g_str_equal(ip, "10.96.0.2"))
        return NET_RESOLVE_REJECT;
    if (!g_str_equal(ip, "10.96.0.1"))
        return NET_RESOLVE_PASS;
    *ret_endpoint = (NetEndpoint){.ip = "10.244.1.2", .port = 8080};
    return NET_RESOLVE_TO;
}

START_TEST(requests_reach_the_owner_of_an_address_also_through_a_virtual_ip)
{
    Fixture f;
    setup(&f);
    static const SimulatedSpaceOps ops = {.serve = serve};
    simulated_net_add_address(f.net, "10.244.1.2", "b", &ops, NULL);
    simulated_net_set_resolver(f.net, virtual_ip, NULL);
    SimulatedRequest request = {.protocol = SIMULATED_HTTP, .from = "a", .to = "10.96.0.1", .port = 80, .path = "/x"};
    simulated_net_request(f.net, f.client, &request, on_answer, &f);
    run(&f, 3 * NS_PER_MS);
    request.to = "10.96.0.2";
    simulated_net_request(f.net, NULL, &request, on_answer, &f);
    run(&f, 3 * NS_PER_MS);
    request.to = "10.244.1.2";
    simulated_net_request(f.net, NULL, &request, on_answer, &f);
    run(&f, 3 * NS_PER_MS);
    request.to = "b";
    request.protocol = SIMULATED_TCP;
    simulated_net_request(f.net, NULL, &request, on_answer, &f);
    uint64_t id = simulated_net_request(f.net, NULL, &request, on_answer, &f);
    simulated_net_cancel_request(f.net, id);
    run(&f, 3 * NS_PER_MS);
    ck_assert_str_eq(f.out->str, "ok 200 10.96.0.1 /x; connect: connection refused 0 -; "
                                 "connect: connection refused 0 -; ok 0 -; ");
    simulated_net_remove_address(f.net, "10.244.1.2");
    simulated_net_request(f.net, f.client, &request, on_answer, &f);
    teardown(&f);
}
END_TEST

TCase *
net_case(void)
{
    return test_case("net", a_call_is_answered_by_name_and_by_ip, what_nobody_has_is_refused_or_unreachable,
                     a_dying_server_resets_what_it_owes_and_what_is_on_its_way,
                     power_loss_is_silent_until_the_time_out, a_cancelled_call_and_a_dead_caller_hear_nothing,
                     a_stream_keeps_order_and_tells_its_end, a_short_cut_delays_a_stream_and_a_long_one_breaks_it,
                     a_one_way_cut_stops_one_way, delay_and_bandwidth_add_to_the_way, a_lossy_network_is_the_same_twice,
                     requests_reach_the_owner_of_an_address_also_through_a_virtual_ip);
}
