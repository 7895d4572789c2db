//  dynamo_notes - the file store.db.unsure: what must outlive the process before a request leaves

#include "dynamo_notes.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

static void
note_result (dynamo_notes_t *self, bool good)
{
    if (!good && !self->failing)
        log_error ("notes fail",
                   "file=%s reason=\"%s\" hint=\"rows of a write that a crash cuts short may stay\"",
                   self->path, strerror (errno));
    self->failing = !good;
}

static int
open_file (const char *path, int more)
{
    return open (path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | more, 0600);
}

static bool
write_all (int file, const char *data, size_t size)
{
    while (size) {
        ssize_t done = write (file, data, size);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            data += done;
            size -= (size_t)done;
        }
    }
    return true;
}

void
dynamo_notes_open (dynamo_notes_t *self, const char *store_file, buffer_t *held)
{
    *self = (dynamo_notes_t){ .file = -1 };
    snprintf (self->path, sizeof self->path, "%s.unsure", store_file);
    snprintf (self->fresh, sizeof self->fresh, "%s.unsure.new", store_file);
    self->file = open_file (self->path, 0);
    note_result (self, self->file >= 0);
    for (ssize_t done = 1; self->file >= 0 && done > 0;) {
        done = read (self->file, buffer_reserve (held, READ_BYTES), READ_BYTES);
        held->size += done > 0 ? (size_t)done : 0;
    }
}

//  A whole file takes the place of the old one, so a death in between leaves one of them.
static bool
replace (dynamo_notes_t *self, const void *data, size_t size)
{
    int file = open_file (self->fresh, O_TRUNC);
    if (file < 0)
        return false;
    if (!write_all (file, data, size) || rename (self->fresh, self->path) != 0) {
        close (file);
        return false;
    }
    if (self->file >= 0)
        close (self->file);
    self->file = file;
    return true;
}

bool
dynamo_notes_write (dynamo_notes_t *self, const void *data, size_t size, bool anew)
{
    bool good = anew ? replace (self, data, size) : self->file >= 0 && write_all (self->file, data, size);
    note_result (self, good);
    return good;
}

void
dynamo_notes_close (dynamo_notes_t *self)
{
    if (self->file >= 0)
        close (self->file);
    self->file = -1;
}
