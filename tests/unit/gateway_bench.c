//  gateway_bench - a gateway without sockets, fed with frames of our own

#include "gateway_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>

void
gateway_feed (gateway_bench_t *self, uint32_t slot, const usher_msg_t *msg)
{
    char frame [16384];
    usher_msg_t head = { .id = USHER_MSG_numbered, .numbered = { 7, slot, ++self->seqs [slot] } };
    size_t size = usher_frame_begin (frame, sizeof frame);
    size += usher_encode (&head, frame + size, sizeof frame - size);
    size += usher_encode (msg, frame + size, sizeof frame - size);
    assert_true (mirror_frame (self->mirror, frame, size, self->now_ms));
    mirror_settle (self->mirror);    //  as the loop's turn does
}

static void
tide (gateway_bench_t *self)
{
    char frame [10000], filling [128] = { 0 };
    usher_msg_t msg = { .id = USHER_MSG_tide,
                        .tide = { 7, 1, usher_bytes (self->seqs, sizeof self->seqs),
                                  usher_bytes (filling, sizeof filling) } };
    size_t size = usher_frame_begin (frame, sizeof frame);
    size += usher_encode (&msg, frame + size, sizeof frame - size);
    assert_true (mirror_frame (self->mirror, frame, size, self->now_ms));
}

void
gateway_begin (gateway_bench_t *self)
{
    *self = (gateway_bench_t){ .clients = clients_new (), .now_ms = 1000 };
    self->mirror = clients_mirror (self->clients);
    usher_msg_t asked;
    tide (self);
    assert_true (mirror_wants (self->mirror, self->now_ms, &asked));
    for (uint32_t slot = 0; slot <= USHER_SLOTS; slot++) {
        usher_snapshot_slot_t head = { asked.snapshot_request.request, 7, slot % USHER_SLOTS, 0,
                                       slot == USHER_SLOTS };
        mirror_snapshot_slot (self->mirror, &head, self->now_ms);
    }
    assert_true (mirror_complete (self->mirror));
}

void
gateway_end (gateway_bench_t *self)
{
    clients_destroy (&self->clients);
}

usher_session_t
gateway_session (const char *viewer, const char *session, uint64_t version, uint32_t state)
{
    return (usher_session_t){ .slot = usher_slot (usher_str (viewer)),
                              .viewer_id = usher_str (viewer),
                              .session_id = usher_str (session),
                              .epoch = 1,
                              .version = version,
                              .state = state,
                              .position_s = NAN,
                              .duration_s = INFINITY,
                              .media_label = usher_str ("Film") };
}

void
gateway_put (gateway_bench_t *self, usher_session_t session)
{
    usher_msg_t msg = { .id = USHER_MSG_session, .session = session };
    gateway_feed (self, session.slot, &msg);
    self->now_ms += 1000;
    clients_turn (self->clients, self->now_ms);
}
