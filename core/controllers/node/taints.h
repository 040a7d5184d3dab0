/* The taints that follow from a node's conditions (TaintNodesByCondition), and changes of taint
 * lists. Pure. */
#pragma once

#include "core/object/value.h"

#define TAINT_NOT_READY "node.kubernetes.io/not-ready"
#define TAINT_UNREACHABLE "node.kubernetes.io/unreachable"
#define TAINT_OUT_OF_SERVICE "node.kubernetes.io/out-of-service"

typedef enum {
    NO_EXECUTE_KEEP,   /* whatever is there; but the key follows the Ready condition */
    NO_EXECUTE_ADD,    /* not-ready or unreachable, as the Ready condition says */
    NO_EXECUTE_REMOVE, /* the node is reachable */
} NoExecute;

/* The taints that the node should have; another reference to the old list (an empty one for none)
 * when nothing changes. */
Value *node_taints_wanted(const Value *node, NoExecute no_execute, int64_t now);
bool taints_have(const Value *taints, const char *key, const char *effect);
