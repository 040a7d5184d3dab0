#include "cli/clusters.h"

#include <string.h>

#include "core/base/embed.h"
#include "core/base/error.h"
#include "core/object/yaml.h"

extern const EmbeddedFile MANIFESTS[];

static char *
known_names(void)
{
    GString *names = g_string_new(NULL);
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++) {
        if (!g_str_has_prefix(file->name, "clusters/"))
            continue;
        const char *name = file->name + strlen("clusters/");
        g_string_append_printf(names, "%s%.*s", names->len > 0 ? ", " : "",
                               (int)strcspn(name, "."), name);
    }
    return g_string_free(names, FALSE);
}

static char *
read_source(const char *word, GError **error)
{
    char *text = NULL;
    g_autofree char *builtin = g_strdup_printf("clusters/%s.yaml", word);
    const EmbeddedFile *file = embedded_file(MANIFESTS, builtin);
    if (file != NULL && !g_file_test(word, G_FILE_TEST_IS_REGULAR))
        return g_strdup(file->text);
    if (g_file_get_contents(word, &text, NULL, NULL))
        return text;
    g_autofree char *names = known_names();
    fail(error, TIMONEL_ERROR_NOT_FOUND,
         "cluster \"%s\": no such file, and none of the built-in ones (%s)", word, names);
    return NULL;
}

Value *
cluster_document_load(const char *word, int nodes, GError **error)
{
    g_autofree char *text = read_source(word, error);
    if (text == NULL)
        return NULL;
    Value *document = yaml_parse(text, strlen(text), error);
    if (document == NULL) {
        g_prefix_error(error, "%s: ", word);
        return NULL;
    }
    if (nodes >= 0 && value_at(document, "spec.nodeGroups[0]") != NULL)
        value_edit(&document, "spec.nodeGroups[0].count", value_new_int(nodes));
    return document;
}
