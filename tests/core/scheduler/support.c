#include "tests/core/scheduler/support.h"

#include "core/api/meta.h"

#include <string.h>

Value *
test_node(const char *name)
{
    return value_new_f("{apiVersion: v1, kind: Node, metadata: {name: %s, uid: %s, labels: "
                       "{'kubernetes.io/hostname': %s, "
                       "'topology.kubernetes.io/zone': z, 'kubernetes.io/os': linux}}, spec: {}, "
                       "status: {allocatable: {cpu: '4', memory: 16Gi, pods: '110'}}}",
                       name, name, name);
}

Value *
test_pod(const char *name, const char *app, const char *cpu, const char *memory)
{
    return value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: default, uid: "
                       "%s, labels: {app: %s}}, "
                       "spec: {containers: [{name: c, image: 'app:1', resources: {requests: {cpu: "
                       "?%s, memory: ?%s}}}]}, "
                       "status: {phase: Pending}}",
                       name, name, app, cpu, memory);
}

Value *
with(Value *take, const char *path, const char *template_)
{
    value_edit(&take, path, value_new_f(template_));
    return take;
}

void
put_node(ClusterCache *cache, Value *take)
{
    cluster_cache_set_node(cache, take);
    value_unref(take);
}

ClusterCache *
test_cache(int n_nodes)
{
    ClusterCache *cache = cluster_cache_new();
    for (int i = 0; i < n_nodes; i++) {
        g_autofree char *name = g_strdup_printf("n%d", i);
        Value *node = test_node(name);
        value_edit(&node, "metadata.labels['topology.kubernetes.io/zone']",
                   value_new_stringf("z%d", i % 3));
        put_node(cache, node);
    }
    return cache;
}

PodInfo *
put_pod(ClusterCache *cache, Value *take)
{
    g_autofree char *key = object_key(take);
    PodInfo *pod = cluster_cache_set_pod(cache, key, take);
    value_unref(take);
    return pod;
}

PodInfo *
put_pod_on(ClusterCache *cache, Value *take, const char *node)
{
    value_edit(&take, "spec.nodeName", value_new_string(node));
    return put_pod(cache, take);
}

static char *
status_text(const ClusterCache *cache, const Status *status)
{
    GString *text = g_string_new(status->code == STATUS_UNRESOLVABLE ? "!" : "");
    for (int i = 0; i < status->n_reasons; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "",
                               symbols_text(cache->symbols, status->reasons[i]));
    return g_string_free(text, FALSE);
}

char *
filter_text(ClusterCache *cache, Value *take_pod, const char *node)
{
    Cycle cycle;
    Status status = {0};
    Profile *profile = profile_new("default-scheduler");
    PodInfo *pod = put_pod(cache, take_pod);
    cycle_init(&cycle, cache, profile, pod);
    if (cycle_pre_filter(&cycle, &status))
        cycle_filter(&cycle, cluster_cache_find_node(cache, node), &status);
    char *text = status_text(cache, &status);
    cycle_clear(&cycle);
    profile_free(profile);
    cluster_cache_remove_pod(cache, pod);
    return text;
}

char *
failure_text(ClusterCache *cache, Value *take_pod)
{
    Cycle cycle;
    ScheduleResult result;
    Profile *profile = profile_new("default-scheduler");
    PodInfo *pod = put_pod(cache, take_pod);
    cycle_init(&cycle, cache, profile, pod);
    schedule_pod(&cycle, NULL, NULL, &result);
    char *text = result.feasible == 0 ? schedule_failure_message(cache, &result) : g_strdup("");
    schedule_result_clear(&result);
    cycle_clear(&cycle);
    profile_free(profile);
    cluster_cache_remove_pod(cache, pod);
    return text;
}

int64_t
score_of(ClusterCache *cache, const Value *object, const char *plugin, const char *node, bool raw)
{
    Cycle cycle;
    int index = plugin_index_by_name(plugin);
    Profile *profile = profile_new("default-scheduler");
    PodInfo *pod = put_pod(cache, value_ref(object));
    const GPtrArray *order = cluster_cache_order(cache);
    uint32_t n = order->len;
    g_autofree int64_t *raws = g_new0(int64_t, (size_t)n * PLUGIN_COUNT);
    g_autofree int64_t *normalised = g_new0(int64_t, (size_t)n * PLUGIN_COUNT);
    g_autofree int64_t *totals = g_new0(int64_t, n);
    Status status = {0};
    cycle_init(&cycle, cache, profile, pod);
    cycle_pre_filter(&cycle, &status);
    cycle_score(&cycle, (NodeInfo *const *)order->pdata, n, raws, normalised, totals);
    int64_t score = -1;
    for (uint32_t i = 0; i < n && !(cycle.skip_score & (1u << index)); i++)
        if (strcmp(((NodeInfo *)order->pdata[i])->name, node) == 0)
            score = (raw ? raws : normalised)[(size_t)index * n + i];
    cycle_clear(&cycle);
    profile_free(profile);
    cluster_cache_remove_pod(cache, pod);
    return score;
}
