/* A transport to an API server over HTTPS (or HTTP), by libcurl in the GLib main loop of the
 * caller: no threads. Calls, watches as lines of JSON, logs as streams of bytes. Answers come by
 * later iterations of the loop. */
#pragma once

#include "core/client/client.h"

typedef struct HttpTransportOptions {
    const char *server; /* "https://127.0.0.1:6443" */
    const char *ca_pem; /* the authority that the server's certificate is checked by; NULL: the
                           machine's own */
    const char *client_cert_pem, *client_key_pem; /* NULL: none */
    const char *token;                            /* NULL: none */
    const char *as_user;                          /* impersonation; NULL: none */
    const char *const *as_groups;
    bool insecure;      /* no check of the server's certificate */
    int64_t timeout_ns; /* of one call; 0: none */
    const ApiTypes
        *types; /* to find the versions of kinds that a request leaves open; borrowed for life */
} HttpTransportOptions;

/* Nothing is connected yet. NULL with error when keys cannot be handed to the TLS library. */
Transport *http_transport_new(const HttpTransportOptions *options, GError **error);
/* GET of a path as it is, in a nested run of the main loop; the body (owned), or NULL with error.
 */
char *http_transport_get_raw(Transport *transport, const char *path, GError **error);
