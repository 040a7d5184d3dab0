#include "core/object/selector.h"
#include "tests/core/object/suites.h"

static const struct {
    const char *text, *canonical;
    bool matches; /* {app: web, n: "5", empty: ""} */
} selectors[] = {
    {"", "", true},
    {"app=web", "app=web", true},
    {"app==web", "app==web", true},
    {"app!=web", "app!=web", false},
    {"zone!=a", "zone!=a", true},
    {"app", "app", true},
    {"!app", "!app", false},
    {"! zone", "!zone", true},
    {"app in (db, web)", "app in (db,web)", true},
    {"app in (web,db,web)", "app in (db,web)", true},
    {"app notin (web)", "app notin (web)", false},
    {"zone notin (a)", "zone notin (a)", true},
    {"zone in (a)", "zone in (a)", false},
    {"n>4", "n>4", true},
    {"n < 5", "n<5", false},
    {"app>1", "app>1", false},
    {"empty=", "empty=", true},
    {"empty in ()", "empty in ()", true},
    {"empty in (,x)", "empty in (,x)", true},
    {"zz=1,app=web", "app=web,zz=1", false},
    {"in in (in,notin)", "in in (in,notin)", false},
    {"example.com/a=b", "example.com/a=b", false},
};

START_TEST(label_selectors_parse_match_and_print)
{
    g_autoptr(Value) labels = value_new_f("{app: web, n: '5', empty: ''}");

    for (size_t i = 0; i < G_N_ELEMENTS(selectors); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Selector) selector = selector_parse(selectors[i].text, &error);
        ck_assert_msg(selector != NULL, "%s: %s", selectors[i].text, error ? error->message : "");
        g_autofree char *text = selector_text(selector);
        ck_assert_str_eq(text, selectors[i].canonical);
        ck_assert_msg(selector_matches(selector, labels) == selectors[i].matches, "%s", selectors[i].text);
    }
}
END_TEST

START_TEST(wrong_label_selectors_are_refused_in_kubernetes_words)
{
    static const char *const cases[][2] = {
        {"x=a||y=b", "unable to parse requirement: values[0][x]: Invalid value: \"a||y\""},
        {"==x", "found '==', expected: !, identifier, or 'end of string'"},
        {"a,", "found '', expected: identifier after ','"},
        {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {"a in b", "unable to parse requirement: found 'b' expected: '('"},
        {"a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
        {"a=b c", "found 'c', expected: ',' or 'end of string'"},
        {"!", "unable to parse requirement: found '', expected: identifier"},
        {"a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the"
                " value must be an integer"},
        {"-a=b", "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of"},
        {"A.b/a/c", "unable to parse requirement: <nil>: Invalid value: \"A.b/a/c\": a qualified name must"},
        {"A/b", "unable to parse requirement: <nil>: Invalid value: \"A/b\": prefix part a lowercase RFC 1123"},
        {"a=-", "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be an"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        Selector *selector = selector_parse(cases[i][0], &error);
        ck_assert_msg(selector == NULL && g_str_has_prefix(error->message, cases[i][1]), "%s: %s",
                      cases[i][0], error != NULL ? error->message : "accepted");
    }
}
END_TEST

START_TEST(selector_objects_become_selectors)
{
    g_autoptr(Value) labels = value_new_f("{app: web, tier: front}");
    g_autoptr(Value) object =
        value_new_f("{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: In, values: "
                    "[front, back]}, {key: gone, operator: DoesNotExist}]}");
    g_autoptr(Value) empty = value_new_map();
    g_autoptr(Value) wrong = value_new_f("{matchExpressions: [{key: a, operator: Near}]}");
    g_autoptr(Value) no_values = value_new_f("{matchExpressions: [{key: a, operator: In}]}");
    g_autoptr(GError) error = NULL, second = NULL;
    g_autoptr(Selector) selector = selector_from_object(object, NULL);
    g_autoptr(Selector) nothing = selector_from_object(NULL, NULL);
    g_autoptr(Selector) everything = selector_from_object(empty, NULL);
    g_autoptr(Selector) pairs = selector_from_map(labels);
    g_autofree char *text = selector_text(selector);

    ck_assert(selector_matches(selector, labels));
    ck_assert_str_eq(text, "app=web,!gone,tier in (back,front)");
    ck_assert(!selector_matches(nothing, labels));
    ck_assert(selector_matches(everything, NULL) && selector_is_empty(everything));
    ck_assert(selector_matches(pairs, labels) && !selector_matches(pairs, empty));
    ck_assert_str_eq(selector_exact_value(selector, "app"), "web");
    ck_assert_ptr_null(selector_exact_value(selector, "tier"));
    ck_assert_ptr_null(selector_from_object(wrong, &error));
    ck_assert_str_eq(error->message, "\"Near\" is not a valid label selector operator");
    ck_assert_ptr_null(selector_from_object(no_values, &second));
    ck_assert_str_eq(second->message,
                     "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty");
}
END_TEST

START_TEST(field_selectors_parse_match_and_print)
{
    g_autoptr(Value) pod = value_new_f("{metadata: {name: 'a,b=c'}, status: {phase: Running}}");
    static const struct {
        const char *text, *canonical;
        bool matches;
    } cases[] = {
        {"", "", true},
        {"status.phase=Running", "status.phase=Running", true},
        {"status.phase==Running", "status.phase=Running", true},
        {"status.phase!=Running", "status.phase!=Running", false},
        {"spec.nodeName=", "spec.nodeName=", true},
        {"status.phase=Running,metadata.name=a\\,b\\=c", "metadata.name=a\\,b\\=c,status.phase=Running", true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(FieldSelector) selector = field_selector_parse(cases[i].text, NULL);
        g_autofree char *text = field_selector_text(selector);
        ck_assert_str_eq(text, cases[i].canonical);
        ck_assert(field_selector_matches_value(selector, pod) == cases[i].matches);
    }
    g_autoptr(FieldSelector) named = field_selector_parse("metadata.name=x", NULL);
    ck_assert_str_eq(field_selector_exact_value(named, "metadata.name"), "x");
}
END_TEST

START_TEST(wrong_field_selectors_are_refused)
{
    static const char *const cases[][2] = {
        {"abc", "invalid selector: 'abc'; can't understand 'abc'"},
        {"a=b\\x", "invalid field selector: invalid escape sequence: \\x"},
        {"a=b\\", "invalid field selector: invalid escape sequence: \\"},
        {"a=b=c", "invalid field selector: unescaped character in value: 61"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(field_selector_parse(cases[i][0], &error));
        ck_assert_str_eq(error->message, cases[i][1]);
    }
}
END_TEST

TCase *
selector_case(void)
{
    return test_case("selector", label_selectors_parse_match_and_print,
                     wrong_label_selectors_are_refused_in_kubernetes_words,
                     selector_objects_become_selectors, field_selectors_parse_match_and_print,
                     wrong_field_selectors_are_refused);
}
