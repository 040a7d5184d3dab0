/* Persistent volumes, claims, storage classes, CSI. */
#include "core/api/validation_private.h"

#include "core/object/label.h"
#include "core/object/quantity.h"

static const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL};

static void
check_access_modes(const Path *at, const Value *modes, const char *missing)
{
    bool once_pod = false;

    if (value_size(modes) == 0)
        bad_required(at, missing);
    VALUE_ARRAY_FOREACH (mode, modes) {
        check_enum(at, mode, access_modes, REQUIRED);
        once_pod |= text_is(mode, "ReadWriteOncePod");
    }
    if (once_pod && value_size(modes) > 1)
        bad_forbidden(at, "may not use ReadWriteOncePod with other access modes");
}

/* ---- PersistentVolume ---- */

static bool
is_source(const char *field)
{
    static const char *const others[] = {"capacity",     "accessModes",  "claimRef",     "persistentVolumeReclaimPolicy",
                                         "storageClassName", "mountOptions", "volumeMode", "nodeAffinity",
                                         "volumeAttributesClassName", NULL};

    return !text_in(field, others);
}

static void
check_persistent_sources(const Path *at, const Value *spec)
{
    size_t sources = 0;

    VALUE_MAP_FOREACH (field, source, spec) {
        if (!is_source(field) || value_is_null(source))
            continue;
        if (sources++ > 0)
            bad_forbidden(AT(at, field), "may not specify more than 1 volume type");
        else if (strcmp(field, "local") == 0)
            check_required(AT(AT(at, field), "path"), value_get(source, "path"));
        else
            check_volume_source(AT(at, field), field, source);
    }
    if (value_get(spec, "csi") != NULL)
        check_required(AT(AT(at, "csi"), "volumeHandle"), value_at(spec, "csi.volumeHandle"));
    if (value_get(spec, "local") != NULL && value_get(spec, "nodeAffinity") == NULL)
        bad_required(AT(at, "nodeAffinity"), "Local volume requires node affinity");
    if (sources == 0)
        bad_required(at, "must specify a volume type");
}

static void
persistent_volume_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *capacity = value_get(spec, "capacity");
    const Value *affinity = value_get(spec, "nodeAffinity"), *storage = value_get(capacity, "storage");
    const Path *at = AT(root, "spec");

    check_access_modes(AT(at, "accessModes"), value_get(spec, "accessModes"), "");
    if (value_size(capacity) == 0)
        bad_required(AT(at, "capacity"), "");
    else if (storage == NULL || value_size(capacity) > 1)
        bad_unsupported(AT(at, "capacity"), capacity, TEXTS("storage"));
    if (storage != NULL && quantity_sign(quantity_of(storage)) <= 0)
        bad_invalid(KEYED(AT(at, "capacity"), "storage"), storage, "must be greater than zero");
    check_enum(AT(at, "persistentVolumeReclaimPolicy"), value_get(spec, "persistentVolumeReclaimPolicy"),
               TEXTS("Delete", "Recycle", "Retain"), OPTIONAL);
    if (affinity != NULL) {
        if (value_get(affinity, "required") == NULL)
            bad_required(AT(AT(at, "nodeAffinity"), "required"), "must specify required node constraints");
        else
            check_node_selector(AT(AT(at, "nodeAffinity"), "required"), value_get(affinity, "required"));
    }
    check_persistent_sources(at, spec);
    if (text_is(value_at(spec, "hostPath.path"), "/") && text_is(value_get(spec, "persistentVolumeReclaimPolicy"), "Recycle"))
        bad_forbidden(AT(at, "persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
    if (!is_empty(value_get(spec, "storageClassName")))
        check_dns_subdomain(AT(at, "storageClassName"), value_get(spec, "storageClassName"));
    check_enum(AT(at, "volumeMode"), value_get(spec, "volumeMode"), TEXTS("Block", "Filesystem"), OPTIONAL);
}

static void
persistent_volume_check_update(const Path *root, const Value *object, const Value *old)
{
    const Value *spec = value_get(object, "spec"), *before = value_get(old, "spec");
    const Path *at = AT(root, "spec");
    bool same = true;

    VALUE_MAP_FOREACH (field, source, before)
        same = same && (!is_source(field) || value_equal(source, value_get(spec, field)));
    VALUE_MAP_FOREACH (field, source, spec)
        same = same && (!is_source(field) || value_has(before, field));
    if (!same)
        bad_forbidden(AT(at, "persistentvolumesource"), "spec.persistentvolumesource is immutable after creation\n");
    check_kept(AT(at, "volumeMode"), value_get(spec, "volumeMode"), value_get(before, "volumeMode"));
    if (value_get(before, "nodeAffinity") != NULL)
        check_kept(AT(at, "nodeAffinity"), value_get(spec, "nodeAffinity"), value_get(before, "nodeAffinity"));
}

/* ---- PersistentVolumeClaim ---- */

static void
check_data_source(const Path *at, const Value *source)
{
    const char *group = value_text(value_get(source, "apiGroup"));

    if (source == NULL)
        return;
    check_required(AT(at, "name"), value_get(source, "name"));
    check_required(AT(at, "kind"), value_get(source, "kind"));
    if (*group == '\0' && !is_empty(value_get(source, "kind")) && !text_is(value_get(source, "kind"), "PersistentVolumeClaim"))
        bad_invalid(at, value_get(source, "kind"), "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
}

void
check_claim_spec(const Path *at, const Value *spec)
{
    const Value *storage = value_at(spec, "resources.requests.storage");
    const Path *requests = KEYED(AT(at, "resources"), "storage");

    check_access_modes(AT(at, "accessModes"), value_get(spec, "accessModes"), "at least 1 access mode is required");
    check_label_selector(AT(at, "selector"), value_get(spec, "selector"));
    if (storage == NULL)
        bad_required(requests, "");
    else if (quantity_sign(quantity_of(storage)) <= 0)
        bad_invalid(requests, storage, "must be greater than zero");
    if (!is_empty(value_get(spec, "storageClassName")))
        check_dns_subdomain(AT(at, "storageClassName"), value_get(spec, "storageClassName"));
    check_enum(AT(at, "volumeMode"), value_get(spec, "volumeMode"), TEXTS("Block", "Filesystem"), OPTIONAL);
    check_data_source(AT(at, "dataSource"), value_get(spec, "dataSource"));
}

static void
claim_check(const Path *root, const Value *object)
{
    check_claim_spec(AT(root, "spec"), value_get(object, "spec"));
}

static void
claim_check_update(const Path *root, const Value *object, const Value *old)
{
    const Value *spec = value_get(object, "spec"), *before = value_get(old, "spec");
    const Value *size = value_at(spec, "resources.requests.storage"), *capacity = value_at(old, "status.capacity.storage");
    const Value *old_size = value_at(before, "resources.requests.storage");
    const Path *at = AT(root, "spec");
    bool bound = text_is(value_at(old, "status.phase"), "Bound");
    g_autoptr(Value) munged = NULL;

    if (spec == before || !value_is_map(spec) || !value_is_map(before))
        return;
    munged = value_ref(spec);
    if (is_empty(value_get(before, "volumeName")) && !is_empty(value_get(spec, "volumeName")))
        value_replace(&munged, value_remove(munged, "volumeName"));
    if (is_empty(value_get(before, "volumeName")) && value_has(before, "volumeName"))
        value_replace(&munged, value_set(munged, "volumeName", value_ref(value_get(before, "volumeName"))));
    if (bound && size != NULL && old_size != NULL)
        value_edit(&munged, "resources.requests.storage", value_ref(old_size));
    if (bound)
        value_replace(&munged, value_get(before, "volumeAttributesClassName") != NULL
                                   ? value_set(munged, "volumeAttributesClassName",
                                               value_ref(value_get(before, "volumeAttributesClassName")))
                                   : value_remove(munged, "volumeAttributesClassName"));
    if (value_get(before, "storageClassName") == NULL && value_get(munged, "storageClassName") != NULL && !bound)
        value_replace(&munged, value_remove(munged, "storageClassName"));
    if (!value_equal(munged, before))
        bad_forbidden(at, "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound "
                          "claims\n");
    if (bound && size != NULL && old_size != NULL && quantity_compare(quantity_of(size), quantity_of(old_size)) < 0 &&
        (capacity == NULL || quantity_compare(quantity_of(size), quantity_of(capacity)) < 0))
        bad_forbidden(AT(AT(AT(at, "resources"), "requests"), "storage"), "field can not be less than status.capacity");
}

/* ---- StorageClass, CSI, attachments ---- */

static void
storage_class_check(const Path *root, const Value *object)
{
    const Value *provisioner = value_get(object, "provisioner");
    g_autofree char *lower = g_ascii_strdown(value_text(provisioner), -1);
    g_autofree char *problem = is_empty(provisioner) ? NULL : label_key_problem(lower);

    check_required(AT(root, "provisioner"), provisioner);
    if (problem != NULL)
        bad_invalid(AT(root, "provisioner"), provisioner, problem);
    check_enum(AT(root, "reclaimPolicy"), value_get(object, "reclaimPolicy"), TEXTS("Delete", "Retain"), OPTIONAL);
    check_enum(AT(root, "volumeBindingMode"), value_get(object, "volumeBindingMode"), TEXTS("Immediate", "WaitForFirstConsumer"),
               REQUIRED);
}

static void
storage_class_check_update(const Path *root, const Value *object, const Value *old)
{
    static const char *const kept[] = {"parameters", "provisioner", "reclaimPolicy"};

    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
        if (!value_equal(value_get(object, kept[i]), value_get(old, kept[i])) &&
            !(is_empty(value_get(object, kept[i])) && is_empty(value_get(old, kept[i]))))
            bad_forbidden_f(AT(root, kept[i]), "updates to %s are forbidden.", kept[i]);
    check_kept(AT(root, "volumeBindingMode"), value_get(object, "volumeBindingMode"), value_get(old, "volumeBindingMode"));
}

static void
volume_attachment_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *source = value_get(spec, "source");
    const Value *name = value_get(source, "persistentVolumeName"), *inlined = value_get(source, "inlineVolumeSpec");
    const Path *at = AT(root, "spec");

    check_required(AT(at, "attacher"), value_get(spec, "attacher"));
    if (name == NULL && inlined == NULL)
        bad_required(AT(at, "source"), "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
    else if (name != NULL && inlined != NULL)
        bad_forbidden(AT(at, "source"), "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
    else if (name != NULL && is_empty(name))
        bad_required(AT(AT(at, "source"), "persistentVolumeName"), "must specify non empty persistentVolumeName");
    check_dns_subdomain(AT(at, "nodeName"), value_get(spec, "nodeName"));
}

static void
volume_attachment_check_update(const Path *root, const Value *object, const Value *old)
{
    check_kept(AT(root, "spec"), value_get(object, "spec"), value_get(old, "spec"));
}

static void
csi_node_check(const Path *root, const Value *object)
{
    const Value *drivers = value_at(object, "spec.drivers");
    const Path *at = AT(AT(root, "spec"), "drivers");

    for (size_t i = 0; i < value_size(drivers); i++) {
        const Value *driver = value_item(drivers, i), *name = value_get(driver, "name");
        const Path *here = NTH(at, i);

        check_required(AT(here, "name"), name);
        check_required(AT(here, "nodeID"), value_get(driver, "nodeID"));
        for (size_t k = 0; k < i; k++)
            if (value_equal(value_get(value_item(drivers, k), "name"), name)) {
                bad_duplicate(AT(here, "name"), name);
                break;
            }
    }
}

const KindRules kind_rules_storage[] = {
    {"", "PersistentVolume", NAME_SUBDOMAIN, persistent_volume_check, persistent_volume_check_update, NULL, false},
    {"", "PersistentVolumeClaim", NAME_SUBDOMAIN, claim_check, claim_check_update, NULL, true},
    {"storage.k8s.io", "StorageClass", NAME_SUBDOMAIN, storage_class_check, storage_class_check_update, NULL, false},
    {"storage.k8s.io", "VolumeAttachment", NAME_SUBDOMAIN, volume_attachment_check, volume_attachment_check_update, NULL, false},
    {"storage.k8s.io", "CSINode", NAME_SUBDOMAIN, csi_node_check, NULL, NULL, false},
    {0},
};
