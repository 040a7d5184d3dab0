/* A simulated disk of one host and the Disk ports of the processes on it. What was appended is durable once it was
 * synced; a power loss tears off a random part of the rest. It outlives its processes, as disks do. */
#pragma once

#include "core/port/disk.h"
#include "sim/engine/process.h"

typedef struct SimulatedDisk SimulatedDisk;

#define DISK_WRITE_NS (100 * NS_PER_US)
#define DISK_SYNC_NS (2 * NS_PER_MS)
#define DISK_READ_NS (200 * NS_PER_US)
#define DISK_SIZE_MAX (256u * 1024 * 1024) /* bytes of one disk */

SimulatedDisk *simulated_disk_new(Engine *engine, const char *host);
void simulated_disk_free(SimulatedDisk *disk); /* after the ports of it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimulatedDisk, simulated_disk_free)

/* The port of a process: its files are its directory's. Freed by simulated_disk_close. */
Disk *simulated_disk_open(SimulatedDisk *disk, EngineProcess *process, const char *directory);
void simulated_disk_close(Disk *port);

/* Faults. */
void simulated_disk_set_full(SimulatedDisk *disk, bool full);
void simulated_disk_set_slow(SimulatedDisk *disk, unsigned factor); /* 1: as usual */
void simulated_disk_lose_power(SimulatedDisk *disk); /* what was not synced is torn: a random prefix stays */
/* Flips one bit of a file ("directory/file"), at a place drawn from the seed; false: no such file, or it is empty. */
bool simulated_disk_corrupt(SimulatedDisk *disk, const char *path);
