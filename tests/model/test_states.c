//  test_states - the table of 02-profile read a second time, naively, against fold_apply and the session's silences
//
//  Every sequence of up to five events, each with the position moving, and standing too wherever that could matter; long
//  random ones; and long random ones with time passing between, looked at or not. A failure prints the sequence. And:
//  docs/states.md is what fold_next says now.

#include "chance.h"
#include "session.h"
#include "states_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEPTH = 5, RANDOM_RUNS = 20000, RANDOM_LENGTH = 64, PATIENT_RUNS = 5000 };

//  ---- the naive reading

typedef struct {
    const char *state;
    const char *film;       //  what the ads interrupted
    const char *stalled;    //  what the stall or the seek interrupted
    bool in_break, troubled;
    unsigned ads, completed, skipped, clicked, breaks, streak, errors;
} naive_t;

static void
become (naive_t *self, const char *state)
{
    self->state = state;
}

static bool
is (const naive_t *self, const char *state)
{
    return self->state == state || strcmp (self->state, state) == 0;
}

static bool
in_ads (const naive_t *self)
{
    return is (self, "ad") || is (self, "ad_paused");
}

static void
interrupt_for_ads (naive_t *self)
{
    if (!in_ads (self))
        self->film = self->state;
    become (self, "ad");
}

static void
stall (naive_t *self, const char *state)
{
    self->stalled = self->state;
    become (self, state);
}

static void
ad_over (naive_t *self)
{
    if (in_ads (self) && !self->in_break)
        become (self, self->film);
}

static void
naive_ads (naive_t *self, const char *event)
{
    if (!strcmp (event, "ad_break_start")) {
        interrupt_for_ads (self);
        self->in_break = true;
        self->breaks++;
    } else if (!strcmp (event, "ad_break_end")) {
        if (in_ads (self))
            become (self, strcmp (self->film, "ended") ? "watching" : "ended");
        self->in_break = false;
    } else if (!strcmp (event, "ad_start")) {
        if (!self->in_break && !in_ads (self))
            interrupt_for_ads (self);
        self->ads++;
    } else if (!strcmp (event, "ad_complete")) {
        ad_over (self);
        self->completed++;
        self->streak = 0;
    } else if (!strcmp (event, "ad_skip")) {
        ad_over (self);
        self->skipped++;
        self->streak++;
    } else if (!strcmp (event, "ad_click"))
        self->clicked++;
    else if (!strcmp (event, "ad_pause") && is (self, "ad"))
        become (self, "ad_paused");
    else if (!strcmp (event, "ad_resume") && is (self, "ad_paused"))
        become (self, "ad");
}

static bool
is_life (const char *event)
{
    return !strcmp (event, "ping") || !strcmp (event, "percent_progress") || !strcmp (event, "ready") ||
           (strstr (event, "_change") && strncmp (event, "ad_", 3));
}

static void
naive_take (naive_t *self, const char *event, bool moved)
{
    if (moved)
        self->troubled = false;
    if (!strcmp (event, "play")) {
        if (!is (self, "watching") && !in_ads (self))
            become (self, "watching");
    } else if (!strcmp (event, "pause")) {
        if (!is (self, "ended") && !in_ads (self))
            become (self, "paused");
    } else if (!strcmp (event, "end")) {
        become (self, "ended");
        self->in_break = false;
    } else if (!strcmp (event, "error")) {
        self->errors++;
        self->troubled = true;
    } else if (!strcmp (event, "buffer_start")) {
        if (is (self, "watching") || is (self, "starting"))
            stall (self, "rebuffering");
    } else if (!strcmp (event, "seek_start")) {
        if (is (self, "watching"))
            stall (self, "seeking");
    } else if ((!strcmp (event, "buffer_end") && is (self, "rebuffering")) ||
               (!strcmp (event, "seek_end") && is (self, "seeking")))
        become (self, self->stalled);
    else if (is_life (event)) {
        if (is (self, "starting") && moved)
            become (self, "watching");
    } else
        naive_ads (self, event);
}

//  ---- one against the other

typedef struct {
    naive_t naive;
    fold_t fold;
    double position;
} both_t;

typedef struct {
    usher_event_kind_t kind;
    bool moved;
} step_t;

static void
both_begin (both_t *self)
{
    *self = (both_t){ .naive = { .state = "starting" } };
    fold_init (&self->fold);
    //  A position to move on from.
    self->fold.position_s = self->position = 0;
}

static bool
both_agree (const both_t *self)
{
    const naive_t *naive = &self->naive;
    const fold_t *fold = &self->fold;
    return strcasecmp (naive->state, usher_state_names [fold->state]) == 0 && naive->ads == fold->ads &&
           naive->completed == fold->ads_completed && naive->skipped == fold->ads_skipped &&
           naive->clicked == fold->ads_clicked && naive->breaks == fold->ad_breaks &&
           naive->streak == fold->skip_streak && naive->errors == fold->errors &&
           naive->troubled == (fold->error_ms > 0);
}

static void
both_take (both_t *self, const step_t *steps, size_t at)
{
    step_t step = steps [at];
    self->position += step.moved;
    fold_event_t event = {
        .kind = (uint8_t)step.kind, .order_ms = at + 1, .collected_ms = at + 1, .video_s = self->position
    };
    fold_apply (&self->fold, &event);
    naive_take (&self->naive, usher_event_kind_names [step.kind], step.moved);
    if (both_agree (self))
        return;
    for (size_t one = 0; one <= at; one++)
        print_error ("%s%s ", usher_event_kind_names [steps [one].kind],
                     steps [one].moved ? "" : " (standing)");
    fail_msg ("fold says %s, the text %s", usher_state_names [self->fold.state], self->naive.state);
}

//  Does the text ask whether the position moved? Before the video started, and after an error.
static bool
moving_matters (const naive_t *self)
{
    return is (self, "starting") || self->troubled;
}

static void
every (const both_t *before, step_t *steps, size_t at, size_t depth)
{
    for (int moved = moving_matters (&before->naive) ? 0 : 1; moved < 2; moved++) {
        for (uint32_t kind = 0; kind < USHER_EVENT_KINDS; kind++) {
            both_t both = *before;
            steps [at] = (step_t){ (usher_event_kind_t)kind, moved };
            both_take (&both, steps, at);
            if (at + 1 < depth)
                every (&both, steps, at + 1, depth);
        }
    }
}

static void
test_every_sequence (void **state)
{
    (void)state;
    both_t both;
    step_t steps [DEPTH];
    both_begin (&both);
    every (&both, steps, 0, DEPTH);
}

static void
test_long_sequences (void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int run = 0; run < RANDOM_RUNS; run++) {
        both_t both;
        step_t steps [RANDOM_LENGTH];
        both_begin (&both);
        for (size_t at = 0; at < RANDOM_LENGTH; at++) {
            chance_next (&random);
            steps [at] =
                (step_t){ (usher_event_kind_t)((random >> 33) % USHER_EVENT_KINDS), random >> 60 & 1 };
            both_take (&both, steps, at);
        }
    }
}

//  ---- with time passing

//  All that was told, to be read again from its beginning at every question.
typedef struct {
    naive_t film;
    size_t count;
    struct {
        bool error, moved;
        uint64_t at_ms, patience_ms;    //  2.5 ping intervals and 10 s, by the interval that was told before
    } told [RANDOM_LENGTH];
    uint64_t patience_ms;
} diary_t;

static void
diary_take (diary_t *self, const char *event, bool moved, uint64_t at_ms, uint32_t ping_s)
{
    naive_take (&self->film, event, moved);
    self->told [self->count].error = !strcmp (event, "error");
    self->told [self->count].moved = moved;
    self->told [self->count].at_ms = at_ms;
    self->told [self->count++].patience_ms = self->patience_ms;
    if (ping_s)
        self->patience_ms = (ping_s > 300 ? 300 : ping_s) * 2500u + 10000;
}

//  The newest error, unless something moved after it or there was evidence once it was too late. -1: none.
static int
diary_trouble (const diary_t *self)
{
    int error = -1;
    for (size_t at = 0; at < self->count; at++) {
        if (self->told [at].error)
            error = (int)at;
        else if (error >= 0 &&
                 (self->told [at].moved ||
                  self->told [at].at_ms >= self->told [error].at_ms + self->told [at].patience_ms))
            error = -1;
    }
    return error;
}

static const char *
diary_state (const diary_t *self, uint64_t now_ms)
{
    const naive_t *film = &self->film;
    if (is (film, "ended"))
        return "ended";
    bool pings = !is (film, "paused") && !is (film, "ad_paused") && !is (film, "starting");
    int error = diary_trouble (self);
    if (error >= 0 && (pings || is (film, "starting")))
        return now_ms >= self->told [error].at_ms + self->patience_ms ? "failed" : film->state;
    uint64_t timeout_ms = pings ? self->patience_ms : 1800000;
    return now_ms >= self->told [self->count - 1].at_ms + timeout_ms ? "lost" : film->state;
}

static void
assert_states (const session_t *session, const diary_t *diary, uint64_t now_ms, int run)
{
    const char *naive = diary_state (diary, now_ms);
    if (strcasecmp (naive, usher_state_names [session_state (session)]))
        fail_msg ("run %d, event %zu: the session says %s, the text %s", run, diary->count,
                  usher_state_names [session_state (session)], naive);
}

static uint32_t
pick (uint64_t *random, uint32_t below)
{
    return (uint32_t)chance_pick (random, below);
}

static void
look (session_t *session, const config_t *config, uint64_t now_ms)
{
    if (session_deadline (session, config) <= now_ms)
        session_expire (session, config);
}

static void
patient_run (const config_t *config, int run)
{
    static const uint32_t gaps_s [] = { 0, 1, 20, 35, 84, 85, 86, 200, 310, 759, 760, 1799, 1800, 100000 };
    uint64_t random = (uint64_t)run + 1, now_ms = 1790000000000;
    diary_t diary = { .film = { .state = "starting" }, .patience_ms = 85000 };
    session_t session;
    session_init (&session, usher_bytes ("s", 1));
    double position = 0;
    for (uint32_t at = 0; at < RANDOM_LENGTH; at++) {
        now_ms += gaps_s [pick (&random, sizeof gaps_s / sizeof *gaps_s)] * 1000u;
        if (at && pick (&random, 2)) {
            look (&session, config, now_ms);
            assert_states (&session, &diary, now_ms, run);
        }
        now_ms += 1;
        char id [16];
        snprintf (id, sizeof id, "e%u", at);
        bool moved = at && pick (&random, 2);
        position += moved;
        usher_event_t event = { .event_id = usher_bytes (id, strlen (id)), .video_s = position };
        event.kind = pick (&random, USHER_EVENT_KINDS);
        event.collected_ms = now_ms;
        event.ping_s = pick (&random, 6) ? 0 : pick (&random, 400);
        session_take (&session, &event);
        session_reconsider (&session, config, now_ms);
        look (&session, config, now_ms);    //  a shorter ping interval may make it too late at once
        diary_take (&diary, usher_event_kind_names [event.kind], moved, now_ms, event.ping_s);
        assert_states (&session, &diary, now_ms, run);
    }
    session_clear (&session);
}

static void
test_time_passes (void **state)
{
    (void)state;
    config_t config = { .shard.paused_timeout_s = 1800 };
    for (int run = 0; run < PATIENT_RUNS; run++)
        patient_run (&config, run);
}

//  What the reference makes of its six events, and Usher too: 02-profile, below the table.
static void
test_reference_statuses (void **state)
{
    (void)state;
    static const struct {
        usher_event_kind_t before, event;
        usher_status_t status;
    } rows [] = {
        { USHER_event_kind_play, USHER_event_kind_pause, USHER_status_paused_video },
        { USHER_event_kind_play, USHER_event_kind_ad_break_start, USHER_status_watching_ad },
        { USHER_event_kind_play, USHER_event_kind_end, USHER_status_completed_video },
        { USHER_event_kind_play, USHER_event_kind_ping, USHER_status_watching_video },
        { USHER_event_kind_pause, USHER_event_kind_play, USHER_status_watching_video },
        { USHER_event_kind_pause, USHER_event_kind_ping, USHER_status_paused_video },
        { USHER_event_kind_ad_break_start, USHER_event_kind_ad_break_end, USHER_status_watching_video },
        { USHER_event_kind_ad_break_start, USHER_event_kind_end, USHER_status_completed_video },
        { USHER_event_kind_ad_break_start, USHER_event_kind_pause, USHER_status_watching_ad },
        { USHER_event_kind_ad_break_start, USHER_event_kind_play, USHER_status_watching_ad },
        { USHER_event_kind_ad_break_start, USHER_event_kind_ping, USHER_status_watching_ad },
        { USHER_event_kind_end, USHER_event_kind_ping, USHER_status_completed_video },
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        fold_t fold;
        fold_init (&fold);
        fold_apply (&fold,
                    &(fold_event_t){
                        .kind = (uint8_t)rows [row].before, .order_ms = 1, .collected_ms = 1, .video_s = 1 });
        fold_apply (&fold,
                    &(fold_event_t){
                        .kind = (uint8_t)rows [row].event, .order_ms = 2, .collected_ms = 2, .video_s = 2 });
        assert_int_equal (fold_status (fold.state), rows [row].status);
    }
}

static void
test_document (void **state)
{
    (void)state;
    char *now = NULL, *committed = calloc (1, 1 << 20);
    size_t size = 0;
    FILE *out = open_memstream (&now, &size);
    states_print (out);
    fclose (out);
    FILE *in = fopen ("docs/states.md", "r");
    assert_non_null (in);
    committed [fread (committed, 1, (1 << 20) - 1, in)] = 0;
    fclose (in);
    if (strcmp (committed, now))
        fail_msg ("docs/states.md is stale: usher-states > docs/states.md");
    free (committed);
    free (now);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_every_sequence), cmocka_unit_test (test_long_sequences),
        cmocka_unit_test (test_time_passes),    cmocka_unit_test (test_reference_statuses),
        cmocka_unit_test (test_document),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
