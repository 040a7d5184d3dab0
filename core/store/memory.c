/* The memory driver. Invariant: a sync covers what was appended when it began; at most one is under
 * way. */
#include "core/store/memory.h"

typedef struct MemoryDriver {
    StoreDriver base;
    Clock *clock;
    int64_t fsync_ns;
    TimerId timer;
    int64_t appended; /* newest revision given to us */
    int64_t syncing;  /* what the sync under way covers */
} MemoryDriver;

static bool
memory_load(StoreDriver *driver, StoreRecordFunc func, void *data, int64_t *ret_revision,
            GError **error)
{
    *ret_revision = 0;
    return true;
}

static void
memory_synced(void *data)
{
    MemoryDriver *memory = data;
    int64_t revision = memory->syncing;

    memory->timer = 0;
    if (memory->appended > revision) {
        memory->syncing = memory->appended;
        memory->timer = clock_timer_in(memory->clock, memory->fsync_ns, memory_synced, memory);
    }
    memory->base.durable(revision, NULL, memory->base.durable_data);
}

static void
memory_append(StoreDriver *driver, const StoreRecord *records, size_t n)
{
    MemoryDriver *memory = (MemoryDriver *)driver;

    memory->appended = records[0].revision;
    if (memory->fsync_ns == 0) {
        driver->durable(memory->appended, NULL, driver->durable_data);
    } else if (memory->timer == 0) {
        memory->syncing = memory->appended;
        memory->timer = clock_timer_in(memory->clock, memory->fsync_ns, memory_synced, memory);
    }
}

static void
memory_free(StoreDriver *driver)
{
    MemoryDriver *memory = (MemoryDriver *)driver;

    if (memory->clock != NULL)
        clock_cancel(memory->clock, &memory->timer);
    g_free(memory);
}

StoreDriver *
store_driver_memory_new(Clock *clock, int64_t fsync_ns)
{
    static const StoreDriverOps ops = {
        .load = memory_load, .append = memory_append, .free = memory_free};
    MemoryDriver *memory = g_new0(MemoryDriver, 1);

    g_assert(clock != NULL || fsync_ns == 0);
    memory->base.ops = &ops;
    memory->clock = clock;
    memory->fsync_ns = fsync_ns;
    return &memory->base;
}
