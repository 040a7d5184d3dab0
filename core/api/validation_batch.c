/* Jobs and CronJobs. */
#include "core/api/validation_private.h"

#define CRON_JOB_NAME_MAX 52 /* the name of a job adds 11 characters, and has at most 63 */
#define PARALLEL_INDEXED_MAX 100000
#define BACKOFF_RULES_MAX 20

/* ---- Job ---- */

static void
check_failure_policy(const Path *at, const Value *policy, const Value *template_)
{
    const Path *rules_at = AT(at, "rules");
    size_t i = 0;

    if (value_is_null(policy))
        return;
    if (!text_is(value_at(template_, "spec.restartPolicy"), "Never"))
        bad_invalid(AT(AT(AT(at->up, "template"), "spec"), "restartPolicy"), value_at(template_, "spec.restartPolicy"),
                    "only \"Never\" is supported when podFailurePolicy is specified");
    if (value_size(value_get(policy, "rules")) > BACKOFF_RULES_MAX)
        bad_too_many(rules_at, value_size(value_get(policy, "rules")), BACKOFF_RULES_MAX);
    VALUE_ARRAY_FOREACH (rule, value_get(policy, "rules")) {
        const Value *codes = value_get(rule, "onExitCodes"), *conditions = value_get(rule, "onPodConditions");
        const Path *here = NTH(rules_at, i++);

        check_enum(AT(here, "action"), value_get(rule, "action"), TEXTS("Count", "FailIndex", "FailJob", "Ignore"), REQUIRED);
        if (codes != NULL) {
            check_enum(AT(AT(here, "onExitCodes"), "operator"), value_get(codes, "operator"), TEXTS("In", "NotIn"), REQUIRED);
            if (value_size(value_get(codes, "values")) == 0)
                bad_invalid(AT(AT(here, "onExitCodes"), "values"), value_get(codes, "values"), "at least one value is required");
        }
        if (codes != NULL && value_size(conditions) > 0)
            bad_invalid(here, rule, "specifying both OnExitCodes and OnPodConditions is not supported");
        if (codes == NULL && value_size(conditions) == 0)
            bad_invalid(here, rule, "specifying one of OnExitCodes and OnPodConditions is required");
    }
}

static void
check_indexed(const Path *at, const Value *spec)
{
    const Value *mode = value_get(spec, "completionMode"), *parallelism = value_get(spec, "parallelism");

    check_enum(AT(at, "completionMode"), mode, TEXTS("Indexed", "NonIndexed"), OPTIONAL);
    if (!text_is(mode, "Indexed")) {
        if (value_get(spec, "backoffLimitPerIndex") != NULL)
            bad_forbidden(AT(at, "backoffLimitPerIndex"), "requires indexed completion mode");
        if (value_get(spec, "maxFailedIndexes") != NULL)
            bad_forbidden(AT(at, "maxFailedIndexes"), "requires indexed completion mode");
        return;
    }
    if (value_get(spec, "completions") == NULL)
        bad_required(AT(at, "completions"), "when completion mode is Indexed");
    if (value_int(parallelism) > PARALLEL_INDEXED_MAX)
        bad_invalid(AT(at, "parallelism"), parallelism,
                    "must be less than or equal to 100000 when completion mode is Indexed");
}

static void
check_job_spec(const Path *at, const Value *spec, const Value *selector, const char *kind)
{
    static const char *const counts[] = {"parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
                                         "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"};
    const Value *restart = value_at(spec, "template.spec.restartPolicy");
    const Path *restart_at = AT(AT(AT(at, "template"), "spec"), "restartPolicy");

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        check_not_negative(AT(at, counts[i]), value_get(spec, counts[i]));
    check_indexed(at, spec);
    check_enum(AT(at, "podReplacementPolicy"), value_get(spec, "podReplacementPolicy"), TEXTS("Failed", "TerminatingOrFailed"),
               OPTIONAL);
    check_failure_policy(AT(at, "podFailurePolicy"), value_get(spec, "podFailurePolicy"), value_get(spec, "template"));
    check_pod_template(AT(at, "template"), value_get(spec, "template"), selector, &(PodRules){kind, true});
    if (is_empty(restart) || text_is(restart, "Always"))
        bad_required(restart_at, "valid values: \"OnFailure\", \"Never\"");
    else if (!text_in(value_text(restart), TEXTS("OnFailure", "Never")))
        bad_unsupported(restart_at, restart, TEXTS("OnFailure", "Never"));
}

static void
job_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *selector = value_get(spec, "selector");
    const Path *at = AT(root, "spec");

    if (selector == NULL)
        bad_required(AT(at, "selector"), "");
    else
        check_label_selector(AT(at, "selector"), selector);
    check_job_spec(at, spec, selector, "Job");
}

/* A suspended job that never ran may still change where its pods go. */
static Value *
without_directives(const Value *template_)
{
    static const char *const directives[] = {"nodeSelector", "affinity", "tolerations", "schedulingGates"};
    Value *result = value_ref(template_);

    value_edit_remove(&result, "metadata.labels");
    value_edit_remove(&result, "metadata.annotations");
    for (size_t i = 0; i < G_N_ELEMENTS(directives); i++) {
        g_autofree char *path = g_strconcat("spec.", directives[i], NULL);

        if (value_at(result, path) != NULL)
            value_edit_remove(&result, path);
    }
    return result;
}

static void
job_check_update(const Path *root, const Value *object, const Value *old)
{
    const Value *spec = value_get(object, "spec"), *before = value_get(old, "spec");
    const Value *template_ = value_get(spec, "template"), *old_template = value_get(before, "template");
    const Path *at = AT(root, "spec");
    bool indexed = text_is(value_get(spec, "completionMode"), "Indexed");
    bool directives = value_bool(value_get(before, "suspend")) && value_at(old, "status.startTime") == NULL;

    if (!indexed || !value_equal(value_get(spec, "completions"), value_get(spec, "parallelism")))
        check_kept(AT(at, "completions"), value_get(spec, "completions"), value_get(before, "completions"));
    check_kept(AT(at, "selector"), value_get(spec, "selector"), value_get(before, "selector"));
    if (template_ != old_template && !value_equal(template_, old_template)) {
        g_autoptr(Value) now = directives ? without_directives(template_) : value_ref(template_);
        g_autoptr(Value) then = directives ? without_directives(old_template) : value_ref(old_template);

        check_kept(AT(at, "template"), now, then);
    }
    check_kept(AT(at, "completionMode"), value_get(spec, "completionMode"), value_get(before, "completionMode"));
    check_kept(AT(at, "podFailurePolicy"), value_get(spec, "podFailurePolicy"), value_get(before, "podFailurePolicy"));
    check_kept(AT(at, "backoffLimitPerIndex"), value_get(spec, "backoffLimitPerIndex"), value_get(before, "backoffLimitPerIndex"));
    check_kept(AT(at, "managedBy"), value_get(spec, "managedBy"), value_get(before, "managedBy"));
    check_kept(AT(at, "successPolicy"), value_get(spec, "successPolicy"), value_get(before, "successPolicy"));
}

static void
job_check_status(const Path *root, const Value *object, const Value *old)
{
    static const char *const counts[] = {"active", "succeeded", "failed", "ready", "terminating"};
    const Value *status = value_get(object, "status");

    (void)old;
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        check_not_negative(AT(AT(root, "status"), counts[i]), value_get(status, counts[i]));
}

/* ---- schedules: cron's five fields, with the words of the library that Kubernetes uses ---- */

typedef struct CronField {
    int64_t min, max;
    const char *names; /* three letters each, from min on */
} CronField;

static const CronField cron_fields[] = {
    {0, 59, ""},
    {0, 23, ""},
    {1, 31, ""},
    {1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {0, 6, "sunmontuewedthufrisat"},
};

static char *
cron_number(const CronField *field, const char *text, int64_t *ret_number)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    const char *name = strlen(lower) == 3 ? strstr(field->names, lower) : NULL;

    if (name != NULL && (name - field->names) % 3 == 0) {
        *ret_number = field->min + (name - field->names) / 3;
        return NULL;
    }
    if (*text == '-')
        return g_strdup_printf("negative number (%s) not allowed: %s", text, text);
    if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 9)
        return g_strdup_printf("failed to parse int from %s: strconv.Atoi: parsing \"%s\": invalid syntax", text, text);
    *ret_number = g_ascii_strtoll(text, NULL, 10);
    return NULL;
}

/* One part between commas: "*", "5", "1-5", "1-30/2", with either end a name. */
static char *
cron_part_problem(const CronField *field, const char *part)
{
    g_auto(GStrv) steps = g_strsplit(part, "/", -1);
    g_auto(GStrv) ends = g_strsplit(steps[0] != NULL ? steps[0] : "", "-", -1);
    bool any = g_strcmp0(ends[0], "*") == 0 || g_strcmp0(ends[0], "?") == 0;
    int64_t start = field->min, end = field->max, step = 1;
    char *problem = NULL;

    if (!any) {
        if ((problem = cron_number(field, ends[0] != NULL ? ends[0] : "", &start)) != NULL)
            return problem;
        end = start;
        if (ends[0] != NULL && ends[1] != NULL && ends[2] != NULL)
            return g_strdup_printf("too many hyphens: %s", part);
        if (ends[0] != NULL && ends[1] != NULL && (problem = cron_number(field, ends[1], &end)) != NULL)
            return problem;
    }
    if (steps[0] != NULL && steps[1] != NULL) {
        if (steps[2] != NULL)
            return g_strdup_printf("too many slashes: %s", part);
        if ((problem = cron_number(field, steps[1], &step)) != NULL)
            return problem;
        if (!any && ends[1] == NULL)
            end = field->max;
    }
    if (start < field->min)
        return g_strdup_printf("beginning of range (%d) below minimum (%d): %s", (int)start, (int)field->min, part);
    if (end > field->max)
        return g_strdup_printf("end of range (%d) above maximum (%d): %s", (int)end, (int)field->max, part);
    if (start > end)
        return g_strdup_printf("beginning of range (%d) beyond end of range (%d): %s", (int)start, (int)end, part);
    return step == 0 ? g_strdup_printf("step of range should be a positive number: %s", part) : NULL;
}

static char *
cron_problem(const char *schedule)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GPtrArray) fields = g_ptr_array_new();
    char *problem = NULL;

    if (*schedule == '@') {
        if (text_in(schedule, TEXTS("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")) ||
            g_str_has_prefix(schedule, "@every "))
            return NULL;
        return g_strdup_printf("unrecognized descriptor: %s", schedule);
    }
    words = g_strsplit_set(schedule, " \t\n", -1);
    for (size_t i = 0; words[i] != NULL; i++)
        if (*words[i] != '\0')
            g_ptr_array_add(fields, words[i]);
    if (fields->len != G_N_ELEMENTS(cron_fields)) {
        unsigned found = fields->len;

        g_ptr_array_add(fields, NULL);
        g_autofree char *joined = g_strjoinv(" ", (char **)fields->pdata);
        return g_strdup_printf("expected exactly 5 fields, found %u: [%s]", found, joined);
    }
    for (size_t i = 0; i < fields->len && problem == NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(fields->pdata[i], ",", -1);

        for (size_t k = 0; parts[k] != NULL && problem == NULL; k++)
            problem = *parts[k] == '\0' ? NULL : cron_part_problem(&cron_fields[i], parts[k]);
    }
    return problem;
}

static void
check_schedule(const Path *at, const Value *spec)
{
    const Value *schedule = value_get(spec, "schedule");
    const char *text = value_text(schedule);
    g_autofree char *problem = NULL;

    if (*text == '\0') {
        bad_required(at, "");
        return;
    }
    if (strstr(text, "TZ") != NULL) {
        bad_invalid(at, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
        return;
    }
    problem = cron_problem(text);
    if (problem != NULL)
        bad_invalid(at, schedule, problem);
}

/* Only the shape: which zones there are, the controller's host knows. */
static void
check_time_zone(const Path *at, const Value *zone)
{
    const char *text = value_text(zone);

    if (value_is_null(zone))
        return;
    if (*text == '\0') {
        bad_invalid(at, zone, "timeZone must be nil or non-empty string");
    } else if (g_ascii_strcasecmp(text, "Local") == 0) {
        bad_invalid(at, zone,
                    "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones");
    } else if (has_backsteps(text) || *text == '/' || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                    "0123456789_+-/") != strlen(text)) {
        g_autofree char *detail = g_strdup_printf("unknown time zone %s", text);

        bad_invalid(at, zone, detail);
    }
}

static void
cron_job_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *job = value_at(spec, "jobTemplate.spec");
    const Path *at = AT(root, "spec");
    const Path *job_at = AT(AT(at, "jobTemplate"), "spec");

    check_schedule(AT(at, "schedule"), spec);
    check_not_negative(AT(at, "startingDeadlineSeconds"), value_get(spec, "startingDeadlineSeconds"));
    check_time_zone(AT(at, "timeZone"), value_get(spec, "timeZone"));
    check_enum(AT(at, "concurrencyPolicy"), value_get(spec, "concurrencyPolicy"), TEXTS("Allow", "Forbid", "Replace"), REQUIRED);
    check_labels(AT(AT(AT(at, "jobTemplate"), "metadata"), "labels"), value_at(spec, "jobTemplate.metadata.labels"));
    check_annotations(AT(AT(AT(at, "jobTemplate"), "metadata"), "annotations"), value_at(spec, "jobTemplate.metadata.annotations"));
    if (value_get(job, "selector") != NULL)
        bad_invalid(AT(job_at, "selector"), value_get(job, "selector"), "`selector` will be auto-generated");
    if (value_bool(value_get(job, "manualSelector")))
        bad_unsupported(AT(job_at, "manualSelector"), value_get(job, "manualSelector"), TEXTS("nil", "false"));
    check_job_spec(job_at, job, NULL, "CronJob");
    check_not_negative(AT(at, "successfulJobsHistoryLimit"), value_get(spec, "successfulJobsHistoryLimit"));
    check_not_negative(AT(at, "failedJobsHistoryLimit"), value_get(spec, "failedJobsHistoryLimit"));
    if (value_string_len(value_at(object, "metadata.name")) > CRON_JOB_NAME_MAX)
        bad_invalid(AT(AT(root, "metadata"), "name"), value_at(object, "metadata.name"), "must be no more than 52 characters");
}

const KindRules kind_rules_batch[] = {
    {"batch", "Job", NAME_SUBDOMAIN, job_check, job_check_update, job_check_status, false},
    {"batch", "CronJob", NAME_SUBDOMAIN, cron_job_check, NULL, NULL, false},
    {0},
};
