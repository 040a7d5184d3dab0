/* kubectl create deployment, job, cronjob */
#include <string.h>

#include "cli/kubectl/create.h"
#include "cli/kubectl/write.h"
#include "core/api/meta.h"

/* "registry/nginx:1.29" -> "nginx": the container's name. Owned. */
static char *
container_name(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *base = slash != NULL ? slash + 1 : image;
    char *name = g_ascii_strdown(base, (gssize)strcspn(base, ":@"));
    for (char *at = name; *at != '\0'; at++)
        if (!g_ascii_isalnum(*at) && *at != '-')
            *at = '-';
    return name;
}

static int
deployment_run(Kube *kube)
{
    const char *name = create_name(kube);
    g_auto(GStrv) images = kube_flag_list(kube, "image");
    if (name == NULL)
        return 1;
    if (images[0] == NULL)
        return kube_fail(kube, "required flag(s) \"image\" not set");
    g_autoptr(Value) command = create_command_words(kube);
    if (images[1] != NULL && command != NULL)
        return kube_fail(kube, "cannot specify multiple --image options and command");
    g_autoptr(ValueBuilder) containers = value_builder_new_array();
    for (char **image = images; *image != NULL; image++) {
        g_autofree char *container = container_name(*image);
        Value *made = value_new_f("{name: %s, image: %s, resources: {}, command: ?%v}", container,
                                  *image, command);
        if (image == images && kube_flag_int(kube, "port") > 0)
            value_edit(&made, "ports",
                       value_new_f("[{containerPort: %i}]", kube_flag_int(kube, "port")));
        value_builder_append(containers, made);
    }
    int64_t replicas = kube_flag_int(kube, "replicas");
    if (replicas < 0)
        return kube_fail(kube, "--replicas must not be negative");
    return create_object(
        kube,
        value_new_f(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: %s, labels: {app: %s}}, "
            "spec: "
            "{replicas: %i, selector: {matchLabels: {app: %s}}, strategy: {}, template: {metadata: "
            "{labels: {app: %s}}, spec: {containers: %v}}}}",
            name, name, replicas, name, name, value_builder_peek(containers)));
}

static const KubeFlag deployment_flags[] = {
    CREATE_FLAGS,
    {"image", 0, FLAG_LIST, NULL, NULL, "Image of a container; may be repeated; required"},
    {"replicas", 'r', FLAG_INT, "1", NULL, "How many pods"},
    {"port", 0, FLAG_INT, "-1", NULL, "Port that the container serves"},
    KUBE_FLAGS_END,
};

const KubeCommand CREATE_DEPLOYMENT = {
    .name = "deployment",
    .aliases = "deploy",
    .usage = "NAME --image=image -- [COMMAND] [args...]",
    .summary = "Create a deployment with the specified name",
    .examples = "  kubectl create deployment web --image=nginx --replicas=3 --port=80",
    .flags = deployment_flags,
    .run = deployment_run};

/* ---- job ---- */

static Value *
job_from_cron_job(Kube *kube, const char *name, const char *from)
{
    const char *slash = strchr(from, '/');
    g_autofree char *type = slash != NULL ? g_strndup(from, (gsize)(slash - from)) : NULL;
    const ApiKind *kind = type != NULL ? kube_kind_quiet(kube, type) : NULL;
    char *error = NULL;
    if (kind == NULL || strcmp(kind->kind, "CronJob") != 0) {
        kube_fail(kube, "from must be an existing cronjob, such as cronjob/NAME; got %s", from);
        return NULL;
    }
    g_autoptr(Value) cron = kube_get(kube, kind, kube->namespace_, slash + 1, &error);
    if (cron == NULL) {
        kube_fail_take(kube, error);
        return NULL;
    }
    const Value *template_ = value_at(cron, "spec.jobTemplate");
    Value *job = value_new_f(
        "{apiVersion: batch/v1, kind: Job, metadata: {name: %s, labels: ?%v}, spec: %v}", name,
        object_labels(template_), value_get(template_, "spec"));
    g_autoptr(Value) manual = value_new_f("{'cronjob.kubernetes.io/instantiate': manual}");
    VALUE_MAP_FOREACH (key, text, object_annotations(template_))
        value_replace(&manual, value_set(manual, key, value_ref(text)));
    value_edit(&job, "metadata.annotations", value_ref(manual));
    g_autoptr(Value) owner = owner_reference_new(cron, "batch/v1", "CronJob");
    g_autoptr(Value) owners = value_new_array();
    value_edit(&job, "metadata.ownerReferences",
               value_append(owners, value_remove(owner, "blockOwnerDeletion")));
    return job;
}

static int
job_run(Kube *kube)
{
    const char *name = create_name(kube), *image = kube_flag(kube, "image"),
               *from = kube_flag(kube, "from");
    if (name == NULL)
        return 1;
    if ((*image == '\0') == (*from == '\0'))
        return kube_fail(kube, "either --image or --from must be specified");
    if (*from != '\0') {
        Value *job = job_from_cron_job(kube, name, from);
        return job != NULL ? create_object(kube, job) : 1;
    }
    g_autoptr(Value) command = create_command_words(kube);
    return create_object(kube, value_new_f("{apiVersion: batch/v1, kind: Job, metadata: {name: "
                                           "%s}, spec: {template: {metadata: {}, spec: "
                                           "{restartPolicy: Never, containers: [{name: %s, image: "
                                           "%s, resources: {}, command: ?%v}]}}}}",
                                           name, name, image, command));
}

static const KubeFlag job_flags[] = {
    CREATE_FLAGS,
    {"image", 0, FLAG_TEXT, NULL, NULL, "Image of the container"},
    {"from", 0, FLAG_TEXT, NULL, NULL, "cronjob/NAME: a run out of turn"},
    KUBE_FLAGS_END,
};

const KubeCommand CREATE_JOB = {
    .name = "job",
    .usage = "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    .summary = "Create a job with the specified name",
    .examples = "  kubectl create job once --image=busybox -- date\n  kubectl create job now "
                "--from=cronjob/nightly",
    .flags = job_flags,
    .run = job_run};

static int
cron_job_run(Kube *kube)
{
    const char *name = create_name(kube), *image = kube_flag(kube, "image"),
               *schedule = kube_flag(kube, "schedule");
    if (name == NULL)
        return 1;
    if (*image == '\0' || *schedule == '\0')
        return kube_fail(kube, "required flag(s) \"%s\" not set",
                         *image == '\0' ? "image" : "schedule");
    const char *policy =
        *kube_flag(kube, "restart") != '\0' ? kube_flag(kube, "restart") : "OnFailure";
    g_autoptr(Value) command = create_command_words(kube);
    return create_object(kube,
                         value_new_f("{apiVersion: batch/v1, kind: CronJob, metadata: {name: %s}, "
                                     "spec: {schedule: %s, jobTemplate: "
                                     "{metadata: {name: %s}, spec: {template: {metadata: {}, spec: "
                                     "{restartPolicy: %s, containers: "
                                     "[{name: %s, image: %s, resources: {}, command: ?%v}]}}}}}}",
                                     name, schedule, name, policy, name, image, command));
}

static const KubeFlag cron_job_flags[] = {
    CREATE_FLAGS,
    {"image", 0, FLAG_TEXT, NULL, NULL, "Image of the container; required"},
    {"schedule", 0, FLAG_TEXT, NULL, NULL, "When, as in crontab(5); required"},
    {"restart", 0, FLAG_TEXT, NULL, NULL, "OnFailure or Never"},
    KUBE_FLAGS_END,
};

const KubeCommand CREATE_CRONJOB = {
    .name = "cronjob",
    .aliases = "cj",
    .usage = "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
    .summary = "Create a cron job with the specified name",
    .examples = "  kubectl create cronjob nightly --image=busybox --schedule='0 3 * * *' -- date",
    .flags = cron_job_flags,
    .run = cron_job_run};
