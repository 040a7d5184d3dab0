/* Decoding, static defaults and strategic merge on the built-in types. */
#include <string.h>

#include "core/api/schema.h"
#include "core/object/json.h"
#include "tests/core/api/suites.h"

static Value *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    Value *value = json_parse(text, strlen(text), &error);
    ck_assert_msg(value != NULL, "%s: %s", text, error ? error->message : "");
    return value;
}

static void
assert_json(const Value *value, const char *expected)
{
    g_autoptr(Value) wanted = parse(expected);
    g_autofree char *got = json_text(value);
    g_autofree char *want = json_text(wanted);
    ck_assert_str_eq(got, want);
}

static const Schema *
schema_of(const ApiTypes *types, const char *kind)
{
    const ApiKind *found = api_types_lookup(types, kind);
    ck_assert_msg(found != NULL, "%s", kind);
    return found->schema;
}

static const struct {
    const char *kind;
    const char *object;
    const char *decoded; /* or NULL: refused */
    const char *said;    /* the error, or the unknown fields joined by "; " */
} DECODES[] = {
    {"Pod", "{\"spec\":{\"containers\":[{\"name\":\"a\",\"imagee\":\"x\"}],\"hostPID\":false}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
     "unknown field \"spec.containers[0].imagee\""},
    {"Deployment",
     "{\"metadata\":{\"creationTimestamp\":null,\"labels\":{\"a\":null}},\"spec\":{\"replicas\":0,"
     "\"bogus\":1}}",
     "{\"metadata\":{\"labels\":{\"a\":\"\"}},\"spec\":{\"replicas\":0}}",
     "unknown field \"spec.bogus\""},
    {"Pod", "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{},\"volumeSource\":{}}]}}",
     "{\"spec\":{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}}",
     "unknown field \"spec.volumes[0].volumeSource\""},
    {"Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[],\"env\":[{\"name\":\"E\",\"value\":"
     "\"\"}]}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"env\":[{\"name\":\"E\"}]}]}}", ""},
    {"Deployment", "{\"spec\":{\"replicas\":\"3\"}}", NULL,
     "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type "
     "int32"},
    {"Deployment",
     "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"env\":[{\"value\":1}]}]}}}}", NULL,
     "json: cannot unmarshal number into Go struct field "
     "EnvVar.spec.template.spec.containers.env.value of type string"},
    {"Deployment", "{\"spec\":{\"replicas\":1.5}}", NULL,
     "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type "
     "int32"},
    {"Pod", "{\"spec\":{\"containers\":{}}}", NULL,
     "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
     "[]v1.Container"},
    {"Pod", "{\"metadata\":{\"labels\":{\"a\":1}}}", NULL,
     "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type "
     "string"},
    {"Pod", "{\"spec\":\"x\"}", NULL,
     "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"},
    {"Pod", "[]", NULL, "json: cannot unmarshal array into Go value of type v1.Pod"},
    {"Secret", "{\"data\":{\"a\":\"?\"}}", NULL, "illegal base64 data at input byte 0"},
    {"Secret", "{\"data\":{\"a\":\"YQ==\",\"b\":\"\",\"c\":null}}",
     "{\"data\":{\"a\":\"YQ==\",\"b\":\"\",\"c\":\"\"}}", ""},
    {"Secret", "{\"data\":{\"a\":\"YQ=\"}}", NULL, "illegal base64 data at input byte 3"},
    {"Pod", "{\"metadata\":{\"deletionTimestamp\":\"yesterday\"}}", NULL,
     "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as "
     "\"2006\""},
    {"Pod", "{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T02:00:00+02:00\"}}",
     "{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}", ""},
    {"Service", "{\"spec\":{\"ports\":[{\"port\":80,\"targetPort\":true}]}}", NULL,
     "json: cannot unmarshal bool into Go value of type int32"},
    {"Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":0.5,\"memory\":"
     "\"1024Mi\"}}}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":\"500m\","
     "\"memory\":\"1Gi\"}}}]}}",
     ""},
    {"Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"limits\":{\"cpu\":\"much\"}}}]}}",
     NULL,
     "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
};

START_TEST(decoding_keeps_what_go_would_keep_and_says_what_it_would_say)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) object = parse(DECODES[_i].object);
    g_autoptr(GPtrArray) unknown = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) decoded =
        schema_decode(schema_of(types, DECODES[_i].kind), object, &unknown, &error);
    if (!DECODES[_i].decoded) {
        ck_assert_ptr_null(decoded);
        ck_assert_str_eq(error->message, DECODES[_i].said);
        return;
    }
    ck_assert_msg(decoded != NULL, "%s", error ? error->message : "");
    assert_json(decoded, DECODES[_i].decoded);
    g_ptr_array_add(unknown, NULL);
    g_autofree char *joined = g_strjoinv("; ", (char **)unknown->pdata);
    ck_assert_str_eq(joined, DECODES[_i].said);
}
END_TEST

START_TEST(decoding_shares_an_object_that_needs_no_change)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) object = parse("{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
    g_autoptr(Value) decoded = schema_decode(schema_of(types, "cm"), object, NULL, NULL);
    ck_assert_ptr_eq(decoded, object);
}
END_TEST

static const struct {
    const char *name;
    const char *kind;
    const char *original;
    const char *patch;
    const char *result; /* NULL: refused */
} MERGES[] = {
    {"containers merge by name", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"x\",\"tty\":true},{\"name\":\"b\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"y\",\"tty\":true},{\"name\":\"b\"}]}"
     "}"},
    {"a null removes a key", "Pod", "{\"metadata\":{\"labels\":{\"a\":\"1\",\"b\":\"2\"}}}",
     "{\"metadata\":{\"labels\":{\"a\":null,\"c\":\"3\"}}}",
     "{\"metadata\":{\"labels\":{\"b\":\"2\",\"c\":\"3\"}}}"},
    {"an element is deleted by directive", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"b\"}]}}"},
    {"a list is replaced by directive", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
     "{\"spec\":{\"containers\":[{\"$patch\":\"replace\"},{\"name\":\"c\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}"},
    {"a map is replaced by directive", "Pod", "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}",
     "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"z\":\"9\"}}}",
     "{\"metadata\":{\"labels\":{\"z\":\"9\"}}}"},
    {"elements are put in order", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}}",
     "{\"spec\":{\"$setElementOrder/"
     "containers\":[{\"name\":\"c\"},{\"name\":\"a\"}],\"containers\":[{\"name\":\"a\",\"image\":"
     "\"i\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"a\",\"image\":\"i\"}"
     "]}}"},
    {"a patch out of its own order is refused", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
     "{\"spec\":{\"$setElementOrder/"
     "containers\":[{\"name\":\"a\"}],\"containers\":[{\"name\":\"z\"}]}}",
     NULL},
    {"retainKeys clears the rest", "Deployment",
     "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}}}",
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}",
     "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}"},
    {"retainKeys must name what the patch sets", "Deployment",
     "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\"}}}",
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"rollingUpdate\"],\"type\":\"Recreate\"}}}", NULL},
    {"finalizers are a set", "Pod", "{\"metadata\":{\"finalizers\":[\"a\",\"b\"]}}",
     "{\"metadata\":{\"$deleteFromPrimitiveList/"
     "finalizers\":[\"a\"],\"finalizers\":[\"c\",\"b\"]}}",
     "{\"metadata\":{\"finalizers\":[\"c\",\"b\"]}}"},
    {"lists without a key are replaced", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"1\",\"2\"]}],\"tolerations\":[{"
     "\"key\":\"a\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"3\"]}],\"tolerations\":[]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"args\":[\"3\"]}],\"tolerations\":[]}}"},
    {"service ports merge by port", "Service",
     "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"a\"}]}}",
     "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"web\"},{\"port\":443}]}}",
     "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"web\"},{\"port\":443}]}}"},
    {"an element without its key is refused", "Pod",
     "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}",
     "{\"spec\":{\"containers\":[{\"image\":\"x\"}]}}", NULL},
    {"an unknown directive is refused", "Pod", "{\"metadata\":{\"labels\":{\"a\":\"1\"}}}",
     "{\"metadata\":{\"labels\":{\"$patch\":\"sing\"}}}", NULL},
    {"a disruption budget's selector is replaced", "PodDisruptionBudget",
     "{\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"1\"}}}}",
     "{\"spec\":{\"selector\":{\"matchLabels\":{\"b\":\"2\"}}}}",
     "{\"spec\":{\"selector\":{\"matchLabels\":{\"b\":\"2\"}}}}"},
    {"new maps lose their nulls", "Pod", "{}",
     "{\"metadata\":{\"labels\":{\"a\":null,\"b\":\"2\"}}}",
     "{\"metadata\":{\"labels\":{\"b\":\"2\"}}}"},
};

START_TEST(strategic_merge_does_as_the_table_says)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) original = parse(MERGES[_i].original);
    g_autoptr(Value) patch = parse(MERGES[_i].patch);
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) result =
        schema_strategic_merge(schema_of(types, MERGES[_i].kind), original, patch, &error);
    if (!MERGES[_i].result) {
        ck_assert_msg(result == NULL && error != NULL, "%s", MERGES[_i].name);
        return;
    }
    ck_assert_msg(result != NULL, "%s: %s", MERGES[_i].name, error ? error->message : "");
    assert_json(result, MERGES[_i].result);
}
END_TEST

static const struct {
    const char *kind;
    const char *original;
    const char *modified;
    const char *current;
    const char *patch;
} THREE_WAYS[] = {
    {"Deployment", "{\"spec\":{\"replicas\":1}}", "{\"spec\":{\"replicas\":1}}",
     "{\"spec\":{\"replicas\":1,\"paused\":true}}", "{}"},
    {"Deployment", "{\"spec\":{\"replicas\":1,\"minReadySeconds\":5}}",
     "{\"spec\":{\"replicas\":2}}",
     "{\"spec\":{\"replicas\":1,\"minReadySeconds\":5,\"paused\":true}}",
     "{\"spec\":{\"replicas\":2,\"minReadySeconds\":null}}"},
    {"Pod", "{\"spec\":{\"containers\":[{\"name\":\"a\"},{\"name\":\"b\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"n\"}]}}",
     "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"o\"},{\"name\":\"b\"},{\"name\":"
     "\"injected\"}]}}",
     "{\"spec\":{\"$setElementOrder/containers\":[{\"name\":\"a\"}],"
     "\"containers\":[{\"name\":\"a\",\"image\":\"n\"},{\"name\":\"b\",\"$patch\":\"delete\"}]}}"},
    {"Deployment", "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\"}}}",
     "{\"spec\":{\"strategy\":{\"type\":\"Recreate\"}}}",
     "{\"spec\":{\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":1}}}}",
     "{\"spec\":{\"strategy\":{\"$retainKeys\":[\"type\"],\"type\":\"Recreate\"}}}"},
    /* As kubectl 1.32.3 sent it, against OpenAPI documents of ours. */
    {"Deployment",
     "{\"spec\":{\"paused\":true,\"template\":{\"spec\":{\"containers\":[{\"image\":\"x:1\","
     "\"name\":\"c\"},{\"image\":\"z\",\"name\":\"gone\"}]}}}}",
     "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"image\":\"x:2\",\"name\":\"c\"},{"
     "\"image\":\"y\",\"name\":\"d\"}]}}}}",
     "{\"spec\":{\"paused\":true,\"replicas\":1,\"template\":{\"spec\":{\"containers\":[{\"image\":"
     "\"x:1\",\"name\":\"c\",\"tty\":true},"
     "{\"image\":\"z\",\"name\":\"gone\"},{\"name\":\"injected\",\"image\":\"q\"}]}}}}",
     "{\"spec\":{\"paused\":null,\"template\":{\"spec\":{\"$setElementOrder/"
     "containers\":[{\"name\":\"c\"},{\"name\":\"d\"}],"
     "\"containers\":[{\"image\":\"x:2\",\"name\":\"c\"},{\"image\":\"y\",\"name\":\"d\"},{\"$"
     "patch\":\"delete\",\"name\":\"gone\"}]}}}}"},
    {"Pod", "{\"metadata\":{\"finalizers\":[\"a\"]}}", "{\"metadata\":{\"finalizers\":[\"b\"]}}",
     "{\"metadata\":{\"finalizers\":[\"a\",\"x\"]}}",
     "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"a\"],\"$setElementOrder/"
     "finalizers\":[\"b\"],\"finalizers\":[\"b\"]}}"},
};

START_TEST(apply_makes_the_patch_that_kubectl_makes)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) original = parse(THREE_WAYS[_i].original);
    g_autoptr(Value) modified = parse(THREE_WAYS[_i].modified);
    g_autoptr(Value) current = parse(THREE_WAYS[_i].current);
    g_autoptr(GError) error = NULL;
    const Schema *schema = schema_of(types, THREE_WAYS[_i].kind);
    g_autoptr(Value) patch =
        schema_strategic_three_way(schema, original, modified, current, &error);
    ck_assert_ptr_nonnull(patch);
    assert_json(patch, THREE_WAYS[_i].patch);
    g_autoptr(Value) applied = schema_strategic_merge(schema, current, patch, &error);
    ck_assert_msg(applied != NULL, "%s", error ? error->message : "");
}
END_TEST

START_TEST(a_patch_of_something_else_than_objects_is_refused)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) list = value_new_array();
    g_autoptr(Value) map = value_new_map();
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(schema_strategic_merge(schema_of(types, "Pod"), map, list, &error));
    g_clear_error(&error);
    ck_assert_ptr_null(schema_strategic_three_way(schema_of(types, "Pod"), NULL, list, map, &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

TCase *
schema_case(void)
{
    TCase *tcase = test_case("schema", decoding_shares_an_object_that_needs_no_change,
                             a_patch_of_something_else_than_objects_is_refused);
    tcase_add_loop_test(tcase, decoding_keeps_what_go_would_keep_and_says_what_it_would_say, 0,
                        G_N_ELEMENTS(DECODES));
    tcase_add_loop_test(tcase, strategic_merge_does_as_the_table_says, 0, G_N_ELEMENTS(MERGES));
    tcase_add_loop_test(tcase, apply_makes_the_patch_that_kubectl_makes, 0,
                        G_N_ELEMENTS(THREE_WAYS));
    return tcase;
}
