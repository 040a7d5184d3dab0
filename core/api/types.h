/* The table of kinds: what the cluster's API consists of, as data.
 *
 * Schemas are text files below core/api/schemas (one a group-version), compiled into the program and read at
 * start into an ApiTypes. The same reader and the same structures serve custom resources later. From them come
 * pruning, strict field validation, defaulting, strategic merge, protobuf, OpenAPI and `kubectl explain`.
 *
 * An ApiTypes belongs to one world and is passed down; built-in kinds never change after it is made. */
#pragma once

#include "core/object/value.h"

typedef struct ApiTypes ApiTypes;
typedef struct ApiKind ApiKind;
typedef struct Schema Schema; /* one named type or one field's type; see core/api/schema.h */

ApiTypes *api_types_new(void);
void api_types_free(ApiTypes *types);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiTypes, api_types_free)

typedef enum {
    API_VERB_GET = 1 << 0,
    API_VERB_LIST = 1 << 1,
    API_VERB_WATCH = 1 << 2,
    API_VERB_CREATE = 1 << 3,
    API_VERB_UPDATE = 1 << 4,
    API_VERB_PATCH = 1 << 5,
    API_VERB_DELETE = 1 << 6,
    API_VERB_DELETECOLLECTION = 1 << 7,
    API_VERB_CONNECT = 1 << 8, /* exec, attach, portforward, proxy */
} ApiVerb;

/* "get", "list", ...: the words of RBAC and audit. */
const char *api_verb_name(ApiVerb verb);

typedef struct ApiSubresource {
    const char *name;    /* "status", "scale", "log", ... */
    unsigned verbs;      /* of ApiVerb */
    const char *group;   /* of the kind it carries; "" for core */
    const char *version;
    const char *kind;    /* "Scale", "Eviction", or the kind itself */
} ApiSubresource;

struct ApiKind {
    const char *group;   /* "" for core */
    const char *version;
    const char *kind;    /* "Pod" */
    const char *resource;/* "pods" */
    const char *singular;/* "pod" */
    const char *list_kind; /* "PodList" */
    bool namespaced;
    unsigned verbs;
    const char *const *short_names; /* NULL terminated */
    const char *const *categories;  /* NULL terminated */
    const ApiSubresource *subresources;
    size_t n_subresources;
    const Schema *schema;  /* the whole object */
    /* Objects of this kind are stored under this group/resource (events.k8s.io/events -> ""/events). */
    const char *storage_group;
    const char *storage_version;
    bool has_status_subresource;
    bool has_generation; /* metadata.generation counts changes of the spec */
    /* Fields that fieldSelector knows besides metadata.name and metadata.namespace; NULL terminated paths. */
    const char *const *selectable_fields;
    const char *description; /* one line, our own words */
};

/* NULL when unknown. `group` is "" for core; version NULL means the preferred one. */
const ApiKind *api_types_by_kind(const ApiTypes *types, const char *group, const char *version, const char *kind);
const ApiKind *api_types_by_resource(const ApiTypes *types, const char *group, const char *version, const char *resource);
/* By what a person types: "po", "pod", "pods", "Pod", "deploy.apps", "events.v1.events.k8s.io". */
const ApiKind *api_types_lookup(const ApiTypes *types, const char *word);
/* By apiVersion ("apps/v1") and kind of an object. */
const ApiKind *api_types_of(const ApiTypes *types, const Value *object);
/* The schema of any object that the API reads or writes, also of those that are not resources of their own: "Scale",
 * "Eviction", "TokenRequest", and for every apiVersion "DeleteOptions" and "Status". NULL when unknown. */
const Schema *api_types_schema(const ApiTypes *types, const char *api_version, const char *kind);
/* Up to `max` known resource names near the word, best first, for error texts. Caller frees with g_strfreev. */
char **api_types_near(const ApiTypes *types, const char *word, size_t max);

/* All kinds in serving order: core first, then groups by name as Kubernetes orders them, kinds by resource name. */
size_t api_types_count(const ApiTypes *types);
const ApiKind *api_types_item(const ApiTypes *types, size_t index);

const ApiSubresource *api_kind_subresource(const ApiKind *kind, const char *name);
/* "v1" or "apps/v1"; an interned string that lives as long as the types. */
const char *api_kind_api_version(const ApiKind *kind);
/* "pods" or "deployments.apps": as error texts name it. */
const char *api_kind_qualified(const ApiKind *kind);

/* A kind that is known by discovery only (the command line against a server with more kinds): no schema, short names copied.
 * Owned: api_kind_free. */
ApiKind *api_kind_new(const char *group, const char *version, const char *kind, const char *resource, const char *singular,
                      bool namespaced, unsigned verbs, const char *const *short_names, const char *const *categories);
void api_kind_free(ApiKind *kind);
