/* Who may do what. For now: whoever is authenticated may do everything, and anonymous users nothing
 * (the health and version paths are the HTTP face's). RBAC takes this function's place. */
#include "core/apiserver/private.h"

bool
user_is_authenticated(const ApiUser *user)
{
    return user != NULL && strcmp(user->name, "system:anonymous") != 0;
}

static char *
authorize_scope(const ApiRequest *request)
{
    return request->namespace_ == NULL
               ? g_strdup("at the cluster scope")
               : g_strdup_printf("in the namespace \"%s\"", request->namespace_);
}

Value *
authorize(ApiServer *server, const ApiRequest *request, const ApiKind *kind)
{
    g_autofree char *scope = NULL, *resource = NULL, *message = NULL;

    if (user_is_authenticated(request->user))
        return NULL;
    scope = authorize_scope(request);
    resource = request->subresource == NULL
                   ? g_strdup(kind->resource)
                   : g_strconcat(kind->resource, "/", request->subresource, NULL);
    message = g_strdup_printf("User \"%s\" cannot %s resource \"%s\" in API group \"%s\" %s",
                              user_name(request), api_verb_name(request->verb), resource,
                              kind->group, scope);
    return status_forbidden(kind, request->name, message);
}
