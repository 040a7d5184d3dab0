/* See controller.h. */
#include "core/controllers/controller.h"

#include "core/api/meta.h"
#include "core/api/pod.h"

void
controller_init(Controller *controller, ControllerContext *context, const ControllerClass *class_,
                const char *actor, int workers, SyncFunc sync)
{
    controller->class_ = class_;
    controller->context = context;
    controller->client = context->client;
    controller->actor = actor;
    controller->recorder = event_recorder_new(context->ports, context->client, actor, NULL);
    if (sync != NULL)
        controller->queue = work_queue_new(
            context->ports, &(WorkQueueOptions){.name = class_->name, .workers = workers}, sync,
            controller);
}

void
controller_clear(Controller *controller)
{
    g_clear_pointer(&controller->queue, work_queue_free);
    g_clear_pointer(&controller->recorder, event_recorder_free);
}

int64_t
controller_now(const Controller *controller)
{
    return clock_now(controller->context->ports->clock);
}

void
controller_enqueue(Controller *controller, const char *key, uint64_t cause)
{
    work_queue_add(controller->queue, key, cause);
}

void
controller_enqueue_object(Controller *controller, const Value *object, uint64_t cause)
{
    g_autofree char *key = object_key(object);
    work_queue_add(controller->queue, key, cause);
}

static void
on_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
           void *data)
{
    controller_enqueue(data, key, cause);
}

void
controller_watch(Controller *controller, Informer *informer)
{
    static const InformerHandler handler = {.changed = on_changed};
    informer_add_handler(informer, &handler, controller);
}

void
controller_decide(Controller *controller, const char *verb, const Value *object, const char *kind,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *subject = object_subject(object, kind);
    trace_decision(controller->context->ports->trace, controller->actor, verb, subject, "%s", text);
}

/* ---- informers
 * --------------------------------------------------------------------------------------- */

Informer *
context_informer(ControllerContext *context, const char *group, const char *resource)
{
    return informer_factory_get(context->informers, group, resource);
}

Informer *
context_indexed_informer(ControllerContext *context, const char *group, const char *resource,
                         const char *index, IndexFunc func)
{
    Informer *informer = context_informer(context, group, resource);
    informer_add_index(informer, index, func);
    return informer;
}

static void
index_owner(const Value *object, GPtrArray *ret_strings)
{
    const Value *controller = object_controller(object);
    g_ptr_array_add(ret_strings, controller != NULL
                                     ? g_strdup(value_text(value_get(controller, "uid")))
                                     : g_strconcat("orphan/", object_namespace(object), NULL));
}

static void
index_node(const Value *pod, GPtrArray *ret_strings)
{
    const char *node = pod_node_name(pod);
    if (*node != '\0')
        g_ptr_array_add(ret_strings, g_strdup(node));
}

Informer *
context_owned_informer(ControllerContext *context, const char *group, const char *resource)
{
    return context_indexed_informer(context, group, resource, INDEX_OWNER, index_owner);
}

Informer *
context_pods(ControllerContext *context)
{
    context_owned_informer(context, "", "pods");
    return context_indexed_informer(context, "", "pods", INDEX_NODE, index_node);
}

const GPtrArray *
informer_indexed(const Informer *informer, const char *index, const char *string)
{
    static const GPtrArray none = {NULL, 0};
    const GPtrArray *found = informer_by_index(informer, index, string);
    return found != NULL ? found : &none;
}

const GPtrArray *
informer_owned_by(const Informer *informer, const char *uid)
{
    return informer_indexed(informer, INDEX_OWNER, uid);
}

const GPtrArray *
informer_orphans(const Informer *informer, const char *namespace_)
{
    g_autofree char *string = g_strconcat("orphan/", namespace_, NULL);
    return informer_indexed(informer, INDEX_OWNER, string);
}

/* ---- configuration
 * ----------------------------------------------------------------------------------- */

int64_t
config_int(const ControllerContext *context, const char *key, int64_t otherwise)
{
    const Value *value = value_get(context->config, key);
    return value != NULL ? value_int(value) : otherwise;
}

int64_t
config_seconds_ns(const ControllerContext *context, const char *key, double otherwise_s)
{
    const Value *value = value_get(context->config, key);
    return (int64_t)((value != NULL ? value_double(value) : otherwise_s) * (double)NS_PER_S);
}
