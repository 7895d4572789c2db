//  persister - the only process that knows the store
//
//  In     store: claim, history, write, load, load_live, quarantine, commit, positions, history_get, erase, forgotten,
//         aggregate_put, aggregate_get
//  Out    store: granted, written, loaded, live_page, quarantined, position, history_row, erasure, forget, aggregate_kept,
//         aggregate_row
//  Keeps  store.db. In memory nothing but the messages of the loop turn that is running.
//  Dynamo With store.kind dynamodb profiles, history and epochs are there (dynamo.h) and not in store.db, which keeps the
//         rest. What waits for DynamoDB is in memory, bounded; a write beyond the bound is answered `failed`.
//  Turn   All that arrives in one turn of the loop is one transaction (turn.h). History rows wait for the write that
//         they came with: refused, they are dropped, so a stale owner leaves no trace.
//  Erases in two steps (eraser.h). A write that does not know of the tombstone is refused.
//  Fails  When SQLite says no the turn is rolled back. Reading goes on. So does the process.
//  Drain  waits for nothing but DynamoDB: a turn that has ended is on disk.
//  Death  costs what was in the turn, which nobody has a receipt for and so is sent again.

#include "persister.h"
#include "dynamo_store.h"
#include "eraser.h"
#include "log.h"
#include "memory.h"
#include "parcel.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

//  64 rows of each of 64 shards take less. More means that a build of ours is wrong.
#define HISTORY_BYTES_MAX (64 * 1024 * 1024)

//  Expired rows deleted at once, per table; ten times a second, and while there are more again and again so many times: fifty
//  thousand rows a second, which is what can be written in that time.
#define SWEEP_ROWS 100
#define SWEEP_ROUNDS 50

#define DAY_S 86400u

struct persister {
    turn_t turn;
    dynamo_store_t dynamo;    //  without a core: profiles and history are in the store, too
    eraser_t eraser;
    uint32_t keep_s;     //  how long quarantined events are kept
    parcel_t history;    //  rows whose write has not come yet
};

//  ---- handlers

//  positions, aggregate_get
static void
on_question (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    turn_put (&self->turn, peer, msg, out);
}

//  load, load_live, history_get
static void
on_profile_question (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    if (self->dynamo.core)
        dynamo_ask (self->dynamo.core, peer, msg, out);
    else
        turn_put (&self->turn, peer, msg, out);
}

static void
grant_epoch (persister_t *self, uint32_t peer, outbox_t *out)
{
    usher_msg_t granted = { .id = USHER_MSG_granted };
    if (turn_begin (&self->turn) && !store_claim (self->turn.store, &granted.granted.epoch))
        turn_write_failed (&self->turn, "claim");
    turn_put (&self->turn, peer, &granted, out);
}

static void
on_claim (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    if (self->dynamo.core)
        dynamo_ask (self->dynamo.core, peer, msg, out);
    else
        grant_epoch (self, peer, out);
    //  Only now does it know what it owns.
    eraser_tell (&self->eraser, peer, out);
}

static void
on_history (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    (void)out;
    parcel_put (&self->history, peer, msg);
    if (self->history.used > HISTORY_BYTES_MAX) {
        log_error ("history without a write", "bytes=%zu", self->history.used);
        abort ();
    }
}

//  Whose rows.
typedef struct {
    uint32_t peer;
    usher_str_t viewer_id;
} row_owner_t;

static bool
is_row_of (const void *arg, uint32_t peer, const usher_msg_t *row)
{
    const row_owner_t *owner = arg;
    return peer == owner->peer && usher_str_eq (row->history.viewer_id, owner->viewer_id);
}

static bool
is_from (const void *arg, uint32_t peer, const usher_msg_t *row)
{
    (void)row;
    return peer == *(const uint32_t *)arg;
}

//  Writes the rows that came with a write that is to be done.
static bool
put_history (persister_t *self, uint32_t peer, usher_str_t viewer_id)
{
    const row_owner_t owner = { peer, viewer_id };
    usher_msg_t row;
    uint32_t from;
    for (size_t at = 0; parcel_next (&self->history, &at, &from, &row);) {
        if (!is_row_of (&owner, from, &row))
            continue;
        if (!store_put_history (self->turn.store, &row.history))
            return false;
        self->turn.added.rows++;
    }
    return true;
}

//  What was collected before the viewer was erased does not come back by somebody who missed that. False: SQLite said no.
static bool
missed_erasure (persister_t *self, const usher_write_t *write, bool *missed)
{
    uint64_t erased_ms;
    bool good =
        tombstones_find (store_tombstones (self->turn.store), write->viewer_id, self->turn.now_s, &erased_ms);
    *missed = good && erased_ms > write->erased_ms;
    return good;
}

static store_judgement_t
judge_write (persister_t *self, const usher_write_t *write)
{
    bool missed;
    if (!missed_erasure (self, write, &missed))
        return STORE_FAILED;
    return missed ? STORE_REFUSED : store_judge (self->turn.store, write, self->turn.now_s);
}

//  *row: where it is, if it is done.
static usher_outcome_t
write_profile (persister_t *self, uint32_t peer, const usher_write_t *write, uint64_t *row)
{
    if (!turn_begin (&self->turn))
        return USHER_outcome_failed;
    store_judgement_t judgement = judge_write (self, write);
    if (judgement == STORE_REPLACES &&
        (!put_history (self, peer, write->viewer_id) || !store_write (self->turn.store, write)))
        judgement = STORE_FAILED;
    if (judgement == STORE_FAILED) {
        turn_write_failed (&self->turn, "write");
        return USHER_outcome_failed;
    }
    if (judgement == STORE_REFUSED)
        return USHER_outcome_refused;
    *row = store_row (self->turn.store);
    return USHER_outcome_done;
}

//  Returns true when DynamoDB's part will answer; else *outcome is the answer.
static bool
write_to_dynamo (persister_t *self, uint32_t peer, const usher_write_t *write, usher_outcome_t *outcome)
{
    bool missed;
    *outcome = USHER_outcome_failed;
    if (!missed_erasure (self, write, &missed))
        turn_read_failed (&self->turn);
    else if (missed)
        *outcome = USHER_outcome_refused;
    else
        return dynamo_write (self->dynamo.core, peer, write, &self->history);
    return false;
}

static void
on_write (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_write_t *write = &msg->write;
    const row_owner_t owner = { peer, write->viewer_id };
    usher_msg_t written = {
        .id = USHER_MSG_written,
        .written = { .viewer_id = write->viewer_id, .epoch = write->epoch, .version = write->version }
    };
    bool taken = false;
    if (self->dynamo.core)
        taken = write_to_dynamo (self, peer, write, &written.written.outcome);
    else
        written.written.outcome = write_profile (self, peer, write, &written.written.row);
    parcel_drop (&self->history, is_row_of, &owner);
    if (!taken)
        turn_put (&self->turn, peer, &written, out);
}

static void
on_quarantine (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_quarantine_t *bad = &msg->quarantine;
    usher_msg_t kept = { .id = USHER_MSG_quarantined, .quarantined = { .seq = bad->seq } };
    bool added = false;
    if (turn_begin (&self->turn) &&
        !store_quarantine (self->turn.store, bad, self->turn.now_s, self->turn.now_s + self->keep_s, &added))
        turn_write_failed (&self->turn, "quarantine");
    self->turn.added.quarantined += added;
    turn_put (&self->turn, peer, &kept, out);
}

static void
on_commit (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_commit_t *commit = &msg->commit;
    usher_msg_t position = { .id = USHER_MSG_position,
                             .position = { .source = commit->source,
                                           .name = commit->name,
                                           .generation = commit->generation,
                                           .partition = commit->partition } };
    if (turn_begin (&self->turn) &&
        !store_commit_position (self->turn.store, commit, &position.position.next))
        turn_write_failed (&self->turn, "commit position");
    turn_put (&self->turn, peer, &position, out);
}

static void
on_erase (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    eraser_wish (&self->eraser, peer, &msg->erase, out);
}

static void
on_forgotten (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    (void)peer;
    eraser_bury (&self->eraser, &msg->forgotten, out);
}

//  What DynamoDB's part asks and tells.
static bool
before_loaded (void *self_, usher_loaded_t *loaded)
{
    persister_t *self = self_;
    return turn_complete_loaded (&self->turn, loaded);
}

static void
after_erased (void *self_, const usher_forgotten_t *forgotten, uint64_t profiles, uint64_t rows,
              outbox_t *out)
{
    persister_t *self = self_;
    eraser_buried (&self->eraser, forgotten, profiles, rows, out);
}

static dynamo_owner_t
as_owner (persister_t *self)
{
    return (dynamo_owner_t){ self, before_loaded, after_erased };
}

static void
on_aggregate_put (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    usher_msg_t kept = { .id = USHER_MSG_aggregate_kept, .aggregate_kept = { msg->aggregate_put.seq } };
    if (turn_begin (&self->turn) && !spans_put (store_spans (self->turn.store), &msg->aggregate_put))
        turn_write_failed (&self->turn, "aggregate");
    if (msg->aggregate_put.seq)
        turn_put (&self->turn, peer, &kept, out);
}

//  ---- the loop

//  A peer that starts anew sends again what matters.
static void
forget_peer (void *self_, usher_link_id_t link, uint32_t peer)
{
    persister_t *self = self_;
    if (link != USHER_LINK_store)
        return;
    parcel_drop (&self->history, is_from, &peer);
    eraser_leave (&self->eraser, peer);
    if (self->dynamo.core)
        dynamo_forget_peer (self->dynamo.core, peer);
}

static void
meet_peer (void *self_, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    persister_t *self = self_;
    (void)name;
    forget_peer (self, link, peer);
    if (link != USHER_LINK_store)
        return;
    eraser_meet (&self->eraser, peer, out);
}

static bool
take_turn (void *self_, usher_time_t now, outbox_t *out)
{
    persister_t *self = self_;
    turn_see_time (&self->turn, now);
    //  What is written for its answers is on disk before anything that builds on it is asked.
    if (self->dynamo.core)
        dynamo_store_receive (&self->dynamo, now, out);
    turn_finish (&self->turn, out);
    if (self->dynamo.core)
        dynamo_store_send (&self->dynamo, now);
    return false;
}

//  Returns how many rows went; -1 when SQLite said no.
static int
sweep_once (persister_t *self)
{
    store_t *store = self->turn.store;
    uint64_t now_s = self->turn.now_s;
    int deleted = store_sweep (store, now_s, SWEEP_ROWS);
    if (deleted < 0 || spans_sweep (store_spans (store), now_s, SWEEP_ROWS) < 0 ||
        tombstones_sweep (store_tombstones (store), now_s, SWEEP_ROWS) < 0)
        return -1;
    return deleted;
}

//  Deletes expired rows, in a transaction of their own: when it fails nobody's write is lost with it.
static void
sweep (persister_t *self)
{
    if (!turn_begin (&self->turn))
        return;
    for (int round = 0, deleted = SWEEP_ROWS; round < SWEEP_ROUNDS && deleted >= SWEEP_ROWS; round++) {
        deleted = sweep_once (self);
        if (deleted < 0)
            turn_write_failed (&self->turn, "sweep");
        else
            self->turn.added.expired += (uint64_t)deleted;
    }
}

static void
tick (void *self_, usher_time_t now, outbox_t *out)
{
    persister_t *self = self_;
    eraser_tell_again (&self->eraser, now, out);
    take_turn (self, now, out);
    sweep (self);
    eraser_search (&self->eraser, out);
    take_turn (self, now, out);
}

static bool
drained (void *self_, usher_time_t now, outbox_t *out)
{
    const persister_t *self = self_;
    take_turn (self_, now, out);
    return !self->dynamo.core || dynamo_idle (self->dynamo.core);
}

static void
write_metrics (const void *self_, FILE *out)
{
    const persister_t *self = self_;
    dynamo_outcomes_t there = { 0 };
    if (self->dynamo.core)
        there = dynamo_outcomes (self->dynamo.core);
    turn_counts_t count = self->turn.count;
    count.writes += there.writes;
    count.refused += there.refused;
    count.rows += there.rows;
    turn_counts_write (&count, out);
    if (self->dynamo.core)
        dynamo_write_metrics (self->dynamo.core, out);
}

//  ---- beginning and end

persister_t *
persister_new (const char *directory, uint32_t expire_days, uint32_t tombstone_days, usher_time_t now,
               store_opening_t *opening, char *why, size_t why_size)
{
    store_t *store = store_new (directory, opening, why, why_size);
    if (!store)
        return NULL;
    persister_t *self = memory_new (1, sizeof *self);
    self->turn.store = store;
    self->keep_s = expire_days * DAY_S;
    self->eraser =
        (eraser_t){ .turn = &self->turn, .dynamo = &self->dynamo, .tombstone_s = tombstone_days * DAY_S };
    turn_see_time (&self->turn, now);
    return self;
}

void
persister_destroy (persister_t **self_p)
{
    persister_t *self = *self_p;
    if (!self)
        return;
    parcel_close (&self->history);
    turn_close (&self->turn);
    dynamo_store_close (&self->dynamo);
    store_destroy (&self->turn.store);
    free (self);
    *self_p = NULL;
}

bool
persister_gathers (persister_t *self, usher_time_t now)
{
    return !self->dynamo.core && turn_gathers (&self->turn, now);
}

int
persister_gather_ms (const persister_t *self)
{
    return self->turn.gathered > 0 ? self->turn.wait_ms : -1;
}

store_t *
persister_store (persister_t *self)
{
    return self->turn.store;
}

void
persister_use_dynamo (persister_t *self, const dynamo_options_t *options, const dynamo_port_t *port)
{
    const dynamo_owner_t owner = as_owner (self);
    dynamo_store_use (&self->dynamo, &owner, options, port, store_file (self->turn.store));
}

static int
before_wait (void *self)
{
    return persister_gather_ms (self);
}

static void *
open_service (service_t *service, const config_t *config, uint32_t instance, int *exit_code)
{
    char why [512];
    store_opening_t opening;
    (void)instance;
    persister_t *self =
        persister_new (config->data_dir, config->store.expire_days, config->privacy.tombstone_days,
                       service_now (), &opening, why, sizeof why);
    if (self) {
        log_info ("store opened", "file=%s", store_file (self->turn.store));
        const dynamo_owner_t owner = as_owner (self);
        bool alone = strcmp (config->store.kind, "dynamodb") != 0;
        if (alone)
            service_before_wait (service, before_wait, self);
        if (alone ||
            dynamo_store_open (&self->dynamo, &owner, service, config, store_file (self->turn.store)))
            return self;
        persister_destroy (&self);
        *exit_code = EXIT_MISCONFIGURED;
        return NULL;
    }
    log_error ("store refused", "reason=\"%s\"", why);
    //  A lock or a full disk may go away; a wrong or damaged file needs a person.
    *exit_code = opening == STORE_UNUSABLE ? EXIT_MISCONFIGURED : EXIT_TRY_AGAIN;
    return NULL;
}

static void
close_service (void **self_p)
{
    persister_t *self = *self_p;
    persister_destroy (&self);
    *self_p = NULL;
}

static const service_link_t links [] = {
    { USHER_LINK_store, SERVICE_BIND },
};

static const service_route_t routes [] = {
    { USHER_LINK_store, USHER_MSG_claim, on_claim },
    { USHER_LINK_store, USHER_MSG_history, on_history },
    { USHER_LINK_store, USHER_MSG_write, on_write },
    { USHER_LINK_store, USHER_MSG_load, on_profile_question },
    { USHER_LINK_store, USHER_MSG_load_live, on_profile_question },
    { USHER_LINK_store, USHER_MSG_quarantine, on_quarantine },
    { USHER_LINK_store, USHER_MSG_commit, on_commit },
    { USHER_LINK_store, USHER_MSG_positions, on_question },
    { USHER_LINK_store, USHER_MSG_history_get, on_profile_question },
    { USHER_LINK_store, USHER_MSG_erase, on_erase },
    { USHER_LINK_store, USHER_MSG_forgotten, on_forgotten },
    { USHER_LINK_store, USHER_MSG_aggregate_put, on_aggregate_put },
    { USHER_LINK_store, USHER_MSG_aggregate_get, on_question },
};

const service_spec_t persister_service = {
    .name = "persister",
    .links = links,
    .link_count = sizeof links / sizeof *links,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
    .open = open_service,
    .peer_up = meet_peer,
    .peer_down = forget_peer,
    .turn = take_turn,
    .tick = tick,
    .drained = drained,
    .metrics = write_metrics,
    .close = close_service,
};
