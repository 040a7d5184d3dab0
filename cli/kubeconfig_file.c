#include "cli/kubeconfig_file.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/object/yaml.h"

#define FILES_MAX 64
#define FILE_SIZE_MAX (4u * 1024 * 1024)

/* Relative paths in a file are relative to it. */
static Value *
with_absolute_paths(Value *take, const char *file)
{
    static const struct {
        const char *list, *entry, *keys[3];
    } places[] = {{"clusters", "cluster", {"certificate-authority", NULL}},
                  {"users", "user", {"client-certificate", "client-key", "tokenFile"}}};
    g_autofree char *directory = g_path_get_dirname(file);
    for (size_t p = 0; p < G_N_ELEMENTS(places); p++) {
        size_t n = value_size(value_get(take, places[p].list));
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < G_N_ELEMENTS(places[p].keys) && places[p].keys[k] != NULL; k++) {
                g_autofree char *path = g_strdup_printf("%s[%zu].%s['%s']", places[p].list, i,
                                                        places[p].entry, places[p].keys[k]);
                const char *given = value_string_at(take, path);
                if (given == NULL || *given == '\0' || g_path_is_absolute(given))
                    continue;
                value_edit(&take, path,
                           value_new_string_take(g_build_filename(directory, given, NULL)));
            }
        }
    }
    return take;
}

/* NULL with error; a missing file is NOT_FOUND. */
static Value *
read_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) inner = NULL;
    gsize length;
    if (!g_file_get_contents(path, &text, &length, &inner)) {
        bool missing = g_error_matches(inner, G_FILE_ERROR, G_FILE_ERROR_NOENT);
        fail(error, missing ? TIMONEL_ERROR_NOT_FOUND : TIMONEL_ERROR_IO, "%s", inner->message);
        return NULL;
    }
    if (length > FILE_SIZE_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "%s is too large for a kubeconfig", path);
        return NULL;
    }
    Value *value = yaml_parse(text, length, &inner);
    if (value == NULL)
        fail(error, TIMONEL_ERROR_INVALID, "error loading config file \"%s\": %s", path,
             inner->message);
    return value != NULL ? with_absolute_paths(value, path) : NULL;
}

static bool
has_named(const Value *list, const char *name)
{
    VALUE_ARRAY_FOREACH (entry, list)
        if (strcmp(value_text(value_get(entry, "name")), name) == 0)
            return true;
    return false;
}

/* The first file to say something wins. */
static void
merge(Value **config, const Value *more)
{
    static const char *const lists[] = {"clusters", "contexts", "users"};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(Value) list = value_is_array(value_get(*config, lists[i]))
                                    ? value_ref(value_get(*config, lists[i]))
                                    : value_new_array();
        VALUE_ARRAY_FOREACH (entry, value_get(more, lists[i]))
            if (!has_named(list, value_text(value_get(entry, "name"))))
                value_replace(&list, value_append(list, value_ref(entry)));
        value_edit(config, lists[i], value_ref(list));
    }
    const char *current = value_text(value_get(more, "current-context"));
    if (*value_text(value_get(*config, "current-context")) == '\0' && *current != '\0')
        value_edit(config, "current-context", value_new_string(current));
}

Value *
kubeconfig_load(const char *file, char **ret_path, GError **error)
{
    const char *listed = g_getenv("KUBECONFIG");
    g_autofree char *usual = g_build_filename(g_get_home_dir(), ".kube", "config", NULL);
    g_auto(GStrv) paths = g_strsplit(file != NULL                        ? file
                                     : listed != NULL && *listed != '\0' ? listed
                                                                         : usual,
                                     file != NULL ? "\n" : ":", FILES_MAX);
    g_autoptr(Value) config =
        value_new_f("{apiVersion: v1, kind: Config, clusters: [], contexts: [], users: [], "
                    "preferences: {}, current-context: \"\"}");
    g_autofree char *target = NULL;
    for (char **path = paths; *path != NULL; path++) {
        g_autoptr(GError) inner = NULL;
        if (**path == '\0')
            continue;
        g_autoptr(Value) more = read_file(*path, &inner);
        bool missing = g_error_matches(inner, TIMONEL_ERROR, TIMONEL_ERROR_NOT_FOUND);
        if (more == NULL && (file != NULL || !missing)) {
            g_propagate_error(error, g_steal_pointer(&inner));
            return NULL;
        }
        if (more != NULL)
            merge(&config, more);
        if (target == NULL)
            target = g_strdup(*path);
    }
    *ret_path = g_steal_pointer(&target);
    return g_steal_pointer(&config);
}

static const Value *
find_named(const Value *list, const char *name)
{
    VALUE_ARRAY_FOREACH (entry, list)
        if (strcmp(value_text(value_get(entry, "name")), name) == 0)
            return entry;
    return NULL;
}

/* The PEM of the override's file, of KEY-data or of the file KEY. True with *ret NULL when none is
 * given. */
static bool
read_pem(const Value *entry, const char *key, const char *override, char **ret_pem, GError **error)
{
    g_autofree char *data_key = g_strconcat(key, "-data", NULL);
    const char *data = value_string(value_get(entry, data_key)),
               *path = value_string(value_get(entry, key));
    size_t length;
    if (override == NULL && data != NULL && *data != '\0') {
        *ret_pem = (char *)text_base64_decode(data, &length);
        return *ret_pem != NULL ||
               fail(error, TIMONEL_ERROR_INVALID, "kubeconfig: %s is no base64", data_key);
    }
    if (override != NULL)
        path = override;
    return path == NULL || *path == '\0' || g_file_get_contents(path, ret_pem, NULL, error);
}

static bool
read_token(const Value *user, const KubeconfigOverrides *overrides, char **ret_token,
           GError **error)
{
    const char *file = value_string(value_get(user, "tokenFile"));
    if (overrides->token == NULL && file != NULL && *file != '\0') {
        if (!g_file_get_contents(file, ret_token, NULL, error))
            return false;
        g_strstrip(*ret_token);
        return true;
    }
    const char *token =
        overrides->token != NULL ? overrides->token : value_string(value_get(user, "token"));
    *ret_token = token != NULL && *token != '\0' ? g_strdup(token) : NULL;
    return true;
}

KubeconfigTarget *
kubeconfig_target(const Value *config, const KubeconfigOverrides *overrides, GError **error)
{
    g_autoptr(KubeconfigTarget) target = g_new0(KubeconfigTarget, 1);
    const char *name = overrides->context != NULL
                           ? overrides->context
                           : value_text(value_get(config, "current-context"));
    const Value *context = find_named(value_get(config, "contexts"), name);
    if (*name != '\0' && context == NULL) {
        fail(error, TIMONEL_ERROR_NOT_FOUND, "context \"%s\" does not exist", name);
        return NULL;
    }
    const char *cluster_name =
        overrides->cluster != NULL ? overrides->cluster : value_text_at(context, "context.cluster");
    const char *user_name =
        overrides->user != NULL ? overrides->user : value_text_at(context, "context.user");
    const Value *cluster =
        value_get(find_named(value_get(config, "clusters"), cluster_name), "cluster");
    const Value *user = value_get(find_named(value_get(config, "users"), user_name), "user");
    if ((*cluster_name != '\0' && cluster == NULL) || (*user_name != '\0' && user == NULL)) {
        fail(error, TIMONEL_ERROR_NOT_FOUND,
             cluster == NULL ? "cluster \"%s\" does not exist" : "auth info \"%s\" does not exist",
             cluster == NULL ? cluster_name : user_name);
        return NULL;
    }
    if (value_has(user, "exec") || value_has(user, "auth-provider")) {
        fail(error, TIMONEL_ERROR_UNSUPPORTED,
             "user \"%s\" gets its credentials from a helper program; only certificates and "
             "tokens are supported here",
             user_name);
        return NULL;
    }
    target->server = g_strdup(
        overrides->server != NULL ? overrides->server : value_string(value_get(cluster, "server")));
    const char *own = value_string_at(context, "context.namespace");
    target->namespace_ = g_strdup(overrides->namespace_ != NULL ? overrides->namespace_ : own);
    target->insecure =
        overrides->insecure || value_bool(value_get(cluster, "insecure-skip-tls-verify"));
    if (!read_pem(cluster, "certificate-authority", overrides->ca_file, &target->ca_pem, error) ||
        !read_pem(user, "client-certificate", overrides->cert_file, &target->cert_pem, error) ||
        !read_pem(user, "client-key", overrides->key_file, &target->key_pem, error) ||
        !read_token(user, overrides, &target->token, error))
        return NULL;
    return g_steal_pointer(&target);
}

void
kubeconfig_target_free(KubeconfigTarget *target)
{
    if (target == NULL)
        return;
    g_free(target->server);
    g_free(target->namespace_);
    g_free(target->ca_pem);
    g_free(target->cert_pem);
    g_free(target->key_pem);
    g_free(target->token);
    g_free(target->path);
    g_free(target);
}
