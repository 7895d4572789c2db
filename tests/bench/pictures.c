//  pictures - what one change of a session costs publisher and gateway, and what a viewer takes in their memory
//
//  usage: pictures VIEWERS CHANGES    prints for each `NAME cpu_ns allocations bytes`: per change the CPU clock and the
//                                     allocations, and of the heap the bytes per viewer when all are there
//
//  VIEWERS with one session each, names as a browser's tracker has them, change in turns: TURN of them are what the publisher
//  core reads in one turn, in frames of FRAME. What it says goes to a mirror without clients, mostly a change a frame. A stage's clock is the process's CPU clock around its part of a block. Of each
//  viewer the first change, its arrival, is in the heap only. Asking the heap is dear, so that is never on the clock.

#include "mark.h"
#include "memory.h"
#include "mirror.h"
#include "publisher.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = 8, TURN = 256, SAID_BYTES = 1 << 20, CHANGE_BYTES = 1024 };

static const uint64_t START_MS = 1790000000000;

typedef struct {
    const char *name;
    uint64_t cpu_ns, allocations;
    int64_t heap;
} stage_t;

//  Frames of the feed, end to end: a size, then the bytes.
typedef struct {
    size_t used;
    uint8_t *data;
} said_t;

static void
charge (stage_t *stage, mark_t since)
{
    mark_t now = mark ();
    stage->cpu_ns += now.ns - since.ns;
    stage->allocations += now.allocations - since.allocations;
}

static int64_t
heap (void)
{
    struct mallinfo2 info = mallinfo2 ();
    return (int64_t)(info.uordblks + info.hblkhd);
}

static void
say (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    said_t *said = arg;
    if (topic_size == 0 || *(const char *)topic != 's')
        return;
    if (SAID_BYTES - said->used < sizeof size + size)
        abort ();
    memcpy (said->data + said->used, &size, sizeof size);
    memcpy (said->data + said->used + sizeof size, data, size);
    said->used += sizeof size + size;
}

//  ---- the audience

typedef struct {
    char viewer_id [48], session_id [48], title [40], country [4];
} names_t;

static void
session_fill (usher_session_t *session, names_t *names, uint64_t viewer, uint64_t turn)
{
    static const char *const players [] = { "html5", "hls.js", "shaka", "youtube" };
    static const char *const systems [] = { "windows", "android", "ios", "macos", "linux" };
    snprintf (names->viewer_id, sizeof names->viewer_id, "%08x-5b7e-4c1d-9a2f-%012" PRIx64,
              (unsigned)(viewer * 2654435761u), viewer);
    snprintf (names->session_id, sizeof names->session_id, "%08x-1f3c-4e8b-8d60-%012" PRIx64,
              (unsigned)(viewer * 2246822519u), viewer);
    snprintf (names->title, sizeof names->title, "The long way home, %03u", (unsigned)(viewer % 1000));
    snprintf (names->country, sizeof names->country, "%c%c", 'A' + (int)(viewer / 7 % 8),
              'A' + (int)(viewer / 56 % 5));
    double seconds = (double)turn * 30 + (double)(viewer % 997) / 1000;
    *session = (usher_session_t){ .viewer_id = usher_str (names->viewer_id),
                                  .session_id = usher_str (names->session_id),
                                  .epoch = START_MS + viewer % 2,
                                  .version = turn + 1,
                                  .state = turn % 20 ? USHER_state_watching : USHER_state_paused,
                                  .since_ms = START_MS + viewer,
                                  .seen_ms = START_MS + viewer + turn * 30000,
                                  .position_s = seconds,
                                  .duration_s = 5400,
                                  .percent = 1 + (uint32_t)(turn % 100),
                                  .rate = 1,
                                  .volume = 101,
                                  .time_played_s = seconds,
                                  .content_s = seconds,
                                  .startup_ms = 800 + viewer % 700,
                                  .media_label = usher_str (names->title),
                                  .media_type = usher_str ("video"),
                                  .player_type = usher_str (players [viewer % 4]),
                                  .platform = usher_str ("web"),
                                  .app_id = usher_str (viewer % 3 ? "stream-web" : "stream-shop"),
                                  .os = usher_str (systems [viewer % 5]),
                                  .device = 1,
                                  .country = usher_str (names->country),
                                  .avg_rate = 1 };
    session->slot = usher_slot (session->viewer_id);
}

//  Appends a frame of changes, without its head. Returns the number of the next change.
static uint64_t
frame_write (said_t *said, uint64_t from, uint64_t end, uint64_t viewers)
{
    size_t size = 0;
    uint8_t *data = said->data + said->used + sizeof size;
    for (size_t count = 0; count < FRAME && from < end; count++, from++) {
        names_t names;
        usher_msg_t msg = { .id = USHER_MSG_session };
        session_fill (&msg.session, &names, from % viewers, from / viewers);
        size += usher_encode (&msg, data + size, CHANGE_BYTES);
    }
    memcpy (data - sizeof size, &size, sizeof size);
    said->used += sizeof size + size;
    return from;
}

//  ---- the stages

static void
publisher_work (void *publisher, const lot_t *lot)
{
    publisher_changes (publisher, lot, NULL);
}

static void
publisher_take (publisher_t *publisher, const said_t *said)
{
    lot_t lot = { .count = 0 };
    for (size_t at = 0, size; at < said->used; at += sizeof size + size) {
        memcpy (&size, said->data + at, sizeof size);
        if (lot_take (&lot, 0, said->data + at + sizeof size, size, publisher_work, publisher) != USHER_END)
            abort ();
    }
    lot_flush (&lot, publisher_work, publisher);
    publisher_turn (publisher, (usher_time_t){ .wall_ms = (int64_t)START_MS, .mono_ms = 1 }, NULL);
}

static void
mirror_take (mirror_t *mirror, said_t *said)
{
    for (size_t at = 0, size; at < said->used; at += sizeof size + size) {
        memcpy (&size, said->data + at, sizeof size);
        if (!mirror_frame (mirror, said->data + at + sizeof size, size, 1))
            abort ();
    }
    mirror_settle (mirror);
    said->used = 0;
}

//  A publisher that holds nothing yet answers the mirror's request.
static void
mirror_begin (mirror_t *mirror)
{
    usher_msg_t asked;
    mirror_publisher_up (mirror);
    if (!mirror_wants (mirror, 1, &asked))
        abort ();
    usher_snapshot_slot_t head = { .request = asked.snapshot_request.request, .epoch = START_MS };
    for (head.slot = 0; head.slot < USHER_SLOTS; head.slot++)
        mirror_snapshot_slot (mirror, &head, 1);
    head = (usher_snapshot_slot_t){ .request = head.request, .epoch = START_MS, .last = 1 };
    mirror_snapshot_slot (mirror, &head, 1);
    if (!mirror_complete (mirror))
        abort ();
}

//  A turn's changes, from one number on and not beyond end.
static void
turn_run (publisher_t *publisher, mirror_t *mirror, said_t *asked, said_t *said, uint64_t viewers,
          uint64_t from, uint64_t end, stage_t *stages)
{
    asked->used = 0;
    while (from < end)
        from = frame_write (asked, from, end, viewers);
    mark_t since = mark ();
    publisher_take (publisher, asked);
    charge (&stages [0], since);
    since = mark ();
    mirror_take (mirror, said);
    charge (&stages [1], since);
}

static void
run (stage_t *stages, uint64_t viewers, uint64_t changes)
{
    said_t said = { .data = memory_new (SAID_BYTES, 1) }, asked = { .data = memory_new (SAID_BYTES, 1) };
    stage_t arrivals [2] = { 0 };
    publisher_t *publisher = publisher_new (START_MS, say, &said);
    mirror_t *mirror = mirror_new (&(mirror_events_t){ 0 });
    mirror_begin (mirror);
    for (uint64_t from = 0; from < changes;) {
        uint64_t last = from < viewers ? viewers : changes, end = from + TURN < last ? from + TURN : last;
        turn_run (publisher, mirror, &asked, &said, viewers, from, end, from < viewers ? arrivals : stages);
        from = end;
    }
    if (last_value_total (publisher_sessions (publisher)) != viewers ||
        last_value_total (mirror_sessions (mirror)) != viewers)
        abort ();
    int64_t both = heap ();
    publisher_destroy ((void **)&publisher);
    int64_t one = heap ();
    mirror_destroy (&mirror);
    stages [0].heap = both - one;
    stages [1].heap = one - heap ();
    free (said.data);
    free (asked.data);
}

int
main (int argc, char **argv)
{
    uint64_t viewers = argc > 1 ? strtoull (argv [1], NULL, 10) : 0,
             changes = argc > 2 ? strtoull (argv [2], NULL, 10) : 0;
    if (viewers == 0 || changes <= viewers) {
        fprintf (stderr, "usage: pictures VIEWERS CHANGES, more changes than viewers\n");
        return 2;
    }
    allocations_open ();
    stage_t stages [] = { { .name = "publisher" }, { .name = "gateway" } };
    run (stages, viewers, changes);
    for (size_t at = 0; at < sizeof stages / sizeof *stages; at++)
        printf ("%s %" PRIu64 " %.3f %" PRId64 "\n", stages [at].name,
                stages [at].cpu_ns / (changes - viewers),
                (double)stages [at].allocations / (double)(changes - viewers),
                stages [at].heap / (int64_t)viewers);
    return 0;
}
