#include "core/api/node.h"

#include <string.h>

#include "core/api/meta.h"

const char *
node_ready_status(const Value *node)
{
    const Value *conditions = value_get(value_get(node, "status"), "conditions");
    return value_text(value_get(condition_find(conditions, "Ready"), "status"));
}

bool
node_is_ready(const Value *node)
{
    return strcmp(node_ready_status(node), "True") == 0;
}

bool
node_is_unschedulable(const Value *node)
{
    return value_bool(value_get(value_get(node, "spec"), "unschedulable"));
}

const char *
node_internal_ip(const Value *node)
{
    VALUE_ARRAY_FOREACH(address, value_get(value_get(node, "status"), "addresses"))
    {
        if (strcmp(value_text(value_get(address, "type")), "InternalIP") == 0)
            return value_text(value_get(address, "address"));
    }
    return "";
}

bool
node_is_control_plane(const Value *node)
{
    return value_has(object_labels(node), "node-role.kubernetes.io/control-plane");
}
