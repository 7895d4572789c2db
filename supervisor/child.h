//  child - one process as the supervisor sees it: a pure automaton
//
//  What is wanted (wanted) is kept apart from what is (state). Events come in with the time, an action comes out;
//  nothing here starts, signals or waits for a process. The rows of (state, event) are in child.c.
//
//  DOWN      not running, and may start when it is wanted
//  STARTING  runs, has not said that it is ready
//  READY     runs and is caught up
//  DRAINING  runs, was told to finish
//  RESTING   ended by itself, waits for its next start
//  FAILED    ended in a way that another start cannot mend; stays so until somebody asks for it

#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    CHILD_DOWN,
    CHILD_STARTING,
    CHILD_READY,
    CHILD_DRAINING,
    CHILD_RESTING,
    CHILD_FAILED,
    CHILD_STATES
} child_state_t;

typedef enum {
    CHILD_NOTHING,    //  nothing is due
    CHILD_START,      //  it is wanted, and what it needs is there
    CHILD_TOLD_READY,
    CHILD_BEAT,
    CHILD_STOP,            //  drain it
    CHILD_TIMEOUT,         //  due_ms has come
    CHILD_EXIT_DRAINED,    //  exit code 0
    CHILD_EXIT_NEVER,      //  100: another start would not help
    CHILD_EXIT_BUG,        //  101, a signal, or a code that promises nothing
    CHILD_EXIT_LATER,      //  111: the world failed
    CHILD_EVENTS
} child_event_t;

typedef enum { CHILD_DO_NOTHING, CHILD_DO_SPAWN, CHILD_DO_DRAIN, CHILD_DO_KILL } child_action_t;

#define CHILD_START_DEADLINE_MS 60000
#define CHILD_BEAT_DEADLINE_MS 10000
#define CHILD_DRAIN_DEADLINE_MS 30000
#define CHILD_KILL_DEADLINE_MS 10000
#define CHILD_BACKOFF_FIRST_MS 100
#define CHILD_BACKOFF_MOST_MS 30000
#define CHILD_STABLE_MS 60000          //  READY for so long: the next restart is a first one again
#define CHILD_CRASHES 10               //  so many bugs ...
#define CHILD_CRASH_WINDOW_MS 60000    // ... within this time stop it

typedef struct {
    child_state_t state;
    bool wanted;
    bool killed;       //  SIGKILL was sent; its exit is awaited
    bool watched;      //  says ready and beats; a process that does not is ready at once
    int64_t due_ms;    //  when CHILD_TIMEOUT is due; INT64_MAX never
    int64_t started_ms, ready_ms, beat_ms;    //  of this run
    uint32_t starts;
    uint32_t restarts;                     //  ends that nobody asked for
    uint32_t backoffs;                     //  in a row
    int64_t crashes_ms [CHILD_CRASHES];    //  the last ones, a ring
    uint32_t crash_count;
} child_t;

//  watched: it will say that it is ready, and beat each second.
child_t child_init (bool watched);

//  Applies an event. random spreads the restarts of many. Returns what the caller must do to the process.
child_action_t child_event (child_t *self, child_event_t event, int64_t now_ms, uint32_t random);

//  The event that is due by itself: from what is wanted, or by time. may_start: what it needs is ready.
child_event_t child_due (const child_t *self, int64_t now_ms, bool may_start);

//  What the end of a process means; status as from waitpid.
child_event_t child_exit (int status);

//  Does a process exist?
bool child_runs (const child_t *self);

extern const char *const child_state_names [CHILD_STATES];

#endif
