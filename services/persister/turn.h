//  turn - what arrives in one turn of the loop: one transaction, and all that waits for its end
//
//  A hundred writes cost one sync of the disk. Receipts wait in a parcel until COMMIT has succeeded, and questions are
//  answered after it, from what is committed. When SQLite says no (disk full, I/O error) the turn is rolled back; its
//  writes are answered `failed`, the rest is not answered and will be asked again.

#ifndef TURN_H
#define TURN_H

#include "outbox.h"
#include "parcel.h"
#include "service.h"
#include "store.h"

typedef struct {
    uint64_t writes, refused, failed, rows, quarantined, transactions, failures, expired, erased;
} turn_counts_t;

typedef struct {
    store_t *store;
    uint64_t now_ms, now_s;    //  Unix time of the last turn or tick
    bool open;                 //  a transaction is
    bool broken;               //  it cannot be committed
    int64_t mono_ms;
    bool failing;         //  the last one could not
    bool told;            //  that the store fails; said once, not each time
    int64_t failed_ms;    //  when it failed last, monotonic
    parcel_t later;       //  receipts and questions, for after the commit
    bool asked;           //  a question is among them
    size_t gathered;      //  bytes of those when turn_gathers was asked last
    int64_t gather_ms;    //  when it was asked first, monotonic
    int wait_ms;          //  how long at most until it is to be asked again
    turn_counts_t count;
    turn_counts_t added;    //  what the commit will add to count
} turn_t;

void turn_see_time (turn_t *self, usher_time_t now);

//  True when there is a sound transaction to write in.
bool turn_begin (turn_t *self);

//  SQLite said no: to a write, which breaks the turn; to a question, which breaks nothing.
void turn_write_failed (turn_t *self, const char *doing);
void turn_read_failed (turn_t *self);

//  Keeps a receipt or a question for the end of the turn, which may be now.
void turn_put (turn_t *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out);

//  Is more worth waiting for? Asked once a turn of the loop. It is for TURN_WAIT_MS, unless a question waits, and then, as with a
//  question, while each turn brings more, for TURN_GATHER_MS at most: writes that share a transaction share a sync and pages of
//  the file (decisions 029 and 040). If so, wait_ms says for how long nobody needs to ask again unless more comes.
#define TURN_WAIT_MS 20
#define TURN_GATHER_MS 100
bool turn_gathers (turn_t *self, usher_time_t now);

//  Ends the transaction; receipts and answers go out.
void turn_finish (turn_t *self, outbox_t *out);

//  A profile goes out with the erasure that its owner must know of. False when SQLite said no, which is noted.
bool turn_complete_loaded (turn_t *self, usher_loaded_t *loaded);

//  Writes counts as metrics.
void turn_counts_write (const turn_counts_t *count, FILE *out);

//  Forgets what was not committed, and frees the rest. The store is somebody else's.
void turn_close (turn_t *self);

#endif
