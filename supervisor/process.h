//  process - starts a program of the roster as our child

#ifndef PROCESS_H
#define PROCESS_H

#include "config.h"
#include "roster.h"
#include "supervisor.h"

//  Starts it, in a process group of its own so that Ctrl-C reaches the supervisor only, and so that it gets SIGTERM
//  when we die. Returns its process id. A program that cannot be run ends with 100.
pid_t process_spawn (const roster_entry_t *entry, const char *programs_dir, const config_t *config,
                     const supervisor_options_t *options);

#endif
