/* The simulated dynamic provisioner: it answers to sim.timonel.dev/local and to the names in the
 * configuration (rancher.io/local-path and the like), as an external provisioner does: it makes a
 * volume for a claim that was given to it, and deletes its volumes when they are released and their
 * policy is Delete. Volumes are directories of the selected node, or of any. */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/volume/volume.h"

#define OWN_PROVISIONER "sim.timonel.dev/local"
#define DIRECTORY "/var/lib/timonel/volumes"
#define VOLUME_PREFIX "volume "

typedef struct Provisioner {
    Controller base;
    Informer *claims, *volumes, *classes, *nodes;
} Provisioner;

static bool
is_ours(const Provisioner *provisioner, const char *name)
{
    if (name == NULL)
        return false;
    VALUE_ARRAY_FOREACH (item, value_get(provisioner->base.context->config, "provisioners"))
        if (strcmp(value_text(item), name) == 0)
            return true;
    return strcmp(name, OWN_PROVISIONER) == 0;
}

typedef struct Provisioning {
    Provisioner *provisioner;
    Value *claim;
    char *volume;
} Provisioning;

static void
provisioning_free(gpointer data)
{
    Provisioning *provisioning = data;
    value_unref(provisioning->claim);
    g_free(provisioning->volume);
    g_free(provisioning);
}

static char *
on_provisioned(const ApiResponse *response, void *data)
{
    const Provisioning *provisioning = data;
    EventRecorder *recorder = provisioning->provisioner->base.recorder;
    if (response_is(response, "AlreadyExists"))
        return NULL;
    if (api_response_ok(response)) {
        event_record(recorder, provisioning->claim, "Normal", "ProvisioningSucceeded",
                     "Successfully provisioned volume %s", provisioning->volume);
        return NULL;
    }
    event_record(recorder, provisioning->claim, "Warning", "ProvisioningFailed",
                 "failed to provision volume with StorageClass \"%s\": %s",
                 storage_class_name(provisioning->claim), response_error(response));
    return g_strdup(response_error(response));
}

static Value *
volume_new(const Provisioner *provisioner, const Value *claim, const Value *class_,
           const char *name)
{
    const char *node = object_annotation(claim, ANNOTATION_SELECTED_NODE);
    const char *hostname = node != NULL ? object_label(informer_get(provisioner->nodes, node),
                                                       "kubernetes.io/hostname")
                                        : NULL;
    const char *policy = value_text(value_get(class_, "reclaimPolicy")),
               *mode = value_text_at(claim, "spec.volumeMode");
    Value *affinity = NULL;
    if (node != NULL)
        affinity = value_new_f("{required: {nodeSelectorTerms: [{matchExpressions: [{key: "
                               "'kubernetes.io/hostname', operator: In, values: [%s]}]}]}}",
                               hostname != NULL ? hostname : node);
    Value *path = value_new_stringf("%s/%s_%s_%s", DIRECTORY, name, object_namespace(claim),
                                    object_name(claim));
    Value *reference = object_reference_new(claim, "v1", "PersistentVolumeClaim");
    Value *annotations = value_new_f("{%s: %s}", ANNOTATION_PROVISIONED_BY,
                                     value_text(value_get(class_, "provisioner")));
    return value_new_f(
        "{apiVersion: v1, kind: PersistentVolume, metadata: {name: %s, annotations: %V, "
        "finalizers: ['kubernetes.io/pv-protection']}, spec: {capacity: {storage: %v}, "
        "accessModes: ?%v, "
        "persistentVolumeReclaimPolicy: %s, storageClassName: %s, volumeMode: %s, mountOptions: "
        "?%v, "
        "hostPath: {path: %V, type: DirectoryOrCreate}, claimRef: %V, nodeAffinity: ?%V}}",
        name, annotations, value_at(claim, "spec.resources.requests.storage"),
        value_at(claim, "spec.accessModes"), *policy != '\0' ? policy : "Delete",
        object_name(class_), *mode != '\0' ? mode : "Filesystem", value_get(class_, "mountOptions"),
        path, reference, affinity);
}

static void
provision(Provisioner *provisioner, Sync *sync, const Value *claim)
{
    const Value *class_ = informer_get(provisioner->classes, storage_class_name(claim));
    bool waits =
        strcmp(value_text(value_get(class_, "volumeBindingMode")), "WaitForFirstConsumer") == 0 &&
        object_annotation(claim, ANNOTATION_SELECTED_NODE) == NULL;
    g_autofree char *name = g_strdup_printf("pvc-%s", object_uid(claim));
    if (class_ == NULL || waits || informer_get(provisioner->volumes, name) != NULL)
        return;
    event_record(provisioner->base.recorder, claim, "Normal", "Provisioning",
                 "External provisioner is provisioning volume for claim \"%s/%s\"",
                 object_namespace(claim), object_name(claim));
    controller_decide(&provisioner->base, "create", claim, "PersistentVolumeClaim",
                      "provision volume %s for claim %s", name, object_name(claim));
    Provisioning *provisioning = g_new(Provisioning, 1);
    *provisioning = (Provisioning){provisioner, value_ref(claim), g_strdup(name)};
    client_create(provisioner->base.client, "", "persistentvolumes", NULL,
                  volume_new(provisioner, claim, class_, name), sync_call,
                  sync_begin_checked(sync, on_provisioned, provisioning, provisioning_free));
}

static void
sync_key_(const char *key, Sync *sync, void *data)
{
    Provisioner *provisioner = data;
    if (g_str_has_prefix(key, VOLUME_PREFIX)) {
        const Value *volume = informer_get(provisioner->volumes, key + strlen(VOLUME_PREFIX));
        if (volume != NULL && !object_is_deleting(volume) &&
            is_ours(provisioner, object_annotation(volume, ANNOTATION_PROVISIONED_BY)) &&
            strcmp(value_text_at(volume, "status.phase"), "Released") == 0 &&
            strcmp(value_text_at(volume, "spec.persistentVolumeReclaimPolicy"), "Delete") == 0)
            client_delete(provisioner->base.client, "", "persistentvolumes", NULL,
                          object_name(volume), NULL, sync_call,
                          sync_begin_tolerating(sync, "NotFound"));
        return;
    }
    const Value *claim = informer_get(provisioner->claims, key);
    if (claim != NULL && !object_is_deleting(claim) &&
        *value_text_at(claim, "spec.volumeName") == '\0' &&
        is_ours(provisioner, object_annotation(claim, ANNOTATION_STORAGE_PROVISIONER)))
        provision(provisioner, sync, claim);
}

static void
volume_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
               void *data)
{
    Provisioner *provisioner = data;
    g_autofree char *prefixed = g_strconcat(VOLUME_PREFIX, key, NULL);
    if (new_ != NULL)
        controller_enqueue(&provisioner->base, prefixed, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = volume_changed};
    Provisioner *provisioner = g_new0(Provisioner, 1);
    controller_init(&provisioner->base, context, &volume_provisioner_class, OWN_PROVISIONER, 4,
                    sync_key_);
    provisioner->claims = context_informer(context, "", "persistentvolumeclaims");
    provisioner->volumes = context_informer(context, "", "persistentvolumes");
    provisioner->classes = context_informer(context, "storage.k8s.io", "storageclasses");
    provisioner->nodes = context_informer(context, "", "nodes");
    controller_watch(&provisioner->base, provisioner->claims);
    informer_add_handler(provisioner->volumes, &handler, provisioner);
    return &provisioner->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass volume_provisioner_class = {"timonel-volume-provisioner", start, NULL, stop};
