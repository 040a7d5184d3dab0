/* Pods per node over time, for the report's pictures. */
#include <string.h>

#include "core/api/node.h"
#include "core/api/pod.h"
#include "sim/scenario/scenario_private.h"

static ScenarioSample *
sample_of(GTree *now, const char *node)
{
    ScenarioSample *sample = g_tree_lookup(now, node);
    if (sample == NULL) {
        sample = g_new0(ScenarioSample, 1);
        g_tree_insert(now, g_strdup(node), sample);
    }
    return sample;
}

static void
count_pod(GTree *now, const Value *pod)
{
    ScenarioSample *sample = sample_of(now, pod_node_name(pod));
    if (pod_is_terminal(pod))
        sample->ended++;
    else if (strcmp(pod_phase(pod), "Running") != 0)
        sample->pending++;
    else if (pod_is_ready(pod))
        sample->ready++;
    else
        sample->unready++;
}

static bool
same(const ScenarioSample *a, const ScenarioSample *b)
{
    return a->ready == b->ready && a->unready == b->unready && a->pending == b->pending && a->ended == b->ended &&
           a->node_ready == b->node_ready;
}

static gboolean
keep(gpointer key, gpointer value, gpointer data)
{
    ScenarioRun *run = data;
    ScenarioSample *sample = value;
    gpointer name, index = NULL;
    bool known = g_tree_lookup_extended(run->nodes, key, &name, &index);
    if (known && same(sample, &g_array_index(run->samples, ScenarioSample, GPOINTER_TO_UINT(index) - 1)))
        return FALSE;
    if (run->samples->len >= SCENARIO_SAMPLES_MAX)
        return TRUE;
    if (!known)
        name = g_strdup(key);
    sample->node = name;
    sample->time_ns = world_now(run->world);
    g_array_append_val(run->samples, *sample);
    if (known) /* the tree keeps the old name: samples point at it */
        g_tree_insert(run->nodes, g_strdup(key), GUINT_TO_POINTER(run->samples->len));
    else
        g_tree_insert(run->nodes, name, GUINT_TO_POINTER(run->samples->len));
    return FALSE;
}

void
scenario_sample(ScenarioRun *run)
{
    g_autoptr(GTree) now = oracle_tree_new(g_free);
    PMapIter nodes = pmap_seek(world_objects(run->world, "", "nodes"), NULL);
    while (pmap_next(&nodes))
        sample_of(now, nodes.key)->node_ready = node_is_ready(nodes.value);
    sample_of(now, "");
    PMapIter pods = pmap_seek(world_objects(run->world, "", "pods"), NULL);
    while (pmap_next(&pods))
        count_pod(now, pods.value);
    g_tree_foreach(now, keep, run);
}
