//  feed_latency - how long a status change takes from the producer, and from librdkafka, to a frame of the feed
//
//  usage: feed_latency RUN_DIR HANDOVER EVENTS SKIP
//
//  Answers each line on stdin with the announcements it has heard. At the end of stdin prints
//  `count made_p50 made_p99 made_p999 taken_p50 taken_p99 taken_p999`, in µs, without the first SKIP events.
//
//  The messages are kafka_fill's in one partition, so an announcement's event id says which offset it has and when it was made.
//  When the ingester was handed it is in the file HANDOVER (handover.c).

#include "clock.h"
#include "message.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zmq.h>

typedef struct {
    uint64_t events, skip, heard, count;
    int64_t *made, *taken;        //  delays, µs
    const _Atomic int64_t *at;    //  when the ingester was handed an event, by its number, µs
} watch_t;

static int64_t
now_us (void)
{
    return (int64_t)(clock_ns (CLOCK_MONOTONIC) / 1000);
}

//  ---- the feed

static void
on_announce (watch_t *self, const usher_announce_t *announce, int64_t now)
{
    char id [64];
    snprintf (id, sizeof id, "%.*s", (int)announce->event_id.size, announce->event_id.data);
    uint64_t number = strtoull (id, NULL, 16);
    self->heard++;
    if (number < self->skip || number >= self->events || self->count == self->events || !self->at [number])
        return;
    self->made [self->count] = now - (int64_t)strtoull (strrchr (id, '-') + 1, NULL, 16);
    self->taken [self->count++] = now - self->at [number];
}

static void
frames_read (watch_t *self, void *socket)
{
    zmq_msg_t part;
    zmq_msg_init (&part);
    while (zmq_msg_recv (&part, socket, ZMQ_DONTWAIT) >= 0) {
        usher_frame_t frame;
        usher_msg_t msg;
        int64_t now = now_us ();
        if (zmq_msg_more (&part) || usher_frame_open (&frame, zmq_msg_data (&part), zmq_msg_size (&part)))
            continue;
        while (usher_decode (&frame, &msg) == USHER_OK)
            if (msg.id == USHER_MSG_announce)
                on_announce (self, &msg.announce, now);
    }
    zmq_msg_close (&part);
}

static void *
feed_open (void *context, const char *run_dir)
{
    char endpoint [256];
    int no_limit = 0;
    void *socket = zmq_socket (context, ZMQ_SUB);
    snprintf (endpoint, sizeof endpoint, "ipc://%s/feed", run_dir);
    zmq_setsockopt (socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit);
    zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "s", 1);
    return zmq_connect (socket, endpoint) == 0 ? socket : NULL;
}

static void
watch (watch_t *self, void *socket)
{
    char line [64];
    zmq_pollitem_t items [] = { { socket, 0, ZMQ_POLLIN, 0 }, { NULL, STDIN_FILENO, ZMQ_POLLIN, 0 } };
    while (zmq_poll (items, 2, -1) > 0) {
        if (items [0].revents)
            frames_read (self, socket);
        if (items [1].revents && read (STDIN_FILENO, line, sizeof line) <= 0)
            return;
        if (items [1].revents) {
            printf ("%" PRIu64 "\n", self->heard);
            fflush (stdout);
        }
    }
}

//  ---- what comes of it

static int
by_size (const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

static void
shares_print (int64_t *delays, uint64_t count)
{
    qsort (delays, count, sizeof *delays, by_size);
    static const uint64_t per_mille [] = { 500, 990, 999 };
    for (size_t at = 0; at < sizeof per_mille / sizeof *per_mille; at++)
        printf (" %" PRId64, count ? delays [count * per_mille [at] / 1000] : 0);
}

static const _Atomic int64_t *
handover_open (const char *path, uint64_t events)
{
    int file = open (path, O_RDONLY);
    void *data = mmap (NULL, events * sizeof (int64_t), PROT_READ, MAP_SHARED, file, 0);
    close (file);
    return data == MAP_FAILED ? NULL : data;
}

int
main (int argc, char **argv)
{
    if (argc < 5)
        return 2;
    watch_t self = { .events = strtoull (argv [3], NULL, 10), .skip = strtoull (argv [4], NULL, 10) };
    self.made = calloc (self.events, sizeof *self.made);
    self.taken = calloc (self.events, sizeof *self.taken);
    self.at = handover_open (argv [2], self.events);
    void *context = zmq_ctx_new (), *socket = feed_open (context, argv [1]);
    if (!socket || !self.at)
        return 1;
    watch (&self, socket);
    printf ("%" PRIu64, self.count);
    shares_print (self.made, self.count);
    shares_print (self.taken, self.count);
    printf ("\n");
    return 0;
}
