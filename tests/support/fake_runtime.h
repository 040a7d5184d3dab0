/* A container runtime and a host in memory, for unit tests of the kubelet. Every op completes 1 ms later (pulls: as set). A
 * container runs until the test ends it or it is stopped. */
#pragma once

#include "core/port/host.h"
#include "core/port/ports.h"
#include "core/port/runtime.h"

typedef struct FakeRuntime FakeRuntime;

FakeRuntime *fake_runtime_new(const Ports *ports);
void fake_runtime_free(FakeRuntime *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeRuntime, fake_runtime_free)
/* The kubelet died: nobody is told of what is under way, which goes on. */
void fake_runtime_hang_up(FakeRuntime *fake);
Runtime *fake_runtime(FakeRuntime *fake);
Host *fake_host(FakeRuntime *fake);

/* What was asked of it: "sandbox web", "create web/nginx", "start web/nginx", "stop web/nginx 30", "exec web/nginx ls",
 * "pull nginx", "stop-sandbox web", "remove-dirs UID" ... in order. */
const GPtrArray *fake_runtime_calls(const FakeRuntime *fake);
size_t fake_runtime_count(const FakeRuntime *fake, const char *prefix);
/* The place of a call in the order, -1 when it was not made. */
int fake_runtime_index(const FakeRuntime *fake, const char *call);

void fake_runtime_add_image(FakeRuntime *fake, const char *image, int64_t size); /* is here already */
/* How long its pull takes and how it ends (error NULL: well). */
void fake_runtime_set_pull(FakeRuntime *fake, const char *image, int64_t duration_ns, const char *error);
/* The next `times` ops whose text begins so fail. */
void fake_runtime_fail(FakeRuntime *fake, const char *prefix, const char *error, unsigned times);
/* The running container of this pod ends now. */
void fake_runtime_exit(FakeRuntime *fake, const char *pod, const char *container, int exit_code);
bool fake_runtime_is_running(const FakeRuntime *fake, const char *pod, const char *container);
/* How long a container takes to obey the stop signal. */
void fake_runtime_set_stop_time(FakeRuntime *fake, const char *container, int64_t duration_ns);
/* What exec answers; commands are joined by spaces. Unknown ones succeed. */
void fake_runtime_set_exec(FakeRuntime *fake, const char *command, int exit_code, const char *output);
/* The sandbox of a pod dies. */
void fake_runtime_kill_sandbox(FakeRuntime *fake, const char *pod);
/* There is no pod network until a pod CIDR is told. */
void fake_runtime_wait_for_cidr(FakeRuntime *fake);
void fake_runtime_set_memory(FakeRuntime *fake, const char *container, uint64_t bytes);

/* The host. Probes of unknown ports succeed. status 0 and error: refused and the like. */
void fake_host_set_probe(FakeRuntime *fake, uint16_t port, int http_status, const char *error);
void fake_host_set_pressure(FakeRuntime *fake, const HostPressure *pressure);
void fake_host_set_static(FakeRuntime *fake, Value *take);
/* What a volume of a pod holds now; NULL: nothing published. */
const Value *fake_host_volume(const FakeRuntime *fake, const char *volume);
void fake_host_add_log(FakeRuntime *fake, const char *path, int64_t time, const char *text);
/* The environment a container was made with: "NAME=value" of the newest of this name; NULL when there is none. */
const char *const *fake_runtime_env(const FakeRuntime *fake, const char *container);
