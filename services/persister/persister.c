//  persister - the only process that knows the store
//
//  In     store: claim, history, write, load, load_live, quarantine, commit, positions, history_get, erase, forgotten,
//         aggregate_put, aggregate_get
//  Out    store: granted, written, loaded, live_page, quarantined, position, history_row, erasure, forget, aggregate_kept,
//         aggregate_row
//  Keeps  store.db. In memory nothing but the messages of the loop turn that is running.
//  Dynamo With store.kind dynamodb profiles, history and epochs are there (dynamo.h) and not in store.db, which keeps the
//         rest. What waits for DynamoDB is in memory, bounded; a write beyond the bound is answered `failed`.
//  Turn   All that arrives in one turn of the loop is one transaction, so a hundred writes cost one sync of the
//         disk. Receipts wait in a parcel until COMMIT has succeeded, and questions are answered after it, from
//         what is committed. History rows wait for the write that they came with: refused, they are dropped, so a
//         stale owner leaves no trace.
//  Erases in two steps: the wish is committed and the owner of the viewer's slot told to forget; when it has let go,
//         the instant it names is committed as a tombstone together with the removal of all rows (in DynamoDB
//         behind it). Wishes are told again to whoever starts or comes back. A write that does not know of the tombstone is refused.
//  Fails  When SQLite says no (disk full, I/O error) the turn is rolled back; its writes are answered `failed`, the
//         rest is not answered and will be asked again. Reading goes on. So does the process.
//  Drain  waits for nothing but DynamoDB: a turn that has ended is on disk.
//  Death  costs what was in the turn, which nobody has a receipt for and so is sent again.

#include "persister.h"
#include "dynamo_store.h"
#include "erasures.h"
#include "log.h"
#include "memory.h"
#include "metrics.h"
#include "parcel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

//  A turn that holds this much is committed before it is over.
#define TURN_BYTES_MAX (8 * 1024 * 1024)

//  64 rows of each of 64 shards take less. More means that a build of ours is wrong.
#define HISTORY_BYTES_MAX (64 * 1024 * 1024)

//  Expired rows deleted at once, per table; ten times a second.
#define SWEEP_ROWS 100

#define DAY_S 86400u

//  After a turn that failed owners are asked again to forget whom they may have forgotten in vain.
#define FORGET_AGAIN_MS 1000

typedef struct {
    uint64_t writes, refused, failed, rows, quarantined, transactions, failures, expired, erased;
} counters_t;

struct persister {
    store_t *store;
    dynamo_store_t dynamo;    //  without a core: profiles and history are in the store, too
    uint32_t keep_s;          //  how long quarantined events are kept
    uint64_t now_s;           //  Unix time of the last turn or tick
    uint64_t now_ms;
    bool open;           //  a transaction is
    bool broken;         //  it cannot be committed
    bool failing;        //  the last one could not; said once, not each time
    parcel_t history;    //  rows whose write has not come yet
    parcel_t later;      //  receipts and questions, for after the commit
    erasures_t erasures;
    uint32_t tombstone_s;    //  how long tombstones stand
    bool forget_again;       //  a turn failed since owners were asked to forget
    int64_t forget_ms;
    counters_t count;
    counters_t turn;    //  what the commit will add to count
};

static void
see_time (persister_t *self, usher_time_t now)
{
    self->now_ms = (uint64_t)now.wall_ms;
    self->now_s = self->now_ms / 1000;
}

//  ---- the transaction of a turn

static void
note_failure (persister_t *self, const char *doing)
{
    self->count.failures++;
    self->broken = self->forget_again = true;
    if (!self->failing)
        log_error ("store fails", "file=%s doing=%s error=\"%s\"", store_file (self->store), doing,
                   store_error (self->store));
    self->failing = true;
}

static void
note_success (persister_t *self)
{
    self->count.transactions++;
    self->count.rows += self->turn.rows;
    self->count.quarantined += self->turn.quarantined;
    self->count.expired += self->turn.expired;
    self->count.erased += self->turn.erased;
    if (self->failing)
        log_info ("store works again", "file=%s", store_file (self->store));
    self->failing = false;
}

//  True when there is a sound transaction to write in.
static bool
begin (persister_t *self)
{
    if (!self->open) {
        self->open = true;
        if (!store_begin (self->store))
            note_failure (self, "begin");
    }
    return !self->broken;
}

//  Returns true when all that the turn wrote is on disk.
static bool
commit (persister_t *self)
{
    if (!self->open)
        return true;
    if (!self->broken && !store_commit (self->store))
        note_failure (self, "commit");
    bool good = !self->broken;
    if (good)
        note_success (self);
    else
        store_rollback (self->store);
    self->open = self->broken = false;
    self->turn = (counters_t){ 0 };
    return good;
}

//  ---- after it

typedef struct {
    persister_t *persister;
    outbox_t *out;
    uint32_t peer;
} reader_t;

static void
read_failed (persister_t *self)
{
    bool broken = self->broken;
    note_failure (self, "read");
    self->broken = broken;
}

static void
pass_on (void *arg, const usher_msg_t *msg)
{
    reader_t *reader = arg;
    outbox_put (reader->out, USHER_LINK_store, reader->peer, msg);
}

//  A profile goes out with the erasure that its owner must know of.
static void
pass_profile_on (void *arg, const usher_msg_t *msg)
{
    reader_t *reader = arg;
    persister_t *self = reader->persister;
    usher_msg_t copy = *msg;
    if (msg->id == USHER_MSG_loaded &&
        !tombstones_find (store_tombstones (self->store), msg->loaded.viewer_id, self->now_s,
                          &copy.loaded.erased_ms))
        read_failed (self);    //  an answer that may be wrong is none
    else
        pass_on (reader, &copy);
}

//  Answers a question. Returns false when msg is none.
static bool
answer_question (persister_t *self, reader_t *reader, const usher_msg_t *msg)
{
    bool good = true;
    switch (msg->id) {
    case USHER_MSG_load:
        good = store_load (self->store, &msg->load, self->now_s, pass_profile_on, reader);
        break;
    case USHER_MSG_load_live:
        good = store_load_live (self->store, &msg->load_live, self->now_s, pass_profile_on, reader);
        break;
    case USHER_MSG_positions:
        good = store_positions (self->store, &msg->positions, pass_on, reader);
        break;
    case USHER_MSG_history_get:
        good = store_history (self->store, &msg->history_get, self->now_s, pass_on, reader);
        break;
    case USHER_MSG_aggregate_get:
        good = spans_get (store_spans (self->store), &msg->aggregate_get, pass_on, reader);
        break;
    default:
        return false;
    }
    if (!good)
        read_failed (self);
    return true;
}

static void
count_write (persister_t *self, usher_outcome_t outcome)
{
    if (outcome == USHER_outcome_done)
        self->count.writes++;
    else if (outcome == USHER_outcome_refused)
        self->count.refused++;
    else
        self->count.failed++;
}

//  Sends a receipt, or what is left of it when the turn was rolled back.
static void
send_receipt (persister_t *self, reader_t *reader, usher_msg_t *msg, bool good)
{
    if (msg->id == USHER_MSG_written) {
        if (!good)
            msg->written.outcome = USHER_outcome_failed;
        count_write (self, msg->written.outcome);
    } else if (msg->id == USHER_MSG_erasure && !good) {
        msg->erasure.outcome = USHER_outcome_failed;
    } else if (!good)
        return;
    pass_on (reader, msg);
}

//  Ends the transaction; receipts and answers go out.
static void
finish_turn (persister_t *self, outbox_t *out)
{
    bool good = commit (self);
    usher_msg_t msg;
    reader_t reader = { .persister = self, .out = out };
    for (size_t at = 0; parcel_next (&self->later, &at, &reader.peer, &msg);)
        if (!answer_question (self, &reader, &msg))
            send_receipt (self, &reader, &msg, good);
    parcel_empty (&self->later);
}

static void
put_later (persister_t *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    parcel_put (&self->later, peer, msg);
    if (self->later.used > TURN_BYTES_MAX)
        finish_turn (self, out);
}

//  ---- erasure: whom to forget

typedef struct {
    persister_t *persister;
    uint32_t peer;
    outbox_t *out;
} teller_t;

static void
tell_forget (void *arg, usher_str_t viewer_id, uint64_t wished_ms)
{
    const teller_t *teller = arg;
    usher_msg_t forget = { .id = USHER_MSG_forget, .forget = { viewer_id, wished_ms } };
    put_later (teller->persister, teller->peer, &forget, teller->out);
}

//  All wishes, for a peer that starts or comes back.
static void
tell_wishes (persister_t *self, uint32_t peer, outbox_t *out)
{
    teller_t teller = { self, peer, out };
    if (!tombstones_wishes (store_tombstones (self->store), tell_forget, &teller))
        read_failed (self);
}

static void
tell_wishes_again (persister_t *self, usher_time_t now, outbox_t *out)
{
    if (!self->forget_again || self->failing || now.mono_ms - self->forget_ms < FORGET_AGAIN_MS)
        return;
    self->forget_again = false;
    self->forget_ms = now.mono_ms;
    for (uint32_t peer = 0; peer < ERASURES_PEERS; peer++)
        if (self->erasures.up [peer])
            tell_wishes (self, peer, out);
}

//  ---- handlers

//  positions, aggregate_get
static void
on_question (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    put_later (self_, peer, msg, out);
}

//  load, load_live, history_get
static void
on_profile_question (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    if (self->dynamo.core)
        dynamo_ask (self->dynamo.core, peer, msg, out);
    else
        put_later (self, peer, msg, out);
}

static void
grant_epoch (persister_t *self, uint32_t peer, outbox_t *out)
{
    usher_msg_t granted = { .id = USHER_MSG_granted };
    if (begin (self) && !store_claim (self->store, &granted.granted.epoch))
        note_failure (self, "claim");
    put_later (self, peer, &granted, out);
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
    tell_wishes (self, peer, out);
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

//  Writes the rows that came with an accepted write.
static bool
put_history (persister_t *self, uint32_t peer, usher_str_t viewer_id)
{
    const row_owner_t owner = { peer, viewer_id };
    usher_msg_t row;
    uint32_t from;
    for (size_t at = 0; parcel_next (&self->history, &at, &from, &row);) {
        if (!is_row_of (&owner, from, &row))
            continue;
        if (!store_put_history (self->store, &row.history))
            return false;
        self->turn.rows++;
    }
    return true;
}

//  What was collected before the viewer was erased does not come back by somebody who missed that.
static store_write_t
write_unless_erased (persister_t *self, const usher_write_t *write)
{
    uint64_t erased_ms;
    if (!tombstones_find (store_tombstones (self->store), write->viewer_id, self->now_s, &erased_ms))
        return STORE_FAILED;
    return erased_ms > write->erased_ms ? STORE_REFUSED : store_write (self->store, write, self->now_s);
}

static usher_outcome_t
write_profile (persister_t *self, uint32_t peer, const usher_write_t *write)
{
    if (!begin (self))
        return USHER_outcome_failed;
    store_write_t result = write_unless_erased (self, write);
    if (result == STORE_WRITTEN && !put_history (self, peer, write->viewer_id))
        result = STORE_FAILED;
    if (result == STORE_FAILED)
        note_failure (self, "write");
    return result == STORE_REFUSED  ? USHER_outcome_refused
           : result == STORE_FAILED ? USHER_outcome_failed
                                    : USHER_outcome_done;
}

//  Before DynamoDB is asked: *outcome is refused where the writer missed an erasure. False: SQLite said no.
static bool
knows_erasures (persister_t *self, const usher_write_t *write, usher_outcome_t *outcome)
{
    uint64_t erased_ms;
    bool good = tombstones_find (store_tombstones (self->store), write->viewer_id, self->now_s, &erased_ms);
    if (good && erased_ms > write->erased_ms)
        *outcome = USHER_outcome_refused;
    return good;
}

static void
on_write (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_write_t *write = &msg->write;
    const row_owner_t owner = { peer, write->viewer_id };
    usher_msg_t written = { .id = USHER_MSG_written,
                            .written = { .viewer_id = write->viewer_id,
                                         .epoch = write->epoch,
                                         .version = write->version,
                                         .outcome = USHER_outcome_failed } };
    bool taken = false;
    if (!self->dynamo.core)
        written.written.outcome = write_profile (self, peer, write);
    else if (!knows_erasures (self, write, &written.written.outcome))
        read_failed (self);
    else if (written.written.outcome != USHER_outcome_refused)
        taken = dynamo_write (self->dynamo.core, peer, write, &self->history);
    parcel_drop (&self->history, is_row_of, &owner);
    if (!taken)
        put_later (self, peer, &written, out);
}

static void
on_quarantine (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_quarantine_t *bad = &msg->quarantine;
    usher_msg_t kept = { .id = USHER_MSG_quarantined, .quarantined = { .seq = bad->seq } };
    bool added = false;
    if (begin (self) && !store_quarantine (self->store, bad, self->now_s, self->now_s + self->keep_s, &added))
        note_failure (self, "quarantine");
    self->turn.quarantined += added;
    put_later (self, peer, &kept, out);
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
    if (begin (self) && !store_commit_position (self->store, commit, &position.position.next))
        note_failure (self, "commit position");
    put_later (self, peer, &position, out);
}

//  Notes the wish, and asks the owner, whoever it is, to forget. When the turn fails, nobody is asked.
static void
on_erase (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_erase_t *erase = &msg->erase;
    usher_msg_t noted = { .id = USHER_MSG_erasure,
                          .erasure = { .request = erase->request, .outcome = USHER_outcome_failed } };
    if (erase->viewer_id.size == 0 || !erasures_wait (&self->erasures, peer, erase)) {
        put_later (self, peer, &noted, out);
        return;
    }
    if (begin (self) && !tombstones_wish (store_tombstones (self->store), erase->viewer_id, self->now_ms))
        note_failure (self, "erase");
    noted.erasure.outcome = USHER_outcome_done;
    put_later (self, peer, &noted, out);
    for (uint32_t other = 0; other < ERASURES_PEERS; other++)
        if (self->erasures.up [other])
            tell_forget (&(teller_t){ self, other, out }, erase->viewer_id, self->now_ms);
}

//  One piece of the quarantine; at its end whoever waits is told.
static void
search_quarantine (persister_t *self, outbox_t *out)
{
    tombstones_search_t found;
    if (!begin (self))
        return;
    if (!tombstones_search (store_tombstones (self->store), &found)) {
        note_failure (self, "search");
        return;
    }
    usher_str_t viewer_id = usher_bytes (found.viewer_id, found.viewer_id_size);
    erasures_count (&self->erasures, viewer_id, 0, 0, found.removed);
    usher_msg_t done = { .id = USHER_MSG_erasure };
    uint32_t peer;
    while (found.done && erasures_take (&self->erasures, viewer_id, &peer, &done.erasure)) {
        done.erasure.outcome = USHER_outcome_done;
        done.erasure.erased_ms = found.erased_ms;
        put_later (self, peer, &done, out);
    }
}

static bool
put_tombstone (persister_t *self, usher_str_t viewer_id, uint64_t erased_ms)
{
    return tombstones_put (store_tombstones (self->store), viewer_id, erased_ms,
                           erased_ms / 1000 + self->tombstone_s);
}

//  Writes the tombstone, and removes the rows unless that was done for this instant before: an owner that was asked twice
//  answers twice, and what it has written since was collected later. *buried is false where DynamoDB has to
//  do it first.
static bool
bury (persister_t *self, const usher_forgotten_t *forgotten, bool *buried, uint64_t *profiles, uint64_t *rows)
{
    uint64_t before_ms;
    *profiles = *rows = 0;
    *buried = true;
    if (!tombstones_find (store_tombstones (self->store), forgotten->viewer_id, 0, &before_ms))
        return false;
    if (forgotten->erased_ms > before_ms && self->dynamo.core) {
        *buried = false;
        return true;
    }
    return put_tombstone (self, forgotten->viewer_id, forgotten->erased_ms) &&
           (forgotten->erased_ms <= before_ms ||
            store_erase (self->store, forgotten->viewer_id, profiles, rows));
}

//  A viewer's rows are gone, or go with this transaction.
static void
count_erased (persister_t *self, usher_str_t viewer_id, uint64_t profiles, uint64_t rows, outbox_t *out)
{
    self->turn.erased++;
    erasures_count (&self->erasures, viewer_id, profiles, rows, 0);
    search_quarantine (self, out);
}

//  The owner has let go: tombstone and removal are one transaction; in DynamoDB the removal comes first, and until it is
//  done the wish stands.
static void
on_forgotten (void *self_, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    persister_t *self = self_;
    const usher_forgotten_t *forgotten = &msg->forgotten;
    uint64_t profiles, rows;
    bool buried;
    (void)peer;
    if (!begin (self))
        return;
    if (!bury (self, forgotten, &buried, &profiles, &rows))
        note_failure (self, "erase");
    else if (buried)
        count_erased (self, forgotten->viewer_id, profiles, rows, out);
    else
        dynamo_erase (self->dynamo.core, forgotten->viewer_id, forgotten->erased_ms);
}

//  What DynamoDB's part asks and tells.
static bool
before_loaded (void *self_, usher_loaded_t *loaded)
{
    persister_t *self = self_;
    bool good =
        tombstones_find (store_tombstones (self->store), loaded->viewer_id, self->now_s, &loaded->erased_ms);
    if (!good)
        read_failed (self);
    return good;
}

static void
after_erased (void *self_, usher_str_t viewer_id, uint64_t erased_ms, uint64_t profiles, uint64_t rows,
              outbox_t *out)
{
    persister_t *self = self_;
    if (!begin (self))
        return;
    if (put_tombstone (self, viewer_id, erased_ms))
        count_erased (self, viewer_id, profiles, rows, out);
    else
        note_failure (self, "erase");
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
    if (begin (self) && !spans_put (store_spans (self->store), &msg->aggregate_put))
        note_failure (self, "aggregate");
    if (msg->aggregate_put.seq)
        put_later (self, peer, &kept, out);
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
    erasures_leave (&self->erasures, peer);
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
    erasures_meet (&self->erasures, peer);
    tell_wishes (self, peer, out);
}

static bool
take_turn (void *self_, usher_time_t now, outbox_t *out)
{
    persister_t *self = self_;
    see_time (self, now);
    //  What is written for its answers is on disk before anything that builds on it is asked.
    if (self->dynamo.core)
        dynamo_store_receive (&self->dynamo, now, out);
    finish_turn (self, out);
    if (self->dynamo.core)
        dynamo_store_send (&self->dynamo, now);
    return false;
}

//  Deletes some expired rows, in a transaction of their own: when it fails nobody's write is lost with it.
static void
sweep (persister_t *self)
{
    if (!begin (self))
        return;
    int deleted = store_sweep (self->store, self->now_s, SWEEP_ROWS);
    int old = spans_sweep (store_spans (self->store), self->now_s, SWEEP_ROWS);
    if (deleted < 0 || old < 0)
        note_failure (self, "sweep");
    else
        self->turn.expired += (uint64_t)deleted;
}

static void
sweep_tombstones (persister_t *self)
{
    if (begin (self) && tombstones_sweep (store_tombstones (self->store), self->now_s, SWEEP_ROWS) < 0)
        note_failure (self, "sweep");
}

static void
tick (void *self_, usher_time_t now, outbox_t *out)
{
    persister_t *self = self_;
    tell_wishes_again (self, now, out);
    take_turn (self, now, out);
    sweep (self);
    sweep_tombstones (self);
    search_quarantine (self, out);
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
    const counters_t *count = &self->count;
    dynamo_outcomes_t there = { 0 };
    if (self->dynamo.core)
        there = dynamo_outcomes (self->dynamo.core);
    const metric_t rows [] = {
        { "store_writes_total", METRIC_COUNTER, "Profiles written.", NULL, count->writes + there.writes },
        { "store_refused_total", METRIC_COUNTER, "Profile writes refused, the row being another one.", NULL,
          count->refused + there.refused },
        { "store_failed_total", METRIC_COUNTER, "Profile writes that failed and are to be tried again.", NULL,
          count->failed },
        { "store_rows_total", METRIC_COUNTER, "History rows written or removed.", NULL,
          count->rows + there.rows },
        { "store_quarantined_total", METRIC_COUNTER, "Bad events kept.", NULL, count->quarantined },
        { "store_erasures_total", METRIC_COUNTER, "Times that all rows of a viewer were erased.", NULL,
          count->erased },
        { "store_transactions_total", METRIC_COUNTER, "Transactions committed.", NULL, count->transactions },
        { "store_failures_total", METRIC_COUNTER, "Times the store said no.", NULL, count->failures },
        { "store_expired_total", METRIC_COUNTER, "Expired rows deleted.", NULL, count->expired },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
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
    self->store = store;
    self->keep_s = expire_days * DAY_S;
    self->tombstone_s = tombstone_days * DAY_S;
    see_time (self, now);
    return self;
}

void
persister_destroy (persister_t **self_p)
{
    persister_t *self = *self_p;
    if (!self)
        return;
    parcel_close (&self->history);
    parcel_close (&self->later);
    dynamo_store_close (&self->dynamo);
    store_destroy (&self->store);
    free (self);
    *self_p = NULL;
}

store_t *
persister_store (persister_t *self)
{
    return self->store;
}

void
persister_use_dynamo (persister_t *self, const dynamo_options_t *options, const dynamo_port_t *port)
{
    const dynamo_owner_t owner = as_owner (self);
    dynamo_store_use (&self->dynamo, &owner, options, port);
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
        log_info ("store opened", "file=%s", store_file (self->store));
        const dynamo_owner_t owner = as_owner (self);
        if (strcmp (config->store.kind, "dynamodb") != 0 ||
            dynamo_store_open (&self->dynamo, &owner, service, config))
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
