//  backlog - frames of events that may not come in yet, as they came
//
//  They have no receipt of any kind, so what the ingesters send without one (ingester.in_flight_bytes) is the limit.

#ifndef BACKLOG_H
#define BACKLOG_H

#include "buffer.h"
#include "message.h"

typedef struct backlog_frame backlog_frame_t;

struct backlog_frame {
    backlog_frame_t *next;
    uint32_t peer;
    buffer_t messages;    //  a batch and its events, as they came
};

//  Starts as all zeros.
typedef struct {
    backlog_frame_t *first, *last;
    size_t bytes;
} backlog_t;

//  Begins a frame of a peer behind all others; adds a message, encoded, to the frame that was begun last.
void backlog_begin (backlog_t *self, uint32_t peer);
void backlog_add (backlog_t *self, usher_str_t message);

//  Takes the oldest frame out, which is the caller's then, or NULL.
backlog_frame_t *backlog_take (backlog_t *self);
void backlog_frame_destroy (backlog_frame_t **self_p);

//  A peer begins anew, and sends again what has no receipt: its frames go.
void backlog_forget (backlog_t *self, uint32_t peer);

void backlog_free (backlog_t *self);

#endif
