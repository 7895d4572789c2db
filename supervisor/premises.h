//  premises - what a host must offer before anybody is started: programs, directories, a lock, free ports
//
//  Each check says in one line on stderr what is wrong and what to do, and returns false.

#ifndef PREMISES_H
#define PREMISES_H

#include "config.h"
#include "roster.h"

//  Locks held while the supervisor lives; see premises_lock.
typedef struct {
    int own, family;
} premises_t;

//  The folder of our own program: the others are next to it. path holds size bytes.
bool premises_programs_dir (char *path, size_t size);

//  A word as one types it into a shell: in quotes where it would be cut otherwise. What does not fit is cut. Returns text.
const char *premises_quote (const char *word, char *text, size_t size);

//  Is every program of the roster there?
bool premises_check_programs (const roster_t *roster, const char *programs_dir);

//  Makes run_dir (0700) and data_dir, with what is above them, and checks that they can be written.
bool premises_make_directories (const config_t *config);

//  Takes two locks in run_dir. `own` is ours alone and holds our process id; `family` is inherited by every child, so
//  that a new supervisor waits until the last child of a killed one is gone. Then sockets left behind are removed.
bool premises_lock (premises_t *self, const char *run_dir, const char *dir);
void premises_unlock (premises_t *self);

//  Can every configured port be bound?
bool premises_check_ports (const config_t *config);

#endif
