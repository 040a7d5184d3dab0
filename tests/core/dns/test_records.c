#include "tests/core/dns/bench.h"
#include "tests/core/dns/suites.h"

#define DOMAIN ".svc.cluster.local"

START_TEST(names_of_services_and_pods_are_answered_as_the_specification_says)
{
    static const struct {
        const char *name;
        DnsType type;
        const char *wanted;
    } cases[] = {
        {"web.default" DOMAIN, DNS_A, "NOERROR;web.default" DOMAIN ". 30 IN A 10.96.0.1;"},
        {"web.default" DOMAIN ".", DNS_A, "NOERROR;web.default" DOMAIN ". 30 IN A 10.96.0.1;"},
        {"WEB.Default" DOMAIN, DNS_A, "NOERROR;WEB.Default" DOMAIN ". 30 IN A 10.96.0.1;"},
        {"web.default" DOMAIN, DNS_AAAA, "NOERROR;"},
        {"dual.default" DOMAIN, DNS_AAAA, "NOERROR;dual.default" DOMAIN ". 30 IN AAAA fd00::2;"},
        {"_http._tcp.web.default" DOMAIN, DNS_SRV,
         "NOERROR;_http._tcp.web.default" DOMAIN ". 30 IN SRV 0 100 80 web.default" DOMAIN
         ".; +web.default" DOMAIN ". 30 IN A 10.96.0.1;"},
        {"_http._udp.web.default" DOMAIN, DNS_SRV, "NXDOMAIN;"},
        {"_none._tcp.web.default" DOMAIN, DNS_SRV, "NXDOMAIN;"},
        {"10-1-0-9.web.default" DOMAIN, DNS_A,
         "NOERROR;10-1-0-9.web.default" DOMAIN ". 30 IN A 10.1.0.9;"},
        /* headless */
        {"db.default" DOMAIN, DNS_A,
         "NOERROR;db.default" DOMAIN ". 30 IN A 10.1.0.1;db.default" DOMAIN ". 30 IN A 10.1.0.2;"},
        {"db-0.db.default" DOMAIN, DNS_A, "NOERROR;db-0.db.default" DOMAIN ". 30 IN A 10.1.0.1;"},
        {"10-1-0-2.db.default" DOMAIN, DNS_A,
         "NOERROR;10-1-0-2.db.default" DOMAIN ". 30 IN A 10.1.0.2;"},
        {"db-2.db.default" DOMAIN, DNS_A, "NXDOMAIN;"}, /* not ready */
        {"_http._tcp.db.default" DOMAIN, DNS_SRV,
         "NOERROR;_http._tcp.db.default" DOMAIN ". 30 IN SRV 0 50 8080 db-0.db.default" DOMAIN
         ".;_http._tcp.db.default" DOMAIN ". 30 IN SRV 0 50 8080 10-1-0-2.db.default" DOMAIN
         ".; +db-0.db.default" DOMAIN ". 30 IN A 10.1.0.1; +10-1-0-2.db.default" DOMAIN
         ". 30 IN A 10.1.0.2;"},
        {"empty.default" DOMAIN, DNS_A, "NXDOMAIN;"},
        /* names */
        {"none.default" DOMAIN, DNS_A, "NXDOMAIN;"},
        {"web.nowhere" DOMAIN, DNS_A, "NXDOMAIN;"},
        {"default" DOMAIN, DNS_A, "NOERROR;"},
        {"nowhere" DOMAIN, DNS_A, "NXDOMAIN;"},
        {"svc.cluster.local", DNS_A, "NOERROR;"},
        {"cluster.local", DNS_A, "NOERROR;"},
        {"cluster.local", DNS_NS, "NOERROR;cluster.local. 30 IN NS ns.dns.cluster.local.;"},
        {"other.cluster.local", DNS_A, "NXDOMAIN;"},
        {"a.b.c.d.web.default" DOMAIN, DNS_A, "NXDOMAIN;"},
        {"dns-version.cluster.local", DNS_TXT,
         "NOERROR;dns-version.cluster.local. 30 IN TXT \"1.1.0\";"},
        {"dns-version.cluster.local", DNS_A, "NOERROR;"},
        /* pods insecure */
        {"10-1-2-3.default.pod.cluster.local", DNS_A,
         "NOERROR;10-1-2-3.default.pod.cluster.local. 30 IN A 10.1.2.3;"},
        {"10-1-2-3.nowhere.pod.cluster.local", DNS_A, "NXDOMAIN;"},
        {"10-1-2-300.default.pod.cluster.local", DNS_A, "NXDOMAIN;"},
        {"fd00--1.default.pod.cluster.local", DNS_AAAA,
         "NOERROR;fd00--1.default.pod.cluster.local. 30 IN AAAA fd00::1;"},
        /* reverse */
        {"1.0.96.10.in-addr.arpa", DNS_PTR,
         "NOERROR;1.0.96.10.in-addr.arpa. 30 IN PTR web.default" DOMAIN ".;"},
        {"1.0.1.10.in-addr.arpa", DNS_PTR,
         "NOERROR;1.0.1.10.in-addr.arpa. 30 IN PTR db-0.db.default" DOMAIN ".;"},
        {"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", DNS_PTR,
         "NOERROR;2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa. 30 IN "
         "PTR "
         "dual.default" DOMAIN ".;"},
        {"9.9.9.9.in-addr.arpa", DNS_PTR, "NXDOMAIN;"},
        {"9.9.9.in-addr.arpa", DNS_PTR, "NXDOMAIN;"},
        /* others */
        {"out.default" DOMAIN, DNS_CNAME,
         "NOERROR;out.default" DOMAIN ". 30 IN CNAME www.example.com.;"},
        {"out.default" DOMAIN, DNS_A,
         "NOERROR;out.default" DOMAIN
         ". 30 IN CNAME www.example.com.;www.example.com. 300 IN A 10.9.9.9;"},
        {"alias.default" DOMAIN, DNS_A,
         "NOERROR;alias.default" DOMAIN ". 30 IN CNAME web.default" DOMAIN ".;web.default" DOMAIN
         ". 30 IN A 10.96.0.1;"},
        {"loop.default" DOMAIN, DNS_A, "SERVFAIL;"},
        {"www.example.com", DNS_A, "NOERROR;www.example.com. 300 IN A 10.9.9.9;"},
        {"nothing.example.com", DNS_A, "NXDOMAIN;"},
        {"notcluster.local", DNS_A, "NXDOMAIN;"},
    };
    DnsBench bench;
    dns_bench_start(&bench, true);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = dns_bench_ask(&bench, cases[i].name, cases[i].type);
        ck_assert_msg(g_strcmp0(found, cases[i].wanted) == 0, "%s: %s, not %s", cases[i].name,
                      found, cases[i].wanted);
    }
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(a_name_without_records_carries_the_zones_soa)
{
    DnsBench bench;
    dns_bench_start(&bench, false);
    g_autofree char *text = dns_bench_ask(&bench, "cluster.local", DNS_SOA);
    ck_assert(g_str_has_prefix(text, "NOERROR;cluster.local. 30 IN SOA ns.dns.cluster.local. "
                                     "hostmaster.cluster.local. "));
    dns_bench_stop(&bench);
}
END_TEST

START_TEST(search_paths_are_tried_as_by_glibc)
{
    static const struct {
        const char *name;
        unsigned ndots;
        const char *wanted;
    } cases[] = {
        {"web", 5, "web.default.svc.cluster.local web.svc.cluster.local web.cluster.local web"},
        {"web.default", 5,
         "web.default.default.svc.cluster.local web.default.svc.cluster.local "
         "web.default.cluster.local web.default"},
        {"www.example.com.", 5, "www.example.com"},
        {"a.b.c.d.e.f", 5,
         "a.b.c.d.e.f a.b.c.d.e.f.default.svc.cluster.local a.b.c.d.e.f.svc.cluster.local "
         "a.b.c.d.e.f.cluster.local"},
        {"www.example.com", 1,
         "www.example.com www.example.com.default.svc.cluster.local "
         "www.example.com.svc.cluster.local www.example.com.cluster.local"},
    };
    g_auto(GStrv) path = dns_search_path("default", "cluster.local");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) names =
            dns_search_names(cases[i].name, (const char *const *)path, cases[i].ndots);
        g_autofree char *text = g_strjoinv(" ", names);
        ck_assert_str_eq(text, cases[i].wanted);
    }
    g_autofree char *longest = g_strnfill(400, 'a');
    g_auto(GStrv) none = dns_search_names(longest, (const char *const *)path, 5);
    ck_assert_ptr_null(none[0]);
}
END_TEST

TCase *
records_case(void)
{
    return test_case("records", names_of_services_and_pods_are_answered_as_the_specification_says,
                     a_name_without_records_carries_the_zones_soa,
                     search_paths_are_tried_as_by_glibc);
}
