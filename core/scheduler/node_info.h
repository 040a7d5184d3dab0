/* A node's own data, as cache.c keeps it. */
#pragma once

#include "core/scheduler/cache.h"

/* Takes over the node object's new version (NULL: it is gone): allocatable, images, labels. */
void node_info_read(ClusterCache *cache, NodeInfo *node, const Value *object);
void node_info_free(NodeInfo *node);
