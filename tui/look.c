#include "tui/look.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"

static const Look RUNNING = {"●", "Running", STYLE_GOOD};
static const Look NOT_READY = {"◐", "NotReady", STYLE_BUSY};
static const Look PENDING = {"○", "Pending", STYLE_BUSY};
static const Look SUCCEEDED = {"✔", "Succeeded", STYLE_DONE};
static const Look FAILED = {"✖", "Failed", STYLE_BAD};
static const Look TERMINATING = {"◌", "Terminating", STYLE_DIM};
static const Look UNKNOWN = {"?", "Unknown", STYLE_BAD};

static Look
with_word(Look look, const char *word)
{
    if (word != NULL && *word != '\0')
        look.word = word;
    return look;
}

/* Waiting for these is only a matter of time. */
static bool
is_plain_waiting(const char *reason)
{
    return strcmp(reason, "ContainerCreating") == 0 || strcmp(reason, "PodInitializing") == 0;
}

/* The first container that waits for something, or whose end keeps the pod from going on. */
static const char *
trouble_of(const Value *statuses, bool *ret_bad)
{
    VALUE_ARRAY_FOREACH (status, statuses) {
        const char *waiting = value_string_at(status, "state.waiting.reason");
        if (waiting != NULL) {
            *ret_bad = !is_plain_waiting(waiting);
            return waiting;
        }
        const char *ended = value_string_at(status, "state.terminated.reason");
        if (ended != NULL && value_int_at(status, "state.terminated.exitCode") != 0) {
            *ret_bad = true;
            return ended;
        }
    }
    return NULL;
}

Look
pod_look(const Value *pod)
{
    const char *phase = pod_phase(pod), *reason = value_string_at(pod, "status.reason");
    if (object_is_deleting(pod))
        return TERMINATING;
    if (strcmp(phase, "Succeeded") == 0)
        return SUCCEEDED;
    if (strcmp(phase, "Failed") == 0)
        return with_word(FAILED, reason);
    if (strcmp(phase, "Unknown") == 0)
        return with_word(UNKNOWN, reason);
    bool bad = false;
    const char *trouble = trouble_of(value_at(pod, "status.initContainerStatuses"), &bad);
    if (trouble == NULL)
        trouble = trouble_of(value_at(pod, "status.containerStatuses"), &bad);
    if (trouble != NULL)
        return with_word(bad ? FAILED : PENDING, trouble);
    if (strcmp(phase, "Running") == 0)
        return pod_is_ready(pod) ? RUNNING : NOT_READY;
    return PENDING;
}

Look
node_look(const Value *node)
{
    static const Look READY = {"●", "Ready", STYLE_GOOD};
    static const Look BAD = {"✖", "NotReady", STYLE_BAD};
    static const Look LOST = {"?", "NotReady", STYLE_BAD};
    static const Look CORDONED = {"◐", "SchedulingDisabled", STYLE_BUSY};
    static const Look ABSENT = {"○", "starting", STYLE_DIM};
    const char *ready = node_ready_status(node);
    if (node == NULL)
        return ABSENT;
    if (strcmp(ready, "True") == 0)
        return node_is_unschedulable(node) ? CORDONED : READY;
    return strcmp(ready, "False") == 0 ? BAD : LOST;
}

Look
legend_item(size_t index)
{
    static const Look *const ITEMS[] = {&RUNNING, &NOT_READY,   &PENDING, &SUCCEEDED,
                                        &FAILED,  &TERMINATING, &UNKNOWN};
    return index < G_N_ELEMENTS(ITEMS) ? *ITEMS[index] : (Look){NULL, NULL, STYLE_NORMAL};
}
