#include "cli/play.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cli/kubectl/kubectl.h"
#include "core/base/embed.h"
#include "core/base/error.h"

extern const EmbeddedFile MANIFESTS[];

#define WAIT_MAX_NS (INT64_C(3600) * NS_PER_S) /* virtual; a watch that nobody ends does */
#define SLICE_NS (10 * NS_PER_MS)
#define FILE_MAX (16u * 1024 * 1024)

/* ---- files ----------------------------------------------------------------------------------------------------- */

static const char *
without_prefix(const char *name)
{
    return g_str_has_prefix(name, "manifests/") ? name + strlen("manifests/") : name;
}

/* A folder's documents joined, or NULL when nothing that ships lies below it. */
static char *
embedded_folder(const char *name)
{
    GString *text = g_string_new(NULL);
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '/')
        length--;
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++)
        if (strncmp(file->name, name, length) == 0 && file->name[length] == '/')
            g_string_append_printf(text, "%s%s", text->len > 0 ? "---\n" : "", file->text);
    if (text->len > 0)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    return NULL;
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
    char *folder = kind == SOURCE_MANIFEST ? embedded_folder(below) : NULL;
    if (folder == NULL)
        fail(error, TIMONEL_ERROR_NOT_FOUND, _("%s \"%s\": no such file, and nothing of that name comes with timonel"),
             kind == SOURCE_CLUSTER ? "cluster" : "manifest", name);
    return folder;
}

/* ---- kubectl ------------------------------------------------------------------------------------------------------- */

typedef struct KubectlCall {
    World *world;
    const ScenarioPace *pace;
    GString *output;
    PlaySources *sources;
} KubectlCall;

static bool
kubectl_wait(bool (*done)(void *data), void *data, void *env_data)
{
    KubectlCall *call = env_data;
    int64_t end = world_now(call->world) + WAIT_MAX_NS;
    world_settle(call->world);
    while (!done(data)) {
        if (world_now(call->world) >= end)
            return false;
        int64_t until = MIN(world_now(call->world) + SLICE_NS, end);
        if (call->pace != NULL)
            call->pace->advance(until, call->pace->data);
        else
            world_run_until(call->world, until);
    }
    return true;
}

static void
kubectl_write(int stream, const char *text, size_t length, void *env_data)
{
    KubectlCall *call = env_data;
    g_string_append_len(call->output, text, (gssize)length);
}

static char *
kubectl_read_file(const char *path, size_t *ret_length, GError **error, void *env_data)
{
    KubectlCall *call = env_data;
    char *text = read_source(SOURCE_MANIFEST, path, error, call->sources);
    if (text != NULL)
        *ret_length = strlen(text);
    return text;
}

static int
kubectl_line(World *world, const char *line, const ScenarioPace *pace, GString *output, void *data)
{
    KubectlCall call = {.world = world, .pace = pace, .output = output, .sources = data};
    Transport *transport = world_transport(world, NULL, NULL);
    const KubectlEnv env = {.transport = transport,
                            .ports = world_outside_ports(world),
                            .types = world_types(world),
                            .wait = kubectl_wait,
                            .write = kubectl_write,
                            .read_file = kubectl_read_file,
                            .data = &call};
    int status = kubectl_run_line(&env, line);
    transport->ops->free(transport);
    return status;
}

/* ---- language --------------------------------------------------------------------------------------------------------- */

static const char *
translate(const char *message_id, void *data)
{
    return _(message_id);
}

ScenarioTools
play_tools(PlaySources *sources)
{
    return (ScenarioTools){
        .read = read_source, .kubectl = kubectl_line, .translate = translate, .data = sources};
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
        g_setenv("LANGUAGE", language, TRUE);
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
