/* Kinds known by discovery only. */
#include "core/api/types_private.h"

static const char *const *
copy_list(const char *const *list)
{
    static const char *const none[] = {NULL};
    return (const char *const *)g_strdupv((char **)(list != NULL ? list : none));
}

ApiKind *
api_kind_new(const char *group, const char *version, const char *kind, const char *resource,
             const char *singular, bool namespaced, unsigned verbs, const char *const *short_names,
             const char *const *categories)
{
    ApiKindEntry *entry = g_new0(ApiKindEntry, 1);
    entry->kind = (ApiKind){
        .group = g_strdup(group),
        .version = g_strdup(version),
        .kind = g_strdup(kind),
        .resource = g_strdup(resource),
        .singular = *singular != '\0' ? g_strdup(singular) : g_ascii_strdown(kind, -1),
        .list_kind = g_strconcat(kind, "List", NULL),
        .namespaced = namespaced,
        .verbs = verbs,
        .short_names = copy_list(short_names),
        .categories = copy_list(categories),
    };
    entry->kind.storage_group = entry->kind.group;
    entry->kind.storage_version = entry->kind.version;
    entry->api_version = *group != '\0' ? g_strconcat(group, "/", version, NULL) : g_strdup(version);
    entry->qualified =
        *group != '\0' ? g_strconcat(resource, ".", group, NULL) : g_strdup(resource);
    return &entry->kind;
}

void
api_kind_free(ApiKind *kind)
{
    ApiKindEntry *entry = (ApiKindEntry *)kind;
    if (entry == NULL)
        return;
    g_free((char *)kind->group);
    g_free((char *)kind->version);
    g_free((char *)kind->kind);
    g_free((char *)kind->resource);
    g_free((char *)kind->singular);
    g_free((char *)kind->list_kind);
    g_strfreev((char **)kind->short_names);
    g_strfreev((char **)kind->categories);
    g_free((char *)entry->api_version);
    g_free((char *)entry->qualified);
    g_free(entry);
}
