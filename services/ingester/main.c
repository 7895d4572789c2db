//  main - the ingester's shell: it moves rows from the source into the core

#include "ingester.h"
#include "log.h"
#include "memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_PER_TURN = 512, SOURCE_RETRY_MS = 1000 };

typedef struct {
    ingester_t *core;
    const source_ops_t *ops;
    source_t *source;
    outbox_t *out;
    bool begun, draining;
    int64_t retry_ms;
    char reason [512];
} shell_t;

static const source_ops_t *
source_choose (const config_t *config)
{
    static const source_ops_t *const all [] = { &source_journal, &source_file, &source_kafka };
    size_t at = 0;
    while (strcmp (all [at]->name, config->ingester.source) != 0)
        at++;
    return all [at];
}

static void
begin_partition (void *arg, uint32_t partition, uint64_t generation, uint64_t next)
{
    ingester_begin (((shell_t *)arg)->core, partition, generation, next);
}

static void
end_partition (void *arg, uint32_t partition)
{
    ingester_end (((shell_t *)arg)->core, partition);
}

static void
at_end (void *arg, uint32_t partition, uint64_t wall_ms)
{
    ingester_at_end (((shell_t *)arg)->core, partition, wall_ms);
}

static void
committed (void *arg, uint32_t partition, uint64_t next)
{
    ingester_committed (((shell_t *)arg)->core, partition, next);
}

static bool
at_rest (void *arg)
{
    shell_t *self = arg;
    ingester_commit (self->core, self->out);
    return ingester_idle (self->core);
}

static void
commit (void *arg, uint32_t partition, uint64_t next)
{
    shell_t *self = arg;
    self->ops->commit (self->source, partition, next);
}

//  The turn that follows does what there is to do.
static void
on_bell (void *arg)
{
    (void)arg;
}

//  A source with partitions of its own tells of them, and is told what to commit.
static bool
attach (shell_t *self, service_t *service)
{
    const source_reader_t reader = { begin_partition, end_partition, at_end, committed, at_rest, self };
    ingester_commit_with (self->core, commit, self);
    return service_watch (service, self->ops->attach (self->source, &reader), on_bell, self) == 0;
}

static void *
open_ingester (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    (void)instance;
    shell_t *self = memory_new (1, sizeof *self);
    self->out = service_outbox (service);
    self->ops = source_choose (config);
    self->source = self->ops->open (config, self->reason, sizeof self->reason);
    if (!self->source) {
        log_error ("source not opened", "reason=\"%s\"", self->reason);
        *exit_code = EXIT_MISCONFIGURED;
        free (self);
        return NULL;
    }
    self->core = ingester_new (config, self->ops->id, self->ops->where (self->source));
    if (self->ops->attach && !attach (self, service))
        abort ();    //  room for descriptors is ours to provide
    return self;
}

static void
close_ingester (void **self_p)
{
    shell_t *self = *self_p;
    ingester_destroy (&self->core);
    self->ops->close (&self->source);
    free (self);
    *self_p = NULL;
}

static void
peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    ingester_peer_up (((shell_t *)arg)->core, link, peer, name, out);
}

static void
take (void *arg, const source_row_t *row)
{
    shell_t *self = arg;
    ingester_take (self->core, row, self->out);
}

//  Lets partitions come and go. A source that has given up for good is opened anew by the next process.
static void
serve (shell_t *self, usher_time_t now)
{
    if (self->ops->serve (self->source, now, self->reason, sizeof self->reason))
        return;
    log_error ("source gave up", "source=%s reason=\"%s\" hint=\"the next ingester goes on\"",
               self->ops->name, self->reason);
    exit (EXIT_TRY_AGAIN);
}

//  Finds out where to go on. A source that was made anew is read from its start: its positions mean other events.
static void
begin (shell_t *self)
{
    uint64_t known, next;
    if (self->begun || !ingester_knows_position (self->core, &known, &next))
        return;
    uint64_t generation = self->ops->generation (self->source);
    if (generation == 0)
        return;
    if (known && known != generation)
        log_warning ("source is a new one",
                     "source=%s was=%" PRIu64 " is=%" PRIu64 " policy=\"read from its start\"",
                     self->ops->name, known, generation);
    if (known != generation)
        next = 0;
    self->ops->seek (self->source, 0, next);
    ingester_begin (self->core, 0, generation, next);
    self->begun = true;
    log_info ("source opened", "source=%s next=%" PRIu64, self->ops->name, next);
}

static bool
read_some (shell_t *self, usher_time_t now)
{
    if ((!self->begun && !self->ops->serve) || self->draining || !ingester_wants (self->core) ||
        now.mono_ms < self->retry_ms)
        return false;
    ingester_see_time (self->core, now);
    int rows = self->ops->read (self->source, ROWS_PER_TURN, take, self, self->reason, sizeof self->reason);
    if (rows < 0) {
        log_error ("source not read", "reason=\"%s\"", self->reason);
        self->retry_ms = now.mono_ms + SOURCE_RETRY_MS;
    }
    if (rows == 0 && !self->ops->serve && ingester_collector_up (self->core))
        ingester_at_end (self->core, 0, (uint64_t)now.wall_ms);
    return rows == ROWS_PER_TURN;
}

static bool
turn (void *arg, usher_time_t now, outbox_t *out)
{
    shell_t *self = arg;
    self->out = out;
    if (self->ops->serve)
        serve (self, now);
    else
        begin (self);
    if (ingester_must_rewind (self->core)) {
        log_warning ("reading again",
                     "reason=\"a shard begins anew, and what it wants is no longer kept: the store was away\""
                     " hint=\"the next ingester goes on at the committed position\"");
        exit (EXIT_TRY_AGAIN);
    }
    bool again = read_some (self, now);
    ingester_flush (self->core, now, out);
    return again;
}

static void
tick (void *arg, usher_time_t now, outbox_t *out)
{
    ingester_tick (((shell_t *)arg)->core, now, out);
}

//  Ready to read; an empty source is caught up with.
static bool
ready (const void *arg)
{
    uint64_t generation, next;
    return ingester_knows_position (((const shell_t *)arg)->core, &generation, &next);
}

static bool
drained (void *arg, usher_time_t now, outbox_t *out)
{
    shell_t *self = arg;
    (void)now, (void)out;
    self->draining = true;
    if (ingester_idle (self->core))
        return true;
    //  Commits that nobody can take now are no reason to stay: what was not committed is read again, and known.
    return self->ops->is_up && !self->ops->is_up (self->source) && ingester_in_flight (self->core) == 0;
}

static void
metrics (const void *arg, FILE *out)
{
    const shell_t *self = arg;
    ingester_metrics (self->core, out);
    if (self->ops->metrics)
        self->ops->metrics (self->source, out);
}

//  The core's handlers know the core, not its shell.
static void
forward (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    shell_t *self = arg;
    for (size_t row = 0; row < ingester_route_count; row++)
        if (ingester_routes [row].id == msg->id)
            ingester_routes [row].handler (self->core, peer, msg, out);
}

int
main (int argc, char **argv)
{
    static const service_link_t links [] = {
        { USHER_LINK_events, SERVICE_CONNECT_SHARDS },
        { USHER_LINK_store, SERVICE_CONNECT },
        { USHER_LINK_journal, SERVICE_CONNECT },
    };
    service_route_t routes [16];
    for (size_t row = 0; row < ingester_route_count; row++) {
        routes [row] = ingester_routes [row];
        routes [row].handler = forward;
    }
    const service_spec_t spec = {
        .name = "ingester",
        .links = links,
        .link_count = sizeof links / sizeof *links,
        .routes = routes,
        .route_count = ingester_route_count,
        .open = open_ingester,
        .peer_up = peer_up,
        .turn = turn,
        .tick = tick,
        .ready = ready,
        .drained = drained,
        .metrics = metrics,
        .close = close_ingester,
    };
    return service_main (argc, argv, &spec);
}
