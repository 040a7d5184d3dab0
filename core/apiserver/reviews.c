/* Kinds that are asked and answered, never stored: who am I, may I, is this token good
 * (authentication.k8s.io and authorization.k8s.io). */
#include "core/apiserver/private.h"

bool
review_handles(const ApiKind *kind)
{
    return strcmp(kind->group, "authentication.k8s.io") == 0 ||
           strcmp(kind->group, "authorization.k8s.io") == 0;
}

static Value *
user_info(const ApiUser *user)
{
    ValueBuilder *groups = value_builder_new_array();

    for (char **group = user == NULL ? NULL : user->groups; group != NULL && *group != NULL;
         group++)
        value_builder_append(groups, value_new_string(*group));
    return value_new_f("{username: %s, uid: ?%s, groups: %V, extra: ?%v}",
                       user == NULL ? "system:anonymous" : user->name,
                       user == NULL ? NULL : user->uid, value_builder_end(groups),
                       user == NULL ? NULL : user->extra);
}

static Value *
review_token(ApiCall *call, const Value *object)
{
    g_autoptr(ApiUser) user =
        api_server_authenticate_token(call->server, value_text_at(object, "spec.token"));

    if (user == NULL)
        return value_new_f("{authenticated: false, error: 'invalid bearer token', user: {}}");
    return value_new_f("{authenticated: true, user: %V, audiences: ?%v}", user_info(user),
                       value_at(object, "spec.audiences"));
}

static Value *
review_rules(void)
{
    return value_new_f(
        "{incomplete: false, resourceRules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}], "
        "nonResourceRules: [{verbs: ['*'], nonResourceURLs: ['*']}]}");
}

static Value *
review_access(ApiCall *call, const Value *object)
{
    const char *who = value_string_at(object, "spec.user");
    bool allowed = who == NULL ? user_is_authenticated(call->request->user)
                               : strcmp(who, "system:anonymous") != 0;

    if (!allowed)
        return value_new_f("{allowed: false, reason: 'anonymous users may do nothing here'}");
    return value_new_f("{allowed: true, reason: 'all authenticated users may do everything here'}");
}

void
call_review(ApiCall *call)
{
    Value *object = NULL, *status;
    Value *refusal = call_decode(call, call->request->body, &object);
    const char *kind = call->kind->kind;

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    if (strcmp(kind, "TokenReview") == 0)
        status = review_token(call, object);
    else if (strcmp(kind, "SelfSubjectReview") == 0)
        status = value_new_f("{userInfo: %V}", user_info(call->request->user));
    else if (strcmp(kind, "SelfSubjectRulesReview") == 0)
        status = review_rules();
    else
        status = review_access(call, object);
    value_edit(&object, "status", status);
    value_edit(&object, "metadata.creationTimestamp", value_new_null());
    call_answer(call, 201, object);
}
