/* The raw two-way stream of a connection that left HTTP by "101 Switching Protocols". Belongs to http_server.c. */
#pragma once

#include <glib.h>
#include <microhttpd.h>

typedef struct HttpUpgrade HttpUpgrade;
typedef void (*HttpReceived)(const void *bytes, size_t length, void *data); /* length 0: the client closed */

HttpUpgrade *http_upgrade_new(HttpReceived received, void *data);
void http_upgrade_free(HttpUpgrade *upgrade); /* accepts NULL */
/* The connection is ours now; `extra` is what the client sent behind its request. */
void http_upgrade_attach(HttpUpgrade *upgrade, MHD_socket socket, struct MHD_UpgradeResponseHandle *handle,
                         const char *extra, size_t extra_size);
void http_upgrade_write(HttpUpgrade *upgrade, GBytes *bytes); /* also before attach: kept until then */
void http_upgrade_end(HttpUpgrade *upgrade);                  /* closes once everything is sent */
size_t http_upgrade_backlog(const HttpUpgrade *upgrade);
