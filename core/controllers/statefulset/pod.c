#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"
#include "core/controllers/statefulset/view.h"

#define LABEL_POD_NAME "statefulset.kubernetes.io/pod-name"
#define LABEL_POD_INDEX "apps.kubernetes.io/pod-index"

int64_t
stateful_ordinal(const Value *set, const Value *pod)
{
    const char *name = object_name(pod), *parent = object_name(set);
    size_t length = strlen(parent);
    if (strncmp(name, parent, length) != 0 || name[length] != '-')
        return -1;
    const char *digits = name + length + 1;
    char *end = NULL;
    int64_t ordinal = g_ascii_strtoll(digits, &end, 10);
    return end != digits && *end == '\0' && g_ascii_isdigit(*digits) ? ordinal : -1;
}

bool
stateful_is_parallel(const Value *set)
{
    return strcmp(value_text_at(set, "spec.podManagementPolicy"), "Parallel") == 0;
}

const char *
pod_revision(const Value *pod)
{
    const char *revision = object_label(pod, LABEL_REVISION);
    return revision != NULL ? revision : "";
}

bool
pod_is_healthy_member(const StatefulView *view, const Value *pod)
{
    return strcmp(pod_phase(pod), "Running") == 0 && !object_is_deleting(pod) &&
           pod_is_available(pod, value_int_at(view->set, "spec.minReadySeconds"), view->now);
}

char *
stateful_claim_name(const Value *set, const Value *claim_template, int64_t ordinal)
{
    return g_strdup_printf("%s-%s-%" G_GINT64_FORMAT, object_name(claim_template), object_name(set),
                           ordinal);
}

/* The volumes of the claim templates replace those of the same name. */
static Value *
volumes_with_claims(const Value *set, const Value *volumes, int64_t ordinal)
{
    const Value *templates = value_at(set, "spec.volumeClaimTemplates");
    g_autoptr(ValueBuilder) result = value_builder_new_array();
    VALUE_ARRAY_FOREACH (claim, templates) {
        g_autofree char *name = stateful_claim_name(set, claim, ordinal);
        value_builder_append(result,
                             value_new_f("{name: %s, persistentVolumeClaim: {claimName: %s}}",
                                         object_name(claim), name));
    }
    VALUE_ARRAY_FOREACH (volume, volumes) {
        bool replaced = false;
        VALUE_ARRAY_FOREACH (claim, templates)
            replaced |= strcmp(object_name(claim), value_text(value_get(volume, "name"))) == 0;
        if (!replaced)
            value_builder_append(result, value_ref(volume));
    }
    return value_builder_end(g_steal_pointer(&result));
}

Value *
stateful_pod_new(const StatefulView *view, int64_t ordinal, const Value *revision)
{
    g_autoptr(Value) template_ = revision_template(revision);
    Value *pod = pod_from_template(template_, view->set, "apps/v1", "StatefulSet");
    g_autofree char *name =
        g_strdup_printf("%s-%" G_GINT64_FORMAT, object_name(view->set), ordinal);
    value_edit_remove(&pod, "metadata.generateName");
    value_edit(&pod, "metadata.name", value_new_string(name));
    value_edit(&pod, "metadata.labels['" LABEL_POD_NAME "']", value_new_string(name));
    value_edit(&pod, "metadata.labels['" LABEL_POD_INDEX "']",
               value_new_stringf("%" G_GINT64_FORMAT, ordinal));
    value_edit(&pod, "metadata.labels['" LABEL_REVISION "']",
               value_new_string(object_name(revision)));
    value_edit(&pod, "spec.hostname", value_new_string(name));
    const char *service = value_text_at(view->set, "spec.serviceName");
    if (*service != '\0')
        value_edit(&pod, "spec.subdomain", value_new_string(service));
    if (value_size(value_at(view->set, "spec.volumeClaimTemplates")) > 0)
        value_edit(&pod, "spec.volumes",
                   volumes_with_claims(view->set, value_at(template_, "spec.volumes"), ordinal));
    return pod;
}

/* ---- claims
 * ------------------------------------------------------------------------------------------ */

static Value *
claim_new(const StatefulView *view, const Value *claim_template, int64_t ordinal)
{
    g_autofree char *name = stateful_claim_name(view->set, claim_template, ordinal);
    Value *claim = value_ref(claim_template);
    value_edit(&claim, "apiVersion", value_new_string("v1"));
    value_edit(&claim, "kind", value_new_string("PersistentVolumeClaim"));
    value_edit_remove(&claim, "status");
    value_edit(&claim, "metadata.name", value_new_string(name));
    value_edit(&claim, "metadata.namespace", value_new_string(object_namespace(view->set)));
    VALUE_MAP_FOREACH (key, text, value_at(view->set, "spec.selector.matchLabels")) {
        g_autofree char *path = g_strdup_printf("metadata.labels['%s']", key);
        value_edit(&claim, path, value_ref(text));
    }
    return claim;
}

typedef struct Creation {
    StatefulController *controller;
    Value *set, *pod;
    GPtrArray *claims; /* to be made first */
} Creation;

static void
creation_free(gpointer data)
{
    Creation *creation = data;
    value_unref(creation->set);
    value_unref(creation->pod);
    g_ptr_array_unref(creation->claims);
    g_free(creation);
}

static void
claim_start(size_t index, void *begun, void *data)
{
    const Creation *creation = data;
    const Value *claim = objects_item(creation->claims, (guint)index);
    client_create(creation->controller->base.client, "", "persistentvolumeclaims",
                  object_namespace(creation->set), value_ref(claim), sync_call, begun);
}

static char *
claim_answer(size_t index, const ApiResponse *response, void *data)
{
    const Creation *creation = data;
    const char *claim = object_name(objects_item(creation->claims, (guint)index));
    const char *pod = object_name(creation->pod), *set = object_name(creation->set);
    if (response_is(response, "AlreadyExists"))
        return NULL;
    if (api_response_ok(response)) {
        event_record(creation->controller->base.recorder, creation->set, "Normal",
                     "SuccessfulCreate", "create Claim %s Pod %s in StatefulSet %s success", claim,
                     pod, set);
        return NULL;
    }
    event_record(creation->controller->base.recorder, creation->set, "Warning", "FailedCreate",
                 "create Claim %s for Pod %s in StatefulSet %s failed error: %s", claim, pod, set,
                 response_error(response));
    return g_strdup(response_error(response));
}

static char *
on_created(const ApiResponse *response, void *data)
{
    const Creation *creation = data;
    const char *pod = object_name(creation->pod), *set = object_name(creation->set);
    if (response_is(response, "AlreadyExists") || response_is_namespace_terminating(response))
        return NULL;
    if (api_response_ok(response)) {
        event_record(creation->controller->base.recorder, creation->set, "Normal",
                     "SuccessfulCreate", "create Pod %s in StatefulSet %s successful", pod, set);
        return NULL;
    }
    event_record(creation->controller->base.recorder, creation->set, "Warning", "FailedCreate",
                 "create Pod %s in StatefulSet %s failed error: %s", pod, set,
                 response_error(response));
    return g_strdup(response_error(response));
}

static void
claims_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    const Creation *creation = data;
    if (error != NULL || creation->pod == NULL)
        return;
    Creation *pod = g_new(Creation, 1);
    *pod = (Creation){creation->controller, value_ref(creation->set), value_ref(creation->pod),
                      objects_new()};
    client_create(creation->controller->base.client, "", "pods", object_namespace(creation->set),
                  value_ref(creation->pod), sync_call,
                  sync_begin_checked(sync, on_created, pod, creation_free));
}

static Creation *
creation_new(const StatefulView *view, int64_t ordinal)
{
    Creation *creation = g_new0(Creation, 1);
    creation->controller = view->controller;
    creation->set = value_ref(view->set);
    creation->claims = objects_new();
    VALUE_ARRAY_FOREACH (claim_template, value_at(view->set, "spec.volumeClaimTemplates")) {
        g_autofree char *name = stateful_claim_name(view->set, claim_template, ordinal);
        if (informer_get_named(view->controller->claims, object_namespace(view->set), name) == NULL)
            g_ptr_array_add(creation->claims, claim_new(view, claim_template, ordinal));
    }
    return creation;
}

static const BatchOps claim_ops = {claim_start, claim_answer, claims_done};

/* ---- pods
 * -------------------------------------------------------------------------------------------- */

void
stateful_create(StatefulView *view, int64_t ordinal)
{
    const Value *set = view->set;
    bool rolling = strcmp(value_text_at(set, "spec.updateStrategy.type"), "OnDelete") != 0;
    const Value *partition = value_at(set, "spec.updateStrategy.rollingUpdate.partition");
    int64_t bound = partition != NULL && value_int(partition) > 0
                        ? value_int(partition)
                        : value_int_at(set, "status.currentReplicas");
    const Value *revision = rolling && ordinal < view->start + bound ? view->current : view->update;
    Creation *creation = creation_new(view, ordinal);
    creation->pod = stateful_pod_new(view, ordinal, revision);
    controller_decide(&view->controller->base, "create", set, "StatefulSet",
                      "create pod %s of revision %s", object_name(creation->pod),
                      object_name(revision));
    batch_run(view->sync, BATCH_ALL, creation->claims->len, &claim_ops, creation, creation_free);
    view->n_replicas++;
    view->n_current += strcmp(object_name(revision), object_name(view->current)) == 0;
    view->n_updated += strcmp(object_name(revision), object_name(view->update)) == 0;
}

static char *
on_deleted(const ApiResponse *response, void *data)
{
    const Creation *deletion = data;
    const char *pod = object_name(deletion->pod), *set = object_name(deletion->set);
    if (response_is(response, "NotFound"))
        return NULL;
    if (api_response_ok(response)) {
        event_record(deletion->controller->base.recorder, deletion->set, "Normal",
                     "SuccessfulDelete", "delete Pod %s in StatefulSet %s successful", pod, set);
        return NULL;
    }
    event_record(deletion->controller->base.recorder, deletion->set, "Warning", "FailedDelete",
                 "delete Pod %s in StatefulSet %s failed error: %s", pod, set,
                 response_error(response));
    return g_strdup(response_error(response));
}

void
stateful_delete(StatefulView *view, const Value *pod)
{
    controller_decide(&view->controller->base, "delete", view->set, "StatefulSet", "delete pod %s",
                      object_name(pod));
    Creation *deletion = g_new0(Creation, 1);
    *deletion = (Creation){view->controller, value_ref(view->set), value_ref(pod), objects_new()};
    /* The uid: a pod of the same name that is newer than our cache must live. */
    Value *options = value_new_f("{apiVersion: v1, kind: DeleteOptions, preconditions: {uid: %s}}",
                                 object_uid(pod));
    client_delete(view->controller->base.client, "", "pods", object_namespace(pod),
                  object_name(pod), options, sync_call,
                  sync_begin_checked(view->sync, on_deleted, deletion, creation_free));
}

/* ---- retention
 * --------------------------------------------------------------------------------------- */

static Value *
wanted_owners(const StatefulView *view, const Value *claim, const Value *pod, bool condemned)
{
    const Value *policy = value_at(view->set, "spec.persistentVolumeClaimRetentionPolicy");
    bool when_deleted = strcmp(value_text(value_get(policy, "whenDeleted")), "Delete") == 0;
    bool when_scaled = strcmp(value_text(value_get(policy, "whenScaled")), "Delete") == 0;
    bool by_pod = when_scaled && condemned, by_set = when_deleted && !by_pod;
    g_autoptr(ValueBuilder) owners = value_builder_new_array();
    VALUE_ARRAY_FOREACH (owner, value_at(claim, "metadata.ownerReferences")) {
        const char *uid = value_text(value_get(owner, "uid"));
        if (strcmp(uid, object_uid(view->set)) != 0 && strcmp(uid, object_uid(pod)) != 0)
            value_builder_append(owners, value_ref(owner));
    }
    if (by_set)
        value_builder_append(owners, owner_reference_new(view->set, "apps/v1", "StatefulSet"));
    if (by_pod)
        value_builder_append(owners, owner_reference_new(pod, "v1", "Pod"));
    return value_builder_end(g_steal_pointer(&owners));
}

void
stateful_update_claims(StatefulView *view, const Value *pod, bool condemned)
{
    int64_t ordinal = stateful_ordinal(view->set, pod);
    if (strcmp(pod_phase(pod), "Pending") == 0 && !condemned) {
        Creation *creation = creation_new(view, ordinal);
        batch_run(view->sync, BATCH_ALL, creation->claims->len, &claim_ops, creation,
                  creation_free);
    }
    VALUE_ARRAY_FOREACH (claim_template, value_at(view->set, "spec.volumeClaimTemplates")) {
        g_autofree char *name = stateful_claim_name(view->set, claim_template, ordinal);
        const Value *claim =
            informer_get_named(view->controller->claims, object_namespace(view->set), name);
        if (claim == NULL)
            continue;
        g_autoptr(Value) owners = wanted_owners(view, claim, pod, condemned);
        if (values_equal_semantically(owners, value_at(claim, "metadata.ownerReferences")))
            continue;
        client_update(view->controller->base.client, "", "persistentvolumeclaims", NULL,
                      value_set_at(claim, "metadata.ownerReferences", g_steal_pointer(&owners)),
                      sync_call, sync_begin_tolerating(view->sync, "NotFound"));
    }
}

bool
stateful_fix_identity(StatefulView *view, const Value *pod, int64_t ordinal)
{
    const char *label = object_label(pod, LABEL_POD_NAME);
    if (label != NULL && strcmp(label, object_name(pod)) == 0 &&
        object_label(pod, LABEL_POD_INDEX) != NULL)
        return false;
    Value *written = value_set_at(pod, "metadata.labels['" LABEL_POD_NAME "']",
                                  value_new_string(object_name(pod)));
    value_edit(&written, "metadata.labels['" LABEL_POD_INDEX "']",
               value_new_stringf("%" G_GINT64_FORMAT, ordinal));
    client_update(view->controller->base.client, "", "pods", NULL, written, sync_call,
                  sync_begin_tolerating(view->sync, "NotFound"));
    return true;
}
