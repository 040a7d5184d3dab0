/* A view that scrolls lines of text: YAML, describe, logs, events, why, verdicts, help, output of
 * kubectl. */
#include <glib/gi18n.h>
#include <string.h>

#include "tui/state.h"

typedef struct TextView {
    TuiView base;
    char *title;
    struct { /* a copy of the target, for making the text again */
        char *group, *resource, *kind, *namespace_, *name, *node, *process;
    } of;
    TextMakeFunc make;
    bool live;   /* made again when the world moved */
    bool follow; /* the end stays in sight */
    Lines *lines;
    Lines *shown; /* those that hold the filter's text; NULL: all */
    char *filter;
    guint first;
    int shift;
} TextView;

static TextView *
text_view(TuiView *view)
{
    return (TextView *)view;
}

static const Lines *
shown_lines(const TextView *view)
{
    return view->shown != NULL ? view->shown : view->lines;
}

static bool
text_target(const TuiView *base, TuiTarget *ret_target)
{
    const TextView *view = (const TextView *)base;
    *ret_target =
        (TuiTarget){view->of.group, view->of.resource, view->of.kind,   view->of.namespace_,
                    view->of.name,  view->of.node,     view->of.process};
    return view->of.resource != NULL || view->of.process != NULL;
}

static void
scroll_to(TextView *view, int first)
{
    int count = (int)shown_lines(view)->len, rows = MAX(view->base.rect.height, 1);
    view->first = (guint)CLAMP(first, 0, MAX(count - rows, 0));
}

static void
find_matches(TextView *view)
{
    g_clear_pointer(&view->shown, g_ptr_array_unref);
    if (view->filter == NULL || *view->filter == '\0')
        return;
    g_autofree char *wanted = g_utf8_casefold(view->filter, -1);
    view->shown = lines_new();
    for (guint i = 0; i < view->lines->len; i++) {
        const Line *line = lines_item(view->lines, i);
        g_autofree char *folded = g_utf8_casefold(line->text, -1);
        if (strstr(folded, wanted) != NULL)
            lines_add(view->shown, line->style, line->text);
    }
}

static void
text_refresh(TuiView *base, TuiState *state)
{
    TextView *view = text_view(base);
    if (view->lines == NULL || view->live) {
        TuiTarget target;
        text_target(base, &target);
        if (view->lines == NULL)
            view->lines = lines_new(); /* what is drawn while a kubectl line runs for it */
        Lines *lines = lines_new();
        view->make(state, &target, lines);
        g_ptr_array_unref(view->lines);
        view->lines = lines;
        find_matches(view);
    }
    scroll_to(view, view->follow ? (int)shown_lines(view)->len : (int)view->first);
}

static void
text_filter(TuiView *base, TuiState *state, const char *text)
{
    TextView *view = text_view(base);
    g_free(view->filter);
    view->filter = g_strdup(text);
    view->first = 0;
    find_matches(view);
}

static void
text_render(const TuiView *base, const TuiState *state, CellGrid *grid, Rect rect)
{
    const TextView *view = (const TextView *)base;
    Rect inner = {rect.x + 1, rect.y, rect.width - 2, rect.height};
    lines_render(shown_lines(view), grid, inner, view->first, view->shift);
}

static char *
text_title(const TuiView *base, const TuiState *state)
{
    const TextView *view = (const TextView *)base;
    guint count = shown_lines(view)->len, rows = (guint)MAX(base->rect.height, 1);
    g_autofree char *filter = view->filter != NULL && *view->filter != '\0'
                                  ? g_strdup_printf(" /%s", view->filter)
                                  : g_strdup("");
    if (count <= rows)
        return g_strdup_printf("%s%s", view->title, filter);
    return g_strdup_printf(_("%s%s  line %u of %u"), view->title, filter,
                           MIN(view->first + rows, count), count);
}

static void
text_free(TuiView *base)
{
    TextView *view = text_view(base);
    g_free(view->title);
    g_free(view->of.group);
    g_free(view->of.resource);
    g_free(view->of.kind);
    g_free(view->of.namespace_);
    g_free(view->of.name);
    g_free(view->of.node);
    g_free(view->of.process);
    g_free(view->filter);
    if (view->lines != NULL)
        g_ptr_array_unref(view->lines);
    if (view->shown != NULL)
        g_ptr_array_unref(view->shown);
    g_free(view);
}

/* ---- keys
 * ------------------------------------------------------------------------------------------------------
 */

static void
scroll_by(TuiState *state, int lines)
{
    TextView *view = text_view(tui_top(state));
    view->follow = false;
    scroll_to(view, (int)view->first + lines);
}

static void
line_up(TuiState *state)
{
    scroll_by(state, -1);
}

static void
line_down(TuiState *state)
{
    scroll_by(state, 1);
}

static void
page_up(TuiState *state)
{
    scroll_by(state, -MAX(tui_top(state)->rect.height - 1, 1));
}

static void
page_down(TuiState *state)
{
    scroll_by(state, MAX(tui_top(state)->rect.height - 1, 1));
}

static void
to_begin(TuiState *state)
{
    scroll_by(state, -LINES_MAX - 1);
}

static void
to_end(TuiState *state)
{
    scroll_by(state, LINES_MAX + 1);
}

static void
shift_left(TuiState *state)
{
    TextView *view = text_view(tui_top(state));
    view->shift = MAX(view->shift - 8, 0);
}

static void
shift_right(TuiState *state)
{
    TextView *view = text_view(tui_top(state));
    view->shift = MIN(view->shift + 8, 1000);
}

static void
make_again(TuiState *state)
{
    g_clear_pointer(&text_view(tui_top(state))->lines, g_ptr_array_unref);
}

static const TuiKey KEYS[] = {
    {TUI_KEY_UP, N_("arrows"), N_("scroll; sideways too"), N_("scroll"), line_up},
    {TUI_KEY_DOWN, NULL, NULL, NULL, line_down},
    {TUI_KEY_LEFT, NULL, NULL, NULL, shift_left},
    {TUI_KEY_RIGHT, NULL, NULL, NULL, shift_right},
    {TUI_KEY_PAGE_UP, N_("page up"), N_("a page up or down"), NULL, page_up},
    {TUI_KEY_PAGE_DOWN, NULL, NULL, NULL, page_down},
    {TUI_KEY_HOME, N_("home"), N_("to the begin"), NULL, to_begin},
    {'g', NULL, NULL, NULL, to_begin},
    {TUI_KEY_END, N_("end"), N_("to the end"), NULL, to_end},
    {'G', NULL, NULL, NULL, to_end},
    {'r', NULL, N_("read it again"), N_("again"), make_again},
    {TUI_KEY_ENTER, N_("enter"), N_("back"), N_("back"), tui_pop},
    {0},
};

static const TuiViewClass TEXT_VIEW = {
    .name = "text",
    .keys = KEYS,
    .refresh = text_refresh,
    .render = text_render,
    .title = text_title,
    .target = text_target,
    .filter = text_filter,
    .free = text_free,
};

TuiView *
view_text_new(const char *title, const TuiTarget *target, TextMakeFunc make, bool live)
{
    TextView *view = g_new0(TextView, 1);
    view->base.class = &TEXT_VIEW;
    view->title = g_strdup(title);
    view->make = make;
    view->live = live;
    if (target != NULL) {
        view->of.group = g_strdup(target->group);
        view->of.resource = g_strdup(target->resource);
        view->of.kind = g_strdup(target->kind);
        view->of.namespace_ = g_strdup(target->namespace_);
        view->of.name = g_strdup(target->name);
        view->of.node = g_strdup(target->node);
        view->of.process = g_strdup(target->process);
    }
    return &view->base;
}

bool
view_text_shows(const TuiView *view, TextMakeFunc make)
{
    return view->class == &TEXT_VIEW && ((const TextView *)view)->make == make;
}

void
view_text_follow(TuiView *view)
{
    text_view(view)->follow = true;
}
