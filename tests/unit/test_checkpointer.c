//  test_checkpointer - a WAL that is written without a pause is copied beside that, stays short, and nothing is lost if the
//  process ends at any moment

#include "chance.h"
#include "checkpointer.h"
#include "store_vfs.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ROWS = 200,
    ROW_BYTES = 3000,    //  one a page
    COMMITS = 4000,
    PAGES = 64,
    LOOK_EACH = 97,
    DEADLINE_MS = 20000,
    WAL_BYTES_MAX = 16 * 1024 * 1024    //  a quarter of what all commits write
};

typedef struct {
    char folder [64], path [80];
    store_vfs_t *vfs;
    sqlite3 *db;
    checkpointer_t *checkpointer;
    sqlite3_int64 versions [ROWS];
} bench_t;

static sqlite3_int64
ask (sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_step (stmt), SQLITE_ROW);
    sqlite3_int64 value = sqlite3_column_int64 (stmt, 0);
    assert_int_equal (sqlite3_finalize (stmt), SQLITE_OK);
    return value;
}

static void
execute (sqlite3 *db, const char *sql)
{
    assert_int_equal (sqlite3_exec (db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void
bench_open (bench_t *self)
{
    *self = (bench_t){ .folder = "/tmp/usher-checkpointer-XXXXXX" };
    assert_non_null (mkdtemp (self->folder));
    snprintf (self->path, sizeof self->path, "%s/store.db", self->folder);
    self->vfs = store_vfs_new ();
    assert_int_equal (sqlite3_open_v2 (self->path, &self->db,
                                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                                       store_vfs_name (self->vfs)),
                      SQLITE_OK);
    execute (self->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                       "CREATE TABLE rows (id INTEGER PRIMARY KEY, version INTEGER, bytes BLOB);");
    for (int row = 0; row < ROWS; row++) {
        char sql [96];
        snprintf (sql, sizeof sql, "INSERT INTO rows VALUES (%d, 0, zeroblob (%d))", row, ROW_BYTES);
        execute (self->db, sql);
    }
    self->checkpointer = checkpointer_new (self->db, self->path, store_vfs_name (self->vfs), PAGES);
}

static void
bench_close (bench_t *self)
{
    checkpointer_destroy (&self->checkpointer);
    assert_int_equal (sqlite3_close (self->db), SQLITE_OK);
    store_vfs_destroy (&self->vfs);
    char command [160];
    snprintf (command, sizeof command, "rm -rf %s", self->folder);
    assert_int_equal (system (command), 0);
}

static void
rows_hold (const bench_t *self, sqlite3 *db)
{
    for (int row = 0; row < ROWS; row++) {
        char sql [64];
        snprintf (sql, sizeof sql, "SELECT version FROM rows WHERE id = %d", row);
        assert_int_equal (ask (db, sql), self->versions [row]);
    }
}

//  What another process would find if this one ended now: the files as they are, whatever the thread is doing.
static void
look_at_a_copy (const bench_t *self)
{
    char command [512], copy [160];
    sqlite3 *db;
    snprintf (command, sizeof command, "cp %s %s/copy.db && cp %s-wal %s/copy.db-wal && rm -f %s/copy.db-shm",
              self->path, self->folder, self->path, self->folder, self->folder);
    assert_int_equal (system (command), 0);
    snprintf (copy, sizeof copy, "%s/copy.db", self->folder);
    assert_int_equal (sqlite3_open_v2 (copy, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal (ask (db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    rows_hold (self, db);
    assert_int_equal (sqlite3_close (db), SQLITE_OK);
}

//  Behind the only commit nobody writes any more, so it is the thread that brings the pages to where they belong.
static void
test_a_thread_copies (void **state)
{
    (void)state;
    bench_t bench;
    struct stat info = { 0 };
    bench_open (&bench);
    assert_int_equal (stat (bench.path, &info), 0);
    assert_true (info.st_size < ROWS * ROW_BYTES);
    bench.versions [0] = 1;
    execute (bench.db, "UPDATE rows SET version = 1 WHERE id = 0");
    for (int wait = 0; info.st_size < ROWS * ROW_BYTES && wait < DEADLINE_MS; wait++) {
        poll (NULL, 0, 1);
        assert_int_equal (stat (bench.path, &info), 0);
    }
    assert_true (info.st_size >= ROWS * ROW_BYTES);
    rows_hold (&bench, bench.db);
    bench_close (&bench);
}

static void
test_the_wal_stays_short (void **state)
{
    (void)state;
    bench_t bench;
    uint64_t random = 1;
    off_t longest = 0;
    bench_open (&bench);
    for (int commit = 1; commit <= COMMITS; commit++) {
        struct stat info;
        char sql [400], path [100];
        size_t used = (size_t)snprintf (sql, sizeof sql, "BEGIN;");
        for (int change = 0; change < 4; change++) {
            int row = (int)chance_pick (&random, ROWS);
            bench.versions [row] = commit;
            used += (size_t)snprintf (sql + used, sizeof sql - used,
                                      "UPDATE rows SET version = %d WHERE id = %d;", commit, row);
        }
        snprintf (sql + used, sizeof sql - used, "COMMIT");
        execute (bench.db, sql);
        if (commit % LOOK_EACH == 0)
            look_at_a_copy (&bench);
        snprintf (path, sizeof path, "%s-wal", bench.path);
        assert_int_equal (stat (path, &info), 0);
        longest = info.st_size > longest ? info.st_size : longest;
    }
    assert_true (longest > PAGES * 4096 && longest < WAL_BYTES_MAX);
    rows_hold (&bench, bench.db);
    bench_close (&bench);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_a_thread_copies),
                                         cmocka_unit_test (test_the_wal_stays_short) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
