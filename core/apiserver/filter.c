/* The label and field selectors of one request. */
#include "core/apiserver/private.h"
#include "core/object/selector.h"

struct Filter {
    Selector *labels;
    FieldSelector *fields;
};

typedef struct FieldSubject {
    const Value *object;
    char text[24]; /* of a field that is no string */
} FieldSubject;

static bool
field_is_known(const ApiKind *kind, const char *field)
{
    if (strcmp(field, "metadata.name") == 0 ||
        (kind->namespaced && strcmp(field, "metadata.namespace") == 0))
        return true;
    for (const char *const *known = kind->selectable_fields; known != NULL && *known != NULL;
         known++)
        if (strcmp(*known, field) == 0)
            return true;
    return false;
}

static Value *
filter_check_fields(const ApiKind *kind, const FieldSelector *fields, const ApiListOptions *options)
{
    for (size_t i = 0; i < field_selector_size(fields); i++) {
        const char *field = field_selector_term(fields, i)->field;

        if (!field_is_known(kind, field))
            return status_bad_request(
                "Unable to find \"%s, Resource=%s\" that match label selector \"%s\", field "
                "selector "
                "\"%s\": field label not supported: %s",
                *kind->group == '\0' ? "/v1" : api_kind_api_version(kind), kind->resource,
                options->label_selector == NULL ? "" : options->label_selector,
                options->field_selector, field);
    }
    return NULL;
}

Value *
filter_new(const ApiKind *kind, const ApiListOptions *options, Filter **ret_filter)
{
    g_autoptr(Filter) filter = g_new0(Filter, 1);
    g_autoptr(GError) error = NULL;
    bool any = false;
    Value *refusal;

    if (options->label_selector != NULL && *options->label_selector != '\0') {
        filter->labels = selector_parse(options->label_selector, &error);
        if (filter->labels == NULL)
            return status_bad_request("unable to parse requirement: %s", error->message);
        any = true;
    }
    if (options->field_selector != NULL && *options->field_selector != '\0') {
        filter->fields = field_selector_parse(options->field_selector, &error);
        if (filter->fields == NULL)
            return status_bad_request("%s", error->message);
        if ((refusal = filter_check_fields(kind, filter->fields, options)) != NULL)
            return refusal;
        any = true;
    }
    *ret_filter = any ? g_steal_pointer(&filter) : NULL;
    return NULL;
}

void
filter_free(Filter *filter)
{
    if (filter == NULL)
        return;
    selector_unref(filter->labels);
    field_selector_unref(filter->fields);
    g_free(filter);
}

/* Names of fields are those of core/v1 where a kind is stored as another. */
static const char *
field_text(const char *field, gconstpointer data)
{
    FieldSubject *subject = (FieldSubject *)data;
    const Value *value;

    if (strcmp(field, "source") == 0)
        field = "source.component";
    else if (g_str_has_prefix(field, "regarding.")) {
        g_autofree char *path = g_strconcat("involvedObject", strchr(field, '.'), NULL);

        return value_text_at(subject->object, path);
    } else if (strcmp(field, "reportingController") == 0)
        field = "reportingComponent";
    value = value_at(subject->object, field);
    switch (value_type(value)) {
    case VALUE_STRING:
        return value_string(value);
    case VALUE_BOOL:
        return value_bool(value) ? "true" : "false";
    case VALUE_INT:
        g_snprintf(subject->text, sizeof subject->text, "%" G_GINT64_FORMAT, value_int(value));
        return subject->text;
    default:
        if (strcmp(field, "spec.unschedulable") == 0 || strcmp(field, "spec.hostNetwork") == 0)
            return "false";
        return strcmp(field, "status.successful") == 0 ? "0" : "";
    }
}

bool
filter_matches(const Filter *filter, const Value *object)
{
    FieldSubject subject = {.object = object};

    if (filter == NULL)
        return true;
    if (filter->labels != NULL && !selector_matches(filter->labels, object_labels(object)))
        return false;
    return filter->fields == NULL || field_selector_matches(filter->fields, field_text, &subject);
}

const char *
filter_exact(const Filter *filter, const char *field)
{
    return filter == NULL || filter->fields == NULL
               ? NULL
               : field_selector_exact_value(filter->fields, field);
}
