/* The world as one process sees it. Given to every component when it is made; all its timers, calls and streams end
 * with the process (the back end drops them).
 *
 * A component is freed before its ports. It may cancel its timers and calls and close its streams on the way: while
 * the process lives that ends them, and after its death (a power loss must not close a stream politely) the ports
 * do nothing, whatever handle they are given. */
#pragma once

#include "core/base/log.h"
#include "core/port/clock.h"
#include "core/port/net.h"
#include "core/port/random.h"
#include "core/port/trace.h"

typedef struct Ports {
    Clock *clock;
    Random *random;
    Net *net;
    Trace *trace;
    Log *log; /* the process's standard error: `kubectl logs` of its container */
} Ports;
