/* Services: kube-proxy's rules as nftables text, applied by `nft -f -` inside the node's network namespace. While one is
 * applied, only the newest of those that come is kept. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

/* What leaves the node has the node's address. */
#define OWN_TABLE                                                                                                       \
    "add table ip timonel\ndelete table ip timonel\ntable ip timonel {\n"                                               \
    "  chain postrouting { type nat hook postrouting priority srcnat; policy accept;\n"                                 \
    "    oifname \"eth0\" ip saddr %s masquerade\n  }\n}\n"

static void apply_next(RuncNode *node);

typedef struct Applied {
    void (*done)(const char *error, void *data);
    void *data;
    char *error;
} Applied;

static void
applied_free(void *data)
{
    Applied *applied = data;
    g_free(applied->error);
    g_free(applied);
}

static void
tell(void *data)
{
    Applied *applied = data;
    applied->done(applied->error, applied->data);
    applied_free(applied);
}

static EngineProcess *
proxy_process(RuncNode *node)
{
    return node->options.proxy_process != NULL ? node->options.proxy_process(node->options.context) : node->kubelet;
}

static void
finish(RuncNode *node, const char *error)
{
    EngineProcess *process = proxy_process(node);
    if (node->rules_done == NULL || process == NULL || engine_process_pid(process) != node->rules_pid)
        return;
    Applied *applied = g_new0(Applied, 1);
    *applied = (Applied){node->rules_done, node->rules_data, g_strdup(error)};
    node->rules_done = NULL;
    engine_at_take(node->options.engine, process, runc_now(node), tell, applied, applied_free);
}

static void
nft_ended(int status, const char *text, void *data)
{
    RuncNode *node = data;
    node->rules_busy = false;
    if (node->rules_wanted != NULL)
        apply_next(node);
    else
        finish(node, status == 0 ? NULL : text);
}

static int
enter_node(void *arg, int error_fd)
{
    int fd = open(arg, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && setns(fd, CLONE_NEWNET) == 0 ? 0 : child_fail(error_fd, "enter the node's network namespace");
}

static void
apply_next(RuncNode *node)
{
    g_autofree char *rules = proxy_rules_nftables(node->rules_wanted, PROXY_IPV4);
    g_autofree char *own = node->pod_cidr != NULL ? g_strdup_printf(OWN_TABLE, node->pod_cidr) : g_strdup("");
    g_clear_pointer(&node->rules_wanted, proxy_rules_unref);
    if (node->nft == NULL) {
        finish(node, "nft is not installed: apt-get install nftables");
        return;
    }
    int fd = memfd_create("rules", MFD_CLOEXEC);
    const char *argv[] = {node->nft, "-f", "-", NULL};
    const char *texts[] = {own, rules};
    bool ok = fd >= 0;
    for (size_t i = 0; i < G_N_ELEMENTS(texts) && ok; i++)
        ok = write(fd, texts[i], strlen(texts[i])) == (ssize_t)strlen(texts[i]);
    ok = ok && lseek(fd, 0, SEEK_SET) == 0;
    const ChildOptions options = {.body = enter_node, .arg = node->netns, .argv = argv, .stdin_fd = fd};
    node->rules_busy = ok && child_start(node, &options, nft_ended, node) != NULL;
    if (!node->rules_busy)
        finish(node, g_strerror(errno));
    if (fd >= 0)
        close(fd);
}

static void
runc_apply(Dataplane *dataplane, struct ProxyRules *rules, void (*done)(const char *error, void *data), void *data)
{
    RuncNode *node = ((RuncPort *)dataplane)->node;
    Dataplane *other = node->options.components_dataplane;
    EngineProcess *process = proxy_process(node);
    if (other != NULL)
        other->ops->apply(other, rules, NULL, NULL); /* simulated clients on this node follow them too */
    finish(node, NULL);
    node->rules_done = done;
    node->rules_data = data;
    node->rules_pid = process != NULL ? engine_process_pid(process) : 0;
    proxy_rules_unref(node->rules_wanted);
    node->rules_wanted = proxy_rules_ref(rules);
    if (!node->rules_busy)
        apply_next(node);
}

const DataplaneOps runc_dataplane_ops = {.apply = runc_apply};

void
dataplane_clear(RuncNode *node)
{
    g_clear_pointer(&node->rules_wanted, proxy_rules_unref);
}
