/* The API objects of sim.timonel.dev: faults that somebody applied begin and end, the session and the clock tell what they are.
 *
 *   Pending --(startAfter)--> Active --(duration, or the object is deleted)--> Ended          Pending -> Failed: refused
 *
 * News come from the store; what follows is done in events of the world's own. */
#include <string.h>

#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "sim/world/world_private.h"

typedef struct ActiveFault {
    World *world;
    char *name;
    Value *spec;
    EventId event; /* the beginning or the end */
    bool active;
} ActiveFault;

static void
answer_dropped(ApiResponse *response, void *data)
{
    api_response_free(response);
}

/* Writes past inputs: a replay makes the same writes again by itself. */
static void
send_request(World *world, ApiRequest *take)
{
    ApiServer *server = world_api_server(world);
    if (server == NULL) {
        api_request_free(take);
        return;
    }
    static const char *const MASTERS[] = {"system:masters", NULL};
    take->user = api_user_new("system:timonel", MASTERS);
    take->user_agent = g_strdup("timonel");
    api_server_handle(server, take, answer_dropped, NULL);
}

static void
write_status(World *world, const char *resource, const char *name, Value *take_status)
{
    ApiRequest *request =
        api_request_new(API_VERB_PATCH, "sim.timonel.dev", resource, NULL, name);
    request->subresource = g_strdup("status");
    request->patch_type = PATCH_MERGE;
    request->body = value_new_f("{status: %V}", take_status);
    send_request(world, request);
}

static Value *
time_value(World *world)
{
    return value_new_string_take(timestamp_micro_text(world_now(world)));
}

static void
active_fault_free(void *data)
{
    ActiveFault *fault = data;
    engine_cancel_slot(fault->world->engine, &fault->event);
    value_unref(fault->spec);
    g_free(fault->name);
    g_free(fault);
}

static void
fault_end(void *data)
{
    ActiveFault *fault = data;
    fault->event = 0;
    fault->active = false;
    const FaultClass *class = fault_class(value_text_at(fault->spec, "type"));
    if (class->stop != NULL)
        class->stop(&fault->world->fault_target, fault->spec, NULL);
    write_status(fault->world, "faults", fault->name,
                 value_new_f("{phase: Ended, endTime: %V}", time_value(fault->world)));
}

static void
fault_begin(void *data)
{
    ActiveFault *fault = data;
    World *world = fault->world;
    g_autoptr(GError) error = NULL;
    const FaultClass *class = NULL;
    fault->event = 0;
    if (fault_validate(fault->spec, &error)) {
        class = fault_class(value_text_at(fault->spec, "type"));
        trace_record(engine_trace_port(world_trace(world)), &(Fact){.kind = FACT_FAULT,
                                                                    .actor = "fault",
                                                                    .verb = class->type,
                                                                    .subject = NULL,
                                                                    .text = class->title});
        class->start(&world->fault_target, fault->spec, &error);
    }
    if (error != NULL) {
        write_status(world, "faults", fault->name,
                     value_new_f("{phase: Failed, message: %s}", error->message));
        return;
    }
    fault->active = class->stop != NULL;
    int64_t duration;
    const char *text = value_string_at(fault->spec, "duration");
    if (fault->active && text != NULL && duration_parse(text, &duration, NULL))
        fault->event = engine_in(world->engine, NULL, duration, fault_end, fault);
    write_status(world, "faults", fault->name,
                 value_new_f("{phase: %s, message: %s, startTime: %V}",
                             fault->active ? "Active" : "Ended", class->title, time_value(world)));
}

static ActiveFault *
find_fault(World *world, const char *name)
{
    for (guint i = 0; i < world->faults->len; i++) {
        ActiveFault *fault = world->faults->pdata[i];
        if (strcmp(fault->name, name) == 0)
            return fault;
    }
    return NULL;
}

static void
fault_changed(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    World *world = data;
    const char *name = object_name(event->value);
    ActiveFault *fault = find_fault(world, name);
    if (event->type == STORE_DELETED && fault != NULL) {
        const FaultClass *class = fault_class(value_text_at(fault->spec, "type"));
        if (fault->active)
            class->stop(&world->fault_target, fault->spec, NULL);
        g_ptr_array_remove(world->faults, fault);
    } else if (event->type == STORE_CREATED && fault == NULL) {
        const char *text = value_string_at(event->value, "spec.startAfter");
        int64_t delay = 0;
        if (text != NULL)
            duration_parse(text, &delay, NULL);
        fault = g_new0(ActiveFault, 1);
        fault->world = world;
        fault->name = g_strdup(name);
        fault->spec = value_ref(value_get(event->value, "spec"));
        fault->event = engine_in(world->engine, NULL, delay, fault_begin, fault);
        g_ptr_array_add(world->faults, fault);
    }
}

/* ---- clock -------------------------------------------------------------------------------------------------- */

static void
clock_changed(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    World *world = data;
    const char *pace = value_string_at(event->value, "spec.pace");
    const char *before = value_string_at(event->previous, "spec.pace");
    if (event->type == STORE_DELETED || pace == NULL || world->pace_wanted == NULL ||
        event->previous == NULL || g_strcmp0(pace, before) == 0)
        return;
    world->pace_wanted(pace, world->pace_data);
}

void
world_on_pace(World *world, void (*wanted)(const char *pace, void *data), void *data)
{
    world->pace_wanted = wanted;
    world->pace_data = data;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static StoreBucket *
sim_bucket(World *world, const char *resource)
{
    const ApiKind *kind =
        api_types_by_resource(world_types(world), "sim.timonel.dev", NULL, resource);
    return store_bucket(cluster_store(world->cluster), api_kind_qualified(kind));
}

/* Straight into the store: nobody may create these through the API. */
static void
put_singleton(World *world, const char *resource, const char *kind, const char *name, Value *rest)
{
    StoreBucket *bucket = sim_bucket(world, resource);
    const StoreItem *item = store_head(bucket, name);
    g_autofree char *uid = random_uuid(engine_process_ports(world->disk)->random);
    g_autofree char *now = timestamp_text(world_now(world));
    Value *object = value_new_f(
        "{apiVersion: sim.timonel.dev/v1, kind: %s,"
        " metadata: {name: %s, uid: %s, creationTimestamp: %s, generation: 1}}",
        kind, name, item != NULL ? object_uid(item->value) : uid, now);
    VALUE_MAP_FOREACH(key, value, rest)
    {
        value_edit(&object, key, value_ref(value));
    }
    value_unref(rest);
    StoreOp op = {.bucket = bucket, .key = name, .value = object, .expected = STORE_ANY};
    store_txn(cluster_store(world->cluster), &op, 1, NULL, NULL, NULL);
}

/* Once the API server has put its hooks into the store (they stamp revisions). */
void
world_sim_objects_publish(World *world)
{
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, world_seed(world));
    put_singleton(world, "clocks", "Clock", "clock",
                  value_new_f("{spec: {pace: %s}, status: {now: %V, pace: %s}}", "1",
                              time_value(world), "1"));
    put_singleton(world, "sessions", "Session", "session",
                  value_new_f("{status: {name: %s, seed: %s, backend: simulated, startTime: %V}}",
                              cluster_topology(world->cluster)->name, seed, time_value(world)));
}

void
world_sim_objects_start(World *world)
{
    world->faults = g_ptr_array_new_with_free_func(active_fault_free);
    store_listen(sim_bucket(world, "faults"), fault_changed, world);
    store_listen(sim_bucket(world, "clocks"), clock_changed, world);
}

void
world_sim_objects_stop(World *world)
{
    if (world->faults == NULL)
        return;
    store_unlisten(sim_bucket(world, "faults"), fault_changed, world);
    store_unlisten(sim_bucket(world, "clocks"), clock_changed, world);
    g_ptr_array_unref(world->faults);
}
