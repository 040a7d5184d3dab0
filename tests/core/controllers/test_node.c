/* Node lifecycle, taint eviction, EndpointSlices and Endpoints. */
#include <string.h>

#include "core/controllers/endpoint/slice.h"
#include "core/controllers/node/taints.h"
#include "core/controllers/node/zones.h"
#include "tests/core/controllers/suites.h"

static Bench bench;

static void
put_node(const char *name, const char *zone)
{
    bench_put(&bench, "", "nodes",
              value_new_f("{apiVersion: v1, kind: Node, metadata: {name: %s, uid: %s, labels: "
                          "{'topology.kubernetes.io/zone': %s}}, spec: {}, status: {conditions: "
                          "[{type: Ready, status: 'True', lastHeartbeatTime: "
                          "'2026-01-01T00:00:00Z'}, {type: MemoryPressure, status: 'False'}]}}",
                          name, name, zone));
}

static void
renew(const char *node)
{
    bench_put(&bench, "coordination.k8s.io", "leases",
              value_new_f("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: %s, "
                          "namespace: kube-node-lease}, spec: {renewTime: %V}}",
                          node, time_value(test_world_now(bench.world))));
}

/* Seconds pass while the named nodes renew their leases every ten. */
static void
live(int seconds, const char *const *nodes)
{
    for (int i = 0; i < seconds; i += 10) {
        for (; nodes != NULL && *nodes != NULL; nodes++)
            renew(*nodes);
        bench_run_s(&bench, 10);
    }
}

static const Value *
node(const char *name)
{
    return fake_api_get(bench.api, "", "nodes", NULL, name);
}

static bool
tainted(const char *name, const char *key, const char *effect)
{
    return taints_have(value_at(node(name), "spec.taints"), key, effect);
}

START_TEST(a_silent_node_turns_unknown_is_tainted_and_its_pods_are_evicted)
{
    bench_open(&bench);
    put_node("n1", "z");
    put_node("n2", "z");
    bench_put(&bench, "", "pods",
              value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: d}, spec: "
                          "{nodeName: n1, tolerations: [{key: 'node.kubernetes.io/unreachable', "
                          "operator: Exists, effect: NoExecute, tolerationSeconds: 300}]}, status: "
                          "{phase: Running, conditions: [{type: Ready, status: 'True'}]}}"));
    bench_put(&bench, "", "pods",
              value_new_f(
                  "{apiVersion: v1, kind: Pod, metadata: {name: stays, namespace: d}, spec: "
                  "{nodeName: n1, tolerations: [{operator: Exists}]}, status: {phase: Running}}"));
    bench_start(
        &bench,
        value_new_f("{controllers: [node-lifecycle-controller, taint-eviction-controller]}"));
    ck_assert(bench_has_event(&bench, "RegisteredNode",
                              "Node n1 event: Registered Node n1 in Controller"));
    for (int i = 0; i < 4; i++) {
        renew("n1");
        live(10, (const char *const[]){"n2", NULL});
    }
    ck_assert_str_eq(condition_status(node("n1"), "Ready"), "True");
    for (int i = 0; i < 7; i++)
        live(10, (const char *const[]){"n2", NULL});
    ck_assert_str_eq(condition_status(node("n1"), "Ready"), "Unknown");
    ck_assert_str_eq(condition_reason(node("n1"), "Ready"), "NodeStatusUnknown");
    ck_assert_str_eq(
        value_text(value_get(condition_find(value_at(node("n1"), "status.conditions"), "Ready"),
                             "message")),
        "Kubelet stopped posting node status.");
    ck_assert(tainted("n1", TAINT_UNREACHABLE, "NoSchedule"));
    ck_assert(tainted("n1", TAINT_UNREACHABLE, "NoExecute"));
    ck_assert_str_eq(condition_status(node("n2"), "Ready"), "True");
    ck_assert(!pod_is_ready(bench_get(&bench, "", "pods", "web")));
    ck_assert(bench_has_event(&bench, "NodeNotReady", "Node n1 status is now: NodeNotReady"));
    ck_assert(!object_is_deleting(bench_get(&bench, "", "pods", "web")));
    for (int i = 0; i < 32; i++)
        live(10, (const char *const[]){"n2", NULL});
    const Value *web = bench_get(&bench, "", "pods", "web");
    ck_assert(web == NULL || object_is_deleting(web));
    ck_assert(!object_is_deleting(bench_get(&bench, "", "pods", "stays")));
    ck_assert(bench_has_event(&bench, "TaintManagerEviction", "Marking for deletion Pod d/web"));
    bench_close(&bench);
}
END_TEST

START_TEST(a_node_that_comes_back_loses_its_taints)
{
    bench_open(&bench);
    put_node("n1", "z");
    put_node("n2", "z");
    bench_start(&bench, value_new_f("{controllers: [node-lifecycle-controller]}"));
    for (int i = 0; i < 8; i++)
        live(10, (const char *const[]){"n2", NULL});
    ck_assert(tainted("n1", TAINT_UNREACHABLE, "NoExecute"));
    fake_api_edit(
        bench.api, "", "nodes", NULL, "n1", "status.conditions",
        value_new_f("[{type: Ready, status: 'True', lastHeartbeatTime: '2026-01-01T00:02:00Z'}]"));
    renew("n1");
    live(10, (const char *const[]){"n2", NULL});
    ck_assert_uint_eq(value_size(value_at(node("n1"), "spec.taints")), 0);
    bench_close(&bench);
}
END_TEST

START_TEST(when_all_nodes_are_silent_none_is_evicted)
{
    bench_open(&bench);
    put_node("n1", "z");
    put_node("n2", "z");
    bench_start(&bench, value_new_f("{controllers: [node-lifecycle-controller]}"));
    bench_run_s(&bench, 120);
    ck_assert_str_eq(condition_status(node("n1"), "Ready"), "Unknown");
    ck_assert(tainted("n1", TAINT_UNREACHABLE, "NoSchedule"));
    ck_assert(!tainted("n1", TAINT_UNREACHABLE, "NoExecute"));
    ck_assert(!tainted("n2", TAINT_UNREACHABLE, "NoExecute"));
    bench_close(&bench);
}
END_TEST

START_TEST(zones_are_judged_as_the_real_ones_are)
{
    static const struct {
        size_t ready, not_ready;
        ZoneState state;
    } cases[] = {{3, 0, ZONE_NORMAL}, {0, 1, ZONE_FULL_DISRUPTION},
                 {1, 2, ZONE_NORMAL}, {1, 3, ZONE_PARTIAL_DISRUPTION},
                 {3, 3, ZONE_NORMAL}, {2, 3, ZONE_PARTIAL_DISRUPTION},
                 {0, 0, ZONE_NORMAL}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_assert_int_eq(zone_state(cases[i].ready, cases[i].not_ready, 0.55), cases[i].state);
    Zones *zones = zones_new(&(ZonesOptions){.rate = 0.1,
                                             .secondary_rate = 0.01,
                                             .unhealthy_threshold = 0.55,
                                             .large_cluster_size = 50});
    int64_t next;
    zones_queue(zones, "z", "a");
    zones_queue(zones, "z", "b");
    zones_queue(zones, "z", "a");
    g_autofree char *first = zones_next(zones, 0, &next),
                    *none = zones_next(zones, NS_PER_S, &next);
    ck_assert_str_eq(first, "a");
    ck_assert_ptr_null(none);
    ck_assert_int_eq(next, 10 * NS_PER_S);
    g_autofree char *second = zones_next(zones, 10 * NS_PER_S, &next);
    ck_assert_str_eq(second, "b");
    zones_free(zones);
}
END_TEST

START_TEST(taints_follow_conditions)
{
    g_autoptr(Value) value =
        value_new_f("{spec: {unschedulable: true, taints: [{key: own, effect: NoSchedule}]}, "
                    "status: {conditions: [{type: Ready, status: 'False'}, "
                    "{type: DiskPressure, status: 'True'}]}}");
    g_autoptr(Value) taints = node_taints_wanted(value, NO_EXECUTE_ADD, 0);
    ck_assert(taints_have(taints, "own", "NoSchedule"));
    ck_assert(taints_have(taints, TAINT_NOT_READY, "NoSchedule"));
    ck_assert(taints_have(taints, TAINT_NOT_READY, "NoExecute"));
    ck_assert(taints_have(taints, "node.kubernetes.io/disk-pressure", "NoSchedule"));
    ck_assert(taints_have(taints, "node.kubernetes.io/unschedulable", "NoSchedule"));
    ck_assert_uint_eq(value_size(taints), 5);
    value_edit(&value, "spec.taints", g_steal_pointer(&taints));
    value_edit(&value, "status.conditions[0].status", value_new_string("Unknown"));
    g_autoptr(Value) changed = node_taints_wanted(value, NO_EXECUTE_KEEP, 0);
    ck_assert(taints_have(changed, TAINT_UNREACHABLE, "NoExecute"));
    ck_assert(!taints_have(changed, TAINT_NOT_READY, "NoExecute"));
}
END_TEST

/* ---- slices
 * ------------------------------------------------------------------------------------------ */

static void
put_pods(int from, int to)
{
    for (int i = from; i < to; i++) {
        Value *name = value_new_stringf("p%03d", i), *uid = value_new_stringf("u%03d", i);
        Value *ip = value_new_stringf("10.1.%d.%d", i / 200, i % 200 + 1);
        bench_put(
            &bench, "", "pods",
            value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %V, namespace: d, uid: %V, "
                        "labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c, ports: "
                        "[{name: http, containerPort: 8080}]}]}, status: {phase: Running, podIP: "
                        "%v, podIPs: [{ip: %V}], conditions: [{type: Ready, status: 'True'}]}}",
                        name, uid, ip, ip));
    }
}

static void
put_service(void)
{
    bench_put(
        &bench, "", "services",
        value_new_f("{apiVersion: v1, kind: Service, metadata: {name: web, namespace: d, uid: s1, "
                    "labels: {team: a}}, spec: {selector: {app: web}, ipFamilies: [IPv4], "
                    "clusterIP: '10.96.0.1', ports: [{name: http, port: 80, targetPort: http, "
                    "protocol: TCP}]}}"));
    bench_settle(&bench);
}

static size_t
endpoints_in_slices(void)
{
    size_t count = 0;
    g_autoptr(GPtrArray) slices = bench_list(&bench, "discovery.k8s.io", "endpointslices");
    for (guint i = 0; i < slices->len; i++)
        count += value_size(value_get(objects_item(slices, i), "endpoints"));
    return count;
}

START_TEST(a_service_without_pods_has_one_empty_slice)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [endpointslice-controller]}"));
    put_service();
    ck_assert_uint_eq(fake_api_count(bench.api, "discovery.k8s.io", "endpointslices"), 1);
    ck_assert_uint_eq(endpoints_in_slices(), 0);
    fake_api_forget_requests(bench.api);
    bench_run_s(&bench, 10);
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "P"), 0);
    put_pods(0, 1);
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "discovery.k8s.io", "endpointslices"), 1);
    ck_assert_uint_eq(endpoints_in_slices(), 1);
    bench_close(&bench);
}
END_TEST

START_TEST(slices_hold_a_hundred_and_name_service_ports_and_conditions)
{
    bench_open(&bench);
    put_pods(0, 230);
    bench_put(&bench, "", "nodes",
              value_new_f("{apiVersion: v1, kind: Node, metadata: {name: n1, labels: "
                          "{'topology.kubernetes.io/zone': z1}}}"));
    bench_start(&bench, value_new_f("{controllers: [endpointslice-controller]}"));
    put_service();
    g_autoptr(GPtrArray) slices = bench_list(&bench, "discovery.k8s.io", "endpointslices");
    ck_assert_uint_eq(slices->len, 3);
    ck_assert_uint_eq(endpoints_in_slices(), 230);
    const Value *slice = objects_item(slices, 0);
    ck_assert_str_eq(object_label(slice, "kubernetes.io/service-name"), "web");
    ck_assert_str_eq(object_label(slice, "team"), "a");
    ck_assert_int_eq(value_int_at(slice, "ports[0].port"), 8080);
    ck_assert_str_eq(value_text_at(slice, "endpoints[0].zone"), "z1");
    ck_assert(value_bool_at(slice, "endpoints[0].conditions.ready"));
    fake_api_edit(bench.api, "", "pods", "d", "p000", "status.conditions",
                  value_new_f("[{type: Ready, status: 'False'}]"));
    fake_api_remove(bench.api, "", "pods", "d", "p001");
    bench_settle(&bench);
    ck_assert_uint_eq(endpoints_in_slices(), 229);
    put_pods(230, 240);
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "discovery.k8s.io", "endpointslices"), 3);
    ck_assert_uint_eq(endpoints_in_slices(), 239);
    bench_close(&bench);
}
END_TEST

START_TEST(endpoints_tell_ready_and_not_ready_addresses)
{
    bench_open(&bench);
    put_pods(0, 3);
    fake_api_edit(bench.api, "", "pods", "d", "p001", "status.conditions",
                  value_new_f("[{type: Ready, status: 'False'}]"));
    bench_start(&bench, value_new_f("{controllers: [endpoints-controller]}"));
    put_service();
    const Value *endpoints = bench_get(&bench, "", "endpoints", "web");
    ck_assert_uint_eq(value_size(value_at(endpoints, "subsets[0].addresses")), 2);
    ck_assert_uint_eq(value_size(value_at(endpoints, "subsets[0].notReadyAddresses")), 1);
    ck_assert_int_eq(value_int_at(endpoints, "subsets[0].ports[0].port"), 8080);
    fake_api_remove(bench.api, "", "services", "d", "web");
    bench_settle(&bench);
    ck_assert_ptr_null(bench_get(&bench, "", "endpoints", "web"));
    bench_close(&bench);
}
END_TEST

START_TEST(endpoints_without_selector_are_mirrored_as_slices)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [endpointslice-mirroring-controller]}"));
    bench_put(&bench, "", "services",
              value_new_f("{apiVersion: v1, kind: Service, metadata: {name: db, namespace: d}, "
                          "spec: {ports: [{port: 5432}]}}"));
    bench_put(
        &bench, "", "endpoints",
        value_new_f("{apiVersion: v1, kind: Endpoints, metadata: {name: db, namespace: d, "
                    "uid: e1}, subsets: [{addresses: [{ip: '192.0.2.1'}, {ip: '2001:db8::1'}], "
                    "notReadyAddresses: [{ip: '192.0.2.2'}], ports: [{port: 5432}]}]}"));
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "discovery.k8s.io", "endpointslices"), 2);
    ck_assert_uint_eq(endpoints_in_slices(), 3);
    fake_api_forget_requests(bench.api);
    bench_run_s(&bench, 10);
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "P"), 0);
    fake_api_edit(bench.api, "", "endpoints", "d", "db", "metadata.labels",
                  value_new_f("{'endpointslice.kubernetes.io/skip-mirror': 'true'}"));
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "discovery.k8s.io", "endpointslices"), 0);
    bench_close(&bench);
}
END_TEST

TCase *
node_suite(void)
{
    return test_case("node", a_silent_node_turns_unknown_is_tainted_and_its_pods_are_evicted,
                     a_node_that_comes_back_loses_its_taints,
                     when_all_nodes_are_silent_none_is_evicted,
                     zones_are_judged_as_the_real_ones_are, taints_follow_conditions,
                     a_service_without_pods_has_one_empty_slice,
                     slices_hold_a_hundred_and_name_service_ports_and_conditions,
                     endpoints_tell_ready_and_not_ready_addresses,
                     endpoints_without_selector_are_mirrored_as_slices);
}
