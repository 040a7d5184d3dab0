/* A load client over TLS for `bench http`: a fixed number of connections, each with one request
 * under way. Blocking; it runs in a child process of its own, so that it shares no memory with the
 * server that it measures. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct BenchClient BenchClient;

BenchClient *bench_client_new(guint16 port, int connections, const char *token);
void bench_client_free(BenchClient *client);
/* Sends the request on every connection, then reads every answer: one round. False: a connection
 * broke, or an answer was not 200. accept NULL: JSON. */
bool bench_client_round(BenchClient *client, const char *path, const char *accept);
/* Bytes of the last answer's body. */
gsize bench_client_body_size(const BenchClient *client);
