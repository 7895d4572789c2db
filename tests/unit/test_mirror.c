//  test_mirror - publisher and mirror against a naive model, over a feed that loses, doubles and reorders frames

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "memory.h"
#include "mirror.h"
#include "publisher_hears.h"

#define VIEWERS 40
#define FRAMES 4096

typedef struct {
    void *data;
    size_t size;
} frame_t;

//  The whole world: a shard that is a table, a publisher, a network that lies, a mirror.
typedef struct {
    publisher_t *publisher;
    mirror_t *mirror;
    outbox_t *out;
    uint64_t random, epoch, version, publishers;
    usher_time_t now;
    uint32_t state [VIEWERS];    //  the model; 0 gone
    frame_t feed [FRAMES], answers [FRAMES];
    size_t feed_count, answer_count;
    unsigned loss, doubling, swapping;    //  percent
} world_t;

static unsigned
roll (world_t *self, unsigned sides)
{
    return (unsigned)chance_pick (&self->random, sides);
}

static void
on_publish (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    world_t *self = arg;
    assert_true (topic_size == 1 || topic_size == 3);
    if (*(const char *)topic == 'a')
        return;    //  aggregates are not the mirror's matter
    assert_true (*(const char *)topic == (topic_size == 1 ? 't' : 's'));
    if (roll (self, 100) < self->loss)
        return;
    for (unsigned copies = roll (self, 100) < self->doubling ? 2 : 1; copies; copies--) {
        assert_true (self->feed_count < FRAMES);
        self->feed [self->feed_count++] = (frame_t){ memory_copy (data, size), size };
    }
}

static void
on_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    world_t *self = arg;
    (void)peer;
    if (link != USHER_LINK_snapshots)
        return;
    assert_true (self->answer_count < FRAMES);
    self->answers [self->answer_count++] = (frame_t){ memory_copy (data, size), size };
}

static void
world_open (world_t *self, uint64_t seed)
{
    *self = (world_t){ .random = seed, .epoch = 1, .publishers = 1000, .now = { 1700000000000, 1000 } };
    const mirror_events_t none = { 0 };
    self->publisher = publisher_new (self->publishers, on_publish, self);
    self->mirror = mirror_new (&none);
    self->out = outbox_new (on_send, self);
}

static void
world_close (world_t *self)
{
    void *publisher = self->publisher;
    publisher_destroy (&publisher);
    mirror_destroy (&self->mirror);
    outbox_destroy (&self->out);
    for (size_t at = 0; at < self->feed_count; at++)
        free (self->feed [at].data);
    for (size_t at = 0; at < self->answer_count; at++)
        free (self->answers [at].data);
}

//  ---- the shard

static void
say (world_t *self, unsigned viewer, uint32_t state)
{
    char name [24];
    snprintf (name, sizeof name, "viewer-%u", viewer);
    usher_msg_t msg = { .id = USHER_MSG_session,
                        .session = { .slot = usher_slot (usher_str (name)),
                                     .viewer_id = usher_str (name),
                                     .session_id = usher_str ("s"),
                                     .epoch = self->epoch,
                                     .version = ++self->version,
                                     .gone = state == 0,
                                     .state = state } };
    publisher_hears (self->publisher, &msg);
}

static void
change (world_t *self)
{
    unsigned viewer = roll (self, VIEWERS);
    uint32_t state = roll (self, 4);
    if (state || self->state [viewer])
        say (self, viewer, state);
    self->state [viewer] = state;
}

//  A new incarnation of the shard, or an old one for a new publisher.
static void
fill (world_t *self)
{
    char owners [USHER_SLOTS] = { 0 };
    self->epoch++;
    self->version = 0;
    publisher_peer_up (self->publisher, USHER_LINK_changes, 0, "shard-0", self->out);
    for (unsigned viewer = 0; viewer < VIEWERS; viewer++)
        if (self->state [viewer])
            say (self, viewer, self->state [viewer]);
    usher_msg_t msg = { .id = USHER_MSG_filled,
                        .filled = { 0, usher_bytes (owners, sizeof owners), self->epoch } };
    publisher_hears (self->publisher, &msg);
}

static void
publisher_dies (world_t *self)
{
    void *publisher = self->publisher;
    publisher_destroy (&publisher);
    self->publisher = publisher_new (++self->publishers, on_publish, self);
    mirror_publisher_up (self->mirror);
    fill (self);
}

//  ---- the network

static void
deliver_feed (world_t *self)
{
    for (size_t at = 0; at + 1 < self->feed_count; at++)
        if (roll (self, 100) < self->swapping) {
            frame_t swapped = self->feed [at];
            self->feed [at] = self->feed [at + 1];
            self->feed [at + 1] = swapped;
        }
    for (size_t at = 0; at < self->feed_count; at++) {
        assert_true (
            mirror_frame (self->mirror, self->feed [at].data, self->feed [at].size, self->now.mono_ms));
        free (self->feed [at].data);
    }
    self->feed_count = 0;
}

static void
deliver_answers (world_t *self)
{
    outbox_flush (self->out);
    for (size_t at = 0; at < self->answer_count; at++) {
        usher_frame_t frame;
        usher_msg_t msg;
        assert_int_equal (usher_frame_open (&frame, self->answers [at].data, self->answers [at].size),
                          USHER_OK);
        while (usher_decode (&frame, &msg) == USHER_OK)
            if (msg.id == USHER_MSG_snapshot_slot)
                mirror_snapshot_slot (self->mirror, &msg.snapshot_slot, self->now.mono_ms);
            else
                mirror_session (self->mirror, &msg.session);
        free (self->answers [at].data);
    }
    self->answer_count = 0;
}

static void
step (world_t *self)
{
    usher_msg_t request;
    self->now.mono_ms += 100;
    self->now.wall_ms += 100;
    if (mirror_wants (self->mirror, self->now.mono_ms, &request))
        publisher_snapshot_request (self->publisher, 5, &request, self->out);
    publisher_turn (self->publisher, self->now, self->out);
    publisher_tick (self->publisher, self->now, self->out);
    //  Feed and snapshot are two sockets: either may be ahead.
    bool feed_first = roll (self, 2);
    if (feed_first)
        deliver_feed (self);
    if (roll (self, 3))
        deliver_answers (self);
    if (!feed_first && roll (self, 3))
        deliver_feed (self);
}

//  The mirror has exactly what the model has.
static void
check (world_t *self)
{
    size_t live = 0;
    for (unsigned viewer = 0; viewer < VIEWERS; viewer++) {
        char name [16];
        snprintf (name, sizeof name, "viewer-%u", viewer);
        uint32_t slot = usher_slot (usher_str (name));
        size_t at = last_value_find (mirror_sessions (self->mirror), slot, usher_str (name), usher_str ("s"));
        assert_int_equal (at != LAST_VALUE_NONE, self->state [viewer] != 0);
        if (at == LAST_VALUE_NONE)
            continue;
        usher_session_t session;
        last_value_decode (last_value_at (mirror_sessions (self->mirror), slot, at), slot, &session);
        assert_int_equal (session.state, self->state [viewer]);
        live++;
    }
    assert_int_equal (last_value_total (mirror_sessions (self->mirror)), live);
}

static void
settle (world_t *self)
{
    self->loss = self->doubling = self->swapping = 0;
    for (int steps = 0; steps < 200; steps++)
        step (self);
    assert_true (mirror_complete (self->mirror));
    assert_false (mirror_partial (self->mirror, self->now.mono_ms));
    check (self);
}

//  ---- the tests

static void
test_storms_converge (void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        world_t world;
        world_open (&world, seed);
        fill (&world);
        world.loss = seed % 3 ? 20 : 0;
        world.doubling = 10;
        world.swapping = seed % 2 ? 15 : 0;
        for (int steps = 0; steps < 150; steps++) {
            for (unsigned count = roll (&world, 6); count; count--)
                change (&world);
            if (roll (&world, 70) == 0)
                publisher_dies (&world);
            if (roll (&world, 50) == 0)
                fill (&world);
            step (&world);
        }
        settle (&world);
        world_close (&world);
    }
}

//  Whenever the mirror says that it is complete and nothing is under way, it is.
static void
test_never_silently_wrong (void **state)
{
    (void)state;
    world_t world;
    world_open (&world, 99);
    fill (&world);
    settle (&world);
    for (int round = 0; round < 300; round++) {
        world.loss = round % 2 ? 50 : 0;
        change (&world);
        publisher_turn (world.publisher, world.now, world.out);
        world.loss = 0;
        world.now.mono_ms += 1000;
        publisher_tick (world.publisher, world.now, world.out);
        deliver_feed (&world);
        if (mirror_complete (world.mirror))
            check (&world);
        else
            settle (&world);
    }
    assert_true (mirror_counts (world.mirror)->gaps > 20);
    world_close (&world);
}

//  Without loss a swapped pair heals by itself.
static void
test_reordering_needs_no_snapshot (void **state)
{
    (void)state;
    world_t world;
    world_open (&world, 7);
    fill (&world);
    settle (&world);
    uint64_t requests = mirror_counts (world.mirror)->requests;
    for (uint32_t value = 1; value <= 2; value++) {
        say (&world, 0, value);
        publisher_turn (world.publisher, world.now, world.out);
    }
    world.state [0] = 2;
    frame_t first = world.feed [0];
    world.feed [0] = world.feed [1];
    world.feed [1] = first;
    deliver_feed (&world);
    assert_true (mirror_complete (world.mirror));
    assert_int_equal (mirror_counts (world.mirror)->requests, requests);
    check (&world);
    world_close (&world);
}

static void
test_garbage_is_refused (void **state)
{
    (void)state;
    world_t world;
    world_open (&world, 3);
    fill (&world);
    settle (&world);
    assert_false (mirror_frame (world.mirror, "nonsense", 8, 0));
    assert_false (mirror_frame (world.mirror, "", 0, 0));
    check (&world);
    world_close (&world);
}

//  A publisher that says nothing makes the picture partial.
static void
test_silence_is_partial (void **state)
{
    (void)state;
    world_t world;
    world_open (&world, 4);
    assert_true (mirror_partial (world.mirror, 1000));
    fill (&world);
    settle (&world);
    assert_true (mirror_partial (world.mirror, world.now.mono_ms + 5000));
    world_close (&world);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_storms_converge),
        cmocka_unit_test (test_never_silently_wrong),
        cmocka_unit_test (test_reordering_needs_no_snapshot),
        cmocka_unit_test (test_garbage_is_refused),
        cmocka_unit_test (test_silence_is_partial),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
