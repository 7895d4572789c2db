//  stalled_fetch - has librdkafka's fetcher stop for ever, as it may after brokers went and came, in the program it is preloaded into
//
//  usage: LD_PRELOAD=libstalled_fetch.so USHER_TEST_STALL=FILE PROGRAM
//
//  When FILE is there, it is removed and librdkafka is told to fetch no partition, which the program doesn't hear of.

#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <unistd.h>

typedef rd_kafka_message_t *(poll_fn)(rd_kafka_t *client, int timeout_ms);

static void *
real (const char *name)
{
    void *found = dlsym (RTLD_NEXT, name);
    if (!found)
        abort ();
    return found;
}

//  In the place of librdkafka's: each turn of the ingester's loop begins with it.
rd_kafka_message_t *
rd_kafka_consumer_poll (rd_kafka_t *client, int timeout_ms)
{
    const char *path = getenv ("USHER_TEST_STALL");
    if (path && unlink (path) == 0)
        rd_kafka_assign (client, NULL);
    return ((poll_fn *)real ("rd_kafka_consumer_poll")) (client, timeout_ms);
}
