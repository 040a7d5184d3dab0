/* The component. The real one asks the API server to leave out headless Services and other proxies'
 * by label selectors; here the pure function leaves them out, so that all proxies hold the server's
 * own version of the state and share the table made from it.
 *
 *   change --> wanted --(token of the bucket)--> applying --done--> in force; wanted again if
 * something changed since */
#include "core/proxy/proxy.h"

#include "core/client/bucket.h"

#define MIN_SYNC_PERIOD_NS NS_PER_S
#define SYNC_BURST 2
#define RETRY_NS (30 * NS_PER_S)
#define ZONE_LABEL "topology.kubernetes.io/zone"

struct Proxy {
    const Ports *ports;
    Dataplane *dataplane;
    ProxyShared *shared;
    char *node;
    char **cluster_cidrs;
    Informer *services, *slices, *nodes;
    TokenBucket bucket;
    int64_t retry_ns;
    bool wanted;
    CauseId cause; /* of the first change since the last sync */
    TimerId timer;
    ProxyRules *applying; /* what the dataplane works on; NULL: nothing */
    ProxyRules *in_force;
};

bool
proxy_has_synced(const Proxy *proxy)
{
    return informer_has_synced(proxy->services) && informer_has_synced(proxy->slices) &&
           informer_has_synced(proxy->nodes);
}

static GPtrArray *
node_addresses(const Value *node)
{
    GPtrArray *addresses = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (item, value_at(node, "status.addresses")) {
        const char *type = value_text(value_get(item, "type"));
        if (g_str_has_suffix(type, "IP"))
            g_ptr_array_add(addresses, (void *)value_text(value_get(item, "address")));
    }
    g_ptr_array_add(addresses, NULL);
    return addresses;
}

static GPtrArray *
node_cidrs(const Value *node)
{
    GPtrArray *cidrs = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (item, value_at(node, "spec.podCIDRs"))
        g_ptr_array_add(cidrs, (void *)value_text(item));
    const char *one = value_string(value_at(node, "spec.podCIDR"));
    if (cidrs->len == 0 && one != NULL)
        g_ptr_array_add(cidrs, (void *)one);
    g_ptr_array_add(cidrs, NULL);
    return cidrs;
}

static ProxyRules *
make_rules(Proxy *proxy)
{
    g_autoptr(ProxyTable) table = proxy_shared_table(proxy->shared, informer_state(proxy->services),
                                                     informer_state(proxy->slices));
    const Value *node = informer_get(proxy->nodes, proxy->node);
    g_autoptr(GPtrArray) addresses = node_addresses(node);
    g_autoptr(GPtrArray) cidrs = node_cidrs(node);
    const Value *labels = value_get(value_get(node, "metadata"), "labels");
    return proxy_rules_new(
        table, &(ProxyNode){.name = proxy->node,
                            .zone = value_string(value_get(labels, ZONE_LABEL)),
                            .addresses = (const char *const *)addresses->pdata,
                            .pod_cidrs = (const char *const *)cidrs->pdata,
                            .cluster_cidrs = (const char *const *)proxy->cluster_cidrs});
}

static void consider(Proxy *proxy);
static void sync_now(void *data);

static void
applied(const char *error, void *data)
{
    Proxy *proxy = data;
    g_autoptr(ProxyRules) rules = g_steal_pointer(&proxy->applying);
    if (error == NULL) {
        proxy_rules_unref(proxy->in_force);
        proxy->in_force = g_steal_pointer(&rules);
        consider(proxy);
        return;
    }
    log_error(proxy->ports->log, "Sync failed: %s, retrying", error);
    proxy->wanted = true;
    clock_cancel(proxy->ports->clock, &proxy->timer);
    proxy->timer = clock_timer_in(proxy->ports->clock, proxy->retry_ns, sync_now, proxy);
}

static void
sync_now(void *data)
{
    Proxy *proxy = data;
    proxy->timer = 0;
    if (!proxy->wanted || proxy->applying != NULL || !proxy_has_synced(proxy))
        return;
    proxy->wanted = false;
    trace_adopt(proxy->ports->trace, proxy->cause);
    proxy->cause = 0;
    g_autoptr(ProxyRules) rules = make_rules(proxy);
    if (proxy_rules_equal(rules, proxy->in_force))
        return;
    proxy->applying = g_steal_pointer(&rules);
    proxy->dataplane->ops->apply(proxy->dataplane, proxy->applying, applied, proxy);
}

static void
consider(Proxy *proxy)
{
    if (!proxy->wanted || proxy->timer != 0 || proxy->applying != NULL || !proxy_has_synced(proxy))
        return;
    int64_t when = token_bucket_reserve(&proxy->bucket, clock_now(proxy->ports->clock));
    proxy->timer = clock_timer_at(proxy->ports->clock, when, sync_now, proxy);
}

static void
want(Proxy *proxy, CauseId cause)
{
    if (!proxy->wanted || proxy->cause == 0)
        proxy->cause = cause;
    proxy->wanted = true;
    consider(proxy);
}

static void
changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
        void *data)
{
    want(data, cause);
}

static void
synced(void *data)
{
    Proxy *proxy = data;
    want(proxy, trace_current(proxy->ports->trace));
}

Proxy *
proxy_new(const Ports *ports, Client *client, Dataplane *dataplane, const ProxyConfig *config)
{
    static const InformerHandler handler = {.changed = changed, .synced = synced};
    static const char *const none[] = {NULL};
    Proxy *proxy = g_new0(Proxy, 1);
    proxy->ports = ports;
    proxy->dataplane = dataplane;
    proxy->shared = config->shared != NULL ? proxy_shared_ref(config->shared) : proxy_shared_new();
    proxy->node = g_strdup(config->node);
    proxy->cluster_cidrs =
        g_strdupv((char **)(config->cluster_cidrs != NULL ? config->cluster_cidrs : none));
    proxy->retry_ns = config->retry_ns > 0 ? config->retry_ns : RETRY_NS;
    int64_t period =
        config->min_sync_period_ns > 0 ? config->min_sync_period_ns : MIN_SYNC_PERIOD_NS;
    proxy->bucket = (TokenBucket){.interval_ns = period, .burst = SYNC_BURST, .next_ns = INT64_MIN};
    g_autofree char *own = g_strconcat("metadata.name=", config->node, NULL);
    proxy->services = informer_new(ports, client, "", "services", NULL, NULL, NULL);
    proxy->slices =
        informer_new(ports, client, "discovery.k8s.io", "endpointslices", NULL, NULL, NULL);
    proxy->nodes = informer_new(ports, client, "", "nodes", NULL, NULL, own);
    Informer *const informers[] = {proxy->services, proxy->slices, proxy->nodes};
    for (size_t i = 0; i < G_N_ELEMENTS(informers); i++) {
        informer_add_handler(informers[i], &handler, proxy);
        informer_start(informers[i]);
    }
    return proxy;
}

void
proxy_free(Proxy *proxy)
{
    if (proxy == NULL)
        return;
    clock_cancel(proxy->ports->clock, &proxy->timer);
    informer_free(proxy->services);
    informer_free(proxy->slices);
    informer_free(proxy->nodes);
    proxy_rules_unref(proxy->applying);
    proxy_rules_unref(proxy->in_force);
    proxy_shared_unref(proxy->shared);
    g_strfreev(proxy->cluster_cidrs);
    g_free(proxy->node);
    g_free(proxy);
}

const ProxyRules *
proxy_rules_in_force(const Proxy *proxy)
{
    return proxy->in_force;
}
