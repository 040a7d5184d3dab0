/* Namespaces, service accounts, node networks, pod GC, budgets, quotas, garbage collection and
 * volumes. */
#include <string.h>

#include "core/controllers/node/ipam.h"
#include "tests/core/controllers/suites.h"

static Bench bench;

static void
put(const char *group, const char *resource, const char *text)
{
    bench_put(&bench, group, resource, value_new_f(text));
}

static void
put_owned(const char *group, const char *resource, const char *api_version, const char *kind,
          const char *name, const char *owner_kind, const char *owner, bool blocks)
{
    bench_put(
        &bench, group, resource,
        value_new_f(
            "{apiVersion: %s, kind: %s, metadata: {name: %s, namespace: d, uid: %s, "
            "ownerReferences: [{apiVersion: 'apps/v1', "
            "kind: %s, name: %s, uid: %s, controller: true, blockOwnerDeletion: %b}]}, spec: {}}",
            api_version, kind, name, name, owner_kind, owner, owner, blocks));
}

/* ---- namespaces
 * -------------------------------------------------------------------------------------- */

START_TEST(every_namespace_gets_its_account_and_root_certificate)
{
    bench_open(&bench);
    put("", "namespaces",
        "{apiVersion: v1, kind: Namespace, metadata: {name: d}, status: {phase: Active}}");
    put("", "namespaces",
        "{apiVersion: v1, kind: Namespace, metadata: {name: going}, status: {phase: Terminating}}");
    bench_start(&bench, value_new_f("{controllers: [serviceaccount-controller, "
                                    "root-ca-certificate-publisher-controller], rootCA: PEM}"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "serviceaccounts", "default"));
    ck_assert_uint_eq(fake_api_count(bench.api, "", "serviceaccounts"), 1);
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "configmaps", "kube-root-ca.crt"), "data['ca.crt']"),
        "PEM");
    fake_api_remove(bench.api, "", "serviceaccounts", "d", "default");
    fake_api_edit(bench.api, "", "configmaps", "d", "kube-root-ca.crt", "data",
                  value_new_f("{other: x}"));
    bench_settle(&bench);
    ck_assert_ptr_nonnull(bench_get(&bench, "", "serviceaccounts", "default"));
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "configmaps", "kube-root-ca.crt"), "data['ca.crt']"),
        "PEM");
    bench_close(&bench);
}
END_TEST

START_TEST(a_terminating_namespace_is_emptied_pods_first_and_finalized)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [namespace-controller]}"));
    put("", "namespaces",
        "{apiVersion: v1, kind: Namespace, metadata: {name: d, finalizers: [hold], "
        "deletionTimestamp: '2026-01-01T00:00:00Z'}, "
        "spec: {finalizers: [kubernetes]}, status: {phase: Active}}");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: held, namespace: d, finalizers: "
        "['example.com/keep']}, spec: {}}");
    put("", "configmaps", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: d}}");
    bench_run_s(&bench, 12);
    const Value *namespace_ = fake_api_get(bench.api, "", "namespaces", NULL, "d");
    ck_assert_str_eq(value_text_at(namespace_, "status.phase"), "Terminating");
    ck_assert_ptr_nonnull(bench_get(&bench, "", "configmaps", "c"));
    ck_assert_str_eq(condition_reason(namespace_, "NamespaceContentRemaining"),
                     "SomeResourcesRemain");
    ck_assert_str_eq(condition_reason(namespace_, "NamespaceFinalizersRemaining"),
                     "SomeFinalizersRemain");
    fake_api_remove(bench.api, "", "pods", "d", "held");
    bench_run_s(&bench, 40);
    ck_assert_ptr_null(bench_get(&bench, "", "configmaps", "c"));
    ck_assert_uint_ge(fake_api_count_requests(bench.api, "PUT namespaces/finalize d"), 1);
    bench_close(&bench);
}
END_TEST

/* ---- nodes' networks
 * --------------------------------------------------------------------------------- */

START_TEST(each_node_gets_a_range_and_a_gone_one_gives_it_back)
{
    CidrSet set;
    ck_assert(cidr_set_init(&set, "10.0.0.0/23", 24));
    g_autofree char *first = cidr_set_allocate(&set), *second = cidr_set_allocate(&set),
                    *none = cidr_set_allocate(&set);
    ck_assert_str_eq(first, "10.0.0.0/24");
    ck_assert_str_eq(second, "10.0.1.0/24");
    ck_assert_ptr_null(none);
    ck_assert(cidr_set_occupy(&set, "10.0.0.0/24", false));
    ck_assert(!cidr_set_occupy(&set, "10.9.0.0/24", true));
    g_autofree char *again = cidr_set_allocate(&set);
    ck_assert_str_eq(again, "10.0.0.0/24");
    cidr_set_clear(&set);
    ck_assert(!cidr_set_init(&set, "10.0.0.0", 24));
    ck_assert(!cidr_set_init(&set, "10.0.0.0/25", 24));

    bench_open(&bench);
    put("", "nodes",
        "{apiVersion: v1, kind: Node, metadata: {name: b}, spec: {podCIDR: '10.244.0.0/24'}}");
    put("", "nodes", "{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {}}");
    bench_start(&bench,
                value_new_f("{controllers: [node-ipam-controller], clusterCIDR: '10.244.0.0/16'}"));
    ck_assert_str_eq(value_text_at(fake_api_get(bench.api, "", "nodes", NULL, "a"), "spec.podCIDR"),
                     "10.244.1.0/24");
    ck_assert_str_eq(
        value_text_at(fake_api_get(bench.api, "", "nodes", NULL, "a"), "spec.podCIDRs[0]"),
        "10.244.1.0/24");
    bench_close(&bench);
}
END_TEST

/* ---- pods that are garbage
 * --------------------------------------------------------------------------- */

START_TEST(pods_of_missing_nodes_unplaced_ones_and_too_many_ended_ones_go)
{
    bench_open(&bench);
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: orphan, namespace: d}, spec: {nodeName: "
        "gone}, status: {phase: Running}}");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: old, namespace: d}, spec: {nodeName: n1}, "
        "status: {phase: Succeeded}}");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: young, namespace: d}, spec: {nodeName: n1}, "
        "status: {phase: Failed}}");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: fine, namespace: d}, spec: {nodeName: n1}, "
        "status: {phase: Running}}");
    put("", "nodes", "{apiVersion: v1, kind: Node, metadata: {name: n1}}");
    bench_start(
        &bench,
        value_new_f(
            "{controllers: [pod-garbage-collector-controller], terminatedPodGCThreshold: 1}"));
    ck_assert_ptr_null(bench_get(&bench, "", "pods", "old"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "pods", "young"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "pods", "orphan"));
    bench_run_s(&bench, 65);
    ck_assert_ptr_null(bench_get(&bench, "", "pods", "orphan"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "pods", "fine"));
    bench_close(&bench);
}
END_TEST

/* ---- budgets
 * ----------------------------------------------------------------------------------------- */

START_TEST(a_budget_counts_who_is_healthy_and_who_may_go)
{
    static const struct {
        const char *spec;
        int allowed, desired, expected;
    } cases[] = {
        {"minAvailable: 2", 1, 2, 3},   {"minAvailable: '50%'", 1, 2, 4},
        {"maxUnavailable: 1", 0, 3, 4}, {"maxUnavailable: '50%'", 1, 2, 4},
        {"minAvailable: 4", 0, 4, 3},   {"maxUnavailable: 0", 0, 4, 4},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bench_open(&bench);
        put("apps", "replicasets",
            "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: rs, namespace: d, uid: rs}, "
            "spec: {replicas: 4}}");
        for (int j = 0; j < 3; j++) {
            g_autofree char *name = g_strdup_printf("p%d", j);
            put_owned("", "pods", "v1", "Pod", name, "ReplicaSet", "rs", true);
            fake_api_edit(bench.api, "", "pods", "d", name, "metadata.labels",
                          value_new_f("{app: web}"));
            pod_make_ready(&bench, name);
        }
        bench_start(&bench, value_new_f("{controllers: [disruption-controller]}"));
        g_autofree char *text = g_strdup_printf(
            "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b, namespace: d}, "
            "spec: {selector: {matchLabels: {app: web}}, %s}}",
            cases[i].spec);
        put("policy", "poddisruptionbudgets", text);
        bench_settle(&bench);
        const Value *budget = bench_get(&bench, "policy", "poddisruptionbudgets", "b");
        ck_assert_int_eq(value_int_at(budget, "status.disruptionsAllowed"), cases[i].allowed);
        ck_assert_int_eq(value_int_at(budget, "status.desiredHealthy"), cases[i].desired);
        ck_assert_int_eq(value_int_at(budget, "status.expectedPods"), cases[i].expected);
        ck_assert_str_eq(condition_reason(budget, "DisruptionAllowed"),
                         cases[i].allowed > 0 ? "SufficientPods" : "InsufficientPods");
        bench_close(&bench);
    }
}
END_TEST

START_TEST(a_quota_counts_what_is_used)
{
    bench_open(&bench);
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: d}, spec: {containers: [{name: "
        "c, resources: {requests: {cpu: 250m, memory: 64Mi}, "
        "limits: {cpu: 1}}}]}, status: {phase: Running}}");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: d}, spec: {containers: [{name: "
        "c, resources: {requests: {cpu: 1}}}]}, "
        "status: {phase: Succeeded}}");
    put("", "services",
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: d}, spec: {type: NodePort, "
        "ports: [{port: 80}]}}");
    put("", "resourcequotas",
        "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: d}, spec: {hard: "
        "{pods: 10, requests.cpu: 2, "
        "requests.memory: 1Gi, limits.cpu: 4, 'count/pods': 20, services.nodeports: 5}}}");
    bench_start(&bench, value_new_f("{controllers: [resourcequota-controller]}"));
    const Value *used = value_at(bench_get(&bench, "", "resourcequotas", "q"), "status.used");
    ck_assert_str_eq(value_text(value_get(used, "pods")), "1");
    ck_assert_str_eq(value_text(value_get(used, "requests.cpu")), "250m");
    ck_assert_str_eq(value_text(value_get(used, "requests.memory")), "64Mi");
    ck_assert_str_eq(value_text(value_get(used, "limits.cpu")), "1");
    ck_assert_str_eq(value_text(value_get(used, "count/pods")), "2");
    ck_assert_str_eq(value_text(value_get(used, "services.nodeports")), "1");
    fake_api_remove(bench.api, "", "pods", "d", "a");
    bench_settle(&bench);
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "resourcequotas", "q"), "status.used.pods"), "0");
    bench_close(&bench);
}
END_TEST

/* ---- the garbage collector
 * --------------------------------------------------------------------------- */

static void
put_family(void)
{
    put("apps", "deployments",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: d, uid: web}, "
        "spec: {}}");
    put_owned("apps", "replicasets", "apps/v1", "ReplicaSet", "rs", "Deployment", "web", true);
    put_owned("", "pods", "v1", "Pod", "p", "ReplicaSet", "rs", true);
}

START_TEST(dependents_of_a_gone_owner_go_in_the_background)
{
    bench_open(&bench);
    put_family();
    bench_start(&bench, value_new_f("{controllers: [garbage-collector-controller]}"));
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    fake_api_remove(bench.api, "apps", "deployments", "d", "web");
    bench_settle(&bench);
    ck_assert_ptr_null(bench_get(&bench, "apps", "replicasets", "rs"));
    bench_run_s(&bench, 60);
    const Value *pod = bench_get(&bench, "", "pods", "p");
    ck_assert(pod == NULL || object_is_deleting(pod));
    bench_close(&bench);
}
END_TEST

START_TEST(an_owner_that_never_was_is_asked_for_once)
{
    bench_open(&bench);
    put_owned("", "configmaps", "v1", "ConfigMap", "c", "Deployment", "never", true);
    bench_start(&bench, value_new_f("{controllers: [garbage-collector-controller]}"));
    ck_assert_ptr_null(bench_get(&bench, "", "configmaps", "c"));
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "GET deployments d/never"), 1);
    bench_close(&bench);
}
END_TEST

START_TEST(foreground_deletion_waits_for_blocking_dependents)
{
    bench_open(&bench);
    put_family();
    fake_api_edit(bench.api, "", "pods", "d", "p", "metadata.finalizers",
                  value_new_f("['example.com/keep']"));
    bench_start(&bench, value_new_f("{controllers: [garbage-collector-controller]}"));
    fake_api_edit(bench.api, "apps", "deployments", "d", "web", "metadata",
                  value_new_f("{name: web, namespace: d, uid: web, finalizers: "
                              "[foregroundDeletion], deletionTimestamp: '2026-01-01T00:00:00Z'}"));
    bench_settle(&bench);
    ck_assert_ptr_nonnull(bench_get(&bench, "apps", "deployments", "web"));
    ck_assert(object_is_deleting(bench_get(&bench, "apps", "replicasets", "rs")));
    ck_assert(object_is_deleting(bench_get(&bench, "", "pods", "p")));
    fake_api_remove(bench.api, "", "pods", "d", "p");
    bench_settle(&bench);
    const Value *web = bench_get(&bench, "apps", "deployments", "web");
    ck_assert_ptr_null(bench_get(&bench, "apps", "replicasets", "rs"));
    ck_assert(web == NULL || !object_has_finalizer(web, "foregroundDeletion"));
    bench_close(&bench);
}
END_TEST

START_TEST(orphaned_dependents_stay_without_the_owner)
{
    bench_open(&bench);
    put_family();
    bench_start(&bench, value_new_f("{controllers: [garbage-collector-controller]}"));
    fake_api_edit(bench.api, "apps", "deployments", "d", "web", "metadata",
                  value_new_f("{name: web, namespace: d, uid: web, finalizers: [orphan], "
                              "deletionTimestamp: '2026-01-01T00:00:00Z'}"));
    bench_settle(&bench);
    ck_assert_uint_eq(value_size(value_at(bench_get(&bench, "apps", "replicasets", "rs"),
                                          "metadata.ownerReferences")),
                      0);
    const Value *web = bench_get(&bench, "apps", "deployments", "web");
    ck_assert(web == NULL || !object_has_finalizer(web, "orphan"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "pods", "p"));
    bench_close(&bench);
}
END_TEST

START_TEST(one_solid_owner_keeps_a_dependent_and_the_dead_reference_goes)
{
    bench_open(&bench);
    put_family();
    bench_put(&bench, "", "configmaps",
              value_new_f("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: d, "
                          "ownerReferences: [{apiVersion: 'apps/v1', kind: Deployment, "
                          "name: web, uid: web}, {apiVersion: 'apps/v1', kind: Deployment, name: "
                          "never, uid: never}]}}"));
    bench_start(&bench, value_new_f("{controllers: [garbage-collector-controller]}"));
    const Value *map = bench_get(&bench, "", "configmaps", "c");
    ck_assert_ptr_nonnull(map);
    ck_assert_uint_eq(value_size(value_at(map, "metadata.ownerReferences")), 1);
    bench_close(&bench);
}
END_TEST

/* ---- volumes
 * ----------------------------------------------------------------------------------------- */

static void
put_claim(const char *class_)
{
    bench_put(&bench, "", "persistentvolumeclaims",
              value_new_f("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, "
                          "namespace: d, uid: u1}, spec: {storageClassName: %s, "
                          "accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}}",
                          class_));
}

static void
put_volume(const char *name, const char *size)
{
    bench_put(&bench, "", "persistentvolumes",
              value_new_f("{apiVersion: v1, kind: PersistentVolume, metadata: {name: %s}, spec: "
                          "{storageClassName: manual, accessModes: [ReadWriteOnce], "
                          "capacity: {storage: %s}, persistentVolumeReclaimPolicy: Retain, "
                          "hostPath: {path: /x}}}",
                          name, size));
}

START_TEST(a_claim_is_bound_to_the_smallest_volume_that_fits)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [persistentvolume-binder-controller]}"));
    put_volume("large", "50Gi");
    put_volume("small", "1Gi");
    put_volume("fit", "8Gi");
    put_claim("manual");
    bench_settle(&bench);
    const Value *claim = bench_get(&bench, "", "persistentvolumeclaims", "data");
    ck_assert_str_eq(value_text_at(claim, "spec.volumeName"), "fit");
    ck_assert_str_eq(value_text_at(claim, "status.phase"), "Bound");
    ck_assert_str_eq(value_text_at(claim, "status.capacity.storage"), "8Gi");
    ck_assert_str_eq(value_text_at(fake_api_get(bench.api, "", "persistentvolumes", NULL, "fit"),
                                   "status.phase"),
                     "Bound");
    ck_assert_str_eq(value_text_at(fake_api_get(bench.api, "", "persistentvolumes", NULL, "large"),
                                   "status.phase"),
                     "Available");
    fake_api_remove(bench.api, "", "persistentvolumeclaims", "d", "data");
    bench_settle(&bench);
    ck_assert_str_eq(value_text_at(fake_api_get(bench.api, "", "persistentvolumes", NULL, "fit"),
                                   "status.phase"),
                     "Released");
    bench_close(&bench);
}
END_TEST

START_TEST(a_claim_without_volume_says_why_it_waits)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [persistentvolume-binder-controller]}"));
    put_claim("");
    bench_settle(&bench);
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "persistentvolumeclaims", "data"), "status.phase"),
        "Pending");
    ck_assert(bench_has_event(
        &bench, "FailedBinding",
        "no persistent volumes available for this claim and no storage class is set"));
    fake_api_edit(bench.api, "", "persistentvolumeclaims", "d", "data", "spec.storageClassName",
                  value_new_string("nope"));
    bench_settle(&bench);
    ck_assert(bench_has_event(&bench, "ProvisioningFailed",
                              "storageclass.storage.k8s.io \"nope\" not found"));
    put_volume("late", "8Gi");
    fake_api_edit(bench.api, "", "persistentvolumeclaims", "d", "data", "spec.storageClassName",
                  value_new_string("manual"));
    bench_settle(&bench);
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "persistentvolumeclaims", "data"), "status.phase"),
        "Bound");
    bench_close(&bench);
}
END_TEST

START_TEST(a_dynamic_volume_waits_for_its_consumer_and_goes_with_its_claim)
{
    bench_open(&bench);
    put("storage.k8s.io", "storageclasses",
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: "
        "rancher.io/local-path, "
        "reclaimPolicy: Delete, volumeBindingMode: WaitForFirstConsumer}");
    put("", "nodes",
        "{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {'kubernetes.io/hostname': "
        "n1}}}");
    bench_start(
        &bench,
        value_new_f("{controllers: [persistentvolume-binder-controller, "
                    "timonel-volume-provisioner], provisioners: ['rancher.io/local-path']}"));
    put_claim("fast");
    bench_settle(&bench);
    ck_assert(bench_has_event(&bench, "WaitForFirstConsumer",
                              "waiting for first consumer to be created before binding"));
    ck_assert_uint_eq(fake_api_count(bench.api, "", "persistentvolumes"), 0);
    fake_api_edit(bench.api, "", "persistentvolumeclaims", "d", "data", "metadata.annotations",
                  value_new_f("{'volume.kubernetes.io/selected-node': n1}"));
    bench_settle(&bench);
    const Value *volume = fake_api_get(bench.api, "", "persistentvolumes", NULL, "pvc-u1");
    ck_assert_ptr_nonnull(volume);
    ck_assert_str_eq(
        value_text_at(
            volume,
            "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]"),
        "n1");
    ck_assert_str_eq(
        value_text_at(bench_get(&bench, "", "persistentvolumeclaims", "data"), "status.phase"),
        "Bound");
    ck_assert(
        bench_has_event(&bench, "ProvisioningSucceeded", "Successfully provisioned volume pvc-u1"));
    ck_assert(bench_has_event(&bench, "ExternalProvisioning", "rancher.io/local-path"));
    fake_api_remove(bench.api, "", "persistentvolumeclaims", "d", "data");
    bench_settle(&bench);
    volume = fake_api_get(bench.api, "", "persistentvolumes", NULL, "pvc-u1");
    ck_assert(volume == NULL || object_is_deleting(volume));
    bench_close(&bench);
}
END_TEST

START_TEST(a_claim_in_use_is_not_deleted_before_its_pod)
{
    bench_open(&bench);
    put_claim("manual");
    put("", "pods",
        "{apiVersion: v1, kind: Pod, metadata: {name: user, namespace: d}, spec: {nodeName: n1, "
        "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}");
    bench_start(&bench,
                value_new_f("{controllers: [persistentvolumeclaim-protection-controller]}"));
    ck_assert(object_has_finalizer(bench_get(&bench, "", "persistentvolumeclaims", "data"),
                                   "kubernetes.io/pvc-protection"));
    client_delete(bench.client, "", "persistentvolumeclaims", "d", "data", NULL, NULL, NULL);
    bench_settle(&bench);
    ck_assert(object_is_deleting(bench_get(&bench, "", "persistentvolumeclaims", "data")));
    fake_api_remove(bench.api, "", "pods", "d", "user");
    bench_settle(&bench);
    ck_assert_ptr_null(bench_get(&bench, "", "persistentvolumeclaims", "data"));
    bench_close(&bench);
}
END_TEST

TCase *
small_suite(void)
{
    return test_case(
        "small", every_namespace_gets_its_account_and_root_certificate,
        a_terminating_namespace_is_emptied_pods_first_and_finalized,
        each_node_gets_a_range_and_a_gone_one_gives_it_back,
        pods_of_missing_nodes_unplaced_ones_and_too_many_ended_ones_go,
        a_budget_counts_who_is_healthy_and_who_may_go, a_quota_counts_what_is_used,
        dependents_of_a_gone_owner_go_in_the_background, an_owner_that_never_was_is_asked_for_once,
        foreground_deletion_waits_for_blocking_dependents,
        orphaned_dependents_stay_without_the_owner,
        one_solid_owner_keeps_a_dependent_and_the_dead_reference_goes,
        a_claim_is_bound_to_the_smallest_volume_that_fits, a_claim_without_volume_says_why_it_waits,
        a_dynamic_volume_waits_for_its_consumer_and_goes_with_its_claim,
        a_claim_in_use_is_not_deleted_before_its_pod);
}
