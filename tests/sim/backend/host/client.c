#include "tests/sim/backend/host/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_US 5000000

struct TestClient {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    gboolean shaken, closed;
    GString *got;
    GByteArray *unsent;
};

static void
flush(TestClient *client)
{
    while (client->unsent->len > 0) {
        gssize n =
            client->session != NULL
                ? gnutls_record_send(client->session, client->unsent->data, client->unsent->len)
                : send(client->fd, client->unsent->data, client->unsent->len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        g_byte_array_remove_range(client->unsent, 0, (guint)n);
    }
}

/* One turn: the server's main loop, then whatever our socket can do. */
void
test_client_turn(TestClient *client)
{
    char buffer[65536];
    g_main_context_iteration(NULL, FALSE);
    if (client->session != NULL && !client->shaken) {
        int result = gnutls_handshake(client->session);
        client->shaken = result == 0;
        if (result < 0 && gnutls_error_is_fatal(result))
            client->closed = TRUE;
        if (!client->shaken) {
            g_usleep(200);
            return;
        }
    }
    flush(client);
    gssize n = client->session != NULL ? gnutls_record_recv(client->session, buffer, sizeof buffer)
                                       : recv(client->fd, buffer, sizeof buffer, 0);
    if (n > 0)
        g_string_append_len(client->got, buffer, n);
    else if (n == 0 || (client->session != NULL ? gnutls_error_is_fatal((int)n)
                                                : errno != EAGAIN && errno != EINTR))
        client->closed = TRUE;
    else
        g_usleep(200);
}

TestClient *
test_client_new(guint16 port, const Pki *pki, const char *cert, const char *key)
{
    TestClient *client = g_new0(TestClient, 1);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_true(connect(client->fd, (const struct sockaddr *)&address, sizeof address) == 0);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    client->got = g_string_new(NULL);
    client->unsent = g_byte_array_new();
    if (pki == NULL)
        return client;
    gnutls_certificate_allocate_credentials(&client->credentials);
    if (cert != NULL) {
        gnutls_datum_t cert_text = {(unsigned char *)cert, (unsigned)strlen(cert)};
        gnutls_datum_t key_text = {(unsigned char *)key, (unsigned)strlen(key)};
        g_assert_cmpint(gnutls_certificate_set_x509_key_mem(client->credentials, &cert_text,
                                                            &key_text, GNUTLS_X509_FMT_PEM),
                        ==, 0);
    }
    gnutls_init(&client->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_set_default_priority(client->session);
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_int(client->session, client->fd);
    return client;
}

void
test_client_free(TestClient *client)
{
    if (client->session != NULL) {
        gnutls_deinit(client->session);
        gnutls_certificate_free_credentials(client->credentials);
    }
    close(client->fd);
    g_string_free(client->got, TRUE);
    g_byte_array_unref(client->unsent);
    g_free(client);
}

void
test_client_send(TestClient *client, const char *text, gsize length)
{
    g_byte_array_append(client->unsent, (const guint8 *)text, (guint)length);
}

gboolean
test_client_await(TestClient *client, const char *text)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    const char *found;
    while ((found = strstr(client->got->str, text)) == NULL && !client->closed &&
           g_get_monotonic_time() < end)
        test_client_turn(client);
    if (found == NULL)
        return FALSE;
    g_string_erase(client->got, 0, found - client->got->str + (gssize)strlen(text));
    return TRUE;
}

gboolean
test_client_await_close(TestClient *client)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    while (!client->closed && g_get_monotonic_time() < end)
        test_client_turn(client);
    return client->closed;
}

const char *
test_client_got(const TestClient *client)
{
    return client->got->str;
}
