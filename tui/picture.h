/* What the cluster's picture shows: one version of all nodes with their pods, and the control plane's components. */
#pragma once

#include "core/base/pmap.h"
#include "sim/world/world.h"
#include "tui/flow.h"
#include "tui/look.h"

typedef struct PictureNode {
    char *name;         /* NULL: the pods that have no node yet */
    const Value *node;  /* NULL: not registered */
    GPtrArray *pods;    /* of const Value, by namespace and name; kube-system last */
    int64_t milli_cpu, memory;         /* requested by its pods */
    int64_t milli_cpu_max, memory_max; /* allocatable; 0: unknown */
} PictureNode;

typedef struct PictureComponent {
    const char *name; /* static: "kube-scheduler" */
    Look look;
    int running, wanted; /* instances */
    FlowWay to_api, from_api;
} PictureComponent;

#define PICTURE_COMPONENTS_MAX 12

typedef struct Picture {
    PMap *node_objects, *pod_objects; /* the versions that are shown */
    GPtrArray *nodes;                 /* of PictureNode */
    PictureComponent components[PICTURE_COMPONENTS_MAX];
    size_t n_components; /* 0 is kube-apiserver, 1 etcd */
    Flow flow;
} Picture;

Picture *picture_new(World *world);
void picture_free(Picture *picture);
const PictureNode *picture_node(const Picture *picture, guint index); /* NULL behind the end */
const Value *picture_pod(const PictureNode *node, int index);         /* NULL outside */
/* Indices by name, or -1. */
int picture_find_node(const Picture *picture, const char *name);
bool picture_find_pod(const Picture *picture, const char *namespace_, const char *name, int *ret_node, int *ret_pod);
int picture_find_component(const Picture *picture, const char *name);
