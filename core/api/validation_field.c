/* Field errors at a path, and the checks that many fields share (apimachinery pkg/util/validation). */
#include <arpa/inet.h>

#include "core/api/validation_private.h"
#include "core/object/label.h"
#include "core/object/quantity.h"

#define DNS_LABEL_MAX 63
#define PORT_NAME_MAX 15
#define CONFIG_KEY_MAX 253
#define ANNOTATIONS_SIZE_MAX (256 * 1024) /* TotalAnnotationSizeLimitB */
#define DNS_LABEL_TEXT                                                                                            \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " \
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "                   \
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
#define DNS_1035_TEXT                                                                                               \
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " \
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "             \
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
#define CONFIG_KEY_TEXT                                                                                        \
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "         \
    "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
#define PERCENT_TEXT                                                                                                 \
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for " \
    "validation is '[0-9]+%')"
#define LOWER_ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM LOWER_ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- paths and errors ---- */

static void
path_append(GString *out, const Path *at)
{
    if (at->up != NULL)
        path_append(out, at->up);
    if (at->name != NULL)
        g_string_append_printf(out, "%s%s", out->len > 0 ? "." : "", at->name);
    else if (at->key != NULL)
        g_string_append_printf(out, "[%s]", at->key);
    else if (at->up != NULL)
        g_string_append_printf(out, "[%zu]", at->index);
}

char *
path_text(const Path *at)
{
    GString *out = g_string_new(NULL);

    path_append(out, at);
    return g_string_free(out, FALSE);
}

void
bad_required(const Path *at, const char *detail)
{
    g_autofree char *field = path_text(at);

    field_required(at->errors, field, detail);
}

void
bad_invalid(const Path *at, const Value *value, const char *detail)
{
    g_autofree char *field = path_text(at);
    g_autoptr(Value) shown = value != NULL ? value_ref(value) : value_new_string("");

    field_invalid(at->errors, field, shown, detail);
}

void
bad_invalid_text(const Path *at, const char *value, const char *detail)
{
    g_autoptr(Value) shown = value_new_string(value);

    bad_invalid(at, shown, detail);
}

void
bad_unsupported(const Path *at, const Value *value, const char *const *valid)
{
    g_autofree char *field = path_text(at);

    field_not_supported(at->errors, field, value, valid);
}

void
bad_forbidden(const Path *at, const char *detail)
{
    g_autofree char *field = path_text(at);

    field_forbidden(at->errors, field, detail);
}

void
bad_forbidden_f(const Path *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *detail = g_strdup_vprintf(format, args);
    va_end(args);
    bad_forbidden(at, detail);
}

void
bad_duplicate(const Path *at, const Value *value)
{
    g_autofree char *field = path_text(at);

    field_duplicate(at->errors, field, value);
}

void
bad_not_found(const Path *at, const Value *value)
{
    g_autofree char *field = path_text(at);

    field_not_found(at->errors, field, value);
}

void
bad_too_long(const Path *at, size_t max)
{
    g_autofree char *field = path_text(at);

    field_too_long(at->errors, field, max);
}

void
bad_too_many(const Path *at, size_t actual, size_t max)
{
    g_autofree char *field = path_text(at);

    field_too_many(at->errors, field, actual, max);
}

/* ---- words ---- */

bool
is_empty(const Value *value)
{
    return value_is_null(value) || (value_is_string(value) && value_string_len(value) == 0);
}

bool
text_is(const Value *value, const char *text)
{
    return strcmp(value_text(value), text) == 0;
}

bool
text_in(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

bool
has_backsteps(const char *path)
{
    g_auto(GStrv) parts = strstr(path, "..") != NULL ? g_strsplit(path, "/", -1) : NULL;

    return parts != NULL && g_strv_contains((const char *const *)parts, "..");
}

void
check_required(const Path *at, const Value *value)
{
    if (is_empty(value))
        bad_required(at, "");
}

void
check_enum(const Path *at, const Value *value, const char *const *valid, Need need)
{
    if (is_empty(value)) {
        if (need == REQUIRED)
            bad_required(at, "");
    } else if (!text_in(value_text(value), valid)) {
        bad_unsupported(at, value, valid);
    }
}

void
check_not_negative(const Path *at, const Value *number)
{
    if (value_int(number) < 0)
        bad_invalid(at, number, NOT_NEGATIVE);
}

void
check_range(const Path *at, const Value *number, int64_t min, int64_t max)
{
    int64_t n = value_int(number);

    if (!value_is_null(number) && (n < min || n > max)) {
        g_autofree char *detail =
            g_strdup_printf("must be between %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT ", inclusive", min, max);

        bad_invalid(at, number, detail);
    }
}

/* Null, absent and an empty list or map count as the same: on the wire they are. */
void
check_kept(const Path *at, const Value *value, const Value *old)
{
    bool none = value_is_null(value) || (!value_is_string(value) && (value_is_map(value) || value_is_array(value)) &&
                                         value_size(value) == 0);
    bool had_none = value_is_null(old) || ((value_is_map(old) || value_is_array(old)) && value_size(old) == 0);

    if (none != had_none || (!none && !value_equal(value, old))) {
        g_autoptr(Value) null = value_new_null();

        bad_invalid(at, value != NULL ? value : null, IMMUTABLE);
    }
}

/* ---- names ---- */

static char *
label_problem(const char *name, bool starts_with_letter)
{
    size_t length = strlen(name);
    bool right = length > 0 && name[0] != '-' && name[length - 1] != '-' && strspn(name, LOWER_ALNUM "-") == length &&
                 (!starts_with_letter || g_ascii_islower(name[0]));
    const char *text = starts_with_letter ? DNS_1035_TEXT : DNS_LABEL_TEXT;

    if (length <= DNS_LABEL_MAX)
        return right ? NULL : g_strdup(text);
    return g_strdup_printf("must be no more than 63 characters%s%s", right ? "" : "; ", right ? "" : text);
}

char *
dns_label_problem(const char *name)
{
    return label_problem(name, false);
}

char *
dns_1035_label_problem(const char *name)
{
    return label_problem(name, true);
}

char *
port_name_problem(const char *name)
{
    size_t length = strlen(name);

    if (length > PORT_NAME_MAX)
        return g_strdup("must be no more than 15 characters");
    if (length == 0 || strspn(name, LOWER_ALNUM "-") != length)
        return g_strdup("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    if (strcspn(name, "abcdefghijklmnopqrstuvwxyz") == length)
        return g_strdup("must contain at least one letter (a-z)");
    if (strstr(name, "--") != NULL)
        return g_strdup("must not contain consecutive hyphens");
    if (name[0] == '-' || name[length - 1] == '-')
        return g_strdup("must not begin or end with a hyphen");
    return NULL;
}

char *
config_key_problem(const char *key)
{
    size_t length = strlen(key);

    if (length > CONFIG_KEY_MAX)
        return g_strdup("must be no more than 253 characters");
    if (length == 0 || strspn(key, ALNUM "-_.") != length)
        return g_strdup(CONFIG_KEY_TEXT);
    if (strcmp(key, ".") == 0)
        return g_strdup("must not be '.'");
    if (strcmp(key, "..") == 0)
        return g_strdup("must not be '..'");
    return g_str_has_prefix(key, "..") ? g_strdup("must not start with '..'") : NULL;
}

static void
check_by(const Path *at, const Value *value, char *(*problem_of)(const char *))
{
    g_autofree char *problem = problem_of(value_text(value));

    if (problem != NULL)
        bad_invalid(at, value, problem);
}

void
check_dns_label(const Path *at, const Value *value)
{
    check_by(at, value, dns_label_problem);
}

void
check_dns_subdomain(const Path *at, const Value *value)
{
    check_by(at, value, dns_subdomain_problem);
}

void
check_qualified(const Path *at, const Value *value)
{
    check_by(at, value, label_key_problem);
}

void
check_config_key(const Path *at, const char *key)
{
    g_autofree char *problem = config_key_problem(key);

    if (problem != NULL)
        bad_invalid_text(at, key, problem);
}

/* ---- ports and addresses ---- */

void
check_port(const Path *at, const Value *number)
{
    g_autoptr(Value) zero = value_is_null(number) ? value_new_int(0) : NULL;

    check_range(at, zero != NULL ? zero : number, 1, 65535);
}

void
check_port_number_or_name(const Path *at, const Value *port)
{
    if (value_is_string(port))
        check_by(at, port, port_name_problem);
    else
        check_port(at, port);
}

int
ip_family(const char *text)
{
    struct in6_addr address;

    if (inet_pton(AF_INET, text, &address) == 1)
        return 4;
    return inet_pton(AF_INET6, text, &address) == 1 ? 6 : 0;
}

int
cidr_family(const char *text)
{
    const char *slash = strchr(text, '/');
    g_autofree char *address = slash != NULL ? g_strndup(text, (size_t)(slash - text)) : NULL;
    int family = address != NULL ? ip_family(address) : 0;
    size_t digits = slash != NULL ? strspn(slash + 1, "0123456789") : 0;

    if (family == 0 || digits == 0 || digits > 3 || slash[1 + digits] != '\0')
        return 0;
    return g_ascii_strtoll(slash + 1, NULL, 10) <= (family == 4 ? 32 : 128) ? family : 0;
}

void
check_ip(const Path *at, const Value *value)
{
    if (ip_family(value_text(value)) == 0)
        bad_invalid(at, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
}

void
check_cidr(const Path *at, const Value *value)
{
    if (cidr_family(value_text(value)) == 0)
        bad_invalid(at, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

/* ---- labels ---- */

void
check_labels(const Path *at, const Value *labels)
{
    VALUE_MAP_FOREACH (key, text, labels) {
        g_autofree char *key_problem = label_key_problem(key), *value_problem = label_value_problem(value_text(text));

        if (key_problem != NULL)
            bad_invalid_text(at, key, key_problem);
        if (value_problem != NULL)
            bad_invalid(at, text, value_problem);
    }
}

void
check_annotations(const Path *at, const Value *annotations)
{
    size_t total = 0;

    VALUE_MAP_FOREACH (key, text, annotations) {
        g_autofree char *lower = g_ascii_strdown(key, -1);
        g_autofree char *problem = label_key_problem(lower);

        if (problem != NULL)
            bad_invalid_text(at, key, problem);
        total += strlen(key) + value_string_len(text);
    }
    if (total > ANNOTATIONS_SIZE_MAX)
        bad_too_long(at, ANNOTATIONS_SIZE_MAX);
}

static void
check_selector_requirement(const Path *at, const Value *requirement)
{
    const Value *operator_ = value_get(requirement, "operator"), *values = value_get(requirement, "values");
    size_t i = 0;

    if (text_is(operator_, "In") || text_is(operator_, "NotIn")) {
        if (value_size(values) == 0)
            bad_required(AT(at, "values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (text_is(operator_, "Exists") || text_is(operator_, "DoesNotExist")) {
        if (value_size(values) > 0)
            bad_forbidden(AT(at, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
        bad_invalid(AT(at, "operator"), operator_, "not a valid selector operator");
    }
    check_qualified(AT(at, "key"), value_get(requirement, "key"));
    VALUE_ARRAY_FOREACH (value, values)
        check_by(NTH(AT(at, "values"), i++), value, label_value_problem);
}

void
check_label_selector(const Path *at, const Value *selector)
{
    size_t i = 0;

    check_labels(AT(at, "matchLabels"), value_get(selector, "matchLabels"));
    VALUE_ARRAY_FOREACH (requirement, value_get(selector, "matchExpressions"))
        check_selector_requirement(NTH(AT(at, "matchExpressions"), i++), requirement);
}

/* ---- numbers ---- */

void
check_quantity_not_negative(const Path *at, const Value *quantity)
{
    if (quantity_sign(quantity_of(quantity)) < 0)
        bad_invalid(at, quantity, NOT_NEGATIVE);
}

void
check_percent_or_not_negative(const Path *at, const Value *int_or_string)
{
    const char *text = value_string(int_or_string);
    size_t digits = text != NULL ? strspn(text, "0123456789") : 0;

    if (text == NULL)
        check_not_negative(at, int_or_string);
    else if (digits == 0 || strcmp(text + digits, "%") != 0)
        bad_invalid(at, int_or_string, PERCENT_TEXT);
}
