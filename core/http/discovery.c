/* What the API consists of, as clients discover it: the aggregated documents (apidiscovery.k8s.io
 * v2 and v2beta1) and the old ones, made of the table of kinds. */
#include "core/http/private.h"

static const struct {
    ApiVerb verb;
    const char *name;
} listed_verbs[] = {
    {API_VERB_CREATE, "create"},
    {API_VERB_DELETE, "delete"},
    {API_VERB_DELETECOLLECTION, "deletecollection"},
    {API_VERB_GET, "get"},
    {API_VERB_LIST, "list"},
    {API_VERB_PATCH, "patch"},
    {API_VERB_UPDATE, "update"},
    {API_VERB_WATCH, "watch"},
};

static Value *
verb_list(unsigned verbs)
{
    ValueBuilder *list = value_builder_new_array();

    for (size_t i = 0; i < G_N_ELEMENTS(listed_verbs); i++)
        if ((verbs & listed_verbs[i].verb) != 0)
            value_builder_append(list, value_new_string(listed_verbs[i].name));
    return value_builder_end(list);
}

static Value *
text_list(const char *const *texts)
{
    ValueBuilder *list;

    if (texts == NULL || *texts == NULL)
        return NULL;
    list = value_builder_new_array();
    for (; *texts != NULL; texts++)
        value_builder_append(list, value_new_string(*texts));
    return value_builder_end(list);
}

static bool
same_version(const ApiKind *a, const ApiKind *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->version, b->version) == 0;
}

/* ---- aggregated
 * --------------------------------------------------------------------------------------------------------
 */

static Value *
response_kind(const char *group, const char *version, const char *kind)
{
    return value_new_f("{group: %s, version: %s, kind: %s}", group, version, kind);
}

static Value *
aggregated_resource(const ApiKind *kind)
{
    ValueBuilder *subs = NULL;

    for (size_t i = 0; i < kind->n_subresources; i++) {
        const ApiSubresource *sub = &kind->subresources[i];

        if (subs == NULL)
            subs = value_builder_new_array();
        value_builder_append(subs, value_new_f("{subresource: %s, responseKind: %V, verbs: %V}",
                                               sub->name,
                                               response_kind(sub->group, sub->version, sub->kind),
                                               verb_list(sub->verbs)));
    }
    return value_new_f("{resource: %s, responseKind: %V, scope: %s, singularResource: %s, verbs: "
                       "%V, shortNames: ?%V, "
                       "categories: ?%V, subresources: ?%V}",
                       kind->resource, response_kind(kind->group, kind->version, kind->kind),
                       kind->namespaced ? "Namespaced" : "Cluster", kind->singular,
                       verb_list(kind->verbs), text_list(kind->short_names),
                       text_list(kind->categories), subs == NULL ? NULL : value_builder_end(subs));
}

/* One version of a group, from index on; *ret_next is the index after it. */
static Value *
aggregated_version(const ApiTypes *types, size_t index, size_t *ret_next)
{
    const ApiKind *first = api_types_item(types, index);
    ValueBuilder *resources = value_builder_new_array();

    for (; index < api_types_count(types) && same_version(first, api_types_item(types, index));
         index++)
        value_builder_append(resources, aggregated_resource(api_types_item(types, index)));
    *ret_next = index;
    return value_new_f("{version: %s, resources: %V, freshness: Current}", first->version,
                       value_builder_end(resources));
}

Value *
discovery_aggregated(const ApiTypes *types, bool core, bool beta)
{
    ValueBuilder *groups = value_builder_new_array();
    size_t n = api_types_count(types);

    for (size_t i = 0; i < n;) {
        const char *group = api_types_item(types, i)->group;
        ValueBuilder *versions = value_builder_new_array();
        Value *list;

        while (i < n && strcmp(api_types_item(types, i)->group, group) == 0)
            value_builder_append(versions, aggregated_version(types, i, &i));
        list = value_builder_end(versions);
        if ((*group == '\0') == core)
            value_builder_append(
                groups,
                value_new_f("{metadata: {name: ?%s, creationTimestamp: null}, versions: %v}",
                            core ? NULL : group, list));
        value_unref(list);
    }
    return value_new_f("{kind: APIGroupDiscoveryList, apiVersion: %s, metadata: {}, items: %V}",
                       beta ? "apidiscovery.k8s.io/v2beta1" : "apidiscovery.k8s.io/v2",
                       value_builder_end(groups));
}

/* ---- the old documents
 * --------------------------------------------------------------------------------------------------
 */

Value *
discovery_versions(void)
{
    return value_new_f("{kind: APIVersions, versions: [v1], serverAddressByClientCIDRs: "
                       "[{clientCIDR: '0.0.0.0/0', "
                       "serverAddress: '127.0.0.1:6443'}]}");
}

Value *
discovery_group(const ApiTypes *types, const char *group)
{
    ValueBuilder *versions = value_builder_new_array();
    const ApiKind *last = NULL, *preferred = NULL;
    Value *list;

    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);

        if (strcmp(kind->group, group) != 0 || *group == '\0' ||
            (last != NULL && same_version(kind, last)))
            continue;
        preferred = preferred == NULL ? kind : preferred;
        last = kind;
        value_builder_append(versions, value_new_f("{groupVersion: %s, version: %s}",
                                                   api_kind_api_version(kind), kind->version));
    }
    list = value_builder_end(versions);
    if (preferred == NULL) {
        value_unref(list);
        return NULL;
    }
    return value_new_f("{kind: APIGroup, apiVersion: v1, name: %s, versions: %V, preferredVersion: "
                       "{groupVersion: %s, version: "
                       "%s}}",
                       group, list, api_kind_api_version(preferred), preferred->version);
}

Value *
discovery_groups(const ApiTypes *types)
{
    ValueBuilder *groups = value_builder_new_array();
    const char *last = "";

    for (size_t i = 0; i < api_types_count(types); i++) {
        const char *group = api_types_item(types, i)->group;
        Value *entry;

        if (strcmp(group, last) == 0)
            continue;
        last = group;
        entry = discovery_group(types, group);
        value_edit_remove(&entry, "kind");
        value_edit_remove(&entry, "apiVersion");
        value_builder_append(groups, entry);
    }
    return value_new_f("{kind: APIGroupList, apiVersion: v1, groups: %V}",
                       value_builder_end(groups));
}

static void
add_resources(ValueBuilder *resources, const ApiKind *kind)
{
    value_builder_append(
        resources,
        value_new_f("{name: %s, singularName: %s, namespaced: %V, kind: %s, verbs: %V, shortNames: "
                    "?%V, categories: ?%V}",
                    kind->resource, kind->singular, value_new_bool(kind->namespaced), kind->kind,
                    verb_list(kind->verbs), text_list(kind->short_names),
                    text_list(kind->categories)));
    for (size_t i = 0; i < kind->n_subresources; i++) {
        const ApiSubresource *sub = &kind->subresources[i];
        g_autofree char *name = g_strconcat(kind->resource, "/", sub->name, NULL);
        bool same =
            strcmp(sub->group, kind->group) == 0 && strcmp(sub->version, kind->version) == 0;

        value_builder_append(
            resources,
            value_new_f("{name: %s, singularName: '', namespaced: %V, group: ?%s, version: ?%s, "
                        "kind: %s, verbs: %V}",
                        name, value_new_bool(kind->namespaced), same ? NULL : sub->group,
                        same ? NULL : sub->version, sub->kind, verb_list(sub->verbs)));
    }
}

Value *
discovery_resources(const ApiTypes *types, const char *group, const char *version)
{
    ValueBuilder *resources = value_builder_new_array();
    const char *group_version = NULL;
    Value *list;

    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);

        if (strcmp(kind->group, group) != 0 || strcmp(kind->version, version) != 0)
            continue;
        group_version = api_kind_api_version(kind);
        add_resources(resources, kind);
    }
    list = value_builder_end(resources);
    if (group_version == NULL) {
        value_unref(list);
        return NULL;
    }
    return value_new_f("{kind: APIResourceList, apiVersion: v1, groupVersion: %s, resources: %V}",
                       group_version, list);
}
