#include "core/object/quantity.h"
#include "tests/core/object/suites.h"

static Quantity
quantity(const char *text)
{
    Quantity q = {0};
    g_autoptr(GError) error = NULL;

    ck_assert_msg(quantity_parse(text, &q, &error), "%s", text);
    return q;
}

START_TEST(quantities_are_written_in_canonical_form)
{
    static const char *const cases[][2] = {
        {"0", "0"}, {"0m", "0"}, {"1", "1"}, {"100m", "100m"}, {"1000m", "1"}, {"1500m", "1500m"},
        {"1.5", "1500m"}, {"0.5", "500m"}, {".5", "500m"}, {"1k", "1k"}, {"1000", "1k"}, {"1000k", "1M"},
        {"1024", "1024"}, {"1Ki", "1Ki"}, {"1024Ki", "1Mi"}, {"1.5Gi", "1536Mi"}, {"0.5Gi", "512Mi"},
        {"0.5Ki", "512"}, {"1000Ki", "1000Ki"}, {"0.5Mi", "512Ki"}, {"1.1Ki", "1126400m"}, {"1e3", "1e3"},
        {"1E3", "1e3"}, {"12e6", "12e6"}, {"1500e-3", "1500e-3"}, {"1e0", "1"}, {"100e2", "10e3"},
        {"-1.5", "-1500m"}, {"+3", "3"}, {"1n", "1n"}, {"0.1n", "1n"}, {"-0.1n", "-1n"}, {"1u", "1u"},
        {"1E", "1E"}, {"10Ei", "9223372036854775807"}, {"1000E", "1000E"}, {"128974848", "128974848"},
        {"129M", "129M"}, {"123Mi", "123Mi"}, {"0.0001", "100u"}, {"5.", "5"}, {"007", "7"},
        {"1000000000000000000000", "1000E"}, {"0.0000000001", "1n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = quantity_text(quantity(cases[i][0]));
        ck_assert_str_eq(text, cases[i][1]);
        Quantity again = quantity(text);
        ck_assert_int_eq(quantity_compare(again, quantity(cases[i][0])), 0);
    }
}
END_TEST

START_TEST(wrong_quantities_are_refused_in_kubernetes_words)
{
    static const char *const cases[][2] = {
        {"", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"aoeu", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"1.1.M", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"1 Gi", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"1i", "unable to parse quantity's suffix"},
        {"0.1mi", "unable to parse quantity's suffix"},
        {"3.01e-", "unable to parse quantity's suffix"},
        {"1e99999999999999999999", "unable to parse quantity's suffix"},
        {"1GiB", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"1e400", "unable to parse numeric part of quantity"},
        {"99999999999999999999999999999999999999999", "unable to parse numeric part of quantity"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Quantity q;
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!quantity_parse(cases[i][0], &q, &error), "%s", cases[i][0]);
        ck_assert_str_eq(error->message, cases[i][1]);
    }
}
END_TEST

START_TEST(units_and_milli_units_round_away_from_zero)
{
    ck_assert_int_eq(quantity_units(quantity("1100m")), 2);
    ck_assert_int_eq(quantity_units(quantity("-1100m")), -2);
    ck_assert_int_eq(quantity_milli(quantity("1.0001")), 1001);
    ck_assert_int_eq(quantity_milli(quantity("250m")), 250);
    ck_assert_int_eq(quantity_units(quantity("1Gi")), 1073741824);
    ck_assert_int_eq(quantity_units(quantity("1000E")), INT64_MAX);
    ck_assert_int_eq(quantity_units(quantity("-1000E")), INT64_MIN);
    ck_assert_int_eq(quantity_scaled(quantity("1Mi"), 6), 2);
    ck_assert_int_eq(quantity_units(quantity("1e-400")), 1);
}
END_TEST

START_TEST(sums_keep_the_format_and_stay_in_range)
{
    g_autofree char *sum = quantity_text(quantity_add(quantity("1Gi"), quantity("512Mi")));
    g_autofree char *from_zero = quantity_text(quantity_add((Quantity){0}, quantity("2Gi")));
    g_autofree char *less = quantity_text(quantity_sub(quantity("1"), quantity("250m")));
    Quantity huge = quantity("100000000000000000000000000000");

    ck_assert_str_eq(sum, "1536Mi");
    ck_assert_str_eq(from_zero, "2Gi");
    ck_assert_str_eq(less, "750m");
    ck_assert_int_gt(quantity_sign(quantity_add(quantity_add(huge, huge), huge)), 0);
    ck_assert_int_lt(quantity_sign(quantity_sub(quantity_sub(quantity_negate(huge), huge), huge)), 0);
    ck_assert_int_lt(quantity_compare(quantity("999m"), quantity("1")), 0);
    ck_assert_int_eq(quantity_compare(quantity("1Ki"), quantity("1024")), 0);
}
END_TEST

START_TEST(values_of_any_type_are_read)
{
    g_autoptr(Value) list = value_new_f("[\"100m\", 2, 0.5, \" 1Gi \", null, \"x\", []]");
    static const int64_t milli[] = {100, 2000, 500, INT64_C(1073741824000), 0, 0, 0};

    for (size_t i = 0; i < G_N_ELEMENTS(milli); i++)
        ck_assert_int_eq(quantity_milli(quantity_of(value_item(list, i))), milli[i]);
    ck_assert(!quantity_parse_value(NULL, &(Quantity){0}, NULL));
}
END_TEST

START_TEST(a_short_text_is_stored_as_written)
{
    static const char *const cases[][2] = {{"1.500", "1.500"}, {"1Ki", "1Ki"},   {"1024Mi", "1Gi"},
                                           {"1000m", "1"},     {"100m", "100m"}, {"0.5", "500m"},
                                           {"1e3", "1e3"},     {"8Gi", "8Gi"},   {"+1", "+1"}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = quantity_normalize(cases[i][0], NULL);
        ck_assert_str_eq(text, cases[i][1]);
    }
    ck_assert_ptr_null(quantity_normalize("x", NULL));
}
END_TEST

TCase *
quantity_case(void)
{
    return test_case("quantity", quantities_are_written_in_canonical_form,
                     wrong_quantities_are_refused_in_kubernetes_words,
                     units_and_milli_units_round_away_from_zero, sums_keep_the_format_and_stay_in_range,
                     values_of_any_type_are_read, a_short_text_is_stored_as_written);
}
