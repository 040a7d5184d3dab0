/* The kinds that a simulated cluster has beside Kubernetes'. */
#include "core/api/validation_private.h"

#include "core/base/duration.h"

#define SIM_GROUP "sim.timonel.dev"

static void
check_duration(const Path *at, const Value *value)
{
    g_autoptr(GError) error = NULL;
    int64_t ns = 0;

    if (value_is_null(value))
        return;
    if (!duration_parse(value_text(value), &ns, &error))
        bad_invalid(at, value, error->message);
    else if (ns < 0)
        bad_invalid(at, value, NOT_NEGATIVE);
}

static void
fault_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *target = value_get(spec, "target");
    const Path *at = AT(root, "spec");

    if (value_is_null(spec)) {
        bad_required(at, "");
        return;
    }
    check_required(AT(at, "type"), value_get(spec, "type"));
    check_duration(AT(at, "duration"), value_get(spec, "duration"));
    check_duration(AT(at, "startAfter"), value_get(spec, "startAfter"));
    if (value_is_null(target))
        return;
    if (!is_empty(value_get(target, "name")) && is_empty(value_get(target, "kind")))
        bad_required(AT(AT(at, "target"), "kind"), "must be specified when `name` is");
    check_label_selector(AT(AT(at, "target"), "selector"), value_get(target, "selector"));
}

static void
fault_check_update(const Path *root, const Value *object, const Value *old)
{
    const Path *at = AT(root, "spec");

    check_kept(AT(at, "type"), value_at(object, "spec.type"), value_at(old, "spec.type"));
    check_kept(AT(at, "target"), value_at(object, "spec.target"), value_at(old, "spec.target"));
}

static bool
is_pace(const char *text)
{
    size_t whole = strspn(text, "0123456789"), part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;

    if (text_in(text, TEXTS("paused", "max")))
        return true;
    return whole + part > 0 && whole + part < 16 && text[whole + (text[whole] == '.' ? 1 + part : 0)] == '\0' &&
           g_ascii_strtod(text, NULL) > 0;
}

static void
clock_check(const Path *root, const Value *object)
{
    const Value *pace = value_at(object, "spec.pace");
    const Path *at = AT(root, "spec");

    if (!is_empty(pace) && !is_pace(value_text(pace)))
        bad_invalid(AT(at, "pace"), pace, "must be 'paused', 'max' or a factor of life above zero (e.g. '1',  or '0.5')");
    check_not_negative(AT(at, "stepNanoseconds"), value_at(object, "spec.stepNanoseconds"));
    if (!text_is(value_at(object, "metadata.name"), "clock"))
        bad_invalid(AT(AT(root, "metadata"), "name"), value_at(object, "metadata.name"), "must be 'clock'");
}

const KindRules kind_rules_sim[] = {
    {SIM_GROUP, "Fault", NAME_SUBDOMAIN, fault_check, fault_check_update, NULL, false},
    {SIM_GROUP, "Clock", NAME_SUBDOMAIN, clock_check, NULL, NULL, false},
    {0},
};
