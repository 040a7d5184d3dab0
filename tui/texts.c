/* What can be told about what is selected: each function makes the lines of one text view. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/cluster/inspect.h"
#include "core/object/yaml.h"
#include "sim/engine/why.h"
#include "tui/events.h"
#include "tui/state.h"

/* ---- opening
 * ----------------------------------------------------------------------------------------------------
 */

static bool
chosen_object(TuiState *state, TuiTarget *ret_target)
{
    if (tui_target(state, ret_target) && ret_target->resource != NULL)
        return true;
    tui_note(state, STYLE_BUSY, _("choose an object first"));
    return false;
}

static void
open_text(TuiState *state, const char *what, TextMakeFunc make, bool live)
{
    TuiTarget target;
    if (!chosen_object(state, &target))
        return;
    g_autofree char *title = g_strdup_printf("%s: %s %s%s%s", what, target.kind, target.namespace_,
                                             *target.namespace_ != '\0' ? "/" : "", target.name);
    tui_push(state, view_text_new(title, &target, make, live));
}

/* ---- YAML
 * ---------------------------------------------------------------------------------------------------------
 */

static void
make_yaml(TuiState *state, const TuiTarget *target, Lines *lines)
{
    const Value *object = world_peek(live_world(state->live), target->group, target->resource,
                                     target->namespace_, target->name);
    if (object == NULL) {
        lines_add(lines, STYLE_DIM, _("it does not exist any more"));
        return;
    }
    /* Who wrote which field fills pages: kubectl leaves it out as well. */
    g_autoptr(Value) shown = value_remove_at(object, "metadata.managedFields");
    g_autofree char *text = yaml_text(shown);
    lines_add_text(lines, STYLE_NORMAL, text);
}

void
open_yaml(TuiState *state)
{
    open_text(state, _("YAML"), make_yaml, true);
}

/* ---- kubectl
 * --------------------------------------------------------------------------------------------------------
 */

#define OUTPUT_BYTES_MAX (4 * 1024 * 1024)

static void
write_output(int stream, const char *text, size_t length, void *data)
{
    TuiState *state = data;
    size_t room = OUTPUT_BYTES_MAX - MIN(state->running->len, OUTPUT_BYTES_MAX);
    g_string_append_len(state->running, text, (gssize)MIN(length, room));
    if (state->wake != NULL)
        state->wake(state->wake_data);
}

static bool
is_cancelled(void *data)
{
    const TuiState *state = data;
    return state->cancelled || state->left;
}

/* Runs a line; while it waits, events come in and the screen is drawn. */
static int
run_kubectl(TuiState *state, const char *line, Lines *lines)
{
    const TuiOutput output = {write_output, is_cancelled, state};
    if (state->options->kubectl == NULL) {
        lines_add(lines, STYLE_BAD, _("there is no kubectl in this program"));
        return 1;
    }
    if (state->running != NULL) /* one at a time */
        return 1;
    state->running = g_string_new(NULL);
    state->cancelled = false;
    if (state->wake != NULL)
        state->wake(state->wake_data);
    int status = state->options->kubectl(state->live, line, &output, state->options->data);
    lines_add_text(lines, status == 0 ? STYLE_NORMAL : STYLE_BUSY, state->running->str);
    g_string_free(g_steal_pointer(&state->running), TRUE);
    return status;
}

static char *
kubectl_line(const char *verb, const TuiTarget *target, const char *flags)
{
    const char *dot = *target->group != '\0' ? "." : "";
    g_autofree char *namespace_ =
        *target->namespace_ != '\0' ? g_strdup_printf(" -n %s", target->namespace_) : g_strdup("");
    return g_strdup_printf("%s %s%s%s/%s%s%s", verb, target->resource, dot, target->group,
                           target->name, namespace_, flags);
}

static void
make_describe(TuiState *state, const TuiTarget *target, Lines *lines)
{
    g_autofree char *line = kubectl_line("describe", target, "");
    run_kubectl(state, line, lines);
}

void
open_describe(TuiState *state)
{
    open_text(state, _("describe"), make_describe, false);
}

static void
make_logs(TuiState *state, const TuiTarget *target, Lines *lines)
{
    g_autofree char *line = kubectl_line("logs", target, " --all-containers --tail=1000");
    run_kubectl(state, line, lines);
    if (lines->len == 0)
        lines_add(lines, STYLE_DIM, _("no logs"));
}

void
open_logs(TuiState *state)
{
    open_text(state, _("logs"), make_logs, false);
    if (tui_top(state)->class->filter != NULL)
        view_text_follow(tui_top(state));
}

static void
make_transcript(TuiState *state, const TuiTarget *target, Lines *lines)
{
    for (guint i = 0; i < state->transcript->len; i++)
        lines_add(lines, lines_item(state->transcript, i)->style,
                  lines_item(state->transcript, i)->text);
    if (state->running != NULL)
        lines_add_text(lines, STYLE_NORMAL, state->running->str);
    else if (state->transcript->len == 0)
        lines_add(lines, STYLE_DIM, _("no command has been run yet: press !"));
}

void
open_transcript(TuiState *state)
{
    if (view_text_shows(tui_top(state), make_transcript)) {
        view_text_follow(tui_top(state));
        return;
    }
    TuiView *view = view_text_new(_("kubectl"), NULL, make_transcript, true);
    view_text_follow(view);
    tui_push(state, view);
}

#define TRANSCRIPT_LINES_MAX 5000

void
kubectl_run_in_pane(TuiState *state, const char *line)
{
    if (g_str_has_prefix(line, "kubectl "))
        line += strlen("kubectl ");
    g_autoptr(GPtrArray) output = lines_new();
    lines_addf(state->transcript, STYLE_KEY | STYLE_BOLD, "$ kubectl %s", line);
    open_transcript(state);
    int status = run_kubectl(state, line, output);
    for (guint i = 0; i < output->len; i++)
        lines_add(state->transcript, lines_item(output, i)->style, lines_item(output, i)->text);
    if (status != 0)
        lines_addf(state->transcript, STYLE_BAD, _("(exit status %d)"), status);
    if (state->transcript->len > TRANSCRIPT_LINES_MAX)
        g_ptr_array_remove_range(state->transcript, 0,
                                 state->transcript->len - TRANSCRIPT_LINES_MAX);
    lesson_typed(state, line, status);
}

/* ---- events, why
 * ------------------------------------------------------------------------------------------------------
 */

static void
make_events(TuiState *state, const TuiTarget *target, Lines *lines)
{
    events_add_lines(lines, live_world(state->live), target->kind, target->namespace_, target->name,
                     LINES_MAX, 0);
    if (lines->len == 0)
        lines_add(lines, STYLE_DIM, _("no events"));
}

void
open_events(TuiState *state)
{
    open_text(state, _("events"), make_events, true);
}

static void
make_why(TuiState *state, const TuiTarget *target, Lines *lines)
{
    g_autofree char *subject =
        *target->namespace_ != '\0'
            ? g_strdup_printf("%s/%s/%s", target->kind, target->namespace_, target->name)
            : g_strdup_printf("%s/%s", target->kind, target->name);
    g_autoptr(GPtrArray) why = world_why(live_world(state->live), subject);
    for (guint i = 0; i < why->len; i++)
        lines_add_folded(lines, i == 0 ? STYLE_BOLD : STYLE_NORMAL, why->pdata[i],
                         MAX(tui_body(state).width - 2, 20), 16);
    if (why->len == 0)
        lines_addf(lines, STYLE_DIM, _("nothing is remembered about %s"), subject);
}

void
open_why(TuiState *state)
{
    open_text(state, _("why"), make_why, true);
}

/* ---- the scheduler's verdict
 * --------------------------------------------------------------------------------------------- */

static void
verdict_node(const Value *node, Lines *lines)
{
    const char *name = value_text_at(node, "name");
    if (!value_bool_at(node, "feasible")) {
        const Value *last =
            value_item(value_at(node, "filters"), value_size(value_at(node, "filters")) - 1);
        GString *reasons = g_string_new(NULL);
        VALUE_ARRAY_FOREACH (reason, value_at(last, "reasons"))
            g_string_append_printf(reasons, "%s%s", reasons->len > 0 ? "; " : "",
                                   value_text(reason));
        lines_addf(lines, STYLE_BAD, "✖ %-20s %-22s %s", name, value_text_at(last, "plugin"),
                   reasons->str);
        g_string_free(reasons, TRUE);
        return;
    }
    bool selected = value_bool_at(node, "selected");
    lines_addf(lines, selected ? STYLE_GOOD | STYLE_BOLD : STYLE_NORMAL,
               _("%s %-20s fits, score %d%s"), selected ? "●" : "○", name,
               (int)value_int_at(node, "total"), selected ? _("  chosen") : "");
    VALUE_ARRAY_FOREACH (score, value_at(node, "scores"))
        lines_addf(lines, STYLE_DIM, "    %-30s %4d × %d = %d", value_text_at(score, "plugin"),
                   (int)value_int_at(score, "normalized"), (int)value_int_at(score, "weight"),
                   (int)value_int_at(score, "weighted"));
}

static void
make_verdict(TuiState *state, const TuiTarget *target, Lines *lines)
{
    g_autofree char *key = g_strdup_printf("%s/%s", target->namespace_, target->name);
    g_autoptr(Value) verdict = cluster_explain_pod(world_cluster(live_world(state->live)), key);
    if (verdict == NULL) {
        lines_add_folded(lines, STYLE_DIM,
                         _("The scheduler remembers no decision about this pod: it was placed by "
                           "somebody else, long ago, or the scheduler has not run since."),
                         MAX(tui_body(state).width - 2, 20), 0);
        return;
    }
    const char *node = value_text_at(verdict, "node"), *message = value_text_at(verdict, "message");
    lines_addf(lines, STYLE_TITLE | STYLE_BOLD, _("%d nodes, %d looked at, %d fit: %s%s"),
               (int)value_int_at(verdict, "allNodes"), (int)value_int_at(verdict, "evaluatedNodes"),
               (int)value_int_at(verdict, "feasibleNodes"),
               *node != '\0' ? _("chosen is ") : _("none is chosen"), node);
    if (*message != '\0')
        lines_add_folded(lines, STYLE_NORMAL, message, MAX(tui_body(state).width - 2, 20), 2);
    VALUE_ARRAY_FOREACH (item, value_at(verdict, "nodes"))
        verdict_node(item, lines);
}

void
open_verdict(TuiState *state)
{
    TuiTarget target;
    if (!chosen_object(state, &target))
        return;
    if (strcmp(target.kind, "Pod") != 0)
        tui_note(state, STYLE_BUSY, _("choose a pod first"));
    else
        open_text(state, _("verdict"), make_verdict, true);
}

/* ---- help
 * -------------------------------------------------------------------------------------------------------------------
 */

void
open_help(TuiState *state)
{
    tui_push(state, view_text_new(_("help"), NULL, tui_help_lines, false));
}
