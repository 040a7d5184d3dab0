/* Beside containers: probes, hooks, environment, volumes, static pods, eviction. */
#include "tests/core/kubelet/fixture.h"
#include "tests/core/kubelet/suites.h"

static void
put_config(Fixture *f, const char *name, const char *value)
{
    fake_api_put(f->api, "", "configmaps",
                 value_new_f("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: default}, data: {key: %s}}", name,
                             value));
}

START_TEST(readiness_follows_the_probe_and_its_thresholds)
{
    Fixture f;
    fixture_init(&f);
    fixture_run(&f, 30); /* a kubelet that has just started spreads its probes */
    fake_host_set_probe(f.runtime, 80, 500, NULL);
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, readinessProbe: {httpGet: {path: /ready, port: 80}, periodSeconds: 5, "
                    "failureThreshold: 2, successThreshold: 1}}]");
    fixture_run(&f, 8);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "False");
    ck_assert(fixture_event_says(&f, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500"));
    fake_host_set_probe(f.runtime, 80, 200, NULL);
    fixture_run(&f, 6);
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "True");
    fake_host_set_probe(f.runtime, 80, 0, "connection refused");
    fixture_run(&f, 6);
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "True");
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "False");
    ck_assert(fixture_event_says(&f, "Unhealthy", ":80: connect: connection refused"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_failed_liveness_probe_restarts_the_container)
{
    Fixture f;
    fixture_init(&f);
    fixture_run(&f, 30);
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, livenessProbe: {exec: {command: [cat, /tmp/healthy]}, periodSeconds: "
                    "5, failureThreshold: 3, initialDelaySeconds: 5, terminationGracePeriodSeconds: 7}}]");
    fixture_run(&f, 12);
    fake_runtime_set_exec(f.runtime, "cat /tmp/healthy", 1, "cat: can't open '/tmp/healthy'");
    fixture_run(&f, 18);
    ck_assert_int_eq(fixture_int(&f, "web-1", "status.containerStatuses[0].restartCount"), 1);
    ck_assert(fixture_event_says(&f, "Unhealthy", "Liveness probe failed: cat: can't open '/tmp/healthy'"));
    ck_assert(fixture_event_says(&f, "Killing", "Container web failed liveness probe, will be restarted"));
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop web-1/web 7"), 1);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_startup_probe_holds_the_others_back)
{
    Fixture f;
    fixture_init(&f);
    fixture_run(&f, 30);
    fake_host_set_probe(f.runtime, 81, 0, "connection refused");
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, startupProbe: {tcpSocket: {port: 81}, periodSeconds: 2, "
                    "failureThreshold: 30}, readinessProbe: {httpGet: {port: 80}, periodSeconds: 2}}]");
    fixture_run(&f, 10);
    ck_assert(!value_bool_at(fixture_pod(&f, "web-1"), "status.containerStatuses[0].started"));
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "probe 10.244.0.1:80"), 0);
    fake_host_set_probe(f.runtime, 81, 0, NULL);
    fixture_run(&f, 6);
    ck_assert(value_bool_at(fixture_pod(&f, "web-1"), "status.containerStatuses[0].started"));
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "True");
    fixture_clear(&f);
}
END_TEST

START_TEST(hooks_run_after_the_start_and_before_the_stop)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, lifecycle: {postStart: {exec: {command: [touch, a]}}, preStop: {sleep: "
                    "{seconds: 5}}}}]");
    fixture_run(&f, 5);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "exec web-1/web touch a"), 1);
    fixture_delete_pod(&f, "web-1", 30);
    fixture_run(&f, 4);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop web-1"), 0);
    fixture_run(&f, 3);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop web-1/web 25") +
                         (int)fake_runtime_count(f.runtime, "stop web-1/web 24"), 1);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_failed_post_start_hook_kills_the_container)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_exec(f.runtime, "false", 1, "no");
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, lifecycle: {postStart: {exec: {command: [\"false\"]}}}}]");
    fixture_run(&f, 5);
    ck_assert(fixture_event_says(&f, "FailedPostStartHook", "PostStartHook failed"));
    ck_assert(fixture_event_says(&f, "Killing", "FailedPostStartHook"));
    fixture_clear(&f);
}
END_TEST

static bool
has_env(Fixture *f, const char *entry)
{
    const char *const *env = fake_runtime_env(f->runtime, "web");
    return env != NULL && g_strv_contains(env, entry);
}

START_TEST(the_environment_comes_from_all_its_sources)
{
    Fixture f;
    fixture_init(&f);
    put_config(&f, "settings", "blue");
    fake_api_put(f.api, "", "secrets",
                 value_new_f("{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: default}, data: {pass: aGk=}}"));
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, resources: {limits: {memory: 64Mi, cpu: 250m}}, envFrom: [{prefix: C_, "
                    "configMapRef: {name: settings}}], env: [{name: A, value: one}, {name: B, value: \"$(A)-$(NONE)-$$(A)\"}, "
                    "{name: N, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: IP, valueFrom: {fieldRef: {fieldPath: "
                    "status.podIP}}}, {name: P, valueFrom: {secretKeyRef: {name: db, key: pass}}}, {name: M, valueFrom: "
                    "{resourceFieldRef: {resource: limits.memory}}}, {name: CPU, valueFrom: {resourceFieldRef: {resource: "
                    "limits.cpu}}}]}]");
    fixture_run(&f, 5);
    static const char *const WANTED[] = {"KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT_HTTPS=443",
                                         "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1", "C_key=blue", "A=one",
                                         "B=one-$(NONE)-$(A)", "N=web-1", "P=hi", "M=67108864", "CPU=1"};
    for (size_t i = 0; i < G_N_ELEMENTS(WANTED); i++)
        ck_assert_msg(has_env(&f, WANTED[i]), "%s is missing", WANTED[i]);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_missing_config_map_holds_the_pod_until_it_is_there)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "web-1",
                    "volumes: [{name: config, configMap: {name: settings}}], containers: [{name: web, image: nginx, volumeMounts: "
                    "[{name: config, mountPath: /etc/web}]}]");
    fixture_run(&f, 5);
    ck_assert(fixture_event_says(&f, "FailedMount",
                                 "MountVolume.SetUp failed for volume \"config\" : configmap \"settings\" not found"));
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.containerStatuses[0].state.waiting.reason"), "ContainerCreating");
    put_config(&f, "settings", "blue");
    fixture_run(&f, 20);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    ck_assert_str_eq(value_text_at(fake_host_volume(f.runtime, "config"), "key"), "blue");
    put_config(&f, "settings", "green");
    fixture_run(&f, 70);
    ck_assert_str_eq(value_text_at(fake_host_volume(f.runtime, "config"), "key"), "green");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_missing_key_is_named)
{
    Fixture f;
    fixture_init(&f);
    put_config(&f, "settings", "blue");
    fixture_add_pod(&f, "web-1",
                    "containers: [{name: web, image: nginx, env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: "
                    "nope}}}]}]");
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.containerStatuses[0].state.waiting.message"),
                     "couldn't find key nope in ConfigMap default/settings");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_claim_is_mounted_once_it_is_bound)
{
    Fixture f;
    fixture_init(&f);
    Value *claim = value_new_f("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: default}, spec: "
                               "{volumeName: pv-1}, status: {phase: Pending}}");
    fake_api_put(f.api, "", "persistentvolumeclaims", claim);
    fake_api_put(f.api, "", "persistentvolumes",
                 value_new_f("{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv-1}, spec: {csi: {driver: d}}}"));
    fixture_add_pod(&f, "db", "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}], containers: [{name: web, image: "
                              "nginx, volumeMounts: [{name: data, mountPath: /data}]}]");
    fixture_run(&f, 3);
    ck_assert(fixture_event_says(&f, "FailedMount", "PVC is not bound"));
    fake_api_edit(f.api, "", "persistentvolumeclaims", "default", "data", "status.phase", value_new_string("Bound"));
    fixture_run(&f, 20);
    ck_assert_str_eq(fixture_phase(&f, "db"), "Running");
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "mount-pv pv-1"), 1);
    fixture_clear(&f);
}
END_TEST

#define MANIFEST "[{apiVersion: v1, kind: Pod, metadata: {name: etcd, namespace: kube-system}, spec: {containers: [{name: " \
                 "etcd, image: nginx}]}}]"

START_TEST(a_static_pod_runs_and_its_mirror_pod_is_made_again)
{
    Fixture f;
    fixture_init_idle(&f);
    fake_host_set_static(f.runtime, value_new_f(MANIFEST));
    fixture_start(&f);
    fixture_run(&f, 5);
    const Value *mirror = fake_api_get(f.api, "", "pods", "kube-system", "etcd-node-1");
    ck_assert_ptr_nonnull(mirror);
    ck_assert(fake_runtime_is_running(f.runtime, "etcd-node-1", "etcd"));
    ck_assert_str_eq(value_text_at(mirror, "status.phase"), "Running");
    ck_assert_str_eq(value_text_at(mirror, "metadata.ownerReferences[0].kind"), "Node");
    ck_assert_str_eq(object_annotation(mirror, "kubernetes.io/config.source"), "file");
    ck_assert_str_eq(object_annotation(mirror, "kubernetes.io/config.mirror"),
                     object_annotation(mirror, "kubernetes.io/config.hash"));
    fake_api_remove(f.api, "", "pods", "kube-system", "etcd-node-1");
    fixture_run(&f, 5);
    mirror = fake_api_get(f.api, "", "pods", "kube-system", "etcd-node-1");
    ck_assert_ptr_nonnull(mirror);
    ck_assert_str_eq(value_text_at(mirror, "status.phase"), "Running");
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start "), 1);
    fake_host_set_static(f.runtime, value_new_array());
    fixture_run(&f, 5);
    ck_assert_ptr_null(fake_api_get(f.api, "", "pods", "kube-system", "etcd-node-1"));
    ck_assert(!fake_runtime_is_running(f.runtime, "etcd-node-1", "etcd"));
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 0);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_static_pod_runs_without_an_api_server)
{
    Fixture f;
    fixture_init_idle(&f);
    fake_api_set_down(f.api, true);
    fake_host_set_static(f.runtime, value_new_f(MANIFEST));
    fixture_start(&f);
    fixture_run(&f, 5);
    ck_assert(fake_runtime_is_running(f.runtime, "etcd-node-1", "etcd"));
    fake_api_set_down(f.api, false);
    fixture_run(&f, 60);
    ck_assert_ptr_nonnull(fake_api_get(f.api, "", "nodes", NULL, "node-1"));
    ck_assert_str_eq(value_text_at(fake_api_get(f.api, "", "pods", "kube-system", "etcd-node-1"), "status.phase"), "Running");
    fixture_clear(&f);
}
END_TEST

START_TEST(under_memory_pressure_the_greediest_pod_is_evicted)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "modest", "containers: [{name: small, image: nginx, resources: {requests: {memory: 1Gi}}}]");
    fixture_add_pod(&f, "greedy", "containers: [{name: big, image: nginx, resources: {requests: {memory: 100Mi}}}]");
    fixture_run(&f, 5);
    fake_runtime_set_memory(f.runtime, "small", 512u << 20);
    fake_runtime_set_memory(f.runtime, "big", 900u << 20);
    fake_host_set_pressure(f.runtime, &(HostPressure){.memory = true, .memory_available = 50u << 20});
    fixture_run(&f, 11);
    fake_host_set_pressure(f.runtime, &(HostPressure){.memory_available = (uint64_t)2 << 30});
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_phase(&f, "greedy"), "Failed");
    ck_assert_str_eq(fixture_text(&f, "greedy", "status.reason"), "Evicted");
    ck_assert_str_eq(fixture_text(&f, "greedy", "status.message"),
                     "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container big was using "
                     "900Mi, request is 100Mi, has larger consumption of memory. ");
    ck_assert_str_eq(fixture_condition(&f, "greedy", "DisruptionTarget", "reason"), "TerminationByKubelet");
    ck_assert_str_eq(fixture_phase(&f, "modest"), "Running");
    const Value *node = fake_api_get(f.api, "", "nodes", NULL, "node-1");
    ck_assert(condition_is(value_at(node, "status.conditions"), "MemoryPressure", "True"));
    fixture_run(&f, 320);
    node = fake_api_get(f.api, "", "nodes", NULL, "node-1");
    ck_assert(condition_is(value_at(node, "status.conditions"), "MemoryPressure", "False"));
    fixture_clear(&f);
}
END_TEST

START_TEST(disk_pressure_frees_unused_images_before_it_evicts)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_add_image(f.runtime, "old", 1);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_host_set_pressure(f.runtime, &(HostPressure){.disk = true});
    fixture_run(&f, 11);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "remove-image old"), 1);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "remove-image nginx"), 0);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    fixture_add_web(&f, "web-2");
    fixture_run(&f, 2);
    ck_assert_str_eq(fixture_text(&f, "web-2", "status.reason"), "Evicted");
    ck_assert_str_eq(fixture_text(&f, "web-2", "status.message"),
                     "Pod was rejected: The node had condition: [DiskPressure]. ");
    fixture_run(&f, 10);
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.message"), "The node was low on resource: ephemeral-storage. ");
    fixture_clear(&f);
}
END_TEST

START_TEST(the_end_of_the_log_stands_in_for_a_termination_message)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "job", "restartPolicy: Never, containers: [{name: web, image: nginx, terminationMessagePolicy: "
                               "FallbackToLogsOnError}]");
    fixture_run(&f, 3);
    g_autofree char *path = g_strdup_printf("/var/log/pods/default_job_%s/web/0.log", object_uid(fixture_pod(&f, "job")));
    fake_host_add_log(f.runtime, path, 1, "panic: no drones");
    fake_runtime_exit(f.runtime, "job", "web", 2);
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_text(&f, "job", "status.containerStatuses[0].state.terminated.message"), "panic: no drones\n");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_for_another_operating_system_is_rejected)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "dotnet", "os: {name: windows}, containers: [{name: web, image: nginx}]");
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_text(&f, "dotnet", "status.reason"), "PodOSNotSupported");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_deleted_before_it_started_ends_failed_and_goes)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_pull(f.runtime, "huge", 1000 * NS_PER_S, NULL);
    fixture_add_pod(&f, "web-1", "containers: [{name: web, image: huge}]");
    fixture_run(&f, 5);
    fixture_delete_pod(&f, "web-1", 30);
    fixture_run(&f, 3);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 0);
    fixture_clear(&f);
}
END_TEST

TCase *
beside_case(void)
{
    return test_case("beside", readiness_follows_the_probe_and_its_thresholds,
                     a_failed_liveness_probe_restarts_the_container, a_startup_probe_holds_the_others_back,
                     hooks_run_after_the_start_and_before_the_stop, a_failed_post_start_hook_kills_the_container,
                     the_environment_comes_from_all_its_sources, a_missing_config_map_holds_the_pod_until_it_is_there,
                     a_missing_key_is_named, a_claim_is_mounted_once_it_is_bound,
                     a_static_pod_runs_and_its_mirror_pod_is_made_again, a_static_pod_runs_without_an_api_server,
                     under_memory_pressure_the_greediest_pod_is_evicted,
                     disk_pressure_frees_unused_images_before_it_evicts,
                     the_end_of_the_log_stands_in_for_a_termination_message,
                     a_pod_for_another_operating_system_is_rejected, a_pod_deleted_before_it_started_ends_failed_and_goes);
}
