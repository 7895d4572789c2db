//  simulate - sends a simulated audience's requests to a collector
//
//  `usher simulate`: the shell around audience.c. It owns the clock and the connections, nothing else.

#ifndef SIMULATE_H
#define SIMULATE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *collector_url;    //  http://HOST:PORT or https://; the tracker's path is added
    size_t viewers;
    uint64_t seed;
    double speed;           //  1 is real time, 10 ten times as fast
    unsigned duration_s;    //  of wall time; 0: until stopped
    unsigned ping_s;        //  1..300; 0 is the tracker's default of 30
} simulate_options_t;

//  Runs until the duration is over or *stop is not 0, says how it goes on stderr every few seconds and sums up at
//  the end. Returns 0; -1 if it could not begin (an option is wrong; the message on stderr says which).
int simulate_run (const simulate_options_t *options, volatile sig_atomic_t *stop);

#endif
