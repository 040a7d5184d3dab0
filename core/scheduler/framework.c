#include "core/scheduler/framework.h"

#include <string.h>

void
status_add(Status *status, StatusCode code, Symbol reason)
{
    status->code = MAX(status->code, code);
    if (status->n_reasons < STATUS_REASONS_MAX)
        status->reasons[status->n_reasons++] = reason;
}

Profile *
profile_new(const char *name)
{
    Profile *profile = g_new0(Profile, 1);
    profile->name = g_strdup(name);
    profile->hard_pod_affinity_weight = 1;
    profile->cpu_weight = profile->memory_weight = 1;
    profile->default_spreading = true;
    profile->min_candidates_percentage = 10;
    profile->min_candidates_absolute = 100;
    for (int i = 0; i < PLUGIN_COUNT; i++) {
        profile->enabled[i] = profile->filters[i] = true;
        profile->weights[i] = SCHEDULER_PLUGINS[i]->weight;
    }
    return profile;
}

void
profile_free(Profile *profile)
{
    if (profile == NULL)
        return;
    g_free(profile->name);
    g_free(profile);
}

int
plugin_index_by_name(const char *name)
{
    for (int i = 0; i < PLUGIN_COUNT; i++)
        if (strcmp(SCHEDULER_PLUGINS[i]->name, name) == 0)
            return i;
    return -1;
}

/* ---- a cycle --------------------------------------------------------------------------------- */

void
cycle_init(Cycle *cycle, ClusterCache *cache, const Profile *profile, PodInfo *pod)
{
    *cycle = (Cycle){.cache = cache, .profile = profile, .pod = pod, .class_ = pod->class_};
}

void
cycle_clear(Cycle *cycle)
{
    for (int i = 0; i < PLUGIN_COUNT; i++) {
        if (cycle->states[i] == NULL)
            continue;
        if (SCHEDULER_PLUGINS[i]->clear != NULL)
            SCHEDULER_PLUGINS[i]->clear(cycle, cycle->states[i]);
        else
            g_free(cycle->states[i]);
        cycle->states[i] = NULL;
    }
}

bool
cycle_pre_filter(Cycle *cycle, Status *ret_status)
{
    for (int i = 0; i < PLUGIN_COUNT; i++) {
        const Plugin *plugin = SCHEDULER_PLUGINS[i];
        if (!cycle->profile->enabled[i] || !cycle->profile->filters[i] || plugin->filter == NULL) {
            cycle->skip_filter |= 1u << i;
            continue;
        }
        if (plugin->pre_filter == NULL)
            continue;
        Status status = {.plugin = (uint8_t)i};
        plugin->pre_filter(cycle, &status);
        if (status.code == STATUS_SKIP)
            cycle->skip_filter |= 1u << i;
        if (status.code >= STATUS_UNSCHEDULABLE) {
            *ret_status = status;
            return false;
        }
    }
    return true;
}

void
cycle_filter_once(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    ret_status->code = STATUS_SUCCESS;
    ret_status->n_reasons = 0;
    for (int i = 0; i < PLUGIN_COUNT; i++) {
        if (cycle->skip_filter & (1u << i))
            continue;
        SCHEDULER_PLUGINS[i]->filter(cycle, node, ret_status);
        if (ret_status->code != STATUS_SUCCESS) {
            ret_status->plugin = (uint8_t)i;
            return;
        }
    }
}

/* Nominated pods of the same or higher priority are put on the node for the length of one test. */
static GPtrArray *
add_nominated(Cycle *cycle, NodeInfo *node)
{
    GPtrArray *added = NULL;
    for (guint i = 0; i < node->nominated->len; i++) {
        PodInfo *pod = node->nominated->pdata[i];
        if (pod == cycle->pod || pod->node != NULL ||
            pod->class_->priority < cycle->class_->priority)
            continue;
        if (added == NULL)
            added = g_ptr_array_new();
        node_info_add_pod(cycle->cache, node, pod);
        g_ptr_array_add(added, pod);
    }
    return added;
}

void
cycle_filter(Cycle *cycle, NodeInfo *node, Status *ret_status)
{
    if (node->nominated != NULL && node->nominated->len > 0) {
        GPtrArray *added = add_nominated(cycle, node);
        if (added != NULL) {
            cycle_filter_once(cycle, node, ret_status);
            for (guint i = added->len; i-- > 0;)
                node_info_remove_pod(cycle->cache, added->pdata[i]);
            g_ptr_array_free(added, TRUE);
            if (ret_status->code != STATUS_SUCCESS)
                return;
        }
    }
    cycle_filter_once(cycle, node, ret_status);
}

void
normalize_by_maximum(int64_t *scores, uint32_t n, bool reverse)
{
    int64_t maximum = 0;
    for (uint32_t i = 0; i < n; i++)
        maximum = MAX(maximum, scores[i]);
    for (uint32_t i = 0; i < n; i++) {
        int64_t score = maximum == 0 ? 0 : NODE_SCORE_MAX * scores[i] / maximum;
        scores[i] = reverse ? NODE_SCORE_MAX - score : score;
    }
}

static void
score_with(Cycle *cycle, int index, int64_t *scores, int64_t *ret_raw)
{
    const Plugin *plugin = SCHEDULER_PLUGINS[index];
    for (uint32_t i = 0; i < cycle->n_scored; i++)
        scores[i] = plugin->score(cycle, cycle->scored[i]);
    if (ret_raw != NULL)
        memcpy(ret_raw, scores, cycle->n_scored * sizeof scores[0]);
    if (plugin->normalize != NULL)
        plugin->normalize(cycle, scores);
}

void
cycle_score(Cycle *cycle, NodeInfo *const *nodes, uint32_t n, int64_t *ret_raw,
            int64_t *ret_normalised, int64_t *ret_totals)
{
    g_autofree int64_t *scores = g_new(int64_t, MAX(n, 1));
    memset(ret_totals, 0, n * sizeof ret_totals[0]);
    cycle->scored = nodes;
    cycle->n_scored = n;
    cycle->skip_score = 0;
    for (int p = 0; p < PLUGIN_COUNT; p++) {
        const Plugin *plugin = SCHEDULER_PLUGINS[p];
        int64_t weight = cycle->profile->weights[p];
        size_t row = (size_t)p * n;
        if (plugin->score == NULL || !cycle->profile->enabled[p] || weight == 0 ||
            (plugin->pre_score != NULL && !plugin->pre_score(cycle))) {
            cycle->skip_score |= 1u << p;
            continue;
        }
        score_with(cycle, p, scores, ret_raw != NULL ? ret_raw + row : NULL);
        if (ret_normalised != NULL)
            memcpy(ret_normalised + row, scores, n * sizeof scores[0]);
        for (uint32_t i = 0; i < n; i++)
            ret_totals[i] += scores[i] * weight;
    }
    cycle->scored = NULL;
}
