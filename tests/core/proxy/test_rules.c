#include "core/base/rng.h"
#include "core/proxy/address.h"
#include "tests/core/proxy/cluster.h"
#include "tests/core/proxy/suites.h"

typedef struct {
    Random base;
    Rng rng;
} SeededRandom;

static uint64_t
seeded_next(Random *random)
{
    return rng_next(&((SeededRandom *)random)->rng);
}

static const RandomOps seeded_ops = {.next = seeded_next};
static SeededRandom dice;

static void
roll(void)
{
    dice = (SeededRandom){.base.ops = &seeded_ops, .rng = rng_derive(1, "dice")};
}

static const char *
route_text(const ProxyRules *rules, const char *ip, uint16_t port, const char *source)
{
    static char text[64];
    ProxyRoute route = proxy_rules_resolve(rules, ip, port, PROXY_TCP, source, &dice.base);
    static const char *const names[] = {"pass", "", "reject", "drop"};
    g_snprintf(text, sizeof text, "%s%s%s", names[route.verdict],
               route.endpoint != NULL ? route.endpoint->address : "",
               route.masquerade ? " masq" : "");
    return text;
}

START_TEST(connections_go_where_the_real_rules_send_them)
{
    static const struct {
        const char *node, *ip;
        uint16_t port;
        const char *source, *wanted;
    } cases[] = {
        {"node-1", "172.30.0.41", 80, "10.0.0.9", "10.180.0.1:80"},
        {"node-1", "172.30.0.41", 80, "10.180.0.1", "10.180.0.1:80 masq"}, /* to itself */
        {"node-1", "172.30.0.41", 80, "8.8.8.8",
         "10.180.0.1:80 masq"}, /* from outside the cluster */
        {"node-1", "172.30.0.41", 81, "10.0.0.9", "pass"},
        {"node-1", "10.0.0.3", 80, "10.0.0.9", "pass"},
        {"node-1", "172.30.0.46", 80, "10.0.0.9", "reject"},
        {"node-1", "192.168.0.2", 3003, "8.8.8.8", "10.180.0.3:80 masq"},
        {"node-1", "fd00::2", 3003, "8.8.8.8", "pass"},
        {"node-1", "192.168.0.3", 3003, "8.8.8.8", "pass"},
        /* policy Local: refused where no endpoint is, but not to the node's own pods and processes
         */
        {"node-1", "192.168.99.22", 80, "8.8.8.8", "drop"},
        {"node-1", "1.2.3.4", 80, "8.8.8.8", "drop"},
        {"node-1", "192.168.0.2", 3001, "8.8.8.8", "drop"},
        {"node-1", "192.168.99.22", 80, "10.0.0.9", "10.180.0.2:80"},
        {"node-1", "192.168.99.22", 80, "192.168.0.2", "10.180.0.2:80 masq"},
        {"node-1", "192.168.99.22", 80, NULL, "10.180.0.2:80 masq"},
        {"node-2", "192.168.99.22", 80, "8.8.8.8", "10.180.0.2:80"},
        /* source ranges guard the load balancer's address only */
        {"node-1", "5.6.7.8", 80, "203.0.113.5", "10.180.0.3:80 masq"},
        {"node-1", "5.6.7.8", 80, "203.0.113.200", "drop"},
        {"node-1", "5.6.7.9", 80, "203.0.113.5", "pass"},
        {"node-1", "192.168.0.2", 3002, "203.0.113.200", "10.180.0.3:80 masq"},
        {"node-1", "172.30.0.47", 80, "10.0.0.9", "pass"},
        {"node-1", "172.30.0.48", 80, "10.0.0.9", "pass"},
        {"node-1", "172.30.0.49", 80, "10.0.0.9", "pass"},
    };
    roll();
    Cluster cluster = cluster_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ProxyRules) rules = cluster_rules(&cluster, cases[i].node);
        const char *found = route_text(rules, cases[i].ip, cases[i].port, cases[i].source);
        ck_assert_msg(strcmp(found, cases[i].wanted) == 0, "case %zu: %s, not %s", i, found,
                      cases[i].wanted);
    }
    cluster_clear(&cluster);
}
END_TEST

START_TEST(endpoints_share_the_connections)
{
    roll();
    Cluster cluster = cluster_new();
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    int first = 0;
    for (int i = 0; i < 1000; i++)
        first += strcmp(route_text(rules, "172.30.0.44", 80, "10.0.0.9"), "10.180.0.4:80") == 0;
    ck_assert_int_gt(first, 400);
    ck_assert_int_lt(first, 600);
    for (uint64_t choice = 0; choice < 4; choice++) {
        ProxyRoute route =
            proxy_rules_resolve_by(rules, "172.30.0.44", 80, PROXY_TCP, "10.0.0.9", choice);
        ck_assert_str_eq(route.endpoint->address,
                         choice % 2 == 0 ? "10.180.0.4:80" : "10.180.0.5:80");
    }
    cluster_clear(&cluster);
}
END_TEST

START_TEST(with_session_affinity_a_client_stays_where_it_was)
{
    roll();
    Cluster cluster = cluster_new();
    for (int i = 10; i < 20; i++) {
        g_autofree char *ip = g_strdup_printf("10.180.1.%d", i);
        cluster_put(&cluster.slices, slice_new("ns5", "svc5", ip, NULL));
    }
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    g_autofree char *first = g_strdup(route_text(rules, "172.30.0.45", 80, "10.0.0.9"));
    int others = 0;
    for (int i = 0; i < 100; i++) {
        ck_assert_str_eq(route_text(rules, "172.30.0.45", 80, "10.0.0.9"), first);
        g_autofree char *source = g_strdup_printf("10.0.0.%d", 10 + i);
        others += strcmp(route_text(rules, "172.30.0.45", 80, source), first) != 0;
    }
    ck_assert_int_gt(others, 60);
    cluster_clear(&cluster);
}
END_TEST

static Value *
slice_with(const char *ip, const char *node, const char *conditions, const char *zone)
{
    Value *slice = slice_new("ns1", "svc1", ip, node);
    g_auto(GStrv) names = g_strsplit(conditions, ",", -1);
    Value *map = value_new_map();
    static const char *const all[] = {"ready", "serving", "terminating"};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        value_edit(&map, all[i],
                   value_new_bool(g_strv_contains((const char *const *)names, all[i])));
    value_edit(&slice, "endpoints[0].conditions", map);
    if (zone != NULL)
        value_edit(&slice, "endpoints[0].hints.forZones", value_new_f("[{name: %s}]", zone));
    return slice;
}

START_TEST(which_endpoints_may_be_taken_follows_readiness_and_topology)
{
    static const struct {
        const char *endpoints[4][4]; /* ip, node, conditions, zone hint */
        const char *cluster, *local;
    } cases[] = {
        {{{"10.1.0.1", "node-1", "ready,serving", NULL},
          {"10.1.0.2", "node-2", "ready,serving", NULL}},
         "10.1.0.1:80 10.1.0.2:80 ",
         "10.1.0.1:80 "},
        {{{"10.1.0.1", "node-1", "", NULL}, {"10.1.0.2", "node-2", "ready,serving", NULL}},
         "10.1.0.2:80 ",
         ""},
        /* none is ready: those that still serve while they terminate */
        {{{"10.1.0.1", "node-1", "serving,terminating", NULL},
          {"10.1.0.2", "node-2", "terminating", NULL}},
         "10.1.0.1:80 ",
         "10.1.0.1:80 "},
        {{{"10.1.0.1", "node-1", "serving,terminating", NULL},
          {"10.1.0.2", "node-2", "ready", NULL}},
         "10.1.0.2:80 ",
         "10.1.0.1:80 "},
        /* hints count when all ready endpoints have them */
        {{{"10.1.0.1", "node-1", "ready", "zone-a"}, {"10.1.0.2", "node-2", "ready", "zone-b"}},
         "10.1.0.1:80 ",
         "10.1.0.1:80 "},
        {{{"10.1.0.1", "node-1", "ready", "zone-a"}, {"10.1.0.2", "node-2", "ready", NULL}},
         "10.1.0.1:80 10.1.0.2:80 ",
         "10.1.0.1:80 "},
        {{{"10.1.0.1", "node-1", "ready", "zone-c"}, {"10.1.0.2", "node-2", "ready", "zone-b"}},
         "10.1.0.1:80 10.1.0.2:80 ",
         "10.1.0.1:80 "},
        {{{"not an address", "node-1", "ready", NULL}}, "", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Cluster cluster = cluster_new();
        pmap_remove(&cluster.slices, "ns1/svc1-10.180.0.1");
        for (size_t k = 0; k < 4 && cases[i].endpoints[k][0] != NULL; k++)
            cluster_put(&cluster.slices,
                        slice_with(cases[i].endpoints[k][0], cases[i].endpoints[k][1],
                                   cases[i].endpoints[k][2], cases[i].endpoints[k][3]));
        g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
        const ProxyPort *port = proxy_rules_find(rules, "172.30.0.41", 80, PROXY_TCP);
        for (int scope = PROXY_CLUSTER; scope <= PROXY_LOCAL; scope++) {
            g_autoptr(GString) text = g_string_new(NULL);
            g_autoptr(GPtrArray) found = proxy_rules_endpoints(rules, port, (ProxyScope)scope);
            for (unsigned k = 0; k < found->len; k++)
                g_string_append_printf(text, "%s ", ((ProxyEndpoint *)found->pdata[k])->address);
            ck_assert_str_eq(text->str, scope == PROXY_CLUSTER ? cases[i].cluster : cases[i].local);
        }
        cluster_clear(&cluster);
    }
}
END_TEST

START_TEST(what_did_not_change_is_taken_over)
{
    Cluster cluster = cluster_new();
    g_autoptr(ProxyTable) first = proxy_table_new(cluster.services, cluster.slices, NULL);
    g_autoptr(ProxyTable) same = proxy_table_new(cluster.services, cluster.slices, first);
    ck_assert_ptr_eq(first, same);
    cluster_put(&cluster.slices, slice_new("ns1", "svc1", "10.180.0.77", NULL));
    g_autoptr(ProxyTable) next = proxy_table_new(cluster.services, cluster.slices, first);
    ck_assert_ptr_ne(first, next);
    ck_assert_uint_eq(proxy_table_count(next), 6);
    ck_assert_ptr_ne(proxy_table_port(first, 0), proxy_table_port(next, 0));
    ck_assert_ptr_eq(proxy_table_port(first, 1), proxy_table_port(next, 1));
    pmap_remove(&cluster.services, "ns6/svc6");
    g_autoptr(ProxyTable) less = proxy_table_new(cluster.services, cluster.slices, next);
    ck_assert_uint_eq(proxy_table_count(less), 5);
    cluster_clear(&cluster);
}
END_TEST

START_TEST(a_dual_stack_service_has_rules_in_both_families)
{
    roll();
    Cluster cluster = cluster_new();
    Value *service = value_ref(pmap_get(cluster.services, "ns1/svc1"));
    value_edit(&service, "spec.clusterIPs", value_new_f("['172.30.0.41', 'fd00:10::1']"));
    cluster_put(&cluster.services, service);
    Value *slice = slice_new("ns1", "svc1", "fd00:20::1", NULL);
    value_edit(&slice, "addressType", value_new_string("IPv6"));
    cluster_put(&cluster.slices, slice);
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    ck_assert_str_eq(route_text(rules, "fd00:10::1", 80, NULL), "[fd00:20::1]:80 masq");
    ck_assert_str_eq(route_text(rules, "172.30.0.41", 80, "10.0.0.9"), "10.180.0.1:80");
    cluster_clear(&cluster);
}
END_TEST

START_TEST(an_endpoint_in_two_slices_counts_once)
{
    Cluster cluster = cluster_new();
    Value *twin = slice_new("ns1", "svc1", "10.180.0.1", "node-1");
    value_edit(&twin, "metadata.name", value_new_string("a-twin"));
    value_edit(&twin, "endpoints[0].conditions.ready", value_new_bool(false));
    cluster_put(&cluster.slices, twin);
    g_autoptr(ProxyTable) table = proxy_table_new(cluster.services, cluster.slices, NULL);
    ck_assert_uint_eq(proxy_table_port(table, 0)->n_endpoints, 1);
    ck_assert(proxy_table_port(table, 0)->endpoints[0].ready);
    cluster_clear(&cluster);
}
END_TEST

START_TEST(addresses_are_matched_against_prefixes)
{
    static const struct {
        const char *ip, *cidr;
        bool in;
    } cases[] = {
        {"10.1.2.3", "10.0.0.0/8", true},
        {"11.1.2.3", "10.0.0.0/8", false},
        {"203.0.113.127", "203.0.113.0/25", true},
        {"203.0.113.128", "203.0.113.0/25", false},
        {"1.2.3.4", "0.0.0.0/0", true},
        {"fd00::1", "fd00::/16", true},
        {"fd00::1", "0.0.0.0/0", false},
        {"10.1.2.3", "10.0.0.0/33", false},
        {"10.1.2.3", "10.0.0.0", false},
        {"10.1.2", "10.0.0.0/8", false},
        {"10.1.2.3", "10.0.0.0/x", false},
        {NULL, "10.0.0.0/8", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_assert(ip_in_cidr(cases[i].ip, cases[i].cidr) == cases[i].in);
}
END_TEST

TCase *
rules_case(void)
{
    return test_case(
        "rules", connections_go_where_the_real_rules_send_them, endpoints_share_the_connections,
        with_session_affinity_a_client_stays_where_it_was,
        which_endpoints_may_be_taken_follows_readiness_and_topology,
        what_did_not_change_is_taken_over, a_dual_stack_service_has_rules_in_both_families,
        an_endpoint_in_two_slices_counts_once, addresses_are_matched_against_prefixes);
}
