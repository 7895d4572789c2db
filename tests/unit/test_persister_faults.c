//  test_persister_faults - a full disk, a kill -9, damage, a second process: what is kept and what is said

#include "persister_bench.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static int
setup (void **state)
{
    bench_t *bench = calloc (1, sizeof *bench);
    bench_open (bench);
    *state = bench;
    return 0;
}

static int
teardown (void **state)
{
    bench_close (*state);
    free (*state);
    return 0;
}

static void
store_path (const bench_t *bench, char *path, size_t size)
{
    snprintf (path, size, "%s/" STORE_FILE, bench->directory);
}

//  ---- a full disk

static void
test_a_full_disk_fails_writes_and_nothing_else (void **state)
{
    bench_t *bench = *state;
    static char profile [200000];
    usher_msg_t small = bench_write ("alice", 0, 0, 1, 1), large = bench_write ("bob", 0, 0, 1, 1);
    usher_msg_t claim = { .id = USHER_MSG_claim };
    usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str ("alice") } };
    assert_int_equal (bench_outcome (bench, &small), USHER_outcome_done);
    store_limit_pages (persister_store (bench->persister), 1);    //  it cannot grow any more
    large.write.profile = usher_bytes (profile, sizeof profile);
    small = bench_write ("alice", 1, 1, 1, 2);
    bench_tell (bench, &small);
    bench_tell (bench, &claim);
    bench_tell (bench, &large);
    bench_tell (bench, &load);
    bench_turn (bench);
    //  Both are rolled back, the claim is not answered, the question is: from what was there before.
    assert_int_equal (bench_answer (bench, USHER_MSG_written).written.outcome, USHER_outcome_failed);
    assert_int_equal (bench_answer (bench, USHER_MSG_written).written.outcome, USHER_outcome_failed);
    assert_int_equal (bench_answer (bench, USHER_MSG_loaded).loaded.version, 1);
    bench_no_answer (bench);
    //  Room again: the same writes succeed.
    store_limit_pages (persister_store (bench->persister), 0);
    assert_int_equal (bench_outcome (bench, &small), USHER_outcome_done);
    assert_int_equal (bench_outcome (bench, &large), USHER_outcome_done);
    assert_int_equal (bench_load (bench, "bob").loaded.profile.size, sizeof profile);
}

static void
test_a_failed_turn_counts_nothing_as_kept (void **state)
{
    bench_t *bench = *state;
    static char payload [200000];
    usher_msg_t bad = { .id = USHER_MSG_quarantine,
                        .quarantine = { .seq = 1, .payload = usher_bytes (payload, 10) } };
    usher_msg_t huge = { .id = USHER_MSG_quarantine,
                         .quarantine = {
                             .seq = 2, .offset = 1, .payload = usher_bytes (payload, sizeof payload) } };
    usher_msg_t span = { .id = USHER_MSG_aggregate_put,
                         .aggregate_put = { .seq = 3, .step_s = 1, .body = usher_bytes (payload, 10) } };
    store_limit_pages (persister_store (bench->persister), 1);
    bench_tell (bench, &span);
    bench_tell (bench, &bad);
    bench_tell (bench, &huge);
    bench_turn (bench);
    bench_no_answer (bench);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream (&text, &size);
    persister_service.metrics (bench->persister, out);
    fclose (out);
    assert_non_null (strstr (text, "\nusher_store_quarantined_total 0\n"));
    assert_non_null (strstr (text, "\nusher_store_failures_total 1\n"));
    free (text);
}

//  Reads what is logged from here on; capture_end returns it, to be freed, and gives standard error back.
static int
capture_begin (FILE **file)
{
    fflush (stderr);
    int before = dup (STDERR_FILENO);
    *file = tmpfile ();
    assert_non_null (*file);
    dup2 (fileno (*file), STDERR_FILENO);
    return before;
}

static char *
capture_end (FILE *file, int before)
{
    fflush (stderr);
    dup2 (before, STDERR_FILENO);
    close (before);
    char *text = calloc (1, 65536);
    rewind (file);
    size_t size = fread (text, 1, 65535, file);
    text [size] = '\0';
    fclose (file);
    return text;
}

static int
occurrences (const char *text, const char *part)
{
    int count = 0;
    for (const char *at = text; (at = strstr (at, part)); at++)
        count++;
    return count;
}

//  Small turns fit on it, large ones do not: a fault and its end are told once, not turn by turn.
static void
test_a_disk_that_is_nearly_full_is_told_once (void **state)
{
    bench_t *bench = *state;
    static char profile [200000];
    uint64_t version = 0;
    usher_msg_t large = bench_write ("bob", 0, 0, 1, 1);
    large.write.profile = usher_bytes (profile, sizeof profile);
    FILE *file;
    int before = capture_begin (&file);
    for (int turn = 0; turn < 20; turn++) {
        usher_msg_t small = bench_write ("alice", version ? 1 : 0, version, 1, version + 1);
        assert_int_equal (bench_outcome (bench, &small), USHER_outcome_done);
        version++;
        store_limit_pages (persister_store (bench->persister), 1);
        assert_int_equal (bench_outcome (bench, &large), USHER_outcome_failed);
        store_limit_pages (persister_store (bench->persister), 0);
        bench->now.mono_ms += 500;
    }
    bench->now.mono_ms += 10000;
    assert_int_equal (bench_outcome (bench, &large), USHER_outcome_done);
    char *log = capture_end (file, before);
    assert_int_equal (occurrences (log, "store fails"), 1);
    assert_int_equal (occurrences (log, "store works again"), 1);
    free (log);
}

//  ---- kill -9

//  Writes version after version, tells each one that has a receipt, until it is killed.
static void
write_until_killed (bench_t *bench, int receipts)
{
    uint64_t version = 0;
    for (;;) {
        char key [64];
        snprintf (key, sizeof key, "%020llu", (unsigned long long)version);
        usher_msg_t row = bench_history ("alice", key);
        usher_msg_t next = bench_write ("alice", version ? 1 : 0, version, 1, version + 1);
        bench_tell (bench, &row);
        if (bench_outcome (bench, &next) != USHER_outcome_done)
            _exit (1);
        version++;
        if (write (receipts, &version, sizeof version) != sizeof version)
            _exit (1);
    }
}

static void
test_what_has_a_receipt_survives_a_kill (void **state)
{
    bench_t *bench = *state;
    int pipe_fds [2];
    uint64_t version = 0, last = 0;
    persister_destroy (&bench->persister);
    assert_int_equal (pipe (pipe_fds), 0);
    pid_t child = fork ();
    if (child == 0) {
        bench_restart (bench);
        write_until_killed (bench, pipe_fds [1]);
    }
    close (pipe_fds [1]);
    while (last < 25 && read (pipe_fds [0], &version, sizeof version) == sizeof version)
        last = version;
    kill (child, SIGKILL);
    while (read (pipe_fds [0], &version, sizeof version) == sizeof version)
        last = version;
    waitpid (child, NULL, 0);
    close (pipe_fds [0]);
    assert_true (last >= 25);
    bench_restart (bench);
    //  One more may have been committed without its receipt getting out; row and profile go together.
    uint64_t kept = bench_load (bench, "alice").loaded.version;
    assert_in_range (kept, last, last + 1);
    assert_int_equal (bench_history_rows (bench, "alice"), (int)(kept > 1000 ? 1000 : kept));
}

//  ---- files that are refused

static void
assert_refused (const bench_t *bench, store_opening_t expected, const char *words)
{
    char why [512] = "";
    store_opening_t opening = STORE_OPENED;
    persister_t *persister = persister_new (bench->directory, 7, 30, bench->now, &opening, why, sizeof why);
    assert_null (persister);
    assert_int_equal (opening, expected);
    if (!strstr (why, words))
        fail_msg ("\"%s\" does not say \"%s\"", why, words);
}

static void
put_bytes (const char *path, long offset, const void *bytes, size_t size)
{
    FILE *file = fopen (path, offset ? "r+b" : "wb");
    assert_non_null (file);
    assert_int_equal (fseek (file, offset, SEEK_SET), 0);
    assert_int_equal (fwrite (bytes, 1, size, file), size);
    assert_int_equal (fclose (file), 0);
}

static long
take_bytes (const char *path, char *bytes, size_t size)
{
    FILE *file = fopen (path, "rb");
    assert_non_null (file);
    long got = (long)fread (bytes, 1, size, file);
    fclose (file);
    return got;
}

static void
test_no_database_is_refused_and_left_alone (void **state)
{
    bench_t *bench = *state;
    const char text [] = "my holiday notes, of which there is no other copy; long enough not to be a header";
    char path [128], after [sizeof text + 1];
    store_path (bench, path, sizeof path);
    persister_destroy (&bench->persister);
    put_bytes (path, 0, text, sizeof text);
    assert_refused (bench, STORE_UNUSABLE, "no SQLite database");
    assert_int_equal (take_bytes (path, after, sizeof after), sizeof text);
    assert_memory_equal (after, text, sizeof text);
}

static void
test_another_programs_database_is_refused (void **state)
{
    bench_t *bench = *state;
    char path [128];
    sqlite3 *db;
    store_path (bench, path, sizeof path);
    persister_destroy (&bench->persister);
    unlink (path);
    assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, "CREATE TABLE books (title)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close (db);
    assert_refused (bench, STORE_UNUSABLE, "another program");
}

static void
test_a_damaged_store_is_refused_and_left_alone (void **state)
{
    bench_t *bench = *state;
    static char before [1 << 20], after [1 << 20], rubbish [3000];
    char path [128], viewer [32];
    store_path (bench, path, sizeof path);
    for (int number = 0; number < 200; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        bench_tell (bench, &write);
    }
    bench_turn (bench);
    persister_destroy (&bench->persister);
    memset (rubbish, 0xa5, sizeof rubbish);
    for (long offset = 4096; offset < 5 * 4096; offset += 4096)
        put_bytes (path, offset, rubbish, sizeof rubbish);
    long size = take_bytes (path, before, sizeof before);
    assert_refused (bench, STORE_UNUSABLE, "damaged");
    assert_int_equal (take_bytes (path, after, sizeof after), size);
    assert_memory_equal (after, before, (size_t)size);
}

static void
test_a_newer_layout_is_refused (void **state)
{
    bench_t *bench = *state;
    char path [128];
    sqlite3 *db;
    store_path (bench, path, sizeof path);
    persister_destroy (&bench->persister);
    assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close (db);
    assert_refused (bench, STORE_UNUSABLE, "layout 99");
}

//  Makes of the tables those of layout 2, when a viewer's history was a place in a tree; and of these those of layout 1, from
//  before look_at.
static const char to_layout_2 [] =
    "DROP INDEX viewer_profiles_look; DROP INDEX live_profiles;"
    "ALTER TABLE viewer_profiles RENAME TO newer;"
    "CREATE TABLE viewer_profiles (viewer_id TEXT PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL,"
    " version INTEGER NOT NULL, live_slot INTEGER, expires_at INTEGER NOT NULL,"
    " look_at INTEGER NOT NULL DEFAULT 0, profile BLOB NOT NULL);"
    "CREATE INDEX live_profiles ON viewer_profiles (viewer_id) WHERE live_slot IS NOT NULL;"
    "CREATE INDEX viewer_profiles_look ON viewer_profiles (look_at);"
    "INSERT INTO viewer_profiles SELECT viewer_id, epoch, version, live_slot, expires_at, look_at, profile "
    "FROM "
    "newer;"
    "DROP TABLE newer; ALTER TABLE video_events RENAME TO newer;"
    "CREATE TABLE video_events (viewer_id TEXT NOT NULL, collector_tstamp TEXT NOT NULL, video_ts REAL,"
    " adsClicked INTEGER NOT NULL, adsSkipped INTEGER NOT NULL, adId NOT NULL, status TEXT NOT NULL,"
    " event_id TEXT NOT NULL, event_name TEXT NOT NULL, state TEXT NOT NULL, session_id TEXT NOT NULL,"
    " media_label TEXT NOT NULL, expires_at INTEGER NOT NULL,"
    " PRIMARY KEY (viewer_id, collector_tstamp)) WITHOUT ROWID;"
    "CREATE INDEX video_events_expire ON video_events (expires_at);"
    "INSERT INTO video_events SELECT viewer_id, collector_tstamp, video_ts, adsClicked, adsSkipped, adId, "
    "status,"
    " event_id, event_name, state, session_id, media_label, expires_at FROM newer;"
    "DROP TABLE newer; PRAGMA user_version=2;";
static const char to_layout_1 [] =
    "DROP INDEX viewer_profiles_look; ALTER TABLE viewer_profiles DROP COLUMN look_at;"
    "CREATE INDEX viewer_profiles_expire ON viewer_profiles (expires_at); PRAGMA user_version=1;";

//  The store as an older build left it, opened by this one.
static void
age (bench_t *bench, int layout)
{
    char path [128];
    sqlite3 *db;
    store_path (bench, path, sizeof path);
    persister_destroy (&bench->persister);
    assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, to_layout_2, NULL, NULL, NULL), SQLITE_OK);
    if (layout == 1)
        assert_int_equal (sqlite3_exec (db, to_layout_1, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close (db);
    bench_restart (bench);
}

static void
sweep_at (bench_t *bench, uint64_t at_s)
{
    bench->now.wall_ms = (int64_t)at_s * 1000;
    persister_service.tick (bench->persister, bench->now, bench->out);
    bench->now.wall_ms = BENCH_NOW_S * 1000LL;
}

static void
test_an_older_layout_is_brought_up_to_date (void **state)
{
    bench_t *bench = *state;
    usher_msg_t dies = bench_write ("alice", 0, 0, 1, 1), lives = bench_write ("bob", 0, 0, 1, 1);
    lives.write.expires_s = BENCH_EXPIRES_S + 1000;
    assert_int_equal (bench_outcome (bench, &dies), USHER_outcome_done);
    assert_int_equal (bench_outcome (bench, &lives), USHER_outcome_done);
    age (bench, 1);
    //  All is there, can be written on, and goes when its time is over.
    sweep_at (bench, BENCH_NOW_S);
    assert_int_equal (bench_load (bench, "alice").loaded.version, 1);
    lives = bench_write ("bob", 1, 1, 1, 2);
    lives.write.expires_s = BENCH_EXPIRES_S + 1000;
    assert_int_equal (bench_outcome (bench, &lives), USHER_outcome_done);
    sweep_at (bench, BENCH_EXPIRES_S);
    assert_int_equal (bench_load (bench, "alice").loaded.version, 0);
    assert_int_equal (bench_load (bench, "bob").loaded.version, 2);
    sweep_at (bench, BENCH_EXPIRES_S + 1000);
    assert_int_equal (bench_load (bench, "bob").loaded.version, 0);
    //  And a second time there is nothing to do.
    bench_restart (bench);
}

//  Two viewers' rows, each other one alice's.
static void
test_history_of_an_older_layout_is_a_chain (void **state)
{
    bench_t *bench = *state;
    const char *const viewers [] = { "alice", "bob", "alice", "bob", "alice" };
    char key [32];
    for (int at = 0; at < 5; at++) {
        snprintf (key, sizeof key, "2%d", at);
        bench_put_row (bench, viewers [at], key, BENCH_EXPIRES_S);
    }
    for (int layout = 1; layout <= 2; layout++) {
        age (bench, layout);
        assert_string_equal (bench_history_keys (bench, "alice"), "24 22 20 ");
        assert_string_equal (bench_history_keys (bench, "bob"), "23 21 ");
    }
    bench_put_row (bench, "bob", "22", BENCH_EXPIRES_S);
    bench_put_row (bench, "bob", "25", BENCH_EXPIRES_S);
    assert_string_equal (bench_history_keys (bench, "bob"), "25 23 22 21 ");
    assert_string_equal (bench_history_keys (bench, "alice"), "24 22 20 ");
}

static void
test_a_second_process_is_refused (void **state)
{
    assert_refused (*state, STORE_LOCKED, "locked");
}

static void
test_a_directory_that_cannot_be_made_is_told (void **state)
{
    bench_t bench = *(bench_t *)*state;
    snprintf (bench.directory, sizeof bench.directory, "/proc/usher/data");
    assert_refused (&bench, STORE_UNUSABLE, "/proc/usher/data cannot be made");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)
        TEST (test_a_full_disk_fails_writes_and_nothing_else),
        TEST (test_a_failed_turn_counts_nothing_as_kept),
        TEST (test_a_disk_that_is_nearly_full_is_told_once),
        TEST (test_what_has_a_receipt_survives_a_kill),
        TEST (test_no_database_is_refused_and_left_alone),
        TEST (test_another_programs_database_is_refused),
        TEST (test_a_damaged_store_is_refused_and_left_alone),
        TEST (test_a_newer_layout_is_refused),
        TEST (test_an_older_layout_is_brought_up_to_date),
        TEST (test_history_of_an_older_layout_is_a_chain),
        TEST (test_a_second_process_is_refused),
        TEST (test_a_directory_that_cannot_be_made_is_told),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
