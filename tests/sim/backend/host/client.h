/* A small client for the server's tests, on a socket of the same main loop: it sends text and
 * gathers what comes back. */
#pragma once

#include <glib.h>

#include "sim/backend/host/pki.h"

typedef struct TestClient TestClient;

/* pki NULL: plain HTTP. cert and key NULL: no client certificate. */
TestClient *test_client_new(guint16 port, const Pki *pki, const char *cert, const char *key);
void test_client_free(TestClient *client); /* closes the connection */
void test_client_send(TestClient *client, const char *text, gsize length);
/* One turn of the main loop, then what the socket has. */
void test_client_turn(TestClient *client);
/* Runs the main loop until what came back holds the text (and forgets all up to its end), or five
 * seconds. */
gboolean test_client_await(TestClient *client, const char *text);
/* Until the server closes the connection. */
gboolean test_client_await_close(TestClient *client);
const char *test_client_got(const TestClient *client);
