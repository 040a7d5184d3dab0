#include "sim/engine/engine.h"
#include "sim/engine/process.h"
#include "sim/engine/trace.h"
#include "tests/sim/engine/suites.h"

typedef struct Note {
    GString *out;
    Engine *engine;
    const char *name;
} Note;

static void
write_note(void *data)
{
    Note *note = data;
    g_string_append(note->out, note->name);
}

static void
count_one(void *data)
{
    ++*(int *)data;
}

START_TEST(events_run_by_time_and_then_by_the_order_of_their_making)
{
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 1, .start_ns = 100});
    g_autoptr(GString) out = g_string_new(NULL);
    Note a = {out, engine, "a"}, b = {out, engine, "b"}, c = {out, engine, "c"}, d = {out, engine, "d"};
    engine_at(engine, NULL, 300, write_note, &d);
    engine_at(engine, NULL, 200, write_note, &b);
    engine_at(engine, NULL, 200, write_note, &c);
    engine_at(engine, NULL, 50, write_note, &a); /* past: at once */
    ck_assert_int_eq(engine_next_time(engine), 100);
    ck_assert_uint_eq(engine_run_until(engine, 250), 3);
    ck_assert_str_eq(out->str, "abc");
    ck_assert_int_eq(engine_now(engine), 250);
    ck_assert(engine_step(engine));
    ck_assert(!engine_step(engine));
    ck_assert_str_eq(out->str, "abcd");
    ck_assert_int_eq(engine_next_time(engine), ENGINE_TIME_NEVER);
}
END_TEST

START_TEST(a_cancelled_event_never_runs_and_its_id_stays_dead)
{
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 1});
    int runs = 0, dropped = 0;
    EventId id = engine_at(engine, NULL, 10, count_one, &runs);
    EventId owned = engine_at_take(engine, NULL, 10, count_one, &dropped, (GDestroyNotify)count_one);
    ck_assert(engine_is_pending(engine, id));
    engine_cancel(engine, id);
    engine_cancel(engine, id);
    engine_cancel(engine, owned);
    ck_assert_int_eq(dropped, 1);
    EventId again = engine_at(engine, NULL, 10, count_one, &runs); /* takes the same slot */
    ck_assert(again != id && again != owned);
    engine_cancel(engine, id);
    engine_run_until(engine, 20);
    ck_assert_int_eq(runs, 1);
    engine_cancel(engine, again);
    engine_cancel(engine, 0);
    engine_cancel(engine, UINT64_MAX);
}
END_TEST

typedef struct Chaos {
    Engine *engine;
    uint64_t state;
    EventId ids[64];
    int64_t last;
    uint64_t ran;
} Chaos;

static uint64_t
chaos_next(Chaos *chaos)
{
    chaos->state = chaos->state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return chaos->state >> 33;
}

static void
chaos_event(void *data)
{
    Chaos *chaos = data;
    ck_assert_int_ge(engine_now(chaos->engine), chaos->last);
    chaos->last = engine_now(chaos->engine);
    chaos->ran++;
    for (int i = 0; i < 3; i++) {
        EventId *slot = &chaos->ids[chaos_next(chaos) % 64];
        engine_cancel(chaos->engine, *slot);
        *slot = engine_in(chaos->engine, NULL, (int64_t)(chaos_next(chaos) % 1000), chaos_event, chaos);
    }
}

static uint64_t
run_chaos(uint64_t seed)
{
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = seed});
    Chaos chaos = {.engine = engine, .state = seed};
    engine_at(engine, NULL, 0, chaos_event, &chaos);
    ck_assert_uint_eq(engine_run_some(engine, INT64_MAX - 1, 20000), 20000);
    ck_assert_uint_le(engine_pending(engine), 64);
    return engine_digest(engine);
}

START_TEST(the_same_seed_gives_the_same_digest_and_another_seed_another)
{
    ck_assert_uint_eq(run_chaos(7), run_chaos(7));
    ck_assert_uint_ne(run_chaos(7), run_chaos(8));
}
END_TEST

static void
record_cause(void *data)
{
    CauseId *seen = data;
    *seen = trace_current((Trace *)(void *)seen[1]);
}

START_TEST(an_event_runs_under_the_cause_in_which_it_was_made)
{
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 1});
    Trace *trace = engine_trace_port(engine_trace(engine));
    CauseId seen[2] = {99, (CauseId)(uintptr_t)trace};
    CauseId fault = trace_record(trace, &(Fact){.kind = FACT_FAULT, .actor = "user", .verb = "unplug"});
    engine_at(engine, NULL, 10, record_cause, seen);
    trace_adopt(trace, 0);
    ck_assert_uint_eq(trace_current(trace), fault);
    engine_run_until(engine, 10);
    ck_assert_uint_eq(seen[0], fault);
    ck_assert_uint_eq(trace_current(trace), 0);
}
END_TEST

static void
stop_engine(void *data)
{
    engine_stop(data);
}

START_TEST(a_stopped_engine_keeps_its_time_and_what_is_due)
{
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 1});
    int runs = 0;
    engine_at(engine, NULL, 10, stop_engine, engine);
    engine_at(engine, NULL, 20, count_one, &runs);
    engine_run_until(engine, 100);
    ck_assert_int_eq(engine_now(engine), 10);
    ck_assert_int_eq(runs, 0);
    engine_run_until(engine, 100);
    ck_assert_int_eq(runs, 1);
}
END_TEST

TCase *
engine_case(void)
{
    return test_case("engine", events_run_by_time_and_then_by_the_order_of_their_making,
                     a_cancelled_event_never_runs_and_its_id_stays_dead,
                     the_same_seed_gives_the_same_digest_and_another_seed_another,
                     an_event_runs_under_the_cause_in_which_it_was_made,
                     a_stopped_engine_keeps_its_time_and_what_is_due);
}
