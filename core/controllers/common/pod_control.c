#include "core/controllers/common/pod_control.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"

#define POD_NAME_MAX 253

Value *
pod_from_template(const Value *template_, const Value *owner, const char *api_version,
                  const char *kind)
{
    const char *dash = strlen(object_name(owner)) + 1 <= POD_NAME_MAX ? "-" : "";
    Value *prefix = value_new_stringf("%s%s", object_name(owner), dash);
    Value *reference = owner_reference_new(owner, api_version, kind);
    const Value *metadata = value_get(template_, "metadata");
    return value_new_f("{apiVersion: v1, kind: Pod, metadata: {generateName: %V, namespace: ?%s, "
                       "labels: ?%v, annotations: ?%v, "
                       "finalizers: ?%v, ownerReferences: [%V]}, spec: %v}",
                       prefix, object_namespace(owner), value_get(metadata, "labels"),
                       value_get(metadata, "annotations"), value_get(metadata, "finalizers"),
                       reference, value_get(template_, "spec"));
}

char *
pod_created(Controller *controller, const Value *owner, const char *kind,
            const ApiResponse *response)
{
    if (api_response_ok(response)) {
        event_record(controller->recorder, owner, "Normal", "SuccessfulCreate", "Created pod: %s",
                     object_name(response->object));
        return NULL;
    }
    if (response_is_namespace_terminating(response))
        return NULL;
    event_record(controller->recorder, owner, "Warning", "FailedCreate", "Error creating: %s",
                 response_error(response));
    return g_strdup(response_error(response));
}

char *
pod_deleted(Controller *controller, const Value *owner, const char *kind, const char *pod,
            const ApiResponse *response)
{
    if (api_response_ok(response)) {
        event_record(controller->recorder, owner, "Normal", "SuccessfulDelete", "Deleted pod: %s",
                     pod);
        return NULL;
    }
    if (response_is(response, "NotFound"))
        return NULL;
    event_record(controller->recorder, owner, "Warning", "FailedDelete", "Error deleting: %s",
                 response_error(response));
    return g_strdup_printf("unable to delete pods: %s", response_error(response));
}

typedef struct Deletion {
    Controller *controller;
    Value *owner;
    const char *kind;
    char *pod;
} Deletion;

static void
deletion_free(gpointer data)
{
    Deletion *deletion = data;
    value_unref(deletion->owner);
    g_free(deletion->pod);
    g_free(deletion);
}

static char *
on_deleted(const ApiResponse *response, void *data)
{
    const Deletion *deletion = data;
    return pod_deleted(deletion->controller, deletion->owner, deletion->kind, deletion->pod,
                       response);
}

void
pod_delete(Controller *controller, Sync *sync, const Value *owner, const char *kind,
           const Value *pod)
{
    Deletion *deletion = g_new(Deletion, 1);
    *deletion = (Deletion){controller, value_ref(owner), kind, g_strdup(object_name(pod))};
    client_delete(controller->client, "", "pods", object_namespace(pod), object_name(pod), NULL,
                  sync_call, sync_begin_checked(sync, on_deleted, deletion, deletion_free));
}

/* ---- who goes first
 * ---------------------------------------------------------------------------------- */

typedef struct Candidate {
    Value *pod;
    bool assigned, ready;
    int phase;
    int64_t cost, rank, ready_age, restarts,
        age; /* ages as powers of two of seconds; -1: no time, the youngest */
} Candidate;

static int
phase_ordinal(const Value *pod)
{
    const char *phase = pod_phase(pod);
    return strcmp(phase, "Pending") == 0   ? 0
           : strcmp(phase, "Unknown") == 0 ? 1
           : strcmp(phase, "Running") == 0 ? 2
                                           : 0;
}

/* LogarithmicScaleDown compares ages by their power of two, so that the choice among pods of about
 * the same age is free; the real one then takes the lower uid, which makes it a chance; so do we
 * (uids come from the seed). */
static int64_t
logarithmic_age(int64_t time, int64_t now)
{
    if (time == 0)
        return -1;
    int64_t seconds = (now - time) / 1000000000, power = 0;
    for (; seconds > 1; seconds /= 2)
        power++;
    return power;
}

static int64_t
restarts_max(const Value *pod)
{
    int64_t most = 0;
    VALUE_ARRAY_FOREACH (status, value_at(pod, "status.containerStatuses"))
        most = MAX(most, value_int(value_get(status, "restartCount")));
    return most;
}

static int
compare_candidates(gconstpointer first, gconstpointer second)
{
    const Candidate *a = first, *b = second;
    if (a->assigned != b->assigned)
        return a->assigned ? 1 : -1;
    if (a->phase != b->phase)
        return a->phase < b->phase ? -1 : 1;
    if (a->ready != b->ready)
        return a->ready ? 1 : -1;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank > b->rank ? -1 : 1;
    if (a->ready && a->ready_age != b->ready_age)
        return a->ready_age < b->ready_age ? -1 : 1;
    if (a->restarts != b->restarts)
        return a->restarts > b->restarts ? -1 : 1;
    if (a->age != b->age)
        return a->age < b->age ? -1 : 1;
    return strcmp(object_uid(a->pod), object_uid(b->pod));
}

void
pods_sort_for_deletion(GPtrArray *pods, PodRank rank, void *data, int64_t now)
{
    g_autoptr(GArray) candidates = g_array_new(FALSE, TRUE, sizeof(Candidate));
    for (guint i = 0; i < pods->len; i++) {
        Value *pod = g_ptr_array_index(pods, i);
        const char *cost = object_annotation(pod, "controller.kubernetes.io/pod-deletion-cost");
        const Value *ready = condition_find(value_at(pod, "status.conditions"), "Ready");
        Candidate candidate = {
            .pod = pod,
            .assigned = *pod_node_name(pod) != '\0',
            .ready = pod_is_ready(pod),
            .phase = phase_ordinal(pod),
            .cost = cost != NULL ? g_ascii_strtoll(cost, NULL, 10) : 0,
            .rank = rank != NULL ? rank(pod, data) : 0,
            .ready_age = logarithmic_age(time_of(value_get(ready, "lastTransitionTime")), now),
            .restarts = restarts_max(pod),
            .age = logarithmic_age(object_creation_time(pod), now)};
        g_array_append_val(candidates, candidate);
    }
    g_array_sort(candidates, compare_candidates);
    for (guint i = 0; i < pods->len; i++)
        g_ptr_array_index(pods, i) = g_array_index(candidates, Candidate, i).pod;
}
