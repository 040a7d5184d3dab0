#include <string.h>

#include "tests/tui/suites.h"

static char *
one_line(int width, bool ascii, const char *text)
{
    g_autoptr(CellGrid) grid = grid_new(width, 1, ascii);
    grid_put(grid, 0, 0, width, STYLE_NORMAL, text);
    return g_strchomp(grid_text(grid));
}

START_TEST(a_text_is_cut_at_its_columns_and_says_so)
{
    static const struct {
        int width;
        bool ascii;
        const char *text, *expected;
    } CASES[] = {
        {10, false, "nginx", "nginx"}, {5, false, "nginx", "nginx"},
        {4, false, "nginx", "ngi…"},   {4, true, "nginx", "ngi~"},
        {1, false, "nginx", "…"},      {6, false, "日本語", "日本語"},
        {5, false, "日本語", "日本…"}, {4, false, "日本語", "日…"},
        {9, false, "razón", "razón"},  {9, true, "¿razón? ●", "?razon? *"},
        {9, true, "日本", "??"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *line = one_line(CASES[i].width, CASES[i].ascii, CASES[i].text);
        ck_assert_str_eq(line, CASES[i].expected);
    }
}
END_TEST

START_TEST(no_text_can_move_the_cursor_of_a_terminal)
{
    static const char *const TEXTS[] = {"a\033[2Jb",
                                        "a\rb",
                                        "a\nb",
                                        "a\x07",
                                        "\xff\xfe",
                                        "\x9b"
                                        "[2J",
                                        "\u202eabc",
                                        "a\tb",
                                        "\xc2\x9b"
                                        "2J",
                                        "tail\xe2\x82"};
    for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autoptr(CellGrid) grid = grid_new(40, 2, false);
        grid_put(grid, 0, 0, 40, STYLE_NORMAL, TEXTS[i]);
        grid_put_right(grid, 0, 1, 40, STYLE_NORMAL, TEXTS[i]);
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 40; x++) {
                const Cell *cell = grid_cell(grid, x, y);
                ck_assert(cell->width == 0 || g_unichar_isprint(cell->character));
                ck_assert(cell->character != 0x202e);
            }
    }
}
END_TEST

START_TEST(what_lies_outside_the_grid_is_not_drawn)
{
    g_autoptr(CellGrid) grid = grid_new(4, 2, false);
    grid_put(grid, -2, 0, 10, STYLE_NORMAL, "abcdef");
    grid_put(grid, 2, 1, 10, STYLE_NORMAL, "xyz");
    grid_put(grid, 0, -1, 10, STYLE_NORMAL, "no");
    grid_put(grid, 0, 2, 10, STYLE_NORMAL, "no");
    grid_box(grid, (Rect){-5, -5, 30, 30}, STYLE_BORDER, "far away", STYLE_TITLE);
    grid_mark(grid, 3, 0, 9, STYLE_REVERSE);
    g_autofree char *text = grid_text(grid);
    ck_assert_str_eq(text, "cdef\n  xy\n");
}
END_TEST

START_TEST(a_wide_character_that_loses_a_half_is_gone)
{
    g_autoptr(CellGrid) grid = grid_new(6, 1, false);
    grid_put(grid, 0, 0, 6, STYLE_NORMAL, "日本");
    grid_put(grid, 1, 0, 1, STYLE_NORMAL, "x");
    grid_put(grid, 2, 0, 1, STYLE_NORMAL, "y");
    g_autofree char *text = grid_text(grid);
    ck_assert_str_eq(text, " xy\n");
}
END_TEST

START_TEST(a_paragraph_is_folded_at_spaces)
{
    g_autoptr(GPtrArray) lines = lines_new();
    lines_add_folded(lines, STYLE_NORMAL, "the quick brown fox", 10, 2);
    lines_add_folded(lines, STYLE_NORMAL, "aaaaaaaaaaaaaaa", 10, 2);
    static const char *const EXPECTED[] = {"the quick", "  brown", "  fox", "aaaaaaaaaa",
                                           "  aaaaa"};
    ck_assert_uint_eq(lines->len, G_N_ELEMENTS(EXPECTED));
    for (guint i = 0; i < lines->len; i++)
        ck_assert_str_eq(lines_item(lines, i)->text, EXPECTED[i]);
}
END_TEST

START_TEST(lines_are_bounded_and_tabs_expanded)
{
    g_autoptr(GPtrArray) lines = lines_new();
    lines_add_text(lines, STYLE_NORMAL, "a\tb\r\n\nc");
    ck_assert_uint_eq(lines->len, 3);
    ck_assert_str_eq(lines_item(lines, 0)->text, "a       b");
    ck_assert_str_eq(lines_item(lines, 1)->text, "");
    for (int i = 0; i < LINES_MAX + 100; i++)
        lines_add(lines, STYLE_NORMAL, "x");
    ck_assert_uint_eq(lines->len, LINES_MAX + 1);
}
END_TEST

TCase *
grid_case(void)
{
    return test_case(
        "grid", a_text_is_cut_at_its_columns_and_says_so, no_text_can_move_the_cursor_of_a_terminal,
        what_lies_outside_the_grid_is_not_drawn, a_wide_character_that_loses_a_half_is_gone,
        a_paragraph_is_folded_at_spaces, lines_are_bounded_and_tabs_expanded);
}
