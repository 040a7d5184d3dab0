/* How virtual time follows the machine's: pure arithmetic, given the machine's (monotonic) now. Between two changes,
 * virtual time is base + (machine now - machine base) * factor; when the engine cannot keep up, pace_lag moves the base,
 * so that no debt piles up. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum { PACE_PAUSED, PACE_FACTOR, PACE_MAX } PaceMode;

#define PACE_LIFE 1000               /* thousandths: life's pace */
#define PACE_FACTOR_MIN 1            /* a thousandth of life */
#define PACE_FACTOR_MAX 1000000000   /* a million times life */
#define PACE_LAG_MAX_NS 250000000LL  /* further behind than this, the debt is forgiven */

typedef struct Pace {
    PaceMode mode;
    int64_t factor; /* thousandths */
    int64_t machine_base, virtual_base;
} Pace;

void pace_init(Pace *pace, int64_t machine_now, int64_t virtual_now); /* paused, factor life's */
void pace_pause(Pace *pace, int64_t machine_now);
void pace_resume(Pace *pace, int64_t machine_now); /* at the factor set last */
void pace_set_factor(Pace *pace, int64_t machine_now, int64_t factor); /* and runs; clamped */
/* As fast as possible; the virtual time reached so far has to be told, since it is no function of the machine's. */
void pace_set_max(Pace *pace);
/* From now on virtual time is virtual_now (a jump, a step while paused, the end of PACE_MAX). */
void pace_jump(Pace *pace, int64_t machine_now, int64_t virtual_now);

/* The virtual time up to which events may run now: INT64_MAX at PACE_MAX. */
int64_t pace_virtual_now(const Pace *pace, int64_t machine_now);
/* The machine time at which a virtual time is due; INT64_MIN at PACE_MAX (now), INT64_MAX when paused (never). */
int64_t pace_next_deadline(const Pace *pace, int64_t virtual_time);
/* The engine reached only virtual_reached: forgive the debt when it is too large. Returns whether it was. */
bool pace_lag(Pace *pace, int64_t machine_now, int64_t virtual_reached);
