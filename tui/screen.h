/* A terminal that shows a grid. Only its implementation knows curses. */
#pragma once

#include "tui/state.h"

typedef struct TuiScreen TuiScreen;

/* Takes the terminal of stdin and stdout; from now on a crash gives it back first. colour: allowed. */
TuiScreen *screen_new(bool colour, GError **error);
void screen_free(TuiScreen *screen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TuiScreen, screen_free)
void screen_size(const TuiScreen *screen, int *ret_width, int *ret_height);
/* The terminal's size has changed (SIGWINCH). */
void screen_resize(TuiScreen *screen);
/* Writes what differs from what stands there. */
void screen_paint(TuiScreen *screen, const CellGrid *grid);
/* The next event without waiting; false: none. */
bool screen_read(TuiScreen *screen, TuiEvent *ret_event);
