/* The why-chain of a world, and its language. */
#include <string.h>

#include "tests/sim/world/fixture.h"

static const char *
shout(const char *message_id, void *data)
{
    return strcmp(message_id, "because ") == 0 ? data : message_id;
}

START_TEST(why_is_told_in_the_language_that_the_world_was_given)
{
    g_autoptr(World) world = world_fixture_new();
    g_autoptr(GPtrArray) english = world_why(world, "Pod/default/web");
    ck_assert_uint_gt(english->len, 1);
    ck_assert_ptr_nonnull(strstr(english->pdata[1], "because "));
    world_set_translate(world, shout, (char *)"porque ");
    g_autoptr(GPtrArray) spanish = world_why(world, "Pod/default/web");
    ck_assert_uint_eq(spanish->len, english->len);
    ck_assert_ptr_nonnull(strstr(spanish->pdata[1], "porque "));
    ck_assert_ptr_null(strstr(spanish->pdata[1], "because "));
}
END_TEST

START_TEST(of_an_object_that_never_was_nothing_is_told)
{
    g_autoptr(World) world = world_fixture_new();
    g_autoptr(GPtrArray) lines = world_why(world, "Pod/default/nobody");
    ck_assert_uint_eq(lines->len, 0);
}
END_TEST

TCase *
why_case(void)
{
    return test_case("why", why_is_told_in_the_language_that_the_world_was_given,
                     of_an_object_that_never_was_nothing_is_told);
}
