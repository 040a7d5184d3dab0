#include "core/controllers/node/taints.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/controllers/common/util.h"

typedef struct ConditionTaint {
    const char *condition, *status, *taint;
} ConditionTaint;

static const ConditionTaint condition_taints[] = {
    {"Ready", "False", TAINT_NOT_READY},
    {"Ready", "Unknown", TAINT_UNREACHABLE},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
};

#define TAINT_UNSCHEDULABLE "node.kubernetes.io/unschedulable"

bool
taints_have(const Value *taints, const char *key, const char *effect)
{
    VALUE_ARRAY_FOREACH (taint, taints)
        if (strcmp(value_text(value_get(taint, "key")), key) == 0 &&
            strcmp(value_text(value_get(taint, "effect")), effect) == 0)
            return true;
    return false;
}

static void
taint_set(Value **taints, const char *key, const char *effect, bool wanted, int64_t now)
{
    if (taints_have(*taints, key, effect) == wanted)
        return;
    if (wanted) {
        Value *time = time_value(now);
        Value *added = value_append(
            *taints, value_new_f("{key: %s, effect: %s, timeAdded: %V}", key, effect, time));
        value_replace(taints, added);
        return;
    }
    for (size_t i = value_size(*taints); i > 0; i--) {
        const Value *taint = value_item(*taints, i - 1);
        if (strcmp(value_text(value_get(taint, "key")), key) == 0 &&
            strcmp(value_text(value_get(taint, "effect")), effect) == 0)
            value_replace(taints, value_remove_item(*taints, i - 1));
    }
}

Value *
node_taints_wanted(const Value *node, NoExecute no_execute, int64_t now)
{
    const Value *old = value_at(node, "spec.taints"),
                *conditions = value_at(node, "status.conditions");
    Value *taints = old != NULL ? value_ref(old) : value_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(condition_taints); i++) {
        const ConditionTaint *entry = &condition_taints[i];
        taint_set(&taints, entry->taint, "NoSchedule",
                  condition_is(conditions, entry->condition, entry->status), now);
    }
    taint_set(&taints, TAINT_UNSCHEDULABLE, "NoSchedule", node_is_unschedulable(node), now);
    bool tainted = taints_have(old, TAINT_NOT_READY, "NoExecute") ||
                   taints_have(old, TAINT_UNREACHABLE, "NoExecute");
    const char *ready = node_ready_status(node);
    bool wanted = no_execute == NO_EXECUTE_ADD || (no_execute == NO_EXECUTE_KEEP && tainted);
    if (strcmp(ready, "True") == 0 && no_execute != NO_EXECUTE_KEEP)
        wanted = false;
    if (wanted && strcmp(ready, "True") == 0) /* not yet looked at by the monitor */
        return taints;
    taint_set(&taints, TAINT_NOT_READY, "NoExecute", wanted && strcmp(ready, "False") == 0, now);
    taint_set(&taints, TAINT_UNREACHABLE, "NoExecute", wanted && strcmp(ready, "False") != 0, now);
    return taints;
}
