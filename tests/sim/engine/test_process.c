#include "sim/engine/process.h"
#include "tests/sim/engine/suites.h"

typedef struct Fixture {
    Engine *engine;
    EngineProcess *process;
    GString *out;
} Fixture;

static void
note_time(void *data)
{
    Fixture *f = data;
    g_string_append_printf(f->out, "%d ", (int)(engine_now(f->engine) / 1000));
}

static void
setup(Fixture *f)
{
    f->engine = engine_new(&(EngineOptions){.seed = 3});
    f->process = engine_process_new(f->engine, &(EngineProcessOptions){.name = "p", .host = "h"});
    f->out = g_string_new(NULL);
}

static void
teardown(Fixture *f)
{
    engine_process_free(f->process);
    engine_free(f->engine);
    g_string_free(f->out, TRUE);
}

static void
count_one(void *data)
{
    ++*(int *)data;
}

static void
count_death(EngineProcess *process, EngineDeath death, void *data)
{
    *(int *)data = 10 + death;
}

START_TEST(killing_drops_all_that_was_pending_and_tells_the_listeners)
{
    Fixture f;
    setup(&f);
    int ran = 0, dropped = 0, death = 0, others = 0;
    Clock *clock = engine_process_ports(f.process)->clock;
    TimerId timer = clock_timer_in(clock, 5, count_one, &ran);
    engine_at_take(f.engine, f.process, 6, count_one, &dropped, (GDestroyNotify)count_one);
    engine_at(f.engine, NULL, 7, count_one, &others);
    engine_process_on_death(f.process, count_death, &death);
    engine_process_kill(f.process, ENGINE_DEATH_POWER_LOSS);
    engine_process_kill(f.process, ENGINE_DEATH_KILLED);
    ck_assert_int_eq(death, 10 + ENGINE_DEATH_POWER_LOSS);
    ck_assert_int_eq(dropped, 1);
    ck_assert_uint_eq(engine_pending(f.engine), 1);
    engine_run_until(f.engine, 100);
    ck_assert_int_eq(ran, 0);
    ck_assert_int_eq(others, 1);
    clock_cancel(clock, &timer);
    ck_assert_uint_eq(clock_timer_in(clock, 5, count_one, &ran), 0);
    teardown(&f);
}
END_TEST

static void
kill_itself(void *data)
{
    engine_process_kill(data, ENGINE_DEATH_KILLED);
}

START_TEST(a_process_may_die_in_its_own_event)
{
    Fixture f;
    setup(&f);
    int ran = 0;
    engine_at(f.engine, f.process, 5, kill_itself, f.process);
    engine_at(f.engine, f.process, 5, count_one, &ran);
    engine_run_until(f.engine, 10);
    ck_assert_int_eq(ran, 0);
    ck_assert(!engine_process_is_alive(f.process));
    teardown(&f);
}
END_TEST

START_TEST(what_becomes_due_in_a_pause_runs_afterwards_in_order)
{
    Fixture f;
    setup(&f);
    engine_at(f.engine, f.process, 1000, note_time, &f);
    EventId cancelled = engine_at(f.engine, f.process, 1500, note_time, &f);
    engine_at(f.engine, f.process, 2000, note_time, &f);
    engine_at(f.engine, f.process, 9000, note_time, &f);
    engine_process_pause(f.process);
    engine_run_until(f.engine, 5000);
    ck_assert_str_eq(f.out->str, "");
    engine_cancel(f.engine, cancelled);
    engine_process_resume(f.process);
    engine_run_until(f.engine, 10000);
    ck_assert_str_eq(f.out->str, "5 5 9 ");
    engine_at(f.engine, f.process, 11000, note_time, &f);
    engine_process_pause(f.process);
    engine_run_until(f.engine, 12000);
    ck_assert_uint_eq(engine_pending(f.engine), 1);
    engine_process_kill(f.process, ENGINE_DEATH_KILLED);
    ck_assert_uint_eq(engine_pending(f.engine), 0);
    teardown(&f);
}
END_TEST

START_TEST(a_slow_process_takes_time_for_each_event)
{
    Fixture f;
    setup(&f);
    engine_process_set_slow(f.process, 2);
    for (int i = 0; i < 3; i++)
        engine_at(f.engine, f.process, 1000, note_time, &f);
    engine_run_until(f.engine, NS_PER_S);
    ck_assert_str_eq(f.out->str, "1 201 401 ");
    teardown(&f);
}
END_TEST

START_TEST(a_skewed_clock_shows_another_time_but_timers_keep_theirs)
{
    Fixture f;
    setup(&f);
    Clock *clock = engine_process_ports(f.process)->clock;
    engine_run_until(f.engine, 1000);
    clock_timer_in(clock, 1000, note_time, &f);
    engine_set_skew(f.engine, "h", 500000);
    ck_assert_int_eq(clock_now(clock), 501000);
    clock_timer_in(clock, 2000, note_time, &f);
    engine_run_until(f.engine, 10000);
    ck_assert_str_eq(f.out->str, "2 3 ");
    teardown(&f);
}
END_TEST

START_TEST(random_streams_depend_on_name_and_incarnation_only)
{
    uint64_t seen[2];
    for (int round = 0; round < 2; round++) {
        g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 9});
        g_autoptr(EngineProcess) other = NULL;
        if (round == 1)
            other = engine_process_new(engine, &(EngineProcessOptions){.name = "x", .host = "h"});
        g_autoptr(EngineProcess) p = engine_process_new(engine, &(EngineProcessOptions){.name = "p", .host = "h"});
        g_autoptr(EngineProcess) q = engine_process_new(engine, &(EngineProcessOptions){.name = "p", .host = "h"});
        ck_assert_uint_eq(engine_process_incarnation(q), 2);
        seen[round] = random_next(engine_process_ports(p)->random);
        ck_assert_uint_ne(seen[round], random_next(engine_process_ports(q)->random));
        engine_process_free(g_steal_pointer(&other));
        engine_process_free(g_steal_pointer(&p));
        engine_process_free(g_steal_pointer(&q));
    }
    ck_assert_uint_eq(seen[0], seen[1]);
}
END_TEST

TCase *
process_case(void)
{
    return test_case("process", killing_drops_all_that_was_pending_and_tells_the_listeners,
                     a_process_may_die_in_its_own_event, what_becomes_due_in_a_pause_runs_afterwards_in_order,
                     a_slow_process_takes_time_for_each_event,
                     a_skewed_clock_shows_another_time_but_timers_keep_theirs,
                     random_streams_depend_on_name_and_incarnation_only);
}
