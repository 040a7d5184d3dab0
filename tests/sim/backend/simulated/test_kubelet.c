/* The kubelet on simulated machines: both for real, only the API server is a fake. */
#include <check.h>

#include "core/api/meta.h"
#include "core/kubelet/kubelet.h"
#include "sim/backend/simulated/node.h"
#include "tests/sim/backend/simulated/suites.h"
#include "tests/support/fake_api.h"
#include "tests/support/runner.h"

typedef struct Machine {
    EngineProcess *process;
    Client *client;
    Kubelet *kubelet;
    SimulatedNode *node;
    char name[16];
} Machine;

typedef struct Town {
    Engine *engine;
    SimulatedNet *net;
    SimulatedBackend *backend;
    EngineProcess *api_process;
    ApiTypes *types;
    FakeApi *api;
    Machine *machines;
    unsigned n;
} Town;

static void
machine_boot(Town *town, Machine *m)
{
    m->process = engine_process_new(town->engine, &(EngineProcessOptions){.name = "kubelet", .host = m->name});
    simulated_net_attach(town->net, m->process, NULL);
    simulated_node_set_kubelet(m->node, m->process);
    const Ports *ports = engine_process_ports(m->process);
    m->client = client_new(ports, town->types, fake_api_transport(town->api, "system:node"), &(ClientOptions){.qps = 50, .burst = 100});
    KubeletConfig config;
    kubelet_config_init(&config, m->name);
    m->kubelet = kubelet_new(ports, m->client, simulated_node_runtime(m->node), simulated_node_host(m->node), &config);
}

static void
machine_crash(Machine *m)
{
    engine_process_kill(m->process, ENGINE_DEATH_KILLED);
    kubelet_free(m->kubelet);
    client_free(m->client);
    engine_process_free(m->process);
}

static void
town_init(Town *town, unsigned machines)
{
    *town = (Town){.engine = engine_new(&(EngineOptions){.seed = 3, .start_ns = 1767225600 * NS_PER_S}), .n = machines};
    town->net = simulated_net_new(town->engine);
    town->backend = simulated_backend_new(town->engine, town->net);
    town->types = api_types_new();
    town->api_process = engine_process_new(town->engine, &(EngineProcessOptions){.name = "api", .host = "cp"});
    town->api = fake_api_new(engine_process_ports(town->api_process), town->types);
    town->machines = g_new0(Machine, machines);
    for (unsigned i = 0; i < machines; i++) {
        Machine *m = &town->machines[i];
        g_snprintf(m->name, sizeof m->name, "n%u", i);
        g_autofree char *ip = g_strdup_printf("172.18.%u.%u", i / 250, 2 + i % 250);
        m->node = simulated_node_new(town->backend, &(SimulatedNodeOptions){.name = m->name, .ip = ip});
        g_autofree char *cidr = g_strdup_printf("10.%u.%u.0/24", 100 + i / 250, i % 250);
        simulated_node_set_pod_cidr(m->node, cidr);
        machine_boot(town, m);
    }
}

static void
town_run(Town *town, double seconds)
{
    engine_run_until(town->engine, engine_now(town->engine) + (int64_t)(seconds * 1e9));
}

static void
town_clear(Town *town)
{
    for (unsigned i = 0; i < town->n; i++)
        machine_crash(&town->machines[i]);
    fake_api_free(town->api);
    engine_process_free(town->api_process);
    simulated_backend_free(town->backend);
    engine_drop_pending(town->engine);
    simulated_net_free(town->net);
    engine_free(town->engine);
    api_types_free(town->types);
    g_free(town->machines);
}

static void
add_pod(Town *town, const char *name, const char *node, const char *containers)
{
    g_autofree char *spec = g_strdup_printf("{nodeName: %s, restartPolicy: Always, terminationGracePeriodSeconds: 30, containers: %s}",
                                            node, containers);
    g_autoptr(Value) parsed = value_new_f(spec);
    fake_api_put(town->api, "", "pods",
                 value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: default}, spec: %v, status: {phase: "
                             "Pending}}", name, parsed));
}

static const char *
text(Town *town, const char *pod, const char *path)
{
    return value_text_at(fake_api_get(town->api, "", "pods", "default", pod), path);
}

START_TEST(a_kubelet_runs_pods_on_a_simulated_machine_and_survives_its_own_crash)
{
    Town town;
    town_init(&town, 2);
    add_pod(&town, "web", "n0", "[{name: web, image: nginx, ports: [{containerPort: 80}], readinessProbe: {httpGet: {port: 80}, "
                                "periodSeconds: 2}}]");
    add_pod(&town, "loop", "n1", "[{name: loop, image: nginx}]");
    town_run(&town, 30);
    ck_assert(simulated_node_kill_container(town.machines[1].node, "default", "loop", "loop", 1, 0, "Error"));
    town_run(&town, 30);
    ck_assert_str_eq(text(&town, "web", "status.phase"), "Running");
    ck_assert_str_eq(text(&town, "loop", "status.containerStatuses[0].lastState.terminated.reason"), "Error");
    const Value *web = fake_api_get(town.api, "", "pods", "default", "web");
    ck_assert(condition_is(value_at(web, "status.conditions"), "Ready", "True"));
    g_autofree char *id = g_strdup(value_text_at(web, "status.containerStatuses[0].containerID"));
    machine_crash(&town.machines[0]);
    town_run(&town, 5);
    machine_boot(&town, &town.machines[0]);
    town_run(&town, 20);
    ck_assert_str_eq(text(&town, "web", "status.containerStatuses[0].containerID"), id);
    fake_api_edit(town.api, "", "pods", "default", "web", "metadata.deletionGracePeriodSeconds", value_new_int(30));
    fake_api_edit(town.api, "", "pods", "default", "web", "metadata.deletionTimestamp", value_new_string("2026-01-01T00:10:00Z"));
    town_run(&town, 40);
    ck_assert_ptr_null(fake_api_get(town.api, "", "pods", "default", "web"));
    town_clear(&town);
}
END_TEST

TCase *
kubelet_case(void)
{
    return test_case("kubelet", a_kubelet_runs_pods_on_a_simulated_machine_and_survives_its_own_crash);
}
