/* The kubelet's server on port 10250. */
#include "core/kubelet/internal.h"

struct KubeletServer {
    Kubelet *kubelet;
};

KubeletServer *
kubelet_server_new(Kubelet *kubelet)
{
    KubeletServer *server = g_new0(KubeletServer, 1);
    server->kubelet = kubelet;
    return server;
}

void
kubelet_server_free(KubeletServer *server)
{
    g_free(server);
}
