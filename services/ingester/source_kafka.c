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
//    POSITIONING   they are ours; ask for the group's offsets and the partition's ends, choose (kafka_begin.c), commit
//                  what is new, only then fetch. Asked again each second while brokers do not answer.
//    READING
//    RELEASING     somebody else wants them, or an offset is out of range: read nothing, wait until everything taken
//                  is durable and committed, but not for ever; then let go, or position again
//
//  An assignment that is lost is dropped at once and nothing is committed: somebody else has it already.

#include "source.h"
#include "kafka.h"
#include "kafka_begin.h"
#include "kafka_stats.h"
#include "log.h"
#include "memory.h"
#include "message.h"
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    ASK_MS = 2000,         //  how long brokers may take to answer while we wait; the watchdog waits for 10 s
    RETRY_MS = 1000,       //  until they are asked again
    RELEASE_MS = 10000,    //  how long a rebalance waits for receipts
    IDLE_MAX_MS = 3000,    //  a leader that says nothing for longer, though asked twice a second, is gone
    END_MARGIN_MS = 1000,    //  between a leader's last word and what is concluded from it
    PARTITIONS_TOLD = 64     //  in the metrics: a beat has a limit
};

typedef enum { IDLE, POSITIONING, READING, RELEASING } phase_t;

typedef struct {
    uint32_t number;
    bool mine, reading, stopped;
    bool at_end;     //  read up to what the leader said was the end
    int64_t next;    //  first offset not read; negative: never read
    int64_t lag;     //  negative: unknown
    uint64_t generation;
} partition_t;

struct source {
    const config_t *config;
    char *topic, *cluster;
    rd_kafka_t *client;
    rd_kafka_queue_t *fetched, *happened;
    int bell;
    source_reader_t reader;
    phase_t phase;
    bool handing_over;    //  the group waits for what we release
    int64_t due_ms;       //  mono: positions are asked for, or the release ends
    usher_time_t now;
    size_t partition_count;
    partition_t *partitions;                     //  those that are or were ours
    partition_t *latest;                         //  that the last message came from
    rd_kafka_topic_partition_list_t *commits;    //  to be sent
    source_take_fn *take;                        //  of the call that is under way
    void *take_arg;
    int budget;
    int64_t error_said_ms;
    bool stats_known;
    kafka_stats_t stats;
    uint64_t rebalances, lost, alarms, backwards, commit_count, commit_errors, errors;
};

//  ---- partitions

static partition_t *
partition_find (source_t *self, uint32_t number)
{
    if (self->latest && self->latest->number == number)
        return self->latest;
    for (size_t at = 0; at < self->partition_count; at++)
        if (self->partitions [at].number == number)
            return self->latest = &self->partitions [at];
    return NULL;
}

static partition_t *
partition_get (source_t *self, uint32_t number)
{
    partition_t *partition = partition_find (self, number);
    if (partition)
        return partition;
    self->latest = NULL;
    self->partitions = memory_resize (self->partitions, self->partition_count + 1, sizeof *self->partitions);
    partition = &self->partitions [self->partition_count++];
    *partition = (partition_t){ .number = number, .next = -1, .lag = -1 };
    return partition;
}

static rd_kafka_topic_partition_t *
list_add (const source_t *self, rd_kafka_topic_partition_list_t *list, const partition_t *partition,
          int64_t offset)
{
    char note [KAFKA_NOTE_MAX];
    rd_kafka_topic_partition_t *item =
        rd_kafka_topic_partition_list_add (list, self->topic, (int32_t)partition->number);
    item->offset = offset;
    if (offset < 0)
        return item;
    kafka_note_write (note, partition->generation, self->cluster);
    item->metadata = strdup (note);    //  librdkafka frees it
    item->metadata_size = strlen (note);
    return item;
}

static rd_kafka_topic_partition_list_t *
mine_list (const source_t *self)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new (16);
    for (size_t at = 0; at < self->partition_count; at++)
        if (self->partitions [at].mine)
            list_add (self, list, &self->partitions [at], RD_KAFKA_OFFSET_INVALID);
    return list;
}

static void
fetch_stop (source_t *self)
{
    rd_kafka_assign (self->client, NULL);
}

static void
reading_end (source_t *self)
{
    for (size_t at = 0; at < self->partition_count; at++) {
        partition_t *partition = &self->partitions [at];
        if (partition->reading)
            self->reader.end (self->reader.arg, partition->number);
        partition->reading = partition->at_end = false;
        partition->lag = -1;
    }
}

static void
partitions_leave (source_t *self)
{
    reading_end (self);
    for (size_t at = 0; at < self->partition_count; at++)
        self->partitions [at].mine = self->partitions [at].stopped = false;
    rd_kafka_topic_partition_list_destroy (self->commits);
    self->commits = rd_kafka_topic_partition_list_new (16);
    self->phase = IDLE;
    self->handing_over = false;
}

//  ---- positioning

static void
complain (source_t *self, const char *doing, rd_kafka_resp_err_t error)
{
    log_warning ("kafka does not answer", "doing=\"%s\" reason=\"%s\" hint=\"asked again\"", doing,
                 rd_kafka_err2str (error));
    self->due_ms = self->now.mono_ms + RETRY_MS;
}

static bool
cluster_find (source_t *self)
{
    if (self->cluster)
        return true;
    char *id = rd_kafka_clusterid (self->client, ASK_MS);
    self->cluster = id ? memory_copy (id, strlen (id)) : NULL;
    if (id)
        rd_kafka_mem_free (self->client, id);
    else
        complain (self, "ask for the cluster's id", RD_KAFKA_RESP_ERR__TIMED_OUT);
    return self->cluster;
}

//  An offset that is not there is an alarm; what is done is a setting.
static void
alarm_raise (source_t *self, const partition_t *partition, const kafka_facts_t *facts,
             const kafka_begin_t *begin)
{
    self->alarms++;
    log_error ("kafka offset is not there",
               "topic=%s partition=%u committed=%" PRId64 " read=%" PRId64 " low=%" PRId64 " high=%" PRId64
               " reason=\"%s\" policy=%s%s",
               self->topic, partition->number, facts->committed, facts->read, facts->low, facts->high,
               begin->alarm, self->config->kafka.out_of_range,
               begin->stop
                   ? " hint=\"the partition is not read; set kafka.out_of_range or the group's offset,"
                     " then restart the ingester\""
                   : "");
}

static uint64_t
fresh_generation (void)
{
    uint64_t number = 0;
    while (number == 0)
        if (getrandom (&number, sizeof number, 0) != sizeof number)
            abort ();
    return number;
}

//  Chooses where a partition begins. Returns the error of asking, 0 when it is chosen.
static rd_kafka_resp_err_t
partition_position (source_t *self, const rd_kafka_topic_partition_t *committed,
                    rd_kafka_topic_partition_list_t *notes)
{
    partition_t *partition = partition_get (self, (uint32_t)committed->partition);
    kafka_facts_t facts = { .committed = committed->offset,
                            .note = committed->metadata,
                            .note_size = committed->metadata_size,
                            .read = partition->next,
                            .cluster = self->cluster };
    rd_kafka_resp_err_t error = committed->err;
    if (!error)
        error = rd_kafka_query_watermark_offsets (self->client, self->topic, committed->partition, &facts.low,
                                                  &facts.high, ASK_MS);
    if (error)
        return error;
    kafka_begin_t begin = kafka_begin (&facts, kafka_policy (self->config->kafka.start),
                                       kafka_policy (self->config->kafka.out_of_range), fresh_generation ());
    if (begin.alarm)
        alarm_raise (self, partition, &facts, &begin);
    partition->stopped = begin.stop;
    partition->generation = begin.generation;
    partition->next = begin.next;
    if (!begin.stop && begin.note_is_new)
        list_add (self, notes, partition, begin.next);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool
partitions_position (source_t *self, const rd_kafka_topic_partition_list_t *committed,
                     rd_kafka_topic_partition_list_t *notes)
{
    int64_t deadline_ms = service_now ().mono_ms + 2 * ASK_MS;
    for (int at = 0; at < committed->cnt; at++) {
        rd_kafka_resp_err_t error = partition_position (self, &committed->elems [at], notes);
        if (!error && service_now ().mono_ms > deadline_ms)
            error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (error) {
            complain (self, "ask for a partition's ends", error);
            return false;
        }
    }
    rd_kafka_resp_err_t error = notes->cnt ? rd_kafka_commit (self->client, notes, 0) : 0;
    if (error)
        complain (self, "commit where a partition begins", error);
    return error == 0;
}

static void
reading_begin (source_t *self)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new (16);
    for (size_t at = 0; at < self->partition_count; at++) {
        partition_t *partition = &self->partitions [at];
        if (!partition->mine || partition->stopped)
            continue;
        rd_kafka_queue_t *queue =
            rd_kafka_queue_get_partition (self->client, self->topic, (int32_t)partition->number);
        rd_kafka_queue_forward (queue, self->fetched);
        rd_kafka_queue_destroy (queue);
        list_add (self, list, partition, RD_KAFKA_OFFSET_INVALID)->offset = partition->next;
        partition->reading = true;
        self->reader.begin (self->reader.arg, partition->number, partition->generation,
                            (uint64_t)partition->next);
        log_info ("partition opened", "topic=%s partition=%u generation=%016" PRIx64 " next=%" PRId64,
                  self->topic, partition->number, partition->generation, partition->next);
    }
    rd_kafka_assign (self->client, list);
    rd_kafka_topic_partition_list_destroy (list);
    self->phase = READING;
}

static void
position (source_t *self)
{
    if (self->now.mono_ms < self->due_ms || !cluster_find (self))
        return;
    rd_kafka_topic_partition_list_t *list = mine_list (self);
    rd_kafka_topic_partition_list_t *notes = rd_kafka_topic_partition_list_new (16);
    rd_kafka_resp_err_t error = rd_kafka_committed (self->client, list, ASK_MS);
    if (error)
        complain (self, "ask for the group's offsets", error);
    else if (partitions_position (self, list, notes))
        reading_begin (self);
    rd_kafka_topic_partition_list_destroy (notes);
    rd_kafka_topic_partition_list_destroy (list);
}

//  ---- what happens

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
        partitions_leave (self);
        return;
    }
    reading_end (self);
    self->phase = POSITIONING;
    self->due_ms = self->now.mono_ms;
}

static void
on_assigned (source_t *self, const rd_kafka_topic_partition_list_t *list)
{
    for (int at = 0; at < list->cnt; at++)
        partition_get (self, (uint32_t)list->elems [at].partition)->mine = true;
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
        partitions_leave (self);
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
    if (error)
        self->commit_errors++;
    for (int at = 0; !error && list && at < list->cnt; at++) {
        const rd_kafka_topic_partition_t *item = &list->elems [at];
        if (item->err)
            self->commit_errors++;
        else if (item->offset >= 0)
            self->reader.committed (self->reader.arg, (uint32_t)item->partition, (uint64_t)item->offset);
    }
}

static void
error_say (source_t *self, rd_kafka_resp_err_t error, const char *text)
{
    self->errors++;
    if (self->now.mono_ms - self->error_said_ms < RETRY_MS)
        return;
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
    partition_t *partition = partition_find (self, stats->partition);
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
    if (self->commits->cnt == 0)
        return;
    self->commit_count++;
    if (rd_kafka_commit (self->client, self->commits, 1))
        self->commit_errors++;
    rd_kafka_topic_partition_list_destroy (self->commits);
    self->commits = rd_kafka_topic_partition_list_new (16);
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
        position (self);
    if (self->phase == RELEASING)
        release (self);
    commits_send (self);
    return true;
}

//  ---- messages

//  The end of a partition, or an offset that is not there.
static void
on_fetch_error (source_t *self, partition_t *partition, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        partition->at_end = message->offset == partition->next;
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
    partition_t *partition = partition_find (self, (uint32_t)message->partition);
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
    const partition_t *partition = partition_find (self, number);
    if (partition && partition->reading)
        list_add (self, self->commits, partition, (int64_t)next);
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
    metric_t lags [PARTITIONS_TOLD];
    char labels [PARTITIONS_TOLD][32];
    size_t told = 0, stopped = 0, reading = 0;
    for (size_t at = 0; at < self->partition_count; at++) {
        const partition_t *partition = &self->partitions [at];
        stopped += partition->mine && partition->stopped;
        reading += partition->reading;
        if (!partition->reading || partition->lag < 0 || told == PARTITIONS_TOLD)
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
        { "kafka_commits_total", METRIC_COUNTER, "Commits sent.", NULL, self->commit_count },
        { "kafka_commit_errors_total", METRIC_COUNTER, "Commits refused.", NULL, self->commit_errors },
        { "kafka_errors_total", METRIC_COUNTER, "Errors that librdkafka told.", NULL, self->errors },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    metrics_write (lags, told, out);
}

//  ---- start and end

//  Static membership: who comes back under its name within the session timeout gets its partitions back, and nobody
//  else is disturbed. Two houses on one host differ by their data.
static void
member_name (const config_t *config, char *name, size_t size)
{
    char host [128] = "";
    gethostname (host, sizeof host - 1);
    if (*config->kafka.member)
        snprintf (name, size, "%s", config->kafka.member);
    else
        snprintf (name, size, "usher-%s-%08x", host,
                  (unsigned)XXH32 (config->data_dir, strlen (config->data_dir), 0));
}

static rd_kafka_conf_t *
conf_make (source_t *self, const config_t *config, char *reason, size_t reason_size)
{
    char member [256];
    member_name (config, member, sizeof member);
    const kafka_property_t own [] = {
        { "group.id", config->kafka.group, "kafka.group says it" },
        { "group.instance.id", member, "kafka.member says it" },
        { "client.id", "usher-ingester", NULL },
        { "enable.auto.commit", "false", "an offset is committed when its events are durable" },
        { "enable.auto.offset.store", "false", "an offset is committed when its events are durable" },
        { "auto.offset.reset", "error", "kafka.start and kafka.out_of_range say it" },
        { "enable.partition.eof", "true", "silence counts only at the end of a partition" },
        { "partition.assignment.strategy", "range", "librdkafka 2.0 can loop with cooperative-sticky" },
        { "log.queue", "true", "its lines are ours" },
        { "statistics.interval.ms", "1000", NULL },
        { "queued.min.messages", "1000000", NULL },
        { "queued.max.messages.kbytes", "131072", NULL },
        { "topic.metadata.refresh.interval.ms", "10000", NULL },
    };
    rd_kafka_conf_t *conf = kafka_conf_new (config, own, sizeof own / sizeof *own, reason, reason_size);
    if (!conf)
        return NULL;
    rd_kafka_conf_set_opaque (conf, self);
    rd_kafka_conf_set_rebalance_cb (conf, on_rebalance);
    rd_kafka_conf_set_offset_commit_cb (conf, on_committed);
    rd_kafka_conf_set_stats_cb (conf, on_stats);
    rd_kafka_conf_set_error_cb (conf, on_error);
    return conf;
}

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
    rd_kafka_conf_t *conf = conf_make (self, config, reason, reason_size);
    if (!conf)
        return false;
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
