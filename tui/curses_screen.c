/* The only file that knows curses. Curses keeps what stands on the terminal and writes only what
 * differs. */
#define NCURSES_WIDECHAR 1
#include "tui/screen.h"

#include <curses.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/error.h"

struct TuiScreen {
    SCREEN *curses;
    bool colour;
    int width, height;
};

/* ---- giving the terminal back
 * ------------------------------------------------------------------------------------- */

/* A signal handler gets no data: this is what it needs, for the one terminal that a program has. */
static struct termios *
saved_terminal(void)
{
    static struct termios saved;
    return &saved;
}

static const int CRASHES[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

/* Only what is safe in a handler: leaves the alternate screen, shows the cursor, restores the
 * modes, and crashes again. */
static void
give_back_and_crash(int number)
{
    static const char LEAVE[] = "\033[0m\033[?25h\033[?1049l\033[?1l\033>\r\n";
    ssize_t written = write(STDOUT_FILENO, LEAVE, sizeof LEAVE - 1);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, saved_terminal());
    signal(number, SIG_DFL);
    raise(number);
}

static void
watch_for_crashes(bool on)
{
    for (size_t i = 0; i < G_N_ELEMENTS(CRASHES); i++)
        signal(CRASHES[i], on ? give_back_and_crash : SIG_DFL);
}

/* ---- life
 * ------------------------------------------------------------------------------------------------------------
 */

static void
init_colours(TuiScreen *screen)
{
    static const short FOREGROUND[STYLE_COUNT] = {
        [STYLE_NORMAL] = -1,         [STYLE_DIM] = -1,
        [STYLE_TITLE] = COLOR_CYAN,  [STYLE_GOOD] = COLOR_GREEN,
        [STYLE_BUSY] = COLOR_YELLOW, [STYLE_BAD] = COLOR_RED,
        [STYLE_DONE] = COLOR_BLUE,   [STYLE_KEY] = COLOR_CYAN,
        [STYLE_BORDER] = -1,         [STYLE_FLOW] = COLOR_MAGENTA,
    };
    if (!screen->colour || !has_colors() || start_color() == ERR) {
        screen->colour = false;
        return;
    }
    use_default_colors();
    for (short i = 0; i < STYLE_COUNT; i++)
        init_pair((short)(i + 1), FOREGROUND[i], -1);
}

TuiScreen *
screen_new(bool colour, GError **error)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
        tcgetattr(STDIN_FILENO, saved_terminal()) != 0) {
        fail(error, TIMONEL_ERROR_UNAVAILABLE,
             "the dashboard needs a terminal; use --headless where there is none");
        return NULL;
    }
    TuiScreen *screen = g_new0(TuiScreen, 1);
    screen->colour = colour;
    screen->curses = newterm(NULL, stdout, stdin);
    if (screen->curses == NULL) {
        const char *name = g_getenv("TERM");
        g_free(screen);
        fail(error, TIMONEL_ERROR_UNSUPPORTED,
             "the terminal type \"%s\" (TERM) is unknown to this machine; try TERM=xterm",
             name != NULL ? name : "");
        return NULL;
    }
    watch_for_crashes(true);
    set_term(screen->curses);
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    init_colours(screen);
    getmaxyx(stdscr, screen->height, screen->width);
    return screen;
}

void
screen_free(TuiScreen *screen)
{
    if (screen == NULL)
        return;
    endwin();
    delscreen(screen->curses);
    watch_for_crashes(false);
    g_free(screen);
}

void
screen_size(const TuiScreen *screen, int *ret_width, int *ret_height)
{
    *ret_width = screen->width;
    *ret_height = screen->height;
}

void
screen_resize(TuiScreen *screen)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, TRUE);
    getmaxyx(stdscr, screen->height, screen->width);
}

/* ---- out
 * ---------------------------------------------------------------------------------------------------------------
 */

static attr_t
attributes_of(const TuiScreen *screen, int style)
{
    static const attr_t MONOCHROME[STYLE_COUNT] = {
        [STYLE_DIM] = A_DIM,  [STYLE_TITLE] = A_BOLD, [STYLE_BAD] = A_BOLD,
        [STYLE_KEY] = A_BOLD, [STYLE_BORDER] = A_DIM, [STYLE_FLOW] = A_BOLD,
    };
    attr_t attributes =
        screen->colour
            ? (STYLE_ROLE(style) == STYLE_DIM || STYLE_ROLE(style) == STYLE_BORDER ? A_DIM
                                                                                   : A_NORMAL)
            : MONOCHROME[STYLE_ROLE(style)];
    if ((style & STYLE_REVERSE) != 0)
        attributes = (attributes & ~A_DIM) | A_REVERSE;
    if ((style & STYLE_BOLD) != 0)
        attributes = (attributes & ~A_DIM) | A_BOLD;
    return attributes;
}

static void
paint_cell(const TuiScreen *screen, const Cell *cell, int x, int y)
{
    wchar_t text[3] = {(wchar_t)cell->character, (wchar_t)cell->mark, 0};
    short pair = screen->colour ? (short)(STYLE_ROLE(cell->style) + 1) : 0;
    cchar_t drawn;
    setcchar(&drawn, text, attributes_of(screen, cell->style), pair, NULL);
    mvadd_wch(y, x, &drawn);
}

void
screen_paint(TuiScreen *screen, const CellGrid *grid)
{
    erase();
    for (int y = 0; y < grid->height && y < screen->height; y++)
        for (int x = 0; x < grid->width && x < screen->width; x++) {
            const Cell *cell = grid_cell(grid, x, y);
            if (cell->width > 0 && (cell->character != ' ' || cell->style != STYLE_NORMAL))
                paint_cell(screen, cell, x, y);
        }
    if (grid->cursor_x >= 0) {
        curs_set(1);
        move(grid->cursor_y, grid->cursor_x);
    } else {
        curs_set(0);
    }
    refresh();
}

/* ---- in
 * ------------------------------------------------------------------------------------------------------------------
 */

static const struct {
    wint_t curses;
    int key;
} KEYS[] = {
    {KEY_UP, TUI_KEY_UP},         {KEY_DOWN, TUI_KEY_DOWN},
    {KEY_LEFT, TUI_KEY_LEFT},     {KEY_RIGHT, TUI_KEY_RIGHT},
    {KEY_PPAGE, TUI_KEY_PAGE_UP}, {KEY_NPAGE, TUI_KEY_PAGE_DOWN},
    {KEY_HOME, TUI_KEY_HOME},     {KEY_END, TUI_KEY_END},
    {KEY_ENTER, TUI_KEY_ENTER},   {KEY_BACKSPACE, TUI_KEY_BACKSPACE},
    {KEY_DC, TUI_KEY_DELETE},
};

static int
key_of_character(wint_t character)
{
    switch (character) {
    case '\r':
    case '\n':
        return TUI_KEY_ENTER;
    case '\t':
        return TUI_KEY_TAB;
    case 0x1b:
        return TUI_KEY_ESCAPE;
    case 0x7f:
    case '\b':
        return TUI_KEY_BACKSPACE;
    default:
        return (int)character;
    }
}

bool
screen_read(TuiScreen *screen, TuiEvent *ret_event)
{
    wint_t character;
    for (;;) {
        int kind = get_wch(&character);
        if (kind == ERR)
            return false;
        *ret_event = (TuiEvent){.type = TUI_EVENT_KEY, .key = key_of_character(character)};
        if (kind == OK)
            return true;
        for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++)
            if (KEYS[i].curses == character) {
                ret_event->key = KEYS[i].key;
                return true;
            }
    }
}
