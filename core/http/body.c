/* Bodies: JSON, YAML and protobuf, and the four media types of patches. */
#include "core/api/schema.h"
#include "core/http/private.h"
#include "core/object/yaml.h"

#define TYPE_PROTOBUF "application/vnd.kubernetes.protobuf"

static const struct {
    const char *type;
    PatchType patch;
} patch_types[] = {
    {"application/json-patch+json", PATCH_JSON},
    {"application/merge-patch+json", PATCH_MERGE},
    {"application/strategic-merge-patch+json", PATCH_STRATEGIC},
    {"application/apply-patch+yaml", PATCH_APPLY},
};

static char *
body_type(const HttpRequest *request)
{
    const char *type = http_request_header(request, "Content-Type");
    char *plain =
        g_ascii_strdown(type == NULL ? "" : type, type == NULL ? 0 : (gssize)strcspn(type, ";"));

    return g_strstrip(plain);
}

static Value *
body_unsupported(bool patch)
{
    if (patch)
        return status_new(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            "application/json-patch+json, application/merge-patch+json, "
            "application/apply-patch+yaml, "
            "application/strategic-merge-patch+json");
    return status_new(415, "UnsupportedMediaType",
                      "the body of the request was in an unknown format - accepted media types "
                      "include: application/json, "
                      "application/yaml, application/vnd.kubernetes.protobuf");
}

static Value *
body_json(const HttpRequest *request, ApiRequest *api)
{
    g_autoptr(GPtrArray) duplicates = NULL;
    g_autoptr(GError) error = NULL;

    api->body = json_parse_strict(request->body, request->body_length, &duplicates, &error);
    if (api->body == NULL)
        return status_bad_request("the object provided is unrecognized (must be of type %s): %s",
                                  api->resource, error->message);
    for (guint i = 0; duplicates != NULL && i < duplicates->len; i++) {
        if (api->unknown_fields == NULL)
            api->unknown_fields = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(
            api->unknown_fields,
            g_strdup_printf("duplicate field \"%s\"", (char *)g_ptr_array_index(duplicates, i)));
    }
    return NULL;
}

static Value *
body_yaml(const HttpRequest *request, ApiRequest *api)
{
    g_autoptr(GError) error = NULL;

    api->body = yaml_parse(request->body, request->body_length, &error);
    return api->body == NULL ? status_bad_request("error decoding YAML: %s", error->message) : NULL;
}

static Value *
body_protobuf(HttpFace *face, const HttpRequest *request, ApiRequest *api)
{
    g_autoptr(GError) error = NULL;

    api->body = api_from_protobuf(api_server_types(face->server), request->body,
                                  request->body_length, &error);
    return api->body == NULL ? status_bad_request("%s", error->message) : NULL;
}

static Value *
body_patch(const HttpRequest *request, ApiRequest *api, const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(patch_types); i++)
        if (strcmp(type, patch_types[i].type) == 0) {
            api->patch_type = patch_types[i].patch;
            return api->patch_type == PATCH_APPLY ? body_yaml(request, api)
                                                  : body_json(request, api);
        }
    return body_unsupported(true);
}

Value *
body_read(HttpFace *face, const HttpRequest *request, ApiRequest *api)
{
    g_autofree char *type = NULL;

    if ((api->verb & (API_VERB_GET | API_VERB_LIST | API_VERB_WATCH)) != 0)
        return NULL;
    if (request->body_length > BODY_SIZE_MAX)
        return status_new(413, "RequestEntityTooLarge", "Request entity too large: limit is %u",
                          BODY_SIZE_MAX);
    if (request->body_length == 0) {
        if ((api->verb & (API_VERB_DELETE | API_VERB_DELETECOLLECTION)) != 0 ||
            api->verb == API_VERB_CREATE)
            return NULL;
        return status_bad_request("the request has no body");
    }
    type = body_type(request);
    if (api->verb == API_VERB_PATCH)
        return body_patch(request, api, type);
    if (strcmp(type, TYPE_PROTOBUF) == 0)
        return body_protobuf(face, request, api);
    if (strcmp(type, "application/yaml") == 0)
        return body_yaml(request, api);
    if (*type != '\0' && strcmp(type, "application/json") != 0)
        return body_unsupported(false);
    return body_json(request, api);
}
