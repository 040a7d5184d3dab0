/* Port: what kube-proxy programs on its node. The rule set is a Value-free structure made by core/proxy
 * (core/proxy/rules.h); it is applied whole and atomically: afterwards either the new or the old set is in force. */
#pragma once

#include <stdint.h>

typedef struct Dataplane Dataplane;
struct ProxyRules; /* core/proxy/rules.h */

typedef struct DataplaneOps {
    /* `rules` is reference counted by its owner; the back end takes its own reference. done is called by a later event
     * with NULL or an error text; it is dropped with the process that applied, as timers are. */
    void (*apply)(Dataplane *dataplane, struct ProxyRules *rules, void (*done)(const char *error, void *data),
                  void *data);
} DataplaneOps;

struct Dataplane {
    const DataplaneOps *ops;
};
