//  test_journal - what is committed stays, through kill -9, a full disk, a lock and a broken file

#include "journal.h"
#include "snowplow/journal_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sqlite3.h>
#include <cmocka.h>

#define GENERATION 0xFEDCBA9876543210u
#define PLENTY (1u << 30)

typedef struct {
    char folder [64];
    char path [80];
    char fault [JOURNAL_FAULT_MAX];
} place_t;

static int
set_up (void **state)
{
    place_t *self = calloc (1, sizeof *self);
    snprintf (self->folder, sizeof self->folder, "/tmp/usher-journal-XXXXXX");
    assert_non_null (mkdtemp (self->folder));
    snprintf (self->path, sizeof self->path, "%s/%s", self->folder, JOURNAL_FILE);
    *state = self;
    return 0;
}

//  Delete the file and what SQLite keeps beside it.
static void
remove_files (const place_t *self)
{
    static const char *const ends [] = { "", "-wal", "-shm" };
    for (size_t index = 0; index < 3; index++) {
        char path [100];
        snprintf (path, sizeof path, "%s%s", self->path, ends [index]);
        unlink (path);
    }
}

static int
tear_down (void **state)
{
    place_t *self = *state;
    remove_files (self);
    rmdir (self->folder);
    free (self);
    return 0;
}

static journal_t *
open_journal (place_t *self, uint64_t generation)
{
    journal_t *journal = journal_new (self->path, generation, PLENTY, self->fault);
    if (!journal)
        fail_msg ("%s", self->fault);
    return journal;
}

//  How the ingester reads: another connection, read-only. Returns how many rows lie behind a position, and
//  checks that each is whole.
static int
read_rows (const char *path, int64_t after)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    int count = 0;
    assert_int_equal (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, JOURNAL_SQL_READ, -1, &query, NULL), SQLITE_OK);
    sqlite3_bind_int64 (query, 1, after);
    sqlite3_bind_int (query, 2, 1000000);
    while (sqlite3_step (query) == SQLITE_ROW) {
        char want [32];
        int size = snprintf (want, sizeof want, "row %lld", (long long)sqlite3_column_int64 (query, 0));
        assert_int_equal (sqlite3_column_bytes (query, 4), size);
        assert_memory_equal (sqlite3_column_blob (query, 4), want, (size_t)size);
        count++;
    }
    sqlite3_finalize (query);
    sqlite3_close (db);
    return count;
}

//  Append a row that tells its own position.
static int
append (journal_t *journal, uint64_t position)
{
    char body [32];
    int size = snprintf (body, sizeof body, "row %llu", (unsigned long long)position);
    return journal_append (journal, 1000, JOURNAL_EVENT, "", body, (size_t)size);
}

static void
test_rows (void **state)
{
    place_t *place = *state;
    journal_t *journal = open_journal (place, GENERATION);
    assert_true (journal_generation (journal) == GENERATION);
    assert_int_equal (journal_last (journal), 0);
    assert_int_equal (journal_commit (journal), 0);
    for (uint64_t position = 1; position <= 3; position++)
        assert_int_equal (append (journal, position), 0);
    assert_true (journal_pending (journal));
    assert_int_equal (read_rows (place->path, 0), 0);
    assert_int_equal (journal_last (journal), 0);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (journal_last (journal), 3);
    assert_int_equal (read_rows (place->path, 0), 3);
    assert_int_equal (read_rows (place->path, 2), 1);
    journal_destroy (&journal);
    assert_null (journal);
    struct stat info;
    assert_int_equal (stat (place->path, &info), 0);
    assert_int_equal (info.st_mode & 0777, 0600);
}

//  Positions never repeat, not even over an empty table and a restart; the generation stays the file's own.
static void
test_prune (void **state)
{
    place_t *place = *state;
    journal_t *journal = open_journal (place, GENERATION);
    for (uint64_t position = 1; position <= 5; position++)
        assert_int_equal (append (journal, position), 0);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (journal_prune (journal, 3), 3);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (read_rows (place->path, 0), 2);
    assert_int_equal (journal_prune (journal, 5), 2);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (journal_last (journal), 5);
    journal_destroy (&journal);
    journal = open_journal (place, 77);
    assert_true (journal_generation (journal) == GENERATION);
    assert_int_equal (journal_last (journal), 5);
    assert_int_equal (append (journal, 6), 0);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (journal_last (journal), 6);
    journal_destroy (&journal);
}

static void
test_rollback (void **state)
{
    place_t *place = *state;
    journal_t *journal = open_journal (place, GENERATION);
    assert_int_equal (append (journal, 1), 0);
    journal_rollback (journal);
    assert_false (journal_pending (journal));
    assert_int_equal (append (journal, 1), 0);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (read_rows (place->path, 0), 1);
    journal_destroy (&journal);
}

//  A child commits and tells, commits and tells, until it is killed in the middle of it: all that it told is there.
static void
append_for_ever (const char *path, int told)
{
    char fault [JOURNAL_FAULT_MAX];
    journal_t *journal = journal_new (path, GENERATION, PLENTY, fault);
    for (uint64_t position = 1; journal; position++) {
        if (append (journal, position) != 0)
            break;
        if (position % 3 != 0)
            continue;
        if (journal_commit (journal) != 0 || write (told, &position, sizeof position) != sizeof position)
            break;
    }
    _exit (1);
}

static void
test_kill (void **state)
{
    place_t *place = *state;
    uint64_t kills = 0, last = 0;
    for (; kills < 5; kills++) {
        int told [2];
        assert_int_equal (pipe (told), 0);
        pid_t child = fork ();
        if (child == 0)
            append_for_ever (place->path, told [1]);
        close (told [1]);
        last = 0;
        uint64_t number;
        while (last < 30 * (kills + 1) && read (told [0], &number, sizeof number) == sizeof number)
            last = number;
        kill (child, SIGKILL);
        while (read (told [0], &number, sizeof number) == sizeof number)
            last = number;
        close (told [0]);
        int status;
        assert_int_equal (waitpid (child, &status, 0), child);
        assert_true (WIFSIGNALED (status));
        journal_t *journal = open_journal (place, GENERATION);
        assert_true (journal_last (journal) >= last);
        assert_int_equal (journal_last (journal) % 3, 0);
        assert_int_equal (read_rows (place->path, 0), (int)journal_last (journal));
        journal_destroy (&journal);
        remove_files (place);
    }
}

//  A full disk fails the turn, keeps what was committed, and is over when there is room again.
static void
test_full (void **state)
{
    place_t *place = *state;
    char big [20000] = { 0 };
    journal_t *journal = journal_new (place->path, GENERATION, 100000, place->fault);
    assert_non_null (journal);
    assert_int_equal (append (journal, 1), 0);
    assert_int_equal (journal_commit (journal), 0);
    int rc = 0;
    for (int index = 0; index < 10 && rc == 0; index++)
        rc = journal_append (journal, 1000, JOURNAL_BAD, "big", big, sizeof big);
    assert_int_equal (rc, -1);
    assert_non_null (strstr (journal_fault (journal), place->path));
    assert_non_null (strstr (journal_fault (journal), "full"));
    assert_false (journal_pending (journal));
    assert_int_equal (read_rows (place->path, 0), 1);
    assert_int_equal (append (journal, 2), 0);
    assert_int_equal (journal_commit (journal), 0);
    assert_int_equal (read_rows (place->path, 0), 2);
    journal_destroy (&journal);
}

static void
test_locked (void **state)
{
    place_t *place = *state;
    journal_t *journal = open_journal (place, GENERATION);
    sqlite3 *other;
    assert_int_equal (sqlite3_open (place->path, &other), SQLITE_OK);
    assert_int_equal (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (append (journal, 1), -1);
    assert_non_null (strstr (journal_fault (journal), "locked"));
    assert_int_equal (sqlite3_exec (other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (append (journal, 1), 0);
    assert_int_equal (journal_commit (journal), 0);
    sqlite3_close (other);
    journal_destroy (&journal);
}

//  Overwrite a part of the file.
static void
damage (const char *path, long offset, size_t size)
{
    FILE *file = fopen (path, "r+b");
    assert_non_null (file);
    assert_int_equal (fseek (file, offset, SEEK_SET), 0);
    for (size_t index = 0; index < size; index++)
        fputc (0xA5, file);
    fclose (file);
}

static void
test_broken (void **state)
{
    place_t *place = *state;
    journal_t *journal = open_journal (place, GENERATION);
    assert_int_equal (append (journal, 1), 0);
    assert_int_equal (journal_commit (journal), 0);
    journal_destroy (&journal);
    damage (place->path, 100, 4000);
    assert_null (journal_new (place->path, GENERATION, PLENTY, place->fault));
    assert_non_null (strstr (place->fault, place->path));
    assert_non_null (strstr (place->fault, "malformed"));
    damage (place->path, 0, 100);
    assert_null (journal_new (place->path, GENERATION, PLENTY, place->fault));
    assert_non_null (strstr (place->fault, "not a database"));
}

static void
test_unopenable (void **state)
{
    place_t *place = *state;
    assert_null (journal_new ("/nowhere/at/all/journal.db", GENERATION, PLENTY, place->fault));
    assert_string_equal (place->fault, "/nowhere/at/all/journal.db: cannot open: No such file or directory");
    journal_t *journal = open_journal (place, GENERATION);
    journal_destroy (&journal);
    sqlite3 *other;
    assert_int_equal (sqlite3_open (place->path, &other), SQLITE_OK);
    assert_int_equal (sqlite3_exec (other, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close (other);
    assert_null (journal_new (place->path, GENERATION, PLENTY, place->fault));
    assert_non_null (strstr (place->fault, "later version"));
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_prune, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_rollback, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_locked, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_broken, set_up, tear_down),
        cmocka_unit_test_setup_teardown (test_unopenable, set_up, tear_down),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
