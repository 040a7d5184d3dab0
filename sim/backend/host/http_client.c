/* One curl multi handle for all exchanges. Its sockets and its one timer are sources of the main
 * loop:
 *
 *   http_transport_* -> exchange_start -> curl (socket_wanted, timer_wanted) -> main loop -> act ->
 * exchange_data* -> exchange_end
 *
 * An exchange is in `exchanges` from its start to its end. Its caller is told exactly once, unless
 * it let go before (unwatch, disconnect, free). */
#include "sim/backend/host/http_client_private.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/api/status.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/json.h"

#define ANSWER_SIZE_MAX (256u * 1024 * 1024) /* of one list without pages */
#define WATCH_LINE_MAX (16u * 1024 * 1024)

typedef enum { EXCHANGE_CALL, EXCHANGE_WATCH, EXCHANGE_STREAM, EXCHANGE_RAW } ExchangeKind;

typedef struct HttpTransport {
    Transport base;
    CURLM *multi;
    guint timer;
    char *server;
    struct curl_slist *headers; /* of every request */
    int ca_fd, cert_fd, key_fd; /* memory files; -1: none */
    bool insecure;
    int64_t timeout_ns;
    const ApiTypes *types;
    GPtrArray *exchanges; /* Exchange, in the order they began */
    GPtrArray *sockets;   /* Socket */
} HttpTransport;

typedef struct Socket {
    HttpTransport *transport;
    curl_socket_t fd;
    guint source;
} Socket;

typedef struct Exchange {
    HttpTransport *transport;
    ExchangeKind kind;
    CURL *easy;
    struct curl_slist *headers;
    char *body;
    GString *received;
    GPtrArray *warnings;
    char error[CURL_ERROR_SIZE];
    ApiDone done;
    ApiWatchFunc func;
    const ApiStreamHandler *handler;
    void *data;
    bool over_size;
    guint drop;      /* the event in which it goes, once its caller let go; 0: none */
    bool *ret_ended; /* of a raw one */
    CURLcode code;
} Exchange;

static HttpTransport *
http_transport(Transport *base)
{
    return (HttpTransport *)base;
}

static void
exchange_free(Exchange *exchange)
{
    g_clear_handle_id(&exchange->drop, g_source_remove);
    curl_multi_remove_handle(exchange->transport->multi, exchange->easy);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    g_free(exchange->body);
    g_string_free(exchange->received, TRUE);
    g_ptr_array_unref(exchange->warnings);
    g_free(exchange);
}

/* ---- what comes ---- */

static long
exchange_status(const Exchange *exchange)
{
    long code = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

static WatchEventType
event_type(const char *name)
{
    for (int type = WATCH_ADDED; type <= WATCH_ERROR; type++)
        if (strcmp(watch_event_name((WatchEventType)type), name) == 0)
            return (WatchEventType)type;
    return WATCH_ERROR;
}

static void
watch_line(Exchange *exchange, const char *line, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) value = length > 0 ? json_parse(line, length, &error) : NULL;
    if (length == 0)
        return;
    WatchEvent event = {.type = WATCH_ERROR};
    if (value != NULL) {
        event.type = event_type(value_text(value_get(value, "type")));
        event.object = value_ref(value_get(value, "object"));
    } else {
        event.object = status_internal("a line of the watch is no JSON: %s", error->message);
    }
    event.revision =
        g_ascii_strtoll(value_text_at(event.object, "metadata.resourceVersion"), NULL, 10);
    if (exchange->func != NULL)
        exchange->func(&event, exchange->data);
    value_unref(event.object);
}

static size_t
exchange_data(char *bytes, size_t size, size_t count, void *data)
{
    Exchange *exchange = data;
    size_t length = size * count;
    bool streams = exchange_status(exchange) == 200;
    if (exchange->kind == EXCHANGE_STREAM && streams) {
        if (exchange->handler != NULL)
            exchange->handler->received(1, bytes, length, exchange->data);
        return length;
    }
    g_string_append_len(exchange->received, bytes, (gssize)length);
    size_t most = exchange->kind == EXCHANGE_WATCH ? WATCH_LINE_MAX : ANSWER_SIZE_MAX;
    if (exchange->received->len > most) {
        exchange->over_size = true;
        return 0;
    }
    const char *newline;
    while (exchange->kind == EXCHANGE_WATCH && streams &&
           (newline = memchr(exchange->received->str, '\n', exchange->received->len)) != NULL) {
        size_t line = (size_t)(newline - exchange->received->str);
        g_autofree char *text = g_strndup(exchange->received->str, line);
        g_string_erase(exchange->received, 0, (gssize)line + 1);
        watch_line(exchange, text, line);
    }
    return length;
}

/* Warning: 299 - "text" */
static size_t
exchange_header(char *bytes, size_t size, size_t count, void *data)
{
    Exchange *exchange = data;
    size_t length = size * count;
    if (length > 8 && g_ascii_strncasecmp(bytes, "Warning:", 8) == 0) {
        g_autofree char *line = g_strndup(bytes, length);
        char *open = strchr(line, '"'), *close = strrchr(line, '"');
        if (open != NULL && close > open)
            g_ptr_array_add(exchange->warnings, g_strndup(open + 1, (gsize)(close - open - 1)));
    }
    return length;
}

/* ---- how it ends ---- */

/* A Status for an exchange that went wrong; owned. */
static Value *
failure(Exchange *exchange)
{
    const char *server = exchange->transport->server;
    g_autofree char *host =
        g_strdup(strstr(server, "://") != NULL ? strstr(server, "://") + 3 : server);
    if (exchange->over_size)
        return status_internal("the answer is larger than this program takes");
    if (exchange->code == CURLE_COULDNT_CONNECT)
        return status_unavailable(
            "The connection to the server %s was refused - did you specify the right host or port?",
            host);
    return status_unavailable("Unable to connect to the server: %s",
                              *exchange->error != '\0' ? exchange->error
                                                       : curl_easy_strerror(exchange->code));
}

/* The answer's object; a Status when it is none. Owned. */
static Value *
answer_object(Exchange *exchange, long code)
{
    Value *object = json_parse(exchange->received->str, exchange->received->len, NULL);
    if (value_is_map(object))
        return object;
    value_unref(object);
    g_autofree char *text = g_strndup(exchange->received->str, MIN(exchange->received->len, 1024));
    g_strstrip(text);
    if (code >= 200 && code < 300)
        return value_new_string_len(exchange->received->str, exchange->received->len);
    return status_new((int)code,
                      code == 401   ? "Unauthorized"
                      : code == 403 ? "Forbidden"
                      : code == 404 ? "NotFound"
                                    : "InternalError",
                      "%s", *text != '\0' ? text : "the server gave no reason");
}

static void
end_call(Exchange *exchange, ApiDone done, void *data)
{
    long code = exchange->code == CURLE_OK ? exchange_status(exchange) : 503;
    Value *object = exchange->code == CURLE_OK ? answer_object(exchange, code) : failure(exchange);
    ApiResponse *response = api_response_new((int)code, object);
    if (exchange->warnings->len > 0) {
        response->warnings = g_new0(char *, exchange->warnings->len + 1);
        for (guint i = 0; i < exchange->warnings->len; i++)
            response->warnings[i] = g_strdup(g_ptr_array_index(exchange->warnings, i));
    }
    exchange_free(exchange);
    if (done != NULL)
        done(response, data);
    else
        api_response_free(response);
}

/* A Status of what a watch or a stream met; NULL for its plain end. Owned. */
static Value *
refusal(Exchange *exchange)
{
    long code = exchange_status(exchange);
    if (exchange->code != CURLE_OK && code != 200)
        return failure(exchange);
    return code == 200 ? NULL : answer_object(exchange, code);
}

static void
exchange_end(Exchange *exchange)
{
    g_ptr_array_remove(exchange->transport->exchanges, exchange);
    if (exchange->kind == EXCHANGE_CALL) {
        end_call(exchange, exchange->done, exchange->data);
        return;
    }
    if (exchange->kind == EXCHANGE_RAW) {
        g_ptr_array_add(exchange->transport->exchanges, exchange);
        *exchange->ret_ended = true;
        return;
    }
    g_autoptr(Value) status = refusal(exchange);
    ApiWatchFunc func = exchange->func;
    const ApiStreamHandler *handler = exchange->handler;
    void *data = exchange->data;
    exchange_free(exchange);
    if (func != NULL && status != NULL) {
        WatchEvent event = {.type = WATCH_ERROR, .object = status};
        func(&event, data);
    }
    if (func != NULL)
        func(NULL, data);
    if (handler != NULL)
        handler->ended(status, data);
}

/* ---- curl in the main loop ---- */

static void
finish_those_done(HttpTransport *transport)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transport->multi, &left)) != NULL) {
        char *private_;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private_);
        Exchange *exchange = (Exchange *)(void *)private_;
        exchange->code = code;
        exchange_end(exchange);
    }
}

static gboolean
socket_ready(gint fd, GIOCondition condition, gpointer data)
{
    HttpTransport *transport = data;
    int running, what = (condition & (G_IO_IN | G_IO_HUP) ? CURL_CSELECT_IN : 0) |
                        (condition & G_IO_OUT ? CURL_CSELECT_OUT : 0) |
                        (condition & G_IO_ERR ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(transport->multi, fd, what, &running);
    finish_those_done(transport);
    return G_SOURCE_CONTINUE;
}

static void
socket_free(void *data)
{
    Socket *entry = data;
    if (entry->source != 0)
        g_source_remove(entry->source);
    g_free(entry);
}

static int
socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *data)
{
    HttpTransport *transport = user;
    Socket *entry = data;
    if (what == CURL_POLL_REMOVE) {
        if (entry != NULL)
            g_ptr_array_remove(transport->sockets, entry);
        return 0;
    }
    if (entry == NULL) {
        entry = g_new0(Socket, 1);
        entry->transport = transport;
        entry->fd = fd;
        g_ptr_array_add(transport->sockets, entry);
        curl_multi_assign(transport->multi, fd, entry);
    }
    if (entry->source != 0)
        g_source_remove(entry->source);
    GIOCondition condition = G_IO_ERR | G_IO_HUP;
    if (what & CURL_POLL_IN)
        condition |= G_IO_IN;
    if (what & CURL_POLL_OUT)
        condition |= G_IO_OUT;
    entry->source = g_unix_fd_add(fd, condition, socket_ready, transport);
    return 0;
}

static gboolean
timer_fired(gpointer data)
{
    HttpTransport *transport = data;
    int running;
    transport->timer = 0;
    curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    finish_those_done(transport);
    return G_SOURCE_REMOVE;
}

static int
timer_wanted(CURLM *multi, long milliseconds, void *user)
{
    HttpTransport *transport = user;
    g_clear_handle_id(&transport->timer, g_source_remove);
    if (milliseconds >= 0)
        transport->timer = g_timeout_add((guint)milliseconds, timer_fired, transport);
    return 0;
}

/* ---- starting ---- */

static void
set_memory_file(CURL *easy, CURLoption option, int fd)
{
    if (fd < 0)
        return;
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    curl_easy_setopt(easy, option, path);
}

static void
set_security(Exchange *exchange)
{
    const HttpTransport *transport = exchange->transport;
    CURL *easy = exchange->easy;
    set_memory_file(easy, CURLOPT_CAINFO, transport->ca_fd);
    set_memory_file(easy, CURLOPT_SSLCERT, transport->cert_fd);
    set_memory_file(easy, CURLOPT_SSLKEY, transport->key_fd);
    if (transport->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static Exchange *
exchange_new(HttpTransport *transport, ExchangeKind kind, const char *target)
{
    Exchange *exchange = g_new0(Exchange, 1);
    g_autofree char *url = g_strconcat(transport->server, target, NULL);
    exchange->transport = transport;
    exchange->kind = kind;
    exchange->received = g_string_new(NULL);
    exchange->warnings = g_ptr_array_new_with_free_func(g_free);
    exchange->easy = curl_easy_init();
    for (struct curl_slist *header = transport->headers; header != NULL; header = header->next)
        exchange->headers = curl_slist_append(exchange->headers, header->data);
    CURL *easy = exchange->easy;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, exchange_data);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, exchange_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 30000L);
    if (transport->timeout_ns > 0 && (kind == EXCHANGE_CALL || kind == EXCHANGE_RAW))
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(transport->timeout_ns / NS_PER_MS));
    set_security(exchange);
    return exchange;
}

static void
exchange_start(Exchange *exchange)
{
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
    g_ptr_array_add(exchange->transport->exchanges, exchange);
    curl_multi_add_handle(exchange->transport->multi, exchange->easy);
}

/* Takes the request. */
static Exchange *
exchange_of(HttpTransport *transport, ExchangeKind kind, ApiRequest *take)
{
    g_autoptr(ApiRequest) request = take;
    g_autofree char *target = http_client_target(transport->types, request);
    Exchange *exchange = exchange_new(transport, kind, target);
    curl_easy_setopt(exchange->easy, CURLOPT_CUSTOMREQUEST, http_client_method(request));
    if (request->user_agent != NULL)
        curl_easy_setopt(exchange->easy, CURLOPT_USERAGENT, request->user_agent);
    if (request->body != NULL) {
        g_autofree char *type =
            g_strdup_printf("Content-Type: %s", http_client_content_type(request));
        exchange->body = json_text(request->body);
        exchange->headers = curl_slist_append(exchange->headers, type);
        exchange->headers = curl_slist_append(exchange->headers, "Expect:");
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)strlen(exchange->body));
        curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, exchange->body);
    }
    return exchange;
}

static void
transport_call(Transport *base, ApiRequest *take, ApiDone done, void *data)
{
    Exchange *exchange = exchange_of(http_transport(base), EXCHANGE_CALL, take);
    exchange->done = done;
    exchange->data = data;
    exchange_start(exchange);
}

/* Handles that callers hold are the exchanges themselves. */
static TransportWatch *
transport_watch(Transport *base, ApiRequest *take, ApiWatchFunc func, void *data)
{
    Exchange *exchange = exchange_of(http_transport(base), EXCHANGE_WATCH, take);
    exchange->func = func;
    exchange->data = data;
    exchange_start(exchange);
    return (TransportWatch *)exchange;
}

static gboolean
exchange_drop(gpointer data)
{
    Exchange *exchange = data;
    exchange->drop = 0;
    g_ptr_array_remove(exchange->transport->exchanges, exchange);
    exchange_free(exchange);
    return G_SOURCE_REMOVE;
}

/* May be called from within the exchange's own function, where curl must keep the handle: it goes
 * by a later event. */
static void
exchange_forget(Exchange *exchange)
{
    exchange->func = NULL;
    exchange->handler = NULL;
    if (exchange->drop == 0)
        exchange->drop = g_idle_add(exchange_drop, exchange);
}

static void
transport_unwatch(Transport *base, TransportWatch *watch)
{
    exchange_forget((Exchange *)watch);
}

static TransportStream *
transport_connect(Transport *base, ApiRequest *take, const ApiStreamHandler *handler, void *data)
{
    bool log = g_strcmp0(take->subresource, "log") == 0;
    if (!log) {
        g_autoptr(Value) status = status_new(
            501, "NotImplemented",
            "%s over HTTP cannot be had yet with this kubectl; use the kubectl of kubernetes.io",
            take->subresource);
        api_request_free(take);
        handler->ended(status, data);
        return NULL;
    }
    Exchange *exchange = exchange_of(http_transport(base), EXCHANGE_STREAM, take);
    exchange->handler = handler;
    exchange->data = data;
    exchange_start(exchange);
    return (TransportStream *)exchange;
}

static void
transport_send(TransportStream *stream, int channel, const void *bytes, size_t length)
{
}

static void
transport_disconnect(TransportStream *stream)
{
    exchange_forget((Exchange *)stream);
}

static void
close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void
transport_free(Transport *base)
{
    HttpTransport *transport = http_transport(base);
    for (guint i = 0; i < transport->exchanges->len; i++)
        exchange_free(g_ptr_array_index(transport->exchanges, i));
    g_ptr_array_unref(transport->exchanges);
    if (transport->multi != NULL)
        curl_multi_cleanup(transport->multi);
    g_ptr_array_unref(transport->sockets);
    g_clear_handle_id(&transport->timer, g_source_remove);
    curl_slist_free_all(transport->headers);
    close_fd(transport->ca_fd);
    close_fd(transport->cert_fd);
    close_fd(transport->key_fd);
    g_free(transport->server);
    g_free(transport);
}

static const TransportOps ops = {
    .call = transport_call,
    .watch = transport_watch,
    .unwatch = transport_unwatch,
    .connect = transport_connect,
    .send = transport_send,
    .disconnect = transport_disconnect,
    .free = transport_free,
};

/* ---- making ---- */

/* Keys go to the TLS library as files that only this process sees. -1 for NULL; -2 with error. */
static int
memory_file(const char *text, GError **error)
{
    if (text == NULL)
        return -1;
    int fd = memfd_create("timonel-key", MFD_CLOEXEC);
    size_t length = strlen(text);
    if (fd >= 0 && write(fd, text, length) == (ssize_t)length)
        return fd;
    close_fd(fd);
    fail(error, TIMONEL_ERROR_IO, "cannot keep a key in memory: %s", g_strerror(errno));
    return -2;
}

static void
add_header(HttpTransport *transport, const char *format, const char *text)
{
    g_autofree char *line = g_strdup_printf(format, text);
    if (text != NULL && strpbrk(text, "\r\n") == NULL)
        transport->headers = curl_slist_append(transport->headers, line);
}

Transport *
http_transport_new(const HttpTransportOptions *options, GError **error)
{
    HttpTransport *transport = g_new0(HttpTransport, 1);
    size_t length = strlen(options->server);
    while (length > 0 && options->server[length - 1] == '/')
        length--;
    transport->base.ops = &ops;
    transport->exchanges = g_ptr_array_new();
    transport->sockets = g_ptr_array_new_with_free_func(socket_free);
    transport->server = strstr(options->server, "://") != NULL
                            ? g_strndup(options->server, length)
                            : g_strdup_printf("http://%.*s", (int)length, options->server);
    transport->insecure = options->insecure;
    transport->timeout_ns = options->timeout_ns;
    transport->types = options->types;
    transport->ca_fd = memory_file(options->ca_pem, error);
    transport->cert_fd = transport->ca_fd != -2 ? memory_file(options->client_cert_pem, error) : -2;
    transport->key_fd = transport->cert_fd != -2 ? memory_file(options->client_key_pem, error) : -2;
    add_header(transport, "%s", "Accept: application/json");
    add_header(transport, "Authorization: Bearer %s", options->token);
    add_header(transport, "Impersonate-User: %s", options->as_user);
    for (const char *const *group = options->as_groups; group != NULL && *group != NULL; group++)
        add_header(transport, "Impersonate-Group: %s", *group);
    transport->multi = curl_multi_init();
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
    if (transport->key_fd != -2)
        return &transport->base;
    transport_free(&transport->base);
    return NULL;
}

char *
http_transport_get_raw(Transport *base, const char *path, GError **error)
{
    HttpTransport *transport = http_transport(base);
    Exchange *exchange = exchange_new(transport, EXCHANGE_RAW, path);
    bool ended = false;
    exchange->ret_ended = &ended;
    exchange_start(exchange);
    while (!ended)
        g_main_context_iteration(NULL, TRUE);
    g_ptr_array_remove(transport->exchanges, exchange);
    long code = exchange->code == CURLE_OK ? exchange_status(exchange) : 0;
    char *text = code == 200 ? g_strndup(exchange->received->str, exchange->received->len) : NULL;
    if (text == NULL) {
        g_autoptr(Value) status = code == 0 ? failure(exchange) : answer_object(exchange, code);
        fail(error, TIMONEL_ERROR_UNAVAILABLE, "%s", status_message(status));
    }
    exchange_free(exchange);
    return text;
}
