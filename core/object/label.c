#include "core/object/label.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define NAME_RULE                                                                                   \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "     \
    "alphanumeric character"
#define NAME_REGEX "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define NAME_EXAMPLES "'MyName',  or 'my.name',  or '123-abc'"
#define DNS_LABEL_REGEX "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

static void
add_problem(GString **problems, const char *prefix, const char *problem)
{
    if (*problems == NULL)
        *problems = g_string_new(NULL);
    else
        g_string_append(*problems, "; ");
    g_string_append(*problems, prefix);
    g_string_append(*problems, problem);
}

static char *
problems_end(GString *problems)
{
    return problems == NULL ? NULL : g_string_free(problems, FALSE);
}

/* Letters, digits, '-', '_', '.', with a letter or digit at both ends. */
static bool
name_is_right(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || !g_ascii_isalnum(name[0]) || !g_ascii_isalnum(name[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isalnum(name[i]) && strchr("-_.", name[i]) == NULL)
            return false;
    }
    return true;
}

static bool
is_lower_alnum(char c)
{
    return g_ascii_islower(c) || g_ascii_isdigit(c);
}

static bool
subdomain_is_right(const char *name)
{
    char before = '.';

    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '.' ? !is_lower_alnum(before) : *at == '-' ? before == '.' : !is_lower_alnum(*at))
            return false;
        before = *at;
    }
    return is_lower_alnum(before);
}

char *
dns_subdomain_problem(const char *name)
{
    GString *problems = NULL;

    if (strlen(name) > 253)
        add_problem(&problems, "", "must be no more than 253 characters");
    if (!subdomain_is_right(name))
        add_problem(&problems, "",
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                    "'-' or '.', and must start and end with an alphanumeric character (e.g. "
                    "'example.com', regex used for validation is '" DNS_LABEL_REGEX
                    "(\\." DNS_LABEL_REGEX ")*')");
    return problems_end(problems);
}

static void
check_name_part(GString **problems, const char *name)
{
    if (*name == '\0')
        add_problem(problems, "name part ", "must be non-empty");
    else if (strlen(name) > 63)
        add_problem(problems, "name part ", "must be no more than 63 characters");
    if (!name_is_right(name))
        add_problem(problems, "name part ",
                    NAME_RULE " (e.g. " NAME_EXAMPLES ", regex used for validation is '" NAME_REGEX "')");
}

char *
label_key_problem(const char *key)
{
    const char *slash = strchr(key, '/');
    GString *problems = NULL;

    if (slash != NULL && strchr(slash + 1, '/') != NULL) {
        return g_strdup("a qualified name " NAME_RULE " (e.g. " NAME_EXAMPLES
                        ", regex used for validation is '" NAME_REGEX
                        "') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
    }
    if (slash == key) {
        add_problem(&problems, "prefix part ", "must be non-empty");
    } else if (slash != NULL) {
        g_autofree char *prefix = g_strndup(key, (size_t)(slash - key));
        g_autofree char *problem = dns_subdomain_problem(prefix);
        if (problem != NULL)
            add_problem(&problems, "prefix part ", problem);
    }
    check_name_part(&problems, slash != NULL ? slash + 1 : key);
    return problems_end(problems);
}

char *
label_value_problem(const char *value)
{
    GString *problems = NULL;

    if (strlen(value) > 63)
        add_problem(&problems, "", "must be no more than 63 characters");
    if (*value != '\0' && !name_is_right(value))
        add_problem(&problems, "",
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
                    "or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
                    "'my_value',  or '12345', regex used for validation is '(" NAME_REGEX ")?')");
    return problems_end(problems);
}
