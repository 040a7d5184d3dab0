/* What the kubelet's files share. The parts, from the outside in:
 *
 *   kubelet.c      assembly, sources of pods, news from below      node_status.c  registration, status, lease
 *   pod_worker.c   one state machine a pod                         admit.c        does the node take the pod?
 *   sync_pod.c     one round of bringing a pod to what it wants    terminate.c    bringing it down
 *   container.c    starting one container                          kill.c         stopping one container
 *   image.c, env.c, volumes.c, volume_contents.c, objects.c        what a container needs
 *   probe.c, hook.c, status_manager.c, eviction.c, gc.c, server.c  beside it
 *
 * Everything that takes time is an Op: it belongs to the kubelet's list, names the worker it is for (NULL once that is gone)
 * and is freed after its completion. */
#pragma once

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/client/events.h"
#include "core/client/informer.h"
#include "core/kubelet/actions.h"
#include "core/kubelet/format.h"
#include "core/kubelet/kubelet.h"
#include "core/kubelet/status.h"

typedef struct PodWorker PodWorker;
typedef struct Op Op;
typedef struct Probe Probe;
typedef struct ImageManager ImageManager;
typedef struct KubeletServer KubeletServer;

/* ---- operations ---------------------------------------------------------------------------------------- */

/* id: of what was made, or the answer's text; error NULL on success. The op is freed afterwards. */
typedef void (*OpFunc)(Op *op, const char *id, const char *error);

struct Op {
    Op *next, *previous;
    Kubelet *kubelet;
    PodWorker *worker; /* NULL: none, or it is gone */
    OpFunc done;
    unsigned round;    /* the worker's when it began: a stale op's result is not used */
    unsigned index;
    ContainerKind kind;
    char *text;        /* owned */
    int64_t time;
    CauseId cause;     /* why it was begun: what waits in a line goes on under its own cause, not its neighbour's */
    Value *value;      /* owned; for API calls the answer, set before done */
    int code;          /* HTTP, or an exec's exit code */
    bool flag;
};

Op *op_new(Kubelet *kubelet, PodWorker *worker, OpFunc done);
/* Adaptors: pass one of these as completion and the op as data. */
void op_runtime_done(const char *id, const char *error, void *op);
void op_host_done(const char *error, void *op);
void op_api_done(ApiResponse *take_response, void *op); /* error: the Status's message */
void op_exec_done(const ExecResult *result, void *op);  /* id: the output; code: the exit code; flag: timed out */
void op_probe_done(const ProbeReply *reply, void *op);  /* id: the body; code: the HTTP status */
void op_timer_done(void *op);
void op_free(Op *op);
bool op_is_current(const Op *op); /* its worker lives and is still in the op's round */

/* ---- pod workers ----------------------------------------------------------------------------------------- */

typedef enum { WORKER_SYNC, WORKER_TERMINATING, WORKER_TERMINATED } WorkerState;

/* What is remembered of one container besides what the runtime knows; made when there is something to remember. */
typedef struct ContainerMemory {
    char *name;
    char *reason, *message; /* why it waits */
    int64_t crash_backoff, crash_updated;
    int64_t pull_backoff, pull_updated;
    char *pull_error, *pull_image;
} ContainerMemory;

typedef enum { VOLUME_WANTED, VOLUME_BUSY, VOLUME_READY, VOLUME_FAILED } VolumeStage;

typedef struct VolumeState {
    VolumeStage stage;
    uint64_t digest;        /* of published contents */
    int64_t retry_at, backoff;
    int64_t refresh_at;     /* of tokens; 0: never */
    Value *tokens;          /* index of the projected source (as text) -> token */
    Value *pv;              /* the bound PersistentVolume */
} VolumeState;

typedef struct Kill {
    char *id, *name;
    int64_t started, deadline; /* when the grace period ends */
    unsigned stops;            /* stop calls in flight */
    bool in_hook;
} Kill;

typedef enum { STEP_IDLE, STEP_VOLUMES, STEP_KILL_POD, STEP_STOP_SANDBOX, STEP_KILL, STEP_SANDBOX, STEP_START } SyncStep;

struct PodWorker {
    Kubelet *kubelet;
    Value *pod;    /* what the source wants, newest */
    Value *api;    /* the newest object of the API; for a static pod its mirror pod; may be NULL */
    Value *status; /* as last made; NULL before the first */
    char *uid, *key;
    WorkerState state;
    SyncStep step;
    unsigned round, next; /* of ops; of actions->start */
    unsigned in_flight;   /* ops that must end before the pod can be taken down */
    unsigned volumes_busy;
    bool is_static, from_orphan, adopted;
    bool removed;   /* gone from its source */
    bool admitted, rejected;
    bool again;     /* something happened during the round */
    bool failed;    /* the round had an error */
    bool pleg;      /* news from below wait for the next relist */
    bool cleaned;   /* directories are gone */
    bool disrupted;
    bool status_dirty, status_in_flight, delete_sent, mirror_in_flight, finishing, refresh_wanted;
    char *fail_reason, *fail_message;
    int64_t grace_override; /* seconds; -1: none */
    int64_t retry_at, refresh_at, wait_since; /* 0: none */
    TimerId timer;
    PodActions *actions;
    ContainerMemory *memories;
    VolumeState *volumes;
    uint16_t n_memories, n_volumes;
    GPtrArray *objects; /* of WatchedObject, referenced; NULL: none */
    GPtrArray *probes;  /* of Probe; NULL: none */
    GPtrArray *kills;   /* of Kill; NULL: none */
    CauseId cause;
};

/* pod_worker.c */
PodWorker *worker_new(Kubelet *kubelet, const Value *pod, bool is_static);
void worker_free(PodWorker *worker);
void worker_update(PodWorker *worker, const Value *pod); /* the source has news */
void worker_removed(PodWorker *worker);                  /* the source lost it */
void worker_wake(PodWorker *worker);
void worker_set_timer(PodWorker *worker); /* by retry_at, refresh_at and the active deadline */
/* Gives the pod up: it ends Failed with this reason. grace in seconds, -1: the pod's. */
void worker_fail(PodWorker *worker, const char *reason, const char *message, bool disrupted, int64_t grace);
void worker_make_status(PodWorker *worker);
ContainerMemory *worker_memory(PodWorker *worker, const char *container, bool create);
void worker_set_reason(PodWorker *worker, const char *container, const char *reason, const char *message);
void worker_retry_at(PodWorker *worker, int64_t when); /* the earliest wins */
void worker_event(PodWorker *worker, const char *type, const char *reason, const char *format, ...) G_GNUC_PRINTF(4, 5);
void worker_container_event(PodWorker *worker, const char *container, const char *type, const char *reason,
                            const char *format, ...) G_GNUC_PRINTF(5, 6);
void worker_decision(PodWorker *worker, const char *verb, const char *format, ...) G_GNUC_PRINTF(3, 4);
void worker_probe_lookup(const Value *container, const char *container_id, ProbeVerdicts *ret_verdicts, void *worker);

/* sync_pod.c */
void worker_sync(PodWorker *worker);
void sync_continue(PodWorker *worker);                      /* the step that was waited for is done */
void sync_container_started(PodWorker *worker, bool ok);    /* from container.c */
void sync_volumes_done(PodWorker *worker);                  /* from volumes.c */
void sync_abort(PodWorker *worker);

/* terminate.c */
void worker_terminate(PodWorker *worker);
void worker_terminate_step(PodWorker *worker);
void worker_finish(PodWorker *worker); /* gone and down: removes what is left below and frees the worker */
int64_t worker_grace_seconds(const PodWorker *worker);

/* container.c */
void worker_start_container(PodWorker *worker, ContainerKind kind, unsigned index);
/* Back-off of flowcontrol.Backoff: is one running since `event_time`? And the next, longer one. */
bool backoff_active(int64_t delay, int64_t updated, int64_t event_time, int64_t now, int64_t max);
void backoff_next(int64_t *delay, int64_t *updated, int64_t event_time, int64_t now, int64_t base, int64_t max);

/* kill.c */
void kill_container(PodWorker *worker, const char *id, const char *name, int64_t grace_ns, const char *message);
bool kill_is_under_way(const PodWorker *worker, const char *id);
void kill_shorten(PodWorker *worker, int64_t grace_ns);
unsigned kill_count(const PodWorker *worker);

/* hook.c: error NULL when it succeeded */
void hook_run(PodWorker *worker, const Value *container, const char *container_id, const Value *handler,
              int64_t timeout_ns, Op *op);
/* A container's port by number or name; 0 when there is none. */
uint16_t container_port(const Value *container, const Value *port);

/* image.c */
ImageManager *image_manager_new(Kubelet *kubelet);
void image_manager_free(ImageManager *manager);
/* op->done(id: the image's reference) when it is here. Records Pulling and Pulled. error: what the runtime said. */
void image_pull(Kubelet *kubelet, const char *image, const Value *secrets, Op *op);

/* env.c: NULL terminated "NAME=value"; NULL with *ret_error (owned) on failure */
char **env_build(PodWorker *worker, const Value *container, const char *pod_ip, char **ret_error);
/* Expands $(VAR) by env, $$ to $; caller frees. */
char *env_expand(const char *text, char *const *env);
char **env_expand_array(const Value *array, char *const *env); /* NULL for an absent one */
/* fieldRef and resourceFieldRef; NULL with *ret_error on failure. */
char *field_value(const PodWorker *worker, const char *path, const char *pod_ip, char **ret_error);
char *resource_value(const PodWorker *worker, const Value *selector, const Value *container, char **ret_error);

/* volumes.c */
void volumes_clear(PodWorker *worker);
void volumes_mount(PodWorker *worker);   /* calls sync_volumes_done, now or later */
bool volumes_ready(const PodWorker *worker);
void volumes_refresh(PodWorker *worker); /* contents that changed are published anew */
/* Where a mount of this container comes from; NULL with *ret_error on failure. Owned. */
char *volume_mount_path(PodWorker *worker, const Value *mount, char *const *env, char **ret_error);
const char *volume_plugin(const Value *volume);
/* volume_contents.c */
Value *volume_contents(PodWorker *worker, const Value *volume, const VolumeState *state, char **ret_error);

/* objects.c: configMaps and secrets that pods of this node refer to, watched one by one */
typedef struct WatchedObject WatchedObject;
typedef enum { OBJECT_LOADING, OBJECT_ABSENT, OBJECT_FOUND } ObjectState;
void objects_init(Kubelet *kubelet);
void objects_clear(Kubelet *kubelet);
void objects_register(PodWorker *worker); /* all that the pod refers to */
void objects_release(PodWorker *worker);
bool objects_loaded(const PodWorker *worker);
ObjectState objects_get(const Kubelet *kubelet, const char *resource, const char *namespace_, const char *name,
                        const Value **ret_object);
void worker_object_changed(PodWorker *worker, bool initial);

/* probe.c */
void probes_update(PodWorker *worker, const RuntimeView *view); /* those of running containers run */
void probes_stop(PodWorker *worker, bool readiness_too);
bool probes_lookup(const PodWorker *worker, const char *container, const char *container_id, ProbeVerdicts *ret_verdicts);

/* status_manager.c */
void status_set(PodWorker *worker, Value *take);
void status_flush(PodWorker *worker);
void status_api_changed(PodWorker *worker, const Value *object);

/* node_status.c */
void node_start(Kubelet *kubelet);
void node_stop(Kubelet *kubelet);
void node_changed(Kubelet *kubelet, const Value *node); /* the API's Node has news */
/* Why pods cannot have a network, as the Ready condition tells it; owned; NULL: they can. */
char *node_network_trouble(const Kubelet *kubelet);
const Value *node_object(const Kubelet *kubelet); /* newest known; NULL before registration */
void node_event(Kubelet *kubelet, const char *type, const char *reason, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* admit.c */
bool admit_pod(PodWorker *worker, char **ret_reason, char **ret_message);
/* eviction.c */
void eviction_check(Kubelet *kubelet, const HostPressure *pressure);
/* Would a pod like this add to a pressure that the node is under? Then *ret_message (owned) says which. */
bool eviction_refuses(const PodWorker *worker, char **ret_message);
/* gc.c */
void gc_dead_containers(PodWorker *worker); /* one dead one a container is kept */
void gc_remove_pod(Kubelet *kubelet, const char *pod_uid);
/* Removes images that no container uses; returns how many. */
unsigned gc_images(Kubelet *kubelet);
/* static_pods.c */
void static_pods_start(Kubelet *kubelet);
void mirror_pod_sync(PodWorker *worker);


/* server.c */
KubeletServer *kubelet_server_new(Kubelet *kubelet);
void kubelet_server_free(KubeletServer *server);
void kubelet_server_containers_changed(KubeletServer *server); /* logs that are followed may end */
/* stats.c: as /stats/summary; owned */
Value *stats_summary(Kubelet *kubelet);

/* ---- the kubelet ------------------------------------------------------------------------------------------- */

struct Kubelet {
    const Ports *ports;
    Client *client;
    Runtime *runtime;
    Host *host;
    KubeletConfig config;
    char *actor; /* "kubelet/NODE" */
    int64_t started_at;
    EventRecorder *events;
    Informer *pods, *services, *node_informer;
    GTree *workers; /* uid -> PodWorker, owned */
    GTree *objects; /* "configmaps/ns/name" -> WatchedObject, owned */
    Op *ops;        /* all that are in flight */
    Value *facts, *host_ips;
    ImageManager *images;
    KubeletServer *server;
    TimerId pleg_timer;
    bool static_loaded, api_loaded;
    /* node_status.c */
    Value *node, *reference, *conditions;
    char *pod_cidr; /* as told to the runtime */
    Value *lease;
    TimerId node_timer, register_timer;
    int64_t reported_at, register_backoff;
    int64_t pressure_until[3];
    bool node_dirty; /* images came or went: the status is to be made anew */
    bool registered, node_in_flight, lease_in_flight;
};

int64_t kubelet_now(const Kubelet *kubelet);
void kubelet_read_facts(Kubelet *kubelet); /* of the host, anew */
bool kubelet_feature(const Kubelet *kubelet, const char *gate);
PodWorker *kubelet_find_worker(const Kubelet *kubelet, const char *uid);
/* Of a pod that is not being removed first; else any. */
PodWorker *kubelet_find_named(const Kubelet *kubelet, const char *namespace_, const char *name);
/* Something changed below: seen at the next relist. */
void kubelet_changed_below(Kubelet *kubelet, const char *pod_uid);
void kubelet_forget_worker(PodWorker *worker); /* takes it out of the table and frees it */
/* Loops over workers in order of uid; the table may not change meanwhile. */
void kubelet_each_worker(Kubelet *kubelet, void (*func)(PodWorker *worker, void *data), void *data);
