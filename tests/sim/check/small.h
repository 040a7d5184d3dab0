/* A small world for these tests: two workers, no add-ons, and what a text says applied. */
#pragma once

#include <string.h>

#include "core/object/yaml.h"
#include "sim/scenario/tools.h"
#include "tests/support/runner.h"

static inline Value *
yaml(const char *text)
{
    GError *error = NULL;
    Value *value = yaml_parse(text, strlen(text), &error);
    ck_assert_msg(value != NULL, "%s", error != NULL ? error->message : "");
    return value;
}

static inline World *
small_world(const char *manifest)
{
    g_autoptr(Value) cluster = yaml("apiVersion: sim.timonel.dev/v1\n"
                                    "kind: Cluster\n"
                                    "metadata: {name: small}\n"
                                    "spec:\n"
                                    "  controlPlane: {count: 1, cpu: '4', memory: 8Gi}\n"
                                    "  nodeGroups: [{name: worker, count: 2, cpu: '2', memory: 4Gi}]\n");
    GError *error = NULL;
    World *world = world_new(&(WorldOptions){.cluster = cluster, .no_addons = true}, &error);
    ck_assert_msg(world != NULL && world_become_ready(world, &error) && world_apply(world, "test", manifest, &error),
                  "%s", error != NULL ? error->message : "");
    return world;
}

#define WEB                                                                                                            \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {tier: front}}\nspec:\n  replicas: 2\n"       \
    "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n"                \
    "      containers: [{name: main, image: 'nginx:1.27', resources: {requests: {cpu: 500m}}}]\n"
