#include <string.h>

#include "tui/state.h"

static void
menu_item_free(void *data)
{
    MenuItem *item = data;
    g_free(item->text);
    g_free(item->note);
    g_free(item);
}

Menu *
menu_new(const char *title, void (*chosen)(TuiState *state, guint index))
{
    Menu *menu = g_new0(Menu, 1);
    menu->title = g_strdup(title);
    menu->items = g_ptr_array_new_with_free_func(menu_item_free);
    menu->chosen = chosen;
    return menu;
}

void
menu_free(Menu *menu)
{
    if (menu == NULL)
        return;
    g_free(menu->title);
    g_ptr_array_unref(menu->items);
    g_free(menu);
}

void
menu_add(Menu *menu, int key, bool disabled, const char *text, const char *note)
{
    MenuItem *item = g_new0(MenuItem, 1);
    item->text = g_strdup(text);
    item->note = g_strdup(note);
    item->key = key;
    item->disabled = disabled;
    g_ptr_array_add(menu->items, item);
}

static const MenuItem *
menu_item(const Menu *menu, guint index)
{
    return index < menu->items->len ? menu->items->pdata[index] : NULL;
}

/* The chosen function may open another menu. */
static void
menu_choose(TuiState *state, guint index)
{
    const MenuItem *item = menu_item(state->menu, index);
    if (item == NULL || item->disabled)
        return;
    Menu *menu = g_steal_pointer(&state->menu);
    menu->chosen(state, index);
    menu_free(menu);
}

static void
menu_move(Menu *menu, int step)
{
    int count = (int)menu->items->len;
    menu->selected = (guint)CLAMP((int)menu->selected + step, 0, MAX(count - 1, 0));
}

bool
menu_key(TuiState *state, int key)
{
    Menu *menu = state->menu;
    if (menu == NULL)
        return false;
    for (guint i = 0; i < menu->items->len; i++)
        if (menu_item(menu, i)->key != 0 && menu_item(menu, i)->key == key) {
            menu_choose(state, i);
            return true;
        }
    if (key == TUI_KEY_ENTER)
        menu_choose(state, menu->selected);
    else if (key == TUI_KEY_ESCAPE || key == 'q')
        g_clear_pointer(&state->menu, menu_free);
    else if (key == TUI_KEY_UP || key == TUI_KEY_DOWN)
        menu_move(menu, key == TUI_KEY_UP ? -1 : 1);
    else if (key == TUI_KEY_PAGE_UP || key == TUI_KEY_PAGE_DOWN)
        menu_move(menu, key == TUI_KEY_PAGE_UP ? -10 : 10);
    else if (key == TUI_KEY_HOME || key == TUI_KEY_END)
        menu_move(menu, key == TUI_KEY_HOME ? -10000 : 10000);
    return true;
}

static int
menu_width(const Menu *menu)
{
    int width = text_columns(menu->title) + 4;
    for (guint i = 0; i < menu->items->len; i++) {
        const MenuItem *item = menu_item(menu, i);
        int note = item->note != NULL ? text_columns(item->note) + 3 : 0;
        width = MAX(width, text_columns(item->text) + note);
    }
    return width;
}

void
menu_render(const TuiState *state, CellGrid *grid)
{
    const Menu *menu = state->menu;
    if (menu == NULL)
        return;
    int width = MIN(menu_width(menu) + 6, grid->width);
    int height = MIN((int)menu->items->len + 2, grid->height);
    Rect box = {(grid->width - width) / 2, (grid->height - height) / 2, width, height};
    int rows = height - 2, first = MAX((int)menu->selected - rows + 1, 0);
    grid_clear(grid, box);
    grid_box(grid, box, STYLE_BORDER | STYLE_BOLD, menu->title, STYLE_TITLE | STYLE_BOLD);
    for (int row = 0; row < rows; row++) {
        const MenuItem *item = menu_item(menu, (guint)(first + row));
        int y = box.y + 1 + row, inner = width - 4, style = STYLE_NORMAL;
        if (item == NULL)
            break;
        if (item->disabled)
            style = STYLE_DIM;
        int note = item->note != NULL ? MIN(text_columns(item->note), inner / 2) : 0;
        grid_put(grid, box.x + 2, y, inner - (note > 0 ? note + 1 : 0), style, item->text);
        if (note > 0)
            grid_put_right(grid, box.x + 2 + inner - note, y, note,
                           item->disabled ? STYLE_DIM : STYLE_KEY, item->note);
        if (first + row == (int)menu->selected)
            grid_mark(grid, box.x + 1, y, width - 2, STYLE_REVERSE);
    }
}
