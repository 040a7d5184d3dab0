/* Objects as table rows: each case is an object and the cells that a real API server would print. */
#include <string.h>

#include "core/api/columns.h"
#include "core/api/types.h"
#include "core/base/timestamp.h"
#include "core/object/json.h"
#include "tests/support/runner.h"

static ApiTypes *types; /* made once for all cases */

#define NOW "2026-01-01T01:00:00Z"
#define META "metadata: {name: x, creationTimestamp: '2026-01-01T00:00:00Z'}"
#define TEMPLATE "template: {spec: {containers: [{name: a, image: i}, {name: b, image: j}]}}"
#define TWO "spec: {nodeName: n1, containers: [{name: a}, {name: b}]}"
#define POD(status) "{" META ", " TWO ", status: {phase: Running, " status "}}"
#define POD_CELLS(start) "[\"x\"," start ",\"60m\",\"<none>\",\"n1\",\"<none>\",\"<none>\"]"

static const struct {
    const char *kind;
    const char *object;
    const char *cells;
} CASES[] = {
    {"po", "{" META ", " TWO ", status: {phase: Pending}}", POD_CELLS("\"0/2\",\"Pending\",\"0\"")},
    {"po",
     POD("podIPs: [{ip: 10.0.0.1}], containerStatuses: [{name: a, ready: true, restartCount: 0, state: {running: {}}}, "
         "{name: b, ready: true, restartCount: 3, state: {running: {}}, lastState: {terminated: {finishedAt: "
         "'2026-01-01T00:54:40Z'}}}]"),
     "[\"x\",\"2/2\",\"Running\",\"3 (5m20s ago)\",\"60m\",\"10.0.0.1\",\"n1\",\"<none>\",\"<none>\"]"},
    {"po", POD("containerStatuses: [{restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}}, {restartCount: 1}]"),
     POD_CELLS("\"0/2\",\"CrashLoopBackOff\",\"2\"")},
    {"po", POD("containerStatuses: [{state: {terminated: {exitCode: 2}}}]"), POD_CELLS("\"0/2\",\"ExitCode:2\",\"0\"")},
    {"po", POD("containerStatuses: [{state: {terminated: {signal: 9}}}]"), POD_CELLS("\"0/2\",\"Signal:9\",\"0\"")},
    {"po", POD("containerStatuses: [{state: {terminated: {reason: Completed}}}, {ready: true, state: {running: {}}}]"),
     POD_CELLS("\"1/2\",\"NotReady\",\"0\"")},
    {"po",
     POD("conditions: [{type: Ready, status: 'True'}], containerStatuses: [{state: {terminated: {reason: Completed}}}, "
         "{ready: true, state: {running: {}}}]"),
     POD_CELLS("\"1/2\",\"Running\",\"0\"")},
    {"po", POD("reason: Evicted"), POD_CELLS("\"0/2\",\"Evicted\",\"0\"")},
    {"po", POD("conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated}]"),
     POD_CELLS("\"0/2\",\"SchedulingGated\",\"0\"")},
    {"po",
     "{" META ", spec: {initContainers: [{name: i}, {name: j}], containers: [{name: a}]}, status: {initContainerStatuses: "
     "[{name: i, state: {terminated: {exitCode: 0}}}, {name: j, state: {running: {}}}]}}",
     "[\"x\",\"0/1\",\"Init:1/2\",\"0\",\"60m\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
    {"po",
     "{" META ", spec: {initContainers: [{name: i}], containers: [{name: a}]}, status: {initContainerStatuses: "
     "[{name: i, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}}]}}",
     "[\"x\",\"0/1\",\"Init:CrashLoopBackOff\",\"4\",\"60m\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
    {"po",
     "{" META ", spec: {initContainers: [{name: i}], containers: [{name: a}]}, status: {initContainerStatuses: "
     "[{name: i, state: {terminated: {exitCode: 3, reason: Error}}}]}}",
     "[\"x\",\"0/1\",\"Init:Error\",\"0\",\"60m\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
    {"po",
     "{" META ", spec: {initContainers: [{name: s, restartPolicy: Always}], containers: [{name: a}]}, status: "
     "{initContainerStatuses: [{name: s, started: true, ready: true, restartCount: 1, state: {running: {}}}], "
     "containerStatuses: [{ready: true, state: {running: {}}}], phase: Running}}",
     "[\"x\",\"2/2\",\"Running\",\"1\",\"60m\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
    {"po",
     "{metadata: {name: x, deletionTimestamp: '2026-01-01T00:00:00Z'}, spec: {readinessGates: [{conditionType: a}, "
     "{conditionType: b}]}, status: {phase: Running, conditions: [{type: b, status: 'True'}]}}",
     "[\"x\",\"0/0\",\"Terminating\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"1/2\"]"},
    {"po",
     "{metadata: {name: x, deletionTimestamp: '2026-01-01T00:00:00Z'}, status: {phase: Running, reason: NodeLost}}",
     "[\"x\",\"0/0\",\"Unknown\",\"0\",\"<unknown>\",\"<none>\",\"<none>\",\"<none>\",\"<none>\"]"},
    {"podtemplates", "{" META ", template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: d}]}}}",
     "[\"x\",\"c\",\"d\",\"a=b\"]"},
    {"deploy",
     "{" META ", spec: {replicas: 3, selector: {matchLabels: {app: web}, matchExpressions: [{key: t, operator: In, values: "
     "[b, a]}]}, " TEMPLATE "}, status: {readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1}}",
     "[\"x\",\"1/3\",2,1,\"60m\",\"a,b\",\"i,j\",\"app=web,t in (a,b)\"]"},
    {"rs", "{" META ", spec: {replicas: 2, selector: {matchLabels: {app: web}}, " TEMPLATE "}, status: {replicas: 1}}",
     "[\"x\",2,1,0,\"60m\",\"a,b\",\"i,j\",\"app=web\"]"},
    {"rc", "{" META ", spec: {replicas: 2, selector: {app: web}, " TEMPLATE "}, status: {readyReplicas: 1}}",
     "[\"x\",2,0,1,\"60m\",\"a,b\",\"i,j\",\"app=web\"]"},
    {"sts", "{" META ", spec: {replicas: 2, " TEMPLATE "}, status: {readyReplicas: 2}}", "[\"x\",\"2/2\",\"60m\",\"a,b\",\"i,j\"]"},
    {"ds",
     "{" META ", spec: {selector: {matchLabels: {a: b}}, " TEMPLATE "}, status: {desiredNumberScheduled: 5, "
     "currentNumberScheduled: 4, numberReady: 3, updatedNumberScheduled: 2, numberAvailable: 1}}",
     "[\"x\",5,4,3,2,1,\"<none>\",\"60m\",\"a,b\",\"i,j\",\"a=b\"]"},
    {"controllerrevisions",
     "{metadata: {name: x, ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, controller: true}]}, revision: 7}",
     "[\"x\",\"daemonset.apps/d\",7,\"<unknown>\"]"},
    {"jobs",
     "{" META ", spec: {completions: 4, " TEMPLATE "}, status: {succeeded: 4, startTime: '2026-01-01T00:00:00Z', "
     "completionTime: '2026-01-01T00:00:42Z', conditions: [{type: Complete, status: 'True'}]}}",
     "[\"x\",\"Complete\",\"4/4\",\"42s\",\"60m\",\"a,b\",\"i,j\",\"<none>\"]"},
    {"jobs", "{" META ", spec: {parallelism: 3}, status: {conditions: [{type: Suspended, status: 'True'}]}}",
     "[\"x\",\"Suspended\",\"0/1 of 3\",\"\",\"60m\",\"\",\"\",\"<none>\"]"},
    {"jobs", "{" META ", status: {startTime: '2026-01-01T00:50:00Z'}}",
     "[\"x\",\"Running\",\"0/1\",\"10m\",\"60m\",\"\",\"\",\"<none>\"]"},
    {"cj", "{" META ", spec: {schedule: '* * * * *', suspend: false, jobTemplate: {spec: {" TEMPLATE "}}}, status: {active: [{}]}}",
     "[\"x\",\"* * * * *\",\"<none>\",\"False\",1,\"<none>\",\"60m\",\"a,b\",\"i,j\",\"<none>\"]"},
    {"cj", "{" META ", spec: {schedule: '@daily', timeZone: Etc/UTC}, status: {lastScheduleTime: '2026-01-01T00:59:00Z'}}",
     "[\"x\",\"@daily\",\"Etc/UTC\",\"<unset>\",0,\"60s\",\"60m\",\"\",\"\",\"<none>\"]"},
    {"pdb", "{" META ", spec: {minAvailable: 2}, status: {disruptionsAllowed: 1}}", "[\"x\",\"2\",\"N/A\",1,\"60m\"]"},
    {"pdb", "{" META ", spec: {maxUnavailable: '50%'}}", "[\"x\",\"N/A\",\"50%\",0,\"60m\"]"},
    {"svc",
     "{" META ", spec: {type: NodePort, clusterIPs: [10.96.0.1], ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, "
     "protocol: UDP}], selector: {a: b}}}",
     "[\"x\",\"NodePort\",\"10.96.0.1\",\"<none>\",\"80:30080/TCP,53/UDP\",\"60m\",\"a=b\"]"},
    {"svc", "{" META ", spec: {type: ClusterIP, clusterIPs: ['None'], externalIPs: [1.1.1.1, 2.2.2.2]}}",
     "[\"x\",\"ClusterIP\",\"None\",\"1.1.1.1,2.2.2.2\",\"<none>\",\"60m\",\"<none>\"]"},
    {"svc", "{" META ", spec: {type: LoadBalancer}}", "[\"x\",\"LoadBalancer\",\"<none>\",\"<pending>\",\"<none>\",\"60m\",\"<none>\"]"},
    {"svc", "{" META ", spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 9.9.9.9}, {hostname: a.b}, {ip: 9.9.9.9}]}}}",
     "[\"x\",\"LoadBalancer\",\"<none>\",\"9.9.9.9,a.b\",\"<none>\",\"60m\",\"<none>\"]"},
    {"svc", "{" META ", spec: {type: ExternalName, externalName: db.example.com}}",
     "[\"x\",\"ExternalName\",\"<none>\",\"db.example.com\",\"<none>\",\"60m\",\"<none>\"]"},
    {"ep", "{" META "}", "[\"x\",\"<none>\",\"60m\"]"},
    {"ep",
     "{" META ", subsets: [{addresses: [{ip: 1.1.1.1}, {ip: '::1'}], ports: [{port: 80}, {port: 81}]}]}",
     "[\"x\",\"1.1.1.1:80,[::1]:80,1.1.1.1:81 + 1 more...\",\"60m\"]"},
    {"endpointslices",
     "{" META ", addressType: IPv4, ports: [{port: 80}, {name: p}, {}], endpoints: [{addresses: [a]}, {addresses: [b]}, "
     "{addresses: [c]}, {addresses: [d]}, {addresses: [e]}]}",
     "[\"x\",\"IPv4\",\"80,p,*\",\"a,b,c + 2 more...\",\"60m\"]"},
    {"endpointslices", "{" META ", addressType: IPv4}", "[\"x\",\"IPv4\",\"<unset>\",\"<unset>\",\"60m\"]"},
    {"ing", "{" META ", spec: {rules: [{host: a}, {host: b}, {host: c}, {host: d}], tls: [{}]}}",
     "[\"x\",\"<none>\",\"a,b,c + 1 more...\",\"\",\"80, 443\",\"60m\"]"},
    {"ing", "{" META ", spec: {ingressClassName: nginx, rules: [{}]}}", "[\"x\",\"nginx\",\"*\",\"\",\"80\",\"60m\"]"},
    {"ingressclasses", "{" META ", spec: {controller: c/d, parameters: {apiGroup: g, kind: K, name: n}}}",
     "[\"x\",\"c/d\",\"K.g/n\",\"60m\"]"},
    {"netpol", "{" META ", spec: {podSelector: {}}}", "[\"x\",\"<none>\",\"60m\"]"},
    {"no",
     "{metadata: {name: x, labels: {node-role.kubernetes.io/worker: '', node-role.kubernetes.io/control-plane: '', "
     "kubernetes.io/role: a}}, spec: {unschedulable: true}, status: {conditions: [{type: Ready, status: Unknown}], addresses: "
     "[{type: InternalIP, address: 10.0.0.1}], nodeInfo: {kubeletVersion: v1.35.0, osImage: Linux}}}",
     "[\"x\",\"NotReady,SchedulingDisabled\",\"a,control-plane,worker\",\"<unknown>\",\"v1.35.0\",\"10.0.0.1\",\"<none>\",\"Linux\","
     "\"<unknown>\",\"<unknown>\"]"},
    {"no", "{" META "}",
     "[\"x\",\"Unknown\",\"<none>\",\"60m\",\"\",\"<none>\",\"<none>\",\"<unknown>\",\"<unknown>\",\"<unknown>\"]"},
    {"ns", "{" META ", status: {phase: Active}}", "[\"x\",\"Active\",\"60m\"]"},
    {"secret", "{" META ", type: Opaque, data: {a: YQ==, b: YQ==}}", "[\"x\",\"Opaque\",2,\"60m\"]"},
    {"cm", "{" META ", data: {a: b}, binaryData: {c: YQ==}}", "[\"x\",2,\"60m\"]"},
    {"sa", "{" META "}", "[\"x\",0,\"60m\"]"},
    {"events",
     "{metadata: {name: x.1}, type: Warning, reason: BackOff, involvedObject: {kind: Pod, name: web, fieldPath: f}, source: "
     "{component: kubelet, host: n1}, message: 'no luck ', firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: "
     "'2026-01-01T00:59:30Z', count: 9}",
     "[\"30s\",\"Warning\",\"BackOff\",\"pod/web\",\"f\",\"kubelet, n1\",\"no luck\",\"60m\",9,\"x.1\"]"},
    {"events",
     "{metadata: {name: x.1}, type: Normal, reason: R, involvedObject: {kind: Pod, name: web}, reportingComponent: s, message: m, "
     "eventTime: '2026-01-01T00:59:00.000000Z'}",
     "[\"60s\",\"Normal\",\"R\",\"pod/web\",\"\",\"s\",\"m\",\"60s\",1,\"x.1\"]"},
    {"events.v1.events.k8s.io",
     "{metadata: {name: x.1}, type: Normal, reason: R, regarding: {kind: Node}, reportingController: s, note: m, eventTime: "
     "'2026-01-01T00:00:00.000000Z', series: {count: 4, lastObservedTime: '2026-01-01T00:59:59.000000Z'}}",
     "[\"1s\",\"Normal\",\"R\",\"node\",\"\",\"s\",\"m\",\"60m\",5,\"x.1\"]"},
    {"quota", "{" META ", status: {hard: {pods: '5', limits.cpu: '2', requests.cpu: '1'}, used: {pods: '3'}}}",
     "[\"x\",\"pods: 3/5, requests.cpu: 0/1\",\"limits.cpu: 0/2\",\"60m\"]"},
    {"limits", "{" META "}", "[\"x\",\"2026-01-01T00:00:00Z\"]"},
    {"leases", "{" META ", spec: {holderIdentity: me}}", "[\"x\",\"me\",\"60m\"]"},
    {"pc", "{" META ", value: 100, preemptionPolicy: Never}", "[\"x\",100,false,\"60m\",\"Never\"]"},
    {"pv",
     "{" META ", spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany, ReadWriteOnce], persistentVolumeReclaimPolicy: Retain, "
     "claimRef: {namespace: n, name: c}, storageClassName: fast, volumeMode: Filesystem}, status: {phase: Bound}}",
     "[\"x\",\"1Gi\",\"RWO,RWX\",\"Retain\",\"Bound\",\"n/c\",\"fast\",\"<unset>\",\"\",\"60m\",\"Filesystem\"]"},
    {"pvc", "{" META ", spec: {storageClassName: fast}, status: {phase: Pending, capacity: {storage: 1Gi}}}",
     "[\"x\",\"Pending\",\"\",\"\",\"\",\"fast\",\"<unset>\",\"60m\",\"<unset>\"]"},
    {"pvc",
     "{" META ", spec: {volumeName: v, storageClassName: fast}, status: {phase: Bound, accessModes: [ReadWriteOncePod], capacity: "
     "{storage: 1Gi}}}",
     "[\"x\",\"Bound\",\"v\",\"1Gi\",\"RWOP\",\"fast\",\"<unset>\",\"60m\",\"<unset>\"]"},
    {"sc",
     "{metadata: {name: x, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: p, "
     "volumeBindingMode: WaitForFirstConsumer}",
     "[\"x (default)\",\"p\",\"Delete\",\"WaitForFirstConsumer\",false,\"<unknown>\"]"},
    {"csidrivers", "{" META ", spec: {volumeLifecycleModes: [Persistent, Ephemeral]}}",
     "[\"x\",true,false,false,\"<unset>\",false,\"Persistent,Ephemeral\",\"60m\"]"},
    {"csinodes", "{" META ", spec: {drivers: [{}]}}", "[\"x\",1,\"60m\"]"},
    {"volumeattachments", "{" META ", spec: {attacher: a, nodeName: n, source: {persistentVolumeName: v}}, status: {attached: true}}",
     "[\"x\",\"a\",\"v\",\"n\",true,\"60m\"]"},
    {"faults", "{" META ", spec: {type: pod-crash, target: {kind: Pod, namespace: default, name: web}}, status: {phase: Active}}",
     "[\"x\",\"pod-crash\",\"pod/default/web\",\"Active\",\"60m\",\"\"]"},
    {"faults", "{" META ", spec: {type: slow, target: {kind: Pod, selector: {matchLabels: {app: web}}, node: n1}}}",
     "[\"x\",\"slow\",\"pod app=web node/n1\",\"Pending\",\"60m\",\"\"]"},
    {"clocks", "{" META ", spec: {pace: '1'}, status: {now: '2026-01-01T01:00:00.000000Z'}}",
     "[\"x\",\"1\",\"2026-01-01T01:00:00.000000Z\"]"},
    {"sessions", "{" META ", status: {seed: '42', programVersion: '0.1', backend: simulated}}",
     "[\"x\",\"42\",\"0.1\",\"simulated\",\"<none>\"]"},
};

static Value *
table_of(const char *word, const char *object, const char *include)
{
    const ApiKind *kind = api_types_lookup(types, word);
    g_autoptr(Value) value = value_new_f(object);

    ck_assert_msg(kind != NULL, "%s", word);
    return api_table(kind, value, include, timestamp_of(NOW), true);
}

START_TEST(each_object_becomes_the_cells_that_kubernetes_prints)
{
    g_autoptr(Value) table = table_of(CASES[_i].kind, CASES[_i].object, NULL);
    g_autoptr(Value) expected = json_parse(CASES[_i].cells, strlen(CASES[_i].cells), NULL);
    g_autofree char *cells = json_text(value_at(table, "rows[0].cells")), *wanted = json_text(expected);

    ck_assert_str_eq(cells, wanted);
    ck_assert_uint_eq(value_size(value_at(table, "columnDefinitions")), value_size(value_at(table, "rows[0].cells")));
}
END_TEST

START_TEST(a_row_shows_as_much_of_the_object_as_was_asked_for)
{
    g_autoptr(Value) none = table_of("cm", "{kind: ConfigMap, metadata: {name: x}, data: {a: b}}", "None");
    g_autoptr(Value) metadata = table_of("cm", "{kind: ConfigMap, metadata: {name: x}, data: {a: b}}", NULL);
    g_autoptr(Value) object = table_of("cm", "{kind: ConfigMap, metadata: {name: x}, data: {a: b}}", "Object");

    ck_assert(value_has(value_at(none, "rows[0]"), "object") && value_is_null(value_at(none, "rows[0].object")));
    ck_assert_str_eq(value_text_at(metadata, "rows[0].object.kind"), "PartialObjectMetadata");
    ck_assert_str_eq(value_text_at(metadata, "rows[0].object.metadata.name"), "x");
    ck_assert(value_at(metadata, "rows[0].object.data") == NULL);
    ck_assert_str_eq(value_text_at(object, "rows[0].object.data.a"), "b");
}
END_TEST

START_TEST(a_completed_pod_has_a_row_condition)
{
    g_autoptr(Value) table = table_of("po",
                                      "{kind: PodList, items: [{status: {phase: Succeeded}}, {status: {phase: Running}}, "
                                      "{status: {phase: Failed}}]}",
                                      NULL);

    ck_assert_str_eq(value_text_at(table, "rows[0].conditions[0].type"), "Completed");
    ck_assert(value_at(table, "rows[1].conditions") == NULL);
    ck_assert_str_eq(value_text_at(table, "rows[2].conditions[0].reason"), "Failed");
}
END_TEST

START_TEST(a_list_keeps_its_revision_and_may_be_empty_and_headers_can_be_left_out)
{
    const ApiKind *kind = api_types_lookup(types, "po");
    g_autoptr(Value) list = value_new_f("{kind: PodList, metadata: {resourceVersion: '7', continue: c}, items: []}");
    g_autoptr(Value) table = api_table(kind, list, NULL, 0, false);

    ck_assert_str_eq(value_text_at(table, "metadata.resourceVersion"), "7");
    ck_assert_str_eq(value_text_at(table, "metadata.continue"), "c");
    ck_assert_uint_eq(value_size(value_get(table, "rows")), 0);
    ck_assert(value_is_null(value_get(table, "columnDefinitions")));
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
columns_case(void)
{
    TCase *tcase = tcase_create("columns");
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);

    tcase_add_loop_test(tcase, each_object_becomes_the_cells_that_kubernetes_prints, 0, G_N_ELEMENTS(CASES));
    tcase_add_test(tcase, a_row_shows_as_much_of_the_object_as_was_asked_for);
    tcase_add_test(tcase, a_completed_pod_has_a_row_condition);
    tcase_add_test(tcase, a_list_keeps_its_revision_and_may_be_empty_and_headers_can_be_left_out);
    return tcase;
}

TEST_RUNNER("core/api/columns", columns_case)
