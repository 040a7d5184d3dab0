/* Starting one container (startContainer of kuberuntime_container.go):
 *
 *   back-off? -> image -> configuration -> create -> start -> postStart hook
 *
 * Each arrow may fail: then the reason is remembered for the status, an event is recorded and the round goes on with the
 * next container. */
#include "core/kubelet/internal.h"

bool
backoff_active(int64_t delay, int64_t updated, int64_t event_time, int64_t now, int64_t max)
{
    if (delay == 0 || event_time - updated > 2 * max)
        return false;
    return now - event_time < delay;
}

void
backoff_next(int64_t *delay, int64_t *updated, int64_t event_time, int64_t now, int64_t base, int64_t max)
{
    if (*delay == 0 || event_time - *updated > 2 * max)
        *delay = base;
    else
        *delay = MIN(*delay * 2, max);
    *updated = now;
}

static const Value *
op_container(const Op *op)
{
    return value_item(pod_container_list(op->worker->pod, op->kind), op->index);
}

static const char *
name_of(const Value *container)
{
    return value_text(value_get(container, "name"));
}

static void
failed(PodWorker *worker, const char *name, const char *reason, const char *message)
{
    worker_set_reason(worker, name, reason, message);
    sync_container_started(worker, false);
}

static Op *
next_op(const Op *op, OpFunc done)
{
    Op *next = op_new(op->kubelet, op->worker, done);
    next->kind = op->kind;
    next->index = op->index;
    next->text = g_strdup(op->text);
    return next;
}

/* ---- after the start ------------------------------------------------------------------------------- */

static void
on_post_start(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    PodWorker *worker = op->worker;
    const char *name = name_of(op_container(op));
    if (error == NULL) {
        worker_set_reason(worker, name, NULL, NULL);
        sync_container_started(worker, true);
        return;
    }
    worker_container_event(worker, name, "Warning", "FailedPostStartHook", "PostStartHook failed");
    worker_set_reason(worker, name, "PostStartHookError", error);
    kill_container(worker, op->text, name, worker_grace_seconds(worker) * NS_PER_S, "FailedPostStartHook");
    sync_container_started(worker, false);
}

static void
on_started(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->in_flight--;
    if (!op_is_current(op)) {
        worker_wake(worker);
        return;
    }
    const Value *container = op_container(op);
    const char *name = name_of(container);
    kubelet_changed_below(op->kubelet, worker->uid);
    if (error != NULL) {
        worker_container_event(worker, name, "Warning", "Failed", "Error: %s", error);
        failed(worker, name, "RunContainerError", error);
        return;
    }
    worker_container_event(worker, name, "Normal", "Started", "Container started");
    worker_decision(worker, "start", "started container %s", name);
    const Value *hook = value_at(container, "lifecycle.postStart");
    if (hook == NULL) {
        worker_set_reason(worker, name, NULL, NULL);
        sync_container_started(worker, true);
        return;
    }
    hook_run(worker, container, op->text, hook, 0, next_op(op, on_post_start));
}

static void
on_created(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->in_flight--;
    if (!op_is_current(op)) {
        worker_wake(worker);
        return;
    }
    const char *name = name_of(op_container(op));
    if (error != NULL) {
        worker_container_event(worker, name, "Warning", "Failed", "Error: %s", error);
        failed(worker, name, "CreateContainerError", error);
        return;
    }
    worker_container_event(worker, name, "Normal", "Created", "Container created");
    Op *next = next_op(op, on_started);
    g_free(next->text);
    next->text = g_strdup(id);
    worker->in_flight++;
    Runtime *runtime = op->kubelet->runtime;
    runtime->ops->start_container(runtime, next->text, op_runtime_done, next);
}

/* ---- the configuration ----------------------------------------------------------------------------- */

static void
clear_mounts(GArray *mounts)
{
    for (guint i = 0; i < mounts->len; i++) {
        RuntimeMount *mount = &g_array_index(mounts, RuntimeMount, i);
        g_free((char *)mount->host_path);
    }
    g_array_unref(mounts);
}

static GArray *
build_mounts(PodWorker *worker, const Value *container, char *const *env, char **ret_error)
{
    GArray *mounts = g_array_new(FALSE, FALSE, sizeof(RuntimeMount));
    VALUE_ARRAY_FOREACH (item, value_get(container, "volumeMounts")) {
        const char *propagation = value_string(value_get(item, "mountPropagation"));
        RuntimeMount mount = {
            .host_path = *ret_error == NULL ? volume_mount_path(worker, item, env, ret_error) : NULL,
            .container_path = value_text(value_get(item, "mountPath")),
            .readonly = value_bool(value_get(item, "readOnly")),
            .propagation = propagation != NULL ? propagation : "None",
        };
        if (mount.host_path != NULL)
            g_array_append_val(mounts, mount);
    }
    return mounts;
}

static void
create(Op *op, const Value *container, const char *image_ref)
{
    PodWorker *worker = op->worker;
    Runtime *runtime = op->kubelet->runtime;
    g_autoptr(RuntimeView) view = runtime_view_new(runtime, worker->uid);
    const PodSandboxStatus *sandbox = runtime_view_sandbox(view);
    const ContainerStatus *last = runtime_view_find(view, name_of(container));
    const char *ip = sandbox == NULL ? NULL : sandbox->ip != NULL ? sandbox->ip : value_string_at(worker->status, "hostIP");
    g_autofree char *error = NULL;
    g_auto(GStrv) env = env_build(worker, container, ip, &error);
    GArray *mounts = build_mounts(worker, container, env, &error);
    if (error != NULL || sandbox == NULL) {
        clear_mounts(mounts);
        const char *text = error != NULL ? error : "the pod has no sandbox";
        worker_container_event(worker, name_of(container), "Warning", "Failed", "Error: %s", text);
        failed(worker, name_of(container), "CreateContainerConfigError", text);
        return;
    }
    g_auto(GStrv) command = env_expand_array(value_get(container, "command"), env);
    g_auto(GStrv) args = env_expand_array(value_get(container, "args"), env);
    int64_t known = 0;
    VALUE_ARRAY_FOREACH (status, value_get(worker->status, op->kind == CONTAINER_INIT ? "initContainerStatuses"
                                                                                      : "containerStatuses")) {
        if (value_equal(value_get(status, "name"), value_get(container, "name")) && last == NULL &&
            (value_at(status, "lastState.terminated") != NULL || value_at(status, "state.terminated") != NULL))
            known = value_int(value_get(status, "restartCount")) + (value_at(status, "state.terminated") != NULL);
    }
    uint32_t attempt = last != NULL ? last->attempt + 1 : (uint32_t)known;
    g_autofree char *log = g_strdup_printf("%s/%u.log", name_of(container), attempt);
    ContainerConfig config = {
        .name = name_of(container),
        .attempt = attempt,
        .image = image_ref,
        .container = container,
        .command = (const char *const *)command,
        .args = (const char *const *)args,
        .env = (const char *const *)env,
        .working_dir = value_string(value_get(container, "workingDir")),
        .mounts = (const RuntimeMount *)mounts->data,
        .n_mounts = mounts->len,
        .log_path = log,
        .hash = container_hash(container),
    };
    worker->in_flight++;
    runtime->ops->create_container(runtime, sandbox->id, &config, op_runtime_done, next_op(op, on_created));
    clear_mounts(mounts);
}

/* ---- the image ----------------------------------------------------------------------------------------- */

static ContainerMemory *
pull_memory(PodWorker *worker, const Value *container)
{
    ContainerMemory *memory = worker_memory(worker, name_of(container), true);
    const char *image = value_text(value_get(container, "image"));
    if (memory->pull_image == NULL || !g_str_equal(memory->pull_image, image)) {
        g_free(memory->pull_image);
        memory->pull_image = g_strdup(image);
        memory->pull_backoff = memory->pull_updated = 0;
        g_clear_pointer(&memory->pull_error, g_free);
    }
    return memory;
}

static void
on_pulled(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    PodWorker *worker = op->worker;
    const Value *container = op_container(op);
    const KubeletConfig *config = &op->kubelet->config;
    if (error == NULL) {
        create(op, container, id != NULL ? id : value_text(value_get(container, "image")));
        return;
    }
    int64_t now = kubelet_now(op->kubelet);
    ContainerMemory *memory = pull_memory(worker, container);
    worker_container_event(worker, name_of(container), "Warning", "Failed", "Failed to pull image \"%s\": %s",
                           memory->pull_image, error);
    backoff_next(&memory->pull_backoff, &memory->pull_updated, now, now, config->backoff_ns, config->backoff_max_ns);
    g_free(memory->pull_error);
    memory->pull_error = g_strdup_printf("ErrImagePull: %s", error);
    worker_container_event(worker, name_of(container), "Warning", "Failed", "Error: ErrImagePull");
    worker_retry_at(worker, now + random_jitter(op->kubelet->ports->random, config->sync_retry_ns, 0.5));
    failed(worker, name_of(container), "ErrImagePull", error);
}

/* docker.io/library/Nginx: and the like: reference.ParseNormalizedNamed's most frequent refusals. */
static char *
image_name_error(const char *image)
{
    if (*image == '\0' || strchr(image, ' ') != NULL || g_str_has_suffix(image, ":") || g_str_has_prefix(image, "/"))
        return g_strdup_printf("Failed to apply default image tag \"%s\": couldn't parse image name \"%s\": "
                               "invalid reference format", image, image);
    const char *digest = strchr(image, '@');
    const char *tag = strrchr(image, ':');
    const char *slash = strrchr(image, '/');
    const char *end = digest != NULL ? digest : tag != NULL && (slash == NULL || tag > slash) ? tag : image + strlen(image);
    for (const char *p = strchr(image, '/') != NULL ? strchr(image, '/') : image; p < end; p++) {
        if (g_ascii_isupper(*p))
            return g_strdup_printf("Failed to apply default image tag \"%s\": couldn't parse image name \"%s\": invalid "
                                   "reference format: repository name must be lowercase", image, image);
    }
    return NULL;
}

static void
pull_secrets(PodWorker *worker, ValueBuilder *ret_secrets)
{
    g_autoptr(GPtrArray) missing = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (reference, value_at(worker->pod, "spec.imagePullSecrets")) {
        const Value *secret;
        const char *name = value_text(value_get(reference, "name"));
        if (objects_get(worker->kubelet, "secrets", object_namespace(worker->pod), name, &secret) == OBJECT_FOUND)
            value_builder_append(ret_secrets, value_ref(secret));
        else
            g_ptr_array_add(missing, (char *)name);
    }
    if (missing->len == 0)
        return;
    g_autofree char *list = format_list(missing);
    for (char *p = list; *p != '\0'; p++)
        *p = *p == ' ' ? ',' : *p;
    g_autofree char *names = g_strndup(list + 1, strlen(list) - 2);
    worker_event(worker, "Warning", "FailedToRetrieveImagePullSecret",
                 "Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed.", names);
}

static void
ensure_image(Op *op, const Value *container)
{
    PodWorker *worker = op->worker;
    Kubelet *kubelet = op->kubelet;
    const char *name = name_of(container);
    const char *image = value_text(value_get(container, "image"));
    const char *policy = value_text(value_get(container, "imagePullPolicy"));
    g_autofree char *invalid = image_name_error(image);
    if (invalid != NULL) {
        worker_container_event(worker, name, "Warning", "InspectFailed", "%s", invalid);
        worker_container_event(worker, name, "Warning", "Failed", "Error: InvalidImageName");
        failed(worker, name, "InvalidImageName", invalid);
        return;
    }
    const char *present = kubelet->runtime->ops->image_present(kubelet->runtime, image);
    if (present != NULL && !g_str_equal(policy, "Always")) {
        worker_container_event(worker, name, "Normal", "Pulled",
                               "Container image \"%s\" already present on machine and can be accessed by the pod", image);
        g_autofree char *reference = g_strdup(present);
        create(op, container, reference);
        return;
    }
    if (g_str_equal(policy, "Never")) {
        g_autofree char *text = g_strdup_printf("Container image \"%s\" is not present with pull policy of Never", image);
        worker_container_event(worker, name, "Warning", "ErrImageNeverPull", "%s", text);
        worker_container_event(worker, name, "Warning", "Failed", "Error: ErrImageNeverPull");
        failed(worker, name, "ErrImageNeverPull", text);
        return;
    }
    int64_t now = kubelet_now(kubelet);
    ContainerMemory *memory = pull_memory(worker, container);
    if (backoff_active(memory->pull_backoff, memory->pull_updated, memory->pull_updated, now,
                       kubelet->config.backoff_max_ns)) {
        g_autofree char *text = g_strdup_printf("Back-off pulling image \"%s\"", image);
        worker_container_event(worker, name, "Normal", "BackOff", "%s", text);
        worker_container_event(worker, name, "Warning", "Failed", "Error: ImagePullBackOff");
        g_autofree char *full = g_strdup_printf("%s: %s", text, memory->pull_error);
        worker_retry_at(worker, memory->pull_updated + memory->pull_backoff);
        failed(worker, name, "ImagePullBackOff", full);
        return;
    }
    g_autoptr(ValueBuilder) secrets = value_builder_new_array();
    pull_secrets(worker, secrets);
    image_pull(kubelet, image, value_builder_peek(secrets), next_op(op, on_pulled));
}

/* Crashed before and not long enough ago? Then it waits (doBackOff). */
static bool
back_off(PodWorker *worker, const Value *container)
{
    Kubelet *kubelet = worker->kubelet;
    const KubeletConfig *config = &kubelet->config;
    const char *name = name_of(container);
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    const ContainerStatus *status = runtime_view_find(view, name);
    if (status == NULL || status->state != CONTAINER_EXITED)
        return false;
    int64_t now = kubelet_now(kubelet), finished = status->finished_at;
    ContainerMemory *memory = worker_memory(worker, name, true);
    if (!backoff_active(memory->crash_backoff, memory->crash_updated, finished, now, config->backoff_max_ns)) {
        backoff_next(&memory->crash_backoff, &memory->crash_updated, finished, now, config->backoff_ns,
                     config->backoff_max_ns);
        return false;
    }
    g_autofree char *pod = format_pod(worker->pod);
    g_autofree char *delay = format_duration(memory->crash_backoff);
    g_autofree char *text = g_strdup_printf("back-off %s restarting failed container=%s pod=%s", delay, name, pod);
    worker_container_event(worker, name, "Warning", "BackOff", "Back-off restarting failed container %s in pod %s", name,
                           pod);
    worker_decision(worker, "back-off", "%s", text);
    worker_retry_at(worker, finished + memory->crash_backoff);
    failed(worker, name, "CrashLoopBackOff", text);
    return true;
}

void
worker_start_container(PodWorker *worker, ContainerKind kind, unsigned index)
{
    const Value *container = value_item(pod_container_list(worker->pod, kind), index);
    if (container == NULL) {
        sync_container_started(worker, true);
        return;
    }
    if (back_off(worker, container))
        return;
    Op *op = op_new(worker->kubelet, worker, NULL);
    op->kind = kind;
    op->index = index;
    ensure_image(op, container);
    op_free(op);
}
