#include "sim/engine/pace.h"

static int64_t
clamp(__int128 value)
{
    if (value >= INT64_MAX)
        return INT64_MAX - 1;
    return value <= INT64_MIN ? INT64_MIN + 1 : (int64_t)value;
}

void
pace_init(Pace *pace, int64_t machine_now, int64_t virtual_now)
{
    *pace = (Pace){.mode = PACE_PAUSED,
                   .factor = PACE_LIFE,
                   .machine_base = machine_now,
                   .virtual_base = virtual_now};
}

int64_t
pace_virtual_now(const Pace *pace, int64_t machine_now)
{
    if (pace->mode == PACE_MAX)
        return INT64_MAX;
    if (pace->mode == PACE_PAUSED || machine_now <= pace->machine_base)
        return pace->virtual_base;
    __int128 elapsed = (__int128)machine_now - pace->machine_base;
    return clamp(pace->virtual_base + elapsed * pace->factor / PACE_LIFE);
}

void
pace_jump(Pace *pace, int64_t machine_now, int64_t virtual_now)
{
    pace->machine_base = machine_now;
    pace->virtual_base = virtual_now;
}

/* Makes the present the base. At PACE_MAX the last base stands: the caller jumps to what was reached. */
static void
rebase(Pace *pace, int64_t machine_now)
{
    int64_t virtual_now = pace->mode == PACE_MAX ? pace->virtual_base : pace_virtual_now(pace, machine_now);
    pace_jump(pace, machine_now, virtual_now);
}

void
pace_pause(Pace *pace, int64_t machine_now)
{
    rebase(pace, machine_now);
    pace->mode = PACE_PAUSED;
}

void
pace_resume(Pace *pace, int64_t machine_now)
{
    rebase(pace, machine_now);
    pace->mode = PACE_FACTOR;
}

void
pace_set_factor(Pace *pace, int64_t machine_now, int64_t factor)
{
    rebase(pace, machine_now);
    pace->mode = PACE_FACTOR;
    if (factor < PACE_FACTOR_MIN)
        factor = PACE_FACTOR_MIN;
    pace->factor = factor > PACE_FACTOR_MAX ? PACE_FACTOR_MAX : factor;
}

void
pace_set_max(Pace *pace)
{
    pace->mode = PACE_MAX;
}

int64_t
pace_next_deadline(const Pace *pace, int64_t virtual_time)
{
    if (pace->mode == PACE_MAX)
        return INT64_MIN;
    if (virtual_time <= pace->virtual_base)
        return pace->machine_base;
    if (pace->mode == PACE_PAUSED || virtual_time == INT64_MAX)
        return INT64_MAX;
    __int128 ahead = (__int128)virtual_time - pace->virtual_base;
    __int128 wait = (ahead * PACE_LIFE + pace->factor - 1) / pace->factor; /* never early */
    return clamp(pace->machine_base + wait);
}

bool
pace_lag(Pace *pace, int64_t machine_now, int64_t virtual_reached)
{
    if (pace->mode != PACE_FACTOR)
        return false;
    __int128 behind = (__int128)pace_virtual_now(pace, machine_now) - virtual_reached;
    if (behind * PACE_LIFE <= (__int128)PACE_LAG_MAX_NS * pace->factor)
        return false;
    pace_jump(pace, machine_now, virtual_reached);
    return true;
}
