#include "sim/backend/simulated/shell/parse.h"

#include <string.h>

typedef struct Parser {
    const char *at;
    int depth, nodes;
    char *error;
    GPtrArray *pending; /* ShellRedirect of here-documents whose text follows the line; borrowed */
} Parser;

static ShellNode *parse_list(Parser *p, const char *const *ends);

static void
redirect_free(void *data)
{
    g_free(((ShellRedirect *)data)->word);
    g_free(data);
}

void
shell_node_free(void *data)
{
    ShellNode *node = data;
    if (node == NULL)
        return;
    g_ptr_array_unref(node->words);
    g_ptr_array_unref(node->children);
    if (node->redirects != NULL)
        g_ptr_array_unref(node->redirects);
    g_free(node->name);
    g_free(node);
}

static ShellNode *
node_new(Parser *p, ShellNodeKind kind)
{
    ShellNode *node = g_new0(ShellNode, 1);
    node->kind = kind;
    node->words = g_ptr_array_new_with_free_func(g_free);
    node->children = g_ptr_array_new_with_free_func(shell_node_free);
    if (++p->nodes > SHELL_NODES_MAX && p->error == NULL)
        p->error = g_strdup("script is too long");
    return node;
}

static void
fail_at(Parser *p, const char *what)
{
    if (p->error == NULL)
        p->error = *p->at == '\0' ? g_strdup("syntax error: unexpected end of file")
                                  : g_strdup_printf("syntax error: unexpected %s", what);
}

/* ---- words ---- */

const char *
shell_skip_quotes(const char *text)
{
    char quote = *text++;
    while (*text != '\0' && *text != quote) {
        if (quote == '"' && *text == '\\' && text[1] != '\0')
            text += 2;
        else if (quote == '"' && (*text == '$' || *text == '`'))
            text = shell_skip_dollar(text);
        else
            text++;
    }
    return *text != '\0' ? text + 1 : text;
}

const char *
shell_skip_dollar(const char *text)
{
    if (*text == '`') {
        for (text++; *text != '\0' && *text != '`'; text++)
            if (*text == '\\' && text[1] != '\0')
                text++;
        return *text != '\0' ? text + 1 : text;
    }
    char open = text[1], close = open == '(' ? ')' : '}';
    if (open != '(' && open != '{')
        return text + 1;
    int depth = 0;
    for (text++; *text != '\0'; text++) {
        if (*text == '\\' && text[1] != '\0')
            text++;
        else if (*text == '\'' || *text == '"')
            text = shell_skip_quotes(text) - 1;
        else if (*text == open)
            depth++;
        else if (*text == close && --depth == 0)
            return text + 1;
    }
    return text;
}

static const char *
word_end(const char *at)
{
    while (*at != '\0' && strchr(" \t\n;&|<>()", *at) == NULL) {
        if (*at == '\\' && at[1] != '\0')
            at += 2;
        else if (*at == '\'' || *at == '"')
            at = shell_skip_quotes(at);
        else if (*at == '$' || *at == '`')
            at = shell_skip_dollar(at);
        else
            at++;
    }
    return at;
}

static void
skip_blanks(Parser *p)
{
    for (;;) {
        if (*p->at == ' ' || *p->at == '\t' || *p->at == '\r')
            p->at++;
        else if (p->at[0] == '\\' && p->at[1] == '\n')
            p->at += 2;
        else if (*p->at == '#')
            p->at += strcspn(p->at, "\n");
        else
            return;
    }
}

/* Reads the texts of the here-documents that were announced on the line that ends here. */
static void
read_documents(Parser *p)
{
    for (guint i = 0; i < p->pending->len; i++) {
        ShellRedirect *redirect = p->pending->pdata[i];
        g_autofree char *end = g_steal_pointer(&redirect->word);
        bool strip = redirect->fd < 0;
        redirect->fd = 0;
        GString *text = g_string_new(NULL);
        while (*p->at != '\0') {
            const char *line = p->at;
            size_t length = strcspn(line, "\n");
            p->at += length + (line[length] == '\n');
            for (; strip && *line == '\t'; line++)
                length--;
            if (length == strlen(end) && strncmp(line, end, length) == 0)
                break;
            g_string_append_len(text, line, (gssize)length);
            g_string_append_c(text, '\n');
        }
        redirect->word = g_string_free(text, FALSE);
    }
    g_ptr_array_set_size(p->pending, 0);
}

static void
skip_lines(Parser *p)
{
    for (skip_blanks(p); *p->at == '\n' || *p->at == ';'; skip_blanks(p)) {
        if (p->at[0] == ';' && p->at[1] == ';')
            return;
        if (*p->at++ == '\n')
            read_documents(p);
    }
}

static char *
read_word(Parser *p)
{
    skip_blanks(p);
    const char *end = word_end(p->at);
    char *word = end > p->at ? g_strndup(p->at, (size_t)(end - p->at)) : NULL;
    p->at = end;
    return word;
}

static bool
is_next(Parser *p, const char *word)
{
    skip_blanks(p);
    size_t length = strlen(word);
    if (strncmp(p->at, word, length) != 0)
        return false;
    return word_end(p->at) == p->at + length || strchr("(){}!;", *word) != NULL;
}

static bool
take(Parser *p, const char *word)
{
    if (!is_next(p, word))
        return false;
    p->at += strlen(word);
    return true;
}

static void
expect(Parser *p, const char *word)
{
    skip_lines(p);
    if (!take(p, word))
        fail_at(p, word);
}

/* ---- redirections ---- */

static char *
unquote_plain(const char *word)
{
    GString *out = g_string_new(NULL);
    for (; *word != '\0'; word++)
        if (strchr("'\"\\", *word) == NULL)
            g_string_append_c(out, *word);
    return g_string_free(out, FALSE);
}

static void
add_redirect(ShellNode *node, RedirectKind kind, int fd, char *word)
{
    if (node->redirects == NULL)
        node->redirects = g_ptr_array_new_with_free_func(redirect_free);
    ShellRedirect *redirect = g_new(ShellRedirect, 1);
    *redirect = (ShellRedirect){kind, fd, word};
    g_ptr_array_add(node->redirects, redirect);
}

static void
read_document_word(Parser *p, ShellNode *node)
{
    bool strip = *p->at == '-';
    p->at += strip;
    g_autofree char *word = read_word(p);
    if (word == NULL) {
        fail_at(p, "newline");
        return;
    }
    bool raw = strpbrk(word, "'\"\\") != NULL;
    add_redirect(node, raw ? REDIRECT_TEXT_RAW : REDIRECT_TEXT, strip ? -1 : 0, unquote_plain(word));
    g_ptr_array_add(p->pending, node->redirects->pdata[node->redirects->len - 1]);
}

/* A redirection at this place; false: there is none. */
static bool
parse_redirect(Parser *p, ShellNode *node)
{
    skip_blanks(p);
    const char *at = p->at;
    bool both = at[0] == '&' && at[1] == '>';
    int fd = g_ascii_isdigit(*at) && (at[1] == '<' || at[1] == '>') ? *at++ - '0' : -1;
    at += both;
    if (*at != '<' && *at != '>')
        return false;
    bool in = *at == '<';
    fd = fd >= 0 ? fd : in ? 0 : 1;
    p->at = at + 1;
    if (in && *p->at == '<') {
        p->at++;
        read_document_word(p, node);
        return true;
    }
    RedirectKind kind = in ? REDIRECT_IN : REDIRECT_OUT;
    if (!in && *p->at == '>') {
        kind = REDIRECT_APPEND;
        p->at++;
    } else if (*p->at == '&') {
        kind = REDIRECT_DUP;
        p->at++;
    }
    char *word = read_word(p);
    if (word == NULL) {
        fail_at(p, "newline");
        return true;
    }
    add_redirect(node, kind, fd, word);
    if (both)
        add_redirect(node, REDIRECT_DUP, 2, g_strdup("1"));
    return true;
}

/* ---- commands ---- */

static const char *const reserved[] = {"then", "elif", "else", "fi", "do", "done", "esac", "}", NULL};

static bool
is_any(Parser *p, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++)
        if (is_next(p, *words))
            return true;
    return false;
}

static ShellNode *
parse_if(Parser *p)
{
    static const char *const then[] = {"then", NULL}, *const rest[] = {"elif", "else", "fi", NULL},
                             *const fi[] = {"fi", NULL};
    ShellNode *node = node_new(p, NODE_IF);
    do {
        g_ptr_array_add(node->children, parse_list(p, then));
        expect(p, "then");
        g_ptr_array_add(node->children, parse_list(p, rest));
    } while (p->error == NULL && take(p, "elif"));
    if (take(p, "else"))
        g_ptr_array_add(node->children, parse_list(p, fi));
    expect(p, "fi");
    return node;
}

static ShellNode *
parse_loop(Parser *p, ShellNodeKind kind)
{
    static const char *const begin[] = {"do", NULL}, *const done[] = {"done", NULL};
    ShellNode *node = node_new(p, kind);
    g_ptr_array_add(node->children, parse_list(p, begin));
    expect(p, "do");
    g_ptr_array_add(node->children, parse_list(p, done));
    expect(p, "done");
    return node;
}

static ShellNode *
parse_for(Parser *p)
{
    static const char *const done[] = {"done", NULL};
    ShellNode *node = node_new(p, NODE_FOR);
    node->name = read_word(p);
    if (node->name == NULL)
        fail_at(p, "newline");
    skip_blanks(p);
    if (*p->at == '\n')
        skip_lines(p);
    if (take(p, "in")) {
        node->has_words = true;
        for (char *word; (word = read_word(p)) != NULL;)
            g_ptr_array_add(node->words, word);
    }
    expect(p, "do");
    g_ptr_array_add(node->children, parse_list(p, done));
    expect(p, "done");
    return node;
}

static ShellNode *
parse_case(Parser *p)
{
    static const char *const esac[] = {"esac", ";;", NULL};
    ShellNode *node = node_new(p, NODE_CASE);
    g_ptr_array_add(node->words, read_word(p));
    expect(p, "in");
    skip_lines(p);
    while (p->error == NULL && !is_next(p, "esac")) {
        take(p, "(");
        g_autoptr(GString) patterns = g_string_new(NULL);
        do {
            g_autofree char *word = read_word(p);
            g_string_append_printf(patterns, "%s%s", patterns->len > 0 ? "\n" : "", word != NULL ? word : "");
            skip_blanks(p);
        } while (*p->at == '|' && p->at++ != NULL);
        if (!take(p, ")"))
            fail_at(p, "word");
        g_ptr_array_add(node->words, g_strdup(patterns->str));
        g_ptr_array_add(node->children, parse_list(p, esac));
        skip_lines(p);
        if (strncmp(p->at, ";;", 2) == 0)
            p->at += 2;
        skip_lines(p);
    }
    expect(p, "esac");
    return node;
}

static ShellNode *
parse_block(Parser *p, ShellNodeKind kind, const char *end)
{
    const char *const ends[] = {end, NULL};
    ShellNode *node = node_new(p, kind);
    g_ptr_array_add(node->children, parse_list(p, ends));
    expect(p, end);
    return node;
}

static ShellNode *parse_command(Parser *p);

static ShellNode *
parse_simple(Parser *p)
{
    ShellNode *node = node_new(p, NODE_SIMPLE);
    while (p->error == NULL) {
        if (parse_redirect(p, node))
            continue;
        char *word = read_word(p);
        if (word == NULL)
            break;
        g_ptr_array_add(node->words, word);
        skip_blanks(p);
        if (node->words->len == 1 && p->at[0] == '(' && p->at[1] == ')') {
            p->at += 2;
            skip_lines(p);
            node->kind = NODE_FUNCTION;
            node->name = g_strdup(word);
            g_ptr_array_add(node->children, parse_command(p));
            return node;
        }
    }
    if (node->words->len == 0 && node->redirects == NULL) {
        g_autofree char *what = g_strndup(p->at, 1);
        fail_at(p, what);
    }
    return node;
}

static ShellNode *
parse_command(Parser *p)
{
    ShellNode *node;
    if (++p->depth > SHELL_NESTING_MAX && p->error == NULL)
        p->error = g_strdup("script is nested too deeply");
    skip_blanks(p);
    if (p->error != NULL)
        node = node_new(p, NODE_SEQUENCE);
    else if (take(p, "if"))
        node = parse_if(p);
    else if (take(p, "while"))
        node = parse_loop(p, NODE_WHILE);
    else if (take(p, "until"))
        node = parse_loop(p, NODE_UNTIL);
    else if (take(p, "for"))
        node = parse_for(p);
    else if (take(p, "case"))
        node = parse_case(p);
    else if (*p->at == '{' && strchr(" \t\n", p->at[1]) != NULL && p->at++ != NULL)
        node = parse_block(p, NODE_GROUP, "}");
    else if (*p->at == '(' && p->at++ != NULL)
        node = parse_block(p, NODE_SUBSHELL, ")");
    else
        node = parse_simple(p);
    while (p->error == NULL && node->kind != NODE_SIMPLE && parse_redirect(p, node))
        ;
    p->depth--;
    return node;
}

static ShellNode *
parse_pipeline(Parser *p)
{
    if (is_next(p, "!") && (p->at[1] == ' ' || p->at[1] == '\t')) {
        p->at++;
        ShellNode *not = node_new(p, NODE_NOT);
        g_ptr_array_add(not->children, parse_pipeline(p));
        return not;
    }
    ShellNode *first = parse_command(p), *pipe = NULL;
    for (skip_blanks(p); p->error == NULL && p->at[0] == '|' && p->at[1] != '|'; skip_blanks(p)) {
        p->at++;
        skip_lines(p);
        if (pipe == NULL) {
            pipe = node_new(p, NODE_PIPE);
            g_ptr_array_add(pipe->children, first);
        }
        g_ptr_array_add(pipe->children, parse_command(p));
    }
    return pipe != NULL ? pipe : first;
}

static ShellNode *
parse_and_or(Parser *p)
{
    ShellNode *left = parse_pipeline(p);
    for (skip_blanks(p); p->error == NULL && (strncmp(p->at, "&&", 2) == 0 || strncmp(p->at, "||", 2) == 0);
         skip_blanks(p)) {
        ShellNode *both = node_new(p, *p->at == '&' ? NODE_AND : NODE_OR);
        p->at += 2;
        skip_lines(p);
        g_ptr_array_add(both->children, left);
        g_ptr_array_add(both->children, parse_pipeline(p));
        left = both;
    }
    return left;
}

/* Commands up to one of `ends` (not taken) or the end of the text. */
static ShellNode *
parse_list(Parser *p, const char *const *ends)
{
    ShellNode *list = node_new(p, NODE_SEQUENCE);
    if (++p->depth > SHELL_NESTING_MAX && p->error == NULL)
        p->error = g_strdup("script is nested too deeply");
    for (skip_lines(p); p->error == NULL && *p->at != '\0' && !is_any(p, ends); skip_lines(p)) {
        if (strncmp(p->at, ";;", 2) == 0 || *p->at == ')' || is_any(p, reserved)) {
            g_autofree char *word = g_strndup(p->at, MAX(1, (size_t)(word_end(p->at) - p->at)));
            fail_at(p, word);
            break;
        }
        ShellNode *command = parse_and_or(p);
        skip_blanks(p);
        if (p->at[0] == '&' && p->at[1] != '&') {
            p->at++;
            ShellNode *background = node_new(p, NODE_BACKGROUND);
            g_ptr_array_add(background->children, command);
            command = background;
        }
        g_ptr_array_add(list->children, command);
        if (p->error == NULL && *p->at != '\0' && strchr("\n;)", *p->at) == NULL && command->kind != NODE_BACKGROUND &&
            !is_any(p, ends)) {
            g_autofree char *next = g_strndup(p->at, 1);
            fail_at(p, next);
        }
    }
    p->depth--;
    return list;
}

ShellNode *
shell_parse(const char *text, char **ret_error)
{
    Parser p = {.at = text};
    if (strlen(text) > SHELL_SCRIPT_MAX) {
        *ret_error = g_strdup("script is too long");
        return NULL;
    }
    p.pending = g_ptr_array_new();
    ShellNode *node = parse_list(&p, NULL);
    if (p.error == NULL && *p.at != '\0')
        fail_at(&p, "text");
    g_ptr_array_unref(p.pending);
    if (p.error == NULL)
        return node;
    *ret_error = p.error;
    shell_node_free(node);
    return NULL;
}
