//  shard_private - what the files of the shard's core share
//
//  shard.c is the service: who is told of what, and time. shard_events.c works events in and looks after actors,
//  shard_feed.c tells the publisher, shard_write.c writes profiles and their history, shard_store.c is granted, loads
//  and forgets, unwritten.c keeps events out while too much waits for the store, partial.c shows who cannot be loaded.

#ifndef SHARD_PRIVATE_H
#define SHARD_PRIVATE_H

#include "backlog.h"
#include "roll.h"
#include "shard.h"

enum { SHARD_RETRY_MS = 1000 };    //  after a failed write, and to look again

struct shard {
    const config_t *config;
    uint32_t number;
    usher_time_t now;
    uint64_t clock_ms;    //  the source's clock; never goes back
    uint64_t pace;    //  of the source's clock in seconds a second, at least 1, and since when it is measured
    uint64_t pace_clock_ms;
    int64_t pace_mono_ms;
    uint64_t epoch;    //  0: not granted
    bool store_up, live_loaded, stale, publisher_up, publisher_full, filling, retry;
    size_t fill_cursor;
    uint32_t owners_size;
    char owners [USHER_SLOTS];
    uint32_t batch_peer;
    bool batch_open;    //  events of batch_peer count
    int64_t retry_ms;
    char live_after [1024];
    roll_t *roll;
    wheel_t *wheel;
    receipts_t *receipts;
    size_t writes_in_flight, dirty, partials;
    size_t unwritten;     //  bytes that wait for the store
    bool paused;          //  they are too many: frames of events stay outside
    bool keeping_out;     //  the frame that comes in just now does
    backlog_t backlog;    //  those that wait
    lot_t let_in;         //  of one that waited and comes in
    uint64_t pauses;
    int64_t paused_ms;    //  monotonic; when the last one began
    bool pause_told;      //  it lasts: the log says so
    shard_counters_t counters;
    session_t asleep;    //  of one that plain_take has looked at
    outbox_t *out;       //  of the call that is under way
};

//  ---- the feed

//  Tells the publisher a session as it is now, or that it is gone.
void shard_tell (shard_t *self, actor_t *actor, session_t *session, bool gone);

//  What the reference's feed tells: a change of status, a first event, an ad counter.
void shard_announce (shard_t *self, actor_t *actor, const session_t *session, const usher_event_t *event);

//  A session is gone; what the others say of earlier sessions goes out with their next soft facts.
void shard_tell_gone (shard_t *self, actor_t *actor, session_t *session);

//  Folds a session away, and tells that it is gone.
void shard_fold (shard_t *self, actor_t *actor, session_t *session);

//  Tells a starting publisher some actors more.
void shard_fill_some (shard_t *self);

//  Handlers, as in shard_routes.
void shard_on_fill (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

//  ---- writing

//  The Unix second at which what is written now expires.
uint64_t shard_expires_s (const shard_t *self);

//  When soft facts of a session may go out again, monotonic ms.
int64_t shard_feed_due (const shard_t *self, const session_t *session);

//  Does the feed have a session of it?
bool shard_is_live (const actor_t *actor);

//  Sends all writes that are in flight again.
void shard_writes_send_again (shard_t *self);

//  Starts a write if there is something to write and none is in flight.
void shard_write_start (shard_t *self, actor_t *actor);

//  The source's clock at a monotonic instant, if the two go alike until then.
uint64_t shard_clock_at (const shard_t *self, int64_t mono_ms);

//  When soft facts of a viewer that begin now are due, monotonic ms in whole seconds: it will be looked at then.
int64_t shard_checkpoint_begin (shard_t *self, seat_t *seat, uint32_t slot);

//  Something of an actor is not written: hard facts want it at once, soft ones at the checkpoint.
void shard_mark_dirty (shard_t *self, actor_t *actor, bool hard);

//  Lets go of the write in flight.
void shard_write_forget (shard_t *self, actor_t *actor);

//  Handlers, as in shard_routes.
void shard_on_written (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

//  ---- events and actors

//  Forgets an actor of which nothing is live and all is written. Returns whether it did.
bool shard_actor_leave (shard_t *self, actor_t *actor);

//  When there is something to look at of an actor. arg is the shard.
roll_due_t shard_actor_due (const void *arg, const actor_t *actor);

//  What that is by the source's clock, in ms, if it goes on as it does.
uint64_t shard_look_at (const shard_t *self, roll_due_t due);

//  An actor's time has come: silence, soft facts, checkpoint.
void shard_actor_look (shard_t *self, actor_t *actor);

//  Works an event in, and tells of it.
void shard_event_apply (shard_t *self, actor_t *actor, const usher_event_t *event);

//  Asks the store for an actor's profile, unless it was asked.
void shard_load_send (shard_t *self, actor_t *actor);

//  Takes the messages of a lot that waited. arg is the shard.
void shard_events_let_in (void *arg, const lot_t *lot);

//  ---- what the store has not taken

//  The bytes of an actor that wait for the store.
size_t shard_unwritten_of (const actor_t *actor);

//  An actor's rows, write or held events, or whether it is loaded, has changed: counts it anew.
void shard_unwritten_note (shard_t *self, actor_t *actor);

//  Says in the log that a pause lasts.
void shard_pause_tell (shard_t *self);

//  Does a message of a frame of events have to wait? Then its bytes are kept, until the frame is let in.
bool shard_frame_waits (shard_t *self, uint32_t peer, const usher_msg_t *msg, usher_str_t bytes);

//  Lets in frames that waited, as many as there is room for. Returns whether to be called again.
bool shard_frames_let_in (shard_t *self);

//  A peer begins anew: what it sent and was not let in will come again.
void shard_frames_forget (shard_t *self, uint32_t peer);

//  ---- viewers who are shown before they are loaded

//  An event was held: whoever is shown as partial is told with it.
void shard_partial_see (shard_t *self, actor_t *actor, const usher_event_t *event);

//  Each second: begins to show those who wait for too long, and looks after those who are shown.
void shard_partial_tick (shard_t *self);

//  Tells a starting publisher.
void shard_partial_fill (shard_t *self, actor_t *actor);

//  The viewer is loaded and told, or erased: what only the partial one showed is gone.
void shard_partial_end (shard_t *self, actor_t *actor);

//  ---- the store

//  Asks for the slots, unless they are granted.
void shard_claim (shard_t *self);

//  A store that is back has forgotten what was asked.
void shard_store_begin (shard_t *self);

//  Handlers, as in shard_routes.
void shard_on_loaded (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void shard_on_live_page (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void shard_on_granted (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void shard_on_slots (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);
void shard_on_forget (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

#endif
