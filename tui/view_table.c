/* A table of any kind. The rows are one version of the kind's objects; only those in sight are made
 * into cells, unless a filter or an order asks for all. The selection stays on its object. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/api/columns.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/pmap.h"
#include "tui/look.h"
#include "tui/state.h"

#define COLUMNS_MAX 24
#define COLUMN_WIDTH_MAX 50
#define COLUMN_WIDTH_MIN 12

typedef struct TableView {
    TuiView base;
    char *group, *resource, *kind;
    bool namespaced;
    char *namespace_; /* NULL: all */
    char *filter;     /* casefolded, or NULL */
    int sort;         /* column, or -1: by name */
    bool descending, wide;
    PMap *objects;   /* the version that rows are of */
    bool stale;      /* filter or order changed */
    GPtrArray *rows; /* of const Value */
    int selected, first;
    char *selected_key;
    Value *table; /* of the rows in sight */
    int widths[COLUMNS_MAX];
} TableView;

static TableView *
table_view(TuiView *view)
{
    return (TableView *)view;
}

static const Value *
selected_object(const TableView *view)
{
    return (guint)view->selected < view->rows->len ? view->rows->pdata[view->selected] : NULL;
}

/* ---- rows
 * --------------------------------------------------------------------------------------------------------
 */

static char *
cell_text(const Value *cell)
{
    if (value_type(cell) == VALUE_INT)
        return g_strdup_printf("%" G_GINT64_FORMAT, value_int(cell));
    if (value_type(cell) == VALUE_BOOL)
        return g_strdup(value_bool(cell) ? "true" : "false");
    return g_strdup(value_text(cell));
}

/* Rows from..from + count as a Table. */
static Value *
make_table(const TableView *view, World *world, guint from, guint count)
{
    const ApiKind *kind =
        api_types_by_resource(world_types(world), view->group, NULL, view->resource);
    ValueBuilder *items = value_builder_new_array();
    for (guint i = from; i < from + count && i < view->rows->len; i++)
        value_builder_append(items, value_ref(view->rows->pdata[i]));
    g_autoptr(Value) list = value_new_f("{items: %V}", value_builder_end(items));
    return kind != NULL ? api_table(kind, list, "None", world_now(world), true) : NULL;
}

static bool
row_matches(const Value *row, const Value *object, const char *filter)
{
    g_autofree char *namespace_ = g_utf8_casefold(object_namespace(object), -1);
    if (strstr(namespace_, filter) != NULL)
        return true;
    VALUE_ARRAY_FOREACH (cell, value_get(row, "cells")) {
        g_autofree char *text = cell_text(cell);
        g_autofree char *folded = g_utf8_casefold(text, -1);
        if (strstr(folded, filter) != NULL)
            return true;
    }
    return false;
}

typedef struct SortRow {
    const Value *object;
    const Value *cell; /* borrowed of the table */
    int64_t created;   /* for the column Age; else 0 */
    guint index;       /* equal ones stay in order */
} SortRow;

static int
compare_rows(const void *a, const void *b, void *data)
{
    const SortRow *left = a, *right = b;
    int order;
    if (left->created != right->created)
        order = left->created > right->created ? -1 : 1; /* the youngest has the smallest age */
    else if (value_type(left->cell) == value_type(right->cell))
        order = value_compare(left->cell, right->cell);
    else
        order = (int)value_type(left->cell) - (int)value_type(right->cell);
    if (order == 0)
        return left->index < right->index ? -1 : 1;
    return *(const bool *)data ? -order : order;
}

/* Leaves in rows what the filter lets through, in the order asked for. */
static void
filter_and_sort(TableView *view, World *world)
{
    bool filtered = view->filter != NULL && *view->filter != '\0';
    if (!filtered && view->sort < 0)
        return;
    g_autoptr(Value) table = make_table(view, world, 0, view->rows->len);
    const Value *rows = value_get(table, "rows");
    const Value *column = value_item(value_get(table, "columnDefinitions"), (size_t)view->sort);
    bool by_age = view->sort >= 0 && strcmp(value_text_at(column, "name"), "Age") == 0;
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(SortRow));
    for (guint i = 0; i < view->rows->len; i++) {
        const Value *object = view->rows->pdata[i], *row = value_item(rows, i);
        if (filtered && !row_matches(row, object, view->filter))
            continue;
        SortRow item = {.object = object, .index = i};
        if (view->sort >= 0)
            item.cell = value_item(value_get(row, "cells"), (size_t)view->sort);
        if (by_age)
            item = (SortRow){.object = object, .index = i, .created = object_creation_time(object)};
        g_array_append_val(sorted, item);
    }
    if (view->sort >= 0)
        g_array_sort_with_data(sorted, compare_rows, &view->descending);
    g_ptr_array_set_size(view->rows, 0);
    for (guint i = 0; i < sorted->len; i++)
        g_ptr_array_add(view->rows, (void *)g_array_index(sorted, SortRow, i).object);
}

static void
collect_rows(TableView *view, World *world)
{
    PMap *objects = world_objects(world, view->group, view->resource);
    if (objects == view->objects && !view->stale)
        return;
    if (objects != NULL)
        pmap_ref(objects);
    g_ptr_array_set_size(view->rows, 0);
    pmap_unref(view->objects);
    view->objects = objects;
    view->stale = false;
    g_autofree char *prefix =
        view->namespace_ != NULL ? g_strconcat(view->namespace_, "/", NULL) : g_strdup("");
    PMapIter iter = {0};
    if (objects != NULL)
        iter = pmap_seek_prefix(objects, prefix);
    while (objects != NULL && pmap_next(&iter))
        g_ptr_array_add(view->rows, iter.value);
    filter_and_sort(view, world);
}

/* ---- what is in sight
 * ------------------------------------------------------------------------------------------------
 */

static void
find_selection(TableView *view)
{
    const Value *now = selected_object(view);
    g_autofree char *key = now != NULL ? object_key(now) : NULL;
    if (view->selected_key != NULL && g_strcmp0(key, view->selected_key) != 0)
        for (guint i = 0; i < view->rows->len; i++) {
            g_autofree char *other = object_key(view->rows->pdata[i]);
            if (strcmp(other, view->selected_key) == 0) {
                view->selected = (int)i;
                break;
            }
        }
    view->selected = CLAMP(view->selected, 0, MAX((int)view->rows->len - 1, 0));
    now = selected_object(view);
    g_free(view->selected_key);
    view->selected_key = now != NULL ? object_key(now) : NULL;
}

static bool
is_shown(const TableView *view, const Value *column)
{
    return view->wide || value_int_at(column, "priority") == 0;
}

/* In the table of all namespaces their names come first. */
static int
namespace_width(const TableView *view)
{
    if (!view->namespaced || view->namespace_ != NULL)
        return 0;
    int width = (int)strlen("NAMESPACE");
    for (size_t i = 0; i < value_size(value_get(view->table, "rows")); i++)
        width = MAX(width, (int)strlen(object_namespace(view->rows->pdata[view->first + (int)i])));
    return MIN(width, 24) + 2;
}

/* Takes from the widest column, not from the last ones, what there is no room for. */
static void
squeeze(TableView *view, const Value *columns, size_t count)
{
    int excess = namespace_width(view) + 2 - view->base.rect.width - 2;
    for (size_t i = 0; i < count; i++)
        if (is_shown(view, value_item(columns, i)))
            excess += view->widths[i] + 2;
    for (; excess > 0; excess--) {
        size_t widest = 0;
        for (size_t i = 1; i < count; i++)
            if (is_shown(view, value_item(columns, i)) && view->widths[i] > view->widths[widest])
                widest = i;
        if (view->widths[widest] <= COLUMN_WIDTH_MIN)
            return;
        view->widths[widest]--;
    }
}

static void
measure(TableView *view)
{
    const Value *columns = value_get(view->table, "columnDefinitions");
    size_t count = MIN(value_size(columns), COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *name = value_text_at(value_item(columns, i), "name");
        view->widths[i] = text_columns(name) + ((int)i == view->sort ? 1 : 0);
        VALUE_ARRAY_FOREACH (row, value_get(view->table, "rows")) {
            g_autofree char *text = cell_text(value_item(value_get(row, "cells"), i));
            g_autofree char *valid = g_utf8_make_valid(text, -1);
            view->widths[i] = MAX(view->widths[i], MIN(text_columns(valid), COLUMN_WIDTH_MAX));
        }
    }
    squeeze(view, columns, count);
}

static void
table_refresh(TuiView *base, TuiState *state)
{
    TableView *view = table_view(base);
    World *world = live_world(state->live);
    int rows = MAX(base->rect.height - 1, 1);
    collect_rows(view, world);
    find_selection(view);
    if (view->selected < view->first)
        view->first = view->selected;
    if (view->selected >= view->first + rows)
        view->first = view->selected - rows + 1;
    view->first = CLAMP(view->first, 0, MAX((int)view->rows->len - rows, 0));
    value_unref(view->table);
    view->table = make_table(view, world, (guint)view->first, (guint)rows);
    measure(view);
}

/* ---- drawing
 * -----------------------------------------------------------------------------------------------------------
 */

static void
render_heads(const TableView *view, CellGrid *grid, Rect rect)
{
    const Value *columns = value_get(view->table, "columnDefinitions");
    int x = rect.x + 1, end = rect.x + rect.width, space = namespace_width(view);
    if (space > 0)
        grid_put(grid, x, rect.y, space - 1, STYLE_DIM | STYLE_BOLD, "NAMESPACE");
    x += space;
    for (size_t i = 0; i < MIN(value_size(columns), COLUMNS_MAX) && x < end; i++) {
        const Value *column = value_item(columns, i);
        if (!is_shown(view, column))
            continue;
        g_autofree char *name = g_ascii_strup(value_text_at(column, "name"), -1);
        const char *order = (int)i != view->sort ? "" : view->descending ? "↓" : "↑";
        grid_putf(grid, x, rect.y, MIN(view->widths[i] + 1, end - x), STYLE_DIM | STYLE_BOLD,
                  "%s%s", name, order);
        x += view->widths[i] + 2;
    }
}

static int
cell_style(const TableView *view, const Value *object, const char *column)
{
    if (strcmp(view->resource, "pods") == 0 && strcmp(column, "Status") == 0)
        return (int)pod_look(object).style;
    if (strcmp(view->resource, "nodes") == 0 && strcmp(column, "Status") == 0)
        return (int)node_look(object).style;
    if (strcmp(view->resource, "events") == 0 &&
        strcmp(value_text_at(object, "type"), "Warning") == 0)
        return STYLE_BUSY;
    return STYLE_NORMAL;
}

static void
render_row(const TableView *view, CellGrid *grid, Rect rect, size_t index)
{
    const Value *columns = value_get(view->table, "columnDefinitions");
    const Value *cells = value_get(value_item(value_get(view->table, "rows"), index), "cells");
    const Value *object = view->rows->pdata[view->first + (int)index];
    int y = rect.y + 1 + (int)index, x = rect.x + 1, end = rect.x + rect.width - 1;
    int space = namespace_width(view);
    if (space > 0)
        grid_put(grid, x, y, space - 2, STYLE_NORMAL, object_namespace(object));
    x += space;
    for (size_t i = 0; i < MIN(value_size(columns), COLUMNS_MAX) && x < end; i++) {
        const Value *column = value_item(columns, i);
        if (!is_shown(view, column))
            continue;
        g_autofree char *text = cell_text(value_item(cells, i));
        bool last = i + 1 == value_size(columns); /* a message takes what is left */
        grid_put(grid, x, y, MIN(last ? end - x : view->widths[i], end - x),
                 cell_style(view, object, value_text_at(column, "name")), text);
        x += view->widths[i] + 2;
    }
    if (view->first + (int)index == view->selected)
        grid_mark(grid, rect.x, y, rect.width, STYLE_REVERSE);
}

static void
table_render(const TuiView *base, const TuiState *state, CellGrid *grid, Rect rect)
{
    const TableView *view = (const TableView *)base;
    size_t count = value_size(value_get(view->table, "rows"));
    if (count == 0) {
        bool filtered = view->filter != NULL && *view->filter != '\0';
        g_autofree char *text =
            filtered ? g_strdup_printf(_("no %s here match /%s"), view->resource, view->filter)
            : view->namespace_ != NULL
                ? g_strdup_printf(_("no %s in namespace %s"), view->resource, view->namespace_)
                : g_strdup_printf(_("there are no %s"), view->resource);
        grid_put(grid, rect.x + 1, rect.y, rect.width - 2, STYLE_DIM, text);
        return;
    }
    render_heads(view, grid, rect);
    for (size_t i = 0; i < count && (int)i < rect.height - 1; i++)
        render_row(view, grid, rect, i);
}

static char *
table_title(const TuiView *base, const TuiState *state)
{
    const TableView *view = (const TableView *)base;
    g_autofree char *filter = view->filter != NULL && *view->filter != '\0'
                                  ? g_strdup_printf(" /%s", view->filter)
                                  : g_strdup("");
    const char *place = !view->namespaced          ? ""
                        : view->namespace_ != NULL ? view->namespace_
                                                   : _("all namespaces");
    return g_strdup_printf("%s%s%s%s  %u/%u", view->resource, *place != '\0' ? ": " : "", place,
                           filter, view->rows->len > 0 ? (guint)view->selected + 1 : 0,
                           view->rows->len);
}

/* ---- the view
 * -------------------------------------------------------------------------------------------------------------
 */

static bool
table_target(const TuiView *base, TuiTarget *ret_target)
{
    const TableView *view = (const TableView *)base;
    const Value *object = selected_object(view);
    if (object == NULL)
        return false;
    *ret_target =
        (TuiTarget){view->group,         view->resource, view->kind, object_namespace(object),
                    object_name(object), NULL,           NULL};
    if (strcmp(view->kind, "Pod") == 0)
        ret_target->node = pod_node_name(object),
        ret_target->process = object_label(object, "component");
    if (strcmp(view->kind, "Node") == 0)
        ret_target->node = object_name(object);
    return true;
}

static void
table_filter(TuiView *base, TuiState *state, const char *text)
{
    TableView *view = table_view(base);
    g_free(view->filter);
    view->filter = g_utf8_casefold(text, -1);
    view->stale = true;
    table_refresh(base, state);
}

static void
table_free(TuiView *base)
{
    TableView *view = table_view(base);
    g_free(view->group);
    g_free(view->resource);
    g_free(view->kind);
    g_free(view->namespace_);
    g_free(view->filter);
    g_free(view->selected_key);
    g_ptr_array_unref(view->rows);
    pmap_unref(view->objects);
    value_unref(view->table);
    g_free(view);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------------------
 */

static void
select_row(TuiState *state, int row)
{
    TableView *view = table_view(tui_top(state));
    view->selected = CLAMP(row, 0, MAX((int)view->rows->len - 1, 0));
    g_clear_pointer(&view->selected_key, g_free);
}

static void
move_selection(TuiState *state, int step)
{
    select_row(state, table_view(tui_top(state))->selected + step);
}

static void
row_up(TuiState *state)
{
    move_selection(state, -1);
}

static void
row_down(TuiState *state)
{
    move_selection(state, 1);
}

static void
page_up(TuiState *state)
{
    move_selection(state, -MAX(tui_top(state)->rect.height - 2, 1));
}

static void
page_down(TuiState *state)
{
    move_selection(state, MAX(tui_top(state)->rect.height - 2, 1));
}

static void
first_row(TuiState *state)
{
    select_row(state, 0);
}

static void
last_row(TuiState *state)
{
    select_row(state, G_MAXINT);
}

static void
sort_by_next(TuiState *state)
{
    TableView *view = table_view(tui_top(state));
    const Value *columns = value_get(view->table, "columnDefinitions");
    int count = (int)MIN(value_size(columns), COLUMNS_MAX);
    do
        view->sort++;
    while (view->sort < count && !is_shown(view, value_item(columns, (size_t)view->sort)));
    if (view->sort >= count)
        view->sort = -1;
    view->stale = true;
}

static void
sort_backwards(TuiState *state)
{
    TableView *view = table_view(tui_top(state));
    view->sort = MAX(view->sort, 0);
    view->descending = !view->descending;
    view->stale = true;
}

static void
toggle_wide(TuiState *state)
{
    TableView *view = table_view(tui_top(state));
    view->wide = !view->wide;
}

/* All namespaces, or that of the selected row. */
static void
toggle_namespace(TuiState *state)
{
    TableView *view = table_view(tui_top(state));
    const Value *object = selected_object(view);
    if (!view->namespaced)
        return;
    if (view->namespace_ != NULL)
        g_clear_pointer(&view->namespace_, g_free);
    else
        view->namespace_ = g_strdup(object != NULL ? object_namespace(object) : "default");
    view->stale = true;
}

static const TuiKey KEYS[] = {
    {TUI_KEY_UP, N_("arrows"), N_("choose a row"), N_("choose"), row_up},
    {TUI_KEY_DOWN, NULL, NULL, NULL, row_down},
    {TUI_KEY_PAGE_UP, N_("page up"), N_("a page up or down"), NULL, page_up},
    {TUI_KEY_PAGE_DOWN, NULL, NULL, NULL, page_down},
    {TUI_KEY_HOME, N_("home"), N_("to the first row"), NULL, first_row},
    {'g', NULL, NULL, NULL, first_row},
    {TUI_KEY_END, N_("end"), N_("to the last row"), NULL, last_row},
    {'G', NULL, NULL, NULL, last_row},
    {TUI_KEY_ENTER, N_("enter"), N_("describe the object"), N_("describe"), open_describe},
    {'s', NULL, N_("sort by the next column"), N_("sort"), sort_by_next},
    {'S', NULL, N_("the other way round"), NULL, sort_backwards},
    {'a', NULL, N_("all namespaces, or only that of this row"), N_("namespace"), toggle_namespace},
    {'W', NULL, N_("more columns"), NULL, toggle_wide},
    {0},
};

static const TuiViewClass TABLE_VIEW = {
    .name = "table",
    .keys = KEYS,
    .refresh = table_refresh,
    .render = table_render,
    .title = table_title,
    .target = table_target,
    .filter = table_filter,
    .free = table_free,
};

TuiView *
view_table_new(TuiState *state, const char *word, const char *namespace_)
{
    const ApiKind *kind = api_types_lookup(world_types(live_world(state->live)), word);
    if (kind == NULL || (kind->verbs & API_VERB_LIST) == 0)
        return NULL;
    TableView *view = g_new0(TableView, 1);
    view->base.class = &TABLE_VIEW;
    view->group = g_strdup(kind->group);
    view->resource = g_strdup(kind->resource);
    view->kind = g_strdup(kind->kind);
    view->namespaced = kind->namespaced;
    view->namespace_ = kind->namespaced ? g_strdup(namespace_) : NULL;
    view->sort = -1;
    view->stale = true;
    view->rows = g_ptr_array_new();
    return &view->base;
}
