/* What the API server refuses: each case is a valid object in which one thing is changed, and the errors that follow. */
#include "core/api/defaults.h"
#include "core/api/status.h"
#include "core/api/validation.h"
#include "core/object/json.h"
#include "tests/support/runner.h"

static ApiTypes *types; /* made once for all cases */

/* The smallest valid objects; defaults and metadata.namespace are filled in. */
static const struct {
    const char *word;
    const char *object;
} VALID[] = {
#define POD_SPEC "{containers: [{name: a, image: nginx, resources: {limits: {cpu: '1'}}, volumeMounts: [{name: v, mountPath: /v}]}], " \
                 "volumes: [{name: v, emptyDir: {}}]}"
#define TEMPLATE "selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: " POD_SPEC "}"
    {"po", "{metadata: {name: x}, spec: " POD_SPEC "}"},
    {"deploy", "{metadata: {name: x}, spec: {" TEMPLATE "}}"},
    {"rs", "{metadata: {name: x}, spec: {" TEMPLATE "}}"},
    {"ds", "{metadata: {name: x}, spec: {" TEMPLATE "}}"},
    {"sts", "{metadata: {name: x}, spec: {serviceName: x, " TEMPLATE "}}"},
    {"rc", "{metadata: {name: x}, spec: {selector: {app: x}, template: {metadata: {labels: {app: x}}, spec: " POD_SPEC "}}}"},
    {"pdb", "{metadata: {name: x}, spec: {minAvailable: 1, selector: {matchLabels: {app: x}}}}"},
#define JOB "template: {metadata: {labels: {app: x}}, spec: {restartPolicy: Never, containers: [{name: a, image: b}]}}"
    {"job", "{metadata: {name: x}, spec: {selector: {matchLabels: {app: x}}, " JOB "}}"},
    {"cj", "{metadata: {name: x}, spec: {schedule: '*/5 0-6,12 * jan-MAR mon', timeZone: Etc/UTC, jobTemplate: {spec: {" JOB "}}}}"},
    {"svc", "{metadata: {name: x}, spec: {type: NodePort, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1], selector: {app: x}, ports: "
            "[{port: 80}]}}"},
    {"ep", "{metadata: {name: x}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]}"},
    {"endpointslices", "{metadata: {name: x}, addressType: IPv4, ports: [{port: 80}], endpoints: [{addresses: [10.0.0.1]}]}"},
    {"ing", "{metadata: {name: x}, spec: {rules: [{host: a.b, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, "
            "port: {number: 80}}}}]}}]}}"},
    {"netpol", "{metadata: {name: x}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}}"},
    {"cm", "{metadata: {name: x}, data: {a: b}, immutable: true}"},
    {"secret", "{metadata: {name: x}, type: kubernetes.io/tls, data: {tls.crt: YQ==, tls.key: YQ==}}"},
    {"ns", "{metadata: {name: x}, spec: {finalizers: [kubernetes]}}"},
    {"limits", "{metadata: {name: x}, spec: {limits: [{type: Container, max: {cpu: '2'}, min: {cpu: '1'}}]}}"},
    {"quota", "{metadata: {name: x}, spec: {hard: {pods: '5', requests.cpu: '1'}}}"},
    {"pc", "{metadata: {name: x}, value: 5}"},
    {"leases", "{metadata: {name: x}, spec: {leaseDurationSeconds: 15}}"},
    {"events", "{metadata: {name: x}, involvedObject: {kind: Pod, namespace: default, name: y}}"},
    {"no", "{metadata: {name: x}, spec: {podCIDR: 10.0.0.0/24, podCIDRs: [10.0.0.0/24], taints: [{key: a, effect: NoSchedule}]}}"},
    {"pv", "{metadata: {name: x}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /x}}}"},
    {"pvc", "{metadata: {name: x}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}, status: {phase: "
            "Bound, capacity: {storage: 1Gi}}}"},
    {"sc", "{metadata: {name: x}, provisioner: example.com/p}"},
    {"faults", "{metadata: {name: x}, spec: {type: pod-crash, duration: 30s}}"},
    {"clocks", "{metadata: {name: clock}, spec: {pace: '0.5'}}"},
};

#define LABEL_TEXT                                                                                                       \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " \
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "                            \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define MANY 4
#define C0 "spec.containers[0]"

/* One change of a valid object: the value (relaxed JSON; NULL removes) at the path. */
static const struct {
    const char *word;
    const char *path;
    const char *value;
    const char *errors[MANY];
} CASES[] = {
    {"po", NULL, NULL, {NULL}},
    {"deploy", NULL, NULL, {NULL}},
    {"rs", NULL, NULL, {NULL}},
    {"ds", NULL, NULL, {NULL}},
    {"sts", NULL, NULL, {NULL}},
    {"rc", NULL, NULL, {NULL}},
    {"pdb", NULL, NULL, {NULL}},
    /* metadata */
    {"po", "metadata.name", NULL, {"metadata.name: Required value: name or generateName is required"}},
    {"po", "metadata.namespace", NULL, {"metadata.namespace: Required value"}},
    {"sts", "metadata.name", "'a.b'", {"metadata.name: Invalid value: \"a.b\": " LABEL_TEXT}},
    {"po", "metadata.ownerReferences", "[{apiVersion: v1, kind: K, name: n}]",
     {"metadata.ownerReferences.uid: Invalid value: \"\": uid must not be empty"}},
    {"po", "metadata.finalizers", "[mine]",
     {"metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully qualified"}},
    /* containers */
    {"po", "spec.containers", "[]", {"spec.containers: Required value"}},
    {"po", C0 ".name", "A", {C0 ".name: Invalid value: \"A\": " LABEL_TEXT}},
    {"po", C0 ".image", "''", {C0 ".image: Required value"}},
    {"po", C0 ".image", "' a'", {C0 ".image: Invalid value: \" a\": must not have leading or trailing whitespace"}},
    {"po", C0 ".imagePullPolicy", "Maybe",
     {C0 ".imagePullPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"IfNotPresent\", \"Never\""}},
    {"po", C0 ".ports", "[{containerPort: 70000, protocol: TCP}]",
     {C0 ".ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"}},
    {"po", C0 ".ports", "[{containerPort: 80, protocol: HTTP}]",
     {C0 ".ports[0].protocol: Unsupported value: \"HTTP\": supported values: \"SCTP\", \"TCP\", \"UDP\""}},
    {"po", C0 ".ports", "[{containerPort: 80, protocol: TCP, name: a}, {containerPort: 81, protocol: TCP, name: a}]",
     {C0 ".ports[1].name: Duplicate value: \"a\""}},
    {"po", C0 ".ports", "[{containerPort: 80, protocol: TCP, hostPort: 9}, {containerPort: 81, protocol: TCP, hostPort: 9}]",
     {C0 ".ports[1].hostPort: Duplicate value: \"TCP//9\""}},
    {"po", C0 ".env", "[{value: x}]", {C0 ".env[0].name: Required value"}},
    {"po", C0 ".env", "[{name: a, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]",
     {C0 ".env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"}},
    {"po", C0 ".envFrom", "[{configMapRef: {}}]", {C0 ".envFrom[0].configMapRef.name: Required value"}},
    {"po", C0 ".volumeMounts", "[{name: w, mountPath: /v}]", {C0 ".volumeMounts[0].name: Not found: \"w\""}},
    {"po", C0 ".volumeMounts", "[{name: v, mountPath: /v}, {name: v, mountPath: /v}]",
     {C0 ".volumeMounts[1].mountPath: Invalid value: \"/v\": must be unique"}},
    {"po", C0 ".resources", "{limits: {cpu: '1'}, requests: {cpu: '2'}}",
     {C0 ".resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"}},
    {"po", C0 ".resources", "{limits: {cpus: '1'}}",
     {C0 ".resources.limits[cpus]: Invalid value: \"cpus\": must be a standard resource type or fully qualified",
      C0 ".resources.limits[cpus]: Invalid value: \"cpus\": must be a standard resource for containers"}},
    {"po", C0 ".resources", "{requests: {memory: -1Mi}}",
     {C0 ".resources.requests[memory]: Invalid value: \"-1Mi\": must be greater than or equal to 0"}},
    {"po", C0 ".resources", "{requests: {example.com/gpu: '1'}}",
     {C0 ".resources.limits: Required value: Limit must be set for non overcommitable resources"}},
    {"po", C0 ".livenessProbe", "{periodSeconds: 1}", {C0 ".livenessProbe: Required value: must specify a handler type"}},
    {"po", C0 ".livenessProbe", "{httpGet: {path: /, port: 80}, successThreshold: 2}",
     {C0 ".livenessProbe.successThreshold: Invalid value: 2: must be 1"}},
    {"po", C0 ".readinessProbe", "{exec: {command: [a]}, tcpSocket: {port: 1}}",
     {C0 ".readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"}},
    {"po", C0 ".securityContext", "{runAsUser: -1}",
     {C0 ".securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"}},
    {"po", "spec.initContainers", "[{name: a, image: b, imagePullPolicy: Always, terminationMessagePolicy: File}]",
     {"spec.initContainers[0].name: Duplicate value: \"a\""}},
    {"po", "spec.initContainers", "[{name: i, image: b, imagePullPolicy: Always, terminationMessagePolicy: File, livenessProbe: {}}]",
     {"spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always"}},
    /* the pod's own */
    {"po", "spec.volumes", "[{name: v}]", {"spec.volumes[0]: Required value: must specify a volume type"}},
    {"po", "spec.volumes", "[{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]", {"spec.volumes[1].name: Duplicate value: \"v\""}},
    {"po", "spec.volumes", "[{name: v, emptyDir: {}, hostPath: {path: /}}]",
     {"spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"}},
    {"po", "spec.volumes", "[{name: v, secret: {}}]", {"spec.volumes[0].secret.secretName: Required value"}},
    {"po", "spec.volumes", "[{name: v, configMap: {name: c, items: [{key: k, path: ../x}]}}]",
     {"spec.volumes[0].configMap.items[0].path: Invalid value: \"../x\": must not contain '..'"}},
    {"po", "spec.restartPolicy", "Sometimes",
     {"spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\""}},
    {"po", "spec.dnsPolicy", "None", {"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
    {"po", "spec.activeDeadlineSeconds", "0",
     {"spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"}},
    {"po", "spec.tolerations", "[{operator: Equal}]",
     {"spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which means \"match "
      "all values and all keys\""}},
    {"po", "spec.affinity", "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
     {"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at "
      "least one node selector term"}},
    {"po", "spec.affinity", "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{labelSelector: {}}]}}",
     {"spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be "
      "empty"}},
    {"po", "spec.topologySpreadConstraints", "[{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: Never}]",
     {"spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Never\": supported values: \"DoNotSchedule\", "
      "\"ScheduleAnyway\""}},
    {"po", "spec.hostAliases", "[{ip: x}]",
     {"spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
    /* templates and what makes pods of them */
    {"deploy", "spec.template.spec.restartPolicy", "Never",
     {"spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""}},
    {"deploy", "spec.template.metadata.labels", "{app: y}",
     {"spec.template.metadata.labels: Invalid value: {\"app\":\"y\"}: `selector` does not match template `labels`"}},
    {"deploy", "spec.selector", NULL, {"spec.selector: Required value"}},
    {"deploy", "spec.selector", "{}", {"spec.selector: Invalid value: {}: empty selector is invalid for deployment"}},
    {"deploy", "spec.replicas", "-1", {"spec.replicas: Invalid value: -1: must be greater than or equal to 0"}},
    {"deploy", "spec.strategy", "{type: Recreate, rollingUpdate: {}}",
     {"spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"}},
    {"deploy", "spec.strategy.rollingUpdate", "{maxSurge: 0, maxUnavailable: 0}",
     {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"}},
    {"deploy", "spec.strategy.rollingUpdate", "{maxSurge: 1, maxUnavailable: '200%'}",
     {"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"200%\": must not be greater than 100%"}},
    {"deploy", "spec.progressDeadlineSeconds", "0",
     {"spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds"}},
    {"sts", "spec.podManagementPolicy", "Random",
     {"spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"}},
    {"sts", "spec.template.spec.containers[0].volumeMounts[0].name", "data",
     {"spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"data\""}},
    {"sts", "spec.volumeClaimTemplates",
     "[{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]", {NULL}},
    {"sts", "spec.volumeClaimTemplates", "[{metadata: {name: v}, spec: {resources: {requests: {storage: 1Gi}}}}]",
     {"spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required"}},
    {"ds", "spec.updateStrategy", "{type: Fast}",
     {"spec.updateStrategy: Unsupported value: {\"type\":\"Fast\"}: supported values: \"RollingUpdate\", \"OnDelete\""}},
    {"rc", "spec.selector", "{}", {"spec.selector: Required value"}},
    {"pdb", "spec.maxUnavailable", "1",
     {"spec: Invalid value: {\"maxUnavailable\":1,\"minAvailable\":1,\"selector\":{\"matchLabels\":{\"app\":\"x\"}}}: "
      "minAvailable and maxUnavailable cannot be both set"}},
    {"pdb", "spec.minAvailable", "half",
     {"spec.minAvailable: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' "
      "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"}},
    /* jobs */
    {"job", NULL, NULL, {NULL}},
    {"job", "spec.template.spec.restartPolicy", "Always",
     {"spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""}},
    {"job", "spec.completions", "-1", {"spec.completions: Invalid value: -1: must be greater than or equal to 0"}},
    {"job", "spec.completionMode", "Sometimes",
     {"spec.completionMode: Unsupported value: \"Sometimes\": supported values: \"Indexed\", \"NonIndexed\""}},
    {"job", "spec.backoffLimitPerIndex", "1", {"spec.backoffLimitPerIndex: Forbidden: requires indexed completion mode"}},
    {"cj", NULL, NULL, {NULL}},
    {"cj", "spec.schedule", "'* * *'",
     {"spec.schedule: Invalid value: \"* * *\": expected exactly 5 fields, found 3: [* * *]"}},
    {"cj", "spec.schedule", "'61 * * * *'",
     {"spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61"}},
    {"cj", "spec.schedule", "'a * * * *'",
     {"spec.schedule: Invalid value: \"a * * * *\": failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax"}},
    {"cj", "spec.schedule", "'*/0 * * * *'",
     {"spec.schedule: Invalid value: \"*/0 * * * *\": step of range should be a positive number: */0"}},
    {"cj", "spec.schedule", "'@often'", {"spec.schedule: Invalid value: \"@often\": unrecognized descriptor: @often"}},
    {"cj", "spec.schedule", "'0 0 31-1 * *'",
     {"spec.schedule: Invalid value: \"0 0 31-1 * *\": beginning of range (31) beyond end of range (1): 31-1"}},
    {"cj", "spec.concurrencyPolicy", "Maybe",
     {"spec.concurrencyPolicy: Unsupported value: \"Maybe\": supported values: \"Allow\", \"Forbid\", \"Replace\""}},
    {"cj", "metadata.name", "'a23456789012345678901234567890123456789012345678901234'",
     {"metadata.name: Invalid value: \"a23456789012345678901234567890123456789012345678901234\": must be no more than 52 characters"}},
    /* services and the network */
    {"svc", NULL, NULL, {NULL}},
    {"svc", "spec.ports", "[]", {"spec.ports: Required value"}},
    {"svc", "spec.ports", "[{port: 80, protocol: TCP, targetPort: 80}, {port: 81, protocol: TCP, targetPort: 80}]",
     {"spec.ports[0].name: Required value", "spec.ports[1].name: Required value"}},
    {"svc", "spec.ports[0].port", "0", {"spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"}},
    {"svc", "spec.type", "Magic",
     {"spec.type: Unsupported value: \"Magic\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\"",
      "spec.externalTrafficPolicy: Invalid value: \"Cluster\": may only be set for externally-accessible services"}},
    {"svc", "spec.clusterIPs", "[10.96.0.2]",
     {"spec.clusterIPs: Invalid value: [\"10.96.0.2\"]: first value must match `clusterIP`"}},
    {"svc", "spec.sessionAffinity", "Always",
     {"spec.sessionAffinity: Unsupported value: \"Always\": supported values: \"ClientIP\", \"None\""}},
    {"svc", "spec.loadBalancerSourceRanges", "[10.0.0.0/8]",
     {"spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"}},
    {"ep", NULL, NULL, {NULL}},
    {"ep", "subsets[0].addresses", "[{ip: 127.0.0.1}]",
     {"subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"}},
    {"ep", "subsets[0].addresses", "[]", {"subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`"}},
    {"endpointslices", NULL, NULL, {NULL}},
    {"endpointslices", "addressType", NULL, {"addressType: Required value"}},
    {"endpointslices", "endpoints[0].addresses", "[]", {"endpoints[0].addresses: Required value: must contain at least 1 address"}},
    {"ing", NULL, NULL, {NULL}},
    {"ing", "spec.rules", "[]", {"spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"}},
    {"ing", "spec.rules[0].http.paths[0].path", "x",
     {"spec.rules[0].http.paths[0].path: Invalid value: \"x\": must be an absolute path"}},
    {"ing", "spec.rules[0].http.paths[0].pathType", NULL,
     {"spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"}},
    {"netpol", NULL, NULL, {NULL}},
    {"netpol", "spec.ingress[0].from", "[{}]", {"spec.ingress[0].from[0]: Required value: must specify a peer"}},
    {"netpol", "spec.ingress[0].from", "[{ipBlock: {cidr: x}}]",
     {"spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or "
      "2001:db8::/64)"}},
    /* configuration */
    {"cm", NULL, NULL, {NULL}},
    {"cm", "data", "{'a b': c}",
     {"data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
      "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"}},
    {"secret", NULL, NULL, {NULL}},
    {"secret", "data['tls.key']", NULL, {"data[tls.key]: Required value"}},
    {"secret", "type", "kubernetes.io/dockerconfigjson", {"data[.dockerconfigjson]: Required value"}},
    {"ns", NULL, NULL, {NULL}},
    {"limits", NULL, NULL, {NULL}},
    {"limits", "spec.limits[0].min.cpu", "'3'",
     {"spec.limits[0].min[cpu]: Invalid value: \"3\": min value 3 is greater than max value 2",
      "spec.limits[0].defaultRequest[cpu]: Invalid value: \"2\": min value 3 is greater than default request value 2",
      "spec.limits[0].default[cpu]: Invalid value: \"3\": min value 3 is greater than default value 2"}},
    {"quota", NULL, NULL, {NULL}},
    {"quota", "spec.hard", "{boats: '1'}",
     {"spec.hard[boats]: Invalid value: \"boats\": must be a standard resource for quota"}},
    {"quota", "spec.hard", "{pods: 500m}", {"spec.hard[pods]: Invalid value: \"500m\": must be an integer"}},
    {"quota", "spec.scopes", "[BestEffort, NotBestEffort]",
     {"spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes"}},
    {"pc", NULL, NULL, {NULL}},
    {"pc", "value", "2000000000", {"value: Forbidden: maximum allowed value of a user defined priority is 1000000000"}},
    {"pc", "metadata.name", "system-mine",
     {"metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine "
      "is not a known system priority class"}},
    {"leases", NULL, NULL, {NULL}},
    {"leases", "spec.leaseDurationSeconds", "0", {"spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"}},
    {"events", NULL, NULL, {NULL}},
    {"events", "involvedObject.namespace", "blue",
     {"involvedObject.namespace: Invalid value: \"blue\": does not match event.namespace"}},
    /* nodes and storage */
    {"no", NULL, NULL, {NULL}},
    {"no", "spec.taints[0].effect", "Never",
     {"spec.taints[0].effect: Unsupported value: \"Never\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\""}},
    {"no", "metadata.namespace", "x", {"metadata.namespace: Forbidden: not allowed on this type"}},
    {"pv", NULL, NULL, {NULL}},
    {"pv", "spec.capacity", NULL, {"spec.capacity: Required value"}},
    {"pv", "spec.accessModes", "[Often]",
     {"spec.accessModes: Unsupported value: \"Often\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", "
      "\"ReadWriteOncePod\""}},
    {"pv", "spec.hostPath", NULL, {"spec: Required value: must specify a volume type"}},
    {"pvc", NULL, NULL, {NULL}},
    {"sc", NULL, NULL, {NULL}},
    {"sc", "provisioner", NULL, {"provisioner: Required value"}},
    /* our own */
    {"faults", NULL, NULL, {NULL}},
    {"faults", "spec.type", NULL, {"spec.type: Required value"}},
    {"faults", "spec.duration", "soon", {"spec.duration: Invalid value: \"soon\": time: invalid duration \"soon\""}},
    {"clocks", NULL, NULL, {NULL}},
    {"clocks", "spec.pace", "fast",
     {"spec.pace: Invalid value: \"fast\": must be 'paused', 'max' or a factor of life above zero (e.g. '1',  or '0.5')"}},
};

/* Changes of objects that exist. */
static const struct {
    const char *word;
    const char *path;
    const char *value;
    const char *errors[MANY];
} UPDATES[] = {
    {"po", C0 ".image", "httpd", {NULL}},
    {"po", "spec.tolerations", "[{key: a, operator: Exists}]", {NULL}},
    {"po", "metadata.labels", "{a: b}", {NULL}},
    {"po", "spec.nodeName", "n1",
     {"spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
      "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n  spec.nodeName\n"}},
    {"po", "spec.containers", "[]", {"spec.containers: Required value", "spec.containers: Forbidden: pod updates may not add or remove containers"}},
    {"po", "metadata.uid", "'2'", {"metadata.uid: Invalid value: \"2\": field is immutable"}},
    {"deploy", "spec.replicas", "3", {NULL}},
    {"deploy", "spec.selector", "{matchLabels: {app: x}, matchExpressions: [{key: app, operator: Exists}]}",
     {"spec.selector: Invalid value: "
      "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"Exists\"}],\"matchLabels\":{\"app\":\"x\"}}: field is immutable"}},
    {"sts", "spec.replicas", "3", {NULL}},
    {"sts", "spec.serviceName", "y",
     {"spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"}},
    {"job", "spec.parallelism", "2", {NULL}},
    {"job", "spec.completions", "3", {"spec.completions: Invalid value: 3: field is immutable"}},
    {"svc", "spec.ports[0].port", "81", {NULL}},
    {"svc", "spec.clusterIPs", "[10.96.0.2]",
     {"spec.clusterIPs: Invalid value: [\"10.96.0.2\"]: first value must match `clusterIP`",
      "spec.clusterIPs[0]: Invalid value: [\"10.96.0.2\"]: may not change once set"}},
    {"cm", "metadata.labels", "{a: b}", {NULL}},
    {"cm", "data", "{a: c}", {"data: Forbidden: field is immutable when `immutable` is set"}},
    {"cm", "immutable", NULL, {"immutable: Forbidden: field is immutable when `immutable` is set"}},
    {"secret", "type", "Opaque", {"type: Invalid value: \"Opaque\": field is immutable"}},
    {"quota", "spec.scopes", "[Terminating]", {"spec.scopes: Invalid value: [\"Terminating\"]: field is immutable"}},
    {"pc", "value", "6", {"value: Forbidden: may not be changed in an update."}},
    {"no", "spec.unschedulable", "true", {NULL}},
    {"no", "spec.podCIDRs", "[10.0.1.0/24]",
     {"spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid"}},
    {"pv", "spec.claimRef", "{name: c}", {NULL}},
    {"pv", "spec.hostPath.path", "/y",
     {"spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"}},
    {"pvc", "spec.resources.requests.storage", "2Gi", {NULL}},
    {"pvc", "spec.resources.requests.storage", "500Mi",
     {"spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"}},
    {"pvc", "spec.volumeName", "v", {NULL}},
    {"pvc", "spec.accessModes", "[ReadWriteMany]",
     {"spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"}},
    {"sc", "reclaimPolicy", "Retain", {"reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."}},
    {"faults", "spec.type", "other", {"spec.type: Invalid value: \"other\": field is immutable"}},
};

static Value *
valid_object(const char *word)
{
    const ApiKind *kind = api_types_lookup(types, word);

    ck_assert_msg(kind != NULL, "%s", word);
    for (size_t i = 0; i < G_N_ELEMENTS(VALID); i++) {
        if (!g_str_equal(VALID[i].word, word))
            continue;
        g_autoptr(Value) object = value_new_f(VALID[i].object);

        if (kind->namespaced)
            value_edit(&object, "metadata.namespace", value_new_string("default"));
        return api_default(types, kind, object);
    }
    ck_abort_msg("no valid %s", word);
}

static void
change(Value **object, const char *path, const char *value)
{
    if (path != NULL && value == NULL)
        value_edit_remove(object, path);
    else if (path != NULL)
        value_edit(object, path, value_new_f(value));
}

static void
expect(const char *word, const char *path, const FieldErrors *errors, const char *const *wanted)
{
    for (size_t i = 0; i < MAX(field_errors_count(errors), MANY); i++) {
        const FieldError *error = i < field_errors_count(errors) ? field_errors_item(errors, i) : NULL;
        g_autofree char *text = error != NULL ? g_strdup_printf("%s: %s", error->field, error->detail) : NULL;
        const char *want = i < MANY ? wanted[i] : NULL;

        ck_assert_msg(g_strcmp0(text, want) == 0, "%s, %s:\n  %s\nnot\n  %s", word, path, text, want);
        if (text == NULL)
            return;
    }
}

START_TEST(a_new_object_with_one_thing_wrong_is_refused_with_its_words)
{
    g_autoptr(FieldErrors) errors = field_errors_new();
    g_autoptr(Value) object = valid_object(CASES[_i].word);

    change(&object, CASES[_i].path, CASES[_i].value);
    api_validate(api_types_lookup(types, CASES[_i].word), object, NULL, NULL, errors);
    expect(CASES[_i].word, CASES[_i].path, errors, CASES[_i].errors);
}
END_TEST

START_TEST(an_update_may_change_only_what_it_may)
{
    g_autoptr(FieldErrors) errors = field_errors_new();
    g_autoptr(Value) object = valid_object(UPDATES[_i].word);
    g_autoptr(Value) old = NULL;

    value_edit(&object, "metadata.uid", value_new_string("1"));
    old = value_ref(object);
    change(&object, UPDATES[_i].path, UPDATES[_i].value);
    api_validate(api_types_lookup(types, UPDATES[_i].word), object, old, NULL, errors);
    expect(UPDATES[_i].word, UPDATES[_i].path, errors, UPDATES[_i].errors);
}
END_TEST

START_TEST(subresources_of_a_pod_change_only_their_part)
{
    static const struct {
        const char *subresource, *path, *value, *errors[MANY];
    } cases[] = {
        {"resize", C0 ".resources", "{limits: {cpu: '2'}, requests: {cpu: '2'}}", {NULL}},
        {"resize", C0 ".image", "httpd", {"spec: Forbidden: only cpu and memory resources are mutable"}},
        {"resize", C0 ".resources", "{}",
         {"spec: Invalid value: \"BestEffort\": Pod QOS Class may not change as a result of resizing"}},
        {"ephemeralcontainers", "spec.ephemeralContainers",
         "[{name: d, image: b, imagePullPolicy: Always, terminationMessagePolicy: File}]", {NULL}},
        {"ephemeralcontainers", "spec.ephemeralContainers",
         "[{name: a, image: b, imagePullPolicy: Always, terminationMessagePolicy: File}]",
         {"spec.ephemeralContainers[0].name: Duplicate value: \"a\""}},
        {"status", "spec.containers", "[]", {NULL}},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FieldErrors) errors = field_errors_new();
        g_autoptr(Value) object = valid_object("po");
        g_autoptr(Value) old = value_ref(object);

        change(&object, cases[i].path, cases[i].value);
        api_validate(api_types_lookup(types, "po"), object, old, cases[i].subresource, errors);
        expect(cases[i].subresource, cases[i].path, errors, cases[i].errors);
    }
}
END_TEST

static void
set_up(void)
{
    types = api_types_new();
}

static void
tear_down(void)
{
    api_types_free(types);
}

static TCase *
validation_case(void)
{
    TCase *tcase = tcase_create("validation");
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);

    tcase_add_loop_test(tcase, a_new_object_with_one_thing_wrong_is_refused_with_its_words, 0, G_N_ELEMENTS(CASES));
    tcase_add_loop_test(tcase, an_update_may_change_only_what_it_may, 0, G_N_ELEMENTS(UPDATES));
    tcase_add_test(tcase, subresources_of_a_pod_change_only_their_part);
    return tcase;
}

TEST_RUNNER("core/api/validation", validation_case)
