/* Prefers nodes that have the pod's images already; an image on few nodes counts for less, so that
 * its first node is not heated. */
#include "core/scheduler/plugins/plugins.h"

#define MIB ((int64_t)1024 * 1024)
#define THRESHOLD_MIN (23 * MIB)
#define THRESHOLD_MAX_PER_CONTAINER (1000 * MIB)

static int64_t
image_size(const NodeInfo *node, Symbol name)
{
    uint32_t low = 0, high = node->n_images;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->images[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low < node->n_images && node->images[low].name == name ? node->images[low].size : 0;
}

/* Nothing to do when no node has any of the images: every score is 0. */
static bool
pre_score(Cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->class_->n_images; i++)
        if (cluster_cache_image_nodes(cycle->cache, cycle->class_->images[i]) > 0)
            return true;
    return false;
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    const PodClass *class_ = cycle->class_;
    int64_t sum = 0;
    for (uint32_t i = 0; i < class_->n_images; i++) {
        int64_t size = image_size(node, class_->images[i]);
        if (size == 0)
            continue;
        double spread = (double)cluster_cache_image_nodes(cycle->cache, class_->images[i]) /
                        (double)cluster_cache_order(cycle->cache)->len;
        sum += (int64_t)((double)size * spread);
    }
    int64_t maximum = THRESHOLD_MAX_PER_CONTAINER * class_->n_containers;
    sum = CLAMP(sum, THRESHOLD_MIN, maximum);
    return NODE_SCORE_MAX * (sum - THRESHOLD_MIN) / (maximum - THRESHOLD_MIN);
}

const Plugin IMAGE_LOCALITY = {
    .name = "ImageLocality", .weight = 1, .pre_score = pre_score, .score = score};
