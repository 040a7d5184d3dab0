/* Port: causes and facts. Every event of the engine runs under a cause; what it schedules inherits it. A recorded
 * fact becomes the cause of all that follows in the same event, so that `timonel why` can walk from a pod's death
 * back to the pulled plug. */
#pragma once

#include "core/object/value.h"

typedef struct Trace Trace;
typedef uint64_t CauseId; /* 0: none */

typedef enum {
    FACT_WRITE,    /* the API server stored a change: subject is kind/namespace/name */
    FACT_DECISION, /* a component decided something: "scale up web from 2 to 3" */
    FACT_MESSAGE,  /* a request between components (drawn by the dashboard, not kept in chains) */
    FACT_FAULT,    /* somebody broke or mended something */
    FACT_INPUT,    /* the outside: a key press, a kubectl request */
    FACT_STATE,    /* the machine below: a container exited, a node lost power */
} FactKind;

typedef struct Fact {
    FactKind kind;
    const char *actor;    /* the component: "kube-scheduler", "kubelet/worker-1", "user admin" */
    const char *verb;     /* "create", "bind", "kill", ... */
    const char *subject;  /* "Pod/default/web-1", "Node/worker-1", or NULL */
    const char *text;     /* one plain sentence without a full stop, or NULL */
    uint64_t digest;      /* of the object, for writes; else 0 */
    int64_t revision;     /* for writes; else 0 */
} Fact;

typedef struct TraceOps {
    CauseId (*current)(Trace *trace);
    /* What follows in this event is caused by `cause` (a work queue takes up a key's causes). 0 does nothing. */
    void (*adopt)(Trace *trace, CauseId cause);
    /* Strings are copied. Returns the fact's id, which is now the current cause (messages excepted). */
    CauseId (*record)(Trace *trace, const Fact *fact);
} TraceOps;

struct Trace {
    const TraceOps *ops;
};

static inline CauseId
trace_current(Trace *trace)
{
    return trace->ops->current(trace);
}

static inline void
trace_adopt(Trace *trace, CauseId cause)
{
    trace->ops->adopt(trace, cause);
}

static inline CauseId
trace_record(Trace *trace, const Fact *fact)
{
    return trace->ops->record(trace, fact);
}

/* Records that `actor` decided something about an object. */
CauseId trace_decision(Trace *trace, const char *actor, const char *verb, const char *subject,
                       const char *format, ...) G_GNUC_PRINTF(5, 6);
