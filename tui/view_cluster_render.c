#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "tui/view_cluster.h"

#define SHAFT 6 /* columns of an arrow */

/* ---- the control plane
 * ------------------------------------------------------------------------------------------ */

static int
selected_flag(const ClusterView *view, int component)
{
    return view->zone == ZONE_CONTROL && view->component == component ? STYLE_REVERSE : 0;
}

/* A message as a dot on its way; it is drawn for FLOW_PULSE_NS of virtual time, where it is slower
 * than it was. */
static void
render_pulse(const Flow *flow, const FlowWay *way, CellGrid *grid, int x, int y, bool leftwards)
{
    int64_t age = flow->now - way->last;
    if (way->last == 0 || age < 0 || age >= FLOW_PULSE_NS)
        return;
    int at = (int)(age * SHAFT / FLOW_PULSE_NS);
    if (leftwards)
        at = SHAFT - 1 - at;
    grid_put(grid, x + at, y, 1, way->lost ? STYLE_BAD : STYLE_FLOW, way->lost ? "✖" : "•");
}

/* "◂ 3.0/s PUT leases"; returns the columns used. */
static int
render_way(const Flow *flow, const FlowWay *way, CellGrid *grid, int x, int y, int width,
           const char *arrow, const char *label)
{
    if (way->count == 0 || width < 8)
        return 0;
    g_autofree char *rate = flow_rate_text(flow, way);
    g_autofree char *text = g_strdup_printf("%s %6s %s", arrow, rate, label != NULL ? label : "");
    bool fresh = flow->now - way->last < FLOW_PULSE_NS;
    return grid_put(grid, x, y, width, fresh ? STYLE_FLOW : STYLE_DIM, text);
}

static int
render_component(const PictureComponent *component, CellGrid *grid, int x, int y, int width,
                 int flags)
{
    int used = grid_put(grid, x, y, width, (int)component->look.style, component->look.glyph);
    g_autofree char *count = component->wanted > 1
                                 ? g_strdup_printf(" %d/%d", component->running, component->wanted)
                                 : g_strdup("");
    const char *word = component->look.style == STYLE_GOOD ? "" : component->look.word;
    used += grid_putf(grid, x + used, y, width - used, flags, " %s%s", component->name, count);
    if (*word != '\0')
        used += grid_putf(grid, x + used, y, width - used, (int)component->look.style, " %s", word);
    return used;
}

static void
render_hub(const ClusterView *view, CellGrid *grid, Rect rect)
{
    const Picture *picture = view->picture;
    int x = rect.x + 1, end = rect.x + rect.width;
    if (picture->n_components < 2)
        return;
    x += render_component(&picture->components[0], grid, x, rect.y, end - x,
                          selected_flag(view, 0) | STYLE_BOLD);
    x++;
    grid_line(grid, x, rect.y, SHAFT, STYLE_BORDER);
    render_pulse(&picture->flow, &picture->flow.etcd, grid, x, rect.y, false);
    x += SHAFT + 1;
    x +=
        render_component(&picture->components[1], grid, x, rect.y, end - x, selected_flag(view, 1));
    x += 2;
    render_way(&picture->flow, &picture->flow.etcd, grid, x, rect.y, end - x, "▸",
               picture->flow.etcd_subject);
}

static void
render_spoke(const ClusterView *view, CellGrid *grid, Rect rect, size_t index, int y, bool last)
{
    const Picture *picture = view->picture;
    const PictureComponent *component = &picture->components[index];
    int x = rect.x + 1, end = rect.x + rect.width, name_width = 29;
    grid_put(grid, x, y, 1, STYLE_BORDER, last ? "└" : "├");
    grid_line(grid, x + 1, y, SHAFT, STYLE_BORDER);
    render_pulse(&picture->flow, &component->from_api, grid, x + 1, y, false);
    render_pulse(&picture->flow, &component->to_api, grid, x + 1, y, true);
    x += SHAFT + 2;
    render_component(component, grid, x, y, MIN(name_width, end - x),
                     selected_flag(view, (int)index));
    x += name_width;
    int half = MIN((end - x) * 3 / 5, 36);
    render_way(&picture->flow, &component->to_api, grid, x, y, half - 1, "◂",
               component->to_api.label);
    x += half;
    render_way(&picture->flow, &component->from_api, grid, x, y, end - x, "▸",
               component->from_api.label);
}

static void
render_compact(const ClusterView *view, CellGrid *grid, Rect rect)
{
    int x = rect.x, end = rect.x + rect.width;
    for (size_t i = 0; i < view->picture->n_components && x < end; i++) {
        const PictureComponent *component = &view->picture->components[i];
        const char *name =
            g_str_has_prefix(component->name, "kube-") ? component->name + 5 : component->name;
        x += grid_put(grid, x, rect.y, end - x, (int)component->look.style, component->look.glyph);
        x += grid_put(grid, x, rect.y, end - x, selected_flag(view, (int)i), name) + 1;
    }
}

void
cluster_render_control(const ClusterView *view, CellGrid *grid)
{
    Rect rect = view->layout.control;
    if (rect.height <= 0)
        return;
    if (view->layout.compact) {
        render_compact(view, grid, rect);
        return;
    }
    render_hub(view, grid, rect);
    for (size_t i = 2; i < view->picture->n_components; i++)
        render_spoke(view, grid, rect, i, rect.y + (int)i - 1,
                     i + 1 == view->picture->n_components);
}

/* ---- nodes
 * ----------------------------------------------------------------------------------------------------------
 */

static void
render_load(const PictureNode *node, CellGrid *grid, int x, int y, int width)
{
    if (node->milli_cpu_max <= 0 || node->memory_max <= 0)
        return;
    g_autofree char *text =
        g_strdup_printf(_("cpu %d%% mem %d%%"), (int)(node->milli_cpu * 100 / node->milli_cpu_max),
                        (int)(node->memory / 1024 * 100 / MAX(node->memory_max / 1024, 1)));
    grid_put(grid, x, y, width, STYLE_DIM, text);
}

/* "etcd-control-plane-1" is "etcd" in the box of control-plane-1. Owned. */
static char *
short_name(const Value *pod)
{
    const char *name = object_name(pod), *node = pod_node_name(pod);
    g_autofree char *suffix = g_strconcat("-", node, NULL);
    if (!pod_is_mirror(pod) || !g_str_has_suffix(name, suffix))
        return g_strdup(name);
    return g_strndup(name, strlen(name) - strlen(suffix));
}

static void
render_pod_line(const Value *pod, CellGrid *grid, int x, int y, int width, bool selected)
{
    Look look = pod_look(pod);
    int word =
        look.style != STYLE_GOOD && width >= 24 ? MIN(text_columns(look.word), width / 2) : 0;
    grid_put(grid, x, y, 1, (int)look.style, look.glyph);
    g_autofree char *name = short_name(pod);
    grid_put(grid, x + 2, y, width - 2 - (word > 0 ? word + 1 : 0), STYLE_NORMAL, name);
    if (word > 0)
        grid_put(grid, x + width - word, y, word, (int)look.style, look.word);
    if (selected)
        grid_mark(grid, x, y, width, STYLE_REVERSE);
}

/* As many glyphs as fit: when there is no line for each pod. */
static void
render_pod_glyphs(const PictureNode *node, CellGrid *grid, Rect rect, int selected)
{
    int per_line = MAX(rect.width / 2, 1), capacity = per_line * rect.height, first = 0;
    if (selected >= capacity)
        first = (selected / per_line - rect.height + 1) * per_line;
    for (int i = 0; i < capacity && first + i < (int)node->pods->len; i++) {
        Look look = pod_look(node->pods->pdata[first + i]);
        int flags = first + i == selected ? STYLE_REVERSE : 0;
        grid_put(grid, rect.x + i % per_line * 2, rect.y + i / per_line, 1, (int)look.style | flags,
                 look.glyph);
    }
}

static void
render_pod_list(const PictureNode *node, CellGrid *grid, Rect rect, int selected)
{
    int count = (int)node->pods->len, first = 0;
    if (count > rect.height && selected >= rect.height - 1)
        first = MIN(selected - rect.height + 2, count - rect.height);
    for (int i = 0; i < rect.height && first + i < count; i++) {
        int left = count - first - i;
        if (i + 1 == rect.height && left > 1 && first + i != selected)
            grid_putf(grid, rect.x, rect.y + i, rect.width, STYLE_DIM, _("+%d more"), left);
        else
            render_pod_line(node->pods->pdata[first + i], grid, rect.x, rect.y + i, rect.width,
                            first + i == selected);
    }
}

static void
render_node(const ClusterView *view, CellGrid *grid, int index, Rect rect)
{
    const PictureNode *node = picture_node(view->picture, (guint)index);
    bool here = view->zone == ZONE_NODES && view->node == index;
    Look look = node_look(node->node);
    g_autofree char *title = node->name == NULL ? g_strdup(_("no node yet"))
                             : look.style == STYLE_GOOD
                                 ? g_strdup_printf("%s %s", look.glyph, node->name)
                                 : g_strdup_printf("%s %s %s", look.glyph, node->name, look.word);
    int style = node->name == NULL ? STYLE_BUSY : (int)look.style;
    grid_box(grid, rect, STYLE_BORDER | (here ? STYLE_BOLD : 0), title, style);
    if (here && view->pod < 0)
        grid_mark(grid, rect.x + 2, rect.y, MIN(text_columns(title), rect.width - 4),
                  STYLE_REVERSE);
    Rect inner = {rect.x + 2, rect.y + 1, rect.width - 4, rect.height - 2};
    if (inner.height > 2 && node->milli_cpu_max > 0) {
        render_load(node, grid, inner.x, inner.y, inner.width);
        inner.y++;
        inner.height--;
    }
    int selected = here ? view->pod : -1;
    if ((int)node->pods->len > inner.height * 2)
        render_pod_glyphs(node, grid, inner, selected);
    else
        render_pod_list(node, grid, inner, selected);
}

/* On the last line below the boxes, when that is free. */
static void
render_legend(const ClusterView *view, CellGrid *grid)
{
    Rect area = view->layout.nodes;
    int x = area.x + 1, end = area.x + area.width;
    if (view->layout.rows_shown * view->layout.box_height >= area.height)
        return;
    for (size_t i = 0; legend_item(i).glyph != NULL; i++) {
        Look look = legend_item(i);
        if (x + text_columns(look.word) + 2 > end)
            return;
        x += grid_put(grid, x, area.y + area.height - 1, 1, (int)look.style, look.glyph) + 1;
        x += grid_put(grid, x, area.y + area.height - 1, end - x, STYLE_DIM, look.word) + 2;
    }
}

void
cluster_render_nodes(const ClusterView *view, CellGrid *grid)
{
    const ClusterLayout *layout = &view->layout;
    render_legend(view, grid);
    for (int row = 0; row < layout->rows_shown && layout->nodes.height >= 3; row++)
        for (int column = 0; column < layout->columns; column++) {
            int index = (view->first_row + row) * layout->columns + column;
            if (index >= (int)view->picture->nodes->len)
                return;
            Rect box = {layout->nodes.x + column * layout->box_width,
                        layout->nodes.y + row * layout->box_height, layout->box_width - 1,
                        MIN(layout->box_height, layout->nodes.height)};
            render_node(view, grid, index, box);
        }
}
