/* Replica sets and controllers, deployments, stateful and daemon sets, their revisions, and disruption budgets. */
#include "core/api/validation_private.h"

/* ---- parts ---- */

/* `kind_word`: as the message names it. */
static void
check_own_selector(const Path *at, const Value *selector, const char *kind_word)
{
    g_autofree char *detail = NULL;

    if (selector == NULL) {
        bad_required(at, "");
        return;
    }
    check_label_selector(at, selector);
    if (value_size(value_get(selector, "matchLabels")) + value_size(value_get(selector, "matchExpressions")) > 0)
        return;
    detail = g_strdup_printf("empty selector is invalid for %s", kind_word);
    bad_invalid(at, selector, detail);
}

static void
check_counts(const Path *at, const Value *spec, const char *const *fields)
{
    for (; *fields != NULL; fields++)
        check_not_negative(AT(at, *fields), value_get(spec, *fields));
}

static bool
is_zero(const Value *int_or_string)
{
    return text_in(value_text(int_or_string), TEXTS("0%", "00%")) ||
           (!value_is_string(int_or_string) && value_int(int_or_string) == 0);
}

static void
check_at_most_all(const Path *at, const Value *int_or_string)
{
    const char *text = value_string(int_or_string);

    if (text != NULL && g_ascii_strtoll(text, NULL, 10) > 100)
        bad_invalid(at, int_or_string, "must not be greater than 100%");
}

static void
check_status_counts(const Path *at, const Value *status, const char *const *fields)
{
    check_counts(at, status, fields);
}

/* None of these may be more than there are replicas. */
static void
check_status_order(const Path *at, const Value *status, const char *const *fields)
{
    for (; *fields != NULL; fields++)
        if (value_int(value_get(status, *fields)) > value_int(value_get(status, "replicas")))
            bad_invalid(AT(at, *fields), value_get(status, *fields), "cannot be greater than status.replicas");
}

/* ---- ReplicaSet, ReplicationController ---- */

static void
replica_set_check(const Path *at, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *selector = value_get(spec, "selector");
    const Path *here = AT(at, "spec");

    check_counts(here, spec, TEXTS("replicas", "minReadySeconds"));
    check_own_selector(AT(here, "selector"), selector, "deployment");
    check_pod_template(AT(here, "template"), value_get(spec, "template"), selector, &(PodRules){"ReplicaSet", true});
}

static void
replica_set_check_update(const Path *at, const Value *object, const Value *old)
{
    check_kept(AT(AT(at, "spec"), "selector"), value_at(object, "spec.selector"), value_at(old, "spec.selector"));
}

static void
replicas_check_status(const Path *at, const Value *object, const Value *old)
{
    const Value *status = value_get(object, "status");
    const Path *here = AT(at, "status");

    (void)old;
    check_status_counts(here, status, TEXTS("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
                                            "observedGeneration"));
    check_status_order(here, status, TEXTS("fullyLabeledReplicas", "readyReplicas", "availableReplicas"));
    if (value_int(value_get(status, "availableReplicas")) > value_int(value_get(status, "readyReplicas")))
        bad_invalid(AT(here, "availableReplicas"), value_get(status, "availableReplicas"), "cannot be greater than readyReplicas");
}

static void
replication_controller_check(const Path *at, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *pairs = value_get(spec, "selector");
    g_autoptr(Value) selector = value_new_f("{matchLabels: ?%v}", pairs);
    const Path *here = AT(at, "spec");

    check_counts(here, spec, TEXTS("minReadySeconds"));
    if (value_size(pairs) == 0)
        bad_required(AT(here, "selector"), "");
    check_labels(AT(here, "selector"), pairs);
    check_counts(here, spec, TEXTS("replicas"));
    if (value_get(spec, "template") == NULL)
        bad_required(AT(here, "template"), "");
    else
        check_pod_template(AT(here, "template"), value_get(spec, "template"), selector,
                           &(PodRules){"ReplicationController", true});
}

/* ---- Deployment ---- */

static void
check_rolling_deployment(const Path *at, const Value *rolling)
{
    const Value *unavailable = value_get(rolling, "maxUnavailable"), *surge = value_get(rolling, "maxSurge");

    check_percent_or_not_negative(AT(at, "maxUnavailable"), unavailable);
    check_percent_or_not_negative(AT(at, "maxSurge"), surge);
    if (is_zero(unavailable) && is_zero(surge))
        bad_invalid(AT(at, "maxUnavailable"), unavailable, "may not be 0 when `maxSurge` is 0");
    check_at_most_all(AT(at, "maxUnavailable"), unavailable);
}

static void
deployment_check_strategy(const Path *at, const Value *strategy)
{
    const Value *type = value_get(strategy, "type"), *rolling = value_get(strategy, "rollingUpdate");

    if (text_is(type, "Recreate")) {
        if (!value_is_null(rolling))
            bad_forbidden(AT(at, "rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
    } else if (text_is(type, "RollingUpdate")) {
        if (value_is_null(rolling))
            bad_required(AT(at, "rollingUpdate"), "this should be defaulted and never be nil");
        else
            check_rolling_deployment(AT(at, "rollingUpdate"), rolling);
    } else {
        bad_unsupported(at, strategy, TEXTS("Recreate", "RollingUpdate"));
    }
}

static void
deployment_check(const Path *at, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *selector = value_get(spec, "selector");
    const Value *deadline = value_get(spec, "progressDeadlineSeconds");
    const Path *here = AT(at, "spec");

    check_counts(here, spec, TEXTS("replicas"));
    check_own_selector(AT(here, "selector"), selector, "deployment");
    check_pod_template(AT(here, "template"), value_get(spec, "template"), selector, &(PodRules){"ReplicaSet", true});
    deployment_check_strategy(AT(here, "strategy"), value_get(spec, "strategy"));
    check_counts(here, spec, TEXTS("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"));
    if (deadline != NULL && value_int(deadline) <= value_int(value_get(spec, "minReadySeconds")))
        bad_invalid(AT(here, "progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds");
}

static void
deployment_check_status(const Path *at, const Value *object, const Value *old)
{
    const Value *status = value_get(object, "status"), *collisions = value_get(status, "collisionCount");
    const Path *here = AT(at, "status");

    check_status_counts(here, status, TEXTS("observedGeneration", "replicas", "updatedReplicas", "readyReplicas",
                                            "availableReplicas", "unavailableReplicas", "collisionCount"));
    check_status_order(here, status, TEXTS("updatedReplicas", "readyReplicas", "availableReplicas"));
    if (value_int(value_get(status, "availableReplicas")) > value_int(value_get(status, "readyReplicas")))
        bad_invalid(AT(here, "availableReplicas"), value_get(status, "availableReplicas"), "cannot be greater than readyReplicas");
    if (value_int(collisions) < value_int_at(old, "status.collisionCount"))
        bad_invalid(AT(here, "collisionCount"), collisions, "cannot be decremented");
}

/* ---- DaemonSet ---- */

static void
daemon_set_check_strategy(const Path *at, const Value *strategy)
{
    const Value *rolling = value_get(strategy, "rollingUpdate");
    const Value *unavailable = value_get(rolling, "maxUnavailable"), *surge = value_get(rolling, "maxSurge");
    const Path *here = AT(at, "rollingUpdate");

    if (text_is(value_get(strategy, "type"), "OnDelete"))
        return;
    if (!text_is(value_get(strategy, "type"), "RollingUpdate")) {
        bad_unsupported(at, strategy, TEXTS("RollingUpdate", "OnDelete"));
        return;
    }
    if (value_is_null(rolling)) {
        bad_required(here, "");
        return;
    }
    check_percent_or_not_negative(AT(here, "maxUnavailable"), unavailable);
    check_percent_or_not_negative(AT(here, "maxSurge"), surge);
    check_at_most_all(AT(here, "maxUnavailable"), unavailable);
    check_at_most_all(AT(here, "maxSurge"), surge);
    if (!is_zero(surge) && !is_zero(unavailable))
        bad_invalid(AT(here, "maxSurge"), surge, "may not be set when maxUnavailable is non-zero");
    else if (is_zero(surge) && is_zero(unavailable))
        bad_required(AT(here, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

static void
daemon_set_check(const Path *at, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *selector = value_get(spec, "selector");
    const Path *here = AT(at, "spec");

    check_label_selector(AT(here, "selector"), selector);
    check_pod_template(AT(here, "template"), value_get(spec, "template"), selector, &(PodRules){"DaemonSet", true});
    if (value_size(value_get(selector, "matchLabels")) + value_size(value_get(selector, "matchExpressions")) == 0)
        bad_invalid(AT(here, "selector"), selector, "empty selector is invalid for daemonset");
    check_counts(here, spec, TEXTS("minReadySeconds"));
    daemon_set_check_strategy(AT(here, "updateStrategy"), value_get(spec, "updateStrategy"));
    check_counts(here, spec, TEXTS("revisionHistoryLimit"));
}

static void
daemon_set_check_status(const Path *at, const Value *object, const Value *old)
{
    (void)old;
    check_status_counts(AT(at, "status"), value_get(object, "status"),
                        TEXTS("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
                              "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable"));
}

/* ---- StatefulSet ---- */

static void
stateful_set_check_strategy(const Path *at, const Value *strategy)
{
    const Value *type = value_get(strategy, "type"), *rolling = value_get(strategy, "rollingUpdate");

    if (is_empty(type)) {
        bad_required(at, "");
    } else if (text_is(type, "OnDelete")) {
        if (!value_is_null(rolling))
            bad_invalid(AT(at, "rollingUpdate"), rolling, "only allowed for updateStrategy 'RollingUpdate'");
    } else if (text_is(type, "RollingUpdate")) {
        check_not_negative(AT(AT(at, "rollingUpdate"), "partition"), value_get(rolling, "partition"));
    } else {
        bad_invalid(at, strategy, "must be 'RollingUpdate' or 'OnDelete'");
    }
}

/* The claims become volumes of the pods, under the same names. */
static Value *
template_with_claims(const Value *template_, const Value *claims)
{
    Value *result = value_ref(template_), *volumes;

    if (value_size(claims) == 0 || !value_is_map(value_get(template_, "spec")))
        return result;
    volumes = value_new_array();
    VALUE_ARRAY_FOREACH (volume, value_at(template_, "spec.volumes")) {
        bool hidden = false;

        VALUE_ARRAY_FOREACH (claim, claims)
            hidden |= value_equal(value_at(claim, "metadata.name"), value_get(volume, "name"));
        if (!hidden)
            value_replace(&volumes, value_append(volumes, value_ref(volume)));
    }
    VALUE_ARRAY_FOREACH (claim, claims)
        value_replace(&volumes,
                      value_append(volumes, value_new_f("{name: %v, persistentVolumeClaim: {claimName: %v}}",
                                                        value_at(claim, "metadata.name"), value_at(claim, "metadata.name"))));
    value_edit(&result, "spec.volumes", volumes);
    return result;
}

static void
stateful_set_check(const Path *at, const Value *object)
{
    static const char *const retention[] = {"Retain", "Delete", NULL};
    const Value *spec = value_get(object, "spec"), *selector = value_get(spec, "selector");
    const Value *policy = value_get(spec, "podManagementPolicy"), *claims = value_get(spec, "persistentVolumeClaimRetentionPolicy");
    const Path *here = AT(at, "spec");
    g_autoptr(Value) template_ = NULL;
    size_t i = 0;

    if (is_empty(policy))
        bad_required(AT(here, "podManagementPolicy"), "");
    else if (!text_in(value_text(policy), TEXTS("OrderedReady", "Parallel")))
        bad_invalid(AT(here, "podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'");
    stateful_set_check_strategy(AT(here, "updateStrategy"), value_get(spec, "updateStrategy"));
    check_enum(AT(AT(here, "persistentVolumeClaimRetentionPolicy"), "whenDeleted"), value_get(claims, "whenDeleted"), retention,
               OPTIONAL);
    check_enum(AT(AT(here, "persistentVolumeClaimRetentionPolicy"), "whenScaled"), value_get(claims, "whenScaled"), retention,
               OPTIONAL);
    check_counts(here, spec, TEXTS("replicas", "minReadySeconds", "revisionHistoryLimit"));
    check_not_negative(AT(AT(here, "ordinals"), "start"), value_at(spec, "ordinals.start"));
    check_own_selector(AT(here, "selector"), selector, "statefulset");
    VALUE_ARRAY_FOREACH (claim, value_get(spec, "volumeClaimTemplates"))
        check_claim_spec(AT(NTH(AT(here, "volumeClaimTemplates"), i++), "spec"), value_get(claim, "spec"));
    template_ = template_with_claims(value_get(spec, "template"), value_get(spec, "volumeClaimTemplates"));
    check_pod_template(AT(here, "template"), template_, selector, &(PodRules){"StatefulSet", true});
}

static void
stateful_set_check_update(const Path *at, const Value *object, const Value *old)
{
    static const char *const free_fields[] = {"replicas",        "ordinals",        "template",
                                              "updateStrategy",  "minReadySeconds", "persistentVolumeClaimRetentionPolicy",
                                              "revisionHistoryLimit"};
    g_autoptr(Value) now = value_ref(value_get(object, "spec"));
    g_autoptr(Value) before = value_ref(value_get(old, "spec"));

    if (!value_is_map(now) || !value_is_map(before))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(free_fields); i++) {
        value_replace(&now, value_remove(now, free_fields[i]));
        value_replace(&before, value_remove(before, free_fields[i]));
    }
    if (!value_equal(now, before))
        bad_forbidden(AT(at, "spec"), "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
                                      "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
                                      "'minReadySeconds' are forbidden");
}

static void
stateful_set_check_status(const Path *at, const Value *object, const Value *old)
{
    const Value *status = value_get(object, "status");

    (void)old;
    check_status_counts(AT(at, "status"), status, TEXTS("replicas", "readyReplicas", "currentReplicas", "updatedReplicas",
                                                        "availableReplicas", "observedGeneration", "collisionCount"));
    check_status_order(AT(at, "status"), status, TEXTS("readyReplicas", "currentReplicas", "updatedReplicas",
                                                       "availableReplicas"));
}

/* ---- ControllerRevision, PodDisruptionBudget ---- */

static void
controller_revision_check(const Path *at, const Value *object)
{
    if (value_is_null(value_get(object, "data")))
        bad_required(AT(at, "data"), "data is mandatory");
    check_not_negative(AT(at, "revision"), value_get(object, "revision"));
}

static void
controller_revision_check_update(const Path *at, const Value *object, const Value *old)
{
    check_kept(AT(at, "data"), value_get(object, "data"), value_get(old, "data"));
}

static void
disruption_budget_check(const Path *at, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *min = value_get(spec, "minAvailable");
    const Value *max = value_get(spec, "maxUnavailable");
    const Path *here = AT(at, "spec");

    if (min != NULL && max != NULL)
        bad_invalid(here, spec, "minAvailable and maxUnavailable cannot be both set");
    if (min != NULL)
        check_percent_or_not_negative(AT(here, "minAvailable"), min);
    check_at_most_all(AT(here, "minAvailable"), min);
    if (max != NULL)
        check_percent_or_not_negative(AT(here, "maxUnavailable"), max);
    check_at_most_all(AT(here, "maxUnavailable"), max);
    check_label_selector(AT(here, "selector"), value_get(spec, "selector"));
    check_enum(AT(here, "unhealthyPodEvictionPolicy"), value_get(spec, "unhealthyPodEvictionPolicy"),
               TEXTS("AlwaysAllow", "IfHealthyBudget"), OPTIONAL);
}

static void
disruption_budget_check_status(const Path *at, const Value *object, const Value *old)
{
    (void)old;
    check_status_counts(AT(at, "status"), value_get(object, "status"),
                        TEXTS("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"));
}

const KindRules kind_rules_workload[] = {
    {"apps", "ReplicaSet", NAME_SUBDOMAIN, replica_set_check, replica_set_check_update, replicas_check_status, false},
    {"", "ReplicationController", NAME_SUBDOMAIN, replication_controller_check, NULL, replicas_check_status, false},
    {"apps", "Deployment", NAME_SUBDOMAIN, deployment_check, replica_set_check_update, deployment_check_status, false},
    {"apps", "DaemonSet", NAME_SUBDOMAIN, daemon_set_check, replica_set_check_update, daemon_set_check_status, false},
    {"apps", "StatefulSet", NAME_LABEL, stateful_set_check, stateful_set_check_update, stateful_set_check_status, false},
    {"apps", "ControllerRevision", NAME_SUBDOMAIN, controller_revision_check, controller_revision_check_update, NULL, false},
    {"policy", "PodDisruptionBudget", NAME_SUBDOMAIN, disruption_budget_check, NULL, disruption_budget_check_status, false},
    {0},
};
