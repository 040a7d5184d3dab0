/* Words of a command line taken apart as spf13/pflag does: "-n x", "-nx", "--namespace=x",
 * "--watch", "-it". Flags and arguments may be mixed; "--" ends the flags. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/base/duration.h"

const KubeFlag KUBE_GLOBAL_FLAGS[] = {
    {"namespace", 'n', FLAG_TEXT, NULL, NULL, "The namespace of this request"},
    {"kubeconfig", 0, FLAG_TEXT, NULL, NULL, "Path of the kubeconfig file"},
    {"context", 0, FLAG_TEXT, NULL, NULL, "The kubeconfig context to use"},
    {"cluster", 0, FLAG_TEXT, NULL, NULL, "The kubeconfig cluster to use"},
    {"user", 0, FLAG_TEXT, NULL, NULL, "The kubeconfig user to use"},
    {"server", 's', FLAG_TEXT, NULL, NULL, "Address of the API server"},
    {"token", 0, FLAG_TEXT, NULL, NULL, "Bearer token for the API server"},
    {"as", 0, FLAG_TEXT, NULL, NULL, "User to act as"},
    {"as-group", 0, FLAG_ARRAY, NULL, NULL, "Group to act as; may be repeated"},
    {"as-uid", 0, FLAG_TEXT, NULL, NULL, "UID to act as"},
    {"certificate-authority", 0, FLAG_TEXT, NULL, NULL, "File with the authority's certificate"},
    {"client-certificate", 0, FLAG_TEXT, NULL, NULL, "File with the client's certificate"},
    {"client-key", 0, FLAG_TEXT, NULL, NULL, "File with the client's key"},
    {"insecure-skip-tls-verify", 0, FLAG_BOOL, "false", NULL,
     "Do not check the server's certificate: anybody may listen"},
    {"tls-server-name", 0, FLAG_TEXT, NULL, NULL, "Name to expect in the server's certificate"},
    {"request-timeout", 0, FLAG_TEXT, "0", NULL, "How long one request may take; 0: no limit"},
    {"cache-dir", 0, FLAG_TEXT, NULL, NULL, "Accepted; nothing is cached here"},
    {"match-server-version", 0, FLAG_BOOL, "false", NULL, "Accepted; versions always match"},
    {"disable-compression", 0, FLAG_BOOL, "false", NULL, "Accepted; answers are not compressed"},
    {"warnings-as-errors", 0, FLAG_BOOL, "false", NULL, "End with status 1 after a warning"},
    {"v", 'v', FLAG_INT, "0", NULL, "Accepted; there is no log"},
    {"help", 'h', FLAG_BOOL, "false", NULL, "Help for this command"},
    KUBE_FLAGS_END,
};

static const KubeFlag *
find_in(const KubeFlag *flags, const char *name, char shorthand)
{
    for (; flags != NULL && flags->name != NULL; flags++)
        if (name != NULL ? strcmp(flags->name, name) == 0 : flags->shorthand == shorthand)
            return flags;
    return NULL;
}

const KubeFlag *
kube_flag_find(const KubeCommand *command, const char *name)
{
    const KubeFlag *flag = find_in(command->flags, name, 0);
    return flag != NULL ? flag : find_in(KUBE_GLOBAL_FLAGS, name, 0);
}

static const KubeFlag *
find_shorthand(const KubeCommand *command, char shorthand)
{
    const KubeFlag *flag = find_in(command->flags, NULL, shorthand);
    return flag != NULL ? flag : find_in(KUBE_GLOBAL_FLAGS, NULL, shorthand);
}

/* Why the value does not fit, in Go's words; NULL when it does. Owned. */
static char *
value_problem(const KubeFlag *flag, const char *value)
{
    char *end;
    switch (flag->type) {
    case FLAG_BOOL:
        if (*value != '\0' && strstr(" 1 t T true TRUE True 0 f F false FALSE False ", value))
            return NULL;
        return g_strdup_printf("strconv.ParseBool: parsing \"%s\": invalid syntax", value);
    case FLAG_INT:
        g_ascii_strtoll(value, &end, 0);
        return *value != '\0' && *end == '\0'
                   ? NULL
                   : g_strdup_printf("strconv.ParseInt: parsing \"%s\": invalid syntax", value);
    case FLAG_DURATION: {
        g_autoptr(GError) error = NULL;
        int64_t ns;
        return duration_parse(value, &ns, &error) ? NULL : g_strdup(error->message);
    }
    default:
        return NULL;
    }
}

static bool
set(Kube *kube, const KubeFlag *flag, const char *value)
{
    g_autofree char *problem = value_problem(flag, value);
    if (problem != NULL) {
        g_autofree char *shorthand =
            flag->shorthand != 0 ? g_strdup_printf("-%c, ", flag->shorthand) : g_strdup("");
        kube_fail_usage(kube, "invalid argument \"%s\" for \"%s--%s\" flag: %s", value, shorthand,
                        flag->name, problem);
        return false;
    }
    GPtrArray *values = g_hash_table_lookup(kube->flags, flag->name);
    if (values == NULL) {
        values = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(kube->flags, g_strdup(flag->name), values);
    }
    g_ptr_array_add(values, g_strdup(value));
    return true;
}

static const char *
bare_value(const KubeFlag *flag)
{
    return flag->bare != NULL ? flag->bare : flag->type == FLAG_BOOL ? "true" : NULL;
}

/* "--name", "--name=value", "--name value". *index moves over a value taken. */
static bool
parse_long(Kube *kube, int argc, char **argv, int *index)
{
    const char *word = argv[*index] + 2;
    const char *equals = strchr(word, '=');
    g_autofree char *name =
        equals != NULL ? g_strndup(word, (gsize)(equals - word)) : g_strdup(word);
    const KubeFlag *flag = kube_flag_find(kube->command, name);
    if (flag == NULL) {
        kube_fail_usage(kube, "unknown flag: --%s", name);
        return false;
    }
    if (equals != NULL)
        return set(kube, flag, equals + 1);
    if (bare_value(flag) != NULL)
        return set(kube, flag, bare_value(flag));
    if (*index + 1 >= argc) {
        kube_fail_usage(kube, "flag needs an argument: --%s", name);
        return false;
    }
    return set(kube, flag, argv[++*index]);
}

/* "-n", "-nvalue", "-n=value", "-itq". */
static bool
parse_short(Kube *kube, int argc, char **argv, int *index)
{
    const char *word = argv[*index];
    for (const char *at = word + 1; *at != '\0'; at++) {
        const KubeFlag *flag = find_shorthand(kube->command, *at);
        if (flag == NULL) {
            kube_fail_usage(kube, "unknown shorthand flag: '%c' in -%s", *at, at);
            return false;
        }
        if (at[1] == '=')
            return set(kube, flag, at + 2);
        if (bare_value(flag) != NULL) {
            if (!set(kube, flag, bare_value(flag)))
                return false;
            continue;
        }
        if (at[1] != '\0')
            return set(kube, flag, at + 1);
        if (*index + 1 >= argc) {
            kube_fail_usage(kube, "flag needs an argument: '%c' in -%s", *at, at);
            return false;
        }
        return set(kube, flag, argv[++*index]);
    }
    return true;
}

bool
kube_flags_parse(Kube *kube, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--") == 0) {
            kube->dash_at = (int)kube->args->len;
            for (i++; i < argc; i++)
                g_ptr_array_add(kube->args, g_strdup(argv[i]));
        } else if (g_str_has_prefix(word, "--")) {
            if (!parse_long(kube, argc, argv, &i))
                return false;
        } else if (word[0] == '-' && word[1] != '\0') {
            if (!parse_short(kube, argc, argv, &i))
                return false;
        } else {
            g_ptr_array_add(kube->args, g_strdup(word));
        }
    }
    return true;
}

bool
kube_flag_given(const Kube *kube, const char *name)
{
    return g_hash_table_contains(kube->flags, name);
}

const char *
kube_flag(const Kube *kube, const char *name)
{
    GPtrArray *values = g_hash_table_lookup(kube->flags, name);
    if (values != NULL)
        return g_ptr_array_index(values, values->len - 1);
    const KubeFlag *flag = kube_flag_find(kube->command, name);
    return flag != NULL && flag->otherwise != NULL ? flag->otherwise : "";
}

bool
kube_flag_bool(const Kube *kube, const char *name)
{
    const char *value = kube_flag(kube, name);
    return *value == '1' || *value == 't' || *value == 'T';
}

int64_t
kube_flag_int(const Kube *kube, const char *name)
{
    return g_ascii_strtoll(kube_flag(kube, name), NULL, 0);
}

int64_t
kube_flag_duration(const Kube *kube, const char *name)
{
    int64_t ns = 0;
    duration_parse(kube_flag(kube, name), &ns, NULL);
    return ns;
}

char **
kube_flag_list(const Kube *kube, const char *name)
{
    GPtrArray *values = g_hash_table_lookup(kube->flags, name);
    const KubeFlag *flag = kube_flag_find(kube->command, name);
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; values != NULL && i < values->len; i++) {
        const char *value = g_ptr_array_index(values, i);
        if (flag->type != FLAG_LIST) {
            g_ptr_array_add(list, g_strdup(value));
            continue;
        }
        g_auto(GStrv) parts = g_strsplit(value, ",", KUBE_WORDS_MAX);
        for (char **part = parts; *part != NULL; part++)
            g_ptr_array_add(list, g_strdup(*part));
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}
