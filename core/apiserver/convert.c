/* Kinds that are stored as another: events.k8s.io/v1 Event and core/v1 Event are two views of one
 * stored object (k8s.io/kubernetes pkg/apis/events/v1/conversion.go). */
#include "core/apiserver/private.h"

/* core/v1 name, events.k8s.io/v1 name */
static const char *const event_names[][2] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"reportingComponent", "reportingController"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
};

static Value *
convert_event(const Value *object, const char *api_version, int from, int to)
{
    ValueBuilder *builder = value_builder_new(object);

    for (size_t i = 0; i < G_N_ELEMENTS(event_names); i++) {
        const Value *field = value_get(object, event_names[i][from]);

        if (field == NULL)
            continue;
        value_builder_remove(builder, event_names[i][from]);
        value_builder_set(builder, event_names[i][to], value_ref(field));
    }
    value_builder_set(builder, "apiVersion", value_new_string(api_version));
    return value_builder_end(builder);
}

Value *
convert_to_stored(const ApiKind *asked, const ApiResource *resource, Value *take)
{
    Value *result;

    if (asked == resource->kind)
        return take;
    result = convert_event(take, api_kind_api_version(resource->kind), 1, 0);
    value_unref(take);
    return result;
}

Value *
convert_from_stored(const ApiKind *asked, const ApiResource *resource, const Value *object)
{
    if (asked == resource->kind)
        return value_ref(object);
    return convert_event(object, api_kind_api_version(asked), 0, 1);
}
