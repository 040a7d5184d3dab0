/* What the files of sim/world share. */
#pragma once

#include "core/http/http.h"
#include "sim/backend/runc/node.h"
#include "sim/backend/simulated/net.h"
#include "sim/backend/simulated/node.h"
#include "sim/world/inputs.h"
#include "sim/world/world.h"

/* A machine of the cluster: its back end, and the kubelet that its init system keeps running. */
typedef struct Machine {
    World *world;
    const TopologyNode *topology;
    SimulatedNode *node;
    RuncNode *real;         /* of back end runc; else NULL */
    EngineProcess *process; /* the kubelet's, or NULL */
    Kubelet *kubelet;
    Client *client;
    EventId restart;        /* systemd's RestartSec is running */
} Machine;

struct World {
    Engine *engine;
    SimulatedNet *net;
    SimulatedBackend *backend;
    Cluster *cluster;
    GPtrArray *machines;     /* of Machine, in the topology's order */
    GHashTable *machines_by_name; /* looked up only */
    EngineProcess *disk;     /* whose clock etcd's data has */
    EngineProcess *outside;  /* the person's machine */
    EngineProcess *kubeadm;
    ClusterProcess *bootstrap;
    FaultTarget fault_target;
    Inputs *inputs;
    bool replaying;          /* inputs come from a record: do not record them again */
    int64_t start_ns;
    GPtrArray *faults;       /* of ActiveFault: those that are API objects; sim_objects.c */
    void (*pace_wanted)(const char *pace, void *data);
    void *pace_data;
    void (*catch_up)(void *data); /* brings virtual time to the present; NULL: nobody paces it */
    void *catch_up_data;
    WhyTranslateFunc translate; /* of world_why */
    void *translate_data;
    GQueue outside_calls;    /* of requests that wait for their answer; outside.c */
    GQueue outside_streams;  /* of TransportStream; outside_stream.c */
};

Machine *world_machine(World *world, const char *node); /* NULL: unknown */
/* machine.c */
void machine_start_kubelet(Machine *machine);
void machine_stop_kubelet(Machine *machine, EngineDeath death);
void machine_power(Machine *machine, bool on);
/* real.c */
bool machine_make_real(Machine *machine, GError **error); /* does nothing for a simulated one */
Runtime *machine_runtime(Machine *machine);
Host *machine_host(Machine *machine);
Dataplane *machine_dataplane(Machine *machine);
void machine_set_kubelet(Machine *machine, EngineProcess *process); /* NULL: none */
bool world_is_real(const World *world); /* some machine is: it can only go at life's pace, and never back */
/* What happens on real machines is told to the world in the present: called before it is. */
void world_on_catch_up(World *world, void (*catch_up)(void *data), void *data);
/* processes.c: components in containers. */
extern const SimulatedProcessFactory WORLD_PROCESS_FACTORY;
/* dns.c, rules.c: what simulated programs need of CoreDNS and kube-proxy. */
extern const SimulatedDnsOps WORLD_DNS_OPS;
extern const SimulatedRulesOps WORLD_RULES_OPS;
/* faults.c */
extern const FaultTargetOps WORLD_FAULT_OPS;
/* outside.c */
void world_outside_clear(World *world);
/* outside_stream.c: the streams of world_transport. */
TransportStream *world_stream_open(World *world, Transport *transport, ApiRequest *take,
                                   const ApiStreamHandler *handler, void *data);
void world_stream_send(TransportStream *stream, int channel, const void *bytes, size_t length);
void world_stream_close(TransportStream *stream);
void world_streams_close(World *world, Transport *transport); /* NULL: all of them */
/* A request from outside is an input, if it changes something: recorded with its time, and the cause of what follows. */
void world_record_request(World *world, const ApiRequest *request);
void world_http(World *world, const HttpRequest *request, HttpResponder *responder);
/* sim_objects.c */
void world_sim_objects_start(World *world);
void world_sim_objects_stop(World *world);
void world_sim_objects_publish(World *world);
/* What somebody wrote into the Clock: "paused", "max" or a factor. */
void world_on_pace(World *world, void (*wanted)(const char *pace, void *data), void *data);
/* replay.c */
const Inputs *world_inputs(const World *world);
int64_t world_start(const World *world);
void world_record(World *world, const char *kind, Value *take_payload);
/* Gives a new world the inputs of an old one up to `until_ns`, each at its time, and runs it to there. */
void world_replay(World *world, const Inputs *inputs, int64_t until_ns);
