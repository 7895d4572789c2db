//  test_states - the table of 02-profile read a second time, naively, against fold_apply
//
//  Every sequence of four events with the position standing or moving, every one of five with it moving, and long
//  random ones. A failure prints the sequence. And: docs/states.md is what fold_next says now.

#include "fold.h"
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

enum { DEPTH_MOVING = 5, DEPTH_BOTH = 4, RANDOM_RUNS = 20000, RANDOM_LENGTH = 64 };

//  ---- the naive reading

typedef struct {
    char state [16];
    char film [16];       //  what the ads interrupted
    char stalled [16];    //  what the stall or the seek interrupted
    bool in_break;
    unsigned ads, completed, skipped, clicked, breaks, streak, errors;
} naive_t;

static void
become (naive_t *self, const char *state)
{
    snprintf (self->state, sizeof self->state, "%s", state);
}

static bool
is (const naive_t *self, const char *state)
{
    return strcmp (self->state, state) == 0;
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
        memcpy (self->film, self->state, sizeof self->film);
    become (self, "ad");
}

static void
stall (naive_t *self, const char *state)
{
    memcpy (self->stalled, self->state, sizeof self->stalled);
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

static void
naive_take (naive_t *self, const char *event, bool moved)
{
    static const char *const lives =
        " ping percent_progress quality_change volume_change playback_rate_change "
        "fullscreen_change picture_in_picture_change ready ";
    char word [40];
    snprintf (word, sizeof word, " %s ", event);
    if (!strcmp (event, "play")) {
        if (!is (self, "watching") && !in_ads (self))
            become (self, "watching");
    } else if (!strcmp (event, "pause")) {
        if (!is (self, "ended") && !in_ads (self))
            become (self, "paused");
    } else if (!strcmp (event, "end")) {
        become (self, "ended");
        self->in_break = false;
    } else if (!strcmp (event, "error"))
        self->errors++;
    else if (!strcmp (event, "buffer_start")) {
        if (is (self, "watching") || is (self, "starting"))
            stall (self, "rebuffering");
    } else if (!strcmp (event, "seek_start")) {
        if (is (self, "watching"))
            stall (self, "seeking");
    } else if ((!strcmp (event, "buffer_end") && is (self, "rebuffering")) ||
               (!strcmp (event, "seek_end") && is (self, "seeking")))
        become (self, self->stalled);
    else if (strstr (lives, word)) {
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
           naive->streak == fold->skip_streak && naive->errors == fold->errors;
}

static void
both_take (both_t *self, const step_t *steps, size_t at)
{
    step_t step = steps [at];
    self->position += step.moved;
    fold_event_t event = {
        .kind = step.kind, .order_ms = at + 1, .collected_ms = at + 1, .video_s = self->position
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

static void
every (const both_t *before, step_t *steps, size_t at, size_t depth, bool standing_too)
{
    for (int moved = standing_too ? 0 : 1; moved < 2; moved++) {
        for (uint32_t kind = 0; kind < USHER_EVENT_KINDS; kind++) {
            both_t both = *before;
            steps [at] = (step_t){ (usher_event_kind_t)kind, moved };
            both_take (&both, steps, at);
            if (at + 1 < depth)
                every (&both, steps, at + 1, depth, standing_too);
        }
    }
}

static void
test_every_sequence (void **state)
{
    (void)state;
    both_t both;
    step_t steps [DEPTH_MOVING];
    both_begin (&both);
    every (&both, steps, 0, DEPTH_BOTH, true);
    every (&both, steps, 0, DEPTH_MOVING, false);
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
            random = random * 6364136223846793005u + 1442695040888963407u;
            steps [at] =
                (step_t){ (usher_event_kind_t)((random >> 33) % USHER_EVENT_KINDS), random >> 60 & 1 };
            both_take (&both, steps, at);
        }
    }
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
        fold_apply (&fold, &(fold_event_t){
                               .kind = rows [row].before, .order_ms = 1, .collected_ms = 1, .video_s = 1 });
        fold_apply (&fold, &(fold_event_t){
                               .kind = rows [row].event, .order_ms = 2, .collected_ms = 2, .video_s = 2 });
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
        cmocka_unit_test (test_every_sequence),
        cmocka_unit_test (test_long_sequences),
        cmocka_unit_test (test_reference_statuses),
        cmocka_unit_test (test_document),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
