/* Shared by the files validation_*.c: paths that cost nothing until an error names them, the checks that many fields share,
 * and the table of kinds. Not for other folders. */
#pragma once

#include <glib.h>
#include <string.h>

#include "core/api/status.h"
#include "core/api/validation.h"

/* Where in the object we are: a chain on the stack, made into text only when something is wrong. */
typedef struct Path {
    FieldErrors *errors;
    const struct Path *up; /* NULL: the object */
    const char *name;      /* a field */
    const char *key;       /* or a map's key */
    size_t index;          /* or an array's index */
} Path;

static inline Path
path_step(const Path *above, const char *name, const char *key, size_t index)
{
    return (Path){above->errors, above, name, key, index};
}

/* A step down. The chain lives as long as the enclosing block. */
#define AT(above, field) ((const Path[]){path_step((above), (field), NULL, 0)})
#define NTH(above, i) ((const Path[]){path_step((above), NULL, NULL, (i))})
#define KEYED(above, k) ((const Path[]){path_step((above), NULL, (k), 0)})

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define IMMUTABLE "field is immutable"
#define NOT_NEGATIVE "must be greater than or equal to 0"

/* ---- field errors at a path ---- */

char *path_text(const Path *at);
void bad_required(const Path *at, const char *detail);
void bad_invalid(const Path *at, const Value *value, const char *detail); /* NULL value: shown as "" */
void bad_invalid_text(const Path *at, const char *value, const char *detail);
void bad_unsupported(const Path *at, const Value *value, const char *const *valid);
void bad_forbidden(const Path *at, const char *detail);
void bad_forbidden_f(const Path *at, const char *format, ...) G_GNUC_PRINTF(2, 3);
void bad_duplicate(const Path *at, const Value *value);
void bad_not_found(const Path *at, const Value *value);
void bad_too_long(const Path *at, size_t max);
void bad_too_many(const Path *at, size_t actual, size_t max);

/* ---- checks that many fields share; each says what is wrong, if anything ---- */

/* Is the value absent, null or ""? */
bool is_empty(const Value *value);
bool text_is(const Value *value, const char *text);
bool text_in(const char *text, const char *const *list);
bool has_backsteps(const char *path); /* a ".." among its parts */

typedef enum { OPTIONAL, REQUIRED } Need;

void check_enum(const Path *at, const Value *value, const char *const *valid, Need need);
void check_not_negative(const Path *at, const Value *number);
void check_range(const Path *at, const Value *number, int64_t min, int64_t max);
void check_kept(const Path *at, const Value *value, const Value *old); /* "field is immutable" */
void check_required(const Path *at, const Value *value);
void check_dns_label(const Path *at, const Value *value);
void check_dns_subdomain(const Path *at, const Value *value);
void check_qualified(const Path *at, const Value *value);
void check_config_key(const Path *at, const char *key);
void check_port(const Path *at, const Value *number);
void check_port_number_or_name(const Path *at, const Value *port);
void check_ip(const Path *at, const Value *value);
void check_cidr(const Path *at, const Value *value);
/* 4, 6, or 0 when it is none. Texts in canonical form only, as the API has them. */
int ip_family(const char *text);
int cidr_family(const char *text);
void check_labels(const Path *at, const Value *labels);
void check_annotations(const Path *at, const Value *annotations);
void check_label_selector(const Path *at, const Value *selector);
void check_quantity_not_negative(const Path *at, const Value *quantity);
void check_percent_or_not_negative(const Path *at, const Value *int_or_string);

/* NULL when right, else the problem (owned). */
char *dns_label_problem(const char *name);
char *dns_1035_label_problem(const char *name);
char *port_name_problem(const char *name);
char *config_key_problem(const char *key);

/* ---- the parts that several kinds have ---- */

/* What a pod's specification is checked for. */
typedef struct PodRules {
    const char *kind;          /* of the object that holds it: "Pod", "Deployment", ... */
    bool is_template;
} PodRules;

void check_pod_spec(const Path *at, const Value *spec, const PodRules *rules);
/* metadata and spec of a template, and its own rules. `selector` NULL: not checked against the labels. */
void check_pod_template(const Path *at, const Value *template_, const Value *selector, const PodRules *rules);
void check_containers(const Path *spec_at, const Value *spec);
void check_volumes(const Path *at, const Value *volumes);
void check_affinity(const Path *at, const Value *affinity);
void check_node_selector(const Path *at, const Value *node_selector);
void check_tolerations(const Path *at, const Value *tolerations);
void check_topology_spread(const Path *at, const Value *constraints);
void check_resources(const Path *at, const Value *resources);
void check_resource_name(const Path *at, const char *name);
void check_pod_security_context(const Path *at, const Value *context);
void check_security_context(const Path *at, const Value *context);
void check_claim_spec(const Path *at, const Value *spec);
/* One of the sources that volumes of pods and persistent volumes share; false when the name is unknown. */
bool check_volume_source(const Path *at, const char *type, const Value *source);

/* ---- kinds ---- */

typedef enum { NAME_SUBDOMAIN, NAME_LABEL, NAME_1035_LABEL, NAME_PATH } NameRule;

typedef struct KindRules {
    const char *group;
    const char *kind;
    NameRule name;
    void (*check)(const Path *at, const Value *object);                      /* a new object, or all of an updated one */
    void (*check_update)(const Path *at, const Value *object, const Value *old); /* beside check; may be NULL */
    void (*check_status)(const Path *at, const Value *object, const Value *old); /* instead of both, for /status; may be NULL */
    bool update_alone; /* an update is checked by check_update only */
} KindRules;

/* pods/ephemeralcontainers and pods/resize: what these may change of a pod that exists. */
void check_pod_ephemeral_containers(const Path *at, const Value *pod, const Value *old);
void check_pod_resize(const Path *at, const Value *pod, const Value *old);

extern const KindRules kind_rules_pod[], kind_rules_workload[], kind_rules_batch[], kind_rules_network[],
    kind_rules_config[], kind_rules_storage[], kind_rules_node[], kind_rules_sim[];
