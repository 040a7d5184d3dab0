/* Containers: crashes and back-off, images, configuration errors, init containers and sidecars. */
#include "tests/core/kubelet/fixture.h"
#include "tests/core/kubelet/suites.h"

#define WEB_WAITING "status.containerStatuses[0].state.waiting.reason"
#define WEB_MESSAGE "status.containerStatuses[0].state.waiting.message"

START_TEST(a_crashing_container_comes_back_at_once_then_with_doubling_delay)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_exit(f.runtime, "web-1", "web", 1);
    fixture_run(&f, 2);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    ck_assert_int_eq(fixture_int(&f, "web-1", "status.containerStatuses[0].restartCount"), 1);
    ck_assert_int_eq(fixture_int(&f, "web-1", "status.containerStatuses[0].lastState.terminated.exitCode"), 1);
    fake_runtime_exit(f.runtime, "web-1", "web", 1);
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), "CrashLoopBackOff");
    g_autofree char *text = g_strdup_printf("back-off 10s restarting failed container=web pod=web-1_default(%s)",
                                            object_uid(fixture_pod(&f, "web-1")));
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_MESSAGE), text);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "message"), "containers with unready status: [web]");
    ck_assert(fixture_event_says(&f, "BackOff", "Back-off restarting failed container web in pod web-1_default("));
    fixture_run(&f, 7);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    fake_runtime_exit(f.runtime, "web-1", "web", 1);
    fixture_run(&f, 15);
    ck_assert(!fake_runtime_is_running(f.runtime, "web-1", "web"));
    ck_assert_ptr_nonnull(strstr(fixture_text(&f, "web-1", WEB_MESSAGE), "back-off 20s"));
    fixture_run(&f, 8);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_job_pod_that_succeeds_is_done)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "job", "restartPolicy: Never, containers: [{name: web, image: nginx}]");
    fixture_run(&f, 5);
    fake_runtime_exit(f.runtime, "job", "web", 0);
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_phase(&f, "job"), "Succeeded");
    ck_assert_str_eq(fixture_condition(&f, "job", "Ready", "reason"), "PodCompleted");
    ck_assert_str_eq(fixture_text(&f, "job", "status.containerStatuses[0].state.terminated.reason"), "Completed");
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop-sandbox job"), 1);
    ck_assert_str_eq(kubelet_pod_state(f.kubelet, "default", "job"), "terminated");
    fixture_delete_pod(&f, "job", 30);
    fixture_run(&f, 2);
    ck_assert_ptr_null(fixture_pod(&f, "job"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_job_pod_that_fails_is_failed)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "job", "restartPolicy: Never, containers: [{name: web, image: nginx}]");
    fixture_run(&f, 5);
    fake_runtime_exit(f.runtime, "job", "web", 2);
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_phase(&f, "job"), "Failed");
    ck_assert_str_eq(fixture_condition(&f, "job", "ContainersReady", "reason"), "PodFailed");
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start "), 1);
    fixture_clear(&f);
}
END_TEST

START_TEST(an_image_is_pulled_and_the_event_says_how_long_it_took)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_pull(f.runtime, "redis", 1200 * NS_PER_MS, NULL);
    fixture_add_pod(&f, "cache", "containers: [{name: web, image: redis}]");
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_phase(&f, "cache"), "Running");
    ck_assert(fixture_event_says(&f, "Pulling", "Pulling image \"redis\""));
    ck_assert(fixture_event_says(
        &f, "Pulled", "Successfully pulled image \"redis\" in 1.2s (1.2s including waiting). Image size: 1000 bytes."));
    fixture_clear(&f);
}
END_TEST

START_TEST(pulls_wait_for_each_other)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_pull(f.runtime, "redis", 3 * NS_PER_S, NULL);
    fake_runtime_set_pull(f.runtime, "mongo", 2 * NS_PER_S, NULL);
    fixture_add_pod(&f, "a", "containers: [{name: web, image: redis}]");
    fixture_add_pod(&f, "b", "containers: [{name: web, image: mongo}]");
    fixture_run(&f, 10);
    ck_assert(fixture_event_says(&f, "Pulled", " including waiting)"));
    ck_assert_str_eq(fixture_phase(&f, "a"), "Running");
    ck_assert_str_eq(fixture_phase(&f, "b"), "Running");
    ck_assert(fixture_event_says(&f, "Pulled", "in 2s (5s including waiting)") ||
              fixture_event_says(&f, "Pulled", "in 3s (5s including waiting)"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_failing_pull_backs_off)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_set_pull(f.runtime, "nginx:bad", NS_PER_S, "nginx:bad: not found");
    fixture_add_pod(&f, "web-1", "containers: [{name: web, image: \"nginx:bad\"}]");
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), "ErrImagePull");
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_MESSAGE), "nginx:bad: not found");
    ck_assert(fixture_event_says(&f, "Failed", "Failed to pull image \"nginx:bad\": nginx:bad: not found"));
    ck_assert(fixture_event_says(&f, "Failed", "Error: ErrImagePull"));
    fixture_run(&f, 75);
    ck_assert(fixture_event_says(&f, "BackOff", "Back-off pulling image \"nginx:bad\""));
    size_t pulls = fake_runtime_count(f.runtime, "pull nginx:bad");
    ck_assert_int_ge((int)pulls, 2);
    ck_assert_int_le((int)pulls, 4);
    fake_runtime_set_pull(f.runtime, "nginx:bad", NS_PER_S, NULL);
    fixture_run(&f, 120);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    fixture_clear(&f);
}
END_TEST

START_TEST(an_image_that_may_not_be_pulled_and_a_bad_name_are_told_apart)
{
    static const struct {
        const char *spec, *reason;
    } CASES[] = {
        {"containers: [{name: web, image: absent, imagePullPolicy: Never}]", "ErrImageNeverPull"},
        {"containers: [{name: web, image: \"Nginx:1\"}]", "InvalidImageName"},
        {"containers: [{name: web, image: nginx, env: [{name: A, valueFrom: {configMapKeyRef: {name: none, key: a}}}]}]",
         "CreateContainerConfigError"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Fixture f;
        fixture_init(&f);
        fixture_add_pod(&f, "web-1", CASES[i].spec);
        fixture_run(&f, 5);
        ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), CASES[i].reason);
        ck_assert_str_eq(fixture_phase(&f, "web-1"), "Pending");
        fixture_clear(&f);
    }
}
END_TEST

START_TEST(errors_of_the_runtime_show_as_reasons_and_are_tried_again)
{
    static const struct {
        const char *op, *reason;
    } CASES[] = {{"create web-1/web", "CreateContainerError"}, {"start web-1/web", "RunContainerError"}};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        Fixture f;
        fixture_init(&f);
        fake_runtime_fail(f.runtime, CASES[i].op, "no space left on device", 1);
        fixture_add_web(&f, "web-1");
        fixture_run(&f, 0.5);
        ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), CASES[i].reason);
        ck_assert(fixture_event_says(&f, "Failed", "Error: no space left on device"));
        fixture_run(&f, 30);
        ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
        fixture_clear(&f);
    }
}
END_TEST

START_TEST(a_sandbox_that_cannot_be_made_is_tried_again)
{
    Fixture f;
    fixture_init(&f);
    fake_runtime_fail(f.runtime, "sandbox web-1", "no free address", 1);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 2);
    ck_assert(fixture_event_says(&f, "FailedCreatePodSandBox", "Failed to create pod sandbox: no free address"));
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), "ContainerCreating");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "PodReadyToStartContainers", "status"), "False");
    fixture_run(&f, 20);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    fixture_clear(&f);
}
END_TEST

START_TEST(init_containers_run_one_after_the_other)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "web-1",
                    "initContainers: [{name: one, image: nginx}, {name: two, image: nginx}], "
                    "containers: [{name: web, image: nginx}]");
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_text(&f, "web-1", WEB_WAITING), "PodInitializing");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Initialized", "message"), "containers with incomplete status: [one two]");
    fake_runtime_exit(f.runtime, "web-1", "one", 0);
    fixture_run(&f, 3);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "two"));
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start web-1/web"), 0);
    fake_runtime_exit(f.runtime, "web-1", "two", 1);
    fixture_run(&f, 3);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "two"));
    fake_runtime_exit(f.runtime, "web-1", "two", 0);
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Initialized", "status"), "True");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_failed_init_container_fails_a_pod_that_never_restarts)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "web-1",
                    "restartPolicy: Never, initContainers: [{name: one, image: nginx}], containers: [{name: web, image: nginx}]");
    fixture_run(&f, 3);
    fake_runtime_exit(f.runtime, "web-1", "one", 1);
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Failed");
    fixture_clear(&f);
}
END_TEST

START_TEST(sidecars_start_first_and_stop_last_in_reverse_order)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "web-1",
                    "initContainers: [{name: s1, image: nginx, restartPolicy: Always}, {name: s2, image: nginx, restartPolicy: "
                    "Always}], containers: [{name: web, image: nginx}]");
    fixture_run(&f, 8);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    int s1 = fake_runtime_index(f.runtime, "start web-1/s1"), s2 = fake_runtime_index(f.runtime, "start web-1/s2");
    ck_assert_int_lt(s1, s2);
    ck_assert_int_lt(s2, fake_runtime_index(f.runtime, "start web-1/web"));
    fake_runtime_exit(f.runtime, "web-1", "s1", 1);
    fixture_run(&f, 3);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "s1"));
    fixture_delete_pod(&f, "web-1", 30);
    fixture_run(&f, 3);
    int web = fake_runtime_index(f.runtime, "stop web-1/web");
    s1 = fake_runtime_index(f.runtime, "stop web-1/s1");
    s2 = fake_runtime_index(f.runtime, "stop web-1/s2");
    ck_assert_int_ge(web, 0);
    ck_assert_int_lt(web, s2);
    ck_assert_int_lt(s2, s1);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_changed_image_replaces_the_container)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_add_image(f.runtime, "nginx:2", 1);
    fake_api_edit(f.api, "", "pods", "default", "web-1", "spec.containers[0].image", value_new_string("nginx:2"));
    fixture_run(&f, 5);
    ck_assert(fixture_event_says(&f, "Killing", "Container web definition changed, will be restarted"));
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.containerStatuses[0].image"), "nginx:2");
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    fixture_clear(&f);
}
END_TEST

START_TEST(an_ephemeral_container_is_started_once)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_api_edit(f.api, "", "pods", "default", "web-1", "spec.ephemeralContainers",
                  value_new_f("[{name: debug, image: nginx}]"));
    fixture_run(&f, 3);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "debug"));
    fake_runtime_exit(f.runtime, "web-1", "debug", 0);
    fixture_run(&f, 30);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start web-1/debug"), 1);
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.ephemeralContainerStatuses[0].state.terminated.reason"), "Completed");
    fixture_clear(&f);
}
END_TEST

TCase *
containers_case(void)
{
    return test_case(
        "containers", a_crashing_container_comes_back_at_once_then_with_doubling_delay, a_job_pod_that_succeeds_is_done,
        a_job_pod_that_fails_is_failed, an_image_is_pulled_and_the_event_says_how_long_it_took, pulls_wait_for_each_other,
        a_failing_pull_backs_off, an_image_that_may_not_be_pulled_and_a_bad_name_are_told_apart,
        errors_of_the_runtime_show_as_reasons_and_are_tried_again, a_sandbox_that_cannot_be_made_is_tried_again,
        init_containers_run_one_after_the_other, a_failed_init_container_fails_a_pod_that_never_restarts,
        sidecars_start_first_and_stop_last_in_reverse_order, a_changed_image_replaces_the_container,
        an_ephemeral_container_is_started_once);
}
