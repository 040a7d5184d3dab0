#include "tests/support/store_conformance.h"

#include "core/api/meta.h"

typedef struct Fixture {
    TestWorld *world;
    const Ports *ports;
    StoreMaker maker;
    Store *store;
    StoreBucket *bucket;
    GString *heard;
    int64_t done;
} Fixture;

static Value *
stamp(Value *take, int64_t revision)
{
    value_edit(&take, "metadata.resourceVersion", value_new_stringf("%" G_GINT64_FORMAT, revision));
    return take;
}

static void
open_store(Fixture *fixture)
{
    StoreOptions options = {.clock = fixture->ports->clock, .stamp = stamp};

    fixture->store =
        store_new(&options, fixture->maker.make(fixture->ports, fixture->maker.data), NULL);
    ck_assert_ptr_nonnull(fixture->store);
    fixture->bucket = store_bucket(fixture->store, "pods");
}

static Fixture
begin(void)
{
    Fixture fixture = {.world = test_world_new(1), .heard = g_string_new(NULL)};

    fixture.ports = test_world_ports(fixture.world, "node");
    store_conformance_fresh(&fixture.maker);
    open_store(&fixture);
    return fixture;
}

static void
end(Fixture *fixture)
{
    store_check(fixture->store);
    store_free(fixture->store);
    test_world_free(fixture->world);
    g_string_free(fixture->heard, TRUE);
}

static void
note_done(int64_t revision, const GError *error, void *data)
{
    ck_assert_ptr_null(error);
    ((Fixture *)data)->done = revision;
}

static int64_t
put(Fixture *fixture, const char *key, int64_t n, int64_t expected, int64_t ttl_ns)
{
    StoreOp op = {.bucket = fixture->bucket,
                  .key = key,
                  .value = value_new_f("{metadata: {name: %s}, n: %i}", key, n),
                  .expected = expected,
                  .ttl_ns = ttl_ns};

    return store_txn(fixture->store, &op, 1, note_done, fixture, NULL);
}

static int64_t
drop(Fixture *fixture, const char *key, int64_t expected)
{
    StoreOp op = {.bucket = fixture->bucket, .key = key, .remove = true, .expected = expected};

    return store_txn(fixture->store, &op, 1, note_done, fixture, NULL);
}

static void
hear(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    static const char marks[] = "+~-";

    g_string_append_printf(((Fixture *)data)->heard, "%c%s@%d ", marks[event->type], event->key,
                           (int)event->revision);
}

static int64_t
committed_n(Fixture *fixture, const char *key)
{
    return value_int_at(pmap_get(store_committed(fixture->bucket), key), "n");
}

START_TEST(a_transaction_takes_the_next_revision_and_stamps_it)
{
    Fixture f = begin();

    ck_assert_int_eq(put(&f, "a", 1, 0, 0), 1);
    ck_assert_int_eq(put(&f, "b", 2, 0, 0), 2);
    test_world_settle(f.world);
    ck_assert_int_eq(f.done, 2);
    ck_assert_int_eq(store_revision(f.store), 2);
    ck_assert_int_eq(object_resource_version(pmap_get(store_committed(f.bucket), "b")), 2);
    ck_assert_int_eq(committed_n(&f, "a"), 1);
    end(&f);
}
END_TEST

START_TEST(a_comparison_that_fails_changes_nothing)
{
    Fixture f = begin();

    put(&f, "a", 1, 0, 0);
    ck_assert_int_eq(put(&f, "a", 2, 0, 0), 0);
    ck_assert_int_eq(put(&f, "a", 2, 7, 0), 0);
    ck_assert_int_eq(drop(&f, "b", STORE_ANY), 0);
    ck_assert_int_eq(put(&f, "a", 3, 1, 0), 2);
    test_world_settle(f.world);
    ck_assert_int_eq(committed_n(&f, "a"), 3);
    ck_assert_int_eq(store_head(f.bucket, "a")->version, 2);
    ck_assert_int_eq(store_head(f.bucket, "a")->create_revision, 1);
    end(&f);
}
END_TEST

START_TEST(listeners_hear_committed_events_in_order_and_once)
{
    Fixture f = begin();

    store_listen(f.bucket, hear, &f);
    put(&f, "a", 1, 0, 0);
    put(&f, "b", 1, 0, 0);
    put(&f, "a", 2, STORE_ANY, 0);
    drop(&f, "b", 2);
    test_world_settle(f.world);
    ck_assert_str_eq(f.heard->str, "+a@1 +b@2 ~a@3 -b@4 ");
    store_unlisten(f.bucket, hear, &f);
    put(&f, "c", 1, 0, 0);
    test_world_settle(f.world);
    ck_assert_str_eq(f.heard->str, "+a@1 +b@2 ~a@3 -b@4 ");
    end(&f);
}
END_TEST

START_TEST(a_replay_begins_after_any_kept_revision_and_refuses_older_ones)
{
    Fixture f = begin();

    for (int i = 0; i < 5; i++)
        put(&f, "a", i, STORE_ANY, 0);
    test_world_settle(f.world);
    ck_assert(store_replay(f.bucket, 3, hear, &f));
    ck_assert_str_eq(f.heard->str, "~a@4 ~a@5 ");
    store_compact(f.store, 4);
    ck_assert(!store_replay(f.bucket, 3, hear, &f));
    ck_assert(store_replay(f.bucket, 4, hear, &f));
    ck_assert_str_eq(f.heard->str, "~a@4 ~a@5 ~a@5 ");
    end(&f);
}
END_TEST

START_TEST(the_state_of_a_past_revision_is_kept_for_a_while)
{
    Fixture f = begin();
    PMap *state;

    put(&f, "a", 1, 0, 0);
    put(&f, "b", 2, 0, 0);
    put(&f, "a", 3, STORE_ANY, 0);
    test_world_settle(f.world);
    state = store_state_at(f.bucket, 2);
    ck_assert_int_eq(value_int_at(pmap_get(state, "a"), "n"), 1);
    ck_assert_uint_eq(pmap_count(state), 2);
    pmap_unref(state);
    ck_assert_ptr_null(store_state_at(f.bucket, 4));
    end(&f);
}
END_TEST

START_TEST(a_key_with_a_time_to_live_goes_by_itself_unless_it_is_written_again)
{
    Fixture f = begin();

    put(&f, "a", 1, 0, 10 * NS_PER_S);
    put(&f, "b", 1, 0, 5 * NS_PER_S);
    test_world_run_for(f.world, 4 * NS_PER_S);
    put(&f, "b", 2, STORE_ANY, 60 * NS_PER_S);
    test_world_run_for(f.world, 7 * NS_PER_S);
    ck_assert_ptr_null(pmap_get(store_committed(f.bucket), "a"));
    ck_assert_int_eq(committed_n(&f, "b"), 2);
    end(&f);
}
END_TEST

START_TEST(history_older_than_the_interval_is_forgotten_by_time)
{
    Fixture f = begin();

    put(&f, "a", 1, 0, 0);
    put(&f, "a", 2, STORE_ANY, 0);
    test_world_run_for(f.world, 11 * 60 * NS_PER_S);
    ck_assert(!store_replay(f.bucket, 1, hear, &f));
    ck_assert(store_replay(f.bucket, 2, hear, &f));
    end(&f);
}
END_TEST

START_TEST(a_durable_store_opened_again_holds_what_was_acknowledged)
{
    Fixture f = begin();

    if (f.maker.durable) {
        put(&f, "a", 1, 0, 0);
        put(&f, "b", 1, 0, 0);
        put(&f, "a", 7, STORE_ANY, 0);
        drop(&f, "b", STORE_ANY);
        test_world_settle(f.world);
        ck_assert_int_eq(f.done, 4);
        store_free(f.store);
        open_store(&f);
        ck_assert_int_eq(store_revision(f.store), 4);
        ck_assert_int_eq(committed_n(&f, "a"), 7);
        ck_assert_ptr_null(store_head(f.bucket, "b"));
        ck_assert_int_eq(store_head(f.bucket, "a")->mod_revision, 3);
        ck_assert_int_eq(store_head(f.bucket, "a")->create_revision, 1);
        ck_assert_int_eq(put(&f, "c", 1, 0, 0), 5);
        ck_assert(!store_replay(f.bucket, 3, hear, &f));
    }
    end(&f);
}
END_TEST

START_TEST(a_compacted_store_opened_again_has_the_same_state_and_revision)
{
    Fixture f = begin();

    if (f.maker.durable) {
        for (int i = 0; i < 20; i++)
            put(&f, i % 2 ? "a" : "b", i, STORE_ANY, 0);
        drop(&f, "b", STORE_ANY);
        test_world_settle(f.world);
        store_compact(f.store, 21);
        store_free(f.store);
        open_store(&f);
        ck_assert_int_eq(store_revision(f.store), 21);
        ck_assert_int_eq(committed_n(&f, "a"), 19);
        ck_assert_uint_eq(pmap_count(store_committed(f.bucket)), 1);
    }
    end(&f);
}
END_TEST

TCase *
store_conformance_case(void)
{
    return test_case("conformance", a_transaction_takes_the_next_revision_and_stamps_it,
                     a_comparison_that_fails_changes_nothing,
                     listeners_hear_committed_events_in_order_and_once,
                     a_replay_begins_after_any_kept_revision_and_refuses_older_ones,
                     the_state_of_a_past_revision_is_kept_for_a_while,
                     a_key_with_a_time_to_live_goes_by_itself_unless_it_is_written_again,
                     history_older_than_the_interval_is_forgotten_by_time,
                     a_durable_store_opened_again_holds_what_was_acknowledged,
                     a_compacted_store_opened_again_has_the_same_state_and_revision);
}
