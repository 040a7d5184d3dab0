/* One incarnation of a process on a host: what a component gets its ports from, and what can be killed, paused and
 * slowed. All that it has pending belongs to it and goes when it dies, at a cost of its own things only.
 *
 *   new -> running <-> paused        (engine_process_pause, engine_process_resume)
 *   any -> dead                      (engine_process_kill)     dead -> freed (engine_process_free) */
#pragma once

#include "core/port/ports.h"
#include "sim/engine/engine.h"

typedef enum {
    ENGINE_DEATH_KILLED,     /* the kernel closes its sockets: peers see resets */
    ENGINE_DEATH_POWER_LOSS, /* nobody is told */
} EngineDeath;

typedef struct EngineProcessOptions {
    const char *name; /* "kube-scheduler" */
    const char *host; /* "node-1" */
    Log *log;         /* borrowed, must outlive the process; NULL: what is logged is dropped */
} EngineProcessOptions;

/* What one event costs a slowed process at factor 1; at factor f it costs f - 1 times that, one after the other. */
#define ENGINE_SLOW_EVENT_NS (200 * NS_PER_US)

/* Its random stream depends on seed, host, name and how often that name was started there; not on others. */
EngineProcess *engine_process_new(Engine *engine, const EngineProcessOptions *options);
/* Kills it first if it lives. */
void engine_process_free(EngineProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EngineProcess, engine_process_free)

/* Valid until the process is freed. The net is put there by the back end (engine_process_set_net). */
const Ports *engine_process_ports(const EngineProcess *process);
/* free_net(net) is called when the process is freed or gets another net; may be NULL. */
void engine_process_set_net(EngineProcess *process, Net *net, GDestroyNotify free_net);
Engine *engine_process_engine(const EngineProcess *process);
const char *engine_process_name(const EngineProcess *process);
const char *engine_process_host(const EngineProcess *process);
uint32_t engine_process_pid(const EngineProcess *process); /* counts the world's processes from 1 */
uint32_t engine_process_incarnation(const EngineProcess *process); /* from 1, of this name on this host */
bool engine_process_is_alive(const EngineProcess *process);
bool engine_process_is_paused(const EngineProcess *process);

/* Drops its pending events, then calls the death listeners, last added first. Idempotent. Safe in its own event. */
void engine_process_kill(EngineProcess *process, EngineDeath death);
typedef void (*EngineDeathFunc)(EngineProcess *process, EngineDeath death, void *data);
void engine_process_on_death(EngineProcess *process, EngineDeathFunc func, void *data);
void engine_process_forget_on_death(EngineProcess *process, EngineDeathFunc func, void *data);

/* SIGSTOP and SIGCONT: what becomes due while it is paused waits and then runs in the same order. */
void engine_process_pause(EngineProcess *process);
void engine_process_resume(EngineProcess *process);
/* 1: as fast as ever; more: each event takes (factor - 1) * ENGINE_SLOW_EVENT_NS of its time, one after the other. */
void engine_process_set_slow(EngineProcess *process, unsigned factor);
