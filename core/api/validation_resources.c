/* What containers and pods may use, and the rights they run with. */
#include "core/api/validation_private.h"

#include "core/object/label.h"
#include "core/object/quantity.h"

#define USER_ID_MAX INT32_MAX

/* ---- resources ---- */

void
check_resource_name(const Path *at, const char *name)
{
    g_autofree char *problem = label_key_problem(name);

    if (problem != NULL) {
        bad_invalid_text(at, name, problem);
        return;
    }
    if (strchr(name, '/') != NULL || text_in(name, TEXTS("cpu", "memory", "ephemeral-storage")) ||
        g_str_has_prefix(name, "hugepages-"))
        return;
    bad_invalid_text(at, name, "must be a standard resource type or fully qualified");
    bad_invalid_text(at, name, "must be a standard resource for containers");
}

static bool
is_extended(const char *name)
{
    return strchr(name, '/') != NULL && !g_str_has_prefix(name, "kubernetes.io/");
}

static void
check_resource_value(const Path *at, const char *name, const Value *quantity)
{
    Quantity amount = quantity_of(quantity);

    check_resource_name(at, name);
    if (quantity_sign(amount) < 0)
        bad_invalid(at, quantity, NOT_NEGATIVE);
    else if (is_extended(name) && quantity_compare(amount, quantity_from_int(quantity_units(amount), QUANTITY_DECIMAL_SI)) != 0)
        bad_invalid(at, quantity, "must be an integer");
}

static void
check_request(const Path *at, const char *name, const Value *request, const Value *limit)
{
    bool fixed = is_extended(name) || g_str_has_prefix(name, "hugepages-");
    int order = limit != NULL ? quantity_compare(quantity_of(request), quantity_of(limit)) : 0;
    g_autofree char *detail = NULL;

    check_resource_value(KEYED(AT(at, "requests"), name), name, request);
    if (limit == NULL) {
        if (fixed)
            bad_required(AT(at, "limits"), "Limit must be set for non overcommitable resources");
        return;
    }
    if (fixed && order != 0)
        detail = g_strdup_printf("must be equal to %s limit of %s", name, value_text(limit));
    else if (order > 0)
        detail = g_strdup_printf("must be less than or equal to %s limit of %s", name, value_text(limit));
    if (detail != NULL)
        bad_invalid(AT(at, "requests"), request, detail);
}

void
check_resources(const Path *at, const Value *resources)
{
    const Value *limits = value_get(resources, "limits"), *requests = value_get(resources, "requests");
    bool huge = false, plain = false;

    VALUE_MAP_FOREACH (name, limit, limits) {
        check_resource_value(KEYED(AT(at, "limits"), name), name, limit);
        huge |= g_str_has_prefix(name, "hugepages-");
        plain |= text_in(name, TEXTS("cpu", "memory"));
    }
    VALUE_MAP_FOREACH (name, request, requests) {
        check_request(at, name, request, value_get(limits, name));
        plain |= text_in(name, TEXTS("cpu", "memory"));
    }
    if (huge && !plain)
        bad_forbidden(at, "HugePages require cpu or memory");
}

/* ---- rights ---- */

static void
check_seccomp(const Path *at, const Value *profile)
{
    const Value *type = value_get(profile, "type"), *local = value_get(profile, "localhostProfile");

    if (profile == NULL)
        return;
    if (is_empty(type))
        bad_required(AT(at, "type"), "type is required when seccompProfile is set");
    else
        check_enum(AT(at, "type"), type, TEXTS("Localhost", "RuntimeDefault", "Unconfined"), OPTIONAL);
    if (text_is(type, "Localhost") && is_empty(local))
        bad_required(AT(at, "localhostProfile"), "must be set when seccomp type is Localhost");
    if (!text_is(type, "Localhost") && local != NULL)
        bad_invalid(AT(at, "localhostProfile"), local, "can only be set when seccomp type is Localhost");
}

static void
check_identities(const Path *at, const Value *context)
{
    check_range(AT(at, "runAsUser"), value_get(context, "runAsUser"), 0, USER_ID_MAX);
    check_range(AT(at, "runAsGroup"), value_get(context, "runAsGroup"), 0, USER_ID_MAX);
    check_seccomp(AT(at, "seccompProfile"), value_get(context, "seccompProfile"));
}

void
check_security_context(const Path *at, const Value *context)
{
    const Value *escalate = value_get(context, "allowPrivilegeEscalation");

    if (value_size(context) == 0)
        return;
    check_identities(at, context);
    check_enum(AT(at, "procMount"), value_get(context, "procMount"), TEXTS("Default", "Unmasked"), OPTIONAL);
    if (escalate == NULL || value_bool(escalate))
        return;
    if (value_bool(value_get(context, "privileged")))
        bad_invalid(at, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    VALUE_ARRAY_FOREACH (capability, value_at(context, "capabilities.add"))
        if (text_is(capability, "CAP_SYS_ADMIN"))
            bad_invalid(at, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
}

void
check_pod_security_context(const Path *at, const Value *context)
{
    size_t i = 0, k = 0;

    if (value_size(context) == 0)
        return;
    check_range(AT(at, "fsGroup"), value_get(context, "fsGroup"), 0, USER_ID_MAX);
    check_identities(at, context);
    VALUE_ARRAY_FOREACH (group, value_get(context, "supplementalGroups"))
        check_range(NTH(AT(at, "supplementalGroups"), i++), group, 0, USER_ID_MAX);
    VALUE_ARRAY_FOREACH (sysctl, value_get(context, "sysctls"))
        check_required(AT(NTH(AT(at, "sysctls"), k++), "name"), value_get(sysctl, "name"));
    check_enum(AT(at, "fsGroupChangePolicy"), value_get(context, "fsGroupChangePolicy"), TEXTS("Always", "OnRootMismatch"),
               OPTIONAL);
    check_enum(AT(at, "supplementalGroupsPolicy"), value_get(context, "supplementalGroupsPolicy"), TEXTS("Merge", "Strict"),
               OPTIONAL);
}
