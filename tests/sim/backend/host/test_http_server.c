#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "sim/backend/host/http_server.h"
#include "tests/sim/backend/host/client.h"
#include "tests/sim/backend/host/suites.h"

typedef struct Site {
    HttpServer *server;
    Pki *pki;
    char *directory;
    HttpResponder *stream; /* of GET /stream, while it goes on */
    GString *heard;        /* "GET /a [body]; " */
    char *peer;            /* "CN O,O" of the last request */
    int gone;
} Site;

static void
client_gone(void *data)
{
    Site *site = data;
    HttpResponder *stream = site->stream;
    site->gone++;
    site->stream = NULL;
    stream->ops->end(stream);
}

static void
write_text(HttpResponder *responder, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    responder->ops->write(responder, bytes);
}

static void
handle(const HttpRequest *request, HttpResponder *responder, void *data)
{
    static const HttpHeader headers[] = {{"Content-Type", "text/plain"}};
    Site *site = data;
    g_string_append_printf(site->heard, "%s %s [%.*s]; ", request->method, request->target,
                           (int)MIN(request->body_length, 20),
                           request->body_length > 0 ? (const char *)request->body : "");
    g_free(site->peer);
    g_autofree char *groups = request->peer_organizations != NULL
                                  ? g_strjoinv(",", (char **)request->peer_organizations)
                                  : NULL;
    site->peer = request->peer_common_name != NULL
                     ? g_strdup_printf("%s %s", request->peer_common_name, groups)
                     : NULL;
    if (g_str_has_prefix(request->target, "/stream")) {
        site->stream = responder;
        responder->ops->on_gone(responder, client_gone, site);
        responder->ops->start(responder, 200, headers, 1, -1);
        return;
    }
    if (g_str_has_prefix(request->target, "/later")) {
        site->stream = responder; /* answered by the test */
        responder->ops->on_gone(responder, client_gone, site);
        return;
    }
    responder->ops->start(responder, 200, headers, 1, 5);
    write_text(responder, "hello");
    responder->ops->end(responder);
}

static Site *
site_new(bool secure)
{
    static const char *const names[] = {"127.0.0.1", "localhost", NULL};
    Site *site = g_new0(Site, 1);
    g_autoptr(GError) error = NULL;
    site->heard = g_string_new(NULL);
    if (secure) {
        site->directory = g_dir_make_tmp("timonel-host-XXXXXX", NULL);
        site->pki = pki_open(site->directory, names, &error);
        g_assert_no_error(error);
    }
    site->server = http_server_new(
        &(HttpServerOptions){
            .address = "127.0.0.1", .pki = site->pki, .handler = handle, .data = site},
        &error);
    g_assert_no_error(error);
    return site;
}

static void
site_free(Site *site)
{
    http_server_free(site->server);
    ck_assert_ptr_null(site->stream); /* whoever streams hears that the server goes */
    if (site->directory != NULL) {
        g_autoptr(GDir) dir = g_dir_open(site->directory, 0, NULL);
        for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
            g_autofree char *path = g_build_filename(site->directory, name, NULL);
            g_unlink(path);
        }
        g_rmdir(site->directory);
    }
    pki_free(site->pki);
    g_free(site->directory);
    g_string_free(site->heard, TRUE);
    g_free(site->peer);
    g_free(site);
}

static void
ask_for(TestClient *client, const char *method, const char *target, const char *body)
{
    g_autofree char *text =
        g_strdup_printf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method,
                        target, strlen(body), body);
    test_client_send(client, text, strlen(text));
}

static TestClient *
plain_client(const Site *site)
{
    return test_client_new(http_server_port(site->server), NULL, NULL, NULL);
}

/* Until the server has the request; nothing comes back meanwhile. */
static bool
await_stream(Site *site, TestClient *client)
{
    gint64 end = g_get_monotonic_time() + 5000000;
    while (site->stream == NULL && g_get_monotonic_time() < end)
        test_client_turn(client);
    return site->stream != NULL;
}

START_TEST(a_connection_serves_one_request_after_the_other)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    for (int i = 0; i < 3; i++) {
        ask_for(client, i == 1 ? "POST" : "GET", "/a?limit=1&x=%20", i == 1 ? "body" : "");
        ck_assert(test_client_await(client, "HTTP/1.1 200 OK\r\n"));
        ck_assert(test_client_await(client, "\r\n\r\nhello"));
    }
    ck_assert_str_eq(site->heard->str, "GET /a?limit=1&x=%20 []; POST /a?limit=1&x=%20 [body]; "
                                       "GET /a?limit=1&x=%20 []; ");
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(an_answer_may_come_in_a_later_event)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    for (int i = 0; i < 3; i++) {
        ask_for(client, "POST", "/later", "x");
        ck_assert(await_stream(site, client));
        HttpResponder *responder = g_steal_pointer(&site->stream);
        responder->ops->start(responder, 201, NULL, 0, 4);
        write_text(responder, "made");
        responder->ops->end(responder);
        ck_assert(test_client_await(client, "HTTP/1.1 201 Created\r\n"));
        ck_assert(test_client_await(client, "made"));
    }
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(a_large_body_is_refused_with_413)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    g_autofree char *large = g_strnfill(BODY_SIZE_MAX + 1, 'x');
    ask_for(client, "POST", "/a", large);
    ck_assert(test_client_await(client, "HTTP/1.1 413 "));
    ck_assert(test_client_await(client, "RequestEntityTooLarge"));
    ck_assert_str_eq(site->heard->str, "");
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(a_body_of_the_largest_size_is_taken)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    g_autofree char *large = g_strnfill(BODY_SIZE_MAX, 'x');
    ask_for(client, "PUT", "/a", large);
    ck_assert(test_client_await(client, "hello"));
    ck_assert_str_eq(site->heard->str, "PUT /a [xxxxxxxxxxxxxxxxxxxx]; ");
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(a_stream_arrives_piece_by_piece)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    ask_for(client, "GET", "/stream", "");
    ck_assert(test_client_await(client, "HTTP/1.1 200 OK\r\n"));
    ck_assert(test_client_await(client, "chunked"));
    for (int i = 0; i < 3; i++) {
        g_autofree char *piece = g_strdup_printf("piece-%d\n", i);
        write_text(site->stream, piece);
        ck_assert(test_client_await(client, piece));
    }
    HttpResponder *stream = g_steal_pointer(&site->stream);
    stream->ops->end(stream);
    ck_assert(test_client_await(client, "0\r\n\r\n"));
    ask_for(client, "GET", "/after", "");
    ck_assert(test_client_await(client, "hello"));
    ck_assert_int_eq(site->gone, 0);
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(whoever_streams_hears_that_the_client_is_gone)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    ask_for(client, "GET", "/stream", "");
    ck_assert(test_client_await(client, "\r\n\r\n"));
    test_client_free(client);
    gint64 end = g_get_monotonic_time() + 5000000;
    while (site->gone == 0 && g_get_monotonic_time() < end)
        g_main_context_iteration(NULL, FALSE);
    ck_assert_int_eq(site->gone, 1);
    site_free(site);
}
END_TEST

START_TEST(a_server_that_goes_ends_its_streams)
{
    Site *site = site_new(false);
    TestClient *client = plain_client(site);
    ask_for(client, "GET", "/stream", "");
    ck_assert(test_client_await(client, "\r\n\r\n"));
    site_free(site);
    ck_assert(test_client_await_close(client));
    test_client_free(client);
}
END_TEST

START_TEST(a_client_certificate_says_who_asks)
{
    static const char *const groups[] = {"developers", "testers", NULL};
    Site *site = site_new(true);
    g_autofree char *cert = NULL, *key = NULL;
    ck_assert(pki_sign_client(site->pki, "jane", groups, &cert, &key, NULL));
    TestClient *client = test_client_new(http_server_port(site->server), site->pki, cert, key);
    ask_for(client, "GET", "/a", "");
    ck_assert(test_client_await(client, "hello"));
    ck_assert_str_eq(site->peer, "jane developers,testers");
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(a_client_without_a_certificate_is_nobody)
{
    Site *site = site_new(true);
    TestClient *client = test_client_new(http_server_port(site->server), site->pki, NULL, NULL);
    ask_for(client, "GET", "/a", "");
    ck_assert(test_client_await(client, "hello"));
    ck_assert_ptr_null(site->peer);
    test_client_free(client);
    site_free(site);
}
END_TEST

START_TEST(a_certificate_of_another_authority_is_nobodys)
{
    static const char *const groups[] = {"system:masters", NULL};
    Site *site = site_new(true), *other = site_new(true);
    g_autofree char *cert = NULL, *key = NULL;
    ck_assert(pki_sign_client(other->pki, "kubernetes-admin", groups, &cert, &key, NULL));
    TestClient *client = test_client_new(http_server_port(site->server), site->pki, cert, key);
    ask_for(client, "GET", "/a", "");
    if (test_client_await(client, "hello")) /* or the handshake was refused */
        ck_assert_ptr_null(site->peer);
    test_client_free(client);
    site_free(other);
    site_free(site);
}
END_TEST

START_TEST(a_port_in_use_is_said_so)
{
    Site *site = site_new(false);
    g_autoptr(GError) error = NULL;
    HttpServer *second = http_server_new(
        &(HttpServerOptions){
            .address = "127.0.0.1", .port = http_server_port(site->server), .handler = handle},
        &error);
    ck_assert_ptr_null(second);
    ck_assert(g_error_matches(error, TIMONEL_ERROR, TIMONEL_ERROR_EXISTS));
    ck_assert_ptr_nonnull(strstr(error->message, "the port is in use"));
    site_free(site);
}
END_TEST

START_TEST(a_foreign_address_is_refused)
{
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(
        http_server_new(&(HttpServerOptions){.address = "somewhere", .handler = handle}, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "not an IPv4 address"));
}
END_TEST

TCase *
http_server_case(void)
{
    return test_case("http_server", a_connection_serves_one_request_after_the_other,
                     an_answer_may_come_in_a_later_event, a_large_body_is_refused_with_413,
                     a_body_of_the_largest_size_is_taken, a_stream_arrives_piece_by_piece,
                     whoever_streams_hears_that_the_client_is_gone,
                     a_server_that_goes_ends_its_streams, a_client_certificate_says_who_asks,
                     a_client_without_a_certificate_is_nobody,
                     a_certificate_of_another_authority_is_nobodys, a_port_in_use_is_said_so,
                     a_foreign_address_is_refused);
}
