/* Built-in commands that steer the shell, and the words about time. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

/* ---- helpers of all tools ---- */

void
tool_print(ToolCall *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    sink_write(call->shell, call->frame->io.out, text, strlen(text));
}

int
tool_fail(ToolCall *call, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    sink_write(call->shell, call->frame->io.err, line, strlen(line));
    return status;
}

int
tool_wait_until(ToolCall *call, int64_t time)
{
    call->frame->until = time;
    shell_schedule(call->shell, MAX(0, time - engine_now(shell_engine(call->shell))));
    return TOOL_WAITS;
}

int
tool_wait_for_input(ToolCall *call)
{
    call->shell->waits_for_input = true;
    return TOOL_WAITS;
}

int
tool_run_rest(ToolCall *call, int first)
{
    GPtrArray *fields = call->frame->fields;
    if (first >= call->argc)
        return 0;
    g_ptr_array_remove_range(fields, 0, (guint)first);
    const char *name = fields->pdata[0], *slash = strrchr(name, '/');
    const Tool *tool = shell_find_tool(slash != NULL ? slash + 1 : name);
    ToolCall rest = {.shell = call->shell, .frame = call->frame, .argc = (int)fields->len, .argv = (char **)fields->pdata};
    if (tool == NULL || !shell_knows(call->shell->container, name))
        return tool_fail(call, 127, "%s: %s: not found", call->shell->name, name);
    return tool->run(&rest);
}

bool
tool_read_line(ToolCall *call, char **ret_line, bool *ret_wait)
{
    Source *in = call->frame->io.in;
    const char *start = in->buffer->str + in->position, *newline = strchr(start, '\n');
    *ret_wait = newline == NULL && in->open;
    if (*ret_wait || (newline == NULL && *start == '\0'))
        return false;
    *ret_line = newline != NULL ? g_strndup(start, (size_t)(newline - start)) : g_strdup(start);
    in->position += strlen(*ret_line) + (newline != NULL);
    return true;
}

bool
shell_duration(const char *text, int64_t *ret_ns)
{
    char *end;
    double number = g_ascii_strtod(text, &end), factor = 1;
    if (g_ascii_strncasecmp(text, "inf", 3) == 0)
        number = 1e9;
    else if (end == text || number < 0)
        return false;
    else if (*end != '\0')
        factor = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : -1;
    if (factor < 0)
        return false;
    *ret_ns = (int64_t)(MIN(number * factor, 4e9) * 1e9);
    return true;
}

/* ---- simple ones ---- */

static int
tool_true(ToolCall *call)
{
    return 0;
}

static int
tool_false(ToolCall *call)
{
    return 1;
}

static int
tool_sleep(ToolCall *call)
{
    int64_t now = engine_now(shell_engine(call->shell)), total = 0, part;
    if (call->frame->state == 1)
        return now >= call->frame->until ? 0 : tool_wait_until(call, call->frame->until);
    if (call->argc < 2)
        return tool_fail(call, 1, "sleep: missing operand");
    for (int i = 1; i < call->argc; i++) {
        if (!shell_duration(call->argv[i], &part))
            return tool_fail(call, 1, "sleep: invalid number '%s'", call->argv[i]);
        total += part;
    }
    call->frame->state = 1;
    return tool_wait_until(call, now + total);
}

static int
tool_exit(ToolCall *call)
{
    call->shell->unwind = UNWIND_EXIT;
    return call->argc > 1 ? (int)g_ascii_strtoll(call->argv[1], NULL, 10) & 255 : call->shell->status;
}

static int
tool_return(ToolCall *call)
{
    call->shell->unwind = UNWIND_RETURN;
    return call->argc > 1 ? (int)g_ascii_strtoll(call->argv[1], NULL, 10) & 255 : call->shell->status;
}

static int
tool_break(ToolCall *call)
{
    call->shell->unwind = strcmp(call->argv[0], "break") == 0 ? UNWIND_BREAK : UNWIND_CONTINUE;
    call->shell->unwind_count = call->argc > 1 ? MAX(1, (int)g_ascii_strtoll(call->argv[1], NULL, 10)) : 1;
    return 0;
}

static int
tool_cd(ToolCall *call)
{
    Shell *shell = call->shell;
    const char *home = shell_get(shell, "HOME"), *to = call->argc > 1 ? call->argv[1] : home != NULL ? home : "/";
    g_autofree char *inner = NULL, *clean = file_path_normalise(shell->scope->directory, to);
    bool readonly;
    FileTree *tree = container_find_file(shell->container, shell->scope->directory, to, &inner, &readonly);
    if (tree == NULL || !file_tree_is_directory(tree, inner))
        return tool_fail(call, 2, "%s: cd: can't cd to %s: No such file or directory", shell->name, to);
    g_free(shell->scope->directory);
    shell->scope->directory = g_strconcat("/", clean, NULL);
    return 0;
}

static int
tool_pwd(ToolCall *call)
{
    tool_print(call, "%s\n", call->shell->scope->directory);
    return 0;
}

/* ---- variables ---- */

static gboolean
print_variable(gpointer key, gpointer value, gpointer data)
{
    const Variable *variable = value;
    if (variable->exported)
        tool_print(data, "%s=%s\n", (char *)key, variable->value);
    return FALSE;
}

static int
tool_export(ToolCall *call)
{
    bool export = strcmp(call->argv[0], "export") == 0;
    if (call->argc == 1 && export)
        g_tree_foreach(call->shell->scope->variables, print_variable, call);
    for (int i = 1; i < call->argc; i++) {
        const char *equals = strchr(call->argv[i], '=');
        g_autofree char *name = equals != NULL ? g_strndup(call->argv[i], (size_t)(equals - call->argv[i]))
                                               : g_strdup(call->argv[i]);
        const char *old = shell_get(call->shell, name);
        if (name[0] != '-')
            shell_set(call->shell, name, equals != NULL ? equals + 1 : old != NULL ? old : "", export);
    }
    return 0;
}

static int
tool_env(ToolCall *call)
{
    int i = 1;
    if (strcmp(call->argv[0], "printenv") == 0 && call->argc > 1) {
        const char *value = shell_get(call->shell, call->argv[1]);
        if (value != NULL)
            tool_print(call, "%s\n", value);
        return value == NULL;
    }
    for (; i < call->argc && strchr(call->argv[i], '=') != NULL; i++) {
        const char *equals = strchr(call->argv[i], '=');
        g_autofree char *name = g_strndup(call->argv[i], (size_t)(equals - call->argv[i]));
        shell_set(call->shell, name, equals + 1, true);
    }
    if (i < call->argc)
        return tool_run_rest(call, i);
    g_tree_foreach(call->shell->scope->variables, print_variable, call);
    return 0;
}

static int
tool_unset(ToolCall *call)
{
    for (int i = 1; i < call->argc; i++)
        shell_unset(call->shell, call->argv[i]);
    return 0;
}

static int
tool_set(ToolCall *call)
{
    Shell *shell = call->shell;
    int i = 1;
    for (; i < call->argc && (call->argv[i][0] == '-' || call->argv[i][0] == '+'); i++) {
        bool on = call->argv[i][0] == '-';
        if (strcmp(call->argv[i], "--") == 0) {
            i++;
            break;
        }
        shell->errexit = strchr(call->argv[i], 'e') != NULL ? on : shell->errexit;
        shell->trace = strchr(call->argv[i], 'x') != NULL ? on : shell->trace;
        if (strcmp(call->argv[i] + 1, "o") == 0)
            i++;
    }
    if (i == call->argc)
        return 0;
    g_ptr_array_set_size(shell->scope->parameters, 0);
    for (; i < call->argc; i++)
        g_ptr_array_add(shell->scope->parameters, g_strdup(call->argv[i]));
    return 0;
}

static int
tool_shift(ToolCall *call)
{
    GPtrArray *parameters = call->shell->scope->parameters;
    guint count = call->argc > 1 ? (guint)g_ascii_strtoull(call->argv[1], NULL, 10) : 1;
    if (count > parameters->len)
        return 1;
    if (count > 0)
        g_ptr_array_remove_range(parameters, 0, count);
    return 0;
}

static int
tool_read(ToolCall *call)
{
    g_autofree char *line = NULL;
    bool wait;
    int first = 1;
    while (first < call->argc && call->argv[first][0] == '-')
        first += strpbrk(call->argv[first], "ptn") != NULL ? 2 : 1;
    if (!tool_read_line(call, &line, &wait))
        return wait ? tool_wait_for_input(call) : 1;
    const char *rest = g_strstrip(line);
    for (int i = first; i < call->argc; i++) {
        size_t length = i + 1 < call->argc ? strcspn(rest, " \t") : strlen(rest);
        g_autofree char *value = g_strndup(rest, length);
        shell_set(call->shell, call->argv[i], value, false);
        rest += length;
        rest += strspn(rest, " \t");
    }
    return 0;
}

/* ---- running other things ---- */

static int
run_text(ToolCall *call, const char *text)
{
    g_autofree char *error = NULL;
    ShellNode *script = shell_parse(text, &error);
    if (script == NULL)
        return tool_fail(call, 2, "%s: %s", call->shell->name, error);
    call->frame->step = 3;
    shell_push(call->shell, script, script, &call->frame->io);
    return 0;
}

static int
tool_eval(ToolCall *call)
{
    g_autofree char *text = g_strjoinv(" ", call->argv + 1);
    return run_text(call, text);
}

static int
tool_source(ToolCall *call)
{
    const char *text;
    size_t length;
    g_autofree char *clean = call->argc > 1 ? file_path_normalise(call->shell->scope->directory, call->argv[1]) : NULL;
    g_autofree char *path = g_strconcat("/", clean != NULL ? clean : "", NULL);
    if (container_read_file(call->shell->container, path, &text, &length) != FILE_OK)
        return tool_fail(call, 2, "%s: .: can't open '%s': No such file or directory", call->shell->name,
                         call->argc > 1 ? call->argv[1] : "");
    return run_text(call, text);
}

/* sh -c TEXT within a script: a subshell. */
static int
tool_sh(ToolCall *call)
{
    g_autofree char *text = NULL;
    if (call->argc > 2 && call->argv[1][0] == '-' && strchr(call->argv[1], 'c') != NULL)
        text = g_strdup_printf("( %s\n)", call->argv[2]);
    else if (call->argc > 1)
        text = g_strdup_printf("( . %s )", call->argv[1]);
    return text != NULL ? run_text(call, text) : 0;
}

static int
tool_exec(ToolCall *call)
{
    Shell *shell = call->shell;
    if (call->argc > 1) {
        shell->exec = true;
        return tool_run_rest(call, 1);
    }
    for (guint i = 0; i + 1 < shell->frames->len; i++) { /* the redirections hold from now on */
        Io *io = &((Frame *)shell->frames->pdata[i])->io;
        sink_unref(io->out);
        sink_unref(io->err);
        io->out = sink_ref(call->frame->io.out);
        io->err = sink_ref(call->frame->io.err);
    }
    return 0;
}

static int
tool_command(ToolCall *call)
{
    bool asks = strcmp(call->argv[0], "which") == 0 || strcmp(call->argv[0], "type") == 0 ||
                (call->argc > 2 && call->argv[1][0] == '-');
    if (!asks)
        return tool_run_rest(call, 1);
    const char *name = call->argv[call->argc - 1];
    if (!shell_knows(call->shell->container, name))
        return 1;
    tool_print(call, "/bin/%s\n", name);
    return 0;
}

static int
tool_timeout(ToolCall *call)
{
    int64_t duration;
    int first = 1;
    while (first < call->argc && call->argv[first][0] == '-')
        first += strcmp(call->argv[first], "-s") == 0 || strcmp(call->argv[first], "-k") == 0 ? 2 : 1;
    if (first + 1 >= call->argc || !shell_duration(call->argv[first], &duration))
        return tool_fail(call, 125, "timeout: missing operand");
    call->frame->deadline = engine_now(shell_engine(call->shell)) + duration;
    return tool_run_rest(call, first + 1);
}

/* ---- signals and jobs ---- */

static int
tool_trap(ToolCall *call)
{
    if (call->argc < 3)
        return 0;
    for (int i = 2; i < call->argc; i++) {
        int signal = shell_find_signal(call->argv[i]);
        if (signal < 0)
            return tool_fail(call, 1, "%s: trap: %s: invalid signal specification", call->shell->name, call->argv[i]);
        g_free(call->shell->traps[signal]);
        call->shell->traps[signal] = strcmp(call->argv[1], "-") == 0 ? NULL : g_strdup(call->argv[1]);
    }
    return 0;
}

static int
tool_wait(ToolCall *call)
{
    Shell *shell = call->shell;
    int wanted = call->argc > 1 ? (int)g_ascii_strtoll(call->argv[1], NULL, 10) : 0;
    for (guint i = 0; i < shell->jobs->len; i++)
        if (wanted == 0 || ((Shell *)shell->jobs->pdata[i])->job_number == wanted) {
            shell->waits_for_jobs = true;
            call->frame->state = 1;
            return TOOL_WAITS;
        }
    return wanted != 0 && call->frame->state == 1 ? shell->status : 0;
}

static int
tool_kill(ToolCall *call)
{
    Shell *shell = call->shell;
    int signal = 15;
    for (int i = 1; i < call->argc; i++) {
        if (call->argv[i][0] == '-' && i == 1) {
            const char *name = call->argv[i] + 1;
            if (strcmp(name, "s") == 0 && i + 1 < call->argc)
                name = call->argv[++i];
            signal = shell_find_signal(name);
            continue;
        }
        int number = (int)g_ascii_strtoll(call->argv[i], NULL, 10);
        bool found = number == 1;
        if (number == 1) { /* the container's main process */
            container_signal(shell->container, signal);
            return 0;
        }
        for (guint k = 0; !found && k < shell->jobs->len; k++) {
            Shell *job = shell->jobs->pdata[k];
            found = job->job_number == number;
            if (found)
                shell_kill_job(shell, job);
        }
        if (!found)
            return tool_fail(call, 1, "%s: can't kill pid %s: No such process", shell->name, call->argv[i]);
    }
    return 0;
}

/* ---- test ---- */

static bool
file_test(Shell *shell, char kind, const char *path)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = container_find_file(shell->container, shell->scope->directory, path, &inner, &readonly);
    const char *text;
    size_t length;
    if (tree == NULL || !file_tree_exists(tree, inner))
        return false;
    bool directory = file_tree_is_directory(tree, inner);
    switch (kind) {
    case 'd':
        return directory;
    case 'f':
        return !directory;
    case 's':
        return directory || (file_tree_read(tree, inner, &text, &length) == FILE_OK && length > 0);
    case 'w':
        return !readonly;
    default:
        return kind != 'h' && kind != 'L' && kind != 'S' && kind != 'p';
    }
}

static int
binary_test(const char *left, const char *operator, const char *right)
{
    static const char *const names[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    int order = strcmp(left, right);
    if (strcmp(operator, "=") == 0 || strcmp(operator, "==") == 0)
        return !shell_match(right, left);
    if (strcmp(operator, "!=") == 0)
        return shell_match(right, left);
    if (strcmp(operator, "<") == 0 || strcmp(operator, ">") == 0)
        return *operator == '<' ? order >= 0 : order <= 0;
    char *end_left, *end_right;
    int64_t a = g_ascii_strtoll(left, &end_left, 10), b = g_ascii_strtoll(right, &end_right, 10);
    bool results[] = {a == b, a != b, a < b, a <= b, a > b, a >= b};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(operator, names[i]) == 0)
            return *end_left != '\0' || *end_right != '\0' || *left == '\0' || *right == '\0' ? 2 : !results[i];
    return 2;
}

int
shell_test(Shell *shell, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        bool or = strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "||") == 0;
        if (!or && strcmp(argv[i], "-a") != 0 && strcmp(argv[i], "&&") != 0)
            continue;
        int left = shell_test(shell, i, argv), right = shell_test(shell, argc - i - 1, argv + i + 1);
        return or ? left != 0 && right != 0 : left != 0 || right != 0;
    }
    if (argc == 0)
        return 1;
    if (argc == 3 && strcmp(argv[0], "!") != 0)
        return binary_test(argv[0], argv[1], argv[2]);
    if (strcmp(argv[0], "!") == 0 && argc > 1)
        return !shell_test(shell, argc - 1, argv + 1);
    if (argc == 1)
        return argv[0][0] == '\0';
    if (argc != 2 || argv[0][0] != '-' || argv[0][1] == '\0')
        return 2;
    if (argv[0][1] == 'z' || argv[0][1] == 'n')
        return (argv[1][0] == '\0') != (argv[0][1] == 'z');
    if (argv[0][1] == 't')
        return !shell->tty;
    return !file_test(shell, argv[0][1], argv[1]);
}

static int
tool_test(ToolCall *call)
{
    int argc = call->argc;
    bool bracket = call->argv[0][0] == '[';
    if (bracket && (argc < 2 || call->argv[argc - 1][0] != ']'))
        return tool_fail(call, 2, "%s: %s: missing ]", call->shell->name, call->argv[0]);
    int status = shell_test(call->shell, argc - 1 - bracket, call->argv + 1);
    return status == 2 ? tool_fail(call, 2, "%s: %s: bad test", call->shell->name, call->argv[0]) : status;
}

const Tool shell_control_tools[] = {
    {":", tool_true},          {"true", tool_true},       {"false", tool_false},   {"sleep", tool_sleep},
    {"exit", tool_exit},       {"return", tool_return},   {"break", tool_break},   {"continue", tool_break},
    {"cd", tool_cd},           {"pwd", tool_pwd},         {"export", tool_export}, {"local", tool_export},
    {"readonly", tool_export}, {"env", tool_env},         {"printenv", tool_env},  {"unset", tool_unset},
    {"set", tool_set},         {"shift", tool_shift},     {"read", tool_read},     {"eval", tool_eval},
    {".", tool_source},        {"source", tool_source},   {"sh", tool_sh},         {"bash", tool_sh},
    {"ash", tool_sh},          {"dash", tool_sh},         {"exec", tool_exec},     {"command", tool_command},
    {"which", tool_command},   {"type", tool_command},    {"time", tool_command},  {"nohup", tool_command},
    {"timeout", tool_timeout}, {"trap", tool_trap},       {"wait", tool_wait},     {"kill", tool_kill},
    {"test", tool_test},       {"[", tool_test},          {"[[", tool_test},       {"sync", tool_true},
    {"chmod", tool_true},      {"chown", tool_true},      {"ulimit", tool_true},   {"umask", tool_true},
    {"stty", tool_true},       {NULL, NULL},
};
