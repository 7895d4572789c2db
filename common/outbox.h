//  outbox - what a handler wants sent; whoever called the handler decides how
//
//  A message is encoded at once into the open frame of its link and peer, so nothing outlives the call and many
//  small messages travel as one frame. In production service.c puts frames on sockets. In tests/sim the
//  simulator delays, drops or repeats them. A handler cannot tell the difference.

#ifndef OUTBOX_H
#define OUTBOX_H

#include "message.h"

//  A frame is closed when it has grown to this size. A single message may make a larger one.
#define OUTBOX_FRAME_BYTES 65536

typedef struct outbox outbox_t;

//  Takes a finished frame; data is valid during the call only.
typedef void (outbox_send_fn) (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size);

outbox_t *outbox_new (outbox_send_fn *send, void *arg);
void outbox_destroy (outbox_t **self_p);

//  Queues msg for a peer of a link. On a link that we connect, peers are numbered from 0 in the order of the
//  link's endpoints (the shard's number on events); on one that we bind, the number came with peer_up.
void outbox_put (outbox_t *self, usher_link_id_t link, uint32_t peer, const usher_msg_t *msg);

//  Closes the open frame of that peer, then sends a frame made elsewhere as it is.
void outbox_put_frame (outbox_t *self, usher_link_id_t link, uint32_t peer, const void *data, size_t size);

//  Queues the messages of a frame made elsewhere, head included, behind those of the open frame. They stay together: if
//  there is no room for all of them they begin a frame, which may be larger. A queue of ZeroMQ's counts frames, so many
//  small ones should be few.
void outbox_join (outbox_t *self, usher_link_id_t link, uint32_t peer, const void *data, size_t size);

//  Closes all open frames.
void outbox_flush (outbox_t *self);

//  Forgets what is open for a peer that is gone.
void outbox_forget (outbox_t *self, usher_link_id_t link, uint32_t peer);

#endif
