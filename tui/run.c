/* The dashboard in a terminal: keys and the world's news come as GLib events; at most 20 times a
 * second it is drawn. */
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <langinfo.h>
#include <string.h>
#include <unistd.h>

#include "tui/screen.h"

#define FRAME_MS 50

typedef struct Dashboard {
    TuiScreen *screen;
    TuiState *state;
    CellGrid *grid;
    GMainLoop *loop;
    bool ascii;
    bool world_moved;   /* since the last frame */
    guint frame;        /* the timer that draws the next one; 0: nothing to draw */
    int64_t last_frame; /* machine time in microseconds */
} Dashboard;

static void
draw(Dashboard *dashboard)
{
    int width, height;
    screen_size(dashboard->screen, &width, &height);
    if (dashboard->grid == NULL || dashboard->grid->width != width ||
        dashboard->grid->height != height) {
        grid_free(dashboard->grid);
        dashboard->grid = grid_new(width, height, dashboard->ascii);
    }
    tui_render(dashboard->state, dashboard->grid);
    screen_paint(dashboard->screen, dashboard->grid);
}

static gboolean
next_frame(gpointer data)
{
    Dashboard *dashboard = data;
    dashboard->frame = 0;
    dashboard->last_frame = g_get_monotonic_time();
    if (dashboard->world_moved)
        tui_update(dashboard->state, &(TuiEvent){.type = TUI_EVENT_MOVED});
    dashboard->world_moved = false;
    draw(dashboard);
    if (tui_has_left(dashboard->state, NULL))
        g_main_loop_quit(dashboard->loop);
    return G_SOURCE_REMOVE;
}

static void
want_frame(Dashboard *dashboard)
{
    if (dashboard->frame != 0)
        return;
    int64_t since = (g_get_monotonic_time() - dashboard->last_frame) / 1000;
    /* Above the world's pump, or a world that runs as fast as it can would never be seen. */
    dashboard->frame = g_timeout_add_full(
        G_PRIORITY_HIGH, (guint)CLAMP(FRAME_MS - since, 0, FRAME_MS), next_frame, dashboard, NULL);
}

static void
world_moved(void *data)
{
    Dashboard *dashboard = data;
    dashboard->world_moved = true;
    want_frame(dashboard);
}

static gboolean
input_ready(gint fd, GIOCondition condition, gpointer data)
{
    Dashboard *dashboard = data;
    TuiEvent event;
    bool any = false;
    while (screen_read(dashboard->screen, &event)) {
        any = true;
        tui_update(dashboard->state, &event);
    }
    if (!any && (condition & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)) != 0) { /* the terminal is gone */
        dashboard->state->left = true;
        dashboard->state->outcome = dashboard->state->options->can_keep ? TUI_KEEP : TUI_STOP;
        g_main_loop_quit(dashboard->loop);
        return G_SOURCE_REMOVE;
    }
    want_frame(dashboard);
    return G_SOURCE_CONTINUE;
}

static gboolean
resized(gpointer data)
{
    Dashboard *dashboard = data;
    TuiEvent event = {.type = TUI_EVENT_RESIZE};
    screen_resize(dashboard->screen);
    screen_size(dashboard->screen, &event.width, &event.height);
    tui_update(dashboard->state, &event);
    want_frame(dashboard);
    return G_SOURCE_CONTINUE;
}

static gboolean
interrupted(gpointer data)
{
    Dashboard *dashboard = data;
    tui_update(dashboard->state, &(TuiEvent){.type = TUI_EVENT_KEY, .key = TUI_CTRL('c')});
    want_frame(dashboard);
    return G_SOURCE_CONTINUE;
}

static gboolean
terminated(gpointer data)
{
    Dashboard *dashboard = data;
    dashboard->state->left = true;
    dashboard->state->outcome = TUI_STOP;
    g_main_loop_quit(dashboard->loop);
    return G_SOURCE_CONTINUE;
}

static void
wake(void *data)
{
    Dashboard *dashboard = data;
    dashboard->world_moved = true;
    want_frame(dashboard);
}

/* Keys come in also while a kubectl line, begun by a key, runs the main context. */
static guint
add_input(Dashboard *dashboard)
{
    GSource *source = g_unix_fd_source_new(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(source, (GSourceFunc)(void (*)(void))input_ready, dashboard, NULL);
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_can_recurse(source, TRUE);
    guint id = g_source_attach(source, NULL);
    g_source_unref(source);
    return id;
}

static void
run_loop(Dashboard *dashboard, Live *live)
{
    guint sources[] = {
        add_input(dashboard),
        g_unix_signal_add(SIGWINCH, resized, dashboard),
        g_unix_signal_add(SIGINT, interrupted, dashboard),
        g_unix_signal_add(SIGTERM, terminated, dashboard),
        g_unix_signal_add(SIGHUP, terminated, dashboard),
    };
    live_set_observer(live, world_moved, dashboard);
    want_frame(dashboard);
    g_main_loop_run(dashboard->loop);
    live_set_observer(live, NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        GSource *source = g_main_context_find_source_by_id(NULL, sources[i]);
        if (source != NULL)
            g_source_destroy(source);
    }
    if (dashboard->frame != 0)
        g_source_remove(dashboard->frame);
}

int
tui_run(Live *live, const TuiOptions *options, GError **error)
{
    Dashboard dashboard = {.ascii = options->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0};
    int width, height;
    dashboard.screen = screen_new(options->colour, error);
    if (dashboard.screen == NULL)
        return TUI_FAILED;
    screen_size(dashboard.screen, &width, &height);
    dashboard.state = tui_state_new(live, options, width, height);
    dashboard.state->wake = wake;
    dashboard.state->wake_data = &dashboard;
    dashboard.loop = g_main_loop_new(NULL, FALSE);
    run_loop(&dashboard, live);
    TuiOutcome outcome = TUI_STOP;
    tui_has_left(dashboard.state, &outcome);
    g_main_loop_unref(dashboard.loop);
    grid_free(dashboard.grid);
    tui_state_free(dashboard.state);
    screen_free(dashboard.screen);
    return (int)outcome;
}
