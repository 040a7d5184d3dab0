/* The table of kinds: everything reads, and names find what they should. */
#include <string.h>

#include "core/api/schema.h"
#include "core/api/types.h"
#include "tests/core/api/suites.h"

START_TEST(every_schema_file_reads_and_every_kind_has_metadata)
{
    g_autoptr(ApiTypes) types = api_types_new();
    ck_assert_uint_gt(api_types_count(types), 40);
    ck_assert_str_eq(api_types_item(types, 0)->kind, "Binding");
    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);
        const SchemaField *metadata = schema_field(kind->schema, "metadata");
        ck_assert_msg(metadata != NULL, "%s has no metadata", kind->kind);
        ck_assert_str_eq(metadata->schema->name, "ObjectMeta");
        ck_assert_msg(schema_field(kind->schema, "apiVersion") != NULL, "%s", kind->kind);
        for (const char *const *path = kind->selectable_fields; *path; path++)
            ck_assert_ptr_nonnull(*path);
        ck_assert_ptr_eq(api_types_by_kind(types, kind->group, NULL, kind->kind), kind);
        ck_assert_ptr_eq(api_types_by_resource(types, kind->group, kind->version, kind->resource),
                         kind);
    }
}
END_TEST

static const struct {
    const char *word;
    const char *qualified; /* NULL: unknown */
} LOOKUPS[] = {
    {"po", "pods"},
    {"pod", "pods"},
    {"Pods", "pods"},
    {"deploy", "deployments.apps"},
    {"deploy.apps", "deployments.apps"},
    {"deployments.v1.apps", "deployments.apps"},
    {"ev", "events"},
    {"events.v1.events.k8s.io", "events.events.k8s.io"},
    {"events.events.k8s.io", "events.events.k8s.io"},
    {"leases.coordination", "leases.coordination.k8s.io"},
    {"ing", "ingresses.networking.k8s.io"},
    {"endpoints", "endpoints"},
    {"cs", "componentstatuses"},
    {"faults.sim.timonel.dev", "faults.sim.timonel.dev"},
    {"pods.v1.", "pods"},
    {"hpa", NULL},
    {"pods.apps", NULL},
    {"deploy.ap", NULL},
    {"", NULL},
};

START_TEST(a_typed_word_finds_its_kind)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const ApiKind *kind = api_types_lookup(types, LOOKUPS[_i].word);
    if (!LOOKUPS[_i].qualified) {
        ck_assert_msg(kind == NULL, "%s", LOOKUPS[_i].word);
        return;
    }
    ck_assert_msg(kind != NULL, "%s", LOOKUPS[_i].word);
    ck_assert_str_eq(api_kind_qualified(kind), LOOKUPS[_i].qualified);
}
END_TEST

START_TEST(near_words_are_offered_best_first)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_auto(GStrv) near = api_types_near(types, "deploymnts", 3);
    ck_assert_str_eq(near[0], "deployments");
    g_auto(GStrv) pods = api_types_near(types, "pdos", 1);
    ck_assert_str_eq(pods[0], "pods");
    ck_assert_ptr_null(pods[1]);
    g_auto(GStrv) none = api_types_near(types, "zzzzzzzzzzzz", 3);
    ck_assert_ptr_null(none[0]);
}
END_TEST

START_TEST(kinds_carry_what_discovery_needs)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const ApiKind *pod = api_types_by_kind(types, "", "v1", "Pod");
    ck_assert(pod->namespaced && pod->has_status_subresource && pod->has_generation);
    ck_assert_str_eq(pod->list_kind, "PodList");
    ck_assert_str_eq(pod->categories[0], "all");
    const ApiSubresource *eviction = api_kind_subresource(pod, "eviction");
    ck_assert_str_eq(eviction->group, "policy");
    ck_assert_str_eq(eviction->kind, "Eviction");
    ck_assert_uint_eq(eviction->verbs, API_VERB_CREATE);
    ck_assert_ptr_null(api_kind_subresource(pod, "scale"));
    const ApiKind *event = api_types_by_kind(types, "events.k8s.io", "v1", "Event");
    ck_assert_str_eq(event->storage_group, "");
    const ApiKind *node = api_types_by_resource(types, "", NULL, "nodes");
    ck_assert(!node->namespaced);
    ck_assert_str_eq(api_kind_api_version(api_types_lookup(types, "sts")), "apps/v1");
    ck_assert(!(api_types_lookup(types, "ns")->verbs & API_VERB_DELETECOLLECTION));
    ck_assert_ptr_null(api_types_by_kind(types, "autoscaling", "v1", "Scale"));
}
END_TEST

START_TEST(objects_without_a_resource_have_a_schema_too)
{
    g_autoptr(ApiTypes) types = api_types_new();
    ck_assert_str_eq(api_types_schema(types, "autoscaling/v1", "Scale")->name, "Scale");
    ck_assert_str_eq(api_types_schema(types, "policy/v1", "Eviction")->name, "Eviction");
    ck_assert_str_eq(api_types_schema(types, "v1", "DeleteOptions")->name, "DeleteOptions");
    ck_assert_str_eq(api_types_schema(types, "apps/v1", "DeleteOptions")->name, "DeleteOptions");
    ck_assert_str_eq(api_types_schema(types, "authentication.k8s.io/v1", "TokenRequest")->name,
                     "TokenRequest");
    ck_assert_ptr_null(api_types_schema(types, "v1", "PodSpec"));
    ck_assert_ptr_null(api_types_schema(types, "v9", "Pod"));
}
END_TEST

START_TEST(fields_of_inlined_messages_are_looked_through)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const Schema *spec = schema_field(api_types_lookup(types, "po")->schema, "spec")->schema;
    const Schema *volume = schema_field(spec, "volumes")->schema->element;
    ck_assert_str_eq(schema_field(volume, "emptyDir")->schema->name, "EmptyDirVolumeSource");
    ck_assert_ptr_null(schema_field(volume, "volumeSource"));
    const SchemaField *ports =
        schema_field(schema_field(spec, "containers")->schema->element, "ports");
    ck_assert_int_eq(ports->list_type, SCHEMA_LIST_MAP);
    ck_assert_str_eq(ports->list_map_keys[0], "containerPort");
    ck_assert_str_eq(ports->list_map_keys[1], "protocol");
    ck_assert_str_eq(ports->patch_merge_key, "containerPort");
}
END_TEST

TCase *
types_case(void)
{
    TCase *tcase = test_case("types", every_schema_file_reads_and_every_kind_has_metadata,
                             near_words_are_offered_best_first, kinds_carry_what_discovery_needs,
                             objects_without_a_resource_have_a_schema_too,
                             fields_of_inlined_messages_are_looked_through);
    tcase_add_loop_test(tcase, a_typed_word_finds_its_kind, 0, G_N_ELEMENTS(LOOKUPS));
    return tcase;
}
