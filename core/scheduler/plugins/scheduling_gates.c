/* A pod with scheduling gates never enters the active queue; the queue asks pod_is_gated (queue.c).
 * This constant carries its name and the event that cures it. */
#include "core/scheduler/plugins/plugins.h"

const Plugin SCHEDULING_GATES = {.name = "SchedulingGates", .events = EVENT_GATES};
