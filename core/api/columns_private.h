/* Shared by the files columns_*.c: what a kind's columns are, and how a row is filled. Not for other folders. */
#pragma once

#include <glib.h>

#include "core/api/columns.h"

typedef struct Column {
    const char *name;
    const char *type;        /* "string", "integer", "boolean", "date" */
    const char *description; /* our own words */
    const char *format;      /* "name", or NULL for none */
    int priority;            /* 0: always shown; 1: wide only */
} Column;

/* A row being filled, cell by cell; it lives as long as its table, so that neighbours share what is alike. */
typedef struct Row {
    int64_t now_ns;
    ValueBuilder *cells;
    Value *conditions; /* of the row; NULL for none */
    int64_t age_seconds;
    Value *age; /* the text of age_seconds; NULL when none was made yet */
} Row;

typedef struct ColumnTable {
    const char *group;
    const char *kind;
    const Column *columns;
    size_t n_columns;
    void (*fill)(Row *row, const Value *object); /* appends n_columns cells */
} ColumnTable;

#define COLUMN_NAME {"Name", "string", "Unique name of the object within its namespace", "name", 0}
#define COLUMN_AGE {"Age", "string", "Time since the object was created", NULL, 0}
#define COLUMN_CONTAINERS {"Containers", "string", "Names of the containers of the template", NULL, 1}
#define COLUMN_IMAGES {"Images", "string", "Images of the containers of the template", NULL, 1}
#define COLUMN_SELECTOR {"Selector", "string", "Labels by which the pods are chosen", NULL, 1}
#define COLUMN_TABLE(group, kind, columns, fill) {group, kind, columns, G_N_ELEMENTS(columns), fill}

void row_value(Row *row, const Value *value);  /* as it is; "" when NULL */
void row_value_or(Row *row, const Value *value, const char *otherwise); /* when missing or an empty text */
void row_text(Row *row, const char *text);
void row_take(Row *row, char *take);           /* a text */
void row_int(Row *row, int64_t number);
void row_bool(Row *row, bool flag);
void row_name(Row *row, const Value *object);
void row_age(Row *row, const Value *object);   /* since metadata.creationTimestamp */
void row_since(Row *row, const Value *time);   /* "<unknown>" when it is none */
void row_ratio(Row *row, int64_t of, int64_t all); /* "1/3" */
void row_containers(Row *row, const Value *pod_spec);  /* two cells: names and images */
void row_labels(Row *row, const Value *pairs);         /* "a=b,c=d" or "<none>" */
void row_label_selector(Row *row, const Value *label_selector); /* "<none>" when it chooses nothing or everything */

extern const ColumnTable column_tables_pod[], column_tables_workload[], column_tables_network[], column_tables_core[],
    column_tables_storage[], column_tables_sim[];
