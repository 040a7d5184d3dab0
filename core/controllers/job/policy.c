/* podFailurePolicy, successPolicy and back-off (pkg/controller/job pod_failure_policy.go,
 * success_policy.go, backoff_utils.go). */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/job/view.h"

static bool
exit_code_matches(const Value *requirement, int64_t code)
{
    bool found = false;
    VALUE_ARRAY_FOREACH (value, value_get(requirement, "values"))
        found |= value_int(value) == code;
    return strcmp(value_text(value_get(requirement, "operator")), "In") == 0 ? found : !found;
}

/* The container whose exit code the rule names; NULL when none. */
static const Value *
find_exit(const Value *requirement, const Value *statuses)
{
    const char *only = value_string(value_get(requirement, "containerName"));
    VALUE_ARRAY_FOREACH (status, statuses) {
        const Value *code = value_at(status, "state.terminated.exitCode");
        if (code == NULL || value_int(code) == 0 ||
            (only != NULL && strcmp(only, value_text(value_get(status, "name"))) != 0))
            continue;
        if (exit_code_matches(requirement, value_int(code)))
            return status;
    }
    return NULL;
}

static const Value *
find_condition(const Value *patterns, const Value *pod)
{
    VALUE_ARRAY_FOREACH (pattern, patterns) {
        const Value *condition = condition_find(value_at(pod, "status.conditions"),
                                                value_text(value_get(pattern, "type")));
        const char *wanted = value_text(value_get(pattern, "status"));
        if (condition != NULL && strcmp(value_text(value_get(condition, "status")),
                                        *wanted != '\0' ? wanted : "True") == 0)
            return condition;
    }
    return NULL;
}

static char *
rule_match(const Value *rule, size_t index, const Value *pod)
{
    const char *action = value_text(value_get(rule, "action"));
    const Value *codes = value_get(rule, "onExitCodes");
    if (codes != NULL) {
        const Value *status = find_exit(codes, value_at(pod, "status.containerStatuses"));
        if (status == NULL)
            status = find_exit(codes, value_at(pod, "status.initContainerStatuses"));
        if (status == NULL)
            return NULL;
        return g_strdup_printf("Container %s for pod %s/%s failed with exit code %" G_GINT64_FORMAT
                               " matching %s rule at index %zu",
                               value_text(value_get(status, "name")), object_namespace(pod),
                               object_name(pod), value_int_at(status, "state.terminated.exitCode"),
                               action, index);
    }
    const Value *condition = find_condition(value_get(rule, "onPodConditions"), pod);
    if (condition == NULL)
        return NULL;
    return g_strdup_printf("Pod %s/%s has condition %s matching %s rule at index %zu",
                           object_namespace(pod), object_name(pod),
                           value_text(value_get(condition, "type")), action, index);
}

PodFailureAction
pod_failure_action(const Value *policy, const Value *pod, char **ret_message)
{
    const Value *rules = value_get(policy, "rules");
    for (size_t i = 0; i < value_size(rules); i++) {
        const Value *rule = value_item(rules, i);
        g_autofree char *message = rule_match(rule, i, pod);
        if (message == NULL)
            continue;
        const char *action = value_text(value_get(rule, "action"));
        if (strcmp(action, "Ignore") == 0)
            return POD_FAILURE_IGNORE;
        if (strcmp(action, "FailIndex") == 0)
            return POD_FAILURE_FAIL_INDEX;
        if (strcmp(action, "FailJob") != 0)
            return POD_FAILURE_COUNT;
        if (ret_message != NULL)
            *ret_message = g_steal_pointer(&message);
        return POD_FAILURE_FAIL_JOB;
    }
    return POD_FAILURE_COUNT;
}

char *
success_policy_match(const Value *policy, const IndexSet *succeeded)
{
    const Value *rules = value_get(policy, "rules");
    for (size_t i = 0; i < value_size(rules); i++) {
        const Value *rule = value_item(rules, i);
        const char *wanted = value_string(value_get(rule, "succeededIndexes"));
        const Value *count = value_get(rule, "succeededCount");
        int64_t matched = succeeded->members->len, needed = value_int(count);
        if (wanted != NULL) {
            IndexSet set;
            index_set_init(&set);
            index_set_parse(&set, wanted, INT64_MAX);
            matched = 0;
            for (guint j = 0; j < set.members->len; j++)
                matched += index_set_has(succeeded, g_array_index(set.members, int64_t, j));
            if (count == NULL)
                needed = set.members->len;
            index_set_clear(&set);
        }
        if (matched >= needed)
            return g_strdup_printf("Matched rules at index %zu", i);
    }
    return NULL;
}

int64_t
job_backoff_left(int64_t failures, int64_t last_failure_ns, int64_t now)
{
    if (failures == 0)
        return 0;
    int64_t delay = JOB_BACKOFF_NS;
    for (int64_t i = 1; i < failures && delay < JOB_BACKOFF_MAX_NS; i++)
        delay *= 2;
    return MAX(last_failure_ns + MIN(delay, JOB_BACKOFF_MAX_NS) - now, 0);
}

int64_t
pod_finish_time(const Value *pod, int64_t now)
{
    int64_t latest = 0;
    VALUE_ARRAY_FOREACH (status, value_at(pod, "status.containerStatuses"))
        latest = MAX(latest, time_at(status, "state.terminated.finishedAt"));
    if (latest == 0)
        latest = time_at(pod, "metadata.deletionTimestamp");
    return latest != 0 ? MIN(latest, now) : now;
}
