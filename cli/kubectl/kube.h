/* What the commands of kubectl share: one command line under way, its flags, its calls and its
 * output. Not for other folders; they use kubectl.h. */
#pragma once

#include "cli/kubectl/kubectl.h"
#include "core/object/yaml.h"

#define KUBE_ITEMS_MAX 100000 /* objects that one command line may name */
#define KUBE_WORDS_MAX 4096   /* words of one line */
#define KUBE_CHUNK_SIZE 500
#define KUBE_EDIT_ATTEMPTS_MAX 20

/* ---- commands and flags (flags.c, commands.c)
 * -------------------------------------------------------- */

typedef enum {
    FLAG_BOOL,
    FLAG_TEXT,
    FLAG_INT,
    FLAG_DURATION, /* "30s"; a bare number is refused, "0" is not */
    FLAG_LIST,     /* may be repeated and holds commas */
    FLAG_ARRAY,    /* may be repeated */
} FlagType;

typedef struct KubeFlag {
    const char *name;
    char shorthand; /* 0: none */
    FlagType type;
    const char *otherwise; /* value when not given; NULL: "" (false for a bool) */
    const char *bare;      /* value of "--flag" alone; NULL: it needs one (a bool means true) */
    const char *help;
} KubeFlag;

typedef struct Kube Kube;
typedef struct KubeCommand KubeCommand;

struct KubeCommand {
    const char *name;
    const char *aliases; /* "po,pods", or NULL */
    const char *group;   /* heading in the list of all commands; of top-level commands only */
    const char *usage;   /* what follows the command's own name */
    const char *summary; /* one line */
    const char *help;    /* further paragraphs, or NULL */
    const char *examples;
    const KubeFlag *flags; /* ends with a NULL name; or NULL */
    int (*run)(Kube *kube);
    const KubeCommand *const *children; /* NULL terminated, or NULL */
};

extern const KubeCommand KUBECTL_ROOT;
extern const KubeFlag KUBE_GLOBAL_FLAGS[];

struct Kube {
    const KubectlEnv *env;
    const KubeCommand *command;
    char *path;        /* "kubectl create deployment" */
    GPtrArray *args;   /* words that are no flags */
    int dash_at;       /* how many args came before "--"; -1 without one */
    GHashTable *flags; /* name -> GPtrArray of texts; looked up only */
    const char *namespace_;
    bool namespace_given;
    GPtrArray *kinds; /* discovered ones; kinds.c */
    bool discovered;
};

/* Takes words apart by the command's flags and the global ones. False: the error is printed. */
bool kube_flags_parse(Kube *kube, int argc, char **argv);
const KubeFlag *kube_flag_find(const KubeCommand *command, const char *name);
bool kube_flag_given(const Kube *kube, const char *name);
const char *kube_flag(const Kube *kube, const char *name); /* the last value; "" when none */
bool kube_flag_bool(const Kube *kube, const char *name);
int64_t kube_flag_int(const Kube *kube, const char *name);
int64_t kube_flag_duration(const Kube *kube, const char *name); /* ns */
char **kube_flag_list(const Kube *kube, const char *name);      /* owned; empty when not given */
void kube_help(Kube *kube, const KubeCommand *command, const char *path);
const KubeCommand *kube_command_find(const KubeCommand *parent, const char *word);

static inline size_t
kube_n_args(const Kube *kube)
{
    return kube->args->len;
}

static inline const char *
kube_arg(const Kube *kube, size_t index)
{
    return index < kube->args->len ? g_ptr_array_index(kube->args, index) : NULL;
}

/* ---- output (kube.c)
 * -------------------------------------------------------------------------------- */

void kube_write(Kube *kube, int stream, const char *text);
void kube_out(Kube *kube, const char *format, ...) G_GNUC_PRINTF(2, 3);
void kube_err(Kube *kube, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "error: ...": returns 1. */
int kube_fail(Kube *kube, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* "error: ...\nSee 'kubectl get --help' for usage.": returns 1. */
int kube_fail_usage(Kube *kube, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What kubectl prints for a Status ("Error from server (NotFound): ..."), with the newline. verb
 * ("creating") and source (a file's name) may be NULL. Owned. */
char *kube_status_text(const Value *status, const char *verb, const char *source);
int kube_fail_status(Kube *kube, const Value *status); /* prints it; returns 1 */
int64_t kube_now(const Kube *kube);

/* ---- calls (kube.c)
 * ------------------------------------------------------------------------------------ */

/* Asks and waits. Warnings of the server are printed. NULL when the person gave up. Owned. */
ApiResponse *kube_call(Kube *kube, ApiRequest *take);
/* For this kind, with its version. namespace_ is left out for cluster-scoped kinds. */
ApiRequest *kube_request(ApiVerb verb, const ApiKind *kind, const char *namespace_,
                         const char *name);
/* The answer's object (owned), or NULL: then *ret_error is the text to print (owned). */
Value *kube_ask(Kube *kube, ApiRequest *take, char **ret_error);
Value *kube_get(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
                char **ret_error);
/* All pages. The list's items lack apiVersion and kind no more. */
Value *kube_list(Kube *kube, const ApiKind *kind, const char *namespace_,
                 const char *label_selector, const char *field_selector, char **ret_error);
Value *kube_patch(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
                  const char *subresource, PatchType type, Value *take_patch, char **ret_error);
/* Waits at most timeout_ns (by env's clock; negative: for ever) until done(data); false when not.
 */
bool kube_wait(Kube *kube, bool (*done)(void *data), void *data, int64_t timeout_ns);
/* Prints and frees a text from above; returns 1. */
int kube_fail_take(Kube *kube, char *take_error);

/* ---- waiting for an object (await.c) ---- */

typedef enum { AWAIT_DONE, AWAIT_TIMEOUT, AWAIT_CANCELLED, AWAIT_FAILED } Await;
/* Follows one object (object NULL: it is not there) until func says true; timeout as in kube_wait.
 * AWAIT_FAILED sets *ret_error as the calls above do. */
Await kube_await(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
                 bool (*func)(const Value *object, void *data), void *data, int64_t timeout_ns,
                 char **ret_error);
bool kube_sleep(Kube *kube, int64_t ns); /* false: cancelled */
/* Watches with this request until the end of the watch, cancellation, or func says stop. The exit
 * status. */
int kube_watch(Kube *kube, ApiRequest *take, bool (*func)(const WatchEvent *event, void *data),
               void *data, int64_t timeout_ns);

typedef enum { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER } DryRun;
/* False: the flag's value is wrong and that is printed. */
bool kube_dry_run(Kube *kube, DryRun *ret_dry_run);
const char *dry_run_suffix(DryRun dry_run); /* "", " (dry run)", " (server dry run)" */

/* ---- kinds (kinds.c)
 * ------------------------------------------------------------------------------------- */

/* By what a person typed; NULL: the error is printed, with near names. */
const ApiKind *kube_kind(Kube *kube, const char *word);
const ApiKind *kube_kind_quiet(Kube *kube, const char *word);
const ApiKind *kube_kind_of(Kube *kube,
                            const Value *object); /* NULL when unknown; prints nothing */
const ApiKind *kube_kind_named(Kube *kube, const char *group,
                               const char *resource); /* a built-in one; asserts */
/* All kinds, those that the server has beyond the built-in ones too. Borrowed ApiKind *, owned
 * array. */
GPtrArray *kube_kinds(Kube *kube);
void kube_kinds_clear(Kube *kube);
/* "pod" or "deployment.apps". Owned. */
char *kube_kind_short(const ApiKind *kind);
/* "pod/web", "deployment.apps/web". Owned. */
char *kube_item_label(const ApiKind *kind, const char *name);

/* ---- objects that a command line names (select.c, manifest.c)
 * --------------------------------------------- */

typedef struct KubeItem {
    const ApiKind *kind;
    char *namespace_;             /* NULL: cluster scope */
    char *name;                   /* NULL: generateName */
    Value *object;                /* live, or as written; NULL when only named */
    char *source;                 /* the file; NULL */
    const YamlDocument *document; /* of the file, for lines; owned by KubeItems */
} KubeItem;

typedef struct KubeItems {
    GPtrArray *items;     /* KubeItem */
    GPtrArray *errors;    /* owned texts, as to be printed */
    GPtrArray *documents; /* what the documents of files live in */
    bool single;          /* one object by its name, not a list */
    bool several_kinds;
    const ApiKind *kind; /* the one kind that was listed; NULL */
    char *revision;      /* of that list */
} KubeItems;

void kube_items_free(KubeItems *items);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubeItems, kube_items_free)
static inline KubeItem *
kube_item(const KubeItems *items, size_t index)
{
    return g_ptr_array_index(items->items, index);
}
KubeItem *kube_items_add(KubeItems *items, const ApiKind *kind, const char *namespace_,
                         const char *name, Value *take_object);
KubeItems *kube_items_new(void);

enum {
    SELECT_FETCH = 1 << 0,  /* named and written ones are read from the server */
    SELECT_ALL_OK = 1 << 1, /* TYPE alone means all of them (get, describe) */
    SELECT_LOCAL = 1 << 2,  /* --local: files only */
    SELECT_EMPTY_OK = 1 << 3,
    SELECT_ONE_KIND =
        1 << 4, /* the first word is a kind, all others are names, also with slashes refused */
};

/* From -f, -l, --field-selector, --all, -A and the words from first_arg to end_arg. NULL: the error
 * is printed. */
KubeItems *kube_select(Kube *kube, unsigned how, size_t first_arg, size_t end_arg);
/* Prints what is in errors; the exit status. */
int kube_items_end(Kube *kube, KubeItems *items);

/* Reads and checks all documents of -f (lists are taken apart). NULL: every error is printed,
 * nothing was done. */
KubeItems *kube_manifests(Kube *kube, bool validate);
/* The same from a text. */
KubeItems *kube_manifests_text(Kube *kube, const char *name, const char *text, size_t length,
                               bool validate);
/* After a Status of kind Invalid: the lines of the file that its causes name, "web.yaml:12: spec.x:
 * ...". */
void kube_point_at_lines(Kube *kube, const KubeItem *item, const Value *status);

/* ---- printing (print.c, tabs.c, table.c)
 * ------------------------------------------------------------------------ */

/* Elastic tab stops as Go's text/tabwriter: each cell ends with a tab; a column is as wide as its
 * widest cell in consecutive lines. Appends to out. */
void tabs_write(GString *out, const char *text, unsigned min_width, unsigned padding);

typedef struct KubePrinter KubePrinter;
/* By -o, --template, --show-managed-fields. NULL: the error is printed. `allow_table`: without -o a
 * table is printed (kube_printer_is_table), else -o "" means the message form "pod/web created". */
KubePrinter *kube_printer_new(Kube *kube, const char *output);
void kube_printer_free(KubePrinter *printer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubePrinter, kube_printer_free)
bool kube_printer_is_table(const KubePrinter *printer); /* no -o, or -o wide */
bool kube_printer_is_wide(const KubePrinter *printer);
bool kube_printer_is_custom_columns(const KubePrinter *printer);
/* Prints one object; returns the exit status. */
int kube_print(Kube *kube, KubePrinter *printer, const ApiKind *kind, const Value *object);
/* All items: one alone when items->single, else a List. */
int kube_print_items(Kube *kube, KubePrinter *printer, const KubeItems *items);
/* "deployment.apps/web created (dry run)" or by -o the object. */
int kube_print_done(Kube *kube, const ApiKind *kind, const Value *object, const char *operation,
                    DryRun dry_run);
Value *kube_without_managed_fields(const Value *object);
int kube_sort_items(Kube *kube, KubeItems *items,
                    const char *path); /* 0, or 1 with the error printed */

/* ---- words
 * ----------------------------------------------------------------------------------------------------
 */

/* As a shell splits a line; NULL with error (a quote is open). Owned. */
char **kube_split_line(const char *line, GError **error);

/* Flags that many commands have. */
#define KUBE_FLAGS_FILES                                                                           \
    {"filename", 'f',  FLAG_LIST,                                                                  \
     NULL,       NULL, "File, folder or URL with manifests; - reads standard input"},              \
        {"kustomize", 'k', FLAG_TEXT, NULL, NULL, "A kustomization folder (not supported here)"},  \
    {                                                                                              \
        "recursive", 'R', FLAG_BOOL, "false", NULL, "Go into the folders below the one of -f too"  \
    }
#define KUBE_FLAGS_SELECTOR                                                                        \
    {                                                                                              \
        "selector", 'l', FLAG_TEXT, NULL, NULL,                                                    \
            "Only objects with these labels: '=', '==', '!=', 'in', 'notin' (-l key1=value1,key2 " \
            "in (a,b))"                                                                            \
    }
#define KUBE_FLAGS_FIELD_SELECTOR                                                                  \
    {                                                                                              \
        "field-selector", 0, FLAG_TEXT, NULL, NULL,                                                \
            "Only objects with these fields (status.phase=Running)"                                \
    }
#define KUBE_FLAGS_OUTPUT                                                                          \
    {"output",                                                                                     \
     'o',                                                                                          \
     FLAG_TEXT,                                                                                    \
     NULL,                                                                                         \
     NULL,                                                                                         \
     "How to print: json, yaml, name, jsonpath=..., jsonpath-as-json=..., jsonpath-file=..."},     \
        {"template", 0, FLAG_TEXT, NULL, NULL, "The template of -o jsonpath or jsonpath-file"},    \
        {"allow-missing-template-keys",                                                            \
         0,                                                                                        \
         FLAG_BOOL,                                                                                \
         "true",                                                                                   \
         NULL,                                                                                     \
         "Print nothing for fields of a template that are absent"},                                \
    {                                                                                              \
        "show-managed-fields", 0, FLAG_BOOL, "false", NULL,                                        \
            "Keep metadata.managedFields in json and yaml"                                         \
    }
#define KUBE_FLAGS_DRY_RUN                                                                         \
    {                                                                                              \
        "dry-run", 0, FLAG_TEXT, "none", "unchanged",                                              \
            "none, client (only print what would be sent) or server (ask, but keep nothing)"       \
    }
#define KUBE_FLAGS_ALL_NAMESPACES                                                                  \
    {                                                                                              \
        "all-namespaces", 'A', FLAG_BOOL, "false", NULL, "In all namespaces"                       \
    }
#define KUBE_FLAGS_VALIDATE                                                                        \
    {                                                                                              \
        "validate", 0, FLAG_TEXT, "strict", "strict",                                              \
            "Check fields before sending: strict (or true), warn, ignore (or false)"               \
    }
#define KUBE_FLAGS_MANAGER(manager)                                                                \
    {                                                                                              \
        "field-manager", 0, FLAG_TEXT, manager, NULL, "Name that owns the written fields"          \
    }
#define KUBE_FLAGS_END                                                                             \
    {                                                                                              \
        NULL, 0, FLAG_BOOL, NULL, NULL, NULL                                                       \
    }
