#include "tests/core/dns/bench.h"
#include "tests/core/dns/suites.h"

static void
note(DnsAnswer *take, void *data)
{
    *(char **)data = dns_answer_text(take);
    dns_answer_free(take);
}

static char *
resolve(DnsBench *bench, const char *const *servers, const char *name, DnsType type)
{
    char *text = NULL;
    g_auto(GStrv) search = dns_search_path("default", "cluster.local");
    dns_resolve(test_world_ports(bench->world, "pod")->net, servers, name,
                (const char *const *)search, DNS_NDOTS, type, note, &text);
    test_world_run_for(bench->world, 25 * NS_PER_S);
    return text;
}

START_TEST(a_pod_resolves_short_names_and_outside_names)
{
    static const char *const servers[] = {"dns", NULL};
    static const struct {
        const char *name, *wanted;
    } cases[] = {
        {"web", "NOERROR;web.default.svc.cluster.local. 30 IN A 10.96.0.1;"},
        {"web.default", "NOERROR;web.default.svc.cluster.local. 30 IN A 10.96.0.1;"},
        {"www.example.com", "NOERROR;www.example.com. 300 IN A 10.9.9.9;"},
        {"none", "NXDOMAIN;"},
    };
    DnsBench bench;
    dns_bench_start(&bench, true);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = resolve(&bench, servers, cases[i].name, DNS_A);
        ck_assert_str_eq(found, cases[i].wanted);
    }
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(when_one_server_is_silent_the_next_is_asked)
{
    static const char *const servers[] = {"gone", "dns", NULL}, *const none[] = {"gone", NULL};
    DnsBench bench;
    dns_bench_start(&bench, true);
    test_world_ports(bench.world, "gone");
    test_world_set_down(bench.world, "gone", true);
    g_autofree char *found = resolve(&bench, servers, "web", DNS_A);
    ck_assert_str_eq(found, "NOERROR;web.default.svc.cluster.local. 30 IN A 10.96.0.1;");
    g_autofree char *failed = resolve(&bench, none, "web", DNS_A);
    ck_assert_str_eq(failed, "SERVFAIL;");
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(a_cancelled_resolution_is_not_answered)
{
    static const char *const servers[] = {"dns", NULL};
    DnsBench bench;
    char *text = NULL;
    dns_bench_start(&bench, true);
    Net *net = test_world_ports(bench.world, "pod")->net;
    dns_resolution_cancel(dns_resolve(net, servers, "web", NULL, DNS_NDOTS, DNS_A, note, &text));
    test_world_run_for(bench.world, 25 * NS_PER_S);
    ck_assert_ptr_null(text);
    g_autofree char *longest = g_strnfill(400, 'a');
    ck_assert_ptr_null(dns_resolve(net, servers, longest, NULL, DNS_NDOTS, DNS_A, note, &text));
    ck_assert_str_eq(text, "FORMERR;");
    g_free(text);
    dns_bench_stop(&bench);
}
END_TEST

static void
note_addresses(NetStatus status, NetMessage message, void *data)
{
    GPtrArray *addresses = data;
    if (status != NET_OK || !dns_answer_addresses(message, addresses))
        g_ptr_array_add(addresses, g_strdup("none"));
}

START_TEST(addresses_are_read_from_plain_messages)
{
    DnsBench bench;
    dns_bench_start(&bench, true);
    Net *net = test_world_ports(bench.world, "pod")->net;
    static const char *const cases[][2] = {{"db.default.svc.cluster.local", "10.1.0.1 10.1.0.2"},
                                           {"no.default.svc.cluster.local", "none"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
        net->ops->call(net, (NetAddress){.host = "dns", .port = DNS_PORT},
                       dns_question_message(cases[i][0], DNS_A), 0, note_addresses, found);
        test_world_settle(bench.world);
        g_ptr_array_add(found, NULL);
        g_autofree char *text = g_strjoinv(" ", (char **)found->pdata);
        ck_assert_str_eq(text, cases[i][1]);
    }
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(without_upstream_foreign_names_fail)
{
    DnsBench bench;
    dns_bench_start(&bench, false);
    g_autofree char *found = dns_bench_ask(&bench, "www.example.com", DNS_A);
    ck_assert_str_eq(found, "SERVFAIL;");
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(changes_are_seen_and_nothing_is_answered_before_the_caches_are_full)
{
    DnsBench bench;
    dns_bench_start(&bench, false);
    fake_api_remove(bench.api, "", "services", "default", "web");
    test_world_settle(bench.world);
    g_autofree char *gone = dns_bench_ask(&bench, "web.default.svc.cluster.local", DNS_A);
    ck_assert_str_eq(gone, "NXDOMAIN;");
    fake_api_set_down(bench.api, true);
    const Ports *ports = test_world_ports(bench.world, "dns-2");
    g_autoptr(Client) client =
        client_new(ports, NULL, fake_api_transport(bench.api, "coredns"), NULL);
    DnsServer *second = dns_server_new(ports, client, &(DnsConfig){0});
    char *text = NULL;
    g_autoptr(DnsQuery) query = dns_query_new("cluster.local", DNS_SOA);
    dns_server_answer(second, query, note, &text);
    ck_assert_str_eq(text, "SERVFAIL;");
    g_free(text);
    ck_assert(!dns_server_is_ready(second));
    ck_assert_ptr_null(dns_server_new(ports, client, &(DnsConfig){0}));
    dns_server_free(second);
    g_clear_pointer(&client, client_free);
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(a_server_that_goes_fails_the_questions_that_wait)
{
    DnsBench bench;
    dns_bench_start(&bench, true);
    char *text = NULL;
    g_autoptr(DnsQuery) query = dns_query_new("www.example.com", DNS_A);
    dns_server_answer(bench.server, query, note, &text);
    dns_server_free(g_steal_pointer(&bench.server));
    dns_bench_drop_upstream(&bench);
    ck_assert_str_eq(text, "SERVFAIL;");
    g_free(text);
    test_world_settle(bench.world);
    dns_bench_stop(&bench);
}
END_TEST

TCase *
server_case(void)
{
    return test_case("server", a_pod_resolves_short_names_and_outside_names,
                     when_one_server_is_silent_the_next_is_asked,
                     a_cancelled_resolution_is_not_answered, addresses_are_read_from_plain_messages,
                     without_upstream_foreign_names_fail,
                     changes_are_seen_and_nothing_is_answered_before_the_caches_are_full,
                     a_server_that_goes_fails_the_questions_that_wait);
}
