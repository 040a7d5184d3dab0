/* The inside of a Shell, shared by machine.c (control), expand.c (words), arithmetic.c and the tools.
 *
 * A Shell is a stack of frames, one per node that is being run. A frame steps until it waits; a tool that has to wait
 * returns TOOL_WAITS and is called again with the same arguments when it is woken; what it must remember is in
 * frame->state, frame->scratch and frame->reply. */
#pragma once

#include "sim/backend/simulated/node_private.h"
#include "sim/backend/simulated/shell/parse.h"

#define SHELL_FRAMES_MAX 200
#define SHELL_STEPS_PER_EVENT 128
#define SHELL_STEP_NS (50 * NS_PER_US) /* of virtual time and of processor */
#define SHELL_TEXT_MAX (64u * 1024)    /* a variable, a captured output, a line */
#define SHELL_VARIABLES_MAX 512
#define SHELL_FIELDS_MAX 2048
#define SHELL_JOBS_MAX 16
#define SHELL_TRAPS 32

#define TOOL_WAITS (-1)

typedef enum { SINK_OUTPUT, SINK_CAPTURE, SINK_FILE, SINK_NULL } SinkKind;

typedef struct Sink {
    uint32_t refs;
    SinkKind kind;
    int stream;      /* of SINK_OUTPUT */
    GString *buffer; /* of SINK_CAPTURE */
    char *path;      /* of SINK_FILE: absolute */
} Sink;

typedef struct Source {
    uint32_t refs;
    GString *buffer;
    size_t position;
    bool open; /* more may come */
} Source;

typedef struct Io {
    Source *in;
    Sink *out, *err;
} Io;

typedef struct Variable {
    char *value;
    bool exported;
} Variable;

/* What a subshell has of its own. */
typedef struct Scope {
    GTree *variables;      /* name -> Variable */
    GPtrArray *parameters; /* $1, $2, ... */
    char *directory;
} Scope;

typedef struct NetWait {
    Shell *shell; /* NULL: it is gone */
    bool answered;
    NetStatus status;
    int http_status;
    char *body;
    char *server;
    GPtrArray *ips; /* of a DNS answer */
    bool found;
} NetWait;

typedef struct Frame {
    const ShellNode *node;
    int step;
    guint index;
    Io io;
    Sink *capture;        /* of the child that runs for it */
    GPtrArray *scripts;   /* command substitutions to run: texts */
    GPtrArray *captures;  /* their outputs */
    GPtrArray *fields;    /* argv, or a for's items */
    ShellNode *own_node;  /* a parsed substitution, eval ...: freed with the frame */
    Scope *outer_scope;   /* a subshell's: restored at its end */
    GPtrArray *outer_parameters; /* a function's */
    GPtrArray *outer_values; /* variables set for one command: name, old value or NULL, ... */
    bool subshell, function, checked; /* checked: its failure is somebody's condition */
    int state;            /* of the tool */
    char *scratch;
    NetWait *wait;
    int64_t until;        /* of the tool: when it goes on */
    int64_t deadline;     /* of `timeout` */
    bool redirected;      /* a compound's redirections are made */
} Frame;

typedef enum { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_RETURN, UNWIND_EXIT } Unwind;

struct Shell {
    SimulatedContainer *container;
    ShellSink sink;
    void *data;
    Shell *parent; /* of a job */
    GPtrArray *jobs; /* Shell *, of this one's background commands */
    GPtrArray *finished; /* jobs that ended, to be freed */
    int job_number, last_job;
    GPtrArray *frames; /* Frame * */
    GPtrArray *nodes;  /* parsed scripts that functions may point into: ShellNode * */
    GHashTable *functions; /* name -> ShellNode, borrowed; looked up only */
    Scope *scope;
    Source *input;
    Io io;
    int status;
    Unwind unwind;
    int unwind_count;
    char *traps[SHELL_TRAPS];
    uint32_t pending_traps;
    bool in_trap, errexit, trace, exec, interactive, tty, ended, waits_for_input, waits_for_jobs;
    bool running, doomed; /* to be freed when its event ends */
    bool single; /* its whole script is one command: signals go to that */
    GString *line; /* being typed */
    char *name;    /* $0 */
    EventId event;
};

struct Expansion;

typedef struct ToolCall {
    Shell *shell;
    Frame *frame;
    int argc;
    char **argv;
} ToolCall;

typedef int (*ToolFunc)(ToolCall *call);
typedef struct Tool {
    const char *name;
    ToolFunc run;
} Tool;

/* scope.c */
Scope *scope_new(void);
Io io_copy(const Io *io);
void io_clear(Io *io);
void shell_write_terminal(Shell *shell, int stream, const char *bytes, size_t length);

/* compound.c */
Frame *frame_top(const Shell *shell); /* NULL: there is none */
void frame_push_child(Shell *shell, Frame *frame, guint child, bool checked);
void frame_pop(Shell *shell);                /* ends the top frame with the shell's status */
void frame_finish(Shell *shell, int status); /* with this one, which may end a script under set -e */
void frame_free(void *frame);
void net_wait_free(NetWait *wait);
bool shell_step(Shell *shell); /* one step of the top frame; false: the shell waits, or is over */

/* simple.c */
bool frame_captures_are_ready(Shell *shell, Frame *frame); /* runs command substitutions, one a step */
bool frame_redirect(Shell *shell, Frame *frame, const ShellRedirect *redirect, struct Expansion *expansion);
bool shell_step_simple(Shell *shell, Frame *frame);

/* machine.c */
void shell_end(Shell *shell, int status); /* tells the sink; the shell may be freed then */
void shell_schedule(Shell *shell, int64_t delay_ns);
Engine *shell_engine(const Shell *shell);
bool shell_push(Shell *shell, const ShellNode *node, ShellNode *own, const Io *io);
void shell_enter_subshell(Shell *shell, Frame *frame);
const char *shell_get(const Shell *shell, const char *name);
bool shell_set(Shell *shell, const char *name, const char *value, bool export);
void shell_unset(Shell *shell, const char *name);
Scope *scope_copy(const Scope *scope);
void scope_free(Scope *scope);
void sink_unref(Sink *sink);
Sink *sink_ref(Sink *sink);
Sink *sink_new(SinkKind kind);
Source *source_ref(Source *source);
void source_unref(Source *source);
Source *source_new(const char *text, size_t length);
void sink_write(Shell *shell, Sink *sink, const char *bytes, size_t length);
int shell_find_signal(const char *name); /* 0 for EXIT, -1: none */
bool shell_start_job(Shell *shell, const ShellNode *node, const Io *io);
void shell_kill_job(Shell *shell, Shell *job);

/* expand.c */
/* Collects the texts of command substitutions in a word, in the order in which expansion needs their outputs. */
void expand_scan(const char *word, GPtrArray *scripts);
typedef struct Expansion Expansion;
struct Expansion {
    Shell *shell;
    GPtrArray *captures;
    guint next_capture;
    char *error;
};
void expand_word(Expansion *expansion, const char *word, GPtrArray *fields); /* split and globbed */
char *expand_text(Expansion *expansion, const char *word, bool quoted);      /* one text */
bool shell_match(const char *pattern, const char *text);                     /* * ? [..] */

/* arithmetic.c */
bool shell_arithmetic(Shell *shell, const char *text, int64_t *ret_value, char **ret_error);

/* tools */
extern const Tool shell_control_tools[], shell_file_tools[], shell_text_tools[], shell_net_tools[],
    shell_tar_tools[];
const Tool *shell_find_tool(const char *name);
int tool_run_rest(ToolCall *call, int first); /* the command that begins at argv[first] in place of this one */
int tool_wait_until(ToolCall *call, int64_t time);
int tool_wait_for_input(ToolCall *call);
bool tool_read_line(ToolCall *call, char **ret_line, bool *ret_wait); /* false: the end */
bool shell_duration(const char *text, int64_t *ret_ns); /* "5", "0.5", "2m" */
int shell_test(Shell *shell, int argc, char **argv);    /* test's status */
void tool_print(ToolCall *call, const char *format, ...) G_GNUC_PRINTF(2, 3);
int tool_fail(ToolCall *call, int status, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* All of standard input in *ret_text (borrowed from the source), or TOOL_WAITS while more may come. */
int tool_read_all(ToolCall *call, const char **ret_text, size_t *ret_length);
/* The operands from `first` on as files joined, or standard input. TOOL_WAITS, or 0, or 1 after complaining. */
int tool_read_operands(ToolCall *call, int first, GString *ret_text);
bool shell_client_exists(const SimulatedContainer *container, const char *name);
