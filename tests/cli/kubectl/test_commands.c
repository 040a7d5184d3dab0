#include <string.h>

#include "tests/cli/kubectl/bench.h"

static const char deployment[] = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, "
                                 "namespace: default, uid: d1, generation: 1}, spec: "
                                 "{replicas: 2, selector: {matchLabels: {app: web}}, template: "
                                 "{metadata: {labels: {app: web}}, spec: {containers: "
                                 "[{name: c, image: 'nginx:1'}]}}}, status: {observedGeneration: "
                                 "1, replicas: 2, updatedReplicas: 2, availableReplicas: 2}}";

static Bench *
bench_with_deployment(void)
{
    Bench *bench = bench_new();
    bench_put(bench, "apps", "deployments", deployment);
    bench_put(bench, "", "nodes", "{apiVersion: v1, kind: Node, metadata: {name: worker}}");
    bench_put(bench, "", "pods",
              "{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: default, uid: p1, "
              "labels: {app: web}, "
              "ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web, uid: r, "
              "controller: true}]}, spec: "
              "{nodeName: worker, containers: [{name: c, image: nginx}]}, status: {phase: Running, "
              "conditions: [{type: "
              "Ready, status: 'True'}]}}");
    return bench;
}

START_TEST(commands_say_what_kubectl_says)
{
    static const struct {
        const char *line;
        int status;
        const char *out, *err;
    } cases[] = {
        {"label pod web-1 tier=front", 0, "pod/web-1 labeled\n", ""},
        {"label pod web-1 tier=front", 0, "pod/web-1 not labeled\n", ""},
        {"label pod web-1 tier=back", 1, "",
         "error: 'tier' already has a value (front), and --overwrite is false\n"},
        {"label pod web-1 tier-", 0, "pod/web-1 unlabeled\n", ""},
        {"label pod web-1", 1, "", "error: at least one label update is required\n"},
        {"annotate deploy/web note=x", 0, "deployment.apps/web annotated\n", ""},
        {"taint node worker a=b:NoSchedule", 0, "node/worker tainted\n", ""},
        {"taint node worker a=b:NoSchedule", 1, "",
         "error: node worker already has a taint(s) with same effect(s) and --overwrite is "
         "false\n"},
        {"taint node worker a:NoSchedule-", 0, "node/worker untainted\n", ""},
        {"taint node worker a=b:Sometimes", 1, "",
         "error: invalid taint effect: Sometimes, unsupported taint effect\n"},
        {"scale deploy/web --replicas=2", 0, "deployment.apps/web scaled\n", ""},
        {"scale deploy/web --replicas=2 --current-replicas=5", 1, "",
         "error: Expected replicas to be 5, was 2\n"},
        {"rollout status deploy/web", 0, "deployment \"web\" successfully rolled out\n", ""},
        {"rollout pause deploy/web", 0, "deployment.apps/web paused\n", ""},
        {"rollout pause deploy/web", 1, "", "error: deployments.apps \"web\" is already paused\n"},
        {"rollout resume deploy/web", 0, "deployment.apps/web resumed\n", ""},
        {"rollout restart deploy/web", 0, "deployment.apps/web restarted\n", ""},
        {"rollout undo deploy/web", 1, "",
         "error: no rollout history found for deployment \"web\"\n"},
        {"set image deploy/web c=nginx:2", 0, "deployment.apps/web image updated\n", ""},
        {"set image deploy/web x=nginx:2", 1, "", "error: unable to find container named \"x\"\n"},
        {"set env deploy/web A=1", 0, "deployment.apps/web env updated\n", ""},
        {"set resources deploy web --limits=cpu=1", 0,
         "deployment.apps/web resource requirements updated\n", ""},
        {"patch deploy web -p '{\"spec\":{\"replicas\":3}}'", 0, "deployment.apps/web patched\n",
         ""},
        {"patch deploy web -p '{\"spec\":{\"replicas\":3}}'", 0,
         "deployment.apps/web patched (no change)\n", ""},
        {"patch deploy web --type=odd -p x", 1, "",
         "error: --type must be one of [json merge strategic], not \"odd\"\n"},
        {"get deploy web -o jsonpath={.spec.replicas}:{.spec.template.spec.containers[0].image}", 0,
         "3:nginx:2", ""},
        {"wait --for=condition=Ready pod/web-1", 0, "pod/web-1 condition met\n", ""},
        {"wait --for=jsonpath='{.status.phase}'=Failed pod/web-1 --timeout=2s", 1, "",
         "error: timed out waiting for the condition on pods/web-1\n"},
        {"wait --for=delete pod/none", 0, "", ""},
        {"cordon worker", 0, "node/worker cordoned\n", ""},
        {"cordon worker", 0, "node/worker already cordoned\n", ""},
        {"uncordon worker", 0, "node/worker uncordoned\n", ""},
        {"expose deploy web --port=80", 0, "service/web exposed\n", ""},
        {"expose deploy web", 1, "",
         "error: couldn't find port via --port flag or introspection\nSee 'kubectl expose -h' for "
         "help and examples\n"},
        {"run one --image=busybox", 0, "pod/one created\n", ""},
        {"create namespace shop", 0, "namespace/shop created\n", ""},
        {"create namespace shop", 1, "",
         "error: failed to create namespace: namespaces \"shop\" already exists\n"},
        {"create deployment api --image=nginx -r 2 --dry-run=client -o name", 0,
         "deployment.apps/api\n", ""},
        {"create configmap m --from-literal=a=b", 0, "configmap/m created\n", ""},
        {"create secret generic s --from-literal=a=b", 0, "secret/s created\n", ""},
        {"create job j", 1, "", "error: either --image or --from must be specified\n"},
        {"create quota q --hard=pods=2", 0, "resourcequota/q created\n", ""},
        {"top nodes", 1, "", "error: Metrics API not available\n"},
        {"explain pod.spec.nope", 1, "", "error: field \"nope\" does not exist\n"},
        {"edit deploy web", 1, "", "error: there is no editor here; use apply, patch or set\n"},
        {"events", 0, "", "No events found in default namespace.\n"},
        {"exec web-1 -- ls", 1, "", "error: streams of pods cannot be had here\n"},
    };
    g_autoptr(Bench) bench = bench_with_deployment();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        bench_expect(bench, cases[i].line, cases[i].status, cases[i].out, cases[i].err);
}
END_TEST

static void
kubelet_ends_pod(void *data)
{
    Bench *bench = data;
    fake_api_remove(bench->api, "", "pods", "default", "web-1");
}

START_TEST(drain_evicts_what_may_go)
{
    g_autoptr(Bench) bench = bench_with_deployment();
    clock_timer_in(bench->env.ports->clock, NS_PER_S, kubelet_ends_pod, bench);
    bench_expect(bench, "drain worker", 0,
                 "node/worker cordoned\nevicting pod default/web-1\npod/web-1 evicted\nnode/worker "
                 "drained\n",
                 "");
    bench_put(bench, "", "pods",
              "{apiVersion: v1, kind: Pod, metadata: {name: alone, namespace: default, uid: p2}, "
              "spec: {nodeName: worker, "
              "containers: [{name: c, image: nginx}]}, status: {phase: Running}}");
    ck_assert_int_eq(bench_run(bench, "drain worker"), 1);
    ck_assert_ptr_nonnull(strstr(bench->err->str,
                                 "cannot delete Pods that declare no controller (use --force to "
                                 "override): default/alone"));
}
END_TEST

START_TEST(help_names_usage_and_flags)
{
    g_autoptr(Bench) bench = bench_new();
    ck_assert_int_eq(bench_run(bench, "get --help"), 0);
    ck_assert_ptr_nonnull(strstr(bench->out->str, "Usage:\n  kubectl get "));
    ck_assert_int_eq(bench_run(bench, ""), 0);
    ck_assert_ptr_nonnull(strstr(bench->out->str, "Basic Commands (Beginner):\n  create "));
    ck_assert_int_eq(bench_run(bench, "api-resources -o name"), 0);
    ck_assert_ptr_nonnull(strstr(bench->out->str, "deployments.apps\n"));
    ck_assert_int_eq(bench_run(bench, "explain deploy.spec.replicas"), 0);
    ck_assert_ptr_nonnull(strstr(bench->out->str, "FIELD: replicas <integer>"));
}
END_TEST

START_TEST(a_line_is_completed)
{
    static const struct {
        const char *line, *found;
    } cases[] = {
        {"ge", "get"},
        {"get po", "poddisruptionbudgets pods podtemplates"},
        {"get pods we", "web-1"},
        {"logs ", "web-1"},
        {"rollout re", "restart resume"},
        {"get pods --sho", "--show-kind --show-labels --show-managed-fields"},
        {"describe pod/", "pod/web-1"},
    };
    g_autoptr(Bench) bench = bench_with_deployment();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = kubectl_complete(&bench->env, cases[i].line);
        g_autofree char *found = g_strjoinv(" ", words);
        ck_assert_str_eq(found, cases[i].found);
    }
}
END_TEST

TCase *
commands_suite(void)
{
    return test_case("commands", commands_say_what_kubectl_says, drain_evicts_what_may_go,
                     help_names_usage_and_flags, a_line_is_completed);
}
