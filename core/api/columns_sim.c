/* Columns of the kinds that a simulated cluster has beside Kubernetes'. */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/object/selector.h"

#define SIM_GROUP "sim.timonel.dev"

static const Column fault_columns[] = {
    COLUMN_NAME,
    {"Type", "string", "What goes wrong", NULL, 0},
    {"Target", "string", "What it strikes", NULL, 0},
    {"Phase", "string", "Where the fault is in its life", NULL, 0},
    COLUMN_AGE,
    {"Message", "string", "Why it failed, or what it struck", NULL, 1},
};

/* "pod/default/web-1", "pod app=web", "node/worker-1", "kubelet node/worker-1": what is given, from left to right. */
static char *
target_text(const Value *target)
{
    const char *kind = value_text(value_get(target, "kind")), *name = value_text(value_get(target, "name"));
    const char *namespace_ = value_text(value_get(target, "namespace")), *node = value_text(value_get(target, "node"));
    const char *component = value_text(value_get(target, "component"));
    const Value *labels = value_get(target, "selector");
    GString *text = g_string_new(component);

    if (*kind != '\0' || *name != '\0' || *namespace_ != '\0') {
        g_autofree char *lower = g_ascii_strdown(kind, -1);
        const char *parts[] = {lower, namespace_, name};
        bool first = true;

        g_string_append(text, text->len > 0 ? " " : "");
        for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
            if (*parts[i] == '\0')
                continue;
            g_string_append_printf(text, "%s%s", first ? "" : "/", parts[i]);
            first = false;
        }
    }
    if (value_size(labels) > 0) {
        g_autoptr(Selector) selector = selector_from_object(labels, NULL);
        g_autofree char *chosen = selector != NULL ? selector_text(selector) : g_strdup("<error>");

        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", chosen);
    }
    if (*node != '\0')
        g_string_append_printf(text, "%snode/%s", text->len > 0 ? " " : "", node);
    if (text->len == 0)
        g_string_append(text, "<cluster>");
    return g_string_free(text, FALSE);
}

static void
fault_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_value(row, value_at(object, "spec.type"));
    row_take(row, target_text(value_at(object, "spec.target")));
    row_value_or(row, value_at(object, "status.phase"), "Pending");
    row_age(row, object);
    row_value(row, value_at(object, "status.message"));
}

static const Column clock_columns[] = {
    COLUMN_NAME,
    {"Pace", "string", "How fast virtual time passes", NULL, 0},
    {"Now", "string", "Virtual time when the object was last written", NULL, 0},
};

static void
clock_fill(Row *row, const Value *object)
{
    const Value *pace = value_at(object, "status.pace");

    row_name(row, object);
    row_value(row, pace != NULL ? pace : value_at(object, "spec.pace"));
    row_value_or(row, value_at(object, "status.now"), "<unknown>");
}

static const Column session_columns[] = {
    COLUMN_NAME,
    {"Seed", "string", "Seed from which everything random follows", NULL, 0},
    {"Version", "string", "Version of the program", NULL, 0},
    {"Backend", "string", "Back end of the nodes", NULL, 1},
    {"Recording", "string", "Where the inputs are recorded", NULL, 1},
};

static void
session_fill(Row *row, const Value *object)
{
    const Value *status = value_get(object, "status");

    row_name(row, object);
    row_value(row, value_get(status, "seed"));
    row_value(row, value_get(status, "programVersion"));
    row_value(row, value_get(status, "backend"));
    row_value_or(row, value_get(status, "recording"), "<none>");
}

const ColumnTable column_tables_sim[] = {
    COLUMN_TABLE(SIM_GROUP, "Fault", fault_columns, fault_fill),
    COLUMN_TABLE(SIM_GROUP, "Clock", clock_columns, clock_fill),
    COLUMN_TABLE(SIM_GROUP, "Session", session_columns, session_fill),
    {0},
};
