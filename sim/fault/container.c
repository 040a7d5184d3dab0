#include <glib/gi18n.h>

#include "core/base/error.h"
#include "sim/fault/fault_private.h"

static bool
kill_with(FaultTarget *target, const Value *spec, int signal, int exit_code, bool oom,
          GError **error)
{
    const char *namespace_ = fault_target_text(spec, "namespace");
    return target->ops->container_kill(target, namespace_ != NULL ? namespace_ : "default",
                                       fault_target_text(spec, "pod"),
                                       fault_target_text(spec, "container"), signal, exit_code,
                                       oom, error);
}

static bool
kill_start(FaultTarget *target, const Value *spec, GError **error)
{
    int64_t exit_code, signal;
    if (!fault_parameter_int(spec, "exitCode", -1, 0, 255, &exit_code, error) ||
        !fault_parameter_int(spec, "signal", 9, 1, 64, &signal, error))
        return false;
    if (exit_code >= 0)
        return kill_with(target, spec, 0, (int)exit_code, false, error);
    return kill_with(target, spec, (int)signal, 0, false, error);
}

const FaultClass FAULT_CONTAINER_KILL = {
    .type = "container-kill",
    .title = N_("Kill a container"),
    .target = "namespace pod! container",
    .parameters = N_("signal: 9 by default; exitCode: it exits with this code instead"),
    .start = kill_start,
};

static bool
oom_start(FaultTarget *target, const Value *spec, GError **error)
{
    return kill_with(target, spec, 9, 137, true, error);
}

const FaultClass FAULT_CONTAINER_OOM = {
    .type = "container-oom",
    .title = N_("A container runs out of memory"),
    .target = "namespace pod! container",
    .parameters = "",
    .start = oom_start,
};

static bool
hang(FaultTarget *target, const Value *spec, bool hung, GError **error)
{
    const char *namespace_ = fault_target_text(spec, "namespace");
    return target->ops->container_hang(target, namespace_ != NULL ? namespace_ : "default",
                                       fault_target_text(spec, "pod"),
                                       fault_target_text(spec, "container"), hung, error);
}

static bool
hang_start(FaultTarget *target, const Value *spec, GError **error)
{
    return hang(target, spec, true, error);
}

static bool
hang_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return hang(target, spec, false, error);
}

const FaultClass FAULT_CONTAINER_HANG = {
    .type = "container-hang",
    .title = N_("A container hangs and answers nothing"),
    .target = "namespace pod! container",
    .parameters = "",
    .start = hang_start,
    .stop = hang_stop,
};
