/* The content store: for now the built-in busybox, made of this machine's static one. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "sim/backend/runc/node_private.h"

#define BUSYBOX "/bin/busybox"
#define BUSYBOX_NAME "docker.io/library/busybox"

/* "busybox" -> "docker.io/library/busybox:latest". */
char *
images_full_name(const char *image)
{
    const char *slash = strchr(image, '/');
    bool host = slash != NULL && (memchr(image, '.', (size_t)(slash - image)) != NULL ||
                                  memchr(image, ':', (size_t)(slash - image)) != NULL ||
                                  g_str_has_prefix(image, "localhost/"));
    const char *last = strrchr(image, '/');
    bool tagged = strchr(last != NULL ? last : image, ':') != NULL || strchr(image, '@') != NULL;
    return g_strconcat(host ? "" : slash != NULL ? "docker.io/" : "docker.io/library/", image,
                       tagged ? "" : ":latest", NULL);
}

bool
images_is_busybox(const char *image)
{
    g_autofree char *full = images_full_name(image);
    size_t length = strlen(BUSYBOX_NAME);
    return strncmp(full, BUSYBOX_NAME, length) == 0 && (full[length] == ':' || full[length] == '@');
}

char *
images_root(RuncNode *node)
{
    return g_build_filename(node->dir, "images", "busybox", NULL);
}

static bool
put_file(const char *root, const char *path, const char *text, GError **error)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    return g_file_set_contents_full(full, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, error);
}

static bool
make_directories(const char *root, GError **error)
{
    static const struct {
        const char *path;
        mode_t mode;
    } DIRECTORIES[] = {{"bin", 0755}, {"dev", 0755}, {"etc", 0755}, {"home", 0755}, {"proc", 0755}, {"root", 0700},
                       {"sys", 0755}, {"tmp", 01777}, {"usr", 0755}, {"usr/bin", 0755}, {"usr/sbin", 0755},
                       {"sbin", 0755}, {"var", 0755}, {"var/spool", 0755}, {"var/www", 0755}, {"run", 0755}};
    for (size_t i = 0; i < G_N_ELEMENTS(DIRECTORIES); i++) {
        g_autofree char *path = g_build_filename(root, DIRECTORIES[i].path, NULL);
        if (g_mkdir_with_parents(path, 0755) != 0 || chmod(path, DIRECTORIES[i].mode) != 0)
            return fail(error, TIMONEL_ERROR_IO, "%s: %s", path, g_strerror(errno));
    }
    return true;
}

static bool
make_applets(const char *root, GError **error)
{
    g_autofree char *list = NULL, *bytes = NULL, *program = g_build_filename(root, "bin/busybox", NULL);
    gsize length;
    const char *argv[] = {BUSYBOX, "--list", NULL};
    if (!g_file_get_contents(BUSYBOX, &bytes, &length, error) ||
        !g_file_set_contents_full(program, bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0755, error) ||
        !g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &list, NULL, NULL, error))
        return false;
    g_auto(GStrv) names = g_strsplit(list, "\n", -1);
    for (size_t i = 0; names[i] != NULL; i++) {
        g_autofree char *link = g_build_filename(root, "bin", names[i], NULL);
        if (*names[i] != '\0' && strcmp(names[i], "busybox") != 0 && symlink("/bin/busybox", link) != 0)
            return fail(error, TIMONEL_ERROR_IO, "%s: %s", link, g_strerror(errno));
    }
    return true;
}

bool
images_make_busybox(RuncNode *node, GError **error)
{
    g_autofree char *root = images_root(node), *hash = text_sha256("busybox", 7);
    node->image_ref = g_strdup_printf("%s@sha256:%s", BUSYBOX_NAME, hash);
    return make_directories(root, error) && make_applets(root, error) &&
           put_file(root, "etc/passwd",
                    "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n"
                    "nobody:x:65534:65534:nobody:/home:/bin/false\n",
                    error) &&
           put_file(root, "etc/group", "root:x:0:\nwww-data:x:33:\nnobody:x:65534:\n", error);
}

const char *
runc_image_present(Runtime *runtime, const char *image)
{
    RuncNode *node = runc_runtime_node(runtime);
    if (images_is_busybox(image))
        return node->image_ref;
    Runtime *other = node->options.components;
    return other != NULL && node->options.is_component(image, node->options.context)
               ? other->ops->image_present(other, image)
               : NULL;
}

void
runc_pull_image(Runtime *runtime, const char *image, const Value *secrets, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    if (other != NULL && node->options.is_component(image, node->options.context)) {
        other->ops->pull_image(other, image, secrets, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    if (images_is_busybox(image)) {
        runc_complete(node, &waiter, node->image_ref, NULL);
        return;
    }
    g_autofree char *full = images_full_name(image);
    const char *slash = strchr(full, '/');
    g_autofree char *host = g_str_has_prefix(full, "docker.io/") ? g_strdup("registry-1.docker.io")
                                                                 : g_strndup(full, (size_t)(slash - full));
    g_autofree char *error = g_strdup_printf(
        "failed to pull and unpack image \"%s\": failed to resolve reference \"%s\": failed to do request: dial tcp: "
        "lookup %s: no such host (this node has no registry: only busybox is built in)",
        full, full, host);
    runc_complete(node, &waiter, NULL, error);
}

Value *
runc_list_images(Runtime *runtime)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    Value *images = other != NULL ? other->ops->list_images(other) : value_new_array();
    struct stat info;
    int64_t size = stat(BUSYBOX, &info) == 0 ? info.st_size : 0;
    Value *all = value_append(images, value_new_f("{names: [%s, %s], sizeBytes: %i}", node->image_ref,
                                                  BUSYBOX_NAME ":latest", size));
    value_unref(images);
    return all;
}
