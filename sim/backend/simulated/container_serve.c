/* What containers answer: by the ports of their image's model, as long as their program runs and has had its start time.
 * Every request costs the model's time, processor and memory, and may write a line of log. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define BODY_MAX (16u * 1024)

bool
container_is_listening(const SimulatedContainer *container)
{
    return container->state == CONTAINER_RUNNING && container->program_running &&
           engine_now(container_node(container)->backend->engine) >=
               container->program_started_at + container->model->start_ns;
}

/* ":8080", "8080", "0.0.0.0:8080" */
static uint16_t
port_number(const char *text)
{
    const char *colon = strrchr(text, ':');
    return (uint16_t)g_ascii_strtoull(colon != NULL ? colon + 1 : text, NULL, 10);
}

static bool
is_declared(const SimulatedContainer *container, uint16_t port)
{
    VALUE_ARRAY_FOREACH (declared, value_get(container->definition, "ports"))
        if (value_int(value_get(declared, "containerPort")) == port)
            return true;
    return false;
}

static const ImagePort *
find_port(const SimulatedContainer *container, uint16_t number)
{
    static const ImagePort declared = {.protocol = PORT_HTTP, .otherwise = 200, .time_ns = 5 * NS_PER_MS};
    const ImageModel *model = container->model;
    for (guint i = 0; i < model->ports->len; i++) {
        const ImagePort *port = &g_array_index(model->ports, ImagePort, i);
        const char *argument = port->argument != NULL ? container_argument(container, port->argument) : NULL;
        if ((argument != NULL ? port_number(argument) : port->port) == number)
            return port;
    }
    return model->declared_ports && is_declared(container, number) ? &declared : NULL;
}

/* ---- HTTP ---- */

static char *
fill_in(const SimulatedContainer *container, const SimulatedRequest *request, const char *text, int status, size_t size)
{
    GString *out = g_string_new(text);
    if (strchr(text, '{') == NULL)
        return g_string_free(out, FALSE);
    g_autoptr(GDateTime) now =
        g_date_time_new_from_unix_utc(engine_now(container_node(container)->backend->engine) / NS_PER_S);
    g_autofree char *date = g_date_time_format(now, "%d/%b/%Y:%H:%M:%S +0000");
    g_autofree char *status_text = g_strdup_printf("%d", status), *size_text = g_strdup_printf("%zu", size);
    g_string_replace(out, "{hostname}", container->sandbox->hostname, 0);
    g_string_replace(out, "{ip}", container_address(container), 0);
    g_string_replace(out, "{client}", request->from, 0);
    g_string_replace(out, "{method}", request->method, 0);
    g_string_replace(out, "{path}", request->path, 0);
    g_string_replace(out, "{agent}", "simulated-client/1.0", 0);
    g_string_replace(out, "{date}", date, 0);
    g_string_replace(out, "{status}", status_text, 0);
    g_string_replace(out, "{size}", size_text, 0);
    return g_string_free(out, FALSE);
}

static const Value *
find_path(const Value *paths, const char *path, size_t length)
{
    const Value *best = NULL;
    size_t best_length = 0;
    VALUE_MAP_FOREACH (key, answer, paths) {
        size_t key_length = strlen(key);
        bool prefix = key_length > 0 && key[key_length - 1] == '*';
        bool matches = prefix ? length >= key_length - 1 && strncmp(key, path, key_length - 1) == 0
                              : length == key_length && strncmp(key, path, length) == 0;
        if (matches && !prefix)
            return answer;
        if (matches && key_length > best_length) {
            best = answer;
            best_length = key_length;
        }
    }
    return best;
}

/* A file below the server's root; index.html stands for a directory. */
static bool
serve_file(SimulatedContainer *container, const char *root, const char *path, size_t length, const char **ret_text)
{
    size_t size;
    g_autofree char *plain = g_strndup(path, length);
    g_autofree char *full = g_strconcat(root, plain, NULL);
    FileStatus status = container_read_file(container, full, ret_text, &size);
    if (status != FILE_IS_DIR)
        return status == FILE_OK;
    g_autofree char *index = g_strconcat(full, "/index.html", NULL);
    return container_read_file(container, index, ret_text, &size) == FILE_OK;
}

static int
answer_http(SimulatedContainer *container, const ImagePort *port, const SimulatedRequest *request, char **ret_body)
{
    const char *path = request->path, *text = NULL;
    size_t length = strcspn(path, "?#");
    const Value *answer = find_path(port->paths, path, length);
    const char *argument = container->model->body_argument != NULL
                               ? container_argument(container, container->model->body_argument)
                               : NULL;
    if (argument != NULL) {
        *ret_body = g_strconcat(argument, "\n", NULL);
        return 200;
    }
    if (answer != NULL) {
        int status = (int)value_int_at_or(answer, "status", 200);
        *ret_body = fill_in(container, request, value_text(value_get(answer, "body")), status, 0);
        return status;
    }
    if (port->root != NULL && serve_file(container, port->root, path, length, &text)) {
        *ret_body = g_strndup(text, MIN(strlen(text), BODY_MAX));
        return 200;
    }
    if (port->root != NULL && length == 1) {
        *ret_body = g_strdup("<html><head><title>403 Forbidden</title></head></html>\n");
        return 403;
    }
    *ret_body = g_strdup(port->otherwise == 404 ? "404 page not found\n" : "");
    return port->otherwise;
}

static void
note_request(SimulatedContainer *container, const SimulatedRequest *request, int status, size_t size)
{
    container->requests++;
    container->cpu_extra_ns += (uint64_t)container->model->cpu_per_request_ns;
    if (container->model->log_request != NULL && request->protocol == SIMULATED_HTTP) {
        g_autofree char *line = fill_in(container, request, container->model->log_request, status, size);
        container_log(container, 1, line, strlen(line));
        container_log(container, 1, "\n", 1);
    }
    if (container->model->memory_per_request > 0)
        container_check_memory(container);
}

static bool
serve(SimulatedContainer *container, const SimulatedRequest *request, SimulatedRespond *respond)
{
    const ImagePort *port = container_is_listening(container) ? find_port(container, request->port) : NULL;
    if (port == NULL)
        return false;
    if (container->hung || (container->process != NULL && engine_process_is_paused(container->process))) {
        simulated_respond(respond, NET_CALL_TIMEOUT_NS * 10, 0, NULL); /* after everybody's patience */
        return true;
    }
    g_autofree char *body = NULL;
    int status = 0;
    if (request->protocol == SIMULATED_HTTP && port->protocol == PORT_TCP) {
        simulated_respond_reset(respond);
        return true;
    }
    if (request->protocol == SIMULATED_HTTP)
        status = answer_http(container, port, request, &body);
    else if (request->protocol == SIMULATED_GRPC)
        status = port->protocol == PORT_GRPC || container->model->declared_ports ? 200 : 501;
    note_request(container, request, status, body != NULL ? strlen(body) : 0);
    if (container->state != CONTAINER_RUNNING) {
        simulated_respond_reset(respond); /* it was killed for its memory */
        return true;
    }
    simulated_respond(respond, request->protocol == SIMULATED_TCP ? 0 : port->time_ns, status, body);
    return true;
}

/* ---- spaces ---- */

bool
sandbox_serve(SimulatedSandbox *sandbox, const SimulatedRequest *request, SimulatedRespond *respond)
{
    for (guint i = 0; i < sandbox->containers->len; i++) {
        SimulatedContainer *container = sandbox->containers->pdata[i];
        if (container->state == CONTAINER_RUNNING && serve(container, request, respond))
            return true;
    }
    return false;
}

static bool
serve_space_of_sandbox(void *owner, const SimulatedRequest *request, SimulatedRespond *respond)
{
    return sandbox_serve(owner, request, respond);
}

static bool
serve_space_of_node(void *owner, const SimulatedRequest *request, SimulatedRespond *respond)
{
    SimulatedNode *node = owner;
    for (guint i = 0; i < node->host_ports->len; i++) {
        const HostPort *mapped = &g_array_index(node->host_ports, HostPort, i);
        if (mapped->host_port != request->port)
            continue;
        SimulatedRequest inner = *request;
        inner.port = mapped->container_port;
        return sandbox_serve(mapped->sandbox, &inner, respond);
    }
    for (guint i = 0; i < node->sandboxes->len; i++) {
        SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        if (sandbox->host_network && sandbox_serve(sandbox, request, respond))
            return true;
    }
    return false;
}

const SimulatedSpaceOps simulated_sandbox_space_ops = {.serve = serve_space_of_sandbox};
const SimulatedSpaceOps simulated_node_space_ops = {.serve = serve_space_of_node};
