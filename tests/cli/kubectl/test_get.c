#include <string.h>

#include "tests/cli/kubectl/bench.h"

static const char web_pod[] =
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: default, uid: u1, "
    "creationTimestamp: "
    "'2025-12-31T23:55:00Z', labels: {app: web}}, spec: {nodeName: worker-1, containers: [{name: "
    "c, image: nginx}]}, "
    "status: {phase: Running, podIP: 10.0.0.1, hostIP: 192.168.0.1, containerStatuses: [{name: c, "
    "ready: true, "
    "restartCount: 0, state: {running: {startedAt: '2025-12-31T23:55:02Z'}}}]}}";
static const char api_pod[] =
    "{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: default, uid: u2, "
    "creationTimestamp: "
    "'2025-12-31T23:00:00Z', labels: {app: api}}, spec: {containers: [{name: c, image: api}]}, "
    "status: {phase: Pending}}";

static Bench *
bench_with_pods(void)
{
    Bench *bench = bench_new();
    bench_put(bench, "", "pods", web_pod);
    bench_put(bench, "", "pods", api_pod);
    return bench;
}

START_TEST(get_prints_what_kubectl_prints)
{
    static const struct {
        const char *line;
        int status;
        const char *out, *err;
    } cases[] = {
        {"get pods", 0,
         "NAME   READY   STATUS    RESTARTS   AGE\n"
         "api    0/1     Pending   0          60m\n"
         "web    1/1     Running   0          5m\n",
         ""},
        {"kubectl get po web --no-headers", 0, "web   1/1   Running   0     5m\n", ""},
        {"get pod/web -o name", 0, "pod/web\n", ""},
        {"get pods -l app=web -o jsonpath='{.items[*].status.podIP}'", 0, "10.0.0.1", ""},
        {"get pod web -o jsonpath={.spec.nodeName}", 0, "worker-1", ""},
        {"get pods -o custom-columns=N:.metadata.name,NODE:.spec.nodeName", 0,
         "N     NODE\napi   <none>\nweb   worker-1\n", ""},
        {"get pods --sort-by=.metadata.creationTimestamp -o name", 0, "pod/api\npod/web\n", ""},
        {"get pods --sort-by=.status.phase -o name", 0, "pod/api\npod/web\n", ""},
        {"get pods -L app --show-labels web", 0,
         "NAME   READY   STATUS    RESTARTS   AGE   APP   LABELS\n"
         "web    1/1     Running   0          5m    web   app=web\n",
         ""},
        {"get pods -A -l app=api", 0,
         "NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE\n"
         "default     api    0/1     Pending   0          60m\n",
         ""},
        {"get pods none", 1, "", "Error from server (NotFound): pods \"none\" not found\n"},
        {"get pods none --ignore-not-found", 0, "", ""},
        {"get pods -l app=none", 0, "", "No resources found in default namespace.\n"},
        {"get nodes", 0, "", "No resources found\n"},
        {"get pods -n other", 0, "", "No resources found in other namespace.\n"},
        {"get deploy,svc", 0, "", "No resources found in default namespace.\n"},
        {"get pdos", 1, "",
         "error: the server doesn't have a resource type \"pdos\"\ndid you mean: pods, "
         "poddisruptionbudgets?\n"},
        {"get pods --foo", 1, "",
         "error: unknown flag: --foo\nSee 'kubectl get --help' for usage.\n"},
        {"get pods -Z", 1, "",
         "error: unknown shorthand flag: 'Z' in -Z\nSee 'kubectl get --help' for usage.\n"},
        {"get pods -n", 1, "",
         "error: flag needs an argument: 'n' in -n\nSee 'kubectl get --help' for usage.\n"},
        {"get pods web -l app=web", 1, "",
         "error: name cannot be provided when a selector is specified\n"},
        {"get pod/web/x", 1, "",
         "error: arguments in resource/name form must have a single resource and name\n"},
        {"get pods -o toml", 1, "",
         "error: unable to match a printer suitable for the output format \"toml\", allowed "
         "formats are: "
         "custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
         "wide,yaml\n"},
        {"gte pods", 1, "",
         "error: unknown command \"gte\" for \"kubectl\"\n\nDid you mean this?\n\tget\n"},
    };
    g_autoptr(Bench) bench = bench_with_pods();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        bench_expect(bench, cases[i].line, cases[i].status, cases[i].out, cases[i].err);
}
END_TEST

START_TEST(yaml_leaves_managed_fields_out)
{
    g_autoptr(Bench) bench = bench_new();
    bench_put(bench, "", "configmaps",
              "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default, uid: u, "
              "managedFields: [{manager: m}]}, data: {k: v}}");
    ck_assert_int_eq(bench_run(bench, "get cm a -o yaml"), 0);
    ck_assert_ptr_null(strstr(bench->out->str, "managedFields"));
    ck_assert_int_eq(bench_run(bench, "get cm a -o yaml --show-managed-fields"), 0);
    ck_assert_ptr_nonnull(strstr(bench->out->str, "managedFields"));
}
END_TEST

static void
pod_runs(void *data)
{
    Bench *bench = data;
    fake_api_edit(bench->api, "", "pods", "default", "api", "status.phase",
                  value_new_string("Running"));
}

START_TEST(a_watch_goes_on_below_the_list)
{
    g_autoptr(Bench) bench = bench_with_pods();
    clock_timer_in(bench->env.ports->clock, 5 * NS_PER_S, pod_runs, bench);
    bench->patience_ns = 10 * NS_PER_S;
    bench_expect(bench, "get pod api -w", 0,
                 "NAME   READY   STATUS    RESTARTS   AGE\n"
                 "api    0/1     Pending   0          60m\n"
                 "api    0/1     Running   0          60m\n",
                 "");
}
END_TEST

START_TEST(describe_shows_state_and_events)
{
    g_autoptr(Bench) bench = bench_with_pods();
    bench_put(bench, "", "events",
              "{apiVersion: v1, kind: Event, metadata: {name: web.1, namespace: default}, "
              "involvedObject: {kind: Pod, "
              "name: web, namespace: default, uid: u1}, type: Normal, reason: Pulled, message: "
              "Container image, count: "
              "1, firstTimestamp: '2025-12-31T23:56:00Z', lastTimestamp: '2025-12-31T23:56:00Z', "
              "source: {component: "
              "kubelet}}");
    bench_expect(bench, "describe pod we", 0,
                 "Name:         web\n"
                 "Namespace:    default\n"
                 "Node:         worker-1/192.168.0.1\n"
                 "Labels:       app=web\n"
                 "Annotations:  <none>\n"
                 "Status:       Running\n"
                 "IP:           10.0.0.1\n"
                 "IPs:          <none>\n"
                 "Containers:\n"
                 "  c:\n"
                 "    Container ID:   \n"
                 "    Image:          nginx\n"
                 "    Image ID:       \n"
                 "    Port:           <none>\n"
                 "    Host Port:      <none>\n"
                 "    State:          Running\n"
                 "      Started:      Wed, 31 Dec 2025 23:55:02 +0000\n"
                 "    Ready:          True\n"
                 "    Restart Count:  0\n"
                 "    Environment:    <none>\n"
                 "    Mounts:         <none>\n"
                 "Volumes:            <none>\n"
                 "QoS Class:          BestEffort\n"
                 "Node-Selectors:     <none>\n"
                 "Tolerations:        <none>\n"
                 "Events:\n"
                 "  Type    Reason  Age   From     Message\n"
                 "  ----    ------  ----  ----     -------\n"
                 "  Normal  Pulled  4m    kubelet  Container image\n",
                 "");
}
END_TEST

TCase *
get_suite(void)
{
    return test_case("get", get_prints_what_kubectl_prints, yaml_leaves_managed_fields_out,
                     a_watch_goes_on_below_the_list, describe_shows_state_and_events);
}
