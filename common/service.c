//  service - the part of every process that is the same: loop, links, beats, drain

#include "service_private.h"
#include "log.h"
#include "metrics.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ITEMS_MAX = 1 + SERVICE_WATCHES + SERVICE_LINKS + 64,    //  64: shards on one link
    TICK_MS = 100,
    BEAT_MS = 1000,
    NOTE_MAX = 512,               //  the limit of beat.note
    DRAIN_DEADLINE_MS = 20000,    //  the supervisor kills later than this
    ORPHAN_DEADLINE_MS = 2000     //  nobody orders the drains: whom we wait for may be gone already
};

usher_time_t
service_now (void)
{
    struct timespec wall, mono;
    clock_gettime (CLOCK_REALTIME, &wall);
    clock_gettime (CLOCK_MONOTONIC, &mono);
    return (usher_time_t){ .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
                           .mono_ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000 };
}

//  ---- what shells call

int
service_watch (service_t *self, int fd, void (*fn) (void *arg), void *arg)
{
    if (self->watch_count == SERVICE_WATCHES)
        return -1;
    self->watches [self->watch_count++] = (service_watch_t){ fd, fn, arg };
    return 0;
}

void
service_before_wait (service_t *self, int (*fn) (void *arg), void *arg)
{
    self->before_wait = fn;
    self->before_wait_arg = arg;
}

void
service_subscribe (service_t *self, usher_link_id_t link, service_feed_fn *fn, void *arg)
{
    (void)link;    //  one SUB link a service
    self->feed = fn;
    self->feed_arg = arg;
}

outbox_t *
service_outbox (service_t *self)
{
    return self->outbox;
}

const char *
service_name (const service_t *self)
{
    return self->name;
}

bool
service_draining (const service_t *self)
{
    return self->draining;
}

static link_t *
link_find (service_t *self, usher_link_id_t id)
{
    for (size_t at = 0; at < self->link_count; at++)
        if (link_id (self->links [at]) == id)
            return self->links [at];
    return NULL;
}

void
service_publish (service_t *self, usher_link_id_t id, const void *topic, size_t topic_size, const void *data,
                 size_t size)
{
    self->frames_out++;
    link_publish (link_find (self, id), topic, topic_size, data, size);
}

//  ---- links

static void
trace (const service_t *self, const char *arrow, usher_link_id_t link, const usher_msg_t *msg)
{
    fprintf (stderr, "trace %s %s %s ", self->name, arrow, usher_links [link].name);
    usher_print_nameless (msg, stderr);
    fputc ('\n', stderr);
}

void
service_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    service_t *self = arg;
    link_t *found = link_find (self, link);
    if (!found)
        return;
    self->frames_out++;
    link_send (found, peer, data, size);
    usher_frame_t frame;
    usher_msg_t msg;
    if (self->trace && usher_frame_open (&frame, data, size) == USHER_OK)
        while (usher_decode (&frame, &msg) == USHER_OK)
            trace (self, "->", link, &msg);
}

static bool
is_orphan (const service_t *self)
{
    return self->supervised && getppid () != self->parent;
}

static void
drain_start (service_t *self)
{
    if (self->draining)
        return;
    self->draining = true;
    self->drain_ms = service_now ().mono_ms;
    log_info ("draining", "pid=%d", (int)getpid ());
}

//  Counts a message that has come.
static void
count_in (service_t *self, usher_link_id_t link, const usher_msg_t *msg)
{
    self->messages_in++;
    if (self->trace)
        trace (self, "<-", link, msg);
}

static void
handle (service_t *self, usher_link_id_t link, uint32_t peer, const usher_msg_t *msg)
{
    count_in (self, link, msg);
    service_handler_fn *handler = self->handlers [link][msg->id];
    if (handler)
        handler (self->state, peer, msg, self->outbox);
    else if (link == USHER_LINK_control && msg->id == USHER_MSG_drain)
        drain_start (self);
}

static void
expected_work (void *arg, const lot_t *lot)
{
    service_t *self = arg;
    self->spec->expect (self->state, lot);
    for (size_t at = 0; at < lot->count; at++)
        handle (self, self->spec->expect_link, lot->tags [at], &lot->messages [at]);
}

//  Hands the messages of a frame over. Returns why there are no more.
static usher_error_t
messages_take (service_t *self, usher_link_id_t link, uint32_t peer, usher_frame_t *frame)
{
    usher_error_t error;
    usher_msg_t msg;
    while ((error = usher_decode (frame, &msg)) == USHER_OK)
        handle (self, link, peer, &msg);
    return error;
}

static void
lot_work (void *arg, const lot_t *lot)
{
    service_t *self = arg;
    for (size_t at = 0; at < lot->count; at++)
        count_in (self, self->spec->lot_link, &lot->messages [at]);
    self->spec->lot (self->state, lot, self->outbox);
}

static void
lots_flush (service_t *self)
{
    lot_flush (&self->lot, lot_work, self);
    lot_flush (&self->expected, expected_work, self);
}

static void
on_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    service_t *self = arg;
    usher_frame_t frame;
    self->frames_in++;
    usher_error_t error = usher_frame_open (&frame, data, size);
    if (!error && self->spec->lot && self->spec->lot_link == link)
        error = lot_take (&self->lot, peer, frame.next, (size_t)(frame.end - frame.next), lot_work, self);
    else if (!error && self->spec->expect && self->spec->expect_link == link)
        error = lot_take (&self->expected, peer, frame.next, (size_t)(frame.end - frame.next), expected_work,
                          self);
    else if (!error)
        error = messages_take (self, link, peer, &frame);
    if (error != USHER_END) {
        self->refused++;
        log_warning ("frame refused", "link=%s reason=\"%s\"", usher_links [link].name,
                     usher_error_text (error));
    }
}

static void
ready_send (service_t *self)
{
    usher_msg_t msg = { .id = USHER_MSG_ready, .ready = { (uint32_t)getpid () } };
    outbox_put (self->outbox, USHER_LINK_control, 0, &msg);
}

static void
on_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name)
{
    service_t *self = arg;
    lots_flush (self);
    outbox_forget (self->outbox, link, peer);
    if (link == USHER_LINK_control) {
        if (self->ready)
            ready_send (self);
        return;
    }
    log_info ("peer up", "link=%s peer=%s", usher_links [link].name, name);
    if (self->spec->peer_up)
        self->spec->peer_up (self->state, link, peer, name, self->outbox);
}

static void
on_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    service_t *self = arg;
    lots_flush (self);
    outbox_forget (self->outbox, link, peer);
    if (self->spec->peer_down)
        self->spec->peer_down (self->state, link, peer);
}

static void
on_feed (void *arg, usher_link_id_t link, const void *topic, size_t topic_size, const void *data, size_t size)
{
    service_t *self = arg;
    (void)link;
    self->frames_in++;
    if (self->feed)
        self->feed (self->feed_arg, topic, topic_size, data, size);
}

bool
service_links_open (service_t *self)
{
    static const service_link_t control = { USHER_LINK_control, SERVICE_CONNECT };
    link_events_t events = { on_up, on_down, on_take, on_feed, self };
    for (size_t at = 0; at < self->spec->link_count + (self->supervised ? 1 : 0); at++) {
        service_link_t what = at < self->spec->link_count ? self->spec->links [at] : control;
        link_t *link = link_new (self->context, what, self->config->run_dir, self->name, self->instance,
                                 self->config->shards, self->incarnation, &events);
        if (!link)
            return false;
        self->links [self->link_count++] = link;
    }
    return true;
}

//  ---- beats

static void
beat_send (service_t *self)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream (&text, &size);
    if (!out)
        return;
    const metric_t rows [] = {
        { "frames_in_total", METRIC_COUNTER, "Frames received.", NULL, self->frames_in },
        { "frames_out_total", METRIC_COUNTER, "Frames sent.", NULL, self->frames_out },
        { "messages_in_total", METRIC_COUNTER, "Messages in the frames received.", NULL, self->messages_in },
        { "frames_refused_total", METRIC_COUNTER, "Frames that could not be read.", NULL, self->refused },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    if (self->spec->metrics)
        self->spec->metrics (self->state, out);
    fclose (out);
    char note [NOTE_MAX] = "";
    if (self->spec->note)
        self->spec->note (self->state, note, sizeof note);
    usher_msg_t msg = { .id = USHER_MSG_beat,
                        .beat = { (uint32_t)getpid (), usher_bytes (text, size), usher_str (note) } };
    if (size > 32768)
        msg.beat.metrics.size = 0;
    outbox_put (self->outbox, USHER_LINK_control, 0, &msg);
    free (text);
}

static void
tick (service_t *self, usher_time_t now)
{
    self->tick_ms = now.mono_ms;
    for (size_t at = 0; at < self->link_count; at++)
        link_tick (self->links [at], now.mono_ms);
    if (self->spec->tick)
        self->spec->tick (self->state, now, self->outbox);
    if (is_orphan (self))
        drain_start (self);
    if (now.mono_ms - self->beat_ms < BEAT_MS)
        return;
    self->beat_ms = now.mono_ms;
    if (self->supervised)
        beat_send (self);
}

//  ---- the loop

static size_t
items_collect (service_t *self, zmq_pollitem_t *items)
{
    size_t count = 0;
    items [count++] = (zmq_pollitem_t){ .fd = self->signals, .events = ZMQ_POLLIN };
    for (size_t at = 0; at < self->watch_count; at++)
        items [count++] = (zmq_pollitem_t){ .fd = self->watches [at].fd, .events = ZMQ_POLLIN };
    for (size_t at = 0; at < self->link_count; at++) {
        void *sockets [64];
        size_t found = link_sockets (self->links [at], sockets, 64);
        for (size_t one = 0; one < found && count < ITEMS_MAX; one++)
            items [count++] = (zmq_pollitem_t){ .socket = sockets [one], .events = ZMQ_POLLIN };
    }
    return count;
}

static void
signals_read (service_t *self)
{
    struct signalfd_siginfo info;
    while (read (self->signals, &info, sizeof info) == sizeof info)
        drain_start (self);
}

static long
wait_ms (service_t *self)
{
    long limit = TICK_MS - (long)(service_now ().mono_ms - self->tick_ms);
    if (self->before_wait) {
        int wish = self->before_wait (self->before_wait_arg);
        outbox_flush (self->outbox);
        if (wish >= 0 && wish < limit)
            limit = wish;
    }
    return self->again || limit < 0 ? 0 : limit;
}

//  One turn: wait, read, work, send.
static void
loop_turn (service_t *self)
{
    zmq_pollitem_t items [ITEMS_MAX];
    size_t count = items_collect (self, items);
    if (zmq_poll (items, (int)count, wait_ms (self)) < 0 && errno != EINTR) {
        log_error ("poll failed", "reason=\"%s\"", zmq_strerror (errno));
        abort ();
    }
    if (items [0].revents)
        signals_read (self);
    for (size_t at = 0; at < self->watch_count; at++)
        if (items [1 + at].revents)
            self->watches [at].fn (self->watches [at].arg);
    self->again = false;
    for (size_t at = 0; at < self->link_count; at++)
        self->again = link_read (self->links [at]) || self->again;
    lots_flush (self);
    usher_time_t now = service_now ();
    if (self->spec->turn)
        self->again = self->spec->turn (self->state, now, self->outbox) || self->again;
    if (now.mono_ms - self->tick_ms >= TICK_MS)
        tick (self, now);
    outbox_flush (self->outbox);
}

static void
ready_check (service_t *self)
{
    if (self->ready || (self->spec->ready && !self->spec->ready (self->state)))
        return;
    self->ready = true;
    log_info ("ready", "pid=%d", (int)getpid ());
    if (self->supervised)
        ready_send (self);
}

int
service_loop (service_t *self)
{
    for (;;) {
        loop_turn (self);
        ready_check (self);
        if (!self->draining)
            continue;
        usher_time_t now = service_now ();
        bool done = !self->spec->drained || self->spec->drained (self->state, now, self->outbox);
        outbox_flush (self->outbox);
        if (done) {
            log_info ("drained", "pid=%d", (int)getpid ());
            return EXIT_DRAINED;
        }
        if (now.mono_ms - self->drain_ms > (is_orphan (self) ? ORPHAN_DEADLINE_MS : DRAIN_DEADLINE_MS)) {
            log_warning ("drain deadline passed",
                         "pid=%d hint=\"what was not handed on is read again at the next start\"",
                         (int)getpid ());
            return EXIT_TRY_AGAIN;
        }
    }
}
