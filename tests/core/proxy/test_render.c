#include "tests/core/proxy/cluster.h"
#include "tests/core/proxy/suites.h"

static void
check_lines(const char *text, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_autofree char *line = g_strconcat("\n", lines[i], "\n", NULL);
        ck_assert_msg(strstr(text, line) != NULL, "missing: %s in\n%s", lines[i], text);
    }
}

START_TEST(iptables_rules_are_the_real_ones)
{
    static const char *const lines[] = {
        "-A KUBE-NODEPORTS -m comment --comment \"ns2/svc2:p80 health check node port\" -m tcp -p "
        "tcp --dport 30000 -j "
        "ACCEPT",
        "-A KUBE-SERVICES -m comment --comment \"ns6/svc6:p80 has no endpoints\" -m tcp -p tcp -d "
        "172.30.0.46 --dport "
        "80 -j REJECT",
        "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"ns2/svc2:p80 has no local endpoints\" -m "
        "tcp -p tcp -d "
        "1.2.3.4 --dport 80 -j DROP",
        "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"ns2/svc2:p80 has no local endpoints\" -m "
        "addrtype "
        "--dst-type LOCAL -m tcp -p tcp --dport 3001 -j DROP",
        "-A KUBE-PROXY-FIREWALL -m comment --comment \"ns5/svc5:p80 traffic not accepted by "
        "KUBE-FW-NUKIZ6OKUXPJNT4C\" -m tcp -p tcp -d 5.6.7.8 --dport 80 -j DROP",
        "-A KUBE-NODEPORTS -m comment --comment ns3/svc3:p80 -m tcp -p tcp --dport 3003 -j "
        "KUBE-EXT-X27LE4BHSL4DOUIK",
        "-A KUBE-SERVICES -m comment --comment \"ns1/svc1:p80 cluster IP\" -m tcp -p tcp -d "
        "172.30.0.41 --dport 80 -j "
        "KUBE-SVC-XPGD46QRK7WJZT7O",
        "-A KUBE-SERVICES -m comment --comment \"ns5/svc5:p80 loadbalancer IP\" -m tcp -p tcp -d "
        "5.6.7.8 --dport 80 "
        "-j KUBE-FW-NUKIZ6OKUXPJNT4C",
        "-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -m comment --comment \"pod traffic for ns2/svc2:p80 external "
        "destinations\" -s "
        "10.0.0.0/8 -j KUBE-SVC-GNZBNJ2PO5MGZ6GT",
        "-A KUBE-EXT-4SW47YFZTEDKD3PK -j KUBE-SVC-4SW47YFZTEDKD3PK",
        "-A KUBE-FW-NUKIZ6OKUXPJNT4C -m comment --comment \"ns5/svc5:p80 loadbalancer IP\" -s "
        "203.0.113.0/25 -j "
        "KUBE-EXT-NUKIZ6OKUXPJNT4C",
        "-A KUBE-SEP-C6EBXVWJJZMIWKLZ -m comment --comment ns4/svc4:p80 -s 10.180.0.5 -j "
        "KUBE-MARK-MASQ",
        "-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -m tcp -p tcp -j DNAT "
        "--to-destination "
        "10.180.0.1:80",
        "-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment \"ns4/svc4:p80 cluster IP\" -m tcp -p "
        "tcp -d 172.30.0.44 "
        "--dport 80 ! -s 10.0.0.0/8 -j KUBE-MARK-MASQ",
        "-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment \"ns4/svc4:p80 -> 10.180.0.4:80\" -m "
        "statistic --mode "
        "random --probability 0.5000000000 -j KUBE-SEP-UKSFD7AGPMPPLUHC",
        "-A KUBE-SVC-4SW47YFZTEDKD3PK -m comment --comment \"ns4/svc4:p80 -> 10.180.0.5:80\" -j "
        "KUBE-SEP-C6EBXVWJJZMIWKLZ",
        ":KUBE-SVC-XPGD46QRK7WJZT7O - [0:0]",
        "COMMIT",
    };
    Cluster cluster = cluster_new();
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    g_autofree char *text = proxy_rules_iptables(rules, PROXY_IPV4);
    check_lines(text, lines, G_N_ELEMENTS(lines));
    ck_assert_ptr_null(strstr(text, "svc7"));
    ck_assert_ptr_null(strstr(text, "5.6.7.9"));
    ck_assert_ptr_null(strstr(text, "KUBE-SVL-"));
    g_autoptr(ProxyRules) other = cluster_rules(&cluster, "node-2");
    g_autofree char *local = proxy_rules_iptables(other, PROXY_IPV4);
    ck_assert_ptr_nonnull(
        strstr(local, "\n-A KUBE-EXT-GNZBNJ2PO5MGZ6GT -j KUBE-SVL-GNZBNJ2PO5MGZ6GT\n"));
    g_autofree char *v6 = proxy_rules_iptables(rules, PROXY_IPV6);
    ck_assert_ptr_null(strstr(v6, "svc"));
    cluster_clear(&cluster);
}
END_TEST

START_TEST(every_iptables_chain_that_is_jumped_to_exists)
{
    Cluster cluster = cluster_new();
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-2");
    g_autofree char *text = proxy_rules_iptables(rules, PROXY_IPV4);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        const char *jump = strstr(*line, " -j KUBE-");
        if (jump == NULL)
            continue;
        g_autofree char *wanted = g_strdup_printf("\n:%s - [0:0]\n", jump + 4);
        ck_assert_msg(strstr(text, wanted) != NULL, "no chain %s", wanted);
    }
    cluster_clear(&cluster);
}
END_TEST

START_TEST(nftables_rules_are_the_real_ones)
{
    static const char *const lines[] = {
        "add rule ip kube-proxy service-ULMVA6XW-ns1/svc1/tcp/p80 ip daddr 172.30.0.41 ip saddr != "
        "10.0.0.0/8 jump "
        "mark-for-masquerade",
        "add rule ip kube-proxy service-ULMVA6XW-ns1/svc1/tcp/p80 numgen random mod 1 vmap { 0 : "
        "goto "
        "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 }",
        "add rule ip kube-proxy endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80 meta l4proto tcp "
        "dnat to "
        "10.180.0.1:80",
        "add element ip kube-proxy cluster-ips { 172.30.0.46 }",
        "add element ip kube-proxy service-ips { 172.30.0.41 . tcp . 80 : goto "
        "service-ULMVA6XW-ns1/svc1/tcp/p80 }",
        "add element ip kube-proxy service-ips { 192.168.99.22 . tcp . 80 : goto "
        "external-42NFTM6N-ns2/svc2/tcp/p80 }",
        "add element ip kube-proxy no-endpoint-nodeports { tcp . 3001 comment \"ns2/svc2:p80\" : "
        "drop }",
        "add element ip kube-proxy no-endpoint-services { 1.2.3.4 . tcp . 80 comment "
        "\"ns2/svc2:p80\" : drop }",
        "add rule ip kube-proxy service-LAUZTJTB-ns4/svc4/tcp/p80 numgen random mod 2 vmap { 0 : "
        "goto "
        "endpoint-UNZV3OEC-ns4/svc4/tcp/p80__10.180.0.4/80 , 1 : goto "
        "endpoint-5RFCDDV7-ns4/svc4/tcp/p80__10.180.0.5/80 }",
        "add set ip kube-proxy affinity-GTK6MW7G-ns5/svc5/tcp/p80__10.180.0.3/80 { type ipv4_addr "
        "; flags "
        "dynamic,timeout ; timeout 10800s ; }",
        "add rule ip kube-proxy firewall-HVFWP5L3-ns5/svc5/tcp/p80 ip saddr != { 203.0.113.0/25 } "
        "drop",
        "add element ip kube-proxy firewall-ips { 5.6.7.8 . tcp . 80 : goto "
        "firewall-HVFWP5L3-ns5/svc5/tcp/p80 }",
        "add element ip kube-proxy no-endpoint-services { 172.30.0.46 . tcp . 80 comment "
        "\"ns6/svc6:p80\" : goto "
        "reject-chain }",
        "add element ip kube-proxy nodeport-ips { 192.168.0.2 }",
    };
    Cluster cluster = cluster_new();
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    g_autofree char *text = proxy_rules_nftables(rules, PROXY_IPV4);
    check_lines(text, lines, G_N_ELEMENTS(lines));
    cluster_clear(&cluster);
}
END_TEST

START_TEST(ipvs_has_a_virtual_server_for_each_address)
{
    static const char *const lines[] = {
        ("-A -t 172.30.0.44:80 -s rr\n-a -t 172.30.0.44:80 -r 10.180.0.4:80 -m -w 1\n"
         "-a -t 172.30.0.44:80 -r 10.180.0.5:80 -m -w 1"),
        "-A -t 172.30.0.45:80 -s rr -p 10800",
        "-A -t 192.168.0.2:3003 -s rr\n-a -t 192.168.0.2:3003 -r 10.180.0.3:80 -m -w 1",
        "-A -t 172.30.0.46:80 -s rr",
    };
    Cluster cluster = cluster_new();
    g_autoptr(ProxyRules) rules = cluster_rules(&cluster, "node-1");
    g_autofree char *text = proxy_rules_ipvs(rules, PROXY_IPV4);
    check_lines(text, lines, G_N_ELEMENTS(lines));
    ck_assert_ptr_null(strstr(text, "-a -t 192.168.99.22:80"));
    cluster_clear(&cluster);
}
END_TEST

TCase *
render_case(void)
{
    return test_case("render", iptables_rules_are_the_real_ones,
                     every_iptables_chain_that_is_jumped_to_exists,
                     nftables_rules_are_the_real_ones, ipvs_has_a_virtual_server_for_each_address);
}
