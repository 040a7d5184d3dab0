#include "core/base/limits.h"
#include "core/object/json.h"
#include "core/object/yaml.h"
#include "tests/core/object/suites.h"

static char *
yaml_as_json(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) value = yaml_parse(text, strlen(text), &error);

    if (value == NULL)
        return g_strdup(error->message);
    return json_text(value);
}

static const struct {
    const char *yaml, *json;
} readings[] = {
    {"a: b", "{\"a\":\"b\"}"},
    {"- 1\n- -0x1F\n- 0644\n- 0o17\n- 0b101\n- 1_000", "[1,-31,420,15,5,1000]"},
    {"[yes, No, on, OFF, true, False, y, n]", "[true,false,true,false,true,false,true,false]"},
    {"[~, null, Null, '', \"~\"]", "[null,null,null,\"\",\"~\"]"},
    {"[1.5, .5, 1e3, 1.0, 08, -1.25e-2]", "[1.5,0.5,1000,1,8,-0.0125]"},
    {"[1.2.3, 10Mi, 1:30, 2020-01-01, 0x, 1e, +, '1', =]",
     "[\"1.2.3\",\"10Mi\",\"1:30\",\"2020-01-01\",\"0x\",\"1e\",\"+\",\"1\",\"=\"]"},
    {"{1: a, true: b, 1.5: c, on: d2}", "yaml: unmarshal errors:\n  line 1: key \"true\" already set in map"},
    {"{1: a, true: b, 1.5: c}", "{\"1\":\"a\",\"1.5\":\"c\",\"true\":\"b\"}"},
    {"a: |\n  x\n  y\nb: >-\n  x\n  y\nc: |+\n  x\n\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\",\"c\":\"x\\n\\n\"}"},
    {"base: &b {x: 1, z: 2}\nuse:\n  <<: *b\n  z: 3", "{\"base\":{\"x\":1,\"z\":2},\"use\":{\"x\":1,\"z\":3}}"},
    {"a: &x {k: 1}\nb: &z {k: 2, m: 3}\nc: {<<: [*x, *z]}",
     "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"m\":3},\"c\":{\"k\":1,\"m\":3}}"},
    {"[!!str 1, !!int \"5\", !!float 2, !!binary aGk=, !local x, ! 7]", "[\"1\",5,2,\"hi\",\"x\",\"7\"]"},
    {"18446744073709551615", "18446744073709552000"},
    {"", "null"},
    {"# nothing\n---\n", "null"},
};

START_TEST(scalars_and_maps_read_as_go_yaml_reads_them)
{
    for (size_t i = 0; i < G_N_ELEMENTS(readings); i++) {
        g_autofree char *json = yaml_as_json(readings[i].yaml);
        ck_assert_str_eq(json, readings[i].json);
    }
}
END_TEST

START_TEST(wrong_texts_are_refused_with_their_line)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "yaml: unmarshal errors:\n  line 3: key \"a\" already set in map"},
        {"a: b: c", "yaml: line 1: mapping values are not allowed in this context"},
        {"a: *x", "yaml: unknown anchor 'x' referenced"},
        {"a: &x [*x]", "yaml: anchor 'x' value contains itself"},
        {"a:\n  <<: 5", "yaml: line 2: map merge requires map or sequence of maps as the value"},
        {"{~: 1}", "yaml: line 1: unsupported map key: a key must be text, a number or a bool"},
        {"? [a]\n: b", "yaml: line 1: invalid map key: a map or a list cannot be a key"},
        {"a: !!int x", "yaml: line 1: cannot decode `x` as a !!int"},
        {"a: !!binary '*'", "yaml: line 1: !!binary value contains invalid base64 data"},
        {"a: .nan", "yaml: line 1: json: unsupported value: not-a-number and infinities"},
        {"--- 1\n--- 2", "yaml: one document was wanted, 2 were found"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = yaml_as_json(cases[i].yaml);
        ck_assert_str_eq(message, cases[i].message);
    }
}
END_TEST

START_TEST(a_billion_laughs_are_refused)
{
    g_autoptr(GString) text = g_string_new("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");

    for (int i = 1; i < 12; i++) {
        g_string_append_printf(text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            g_string_append_printf(text, "%s*a%d", j > 0 ? "," : "", i - 1);
        g_string_append(text, "]\n");
    }
    g_autofree char *message = yaml_as_json(text->str);
    ck_assert_msg(strstr(message, "excessive aliasing") != NULL, "%s", message);
}
END_TEST

START_TEST(nesting_is_bounded)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (int i = 0; i < 5000; i++)
        g_string_append_c(text, '[');
    g_autofree char *message = yaml_as_json(text->str);
    ck_assert_msg(strstr(message, "max depth") != NULL, "%s", message);
    g_autoptr(GString) laddered = g_string_new("a0: &a0 []\n");
    for (int i = 1; i < 100; i++)
        g_string_append_printf(laddered, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    g_autofree char *ladder_message = yaml_as_json(laddered->str);
    ck_assert_msg(strstr(ladder_message, "max depth") != NULL, "%s", ladder_message);
}
END_TEST

START_TEST(documents_and_fields_know_their_lines)
{
    const char *text = "# first\n---\nkind: Pod\nspec:\n  containers:\n  - name: a\n    image: b\n---\n---\n"
                       "kind: Service\nmetadata:\n  labels:\n    a.b/c: d\n";
    g_autoptr(GPtrArray) documents = yaml_parse_all(text, strlen(text), NULL);

    ck_assert_uint_eq(documents->len, 2);
    YamlDocument *pod = documents->pdata[0], *service = documents->pdata[1];
    ck_assert_int_eq(pod->line, 3);
    ck_assert_int_eq(service->line, 10);
    ck_assert_int_eq(yaml_document_line(pod, "spec.containers[0].image"), 7);
    ck_assert_int_eq(yaml_document_line(pod, "spec.containers[0].ports[0].name"), 6);
    ck_assert_int_eq(yaml_document_line(pod, "status"), 3);
    ck_assert_int_eq(yaml_document_line(service, "metadata.labels['a.b/c']"), 13);
}
END_TEST

static const struct {
    const char *text, *yaml;
} strings[] = {
    {"plain", "plain"},          {"", "\"\""},
    {"true", "\"true\""},        {"yes", "\"yes\""},
    {"y", "\"y\""},              {"null", "\"null\""},
    {"~", "\"~\""},              {"1", "\"1\""},
    {"1.5", "\"1.5\""},          {"0x1F", "\"0x1F\""},
    {"1e3", "\"1e3\""},          {"1:30", "\"1:30\""},
    {"2020-01-01T00:00:00Z", "\"2020-01-01T00:00:00Z\""}, {"2020-01-01", "\"2020-01-01\""},
    {"<<", "\"<<\""},            {"10Mi", "10Mi"},
    {"a: b", "'a: b'"},          {"a:b", "a:b"},
    {"a #b", "'a #b'"},          {"#a", "'#a'"},
    {"- a", "'- a'"},            {"-", "'-'"},
    {"--flag", "--flag"},        {"---", "'---'"},
    {"*", "'*'"},                {"{}", "'{}'"},
    {"[a]", "'[a]'"},            {"it's", "it's"},
    {"'q'", "'''q'''"},          {" lead", "' lead'"},
    {"trail ", "'trail '"},      {"tab\there", "\"tab\\there\""},
    {"a:", "'a:'"},              {"@x", "'@x'"},
    {"%x", "'%x'"},              {"a, b", "a, b"},
    {"?x", "?x"},                {"\xc3\xb1", "\xc3\xb1"},
    {"\xf0\x9f\x98\x80", "\"\\U0001F600\""}, {"\x1b[0m", "\"\\e[0m\""},
    {"a\nb\n", "|\n  a\n  b"},   {"a\nb", "|-\n  a\n  b"},
    {"a\n\n", "|+\n  a\n"},      {"  a\nb", "|2-\n    a\n  b"},
    {"a \nb", "\"a \\nb\""},     {"a\n b\n", "|\n  a\n   b"},
    {"\n", "|2+\n"},
};

START_TEST(strings_are_quoted_only_where_needed)
{
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_autoptr(Value) map = value_new_f("{k: %s}", strings[i].text);
        g_autofree char *written = yaml_text(map);
        g_autofree char *expected = g_strdup_printf("k: %s\n", strings[i].yaml);
        ck_assert_str_eq(written, expected);
        g_autoptr(GError) error = NULL;
        g_autoptr(Value) back = yaml_parse(written, strlen(written), &error);
        ck_assert_msg(value_equal(back, map), "%s: %s", written, error != NULL ? error->message : "");
    }
}
END_TEST

START_TEST(blocks_look_as_kubectl_prints_them)
{
    g_autoptr(Value) value = value_new_f(
        "{apiVersion: v1, metadata: {labels: {}, name: a, 'yes': 'no'}, spec: {args: [], containers: ["
        "{name: x, ports: [{containerPort: 80}, {containerPort: 81}]}, null, [1, [2, 3]], \"t\nu\"]},"
        " n: 1.5, m: -3, big: 1000000.5}");
    g_autofree char *written = yaml_text(value);

    ck_assert_str_eq(written, "apiVersion: v1\nbig: 1.0000005e+06\nm: -3\nmetadata:\n  labels: {}\n"
                              "  name: a\n  \"yes\": \"no\"\n\"n\": 1.5\nspec:\n  args: []\n  containers:\n"
                              "  - name: x\n    ports:\n    - containerPort: 80\n    - containerPort: 81\n"
                              "  - null\n  - - 1\n    - - 2\n      - 3\n  - |-\n    t\n    u\n");
    g_autoptr(Value) back = yaml_parse(written, strlen(written), NULL);
    ck_assert(value_equal(value, back));
}
END_TEST

TCase *
yaml_case(void)
{
    return test_case("yaml", scalars_and_maps_read_as_go_yaml_reads_them,
                     wrong_texts_are_refused_with_their_line, a_billion_laughs_are_refused,
                     nesting_is_bounded, documents_and_fields_know_their_lines,
                     strings_are_quoted_only_where_needed, blocks_look_as_kubectl_prints_them);
}
