#include "core/base/pmap.h"
#include "core/base/rng.h"
#include "tests/core/base/suites.h"

typedef struct {
    int refs;
    int number;
} Item;

static void
item_unref(void *data)
{
    Item *item = data;

    if (--item->refs == 0)
        g_free(item);
}

static const PMapType item_type = {.unref = item_unref};
static const PMapType plain_type = {.unref = NULL};

static Item *
item_new(int number)
{
    Item *item = g_new(Item, 1);

    *item = (Item){.refs = 1, .number = number};
    return item;
}

static void
put_number(PMap **map, int number)
{
    char key[32];

    g_snprintf(key, sizeof(key), "key-%06d", number);
    pmap_put(map, key, item_new(number));
}

START_TEST(an_empty_map_has_nothing)
{
    g_autoptr(PMap) map = pmap_new(&item_type);
    PMapIter iter = pmap_seek(map, NULL);

    ck_assert_ptr_null(pmap_get(map, "x"));
    ck_assert(!pmap_remove(&map, "x"));
    ck_assert(!pmap_next(&iter));
    ck_assert_uint_eq(pmap_count(map), 0);
    ck_assert_uint_eq(pmap_count_prefix(map, ""), 0);
}
END_TEST

START_TEST(keys_come_back_in_byte_order)
{
    g_autoptr(PMap) map = pmap_new(&item_type);

    for (int i = 0; i < 5000; i++)
        put_number(&map, (i * 7919) % 5000);
    pmap_check(map);
    ck_assert_uint_eq(pmap_count(map), 5000);
    PMapIter iter = pmap_seek(map, NULL);
    for (int i = 0; i < 5000; i++) {
        ck_assert(pmap_next(&iter));
        ck_assert_int_eq(((Item *)iter.value)->number, i);
    }
    ck_assert(!pmap_next(&iter));
}
END_TEST

START_TEST(a_snapshot_does_not_see_later_changes)
{
    g_autoptr(PMap) map = pmap_new(&item_type);

    for (int i = 0; i < 1000; i++)
        put_number(&map, i);
    g_autoptr(PMap) before = pmap_ref(map);
    for (int i = 0; i < 1000; i += 2)
        ck_assert(pmap_remove(&map, ((char[]){'k', 'e', 'y', '-', '0', '0', '0', (char)('0' + i / 100),
                                              (char)('0' + i / 10 % 10), (char)('0' + i % 10), 0})));
    ck_assert(pmap_put(&map, "key-000001", item_new(-1)));
    pmap_check(map);
    pmap_check(before);
    ck_assert_uint_eq(pmap_count(before), 1000);
    ck_assert_uint_eq(pmap_count(map), 500);
    ck_assert_int_eq(((Item *)pmap_get(before, "key-000001"))->number, 1);
    ck_assert_int_eq(((Item *)pmap_get(map, "key-000001"))->number, -1);
    ck_assert_ptr_nonnull(pmap_get(before, "key-000998"));
    ck_assert_ptr_null(pmap_get(map, "key-000998"));
}
END_TEST

START_TEST(ranges_and_prefixes_are_found_and_counted)
{
    g_autoptr(PMap) map = pmap_new(&plain_type);
    static int here;
    int seen = 0;

    for (int i = 0; i < 300; i++) {
        g_autofree char *key = g_strdup_printf("/%c/%03d", "abc"[i % 3], i);
        pmap_put(&map, key, &here);
    }
    ck_assert_uint_eq(pmap_count_prefix(map, "/b/"), 100);
    ck_assert_uint_eq(pmap_count_prefix(map, "/"), 300);
    ck_assert_uint_eq(pmap_count_prefix(map, "/d"), 0);
    ck_assert_uint_eq(pmap_count_range(map, "/a/", "/c/"), 200);
    ck_assert_uint_eq(pmap_count_range(map, "/c/", "/a/"), 0);
    ck_assert_uint_eq(pmap_rank(map, "/b/"), 100);
    PMapIter iter = pmap_seek_prefix(map, "/b/");
    while (pmap_next(&iter)) {
        ck_assert(g_str_has_prefix(iter.key, "/b/"));
        seen++;
    }
    ck_assert_int_eq(seen, 100);
    iter = pmap_seek_after(map, "/a/003");
    ck_assert(pmap_next(&iter));
    ck_assert_str_eq(iter.key, "/a/006");
    iter = pmap_seek(map, "/a/299");
    ck_assert(pmap_next(&iter));
    ck_assert_str_eq(iter.key, "/b/001");
}
END_TEST

/* A list of versions, each beside a sorted model of what it must hold. */
START_TEST(random_changes_agree_with_a_model_in_every_version)
{
    enum { KEYS = 700, STEPS = 20000, KEEP = 20 };
    Rng rng = rng_derive(1, "pmap");
    g_autoptr(PMap) map = pmap_new(&item_type);
    PMap *kept[KEEP] = {NULL};
    int models[KEEP][KEYS], model[KEYS] = {0};

    for (int step = 0; step < STEPS; step++) {
        int key_number = (int)rng_below(&rng, KEYS);
        char key[32];
        g_snprintf(key, sizeof(key), "%d", key_number);
        bool filling = step / 2500 % 2 == 0;
        if (rng_below(&rng, 10) < (filling ? 7u : 2u)) {
            ck_assert_int_eq(pmap_put(&map, key, item_new(step + 1)), model[key_number] != 0);
            model[key_number] = step + 1;
        } else {
            ck_assert_int_eq(pmap_remove(&map, key), model[key_number] != 0);
            model[key_number] = 0;
        }
        if (step % (STEPS / KEEP) == 0) {
            kept[step / (STEPS / KEEP)] = pmap_ref(map);
            memcpy(models[step / (STEPS / KEEP)], model, sizeof(model));
        }
        if (step % 500 == 0)
            pmap_check(map);
    }
    for (int version = 0; version < KEEP; version++) {
        size_t count = 0;
        pmap_check(kept[version]);
        for (int i = 0; i < KEYS; i++) {
            char key[32];
            g_snprintf(key, sizeof(key), "%d", i);
            Item *item = pmap_get(kept[version], key);
            ck_assert_int_eq(item == NULL ? 0 : item->number, models[version][i]);
            count += item != NULL;
        }
        ck_assert_uint_eq(pmap_count(kept[version]), count);
        pmap_unref(kept[version]);
    }
}
END_TEST

START_TEST(a_map_can_be_emptied_and_filled_again)
{
    g_autoptr(PMap) map = pmap_new(&item_type);

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3000; i++)
            put_number(&map, i);
        for (int i = 2999; i >= 0; i--) {
            char key[32];
            g_snprintf(key, sizeof(key), "key-%06d", i);
            ck_assert(pmap_remove(&map, key));
        }
        pmap_check(map);
        ck_assert_uint_eq(pmap_count(map), 0);
    }
}
END_TEST

TCase *
pmap_case(void)
{
    return test_case("pmap", an_empty_map_has_nothing, keys_come_back_in_byte_order,
                     a_snapshot_does_not_see_later_changes,
                     ranges_and_prefixes_are_found_and_counted,
                     random_changes_agree_with_a_model_in_every_version,
                     a_map_can_be_emptied_and_filled_again);
}
