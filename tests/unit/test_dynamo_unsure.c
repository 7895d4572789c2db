//  test_dynamo_unsure - a write that ends between its rows and its profile: who loads the viewer afterwards is told its rows

#include "dynamo_bench.h"
#include "dynamo_unsure.h"
#include "memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST "2026-11-23T06:45:20.549Z"
#define SECOND "2026-11-23T06:45:21.549Z"

static const char *
notes_path (const dynamo_bench_t *self)
{
    static char path [128];
    snprintf (path, sizeof path, "%s/store.db.unsure", self->bench.directory);
    return path;
}

static off_t
notes_size (const dynamo_bench_t *self)
{
    struct stat status;
    assert_int_equal (stat (notes_path (self), &status), 0);
    return status.st_size;
}

static void
restart (dynamo_bench_t *self)
{
    bench_restart (&self->bench);
    dynamo_connect (self);
}

//  Both processes die once the rows are on their way.
static void
end_between (dynamo_bench_t *self, const char *viewer, uint64_t epoch)
{
    const usher_msg_t rows [] = { bench_history (viewer, FIRST), bench_history (viewer, SECOND) };
    const usher_msg_t write = bench_write (viewer, 0, 0, epoch, 1);
    const uint64_t before = fake_dynamo_requests (self->dynamo, "BatchWriteItem");
    bench_tell (&self->bench, &rows [0]);
    bench_tell (&self->bench, &rows [1]);
    bench_tell (&self->bench, &write);
    for (int turn = 0; turn < DYNAMO_TURNS_MAX; turn++) {
        if (fake_dynamo_requests (self->dynamo, "BatchWriteItem") > before)
            break;
        bench_turn (&self->bench);
    }
    assert_int_equal (fake_dynamo_requests (self->dynamo, "BatchWriteItem"), before + 1);
    restart (self);
    assert_null (fake_dynamo_profile (self->dynamo, viewer));
}

static void
assert_taken_back (usher_str_t rows, const char *viewer, const char *const *keys, size_t count)
{
    usher_frame_t frame;
    usher_msg_t row;
    usher_records_open (&frame, rows.data, rows.size);
    for (size_t at = 0; at < count; at++) {
        assert_int_equal (usher_decode (&frame, &row), USHER_OK);
        assert_int_equal (row.id, USHER_MSG_history);
        assert_true (usher_str_eq (row.history.viewer_id, usher_str (viewer)));
        assert_true (usher_str_eq (row.history.key_tstamp, usher_str (keys [at])));
        assert_int_equal (row.history.remove, 1);
    }
    assert_int_equal (usher_decode (&frame, &row), USHER_END);
}

static void
test_who_loads_is_told_the_rows (void **state)
{
    static const char *const keys [] = { FIRST, SECOND };
    dynamo_bench_t *self = *state;
    end_between (self, "alice", 5);
    assert_taken_back (dynamo_load_one (self, "alice").loaded.unsure, "alice", keys, 2);
    assert_int_equal (dynamo_load_one (self, "bob").loaded.unsure.size, 0);
    //  As long as nobody has written the profile; whoever dies.
    restart (self);
    assert_taken_back (dynamo_load_one (self, "alice").loaded.unsure, "alice", keys, 2);
    usher_msg_t next = bench_write ("alice", 0, 0, 6, 1);
    assert_int_equal (dynamo_write_one (self, &next), USHER_outcome_done);
    assert_int_equal (dynamo_load_one (self, "alice").loaded.unsure.size, 0);
    restart (self);
    assert_int_equal (dynamo_load_one (self, "alice").loaded.unsure.size, 0);
}

static void
test_a_write_that_ended_leaves_nothing (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t row = bench_history ("alice", FIRST), write = bench_write ("alice", 0, 0, 5, 1);
    bench_tell (&self->bench, &row);
    assert_int_equal (dynamo_write_one (self, &write), USHER_outcome_done);
    bench_turn (&self->bench);
    assert_int_equal (notes_size (self), 0);
    restart (self);
    assert_int_equal (dynamo_load_one (self, "alice").loaded.unsure.size, 0);
}

//  Its writer reads the row and writes again, or dies; in between nobody knows.
static void
test_a_refused_write_may_have_left_rows (void **state)
{
    static const char *const keys [] = { FIRST };
    dynamo_bench_t *self = *state;
    usher_msg_t there = bench_write ("alice", 0, 0, 5, 1), stale = bench_write ("alice", 3, 7, 6, 1);
    usher_msg_t row = bench_history ("alice", FIRST);
    assert_int_equal (dynamo_write_one (self, &there), USHER_outcome_done);
    bench_tell (&self->bench, &row);
    assert_int_equal (dynamo_write_one (self, &stale), USHER_outcome_refused);
    assert_taken_back (dynamo_load_one (self, "alice").loaded.unsure, "alice", keys, 1);
    restart (self);
    assert_taken_back (dynamo_load_one (self, "alice").loaded.unsure, "alice", keys, 1);
}

static bool
file_names (const dynamo_bench_t *self, const char *viewer)
{
    char bytes [4096];
    int file = open (notes_path (self), O_RDONLY);
    ssize_t size = read (file, bytes, sizeof bytes);
    close (file);
    return size > 0 && memmem (bytes, (size_t)size, viewer, strlen (viewer));
}

static void
test_the_file_forgets_who_is_erased (void **state)
{
    dynamo_bench_t *self = *state;
    end_between (self, "alice", 5);
    end_between (self, "bob", 5);
    assert_true (file_names (self, "alice"));
    usher_msg_t erase = { .id = USHER_MSG_erase, .erase = { 5, usher_str ("alice") } };
    bench_tell (&self->bench, &erase);
    bench_turn (&self->bench);
    usher_msg_t forgotten = { .id = USHER_MSG_forgotten,
                              .forgotten = { .viewer_id = usher_str ("alice"),
                                             .erased_ms = (uint64_t)self->bench.now.wall_ms,
                                             .wished_ms = (uint64_t)self->bench.now.wall_ms } };
    bench_tell (&self->bench, &forgotten);
    dynamo_run (self, 1);
    assert_int_equal (bench_answer (&self->bench, USHER_MSG_erasure).erasure.erased_ms,
                      forgotten.forgotten.erased_ms);
    assert_false (file_names (self, "alice"));
    assert_true (file_names (self, "bob"));
}

static void
test_the_file_forgets_what_has_expired (void **state)
{
    dynamo_bench_t *self = *state;
    end_between (self, "alice", 5);
    bench_turn (&self->bench);
    assert_true (file_names (self, "alice"));
    self->bench.now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    bench_turn (&self->bench);
    assert_false (file_names (self, "alice"));
    assert_int_equal (dynamo_load_one (self, "alice").loaded.unsure.size, 0);
}

//  Notes of writes that ended are dropped now and then, those of others never.
static void
test_the_file_stays_small (void **state)
{
    enum { WRITES = 20000, VIEWERS = 100 };
    static const char *const keys [] = { FIRST, SECOND };
    dynamo_bench_t *self = *state;
    off_t most = 0;
    end_between (self, "alice", 5);
    for (uint64_t number = 0; number < WRITES; number++) {
        char viewer [160];
        snprintf (viewer, sizeof viewer, "%0100d", (int)(number % VIEWERS));
        uint64_t version = number / VIEWERS;
        usher_msg_t row = bench_history (viewer, FIRST);
        usher_msg_t write = bench_write (viewer, version ? 6 : 0, version, 6, version + 1);
        bench_tell (&self->bench, &row);
        bench_tell (&self->bench, &write);
        if (number % VIEWERS < VIEWERS - 1)
            continue;
        dynamo_run (self, VIEWERS);
        most = notes_size (self) > most ? notes_size (self) : most;
    }
    assert_in_range (most, 512 * 1024, 1100 * 1024);
    restart (self);
    assert_taken_back (dynamo_load_one (self, "alice").loaded.unsure, "alice", keys, 2);
}

//  ---- by itself

static void
note (buffer_t *notes, const char *viewer, uint64_t epoch, uint64_t version, const char *key)
{
    const usher_msg_t write = bench_write (viewer, 0, 0, epoch, version), row = bench_history (viewer, key);
    unsure_note (notes, &write.write, &row.history);
}

static void
test_of_a_viewer_the_newest_write_counts (void **state)
{
    static const char *const keys [] = { SECOND };
    unsure_t unsure = { 0 };
    buffer_t notes = { 0 }, rows = { 0 };
    (void)state;
    note (&notes, "alice", 5, 1, FIRST);
    note (&notes, "alice", 5, 2, SECOND);
    note (&notes, "alice", 4, 9, FIRST);
    unsure_recall (&unsure, notes.data, notes.size);
    assert_true (unsure_rows (&unsure, usher_str ("alice"), 5, 1, &rows));
    assert_taken_back (usher_bytes (rows.data, rows.size), "alice", keys, 1);
    assert_false (unsure_rows (&unsure, usher_str ("bob"), 0, 0, &rows));
    assert_false (unsure_rows (&unsure, usher_str ("alice"), 5, 2, &rows));
    assert_false (unsure_rows (&unsure, usher_str ("alice"), 0, 0, &rows));    //  it was settled
    unsure_close (&unsure);
    buffer_free (&notes);
    buffer_free (&rows);
}

static void
test_notes_that_are_cut_short_are_read_so_far (void **state)
{
    buffer_t notes = { 0 }, rows = { 0 };
    (void)state;
    note (&notes, "alice", 5, 1, FIRST);
    const size_t whole = notes.size;
    note (&notes, "bob", 5, 1, FIRST);
    for (size_t size = whole; size < notes.size; size++) {
        unsure_t unsure = { 0 };
        //  A copy of just that size, so that a reader that goes beyond is seen.
        char *copy = malloc (size);
        memcpy (copy, notes.data, size);
        unsure_recall (&unsure, copy, size);
        assert_true (unsure_rows (&unsure, usher_str ("alice"), 0, 0, &rows));
        assert_false (unsure_rows (&unsure, usher_str ("bob"), 0, 0, &rows));
        unsure_close (&unsure);
        free (copy);
    }
    buffer_free (&notes);
    buffer_free (&rows);
}

static void
test_the_oldest_beyond_the_bound_go (void **state)
{
    unsure_t unsure = { 0 };
    buffer_t notes = { 0 }, rows = { 0 };
    char viewer [32];
    (void)state;
    for (int number = 0; number <= UNSURE_VIEWERS_MAX; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        note (&notes, viewer, 5, 1, FIRST);
    }
    unsure_recall (&unsure, notes.data, notes.size);
    assert_int_equal (unsure.viewers.count, UNSURE_VIEWERS_MAX);
    assert_false (unsure_rows (&unsure, usher_str ("viewer-0"), 0, 0, &rows));
    assert_true (unsure_rows (&unsure, usher_str ("viewer-1"), 0, 0, &rows));
    assert_true (unsure_rows (&unsure, usher_str (viewer), 0, 0, &rows));
    unsure_close (&unsure);
    buffer_free (&notes);
    buffer_free (&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, dynamo_setup, dynamo_teardown)

int
main (void)
{
    const struct CMUnitTest tests [] = {
        TEST (test_who_loads_is_told_the_rows),
        TEST (test_a_write_that_ended_leaves_nothing),
        TEST (test_a_refused_write_may_have_left_rows),
        TEST (test_the_file_forgets_who_is_erased),
        TEST (test_the_file_forgets_what_has_expired),
        TEST (test_the_file_stays_small),
        cmocka_unit_test (test_of_a_viewer_the_newest_write_counts),
        cmocka_unit_test (test_notes_that_are_cut_short_are_read_so_far),
        cmocka_unit_test (test_the_oldest_beyond_the_bound_go),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
