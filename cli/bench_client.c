#include "cli/bench_client.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

typedef struct Connection {
    int fd;
    gnutls_session_t session;
} Connection;

struct BenchClient {
    gnutls_certificate_credentials_t credentials;
    Connection *connections;
    int n;
    char *token;
    char *buffer;
    gsize body_size;
};

static bool
connection_open(BenchClient *client, Connection *connection, guint16 port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return false;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    gnutls_init(&connection->session, GNUTLS_CLIENT);
    gnutls_set_default_priority(connection->session);
    gnutls_credentials_set(connection->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_int(connection->session, connection->fd);
    int result;
    do
        result = gnutls_handshake(connection->session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    return result == 0;
}

BenchClient *
bench_client_new(guint16 port, int connections, const char *token)
{
    BenchClient *client = g_new0(BenchClient, 1);
    gnutls_certificate_allocate_credentials(&client->credentials);
    client->connections = g_new0(Connection, (gsize)connections);
    client->token = g_strdup(token);
    client->buffer = g_malloc(BUFFER_SIZE + 1);
    for (client->n = 0; client->n < connections; client->n++) {
        if (!connection_open(client, &client->connections[client->n], port)) {
            client->n++;
            bench_client_free(client);
            return NULL;
        }
    }
    return client;
}

void
bench_client_free(BenchClient *client)
{
    if (client == NULL)
        return;
    for (int i = 0; i < client->n; i++) {
        if (client->connections[i].session != NULL)
            gnutls_deinit(client->connections[i].session);
        close(client->connections[i].fd);
    }
    gnutls_certificate_free_credentials(client->credentials);
    g_free(client->connections);
    g_free(client->token);
    g_free(client->buffer);
    g_free(client);
}

gsize
bench_client_body_size(const BenchClient *client)
{
    return client->body_size;
}

static gssize
receive(Connection *connection, char *buffer, gsize size)
{
    gssize n;
    do
        n = gnutls_record_recv(connection->session, buffer, size);
    while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return n;
}

/* Reads one answer with a Content-Length. */
static bool
read_answer(BenchClient *client, Connection *connection)
{
    gsize filled = 0;
    char *end = NULL;
    while (end == NULL) {
        gssize n = receive(connection, client->buffer + filled, BUFFER_SIZE - filled);
        if (n <= 0)
            return false;
        filled += (gsize)n;
        client->buffer[filled] = '\0';
        end = strstr(client->buffer, "\r\n\r\n");
        if (end == NULL && filled == BUFFER_SIZE)
            return false;
    }
    const char *length = strcasestr(client->buffer, "\r\nContent-Length:");
    if (!g_str_has_prefix(client->buffer, "HTTP/1.1 200") || length == NULL || length > end)
        return false;
    gsize size = (gsize)g_ascii_strtoull(length + strlen("\r\nContent-Length:"), NULL, 10);
    client->body_size = size;
    gsize had = filled - (gsize)(end + 4 - client->buffer);
    while (had < size) {
        gssize n = receive(connection, client->buffer, BUFFER_SIZE);
        if (n <= 0)
            return false;
        had += (gsize)n;
    }
    return had == size;
}

bool
bench_client_round(BenchClient *client, const char *path, const char *accept)
{
    g_autofree char *request = g_strdup_printf(
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nAccept: %s\r\n\r\n",
        path, client->token, accept != NULL ? accept : "application/json");
    gsize length = strlen(request);
    for (int i = 0; i < client->n; i++)
        if (gnutls_record_send(client->connections[i].session, request, length) != (gssize)length)
            return false;
    for (int i = 0; i < client->n; i++)
        if (!read_answer(client, &client->connections[i]))
            return false;
    return true;
}
