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

#include "allocations.h"
#include "ingester.h"
#include "memory.h"
#include "messages.h"
#include "publisher.h"
#include "shard.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 4096, LINKS = 8 };

//  Frames that one core has sent on one link, end to end: a size, then the bytes.
typedef struct {
    size_t used, room;
    uint8_t *data;
} pile_t;

typedef struct {
    const char *name;
    void *state;
    const service_route_t *routes;
    size_t route_count;
    outbox_t *out;
    pile_t sent [LINKS];
    uint64_t cpu_ns, allocations, bytes;
} core_t;

static const service_route_t publisher_routes [] = {
    { USHER_LINK_changes, USHER_MSG_session, publisher_session },
    { USHER_LINK_changes, USHER_MSG_announce, publisher_announce },
    { USHER_LINK_changes, USHER_MSG_filled, publisher_filled },
};

static void
pile_up (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    core_t *self = arg;
    pile_t *pile = &self->sent [link];
    (void)peer;
    if (pile->room - pile->used < size + sizeof size) {
        pile->room = (pile->used + size + sizeof size) * 2;
        pile->data = memory_resize (pile->data, pile->room, 1);
    }
    memcpy (pile->data + pile->used, &size, sizeof size);
    memcpy (pile->data + pile->used + sizeof size, data, size);
    pile->used += size + sizeof size;
    self->bytes += size;
}

static void
publish (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    core_t *self = arg;
    (void)topic, (void)topic_size, (void)data;
    self->bytes += size;
}

static uint64_t
cpu_ns (void)
{
    struct timespec at;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void
handle (core_t *to, usher_link_id_t link, const usher_msg_t *msg)
{
    for (size_t row = 0; row < to->route_count; row++)
        if (to->routes [row].id == msg->id && to->routes [row].link == link)
            to->routes [row].handler (to->state, 0, msg, to->out);
}

static void
deliver (core_t *to, core_t *from, usher_link_id_t link)
{
    pile_t *pile = &from->sent [link];
    for (size_t at = 0, size; at < pile->used; at += sizeof size + size) {
        memcpy (&size, pile->data + at, sizeof size);
        usher_frame_t frame;
        usher_msg_t msg;
        if (usher_frame_open (&frame, pile->data + at + sizeof size, size) != USHER_OK)
            abort ();
        while (usher_decode (&frame, &msg) == USHER_OK)
            handle (to, link, &msg);
    }
    pile->used = 0;
}

//  The store: grants, knows nobody, and has written all.
static void
answer (core_t *shard, const usher_msg_t *asked)
{
    usher_msg_t msg = { 0 };
    if (asked->id == USHER_MSG_claim)
        msg = (usher_msg_t){ .id = USHER_MSG_granted, .granted = { 1 } };
    else if (asked->id == USHER_MSG_load_live)
        msg = (usher_msg_t){ .id = USHER_MSG_live_page, .live_page = { .last = 1 } };
    else if (asked->id == USHER_MSG_load)
        msg = (usher_msg_t){ .id = USHER_MSG_loaded, .loaded = { .viewer_id = asked->load.viewer_id } };
    else if (asked->id == USHER_MSG_write)
        msg = (usher_msg_t){ .id = USHER_MSG_written,
                             .written = { asked->write.viewer_id, asked->write.epoch, asked->write.version,
                                          USHER_outcome_done } };
    else
        return;
    handle (shard, USHER_LINK_store, &msg);
}

static void
store_answers (core_t *shard)
{
    pile_t pile = shard->sent [USHER_LINK_store];
    shard->sent [USHER_LINK_store] = (pile_t){ 0 };
    for (size_t at = 0, size; at < pile.used; at += sizeof size + size) {
        memcpy (&size, pile.data + at, sizeof size);
        usher_frame_t frame;
        usher_msg_t msg;
        if (usher_frame_open (&frame, pile.data + at + sizeof size, size) != USHER_OK)
            abort ();
        while (usher_decode (&frame, &msg) == USHER_OK)
            answer (shard, &msg);
    }
    free (pile.data);
    outbox_flush (shard->out);
}

//  ---- the stages

typedef struct {
    uint64_t ns, allocations;
} mark_t;

static mark_t
mark (void)
{
    return (mark_t){ cpu_ns (), allocations_count () };
}

static void
charge (core_t *core, mark_t since)
{
    core->allocations += allocations_count () - since.allocations;
    core->cpu_ns += cpu_ns () - since.ns;
}

static void
block_run (core_t *ingester, core_t *shard, core_t *publisher, const source_row_t *rows, size_t count,
           usher_time_t now)
{
    mark_t since = mark ();
    for (size_t at = 0; at < count; at++)
        ingester_take (ingester->state, &rows [at], ingester->out);
    ingester_flush (ingester->state, now, ingester->out);
    outbox_flush (ingester->out);
    charge (ingester, since);

    since = mark ();
    deliver (shard, ingester, USHER_LINK_events);
    shard_turn (shard->state, now, shard->out);
    outbox_flush (shard->out);
    store_answers (shard);
    shard_turn (shard->state, now, shard->out);
    outbox_flush (shard->out);
    charge (shard, since);

    since = mark ();
    deliver (publisher, shard, USHER_LINK_changes);
    publisher_turn (publisher->state, now, publisher->out);
    outbox_flush (publisher->out);
    charge (publisher, since);

    deliver (ingester, shard, USHER_LINK_events);
}

static void
begin (core_t *ingester, core_t *shard, core_t *publisher, usher_time_t now)
{
    static const char owners [USHER_SLOTS] = { 0 };
    usher_msg_t slots = { .id = USHER_MSG_slots, .slots = { 1, 1, usher_bytes (owners, USHER_SLOTS) } };
    handle (ingester, USHER_LINK_control, &slots);
    handle (shard, USHER_LINK_control, &slots);
    ingester_peer_up (ingester->state, USHER_LINK_events, 0, "shard-0", ingester->out);
    ingester_begin (ingester->state, 0, 1, 0);
    shard_peer_up (shard->state, USHER_LINK_events, 0, "ingester", shard->out);
    shard_peer_up (shard->state, USHER_LINK_store, 0, "persister", shard->out);
    shard_peer_up (shard->state, USHER_LINK_changes, 0, "publisher", shard->out);
    publisher_peer_up (publisher->state, USHER_LINK_changes, 0, "shard-0", publisher->out);
    for (int again = 0; again < 3; again++) {
        outbox_flush (shard->out);
        store_answers (shard);
        shard_turn (shard->state, now, shard->out);
    }
    if (!shard_ready (shard->state))
        abort ();
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

//  Nobody speaks, and nobody may be awake.
static void
all_sleep (core_t *shard, core_t *publisher, config_t *config, usher_time_t now)
{
    config->shard.awake_viewers = 0;
    for (int again = 0; again < 2; again++) {
        shard_turn (shard->state, now, shard->out);
        outbox_flush (shard->out);
        store_answers (shard);
    }
    deliver (publisher, shard, USHER_LINK_changes);
}

static void
memory_report (core_t *shard, core_t *publisher, config_t *config, usher_time_t now, uint64_t viewers)
{
    size_t awake = heap_used ();
    all_sleep (shard, publisher, config, now);
    size_t asleep = heap_used ();
    printf ("resident %zu\n", resident () / viewers);
    shard_t *state = shard->state;
    shard_destroy (&state);
    size_t others = heap_used ();
    publisher_destroy (&publisher->state);
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
    config_t *config = config_load (NULL, "/nowhere");
    config->shards = 1;
    usher_time_t now = { .wall_ms = (int64_t)(START_MS + 100 * 86400000ull), .mono_ms = 1000 };
    core_t ingester = { .name = "ingester", .routes = ingester_routes, .route_count = ingester_route_count };
    core_t shard = { .name = "shard", .routes = shard_routes, .route_count = shard_route_count };
    core_t publisher = { .name = "publisher", .routes = publisher_routes, .route_count = 3 };
    ingester.state = ingester_new (config, USHER_SOURCE_FILE, "bench");
    shard.state = shard_new (config, 0, now);
    publisher.state = publisher_new (1, publish, &publisher);
    ingester.out = outbox_new (pile_up, &ingester);
    shard.out = outbox_new (pile_up, &shard);
    publisher.out = outbox_new (pile_up, &publisher);
    begin (&ingester, &shard, &publisher, now);

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
        block_run (&ingester, &shard, &publisher, rows, BLOCK, now);
    }
    uint64_t total = (events + BLOCK - 1) / BLOCK * BLOCK;
    report (&ingester, total);
    report (&shard, total);
    report (&publisher, total);
    memory_report (&shard, &publisher, config, now, viewers);
    messages_destroy (&messages);
    return 0;
}
