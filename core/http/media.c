/* What of an Accept header we can serve: JSON, YAML, and JSON as Table or as partial metadata. The
 * first that fits wins; the order is the client's (weights are taken as the order is, which all
 * known clients send). */
#include "core/http/private.h"

typedef struct MediaRange {
    char *type; /* lower case, without parameters */
    char *as, *group, *version;
} MediaRange;

static void
range_clear(MediaRange *range)
{
    g_free(range->type);
    g_free(range->as);
    g_free(range->group);
    g_free(range->version);
}

static void
range_parse(const char *text, MediaRange *ret_range)
{
    g_auto(GStrv) parts = g_strsplit(text, ";", 16);

    memset(ret_range, 0, sizeof *ret_range);
    ret_range->type = g_ascii_strdown(parts[0] == NULL ? "" : g_strstrip(parts[0]), -1);
    for (size_t i = 1; parts[0] != NULL && parts[i] != NULL; i++) {
        char *name = g_strstrip(parts[i]), *equals = strchr(name, '=');
        char **slot = NULL;

        if (equals == NULL)
            continue;
        *equals = '\0';
        if (strcmp(name, "as") == 0)
            slot = &ret_range->as;
        else if (strcmp(name, "g") == 0)
            slot = &ret_range->group;
        else if (strcmp(name, "v") == 0)
            slot = &ret_range->version;
        if (slot == NULL)
            continue;
        g_free(*slot);
        *slot = g_strdup(equals + 1);
    }
}

static bool
range_choose_form(const MediaRange *range, bool tables, MediaChoice *ret_choice)
{
    if (range->as == NULL)
        return true;
    if (g_strcmp0(range->group, "apidiscovery.k8s.io") == 0) {
        ret_choice->discovery = g_strcmp0(range->version, "v2") == 0        ? 2
                                : g_strcmp0(range->version, "v2beta1") == 0 ? 1
                                                                            : 0;
        return ret_choice->discovery != 0;
    }
    if (!tables || g_strcmp0(range->group, "meta.k8s.io") != 0)
        return false;
    ret_choice->beta = g_strcmp0(range->version, "v1beta1") == 0;
    if (!ret_choice->beta && g_strcmp0(range->version, "v1") != 0)
        return false;
    if (strcmp(range->as, "Table") == 0)
        ret_choice->form = FORM_TABLE;
    else if (g_str_has_prefix(range->as, "PartialObjectMetadata"))
        ret_choice->form = FORM_PARTIAL;
    return ret_choice->form != FORM_PLAIN;
}

static bool
range_choose(const MediaRange *range, bool tables, MediaChoice *ret_choice)
{
    static const char *const json[] = {"application/json", "*/*", "application/*"};

    memset(ret_choice, 0, sizeof *ret_choice);
    if (strcmp(range->type, "application/yaml") == 0) {
        ret_choice->yaml = true;
        return range->as == NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(json); i++)
        if (strcmp(range->type, json[i]) == 0)
            return range_choose_form(range, tables, ret_choice);
    return false;
}

bool
media_choose(const char *accept, bool tables, MediaChoice *ret_choice)
{
    g_auto(GStrv) ranges = NULL;

    memset(ret_choice, 0, sizeof *ret_choice);
    if (accept == NULL || *accept == '\0')
        return true;
    ranges = g_strsplit(accept, ",", 64);
    for (char **text = ranges; *text != NULL; text++) {
        MediaRange range;
        bool fits;

        range_parse(*text, &range);
        fits = range_choose(&range, tables, ret_choice);
        range_clear(&range);
        if (fits)
            return true;
    }
    return false;
}

bool
media_accepts_gzip(const HttpRequest *request)
{
    const char *encodings = http_request_header(request, "Accept-Encoding");

    return encodings != NULL && strstr(encodings, "gzip") != NULL;
}

bool
media_accepts_gnostic(const char *accept)
{
    return accept != NULL && strstr(accept, "application/com.github.proto-openapi.spec.v2") != NULL;
}
