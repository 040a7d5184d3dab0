#include "cli/application.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/world_kubectl.h"
#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "core/base/error.h"
#include "core/base/text.h"

#define AVAILABLE_WITHIN_NS (600 * NS_PER_S)
#define LOOK_EVERY_NS (100 * NS_PER_MS)

static void
collect(int stream, const char *text, size_t length, void *data)
{
    if (stream == 2)
        g_string_append_len(data, text, (gssize)length);
}

bool
application_apply(Live *live, const char *name, GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(name, &text, NULL, NULL))
        text = builtin_manifests(name);
    if (text == NULL)
        return fail(error, TIMONEL_ERROR_NOT_FOUND,
                    _("application \"%s\": no such file, and nothing of that name is built in"),
                    name);
    GString *errors = g_string_new(NULL);
    const WorldKubectl kubectl = {.world = live_world(live), .write = collect, .data = errors};
    bool applied = world_kubectl_apply(&kubectl, name, text) == 0;
    if (!applied)
        fail(error, TIMONEL_ERROR_INVALID, "%s", errors->str);
    g_string_free(errors, TRUE);
    return applied;
}

/* ---- plain lines ------------------------------------------------------------------------------------------------ */

/* What was said last of each node and pod, so that only news are printed. */
typedef struct Teller {
    World *world;
    int64_t start;
    GTree *said; /* "Pod/ns/name" -> text */
} Teller;

static void
tell(Teller *teller, const char *subject, const char *text)
{
    const char *before = g_tree_lookup(teller->said, subject);
    if (before != NULL && strcmp(before, text) == 0)
        return;
    g_tree_replace(teller->said, g_strdup(subject), g_strdup(text));
    g_autofree char *safe = text_sanitize(text, strlen(text), TEXT_ONE_LINE);
    printf("%8.1f s  %-44s %s\n",
           (double)(world_now(teller->world) - teller->start) / (double)NS_PER_S, subject, safe);
}

static void
tell_nodes(Teller *teller)
{
    PMapIter iter = pmap_seek(world_objects(teller->world, "", "nodes"), "");
    while (pmap_next(&iter)) {
        g_autofree char *subject = g_strdup_printf("node/%s", iter.key);
        tell(teller, subject, node_is_ready(iter.value) ? _("Ready") : _("NotReady"));
    }
}

static void
tell_pods(Teller *teller)
{
    PMapIter iter = pmap_seek(world_objects(teller->world, "", "pods"), "");
    while (pmap_next(&iter)) {
        if (strcmp(object_namespace(iter.value), "kube-system") == 0)
            continue;
        const char *node = pod_node_name(iter.value);
        g_autofree char *subject = g_strdup_printf("pod/%s", iter.key);
        g_autofree char *text = g_strdup_printf(
            "%s%s%s%s", pod_phase(iter.value), pod_is_ready(iter.value) ? _(", ready") : "",
            *node != '\0' ? _(" on ") : "", node);
        tell(teller, subject, text);
    }
}

typedef struct Workload {
    const char *resource, *ready;
} Workload;

/* Every Deployment and StatefulSet has all its pods, and there is at least one of them. */
static bool
all_available(World *world, void *data)
{
    static const Workload WORKLOADS[] = {{"deployments", "status.availableReplicas"},
                                         {"statefulsets", "status.readyReplicas"}};
    size_t count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(WORKLOADS); i++) {
        PMapIter iter = pmap_seek(world_objects(world, "apps", WORKLOADS[i].resource), "");
        while (pmap_next(&iter)) {
            count++;
            if (value_int_at(iter.value, WORKLOADS[i].ready) <
                    value_int_at_or(iter.value, "spec.replicas", 1) ||
                value_int_at(iter.value, "status.observedGeneration") <
                    object_generation(iter.value))
                return false;
        }
    }
    return count > 0;
}

bool
application_watch_plain(Live *live, GError **error)
{
    World *world = live_world(live);
    Teller teller = {.world = world,
                     .start = world_now(world),
                     .said = g_tree_new_full((GCompareDataFunc)(void (*)(void))strcmp, NULL,
                                             g_free, g_free)};
    int64_t end = teller.start + AVAILABLE_WITHIN_NS;
    bool available = false;
    while (!available && world_now(world) < end) {
        world_run_for(world, LOOK_EVERY_NS);
        tell_nodes(&teller);
        tell_pods(&teller);
        available = all_available(world, NULL);
    }
    g_tree_unref(teller.said);
    if (!available)
        return fail(error, TIMONEL_ERROR_UNAVAILABLE,
                    _("the application is not available after ten minutes of the cluster's time"));
    printf("%s\n", _("The application is available."));
    return true;
}
