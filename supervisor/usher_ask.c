//  usher_ask - asks the running supervisor

#include "usher_ask.h"
#include "link.h"
#include "log.h"
#include "memory.h"
#include "premises.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>
#include <zmq.h>

#define TURN_MS 50

typedef struct {
    const char *verb, *target;
    link_t *link;
    char *text;
    usher_outcome_t outcome;
} question_t;

//  The lock tells whether it lives; a file left behind tells nothing. Returns 0 when none does.
static int
supervisor_pid (const char *run_dir)
{
    char path [4300], pid [32] = "";
    snprintf (path, sizeof path, "%s/supervisor.lock", run_dir);
    int file = open (path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    bool free_lock = flock (file, LOCK_SH | LOCK_NB) == 0;
    ssize_t size = read (file, pid, sizeof pid - 1);
    close (file);
    return free_lock || size <= 0 ? 0 : atoi (pid);
}

bool
usher_supervisor_runs (const usher_where_t *where)
{
    char quoted [4300];
    if (supervisor_pid (where->config->run_dir))
        return true;
    fprintf (stderr, "usher: no supervisor runs in %s; `usher up --dir %s` starts one\n",
             where->config->run_dir, premises_quote (where->dir, quoted, sizeof quoted));
    return false;
}

static void
on_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name)
{
    (void)link;
    (void)name;
    question_t *self = arg;
    uint8_t frame [512];
    usher_msg_t msg = { .id = USHER_MSG_command,
                        .command = { usher_str (self->verb), usher_str (self->target) } };
    size_t head = usher_frame_begin (frame, sizeof frame),
           size = usher_encode (&msg, frame + head, sizeof frame - head);
    if (size)
        link_send (self->link, peer, frame, head + size);
}

static void
on_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    (void)link;
    (void)peer;
    question_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    if (usher_frame_open (&frame, data, size) != USHER_OK)
        return;
    while (!self->text && usher_decode (&frame, &msg) == USHER_OK)
        if (msg.id == USHER_MSG_answer) {
            self->text = memory_copy (msg.answer.text.data, msg.answer.text.size);
            self->outcome = msg.answer.outcome;
        }
}

static void
wait_for_answer (question_t *self, int deadline_ms)
{
    int64_t begin_ms = service_now ().mono_ms, now_ms = begin_ms;
    while (!self->text && now_ms - begin_ms < deadline_ms) {
        void *socket;
        link_tick (self->link, now_ms);
        link_sockets (self->link, &socket, 1);
        zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
        zmq_poll (&item, 1, TURN_MS);
        now_ms = service_now ().mono_ms;
        link_read (self->link);
    }
}

char *
usher_ask (const usher_where_t *where, const char *verb, const char *target, int deadline_ms,
           usher_outcome_t *outcome)
{
    if (!usher_supervisor_runs (where))
        return NULL;
    char name [32];
    uint64_t incarnation = 0;
    snprintf (name, sizeof name, "usher-%d", (int)getpid ());
    if (getrandom (&incarnation, sizeof incarnation, 0) != sizeof incarnation)
        abort ();
    question_t question = { .verb = verb, .target = target };
    link_events_t events = { .up = on_up, .take = on_take, .arg = &question };
    void *context = zmq_ctx_new ();
    question.link = link_new (context, (service_link_t){ USHER_LINK_control, SERVICE_CONNECT },
                              where->config->run_dir, name, 0, 1, incarnation | 1, &events);
    if (question.link)
        wait_for_answer (&question, deadline_ms);
    if (!question.text)
        fprintf (stderr, "usher: the supervisor in %s did not answer within %d s; its log says why\n",
                 where->config->run_dir, deadline_ms / 1000);
    link_destroy (&question.link);
    zmq_ctx_term (context);
    *outcome = question.outcome;
    return question.text;
}
