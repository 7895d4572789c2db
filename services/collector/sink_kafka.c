//  sink_kafka - rows that Kafka has before a tracker is told that they were taken

#include "sink_kafka.h"
#include "kafka.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    GIVE_UP_MS = 4500,    //  a tracker waits for 5 s
    USER_ID = 12,         //  columns of the enriched event, from 0
    DOMAIN_USERID = 15,
    CUT_BYTES = 65536,    //  of a row that the topic does not take
    ROOM_BYTES = 2048     //  for a message's key, headers and frame, beside its row
};

typedef struct {
    uint32_t waiting;    //  rows without an answer
    bool lost;           //  at least one of its rows
    int64_t since_ms;    //  mono
} ticket_t;

struct sink_kafka {
    char *topic, *bad_topic;
    rd_kafka_t *client;
    rd_kafka_queue_t *answers;
    int bell;
    size_t row_max;    //  bytes
    sink_settled_fn *settled;
    void *arg;
    uint64_t first;              //  number of the oldest ticket in the ring
    uint64_t told;               //  the last one that was settled; its answers may still be to come
    size_t head, count, room;    //  ring of tickets; room is a power of two
    ticket_t *tickets;
    size_t waiting;
    int64_t now_ms;
    uint64_t sent, delivered, failed, cut;
    char fault [512];
};

//  ---- tickets

static ticket_t *
ticket_at (sink_kafka_t *self, uint64_t number)
{
    return &self->tickets [(self->head + (size_t)(number - self->first)) & (self->room - 1)];
}

static void
ring_grow (sink_kafka_t *self)
{
    size_t room = self->room ? self->room * 2 : 64;
    ticket_t *tickets = memory_new (room, sizeof *tickets);
    for (size_t at = 0; at < self->count; at++)
        tickets [at] = *ticket_at (self, self->first + at);
    free (self->tickets);
    self->tickets = tickets;
    self->room = room;
    self->head = 0;
}

//  Numbers that are left out belong to requests without rows.
static ticket_t *
ticket_get (sink_kafka_t *self, uint64_t number)
{
    if (self->count == 0)
        self->first = number;
    while (number >= self->first + self->count) {
        if (self->count == self->room)
            ring_grow (self);
        *ticket_at (self, self->first + self->count++) = (ticket_t){ .since_ms = self->now_ms };
    }
    return ticket_at (self, number);
}

static void
ticket_drop (sink_kafka_t *self)
{
    self->head = (self->head + 1) & (self->room - 1);
    self->first++;
    self->count--;
}

//  Is the ticket settled, and how? Brokers that are gone may keep librdkafka from giving up in time.
static bool
ticket_is_settled (const ticket_t *ticket, int64_t now_ms, bool *durable)
{
    *durable = ticket->waiting == 0 && !ticket->lost;
    return ticket->waiting == 0 || now_ms - ticket->since_ms >= GIVE_UP_MS;
}

//  Tells of the tickets that are settled, those that came out alike at once.
static void
tickets_tell (sink_kafka_t *self, int64_t now_ms)
{
    bool durable, other;
    uint64_t next = self->told + 1 > self->first ? self->told + 1 : self->first,
             end = self->first + self->count;
    while (next < end && ticket_is_settled (ticket_at (self, next), now_ms, &durable)) {
        while (next + 1 < end && ticket_is_settled (ticket_at (self, next + 1), now_ms, &other) &&
               other == durable)
            next++;
        self->told = next++;
        self->settled (self->arg, self->told, durable);
    }
}

bool
sink_kafka_turn (sink_kafka_t *self, int64_t now_ms)
{
    uint64_t rings;
    while (read (self->bell, &rings, sizeof rings) == sizeof rings)
        ;
    rd_kafka_poll (self->client, 0);
    self->now_ms = now_ms;
    tickets_tell (self, now_ms);
    while (self->count && self->first <= self->told && ticket_at (self, self->first)->waiting == 0)
        ticket_drop (self);
    return rd_kafka_fatal_error (self->client, self->fault, sizeof self->fault) == 0;
}

//  ---- rows

//  A column of a TSV line; empty where there is none.
static size_t
column_find (const char *row, size_t size, int column, const char **text)
{
    const char *end = row + size;
    for (; column && row; column--) {
        row = memchr (row, '\t', (size_t)(end - row));
        row = row ? row + 1 : NULL;
    }
    *text = row;
    const char *tab = row ? memchr (row, '\t', (size_t)(end - row)) : NULL;
    return row ? (size_t)((tab ? tab : end) - row) : 0;
}

//  Who the viewer is: user_id, else domain_userid; without both any partition will do.
static size_t
key_find (const char *row, size_t size, const char **key)
{
    size_t length = column_find (row, size, USER_ID, key);
    return length ? length : column_find (row, size, DOMAIN_USERID, key);
}

static int
produce (sink_kafka_t *self, uint64_t number, bool bad, const char *reason, const void *body, size_t size)
{
    const char *key = NULL;
    size_t key_size = bad ? 0 : key_find (body, size, &key);
    rd_kafka_headers_t *headers = NULL;
    if (bad) {
        headers = rd_kafka_headers_new (1);
        rd_kafka_header_add (headers, "reason", -1, reason, (ssize_t)strlen (reason));
    }
    rd_kafka_resp_err_t error = rd_kafka_producev (
        self->client, RD_KAFKA_V_TOPIC (bad ? self->bad_topic : self->topic),
        RD_KAFKA_V_MSGFLAGS (RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY (key_size ? key : NULL, key_size),
        RD_KAFKA_V_VALUE ((void *)(uintptr_t)body, size), RD_KAFKA_V_OPAQUE ((void *)(uintptr_t)number),
        RD_KAFKA_V_HEADERS (headers), RD_KAFKA_V_END);
    if (error) {
        if (headers)
            rd_kafka_headers_destroy (headers);
        snprintf (self->fault, sizeof self->fault, "%s: %s", bad ? self->bad_topic : self->topic,
                  rd_kafka_err2str (error));
        return -1;
    }
    ticket_get (self, number)->waiting++;
    self->waiting++;
    self->sent++;
    return 0;
}

//  A row that the topic will never take would be sent again for ever: its beginning is kept as a bad row, as Snowplow does.
static int
produce_cut (sink_kafka_t *self, uint64_t number, const void *body, size_t size)
{
    char reason [128];
    snprintf (reason, sizeof reason, "size_violation: %zu bytes are more than the topic takes", size);
    self->cut++;
    return produce (self, number, true, reason, body, size < CUT_BYTES ? size : CUT_BYTES);
}

int
sink_kafka_append (sink_kafka_t *self, uint64_t number, bool bad, const char *reason, const void *body,
                   size_t size)
{
    if (size > self->row_max)
        return produce_cut (self, number, body, size);
    return produce (self, number, bad, reason, body, size);
}

void
sink_kafka_give_up (sink_kafka_t *self, uint64_t number)
{
    ticket_get (self, number)->lost = true;
}

//  What became of a row.
static void
on_answer (rd_kafka_t *client, const rd_kafka_message_t *message, void *arg)
{
    sink_kafka_t *self = arg;
    uint64_t number = (uint64_t)(uintptr_t)message->_private;
    ticket_t *ticket = ticket_at (self, number);
    (void)client;
    ticket->waiting--;
    self->waiting--;
    if (!message->err) {
        self->delivered++;
        return;
    }
    bool too_large = message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && message->len > CUT_BYTES;
    if (too_large && produce_cut (self, number, message->payload, message->len) == 0)
        return;
    self->failed++;
    ticket_at (self, number)->lost = true;
    snprintf (self->fault, sizeof self->fault, "%s: %s", rd_kafka_topic_name (message->rkt),
              rd_kafka_err2str (message->err));
}

int
sink_kafka_descriptor (const sink_kafka_t *self)
{
    return self->bell;
}

size_t
sink_kafka_waiting (const sink_kafka_t *self)
{
    return self->waiting;
}

const char *
sink_kafka_fault (const sink_kafka_t *self)
{
    return self->fault;
}

void
sink_kafka_metrics (const sink_kafka_t *self, FILE *out)
{
    const metric_t rows [] = {
        { "collector_kafka_sent_total", METRIC_COUNTER, "Rows handed to Kafka.", NULL, self->sent },
        { "collector_kafka_delivered_total", METRIC_COUNTER, "Rows that Kafka has.", NULL, self->delivered },
        { "collector_kafka_failed_total", METRIC_COUNTER, "Rows that Kafka did not take in time.", NULL,
          self->failed },
        { "collector_kafka_cut_total", METRIC_COUNTER, "Rows larger than the topic takes.", NULL, self->cut },
        { "collector_kafka_waiting", METRIC_GAUGE, "Rows without an answer.", NULL, self->waiting },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

//  ---- start and end

//  A tracker waits 5 s for its answer: a row that is not acknowledged before is given up, and comes again.
static rd_kafka_conf_t *
conf_make (sink_kafka_t *self, const config_t *config, char *reason, size_t reason_size)
{
    static const kafka_property_t own [] = {
        { "client.id", "usher-collector", NULL },
        { "acks", "all", "an answer promises that the row is kept" },
        { "enable.idempotence", "true", "a viewer's rows stay in order, without copies" },
        { "partitioner", "murmur2_random", NULL },
        { "linger.ms", "1", NULL },
        { "message.timeout.ms", "4000", NULL },
        { "message.max.bytes", "1000000", NULL },
        { "reconnect.backoff.max.ms", "1000", NULL },
        { "queue.buffering.max.messages", "100000", NULL },
        { "queue.buffering.max.kbytes", "65536", NULL },
        { "topic.metadata.refresh.interval.ms", "10000", NULL },
        { "log.queue", "true", "its lines are ours" },
    };
    rd_kafka_conf_t *conf = kafka_conf_new (config, own, sizeof own / sizeof *own, reason, reason_size);
    if (!conf)
        return NULL;
    char text [32] = "";
    size_t size = sizeof text;
    rd_kafka_conf_get (conf, "message.max.bytes", text, &size);
    self->row_max = strtoul (text, NULL, 10);
    self->row_max = self->row_max > 2 * ROOM_BYTES ? self->row_max - ROOM_BYTES : self->row_max / 2;
    rd_kafka_conf_set_opaque (conf, self);
    rd_kafka_conf_set_dr_msg_cb (conf, on_answer);
    return conf;
}

static bool
client_open (sink_kafka_t *self, const config_t *config, char *reason, size_t reason_size)
{
    const uint64_t ring = 1;
    char text [512];
    rd_kafka_conf_t *conf = conf_make (self, config, reason, reason_size);
    if (!conf)
        return false;
    self->client = rd_kafka_new (RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!self->client) {
        rd_kafka_conf_destroy (conf);
        snprintf (reason, reason_size, "kafka.properties: %s", text);
        return false;
    }
    rd_kafka_set_log_queue (self->client, NULL);
    self->answers = rd_kafka_queue_get_main (self->client);
    rd_kafka_queue_io_event_enable (self->answers, self->bell, &ring, sizeof ring);
    return true;
}

sink_kafka_t *
sink_kafka_new (const config_t *config, sink_settled_fn *settled, void *arg, char *reason, size_t reason_size)
{
    sink_kafka_t *self = memory_new (1, sizeof *self);
    self->now_ms = service_now ().mono_ms;
    self->settled = settled;
    self->arg = arg;
    self->topic = memory_copy (config->kafka.topic, strlen (config->kafka.topic));
    self->bad_topic = memory_copy (config->kafka.bad_topic, strlen (config->kafka.bad_topic));
    self->bell = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!client_open (self, config, reason, reason_size))
        sink_kafka_destroy (&self);
    return self;
}

void
sink_kafka_destroy (sink_kafka_t **self_p)
{
    sink_kafka_t *self = *self_p;
    if (!self)
        return;
    if (self->client) {
        rd_kafka_purge (self->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_queue_destroy (self->answers);
        rd_kafka_destroy (self->client);
    }
    if (self->bell >= 0)
        close (self->bell);
    free (self->tickets);
    free (self->bad_topic);
    free (self->topic);
    free (self);
    *self_p = NULL;
}
