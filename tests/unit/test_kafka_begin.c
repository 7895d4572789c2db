//  Where a partition begins, by what brokers and the group say; what librdkafka's statistics say of it.

#include "kafka_begin.h"
#include "kafka_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define FRESH 7u
#define NOTE "usher 1 00000000000000aa cluster-1"

typedef struct {
    const char *what;
    int64_t committed;
    const char *note;
    int64_t low, high, read;
    const char *start, *out_of_range;
    bool stop;
    int64_t next;
    uint64_t generation;
    bool note_is_new, alarm;
} row_t;

static const row_t rows [] = {
    //  what                       committed note  low high read  start  out_of_range    stop next gen new alarm
    { "first time, earliest", -1001, "", 5, 9, -1, "earliest", "stop", false, 5, FRESH, true, false },
    { "first time, latest", -1001, "", 5, 9, -1, "latest", "stop", false, 9, FRESH, true, false },
    { "goes on", 7, NOTE, 5, 9, -1, "earliest", "stop", false, 7, 0xaa, false, false },
    { "goes on at the end", 9, NOTE, 5, 9, 9, "latest", "stop", false, 9, 0xaa, false, false },
    { "goes on at the beginning", 5, NOTE, 5, 9, -1, "latest", "stop", false, 5, 0xaa, false, false },
    { "somebody else's offset", 7, "", 5, 9, -1, "earliest", "stop", false, 7, FRESH, true, false },
    { "another note", 7, "hello", 5, 9, -1, "earliest", "stop", false, 7, FRESH, true, false },
    { "another cluster", 7, "usher 1 00000000000000aa cluster-2", 5, 9, -1, "earliest", "stop", false, 7,
      FRESH, true, false },
    { "deleted unread, earliest", 3, NOTE, 5, 9, -1, "latest", "earliest", false, 5, 0xaa, true, true },
    { "deleted unread, latest", 3, NOTE, 5, 9, -1, "earliest", "latest", false, 9, 0xaa, true, true },
    { "deleted unread, stop", 3, NOTE, 5, 9, -1, "earliest", "stop", true, 5, 0xaa, true, true },
    { "shorter, earliest", 10, NOTE, 5, 9, -1, "latest", "earliest", false, 5, FRESH, true, true },
    { "shorter, latest", 10, NOTE, 5, 9, -1, "earliest", "latest", false, 9, FRESH, true, true },
    { "shorter, stop", 10, NOTE, 5, 9, -1, "earliest", "stop", true, 5, FRESH, true, true },
    { "empty again", 10, NOTE, 0, 0, -1, "earliest", "earliest", false, 0, FRESH, true, true },
    { "gone while it was read", -1001, "", 0, 4, 8, "latest", "earliest", false, 0, FRESH, true, true },
    { "gone while it was read, stop", -1001, "", 0, 4, 8, "latest", "stop", true, 0, FRESH, true, true },
};

static void
every_fact_has_its_beginning (void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof rows / sizeof *rows; at++) {
        const row_t *row = &rows [at];
        kafka_facts_t facts = { row->committed, row->note, strlen (row->note), row->low,
                                row->high,      row->read, "cluster-1" };
        kafka_begin_t begin =
            kafka_begin (&facts, kafka_policy (row->start), kafka_policy (row->out_of_range), FRESH);
        if (begin.stop != row->stop || begin.next != row->next || begin.generation != row->generation ||
            begin.note_is_new != row->note_is_new || (begin.alarm != NULL) != row->alarm)
            fail_msg ("%s: stop %d next %lld generation %llx new %d alarm %s", row->what, begin.stop,
                      (long long)begin.next, (unsigned long long)begin.generation, begin.note_is_new,
                      begin.alarm ? begin.alarm : "none");
    }
}

static void
a_note_is_read_as_it_was_written (void **state)
{
    (void)state;
    char note [KAFKA_NOTE_MAX];
    kafka_note_write (note, UINT64_MAX, "cluster-1");
    kafka_facts_t facts = { 7, note, strlen (note), 5, 9, -1, "cluster-1" };
    assert_int_equal (kafka_begin (&facts, KAFKA_EARLIEST, KAFKA_STOP, FRESH).generation, UINT64_MAX);
    //  Cut anywhere it is ours or nobody's, never another generation of ours.
    for (size_t size = 0; size < strlen (note); size++) {
        facts.note_size = size;
        assert_int_equal (kafka_begin (&facts, KAFKA_EARLIEST, KAFKA_STOP, FRESH).generation, FRESH);
    }
}

static const char statistics [] =
    "{\"brokers\":{\"h:1/1\":{\"nodeid\":1,\"state\":\"UP\",\"rxidle\":250000},"
    "\"h:2/2\":{\"nodeid\":2,\"state\":\"TRY_CONNECT\",\"rxidle\":9000000},"
    "\"h/bootstrap\":{\"nodeid\":-1,\"state\":\"UP\"}},"
    "\"topics\":{\"events\":{\"partitions\":{"
    "\"0\":{\"partition\":0,\"leader\":1,\"consumer_lag\":5,\"fetchq_cnt\":3,\"fetchq_size\":600},"
    "\"1\":{\"partition\":1,\"leader\":2,\"consumer_lag\":-1,\"fetchq_cnt\":1,\"fetchq_size\":200},"
    "\"-1\":{\"partition\":-1,\"leader\":-1}}}}}";

typedef struct {
    size_t count;
    kafka_partition_stats_t partitions [4];
} taken_t;

static void
take (void *arg, const kafka_partition_stats_t *partition)
{
    taken_t *self = arg;
    assert_true (self->count < 4);
    self->partitions [self->count++] = *partition;
}

static void
statistics_tell_of_partitions_and_leaders (void **state)
{
    (void)state;
    taken_t taken = { 0 };
    kafka_stats_t stats;
    kafka_stats_read (statistics, sizeof statistics - 1, "events", &stats, take, &taken);
    assert_int_equal (stats.queued, 4);
    assert_int_equal (stats.queued_bytes, 800);
    assert_int_equal (stats.brokers_up, 1);
    assert_int_equal (taken.count, 2);
    assert_int_equal (taken.partitions [0].lag, 5);
    assert_true (taken.partitions [0].leader_up);
    assert_int_equal (taken.partitions [0].idle_ms, 250);
    assert_false (taken.partitions [1].leader_up);
}

static void
statistics_that_are_cut_tell_nothing (void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof statistics - 1; size++) {
        taken_t taken = { 0 };
        kafka_stats_t stats;
        kafka_stats_read (statistics, size, "events", &stats, take, &taken);
        assert_int_equal (taken.count + stats.brokers_up + stats.queued, 0);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (every_fact_has_its_beginning),
        cmocka_unit_test (a_note_is_read_as_it_was_written),
        cmocka_unit_test (statistics_tell_of_partitions_and_leaders),
        cmocka_unit_test (statistics_that_are_cut_tell_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
