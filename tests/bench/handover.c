//  handover - says when librdkafka hands each message over to the program it is preloaded into
//
//  usage: LD_PRELOAD=libhandover.so USHER_BENCH_HANDOVER=FILE PROGRAM
//
//  FILE has 8 bytes for each offset of the one partition that is read: there goes the instant, in µs of CLOCK_MONOTONIC. Messages
//  beyond its end are handed over all the same. Other programs are left alone.

#include "clock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void (take_fn) (rd_kafka_message_t *message, void *arg);

static _Atomic int64_t *instants;
static int64_t room;

typedef struct {
    take_fn *take;
    void *arg;
} taker_t;

static void
open_file (void)
{
    const char *path = getenv ("USHER_BENCH_HANDOVER");
    int file = path ? open (path, O_RDWR) : -1;
    struct stat about;
    if (file < 0 || fstat (file, &about) != 0)
        return;
    void *data = mmap (NULL, (size_t)about.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close (file);
    if (data == MAP_FAILED)
        return;
    instants = data;
    room = about.st_size / (int64_t)sizeof *instants;
}

static void
stamp (rd_kafka_message_t *message, void *arg)
{
    const taker_t *taker = arg;
    if (!message->err && message->offset < room)
        instants [message->offset] = (int64_t)(clock_ns (CLOCK_MONOTONIC) / 1000);
    taker->take (message, taker->arg);
}

//  In the place of librdkafka's.
int
rd_kafka_consume_callback_queue (rd_kafka_queue_t *queue, int timeout_ms, take_fn *take, void *arg)
{
    static int (*real) (rd_kafka_queue_t *, int, take_fn *, void *);
    if (!real) {
        real = (int (*) (rd_kafka_queue_t *, int, take_fn *, void *))dlsym (
            RTLD_NEXT, "rd_kafka_consume_callback_queue");
        open_file ();
    }
    taker_t taker = { take, arg };
    return real (queue, timeout_ms, stamp, &taker);
}
