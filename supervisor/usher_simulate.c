//  usher_simulate - simulated viewers from the command line; simulate.h does the work

#include "simulate.h"
#include "usher.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

//  A signal handler can reach nothing else.
static volatile sig_atomic_t stop;

static void
on_signal (int number)
{
    (void)number;
    stop = 1;
}

int
usher_simulate (int argc, char **argv)
{
    usher_where_t where;
    char own_url [64];
    const char *viewers = "100", *url = NULL, *seed = "1", *speed = "1", *duration = "0", *ping = "0";
    const usher_option_t options [] = {
        { "viewers", &viewers, false }, { "url", &url, false },           { "seed", &seed, false },
        { "speed", &speed, false },     { "duration", &duration, false }, { "ping", &ping, false },
        { NULL, NULL, false }
    };
    double count, number, factor, seconds, interval;
    if (!usher_options (argc, argv, options, NULL, &where))
        return 1;
    snprintf (own_url, sizeof own_url, "http://127.0.0.1:%u", where.config->collector.port);
    usher_where_term (&where);
    if (!usher_number ("--viewers", viewers, 1, 10000000, &count) ||
        !usher_number ("--seed", seed, 0, 9e15, &number) ||
        !usher_number ("--speed", speed, 0.001, 1000, &factor) ||
        !usher_number ("--duration", duration, 0, 1e9, &seconds) ||
        !usher_number ("--ping", ping, 0, 300, &interval))
        return 1;
    simulate_options_t simulation = { .collector_url = url ? url : own_url,
                                      .viewers = (size_t)count,
                                      .seed = (uint64_t)number,
                                      .speed = factor,
                                      .duration_s = (unsigned)seconds,
                                      .ping_s = (unsigned)interval };
    struct sigaction action = { .sa_handler = on_signal };
    sigaction (SIGTERM, &action, NULL);
    sigaction (SIGINT, &action, NULL);
    return simulate_run (&simulation, &stop) == 0 ? 0 : 1;
}
