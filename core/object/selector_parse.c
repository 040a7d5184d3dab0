/* The grammar of label selectors, with apimachinery's messages (pkg/labels/selector.go). */
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/selector_private.h"

typedef enum {
    TOKEN_END,
    TOKEN_WORD, /* also "in" and "notin": where they are operators is the parser's business */
    TOKEN_SYMBOL,
} TokenType;

typedef struct {
    TokenType type;
    const char *text;
    size_t len;
} Token;

typedef struct {
    const char *at;
    Token token; /* the one that comes next */
} Lexer;

#define SYMBOLS "=!(),><"
#define SPACES " \t\r\n"

static void
lexer_next(Lexer *lexer)
{
    lexer->at += strspn(lexer->at, SPACES);
    Token token = {.text = lexer->at};
    if (*lexer->at == '\0') {
        token.type = TOKEN_END;
    } else if (strchr(SYMBOLS, *lexer->at) == NULL) {
        token.type = TOKEN_WORD;
        token.len = strcspn(lexer->at, SYMBOLS SPACES);
    } else {
        bool two = lexer->at[1] == '=' && (*lexer->at == '=' || *lexer->at == '!');
        token.type = TOKEN_SYMBOL;
        token.len = two ? 2 : 1;
    }
    lexer->at += token.len;
    lexer->token = token;
}

static bool
token_is(const Token *token, const char *text)
{
    return token->len == strlen(text) && memcmp(token->text, text, token->len) == 0 &&
           token->type != TOKEN_END;
}

static bool
expected(const Token *token, GError **error, const char *what)
{
    return fail(error, TIMONEL_ERROR_INVALID, "found '%.*s'%s", (int)token->len, token->text, what);
}

static void
take_value(Lexer *lexer, Requirement *requirement)
{
    g_ptr_array_add(requirement->values, g_strndup(lexer->token.text, lexer->token.len));
    lexer_next(lexer);
}

/* "(a, b)": an empty place stands for the empty value. */
static bool
parse_value_list(Lexer *lexer, Requirement *requirement, GError **error)
{
    bool value_wanted = true;

    if (!token_is(&lexer->token, "("))
        return expected(&lexer->token, error, " expected: '('");
    for (lexer_next(lexer);;) {
        if (lexer->token.type == TOKEN_WORD) {
            if (!value_wanted)
                return expected(&lexer->token, error, ", expected: ',' or ')'");
            take_value(lexer, requirement);
            value_wanted = false;
            continue;
        }
        bool comma = token_is(&lexer->token, ",");
        if (!comma && !token_is(&lexer->token, ")"))
            return expected(&lexer->token, error,
                            value_wanted ? ", expected: ',', ')' or identifier" : ", expected: ',' or ')'");
        if (value_wanted)
            g_ptr_array_add(requirement->values, g_strdup(""));
        value_wanted = comma;
        lexer_next(lexer);
        if (!comma)
            return true;
    }
}

static bool
parse_exact_value(Lexer *lexer, Requirement *requirement, GError **error)
{
    if (lexer->token.type == TOKEN_END || token_is(&lexer->token, ",")) {
        g_ptr_array_add(requirement->values, g_strdup(""));
        return true;
    }
    if (lexer->token.type != TOKEN_WORD)
        return expected(&lexer->token, error, ", expected: identifier");
    take_value(lexer, requirement);
    return true;
}

static bool
parse_operator(Lexer *lexer, SelectorOperator *ret_operator, GError **error)
{
    static const struct {
        const char *text;
        SelectorOperator operator;
    } operators[] = {
        {"in", SELECTOR_IN},         {"notin", SELECTOR_NOT_IN},   {"=", SELECTOR_EQUALS},
        {"==", SELECTOR_DOUBLE_EQUALS}, {"!=", SELECTOR_NOT_EQUALS}, {">", SELECTOR_GREATER},
        {"<", SELECTOR_LESS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
        if (token_is(&lexer->token, operators[i].text)) {
            *ret_operator = operators[i].operator;
            lexer_next(lexer);
            return true;
        }
    }
    return expected(&lexer->token, error, ", expected: in, notin, =, ==, !=, gt, lt");
}

static Requirement *
parse_requirement(Lexer *lexer, GError **error)
{
    bool negated = token_is(&lexer->token, "!");

    if (negated)
        lexer_next(lexer);
    if (lexer->token.type != TOKEN_WORD) {
        expected(&lexer->token, error, ", expected: identifier");
        return NULL;
    }
    g_autofree char *key = g_strndup(lexer->token.text, lexer->token.len);
    g_autofree char *problem = label_key_problem(key);
    if (problem != NULL) {
        fail(error, TIMONEL_ERROR_INVALID, "<nil>: Invalid value: \"%s\": %s", key, problem);
        return NULL;
    }
    lexer_next(lexer);
    g_autoptr(Requirement) requirement =
        requirement_new(key, negated ? SELECTOR_NOT_EXISTS : SELECTOR_EXISTS);
    if (!negated && lexer->token.type != TOKEN_END && !token_is(&lexer->token, ",")) {
        if (!parse_operator(lexer, &requirement->operator, error))
            return NULL;
        bool list =
            requirement->operator == SELECTOR_IN || requirement->operator == SELECTOR_NOT_IN;
        if (list ? !parse_value_list(lexer, requirement, error)
                 : !parse_exact_value(lexer, requirement, error))
            return NULL;
    }
    return requirement_check(requirement, error) ? g_steal_pointer(&requirement) : NULL;
}

static bool
parse_all(Lexer *lexer, Selector *selector, GError **error)
{
    while (lexer->token.type != TOKEN_END) {
        if (lexer->token.type != TOKEN_WORD && !token_is(&lexer->token, "!"))
            return expected(&lexer->token, error, ", expected: !, identifier, or 'end of string'");
        Requirement *requirement = parse_requirement(lexer, error);
        if (requirement == NULL) {
            g_prefix_error(error, "unable to parse requirement: ");
            return false;
        }
        selector_add(selector, requirement);
        if (selector_size(selector) > SELECTOR_REQUIREMENTS_MAX)
            return fail(error, TIMONEL_ERROR_LIMIT, "more than %d requirements", SELECTOR_REQUIREMENTS_MAX);
        if (lexer->token.type == TOKEN_END)
            break;
        if (!token_is(&lexer->token, ","))
            return expected(&lexer->token, error, ", expected: ',' or 'end of string'");
        lexer_next(lexer);
        if (lexer->token.type != TOKEN_WORD && !token_is(&lexer->token, "!"))
            return expected(&lexer->token, error, ", expected: identifier after ','");
    }
    return true;
}

Selector *
selector_parse(const char *text, GError **error)
{
    g_autoptr(Selector) selector = selector_new_everything();
    Lexer lexer = {.at = text};

    if (strlen(text) > SELECTOR_TEXT_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "a selector of more than %u bytes", SELECTOR_TEXT_MAX);
        return NULL;
    }
    lexer_next(&lexer);
    return parse_all(&lexer, selector, error) ? g_steal_pointer(&selector) : NULL;
}
