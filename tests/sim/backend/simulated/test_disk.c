#include <string.h>

#include "core/base/error.h"
#include "sim/backend/simulated/disk.h"
#include "tests/sim/backend/simulated/suites.h"

typedef struct Fixture {
    Engine *engine;
    SimulatedDisk *disk;
    EngineProcess *process;
    Disk *port;
    GString *out;
} Fixture;

static void
setup(Fixture *f)
{
    f->engine = engine_new(&(EngineOptions){.seed = 2});
    f->disk = simulated_disk_new(f->engine, "h");
    f->process = engine_process_new(f->engine, &(EngineProcessOptions){.name = "p", .host = "h"});
    f->port = simulated_disk_open(f->disk, f->process, "data");
    f->out = g_string_new(NULL);
}

static void
teardown(Fixture *f)
{
    simulated_disk_close(f->port);
    engine_process_free(f->process);
    simulated_disk_free(f->disk);
    engine_free(f->engine);
    g_string_free(f->out, TRUE);
}

static void
on_done(GBytes *bytes, const GError *error, void *data)
{
    gsize size = 0;
    const char *text = bytes != NULL ? g_bytes_get_data(bytes, &size) : "";
    g_string_append_printf(((Fixture *)data)->out, "%s%.*s;", error != NULL ? error->message : "", (int)size, text);
}

static void
append(Fixture *f, const char *file, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    f->port->ops->append(f->port, file, bytes, on_done, f);
}

static void
expect(Fixture *f, const char *text)
{
    engine_run_until(f->engine, engine_now(f->engine) + NS_PER_S);
    ck_assert_str_eq(f->out->str, text);
    g_string_truncate(f->out, 0);
}

START_TEST(files_are_appended_read_and_renamed)
{
    Fixture f;
    setup(&f);
    append(&f, "a.tmp", "one ");
    append(&f, "a.tmp", "two");
    f.port->ops->sync(f.port, "a.tmp", on_done, &f);
    f.port->ops->rename(f.port, "a.tmp", "a", on_done, &f);
    f.port->ops->read(f.port, "a.tmp", on_done, &f);
    f.port->ops->read(f.port, "a", on_done, &f);
    engine_run_until(f.engine, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(f.out->str, "open a.tmp: no such file or directory;"));
    ck_assert_ptr_nonnull(strstr(f.out->str, "one two;"));
    teardown(&f);
}
END_TEST

START_TEST(power_loss_keeps_what_was_synced_and_tears_the_rest)
{
    Fixture f;
    setup(&f);
    append(&f, "log", "synced.");
    f.port->ops->sync(f.port, "log", on_done, &f);
    append(&f, "log", "loose");
    expect(&f, ";;;");
    simulated_disk_lose_power(f.disk);
    f.port->ops->read(f.port, "log", on_done, &f);
    engine_run_until(f.engine, engine_now(f.engine) + NS_PER_S);
    ck_assert(g_str_has_prefix(f.out->str, "synced."));
    ck_assert_uint_lt(f.out->len, strlen("synced.loose;") + 1);
    teardown(&f);
}
END_TEST

START_TEST(a_full_disk_refuses_and_a_corrupted_file_differs)
{
    Fixture f;
    setup(&f);
    append(&f, "log", "abc");
    expect(&f, ";");
    simulated_disk_set_full(f.disk, true);
    append(&f, "log", "def");
    expect(&f, "write log: no space left on device;");
    ck_assert(simulated_disk_corrupt(f.disk, "data/log"));
    ck_assert(!simulated_disk_corrupt(f.disk, "data/none"));
    f.port->ops->read(f.port, "log", on_done, &f);
    engine_run_until(f.engine, engine_now(f.engine) + NS_PER_S);
    ck_assert_str_ne(f.out->str, "abc;");
    append(&f, "log", "x");
    engine_process_kill(f.process, ENGINE_DEATH_KILLED);
    teardown(&f);
}
END_TEST

TCase *
disk_case(void)
{
    return test_case("disk", files_are_appended_read_and_renamed, power_loss_keeps_what_was_synced_and_tears_the_rest,
                     a_full_disk_refuses_and_a_corrupted_file_differs);
}
