/* Topology spread constraints: DoNotSchedule filters by skew, ScheduleAnyway scores by how many
 * matching pods a domain has. A pod without constraints gets the system's defaults (hostname with
 * maxSkew 3, zone with maxSkew 5, both ScheduleAnyway) for the pods that its services and its
 * controller select. */
#include "core/scheduler/plugins/plugins.h"

#include "core/api/meta.h"

#include <string.h>

typedef struct Hard {
    const SpreadConstraint *constraint;
    const Counter *counter;
    int32_t minimum;
} Hard;

typedef struct Soft {
    SpreadConstraint constraint;
    const PodSet *set;
    const Counter *counter; /* NULL for the hostname: counted by node */
    const Topology *topology;
    double weight;
} Soft;

typedef struct State {
    uint32_t n_hard, n_soft;
    Hard *hard;
    Soft *soft;
    bool require_all;   /* nodes that lack a key of a soft constraint are not scored */
    uint64_t mutations; /* when the minima were taken */
} State;

static State *
state_of(Cycle *cycle)
{
    int index = PLUGIN_POD_TOPOLOGY_SPREAD;
    if (cycle->states[index] == NULL)
        cycle->states[index] = g_new0(State, 1);
    return cycle->states[index];
}

static void
clear(Cycle *cycle, void *data)
{
    State *state = data;
    g_free(state->hard);
    g_free(state->soft);
    g_free(state);
}

/* ---- filter ---------------------------------------------------------------------------------- */

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    const PodClass *class_ = cycle->class_;
    TopologyIndex *index = cycle->cache->topology;
    g_autofree Symbol *keys = g_new(Symbol, MAX(class_->n_constraints, 1));
    uint32_t n = 0;
    for (uint32_t i = 0; i < class_->n_constraints; i++)
        if (class_->constraints[i].hard)
            keys[n++] = class_->constraints[i].topology_key;
    if (n == 0) {
        ret_status->code = STATUS_SKIP;
        return;
    }
    State *state = state_of(cycle);
    state->hard = g_new0(Hard, n);
    state->mutations = UINT64_MAX;
    for (uint32_t i = 0; i < class_->n_constraints; i++) {
        const SpreadConstraint *constraint = &class_->constraints[i];
        if (!constraint->hard)
            continue;
        PodTerm *term = constraint->term;
        PodSet *set = topology_pod_set(index, &term, 1, true);
        NodeSet *nodes = topology_node_set(index, class_, constraint->honor_affinity,
                                           constraint->honor_taints, keys, n);
        state->hard[state->n_hard++] =
            (Hard){.constraint = constraint,
                   .counter = topology_counter(index, set, constraint->topology_key, nodes)};
    }
}

static void
take_minima(const Cycle *cycle, State *state)
{
    for (uint32_t i = 0; i < state->n_hard; i++) {
        Hard *hard = &state->hard[i];
        bool few = hard->counter->n_present < hard->constraint->min_domains;
        hard->minimum = few ? 0 : counter_minimum(hard->counter);
    }
    state->mutations = cycle->cache->mutations;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    State *state = state_of(cycle);
    if (state->mutations != cycle->cache->mutations)
        take_minima(cycle, state);
    for (uint32_t i = 0; i < state->n_hard; i++) {
        const Hard *hard = &state->hard[i];
        int32_t domain = topology_domain(hard->counter->topology, node->slot);
        if (domain < 0) {
            status_add(ret_status, STATUS_UNRESOLVABLE, REASON_SPREAD_LABEL);
            return;
        }
        int32_t skew = hard->counter->counts[domain] + hard->constraint->self_match - hard->minimum;
        if (skew > hard->constraint->max_skew) {
            status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_SPREAD);
            return;
        }
    }
}

/* ---- the defaults ---------------------------------------------------------------------------- */

typedef struct Selecting {
    ClusterCache *cache;
    const PodClass *class_;
    Matcher *all;
} Selecting;

static bool
add_service(const char *key, const Value *service, void *data)
{
    Selecting *selecting = data;
    const Value *selector = value_at(service, "spec.selector");
    if (value_size(selector) == 0)
        return true;
    g_autoptr(Matcher) matcher = matcher_new(selecting->cache->symbols, NULL);
    matcher_add_map(matcher, selecting->cache->symbols, selector);
    if (matcher_matches(matcher, selecting->class_->labels))
        matcher_add_map(selecting->all, selecting->cache->symbols, selector);
    return true;
}

static void
add_controller(Selecting *selecting, const Value *pod)
{
    Symbols *symbols = selecting->cache->symbols;
    const Value *owner = object_controller(pod);
    const char *kind = value_text_at(owner, "kind");
    CacheTable table = strcmp(kind, "ReplicaSet") == 0              ? TABLE_REPLICA_SETS
                       : strcmp(kind, "StatefulSet") == 0           ? TABLE_STATEFUL_SETS
                       : strcmp(kind, "ReplicationController") == 0 ? TABLE_REPLICATION_CONTROLLERS
                                                                    : TABLE_COUNT;
    if (table == TABLE_COUNT)
        return;
    g_autofree char *key =
        g_strdup_printf("%s/%s", object_namespace(pod), value_text_at(owner, "name"));
    const Value *selector =
        value_at(cluster_cache_get(selecting->cache, table, key), "spec.selector");
    if (table == TABLE_REPLICATION_CONTROLLERS)
        matcher_add_map(selecting->all, symbols, selector);
    else
        matcher_add_selector(selecting->all, symbols, selector);
}

/* helper.DefaultSelector: what the pod's services and its controller select, together. */
static PodTerm *
default_term(ClusterCache *cache, PodClass *class_)
{
    if (class_->default_generation == cache->spreading_generation)
        return class_->default_term;
    g_autoptr(Value) everything = value_new_map();
    Selecting selecting = {
        .cache = cache, .class_ = class_, .all = matcher_new(cache->symbols, everything)};
    cluster_cache_each(cache, TABLE_SERVICES, symbols_text(cache->symbols, class_->namespace_),
                       add_service, &selecting);
    add_controller(&selecting, class_->sample);
    g_clear_pointer(&class_->default_term, pod_term_unref);
    class_->default_generation = cache->spreading_generation;
    if (matcher_is_empty(selecting.all))
        matcher_unref(selecting.all);
    else
        class_->default_term = pod_term_new_simple(class_->namespace_, selecting.all);
    return class_->default_term;
}

/* ---- score ----------------------------------------------------------------------------------- */

static void
list_soft(Cycle *cycle, State *state)
{
    PodClass *class_ = cycle->class_;
    g_free(state->soft);
    state->soft = g_new0(Soft, MAX(class_->n_constraints, 2));
    state->n_soft = 0;
    state->require_all = class_->n_constraints > 0;
    for (uint32_t i = 0; i < class_->n_constraints; i++)
        if (!class_->constraints[i].hard)
            state->soft[state->n_soft++].constraint = class_->constraints[i];
    if (class_->n_constraints > 0 || !cycle->profile->default_spreading)
        return;
    PodTerm *term = default_term(cycle->cache, class_);
    if (term == NULL)
        return;
    SpreadConstraint constraint = {.honor_affinity = true, .min_domains = 1, .term = term};
    constraint.topology_key = REASON_HOSTNAME_KEY;
    constraint.max_skew = 3;
    state->soft[state->n_soft++].constraint = constraint;
    constraint.topology_key = REASON_ZONE_KEY;
    constraint.max_skew = 5;
    state->soft[state->n_soft++].constraint = constraint;
}

static bool
node_ignored(const State *state, const NodeInfo *node)
{
    for (uint32_t i = 0; state->require_all && i < state->n_soft; i++)
        if (topology_domain(state->soft[i].topology, node->slot) < 0)
            return true;
    return false;
}

/* How many domains the feasible nodes span; a missing label counts as one. */
static int
count_domains(const Cycle *cycle, const State *state, const Soft *soft)
{
    g_autofree uint8_t *seen = g_new0(uint8_t, (size_t)soft->topology->n_domains + 1);
    int n = 0;
    for (uint32_t i = 0; i < cycle->n_scored; i++) {
        if (node_ignored(state, cycle->scored[i]))
            continue;
        int32_t at = topology_domain(soft->topology, cycle->scored[i]->slot) + 1;
        n += !seen[at];
        seen[at] = 1;
    }
    return n;
}

static bool
pre_score(Cycle *cycle)
{
    State *state = state_of(cycle);
    TopologyIndex *index = cycle->cache->topology;
    list_soft(cycle, state);
    if (state->n_soft == 0)
        return false;
    g_autofree Symbol *keys = g_new(Symbol, state->n_soft);
    for (uint32_t i = 0; i < state->n_soft; i++) {
        keys[i] = state->soft[i].constraint.topology_key;
        state->soft[i].topology = topology_get(index, keys[i]);
    }
    int n_counted = 0;
    for (uint32_t i = 0; i < cycle->n_scored; i++)
        n_counted += !node_ignored(state, cycle->scored[i]);
    for (uint32_t i = 0; i < state->n_soft; i++) {
        Soft *soft = &state->soft[i];
        bool hostname = keys[i] == REASON_HOSTNAME_KEY;
        PodSet *set = topology_pod_set(index, &soft->constraint.term, 1, true);
        soft->set = set;
        if (!hostname) {
            NodeSet *nodes = topology_node_set(
                index, cycle->class_, soft->constraint.honor_affinity,
                soft->constraint.honor_taints, keys, state->require_all ? state->n_soft : 0);
            soft->counter = topology_counter(index, set, keys[i], nodes);
        }
        soft->weight = natural_log((hostname ? n_counted : count_domains(cycle, state, soft)) + 2);
    }
    return true;
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    const State *state = state_of(cycle);
    if (node_ignored(state, node))
        return 0;
    double sum = 0;
    for (uint32_t i = 0; i < state->n_soft; i++) {
        const Soft *soft = &state->soft[i];
        int32_t domain = topology_domain(soft->topology, node->slot);
        if (domain < 0)
            continue;
        int32_t count = soft->counter != NULL ? soft->counter->counts[domain]
                                              : soft->set->node_counts[node->slot];
        sum += (double)count * soft->weight + (double)(soft->constraint.max_skew - 1);
    }
    return (int64_t)(sum + 0.5); /* never negative: rounds half away from zero */
}

static void
normalize(Cycle *cycle, int64_t *scores)
{
    const State *state = state_of(cycle);
    int64_t minimum = INT64_MAX, maximum = 0;
    for (uint32_t i = 0; i < cycle->n_scored; i++) {
        if (node_ignored(state, cycle->scored[i])) {
            scores[i] = -1;
            continue;
        }
        minimum = MIN(minimum, scores[i]);
        maximum = MAX(maximum, scores[i]);
    }
    for (uint32_t i = 0; i < cycle->n_scored; i++) {
        if (scores[i] < 0)
            scores[i] = 0;
        else if (maximum == 0)
            scores[i] = NODE_SCORE_MAX;
        else
            scores[i] = NODE_SCORE_MAX * (maximum + minimum - scores[i]) / maximum;
    }
}

/* ---- hint ------------------------------------------------------------------------------------ */

static bool
bears_keys(const PodClass *class_, Symbols *symbols, const Value *node)
{
    for (uint32_t i = 0; i < class_->n_constraints; i++)
        if (class_->constraints[i].hard &&
            object_label(node, symbols_text(symbols, class_->constraints[i].topology_key)) == NULL)
            return false;
    return true;
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    const PodClass *class_ = pod->class_;
    if (event->node != NULL)
        return bears_keys(class_, cache->symbols, event->new_ != NULL ? event->new_ : event->old);
    if (event->pod == NULL || (event->kinds & EVENT_POD_UPDATE))
        return true;
    for (uint32_t i = 0; i < class_->n_constraints; i++)
        if (class_->constraints[i].hard &&
            topology_term_matches(cache->topology, class_->constraints[i].term, event->pod->class_))
            return true;
    return false;
}

const Plugin POD_TOPOLOGY_SPREAD = {
    .name = "PodTopologySpread",
    .weight = 2,
    .events = EVENT_NODE_ADD | EVENT_NODE_DELETE | EVENT_NODE_LABEL | EVENT_NODE_TAINT |
              EVENT_POD_ADD | EVENT_POD_UPDATE | EVENT_POD_DELETING | EVENT_POD_DELETE | EVENT_SELF,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
    .pre_score = pre_score,
    .score = score,
    .normalize = normalize,
    .clear = clear,
};
