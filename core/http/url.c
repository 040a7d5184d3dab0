/* A request's target: path safety, percent decoding, query. */
#include "core/http/private.h"

/* In place. False for a malformed escape or an encoded NUL. */
static bool
percent_decode(char *text, bool plus_is_space)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        if (*in == '%') {
            if (!g_ascii_isxdigit(in[1]) || !g_ascii_isxdigit(in[2]))
                return false;
            *out = (char)(g_ascii_xdigit_value(in[1]) * 16 + g_ascii_xdigit_value(in[2]));
            if (*out++ == '\0')
                return false;
            in += 2;
        } else {
            *out++ = plus_is_space && *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
    return true;
}

static bool
url_split(Url *url)
{
    char *next = url->storage;

    while (*next != '\0') {
        char *begin = next + strspn(next, "/");

        if (*begin == '\0')
            break;
        next = begin + strcspn(begin, "/");
        if (*next != '\0')
            *next++ = '\0';
        if (url->n_segments == HTTP_SEGMENTS_MAX || !percent_decode(begin, false) ||
            !g_utf8_validate(begin, -1, NULL))
            return false;
        if (strcmp(begin, ".") == 0 || strcmp(begin, "..") == 0 || strchr(begin, '/') != NULL)
            return false;
        url->segments[url->n_segments++] = begin;
    }
    return true;
}

static bool
url_parse_query(Url *url, const char *text)
{
    g_auto(GStrv) pairs = g_strsplit(text, "&", 256);

    url->query = value_new_map();
    for (char **pair = pairs; *pair != NULL; pair++) {
        char *equals = strchr(*pair, '=');
        Value *values;

        if (**pair == '\0')
            continue;
        if (equals != NULL)
            *equals = '\0';
        if (!percent_decode(*pair, true) || (equals != NULL && !percent_decode(equals + 1, true)) ||
            !g_utf8_validate(*pair, -1, NULL) ||
            (equals != NULL && !g_utf8_validate(equals + 1, -1, NULL)))
            return false;
        values = value_append(value_get(url->query, *pair),
                              value_new_string(equals == NULL ? "" : equals + 1));
        value_replace(&url->query, value_set(url->query, *pair, values));
    }
    return true;
}

bool
url_parse(const char *target, Url *ret_url)
{
    const char *query = strchr(target, '?');

    memset(ret_url, 0, sizeof *ret_url);
    if (*target != '/' || strlen(target) > HTTP_TARGET_MAX)
        return false;
    ret_url->path = query == NULL ? g_strdup(target) : g_strndup(target, (size_t)(query - target));
    ret_url->storage = g_strdup(ret_url->path);
    return url_split(ret_url) && url_parse_query(ret_url, query == NULL ? "" : query + 1);
}

void
url_clear(Url *url)
{
    g_free(url->path);
    g_free(url->storage);
    value_unref(url->query);
}

const char *
url_param(const Url *url, const char *name)
{
    return value_string(value_item(value_get(url->query, name), 0));
}

bool
url_param_bool(const Url *url, const char *name)
{
    const char *text = url_param(url, name);

    return text != NULL && g_ascii_strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0;
}
