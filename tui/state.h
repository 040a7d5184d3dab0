/* The dashboard without a terminal: tui_update takes an event, tui_render draws on a grid. Between the two nothing is
 * asked of the world: views take snapshots when they are refreshed. What files of tui/ share. */
#pragma once

#include "core/api/types.h"
#include "tui/lines.h"
#include "tui/tui.h"

typedef struct TuiState TuiState;
typedef struct TuiView TuiView;

/* ---- events -------------------------------------------------------------------------------------------------- */

/* A key is a Unicode character, or one of these. */
enum {
    TUI_KEY_UP = 0x110000,
    TUI_KEY_DOWN,
    TUI_KEY_LEFT,
    TUI_KEY_RIGHT,
    TUI_KEY_PAGE_UP,
    TUI_KEY_PAGE_DOWN,
    TUI_KEY_HOME,
    TUI_KEY_END,
    TUI_KEY_ENTER,
    TUI_KEY_ESCAPE,
    TUI_KEY_TAB,
    TUI_KEY_BACKSPACE,
    TUI_KEY_DELETE,
};
#define TUI_CTRL(letter) ((letter) & 0x1f)

typedef enum {
    TUI_EVENT_KEY,
    TUI_EVENT_RESIZE,
    TUI_EVENT_MOVED, /* the world went on: take new snapshots */
} TuiEventType;

typedef struct TuiEvent {
    TuiEventType type;
    int key;
    int width, height;
} TuiEvent;

TuiState *tui_state_new(Live *live, const TuiOptions *options, int width, int height);
void tui_state_free(TuiState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TuiState, tui_state_free)
void tui_update(TuiState *state, const TuiEvent *event);
void tui_render(const TuiState *state, CellGrid *grid);
/* Has the person left, and how? */
bool tui_has_left(const TuiState *state, TuiOutcome *ret_outcome);

/* ---- keys: one line in a table each; help and hints are made from the tables ------------------------------------ */

typedef struct TuiKey {
    int key;
    const char *label; /* as shown: "space"; NULL: the character itself */
    const char *help;  /* N_("pause and go on"); NULL: a second key of the line before */
    const char *hint;  /* N_("pause"): also in the hint line; NULL: not there */
    void (*run)(TuiState *state);
} TuiKey;

/* ---- views ---------------------------------------------------------------------------------------------------------- */

/* What is selected; strings are borrowed until the next event. NULL for what does not apply. */
typedef struct TuiTarget {
    const char *group, *resource, *kind; /* of an object */
    const char *namespace_, *name;
    const char *node;    /* on which it is, or that it is itself */
    const char *process; /* a component */
} TuiTarget;

typedef struct TuiViewClass {
    const char *name;
    const TuiKey *keys; /* ends with .run NULL */
    /* Takes new snapshots; called when it is shown, when the world moved and when its rectangle changed. */
    void (*refresh)(TuiView *view, TuiState *state);
    void (*render)(const TuiView *view, const TuiState *state, CellGrid *grid, Rect rect);
    char *(*title)(const TuiView *view, const TuiState *state);
    bool (*target)(const TuiView *view, TuiTarget *ret_target); /* may be NULL */
    void (*filter)(TuiView *view, TuiState *state, const char *text); /* may be NULL: cannot be filtered */
    void (*free)(TuiView *view);
} TuiViewClass;

struct TuiView {
    const TuiViewClass *class;
    Rect rect; /* where it was laid out last */
};

#define TUI_VIEWS_MAX 12 /* one above the other */

void tui_push(TuiState *state, TuiView *take);
void tui_pop(TuiState *state); /* never the last */
TuiView *tui_top(const TuiState *state);
bool tui_target(const TuiState *state, TuiTarget *ret_target);

TuiView *view_cluster_new(void);
/* resource as api_types_lookup reads it. namespace_ NULL: all. NULL when no kind is called so. */
TuiView *view_table_new(TuiState *state, const char *word, const char *namespace_);

/* Text views: makes lines anew at each refresh, or once. */
typedef void (*TextMakeFunc)(TuiState *state, const TuiTarget *target, Lines *lines);
TuiView *view_text_new(const char *title, const TuiTarget *target, TextMakeFunc make, bool live);
bool view_text_shows(const TuiView *view, TextMakeFunc make); /* is it the view of this text? */
/* Shows the end of the text as it grows. */
void view_text_follow(TuiView *view);

/* ---- the line at the bottom: command, filter, kubectl, one value -------------------------------------------------- */

typedef enum { PROMPT_NONE, PROMPT_COMMAND, PROMPT_FILTER, PROMPT_KUBECTL, PROMPT_VALUE } PromptType;

#define PROMPT_BYTES_MAX 1000
#define PROMPT_HISTORY_MAX 200

typedef struct Prompt {
    PromptType type;
    char *label;           /* ":" */
    GString *text;
    size_t cursor;         /* byte offset */
    GPtrArray *history[PROMPT_VALUE + 1]; /* of texts, oldest first */
    guint history_at;
    char **completions;    /* shown in the hint line, or NULL */
    char *help;            /* of PROMPT_VALUE, shown there too; or NULL */
    void (*done)(TuiState *state, const char *text); /* of PROMPT_VALUE */
} Prompt;

void prompt_init(Prompt *prompt);
void prompt_clear(Prompt *prompt);
void prompt_open(TuiState *state, PromptType type, const char *label, const char *text);
/* Asks for one value; help may be NULL. */
void prompt_ask(TuiState *state, const char *label, const char *help, void (*done)(TuiState *state, const char *text));
bool prompt_key(TuiState *state, int key); /* false: no prompt is open */
void prompt_render(const TuiState *state, CellGrid *grid, int y);

/* ---- menus: a list in a box over everything ------------------------------------------------------------------------- */

typedef struct MenuItem {
    char *text;
    char *note;  /* at the right end, or NULL */
    int key;     /* that chooses it at once, or 0 */
    bool disabled;
} MenuItem;

typedef struct Menu {
    char *title;
    GPtrArray *items; /* of MenuItem */
    guint selected, first;
    void (*chosen)(TuiState *state, guint index);
} Menu;

Menu *menu_new(const char *title, void (*chosen)(TuiState *state, guint index));
void menu_free(Menu *menu);
void menu_add(Menu *menu, int key, bool disabled, const char *text, const char *note);
bool menu_key(TuiState *state, int key);
void menu_render(const TuiState *state, CellGrid *grid);

/* ---- the state -------------------------------------------------------------------------------------------------------- */

struct TuiState {
    Live *live;
    const TuiOptions *options;
    int width, height;
    GPtrArray *views; /* of TuiView, the top one last */
    Prompt prompt;
    Menu *menu;       /* or NULL */
    char *note;       /* one line for the person, until the next key; or NULL */
    int note_style;
    bool lesson_shown;
    guint lesson_first; /* line of its text at the top */
    GPtrArray *faults;  /* of Value {spec, at}: what was broken here and not mended */
    Value *fault;       /* that is being filled in; or NULL */
    Lines *transcript;  /* of the kubectl command line */
    GString *running;   /* what the kubectl line that runs has written so far; NULL: none runs */
    bool cancelled;     /* it is to stop */
    void (*wake)(void *data); /* something is to be drawn although no event came; or NULL */
    void *wake_data;
    bool left;
    TuiOutcome outcome;
    /* Snapshot for header and status line, taken at refresh. */
    struct {
        int64_t now;
        uint64_t digest, events;
        bool api_up;
        int nodes, nodes_ready, pods, pods_running;
    } facts;
};

void tui_note(TuiState *state, int style, const char *format, ...) G_GNUC_PRINTF(3, 4);
void tui_refresh(TuiState *state);
/* Where the top view is drawn. */
Rect tui_body(const TuiState *state);
/* Where the lesson is drawn; width 0: not. */
Rect tui_lesson_rect(const TuiState *state);

/* keys.c */
extern const TuiKey TUI_KEYS[];
void tui_help_lines(TuiState *state, const TuiTarget *target, Lines *lines);

/* commands.c */
void command_run(TuiState *state, const char *line);
char **command_complete(TuiState *state, const char *line); /* owned, sorted, or NULL */

/* texts.c: what is told about an object, or a component */
void open_yaml(TuiState *state);
void open_describe(TuiState *state);
void open_logs(TuiState *state);
void open_events(TuiState *state);
void open_why(TuiState *state);
void open_verdict(TuiState *state);
void open_help(TuiState *state);
void kubectl_run_in_pane(TuiState *state, const char *line);
void open_transcript(TuiState *state);

/* faults.c */
void fault_menu(TuiState *state);
/* After going back in time: faults that have not happened yet are no more. */
void faults_forget_future(TuiState *state);

/* lesson.c */
void lesson_render(const TuiState *state, CellGrid *grid, Rect rect);
void lesson_moved(TuiState *state);
void lesson_next(TuiState *state);
void lesson_hint(TuiState *state);
void lesson_check(TuiState *state);
void lesson_toggle(TuiState *state);
void lesson_typed(TuiState *state, const char *line, int status);
bool lesson_answer(TuiState *state, int key); /* false: it is no answer */
void lesson_scroll(TuiState *state, int lines);

/* render.c */
char *tui_clock_text(int64_t ns); /* "2026-01-01 00:00:12.345"; owned */
