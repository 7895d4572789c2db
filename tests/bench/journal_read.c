//  journal_read - the baselines: reads a journal's rows as the ingester does, and with `decode` decodes them too
//
//  usage: journal_read JOURNAL [decode]      prints `rows bytes events wall_ns cpu_ns`
//
//  One process, one thread, nothing sent to anybody: what is left of a pipeline when everything that makes it a
//  pipeline is taken away.

#include "clock.h"
#include "snowplow/decode.h"
#include "snowplow/journal_format.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_PER_READ = 500 };

typedef struct {
    uint64_t rows, bytes, events, position;
} tally_t;

//  Each byte is looked at, as far as SQLite has to hand it over.
static void
take (tally_t *tally, sqlite3_stmt *query, decoder_t *decoder)
{
    const char *data = sqlite3_column_blob (query, 4), *reason;
    size_t size = (size_t)sqlite3_column_bytes (query, 4);
    usher_event_t event;
    tally->rows++;
    tally->bytes += size;
    tally->position = (uint64_t)sqlite3_column_int64 (query, 0);
    if (decoder && decode_event (decoder, data, size, &event, &reason) == DECODE_EVENT)
        tally->events++;
}

static int
read_all (sqlite3_stmt *query, decoder_t *decoder, tally_t *tally)
{
    uint64_t before;
    int code;
    do {
        before = tally->rows;
        sqlite3_bind_int64 (query, 1, (sqlite3_int64)tally->position);
        sqlite3_bind_int (query, 2, ROWS_PER_READ);
        while ((code = sqlite3_step (query)) == SQLITE_ROW)
            take (tally, query, decoder);
        sqlite3_reset (query);
    } while (code == SQLITE_DONE && tally->rows > before);
    return code;
}

int
main (int argc, char **argv)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    tally_t tally = { 0 };
    if (argc < 2 || sqlite3_open_v2 (argv [1], &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2 (db, JOURNAL_SQL_READ, -1, &query, NULL) != SQLITE_OK) {
        fprintf (stderr, "journal_read: %s\n", argc < 2 ? "name a journal" : sqlite3_errmsg (db));
        return 1;
    }
    decoder_t *decoder = argc > 2 && strcmp (argv [2], "decode") == 0 ? decoder_new () : NULL;
    uint64_t wall = clock_ns (CLOCK_MONOTONIC), cpu = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
    int code = read_all (query, decoder, &tally);
    wall = clock_ns (CLOCK_MONOTONIC) - wall;
    cpu = clock_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tally.rows, tally.bytes,
            tally.events, wall, cpu);
    if (decoder)
        decoder_destroy (&decoder);
    sqlite3_finalize (query);
    sqlite3_close (db);
    return code == SQLITE_DONE ? 0 : 1;
}
