/* Small things that many controllers need. */
#pragma once

#include "core/object/value.h"

typedef enum { ROUND_DOWN, ROUND_UP } Rounding;
/* An IntOrString ("25%" or 3) scaled to total (intstr.GetScaledValueFromIntOrPercent); `otherwise`
 * when absent or malformed. */
int64_t int_or_percent(const Value *value, int64_t total, Rounding rounding, int64_t otherwise);

/* A metav1.LabelSelector, or a plain map of labels as Services and ReplicationControllers have,
 * against labels. An absent selector matches nothing, an empty one everything. */
bool label_selector_matches(const Value *label_selector, const Value *labels);
bool label_selector_is_empty(const Value *label_selector); /* also for an absent one */
/* Does `labels` have every entry of the plain map? */
bool labels_contain(const Value *labels, const Value *wanted);

/* RFC 3339 with seconds, and back (0 when absent or malformed). */
Value *time_value(int64_t ns);
int64_t time_of(const Value *value);
int64_t time_at(const Value *value, const char *path);

/* As DeploymentUtil.SetDeploymentCondition and its many twins: nothing changes while status and
 * reason are the same; else the condition moves to the end, keeping lastTransitionTime when the
 * status is the same. */
Value *conditions_put(const Value *conditions, Value *take);
/* Without that type; another reference to `conditions` when it is not there (an empty array for
 * NULL). */
Value *conditions_remove(const Value *conditions, const char *type);
/* {type, status, reason, message, lastTransitionTime: now}; reason and message are left out when
 * NULL. */
Value *condition_new(const char *type, const char *status, const char *reason, const char *message,
                     int64_t now);

/* Equal, with an absent or empty map or array equal to none (apiequality.Semantic). */
bool values_equal_semantically(const Value *a, const Value *b);

/* Sorts a GPtrArray of borrowed objects by creation time, then name. */
void objects_sort_by_age(GPtrArray *objects);
int object_compare_age(const Value *a, const Value *b);

/* A copy of an index's answer, which a sync may keep while events arrive: references. Free with
 * g_ptr_array_unref. */
GPtrArray *objects_new(void);
void objects_add(GPtrArray *objects, const Value *object);
GPtrArray *objects_copy(const GPtrArray *objects);
static inline const Value *
objects_item(const GPtrArray *objects, guint index)
{
    return g_ptr_array_index(objects, index);
}

/* Text of the error in an answer: the Status' message. */
struct ApiResponse;
const char *response_error(const struct ApiResponse *response);
bool response_is(const struct ApiResponse *response, const char *reason);
/* Was the creation refused since the namespace is going away? */
bool response_is_namespace_terminating(const struct ApiResponse *response);

/* "apps/v1" -> "apps"; "v1" -> "". Caller frees. */
char *api_version_group(const char *api_version);
