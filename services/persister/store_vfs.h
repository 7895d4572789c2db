//  store_vfs - SQLite's way to the disk, but the WAL is written in large pieces
//
//  SQLite writes a WAL with two calls a page; the kernel's part of those was a third of what a change cost. Here they are
//  gathered until SQLite syncs the file, looks at it, or a piece is full. Nothing is promised in between: with
//  synchronous=FULL a commit ends with a sync, and no reader is told of a frame before it. What could not be written stays,
//  and is tried again at the next such moment.

#ifndef STORE_VFS_H
#define STORE_VFS_H

#include <sqlite3.h>

typedef struct store_vfs store_vfs_t;

//  Registers a way to the disk, under a name of its own.
store_vfs_t *store_vfs_new (void);

//  All files opened this way must be closed.
void store_vfs_destroy (store_vfs_t **self_p);

//  For sqlite3_open_v2.
const char *store_vfs_name (const store_vfs_t *self);

#endif
