//  kafka_fill - an audience's flattened messages into a topic, as fast as it takes them or at a pace
//
//  usage: kafka_fill BROKERS TOPIC EVENTS VIEWERS SEED [RATE]      prints `events changes bytes wall_ns cpu_ns`
//
//  Viewers take turns each 10 s of the audience's time, which ends now. A viewer's first message is a play; of the others
//  one of 20, drawn from SEED, is a pause or a play, the rest are pings. A message has 204 bytes. With a RATE, in events/s,
//  they are sent in portions of a millisecond. The event id is its number, and when it was handed to librdkafka, on
//  CLOCK_MONOTONIC: 00000001-0000-4000-8000-MICROSECONDS, in hexadecimal.

#include "clock.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_BYTES = 204, TURN_MS = 10000, STATUS_EACH = 20, ROOM = 512 };

typedef struct {
    uint64_t events, viewers, seed, rate, begin_ms, changes, bytes;
    uint8_t *paused;
} audience_t;

//  splitmix64
static uint64_t
mixed (uint64_t number)
{
    number += 0x9e3779b97f4a7c15u;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9u;
    number = (number ^ number >> 27) * 0x94d049bb133111ebu;
    return number ^ number >> 31;
}

static const char *
kind_draw (audience_t *self, uint64_t number)
{
    uint64_t viewer = number % self->viewers;
    bool first = number < self->viewers;
    if (!first && mixed (self->seed ^ mixed (number)) % STATUS_EACH)
        return "ping_event";
    self->changes++;
    self->paused [viewer] = !first && !self->paused [viewer];
    return self->paused [viewer] ? "pause_event" : "play_event";
}

//  At a pace the audience's time is the wall's.
static uint64_t
number_ms (const audience_t *self, uint64_t number)
{
    return self->begin_ms + (self->rate ? number * 1000 / self->rate : number * TURN_MS / self->viewers);
}

//  Returns the size; blanks before the last brace make it the same for all.
static size_t
message_write (audience_t *self, uint64_t number, char text [ROOM])
{
    uint64_t at_ms = number_ms (self, number);
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    gmtime_r (&seconds, &parts);
    int size = snprintf (
        text, ROOM,
        "{\"adId\":0,\"adsClicked\":0,\"adsSkipped\":0,\"collector_tstamp\":\"%04d-%02d-%02dT%02d:%02d:"
        "%02d.%03uZ\",\"event_id\":\"%08x-0000-4000-8000-%012" PRIx64
        "\",\"event_name\":\"%s\",\"video_ts\":%" PRIu64 ",\"viewer_id\":\"%08" PRIu64 "\"",
        parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        (unsigned)(at_ms % 1000), (unsigned)number, clock_ns (CLOCK_MONOTONIC) / 1000,
        kind_draw (self, number), number / self->viewers * TURN_MS / 1000, number % self->viewers);
    while (size < MESSAGE_BYTES - 1)
        text [size++] = ' ';
    text [size++] = '}';
    self->bytes += (size_t)size;
    return (size_t)size;
}

static void
on_delivery (rd_kafka_t *client, const rd_kafka_message_t *message, void *arg)
{
    (void)client;
    *(uint64_t *)arg += message->err != 0;
}

static rd_kafka_t *
client_open (const char *brokers, bool paced, uint64_t *failed)
{
    char reason [512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new ();
    const char *const settings [][2] = {
        { "bootstrap.servers", brokers },
        { "queue.buffering.max.messages", "1000000" },
        { "batch.size", "1000000" },
        { "linger.ms", paced ? "1" : "50" },
        { "acks", "1" },
        { "retries", "0" },
        //  A broker that is slow gets fuller batches, not a longer line of them.
        { "max.in.flight", paced ? "2" : "100" },
    };
    for (size_t at = 0; at < sizeof settings / sizeof *settings; at++)
        if (rd_kafka_conf_set (conf, settings [at][0], settings [at][1], reason, sizeof reason)) {
            fprintf (stderr, "kafka_fill: %s\n", reason);
            exit (1);
        }
    rd_kafka_conf_set_dr_msg_cb (conf, on_delivery);
    rd_kafka_conf_set_opaque (conf, failed);
    return rd_kafka_new (RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
}

static void
send_one (audience_t *self, rd_kafka_t *client, rd_kafka_topic_t *topic, uint64_t number)
{
    char text [ROOM], key [32];
    size_t size = message_write (self, number, text);
    int key_size = snprintf (key, sizeof key, "%" PRIu64, number % self->viewers);
    while (rd_kafka_produce (topic, 0, RD_KAFKA_MSG_F_COPY, text, size, key, (size_t)key_size, NULL) != 0)
        rd_kafka_poll (client, 10);
}

static void
send_all (audience_t *self, rd_kafka_t *client, rd_kafka_topic_t *topic)
{
    uint64_t begin = clock_ns (CLOCK_MONOTONIC), portion = self->rate ? self->rate / 1000 : 1000;
    for (uint64_t number = 0; number < self->events; number++) {
        if (number % portion == 0) {
            rd_kafka_poll (client, 0);
            uint64_t due = begin + (self->rate ? number * 1000000000u / self->rate : 0);
            struct timespec at = { (time_t)(due / 1000000000u), (long)(due % 1000000000u) };
            clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        }
        send_one (self, client, topic, number);
    }
}

int
main (int argc, char **argv)
{
    if (argc < 6) {
        fprintf (stderr, "usage: kafka_fill BROKERS TOPIC EVENTS VIEWERS SEED [RATE]\n");
        return 2;
    }
    audience_t self = { .events = strtoull (argv [3], NULL, 10),
                        .viewers = strtoull (argv [4], NULL, 10),
                        .seed = strtoull (argv [5], NULL, 10),
                        .rate = argc > 6 ? strtoull (argv [6], NULL, 10) : 0 };
    self.paused = calloc (self.viewers, 1);
    uint64_t failed = 0;
    rd_kafka_t *client = client_open (argv [1], self.rate > 0, &failed);
    rd_kafka_topic_t *topic = client ? rd_kafka_topic_new (client, argv [2], NULL) : NULL;
    if (!topic)
        return 1;
    const struct rd_kafka_metadata *known = NULL;
    if (rd_kafka_metadata (client, 0, topic, &known, 10000) != 0)
        return 1;
    rd_kafka_metadata_destroy (known);
    uint64_t wall = clock_ns (CLOCK_MONOTONIC), now_ms = clock_ns (CLOCK_REALTIME) / 1000000;
    self.begin_ms = self.rate ? now_ms : now_ms - self.events * TURN_MS / self.viewers;
    send_all (&self, client, topic);
    int left = rd_kafka_flush (client, 120000);
    printf ("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", self.events, self.changes,
            self.bytes, clock_ns (CLOCK_MONOTONIC) - wall, clock_ns (CLOCK_PROCESS_CPUTIME_ID));
    rd_kafka_topic_destroy (topic);
    rd_kafka_destroy (client);
    free (self.paused);
    return left || failed ? 1 : 0;
}
