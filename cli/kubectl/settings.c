/* kubectl config, auth, diff */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/object/json.h"
#include "core/object/patch.h"

/* ---- config ---- */

static const Value *
find_named(const Value *list, const char *name)
{
    VALUE_ARRAY_FOREACH (entry, list)
        if (strcmp(value_text(value_get(entry, "name")), name) == 0)
            return entry;
    return NULL;
}

static int
no_config(Kube *kube)
{
    return kube_fail(kube, "there is no kubeconfig here");
}

static int
current_context_run(Kube *kube)
{
    const char *current = value_text(value_get(kube->env->kubeconfig, "current-context"));
    if (*current == '\0')
        return kube_fail(kube, "current-context is not set");
    kube_out(kube, "%s\n", current);
    return 0;
}

static int
get_contexts_run(Kube *kube)
{
    const Value *config = kube->env->kubeconfig;
    const char *current = value_text(value_get(config, "current-context"));
    bool names = strcmp(kube_flag(kube, "output"), "name") == 0;
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    if (!names && !kube_flag_bool(kube, "no-headers"))
        g_string_append(text, "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    VALUE_ARRAY_FOREACH (context, value_get(config, "contexts")) {
        const char *name = value_text(value_get(context, "name"));
        if (kube_n_args(kube) > 0 && strcmp(kube_arg(kube, 0), name) != 0)
            continue;
        if (names)
            g_string_append_printf(text, "%s\n", name);
        else
            g_string_append_printf(
                text, "%s\t%s\t%s\t%s\t%s\n", strcmp(name, current) == 0 ? "*" : "", name,
                value_text_at(context, "context.cluster"), value_text_at(context, "context.user"),
                value_text_at(context, "context.namespace"));
    }
    if (kube_n_args(kube) > 0 &&
        find_named(value_get(config, "contexts"), kube_arg(kube, 0)) == NULL)
        return kube_fail(kube, "context %s not found", kube_arg(kube, 0));
    tabs_write(out, text->str, 6, 3);
    kube_write(kube, 1, out->str);
    return 0;
}

static int
list_names(Kube *kube, const char *list)
{
    kube_out(kube, "NAME\n");
    VALUE_ARRAY_FOREACH (entry, value_get(kube->env->kubeconfig, list))
        kube_out(kube, "%s\n", value_text(value_get(entry, "name")));
    return 0;
}

static int
get_clusters_run(Kube *kube)
{
    return list_names(kube, "clusters");
}

static int
get_users_run(Kube *kube)
{
    return list_names(kube, "users");
}

static int
save(Kube *kube, Value *take)
{
    g_autoptr(Value) changed = take;
    g_autoptr(GError) error = NULL;
    if (kube->env->save_kubeconfig == NULL)
        return no_config(kube);
    return kube->env->save_kubeconfig(changed, &error, kube->env->data)
               ? 0
               : kube_fail(kube, "%s", error->message);
}

static int
use_context_run(Kube *kube)
{
    const char *name = kube_arg(kube, 0);
    if (kube_n_args(kube) != 1)
        return kube_fail_usage(kube, "accepts 1 arg(s), received %zu", kube_n_args(kube));
    if (find_named(value_get(kube->env->kubeconfig, "contexts"), name) == NULL)
        return kube_fail(kube, "no context exists with the name: \"%s\"", name);
    if (save(kube, value_set(kube->env->kubeconfig, "current-context", value_new_string(name))) !=
        0)
        return 1;
    kube_out(kube, "Switched to context \"%s\".\n", name);
    return 0;
}

static int
set_context_run(Kube *kube)
{
    const Value *config = kube->env->kubeconfig, *contexts = value_get(config, "contexts");
    bool current = kube_flag_bool(kube, "current");
    const char *name =
        current ? value_text(value_get(config, "current-context")) : kube_arg(kube, 0);
    if (name == NULL || *name == '\0')
        return kube_fail_usage(kube,
                               current ? "no current context is set"
                                       : "you must specify a non-empty context name or --current");
    size_t at = 0;
    while (at < value_size(contexts) &&
           strcmp(value_text(value_get(value_item(contexts, at), "name")), name) != 0)
        at++;
    bool modified = at < value_size(contexts);
    g_autoptr(Value) context = modified ? value_ref(value_item(contexts, at))
                                        : value_new_f("{name: %s, context: {}}", name);
    static const char *const flags[] = {"namespace", "cluster", "user"};
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_autofree char *path = g_strconcat("context.", flags[i], NULL);
        if (kube_flag_given(kube, flags[i]))
            value_edit(&context, path, value_new_string(kube_flag(kube, flags[i])));
    }
    g_autoptr(Value) none = value_new_array();
    Value *list = value_set_item(contexts != NULL ? contexts : none, at, value_ref(context));
    if (save(kube, value_set(config, "contexts", list)) != 0)
        return 1;
    kube_out(kube, "Context \"%s\" %s.\n", name, modified ? "modified" : "created");
    return 0;
}

static Value *
redacted(const Value *config)
{
    static const char *const secrets[] = {"client-certificate-data", "client-key-data", "token",
                                          "password"};
    ValueBuilder *users = value_builder_new_array(), *clusters = value_builder_new_array();
    VALUE_ARRAY_FOREACH (user, value_get(config, "users")) {
        Value *shown = value_ref(user);
        for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++) {
            g_autofree char *path = g_strdup_printf("user['%s']", secrets[i]);
            if (value_at(user, path) != NULL)
                value_edit(&shown, path, value_new_string(i < 2 ? "DATA+OMITTED" : "REDACTED"));
        }
        value_builder_append(users, shown);
    }
    VALUE_ARRAY_FOREACH (cluster, value_get(config, "clusters")) {
        Value *shown = value_ref(cluster);
        if (value_at(cluster, "cluster['certificate-authority-data']") != NULL)
            value_edit(&shown, "cluster['certificate-authority-data']",
                       value_new_string("DATA+OMITTED"));
        value_builder_append(clusters, shown);
    }
    Value *result = value_set(config, "users", value_builder_end(users));
    value_edit(&result, "clusters", value_builder_end(clusters));
    return result;
}

static int
view_run(Kube *kube)
{
    const Value *config = kube->env->kubeconfig;
    g_autoptr(Value) empty = value_new_f("{apiVersion: v1, kind: Config, clusters: null, contexts: "
                                         "null, users: null, current-context: \"\"}");
    g_autoptr(Value) shown = config == NULL                ? value_ref(empty)
                             : kube_flag_bool(kube, "raw") ? value_ref(config)
                                                           : redacted(config);
    g_autoptr(KubePrinter) printer = kube_printer_new(
        kube, kube_flag_given(kube, "output") ? kube_flag(kube, "output") : "yaml");
    return printer == NULL ? 1 : kube_print(kube, printer, NULL, shown);
}

/* ---- auth ---- */

static int
can_i_run(Kube *kube)
{
    if (kube_n_args(kube) < 2)
        return kube_fail(
            kube, "you must specify two arguments: verb resource or verb resource/resourceName.\n"
                  "See 'kubectl auth can-i -h' for help and examples");
    const char *word = kube_arg(kube, 1), *slash = strchr(word, '/');
    g_autofree char *type = slash != NULL ? g_strndup(word, (gsize)(slash - word)) : g_strdup(word);
    const ApiKind *kind = strcmp(type, "*") == 0 ? NULL : kube_kind_quiet(kube, type);
    const char *name = slash != NULL ? slash + 1 : kube_arg(kube, 2);
    if (kind == NULL && strcmp(type, "*") != 0)
        kube_err(kube, "Warning: the server doesn't have a resource type '%s'\n\n", type);
    const char *sub = kube_flag(kube, "subresource");
    Value *review =
        value_new_f("{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview, spec: "
                    "{resourceAttributes: {namespace: ?%s, verb: "
                    "%s, group: %s, resource: %s, subresource: ?%s, name: ?%s}}}",
                    kube_flag_bool(kube, "all-namespaces") || (kind != NULL && !kind->namespaced)
                        ? NULL
                        : kube->namespace_,
                    kube_arg(kube, 0), kind != NULL ? kind->group : "*",
                    kind != NULL ? kind->resource : type, *sub != '\0' ? sub : NULL, name);
    ApiRequest *request = api_request_new(API_VERB_CREATE, "authorization.k8s.io",
                                          "selfsubjectaccessreviews", NULL, NULL);
    g_free(request->version);
    request->version = g_strdup("v1");
    request->body = review;
    char *error = NULL;
    g_autoptr(Value) answer = kube_ask(kube, request, &error);
    if (answer == NULL)
        return kube_fail_take(kube, error);
    bool allowed = value_bool_at(answer, "status.allowed");
    const char *reason = value_text_at(answer, "status.reason");
    if (!kube_flag_bool(kube, "quiet"))
        kube_out(kube, "%s%s%s\n", allowed ? "yes" : "no", *reason != '\0' && !allowed ? " - " : "",
                 allowed ? "" : reason);
    return allowed ? 0 : 1;
}

static int
whoami_run(Kube *kube)
{
    ApiRequest *request =
        api_request_new(API_VERB_CREATE, "authentication.k8s.io", "selfsubjectreviews", NULL, NULL);
    g_free(request->version);
    request->version = g_strdup("v1");
    request->body = value_new_f("{apiVersion: authentication.k8s.io/v1, kind: SelfSubjectReview}");
    char *error = NULL;
    g_autoptr(Value) answer = kube_ask(kube, request, &error);
    if (answer == NULL)
        return kube_fail_take(kube, error);
    if (*kube_flag(kube, "output") != '\0') {
        g_autoptr(KubePrinter) printer = kube_printer_new(kube, kube_flag(kube, "output"));
        return printer == NULL ? 1 : kube_print(kube, printer, NULL, answer);
    }
    const Value *user = value_at(answer, "status.userInfo");
    g_autoptr(GString) text = g_string_new("ATTRIBUTE\tVALUE\n"), out = g_string_new(NULL),
                       groups = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (group, value_get(user, "groups"))
        g_string_append_printf(groups, "%s%s", groups->len > 0 ? " " : "", value_text(group));
    g_string_append_printf(text, "Username\t%s\n", value_text(value_get(user, "username")));
    if (*value_text(value_get(user, "uid")) != '\0')
        g_string_append_printf(text, "UID\t%s\n", value_text(value_get(user, "uid")));
    g_string_append_printf(text, "Groups\t[%s]\n", groups->str);
    tabs_write(out, text->str, 6, 3);
    kube_write(kube, 1, out->str);
    return 0;
}

/* ---- diff ---- */

/* Lines of both texts, what is alike at both ends left out but for three lines. */
static void
write_diff(Kube *kube, const char *label, const char *old, const char *new_)
{
    g_auto(GStrv) a = g_strsplit(old, "\n", -1), b = g_strsplit(new_, "\n", -1);
    size_t n = g_strv_length(a), m = g_strv_length(b), head = 0, tail = 0;
    while (head < n && head < m && strcmp(a[head], b[head]) == 0)
        head++;
    while (tail < n - head && tail < m - head && strcmp(a[n - 1 - tail], b[m - 1 - tail]) == 0)
        tail++;
    size_t from = head > 3 ? head - 3 : 0, after = MIN(tail, 3);
    kube_out(kube, "--- LIVE/%s\n+++ MERGED/%s\n@@ -%zu,%zu +%zu,%zu @@\n", label, label, from + 1,
             n - tail + after - from, from + 1, m - tail + after - from);
    for (size_t i = from; i < head; i++)
        kube_out(kube, " %s\n", a[i]);
    for (size_t i = head; i < n - tail; i++)
        kube_out(kube, "-%s\n", a[i]);
    for (size_t i = head; i < m - tail; i++)
        kube_out(kube, "+%s\n", b[i]);
    for (size_t i = 0; i < after; i++)
        kube_out(kube, " %s\n", a[n - tail + i]);
}

/* What the server would make of the item; NULL: printed. */
static Value *
merged_by_server(Kube *kube, const KubeItem *item, const Value *live)
{
    g_autoptr(Value) modified = with_last_applied(item->object);
    const char *last = object_annotation(live, LAST_APPLIED);
    g_autoptr(Value) original =
        last != NULL ? json_parse(last, strlen(last), NULL) : value_new_map();
    g_autoptr(Value) patch =
        live == NULL ? NULL
        : item->kind->schema != NULL
            ? schema_strategic_three_way(item->kind->schema, original, modified, live, NULL)
            : merge_patch_create_three_way(original, modified, live);
    ApiRequest *request = kube_request(live == NULL ? API_VERB_CREATE : API_VERB_PATCH, item->kind,
                                       item->namespace_, live == NULL ? NULL : item->name);
    request->body = value_ref(live == NULL ? modified : patch);
    request->patch_type = live == NULL                 ? PATCH_NONE
                          : item->kind->schema != NULL ? PATCH_STRATEGIC
                                                       : PATCH_MERGE;
    request->dry_run = true;
    char *error = NULL;
    Value *merged = kube_ask(kube, request, &error);
    if (merged == NULL)
        kube_fail_take(kube, error);
    return merged;
}

static int
diff_item(Kube *kube, const KubeItem *item, bool *ret_differs)
{
    g_autofree char *ignored = NULL;
    g_autoptr(Value) live = kube_get(kube, item->kind, item->namespace_, item->name, &ignored);
    g_autoptr(Value) merged = merged_by_server(kube, item, live);
    if (merged == NULL)
        return 1;
    g_autoptr(Value) before = live != NULL ? kube_without_managed_fields(live) : NULL;
    g_autoptr(Value) after = kube_without_managed_fields(merged);
    value_edit_remove(&after, "metadata.annotations['" LAST_APPLIED "']");
    if (before != NULL)
        value_edit_remove(&before, "metadata.annotations['" LAST_APPLIED "']");
    g_autofree char *old = before != NULL ? yaml_text(before) : g_strdup("");
    g_autofree char *new_ = yaml_text(after);
    g_autofree char *label =
        g_strdup_printf("%s.%s.%s.%s", api_kind_api_version(item->kind), item->kind->kind,
                        item->namespace_ != NULL ? item->namespace_ : "", item->name);
    g_strdelimit(label, "/", '.');
    if (strcmp(old, new_) == 0)
        return 0;
    *ret_differs = true;
    write_diff(kube, label, old, new_);
    return 0;
}

static int
diff_run(Kube *kube)
{
    bool differs = false;
    if (!kube_flag_given(kube, "filename"))
        return kube_fail(kube, "must specify one of -f and -k");
    g_autoptr(KubeItems) items = kube_manifests(kube, true);
    int status = items == NULL ? 2 : 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        if (diff_item(kube, kube_item(items, i), &differs) != 0)
            status = 2;
    return status != 0 ? status : differs ? 1 : 0;
}

static const KubeFlag contexts_flags[] = {
    {"output", 'o', FLAG_TEXT, NULL, NULL, "name"},
    {"no-headers", 0, FLAG_BOOL, "false", NULL, "No line of headers"},
    KUBE_FLAGS_END};
static const KubeFlag set_context_flags[] = {
    {"current", 0, FLAG_BOOL, "false", NULL, "The current context"}, KUBE_FLAGS_END};
static const KubeFlag view_flags[] = {
    KUBE_FLAGS_OUTPUT,
    {"raw", 0, FLAG_BOOL, "false", NULL, "Certificates and secrets too"},
    {"minify", 0, FLAG_BOOL, "false", NULL, "Accepted"},
    {"flatten", 0, FLAG_BOOL, "false", NULL, "Accepted"},
    KUBE_FLAGS_END};
static const KubeFlag can_i_flags[] = {
    KUBE_FLAGS_ALL_NAMESPACES,
    {"quiet", 'q', FLAG_BOOL, "false", NULL, "Only the exit status"},
    {"subresource", 0, FLAG_TEXT, NULL, NULL, "log, exec, ..."},
    KUBE_FLAGS_END};
static const KubeFlag whoami_flags[] = {KUBE_FLAGS_OUTPUT, KUBE_FLAGS_END};
static const KubeFlag diff_flags[] = {KUBE_FLAGS_FILES,
                                      KUBE_FLAGS_SELECTOR,
                                      KUBE_FLAGS_VALIDATE,
                                      {"server-side", 0, FLAG_BOOL, "false", NULL, "Accepted"},
                                      KUBE_FLAGS_END};

static const KubeCommand config_children_all[] = {
    {.name = "current-context",
     .usage = "",
     .summary = "Display the current-context",
     .run = current_context_run},
    {.name = "get-clusters",
     .usage = "",
     .summary = "Display clusters defined in the kubeconfig",
     .run = get_clusters_run},
    {.name = "get-contexts",
     .usage = "[(-o|--output=)name)]",
     .summary = "Describe one or many contexts",
     .flags = contexts_flags,
     .run = get_contexts_run},
    {.name = "get-users",
     .usage = "",
     .summary = "Display users defined in the kubeconfig",
     .run = get_users_run},
    {.name = "set-context",
     .usage = "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] "
              "[--namespace=namespace]",
     .summary = "Set a context entry in kubeconfig",
     .flags = set_context_flags,
     .run = set_context_run},
    {.name = "use-context",
     .aliases = "use",
     .usage = "CONTEXT_NAME",
     .summary = "Set the current-context in a kubeconfig file",
     .run = use_context_run},
    {.name = "view",
     .usage = "",
     .summary = "Display merged kubeconfig settings or a specified kubeconfig file",
     .flags = view_flags,
     .run = view_run},
};
static const KubeCommand *const config_children[] = {
    &config_children_all[0], &config_children_all[1],
    &config_children_all[2], &config_children_all[3],
    &config_children_all[4], &config_children_all[5],
    &config_children_all[6], NULL};
const KubeCommand KUBECTL_CONFIG = {.name = "config",
                                    .group = "Other Commands",
                                    .usage = "SUBCOMMAND",
                                    .summary = "Modify kubeconfig files",
                                    .children = config_children};

static const KubeCommand can_i = {.name = "can-i",
                                  .usage = "VERB [TYPE | TYPE/NAME]",
                                  .summary = "Check whether an action is allowed",
                                  .flags = can_i_flags,
                                  .run = can_i_run};
static const KubeCommand whoami = {.name = "whoami",
                                   .usage = "",
                                   .summary = "Experimental: Check self subject attributes",
                                   .flags = whoami_flags,
                                   .run = whoami_run};
static const KubeCommand *const auth_children[] = {&can_i, &whoami, NULL};
const KubeCommand KUBECTL_AUTH = {.name = "auth",
                                  .group = "Troubleshooting and Debugging Commands",
                                  .usage = "SUBCOMMAND",
                                  .summary = "Inspect authorization",
                                  .children = auth_children};
const KubeCommand KUBECTL_DIFF = {.name = "diff",
                                  .group = "Advanced Commands",
                                  .usage = "-f FILENAME",
                                  .summary =
                                      "Diff the live version against a would-be applied version",
                                  .flags = diff_flags,
                                  .run = diff_run};
