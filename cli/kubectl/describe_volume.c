/* The volumes of pods and templates. */
#include <string.h>

#include "cli/kubectl/describe.h"

/* What is said of a kind of volume: its type and fields. */
typedef struct VolumeField {
    const char *title, *path;
    const char *otherwise; /* when absent */
} VolumeField;

typedef struct VolumeType {
    const char *source, *type;
    VolumeField fields[6];
} VolumeType;

static const VolumeType types[] = {
    {"hostPath",
     "HostPath (bare host directory volume)",
     {{"Path", "path", ""}, {"HostPathType", "type", ""}}},
    {"emptyDir",
     "EmptyDir (a temporary directory that shares a pod's lifetime)",
     {{"Medium", "medium", ""}, {"SizeLimit", "sizeLimit", "<unset>"}}},
    {"secret",
     "Secret (a volume populated by a Secret)",
     {{"SecretName", "secretName", ""}, {"Optional", "optional", "false"}}},
    {"configMap",
     "ConfigMap (a volume populated by a ConfigMap)",
     {{"Name", "name", ""}, {"Optional", "optional", "false"}}},
    {"persistentVolumeClaim",
     "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
     {{"ClaimName", "claimName", ""}, {"ReadOnly", "readOnly", "false"}}},
    {"nfs",
     "NFS (an NFS mount that lasts the lifetime of a pod)",
     {{"Server", "server", ""}, {"Path", "path", ""}, {"ReadOnly", "readOnly", "false"}}},
    {"ephemeral",
     "EphemeralVolume (an inline specification for a volume that gets created and deleted with the "
     "pod)",
     {{"StorageClass", "volumeClaimTemplate.spec.storageClassName", ""}}},
    {"image",
     "Image (a container image or OCI artifact)",
     {{"Reference", "reference", ""}, {"PullPolicy", "pullPolicy", ""}}},
    {"csi",
     "CSI (a Container Storage Interface (CSI) volume source)",
     {{"Driver", "driver", ""}, {"FSType", "fsType", ""}, {"ReadOnly", "readOnly", "false"}}},
    {"local",
     "LocalVolume (a persistent volume backed by local storage on a node)",
     {{"Path", "path", ""}}},
};

static void
projected(Describing *d, const Value *sources)
{
    describe_line(d, 2,
                  "Type:\tProjected (a volume that contains injected data from multiple sources)");
    VALUE_ARRAY_FOREACH (source, sources) {
        const Value *secret = value_get(source, "secret"), *map = value_get(source, "configMap");
        const Value *token = value_get(source, "serviceAccountToken");
        if (secret != NULL) {
            describe_line(d, 2, "SecretName:\t%s", value_text(value_get(secret, "name")));
            describe_line(d, 2, "Optional:\t%s",
                          value_bool(value_get(secret, "optional")) ? "true" : "false");
        } else if (value_has(source, "downwardAPI")) {
            describe_line(d, 2, "DownwardAPI:\ttrue");
        } else if (map != NULL) {
            describe_line(d, 2, "ConfigMapName:\t%s", value_text(value_get(map, "name")));
            describe_line(d, 2, "Optional:\t%s",
                          value_bool(value_get(map, "optional")) ? "true" : "false");
        } else if (token != NULL) {
            describe_line(d, 2, "TokenExpirationSeconds:\t%" G_GINT64_FORMAT,
                          value_int(value_get(token, "expirationSeconds")));
        }
    }
}

static void
downward(Describing *d, const Value *items)
{
    describe_line(d, 2, "Type:\tDownwardAPI (a volume populated by information about the pod)");
    describe_line(d, 2, "Items:");
    VALUE_ARRAY_FOREACH (item, items) {
        const char *field = value_text_at(item, "fieldRef.fieldPath");
        describe_line(d, 3, "%s -> %s",
                      *field != '\0' ? field : value_text_at(item, "resourceFieldRef.resource"),
                      value_text(value_get(item, "path")));
    }
}

void
describe_volume_source(Describing *d, const Value *source)
{
    if (value_has(source, "projected")) {
        projected(d, value_at(source, "projected.sources"));
        return;
    }
    if (value_has(source, "downwardAPI")) {
        downward(d, value_at(source, "downwardAPI.items"));
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        const Value *found = value_get(source, types[i].source);
        if (found == NULL)
            continue;
        describe_line(d, 2, "Type:\t%s", types[i].type);
        for (const VolumeField *field = types[i].fields; field->title != NULL; field++) {
            g_autofree char *text = describe_text(value_at(found, field->path));
            describe_line(d, 2, "%s:\t%s", field->title, *text != '\0' ? text : field->otherwise);
        }
        return;
    }
    describe_line(d, 1, "<unknown>");
}

void
describe_volumes(Describing *d, const Value *volumes, const char *space)
{
    if (value_size(volumes) == 0) {
        describe_line(d, 0, "%sVolumes:\t<none>", space);
        return;
    }
    describe_line(d, 0, "%sVolumes:", space);
    VALUE_ARRAY_FOREACH (item, volumes) {
        describe_line(d, 1, "%s%s:", *space != '\0' ? " " : "",
                      value_text(value_get(item, "name")));
        describe_volume_source(d, item);
    }
}
