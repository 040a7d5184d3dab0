#include "sim/backend/host/http_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

struct HttpUpgrade {
    HttpReceived received; /* NULL once the client closed or we ended */
    void *data;
    struct MHD_UpgradeResponseHandle *handle; /* NULL before attach and after close */
    int socket;
    guint read_watch, write_watch;
    GQueue chunks; /* of GBytes */
    size_t offset; /* sent of the first */
    size_t backlog;
    gboolean ended;
};

HttpUpgrade *
http_upgrade_new(HttpReceived received, void *data)
{
    HttpUpgrade *upgrade = g_new0(HttpUpgrade, 1);
    upgrade->received = received;
    upgrade->data = data;
    upgrade->socket = -1;
    g_queue_init(&upgrade->chunks);
    return upgrade;
}

static void
upgrade_close(HttpUpgrade *upgrade)
{
    g_clear_handle_id(&upgrade->read_watch, g_source_remove);
    g_clear_handle_id(&upgrade->write_watch, g_source_remove);
    if (upgrade->handle != NULL) {
        struct MHD_UpgradeResponseHandle *handle = g_steal_pointer(&upgrade->handle);
        MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    }
}

void
http_upgrade_free(HttpUpgrade *upgrade)
{
    if (upgrade == NULL)
        return;
    upgrade_close(upgrade);
    g_queue_clear_full(&upgrade->chunks, (GDestroyNotify)g_bytes_unref);
    g_free(upgrade);
}

/* Tells the handler once that nothing more comes. */
static void
upgrade_lost(HttpUpgrade *upgrade)
{
    HttpReceived received = upgrade->received;
    upgrade->received = NULL;
    g_clear_handle_id(&upgrade->read_watch, g_source_remove);
    if (received != NULL)
        received(NULL, 0, upgrade->data);
}

static gboolean
socket_readable(gint fd, GIOCondition condition, gpointer data)
{
    HttpUpgrade *upgrade = data;
    char buffer[16 * 1024];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n <= 0) {
        upgrade->read_watch = 0;
        upgrade_lost(upgrade);
        return G_SOURCE_REMOVE;
    }
    if (upgrade->received != NULL)
        upgrade->received(buffer, (size_t)n, upgrade->data);
    return G_SOURCE_CONTINUE;
}

/* Sends what the socket takes; false when it broke. */
static gboolean
upgrade_flush(HttpUpgrade *upgrade)
{
    GBytes *head;
    while ((head = g_queue_peek_head(&upgrade->chunks)) != NULL) {
        size_t size;
        const char *bytes = g_bytes_get_data(head, &size);
        ssize_t n = send(upgrade->socket, bytes + upgrade->offset, size - upgrade->offset,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        upgrade->offset += (size_t)n;
        upgrade->backlog -= (size_t)n;
        if (upgrade->offset == size) {
            g_bytes_unref(g_queue_pop_head(&upgrade->chunks));
            upgrade->offset = 0;
        }
    }
    return TRUE;
}

static gboolean
socket_writable(gint fd, GIOCondition condition, gpointer data)
{
    HttpUpgrade *upgrade = data;
    gboolean whole = upgrade_flush(upgrade);
    if (whole && !g_queue_is_empty(&upgrade->chunks))
        return G_SOURCE_CONTINUE;
    upgrade->write_watch = 0;
    if (upgrade->ended)
        upgrade_close(upgrade);
    else if (!whole)
        upgrade_lost(upgrade);
    return G_SOURCE_REMOVE;
}

static void
upgrade_send(HttpUpgrade *upgrade)
{
    if (upgrade->handle != NULL && upgrade->write_watch == 0)
        upgrade->write_watch = g_unix_fd_add(upgrade->socket, G_IO_OUT | G_IO_ERR | G_IO_HUP,
                                             socket_writable, upgrade);
}

void
http_upgrade_attach(HttpUpgrade *upgrade, MHD_socket socket,
                    struct MHD_UpgradeResponseHandle *handle, const char *extra, size_t extra_size)
{
    upgrade->socket = socket;
    upgrade->handle = handle;
    upgrade->read_watch =
        g_unix_fd_add(socket, G_IO_IN | G_IO_HUP | G_IO_ERR, socket_readable, upgrade);
    if (extra_size > 0 && upgrade->received != NULL)
        upgrade->received(extra, extra_size, upgrade->data);
    if (upgrade->ended || !g_queue_is_empty(&upgrade->chunks))
        upgrade_send(upgrade);
}

void
http_upgrade_write(HttpUpgrade *upgrade, GBytes *bytes)
{
    size_t size = g_bytes_get_size(bytes);
    if (size == 0 || upgrade->ended)
        return;
    g_queue_push_tail(&upgrade->chunks, g_bytes_ref(bytes));
    upgrade->backlog += size;
    upgrade_send(upgrade);
}

void
http_upgrade_end(HttpUpgrade *upgrade)
{
    upgrade->ended = TRUE;
    upgrade->received = NULL;
    upgrade_send(upgrade);
}

size_t
http_upgrade_backlog(const HttpUpgrade *upgrade)
{
    return upgrade->backlog;
}
