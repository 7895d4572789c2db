//  tombstones - who is being erased, and who was: a table of store.db, whichever store keeps the profiles
//
//  A row begins as a wish: it names the viewer, for somebody has to be told whom to forget. Once the owner of the
//  viewer has let go and the quarantine is searched the name goes, and what stays is an HMAC of it and the instant
//  up to which everything is erased. The key is a random one, kept in the file: without the file nobody can look
//  whether somebody was erased. Functions return false, or -1, when SQLite says no.

#ifndef TOMBSTONES_H
#define TOMBSTONES_H

#include "sql.h"

typedef struct tombstones tombstones_t;

//  Makes its tables, and the key, if they are not there. NULL: SQLite said no. sql is the store's, and outlives this.
tombstones_t *tombstones_new (sql_t *sql);
void tombstones_destroy (tombstones_t **self_p);

//  Up to which instant (Unix ms) is the viewer erased? 0: never was, or the tombstone's time is over.
bool tombstones_find (tombstones_t *self, usher_str_t viewer_id, uint64_t now_s, uint64_t *erased_ms);

//  Has all that was wished of the viewer been granted? No where nobody wished anything.
bool tombstones_granted (tombstones_t *self, usher_str_t viewer_id, bool *granted);

//  ---- within a transaction

//  Notes that the viewer is to be erased, asked for at now_ms.
bool tombstones_wish (tombstones_t *self, usher_str_t viewer_id, uint64_t now_ms);

//  Everything that the owner held is gone: its answer to a wish, which grants that and earlier ones. The tombstone stands until
//  expires_s, and never goes back in time.
bool tombstones_put (tombstones_t *self, const usher_forgotten_t *forgotten, uint64_t expires_s);

//  Searches some of the quarantine for bad events that name a viewer whose owner has let go.
typedef struct {
    bool any;     //  somebody's quarantine was searched
    bool done;    //  to its end: the viewer's name is gone from the table
    char viewer_id [1024];
    uint32_t viewer_id_size;
    uint64_t erased_ms;
    uint64_t removed;    //  rows of quarantine
} tombstones_search_t;
bool tombstones_search (tombstones_t *self, tombstones_search_t *found);

//  Deletes tombstones whose time is over, at most limit. Returns how many.
int tombstones_sweep (tombstones_t *self, uint64_t now_s, uint32_t limit);

//  ---- for whoever tells the owners

//  Calls tell with viewers whose owner has not let go yet, at most TOMBSTONES_TOLD of them.
#define TOMBSTONES_TOLD 1000
typedef void (tombstones_tell_fn) (void *arg, usher_str_t viewer_id, uint64_t wished_ms);
bool tombstones_wishes (tombstones_t *self, tombstones_tell_fn *tell, void *arg);

#endif
