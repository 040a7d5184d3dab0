#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/backend/store/sqlite.h"
#include "tests/support/store_conformance.h"

static TCase *sqlite_case(void);

static StoreDriver *
make_sqlite(const Ports *ports, void *data)
{
    g_autoptr(GError) error = NULL;
    StoreDriver *driver = store_driver_sqlite_new(data, ports->clock, &error);

    ck_assert_msg(driver != NULL, "%s", error == NULL ? "" : error->message);
    return driver;
}

/* Made by main before the tests are forked, and removed behind them. */
static char *directory;

/* A name that no other test uses. */
static char *
fresh_path(void)
{
    g_autofree char *name = g_strdup_printf("store-%d-%u.db", (int)getpid(), g_random_int());

    return g_build_filename(directory, name, NULL);
}

static char fresh[4096];

void
store_conformance_fresh(StoreMaker *ret_maker)
{
    g_autofree char *path = fresh_path();

    g_strlcpy(fresh, path, sizeof fresh);
    *ret_maker = (StoreMaker){.durable = true, .make = make_sqlite, .data = fresh};
}

static Store *
open_store(const Ports *ports, char *path)
{
    StoreOptions options = {.clock = ports->clock};

    return store_new(&options, make_sqlite(ports, path), NULL);
}

static void
tell_parent(int64_t revision, const GError *error, void *data)
{
    ck_assert_int_eq(write(*(int *)data, &revision, sizeof revision), sizeof revision);
}

/* Writes rounds of three until it is killed; says each acknowledged revision. */
static void
write_until_killed(char *path, int pipe_end)
{
    TestWorld *world = test_world_new(1);
    Store *store = open_store(test_world_ports(world, "node"), path);

    for (int i = 0; i < 1000000; i++) {
        g_autofree char *key = g_strdup_printf("key-%d", i);
        StoreOp op = {.bucket = store_bucket(store, "x"),
                      .key = key,
                      .value = value_new_f("{n: %i}", (int64_t)i)};

        store_txn(store, &op, 1, tell_parent, &pipe_end, NULL);
        if (i % 3 == 2)
            test_world_settle(world);
    }
    _exit(1);
}

START_TEST(a_kill_loses_no_acknowledged_write)
{
    g_autofree char *path = fresh_path();
    TestWorld *world = test_world_new(1);
    int64_t acknowledged = 0, revision = 0;
    int ends[2], status = 0;
    Store *store;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0)
        write_until_killed(path, ends[1]);
    close(ends[1]);
    while (acknowledged < 60 && read(ends[0], &revision, sizeof revision) == sizeof revision)
        acknowledged = revision;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    while (read(ends[0], &revision, sizeof revision) == sizeof revision)
        acknowledged = revision;
    store = open_store(test_world_ports(world, "node"), path);
    ck_assert_int_ge(store_revision(store), acknowledged);
    ck_assert_uint_ge(pmap_count(store_committed(store_bucket(store, "x"))), (size_t)acknowledged);
    store_check(store);
    store_free(store);
    test_world_free(world);
}
END_TEST

START_TEST(a_round_is_one_commit_and_is_told_once)
{
    g_autofree char *path = fresh_path();
    TestWorld *world = test_world_new(1);
    Store *store = open_store(test_world_ports(world, "node"), path);

    for (int i = 0; i < 10; i++) {
        g_autofree char *key = g_strdup_printf("key-%d", i);
        StoreOp op = {.bucket = store_bucket(store, "x"), .key = key, .value = value_new_map()};

        store_txn(store, &op, 1, NULL, NULL, NULL);
    }
    ck_assert_int_eq(store_revision(store), 0);
    ck_assert_int_eq(store_head_revision(store), 10);
    test_world_settle(world);
    ck_assert_int_eq(store_revision(store), 10);
    store_free(store);
    test_world_free(world);
}
END_TEST

START_TEST(a_store_that_is_open_cannot_be_opened_twice)
{
    g_autofree char *path = fresh_path();
    TestWorld *world = test_world_new(1);
    const Ports *ports = test_world_ports(world, "node");
    Store *store = open_store(ports, path);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(store_driver_sqlite_new(path, ports->clock, &error));
    ck_assert_ptr_nonnull(error);
    store_free(store);
    test_world_free(world);
}
END_TEST

START_TEST(a_file_that_is_no_store_is_refused)
{
    g_autofree char *path = fresh_path();
    TestWorld *world = test_world_new(1);
    g_autoptr(GError) error = NULL;

    ck_assert(g_file_set_contents(
        path,
        "this is not a database, and longer than a header of one would have to be: no, really, "
        "it is only text that somebody put there",
        -1, NULL));
    ck_assert_ptr_null(
        store_driver_sqlite_new(path, test_world_ports(world, "node")->clock, &error));
    ck_assert_ptr_nonnull(error);
    test_world_free(world);
}
END_TEST

static TCase *
sqlite_case(void)
{
    return test_case(
        "sqlite", a_kill_loses_no_acknowledged_write, a_round_is_one_commit_and_is_told_once,
        a_store_that_is_open_cannot_be_opened_twice, a_file_that_is_no_store_is_refused);
}

static void
remove_directory(const char *path)
{
    GDir *files = g_dir_open(path, 0, NULL);
    const char *name;

    while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        g_unlink(file);
    }
    if (files != NULL)
        g_dir_close(files);
    g_rmdir(path);
}

int
main(void)
{
    static const TestCaseFn cases[] = {store_conformance_case, sqlite_case};
    int result;

    directory = g_dir_make_tmp("timonel-store-XXXXXX", NULL);
    result = test_run("sim/backend/store", cases, G_N_ELEMENTS(cases));
    remove_directory(directory);
    g_free(directory);
    return result;
}
