#include "core/base/heap.h"
#include "core/base/ring.h"
#include "core/base/rng.h"
#include "tests/core/base/suites.h"

START_TEST(entries_leave_in_order_of_time_then_sequence)
{
    g_autoptr(Heap) heap = heap_new();
    Rng rng = rng_derive(1, "heap");
    HeapEntry last = {.time = INT64_MIN}, entry;

    for (uint64_t i = 0; i < 5000; i++)
        heap_push(heap, (int64_t)rng_below(&rng, 100) - 50, i, NULL);
    for (int i = 0; i < 5000; i++) {
        ck_assert(heap_pop(heap, &entry));
        ck_assert(last.time < entry.time ||
                  (last.time == entry.time && (i == 0 || last.sequence < entry.sequence)));
        last = entry;
    }
    ck_assert(!heap_pop(heap, &entry));
    ck_assert(!heap_peek(heap, &entry));
}
END_TEST

START_TEST(a_removed_entry_never_comes_out_and_its_handle_stays_dead)
{
    g_autoptr(Heap) heap = heap_new();
    HeapHandle handles[1000];
    HeapEntry entry;
    int64_t last = -1;

    for (int i = 0; i < 1000; i++)
        handles[i] = heap_push(heap, (i * 379) % 1000, (uint64_t)i, GINT_TO_POINTER(i));
    for (int i = 0; i < 1000; i += 2) {
        ck_assert(heap_remove(heap, handles[i], &entry));
        ck_assert_int_eq(GPOINTER_TO_INT(entry.payload), i);
        ck_assert(!heap_remove(heap, handles[i], NULL));
    }
    HeapHandle again = heap_push(heap, 5000, 1, NULL);
    ck_assert(!heap_find(heap, handles[998], &entry));
    ck_assert(heap_find(heap, again, &entry));
    for (int i = 0; i < 500; i++) {
        ck_assert(heap_pop(heap, &entry));
        ck_assert_int_eq(GPOINTER_TO_INT(entry.payload) % 2, 1);
        ck_assert_int_gt(entry.time, last);
        last = entry.time;
    }
    ck_assert(!heap_remove(heap, 0, NULL));
    ck_assert(!heap_remove(heap, UINT64_MAX, NULL));
}
END_TEST

START_TEST(a_full_ring_drops_its_oldest)
{
    g_autoptr(Ring) ring = ring_new(3, g_free);

    for (int i = 0; i < 100; i++) {
        g_autofree char *text = g_strdup_printf("%d", i);
        ck_assert_uint_eq(ring_push(ring, g_steal_pointer(&text)), (unsigned)i);
    }
    ck_assert_uint_eq(ring_size(ring), 3);
    ck_assert_uint_eq(ring_first(ring), 97);
    ck_assert_ptr_null(ring_at(ring, 96));
    ck_assert_str_eq(ring_at(ring, 97), "97");
    ck_assert_str_eq(ring_at(ring, 99), "99");
    ck_assert_ptr_null(ring_at(ring, 100));
    g_autofree char *first = ring_pop_first(ring);
    ck_assert_str_eq(first, "97");
}
END_TEST

TCase *
heap_case(void)
{
    return test_case("heap and ring", entries_leave_in_order_of_time_then_sequence,
                     a_removed_entry_never_comes_out_and_its_handle_stays_dead,
                     a_full_ring_drops_its_oldest);
}
