//  supervisor - keeps the processes of one host alive; its manual page is in supervisor.c

#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include "config.h"

typedef struct {
    const char *config_file;    //  NULL: none; handed on to every process
    const char *dir;
    uint32_t audience;    //  simulated viewers; 0 none
} supervisor_options_t;

//  Runs until everything has drained. config must be what config_file and dir say. Returns the exit code: 0 drained,
//  1 could not start (one line on stderr says why and what to do), or was told twice to stop.
int supervisor_run (const config_t *config, const supervisor_options_t *options);

#endif
