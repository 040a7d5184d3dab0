/* How many volumes of a CSI driver a node can attach, as its CSINode says. A volume that several
 * pods of the node share counts once. */
#include "core/scheduler/plugins/plugins.h"

#include "core/api/meta.h"

#include <string.h>

typedef struct Attached {
    const char *driver;
    char *handle; /* of the volume; of one that is still to be made, its claim */
} Attached;

static void
attached_clear(void *data)
{
    g_free(((Attached *)data)->handle);
}

/* Whose volume it is, and which; false when it is none of a CSI driver's. */
static bool
claim_attachment(const ClusterCache *cache, Symbol claim_symbol, Attached *ret_attached)
{
    const char *key = symbols_text(cache->symbols, claim_symbol);
    const Value *claim = cluster_cache_get(cache, TABLE_CLAIMS, key);
    const char *name = value_text_at(claim, "spec.volumeName");
    if (*name != '\0') {
        const Value *csi = value_at(cluster_cache_get(cache, TABLE_VOLUMES, name), "spec.csi");
        if (csi == NULL)
            return false;
        ret_attached->driver = value_text_at(csi, "driver");
        ret_attached->handle = g_strdup(value_text_at(csi, "volumeHandle"));
        return true;
    }
    const Value *storage_class = cluster_cache_get(cache, TABLE_STORAGE_CLASSES,
                                                   value_text_at(claim, "spec.storageClassName"));
    if (storage_class == NULL)
        return false;
    ret_attached->driver = value_text_at(storage_class, "provisioner");
    ret_attached->handle = g_strdup(key);
    return true;
}

static bool
attached_has(const GArray *list, const Attached *wanted)
{
    for (guint i = 0; i < list->len; i++) {
        const Attached *item = &g_array_index(list, Attached, i);
        if (strcmp(item->driver, wanted->driver) == 0 && strcmp(item->handle, wanted->handle) == 0)
            return true;
    }
    return false;
}

static void
add_claims(const ClusterCache *cache, const PodClass *class_, GArray *list)
{
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        Attached attached = {0};
        if (!claim_attachment(cache, class_->claims[i], &attached))
            continue;
        if (attached_has(list, &attached))
            g_free(attached.handle);
        else
            g_array_append_val(list, attached);
    }
}

static int64_t
count_driver(const GArray *list, const char *driver)
{
    int64_t n = 0;
    for (guint i = 0; i < list->len; i++)
        n += strcmp(g_array_index(list, Attached, i).driver, driver) == 0;
    return n;
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    if (cycle->class_->n_claims == 0)
        ret_status->code = STATUS_SKIP;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    const ClusterCache *cache = cycle->cache;
    const Value *drivers =
        value_at(cluster_cache_get(cache, TABLE_CSI_NODES, node->name), "spec.drivers");
    if (value_size(drivers) == 0)
        return;
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Attached));
    g_array_set_clear_func(list, attached_clear);
    for (uint32_t i = 0; i < node->n_pods; i++)
        add_claims(cache, node->pods[i]->class_, list);
    guint before = list->len;
    add_claims(cache, cycle->class_, list);
    VALUE_ARRAY_FOREACH (driver, drivers) {
        const Value *limit = value_at(driver, "allocatable.count");
        const char *name = value_text_at(driver, "name");
        bool adds = false;
        for (guint i = before; i < list->len; i++)
            adds |= strcmp(g_array_index(list, Attached, i).driver, name) == 0;
        if (adds && limit != NULL && count_driver(list, name) > value_int(limit)) {
            status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_VOLUME_COUNT);
            return;
        }
    }
}

/* A pod that goes helps when it had volumes. */
static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    return event->pod == NULL || event->pod->class_->n_claims > 0;
}

const Plugin NODE_VOLUME_LIMITS = {
    .name = "NodeVolumeLimits",
    .events = EVENT_CSI_NODE | EVENT_NODE_ADD | EVENT_POD_DELETE | EVENT_CLAIM | EVENT_VOLUME |
              EVENT_STORAGE_CLASS,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
};
