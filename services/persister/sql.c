//  sql - the store's statements, prepared once, and the way to bind, run and read them

#include "sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

//  What store.c reads of a row that is to be replaced, and of one that is loaded.
#define FIND                                                                                                 \
    "SELECT rowid, epoch, version, live_slot, expires_at, look_at, newest_row, newest_at FROM "              \
    "viewer_profiles"
#define LOAD "SELECT viewer_id, epoch, version, profile, rowid FROM viewer_profiles"

//  Parameters are numbered in the order in which the functions below bind them.
static const char *const statements [SQL_STATEMENTS] = {
    //  IMMEDIATE: a busy file is noticed before anything was done.
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READING] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_CLAIM] = "INSERT INTO counters (name, value) VALUES ('epoch', 1)"
                  " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
    [SQL_FIND] = FIND " WHERE viewer_id = ?1",
    //  The + keeps SQLite from the index.
    [SQL_FIND_AT] = FIND " WHERE rowid = ?2 AND +viewer_id = ?1",
    [SQL_LAST_ROW] = "SELECT coalesce (max (rowid), 0) FROM viewer_profiles",
    [SQL_WRITE_FIRST] =
        "INSERT INTO viewer_profiles (viewer_id, epoch, version, expires_at, newest_row, newest_at, profile,"
        " live_slot, look_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [SQL_WRITE_IN_PLACE] =
        "UPDATE viewer_profiles SET epoch = ?2, version = ?3, expires_at = ?4, newest_row = ?5,"
        " newest_at = ?6, profile = ?7 WHERE rowid = ?1",
    [SQL_WRITE_NEXT] =
        "UPDATE viewer_profiles SET epoch = ?2, version = ?3, expires_at = ?4, newest_row = ?5,"
        " newest_at = ?6, profile = ?7, live_slot = ?8, look_at = ?9 WHERE rowid = ?1",
    [SQL_QUARANTINE] = "INSERT OR IGNORE INTO quarantine"
                       " (source, generation, partition, offset, reason, payload, kept_at, expires_at)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_POSITION_PUT] =
        "INSERT INTO positions (source, name, partition, generation, next) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT (source, name, partition) DO UPDATE SET generation = excluded.generation,"
        " next = CASE WHEN generation = excluded.generation THEN max (next, excluded.next)"
        " ELSE excluded.next END RETURNING next",
    [SQL_ERASE_PROFILE] = "DELETE FROM viewer_profiles WHERE rowid = ?1",
    [SQL_EXPIRED_PROFILES] = "SELECT id FROM (SELECT rowid AS id, expires_at FROM viewer_profiles WHERE "
                             "look_at <= ?1 ORDER BY look_at"
                             " LIMIT ?2) WHERE expires_at <= ?1",
    [SQL_NEWEST_ROW] = "SELECT newest_row FROM viewer_profiles WHERE rowid = ?1",
    //  A row that was written since stays, and is looked at again when it may have expired.
    [SQL_LOOK_LATER] = "UPDATE viewer_profiles SET look_at = expires_at WHERE expires_at > ?1 AND rowid IN"
                       " (SELECT rowid FROM viewer_profiles WHERE look_at <= ?1 ORDER BY look_at LIMIT ?2)",
    [SQL_SWEEP_QUARANTINE] = "DELETE FROM quarantine WHERE rowid IN"
                             " (SELECT rowid FROM quarantine WHERE expires_at <= ?1 LIMIT ?2)",
    [SQL_LOAD] = LOAD " WHERE viewer_id = ?1 AND expires_at > ?2",
    //  owners is a blob with one byte a slot: is the slot's byte the shard's?
    [SQL_LOAD_LIVE] = LOAD " WHERE live_slot IS NOT NULL AND viewer_id > ?1 AND expires_at > ?2"
                           " AND substr (?3, live_slot + 1, 1) = ?4 ORDER BY viewer_id LIMIT ?5",
    [SQL_POSITIONS] = "SELECT source, name, partition, generation, next FROM positions"
                      " WHERE source = ?1 AND name = ?2 ORDER BY partition",
};

//  Remembers why: the next call on the connection forgets it.
static bool
keep_error (sql_t *self)
{
    snprintf (self->error, sizeof self->error, "%s", sqlite3_errmsg (self->db));
    return false;
}

bool
sql_execute (sql_t *self, const char *text)
{
    return sqlite3_exec (self->db, text, NULL, NULL, NULL) == SQLITE_OK || keep_error (self);
}

bool
sql_prepare (sql_t *self, const char *const *texts, size_t count, sqlite3_stmt **prepared)
{
    for (size_t at = 0; at < count; at++)
        if (sqlite3_prepare_v3 (self->db, texts [at], -1, SQLITE_PREPARE_PERSISTENT, &prepared [at], NULL) !=
            SQLITE_OK)
            return keep_error (self);
    return true;
}

void
sql_finalize (sqlite3_stmt **prepared, size_t count)
{
    for (size_t at = 0; at < count; at++)
        sqlite3_finalize (prepared [at]);
}

bool
sql_open (sql_t *self, sqlite3 *db)
{
    self->db = db;
    return sql_prepare (self, statements, SQL_STATEMENTS, self->statements);
}

void
sql_close (sql_t *self)
{
    sql_finalize (self->statements, SQL_STATEMENTS);
}

sqlite3_stmt *
sql_get (sql_t *self, int which)
{
    sqlite3_reset (self->statements [which]);
    return self->statements [which];
}

bool
sql_step (sql_t *self, sqlite3_stmt *stmt, bool *failed)
{
    int code = sqlite3_step (stmt);
    *failed = code != SQLITE_ROW && code != SQLITE_DONE;
    if (code == SQLITE_ROW)
        return true;
    if (*failed)
        keep_error (self);
    sqlite3_reset (stmt);
    return false;
}

bool
sql_run (sql_t *self, sqlite3_stmt *stmt)
{
    bool failed;
    while (sql_step (self, stmt, &failed))
        ;
    return !failed;
}

bool
sql_run_number (sql_t *self, sqlite3_stmt *stmt, uint64_t *number)
{
    bool failed;
    if (!sql_step (self, stmt, &failed))
        return false;
    *number = sql_number (stmt, 0);
    return sql_run (self, stmt);
}

bool
sql_run_numbers (sql_t *self, sqlite3_stmt *stmt, uint64_t *numbers, size_t room, size_t *count)
{
    bool failed;
    for (*count = 0; sql_step (self, stmt, &failed); ++*count) {
        if (*count == room)
            abort ();
        numbers [*count] = sql_number (stmt, 0);
    }
    return !failed;
}

//  ---- binding and reading

//  Text that is too long, or no memory for it, cannot happen within the limits of messages.def; so if it does we
//  are wrong, not the world.
static void
must (int code)
{
    if (code != SQLITE_OK)
        abort ();
}

void
sql_bind_number (sqlite3_stmt *stmt, int column, uint64_t value)
{
    must (sqlite3_bind_int64 (stmt, column, (sqlite3_int64)value));
}

void
sql_bind_instant (sqlite3_stmt *stmt, int column, uint64_t seconds)
{
    sql_bind_number (stmt, column, seconds > INT64_MAX ? INT64_MAX : seconds);
}

void
sql_bind_double (sqlite3_stmt *stmt, int column, double value)
{
    must (sqlite3_bind_double (stmt, column, value));
}

void
sql_bind_null (sqlite3_stmt *stmt, int column)
{
    must (sqlite3_bind_null (stmt, column));
}

void
sql_bind_text (sqlite3_stmt *stmt, int column, usher_str_t text)
{
    must (sqlite3_bind_text (stmt, column, text.size ? text.data : "", (int)text.size, SQLITE_STATIC));
}

void
sql_bind_blob (sqlite3_stmt *stmt, int column, usher_str_t bytes)
{
    must (sqlite3_bind_blob (stmt, column, bytes.size ? bytes.data : "", (int)bytes.size, SQLITE_STATIC));
}

uint64_t
sql_number (sqlite3_stmt *stmt, int column)
{
    return (uint64_t)sqlite3_column_int64 (stmt, column);
}

double
sql_double (sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type (stmt, column) == SQLITE_NULL ? NAN : sqlite3_column_double (stmt, column);
}

usher_str_t
sql_text (sqlite3_stmt *stmt, int column)
{
    const void *text = sqlite3_column_text (stmt, column);
    return usher_bytes (text, (size_t)sqlite3_column_bytes (stmt, column));
}

usher_str_t
sql_blob (sqlite3_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_blob (stmt, column);
    return usher_bytes (bytes, (size_t)sqlite3_column_bytes (stmt, column));
}
