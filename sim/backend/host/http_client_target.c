/* An ApiRequest as method, path and query. */
#include <string.h>

#include "sim/backend/host/http_client_private.h"

static void
append_segment(GString *out, const char *text)
{
    g_autofree char *escaped = g_uri_escape_string(text, ":", TRUE);
    g_string_append_printf(out, "/%s", escaped);
}

static void
append_query(GString *out, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    g_autofree char *escaped = g_uri_escape_string(value, NULL, TRUE);
    g_string_append_printf(out, "%c%s=%s", strchr(out->str, '?') == NULL ? '?' : '&', key, escaped);
}

static void
append_number(GString *out, const char *key, int64_t number)
{
    g_autofree char *text = number > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, number) : NULL;
    append_query(out, key, text);
}

static const char *
version_of(const ApiTypes *types, const ApiRequest *request)
{
    if (request->version != NULL)
        return request->version;
    const ApiKind *kind =
        types != NULL ? api_types_by_resource(types, request->group, NULL, request->resource)
                      : NULL;
    return kind != NULL ? kind->version : "v1";
}

static void
append_list_options(GString *out, const ApiRequest *request)
{
    const ApiListOptions *list = &request->list;
    append_query(out, "labelSelector", list->label_selector);
    append_query(out, "fieldSelector", list->field_selector);
    append_query(out, "resourceVersion", list->resource_version);
    append_query(out, "continue", list->continue_token);
    append_number(out, "limit", list->limit);
    append_number(out, "timeoutSeconds", list->timeout_seconds);
    if (list->rv_match != RV_MATCH_UNSET)
        append_query(out, "resourceVersionMatch",
                     list->rv_match == RV_MATCH_EXACT ? "Exact" : "NotOlderThan");
    if (request->verb == API_VERB_WATCH)
        append_query(out, "watch", "true");
    if (list->watch_bookmarks)
        append_query(out, "allowWatchBookmarks", "true");
    if (list->send_initial_events)
        append_query(out, "sendInitialEvents", "true");
}

static void
append_write_options(GString *out, const ApiRequest *request)
{
    static const char *const validation[] = {[FIELD_VALIDATION_WARN] = "Warn",
                                             [FIELD_VALIDATION_STRICT] = "Strict",
                                             [FIELD_VALIDATION_IGNORE] = "Ignore"};
    if (request->dry_run)
        append_query(out, "dryRun", "All");
    if (request->verb == API_VERB_DELETE || request->verb == API_VERB_DELETECOLLECTION)
        return;
    append_query(out, "fieldManager", request->field_manager);
    append_query(out, "fieldValidation", validation[request->field_validation]);
    if (request->force)
        append_query(out, "force", "true");
}

char *
http_client_target(const ApiTypes *types, const ApiRequest *request)
{
    GString *out = g_string_new(*request->group == '\0' ? "/api" : "/apis");
    if (*request->group != '\0')
        append_segment(out, request->group);
    append_segment(out, version_of(types, request));
    if (request->namespace_ != NULL && *request->namespace_ != '\0') {
        g_string_append(out, "/namespaces");
        append_segment(out, request->namespace_);
    }
    append_segment(out, request->resource);
    bool named = request->name != NULL && *request->name != '\0' &&
                 (request->verb != API_VERB_CREATE || request->subresource != NULL);
    if (named)
        append_segment(out, request->name);
    if (request->subresource != NULL)
        append_segment(out, request->subresource);
    if (request->verb == API_VERB_LIST || request->verb == API_VERB_WATCH ||
        request->verb == API_VERB_DELETECOLLECTION)
        append_list_options(out, request);
    else if (request->verb != API_VERB_GET && request->verb != API_VERB_CONNECT)
        append_write_options(out, request);
    VALUE_MAP_FOREACH (key, values, request->query) {
        if (value_is_string(values))
            append_query(out, key, value_text(values));
        VALUE_ARRAY_FOREACH (value, values)
            append_query(out, key, value_text(value));
    }
    return g_string_free(out, FALSE);
}

const char *
http_client_method(const ApiRequest *request)
{
    switch (request->verb) {
    case API_VERB_CREATE:
        return "POST";
    case API_VERB_UPDATE:
        return "PUT";
    case API_VERB_PATCH:
        return "PATCH";
    case API_VERB_DELETE:
    case API_VERB_DELETECOLLECTION:
        return "DELETE";
    default:
        return "GET";
    }
}

const char *
http_client_content_type(const ApiRequest *request)
{
    static const char *const types[] = {[PATCH_NONE] = "application/json",
                                        [PATCH_JSON] = "application/json-patch+json",
                                        [PATCH_MERGE] = "application/merge-patch+json",
                                        [PATCH_STRATEGIC] =
                                            "application/strategic-merge-patch+json",
                                        [PATCH_APPLY] = "application/apply-patch+yaml"};
    return types[request->patch_type];
}
