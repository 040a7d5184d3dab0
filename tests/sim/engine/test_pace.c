#include "sim/engine/pace.h"
#include "tests/sim/engine/suites.h"

START_TEST(virtual_time_follows_the_machine_by_the_factor)
{
    Pace pace;
    pace_init(&pace, 1000, 50000);
    ck_assert_int_eq(pace_virtual_now(&pace, 9000), 50000);
    ck_assert(pace_next_deadline(&pace, 50001) == INT64_MAX);
    ck_assert_int_eq(pace_next_deadline(&pace, 50000), 1000);
    pace_set_factor(&pace, 9000, 10 * PACE_LIFE);
    ck_assert_int_eq(pace_virtual_now(&pace, 9100), 51000);
    ck_assert_int_eq(pace_next_deadline(&pace, 51001), 9101);
    pace_set_factor(&pace, 9100, PACE_LIFE / 2);
    ck_assert_int_eq(pace_virtual_now(&pace, 9300), 51100);
    pace_pause(&pace, 9300);
    ck_assert_int_eq(pace_virtual_now(&pace, 99999), 51100);
    pace_resume(&pace, 100000);
    ck_assert_int_eq(pace_virtual_now(&pace, 100010), 51105);
}
END_TEST

START_TEST(at_most_speed_everything_is_due_now)
{
    Pace pace;
    pace_init(&pace, 0, 0);
    pace_set_max(&pace);
    ck_assert(pace_virtual_now(&pace, 5) == INT64_MAX);
    ck_assert(pace_next_deadline(&pace, 1000) == INT64_MIN);
    pace_jump(&pace, 10, 777);
    pace_pause(&pace, 10);
    ck_assert_int_eq(pace_virtual_now(&pace, 20), 777);
}
END_TEST

START_TEST(a_debt_that_is_too_large_is_forgiven)
{
    Pace pace;
    pace_init(&pace, 0, 0);
    pace_set_factor(&pace, 0, PACE_LIFE);
    ck_assert(!pace_lag(&pace, 200000000, 0));
    ck_assert(pace_lag(&pace, 300000000, 1000));
    ck_assert_int_eq(pace_virtual_now(&pace, 300000005), 1005);
    pace_set_factor(&pace, 300000005, INT64_MAX);
    ck_assert_int_eq(pace.factor, PACE_FACTOR_MAX);
    ck_assert(pace_virtual_now(&pace, INT64_MAX) == INT64_MAX - 1);
}
END_TEST

TCase *
pace_case(void)
{
    return test_case("pace", virtual_time_follows_the_machine_by_the_factor, at_most_speed_everything_is_due_now,
                     a_debt_that_is_too_large_is_forgiven);
}
