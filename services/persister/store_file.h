//  store_file - finds, locks, checks and opens store.db; gives it its tables
//
//  Nothing is written to a file before it is known to be ours and sound: an operator's mistake must not cost data.

#ifndef STORE_FILE_H
#define STORE_FILE_H

#include "store.h"

#include <sqlite3.h>

typedef struct store_file store_file_t;

//  As store_new.
store_file_t *store_file_new (const char *directory, store_opening_t *opening, char *why, size_t why_size);

//  Closes the file and lets go of the lock. All statements must be finalized.
void store_file_destroy (store_file_t **self_p);

//  Keeps as much of the file in memory as suits so many profiles; at first none are expected.
void store_file_expect (store_file_t *self, uint64_t profiles);

sqlite3 *store_file_db (store_file_t *self);
const char *store_file_path (const store_file_t *self);

#endif
