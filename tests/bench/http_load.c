//  http_load - one request at a time on each of N kept-alive connections, as fast as the answers come
//
//  usage: http_load PORT CONNECTIONS SECONDS REQUEST_FILE      prints `answers wall_ns p50_us p99_us max_us`
//
//  REQUEST_FILE holds the bytes of one whole HTTP request. Every answer must be a 200 with a Content-Length.

#include "clock.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <unistd.h>

enum { ANSWER_MAX = 16384, REQUEST_MAX = 65536, SAMPLES_MAX = 4000000 };

typedef struct {
    int fd;
    size_t got;
    uint64_t sent_ns;
    char answer [ANSWER_MAX + 1];
} connection_t;

static char request [REQUEST_MAX];
static size_t request_size;
static uint32_t *samples_us;
static size_t samples;

static void
die (const char *why)
{
    fprintf (stderr, "http_load: %s\n", why);
    exit (1);
}

static void
ask (connection_t *self)
{
    self->got = 0;
    self->sent_ns = clock_ns (CLOCK_MONOTONIC);
    if (send (self->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size)
        die ("a request was not sent");
}

//  True when the answer is whole.
static bool
hear (connection_t *self)
{
    ssize_t size = recv (self->fd, self->answer + self->got, ANSWER_MAX - self->got, 0);
    if (size <= 0)
        die ("a connection was closed");
    self->got += (size_t)size;
    self->answer [self->got] = 0;
    const char *end = strstr (self->answer, "\r\n\r\n"),
               *length = strcasestr (self->answer, "\r\ncontent-length:");
    if (!end)
        return false;
    if (strncmp (self->answer, "HTTP/1.1 200", 12) != 0)
        die (self->answer);
    if (!length || length > end)
        die ("an answer has no Content-Length");
    return self->got >= (size_t)(end + 4 - self->answer) + strtoul (length + 17, NULL, 10);
}

static int
compare (const void *a, const void *b)
{
    return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

static void
read_request (const char *path)
{
    FILE *file = fopen (path, "re");
    if (!file || !(request_size = fread (request, 1, sizeof request, file)))
        die ("cannot read the request file");
    fclose (file);
}

static connection_t *
connect_all (uint16_t port, size_t count, int poll)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (port),
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    connection_t *all = calloc (count, sizeof *all);
    int yes = 1;
    for (size_t n = 0; n < count; n++) {
        all [n].fd = socket (AF_INET, SOCK_STREAM, 0);
        setsockopt (all [n].fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (connect (all [n].fd, (struct sockaddr *)&address, sizeof address) != 0)
            die ("cannot connect");
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = &all [n] };
        epoll_ctl (poll, EPOLL_CTL_ADD, all [n].fd, &event);
    }
    return all;
}

int
main (int argc, char **argv)
{
    if (argc != 5)
        die ("usage: http_load PORT CONNECTIONS SECONDS REQUEST_FILE");
    size_t count = strtoul (argv [2], NULL, 10);
    int poll = epoll_create1 (0);
    read_request (argv [4]);
    samples_us = malloc (SAMPLES_MAX * sizeof *samples_us);
    connection_t *all = connect_all ((uint16_t)atoi (argv [1]), count, poll);
    uint64_t begin = clock_ns (CLOCK_MONOTONIC), end = begin + (uint64_t)(atof (argv [3]) * 1e9), now = begin;
    for (size_t n = 0; n < count; n++)
        ask (&all [n]);
    struct epoll_event events [256];
    while (now < end && samples < SAMPLES_MAX) {
        int ready = epoll_wait (poll, events, 256, 5000);
        if (ready <= 0)
            die ("no answer within 5 s");
        now = clock_ns (CLOCK_MONOTONIC);
        for (int n = 0; n < ready && samples < SAMPLES_MAX; n++) {
            connection_t *connection = events [n].data.ptr;
            if (!hear (connection))
                continue;
            samples_us [samples++] = (uint32_t)((now - connection->sent_ns) / 1000);
            ask (connection);
        }
    }
    qsort (samples_us, samples, sizeof *samples_us, compare);
    printf ("%zu %" PRIu64 " %u %u %u\n", samples, now - begin, samples_us [samples / 2],
            samples_us [samples * 99 / 100], samples_us [samples - 1]);
    return 0;
}
