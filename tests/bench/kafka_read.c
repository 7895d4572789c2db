//  kafka_read - the baseline: reads a topic from its beginning to its end and does nothing with it
//
//  usage: kafka_read BROKERS TOPIC FETCH_BYTES     prints `messages bytes wall_ns cpu_ns`
//
//  librdkafka with the ingester's limits and the ingester's call, one partition, nothing decoded; FETCH_BYTES a fetch. The clock
//  runs from the first message to the last; the CPU is the whole process's, librdkafka's threads among them.

#include "clock.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

enum { ASK_MS = 10000 };

typedef struct {
    int64_t end;
    uint64_t messages, bytes, first_ns, last_ns;
} tally_t;

static void
on_message (rd_kafka_message_t *message, void *arg)
{
    tally_t *tally = arg;
    if (message->err)
        return;
    if (tally->messages++ == 0)
        tally->first_ns = clock_ns (CLOCK_MONOTONIC);
    tally->bytes += message->len;
    if (message->offset + 1 == tally->end)
        tally->last_ns = clock_ns (CLOCK_MONOTONIC);
}

static rd_kafka_t *
client_open (const char *brokers, const char *fetch_bytes)
{
    char reason [512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new ();
    const char *const settings [][2] = {
        { "bootstrap.servers", brokers },
        { "queued.min.messages", "1000000" },
        { "queued.max.messages.kbytes", "131072" },
        { "fetch.message.max.bytes", fetch_bytes },
    };
    for (size_t at = 0; at < sizeof settings / sizeof *settings; at++)
        if (rd_kafka_conf_set (conf, settings [at][0], settings [at][1], reason, sizeof reason)) {
            fprintf (stderr, "kafka_read: %s\n", reason);
            return NULL;
        }
    return rd_kafka_new (RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
}

int
main (int argc, char **argv)
{
    rd_kafka_t *client = argc == 4 ? client_open (argv [1], argv [3]) : NULL;
    tally_t tally = { 0 };
    int64_t low;
    if (!client || rd_kafka_query_watermark_offsets (client, argv [2], 0, &low, &tally.end, ASK_MS) != 0) {
        fprintf (stderr, "kafka_read: usage: kafka_read BROKERS TOPIC FETCH_BYTES, and they must answer\n");
        return 1;
    }
    rd_kafka_topic_t *topic = rd_kafka_topic_new (client, argv [2], NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new (client);
    rd_kafka_consume_start_queue (topic, 0, RD_KAFKA_OFFSET_BEGINNING, queue);
    while (tally.last_ns == 0)
        if (rd_kafka_consume_callback_queue (queue, ASK_MS, on_message, &tally) <= 0)
            return 1;
    printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", tally.messages, tally.bytes,
            tally.last_ns - tally.first_ns, clock_ns (CLOCK_PROCESS_CPUTIME_ID));
    rd_kafka_consume_stop (topic, 0);
    rd_kafka_queue_destroy (queue);
    rd_kafka_topic_destroy (topic);
    rd_kafka_destroy (client);
    return 0;
}
