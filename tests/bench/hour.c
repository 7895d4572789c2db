//  hour - what an hour of viewing costs the store, each viewer counted
//
//  usage: hour VIEWERS      prints a line `VIEWING changes writes history` for each way of viewing, each per viewer
//
//  The cores live through the hour in steps of a second of a clock that is only counted. All viewers begin in the first half
//  minute, spread evenly, and are followed for an hour from there: each 30 s a ping, and what the table says. The store
//  answers at once. A write is one conditional write of viewer_profiles, a history message one row of video_events; the
//  hour ends without an end, so nothing is written because of it.

#include "trio.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PING_S = 30, HOUR_S = 3600, STEP_MS = 1000 };

static const uint64_t START_MS = 1790000000000;

typedef struct {
    const char *name;
    unsigned second;
    const char *kind;
    unsigned clicked, skipped, ad;
} act_t;

//  What happens besides the pings, in seconds of the viewer's hour.
static const act_t acts [] = {
    { "quiet", 0, "play", 0, 0, 0 },
    { "ordinary", 0, "play", 0, 0, 0 },
    { "ordinary", 614, "pause", 0, 0, 0 },
    { "ordinary", 731, "play", 0, 0, 0 },
    { "ordinary", 1510, "ad_break_start", 0, 0, 0 },
    { "ordinary", 1511, "ad_start", 0, 0, 7 },
    { "ordinary", 1516, "ad_quartile", 0, 0, 7 },
    { "ordinary", 1521, "ad_quartile", 0, 0, 7 },
    { "ordinary", 1526, "ad_quartile", 0, 0, 7 },
    { "ordinary", 1531, "ad_complete", 0, 0, 7 },
    { "ordinary", 1532, "ad_start", 0, 0, 8 },
    { "ordinary", 1538, "ad_skip", 0, 1, 8 },
    { "ordinary", 1539, "ad_break_end", 0, 1, 8 },
    { "ordinary", 2702, "pause", 0, 1, 8 },
    { "ordinary", 2745, "play", 0, 1, 8 },
};

typedef struct {
    trio_t *trio;
    uint64_t viewers, offset, changes;
    usher_time_t now;
} viewing_t;

static void
say (viewing_t *self, uint64_t viewer, unsigned second, const act_t *act)
{
    char text [512], when [32];
    time_t seconds = (time_t)(self->now.wall_ms / 1000);
    struct tm parts;
    gmtime_r (&seconds, &parts);
    strftime (when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    int size = snprintf (
        text, sizeof text,
        "{\"adId\":%u,\"adsClicked\":%u,\"adsSkipped\":%u,\"collector_tstamp\":\"%s.000Z\",\"event_id\":"
        "\"%08x-0000-4000-8000-%012" PRIx64 "\",\"event_name\":\"%s_event\",\"video_ts\":%u,"
        "\"viewer_id\":\"viewer-%" PRIu64 "\"}",
        act->ad, act->clicked, act->skipped, when, second, self->offset, act->kind, second, viewer);
    source_row_t row = {
        .offset = self->offset, .next = self->offset + 1, .data = text, .size = (size_t)size, .reason = ""
    };
    self->offset++;
    ingester_take (self->trio->ingester.state, &row, self->trio->ingester.out);
}

//  A second of a viewer's hour. A player says the totals so far with each ping.
static void
viewer_live (viewing_t *self, const char *name, uint64_t viewer, unsigned second)
{
    act_t ping = { name, second, "ping", 0, 0, 0 };
    bool acted = false;
    for (size_t at = 0; at < sizeof acts / sizeof *acts; at++) {
        const act_t *act = &acts [at];
        if (strcmp (act->name, name) != 0 || act->second > second)
            continue;
        ping.clicked = act->clicked, ping.skipped = act->skipped, ping.ad = act->ad;
        if (act->second == second) {
            say (self, viewer, second, act);
            self->changes += strcmp (act->kind, "play") == 0 || strcmp (act->kind, "pause") == 0;
            acted = true;
        }
    }
    if (!acted && second % PING_S == 0)
        say (self, viewer, second, &ping);
}

static void
turn (viewing_t *self)
{
    trio_t *trio = self->trio;
    ingester_flush (trio->ingester.state, self->now, trio->ingester.out);
    outbox_flush (trio->ingester.out);
    core_deliver (&trio->shard, &trio->ingester, USHER_LINK_events);
    for (int again = 0; again < 2; again++) {
        shard_turn (trio->shard.state, self->now, trio->shard.out);
        outbox_flush (trio->shard.out);
        trio_store_answers (trio);
    }
    outbox_flush (trio->shard.out);
    core_deliver (&trio->ingester, &trio->shard, USHER_LINK_events);
    core_deliver (&trio->publisher, &trio->shard, USHER_LINK_changes);
    publisher_turn (trio->publisher.state, self->now, trio->publisher.out);
    outbox_flush (trio->publisher.out);
}

static void
hour_live (const char *name, uint64_t viewers)
{
    static trio_t trio;
    usher_time_t now = { .wall_ms = (int64_t)START_MS, .mono_ms = 1000 };
    trio_open (&trio, now);
    viewing_t self = { &trio, viewers, 0, 0, now };
    for (unsigned second = 0; second < HOUR_S + PING_S; second++) {
        self.now.wall_ms += STEP_MS;
        self.now.mono_ms += STEP_MS;
        for (uint64_t viewer = 0; viewer < viewers; viewer++)
            if (second >= viewer % PING_S && second - viewer % PING_S < HOUR_S)
                viewer_live (&self, name, viewer, second - (unsigned)(viewer % PING_S));
        turn (&self);
    }
    double each = (double)viewers;
    printf ("%s %.3f %.3f %.3f\n", name, (double)self.changes / each,
            (double)trio.asked [USHER_MSG_write] / each, (double)trio.asked [USHER_MSG_history] / each);
}

int
main (int argc, char **argv)
{
    uint64_t viewers = argc > 1 ? strtoull (argv [1], NULL, 10) : 0;
    if (viewers == 0) {
        fprintf (stderr, "usage: hour VIEWERS\n");
        return 2;
    }
    hour_live ("quiet", viewers);
    hour_live ("ordinary", viewers);
    return 0;
}
