//  checkpointer - copies the WAL into the database beside whoever writes
//
//  A commit costs little until the WAL is long: then its pages go to where they belong, which SQLite has a commit do and which
//  takes as long as thousands of writes. Here a thread with a connection of its own does it, and the writer goes on. It shares
//  nothing with the writer but the file, on which SQLite parts them. (decision 036)

#ifndef CHECKPOINTER_H
#define CHECKPOINTER_H

#include <sqlite3.h>

typedef struct checkpointer checkpointer_t;

//  Looks after a database in WAL mode from its next commit on: db, which must outlive it, was opened from path with a VFS of
//  this name. A checkpoint begins where the WAL has so many pages.
checkpointer_t *checkpointer_new (sqlite3 *db, const char *path, const char *vfs, int pages);

//  Waits for the one that is under way. NULL is none.
void checkpointer_destroy (checkpointer_t **self_p);

#endif
