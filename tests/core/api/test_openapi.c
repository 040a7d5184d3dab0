/* The OpenAPI documents: every reference leads somewhere, and kubectl finds what it looks for. */
#include <string.h>

#include "core/api/schema.h"
#include "core/object/json.h"
#include "tests/core/api/suites.h"

static void
check_references(const Value *value, const Value *definitions, const char *prefix)
{
    VALUE_MAP_FOREACH (key, part, value) {
        if (key && strcmp(key, "$ref") == 0 && value_is_string(part)) {
            ck_assert_msg(g_str_has_prefix(value_text(part), prefix), "%s", value_text(part));
            ck_assert_msg(value_has(definitions, value_text(part) + strlen(prefix)), "%s",
                          value_text(part));
        }
        if (key)
            check_references(part, definitions, prefix);
    }
    VALUE_ARRAY_FOREACH (item, value)
        check_references(item, definitions, prefix);
}

START_TEST(every_reference_is_defined)
{
    g_autoptr(ApiTypes) types = api_types_new();
    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);
        if (i > 0 && strcmp(kind->group, api_types_item(types, i - 1)->group) == 0)
            continue;
        g_autoptr(Value) document = api_openapi_v3(types, kind->group, kind->version);
        check_references(document, value_at(document, "components.schemas"),
                         "#/components/schemas/");
    }
    g_autoptr(Value) v2 = api_openapi_v2(types);
    check_references(v2, value_get(v2, "definitions"), "#/definitions/");
    g_autoptr(Value) none = api_openapi_v3(types, "nowhere", "v1");
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(a_document_says_what_kubectl_asks_of_it)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) document = api_openapi_v3(types, "apps", "v1");
    const Value *path = value_get(value_get(document, "paths"),
                                  "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    bool validates = false;
    VALUE_ARRAY_FOREACH (parameter, value_at(path, "patch.parameters"))
        validates = validates || strcmp(value_text_at(parameter, "name"), "fieldValidation") == 0;
    ck_assert(validates);
    ck_assert_str_eq(value_text_at(path, "patch.operationId"), "patchAppsV1NamespacedDeployment");
    ck_assert_str_eq(value_text_at(path, "patch.x-kubernetes-group-version-kind.kind"),
                     "Deployment");
    const Value *schemas = value_at(document, "components.schemas");
    const Value *spec = value_get(schemas, "io.k8s.api.core.v1.PodSpec");
    ck_assert_str_eq(value_text_at(spec, "properties.containers.x-kubernetes-patch-merge-key"),
                     "name");
    ck_assert_str_eq(value_text_at(spec, "properties.containers.x-kubernetes-list-type"), "map");
    ck_assert_str_eq(value_text_at(spec, "properties.volumes.x-kubernetes-patch-strategy"),
                     "merge,retainKeys");
    const Value *volume = value_get(schemas, "io.k8s.api.core.v1.Volume");
    ck_assert_ptr_nonnull(value_at(volume, "properties.emptyDir"));
    ck_assert_ptr_null(value_at(volume, "properties.volumeSource"));
    const Value *deployment = value_get(schemas, "io.k8s.api.apps.v1.Deployment");
    ck_assert_str_eq(value_text_at(deployment, "x-kubernetes-group-version-kind[0].group"), "apps");
    ck_assert_ptr_nonnull(value_get(schemas, "io.k8s.api.apps.v1.DeploymentList"));
}
END_TEST

START_TEST(every_field_and_type_has_a_line_of_its_own)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(Value) v2 = api_openapi_v2(types);
    VALUE_MAP_FOREACH (name, definition, value_get(v2, "definitions")) {
        ck_assert_msg(*value_text_at(definition, "description"), "%s has no description", name);
        VALUE_MAP_FOREACH (field, schema, value_get(definition, "properties"))
            ck_assert_msg(value_has(schema, "description"), "%s.%s has no description", name,
                          field);
    }
}
END_TEST

START_TEST(the_protobuf_form_holds_the_document)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(GByteArray) bytes = api_openapi_v2_protobuf(types);
    ck_assert_uint_gt(bytes->len, 100000);
    static const uint8_t START[] = {10, 3, '2', '.', '0', 18};
    ck_assert_mem_eq(bytes->data, START, sizeof START);
    ck_assert_ptr_nonnull(memmem(bytes->data, bytes->len, "io.k8s.api.core.v1.PodSpec", 26));
}
END_TEST

TCase *
openapi_case(void)
{
    return test_case("openapi", every_reference_is_defined, a_document_says_what_kubectl_asks_of_it,
                     every_field_and_type_has_a_line_of_its_own,
                     the_protobuf_form_holds_the_document);
}
