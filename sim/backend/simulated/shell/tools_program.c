/* The image's own program, run by a shell; the client commands that come with servers (probes use them); and the table
 * of all tools. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

/* A server's client: says `ok` when the server listens, else `failed`. */
static const struct {
    const char *client, *server, *ok, *failed;
    int status;
} clients[] = {
    {"redis-cli", "redis-server", "PONG", "Could not connect to Redis at 127.0.0.1:6379: Connection refused", 1},
    {"valkey-cli", "valkey-server", "PONG", "Could not connect to Valkey at 127.0.0.1:6379: Connection refused", 1},
    {"pg_isready", "postgres", "/var/run/postgresql:5432 - accepting connections",
     "/var/run/postgresql:5432 - no response", 2},
    {"psql", "postgres", "", "psql: error: connection to server failed: Connection refused", 2},
    {"mysqladmin", "mysqld", "mysqld is alive", "mysqladmin: connect to server at 'localhost' failed", 1},
    {"mysql", "mysqld", "", "ERROR 2002 (HY000): Can't connect to local MySQL server", 1},
    {"mongosh", "mongod", "{ ok: 1 }", "MongoNetworkError: connect ECONNREFUSED 127.0.0.1:27017", 1},
    {"mongo", "mongod", "{ \"ok\" : 1 }", "exception: connect failed", 1},
    {"rabbitmq-diagnostics", "rabbitmq-server", "Ping succeeded", "Error: unable to perform an operation on node", 69},
    {"rabbitmqctl", "rabbitmq-server", "Status: running", "Error: unable to perform an operation on node", 69},
    {"etcdctl", "etcd", "127.0.0.1:2379 is healthy", "context deadline exceeded", 1},
};

static bool
is_client_of(const SimulatedContainer *container, size_t index)
{
    return container_has_program(container, clients[index].server);
}

bool
shell_client_exists(const SimulatedContainer *container, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(clients); i++)
        if (strcmp(clients[i].client, name) == 0 && is_client_of(container, i))
            return true;
    return false;
}

static int
tool_client(ToolCall *call)
{
    const SimulatedContainer *container = call->shell->container;
    for (size_t i = 0; i < G_N_ELEMENTS(clients); i++) {
        if (strcmp(clients[i].client, call->argv[0]) != 0)
            continue;
        if (!container_is_listening(container))
            return tool_fail(call, clients[i].status, "%s", clients[i].failed);
        if (clients[i].ok[0] != '\0')
            tool_print(call, "%s\n", clients[i].ok);
        return 0;
    }
    return 127;
}

static bool
asks_for_version(const ToolCall *call)
{
    static const char *const words[] = {"-v", "-V", "--version", "version", "-t", "-T", "--help", "-h"};
    for (size_t i = 0; call->argc == 2 && i < G_N_ELEMENTS(words); i++)
        if (strcmp(call->argv[1], words[i]) == 0)
            return true;
    return false;
}

static int
tool_program(ToolCall *call)
{
    SimulatedContainer *container = call->shell->container;
    Frame *frame = call->frame;
    int64_t after;
    int code;
    if (frame->state == 0 && asks_for_version(call)) {
        const char *tag = strrchr(container->image_texts[0], ':');
        return tool_fail(call, 0, "%s version: %s", call->argv[0], tag != NULL ? tag + 1 : "");
    }
    if (frame->state == 0) {
        bool ends = container_run_program(container, &after, &code);
        uint64_t limit = container_memory_limit(container);
        bool too_large = limit > 0 && container_memory(container) > limit;
        frame->state = too_large ? 1 : 2 + code;
        if (too_large || ends)
            return tool_wait_until(call, engine_now(shell_engine(call->shell)) + (too_large ? container->model->start_ns : after));
        return TOOL_WAITS; /* it serves */
    }
    container->program_running = false;
    if (frame->state == 1)
        container_check_memory(container);
    return frame->state == 1 ? 137 : frame->state - 2;
}

const Tool *
shell_find_tool(const char *name)
{
    static const Tool *const tables[] = {shell_control_tools, shell_file_tools, shell_text_tools, shell_net_tools,
                                         shell_tar_tools};
    static const Tool client = {"", tool_client}, program = {"", tool_program};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const Tool *tool = tables[i]; tool->name != NULL; tool++)
            if (strcmp(tool->name, name) == 0)
                return tool;
    for (size_t i = 0; i < G_N_ELEMENTS(clients); i++)
        if (strcmp(clients[i].client, name) == 0)
            return &client;
    return &program; /* shell_knows says whether the image has it */
}

bool
shell_knows(const SimulatedContainer *container, const char *word)
{
    const char *base = strrchr(word, '/') != NULL ? strrchr(word, '/') + 1 : word;
    if (container_has_program(container, word))
        return true;
    if (word != base && !g_str_has_prefix(word, "/bin/") && !g_str_has_prefix(word, "/usr/bin/") &&
        !g_str_has_prefix(word, "/usr/local/bin/") && !g_str_has_prefix(word, "/sbin/"))
        return false;
    static const Tool *const tables[] = {shell_control_tools, shell_file_tools, shell_text_tools, shell_net_tools,
                                         shell_tar_tools};
    for (size_t i = 0; container->model->shell && i < G_N_ELEMENTS(tables); i++)
        for (const Tool *tool = tables[i]; tool->name != NULL; tool++)
            if (strcmp(tool->name, base) == 0)
                return true;
    return container->model->shell && shell_client_exists(container, base);
}
