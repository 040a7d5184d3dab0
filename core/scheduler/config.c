/* KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1). Read are: podInitialBackoffSeconds,
 * podMaxBackoffSeconds, percentageOfNodesToScore (also a profile's), and of each profile:
 * schedulerName; plugins.{multiPoint,score,filter} with enabled {name, weight} and disabled {name,
 * "*"}; pluginConfig args of NodeResourcesFit (scoringStrategy of type LeastAllocated or
 * MostAllocated and the weights of cpu and memory), InterPodAffinity (hardPodAffinityWeight),
 * PodTopologySpread (defaultingType: List turns the system's defaults off) and DefaultPreemption
 * (minCandidateNodes*). */
#include "core/scheduler/scheduler_private.h"

#include <string.h>

static void
set_plugins(Profile *profile, const Value *point, bool score_only)
{
    VALUE_ARRAY_FOREACH (item, value_get(point, "disabled")) {
        const char *name = value_text_at(item, "name");
        for (int i = 0; i < PLUGIN_COUNT; i++) {
            if (strcmp(name, "*") != 0 && strcmp(name, SCHEDULER_PLUGINS[i]->name) != 0)
                continue;
            profile->weights[i] = 0;
            profile->enabled[i] &= score_only;
        }
    }
    VALUE_ARRAY_FOREACH (item, value_get(point, "enabled")) {
        int index = plugin_index_by_name(value_text_at(item, "name"));
        if (index < 0)
            continue;
        int64_t weight = value_int_at(item, "weight");
        profile->enabled[index] = true;
        profile->weights[index] =
            weight > 0 && weight <= 100 ? (int32_t)weight : SCHEDULER_PLUGINS[index]->weight;
    }
}

static void
set_filters(Profile *profile, const Value *point)
{
    VALUE_ARRAY_FOREACH (item, value_get(point, "disabled"))
        for (int i = 0; i < PLUGIN_COUNT; i++)
            if (strcmp(value_text_at(item, "name"), "*") == 0 ||
                strcmp(value_text_at(item, "name"), SCHEDULER_PLUGINS[i]->name) == 0)
                profile->filters[i] = false;
    VALUE_ARRAY_FOREACH (item, value_get(point, "enabled")) {
        int index = plugin_index_by_name(value_text_at(item, "name"));
        if (index >= 0)
            profile->enabled[index] = profile->filters[index] = true;
    }
}

static void
set_fit_args(Profile *profile, const Value *args)
{
    profile->most_allocated =
        strcmp(value_text_at(args, "scoringStrategy.type"), "MostAllocated") == 0;
    const Value *resources = value_at(args, "scoringStrategy.resources");
    if (value_size(resources) == 0)
        return;
    profile->cpu_weight = profile->memory_weight = 0;
    VALUE_ARRAY_FOREACH (resource, resources) {
        int32_t weight = (int32_t)CLAMP(value_int_at_or(resource, "weight", 1), 1, 100);
        if (strcmp(value_text_at(resource, "name"), "cpu") == 0)
            profile->cpu_weight = weight;
        else if (strcmp(value_text_at(resource, "name"), "memory") == 0)
            profile->memory_weight = weight;
    }
}

static void
set_args(Profile *profile, const Value *plugin_config)
{
    VALUE_ARRAY_FOREACH (item, plugin_config) {
        const char *name = value_text_at(item, "name");
        const Value *args = value_get(item, "args");
        if (strcmp(name, "NodeResourcesFit") == 0)
            set_fit_args(profile, args);
        else if (strcmp(name, "InterPodAffinity") == 0)
            profile->hard_pod_affinity_weight =
                (int32_t)CLAMP(value_int_at_or(args, "hardPodAffinityWeight", 1), 0, 100);
        else if (strcmp(name, "PodTopologySpread") == 0)
            profile->default_spreading = strcmp(value_text_at(args, "defaultingType"), "List") != 0;
        else if (strcmp(name, "DefaultPreemption") == 0) {
            profile->min_candidates_percentage =
                (int32_t)CLAMP(value_int_at_or(args, "minCandidateNodesPercentage", 10), 0, 100);
            profile->min_candidates_absolute =
                (int32_t)CLAMP(value_int_at_or(args, "minCandidateNodesAbsolute", 100), 0, 1000000);
        }
    }
}

static Profile *
profile_read(const Value *config, const Value *value)
{
    const char *name = value_text_at(value, "schedulerName");
    Profile *profile = profile_new(*name != '\0' ? name : "default-scheduler");
    int64_t percentage = value_int_at(config, "percentageOfNodesToScore");
    profile->percentage_of_nodes_to_score =
        (int32_t)CLAMP(value_int_at_or(value, "percentageOfNodesToScore", percentage), 0, 100);
    set_plugins(profile, value_at(value, "plugins.multiPoint"), false);
    set_plugins(profile, value_at(value, "plugins.score"), true);
    set_filters(profile, value_at(value, "plugins.filter"));
    set_args(profile, value_get(value, "pluginConfig"));
    return profile;
}

void
scheduler_configure(Scheduler *scheduler, const Value *config)
{
    scheduler->queue_options.initial_backoff_ns =
        value_int_at(config, "podInitialBackoffSeconds") * NS_PER_S;
    scheduler->queue_options.max_backoff_ns =
        value_int_at(config, "podMaxBackoffSeconds") * NS_PER_S;
    VALUE_ARRAY_FOREACH (value, value_get(config, "profiles"))
        if (scheduler->n_profiles < SCHEDULER_PROFILES_MAX)
            scheduler->profiles[scheduler->n_profiles++] = profile_read(config, value);
    if (scheduler->n_profiles == 0)
        scheduler->profiles[scheduler->n_profiles++] = profile_read(config, NULL);
}
