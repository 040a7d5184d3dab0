#include "core/proxy/proxy.h"
#include "tests/core/proxy/cluster.h"
#include "tests/core/proxy/suites.h"
#include "tests/support/fake_api.h"
#include "tests/support/test_ports.h"

/* A dataplane that takes 10 ms, and can be told to fail. */
typedef struct {
    Dataplane base;
    const Ports *ports;
    unsigned applied, fail;
    int64_t last_ns;
    void (*done)(const char *error, void *data);
    void *data;
    TimerId timer;
} TestDataplane;

static void
dataplane_done(void *data)
{
    TestDataplane *dataplane = data;
    dataplane->timer = 0;
    bool fails = dataplane->fail > 0;
    dataplane->fail -= fails ? 1 : 0;
    dataplane->done(fails ? "iptables-restore: line 1 failed" : NULL, dataplane->data);
}

static void
dataplane_apply(Dataplane *base, struct ProxyRules *rules,
                void (*done)(const char *error, void *data), void *data)
{
    TestDataplane *dataplane = (TestDataplane *)base;
    dataplane->applied++;
    dataplane->last_ns = clock_now(dataplane->ports->clock);
    dataplane->done = done;
    dataplane->data = data;
    dataplane->timer =
        clock_timer_in(dataplane->ports->clock, 10 * NS_PER_MS, dataplane_done, dataplane);
}

static const DataplaneOps dataplane_ops = {.apply = dataplane_apply};

#define PROXIES 3

typedef struct {
    TestWorld *world;
    FakeApi *api;
    ProxyShared *shared;
    Client *clients[PROXIES];
    TestDataplane dataplanes[PROXIES];
    Proxy *proxies[PROXIES];
} Bench;

static Bench bench;

static void
put_service(const char *name, const char *ip)
{
    fake_api_put(
        bench.api, "", "services",
        value_new_f(
            "{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: ns1}, spec: {type: "
            "ClusterIP, clusterIP: %s, ports: [{name: p80, port: 80, protocol: TCP}]}}",
            name, ip));
}

static void
setup(void)
{
    bench = (Bench){.world = test_world_new(1), .shared = proxy_shared_new()};
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
    put_service("svc1", "172.30.0.41");
    fake_api_put(bench.api, "discovery.k8s.io", "endpointslices",
                 slice_new("ns1", "svc1", "10.180.0.1", NULL));
    for (int i = 0; i < PROXIES; i++) {
        g_autofree char *node = g_strdup_printf("node-%d", i);
        fake_api_put(
            bench.api, "", "nodes",
            value_new_f(
                "{apiVersion: v1, kind: Node, metadata: {name: %s}, spec: {podCIDR: 10.0.0.0/24}, "
                "status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}",
                node));
        const Ports *ports = test_world_ports(bench.world, node);
        bench.clients[i] = client_new(ports, NULL, fake_api_transport(bench.api, node), NULL);
        bench.dataplanes[i] = (TestDataplane){.base.ops = &dataplane_ops, .ports = ports};
        bench.proxies[i] = proxy_new(ports, bench.clients[i], &bench.dataplanes[i].base,
                                     &(ProxyConfig){.node = node, .shared = bench.shared});
    }
}

static void
teardown(void)
{
    for (int i = 0; i < PROXIES; i++) {
        proxy_free(bench.proxies[i]);
        client_free(bench.clients[i]);
    }
    proxy_shared_unref(bench.shared);
    fake_api_free(bench.api);
    test_world_free(bench.world);
}

static bool
serves(const char *ip)
{
    for (int i = 0; i < PROXIES; i++)
        if (proxy_rules_in_force(bench.proxies[i]) == NULL ||
            proxy_rules_find(proxy_rules_in_force(bench.proxies[i]), ip, 80, PROXY_TCP) == NULL)
            return false;
    return true;
}

START_TEST(all_proxies_program_the_services_from_one_table)
{
    setup();
    test_world_settle(bench.world);
    ck_assert(serves("172.30.0.41"));
    ck_assert(proxy_has_synced(bench.proxies[0]));
    ck_assert_uint_eq(proxy_shared_made(bench.shared), 1);
    ck_assert_uint_eq(bench.dataplanes[0].applied, 1);
    put_service("svc2", "172.30.0.42");
    test_world_run_for(bench.world, 2 * NS_PER_S);
    ck_assert(serves("172.30.0.42"));
    ck_assert_uint_eq(proxy_shared_made(bench.shared), 2);
    teardown();
}
END_TEST

START_TEST(many_changes_are_programmed_once_a_second)
{
    setup();
    test_world_run_for(bench.world, 5 * NS_PER_S);
    unsigned before = bench.dataplanes[0].applied;
    for (int i = 0; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("s%d", i);
        g_autofree char *ip = g_strdup_printf("172.30.1.%d", i);
        put_service(name, ip);
        test_world_run_for(bench.world, 100 * NS_PER_MS);
    }
    test_world_run_for(bench.world, 3 * NS_PER_S);
    ck_assert(serves("172.30.1.39"));
    ck_assert_uint_ge(bench.dataplanes[0].applied - before, 4);
    ck_assert_uint_le(bench.dataplanes[0].applied - before, 7);
    teardown();
}
END_TEST

START_TEST(a_change_that_changes_no_rule_is_not_programmed)
{
    setup();
    test_world_run_for(bench.world, 5 * NS_PER_S);
    fake_api_put(bench.api, "", "services",
                 value_new_f("{apiVersion: v1, kind: Service, metadata: {name: h, namespace: ns1}, "
                             "spec: {clusterIP: "
                             "None, ports: [{port: 80}]}}"));
    test_world_run_for(bench.world, 5 * NS_PER_S);
    ck_assert_uint_eq(bench.dataplanes[0].applied, 1);
    teardown();
}
END_TEST

START_TEST(a_failed_programming_is_tried_again)
{
    setup();
    bench.dataplanes[0].fail = 1;
    test_world_settle(bench.world);
    ck_assert_ptr_null(proxy_rules_in_force(bench.proxies[0]));
    test_world_run_for(bench.world, 31 * NS_PER_S);
    ck_assert(serves("172.30.0.41"));
    ck_assert_uint_eq(bench.dataplanes[0].applied, 2);
    ck_assert(test_texts_have(test_world_log(bench.world), "line 1 failed"));
    teardown();
}
END_TEST

START_TEST(a_proxy_killed_while_it_programs_leaves_nothing)
{
    setup();
    test_world_run_for(bench.world, 5 * NS_PER_MS);
    for (int i = 0; i < PROXIES; i++) {
        ck_assert_uint_ne(bench.dataplanes[i].timer, 0);
        clock_cancel(bench.dataplanes[i].ports->clock, &bench.dataplanes[i].timer);
        proxy_free(g_steal_pointer(&bench.proxies[i]));
    }
    test_world_run_for(bench.world, NS_PER_S);
    teardown();
}
END_TEST

TCase *
proxy_case(void)
{
    return test_case(
        "proxy", all_proxies_program_the_services_from_one_table,
        many_changes_are_programmed_once_a_second, a_change_that_changes_no_rule_is_not_programmed,
        a_failed_programming_is_tried_again, a_proxy_killed_while_it_programs_leaves_nothing);
}
