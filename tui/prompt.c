/* The line at the bottom in which a person types. Positions are bytes of UTF-8, always at a
 * character's begin. */
#include <glib/gi18n.h>
#include <string.h>

#include "tui/state.h"

void
prompt_init(Prompt *prompt)
{
    *prompt = (Prompt){.text = g_string_new(NULL)};
    for (size_t i = 0; i < G_N_ELEMENTS(prompt->history); i++)
        prompt->history[i] = g_ptr_array_new_with_free_func(g_free);
}

void
prompt_clear(Prompt *prompt)
{
    g_string_free(prompt->text, TRUE);
    g_free(prompt->label);
    g_strfreev(prompt->completions);
    g_free(prompt->help);
    for (size_t i = 0; i < G_N_ELEMENTS(prompt->history); i++)
        g_ptr_array_unref(prompt->history[i]);
}

void
prompt_open(TuiState *state, PromptType type, const char *label, const char *text)
{
    Prompt *prompt = &state->prompt;
    prompt->type = type;
    g_free(prompt->label);
    prompt->label = g_strdup(label);
    g_string_assign(prompt->text, text != NULL ? text : "");
    prompt->cursor = prompt->text->len;
    prompt->history_at = prompt->history[type]->len;
}

void
prompt_ask(TuiState *state, const char *label, const char *help,
           void (*done)(TuiState *state, const char *text))
{
    prompt_open(state, PROMPT_VALUE, label, NULL);
    g_free(state->prompt.help);
    state->prompt.help = g_strdup(help);
    state->prompt.done = done;
}

static void
close_prompt(Prompt *prompt)
{
    prompt->type = PROMPT_NONE;
    g_clear_pointer(&prompt->help, g_free);
    g_clear_pointer(&prompt->completions, g_strfreev);
}

static void
remember(Prompt *prompt, const char *text)
{
    GPtrArray *history = prompt->history[prompt->type];
    bool again = history->len > 0 && strcmp(history->pdata[history->len - 1], text) == 0;
    if (*text == '\0' || again)
        return;
    if (history->len == PROMPT_HISTORY_MAX)
        g_ptr_array_remove_index(history, 0);
    g_ptr_array_add(history, g_strdup(text));
}

/* ---- editing
 * --------------------------------------------------------------------------------------------------
 */

static void
insert(TuiState *state, gunichar character)
{
    Prompt *prompt = &state->prompt;
    if (prompt->text->len + 8 > PROMPT_BYTES_MAX || !g_unichar_isprint(character))
        return;
    g_string_insert_unichar(prompt->text, (gssize)prompt->cursor, character);
    prompt->cursor += (size_t)g_unichar_to_utf8(character, NULL);
}

static size_t
before(const Prompt *prompt)
{
    const char *at = prompt->text->str + prompt->cursor;
    return prompt->cursor == 0 ? 0 : (size_t)(g_utf8_prev_char(at) - prompt->text->str);
}

static size_t
behind(const Prompt *prompt)
{
    const char *at = prompt->text->str + prompt->cursor;
    return *at == '\0' ? prompt->cursor : (size_t)(g_utf8_next_char(at) - prompt->text->str);
}

static void
erase(Prompt *prompt, size_t from, size_t to)
{
    g_string_erase(prompt->text, (gssize)from, (gssize)(to - from));
    prompt->cursor = from;
}

static void
erase_word(Prompt *prompt)
{
    size_t from = prompt->cursor;
    while (from > 0 && prompt->text->str[from - 1] == ' ')
        from--;
    while (from > 0 && prompt->text->str[from - 1] != ' ')
        from--;
    erase(prompt, from, prompt->cursor);
}

static void
recall(Prompt *prompt, int step)
{
    GPtrArray *history = prompt->history[prompt->type];
    int at = CLAMP((int)prompt->history_at + step, 0, (int)history->len);
    prompt->history_at = (guint)at;
    g_string_assign(prompt->text, at < (int)history->len ? history->pdata[at] : "");
    prompt->cursor = prompt->text->len;
}

static bool
edit_key(TuiState *state, int key)
{
    Prompt *prompt = &state->prompt;
    if (key == TUI_KEY_BACKSPACE)
        erase(prompt, before(prompt), prompt->cursor);
    else if (key == TUI_KEY_DELETE)
        erase(prompt, prompt->cursor, behind(prompt));
    else if (key == TUI_KEY_LEFT)
        prompt->cursor = before(prompt);
    else if (key == TUI_KEY_RIGHT)
        prompt->cursor = behind(prompt);
    else if (key == TUI_KEY_HOME || key == TUI_CTRL('a'))
        prompt->cursor = 0;
    else if (key == TUI_KEY_END || key == TUI_CTRL('e'))
        prompt->cursor = prompt->text->len;
    else if (key == TUI_CTRL('u'))
        erase(prompt, 0, prompt->cursor);
    else if (key == TUI_CTRL('w'))
        erase_word(prompt);
    else if (key == TUI_KEY_UP || key == TUI_KEY_DOWN)
        recall(prompt, key == TUI_KEY_UP ? -1 : 1);
    else if (key >= ' ' && key < TUI_KEY_UP)
        insert(state, (gunichar)key);
    else
        return false;
    return true;
}

/* ---- completion
 * ---------------------------------------------------------------------------------------------------
 */

static char **
ask_completions(TuiState *state)
{
    const TuiOptions *options = state->options;
    const char *line = state->prompt.text->str;
    if (state->prompt.type == PROMPT_COMMAND)
        return command_complete(state, line);
    if (state->prompt.type == PROMPT_KUBECTL && options->complete != NULL)
        return options->complete(state->live, line, options->data);
    return NULL;
}

static size_t
common_length(char **words)
{
    size_t length = strlen(words[0]);
    for (size_t i = 1; words[i] != NULL; i++) {
        size_t same = 0;
        while (same < length && words[i][same] == words[0][same])
            same++;
        length = same;
    }
    return length;
}

/* Replaces the last word by what all completions begin with. */
static void
complete(TuiState *state)
{
    Prompt *prompt = &state->prompt;
    g_clear_pointer(&prompt->completions, g_strfreev);
    prompt->completions = ask_completions(state);
    if (prompt->completions == NULL || prompt->completions[0] == NULL) {
        g_clear_pointer(&prompt->completions, g_strfreev);
        return;
    }
    const char *space = strrchr(prompt->text->str, ' ');
    size_t begin = space != NULL ? (size_t)(space + 1 - prompt->text->str) : 0;
    size_t length = common_length(prompt->completions);
    bool only = prompt->completions[1] == NULL;
    if (length >= prompt->text->len - begin && begin + length + 8 < PROMPT_BYTES_MAX) {
        g_string_truncate(prompt->text, begin);
        g_string_append_len(prompt->text, prompt->completions[0], (gssize)length);
        if (only)
            g_string_append_c(prompt->text, ' ');
        prompt->cursor = prompt->text->len;
    }
    if (only)
        g_clear_pointer(&prompt->completions, g_strfreev);
}

/* ---- keys
 * ----------------------------------------------------------------------------------------------------------
 */

static void
apply_filter(TuiState *state, const char *text)
{
    TuiView *view = tui_top(state);
    if (view->class->filter != NULL)
        view->class->filter(view, state, text);
}

static void
accept(TuiState *state)
{
    Prompt *prompt = &state->prompt;
    PromptType type = prompt->type;
    g_autofree char *text = g_strstrip(g_strdup(prompt->text->str));
    void (*done)(TuiState *, const char *) = prompt->done;
    remember(prompt, text);
    close_prompt(prompt);
    if (type == PROMPT_COMMAND)
        command_run(state, text);
    else if (type == PROMPT_KUBECTL && *text != '\0')
        kubectl_run_in_pane(state, text);
    else if (type == PROMPT_VALUE && done != NULL)
        done(state, text);
}

bool
prompt_key(TuiState *state, int key)
{
    Prompt *prompt = &state->prompt;
    if (prompt->type == PROMPT_NONE)
        return false;
    bool empty = prompt->text->len == 0;
    if (key == TUI_KEY_TAB) {
        complete(state);
        return true;
    }
    g_clear_pointer(&prompt->completions, g_strfreev);
    if (key == TUI_KEY_ESCAPE || key == TUI_CTRL('c') || (key == TUI_KEY_BACKSPACE && empty)) {
        if (prompt->type == PROMPT_FILTER)
            apply_filter(state, "");
        if (prompt->type == PROMPT_VALUE)
            g_clear_pointer(&state->fault, value_unref);
        close_prompt(prompt);
        return true;
    }
    if (key == TUI_KEY_ENTER)
        accept(state);
    else if (edit_key(state, key) && prompt->type == PROMPT_FILTER)
        apply_filter(state, prompt->text->str);
    return true;
}

void
prompt_render(const TuiState *state, CellGrid *grid, int y)
{
    const Prompt *prompt = &state->prompt;
    int width = state->width - 1,
        x = grid_put(grid, 0, y, width, STYLE_KEY | STYLE_BOLD, prompt->label);
    g_autofree char *head = g_strndup(prompt->text->str, prompt->cursor);
    int room = width - x, skip = MAX(text_columns(head) - room + 1, 0);
    const char *shown = prompt->text->str;
    for (int hidden = 0; hidden < skip && *shown != '\0'; hidden++)
        shown = g_utf8_next_char(shown);
    grid_put(grid, x, y, room, STYLE_NORMAL, shown);
    grid->cursor_x = MIN(x + text_columns(head) - skip, state->width - 1);
    grid->cursor_y = y;
}
