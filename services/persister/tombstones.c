//  tombstones - who is being erased, and who was: a table of store.db, whichever store keeps the profiles

#include "tombstones.h"
#include "keyed_digest.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

//  Bad events searched at once; each may be 1 MiB, most are a thousandth of it.
#define SEARCH_ROWS 200

//  wished: the viewer's id until the erasure is done. forgotten: its owner has let go. searched: the quarantine's row
//  up to which nothing of the viewer is left.
static const char tables [] =
    "CREATE TABLE IF NOT EXISTS tombstones (viewer BLOB PRIMARY KEY NOT NULL, erased_ms INTEGER NOT NULL,"
    " expires_at INTEGER NOT NULL, wished TEXT, wished_ms INTEGER NOT NULL, forgotten INTEGER NOT NULL, "
    "searched INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS tombstones_wished ON tombstones (forgotten, viewer) WHERE wished IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS tombstones_expire ON tombstones (expires_at);"
    "CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;";

enum {
    FIND,
    GRANTED,
    WISH,
    PUT,
    NEXT,
    SEARCH,
    REMOVE,
    SEARCHED,
    SWEEP,
    WISHES,
    SECRET_PUT,
    SECRET_GET,
    STATEMENTS
};

static const char *const statements [STATEMENTS] = {
    [FIND] = "SELECT erased_ms FROM tombstones WHERE viewer = ?1 AND expires_at > ?2",
    [GRANTED] = "SELECT wished IS NULL OR forgotten = 1 FROM tombstones WHERE viewer = ?1",
    [WISH] = "INSERT INTO tombstones (viewer, erased_ms, expires_at, wished, wished_ms, forgotten, searched)"
             " VALUES (?1, 0, 0, ?2, ?3, 0, 0) ON CONFLICT (viewer) DO UPDATE SET wished = excluded.wished,"
             " wished_ms = excluded.wished_ms, forgotten = 0, searched = 0",
    //  The answer to an earlier wish does not grant a later one.
    [PUT] = "INSERT INTO tombstones (viewer, erased_ms, expires_at, wished, wished_ms, forgotten, searched)"
            " VALUES (?1, ?3, ?4, ?2, ?5, 1, 0)"
            " ON CONFLICT (viewer) DO UPDATE SET erased_ms = max (erased_ms, excluded.erased_ms),"
            " expires_at = max (expires_at, excluded.expires_at), wished = excluded.wished,"
            " forgotten = excluded.wished_ms >= wished_ms",
    [NEXT] = "SELECT viewer, wished, erased_ms, searched FROM tombstones"
             " WHERE wished IS NOT NULL AND forgotten = 1 LIMIT 1",
    [SEARCH] = "SELECT max (row), count (*) FROM"
               " (SELECT rowid AS row FROM quarantine WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
    //  instr compares blobs byte by byte.
    [REMOVE] = "DELETE FROM quarantine WHERE rowid > ?1 AND rowid <= ?2"
               " AND instr (payload, CAST (?3 AS BLOB)) > 0",
    [SEARCHED] = "UPDATE tombstones SET searched = ?2, wished = CASE WHEN ?3 THEN NULL ELSE wished END"
                 " WHERE viewer = ?1",
    [SWEEP] = "DELETE FROM tombstones WHERE viewer IN"
              " (SELECT viewer FROM tombstones WHERE expires_at <= ?1 AND wished IS NULL LIMIT ?2)",
    [WISHES] = "SELECT wished, wished_ms FROM tombstones WHERE wished IS NOT NULL AND forgotten = 0"
               " ORDER BY viewer LIMIT ?1",
    [SECRET_PUT] = "INSERT OR IGNORE INTO secrets (name, value) VALUES ('tombstones', ?1)",
    [SECRET_GET] = "SELECT value FROM secrets WHERE name = 'tombstones'",
};

struct tombstones {
    sql_t *sql;
    sqlite3_stmt *statements [STATEMENTS];
    uint8_t key [KEYED_DIGEST_BYTES];
    bool any;    //  there may be rows: nobody's digest is made for an empty table
};

static sqlite3_stmt *
get (tombstones_t *self, int which)
{
    sqlite3_reset (self->statements [which]);
    return self->statements [which];
}

//  Binds the viewer's digest, which must live until the statement has run.
static void
bind_viewer (const tombstones_t *self, sqlite3_stmt *stmt, usher_str_t viewer_id,
             uint8_t digest [KEYED_DIGEST_BYTES])
{
    keyed_digest (usher_bytes (self->key, sizeof self->key), viewer_id, digest);
    sql_bind_blob (stmt, 1, usher_bytes (digest, KEYED_DIGEST_BYTES));
}

//  ---- beginning and end

//  The first to open the file draws the key.
static bool
find_key (tombstones_t *self)
{
    uint8_t drawn [KEYED_DIGEST_BYTES];
    bool failed;
    if (getrandom (drawn, sizeof drawn, 0) != sizeof drawn)
        return false;
    sqlite3_stmt *put = get (self, SECRET_PUT), *ask = get (self, SECRET_GET);
    sql_bind_blob (put, 1, usher_bytes (drawn, sizeof drawn));
    if (!sql_run (self->sql, put) || !sql_step (self->sql, ask, &failed) ||
        sqlite3_column_bytes (ask, 0) != sizeof self->key)
        return false;
    memcpy (self->key, sqlite3_column_blob (ask, 0), sizeof self->key);
    sqlite3_reset (ask);
    return true;
}

static bool
has_rows (tombstones_t *self)
{
    sqlite3_stmt *stmt = NULL;
    bool failed =
        sqlite3_prepare_v2 (self->sql->db, "SELECT 1 FROM tombstones", -1, &stmt, NULL) != SQLITE_OK;
    bool any = !failed && sql_step (self->sql, stmt, &failed);
    sqlite3_finalize (stmt);
    return any || failed;
}

tombstones_t *
tombstones_new (sql_t *sql)
{
    tombstones_t *self = memory_new (1, sizeof *self);
    self->sql = sql;
    if (!sql_execute (sql, tables) || !sql_prepare (sql, statements, STATEMENTS, self->statements) ||
        !find_key (self)) {
        tombstones_destroy (&self);
        return NULL;
    }
    self->any = has_rows (self);
    return self;
}

void
tombstones_destroy (tombstones_t **self_p)
{
    tombstones_t *self = *self_p;
    if (!self)
        return;
    sql_finalize (self->statements, STATEMENTS);
    free (self);
    *self_p = NULL;
}

//  ---- rows

//  Runs a statement that gives a number, or no row: then *number stays. False: SQLite said no.
static bool
ask_number (tombstones_t *self, sqlite3_stmt *stmt, uint64_t *number)
{
    bool failed;
    if (sql_step (self->sql, stmt, &failed))
        *number = sql_number (stmt, 0);
    sqlite3_reset (stmt);
    return !failed;
}

bool
tombstones_find (tombstones_t *self, usher_str_t viewer_id, uint64_t now_s, uint64_t *erased_ms)
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    *erased_ms = 0;
    if (!self->any)
        return true;
    sqlite3_stmt *stmt = get (self, FIND);
    bind_viewer (self, stmt, viewer_id, digest);
    sql_bind_instant (stmt, 2, now_s);
    return ask_number (self, stmt, erased_ms);
}

bool
tombstones_granted (tombstones_t *self, usher_str_t viewer_id, bool *granted)
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    uint64_t number = 0;
    *granted = false;
    if (!self->any)
        return true;
    sqlite3_stmt *stmt = get (self, GRANTED);
    bind_viewer (self, stmt, viewer_id, digest);
    bool told = ask_number (self, stmt, &number);
    *granted = number;
    return told;
}

bool
tombstones_wish (tombstones_t *self, usher_str_t viewer_id, uint64_t now_ms)
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    sqlite3_stmt *stmt = get (self, WISH);
    self->any = true;
    bind_viewer (self, stmt, viewer_id, digest);
    sql_bind_text (stmt, 2, viewer_id);
    sql_bind_instant (stmt, 3, now_ms);
    return sql_run (self->sql, stmt);
}

bool
tombstones_put (tombstones_t *self, const usher_forgotten_t *forgotten, uint64_t expires_s)
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    sqlite3_stmt *stmt = get (self, PUT);
    self->any = true;
    bind_viewer (self, stmt, forgotten->viewer_id, digest);
    sql_bind_text (stmt, 2, forgotten->viewer_id);
    sql_bind_instant (stmt, 3, forgotten->erased_ms);
    sql_bind_instant (stmt, 4, expires_s);
    sql_bind_instant (stmt, 5, forgotten->wished_ms);
    return sql_run (self->sql, stmt);
}

int
tombstones_sweep (tombstones_t *self, uint64_t now_s, uint32_t limit)
{
    sqlite3_stmt *stmt = get (self, SWEEP);
    sql_bind_instant (stmt, 1, now_s);
    sql_bind_number (stmt, 2, limit);
    return sql_run (self->sql, stmt) ? sqlite3_changes (self->sql->db) : -1;
}

bool
tombstones_wishes (tombstones_t *self, tombstones_tell_fn *tell, void *arg)
{
    sqlite3_stmt *stmt = get (self, WISHES);
    bool failed = false;
    sql_bind_number (stmt, 1, TOMBSTONES_TOLD);
    while (self->any && sql_step (self->sql, stmt, &failed))
        tell (arg, sql_text (stmt, 0), sql_number (stmt, 1));
    return !failed;
}

//  ---- the quarantine

//  Removes from the rows behind *row that name the viewer; *row is the last one searched. *done: there are no more.
static bool
search_rows (tombstones_t *self, const tombstones_search_t *found, uint64_t *row, bool *done,
             uint64_t *removed)
{
    sqlite3_stmt *search = get (self, SEARCH), *remove = get (self, REMOVE);
    bool failed;
    uint64_t from = *row;
    sql_bind_number (search, 1, from);
    sql_bind_number (search, 2, SEARCH_ROWS);
    if (!sql_step (self->sql, search, &failed))
        return false;
    uint64_t count = sql_number (search, 1);
    *row = count ? sql_number (search, 0) : from;
    *done = count < SEARCH_ROWS;
    sqlite3_reset (search);
    sql_bind_number (remove, 1, from);
    sql_bind_number (remove, 2, *row);
    sql_bind_text (remove, 3, usher_bytes (found->viewer_id, found->viewer_id_size));
    if (!sql_run (self->sql, remove))
        return false;
    *removed = (uint64_t)sqlite3_changes (self->sql->db);
    return true;
}

bool
tombstones_search (tombstones_t *self, tombstones_search_t *found)
{
    uint8_t digest [KEYED_DIGEST_BYTES];
    bool failed = false;
    sqlite3_stmt *next = get (self, NEXT), *searched = get (self, SEARCHED);
    *found = (tombstones_search_t){ 0 };
    if (!self->any || !sql_step (self->sql, next, &failed))
        return !failed;
    usher_str_t viewer_id = sql_text (next, 1);
    found->any = true;
    found->viewer_id_size = viewer_id.size;
    memcpy (found->viewer_id, viewer_id.data, viewer_id.size);
    found->erased_ms = sql_number (next, 2);
    uint64_t row = sql_number (next, 3);
    sqlite3_reset (next);
    if (!search_rows (self, found, &row, &found->done, &found->removed))
        return false;
    bind_viewer (self, searched, usher_bytes (found->viewer_id, found->viewer_id_size), digest);
    sql_bind_number (searched, 2, row);
    sql_bind_number (searched, 3, found->done);
    return sql_run (self->sql, searched);
}
