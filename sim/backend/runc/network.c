/* The network of a node, routed: each pod has a /32 and a veth whose other end is in the node's namespace with the range's
 * first address, so every packet between pods passes the node's rules, and no bridge filter is needed. The node's own
 * namespace is linked to the machine by one veth with the node's address. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "sim/backend/runc/node_private.h"

#define MACHINE_ADDRESS 0xa9fe4d01u /* 169.254.77.1: the machine as the node sees it */
#define GATEWAY_OFFSET 1
#define FIRST_OFFSET_FROM_END 2 /* from .254 downwards: simulated pods of the same node count upwards */

typedef struct Setup {
    char dir[512], hostname[65], peer[IFNAMSIZ];
    int node_ns, machine_ns;
    bool own_network;
    uint32_t address, gateway;
} Setup;

static bool
write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool
keep_namespace(const char *dir, const char *name)
{
    char from[64], to[600];
    snprintf(from, sizeof from, "/proc/self/ns/%s", name);
    snprintf(to, sizeof to, "%s/%s", dir, name);
    int fd = open(to, O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

/* ---- the node ---- */

static int
node_body(void *arg, int error_fd)
{
    const Setup *setup = arg;
    if (unshare(CLONE_NEWNET) != 0 || !keep_namespace(setup->dir, "net"))
        return child_fail(error_fd, "make the node's network namespace");
    int fd = netlink_open();
    if (!netlink_link_up(fd, "lo") || !write_text("/proc/sys/net/ipv4/ip_forward", "1"))
        return child_fail(error_fd, "set up the node's network namespace");
    if (setup->address == 0)
        return 0;
    if (!netlink_add_veth(fd, "eth0", setup->peer, setup->machine_ns) ||
        !netlink_add_address(fd, "eth0", setup->address, 32) || !netlink_link_up(fd, "eth0") ||
        !netlink_add_route(fd, "eth0", MACHINE_ADDRESS, 32, 0, 0) ||
        !netlink_add_route(fd, "eth0", 0, 0, MACHINE_ADDRESS, 0))
        return child_fail(error_fd, "link the node to the machine");
    close(fd);
    if (setns(setup->machine_ns, CLONE_NEWNET) != 0)
        return child_fail(error_fd, "setns");
    fd = netlink_open();
    if (!netlink_add_address(fd, setup->peer, MACHINE_ADDRESS, 32) || !netlink_link_up(fd, setup->peer))
        return child_fail(error_fd, "link the machine to the node");
    if (!netlink_add_route(fd, setup->peer, setup->address, 32, 0, MACHINE_ADDRESS))
        return child_fail(error_fd, "route the node's address (is it in use on this machine?)");
    return 0;
}

static uint32_t
parse_address(const char *text)
{
    struct in_addr address;
    return text != NULL && inet_pton(AF_INET, text, &address) == 1 ? ntohl(address.s_addr) : 0;
}

bool
network_make_node(RuncNode *node, GError **error)
{
    Setup setup = {.address = parse_address(node->options.ip),
                   .machine_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
    snprintf(setup.dir, sizeof setup.dir, "%s", node->dir);
    snprintf(setup.peer, sizeof setup.peer, "%s", node->link);
    int fds[2], status = 0;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return fail(error, TIMONEL_ERROR_IO, "pipe: %s", g_strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        _exit(node_body(&setup, fds[1]));
    close(fds[1]);
    char text[256] = "";
    ssize_t got = read(fds[0], text, sizeof text - 1);
    text[MAX(got, 0)] = '\0';
    close(fds[0]);
    close(setup.machine_ns);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return fail(error, TIMONEL_ERROR_IO, "network of node \"%s\": %s", node->options.name, text);
    return true;
}

/* ---- pods ---- */

static int
pod_body(void *arg, int error_fd)
{
    const Setup *setup = arg;
    if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | (setup->own_network ? CLONE_NEWNET : 0)) != 0)
        return child_fail(error_fd, "unshare");
    if (sethostname(setup->hostname, strlen(setup->hostname)) != 0)
        return child_fail(error_fd, "sethostname");
    if (!keep_namespace(setup->dir, "ipc") || !keep_namespace(setup->dir, "uts") ||
        (setup->own_network && !keep_namespace(setup->dir, "net")))
        return child_fail(error_fd, "keep the pod's namespaces");
    if (!setup->own_network)
        return 0;
    int fd = netlink_open();
    if (!netlink_link_up(fd, "lo") || !netlink_add_veth(fd, "eth0", setup->peer, setup->node_ns) ||
        !netlink_add_address(fd, "eth0", setup->address, 32) || !netlink_link_up(fd, "eth0") ||
        !netlink_add_route(fd, "eth0", setup->gateway, 32, 0, 0) ||
        !netlink_add_route(fd, "eth0", 0, 0, setup->gateway, 0))
        return child_fail(error_fd, "set up the pod's network");
    close(fd);
    if (setns(setup->node_ns, CLONE_NEWNET) != 0)
        return child_fail(error_fd, "setns");
    fd = netlink_open();
    if (!netlink_add_address(fd, setup->peer, setup->gateway, 32) || !netlink_link_up(fd, setup->peer) ||
        !netlink_add_route(fd, setup->peer, setup->address, 32, 0, setup->gateway))
        return child_fail(error_fd, "link the pod to its node");
    return 0;
}

void
network_start_sandbox(RuncSandbox *sandbox, ChildDone done, void *data)
{
    RuncNode *node = sandbox->node;
    Setup setup = {.own_network = !sandbox->host_network,
                   .node_ns = open(node->netns, O_RDONLY | O_CLOEXEC),
                   .address = node->pod_network + sandbox->ip_offset,
                   .gateway = node->pod_network + GATEWAY_OFFSET};
    snprintf(setup.dir, sizeof setup.dir, "%s", sandbox->dir);
    snprintf(setup.hostname, sizeof setup.hostname, "%s", sandbox->hostname);
    snprintf(setup.peer, sizeof setup.peer, "veth%.8s", sandbox->id);
    if (child_start(node, &(ChildOptions){.body = pod_body, .arg = &setup}, done, data) == NULL)
        done(-1, "fork failed", data);
    close(setup.node_ns);
}

bool
network_set_cidr(RuncNode *node, const char *cidr)
{
    g_auto(GStrv) parts = g_strsplit(cidr, "/", 2);
    uint32_t network = parse_address(parts[0]);
    int prefix = g_strv_length(parts) == 2 ? atoi(parts[1]) : 0;
    if (network == 0 || prefix < 8 || prefix > 29)
        return false;
    node->pod_network = network;
    node->pod_hosts = 1u << (32 - prefix);
    g_free(node->pod_cidr);
    node->pod_cidr = g_strdup(cidr);
    return true;
}

static bool
address_is_used(RuncNode *node, uint32_t offset)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const RuncSandbox *sandbox = node->sandboxes->pdata[i];
        if (sandbox->ip_offset == offset)
            return true;
    }
    return false;
}

uint32_t
network_take_address(RuncNode *node)
{
    for (uint32_t offset = node->pod_hosts - FIRST_OFFSET_FROM_END; offset > GATEWAY_OFFSET; offset--)
        if (!address_is_used(node, offset))
            return offset;
    return 0;
}

char *
sandbox_netns(const RuncSandbox *sandbox)
{
    return sandbox->host_network ? g_strdup(sandbox->node->netns) : g_build_filename(sandbox->dir, "net", NULL);
}

int
network_socket(const char *netns, int type)
{
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), other = open(netns, O_RDONLY | O_CLOEXEC), fd = -1;
    if (own >= 0 && other >= 0 && setns(other, CLONE_NEWNET) == 0) {
        fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        g_assert(setns(own, CLONE_NEWNET) == 0);
    }
    int saved = errno;
    if (own >= 0)
        close(own);
    if (other >= 0)
        close(other);
    errno = saved;
    return fd;
}
