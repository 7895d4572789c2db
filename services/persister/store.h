//  store - everything SQL: one SQLite file with profiles, history, quarantine, positions and counters
//
//  One process writes the file (a lock file sees to it), in WAL mode with synchronous=FULL. Whoever calls decides
//  where a transaction begins and ends; nothing here knows a clock or a socket. A row whose expires_at has passed
//  reads as absent, whether the sweep has been there or not.
//
//  Every function that can fail returns false or STORE_FAILED when SQLite says no (disk full, I/O error, damage);
//  store_error tells why. The transaction is then to be rolled back.

#ifndef STORE_H
#define STORE_H

#include "spans.h"
#include "tombstones.h"

#define STORE_FILE "store.db"

//  Profiles in one page of load_live.
#define STORE_LIVE_PAGE 256

typedef struct store store_t;

//  Why a store does not open.
typedef enum {
    STORE_OPENED,
    STORE_LOCKED,      //  another process has it
    STORE_UNUSABLE,    //  no database, not ours, damaged, or a directory that cannot be written
    STORE_NO_ROOM      //  the disk is full or fails: later it may work
} store_opening_t;

//  What a conditional write may do.
typedef enum {
    STORE_REPLACES,    //  the row is the one that it replaces
    STORE_THERE,       //  the row already is what was to be written: an answer was lost
    STORE_REFUSED,     //  the row is another one
    STORE_FAILED       //  SQLite said no
} store_judgement_t;

//  Takes one message of an answer; its strings are valid during the call only.
typedef void (store_answer_fn) (void *arg, const usher_msg_t *msg);

//  Opens directory/store.db, making both if missing. Returns NULL with *opening set and a line for people in
//  why. A file that is not a sound store of ours is never written to.
store_t *store_new (const char *directory, store_opening_t *opening, char *why, size_t why_size);

//  Rolls back what was not committed.
void store_destroy (store_t **self_p);

//  The file's path; SQLite's words about the last failure.
const char *store_file (const store_t *self);
const char *store_error (const store_t *self);

//  What seconds and minutes came to: a table of the same file.
spans_t *store_spans (store_t *self);

//  Lets the file grow to so many pages of 4096 bytes; beyond, writes fail as on a full disk. 0: no limit.
void store_limit_pages (store_t *self, uint32_t pages);

//  Who was erased; the store's own, in the same file.
tombstones_t *store_tombstones (store_t *self);

//  ---- transactions

bool store_begin (store_t *self);

//  For questions: the file is locked once, not for each of them.
bool store_begin_reading (store_t *self);
bool store_commit (store_t *self);
void store_rollback (store_t *self);

//  ---- writing, between begin and commit; now_s is Unix seconds

//  The next epoch, never given before.
bool store_claim (store_t *self, uint64_t *epoch);

//  Is the row the one that the write replaces, (old_epoch, old_version)? (0, 0) means that there is none.
store_judgement_t store_judge (store_t *self, const usher_write_t *write, uint64_t now_s);

//  What store_judge said STORE_REPLACES to last: first its rows of video_events, written or removed, then the row itself,
//  which leads to them.
bool store_put_history (store_t *self, const usher_history_t *history);
bool store_write (store_t *self, const usher_write_t *write);

//  The number of the row that was written, or of the one that store_judge said STORE_THERE to. It is the viewer's until the row is
//  deleted; then another viewer may get it.
uint64_t store_row (const store_t *self);

//  Keeps a bad event until expires_s; the same one again changes nothing, and *added is false.
bool store_quarantine (store_t *self, const usher_quarantine_t *bad, uint64_t now_s, uint64_t expires_s,
                       bool *added);

//  Moves a position forward, never back within a generation. *next is what is kept now.
bool store_commit_position (store_t *self, const usher_commit_t *commit, uint64_t *next);

//  Removes all rows of a viewer from both tables. How many there were goes to *profiles and *rows.
bool store_erase (store_t *self, usher_str_t viewer_id, uint64_t *profiles, uint64_t *rows);

//  Deletes expired rows, at most limit (CHAIN_SWEEP_MAX) in each place where it looks for some. Returns how many, -1 on a failure.
int store_sweep (store_t *self, uint64_t now_s, uint32_t limit);

//  ---- reading; false also after a part of the answer was given

//  One loaded; epoch 0 when there is none.
bool store_load (store_t *self, const usher_load_t *load, uint64_t now_s, store_answer_fn *answer, void *arg);

//  Up to STORE_LIVE_PAGE loaded of the slots that owners gives to the shard, then live_page.
bool store_load_live (store_t *self, const usher_load_live_t *load, uint64_t now_s, store_answer_fn *answer,
                      void *arg);

//  One position a partition; one with generation 0 when there is none.
bool store_positions (store_t *self, const usher_positions_t *positions, store_answer_fn *answer, void *arg);

//  Rows of history_row, newest first, then the one that ends the answer.
bool store_history (store_t *self, const usher_history_get_t *get, uint64_t now_s, store_answer_fn *answer,
                    void *arg);

#endif
