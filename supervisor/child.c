//  child - one process as the supervisor sees it: a pure automaton
//
//  Read the rows first: they are the whole behaviour. What a row cannot say, because it depends on counts, is in
//  rest (backoff, and the limit of crashes) and in enter (deadlines).

#include "child.h"
#include "service.h"

#include <string.h>
#include <sys/wait.h>

const char *const child_state_names [CHILD_STATES] = { "DOWN",     "STARTING", "READY",
                                                       "DRAINING", "RESTING",  "FAILED" };

typedef struct {
    child_state_t state;
    child_event_t event;
    child_state_t next;
    child_action_t action;
} row_t;

//  An event without a row changes nothing.
static const row_t rows [] = {
    //  is              happens             becomes         do
    { CHILD_DOWN, CHILD_START, CHILD_STARTING, CHILD_DO_SPAWN },
    { CHILD_FAILED, CHILD_START, CHILD_STARTING, CHILD_DO_SPAWN },

    { CHILD_STARTING, CHILD_TOLD_READY, CHILD_READY, CHILD_DO_NOTHING },
    { CHILD_STARTING, CHILD_STOP, CHILD_DRAINING, CHILD_DO_DRAIN },
    { CHILD_STARTING, CHILD_TIMEOUT, CHILD_STARTING, CHILD_DO_KILL },
    { CHILD_STARTING, CHILD_EXIT_DRAINED, CHILD_RESTING, CHILD_DO_NOTHING },
    { CHILD_STARTING, CHILD_EXIT_NEVER, CHILD_FAILED, CHILD_DO_NOTHING },
    { CHILD_STARTING, CHILD_EXIT_BUG, CHILD_RESTING, CHILD_DO_NOTHING },
    { CHILD_STARTING, CHILD_EXIT_LATER, CHILD_RESTING, CHILD_DO_NOTHING },

    { CHILD_READY, CHILD_BEAT, CHILD_READY, CHILD_DO_NOTHING },
    { CHILD_READY, CHILD_STOP, CHILD_DRAINING, CHILD_DO_DRAIN },
    { CHILD_READY, CHILD_TIMEOUT, CHILD_READY, CHILD_DO_KILL },
    { CHILD_READY, CHILD_EXIT_DRAINED, CHILD_RESTING, CHILD_DO_NOTHING },
    { CHILD_READY, CHILD_EXIT_NEVER, CHILD_FAILED, CHILD_DO_NOTHING },
    { CHILD_READY, CHILD_EXIT_BUG, CHILD_RESTING, CHILD_DO_NOTHING },
    { CHILD_READY, CHILD_EXIT_LATER, CHILD_RESTING, CHILD_DO_NOTHING },

    { CHILD_DRAINING, CHILD_TIMEOUT, CHILD_DRAINING, CHILD_DO_KILL },
    { CHILD_DRAINING, CHILD_EXIT_DRAINED, CHILD_DOWN, CHILD_DO_NOTHING },
    { CHILD_DRAINING, CHILD_EXIT_NEVER, CHILD_FAILED, CHILD_DO_NOTHING },
    { CHILD_DRAINING, CHILD_EXIT_BUG, CHILD_RESTING, CHILD_DO_NOTHING },
    { CHILD_DRAINING, CHILD_EXIT_LATER, CHILD_RESTING, CHILD_DO_NOTHING },

    { CHILD_RESTING, CHILD_TIMEOUT, CHILD_DOWN, CHILD_DO_NOTHING },
    { CHILD_RESTING, CHILD_STOP, CHILD_DOWN, CHILD_DO_NOTHING },
};

static const row_t *
find_row (child_state_t state, child_event_t event)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows [i].state == state && rows [i].event == event)
            return &rows [i];
    return NULL;
}

child_t
child_init (bool watched)
{
    child_t self = { .state = CHILD_DOWN, .watched = watched, .due_ms = INT64_MAX };
    return self;
}

bool
child_runs (const child_t *self)
{
    return self->state == CHILD_STARTING || self->state == CHILD_READY || self->state == CHILD_DRAINING;
}

//  Doubles from the first to the most, then takes between a half and the whole of it.
static int64_t
backoff_ms (uint32_t backoffs, uint32_t random)
{
    int64_t whole = CHILD_BACKOFF_FIRST_MS;
    while (backoffs-- && whole < CHILD_BACKOFF_MOST_MS)
        whole *= 2;
    if (whole > CHILD_BACKOFF_MOST_MS)
        whole = CHILD_BACKOFF_MOST_MS;
    return whole / 2 + (int64_t)random % (whole / 2 + 1);
}

//  Notes a crash. Is it one too many?
static bool
crashes_too_often (child_t *self, int64_t now_ms)
{
    int64_t *oldest = &self->crashes_ms [self->crash_count % CHILD_CRASHES];
    *oldest = now_ms;
    self->crash_count++;
    //  The ring's next slot now holds the oldest of the last CHILD_CRASHES.
    int64_t first = self->crashes_ms [self->crash_count % CHILD_CRASHES];
    return self->crash_count >= CHILD_CRASHES && now_ms - first < CHILD_CRASH_WINDOW_MS;
}

//  It ended by itself: when may it come back?
static void
rest (child_t *self, child_event_t event, int64_t now_ms, uint32_t random)
{
    if (self->ready_ms && now_ms - self->ready_ms >= CHILD_STABLE_MS)
        self->backoffs = 0;
    self->restarts++;
    self->due_ms = now_ms + backoff_ms (self->backoffs++, random);
    if (event == CHILD_EXIT_BUG && crashes_too_often (self, now_ms)) {
        self->state = CHILD_FAILED;
        self->due_ms = INT64_MAX;
    }
}

static void
enter_starting (child_t *self, bool asked, int64_t now_ms)
{
    if (asked) {
        self->crash_count = 0;
        self->backoffs = 0;
    }
    self->starts++;
    self->started_ms = now_ms;
    self->ready_ms = self->beat_ms = 0;
    self->killed = false;
    self->due_ms = now_ms + CHILD_START_DEADLINE_MS;
    if (!self->watched) {
        self->state = CHILD_READY;
        self->ready_ms = now_ms;
        self->due_ms = INT64_MAX;
    }
}

child_action_t
child_event (child_t *self, child_event_t event, int64_t now_ms, uint32_t random)
{
    const row_t *row = find_row (self->state, event);
    if (!row)
        return CHILD_DO_NOTHING;
    child_state_t was = self->state;
    self->state = row->next;
    if (row->action == CHILD_DO_KILL) {
        self->killed = true;
        //  SIGKILL cannot fail, but a process in the kernel may take its time: say it again then.
        self->due_ms = now_ms + CHILD_KILL_DEADLINE_MS;
    } else if (row->next == CHILD_STARTING)
        enter_starting (self, was == CHILD_FAILED, now_ms);
    else if (row->next == CHILD_READY && !self->killed) {
        self->beat_ms = now_ms;
        self->due_ms = self->watched ? now_ms + CHILD_BEAT_DEADLINE_MS : INT64_MAX;
        if (was == CHILD_STARTING)
            self->ready_ms = now_ms;
    } else if (row->next == CHILD_DRAINING)
        self->due_ms = now_ms + CHILD_DRAIN_DEADLINE_MS;
    else if (row->next == CHILD_RESTING)
        rest (self, event, now_ms, random);
    else if (row->next != CHILD_READY)
        self->due_ms = INT64_MAX;
    if (self->state == CHILD_RESTING && !self->wanted) {
        self->state = CHILD_DOWN;
        self->due_ms = INT64_MAX;
    }
    return row->action;
}

child_event_t
child_due (const child_t *self, int64_t now_ms, bool may_start)
{
    if (self->wanted && self->state == CHILD_DOWN && may_start)
        return CHILD_START;
    if (!self->wanted &&
        (self->state == CHILD_STARTING || self->state == CHILD_READY || self->state == CHILD_RESTING))
        return CHILD_STOP;
    return now_ms >= self->due_ms ? CHILD_TIMEOUT : CHILD_NOTHING;
}

child_event_t
child_exit (int status)
{
    if (!WIFEXITED (status))
        return CHILD_EXIT_BUG;
    switch (WEXITSTATUS (status)) {
    case EXIT_DRAINED:
        return CHILD_EXIT_DRAINED;
    case EXIT_MISCONFIGURED:
        return CHILD_EXIT_NEVER;
    case EXIT_TRY_AGAIN:
        return CHILD_EXIT_LATER;
    default:
        return CHILD_EXIT_BUG;
    }
}
