//  kafka_position - the partitions of the Kafka source: which are ours, from where they are read, and whether they stand still

#include "source_kafka_private.h"
#include "kafka_begin.h"
#include "log.h"
#include "memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

//  ---- partitions

kafka_partition_t *
kafka_partition_find (source_t *self, uint32_t number)
{
    if (self->latest && self->latest->number == number)
        return self->latest;
    for (size_t at = 0; at < self->partition_count; at++)
        if (self->partitions [at].number == number)
            return self->latest = &self->partitions [at];
    return NULL;
}

kafka_partition_t *
kafka_partition_get (source_t *self, uint32_t number)
{
    kafka_partition_t *partition = kafka_partition_find (self, number);
    if (partition)
        return partition;
    self->latest = NULL;
    self->partitions = memory_resize (self->partitions, self->partition_count + 1, sizeof *self->partitions);
    partition = &self->partitions [self->partition_count++];
    *partition = (kafka_partition_t){ .number = number, .next = -1, .lag = -1 };
    return partition;
}

void
kafka_commit_add (source_t *self, const kafka_partition_t *partition, int64_t offset)
{
    rd_kafka_topic_partition_t *item =
        rd_kafka_topic_partition_list_find (self->commits, self->topic, (int32_t)partition->number);
    if (!item) {
        char note [KAFKA_NOTE_MAX];
        kafka_note_write (note, partition->generation, self->cluster);
        item = rd_kafka_topic_partition_list_add (self->commits, self->topic, (int32_t)partition->number);
        item->metadata = strdup (note);    //  librdkafka frees it
        item->metadata_size = strlen (note);
    }
    item->offset = offset;
}

static rd_kafka_topic_partition_list_t *
mine_list (const source_t *self)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new (16);
    for (size_t at = 0; at < self->partition_count; at++)
        if (self->partitions [at].mine)
            rd_kafka_topic_partition_list_add (list, self->topic, (int32_t)self->partitions [at].number);
    return list;
}

static void
commits_drop (source_t *self)
{
    rd_kafka_topic_partition_list_destroy (self->commits);
    self->commits = rd_kafka_topic_partition_list_new (16);
}

void
kafka_reading_end (source_t *self)
{
    for (size_t at = 0; at < self->partition_count; at++) {
        kafka_partition_t *partition = &self->partitions [at];
        if (partition->reading)
            self->reader.end (self->reader.arg, partition->number);
        partition->reading = partition->at_end = false;
        partition->lag = -1;
    }
    commits_drop (self);
}

void
kafka_partitions_leave (source_t *self)
{
    kafka_reading_end (self);
    for (size_t at = 0; at < self->partition_count; at++)
        self->partitions [at].mine = self->partitions [at].stopped = false;
    self->phase = IDLE;
    self->handing_over = false;
}

//  ---- positioning

static void
complain (source_t *self, const char *doing, rd_kafka_resp_err_t error)
{
    log_warning ("kafka does not answer", "doing=\"%s\" reason=\"%s\" hint=\"asked again\"", doing,
                 rd_kafka_err2str (error));
    self->due_ms = self->now.mono_ms + KAFKA_RETRY_MS;
}

static bool
cluster_find (source_t *self)
{
    if (self->cluster)
        return true;
    char *id = rd_kafka_clusterid (self->client, KAFKA_ASK_MS);
    self->cluster = id ? memory_copy (id, strlen (id)) : NULL;
    if (id)
        rd_kafka_mem_free (self->client, id);
    else
        complain (self, "ask for the cluster's id", RD_KAFKA_RESP_ERR__TIMED_OUT);
    return self->cluster;
}

//  An offset that is not there is an alarm; what is done is a setting.
static void
alarm_raise (source_t *self, const kafka_partition_t *partition, const kafka_facts_t *facts,
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
partition_position (source_t *self, const rd_kafka_topic_partition_t *committed)
{
    kafka_partition_t *partition = kafka_partition_get (self, (uint32_t)committed->partition);
    kafka_facts_t facts = { .committed = committed->offset,
                            .note = committed->metadata,
                            .note_size = committed->metadata_size,
                            .read = partition->was_read ? partition->next : -1,
                            .cluster = self->cluster };
    rd_kafka_resp_err_t error = committed->err;
    if (!error)
        error = rd_kafka_query_watermark_offsets (self->client, self->topic, committed->partition, &facts.low,
                                                  &facts.high, KAFKA_ASK_MS);
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
        kafka_commit_add (self, partition, begin.next);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool
partitions_position (source_t *self, const rd_kafka_topic_partition_list_t *committed)
{
    int64_t deadline_ms = service_now ().mono_ms + 2 * KAFKA_ASK_MS;
    for (int at = 0; at < committed->cnt; at++) {
        rd_kafka_resp_err_t error = partition_position (self, &committed->elems [at]);
        if (!error && service_now ().mono_ms > deadline_ms)
            error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (error) {
            complain (self, "ask for a partition's ends", error);
            commits_drop (self);
            return false;
        }
    }
    return true;
}

static void
reading_begin (source_t *self)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new (16);
    for (size_t at = 0; at < self->partition_count; at++) {
        kafka_partition_t *partition = &self->partitions [at];
        if (!partition->mine || partition->stopped)
            continue;
        rd_kafka_queue_t *queue =
            rd_kafka_queue_get_partition (self->client, self->topic, (int32_t)partition->number);
        rd_kafka_queue_forward (queue, self->fetched);
        rd_kafka_queue_destroy (queue);
        rd_kafka_topic_partition_list_add (list, self->topic, (int32_t)partition->number)->offset =
            partition->next;
        partition->reading = partition->was_read = true;
        partition->end = partition->next;
        partition->watch.since_ms = self->now.mono_ms;
        self->reader.begin (self->reader.arg, partition->number, partition->generation,
                            (uint64_t)partition->next);
        log_info ("partition opened", "topic=%s partition=%u generation=%016" PRIx64 " next=%" PRId64,
                  self->topic, partition->number, partition->generation, partition->next);
    }
    rd_kafka_assign (self->client, list);
    rd_kafka_topic_partition_list_destroy (list);
    self->phase = READING;
}

void
kafka_position (source_t *self)
{
    //  A commit of before that is still under way would come behind what is asked.
    if (self->now.mono_ms < self->due_ms || self->committing || !cluster_find (self))
        return;
    rd_kafka_topic_partition_list_t *list = mine_list (self);
    rd_kafka_resp_err_t error = rd_kafka_committed (self->client, list, KAFKA_ASK_MS);
    if (error)
        complain (self, "ask for the group's offsets", error);
    else if (partitions_position (self, list)) {
        self->phase = NOTING;
        if (self->commits->cnt == 0)
            kafka_noted (self, RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    rd_kafka_topic_partition_list_destroy (list);
}

void
kafka_noted (source_t *self, rd_kafka_resp_err_t error)
{
    if (!error) {
        reading_begin (self);
        return;
    }
    complain (self, "commit where a partition begins", error);
    self->phase = POSITIONING;
}

//  ---- standing still

//  Nobody answers: the others need not be asked just now either.
static void
watches_wait (source_t *self)
{
    for (size_t at = 0; at < self->partition_count; at++)
        kafka_watch_look (&self->partitions [at].watch, self->now.mono_ms, 0, -1);
}

static bool
partition_look (source_t *self, kafka_partition_t *partition)
{
    int64_t low, high, next = partition->next > partition->end ? partition->next : partition->end;
    if (rd_kafka_query_watermark_offsets (self->client, self->topic, (int32_t)partition->number, &low, &high,
                                          KAFKA_LOOK_MS)) {
        watches_wait (self);
        return false;
    }
    if (!kafka_watch_look (&partition->watch, self->now.mono_ms, next, high))
        return false;
    self->stalls++;
    log_warning ("partition stands still",
                 "topic=%s partition=%u next=%" PRId64 " end=%" PRId64
                 " hint=\"nothing comes though there is something to read; it is begun anew\"",
                 self->topic, partition->number, next, high);
    return true;
}

bool
kafka_stands_still (source_t *self)
{
    //  What is fetched and not read waits for credit. A broker that is not there is librdkafka's business.
    if (!self->stats_known || self->stats.brokers_up == 0 || rd_kafka_queue_length (self->fetched))
        return false;
    int64_t patience_ms = (int64_t)self->config->kafka.stall_s * 1000;
    for (size_t at = 0; at < self->partition_count; at++) {
        kafka_partition_t *partition = &self->partitions [at];
        if (partition->reading && kafka_watch_due (&partition->watch, self->now.mono_ms, patience_ms))
            return partition_look (self, partition);
    }
    return false;
}
