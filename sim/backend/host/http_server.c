/* The server's event source and its answers. One Exchange is one request with its responder:
 *
 *   reading --(body complete)--> handled --(start)--> answering --(end and sent)--> freed
 *                                   \--(client gone)--> gone --(end)--> freed
 *
 * libmicrohttpd knows a connection that waits as suspended; while it is, a watch on the socket's hang-up wakes it, since a
 * suspended connection would not notice. An Exchange is freed when both sides are through with it: the library (completed)
 * and the handler (ended). */
#include "sim/backend/host/http_server.h"

#include <errno.h>
#include <glib-unix.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "sim/backend/host/http_upgrade.h"

#define HEADERS_MAX 64

struct HttpServer {
    struct MHD_Daemon *daemon;
    HttpHandler handler;
    void *data;
    GSource *source;
    guint16 port;
    gboolean secure;
    gboolean closing;
    gboolean resumed; /* a connection was resumed: the library's epoll descriptor does not tell of that */
    GQueue exchanges; /* those the library is not through with */
};

/* What is known of a connection, once for all its requests. */
typedef struct Peer {
    char *common_name;
    char **organizations;
    char *address;
    gboolean known;
} Peer;

typedef struct Exchange {
    HttpResponder responder;
    GList link; /* in the server's exchanges */
    HttpServer *server;
    struct MHD_Connection *connection; /* NULL once the library is through with it */
    GByteArray *body;
    gboolean too_large;
    gboolean handled, started, queued, ended, suspended, hung_up;
    int code;
    gint64 length;
    GPtrArray *headers; /* name, value, name, value ... */
    GQueue chunks;      /* of GBytes, not sent yet */
    size_t head_offset; /* sent of the first chunk */
    size_t backlog;
    guint hangup_watch;
    void (*gone)(void *data);
    void *gone_data;
    HttpUpgrade *upgrade;
    void (*received)(const void *bytes, size_t length, void *data);
    void *received_data;
} Exchange;

static Exchange *
exchange_of(HttpResponder *responder)
{
    return (Exchange *)responder;
}

static void
exchange_free_when_done(Exchange *exchange)
{
    if (exchange->connection != NULL || (exchange->handled && !exchange->ended))
        return;
    g_byte_array_unref(exchange->body);
    g_ptr_array_unref(exchange->headers);
    g_queue_clear_full(&exchange->chunks, (GDestroyNotify)g_bytes_unref);
    http_upgrade_free(exchange->upgrade);
    g_free(exchange);
}

/* ---- waiting ------------------------------------------------------------------------------------------------ */

static void
exchange_resume(Exchange *exchange)
{
    if (!exchange->suspended)
        return;
    exchange->suspended = FALSE;
    g_clear_handle_id(&exchange->hangup_watch, g_source_remove);
    exchange->server->resumed = TRUE;
    MHD_resume_connection(exchange->connection);
}

static gboolean
exchange_hung_up(gint fd, GIOCondition condition, gpointer data)
{
    Exchange *exchange = data;
    exchange->hangup_watch = 0;
    exchange->suspended = FALSE;
    exchange->hung_up = TRUE;
    /* Without an answer the library would call us again with nothing to say: end the exchange as an empty stream. */
    if (!exchange->started) {
        exchange->started = TRUE;
        exchange->code = MHD_HTTP_SERVICE_UNAVAILABLE;
        exchange->length = 0;
    }
    exchange->server->resumed = TRUE;
    MHD_resume_connection(exchange->connection);
    return G_SOURCE_REMOVE;
}

static void
exchange_suspend(Exchange *exchange)
{
    if (exchange->suspended || exchange->server->closing)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    exchange->suspended = TRUE;
    if (info != NULL)
        exchange->hangup_watch = g_unix_fd_add(
            info->connect_fd, (GIOCondition)(POLLRDHUP | POLLHUP | POLLERR), exchange_hung_up,
            exchange);
    MHD_suspend_connection(exchange->connection);
}

/* ---- the responder ------------------------------------------------------------------------------------------- */

static void
responder_start(HttpResponder *responder, int code, const HttpHeader *headers, size_t n_headers,
                gint64 length)
{
    Exchange *exchange = exchange_of(responder);
    if (exchange->started)
        return;
    exchange->started = TRUE;
    exchange->code = code;
    exchange->length = length;
    for (size_t i = 0; i < n_headers; i++) {
        g_ptr_array_add(exchange->headers, g_strdup(headers[i].name));
        g_ptr_array_add(exchange->headers, g_strdup(headers[i].value));
    }
    /* A body of known length goes out in one piece, at the end. */
    if (length < 0 && exchange->connection != NULL)
        exchange_resume(exchange);
}

static void
responder_write(HttpResponder *responder, GBytes *bytes)
{
    Exchange *exchange = exchange_of(responder);
    size_t size = g_bytes_get_size(bytes);
    if (exchange->upgrade != NULL) {
        http_upgrade_write(exchange->upgrade, bytes);
        return;
    }
    if (exchange->connection == NULL || size == 0)
        return;
    g_queue_push_tail(&exchange->chunks, g_bytes_ref(bytes));
    exchange->backlog += size;
    if (exchange->length < 0)
        exchange_resume(exchange);
}

static void
responder_end(HttpResponder *responder)
{
    Exchange *exchange = exchange_of(responder);
    exchange->ended = TRUE;
    exchange->gone = NULL;
    if (exchange->upgrade != NULL)
        http_upgrade_end(exchange->upgrade);
    else if (exchange->connection != NULL)
        exchange_resume(exchange);
    exchange_free_when_done(exchange);
}

static void
responder_on_gone(HttpResponder *responder, void (*func)(void *data), void *data)
{
    Exchange *exchange = exchange_of(responder);
    exchange->gone = func;
    exchange->gone_data = data;
}

static size_t
responder_backlog(HttpResponder *responder)
{
    Exchange *exchange = exchange_of(responder);
    return exchange->upgrade != NULL ? http_upgrade_backlog(exchange->upgrade) : exchange->backlog;
}

static void
responder_upgrade(HttpResponder *responder, const HttpHeader *headers, size_t n_headers,
                  void (*received)(const void *, size_t, void *), void *data)
{
    Exchange *exchange = exchange_of(responder);
    exchange->received = received;
    exchange->received_data = data;
    exchange->upgrade = http_upgrade_new(received, data);
    responder_start(responder, MHD_HTTP_SWITCHING_PROTOCOLS, headers, n_headers, -1);
}

static const HttpResponderOps RESPONDER_OPS = {
    .start = responder_start,
    .write = responder_write,
    .end = responder_end,
    .on_gone = responder_on_gone,
    .backlog = responder_backlog,
    .upgrade = responder_upgrade,
};

/* ---- answers --------------------------------------------------------------------------------------------------- */

static ssize_t
stream_read(void *data, uint64_t position, char *buffer, size_t max)
{
    Exchange *exchange = data;
    GBytes *head = g_queue_peek_head(&exchange->chunks);
    if (exchange->hung_up)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (head == NULL) {
        if (exchange->ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        exchange_suspend(exchange);
        return 0;
    }
    size_t size;
    const char *bytes = g_bytes_get_data(head, &size);
    size_t n = MIN(size - exchange->head_offset, max);
    memcpy(buffer, bytes + exchange->head_offset, n);
    exchange->head_offset += n;
    exchange->backlog -= n;
    if (exchange->head_offset == size) {
        g_bytes_unref(g_queue_pop_head(&exchange->chunks));
        exchange->head_offset = 0;
    }
    return (ssize_t)n;
}

static struct MHD_Response *
response_of_one_piece(Exchange *exchange)
{
    GBytes *whole = g_queue_pop_head(&exchange->chunks);
    if (whole == NULL)
        return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    if (!g_queue_is_empty(&exchange->chunks)) {
        GByteArray *all = g_bytes_unref_to_array(whole);
        for (GBytes *next; (next = g_queue_pop_head(&exchange->chunks)) != NULL;
             g_bytes_unref(next))
            g_byte_array_append(all, g_bytes_get_data(next, NULL), (guint)g_bytes_get_size(next));
        whole = g_byte_array_free_to_bytes(all);
    }
    exchange->backlog = 0;
    size_t size;
    const void *bytes = g_bytes_get_data(whole, &size);
    return MHD_create_response_from_buffer_with_free_callback_cls(
        size, (void *)bytes, (MHD_ContentReaderFreeCallback)g_bytes_unref, whole);
}

static void
upgraded(void *data, struct MHD_Connection *connection, void *request_data, const char *extra,
         size_t extra_size, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle)
{
    Exchange *exchange = data;
    http_upgrade_attach(exchange->upgrade, socket, handle, extra, extra_size);
}

static enum MHD_Result
exchange_queue(Exchange *exchange)
{
    struct MHD_Response *response;
    if (exchange->upgrade != NULL)
        response = MHD_create_response_for_upgrade(upgraded, exchange);
    else if (exchange->length < 0)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, stream_read,
                                                     exchange, NULL);
    else
        response = response_of_one_piece(exchange);
    for (guint i = 0; i + 1 < exchange->headers->len; i += 2)
        MHD_add_response_header(response, exchange->headers->pdata[i],
                                exchange->headers->pdata[i + 1]);
    exchange->queued = TRUE;
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, (unsigned)exchange->code, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

typedef struct HeaderList {
    HttpHeader items[HEADERS_MAX];
    size_t n;
} HeaderList;

static enum MHD_Result
collect_header(void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
    HeaderList *list = data;
    if (list->n < HEADERS_MAX)
        list->items[list->n++] = (HttpHeader){name, value != NULL ? value : ""};
    return MHD_YES;
}

static char *
dn_part(gnutls_x509_crt_t cert, const char *oid, unsigned index)
{
    char text[256];
    size_t size = sizeof text - 1;
    if (gnutls_x509_crt_get_dn_by_oid(cert, oid, index, 0, text, &size) != 0)
        return NULL;
    text[size] = '\0';
    return g_strdup(text);
}

/* Reads the subject of a client certificate that our authority signed; any other counts as none. */
static void
peer_identify(Peer *peer, struct MHD_Connection *connection)
{
    peer->known = TRUE;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info == NULL || info->tls_session == NULL)
        return;
    gnutls_session_t session = info->tls_session;
    unsigned status = 1, n = 0;
    if (gnutls_certificate_verify_peers2(session, &status) != 0 || status != 0)
        return;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
    gnutls_x509_crt_t cert;
    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&cert) != 0)
        return;
    if (gnutls_x509_crt_import(cert, &chain[0], GNUTLS_X509_FMT_DER) == 0) {
        GPtrArray *organizations = g_ptr_array_new();
        char *organization;
        for (unsigned i = 0;
             i < 16 && (organization = dn_part(cert, GNUTLS_OID_X520_ORGANIZATION_NAME, i)) != NULL;
             i++)
            g_ptr_array_add(organizations, organization);
        g_ptr_array_add(organizations, NULL);
        peer->common_name = dn_part(cert, GNUTLS_OID_X520_COMMON_NAME, 0);
        peer->organizations = (char **)g_ptr_array_free(organizations, FALSE);
    }
    gnutls_x509_crt_deinit(cert);
}

static void
exchange_handle(Exchange *exchange, const char *method, const char *target)
{
    HeaderList headers = {.n = 0};
    MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, collect_header, &headers);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    Peer *peer = info->socket_context;
    if (exchange->server->secure && !peer->known)
        peer_identify(peer, exchange->connection);
    const HttpRequest request = {
        .method = method,
        .target = target,
        .headers = headers.items,
        .n_headers = headers.n,
        .body = exchange->body->data,
        .body_length = exchange->body->len,
        .peer_common_name = peer->common_name,
        .peer_organizations = (const char *const *)peer->organizations,
        .peer_address = peer->address,
        .secure = exchange->server->secure,
    };
    exchange->handled = TRUE;
    exchange->server->handler(&request, &exchange->responder, exchange->server->data);
}

static enum MHD_Result
refuse_large_body(Exchange *exchange)
{
    static const char text[] =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
        "\"message\":\"Request entity too large: limit is 3145728\","
        "\"reason\":\"RequestEntityTooLarge\",\"code\":413}";
    exchange->started = exchange->queued = TRUE;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, (void *)text, MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, MHD_HTTP_CONTENT_TOO_LARGE, response);
    MHD_destroy_response(response);
    return result;
}

/* The library strips the query from the url it gives: this keeps the target as it was sent. */
typedef struct Target {
    char *uri;
    Exchange *exchange;
} Target;

static void *
target_new(void *data, const char *uri, struct MHD_Connection *connection)
{
    Target *target = g_new0(Target, 1);
    target->uri = g_strdup(uri);
    return target;
}

static Exchange *
exchange_new(HttpServer *server, struct MHD_Connection *connection)
{
    Exchange *exchange = g_new0(Exchange, 1);
    exchange->responder.ops = &RESPONDER_OPS;
    exchange->server = server;
    exchange->connection = connection;
    exchange->body = g_byte_array_new();
    exchange->headers = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&exchange->chunks);
    exchange->link.data = exchange;
    g_queue_push_tail_link(&server->exchanges, &exchange->link);
    return exchange;
}

static enum MHD_Result
access_handler(void *data, struct MHD_Connection *connection, const char *url, const char *method,
               const char *version, const char *upload, size_t *upload_size, void **state)
{
    HttpServer *server = data;
    Target *target = *state;
    if (target->exchange == NULL) {
        target->exchange = exchange_new(server, connection);
        return MHD_YES; /* called again with the body */
    }
    Exchange *exchange = target->exchange;
    if (*upload_size > 0) {
        if (exchange->body->len + *upload_size > BODY_SIZE_MAX)
            exchange->too_large = TRUE;
        else
            g_byte_array_append(exchange->body, (const guint8 *)upload, (guint)*upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    if (exchange->queued)
        return MHD_YES;
    if (exchange->too_large)
        return refuse_large_body(exchange);
    if (!exchange->handled)
        exchange_handle(exchange, method, target->uri);
    if (exchange->started && (exchange->length < 0 || exchange->ended))
        return exchange_queue(exchange);
    if (exchange->started && !exchange->ended && exchange->code == MHD_HTTP_SERVICE_UNAVAILABLE)
        return exchange_queue(exchange); /* the client hung up while it waited */
    exchange_suspend(exchange);
    return MHD_YES;
}

static void
request_completed(void *data, struct MHD_Connection *connection, void **state,
                  enum MHD_RequestTerminationCode code)
{
    Target *target = *state;
    if (target == NULL)
        return;
    Exchange *exchange = target->exchange;
    g_free(target->uri);
    g_free(target);
    *state = NULL;
    if (exchange == NULL)
        return;
    g_clear_handle_id(&exchange->hangup_watch, g_source_remove);
    exchange->connection = NULL;
    g_queue_unlink(&exchange->server->exchanges, &exchange->link);
    if (exchange->gone != NULL) {
        void (*gone)(void *) = exchange->gone;
        exchange->gone = NULL;
        gone(exchange->gone_data); /* may end, and so free, the exchange */
        return;
    }
    exchange_free_when_done(exchange);
}

static void
connection_changed(void *data, struct MHD_Connection *connection, void **socket_context,
                   enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        Peer *peer = g_new0(Peer, 1);
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const struct sockaddr_in *address = info != NULL ? (const void *)info->client_addr : NULL;
        char text[INET_ADDRSTRLEN] = "";
        if (address != NULL && address->sin_family == AF_INET)
            inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
        peer->address = g_strdup_printf("%s:%u", text,
                                        address != NULL ? ntohs(address->sin_port) : 0u);
        *socket_context = peer;
        return;
    }
    Peer *peer = *socket_context;
    if (peer != NULL) {
        g_free(peer->common_name);
        g_strfreev(peer->organizations);
        g_free(peer->address);
        g_free(peer);
    }
    *socket_context = NULL;
}

/* ---- in the main loop ------------------------------------------------------------------------------------------ */

typedef struct ServerSource {
    GSource source;
    HttpServer *server;
    gpointer tag;
} ServerSource;

static gboolean
source_prepare(GSource *source, gint *timeout)
{
    MHD_UNSIGNED_LONG_LONG wait;
    ServerSource *self = (ServerSource *)source;
    if (self->server->resumed) {
        *timeout = 0;
        return TRUE;
    }
    if (MHD_get_timeout(self->server->daemon, &wait) != MHD_YES) {
        *timeout = -1;
        return FALSE;
    }
    *timeout = (gint)MIN(wait, 60000);
    return wait == 0;
}

static gboolean
source_check(GSource *source)
{
    ServerSource *self = (ServerSource *)source;
    gint timeout;
    return g_source_query_unix_fd(source, self->tag) != 0 || source_prepare(source, &timeout);
}

static gboolean
source_dispatch(GSource *source, GSourceFunc func, gpointer data)
{
    HttpServer *server = ((ServerSource *)source)->server;
    server->resumed = FALSE; /* before: handlers may resume again */
    MHD_run(server->daemon);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
    .prepare = source_prepare,
    .check = source_check,
    .dispatch = source_dispatch,
};

static gboolean
bind_socket(const HttpServerOptions *options, int *ret_socket, guint16 *ret_port, GError **error)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    if (inet_pton(AF_INET, options->address, &address.sin_addr) != 1)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "listen on %s: not an IPv4 address such as 127.0.0.1", options->address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 256) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        int code = errno;
        close(fd);
        if (code == EADDRINUSE)
            return fail(error, TIMONEL_ERROR_EXISTS,
                        "listen on %s:%u: the port is in use; choose another with --listen "
                        "ADDRESS:PORT, or port 0 for any free one",
                        options->address, options->port);
        return fail(error, TIMONEL_ERROR_IO, "listen on %s:%u: %s", options->address,
                    options->port, g_strerror(code));
    }
    *ret_socket = fd;
    *ret_port = ntohs(address.sin_port);
    return TRUE;
}

static struct MHD_Daemon *
start_daemon(HttpServer *server, const Pki *pki, int socket)
{
    struct MHD_OptionItem items[8];
    size_t n = 0;
    items[n++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, socket, NULL};
    items[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL};
    items[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_SECONDS, NULL};
    items[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, 64 * 1024, NULL};
    if (pki != NULL) {
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, pki->server_key};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, pki->server_cert};
        items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, pki->ca_cert};
    }
    items[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
                     (pki != NULL ? MHD_USE_TLS : 0u);
    return MHD_start_daemon(flags, server->port, NULL, NULL, access_handler, server,
                            MHD_OPTION_ARRAY, items, MHD_OPTION_NOTIFY_COMPLETED,
                            request_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
                            connection_changed, server, MHD_OPTION_URI_LOG_CALLBACK, target_new,
                            server, MHD_OPTION_END);
}

HttpServer *
http_server_new(const HttpServerOptions *options, GError **error)
{
    int socket = -1;
    g_autofree HttpServer *server = g_new0(HttpServer, 1);
    if (!bind_socket(options, &socket, &server->port, error))
        return NULL;
    server->handler = options->handler;
    server->data = options->data;
    server->secure = options->pki != NULL;
    server->daemon = start_daemon(server, options->pki, socket);
    if (server->daemon == NULL) {
        close(socket);
        fail(error, TIMONEL_ERROR_IO, "listen on %s:%u: the HTTP server did not start",
             options->address, options->port);
        return NULL;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    server->source = g_source_new(&source_funcs, sizeof(ServerSource));
    ServerSource *source = (ServerSource *)server->source;
    source->server = server;
    source->tag = g_source_add_unix_fd(server->source, info->epoll_fd, G_IO_IN);
    g_source_attach(server->source, NULL);
    return g_steal_pointer(&server);
}

void
http_server_free(HttpServer *server)
{
    if (server == NULL)
        return;
    server->closing = TRUE;
    /* The library refuses to stop while connections are suspended. */
    for (GList *item = server->exchanges.head; item != NULL; item = item->next)
        exchange_resume(item->data);
    g_source_destroy(server->source);
    g_source_unref(server->source);
    MHD_stop_daemon(server->daemon);
    g_free(server);
}

guint16
http_server_port(const HttpServer *server)
{
    return server->port;
}
