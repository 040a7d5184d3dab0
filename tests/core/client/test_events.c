#include "core/base/pmap.h"
#include "core/client/events.h"
#include "tests/core/client/suites.h"

typedef struct {
    TestWorld *world;
    FakeApi *api;
    Client *client;
    EventRecorder *recorder;
    Value *pod;
} Bench;

static Bench bench;

static void
setup(void)
{
    bench = (Bench){.world = test_world_new(1)};
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
    const Ports *ports = test_world_ports(bench.world, "node-1");
    bench.client = client_new(ports, NULL, fake_api_transport(bench.api, "t"), NULL);
    bench.recorder = event_recorder_new(ports, bench.client, "kubelet", "node-1");
    bench.pod =
        value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: d, uid: u1, "
                    "resourceVersion: '7'}}");
}

static void
teardown(void)
{
    value_unref(bench.pod);
    event_recorder_free(bench.recorder);
    client_free(bench.client);
    fake_api_free(bench.api);
    test_world_free(bench.world);
}

static const Value *
event_at(unsigned index)
{
    PMapIter iter = pmap_seek(fake_api_state(bench.api, "", "events"), NULL);
    for (unsigned i = 0; pmap_next(&iter); i++)
        if (i == index)
            return iter.value;
    return NULL;
}

START_TEST(an_event_says_who_saw_what_where)
{
    setup();
    event_record_field(bench.recorder, bench.pod, "spec.containers{web}", "Normal", "Pulled",
                       "Container image \"%s\" already present on machine", "nginx");
    test_world_settle(bench.world);
    const Value *event = event_at(0);
    static const char *const wanted[][2] = {
        {"involvedObject.kind", "Pod"},
        {"involvedObject.uid", "u1"},
        {"involvedObject.fieldPath", "spec.containers{web}"},
        {"involvedObject.resourceVersion", "7"},
        {"reason", "Pulled"},
        {"type", "Normal"},
        {"message", "Container image \"nginx\" already present on machine"},
        {"source.component", "kubelet"},
        {"source.host", "node-1"},
        {"reportingComponent", "kubelet"},
        {"reportingInstance", "node-1"},
        {"firstTimestamp", "2026-01-01T00:00:00Z"},
        {"metadata.namespace", "d"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        ck_assert_str_eq(value_text_at(event, wanted[i][0]), wanted[i][1]);
    ck_assert(g_str_has_prefix(value_text_at(event, "metadata.name"), "web.1886"));
    ck_assert_int_eq(value_int_at(event, "count"), 1);
    teardown();
}
END_TEST

START_TEST(an_event_seen_again_is_counted_up)
{
    setup();
    event_record(bench.recorder, bench.pod, "Warning", "BackOff",
                 "Back-off restarting failed container");
    test_world_run_for(bench.world, 10 * NS_PER_S);
    event_record(bench.recorder, bench.pod, "Warning", "BackOff",
                 "Back-off restarting failed container");
    event_record(bench.recorder, bench.pod, "Warning", "BackOff",
                 "Back-off restarting failed container");
    test_world_settle(bench.world);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 1);
    ck_assert_int_eq(value_int_at(event_at(0), "count"), 3);
    ck_assert_str_eq(value_text_at(event_at(0), "firstTimestamp"), "2026-01-01T00:00:00Z");
    ck_assert_str_eq(value_text_at(event_at(0), "lastTimestamp"), "2026-01-01T00:00:10Z");
    teardown();
}
END_TEST

START_TEST(an_event_that_expired_meanwhile_is_made_anew)
{
    setup();
    event_record(bench.recorder, bench.pod, "Normal", "Killing", "Stopping container web");
    test_world_settle(bench.world);
    const char *name = value_text_at(event_at(0), "metadata.name");
    ck_assert(fake_api_remove(bench.api, "", "events", "d", name));
    event_record(bench.recorder, bench.pod, "Normal", "Killing", "Stopping container web");
    test_world_settle(bench.world);
    ck_assert_int_eq(value_int_at(event_at(0), "count"), 2);
    teardown();
}
END_TEST

START_TEST(from_the_tenth_similar_one_on_they_are_combined)
{
    setup();
    for (int i = 0; i < 15; i++)
        event_record(bench.recorder, bench.pod, "Warning", "Failed", "try %d failed", i);
    test_world_settle(bench.world);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 10);
    const Value *last = event_at(9);
    ck_assert_str_eq(value_text_at(last, "message"),
                     "(combined from similar events): try 14 failed");
    ck_assert_int_eq(value_int_at(last, "count"), 6);
    teardown();
}
END_TEST

START_TEST(after_25_about_one_object_one_more_gets_through_every_5_minutes)
{
    setup();
    for (int i = 0; i < 40; i++) {
        g_autofree char *reason = g_strdup_printf("Reason%d", i);
        event_record(bench.recorder, bench.pod, "Normal", reason, "text");
    }
    test_world_settle(bench.world);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 25);
    test_world_run_for(bench.world, 301 * NS_PER_S);
    event_record(bench.recorder, bench.pod, "Normal", "Later", "text");
    event_record(bench.recorder, bench.pod, "Normal", "Later2", "text");
    test_world_settle(bench.world);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 26);
    teardown();
}
END_TEST

START_TEST(an_unreachable_server_is_tried_again_and_a_refusal_is_not)
{
    setup();
    fake_api_set_down(bench.api, true);
    event_record(bench.recorder, bench.pod, "Normal", "Started", "Started container web");
    test_world_run_for(bench.world, 15 * NS_PER_S);
    fake_api_set_down(bench.api, false);
    test_world_run_for(bench.world, 15 * NS_PER_S);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 1);
    fake_api_fail(bench.api, "POST events", 403, "Forbidden", "namespace is being terminated", 1);
    event_record(bench.recorder, bench.pod, "Normal", "Killing", "Stopping container web");
    test_world_run_for(bench.world, 60 * NS_PER_S);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "events"), 1);
    teardown();
}
END_TEST

START_TEST(an_event_about_a_node_lies_in_the_default_namespace)
{
    setup();
    g_autoptr(Value) node =
        value_new_f("{apiVersion: v1, kind: Node, metadata: {name: Not_A_Name, uid: u}}");
    event_record(bench.recorder, node, "Normal", "NodeReady", "Node is ready");
    test_world_settle(bench.world);
    ck_assert_str_eq(value_text_at(event_at(0), "metadata.namespace"), "default");
    ck_assert_uint_eq(strlen(value_text_at(event_at(0), "metadata.name")), 36);
    teardown();
}
END_TEST

TCase *
events_case(void)
{
    return test_case("events", an_event_says_who_saw_what_where, an_event_seen_again_is_counted_up,
                     an_event_that_expired_meanwhile_is_made_anew,
                     from_the_tenth_similar_one_on_they_are_combined,
                     after_25_about_one_object_one_more_gets_through_every_5_minutes,
                     an_unreachable_server_is_tried_again_and_a_refusal_is_not,
                     an_event_about_a_node_lies_in_the_default_namespace);
}
