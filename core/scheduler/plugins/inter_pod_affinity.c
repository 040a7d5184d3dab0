/* Affinity and anti-affinity between pods, over the counts that topology.h keeps: a node costs one
 * look-up a term. */
#include "core/scheduler/plugins/plugins.h"

typedef struct TermCounter {
    const Counter *counter;
    int64_t weight;
} TermCounter;

typedef struct State {
    uint32_t n_affinity, n_anti, n_existing, n_own_scores, n_existing_scores;
    const Counter *
        *affinity;        /* pods that match all required affinity terms, one a term's topology */
    const Counter **anti; /* pods that match a required anti-affinity term */
    const OwnedTerm **existing; /* anti-affinity of pods that are there, against this one */
    TermCounter *own_scores;
    const OwnedTerm **existing_scores;
    bool matches_own_affinity;
} State;

static void
clear(Cycle *cycle, void *data)
{
    State *state = data;
    g_free(state->affinity);
    g_free(state->anti);
    g_free(state->existing);
    g_free(state->own_scores);
    g_free(state->existing_scores);
    g_free(state);
}

static State *
state_of(Cycle *cycle)
{
    return cycle->states[PLUGIN_INTER_POD_AFFINITY];
}

static void
state_count_required(Cycle *cycle, State *state)
{
    TopologyIndex *index = cycle->cache->topology;
    const PodTerms *affinity = &cycle->class_->required_affinity,
                   *anti = &cycle->class_->required_anti_affinity;
    state->affinity = g_new(const Counter *, MAX(affinity->n, 1));
    state->anti = g_new(const Counter *, MAX(anti->n, 1));
    state->matches_own_affinity = true;
    for (uint32_t i = 0; i < affinity->n; i++) {
        PodSet *set = topology_pod_set(index, affinity->items, affinity->n, false);
        state->affinity[state->n_affinity++] =
            topology_counter(index, set, affinity->items[i]->topology_key, NULL);
        state->matches_own_affinity &=
            topology_term_matches(index, affinity->items[i], cycle->class_);
    }
    for (uint32_t i = 0; i < anti->n; i++) {
        PodSet *set = topology_pod_set(index, &anti->items[i], 1, false);
        state->anti[state->n_anti++] =
            topology_counter(index, set, anti->items[i]->topology_key, NULL);
    }
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    const PodClass *class_ = cycle->class_;
    uint32_t existing = 0;
    for (guint i = 0; i < class_->matched_terms->len; i++)
        existing += ((const OwnedTerm *)class_->matched_terms->pdata[i])->kind == OWNED_ANTI;
    if (existing + class_->required_affinity.n + class_->required_anti_affinity.n == 0) {
        ret_status->code = STATUS_SKIP;
        return;
    }
    State *state = g_new0(State, 1);
    cycle->states[PLUGIN_INTER_POD_AFFINITY] = state;
    state_count_required(cycle, state);
    state->existing = g_new(const OwnedTerm *, MAX(existing, 1));
    for (guint i = 0; i < class_->matched_terms->len; i++) {
        const OwnedTerm *owned = class_->matched_terms->pdata[i];
        if (owned->kind == OWNED_ANTI)
            state->existing[state->n_existing++] = owned;
    }
}

/* Every term must find a pod in the node's domain; but the first pod of a group with affinity to
 * itself may start anywhere where all labels are. */
static bool
affinity_satisfied(const State *state, int32_t slot)
{
    bool pods_exist = true;
    int64_t total = 0;
    for (uint32_t i = 0; i < state->n_affinity; i++) {
        const Counter *counter = state->affinity[i];
        int32_t domain = topology_domain(counter->topology, slot);
        if (domain < 0)
            return false;
        pods_exist &= counter->counts[domain] > 0;
        total += counter->total;
    }
    return pods_exist || (total == 0 && state->matches_own_affinity);
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    const State *state = state_of(cycle);
    if (!affinity_satisfied(state, node->slot)) {
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_AFFINITY);
        return;
    }
    for (uint32_t i = 0; i < state->n_anti; i++) {
        int32_t domain = topology_domain(state->anti[i]->topology, node->slot);
        if (domain >= 0 && state->anti[i]->counts[domain] > 0) {
            status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_ANTI_AFFINITY);
            return;
        }
    }
    for (uint32_t i = 0; i < state->n_existing; i++) {
        int32_t domain = topology_domain(state->existing[i]->topology, node->slot);
        if (domain >= 0 && state->existing[i]->counts[domain] > 0) {
            status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_EXISTING_ANTI_AFFINITY);
            return;
        }
    }
}

/* ---- score ----------------------------------------------------------------------------------- */

static void
add_own_scores(Cycle *cycle, State *state, const PodTerms *terms, int64_t sign)
{
    for (uint32_t i = 0; i < terms->n; i++) {
        PodSet *set = topology_pod_set(cycle->cache->topology, &terms->items[i], 1, false);
        const Counter *counter =
            topology_counter(cycle->cache->topology, set, terms->items[i]->topology_key, NULL);
        if (counter->total > 0)
            state->own_scores[state->n_own_scores++] =
                (TermCounter){.counter = counter, .weight = sign * terms->items[i]->weight};
    }
}

static bool
pre_score(Cycle *cycle)
{
    const PodClass *class_ = cycle->class_;
    uint32_t own = class_->preferred_affinity.n + class_->preferred_anti_affinity.n;
    if (own == 0 && class_->matched_terms->len == 0)
        return false;
    int index = PLUGIN_INTER_POD_AFFINITY;
    if (cycle->states[index] == NULL)
        cycle->states[index] = g_new0(State, 1);
    State *state = cycle->states[index];
    g_free(state->own_scores);
    g_free(state->existing_scores);
    state->own_scores = g_new(TermCounter, MAX(own, 1));
    state->existing_scores = g_new(const OwnedTerm *, MAX(class_->matched_terms->len, 1));
    state->n_own_scores = state->n_existing_scores = 0;
    add_own_scores(cycle, state, &class_->preferred_affinity, 1);
    add_own_scores(cycle, state, &class_->preferred_anti_affinity, -1);
    for (guint i = 0; i < class_->matched_terms->len; i++) {
        const OwnedTerm *owned = class_->matched_terms->pdata[i];
        bool counts =
            owned->kind != OWNED_ANTI && owned->total > 0 &&
            (owned->kind != OWNED_AFFINITY || cycle->profile->hard_pod_affinity_weight > 0);
        if (counts)
            state->existing_scores[state->n_existing_scores++] = owned;
    }
    return state->n_own_scores + state->n_existing_scores > 0;
}

static int64_t
owned_weight(const Cycle *cycle, const OwnedTerm *owned)
{
    if (owned->kind == OWNED_AFFINITY)
        return cycle->profile->hard_pod_affinity_weight;
    return owned->kind == OWNED_PREFERRED ? owned->term->weight : -(int64_t)owned->term->weight;
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    const State *state = state_of(cycle);
    int64_t sum = 0;
    for (uint32_t i = 0; i < state->n_own_scores; i++) {
        const Counter *counter = state->own_scores[i].counter;
        int32_t domain = topology_domain(counter->topology, node->slot);
        if (domain >= 0)
            sum += state->own_scores[i].weight * counter->counts[domain];
    }
    for (uint32_t i = 0; i < state->n_existing_scores; i++) {
        const OwnedTerm *owned = state->existing_scores[i];
        int32_t domain = topology_domain(owned->topology, node->slot);
        if (domain >= 0)
            sum += owned_weight(cycle, owned) * owned->counts[domain];
    }
    return sum;
}

static void
normalize(Cycle *cycle, int64_t *scores)
{
    int64_t minimum = INT64_MAX, maximum = INT64_MIN;
    for (uint32_t i = 0; i < cycle->n_scored; i++) {
        minimum = MIN(minimum, scores[i]);
        maximum = MAX(maximum, scores[i]);
    }
    int64_t range = maximum - minimum;
    for (uint32_t i = 0; i < cycle->n_scored; i++) {
        double scaled = 0;
        if (range > 0)
            scaled = (double)NODE_SCORE_MAX * ((double)(scores[i] - minimum) / (double)range);
        scores[i] = (int64_t)scaled;
    }
}

/* ---- hint ------------------------------------------------------------------------------------ */

static bool
any_term_matches(ClusterCache *cache, const PodTerms *terms, const PodClass *class_)
{
    for (uint32_t i = 0; i < terms->n; i++)
        if (topology_term_matches(cache->topology, terms->items[i], class_))
            return true;
    return false;
}

/* A pod that comes may be what an affinity waits for; one that goes may be what an anti-affinity,
 * of either side, shunned. */
static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->pod == NULL)
        return true;
    const PodClass *own = pod->class_, *other = event->pod->class_;
    bool attracts = any_term_matches(cache, &own->required_affinity, other);
    bool repels = any_term_matches(cache, &own->required_anti_affinity, other) ||
                  any_term_matches(cache, &other->required_anti_affinity, own);
    if (event->kinds & EVENT_POD_DELETE)
        return repels;
    return attracts || (event->kinds & EVENT_POD_UPDATE); /* its labels may have matched before */
}

const Plugin INTER_POD_AFFINITY = {
    .name = "InterPodAffinity",
    .weight = 2,
    .events = EVENT_NODE_ADD | EVENT_NODE_LABEL | EVENT_POD_ADD | EVENT_POD_UPDATE |
              EVENT_POD_DELETE | EVENT_NAMESPACE | EVENT_SELF,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
    .pre_score = pre_score,
    .score = score,
    .normalize = normalize,
    .clear = clear,
};
