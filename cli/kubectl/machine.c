#include "cli/kubectl/machine.h"

#include <glib.h>
#include <sys/random.h>

struct MachinePorts {
    Clock clock;
    Random random;
    Ports ports;
    GPtrArray *timers; /* MachineTimer */
    TimerId next;
};

typedef struct MachineTimer {
    MachinePorts *machine;
    TimerId id;
    guint source;
    ClockFunc func;
    void *data;
} MachineTimer;

static void
timer_free(void *data)
{
    MachineTimer *timer = data;
    if (timer->source != 0)
        g_source_remove(timer->source);
    g_free(timer);
}

static int64_t
now(Clock *clock)
{
    return g_get_real_time() * NS_PER_US;
}

static gboolean
fired(gpointer data)
{
    MachineTimer *timer = data;
    ClockFunc func = timer->func;
    void *func_data = timer->data;
    timer->source = 0;
    g_ptr_array_remove(timer->machine->timers, timer);
    func(func_data);
    return G_SOURCE_REMOVE;
}

static TimerId
timer_at(Clock *clock, int64_t when_ns, ClockFunc func, void *data)
{
    MachinePorts *machine = (MachinePorts *)clock; /* the clock is its first member */
    MachineTimer *timer = g_new0(MachineTimer, 1);
    int64_t delay_ms = (when_ns - now(clock) + NS_PER_MS - 1) / NS_PER_MS;
    *timer = (MachineTimer){.machine = machine, .id = ++machine->next, .func = func, .data = data};
    timer->source = g_timeout_add((guint)CLAMP(delay_ms, 0, G_MAXINT), fired, timer);
    g_ptr_array_add(machine->timers, timer);
    return timer->id;
}

static void
cancel(Clock *clock, TimerId id)
{
    MachinePorts *machine = (MachinePorts *)clock;
    for (guint i = 0; i < machine->timers->len; i++) {
        MachineTimer *timer = g_ptr_array_index(machine->timers, i);
        if (timer->id == id) {
            g_ptr_array_remove_index(machine->timers, i);
            return;
        }
    }
}

static uint64_t
next_random(Random *random)
{
    uint64_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
        bits = ((uint64_t)g_random_int() << 32) | g_random_int();
    return bits;
}

MachinePorts *
machine_ports_new(void)
{
    static const ClockOps clock_ops = {now, timer_at, cancel};
    static const RandomOps random_ops = {next_random};
    MachinePorts *machine = g_new0(MachinePorts, 1);
    machine->clock.ops = &clock_ops;
    machine->random.ops = &random_ops;
    machine->ports = (Ports){.clock = &machine->clock, .random = &machine->random};
    machine->timers = g_ptr_array_new_with_free_func(timer_free);
    return machine;
}

void
machine_ports_free(MachinePorts *machine)
{
    if (machine == NULL)
        return;
    g_ptr_array_unref(machine->timers);
    g_free(machine);
}

const Ports *
machine_ports(const MachinePorts *machine)
{
    return &machine->ports;
}
