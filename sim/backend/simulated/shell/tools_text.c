/* Programs that make or change text. */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "sim/backend/simulated/shell/machine.h"

#define SEQ_MAX 100000

/* Backslash escapes as echo -e and printf know them; false at \c. */
static bool
unescape(const char *text, GString *out)
{
    static const char names[] = "nrtabfv\\", values[] = "\n\r\t\a\b\f\v\\";
    for (; *text != '\0'; text++) {
        const char *found = *text == '\\' && text[1] != '\0' ? strchr(names, text[1]) : NULL;
        if (*text != '\\' || text[1] == '\0') {
            g_string_append_c(out, *text);
        } else if (text[1] == 'c') {
            return false;
        } else if (found != NULL) {
            g_string_append_c(out, values[found - names]);
            text++;
        } else if (text[1] == '0' || text[1] == 'x') {
            char *end;
            g_string_append_c(out, (char)strtol(text + 2, &end, text[1] == '0' ? 8 : 16));
            text = end - 1;
        } else {
            g_string_append_c(out, *text);
        }
    }
    return true;
}

static int
tool_echo(ToolCall *call)
{
    bool newline = true, escapes = false;
    int first = 1;
    for (; first < call->argc && call->argv[first][0] == '-' && call->argv[first][1] != '\0' &&
           strspn(call->argv[first] + 1, "neE") == strlen(call->argv[first] + 1);
         first++) {
        newline = newline && strchr(call->argv[first], 'n') == NULL;
        escapes = escapes || strchr(call->argv[first], 'e') != NULL;
    }
    g_autofree char *joined = g_strjoinv(" ", call->argv + first);
    g_autoptr(GString) out = g_string_new(escapes ? NULL : joined);
    if (escapes)
        newline = unescape(joined, out) && newline;
    if (newline)
        g_string_append_c(out, '\n');
    sink_write(call->shell, call->frame->io.out, out->str, out->len);
    return 0;
}

/* One conversion of printf; *at stands at '%'. */
static void
format_one(const char **at, const char *argument, GString *out)
{
    const char *start = *at;
    size_t length = 1 + strspn(start + 1, "-+ 0#123456789.");
    char kind = start[length];
    g_autofree char *flags = g_strndup(start, MIN(length, 12));
    *at = start + length + (kind != '\0');
    if (kind == '%') {
        g_string_append_c(out, '%');
    } else if (kind == 's' || kind == 'b' || kind == 'c') {
        g_autoptr(GString) text = g_string_new(kind == 'b' ? NULL : argument);
        if (kind == 'b')
            unescape(argument, text);
        if (kind == 'c')
            g_string_truncate(text, MIN(text->len, 1));
        int width = (int)CLAMP(g_ascii_strtoll(flags + 1, NULL, 10), -200, 200);
        int pad = ABS(width) - (int)text->len;
        g_string_append_printf(out, "%*s%s%*s", width > 0 ? MAX(pad, 0) : 0, "", text->str, width < 0 ? MAX(pad, 0) : 0, "");
    } else if (kind != '\0' && strchr("dixXou", kind) != NULL) {
        int width = (int)CLAMP(g_ascii_strtoll(flags + 1, NULL, 10), -200, 200);
        bool zero = flags[1] == '0';
        gint64 number = g_ascii_strtoll(argument, NULL, 0);
        g_autofree char *digits = kind == 'x'   ? g_strdup_printf("%" G_GINT64_MODIFIER "x", number)
                                  : kind == 'X' ? g_strdup_printf("%" G_GINT64_MODIFIER "X", number)
                                  : kind == 'o' ? g_strdup_printf("%" G_GINT64_MODIFIER "o", number)
                                                : g_strdup_printf("%" G_GINT64_FORMAT, number);
        for (int pad = width - (int)strlen(digits); pad > 0; pad--)
            g_string_append_c(out, zero ? '0' : ' ');
        g_string_append(out, digits);
    } else if (kind != '\0') {
        const char *dot = strchr(flags, '.');
        int precision = dot != NULL ? (int)CLAMP(g_ascii_strtoll(dot + 1, NULL, 10), 0, 20) : 6;
        g_string_append_printf(out, "%.*f", precision, g_ascii_strtod(argument, NULL));
    }
}

static int
tool_printf(ToolCall *call)
{
    g_autoptr(GString) format = g_string_new(NULL), out = g_string_new(NULL);
    if (call->argc < 2)
        return tool_fail(call, 1, "printf: missing operand");
    unescape(call->argv[1], format);
    int next = 2;
    do {
        int before = next;
        for (const char *at = format->str; *at != '\0' && out->len < SHELL_TEXT_MAX;) {
            if (*at != '%') {
                g_string_append_c(out, *at++);
                continue;
            }
            bool takes = at[1] != '%';
            format_one(&at, takes && next < call->argc ? call->argv[next] : "", out);
            next += takes;
        }
        if (next == before)
            break;
    } while (next < call->argc);
    sink_write(call->shell, call->frame->io.out, out->str, out->len);
    return 0;
}

static int
tool_seq(ToolCall *call)
{
    int64_t numbers[3] = {1, 1, 0};
    int count = MIN(call->argc - 1, 3);
    if (count < 1)
        return tool_fail(call, 1, "seq: missing operand");
    for (int i = 0; i < count; i++)
        numbers[count == 3 ? i : count == 2 ? i * 2 : 2] = g_ascii_strtoll(call->argv[i + 1], NULL, 10);
    if (numbers[1] == 0)
        return tool_fail(call, 1, "seq: zero increment");
    g_autoptr(GString) out = g_string_new(NULL);
    int64_t value = numbers[0];
    for (int i = 0; i < SEQ_MAX && out->len < SHELL_TEXT_MAX && (numbers[1] > 0 ? value <= numbers[2] : value >= numbers[2]);
         i++, value += numbers[1])
        g_string_append_printf(out, "%" G_GINT64_FORMAT "\n", value);
    sink_write(call->shell, call->frame->io.out, out->str, out->len);
    return 0;
}

static int
tool_expr(ToolCall *call)
{
    g_autofree char *text = g_strjoinv(" ", call->argv + 1), *error = NULL;
    int64_t value;
    if (call->argc == 4 && (strcmp(call->argv[2], "=") == 0 || strcmp(call->argv[2], "!=") == 0)) {
        bool equal = strcmp(call->argv[1], call->argv[3]) == 0;
        value = equal == (call->argv[2][0] == '=');
    } else if (!shell_arithmetic(call->shell, text, &value, &error)) {
        return tool_fail(call, 2, "expr: %s", error);
    }
    tool_print(call, "%" G_GINT64_FORMAT "\n", value);
    return value == 0;
}

/* ---- filters by line ---- */

typedef struct Lines {
    char **lines;
    guint count;
} Lines;

/* The operands' lines. Other than 0: the tool's status, or TOOL_WAITS. */
static int
read_lines(ToolCall *call, int first, Lines *ret_lines)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int status = tool_read_operands(call, first, text);
    if (status != 0)
        return status;
    ret_lines->lines = g_strsplit(text->str, "\n", -1);
    ret_lines->count = g_strv_length(ret_lines->lines);
    if (ret_lines->count > 0 && ret_lines->lines[ret_lines->count - 1][0] == '\0')
        ret_lines->count--;
    return 0;
}

static int
tool_grep(ToolCall *call)
{
    bool not = false, quiet = false, count = false, fixed = strcmp(call->argv[0], "fgrep") == 0, number = false;
    GRegexCompileFlags flags = 0;
    int first = 1;
    const char *pattern = NULL;
    for (; first < call->argc && call->argv[first][0] == '-' && call->argv[first][1] != '\0'; first++) {
        const char *option = call->argv[first];
        not = not || strchr(option, 'v') != NULL;
        quiet = quiet || strchr(option, 'q') != NULL;
        count = count || strchr(option, 'c') != NULL;
        fixed = fixed || strchr(option, 'F') != NULL;
        number = number || strchr(option, 'n') != NULL;
        flags |= strchr(option, 'i') != NULL ? G_REGEX_CASELESS : 0;
        if (strcmp(option, "-e") == 0 && first + 1 < call->argc)
            pattern = call->argv[++first];
    }
    if (pattern == NULL && first >= call->argc)
        return tool_fail(call, 2, "grep: missing pattern");
    pattern = pattern != NULL ? pattern : call->argv[first++];
    g_autofree char *escaped = fixed ? g_regex_escape_string(pattern, -1) : g_strdup(pattern);
    g_autoptr(GRegex) regex = strlen(pattern) < 1024 ? g_regex_new(escaped, flags, 0, NULL) : NULL;
    if (regex == NULL)
        return tool_fail(call, 2, "grep: bad regex '%s'", pattern);
    Lines lines = {0};
    int status = read_lines(call, first, &lines);
    if (status != 0)
        return status == TOOL_WAITS ? status : 2;
    guint found = 0;
    for (guint i = 0; i < lines.count; i++) {
        if (g_regex_match(regex, lines.lines[i], 0, NULL) == not)
            continue;
        found++;
        if (!quiet && !count)
            number ? tool_print(call, "%u:%s\n", i + 1, lines.lines[i]) : tool_print(call, "%s\n", lines.lines[i]);
    }
    if (count && !quiet)
        tool_print(call, "%u\n", found);
    g_strfreev(lines.lines);
    return found == 0;
}

static int
tool_wc(ToolCall *call)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool option = call->argc > 1 && call->argv[1][0] == '-';
    int first = option ? 2 : 1, status = tool_read_operands(call, first, text);
    if (status != 0)
        return status;
    size_t lines = 0, words = 0;
    bool in_word = false;
    for (size_t i = 0; i < text->len; i++) {
        bool space = g_ascii_isspace(text->str[i]);
        lines += text->str[i] == '\n';
        words += !space && !in_word;
        in_word = !space;
    }
    const char *which = option ? call->argv[1] : "";
    const char *name = first < call->argc ? call->argv[first] : "", *gap = first < call->argc ? " " : "";
    if (option)
        tool_print(call, "%zu%s%s\n", strchr(which, 'l') != NULL ? lines : strchr(which, 'w') != NULL ? words : text->len,
                   gap, name);
    else
        tool_print(call, "%8zu %8zu %8zu%s%s\n", lines, words, text->len, gap, name);
    return 0;
}

/* s/old/new/[g] and Np, with -n, -i and -e. */
typedef struct Sed {
    char kind; /* 's', 'p', 'd' */
    bool global;
    int64_t line;
    char *new_text;
    GRegex *regex;
} Sed;

static bool
parse_sed(const char *script, Sed *sed)
{
    if (g_ascii_isdigit(*script)) {
        char *end;
        sed->line = g_ascii_strtoll(script, &end, 10);
        sed->kind = *end;
        return (*end == 'p' || *end == 'd') && end[1] == '\0';
    }
    char mark[2] = {*script == '/' ? '/' : script[1], '\0'};
    if ((*script != 's' && *script != '/') || mark[0] == '\0' || strlen(script) > 2048)
        return false;
    g_auto(GStrv) parts = g_strsplit(script + (*script == 's' ? 2 : 1), mark, -1);
    guint count = g_strv_length(parts);
    if (*script == '/' ? count != 2 || strpbrk(parts[1], "pd") == NULL : count != 3)
        return false;
    sed->kind = *script == 's' ? 's' : parts[1][0];
    sed->global = count == 3 && strchr(parts[2], 'g') != NULL;
    sed->new_text = count == 3 ? g_strdup(parts[1]) : NULL;
    sed->regex = g_regex_new(parts[0], 0, 0, NULL);
    return sed->regex != NULL;
}

static char *
substitute(const Sed *sed, const char *line)
{
    GMatchInfo *info = NULL;
    char *result = NULL;
    int start, end;
    if (sed->global) {
        result = g_regex_replace(sed->regex, line, -1, 0, sed->new_text, 0, NULL);
    } else if (g_regex_match(sed->regex, line, 0, &info) && g_match_info_fetch_pos(info, 0, &start, &end)) {
        g_autofree char *text = g_match_info_expand_references(info, sed->new_text, NULL);
        result = g_strdup_printf("%.*s%s%s", start, line, text != NULL ? text : sed->new_text, line + end);
    }
    if (info != NULL)
        g_match_info_free(info);
    return result != NULL ? result : g_strdup(line);
}

static int
sed_lines(ToolCall *call, const Sed *sed, int first, bool silent, bool in_place)
{
    Lines lines = {0};
    int status = read_lines(call, first, &lines);
    if (status != 0)
        return status;
    g_autoptr(GString) out = g_string_new(NULL);
    for (guint i = 0; i < lines.count; i++) {
        bool selected = sed->line != 0 ? sed->line == i + 1 : g_regex_match(sed->regex, lines.lines[i], 0, NULL);
        g_autofree char *line = sed->kind == 's' && selected ? substitute(sed, lines.lines[i]) : g_strdup(lines.lines[i]);
        if (!silent && !(sed->kind == 'd' && selected))
            g_string_append_printf(out, "%s\n", line);
        if (sed->kind == 'p' && selected)
            g_string_append_printf(out, "%s\n", line);
    }
    g_strfreev(lines.lines);
    if (in_place && first < call->argc)
        container_write_file(call->shell->container, call->shell->scope->directory, call->argv[first], out->str, out->len,
                             false);
    else
        sink_write(call->shell, call->frame->io.out, out->str, out->len);
    return 0;
}

static int
tool_sed(ToolCall *call)
{
    bool silent = false, in_place = false;
    const char *script = NULL;
    int first = 1;
    for (; first < call->argc && call->argv[first][0] == '-'; first++) {
        silent = silent || strchr(call->argv[first], 'n') != NULL;
        in_place = in_place || strchr(call->argv[first], 'i') != NULL;
        if (strchr(call->argv[first], 'e') != NULL && first + 1 < call->argc)
            script = call->argv[++first];
    }
    if (script == NULL && first < call->argc)
        script = call->argv[first++];
    Sed sed = {0};
    bool parsed = script != NULL && parse_sed(script, &sed);
    int status = parsed ? sed_lines(call, &sed, first, silent, in_place)
                        : tool_fail(call, 1, "sed: unsupported command: %s", script != NULL ? script : "");
    g_free(sed.new_text);
    if (sed.regex != NULL)
        g_regex_unref(sed.regex);
    return status;
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
compare_numbers(const void *a, const void *b)
{
    double x = g_ascii_strtod(*(char *const *)a, NULL), y = g_ascii_strtod(*(char *const *)b, NULL);
    return x < y ? -1 : x > y ? 1 : compare_lines(a, b);
}

/* sort [-n -r -u] and uniq */
static int
tool_sort(ToolCall *call)
{
    bool unique = strcmp(call->argv[0], "uniq") == 0, sorts = !unique, reverse = false, numbers = false;
    int first = 1;
    for (; first < call->argc && call->argv[first][0] == '-'; first++) {
        unique = unique || strchr(call->argv[first], 'u') != NULL;
        reverse = reverse || strchr(call->argv[first], 'r') != NULL;
        numbers = numbers || strchr(call->argv[first], 'n') != NULL;
    }
    Lines lines = {0};
    int status = read_lines(call, first, &lines);
    if (status != 0)
        return status;
    if (sorts)
        qsort(lines.lines, lines.count, sizeof *lines.lines, numbers ? compare_numbers : compare_lines);
    for (guint n = 0; n < lines.count; n++) {
        guint i = reverse ? lines.count - 1 - n : n, before = reverse ? i + 1 : i - 1;
        if (!unique || n == 0 || strcmp(lines.lines[i], lines.lines[before]) != 0)
            tool_print(call, "%s\n", lines.lines[i]);
    }
    g_strfreev(lines.lines);
    return 0;
}

/* cut -d X -f N and awk '{print $N}' */
static int
print_field(ToolCall *call, int first, const char *delimiter, int64_t field)
{
    Lines lines = {0};
    int status = read_lines(call, first, &lines);
    if (status != 0)
        return status;
    for (guint i = 0; i < lines.count; i++) {
        g_auto(GStrv) parts = delimiter != NULL ? g_strsplit(lines.lines[i], delimiter, -1)
                                                : g_regex_split_simple("[ \t]+", g_strstrip(lines.lines[i]), 0, 0);
        guint count = g_strv_length(parts);
        const char *text = field == 0 ? lines.lines[i] : (guint64)field <= count ? parts[field - 1] : "";
        tool_print(call, "%s\n", text);
    }
    g_strfreev(lines.lines);
    return 0;
}

static int
tool_cut(ToolCall *call)
{
    const char *delimiter = "\t", *field = NULL;
    int i = 1;
    for (; i < call->argc && call->argv[i][0] == '-'; i++) {
        const char *value = call->argv[i][1] != '\0' && call->argv[i][2] != '\0' ? call->argv[i] + 2
                            : i + 1 < call->argc                                ? call->argv[++i]
                                                                                : "";
        *(call->argv[i][0] == '-' && call->argv[i][1] == 'd' ? &delimiter
          : value > call->argv[i]                            ? (call->argv[i][1] == 'd' ? &delimiter : &field)
          : call->argv[i - 1][1] == 'd'                      ? &delimiter
                                                             : &field) = value;
    }
    if (field == NULL || !g_ascii_isdigit(*field) || delimiter[0] == '\0')
        return tool_fail(call, 1, "cut: expected a list of fields");
    return print_field(call, i, delimiter, g_ascii_strtoll(field, NULL, 10));
}

static int
tool_awk(ToolCall *call)
{
    const char *delimiter = NULL;
    int i = 1;
    if (i < call->argc && g_str_has_prefix(call->argv[i], "-F")) {
        delimiter = call->argv[i][2] != '\0' ? call->argv[i] + 2 : i + 1 < call->argc ? call->argv[++i] : NULL;
        i++;
    }
    const char *print = i < call->argc ? strstr(call->argv[i], "print") : NULL;
    const char *dollar = print != NULL ? strchr(print, '$') : NULL;
    if (print == NULL || (dollar != NULL && dollar[1] == 'N'))
        return tool_fail(call, 1, "awk: only '{print $N}' is known here");
    return print_field(call, i + 1, delimiter, dollar != NULL ? g_ascii_strtoll(dollar + 1, NULL, 10) : 0);
}

static int
tool_tr(ToolCall *call)
{
    g_autoptr(GString) text = g_string_new(NULL), from = g_string_new(NULL), to = g_string_new(NULL);
    bool delete = call->argc > 1 && strcmp(call->argv[1], "-d") == 0;
    int first = delete ? 2 : 1;
    if (call->argc <= first + !delete)
        return tool_fail(call, 1, "tr: missing operand");
    int status = tool_read_operands(call, call->argc, text);
    if (status != 0)
        return status;
    for (int set = 0; set < (delete ? 1 : 2); set++) {
        g_autoptr(GString) raw = g_string_new(NULL);
        unescape(call->argv[first + set], raw);
        for (size_t i = 0; i < raw->len; i++) {
            bool range = i + 2 < raw->len && raw->str[i + 1] == '-';
            for (int c = (unsigned char)raw->str[i]; c <= (unsigned char)raw->str[range ? i + 2 : i]; c++)
                g_string_append_c(set == 0 ? from : to, (char)c);
            i += range ? 2 : 0;
        }
    }
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t i = 0; i < text->len; i++) {
        const char *found = text->str[i] != '\0' ? strchr(from->str, text->str[i]) : NULL;
        if (found == NULL)
            g_string_append_c(out, text->str[i]);
        else if (!delete && to->len > 0)
            g_string_append_c(out, to->str[MIN((size_t)(found - from->str), to->len - 1)]);
    }
    sink_write(call->shell, call->frame->io.out, out->str, out->len);
    return 0;
}

static int
tool_tee(ToolCall *call)
{
    const char *text;
    size_t length;
    bool append = call->argc > 1 && strcmp(call->argv[1], "-a") == 0;
    int status = 0;
    if (tool_read_all(call, &text, &length) == TOOL_WAITS)
        return TOOL_WAITS;
    g_autofree char *copy = g_strndup(text, length);
    sink_write(call->shell, call->frame->io.out, copy, length);
    for (int i = 1 + append; i < call->argc; i++)
        if (container_write_file(call->shell->container, call->shell->scope->directory, call->argv[i], copy, length, append) !=
            FILE_OK)
            status = tool_fail(call, 1, "tee: %s: cannot write", call->argv[i]);
    return status;
}

static int
tool_base64(ToolCall *call)
{
    bool decode = call->argc > 1 && strcmp(call->argv[1], "-d") == 0;
    g_autoptr(GString) text = g_string_new(NULL);
    int status = tool_read_operands(call, decode ? 2 : 1, text);
    if (status != 0)
        return status;
    size_t length;
    g_autofree char *stripped = g_strstrip(g_strdup(text->str));
    g_autofree uint8_t *bytes = decode ? text_base64_decode(stripped, &length) : NULL;
    g_autofree char *encoded = decode ? NULL : text_base64(text->str, text->len);
    if (decode && bytes == NULL)
        return tool_fail(call, 1, "base64: invalid input");
    if (decode)
        sink_write(call->shell, call->frame->io.out, (char *)bytes, length);
    else
        tool_print(call, "%s\n", encoded);
    return 0;
}

static int
tool_basename(ToolCall *call)
{
    if (call->argc < 2)
        return tool_fail(call, 1, "%s: missing operand", call->argv[0]);
    bool directory = strcmp(call->argv[0], "dirname") == 0;
    g_autofree char *text = directory ? g_path_get_dirname(call->argv[1]) : g_path_get_basename(call->argv[1]);
    tool_print(call, "%s\n", text);
    return 0;
}

static int
tool_yes(ToolCall *call)
{
    for (int i = 0; i < 1000; i++)
        tool_print(call, "%s\n", call->argc > 1 ? call->argv[1] : "y");
    shell_schedule(call->shell, 10 * NS_PER_MS);
    return call->frame->io.out->kind == SINK_CAPTURE ? 0 : TOOL_WAITS;
}

const Tool shell_text_tools[] = {
    {"echo", tool_echo},     {"printf", tool_printf},     {"seq", tool_seq},         {"expr", tool_expr},
    {"grep", tool_grep},     {"egrep", tool_grep},        {"fgrep", tool_grep},      {"wc", tool_wc},
    {"sed", tool_sed},       {"sort", tool_sort},         {"uniq", tool_sort},       {"cut", tool_cut},
    {"awk", tool_awk},       {"tr", tool_tr},             {"tee", tool_tee},         {"base64", tool_base64},
    {"basename", tool_basename}, {"dirname", tool_basename}, {"yes", tool_yes},      {NULL, NULL},
};
