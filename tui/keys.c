/* The keys that work in every view, and the help made from all key tables. */
#include <glib/gi18n.h>

#include "tui/look.h"
#include "tui/state.h"

/* ---- time
 * --------------------------------------------------------------------------------------------------------
 */

static const int64_t FACTORS[] = {100,   250,   500,   1000,   2000,   5000,
                                  10000, 30000, 60000, 300000, 600000, 3600000};

static void
pause_or_go(TuiState *state)
{
    if (live_pace(state->live)->mode == PACE_PAUSED)
        live_resume(state->live);
    else
        live_pause(state->live);
}

static void
step(TuiState *state)
{
    if (live_pace(state->live)->mode != PACE_PAUSED)
        live_pause(state->live);
    live_step(state->live);
}

static void
step_second(TuiState *state)
{
    if (live_pace(state->live)->mode != PACE_PAUSED)
        live_pause(state->live);
    live_step_for(state->live, NS_PER_S);
}

static void
faster(TuiState *state)
{
    const Pace *pace = live_pace(state->live);
    if (pace->mode == PACE_MAX)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(FACTORS); i++)
        if (FACTORS[i] > pace->factor) {
            live_set_factor(state->live, FACTORS[i]);
            return;
        }
    live_set_max(state->live);
}

static void
slower(TuiState *state)
{
    const Pace *pace = live_pace(state->live);
    int64_t factor = pace->mode == PACE_MAX ? INT64_MAX : pace->factor;
    for (size_t i = G_N_ELEMENTS(FACTORS); i > 0; i--)
        if (FACTORS[i - 1] < factor) {
            live_set_factor(state->live, FACTORS[i - 1]);
            return;
        }
}

static void
back_in_time(TuiState *state)
{
    g_autoptr(GError) error = NULL;
    int64_t now = world_now(live_world(state->live));
    if (!live_rewind(state->live, now - 10 * NS_PER_S, &error)) {
        tui_note(state, STYLE_BAD, "%s", error->message);
        return;
    }
    faults_forget_future(state);
    tui_note(state, STYLE_DONE,
             _("back by 10 seconds: what follows may be changed now; space goes on"));
}

/* ---- the rest
 * ----------------------------------------------------------------------------------------------------
 */

static void
open_command(TuiState *state)
{
    prompt_open(state, PROMPT_COMMAND, ":", NULL);
}

static void
open_filter(TuiState *state)
{
    if (tui_top(state)->class->filter == NULL)
        command_run(state, "pods");
    prompt_open(state, PROMPT_FILTER, "/", NULL);
}

static void
open_kubectl(TuiState *state)
{
    if (state->options->kubectl == NULL)
        tui_note(state, STYLE_BAD, _("there is no kubectl in this program"));
    else
        prompt_open(state, PROMPT_KUBECTL, "kubectl ", NULL);
}

static void
leave_chosen(TuiState *state, guint index)
{
    state->left = index < 2;
    state->outcome = index == 0 ? TUI_STOP : TUI_KEEP;
}

static void
ask_to_leave(TuiState *state)
{
    menu_free(state->menu);
    state->menu = menu_new(_("Leave the dashboard?"), leave_chosen);
    menu_add(state->menu, 's', false, _("stop the cluster"), "s");
    menu_add(state->menu, 'k', !state->options->can_keep, _("keep it running without a dashboard"),
             "k");
    menu_add(state->menu, 'c', false, _("cancel"), _("esc"));
    state->menu->selected = 2;
}

static void
quit(TuiState *state)
{
    if (state->views->len > 1)
        tui_pop(state);
    else
        ask_to_leave(state);
}

const TuiKey TUI_KEYS[] = {
    {'?', NULL, N_("this help"), N_("help"), open_help},
    {' ', N_("space"), N_("pause and go on"), N_("pause"), pause_or_go},
    {'f', NULL, N_("break something, or mend it"), N_("break"), fault_menu},
    {'w', NULL, N_("why is it so? the chain of causes"), N_("why"), open_why},
    {'!', NULL, N_("a kubectl command line"), N_("kubectl"), open_kubectl},
    {'k', NULL, NULL, NULL, open_kubectl},
    {':', NULL, N_("a command: a kind such as pods, a view, quit; tab completes"), N_("command"),
     open_command},
    {'y', NULL, N_("the object as YAML"), N_("YAML"), open_yaml},
    {'d', NULL, N_("describe the object"), NULL, open_describe},
    {'l', NULL, N_("the pod's logs"), N_("logs"), open_logs},
    {'e', NULL, N_("the object's events"), NULL, open_events},
    {'v', NULL, N_("the scheduler's verdict on each node for this pod"), NULL, open_verdict},
    {'o', NULL, N_("output of the kubectl commands so far"), NULL, open_transcript},
    {'+', NULL, N_("faster; - slower"), N_("faster"), faster},
    {'>', NULL, NULL, NULL, faster},
    {'-', NULL, NULL, NULL, slower},
    {'<', NULL, NULL, NULL, slower},
    {'.', NULL, N_("one event"), NULL, step},
    {',', NULL, N_("one second"), NULL, step_second},
    {'b', NULL, N_("ten seconds back in time"), N_("back"), back_in_time},
    {'/', NULL, N_("filter a table"), NULL, open_filter},
    {'h', NULL, N_("a hint for the lesson's step"), NULL, lesson_hint},
    {'t', NULL, N_("show and hide the lesson"), NULL, lesson_toggle},
    {'n', NULL, N_("the lesson's next step"), NULL, lesson_next},
    {TUI_KEY_ESCAPE, N_("esc"), N_("back to the view before"), NULL, tui_pop},
    {'q', NULL, N_("back; from the picture: leave"), N_("quit"), quit},
    {TUI_CTRL('c'), N_("ctrl-c"), N_("leave"), NULL, ask_to_leave},
    {0},
};

static void
help_of_keys(Lines *lines, const TuiKey *keys)
{
    for (const TuiKey *key = keys; key->run != NULL; key++) {
        char letter[8] = {0};
        if (key->help == NULL)
            continue;
        if (key->key < TUI_KEY_UP)
            letter[g_unichar_to_utf8((gunichar)key->key, letter)] = '\0';
        const char *label = key->label != NULL ? _(key->label) : letter;
        lines_addf(lines, STYLE_NORMAL, "  %s%*s %s", label, MAX(10 - text_columns(label), 0), "",
                   _(key->help));
    }
}

void
tui_help_lines(TuiState *state, const TuiTarget *target, Lines *lines)
{
    lines_add(lines, STYLE_TITLE | STYLE_BOLD, _("In this view"));
    guint count = state->views->len;
    const TuiView *below = state->views->pdata[count > 1 ? count - 2 : 0];
    help_of_keys(lines, below->class->keys);
    lines_add(lines, STYLE_NORMAL, "");
    lines_add(lines, STYLE_TITLE | STYLE_BOLD, _("Everywhere"));
    help_of_keys(lines, TUI_KEYS);
    lines_add(lines, STYLE_NORMAL, "");
    lines_add(lines, STYLE_TITLE | STYLE_BOLD, _("Pods in the picture"));
    for (size_t i = 0; legend_item(i).glyph != NULL; i++)
        lines_addf(lines, (int)legend_item(i).style, "  %s %s", legend_item(i).glyph,
                   legend_item(i).word);
    lines_add(lines, STYLE_NORMAL, "");
    lines_add(lines, STYLE_TITLE | STYLE_BOLD, _("From another terminal"));
    if (state->options->kubeconfig != NULL)
        lines_addf(lines, STYLE_NORMAL, "  export KUBECONFIG=%s", state->options->kubeconfig);
    else
        lines_add(lines, STYLE_NORMAL, _("  nobody else can reach this cluster"));
}
