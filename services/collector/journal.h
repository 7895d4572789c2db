//  journal - rows that are safe on disk before a tracker is told that they were taken
//
//  One transaction gathers the rows of a turn of the loop: journal_append for each, then one journal_commit,
//  which returns after the disk has them (WAL, synchronous=FULL). So a sync is paid once for all requests of a
//  turn; who answers a request must do so after its commit only. When any call fails, all rows since the last
//  commit are gone and none of their requests may be answered with success; the next append begins anew, so a
//  disk that gets room again needs no restart.

#ifndef JOURNAL_H_INCLUDED
#define JOURNAL_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

typedef struct journal journal_t;

#define JOURNAL_FAULT_MAX 512

//  Open the file, or make it (mode 0600) with the given generation, a random number that is not 0. It
//  grows to max_bytes at most (the write-ahead log beside it, not counted, has a limit of 64 MiB of its own).
//  Returns NULL and says why in fault, naming the file.
journal_t *journal_new (const char *path, uint64_t generation, uint64_t max_bytes,
                        char fault [JOURNAL_FAULT_MAX]);

//  Close; rows that were not committed are gone.
void journal_destroy (journal_t **self_p);

//  Add a row to the turn's transaction. kind and body as in journal_format.h. Returns 0; or -1: the turn's
//  rows are gone, see journal_fault.
int journal_append (journal_t *self, int64_t collected_ms, int kind, const char *reason, const void *body,
                    size_t size);

//  Make the turn's rows durable. Returns 0, also when there are none; or -1: they are gone.
int journal_commit (journal_t *self);

//  Forget the turn's rows.
void journal_rollback (journal_t *self);

//  How many rows one call of journal_prune deletes at most, so that a backlog does not hold up the loop.
#define JOURNAL_PRUNE_MAX 10000

//  Delete rows up to and with a position, oldest first, in the turn's transaction. Returns how many were deleted;
//  or -1: the turn's rows are gone.
int journal_prune (journal_t *self, uint64_t position);

//  Of the file as it is now; the last position that was committed, 0 if none ever was.
uint64_t journal_generation (const journal_t *self);
uint64_t journal_last (const journal_t *self);

//  Is there anything to commit?
bool journal_pending (const journal_t *self);

//  Why the last call failed, in words with the file's name and SQLite's own message.
const char *journal_fault (const journal_t *self);

#endif
