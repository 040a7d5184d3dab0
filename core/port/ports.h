/* The world as one process sees it. Given to every component when it is made; all its timers, calls and streams end
 * with the process (the back end drops them), so a component's free function need only free memory. Components are freed before
 * their ports: they may cancel timers and calls and close streams on the way. */
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
