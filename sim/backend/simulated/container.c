/* One container's life.
 *
 *   CREATED -> RUNNING   container_start          RUNNING -> EXITED   container_exit, from:
 *     its program's own end (program_ends), a shell's end, its process's death, a signal (container_stop), the end of
 *     its grace (grace_ends), too much memory (container_check_memory), or a fault.
 *
 * Invariants: while it runs, exactly one of program, shell and process is its main process (`main`); a container whose
 * program just serves has no timer. An exited one has no timers, shell, process or sessions. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

SimulatedNode *
container_node(const SimulatedContainer *container)
{
    return container->sandbox->node;
}

static Engine *
container_engine(const SimulatedContainer *container)
{
    return container->sandbox->node->backend->engine;
}

const char *
container_address(const SimulatedContainer *container)
{
    const SimulatedSandbox *sandbox = container->sandbox;
    return sandbox->host_network ? sandbox->node->ip : sandbox->ip != NULL ? sandbox->ip : "";
}

/* ---- making ---- */

/* The command as the CRI works it out: command in place of the entrypoint, args in place of cmd. */
static const char *const *
work_out_argv(SimulatedBackend *backend, const ImageModel *model, const ContainerConfig *config)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    bool has_command = config->command != NULL && config->command[0] != NULL;
    bool has_args = config->args != NULL && config->args[0] != NULL;
    for (size_t i = 0; has_command && config->command[i] != NULL; i++)
        g_ptr_array_add(argv, (void *)config->command[i]);
    if (!has_command)
        VALUE_ARRAY_FOREACH (word, model->entrypoint)
            g_ptr_array_add(argv, (void *)value_text(word));
    for (size_t i = 0; has_args && config->args[i] != NULL; i++)
        g_ptr_array_add(argv, (void *)config->args[i]);
    if (!has_command && !has_args)
        VALUE_ARRAY_FOREACH (cmd_word, model->cmd)
            g_ptr_array_add(argv, (void *)value_text(cmd_word));
    g_ptr_array_add(argv, NULL);
    return backend_share_block(backend, (const char *const *)argv->pdata);
}

static void
copy_mounts(SimulatedContainer *container, const ContainerConfig *config)
{
    container->n_mounts = (uint32_t)config->n_mounts;
    container->mounts = g_new0(ContainerMount, config->n_mounts);
    for (size_t i = 0; i < config->n_mounts; i++) {
        char *path = file_path_normalise(NULL, config->mounts[i].container_path);
        container->mounts[i] = (ContainerMount){.host_path = g_strdup(config->mounts[i].host_path),
                                                .container_path = path != NULL ? path : g_strdup(""),
                                                .readonly = config->mounts[i].readonly};
    }
}

SimulatedContainer *
container_new(SimulatedSandbox *sandbox, const ContainerConfig *config, const ImageModel *model, const char *image,
              const char *image_ref)
{
    SimulatedNode *node = sandbox->node;
    SimulatedContainer *container = g_new0(SimulatedContainer, 1);
    container->sandbox = sandbox;
    node_make_id(node, container->id);
    container->state = CONTAINER_CREATED;
    container->name = g_strdup(config->name);
    container->attempt = config->attempt;
    container->model = model;
    const char *const image_texts[] = {image, image_ref, NULL};
    container->image_texts = backend_share_block(node->backend, image_texts);
    container->definition = value_ref(config->container);
    container->argv = work_out_argv(node->backend, model, config);
    container->env = backend_share_block(node->backend, config->env);
    container->working_dir = g_strdup(config->working_dir);
    container->hash = config->hash;
    copy_mounts(container, config);
    container->created_at = engine_now(node->backend->engine);
    g_autofree char *log_path = g_build_filename(sandbox->log_directory, config->log_path, NULL);
    container->log = node_log_open(node, log_path);
    return container;
}

static void
stop_main(SimulatedContainer *container)
{
    Engine *engine = container_engine(container);
    engine_cancel_slot(engine, &container->timer);
    engine_cancel_slot(engine, &container->grace);
    g_clear_pointer(&container->shell, shell_free);
    container->program_running = false;
}

typedef struct DeadProcess {
    EngineProcess *process;
    void *handle;
    const SimulatedProcessFactory *factory;
    void *factory_data;
    NodeLog *log; /* to which the process may still write */
} DeadProcess;

static void
bury_process(void *data)
{
    DeadProcess *dead = data;
    if (dead->handle != NULL)
        dead->factory->stop(dead->handle, dead->factory_data);
    engine_process_free(dead->process);
    node_log_unref(dead->log);
    g_free(dead);
}

static void process_died(EngineProcess *process, EngineDeath death, void *data);

/* Kills the component behind the container; its memory is freed by a later event, since this may be its own event. */
static void
drop_process(SimulatedContainer *container)
{
    if (container->process == NULL)
        return;
    SimulatedBackend *backend = container_node(container)->backend;
    DeadProcess *dead = g_new(DeadProcess, 1);
    *dead = (DeadProcess){.process = g_steal_pointer(&container->process),
                          .handle = g_steal_pointer(&container->process_handle),
                          .factory = backend->factory,
                          .factory_data = backend->factory_data,
                          .log = node_log_ref(container->log)};
    engine_process_forget_on_death(dead->process, process_died, container);
    engine_process_kill(dead->process, ENGINE_DEATH_KILLED);
    engine_at_take(backend->engine, NULL, engine_now(backend->engine), bury_process, dead, bury_process);
}

void
container_free(void *data)
{
    SimulatedContainer *container = data;
    SimulatedNode *node = container_node(container);
    sessions_container_exited(container);
    stop_main(container);
    drop_process(container);
    g_hash_table_remove(node->containers, container->id);
    for (uint32_t i = 0; i < container->n_mounts; i++) {
        g_free(container->mounts[i].host_path);
        g_free(container->mounts[i].container_path);
    }
    backend_drop_block(node->backend, container->argv);
    backend_drop_block(node->backend, container->env);
    backend_drop_block(node->backend, container->image_texts);
    g_clear_pointer(&container->waiters, g_array_unref);
    g_clear_pointer(&container->sessions, g_ptr_array_unref);
    file_tree_unref(container->files);
    node_log_unref(container->log);
    value_unref(container->definition);
    g_free(container->mounts);
    g_free(container->name);
    g_free(container->working_dir);
    g_free(container->message);
    g_free(container);
}

/* ---- reading ---- */

const char *
container_env(const SimulatedContainer *container, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *entry = container->env; *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

const char *
container_argument(const SimulatedContainer *container, const char *name)
{
    size_t length = strlen(name);
    for (const char *const *word = container->argv; *word != NULL; word++) {
        if (strcmp(*word, name) == 0)
            return word[1];
        if (strncmp(*word, name, length) == 0 && (*word)[length] == '=')
            return *word + length + 1;
    }
    return NULL;
}

uint64_t
container_memory_limit(const SimulatedContainer *container)
{
    return simulated_quantity(value_string_at(container->definition, "resources.limits.memory"));
}

uint64_t
container_memory(const SimulatedContainer *container)
{
    const ImageModel *model = container->model;
    const char *argument = model->memory_argument != NULL ? container_argument(container, model->memory_argument) : NULL;
    uint64_t base = argument != NULL ? simulated_quantity(argument) : 0;
    return model->memory + base + container->requests * model->memory_per_request;
}

uint64_t
container_cpu_ns(const SimulatedContainer *container)
{
    const ImageModel *model = container->model;
    const char *argument = model->cpu_argument != NULL ? container_argument(container, model->cpu_argument) : NULL;
    int64_t milli = model->cpu_milli + (argument != NULL ? g_ascii_strtoll(argument, NULL, 10) * 1000 : 0);
    int64_t ran = engine_now(container_engine(container)) - container->started_at;
    uint64_t used = (uint64_t)((__int128)ran * MAX(milli, 0) / 1000) + container->cpu_extra_ns;
    const char *limit = value_string_at(container->definition, "resources.limits.cpu");
    size_t length = limit != NULL ? strlen(limit) : 0;
    uint64_t limit_milli = length == 0                  ? 0
                           : limit[length - 1] == 'm'   ? (uint64_t)g_ascii_strtoull(limit, NULL, 10)
                                                        : (uint64_t)(g_ascii_strtod(limit, NULL) * 1000);
    return limit_milli > 0 ? MIN(used, (uint64_t)((__int128)ran * limit_milli / 1000)) : used;
}

bool
container_log(SimulatedContainer *container, int stream, const char *text, size_t length)
{
    if (container->log == NULL)
        return false;
    node_log_write(container->log, stream, text, length);
    sessions_container_output(container, stream, text, length);
    return true;
}

/* ---- the image's own program ---- */

bool
container_has_program(const SimulatedContainer *container, const char *word)
{
    const char *base = strrchr(word, '/') != NULL ? strrchr(word, '/') + 1 : word;
    VALUE_ARRAY_FOREACH (program, container->model->programs) {
        const char *name = value_text(program);
        const char *name_base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
        if (strcmp(name_base, base) == 0)
            return true;
    }
    return false;
}

static void
log_lines(SimulatedContainer *container, const Value *lines)
{
    g_autofree char *client = NULL;
    VALUE_ARRAY_FOREACH (line, lines) {
        g_autoptr(GString) text = g_string_new(value_text(line));
        g_string_replace(text, "{hostname}", container->sandbox->hostname, 0);
        gint64 seconds = engine_now(container_engine(container)) / NS_PER_S;
        g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(seconds);
        g_autofree char *date2 = g_date_time_format(now, "%Y/%m/%d %H:%M:%S");
        g_autofree char *date3 = g_date_time_format(now, "%d %b %Y %H:%M:%S");
        g_string_replace(text, "{date2}", date2, 0);
        g_string_replace(text, "{date3}", date3, 0);
        g_string_append_c(text, '\n');
        container_log(container, 1, text->str, text->len);
    }
}

static bool
lacks_env(const SimulatedContainer *container)
{
    VALUE_ARRAY_FOREACH (name, container->model->required_env)
        if (container_env(container, value_text(name)) != NULL)
            return false;
    return value_size(container->model->required_env) > 0;
}

bool
container_run_program(SimulatedContainer *container, int64_t *ret_after_ns, int *ret_code)
{
    const ImageModel *model = container->model;
    container->program_running = true;
    container->program_started_at = engine_now(container_engine(container));
    if (lacks_env(container)) {
        g_autofree char *line = g_strdup_printf("error: %s is not set\n", value_text(value_item(model->required_env, 0)));
        container_log(container, 2, line, strlen(line));
        *ret_after_ns = model->start_ns;
        *ret_code = 1;
        return true;
    }
    *ret_after_ns = model->exit_after_ns;
    *ret_code = model->exit_code;
    return model->exits;
}

static void
program_ends(void *data)
{
    SimulatedContainer *container = data;
    container->timer = 0;
    int code = container->exit_code;
    container_exit(container, code, 0, code == 0 ? "Completed" : "Error");
}

static void
program_has_started(void *data)
{
    SimulatedContainer *container = data;
    container->timer = 0;
    log_lines(container, container->model->log_start);
    container_check_memory(container);
    int64_t after;
    if (container->state != CONTAINER_RUNNING || !container->model->exits)
        return;
    after = container->model->exit_after_ns;
    container->exit_code = container->model->exit_code;
    container->timer = engine_in(container_engine(container), NULL, after, program_ends, container);
}

static void
start_program(SimulatedContainer *container)
{
    Engine *engine = container_engine(container);
    const ImageModel *model = container->model;
    int64_t after;
    int code;
    container->main = MAIN_PROGRAM;
    bool ends = container_run_program(container, &after, &code);
    if (ends && !model->exits) {
        container->exit_code = code;
        container->timer = engine_in(engine, NULL, after, program_ends, container);
        return;
    }
    uint64_t limit = container_memory_limit(container);
    bool too_large = limit > 0 && container_memory(container) > limit;
    if (value_size(model->log_start) > 0 || model->exits || too_large)
        container->timer = engine_in(engine, NULL, model->start_ns, program_has_started, container);
}

/* ---- shells and processes ---- */

static void
shell_output(int stream, const char *bytes, size_t length, void *data)
{
    container_log(data, stream, bytes, length);
}

static void
shell_ended(int exit_code, void *data)
{
    container_exit(data, exit_code, 0, exit_code == 0 ? "Completed" : "Error");
}

static void
start_shell(SimulatedContainer *container)
{
    static const ShellSink sink = {.output = shell_output, .ended = shell_ended};
    bool stdin_open = value_bool(value_get(container->definition, "stdin"));
    bool tty = value_bool(value_get(container->definition, "tty"));
    container->main = MAIN_SHELL;
    container->shell = shell_new(container, container->argv, stdin_open || tty ? tty ? SHELL_INPUT_TTY : SHELL_INPUT_OPEN : SHELL_INPUT_NONE,
                                 &sink,
                                 container);
}

static void
process_died(EngineProcess *process, EngineDeath death, void *data)
{
    SimulatedContainer *container = data;
    if (container->state == CONTAINER_RUNNING)
        container_exit(container, death == ENGINE_DEATH_POWER_LOSS ? 255 : 137, death == ENGINE_DEATH_POWER_LOSS ? 0 : 9,
                       death == ENGINE_DEATH_POWER_LOSS ? "Unknown" : "Error");
}

static void
process_could_not_start(void *data)
{
    SimulatedContainer *container = data;
    container->timer = 0;
    container_exit(container, 1, 0, "Error");
}

static void
start_process(SimulatedContainer *container)
{
    SimulatedNode *node = container_node(container);
    SimulatedBackend *backend = node->backend;
    container->main = MAIN_PROCESS;
    container->program_running = true;
    container->program_started_at = engine_now(backend->engine);
    container->process = engine_process_new(
        backend->engine, &(EngineProcessOptions){.name = container->model->process,
                                                 .host = node->name,
                                                 .log = &container->log->port});
    simulated_net_attach(backend->net, container->process, container->sandbox->ip);
    engine_process_on_death(container->process, process_died, container);
    container->process_handle = backend->factory->start(container->model->process, container->process, node->name,
                                                        container->definition, backend->factory_data);
    if (container->process_handle == NULL && container->state == CONTAINER_RUNNING)
        container->timer = engine_in(backend->engine, NULL, NS_PER_MS, process_could_not_start, container);
}

/* ---- start, stop, exit ---- */

static bool
runs_program(const SimulatedContainer *container)
{
    const char *word = container->argv[0];
    if (word == NULL || container_has_program(container, word))
        return true;
    return !shell_knows(container, word) && container->model->any_program;
}

static char *
refuse_start(SimulatedContainer *container, const char *word)
{
    bool path = strchr(word, '/') != NULL;
    container->state = CONTAINER_EXITED;
    container->exit_code = 128;
    container->reason = "StartError";
    container->started_at = 0;
    container->finished_at = engine_now(container_engine(container));
    container->message = g_strdup_printf(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
        "unable to start container process: error during container init: exec: \"%s\": %s: unknown",
        word, path ? "stat: no such file or directory" : "executable file not found in $PATH");
    if (path) {
        g_free(container->message);
        container->message = g_strdup_printf(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
            "failed: unable to start container process: error during container init: exec: \"%s\": stat %s: no such "
            "file or directory: unknown", word, word);
    }
    return g_strdup(container->message);
}

char *
container_start(SimulatedContainer *container)
{
    SimulatedBackend *backend = container_node(container)->backend;
    const char *word = container->argv[0];
    bool component = container->model->process != NULL && backend->factory != NULL;
    bool program = component || runs_program(container);
    if (!program && !shell_knows(container, word))
        return refuse_start(container, word);
    container->state = CONTAINER_RUNNING;
    container->started_at = engine_now(backend->engine);
    node_state_fact(container_node(container), "start", container->sandbox, "container %s started", container->name);
    if (component)
        start_process(container);
    else if (program)
        start_program(container);
    else
        start_shell(container);
    return NULL;
}

static void
grace_ends(void *data)
{
    SimulatedContainer *container = data;
    container->grace = 0;
    container_exit(container, 137, 9, "Error");
}

static void
program_stops(void *data)
{
    SimulatedContainer *container = data;
    container->timer = 0;
    log_lines(container, container->model->log_stop);
    /* A server that ends by the signal says 0; a program without a handler ends by 128 + 15. */
    bool handled = value_size(container->model->ports->len > 0 ? container->model->document : NULL) > 0;
    container_exit(container, handled ? 0 : 143, handled ? 0 : 15, handled ? "Completed" : "Error");
}

void
container_stop(SimulatedContainer *container, int64_t grace_ns)
{
    Engine *engine = container_engine(container);
    if (grace_ns <= 0) {
        container_exit(container, 137, 9, "Error");
        return;
    }
    if (container->grace == 0)
        container->grace = engine_in(engine, NULL, grace_ns, grace_ends, container);
    if (container->hung)
        return;
    if (container->main == MAIN_SHELL) {
        shell_signal(container->shell, 15);
    } else if (!container->model->ignores_term) {
        engine_cancel_slot(engine, &container->timer);
        container->timer = engine_in(engine, NULL, container->model->stop_ns, program_stops, container);
    }
}

void
container_signal(SimulatedContainer *container, int signal)
{
    if (container->state != CONTAINER_RUNNING || container->hung || signal <= 0 || signal == 9)
        return; /* process 1 cannot be killed from inside its namespace */
    if (container->main == MAIN_SHELL) {
        shell_signal(container->shell, signal);
    } else if (signal == 15 || signal == 2 || signal == 3) {
        Engine *engine = container_engine(container);
        engine_cancel_slot(engine, &container->timer);
        container->timer = engine_in(engine, NULL, container->model->stop_ns, program_stops, container);
    }
}

void
container_exit(SimulatedContainer *container, int exit_code, int signal, const char *reason)
{
    if (container->state != CONTAINER_RUNNING)
        return;
    container->state = CONTAINER_EXITED;
    container->finished_at = engine_now(container_engine(container));
    container->exit_code = exit_code;
    container->signal = signal;
    container->reason = reason;
    stop_main(container);
    drop_process(container);
    node_log_flush(container->log);
    container_read_message(container);
    sessions_container_exited(container);
    node_state_fact(container_node(container), "exit", container->sandbox, "container %s exited with code %d (%s)",
                    container->name, exit_code, reason);
    container_tell_kubelet(container);
}

void
container_check_memory(SimulatedContainer *container)
{
    uint64_t limit = container_memory_limit(container);
    if (container->state == CONTAINER_RUNNING && limit > 0 && container_memory(container) > limit)
        container_exit(container, 137, 9, "OOMKilled");
}
