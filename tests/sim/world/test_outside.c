/* Streams of the transport that commands and the dashboard use. */
#include "tests/sim/world/fixture.h"

typedef struct Heard {
    GString *out[3];
    Value *status;
    bool ended;
} Heard;

static void
on_received(int channel, const void *bytes, size_t length, void *data)
{
    Heard *heard = data;
    ck_assert_int_ge(channel, 0);
    ck_assert_int_lt(channel, 3);
    g_string_append_len(heard->out[channel], bytes, (gssize)length);
}

static void
on_ended(const Value *status, void *data)
{
    Heard *heard = data;
    heard->ended = true;
    heard->status = status != NULL ? value_ref(status) : NULL;
}

static const ApiStreamHandler HANDLER = {on_received, on_ended};

static void
heard_init(Heard *heard)
{
    *heard = (Heard){.out = {g_string_new(NULL), g_string_new(NULL), g_string_new(NULL)}};
}

static void
heard_clear(Heard *heard)
{
    for (int i = 0; i < 3; i++)
        g_string_free(heard->out[i], TRUE);
    value_unref(heard->status);
}

static bool
has_ended(World *world, void *data)
{
    return ((Heard *)data)->ended;
}

static ApiRequest *
request_for(const char *pod, const char *subresource, const char *query)
{
    ApiRequest *request =
        api_request_new(strcmp(subresource, "log") == 0 ? API_VERB_GET : API_VERB_CREATE, "", "pods", "default", pod);
    request->subresource = g_strdup(subresource);
    request->query = value_new_f(query);
    return request;
}

/* Opens a stream and waits for its end. */
static void
play(World *world, const char *pod, const char *subresource, const char *query, Heard *heard)
{
    Transport *transport = world_transport(world, NULL, NULL);
    heard_init(heard);
    ck_assert_ptr_nonnull(transport->ops->connect(transport, request_for(pod, subresource, query),
                                                  &HANDLER, heard));
    ck_assert(!heard->ended);
    ck_assert(world_run_until_true(world, 10 * NS_PER_S, has_ended, heard));
    transport->ops->free(transport);
}

START_TEST(a_command_runs_in_a_pod_and_its_end_is_told)
{
    g_autoptr(World) world = world_fixture_new();
    Heard heard;
    play(world, "web", "exec", "{command: [echo, hello], stdout: ['true']}", &heard);
    ck_assert_str_eq(heard.out[1]->str, "hello\n");
    ck_assert_str_eq(value_text_at(heard.status, "status"), "Success");
    heard_clear(&heard);
    play(world, "web", "exec", "{command: [sh, '-c', 'exit 7'], stdout: ['true']}", &heard);
    ck_assert_str_eq(status_reason(heard.status), "NonZeroExitCode");
    ck_assert_str_eq(value_text_at(heard.status, "details.causes[0].message"), "7");
    heard_clear(&heard);
}
END_TEST

START_TEST(input_reaches_the_command)
{
    g_autoptr(World) world = world_fixture_new();
    Transport *transport = world_transport(world, NULL, NULL);
    Heard heard;
    heard_init(&heard);
    TransportStream *stream = transport->ops->connect(
        transport, request_for("web", "exec", "{command: [cat], stdin: ['true'], stdout: ['true']}"),
        &HANDLER, &heard);
    world_run_for(world, NS_PER_S);
    transport->ops->send(stream, 0, "salt\n", 5);
    world_run_for(world, NS_PER_S);
    ck_assert(!heard.ended);
    transport->ops->send(stream, 0, NULL, 0);
    ck_assert(world_run_until_true(world, 10 * NS_PER_S, has_ended, &heard));
    ck_assert_str_eq(heard.out[1]->str, "salt\n");
    transport->ops->free(transport);
    heard_clear(&heard);
}
END_TEST

START_TEST(what_cannot_be_opened_is_refused_by_a_status)
{
    g_autoptr(World) world = world_fixture_new();
    static const struct {
        const char *pod, *subresource, *query, *message;
    } CASES[] = {
        {"nobody", "exec", "{command: [ls]}", "pods \"nobody\" not found"},
        {"web", "exec", "{}", "you must specify at least 1 command"},
        {"web", "exec", "{command: [ls], container: [x]}", "container x is not valid for pod web"},
        {"two", "log", "{}", "a container name must be specified for pod two, choose one of: [a b]"},
        {"web", "status", "{}", "pods have no stream called \"status\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Heard heard;
        play(world, CASES[i].pod, CASES[i].subresource, CASES[i].query, &heard);
        ck_assert_str_eq(status_message(heard.status), CASES[i].message);
        heard_clear(&heard);
    }
}
END_TEST

START_TEST(a_followed_log_can_be_closed_and_a_world_may_end_with_streams_open)
{
    g_autoptr(World) world = world_fixture_new();
    Transport *transport = world_transport(world, NULL, NULL);
    Heard heard;
    heard_init(&heard);
    TransportStream *stream = transport->ops->connect(
        transport, request_for("web", "log", "{follow: ['true']}"), &HANDLER, &heard);
    world_run_for(world, 5 * NS_PER_S);
    ck_assert(!heard.ended);
    transport->ops->disconnect(stream);
    transport->ops->connect(transport, request_for("web", "log", "{follow: ['true']}"), &HANDLER,
                            &heard);
    world_run_for(world, NS_PER_S);
    transport->ops->free(transport);
    ck_assert(!heard.ended);
    heard_clear(&heard);
}
END_TEST

TCase *
outside_case(void)
{
    return test_case("outside", a_command_runs_in_a_pod_and_its_end_is_told,
                     input_reaches_the_command, what_cannot_be_opened_is_refused_by_a_status,
                     a_followed_log_can_be_closed_and_a_world_may_end_with_streams_open);
}
