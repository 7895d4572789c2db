//  test_chain - a viewer's history, whatever order its rows come, go and expire in, against a list that knows no chains

#include "persister_bench.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VIEWERS = 3, KEYS = 40, ROUNDS = 4000 };

//  What should be there: when the row with that key expires, 0 if there is none.
typedef struct {
    bench_t bench;
    uint64_t rows [VIEWERS][KEYS];
    uint64_t now_s;
    uint32_t random;
} world_t;

static const char *const viewer_ids [VIEWERS] = { "alice", "bob", "carol" };

static uint32_t
draw (world_t *self, uint32_t below)
{
    self->random = self->random * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(self->random >> 8) * below >> 24);
}

static void
expected_keys (const world_t *self, int viewer, char *text)
{
    *text = 0;
    for (int key = KEYS; key-- > 0;)
        if (self->rows [viewer][key] > self->now_s)
            text += sprintf (text, "k%02d ", key);
}

static void
compare (world_t *self)
{
    char expected [KEYS * 8];
    for (int viewer = 0; viewer < VIEWERS; viewer++) {
        expected_keys (self, viewer, expected);
        assert_string_equal (bench_history_keys (&self->bench, viewer_ids [viewer]), expected);
    }
}

//  Up to three rows and the profile, which is kept for as long as it takes.
static void
change (world_t *self)
{
    int viewer = (int)draw (self, VIEWERS);
    char key [8];
    const usher_msg_t loaded = bench_load (&self->bench, viewer_ids [viewer]);
    uint64_t epoch = loaded.loaded.epoch, version = loaded.loaded.version;
    usher_msg_t write = bench_write (viewer_ids [viewer], epoch, version, 1, version + 1);
    //  Whoever it names, only the viewer's own row is written.
    write.write.row = draw (self, 2) ? loaded.loaded.row : draw (self, VIEWERS + 2);
    write.write.expires_s = self->now_s + 1000;
    for (uint32_t count = draw (self, 4); count; count--) {
        int number = (int)draw (self, KEYS);
        sprintf (key, "k%02d", number);
        usher_msg_t row = bench_history (viewer_ids [viewer], key);
        row.history.expires_s = self->now_s + 1 + draw (self, 60);
        row.history.remove = draw (self, 4) == 0;
        self->rows [viewer][number] = row.history.remove ? 0 : row.history.expires_s;
        bench_tell (&self->bench, &row);
    }
    assert_int_equal (bench_outcome (&self->bench, &write), USHER_outcome_done);
}

static void
erase (world_t *self)
{
    int viewer = (int)draw (self, VIEWERS);
    store_t *store = persister_store (self->bench.persister);
    uint64_t profiles, rows;
    assert_true (store_begin (store));
    assert_true (store_erase (store, usher_str (viewer_ids [viewer]), &profiles, &rows));
    assert_true (store_commit (store));
    for (int key = 0; key < KEYS; key++) {
        assert_true (rows > 0 || self->rows [viewer][key] <= self->now_s);
        self->rows [viewer][key] = 0;
    }
}

static void
pass_time (world_t *self)
{
    self->now_s += draw (self, 20);
    self->bench.now.wall_ms = (int64_t)self->now_s * 1000;
    persister_service.tick (self->bench.persister, self->bench.now, self->bench.out);
}

//  Runs one statement by hand, as another program; returns the number that it gives, 0 if none.
static int
by_hand (const world_t *self, const char *sql)
{
    char path [128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf (path, sizeof path, "%s/store.db", self->bench.directory);
    assert_int_equal (sqlite3_open (path, &db), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), SQLITE_OK);
    int code = sqlite3_step (stmt), number = code == SQLITE_ROW ? sqlite3_column_int (stmt, 0) : 0;
    assert_true (code == SQLITE_ROW || code == SQLITE_DONE);
    sqlite3_finalize (stmt);
    sqlite3_close (db);
    return number;
}

static int
rows_on_disk (const world_t *self)
{
    return by_hand (self, "SELECT count (*) FROM video_events");
}

static void
open_world (world_t *self, uint32_t seed)
{
    *self = (world_t){ .now_s = BENCH_NOW_S, .random = seed };
    bench_open (&self->bench);
}

static void
test_any_order (void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 3; seed++) {
        world_t world;
        open_world (&world, seed);
        for (int round = 0; round < ROUNDS; round++) {
            uint32_t what = draw (&world, 100);
            if (what < 85)
                change (&world);
            else if (what < 97)
                pass_time (&world);
            else if (what < 99)
                bench_restart (&world.bench);
            else
                erase (&world);
            compare (&world);
        }
        bench_close (&world.bench);
    }
}

//  Not even where thousands that live longer were written before.
static void
test_nothing_that_has_expired_stays (void **state)
{
    (void)state;
    world_t world;
    char key [16];
    open_world (&world, 1);
    for (int number = 0; number < 1000; number++) {
        sprintf (key, "a%04d", number);
        bench_put_row (&world.bench, "alice", key, BENCH_EXPIRES_S + (number % 2 ? 1000 : 0));
    }
    world.bench.now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    for (int tick = 0; tick <= 1000 / 100; tick++)
        persister_service.tick (world.bench.persister, world.bench.now, world.bench.out);
    assert_int_equal (rows_on_disk (&world), 500);
    assert_int_equal (bench_history_rows (&world.bench, "alice"), 500);
    //  Nor what an expired profile leads to.
    world.bench.now.wall_ms = (BENCH_EXPIRES_S + 1000) * 1000LL;
    persister_service.tick (world.bench.persister, world.bench.now, world.bench.out);
    assert_int_equal (rows_on_disk (&world), 0);
    bench_close (&world.bench);
}

//  What expires at one instant goes in one tick, as it may have been written in one.
static void
test_the_sweep_keeps_up (void **state)
{
    (void)state;
    world_t world;
    char key [16];
    open_world (&world, 1);
    usher_msg_t write = bench_write ("alice", 0, 0, 1, 1);
    write.write.expires_s = BENCH_EXPIRES_S + 1000;
    for (int number = 0; number < 2000; number++) {
        sprintf (key, "a%04d", number);
        const usher_msg_t row = bench_history ("alice", key);
        bench_tell (&world.bench, &row);
    }
    assert_int_equal (bench_outcome (&world.bench, &write), USHER_outcome_done);
    assert_int_equal (rows_on_disk (&world), 2000);
    world.bench.now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    persister_service.tick (world.bench.persister, world.bench.now, world.bench.out);
    assert_int_equal (rows_on_disk (&world), 0);
    bench_close (&world.bench);
}

//  Rows that no profile leads to any more, as when somebody deleted it by hand.
static void
test_rows_without_a_profile_are_swept (void **state)
{
    (void)state;
    world_t world;
    char key [16];
    open_world (&world, 1);
    for (int number = 0; number < 4; number++) {
        sprintf (key, "k%d", number);
        bench_put_row (&world.bench, "alice", key, BENCH_EXPIRES_S + (number == 0 ? 1000 : 0));
    }
    by_hand (&world, "DELETE FROM viewer_profiles");
    world.bench.now.wall_ms = BENCH_EXPIRES_S * 1000LL;
    persister_service.tick (world.bench.persister, world.bench.now, world.bench.out);
    assert_int_equal (rows_on_disk (&world), 1);
    bench_close (&world.bench);
}

//  A question for the newest is answered by the newest, however many there are.
static void
test_the_limit_takes_the_newest (void **state)
{
    (void)state;
    world_t world;
    open_world (&world, 1);
    bench_put_row (&world.bench, "alice", "k3", BENCH_EXPIRES_S);
    bench_put_row (&world.bench, "alice", "k1", BENCH_EXPIRES_S);
    bench_put_row (&world.bench, "alice", "k2", BENCH_EXPIRES_S);
    usher_msg_t get = { .id = USHER_MSG_history_get,
                        .history_get = { .request = 1, .viewer_id = usher_str ("alice"), .limit = 2 } };
    bench_tell (&world.bench, &get);
    bench_turn (&world.bench);
    assert_true (usher_str_eq (bench_answer (&world.bench, USHER_MSG_history_row).history_row.key_tstamp,
                               usher_str ("k3")));
    assert_true (usher_str_eq (bench_answer (&world.bench, USHER_MSG_history_row).history_row.key_tstamp,
                               usher_str ("k2")));
    assert_int_equal (bench_answer (&world.bench, USHER_MSG_history_row).history_row.last, 1);
    bench_close (&world.bench);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_any_order),
                                         cmocka_unit_test (test_nothing_that_has_expired_stays),
                                         cmocka_unit_test (test_the_sweep_keeps_up),
                                         cmocka_unit_test (test_rows_without_a_profile_are_swept),
                                         cmocka_unit_test (test_the_limit_takes_the_newest) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
