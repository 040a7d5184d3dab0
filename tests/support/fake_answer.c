/* What each verb does to the stored objects. */
#include <string.h>

#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/base/timestamp.h"
#include "core/object/patch.h"
#include "tests/support/fake_private.h"

#define MODIFIED_TEXT                                                                              \
    "the object has been modified; please apply your changes to the latest version and try again"

typedef struct {
    FakeApi *api;
    const ApiRequest *request;
    FakeResource *resource;
    ApiKind kind; /* enough of it for Status texts */
} Answer;

static ApiResponse *
refuse(Value *take_status)
{
    return api_response_new(status_code(take_status), take_status);
}

static char *
key_for(const char *namespace_, const char *name)
{
    return namespace_ != NULL && namespace_[0] != '\0' ? g_strconcat(namespace_, "/", name, NULL)
                                                       : g_strdup(name);
}

static char *
time_now(const FakeApi *api)
{
    return timestamp_text(clock_now(api->ports->clock));
}

/* NULL when the fake has no types. */
static const ApiKind *
kind_of(const Answer *answer)
{
    const ApiTypes *types = answer->api->types;
    return types != NULL ? api_types_by_resource(types, answer->request->group, NULL,
                                                 answer->request->resource)
                         : NULL;
}

static bool
is_pods(const Answer *answer)
{
    return answer->request->group[0] == '\0' && strcmp(answer->request->resource, "pods") == 0;
}

/* Stores an object that is new; gone when deletion was only waiting for its finalizers. */
static ApiResponse *
store(Answer *answer, int code, Value *take)
{
    const char *name = value_text_at(take, "metadata.name");
    g_autofree char *key = key_for(value_string_at(take, "metadata.namespace"), name);
    bool ends =
        value_has(value_get(take, "metadata"), "deletionTimestamp") &&
        value_size(value_at(take, "metadata.finalizers")) == 0 &&
        (!is_pods(answer) || value_int_at(take, "metadata.deletionGracePeriodSeconds") == 0);
    const Value *old = pmap_get(answer->resource->state, key);
    if (old != NULL && !ends && value_equal(old, take)) {
        ApiResponse *same = api_response_new(200, value_ref(old));
        value_unref(take);
        return same;
    }
    const Value *stored = fake_store(answer->api, answer->resource, key, take);
    if (ends)
        stored = fake_store(answer->api, answer->resource, key, NULL);
    return api_response_new(code, value_ref(stored));
}

static ApiResponse *
create(Answer *answer)
{
    const ApiRequest *request = answer->request;
    FakeApi *api = answer->api;
    Value *object = value_ref(request->body);
    const char *base = value_string_at(object, "metadata.generateName");
    if (value_text_at(object, "metadata.name")[0] == '\0' && base != NULL) {
        g_autofree char *suffix = random_suffix(api->ports->random, 5);
        g_autofree char *made = g_strconcat(base, suffix, NULL);
        value_edit(&object, "metadata.name", value_new_string(made));
    }
    if (request->namespace_ != NULL)
        value_edit(&object, "metadata.namespace", value_new_string(request->namespace_));
    g_autofree char *name = g_strdup(value_text_at(object, "metadata.name"));
    g_autofree char *key = key_for(request->namespace_, name);
    if (name[0] == '\0' || pmap_get(answer->resource->state, key) != NULL) {
        value_unref(object);
        return refuse(name[0] == '\0' ? status_bad_request("name or generateName is required")
                                      : status_already_exists(&answer->kind, name));
    }
    g_autofree char *uid = random_uuid(api->ports->random);
    g_autofree char *now = time_now(api);
    value_edit(&object, "metadata.uid", value_new_string(uid));
    value_edit(&object, "metadata.creationTimestamp", value_new_string(now));
    if (value_has(object, "spec"))
        value_edit(&object, "metadata.generation", value_new_int(1));
    if (is_pods(answer) && !value_has(object, "status"))
        value_edit(&object, "status.phase", value_new_string("Pending"));
    return store(answer, 201, object);
}

static const char *const kept_metadata[] = {"uid",
                                            "creationTimestamp",
                                            "deletionTimestamp",
                                            "deletionGracePeriodSeconds",
                                            "generation",
                                            "namespace",
                                            "name"};

/* What an update keeps of the old object whatever the new one says. */
static Value *
keep_fields(const Answer *answer, const Value *old, const Value *new_)
{
    const char *subresource = answer->request->subresource;
    Value *result;
    if (subresource != NULL && strcmp(subresource, "status") == 0) {
        const Value *status = value_get(new_, "status");
        result = status != NULL ? value_set(old, "status", value_ref(status)) : value_ref(old);
        const Value *conditions = value_at(new_, "metadata.annotations");
        if (conditions != NULL)
            value_edit(&result, "metadata.annotations", value_ref(conditions));
        return result;
    }
    result = value_ref(new_);
    const ApiKind *kind = kind_of(answer);
    if (kind == NULL || kind->has_status_subresource) {
        if (value_has(old, "status"))
            value_edit(&result, "status", value_ref(value_get(old, "status")));
        else
            value_edit_remove(&result, "status");
    }
    const Value *metadata = value_get(old, "metadata");
    for (size_t i = 0; i < G_N_ELEMENTS(kept_metadata); i++) {
        g_autofree char *path = g_strconcat("metadata.", kept_metadata[i], NULL);
        if (value_has(metadata, kept_metadata[i]))
            value_edit(&result, path, value_ref(value_get(metadata, kept_metadata[i])));
        else
            value_edit_remove(&result, path);
    }
    if (!value_equal(value_get(old, "spec"), value_get(new_, "spec")))
        value_edit(&result, "metadata.generation",
                   value_new_int(value_int(value_get(metadata, "generation")) + 1));
    return result;
}

static ApiResponse *
replace(Answer *answer, const Value *old, const Value *new_)
{
    const char *name = value_text_at(old, "metadata.name");
    const char *asked = value_text_at(new_, "metadata.resourceVersion");
    const char *uid = value_text_at(new_, "metadata.uid");
    if (asked[0] != '\0' && strcmp(asked, value_text_at(old, "metadata.resourceVersion")) != 0)
        return refuse(status_conflict(&answer->kind, name, MODIFIED_TEXT));
    if (uid[0] != '\0' && strcmp(uid, value_text_at(old, "metadata.uid")) != 0)
        return refuse(
            status_conflict(&answer->kind, name, "Precondition failed: UID in precondition"));
    Value *kept = keep_fields(answer, old, new_);
    value_edit(&kept, "metadata.resourceVersion",
               value_ref(value_at(old, "metadata.resourceVersion")));
    return store(answer, 200, kept);
}

static ApiResponse *
scale(Answer *answer, const Value *old)
{
    const ApiRequest *request = answer->request;
    g_autoptr(Value) changed = value_ref(old);
    const Value *replicas = value_at(request->body, "spec.replicas");
    if (request->verb != API_VERB_GET && replicas != NULL)
        value_edit(&changed, "spec.replicas", value_ref(replicas));
    g_autoptr(ApiResponse) stored = replace(answer, old, changed);
    if (!api_response_ok(stored))
        return g_steal_pointer(&stored);
    return api_response_new(200,
                            value_new_f("{apiVersion: autoscaling/v1, kind: Scale, metadata: %v, "
                                        "spec: {replicas: %v}, status: {replicas: %v}}",
                                        value_get(stored->object, "metadata"),
                                        value_at(stored->object, "spec.replicas"),
                                        value_at(stored->object, "status.replicas")));
}

static ApiResponse *
delete_object(Answer *answer, const Value *old)
{
    const Value *options = answer->request->body;
    const char *name = value_text_at(old, "metadata.name");
    const char *uid = value_string_at(options, "preconditions.uid");
    const char *revision = value_string_at(options, "preconditions.resourceVersion");
    if ((uid != NULL && strcmp(uid, value_text_at(old, "metadata.uid")) != 0) ||
        (revision != NULL && strcmp(revision, value_text_at(old, "metadata.resourceVersion")) != 0))
        return refuse(status_conflict(&answer->kind, name, "the UID in the precondition differs"));
    Value *object = value_ref(old);
    const char *policy = value_text_at(options, "propagationPolicy");
    const char *finalizer = strcmp(policy, "Foreground") == 0 ? "foregroundDeletion"
                            : strcmp(policy, "Orphan") == 0   ? "orphan"
                                                              : NULL;
    if (finalizer != NULL && !value_has(value_get(old, "metadata"), "deletionTimestamp")) {
        const Value *finalizers = value_at(object, "metadata.finalizers");
        g_autoptr(Value) none = value_new_array();
        value_edit(
            &object, "metadata.finalizers",
            value_append(finalizers != NULL ? finalizers : none, value_new_string(finalizer)));
    }
    int64_t grace = 0;
    const char *phase = value_text_at(old, "status.phase");
    if (is_pods(answer) && value_text_at(old, "spec.nodeName")[0] != '\0' &&
        strcmp(phase, "Failed") != 0 && strcmp(phase, "Succeeded") != 0)
        grace = value_int_at_or(options, "gracePeriodSeconds",
                                value_int_at_or(old, "spec.terminationGracePeriodSeconds", 30));
    bool was_deleting = value_has(value_get(old, "metadata"), "deletionTimestamp");
    if (!was_deleting || grace < value_int_at(old, "metadata.deletionGracePeriodSeconds")) {
        g_autofree char *when =
            timestamp_text(clock_now(answer->api->ports->clock) + grace * NS_PER_S);
        value_edit(&object, "metadata.deletionTimestamp", value_new_string(when));
        value_edit(&object, "metadata.deletionGracePeriodSeconds", value_new_int(grace));
    }
    if (value_size(value_at(object, "metadata.finalizers")) == 0 && grace == 0) {
        value_unref(object);
        g_autofree char *key = key_for(value_string_at(old, "metadata.namespace"), name);
        return api_response_new(200,
                                value_ref(fake_store(answer->api, answer->resource, key, NULL)));
    }
    return store(answer, 200, object);
}

static ApiResponse *
list(Answer *answer)
{
    const ApiRequest *request = answer->request;
    ValueBuilder *items = value_builder_new_array();
    g_autofree char *prefix =
        request->namespace_ != NULL ? g_strconcat(request->namespace_, "/", NULL) : g_strdup("");
    PMapIter iter = pmap_seek_prefix(answer->resource->state, prefix);
    while (pmap_next(&iter))
        if (fake_matches(iter.value, request->list.label_selector, request->list.field_selector))
            value_builder_append(items, value_ref(iter.value));
    g_autofree char *revision = g_strdup_printf("%" G_GINT64_FORMAT, answer->api->revision);
    ApiResponse *response = api_response_new(
        200, value_new_f("{apiVersion: v1, kind: List, metadata: {resourceVersion: %s}, items: %V}",
                         revision, value_builder_end(items)));
    if (request->want_state && !answer->api->hides_state)
        response->state = pmap_ref(answer->resource->state);
    return response;
}

static ApiResponse *
delete_collection(Answer *answer)
{
    g_autoptr(ApiResponse) found = list(answer);
    VALUE_ARRAY_FOREACH (item, value_get(found->object, "items"))
        api_response_free(delete_object(answer, item));
    return g_steal_pointer(&found);
}

static ApiResponse *
create_subresource(Answer *answer, const Value *old)
{
    const ApiRequest *request = answer->request;
    if (strcmp(request->subresource, "eviction") == 0) {
        api_response_free(delete_object(answer, old));
        return api_response_new(201, status_success(NULL, NULL, NULL));
    }
    if (strcmp(request->subresource, "binding") != 0)
        return refuse(status_not_found(&answer->kind, request->name));
    const char *node = value_text_at(old, "spec.nodeName");
    if (node[0] != '\0') {
        g_autofree char *text =
            g_strdup_printf("pod %s is already assigned to node \"%s\"", request->name, node);
        return refuse(status_conflict(&answer->kind, request->name, text));
    }
    Value *bound = value_set_at(old, "spec.nodeName",
                                value_new_string(value_text_at(request->body, "target.name")));
    g_autofree char *now = time_now(answer->api);
    value_edit(&bound, "status.conditions",
               value_new_f("[{type: PodScheduled, status: 'True', lastTransitionTime: %s}]", now));
    api_response_free(store(answer, 201, bound));
    return api_response_new(201, status_success(NULL, NULL, NULL));
}

/* NULL and *error when the patch does not apply. */
static Value *
apply_patch(const Answer *answer, const Value *old, GError **error)
{
    const ApiRequest *request = answer->request;
    const ApiKind *kind = kind_of(answer);
    if (request->patch_type == PATCH_JSON)
        return json_patch_apply(old, request->body, error);
    if (request->patch_type == PATCH_STRATEGIC && kind != NULL)
        return schema_strategic_merge(kind->schema, old, request->body, error);
    return merge_patch_apply(old, request->body);
}

static ApiResponse *
patch(Answer *answer, const Value *old)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) patched = apply_patch(answer, old, &error);
    if (patched == NULL)
        return refuse(status_new(422, "Invalid", "%s", error->message));
    if (!value_has(value_get(answer->request->body, "metadata"), "resourceVersion"))
        value_edit_remove(&patched, "metadata.resourceVersion");
    return replace(answer, old, patched);
}

static ApiResponse *
answer_named(Answer *answer)
{
    const ApiRequest *request = answer->request;
    g_autofree char *key = key_for(request->namespace_, request->name);
    const Value *found = pmap_get(answer->resource->state, key);
    if (found == NULL && request->verb == API_VERB_PATCH && request->patch_type == PATCH_APPLY)
        return create(answer);
    if (found == NULL)
        return refuse(status_not_found(&answer->kind, request->name));
    g_autoptr(Value) old = value_ref(found);
    if (request->subresource != NULL && strcmp(request->subresource, "scale") == 0)
        return scale(answer, old);
    switch (request->verb) {
    case API_VERB_GET:
        return api_response_new(200, value_ref(old));
    case API_VERB_UPDATE:
        return replace(answer, old, request->body);
    case API_VERB_PATCH:
        return patch(answer, old);
    case API_VERB_DELETE:
        return delete_object(answer, old);
    case API_VERB_CREATE:
        return create_subresource(answer, old);
    default:
        return refuse(status_method_not_supported(&answer->kind, api_request_label(request)));
    }
}

ApiResponse *
fake_answer(FakeApi *api, const ApiRequest *request)
{
    Answer answer = {.api = api,
                     .request = request,
                     .resource = fake_resource(api, request->group, request->resource),
                     .kind = {.group = request->group, .resource = request->resource}};
    if (request->verb == API_VERB_LIST)
        return list(&answer);
    if (request->verb == API_VERB_DELETECOLLECTION)
        return delete_collection(&answer);
    if (request->verb == API_VERB_CREATE && request->subresource == NULL)
        return create(&answer);
    return answer_named(&answer);
}
