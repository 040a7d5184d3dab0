#include "core/client/client.h"
#include "core/client/workqueue.h"
#include "tests/core/client/suites.h"

typedef struct {
    TestWorld *world;
    const Ports *ports;
    FakeApi *api;
    Client *client;
    WorkQueue *queue;
    GString *done;
    int64_t times[256];
    unsigned n;
    unsigned fail_times;
    CauseId causes[256];
} Bench;

static Bench bench;

static void
note(const char *key)
{
    g_string_append_printf(bench.done, "%s;", key);
    bench.times[bench.n++] = test_world_now(bench.world) - TEST_WORLD_START;
    work_queue_check(bench.queue);
}

static void
sync_note(const char *key, Sync *sync, void *data)
{
    bench.causes[bench.n] = trace_current(bench.ports->trace);
    note(key);
    if (bench.fail_times > 0) {
        bench.fail_times--;
        sync_fail(sync, "no luck");
    }
}

static void
sync_write(const char *key, Sync *sync, void *data)
{
    const char *namespace_, *name;
    sync_split_key(sync, &namespace_, &name);
    note(key);
    client_create(bench.client, "", "configmaps", namespace_,
                  value_new_f("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}", name),
                  sync_call, sync_begin(sync));
}

static void
setup(SyncFunc sync, int workers)
{
    bench = (Bench){.world = test_world_new(1), .done = g_string_new(NULL)};
    bench.ports = test_world_ports(bench.world, "node-1");
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
    bench.client = client_new(bench.ports, NULL, fake_api_transport(bench.api, "t"), NULL);
    bench.queue = work_queue_new(
        bench.ports, &(WorkQueueOptions){.name = "test", .workers = workers}, sync, NULL);
}

static void
teardown(void)
{
    work_queue_free(bench.queue);
    client_free(bench.client);
    fake_api_free(bench.api);
    g_string_free(bench.done, TRUE);
    test_world_free(bench.world);
}

START_TEST(nothing_is_done_before_start_and_a_key_is_in_once)
{
    setup(sync_note, 1);
    work_queue_add(bench.queue, "d/a", 0);
    work_queue_add(bench.queue, "d/b", 0);
    work_queue_add(bench.queue, "d/a", 0);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.done->str, "");
    ck_assert_uint_eq(work_queue_length(bench.queue), 2);
    work_queue_start(bench.queue);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.done->str, "d/a;d/b;");
    teardown();
}
END_TEST

START_TEST(a_failing_key_comes_back_ever_later_until_it_succeeds)
{
    setup(sync_note, 1);
    bench.fail_times = 4;
    work_queue_start(bench.queue);
    work_queue_add(bench.queue, "a", 0);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_uint_eq(bench.n, 5);
    static const int64_t wanted_ms[] = {0, 5, 15, 35, 75};
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_eq(bench.times[i], wanted_ms[i] * NS_PER_MS);
    ck_assert_int_eq(work_queue_retries(bench.queue, "a"), 0);
    ck_assert(test_texts_have(test_world_log(bench.world), "no luck"));
    teardown();
}
END_TEST

START_TEST(a_key_added_while_its_writes_are_under_way_comes_again_afterwards)
{
    setup(sync_write, 5);
    work_queue_start(bench.queue);
    work_queue_add(bench.queue, "d/a", 0);
    test_world_run_for(bench.world, NS_PER_MS / 4);
    ck_assert_uint_eq(bench.n, 1);
    work_queue_add(bench.queue, "d/a", 0);
    test_world_run_for(bench.world, NS_PER_MS / 4);
    ck_assert_uint_eq(bench.n, 1);
    ck_assert_uint_eq(work_queue_length(bench.queue), 0);
    test_world_run_for(bench.world, NS_PER_MS);
    ck_assert_uint_eq(bench.n, 2);
    teardown();
}
END_TEST

START_TEST(a_refused_write_brings_the_key_back)
{
    setup(sync_write, 5);
    fake_api_fail(bench.api, "POST configmaps", 500, "InternalError", "broken", 2);
    work_queue_start(bench.queue);
    work_queue_add(bench.queue, "d/a", 0);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_uint_eq(bench.n, 3);
    ck_assert_ptr_nonnull(fake_api_get(bench.api, "", "configmaps", "d", "a"));
    ck_assert_int_eq(work_queue_retries(bench.queue, "d/a"), 0);
    teardown();
}
END_TEST

static void
sync_tolerant(const char *key, Sync *sync, void *data)
{
    note(key);
    client_delete(bench.client, "", "configmaps", "d", "none", NULL, sync_call,
                  sync_begin_tolerating(sync, "NotFound,Gone"));
}

START_TEST(a_tolerated_refusal_is_no_failure)
{
    setup(sync_tolerant, 5);
    work_queue_start(bench.queue);
    work_queue_add(bench.queue, "d/a", 0);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_uint_eq(bench.n, 1);
    teardown();
}
END_TEST

START_TEST(no_more_keys_are_worked_on_than_there_are_workers)
{
    setup(sync_write, 2);
    work_queue_start(bench.queue);
    for (int i = 0; i < 5; i++) {
        g_autofree char *key = g_strdup_printf("d/%d", i);
        work_queue_add(bench.queue, key, 0);
    }
    test_world_run_for(bench.world, NS_PER_MS / 2);
    ck_assert_uint_eq(bench.n, 2);
    test_world_settle(bench.world);
    ck_assert_str_eq(bench.done->str, "d/0;d/1;d/2;d/3;d/4;");
    teardown();
}
END_TEST

START_TEST(a_delayed_key_comes_at_the_earliest_time_asked_for)
{
    setup(sync_note, 1);
    work_queue_start(bench.queue);
    work_queue_add_after(bench.queue, "a", 3 * NS_PER_S);
    work_queue_add_after(bench.queue, "b", 2 * NS_PER_S);
    work_queue_add_after(bench.queue, "a", 1 * NS_PER_S);
    work_queue_add_after(bench.queue, "a", 5 * NS_PER_S);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_str_eq(bench.done->str, "a;b;");
    ck_assert_int_eq(bench.times[0], NS_PER_S);
    ck_assert_int_eq(bench.times[1], 2 * NS_PER_S);
    teardown();
}
END_TEST

START_TEST(a_sync_runs_under_the_first_cause_of_its_key)
{
    setup(sync_note, 1);
    work_queue_add(bench.queue, "a", 71);
    work_queue_add(bench.queue, "b", 72);
    for (CauseId cause = 100; cause < 120; cause++)
        work_queue_add(bench.queue, "a", cause);
    work_queue_start(bench.queue);
    test_world_settle(bench.world);
    ck_assert_uint_eq(bench.causes[0], 71);
    ck_assert_uint_eq(bench.causes[1], 72);
    teardown();
}
END_TEST

START_TEST(many_failures_share_one_bucket)
{
    setup(sync_note, 5);
    bench.fail_times = 120;
    work_queue_start(bench.queue);
    for (int i = 0; i < 60; i++) {
        g_autofree char *key = g_strdup_printf("k%d", i);
        work_queue_add_rate_limited(bench.queue, key);
    }
    ck_assert_int_eq(work_queue_retries(bench.queue, "k59"), 1);
    work_queue_forget(bench.queue, "k59");
    ck_assert_int_eq(work_queue_retries(bench.queue, "k59"), 0);
    bench.fail_times = 0;
    test_world_run_for(bench.world, NS_PER_S);
    ck_assert_uint_eq(bench.n, 60);
    bench.n = 0;
    for (int i = 0; i < 60; i++) {
        g_autofree char *key = g_strdup_printf("k%d", i);
        work_queue_add_rate_limited(bench.queue, key);
    }
    test_world_run_for(bench.world, 20 * NS_PER_MS);
    ck_assert_uint_eq(bench.n, 50); /* 40 of the burst are left, and a second has brought 10 more */
    teardown();
}
END_TEST

START_TEST(a_queue_freed_with_writes_under_way_leaves_nothing)
{
    setup(sync_write, 5);
    work_queue_start(bench.queue);
    work_queue_add(bench.queue, "d/a", 0);
    work_queue_add(bench.queue, "d/b", 0);
    work_queue_add_after(bench.queue, "d/c", NS_PER_S);
    test_world_run_for(bench.world, NS_PER_MS / 4);
    teardown();
}
END_TEST

TCase *
workqueue_case(void)
{
    return test_case("workqueue", nothing_is_done_before_start_and_a_key_is_in_once,
                     a_failing_key_comes_back_ever_later_until_it_succeeds,
                     a_key_added_while_its_writes_are_under_way_comes_again_afterwards,
                     a_refused_write_brings_the_key_back, a_tolerated_refusal_is_no_failure,
                     no_more_keys_are_worked_on_than_there_are_workers,
                     a_delayed_key_comes_at_the_earliest_time_asked_for,
                     a_sync_runs_under_the_first_cause_of_its_key, many_failures_share_one_bucket,
                     a_queue_freed_with_writes_under_way_leaves_nothing);
}
