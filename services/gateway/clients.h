//  clients - what each browser still has to be sent
//
//  There is one queue for all clients: a ring of numbered texts; a client is a place in it. A viewer's newer text takes the place
//  of its older one, so who is slow gets the latest value and nothing grows with the number of clients. A client that the ring
//  has run over gets a new snapshot (/v1/live), or goes on with what there is (/ws). Texts are made once for all,
//  at most BATCHES_PER_SECOND times a second for each viewer.
//
//  Pure: the shell asks clients_next when a socket takes something, and tells how that went.

#ifndef CLIENTS_H
#define CLIENTS_H

#include "mirror.h"
#include "stats.h"

#define CLIENTS_BATCHES_PER_SECOND 20
//  The ring.
#define CLIENTS_TEXTS 65536
#define CLIENTS_BYTES (64 << 20)
//  A client whose socket takes nothing for so long is closed.
#define CLIENTS_STUCK_MS 30000

typedef struct clients clients_t;
typedef struct client client_t;

typedef enum { CLIENT_WS, CLIENT_LIVE } client_kind_t;

//  Makes a mirror whose changes go to the clients.
clients_t *clients_new (void);
void clients_destroy (clients_t **self_p);
mirror_t *clients_mirror (clients_t *self);
stats_t *clients_stats (const clients_t *self);

//  A client comes and goes. It is freed by clients_remove.
client_t *clients_add (clients_t *self, client_kind_t kind);
void clients_remove (clients_t *self, client_t **client_p);
size_t clients_count (const clients_t *self, client_kind_t kind);

//  {"subscribe":[...]} from a client. Returns NULL, or what is wrong with it in words for the close frame.
const char *clients_subscribe (clients_t *self, client_t *client, const char *text, size_t size);

//  Writes changes since the last batch into the ring, when it is time for one. Returns true if there is something new to send.
bool clients_turn (clients_t *self, int64_t mono_ms);

//  Each second: the stats. Returns true if there are any clients to get it.
bool clients_tick (clients_t *self, int64_t mono_ms, int64_t wall_ms);

//  Puts the client's next text into out. Returns false when there is none.
bool clients_next (clients_t *self, client_t *client, int64_t wall_ms, buffer_t *out);

//  Is there a text for the client?
bool clients_has_next (const clients_t *self, const client_t *client);

//  The shell waits for the socket to take more; it took something. Has it been stuck for too long?
void clients_waits (client_t *client, int64_t mono_ms);
void clients_took (client_t *client);
bool clients_is_stuck (const client_t *client, int64_t mono_ms);

//  May what all sessions come to lack something?
bool clients_partial (const clients_t *self, int64_t mono_ms);

//  Stats as text, for /v1/stats.
void clients_write_stats (const clients_t *self, buffer_t *out, int64_t mono_ms, int64_t wall_ms);

typedef struct {
    uint64_t messages, batches, texts, resets, skipped;
} clients_counts_t;
const clients_counts_t *clients_counts (const clients_t *self);

#endif
