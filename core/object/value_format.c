/* value_new_f: values from templates in relaxed JSON. Templates belong to the program, so mistakes assert. */
#include <stdarg.h>
#include <stdlib.h>

#include "core/object/value_assembler.h"

typedef struct {
    const char *at;
    va_list args;
    ValueAssembler *assembler;
    GString *word; /* the one read last */
} Template;

static void template_value(Template *template);

static void
template_skip_space(Template *template)
{
    while (*template->at == ' ' || *template->at == '\n' || *template->at == '\t')
        template->at++;
}

/* Skips space and, if that character comes next, takes it. */
static bool
template_take(Template *template, char wanted)
{
    template_skip_space(template);
    if (*template->at != wanted)
        return false;
    template->at++;
    return true;
}

static bool
is_word_char(char c)
{
    return c != '\0' && strchr(" \n\t,:{}[]\"'%?", c) == NULL;
}

/* A quoted text or a plain word; valid until the next. A plain word may hold colons inside, as in "nginx:1.25". */
static const char *
template_word(Template *template, bool is_key, bool *ret_quoted)
{
    GString *word = template->word;
    char quote = *template->at;

    g_string_truncate(word, 0);
    *ret_quoted = quote == '"' || quote == '\'';
    if (!*ret_quoted) {
        while (is_word_char(*template->at) ||
               (!is_key && *template->at == ':' && is_word_char(template->at[1])))
            g_string_append_c(word, *template->at++);
        g_assert(word->len > 0);
        return word->str;
    }
    for (template->at++; *template->at != quote; template->at++) {
        g_assert(*template->at != '\0');
        if (*template->at == '\\') {
            template->at++;
            g_string_append_c(word, *template->at == 'n' ? '\n' : *template->at);
        } else {
            g_string_append_c(word, *template->at);
        }
    }
    template->at++;
    return word->str;
}

/* The value of a plain word: true, false, null, a number, or a text. */
static Value *
word_value(const char *word)
{
    char *end;

    if (strcmp(word, "null") == 0)
        return value_new_null();
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return value_new_bool(*word == 't');
    if (!g_ascii_isdigit(*word) && (*word != '-' || !g_ascii_isdigit(word[1])))
        return value_new_string(word);
    gint64 integer = g_ascii_strtoll(word, &end, 10);
    if (*end == '\0')
        return value_new_int(integer);
    double number = g_ascii_strtod(word, &end);
    return *end == '\0' ? value_new_double(number) : value_new_string(word);
}

/* The argument of %x. *ret_absent: it is NULL or 0, so that an optional entry falls away. */
static Value *
template_argument(Template *template, bool *ret_absent)
{
    Value *value = NULL;
    char type = *template->at++;

    switch (type) {
    case 's':
        value = value_new_string(va_arg(template->args, const char *));
        *ret_absent = value_is_null(value);
        return value;
    case 'i':
        value = value_new_int(va_arg(template->args, int64_t));
        *ret_absent = value_int(value) == 0;
        return value;
    case 'b':
        value = value_new_bool(va_arg(template->args, int) != 0);
        *ret_absent = !value_bool(value);
        return value;
    case 'd':
        value = value_new_double(va_arg(template->args, double));
        *ret_absent = value_double(value) == 0;
        return value;
    case 'v':
    case 'V':
        value = va_arg(template->args, Value *);
        *ret_absent = value == NULL;
        if (value == NULL)
            return value_new_null();
        return type == 'v' ? value_ref(value) : value;
    default:
        g_error("value_new_f: no such conversion: %%%c", type);
    }
}

static void
template_key(Template *template)
{
    bool quoted;

    template_skip_space(template);
    if (template_take(template, '%')) {
        g_assert(*template->at == 's');
        template->at++;
        const char *key = va_arg(template->args, const char *);
        g_assert(key != NULL);
        value_assembler_key(template->assembler, key, strlen(key));
        return;
    }
    const char *key = template_word(template, true, &quoted);
    value_assembler_key(template->assembler, key, strlen(key));
}

static void
template_entry(Template *template)
{
    bool absent;

    template_key(template);
    bool colon = template_take(template, ':');
    g_assert(colon);
    if (!template_take(template, '?')) {
        template_value(template);
        return;
    }
    bool argument = template_take(template, '%');
    g_assert(argument);
    Value *value = template_argument(template, &absent);
    if (absent) {
        value_unref(value);
        value_assembler_drop_key(template->assembler);
    } else {
        value_assembler_add(template->assembler, value);
    }
}

static void
template_container(Template *template, ValueType type)
{
    char close = type == VALUE_MAP ? '}' : ']';

    value_assembler_begin(template->assembler, type);
    while (!template_take(template, close)) {
        g_assert(*template->at != '\0');
        if (type == VALUE_MAP)
            template_entry(template);
        else
            template_value(template);
        if (!template_take(template, ','))
            g_assert(*template->at == close);
    }
    value_assembler_end(template->assembler);
}

static void
template_value(Template *template)
{
    bool absent, quoted;

    if (template_take(template, '{')) {
        template_container(template, VALUE_MAP);
    } else if (template_take(template, '[')) {
        template_container(template, VALUE_ARRAY);
    } else if (template_take(template, '%')) {
        value_assembler_add(template->assembler, template_argument(template, &absent));
    } else {
        const char *word = template_word(template, false, &quoted);
        value_assembler_add(template->assembler,
                            quoted ? value_new_string(word) : word_value(word));
    }
}

Value *
value_new_f(const char *format, ...)
{
    g_autoptr(ValueAssembler) assembler = value_assembler_new();
    g_autoptr(GString) word = g_string_new(NULL);
    Template template = {.at = format, .assembler = assembler, .word = word};

    va_start(template.args, format);
    template_value(&template);
    va_end(template.args);
    template_skip_space(&template);
    g_assert(*template.at == '\0');
    return value_assembler_steal(assembler);
}
