/* Objects as aligned rows. */
#pragma once

#include "cli/kubectl/kube.h"

/* One table: rows of one kind, with the flags -o wide, -L, --show-labels, --no-headers. Kept
 * between the events of a watch, so that columns only grow. */
typedef struct TableOptions {
    bool wide;
    bool no_headers;
    bool show_labels;
    bool with_namespace;
    bool with_kind;       /* "pod/web" */
    char **label_columns; /* NULL: none */
    GPtrArray *shape;     /* of a watch: owned texts, one a column, empty at first; NULL */
    const char *event;    /* of --output-watch-events; NULL */
} TableOptions;

void table_write(Kube *kube, GString *out, const ApiKind *kind, const Value *const *objects,
                 size_t n, const TableOptions *options);
void table_write_object(Kube *kube, GString *out, const ApiKind *kind, const Value *object,
                        bool wide);

/* -o custom-columns=NAME:.metadata.name,... or a file of two lines. NULL: the error is printed. */
typedef struct CustomColumns CustomColumns;
CustomColumns *custom_columns_new(Kube *kube, const char *text, bool from_file, bool headers);
void custom_columns_free(CustomColumns *columns);
void custom_columns_write(CustomColumns *columns, GString *out, Value *const *objects, size_t n,
                          bool headers);
