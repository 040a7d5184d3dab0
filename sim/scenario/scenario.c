#include "sim/scenario/scenario.h"

#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/object/yaml.h"
#include "sim/scenario/scenario_private.h"
#include "sim/scenario/texts.h"

static const char *const LANGUAGES[] = {"en", NULL}; /* what a scenario must have; others are welcome */

/* ---- validation ------------------------------------------------------------------------------------------------ */

static bool
known_fields(const Value *map, const char *const *known, const char *path, GError **error)
{
    if (!value_is_map(map))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: must be a map", path);
    VALUE_MAP_FOREACH (key, item, map)
        if (!g_strv_contains(known, key)) {
            g_autofree char *names = g_strjoinv(", ", (char **)known);
            return fail(error, TIMONEL_ERROR_INVALID, "%s%s%s: unknown field; known are %s", path,
                        *path != '\0' ? "." : "", key, names);
        }
    return true;
}

static bool
valid_duration(const Value *map, const char *field, const char *path, GError **error)
{
    int64_t ns;
    const Value *text = value_get(map, field);
    if (text == NULL)
        return true;
    if (value_string(text) == NULL || !duration_parse(value_text(text), &ns, NULL) || ns < 0 ||
        ns > SCENARIO_DURATION_MAX_NS)
        return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: must be a duration such as 30s or 5m", path, field);
    return true;
}

static bool
valid_titled(const Value *map, const char *path, GError **error)
{
    g_autofree char *title = g_strdup_printf("%s.title", path);
    return texts_validate(value_get(map, "title"), LANGUAGES, title, error);
}

static bool
valid_wait(const Value *wait, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"expect", "within", NULL};
    g_autofree char *expect = g_strdup_printf("%s.expect", path);
    return known_fields(wait, KNOWN, path, error) && valid_duration(wait, "within", path, error) &&
           expect_validate(value_get(wait, "expect"), types, expect, error);
}

static bool
valid_step(const Value *step, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"name",  "title", "at",   "after", "kubectl", "fails",
                                        "apply", "fault", "mend", "wait",  NULL};
    if (!known_fields(step, KNOWN, path, error) || !valid_titled(step, path, error) ||
        !valid_duration(step, "at", path, error) || !valid_duration(step, "after", path, error))
        return false;
    if (value_has(step, "at") && value_has(step, "after"))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: at and after exclude each other", path);
    if (value_has(step, "fault") && !fault_validate(value_get(step, "fault"), error)) {
        g_prefix_error(error, "%s.fault: ", path);
        return false;
    }
    g_autofree char *wait = g_strdup_printf("%s.wait", path);
    return !value_has(step, "wait") || valid_wait(value_get(step, "wait"), types, wait, error);
}

static bool
names_a_step(const Value *document, const Value *point)
{
    VALUE_ARRAY_FOREACH (step, value_get(document, "steps"))
        if (value_string(point) != NULL && strcmp(value_text_at(step, "name"), value_text(point)) == 0)
            return true;
    return false;
}

static bool
valid_traffic(const Value *document, const Value *traffic, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"name", "title",   "source", "service",          "namespace", "port", "path",
                                        "rate", "timeout", "from",   "maxFailedPercent", NULL};
    static const char *const REQUIRED[] = {"name", "source", "service"};
    if (!known_fields(traffic, KNOWN, path, error) || !valid_titled(traffic, path, error) ||
        !valid_duration(traffic, "timeout", path, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(REQUIRED); i++)
        if (value_string_len(value_get(traffic, REQUIRED[i])) == 0)
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: required", path, REQUIRED[i]);
    if (value_has(traffic, "from") && !names_a_step(document, value_get(traffic, "from")))
        return fail(error, TIMONEL_ERROR_INVALID, "%s.from: no step has the name \"%s\"", path,
                    value_text_at(traffic, "from"));
    return true;
}

static bool
valid_expectation(const Value *document, const Value *item, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"title", "expect", "from", "until", "within", NULL};
    static const char *const POINTS[] = {"from", "until"};
    g_autofree char *expect = g_strdup_printf("%s.expect", path);
    if (!known_fields(item, KNOWN, path, error) || !valid_titled(item, path, error) ||
        !valid_duration(item, "within", path, error) ||
        !expect_validate(value_get(item, "expect"), types, expect, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(POINTS); i++)
        if (value_has(item, POINTS[i]) && !names_a_step(document, value_get(item, POINTS[i])))
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: no step has the name \"%s\"", path, POINTS[i],
                        value_text_at(item, POINTS[i]));
    return true;
}

static bool
valid_expectations(const Value *document, const ApiTypes *types, GError **error)
{
    static const char *const KNOWN[] = {"always", "never", "eventually", "atEnd", NULL};
    const Value *expectations = value_get(document, "expectations");
    size_t count = 0;
    if (expectations == NULL)
        return true;
    if (!known_fields(expectations, KNOWN, "expectations", error))
        return false;
    for (size_t i = 0; KNOWN[i] != NULL; i++) {
        size_t index = 0;
        VALUE_ARRAY_FOREACH (item, value_get(expectations, KNOWN[i])) {
            g_autofree char *path = g_strdup_printf("expectations.%s[%zu]", KNOWN[i], index++);
            if (!valid_expectation(document, item, types, path, error))
                return false;
            if (++count > SCENARIO_EXPECTATIONS_MAX)
                return fail(error, TIMONEL_ERROR_LIMIT, "%s: more than %d expectations", path,
                            SCENARIO_EXPECTATIONS_MAX);
        }
    }
    return true;
}

static bool
valid_seeds(const Value *document, GError **error)
{
    VALUE_ARRAY_FOREACH (seed, value_get(document, "seeds"))
        if (value_int(seed) <= 0)
            return fail(error, TIMONEL_ERROR_INVALID, "seeds: each must be a number from 1");
    if (value_has(document, "seed") && value_int_at(document, "seed") <= 0)
        return fail(error, TIMONEL_ERROR_INVALID, "seed: must be a number from 1");
    return true;
}

static bool
valid_document(const Value *document, GError **error)
{
    static const char *const KNOWN[] = {"apiVersion", "kind",     "metadata", "title",        "description", "cluster",
                                        "seed",       "seeds",    "manifests", "steps",       "duration",
                                        "stable",     "expectations", "traffic", NULL};
    if (strcmp(value_text_at(document, "apiVersion"), "sim.timonel.dev/v1") != 0 ||
        strcmp(value_text_at(document, "kind"), "Scenario") != 0)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "not a scenario: apiVersion must be sim.timonel.dev/v1 and kind Scenario");
    if (value_string_len(value_at(document, "metadata.name")) == 0)
        return fail(error, TIMONEL_ERROR_INVALID, "metadata.name: required");
    if (!known_fields(document, KNOWN, "", error) ||
        !texts_validate(value_get(document, "title"), LANGUAGES, "title", error) || !valid_seeds(document, error) ||
        !valid_duration(document, "duration", "", error))
        return false;
    size_t index = 0;
    VALUE_ARRAY_FOREACH (traffic, value_get(document, "traffic")) {
        g_autofree char *path = g_strdup_printf("traffic[%zu]", index++);
        if (!valid_traffic(document, traffic, path, error))
            return false;
    }
    g_autoptr(ApiTypes) types = api_types_new();
    index = 0;
    VALUE_ARRAY_FOREACH (step, value_get(document, "steps")) {
        g_autofree char *path = g_strdup_printf("steps[%zu]", index++);
        if (index > SCENARIO_STEPS_MAX)
            return fail(error, TIMONEL_ERROR_LIMIT, "%s: more than %d steps", path, SCENARIO_STEPS_MAX);
        if (!valid_step(step, types, path, error))
            return false;
    }
    return valid_expectations(document, types, error);
}

Scenario *
scenario_parse(const char *name, const char *text, GError **error)
{
    g_autoptr(Value) document = yaml_parse(text, strlen(text), error);
    if (document == NULL || !valid_document(document, error)) {
        g_prefix_error(error, "%s: ", name);
        return NULL;
    }
    Scenario *scenario = g_new0(Scenario, 1);
    scenario->name = g_strdup(value_text_at(document, "metadata.name"));
    scenario->source = g_strdup(text);
    scenario->document = g_steal_pointer(&document);
    return scenario;
}

void
scenario_free(Scenario *scenario)
{
    if (scenario == NULL)
        return;
    g_free(scenario->name);
    g_free(scenario->source);
    value_unref(scenario->document);
    g_free(scenario);
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

const char *
scenario_name(const Scenario *scenario)
{
    return scenario->name;
}

const char *
scenario_title(const Scenario *scenario, const char *language)
{
    return texts_get(value_get(scenario->document, "title"), language);
}

size_t
scenario_seed_count(const Scenario *scenario)
{
    return MAX(value_size(value_get(scenario->document, "seeds")), 1);
}

uint64_t
scenario_seed(const Scenario *scenario, size_t index)
{
    const Value *seeds = value_get(scenario->document, "seeds");
    if (value_size(seeds) > 0)
        return (uint64_t)value_int(value_item(seeds, index));
    return (uint64_t)value_int_at_or(scenario->document, "seed", WORLD_SEED_DEFAULT);
}
