//  feed_watch - listens to the feed of slots; answers each line on stdin with what it has seen
//
//  usage: feed_watch RUN_DIR      prints `frames bytes last_ns` for each line; last_ns on CLOCK_MONOTONIC
//
//  Nothing is decoded: it shall not take the processor from what is measured.

#include "clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

static uint64_t frames, bytes, last_ns;

//  A frame is a topic part and a data part.
static void
read_frames (void *socket)
{
    zmq_msg_t part;
    zmq_msg_init (&part);
    while (zmq_msg_recv (&part, socket, ZMQ_DONTWAIT) >= 0) {
        bytes += zmq_msg_size (&part);
        frames += !zmq_msg_more (&part);
    }
    zmq_msg_close (&part);
    last_ns = clock_ns (CLOCK_MONOTONIC);
}

int
main (int argc, char **argv)
{
    if (argc < 2)
        return 1;
    char endpoint [256], line [64];
    int no_limit = 0;
    snprintf (endpoint, sizeof endpoint, "ipc://%s/feed", argv [1]);
    void *context = zmq_ctx_new (), *socket = zmq_socket (context, ZMQ_SUB);
    zmq_setsockopt (socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit);
    zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "s", 1);
    zmq_pollitem_t items [] = { { socket, 0, ZMQ_POLLIN, 0 }, { NULL, STDIN_FILENO, ZMQ_POLLIN, 0 } };
    if (zmq_connect (socket, endpoint) != 0)
        return 1;
    while (zmq_poll (items, 2, -1) > 0) {
        if (items [0].revents)
            read_frames (socket);
        if (items [1].revents && read (STDIN_FILENO, line, sizeof line) <= 0)
            break;
        if (items [1].revents) {
            printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", frames, bytes, last_ns);
            fflush (stdout);
        }
    }
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}
