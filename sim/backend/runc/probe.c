/* Probes by sockets that are made in the node's network namespace: TCP connects, plain HTTP/1.1 GETs. */
#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

#define REPLY_MAX (16u * 1024)
#define BODY_MAX (10u * 1024)

typedef struct Probe {
    RuncNode *node;
    uint32_t generation;
    int fd, kind;
    guint source;
    EventId timer;
    HostProbeDone done;
    void *data;
    char *target, *url, *error;
    GString *request, *reply;
    bool connected;
} Probe;

static void
probe_free(void *data)
{
    Probe *probe = data;
    g_ptr_array_remove(probe->node->probes, probe);
    engine_cancel_slot(probe->node->options.engine, &probe->timer);
    if (probe->source != 0)
        g_source_remove(probe->source);
    if (probe->fd >= 0)
        close(probe->fd);
    g_free(probe->target);
    g_free(probe->url);
    g_free(probe->error);
    g_string_free(probe->request, TRUE);
    g_string_free(probe->reply, TRUE);
    g_free(probe);
}

void
probes_free(RuncNode *node)
{
    while (node->probes->len > 0)
        probe_free(node->probes->pdata[0]);
}

static void
tell(void *data)
{
    Probe *probe = data;
    ProbeReply reply = {.error = probe->error};
    if (probe->error == NULL && probe->kind == HOST_PROBE_HTTP) {
        const char *space = strchr(probe->reply->str, ' '), *body = strstr(probe->reply->str, "\r\n\r\n");
        reply.http_status = space != NULL ? atoi(space + 1) : 0;
        reply.body = body != NULL ? body + 4 : NULL;
        if (body != NULL && strlen(reply.body) > BODY_MAX)
            probe->reply->str[body + 4 + BODY_MAX - probe->reply->str] = '\0';
    }
    if (probe->generation == probe->node->generation)
        probe->done(&reply, probe->data);
    probe_free(probe);
}

static void
probe_end(Probe *probe, char *take_error)
{
    RuncNode *node = probe->node;
    engine_cancel_slot(node->options.engine, &probe->timer);
    if (probe->source != 0)
        g_source_remove(probe->source);
    probe->source = 0;
    probe->error = take_error;
    if (take_error != NULL && probe->kind == HOST_PROBE_HTTP) {
        probe->error = g_strdup_printf("Get \"%s\": %s", probe->url, take_error);
        g_free(take_error);
    }
    if (node->kubelet == NULL || probe->generation != node->generation ||
        engine_at_take(node->options.engine, node->kubelet, runc_now(node), tell, probe, probe_free) == 0)
        return; /* engine_at_take dropped it, or teardown will */
}

static char *
dial_error(const Probe *probe, int code)
{
    g_autofree char *why = code == ECONNREFUSED    ? g_strdup("connection refused")
                           : code == EHOSTUNREACH ? g_strdup("no route to host")
                           : code == ENETUNREACH  ? g_strdup("network is unreachable")
                                                  : g_ascii_strdown(g_strerror(code), -1);
    return g_strdup_printf("dial tcp %s: connect: %s", probe->target, why);
}

static void
timed_out(void *data)
{
    Probe *probe = data;
    probe->timer = 0;
    probe_end(probe, probe->kind == HOST_PROBE_HTTP
                         ? g_strdup("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
                         : g_strdup_printf("dial tcp %s: i/o timeout", probe->target));
}

static gboolean
readable(gint fd, GIOCondition condition, gpointer data)
{
    Probe *probe = data;
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (got > 0)
        g_string_append_len(probe->reply, bytes, got);
    if (got > 0 && probe->reply->len < REPLY_MAX)
        return G_SOURCE_CONTINUE;
    probe->source = 0;
    node_wake(probe->node);
    probe_end(probe, got < 0                                        ? g_strdup("read: connection reset by peer")
                     : !g_str_has_prefix(probe->reply->str, "HTTP/") ? g_strdup("malformed HTTP response")
                                                                    : NULL);
    return G_SOURCE_REMOVE;
}

static gboolean
connected(gint fd, GIOCondition condition, gpointer data)
{
    Probe *probe = data;
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
    probe->source = 0;
    if (code == 0 && probe->kind == HOST_PROBE_HTTP &&
        send(fd, probe->request->str, probe->request->len, MSG_NOSIGNAL) == (ssize_t)probe->request->len) {
        probe->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, probe);
        return G_SOURCE_REMOVE;
    }
    node_wake(probe->node);
    probe_end(probe, code != 0                          ? dial_error(probe, code)
                     : probe->kind == HOST_PROBE_HTTP ? g_strdup("write: broken pipe")
                                                        : NULL);
    return G_SOURCE_REMOVE;
}

static void
make_request(Probe *probe, const HostProbe *wanted, const char *path)
{
    g_string_printf(probe->request, "GET %s%s HTTP/1.1\r\n", path[0] == '/' ? "" : "/", path);
    bool has_host = false, has_agent = false;
    VALUE_ARRAY_FOREACH (header, wanted->headers) {
        const char *name = value_text(value_get(header, "name")), *value = value_text(value_get(header, "value"));
        has_host = has_host || g_ascii_strcasecmp(name, "Host") == 0;
        has_agent = has_agent || g_ascii_strcasecmp(name, "User-Agent") == 0;
        if (strpbrk(name, "\r\n") == NULL && strpbrk(value, "\r\n") == NULL)
            g_string_append_printf(probe->request, "%s: %s\r\n", name, value);
    }
    if (!has_host)
        g_string_append_printf(probe->request, "Host: %s\r\n",
                               wanted->http_host != NULL ? wanted->http_host : probe->target);
    if (!has_agent)
        g_string_append(probe->request, "User-Agent: kube-probe/1.35\r\n");
    g_string_append(probe->request, "Accept: */*\r\nConnection: close\r\n\r\n");
}

static char *
refusal(const HostProbe *wanted, struct sockaddr_in *ret_address)
{
    *ret_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(wanted->port)};
    if (inet_pton(AF_INET, wanted->address, &ret_address->sin_addr) != 1)
        return g_strdup_printf("dial tcp: lookup %s: no such host", wanted->address);
    if (wanted->kind == HOST_PROBE_GRPC)
        return g_strdup("gRPC probes are not supported by this node");
    if (wanted->kind == HOST_PROBE_HTTP && wanted->scheme != NULL && g_ascii_strcasecmp(wanted->scheme, "HTTPS") == 0)
        return g_strdup("HTTPS probes are not supported by this node");
    return NULL;
}

void
runc_probe(Host *host, const HostProbe *wanted, HostProbeDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    bool own = node_find_sandbox_by_ip(node, wanted->address) != NULL ||
               g_strcmp0(node->options.ip, wanted->address) == 0 || strcmp(wanted->address, "127.0.0.1") == 0;
    if (other != NULL && !own) {
        other->ops->probe(other, wanted, done, data);
        return;
    }
    Probe *probe = g_new0(Probe, 1);
    *probe = (Probe){.node = node, .generation = node->generation, .fd = -1, .kind = (int)wanted->kind, .done = done,
                     .data = data, .target = g_strdup_printf("%s:%u", wanted->address, wanted->port),
                     .request = g_string_new(NULL), .reply = g_string_new(NULL)};
    g_ptr_array_add(node->probes, probe);
    const char *path = wanted->path != NULL ? wanted->path : "/";
    probe->url = g_strdup_printf("http://%s%s%s", probe->target, path[0] == '/' ? "" : "/", path);
    struct sockaddr_in address;
    char *error = refusal(wanted, &address);
    if (error != NULL) {
        probe_end(probe, error);
        return;
    }
    make_request(probe, wanted, path);
    probe->fd = network_socket(node->netns, SOCK_STREAM);
    if (probe->fd < 0 ||
        (connect(probe->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)) {
        probe_end(probe, dial_error(probe, errno));
        return;
    }
    probe->source = g_unix_fd_add(probe->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, connected, probe);
    probe->timer = engine_in(node->options.engine, NULL, MAX(wanted->timeout_ns, NS_PER_MS), timed_out, probe);
}
