/* kubectl create namespace, service, serviceaccount, quota, poddisruptionbudget, priorityclass,
 * token */
#include <string.h>

#include "cli/kubectl/create.h"
#include "cli/kubectl/write.h"

static int
namespace_run(Kube *kube)
{
    const char *name = create_name(kube);
    return name == NULL
               ? 1
               : create_object(
                     kube,
                     value_new_f("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name));
}

static int
service_account_run(Kube *kube)
{
    const char *name = create_name(kube);
    return name == NULL
               ? 1
               : create_object(
                     kube,
                     value_new_f("{apiVersion: v1, kind: ServiceAccount, metadata: {name: %s}}",
                                 name));
}

/* ---- service ---- */

/* "80:8080" or "80"; NULL: printed. */
static Value *
service_port(Kube *kube, const char *text)
{
    const char *colon = strchr(text, ':');
    guint64 port, target;
    g_autofree char *first =
        colon != NULL ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    if (!g_ascii_string_to_unsigned(first, 10, 1, 65535, &port, NULL)) {
        kube_fail(kube, "invalid port: %s", text);
        return NULL;
    }
    const char *second = colon != NULL ? colon + 1 : first;
    g_autofree char *name = g_strdup(text);
    g_strdelimit(name, ":", '-');
    Value *made = value_new_f("{name: %s, port: %i, protocol: TCP}", name, (int64_t)port);
    value_edit(&made, "targetPort",
               g_ascii_string_to_unsigned(second, 10, 1, 65535, &target, NULL)
                   ? value_new_int((int64_t)target)
                   : value_new_string(second));
    return made;
}

static int
service_of_type(Kube *kube, const char *type)
{
    const char *name = create_name(kube);
    g_auto(GStrv) ports = kube_flag_list(kube, "tcp");
    bool external = strcmp(type, "ExternalName") == 0, headless = false;
    if (name == NULL)
        return 1;
    if (kube_flag_find(kube->command, "clusterip") != NULL)
        headless = strcmp(kube_flag(kube, "clusterip"), "None") == 0;
    if (ports[0] == NULL && !external && !headless)
        return kube_fail(kube, "at least one tcp port specifier must be provided");
    if (external && *kube_flag(kube, "external-name") == '\0')
        return kube_fail(kube, "required flag(s) \"external-name\" not set");
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    for (char **port = ports; *port != NULL; port++) {
        Value *made = service_port(kube, *port);
        if (made == NULL)
            return 1;
        if (strcmp(type, "NodePort") == 0 && kube_flag_int(kube, "node-port") > 0)
            value_edit(&made, "nodePort", value_new_int(kube_flag_int(kube, "node-port")));
        value_builder_append(list, made);
    }
    Value *service = value_new_f(
        "{apiVersion: v1, kind: Service, metadata: {name: %s, labels: {app: %s}}, spec: {type: %s, "
        "selector: {app: %s}}}",
        name, name, type, name);
    if (ports[0] != NULL)
        value_edit(&service, "spec.ports", value_ref(value_builder_peek(list)));
    if (kube_flag_find(kube->command, "clusterip") != NULL && *kube_flag(kube, "clusterip") != '\0')
        value_edit(&service, "spec.clusterIP", value_new_string(kube_flag(kube, "clusterip")));
    if (external)
        value_edit(&service, "spec.externalName",
                   value_new_string(kube_flag(kube, "external-name")));
    return create_object(kube, service);
}

static int
cluster_ip_run(Kube *kube)
{
    return service_of_type(kube, "ClusterIP");
}
static int
node_port_run(Kube *kube)
{
    return service_of_type(kube, "NodePort");
}
static int
load_balancer_run(Kube *kube)
{
    return service_of_type(kube, "LoadBalancer");
}
static int
external_name_run(Kube *kube)
{
    return service_of_type(kube, "ExternalName");
}

/* ---- the rest ---- */

static int
quota_run(Kube *kube)
{
    const char *name = create_name(kube);
    g_autoptr(Value) hard = value_new_map();
    if (name == NULL ||
        (*kube_flag(kube, "hard") != '\0' && !create_pairs(kube, kube_flag(kube, "hard"), &hard)))
        return 1;
    g_auto(GStrv) scopes = kube_flag_list(kube, "scopes");
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    for (char **scope = scopes; *scope != NULL; scope++)
        value_builder_append(list, value_new_string(*scope));
    return create_object(kube, value_new_f("{apiVersion: v1, kind: ResourceQuota, metadata: {name: "
                                           "%s}, spec: {hard: %v, scopes: ?%v}}",
                                           name, hard,
                                           scopes[0] != NULL ? value_builder_peek(list) : NULL));
}

static Value *
int_or_text(const char *text)
{
    gint64 number;
    return g_ascii_string_to_signed(text, 10, 0, G_MAXINT32, &number, NULL)
               ? value_new_int(number)
               : value_new_string(text);
}

static int
budget_run(Kube *kube)
{
    const char *name = create_name(kube), *least = kube_flag(kube, "min-available");
    const char *most = kube_flag(kube, "max-unavailable");
    g_autoptr(Value) labels = value_new_map();
    if (name == NULL)
        return 1;
    if (*kube_flag(kube, "selector") == '\0')
        return kube_fail(kube, "a selector must be specified");
    if ((*least == '\0') == (*most == '\0'))
        return kube_fail(kube, "one of min-available or max-unavailable must be specified");
    if (!create_pairs(kube, kube_flag(kube, "selector"), &labels))
        return 1;
    Value *budget = value_new_f(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: %s}, spec: {selector: "
        "{matchLabels: %v}}}",
        name, labels);
    value_edit(&budget, *least != '\0' ? "spec.minAvailable" : "spec.maxUnavailable",
               int_or_text(*least != '\0' ? least : most));
    return create_object(kube, budget);
}

static int
priority_class_run(Kube *kube)
{
    const char *name = create_name(kube), *policy = kube_flag(kube, "preemption-policy");
    if (name == NULL)
        return 1;
    Value *made = value_new_f(
        "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: %s}, value: %i, "
        "description: ?%s, globalDefault: ?%b, preemptionPolicy: %s}",
        name, kube_flag_int(kube, "value"),
        *kube_flag(kube, "description") != '\0' ? kube_flag(kube, "description") : NULL,
        kube_flag_bool(kube, "global-default"), *policy != '\0' ? policy : "PreemptLowerPriority");
    return create_object(kube, made);
}

static int
token_run(Kube *kube)
{
    const char *name = create_name(kube);
    if (name == NULL)
        return 1;
    ApiRequest *request = kube_request(
        API_VERB_CREATE, kube_kind_named(kube, "", "serviceaccounts"), kube->namespace_, name);
    request->subresource = g_strdup("token");
    request->body =
        value_new_f("{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {}}");
    int64_t seconds = kube_flag_duration(kube, "duration") / NS_PER_S;
    if (seconds > 0)
        value_edit(&request->body, "spec.expirationSeconds", value_new_int(seconds));
    g_auto(GStrv) audiences = kube_flag_list(kube, "audience");
    if (audiences[0] != NULL) {
        ValueBuilder *list = value_builder_new_array();
        for (char **audience = audiences; *audience != NULL; audience++)
            value_builder_append(list, value_new_string(*audience));
        value_edit(&request->body, "spec.audiences", value_builder_end(list));
    }
    char *error = NULL;
    g_autoptr(Value) answer = kube_ask(kube, request, &error);
    if (answer == NULL)
        return kube_fail_take(kube, error);
    kube_out(kube, "%s\n", value_text_at(answer, "status.token"));
    return 0;
}

static const KubeFlag plain_flags[] = {CREATE_FLAGS, KUBE_FLAGS_END};
#define TCP_FLAG                                                                                   \
    {                                                                                              \
        "tcp", 0, FLAG_LIST, NULL, NULL, "PORT[:TARGET]; may be repeated"                          \
    }
static const KubeFlag cluster_ip_flags[] = {
    CREATE_FLAGS,
    TCP_FLAG,
    {"clusterip", 0, FLAG_TEXT, NULL, NULL, "The address, or None"},
    KUBE_FLAGS_END};
static const KubeFlag node_port_flags[] = {
    CREATE_FLAGS,
    TCP_FLAG,
    {"node-port", 0, FLAG_INT, "0", NULL, "Port on every node"},
    KUBE_FLAGS_END};
static const KubeFlag load_balancer_flags[] = {CREATE_FLAGS, TCP_FLAG, KUBE_FLAGS_END};
static const KubeFlag external_name_flags[] = {
    CREATE_FLAGS,
    TCP_FLAG,
    {"external-name", 0, FLAG_TEXT, NULL, NULL, "The DNS name; required"},
    KUBE_FLAGS_END};
static const KubeFlag quota_flags[] = {
    CREATE_FLAGS,
    {"hard", 0, FLAG_TEXT, NULL, NULL, "cpu=1,memory=1G,pods=2"},
    {"scopes", 0, FLAG_LIST, NULL, NULL, "Which pods count (BestEffort)"},
    KUBE_FLAGS_END};
static const KubeFlag budget_flags[] = {
    CREATE_FLAGS,
    {"selector", 0, FLAG_TEXT, NULL, NULL, "Labels of the pods; required"},
    {"min-available", 0, FLAG_TEXT, NULL, NULL, "2 or 50%"},
    {"max-unavailable", 0, FLAG_TEXT, NULL, NULL, "1 or 20%"},
    KUBE_FLAGS_END};
static const KubeFlag priority_class_flags[] = {
    CREATE_FLAGS,
    {"value", 0, FLAG_INT, "0", NULL, "The priority"},
    {"description", 0, FLAG_TEXT, NULL, NULL, "What it is for"},
    {"global-default", 0, FLAG_BOOL, "false", NULL, "For pods that name none"},
    {"preemption-policy", 0, FLAG_TEXT, NULL, NULL, "PreemptLowerPriority or Never"},
    KUBE_FLAGS_END};
static const KubeFlag token_flags[] = {
    {"duration", 0, FLAG_DURATION, "0s", NULL, "How long it shall be valid"},
    {"audience", 0, FLAG_LIST, NULL, NULL, "For whom it is meant"},
    KUBE_FLAGS_END};

const KubeCommand CREATE_NAMESPACE = {.name = "namespace",
                                      .aliases = "ns",
                                      .usage = "NAME",
                                      .summary = "Create a namespace with the specified name",
                                      .flags = plain_flags,
                                      .run = namespace_run};
const KubeCommand CREATE_SERVICEACCOUNT = {.name = "serviceaccount",
                                           .aliases = "sa",
                                           .usage = "NAME",
                                           .summary =
                                               "Create a service account with the specified name",
                                           .flags = plain_flags,
                                           .run = service_account_run};
static const KubeCommand cluster_ip = {.name = "clusterip",
                                       .usage = "NAME [--tcp=<port>:<targetPort>]",
                                       .summary = "Create a ClusterIP service",
                                       .flags = cluster_ip_flags,
                                       .run = cluster_ip_run};
static const KubeCommand node_port = {.name = "nodeport",
                                      .usage = "NAME [--tcp=port:targetPort]",
                                      .summary = "Create a NodePort service",
                                      .flags = node_port_flags,
                                      .run = node_port_run};
static const KubeCommand load_balancer = {.name = "loadbalancer",
                                          .usage = "NAME [--tcp=port:targetPort]",
                                          .summary = "Create a LoadBalancer service",
                                          .flags = load_balancer_flags,
                                          .run = load_balancer_run};
static const KubeCommand external_name = {.name = "externalname",
                                          .usage = "NAME --external-name external.name",
                                          .summary = "Create an ExternalName service",
                                          .flags = external_name_flags,
                                          .run = external_name_run};
static const KubeCommand *const service_children[] = {&cluster_ip, &external_name, &load_balancer,
                                                      &node_port, NULL};
const KubeCommand CREATE_SERVICE = {.name = "service",
                                    .aliases = "svc",
                                    .usage = "SUBCOMMAND",
                                    .summary = "Create a service using a specified subcommand",
                                    .children = service_children};
const KubeCommand CREATE_QUOTA = {.name = "quota",
                                  .aliases = "resourcequota",
                                  .usage =
                                      "NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1]",
                                  .summary = "Create a quota with the specified name",
                                  .flags = quota_flags,
                                  .run = quota_run};
const KubeCommand CREATE_PDB = {.name = "poddisruptionbudget",
                                .aliases = "pdb",
                                .usage = "NAME --selector=SELECTOR --min-available=N",
                                .summary = "Create a pod disruption budget with the specified name",
                                .flags = budget_flags,
                                .run = budget_run};
const KubeCommand CREATE_PRIORITYCLASS = {.name = "priorityclass",
                                          .aliases = "pc",
                                          .usage = "NAME --value=VALUE --global-default=BOOL",
                                          .summary =
                                              "Create a priority class with the specified name",
                                          .flags = priority_class_flags,
                                          .run = priority_class_run};
const KubeCommand CREATE_TOKEN = {.name = "token",
                                  .usage = "SERVICE_ACCOUNT_NAME",
                                  .summary = "Request a service account token",
                                  .flags = token_flags,
                                  .run = token_run};
