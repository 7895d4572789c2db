//  test_dynamo - the persister on a DynamoDB in memory: conditions, rows, who is live, who is erased

#include "dynamo_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define assert_text(text, expected) assert_true (usher_str_eq (text, usher_str (expected)))

static void
test_write_replaces_only_what_it_names (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t first = bench_write ("alice", 0, 0, 5, 1), next = bench_write ("alice", 5, 1, 5, 2);
    usher_msg_t rival = bench_write ("alice", 0, 0, 6, 1), stale = bench_write ("alice", 5, 1, 4, 9);
    usher_msg_t nobody = bench_write ("bob", 5, 1, 5, 2);
    assert_int_equal (dynamo_write_one (self, &first), USHER_outcome_done);
    assert_int_equal (dynamo_write_one (self, &first), USHER_outcome_done);    //  the answer was lost
    assert_int_equal (dynamo_write_one (self, &rival), USHER_outcome_refused);
    assert_int_equal (dynamo_write_one (self, &next), USHER_outcome_done);
    assert_int_equal (dynamo_write_one (self, &next), USHER_outcome_done);
    assert_int_equal (dynamo_write_one (self, &stale), USHER_outcome_refused);
    assert_int_equal (dynamo_write_one (self, &nobody), USHER_outcome_refused);
    usher_msg_t loaded = dynamo_load_one (self, "alice");
    assert_int_equal (loaded.loaded.epoch, 5);
    assert_int_equal (loaded.loaded.version, 2);
    assert_text (loaded.loaded.profile, "a profile");
    assert_int_equal (dynamo_load_one (self, "bob").loaded.epoch, 0);
}

static void
test_an_expired_row_is_no_row (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t old = bench_write ("alice", 0, 0, 5, 1), anew = bench_write ("alice", 0, 0, 6, 1);
    assert_int_equal (dynamo_write_one (self, &old), USHER_outcome_done);
    self->bench.now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    assert_int_equal (dynamo_load_one (self, "alice").loaded.epoch, 0);
    anew.write.expires_s = BENCH_EXPIRES_S + 1000;
    assert_int_equal (dynamo_write_one (self, &anew), USHER_outcome_done);
    assert_int_equal (dynamo_load_one (self, "alice").loaded.epoch, 6);
}

static void
test_a_profile_of_any_bytes_comes_back (void **state)
{
    dynamo_bench_t *self = *state;
    static char bytes [262144];
    for (size_t size = 0; size <= sizeof bytes; size = size < 6 ? size + 1 : size < 257 ? 257 : size * 1020) {
        char viewer [32];
        for (size_t at = 0; at < size; at++)
            bytes [at] = (char)(at * 7 + size);
        snprintf (viewer, sizeof viewer, "viewer of %zu", size);
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        write.write.profile = usher_bytes (bytes, size);
        assert_int_equal (dynamo_write_one (self, &write), USHER_outcome_done);
        usher_msg_t loaded = dynamo_load_one (self, viewer);
        assert_int_equal (loaded.loaded.profile.size, size);
        assert_memory_equal (loaded.loaded.profile.data, bytes, size);
    }
}

//  ---- history

static void
test_rows_have_the_reference_s_types (void **state)
{
    dynamo_bench_t *self = *state;
    static const struct {
        const char *ad_id;
        double video_s;
        const char *told;
    } cases [] = {
        { "288", 12.5, "|288|12.5|" },    { "ad-1", 0, "|ad-1|0|" },
        { "007", 1e300, "|007|(null)|" }, { "", NAN, "|0|(null)|" },
        { "-5", 1e-300, "|-5|0|" },       { "2147483648", INFINITY, "|2147483648|(null)|" },
    };
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char viewer [16];
        snprintf (viewer, sizeof viewer, "v%zu", at);
        usher_msg_t row = bench_history (viewer, "2026-11-23T06:45:20.549Z");
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        row.history.ad_id = usher_str (cases [at].ad_id);
        row.history.video_s = cases [at].video_s;
        bench_tell (&self->bench, &row);
        assert_int_equal (dynamo_write_one (self, &write), USHER_outcome_done);
        char *rows = fake_dynamo_rows (self->dynamo);
        char *mine = strstr (rows, viewer);
        assert_non_null (mine);
        mine [strcspn (mine, "\n")] = 0;
        if (!strstr (mine, cases [at].told))
            fail_msg ("%s has no %s", mine, cases [at].told);
        free (rows);
    }
}

static void
test_the_last_row_of_a_key_counts (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t row = bench_history ("alice", "2026-11-23T06:45:20.549Z"), again = row, gone = row;
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1), next = bench_write ("alice", 2, 1, 2, 2);
    again.history.event_id = usher_str ("e2");
    gone.history.remove = 1;
    bench_tell (&self->bench, &row);
    bench_tell (&self->bench, &again);
    dynamo_write_one (self, &write);
    char *rows = fake_dynamo_rows (self->dynamo);
    assert_string_equal (rows, "alice|2026-11-23T06:45:20.549Z|WATCHING_AD|1|2|288|12.5|e2\n");
    free (rows);
    bench_tell (&self->bench, &row);
    bench_tell (&self->bench, &gone);
    dynamo_write_one (self, &next);
    rows = fake_dynamo_rows (self->dynamo);
    assert_string_equal (rows, "");
    free (rows);
}

static void
test_history_reads_newest_first_over_pages (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1);
    char key [32];
    for (int second = 0; second < 7; second++) {
        snprintf (key, sizeof key, "2026-11-23T06:45:2%d.549Z", second);
        usher_msg_t row = bench_history ("alice", key);
        bench_tell (&self->bench, &row);
    }
    dynamo_write_one (self, &write);
    usher_msg_t get = { .id = USHER_MSG_history_get,
                        .history_get = { .request = 77, .viewer_id = usher_str ("alice"), .limit = 5 } };
    bench_tell (&self->bench, &get);
    dynamo_run (self, 6);
    for (int second = 6; second > 1; second--) {
        usher_msg_t row = bench_answer (&self->bench, USHER_MSG_history_row);
        snprintf (key, sizeof key, "2026-11-23T06:45:2%d.549Z", second);
        assert_text (row.history_row.key_tstamp, key);
        assert_text (row.history_row.ad_id, "288");
        assert_text (row.history_row.event_name, "ad_break_start_event");
        assert_true (row.history_row.video_s == 12.5);
        assert_int_equal (row.history_row.request, 77);
    }
    assert_int_equal (bench_answer (&self->bench, USHER_MSG_history_row).history_row.last, 1);
    bench_no_answer (&self->bench);
}

static void
test_nobody_s_history_is_empty (void **state)
{
    dynamo_bench_t *self = *state;
    usher_msg_t get = { .id = USHER_MSG_history_get, .history_get = { .request = 7, .limit = 5 } };
    bench_tell (&self->bench, &get);
    dynamo_run (self, 1);
    assert_int_equal (bench_answer (&self->bench, USHER_MSG_history_row).history_row.last, 1);
    assert_int_equal (fake_dynamo_requests (self->dynamo, "Query"), 0);
}

//  ---- trouble

//  Reads pages of load_live for shard 1 until the last. Returns how many viewers came.
static int
load_live (dynamo_bench_t *self, const char *owners)
{
    char after [64] = "";
    int got = 0;
    for (bool last = false; !last;) {
        usher_msg_t load = { .id = USHER_MSG_load_live,
                             .load_live = { .owners = usher_bytes (owners, USHER_SLOTS),
                                            .shard = 1,
                                            .after = usher_str (after) } };
        usher_msg_t msg = { 0 };
        uint32_t peer;
        bench_tell (&self->bench, &load);
        parcel_empty (&self->bench.answers);
        for (int turn = 0; turn < DYNAMO_TURNS_MAX && msg.id != USHER_MSG_live_page; turn++) {
            persister_service.turn (self->bench.persister, self->bench.now, self->bench.out);
            outbox_flush (self->bench.out);
            for (size_t at = 0; parcel_next (&self->bench.answers, &at, &peer, &msg);)
                if (msg.id == USHER_MSG_live_page)
                    break;
        }
        self->bench.next = 0;
        while ((parcel_next (&self->bench.answers, &self->bench.next, &peer, &msg)) &&
               msg.id == USHER_MSG_loaded) {
            assert_int_equal (usher_slot (msg.loaded.viewer_id) % 2, 1);
            got++;
        }
        assert_int_equal (msg.id, USHER_MSG_live_page);
        snprintf (after, sizeof after, "%.*s", (int)msg.live_page.after.size, msg.live_page.after.data);
        last = msg.live_page.last;
    }
    return got;
}

static void
test_live_profiles_come_to_their_owner (void **state)
{
    enum { VIEWERS = 300 };
    dynamo_bench_t *self = *state;
    char owners [USHER_SLOTS], viewer [32];
    int expected = 0;
    for (int slot = 0; slot < USHER_SLOTS; slot++)
        owners [slot] = (char)(slot % 2);
    for (int number = 0; number < VIEWERS; number++) {
        snprintf (viewer, sizeof viewer, "viewer-%d", number);
        usher_msg_t write = bench_write (viewer, 0, 0, 1, 1);
        write.write.live = number % 5 != 0;
        expected += number % 5 != 0 && write.write.slot % 2 == 1;
        bench_tell (&self->bench, &write);
    }
    dynamo_run (self, VIEWERS);
    assert_int_equal (load_live (self, owners), expected);
    //  One leaves: the index may still have it, the row does not.
    usher_msg_t gone = bench_write ("viewer-1", 1, 1, 1, 2);
    gone.write.live = 0;
    assert_int_equal (dynamo_write_one (self, &gone), USHER_outcome_done);
    assert_null (json_object_get (fake_dynamo_profile (self->dynamo, "viewer-1"), "live_slot"));
    assert_int_equal (load_live (self, owners), expected - (usher_slot (usher_str ("viewer-1")) % 2 == 1));
}

//  ---- erasure

static void
test_an_erased_viewer_is_gone_from_both_tables (void **state)
{
    dynamo_bench_t *self = *state;
    char key [32];
    usher_msg_t write = bench_write ("alice", 0, 0, 2, 1), other = bench_write ("bob", 0, 0, 2, 1);
    usher_msg_t kept = bench_history ("bob", "2026-11-23T06:45:20.549Z");
    usher_msg_t erase = { .id = USHER_MSG_erase, .erase = { 5, usher_str ("alice") } };
    usher_msg_t forgotten = { .id = USHER_MSG_forgotten, .forgotten = { .viewer_id = usher_str ("alice") } };
    for (int second = 10; second < 60; second++) {
        snprintf (key, sizeof key, "2026-11-23T06:45:%d.549Z", second);
        usher_msg_t row = bench_history ("alice", key);
        bench_tell (&self->bench, &row);
    }
    dynamo_write_one (self, &write);
    bench_tell (&self->bench, &kept);
    dynamo_write_one (self, &other);
    fake_dynamo_trouble (self->dynamo, 50);
    bench_tell (&self->bench, &erase);
    dynamo_run (self, 1);
    assert_int_equal (bench_answer (&self->bench, USHER_MSG_erasure).erasure.erased_ms, 0);
    const uint64_t erased_ms = (uint64_t)self->bench.now.wall_ms;
    forgotten.forgotten.erased_ms = forgotten.forgotten.wished_ms = erased_ms;
    bench_tell (&self->bench, &forgotten);
    dynamo_run (self, 1);
    usher_msg_t done = bench_answer (&self->bench, USHER_MSG_erasure);
    assert_int_equal (done.erasure.erased_ms, erased_ms);
    char *rows = fake_dynamo_rows (self->dynamo);
    assert_string_equal (rows, "bob|2026-11-23T06:45:20.549Z|WATCHING_AD|1|2|288|12.5|e1\n");
    free (rows);
    assert_null (fake_dynamo_profile (self->dynamo, "alice"));
    //  Whoever missed it is refused; whoever loads is told.
    usher_msg_t late = bench_write ("alice", 2, 1, 2, 2), anew = bench_write ("alice", 0, 0, 2, 1);
    assert_int_equal (dynamo_write_one (self, &late), USHER_outcome_refused);
    assert_int_equal (dynamo_load_one (self, "alice").loaded.erased_ms, erased_ms);
    anew.write.erased_ms = erased_ms;
    assert_int_equal (dynamo_write_one (self, &anew), USHER_outcome_done);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
#define TEST(name) cmocka_unit_test_setup_teardown (name, dynamo_setup, dynamo_teardown)
        TEST (test_write_replaces_only_what_it_names),
        TEST (test_an_expired_row_is_no_row),
        TEST (test_a_profile_of_any_bytes_comes_back),
        TEST (test_rows_have_the_reference_s_types),
        TEST (test_the_last_row_of_a_key_counts),
        TEST (test_history_reads_newest_first_over_pages),
        TEST (test_nobody_s_history_is_empty),
        TEST (test_live_profiles_come_to_their_owner),
        TEST (test_an_erased_viewer_is_gone_from_both_tables),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
