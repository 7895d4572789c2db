//  test_tracker_replay - real requests of real trackers against what real Enrich 3.8.0 made of them
//
//  Every request in the recordings goes through tracker_read. The answers must be, in order, the rows of the
//  recorded TSV, in all 131 columns but those of `others`. The
//  recording's fixed network user id is given to every request, and each request the collector's time of its
//  row, so that derived_tstamp compares too.

#include "test_recording.h"

#define ROWS_MAX 64

//  The columns that differ, and why.
static const struct {
    tracker_column_t column;
    const char *why;
} others [] = {
    { COL_etl_tstamp, "the clock of the recording's Enrich" },
    { COL_v_collector, "the name of the program that took the request" },
    { COL_v_etl, "the name of the program that enriched it" },
};

typedef struct {
    span_t cells [TRACKER_COLUMN_COUNT];
} row_t;

typedef struct {
    char *text;
    row_t rows [ROWS_MAX];
    size_t count;
} table_t;

static size_t
split_line (char *line, row_t *row)
{
    size_t count = 0;
    for (char *at = line; at && count < TRACKER_COLUMN_COUNT; count++) {
        char *tab = strchr (at, '\t');
        row->cells [count] = (span_t){ at, tab ? (size_t)(tab - at) : strlen (at) };
        at = tab ? tab + 1 : NULL;
    }
    return count;
}

static void
table_read (table_t *self, const char *name)
{
    self->text = unit_read_file (name);
    for (char *line = strtok (self->text, "\n"); line; line = strtok (NULL, "\n")) {
        assert_true (self->count < ROWS_MAX);
        assert_int_equal (split_line (line, &self->rows [self->count++]), TRACKER_COLUMN_COUNT);
    }
}

static bool
is_other (tracker_column_t column)
{
    for (size_t index = 0; index < sizeof others / sizeof others [0]; index++)
        if (others [index].column == column)
            return true;
    return false;
}

static void
compare_rows (const row_t *expected, const row_t *got)
{
    for (tracker_column_t column = 0; column < TRACKER_COLUMN_COUNT; column++) {
        if (is_other (column))
            continue;
        span_t want = expected->cells [column], have = got->cells [column];
        if (want.size != have.size || memcmp (want.data, have.data, want.size) != 0)
            fail_msg ("%.*s, column %s:\n  want %.*s\n  have %.*s", (int)expected->cells [COL_event_id].size,
                      expected->cells [COL_event_id].data, tracker_column_name (column), (int)want.size,
                      want.data, (int)have.size, have.data);
    }
}

//  Replay a recording; `refused` requests of it have no adapter.
static void
replay (const char *requests, const char *rows, size_t refused)
{
    table_t table = { 0 };
    table_read (&table, rows);
    char *text = unit_read_file (requests);
    json_t *list = json_loads (text, 0, NULL);
    assert_non_null (list);
    size_t next = 0, index;
    json_t *recorded;
    json_array_foreach (list, index, recorded)
    {
        tracker_request_t request;
        recording_request (&request, recorded);
        if (span_is (request.method, "OPTIONS"))
            continue;
        tracker_outcomes_t *outcomes = tracker_read (&request);
        for (size_t item = 0; item < outcomes->count; item++) {
            row_t got;
            if (outcomes->items [item].kind == TRACKER_ADAPTER_FAILURES && refused > 0) {
                refused--;
                continue;
            }
            assert_int_equal (outcomes->items [item].kind, TRACKER_EVENT);
            assert_int_equal (split_line (outcomes->items [item].body, &got), TRACKER_COLUMN_COUNT);
            assert_true (next < table.count);
            compare_rows (&table.rows [next++], &got);
        }
        tracker_outcomes_destroy (&outcomes);
    }
    assert_int_equal (next, table.count);
    assert_int_equal (refused, 0);
    json_decref (list);
    free (text);
    free (table.text);
}

static void
test_browser (void **state)
{
    (void)state;
    //  One request went to a path of its own, /com.acme/track, which Enrich knew no adapter for.
    replay ("requests-browser-4.10.json", "enriched-browser-4.10.tsv", 1);
}

static void
test_node (void **state)
{
    (void)state;
    replay ("requests-node-4.8.0.json", "enriched-node-4.8.0.tsv", 0);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_browser),
        cmocka_unit_test (test_node),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
