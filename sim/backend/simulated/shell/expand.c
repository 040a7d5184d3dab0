/* Words: quotes, variables, command substitutions (run before, in order), arithmetic, splitting, names of files. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

/* One field being built; quoted characters are marked, so that they are neither split nor taken for patterns. */
typedef struct Field {
    GString *text;
    GString *marks; /* 'q' or '.' per byte */
    bool present;   /* even when it is empty */
} Field;

typedef struct Builder {
    Expansion *expansion;
    GPtrArray *fields; /* NULL: everything becomes one text */
    Field field;
} Builder;

static void expand_into(Builder *b, const char *word, size_t length, bool quoted);

/* ---- substitutions ---- */

static char *
inside_backquotes(const char *text, size_t length)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\' && i + 1 < length && strchr("`\\$", text[i + 1]) != NULL)
            i++;
        g_string_append_c(out, text[i]);
    }
    return g_string_free(out, FALSE);
}

static void
scan(const char *text, size_t length, bool quoted, GPtrArray *scripts)
{
    for (const char *end = text + length; text < end;) {
        if (*text == '\\' && text + 1 < end) {
            text += 2;
        } else if (*text == '\'' && !quoted) {
            text = shell_skip_quotes(text);
        } else if (*text == '"') {
            quoted = !quoted;
            text++;
        } else if (strncmp(text, "$((", 3) == 0) {
            const char *next = shell_skip_dollar(text);
            scan(text + 3, next - text > 5 ? (size_t)(next - text) - 5 : 0, true, scripts);
            text = next;
        } else if (strncmp(text, "$(", 2) == 0) {
            const char *next = shell_skip_dollar(text);
            g_ptr_array_add(scripts, g_strndup(text + 2, next - text > 3 ? (size_t)(next - text) - 3 : 0));
            text = next;
        } else if (*text == '`') {
            const char *next = shell_skip_dollar(text);
            g_ptr_array_add(scripts, inside_backquotes(text + 1, next - text > 2 ? (size_t)(next - text) - 2 : 0));
            text = next;
        } else {
            text++;
        }
    }
}

void
expand_scan(const char *word, GPtrArray *scripts)
{
    scan(word, strlen(word), false, scripts);
}

/* ---- fields ---- */

static void
put(Builder *b, const char *text, size_t length, bool quoted)
{
    Field *field = &b->field;
    if (field->text->len + length > SHELL_TEXT_MAX)
        return;
    g_string_append_len(field->text, text, (gssize)length);
    for (size_t i = 0; i < length; i++)
        g_string_append_c(field->marks, quoted ? 'q' : '.');
    field->present = field->present || quoted || length > 0;
}

static bool
has_pattern(const Field *field)
{
    for (size_t i = 0; i < field->text->len; i++)
        if (field->marks->str[i] == '.' && strchr("*?[", field->text->str[i]) != NULL)
            return true;
    return false;
}

static int
compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the files that a pattern in the last part of a path names; false: none. */
static bool
add_files(Shell *shell, const char *pattern, GPtrArray *fields)
{
    const char *slash = strrchr(pattern, '/');
    g_autofree char *directory = slash != NULL ? g_strndup(pattern, (size_t)(slash - pattern) + 1) : g_strdup("");
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = container_find_file(shell->container, shell->scope->directory,
                                         directory[0] != '\0' ? directory : ".", &inner, &readonly);
    if (tree == NULL)
        return false;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    file_tree_list(tree, inner, names);
    g_ptr_array_sort(names, compare_texts);
    bool found = false;
    const char *last = slash != NULL ? slash + 1 : pattern;
    for (guint i = 0; i < names->len && fields->len < SHELL_FIELDS_MAX; i++) {
        const char *name = names->pdata[i];
        if ((name[0] == '.' && last[0] != '.') || !shell_match(last, name))
            continue;
        g_ptr_array_add(fields, g_strconcat(directory, name, NULL));
        found = true;
    }
    return found;
}

static void
end_field(Builder *b)
{
    Field *field = &b->field;
    if (field->present && b->fields != NULL && b->fields->len < SHELL_FIELDS_MAX) {
        if (!has_pattern(field) || !add_files(b->expansion->shell, field->text->str, b->fields))
            g_ptr_array_add(b->fields, g_strdup(field->text->str));
    }
    g_string_truncate(field->text, 0);
    g_string_truncate(field->marks, 0);
    field->present = false;
}

/* The value of an expansion: split at blanks unless quoted. */
static void
put_value(Builder *b, const char *text, bool quoted)
{
    if (quoted || b->fields == NULL) {
        put(b, text, strlen(text), quoted);
        return;
    }
    while (*text != '\0') {
        size_t blanks = strspn(text, " \t\n");
        if (blanks > 0)
            end_field(b);
        text += blanks;
        size_t length = strcspn(text, " \t\n");
        put(b, text, length, false);
        text += length;
    }
}

/* ---- parameters ---- */

static void
put_all_parameters(Builder *b, bool quoted, bool separate)
{
    GPtrArray *parameters = b->expansion->shell->scope->parameters;
    for (guint i = 0; i < parameters->len; i++) {
        if (i > 0 && quoted && separate && b->fields != NULL)
            end_field(b);
        else if (i > 0)
            put_value(b, " ", quoted);
        put_value(b, parameters->pdata[i], quoted);
        b->field.present = b->field.present || quoted;
    }
}

/* The value of a name or special parameter; NULL when it is not set. Caller frees. */
static char *
parameter_value(Shell *shell, const char *name)
{
    const GPtrArray *parameters = shell->scope->parameters;
    if (strcmp(name, "?") == 0)
        return g_strdup_printf("%d", shell->status);
    if (strcmp(name, "#") == 0)
        return g_strdup_printf("%u", parameters->len);
    if (strcmp(name, "$") == 0)
        return g_strdup("1");
    if (strcmp(name, "!") == 0)
        return g_strdup_printf("%d", shell->last_job);
    if (strcmp(name, "0") == 0)
        return g_strdup(shell->name);
    if (g_ascii_isdigit(*name)) {
        guint64 index = g_ascii_strtoull(name, NULL, 10);
        return index >= 1 && index <= parameters->len ? g_strdup(parameters->pdata[index - 1]) : NULL;
    }
    return g_strdup(shell_get(shell, name));
}

static void
skip_captures(Expansion *expansion, const char *text, size_t length)
{
    g_autoptr(GPtrArray) scripts = g_ptr_array_new_with_free_func(g_free);
    scan(text, length, true, scripts);
    expansion->next_capture += scripts->len;
}

static char *
remove_part(const char *value, const char *pattern, char side, bool longest)
{
    size_t length = strlen(value);
    for (size_t i = 0; i <= length; i++) {
        size_t n = longest == (side == '#') ? length - i : i; /* length of the head that is tried */
        g_autofree char *head = g_strndup(value, n);
        if (shell_match(pattern, side == '#' ? head : value + n))
            return side == '#' ? g_strdup(value + n) : g_steal_pointer(&head);
    }
    return g_strdup(value);
}

static void
put_remainder(Builder *b, const char *value, const char *operator, size_t length, bool quoted)
{
    char side = *operator;
    bool longest = length > 1 && operator[1] == side;
    g_autofree char *raw = g_strndup(operator + 1 + longest, length - 1 - longest);
    g_autofree char *pattern = expand_text(b->expansion, raw, true);
    g_autofree char *rest = remove_part(value != NULL ? value : "", pattern, side, longest);
    put_value(b, rest, quoted);
}

/* ${name...}: `text` is what stands between the braces. */
static void
put_braced(Builder *b, const char *text, size_t length, bool quoted)
{
    Shell *shell = b->expansion->shell;
    bool size = *text == '#' && length > 1;
    const char *start = text + size, *end = text + length, *at = start;
    if (at < end && strchr("?#$!@*", *at) != NULL)
        at++;
    else
        while (at < end && (g_ascii_isalnum(*at) || *at == '_'))
            at++;
    g_autofree char *name = g_strndup(start, (size_t)(at - start));
    g_autofree char *value = parameter_value(shell, name);
    size_t rest = (size_t)(end - at);
    if (size) {
        g_autofree char *count = g_strdup_printf("%zu", value != NULL ? strlen(value) : 0);
        put_value(b, count, quoted);
    } else if (strcmp(name, "@") == 0 || strcmp(name, "*") == 0) {
        put_all_parameters(b, quoted, *name == '@');
    } else if (rest > 0 && (*at == '%' || *at == '#')) {
        put_remainder(b, value, at, rest, quoted);
    } else if (rest > 0) {
        bool colon = *at == ':' && rest > 1;
        char operator = at[colon];
        const char *word = at + colon + 1;
        size_t word_length = (size_t)(end - word);
        bool set = value != NULL && !(colon && *value == '\0');
        if (set == (operator == '+') && strchr("-=+?", operator) != NULL) {
            g_autofree char *raw = g_strndup(word, word_length);
            g_autofree char *text_value = expand_text(b->expansion, raw, false);
            if (operator == '=')
                shell_set(shell, name, text_value, false);
            if (operator == '?' && b->expansion->error == NULL)
                b->expansion->error = g_strdup_printf("%s: %s", name, *text_value != '\0' ? text_value : "parameter not set");
            put_value(b, text_value, quoted);
        } else {
            skip_captures(b->expansion, word, word_length);
            put_value(b, operator == '+' || value == NULL ? "" : value, quoted);
        }
    } else if (value != NULL) {
        put_value(b, value, quoted);
    }
    b->field.present = b->field.present || quoted;
}

/* ---- dollars ---- */

static void
put_capture(Builder *b, bool quoted)
{
    Expansion *expansion = b->expansion;
    if (expansion->captures != NULL && expansion->next_capture < expansion->captures->len)
        put_value(b, expansion->captures->pdata[expansion->next_capture], quoted);
    expansion->next_capture++;
    b->field.present = b->field.present || quoted;
}

static void
put_arithmetic(Builder *b, const char *text, size_t length, bool quoted)
{
    g_autofree char *raw = g_strndup(text, length);
    g_autofree char *plain = expand_text(b->expansion, raw, true), *error = NULL;
    int64_t value;
    if (!shell_arithmetic(b->expansion->shell, plain, &value, &error) && b->expansion->error == NULL)
        b->expansion->error = g_strdup(error);
    g_autofree char *result = g_strdup_printf("%" G_GINT64_FORMAT, value);
    put_value(b, result, quoted);
}

/* What begins with $ or ` at `at`; returns its end. */
static const char *
put_dollar(Builder *b, const char *at, bool quoted)
{
    const char *next = shell_skip_dollar(at);
    size_t length = (size_t)(next - at);
    if (*at == '`' || (strncmp(at, "$(", 2) == 0 && at[2] != '(')) {
        put_capture(b, quoted);
    } else if (strncmp(at, "$((", 3) == 0) {
        put_arithmetic(b, at + 3, length > 5 ? length - 5 : 0, quoted);
    } else if (at[1] == '{') {
        put_braced(b, at + 2, length > 3 ? length - 3 : 0, quoted);
    } else if (at[1] == '@' || at[1] == '*') {
        put_all_parameters(b, quoted, at[1] == '@');
        return at + 2;
    } else {
        const char *end = at + 1;
        if (*end != '\0' && (g_ascii_isdigit(*end) || strchr("?#$!", *end) != NULL))
            end++;
        else
            while (g_ascii_isalnum(*end) || *end == '_')
                end++;
        if (end == at + 1) {
            put(b, "$", 1, quoted);
            return end;
        }
        g_autofree char *name = g_strndup(at + 1, (size_t)(end - at) - 1);
        g_autofree char *value = parameter_value(b->expansion->shell, name);
        put_value(b, value != NULL ? value : "", quoted);
        return end;
    }
    return next;
}

static void
expand_into(Builder *b, const char *word, size_t length, bool quoted)
{
    for (const char *end = word + length; word < end;) {
        if (*word == '\'' && !quoted) {
            const char *next = shell_skip_quotes(word);
            size_t inner = (size_t)(next - word);
            put(b, word + 1, inner >= 2 ? inner - 2 : 0, true);
            b->field.present = true;
            word = next;
        } else if (*word == '"' && !quoted) {
            const char *next = shell_skip_quotes(word);
            size_t inner = (size_t)(next - word);
            b->field.present = !(inner == 4 && strncmp(word, "\"$@\"", 4) == 0) || b->field.present;
            expand_into(b, word + 1, inner >= 2 ? inner - 2 : 0, true);
            word = next;
        } else if (*word == '\\' && word + 1 < end) {
            bool kept = quoted && strchr("$`\"\\\n", word[1]) == NULL;
            put(b, kept ? word : word + 1, kept ? 2 : word[1] == '\n' ? 0 : 1, true);
            word += 2;
        } else if (*word == '$' || *word == '`') {
            word = put_dollar(b, word, quoted);
        } else {
            put(b, word++, 1, quoted);
        }
    }
}

static Builder
builder_new(Expansion *expansion, GPtrArray *fields)
{
    return (Builder){.expansion = expansion, .fields = fields, .field = {g_string_new(NULL), g_string_new(NULL), false}};
}

void
expand_word(Expansion *expansion, const char *word, GPtrArray *fields)
{
    Builder b = builder_new(expansion, fields);
    size_t length = strlen(word);
    const char *home = shell_get(expansion->shell, "HOME");
    if (word[0] == '~' && (word[1] == '\0' || word[1] == '/')) {
        put_value(&b, home != NULL ? home : "/root", true);
        word++;
        length--;
    }
    expand_into(&b, word, length, false);
    end_field(&b);
    g_string_free(b.field.text, TRUE);
    g_string_free(b.field.marks, TRUE);
}

char *
expand_text(Expansion *expansion, const char *word, bool quoted)
{
    Builder b = builder_new(expansion, NULL);
    expand_into(&b, word, strlen(word), quoted);
    g_string_free(b.field.marks, TRUE);
    return g_string_free(b.field.text, FALSE);
}

/* ---- patterns ---- */

static bool
match_class(const char **pattern, char c)
{
    const char *p = *pattern + 1;
    bool not = *p == '!' || *p == '^', found = false;
    p += not;
    for (const char *first = p; *p != '\0' && (*p != ']' || p == first); p++) {
        if (p[1] == '-' && p[2] != ']' && p[2] != '\0') {
            found = found || (c >= p[0] && c <= p[2]);
            p += 2;
        } else {
            found = found || c == *p;
        }
    }
    *pattern = *p == ']' ? p + 1 : p;
    return found != not;
}

bool
shell_match(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    for (;;) {
        const char *next = pattern;
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*text == '\0') {
            return *pattern == '\0';
        } else if (*pattern == '[' ? match_class(&next, *text)
                                   : *pattern == '?' || (*pattern == '\\' ? *++next : *pattern) == *text) {
            pattern = *pattern == '[' ? next : next + 1;
            text++;
        } else if (star != NULL && *retry != '\0') {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
}
