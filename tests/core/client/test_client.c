#include "core/api/status.h"
#include "core/base/timestamp.h"
#include "core/client/client.h"
#include "tests/core/client/suites.h"

typedef struct {
    TestWorld *world;
    const Ports *ports;
    FakeApi *api;
    Client *client;
    int64_t times[64];
    int codes[64];
    unsigned n;
} Bench;

static Bench bench;

static void
setup_with(double qps, int burst)
{
    bench = (Bench){.world = test_world_new(1)};
    bench.ports = test_world_ports(bench.world, "node-1");
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
    bench.client = client_new(bench.ports, NULL, fake_api_transport(bench.api, "system:test"),
                              &(ClientOptions){.qps = qps, .burst = burst, .field_manager = "t"});
}

static void
teardown(void)
{
    client_free(bench.client);
    fake_api_free(bench.api);
    test_world_free(bench.world);
}

static void
note(ApiResponse *take_response, void *data)
{
    bench.times[bench.n] = test_world_now(bench.world) - TEST_WORLD_START;
    bench.codes[bench.n++] = take_response->code;
    api_response_free(take_response);
}

static Value *
config_map(const char *name)
{
    return value_new_f("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}", name);
}

START_TEST(calls_beyond_the_burst_wait_for_their_tokens_in_order)
{
    setup_with(10, 3);
    for (int i = 0; i < 6; i++) {
        g_autofree char *name = g_strdup_printf("c%d", i);
        client_create(bench.client, "", "configmaps", "default", config_map(name), note, NULL);
    }
    test_world_run_for(bench.world, NS_PER_S);
    ck_assert_uint_eq(bench.n, 6);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_eq(bench.times[i], (i < 3 ? 0 : (i - 2) * 100) * NS_PER_MS + NS_PER_MS);
    const GPtrArray *requests = fake_api_requests(bench.api);
    for (unsigned i = 0; i < 6; i++) {
        g_autofree char *wanted = g_strdup_printf("POST configmaps default/c%u", i);
        ck_assert_str_eq(requests->pdata[i], wanted);
    }
    teardown();
}
END_TEST

START_TEST(an_unlimited_client_sends_at_once)
{
    setup_with(0, 0);
    for (int i = 0; i < 20; i++)
        client_get(bench.client, "", "pods", "default", "none", note, NULL);
    test_world_run_for(bench.world, 2 * NS_PER_MS);
    ck_assert_uint_eq(bench.n, 20);
    ck_assert_int_eq(bench.codes[19], 404);
    teardown();
}
END_TEST

START_TEST(what_is_under_way_when_the_client_goes_is_never_answered)
{
    setup_with(1, 1);
    for (int i = 0; i < 5; i++)
        client_get(bench.client, "", "pods", "default", "none", note, NULL);
    client_free(g_steal_pointer(&bench.client));
    test_world_run_for(bench.world, 60 * NS_PER_S);
    ck_assert_uint_eq(bench.n, 0);
    teardown();
}
END_TEST

START_TEST(a_forgotten_caller_is_not_answered_but_its_write_happens)
{
    int mine = 0;
    setup_with(0, 0);
    client_create(bench.client, "", "configmaps", "default", config_map("a"), note, &mine);
    client_forget(bench.client, &mine);
    test_world_settle(bench.world);
    ck_assert_uint_eq(bench.n, 0);
    ck_assert_ptr_nonnull(fake_api_get(bench.api, "", "configmaps", "default", "a"));
    teardown();
}
END_TEST

START_TEST(a_stale_update_is_a_conflict_and_a_current_one_is_not)
{
    setup_with(0, 0);
    Value *old = value_ref(fake_api_put(bench.api, "", "configmaps", config_map("a")));
    client_update(bench.client, "", "configmaps", NULL,
                  value_set_at(old, "data.k", value_new_string("1")), note, NULL);
    client_update(bench.client, "", "configmaps", NULL,
                  value_set_at(old, "data.k", value_new_string("2")), note, NULL);
    test_world_settle(bench.world);
    ck_assert_int_eq(bench.codes[0], 200);
    ck_assert_int_eq(bench.codes[1], 409);
    ck_assert_str_eq(value_text_at(fake_api_get(bench.api, "", "configmaps", NULL, "a"), "data.k"),
                     "1");
    value_unref(old);
    teardown();
}
END_TEST

START_TEST(patches_of_both_plain_kinds_apply_and_a_failing_one_is_refused)
{
    setup_with(0, 0);
    Value *first = config_map("a");
    value_edit(&first, "data.k", value_new_string("1"));
    fake_api_put(bench.api, "", "configmaps", first);
    client_patch(bench.client, "", "configmaps", NULL, "a", NULL, PATCH_MERGE,
                 value_new_f("{data: {k: null, l: '2'}}"), note, NULL);
    client_patch(bench.client, "", "configmaps", NULL, "a", NULL, PATCH_JSON,
                 value_new_f("[{op: add, path: '/data/m', value: '3'}]"), note, NULL);
    client_patch(bench.client, "", "configmaps", NULL, "a", NULL, PATCH_JSON,
                 value_new_f("[{op: test, path: '/data/m', value: '4'}]"), note, NULL);
    client_patch(bench.client, "", "configmaps", NULL, "b", NULL, PATCH_MERGE, value_new_map(),
                 note, NULL);
    test_world_settle(bench.world);
    static const int wanted[] = {200, 200, 422, 404};
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        ck_assert_int_eq(bench.codes[i], wanted[i]);
    const Value *stored = fake_api_get(bench.api, "", "configmaps", NULL, "a");
    ck_assert_uint_eq(value_size(value_get(stored, "data")), 2);
    ck_assert_str_eq(value_text_at(stored, "data.m"), "3");
    teardown();
}
END_TEST

/* A transport that says "later" twice before it answers. */
typedef struct {
    Transport base;
    Clock *clock;
    unsigned calls;
    ApiDone done;
    void *data;
} Busy;

static void
busy_answer(void *data)
{
    Busy *busy = data;
    ApiResponse *response;
    if (++busy->calls < 3) {
        response = api_response_new(429, status_too_many_requests("busy", 2));
        response->retry_after_s = 2;
    } else {
        response = api_response_new(200, value_new_map());
    }
    busy->done(response, busy->data);
}

static void
busy_call(Transport *transport, ApiRequest *take, ApiDone done, void *data)
{
    Busy *busy = (Busy *)transport;
    busy->done = done;
    busy->data = data;
    api_request_free(take);
    clock_timer_in(busy->clock, 0, busy_answer, busy);
}

static void
busy_free(Transport *transport)
{
}

START_TEST(too_many_requests_are_tried_again_when_the_server_said)
{
    static const TransportOps ops = {.call = busy_call, .free = busy_free};
    bench = (Bench){.world = test_world_new(1)};
    bench.ports = test_world_ports(bench.world, "node-1");
    Busy busy = {.base.ops = &ops, .clock = bench.ports->clock};
    bench.client = client_new(bench.ports, NULL, &busy.base, NULL);
    client_get(bench.client, "", "pods", "default", "a", note, NULL);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_uint_eq(bench.n, 1);
    ck_assert_int_eq(bench.codes[0], 200);
    ck_assert_int_eq(bench.times[0], 4 * NS_PER_S);
    client_free(bench.client);
    test_world_free(bench.world);
}
END_TEST

START_TEST(statuses_say_what_the_real_ones_say)
{
    const ApiKind deployments = {.group = "apps", .resource = "deployments", .kind = "Deployment"};
    const ApiKind pods = {.group = "", .resource = "pods", .kind = "Pod"};
    FieldErrors *errors = field_errors_new();
    g_autoptr(Value) minus = value_new_int(-1);
    g_autoptr(Value) word = value_new_string("a\"b");
    field_invalid(errors, "spec.replicas", minus, "must be greater than or equal to 0");
    field_required(errors, "spec.selector", "");
    field_not_supported(errors, "spec.x", word, (const char *const[]){"A", "B", NULL});
    field_too_long(errors, "metadata.name", 63);
    field_too_many(errors, "spec.y", 5, 1);
    struct {
        Value *status;
        int code;
        const char *reason, *message;
    } cases[] = {
        {status_not_found(&deployments, "web"), 404, "NotFound",
         "deployments.apps \"web\" not found"},
        {status_already_exists(&pods, "web"), 409, "AlreadyExists", "pods \"web\" already exists"},
        {status_conflict(&pods, "web", "no"), 409, "Conflict",
         "Operation cannot be fulfilled on pods \"web\": no"},
        {status_forbidden(&pods, NULL, "no"), 403, "Forbidden", "pods is forbidden: no"},
        {status_forbidden(NULL, NULL, "no"), 403, "Forbidden", "forbidden: no"},
        {status_expired("old"), 410, "Expired", "old"},
        {status_timeout("slow"), 504, "Timeout", "Timeout: slow"},
        {status_internal("%s", "oops"), 500, "InternalError", "Internal error occurred: oops"},
        {status_method_not_supported(&pods, "create"), 405, "MethodNotAllowed",
         "create is not supported on resources of kind \"pods\""},
        {status_invalid(&deployments, "web", errors), 422, "Invalid",
         "Deployment.apps \"web\" is invalid: [spec.replicas: Invalid value: -1: must be greater "
         "than or equal to 0, "
         "spec.selector: Required value, spec.x: Unsupported value: \"a\\\"b\": supported values: "
         "\"A\", \"B\", "
         "metadata.name: Too long: may not be more than 63 bytes, spec.y: Too many: 5: must have "
         "at most 1 item]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ck_assert(status_is(cases[i].status));
        ck_assert_int_eq(status_code(cases[i].status), cases[i].code);
        ck_assert_str_eq(status_reason(cases[i].status), cases[i].reason);
        ck_assert_str_eq(status_message(cases[i].status), cases[i].message);
        value_unref(cases[i].status);
    }
    g_autoptr(Value) success = status_success(&pods, "web", "1-2");
    ck_assert_int_eq(status_code(success), 200);
    ck_assert_str_eq(value_text_at(success, "details.uid"), "1-2");
    ck_assert(!status_is(minus));
    field_errors_free(errors);
}
END_TEST

START_TEST(instants_are_written_and_read_back)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"2026-01-01T00:00:00Z", true, 1767225600},
        {"2024-02-29T12:00:00+02:00", true, 1709200800},
        {"1969-12-31T23:59:59Z", true, -1},
        {"2023-02-29T00:00:00Z", false, 0},
        {"2026-13-01T00:00:00Z", false, 0},
        {"2026-01-01 00:00:00Z", false, 0},
        {"2026-01-01T00:00:00", false, 0},
        {"2026-01-01T00:00:00.Z", false, 0},
        {"9999-01-01T00:00:00Z", false, 0},
        {"", false, 0},
        {NULL, false, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ns = 7;
        ck_assert(timestamp_parse(cases[i].text, &ns) == cases[i].ok);
        ck_assert_int_eq(ns, cases[i].ok ? cases[i].seconds * NS_PER_S : 7);
    }
    for (int64_t ns = -4 * INT64_C(86400000000001); ns < INT64_C(4000000000000000000);
         ns += INT64_C(31536123456789123)) {
        g_autofree char *text = timestamp_nano_text(ns);
        ck_assert_int_eq(timestamp_of(text), ns);
    }
}
END_TEST

TCase *
client_case(void)
{
    return test_case("client", calls_beyond_the_burst_wait_for_their_tokens_in_order,
                     an_unlimited_client_sends_at_once,
                     what_is_under_way_when_the_client_goes_is_never_answered,
                     a_forgotten_caller_is_not_answered_but_its_write_happens,
                     a_stale_update_is_a_conflict_and_a_current_one_is_not,
                     patches_of_both_plain_kinds_apply_and_a_failing_one_is_refused,
                     too_many_requests_are_tried_again_when_the_server_said,
                     statuses_say_what_the_real_ones_say, instants_are_written_and_read_back);
}
