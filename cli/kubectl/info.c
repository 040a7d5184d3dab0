/* kubectl api-resources, api-versions, cluster-info, version, options, top */
#include <string.h>

#include "cli/kubectl/table.h"
#include "core/object/json.h"

#define CLIENT_VERSION "v1.35.0"

/* ---- api-resources ---- */

static bool
wanted(Kube *kube, const ApiKind *kind)
{
    if (kube_flag_given(kube, "namespaced") &&
        kube_flag_bool(kube, "namespaced") != kind->namespaced)
        return false;
    if (kube_flag_given(kube, "api-group") &&
        strcmp(kube_flag(kube, "api-group"), kind->group) != 0)
        return false;
    g_auto(GStrv) verbs = kube_flag_list(kube, "verbs");
    for (char **verb = verbs; *verb != NULL; verb++) {
        bool has = false;
        for (unsigned bit = API_VERB_GET; bit <= API_VERB_DELETECOLLECTION; bit <<= 1)
            has = has ||
                  ((kind->verbs & bit) != 0 && strcmp(api_verb_name((ApiVerb)bit), *verb) == 0);
        if (!has)
            return false;
    }
    g_auto(GStrv) categories = kube_flag_list(kube, "categories");
    for (char **category = categories; *category != NULL; category++)
        if (kind->categories == NULL || !g_strv_contains(kind->categories, *category))
            return false;
    return true;
}

static int
compare_kinds(const void *a, const void *b)
{
    const ApiKind *left = *(const ApiKind *const *)a, *right = *(const ApiKind *const *)b;
    int order = strcmp(left->group, right->group);
    return order != 0 ? order : strcmp(left->resource, right->resource);
}

static int
compare_names(const void *a, const void *b)
{
    const ApiKind *left = *(const ApiKind *const *)a, *right = *(const ApiKind *const *)b;
    return strcmp(left->resource, right->resource);
}

static void
resource_row(GString *text, const ApiKind *kind, bool wide)
{
    g_autofree char *names =
        kind->short_names != NULL ? g_strjoinv(",", (char **)kind->short_names) : g_strdup("");
    g_string_append_printf(text, "%s\t%s\t%s\t%s\t%s", kind->resource, names,
                           api_kind_api_version(kind), kind->namespaced ? "true" : "false",
                           kind->kind);
    if (wide) {
        g_string_append_c(text, '\t');
        bool first = true;
        static const ApiVerb order[] = {API_VERB_CREATE, API_VERB_DELETE, API_VERB_DELETECOLLECTION,
                                        API_VERB_GET,    API_VERB_LIST,   API_VERB_PATCH,
                                        API_VERB_UPDATE, API_VERB_WATCH};
        for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
            if ((kind->verbs & order[i]) == 0)
                continue;
            g_string_append_printf(text, "%s%s", first ? "" : ",", api_verb_name(order[i]));
            first = false;
        }
        g_autofree char *categories =
            kind->categories != NULL ? g_strjoinv(",", (char **)kind->categories) : g_strdup("");
        g_string_append_printf(text, "\t%s", categories);
    }
    g_string_append_c(text, '\n');
}

static int
api_resources_run(Kube *kube)
{
    g_autoptr(GPtrArray) kinds = kube_kinds(kube);
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    bool wide = strcmp(kube_flag(kube, "output"), "wide") == 0,
         name = strcmp(kube_flag(kube, "output"), "name") == 0;
    if (kube_n_args(kube) > 0)
        return kube_fail_usage(kube, "unexpected arguments: [%s]", kube_arg(kube, 0));
    if (kinds->len > 0)
        qsort(kinds->pdata, kinds->len, sizeof(void *),
              strcmp(kube_flag(kube, "sort-by"), "name") == 0 ? compare_names : compare_kinds);
    if (!kube_flag_bool(kube, "no-headers") && !name)
        g_string_append_printf(text, "NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND%s\n",
                               wide ? "\tVERBS\tCATEGORIES" : "");
    for (guint i = 0; i < kinds->len; i++) {
        const ApiKind *kind = g_ptr_array_index(kinds, i);
        if (!wanted(kube, kind))
            continue;
        if (name)
            g_string_append_printf(text, "%s\n", api_kind_qualified(kind));
        else
            resource_row(text, kind, wide);
    }
    tabs_write(out, text->str, 6, 3);
    kube_write(kube, 1, out->str);
    return 0;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
api_versions_run(Kube *kube)
{
    g_autoptr(GPtrArray) kinds = kube_kinds(kube);
    g_autoptr(GPtrArray) versions = g_ptr_array_new();
    for (guint i = 0; i < kinds->len; i++)
        g_ptr_array_add(versions, (void *)api_kind_api_version(g_ptr_array_index(kinds, i)));
    if (versions->len > 0)
        qsort(versions->pdata, versions->len, sizeof(void *), compare_texts);
    for (guint i = 0; i < versions->len; i++)
        if (i == 0 ||
            strcmp(g_ptr_array_index(versions, i), g_ptr_array_index(versions, i - 1)) != 0)
            kube_out(kube, "%s\n", (const char *)g_ptr_array_index(versions, i));
    return 0;
}

/* ---- version, cluster-info, options, top ---- */

static char *
server_version(Kube *kube)
{
    g_autofree char *text =
        kube->env->get_raw != NULL ? kube->env->get_raw("/version", NULL, kube->env->data) : NULL;
    g_autoptr(Value) version = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    return g_strdup(value_string(value_get(version, "gitVersion")));
}

static int
version_run(Kube *kube)
{
    bool client_only = kube_flag_bool(kube, "client");
    g_autofree char *server = client_only ? NULL : server_version(kube);
    const char *output = kube_flag(kube, "output");
    if (*output != '\0') {
        g_autoptr(Value) version = value_new_f(
            "{clientVersion: {gitVersion: %s, major: '1', minor: '35'}, serverVersion: ?%V}",
            CLIENT_VERSION, server != NULL ? value_new_f("{gitVersion: %s}", server) : NULL);
        g_autoptr(GString) out = g_string_new(NULL);
        if (strcmp(output, "json") == 0) {
            json_write_pretty(out, version);
            g_string_append_c(out, '\n');
        } else if (strcmp(output, "yaml") == 0) {
            yaml_write(out, version);
        } else {
            return kube_fail(kube, "--output must be 'yaml' or 'json'");
        }
        kube_write(kube, 1, out->str);
        return 0;
    }
    kube_out(kube, "Client Version: %s (timonel)\n", CLIENT_VERSION);
    if (server != NULL)
        kube_out(kube, "Server Version: %s\n", server);
    return 0;
}

static int
cluster_info_run(Kube *kube)
{
    const char *server = kube->env->server != NULL ? kube->env->server : "this process";
    g_autofree char *error = NULL;
    kube_out(kube, "Kubernetes control plane is running at %s\n", server);
    g_autoptr(Value) list = kube_list(kube, kube_kind_named(kube, "", "services"), "kube-system",
                                      "kubernetes.io/cluster-service=true", NULL, &error);
    VALUE_ARRAY_FOREACH (service, value_get(list, "items")) {
        const Value *labels = value_at(service, "metadata.labels");
        const char *name = value_text(value_get(labels, "kubernetes.io/name"));
        kube_out(kube, "%s is running at %s/api/v1/namespaces/kube-system/services/%s%s/proxy\n",
                 *name != '\0' ? name : value_text_at(service, "metadata.name"), server,
                 value_text_at(service, "metadata.name"),
                 *value_text_at(service, "spec.ports[0].name") != '\0' ? ":dns" : "");
    }
    kube_out(
        kube,
        "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    return error != NULL ? kube_fail_take(kube, g_steal_pointer(&error)) : 0;
}

static int
options_run(Kube *kube)
{
    kube_out(kube, "The following options can be passed to any command:\n\n");
    for (const KubeFlag *flag = KUBE_GLOBAL_FLAGS; flag->name != NULL; flag++) {
        if (flag->shorthand != 0)
            kube_out(kube, "    -%c, --%s=%s:\n\t%s\n\n", flag->shorthand, flag->name,
                     flag->otherwise != NULL ? flag->otherwise : "''", flag->help);
        else
            kube_out(kube, "    --%s=%s:\n\t%s\n\n", flag->name,
                     flag->otherwise != NULL ? flag->otherwise : "''", flag->help);
    }
    return 0;
}

static int
top_run(Kube *kube)
{
    return kube_fail(kube, "Metrics API not available");
}

static const KubeFlag api_resources_flags[] = {
    {"output", 'o', FLAG_TEXT, NULL, NULL, "wide or name"},
    {"namespaced", 0, FLAG_BOOL, "true", NULL,
     "Only kinds in namespaces (or, with false, only the others)"},
    {"api-group", 0, FLAG_TEXT, NULL, NULL, "Only kinds of this group"},
    {"verbs", 0, FLAG_LIST, NULL, NULL, "Only kinds with these verbs"},
    {"categories", 0, FLAG_LIST, NULL, NULL, "Only kinds of these categories"},
    {"no-headers", 0, FLAG_BOOL, "false", NULL, "No line of headers"},
    {"sort-by", 0, FLAG_TEXT, NULL, NULL, "name or kind"},
    {"cached", 0, FLAG_BOOL, "false", NULL, "Accepted"},
    KUBE_FLAGS_END,
};
static const KubeFlag version_flags[] = {
    {"client", 0, FLAG_BOOL, "false", NULL, "Do not ask the server"},
    {"output", 'o', FLAG_TEXT, NULL, NULL, "yaml or json"},
    KUBE_FLAGS_END};
static const KubeFlag top_flags[] = {
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_ALL_NAMESPACES,
    {"containers", 0, FLAG_BOOL, "false", NULL, "Each container"},
    {"sort-by", 0, FLAG_TEXT, NULL, NULL, "cpu or memory"},
    {"no-headers", 0, FLAG_BOOL, "false", NULL, "No line of headers"},
    KUBE_FLAGS_END};

const KubeCommand KUBECTL_API_RESOURCES = {.name = "api-resources",
                                           .group = "Other Commands",
                                           .usage = "",
                                           .summary =
                                               "Print the supported API resources on the server",
                                           .flags = api_resources_flags,
                                           .run = api_resources_run};
const KubeCommand KUBECTL_API_VERSIONS = {
    .name = "api-versions",
    .group = "Other Commands",
    .usage = "",
    .summary = "Print the supported API versions on the server, in the form of \"group/version\"",
    .run = api_versions_run};
const KubeCommand KUBECTL_CLUSTER_INFO = {.name = "cluster-info",
                                          .group = "Cluster Management Commands",
                                          .usage = "",
                                          .summary = "Display cluster information",
                                          .run = cluster_info_run};
const KubeCommand KUBECTL_VERSION = {.name = "version",
                                     .group = "Other Commands",
                                     .usage = "",
                                     .summary = "Print the client and server version information",
                                     .flags = version_flags,
                                     .run = version_run};
const KubeCommand KUBECTL_OPTIONS = {.name = "options",
                                     .usage = "",
                                     .summary = "Print the list of flags inherited by all commands",
                                     .run = options_run};
static const KubeCommand top_node = {.name = "node",
                                     .aliases = "nodes,no",
                                     .usage = "[NAME | -l label]",
                                     .summary = "Display resource (CPU/memory) usage of nodes",
                                     .flags = top_flags,
                                     .run = top_run};
static const KubeCommand top_pod = {.name = "pod",
                                    .aliases = "pods,po",
                                    .usage = "[NAME | -l label]",
                                    .summary = "Display resource (CPU/memory) usage of pods",
                                    .flags = top_flags,
                                    .run = top_run};
static const KubeCommand *const top_children[] = {&top_node, &top_pod, NULL};
const KubeCommand KUBECTL_TOP = {.name = "top",
                                 .group = "Cluster Management Commands",
                                 .usage = "SUBCOMMAND",
                                 .summary = "Display resource (CPU/memory) usage",
                                 .children = top_children};
