#include "tests/support/fake_runtime.h"

#define LATENCY NS_PER_MS

typedef struct FakeContainer {
    char *id, *sandbox, *name, *image, *pod_uid, *pod_name, *pod_namespace;
    char **env;
    ContainerState state;
    uint32_t attempt;
    uint64_t hash;
    int64_t created, started, finished;
    int exit_code;
} FakeContainer;

typedef struct FakeSandbox {
    char *id, *uid, *name, *namespace_, *ip;
    uint32_t attempt;
    bool ready, host_network;
    int64_t created;
} FakeSandbox;

typedef struct Setting {
    char *key, *text;
    int64_t number;
    unsigned times;
} Setting;

typedef struct FakeLog {
    char *path, *text;
    int64_t time;
} FakeLog;

struct FakeRuntime {
    Runtime runtime;
    Host host;
    const Ports *ports;
    RuntimeListener listener;
    void *listener_data;
    GPtrArray *containers, *sandboxes, *calls;
    GPtrArray *images, *pulls, *failures, *stop_times, *execs, *probes, *memories; /* of Setting */
    GPtrArray *logs;
    GPtrArray *laters; /* what is still to happen */
    Value *volumes, *statics;
    HostPressure pressure;
    void (*static_changed)(void *data);
    void *static_data;
    unsigned next;
    bool network_waits;
};

typedef struct Later {
    FakeRuntime *fake;
    RuntimeDone done;
    HostDone host_done;
    HostProbeDone probe_done;
    RuntimeExecDone exec_done;
    void *data;
    char *id, *error;
    int code;
    void (*before)(FakeRuntime *fake, const char *id);
} Later;

static FakeRuntime *
of_runtime(Runtime *runtime)
{
    return (FakeRuntime *)runtime;
}

static FakeRuntime *
of_host(Host *host)
{
    return (FakeRuntime *)((char *)host - offsetof(FakeRuntime, host));
}

static int64_t
now(const FakeRuntime *fake)
{
    return clock_now(fake->ports->clock);
}

static Setting *
find(GPtrArray *settings, const char *key)
{
    for (guint i = 0; i < settings->len; i++) {
        Setting *setting = settings->pdata[i];
        if (g_str_equal(setting->key, key))
            return setting;
    }
    return NULL;
}

static Setting *
set(GPtrArray *settings, const char *key)
{
    Setting *setting = find(settings, key);
    if (setting == NULL) {
        setting = g_new0(Setting, 1);
        setting->key = g_strdup(key);
        g_ptr_array_add(settings, setting);
    }
    return setting;
}

static void
setting_free(void *data)
{
    Setting *setting = data;
    g_free(setting->key);
    g_free(setting->text);
    g_free(setting);
}

static FakeContainer *
container_by_id(FakeRuntime *fake, const char *id)
{
    for (guint i = 0; i < fake->containers->len; i++) {
        FakeContainer *container = fake->containers->pdata[i];
        if (g_str_equal(container->id, id))
            return container;
    }
    return NULL;
}

static FakeSandbox *
sandbox_by_id(FakeRuntime *fake, const char *id)
{
    for (guint i = 0; i < fake->sandboxes->len; i++) {
        FakeSandbox *sandbox = fake->sandboxes->pdata[i];
        if (g_str_equal(sandbox->id, id))
            return sandbox;
    }
    return NULL;
}

static void
fire(void *data)
{
    Later *later = data;
    if (later->before != NULL && later->error == NULL)
        later->before(later->fake, later->id);
    if (later->done != NULL)
        later->done(later->id, later->error, later->data);
    if (later->host_done != NULL)
        later->host_done(later->error, later->data);
    if (later->probe_done != NULL)
        later->probe_done(&(ProbeReply){.error = later->error, .http_status = later->code, .body = ""}, later->data);
    if (later->exec_done != NULL)
        later->exec_done(&(ExecResult){.exit_code = later->code, .output = later->error != NULL ? later->error : ""},
                         later->data);
    g_ptr_array_remove(later->fake->laters, later);
}

static void
later_free(void *data)
{
    Later *later = data;
    g_free(later->id);
    g_free(later->error);
    g_free(later);
}

/* Notes the call; *ret_error is what it is to fail with. */
static char *
note(FakeRuntime *fake, const char *format, ...) G_GNUC_PRINTF(2, 3);

static char *
note(FakeRuntime *fake, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(fake->calls, text);
    for (guint i = 0; i < fake->failures->len; i++) {
        Setting *failure = fake->failures->pdata[i];
        if (failure->times > 0 && g_str_has_prefix(text, failure->key)) {
            failure->times--;
            return g_strdup(failure->text);
        }
    }
    return NULL;
}

static Later *
later(FakeRuntime *fake, int64_t delay, char *take_id, char *take_error, void *data)
{
    Later *l = g_new0(Later, 1);
    l->fake = fake;
    l->id = take_id;
    l->error = take_error;
    l->data = data;
    g_ptr_array_add(fake->laters, l);
    clock_timer_in(fake->ports->clock, delay, fire, l);
    return l;
}

/* ---- the runtime ------------------------------------------------------------------------------------------ */

static const char *
version(Runtime *runtime)
{
    return "containerd://2.1.3";
}

static void
set_listener(Runtime *runtime, const RuntimeListener *listener, void *data)
{
    of_runtime(runtime)->listener = *listener;
    of_runtime(runtime)->listener_data = data;
}

static void
update_runtime_config(Runtime *runtime, const char *pod_cidr)
{
    g_free(note(of_runtime(runtime), "pod-cidr %s", pod_cidr));
    of_runtime(runtime)->network_waits = false;
}

static const char *
network_not_ready(Runtime *runtime)
{
    return of_runtime(runtime)->network_waits ? "Network plugin returns error: cni plugin not initialized" : NULL;
}

static void
run_pod_sandbox(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    char *error = note(fake, "sandbox %s", config->name);
    char *id = NULL;
    if (error == NULL) {
        FakeSandbox *sandbox = g_new0(FakeSandbox, 1);
        sandbox->id = g_strdup_printf("sandbox-%u", ++fake->next);
        sandbox->uid = g_strdup(config->uid);
        sandbox->name = g_strdup(config->name);
        sandbox->namespace_ = g_strdup(config->namespace_);
        sandbox->host_network = value_bool_at(config->pod, "spec.hostNetwork");
        sandbox->ip = sandbox->host_network ? NULL : g_strdup_printf("10.244.0.%u", fake->next);
        sandbox->attempt = config->attempt;
        sandbox->ready = true;
        sandbox->created = now(fake);
        g_ptr_array_add(fake->sandboxes, sandbox);
        id = g_strdup(sandbox->id);
    }
    later(fake, LATENCY, id, error, data)->done = done;
}

static void
end(FakeRuntime *fake, FakeContainer *container, int exit_code)
{
    if (container->state != CONTAINER_RUNNING)
        return;
    container->state = CONTAINER_EXITED;
    container->exit_code = exit_code;
    container->finished = now(fake);
    if (fake->listener.container_changed != NULL)
        fake->listener.container_changed(container->pod_uid, container->id, fake->listener_data);
}

static void
stop_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeSandbox *sandbox = sandbox_by_id(fake, sandbox_id);
    char *error = note(fake, "stop-sandbox %s", sandbox != NULL ? sandbox->name : sandbox_id);
    if (sandbox != NULL && error == NULL) {
        sandbox->ready = false;
        for (guint i = 0; i < fake->containers->len; i++) {
            FakeContainer *container = fake->containers->pdata[i];
            if (g_str_equal(container->sandbox, sandbox_id))
                end(fake, container, 137);
        }
    }
    later(fake, LATENCY, NULL, error, data)->done = done;
}

static void
remove_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeSandbox *sandbox = sandbox_by_id(fake, sandbox_id);
    char *error = note(fake, "remove-sandbox %s", sandbox != NULL ? sandbox->name : sandbox_id);
    if (sandbox != NULL)
        g_ptr_array_remove(fake->sandboxes, sandbox);
    later(fake, LATENCY, NULL, error, data)->done = done;
}

static void
create_container(Runtime *runtime, const char *sandbox_id, const ContainerConfig *config, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeSandbox *sandbox = sandbox_by_id(fake, sandbox_id);
    char *error = note(fake, "create %s/%s", sandbox->name, config->name);
    char *id = NULL;
    if (error == NULL) {
        FakeContainer *container = g_new0(FakeContainer, 1);
        container->id = g_strdup_printf("container-%u", ++fake->next);
        container->sandbox = g_strdup(sandbox_id);
        container->name = g_strdup(config->name);
        container->image = g_strdup(value_text(value_get(config->container, "image")));
        container->pod_uid = g_strdup(sandbox->uid);
        container->pod_name = g_strdup(sandbox->name);
        container->pod_namespace = g_strdup(sandbox->namespace_);
        container->env = g_strdupv((char **)config->env);
        container->attempt = config->attempt;
        container->hash = config->hash;
        container->created = now(fake);
        g_ptr_array_add(fake->containers, container);
        id = g_strdup(container->id);
    }
    later(fake, LATENCY, id, error, data)->done = done;
}

static void
start_container(Runtime *runtime, const char *container_id, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeContainer *container = container_by_id(fake, container_id);
    char *error = note(fake, "start %s/%s", container->pod_name, container->name);
    if (error == NULL) {
        container->state = CONTAINER_RUNNING;
        container->started = now(fake);
    } else {
        container->state = CONTAINER_EXITED;
        container->exit_code = 128;
        container->finished = now(fake);
    }
    later(fake, LATENCY, NULL, error, data)->done = done;
}

static void
after_stop(FakeRuntime *fake, const char *id)
{
    FakeContainer *container = container_by_id(fake, id);
    if (container != NULL)
        end(fake, container, 0);
}

static void
after_kill(FakeRuntime *fake, const char *id)
{
    FakeContainer *container = container_by_id(fake, id);
    if (container != NULL)
        end(fake, container, 137);
}

static void
stop_container(Runtime *runtime, const char *container_id, int64_t grace_ns, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeContainer *container = container_by_id(fake, container_id);
    char *error = note(fake, "stop %s/%s %d", container->pod_name, container->name, (int)(grace_ns / NS_PER_S));
    Setting *time = find(fake->stop_times, container->name);
    bool killed = time != NULL && time->number > grace_ns;
    int64_t delay = time == NULL ? LATENCY : MIN(time->number, grace_ns);
    Later *l = later(fake, delay, g_strdup(container_id), error, data);
    l->done = done;
    l->before = killed ? after_kill : after_stop;
}

static void
container_free(void *data)
{
    FakeContainer *container = data;
    g_free(container->id);
    g_free(container->sandbox);
    g_free(container->name);
    g_free(container->image);
    g_free(container->pod_uid);
    g_free(container->pod_name);
    g_free(container->pod_namespace);
    g_strfreev(container->env);
    g_free(container);
}

static void
sandbox_free(void *data)
{
    FakeSandbox *sandbox = data;
    g_free(sandbox->id);
    g_free(sandbox->uid);
    g_free(sandbox->name);
    g_free(sandbox->namespace_);
    g_free(sandbox->ip);
    g_free(sandbox);
}

static void
remove_container(Runtime *runtime, const char *container_id, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeContainer *container = container_by_id(fake, container_id);
    char *error = note(fake, "remove %s", container != NULL ? container->name : container_id);
    if (container != NULL)
        g_ptr_array_remove(fake->containers, container);
    later(fake, LATENCY, NULL, error, data)->done = done;
}

static void
list_pod_sandboxes(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    FakeRuntime *fake = of_runtime(runtime);
    for (guint i = 0; i < fake->sandboxes->len; i++) {
        FakeSandbox *s = fake->sandboxes->pdata[i];
        PodSandboxStatus status = {s->id, s->uid, s->name, s->namespace_, s->attempt, s->ready, s->created, s->ip};
        if (pod_uid == NULL || g_str_equal(pod_uid, s->uid))
            g_array_append_val(ret_statuses, status);
    }
}

static ContainerStatus
status_of(const FakeContainer *c)
{
    return (ContainerStatus){
        .id = c->id, .sandbox_id = c->sandbox, .name = c->name, .image = c->image, .image_ref = "sha256:1",
        .attempt = c->attempt, .state = c->state, .created_at = c->created, .started_at = c->started,
        .finished_at = c->finished, .exit_code = c->exit_code, .pod_uid = c->pod_uid, .pod_name = c->pod_name,
        .pod_namespace = c->pod_namespace, .hash = c->hash,
    };
}

static void
list_containers(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    FakeRuntime *fake = of_runtime(runtime);
    for (guint i = 0; i < fake->containers->len; i++) {
        FakeContainer *c = fake->containers->pdata[i];
        ContainerStatus status = status_of(c);
        if (pod_uid == NULL || g_str_equal(pod_uid, c->pod_uid))
            g_array_append_val(ret_statuses, status);
    }
}

static bool
container_status(Runtime *runtime, const char *container_id, ContainerStatus *ret_status)
{
    FakeContainer *container = container_by_id(of_runtime(runtime), container_id);
    if (container == NULL)
        return false;
    *ret_status = status_of(container);
    return true;
}

static bool
container_stats(Runtime *runtime, const char *container_id, ContainerStats *ret_stats)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeContainer *container = container_by_id(fake, container_id);
    Setting *memory = container != NULL ? find(fake->memories, container->name) : NULL;
    if (container == NULL)
        return false;
    *ret_stats = (ContainerStats){.memory_working_set = memory != NULL ? (uint64_t)memory->number : 0};
    return true;
}

static void
exec_sync(Runtime *runtime, const char *container_id, const char *const *command, int64_t timeout_ns, RuntimeExecDone done,
          void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    FakeContainer *container = container_by_id(fake, container_id);
    g_autofree char *line = g_strjoinv(" ", (char **)command);
    g_free(note(fake, "exec %s/%s %s", container->pod_name, container->name, line));
    Setting *exec = find(fake->execs, line);
    Later *l = later(fake, LATENCY, NULL, exec != NULL ? g_strdup(exec->text) : NULL, data);
    l->code = exec != NULL ? (int)exec->number : 0;
    l->exec_done = done;
}

/* Echoes: what goes in comes out, until input ends. */
struct RuntimeSession {
    FakeRuntime *fake;
    const RuntimeSink *sink;
    void *data;
};

static void
greet(void *data)
{
    RuntimeSession *session = data;
    session->sink->output(1, "hello\n", 6, session->data);
}

static RuntimeSession *
session_new(FakeRuntime *fake, const RuntimeSink *sink, void *data)
{
    RuntimeSession *session = g_new0(RuntimeSession, 1);
    session->fake = fake;
    session->sink = sink;
    session->data = data;
    return session;
}

static RuntimeSession *
exec_session(Runtime *runtime, const char *container_id, const RuntimeExecOptions *options, const RuntimeSink *sink,
             void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    g_autofree char *line = options->command != NULL ? g_strjoinv(" ", (char **)options->command) : g_strdup("(attach)");
    g_free(note(fake, "session %s", line));
    RuntimeSession *session = session_new(fake, sink, data);
    clock_timer_in(fake->ports->clock, LATENCY, greet, session);
    return session;
}

static void
session_input(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length)
{
    if (length > 0) {
        session->sink->output(1, bytes, length, session->data);
        return;
    }
    session->sink->ended(3, NULL, session->data);
    g_free(session);
}

static void
session_resize(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows)
{
    g_free(note(of_runtime(runtime), "resize %ux%u", columns, rows));
}

static void
session_close(Runtime *runtime, RuntimeSession *session)
{
    g_free(session);
}

static RuntimeSession *
port_forward(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink, void *data)
{
    g_free(note(of_runtime(runtime), "forward %u", port));
    return session_new(of_runtime(runtime), sink, data);
}

static const char *
image_present(Runtime *runtime, const char *image)
{
    Setting *found = find(of_runtime(runtime)->images, image);
    return found != NULL ? found->key : NULL;
}

static void
after_pull(FakeRuntime *fake, const char *id)
{
    if (find(fake->images, id) == NULL)
        set(fake->images, id)->number = 1000;
}

static void
pull_image(Runtime *runtime, const char *image, const Value *pull_secrets, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    char *error = note(fake, "pull %s", image);
    Setting *pull = find(fake->pulls, image);
    if (error == NULL && pull != NULL)
        error = g_strdup(pull->text);
    Later *l = later(fake, pull != NULL ? pull->number : LATENCY, g_strdup(image), error, data);
    l->done = done;
    l->before = after_pull;
}

static void
remove_image(Runtime *runtime, const char *image, RuntimeDone done, void *data)
{
    FakeRuntime *fake = of_runtime(runtime);
    char *error = note(fake, "remove-image %s", image);
    Setting *found = find(fake->images, image);
    if (found != NULL)
        g_ptr_array_remove(fake->images, found);
    later(fake, LATENCY, NULL, error, data)->done = done;
}

static Value *
list_images(Runtime *runtime)
{
    FakeRuntime *fake = of_runtime(runtime);
    Value *list = value_new_array();
    for (guint i = 0; i < fake->images->len; i++) {
        Setting *image = fake->images->pdata[i];
        value_replace(&list, value_append(list, value_new_f("{names: [%s], sizeBytes: %i}", image->key, image->number)));
    }
    return list;
}

static const RuntimeOps RUNTIME_OPS = {
    .version = version,
    .set_listener = set_listener,
    .update_runtime_config = update_runtime_config,
    .network_not_ready = network_not_ready,
    .run_pod_sandbox = run_pod_sandbox,
    .stop_pod_sandbox = stop_pod_sandbox,
    .remove_pod_sandbox = remove_pod_sandbox,
    .create_container = create_container,
    .start_container = start_container,
    .stop_container = stop_container,
    .remove_container = remove_container,
    .list_pod_sandboxes = list_pod_sandboxes,
    .list_containers = list_containers,
    .container_status = container_status,
    .container_stats = container_stats,
    .exec_sync = exec_sync,
    .exec = exec_session,
    .session_input = session_input,
    .session_resize = session_resize,
    .session_close = session_close,
    .port_forward = port_forward,
    .image_present = image_present,
    .pull_image = pull_image,
    .remove_image = remove_image,
    .list_images = list_images,
};

/* ---- the host ---------------------------------------------------------------------------------------------- */

static Value *
node_facts(Host *host)
{
    return value_new_f("{nodeInfo: {architecture: amd64, operatingSystem: linux}, capacity: {cpu: \"4\", memory: 8Gi}, "
                       "allocatable: {cpu: \"4\", memory: 8Gi}, addresses: [{type: InternalIP, address: 192.168.0.10}]}");
}

static void
pressure(Host *host, HostPressure *ret_pressure)
{
    *ret_pressure = of_host(host)->pressure;
}

static void
publish_volume(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
               const Value *pod, HostDone done, void *data)
{
    FakeRuntime *fake = of_host(host);
    char *error = note(fake, "publish %s", volume);
    value_replace(&fake->volumes, value_set(fake->volumes, volume, value_ref(contents)));
    later(fake, LATENCY, NULL, error, data)->host_done = done;
}

static void
make_empty_dir(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
               const Value *pod, HostDone done, void *data)
{
    FakeRuntime *fake = of_host(host);
    char *error = note(fake, "empty-dir %s", volume);
    later(fake, LATENCY, NULL, error, data)->host_done = done;
}

static void
check_host_path(Host *host, const char *path, const char *type, HostDone done, void *data)
{
    FakeRuntime *fake = of_host(host);
    char *error = note(fake, "host-path %s %s", path, type);
    later(fake, LATENCY, NULL, error, data)->host_done = done;
}

static void
mount_persistent_volume(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod, HostDone done,
                        void *data)
{
    FakeRuntime *fake = of_host(host);
    char *error = note(fake, "mount-pv %s", value_text_at(pv, "metadata.name"));
    later(fake, LATENCY, NULL, error, data)->host_done = done;
}

static char *
volume_path(Host *host, const char *pod_uid, const char *plugin, const char *volume)
{
    return g_strdup_printf("/pods/%s/volumes/%s/%s", pod_uid, plugin, volume);
}

static void
remove_pod_dirs(Host *host, const char *pod_uid, HostDone done, void *data)
{
    FakeRuntime *fake = of_host(host);
    char *error = note(fake, "remove-dirs %s", pod_uid);
    later(fake, LATENCY, NULL, error, data)->host_done = done;
}

static void
probe(Host *host, const HostProbe *request, HostProbeDone done, void *data)
{
    FakeRuntime *fake = of_host(host);
    g_autofree char *port = g_strdup_printf("%u", request->port);
    g_free(note(fake, "probe %s:%u", request->address, request->port));
    Setting *setting = find(fake->probes, port);
    Later *l = later(fake, LATENCY, NULL, setting != NULL ? g_strdup(setting->text) : NULL, data);
    l->code = setting != NULL ? (int)setting->number : request->kind == HOST_PROBE_HTTP ? 200 : 0;
    l->probe_done = done;
}

static bool
read_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    FakeRuntime *fake = of_host(host);
    bool found = false;
    for (guint i = 0; i < fake->logs->len; i++) {
        FakeLog *log = fake->logs->pdata[i];
        if (!g_str_equal(log->path, path))
            continue;
        found = true;
        if (!func(&(LogLine){log->time, 1, false, log->text, strlen(log->text)}, data))
            break;
    }
    return found;
}

static uint64_t
watch_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    return 1;
}

static void
unwatch_log(Host *host, uint64_t id)
{
}

static void
remove_log(Host *host, const char *path)
{
}

static Value *
static_pods(Host *host)
{
    return value_ref(of_host(host)->statics);
}

static void
set_static_pods_listener(Host *host, void (*changed)(void *data), void *data)
{
    of_host(host)->static_changed = changed;
    of_host(host)->static_data = data;
}

static const HostOps HOST_OPS = {
    .node_facts = node_facts,
    .pressure = pressure,
    .publish_volume = publish_volume,
    .make_empty_dir = make_empty_dir,
    .check_host_path = check_host_path,
    .mount_persistent_volume = mount_persistent_volume,
    .volume_path = volume_path,
    .remove_pod_dirs = remove_pod_dirs,
    .probe = probe,
    .read_log = read_log,
    .watch_log = watch_log,
    .unwatch_log = unwatch_log,
    .remove_log = remove_log,
    .static_pods = static_pods,
    .set_static_pods_listener = set_static_pods_listener,
};

/* ---- for tests ------------------------------------------------------------------------------------------------ */

static void
log_free(void *data)
{
    FakeLog *log = data;
    g_free(log->path);
    g_free(log->text);
    g_free(log);
}

FakeRuntime *
fake_runtime_new(const Ports *ports)
{
    FakeRuntime *fake = g_new0(FakeRuntime, 1);
    fake->runtime.ops = &RUNTIME_OPS;
    fake->host.ops = &HOST_OPS;
    fake->ports = ports;
    fake->containers = g_ptr_array_new_with_free_func(container_free);
    fake->sandboxes = g_ptr_array_new_with_free_func(sandbox_free);
    fake->calls = g_ptr_array_new_with_free_func(g_free);
    GPtrArray **settings[] = {&fake->images, &fake->pulls, &fake->failures, &fake->stop_times,
                              &fake->execs,  &fake->probes, &fake->memories};
    for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
        *settings[i] = g_ptr_array_new_with_free_func(setting_free);
    fake->logs = g_ptr_array_new_with_free_func(log_free);
    fake->laters = g_ptr_array_new_with_free_func(later_free);
    fake->volumes = value_new_map();
    fake->statics = value_new_array();
    return fake;
}

void
fake_runtime_free(FakeRuntime *fake)
{
    GPtrArray *arrays[] = {fake->containers, fake->sandboxes, fake->calls, fake->images, fake->pulls, fake->failures,
                           fake->stop_times, fake->execs, fake->probes, fake->memories, fake->logs, fake->laters};
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_ptr_array_unref(arrays[i]);
    value_unref(fake->volumes);
    value_unref(fake->statics);
    g_free(fake);
}

void
fake_runtime_hang_up(FakeRuntime *fake)
{
    for (guint i = 0; i < fake->laters->len; i++) {
        Later *l = fake->laters->pdata[i];
        l->done = NULL;
        l->host_done = NULL;
        l->probe_done = NULL;
        l->exec_done = NULL;
    }
}

Runtime *
fake_runtime(FakeRuntime *fake)
{
    return &fake->runtime;
}

Host *
fake_host(FakeRuntime *fake)
{
    return &fake->host;
}

const GPtrArray *
fake_runtime_calls(const FakeRuntime *fake)
{
    return fake->calls;
}

size_t
fake_runtime_count(const FakeRuntime *fake, const char *prefix)
{
    size_t count = 0;
    for (guint i = 0; i < fake->calls->len; i++)
        count += g_str_has_prefix(fake->calls->pdata[i], prefix);
    return count;
}

int
fake_runtime_index(const FakeRuntime *fake, const char *call)
{
    for (guint i = 0; i < fake->calls->len; i++) {
        if (g_str_has_prefix(fake->calls->pdata[i], call))
            return (int)i;
    }
    return -1;
}

void
fake_runtime_add_image(FakeRuntime *fake, const char *image, int64_t size)
{
    set(fake->images, image)->number = size;
}

static void
set_both(GPtrArray *settings, const char *key, int64_t number, const char *text)
{
    Setting *setting = set(settings, key);
    setting->number = number;
    g_free(setting->text);
    setting->text = g_strdup(text);
}

void
fake_runtime_set_pull(FakeRuntime *fake, const char *image, int64_t duration_ns, const char *error)
{
    set_both(fake->pulls, image, duration_ns, error);
}

void
fake_runtime_fail(FakeRuntime *fake, const char *prefix, const char *error, unsigned times)
{
    set_both(fake->failures, prefix, 0, error);
    set(fake->failures, prefix)->times = times;
}

static FakeContainer *
newest(const FakeRuntime *fake, const char *pod, const char *name)
{
    for (guint i = fake->containers->len; i-- > 0;) {
        FakeContainer *container = fake->containers->pdata[i];
        if ((pod == NULL || g_str_equal(container->pod_name, pod)) && g_str_equal(container->name, name))
            return container;
    }
    return NULL;
}

void
fake_runtime_exit(FakeRuntime *fake, const char *pod, const char *container, int exit_code)
{
    FakeContainer *found = newest(fake, pod, container);
    g_assert(found != NULL);
    end(fake, found, exit_code);
}

bool
fake_runtime_is_running(const FakeRuntime *fake, const char *pod, const char *container)
{
    FakeContainer *found = newest(fake, pod, container);
    return found != NULL && found->state == CONTAINER_RUNNING;
}

void
fake_runtime_set_stop_time(FakeRuntime *fake, const char *container, int64_t duration_ns)
{
    set_both(fake->stop_times, container, duration_ns, NULL);
}

void
fake_runtime_set_exec(FakeRuntime *fake, const char *command, int exit_code, const char *output)
{
    set_both(fake->execs, command, exit_code, output);
}

void
fake_runtime_kill_sandbox(FakeRuntime *fake, const char *pod)
{
    for (guint i = 0; i < fake->sandboxes->len; i++) {
        FakeSandbox *sandbox = fake->sandboxes->pdata[i];
        if (!g_str_equal(sandbox->name, pod))
            continue;
        sandbox->ready = false;
        for (guint j = 0; j < fake->containers->len; j++) {
            FakeContainer *container = fake->containers->pdata[j];
            if (g_str_equal(container->sandbox, sandbox->id))
                end(fake, container, 137);
        }
    }
}

void
fake_runtime_wait_for_cidr(FakeRuntime *fake)
{
    fake->network_waits = true;
}

void
fake_runtime_set_memory(FakeRuntime *fake, const char *container, uint64_t bytes)
{
    set_both(fake->memories, container, (int64_t)bytes, NULL);
}

void
fake_host_set_probe(FakeRuntime *fake, uint16_t port, int http_status, const char *error)
{
    g_autofree char *key = g_strdup_printf("%u", port);
    set_both(fake->probes, key, http_status, error);
}

void
fake_host_set_pressure(FakeRuntime *fake, const HostPressure *value)
{
    fake->pressure = *value;
}

void
fake_host_set_static(FakeRuntime *fake, Value *take)
{
    value_replace(&fake->statics, take);
    if (fake->static_changed != NULL)
        fake->static_changed(fake->static_data);
}

const Value *
fake_host_volume(const FakeRuntime *fake, const char *volume)
{
    return value_get(fake->volumes, volume);
}

void
fake_host_add_log(FakeRuntime *fake, const char *path, int64_t time, const char *text)
{
    FakeLog *log = g_new0(FakeLog, 1);
    log->path = g_strdup(path);
    log->time = time;
    log->text = g_strdup(text);
    g_ptr_array_add(fake->logs, log);
}

const char *const *
fake_runtime_env(const FakeRuntime *fake, const char *container)
{
    FakeContainer *found = newest(fake, NULL, container);
    return found == NULL ? NULL : (const char *const *)found->env;
}
