/* The fault menu: what is broken can be mended, what is whole can be broken. The target is what is
 * selected; what the selection does not tell is asked for in the prompt. */
#include <glib/gi18n.h>
#include <string.h>

#include "tui/state.h"

#define FAULTS_ACTIVE_MAX 100

/* ---- filling in a spec
 * ---------------------------------------------------------------------------------------------- */

/* A field of the target as the selection gives it, or NULL. */
static const char *
field_of(const TuiTarget *target, const char *field)
{
    bool pod = target->kind != NULL && strcmp(target->kind, "Pod") == 0;
    if (strcmp(field, "pod") == 0)
        return pod ? target->name : NULL;
    if (strcmp(field, "namespace") == 0)
        return target->namespace_ != NULL && *target->namespace_ != '\0' ? target->namespace_
                                                                         : NULL;
    if (strcmp(field, "name") == 0)
        return target->name;
    if (strcmp(field, "kind") == 0)
        return target->kind;
    if (strcmp(field, "process") == 0)
        return target->process;
    if (strcmp(field, "node") == 0 || strcmp(field, "from") == 0)
        return target->node != NULL && *target->node != '\0' ? target->node : NULL;
    return NULL;
}

static char **
target_fields(const FaultClass *class)
{
    char **fields = g_strsplit(class->target, " ", -1);
    for (size_t i = 0; fields[i] != NULL; i++)
        g_strdelimit(fields[i], "!", '\0');
    return fields;
}

static bool
is_required(const FaultClass *class, const char *field)
{
    g_autofree char *marked = g_strconcat(field, "!", NULL);
    g_auto(GStrv) fields = g_strsplit(class->target, " ", -1);
    return g_strv_contains((const char *const *)fields, marked);
}

static Value *
spec_for(const FaultClass *class, const TuiTarget *target)
{
    g_auto(GStrv) fields = target_fields(class);
    Value *spec = value_new_f("{type: %s, target: {}}", class->type);
    for (size_t i = 0; fields[i] != NULL; i++) {
        const char *text = field_of(target, fields[i]);
        if (text == NULL)
            continue;
        g_autofree char *path = g_strconcat("target.", fields[i], NULL);
        value_edit(&spec, path, value_new_string(text));
    }
    return spec;
}

static char *
target_text(const Value *spec)
{
    GString *text = g_string_new(NULL);
    VALUE_MAP_FOREACH (key, value, value_get(spec, "target"))
        if (strcmp(key, "namespace") != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", value_text(value));
    return g_string_free(text, FALSE);
}

/* ---- starting
 * ---------------------------------------------------------------------------------------------------------
 */

static void ask_next(TuiState *state);

static void
start(TuiState *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) spec = g_steal_pointer(&state->fault);
    const FaultClass *class = fault_class(value_text_at(spec, "type"));
    g_autofree char *target = target_text(spec);
    live_catch_up(state->live);
    if (!world_fault(live_world(state->live), spec, "the dashboard", &error)) {
        tui_note(state, STYLE_BAD, "%s", error->message);
        return;
    }
    if (class->stop != NULL && state->faults->len < FAULTS_ACTIVE_MAX)
        g_ptr_array_add(state->faults, value_new_f("{spec: %v, at: %i}", spec,
                                                   world_now(live_world(state->live))));
    tui_note(state, STYLE_BAD, "%s: %s", _(class->title), target);
}

/* The first required field that is missing; owned. */
static char *
missing_field(const Value *spec)
{
    const FaultClass *class = fault_class(value_text_at(spec, "type"));
    g_auto(GStrv) fields = target_fields(class);
    for (size_t i = 0; fields[i] != NULL; i++)
        if (*fields[i] != '\0' && is_required(class, fields[i]) &&
            !value_has(value_get(spec, "target"), fields[i]))
            return g_strdup(fields[i]);
    return NULL;
}

static void
field_given(TuiState *state, const char *text)
{
    g_autofree char *field = state->fault != NULL ? missing_field(state->fault) : NULL;
    if (field == NULL || *text == '\0') {
        g_clear_pointer(&state->fault, value_unref);
        return;
    }
    g_autofree char *path = g_strconcat("target.", field, NULL);
    value_edit(&state->fault, path, value_new_string(text));
    ask_next(state);
}

/* "factor=20 resource=disk": numbers and words. */
static void
parameters_given(TuiState *state, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " ,", -1);
    for (size_t i = 0; words[i] != NULL && state->fault != NULL; i++) {
        char *equals = strchr(words[i], '=');
        if (equals == NULL)
            continue;
        *equals++ = '\0';
        gint64 number;
        Value *value = g_ascii_string_to_signed(equals, 10, G_MININT64, G_MAXINT64, &number, NULL)
                           ? value_new_int(number)
                           : value_new_string(equals);
        const Value *old = value_get(state->fault, "parameters");
        Value *parameters = old != NULL ? value_ref(old) : value_new_map();
        value_replace(&parameters, value_set(parameters, words[i], value));
        value_edit(&state->fault, "parameters", parameters);
    }
    if (state->fault != NULL)
        start(state);
}

static void
ask_next(TuiState *state)
{
    const FaultClass *class = fault_class(value_text_at(state->fault, "type"));
    g_autofree char *field = missing_field(state->fault);
    if (field != NULL) {
        g_autofree char *label = g_strdup_printf("%s: %s: ", _(class->title), field);
        prompt_ask(state, label, _("enter: go on; esc: leave it"), field_given);
    } else if (*class->parameters != '\0') {
        g_autofree char *label = g_strdup_printf(_("%s, with: "), _(class->title));
        g_autofree char *help =
            g_strdup_printf(_("name=value, or nothing; %s"), _(class->parameters));
        prompt_ask(state, label, help, parameters_given);
    } else {
        start(state);
    }
}

static const Value *
active_spec(const TuiState *state, guint index)
{
    return value_get(state->faults->pdata[index], "spec");
}

void
faults_forget_future(TuiState *state)
{
    int64_t now = world_now(live_world(state->live));
    for (guint i = state->faults->len; i > 0; i--)
        if (value_int_at(state->faults->pdata[i - 1], "at") > now)
            g_ptr_array_remove_index(state->faults, i - 1);
}

static void
mend(TuiState *state, guint index)
{
    g_autoptr(GError) error = NULL;
    const Value *spec = active_spec(state, index);
    const FaultClass *class = fault_class(value_text_at(spec, "type"));
    live_catch_up(state->live);
    if (!world_fault_stop(live_world(state->live), spec, "the dashboard", &error)) {
        tui_note(state, STYLE_BAD, "%s", error->message);
    } else {
        g_autofree char *target = target_text(spec);
        tui_note(state, STYLE_GOOD, _("mended: %s: %s"), _(class->title), target);
    }
    g_ptr_array_remove_index(state->faults, index);
}

/* ---- the menu
 * ------------------------------------------------------------------------------------------------------------
 */

static void
chosen(TuiState *state, guint index)
{
    TuiTarget target = {0};
    if (index < state->faults->len) {
        mend(state, index);
        return;
    }
    tui_target(state, &target);
    const FaultClass *class = fault_class_item(index - state->faults->len);
    value_replace(&state->fault, spec_for(class, &target));
    ask_next(state);
}

void
fault_menu(TuiState *state)
{
    TuiTarget target = {0};
    tui_target(state, &target);
    menu_free(state->menu);
    state->menu = menu_new(_("Break or mend"), chosen);
    for (guint i = 0; i < state->faults->len; i++) {
        const Value *spec = active_spec(state, i);
        const FaultClass *class = fault_class(value_text_at(spec, "type"));
        g_autofree char *text = g_strdup_printf(_("mend: %s"), _(class->title));
        g_autofree char *note = target_text(spec);
        menu_add(state->menu, 0, false, text, note);
    }
    for (size_t i = 0; i < fault_class_count(); i++) {
        const FaultClass *class = fault_class_item(i);
        g_autoptr(Value) spec = spec_for(class, &target);
        g_autofree char *note = target_text(spec);
        g_autofree char *missing = missing_field(spec);
        menu_add(state->menu, 0, false, _(class->title), missing != NULL ? "…" : note);
    }
    state->menu->selected = state->faults->len;
}
