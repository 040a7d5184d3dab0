/* Port: a process's directory of append-only and replaceable files. Every op completes by a later event. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct Disk Disk;
/* error is NULL on success; bytes is valid for read only, borrowed. */
typedef void (*DiskFunc)(GBytes *bytes, const GError *error, void *data);

typedef struct DiskOps {
    void (*append)(Disk *disk, const char *file, GBytes *bytes, DiskFunc done, void *data);
    void (*sync)(Disk *disk, const char *file, DiskFunc done, void *data); /* what was appended is durable */
    void (*read)(Disk *disk, const char *file, DiskFunc done, void *data); /* a missing file: NOT_FOUND */
    void (*rename)(Disk *disk, const char *from, const char *to, DiskFunc done, void *data); /* atomic */
} DiskOps;

struct Disk {
    const DiskOps *ops;
};
