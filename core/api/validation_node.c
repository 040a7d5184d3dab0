/* Nodes. */
#include "core/api/validation_private.h"

#include "core/object/label.h"

static void
check_taint(const Path *at, const Value *taint)
{
    const Value *value = value_get(taint, "value");
    g_autofree char *problem = label_value_problem(value_text(value));

    check_qualified(AT(at, "key"), value_get(taint, "key"));
    if (problem != NULL)
        bad_invalid(AT(at, "value"), value, problem);
    check_enum(AT(at, "effect"), value_get(taint, "effect"), TEXTS("NoSchedule", "PreferNoSchedule", "NoExecute"), REQUIRED);
}

static void
check_taints(const Path *at, const Value *taints)
{
    for (size_t i = 0; i < value_size(taints); i++) {
        const Value *taint = value_item(taints, i);

        check_taint(NTH(at, i), taint);
        for (size_t k = 0; k < i; k++) {
            const Value *other = value_item(taints, k);

            if (value_equal(value_get(other, "key"), value_get(taint, "key")) &&
                value_equal(value_get(other, "effect"), value_get(taint, "effect"))) {
                g_autoptr(Value) shown = value_ref(taint);

                bad_duplicate(NTH(at, i), shown);
                return;
            }
        }
    }
}

static void
check_pod_cidrs(const Path *at, const Value *cidrs)
{
    const Value *first = value_item(cidrs, 0), *second = value_item(cidrs, 1);
    size_t i = 0;

    VALUE_ARRAY_FOREACH (cidr, cidrs)
        check_cidr(NTH(at, i++), cidr);
    if (value_size(cidrs) > 2 || (second != NULL && cidr_family(value_text(first)) == cidr_family(value_text(second))))
        bad_invalid(at, cidrs, "may specify no more than one CIDR for each IP family");
}

static void
node_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    check_taints(AT(AT(root, "spec"), "taints"), value_get(spec, "taints"));
    check_pod_cidrs(AT(AT(root, "spec"), "podCIDRs"), value_get(spec, "podCIDRs"));
}

static void
node_check_update(const Path *root, const Value *object, const Value *old)
{
    static const char *const free_fields[] = {"taints", "unschedulable", "podCIDR", "podCIDRs", "providerID"};
    const Value *spec = value_get(object, "spec"), *before = value_get(old, "spec");
    const Value *cidrs = value_get(before, "podCIDRs"), *provider = value_get(before, "providerID");
    g_autoptr(Value) now = NULL;
    g_autoptr(Value) then = NULL;

    if (spec == before)
        return;
    if (value_size(cidrs) > 0 && !value_equal(value_get(spec, "podCIDRs"), cidrs))
        bad_forbidden(AT(AT(root, "spec"), "podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
    if (!is_empty(provider) && !value_equal(value_get(spec, "providerID"), provider))
        bad_forbidden(AT(AT(root, "spec"), "providerID"), "node updates may not change providerID except from \"\" to valid");
    now = value_is_map(spec) ? value_ref(spec) : value_new_map();
    then = value_is_map(before) ? value_ref(before) : value_new_map();
    for (size_t i = 0; i < G_N_ELEMENTS(free_fields); i++) {
        value_replace(&now, value_remove(now, free_fields[i]));
        value_replace(&then, value_remove(then, free_fields[i]));
    }
    if (!value_equal(now, then))
        bad_forbidden(root, "node updates may only change labels, taints, or capacity");
}

static void
node_check_status(const Path *root, const Value *object, const Value *old)
{
    const Value *addresses = value_at(object, "status.addresses");
    const Path *at = AT(AT(root, "status"), "addresses");

    (void)old;
    for (size_t i = 0; i < value_size(addresses); i++)
        for (size_t k = 0; k < i; k++)
            if (value_equal(value_item(addresses, k), value_item(addresses, i))) {
                bad_duplicate(NTH(at, i), value_item(addresses, i));
                break;
            }
}

const KindRules kind_rules_node[] = {
    {"", "Node", NAME_SUBDOMAIN, node_check, node_check_update, node_check_status, false},
    {0},
};
