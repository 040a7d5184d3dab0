#include "cli/play.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cli/command.h"
#include "cli/language.h"
#include "cli/world_kubectl.h"
#include "core/base/embed.h"
#include "core/base/error.h"

extern const EmbeddedFile MANIFESTS[];

#define FILE_MAX (16u * 1024 * 1024)

/* ---- files ----------------------------------------------------------------------------------------------------- */

static const char *
without_prefix(const char *name)
{
    return g_str_has_prefix(name, "manifests/") ? name + strlen("manifests/") : name;
}

static char *
read_disk(const char *path, GError **error)
{
    char *text = NULL;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, error))
        return NULL;
    if (length <= FILE_MAX && memchr(text, '\0', length) == NULL)
        return text;
    g_free(text);
    fail(error, TIMONEL_ERROR_LIMIT, "%s: not a text of at most %u MiB", path, FILE_MAX >> 20);
    return NULL;
}

static char *
read_source(SourceKind kind, const char *name, GError **error, void *data)
{
    const PlaySources *sources = data;
    const char *file_text = sources != NULL ? value_string(value_get(sources->files, name)) : NULL;
    if (file_text != NULL)
        return g_strdup(file_text);
    if (g_file_test(name, G_FILE_TEST_IS_REGULAR))
        return read_disk(name, error);
    const char *below = without_prefix(name);
    g_autofree char *short_name = kind == SOURCE_CLUSTER ? g_strdup_printf("clusters/%s.yaml", name)
                                                         : g_strdup_printf("%s.yaml", below);
    const EmbeddedFile *file = embedded_file(MANIFESTS, below);
    if (file == NULL)
        file = embedded_file(MANIFESTS, short_name);
    if (file != NULL)
        return g_strdup(file->text);
    char *folder = kind == SOURCE_MANIFEST ? builtin_manifests(below) : NULL;
    if (folder == NULL)
        fail(error, TIMONEL_ERROR_NOT_FOUND, _("%s \"%s\": no such file, and nothing of that name comes with timonel"),
             kind == SOURCE_CLUSTER ? "cluster" : "manifest", name);
    return folder;
}

/* ---- kubectl ------------------------------------------------------------------------------------------------------- */

/* How often a caller may look around while a command waits. */
#define LOOK_NS (100 * NS_PER_MS)

typedef struct KubectlCall {
    World *world;
    const ScenarioPace *pace;
    int64_t looked_ns;
    GString *output;
} KubectlCall;

static void
append(int stream, const char *text, size_t length, void *data)
{
    KubectlCall *call = data;
    g_string_append_len(call->output, text, (gssize)length);
}

static void
advance(int64_t until_ns, void *data)
{
    KubectlCall *call = data;
    world_run_until(call->world, until_ns);
    if (call->pace == NULL || world_now(call->world) < call->looked_ns + LOOK_NS)
        return;
    call->looked_ns = world_now(call->world);
    call->pace->look(call->pace->data);
}

static int
kubectl_line(World *world, const char *line, const ScenarioPace *pace, GString *output, void *data)
{
    const PlaySources *sources = data;
    KubectlCall call = {.world = world, .pace = pace, .output = output, .looked_ns = world_now(world)};
    const WorldKubectl kubectl = {.world = world,
                                  .write = append,
                                  .advance = advance,
                                  .files = sources != NULL ? sources->files : NULL,
                                  .data = &call};
    return world_kubectl_line(&kubectl, line);
}

/* ---- language --------------------------------------------------------------------------------------------------------- */

ScenarioTools
play_tools(PlaySources *sources)
{
    return (ScenarioTools){
        .read = read_source, .kubectl = kubectl_line, .translate = command_translate, .data = sources};
}

const char *
play_language(const char *option, GError **error)
{
    if (option != NULL && strcmp(option, "es") != 0 && strcmp(option, "en") != 0) {
        fail(error, TIMONEL_ERROR_UNSUPPORTED, _("--lang %s: timonel speaks en and es"), option);
        return NULL;
    }
    if (option != NULL) {
        const char *language = strcmp(option, "es") == 0 ? "es" : "en";
        language_choose(language);
        return language;
    }
    const char *const *names = g_get_language_names();
    for (size_t i = 0; names[i] != NULL; i++) {
        if (g_str_has_prefix(names[i], "es"))
            return "es";
        if (g_str_has_prefix(names[i], "en") || strcmp(names[i], "C") == 0)
            break;
    }
    return "en";
}
