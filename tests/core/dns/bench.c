#include "tests/core/dns/bench.h"

static void
put_service(DnsBench *bench, const char *name, const char *spec_ip, Value *take_extra)
{
    Value *service = value_new_f("{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: "
                                 "default}, spec: {type: ClusterIP, "
                                 "clusterIP: %s, ports: [{name: http, port: 80, protocol: TCP}, "
                                 "{name: dns, port: 53, protocol: UDP}]}}",
                                 name, spec_ip);
    VALUE_MAP_FOREACH (key, item, take_extra) {
        g_autofree char *path = g_strconcat("spec.", key, NULL);
        value_edit(&service, path, value_ref(item));
    }
    value_unref(take_extra);
    fake_api_put(bench->api, "", "services", service);
}

static void
put_slice(DnsBench *bench, const char *service, Value *take_endpoints)
{
    fake_api_put(
        bench->api, "discovery.k8s.io", "endpointslices",
        value_new_f(
            "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: %V, "
            "namespace: "
            "default, labels: {'kubernetes.io/service-name': %s}}, addressType: IPv4, ports: "
            "[{name: http, port: 8080, protocol: TCP}], endpoints: %V}",
            value_new_stringf("%s-abc", service), service, take_endpoints));
}

typedef struct BenchUpstream {
    DnsBench *bench;
    TimerId timer;
    DnsDone done;
    void *data;
    DnsAnswer *answer;
} Upstream;

static void
upstream_later(void *data)
{
    Upstream *upstream = data;
    upstream->bench->upstream = NULL;
    upstream->done(upstream->answer, upstream->data);
    g_free(upstream);
}

static void
ask_upstream(const DnsQuery *query, DnsDone done, void *data, void *context)
{
    DnsBench *bench = context;
    Upstream *upstream = g_new0(Upstream, 1);
    *upstream = (Upstream){.bench = bench, .done = done, .data = data};
    bench->upstream = upstream;
    bool known = g_ascii_strcasecmp(query->name, "www.example.com") == 0;
    upstream->answer = dns_answer_new(known ? DNS_NOERROR : DNS_NXDOMAIN);
    if (known && query->type == DNS_A)
        dns_record_add(upstream->answer->answers, query->name, DNS_A, 300)->address =
            g_strdup("10.9.9.9");
    upstream->timer = clock_timer_in(test_world_ports(bench->world, "dns")->clock, NS_PER_MS,
                                     upstream_later, upstream);
}

void
dns_bench_start(DnsBench *bench, bool with_upstream)
{
    *bench = (DnsBench){.world = test_world_new(1)};
    bench->api = fake_api_new(test_world_ports(bench->world, "api"), NULL);
    fake_api_put(bench->api, "", "namespaces",
                 value_new_f("{apiVersion: v1, kind: Namespace, metadata: {name: default}}"));
    put_service(bench, "web", "10.96.0.1", NULL);
    put_service(bench, "dual", "10.96.0.2", value_new_f("{clusterIPs: ['10.96.0.2', 'fd00::2']}"));
    put_service(bench, "db", "None", NULL);
    put_service(bench, "empty", "None", NULL);
    put_service(bench, "out", "",
                value_new_f("{type: ExternalName, externalName: www.example.com}"));
    put_service(bench, "alias", "",
                value_new_f("{type: ExternalName, externalName: web.default.svc.cluster.local}"));
    put_service(bench, "loop", "",
                value_new_f("{type: ExternalName, externalName: loop.default.svc.cluster.local.}"));
    put_slice(bench, "web", value_new_f("[{addresses: ['10.1.0.9'], conditions: {ready: true}}]"));
    put_slice(
        bench, "db",
        value_new_f("[{addresses: ['10.1.0.1'], hostname: db-0, conditions: {ready: true}}, "
                    "{addresses: ['10.1.0.2'], conditions: {ready: true}}, "
                    "{addresses: ['10.1.0.3'], hostname: db-2, conditions: {ready: false}}]"));
    const Ports *ports = test_world_ports(bench->world, "dns");
    bench->client = client_new(ports, NULL, fake_api_transport(bench->api, "coredns"), NULL);
    bench->server = dns_server_new(
        ports, bench->client,
        &(DnsConfig){.upstream = with_upstream ? ask_upstream : NULL, .context = bench});
    test_world_settle(bench->world);
}

void
dns_bench_drop_upstream(DnsBench *bench)
{
    if (bench->upstream == NULL)
        return;
    clock_cancel(test_world_ports(bench->world, "dns")->clock, &bench->upstream->timer);
    dns_answer_free(bench->upstream->answer);
    g_clear_pointer(&bench->upstream, g_free);
}

void
dns_bench_stop(DnsBench *bench)
{
    dns_server_free(bench->server);
    client_free(bench->client);
    fake_api_free(bench->api);
    test_world_free(bench->world);
}

char *
dns_answer_text(const DnsAnswer *answer)
{
    GString *text = g_string_new(dns_code_name(answer->code));
    g_string_append_c(text, ';');
    for (unsigned i = 0; i < answer->answers->len; i++) {
        g_autofree char *record = dns_record_text(answer->answers->pdata[i]);
        g_string_append_printf(text, "%s;", record);
    }
    for (unsigned i = 0; i < answer->additional->len; i++) {
        g_autofree char *record = dns_record_text(answer->additional->pdata[i]);
        g_string_append_printf(text, " +%s;", record);
    }
    return g_string_free(text, FALSE);
}

static void
note(DnsAnswer *take, void *data)
{
    *(char **)data = dns_answer_text(take);
    dns_answer_free(take);
}

char *
dns_bench_ask(DnsBench *bench, const char *name, DnsType type)
{
    char *text = NULL;
    g_autoptr(DnsQuery) query = dns_query_new(name, type);
    dns_server_answer(bench->server, query, note, &text);
    test_world_settle(bench->world);
    return text;
}
