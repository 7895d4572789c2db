//  mirror - the publisher's picture, kept exact over a feed that may lose frames
//
//  Each slot is numbered for itself. A number that is missing, a tide that is ahead or a new epoch of the publisher makes a
//  slot doubtful; a snapshot of the doubtful slots is asked for, frames that come meanwhile are held and applied behind
//  it by their numbers. Frames that were only reordered heal a slot without a snapshot. What is old or doubled is ignored.
//
//  Sessions of frames in step are worked in lots (lot.h), so a frame's changes may leave only with those of later frames. Whoever
//  asks for the sessions has them all.
//
//  Pure: frames and time are given, changes leave through functions.

#ifndef MIRROR_H
#define MIRROR_H

#include "last_value.h"

typedef struct mirror mirror_t;

//  changing comes before the sessions of a viewer change.
typedef struct {
    void (*changing) (void *arg, uint32_t slot, usher_str_t viewer_id);
    void (*announced) (void *arg, const usher_announce_t *announce);
    void *arg;
} mirror_events_t;

mirror_t *mirror_new (const mirror_events_t *events);
void mirror_destroy (mirror_t **self_p);

//  A frame of the feed without its topic. Returns false when it is not one.
bool mirror_frame (mirror_t *self, const void *data, size_t size, int64_t mono_ms);

//  Works what frames have said so far.
void mirror_settle (mirror_t *self);

//  Answers to a request.
void mirror_snapshot_slot (mirror_t *self, const usher_snapshot_slot_t *head, int64_t mono_ms);
void mirror_session (mirror_t *self, const usher_session_t *session);

//  A publisher is there (again): what it has is compared slot by slot.
void mirror_publisher_up (mirror_t *self);

//  Fills msg with the next request, when one is due. msg's strings live in the mirror.
bool mirror_wants (mirror_t *self, int64_t mono_ms, usher_msg_t *msg);

//  Is every slot as the publisher has it, as far as is known now? Slots for which it is not.
bool mirror_complete (const mirror_t *self);
size_t mirror_doubtful (const mirror_t *self);

//  May the picture lack something? A slot is doubtful, or its shard has not filled it yet, or the feed is silent.
bool mirror_slot_partial (const mirror_t *self, uint32_t slot);
bool mirror_partial (const mirror_t *self, int64_t mono_ms);

const last_value_t *mirror_sessions (mirror_t *self);
uint64_t mirror_epoch (const mirror_t *self);
uint64_t mirror_seq (const mirror_t *self, uint32_t slot);

//  Gaps seen, snapshots asked for, frames dropped because too many were held.
typedef struct {
    uint64_t frames, duplicates, gaps, requests, overflows;
} mirror_counts_t;
const mirror_counts_t *mirror_counts (const mirror_t *self);

#endif
