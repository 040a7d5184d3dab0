/* metadata.managedFields: one entry a manager, operation and subresource, with the fields that it
 * set last (apimachinery util/managedfields). Writes of our own components (trusted bodies) keep
 * what is there and add none: docs/fidelity.md says so. */
#include "core/apiserver/managed.h"

#include "core/apiserver/field_sets.h"

#define MANAGER_LENGTH_MAX 128 /* as apimachinery's FieldManagerMaxLength */
#define MANAGERS_MAX 100       /* further Update entries are dropped, oldest first */

static const char *const unowned_metadata[] = {"name",
                                               "namespace",
                                               "uid",
                                               "creationTimestamp",
                                               "generation",
                                               "resourceVersion",
                                               "deletionTimestamp",
                                               "deletionGracePeriodSeconds",
                                               "selfLink",
                                               "managedFields",
                                               "generateName"};

Value *
managed_content(const Value *object)
{
    ValueBuilder *content = value_builder_new(object);
    ValueBuilder *metadata = value_builder_new(value_get(object, "metadata"));

    for (size_t i = 0; i < G_N_ELEMENTS(unowned_metadata); i++)
        value_builder_remove(metadata, unowned_metadata[i]);
    value_builder_remove(content, "apiVersion");
    value_builder_remove(content, "kind");
    if (value_size(value_builder_peek(metadata)) > 0)
        value_builder_set(content, "metadata", value_builder_end(metadata));
    else {
        value_builder_remove(content, "metadata");
        value_builder_free(metadata);
    }
    return value_builder_end(content);
}

bool
managed_fields_only(const Value *a, const Value *b)
{
    g_autoptr(Value) x = NULL, y = NULL;

    if (value_equal(value_at(a, "metadata.managedFields"), value_at(b, "metadata.managedFields")))
        return false;
    x = value_remove_at(a, "metadata.managedFields");
    y = value_remove_at(b, "metadata.managedFields");
    return value_equal(x, y);
}

int
managed_find(const Value *entries, const char *manager, const char *operation,
             const char *subresource)
{
    for (size_t i = 0; i < value_size(entries); i++) {
        const Value *entry = value_item(entries, i);

        if (strcmp(value_text_at(entry, "manager"), manager) == 0 &&
            strcmp(value_text_at(entry, "operation"), operation) == 0 &&
            strcmp(value_text_at(entry, "subresource"), subresource == NULL ? "" : subresource) ==
                0)
            return (int)i;
    }
    return -1;
}

const char *
managed_manager(const ApiCall *call, char **ret_owned)
{
    const char *given = call->request->field_manager, *agent = call->request->user_agent;

    *ret_owned = NULL;
    if (given != NULL && *given != '\0')
        return given;
    *ret_owned = g_strndup(agent == NULL ? "unknown" : agent,
                           agent == NULL ? 7 : MIN(strcspn(agent, "/"), MANAGER_LENGTH_MAX));
    return *ret_owned;
}

Value *
managed_entry(ApiCall *call, const char *manager, const char *operation, Value *take_fields)
{
    return value_new_f("{manager: %s, operation: %s, apiVersion: %s, time: %V, fieldsType: "
                       "FieldsV1, fieldsV1: %V, "
                       "subresource: ?%s}",
                       manager, operation, api_kind_api_version(call->kind), call_now(call->server),
                       take_fields, call->request->subresource);
}

/* Everybody but `mine` loses what was changed, and what is no longer there. */
static Value *
entries_of_others(const Value *entries, int mine, const Value *changed, const Value *present)
{
    ValueBuilder *builder = value_builder_new_array();
    size_t skip = value_size(entries) > MANAGERS_MAX ? value_size(entries) - MANAGERS_MAX : 0;

    for (size_t i = skip; i < value_size(entries); i++) {
        const Value *entry = value_item(entries, i);
        g_autoptr(Value) kept = NULL, left = NULL;

        if ((int)i == mine)
            continue;
        kept = field_set_subtract(value_get(entry, "fieldsV1"), changed);
        left = field_set_intersect(kept, present);
        if (left != NULL)
            value_builder_append(builder, value_set(entry, "fieldsV1", g_steal_pointer(&left)));
    }
    return value_builder_end(builder);
}

static Value *
managed_after_update(ApiCall *call, const Value *object, const Value *old)
{
    Shape root = {call->resource->kind->schema, NULL};
    const Value *entries = value_at(old, "metadata.managedFields");
    g_autoptr(Value) content = managed_content(object),
                     before = old == NULL ? NULL : managed_content(old);
    g_autoptr(Value) changed = field_set_changed(root, before, content),
                     present = field_set_of(root, content);
    g_autofree char *owned = NULL;
    const char *manager = managed_manager(call, &owned);
    int mine = managed_find(entries, manager, "Update", call->request->subresource);
    g_autoptr(Value) kept =
        mine < 0 ? NULL
                 : field_set_intersect(value_get(value_item(entries, (size_t)mine), "fieldsV1"),
                                       present);
    Value *all = field_set_union(kept, changed);
    Value *result = entries_of_others(entries, mine, changed, present);

    if (all == NULL)
        return result;
    if (mine >= 0 && value_equal(all, value_get(value_item(entries, (size_t)mine), "fieldsV1"))) {
        value_unref(all);
        value_replace(&result, value_append(result, value_ref(value_item(entries, (size_t)mine))));
    } else {
        value_replace(&result, value_append(result, managed_entry(call, manager, "Update", all)));
    }
    return result;
}

void
managed_fields_update(ApiCall *call, Value **object, const Value *old)
{
    const Value *kept = value_at(old, "metadata.managedFields");
    Value *entries = NULL;

    if (call->managed != NULL)
        entries = value_ref(call->managed);
    else if (call->request->trusted_body)
        entries = kept == NULL ? NULL : value_ref(kept);
    else
        entries = managed_after_update(call, *object, old);
    if (value_size(entries) > 0) {
        value_edit(object, "metadata.managedFields", entries);
        return;
    }
    value_unref(entries);
    if (value_at(*object, "metadata.managedFields") != NULL)
        value_edit_remove(object, "metadata.managedFields");
}
