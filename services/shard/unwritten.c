//  unwritten - what waits for the store, counted in bytes; beyond a limit the sources pause
//
//  A viewer counts with the history that waits for a write, with the write that is under way, and with the events that
//  wait for the profile; one who is not loaded also with what the profile is taken to weigh, so that the store's
//  answers make the sum no larger. Once it is beyond shard.unwritten_bytes frames of events stay outside, without
//  `applied`, until the store has taken a quarter of that: an ingester that has no credit left pauses its source.
//  All else goes on: history comes with hard facts alone, and whoever has one has a write or a load under way, so what
//  is counted goes away by itself. Nothing is lost with the process: what stays outside has no receipt.

#include "shard_private.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MIB = 1024 * 1024,
    PROFILE_BYTES = 4096,    //  what somebody who is not loaded is taken to weigh
    FRAMES_PER_TURN = 64,    //  let in of those that waited
    PAUSE_TOLD_MS = 1000
};

size_t
shard_unwritten_of (const actor_t *actor)
{
    return actor->viewer.rows_used + (actor->flight ? actor->flight->size : 0) + actor->held_bytes +
           (actor->loaded ? 0 : PROFILE_BYTES);
}

void
shard_unwritten_note (shard_t *self, actor_t *actor)
{
    size_t bytes = shard_unwritten_of (actor);
    self->unwritten += bytes - actor->unwritten;
    actor->unwritten = bytes;
}

//  A low and a high mark, so that there is one pause and not one a frame.
static bool
is_full (shard_t *self)
{
    uint64_t limit = self->config->shard.unwritten_bytes;
    bool full = self->unwritten >= (self->paused ? limit - limit / 4 : limit);
    if (full && !self->paused) {
        self->pauses++;
        self->paused_ms = self->now.mono_ms;
        self->pause_told = false;
    } else if (!full && self->pause_told) {
        self->pause_told = false;
        log_info ("sources go on", "unwritten_bytes=%zu paused_ms=%" PRId64, self->unwritten,
                  self->now.mono_ms - self->paused_ms);
    }
    self->paused = full;
    return full;
}

//  ---- frames

bool
shard_frame_waits (shard_t *self, uint32_t peer, const usher_msg_t *msg, usher_str_t bytes)
{
    if (msg->id == USHER_MSG_batch) {
        self->keeping_out = self->backlog.first || is_full (self);
        if (self->keeping_out)
            backlog_begin (&self->backlog, peer);
    }
    if (self->keeping_out)
        backlog_add (&self->backlog, bytes);
    return self->keeping_out;
}

void
shard_frames_forget (shard_t *self, uint32_t peer)
{
    backlog_forget (&self->backlog, peer);
    self->keeping_out = false;
}

static void
let_in (shard_t *self, backlog_frame_t *frame)
{
    lot_take (&self->let_in, frame->peer, frame->messages.data, frame->messages.size, shard_events_let_in,
              self);
    lot_flush (&self->let_in, shard_events_let_in, self);
    backlog_frame_destroy (&frame);
}

bool
shard_frames_let_in (shard_t *self)
{
    for (int frames = 0; frames < FRAMES_PER_TURN; frames++) {
        if (is_full (self) || !self->backlog.first)
            return false;
        let_in (self, backlog_take (&self->backlog));
    }
    return true;
}

//  Who catches up pauses for moments again and again, which is nobody's concern.
void
shard_pause_tell (shard_t *self)
{
    if (!self->paused || self->pause_told || self->now.mono_ms - self->paused_ms < PAUSE_TOLD_MS)
        return;
    self->pause_told = true;
    log_warning ("sources pause",
                 "unwritten_bytes=%zu limit=%" PRIu64
                 " hint=\"the store is away or slow; they go on by themselves when it has taken enough\"",
                 self->unwritten, self->config->shard.unwritten_bytes);
}

//  For `usher status`.
void
shard_note (const void *arg, char *text, size_t size)
{
    const shard_t *self = arg;
    if (self->pause_told)
        snprintf (
            text, size,
            "the source pauses: %zu MiB wait for the store, which is away or slow (shard.unwritten_bytes: "
            "%" PRIu64 " MiB). It goes on by itself, and nothing is lost.",
            self->unwritten / MIB, self->config->shard.unwritten_bytes / MIB);
}
