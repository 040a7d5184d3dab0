/* One request to the API server and its answer, independent of the transport: the REST face, the components' clients
 * and the API server itself meet in these structs. */
#pragma once

#include "core/api/types.h"
#include "core/object/value.h"

typedef enum {
    PATCH_NONE,
    PATCH_JSON,            /* application/json-patch+json */
    PATCH_MERGE,           /* application/merge-patch+json */
    PATCH_STRATEGIC,       /* application/strategic-merge-patch+json */
    PATCH_APPLY,           /* application/apply-patch+yaml */
} PatchType;

typedef enum { FIELD_VALIDATION_WARN, FIELD_VALIDATION_STRICT, FIELD_VALIDATION_IGNORE } FieldValidation;

typedef enum { RV_MATCH_UNSET, RV_MATCH_EXACT, RV_MATCH_NOT_OLDER_THAN } RvMatch;

/* Who asks. Our own components carry it as authenticated by construction; the HTTP face fills it in from a
 * certificate or a token. */
typedef struct ApiUser {
    char *name;
    char *uid;
    char **groups; /* NULL terminated */
    Value *extra;  /* map key -> array of strings, or NULL */
} ApiUser;

ApiUser *api_user_new(const char *name, const char *const *groups);
ApiUser *api_user_ref(ApiUser *user);
void api_user_unref(ApiUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiUser, api_user_unref)
bool api_user_in_group(const ApiUser *user, const char *group);

typedef struct ApiListOptions {
    char *label_selector;
    char *field_selector;
    char *resource_version; /* NULL: unset; "0": any */
    RvMatch rv_match;
    int64_t limit;
    char *continue_token;
    bool watch_bookmarks;
    bool send_initial_events;
    int64_t timeout_seconds; /* of a watch; 0: the server's choice */
} ApiListOptions;

struct PMap;

/* All strings owned by the request; NULL for absent. */
typedef struct ApiRequest {
    ApiVerb verb;
    char *group, *version, *resource; /* group "" for core; version NULL: the stored one */
    char *subresource;
    char *namespace_; /* NULL: cluster scope, or all namespaces */
    char *name;
    Value *body; /* object, patch, DeleteOptions */
    PatchType patch_type;
    ApiListOptions list;
    bool dry_run;
    bool force;             /* server-side apply */
    FieldValidation field_validation;
    char *field_manager;
    Value *query;           /* further parameters as a map (follow, tailLines, container, command: array ...) or NULL */
    GPtrArray *unknown_fields; /* what the face saw while reading the body (duplicates); texts; or NULL */
    bool want_state;        /* a list of a whole resource by an in-process informer: ApiResponse.state will do */
    bool trusted_body;      /* made by our own components: unknown fields need no warning */
    ApiUser *user;
    char *user_agent;
} ApiRequest;

ApiRequest *api_request_new(ApiVerb verb, const char *group, const char *resource, const char *namespace_,
                            const char *name);
void api_request_free(ApiRequest *request);
ApiRequest *api_request_copy(const ApiRequest *request); /* shares the body; for another attempt */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiRequest, api_request_free)
/* "POST pods", for pictures and logs; static text is not promised: valid as long as the request. */
const char *api_request_label(const ApiRequest *request);

typedef struct ApiResponse {
    int code;             /* HTTP */
    Value *object;        /* object, list or Status; never NULL once done */
    char **warnings;      /* NULL, or NULL terminated: Warning headers */
    int64_t retry_after_s; /* 0: none */
    /* Answer to a list with want_state: the resource's state at the list's revision, as in WatchEvent; then the object
     * needs no items. Owned; NULL otherwise. */
    struct PMap *state;
} ApiResponse;

ApiResponse *api_response_new(int code, Value *take_object);
void api_response_free(ApiResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiResponse, api_response_free)
bool api_response_ok(const ApiResponse *response); /* 2xx */

/* Watch events. */
typedef enum { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR } WatchEventType;
const char *watch_event_name(WatchEventType type);

typedef struct WatchEvent {
    WatchEventType type;
    Value *object;   /* for ERROR a Status; owned by the event */
    int64_t revision;
    /* In-process watches of a whole resource (no selector): the resource's state at this revision, keys "namespace/name"
     * (or "name"); an informer keeps it instead of a copy of its own. NULL otherwise. */
    struct PMap *state;
    uint64_t cause;  /* CauseId of the write */
} WatchEvent;
