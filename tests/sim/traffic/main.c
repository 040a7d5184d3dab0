#include "sim/backend/simulated/node.h"
#include "sim/traffic/client.h"
#include "tests/support/runner.h"

static bool
serve(void *owner, const SimulatedRequest *request, SimulatedRespond *respond)
{
    bool *works = owner;
    if (*works)
        simulated_respond(respond, NS_PER_MS, 200, "ok");
    return *works;
}

typedef struct Fixture {
    Engine *engine;
    SimulatedNet *net;
    bool works;
} Fixture;

static void
setup(Fixture *f)
{
    static const SimulatedSpaceOps ops = {.serve = serve};
    f->engine = engine_new(&(EngineOptions){.seed = 2});
    f->net = simulated_net_new(f->engine);
    f->works = true;
    simulated_net_add_host(f->net, "client", "10.0.0.1");
    simulated_net_add_host(f->net, "server", "10.0.0.2");
    simulated_net_set_owner(f->net, "server", &ops, &f->works);
}

static void
teardown(Fixture *f)
{
    engine_drop_pending(f->engine);
    simulated_net_free(f->net);
    engine_free(f->engine);
}

START_TEST(failures_are_counted_in_their_second)
{
    Fixture f;
    setup(&f);
    TrafficOptions options = {.name = "t", .from = "client", .to = "server", .port = 80, .rate = 100};
    TrafficClient *client = traffic_client_new(f.engine, f.net, &options, NULL);
    engine_run_until(f.engine, 2 * NS_PER_S);
    f.works = false;
    engine_run_until(f.engine, 3 * NS_PER_S);
    f.works = true;
    engine_run_until(f.engine, 4 * NS_PER_S);
    TrafficTotals totals;
    traffic_client_totals(client, &totals);
    ck_assert_uint_ge(totals.sent, 390);
    ck_assert_uint_ge(totals.failed, 95);
    ck_assert_uint_le(totals.failed, 105);
    ck_assert_uint_eq(totals.failed, totals.refused);
    ck_assert_uint_ge(traffic_client_second(client, 2)->failed, 95);
    ck_assert_uint_eq(traffic_client_second(client, 0)->failed, 0);
    ck_assert_int_gt(totals.latency_mean_ns, NS_PER_MS);
    ck_assert_int_lt(totals.latency_p99_ns, 3 * NS_PER_MS);
    g_autoptr(Value) report = traffic_client_report(client);
    ck_assert_int_eq(value_int_at(report, "failed"), (int64_t)totals.failed);
    traffic_client_free(client);
    teardown(&f);
}
END_TEST

START_TEST(wrong_options_are_refused)
{
    Fixture f;
    setup(&f);
    g_autoptr(GError) error = NULL;
    TrafficOptions options = {.name = "t", .from = "nobody", .to = "server", .port = 80, .rate = 1};
    ck_assert_ptr_null(traffic_client_new(f.engine, f.net, &options, &error));
    ck_assert_str_eq(error->message, "traffic t: from: no host or address \"nobody\"");
    options.from = "client";
    options.rate = 0;
    ck_assert_ptr_null(traffic_client_new(f.engine, f.net, &options, NULL));
    teardown(&f);
}
END_TEST

static TCase *
traffic_case(void)
{
    return test_case("traffic", failures_are_counted_in_their_second, wrong_options_are_refused);
}

TEST_RUNNER("sim/traffic", traffic_case)
