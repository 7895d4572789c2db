//  parcel - messages kept as bytes until their hour has come
//
//  A message's strings live in the frame that it came with. A parcel holds copies: each message encoded, behind
//  the number of the peer it came from or goes to. So what is kept costs what it would cost on the wire.

#ifndef PARCEL_H
#define PARCEL_H

#include "message.h"

typedef struct {
    uint8_t *data;
    size_t used, size;
} parcel_t;

//  Appends a message.
void parcel_put (parcel_t *self, uint32_t peer, const usher_msg_t *msg);

//  Reads the message at *at (from 0) and moves on; false at the end. Its strings live in the parcel.
bool parcel_next (const parcel_t *self, size_t *at, uint32_t *peer, usher_msg_t *msg);

//  Drops the messages that match; all of them. Memory is kept up to a bound.
typedef bool (parcel_match_fn) (const void *arg, uint32_t peer, const usher_msg_t *msg);
void parcel_drop (parcel_t *self, parcel_match_fn *match, const void *arg);
void parcel_empty (parcel_t *self);

//  Frees the memory.
void parcel_close (parcel_t *self);

#endif
