/* The cluster as a picture. Selection: in the control plane a component; among the nodes a node, or
 * one of its pods. It follows names; when what was selected is gone, its neighbour is taken. */
#include "tui/view_cluster.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"

static ClusterView *
cluster_view(TuiView *view)
{
    return (ClusterView *)view;
}

/* ---- the selection
 * ------------------------------------------------------------------------------------------------
 */

static const PictureNode *
selected_node(const ClusterView *view)
{
    return view->zone == ZONE_NODES ? picture_node(view->picture, (guint)view->node) : NULL;
}

static const Value *
selected_pod(const ClusterView *view)
{
    return picture_pod(selected_node(view), view->pod);
}

static void
remember_names(ClusterView *view)
{
    const PictureNode *node = selected_node(view);
    const Value *pod = selected_pod(view);
    g_free(view->node_name);
    g_free(view->pod_namespace);
    g_free(view->pod_name);
    view->node_name = node != NULL ? g_strdup(node->name) : NULL;
    view->pod_namespace = pod != NULL ? g_strdup(object_namespace(pod)) : NULL;
    view->pod_name = pod != NULL ? g_strdup(object_name(pod)) : NULL;
}

/* The selected box is among those shown. */
static void
scroll_to_selection(ClusterView *view)
{
    int row = view->node / MAX(view->layout.columns, 1);
    int rows = ((int)view->picture->nodes->len + view->layout.columns - 1) / view->layout.columns;
    if (row < view->first_row)
        view->first_row = row;
    if (row >= view->first_row + view->layout.rows_shown)
        view->first_row = row - view->layout.rows_shown + 1;
    view->first_row = CLAMP(view->first_row, 0, MAX(rows - view->layout.rows_shown, 0));
}

static void
find_selection_again(ClusterView *view)
{
    int count = (int)view->picture->nodes->len, node, pod;
    view->component = CLAMP(view->component, 0, MAX((int)view->picture->n_components - 1, 0));
    if (view->pod_name != NULL &&
        picture_find_pod(view->picture, view->pod_namespace, view->pod_name, &node, &pod)) {
        view->node = node;
        view->pod = pod;
    } else if (view->node_name != NULL &&
               (node = picture_find_node(view->picture, view->node_name)) >= 0) {
        view->node = node;
    }
    view->node = CLAMP(view->node, 0, MAX(count - 1, 0));
    const PictureNode *chosen = picture_node(view->picture, (guint)view->node);
    view->pod = MIN(view->pod, chosen != NULL ? (int)chosen->pods->len - 1 : -1);
}

/* ---- moving it
 * ------------------------------------------------------------------------------------------------------
 */

static void
moved(TuiState *state, ClusterView *view)
{
    remember_names(view);
    view->base.class->refresh(&view->base, state);
}

static void
go_up(TuiState *state)
{
    ClusterView *view = cluster_view(tui_top(state));
    if (view->zone == ZONE_CONTROL) {
        view->component = MAX(view->component - 1, 0);
    } else if (view->pod >= 0) {
        view->pod--;
    } else if (view->node >= view->layout.columns) {
        view->node -= view->layout.columns;
        view->pod = (int)picture_node(view->picture, (guint)view->node)->pods->len - 1;
    } else {
        view->zone = ZONE_CONTROL;
        view->component = (int)view->picture->n_components - 1;
    }
    moved(state, view);
}

static void
go_down(TuiState *state)
{
    ClusterView *view = cluster_view(tui_top(state));
    const PictureNode *node = picture_node(view->picture, (guint)view->node);
    if (view->zone == ZONE_CONTROL) {
        if (view->component + 1 < (int)view->picture->n_components)
            view->component++;
        else
            view->zone = ZONE_NODES, view->pod = -1;
    } else if (node != NULL && view->pod + 1 < (int)node->pods->len) {
        view->pod++;
    } else if (view->node + view->layout.columns < (int)view->picture->nodes->len) {
        view->node += view->layout.columns;
        view->pod = -1;
    }
    moved(state, view);
}

static void
go_sideways(TuiState *state, int step)
{
    ClusterView *view = cluster_view(tui_top(state));
    if (view->zone == ZONE_CONTROL) {
        view->component = CLAMP(view->component + step, 0, (int)view->picture->n_components - 1);
    } else {
        view->node = CLAMP(view->node + step, 0, MAX((int)view->picture->nodes->len - 1, 0));
        const PictureNode *node = picture_node(view->picture, (guint)view->node);
        view->pod = MIN(view->pod, node != NULL ? (int)node->pods->len - 1 : -1);
    }
    moved(state, view);
}

static void
go_left(TuiState *state)
{
    go_sideways(state, -1);
}

static void
go_right(TuiState *state)
{
    go_sideways(state, 1);
}

static void
go_home(TuiState *state)
{
    ClusterView *view = cluster_view(tui_top(state));
    view->zone = ZONE_CONTROL;
    view->component = 0;
    moved(state, view);
}

static void
go_end(TuiState *state)
{
    ClusterView *view = cluster_view(tui_top(state));
    view->zone = ZONE_NODES;
    view->node = MAX((int)view->picture->nodes->len - 1, 0);
    view->pod = -1;
    moved(state, view);
}

static void
next_zone(TuiState *state)
{
    ClusterView *view = cluster_view(tui_top(state));
    view->zone = view->zone == ZONE_CONTROL ? ZONE_NODES : ZONE_CONTROL;
    moved(state, view);
}

/* ---- the view
 * ----------------------------------------------------------------------------------------------------------
 */

static void
cluster_refresh(TuiView *base, TuiState *state)
{
    ClusterView *view = cluster_view(base);
    picture_free(view->picture);
    view->picture = picture_new(live_world(state->live));
    cluster_layout(&view->layout, base->rect, view->picture);
    find_selection_again(view);
    scroll_to_selection(view);
    g_clear_pointer(&view->details, g_ptr_array_unref);
    if (view->layout.details.height > 0)
        view->details = cluster_details(view, state, view->layout.details.width - 2);
}

static void
cluster_render(const TuiView *base, const TuiState *state, CellGrid *grid, Rect rect)
{
    const ClusterView *view = (const ClusterView *)base;
    if (view->picture == NULL)
        return;
    cluster_render_control(view, grid);
    cluster_render_nodes(view, grid);
    Rect details = view->layout.details;
    if (details.height == 0 || view->details == NULL)
        return;
    if (details.width < rect.width) {
        for (int y = details.y; y < details.y + details.height; y++)
            grid_put(grid, details.x - 1, y, 1, STYLE_BORDER, "│");
    } else {
        grid_line(grid, details.x, details.y, details.width, STYLE_BORDER);
        details.y++;
        details.height--;
    }
    lines_render(view->details, grid,
                 (Rect){details.x + 1, details.y, details.width - 2, details.height}, 0, 0);
}

static char *
cluster_title(const TuiView *view, const TuiState *state)
{
    const ClusterView *cluster = (const ClusterView *)view;
    const ClusterLayout *layout = &cluster->layout;
    int count = cluster->picture != NULL ? (int)cluster->picture->nodes->len : 0;
    int first = cluster->first_row * layout->columns;
    int last = MIN(first + layout->rows_shown * layout->columns, count);
    if (last - first == count)
        return g_strdup(_("cluster"));
    return g_strdup_printf(_("cluster  nodes %d to %d of %d"), first + 1, last, count);
}

static bool
cluster_target(const TuiView *base, TuiTarget *ret_target)
{
    const ClusterView *view = (const ClusterView *)base;
    const PictureNode *node = selected_node(view);
    const Value *pod = selected_pod(view);
    *ret_target = (TuiTarget){0};
    if (view->zone == ZONE_CONTROL && view->picture->n_components > 0) {
        ret_target->process = view->picture->components[view->component].name;
    } else if (pod != NULL) {
        *ret_target = (TuiTarget){"",
                                  "pods",
                                  "Pod",
                                  object_namespace(pod),
                                  object_name(pod),
                                  pod_node_name(pod),
                                  object_label(pod, "component")};
    } else if (node != NULL && node->name != NULL) {
        *ret_target = (TuiTarget){"", "nodes", "Node", "", node->name, node->name, NULL};
    } else {
        return false;
    }
    return true;
}

static void
cluster_free_view(TuiView *base)
{
    ClusterView *view = cluster_view(base);
    picture_free(view->picture);
    g_clear_pointer(&view->details, g_ptr_array_unref);
    g_free(view->node_name);
    g_free(view->pod_namespace);
    g_free(view->pod_name);
    g_free(view);
}

static const TuiKey KEYS[] = {
    {TUI_KEY_UP, N_("arrows"), N_("choose a component, a node or a pod"), N_("choose"), go_up},
    {TUI_KEY_DOWN, NULL, NULL, NULL, go_down},
    {TUI_KEY_LEFT, NULL, NULL, NULL, go_left},
    {TUI_KEY_RIGHT, NULL, NULL, NULL, go_right},
    {TUI_KEY_TAB, N_("tab"), N_("between the control plane and the nodes"), NULL, next_zone},
    {TUI_KEY_HOME, N_("home"), N_("to the API server"), NULL, go_home},
    {TUI_KEY_END, N_("end"), N_("to the last node"), NULL, go_end},
    {TUI_KEY_ENTER, N_("enter"), N_("describe what is chosen"), N_("describe"), open_describe},
    {0},
};

static const TuiViewClass CLUSTER_VIEW = {
    .name = "cluster",
    .keys = KEYS,
    .refresh = cluster_refresh,
    .render = cluster_render,
    .title = cluster_title,
    .target = cluster_target,
    .free = cluster_free_view,
};

TuiView *
view_cluster_new(void)
{
    ClusterView *view = g_new0(ClusterView, 1);
    view->base.class = &CLUSTER_VIEW;
    view->zone = ZONE_NODES;
    view->pod = -1;
    return &view->base;
}
