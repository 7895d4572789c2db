//  supervisor - keeps the processes of one host alive
//
//  In:    hello, ready, beat from every service; command from the usher program; SIGCHLD, SIGTERM, SIGINT, SIGHUP
//  Out:   slots to every service when it is there, drain (with SIGTERM), metrics to the gateway each second, answers
//  Keeps: the roster with an automaton for each process. Nothing on disk but two locks
//  Drain: collector, ingester, shards, publisher, gateway, persister, each at rest before the next; then it ends with 0
//  Death: its children get SIGTERM from the kernel, and drain; the next supervisor waits for them
//
//  The loop sleeps until a frame, a signal or the next due time. After each wake-up, step asks every automaton what is
//  due and does it. All decisions are in child.c and roster.c; this file moves bytes and signals.

#include "supervisor.h"
#include "control.h"
#include "exposition.h"
#include "log.h"
#include "memory.h"
#include "premises.h"
#include "process.h"
#include "report.h"
#include "service.h"
#include "slot_map.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#define METRICS_MS 1000
#define METRICS_MOST 262144

typedef struct {
    const config_t *config;
    supervisor_options_t options;
    char programs_dir [4096];
    premises_t premises;
    control_t *control;
    int signals;
    uint8_t owners [USHER_SLOTS];
    roster_t roster;
    int64_t now_ms, started_ms, metrics_ms;
    bool announced;    //  everybody has been ready once
    bool draining;
    uint32_t stop_signals;
    int exit_code;
} supervisor_t;

static uint32_t
random_number (void)
{
    uint32_t number = 0;
    if (getrandom (&number, sizeof number, 0) != sizeof number)
        abort ();
    return number;
}

//  ---- sending

//  The map only changes with the number of shards, which a running supervisor keeps: so it is always map 1.
static void
send_slots (supervisor_t *self, const roster_entry_t *entry)
{
    usher_msg_t msg = { .id = USHER_MSG_slots };
    msg.slots = (usher_slots_t){ 1, self->config->shards, usher_bytes (self->owners, sizeof self->owners) };
    control_send (self->control, entry->peer, &msg);
}

static void
send_metrics (supervisor_t *self)
{
    const roster_entry_t *gateway = roster_find (&self->roster, "gateway");
    if (!gateway || gateway->peer == ROSTER_NOBODY)
        return;
    exposition_t *all = exposition_new ();
    char *own = report_metrics (&self->roster, self->now_ms);
    exposition_add (all, NULL, own);
    for (size_t i = 0; i < self->roster.count; i++)
        if (self->roster.entries [i].metrics)
            exposition_add (all, self->roster.entries [i].name, self->roster.entries [i].metrics);
    char *text = exposition_text (all, METRICS_MOST);
    usher_msg_t msg = { .id = USHER_MSG_metrics, .metrics = { usher_str (text) } };
    control_send (self->control, gateway->peer, &msg);
    free (text);
    free (own);
    exposition_destroy (&all);
}

//  ---- automatons

//  Who asked for the restart hears how it went.
static void
answer_waiter (supervisor_t *self, roster_entry_t *entry)
{
    child_state_t state = entry->child.state;
    char text [160];
    if (entry->waiter == ROSTER_NOBODY || (state != CHILD_READY && state != CHILD_FAILED && !self->draining))
        return;
    bool good = state == CHILD_READY;
    snprintf (text, sizeof text, "%s is %s%s", entry->name,
              good ? "ready again, pid " : "not back: ", good ? "" : child_state_names [state]);
    if (good)
        snprintf (text + strlen (text), sizeof text - strlen (text), "%d", (int)entry->pid);
    control_answer (self->control, entry->waiter, good ? USHER_outcome_done : USHER_outcome_failed, text);
    entry->waiter = ROSTER_NOBODY;
}

static void
start_drain (supervisor_t *self)
{
    if (!self->draining)
        log_info ("draining all", "pid=%d", (int)getpid ());
    self->draining = true;
}

//  Returns what happened to it if it could not be started.
static child_event_t
spawn (supervisor_t *self, roster_entry_t *entry)
{
    entry->peer = ROSTER_NOBODY;
    pid_t pid = process_spawn (entry, self->programs_dir, self->config, &self->options);
    entry->pid = pid > 0 ? pid : 0;
    if (pid > 0) {
        log_info ("started", "name=%s pid=%d", entry->name, (int)pid);
        return CHILD_NOTHING;
    }
    log_error ("cannot start a process", "name=%s reason=\"%s\"", entry->name, strerror (errno));
    return CHILD_EXIT_LATER;
}

//  A process id of 0 or less would reach others than the child.
static void
send_signal (const roster_entry_t *entry, int number)
{
    if (entry->pid > 0)
        kill (entry->pid, number);
}

static void
drain (supervisor_t *self, roster_entry_t *entry)
{
    usher_msg_t msg = { .id = USHER_MSG_drain };
    control_send (self->control, entry->peer, &msg);
    send_signal (entry, SIGTERM);
}

static void
kill_hard (roster_entry_t *entry)
{
    log_error ("killed", "name=%s pid=%d state=%s reason=\"%s\"", entry->name, (int)entry->pid,
               child_state_names [entry->child.state],
               entry->child.state == CHILD_READY      ? "its work loop sent no beat"
               : entry->child.state == CHILD_STARTING ? "it did not get ready"
                                                      : "it did not finish its drain");
    send_signal (entry, SIGKILL);
}

//  What a state that was just entered means to people.
static void
tell_change (supervisor_t *self, const roster_entry_t *entry, child_event_t event)
{
    if (entry->child.state == CHILD_RESTING)
        log_warning ("will restart", "name=%s in_ms=%" PRId64 " restarts=%u", entry->name,
                     entry->child.due_ms - self->now_ms, entry->child.restarts);
    if (entry->child.state != CHILD_FAILED)
        return;
    if (event == CHILD_EXIT_NEVER)
        log_error ("stays down",
                   "name=%s reason=\"it cannot start as configured; its last line says why\" "
                   "hint=\"mend that, then: usher restart %s\"",
                   entry->name, entry->name);
    else
        log_error ("stays down",
                   "name=%s reason=\"%d crashes within %d s\" hint=\"usher restart %s tries again\"",
                   entry->name, CHILD_CRASHES, CHILD_CRASH_WINDOW_MS / 1000, entry->name);
    if (!self->announced && !self->draining) {
        fprintf (stderr, "usher: %s cannot start, so nothing was started; the lines above say why\n",
                 entry->name);
        self->exit_code = 1;
        start_drain (self);
    }
}

static void
happen (supervisor_t *self, roster_entry_t *entry, child_event_t event)
{
    child_state_t was = entry->child.state;
    child_action_t action = child_event (&entry->child, event, self->now_ms, random_number ());
    if (action == CHILD_DO_SPAWN) {
        child_event_t failure = spawn (self, entry);
        if (failure != CHILD_NOTHING)
            child_event (&entry->child, failure, self->now_ms, random_number ());
    } else if (action == CHILD_DO_DRAIN)
        drain (self, entry);
    else if (action == CHILD_DO_KILL)
        kill_hard (entry);
    if (entry->child.state == was)
        return;
    log_debug ("state", "name=%s from=%s to=%s", entry->name, child_state_names [was],
               child_state_names [entry->child.state]);
    tell_change (self, entry, event);
    answer_waiter (self, entry);
}

//  Does what is due until nothing is: a process that got ready lets others start.
static void
step (supervisor_t *self)
{
    bool again = true;
    while (again) {
        again = false;
        if (self->draining)
            roster_drain_next (&self->roster);
        for (size_t i = 0; i < self->roster.count; i++) {
            roster_entry_t *entry = &self->roster.entries [i];
            bool may_start = !self->draining && roster_may_start (&self->roster, entry);
            child_event_t event = child_due (&entry->child, self->now_ms, may_start);
            if (event == CHILD_NOTHING)
                continue;
            happen (self, entry, event);
            again = true;
        }
    }
    if (!self->announced && !self->draining && roster_all_ready (&self->roster)) {
        self->announced = true;
        report_where (self->config, stdout);
    }
}

static void
reap (supervisor_t *self)
{
    int status;
    for (pid_t pid; (pid = waitpid (-1, &status, WNOHANG)) > 0;) {
        roster_entry_t *entry = roster_find_pid (&self->roster, pid);
        if (!entry)
            continue;
        child_event_t event = child_exit (status);
        if (WIFSIGNALED (status))
            log_warning ("ended", "name=%s pid=%d signal=%d", entry->name, (int)pid, WTERMSIG (status));
        else
            log_info ("ended", "name=%s pid=%d code=%d", entry->name, (int)pid, WEXITSTATUS (status));
        entry->pid = 0;
        //  The audience goes home when its time is over.
        if (!entry->child.watched && event == CHILD_EXIT_DRAINED)
            entry->child.wanted = false;
        happen (self, entry, event);
    }
}

//  ---- messages

static roster_entry_t *
entry_of_peer (supervisor_t *self, uint32_t peer)
{
    for (size_t i = 0; i < self->roster.count; i++)
        if (self->roster.entries [i].peer == peer)
            return &self->roster.entries [i];
    return NULL;
}

//  A process is believed when it is the one that we started: a name can be claimed by anybody.
static roster_entry_t *
believed (supervisor_t *self, uint32_t peer, uint32_t pid)
{
    roster_entry_t *entry = entry_of_peer (self, peer);
    return entry && entry->pid == (pid_t)pid && entry->pid ? entry : NULL;
}

static void
on_ready (supervisor_t *self, uint32_t peer, const usher_msg_t *msg)
{
    roster_entry_t *entry = believed (self, peer, msg->ready.pid);
    if (entry)
        happen (self, entry, CHILD_TOLD_READY);
}

static void
on_beat (supervisor_t *self, uint32_t peer, const usher_msg_t *msg)
{
    roster_entry_t *entry = believed (self, peer, msg->beat.pid);
    if (!entry)
        return;
    happen (self, entry, CHILD_BEAT);
    free (entry->metrics);
    entry->metrics = memory_copy (msg->beat.metrics.data, msg->beat.metrics.size);
    free (entry->note);
    entry->note = memory_copy (msg->beat.note.data, msg->beat.note.size);
}

static void
do_status (supervisor_t *self, uint32_t peer, const char *target)
{
    (void)target;
    const char *state = self->draining ? "DRAINING" : self->announced ? "UP" : "STARTING";
    char *text = report_status (&self->roster, state, self->started_ms, self->now_ms);
    control_answer (self->control, peer, USHER_outcome_done, text);
    free (text);
}

static void
do_restart (supervisor_t *self, uint32_t peer, const char *target)
{
    roster_entry_t *entry = roster_find (&self->roster, target);
    char text [160];
    if (!entry)
        snprintf (text, sizeof text, "there is no process \"%.64s\"; `usher status` lists them", target);
    else if (self->draining)
        snprintf (text, sizeof text, "everything is being stopped");
    else if (entry->waiter != ROSTER_NOBODY || entry->child.state == CHILD_DRAINING)
        snprintf (text, sizeof text, "%s is being restarted already", entry->name);
    else {
        entry->waiter = peer;
        entry->child.wanted = true;
        happen (self, entry, entry->child.state == CHILD_FAILED ? CHILD_START : CHILD_STOP);
        return;
    }
    control_answer (self->control, peer, USHER_outcome_refused, text);
}

static void
do_stop (supervisor_t *self, uint32_t peer, const char *target)
{
    (void)target;
    char text [32];
    snprintf (text, sizeof text, "%d", (int)getpid ());
    control_answer (self->control, peer, USHER_outcome_done, text);
    start_drain (self);
}

static void
on_command (supervisor_t *self, uint32_t peer, const usher_msg_t *msg)
{
    static const struct {
        const char *verb;
        void (*run) (supervisor_t *self, uint32_t peer, const char *target);
    } verbs [] = { { "status", do_status }, { "restart", do_restart }, { "stop", do_stop } };
    char target [65];
    snprintf (target, sizeof target, "%.*s", (int)msg->command.target.size, msg->command.target.data);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (usher_str_eq (msg->command.verb, usher_str (verbs [i].verb))) {
            verbs [i].run (self, peer, target);
            return;
        }
    control_answer (self->control, peer, USHER_outcome_refused,
                    "the supervisor knows status, restart and stop");
}

static void
on_take (void *arg, uint32_t peer, const usher_msg_t *msg)
{
    static const struct {
        usher_msg_id_t id;
        void (*handler) (supervisor_t *self, uint32_t peer, const usher_msg_t *msg);
    } routes [] = { { USHER_MSG_ready, on_ready },
                    { USHER_MSG_beat, on_beat },
                    { USHER_MSG_command, on_command } };
    supervisor_t *self = arg;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes [i].id == msg->id)
            routes [i].handler (self, peer, msg);
}

static void
on_up (void *arg, uint32_t peer, const char *name)
{
    supervisor_t *self = arg;
    roster_entry_t *entry = roster_find (&self->roster, name);
    if (!entry)
        return;
    entry->peer = peer;
    send_slots (self, entry);
}

static void
on_down (void *arg, uint32_t peer)
{
    supervisor_t *self = arg;
    roster_entry_t *entry = entry_of_peer (self, peer);
    if (entry)
        entry->peer = ROSTER_NOBODY;
    for (size_t i = 0; i < self->roster.count; i++)
        if (self->roster.entries [i].waiter == peer)
            self->roster.entries [i].waiter = ROSTER_NOBODY;
}

//  ---- the loop

static void
kill_all (supervisor_t *self)
{
    for (size_t i = 0; i < self->roster.count; i++)
        if (self->roster.entries [i].pid > 0)
            kill (self->roster.entries [i].pid, SIGKILL);
    for (size_t i = 0; i < self->roster.count; i++)
        self->roster.entries [i].child.wanted = false;
}

static void
read_signals (supervisor_t *self)
{
    struct signalfd_siginfo info;
    while (read (self->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue;
        start_drain (self);
        if (++self->stop_signals < 2)
            continue;
        log_warning ("killing all", "reason=\"told to stop a second time\"");
        self->exit_code = 1;
        kill_all (self);
    }
}

static long
wait_ms (const supervisor_t *self)
{
    int64_t due = self->metrics_ms + METRICS_MS;
    for (size_t i = 0; i < self->roster.count; i++)
        if (self->roster.entries [i].child.due_ms < due)
            due = self->roster.entries [i].child.due_ms;
    return due > self->now_ms ? (long)(due - self->now_ms) : 0;
}

static void
loop_turn (supervisor_t *self)
{
    zmq_pollitem_t items [2] = { { .fd = self->signals, .events = ZMQ_POLLIN },
                                 { .socket = control_socket (self->control), .events = ZMQ_POLLIN } };
    if (zmq_poll (items, 2, wait_ms (self)) < 0 && errno != EINTR)
        abort ();
    self->now_ms = service_now ().mono_ms;
    control_read (self->control);
    read_signals (self);
    reap (self);
    step (self);
    if (self->now_ms - self->metrics_ms < METRICS_MS)
        return;
    self->metrics_ms = self->now_ms;
    control_tick (self->control, self->now_ms);
    send_metrics (self);
}

//  Signals come through a descriptor, so they take their turn with frames. A log that nobody reads any more must not end
//  us, and a terminal that was closed means stop.
static void
open_signals (supervisor_t *self)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGCHLD);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGHUP);
    sigprocmask (SIG_BLOCK, &set, NULL);
    signal (SIGPIPE, SIG_IGN);
    self->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
run (supervisor_t *self)
{
    control_events_t events = { .up = on_up, .down = on_down, .take = on_take, .arg = self };
    self->now_ms = self->started_ms = self->metrics_ms = service_now ().mono_ms;
    open_signals (self);
    self->control = self->signals < 0 ? NULL : control_new (self->config, self->now_ms, &events);
    if (!self->control) {
        fprintf (stderr, "usher: cannot open the control socket in %s; the line above says why\n",
                 self->config->run_dir);
        return 1;
    }
    slot_map_fill (self->owners, self->config->shards);
    roster_want_all (&self->roster);
    step (self);
    while (!self->draining || !roster_all_at_rest (&self->roster))
        loop_turn (self);
    log_info ("drained all", "pid=%d", (int)getpid ());
    control_destroy (&self->control);
    close (self->signals);
    return self->exit_code;
}

int
supervisor_run (const config_t *config, const supervisor_options_t *options)
{
    supervisor_t *self = memory_new (1, sizeof *self);
    self->config = config;
    self->options = *options;
    int code = 1;
    roster_init (&self->roster, config->shards, config->collector.enabled, options->audience > 0);
    if (premises_programs_dir (self->programs_dir, sizeof self->programs_dir) &&
        premises_check_programs (&self->roster, self->programs_dir) && premises_make_directories (config) &&
        premises_lock (&self->premises, config->run_dir, options->dir)) {
        if (premises_check_ports (config))
            code = run (self);
        premises_unlock (&self->premises);
    }
    roster_term (&self->roster);
    free (self);
    return code;
}
