//  collector - an embedded Snowplow collector
//
//  In: the tracker protocol over HTTP, from browsers and other trackers; `committed` from the ingester.
//  Out: a row in the journal for each event, enriched, and for each bad row; the answers to the trackers, each
//  only after the transaction that holds its rows is on disk; `more` to the ingester when there are new rows.
//  With collector.sink kafka each row is a message instead, and its answer waits for Kafka's.
//  Keeps: journal.db. Rows are pruned when the ingester says that they are durable downstream. Of Kafka nothing.
//  Drain: no new connections; requests that had begun are committed and answered.
//  Death costs: requests without an answer, which their trackers send again; no event that was answered.
//
//  One transaction serves all requests of a turn of the loop. Requests arrive before the loop waits, so a
//  bell (an eventfd) ends that wait at once, and the turn that follows commits and lets the answers go.

#include "collector.h"

#include "intake.h"
#include "journal.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "sink_kafka.h"
#include "snowplow/journal_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#ifndef USHER_VERSION
#define USHER_VERSION "0.1.0"
#endif
#define COLLECTOR_NAME "usher-collector-" USHER_VERSION

//  After a failure /health is bad for so long; then it is good again on trial, for a load balancer that sends
//  nothing could never learn that the journal works again.
#define TRIAL_MS 5000

//  Ingesters that are told of new rows.
#define PEERS_MAX 8
#define KINDS (TRACKER_SCHEMA_VIOLATIONS + 1)

typedef struct {
    journal_t *journal;     //  NULL: rows go to Kafka
    sink_kafka_t *kafka;    //  NULL: rows go to the journal
    intake_t *intake;
    int bell;
    uint64_t ticket;    //  the last request that was taken
    tracker_ip_mask_t mask;
    bool healthy;
    int64_t failed_ms;    //  mono, of the last failure
    uint64_t prune_to;    //  0: nothing to prune
    uint32_t peers [PEERS_MAX];
    size_t peer_count;
    uint64_t rows [KINDS];         //  committed, by tracker_kind_t
    uint64_t turn_rows [KINDS];    //  of the turn's transaction
    uint64_t commits;
    uint64_t failures;
    uint64_t pruned;
} collector_t;

//  ---- The health of what keeps the rows

static const char *
keeper_name (const collector_t *self)
{
    return self->kafka ? "kafka" : "journal";
}

static void
keeper_works (collector_t *self)
{
    for (int kind = 0; kind < KINDS; kind++)
        self->rows [kind] += self->turn_rows [kind];
    memset (self->turn_rows, 0, sizeof self->turn_rows);
    if (!self->healthy)
        log_info ("rows are kept again", "keeper=%s", keeper_name (self));
    self->healthy = true;
    intake_set_healthy (self->intake, true);
}

static void
keeper_failed (collector_t *self, const char *reason)
{
    if (self->healthy)
        log_error ("rows not kept", "keeper=%s reason=\"%s\" hint=\"trackers get 503 and try again\"",
                   keeper_name (self), reason);
    self->failures++;
    memset (self->turn_rows, 0, sizeof self->turn_rows);
    self->healthy = false;
    self->failed_ms = service_now ().mono_ms;
    intake_set_healthy (self->intake, false);
}

//  The turn's rows are gone, so whoever waits for them must try again.
static void
journal_failed (collector_t *self)
{
    keeper_failed (self, journal_fault (self->journal));
    intake_release (self->intake, self->ticket, false);
}

//  Kafka has answered for all rows up to a ticket.
static void
on_settled (void *arg, uint64_t ticket, bool durable)
{
    collector_t *self = arg;
    if (durable)
        keeper_works (self);
    else
        keeper_failed (self, sink_kafka_fault (self->kafka));
    intake_release (self->intake, ticket, durable);
}

//  ---- Requests

static int
append_outcome (collector_t *self, int64_t collected_ms, const tracker_outcome_t *outcome)
{
    char reason [TRACKER_REASON_MAX + 64] = "";
    bool bad = outcome->kind != TRACKER_EVENT;
    if (bad)
        snprintf (reason, sizeof reason, "%s: %s", tracker_kind_name (outcome->kind), outcome->reason);
    self->turn_rows [outcome->kind]++;
    if (self->kafka)
        return sink_kafka_append (self->kafka, self->ticket, bad, reason, outcome->body, outcome->size);
    return journal_append (self->journal, collected_ms, bad ? JOURNAL_BAD : JOURNAL_EVENT, reason,
                           outcome->body, outcome->size);
}

//  End the wait that comes next.
static void
ring (const collector_t *self)
{
    uint64_t one = 1;
    if (write (self->bell, &one, sizeof one) != sizeof one)
        log_warning ("bell does not ring", "hint=\"answers are late by a tick\"");
}

static void
on_bell (void *arg)
{
    const collector_t *self = arg;
    uint64_t count;
    if (read (self->bell, &count, sizeof count) != sizeof count)
        log_debug ("bell was silent", "fd=%d", self->bell);
}

//  Rows that were handed over already are Kafka's; the tracker sends all of them again.
static void
kafka_full (collector_t *self)
{
    sink_kafka_give_up (self->kafka, self->ticket);
    keeper_failed (self, sink_kafka_fault (self->kafka));
}

//  The one place where rows leave for what makes them durable. False: they could not be taken. Else keeper_works or
//  keeper_failed tells of them later, and intake_release of the request whose ticket they came with.
static bool
keep_rows (collector_t *self, int64_t collected_ms, const tracker_outcomes_t *outcomes)
{
    int rc = 0;
    if (self->journal && !journal_pending (self->journal))
        ring (self);
    for (size_t index = 0; rc == 0 && index < outcomes->count; index++)
        rc = append_outcome (self, collected_ms, &outcomes->items [index]);
    if (rc != 0)
        self->kafka ? kafka_full (self) : journal_failed (self);
    return rc == 0;
}

static bool
on_request (void *arg, const tracker_request_t *taken, uint64_t ticket)
{
    collector_t *self = arg;
    self->ticket = ticket;
    tracker_request_t request = *taken;
    request.collector = request.etl = COLLECTOR_NAME;
    request.uuid_new = intake_uuid;
    request.mask = self->mask;
    tracker_outcomes_t *outcomes = tracker_read (&request);
    bool kept = keep_rows (self, request.collector_ms, outcomes);
    tracker_outcomes_destroy (&outcomes);
    return kept;
}

//  ---- The ingester

static void
tell_more (const collector_t *self, uint32_t peer, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_more, .more = { journal_last (self->journal) } };
    outbox_put (out, USHER_LINK_journal, peer, &msg);
}

static void
collector_peer_down (void *arg, usher_link_id_t link, uint32_t peer)
{
    collector_t *self = arg;
    (void)link;
    for (size_t index = 0; index < self->peer_count; index++)
        if (self->peers [index] == peer)
            self->peers [index--] = self->peers [--self->peer_count];
}

static void
collector_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    collector_t *self = arg;
    collector_peer_down (self, link, peer);
    if (self->peer_count == PEERS_MAX) {
        log_warning ("too many ingesters", "peer=%s", name);
        return;
    }
    self->peers [self->peer_count++] = peer;
    if (self->journal)
        tell_more (self, peer, out);
}

static void
on_committed (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    collector_t *self = arg;
    uint64_t position = msg->committed.position;
    (void)peer;
    (void)out;
    if (!self->journal || position > journal_last (self->journal))
        log_warning ("position refused",
                     "position=%" PRIu64 " last=%" PRIu64
                     " reason=\"it was never given: is this another journal's?\"",
                     position, self->journal ? journal_last (self->journal) : 0);
    else if (position > self->prune_to)
        self->prune_to = position;
}

//  ---- The turns of the loop

//  A producer that has given up for good is made anew by the next process; requests without an answer come again.
static void
kafka_turn (collector_t *self, usher_time_t now)
{
    if (sink_kafka_turn (self->kafka, now.mono_ms))
        return;
    log_error ("kafka gave up", "reason=\"%s\"", sink_kafka_fault (self->kafka));
    exit (EXIT_TRY_AGAIN);
}

//  Commit what came since the last turn, and answer.
static bool
collector_turn (void *arg, usher_time_t now, outbox_t *out)
{
    collector_t *self = arg;
    if (self->kafka)
        kafka_turn (self, now);
    if (!self->journal || !journal_pending (self->journal))
        return false;
    if (journal_commit (self->journal) != 0) {
        journal_failed (self);
        return false;
    }
    self->commits++;
    keeper_works (self);
    intake_release (self->intake, self->ticket, true);
    for (size_t index = 0; index < self->peer_count; index++)
        tell_more (self, self->peers [index], out);
    return false;
}

//  Prune in a transaction of its own, so that its failure costs nobody's answer.
static void
prune (collector_t *self)
{
    if (!self->journal || self->prune_to == 0 || journal_pending (self->journal))
        return;
    int rows = journal_prune (self->journal, self->prune_to);
    if (rows < 0 || journal_commit (self->journal) != 0) {
        journal_failed (self);
        return;
    }
    self->pruned += (uint64_t)rows;
    if (rows < JOURNAL_PRUNE_MAX)
        self->prune_to = 0;
}

static void
collector_tick (void *arg, usher_time_t now, outbox_t *out)
{
    collector_t *self = arg;
    (void)out;
    if (!self->healthy && now.mono_ms - self->failed_ms > TRIAL_MS)
        intake_set_healthy (self->intake, true);
    prune (self);
}

static bool
collector_drained (void *arg, usher_time_t now, outbox_t *out)
{
    collector_t *self = arg;
    (void)now;
    (void)out;
    return intake_drain (self->intake) && !(self->journal && journal_pending (self->journal));
}

//  ---- Start and end

static void
collector_close (void **self_p)
{
    collector_t *self = *self_p;
    if (!self)
        return;
    intake_destroy (&self->intake);
    journal_destroy (&self->journal);
    sink_kafka_destroy (&self->kafka);
    if (self->bell != -1)
        close (self->bell);
    free (self);
    *self_p = NULL;
}

static journal_t *
open_journal (const config_t *config)
{
    char path [4096], fault [JOURNAL_FAULT_MAX];
    uint64_t generation = 0;
    while (generation == 0)
        if (getrandom (&generation, sizeof generation, 0) != sizeof generation)
            return NULL;
    snprintf (path, sizeof path, "%s/%s", config->data_dir, JOURNAL_FILE);
    journal_t *journal = journal_new (path, generation, config->collector.max_journal_bytes, fault);
    if (journal)
        log_info ("journal opened", "file=%s generation=%016" PRIx64 " last=%" PRIu64, path,
                  journal_generation (journal), journal_last (journal));
    else
        log_error ("journal refused",
                   "reason=\"%s\" hint=\"check data_dir and its disk; a broken journal can be"
                   " moved away, a new one is made then\"",
                   fault);
    return journal;
}

//  Answers make the loop turn; the turn takes them.
static void
on_answers (void *arg)
{
    (void)arg;
}

static sink_kafka_t *
open_kafka (collector_t *self, service_t *service, const config_t *config)
{
    char reason [512];
    sink_kafka_t *kafka = sink_kafka_new (config, on_settled, self, reason, sizeof reason);
    if (!kafka)
        log_error ("kafka refused", "reason=\"%s\"", reason);
    else if (service_watch (service, sink_kafka_descriptor (kafka), on_answers, self) != 0)
        abort ();    //  room for descriptors is ours to provide
    return kafka;
}

//  Returns the exit code, EXIT_DRAINED when there is something that keeps rows.
static int
open_keeper (collector_t *self, service_t *service, const config_t *config)
{
    if (strcmp (config->collector.sink, "kafka") == 0)
        self->kafka = open_kafka (self, service, config);
    else
        self->journal = open_journal (config);
    return self->kafka || self->journal                    ? EXIT_DRAINED
           : strcmp (config->collector.sink, "kafka") == 0 ? EXIT_MISCONFIGURED
                                                           : EXIT_TRY_AGAIN;
}

static answer_rules_t
collector_rules (const config_t *config)
{
    return (answer_rules_t){ .cookie_name = config->collector.cookie_name,
                             .cookie_days = config->collector.cookie_days,
                             .cookie_secure = config->collector.cookie_secure,
                             .cookie_http_only = config->collector.cookie_http_only,
                             .cookie_same_site = config->collector.cookie_same_site,
                             .paths = config->collector.paths,
                             .max_body_bytes = config->collector.max_body_bytes };
}

static bool
check_paths (const config_t *config)
{
    span_t bad;
    if (answer_check_paths (config->collector.paths, &bad))
        return true;
    log_error ("bad setting",
               "key=collector.paths entry=\"%.*s\" hint=\"VENDOR/VERSION, or VENDOR/VERSION=VENDOR/VERSION\"",
               TRACKER_SPAN (bad));
    return false;
}

static void *
collector_open (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    (void)instance;
    *exit_code = EXIT_MISCONFIGURED;
    if (!check_paths (config))
        return NULL;
    void *state = memory_new (1, sizeof (collector_t));
    collector_t *self = state;
    self->healthy = true;
    self->mask = (tracker_ip_mask_t){ config->collector.mask_ip_octets, config->collector.mask_ip_segments };
    self->bell = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    *exit_code = open_keeper (self, service, config);
    intake_options_t options = { .bind_address = config->bind,
                                 .port = config->collector.port,
                                 .max_connections = config->collector.max_connections,
                                 .rules = collector_rules (config),
                                 .take = on_request,
                                 .arg = self };
    if (*exit_code == EXIT_DRAINED) {
        *exit_code = EXIT_TRY_AGAIN;
        self->intake = intake_new (service, &options);
    }
    if (!self->intake || self->bell == -1 || service_watch (service, self->bell, on_bell, self) != 0)
        collector_close (&state);
    return state;
}

static void
collector_metrics (const void *arg, FILE *out)
{
    const collector_t *self = arg;
    intake_counters_t counters = intake_counters (self->intake);
    metric_t kinds [KINDS];
    char labels [KINDS][64];
    for (int kind = 0; kind < KINDS; kind++) {
        snprintf (labels [kind], sizeof labels [kind], "kind=\"%s\"",
                  tracker_kind_name ((tracker_kind_t)kind));
        kinds [kind] = (metric_t){ "collector_rows_total", METRIC_COUNTER, "Rows kept.", labels [kind],
                                   self->rows [kind] };
    }
    const char *requests = "Requests answered.";
    const metric_t rows [] = {
        { "collector_requests_total", METRIC_COUNTER, requests, "class=\"2xx\"", counters.answered_2xx },
        { "collector_requests_total", METRIC_COUNTER, requests, "class=\"4xx\"", counters.answered_4xx },
        { "collector_requests_total", METRIC_COUNTER, requests, "class=\"5xx\"", counters.answered_5xx },
        { "collector_commits_total", METRIC_COUNTER, "Transactions of the journal.", NULL, self->commits },
        { "collector_failures_total", METRIC_COUNTER, "Times rows were not kept.", NULL, self->failures },
        { "collector_pruned_total", METRIC_COUNTER, "Rows pruned from the journal.", NULL, self->pruned },
        { "collector_journal_last", METRIC_GAUGE, "Last position given.", NULL,
          self->journal ? journal_last (self->journal) : 0 },
        { "collector_body_bytes", METRIC_GAUGE, "Bytes of bodies that are being received.", NULL,
          counters.body_bytes },
    };
    metrics_write (kinds, KINDS, out);
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    if (self->kafka)
        sink_kafka_metrics (self->kafka, out);
}

static const service_link_t links [] = { { USHER_LINK_journal, SERVICE_BIND } };

static const service_route_t routes [] = { { USHER_LINK_journal, USHER_MSG_committed, on_committed } };

const service_spec_t collector_service = {
    .name = "collector",
    .links = links,
    .link_count = 1,
    .routes = routes,
    .route_count = 1,
    .open = collector_open,
    .peer_up = collector_peer_up,
    .peer_down = collector_peer_down,
    .turn = collector_turn,
    .tick = collector_tick,
    .drained = collector_drained,
    .metrics = collector_metrics,
    .close = collector_close,
};
