/* Finding a kind: by its exact name, by what a person types, and what was perhaps meant. */
#include <string.h>

#include "core/api/types.h"
#include "core/api/types_private.h"

static const ApiKind *
find(GHashTable *table, const char *group, const char *version, const char *name)
{
    if (!group || !name)
        return NULL;
    g_autofree char *key = g_strdup_printf("%s/%s/%s", group, version ? version : "", name);
    return g_hash_table_lookup(table, key);
}

const ApiKind *
api_types_by_kind(const ApiTypes *types, const char *group, const char *version, const char *kind)
{
    return find(types->by_kind, group, version, kind);
}

const ApiKind *
api_types_by_resource(const ApiTypes *types, const char *group, const char *version,
                      const char *resource)
{
    return find(types->by_resource, group, version, resource);
}

/* Splits "apps/v1" or "v1" at the slash; the group is "" when there is none. */
static char *
api_version_split(const char *api_version, const char **ret_version)
{
    const char *slash = strchr(api_version, '/');
    *ret_version = slash ? slash + 1 : api_version;
    return slash ? g_strndup(api_version, (gsize)(slash - api_version)) : g_strdup("");
}

const ApiKind *
api_types_of(const ApiTypes *types, const Value *object)
{
    const char *version;
    g_autofree char *group =
        api_version_split(value_text(value_get(object, "apiVersion")), &version);
    return api_types_by_kind(types, group, *version ? version : "v1",
                             value_string(value_get(object, "kind")));
}

const SchemaPackage *
schema_package_find(const ApiTypes *types, const char *api_version)
{
    for (guint i = 0; i < types->packages->len; i++) {
        const SchemaPackage *package = &g_array_index(types->packages, SchemaPackage, i);
        if (strcmp(package->api_version, api_version) == 0)
            return package;
    }
    return NULL;
}

const SchemaPackage *
schema_package_of(const ApiTypes *types, const Schema *schema)
{
    const char *dot = schema->openapi_name ? strrchr(schema->openapi_name, '.') : NULL;
    for (guint i = 0; dot && i < types->packages->len; i++) {
        const SchemaPackage *package = &g_array_index(types->packages, SchemaPackage, i);
        size_t length = strlen(package->name);
        if (length == (size_t)(dot - schema->openapi_name) &&
            strncmp(package->name, schema->openapi_name, length) == 0)
            return package;
    }
    return NULL;
}

const Schema *
api_types_schema(const ApiTypes *types, const char *api_version, const char *kind)
{
    if (!api_version || !kind)
        return NULL;
    const SchemaPackage *package = schema_package_find(types, api_version);
    const Schema *schema = NULL;
    if (package) {
        g_autofree char *name = g_strdup_printf("%s.%s", package->name, kind);
        schema = g_hash_table_lookup(types->by_openapi, name);
    }
    if (!schema) {
        /* DeleteOptions, Status and their like belong to every group. */
        g_autofree char *name = g_strdup_printf("io.k8s.apimachinery.pkg.apis.meta.v1.%s", kind);
        schema = g_hash_table_lookup(types->by_openapi, name);
    }
    return schema && schema_field(schema, "apiVersion") ? schema : NULL;
}

static bool
word_names(const ApiKind *kind, const char *word)
{
    if (g_ascii_strcasecmp(kind->resource, word) == 0 ||
        g_ascii_strcasecmp(kind->singular, word) == 0 || g_ascii_strcasecmp(kind->kind, word) == 0)
        return true;
    for (const char *const *name = kind->short_names; *name; name++)
        if (g_ascii_strcasecmp(*name, word) == 0)
            return true;
    return false;
}

/* Does "group" or "version.group" (what follows the first dot of the word) name this kind's group?
 * A group may be shortened to a prefix that ends at a dot, as kubectl allows: "deployments.apps",
 * "leases.coordination". */
static bool
group_matches(const ApiKind *kind, const char *group)
{
    size_t length = strlen(group);
    return length > 0 && strncmp(kind->group, group, length) == 0 &&
           (kind->group[length] == '\0' || kind->group[length] == '.');
}

static bool
suffix_matches(const ApiKind *kind, const char *suffix)
{
    size_t version = strlen(kind->version);
    if (strncmp(suffix, kind->version, version) == 0) {
        if (suffix[version] == '.' && (group_matches(kind, suffix + version + 1) ||
                                       (suffix[version + 1] == '\0' && !*kind->group)))
            return true;
        if (suffix[version] == '\0' && !*kind->group)
            return true;
    }
    return group_matches(kind, suffix);
}

const ApiKind *
api_types_lookup(const ApiTypes *types, const char *word)
{
    if (!word)
        return NULL;
    const char *dot = strchr(word, '.');
    g_autofree char *name = dot ? g_strndup(word, (gsize)(dot - word)) : g_strdup(word);
    for (guint i = 0; i < types->kinds->len; i++) {
        const ApiKind *kind = g_ptr_array_index(types->kinds, i);
        if (word_names(kind, name) && (!dot || suffix_matches(kind, dot + 1)))
            return kind;
    }
    return NULL;
}

/* ---- near ones
 * ---------------------------------------------------------------------------------------- */

#define NEAR_WORD_MAX 63

/* Edit distance that counts a swap of neighbours as one; words longer than NEAR_WORD_MAX are cut.
 */
static unsigned
edit_distance(const char *a, const char *b)
{
    unsigned row[3][NEAR_WORD_MAX + 1];
    size_t n = MIN(strlen(a), NEAR_WORD_MAX);
    size_t m = MIN(strlen(b), NEAR_WORD_MAX);
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3];
        const unsigned *last = row[(i + 2) % 3];
        const unsigned *before = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change =
                last[j - 1] + (g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]));
            now[j] = MIN(change, MIN(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

typedef struct {
    const char *resource;
    unsigned distance;
} Near;

static int
near_compare(gconstpointer a, gconstpointer b)
{
    const Near *left = a;
    const Near *right = b;
    if (left->distance != right->distance)
        return left->distance < right->distance ? -1 : 1;
    return strcmp(left->resource, right->resource);
}

char **
api_types_near(const ApiTypes *types, const char *word, size_t max)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Near));
    unsigned limit = (unsigned)MAX(2, strlen(word) / 3);
    for (guint i = 0; i < types->kinds->len; i++) {
        const ApiKind *kind = g_ptr_array_index(types->kinds, i);
        unsigned distance =
            MIN(edit_distance(word, kind->resource), edit_distance(word, kind->singular));
        for (const char *const *name = kind->short_names; *name; name++)
            if (strlen(*name) > 2)
                distance = MIN(distance, edit_distance(word, *name));
        bool again = false;
        for (guint k = 0; k < found->len; k++)
            again = again || strcmp(g_array_index(found, Near, k).resource, kind->resource) == 0;
        if (distance > limit || distance >= strlen(word) || again)
            continue;
        Near one = {kind->resource, distance};
        g_array_append_val(found, one);
    }
    g_array_sort(found, near_compare);
    size_t n = MIN(found->len, max);
    char **names = g_new0(char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = g_strdup(g_array_index(found, Near, i).resource);
    return names;
}
