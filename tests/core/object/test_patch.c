#include "core/base/error.h"
#include "core/object/json.h"
#include "core/object/patch.h"
#include "tests/core/object/suites.h"

static Value *
json(const char *text)
{
    g_autoptr(GError) error = NULL;
    Value *value = json_parse(text, strlen(text), &error);

    ck_assert_msg(value != NULL, "%s: %s", text, error != NULL ? error->message : "");
    return value;
}

static char *
patched(const char *document_text, const char *patch_text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) document = json(document_text);
    g_autoptr(Value) patch = json(patch_text);
    g_autoptr(Value) result = json_patch_apply(document, patch, &error);
    g_autofree char *unchanged = json_text(document);

    ck_assert_str_eq(unchanged, document_text);
    return result != NULL ? json_text(result) : g_strdup(error->message);
}

static const struct {
    const char *document, *patch, *result;
} patches[] = {
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}"},
    {"{\"l\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2,3]}"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/-\",\"value\":2}]", "{\"l\":[1,2]}"},
    {"{\"l\":[1]}", "[{\"op\":\"add\",\"path\":\"/l/1\",\"value\":2}]", "{\"l\":[1,2]}"},
    {"{\"a\":{\"x/y~z\":1}}", "[{\"op\":\"remove\",\"path\":\"/a/x~1y~0z\"}]", "{\"a\":{}}"},
    {"{\"l\":[1,2]}", "[{\"op\":\"remove\",\"path\":\"/l/0\"}]", "{\"l\":[2]}"},
    {"{\"a\":{\"b\":[{\"c\":1}]}}", "[{\"op\":\"replace\",\"path\":\"/a/b/0/c\",\"value\":{\"d\":2}}]",
     "{\"a\":{\"b\":[{\"c\":{\"d\":2}}]}}"},
    {"{\"a\":1,\"b\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b/c\"}]", "{\"b\":{\"c\":1}}"},
    {"{\"a\":{\"x\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]",
     "{\"a\":{\"x\":1},\"b\":{\"x\":1}}"},
    {"{\"a\":[1]}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1]},{\"op\":\"remove\",\"path\":\"/a\"}]", "{}"},
    {"{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}"},
    {"{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}"},
    /* refusals */
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", "testing value /a failed: test failed"},
    {"{}", "[{\"op\":\"remove\",\"path\":\"/x\"}]",
     "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value"},
    {"{}", "[{\"op\":\"remove\",\"path\":\"/x/y\"}]",
     "remove operation does not apply: doc is missing path: \"/x/y\": missing value"},
    {"{}", "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]",
     "add operation does not apply: doc is missing path: \"/x/y\": missing value"},
    {"{}", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]",
     "replace operation does not apply: doc is missing key: /x: missing value"},
    {"{}", "[{\"op\":\"replace\",\"path\":\"/x/y\",\"value\":1}]",
     "replace operation does not apply: doc is missing path: /x/y: missing value"},
    {"{\"l\":[]}", "[{\"op\":\"add\",\"path\":\"/l/2\",\"value\":1}]",
     "error in add for path: '/l/2': Unable to access invalid index: 2: invalid index referenced"},
    {"{\"l\":[]}", "[{\"op\":\"add\",\"path\":\"/l/x\",\"value\":1}]",
     "error in add for path: '/l/x': value was not a proper array index: 'x': strconv.Atoi: parsing \"x\": "
     "invalid syntax"},
    {"{}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]",
     "move operation does not apply: doc is missing from path: /a: missing value"},
    {"{}", "[{\"op\":\"grow\",\"path\":\"/b\"}]", "Unexpected kind: grow"},
    {"{}", "[{\"op\":\"add\",\"value\":1}]", "add operation failed to decode path: missing value"},
};

START_TEST(json_patches_apply_or_say_why_not)
{
    for (size_t i = 0; i < G_N_ELEMENTS(patches); i++) {
        g_autofree char *result = patched(patches[i].document, patches[i].patch);
        ck_assert_str_eq(result, patches[i].result);
    }
}
END_TEST

START_TEST(a_patch_that_copies_itself_is_bounded)
{
    g_autoptr(GString) text = g_string_new("[");

    for (int i = 0; i < 200; i++)
        g_string_append_printf(text, "%s{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/x%d\"}",
                               i > 0 ? "," : "", i);
    g_string_append_c(text, ']');
    g_autofree char *result = patched("{\"a\":{\"b\":1}}", text->str);
    ck_assert_msg(strstr(result, "exceeding the limit") != NULL || strstr(result, "max depth") != NULL, "%s",
                  result);
}
END_TEST

START_TEST(a_patch_that_nests_by_moving_is_bounded)
{
    g_autoptr(GString) text = g_string_new("[");

    for (int i = 0; i < 200; i++)
        g_string_append_printf(text,
                               "%s{\"op\":\"add\",\"path\":\"/b\",\"value\":{}},{\"op\":\"move\",\"from\":\"/a\","
                               "\"path\":\"/b/a\"},{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/a\"}",
                               i > 0 ? "," : "");
    g_string_append_c(text, ']');
    g_autofree char *result = patched("{\"a\":{}}", text->str);
    ck_assert_str_eq(result, "exceeded max depth of 64");
}
END_TEST

START_TEST(too_many_operations_and_wrong_shapes_are_refused)
{
    g_autoptr(Value) document = value_new_map();
    g_autoptr(ValueBuilder) builder = value_builder_new_array();
    g_autoptr(GError) error = NULL, shape_error = NULL;

    for (int i = 0; i < 10001; i++)
        value_builder_append(builder, value_new_f("{op: add, path: '/a', value: 1}"));
    g_autoptr(Value) patch = value_builder_end(g_steal_pointer(&builder));
    ck_assert_ptr_null(json_patch_apply(document, patch, &error));
    ck_assert_int_eq(error->code, TIMONEL_ERROR_LIMIT);
    ck_assert_ptr_null(json_patch_apply(document, document, &shape_error));
}
END_TEST

START_TEST(merge_patches_follow_the_examples_of_rfc_7386)
{
    static const char *const cases[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"[1]", "{\"a\":1}", "{\"a\":1}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
        {"{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Value) document = json(cases[i][0]);
        g_autoptr(Value) patch = json(cases[i][1]);
        g_autoptr(Value) result = merge_patch_apply(document, patch);
        g_autofree char *text = json_text(result);
        ck_assert_str_eq(text, cases[i][2]);
    }
}
END_TEST

START_TEST(a_created_merge_patch_turns_one_into_the_other)
{
    g_autoptr(Value) from = json("{\"a\":1,\"b\":{\"x\":1,\"y\":2},\"l\":[1,2],\"same\":{\"k\":1}}");
    g_autoptr(Value) to = json("{\"b\":{\"x\":1,\"z\":3},\"l\":[2],\"n\":{},\"same\":{\"k\":1}}");
    g_autoptr(Value) patch = merge_patch_create(from, to);
    g_autoptr(Value) result = merge_patch_apply(from, patch);
    g_autofree char *text = json_text(patch);

    ck_assert_str_eq(text, "{\"a\":null,\"b\":{\"y\":null,\"z\":3},\"l\":[2],\"n\":{}}");
    ck_assert(value_equal(result, to));
}
END_TEST

START_TEST(a_three_way_patch_deletes_only_what_was_applied_before)
{
    g_autoptr(Value) original = json("{\"spec\":{\"a\":1,\"gone\":2}}");
    g_autoptr(Value) modified = json("{\"spec\":{\"a\":5,\"new\":{\"e\":{}}}}");
    g_autoptr(Value) current = json("{\"spec\":{\"a\":1,\"gone\":2,\"others\":3},\"status\":{\"x\":1}}");
    g_autoptr(Value) patch = merge_patch_create_three_way(original, modified, current);
    g_autofree char *text = json_text(patch);

    ck_assert_str_eq(text, "{\"spec\":{\"a\":5,\"gone\":null,\"new\":{\"e\":{}}}}");
}
END_TEST

TCase *
patch_case(void)
{
    return test_case("patch", json_patches_apply_or_say_why_not, a_patch_that_copies_itself_is_bounded,
                     a_patch_that_nests_by_moving_is_bounded,
                     too_many_operations_and_wrong_shapes_are_refused,
                     merge_patches_follow_the_examples_of_rfc_7386,
                     a_created_merge_patch_turns_one_into_the_other,
                     a_three_way_patch_deletes_only_what_was_applied_before);
}
