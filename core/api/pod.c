#include "core/api/pod.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/base/timestamp.h"
#include "core/port/clock.h"

static const Value *
spec_get(const Value *pod, const char *key)
{
    return value_get(value_get(pod, "spec"), key);
}

static const Value *
status_get(const Value *pod, const char *key)
{
    return value_get(value_get(pod, "status"), key);
}

static bool
text_is(const Value *value, const char *text)
{
    return strcmp(value_text(value), text) == 0;
}

const char *
pod_phase(const Value *pod)
{
    return value_text(status_get(pod, "phase"));
}

const char *
pod_node_name(const Value *pod)
{
    return value_text(spec_get(pod, "nodeName"));
}

const char *
pod_ip(const Value *pod)
{
    return value_text(status_get(pod, "podIP"));
}

bool
pod_is_ready(const Value *pod)
{
    return condition_is(status_get(pod, "conditions"), "Ready", "True");
}

/* podutil.IsPodAvailable */
bool
pod_is_available(const Value *pod, int64_t min_ready_seconds, int64_t now_ns)
{
    const Value *ready = condition_find(status_get(pod, "conditions"), "Ready");
    if (!text_is(value_get(ready, "status"), "True"))
        return false;
    if (min_ready_seconds <= 0)
        return true;
    int64_t since = 0;
    const char *text = value_string(value_get(ready, "lastTransitionTime"));
    return text != NULL && timestamp_parse(text, &since) &&
           since + min_ready_seconds * NS_PER_S <= now_ns;
}

bool
pod_is_terminal(const Value *pod)
{
    const char *phase = pod_phase(pod);
    return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}

bool
pod_is_active(const Value *pod)
{
    return !pod_is_terminal(pod) && !object_is_deleting(pod);
}

bool
pod_is_mirror(const Value *pod)
{
    return object_annotation(pod, "kubernetes.io/config.mirror") != NULL;
}

bool
pod_is_static(const Value *pod)
{
    const char *source = object_annotation(pod, "kubernetes.io/config.source");
    return pod_is_mirror(pod) || (source != NULL && strcmp(source, "api") != 0);
}

int64_t
pod_priority(const Value *pod)
{
    return value_int(spec_get(pod, "priority"));
}

int64_t
pod_restart_count(const Value *pod)
{
    int64_t count = 0;
    VALUE_ARRAY_FOREACH(status, status_get(pod, "containerStatuses"))
    {
        count += value_int(value_get(status, "restartCount"));
    }
    return count;
}

int64_t
pod_grace_period(const Value *pod)
{
    const Value *deletion = value_get(value_get(pod, "metadata"), "deletionGracePeriodSeconds");
    if (deletion != NULL)
        return value_int(deletion);
    const Value *seconds = spec_get(pod, "terminationGracePeriodSeconds");
    return seconds != NULL ? value_int(seconds) : 30;
}

/* ---- taints and tolerations (k8s.io/api core/v1 toleration.go) ------------------------------------- */

static bool
toleration_compares(const char *operator_, const char *wanted, const char *found)
{
    char *end_wanted, *end_found;
    int64_t limit = g_ascii_strtoll(wanted, &end_wanted, 10);
    int64_t actual = g_ascii_strtoll(found, &end_found, 10);
    if (*wanted == '\0' || *found == '\0' || *end_wanted != '\0' || *end_found != '\0')
        return false;
    return strcmp(operator_, "Lt") == 0 ? actual < limit : actual > limit;
}

bool
toleration_tolerates(const Value *toleration, const Value *taint)
{
    const char *effect = value_text(value_get(toleration, "effect"));
    if (*effect != '\0' && !text_is(value_get(taint, "effect"), effect))
        return false;
    const char *key = value_text(value_get(toleration, "key"));
    if (*key != '\0' && !text_is(value_get(taint, "key"), key))
        return false;
    const char *operator_ = value_text(value_get(toleration, "operator"));
    const char *wanted = value_text(value_get(toleration, "value"));
    if (strcmp(operator_, "Exists") == 0)
        return true;
    if (*operator_ == '\0' || strcmp(operator_, "Equal") == 0)
        return text_is(value_get(taint, "value"), wanted);
    if (strcmp(operator_, "Lt") == 0 || strcmp(operator_, "Gt") == 0)
        return toleration_compares(operator_, wanted, value_text(value_get(taint, "value")));
    return false;
}

static bool
effect_matters(const char *effect, const char *const *effects)
{
    static const char *const HARD[] = {"NoSchedule", "NoExecute", NULL};
    return g_strv_contains(effects != NULL ? effects : HARD, effect);
}

const Value *
taints_find_untolerated(const Value *taints, const Value *tolerations, const char *const *effects)
{
    VALUE_ARRAY_FOREACH(taint, taints)
    {
        if (!effect_matters(value_text(value_get(taint, "effect")), effects))
            continue;
        bool tolerated = false;
        VALUE_ARRAY_FOREACH(toleration, tolerations)
        {
            tolerated = tolerated || toleration_tolerates(toleration, taint);
        }
        if (!tolerated)
            return taint;
    }
    return NULL;
}

/* ---- node selectors (component-helpers scheduling/corev1/nodeaffinity) ------------------------------ */

static bool
values_contain(const Value *values, const char *text)
{
    VALUE_ARRAY_FOREACH(value, values)
    {
        if (text_is(value, text))
            return true;
    }
    return false;
}

static bool
number_matches(const char *operator_, const char *found, const Value *values)
{
    char *end_found, *end_wanted;
    const char *wanted = value_text(value_item(values, 0));
    int64_t actual = g_ascii_strtoll(found, &end_found, 10);
    int64_t limit = g_ascii_strtoll(wanted, &end_wanted, 10);
    if (*found == '\0' || *end_found != '\0' || *wanted == '\0' || *end_wanted != '\0')
        return false;
    return strcmp(operator_, "Gt") == 0 ? actual > limit : actual < limit;
}

/* `found` is NULL when the node has no such label. */
static bool
requirement_matches(const Value *requirement, const char *found)
{
    const char *operator_ = value_text(value_get(requirement, "operator"));
    const Value *values = value_get(requirement, "values");
    if (strcmp(operator_, "In") == 0)
        return found != NULL && values_contain(values, found);
    if (strcmp(operator_, "NotIn") == 0)
        return found == NULL || !values_contain(values, found);
    if (strcmp(operator_, "Exists") == 0)
        return found != NULL;
    if (strcmp(operator_, "DoesNotExist") == 0)
        return found == NULL;
    if (strcmp(operator_, "Gt") == 0 || strcmp(operator_, "Lt") == 0)
        return found != NULL && number_matches(operator_, found, values);
    return false;
}

bool
node_selector_term_matches(const Value *term, const Value *node)
{
    const Value *expressions = value_get(term, "matchExpressions");
    const Value *fields = value_get(term, "matchFields");
    if (value_size(expressions) == 0 && value_size(fields) == 0)
        return false; /* an empty term selects nothing */
    VALUE_ARRAY_FOREACH(requirement, expressions)
    {
        const char *key = value_text(value_get(requirement, "key"));
        if (!requirement_matches(requirement, object_label(node, key)))
            return false;
    }
    VALUE_ARRAY_FOREACH(requirement, fields)
    {
        bool by_name = text_is(value_get(requirement, "key"), "metadata.name");
        if (!by_name || !requirement_matches(requirement, object_name(node)))
            return false;
    }
    return true;
}

bool
node_selector_matches(const Value *node_selector, const Value *node)
{
    VALUE_ARRAY_FOREACH(term, value_get(node_selector, "nodeSelectorTerms"))
    {
        if (node_selector_term_matches(term, node))
            return true;
    }
    return false;
}

bool
pod_matches_node_affinity(const Value *pod, const Value *node)
{
    VALUE_MAP_FOREACH(key, wanted, spec_get(pod, "nodeSelector"))
    {
        const char *found = object_label(node, key);
        if (found == NULL || strcmp(found, value_text(wanted)) != 0)
            return false;
    }
    const Value *affinity = value_get(spec_get(pod, "affinity"), "nodeAffinity");
    const Value *required = value_get(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    return required == NULL || node_selector_matches(required, node);
}

/* ---- host ports ---------------------------------------------------------------------------------------- */

static void
container_each_host_port(const Value *container,
                         void (*func)(const char *, const char *, int64_t, void *), void *data)
{
    VALUE_ARRAY_FOREACH(port, value_get(container, "ports"))
    {
        int64_t number = value_int(value_get(port, "hostPort"));
        if (number <= 0)
            continue;
        const char *protocol = value_string(value_get(port, "protocol"));
        const char *ip = value_text(value_get(port, "hostIP"));
        func(protocol != NULL ? protocol : "TCP", *ip != '\0' ? ip : "0.0.0.0", number, data);
    }
}

void
pod_each_host_port(const Value *pod, void (*func)(const char *, const char *, int64_t, void *),
                   void *data)
{
    VALUE_ARRAY_FOREACH(container, spec_get(pod, "containers"))
    {
        container_each_host_port(container, func, data);
    }
    VALUE_ARRAY_FOREACH(container, spec_get(pod, "initContainers"))
    {
        if (text_is(value_get(container, "restartPolicy"), "Always"))
            container_each_host_port(container, func, data);
    }
}
