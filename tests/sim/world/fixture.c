#include "tests/sim/world/fixture.h"

static bool
pods_run(World *world, void *data)
{
    const char *const names[] = {"web", "two"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const Value *pod = world_peek(world, "", "pods", "default", names[i]);
        if (strcmp(value_text_at(pod, "status.phase"), "Running") != 0)
            return false;
    }
    return true;
}

static void
create(World *world, Value *pod)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, "", "pods", "default", NULL);
    request->body = pod;
    g_autoptr(ApiResponse) response = world_call(world, request);
    ck_assert_int_eq(response->code, 201);
}

World *
world_fixture_new(void)
{
    g_autoptr(Value) cluster = value_new_f(
        "{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: t},"
        " spec: {controlPlane: {count: 1}, nodeGroups: [{name: worker, count: 1}]}}");
    const WorldOptions options = {.cluster = cluster, .no_addons = true};
    World *world = world_new(&options, NULL);
    ck_assert_ptr_nonnull(world);
    ck_assert(world_boot(world));
    world_run_for(world, 30 * NS_PER_S);
    create(world, value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: ["
                              "{name: web, image: 'nginx:1.27', ports: [{containerPort: 80}]}]}}"));
    create(world, value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: two}, spec: {containers: ["
                              "{name: a, image: nginx}, {name: b, image: busybox, command: [sleep, '9999']}]}}"));
    ck_assert(world_run_until_true(world, 120 * NS_PER_S, pods_run, NULL));
    return world;
}
