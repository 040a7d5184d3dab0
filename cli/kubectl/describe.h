/* What the describers of kubectl describe share: the words and layout of kubectl's pkg/describe. */
#pragma once

#include "cli/kubectl/kube.h"

typedef struct Describing {
    Kube *kube;
    GString *out; /* cells with tabs; laid out at the end */
    const ApiKind *kind;
    const Value *object;
} Describing;

/* One kind's describer; tables of them end with a NULL resource. */
typedef struct Describer {
    const char *group, *resource;
    void (*run)(Describing *d, const Value *object); /* all but the events */
    bool no_events;
} Describer;

extern const Describer DESCRIBE_WORKLOADS[], DESCRIBE_CLUSTER[], DESCRIBE_NETWORK[],
    DESCRIBE_STORAGE[], DESCRIBE_CONFIG[];

/* A line at two spaces a level; the newline is added. */
void describe_line(Describing *d, int level, const char *format, ...) G_GNUC_PRINTF(3, 4);
void describe_name(Describing *d, const Value *object, bool namespaced);
void describe_map(Describing *d, const char *title, const Value *map); /* key=value lines */
void describe_annotations(Describing *d, const char *title,
                          const Value *map); /* key: value lines */
void describe_controlled_by(Describing *d, const Value *object);
void describe_conditions(Describing *d, const Value *conditions, bool with_reason);
void describe_resources(Describing *d, int level, const char *title, const Value *map);
void describe_texts(Describing *d, const char *title, const Value *array); /* joined by commas */
void describe_unknown(Describing *d, const Value *object);                 /* any kind */
void describe_pod(Describing *d, const Value *pod);
void describe_template(Describing *d, const Value *template_);
void describe_tolerations(Describing *d, const char *title, const Value *tolerations);
void describe_volumes(Describing *d, const Value *volumes, const char *space);

/* The type and fields of a volume's source, one level below. */
void describe_volume_source(Describing *d, const Value *source);

/* "<none>" for "" and NULL. */
const char *or_none(const char *text);
char *describe_time(const Value *timestamp); /* "Mon, 02 Jan 2006 15:04:05 +0000"; owned */
char *describe_since(Describing *d, const Value *timestamp); /* "5m", "<unknown>"; owned */
/* A scalar as text; owned. */
char *describe_text(const Value *value);
/* matchLabels and matchExpressions as one text; owned. */
char *describe_selector(const Value *label_selector);
char *describe_pairs(const Value *map); /* "a=b,c=d" or "<none>"; owned */
/* A list of another kind, for what belongs to the object; NULL when it cannot be had. Owned. */
Value *describe_list(Describing *d, const char *group, const char *resource, const char *namespace_,
                     const char *labels, const char *fields);
void describe_events(Describing *d, const Value *object);
