/* Server-side apply: the object as one manager wants it is laid over the stored one; fields that
 * another manager set to another value are conflicts unless forced; what the manager applied before
 * and left out now goes, unless somebody else owns it too (apimachinery util/managedfields,
 * structured-merge-diff merge/update.go). */
#include "core/api/defaults.h"
#include "core/apiserver/field_sets.h"
#include "core/apiserver/managed.h"

typedef struct Apply {
    ApiCall *call;
    Shape root;
    const char *manager;
    Value *config;  /* as sent, decoded */
    Value *live;    /* content of the stored object */
    Value *content; /* of the config */
    Value *applied; /* its fields */
    int mine;       /* index of our entry, or -1 */
    const Value *entries;
} Apply;

static void
apply_clear(Apply *apply)
{
    value_unref(apply->config);
    value_unref(apply->live);
    value_unref(apply->content);
    value_unref(apply->applied);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Apply, apply_clear)

static Value *
apply_decode(ApiCall *call, Value **ret_config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) unknown = NULL;
    const Value *body = call->request->body;

    if (call->request->field_manager == NULL || *call->request->field_manager == '\0')
        return status_new(422, "Invalid",
                          "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: "
                          "is required for apply patch");
    if (!value_is_map(body) || *object_kind(body) == '\0' || *object_api_version(body) == '\0')
        return status_bad_request("apiVersion and kind must be set in an apply configuration");
    if (value_size(value_at(body, "metadata.managedFields")) > 0)
        return status_bad_request("metadata.managedFields must be nil");
    if (*object_name(body) != '\0' && strcmp(object_name(body), call->request->name) != 0)
        return status_bad_request(
            "the name of the object (%s) does not match the name on the URL (%s)",
            object_name(body), call->request->name);
    *ret_config = schema_decode(call->kind->schema, body, &unknown, &error);
    if (*ret_config == NULL)
        return status_bad_request("%s", error->message);
    return decode_judge_unknown(call, unknown);
}

static void
apply_find_conflicts(Apply *apply, GPtrArray *causes)
{
    for (size_t i = 0; i < value_size(apply->entries); i++) {
        const Value *entry = value_item(apply->entries, i);
        g_autoptr(Value) shared = NULL;
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);

        if ((int)i == apply->mine)
            continue;
        shared = field_set_intersect(apply->applied, value_get(entry, "fieldsV1"));
        if (shared == NULL)
            continue;
        field_conflicts(apply->root, shared, apply->live, apply->content, "", paths);
        for (guint p = 0; p < paths->len; p++) {
            g_autofree char *message = g_strdup_printf(
                "conflict with \"%s\"%s%s%s using %s", value_text_at(entry, "manager"),
                *value_text_at(entry, "subresource") == '\0' ? "" : " with subresource \"",
                value_text_at(entry, "subresource"),
                *value_text_at(entry, "subresource") == '\0' ? "" : "\"",
                value_text_at(entry, "apiVersion"));

            g_ptr_array_add(causes,
                            value_new_f("{reason: FieldManagerConflict, message: %s, field: %s}",
                                        message, (const char *)g_ptr_array_index(paths, p)));
        }
    }
}

static void
unref_value(gpointer value)
{
    value_unref(value);
}

static Value *
apply_check_conflicts(Apply *apply)
{
    g_autoptr(GPtrArray) causes = g_ptr_array_new_with_free_func(unref_value);
    g_autoptr(GString) text = g_string_new(NULL);
    ValueBuilder *list;
    Value *status;

    apply_find_conflicts(apply, causes);
    if (causes->len == 0 || apply->call->request->force)
        return NULL;
    g_string_printf(text, "Apply failed with %u conflict%s: ", causes->len,
                    causes->len == 1 ? "" : "s");
    list = value_builder_new_array();
    for (guint i = 0; i < causes->len; i++) {
        const Value *cause = g_ptr_array_index(causes, i);

        if (causes->len == 1)
            g_string_append_printf(text, "%s: %s", value_text_at(cause, "message"),
                                   value_text_at(cause, "field"));
        else
            g_string_append_printf(text, "%s%s:\n- %s", i == 0 ? "" : "\n",
                                   value_text_at(cause, "message"), value_text_at(cause, "field"));
        value_builder_append(list, value_ref(cause));
    }
    status = status_new(409, "Conflict", "%s", text->str);
    value_edit(&status, "details.causes", value_builder_end(list));
    return status;
}

/* What the manager gave up and nobody else owns. */
static Value *
apply_abandoned(Apply *apply)
{
    const Value *before =
        apply->mine < 0 ? NULL
                        : value_get(value_item(apply->entries, (size_t)apply->mine), "fieldsV1");
    Value *left = field_set_subtract(before, apply->applied);

    for (size_t i = 0; i < value_size(apply->entries) && left != NULL; i++)
        if ((int)i != apply->mine)
            value_replace(&left, field_set_subtract(
                                     left, value_get(value_item(apply->entries, i), "fieldsV1")));
    return left;
}

static Value *
apply_entries(Apply *apply)
{
    ValueBuilder *builder = value_builder_new_array();
    const Value *before = apply->mine < 0 ? NULL : value_item(apply->entries, (size_t)apply->mine);

    if (before != NULL && value_equal(value_get(before, "fieldsV1"), apply->applied))
        value_builder_append(builder, value_ref(before));
    else
        value_builder_append(
            builder,
            managed_entry(apply->call, apply->manager, "Apply",
                          apply->applied == NULL ? value_new_map() : value_ref(apply->applied)));
    for (size_t i = 0; i < value_size(apply->entries); i++) {
        const Value *entry = value_item(apply->entries, i);
        g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(Value) shared = NULL, left = NULL;

        if ((int)i == apply->mine)
            continue;
        shared = field_set_intersect(apply->applied, value_get(entry, "fieldsV1"));
        field_conflicts(apply->root, shared, apply->live, apply->content, "", paths);
        /* Forced: the others keep what agrees and lose the rest; without force there is nothing to
         * lose. */
        left = shared != NULL && paths->len > 0
                   ? field_set_subtract(value_get(entry, "fieldsV1"), shared)
                   : value_ref(value_get(entry, "fieldsV1"));
        if (left != NULL)
            value_builder_append(builder, value_set(entry, "fieldsV1", g_steal_pointer(&left)));
    }
    return value_builder_end(builder);
}

static void
apply_create(Apply *apply)
{
    ApiCall *call = apply->call;
    Value *object;

    if (call->sub != NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    call->managed =
        value_append(NULL, managed_entry(call, apply->manager, "Apply", value_ref(apply->applied)));
    object = api_default(call->server->types, call->kind, apply->config);
    if (*object_name(object) == '\0')
        value_edit(&object, "metadata.name", value_new_string(call->request->name));
    call_create_object(call, convert_to_stored(call->kind, call->resource, object));
}

static void
apply_update(Apply *apply, const Value *old, const Value *current)
{
    ApiCall *call = apply->call;
    g_autoptr(Value) abandoned = NULL, trimmed = NULL, merged = NULL;
    Value *refusal = apply_check_conflicts(apply);

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    abandoned = apply_abandoned(apply);
    trimmed =
        abandoned == NULL ? value_ref(current) : field_remove(apply->root, current, abandoned);
    merged = field_merge(apply->root, trimmed, apply->config);
    call->managed = apply_entries(apply);
    call_update_object(call, old,
                       convert_to_stored(call->kind, call->resource,
                                         api_default(call->server->types, call->kind, merged)));
}

void
call_apply(ApiCall *call)
{
    g_auto(Apply) apply = {
        .call = call, .root = {call->kind->schema, NULL}, .manager = call->request->field_manager};
    const Value *old = call_head(call);
    g_autoptr(Value) current = NULL;
    Value *refusal = apply_decode(call, &apply.config);

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    apply.content = managed_content(apply.config);
    apply.applied = field_set_of(apply.root, apply.content);
    if (old == NULL) {
        apply_create(&apply);
        return;
    }
    current = convert_from_stored(call->kind, call->resource, old);
    apply.live = managed_content(current);
    apply.entries = value_at(current, "metadata.managedFields");
    apply.mine = managed_find(apply.entries, apply.manager, "Apply", call->request->subresource);
    apply_update(&apply, old, current);
}
