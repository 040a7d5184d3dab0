/* The dashboard's state and its update. An event goes to the first of: the menu, the prompt, the
 * top view's keys, the keys that work everywhere. */
#include "tui/state.h"

#include <glib/gi18n.h>

#include "core/api/node.h"
#include "core/api/pod.h"
#include "core/base/pmap.h"

#define LESSON_SIDE_FROM 100 /* columns from which a lesson stands beside the rest */

TuiState *
tui_state_new(Live *live, const TuiOptions *options, int width, int height)
{
    TuiState *state = g_new0(TuiState, 1);
    state->live = live;
    state->options = options;
    state->width = MAX(width, 1);
    state->height = MAX(height, 1);
    state->views = g_ptr_array_new();
    state->faults = g_ptr_array_new_with_free_func((GDestroyNotify)value_unref);
    state->transcript = lines_new();
    prompt_init(&state->prompt);
    tui_push(state, view_cluster_new());
    state->lesson_shown = options->lesson != NULL;
    tui_refresh(state);
    return state;
}

void
tui_state_free(TuiState *state)
{
    if (state == NULL)
        return;
    while (state->views->len > 0) {
        TuiView *view = g_ptr_array_remove_index(state->views, state->views->len - 1);
        view->class->free(view);
    }
    g_ptr_array_unref(state->views);
    g_ptr_array_unref(state->faults);
    g_ptr_array_unref(state->transcript);
    if (state->running != NULL)
        g_string_free(state->running, TRUE);
    value_unref(state->fault);
    menu_free(state->menu);
    prompt_clear(&state->prompt);
    g_free(state->note);
    g_free(state);
}

/* ---- views
 * ----------------------------------------------------------------------------------------------------
 */

TuiView *
tui_top(const TuiState *state)
{
    return state->views->pdata[state->views->len - 1];
}

bool
tui_target(const TuiState *state, TuiTarget *ret_target)
{
    const TuiView *view = tui_top(state);
    return view->class->target != NULL && view->class->target(view, ret_target);
}

void
tui_push(TuiState *state, TuiView *take)
{
    if (state->views->len >= TUI_VIEWS_MAX) { /* the oldest but the picture gives way */
        TuiView *oldest = g_ptr_array_remove_index(state->views, 1);
        oldest->class->free(oldest);
    }
    g_ptr_array_add(state->views, take);
    if (tui_lesson_rect(state).width == state->width) /* it would hide what was asked for */
        state->lesson_shown = false;
    tui_refresh(state);
}

void
tui_pop(TuiState *state)
{
    if (state->views->len <= 1)
        return;
    TuiView *view = g_ptr_array_remove_index(state->views, state->views->len - 1);
    view->class->free(view);
    tui_refresh(state);
}

/* ---- where things are
 * ------------------------------------------------------------------------------------------ */

Rect
tui_lesson_rect(const TuiState *state)
{
    if (state->options->lesson == NULL || !state->lesson_shown)
        return (Rect){0};
    int top = 1, bottom = state->height - (state->height >= 12 ? 2 : 1);
    if (state->width < LESSON_SIDE_FROM)
        return (Rect){0, top, state->width, MAX(bottom - top, 0)};
    int width = CLAMP(state->width * 2 / 5, 40, 60);
    return (Rect){state->width - width, top, width, MAX(bottom - top, 0)};
}

Rect
tui_body(const TuiState *state)
{
    int top = state->height >= 3 ? 1 : 0;
    int bottom = state->height - (state->height >= 12 ? 2 : state->height >= 2 ? 1 : 0);
    Rect lesson = tui_lesson_rect(state);
    int width = lesson.width > 0 && lesson.width < state->width ? lesson.x - 1 : state->width;
    return (Rect){0, top, width, MAX(bottom - top, 0)};
}

/* ---- snapshots
 * ---------------------------------------------------------------------------------------------------
 */

static void
take_facts(TuiState *state)
{
    World *world = live_world(state->live);
    state->facts.now = world_now(world);
    state->facts.digest = engine_digest(world_engine(world));
    state->facts.events = engine_events_run(world_engine(world));
    state->facts.api_up = world_api_server(world) != NULL;
    state->facts.nodes = state->facts.nodes_ready = 0;
    state->facts.pods = state->facts.pods_running = 0;
    PMap *nodes = world_objects(world, "", "nodes"), *pods = world_objects(world, "", "pods");
    PMapIter iter;
    if (nodes != NULL)
        for (iter = pmap_seek(nodes, NULL); pmap_next(&iter);) {
            state->facts.nodes++;
            state->facts.nodes_ready += node_is_ready(iter.value);
        }
    if (pods != NULL)
        for (iter = pmap_seek(pods, NULL); pmap_next(&iter);) {
            state->facts.pods++;
            state->facts.pods_running += pod_is_ready(iter.value);
        }
}

void
tui_refresh(TuiState *state)
{
    TuiView *view = tui_top(state);
    take_facts(state);
    view->rect = tui_body(state);
    view->class->refresh(view, state);
}

/* ---- events
 * --------------------------------------------------------------------------------------------------------
 */

void
tui_note(TuiState *state, int style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_free(state->note);
    state->note = g_strdup_vprintf(format, arguments);
    state->note_style = style;
    va_end(arguments);
}

static bool
run_key(TuiState *state, const TuiKey *keys, int key)
{
    for (const TuiKey *item = keys; item->run != NULL; item++)
        if (item->key == key) {
            item->run(state);
            return true;
        }
    return false;
}

/* A lesson over the whole screen takes the keys that move. */
static bool
lesson_key(TuiState *state, int key)
{
    Rect rect = tui_lesson_rect(state);
    if (rect.width == 0 || rect.width < state->width)
        return false;
    if (key == TUI_KEY_UP || key == TUI_KEY_PAGE_UP)
        lesson_scroll(state, key == TUI_KEY_UP ? -1 : -rect.height);
    else if (key == TUI_KEY_DOWN || key == TUI_KEY_PAGE_DOWN)
        lesson_scroll(state, key == TUI_KEY_DOWN ? 1 : rect.height);
    else if (key == TUI_KEY_ESCAPE || key == TUI_KEY_ENTER)
        lesson_toggle(state);
    else
        return false;
    return true;
}

/* While a kubectl line waits, keys may stop it and move time, no more: it uses what others would
 * change. */
static void
handle_key_while_running(TuiState *state, int key)
{
    static const int TIME_KEYS[] = {' ', '+', '-', '<', '>'};
    if (key == TUI_CTRL('c') || key == TUI_KEY_ESCAPE || key == 'q')
        state->cancelled = true;
    for (size_t i = 0; i < G_N_ELEMENTS(TIME_KEYS); i++)
        if (key == TIME_KEYS[i])
            run_key(state, TUI_KEYS, key);
}

static void
handle_key(TuiState *state, int key)
{
    if (state->running != NULL) {
        handle_key_while_running(state, key);
        return;
    }
    g_clear_pointer(&state->note, g_free);
    if (menu_key(state, key) || prompt_key(state, key) || lesson_key(state, key) ||
        lesson_answer(state, key))
        return;
    if (!run_key(state, tui_top(state)->class->keys, key))
        run_key(state, TUI_KEYS, key);
}

void
tui_update(TuiState *state, const TuiEvent *event)
{
    switch (event->type) {
    case TUI_EVENT_KEY:
        handle_key(state, event->key);
        break;
    case TUI_EVENT_RESIZE:
        state->width = CLAMP(event->width, 1, GRID_SIDE_MAX);
        state->height = CLAMP(event->height, 1, GRID_SIDE_MAX);
        break;
    case TUI_EVENT_MOVED:
        lesson_moved(state);
        break;
    }
    tui_refresh(state);
}

bool
tui_has_left(const TuiState *state, TuiOutcome *ret_outcome)
{
    if (state->left && ret_outcome != NULL)
        *ret_outcome = state->outcome;
    return state->left;
}
