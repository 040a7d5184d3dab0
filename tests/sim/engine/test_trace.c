#include "sim/engine/trace.h"
#include "sim/engine/trace_export.h"
#include "sim/engine/why.h"
#include "tests/sim/engine/suites.h"

static CauseId
record(EngineTrace *trace, FactKind kind, const char *actor, const char *verb, const char *subject, const char *text)
{
    return trace_record(engine_trace_port(trace), &(Fact){kind, actor, verb, subject, text, 0, 0});
}

START_TEST(a_chain_walks_from_the_effect_to_the_fault)
{
    int64_t now = 0;
    EngineTrace *trace = engine_trace_new(&now, 100, 10);
    CauseId fault = record(trace, FACT_FAULT, "user", "power-off", "Node/n1", "lost power");
    now = 40 * INT64_C(1500000000);
    record(trace, FACT_DECISION, "node-lifecycle", "taint", "Node/n1", "no lease for 40 s");
    CauseId write = record(trace, FACT_WRITE, "node-lifecycle", "update", "Node/n1", NULL);
    TraceFact facts[5];
    ck_assert_uint_eq(engine_trace_chain(trace, write, 5, facts), 3);
    ck_assert_uint_eq(facts[2].id, fault);
    ck_assert_uint_eq(engine_trace_chain(trace, write, 2, facts), 2);
    ck_assert_uint_eq(engine_trace_last_about(trace, "Node/n1"), write);
    ck_assert_uint_eq(engine_trace_last_about(trace, "Node/n2"), 0);
    ck_assert_uint_eq(engine_trace_before(trace, engine_trace_before(trace, write)), fault);
    g_autofree char *why = why_subject(trace, "Node/n1", &(WhyOptions){0});
    ck_assert_str_eq(why, "      60.000 s  node-lifecycle wrote (update) Node/n1\n"
                          "      60.000 s  because node-lifecycle decided on Node/n1: no lease for 40 s\n"
                          "       0.000 s  because fault at Node/n1: lost power (by user)\n");
    ck_assert_ptr_null(why_subject(trace, "Pod/x", &(WhyOptions){0}));
    engine_trace_free(trace);
}
END_TEST

START_TEST(the_ring_forgets_the_oldest_and_says_so)
{
    int64_t now = 0;
    EngineTrace *trace = engine_trace_new(&now, 4, 2);
    for (int i = 0; i < 3000; i++) {
        g_autofree char *subject = g_strdup_printf("Pod/default/p%d", i);
        record(trace, FACT_WRITE, "c", "create", subject, NULL);
    }
    ck_assert_uint_eq(engine_trace_count(trace), 3000);
    ck_assert_uint_eq(engine_trace_oldest(trace), 2997);
    ck_assert_uint_eq(engine_trace_last_about(trace, "Pod/default/p0"), 0);
    TraceFact fact;
    ck_assert(!engine_trace_get(trace, 2996, &fact));
    g_autofree char *why = why_subject(trace, "Pod/default/p2999", &(WhyOptions){0});
    ck_assert(g_str_has_suffix(why, "... what came before is forgotten\n"));
    engine_trace_free(trace);
}
END_TEST

START_TEST(messages_are_kept_for_pictures_and_cause_nothing)
{
    int64_t now = 5;
    EngineTrace *trace = engine_trace_new(&now, 4, 2);
    for (int i = 0; i < 5; i++)
        engine_trace_message(trace, &(TraceMessage){.time = i, .from = "a", .to = "b", .label = "GET"});
    record(trace, FACT_MESSAGE, "a", "ping", "b", NULL);
    TraceMessage message;
    ck_assert_uint_eq(engine_trace_message_count(trace), 6);
    ck_assert(!engine_trace_get_message(trace, 4, &message));
    ck_assert(engine_trace_get_message(trace, 6, &message));
    ck_assert_str_eq(message.label, "ping");
    ck_assert_uint_eq(trace->current, 0);
    engine_trace_free(trace);
}
END_TEST

static void
collect(const char *bytes, size_t length, void *data)
{
    g_string_append_len(data, bytes, (gssize)length);
}

START_TEST(an_export_writes_what_is_kept_and_what_follows)
{
    int64_t now = 1500;
    EngineTrace *trace = engine_trace_new(&now, 8, 8);
    g_autoptr(GString) lines = g_string_new(NULL), chrome = g_string_new(NULL);
    record(trace, FACT_INPUT, "user", "apply", "Pod/a/b", "a \"quoted\"\nline");
    TraceExport *json = trace_export_new(trace, TRACE_FORMAT_JSON_LINES, true, collect, lines);
    TraceExport *perfetto = trace_export_new(trace, TRACE_FORMAT_CHROME, false, collect, chrome);
    record(trace, FACT_WRITE, "apiserver", "create", "Pod/a/b", NULL);
    engine_trace_message(trace, &(TraceMessage){.time = 1, .arrives = 2, .from = "a", .to = "b", .label = "GET"});
    trace_export_free(json);
    trace_export_free(perfetto);
    ck_assert_str_eq(lines->str,
                     "{\"id\":1,\"time\":1500,\"kind\":\"input\",\"actor\":\"user\",\"verb\":\"apply\",\"subject\":\"Pod/a/b\","
                     "\"text\":\"a \\\"quoted\\\"\\u000aline\"}\n"
                     "{\"id\":2,\"time\":1500,\"kind\":\"write\",\"cause\":1,\"actor\":\"apiserver\",\"verb\":\"create\","
                     "\"subject\":\"Pod/a/b\"}\n"
                     "{\"kind\":\"message\",\"time\":1,\"arrives\":2,\"from\":\"a\",\"to\":\"b\",\"label\":\"GET\"}\n");
    ck_assert(g_str_has_prefix(chrome->str, "{\"traceEvents\":["));
    ck_assert(g_str_has_suffix(chrome->str, "]}\n"));
    ck_assert_ptr_nonnull(strstr(chrome->str, "\"ts\":1.500"));
    engine_trace_free(trace);
}
END_TEST

TCase *
trace_case(void)
{
    return test_case("trace", a_chain_walks_from_the_effect_to_the_fault, the_ring_forgets_the_oldest_and_says_so,
                     messages_are_kept_for_pictures_and_cause_nothing, an_export_writes_what_is_kept_and_what_follows);
}
