/* Every YAML below manifests/ does in a world what its header says: by default all that it holds becomes Available, Complete
 * or Bound. Headers: `# Cluster: NAME`, `# Expect: Complete | Bound | Pending | Failed`. */
#include <stdio.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/base/embed.h"
#include "core/object/yaml.h"
#include "sim/check/expect.h"
#include "sim/check/oracle.h"
#include "sim/scenario/tools.h"
#include "tests/support/runner.h"

extern const EmbeddedFile MANIFESTS[];

#define WITHIN_NS (5 * 60 * NS_PER_S)
#define STAYS_NS (30 * NS_PER_S)

/* What each kind becomes, as expectations about the object of a name; kinds without a line are there and that is all. */
typedef struct Goal {
    const char *kind, *expect;
} Goal;

static const Goal GOALS[] = {
    {"Deployment", "all: [{condition: Available}, {jsonpath: '{.status.conditions[?(@.type==\"Progressing\")].reason}', "
                   "equals: NewReplicaSetAvailable}]"},
    {"Job", "condition: Complete"},
    {"CronJob", "{jsonpath: '{.status.lastSuccessfulTime}'}"},
    {"Pod", "any: [{condition: Ready}, {jsonpath: '{.status.phase}', equals: Succeeded}]"},
    {"PersistentVolumeClaim", "{jsonpath: '{.status.phase}', equals: Bound}"},
    {"Namespace", "{jsonpath: '{.status.phase}', equals: Active}"},
};
static const Goal PENDING[] = {
    {"Pod", "{jsonpath: '{.status.phase}', equals: Pending}"},
    {"Deployment", "condition: Progressing!=Unknown"},
};
static const Goal FAILED[] = {
    {"Pod", "{jsonpath: '{.status.phase}', equals: Failed}"},
    {"Job", "condition: Failed"},
};

static char *
read_builtin(SourceKind kind, const char *name, GError **error, void *data)
{
    g_autofree char *path = g_strdup_printf("clusters/%s.yaml", name);
    return g_strdup(embedded_file(MANIFESTS, path)->text);
}

/* The word behind "# NAME: " among the first lines; owned, or NULL. */
static char *
header(const char *text, const char *name)
{
    g_autofree char *start = g_strdup_printf("# %s: ", name);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 6);
    for (size_t i = 0; lines[i] != NULL && i < 5; i++)
        if (g_str_has_prefix(lines[i], start))
            return g_strdup(g_strstrip(lines[i] + strlen(start)));
    return NULL;
}

/* The same expectation with kind, namespace and name of the object in each leaf. */
static Value *
about(const Value *expect, const Value *object)
{
    static const char *const JOINS[] = {"all", "any"};
    for (size_t i = 0; i < G_N_ELEMENTS(JOINS); i++) {
        if (!value_has(expect, JOINS[i]))
            continue;
        ValueBuilder *list = value_builder_new_array();
        VALUE_ARRAY_FOREACH (one, value_get(expect, JOINS[i]))
            value_builder_append(list, about(one, object));
        return value_new_f("{%s: %V}", JOINS[i], value_builder_end(list));
    }
    const char *namespace_ = *object_namespace(object) != '\0' ? object_namespace(object) : "default";
    Value *filled = value_new_f("{kind: %s, namespace: %s, name: %s}", object_kind(object), namespace_,
                                object_name(object));
    VALUE_MAP_FOREACH (key, item, expect)
        value_replace(&filled, value_set(filled, key, value_ref(item)));
    return filled;
}

static bool
reaches(World *world, const Value *object, const Goal *goals, size_t count, GString *reasons)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(goals[i].kind, object_kind(object)) != 0)
            continue;
        g_autoptr(Value) expect = yaml_parse(goals[i].expect, strlen(goals[i].expect), NULL);
        g_autoptr(Value) filled = about(expect, object);
        g_auto(ExpectResult) result = {0};
        ck_assert(expect_validate(filled, world_types(world), "goal", NULL));
        expect_check(world, filled, &result);
        if (!result.met)
            g_string_append_printf(reasons, "  %s\n", result.reason);
        return result.met;
    }
    return true;
}

/* Are the sets complete? world_is_reconciled knows how. */
static bool
all_is_well(World *world, const GPtrArray *documents, GString *reasons)
{
    bool well = true;
    for (guint i = 0; i < documents->len; i++) {
        const YamlDocument *document = documents->pdata[i];
        well &= reaches(world, document->value, GOALS, G_N_ELEMENTS(GOALS), reasons);
    }
    g_autofree char *reason = NULL, *subject = NULL;
    if (well && !world_is_reconciled(world, &reason, &subject)) {
        g_string_append_printf(reasons, "  %s\n", reason);
        return false;
    }
    return well;
}

static bool
is_as_said(World *world, const GPtrArray *documents, const char *expected, GString *reasons)
{
    if (expected == NULL || strcmp(expected, "Pending") == 0 || strcmp(expected, "Failed") == 0) {
        if (expected == NULL)
            return all_is_well(world, documents, reasons);
        bool failed = strcmp(expected, "Failed") == 0;
        for (guint i = 0; i < documents->len; i++) {
            const YamlDocument *document = documents->pdata[i];
            if (!reaches(world, document->value, failed ? FAILED : PENDING,
                         failed ? G_N_ELEMENTS(FAILED) : G_N_ELEMENTS(PENDING), reasons))
                return false;
        }
        g_autoptr(GString) unused = g_string_new(NULL);
        if (!all_is_well(world, documents, unused))
            return true;
        g_string_append(reasons, "  everything became available\n");
        return false;
    }
    return all_is_well(world, documents, reasons);
}

static bool
play_manifest(const char *path, const char *text, GString *report)
{
    g_autofree char *cluster_name = header(text, "Cluster"), *expected = header(text, "Expect");
    g_autoptr(GError) error = NULL;
    const ScenarioTools tools = {.read = read_builtin};
    g_autoptr(Value) name = value_new_string(cluster_name != NULL ? cluster_name : "default");
    g_autoptr(Value) cluster = scenario_cluster(name, &tools, &error);
    g_autoptr(GPtrArray) documents = yaml_parse_all(text, strlen(text), &error);
    g_autoptr(World) world = world_new(&(WorldOptions){.cluster = cluster}, &error);
    if (world == NULL || documents == NULL || !world_become_ready(world, &error) ||
        !world_apply(world, path, text, &error)) {
        g_string_append_printf(report, "%s\n", error->message);
        return false;
    }
    g_autoptr(Oracles) oracles = oracles_new(world);
    g_autoptr(GString) reasons = g_string_new(NULL);
    bool must_stay = expected != NULL && (strcmp(expected, "Pending") == 0 || strcmp(expected, "Failed") == 0);
    int64_t end = world_now(world) + WITHIN_NS;
    if (must_stay)
        world_run_for(world, 2 * STAYS_NS);
    while (!is_as_said(world, documents, expected, reasons) && world_now(world) < end) {
        world_run_for(world, NS_PER_S);
        g_string_truncate(reasons, 0);
    }
    world_run_for(world, STAYS_NS);
    g_string_truncate(reasons, 0);
    bool good = is_as_said(world, documents, expected, reasons);
    if (!oracles_look(oracles)) {
        const OracleBreach *breach = oracles_breach(oracles, 0);
        g_string_append_printf(reasons, "  rule %s: %s %s\n", breach->class->name, breach->subject, breach->text);
        good = false;
    }
    if (!good)
        g_string_append_printf(report, "%s (expected %s):\n%s", path, expected != NULL ? expected : "Available",
                               reasons->str);
    g_clear_pointer(&oracles, oracles_free); /* before its world */
    return good;
}

static bool
is_a_manifest(const char *name)
{
    return g_str_has_suffix(name, ".yaml") && !g_str_has_prefix(name, "clusters/") &&
           !g_str_has_prefix(name, "scenarios/");
}

/* A folder whose files are numbered is one application: its files are applied together, in order. */
static bool
is_numbered(const char *name)
{
    const char *base = strrchr(name, '/');
    return base != NULL && g_ascii_isdigit(base[1]);
}

static char *
with_its_folder(const EmbeddedFile *file)
{
    GString *text = g_string_new(file->text);
    size_t length = (size_t)(strrchr(file->name, '/') - file->name) + 1;
    while (is_numbered(file->name) && (++file)->name != NULL && strncmp(file->name, file[-1].name, length) == 0)
        g_string_append_printf(text, "---\n%s", file->text);
    return g_string_free(text, FALSE);
}

static bool
is_continued(const EmbeddedFile *file)
{
    return is_numbered(file->name) && file > MANIFESTS && is_numbered(file[-1].name);
}

START_TEST(every_manifest_becomes_what_its_header_says)
{
    g_autoptr(GString) report = g_string_new(NULL);
    unsigned bad = 0;
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++) {
        if (!is_a_manifest(file->name) || is_continued(file))
            continue;
        g_autofree char *text = with_its_folder(file);
        bad += !play_manifest(file->name, text, report);
    }
    ck_assert_msg(bad == 0, "%u manifests do not:\n%s", bad, report->str);
}
END_TEST

static unsigned
count_missing(const char *folder, const char *below)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned missing = 0;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *short_path = *below != '\0' ? g_build_filename(below, name, NULL) : g_strdup(name);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            missing += count_missing(path, short_path);
        else if (g_str_has_suffix(name, ".yaml") && embedded_file(MANIFESTS, short_path) == NULL)
            missing += fprintf(stderr, "%s is not in manifests/meson.build\n", short_path) > 0;
    }
    return missing;
}

START_TEST(every_manifest_file_comes_with_the_program)
{
    ck_assert_uint_eq(count_missing(MANIFESTS_FOLDER, ""), 0);
}
END_TEST

static TCase *
manifests_suite(void)
{
    TCase *tcase =
        test_case("manifests", every_manifest_becomes_what_its_header_says, every_manifest_file_comes_with_the_program);
    tcase_set_timeout(tcase, 240);
    return tcase;
}

TEST_RUNNER("manifests", manifests_suite)
