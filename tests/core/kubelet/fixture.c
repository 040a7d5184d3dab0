#include "tests/core/kubelet/fixture.h"

#include "core/base/pmap.h"

void
fixture_init_idle(Fixture *f)
{
    *f = (Fixture){0};
    f->world = test_world_new(1);
    f->types = api_types_new();
    f->api = fake_api_new(test_world_ports(f->world, "api"), f->types);
    f->runtime = fake_runtime_new(test_world_ports(f->world, "runtime"));
    kubelet_config_init(&f->config, "node-1");
    fake_runtime_add_image(f->runtime, "nginx", 70000000);
    fake_api_put(f->api, "", "services",
                 value_new_f("{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default}, spec: "
                             "{clusterIP: \"10.96.0.1\", ports: [{name: https, port: 443, protocol: TCP}]}}"));
}

void
fixture_start(Fixture *f)
{
    const Ports *ports = test_world_ports(f->world, "node-1");
    ClientOptions options = {.qps = 50, .burst = 100};
    f->client = client_new(ports, f->types, fake_api_transport(f->api, "system:node:node-1"), &options);
    f->kubelet = kubelet_new(ports, f->client, fake_runtime(f->runtime), fake_host(f->runtime), &f->config);
    test_world_settle(f->world);
}

void
fixture_stop(Fixture *f)
{
    fake_runtime_hang_up(f->runtime);
    g_clear_pointer(&f->kubelet, kubelet_free);
    g_clear_pointer(&f->client, client_free);
}

void
fixture_init(Fixture *f)
{
    fixture_init_idle(f);
    fixture_start(f);
}

void
fixture_clear(Fixture *f)
{
    fixture_stop(f);
    fake_api_free(f->api);
    fake_runtime_free(f->runtime);
    test_world_free(f->world);
    api_types_free(f->types);
}

void
fixture_run(Fixture *f, double seconds)
{
    test_world_run_for(f->world, (int64_t)(seconds * 1e9));
}

const Value *
fixture_add_pod(Fixture *f, const char *name, const char *spec)
{
    g_autofree char *text = g_strdup_printf("{nodeName: node-1, %s}", spec);
    g_autoptr(Value) parsed = value_new_f(text);
    g_autoptr(ValueBuilder) builder = value_builder_new(parsed);
    if (!value_has(parsed, "restartPolicy"))
        value_builder_set(builder, "restartPolicy", value_new_string("Always"));
    if (!value_has(parsed, "terminationGracePeriodSeconds"))
        value_builder_set(builder, "terminationGracePeriodSeconds", value_new_int(30));
    return fake_api_put(f->api, "", "pods",
                        value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: default, generation: 1, "
                                    "labels: {app: %s}}, spec: %V, status: {phase: Pending, conditions: [{type: PodScheduled, "
                                    "status: \"True\", lastTransitionTime: \"2026-01-01T00:00:00Z\"}]}}",
                                    name, name, value_builder_end(g_steal_pointer(&builder))));
}

const Value *
fixture_add_web(Fixture *f, const char *name)
{
    return fixture_add_pod(f, name, "containers: [{name: web, image: nginx, imagePullPolicy: IfNotPresent}]");
}

const Value *
fixture_pod(Fixture *f, const char *name)
{
    return fake_api_get(f->api, "", "pods", "default", name);
}

const char *
fixture_text(Fixture *f, const char *name, const char *path)
{
    return value_text_at(fixture_pod(f, name), path);
}

int64_t
fixture_int(Fixture *f, const char *name, const char *path)
{
    return value_int_at(fixture_pod(f, name), path);
}

const char *
fixture_phase(Fixture *f, const char *name)
{
    return fixture_text(f, name, "status.phase");
}

const char *
fixture_condition(Fixture *f, const char *name, const char *type, const char *field)
{
    return value_text(value_get(condition_find(value_at(fixture_pod(f, name), "status.conditions"), type), field));
}

void
fixture_delete_pod(Fixture *f, const char *name, int64_t grace)
{
    Value *pod = value_ref(fixture_pod(f, name));
    value_edit(&pod, "metadata.deletionTimestamp", value_new_string("2026-01-01T00:10:00Z"));
    value_edit(&pod, "metadata.deletionGracePeriodSeconds", value_new_int(grace));
    fake_api_put(f->api, "", "pods", pod);
}

static int64_t
each_event(Fixture *f, const char *reason, const char *message)
{
    int64_t count = 0;
    PMap *state = fake_api_state(f->api, "", "events");
    PMapIter iter = pmap_seek(state, NULL);
    while (state != NULL && pmap_next(&iter)) {
        const Value *event = iter.value;
        const char *text = value_text(value_get(event, "message"));
        if (g_str_equal(value_text(value_get(event, "reason")), reason) && (message == NULL || strstr(text, message) != NULL))
            count += MAX(value_int(value_get(event, "count")), 1);
    }
    return count;
}

int64_t
fixture_events(Fixture *f, const char *reason)
{
    return each_event(f, reason, NULL);
}

bool
fixture_event_says(Fixture *f, const char *reason, const char *message)
{
    return each_event(f, reason, message) > 0;
}
