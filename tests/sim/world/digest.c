/* Runs a small world for five virtual minutes (boot, a Deployment, a node that loses its power) and
 * prints a line a minute with the digest of all that happened. Usage: world_digest SEED */
#include <stdio.h>
#include <stdlib.h>

#include "sim/world/world.h"

#define MINUTES 5

static void
ask(World *world, const char *group, const char *resource, Value *take_body)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, group, resource, "default", NULL);
    request->body = take_body;
    ApiResponse *response = world_call(world, request);
    if (response->code >= 300)
        printf("%s: %s\n", resource, value_text_at(response->object, "message"));
    api_response_free(response);
}

static void
break_a_node(World *world)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) spec = value_new_f("{type: node-power-off, target: {node: worker-1}}");
    if (!world_fault(world, spec, "test", &error))
        printf("no fault: %s\n", error->message);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) cluster = value_new_f(
        "{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: digest}, spec:"
        " {controlPlane: {count: 1}, nodeGroups: [{name: worker, count: 2}]}}");
    WorldOptions options = {.cluster = cluster, .seed = argc > 1 ? (uint64_t)atoi(argv[1]) : 1};
    g_autoptr(World) world = world_new(&options, &error);
    if (world == NULL || !world_boot(world)) {
        printf("no world: %s\n", error != NULL ? error->message : "it did not boot");
        return 1;
    }
    ask(world, "apps", "deployments",
        value_new_f("{apiVersion: 'apps/v1', kind: Deployment, metadata: {name: web}, spec:"
                    " {replicas: 4, selector: {matchLabels: {app: web}}, template: {metadata:"
                    " {labels: {app: web}}, spec: {containers: [{name: web, image: 'nginx:1.27',"
                    " readinessProbe: {httpGet: {path: /, port: 80}}}]}}}}"));
    for (int minute = 1; minute <= MINUTES; minute++) {
        if (minute == 2)
            break_a_node(world);
        world_run_for(world, 60 * NS_PER_S);
        printf("minute %d events %llu digest %016llx\n", minute,
               (unsigned long long)engine_events_run(world_engine(world)),
               (unsigned long long)engine_digest(world_engine(world)));
    }
    return 0;
}
