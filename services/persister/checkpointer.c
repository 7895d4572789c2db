//  checkpointer - copies the WAL into the database beside whoever writes

#include "checkpointer.h"
#include "memory.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct checkpointer {
    sqlite3 *writer;    //  whose commits are looked at
    sqlite3 *db;        //  the thread's own; opened when first needed
    char path [PATH_MAX];
    const char *vfs;
    int pages;
    bool begun;             //  a thread was started that nobody has waited for
    atomic_bool running;    //  and it is not through
    pthread_t thread;
};

enum {
    ROUNDS_MAX = 4,    //  of the thread
    FEW_PART = 16      //  such a part of the pages is few: the writer may as well copy them
};

//  It never waits for anybody. What it cannot do is left for the next one: a disk that is full says so where something is
//  written, and the WAL has all until then. Returns how many pages of the WAL are copied, 0 if none could be.
static int
copy_pages (sqlite3 *db)
{
    int copied = 0;
    if (sqlite3_wal_checkpoint_v2 (db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied) != SQLITE_OK)
        return 0;
    return copied;
}

//  While it copies more is written, which it copies as well, in rounds that become shorter.
static void *
run (void *arg)
{
    checkpointer_t *self = arg;
    int before, copied = 0, round = 0;
    do {
        before = copied;
        copied = copy_pages (self->db);
    } while (copied - before > self->pages / FEW_PART && ++round < ROUNDS_MAX);
    atomic_store (&self->running, false);
    return NULL;
}

//  What is copied must be on the disk before the WAL is written over, as after the writer's own checkpoints. A connection that
//  has read nothing knows of no WAL and would copy nothing.
static bool
open_own (checkpointer_t *self)
{
    static const char prepare [] = "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                                   "SELECT count (*) FROM sqlite_master";
    if (self->db)
        return true;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2 (self->path, &self->db, flags, self->vfs) == SQLITE_OK &&
        sqlite3_exec (self->db, prepare, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    sqlite3_close (self->db);
    self->db = NULL;
    return false;
}

static bool
begin (checkpointer_t *self)
{
    if (!open_own (self))
        return false;
    atomic_store (&self->running, true);
    self->begun = pthread_create (&self->thread, NULL, run, self) == 0;
    return self->begun;
}

static void
join (checkpointer_t *self)
{
    if (self->begun)
        pthread_join (self->thread, NULL);
    self->begun = false;
}

//  Behind each commit. What was committed during the thread's last round is copied here, because the WAL begins anew only where
//  nothing is left.
static int
on_commit (void *arg, sqlite3 *db, const char *name, int pages)
{
    checkpointer_t *self = arg;
    (void)name;
    if (self->begun && atomic_load (&self->running))
        return SQLITE_OK;
    bool rest = self->begun;
    join (self);
    if (rest || (pages >= self->pages && !begin (self)))
        copy_pages (db);
    return SQLITE_OK;
}

checkpointer_t *
checkpointer_new (sqlite3 *db, const char *path, const char *vfs, int pages)
{
    checkpointer_t *self = memory_new (1, sizeof *self);
    self->writer = db;
    self->vfs = vfs;
    self->pages = pages;
    snprintf (self->path, sizeof self->path, "%s", path);
    sqlite3_wal_hook (db, on_commit, self);
    return self;
}

void
checkpointer_destroy (checkpointer_t **self_p)
{
    checkpointer_t *self = *self_p;
    if (!self)
        return;
    sqlite3_wal_hook (self->writer, NULL, NULL);
    join (self);
    sqlite3_close (self->db);
    free (self);
    *self_p = NULL;
}
