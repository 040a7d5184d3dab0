/* Shell text to a tree. Words keep their quotes and dollars; expand.c works them out when they are run. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    NODE_SIMPLE,     /* words */
    NODE_SEQUENCE,   /* children one after the other */
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_PIPE,
    NODE_IF,         /* condition, body, condition, body, ..., else's body */
    NODE_WHILE,      /* condition, body */
    NODE_UNTIL,
    NODE_FOR,        /* name, words, body */
    NODE_CASE,       /* words[0] subject; per child a word of patterns joined by newlines */
    NODE_GROUP,
    NODE_SUBSHELL,
    NODE_BACKGROUND,
    NODE_FUNCTION,   /* name, body */
} ShellNodeKind;

typedef enum { REDIRECT_IN, REDIRECT_OUT, REDIRECT_APPEND, REDIRECT_DUP, REDIRECT_TEXT, REDIRECT_TEXT_RAW } RedirectKind;

typedef struct ShellRedirect {
    RedirectKind kind;
    int fd;
    char *word; /* path, number of the other descriptor, or the here-document's text */
} ShellRedirect;

typedef struct ShellNode {
    ShellNodeKind kind;
    char *name;
    bool has_words;     /* of a for: `in` was given */
    GPtrArray *words;   /* char * */
    GPtrArray *children; /* ShellNode * */
    GPtrArray *redirects; /* ShellRedirect *; may be NULL */
} ShellNode;

#define SHELL_SCRIPT_MAX (64u * 1024)
#define SHELL_NESTING_MAX 40
#define SHELL_NODES_MAX 4096

/* NULL with a message ("unexpected end of file") when it does not parse. */
ShellNode *shell_parse(const char *text, char **ret_error);
void shell_node_free(void *node);

/* The end of what begins at `text`: "$(...)", "${...}", "$((...))", "`...`", quotes. Points behind it, or at the NUL. */
const char *shell_skip_dollar(const char *text);
const char *shell_skip_quotes(const char *text);
