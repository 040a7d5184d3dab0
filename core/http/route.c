/* Paths and methods of the REST API, and what the query says (apiserver pkg/endpoints/installer.go,
 * request/requestinfo.go). */
#include "core/http/private.h"

/* Segments after the version. Cuts off "watch" of the old watch paths. */
typedef struct Route {
    const char *group, *version;
    char *const *rest;
    size_t n;
    bool old_watch;
} Route;

static bool
route_begin(const Url *url, Route *ret_route)
{
    size_t skip;

    memset(ret_route, 0, sizeof *ret_route);
    if (url->n_segments >= 2 && strcmp(url->segments[0], "api") == 0) {
        ret_route->group = "";
        ret_route->version = url->segments[1];
        skip = 2;
    } else if (url->n_segments >= 3 && strcmp(url->segments[0], "apis") == 0) {
        ret_route->group = url->segments[1];
        ret_route->version = url->segments[2];
        skip = 3;
    } else {
        return false;
    }
    ret_route->rest = url->segments + skip;
    ret_route->n = url->n_segments - skip;
    if (ret_route->n > 1 && strcmp(ret_route->rest[0], "watch") == 0) {
        ret_route->old_watch = true;
        ret_route->rest++;
        ret_route->n--;
    }
    return ret_route->n > 0;
}

static void
set(char **slot, const char *text)
{
    g_free(*slot);
    *slot = g_strdup(text);
}

/* resource[/name[/subresource]], below a namespace or not. False when there is more than that. */
static bool
route_names(const Route *route, ApiRequest *api)
{
    char *const *part = route->rest;
    size_t n = route->n;

    if (n >= 3 && strcmp(part[0], "namespaces") == 0 && strcmp(part[2], "status") != 0 &&
        strcmp(part[2], "finalize") != 0) {
        set(&api->namespace_, part[1]);
        part += 2;
        n -= 2;
    }
    set(&api->resource, part[0]);
    if (n > 1)
        set(&api->name, part[1]);
    if (n > 2)
        set(&api->subresource, part[2]);
    return n <= 3;
}

static bool
route_verb(const char *method, bool named, bool watch, ApiVerb *ret_verb)
{
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        *ret_verb = named ? API_VERB_GET : watch ? API_VERB_WATCH : API_VERB_LIST;
    else if (strcmp(method, "POST") == 0)
        *ret_verb = API_VERB_CREATE;
    else if (strcmp(method, "PUT") == 0)
        *ret_verb = API_VERB_UPDATE;
    else if (strcmp(method, "PATCH") == 0)
        *ret_verb = API_VERB_PATCH;
    else if (strcmp(method, "DELETE") == 0)
        *ret_verb = named ? API_VERB_DELETE : API_VERB_DELETECOLLECTION;
    else
        return false;
    return true;
}

static Value *
route_query_number(const Url *url, const char *name, int64_t *ret_number)
{
    const char *text = url_param(url, name);
    char *end = NULL;

    if (text == NULL || *text == '\0')
        return NULL;
    *ret_number = g_ascii_strtoll(text, &end, 10);
    if (*end != '\0' || *ret_number < 0)
        return status_bad_request("strconv.ParseInt: parsing \"%s\": invalid syntax", text);
    return NULL;
}

static Value *
route_query_list(const Url *url, ApiRequest *api)
{
    const char *match = url_param(url, "resourceVersionMatch");
    ApiListOptions *list = &api->list;
    Value *refusal;

    set(&list->label_selector, url_param(url, "labelSelector"));
    set(&list->field_selector, url_param(url, "fieldSelector"));
    set(&list->resource_version, url_param(url, "resourceVersion"));
    set(&list->continue_token, url_param(url, "continue"));
    list->watch_bookmarks = url_param_bool(url, "allowWatchBookmarks");
    list->send_initial_events = url_param_bool(url, "sendInitialEvents");
    if ((refusal = route_query_number(url, "limit", &list->limit)) != NULL ||
        (refusal = route_query_number(url, "timeoutSeconds", &list->timeout_seconds)) != NULL)
        return refusal;
    if (match == NULL || *match == '\0')
        list->rv_match = RV_MATCH_UNSET;
    else if (strcmp(match, "Exact") == 0)
        list->rv_match = RV_MATCH_EXACT;
    else if (strcmp(match, "NotOlderThan") == 0)
        list->rv_match = RV_MATCH_NOT_OLDER_THAN;
    else
        return status_new(422, "Invalid",
                          "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: "
                          "Unsupported value: \"%s\": supported "
                          "values: \"Exact\", \"NotOlderThan\"",
                          match);
    return NULL;
}

static Value *
route_query_write(const Url *url, ApiRequest *api)
{
    const char *validation = url_param(url, "fieldValidation");

    VALUE_ARRAY_FOREACH (dry_run, value_get(url->query, "dryRun")) {
        if (strcmp(value_text(dry_run), "All") != 0)
            return status_new(422, "Invalid",
                              "%s.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"%s\": "
                              "supported values: \"All\"",
                              api->verb == API_VERB_PATCH    ? "PatchOptions"
                              : api->verb == API_VERB_UPDATE ? "UpdateOptions"
                              : api->verb == API_VERB_CREATE ? "CreateOptions"
                                                             : "DeleteOptions",
                              value_text(dry_run));
        api->dry_run = true;
    }
    api->force = url_param_bool(url, "force");
    set(&api->field_manager, url_param(url, "fieldManager"));
    if (validation == NULL || *validation == '\0' || strcmp(validation, "Warn") == 0)
        api->field_validation = FIELD_VALIDATION_WARN;
    else if (strcmp(validation, "Strict") == 0)
        api->field_validation = FIELD_VALIDATION_STRICT;
    else if (strcmp(validation, "Ignore") == 0)
        api->field_validation = FIELD_VALIDATION_IGNORE;
    else
        return status_new(422, "Invalid",
                          "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported "
                          "value: \"%s\": supported "
                          "values: \"Ignore\", \"Strict\", \"Warn\"",
                          validation);
    return NULL;
}

ApiRequest *
route_request(HttpFace *face, const HttpRequest *request, const Url *url, Value **ret_refusal)
{
    g_autoptr(ApiRequest) api = NULL;
    Route route;
    bool complete;

    if (!route_begin(url, &route)) {
        *ret_refusal =
            status_new(404, "NotFound", "the server could not find the requested resource");
        return NULL;
    }
    api = api_request_new(API_VERB_GET, route.group, "", NULL, NULL);
    set(&api->version, route.version);
    complete = route_names(&route, api);
    if (!route_verb(request->method, api->name != NULL,
                    route.old_watch || url_param_bool(url, "watch"), &api->verb)) {
        *ret_refusal =
            status_new(405, "MethodNotAllowed",
                       "the server does not allow this method on the requested resource");
        return NULL;
    }
    if (!complete && g_strcmp0(api->subresource, "proxy") != 0) {
        *ret_refusal =
            status_new(404, "NotFound", "the server could not find the requested resource");
        return NULL;
    }
    if (api_types_by_resource(api_server_types(face->server), api->group, api->version,
                              api->resource) == NULL) {
        *ret_refusal =
            status_new(404, "NotFound", "the server could not find the requested resource");
        return NULL;
    }
    *ret_refusal = route_query_list(url, api);
    if (*ret_refusal == NULL)
        *ret_refusal = route_query_write(url, api);
    if (*ret_refusal != NULL)
        return NULL;
    api->query = value_ref(url->query);
    set(&api->user_agent, http_request_header(request, "User-Agent"));
    return g_steal_pointer(&api);
}
