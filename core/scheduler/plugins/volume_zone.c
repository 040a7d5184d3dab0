/* A volume that bears a zone or region as a label (cloud disks) is reached from nodes with the same
 * label only. A label's value may name several zones, joined by "__". */
#include "core/scheduler/plugins/plugins.h"
#include "core/scheduler/volumes.h"

#include "core/api/meta.h"

#include <string.h>

static const char *const KEYS[] = {"topology.kubernetes.io/zone", "topology.kubernetes.io/region",
                                   "failure-domain.beta.kubernetes.io/zone",
                                   "failure-domain.beta.kubernetes.io/region"};

static const Value *
claimed_volume(const Cycle *cycle, uint32_t index)
{
    const ClusterCache *cache = cycle->cache;
    const Value *claim = cluster_cache_get(
        cache, TABLE_CLAIMS, symbols_text(cache->symbols, cycle->class_->claims[index]));
    return cluster_cache_get(cache, TABLE_VOLUMES, value_text_at(claim, "spec.volumeName"));
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    ret_status->code = STATUS_SKIP;
    for (uint32_t i = 0; i < cycle->class_->n_claims; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(KEYS); k++)
            if (object_label(claimed_volume(cycle, i), KEYS[k]) != NULL)
                ret_status->code = STATUS_SUCCESS;
}

static bool
zones_have(const char *zones, const char *zone)
{
    g_auto(GStrv) parts = g_strsplit(zones, "__", -1);
    return zone != NULL && g_strv_contains((const char *const *)parts, zone);
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    for (uint32_t i = 0; i < cycle->class_->n_claims; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(KEYS); k++) {
            const char *zones = object_label(claimed_volume(cycle, i), KEYS[k]);
            if (zones != NULL && !zones_have(zones, object_label(node->node, KEYS[k]))) {
                status_add(ret_status, STATUS_UNRESOLVABLE, REASON_VOLUME_ZONE);
                return;
            }
        }
}

const Plugin VOLUME_ZONE = {
    .name = "VolumeZone",
    .events = EVENT_NODE_ADD | EVENT_NODE_LABEL | EVENT_CLAIM | EVENT_VOLUME | EVENT_STORAGE_CLASS,
    .pre_filter = pre_filter,
    .filter = filter,
};
