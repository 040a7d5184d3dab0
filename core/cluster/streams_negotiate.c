/* Which protocol the two sides speak: of the client's wishes, in its order, the first that is offered. */
#include "core/cluster/streams_private.h"

/* The words of a header that may be repeated and hold lists: owned. */
static GPtrArray *
header_words(const HttpRequest *http, const char *name)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < http->n_headers; i++) {
        if (g_ascii_strcasecmp(http->headers[i].name, name) != 0)
            continue;
        g_auto(GStrv) parts = g_strsplit(http->headers[i].value, ",", 64);
        for (char **part = parts; *part != NULL; part++)
            if (*g_strstrip(*part) != '\0')
                g_ptr_array_add(words, g_strdup(*part));
    }
    return words;
}

static bool
header_says(const HttpRequest *http, const char *name, const char *wanted)
{
    g_autoptr(GPtrArray) words = header_words(http, name);
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(words->pdata[i], wanted) == 0)
            return true;
    return false;
}

static const char *
first_offered(const GPtrArray *wishes, const char *const *offered)
{
    for (guint i = 0; i < wishes->len; i++)
        for (size_t j = 0; offered[j] != NULL; j++)
            if (*offered[j] != '\0' && strcmp(wishes->pdata[i], offered[j]) == 0)
                return offered[j];
    return NULL;
}

static char *
joined(const GPtrArray *words)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (const char *)words->pdata[i]);
    return g_string_free(text, FALSE);
}

static Value *
no_common_protocol(const GPtrArray *wishes, const char *const *offered)
{
    g_autofree char *client = joined(wishes);
    g_autofree char *server = g_strjoinv(" ", (char **)offered);
    return status_new(403, "Forbidden",
                      "unable to upgrade: unable to negotiate protocol: client supports [%s], "
                      "server accepts [%s]", client, server);
}

static bool
negotiate_socket(const HttpRequest *http, const StreamOffer *offer, StreamAgreement *ret,
                 Value **ret_refusal)
{
    g_autoptr(GPtrArray) wishes = header_words(http, "Sec-WebSocket-Protocol");
    const char *version = http_request_header(http, "Sec-WebSocket-Version");
    const char *protocol = first_offered(wishes, offer->socket_protocols);
    g_autofree char *accept = web_socket_accept(http_request_header(http, "Sec-WebSocket-Key"));
    if (accept == NULL || g_strcmp0(version, "13") != 0 || strcmp(http->method, "GET") != 0) {
        *ret_refusal = status_bad_request("the WebSocket handshake is wrong: a GET with "
                                          "Sec-WebSocket-Version 13 and a Sec-WebSocket-Key of "
                                          "16 bytes in base64 was expected");
        return false;
    }
    for (size_t i = 0; wishes->len == 0 && offer->socket_protocols[i] != NULL; i++)
        if (*offer->socket_protocols[i] == '\0')
            protocol = "";
    if (protocol == NULL) {
        *ret_refusal = no_common_protocol(wishes, offer->socket_protocols);
        return false;
    }
    *ret = (StreamAgreement){
        .form = g_str_has_prefix(protocol, "SPDY/3.1+") ? STREAM_TUNNEL : STREAM_SOCKET,
        .protocol = protocol,
        .base64 = strstr(protocol, "base64") != NULL,
        .accept = g_steal_pointer(&accept),
    };
    return true;
}

bool
stream_negotiate(const HttpRequest *http, const StreamOffer *offer, StreamAgreement *ret_agreement,
                 Value **ret_refusal)
{
    bool upgrade = header_says(http, "Connection", "Upgrade");
    if (upgrade && header_says(http, "Upgrade", "websocket"))
        return negotiate_socket(http, offer, ret_agreement, ret_refusal);
    if (!upgrade || offer->spdy_protocols == NULL || !header_says(http, "Upgrade", "SPDY/3.1")) {
        *ret_refusal = status_bad_request("Upgrade request required");
        return false;
    }
    g_autoptr(GPtrArray) wishes = header_words(http, "X-Stream-Protocol-Version");
    const char *protocol = wishes->len == 0 ? "" : first_offered(wishes, offer->spdy_protocols);
    if (protocol == NULL) {
        *ret_refusal = no_common_protocol(wishes, offer->spdy_protocols);
        return false;
    }
    *ret_agreement = (StreamAgreement){.form = STREAM_SPDY, .protocol = protocol};
    return true;
}
