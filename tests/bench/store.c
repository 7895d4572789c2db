//  store - what a change costs the persister: its row and its profile into SQLite, a turn of many in one transaction
//
//  usage: store DIR VIEWERS WRITES TURN PROFILE_BYTES      prints `cpu_ns wall_ns`, each per write with its row
//
//  The persister's core in this process, on a store of its own in DIR. Viewers take turns in an order that is none; first each of
//  them is written once, in another order, which is not counted.

#include "clock.h"
#include "memory.h"
#include "persister.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t START_MS = 1790000000000, KEEP_S = 604800;

typedef struct {
    void *core;
    outbox_t *out;
    uint64_t viewers, number, written;
    uint64_t *rows;    //  a viewer each: where it is, as the store told
    size_t turn, profile_size;
    char *profile;
} bench_t;

static void
receipt_take (bench_t *self, const usher_written_t *written)
{
    char number [32] = { 0 };
    memcpy (number, written->viewer_id.data + sizeof "viewer", written->viewer_id.size - sizeof "viewer");
    self->rows [strtoull (number, NULL, 10)] = written->row;
    self->written += written->outcome == USHER_outcome_done;
}

static void
receipts_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    bench_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    (void)link, (void)peer;
    if (usher_frame_open (&frame, data, size) != USHER_OK)
        abort ();
    while (usher_decode (&frame, &msg) == USHER_OK)
        if (msg.id == USHER_MSG_written)
            receipt_take (self, &msg.written);
}

static void
handle (bench_t *self, const usher_msg_t *msg)
{
    for (size_t row = 0; row < persister_service.route_count; row++)
        if (persister_service.routes [row].id == msg->id)
            persister_service.routes [row].handler (self->core, 0, msg, self->out);
}

//  A row, then the profile; a profile is never the same twice.
static void
change (bench_t *self)
{
    uint64_t round = self->number / self->viewers, at_ms = START_MS + self->number,
             viewer = self->number++ * (round ? 104729 : 7919) % self->viewers;
    char viewer_id [32], event_id [64], tstamp [32];
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    gmtime_r (&seconds, &parts);
    size_t used = strftime (tstamp, sizeof tstamp, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf (tstamp + used, sizeof tstamp - used, ".%03uZ", (unsigned)(at_ms % 1000));
    snprintf (viewer_id, sizeof viewer_id, "viewer-%06" PRIu64, viewer);
    snprintf (event_id, sizeof event_id, "%08" PRIx64 "-0000-4000-8000-%012" PRIx64, round, viewer);
    memcpy (self->profile, &self->number, sizeof self->number);
    usher_msg_t row = { .id = USHER_MSG_history };
    row.history = (usher_history_t){ .viewer_id = usher_str (viewer_id),
                                     .key_tstamp = usher_str (tstamp),
                                     .event_id = usher_str (event_id),
                                     .kind = USHER_event_kind_pause,
                                     .status = USHER_status_paused_video,
                                     .state = USHER_state_paused,
                                     .expires_s = at_ms / 1000 + KEEP_S };
    handle (self, &row);
    usher_msg_t write = { .id = USHER_MSG_write };
    write.write = (usher_write_t){ .viewer_id = usher_str (viewer_id),
                                   .old_epoch = round ? 1 : 0,
                                   .old_version = round,
                                   .epoch = 1,
                                   .version = round + 1,
                                   .slot = usher_slot (usher_str (viewer_id)),
                                   .live = 1,
                                   .expires_s = at_ms / 1000 + KEEP_S,
                                   .profile = usher_bytes (self->profile, self->profile_size),
                                   .row = self->rows [viewer] };
    handle (self, &write);
}

static void
run (bench_t *self, uint64_t writes)
{
    for (uint64_t number = 0; number < writes; number++) {
        change (self);
        if ((number + 1) % self->turn && number + 1 < writes)
            continue;
        usher_time_t now = { (int64_t)(START_MS + self->number), (int64_t)self->number };
        persister_service.turn (self->core, now, self->out);
        outbox_flush (self->out);
    }
}

int
main (int argc, char **argv)
{
    if (argc < 6) {
        fprintf (stderr, "usage: store DIR VIEWERS WRITES TURN PROFILE_BYTES\n");
        return 2;
    }
    bench_t self = { .viewers = strtoull (argv [2], NULL, 10),
                     .turn = strtoull (argv [4], NULL, 10),
                     .profile_size = strtoull (argv [5], NULL, 10) };
    uint64_t writes = strtoull (argv [3], NULL, 10);
    char why [256];
    store_opening_t opening;
    self.profile = memory_new (self.profile_size + sizeof self.number, 1);
    self.rows = memory_new (self.viewers, sizeof *self.rows);
    self.out = outbox_new (receipts_take, &self);
    self.core =
        persister_new (argv [1], 7, 30, (usher_time_t){ (int64_t)START_MS, 0 }, &opening, why, sizeof why);
    if (!self.core) {
        fprintf (stderr, "store: %s\n", why);
        return 1;
    }
    run (&self, self.viewers);
    uint64_t cpu = clock_ns (CLOCK_PROCESS_CPUTIME_ID), wall = clock_ns (CLOCK_MONOTONIC);
    run (&self, writes);
    cpu = clock_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = clock_ns (CLOCK_MONOTONIC) - wall;
    if (self.written != self.viewers + writes)
        return 1;
    printf ("%" PRIu64 " %" PRIu64 "\n", cpu / writes, wall / writes);
    return 0;
}
