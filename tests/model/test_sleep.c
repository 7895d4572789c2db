//  test_sleep - two shards are told the same, and one of them puts viewers to sleep at any moment: they say the same,
//  byte by byte, to the store, the feed and the ingester
//
//  Usage: test_sleep [FIRST_SEED [CASES]]. A failure prints its seed.

#include "chance.h"
#include "memory.h"
#include "seeds.h"
#include "../unit/shard_hand.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    CASES = 60,
    STEPS = 1500,    //  of a few ms: nobody is silent so long as to doze off because of the time
    VIEWERS = 10,
    PLAIN = 6,    //  of them
    SESSIONS = 4,
    OWED_MAX = 64,
    EVERYBODY = 1000
};

static const uint64_t START_MS = 1790000000000;
static seeds_t seeds = { 1, CASES };

//  What a shard asked of the store.
typedef struct {
    usher_msg_id_t id;
    char viewer_id [16];
    uint64_t epoch, version, erased_ms;
} owed_t;

//  A row of the store.
typedef struct {
    uint64_t epoch, version;
    size_t size;
    uint8_t *profile;
} row_t;

typedef struct {
    config_t config;
    shard_t *shard;
    outbox_t *out;
    size_t used, room;
    uint8_t *said;    //  since the last comparison
    uint64_t sum;     //  of its messages, in any order
    size_t owed_count;
    owed_t owed [OWED_MAX];
    uint64_t erased_ms [VIEWERS];
    row_t asked [VIEWERS], stored [VIEWERS];    //  what the last write says; what is there
} side_t;

typedef struct {
    uint64_t seed, random, clock_ms, seq, offset, said;
    int step;
    bool plain;    //  nearly all events are, and so close that windows fill
    usher_time_t now;
    side_t sides [2];    //  the second one sleeps
} world_t;

static uint64_t
pick (world_t *self, uint64_t below)
{
    return chance_pick (&self->random, below);
}

static size_t
number_of (usher_str_t viewer)
{
    return (size_t)(viewer.data [viewer.size - 1] - '0');
}

//  The store knows of an erasure from when the shard says that it has let go.
static uint64_t *
erased_of (side_t *self, usher_str_t viewer)
{
    return &self->erased_ms [number_of (viewer)];
}

static void
row_set (row_t *self, uint64_t epoch, uint64_t version, const void *profile, size_t size)
{
    free (self->profile);
    *self = (row_t){ epoch, version, size, size ? memory_copy (profile, size) : NULL };
}

static void
owe (side_t *self, const usher_msg_t *msg)
{
    if (msg->id == USHER_MSG_forgotten) {
        *erased_of (self, msg->forgotten.viewer_id) = msg->forgotten.erased_ms;
        row_set (&self->stored [number_of (msg->forgotten.viewer_id)], 0, 0, NULL, 0);
    }
    usher_str_t viewer = msg->id == USHER_MSG_write ? msg->write.viewer_id : msg->load.viewer_id;
    if (msg->id != USHER_MSG_write && msg->id != USHER_MSG_load)
        return;
    assert_true (self->owed_count < OWED_MAX);
    owed_t *owed = &self->owed [self->owed_count++];
    *owed = (owed_t){ .id = msg->id };
    memcpy (owed->viewer_id, viewer.data, viewer.size);
    owed->erased_ms = *erased_of (self, viewer);
    if (msg->id == USHER_MSG_write) {
        owed->epoch = msg->write.epoch;
        owed->version = msg->write.version;
        row_set (&self->asked [number_of (viewer)], msg->write.epoch, msg->write.version,
                 msg->write.profile.data, msg->write.profile.size);
    }
}

static void
say (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    side_t *self = arg;
    (void)link, (void)peer;
    if (self->room - self->used < size) {
        self->room = (self->used + size) * 2;
        self->said = memory_resize (self->said, self->room, 1);
    }
    memcpy (self->said + self->used, data, size);
    self->used += size;
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    for (const uint8_t *from = frame.next; usher_decode (&frame, &msg) == USHER_OK; from = frame.next) {
        self->sum += XXH64 (from, (size_t)(frame.next - from), 0);
        owe (self, &msg);
    }
}

static void
hand (world_t *self, usher_link_id_t link, const usher_msg_t *msg)
{
    for (size_t side = 0; side < 2; side++)
        shard_hand (self->sides [side].shard, link, msg, self->sides [side].out);
}

static void
world_begin (world_t *self, uint64_t seed)
{
    *self = (world_t){ .seed = seed, .random = seed * 0x9e3779b97f4a7c15u, .clock_ms = START_MS };
    self->now = (usher_time_t){ .wall_ms = (int64_t)START_MS, .mono_ms = 1 };
    for (size_t at = 0; at < 2; at++) {
        side_t *side = &self->sides [at];
        side->config.shard.paused_timeout_s = 600;
        side->config.shard.forget_s = 900;
        side->config.shard.checkpoint_s = 1;
        side->config.shard.feed_soft_s = 1;
        side->config.shard.awake_viewers = EVERYBODY;
        side->config.shard.unwritten_bytes = UINT64_MAX;
        side->shard = shard_new (&side->config, 0, self->now);
        side->out = outbox_new (say, side);
        shard_peer_up (side->shard, USHER_LINK_store, 0, "persister", side->out);
        shard_peer_up (side->shard, USHER_LINK_changes, 0, "publisher", side->out);
        shard_peer_up (side->shard, USHER_LINK_events, 0, "ingester", side->out);
    }
    static const char owners [USHER_SLOTS] = { 0 };
    usher_msg_t msg = { .id = USHER_MSG_granted, .granted = { 1 } };
    hand (self, USHER_LINK_store, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_slots, .slots = { 1, 1, usher_bytes (owners, sizeof owners) } };
    hand (self, USHER_LINK_control, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_live_page, .live_page = { .last = 1 } };
    hand (self, USHER_LINK_store, &msg);
}

static void
world_end (world_t *self)
{
    for (size_t at = 0; at < 2; at++) {
        shard_destroy (&self->sides [at].shard);
        outbox_destroy (&self->sides [at].out);
        free (self->sides [at].said);
        for (size_t viewer = 0; viewer < VIEWERS; viewer++) {
            row_set (&self->sides [at].asked [viewer], 0, 0, NULL, 0);
            row_set (&self->sides [at].stored [viewer], 0, 0, NULL, 0);
        }
    }
}

//  ---- what they are told

static usher_str_t
one_of (world_t *self, const char *const *texts, size_t count)
{
    return usher_str (texts [pick (self, count)]);
}

//  Decimal numbers, sums of them, and what no rule is made for.
static double
real_pick (world_t *self)
{
    static const double odd [] = { NAN, 0, -1.5, 1e300, 1.0 / 3, -0.0, 5e-324 };
    switch (pick (self, 5)) {
    case 0:
        return odd [pick (self, 7)];
    case 1:
        return (double)pick (self, 1000000) / 1e3 + (double)pick (self, 1000000) / 1e3;
    case 2:
        return (double)pick (self, 1000000000) / 1e6;
    default:
        return (double)pick (self, 1000000) / 1e3;
    }
}

static double
total_pick (world_t *self)
{
    double value = real_pick (self);
    return value >= 0 && value < 1e9 ? value : 0;
}

static void
entities_tell (world_t *self, usher_event_t *event)
{
    static const char *const names [] = { "", "a", "Film, part 2", "0190163a-5c1e-4c00-8000-00000000000a",
                                          "0190163A-5C1E-4C00-8000-00000000000A" };
    event->has = (uint32_t)pick (self, 64);
    event->media_label = one_of (self, names, 5);
    event->duration_s = real_pick (self);
    event->rate = real_pick (self);
    event->avg_rate = real_pick (self);
    event->ad_duration_s = real_pick (self);
    event->volume = (uint32_t)pick (self, 102);
    event->flags = (uint32_t)pick (self, 64);
    event->quality = one_of (self, names, 5);
    event->player_type = one_of (self, names, 5);
    event->ad_id = one_of (self, names, 5);
    event->ad_name = one_of (self, names, 5);
    event->creative_id = one_of (self, names, 5);
    event->break_id = one_of (self, names, 5);
    event->bitrate = pick (self, 2) ? pick (self, 3000) : UINT64_MAX;
    event->error_text = one_of (self, names, 5);
    event->platform = one_of (self, names, 3);
    event->app_id = one_of (self, names, 5);
    event->city = one_of (self, names, 3);
    event->user_agent = one_of (self, names, 5);
}

static void
totals_tell (world_t *self, usher_event_t *event)
{
    event->time_played_s = total_pick (self);
    event->time_paused_s = total_pick (self);
    event->time_buffering_s = total_pick (self);
    event->time_ads_s = total_pick (self);
    event->content_s = total_pick (self);
    event->ads_clicked = pick (self, 4) ? 0 : (uint32_t)pick (self, 6);
    event->ads_skipped = pick (self, 4) ? 0 : (uint32_t)pick (self, 6);
    event->percent = (uint32_t)pick (self, 101);
    event->ping_s = pick (self, 5) ? 0 : (uint32_t)pick (self, 400);
}

//  What most events are: of one session, from one partition, with a position and now and then a total of ads. The events of a
//  second go in their order, but some come late or twice.
static void
plain_tell (world_t *self, usher_event_t *event)
{
    event->session_id = (usher_str_t){ 0 };
    event->partition = 0;
    event->kind = pick (self, 8) ? USHER_event_kind_ping : event->kind;
    event->video_s = pick (self, 6) ? (double)event->offset : event->video_s;
    event->ping_s = pick (self, 30) ? 0 : (uint32_t)pick (self, 400);
    event->ads_clicked = pick (self, 40) ? 0 : (uint32_t)pick (self, 6);
    if (pick (self, 50) == 0)
        return;
    event->collected_ms = self->clock_ms + event->offset % 1000;
    event->created_ms = pick (self, 5) ? 0 : event->collected_ms - 250;
}

static void
event_tell (world_t *self)
{
    static const char *const sessions [SESSIONS] = { "", "b", "a", "e3a82b1d-e44e-4bbf-a797-672b4e879af3" };
    char viewer [16], id [40];
    snprintf (viewer, sizeof viewer, "viewer-%d", (int)pick (self, VIEWERS));
    //  Some are told twice, some have no UUID.
    snprintf (id, sizeof id, pick (self, 4) ? "%08x-0000-4000-8000-000000000000" : "e%u",
              (unsigned)pick (self, 4000));
    static const uint64_t leads [] = { 0, 0, 250, 86400000, 0 - 86400000ull };
    uint64_t collected_ms = self->clock_ms - pick (self, 3) * pick (self, 200000);
    usher_msg_t msg = { .id = USHER_MSG_event };
    msg.event = (usher_event_t){ .viewer_id = usher_str (viewer),
                                 .event_id = pick (self, 8) ? usher_str (id) : usher_str (""),
                                 .session_id = one_of (self, sessions, SESSIONS),
                                 .partition = (uint32_t)pick (self, 3),
                                 .generation = 0x9e3779b97f4a7c15u,
                                 .offset = ++self->offset,
                                 .kind = (usher_event_kind_t)pick (self, USHER_EVENT_KINDS),
                                 .collected_ms = collected_ms,
                                 .created_ms = pick (self, 4) ? collected_ms + leads [pick (self, 5)] : 0,
                                 .video_s = real_pick (self) };
    if (pick (self, 3))
        msg.event.kind = USHER_event_kind_ping;
    if (self->plain ? pick (self, 1000) : viewer [strlen (viewer) - 1] < '0' + PLAIN && pick (self, 100))
        plain_tell (self, &msg.event);
    else
        totals_tell (self, &msg.event);
    if (pick (self, 2) && msg.event.session_id.size)
        entities_tell (self, &msg.event);
    hand (self, USHER_LINK_events, &msg);
}

static void
frame_tell (world_t *self)
{
    bool silence = pick (self, self->plain ? 1000 : 10) == 0;
    self->clock_ms += silence ? pick (self, 400000) : pick (self, self->plain ? 2500 : 4000);
    usher_msg_t msg = { .id = USHER_MSG_batch, .batch = { ++self->seq, self->clock_ms } };
    hand (self, USHER_LINK_events, &msg);
    for (size_t left = pick (self, self->plain ? 16 : 5); left > 0; left--)
        event_tell (self);
}

//  A viewer is erased up to some instant that is at hand.
static void
erasure_tell (world_t *self)
{
    char viewer [16];
    snprintf (viewer, sizeof viewer, "viewer-%d", (int)pick (self, VIEWERS));
    usher_msg_t msg = { .id = USHER_MSG_forget };
    msg.forget.viewer_id = usher_str (viewer);
    msg.forget.wished_ms = self->clock_ms;
    hand (self, USHER_LINK_store, &msg);
}

//  The last write that was asked is there, if it is that one.
static void
stored_put (world_t *self, size_t viewer, uint64_t version)
{
    for (size_t at = 0; at < 2; at++) {
        const row_t *asked = &self->sides [at].asked [viewer];
        if (asked->version == version)
            row_set (&self->sides [at].stored [viewer], asked->epoch, asked->version, asked->profile,
                     asked->size);
    }
}

//  The store answers, in any order, and not always what one hopes for.
static void
store_answer (world_t *self)
{
    if (self->sides [0].owed_count == 0)
        return;
    size_t at = pick (self, self->sides [0].owed_count);
    owed_t owed = self->sides [0].owed [at];
    for (size_t side = 0; side < 2; side++)
        self->sides [side].owed [at] = self->sides [side].owed [--self->sides [side].owed_count];
    usher_msg_t msg = { .id = USHER_MSG_loaded };
    usher_str_t viewer = usher_str (owed.viewer_id);
    uint64_t luck = pick (self, 16);
    if (owed.id == USHER_MSG_load) {
        const row_t *row = &self->sides [0].stored [number_of (viewer)];
        msg.loaded = (usher_loaded_t){ .viewer_id = viewer,
                                       .epoch = row->epoch,
                                       .version = row->version,
                                       .profile = usher_bytes (row->profile, row->size),
                                       .erased_ms = owed.erased_ms,
                                       .row = row->epoch ? number_of (viewer) + 1 : 0 };
    } else {
        msg.id = USHER_MSG_written;
        msg.written = (usher_written_t){ viewer, owed.epoch, owed.version,
                                         luck == 0   ? USHER_outcome_refused
                                         : luck == 1 ? USHER_outcome_failed
                                                     : USHER_outcome_done,
                                         number_of (viewer) + 1 };
    }
    if (msg.id == USHER_MSG_written && msg.written.outcome == USHER_outcome_done)
        stored_put (self, number_of (viewer), owed.version);
    hand (self, USHER_LINK_store, &msg);
}

//  ---- what they say

static int
owed_compare (const void *a, const void *b)
{
    return memcmp (a, b, sizeof (owed_t));
}

//  ordered: the same frames in the same order; else the same messages.
static void
compare (world_t *self, bool ordered)
{
    side_t *one = &self->sides [0], *other = &self->sides [1];
    for (size_t at = 0; at < 2; at++) {
        outbox_flush (self->sides [at].out);
        qsort (self->sides [at].owed, self->sides [at].owed_count, sizeof (owed_t), owed_compare);
    }
    bool same = one->used == other->used && (!one->used || memcmp (one->said, other->said, one->used) == 0);
    if (one->sum != other->sum || (ordered && !same))
        fail_msg ("seed %llu, step %d: they do not say the same", (unsigned long long)self->seed, self->step);
    self->said += one->used;
    one->used = other->used = one->sum = other->sum = 0;
}

//  What is sent again is sent in any order.
static void
tick (world_t *self)
{
    compare (self, true);
    for (size_t side = 0; side < 2; side++)
        shard_tick (self->sides [side].shard, self->now, self->sides [side].out);
    compare (self, false);
}

static void
store_restart (world_t *self)
{
    compare (self, true);
    for (size_t side = 0; side < 2; side++) {
        self->sides [side].owed_count = 0;
        shard_peer_up (self->sides [side].shard, USHER_LINK_store, 0, "persister", self->sides [side].out);
    }
    compare (self, false);
}

static void
step_take (world_t *self)
{
    //  In seconds enough for checkpoints of who sleeps.
    self->now.mono_ms += self->plain ? 4 : 1;
    self->now.wall_ms += 10;
    static const uint32_t awake [] = { 0, 0, 3, EVERYBODY };
    self->sides [1].config.shard.awake_viewers = awake [pick (self, 4)];
    usher_msg_t fill = { .id = USHER_MSG_fill };
    if (pick (self, 100) == 0)
        hand (self, USHER_LINK_changes, &fill);
    else if (pick (self, 200) == 0)
        store_restart (self);
    else if (pick (self, 200) == 0)
        erasure_tell (self);
    else if (pick (self, 3) == 0)
        frame_tell (self);
    else
        store_answer (self);
    for (size_t side = 0; side < 2; side++)
        shard_turn (self->sides [side].shard, self->now, self->sides [side].out);
    tick (self);
}

//  What the metrics of a side say.
static long
metric_of (const side_t *self, const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream (&text, &size);
    shard_metrics (self->shard, file);
    fclose (file);
    char key [64];
    snprintf (key, sizeof key, "\n%s ", name);
    const char *found = strstr (text, key);
    assert_non_null (found);
    long value = strtol (found + strlen (key), NULL, 10);
    free (text);
    return value;
}

static void
drain (world_t *self)
{
    bool drained [2] = { false };
    for (; !drained [0]; self->step++) {
        for (size_t side = 0; side < 2; side++)
            drained [side] = shard_drained (self->sides [side].shard, self->now, self->sides [side].out);
        compare (self, true);
        assert_int_equal (drained [0], drained [1]);
        store_answer (self);
        self->now.mono_ms += 1000;    //  what failed is tried again
        tick (self);
        assert_true (self->step < 2 * STEPS);
    }
}

//  Returns how many events left their viewer asleep.
static uint64_t
sleep_is_not_seen (bool plain)
{
    world_t *self = memory_new (1, sizeof *self);
    long slept = 0;
    uint64_t asleep = 0;
    for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; seed++) {
        world_begin (self, seed);
        self->plain = plain;
        for (; self->step < STEPS; self->step++) {
            step_take (self);
            long live = metric_of (&self->sides [0], "usher_viewers_in_memory");
            assert_int_equal (live, metric_of (&self->sides [0], "usher_viewers_awake"));
            assert_int_equal (live, metric_of (&self->sides [1], "usher_viewers_in_memory"));
            slept += live - metric_of (&self->sides [1], "usher_viewers_awake");
        }
        asleep += shard_counters (self->sides [1].shard)->asleep;
        assert_int_equal (shard_counters (self->sides [0].shard)->asleep, 0);
        drain (self);
        for (size_t side = 0; side < 2; side++)
            assert_int_equal (metric_of (&self->sides [side], "usher_unwritten_bytes"), 0);
        assert_true (self->said > 10000);
        world_end (self);
    }
    //  They did sleep: of ten viewers one or more at each step.
    assert_true (slept > (long)seeds.count * STEPS);
    free (self);
    return asleep;
}

static void
test_sleep_is_not_seen (void **state)
{
    (void)state;
    assert_true (sleep_is_not_seen (false) > seeds.count * VIEWERS);
}

static void
test_plain_events_leave_viewers_asleep (void **state)
{
    (void)state;
    assert_true (sleep_is_not_seen (true) > 20 * seeds.count * VIEWERS);
}

int
main (int argc, char **argv)
{
    seeds_read (&seeds, argc, argv);
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_sleep_is_not_seen),
                                         cmocka_unit_test (test_plain_events_leave_viewers_asleep) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
