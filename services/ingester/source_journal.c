//  source_journal - reads the collector's journal, which another process is writing

#include "source.h"
#include "memory.h"
#include "message.h"
#include "snowplow/journal_format.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  How long a read waits for the collector's checkpoint.
enum { BUSY_MS = 1000 };

struct source {
    char *path;
    sqlite3 *db;    //  NULL until the collector has made the file
    sqlite3_stmt *rows;
    uint64_t next;    //  first position to read
};

static source_t *
open_journal (const config_t *config, char *reason, size_t reason_size)
{
    (void)reason, (void)reason_size;
    source_t *self = memory_new (1, sizeof *self);
    char path [4096 + sizeof JOURNAL_FILE];
    snprintf (path, sizeof path, "%s/%s", config->data_dir, JOURNAL_FILE);
    self->path = memory_copy (path, strlen (path));
    self->next = 1;
    return self;
}

static const char *
where (const source_t *self)
{
    return self->path;
}

static void
disconnect (source_t *self)
{
    sqlite3_finalize (self->rows);
    sqlite3_close (self->db);
    self->rows = NULL;
    self->db = NULL;
}

//  The collector may not have made the file, or its tables, yet.
static bool
connect_journal (source_t *self)
{
    if (self->db)
        return true;
    if (access (self->path, R_OK))
        return false;
    if (sqlite3_open_v2 (self->path, &self->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout (self->db, BUSY_MS);
        if (sqlite3_prepare_v3 (self->db, JOURNAL_SQL_READ, -1, SQLITE_PREPARE_PERSISTENT, &self->rows,
                                NULL) == SQLITE_OK)
            return true;
    }
    disconnect (self);
    return false;
}

static uint64_t
generation (source_t *self)
{
    uint64_t number = 0;
    sqlite3_stmt *query;
    if (!connect_journal (self))
        return 0;
    if (sqlite3_prepare_v2 (self->db, JOURNAL_SQL_GENERATION, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step (query) == SQLITE_ROW)
        number = (uint64_t)sqlite3_column_int64 (query, 0);
    sqlite3_finalize (query);
    return number;
}

static void
seek (source_t *self, uint32_t partition, uint64_t offset)
{
    (void)partition;
    self->next = offset ? offset : 1;
}

static int
read_rows (source_t *self, int max_rows, source_take_fn *take, void *arg, char *reason, size_t reason_size)
{
    if (!connect_journal (self))
        return 0;
    sqlite3_bind_int64 (self->rows, 1, (sqlite3_int64)self->next - 1);
    sqlite3_bind_int (self->rows, 2, max_rows);
    int count = 0, code;
    while ((code = sqlite3_step (self->rows)) == SQLITE_ROW) {
        source_row_t row = {
            .offset = (uint64_t)sqlite3_column_int64 (self->rows, 0),
            .bad = sqlite3_column_int (self->rows, 2) != JOURNAL_EVENT,
            .reason = (const char *)sqlite3_column_text (self->rows, 3),
            .data = sqlite3_column_blob (self->rows, 4),
            .size = (size_t)sqlite3_column_bytes (self->rows, 4),
        };
        self->next = row.next = row.offset + 1;
        take (arg, &row);
        count++;
    }
    if (code != SQLITE_DONE)
        snprintf (reason, reason_size, "%s: %s", self->path, sqlite3_errmsg (self->db));
    sqlite3_reset (self->rows);
    return code == SQLITE_DONE || code == SQLITE_BUSY ? count : -1;
}

static void
close_journal (source_t **self_p)
{
    source_t *self = *self_p;
    disconnect (self);
    free (self->path);
    free (self);
    *self_p = NULL;
}

const source_ops_t source_journal = {
    .name = "journal",
    .id = USHER_SOURCE_JOURNAL,
    .open = open_journal,
    .where = where,
    .generation = generation,
    .seek = seek,
    .read = read_rows,
    .close = close_journal,
};
