#include <string.h>

#include "tests/core/controllers/suites.h"

void
bench_open(Bench *bench)
{
    *bench = (Bench){.world = test_world_new(1), .types = api_types_new()};
    bench->api = fake_api_new(test_world_ports(bench->world, "api"), bench->types);
    bench->ports = test_world_ports(bench->world, "cp");
    bench->client =
        client_new(bench->ports, bench->types,
                   fake_api_transport(bench->api, "system:kube-controller-manager"), NULL);
}

void
bench_start(Bench *bench, Value *take_config)
{
    bench->manager = controller_manager_new(bench->ports, bench->client, take_config);
    value_unref(take_config);
    bench_settle(bench);
}

void
bench_close(Bench *bench)
{
    controller_manager_free(bench->manager);
    client_free(bench->client);
    fake_api_free(bench->api);
    test_world_free(bench->world);
    api_types_free(bench->types);
}

void
bench_put(Bench *bench, const char *group, const char *resource, Value *take)
{
    fake_api_put(bench->api, group, resource, take);
}

const Value *
bench_get(Bench *bench, const char *group, const char *resource, const char *name)
{
    return fake_api_get(bench->api, group, resource, "d", name);
}

GPtrArray *
bench_list(Bench *bench, const char *group, const char *resource)
{
    GPtrArray *objects = objects_new();
    PMapIter iter = pmap_seek(fake_api_state(bench->api, group, resource), "d/");
    while (pmap_next(&iter) && g_str_has_prefix(iter.key, "d/"))
        objects_add(objects, iter.value);
    return objects;
}

void
pod_make_ready(Bench *bench, const char *name)
{
    const Value *pod = bench_get(bench, "", "pods", name);
    Value *status = value_new_f("{phase: Running, podIP: '10.0.0.1', conditions: [{type: Ready, "
                                "status: 'True', lastTransitionTime: %V}]}",
                                time_value(test_world_now(bench->world)));
    if (*pod_node_name(pod) == '\0')
        fake_api_edit(bench->api, "", "pods", "d", name, "spec.nodeName", value_new_string("n1"));
    fake_api_edit(bench->api, "", "pods", "d", name, "status", status);
}

void
bench_play_kubelet(Bench *bench)
{
    g_autoptr(GPtrArray) pods = bench_list(bench, "", "pods");
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        if (object_is_deleting(pod))
            fake_api_remove(bench->api, "", "pods", "d", object_name(pod));
        else if (!pod_is_ready(pod) && !pod_is_terminal(pod))
            pod_make_ready(bench, object_name(pod));
    }
    bench_settle(bench);
}

bool
bench_has_event(Bench *bench, const char *reason, const char *message)
{
    PMapIter iter = pmap_seek(fake_api_state(bench->api, "", "events"), NULL);
    while (pmap_next(&iter))
        if (strcmp(value_text(value_get(iter.value, "reason")), reason) == 0 &&
            (message == NULL ||
             strstr(value_text(value_get(iter.value, "message")), message) != NULL))
            return true;
    return false;
}

void
bench_settle(Bench *bench)
{
    /* Longer than the gathering of large sets. */
    test_world_run_for(bench->world, 2 * NS_PER_S);
}

const char *
condition_reason(const Value *object, const char *type)
{
    return value_text(
        value_get(condition_find(value_at(object, "status.conditions"), type), "reason"));
}

const char *
condition_status(const Value *object, const char *type)
{
    return value_text(
        value_get(condition_find(value_at(object, "status.conditions"), type), "status"));
}
