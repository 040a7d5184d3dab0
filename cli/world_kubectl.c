#include "cli/world_kubectl.h"

#include <string.h>

#include "cli/kubectl/kubectl.h"
#include "core/base/embed.h"
#include "core/base/error.h"

extern const EmbeddedFile MANIFESTS[];

#define WAIT_MAX_NS (INT64_C(24) * 3600 * NS_PER_S) /* of virtual time, for one command */

static World *
world_of(const WorldKubectl *self)
{
    return self->live != NULL ? live_world(self->live) : self->world;
}

/* A command waits: the world goes on. Reads are answered in the present instant, also of a world that stands still. */
static bool
env_wait(bool (*done)(void *data), void *data, void *env_data)
{
    const WorldKubectl *self = env_data;
    World *world = world_of(self);
    int64_t end = world_now(world) + WAIT_MAX_NS;
    world_settle(world);
    while (!done(data)) {
        if (self->cancelled != NULL && self->cancelled(self->data))
            return false;
        if (self->live != NULL) {
            g_main_context_iteration(NULL, TRUE);
            world_settle(world);
            continue;
        }
        int64_t next = engine_next_time(world_engine(world));
        if (next == ENGINE_TIME_NEVER || next > end)
            return false;
        if (self->advance != NULL)
            self->advance(next, self->data);
        else
            world_run_until(world, next);
    }
    return true;
}

static void
env_write(int stream, const char *text, size_t length, void *env_data)
{
    const WorldKubectl *self = env_data;
    if (self->write != NULL)
        self->write(stream, text, length, self->data);
}

static char *
env_read_file(const char *path, size_t *ret_length, GError **error, void *env_data)
{
    const WorldKubectl *self = env_data;
    char *text = g_strdup(value_string(value_get(self->files, path)));
    gsize length = text != NULL ? strlen(text) : 0;
    if (text != NULL || g_file_get_contents(path, &text, &length, NULL)) {
        *ret_length = length;
        return text;
    }
    const EmbeddedFile *file = embedded_file(MANIFESTS, path);
    if (file == NULL && g_str_has_prefix(path, "manifests/"))
        file = embedded_file(MANIFESTS, path + strlen("manifests/"));
    text = file != NULL ? g_strdup(file->text) : builtin_manifests(path);
    if (text == NULL) {
        fail(error, TIMONEL_ERROR_NOT_FOUND, "the path \"%s\" does not exist", path);
        return NULL;
    }
    *ret_length = strlen(text);
    return text;
}

static KubectlEnv
env_of(const WorldKubectl *self, Transport *transport)
{
    World *world = world_of(self);
    return (KubectlEnv){
        .transport = transport,
        .ports = world_outside_ports(world),
        .types = world_types(world),
        .wait = env_wait,
        .write = env_write,
        .read_file = env_read_file,
        .data = (void *)self,
    };
}

int
world_kubectl_line(const WorldKubectl *self, const char *line)
{
    Transport *transport = world_transport(world_of(self), NULL, NULL);
    const KubectlEnv env = env_of(self, transport);
    int status = kubectl_run_line(&env, line);
    transport->ops->free(transport);
    return status;
}

int
world_kubectl_apply(const WorldKubectl *self, const char *name, const char *text)
{
    Transport *transport = world_transport(world_of(self), NULL, NULL);
    const KubectlEnv env = env_of(self, transport);
    int status = kubectl_apply_text(&env, name, text);
    transport->ops->free(transport);
    return status;
}

char **
world_kubectl_complete(const WorldKubectl *self, const char *line)
{
    Transport *transport = world_transport(world_of(self), NULL, NULL);
    const KubectlEnv env = env_of(self, transport);
    char **words = kubectl_complete(&env, line);
    transport->ops->free(transport);
    return words;
}

char *
builtin_manifests(const char *folder)
{
    if (g_str_has_prefix(folder, "manifests/"))
        folder += strlen("manifests/");
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    GString *text = g_string_new(NULL);
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++)
        if (strncmp(file->name, folder, length) == 0 && file->name[length] == '/')
            g_string_append_printf(text, "---\n%s", file->text);
    if (text->len > 0 && length > 0)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    return NULL;
}
