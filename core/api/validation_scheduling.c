/* Where a pod may run: node selectors, affinity, tolerations and topology spread. */
#include "core/api/validation_private.h"

#include "core/object/label.h"

/* ---- node selectors ---- */

static void
check_node_requirement(const Path *at, const Value *requirement)
{
    const Value *operator_ = value_get(requirement, "operator"), *values = value_get(requirement, "values");
    const char *word = value_text(operator_);

    if (text_in(word, TEXTS("In", "NotIn"))) {
        if (value_size(values) == 0)
            bad_required(AT(at, "values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (text_in(word, TEXTS("Exists", "DoesNotExist"))) {
        if (value_size(values) > 0)
            bad_forbidden(AT(at, "values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else if (text_in(word, TEXTS("Gt", "Lt"))) {
        if (value_size(values) != 1)
            bad_required(AT(at, "values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
    } else {
        bad_invalid(AT(at, "operator"), operator_, "not a valid selector operator");
    }
    check_qualified(AT(at, "key"), value_get(requirement, "key"));
}

static void
check_field_requirement(const Path *at, const Value *requirement)
{
    const Value *operator_ = value_get(requirement, "operator"), *values = value_get(requirement, "values");

    if (!text_in(value_text(operator_), TEXTS("In", "NotIn")))
        bad_invalid(AT(at, "operator"), operator_, "not a valid selector operator");
    else if (value_size(values) != 1)
        bad_required(AT(at, "values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
    if (!text_is(value_get(requirement, "key"), "metadata.name"))
        bad_invalid(AT(at, "key"), value_get(requirement, "key"), "not a valid field selector key");
}

static void
check_node_term(const Path *at, const Value *term)
{
    size_t i = 0, k = 0;

    VALUE_ARRAY_FOREACH (requirement, value_get(term, "matchExpressions"))
        check_node_requirement(NTH(AT(at, "matchExpressions"), i++), requirement);
    VALUE_ARRAY_FOREACH (requirement, value_get(term, "matchFields"))
        check_field_requirement(NTH(AT(at, "matchFields"), k++), requirement);
}

void
check_node_selector(const Path *at, const Value *node_selector)
{
    const Value *terms = value_get(node_selector, "nodeSelectorTerms");
    const Path *here = AT(at, "nodeSelectorTerms");
    size_t i = 0;

    if (value_size(terms) == 0)
        bad_required(here, "must have at least one node selector term");
    VALUE_ARRAY_FOREACH (term, terms)
        check_node_term(NTH(here, i++), term);
}

/* ---- affinity ---- */

static void
check_weight(const Path *at, const Value *weight)
{
    g_autoptr(Value) zero = weight == NULL ? value_new_int(0) : NULL;

    if (value_int(weight) < 1 || value_int(weight) > 100)
        bad_invalid(at, weight != NULL ? weight : zero, "must be in the range 1-100");
}

static void
check_pod_affinity_term(const Path *at, const Value *term)
{
    size_t i = 0;

    check_label_selector(AT(at, "labelSelector"), value_get(term, "labelSelector"));
    check_label_selector(AT(at, "namespaceSelector"), value_get(term, "namespaceSelector"));
    VALUE_ARRAY_FOREACH (name, value_get(term, "namespaces"))
        check_dns_label(NTH(AT(at, "namespaces"), i++), name);
    if (is_empty(value_get(term, "topologyKey")))
        bad_required(AT(at, "topologyKey"), "can not be empty");
    else
        check_qualified(AT(at, "topologyKey"), value_get(term, "topologyKey"));
}

static void
check_pod_affinity(const Path *at, const Value *affinity)
{
    const char *required = "requiredDuringSchedulingIgnoredDuringExecution";
    const char *preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    size_t i = 0, k = 0;

    VALUE_ARRAY_FOREACH (term, value_get(affinity, required))
        check_pod_affinity_term(NTH(AT(at, required), i++), term);
    VALUE_ARRAY_FOREACH (weighted, value_get(affinity, preferred)) {
        const Path *here = NTH(AT(at, preferred), k++);

        check_weight(AT(here, "weight"), value_get(weighted, "weight"));
        check_pod_affinity_term(AT(here, "podAffinityTerm"), value_get(weighted, "podAffinityTerm"));
    }
}

static void
check_node_affinity(const Path *at, const Value *affinity)
{
    const char *required = "requiredDuringSchedulingIgnoredDuringExecution";
    const char *preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    size_t i = 0;

    if (value_get(affinity, required) != NULL)
        check_node_selector(AT(at, required), value_get(affinity, required));
    VALUE_ARRAY_FOREACH (weighted, value_get(affinity, preferred)) {
        const Path *here = NTH(AT(at, preferred), i++);

        check_weight(AT(here, "weight"), value_get(weighted, "weight"));
        check_node_term(AT(here, "preference"), value_get(weighted, "preference"));
    }
}

void
check_affinity(const Path *at, const Value *affinity)
{
    if (value_size(affinity) == 0)
        return;
    check_node_affinity(AT(at, "nodeAffinity"), value_get(affinity, "nodeAffinity"));
    check_pod_affinity(AT(at, "podAffinity"), value_get(affinity, "podAffinity"));
    check_pod_affinity(AT(at, "podAntiAffinity"), value_get(affinity, "podAntiAffinity"));
}

/* ---- tolerations ---- */

static void
check_toleration(const Path *at, const Value *toleration)
{
    const Value *key = value_get(toleration, "key"), *operator_ = value_get(toleration, "operator");
    const Value *effect = value_get(toleration, "effect"), *value = value_get(toleration, "value");

    if (!is_empty(key))
        check_qualified(AT(at, "key"), key);
    else if (!text_is(operator_, "Exists"))
        bad_invalid(AT(at, "operator"), operator_,
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    if (value_get(toleration, "tolerationSeconds") != NULL && !text_is(effect, "NoExecute"))
        bad_invalid(AT(at, "effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (is_empty(operator_) || text_is(operator_, "Equal")) {
        g_autofree char *problem = label_value_problem(value_text(value));

        if (problem != NULL)
            bad_invalid(AT(at, "operator"), value, problem);
    } else if (text_is(operator_, "Exists")) {
        if (!is_empty(value))
            bad_invalid(AT(at, "operator"), toleration, "value must be empty when `operator` is 'Exists'");
    } else {
        bad_unsupported(AT(at, "operator"), operator_, TEXTS("Equal", "Exists"));
    }
    check_enum(AT(at, "effect"), effect, TEXTS("NoSchedule", "PreferNoSchedule", "NoExecute"), OPTIONAL);
}

void
check_tolerations(const Path *at, const Value *tolerations)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (toleration, tolerations)
        check_toleration(NTH(at, i++), toleration);
}

/* ---- topology spread ---- */

static void
check_spread(const Path *at, const Value *constraint)
{
    const Value *skew = value_get(constraint, "maxSkew"), *key = value_get(constraint, "topologyKey");
    const Value *domains = value_get(constraint, "minDomains"), *when = value_get(constraint, "whenUnsatisfiable");
    g_autoptr(Value) zero = value_new_int(0);

    if (value_int(skew) <= 0)
        bad_invalid(AT(at, "maxSkew"), skew != NULL ? skew : zero, "must be greater than zero");
    if (is_empty(key))
        bad_required(AT(at, "topologyKey"), "can not be empty");
    else
        check_qualified(AT(at, "topologyKey"), key);
    check_enum(AT(at, "whenUnsatisfiable"), when, TEXTS("DoNotSchedule", "ScheduleAnyway"), REQUIRED);
    if (domains != NULL && value_int(domains) <= 0)
        bad_invalid(AT(at, "minDomains"), domains, "must be greater than zero");
    if (domains != NULL && !text_is(when, "DoNotSchedule"))
        bad_invalid(AT(at, "minDomains"), domains,
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway");
    check_enum(AT(at, "nodeAffinityPolicy"), value_get(constraint, "nodeAffinityPolicy"), TEXTS("Honor", "Ignore"), OPTIONAL);
    check_enum(AT(at, "nodeTaintsPolicy"), value_get(constraint, "nodeTaintsPolicy"), TEXTS("Honor", "Ignore"), OPTIONAL);
    check_label_selector(AT(at, "labelSelector"), value_get(constraint, "labelSelector"));
}

void
check_topology_spread(const Path *at, const Value *constraints)
{
    for (size_t i = 0; i < value_size(constraints); i++) {
        const Value *constraint = value_item(constraints, i);

        check_spread(NTH(at, i), constraint);
        for (size_t k = 0; k < i; k++) {
            const Value *other = value_item(constraints, k);

            if (value_equal(value_get(other, "topologyKey"), value_get(constraint, "topologyKey")) &&
                value_equal(value_get(other, "whenUnsatisfiable"), value_get(constraint, "whenUnsatisfiable"))) {
                g_autofree char *pair = g_strdup_printf("{%s, %s}", value_text(value_get(constraint, "topologyKey")),
                                                        value_text(value_get(constraint, "whenUnsatisfiable")));
                g_autoptr(Value) shown = value_new_string(pair);

                bad_duplicate(AT(NTH(at, i), "{topologyKey, whenUnsatisfiable}"), shown);
            }
        }
    }
}
