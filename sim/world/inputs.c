#include "sim/world/inputs.h"

#include <string.h>

struct Inputs {
    GArray *items;
    bool truncated;
};

static void
input_clear(void *data)
{
    value_unref(((Input *)data)->payload);
}

Inputs *
inputs_new(void)
{
    Inputs *inputs = g_new0(Inputs, 1);
    inputs->items = g_array_new(FALSE, FALSE, sizeof(Input));
    g_array_set_clear_func(inputs->items, input_clear);
    return inputs;
}

void
inputs_free(Inputs *inputs)
{
    if (inputs == NULL)
        return;
    g_array_unref(inputs->items);
    g_free(inputs);
}

void
inputs_add(Inputs *inputs, int64_t time_ns, const char *kind, Value *take_payload)
{
    if (inputs->items->len >= INPUTS_MAX) {
        inputs->truncated = true;
        value_unref(take_payload);
        return;
    }
    Input input = {time_ns, kind, take_payload};
    g_array_append_val(inputs->items, input);
}

size_t
inputs_count(const Inputs *inputs)
{
    return inputs->items->len;
}

const Input *
inputs_item(const Inputs *inputs, size_t index)
{
    return &g_array_index(inputs->items, Input, index);
}

bool
inputs_are_complete(const Inputs *inputs)
{
    return !inputs->truncated;
}

static Value *
user_to_value(const ApiUser *user)
{
    if (user == NULL)
        return NULL;
    Value *groups = value_new_array();
    for (char **group = user->groups; group != NULL && *group != NULL; group++)
        value_replace(&groups, value_append(groups, value_new_string(*group)));
    return value_new_f("{name: %s, uid: ?%s, groups: %V}", user->name, user->uid, groups);
}

Value *
request_to_value(const ApiRequest *request)
{
    return value_new_f(
        "{verb: %i, group: ?%s, version: ?%s, resource: ?%s, subresource: ?%s, namespace: ?%s,"
        " name: ?%s, body: ?%v, patchType: ?%i, labelSelector: ?%s, fieldSelector: ?%s,"
        " dryRun: ?%b, force: ?%b, fieldValidation: ?%i, fieldManager: ?%s, query: ?%v,"
        " user: ?%V, userAgent: ?%s}",
        (int64_t)request->verb, request->group, request->version, request->resource,
        request->subresource, request->namespace_, request->name, request->body,
        (int64_t)request->patch_type, request->list.label_selector, request->list.field_selector,
        (int)request->dry_run, (int)request->force, (int64_t)request->field_validation,
        request->field_manager, request->query, user_to_value(request->user),
        request->user_agent);
}

static char *
text_of(const Value *value, const char *key)
{
    return g_strdup(value_string(value_get(value, key)));
}

static ApiUser *
user_from_value(const Value *value)
{
    if (value == NULL)
        return NULL;
    g_autoptr(GPtrArray) groups = g_ptr_array_new();
    VALUE_ARRAY_FOREACH(group, value_get(value, "groups"))
    {
        g_ptr_array_add(groups, (void *)value_text(group));
    }
    g_ptr_array_add(groups, NULL);
    ApiUser *user = api_user_new(value_text(value_get(value, "name")),
                                 (const char *const *)groups->pdata);
    user->uid = text_of(value, "uid");
    return user;
}

ApiRequest *
request_from_value(const Value *value)
{
    ApiRequest *request = api_request_new(
        (ApiVerb)value_int(value_get(value, "verb")), value_string(value_get(value, "group")),
        value_string(value_get(value, "resource")), value_string(value_get(value, "namespace")),
        value_string(value_get(value, "name")));
    g_free(request->version);
    g_free(request->subresource);
    request->version = text_of(value, "version");
    request->subresource = text_of(value, "subresource");
    const Value *body = value_get(value, "body");
    request->body = body != NULL ? value_ref(body) : NULL;
    request->patch_type = (PatchType)value_int(value_get(value, "patchType"));
    request->list.label_selector = text_of(value, "labelSelector");
    request->list.field_selector = text_of(value, "fieldSelector");
    request->dry_run = value_bool(value_get(value, "dryRun"));
    request->force = value_bool(value_get(value, "force"));
    request->field_validation =
        (FieldValidation)value_int(value_get(value, "fieldValidation"));
    request->field_manager = text_of(value, "fieldManager");
    const Value *query = value_get(value, "query");
    request->query = query != NULL ? value_ref(query) : NULL;
    request->user = user_from_value(value_get(value, "user"));
    request->user_agent = text_of(value, "userAgent");
    return request;
}
