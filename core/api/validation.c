/* What holds for every kind: names, labels, annotations, finalizers, owner references, and the fields of metadata that never
 * change (apimachinery pkg/api/validation/objectmeta.go). */
#include "core/api/validation.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/object/label.h"

#define ANNOTATIONS_SIZE_MAX (256 * 1024) /* TotalAnnotationSizeLimitB */
#define DNS_LABEL_TEXT                                                                                            \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " \
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "                   \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define DNS_1035_TEXT                                                                                               \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " \
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "             \
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
#define DNS_LABEL_MAX 63

static bool
is_dns_label(const char *name, bool starts_with_letter)
{
    size_t length = strlen(name);

    if (length == 0 || length > DNS_LABEL_MAX || name[0] == '-' || name[length - 1] == '-')
        return false;
    if (starts_with_letter && !g_ascii_islower(name[0]))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void
validate_label_name(const char *name, const char *field, const Value *value, bool dns_1035, FieldErrors *errors)
{
    if (strlen(name) > DNS_LABEL_MAX)
        field_invalid(errors, field, value, "must be no more than 63 characters");
    else if (!is_dns_label(name, dns_1035))
        field_invalid(errors, field, value, dns_1035 ? DNS_1035_TEXT : DNS_LABEL_TEXT);
}

/* Kinds whose names are DNS labels, service names, path segments; all others are DNS subdomains. */
static void
validate_name(const ApiKind *kind, const Value *metadata, FieldErrors *errors)
{
    const Value *value = value_get(metadata, "name");
    const char *name = value_text(value);
    bool is_path = g_str_has_prefix(kind->group, "rbac.");
    g_autofree char *problem = NULL;

    if (*name == '\0') {
        field_required(errors, "metadata.name", "name or generateName is required");
        return;
    }
    if (strcmp(kind->resource, "namespaces") == 0) {
        validate_label_name(name, "metadata.name", value, false, errors);
    } else if (strcmp(kind->resource, "services") == 0) {
        validate_label_name(name, "metadata.name", value, true, errors);
    } else if (is_path) {
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            field_invalid(errors, "metadata.name", value, "may not be '.' or '..'");
        else if (strpbrk(name, "/%") != NULL)
            field_invalid(errors, "metadata.name", value,
                          strchr(name, '/') != NULL ? "may not contain '/'" : "may not contain '%'");
    } else if ((problem = dns_subdomain_problem(name)) != NULL) {
        field_invalid(errors, "metadata.name", value, problem);
    }
}

static void
validate_labels(const Value *labels, FieldErrors *errors)
{
    VALUE_MAP_FOREACH (key, text, labels) {
        g_autofree char *key_problem = label_key_problem(key), *value_problem = label_value_problem(value_text(text));
        g_autoptr(Value) key_value = value_new_string(key);

        if (key_problem != NULL)
            field_invalid(errors, "metadata.labels", key_value, key_problem);
        if (value_problem != NULL)
            field_invalid(errors, "metadata.labels", text, value_problem);
    }
}

static void
validate_annotations(const Value *annotations, FieldErrors *errors)
{
    size_t total = 0;

    VALUE_MAP_FOREACH (key, text, annotations) {
        g_autofree char *lower = g_ascii_strdown(key, -1);
        g_autofree char *problem = label_key_problem(lower);
        g_autoptr(Value) key_value = value_new_string(key);

        if (problem != NULL)
            field_invalid(errors, "metadata.annotations", key_value, problem);
        total += strlen(key) + value_string_len(text);
    }
    if (total > ANNOTATIONS_SIZE_MAX)
        field_too_long(errors, "metadata.annotations", ANNOTATIONS_SIZE_MAX);
}

static void
validate_finalizers(const Value *finalizers, FieldErrors *errors)
{
    bool orphan = false, foreground = false;

    VALUE_ARRAY_FOREACH (finalizer, finalizers) {
        g_autofree char *problem = label_key_problem(value_text(finalizer));

        if (problem != NULL)
            field_invalid(errors, "metadata.finalizers", finalizer, problem);
        orphan |= strcmp(value_text(finalizer), "orphan") == 0;
        foreground |= strcmp(value_text(finalizer), "foregroundDeletion") == 0;
    }
    if (orphan && foreground)
        field_invalid(errors, "metadata.finalizers", finalizers,
                      "finalizer orphan and foregroundDeletion cannot be both set");
}

static void
validate_owners(const Value *owners, FieldErrors *errors)
{
    static const char *const wanted[] = {"apiVersion", "kind", "name", "uid"};
    size_t controllers = 0;

    VALUE_ARRAY_FOREACH (owner, owners) {
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
            g_autofree char *field = g_strconcat("metadata.ownerReferences.", wanted[i], NULL);
            g_autofree char *detail = g_strconcat(wanted[i], " must not be empty", NULL);
            g_autoptr(Value) empty = value_new_string("");

            if (*value_text_at(owner, wanted[i]) == '\0')
                field_invalid(errors, field, empty, detail);
        }
        controllers += value_bool_at(owner, "controller") ? 1 : 0;
    }
    if (controllers > 1)
        field_invalid(errors, "metadata.ownerReferences", owners,
                      "Only one reference can have Controller set to true");
}

static void
validate_new_finalizers(const Value *metadata, const Value *old, FieldErrors *errors)
{
    if (value_get(old, "deletionTimestamp") == NULL)
        return;
    VALUE_ARRAY_FOREACH (finalizer, value_get(metadata, "finalizers")) {
        bool known = false;
        g_autofree char *detail = NULL;

        VALUE_ARRAY_FOREACH (before, value_get(old, "finalizers"))
            known |= value_equal(before, finalizer);
        if (known)
            continue;
        detail = g_strdup_printf("no new finalizers can be added if the object is being deleted, found new finalizers "
                                 "[]string{\"%s\"}",
                                 value_text(finalizer));
        field_forbidden(errors, "metadata.finalizers", detail);
    }
}

static void
validate_kept(const Value *metadata, const Value *old, FieldErrors *errors)
{
    static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp"};

    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *field = g_strconcat("metadata.", kept[i], NULL);

        if (!value_equal(value_get(metadata, kept[i]), value_get(old, kept[i])))
            field_invalid(errors, field, value_get(metadata, kept[i]), "field is immutable");
    }
}

void
api_validate(const ApiKind *kind, const Value *object, const Value *old, const char *subresource, FieldErrors *errors)
{
    const Value *metadata = value_get(object, "metadata"), *before = value_get(old, "metadata");

    if (old == NULL)
        validate_name(kind, metadata, errors);
    if (old == NULL || !value_equal(value_get(metadata, "labels"), value_get(before, "labels")))
        validate_labels(value_get(metadata, "labels"), errors);
    if (old == NULL || !value_equal(value_get(metadata, "annotations"), value_get(before, "annotations")))
        validate_annotations(value_get(metadata, "annotations"), errors);
    validate_finalizers(value_get(metadata, "finalizers"), errors);
    validate_owners(value_get(metadata, "ownerReferences"), errors);
    if (old == NULL)
        return;
    validate_kept(metadata, before, errors);
    validate_new_finalizers(metadata, before, errors);
}
