/* Jobs and CronJobs. */
#include <string.h>

#include "core/controllers/cronjob/schedule.h"
#include "core/controllers/job/view.h"
#include "tests/core/controllers/suites.h"

static Bench bench;

static void
put_job(const char *spec)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: work, namespace: d, uid: work-uid, "
        "generation: 1}, spec: {selector: {matchLabels: {job: work}}, "
        "template: {metadata: {labels: {job: work}}, spec: {restartPolicy: Never, containers: "
        "[{name: c, image: i}]}}, %s}}",
        spec);
    bench_put(&bench, "batch", "jobs", value_new_f(text));
    bench_settle(&bench);
}

static const Value *
job(void)
{
    return bench_get(&bench, "batch", "jobs", "work");
}

/* Ends every pod that still runs; those that are deleting vanish when they have no finalizer. */
static void
end_pods(const char *phase, int64_t exit_code)
{
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        if (pod_is_terminal(pod))
            continue;
        fake_api_edit(
            bench.api, "", "pods", "d", object_name(pod), "status",
            value_new_f(
                "{phase: %s, containerStatuses: [{name: c, state: {terminated: {exitCode: %i}}}]}",
                phase, exit_code));
    }
    bench_run_s(&bench, 5);
}

static unsigned
pods_with_finalizer(void)
{
    unsigned count = 0;
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++)
        count += object_has_finalizer(objects_item(pods, i), JOB_FINALIZER);
    return count;
}

static unsigned
active_pods(void)
{
    unsigned count = 0;
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++)
        count += pod_is_active(objects_item(pods, i));
    return count;
}

static void
start_job(const char *spec)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [job-controller]}"));
    put_job(spec);
}

START_TEST(a_job_completes_when_enough_pods_have_succeeded)
{
    start_job("completions: 3, parallelism: 2, backoffLimit: 6");
    ck_assert_uint_eq(active_pods(), 2);
    ck_assert_uint_eq(pods_with_finalizer(), 2);
    end_pods("Succeeded", 0);
    ck_assert_uint_eq(active_pods(), 1);
    end_pods("Succeeded", 0);
    ck_assert_int_eq(value_int_at(job(), "status.succeeded"), 3);
    ck_assert_str_eq(condition_status(job(), "Complete"), "True");
    ck_assert_str_eq(condition_reason(job(), "SuccessCriteriaMet"), "CompletionsReached");
    ck_assert_uint_eq(pods_with_finalizer(), 0);
    ck_assert_str_ne(value_text_at(job(), "status.completionTime"), "");
    ck_assert(bench_has_event(&bench, "Completed", "Job completed"));
    bench_close(&bench);
}
END_TEST

START_TEST(failures_back_off_and_then_fail_the_job)
{
    start_job("completions: 1, parallelism: 1, backoffLimit: 1");
    end_pods("Failed", 1);
    ck_assert_uint_eq(active_pods(), 0); /* 10 s */
    bench_run_s(&bench, 10);
    ck_assert_uint_eq(active_pods(), 1);
    end_pods("Failed", 1);
    bench_run_s(&bench, 5);
    ck_assert_str_eq(condition_reason(job(), "Failed"), "BackoffLimitExceeded");
    ck_assert_str_eq(condition_reason(job(), "FailureTarget"), "BackoffLimitExceeded");
    ck_assert_int_eq(value_int_at(job(), "status.failed"), 2);
    ck_assert_uint_eq(pods_with_finalizer(), 0);
    bench_close(&bench);
}
END_TEST

START_TEST(an_indexed_job_gives_each_pod_its_index)
{
    start_job("completions: 3, parallelism: 3, completionMode: Indexed, backoffLimit: 6");
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    ck_assert_uint_eq(pods->len, 3);
    ck_assert_str_eq(value_text_at(objects_item(pods, 1), "spec.hostname"), "work-1");
    ck_assert_str_eq(value_text_at(objects_item(pods, 1), "spec.containers[0].env[0].name"),
                     "JOB_COMPLETION_INDEX");
    fake_api_edit(bench.api, "", "pods", "d", object_name(objects_item(pods, 2)), "status",
                  value_new_f("{phase: Succeeded}"));
    bench_run_s(&bench, 5);
    ck_assert_str_eq(value_text_at(job(), "status.completedIndexes"), "2");
    end_pods("Succeeded", 0);
    ck_assert_str_eq(value_text_at(job(), "status.completedIndexes"), "0-2");
    ck_assert_str_eq(condition_status(job(), "Complete"), "True");
    bench_close(&bench);
}
END_TEST

START_TEST(a_failure_policy_fails_the_job_at_once_or_ignores)
{
    start_job("completions: 1, parallelism: 1, backoffLimit: 6, podFailurePolicy: {rules: "
              "[{action: FailJob, onExitCodes: {operator: In, values: [42]}}, "
              "{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: 'True'}]}]}");
    end_pods("Failed", 42);
    ck_assert_str_eq(condition_reason(job(), "Failed"), "PodFailurePolicy");
    ck_assert_ptr_nonnull(
        strstr(value_text(value_get(condition_find(value_at(job(), "status.conditions"), "Failed"),
                                    "message")),
               "failed with exit code 42 matching FailJob rule at index 0"));
    bench_close(&bench);
}
END_TEST

START_TEST(indexes_fail_on_their_own_with_a_limit_per_index)
{
    start_job("completions: 2, parallelism: 2, completionMode: Indexed, backoffLimitPerIndex: 0");
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    fake_api_edit(bench.api, "", "pods", "d", object_name(objects_item(pods, 0)), "status",
                  value_new_f("{phase: Failed}"));
    bench_run_s(&bench, 5);
    ck_assert_str_eq(value_text_at(job(), "status.failedIndexes"), "0");
    ck_assert_str_eq(condition_status(job(), "Failed"), "");
    end_pods("Succeeded", 0);
    ck_assert_str_eq(condition_reason(job(), "Failed"), "FailedIndexes");
    ck_assert_str_eq(value_text_at(job(), "status.completedIndexes"), "1");
    bench_close(&bench);
}
END_TEST

START_TEST(a_success_policy_ends_the_rest)
{
    start_job("completions: 3, parallelism: 3, completionMode: Indexed, backoffLimit: 6, "
              "successPolicy: {rules: [{succeededIndexes: '1'}]}");
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    fake_api_edit(bench.api, "", "pods", "d", object_name(objects_item(pods, 1)), "status",
                  value_new_f("{phase: Succeeded}"));
    bench_run_s(&bench, 5);
    ck_assert_str_eq(condition_reason(job(), "SuccessCriteriaMet"), "SuccessPolicy");
    ck_assert_uint_eq(active_pods(), 0);
    bench_close(&bench);
}
END_TEST

START_TEST(a_suspended_job_has_no_pods_until_it_is_resumed)
{
    start_job("completions: 1, parallelism: 1, backoffLimit: 6");
    fake_api_edit(bench.api, "batch", "jobs", "d", "work", "spec.suspend", value_new_bool(true));
    bench_run_s(&bench, 3);
    ck_assert_uint_eq(active_pods(), 0);
    ck_assert_str_eq(condition_status(job(), "Suspended"), "True");
    ck_assert_int_eq(value_int_at(job(), "status.failed"), 0);
    fake_api_edit(bench.api, "batch", "jobs", "d", "work", "spec.suspend", value_new_bool(false));
    bench_run_s(&bench, 3);
    ck_assert_uint_eq(active_pods(), 1);
    ck_assert_str_eq(condition_reason(job(), "Suspended"), "JobResumed");
    bench_close(&bench);
}
END_TEST

START_TEST(a_deadline_ends_a_job)
{
    start_job("completions: 1, parallelism: 1, backoffLimit: 6, activeDeadlineSeconds: 30");
    bench_run_s(&bench, 40);
    ck_assert_str_eq(condition_reason(job(), "FailureTarget"), "DeadlineExceeded");
    ck_assert_uint_eq(active_pods(), 0);
    bench_close(&bench);
}
END_TEST

START_TEST(a_finished_job_is_deleted_when_its_time_is_over)
{
    bench_open(&bench);
    bench_start(&bench,
                value_new_f("{controllers: [job-controller, ttl-after-finished-controller]}"));
    put_job("completions: 1, parallelism: 1, backoffLimit: 6, ttlSecondsAfterFinished: 60");
    end_pods("Succeeded", 0);
    bench_run_s(&bench, 30);
    ck_assert_ptr_nonnull(job());
    bench_run_s(&bench, 60);
    ck_assert(job() == NULL || object_is_deleting(job()));
    bench_close(&bench);
}
END_TEST

/* ---- cron
 * -------------------------------------------------------------------------------------------- */

START_TEST(schedules_give_the_next_time)
{
    static const struct {
        const char *schedule, *after, *next;
    } cases[] = {
        {"*/15 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"},
        {"0 0 1 * *", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
        {"30 3 * * 1-5", "2026-01-02T04:00:00Z", "2026-01-05T03:30:00Z"},
        {"0 12 13 * fri", "2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z"},
        {"@hourly", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"},
        {"@every 90s", "2026-01-01T00:00:10Z", "2026-01-01T00:01:40Z"},
        {"0 0 29 feb *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"5,10 8-9/1 * * *", "2026-01-01T08:05:00Z", "2026-01-01T08:10:00Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        CronSchedule schedule;
        ck_assert_msg(cron_parse(cases[i].schedule, &schedule, NULL), "%s", cases[i].schedule);
        g_autoptr(Value) after = value_new_string(cases[i].after),
                         next = time_value(cron_next(&schedule, time_of(after)));
        ck_assert_str_eq(value_text(next), cases[i].next);
    }
    static const char *const wrong[] = {
        "",          "* * * *", "60 * * * *", "* 5-3 * * *", "*/0 * * * *",
        "a * * * *", "@never",  "0 0 0 * *"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        CronSchedule schedule;
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!cron_parse(wrong[i], &schedule, &error), "%s", wrong[i]);
        ck_assert_ptr_nonnull(error);
    }
}
END_TEST

static void
put_cron_job(const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick, namespace: d, uid: "
        "tick-uid}, spec: {schedule: '*/5 * * * *', %s jobTemplate: {spec: {"
        "template: {spec: {containers: [{name: c, image: i}]}}}}}}",
        more);
    bench_put(&bench, "batch", "cronjobs", value_new_f(text));
    fake_api_edit(bench.api, "batch", "cronjobs", "d", "tick", "metadata.creationTimestamp",
                  time_value(test_world_now(bench.world)));
}

START_TEST(a_cron_job_makes_a_job_at_each_time)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [cronjob-controller]}"));
    put_cron_job("");
    bench_run_s(&bench, 310);
    ck_assert_uint_eq(fake_api_count(bench.api, "batch", "jobs"), 1);
    const Value *cron = bench_get(&bench, "batch", "cronjobs", "tick");
    ck_assert_uint_eq(value_size(value_at(cron, "status.active")), 1);
    ck_assert_str_eq(value_text_at(cron, "status.lastScheduleTime"), "2026-01-01T00:05:00Z");
    bench_run_s(&bench, 300);
    ck_assert_uint_eq(fake_api_count(bench.api, "batch", "jobs"), 2);
    ck_assert(!bench_has_event(&bench, "MissingJob", NULL));
    bench_close(&bench);
}
END_TEST

START_TEST(concurrency_policies_forbid_or_replace)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [cronjob-controller]}"));
    put_cron_job("concurrencyPolicy: Forbid,");
    bench_run_s(&bench, 700);
    ck_assert_uint_eq(fake_api_count(bench.api, "batch", "jobs"), 1);
    ck_assert(bench_has_event(&bench, "JobAlreadyActive", NULL));
    fake_api_edit(bench.api, "batch", "cronjobs", "d", "tick", "spec.concurrencyPolicy",
                  value_new_string("Replace"));
    bench_run_s(&bench, 300);
    ck_assert_uint_eq(fake_api_count(bench.api, "batch", "jobs"), 1);
    ck_assert(bench_has_event(&bench, "SuccessfulDelete", "Deleted job tick-"));
    bench_close(&bench);
}
END_TEST

START_TEST(a_strange_zone_or_schedule_is_told)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [cronjob-controller]}"));
    put_cron_job("timeZone: Mars/Olympus,");
    bench_settle(&bench);
    ck_assert(bench_has_event(&bench, "UnknownTimeZone", "Mars/Olympus"));
    bench_close(&bench);
}
END_TEST

TCase *
job_suite(void)
{
    return test_case(
        "job", a_job_completes_when_enough_pods_have_succeeded,
        failures_back_off_and_then_fail_the_job, an_indexed_job_gives_each_pod_its_index,
        a_failure_policy_fails_the_job_at_once_or_ignores,
        indexes_fail_on_their_own_with_a_limit_per_index, a_success_policy_ends_the_rest,
        a_suspended_job_has_no_pods_until_it_is_resumed, a_deadline_ends_a_job,
        a_finished_job_is_deleted_when_its_time_is_over, schedules_give_the_next_time,
        a_cron_job_makes_a_job_at_each_time, concurrency_policies_forbid_or_replace,
        a_strange_zone_or_schedule_is_told);
}
