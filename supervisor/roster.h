//  roster - the processes of one host: who there is, who needs whom, who drains before whom
//
//  Pure: it holds the automatons of child.h and answers questions about them together.

#ifndef ROSTER_H
#define ROSTER_H

#include "child.h"
#include <stddef.h>
#include <sys/types.h>

#define ROSTER_MOST 72    //  64 shards, the others, and the audience
#define ROSTER_NOBODY UINT32_MAX

typedef struct {
    char name [32];              //  shard-0
    const char *kind;            //  shard
    const char *program;         //  usher-shard
    const char *const *needs;    //  kinds, ended by NULL
    int instance;                //  -1: there is only one
    uint32_t drain_stage;        //  lower stages are at rest before this one drains
    child_t child;
    pid_t pid;               //  0: none
    char *metrics, *note;    //  of its last beat; ours
    uint32_t peer;           //  on the control link; ROSTER_NOBODY: not there
    uint32_t waiter;         //  the peer that asked for a restart and waits for it; ROSTER_NOBODY: none
} roster_entry_t;

typedef struct {
    roster_entry_t entries [ROSTER_MOST];
    size_t count;
} roster_t;

//  shards: how many. collector: is there one? audience: is there a simulated one?
void roster_init (roster_t *self, uint32_t shards, bool collector, bool audience);
void roster_term (roster_t *self);

//  Returns NULL when there is none.
roster_entry_t *roster_find (roster_t *self, const char *name);
roster_entry_t *roster_find_pid (roster_t *self, pid_t pid);

//  Is all that the entry needs READY?
bool roster_may_start (const roster_t *self, const roster_entry_t *entry);

//  Is everybody who drains before the entry at rest?
bool roster_may_drain (const roster_t *self, const roster_entry_t *entry);

//  Wants everybody to run; wants those not to run who may drain now.
void roster_want_all (roster_t *self);
void roster_drain_next (roster_t *self);

bool roster_all_ready (const roster_t *self);
bool roster_all_at_rest (const roster_t *self);

#endif
