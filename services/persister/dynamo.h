//  dynamo - profiles and history in DynamoDB: decides what to ask of it, and what its answers mean
//
//  Pure: time comes as an argument, requests leave through dynamo_next and answers come back by dynamo_answered, in
//  any order, late, twice or never. dynamo_port.h has who carries them.
//
//  A write      puts its history rows first (BatchWriteItem), then the profile under its condition
//               (BatchExecuteStatement). Where the condition fails the row is read: what was to be written is there,
//               so an answer was lost; or it is another one, and the write is refused.
//  A failure    leaves what failed, and only that, to be asked again (pacer.h). Nothing is ever given up.
//  Notes        name the rows that leave before their profile, for whoever comes after a death (dynamo_unsure.h).
//  Bounds       DYNAMO_JOBS_MAX and DYNAMO_BYTES_MAX hold what waits; beyond them writes are not taken.

#ifndef DYNAMO_H
#define DYNAMO_H

#include "dynamo_json.h"
#include "outbox.h"
#include "parcel.h"
#include "service.h"

//  What waits for the store: a burst of a second or two. What is more waits in the shards.
#define DYNAMO_JOBS_MAX 16384
#define DYNAMO_BYTES_MAX (64 * 1024 * 1024)

//  Requests on the way at once, at most.
#define DYNAMO_FLIGHTS_MAX 64

typedef struct {
    dynamo_tables_t tables;    //  names; they live as long as the store
    bool create_tables;
    uint32_t connections;    //  requests on the way at once
    uint64_t seed;           //  of the jitter
} dynamo_options_t;

//  Whom it asks and tells, beside peers.
typedef struct {
    void *arg;
    //  A profile is about to go out: what its reader must know of erasures is filled in. False: not now.
    bool (*loading) (void *arg, usher_loaded_t *loaded);
    //  Everything of a viewer is gone that was there when the erasure began.
    void (*erased) (void *arg, const usher_forgotten_t *forgotten, uint64_t profiles, uint64_t rows,
                    outbox_t *out);
} dynamo_owner_t;

typedef struct {
    uint32_t tag;             //  comes back with the answer
    const char *operation;    //  GetItem and so on
    const char *body;         //  valid until its answer
    size_t size;
} dynamo_request_t;

typedef struct {
    uint32_t tag;
    int status;          //  of HTTP; 0: no answer, and text says why
    const char *text;    //  ended by 0
    size_t size;
} dynamo_answer_t;

typedef struct dynamo dynamo_t;

dynamo_t *dynamo_new (const dynamo_options_t *options, const dynamo_owner_t *owner);
void dynamo_destroy (dynamo_t **self_p);

//  Takes a write with the rows of history that belong to it. Returns false when there is too much already.
bool dynamo_write (dynamo_t *self, uint32_t peer, const usher_write_t *write, const parcel_t *history);

//  Takes claim, load, load_live, history_get.
void dynamo_ask (dynamo_t *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

//  Removes all rows of a viewer, behind whatever of the viewer's is on its way. Once for
//  an instant; its end answers all wishes that this was called for.
void dynamo_erase (dynamo_t *self, const usher_forgotten_t *forgotten);

//  Is that under way, for this instant or a later one?
bool dynamo_is_erasing (const dynamo_t *self, const usher_forgotten_t *forgotten);

//  Nobody waits for a peer's answers any more.
void dynamo_forget_peer (dynamo_t *self, uint32_t peer);

//  The next request to make now. Returns false when there is none.
bool dynamo_next (dynamo_t *self, usher_time_t now, dynamo_request_t *request);

//  What somebody who comes after us must know before the request is sent that dynamo_next gave, and before what
//  dynamo_answered decided is told. Returns false when there is nothing new; *anew: it takes the place of all
//  that was noted. Valid until the next call.
bool dynamo_notes (dynamo_t *self, usher_str_t *notes, bool *anew);

//  Takes what was noted before; or learns that nobody knows what is.
void dynamo_notes_recall (dynamo_t *self, usher_str_t notes);
void dynamo_notes_lost (dynamo_t *self);

//  Takes an answer; what it decides goes out.
void dynamo_answered (dynamo_t *self, usher_time_t now, const dynamo_answer_t *answer, outbox_t *out);

//  Is everything answered?
bool dynamo_idle (const dynamo_t *self);

//  Profiles written, writes refused, rows written or removed.
typedef struct {
    uint64_t writes, refused, rows;
} dynamo_outcomes_t;
dynamo_outcomes_t dynamo_outcomes (const dynamo_t *self);

void dynamo_write_metrics (const dynamo_t *self, FILE *out);

#endif
