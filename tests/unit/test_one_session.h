//  test_one_session - what the tests of a session share: one that is there, and events that it takes

#ifndef TEST_ONE_SESSION_H_INCLUDED
#define TEST_ONE_SESSION_H_INCLUDED

#include "session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const uint64_t START_MS = 1790000000000;

static config_t config;
static session_t session;

static inline int
session_setup (void **state)
{
    (void)state;
    config.shard.paused_timeout_s = 1800;
    config.shard.forget_s = 3600;
    session_init (&session, usher_bytes ("s", 1));
    return 0;
}

static inline int
session_teardown (void **state)
{
    (void)state;
    session_clear (&session);
    return 0;
}

//  The event as it is collected so long after the start, under an id that none had before; clock_ms is the source's.
static inline session_effect_t
session_takes (usher_event_t event, uint64_t at_s, uint64_t clock_ms)
{
    static int told;
    char id [16];
    snprintf (id, sizeof id, "e%d", told++);
    event.event_id = usher_bytes (id, strlen (id));
    event.collected_ms = START_MS + at_s * 1000;
    session_effect_t effect = session_take (&session, &event);
    session_reconsider (&session, &config, clock_ms);
    return effect;
}

#endif
