/* The syntax tree of a JSONPath template: for the files jsonpath*.c only. */
#pragma once

#include "core/object/jsonpath.h"

typedef enum {
    NODE_LIST,       /* children, each applied to the results of the one before */
    NODE_CONSTANT,   /* value: a number or bool, once for each input */
    NODE_TEXT,       /* value: a string, once */
    NODE_FIELD,      /* text */
    NODE_ARRAY,      /* bounds */
    NODE_FILTER,     /* children: left, right; text: the operator */
    NODE_WILDCARD,
    NODE_RECURSIVE,
    NODE_UNION,      /* children: lists, each applied to the same input */
    NODE_IDENTIFIER, /* text: "range", "end" */
} NodeType;

typedef struct {
    bool known;
    bool derived;
    int64_t value;
} Bound;

typedef struct {
    NodeType type;
    char *text;
    Value *value;
    Bound bounds[3]; /* from, to, step */
    GPtrArray *children;
} PathNode;

PathNode *path_node_new(NodeType type);
void path_node_free(PathNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PathNode, path_node_free)

struct JsonPath {
    PathNode *root; /* a list of texts and actions (lists) */
};
