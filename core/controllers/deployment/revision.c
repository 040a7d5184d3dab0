/* Which ReplicaSet is the new one, its making, and the revision annotations (sync.go
 * getNewReplicaSet). */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/deployment/rollout.h"

#define REVISION_HISTORY_MAX 2000 /* characters: maxRevHistoryLengthInChars */

void
rollout_find_sets(Rollout *rollout)
{
    const Value *template_ = value_at(rollout->deployment, "spec.template");
    objects_sort_by_age(rollout->sets);
    rollout->old_sets = g_ptr_array_new();
    for (guint i = 0; i < rollout->sets->len; i++) {
        const Value *set = objects_item(rollout->sets, i);
        if (rollout->new_set == NULL &&
            templates_equal_ignoring_hash(value_at(set, "spec.template"), template_))
            rollout->new_set = set;
        else
            g_ptr_array_add(rollout->old_sets, (gpointer)set);
    }
}

static int64_t
revision_of(const Value *object)
{
    const char *text = object_annotation(object, ANNOTATION_REVISION);
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static bool
annotation_is_own(const char *key)
{
    static const char *const own[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                      ANNOTATION_REVISION,
                                      ANNOTATION_REVISION_HISTORY,
                                      ANNOTATION_DESIRED_REPLICAS,
                                      ANNOTATION_MAX_REPLICAS,
                                      "deprecated.deployment.rollback.to",
                                      NULL};
    return g_strv_contains(own, key);
}

/* A set that becomes the newest again keeps the revisions it has served, the oldest dropped when
 * they get too long. */
static void
remember_revision(ValueBuilder *annotations, const char *history, const char *old_revision)
{
    if (history == NULL || *history == '\0') {
        value_builder_set(annotations, ANNOTATION_REVISION_HISTORY, value_new_string(old_revision));
        return;
    }
    while (history != NULL && strlen(history) + 1 + strlen(old_revision) > REVISION_HISTORY_MAX) {
        history = strchr(history, ',');
        history = history != NULL ? history + 1 : NULL;
    }
    value_builder_set(annotations, ANNOTATION_REVISION_HISTORY,
                      history != NULL ? value_new_stringf("%s,%s", history, old_revision)
                                      : value_new_string(old_revision));
}

/* The annotations that a set (NULL: one to be made) should have. */
static Value *
set_annotations(const Rollout *rollout, const Value *set, int64_t new_revision)
{
    const Value *old = object_annotations(set);
    g_autoptr(ValueBuilder) annotations = value_builder_new(old);
    VALUE_MAP_FOREACH (key, text, object_annotations(rollout->deployment))
        if (!annotation_is_own(key))
            value_builder_set(annotations, key, value_ref(text));
    if (revision_of(set) < new_revision) {
        const char *old_revision = object_annotation(set, ANNOTATION_REVISION);
        if (old_revision != NULL)
            remember_revision(annotations, object_annotation(set, ANNOTATION_REVISION_HISTORY),
                              old_revision);
        value_builder_set(annotations, ANNOTATION_REVISION,
                          value_new_stringf("%" G_GINT64_FORMAT, new_revision));
    }
    if (set == NULL) {
        int64_t replicas = deployment_replicas(rollout->deployment);
        int64_t most = replicas + deployment_max_surge(rollout->deployment);
        value_builder_set(annotations, ANNOTATION_DESIRED_REPLICAS,
                          value_new_stringf("%" G_GINT64_FORMAT, replicas));
        value_builder_set(annotations, ANNOTATION_MAX_REPLICAS,
                          value_new_stringf("%" G_GINT64_FORMAT, most));
    }
    return value_builder_end(g_steal_pointer(&annotations));
}

/* Writes the deployment with this revision annotation and, when not NULL, this Progressing
 * condition. */
static bool
write_revision(Rollout *rollout, const char *revision, Value *take_condition)
{
    const Value *deployment = rollout->deployment;
    const char *known = object_annotation(deployment, ANNOTATION_REVISION);
    bool same = known != NULL && strcmp(known, revision) == 0;
    if (same && take_condition == NULL)
        return false;
    Value *written = value_ref(deployment);
    if (!same)
        value_edit(&written, "metadata.annotations['" ANNOTATION_REVISION "']",
                   value_new_string(revision));
    if (take_condition != NULL)
        value_edit(&written, "status.conditions",
                   conditions_put(value_at(deployment, "status.conditions"), take_condition));
    client_update(rollout->controller->client, "apps", "deployments", "status", written, sync_call,
                  sync_begin_tolerating(rollout->sync, "NotFound"));
    return true;
}

static bool
sync_existing(Rollout *rollout, int64_t new_revision)
{
    const Value *set = rollout->new_set, *deployment = rollout->deployment;
    g_autoptr(Value) annotations = set_annotations(rollout, set, new_revision);
    int64_t min_ready = value_int_at(deployment, "spec.minReadySeconds");
    bool same_min_ready = value_int_at(set, "spec.minReadySeconds") == min_ready;
    if (!values_equal_semantically(annotations, object_annotations(set)) || !same_min_ready) {
        Value *written = value_set_at(set, "metadata.annotations", g_steal_pointer(&annotations));
        if (!same_min_ready)
            value_edit(&written, "spec.minReadySeconds", value_new_int(min_ready));
        client_update(rollout->controller->client, "apps", "replicasets", NULL, written, sync_call,
                      sync_begin(rollout->sync));
        return true;
    }
    Value *condition = NULL;
    if (deployment_has_progress_deadline(deployment) &&
        condition_find(value_at(deployment, "status.conditions"), "Progressing") == NULL) {
        g_autofree char *message =
            g_strdup_printf("Found new replica set \"%s\"", object_name(set));
        condition = deployment_condition_new("Progressing", "True", "FoundNewReplicaSet", message,
                                             controller_now(rollout->controller));
    }
    const char *revision = object_annotation(set, ANNOTATION_REVISION);
    return write_revision(rollout, revision != NULL ? revision : "", condition);
}

/* ---- making it
 * --------------------------------------------------------------------------------------- */

typedef struct Creation {
    Rollout rollout; /* sets and new_set not used */
    Value *deployment, *set;
    char *revision;
    int64_t replicas;
} Creation;

static void
creation_free(gpointer data)
{
    Creation *creation = data;
    value_unref(creation->deployment);
    value_unref(creation->set);
    g_free(creation->revision);
    g_free(creation);
}

/* The name is taken: by our own set that the cache does not know yet, or by another template with
 * the same hash. */
static char *
on_existing(const ApiResponse *response, void *data)
{
    Creation *creation = data;
    Rollout *rollout = &creation->rollout;
    const Value *deployment = creation->deployment;
    if (!api_response_ok(response))
        return g_strdup(response_error(response));
    if (object_is_controlled_by(response->object, object_uid(deployment)) &&
        templates_equal_ignoring_hash(value_at(response->object, "spec.template"),
                                      value_at(deployment, "spec.template")))
        return NULL;
    int64_t collisions = value_int_at(deployment, "status.collisionCount") + 1;
    controller_decide(
        rollout->controller, "rename", deployment, "Deployment",
        "the name %s belongs to another template: count a collision and take another hash",
        object_name(creation->set));
    Value *status = value_get(deployment, "status") != NULL
                        ? value_ref(value_get(deployment, "status"))
                        : value_new_map();
    value_edit(&status, "collisionCount", value_new_int(collisions));
    client_update(rollout->controller->client, "apps", "deployments", "status",
                  value_set(deployment, "status", status), sync_call, sync_begin(rollout->sync));
    return NULL;
}

static char *
creation_failed(Creation *creation, const ApiResponse *response)
{
    Rollout *rollout = &creation->rollout;
    const Value *deployment = creation->deployment;
    if (response_is_namespace_terminating(response))
        return NULL;
    g_autofree char *message =
        g_strdup_printf("Failed to create new replica set \"%s\": %s", object_name(creation->set),
                        response_error(response));
    event_record(rollout->controller->recorder, deployment, "Warning", "ReplicaSetCreateError",
                 "%s", message);
    if (deployment_has_progress_deadline(deployment)) {
        const char *revision = object_annotation(deployment, ANNOTATION_REVISION);
        const Value *known =
            condition_find(value_at(deployment, "status.conditions"), "Progressing");
        if (known == NULL ||
            strcmp(value_text(value_get(known, "reason")), "ReplicaSetCreateError") != 0)
            write_revision(rollout, revision != NULL ? revision : "",
                           deployment_condition_new("Progressing", "False", "ReplicaSetCreateError",
                                                    message, controller_now(rollout->controller)));
    }
    return g_strdup(response_error(response));
}

static char *
on_created(const ApiResponse *response, void *data)
{
    Creation *creation = data;
    Rollout *rollout = &creation->rollout;
    const Value *deployment = creation->deployment;
    if (response_is(response, "AlreadyExists")) {
        Creation *again = g_new(Creation, 1);
        *again = *creation;
        again->deployment = value_ref(creation->deployment);
        again->rollout.deployment = again->deployment;
        again->set = value_ref(creation->set);
        again->revision = g_strdup(creation->revision);
        client_get(rollout->controller->client, "apps", "replicasets", object_namespace(deployment),
                   object_name(creation->set), sync_call,
                   sync_begin_checked(rollout->sync, on_existing, again, creation_free));
        return NULL;
    }
    if (!api_response_ok(response))
        return creation_failed(creation, response);
    const char *name = object_name(creation->set);
    if (creation->replicas > 0)
        event_record(rollout->controller->recorder, deployment, "Normal", "ScalingReplicaSet",
                     "Scaled up replica set %s from 0 to %" G_GINT64_FORMAT, name,
                     creation->replicas);
    Value *condition = NULL;
    if (deployment_has_progress_deadline(deployment)) {
        g_autofree char *message = g_strdup_printf("Created new replica set \"%s\"", name);
        condition = deployment_condition_new("Progressing", "True", "NewReplicaSetCreated", message,
                                             controller_now(rollout->controller));
    }
    write_revision(rollout, creation->revision, condition);
    return NULL;
}

static Value *
new_set_value(const Rollout *rollout, int64_t replicas, int64_t revision)
{
    const Value *deployment = rollout->deployment,
                *template_ = value_at(deployment, "spec.template");
    g_autofree char *hash = template_hash(template_, value_at(deployment, "status.collisionCount"));
    g_autoptr(Value) labels = value_set_at(value_at(template_, "metadata.labels"),
                                           LABEL_POD_TEMPLATE_HASH, value_new_string(hash));
    Value *named = value_set_at(template_, "metadata.labels", value_ref(labels));
    Value *selector = value_set_at(value_at(deployment, "spec.selector"),
                                   "matchLabels." LABEL_POD_TEMPLATE_HASH, value_new_string(hash));
    Value *owner = owner_reference_new(deployment, "apps/v1", "Deployment");
    Value *annotations = set_annotations(rollout, NULL, revision);
    Value *name = value_new_stringf("%s-%s", object_name(deployment), hash);
    return value_new_f(
        "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: %V, namespace: %s, labels: %v, "
        "annotations: %V, ownerReferences: [%V]}, spec: {replicas: %i, minReadySeconds: ?%i, "
        "selector: %V, template: %V}}",
        name, object_namespace(deployment), labels, annotations, owner, replicas,
        value_int_at(deployment, "spec.minReadySeconds"), selector, named);
}

static void
create_new_set(Rollout *rollout, int64_t revision)
{
    int64_t all = 0;
    for (guint i = 0; i < rollout->old_sets->len; i++)
        all += set_replicas(objects_item(rollout->old_sets, i));
    Creation *creation = g_new0(Creation, 1);
    creation->deployment = value_ref(rollout->deployment);
    creation->rollout = (Rollout){.controller = rollout->controller,
                                  .sync = rollout->sync,
                                  .deployment = creation->deployment};
    creation->replicas = new_set_size(rollout->deployment, all, 0);
    creation->revision = g_strdup_printf("%" G_GINT64_FORMAT, revision);
    creation->set = new_set_value(rollout, creation->replicas, revision);
    controller_decide(
        rollout->controller, "create", rollout->deployment, "Deployment",
        "no ReplicaSet has the Deployment's pod template: create %s with %" G_GINT64_FORMAT
        " replicas as revision %s",
        object_name(creation->set), creation->replicas, creation->revision);
    client_create(rollout->controller->client, "apps", "replicasets",
                  object_namespace(rollout->deployment), value_ref(creation->set), sync_call,
                  sync_begin_checked(rollout->sync, on_created, creation, creation_free));
}

bool
rollout_sync_revision(Rollout *rollout, bool create)
{
    int64_t newest = 0;
    for (guint i = 0; i < rollout->old_sets->len; i++)
        newest = MAX(newest, revision_of(objects_item(rollout->old_sets, i)));
    if (rollout->new_set != NULL)
        return sync_existing(rollout, newest + 1);
    if (create)
        create_new_set(rollout, newest + 1);
    return create;
}
