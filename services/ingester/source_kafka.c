//  source_kafka - reads a topic as a member of a consumer group
//
//  Two queues of librdkafka. The main one brings what happens: a rebalance, commits, statistics, errors. The fetch queue is
//  ours: the queues of all our partitions are forwarded to it, and it is read message by message when there is credit.
//  Not reading is how partitions are paused: librdkafka stops fetching when its queue is full, and
//  nothing that was fetched is thrown away. Both queues ring one bell, an eventfd.
//
//  A partition is read in these steps, so that no event is taken before we know where we are:
//
//    IDLE          no partitions
//    POSITIONING   they are ours; ask for the group's offsets and the partition's ends, choose (kafka_begin.c). Asked again
//                  each second while brokers do not answer.
//    NOTING        commit what is new of it, only then fetch
//    READING
//    RELEASING     somebody else wants them, or an offset is out of range: read nothing, wait until everything taken
//                  is durable and committed, but not for ever; then let go, or position again
//
//  An assignment that is lost is dropped at once and nothing is committed: somebody else has it already.
//
//  One commit is under way at a time. librdkafka keeps commits while the group's coordinator is away and sends them in any
//  order afterwards: with two of them the older one can be the last, and the group's offset goes back (decision 032).

#include "source_kafka_private.h"
#include "log.h"
#include "memory.h"
#include "message.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    RELEASE_MS = 10000,      //  how long a rebalance waits for receipts
    IDLE_MAX_MS = 3000,      //  a leader that says nothing for longer, though asked twice a second, is gone
    END_MARGIN_MS = 1000,    //  between a leader's last word and what is concluded from it
    TOLD_MAX = 64            //  partitions in the metrics: a beat has a limit
};

//  ---- what happens

static void
fetch_stop (source_t *self)
{
    rd_kafka_assign (self->client, NULL);
}

static void
release_begin (source_t *self, bool handing_over)
{
    self->handing_over = self->handing_over || handing_over;
    if (self->phase == RELEASING)
        return;
    self->phase = RELEASING;
    self->due_ms = self->now.mono_ms + RELEASE_MS;
}

//  Positions again, or lets go.
static void
release (source_t *self)
{
    bool rested = self->reader.at_rest (self->reader.arg);
    if (!rested && self->now.mono_ms < self->due_ms)
        return;
    if (!rested)
        log_warning ("partitions released without all receipts",
                     "hint=\"whoever reads them next reads some events again, and knows them\"");
    fetch_stop (self);
    if (self->handing_over) {
        kafka_partitions_leave (self);
        return;
    }
    kafka_reading_end (self);
    self->phase = POSITIONING;
    self->due_ms = self->now.mono_ms;
}

static void
on_assigned (source_t *self, const rd_kafka_topic_partition_list_t *list)
{
    for (int at = 0; at < list->cnt; at++)
        kafka_partition_get (self, (uint32_t)list->elems [at].partition)->mine = true;
    log_info ("partitions assigned", "topic=%s count=%d", self->topic, list->cnt);
    fetch_stop (self);    //  answers the group; fetching begins when we know from where
    self->phase = POSITIONING;
    self->due_ms = 0;
}

static void
on_revoked (source_t *self)
{
    if (rd_kafka_assignment_lost (self->client)) {
        self->lost++;
        log_warning ("partitions lost",
                     "topic=%s hint=\"the group went on without us; nothing is committed\"", self->topic);
        kafka_partitions_leave (self);
        fetch_stop (self);
    } else
        release_begin (self, true);
}

static void
on_rebalance (rd_kafka_t *client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *arg)
{
    source_t *self = arg;
    (void)client;
    self->rebalances++;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        on_assigned (self, list);
    else
        on_revoked (self);
}

static void
on_committed (rd_kafka_t *client, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list, void *arg)
{
    source_t *self = arg;
    (void)client;
    self->committing = false;
    for (int at = 0; !error && list && at < list->cnt; at++) {
        const rd_kafka_topic_partition_t *item = &list->elems [at];
        if (item->err)
            error = item->err;
        else if (item->offset >= 0)
            self->reader.committed (self->reader.arg, (uint32_t)item->partition, (uint64_t)item->offset);
    }
    if (error)
        self->commit_errors++;
    if (self->phase == NOTING)
        kafka_noted (self, error);
}

static void
error_say (source_t *self, rd_kafka_resp_err_t error, const char *text)
{
    self->errors++;
    if (error == self->error_said && self->now.mono_ms - self->error_said_ms < KAFKA_RETRY_MS)
        return;
    self->error_said = error;
    self->error_said_ms = self->now.mono_ms;
    log_warning ("kafka error", "code=%s text=\"%s\"", rd_kafka_err2name (error), text);
}

static void
on_error (rd_kafka_t *client, int error, const char *text, void *arg)
{
    (void)client;
    error_say (arg, (rd_kafka_resp_err_t)error, text);
}

static void
on_partition_stats (void *arg, const kafka_partition_stats_t *stats)
{
    source_t *self = arg;
    kafka_partition_t *partition = kafka_partition_find (self, stats->partition);
    if (!partition || !partition->reading)
        return;
    partition->lag = stats->lag;
    //  Silence counts up to the last word of a leader that is there, once all that it said was read.
    if (partition->at_end && stats->leader_up && stats->idle_ms >= 0 && stats->idle_ms < IDLE_MAX_MS &&
        rd_kafka_queue_length (self->fetched) == 0)
        self->reader.at_end (self->reader.arg, partition->number,
                             (uint64_t)(self->now.wall_ms - stats->idle_ms - END_MARGIN_MS));
}

static int
on_stats (rd_kafka_t *client, char *json, size_t size, void *arg)
{
    source_t *self = arg;
    (void)client;
    kafka_stats_read (json, size, self->topic, &self->stats, on_partition_stats, self);
    self->stats_known = true;
    return 0;
}

//  What arrives on the group's own queue is an error: the topic is not there, or not ours to read.
static void
happened_serve (source_t *self)
{
    for (rd_kafka_message_t *message; (message = rd_kafka_consumer_poll (self->client, 0));) {
        if (message->err)
            error_say (self, message->err, rd_kafka_message_errstr (message));
        rd_kafka_message_destroy (message);
    }
}

static void
commits_send (source_t *self)
{
    if (self->committing || self->commits->cnt == 0)
        return;
    self->commit_count++;
    self->committing = true;
    rd_kafka_resp_err_t error = rd_kafka_commit (self->client, self->commits, 1);
    rd_kafka_topic_partition_list_destroy (self->commits);
    self->commits = rd_kafka_topic_partition_list_new (16);
    if (error)
        on_committed (self->client, error, NULL, self);
}

static bool
serve (source_t *self, usher_time_t now, char *reason, size_t reason_size)
{
    uint64_t rings;
    self->now = now;
    while (read (self->bell, &rings, sizeof rings) == sizeof rings)
        ;
    happened_serve (self);
    if (rd_kafka_fatal_error (self->client, reason, reason_size))
        return false;
    if (self->phase == POSITIONING)
        kafka_position (self);
    if (self->phase == READING && kafka_stands_still (self))
        release_begin (self, false);
    if (self->phase == RELEASING)
        release (self);
    commits_send (self);
    return true;
}

//  ---- messages

//  The end of a partition, or an offset that is not there.
static void
on_fetch_error (source_t *self, kafka_partition_t *partition, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        partition->at_end = message->offset == partition->next;
        partition->end = message->offset;
        return;
    }
    error_say (self, message->err, rd_kafka_message_errstr (message));
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        release_begin (self, false);
}

static void
on_message (rd_kafka_message_t *message, void *arg)
{
    source_t *self = arg;
    kafka_partition_t *partition = kafka_partition_find (self, (uint32_t)message->partition);
    if (--self->budget <= 0)
        rd_kafka_yield (self->client);
    if (!partition || !partition->reading)
        return;
    if (message->err) {
        on_fetch_error (self, partition, message);
        return;
    }
    if (message->offset < partition->next) {
        self->backwards++;
        return;
    }
    partition->next = message->offset + 1;
    partition->at_end = false;
    kafka_watch_moved (&partition->watch, self->now.mono_ms);
    source_row_t row = { .partition = partition->number,
                         .offset = (uint64_t)message->offset,
                         .next = (uint64_t)message->offset + 1,
                         .reason = "",
                         .data = message->payload,
                         .size = message->len };
    self->take (self->take_arg, &row);
}

static int
read_rows (source_t *self, int max_rows, source_take_fn *take, void *arg, char *reason, size_t reason_size)
{
    (void)reason, (void)reason_size;
    if (self->phase != READING)
        return 0;
    self->budget = max_rows;
    self->take = take;
    self->take_arg = arg;
    rd_kafka_consume_callback_queue (self->fetched, 0, on_message, self);
    return max_rows - self->budget;
}

static void
commit (source_t *self, uint32_t number, uint64_t next)
{
    const kafka_partition_t *partition = kafka_partition_find (self, number);
    if (partition && partition->reading)
        kafka_commit_add (self, partition, (int64_t)next);
}

static bool
is_up (const source_t *self)
{
    return !self->stats_known || self->stats.brokers_up > 0;
}

static const char *
where (const source_t *self)
{
    return self->topic;
}

//  ---- metrics

static void
metrics (const source_t *self, FILE *out)
{
    metric_t lags [TOLD_MAX];
    char labels [TOLD_MAX][32];
    size_t told = 0, stopped = 0, reading = 0;
    for (size_t at = 0; at < self->partition_count; at++) {
        const kafka_partition_t *partition = &self->partitions [at];
        stopped += partition->mine && partition->stopped;
        reading += partition->reading;
        if (!partition->reading || partition->lag < 0 || told == TOLD_MAX)
            continue;
        snprintf (labels [told], sizeof labels [told], "partition=\"%u\"", partition->number);
        lags [told] = (metric_t){ "kafka_lag", METRIC_GAUGE, "Events that are there and not read.",
                                  labels [told], (uint64_t)partition->lag };
        told++;
    }
    const metric_t rows [] = {
        { "kafka_partitions_reading", METRIC_GAUGE, "Partitions that are read.", NULL, reading },
        { "kafka_partitions_stopped", METRIC_GAUGE, "Partitions not read: their offset is not there.", NULL,
          stopped },
        { "kafka_brokers_up", METRIC_GAUGE, "Brokers that are connected.", NULL, self->stats.brokers_up },
        { "kafka_queue_messages", METRIC_GAUGE, "Messages fetched and not read.", NULL, self->stats.queued },
        { "kafka_queue_bytes", METRIC_GAUGE, "Bytes fetched and not read.", NULL, self->stats.queued_bytes },
        { "kafka_rebalances_total", METRIC_COUNTER, "Assignments and revocations.", NULL, self->rebalances },
        { "kafka_assignments_lost_total", METRIC_COUNTER, "Assignments lost without being asked.", NULL,
          self->lost },
        { "kafka_offset_alarms_total", METRIC_COUNTER, "Times an offset was not there.", NULL, self->alarms },
        { "kafka_offsets_backwards_total", METRIC_COUNTER, "Messages that came again within an assignment.",
          NULL, self->backwards },
        { "kafka_stalls_total", METRIC_COUNTER,
          "Times a partition stood still with something to read in it, and was begun anew.", NULL,
          self->stalls },
        { "kafka_commits_total", METRIC_COUNTER, "Commits sent.", NULL, self->commit_count },
        { "kafka_commit_errors_total", METRIC_COUNTER, "Commits refused.", NULL, self->commit_errors },
        { "kafka_errors_total", METRIC_COUNTER, "Errors that librdkafka told.", NULL, self->errors },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    metrics_write (lags, told, out);
}

//  ---- start and end

static void
queues_open (source_t *self)
{
    const uint64_t ring = 1;
    rd_kafka_poll_set_consumer (self->client);
    rd_kafka_set_log_queue (self->client, NULL);
    self->happened = rd_kafka_queue_get_consumer (self->client);
    self->fetched = rd_kafka_queue_new (self->client);
    rd_kafka_queue_io_event_enable (self->happened, self->bell, &ring, sizeof ring);
    rd_kafka_queue_io_event_enable (self->fetched, self->bell, &ring, sizeof ring);
}

static bool
client_open (source_t *self, const config_t *config, char *reason, size_t reason_size)
{
    rd_kafka_conf_t *conf = kafka_member_conf (config, reason, reason_size);
    if (!conf)
        return false;
    rd_kafka_conf_set_opaque (conf, self);
    rd_kafka_conf_set_rebalance_cb (conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb (conf, on_committed);
    rd_kafka_conf_set_stats_cb (conf, on_stats);
    rd_kafka_conf_set_error_cb (conf, on_error);
    char text [512];
    self->client = rd_kafka_new (RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!self->client) {
        rd_kafka_conf_destroy (conf);
        snprintf (reason, reason_size, "kafka.properties: %s", text);
        return false;
    }
    queues_open (self);
    return true;
}

static void
close_kafka (source_t **self_p)
{
    source_t *self = *self_p;
    if (self->client) {
        if (self->fetched)
            rd_kafka_queue_destroy (self->fetched);
        if (self->happened)
            rd_kafka_queue_destroy (self->happened);
        //  A static member does not leave the group: it comes back, or its session ends.
        rd_kafka_destroy_flags (self->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    if (self->bell >= 0)
        close (self->bell);
    rd_kafka_topic_partition_list_destroy (self->commits);
    free (self->partitions);
    free (self->cluster);
    free (self->topic);
    free (self);
    *self_p = NULL;
}

static source_t *
open_kafka (const config_t *config, char *reason, size_t reason_size)
{
    source_t *self = memory_new (1, sizeof *self);
    self->config = config;
    self->topic = memory_copy (config->kafka.topic, strlen (config->kafka.topic));
    self->commits = rd_kafka_topic_partition_list_new (16);
    self->bell = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!client_open (self, config, reason, reason_size))
        close_kafka (&self);
    return self;
}

//  Joins the group. What comes of it is told from serve.
static int
attach (source_t *self, const source_reader_t *reader)
{
    self->reader = *reader;
    self->now = service_now ();
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new (1);
    rd_kafka_topic_partition_list_add (topics, self->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe (self->client, topics);
    if (error)
        error_say (self, error, rd_kafka_err2str (error));
    rd_kafka_topic_partition_list_destroy (topics);
    return self->bell;
}

const source_ops_t source_kafka = {
    .name = "kafka",
    .id = USHER_SOURCE_KAFKA,
    .open = open_kafka,
    .where = where,
    .read = read_rows,
    .close = close_kafka,
    .attach = attach,
    .serve = serve,
    .commit = commit,
    .is_up = is_up,
    .metrics = metrics,
};
