#include "core/base/limits.h"
#include "core/object/json.h"
#include "tests/core/object/suites.h"

static Value *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    Value *value = json_parse(text, strlen(text), &error);

    ck_assert_msg(value != NULL, "%s: %s", text, error != NULL ? error->message : "");
    return value;
}

START_TEST(documents_come_back_as_they_were)
{
    static const char *const texts[] = {
        "null", "true", "-5", "1.5", "\"a\"", "[]", "{}", "[1,[2,{}],null]",
        "{\"a\":{\"b\":[true,false]},\"c\":\"d\"}", "9223372036854775807", "-9223372036854775808",
        "1e+21", "1e-7", "0.000001", "123456789.125", "100000000000000000000", "\"\\u003ca\\u0026b\\u003e\"",
        "\"\\\"\\\\\\n\\t\\u0001\\b\"", "\"\xc3\xb1\xf0\x9f\x98\x80\"", "\"\\u2028\"",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(Value) value = parse(texts[i]);
        g_autofree char *text = json_text(value);
        ck_assert_str_eq(text, texts[i]);
    }
}
END_TEST

START_TEST(numbers_are_integers_when_they_can_be)
{
    g_autoptr(Value) list = parse("[1, 1.0, 1e3, 9223372036854775808, 0.1, -0]");

    ck_assert_int_eq(value_type(value_item(list, 0)), VALUE_INT);
    ck_assert_int_eq(value_type(value_item(list, 1)), VALUE_DOUBLE);
    ck_assert_int_eq(value_type(value_item(list, 2)), VALUE_DOUBLE);
    ck_assert_int_eq(value_type(value_item(list, 3)), VALUE_DOUBLE);
    ck_assert_double_eq(value_double(value_item(list, 4)), 0.1);
    ck_assert_int_eq(value_type(value_item(list, 5)), VALUE_INT);
}
END_TEST

START_TEST(pretty_text_has_four_spaces_as_kubectl_prints_it)
{
    g_autoptr(Value) value = parse("{\"b\":[1,{}],\"a\":{\"x\":[]}}");
    g_autoptr(GString) out = g_string_new(NULL);

    json_write_pretty(out, value);
    ck_assert_str_eq(out->str, "{\n    \"a\": {\n        \"x\": []\n    },\n    \"b\": [\n        1,\n"
                               "        {}\n    ]\n}");
}
END_TEST

START_TEST(wrong_documents_are_refused_with_their_place)
{
    static const char *const texts[] = {
        "", "{", "[1,]", "{\"a\":}", "{a:1}", "nul", "1 2", "\"\x01\"", "\"\xff\"", "{\"a\":1,}", "1e999",
        "{\"a\\u0000b\":1}", "[\"a\"", "\"abc", "01", "+1", "[1] x", "1 \"Ki", "[1]\"", "{} tru",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        Value *value = json_parse(texts[i], strlen(texts[i]), &error);
        ck_assert_msg(value == NULL, "%s was accepted", texts[i]);
        ck_assert_msg(g_str_has_prefix(error->message, "line 1, column "), "%s", error->message);
    }
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(json_parse("{\n  \"a\": x\n}", 12, &error));
    ck_assert_msg(g_str_has_prefix(error->message, "line 2, column "), "%s", error->message);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    for (size_t depth = VALUE_DEPTH_MAX; depth <= 100000; depth += 99936) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        for (size_t i = 0; i < depth; i++)
            g_string_append_c(text, '[');
        for (size_t i = 0; i < depth; i++)
            g_string_append_c(text, ']');
        g_autoptr(Value) value = json_parse(text->str, text->len, &error);
        ck_assert_int_eq(value != NULL, depth == VALUE_DEPTH_MAX);
    }
}
END_TEST

START_TEST(keys_given_twice_are_listed_and_the_last_wins)
{
    const char *text = "{\"spec\":{\"n\":1,\"c\":[{},{\"image\":\"a\",\"image\":\"b\"}],\"n\":2,\"n\":3},"
                       "\"spec\":{\"n\":4}}";
    g_autoptr(GPtrArray) duplicates = NULL;
    g_autoptr(Value) value = json_parse_strict(text, strlen(text), &duplicates, NULL);

    ck_assert_uint_eq(duplicates->len, 3);
    ck_assert_str_eq(duplicates->pdata[0], "spec.c[1].image");
    ck_assert_str_eq(duplicates->pdata[1], "spec.n");
    ck_assert_str_eq(duplicates->pdata[2], "spec");
    ck_assert_int_eq(value_int_at(value, "spec.n"), 4);
    ck_assert_uint_eq(value_size(value_get(value, "spec")), 1);
}
END_TEST

START_TEST(many_keys_in_any_order_are_sorted)
{
    g_autoptr(GString) text = g_string_new("{");

    for (int i = 0; i < 20000; i++)
        g_string_append_printf(text, "%s\"k%05d\":%d", i > 0 ? "," : "", 19999 - i, i);
    g_string_append_c(text, '}');
    g_autoptr(Value) value = parse(text->str);
    ck_assert_uint_eq(value_size(value), 20000);
    ck_assert_str_eq(value_key_at(value, 0), "k00000");
    ck_assert_int_eq(value_int(value_get(value, "k12345")), 19999 - 12345);
}
END_TEST

TCase *
json_case(void)
{
    return test_case("json", documents_come_back_as_they_were, numbers_are_integers_when_they_can_be,
                     pretty_text_has_four_spaces_as_kubectl_prints_it,
                     wrong_documents_are_refused_with_their_place, nesting_is_bounded,
                     keys_given_twice_are_listed_and_the_last_wins, many_keys_in_any_order_are_sorted);
}
