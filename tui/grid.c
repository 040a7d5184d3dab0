#include "tui/grid.h"

#include <string.h>

#include "core/base/text.h"

/* What stands in for a character where only ASCII can be shown. */
static const struct {
    gunichar character;
    char ascii;
} STAND_INS[] = {
    {0x2500, '-'}, {0x2502, '|'}, {0x250c, '+'}, {0x2510, '+'}, {0x2514, '+'}, {0x2518, '+'},
    {0x251c, '+'}, {0x2524, '+'}, {0x252c, '+'}, {0x2534, '+'}, {0x253c, '+'}, {0x2026, '~'},
    {0x25cf, '*'}, {0x25cb, 'o'}, {0x25d0, '%'}, {0x2714, '+'}, {0x2716, 'X'}, {0x25cc, '-'},
    {0x2190, '<'}, {0x2192, '>'}, {0x2191, '^'}, {0x2193, 'v'}, {0x25c0, '<'}, {0x25b6, '>'},
    {0x25c2, '<'}, {0x25b8, '>'}, {0x2588, '#'}, {0x2591, '.'}, {0x00b7, '.'}, {0x2022, '*'},
    {0x23f8, '='}, {0x00d7, 'x'}, {0x00bf, '?'}, {0x00a1, '!'}, {0x2013, '-'}, {0x2019, '\''},
};

static gunichar
to_ascii(gunichar character)
{
    if (character < 0x80)
        return character;
    for (size_t i = 0; i < G_N_ELEMENTS(STAND_INS); i++)
        if (STAND_INS[i].character == character)
            return (gunichar)STAND_INS[i].ascii;
    gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
    g_unichar_fully_decompose(character, FALSE, parts, G_N_ELEMENTS(parts));
    return parts[0] < 0x80 ? parts[0] : '?';
}

static int
character_width(gunichar character)
{
    if (g_unichar_iszerowidth(character))
        return 0;
    return g_unichar_iswide(character) ? 2 : 1;
}

CellGrid *
grid_new(int width, int height, bool ascii)
{
    CellGrid *grid = g_new0(CellGrid, 1);
    grid->width = CLAMP(width, 1, GRID_SIDE_MAX);
    grid->height = CLAMP(height, 1, GRID_SIDE_MAX);
    grid->ascii = ascii;
    grid->cursor_x = grid->cursor_y = -1;
    grid->cells = g_new0(Cell, (size_t)grid->width * (size_t)grid->height);
    grid_clear(grid, (Rect){0, 0, grid->width, grid->height});
    return grid;
}

void
grid_free(CellGrid *grid)
{
    if (grid == NULL)
        return;
    g_free(grid->cells);
    g_free(grid);
}

static Cell *
cell_at(CellGrid *grid, int x, int y)
{
    if (x < 0 || y < 0 || x >= grid->width || y >= grid->height)
        return NULL;
    return &grid->cells[(size_t)y * (size_t)grid->width + (size_t)x];
}

const Cell *
grid_cell(const CellGrid *grid, int x, int y)
{
    return cell_at((CellGrid *)grid, x, y);
}

/* A wide character that loses one half loses both. */
static void
set_cell(CellGrid *grid, int x, int y, Cell cell)
{
    Cell *old = cell_at(grid, x, y);
    if (old == NULL)
        return;
    Cell *left = cell_at(grid, x - 1, y), *right = cell_at(grid, x + 1, y);
    if (old->width == 0 && left != NULL && cell.width != 0)
        *left = (Cell){.character = ' ', .width = 1, .style = left->style};
    if (old->width == 2 && right != NULL)
        *right = (Cell){.character = ' ', .width = 1, .style = right->style};
    *old = cell;
}

void
grid_clear(CellGrid *grid, Rect rect)
{
    for (int y = rect.y; y < rect.y + rect.height; y++)
        for (int x = rect.x; x < rect.x + rect.width; x++)
            set_cell(grid, x, y, (Cell){.character = ' ', .width = 1});
}

static void
put_character(CellGrid *grid, int x, int y, int style, gunichar character, int width)
{
    set_cell(grid, x, y,
             (Cell){.character = character, .width = (uint8_t)width, .style = (uint16_t)style});
    if (width == 2)
        set_cell(grid, x + 1, y, (Cell){.character = 0, .width = 0, .style = (uint16_t)style});
}

/* `text` is safe. */
static int
put_safe(CellGrid *grid, int x, int y, int width, int style, const char *text)
{
    bool cut = text_columns(text) > width;
    int used = 0, room = cut ? width - 1 : width;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (grid->ascii)
            character = to_ascii(character);
        int columns = character_width(character);
        Cell *before = columns == 0 && used > 0 ? cell_at(grid, x + used - 1, y) : NULL;
        if (columns == 0) {
            if (before != NULL && before->width == 1 && before->mark == 0)
                before->mark = character;
            continue;
        }
        if (used + columns > room)
            break;
        if (x + used >= 0 && x + used + columns <= grid->width)
            put_character(grid, x + used, y, style, character, columns);
        used += columns;
    }
    if (cut && width > 0)
        put_character(grid, x + used++, y, style, grid->ascii ? '~' : 0x2026, 1);
    return used;
}

int
grid_put(CellGrid *grid, int x, int y, int width, int style, const char *text)
{
    if (text == NULL || width <= 0 || y < 0 || y >= grid->height)
        return 0;
    size_t length = strlen(text);
    if (text_is_safe(text, length, TEXT_ONE_LINE))
        return put_safe(grid, x, y, width, style, text);
    g_autofree char *safe = text_sanitize(text, length, TEXT_ONE_LINE);
    return put_safe(grid, x, y, width, style, safe);
}

int
grid_putf(CellGrid *grid, int x, int y, int width, int style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return grid_put(grid, x, y, width, style, text);
}

int
grid_put_right(CellGrid *grid, int x, int y, int width, int style, const char *text)
{
    g_autofree char *safe = text_sanitize(text, strlen(text), TEXT_ONE_LINE);
    int columns = MIN(text_columns(safe), width);
    return grid_put(grid, x + width - columns, y, columns, style, safe);
}

void
grid_mark(CellGrid *grid, int x, int y, int width, int flags)
{
    for (int i = 0; i < width; i++) {
        Cell *cell = cell_at(grid, x + i, y);
        if (cell != NULL)
            cell->style |= (uint16_t)flags;
    }
}

void
grid_line(CellGrid *grid, int x, int y, int width, int style)
{
    for (int i = 0; i < width; i++)
        put_character(grid, x + i, y, style, grid->ascii ? '-' : 0x2500, 1);
}

void
grid_box(CellGrid *grid, Rect rect, int style, const char *title, int title_style)
{
    int right = rect.x + rect.width - 1, bottom = rect.y + rect.height - 1;
    if (rect.width < 2 || rect.height < 2)
        return;
    grid_line(grid, rect.x, rect.y, rect.width, style);
    grid_line(grid, rect.x, bottom, rect.width, style);
    for (int y = rect.y; y <= bottom; y++) {
        const char *left_edge = y == rect.y ? "┌" : y == bottom ? "└" : "│";
        const char *right_edge = y == rect.y ? "┐" : y == bottom ? "┘" : "│";
        grid_put(grid, rect.x, y, 1, style, left_edge);
        grid_put(grid, right, y, 1, style, right_edge);
    }
    if (title != NULL && *title != '\0' && rect.width > 6) {
        int used = grid_putf(grid, rect.x + 1, rect.y, rect.width - 3, title_style, " %s", title);
        grid_put(grid, rect.x + 1 + used, rect.y, 1, style, " ");
    }
}

int
text_columns(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text = g_utf8_next_char(text))
        columns += character_width(g_utf8_get_char(text));
    return columns;
}

size_t
text_fold(const char *text, int columns)
{
    size_t best = 0;
    int used = 0;
    const char *at = text;
    for (; *at != '\0' && *at != '\n'; at = g_utf8_next_char(at)) {
        used += character_width(g_utf8_get_char(at));
        if (used > columns)
            break;
        if (at[0] == ' ')
            best = (size_t)(at - text) + 1;
    }
    if (*at == '\0' || *at == '\n')
        return (size_t)(at - text);
    if (best > 0)
        return best;
    return at > text ? (size_t)(at - text) : (size_t)(g_utf8_next_char(at) - text);
}

char *
grid_text(const CellGrid *grid)
{
    GString *out = g_string_new(NULL);
    for (int y = 0; y < grid->height; y++) {
        for (int x = 0; x < grid->width; x++) {
            const Cell *cell = grid_cell(grid, x, y);
            if (cell->width == 0)
                continue;
            g_string_append_unichar(out, cell->character);
            if (cell->mark != 0)
                g_string_append_unichar(out, cell->mark);
        }
        while (out->len > 0 && out->str[out->len - 1] == ' ')
            g_string_truncate(out, out->len - 1);
        g_string_append_c(out, '\n');
    }
    return g_string_free(out, FALSE);
}
