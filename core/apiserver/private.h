/* Inside the API server: what its files share.
 *
 * A request becomes an ApiCall. Steps are functions that return a Status which refuses, or NULL to
 * go on. Everything up to the transaction is synchronous and reads `head`, so within one thread a
 * compare-and-swap cannot lose; the answer follows when the store says durable. */
#pragma once

#include <string.h>

#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/apiserver/allocator.h"
#include "core/apiserver/apiserver.h"
#include "core/base/limits.h"
#include "core/base/timestamp.h"

typedef struct ApiCall ApiCall;
typedef struct ApiResource ApiResource;
typedef struct Strategy Strategy;

/* One stored resource. */
struct ApiResource {
    ApiServer *server;
    const ApiKind *kind; /* as stored */
    StoreBucket *bucket;
    const Strategy *strategy; /* never NULL */
    struct WatchIndex *watches;
    bool has_spec;
};

/* Who makes a write: given to the store with each op, so that the trace can name it. */
typedef struct WriteSource {
    ApiServer *server;
    ApiCall *call; /* NULL: the server itself */
} WriteSource;

struct ApiCall {
    ApiServer *server; /* NULL: it was freed while the call waited for the store */
    WriteSource source;
    GList in_flight; /* in server->in_flight while it waits for the store */
    ApiRequest *request;
    ApiServerDone done;
    void *data;
    const ApiKind *kind;       /* as asked */
    const ApiSubresource *sub; /* NULL: the main resource */
    ApiResource *resource;     /* where it is stored */
    Value *result;             /* the object as stored, for the answer */
    GPtrArray *warnings;       /* NULL: none yet */
    const char *verb;          /* of the trace's fact; NULL: the request's */
    int code;
    int64_t old_revision; /* of what is replaced */
    bool is_create;       /* admission: an object comes into being (also apply, create by update) */
    void (*rollback)(ApiCall *call); /* undoes reservations when the write fails; may be NULL */
    Value *(*shape)(ApiCall *call,
                    Value *take); /* makes the answer of what was stored; may be NULL */
    Value *managed; /* the managedFields that apply made; NULL: as an update makes them */
    Value *extra;   /* for rollback and shape; owned */
    struct PMap *state; /* for ApiResponse.state; owned */
    Value *pending;     /* the object to create, while the call waits for its service account; owned */
    TimerId retry;
    unsigned attempts;
};

/* What is special about one resource; see strategy.c. All may be NULL. */
struct Strategy {
    const char *group, *resource;
    void (*prepare_create)(ApiCall *call, Value **object);
    void (*prepare_update)(ApiCall *call, Value **object, const Value *old);
    void (*prepare_status)(ApiCall *call, Value **object, const Value *old);
    /* After validation: takes addresses and the like. Returns a Status that refuses. */
    Value *(*allocate)(ApiCall *call, Value **object, const Value *old);
    void (*released)(ApiServer *server, const Value *object);
    /* Seconds of grace for a delete without an answer in the options: then the object stays until
     * somebody ends it. */
    int64_t (*grace)(const Value *object, const Value *options);
    const char *initial_status; /* template for a new object's status; NULL: left as decoded */
    bool keeps_status;          /* status given at creation stays */
    bool create_on_update;
    bool conditional_update_only;
    bool returns_deleted;
    bool labels_by_status; /* a status update may change labels */
};

struct ApiServer {
    Ports ports;
    const ApiTypes *types;
    Store *store;
    ApiServerOptions options;
    char *service_cidr;
    GHashTable *resources_by_kind; /* ApiKind -> ApiResource; look-ups only */
    GPtrArray *resources;          /* owned, in serving order */
    struct IpAllocator *addresses;
    struct PortAllocator *node_ports;
    struct TokenSigner *signer;
    GQueue snapshots; /* of ListSnapshot: for continue tokens */
    struct ApiMetrics *metrics;
    /* Parts that most pods have alike, shared between them; made when first needed. */
    Value *token_projection, *default_tolerations;
    Value *now_text; /* the clock's second as a shared string */
    int64_t now_text_s;
    bool is_ready;
    WriteSource source; /* of writes of its own */
    GQueue in_flight;   /* calls that wait for the store */
    GTree *watches;     /* all, by age, so that freeing ends them in order */
    uint64_t watch_next;
    TimerId bookmark_timer;
};

#define API_CONFLICT_TEXT                                                                          \
    "the object has been modified; please apply your changes to the latest version and try again"

/* ---- call.c */
void call_answer(ApiCall *call, int code, Value *take_object);
void call_refuse(ApiCall *call, Value *take_status);
void call_warn(ApiCall *call, const char *format, ...) G_GNUC_PRINTF(2, 3);
Value *call_now(ApiServer *server); /* the time as an owned RFC 3339 string */
/* A call begins and ends to wait for the store. False: the server is gone, and so is the call. */
void call_leave(ApiCall *call);
bool call_return(ApiCall *call);
void call_free(ApiCall *call);
/* Calls that wait for a service account are given up without an answer: the server is freed. */
void create_forget_waiting(ApiServer *server);
/* The key in the bucket. */
char *resource_key(const ApiKind *kind, const char *namespace_, const char *name);
/* Head's object; borrowed; NULL when absent. */
const Value *call_head(const ApiCall *call);
ApiResource *server_resource(ApiServer *server, const char *group, const char *resource);
ApiResource *server_resource_of(ApiServer *server, const ApiKind *kind);
const Value *server_head(ApiServer *server, const char *group, const char *resource,
                         const char *namespace_, const char *name);
/* Calls func for each committed object of a namespace (NULL: all) until it returns false. */
typedef bool (*ObjectFunc)(const Value *object, void *data);
void server_each(ApiServer *server, const char *group, const char *resource, const char *namespace_,
                 ObjectFunc func, void *data);
/* Stores, and answers when durable (dry runs answer at once). `take` is in stored form. remove: its
 * last state. */
void call_put(ApiCall *call, int code, Value *take);
void call_remove(ApiCall *call, Value *take_last);
/* Writes made by the server on its own behalf (built-in objects, counters); `object` is taken;
 * false when it exists. */
bool server_create(ApiServer *server, const char *group, const char *resource, Value *take);
/* Replaces an object that is at head, without validation (PDB status, quota status). */
void server_replace(ApiResource *resource, const Value *old, Value *take);

int64_t resource_ttl(const ApiResource *resource);

/* ---- authorization.c */
bool user_is_authenticated(const ApiUser *user);
Value *authorize(ApiServer *server, const ApiRequest *request, const ApiKind *kind);

/* ---- filter.c: label and field selectors of one request */
typedef struct Filter Filter;
/* A Status that refuses, or NULL and the filter (NULL when all match). */
Value *filter_new(const ApiKind *kind, const ApiListOptions *options, Filter **ret_filter);
void filter_free(Filter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Filter, filter_free)
bool filter_matches(const Filter *filter, const Value *object); /* a NULL filter matches all */
/* The value that a field must equal, or NULL. */
const char *filter_exact(const Filter *filter, const char *field);

/* ---- decode.c */
/* Refuses or warns of unknown and repeated fields, as the request wants it. */
Value *decode_judge_unknown(ApiCall *call, GPtrArray *unknown);
Value *call_decode(ApiCall *call, const Value *body, Value **ret_object);
Value *convert_to_stored(const ApiKind *asked, const ApiResource *resource, Value *take);
Value *convert_from_stored(const ApiKind *asked, const ApiResource *resource, const Value *object);

/* ---- verbs */
bool resource_version_parse(const char *text, int64_t *ret_revision);
Value *resource_version_too_large(int64_t wanted, int64_t current);
void call_get(ApiCall *call);
void call_list(ApiCall *call);
void call_create(ApiCall *call);
/* Creates a decoded, stored-form object: the part shared by POST, create by PUT and apply. */
void call_create_object(ApiCall *call, Value *take);
void call_update(ApiCall *call);
void call_patch(ApiCall *call);
Value *patch_failed(const GError *error);
void call_apply(ApiCall *call);
/* The part shared by PUT, PATCH and apply: `take` (stored form, decoded and defaulted) replaces
 * `old`. */
void call_update_object(ApiCall *call, const Value *old, Value *take);
void call_delete(ApiCall *call);
void call_delete_collection(ApiCall *call);
/* What deleting an object by the rules leaves. Returns a refusal, or NULL with the object (owned;
 * its last state, or as it waits for its end) and whether it is gone. Writes nothing. */
Value *delete_plan(ApiCall *call, ApiResource *resource, const Value *old, const Value *options,
                   Value **ret_object, bool *ret_gone);
/* Deletes what the request names. */
void call_delete_object(ApiCall *call, const Value *options);
void call_subresource(ApiCall *call);

/* ---- create, update: parts */
Value *metadata_prepare_create(ApiCall *call, Value **object);
const char *user_name(const ApiRequest *request);

/* ---- strategy.c, allocation */
const Strategy *strategy_of(const ApiKind *kind);
void service_prepare_create(ApiCall *call, Value **object);
void service_prepare_update(ApiCall *call, Value **object, const Value *old);
Value *service_allocate(ApiCall *call, Value **object, const Value *old);
void service_released(ApiServer *server, const Value *object);
void service_adopt_all(
    ApiServer *server); /* marks what stored Services hold, also when another server wrote them */
void service_adopt_end(ApiServer *server);

/* ---- admission */
Value *admission_mutate(ApiCall *call, Value **object, const Value *old);
Value *admission_validate_delete(ApiCall *call, const ApiResource *resource, const Value *old);
Value *admission_validate(ApiCall *call, const Value *object, const Value *old);

/* ---- managed fields and apply */
/* Whether two objects differ in metadata.managedFields only. */
bool managed_fields_only(const Value *a, const Value *b);
void managed_fields_update(ApiCall *call, Value **object, const Value *old);

/* ---- bootstrap.c, metrics.c, watch.c, reviews.c, token.c */
void bootstrap_objects(ApiServer *server);
struct ApiMetrics *metrics_new(void);
void metrics_free(struct ApiMetrics *metrics);
void metrics_count(struct ApiMetrics *metrics, const ApiRequest *request, int code);
struct WatchIndex *watch_index_new(ApiResource *resource);
void watch_index_free(struct WatchIndex *index);
void server_end_watches(ApiServer *server);
bool review_handles(const ApiKind *kind);
void call_review(ApiCall *call);
struct TokenSigner *token_signer_new(const char *key_pem);
void token_signer_free(struct TokenSigner *signer);
void list_snapshots_clear(ApiServer *server);
