/* The grammar of JSONPath templates (client-go util/jsonpath/parser.go). */
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/jsonpath_private.h"
#include "core/object/number.h"

typedef struct {
    const char *at;
    int depth; /* of filters and unions in each other */
} Parser;

static PathNode *parse_template(const char *text, int depth, GError **error);

PathNode *
path_node_new(NodeType type)
{
    PathNode *node = g_new0(PathNode, 1);

    node->type = type;
    node->children = g_ptr_array_new_with_free_func((GDestroyNotify)path_node_free);
    return node;
}

void
path_node_free(PathNode *node)
{
    if (node == NULL)
        return;
    g_free(node->text);
    value_unref(node->value);
    g_ptr_array_unref(node->children);
    g_free(node);
}

static PathNode *
list_add(PathNode *list, NodeType type)
{
    PathNode *node = path_node_new(type);

    g_ptr_array_add(list->children, node);
    return node;
}

static bool
is_terminator(char c)
{
    return c == '\0' || strchr(" \t\r\n.,[]$@{}", c) != NULL;
}

/* What "{text}" holds: a list. */
static PathNode *
parse_inner(Parser *parser, const char *text, GError **error)
{
    g_autofree char *wrapped = g_strdup_printf("{%s}", text);

    if (parser->depth >= JSONPATH_DEPTH_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "a template nested more than %d deep", JSONPATH_DEPTH_MAX);
        return NULL;
    }
    g_autoptr(PathNode) root = parse_template(wrapped, parser->depth + 1, error);
    return root == NULL ? NULL : g_ptr_array_steal_index(root->children, 0);
}

/* ---- quoted text ---- */

static bool
append_code_point(GString *out, const char **at, int digits)
{
    gunichar c = 0;

    for (int i = 0; i < digits; i++) {
        int digit = g_ascii_xdigit_value((*at)[1]);
        if (digit < 0)
            return false;
        c = c * 16 + (gunichar)digit;
        (*at)++;
    }
    if (digits > 2 ? !g_unichar_validate(c) : c == 0)
        return false;
    if (digits == 2)
        g_string_append_c(out, (char)c);
    else
        g_string_append_unichar(out, c);
    return true;
}

/* Go's escapes. *at is at the letter behind the backslash, and left there or at the last digit. */
static bool
append_escape(GString *out, const char **at)
{
    static const char letters[] = "abfnrtv\\'\"", codes[] = "\a\b\f\n\r\t\v\\'\"";
    const char *letter = **at != '\0' ? strchr(letters, **at) : NULL;

    if (letter != NULL)
        g_string_append_c(out, codes[letter - letters]);
    else if (**at == 'x' || **at == 'u' || **at == 'U')
        return append_code_point(out, at, **at == 'x' ? 2 : **at == 'u' ? 4 : 8);
    return letter != NULL;
}

static bool
parse_quote(Parser *parser, PathNode *list, GError **error)
{
    const char *start = parser->at, *end = start + 1;
    g_autoptr(GString) text = g_string_new(NULL);

    while (*end != '\0' && *end != '\n' && (*end != *start || end[-1] == '\\'))
        end++;
    if (*end != *start)
        return fail(error, TIMONEL_ERROR_INVALID, "unterminated quoted string");
    for (const char *at = start + 1; at < end; at++) {
        if (*at != '\\') {
            g_string_append_c(text, *at);
            continue;
        }
        at++;
        if (!append_escape(text, &at))
            return fail(error, TIMONEL_ERROR_INVALID, "unquote string %.*s error invalid syntax",
                        (int)(end - start + 1), start);
    }
    list_add(list, NODE_TEXT)->value = value_new_string_len(text->str, text->len);
    parser->at = end + 1;
    return true;
}

/* ---- arrays and filters ---- */

/* (-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)? */
static bool
parse_bounds(const char *text, PathNode *array, GError **error)
{
    const char *at = text;

    for (int i = 0; i < 3; i++) {
        bool given = i == 0 || *at == ':';
        if (given && i > 0)
            at++;
        const char *start = at;
        at += *at == '-';
        at += strspn(at, "0123456789");
        Bound *bound = &array->bounds[i];
        if (at > start && !given)
            break;
        bound->known = at > start;
        if (bound->known && !number_parse_int(start, (size_t)(at - start), &bound->value))
            return fail(error, TIMONEL_ERROR_INVALID, "array index %.*s is not a number", (int)(at - start),
                        start);
        if (!given && i == 1)
            *bound = (Bound){.known = true, .derived = true, .value = array->bounds[0].value + 1};
    }
    return *at == '\0' || fail(error, TIMONEL_ERROR_INVALID, "invalid array index %s", text);
}

static bool
parse_union(Parser *parser, PathNode *list, const char *text, GError **error)
{
    PathNode *node = list_add(list, NODE_UNION);
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (char **part = parts; *part != NULL; part++) {
        g_autofree char *inner = g_strdup_printf("[%s]", g_strstrip(*part));
        PathNode *child = parse_inner(parser, inner, error);
        if (child == NULL)
            return false;
        g_ptr_array_add(node->children, child);
    }
    return true;
}

static bool
parse_array(Parser *parser, PathNode *list, GError **error)
{
    const char *end = parser->at + strcspn(parser->at, "]\n");
    g_autofree char *text = g_strndup(parser->at + 1, (size_t)(end - parser->at - 1));
    size_t len = strlen(text);

    if (*end != ']')
        return fail(error, TIMONEL_ERROR_INVALID, "unterminated array");
    parser->at = end + 1;
    if (strchr(text, ',') != NULL)
        return parse_union(parser, list, text, error);
    if (len >= 2 && text[0] == '\'' && strchr(text + 1, '\'') == text + len - 1) {
        g_autofree char *field = g_strdup_printf(".%.*s", (int)len - 2, text + 1);
        g_autoptr(PathNode) inner = parse_inner(parser, field, error);
        while (inner != NULL && inner->children->len > 0)
            g_ptr_array_add(list->children, g_ptr_array_steal_index(inner->children, 0));
        return inner != NULL;
    }
    return parse_bounds(strcmp(text, "*") == 0 ? ":" : text, list_add(list, NODE_ARRAY), error);
}

/* The filter's end: the first ) outside of a quoted text. */
static const char *
filter_end(const char *at)
{
    char quote = '\0';
    bool closed = false;

    for (; *at != '\0' && *at != '\n'; at++) {
        if ((*at == '"' || *at == '\'') && quote == '\0')
            quote = *at;
        else if (*at == quote && at[-1] != '\\')
            closed = true;
        else if (*at == ')' && (quote != '\0') == closed)
            return at;
    }
    return NULL;
}

static bool
parse_filter(Parser *parser, PathNode *list, GError **error)
{
    const char *start = parser->at + strlen("[?("), *end = filter_end(start);

    if (end == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "unterminated filter");
    if (end[1] != ']')
        return fail(error, TIMONEL_ERROR_INVALID, "unclosed array expect ]");
    parser->at = end + 2;
    g_autofree char *text = g_strndup(start, (size_t)(end - start));
    size_t left_len = strcspn(text, "!<>="), operator_len = strspn(text + left_len, "!<>=");
    bool compares = left_len > 0 && operator_len > 0 && text[left_len + operator_len] != '\0';
    PathNode *filter = list_add(list, NODE_FILTER);
    g_autofree char *left = compares ? g_strndup(text, left_len) : g_strdup(text);
    PathNode *left_node = parse_inner(parser, left, error);
    if (left_node == NULL)
        return false;
    g_ptr_array_add(filter->children, left_node);
    if (!compares)
        return true;
    filter->text = g_strndup(text + left_len, operator_len);
    PathNode *right = parse_inner(parser, text + left_len + operator_len, error);
    if (right != NULL)
        g_ptr_array_add(filter->children, right);
    return right != NULL;
}

/* ---- fields, numbers, words ---- */

static bool
parse_field(Parser *parser, PathNode *list)
{
    GString *name = g_string_new(NULL);
    const char *at = parser->at;

    while (!is_terminator(*at)) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        if (*at != '\\')
            g_string_append_c(name, *at);
        at++;
    }
    parser->at = at;
    bool wildcard = strcmp(name->str, "*") == 0;
    PathNode *node = list_add(list, wildcard ? NODE_WILDCARD : NODE_FIELD);
    node->text = g_string_free(name, FALSE);
    return true;
}

static bool
parse_recursive(Parser *parser, PathNode *list, GError **error)
{
    guint size = list->children->len;

    if (size > 0 && ((PathNode *)list->children->pdata[size - 1])->type == NODE_RECURSIVE)
        return fail(error, TIMONEL_ERROR_INVALID, "invalid multiple recursive descent");
    parser->at += 2;
    list_add(list, NODE_RECURSIVE);
    unsigned char c = (unsigned char)*parser->at;
    return c == '_' || g_ascii_isalnum((char)c) || c >= 0x80 ? parse_field(parser, list) : true;
}

static bool
parse_number(Parser *parser, PathNode *list, GError **error)
{
    const char *start = parser->at;
    int64_t i;
    double d;

    parser->at += *start == '-' || *start == '+';
    parser->at += strspn(parser->at, ".0123456789");
    size_t len = (size_t)(parser->at - start);
    if (number_parse_int(start, len, &i))
        list_add(list, NODE_CONSTANT)->value = value_new_int(i);
    else if (number_parse_double(start, len, &d))
        list_add(list, NODE_CONSTANT)->value = value_new_double(d);
    else
        return fail(error, TIMONEL_ERROR_INVALID, "cannot parse number %.*s", (int)len, start);
    return true;
}

static bool
parse_identifier(Parser *parser, PathNode *list)
{
    const char *start = parser->at;

    while (!is_terminator(*parser->at))
        parser->at++;
    g_autofree char *name = g_strndup(start, (size_t)(parser->at - start));
    bool is_true = strcmp(name, "true") == 0;
    if (is_true || strcmp(name, "false") == 0)
        list_add(list, NODE_CONSTANT)->value = value_new_bool(is_true);
    else
        list_add(list, NODE_IDENTIFIER)->text = g_steal_pointer(&name);
    return true;
}

/* One piece of what stands between braces. */
static bool
parse_piece(Parser *parser, PathNode *list, GError **error)
{
    char c = *parser->at;

    if (c == '\0' || c == '\n' || c == '\r')
        return fail(error, TIMONEL_ERROR_INVALID, "unclosed action");
    if (g_str_has_prefix(parser->at, "[?("))
        return parse_filter(parser, list, error);
    if (g_str_has_prefix(parser->at, ".."))
        return parse_recursive(parser, list, error);
    if (c == ' ' || c == '@' || c == '$') {
        parser->at++;
        return true;
    }
    if (c == '[')
        return parse_array(parser, list, error);
    if (c == '"' || c == '\'')
        return parse_quote(parser, list, error);
    if (c == '.') {
        parser->at++;
        return parse_field(parser, list);
    }
    if (c == '+' || c == '-' || g_ascii_isdigit(c))
        return parse_number(parser, list, error);
    if (c == '_' || g_ascii_isalpha(c) || (unsigned char)c >= 0x80)
        return parse_identifier(parser, list);
    return fail(error, TIMONEL_ERROR_INVALID, "unrecognized character in action: U+%04X '%c'", (unsigned)c, c);
}

static PathNode *
parse_template(const char *text, int depth, GError **error)
{
    g_autoptr(PathNode) root = path_node_new(NODE_LIST);
    Parser parser = {text, depth};

    while (*parser.at != '\0') {
        size_t len = strcspn(parser.at, "{");
        if (len > 0) {
            list_add(root, NODE_TEXT)->value = value_new_string_len(parser.at, len);
            parser.at += len;
            continue;
        }
        PathNode *action = list_add(root, NODE_LIST);
        for (parser.at++; *parser.at != '}';) {
            if (!parse_piece(&parser, action, error))
                return NULL;
        }
        parser.at++;
    }
    return g_steal_pointer(&root);
}

JsonPath *
jsonpath_parse(const char *text, GError **error)
{
    PathNode *root = parse_template(text, 0, error);

    if (root == NULL)
        return NULL;
    JsonPath *path = g_new(JsonPath, 1);
    path->root = root;
    return path;
}

void
jsonpath_free(JsonPath *path)
{
    if (path == NULL)
        return;
    path_node_free(path->root);
    g_free(path);
}

char *
jsonpath_relax(const char *text, GError **error)
{
    size_t len = strlen(text);
    bool braces = len >= 2 && *text == '{' && text[len - 1] == '}';
    g_autofree char *inner = braces ? g_strndup(text + 1, len - 2) : g_strdup(text);

    if (len == 0)
        return g_strdup("");
    if (strpbrk(inner, "{}") != NULL || (!braces && (*text == '{' || text[len - 1] == '}'))) {
        fail(error, TIMONEL_ERROR_INVALID, "unexpected path string, expected a 'name1.name2' or "
                                           "'.name1.name2' or '{name1.name2}' or '{.name1.name2}'");
        return NULL;
    }
    return g_strdup_printf("{.%s}", *inner == '.' ? inner + 1 : inner);
}
