/* See manager.h. States: waiting for the lease -> running (controllers_start) -> lost (on_stopped).
 */
#include "core/controllers/manager.h"

#include "core/client/leader.h"

struct ControllerManager {
    ControllerContext context;
    Value *config;
    LeaderElection *election; /* NULL without leader election */
    GPtrArray *controllers;   /* running ones */
    bool lost;
    void (*on_lost)(void *data);
    void *on_lost_data;
};

/* As the real list is read: an exact name or "-name" decides, else "*" does. */
static bool
is_enabled(const Value *list, const char *name)
{
    bool star = value_size(list) == 0;
    VALUE_ARRAY_FOREACH (item, list) {
        const char *word = value_text(item);
        if (g_str_equal(word, name))
            return true;
        if (word[0] == '-' && g_str_equal(word + 1, name))
            return false;
        star |= g_str_equal(word, "*");
    }
    return star;
}

static void
on_synced(void *data)
{
    ControllerManager *manager = data;
    for (guint i = 0; i < manager->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(manager->controllers, i);
        if (controller->class_->synced != NULL)
            controller->class_->synced(controller);
        else if (controller->queue != NULL)
            work_queue_start(controller->queue);
    }
}

static void
controllers_start(void *data)
{
    ControllerManager *manager = data;
    const Value *list = value_get(manager->config, "controllers");
    manager->context.informers =
        informer_factory_new(manager->context.ports, manager->context.client);
    for (const ControllerClass *const *class_ = controller_classes(); *class_ != NULL; class_++)
        if (is_enabled(list, (*class_)->name))
            g_ptr_array_add(manager->controllers, (*class_)->start(&manager->context));
    informer_factory_start(manager->context.informers);
    informer_factory_when_synced(manager->context.informers, on_synced, manager);
}

static void
controllers_stop(ControllerManager *manager)
{
    for (guint i = manager->controllers->len; i > 0; i--) {
        Controller *controller = g_ptr_array_index(manager->controllers, i - 1);
        controller->class_->stop(controller);
    }
    g_ptr_array_set_size(manager->controllers, 0);
    g_clear_pointer(&manager->context.informers, informer_factory_free);
}

static void
on_stopped(void *data)
{
    ControllerManager *manager = data;
    manager->lost = true;
    if (manager->on_lost != NULL)
        manager->on_lost(manager->on_lost_data);
}

ControllerManager *
controller_manager_new(const Ports *ports, Client *client, const Value *config)
{
    ControllerManager *manager = g_new0(ControllerManager, 1);
    manager->config = config != NULL ? value_ref(config) : value_new_map();
    manager->context =
        (ControllerContext){.ports = ports, .client = client, .config = manager->config};
    manager->controllers = g_ptr_array_new();
    if (value_bool(value_get(manager->config, "leaderElect"))) {
        const char *identity = value_text(value_get(manager->config, "identity"));
        manager->election = leader_election_new(ports, client, "kube-controller-manager", identity,
                                                controllers_start, on_stopped, manager);
    } else {
        controllers_start(manager);
    }
    return manager;
}

void
controller_manager_free(ControllerManager *manager)
{
    if (manager == NULL)
        return;
    controllers_stop(manager);
    leader_election_free(manager->election);
    g_ptr_array_free(manager->controllers, TRUE);
    value_unref(manager->config);
    g_free(manager);
}

void
controller_manager_on_lost(ControllerManager *manager, void (*func)(void *data), void *data)
{
    manager->on_lost = func;
    manager->on_lost_data = data;
}

bool
controller_manager_has_lost(const ControllerManager *manager)
{
    return manager->lost;
}
