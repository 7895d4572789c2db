//  cores - what one event costs each core, without sockets, disks and other processes, and what a viewer weighs
//
//  usage: cores VIEWERS EVENTS [FORM]   FORM: flattened (default) or enriched, as messages.h has it; run where tests/data
//                                       is. Prints a line `STAGE cpu_ns allocations bytes_out`, each per event, for
//                                       ingester, shard and publisher, then `memory STAGE awake asleep`, bytes of the
//                                       heap per viewer as the last event left them and after all went to sleep, and
//                                       `resident BYTES` of the whole process then, per viewer
//
//  Messages of VIEWERS who take turns, 5 % of them a change of status, go through one ingester core, one shard core and
//  one publisher core, a block of events at a time. The store answers at once that all is written, so what is measured is
//  the cores. A stage's clock is the process's CPU clock around its part of a block. A core's memory is what is given
//  back when it is destroyed, of the allocator's own count: whole blocks with their heads.

#include "mark.h"
#include "messages.h"
#include "trio.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096 };

//  ---- the stages

static void
charge (core_t *core, mark_t since)
{
    core->allocations += allocations_count () - since.allocations;
    core->cpu_ns += clock_ns (CLOCK_PROCESS_CPUTIME_ID) - since.ns;
}

static void
block_run (trio_t *trio, const source_row_t *rows, size_t count, usher_time_t now)
{
    core_t *ingester = &trio->ingester, *shard = &trio->shard, *publisher = &trio->publisher;
    mark_t since = mark ();
    for (size_t at = 0; at < count; at++)
        ingester_take (ingester->state, &rows [at], ingester->out);
    ingester_flush (ingester->state, now, ingester->out);
    outbox_flush (ingester->out);
    charge (ingester, since);

    since = mark ();
    core_deliver (shard, ingester, USHER_LINK_events);
    shard_turn (shard->state, now, shard->out);
    outbox_flush (shard->out);
    trio_store_answers (trio);
    shard_turn (shard->state, now, shard->out);
    outbox_flush (shard->out);
    charge (shard, since);

    since = mark ();
    core_deliver (publisher, shard, USHER_LINK_changes);
    publisher_turn (publisher->state, now, publisher->out);
    outbox_flush (publisher->out);
    charge (publisher, since);

    core_deliver (ingester, shard, USHER_LINK_events);
}

static void
report (const core_t *core, uint64_t events)
{
    printf ("%s %" PRIu64 " %.3f %.1f\n", core->name, core->cpu_ns / events,
            (double)core->allocations / (double)events, (double)core->bytes / (double)events);
}

//  ---- memory

static size_t
heap_used (void)
{
    struct mallinfo2 heap = mallinfo2 ();
    return heap.uordblks + heap.hblkhd;
}

//  What the host must have, of all three cores and the bench together.
static size_t
resident (void)
{
    unsigned long size = 0, pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (!file || fscanf (file, "%lu %lu", &size, &pages) != 2)
        abort ();
    fclose (file);
    return pages * (size_t)sysconf (_SC_PAGESIZE);
}

//  Nobody speaks, and nobody may be awake. A turn looks at a hundred or so, and twice at who was asked for.
static void
all_sleep (trio_t *trio, usher_time_t now, uint64_t viewers)
{
    core_t *shard = &trio->shard;
    trio->config->shard.awake_viewers = 0;
    for (uint64_t turn = 0; turn < viewers / 32 + 2; turn++) {
        shard_turn (shard->state, now, shard->out);
        outbox_flush (shard->out);
        trio_store_answers (trio);
    }
    core_deliver (&trio->publisher, shard, USHER_LINK_changes);
}

static void
memory_report (trio_t *trio, usher_time_t now, uint64_t viewers)
{
    size_t awake = heap_used ();
    all_sleep (trio, now, viewers);
    size_t asleep = heap_used ();
    printf ("resident %zu\n", resident () / viewers);
    shard_t *state = trio->shard.state;
    shard_destroy (&state);
    size_t others = heap_used ();
    publisher_destroy (&trio->publisher.state);
    size_t rest = heap_used ();
    printf ("memory shard %zu %zu\n", (awake - others) / viewers, (asleep - others) / viewers);
    printf ("memory publisher %zu %zu\n", (others - rest) / viewers, (others - rest) / viewers);
}

int
main (int argc, char **argv)
{
    uint64_t viewers = argc > 1 ? strtoull (argv [1], NULL, 10) : 0,
             events = argc > 2 ? strtoull (argv [2], NULL, 10) : 0;
    messages_t *messages = messages_new (argc > 3 ? argv [3] : "flattened", viewers);
    if (viewers == 0 || events == 0 || !messages) {
        fprintf (stderr, "usage: cores VIEWERS EVENTS [flattened | enriched]   (where tests/data is)\n");
        return 2;
    }
    allocations_open ();
    usher_time_t now = { .wall_ms = (int64_t)(START_MS + 100 * 86400000ull), .mono_ms = 1000 };
    trio_t trio;
    trio_open (&trio, now);

    static char texts [BLOCK][MESSAGE_MAX];
    static source_row_t rows [BLOCK];
    for (uint64_t done = 0; done < events; done += BLOCK) {
        for (size_t at = 0; at < BLOCK; at++) {
            size_t size = messages_write (messages, done + at, texts [at]);
            rows [at] = (source_row_t){
                .offset = done + at, .next = done + at + 1, .data = texts [at], .size = size
            };
        }
        now.mono_ms += 5;
        block_run (&trio, rows, BLOCK, now);
    }
    uint64_t total = (events + BLOCK - 1) / BLOCK * BLOCK;
    report (&trio.ingester, total);
    report (&trio.shard, total);
    report (&trio.publisher, total);
    memory_report (&trio, now, viewers);
    messages_destroy (&messages);
    return 0;
}
