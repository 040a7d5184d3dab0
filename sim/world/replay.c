#include <string.h>

#include "sim/world/world_private.h"

const Inputs *
world_inputs(const World *world)
{
    return world->inputs;
}

int64_t
world_start(const World *world)
{
    return world->start_ns;
}

void
world_record(World *world, const char *kind, Value *take_payload)
{
    inputs_add(world->inputs, world_now(world), kind, take_payload);
}

static void
answer_dropped(ApiResponse *response, void *data)
{
    api_response_free(response);
}

static void
give(World *world, const Input *input)
{
    if (strcmp(input->kind, "request") == 0) {
        Transport *transport = world_transport(world, NULL, NULL);
        transport->ops->call(transport, request_from_value(input->payload), answer_dropped, NULL);
        transport->ops->free(transport);
    } else {
        const Value *spec = value_get(input->payload, "spec");
        const char *actor = value_text(value_get(input->payload, "actor"));
        if (strcmp(input->kind, "fault") == 0)
            world_fault(world, spec, actor, NULL);
        else
            world_fault_stop(world, spec, actor, NULL);
    }
}

void
world_replay(World *world, const Inputs *inputs, int64_t until_ns)
{
    for (size_t i = 0; i < inputs_count(inputs); i++) {
        const Input *input = inputs_item(inputs, i);
        if (input->time_ns > until_ns)
            break;
        world_run_until(world, input->time_ns);
        give(world, input);
    }
    world_run_until(world, until_ns);
}
