/* The scheduling framework (pkg/scheduler/framework): extension points, their plug-ins, and one
 * cycle that runs them.
 *
 * A plug-in is a file in plugins/ with one constant of type Plugin, and one line in
 * plugins/table.c. Its verdict on a node is a Status; per-cycle state is what its pre_filter and
 * pre_score leave in cycle->states[plugin's index]. */
#pragma once

#include "core/port/random.h"
#include "core/scheduler/cache.h"

#define STATUS_REASONS_MAX 8
#define NODE_SCORE_MAX 100

/* The order in which plug-ins filter: that of kube-scheduler's default MultiPoint list. */
enum {
    PLUGIN_SCHEDULING_GATES,
    PLUGIN_PRIORITY_SORT,
    PLUGIN_NODE_UNSCHEDULABLE,
    PLUGIN_NODE_NAME,
    PLUGIN_TAINT_TOLERATION,
    PLUGIN_NODE_AFFINITY,
    PLUGIN_NODE_PORTS,
    PLUGIN_NODE_RESOURCES_FIT,
    PLUGIN_VOLUME_RESTRICTIONS,
    PLUGIN_NODE_VOLUME_LIMITS,
    PLUGIN_VOLUME_BINDING,
    PLUGIN_VOLUME_ZONE,
    PLUGIN_POD_TOPOLOGY_SPREAD,
    PLUGIN_INTER_POD_AFFINITY,
    PLUGIN_DEFAULT_PREEMPTION,
    PLUGIN_NODE_RESOURCES_BALANCED_ALLOCATION,
    PLUGIN_IMAGE_LOCALITY,
    PLUGIN_DEFAULT_BINDER,
    PLUGIN_COUNT
};

typedef enum {
    STATUS_SUCCESS,
    STATUS_SKIP,
    STATUS_UNSCHEDULABLE, /* taking pods off the node may help */
    STATUS_UNRESOLVABLE,  /* it cannot */
} StatusCode;

typedef struct Status {
    StatusCode code;
    uint8_t plugin; /* index in the table */
    uint8_t n_reasons;
    Symbol reasons[STATUS_REASONS_MAX];
} Status;

/* Sets the code (the worse of the two) and adds a reason. */
void status_add(Status *status, StatusCode code, Symbol reason);

/* What happened in the cluster, and so may make a rejected pod fit (framework ClusterEvent). */
typedef enum {
    EVENT_NODE_ADD = 1 << 0,
    EVENT_NODE_ALLOCATABLE = 1 << 1,
    EVENT_NODE_LABEL = 1 << 2,
    EVENT_NODE_TAINT = 1 << 3,
    EVENT_NODE_UNSCHEDULABLE = 1 << 4,
    EVENT_NODE_DELETE = 1 << 5,
    EVENT_POD_ADD = 1 << 6,    /* a pod on a node, seen for the first time */
    EVENT_POD_UPDATE = 1 << 7, /* its labels or requests */
    EVENT_POD_DELETE = 1 << 8, /* gone, finished, or its binding failed */
    EVENT_SELF = 1 << 9,       /* the pending pod itself was changed */
    EVENT_GATES = 1 << 10,     /* its scheduling gates were */
    EVENT_CLAIM = 1 << 11,
    EVENT_VOLUME = 1 << 12,
    EVENT_STORAGE_CLASS = 1 << 13,
    EVENT_NAMESPACE = 1 << 14,
    EVENT_SPREADING = 1 << 15,    /* services and controllers */
    EVENT_POD_DELETING = 1 << 16, /* its deletion has begun */
    EVENT_CSI_NODE = 1 << 17,
} ClusterEventKind;

#define EVENT_KINDS 18
#define EVENT_NODE_ANY                                                                             \
    (EVENT_NODE_ADD | EVENT_NODE_ALLOCATABLE | EVENT_NODE_LABEL | EVENT_NODE_TAINT |               \
     EVENT_NODE_UNSCHEDULABLE)

typedef struct ClusterEvent {
    unsigned kinds;          /* ClusterEventKind */
    const Value *old, *new_; /* the object; NULL when added or deleted */
    const PodInfo *pod;      /* for pods on nodes: its digest (also of one that goes) */
    const NodeInfo *node;    /* for nodes */
    const char *key;
} ClusterEvent;

struct Plugin;

/* What one profile of the configuration says. */
typedef struct Profile {
    char *name;                    /* schedulerName */
    int32_t weights[PLUGIN_COUNT]; /* of scores; 0: does not score */
    bool enabled[PLUGIN_COUNT];
    bool filters[PLUGIN_COUNT];           /* it may filter */
    int32_t percentage_of_nodes_to_score; /* 0: adaptive */
    int32_t hard_pod_affinity_weight;
    bool most_allocated;               /* NodeResourcesFit scoringStrategy */
    int32_t cpu_weight, memory_weight; /* of the same */
    bool default_spreading;            /* the system's default constraints */
    int32_t min_candidates_percentage, min_candidates_absolute; /* of preemption */
} Profile;

/* The system's defaults under the given name. */
Profile *profile_new(const char *name);
void profile_free(Profile *profile);

/* One pod against the cluster. Lives in one event. */
typedef struct Cycle {
    ClusterCache *cache;
    const Profile *profile;
    PodInfo *pod;
    PodClass *class_;
    uint32_t skip_filter, skip_score; /* bits by plug-in */
    void *states[PLUGIN_COUNT];       /* g_free'd by plug-ins' clear */
    NodeInfo *const *scored;          /* during pre_score and normalize: the feasible nodes */
    uint32_t n_scored;
} Cycle;

typedef struct Plugin {
    const char *name;
    int32_t weight;  /* default weight of its score; 0: it has none */
    unsigned events; /* that may cure what it rejects */
    /* May this event make the pod schedulable, as far as this plug-in goes? NULL: each of its
     * events does. */
    bool (*hint)(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event);
    /* Once a cycle, before filter; Skip means that filter need not be asked. May be NULL. */
    void (*pre_filter)(Cycle *cycle, Status *ret_status);
    void (*filter)(Cycle *cycle, const NodeInfo *node, Status *ret_status);
    /* Once for the feasible nodes; false: all scores are 0 and nothing is asked. NULL: always true.
     */
    bool (*pre_score)(Cycle *cycle);
    int64_t (*score)(Cycle *cycle, const NodeInfo *node);
    void (*normalize)(Cycle *cycle, int64_t *scores); /* n_scored of them; may be NULL */
    void (*clear)(Cycle *cycle, void *state); /* frees what it left in states[]; NULL: g_free */
} Plugin;

extern const Plugin *const SCHEDULER_PLUGINS[PLUGIN_COUNT]; /* the table */
int plugin_index_by_name(const char *name);                 /* -1 when unknown */

/* ---- steps of a cycle ------------------------------------------------------------------------ */

void cycle_init(Cycle *cycle, ClusterCache *cache, const Profile *profile, PodInfo *pod);
void cycle_clear(Cycle *cycle);
/* False: a plug-in rejects the pod on all nodes. */
bool cycle_pre_filter(Cycle *cycle, Status *ret_status);
/* The plug-ins in order until one says no. With the pods nominated to the node counted as there,
 * and without. */
void cycle_filter(Cycle *cycle, NodeInfo *node, Status *ret_status);
/* Without the nominated. */
void cycle_filter_once(Cycle *cycle, const NodeInfo *node, Status *ret_status);

/* Scores of all plug-ins for n nodes: raw and normalised[plugin * n + node] (either may be NULL),
 * totals[node]. */
void cycle_score(Cycle *cycle, NodeInfo *const *nodes, uint32_t n, int64_t *ret_raw,
                 int64_t *ret_normalised, int64_t *ret_totals);

/* NodeScore normalised to 0..100 by the highest (helper.DefaultNormalizeScore). */
void normalize_by_maximum(int64_t *scores, uint32_t n, bool reverse);

/* ---- the whole algorithm (schedulePod) ------------------------------------------------------- */

typedef struct NodeVerdict {
    NodeInfo *node;
    Status status;
} NodeVerdict;

typedef struct ScheduleResult {
    NodeInfo *node; /* NULL: it fits nowhere */
    uint32_t evaluated, feasible, all;
    bool no_nodes;
    bool pre_filter_failed;
    Status pre_filter;
    uint32_t rejectors; /* plug-ins, bits */
    GArray *verdicts;   /* NodeVerdict of nodes that do not fit, in order of evaluation */
    uint32_t n_outside; /* nodes that pre_filter left out */
    GPtrArray *nodes;   /* feasible NodeInfo */
    int64_t *raw, *normalised, *totals; /* NULL unless scored; rows of skip_score are not filled */
} ScheduleResult;

void schedule_result_clear(ScheduleResult *result);

/* How many feasible nodes are enough. */
int32_t nodes_to_find(const Profile *profile, int32_t n_nodes);

/* next_start_node goes round from cycle to cycle; NULL: from the first on, and all nodes are looked
 * at. */
void schedule_pod(Cycle *cycle, Random *random, uint32_t *next_start_node,
                  ScheduleResult *ret_result);

/* "0/3 nodes are available: 1 Insufficient cpu, ..." with a full stop (FitError.Error without what
 * PostFilter said). */
char *schedule_failure_message(const ClusterCache *cache, const ScheduleResult *result);

/* ---- preemption (plugins/default_preemption.c) ----------------------------------------------- */

typedef struct Preemption {
    NodeInfo *node;     /* NULL: nobody is preempted */
    GPtrArray *victims; /* PodInfo, most important first */
    char *message;      /* when node is NULL: what is added to the failure */
    bool clear_nomination;
} Preemption;

void preemption_clear(Preemption *preemption);
/* Tries to make room for the cycle's pod; its filters must have run with this result. */
void schedule_preempt(Cycle *cycle, Random *random, const ScheduleResult *result,
                      Preemption *ret_preemption);
