//  source_file - reads events from a file, a line each, in any of the forms of docs/inputs.md
//
//  An offset is the byte that a line begins at. The file may grow while it is read; a line without its newline is
//  not there yet.

#include "source.h"
#include "memory.h"
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct source {
    FILE *file;
    char *path;
    uint64_t next;    //  byte
    char *line;
    size_t line_room;
};

static source_t *
open_file (const config_t *config, char *reason, size_t reason_size)
{
    const char *path = config->ingester.file;
    FILE *file = fopen (path, "re");
    if (!file) {
        snprintf (reason, reason_size, "%s: %s; set ingester.file to a readable file", path,
                  strerror (errno));
        return NULL;
    }
    source_t *self = memory_new (1, sizeof *self);
    self->file = file;
    self->path = memory_copy (path, strlen (path));
    return self;
}

static const char *
where (const source_t *self)
{
    return self->path;
}

//  A file made anew has another inode, or the same one on another device.
static uint64_t
generation (source_t *self)
{
    struct stat status;
    if (fstat (fileno (self->file), &status))
        return 0;
    return ((uint64_t)status.st_dev * 0x9E3779B97F4A7C15u ^ (uint64_t)status.st_ino) | 1;
}

static void
seek (source_t *self, uint32_t partition, uint64_t offset)
{
    (void)partition;
    self->next = offset;
    fseeko (self->file, (off_t)offset, SEEK_SET);
}

static int
read_rows (source_t *self, int max_rows, source_take_fn *take, void *arg, char *reason, size_t reason_size)
{
    for (int count = 0; count < max_rows; count++) {
        ssize_t length = getline (&self->line, &self->line_room, self->file);
        if (length < 0 && ferror (self->file)) {
            snprintf (reason, reason_size, "%s: %s", self->path, strerror (errno));
            return -1;
        }
        if (length <= 0 || self->line [length - 1] != '\n') {
            clearerr (self->file);
            seek (self, 0, self->next);
            return count;
        }
        source_row_t row = {
            .offset = self->next, .reason = "", .data = self->line, .size = (size_t)length - 1
        };
        self->next = row.next = row.offset + (uint64_t)length;
        take (arg, &row);
    }
    return max_rows;
}

static void
close_file (source_t **self_p)
{
    source_t *self = *self_p;
    fclose (self->file);
    free (self->path);
    free (self->line);
    free (self);
    *self_p = NULL;
}

const source_ops_t source_file = {
    .name = "file",
    .id = USHER_SOURCE_FILE,
    .open = open_file,
    .where = where,
    .generation = generation,
    .seek = seek,
    .read = read_rows,
    .close = close_file,
};
