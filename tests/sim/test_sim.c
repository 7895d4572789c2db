//  test_sim - crashes at any step, any order, duplicates: what the store and the feed say in the end is what a naive
//  reading of the log says
//
//  With erasures the log arrives in its own time, so that some of it is older than an erasure and some newer: what was
//  collected up to the instant that was answered is nowhere, what was collected later is all there.
//
//  Usage: test_sim [FIRST_SEED]. A failure prints its seed.

#include "chance.h"
#include "world.h"
#include "ingester.h"
#include "memory.h"
#include "persister.h"
#include "publisher.h"
#include "tally.h"
#include "shard_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sqlite3.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { VIEWERS = 6, EVENTS_MIN = 8, EVENTS_MAX = 40, STEPS_MAX = 400000, ROWS_ROOM = 1024, CASES = 60 };

//  For a store that is gone. A frame is some events, and as many viewers who may have to be loaded for it.
enum {
    UNWRITTEN_BYTES = 12 * 1024,
    IN_FLIGHT_BYTES = 3000,
    FRAME_BYTES = 20 * 500 + 3 * 4096,
    OUTAGE_STEPS = 10000
};

static const int64_t START_MS = 1790000000000;

//  Later than all events: the log is there from the start, and no clamp touches it.
static const int64_t LATER_MS = 1800000000000;

//  One event as the log means it.
typedef struct {
    int viewer;
    int64_t at_ms;
    int name;    //  index into names
    int clicked, skipped;
    double video_s;
    char id [64];
} told_t;

static const char *const names [] = { "play", "pause", "ping", "end", "ad_break_start", "ad_break_end" };
enum { PLAY, PAUSE, PING, END, BREAK_START, BREAK_END, NAMES };

//  Of events at one instant: what opens first, pause before play, end last (02-profile).
static const int ranks [] = { 3, -1, 0, 6, -3, 5 };

typedef struct {
    uint64_t random;
    size_t told_count, row_count, bad_count;
    told_t told [VIEWERS * EVENTS_MAX];
    world_row_t rows [ROWS_ROOM];
} log_t;

static uint64_t
pick (log_t *log, uint64_t below)
{
    return chance_pick (&log->random, below);
}

//  ---- the log

static void
iso (int64_t at_ms, char *text, size_t size)
{
    time_t seconds = at_ms / 1000;
    struct tm parts;
    gmtime_r (&seconds, &parts);
    size_t used = strftime (text, size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf (text + used, size - used, ".%03dZ", (int)(at_ms % 1000));
}

static void
row_add (log_t *log, const char *text, int64_t from_ms)
{
    log->rows [log->row_count++] = (world_row_t){ memory_copy (text, strlen (text)), strlen (text), from_ms };
}

static void
row_tell (log_t *log, const told_t *told, int64_t from_ms)
{
    char when [40], text [512];
    iso (told->at_ms, when, sizeof when);
    snprintf (text, sizeof text,
              "{\"collector_tstamp\":\"%s\",\"event_id\":\"%s\",\"event_name\":\"%s_event\",\"viewer_id\":"
              "\"viewer-%d\","
              "\"adsClicked\":%d,\"adsSkipped\":%d,\"adId\":\"ad-%d\",\"video_ts\":%g}",
              when, told->id, names [told->name], told->viewer, told->clicked, told->skipped, told->viewer,
              told->video_s);
    row_add (log, text, from_ms);
}

static void
viewer_tell (log_t *log, int viewer)
{
    told_t told = { .viewer = viewer, .at_ms = START_MS + (int64_t)pick (log, 60000) };
    int count = EVENTS_MIN + (int)pick (log, EVENTS_MAX - EVENTS_MIN);
    for (int event = 0; event < count; event++) {
        told.name = (int)pick (log, NAMES);
        told.clicked += pick (log, 10) == 0;
        told.skipped += pick (log, 10) == 0;
        told.video_s = (double)pick (log, 1000);
        snprintf (told.id, sizeof told.id, "%08x-0000-4000-8000-%04d%08d", (unsigned)pick (log, 1u << 30),
                  viewer, event);
        log->told [log->told_count++] = told;
        //  Some share an instant.
        told.at_ms += pick (log, 6) ? (int64_t)pick (log, 5000) : 0;
    }
}

static int
row_order (const void *left, const void *right)
{
    const world_row_t *a = left, *b = right;
    return (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

static void
rows_shuffle (log_t *log)
{
    for (size_t at = log->row_count; at-- > 1;) {
        size_t other = pick (log, at + 1);
        world_row_t row = log->rows [at];
        log->rows [at] = log->rows [other];
        log->rows [other] = row;
    }
}

//  timed: a row is there some time after its event, a duplicate long after it; else all are from the start, in any order.
static void
log_make (log_t *log, uint64_t seed, bool timed)
{
    static const char *const bad [] = {
        "{\"collector_tstamp\":", "no json at all",
        "{\"viewer_id\":\"PoC user\","
        "\"collector_tstamp\":\"2026-01-01T00:00:00Z\",\"event_id\":\"x\",\"event_name\":\"ping_event\"}"
    };
    *log = (log_t){ .random = seed };
    for (int viewer = 0; viewer < VIEWERS; viewer++)
        viewer_tell (log, viewer);
    for (size_t at = 0; at < log->told_count; at++) {
        const told_t *told = &log->told [at];
        row_tell (log, told, timed ? told->at_ms + (int64_t)pick (log, 3000) : 0);
        if (pick (log, timed ? 3 : 8) == 0)
            row_tell (log, told, timed ? told->at_ms + (int64_t)pick (log, 60000) : 0);
    }
    for (log->bad_count = 0; log->bad_count < 5; log->bad_count++)
        row_add (log, bad [pick (log, 3)], timed ? START_MS + (int64_t)pick (log, 60000) : 0);
    if (timed)
        qsort (log->rows, log->row_count, sizeof *log->rows, row_order);
    else
        rows_shuffle (log);
}

//  ---- the naive reading

static int
told_order (const void *left, const void *right)
{
    const told_t *a = left, *b = right;
    if (a->viewer != b->viewer)
        return a->viewer - b->viewer;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (ranks [a->name] != ranks [b->name])
        return ranks [a->name] - ranks [b->name];
    return strcmp (a->id, b->id);
}

//  The reference's four statuses, with what it does wrong put right (02-profile, states).
static const char *
next_status (const char *status, int name, bool *ended_before)
{
    bool ad = strcmp (status, "WATCHING_AD") == 0;
    if (name == END)
        return "COMPLETED_VIDEO";
    if (name == BREAK_START) {
        if (!ad)
            *ended_before = strcmp (status, "COMPLETED_VIDEO") == 0;
        return "WATCHING_AD";
    }
    if (ad)
        return name != BREAK_END ? status : *ended_before ? "COMPLETED_VIDEO" : "WATCHING_VIDEO";
    if (name == PLAY)
        return "WATCHING_VIDEO";
    if (name == PAUSE && strcmp (status, "WATCHING_VIDEO") == 0)
        return "PAUSED_VIDEO";
    return status;
}

//  Writes the rows that the table should hold, and the status that each viewer should end in; NULL where everything
//  was erased. erased_ms: for each viewer.
static char *
expected_rows (log_t *log, const uint64_t *erased_ms, const char **last_status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    qsort (log->told, log->told_count, sizeof *log->told, told_order);
    const char *status = NULL;
    bool ended_before = false;
    int viewer = -1, clicked = 0, skipped = 0;
    int64_t taken_ms = 0;
    for (size_t at = 0; at < log->told_count; at++) {
        const told_t *told = &log->told [at];
        if ((uint64_t)told->at_ms <= erased_ms [told->viewer])
            continue;
        if (told->viewer != viewer) {
            viewer = told->viewer;
            status = NULL;
            clicked = skipped = 0;
            taken_ms = 0;
        }
        const char *next = next_status (status ? status : "WATCHING_VIDEO", told->name, &ended_before);
        clicked = told->clicked > clicked ? told->clicked : clicked;
        skipped = told->skipped > skipped ? told->skipped : skipped;
        if (!status || strcmp (next, status) != 0) {
            char when [40];
            iso (told->at_ms, when, sizeof when);
            bool taken = taken_ms == told->at_ms;
            fprintf (out, "viewer-%d|%s%s%s|%s|%d|%d|ad-%d|%g|%s\n", viewer, when, taken ? "#" : "",
                     taken ? told->id : "", next, clicked, skipped, viewer, told->video_s, told->id);
            taken_ms = told->at_ms;
        }
        last_status [viewer] = status = next;
    }
    fclose (out);
    return text;
}

//  ---- what is there

static char *
query (const char *directory, const char *sql)
{
    char path [256], *text = NULL;
    size_t size = 0;
    sqlite3 *db;
    sqlite3_stmt *rows;
    snprintf (path, sizeof path, "%s/store.db", directory);
    assert_int_equal (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, sql, -1, &rows, NULL), SQLITE_OK);
    FILE *out = open_memstream (&text, &size);
    while (sqlite3_step (rows) == SQLITE_ROW)
        fprintf (out, "%s\n", sqlite3_column_text (rows, 0));
    fclose (out);
    sqlite3_finalize (rows);
    sqlite3_close (db);
    return text;
}

//  Sorted lines: several rows of one instant have keys whose order says nothing.
static int
line_order (const void *a, const void *b)
{
    return strcmp (*(char *const *)a, *(char *const *)b);
}

static void
lines_sort (char *text)
{
    char *lines [ROWS_ROOM], *copy = memory_copy (text, strlen (text)), *rest = copy, *line;
    size_t count = 0;
    while ((line = strtok_r (rest, "\n", &rest)))
        lines [count++] = line;
    qsort (lines, count, sizeof *lines, line_order);
    char *end = text;
    for (size_t at = 0; at < count; at++)
        end += sprintf (end, "%s\n", lines [at]);
    free (copy);
}

//  Shows the first line that differs: the whole table is too much to read.
static void
lines_compare (const char *found, const char *expected)
{
    while (*found || *expected) {
        size_t found_size = strcspn (found, "\n"), expected_size = strcspn (expected, "\n");
        if (found_size != expected_size || memcmp (found, expected, found_size) != 0)
            fail_msg ("found    %.*s\nexpected %.*s", (int)found_size, found, (int)expected_size, expected);
        found += found_size + 1;
        expected += expected_size + 1;
    }
}

static void
check_rows (const world_t *world, const char *directory, char *expected)
{
    char *rows =
        world_dynamo (world)
            ? fake_dynamo_rows (world_dynamo (world))
            : query (directory,
                     "SELECT printf ('%s|%s|%s|%d|%d|%s|%g|%s', viewer_id, collector_tstamp, status, "
                     "adsClicked, adsSkipped, adId, video_ts, event_id) FROM video_events");
    lines_sort (rows);
    lines_sort (expected);
    lines_compare (rows, expected);
    free (rows);
}

static void
check_quarantine (const log_t *log, const char *directory)
{
    char *count = query (directory, "SELECT count (*) FROM quarantine");
    assert_int_equal (strtoul (count, NULL, 10), log->bad_count);
    free (count);
}

//  Every viewer's status in the publisher's cache is the last one of the naive reading.
static void
check_feed (const world_t *world, const char *const *last_status)
{
    const last_value_t *sessions = publisher_sessions (world_state (world, WORLD_PUBLISHER));
    for (int viewer = 0; viewer < VIEWERS; viewer++) {
        char id [32];
        snprintf (id, sizeof id, "viewer-%d", viewer);
        uint32_t slot = usher_slot (usher_str (id));
        size_t place = last_value_find (sessions, slot, usher_str (id), usher_str (""));
        assert_int_equal (place != LAST_VALUE_NONE, last_status [viewer] != NULL);
        if (place == LAST_VALUE_NONE)
            continue;
        usher_session_t session;
        last_value_decode (last_value_at (sessions, slot, place), slot, &session);
        char lower [32];
        size_t length = strlen (last_status [viewer]);
        for (size_t at = 0; at <= length; at++)
            lower [at] =
                (char)(last_status [viewer][at] |
                       (last_status [viewer][at] >= 'A' && last_status [viewer][at] <= 'Z' ? 32 : 0));
        assert_string_equal (usher_status_names [session.status], lower);
        assert_false (session.flags & USHER_PARTIAL);
    }
}

//  What the kept seconds, or minutes, come to.
static tally_t
spans_sum (const char *directory, int step)
{
    char path [256];
    sqlite3 *db;
    sqlite3_stmt *rows;
    tally_t sum = { 0 };
    snprintf (path, sizeof path, "%s/store.db", directory);
    assert_int_equal (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, "SELECT body FROM spans WHERE step = ?1", -1, &rows, NULL),
                      SQLITE_OK);
    sqlite3_bind_int (rows, 1, step);
    while (sqlite3_step (rows) == SQLITE_ROW) {
        usher_frame_t frame;
        usher_msg_t msg;
        usher_records_open (&frame, sqlite3_column_blob (rows, 0), (size_t)sqlite3_column_bytes (rows, 0));
        assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
        assert_true (tally_merge (&sum, &msg.aggregate));
    }
    sqlite3_finalize (rows);
    sqlite3_close (db);
    return sum;
}

//  Without deaths the series count every ad action once. Where publisher and store die they may lack some, in gaps, and count none
//  twice. A shard that dies may tell the publisher again what it had told it before the store knew.
static void
check_series (const world_t *world, const char *directory, bool exact)
{
    const last_value_t *sessions = publisher_sessions (world_state (world, WORLD_PUBLISHER));
    usher_aggregate_t all = { 0 };
    for (uint32_t slot = 0; slot < USHER_SLOTS; slot++)
        for (size_t at = 0; at < last_value_places (sessions, slot); at++) {
            usher_session_t session;
            if (!last_value_at (sessions, slot, at))
                continue;
            last_value_decode (last_value_at (sessions, slot, at), slot, &session);
            all.ad_breaks += session.ad_breaks;
            all.ads_skipped += session.ads_skipped;
            all.ads_clicked += session.ads_clicked;
        }
    for (int step = 1; step <= 60; step += 59) {
        tally_t sum = spans_sum (directory, step);
        assert_true (sum.sum.seconds > 0);
        const uint64_t pairs [][2] = { { sum.sum.ad_breaks, all.ad_breaks },
                                       { sum.sum.ads_skipped, all.ads_skipped },
                                       { sum.sum.ads_clicked, all.ads_clicked } };
        for (size_t at = 0; at < 3; at++)
            if (exact)
                assert_int_equal (pairs [at][0], pairs [at][1]);
            else
                assert_true ((int64_t)pairs [at][0] <= (int64_t)pairs [at][1]);
    }
}

//  Without deaths every event is counted once, in one place.
static void
check_conservation (const world_t *world)
{
    const ingester_counters_t *in = ingester_counters (world_state (world, WORLD_INGESTER));
    uint64_t settled = in->passed_by + in->quarantined;
    for (world_process_t which = WORLD_SHARD_0; which <= WORLD_SHARD_1; which++) {
        const shard_counters_t *shard = shard_counters (world_state (world, which));
        settled += shard->applied + shard->duplicate + shard->late + shard->erased + shard->held;
    }
    assert_int_equal (settled, in->read);
}

static void
directory_remove (const char *directory)
{
    static const char *const files [] = { "store.db", "store.db-wal", "store.db-shm", "store.db.lock",
                                          "store.db.unsure" };
    char path [256];
    for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
        snprintf (path, sizeof path, "%s/%s", directory, files [at]);
        unlink (path);
    }
    rmdir (directory);
}

//  Some viewers are to be erased, one after the other, somebody perhaps twice.
typedef struct {
    int left, at_step;
    int viewer;    //  whose turn it is; -1 nobody's
    uint64_t answered_ms [VIEWERS];
} erasures_t;

static void
erase_some (world_t *world, log_t *log, erasures_t *erasures, int step)
{
    char id [32];
    if (erasures->viewer >= 0 && world_erased_ms (world)) {
        erasures->answered_ms [erasures->viewer] = world_erased_ms (world);
        erasures->viewer = -1;
        erasures->at_step = step + (int)pick (log, 8000);
    }
    if (erasures->viewer >= 0 || !erasures->left || step < erasures->at_step)
        return;
    erasures->left--;
    erasures->viewer = (int)pick (log, 3);
    snprintf (id, sizeof id, "viewer-%d", erasures->viewer);
    world_erase (world, id);
}

//  The tombstones say what the answers said.
static void
check_tombstones (const world_t *world, const erasures_t *erasures)
{
    tombstones_t *tombstones = store_tombstones (persister_store (world_state (world, WORLD_PERSISTER)));
    for (int viewer = 0; viewer < VIEWERS; viewer++) {
        char id [32];
        uint64_t erased_ms;
        snprintf (id, sizeof id, "viewer-%d", viewer);
        assert_true (tombstones_find (tombstones, usher_str (id), START_MS / 1000, &erased_ms));
        assert_int_equal (erased_ms, erasures->answered_ms [viewer]);
    }
}

//  What waits for the store in a shard, counted actor by actor.
static size_t
unwritten_of (const shard_t *shard)
{
    size_t bytes = 0, cursor = 0;
    for (seat_t *seat; (seat = roll_next (shard->roll, &cursor));)
        if (!seat->asleep || seat->in_flight)
            bytes += shard_unwritten_of (roll_wake (shard->roll, seat));
    return bytes;
}

//  The count is exact, and the limit and one frame the most that there may be.
static void
check_unwritten (const world_t *world)
{
    for (world_process_t which = WORLD_SHARD_0; which <= WORLD_SHARD_1; which++) {
        const shard_t *shard = world_state (world, which);
        if (!shard)
            continue;
        assert_int_equal (shard->unwritten, unwritten_of (shard));
        assert_true (shard->unwritten <= UNWRITTEN_BYTES + FRAME_BYTES);
    }
}

//  No pause lasts, and nobody is shown as partial any more. Returns how often the sources had to pause.
static uint64_t
check_paused (const world_t *world)
{
    const shard_t *one = world_state (world, WORLD_SHARD_0), *other = world_state (world, WORLD_SHARD_1);
    assert_false (one->paused || other->paused);
    assert_int_equal (one->partials + other->partials, 0);
    return one->pauses + other->pauses;
}

//  The store is gone for long, right after the beginning and once more, with a limit that is reached at once.
static void
outage_step (world_t *world, int step)
{
    if (step == 1)
        world_be_small (world, UNWRITTEN_BYTES, IN_FLIGHT_BYTES);
    if (step == OUTAGE_STEPS / 10 || step == OUTAGE_STEPS * 2)
        world_lose_store (world, OUTAGE_STEPS / 20);
    check_unwritten (world);
}

//  Where nothing dies the publisher hears of everything as it happens, if it is there from the beginning: what happens before that it is
//  told as no news (decision 013).
static void
wait_for_publisher (world_t *world)
{
    bool full = false;
    world_hold (world, true);
    for (int steps = 0; !full && steps < STEPS_MAX; steps++) {
        world_step (world, 0);
        full = true;
        for (world_process_t which = WORLD_SHARD_0; which <= WORLD_SHARD_1; which++) {
            const shard_t *shard = world_state (world, which);
            full = full && shard && shard->publisher_full;
        }
    }
    assert_true (full);
    world_hold (world, false);
}

//  Returns how often the sources had to pause, as far as their shards have lived to tell.
static uint64_t
run_seed (uint64_t seed, unsigned mortals, int erase, bool dynamo, bool outage)
{
    log_t *log = memory_new (1, sizeof *log);
    const char *last_status [VIEWERS] = { NULL };
    erasures_t erasures = { .left = erase, .at_step = 1000, .viewer = -1 };
    char directory [] = "/dev/shm/usher-sim-XXXXXX";
    print_message ("seed %llu%s%s%s%s\n", (unsigned long long)seed, mortals ? ", deaths" : "",
                   erase ? ", erasures" : "", dynamo ? ", dynamodb" : "", outage ? ", store gone" : "");
    log_make (log, seed, erase > 0);
    assert_non_null (mkdtemp (directory));
    world_t *world =
        world_new (seed, log->rows, log->row_count, directory, erase ? START_MS : LATER_MS, dynamo);
    int steps = 0, quiet = 0;
    if (!mortals)
        wait_for_publisher (world);
    //  Deaths while there is work; then it must settle by itself. Quiet for a while, so that receipts have all come.
    while (quiet < 2000 && steps++ < STEPS_MAX) {
        erase_some (world, log, &erasures, steps);
        if (outage)
            outage_step (world, steps);
        world_step (world, steps < 30000 ? mortals : 0);
        bool done = world_is_still (world) && !erasures.left && erasures.viewer < 0;
        quiet = done && (!mortals || steps >= 30000) ? quiet + 1 : 0;
    }
    if (steps >= STEPS_MAX)
        print_error ("seed %llu does not settle\n", (unsigned long long)seed);
    assert_true (steps < STEPS_MAX);
    check_tombstones (world, &erasures);
    char *expected = expected_rows (log, erasures.answered_ms, last_status);
    check_feed (world, last_status);
    if (!mortals)
        check_conservation (world);
    uint64_t pauses = check_paused (world);
    //  Who was erased was counted, and is not in the feed any more.
    if (mortals <= WORLD_SHARD_0 && !erase)
        check_series (world, directory, !mortals);
    check_quarantine (log, directory);
    check_rows (world, directory, expected);
    world_destroy (&world);
    free (expected);
    for (size_t at = 0; at < log->row_count; at++)
        free (log->rows [at].data);
    free (log);
    directory_remove (directory);
    return pauses;
}

static uint64_t first_seed (void **state);

static void
test_in_peace (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES / 4; seed++)
        run_seed (seed, 0, 0, seed % 2, false);
}

static void
test_with_deaths_of_publisher_and_persister (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES / 4; seed++)
        run_seed (seed, WORLD_SHARD_0, 0, seed % 2, false);
}

static void
test_with_deaths (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES; seed++)
        run_seed (seed, WORLD_PROCESSES, 0, false, false);
}

static void
test_erasures_in_peace (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES / 4; seed++)
        run_seed (seed, 0, 4, seed % 2, false);
}

static void
test_erasures_with_deaths (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES; seed++)
        run_seed (seed, WORLD_PROCESSES, 4, false, false);
}

static void
test_dynamo_with_deaths (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES; seed++)
        run_seed (seed, WORLD_PROCESSES, seed / 2 % 2 ? 4 : 0, true, false);
}

static void
test_outages_in_peace (void **state)
{
    uint64_t pauses = 0;
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES / 2; seed++)
        pauses += run_seed (seed, 0, seed / 2 % 2 ? 4 : 0, seed / 4 % 2, true);
    assert_true (pauses > 0);
}

static void
test_outages_with_deaths (void **state)
{
    for (uint64_t seed = first_seed (state); seed < first_seed (state) + CASES; seed++)
        run_seed (seed, WORLD_PROCESSES, seed / 2 % 2 ? 4 : 0, seed / 4 % 2, true);
}

//  Of these a row stayed that nobody wanted, before writes noted their rows (decision 026).
static void
test_dynamo_rows_of_writes_that_never_ended (void **state)
{
    static const uint64_t seeds [] = { 243, 357 };
    (void)state;
    for (size_t at = 0; at < sizeof seeds / sizeof *seeds; at++)
        run_seed (seeds [at], WORLD_PROCESSES, seeds [at] % 2 ? 4 : 0, true, false);
}

//  In these an owner was asked again, after it had died or had let the viewer leave memory, or because somebody wished it again, and
//  named an instant that came behind the answer (decision 014).
static void
test_erasures_that_outlive_the_owner (void **state)
{
    (void)state;
    run_seed (10265, WORLD_PROCESSES, 4, true, false);
    run_seed (10944, WORLD_PROCESSES, 4, true, true);
    run_seed (70691, WORLD_PROCESSES, 4, true, false);
    run_seed (5046, WORLD_PROCESSES, 4, true, false);
    run_seed (32755, WORLD_PROCESSES, 4, false, false);
    run_seed (33044, WORLD_PROCESSES, 4, false, false);
}

static uint64_t
first_seed (void **state)
{
    return *(uint64_t *)*state;
}

int
main (int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull (argv [1], NULL, 10) : 1;
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_prestate (test_in_peace, &seed),
        cmocka_unit_test_prestate (test_with_deaths_of_publisher_and_persister, &seed),
        cmocka_unit_test_prestate (test_with_deaths, &seed),
        cmocka_unit_test_prestate (test_erasures_in_peace, &seed),
        cmocka_unit_test_prestate (test_erasures_with_deaths, &seed),
        cmocka_unit_test_prestate (test_dynamo_with_deaths, &seed),
        cmocka_unit_test_prestate (test_outages_in_peace, &seed),
        cmocka_unit_test_prestate (test_outages_with_deaths, &seed),
        cmocka_unit_test (test_dynamo_rows_of_writes_that_never_ended),
        cmocka_unit_test (test_erasures_that_outlive_the_owner),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
