/* What is told about the selection beside or below the picture. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "tui/events.h"
#include "tui/view_cluster.h"

#define MESSAGES_SHOWN 12
#define EVENTS_SHOWN 12

static char *
container_state(const Value *status)
{
    const Value *state = value_get(status, "state");
    const Value *waiting = value_get(state, "waiting");
    const Value *terminated = value_get(state, "terminated");
    if (waiting != NULL)
        return g_strdup_printf(_("waiting: %s"), value_text_at(waiting, "reason"));
    if (terminated != NULL)
        return g_strdup_printf(_("ended: %s, exit code %d"), value_text_at(terminated, "reason"),
                               (int)value_int_at(terminated, "exitCode"));
    if (value_has(state, "running"))
        return g_strdup(value_bool_at(status, "ready") ? _("running, ready")
                                                       : _("running, not ready"));
    return g_strdup(_("not started"));
}

static void
container_lines(Lines *lines, const Value *pod, int width)
{
    const Value *statuses = value_at(pod, "status.containerStatuses");
    VALUE_ARRAY_FOREACH (container, value_at(pod, "spec.containers")) {
        const char *name = value_text_at(container, "name");
        const Value *status = NULL;
        VALUE_ARRAY_FOREACH (candidate, statuses)
            if (strcmp(value_text_at(candidate, "name"), name) == 0)
                status = candidate;
        g_autofree char *state = container_state(status);
        int64_t restarts = value_int_at(status, "restartCount");
        g_autofree char *again = restarts > 0
                                     ? g_strdup_printf(ngettext(", %d restart", ", %d restarts",
                                                                (unsigned long)restarts),
                                                       (int)restarts)
                                     : g_strdup("");
        g_autofree char *text =
            g_strdup_printf("%s (%s): %s%s", name, value_text_at(container, "image"), state, again);
        lines_add_folded(lines, STYLE_NORMAL, text, width, 2);
    }
}

static void
condition_lines(Lines *lines, const Value *conditions, const char *good, int width)
{
    VALUE_ARRAY_FOREACH (condition, conditions) {
        const char *type = value_text_at(condition, "type");
        const char *status = value_text_at(condition, "status");
        const char *expected = good != NULL && strcmp(type, good) != 0 ? "False" : "True";
        const char *message = value_text_at(condition, "message");
        bool odd = strcmp(status, expected) != 0;
        if (!odd)
            continue;
        g_autofree char *text =
            g_strdup_printf("%s=%s %s%s%s", type, status, value_text_at(condition, "reason"),
                            *message != '\0' ? ": " : "", message);
        lines_add_folded(lines, STYLE_BUSY, text, width, 2);
    }
}

static void
add_events(Lines *lines, TuiState *state, const char *kind, const char *namespace_,
           const char *name, int width)
{
    guint before = lines->len;
    events_add_lines(lines, live_world(state->live), kind, namespace_, name, EVENTS_SHOWN, width);
    if (lines->len == before)
        lines_add(lines, STYLE_DIM, _("no events"));
}

static void
pod_lines(Lines *lines, TuiState *state, const Value *pod, int width)
{
    Look look = pod_look(pod);
    const char *node = pod_node_name(pod), *ip = pod_ip(pod);
    const Value *owner = object_controller(pod);
    lines_addf(lines, (int)look.style | STYLE_BOLD, "%s %s/%s  %s", look.glyph,
               object_namespace(pod), object_name(pod), look.word);
    g_autofree char *place =
        g_strdup_printf("%s%s%s%s%s", *node != '\0' ? _("on ") : _("on no node yet"), node,
                        *ip != '\0' ? ", IP " : "", ip, owner != NULL ? ", " : "");
    g_autofree char *text =
        owner != NULL ? g_strdup_printf(_("%smade by %s %s"), place, value_text_at(owner, "kind"),
                                        value_text_at(owner, "name"))
                      : g_strdup(place);
    lines_add_folded(lines, STYLE_DIM, text, width, 2);
    container_lines(lines, pod, width);
    condition_lines(lines, value_at(pod, "status.conditions"), NULL, width);
    add_events(lines, state, "Pod", object_namespace(pod), object_name(pod), width);
}

static void
node_lines(Lines *lines, TuiState *state, const PictureNode *node, int width)
{
    Look look = node_look(node->node);
    if (node->name == NULL) {
        lines_add(lines, STYLE_BUSY | STYLE_BOLD, _("Pods that no node has been found for"));
        return;
    }
    lines_addf(lines, (int)look.style | STYLE_BOLD, "%s %s  %s", look.glyph, node->name, look.word);
    if (node->node == NULL) {
        lines_add(lines, STYLE_DIM, _("its kubelet has not registered it yet"));
        return;
    }
    g_autofree char *text = g_strdup_printf(
        _("%s %s, %d pods; requested: cpu %dm of %dm, memory %dMi of %dMi"),
        value_text_at(node->node, "status.nodeInfo.kubeletVersion"), node_internal_ip(node->node),
        (int)node->pods->len, (int)node->milli_cpu, (int)node->milli_cpu_max,
        (int)(node->memory >> 20), (int)(node->memory_max >> 20));
    lines_add_folded(lines, STYLE_NORMAL, text, width, 2);
    VALUE_ARRAY_FOREACH (taint, value_at(node->node, "spec.taints"))
        lines_addf(lines, STYLE_BUSY, _("taint %s:%s"), value_text_at(taint, "key"),
                   value_text_at(taint, "effect"));
    condition_lines(lines, value_at(node->node, "status.conditions"), "Ready", width);
    add_events(lines, state, "Node", "", node->name, width);
}

static bool
is_of(const char *label, const char *component)
{
    size_t length = strlen(component);
    return strncmp(label, component, length) == 0 &&
           (label[length] == '\0' || label[length] == '/');
}

/* The last messages that the component sent or got, newest first. */
static void
message_lines(Lines *lines, TuiState *state, const char *component)
{
    EngineTrace *trace = world_trace(live_world(state->live));
    TraceMessage message;
    int shown = 0;
    for (uint64_t number = engine_trace_message_count(trace);
         number > 0 && shown < MESSAGES_SHOWN && engine_trace_get_message(trace, number, &message);
         number--) {
        if (!is_of(message.from, component) && !is_of(message.to, component))
            continue;
        g_autofree char *time = tui_clock_text(message.time);
        lines_addf(lines, message.lost ? STYLE_BAD : STYLE_NORMAL, "%s %s → %s  %s%s",
                   time + strlen("2026-01-01 "), message.from, message.to, message.label,
                   message.lost ? _(" (lost)") : "");
        shown++;
    }
    if (shown == 0)
        lines_add(lines, STYLE_DIM, _("no messages lately"));
}

Lines *
cluster_details(const ClusterView *view, TuiState *state, int width)
{
    Lines *lines = lines_new();
    const PictureNode *node = picture_node(view->picture, (guint)view->node);
    const Value *pod = picture_pod(node, view->pod);
    if (view->zone == ZONE_CONTROL) {
        if (view->picture->n_components == 0)
            return lines;
        const PictureComponent *component = &view->picture->components[view->component];
        lines_addf(lines, (int)component->look.style | STYLE_BOLD, "%s %s  %s",
                   component->look.glyph, component->name, component->look.word);
        message_lines(lines, state, component->name);
    } else if (pod != NULL) {
        pod_lines(lines, state, pod, width);
    } else if (node != NULL) {
        node_lines(lines, state, node, width);
    }
    return lines;
}
