//  journal - rows that are safe on disk before a tracker is told that they were taken

#include "journal.h"
#include "snowplow/journal_format.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

//  Only a second writer can make us wait: readers never block a writer in WAL mode.
#define JOURNAL_BUSY_MS 1000
#define JOURNAL_PAGE_BYTES 4096

#define SQL_OLDEST "SELECT position FROM rows WHERE position <= ?1 ORDER BY position LIMIT ?2"

typedef enum { DO_BEGIN, DO_COMMIT, DO_APPEND, DO_PRUNE, DO_COUNT } action_t;

static const char *const sql [DO_COUNT] = {
    [DO_BEGIN] = "BEGIN IMMEDIATE",
    [DO_COMMIT] = "COMMIT",
    [DO_APPEND] = "INSERT INTO rows (collected_ms, kind, reason, body) VALUES (?1, ?2, ?3, ?4)",
    [DO_PRUNE] = "DELETE FROM rows WHERE position IN (" SQL_OLDEST ")",
};

struct journal {
    sqlite3 *db;
    sqlite3_stmt *actions [DO_COUNT];
    char *path;
    uint64_t generation;
    uint64_t last;        //  committed
    uint64_t appended;    //  last position of the open transaction
    bool open;            //  a transaction is
    char fault [JOURNAL_FAULT_MAX];
};

//  Note SQLite's word on what went wrong; returns -1.
static int
journal_fail (journal_t *self, const char *doing)
{
    int code = self->db ? sqlite3_extended_errcode (self->db) : SQLITE_NOMEM;
    const char *why = self->db ? sqlite3_errmsg (self->db) : "out of memory";
    snprintf (self->fault, sizeof self->fault, "%s: cannot %s: %s (SQLite error %d)", self->path, doing, why,
              code);
    return -1;
}

//  After a failure SQLite may or may not have ended the transaction by itself.
void
journal_rollback (journal_t *self)
{
    if (!sqlite3_get_autocommit (self->db))
        sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
    self->open = false;
    self->appended = self->last;
}

//  Run a prepared action whose values are bound.
static int
journal_act (journal_t *self, action_t action, const char *doing)
{
    int rc = sqlite3_step (self->actions [action]);
    if (rc != SQLITE_DONE)
        journal_fail (self, doing);
    sqlite3_reset (self->actions [action]);
    sqlite3_clear_bindings (self->actions [action]);
    if (rc == SQLITE_DONE)
        return 0;
    journal_rollback (self);
    return -1;
}

static int
journal_begin (journal_t *self)
{
    if (self->open)
        return 0;
    if (journal_act (self, DO_BEGIN, "begin to write") != 0)
        return -1;
    self->open = true;
    return 0;
}

int
journal_append (journal_t *self, int64_t collected_ms, int kind, const char *reason, const void *body,
                size_t size)
{
    sqlite3_stmt *insert = self->actions [DO_APPEND];
    if (journal_begin (self) != 0)
        return -1;
    sqlite3_bind_int64 (insert, 1, collected_ms);
    sqlite3_bind_int (insert, 2, kind);
    sqlite3_bind_text (insert, 3, reason, -1, SQLITE_STATIC);
    //  Size 0 with a NULL pointer would bind NULL, which the table refuses.
    sqlite3_bind_blob64 (insert, 4, size ? body : "", size, SQLITE_STATIC);
    if (journal_act (self, DO_APPEND, "append") != 0)
        return -1;
    self->appended = (uint64_t)sqlite3_last_insert_rowid (self->db);
    return 0;
}

int
journal_commit (journal_t *self)
{
    if (!self->open)
        return 0;
    if (journal_act (self, DO_COMMIT, "commit") != 0)
        return -1;
    self->open = false;
    self->last = self->appended;
    return 0;
}

int
journal_prune (journal_t *self, uint64_t position)
{
    if (journal_begin (self) != 0)
        return -1;
    sqlite3_bind_int64 (self->actions [DO_PRUNE], 1, (sqlite3_int64)position);
    sqlite3_bind_int (self->actions [DO_PRUNE], 2, JOURNAL_PRUNE_MAX);
    return journal_act (self, DO_PRUNE, "prune") == 0 ? sqlite3_changes (self->db) : -1;
}

uint64_t
journal_generation (const journal_t *self)
{
    return self->generation;
}

uint64_t
journal_last (const journal_t *self)
{
    return self->last;
}

bool
journal_pending (const journal_t *self)
{
    return self->open;
}

const char *
journal_fault (const journal_t *self)
{
    return self->fault;
}

//  ---- Opening

//  The rows tell who watches what: nobody else may read the file. SQLite gives its side files the same mode.
static int
journal_touch (journal_t *self)
{
    int fd = open (self->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd == -1) {
        snprintf (self->fault, sizeof self->fault, "%s: cannot open: %s", self->path, strerror (errno));
        return -1;
    }
    close (fd);
    return 0;
}

static int
journal_exec (journal_t *self, const char *text, const char *doing)
{
    return sqlite3_exec (self->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : journal_fail (self, doing);
}

//  The one number that a query gives; `none` if it gives no row.
static int
journal_number (journal_t *self, const char *text, uint64_t none, uint64_t *number)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2 (self->db, text, -1, &query, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step (query);
    *number = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64 (query, 0) : none;
    int result = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : journal_fail (self, "read");
    sqlite3_finalize (query);
    return result;
}

static int
journal_set_up (journal_t *self, uint64_t max_bytes)
{
    char limit [64];
    snprintf (limit, sizeof limit, "PRAGMA max_page_count = %llu",
              (unsigned long long)(max_bytes / JOURNAL_PAGE_BYTES + 1));
    if (journal_exec (self, "PRAGMA page_size = 4096", "open") != 0 ||
        journal_exec (self, "PRAGMA journal_mode = WAL", "open") != 0 ||
        journal_exec (self, "PRAGMA synchronous = FULL", "open") != 0 ||
        journal_exec (self, "PRAGMA journal_size_limit = 67108864", "open") != 0)
        return -1;
    return journal_exec (self, limit, "open");
}

//  A file of a later Usher may hold what we would not understand.
static int
journal_check_format (journal_t *self)
{
    uint64_t format;
    if (journal_number (self, "PRAGMA user_version", 0, &format) != 0)
        return -1;
    if (format <= JOURNAL_FORMAT)
        return 0;
    snprintf (self->fault, sizeof self->fault, "%s: format %llu, made by a later version; this one knows %d",
              self->path, (unsigned long long)format, JOURNAL_FORMAT);
    return -1;
}

//  Tables and generation come in one transaction: a file has all of it or is still empty.
static int
journal_create (journal_t *self, uint64_t generation)
{
    char text [256];
    snprintf (
        text, sizeof text,
        "INSERT OR IGNORE INTO meta (name, value) VALUES ('generation', %lld); PRAGMA user_version = %d;"
        "COMMIT",
        (long long)generation, JOURNAL_FORMAT);
    if (journal_exec (self, "BEGIN IMMEDIATE", "open") != 0 ||
        journal_exec (self, JOURNAL_SQL_CREATE, "make its tables") != 0)
        return -1;
    return journal_exec (self, text, "make its tables");
}

static int
journal_prepare (journal_t *self)
{
    for (int action = 0; action < DO_COUNT; action++)
        if (sqlite3_prepare_v2 (self->db, sql [action], -1, &self->actions [action], NULL) != SQLITE_OK)
            return journal_fail (self, "use its tables");
    return 0;
}

static int
journal_open (journal_t *self, uint64_t generation, uint64_t max_bytes)
{
    if (journal_touch (self) != 0)
        return -1;
    if (sqlite3_open_v2 (self->path, &self->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return journal_fail (self, "open");
    sqlite3_busy_timeout (self->db, JOURNAL_BUSY_MS);
    if (journal_set_up (self, max_bytes) != 0 || journal_check_format (self) != 0 ||
        journal_create (self, generation) != 0 || journal_prepare (self) != 0)
        return -1;
    if (journal_number (self, JOURNAL_SQL_GENERATION, 0, &self->generation) != 0 ||
        journal_number (self, JOURNAL_SQL_LAST, 0, &self->last) != 0)
        return -1;
    self->appended = self->last;
    return 0;
}

journal_t *
journal_new (const char *path, uint64_t generation, uint64_t max_bytes, char fault [JOURNAL_FAULT_MAX])
{
    journal_t *self = calloc (1, sizeof *self);
    if (!self || !(self->path = strdup (path)))
        abort ();
    if (journal_open (self, generation, max_bytes) == 0)
        return self;
    memcpy (fault, self->fault, JOURNAL_FAULT_MAX);
    journal_destroy (&self);
    return NULL;
}

void
journal_destroy (journal_t **self_p)
{
    journal_t *self = *self_p;
    if (!self)
        return;
    for (int action = 0; action < DO_COUNT; action++)
        sqlite3_finalize (self->actions [action]);
    sqlite3_close (self->db);
    free (self->path);
    free (self);
    *self_p = NULL;
}
