/* The dashboard: a live world in a terminal. */
#pragma once

#include "sim/world/live.h"

/* ---- what a lesson shows and can be asked -------------------------------------------------------------------- */

typedef enum {
    TUI_LESSON_WORKING, /* the step's goal is not met yet */
    TUI_LESSON_MET,     /* it is: `next` leads on */
    TUI_LESSON_DONE,    /* the last step's goal was met */
} TuiLessonState;

typedef struct TuiLesson TuiLesson;

/* Texts are translated already, UTF-8, valid until the next call of any op. Each op gets the world as it is now, since a
 * rewind replaces it. */
typedef struct TuiLessonOps {
    const char *(*title)(TuiLesson *lesson);
    /* Of the step: paragraphs parted by newlines; a line that begins with "$ " is a command line to type. */
    const char *(*text)(TuiLesson *lesson);
    void (*step)(TuiLesson *lesson, int *ret_step, int *ret_steps); /* from 1 */
    TuiLessonState (*state)(TuiLesson *lesson, World *world);
    /* What the last hint, check or next had to say; "" for nothing. */
    const char *(*feedback)(TuiLesson *lesson);
    void (*next)(TuiLesson *lesson, World *world);  /* :next; it may refuse and say why in feedback */
    void (*hint)(TuiLesson *lesson, World *world);  /* h; the next hint */
    void (*check)(TuiLesson *lesson, World *world); /* :check; says what is still missing */
    void (*moved)(TuiLesson *lesson, World *world); /* after a batch of events; may be NULL */
    /* A kubectl line (without "kubectl") was run from the dashboard and ended with this status. May be NULL. */
    void (*typed)(TuiLesson *lesson, World *world, const char *line, int status);
    /* The person pressed a digit, 1 to 9: the choice of the question that text shows. May be NULL: no questions. */
    void (*answer)(TuiLesson *lesson, World *world, int choice);
} TuiLessonOps;

struct TuiLesson {
    const TuiLessonOps *ops;
};

/* ---- running it ------------------------------------------------------------------------------------------------- */

typedef enum {
    TUI_STOP, /* the person asked to stop the cluster (or the terminal went away and it cannot be kept) */
    TUI_KEEP, /* leave the dashboard, let the cluster go on */
    TUI_FAILED,
} TuiOutcome;

/* Where a command line writes, and who may stop it. */
typedef struct TuiOutput {
    void (*write)(int stream, const char *text, size_t length, void *data); /* 1 stdout, 2 stderr */
    bool (*cancelled)(void *data); /* the person gave up waiting */
    void *data;
} TuiOutput;

typedef struct TuiOptions {
    const char *cluster_name;
    const char *kubeconfig;    /* path shown in help; NULL: nobody listens */
    bool colour;               /* allowed; NO_COLOR is looked at by the caller */
    bool ascii;                /* only ASCII is drawn (else: when the terminal's encoding is not UTF-8) */
    bool can_keep;             /* leaving offers to keep the cluster running */
    TuiLesson *lesson;         /* borrowed; NULL: none */
    /* Runs one kubectl command line against the world and returns its exit status. While it waits it may run the main context:
     * meanwhile the dashboard draws, and takes only the keys that stop it or move time. NULL: there is no kubectl. */
    int (*kubectl)(Live *live, const char *line, const TuiOutput *output, void *data);
    /* Completions of the last word of such a line (owned, sorted), or NULL. May be NULL. */
    char **(*complete)(Live *live, const char *line, void *data);
    void *data;
} TuiOptions;

/* Takes the terminal and runs in the default GLib main context until the person leaves. The terminal is given back in every
 * case. */
int tui_run(Live *live, const TuiOptions *options, GError **error); /* TuiOutcome */
