#include <glib/gi18n.h>

#include "core/base/error.h"
#include "sim/fault/fault_private.h"

/* Both directions, unless parameters.oneWay. */
static bool
shape(FaultTarget *target, const Value *spec, const FaultLink *link, GError **error)
{
    const char *from = fault_target_text(spec, "node");
    const char *to = fault_target_text(spec, "peer");
    return target->ops->link(target, from, to, link, error) &&
           (fault_parameter_is_on(spec, "oneWay") ||
            target->ops->link(target, to, from, link, error));
}

static bool
link_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return shape(target, spec, NULL, error);
}

static bool
cut_start(FaultTarget *target, const Value *spec, GError **error)
{
    return shape(target, spec, &(FaultLink){.cut = true}, error);
}

const FaultClass FAULT_LINK_CUT = {
    .type = "link-cut",
    .title = N_("Cut a node's network"),
    .target = "node! peer",
    .parameters = N_("oneWay: only what the node sends is lost"),
    .start = cut_start,
    .stop = link_stop,
};

static bool
delay_start(FaultTarget *target, const Value *spec, GError **error)
{
    FaultLink link = {0};
    return fault_parameter_duration(spec, "delay", INT64_C(200000000), &link.delay_ns, error) &&
           fault_parameter_duration(spec, "jitter", 0, &link.jitter_ns, error) &&
           shape(target, spec, &link, error);
}

const FaultClass FAULT_LINK_DELAY = {
    .type = "link-delay",
    .title = N_("A node's network becomes slow"),
    .target = "node! peer",
    .parameters = N_("delay: 200ms by default; jitter; oneWay"),
    .start = delay_start,
    .stop = link_stop,
};

static bool
loss_start(FaultTarget *target, const Value *spec, GError **error)
{
    int64_t percent;
    return fault_parameter_int(spec, "percent", 10, 0, 100, &percent, error) &&
           shape(target, spec, &(FaultLink){.loss_ppm = (unsigned)percent * 10000}, error);
}

const FaultClass FAULT_LINK_LOSS = {
    .type = "link-loss",
    .title = N_("A node's network loses packets"),
    .target = "node! peer",
    .parameters = N_("percent: 10 by default; oneWay"),
    .start = loss_start,
    .stop = link_stop,
};
