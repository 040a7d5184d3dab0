/* kubeadm's last phase: waits for the API, then creates the add-ons one after the other; what exists already (a stored
 * cluster that starts again) stays as it is. */
#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/cluster/manifests.h"
#include "core/cluster/private.h"

#define RETRY_NS (500 * NS_PER_MS)

struct Bootstrap {
    const Ports *ports;
    Client *client;
    const ApiTypes *types;
    Value *objects;
    size_t next;
};

static void bootstrap_step(void *data);

static void
object_created(ApiResponse *response, void *data)
{
    Bootstrap *bootstrap = data;
    const char *reason = status_reason(response->object);
    bool done = api_response_ok(response) || g_strcmp0(reason, "AlreadyExists") == 0;
    if (!done && response->code < 500 && response->code != 403 && response->code != 429)
        log_error(bootstrap->ports->log, "add-on refused: %s", status_message(response->object));
    /* 403: the namespace's ServiceAccount may not be there yet. */
    if (done || (response->code < 500 && response->code != 403 && response->code != 429))
        bootstrap->next++;
    api_response_free(response);
    clock_timer_in(bootstrap->ports->clock, done ? 0 : RETRY_NS, bootstrap_step, bootstrap);
}

static void
bootstrap_step(void *data)
{
    Bootstrap *bootstrap = data;
    const Value *object = value_item(bootstrap->objects, bootstrap->next);
    if (object == NULL)
        return;
    const ApiKind *kind = api_types_of(bootstrap->types, object);
    g_assert(kind != NULL);
    client_create(bootstrap->client, kind->group, kind->resource,
                  kind->namespaced ? object_namespace(object) : NULL, value_ref(object),
                  object_created, bootstrap);
}

Bootstrap *
bootstrap_new(Cluster *cluster, const Ports *ports, Client *client)
{
    Bootstrap *bootstrap = g_new0(Bootstrap, 1);
    bootstrap->ports = ports;
    bootstrap->client = client;
    bootstrap->types = cluster->types;
    bootstrap->objects = cluster_addons(cluster->topology);
    clock_timer_in(ports->clock, RETRY_NS, bootstrap_step, bootstrap);
    return bootstrap;
}

void
bootstrap_free(Bootstrap *bootstrap)
{
    value_unref(bootstrap->objects);
    g_free(bootstrap);
}
