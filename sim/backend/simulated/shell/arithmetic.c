/* $(( ... )): integers of 64 bits that wrap, variables by name, the operators of C that scripts use. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

typedef struct Calculation {
    Shell *shell;
    const char *at;
    int depth;
    char *error;
} Calculation;

static int64_t binary(Calculation *c, int level);

static void
skip_spaces(Calculation *c)
{
    while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n')
        c->at++;
}

static int64_t
variable(Calculation *c)
{
    const char *start = c->at;
    while (g_ascii_isalnum(*c->at) || *c->at == '_')
        c->at++;
    g_autofree char *name = g_strndup(start, (size_t)(c->at - start));
    const char *value = shell_get(c->shell, name);
    return value != NULL ? g_ascii_strtoll(value, NULL, 0) : 0;
}

static int64_t
primary(Calculation *c)
{
    skip_spaces(c);
    if (++c->depth > SHELL_NESTING_MAX) {
        c->error = c->error != NULL ? c->error : g_strdup("arithmetic: nested too deeply");
        return 0;
    }
    int64_t value = 0;
    char first = *c->at;
    if (first == '(') {
        c->at++;
        value = binary(c, 0);
        skip_spaces(c);
        c->at += *c->at == ')';
    } else if (first == '-' || first == '+' || first == '!' || first == '~') {
        c->at++;
        int64_t operand = primary(c);
        value = first == '-' ? (int64_t)(0 - (uint64_t)operand) : first == '!' ? !operand : first == '~' ? ~operand : operand;
    } else if (g_ascii_isdigit(first)) {
        char *end;
        value = g_ascii_strtoll(c->at, &end, 0);
        c->at = end;
    } else if (first == '$') {
        c->at++;
        value = primary(c);
    } else if (g_ascii_isalpha(first) || first == '_') {
        value = variable(c);
    } else if (c->error == NULL) {
        c->error = g_strdup("arithmetic: syntax error");
    }
    c->depth--;
    return value;
}

static const char *const operators[][5] = {
    {"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
};

static const char *
take_operator(Calculation *c, int level)
{
    skip_spaces(c);
    for (int i = 0; i < 5 && operators[level][i] != NULL; i++) {
        const char *name = operators[level][i];
        size_t length = strlen(name);
        bool longer = length == 1 && (c->at[1] == c->at[0] || c->at[1] == '=') && strchr("|&<>", *name) != NULL;
        if (strncmp(c->at, name, length) == 0 && !longer) {
            c->at += length;
            return name;
        }
    }
    return NULL;
}

static int64_t
apply(Calculation *c, const char *name, int64_t left, int64_t right)
{
    uint64_t a = (uint64_t)left, b = (uint64_t)right;
    if ((*name == '/' || *name == '%') && (right == 0 || (left == INT64_MIN && right == -1))) {
        c->error = c->error != NULL ? c->error : g_strdup("arithmetic: divide by zero");
        return 0;
    }
    switch (name[0] | name[1] << 8) {
    case '|' | '|' << 8:
        return left || right;
    case '&' | '&' << 8:
        return left && right;
    case '=' | '=' << 8:
        return left == right;
    case '!' | '=' << 8:
        return left != right;
    case '<' | '=' << 8:
        return left <= right;
    case '>' | '=' << 8:
        return left >= right;
    case '<' | '<' << 8:
        return (int64_t)(a << (b & 63));
    case '>' | '>' << 8:
        return left >> (b & 63);
    case '|':
        return left | right;
    case '^':
        return left ^ right;
    case '&':
        return left & right;
    case '<':
        return left < right;
    case '>':
        return left > right;
    case '+':
        return (int64_t)(a + b);
    case '-':
        return (int64_t)(a - b);
    case '*':
        return (int64_t)(a * b);
    case '/':
        return left / right;
    default:
        return left % right;
    }
}

static int64_t
binary(Calculation *c, int level)
{
    if (level == (int)G_N_ELEMENTS(operators))
        return primary(c);
    int64_t value = binary(c, level + 1);
    for (const char *name; c->error == NULL && (name = take_operator(c, level)) != NULL;)
        value = apply(c, name, value, binary(c, level + 1));
    return value;
}

/* "i=i+1", "i++" and "i+=2" set the variable. */
static bool
assignment(Calculation *c, int64_t *ret_value)
{
    size_t length = strspn(c->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    const char *after = c->at + length + strspn(c->at + length, " ");
    if (length == 0 || g_ascii_isdigit(*c->at))
        return false;
    g_autofree char *name = g_strndup(c->at, length);
    const char *old = shell_get(c->shell, name);
    int64_t value = old != NULL ? g_ascii_strtoll(old, NULL, 0) : 0, result;
    if (strncmp(after, "++", 2) == 0 || strncmp(after, "--", 2) == 0) {
        result = apply(c, *after == '+' ? "+" : "-", value, 1);
        *ret_value = value;
        c->at = after + 2;
    } else if (*after == '=' && after[1] != '=') {
        c->at = after + 1;
        *ret_value = result = binary(c, 0);
    } else if (*after != '\0' && strchr("+-*/%", *after) != NULL && after[1] == '=') {
        const char operator[2] = {*after, '\0'};
        c->at = after + 2;
        *ret_value = result = apply(c, operator, value, binary(c, 0));
    } else {
        return false;
    }
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, result);
    shell_set(c->shell, name, text, false);
    return true;
}

bool
shell_arithmetic(Shell *shell, const char *text, int64_t *ret_value, char **ret_error)
{
    Calculation c = {.shell = shell, .at = text};
    skip_spaces(&c);
    *ret_value = 0;
    if (*c.at != '\0' && !assignment(&c, ret_value))
        *ret_value = binary(&c, 0);
    skip_spaces(&c);
    if (c.error == NULL && *c.at != '\0')
        c.error = g_strdup("arithmetic: syntax error");
    *ret_error = c.error;
    return c.error == NULL;
}
