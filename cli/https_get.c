#include "cli/https_get.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

typedef struct Connection {
    GSocketConnection *stream;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t session;
} Connection;

static void
connection_clear(Connection *connection)
{
    if (connection->session != NULL)
        gnutls_deinit(connection->session);
    if (connection->credentials != NULL)
        gnutls_certificate_free_credentials(connection->credentials);
    g_clear_object(&connection->stream);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Connection, connection_clear)

static bool
tls_fails(int result, GError **error)
{
    return fail(error, TIMONEL_ERROR_UNAVAILABLE, _("no secure connection to the cluster: %s"),
                gnutls_strerror(result));
}

static bool
open_tls(Connection *connection, const char *host, const char *authority, GError **error)
{
    const gnutls_datum_t pem = {(unsigned char *)authority, (unsigned)strlen(authority)};
    int fd = g_socket_get_fd(g_socket_connection_get_socket(connection->stream));
    int result = gnutls_certificate_allocate_credentials(&connection->credentials);
    if (result < 0)
        return tls_fails(result, error);
    result = gnutls_certificate_set_x509_trust_mem(connection->credentials, &pem, GNUTLS_X509_FMT_PEM);
    if (result < 0)
        return tls_fails(result, error);
    gnutls_init(&connection->session, GNUTLS_CLIENT);
    gnutls_set_default_priority(connection->session);
    gnutls_credentials_set(connection->session, GNUTLS_CRD_CERTIFICATE, connection->credentials);
    gnutls_session_set_verify_cert(connection->session, host, 0);
    gnutls_transport_set_int(connection->session, fd);
    gnutls_handshake_set_timeout(connection->session, HTTPS_SECONDS * 1000);
    gnutls_record_set_timeout(connection->session, HTTPS_SECONDS * 1000);
    do
        result = gnutls_handshake(connection->session);
    while (result < 0 && !gnutls_error_is_fatal(result));
    return result >= 0 || tls_fails(result, error);
}

/* The whole answer until the server closes (it is asked to). */
static char *
ask(Connection *connection, const char *request, GError **error)
{
    size_t sent = 0, length = strlen(request);
    while (sent < length) {
        ssize_t n = gnutls_record_send(connection->session, request + sent, length - sent);
        if (n < 0 && gnutls_error_is_fatal((int)n)) {
            tls_fails((int)n, error);
            return NULL;
        }
        sent += n > 0 ? (size_t)n : 0;
    }
    GString *answer = g_string_new(NULL);
    char buffer[16384];
    for (;;) {
        ssize_t n = gnutls_record_recv(connection->session, buffer, sizeof buffer);
        if (n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_REHANDSHAKE)
            continue;
        if (n <= 0 || answer->len + (size_t)n > HTTPS_ANSWER_MAX)
            break;
        g_string_append_len(answer, buffer, n);
    }
    return g_string_free(answer, FALSE);
}

/* "https://127.0.0.1:6443" -> host and port. */
static bool
parse_server(const char *server, char **ret_host, guint16 *ret_port, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(server, G_URI_FLAGS_NONE, error);
    if (uri == NULL)
        return false;
    *ret_host = g_strdup(g_uri_get_host(uri));
    *ret_port = g_uri_get_port(uri) > 0 ? (guint16)g_uri_get_port(uri) : 443;
    return true;
}

static const char *
token_of(const Value *kubeconfig)
{
    VALUE_ARRAY_FOREACH (user, value_get(kubeconfig, "users")) {
        const char *token = value_string_at(user, "user.token");
        if (token != NULL)
            return token;
    }
    return "";
}

char *
https_get(const Value *kubeconfig, const char *path, int *ret_status, GError **error)
{
    g_auto(Connection) connection = {0};
    g_autofree char *host = NULL;
    guint16 port;
    size_t length;
    const char *authority64 = value_text_at(kubeconfig, "clusters[0].cluster.certificate-authority-data");
    g_autofree uint8_t *authority = text_base64_decode(authority64, &length);
    if (authority == NULL ||
        !parse_server(value_text_at(kubeconfig, "clusters[0].cluster.server"), &host, &port, error)) {
        if (error != NULL && *error == NULL)
            fail(error, TIMONEL_ERROR_INVALID, _("the kubeconfig names no certificate authority"));
        return NULL;
    }
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_socket_client_set_timeout(client, HTTPS_SECONDS);
    connection.stream = g_socket_client_connect_to_host(client, host, port, NULL, error);
    if (connection.stream == NULL)
        return NULL;
    g_socket_set_blocking(g_socket_connection_get_socket(connection.stream), TRUE);
    if (!open_tls(&connection, host, (const char *)authority, error))
        return NULL;
    g_autofree char *request = g_strdup_printf(
        "GET %s HTTP/1.1\r\nHost: %s:%u\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", path, host, port,
        token_of(kubeconfig));
    g_autofree char *answer = ask(&connection, request, error);
    if (answer == NULL)
        return NULL;
    const char *body = strstr(answer, "\r\n\r\n");
    if (!g_str_has_prefix(answer, "HTTP/1.1 ") || body == NULL) {
        fail(error, TIMONEL_ERROR_UNAVAILABLE, _("the cluster's answer is not HTTP"));
        return NULL;
    }
    *ret_status = atoi(answer + strlen("HTTP/1.1 "));
    return g_strdup(body + 4);
}
