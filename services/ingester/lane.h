//  lane - the frames on their way to one shard, or to quarantine, until they are durable
//
//  Built up event by event, numbered, kept until the receipt, and sent again from the first without one when the
//  other side begins anew.

#ifndef LANE_H
#define LANE_H

#include "outbox.h"

typedef struct lane lane_t;

//  Sends to that peer of that link.
lane_t *lane_new (usher_link_id_t link, uint32_t peer);
void lane_destroy (lane_t **self_p);

//  Adds an event of a partition to the frame that is being built; closes it first where it is full.
void lane_add (lane_t *self, const usher_msg_t *event, uint32_t partition, uint64_t offset, uint64_t clock_ms,
               outbox_t *out);

//  Adds a message that is a frame by itself and has its number within: quarantine.
void lane_add_single (lane_t *self, usher_msg_t *msg, uint32_t partition, uint64_t offset, outbox_t *out);

//  Closes the frame; with beat also an empty one, to carry the clock.
void lane_flush (lane_t *self, uint64_t clock_ms, bool beat, outbox_t *out);

//  The other side is there, knowing nothing: everything without a receipt goes out again. Returns false, and sends
//  nothing, when some of that is not kept any more: it has to be read again.
bool lane_restart (lane_t *self, outbox_t *out);
void lane_stop (lane_t *self);

void lane_applied (lane_t *self, uint64_t seq);

//  Lets go of the bytes of the oldest frames that were applied, until max bytes are kept.
void lane_trim (lane_t *self, size_t max);
void lane_durable (lane_t *self, uint64_t seq);

//  That frame alone is durable: one before it may have failed.
void lane_durable_one (lane_t *self, uint64_t seq);

//  Bytes sent and not applied, bytes kept, frames and events not durable.
size_t lane_unapplied (const lane_t *self);
size_t lane_kept (const lane_t *self);
size_t lane_frames (const lane_t *self);
size_t lane_events (const lane_t *self);

//  Lowers *next to the first offset of a partition that is not durable, if there is one here.
void lane_first (const lane_t *self, uint32_t partition, uint64_t *next);

#endif
