#include "core/store/memory.h"
#include "core/store/store.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

TCase *memory_case(void);

static void
count_done(int64_t revision, const GError *error, void *data)
{
    (*(int *)data)++;
}

static void
put(Store *store, const char *key, int *done)
{
    StoreOp op = {.bucket = store_bucket(store, "x"),
                  .key = key,
                  .value = value_new_map(),
                  .expected = STORE_ANY};

    store_txn(store, &op, 1, count_done, done, NULL);
}

typedef struct Nested {
    Store *store;
    int done;
    int64_t last;
} Nested;

static void
write_again(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    Nested *nested = data;

    ck_assert_int_eq(event->revision, nested->last + 1);
    nested->last = event->revision;
    if (event->revision < 4)
        put(nested->store, "a", &nested->done);
}

START_TEST(nobody_sees_a_write_before_the_simulated_sync_ends)
{
    TestWorld *world = test_world_new(1);
    const Ports *ports = test_world_ports(world, "node");
    StoreOptions options = {.clock = ports->clock};
    Store *store = store_new(&options, store_driver_memory_new(ports->clock, 2 * NS_PER_MS), NULL);
    int done = 0;

    put(store, "a", &done);
    put(store, "b", &done);
    ck_assert_int_eq(done, 0);
    ck_assert_int_eq(store_revision(store), 0);
    ck_assert_int_eq(store_head_revision(store), 2);
    ck_assert_ptr_nonnull(store_head(store_bucket(store, "x"), "b"));
    ck_assert_ptr_null(pmap_get(store_committed(store_bucket(store, "x")), "b"));
    test_world_run_for(world, 2 * NS_PER_MS);
    ck_assert_int_eq(done, 1); /* the second waits for the next sync */
    test_world_run_for(world, 2 * NS_PER_MS);
    ck_assert_int_eq(done, 2);
    store_check(store);
    store_free(store);
    test_world_free(world);
}
END_TEST

START_TEST(a_listener_may_write_and_order_is_kept)
{
    TestWorld *world = test_world_new(1);
    const Ports *ports = test_world_ports(world, "node");
    StoreOptions options = {.clock = ports->clock};
    Store *store = store_new(&options, store_driver_memory_new(NULL, 0), NULL);
    Nested nested = {.store = store};

    store_listen(store_bucket(store, "x"), write_again, &nested);
    put(store, "a", &nested.done);
    ck_assert_int_eq(store_revision(store), 4);
    ck_assert_int_eq(nested.done, 4);
    ck_assert_int_eq(nested.last, 4);
    store_free(store);
    test_world_free(world);
}
END_TEST

TCase *
memory_case(void)
{
    return test_case("memory", nobody_sees_a_write_before_the_simulated_sync_ends,
                     a_listener_may_write_and_order_is_kept);
}
