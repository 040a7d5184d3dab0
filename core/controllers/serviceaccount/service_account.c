/* Keys are names of namespaces. One implementation: "an object of this name exists in each active
 * namespace, with this content". */
#include "core/controllers/serviceaccount/service_account.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"

#define ROOT_CA_DESCRIPTION                                                                        \
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "      \
    "endpoints such as the internal service "                                                      \
    "IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "          \
    "Kubernetes clusters."

typedef struct EnsureController {
    Controller base;
    Informer *namespaces, *objects;
    const char *resource, *name;
    Value *data; /* of the ConfigMap; NULL: existence is enough */
} EnsureController;

static bool
is_refused_by_namespace(const ApiResponse *response)
{
    return response_is_namespace_terminating(response) || response_is(response, "NotFound") ||
           response_is(response, "AlreadyExists");
}

static char *
on_created(const ApiResponse *response, void *data)
{
    if (api_response_ok(response) || is_refused_by_namespace(response))
        return NULL;
    return g_strdup(response_error(response));
}

static Value *
wanted_object(const EnsureController *controller, const char *namespace_)
{
    if (controller->data == NULL)
        return value_new_f(
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s, namespace: %s}}",
            controller->name, namespace_);
    return value_new_f(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: %s, annotations: "
        "{'kubernetes.io/description': %s}}, data: %v}",
        controller->name, namespace_, ROOT_CA_DESCRIPTION, controller->data);
}

static void
sync_namespace(const char *key, Sync *sync, void *data)
{
    EnsureController *controller = data;
    const Value *namespace_ = informer_get(controller->namespaces, key);
    if (namespace_ == NULL || object_is_deleting(namespace_) ||
        strcmp(value_text_at(namespace_, "status.phase"), "Terminating") == 0)
        return;
    const Value *object = informer_get_named(controller->objects, key, controller->name);
    if (object == NULL) {
        controller_decide(&controller->base, "create", namespace_, "Namespace",
                          "namespace %s lacks %s %s: create it", key, controller->resource,
                          controller->name);
        client_create(controller->base.client, "", controller->resource, key,
                      wanted_object(controller, key), sync_call,
                      sync_begin_checked(sync, on_created, NULL, NULL));
    } else if (controller->data != NULL &&
               !values_equal_semantically(value_get(object, "data"), controller->data)) {
        client_update(controller->base.client, "", controller->resource, NULL,
                      value_set(object, "data", value_ref(controller->data)), sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
    }
}

static void
object_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
               void *data)
{
    EnsureController *controller = data;
    const Value *object = new_ != NULL ? new_ : old;
    /* A new one needs no look; one that is gone or changed does. */
    if (old != NULL && strcmp(object_name(object), controller->name) == 0 &&
        (new_ == NULL || controller->data != NULL))
        controller_enqueue(&controller->base, object_namespace(object), cause);
}

static Controller *
start(ControllerContext *context, const ControllerClass *class_, const char *actor,
      const char *resource, const char *name)
{
    static const InformerHandler handler = {.changed = object_changed};
    EnsureController *controller = g_new0(EnsureController, 1);
    controller_init(&controller->base, context, class_, actor, 1, sync_namespace);
    controller->namespaces = context_informer(context, "", "namespaces");
    controller->objects = context_informer(context, "", resource);
    controller->resource = resource;
    controller->name = name;
    controller_watch(&controller->base, controller->namespaces);
    informer_add_handler(controller->objects, &handler, controller);
    return &controller->base;
}

static Controller *
start_service_account(ControllerContext *context)
{
    return start(context, &service_account_controller_class, "service-account-controller",
                 "serviceaccounts", "default");
}

static Controller *
start_root_ca(ControllerContext *context)
{
    EnsureController *controller =
        (EnsureController *)start(context, &root_ca_controller_class, "root-ca-cert-publisher",
                                  "configmaps", "kube-root-ca.crt");
    const char *pem = value_text(value_get(context->config, "rootCA"));
    controller->data = value_new_f("{'ca.crt': %s}", pem);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    value_unref(((EnsureController *)base)->data);
    g_free(base);
}

const ControllerClass service_account_controller_class = {"serviceaccount-controller",
                                                          start_service_account, NULL, stop};
const ControllerClass root_ca_controller_class = {"root-ca-certificate-publisher-controller",
                                                  start_root_ca, NULL, stop};
