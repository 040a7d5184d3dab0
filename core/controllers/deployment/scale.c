/* Who gets larger and who smaller: scaling (sync.go scale) and the rolling update's two steps
 * (rolling.go). */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/deployment/rollout.h"

typedef struct Scaling {
    Controller *controller;
    Value *deployment;
    char *set;
    int64_t from, to;
} Scaling;

static void
scaling_free(gpointer data)
{
    Scaling *scaling = data;
    value_unref(scaling->deployment);
    g_free(scaling->set);
    g_free(scaling);
}

static char *
on_scaled(const ApiResponse *response, void *data)
{
    const Scaling *scaling = data;
    if (!api_response_ok(response))
        return g_strdup(response_error(response));
    if (scaling->from != scaling->to)
        event_record(
            scaling->controller->recorder, scaling->deployment, "Normal", "ScalingReplicaSet",
            "Scaled %s replica set %s from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
            scaling->from < scaling->to ? "up" : "down", scaling->set, scaling->from, scaling->to);
    return NULL;
}

static bool
annotation_is(const Value *set, const char *key, const char *text)
{
    const char *known = object_annotation(set, key);
    return known != NULL && strcmp(known, text) == 0;
}

bool
rollout_scale_set(Rollout *rollout, const Value *set, int64_t size)
{
    const Value *deployment = rollout->deployment;
    int64_t replicas = deployment_replicas(deployment), from = set_replicas(set);
    g_autofree char *desired = g_strdup_printf("%" G_GINT64_FORMAT, replicas);
    g_autofree char *most =
        g_strdup_printf("%" G_GINT64_FORMAT, replicas + deployment_max_surge(deployment));
    if (from == size && annotation_is(set, ANNOTATION_DESIRED_REPLICAS, desired) &&
        annotation_is(set, ANNOTATION_MAX_REPLICAS, most))
        return false;
    if (from != size)
        controller_decide(rollout->controller, "scale", deployment, "Deployment",
                          "scale %s ReplicaSet %s from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                          from < size ? "up" : "down", object_name(set), from, size);
    Value *written = value_set_at(set, "spec.replicas", value_new_int(size));
    value_edit(&written, "metadata.annotations['" ANNOTATION_DESIRED_REPLICAS "']",
               value_new_string(desired));
    value_edit(&written, "metadata.annotations['" ANNOTATION_MAX_REPLICAS "']",
               value_new_string(most));
    Scaling *scaling = g_new(Scaling, 1);
    *scaling = (Scaling){rollout->controller, value_ref(deployment), g_strdup(object_name(set)),
                         from, size};
    client_update(rollout->controller->client, "apps", "replicasets", NULL, written, sync_call,
                  sync_begin_checked(rollout->sync, on_scaled, scaling, scaling_free));
    return true;
}

bool
rollout_is_scaling_event(const Rollout *rollout)
{
    for (guint i = 0; i < rollout->sets->len; i++) {
        const Value *set = objects_item(rollout->sets, i);
        const char *desired = object_annotation(set, ANNOTATION_DESIRED_REPLICAS);
        if (set_replicas(set) > 0 && desired != NULL &&
            g_ascii_strtoll(desired, NULL, 10) != deployment_replicas(rollout->deployment))
            return true;
    }
    return false;
}

/* ---- proportional scaling
 * ---------------------------------------------------------------------------- */

/* The only active set, or the newest when none is active; NULL when several are. */
static const Value *
active_or_latest(const Rollout *rollout)
{
    const Value *active = NULL;
    for (guint i = 0; i < rollout->sets->len; i++) {
        const Value *set = objects_item(rollout->sets, i);
        if (set_replicas(set) == 0)
            continue;
        if (active != NULL)
            return NULL;
        active = set;
    }
    if (active != NULL || rollout->sets->len == 0)
        return active;
    return rollout->new_set != NULL ? rollout->new_set
                                    : objects_item(rollout->old_sets, rollout->old_sets->len - 1);
}

static gint
compare_size(const Value *a, const Value *b, int age_sign)
{
    if (set_replicas(a) != set_replicas(b))
        return set_replicas(a) > set_replicas(b) ? -1 : 1;
    int64_t time_a = object_creation_time(a), time_b = object_creation_time(b);
    return time_a != time_b ? (time_a < time_b ? -1 : 1) * age_sign
                            : strcmp(object_name(a), object_name(b)) * age_sign;
}

static gint
compare_size_newer(gconstpointer a, gconstpointer b)
{
    return compare_size(*(const Value *const *)a, *(const Value *const *)b, -1);
}

static gint
compare_size_older(gconstpointer a, gconstpointer b)
{
    return compare_size(*(const Value *const *)a, *(const Value *const *)b, 1);
}

static void
scale_active_sets(Rollout *rollout)
{
    const Value *deployment = rollout->deployment;
    int64_t replicas = deployment_replicas(deployment), all = 0, added = 0;
    g_autoptr(GPtrArray) active = g_ptr_array_new();
    for (guint i = 0; i < rollout->sets->len; i++)
        if (set_replicas(objects_item(rollout->sets, i)) > 0)
            g_ptr_array_add(active, g_ptr_array_index(rollout->sets, i));
    for (guint i = 0; i < active->len; i++)
        all += set_replicas(objects_item(active, i));
    int64_t allowed = replicas > 0 ? replicas + deployment_max_surge(deployment) : 0,
            to_add = allowed - all;
    if (to_add != 0)
        g_ptr_array_sort(active, to_add > 0 ? compare_size_newer : compare_size_older);
    g_autofree int64_t *sizes = g_new(int64_t, active->len + 1);
    for (guint i = 0; i < active->len; i++) {
        int64_t share = set_proportion(objects_item(active, i), deployment, to_add, added);
        sizes[i] = set_replicas(objects_item(active, i)) + share;
        added += share;
    }
    for (guint i = 0; i < active->len; i++) {
        if (i == 0 && to_add != 0) /* what rounding left goes to the largest */
            sizes[i] = MAX(sizes[i] + to_add - added, 0);
        rollout_scale_set(rollout, objects_item(active, i), sizes[i]);
    }
}

void
rollout_scale_proportionally(Rollout *rollout)
{
    const Value *only = active_or_latest(rollout);
    if (only != NULL) {
        if (set_replicas(only) != deployment_replicas(rollout->deployment))
            rollout_scale_set(rollout, only, deployment_replicas(rollout->deployment));
        return;
    }
    if (deployment_is_saturated(rollout->deployment, rollout->new_set)) {
        for (guint i = 0; i < rollout->old_sets->len; i++)
            if (set_replicas(objects_item(rollout->old_sets, i)) > 0)
                rollout_scale_set(rollout, objects_item(rollout->old_sets, i), 0);
        return;
    }
    if (deployment_is_rolling(rollout->deployment))
        scale_active_sets(rollout);
}

/* ---- the rolling update
 * ------------------------------------------------------------------------------ */

bool
rollout_reconcile_new_set(Rollout *rollout)
{
    int64_t all = 0, now = set_replicas(rollout->new_set),
            replicas = deployment_replicas(rollout->deployment);
    for (guint i = 0; i < rollout->sets->len; i++)
        all += set_replicas(objects_item(rollout->sets, i));
    if (now == replicas)
        return false;
    int64_t size = now > replicas ? replicas : new_set_size(rollout->deployment, all, now);
    return rollout_scale_set(rollout, rollout->new_set, size) && size != now;
}

/* First what is broken (it costs no availability), then as many as are available beyond the
 * minimum. Sizes hold what each old set shall have. */
static int64_t
clean_unhealthy(const Rollout *rollout, int64_t *sizes, int64_t most)
{
    int64_t removed = 0;
    for (guint i = 0; i < rollout->old_sets->len && removed < most; i++) {
        const Value *set = objects_item(rollout->old_sets, i);
        int64_t unhealthy = sizes[i] - value_int_at(set, "status.availableReplicas");
        if (sizes[i] == 0 || unhealthy <= 0)
            continue;
        int64_t count = MIN(most - removed, unhealthy);
        sizes[i] -= count;
        removed += count;
    }
    return removed;
}

static void
remove_available(const Rollout *rollout, int64_t *sizes, int64_t count)
{
    for (guint i = 0; i < rollout->old_sets->len && count > 0; i++) {
        int64_t removed = MIN(sizes[i], count);
        sizes[i] -= removed;
        count -= removed;
    }
}

bool
rollout_reconcile_old_sets(Rollout *rollout)
{
    int64_t all = 0, old = 0, available = 0, replicas = deployment_replicas(rollout->deployment);
    g_autofree int64_t *sizes = g_new(int64_t, rollout->old_sets->len + 1);
    for (guint i = 0; i < rollout->old_sets->len; i++)
        old += sizes[i] = set_replicas(objects_item(rollout->old_sets, i));
    for (guint i = 0; i < rollout->sets->len; i++) {
        all += set_replicas(objects_item(rollout->sets, i));
        available += value_int_at(objects_item(rollout->sets, i), "status.availableReplicas");
    }
    if (old == 0)
        return false;
    int64_t minimum = replicas - deployment_max_unavailable(rollout->deployment);
    int64_t new_unavailable =
        set_replicas(rollout->new_set) - value_int_at(rollout->new_set, "status.availableReplicas");
    int64_t most = all - minimum - new_unavailable;
    if (most <= 0)
        return false;
    clean_unhealthy(rollout, sizes, most);
    remove_available(rollout, sizes, available - minimum);
    bool scaled = false;
    for (guint i = 0; i < rollout->old_sets->len; i++) {
        const Value *set = objects_item(rollout->old_sets, i);
        if (sizes[i] != set_replicas(set))
            scaled |= rollout_scale_set(rollout, set, sizes[i]);
    }
    return scaled;
}

/* ---- history
 * ----------------------------------------------------------------------------------------- */

static gint
compare_revision(gconstpointer a, gconstpointer b)
{
    const Value *set_a = *(const Value *const *)a, *set_b = *(const Value *const *)b;
    const char *text_a = object_annotation(set_a, ANNOTATION_REVISION),
               *text_b = object_annotation(set_b, ANNOTATION_REVISION);
    int64_t revision_a = text_a != NULL ? g_ascii_strtoll(text_a, NULL, 10) : 0;
    int64_t revision_b = text_b != NULL ? g_ascii_strtoll(text_b, NULL, 10) : 0;
    if (revision_a != revision_b)
        return revision_a < revision_b ? -1 : 1;
    return object_compare_age(set_a, set_b);
}

void
rollout_clean_up(Rollout *rollout)
{
    const Value *limit = value_at(rollout->deployment, "spec.revisionHistoryLimit");
    if (limit == NULL || value_int(limit) == INT32_MAX)
        return;
    g_autoptr(GPtrArray) alive = g_ptr_array_new();
    for (guint i = 0; i < rollout->old_sets->len; i++)
        if (!object_is_deleting(objects_item(rollout->old_sets, i)))
            g_ptr_array_add(alive, g_ptr_array_index(rollout->old_sets, i));
    int64_t surplus = (int64_t)alive->len - value_int(limit);
    if (surplus <= 0)
        return;
    g_ptr_array_sort(alive, compare_revision);
    for (int64_t i = 0; i < surplus; i++) {
        const Value *set = objects_item(alive, (guint)i);
        if (value_int_at(set, "status.replicas") != 0 || set_replicas(set) != 0 ||
            object_generation(set) > value_int_at(set, "status.observedGeneration"))
            continue;
        controller_decide(rollout->controller, "delete", rollout->deployment, "Deployment",
                          "delete old ReplicaSet %s: revisionHistoryLimit is %" G_GINT64_FORMAT,
                          object_name(set), value_int(limit));
        client_delete(rollout->controller->client, "apps", "replicasets", object_namespace(set),
                      object_name(set), NULL, sync_call,
                      sync_begin_tolerating(rollout->sync, "NotFound"));
    }
}
