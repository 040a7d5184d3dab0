#include "core/object/jsonpath.h"
#include "core/object/yaml.h"
#include "tests/core/object/suites.h"

static const char data_text[] = "items:\n"
                                "- {kind: Pod, metadata: {name: a, labels: {app: web, x.y/z: q}}, 'n': 1, ok: true,\n"
                                "   c: [{t: Ready, s: 'True'}, {t: Init, s: 'False'}]}\n"
                                "- {kind: Pod, metadata: {name: b}, 'n': 5, f: 1.5, c: []}\n"
                                "- {kind: Node, metadata: {name: c}, 'n': 10}\n";

static char *
print_as(const char *template, JsonPathMissing missing)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) data = yaml_parse(data_text, strlen(data_text), &error);
    ck_assert_ptr_nonnull(data);
    g_autoptr(JsonPath) path = jsonpath_parse(template, &error);
    GString *out = g_string_new(NULL);

    if (path == NULL || !jsonpath_print(path, data, missing, out, &error))
        g_string_assign(out, error->message);
    return g_string_free(out, FALSE);
}

static const char *const templates[][2] = {
    {"hello", "hello"},
    {"{.items[*].metadata.name}", "a b c"},
    {"{$.items[0].metadata.name}", "a"},
    {"{.items[-1].metadata.name}", "c"},
    {"{.items[0:2].n}", "1 5"},
    {"{.items[1:].n}", "5 10"},
    {"{.items[::2].n}", "1 10"},
    {"{.items[0,2].n}", "1 10"},
    {"{.items[0]['kind','n']}", "Pod 1"},
    {"{.items[0].metadata.labels}", "{\"app\":\"web\",\"x.y/z\":\"q\"}"},
    {"{.items[0].metadata.labels.x\\.y/z}", "q"},
    {"{.items[0].metadata.labels['x\\.y/z']}", "q"},
    {"{.items[0].metadata.labels.*}", "web q"},
    {"{.items[?(@.kind==\"Node\")].metadata.name}", "c"},
    {"{.items[?(@.n>=5)].metadata.name}", "b c"},
    {"{.items[?(@.f)].metadata.name}", "b"},
    {"{.items[?(@.ok==true)].n}", "1"},
    {"{.items[0].c[?(@.t=='Ready')].s}", "True"},
    {"{.items[?(@.f==1.5)].n}", "5"},
    {"{..name}", "a b c"},
    {"{range .items[*]}{.metadata.name}={.n}{\"\\n\"}{end}done", "a=1\nb=5\nc=10\ndone"},
    {"{range .items[*]}[{range .c[*]}{.t},{end}]{end}", "[Ready,Init,][][]"},
    {"{range .nothing[*]}{.x}{end}.", "."},
    {"{.items[*].f}", "1.5"},
    {"{.items[0].ok}{'\\t'}{.items[0].missing}|", "true\t|"},
    {"{.items[0].c[1:1]}", ""},
    {"{}", "{\"items\":"},
    {"{@.items[0].n}", "1"},
};

START_TEST(templates_print_as_kubectl_does)
{
    for (size_t i = 0; i < G_N_ELEMENTS(templates); i++) {
        g_autofree char *text = print_as(templates[i][0], JSONPATH_MISSING_KEYS_ARE_EMPTY);
        if (strcmp(templates[i][0], "{}") == 0)
            ck_assert(g_str_has_prefix(text, templates[i][1]));
        else
            ck_assert_str_eq(text, templates[i][1]);
    }
}
END_TEST

static const char *const refusals[][2] = {
    {"{.items", "unclosed action"},
    {"{.items[0}", "unterminated array"},
    {"{.items[x]}", "invalid array index x"},
    {"{.items[?(@.n]}", "unterminated filter"},
    {"{.items[?(@.n)}", "unclosed array expect ]"},
    {"{'abc}", "unterminated quoted string"},
    {"{\"\\q\"}", "unquote string \"\\q\" error invalid syntax"},
    {"{....x}", "invalid multiple recursive descent"},
    {"{items}", "unrecognized identifier items"},
    {"{end}", "not in range, nothing to end"},
    {"{.items[7].n}", "array index out of bounds: index 7, length 3"},
    {"{.items[::-1]}", "step must be > 0"},
    {"{.items[2:1]}", "starting index 2 is greater than ending index 1"},
    {"{.items[0][0]}", "map[string]interface {} is not array or slice"},
    {"{.items[?(@.n==\"1\")]}", "incompatible types for comparison"},
    {"{.items[?(@.n=1)]}", "unrecognized filter operator ="},
    {"{.items[?(@.metadata==1)]}", "invalid type for comparison"},
    {"{.missing}", "missing is not found"},
    {"{#}", "unrecognized character in action: U+0023 '#'"},
    {"{1.2.3}", "cannot parse number 1.2.3"},
};

START_TEST(wrong_templates_are_refused_in_kubectls_words)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *text = print_as(refusals[i][0], JSONPATH_MISSING_KEYS_FAIL);
        ck_assert_str_eq(text, refusals[i][1]);
    }
}
END_TEST

START_TEST(deep_templates_are_refused)
{
    g_autoptr(GString) text = g_string_new("{");

    for (int i = 0; i < 5000; i++)
        g_string_append(text, "[?(@.a");
    for (int i = 0; i < 5000; i++)
        g_string_append(text, ")]");
    g_string_append_c(text, '}');
    g_autoptr(JsonPath) path = jsonpath_parse(text->str, NULL);
    g_autoptr(GString) ranges = g_string_new(NULL);
    for (int i = 0; i < 5000; i++)
        g_string_append(ranges, "{range .items}");
    g_autofree char *message = print_as(ranges->str, JSONPATH_MISSING_KEYS_ARE_EMPTY);
    ck_assert_msg(message[0] == '\0' || strstr(message, "nested") != NULL, "%s", message);
}
END_TEST

START_TEST(relaxed_paths_get_braces_and_a_dot)
{
    static const char *const cases[] = {"x.y", ".x.y", "{x.y}", "{.x.y}"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *relaxed = jsonpath_relax(cases[i], NULL);
        ck_assert_str_eq(relaxed, "{.x.y}");
    }
    ck_assert_ptr_null(jsonpath_relax("{x", NULL));
    ck_assert_ptr_null(jsonpath_relax("x}", NULL));
}
END_TEST

START_TEST(found_values_are_borrowed_from_the_data)
{
    g_autoptr(Value) data = value_new_f("{a: [{n: 1000}, {n: 2000}]}");
    g_autoptr(JsonPath) path = jsonpath_parse("{.a[*].n}", NULL);
    g_autoptr(GPtrArray) found = jsonpath_find(path, data, JSONPATH_MISSING_KEYS_FAIL, NULL);

    ck_assert_uint_eq(found->len, 2);
    ck_assert_ptr_eq(found->pdata[1], value_at(data, "a[1].n"));
}
END_TEST

TCase *
jsonpath_case(void)
{
    return test_case("jsonpath", templates_print_as_kubectl_does,
                     wrong_templates_are_refused_in_kubectls_words, deep_templates_are_refused,
                     relaxed_paths_get_braces_and_a_dot, found_values_are_borrowed_from_the_data);
}
