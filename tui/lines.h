/* Lines of text with a style each: what panes and text views show. Bounded: see LINES_MAX. */
#pragma once

#include "tui/grid.h"

#define LINES_MAX 20000 /* of one pane; what comes after is dropped, and the last line says so */

typedef struct Line {
    int style;
    char *text;
} Line;

typedef GPtrArray Lines; /* of Line */

Lines *lines_new(void);
void lines_add(Lines *lines, int style, const char *text);
void lines_addf(Lines *lines, int style, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Splits at newlines; tabs become spaces up to the next multiple of eight. */
void lines_add_text(Lines *lines, int style, const char *text);
/* Folds one paragraph to a width; continuation lines are indented. */
void lines_add_folded(Lines *lines, int style, const char *text, int width, int indent);
static inline const Line *
lines_item(const Lines *lines, guint index)
{
    return index < lines->len ? lines->pdata[index] : NULL;
}
/* Draws from line `first` into the rectangle, shifted left by `shift` columns; cut at the edge. */
void lines_render(const Lines *lines, CellGrid *grid, Rect rect, guint first, int shift);
