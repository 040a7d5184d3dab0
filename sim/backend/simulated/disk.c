/* Invariants: bytes [0, synced) of a file survive a power loss; what an op changes, it changes when it is asked, and says
 * so by a later event of the process that asked. */
#include "sim/backend/simulated/disk.h"

#include "core/base/error.h"
#include "core/base/rng.h"

typedef struct DiskFile {
    GByteArray *bytes;
    guint synced;
} DiskFile;

struct SimulatedDisk {
    Engine *engine;
    GTree *files; /* path -> DiskFile */
    Rng rng;
    uint64_t used;
    bool full;
    unsigned slow;
};

typedef struct DiskPort {
    Disk base;
    SimulatedDisk *disk;
    EngineProcess *process;
    char *directory;
} DiskPort;

typedef struct DiskAnswer {
    DiskFunc done;
    void *data;
    GBytes *bytes;
    GError *error;
} DiskAnswer;

static void
file_free(void *data)
{
    g_byte_array_unref(((DiskFile *)data)->bytes);
    g_free(data);
}

static void
answer_free(void *data)
{
    DiskAnswer *answer = data;
    if (answer->bytes != NULL)
        g_bytes_unref(answer->bytes);
    g_clear_error(&answer->error);
    g_free(answer);
}

static void
answer_run(void *data)
{
    DiskAnswer *answer = data;
    answer->done(answer->bytes, answer->error, answer->data);
    answer_free(answer);
}

static void
answer_in(DiskPort *port, int64_t delay, DiskFunc done, void *data, GBytes *take_bytes, GError *take_error)
{
    DiskAnswer answer = {done, data, take_bytes, take_error};
    SimulatedDisk *disk = port->disk;
    engine_at_take(disk->engine, port->process, engine_now(disk->engine) + delay * disk->slow, answer_run,
                   g_memdup2(&answer, sizeof answer), answer_free);
}

static char *
path_of(const DiskPort *port, const char *file)
{
    return g_strconcat(port->directory, "/", file, NULL);
}

static DiskFile *
find(const DiskPort *port, const char *file)
{
    g_autofree char *path = path_of(port, file);
    return g_tree_lookup(port->disk->files, path);
}

static GError *
missing(const char *file)
{
    return g_error_new(TIMONEL_ERROR, TIMONEL_ERROR_NOT_FOUND, "open %s: no such file or directory", file);
}

static void
disk_append(Disk *base, const char *file, GBytes *bytes, DiskFunc done, void *data)
{
    DiskPort *port = (DiskPort *)base;
    SimulatedDisk *disk = port->disk;
    gsize size;
    const guint8 *start = g_bytes_get_data(bytes, &size);
    GError *error = NULL;
    if (disk->full || disk->used + size > DISK_SIZE_MAX) {
        error = g_error_new(TIMONEL_ERROR, TIMONEL_ERROR_IO, "write %s: no space left on device", file);
    } else {
        DiskFile *found = find(port, file);
        if (found == NULL) {
            found = g_new0(DiskFile, 1);
            found->bytes = g_byte_array_new();
            g_tree_insert(disk->files, path_of(port, file), found);
        }
        if (size > 0)
            g_byte_array_append(found->bytes, start, (guint)size);
        disk->used += size;
    }
    answer_in(port, DISK_WRITE_NS, done, data, NULL, error);
}

static void
disk_sync(Disk *base, const char *file, DiskFunc done, void *data)
{
    DiskPort *port = (DiskPort *)base;
    DiskFile *found = find(port, file);
    if (found != NULL)
        found->synced = found->bytes->len;
    answer_in(port, DISK_SYNC_NS, done, data, NULL, found == NULL ? missing(file) : NULL);
}

static void
disk_read(Disk *base, const char *file, DiskFunc done, void *data)
{
    DiskPort *port = (DiskPort *)base;
    const DiskFile *found = find(port, file);
    GBytes *bytes = found != NULL ? g_bytes_new(found->bytes->data, found->bytes->len) : NULL;
    answer_in(port, DISK_READ_NS, done, data, bytes, found == NULL ? missing(file) : NULL);
}

static void
disk_rename(Disk *base, const char *from, const char *to, DiskFunc done, void *data)
{
    DiskPort *port = (DiskPort *)base;
    SimulatedDisk *disk = port->disk;
    g_autofree char *from_path = path_of(port, from);
    DiskFile *found = g_tree_lookup(disk->files, from_path), *old = find(port, to);
    if (found != NULL && found != old) {
        DiskFile *moved = g_new(DiskFile, 1);
        *moved = (DiskFile){g_byte_array_ref(found->bytes), found->bytes->len};
        disk->used -= old != NULL ? old->bytes->len : 0;
        g_tree_replace(disk->files, path_of(port, to), moved);
        g_tree_remove(disk->files, from_path);
    }
    answer_in(port, DISK_SYNC_NS, done, data, NULL, found == NULL ? missing(from) : NULL);
}

static const DiskOps disk_ops = {.append = disk_append, .sync = disk_sync, .read = disk_read, .rename = disk_rename};

/* ---- life ---- */

static int
compare_paths(gconstpointer a, gconstpointer b, gpointer data)
{
    return g_strcmp0(a, b);
}

SimulatedDisk *
simulated_disk_new(Engine *engine, const char *host)
{
    SimulatedDisk *disk = g_new0(SimulatedDisk, 1);
    g_autofree char *stream = g_strconcat("disk/", host, NULL);
    disk->engine = engine;
    disk->files = g_tree_new_full(compare_paths, NULL, g_free, file_free);
    disk->rng = rng_derive(engine_seed(engine), stream);
    disk->slow = 1;
    return disk;
}

void
simulated_disk_free(SimulatedDisk *disk)
{
    if (disk == NULL)
        return;
    g_tree_unref(disk->files);
    g_free(disk);
}

Disk *
simulated_disk_open(SimulatedDisk *disk, EngineProcess *process, const char *directory)
{
    DiskPort *port = g_new0(DiskPort, 1);
    *port = (DiskPort){.base.ops = &disk_ops, .disk = disk, .process = process, .directory = g_strdup(directory)};
    return &port->base;
}

void
simulated_disk_close(Disk *base)
{
    DiskPort *port = (DiskPort *)base;
    if (port == NULL)
        return;
    g_free(port->directory);
    g_free(port);
}

/* ---- faults ---- */

void
simulated_disk_set_full(SimulatedDisk *disk, bool full)
{
    disk->full = full;
}

void
simulated_disk_set_slow(SimulatedDisk *disk, unsigned factor)
{
    disk->slow = MAX(factor, 1u);
}

static gboolean
tear(gpointer path, gpointer value, gpointer data)
{
    SimulatedDisk *disk = data;
    DiskFile *file = value;
    guint loose = file->bytes->len - file->synced;
    guint kept = loose > 0 ? (guint)rng_below(&disk->rng, (uint64_t)loose + 1) : 0;
    disk->used -= loose - kept;
    g_byte_array_set_size(file->bytes, file->synced + kept);
    file->synced = file->bytes->len;
    return FALSE;
}

void
simulated_disk_lose_power(SimulatedDisk *disk)
{
    g_tree_foreach(disk->files, tear, disk);
}

bool
simulated_disk_corrupt(SimulatedDisk *disk, const char *path)
{
    DiskFile *file = g_tree_lookup(disk->files, path);
    if (file == NULL || file->bytes->len == 0)
        return false;
    uint64_t bit = rng_below(&disk->rng, (uint64_t)file->bytes->len * 8);
    file->bytes->data[bit / 8] ^= (guint8)(1u << bit % 8);
    return true;
}
