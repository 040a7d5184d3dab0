/* Volumes of pods, and the sources that they share with persistent volumes. */
#include "core/api/validation_private.h"

#include "core/object/label.h"
#include "core/object/quantity.h"

#define FILE_MODE_TEXT "must be a number between 0 and 0777 (octal), both inclusive"
#define TOKEN_SECONDS_MIN 600
#define TOKEN_SECONDS_MAX (INT64_C(1) << 32)

static void
check_mode(const Path *at, const Value *mode)
{
    if (mode != NULL && (value_int(mode) < 0 || value_int(mode) > 0777))
        bad_invalid(at, mode, FILE_MODE_TEXT);
}

/* A path below the volume: relative, without steps back. */
static void
check_local_path(const Path *at, const Value *path)
{
    const char *text = value_text(path);

    if (*text == '\0') {
        bad_required(at, "");
        return;
    }
    if (*text == '/')
        bad_invalid(at, path, "must be a relative path");
    if (has_backsteps(text))
        bad_invalid(at, path, "must not contain '..'");
    if (g_str_has_prefix(text, "..") && !g_str_has_prefix(text, "../") && strcmp(text, "..") != 0)
        bad_invalid(at, path, "must not start with '..'");
}

static void
check_items(const Path *at, const Value *items)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (item, items) {
        const Path *here = NTH(at, i++);

        check_required(AT(here, "key"), value_get(item, "key"));
        check_local_path(AT(here, "path"), value_get(item, "path"));
        check_mode(AT(here, "mode"), value_get(item, "mode"));
    }
}

static void
check_keyed_source(const Path *at, const Value *source, const char *name_field)
{
    check_required(AT(at, name_field), value_get(source, name_field));
    check_mode(AT(at, "defaultMode"), value_get(source, "defaultMode"));
    check_items(AT(at, "items"), value_get(source, "items"));
}

static void
check_downward_items(const Path *at, const Value *items)
{
    static const char *const fields[] = {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
                                         "metadata.uid", NULL};
    size_t i = 0;

    VALUE_ARRAY_FOREACH (item, items) {
        const Path *here = NTH(at, i++);
        const Value *field = value_get(item, "fieldRef"), *resource = value_get(item, "resourceFieldRef");
        const Value *path = value_get(field, "fieldPath");

        check_local_path(AT(here, "path"), value_get(item, "path"));
        if (field != NULL && resource != NULL)
            bad_invalid_text(here, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
        else if (field == NULL && resource == NULL)
            bad_required(here, "one of fieldRef and resourceFieldRef is required");
        if (field != NULL && strchr(value_text(path), '[') == NULL)
            check_enum(AT(AT(here, "fieldRef"), "fieldPath"), path, fields, REQUIRED);
        if (resource != NULL)
            check_required(AT(AT(here, "resourceFieldRef"), "containerName"), value_get(resource, "containerName"));
        if (resource != NULL)
            check_required(AT(AT(here, "resourceFieldRef"), "resource"), value_get(resource, "resource"));
        check_mode(AT(here, "mode"), value_get(item, "mode"));
    }
}

static void
check_token_source(const Path *at, const Value *token)
{
    const Value *seconds = value_get(token, "expirationSeconds");

    if (seconds != NULL && value_int(seconds) < TOKEN_SECONDS_MIN)
        bad_invalid(AT(at, "expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
    if (value_int(seconds) > TOKEN_SECONDS_MAX)
        bad_invalid(AT(at, "expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
    check_required(AT(at, "path"), value_get(token, "path"));
}

static void
check_projected(const Path *at, const Value *source)
{
    size_t i = 0;

    check_mode(AT(at, "defaultMode"), value_get(source, "defaultMode"));
    VALUE_ARRAY_FOREACH (projection, value_get(source, "sources")) {
        const Path *here = NTH(AT(at, "sources"), i++);
        size_t types = 0;

        VALUE_MAP_FOREACH (type, one, projection) {
            if (types++ > 0)
                bad_forbidden(AT(here, type), "may not specify more than 1 volume type");
            if (strcmp(type, "secret") == 0 || strcmp(type, "configMap") == 0)
                check_keyed_source(AT(here, type), one, "name");
            else if (strcmp(type, "downwardAPI") == 0)
                check_downward_items(AT(AT(here, type), "items"), value_get(one, "items"));
            else if (strcmp(type, "serviceAccountToken") == 0)
                check_token_source(AT(here, type), one);
        }
        if (types == 0)
            bad_required(here, "must specify a projection type");
    }
}

static void
check_host_path(const Path *at, const Value *source)
{
    static const char *const types[] = {"",     "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate",
                                        "File", "FileOrCreate", "Socket",     NULL};
    const Value *path = value_get(source, "path");

    if (is_empty(path))
        bad_required(AT(at, "path"), "");
    else if (has_backsteps(value_text(path)))
        bad_invalid(AT(at, "path"), path, "must not contain '..'");
    check_enum(AT(at, "type"), value_get(source, "type"), types, OPTIONAL);
}

static void
check_nfs(const Path *at, const Value *source)
{
    const Value *path = value_get(source, "path");

    check_required(AT(at, "server"), value_get(source, "server"));
    check_required(AT(at, "path"), path);
    if (!is_empty(path) && *value_text(path) != '/')
        bad_invalid(AT(at, "path"), path, "must be an absolute path");
}

static void
check_csi(const Path *at, const Value *source)
{
    const Value *driver = value_get(source, "driver");

    if (is_empty(driver))
        bad_required(AT(at, "driver"), "");
    else if (value_string_len(driver) > 63)
        bad_too_long(AT(at, "driver"), 63);
    else
        check_dns_subdomain(AT(at, "driver"), driver);
}

/* Of the older sources only what must be there is checked. */
static const struct {
    const char *type;
    const char *required[3];
} plain_sources[] = {
    {"awsElasticBlockStore", {"volumeID"}},
    {"azureDisk", {"diskName", "diskURI"}},
    {"azureFile", {"secretName", "shareName"}},
    {"cephfs", {"monitors"}},
    {"cinder", {"volumeID"}},
    {"fc", {NULL}},
    {"flexVolume", {"driver"}},
    {"flocker", {NULL}},
    {"gcePersistentDisk", {"pdName"}},
    {"gitRepo", {"repository"}},
    {"glusterfs", {"endpoints", "path"}},
    {"image", {NULL}},
    {"iscsi", {"targetPortal", "iqn"}},
    {"persistentVolumeClaim", {"claimName"}},
    {"photonPersistentDisk", {"pdID"}},
    {"portworxVolume", {"volumeID"}},
    {"quobyte", {"registry", "volume"}},
    {"rbd", {"monitors", "image"}},
    {"scaleIO", {"gateway", "system", "volumeName"}},
    {"storageos", {"volumeName"}},
    {"vsphereVolume", {"volumePath"}},
};

bool
check_volume_source(const Path *at, const char *type, const Value *source)
{
    if (strcmp(type, "hostPath") == 0)
        check_host_path(at, source);
    else if (strcmp(type, "nfs") == 0)
        check_nfs(at, source);
    else if (strcmp(type, "csi") == 0)
        check_csi(at, source);
    else {
        for (size_t i = 0; i < G_N_ELEMENTS(plain_sources); i++) {
            if (strcmp(plain_sources[i].type, type) != 0)
                continue;
            for (size_t k = 0; k < 3 && plain_sources[i].required[k] != NULL; k++) {
                const Value *value = value_get(source, plain_sources[i].required[k]);

                if (is_empty(value) || (value_is_array(value) && value_size(value) == 0))
                    bad_required(AT(at, plain_sources[i].required[k]), "");
            }
            return true;
        }
        return false;
    }
    return true;
}

static bool
check_pod_source(const Path *at, const char *type, const Value *source)
{
    if (strcmp(type, "emptyDir") == 0) {
        if (value_get(source, "sizeLimit") != NULL && quantity_sign(quantity_of(value_get(source, "sizeLimit"))) < 0)
            bad_forbidden(AT(at, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
    } else if (strcmp(type, "secret") == 0) {
        check_keyed_source(at, source, "secretName");
    } else if (strcmp(type, "configMap") == 0) {
        check_keyed_source(at, source, "name");
    } else if (strcmp(type, "downwardAPI") == 0) {
        check_mode(AT(at, "defaultMode"), value_get(source, "defaultMode"));
        check_downward_items(AT(at, "items"), value_get(source, "items"));
    } else if (strcmp(type, "projected") == 0) {
        check_projected(at, source);
    } else if (strcmp(type, "ephemeral") == 0) {
        if (value_get(source, "volumeClaimTemplate") == NULL)
            bad_required(AT(at, "volumeClaimTemplate"), "");
        else
            check_claim_spec(AT(AT(at, "volumeClaimTemplate"), "spec"), value_at(source, "volumeClaimTemplate.spec"));
    } else {
        return check_volume_source(at, type, source);
    }
    return true;
}

static void
check_volume(const Path *at, const Value *volume)
{
    size_t sources = 0;

    VALUE_MAP_FOREACH (type, source, volume) {
        if (strcmp(type, "name") == 0 || value_is_null(source))
            continue;
        if (sources++ > 0)
            bad_forbidden(AT(at, type), "may not specify more than 1 volume type");
        else
            check_pod_source(AT(at, type), type, source);
    }
    if (sources == 0)
        bad_required(at, "must specify a volume type");
}

void
check_volumes(const Path *at, const Value *volumes)
{
    for (size_t i = 0; i < value_size(volumes); i++) {
        const Value *volume = value_item(volumes, i), *name = value_get(volume, "name");
        const Path *here = NTH(at, i);

        if (is_empty(name))
            bad_required(AT(here, "name"), "");
        else
            check_dns_label(AT(here, "name"), name);
        for (size_t k = 0; k < i; k++)
            if (value_equal(value_get(value_item(volumes, k), "name"), name)) {
                bad_duplicate(AT(here, "name"), name);
                break;
            }
        check_volume(here, volume);
    }
}
