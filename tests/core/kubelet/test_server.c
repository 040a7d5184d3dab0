/* Port 10250: logs, exec, port forwarding, statistics. */
#include "core/stream/kubelet_wire.h"
#include "tests/core/kubelet/fixture.h"
#include "tests/core/kubelet/suites.h"

typedef struct Caller {
    Fixture *f;
    NetStream *stream;
    GString *output;
    char *refusal;
    int code;
    bool accepted, ended;
} Caller;

static Net *
net_of(Fixture *f)
{
    return test_world_ports(f->world, "api")->net;
}

static void
on_frame(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    Caller *caller = data;
    if (status != NET_OK) {
        caller->stream = NULL;
        return;
    }
    g_autoptr(KubeletFrame) frame = message.body;
    if (frame->kind == KUBELET_ACCEPTED) {
        caller->accepted = true;
    } else if (frame->kind == KUBELET_DATA) {
        gsize length;
        const char *bytes = g_bytes_get_data(frame->bytes, &length);
        g_string_append_len(caller->output, bytes, (gssize)length);
    } else {
        caller->ended = frame->kind == KUBELET_END;
        caller->code = frame->code;
        g_free(caller->refusal);
        caller->refusal = g_strdup(frame->text);
    }
}

static void
caller_open(Caller *caller, Fixture *f, KubeletRequest *take)
{
    *caller = (Caller){.f = f, .output = g_string_new(NULL)};
    NetMessage message = {take, (GDestroyNotify)kubelet_request_free, 100, "kubelet"};
    caller->stream = net_of(f)->ops->open(net_of(f), (NetAddress){"node-1", 10250}, message, on_frame, caller);
    fixture_run(f, 0.1);
}

static void
caller_send(Caller *caller, KubeletFrame *take)
{
    net_of(caller->f)->ops->send(net_of(caller->f), caller->stream,
                                 (NetMessage){take, (GDestroyNotify)kubelet_frame_free, 10, "frame"});
    fixture_run(caller->f, 0.1);
}

static void
caller_clear(Caller *caller)
{
    if (caller->stream != NULL)
        net_of(caller->f)->ops->close(net_of(caller->f), caller->stream);
    g_string_free(caller->output, TRUE);
    g_free(caller->refusal);
}

static char *
log_path(Fixture *f, const char *pod)
{
    return g_strdup_printf("/var/log/pods/default_%s_%s/web/0.log", pod, object_uid(fixture_pod(f, pod)));
}

START_TEST(logs_are_cut_as_asked)
{
    static const struct {
        int64_t tail, limit, since_s;
        bool timestamps;
        const char *wanted;
    } CASES[] = {
        {-1, 0, 0, false, "one\ntwo\nthree\n"},
        {2, 0, 0, false, "two\nthree\n"},
        {0, 0, 0, false, ""},
        {-1, 6, 0, false, "one\ntw"},
        {-1, 0, 2, false, "two\nthree\n"},
        {1, 0, 0, true, "2026-01-01T00:00:03.000000000Z three\n"},
    };
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    g_autofree char *path = log_path(&f, "web-1");
    const char *lines[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++)
        fake_host_add_log(f.runtime, path, TEST_WORLD_START + (i + 1) * NS_PER_S, lines[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        KubeletRequest *request = kubelet_request_new(KUBELET_LOGS, "default", "web-1", NULL);
        request->tail_lines = CASES[i].tail;
        request->limit_bytes = CASES[i].limit;
        request->since_ns = CASES[i].since_s > 0 ? TEST_WORLD_START + CASES[i].since_s * NS_PER_S : 0;
        request->timestamps = CASES[i].timestamps;
        Caller caller;
        caller_open(&caller, &f, request);
        ck_assert(caller.accepted && caller.ended);
        ck_assert_str_eq(caller.output->str, CASES[i].wanted);
        caller_clear(&caller);
    }
    fixture_clear(&f);
}
END_TEST

START_TEST(logs_that_are_not_there_are_refused_with_the_reason)
{
    static const struct {
        const char *pod, *container;
        bool previous;
        int code;
        const char *text;
    } CASES[] = {
        {"nobody", NULL, false, 404, "pods \"nobody\" not found"},
        {"web-1", "other", false, 400, "container other is not valid for pod web-1"},
        {"web-1", "web", true, 400, "previous terminated container \"web\" in pod \"web-1\" not found"},
        {"bad", "web", false, 400, "container \"web\" in pod \"bad\" is waiting to start: image can't be pulled"},
    };
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_pull(f.runtime, "none", NS_PER_MS, "not found");
    fixture_add_web(&f, "web-1");
    fixture_add_pod(&f, "bad", "containers: [{name: web, image: none}]");
    fixture_run(&f, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        KubeletRequest *request = kubelet_request_new(KUBELET_LOGS, "default", CASES[i].pod, CASES[i].container);
        request->previous = CASES[i].previous;
        Caller caller;
        caller_open(&caller, &f, request);
        ck_assert(!caller.accepted);
        ck_assert_int_eq(caller.code, CASES[i].code);
        ck_assert_str_eq(caller.refusal, CASES[i].text);
        caller_clear(&caller);
    }
    fixture_clear(&f);
}
END_TEST

START_TEST(a_followed_log_ends_with_its_container)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    KubeletRequest *request = kubelet_request_new(KUBELET_LOGS, "default", "web-1", NULL);
    request->follow = true;
    Caller caller;
    caller_open(&caller, &f, request);
    ck_assert(caller.accepted && !caller.ended);
    fake_runtime_exit(f.runtime, "web-1", "web", 0);
    fixture_run(&f, 2);
    ck_assert(caller.ended);
    caller_clear(&caller);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_session_carries_bytes_both_ways_and_the_exit_code)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    KubeletRequest *request = kubelet_request_new(KUBELET_EXEC, "default", "web-1", "web");
    request->command = g_strsplit("sh", " ", -1);
    request->stdin_open = request->tty = true;
    Caller caller;
    caller_open(&caller, &f, request);
    ck_assert(caller.accepted);
    caller_send(&caller, kubelet_frame_data(KUBELET_STDIN, "ls\n", 3));
    ck_assert_str_eq(caller.output->str, "hello\nls\n");
    caller_send(&caller, kubelet_frame_new(KUBELET_CLOSE_INPUT));
    ck_assert(caller.ended);
    ck_assert_int_eq(caller.code, 3);
    caller_clear(&caller);
    fixture_clear(&f);
}
END_TEST

START_TEST(an_exec_into_a_container_that_does_not_run_is_refused)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    Caller caller;
    caller_open(&caller, &f, kubelet_request_new(KUBELET_EXEC, "default", "web-1", "other"));
    ck_assert_str_eq(caller.refusal, "container not found (\"other\")");
    caller_clear(&caller);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_forwarded_port_is_closed_when_the_caller_goes)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    KubeletRequest *request = kubelet_request_new(KUBELET_PORT_FORWARD, "default", "web-1", NULL);
    request->port = 80;
    Caller caller;
    caller_open(&caller, &f, request);
    ck_assert(caller.accepted);
    caller_send(&caller, kubelet_frame_data(KUBELET_STDIN, "GET /", 5));
    ck_assert_str_eq(caller.output->str, "GET /");
    net_of(&f)->ops->close(net_of(&f), caller.stream);
    caller.stream = NULL;
    fixture_run(&f, 1);
    caller_clear(&caller);
    fixture_clear(&f);
}
END_TEST

static void
on_answer(NetStatus status, NetMessage message, void *data)
{
    *(KubeletAnswer **)data = message.body;
}

START_TEST(statistics_are_summed_by_pod)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_set_memory(f.runtime, "web", 1000);
    KubeletAnswer *answer = NULL;
    NetMessage message = {kubelet_request_new(KUBELET_STATS_SUMMARY, NULL, NULL, NULL), (GDestroyNotify)kubelet_request_free,
                          10, "stats"};
    net_of(&f)->ops->call(net_of(&f), (NetAddress){"node-1", 10250}, message, 0, on_answer, &answer);
    fixture_run(&f, 1);
    ck_assert_ptr_nonnull(answer);
    ck_assert_int_eq(value_int_at(answer->value, "pods[0].containers[0].memory.workingSetBytes"), 1000);
    ck_assert_str_eq(value_text_at(answer->value, "pods[0].podRef.name"), "web-1");
    kubelet_answer_free(answer);
    fixture_clear(&f);
}
END_TEST

TCase *
server_case(void)
{
    return test_case("server", logs_are_cut_as_asked, logs_that_are_not_there_are_refused_with_the_reason,
                     a_followed_log_ends_with_its_container, a_session_carries_bytes_both_ways_and_the_exit_code,
                     an_exec_into_a_container_that_does_not_run_is_refused, a_forwarded_port_is_closed_when_the_caller_goes,
                     statistics_are_summed_by_pod);
}
