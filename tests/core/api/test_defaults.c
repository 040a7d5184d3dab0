/* What the API server fills in. Each case is the smallest object and some paths of the result. */
#include <string.h>

#include "core/api/defaults.h"
#include "core/api/schema.h"
#include "core/object/json.h"
#include "tests/core/api/suites.h"

#define PATHS_MAX 12

static const struct {
    const char *kind;
    const char *object;
    struct {
        const char *path;
        const char *json; /* NULL: absent */
    } expect[PATHS_MAX];
} CASES[] = {
    {"po",
     "{spec: {containers: [{name: a, image: nginx}]}}",
     {{"spec.restartPolicy", "\"Always\""},
      {"spec.dnsPolicy", "\"ClusterFirst\""},
      {"spec.terminationGracePeriodSeconds", "30"},
      {"spec.securityContext", "{}"},
      {"spec.schedulerName", "\"default-scheduler\""},
      {"spec.enableServiceLinks", "true"},
      {"spec.containers[0].imagePullPolicy", "\"Always\""},
      {"spec.containers[0].resources", "{}"},
      {"spec.containers[0].terminationMessagePath", "\"/dev/termination-log\""},
      {"spec.containers[0].terminationMessagePolicy", "\"File\""},
      {"status.phase", "\"Pending\""}}},
    {"po",
     "{spec: {hostNetwork: true, serviceAccount: sa, containers: [{name: a, image: "
     "'r.io:5000/n:1', ports: [{containerPort: 80}],"
     " resources: {limits: {cpu: '1'}}}], volumes: [{name: v}, {name: s, secret: {secretName: x}}, "
     "{name: h, hostPath: {path: /}}]}}",
     {{"spec.containers[0].imagePullPolicy", "\"IfNotPresent\""},
      {"spec.containers[0].ports[0].hostPort", "80"},
      {"spec.containers[0].ports[0].protocol", "\"TCP\""},
      {"spec.containers[0].resources.requests.cpu", "\"1\""},
      {"spec.volumes[0].emptyDir", "{}"},
      {"spec.volumes[1].secret.defaultMode", "420"},
      {"spec.volumes[1].emptyDir", NULL},
      {"spec.volumes[2].hostPath.type", "\"\""},
      {"spec.serviceAccountName", "\"sa\""}}},
    {"po",
     "{spec: {containers: [{name: a, image: 'a@sha256:1', livenessProbe: {httpGet: {port: 80}}, "
     "startupProbe: {grpc: {port: 1}},"
     " env: [{name: E, valueFrom: {fieldRef: {fieldPath: status.podIP}}}, {name: R, valueFrom: "
     "{resourceFieldRef: {resource: limits.cpu}}}]}]}}",
     {{"spec.containers[0].imagePullPolicy", "\"IfNotPresent\""},
      {"spec.containers[0].livenessProbe.periodSeconds", "10"},
      {"spec.containers[0].livenessProbe.timeoutSeconds", "1"},
      {"spec.containers[0].livenessProbe.successThreshold", "1"},
      {"spec.containers[0].livenessProbe.failureThreshold", "3"},
      {"spec.containers[0].livenessProbe.initialDelaySeconds", NULL},
      {"spec.containers[0].livenessProbe.httpGet.path", "\"/\""},
      {"spec.containers[0].livenessProbe.httpGet.scheme", "\"HTTP\""},
      {"spec.containers[0].startupProbe.grpc.service", "\"\""},
      {"spec.containers[0].env[0].valueFrom.fieldRef.apiVersion", "\"v1\""},
      {"spec.containers[0].env[1].valueFrom.resourceFieldRef.divisor", "\"0\""}}},
    {"po",
     "{spec: {resources: {limits: {cpu: '4', memory: 1Gi}}, initContainers: [{name: s, image: "
     "'a:1', restartPolicy: Always,"
     " resources: {requests: {cpu: 500m}}}, {name: i, image: 'a:1', resources: {requests: {cpu: "
     "'3'}}}],"
     " containers: [{name: a, image: 'a:1', resources: {requests: {cpu: '1'}}}]}}",
     {{"spec.resources.requests", "{\"cpu\":\"3500m\",\"memory\":\"1Gi\"}"}}},
    {"deploy",
     "{spec: {selector: {}, template: {spec: {hostNetwork: true, containers: [{name: a, image: b, "
     "ports: [{containerPort: 80}]}]}}}}",
     {{"spec.replicas", "1"},
      {"spec.revisionHistoryLimit", "10"},
      {"spec.progressDeadlineSeconds", "600"},
      {"spec.strategy", "{\"rollingUpdate\":{\"maxSurge\":\"25%\",\"maxUnavailable\":\"25%\"},"
                        "\"type\":\"RollingUpdate\"}"},
      {"spec.template.metadata", "{}"},
      {"spec.template.spec.containers[0].imagePullPolicy", "\"Always\""},
      {"spec.template.spec.containers[0].ports[0].hostPort", NULL},
      {"spec.template.spec.enableServiceLinks", NULL},
      {"status", "{}"}}},
    {"deploy",
     "{spec: {replicas: 0, strategy: {type: Recreate}}}",
     {{"spec.replicas", "0"}, {"spec.strategy", "{\"type\":\"Recreate\"}"}}},
    {"rs", "{spec: {}}", {{"spec.replicas", "1"}, {"status.replicas", "0"}}},
    {"ds",
     "{spec: {}}",
     {{"spec.updateStrategy.rollingUpdate.maxUnavailable", "1"},
      {"spec.updateStrategy.rollingUpdate.maxSurge", "0"},
      {"status.currentNumberScheduled", "0"}}},
    {"sts",
     "{spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {}}]}}",
     {{"spec.replicas", "1"},
      {"spec.podManagementPolicy", "\"OrderedReady\""},
      {"spec.updateStrategy.rollingUpdate.partition", "0"},
      {"spec.persistentVolumeClaimRetentionPolicy.whenScaled", "\"Retain\""},
      {"spec.volumeClaimTemplates[0].spec.volumeMode", "\"Filesystem\""},
      {"spec.volumeClaimTemplates[0].status.phase", "\"Pending\""}}},
    {"job",
     "{spec: {template: {metadata: {labels: {a: b}}}}}",
     {{"spec.completions", "1"},
      {"spec.parallelism", "1"},
      {"spec.backoffLimit", "6"},
      {"spec.completionMode", "\"NonIndexed\""},
      {"spec.suspend", "false"},
      {"spec.manualSelector", "false"},
      {"spec.podReplacementPolicy", "\"TerminatingOrFailed\""},
      {"metadata.labels.a", "\"b\""}}},
    {"job",
     "{spec: {parallelism: 3, backoffLimitPerIndex: 1, podFailurePolicy: {rules: [{action: Ignore, "
     "onPodConditions: [{type: X}]}]}}}",
     {{"spec.completions", NULL},
      {"spec.backoffLimit", "2147483647"},
      {"spec.podReplacementPolicy", "\"Failed\""},
      {"spec.podFailurePolicy.rules[0].onPodConditions[0].status", "\"True\""}}},
    {"cj",
     "{spec: {schedule: x, jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: "
     "'a:2'}]}}}}}}",
     {{"spec.concurrencyPolicy", "\"Allow\""},
      {"spec.suspend", "false"},
      {"spec.successfulJobsHistoryLimit", "3"},
      {"spec.failedJobsHistoryLimit", "1"},
      {"spec.jobTemplate.spec.backoffLimit", NULL},
      {"spec.jobTemplate.spec.template.spec.containers[0].imagePullPolicy", "\"IfNotPresent\""}}},
    {"svc",
     "{spec: {ports: [{port: 80}]}}",
     {{"spec.type", "\"ClusterIP\""},
      {"spec.sessionAffinity", "\"None\""},
      {"spec.ports[0].targetPort", "80"},
      {"spec.ports[0].protocol", "\"TCP\""},
      {"spec.internalTrafficPolicy", "\"Cluster\""},
      {"spec.externalTrafficPolicy", NULL},
      {"status.loadBalancer", "{}"}}},
    {"svc",
     "{spec: {type: LoadBalancer, sessionAffinity: ClientIP}, status: {loadBalancer: {ingress: "
     "[{ip: 1.2.3.4}]}}}",
     {{"spec.externalTrafficPolicy", "\"Cluster\""},
      {"spec.allocateLoadBalancerNodePorts", "true"},
      {"spec.sessionAffinityConfig.clientIP.timeoutSeconds", "10800"},
      {"status.loadBalancer.ingress[0].ipMode", "\"VIP\""}}},
    {"svc",
     "{spec: {type: ExternalName, externalName: x}}",
     {{"spec.internalTrafficPolicy", NULL}}},
    {"secret",
     "{data: {a: 'YQ=='}, stringData: {b: hello}}",
     {{"type", "\"Opaque\""},
      {"data", "{\"a\":\"YQ==\",\"b\":\"aGVsbG8=\"}"},
      {"stringData", NULL}}},
    {"ns",
     "{metadata: {name: blue}}",
     {{"metadata.labels", "{\"kubernetes.io/metadata.name\":\"blue\"}"},
      {"status.phase", "\"Active\""},
      {"spec", "{}"}}},
    {"rc",
     "{spec: {template: {metadata: {labels: {a: b}}}}}",
     {{"spec.selector", "{\"a\":\"b\"}"},
      {"metadata.labels", "{\"a\":\"b\"}"},
      {"spec.replicas", "1"}}},
    {"pv",
     "{spec: {}}",
     {{"spec.persistentVolumeReclaimPolicy", "\"Retain\""}, {"spec.volumeMode", "\"Filesystem\""}}},
    {"pvc",
     "{spec: {}}",
     {{"spec.volumeMode", "\"Filesystem\""},
      {"status.phase", "\"Pending\""},
      {"spec.resources", "{}"}}},
    {"sc", "{}", {{"reclaimPolicy", "\"Delete\""}, {"volumeBindingMode", "\"Immediate\""}}},
    {"pc", "{}", {{"preemptionPolicy", "\"PreemptLowerPriority\""}, {"value", "0"}}},
    {"no", "{status: {capacity: {cpu: '4'}}}", {{"status.allocatable.cpu", "\"4\""}}},
    {"limits",
     "{spec: {limits: [{type: Container, max: {cpu: '1'}, min: {memory: 1Mi}}]}}",
     {{"spec.limits[0].default", "{\"cpu\":\"1\"}"},
      {"spec.limits[0].defaultRequest", "{\"cpu\":\"1\",\"memory\":\"1Mi\"}"}}},
    {"netpol",
     "{spec: {egress: [{}]}}",
     {{"spec.policyTypes", "[\"Ingress\",\"Egress\"]"}, {"spec.podSelector", "{}"}}},
    {"endpointslices",
     "{ports: [{}]}",
     {{"ports[0].protocol", "\"TCP\""}, {"ports[0].name", "\"\""}}},
    {"ep", "{subsets: [{ports: [{port: 1}]}]}", {{"subsets[0].ports[0].protocol", "\"TCP\""}}},
};

START_TEST(each_kind_gets_its_defaults_once)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const ApiKind *kind = api_types_lookup(types, CASES[_i].kind);
    ck_assert_msg(kind != NULL, "%s", CASES[_i].kind);
    g_autoptr(Value) object = value_new_f(CASES[_i].object);
    g_autoptr(Value) filled = api_default(types, kind, object);
    for (int i = 0; i < PATHS_MAX && CASES[_i].expect[i].path; i++) {
        const Value *value = value_at(filled, CASES[_i].expect[i].path);
        g_autofree char *text = value ? json_text(value) : NULL;
        ck_assert_msg(g_strcmp0(text, CASES[_i].expect[i].json) == 0, "%s: %s is %s, not %s",
                      CASES[_i].kind, CASES[_i].expect[i].path, text, CASES[_i].expect[i].json);
    }
    g_autoptr(Value) again = api_default(types, kind, filled);
    ck_assert_msg(again == filled, "%s: the second time changes it again", CASES[_i].kind);
}
END_TEST

TCase *
defaults_case(void)
{
    TCase *tcase = tcase_create("defaults");
    tcase_add_loop_test(tcase, each_kind_gets_its_defaults_once, 0, G_N_ELEMENTS(CASES));
    return tcase;
}
