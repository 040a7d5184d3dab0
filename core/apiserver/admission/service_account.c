/* ServiceAccount: a pod runs as a service account (default: "default"), which must exist, and gets
 * a token, the cluster's root certificate and its namespace mounted (k8s.io/kubernetes
 * plugin/pkg/admission/serviceaccount). */
#include "core/api/pod.h"
#include "core/apiserver/admission/admission.h"

#define TOKEN_MOUNT_PATH "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_EXPIRATION_S                                                                         \
    3607 /* as upstream: an hour, and a mark that tells automatic mounts apart */

static bool
wants_token(const Value *pod, const Value *account)
{
    const Value *given = value_at(pod, "spec.automountServiceAccountToken");

    if (given == NULL)
        given = value_get(account, "automountServiceAccountToken");
    return given == NULL || value_bool(given);
}

static bool
has_mount(const Value *container, const char *path)
{
    VALUE_ARRAY_FOREACH (mount, value_get(container, "volumeMounts"))
        if (strcmp(value_text_at(mount, "mountPath"), path) == 0)
            return true;
    return false;
}

static Value *
token_volume(ApiServer *server, const char *name)
{
    if (server->token_projection == NULL)
        server->token_projection = value_new_f(
            "{defaultMode: 420, sources: [{serviceAccountToken: {expirationSeconds: %i, path: "
            "token}}, {configMap: {name: 'kube-root-ca.crt', items: [{key: 'ca.crt', path: "
            "'ca.crt'}]}}, {downwardAPI: {items: [{path: namespace, fieldRef: {apiVersion: v1, "
            "fieldPath: 'metadata.namespace'}}]}}]}",
            (int64_t)TOKEN_EXPIRATION_S);
    return value_new_f("{name: %s, projected: %v}", name, server->token_projection);
}

/* The containers of one list with the mount added where nothing stands at its path. */
static Value *
with_mounts(const Value *containers, const char *volume, bool *ret_used)
{
    ValueBuilder *builder = value_builder_new_array();

    VALUE_ARRAY_FOREACH (container, containers) {
        Value *mount;

        if (has_mount(container, TOKEN_MOUNT_PATH)) {
            value_builder_append(builder, value_ref(container));
            continue;
        }
        mount = value_new_f("{name: %s, readOnly: true, mountPath: %s}", volume, TOKEN_MOUNT_PATH);
        value_builder_append(builder,
                             value_set(container, "volumeMounts",
                                       value_append(value_get(container, "volumeMounts"), mount)));
        *ret_used = true;
    }
    return value_builder_end(builder);
}

static void
mount_token(ApiCall *call, Value **object)
{
    static const char *const lists[] = {"initContainers", "containers"};
    g_autofree char *suffix = random_suffix(call->server->ports.random, 5);
    g_autofree char *volume = g_strconcat("kube-api-access-", suffix, NULL);
    g_autoptr(Value) spec = value_ref(value_get(*object, "spec"));
    bool used = false;

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (value_get(spec, lists[i]) != NULL)
            value_replace(&spec, value_set(spec, lists[i],
                                           with_mounts(value_get(spec, lists[i]), volume, &used)));
    if (!used)
        return;
    value_replace(&spec, value_set(spec, "volumes",
                                   value_append(value_get(spec, "volumes"),
                                                token_volume(call->server, volume))));
    value_edit(object, "spec", g_steal_pointer(&spec));
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    g_autofree char *name = NULL, *text = NULL;
    const Value *account;

    if (!admission_is(call, "", "pods") || old != NULL || pod_is_mirror(*object))
        return NULL;
    name = g_strdup(value_text_at(*object, "spec.serviceAccountName"));
    if (*name == '\0') {
        g_free(name);
        name = g_strdup("default");
        value_edit(object, "spec.serviceAccountName", value_new_string(name));
    }
    if (value_at(*object, "spec.serviceAccount") == NULL)
        value_edit(object, "spec.serviceAccount", value_new_string(name));
    account = server_head(call->server, "", "serviceaccounts", object_namespace(*object), name);
    if (account == NULL) {
        text = g_strdup_printf(
            "error looking up service account %s/%s: serviceaccount \"%s\" not found",
            object_namespace(*object), name, name);
        return status_forbidden(call->kind, object_name(*object), text);
    }
    if (wants_token(*object, account))
        mount_token(call, object);
    if (value_size(value_at(*object, "spec.imagePullSecrets")) == 0 &&
        value_size(value_get(account, "imagePullSecrets")) > 0)
        value_edit(object, "spec.imagePullSecrets",
                   value_ref(value_get(account, "imagePullSecrets")));
    return NULL;
}

const AdmissionStep admission_service_account = {.name = "ServiceAccount", .mutate = mutate};
