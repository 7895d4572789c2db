//  test_publisher - numbering, coalescing, stale owners, filling, snapshots

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "publisher_hears.h"

typedef struct {
    publisher_t *publisher;
    outbox_t *out;
    usher_msg_t last_head;    //  numbered or tide
    size_t body_size;         //  of the last numbered one: what is behind its head
    uint8_t body [1024];
    size_t frames, sessions, gone, announces, fills;
    size_t slots, slot_sessions, ends;    //  of snapshots
    uint8_t filling [128];
    bool announce_last;
} fixture_t;

static void
count (fixture_t *self, const usher_msg_t *msg)
{
    self->sessions += msg->id == USHER_MSG_session;
    self->gone += msg->id == USHER_MSG_session && msg->session.gone;
    self->announces += msg->id == USHER_MSG_announce;
    self->announce_last = msg->id == USHER_MSG_announce;
    if (msg->id == USHER_MSG_tide)
        memcpy (self->filling, msg->tide.filling.data, sizeof self->filling);
}

static void
on_publish (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    fixture_t *self = arg;
    usher_frame_t frame;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    assert_int_equal (usher_decode (&frame, &self->last_head), USHER_OK);
    self->frames += self->last_head.id == USHER_MSG_numbered;
    count (self, &self->last_head);
    if (topic_size == 3) {
        const uint8_t *bytes = topic;
        self->body_size = (size_t)(frame.end - frame.next);
        memcpy (self->body, frame.next, self->body_size < 1024 ? self->body_size : 1024);
        assert_int_equal (bytes [1] << 8 | bytes [2], self->last_head.numbered.slot);
    }
    usher_msg_t msg;
    while (usher_decode (&frame, &msg) == USHER_OK)
        count (self, &msg);
}

static void
on_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    fixture_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    (void)link;
    (void)peer;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        self->fills += msg.id == USHER_MSG_fill;
        self->slots += msg.id == USHER_MSG_snapshot_slot && !msg.snapshot_slot.last;
        self->ends += msg.id == USHER_MSG_snapshot_slot && msg.snapshot_slot.last;
        self->slot_sessions += msg.id == USHER_MSG_session;
    }
}

static void
begin (fixture_t *self)
{
    *self = (fixture_t){ 0 };
    self->publisher = publisher_new (5, on_publish, self);
    self->out = outbox_new (on_send, self);
}

static void
end (fixture_t *self)
{
    void *publisher = self->publisher;
    publisher_destroy (&publisher);
    outbox_destroy (&self->out);
}

static void
say (fixture_t *self, const char *viewer, const char *session, uint64_t epoch, uint64_t version, bool gone)
{
    usher_msg_t msg = { .id = USHER_MSG_session,
                        .session = { .slot = usher_slot (usher_str (viewer)),
                                     .viewer_id = usher_str (viewer),
                                     .session_id = usher_str (session),
                                     .epoch = epoch,
                                     .version = version,
                                     .gone = gone } };
    publisher_hears (self->publisher, &msg);
}

static void
announce (fixture_t *self, const char *viewer, uint64_t epoch, uint64_t version)
{
    usher_msg_t msg = { .id = USHER_MSG_announce,
                        .announce = { .slot = usher_slot (usher_str (viewer)),
                                      .viewer_id = usher_str (viewer),
                                      .epoch = epoch,
                                      .version = version } };
    publisher_hears (self->publisher, &msg);
}

static void
filled (fixture_t *self, uint32_t shard, uint8_t owner, uint64_t epoch)
{
    uint8_t owners [USHER_SLOTS];
    memset (owners, owner, sizeof owners);
    usher_msg_t msg = { .id = USHER_MSG_filled,
                        .filled = { shard, usher_bytes (owners, sizeof owners), epoch } };
    publisher_hears (self->publisher, &msg);
}

static void
turn (fixture_t *self)
{
    while (publisher_turn (self->publisher, (usher_time_t){ 0, 0 }, self->out))
        ;
    outbox_flush (self->out);
}

static void
test_one_frame_a_slot_and_turn (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    say (&self, "a", "s", 1, 1, false);
    say (&self, "a", "s", 1, 2, false);
    announce (&self, "a", 1, 2);
    turn (&self);
    assert_int_equal (self.frames, 1);
    assert_int_equal (self.sessions, 2);
    assert_true (self.announce_last);
    assert_int_equal (self.last_head.numbered.seq, 1);
    assert_int_equal (self.last_head.numbered.epoch, 5);
    say (&self, "a", "s", 1, 3, false);
    turn (&self);
    assert_int_equal (self.last_head.numbered.seq, 2);
    end (&self);
}

//  What a shard said goes on as it came, but that it was restored is for nobody behind the publisher.
static void
test_what_is_said_goes_on (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    usher_msg_t read, msg = { .id = USHER_MSG_session,
                              .session = { .slot = usher_slot (usher_str ("a")),
                                           .viewer_id = usher_str ("a"),
                                           .session_id = usher_str ("s"),
                                           .epoch = 7,
                                           .version = 1,
                                           .position_s = 1.5,
                                           .media_label = usher_str ("title"),
                                           .earlier_ads = 3 } };
    uint8_t bytes [256];
    for (unsigned restored = 0; restored < 2; restored++) {
        usher_msg_t said = msg;
        said.session.restored = restored;
        said.session.version = ++msg.session.version;
        size_t size = usher_encode (&msg, bytes, sizeof bytes);
        publisher_hears (self.publisher, &said);
        turn (&self);
        assert_int_equal (self.body_size, size);
        assert_memory_equal (self.body, bytes, size);
    }
    usher_str_t viewer = msg.session.viewer_id;
    const last_value_t *held = publisher_sessions (self.publisher);
    read.id = USHER_MSG_session;
    last_value_decode (
        last_value_at (held, msg.session.slot, last_value_first (held, msg.session.slot, viewer)),
        msg.session.slot, &read.session);
    assert_true (usher_equal (&read, &msg));
    end (&self);
}

//  Many changes of one slot are several frames, and of all of them nothing is lost or twice.
static void
test_a_slot_s_frames_are_bounded (void **state)
{
    (void)state;
    enum { CHANGES = 10000 };
    fixture_t self;
    begin (&self);
    for (uint64_t version = 1; version <= CHANGES; version++)
        say (&self, "a", "s", 1, version, false);
    turn (&self);
    assert_int_equal (self.sessions, CHANGES);
    assert_true (self.frames > 1);
    assert_int_equal (self.last_head.numbered.seq, self.frames);
    assert_true (self.body_size < 60000);
    end (&self);
}

static void
test_what_is_not_newer_is_ignored (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    say (&self, "a", "s", 2, 5, false);
    say (&self, "a", "s", 2, 5, false);     //  again
    say (&self, "a", "s", 2, 4, false);     //  older
    say (&self, "a", "t", 2, 3, false);     //  a shard that fills sends sessions in any order
    say (&self, "a", "u", 1, 99, false);    //  a zombie
    announce (&self, "a", 1, 99);           //  a zombie
    turn (&self);
    assert_int_equal (self.sessions, 2);
    assert_int_equal (self.announces, 0);
    say (&self, "a", "s", 2, 6, true);
    say (&self, "a", "s", 2, 7, true);    //  gone already
    turn (&self);
    assert_int_equal (self.gone, 1);
    assert_int_equal (last_value_total (publisher_sessions (self.publisher)), 1);
    end (&self);
}

static void
test_filled_takes_out_what_the_owner_does_not_know (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    publisher_peer_up (self.publisher, USHER_LINK_changes, 1, "shard-0", self.out);
    say (&self, "a", "s", 1, 1, false);
    say (&self, "b", "s", 1, 2, false);
    filled (&self, 0, 0, 1);
    turn (&self);
    assert_int_equal (self.fills, 1);
    publisher_peer_up (self.publisher, USHER_LINK_changes, 2, "shard-0", self.out);
    publisher_tick (self.publisher, (usher_time_t){ 0, 1000 }, self.out);
    assert_int_equal (self.filling [0], 0xff);
    say (&self, "a", "s", 2, 1, false);
    filled (&self, 0, 0, 2);
    publisher_tick (self.publisher, (usher_time_t){ 0, 2000 }, self.out);
    assert_int_equal (self.filling [0], 0);
    assert_int_equal (self.gone, 1);
    assert_int_equal (last_value_total (publisher_sessions (self.publisher)), 1);
    end (&self);
}

static void
test_slots_that_move_are_filled_by_the_new_owner (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    filled (&self, 0, 0, 1);
    filled (&self, 0, 1, 1);    //  shard 0 gave them to shard 1
    publisher_tick (self.publisher, (usher_time_t){ 0, 1000 }, self.out);
    assert_int_equal (self.filling [127], 0xff);
    filled (&self, 1, 1, 2);
    publisher_tick (self.publisher, (usher_time_t){ 0, 2000 }, self.out);
    assert_int_equal (self.filling [127], 0);
    end (&self);
}

static void
test_a_snapshot_comes_in_pieces (void **state)
{
    (void)state;
    fixture_t self;
    begin (&self);
    char viewer [16];
    for (int at = 0; at < 20000; at++) {
        snprintf (viewer, sizeof viewer, "v%d", at);
        say (&self, viewer, "s", 1, 1, false);
    }
    turn (&self);
    usher_msg_t ask = { .id = USHER_MSG_snapshot_request, .snapshot_request = { .request = 9 } };
    publisher_snapshot_request (self.publisher, 3, &ask, self.out);
    assert_true (publisher_turn (self.publisher, (usher_time_t){ 0, 0 }, self.out));
    turn (&self);
    assert_int_equal (self.slots, USHER_SLOTS);
    assert_int_equal (self.slot_sessions, 20000);
    assert_int_equal (self.ends, 1);
    uint8_t one [128] = { [2] = 4 };
    ask.snapshot_request.slots = usher_bytes (one, sizeof one);
    publisher_snapshot_request (self.publisher, 3, &ask, self.out);
    turn (&self);
    assert_int_equal (self.slots, USHER_SLOTS + 1);
    assert_int_equal (self.ends, 2);
    end (&self);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_one_frame_a_slot_and_turn),
        cmocka_unit_test (test_what_is_said_goes_on),
        cmocka_unit_test (test_a_slot_s_frames_are_bounded),
        cmocka_unit_test (test_what_is_not_newer_is_ignored),
        cmocka_unit_test (test_filled_takes_out_what_the_owner_does_not_know),
        cmocka_unit_test (test_slots_that_move_are_filled_by_the_new_owner),
        cmocka_unit_test (test_a_snapshot_comes_in_pieces),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
