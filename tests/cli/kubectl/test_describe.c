#include <string.h>

#include "tests/cli/kubectl/bench.h"

/* Runs of spaces as one: the layout is tested with the pod's. */
static char *
squeeze(const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *at = text; *at != '\0'; at++)
        if (*at != ' ' || out->len == 0 || out->str[out->len - 1] != ' ')
            g_string_append_c(out, *at);
    return g_strdup(out->str);
}

/* Each kind's describer, fed with an object, and a line that it must print. */
START_TEST(each_describer_prints_its_kind)
{
    static const struct {
        const char *group, *resource, *yaml, *line, *part;
    } cases[] = {
        {"", "nodes",
         "{apiVersion: v1, kind: Node, metadata: {name: worker, labels: "
         "{node-role.kubernetes.io/worker: ''}}, spec: "
         "{taints: [{key: a, value: b, effect: NoSchedule}]}, status: {allocatable: {cpu: '2', "
         "memory: 4Gi}}}",
         "describe node worker", "Taints: a=b:NoSchedule\n"},
        {"", "services",
         "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: default}, spec: {type: "
         "ClusterIP, selector: {app: "
         "web}, clusterIP: 10.96.0.5, ports: [{port: 80, protocol: TCP, targetPort: 8080}]}}",
         "describe svc web", "TargetPort: 8080/TCP\n"},
        {"apps", "deployments",
         "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: default}, spec: "
         "{replicas: 2, selector: "
         "{matchLabels: {app: web}}, strategy: {type: Recreate}, template: {metadata: {labels: "
         "{app: web}}, spec: {containers: "
         "[{name: c, image: nginx}]}}}}",
         "describe deploy web",
         "Replicas: 2 desired | 0 updated | 0 total | 0 available | 0 unavailable\n"},
        {"apps", "statefulsets",
         "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: default}, spec: "
         "{selector: {matchLabels: {a: "
         "b}}, template: {}}}",
         "describe sts db", "Volume Claims: <none>\n"},
        {"apps", "daemonsets",
         "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ds, namespace: default}, spec: "
         "{selector: {matchLabels: {a: "
         "b}}, template: {}}}",
         "describe ds ds", "Number of Nodes Misscheduled: 0\n"},
        {"batch", "jobs",
         "{apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: default}, spec: "
         "{parallelism: 1, template: {}}}",
         "describe job j", "Parallelism: 1\n"},
        {"batch", "cronjobs",
         "{apiVersion: batch/v1, kind: CronJob, metadata: {name: cj, namespace: default}, spec: "
         "{schedule: '* * * * *'}}",
         "describe cj cj", "Schedule: * * * * *\n"},
        {"", "secrets",
         "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}, type: Opaque, "
         "data: {key: aGVsbG8=}}",
         "describe secret s", "Data\n====\nkey: 5 bytes\n"},
        {"", "configmaps",
         "{apiVersion: v1, kind: ConfigMap, metadata: {name: m, namespace: default}, data: {a: "
         "text}}",
         "describe cm m", "Data\n====\na:\n----\ntext\n"},
        {"", "persistentvolumeclaims",
         "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: pvc, namespace: default}, "
         "status: {phase: Bound, "
         "accessModes: [ReadWriteOnce]}}",
         "describe pvc pvc", "Access Modes: RWO\n"},
        {"", "namespaces",
         "{apiVersion: v1, kind: Namespace, metadata: {name: shop}, status: {phase: Active}}",
         "describe ns shop", "\nNo resource quota.\n\nNo LimitRange resource.\n"},
        {"coordination.k8s.io", "leases",
         "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l, namespace: "
         "default}, spec: {holderIdentity: me}}",
         "describe lease l", " Holder Identity: me\n"},
    };
    g_autoptr(Bench) bench = bench_new();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bench_put(bench, cases[i].group, cases[i].resource, cases[i].yaml);
        ck_assert_int_eq(bench_run(bench, cases[i].line), 0);
        g_autofree char *text = squeeze(bench->out->str);
        ck_assert_msg(strstr(text, cases[i].part) != NULL, "%s: no \"%s\" in:\n%s", cases[i].line,
                      cases[i].part, bench->out->str);
    }
}
END_TEST

TCase *
describe_suite(void)
{
    return test_case("describe", each_describer_prints_its_kind);
}
