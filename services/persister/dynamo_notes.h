//  dynamo_notes - the file store.db.unsure: what must outlive the process before a request leaves
//
//  It is not forced to the disk: it is there for a process that dies, and a host that loses its power lost its shards as well
//  as the rows on their way. Where the disk says no that is told once, and requests leave all the same.

#ifndef DYNAMO_NOTES_H
#define DYNAMO_NOTES_H

#include "buffer.h"

#include <limits.h>
#include <stdbool.h>

typedef struct {
    int file;    //  -1: there is none
    bool failing;
    char path [PATH_MAX], fresh [PATH_MAX];    //  fresh: what takes its place
} dynamo_notes_t;

//  Opens the file beside the store's, and reads what it holds.
void dynamo_notes_open (dynamo_notes_t *self, const char *store_file, buffer_t *held);

//  Appends; or, anew, puts these bytes in place of all that it holds. Returns false when it may hold anything now.
bool dynamo_notes_write (dynamo_notes_t *self, const void *data, size_t size, bool anew);

void dynamo_notes_close (dynamo_notes_t *self);

#endif
