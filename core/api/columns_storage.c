/* Columns of volumes, claims and what serves them. */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/api/meta.h"

#define BETA_CLASS_ANNOTATION "volume.beta.kubernetes.io/storage-class"

/* "RWO,ROX": the modes by their short names, in Kubernetes' order. */
static char *
access_modes_text(const Value *modes)
{
    static const struct {
        const char *mode;
        const char *shown;
    } known[] = {{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        VALUE_ARRAY_FOREACH (mode, modes) {
            if (strcmp(value_text(mode), known[i].mode) != 0)
                continue;
            g_string_append(text, text->len > 0 ? "," : "");
            g_string_append(text, known[i].shown);
            break;
        }
    }
    return g_string_free(text, FALSE);
}

static void
row_phase(Row *row, const Value *object)
{
    if (object_is_deleting(object))
        row_text(row, "Terminating");
    else
        row_value(row, value_at(object, "status.phase"));
}

static void
row_class(Row *row, const Value *object)
{
    const char *beta = object_annotation(object, BETA_CLASS_ANNOTATION);

    if (beta != NULL)
        row_text(row, beta);
    else
        row_value(row, value_at(object, "spec.storageClassName"));
}

/* ---- PersistentVolume, PersistentVolumeClaim ---- */

static const Column persistent_volume_columns[] = {
    COLUMN_NAME,
    {"Capacity", "string", "Size of the volume", NULL, 0},
    {"Access Modes", "string", "Ways in which the volume can be mounted", NULL, 0},
    {"Reclaim Policy", "string", "What becomes of the volume when its claim is gone", NULL, 0},
    {"Status", "string", "Where the volume is in its life", NULL, 0},
    {"Claim", "string", "Claim to which the volume is bound", NULL, 0},
    {"StorageClass", "string", "Class of the volume", NULL, 0},
    {"VolumeAttributesClass", "string", "Class of the volume's changeable attributes", NULL, 0},
    {"Reason", "string", "Why the volume failed, in a word", NULL, 0},
    COLUMN_AGE,
    {"VolumeMode", "string", "Whether the volume is a file system or a block device", NULL, 1},
};

static void
persistent_volume_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *claim = value_get(spec, "claimRef");

    row_name(row, object);
    row_value_or(row, value_get(value_get(spec, "capacity"), "storage"), "0");
    row_take(row, access_modes_text(value_get(spec, "accessModes")));
    row_value(row, value_get(spec, "persistentVolumeReclaimPolicy"));
    row_phase(row, object);
    row_take(row, claim == NULL ? g_strdup("")
                                : g_strdup_printf("%s/%s", value_text(value_get(claim, "namespace")),
                                                  value_text(value_get(claim, "name"))));
    row_class(row, object);
    row_value_or(row, value_get(spec, "volumeAttributesClassName"), "<unset>");
    row_value(row, value_at(object, "status.reason"));
    row_age(row, object);
    row_value_or(row, value_get(spec, "volumeMode"), "<unset>");
}

static const Column persistent_volume_claim_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "Where the claim is in its life", NULL, 0},
    {"Volume", "string", "Volume to which the claim is bound", NULL, 0},
    {"Capacity", "string", "Size of the bound volume", NULL, 0},
    {"Access Modes", "string", "Ways in which the bound volume can be mounted", NULL, 0},
    {"StorageClass", "string", "Class that the claim asks for", NULL, 0},
    {"VolumeAttributesClass", "string", "Class of the volume's changeable attributes", NULL, 0},
    COLUMN_AGE,
    {"VolumeMode", "string", "Whether a file system or a block device is wanted", NULL, 1},
};

static void
persistent_volume_claim_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *status = value_get(object, "status");
    bool bound = *value_text(value_get(spec, "volumeName")) != '\0';

    row_name(row, object);
    row_phase(row, object);
    row_value(row, value_get(spec, "volumeName"));
    row_value_or(row, bound ? value_get(value_get(status, "capacity"), "storage") : NULL, bound ? "0" : "");
    row_take(row, access_modes_text(bound ? value_get(status, "accessModes") : NULL));
    row_class(row, object);
    row_value_or(row, value_get(spec, "volumeAttributesClassName"), "<unset>");
    row_age(row, object);
    row_value_or(row, value_get(spec, "volumeMode"), "<unset>");
}

/* ---- StorageClass ---- */

static const Column storage_class_columns[] = {
    COLUMN_NAME,
    {"Provisioner", "string", "Who makes the volumes", NULL, 0},
    {"ReclaimPolicy", "string", "What becomes of a volume when its claim is gone", NULL, 0},
    {"VolumeBindingMode", "string", "When a volume is bound: at once, or when a pod needs it", NULL, 0},
    {"AllowVolumeExpansion", "string", "Whether claims may grow", NULL, 0},
    COLUMN_AGE,
};

static bool
is_default_class(const Value *object)
{
    const char *stable = object_annotation(object, "storageclass.kubernetes.io/is-default-class");
    const char *beta = object_annotation(object, "storageclass.beta.kubernetes.io/is-default-class");

    return g_strcmp0(stable, "true") == 0 || g_strcmp0(beta, "true") == 0;
}

static void
storage_class_fill(Row *row, const Value *object)
{
    row_take(row, g_strconcat(object_name(object), is_default_class(object) ? " (default)" : "", NULL));
    row_value(row, value_get(object, "provisioner"));
    row_value_or(row, value_get(object, "reclaimPolicy"), "Delete");
    row_value_or(row, value_get(object, "volumeBindingMode"), "Immediate");
    row_bool(row, value_bool(value_get(object, "allowVolumeExpansion")));
    row_age(row, object);
}

/* ---- CSI, attachments ---- */

static const Column csi_driver_columns[] = {
    COLUMN_NAME,
    {"AttachRequired", "boolean", "Whether volumes are attached to nodes first", NULL, 0},
    {"PodInfoOnMount", "boolean", "Whether the driver is told of the pod", NULL, 0},
    {"StorageCapacity", "boolean", "Whether the scheduler looks at free capacity", NULL, 0},
    {"TokenRequests", "string", "Audiences of tokens that the driver wants", NULL, 0},
    {"RequiresRepublish", "boolean", "Whether volumes are published again from time to time", NULL, 0},
    {"Modes", "string", "Kinds of volumes that the driver serves", NULL, 0},
    COLUMN_AGE,
};

static char *
joined_text(const Value *items, const char *key)
{
    GString *text = g_string_new(NULL);
    bool first = true;

    VALUE_ARRAY_FOREACH (item, items) {
        g_string_append(text, first ? "" : ",");
        g_string_append(text, value_text(key != NULL ? value_get(item, key) : item));
        first = false;
    }
    return g_string_free(text, FALSE);
}

static void
csi_driver_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *attach = value_get(spec, "attachRequired");
    const Value *tokens = value_get(spec, "tokenRequests"), *modes = value_get(spec, "volumeLifecycleModes");

    row_name(row, object);
    row_bool(row, attach == NULL || value_bool(attach));
    row_bool(row, value_bool(value_get(spec, "podInfoOnMount")));
    row_bool(row, value_bool(value_get(spec, "storageCapacity")));
    row_take(row, tokens == NULL ? g_strdup("<unset>") : joined_text(tokens, "audience"));
    row_bool(row, value_bool(value_get(spec, "requiresRepublish")));
    row_take(row, value_size(modes) == 0 ? g_strdup("<none>") : joined_text(modes, NULL));
    row_age(row, object);
}

static const Column csi_node_columns[] = {
    COLUMN_NAME,
    {"Drivers", "integer", "Number of drivers on the node", NULL, 0},
    COLUMN_AGE,
};

static void
csi_node_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_int(row, (int64_t)value_size(value_at(object, "spec.drivers")));
    row_age(row, object);
}

static const Column volume_attachment_columns[] = {
    COLUMN_NAME,
    {"Attacher", "string", "Driver that attaches the volume", "name", 0},
    {"PV", "string", "Volume to attach", NULL, 0},
    {"Node", "string", "Node to attach it to", NULL, 0},
    {"Attached", "boolean", "Whether it is attached", NULL, 0},
    COLUMN_AGE,
};

static void
volume_attachment_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_value(row, value_get(spec, "attacher"));
    row_value(row, value_at(spec, "source.persistentVolumeName"));
    row_value(row, value_get(spec, "nodeName"));
    row_bool(row, value_bool_at(object, "status.attached"));
    row_age(row, object);
}

const ColumnTable column_tables_storage[] = {
    COLUMN_TABLE("", "PersistentVolume", persistent_volume_columns, persistent_volume_fill),
    COLUMN_TABLE("", "PersistentVolumeClaim", persistent_volume_claim_columns, persistent_volume_claim_fill),
    COLUMN_TABLE("storage.k8s.io", "StorageClass", storage_class_columns, storage_class_fill),
    COLUMN_TABLE("storage.k8s.io", "CSIDriver", csi_driver_columns, csi_driver_fill),
    COLUMN_TABLE("storage.k8s.io", "CSINode", csi_node_columns, csi_node_fill),
    COLUMN_TABLE("storage.k8s.io", "VolumeAttachment", volume_attachment_columns, volume_attachment_fill),
    {0},
};
