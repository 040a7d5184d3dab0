/* The built-in kubectl as a library: one command line against one API server. The command `timonel
 * kubectl`, the dashboard's command line, lessons and scenarios all call it; words, exit statuses
 * and output are those of kubectl 1.35. */
#pragma once

#include "core/client/client.h"

/* Standard input as a stream. */
typedef struct KubectlTerminal {
    bool is_tty;
    /* Until stop, input is called with what is typed (length 0: the end), and resized with each new
     * size and once at the start. raw: keys come one by one and are not echoed. */
    void (*start)(bool raw, void (*input)(const void *bytes, size_t length, void *data),
                  void (*resized)(int columns, int rows, void *data), void *data, void *env_data);
    void (*stop)(void *env_data);
} KubectlTerminal;

/* What a command line runs against and where it writes. All borrowed for the call. */
typedef struct KubectlEnv {
    Transport *transport;   /* to the API server */
    const Ports *ports;     /* clock and random of the caller: ages and waits are by this clock */
    const ApiTypes *types;  /* kinds known without asking; others are discovered from the server */
    const char *namespace_; /* of the current context; NULL: default */
    /* Lets the world (or the sockets) go on until done(data) holds; false: cancelled (Ctrl-C, the
     * dashboard was left). A command waits for its answers only through it. */
    bool (*wait)(bool (*done)(void *data), void *data, void *env_data);
    /* stream 1 stdout, 2 stderr; text is as the server gave it: who shows it on a screen sanitizes.
     */
    void (*write)(int stream, const char *text, size_t length, void *env_data);
    /* Reads a file, "-" (standard input) or an http(s) URL; NULL with error. May be NULL: then only
     * built-in manifests. */
    char *(*read_file)(const char *path, size_t *ret_length, GError **error, void *env_data);
    /* Files below a folder whose names end in .yaml, .yml or .json, sorted; NULL when it is no
     * folder. May be NULL. */
    char **(*list_folder)(const char *path, void *env_data);
    /* Lets a person edit a text (kubectl edit); NULL when nobody can (then edit refuses). */
    char *(*edit)(const char *text, const char *suffix, GError **error, void *env_data);
    /* A person's keys, for exec -i and attach: NULL when there are none. */
    const KubectlTerminal *terminal;
    /* The answer to GET of a raw path ("/version", "/apis", "/readyz"); NULL with error. May be
     * NULL: then kinds beyond `types` and `get --raw` cannot be had. Owned. */
    char *(*get_raw)(const char *path, GError **error, void *env_data);
    /* What `kubectl config` shows: a kubeconfig document (merged), and how a changed one is kept;
     * NULL: none. */
    const Value *kubeconfig;
    bool (*save_kubeconfig)(const Value *changed, GError **error, void *env_data);
    const char
        *server; /* the API server's address, for `cluster-info`; NULL: not reached by an address */
    const char *user; /* who asks, when that is known; NULL: the server is asked */
    void *data;
} KubectlEnv;

/* argv[0] is "kubectl". Returns kubectl's exit status (0, 1, or what exec's command said). */
int kubectl_run(const KubectlEnv *env, int argc, char **argv);
/* From one line as a shell would split it (quotes; no substitutions); a leading "kubectl" may be
 * there or not. */
int kubectl_run_line(const KubectlEnv *env, const char *line);
/* Applies all documents of a text (name: for errors), as `kubectl apply -f` does. */
int kubectl_apply_text(const KubectlEnv *env, const char *name, const char *text);
/* Completions of the last word of a line (owned, sorted; g_strfreev): commands, kinds, names,
 * flags. */
char **kubectl_complete(const KubectlEnv *env, const char *line);
