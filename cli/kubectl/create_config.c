/* kubectl create configmap, secret */
#include <string.h>

#include "cli/kubectl/create.h"
#include "cli/kubectl/write.h"
#include "core/base/text.h"
#include "core/object/json.h"

typedef struct Filling {
    Kube *kube;
    Value *data, *binary;
    bool encode; /* all in base64, as in a Secret */
} Filling;

static bool
add(Filling *filling, const char *key, const char *bytes, size_t length)
{
    if (value_has(filling->data, key) || value_has(filling->binary, key)) {
        kube_fail(filling->kube,
                  "cannot add key %s, another key by that name already exists in Data", key);
        return false;
    }
    bool text = !filling->encode && g_utf8_validate(bytes, (gssize)length, NULL);
    Value **map = text || filling->encode ? &filling->data : &filling->binary;
    Value *value = text ? value_new_string_len(bytes, length)
                        : value_new_string_take(text_base64(bytes, length));
    value_replace(map, value_set(*map, key, value));
    return true;
}

static bool
add_file(Filling *filling, const char *key, const char *path)
{
    Kube *kube = filling->kube;
    g_autoptr(GError) error = NULL;
    size_t length = 0;
    g_autofree char *text = kube->env->read_file != NULL
                                ? kube->env->read_file(path, &length, &error, kube->env->data)
                                : NULL;
    if (text == NULL) {
        kube_fail(kube, "error reading %s: %s", path,
                  error != NULL ? error->message : "files cannot be read here");
        return false;
    }
    return add(filling, key, text, length);
}

static bool
add_files(Filling *filling)
{
    g_auto(GStrv) files = kube_flag_list(filling->kube, "from-file");
    for (char **file = files; *file != NULL; file++) {
        const char *equals = strchr(*file, '='), *path = equals != NULL ? equals + 1 : *file;
        g_autofree char *key =
            equals != NULL ? g_strndup(*file, (gsize)(equals - *file)) : g_path_get_basename(path);
        if (!add_file(filling, key, path))
            return false;
    }
    return true;
}

static bool
add_env_files(Filling *filling)
{
    Kube *kube = filling->kube;
    g_auto(GStrv) files = kube_flag_list(kube, "from-env-file");
    for (char **file = files; *file != NULL; file++) {
        g_autoptr(GError) error = NULL;
        size_t length = 0;
        g_autofree char *text = kube->env->read_file != NULL
                                    ? kube->env->read_file(*file, &length, &error, kube->env->data)
                                    : NULL;
        if (text == NULL) {
            kube_fail(kube, "error reading %s: %s", *file, error != NULL ? error->message : "");
            return false;
        }
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line != NULL; line++) {
            char *at = g_strstrip(*line), *equals = strchr(at, '=');
            if (*at == '\0' || *at == '#' || equals == NULL)
                continue;
            *equals = '\0';
            if (!add(filling, at, equals + 1, strlen(equals + 1)))
                return false;
        }
    }
    return true;
}

static bool
add_literals(Filling *filling)
{
    g_auto(GStrv) literals = kube_flag_list(filling->kube, "from-literal");
    for (char **literal = literals; *literal != NULL; literal++) {
        const char *equals = strchr(*literal, '=');
        if (equals == NULL || equals == *literal) {
            kube_fail(filling->kube, "invalid literal source %s, expected key=value", *literal);
            return false;
        }
        g_autofree char *key = g_strndup(*literal, (gsize)(equals - *literal));
        if (!add(filling, key, equals + 1, strlen(equals + 1)))
            return false;
    }
    return true;
}

/* The object with what the flags give; 1: printed. */
static int
fill_and_create(Kube *kube, Value *take, bool encode)
{
    Filling filling = {
        .kube = kube, .data = value_new_map(), .binary = value_new_map(), .encode = encode};
    Value *object = take;
    bool ok = add_files(&filling) && add_env_files(&filling) && add_literals(&filling);
    if (ok && value_size(filling.data) > 0)
        value_edit(&object, "data", value_ref(filling.data));
    if (ok && value_size(filling.binary) > 0)
        value_edit(&object, "binaryData", value_ref(filling.binary));
    value_unref(filling.data);
    value_unref(filling.binary);
    if (!ok) {
        value_unref(object);
        return 1;
    }
    return create_object(kube, object);
}

static int
config_map_run(Kube *kube)
{
    const char *name = create_name(kube);
    return name == NULL
               ? 1
               : fill_and_create(
                     kube,
                     value_new_f("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}", name),
                     false);
}

static int
generic_run(Kube *kube)
{
    const char *name = create_name(kube), *type = kube_flag(kube, "type");
    return name == NULL
               ? 1
               : fill_and_create(
                     kube,
                     value_new_f("{apiVersion: v1, kind: Secret, metadata: {name: %s}, type: ?%s}",
                                 name, *type != '\0' ? type : NULL),
                     true);
}

static int
docker_registry_run(Kube *kube)
{
    const char *name = create_name(kube), *user = kube_flag(kube, "docker-username");
    const char *password = kube_flag(kube, "docker-password"),
               *email = kube_flag(kube, "docker-email");
    if (name == NULL)
        return 1;
    if (*user == '\0' || *password == '\0')
        return kube_fail(
            kube,
            "either --from-file or the combination of --docker-username, --docker-password and "
            "--docker-server is required");
    g_autofree char *pair = g_strconcat(user, ":", password, NULL);
    g_autofree char *auth = text_base64(pair, strlen(pair));
    g_autoptr(Value) entry = value_new_f("{username: %s, password: %s, email: ?%s, auth: %s}", user,
                                         password, *email != '\0' ? email : NULL, auth);
    g_autoptr(Value) none = value_new_map();
    g_autoptr(Value) servers = value_set(none, kube_flag(kube, "docker-server"), value_ref(entry));
    g_autoptr(Value) config = value_new_f("{auths: %v}", servers);
    g_autoptr(GString) json = g_string_new(NULL);
    json_write(json, config);
    return create_object(
        kube, value_new_f("{apiVersion: v1, kind: Secret, metadata: {name: %s}, type: "
                          "'kubernetes.io/dockerconfigjson', data: {'.dockerconfigjson': %V}}",
                          name, value_new_string_take(text_base64(json->str, json->len))));
}

static int
tls_run(Kube *kube)
{
    const char *name = create_name(kube);
    Filling filling = {.kube = kube, .data = value_new_map(), .binary = NULL, .encode = true};
    if (name == NULL)
        return 1;
    if (*kube_flag(kube, "cert") == '\0' || *kube_flag(kube, "key") == '\0')
        return kube_fail(kube, "key and cert must be specified");
    bool ok = add_file(&filling, "tls.crt", kube_flag(kube, "cert")) &&
              add_file(&filling, "tls.key", kube_flag(kube, "key"));
    Value *object = value_new_f(
        "{apiVersion: v1, kind: Secret, metadata: {name: %s}, type: 'kubernetes.io/tls', data: %V}",
        name, filling.data);
    if (ok)
        return create_object(kube, object);
    value_unref(object);
    return 1;
}

#define FROM_FLAGS                                                                                 \
    {"from-file", 0, FLAG_LIST, NULL, NULL, "[KEY=]FILE; may be repeated"},                        \
        {"from-literal", 0, FLAG_ARRAY, NULL, NULL, "KEY=VALUE; may be repeated"},                 \
        {"from-env-file", 0, FLAG_LIST, NULL, NULL, "A file with lines KEY=VALUE"},                \
    {                                                                                              \
        "append-hash", 0, FLAG_BOOL, "false", NULL, "Accepted; no hash is appended"                \
    }

static const KubeFlag from_flags[] = {CREATE_FLAGS, FROM_FLAGS, KUBE_FLAGS_END};
static const KubeFlag generic_flags[] = {
    CREATE_FLAGS,
    FROM_FLAGS,
    {"type", 0, FLAG_TEXT, NULL, NULL, "The type of the secret"},
    KUBE_FLAGS_END};
static const KubeFlag registry_flags[] = {
    CREATE_FLAGS,
    {"docker-username", 0, FLAG_TEXT, NULL, NULL, "User name; required"},
    {"docker-password", 0, FLAG_TEXT, NULL, NULL, "Password; required"},
    {"docker-email", 0, FLAG_TEXT, NULL, NULL, "E-mail address"},
    {"docker-server", 0, FLAG_TEXT, "https://index.docker.io/v1/", NULL, "The registry"},
    KUBE_FLAGS_END};
static const KubeFlag tls_flags[] = {
    CREATE_FLAGS,
    {"cert", 0, FLAG_TEXT, NULL, NULL, "File of the certificate; required"},
    {"key", 0, FLAG_TEXT, NULL, NULL, "File of its key; required"},
    KUBE_FLAGS_END};

const KubeCommand CREATE_CONFIGMAP = {
    .name = "configmap",
    .aliases = "cm",
    .usage = "NAME [--from-file=[key=]source] [--from-literal=key1=value1]",
    .summary = "Create a config map from a local file, directory or literal value",
    .examples = "  kubectl create configmap app --from-literal=mode=test --from-file=app.conf",
    .flags = from_flags,
    .run = config_map_run};

static const KubeCommand generic = {
    .name = "generic",
    .usage = "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]",
    .summary = "Create a secret from a local file, directory, or literal value",
    .flags = generic_flags,
    .run = generic_run};
static const KubeCommand docker_registry = {
    .name = "docker-registry",
    .usage = "NAME --docker-username=user --docker-password=password",
    .summary = "Create a secret for use with a Docker registry",
    .flags = registry_flags,
    .run = docker_registry_run};
static const KubeCommand tls = {.name = "tls",
                                .usage = "NAME --cert=path/to/cert/file --key=path/to/key/file",
                                .summary = "Create a TLS secret",
                                .flags = tls_flags,
                                .run = tls_run};
static const KubeCommand *const secret_children[] = {&docker_registry, &generic, &tls, NULL};
const KubeCommand CREATE_SECRET = {.name = "secret",
                                   .usage = "(docker-registry | generic | tls)",
                                   .summary = "Create a secret using a specified subcommand",
                                   .children = secret_children};
