//  test_shard - what a shard sends: never more than a link carries, whoever means harm; that the feed hears of sessions that are
//  folded away; the instant of an erasure; and that nothing waits for ever for an epoch

#include "memory.h"
#include "shard_hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { LINK_MAX = 4 * 1024 * 1024, SESSIONS = 40, EVENTS = 200 };

static const uint64_t START_MS = 1790000000000;

typedef struct {
    config_t config;
    shard_t *shard;
    outbox_t *out;
    uint64_t version;               //  of the newest write
    usher_forgotten_t forgotten;    //  that was told last; its viewer is nobody's
    size_t largest, writes, rows, shown, gone;
} bench_t;

static void
sent (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    bench_t *self = arg;
    (void)link, (void)peer;
    self->largest = size > self->largest ? size : self->largest;
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        self->rows += msg.id == USHER_MSG_history;
        self->shown += msg.id == USHER_MSG_session && !msg.session.gone;
        self->gone += msg.id == USHER_MSG_session && msg.session.gone;
        if (msg.id == USHER_MSG_forgotten)
            self->forgotten = msg.forgotten;
        if (msg.id != USHER_MSG_write)
            continue;
        self->writes++;
        self->version = msg.write.version;
    }
    assert_true (frame.next == frame.end);
}

static void
hand (bench_t *self, usher_link_id_t link, const usher_msg_t *msg)
{
    shard_hand (self->shard, link, msg, self->out);
    outbox_flush (self->out);
}

static void
grant (bench_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_granted, .granted = { 1 } };
    hand (self, USHER_LINK_store, &msg);
}

//  A shard that is not granted.
static void
bench_start (bench_t *self)
{
    *self = (bench_t){ .config.shard = { .paused_timeout_s = 1800,
                                         .forget_s = 3600,
                                         .checkpoint_s = 300,
                                         .unwritten_bytes = 1024 * 1024 * 1024 } };
    usher_time_t now = { .wall_ms = (int64_t)START_MS, .mono_ms = 1 };
    self->shard = shard_new (&self->config, 0, now);
    self->out = outbox_new (sent, self);
    shard_peer_up (self->shard, USHER_LINK_store, 0, "persister", self->out);
    shard_peer_up (self->shard, USHER_LINK_changes, 0, "publisher", self->out);
    shard_peer_up (self->shard, USHER_LINK_events, 0, "ingester", self->out);
    usher_msg_t msg = { .id = USHER_MSG_batch, .batch = { 1, START_MS } };
    hand (self, USHER_LINK_events, &msg);
}

static void
bench_begin (bench_t *self)
{
    bench_start (self);
    grant (self);
    usher_msg_t msg = { .id = USHER_MSG_live_page, .live_page = { .last = 1 } };
    hand (self, USHER_LINK_store, &msg);
}

static void
bench_end (bench_t *self)
{
    shard_destroy (&self->shard);
    outbox_destroy (&self->out);
}

static void
answer (bench_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_written };
    msg.written = (usher_written_t){ usher_str ("v"), 1, self->version, USHER_outcome_done, 7 };
    hand (self, USHER_LINK_store, &msg);
}

//  Everything as long as it may be, every event a change, and a new name for the medium each time.
static void
harm (bench_t *self, int session, int number)
{
    static char text [4097], session_id [1025], event_id [129], label [4097];
    static uint64_t offset;
    memset (text, 'x', 4096);
    snprintf (session_id, sizeof session_id, "%04u%.1020s", session % 10000u, text);
    snprintf (event_id, sizeof event_id, "%04u-%04u%.119s", session % 10000u, number % 10000u, text);
    snprintf (label, sizeof label, "%04u%.4092s", number % 10000u, text);
    usher_msg_t msg = { .id = USHER_MSG_event };
    usher_event_t *event = &msg.event;
    event->viewer_id = usher_str ("v");
    event->session_id = usher_str (session_id);
    event->event_id = usher_str (event_id);
    event->kind = number % 2 ? USHER_event_kind_play : USHER_event_kind_pause;
    event->collected_ms = START_MS + (uint64_t)number;
    event->offset = ++offset;
    event->has = 63;
    event->media_label = usher_str (label);
    event->player_type = event->ad_name = event->error_text = event->creative_id = usher_bytes (text, 4096);
    event->ad_id = event->break_id = usher_bytes (text, 1024);
    hand (self, USHER_LINK_events, &msg);
}

static void
load (bench_t *self, uint64_t erased_ms)
{
    usher_msg_t msg = { .id = USHER_MSG_loaded,
                        .loaded = { .viewer_id = usher_str ("v"), .erased_ms = erased_ms } };
    hand (self, USHER_LINK_store, &msg);
}

static void
test_nobody_ends_a_shard (void **state)
{
    (void)state;
    bench_t self;
    bench_begin (&self);
    harm (&self, 0, 0);
    load (&self, 0);
    //  The store is slow: it answers now and then.
    for (int session = 0; session < SESSIONS; session++)
        for (int number = 0; number < EVENTS; number++) {
            harm (&self, session, number);
            if (number % 20 == 0)
                answer (&self);
        }
    answer (&self);
    assert_true (self.largest <= LINK_MAX);
    assert_true (self.writes > SESSIONS && self.rows > SESSIONS * EVENTS);
    //  What was folded away is not in the feed for ever.
    assert_true (self.gone >= SESSIONS - 32);
    bench_end (&self);
}

//  Where the store answers a load before the claim: nobody may send another event of the viewer.
static void
test_a_profile_that_comes_before_the_epoch (void **state)
{
    (void)state;
    bench_t self;
    bench_start (&self);
    harm (&self, 0, 0);
    load (&self, 0);
    assert_int_equal (self.writes, 0);
    grant (&self);
    assert_int_equal (self.writes, 1);
    bench_end (&self);
}

static void
forget (bench_t *self, uint64_t wished_ms)
{
    usher_msg_t msg = { .id = USHER_MSG_forget, .forget = { usher_str ("v"), wished_ms } };
    hand (self, USHER_LINK_store, &msg);
}

//  Who holds nothing of the viewer takes any instant that is no earlier than the wish; who does, none that is earlier than what it
//  named.
static void
test_the_instant_of_an_erasure (void **state)
{
    (void)state;
    bench_t self;
    char owners [USHER_SLOTS] = { 0 };
    usher_msg_t slots = { .id = USHER_MSG_slots, .slots = { 1, 1, usher_bytes (owners, sizeof owners) } };
    bench_begin (&self);
    hand (&self, USHER_LINK_control, &slots);
    forget (&self, START_MS - 500);
    assert_int_equal (self.forgotten.erased_ms, START_MS);
    assert_true (self.forgotten.held_nothing);
    harm (&self, 0, 0);
    load (&self, START_MS - 501);
    assert_int_equal (self.writes, 0);
    load (&self, START_MS - 100);
    assert_int_equal (self.writes, 1);
    //  It was done for that wish.
    forget (&self, START_MS - 500);
    assert_int_equal (self.forgotten.erased_ms, START_MS - 100);
    assert_false (self.forgotten.held_nothing);
    //  For the next one it lets go; asked again, it says the same.
    for (int asked = 0; asked < 2; asked++) {
        forget (&self, START_MS - 80);
        assert_int_equal (self.forgotten.erased_ms, START_MS);
        assert_false (self.forgotten.held_nothing);
    }
    harm (&self, 0, 1);
    load (&self, START_MS - 80);
    assert_int_equal (self.writes, 1);
    load (&self, START_MS);
    assert_int_equal (self.writes, 2);
    bench_end (&self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_nobody_ends_a_shard),
        cmocka_unit_test (test_a_profile_that_comes_before_the_epoch),
        cmocka_unit_test (test_the_instant_of_an_erasure),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
