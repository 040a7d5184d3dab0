/* PersistentVolumeClaims, PersistentVolumes, StorageClasses, ConfigMaps, Secrets, ServiceAccounts.
 */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"
#include "core/base/text.h"

static void
head(Describing *d, const Value *object, bool namespaced)
{
    describe_name(d, object, namespaced);
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
}

/* "RWO,ROX"; owned. */
static char *
access_modes(const Value *modes)
{
    static const char *const names[][2] = {{"ReadWriteOnce", "RWO"},
                                           {"ReadOnlyMany", "ROX"},
                                           {"ReadWriteMany", "RWX"},
                                           {"ReadWriteOncePod", "RWOP"}};
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        VALUE_ARRAY_FOREACH (mode, modes)
            if (strcmp(value_text(mode), names[i][0]) == 0)
                g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", names[i][1]);
    return g_strdup(text->str);
}

static void
status_line(Describing *d, const Value *object)
{
    g_autofree char *since = describe_since(d, value_at(object, "metadata.deletionTimestamp"));
    if (object_is_deleting(object))
        describe_line(d, 0, "Status:\tTerminating (lasts %s)", since);
    else
        describe_line(d, 0, "Status:\t%s", value_text_at(object, "status.phase"));
}

static void
finalizers(Describing *d, const Value *object)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (finalizer, value_at(object, "metadata.finalizers"))
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", value_text(finalizer));
    describe_line(d, 0, "Finalizers:\t[%s]", text->str);
}

static void
used_by(Describing *d, const Value *claim)
{
    g_autoptr(Value) pods = describe_list(d, "", "pods", object_namespace(claim), NULL, NULL);
    bool first = true;
    g_string_append(d->out, "Used By:\t");
    VALUE_ARRAY_FOREACH (pod, value_get(pods, "items"))
        VALUE_ARRAY_FOREACH (volume, value_at(pod, "spec.volumes")) {
            if (strcmp(value_text_at(volume, "persistentVolumeClaim.claimName"),
                       object_name(claim)) != 0)
                continue;
            g_string_append_printf(d->out, "%s%s\n", first ? "" : "\t", object_name(pod));
            first = false;
        }
    if (first)
        g_string_append(d->out, "<none>\n");
}

static void
claim(Describing *d, const Value *object)
{
    g_autofree char *capacity = describe_text(value_at(object, "status.capacity.storage"));
    g_autofree char *modes = access_modes(value_at(object, "status.accessModes"));
    describe_name(d, object, true);
    describe_line(d, 0, "StorageClass:\t%s", value_text_at(object, "spec.storageClassName"));
    status_line(d, object);
    describe_line(d, 0, "Volume:\t%s", value_text_at(object, "spec.volumeName"));
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
    finalizers(d, object);
    describe_line(d, 0, "Capacity:\t%s", capacity);
    describe_line(d, 0, "Access Modes:\t%s", modes);
    describe_line(d, 0, "VolumeMode:\t%s", value_text_at(object, "spec.volumeMode"));
    used_by(d, object);
    describe_conditions(d, value_at(object, "status.conditions"), true);
}

static void
volume(Describing *d, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *ref = value_get(spec, "claimRef");
    g_autofree char *capacity = describe_text(value_at(spec, "capacity.storage"));
    g_autofree char *modes = access_modes(value_get(spec, "accessModes"));
    head(d, object, false);
    finalizers(d, object);
    describe_line(d, 0, "StorageClass:\t%s", value_text(value_get(spec, "storageClassName")));
    status_line(d, object);
    describe_line(d, 0, "Claim:\t%s%s%s", value_text(value_get(ref, "namespace")),
                  ref != NULL ? "/" : "", value_text(value_get(ref, "name")));
    describe_line(d, 0, "Reclaim Policy:\t%s",
                  value_text(value_get(spec, "persistentVolumeReclaimPolicy")));
    describe_line(d, 0, "Access Modes:\t%s", modes);
    describe_line(d, 0, "VolumeMode:\t%s", value_text(value_get(spec, "volumeMode")));
    describe_line(d, 0, "Capacity:\t%s", capacity);
    describe_line(d, 0,
                  value_has(spec, "nodeAffinity") ? "Node Affinity:" : "Node Affinity:\t<none>");
    size_t n = 0;
    VALUE_ARRAY_FOREACH (term, value_at(spec, "nodeAffinity.required.nodeSelectorTerms")) {
        if (n == 0)
            describe_line(d, 1, "Required Terms:");
        g_autoptr(GString) text = g_string_new(NULL);
        VALUE_ARRAY_FOREACH (match, value_get(term, "matchExpressions")) {
            g_autoptr(GString) values = g_string_new(NULL);
            g_autofree char *operator_ =
                g_ascii_strdown(value_text(value_get(match, "operator")), -1);
            VALUE_ARRAY_FOREACH (value, value_get(match, "values"))
                g_string_append_printf(values, "%s%s", values->len > 0 ? ", " : "",
                                       value_text(value));
            g_string_append_printf(text, "%s%s %s [%s]", text->len > 0 ? ", " : "",
                                   value_text(value_get(match, "key")), operator_, values->str);
        }
        describe_line(d, 2, "Term %zu:\t%s", n++, text->str);
    }
    describe_line(d, 0, "Message:\t%s", value_text_at(object, "status.message"));
    describe_line(d, 0, "Source:");
    describe_volume_source(d, spec);
}

static void
storage_class(Describing *d, const Value *object)
{
    const char *chosen = object_annotation(object, "storageclass.kubernetes.io/is-default-class");
    g_autofree char *annotations = describe_pairs(object_annotations(object));
    g_autofree char *parameters = describe_pairs(value_get(object, "parameters"));
    const Value *expansion = value_get(object, "allowVolumeExpansion");
    describe_name(d, object, false);
    describe_line(d, 0, "IsDefaultClass:\t%s",
                  chosen != NULL && strcmp(chosen, "true") == 0 ? "Yes" : "No");
    describe_line(d, 0, "Annotations:\t%s", annotations);
    describe_line(d, 0, "Provisioner:\t%s", value_text(value_get(object, "provisioner")));
    describe_line(d, 0, "Parameters:\t%s", parameters);
    describe_line(d, 0, "AllowVolumeExpansion:\t%s",
                  expansion == NULL       ? "<unset>"
                  : value_bool(expansion) ? "True"
                                          : "False");
    describe_line(d, 0,
                  value_size(value_get(object, "mountOptions")) == 0 ? "MountOptions:\t<none>"
                                                                     : "MountOptions:");
    VALUE_ARRAY_FOREACH (option, value_get(object, "mountOptions"))
        describe_line(d, 1, "%s", value_text(option));
    describe_line(d, 0, "ReclaimPolicy:\t%s", value_text(value_get(object, "reclaimPolicy")));
    describe_line(d, 0, "VolumeBindingMode:\t%s",
                  value_text(value_get(object, "volumeBindingMode")));
}

const Describer DESCRIBE_STORAGE[] = {
    {"", "persistentvolumeclaims", claim, false},
    {"", "persistentvolumes", volume, false},
    {"storage.k8s.io", "storageclasses", storage_class, false},
    {NULL, NULL, NULL, false},
};

/* ---- configuration ---- */

static void
config_map(Describing *d, const Value *object)
{
    head(d, object, true);
    g_string_append(d->out, "\nData\n====\n");
    VALUE_MAP_FOREACH (key, text, value_get(object, "data"))
        g_string_append_printf(d->out, "%s:\n----\n%s\n\n", key, value_text(text));
    g_string_append(d->out, "\nBinaryData\n====\n");
    VALUE_MAP_FOREACH (key, bytes, value_get(object, "binaryData")) {
        size_t length = 0;
        g_free(text_base64_decode(value_text(bytes), &length));
        g_string_append_printf(d->out, "%s: %zu bytes\n", key, length);
    }
    g_string_append_c(d->out, '\n');
}

static void
secret(Describing *d, const Value *object)
{
    head(d, object, true);
    g_string_append_printf(d->out, "\nType:\t%s\n\nData\n====\n",
                           value_text(value_get(object, "type")));
    VALUE_MAP_FOREACH (key, bytes, value_get(object, "data")) {
        size_t length = 0;
        g_free(text_base64_decode(value_text(bytes), &length));
        describe_line(d, 0, "%s:\t%zu bytes", key, length);
    }
}

static void
secrets_of(Describing *d, const char *title, const Value *list)
{
    const char *prefix = title;
    if (value_size(list) == 0)
        describe_line(d, 0, "%s\t<none>", title);
    VALUE_ARRAY_FOREACH (item, list) {
        describe_line(d, 0, "%s\t%s", prefix, value_text(value_get(item, "name")));
        prefix = "                   ";
    }
}

static void
service_account(Describing *d, const Value *object)
{
    head(d, object, true);
    secrets_of(d, "Image pull secrets:", value_get(object, "imagePullSecrets"));
    secrets_of(d, "Mountable secrets: ", value_get(object, "secrets"));
    secrets_of(d, "Tokens:            ", NULL);
}

const Describer DESCRIBE_CONFIG[] = {
    {"", "configmaps", config_map, false},
    {"", "secrets", secret, true},
    {"", "serviceaccounts", service_account, false},
    {NULL, NULL, NULL, false},
};
