/* A claim that a pod uses, and a volume that is bound, are not deleted before they are free:
 * finalizers. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/volume/volume.h"

#define CLAIM_FINALIZER "kubernetes.io/pvc-protection"
#define VOLUME_FINALIZER "kubernetes.io/pv-protection"
#define INDEX_CLAIM "claim" /* of pods: "namespace/claim" */

typedef struct ProtectionController {
    Controller base;
    Informer *objects, *pods; /* pods NULL for volumes */
    const char *resource, *finalizer;
} ProtectionController;

static void
index_claims(const Value *pod, GPtrArray *ret_strings)
{
    VALUE_ARRAY_FOREACH (volume, value_at(pod, "spec.volumes")) {
        const char *claim = value_string_at(volume, "persistentVolumeClaim.claimName");
        if (claim != NULL && ret_strings->len < 32)
            g_ptr_array_add(ret_strings, g_strdup_printf("%s/%s", object_namespace(pod), claim));
        else if (value_has(volume, "ephemeral") && ret_strings->len < 32)
            g_ptr_array_add(ret_strings,
                            g_strdup_printf("%s/%s-%s", object_namespace(pod), object_name(pod),
                                            value_text(value_get(volume, "name"))));
    }
}

static bool
is_in_use(const ProtectionController *controller, const char *key, const Value *object)
{
    if (controller->pods == NULL)
        return strcmp(value_text_at(object, "status.phase"), "Bound") == 0;
    const GPtrArray *pods = informer_indexed(controller->pods, INDEX_CLAIM, key);
    for (guint i = 0; i < pods->len; i++) /* a pod that was never placed uses nothing */
        if (!pod_is_terminal(objects_item(pods, i)) &&
            *pod_node_name(objects_item(pods, i)) != '\0')
            return true;
    return false;
}

static void
sync_object(const char *key, Sync *sync, void *data)
{
    ProtectionController *controller = data;
    const Value *object = informer_get(controller->objects, key);
    if (object == NULL)
        return;
    bool has = object_has_finalizer(object, controller->finalizer),
         deleting = object_is_deleting(object);
    if (has != deleting || (deleting && is_in_use(controller, key, object)))
        return;
    g_autoptr(ValueBuilder) finalizers = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, value_at(object, "metadata.finalizers"))
        if (strcmp(value_text(item), controller->finalizer) != 0)
            value_builder_append(finalizers, value_ref(item));
    if (!has)
        value_builder_append(finalizers, value_new_string(controller->finalizer));
    client_update(controller->base.client, "", controller->resource, NULL,
                  value_set_at(object, "metadata.finalizers",
                               value_builder_end(g_steal_pointer(&finalizers))),
                  sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    ProtectionController *controller = data;
    if (new_ != NULL && !pod_is_terminal(new_))
        return;
    g_autoptr(GPtrArray) claims = g_ptr_array_new_with_free_func(g_free);
    index_claims(new_ != NULL ? new_ : old, claims);
    for (guint i = 0; i < claims->len; i++)
        controller_enqueue(&controller->base, g_ptr_array_index(claims, i), cause);
}

static ProtectionController *
start(ControllerContext *context, const ControllerClass *class_, const char *resource,
      const char *finalizer)
{
    ProtectionController *controller = g_new0(ProtectionController, 1);
    controller_init(&controller->base, context, class_, class_->name, 1, sync_object);
    controller->objects = context_informer(context, "", resource);
    controller->resource = resource;
    controller->finalizer = finalizer;
    controller_watch(&controller->base, controller->objects);
    return controller;
}

static Controller *
start_claims(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = pod_changed};
    ProtectionController *controller =
        start(context, &claim_protection_class, "persistentvolumeclaims", CLAIM_FINALIZER);
    controller->pods = context_indexed_informer(context, "", "pods", INDEX_CLAIM, index_claims);
    informer_add_handler(controller->pods, &handler, controller);
    return &controller->base;
}

static Controller *
start_volumes(ControllerContext *context)
{
    return &start(context, &volume_protection_class, "persistentvolumes", VOLUME_FINALIZER)->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass claim_protection_class = {"persistentvolumeclaim-protection-controller",
                                                start_claims, NULL, stop};
const ControllerClass volume_protection_class = {"persistentvolume-protection-controller",
                                                 start_volumes, NULL, stop};
