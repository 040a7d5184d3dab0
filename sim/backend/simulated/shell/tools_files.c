/* Programs about files and the machine. */
#include <string.h>

#include "core/base/timestamp.h"
#include "sim/backend/simulated/shell/machine.h"

static FileTree *
find(ToolCall *call, const char *path, char **ret_inner, bool *ret_readonly)
{
    return container_find_file(call->shell->container, call->shell->scope->directory, path, ret_inner, ret_readonly);
}

static FileStatus
read_path(ToolCall *call, const char *path, const char **ret_text, size_t *ret_length)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = find(call, path, &inner, &readonly);
    if (inner != NULL && strcmp(inner, "dev/null") == 0) {
        *ret_text = "";
        *ret_length = 0;
        return FILE_OK;
    }
    return tree != NULL ? file_tree_read(tree, inner, ret_text, ret_length) : FILE_NONE;
}

int
tool_read_all(ToolCall *call, const char **ret_text, size_t *ret_length)
{
    Source *in = call->frame->io.in;
    if (in->open)
        return tool_wait_for_input(call);
    *ret_text = in->buffer->str + in->position;
    *ret_length = in->buffer->len - in->position;
    in->position = in->buffer->len;
    return 0;
}

int
tool_read_operands(ToolCall *call, int first, GString *ret_text)
{
    const char *text;
    size_t length;
    int status = 0;
    if (first >= call->argc) {
        if (tool_read_all(call, &text, &length) == TOOL_WAITS)
            return TOOL_WAITS;
        g_string_append_len(ret_text, text, (gssize)length);
    }
    for (int i = first; i < call->argc; i++) {
        FileStatus read = read_path(call, call->argv[i], &text, &length);
        if (read == FILE_OK)
            g_string_append_len(ret_text, text, (gssize)MIN(length, 16 * SHELL_TEXT_MAX));
        else
            status = tool_fail(call, 1, "%s: can't open '%s': %s", call->argv[0], call->argv[i], file_status_text(read));
    }
    return status;
}

static int
tool_cat(ToolCall *call)
{
    Source *in = call->frame->io.in;
    if (call->argc == 1) { /* what comes goes on at once */
        sink_write(call->shell, call->frame->io.out, in->buffer->str + in->position, in->buffer->len - in->position);
        in->position = in->buffer->len;
        return in->open ? tool_wait_for_input(call) : 0;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    int status = tool_read_operands(call, 1, text);
    sink_write(call->shell, call->frame->io.out, text->str, text->len);
    return status;
}

static int
report(ToolCall *call, const char *path, FileStatus status)
{
    return status == FILE_OK ? 0 : tool_fail(call, 1, "%s: %s: %s", call->argv[0], path, file_status_text(status));
}

static int
tool_touch(ToolCall *call)
{
    int status = 0;
    for (int i = 1; i < call->argc; i++)
        if (call->argv[i][0] != '-')
            status |= report(call, call->argv[i], container_write_file(call->shell->container, call->shell->scope->directory,
                                                                      call->argv[i], "", 0, true));
    return status;
}

static int
tool_mkdir(ToolCall *call)
{
    bool parents = false;
    int status = 0;
    for (int i = 1; i < call->argc; i++) {
        if (call->argv[i][0] == '-') {
            parents = parents || strchr(call->argv[i], 'p') != NULL;
            continue;
        }
        g_autofree char *inner = NULL;
        bool readonly;
        FileTree *tree = find(call, call->argv[i], &inner, &readonly);
        FileStatus made = tree == NULL ? FILE_NONE : readonly ? FILE_READONLY : file_tree_make_directory(tree, inner, parents);
        if (made != FILE_OK)
            status = tool_fail(call, 1, "mkdir: can't create directory '%s': %s", call->argv[i], file_status_text(made));
    }
    return status;
}

static int
tool_rm(ToolCall *call)
{
    bool recursive = strcmp(call->argv[0], "rmdir") == 0, force = false;
    int status = 0;
    for (int i = 1; i < call->argc; i++) {
        if (call->argv[i][0] == '-') {
            recursive = recursive || strpbrk(call->argv[i], "rR") != NULL;
            force = force || strchr(call->argv[i], 'f') != NULL;
            continue;
        }
        g_autofree char *inner = NULL;
        bool readonly;
        FileTree *tree = find(call, call->argv[i], &inner, &readonly);
        FileStatus removed = tree == NULL ? FILE_NONE : readonly ? FILE_READONLY : file_tree_remove(tree, inner, recursive);
        if (removed != FILE_OK && !(force && removed == FILE_NONE))
            status = tool_fail(call, 1, "%s: can't remove '%s': %s", call->argv[0], call->argv[i], file_status_text(removed));
    }
    return status;
}

static int
tool_copy(ToolCall *call)
{
    if (call->argc < 3)
        return tool_fail(call, 1, "%s: missing operand", call->argv[0]);
    const char *from = call->argv[call->argc - 2], *to = call->argv[call->argc - 1], *text;
    size_t length;
    g_autofree char *inner = NULL, *from_inner = NULL, *name = g_path_get_basename(from);
    bool readonly;
    FileStatus status = read_path(call, from, &text, &length);
    if (status != FILE_OK)
        return tool_fail(call, 1, "%s: can't stat '%s': %s", call->argv[0], from, file_status_text(status));
    FileTree *tree = find(call, to, &inner, &readonly);
    bool directory = tree != NULL && file_tree_is_directory(tree, inner);
    g_autofree char *target = directory ? g_strconcat(to, "/", name, NULL) : g_strdup(to);
    g_autofree char *copy = g_strndup(text, length);
    status = container_write_file(call->shell->container, call->shell->scope->directory, target, copy, length, false);
    if (status == FILE_OK && strcmp(call->argv[0], "mv") == 0) {
        tree = find(call, from, &from_inner, &readonly);
        status = file_tree_remove(tree, from_inner, false);
    }
    return report(call, target, status);
}

static void
list_directory(ToolCall *call, const char *path, bool long_form, bool all)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = find(call, path, &inner, &readonly);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    if (file_tree_is_directory(tree, inner))
        file_tree_list(tree, inner, names);
    else
        g_ptr_array_add(names, g_strdup(path));
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i], *text;
        size_t length = 0;
        if (name[0] == '.' && !all)
            continue;
        g_autofree char *child = strcmp(name, path) == 0 ? g_strdup(inner)
                                                         : g_strconcat(inner, inner[0] != '\0' ? "/" : "", name, NULL);
        bool directory = file_tree_is_directory(tree, child);
        if (long_form && file_tree_read(tree, child, &text, &length) != FILE_OK)
            length = 4096;
        if (long_form)
            tool_print(call, "%s    1 root     root %9zu Jan  1 00:00 %s\n", directory ? "drwxr-xr-x" : "-rw-r--r--", length, name);
        else
            tool_print(call, "%s\n", name);
    }
}

static int
tool_ls(ToolCall *call)
{
    bool long_form = false, all = false, any = false;
    int status = 0;
    for (int i = 1; i < call->argc; i++)
        if (call->argv[i][0] == '-') {
            long_form = long_form || strchr(call->argv[i], 'l') != NULL;
            all = all || strpbrk(call->argv[i], "aA") != NULL;
        }
    for (int i = 1; i < call->argc; i++) {
        g_autofree char *inner = NULL;
        bool readonly;
        if (call->argv[i][0] == '-')
            continue;
        any = true;
        FileTree *tree = find(call, call->argv[i], &inner, &readonly);
        if (tree == NULL || !file_tree_exists(tree, inner))
            status = tool_fail(call, 1, "ls: %s: No such file or directory", call->argv[i]);
        else
            list_directory(call, call->argv[i], long_form, all);
    }
    if (!any)
        list_directory(call, ".", long_form, all);
    return status;
}

static int
tool_tail_follow(ToolCall *call, const char *path)
{
    const char *text = "";
    size_t length = 0, seen = (size_t)call->frame->until;
    if (strcmp(path, "/dev/null") == 0)
        return TOOL_WAITS; /* for ever, without a timer */
    read_path(call, path, &text, &length);
    if (length < seen)
        seen = 0; /* it was cut */
    sink_write(call->shell, call->frame->io.out, text + seen, length - seen);
    call->frame->state = 1;
    call->frame->until = (int64_t)length;
    shell_schedule(call->shell, NS_PER_S);
    return TOOL_WAITS;
}

/* The last (or, from a plus sign, the following) lines; head: the first. */
static int
tool_tail(ToolCall *call)
{
    bool head = strcmp(call->argv[0], "head") == 0, follow = false, from_start = false;
    int64_t count = 10;
    int first = 1;
    for (; first < call->argc && call->argv[first][0] == '-' && call->argv[first][1] != '\0'; first++) {
        const char *option = call->argv[first] + 1;
        if (*option == 'n' || *option == 'c') {
            const char *number = option[1] != '\0' ? option + 1 : first + 1 < call->argc ? call->argv[++first] : "10";
            from_start = *number == '+';
            count = ABS(g_ascii_strtoll(number, NULL, 10));
        } else if (g_ascii_isdigit(*option)) {
            count = g_ascii_strtoll(option, NULL, 10);
        }
        follow = follow || *option == 'f' || *option == 'F' || g_str_has_suffix(option, "f");
    }
    if (follow && first < call->argc && (call->frame->state == 1 || from_start))
        return tool_tail_follow(call, call->argv[first]);
    g_autoptr(GString) text = g_string_new(NULL);
    int status = tool_read_operands(call, first, text);
    if (status == TOOL_WAITS || (status != 0 && !follow))
        return status;
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    int64_t total = g_strv_length(lines);
    total -= total > 0 && lines[total - 1][0] == '\0';
    int64_t begin = head ? 0 : from_start ? MAX(count - 1, 0) : MAX(total - count, 0), end = head ? MIN(count, total) : total;
    for (int64_t i = begin; i < end; i++)
        tool_print(call, "%s\n", lines[i]);
    call->frame->until = (int64_t)text->len;
    return follow && first < call->argc ? tool_tail_follow(call, call->argv[first]) : status;
}

/* ---- the machine ---- */

static int
tool_date(ToolCall *call)
{
    const char *format = NULL;
    for (int i = 1; i < call->argc; i++)
        if (call->argv[i][0] == '+')
            format = call->argv[i] + 1;
    int64_t now = engine_now(shell_engine(call->shell)) + engine_skew(shell_engine(call->shell),
                                                                       container_node(call->shell->container)->name);
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(now / NS_PER_S);
    g_autofree char *text = g_date_time_format(time, format != NULL ? format : "%a %b %e %H:%M:%S UTC %Y");
    tool_print(call, "%s\n", text != NULL ? text : "");
    return 0;
}

static int
tool_hostname(ToolCall *call)
{
    bool ip = call->argc > 1 && strchr(call->argv[1], 'i') != NULL;
    tool_print(call, "%s\n", ip ? container_address(call->shell->container) : call->shell->container->sandbox->hostname);
    return 0;
}

static int
tool_uname(ToolCall *call)
{
    const SimulatedNode *node = container_node(call->shell->container);
    bool all = call->argc > 1 && strchr(call->argv[1], 'a') != NULL;
    bool machine = call->argc > 1 && strchr(call->argv[1], 'm') != NULL;
    const char *arch = strcmp(node->arch, "amd64") == 0 ? "x86_64" : "aarch64";
    if (all)
        tool_print(call, "Linux %s 6.1.0-37-amd64 #1 SMP %s GNU/Linux\n", call->shell->container->sandbox->hostname, arch);
    else
        tool_print(call, "%s\n", machine ? arch : "Linux");
    return 0;
}

static int64_t
user_id(const ToolCall *call)
{
    const SimulatedContainer *container = call->shell->container;
    int64_t pod = value_int_at(container->sandbox->pod, "spec.securityContext.runAsUser");
    return value_int_at_or(container->definition, "securityContext.runAsUser", pod);
}

static int
tool_id(ToolCall *call)
{
    int64_t user = user_id(call);
    const char *name = user == 0 ? "root" : "app";
    bool number = call->argc > 1 && strchr(call->argv[1], 'u') != NULL;
    if (strcmp(call->argv[0], "whoami") == 0)
        tool_print(call, "%s\n", name);
    else if (number)
        tool_print(call, "%" G_GINT64_FORMAT "\n", user);
    else
        tool_print(call, "uid=%" G_GINT64_FORMAT "(%s) gid=%" G_GINT64_FORMAT "(%s)\n", user, name, user, name);
    return 0;
}

static int
tool_nproc(ToolCall *call)
{
    tool_print(call, "%s\n", container_node(call->shell->container)->cpu);
    return 0;
}

static int
tool_ps(ToolCall *call)
{
    g_autofree char *command = g_strjoinv(" ", (char **)call->shell->container->argv);
    tool_print(call, "PID   USER     TIME  COMMAND\n    1 root      0:00 %s\n", command);
    return 0;
}

const Tool shell_file_tools[] = {
    {"cat", tool_cat},     {"touch", tool_touch},       {"mkdir", tool_mkdir}, {"rm", tool_rm},   {"rmdir", tool_rm},
    {"cp", tool_copy},     {"mv", tool_copy},           {"ls", tool_ls},       {"tail", tool_tail}, {"head", tool_tail},
    {"date", tool_date},   {"hostname", tool_hostname}, {"uname", tool_uname}, {"id", tool_id},   {"whoami", tool_id},
    {"nproc", tool_nproc}, {"ps", tool_ps},             {NULL, NULL},
};
