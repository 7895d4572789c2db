//  persister_bench - a persister on a real file, a peer that talks to it, and what it answered

#ifndef PERSISTER_BENCH_H
#define PERSISTER_BENCH_H

#include "parcel.h"
#include "persister.h"

#define BENCH_NOW_S 1795416000u
#define BENCH_EXPIRES_S (BENCH_NOW_S + 1000)
#define BENCH_PEER 3

typedef struct {
    char directory [64];    //  a new one under /tmp, removed by bench_close
    usher_time_t now;
    persister_t *persister;
    outbox_t *out;
    parcel_t answers;
    size_t next;    //  the answer that bench_answer gives next
} bench_t;

void bench_open (bench_t *self);
void bench_close (bench_t *self);

//  Ends the persister without a commit and opens it again.
void bench_restart (bench_t *self);

//  Hands one message to its handler, as a peer's; as BENCH_PEER's.
void bench_tell_as (bench_t *self, uint32_t peer, const usher_msg_t *msg);
void bench_tell (bench_t *self, const usher_msg_t *msg);

//  Ends the loop turn; answers from before are forgotten.
void bench_turn (bench_t *self);

//  The next answer, which must be of that kind and for that peer; fails the test if there is none.
usher_msg_t bench_answer_to (bench_t *self, uint32_t peer, usher_msg_id_t id);
usher_msg_t bench_answer (bench_t *self, usher_msg_id_t id);
void bench_no_answer (bench_t *self);

//  Messages with the fields that tests vary.
usher_msg_t bench_write (const char *viewer, uint64_t old_epoch, uint64_t old_version, uint64_t epoch,
                         uint64_t version);
usher_msg_t bench_history (const char *viewer, const char *key);

//  What became of one write in a turn of its own.
usher_outcome_t bench_outcome (bench_t *self, const usher_msg_t *write);

//  Asks for a profile, for history; counts the rows.
usher_msg_t bench_load (bench_t *self, const char *viewer);
int bench_history_rows (bench_t *self, const char *viewer);

//  The keys of a viewer's rows, newest first, with a blank behind each; valid until the next call.
const char *bench_history_keys (bench_t *self, const char *viewer);

//  Writes the viewer's profile on, with one row; both expire then.
void bench_put_row (bench_t *self, const char *viewer, const char *key, uint64_t expires_s);

#endif
