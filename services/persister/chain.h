//  chain - a viewer's rows of video_events, newest first: the profile names the newest, each row the one before it
//
//  A row goes to the end of its table whoever's it is, so a turn of many viewers fills pages and does not touch one for
//  each of them (docs/decisions/034). A row's number is never given again: one that names a row which is gone ends its chain.
//  Functions return false, or -1, when SQLite says no. All writing is within a transaction.

#ifndef CHAIN_H
#define CHAIN_H

#include "sql.h"

//  Longest collector_tstamp: history.key_tstamp in messages.def.
#define CHAIN_KEY_MAX 192

//  Most rows that one call sweeps.
#define CHAIN_SWEEP_MAX 128

typedef struct chain chain_t;

//  What a viewer's row of viewer_profiles says of the newest row.
typedef struct {
    uint64_t row;    //  newest_row; 0: none
    size_t key_size;
    char key [CHAIN_KEY_MAX];    //  newest_at, its collector_tstamp
} chain_head_t;

//  Takes one message of an answer; its strings are valid during the call only.
typedef void (chain_answer_fn) (void *arg, const usher_msg_t *msg);

//  On the tables of store_file. NULL: SQLite said no. sql is the store's, and outlives this.
chain_t *chain_new (sql_t *sql);
void chain_destroy (chain_t **self_p);

//  Notes the newest row; a key beyond CHAIN_KEY_MAX would be a fault of this build and ends the process.
void chain_head_set (chain_head_t *head, uint64_t row, usher_str_t key);

//  Writes a row, in the place of one with its key if there is one, or removes the one with its key. What the profile is to
//  say afterwards is in *head; to write it there is the caller's.
bool chain_put (chain_t *self, chain_head_t *head, const usher_history_t *history);

//  Removes all rows from this one on. How many there were is added to *rows.
bool chain_erase (chain_t *self, uint64_t row, uint64_t *rows);

//  Deletes rows that have expired at now_s (Unix seconds), at most limit at the table's beginning, where the oldest are,
//  and as many on a walk through all of it, a step a call, for those that expire before the ones in front of them.
//  Returns how many.
int chain_sweep (chain_t *self, uint64_t now_s, uint32_t limit);

//  Gives rows of history_row that have not expired, newest first, then the one that ends the answer. False also after a part
//  of the answer was given.
bool chain_read (chain_t *self, const usher_history_get_t *get, uint64_t now_s, chain_answer_fn *answer,
                 void *arg);

#endif
