//  turn - what arrives in one turn of the loop: one transaction, and all that waits for its end

#include "turn.h"
#include "log.h"
#include "metrics.h"

//  A turn that holds this much is committed before it is over.
#define TURN_BYTES_MAX (8 * 1024 * 1024)

//  On a disk that is full small turns succeed between large ones that fail. So long without a failure, and the store is said
//  to work again.
#define WELL_AGAIN_MS 10000

void
turn_see_time (turn_t *self, usher_time_t now)
{
    self->now_ms = (uint64_t)now.wall_ms;
    self->now_s = self->now_ms / 1000;
    self->mono_ms = now.mono_ms;
}

//  ---- the transaction

void
turn_write_failed (turn_t *self, const char *doing)
{
    self->count.failures++;
    self->broken = true;
    if (!self->told)
        log_error ("store fails", "file=%s doing=%s error=\"%s\" hint=\"what came waits and is tried again\"",
                   store_file (self->store), doing, store_error (self->store));
    self->failing = self->told = true;
    self->failed_ms = self->mono_ms;
}

static void
note_success (turn_t *self)
{
    self->count.transactions++;
    self->count.rows += self->added.rows;
    self->count.quarantined += self->added.quarantined;
    self->count.expired += self->added.expired;
    self->count.erased += self->added.erased;
    self->failing = false;
    if (!self->told || self->mono_ms - self->failed_ms < WELL_AGAIN_MS)
        return;
    log_info ("store works again", "file=%s", store_file (self->store));
    self->told = false;
}

bool
turn_begin (turn_t *self)
{
    if (!self->open) {
        self->open = true;
        if (!store_begin (self->store))
            turn_write_failed (self, "begin");
    }
    return !self->broken;
}

//  Returns true when all that the turn wrote is on disk.
static bool
commit (turn_t *self)
{
    if (!self->open)
        return true;
    if (!self->broken && !store_commit (self->store))
        turn_write_failed (self, "commit");
    bool good = !self->broken;
    if (good)
        note_success (self);
    else
        store_rollback (self->store);
    self->open = self->broken = false;
    self->added = (turn_counts_t){ 0 };
    return good;
}

//  ---- after it

typedef struct {
    turn_t *turn;
    outbox_t *out;
    uint32_t peer;
    bool open;    //  a transaction for questions
} reader_t;

void
turn_read_failed (turn_t *self)
{
    bool broken = self->broken;
    turn_write_failed (self, "read");
    self->broken = broken;
}

static void
pass_on (void *arg, const usher_msg_t *msg)
{
    reader_t *reader = arg;
    outbox_put (reader->out, USHER_LINK_store, reader->peer, msg);
}

bool
turn_complete_loaded (turn_t *self, usher_loaded_t *loaded)
{
    bool good =
        tombstones_find (store_tombstones (self->store), loaded->viewer_id, self->now_s, &loaded->erased_ms);
    if (!good)
        turn_read_failed (self);
    return good;
}

//  An answer that may be wrong is none.
static void
pass_profile_on (void *arg, const usher_msg_t *msg)
{
    reader_t *reader = arg;
    usher_msg_t copy = *msg;
    if (msg->id != USHER_MSG_loaded || turn_complete_loaded (reader->turn, &copy.loaded))
        pass_on (reader, &copy);
}

static bool
is_question (const usher_msg_t *msg)
{
    return msg->id == USHER_MSG_load || msg->id == USHER_MSG_load_live || msg->id == USHER_MSG_positions ||
           msg->id == USHER_MSG_history_get || msg->id == USHER_MSG_aggregate_get;
}

//  False when SQLite said no.
static bool
answer (const turn_t *self, reader_t *reader, const usher_msg_t *msg)
{
    switch (msg->id) {
    case USHER_MSG_load:
        return store_load (self->store, &msg->load, self->now_s, pass_profile_on, reader);
    case USHER_MSG_load_live:
        return store_load_live (self->store, &msg->load_live, self->now_s, pass_profile_on, reader);
    case USHER_MSG_positions:
        return store_positions (self->store, &msg->positions, pass_on, reader);
    case USHER_MSG_history_get:
        return store_history (self->store, &msg->history_get, self->now_s, pass_on, reader);
    default:
        return spans_get (store_spans (self->store), &msg->aggregate_get, pass_on, reader);
    }
}

//  Answers a question. All share one transaction: alone, each would lock the file, look where the WAL ends and unlock it, as after a
//  restart a million loads would. BEGIN locks nothing yet, so it minds no receipt; where it fails a question does without.
static void
answer_question (turn_t *self, reader_t *reader, const usher_msg_t *msg)
{
    if (!reader->open)
        reader->open = store_begin_reading (self->store);
    if (!answer (self, reader, msg))
        turn_read_failed (self);
}

static void
count_write (turn_t *self, usher_outcome_t outcome)
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
send_receipt (turn_t *self, reader_t *reader, usher_msg_t *msg, bool good)
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

void
turn_finish (turn_t *self, outbox_t *out)
{
    bool good = commit (self);
    usher_msg_t msg;
    reader_t reader = { .turn = self, .out = out };
    for (size_t at = 0; parcel_next (&self->later, &at, &reader.peer, &msg);)
        if (is_question (&msg))
            answer_question (self, &reader, &msg);
        else
            send_receipt (self, &reader, &msg, good);
    if (reader.open && !store_commit (self->store))
        store_rollback (self->store);
    parcel_empty (&self->later);
    self->asked = false;
    self->gathered = 0;
}

bool
turn_gathers (turn_t *self, usher_time_t now)
{
    size_t used = self->later.used;
    bool more = used > self->gathered;
    if (self->gathered == 0)
        self->gather_ms = now.mono_ms;
    self->gathered = used;
    int64_t waited_ms = now.mono_ms - self->gather_ms;
    int64_t left_ms = self->asked || waited_ms >= TURN_WAIT_MS ? 0 : TURN_WAIT_MS - waited_ms;
    self->wait_ms = (int)left_ms;
    return used > 0 && (left_ms > 0 || (more && waited_ms < TURN_GATHER_MS));
}

void
turn_put (turn_t *self, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    parcel_put (&self->later, peer, msg);
    self->asked = self->asked || is_question (msg);
    if (self->later.used > TURN_BYTES_MAX)
        turn_finish (self, out);
}

void
turn_counts_write (const turn_counts_t *count, FILE *out)
{
    const metric_t rows [] = {
        { "store_writes_total", METRIC_COUNTER, "Profiles written.", NULL, count->writes },
        { "store_refused_total", METRIC_COUNTER, "Profile writes refused, the row being another one.", NULL,
          count->refused },
        { "store_failed_total", METRIC_COUNTER, "Profile writes that failed and are to be tried again.", NULL,
          count->failed },
        { "store_rows_total", METRIC_COUNTER, "History rows written or removed.", NULL, count->rows },
        { "store_quarantined_total", METRIC_COUNTER, "Bad events kept.", NULL, count->quarantined },
        { "store_erasures_total", METRIC_COUNTER, "Times that all rows of a viewer were erased.", NULL,
          count->erased },
        { "store_transactions_total", METRIC_COUNTER, "Transactions committed.", NULL, count->transactions },
        { "store_failures_total", METRIC_COUNTER, "Times the store said no.", NULL, count->failures },
        { "store_expired_total", METRIC_COUNTER, "Expired rows deleted.", NULL, count->expired },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
}

void
turn_close (turn_t *self)
{
    parcel_close (&self->later);
}
