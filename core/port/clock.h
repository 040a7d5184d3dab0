/* Port: the clock a process sees. Times are nanoseconds since the Unix epoch. In the simulation each host's
 * clock may be skewed against the others'; timers fire by the host's own clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US ((int64_t)1000)
#define NS_PER_MS ((int64_t)1000000)
#define NS_PER_S ((int64_t)1000000000)

typedef struct Clock Clock;
typedef uint64_t TimerId; /* 0 is no timer */
typedef void (*ClockFunc)(void *data);

typedef struct ClockOps {
    int64_t (*now)(Clock *clock);
    /* Calls func(data) once, by a later event, at `when_ns` or at once if that is past. */
    TimerId (*timer_at)(Clock *clock, int64_t when_ns, ClockFunc func, void *data);
    /* Forgets a timer; one that fired or was cancelled before is no error. */
    void (*cancel)(Clock *clock, TimerId id);
} ClockOps;

struct Clock {
    const ClockOps *ops;
};

static inline int64_t
clock_now(Clock *clock)
{
    return clock->ops->now(clock);
}

static inline TimerId
clock_timer_at(Clock *clock, int64_t when_ns, ClockFunc func, void *data)
{
    return clock->ops->timer_at(clock, when_ns, func, data);
}

static inline TimerId
clock_timer_in(Clock *clock, int64_t delay_ns, ClockFunc func, void *data)
{
    return clock->ops->timer_at(clock, clock->ops->now(clock) + delay_ns, func, data);
}

/* Cancels *id and sets it to 0. */
static inline void
clock_cancel(Clock *clock, TimerId *id)
{
    if (*id != 0)
        clock->ops->cancel(clock, *id);
    *id = 0;
}
