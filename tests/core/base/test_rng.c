#include "core/base/rng.h"
#include "tests/core/base/suites.h"

START_TEST(a_stream_is_a_function_of_seed_and_name)
{
    Rng a = rng_derive(1, "scheduler"), b = rng_derive(1, "scheduler"), c = rng_derive(1, "kubelet"),
        d = rng_derive(2, "scheduler");
    uint64_t first = rng_next(&a);

    ck_assert_uint_eq(first, rng_next(&b));
    ck_assert_uint_ne(first, rng_next(&c));
    ck_assert_uint_ne(first, rng_next(&d));
}
END_TEST

START_TEST(draws_stay_below_their_bound_and_reach_every_value)
{
    Rng rng = rng_derive(7, "x");
    int counts[10] = {0};

    for (int i = 0; i < 10000; i++)
        counts[rng_below(&rng, 10)]++;
    for (int i = 0; i < 10; i++)
        ck_assert(counts[i] > 850 && counts[i] < 1150);
    ck_assert_uint_eq(rng_below(&rng, 0), 0);
    ck_assert_uint_eq(rng_below(&rng, 1), 0);
    for (int i = 0; i < 1000; i++) {
        ck_assert(rng_below(&rng, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
        int64_t between = rng_between(&rng, -3, 3);
        ck_assert(between >= -3 && between <= 3);
        double d = rng_double(&rng);
        ck_assert(d >= 0 && d < 1);
    }
    rng_between(&rng, INT64_MIN, INT64_MAX);
}
END_TEST

START_TEST(name_suffixes_have_no_vowels)
{
    Rng rng = rng_derive(7, "names");
    char suffix[6];

    for (int i = 0; i < 100; i++) {
        rng_name_suffix(&rng, suffix, 5);
        ck_assert_uint_eq(strspn(suffix, "bcdfghjklmnpqrstvwxz2456789"), 5);
    }
}
END_TEST

TCase *
rng_case(void)
{
    return test_case("rng", a_stream_is_a_function_of_seed_and_name,
                     draws_stay_below_their_bound_and_reach_every_value,
                     name_suffixes_have_no_vowels);
}
