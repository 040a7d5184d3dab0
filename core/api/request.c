/* Life of requests, answers and the users who ask. */
#include "core/api/request.h"

#include "core/base/pmap.h"

#include <string.h>

/* ---- users
 * ------------------------------------------------------------------------------------------ */

typedef struct CountedUser {
    ApiUser base;
    unsigned references;
} CountedUser;

ApiUser *
api_user_new(const char *name, const char *const *groups)
{
    static const char *const none[] = {NULL};
    CountedUser *user = g_new0(CountedUser, 1);
    user->references = 1;
    user->base.name = g_strdup(name);
    user->base.groups = g_strdupv((char **)(groups != NULL ? groups : none));
    return &user->base;
}

ApiUser *
api_user_ref(ApiUser *user)
{
    if (user != NULL)
        ((CountedUser *)user)->references++;
    return user;
}

void
api_user_unref(ApiUser *user)
{
    if (user == NULL || --((CountedUser *)user)->references > 0)
        return;
    g_free(user->name);
    g_free(user->uid);
    g_strfreev(user->groups);
    value_unref(user->extra);
    g_free(user);
}

bool
api_user_in_group(const ApiUser *user, const char *group)
{
    return user != NULL && user->groups != NULL &&
           g_strv_contains((const char *const *)user->groups, group);
}

/* ---- requests
 * --------------------------------------------------------------------------------------- */

typedef struct LabelledRequest {
    ApiRequest base;
    char *label; /* made when first asked for */
} LabelledRequest;

ApiRequest *
api_request_new(ApiVerb verb, const char *group, const char *resource, const char *namespace_,
                const char *name)
{
    LabelledRequest *request = g_new0(LabelledRequest, 1);
    request->base.verb = verb;
    request->base.group = g_strdup(group != NULL ? group : "");
    request->base.resource = g_strdup(resource);
    request->base.namespace_ = g_strdup(namespace_);
    request->base.name = g_strdup(name);
    return &request->base;
}

void
api_request_free(ApiRequest *request)
{
    if (request == NULL)
        return;
    g_free(request->group);
    g_free(request->version);
    g_free(request->resource);
    g_free(request->subresource);
    g_free(request->namespace_);
    g_free(request->name);
    value_unref(request->body);
    g_free(request->list.label_selector);
    g_free(request->list.field_selector);
    g_free(request->list.resource_version);
    g_free(request->list.continue_token);
    g_free(request->field_manager);
    value_unref(request->query);
    if (request->unknown_fields != NULL)
        g_ptr_array_unref(request->unknown_fields);
    api_user_unref(request->user);
    g_free(request->user_agent);
    g_free(((LabelledRequest *)request)->label);
    g_free(request);
}

ApiRequest *
api_request_copy(const ApiRequest *request)
{
    ApiRequest *copy = api_request_new(request->verb, request->group, request->resource,
                                       request->namespace_, request->name);
    copy->version = g_strdup(request->version);
    copy->subresource = g_strdup(request->subresource);
    copy->body = request->body != NULL ? value_ref(request->body) : NULL;
    copy->patch_type = request->patch_type;
    copy->list = request->list;
    copy->list.label_selector = g_strdup(request->list.label_selector);
    copy->list.field_selector = g_strdup(request->list.field_selector);
    copy->list.resource_version = g_strdup(request->list.resource_version);
    copy->list.continue_token = g_strdup(request->list.continue_token);
    copy->dry_run = request->dry_run;
    copy->force = request->force;
    copy->field_validation = request->field_validation;
    copy->field_manager = g_strdup(request->field_manager);
    copy->query = request->query != NULL ? value_ref(request->query) : NULL;
    if (request->unknown_fields != NULL)
        copy->unknown_fields = g_ptr_array_ref(request->unknown_fields);
    copy->want_state = request->want_state;
    copy->trusted_body = request->trusted_body;
    copy->user = api_user_ref(request->user);
    copy->user_agent = g_strdup(request->user_agent);
    return copy;
}

static const char *
verb_method(ApiVerb verb)
{
    switch (verb) {
    case API_VERB_GET:
        return "GET";
    case API_VERB_LIST:
        return "LIST";
    case API_VERB_WATCH:
        return "WATCH";
    case API_VERB_CREATE:
        return "POST";
    case API_VERB_UPDATE:
        return "PUT";
    case API_VERB_PATCH:
        return "PATCH";
    case API_VERB_DELETE:
    case API_VERB_DELETECOLLECTION:
        return "DELETE";
    case API_VERB_CONNECT:
        return "CONNECT";
    }
    return "?";
}

const char *
api_request_label(const ApiRequest *request)
{
    LabelledRequest *labelled = (LabelledRequest *)request;
    if (labelled->label == NULL)
        labelled->label = g_strconcat(
            verb_method(request->verb), " ", request->resource != NULL ? request->resource : "",
            request->subresource != NULL ? "/" : "", request->subresource, NULL);
    return labelled->label;
}

/* ---- answers
 * ---------------------------------------------------------------------------------------- */

ApiResponse *
api_response_new(int code, Value *take_object)
{
    ApiResponse *response = g_new0(ApiResponse, 1);
    response->code = code;
    response->object = take_object;
    return response;
}

void
api_response_free(ApiResponse *response)
{
    if (response == NULL)
        return;
    value_unref(response->object);
    pmap_unref(response->state);
    g_strfreev(response->warnings);
    g_free(response);
}

bool
api_response_ok(const ApiResponse *response)
{
    return response->code >= 200 && response->code < 300;
}

const char *
watch_event_name(WatchEventType type)
{
    static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    g_assert((size_t)type < G_N_ELEMENTS(names));
    return names[type];
}
