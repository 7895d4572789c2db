//  link_bench - a few links in one process, each as if it were a process of its own

#include "link_bench.h"

#include <time.h>
#include <unistd.h>

const service_link_t binds = { USHER_LINK_store, SERVICE_BIND };
const service_link_t connects = { USHER_LINK_store, SERVICE_CONNECT };

static void
node_note (node_t *self, char what)
{
    size_t length = strlen (self->order);
    if (length + 1 < sizeof self->order)
        self->order [length] = what;
}

static void
node_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name)
{
    (void)link;
    node_t *self = arg;
    self->ups++;
    self->peer = peer;
    snprintf (self->name, sizeof self->name, "%s", name);
    node_note (self, 'u');
}

static void
node_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    (void)link;
    (void)peer;
    node_t *self = arg;
    self->downs++;
    node_note (self, 'd');
}

static void
node_take (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    (void)link;
    node_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    assert_int_equal (usher_decode (&frame, &msg), USHER_OK);
    assert_int_equal (msg.id, USHER_MSG_applied);
    assert_true (self->takes < TAKEN);
    self->from [self->takes] = peer;
    self->seqs [self->takes++] = msg.applied.seq;
}

static void
node_feed (void *arg, usher_link_id_t link, const void *topic, size_t topic_size, const void *data,
           size_t size)
{
    (void)link;
    node_t *self = arg;
    self->feeds++;
    assert_true (topic_size < sizeof self->topic);
    memcpy (self->topic, topic, topic_size);
    assert_int_equal (size, 4);
    assert_memory_equal (data, "body", 4);
}

bool
node_open (bench_t *self, int at, service_link_t what, const char *name, uint32_t instance,
           uint64_t incarnation)
{
    node_t *node = &self->nodes [at];
    link_destroy (&node->link);
    memset (node, 0, sizeof *node);
    link_events_t events = { node_up, node_down, node_take, node_feed, node };
    node->link = link_new (self->context, what, self->dir, name, instance, 2, incarnation, &events);
    return node->link != NULL;
}

void
open_both (bench_t *self)
{
    assert_true (node_open (self, CLIENT, connects, "shard-0", 0, 100));
    assert_true (node_open (self, BINDER, binds, "persister", 0, 200));
}

int
bench_setup (void **state)
{
    bench_t *self = calloc (1, sizeof *self);
    snprintf (self->dir, sizeof self->dir, "/tmp/usher-link-XXXXXX");
    assert_non_null (mkdtemp (self->dir));
    self->context = zmq_ctx_new ();
    self->now_ms = 1000000;
    *state = self;
    return 0;
}

int
bench_teardown (void **state)
{
    static const char *const files [] = { "store", "events-0", "events-1", "feed" };
    bench_t *self = *state;
    for (int at = 0; at < NODES; at++)
        link_destroy (&self->nodes [at].link);
    if (self->stranger)
        zmq_close (self->stranger);
    zmq_ctx_term (self->context);
    for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
        char path [128];
        snprintf (path, sizeof path, "%s/%s", self->dir, files [at]);
        unlink (path);
        snprintf (path, sizeof path, "%s/%s.lock", self->dir, files [at]);
        unlink (path);
    }
    assert_int_equal (rmdir (self->dir), 0);
    free (self);
    return 0;
}

//  ---- time

int64_t
real_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
bench_turn (bench_t *self)
{
    void *sockets [NODES * 2];
    zmq_pollitem_t items [NODES * 2] = { 0 };
    int count = 0;
    for (int at = 0; at < NODES; at++) {
        size_t more = self->nodes [at].link ? link_sockets (self->nodes [at].link, sockets, 2) : 0;
        for (size_t number = 0; number < more; number++)
            items [count++] = (zmq_pollitem_t){ .socket = sockets [number], .events = ZMQ_POLLIN };
    }
    zmq_poll (items, count, 10);
    self->now_ms += 50;
    for (int at = 0; at < NODES; at++)
        if (self->nodes [at].link) {
            while (link_read (self->nodes [at].link))
                ;
            link_tick (self->nodes [at].link, self->now_ms);
        }
}

//  ---- frames

size_t
applied_write (uint64_t seq, uint8_t data [64])
{
    usher_msg_t msg = { .id = USHER_MSG_applied, .applied = { seq } };
    size_t head = usher_frame_begin (data, 64);
    return head + usher_encode (&msg, data + head, 64 - head);
}

void
node_send (node_t *self, uint32_t peer, uint64_t first, uint64_t last)
{
    uint8_t data [64];
    for (uint64_t seq = first; seq <= last; seq++)
        link_send (self->link, peer, data, applied_write (seq, data));
}

void
assert_taken (const node_t *self, unsigned from, uint64_t first, uint64_t last)
{
    assert_int_equal (self->takes - from, last - first + 1);
    for (uint64_t seq = first; seq <= last; seq++)
        assert_int_equal (self->seqs [from + seq - first], seq);
}
