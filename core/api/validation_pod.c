/* Pods, and the pod specifications of templates. */
#include "core/api/validation_private.h"

#include "core/api/pod.h"
#include "core/object/label.h"
#include "core/object/selector.h"

#define DNS_NAMESERVERS_MAX 3
#define DNS_SEARCHES_MAX 32
#define DNS_SEARCHES_SIZE_MAX 2048
#define POD_UPDATE_TEXT                                                                                                \
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"          \
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"                        \
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

/* ---- specifications ---- */

static void
check_dns(const Path *at, const Value *spec)
{
    const Value *config = value_get(spec, "dnsConfig"), *servers = value_get(config, "nameservers");
    const Value *searches = value_get(config, "searches");
    bool none = text_is(value_get(spec, "dnsPolicy"), "None");
    size_t i = 0, k = 0, size = 0;

    if (none && config == NULL) {
        bad_required(AT(at, "dnsConfig"), "must provide `dnsConfig` when `dnsPolicy` is None");
        return;
    }
    if (config == NULL)
        return;
    at = AT(at, "dnsConfig");
    if (none && value_size(servers) == 0)
        bad_required(AT(at, "nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
    if (value_size(servers) > DNS_NAMESERVERS_MAX)
        bad_invalid(AT(at, "nameservers"), servers, "must not have more than 3 nameservers");
    VALUE_ARRAY_FOREACH (server, servers)
        check_ip(NTH(AT(at, "nameservers"), i++), server);
    if (value_size(searches) > DNS_SEARCHES_MAX)
        bad_invalid(AT(at, "searches"), searches, "must not have more than 32 search paths");
    VALUE_ARRAY_FOREACH (search, searches)
        size += value_string_len(search) + 1;
    if (size > DNS_SEARCHES_SIZE_MAX + 1)
        bad_invalid(AT(at, "searches"), searches, "must not have more than 2048 characters (including spaces) in the search list");
    VALUE_ARRAY_FOREACH (option, value_get(config, "options")) {
        if (is_empty(value_get(option, "name")))
            bad_required(NTH(AT(at, "options"), k), "must not be empty");
        k++;
    }
}

static void
check_host_aliases(const Path *at, const Value *aliases)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (alias, aliases) {
        const Path *here = NTH(at, i++);
        size_t k = 0;

        check_ip(AT(here, "ip"), value_get(alias, "ip"));
        VALUE_ARRAY_FOREACH (name, value_get(alias, "hostnames"))
            check_dns_subdomain(NTH(AT(here, "hostnames"), k++), name);
    }
}

static void
check_gates(const Path *at, const Value *spec)
{
    const Value *gates = value_get(spec, "schedulingGates");
    size_t k = 0;

    VALUE_ARRAY_FOREACH (gate, value_get(spec, "readinessGates"))
        check_qualified(AT(NTH(AT(at, "readinessGates"), k++), "conditionType"), value_get(gate, "conditionType"));
    for (size_t i = 0; i < value_size(gates); i++) {
        const Value *name = value_get(value_item(gates, i), "name");

        check_qualified(NTH(AT(at, "schedulingGates"), i), name);
        for (size_t before = 0; before < i; before++)
            if (value_equal(value_get(value_item(gates, before), "name"), name))
                bad_duplicate(NTH(AT(at, "schedulingGates"), i), name);
    }
}

/* What is given must be a name of this sort. */
static void
check_spec_names(const Path *at, const Value *spec)
{
    static const char *const subdomains[] = {"serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"};
    static const char *const labels[] = {"hostname", "subdomain"};

    for (size_t i = 0; i < G_N_ELEMENTS(subdomains); i++)
        if (!is_empty(value_get(spec, subdomains[i])))
            check_dns_subdomain(AT(at, subdomains[i]), value_get(spec, subdomains[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++)
        if (!is_empty(value_get(spec, labels[i])))
            check_dns_label(AT(at, labels[i]), value_get(spec, labels[i]));
}

void
check_pod_spec(const Path *at, const Value *spec, const PodRules *rules)
{
    const Value *context = value_get(spec, "securityContext");

    if (!rules->is_template && value_get(spec, "ephemeralContainers") == NULL && value_get(spec, "containers") == NULL) {
        bad_required(AT(at, "containers"), "");
        return;
    }
    check_volumes(AT(at, "volumes"), value_get(spec, "volumes"));
    check_containers(at, spec);
    check_enum(AT(at, "restartPolicy"), value_get(spec, "restartPolicy"), TEXTS("Always", "OnFailure", "Never"), REQUIRED);
    check_enum(AT(at, "dnsPolicy"), value_get(spec, "dnsPolicy"), TEXTS("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
               REQUIRED);
    check_labels(AT(at, "nodeSelector"), value_get(spec, "nodeSelector"));
    check_pod_security_context(AT(at, "securityContext"), context);
    if (value_bool(value_get(spec, "shareProcessNamespace")) && value_bool(value_get(spec, "hostPID")))
        bad_invalid(AT(AT(at, "securityContext"), "shareProcessNamespace"), value_get(spec, "shareProcessNamespace"),
                    "ShareProcessNamespace and HostPID cannot both be enabled");
    check_affinity(AT(at, "affinity"), value_get(spec, "affinity"));
    check_dns(at, spec);
    check_gates(at, spec);
    check_topology_spread(AT(at, "topologySpreadConstraints"), value_get(spec, "topologySpreadConstraints"));
    check_spec_names(at, spec);
    check_range(AT(at, "activeDeadlineSeconds"), value_get(spec, "activeDeadlineSeconds"), 1, INT32_MAX);
    check_tolerations(AT(at, "tolerations"), value_get(spec, "tolerations"));
    check_host_aliases(AT(at, "hostAliases"), value_get(spec, "hostAliases"));
    check_enum(AT(at, "preemptionPolicy"), value_get(spec, "preemptionPolicy"), TEXTS("PreemptLowerPriority", "Never"), OPTIONAL);
    check_enum(AT(AT(at, "os"), "name"), value_at(spec, "os.name"), TEXTS("linux", "windows"), OPTIONAL);
    VALUE_MAP_FOREACH (name, amount, value_get(spec, "overhead"))
        check_quantity_not_negative(KEYED(AT(at, "overhead"), name), amount);
}

void
check_pod_template(const Path *at, const Value *template_, const Value *selector, const PodRules *rules)
{
    const Value *labels = value_at(template_, "metadata.labels"), *spec = value_get(template_, "spec");
    bool is_job = text_in(rules->kind, TEXTS("Job", "CronJob"));

    if (selector != NULL) {
        g_autoptr(Selector) compiled = selector_from_object(selector, NULL);

        if (compiled != NULL && !selector_is_empty(compiled) && !selector_matches(compiled, labels)) {
            g_autoptr(Value) none = value_new_map();

            bad_invalid(AT(AT(at, "metadata"), "labels"), labels != NULL ? labels : none,
                        "`selector` does not match template `labels`");
        }
    }
    check_labels(AT(AT(at, "metadata"), "labels"), labels);
    check_annotations(AT(AT(at, "metadata"), "annotations"), value_at(template_, "metadata.annotations"));
    check_pod_spec(AT(at, "spec"), spec, rules);
    if (value_size(value_get(spec, "ephemeralContainers")) > 0)
        bad_forbidden(AT(AT(at, "spec"), "ephemeralContainers"), "ephemeral containers not allowed in pod template");
    if (is_job || rules->kind[0] == '\0')
        return;
    if (text_in(value_text(value_get(spec, "restartPolicy")), TEXTS("OnFailure", "Never")))
        bad_unsupported(AT(AT(at, "spec"), "restartPolicy"), value_get(spec, "restartPolicy"), TEXTS("Always"));
    if (value_get(spec, "activeDeadlineSeconds") != NULL)
        bad_forbidden_f(AT(AT(at, "spec"), "activeDeadlineSeconds"), "activeDeadlineSeconds in %s is not Supported", rules->kind);
}

/* ---- Pod ---- */

static const PodRules pod_rules = {"Pod", false};

static void
pod_check(const Path *at, const Value *pod)
{
    if (value_at(pod, "metadata.annotations['kubernetes.io/config.mirror']") != NULL && is_empty(value_at(pod, "spec.nodeName")))
        bad_invalid(KEYED(AT(AT(at, "metadata"), "annotations"), "kubernetes.io/config.mirror"),
                    value_at(pod, "metadata.annotations['kubernetes.io/config.mirror']"),
                    "must set spec.nodeName if mirror pod annotation is set");
    check_pod_spec(AT(at, "spec"), value_get(pod, "spec"), &pod_rules);
}

static void
pod_check_create(const Path *at, const Value *pod)
{
    pod_check(at, pod);
    if (value_size(value_at(pod, "spec.ephemeralContainers")) > 0)
        bad_forbidden(AT(AT(at, "spec"), "ephemeralContainers"), "cannot be set on create");
    if (value_size(value_at(pod, "spec.schedulingGates")) > 0 && !is_empty(value_at(pod, "spec.nodeName")))
        bad_forbidden(AT(AT(at, "spec"), "nodeName"), "cannot be set until all schedulingGates have been cleared");
}

/* The old ones must all still be there, but for their seconds. */
static void
pod_check_tolerations(const Path *at, const Value *now, const Value *before)
{
    VALUE_ARRAY_FOREACH (old, before) {
        bool kept = false;

        VALUE_ARRAY_FOREACH (one, now) {
            g_autoptr(Value) plain = value_remove(one, "tolerationSeconds");
            g_autoptr(Value) plain_old = value_remove(old, "tolerationSeconds");

            kept |= value_equal(plain, plain_old);
        }
        if (!kept) {
            bad_forbidden(at, "existing toleration can not be modified except its tolerationSeconds");
            return;
        }
    }
}

static void
pod_check_deadline(const Path *at, const Value *now, const Value *before)
{
    if (value_is_null(now)) {
        if (!value_is_null(before)) {
            g_autoptr(Value) null = value_new_null();

            bad_invalid(at, null, "must not update from a positive integer to nil value");
        }
        return;
    }
    check_range(at, now, 0, INT32_MAX);
    if (!value_is_null(before) && value_int(now) > value_int(before))
        bad_invalid(at, now, "must be less than or equal to previous value");
}

/* The new list with the old images, so that only other changes show. */
static void
pod_put_back_images(Value **spec, const Value *old, const char *field)
{
    const Value *now = value_get(*spec, field), *before = value_get(old, field);
    Value *list;

    if (now == before || value_size(now) != value_size(before))
        return;
    list = value_ref(now);
    for (size_t i = 0; i < value_size(before); i++) {
        const Value *image = value_get(value_item(before, i), "image"), *one = value_item(list, i);

        if (!value_equal(value_get(one, "image"), image))
            value_replace(&list, value_set_item(list, i, value_set(one, "image", value_ref(image))));
    }
    value_replace(spec, value_set(*spec, field, list));
}

static void
pod_put_back(Value **spec, const Value *old, const char *field)
{
    const Value *before = value_get(old, field);

    if (value_get(*spec, field) == before)
        return;
    value_replace(spec, before != NULL ? value_set(*spec, field, value_ref(before)) : value_remove(*spec, field));
}

/* "  spec.nodeName": the fields that differ, one a line. */
static void
pod_changes(GString *out, const Value *now, const Value *before)
{
    VALUE_MAP_FOREACH (key, value, before)
        if (!value_equal(value, value_get(now, key)))
            g_string_append_printf(out, "  spec.%s\n", key);
    VALUE_MAP_FOREACH (key, value, now)
        if (!value_has(before, key))
            g_string_append_printf(out, "  spec.%s\n", key);
}

static void
pod_check_gated(const Path *at, Value **spec, const Value *old)
{
    const Value *gates = value_get(old, "schedulingGates");

    VALUE_ARRAY_FOREACH (gate, value_get(*spec, "schedulingGates")) {
        bool known = false;

        VALUE_ARRAY_FOREACH (before, gates)
            known |= value_equal(before, gate);
        if (!known)
            bad_forbidden_f(AT(at, "schedulingGates"), "only deletion is allowed, but found new scheduling gate '%s'",
                            value_text(value_get(gate, "name")));
    }
    pod_put_back(spec, old, "schedulingGates");
    if (value_size(gates) == 0)
        return;
    VALUE_MAP_FOREACH (key, value, value_get(old, "nodeSelector"))
        if (!value_equal(value, value_get(value_get(*spec, "nodeSelector"), key))) {
            bad_invalid(AT(at, "nodeSelector"), value_get(*spec, "nodeSelector"), "only additions to the existing set are allowed");
            break;
        }
    pod_put_back(spec, old, "nodeSelector");
    pod_put_back(spec, old, "affinity");
}

static void
pod_check_update(const Path *at, const Value *pod, const Value *old)
{
    const Value *spec = value_get(pod, "spec"), *before = value_get(old, "spec");
    g_autoptr(Value) munged = NULL;
    g_autoptr(GString) changes = NULL;
    const Path *here = AT(at, "spec");

    if (spec == before || value_equal(spec, before))
        return;
    pod_check(at, pod);
    munged = value_ref(spec);
    if (value_size(value_get(spec, "containers")) != value_size(value_get(before, "containers"))) {
        bad_forbidden(AT(here, "containers"), "pod updates may not add or remove containers");
        return;
    }
    if (value_size(value_get(spec, "initContainers")) != value_size(value_get(before, "initContainers"))) {
        bad_forbidden(AT(here, "initContainers"), "pod updates may not add or remove containers");
        return;
    }
    pod_check_deadline(AT(here, "activeDeadlineSeconds"), value_get(spec, "activeDeadlineSeconds"),
                       value_get(before, "activeDeadlineSeconds"));
    pod_check_tolerations(AT(here, "tolerations"), value_get(spec, "tolerations"), value_get(before, "tolerations"));
    pod_put_back_images(&munged, before, "containers");
    pod_put_back_images(&munged, before, "initContainers");
    pod_put_back(&munged, before, "activeDeadlineSeconds");
    pod_put_back(&munged, before, "tolerations");
    if (value_int(value_get(before, "terminationGracePeriodSeconds")) < 0 &&
        value_int(value_get(spec, "terminationGracePeriodSeconds")) == 1)
        pod_put_back(&munged, before, "terminationGracePeriodSeconds");
    pod_check_gated(here, &munged, before);
    if (value_equal(munged, before))
        return;
    changes = g_string_new(POD_UPDATE_TEXT);
    pod_changes(changes, munged, before);
    bad_forbidden(here, changes->str);
}

/* ---- ephemeral containers, resizing ---- */

static const Value *
container_named(const Value *list, const Value *name)
{
    VALUE_ARRAY_FOREACH (container, list)
        if (value_equal(value_get(container, "name"), name))
            return container;
    return NULL;
}

void
check_pod_ephemeral_containers(const Path *root, const Value *pod, const Value *old)
{
    const Value *list = value_at(pod, "spec.ephemeralContainers");
    const Path *at = AT(AT(root, "spec"), "ephemeralContainers");

    check_containers(AT(root, "spec"), value_get(pod, "spec"));
    VALUE_ARRAY_FOREACH (before, value_at(old, "spec.ephemeralContainers")) {
        const Value *now = container_named(list, value_get(before, "name"));

        if (now == NULL || !value_equal(now, before))
            bad_forbidden_f(at, "existing ephemeral containers \"%s\" may not be %s\n", value_text(value_get(before, "name")),
                            now == NULL ? "removed" : "changed");
    }
}

/* The containers of this list with the resources that `old` gives them. */
static Value *
with_old_resources(const Value *containers, const Value *old)
{
    static const char *const fields[] = {"resources", "resizePolicy"};
    Value *list = value_ref(containers);

    for (size_t i = 0; i < value_size(old) && value_size(old) == value_size(containers); i++) {
        Value *one = value_ref(value_item(list, i));

        for (size_t k = 0; k < G_N_ELEMENTS(fields); k++) {
            const Value *before = value_get(value_item(old, i), fields[k]);

            value_replace(&one, before != NULL ? value_set(one, fields[k], value_ref(before)) : value_remove(one, fields[k]));
        }
        value_replace(&list, value_set_item(list, i, one));
    }
    return list;
}

void
check_pod_resize(const Path *root, const Value *pod, const Value *old)
{
    static const char *const lists[] = {"containers", "initContainers"};
    const Value *spec = value_get(pod, "spec"), *before = value_get(old, "spec");
    const Path *at = AT(root, "spec");
    g_autoptr(Value) munged = NULL;
    g_autoptr(Value) class = NULL;

    if (spec == before)
        return;
    check_containers(at, spec);
    munged = value_ref(spec);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        if (value_get(spec, lists[i]) != NULL)
            value_replace(&munged, value_set(munged, lists[i],
                                             with_old_resources(value_get(spec, lists[i]), value_get(before, lists[i]))));
    if (!value_equal(munged, before))
        bad_forbidden(at, "only cpu and memory resources are mutable");
    class = value_new_string(pod_qos_class(pod));
    if (strcmp(pod_qos_class(pod), pod_qos_class(old)) != 0)
        bad_invalid(at, class, "Pod QOS Class may not change as a result of resizing");
}

/* ---- status ---- */

static void
pod_check_states(const Path *at, const Value *now, const Value *before, const char *restart)
{
    size_t i = 0;

    if (strcmp(restart, "Always") == 0)
        return;
    VALUE_ARRAY_FOREACH (old, before) {
        const Value *terminated = value_at(old, "state.terminated");
        const Path *here = NTH(at, i++);

        if (terminated == NULL || (strcmp(restart, "OnFailure") == 0 && value_int(value_get(terminated, "exitCode")) != 0))
            continue;
        VALUE_ARRAY_FOREACH (one, now)
            if (value_equal(value_get(one, "name"), value_get(old, "name")) && value_at(one, "state.terminated") == NULL)
                bad_forbidden(AT(here, "state"), "may not be transitioned to non-terminated state");
    }
}

static void
pod_check_status(const Path *at, const Value *pod, const Value *old)
{
    const Value *status = value_get(pod, "status"), *nominated = value_get(status, "nominatedNodeName");
    const Path *here = AT(at, "status");
    size_t i = 0, k = 0;

    VALUE_ARRAY_FOREACH (condition, value_get(status, "conditions")) {
        const char *type = value_text(value_get(condition, "type"));
        g_autofree char *problem = strchr(type, '/') != NULL || *type == '\0' ? label_key_problem(type) : NULL;

        if (problem != NULL)
            bad_invalid(AT(NTH(AT(here, "conditions"), i), "type"), value_get(condition, "type"), problem);
        i++;
    }
    VALUE_ARRAY_FOREACH (ip, value_get(status, "podIPs"))
        check_ip(NTH(AT(here, "podIPs"), k++), value_get(ip, "ip"));
    if (!is_empty(nominated))
        check_dns_subdomain(AT(here, "nominatedNodeName"), nominated);
    pod_check_states(AT(here, "containerStatuses"), value_get(status, "containerStatuses"),
                     value_at(old, "status.containerStatuses"), value_text(value_at(pod, "spec.restartPolicy")));
}

static void
pod_template_check(const Path *at, const Value *object)
{
    check_pod_template(AT(at, "template"), value_get(object, "template"), NULL, &(PodRules){"", true});
}

const KindRules kind_rules_pod[] = {
    {"", "Pod", NAME_SUBDOMAIN, pod_check_create, pod_check_update, pod_check_status, true},
    {"", "PodTemplate", NAME_SUBDOMAIN, pod_template_check, NULL, NULL, false},
    {0},
};
