/* A grid of character cells: what the dashboard draws on and what tests compare. grid_put is the only door through which
 * text comes in, and it makes every text safe: nothing that an object or a log says can move a terminal's cursor. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What a text means; the screen chooses the colours. Nothing is told by colour alone. */
typedef enum {
    STYLE_NORMAL,
    STYLE_DIM,
    STYLE_TITLE,
    STYLE_GOOD,
    STYLE_BUSY, /* on its way: pending, not ready */
    STYLE_BAD,
    STYLE_DONE, /* ended well */
    STYLE_KEY,  /* a key to press */
    STYLE_BORDER,
    STYLE_FLOW, /* a message under way */
    STYLE_COUNT,
} Style;

#define STYLE_REVERSE 0x100
#define STYLE_BOLD 0x200
#define STYLE_ROLE(style) ((style) & 0xff)

typedef struct Cell {
    gunichar character; /* ' ' when empty */
    gunichar mark;      /* a combining mark on it, or 0 */
    uint16_t style;
    uint8_t width;      /* 1 or 2; 0: the right half of the wide one before it */
} Cell;

typedef struct CellGrid {
    int width, height;
    bool ascii; /* what is not ASCII is written as its nearest ASCII */
    int cursor_x, cursor_y; /* -1: none */
    Cell *cells;
} CellGrid;

typedef struct Rect {
    int x, y, width, height;
} Rect;

#define GRID_SIDE_MAX 1000 /* a wider or higher terminal is used up to here */

CellGrid *grid_new(int width, int height, bool ascii);
void grid_free(CellGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CellGrid, grid_free)
void grid_clear(CellGrid *grid, Rect rect);
const Cell *grid_cell(const CellGrid *grid, int x, int y); /* NULL outside */

/* Writes UTF-8 from (x, y) into at most `width` columns; a longer text ends in an ellipsis. Outside the grid nothing is
 * written. Returns the columns used. */
int grid_put(CellGrid *grid, int x, int y, int width, int style, const char *text);
int grid_putf(CellGrid *grid, int x, int y, int width, int style, const char *format, ...) G_GNUC_PRINTF(6, 7);
/* As grid_put from the right end of [x, x + width). */
int grid_put_right(CellGrid *grid, int x, int y, int width, int style, const char *text);
/* Adds flags (STYLE_REVERSE, STYLE_BOLD) to cells that are there. */
void grid_mark(CellGrid *grid, int x, int y, int width, int flags);
void grid_box(CellGrid *grid, Rect rect, int style, const char *title, int title_style);
void grid_line(CellGrid *grid, int x, int y, int width, int style);

/* Columns that a text takes. */
int text_columns(const char *text);
/* The bytes of the longest start of `text` that fits `columns`, best cut at a space; for folding paragraphs. */
size_t text_fold(const char *text, int columns);

/* The grid as lines without the space at their ends; owned. */
char *grid_text(const CellGrid *grid);
