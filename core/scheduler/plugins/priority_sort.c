/* The order of the active queue: higher priority first, then who has waited longer. The queue's
 * heap does it (queue.c). */
#include "core/scheduler/plugins/plugins.h"

const Plugin PRIORITY_SORT = {.name = "PrioritySort"};
