//  store_vfs - SQLite's way to the disk, but the WAL is written in large pieces

#include "store_vfs.h"
#include "memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//  Small enough to be in the processor's cache still when the kernel copies it, and what SQLite hands to the kernel at once: it
//  would part 128 KiB and more.
#define PIECE_BYTES (120 * 1024)

struct store_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *disk;    //  SQLite's own
    char name [32];
};

//  A WAL. The file as SQLite's own code has it lies behind it in memory.
typedef struct {
    sqlite3_file base;
    uint8_t *piece;
    sqlite3_int64 at;    //  where in the file the piece begins
    size_t used;
} wal_t;

//  What follows is as aligned as what malloc gives.
#define WAL_BYTES ((sizeof (wal_t) + sizeof (max_align_t) - 1) / sizeof (max_align_t) * sizeof (max_align_t))

static sqlite3_file *
disk_of (sqlite3_file *file)
{
    return (sqlite3_file *)((char *)file + WAL_BYTES);
}

static int
write_piece (wal_t *self)
{
    sqlite3_file *disk = disk_of (&self->base);
    int code = SQLITE_OK;
    if (self->used)
        code = disk->pMethods->xWrite (disk, self->piece, (int)self->used, self->at);
    if (code == SQLITE_OK)
        self->used = 0;
    return code;
}

static int
wal_close (sqlite3_file *file)
{
    wal_t *self = (wal_t *)file;
    int code = write_piece (self), closed = disk_of (file)->pMethods->xClose (disk_of (file));
    free (self->piece);
    return code == SQLITE_OK ? closed : code;
}

static int
wal_read (sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    int code = write_piece ((wal_t *)file);
    return code == SQLITE_OK ? disk_of (file)->pMethods->xRead (disk_of (file), data, size, at) : code;
}

//  Is it in the piece, or does it go on where the piece ends?
static bool
fits (const wal_t *self, int size, sqlite3_int64 at)
{
    return at >= self->at && at <= self->at + (sqlite3_int64)self->used &&
           at + size <= self->at + PIECE_BYTES;
}

static int
wal_write (sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    wal_t *self = (wal_t *)file;
    if (!fits (self, size, at)) {
        int code = write_piece (self);
        if (code != SQLITE_OK)
            return code;
        self->at = at;
    }
    if (size > PIECE_BYTES)
        return disk_of (file)->pMethods->xWrite (disk_of (file), data, size, at);
    size_t begin = (size_t)(at - self->at), end = begin + (size_t)size;
    memcpy (self->piece + begin, data, (size_t)size);
    if (end > self->used)
        self->used = end;
    return SQLITE_OK;
}

static int
wal_truncate (sqlite3_file *file, sqlite3_int64 size)
{
    int code = write_piece ((wal_t *)file);
    return code == SQLITE_OK ? disk_of (file)->pMethods->xTruncate (disk_of (file), size) : code;
}

static int
wal_sync (sqlite3_file *file, int flags)
{
    int code = write_piece ((wal_t *)file);
    return code == SQLITE_OK ? disk_of (file)->pMethods->xSync (disk_of (file), flags) : code;
}

static int
wal_size (sqlite3_file *file, sqlite3_int64 *size)
{
    int code = write_piece ((wal_t *)file);
    return code == SQLITE_OK ? disk_of (file)->pMethods->xFileSize (disk_of (file), size) : code;
}

//  A WAL is never locked; the database is.
static int
wal_lock (sqlite3_file *file, int level)
{
    return disk_of (file)->pMethods->xLock (disk_of (file), level);
}

static int
wal_unlock (sqlite3_file *file, int level)
{
    return disk_of (file)->pMethods->xUnlock (disk_of (file), level);
}

static int
wal_is_reserved (sqlite3_file *file, int *reserved)
{
    return disk_of (file)->pMethods->xCheckReservedLock (disk_of (file), reserved);
}

static int
wal_control (sqlite3_file *file, int what, void *arg)
{
    return disk_of (file)->pMethods->xFileControl (disk_of (file), what, arg);
}

static int
wal_sector (sqlite3_file *file)
{
    return disk_of (file)->pMethods->xSectorSize (disk_of (file));
}

static int
wal_device (sqlite3_file *file)
{
    return disk_of (file)->pMethods->xDeviceCharacteristics (disk_of (file));
}

static const sqlite3_io_methods wal_methods = {
    .iVersion = 1,
    .xClose = wal_close,
    .xRead = wal_read,
    .xWrite = wal_write,
    .xTruncate = wal_truncate,
    .xSync = wal_sync,
    .xFileSize = wal_size,
    .xLock = wal_lock,
    .xUnlock = wal_unlock,
    .xCheckReservedLock = wal_is_reserved,
    .xFileControl = wal_control,
    .xSectorSize = wal_sector,
    .xDeviceCharacteristics = wal_device,
};

//  Any other file is SQLite's own affair.
static int
vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    store_vfs_t *self = (store_vfs_t *)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return self->disk->xOpen (self->disk, name, file, flags, out_flags);
    file->pMethods = NULL;
    int code = self->disk->xOpen (self->disk, name, disk_of (file), flags, out_flags);
    if (code != SQLITE_OK)
        return code;
    wal_t *wal = (wal_t *)file;
    *wal = (wal_t){ .base.pMethods = &wal_methods, .piece = memory_new (PIECE_BYTES, 1) };
    return SQLITE_OK;
}

store_vfs_t *
store_vfs_new (void)
{
    //  Its count of all memory, of which nobody asks, costs a lock and more a block: a twentieth of a change. Only heard before the
    //  first call of all.
    sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_vfs *disk = sqlite3_vfs_find (NULL);
    store_vfs_t *self = memory_new (1, sizeof *self);
    self->disk = disk;
    self->vfs = *disk;
    snprintf (self->name, sizeof self->name, "usher-%p", (void *)self);
    self->vfs.zName = self->name;
    self->vfs.szOsFile = (int)WAL_BYTES + disk->szOsFile;
    self->vfs.pNext = NULL;
    self->vfs.xOpen = vfs_open;
    sqlite3_vfs_register (&self->vfs, 0);
    return self;
}

void
store_vfs_destroy (store_vfs_t **self_p)
{
    store_vfs_t *self = *self_p;
    if (!self)
        return;
    sqlite3_vfs_unregister (&self->vfs);
    free (self);
    *self_p = NULL;
}

const char *
store_vfs_name (const store_vfs_t *self)
{
    return self->name;
}
