/* The cluster's picture: what its files share. */
#pragma once

#include "tui/picture.h"
#include "tui/state.h"

typedef enum { ZONE_CONTROL, ZONE_NODES } Zone;

/* Where things are; a function of the rectangle and the picture alone. */
typedef struct ClusterLayout {
    Rect control, nodes, details; /* height 0: not shown */
    bool compact;                 /* the control plane is one line */
    int columns, box_width, box_height;
    int rows_shown;               /* of boxes */
} ClusterLayout;

typedef struct ClusterView {
    TuiView base;
    Picture *picture;
    ClusterLayout layout;
    Zone zone;
    int component, node, pod; /* pod -1: the node itself */
    int first_row;            /* of boxes */
    /* By name, so that the selection stays on its object when others come and go. */
    char *node_name, *pod_namespace, *pod_name;
    Lines *details;
} ClusterView;

void cluster_layout(ClusterLayout *layout, Rect rect, const Picture *picture);
void cluster_render_control(const ClusterView *view, CellGrid *grid);
void cluster_render_nodes(const ClusterView *view, CellGrid *grid);
/* Lines about the selection. */
Lines *cluster_details(const ClusterView *view, TuiState *state, int width);
