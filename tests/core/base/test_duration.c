#include "core/base/duration.h"
#include "tests/core/base/suites.h"

START_TEST(ages_read_as_kubectl_prints_them)
{
    static const struct {
        int64_t seconds;
        const char *text, *brief;
    } cases[] = {
        {-2, "<invalid>", "<invalid>"}, {-1, "0s", "0s"},     {0, "0s", "0s"},
        {119, "119s", "1m"},            {120, "2m", "2m"},    {200, "3m20s", "3m"},
        {600, "10m", "10m"},            {10799, "179m", "2h"}, {10800, "3h", "3h"},
        {3 * 3600 + 300, "3h5m", "3h"}, {8 * 3600, "8h", "8h"}, {47 * 3600, "47h", "1d"},
        {51 * 3600, "2d3h", "2d"},      {8 * 86400, "8d", "8d"},
        {730 * 86400, "2y", "2y"},      {731 * 86400, "2y1d", "2y"}, {3650 * 86400, "10y", "10y"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = duration_human(cases[i].seconds * DURATION_SECOND);
        g_autofree char *brief = duration_human_short(cases[i].seconds * DURATION_SECOND);
        ck_assert_str_eq(text, cases[i].text);
        ck_assert_str_eq(brief, cases[i].brief);
    }
}
END_TEST

START_TEST(go_durations_are_read_and_written)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *written;
    } cases[] = {
        {"0", 0, "0s"},
        {"5s", 5 * DURATION_SECOND, "5s"},
        {"1h30m", 90 * DURATION_MINUTE, "1h30m0s"},
        {"1.5s", 1500 * DURATION_MILLISECOND, "1.5s"},
        {"-300ms", -300 * DURATION_MILLISECOND, "-300ms"},
        {"+.5m", 30 * DURATION_SECOND, "30s"},
        {"1us", 1000, "1\xc2\xb5s"},
        {"1500ns", 1500, "1.5\xc2\xb5s"},
        {"7ns", 7, "7ns"},
        {"2562047h47m16.854775807s", INT64_MAX, "2562047h47m16.854775807s"},
        {"-2562047h47m16.854775808s", INT64_MIN, "-2562047h47m16.854775808s"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ns = -1;
        g_autoptr(GError) error = NULL;
        ck_assert_msg(duration_parse(cases[i].text, &ns, &error), "%s", cases[i].text);
        ck_assert_int_eq(ns, cases[i].ns);
        g_autofree char *written = duration_format(ns);
        ck_assert_str_eq(written, cases[i].written);
    }
}
END_TEST

START_TEST(wrong_durations_are_refused_in_gos_words)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "time: invalid duration \"\""},
        {"-", "time: invalid duration \"-\""},
        {"3", "time: missing unit in duration \"3\""},
        {"3x", "time: unknown unit \"x\" in duration \"3x\""},
        {".s", "time: invalid duration \".s\""},
        {"9999999999h", "time: invalid duration \"9999999999h\""},
        {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ns = 42;
        g_autoptr(GError) error = NULL;
        ck_assert(!duration_parse(cases[i].text, &ns, &error));
        ck_assert_str_eq(error->message, cases[i].message);
        ck_assert_int_eq(ns, 42);
    }
}
END_TEST

TCase *
duration_case(void)
{
    return test_case("duration", ages_read_as_kubectl_prints_them, go_durations_are_read_and_written,
                     wrong_durations_are_refused_in_gos_words);
}
