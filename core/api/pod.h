/* Reading pods, as k8s.io/kubernetes pkg/api/v1/pod and component-helpers do. All borrow and accept NULL. */
#pragma once

#include "core/object/value.h"

const char *pod_phase(const Value *pod);      /* "" when not set */
const char *pod_node_name(const Value *pod);  /* "" when not bound */
const char *pod_ip(const Value *pod);
bool pod_is_ready(const Value *pod);          /* condition Ready is True */
bool pod_is_available(const Value *pod, int64_t min_ready_seconds, int64_t now_ns);
bool pod_is_terminal(const Value *pod);       /* Succeeded or Failed */
bool pod_is_active(const Value *pod);         /* neither terminal nor being deleted */
bool pod_is_static(const Value *pod);         /* a mirror pod or from a file */
bool pod_is_mirror(const Value *pod);
int64_t pod_priority(const Value *pod);
const char *pod_qos_class(const Value *pod);  /* computed: "Guaranteed", "Burstable", "BestEffort" */
int64_t pod_restart_count(const Value *pod);
int64_t pod_grace_period(const Value *pod);   /* seconds: deletionGracePeriodSeconds, else the spec's, else 30 */

/* Sum of requests as the scheduler and quota count them (init containers, sidecars, overhead, pod-level resources). */
typedef struct ResourceList {
    int64_t milli_cpu;
    int64_t memory;            /* bytes */
    int64_t ephemeral_storage; /* bytes */
    Value *scalars;            /* extended resources: name -> integer; NULL when none; owned */
} ResourceList;
void pod_requests(const Value *pod, ResourceList *ret_list);
void pod_limits(const Value *pod, ResourceList *ret_list);
void resource_list_clear(ResourceList *list);
/* From a map of quantities ({cpu: 500m, memory: 1Gi}). */
void resource_list_parse(const Value *map, ResourceList *ret_list, int64_t *ret_pods);

/* Does a toleration tolerate the taint? And the first taint with effect (NULL: NoSchedule and NoExecute) not tolerated. */
bool toleration_tolerates(const Value *toleration, const Value *taint);
const Value *taints_find_untolerated(const Value *taints, const Value *tolerations, const char *const *effects);

/* spec.nodeSelector and required node affinity together (component-helpers nodeaffinity). */
bool pod_matches_node_affinity(const Value *pod, const Value *node);
/* One NodeSelector ({nodeSelectorTerms}). */
bool node_selector_matches(const Value *node_selector, const Value *node);
bool node_selector_term_matches(const Value *term, const Value *node);

/* host ports in use by a pod: calls func for each (protocol, hostIP, port). */
void pod_each_host_port(const Value *pod, void (*func)(const char *protocol, const char *ip, int64_t port, void *data),
                        void *data);
