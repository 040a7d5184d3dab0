#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/status.h"
#include "core/base/error.h"
#include "core/object/yaml.h"
#include "sim/scenario/tools.h"

#define FIELD_MANAGER "timonel"
#define READY_MAX_NS (5 * 60 * NS_PER_S)

static bool
apply_object(World *world, const Value *object, GError **error)
{
    const ApiKind *kind = api_types_of(world_types(world), object);
    if (kind == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "no kind \"%s\" in version \"%s\"", object_kind(object),
                    object_api_version(object));
    const char *namespace_ = object_namespace(object);
    if (*namespace_ == '\0')
        namespace_ = "default";
    ApiRequest *request = api_request_new(API_VERB_PATCH, kind->group, kind->resource,
                                          kind->namespaced ? namespace_ : NULL, object_name(object));
    request->version = g_strdup(kind->version);
    request->body = value_ref(object);
    request->patch_type = PATCH_APPLY;
    request->force = true;
    request->field_manager = g_strdup(FIELD_MANAGER);
    request->field_validation = FIELD_VALIDATION_STRICT;
    g_autoptr(ApiResponse) response = world_call(world, request);
    if (api_response_ok(response))
        return true;
    return fail(error, TIMONEL_ERROR_INVALID, "%s", status_message(response->object));
}

bool
world_apply(World *world, const char *name, const char *text, GError **error)
{
    g_autoptr(GPtrArray) documents = yaml_parse_all(text, strlen(text), error);
    if (documents == NULL) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    for (guint i = 0; i < documents->len; i++) {
        const YamlDocument *document = documents->pdata[i];
        if (value_is_null(document->value))
            continue;
        if (!apply_object(world, document->value, error)) {
            g_prefix_error(error, "%s:%d: %s %s: ", name, document->line, object_kind(document->value),
                           object_name(document->value));
            return false;
        }
    }
    return true;
}

static bool
all_nodes_are_ready(World *world, void *data)
{
    PMap *nodes = world_objects(world, "", "nodes");
    PMapIter iter = pmap_seek(nodes, NULL);
    while (pmap_next(&iter))
        if (!node_is_ready(iter.value))
            return false;
    return pmap_count(nodes) == cluster_topology(world_cluster(world))->nodes->len;
}

bool
world_become_ready(World *world, GError **error)
{
    if (world_boot(world) && world_run_until_true(world, READY_MAX_NS, all_nodes_are_ready, NULL))
        return true;
    return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the cluster's nodes did not become ready within %d s",
                (int)(READY_MAX_NS / NS_PER_S));
}

Value *
scenario_cluster(const Value *cluster, const ScenarioTools *tools, GError **error)
{
    if (value_is_map(cluster))
        return value_ref(cluster);
    const char *name = value_string(cluster) != NULL ? value_string(cluster) : "default";
    g_autofree char *text = tools->read(SOURCE_CLUSTER, name, error, tools->data);
    return text != NULL ? yaml_parse(text, strlen(text), error) : NULL;
}
