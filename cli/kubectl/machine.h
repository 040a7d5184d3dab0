/* The machine as kubectl's Ports: its clock in the GLib main loop and its random source. */
#pragma once

#include "core/port/ports.h"

typedef struct MachinePorts MachinePorts;
MachinePorts *machine_ports_new(void);
void machine_ports_free(MachinePorts *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MachinePorts, machine_ports_free)
const Ports *machine_ports(const MachinePorts *machine);
