//  eraser - erases viewers: the wish, the owner that lets go, the tombstone, the quarantine

#include "eraser.h"

//  After a turn that failed owners are asked again to forget whom they may have forgotten in vain.
#define FORGET_AGAIN_MS 1000

static tombstones_t *
tombs (const eraser_t *self)
{
    return store_tombstones (self->turn->store);
}

//  ---- erasure: whom to forget

typedef struct {
    eraser_t *eraser;
    uint32_t peer;
    outbox_t *out;
} teller_t;

static void
tell_forget (void *arg, usher_str_t viewer_id, uint64_t wished_ms)
{
    const teller_t *teller = arg;
    usher_msg_t forget = { .id = USHER_MSG_forget, .forget = { viewer_id, wished_ms } };
    turn_put (teller->eraser->turn, teller->peer, &forget, teller->out);
}

void
eraser_tell (eraser_t *self, uint32_t peer, outbox_t *out)
{
    teller_t teller = { self, peer, out };
    if (!tombstones_wishes (tombs (self), tell_forget, &teller))
        turn_read_failed (self->turn);
}

void
eraser_tell_again (eraser_t *self, usher_time_t now, outbox_t *out)
{
    const turn_t *turn = self->turn;
    if (turn->count.failures == self->failures || turn->failing ||
        now.mono_ms - self->told_ms < FORGET_AGAIN_MS)
        return;
    self->failures = turn->count.failures;
    self->told_ms = now.mono_ms;
    for (uint32_t peer = 0; peer < ERASURES_PEERS; peer++)
        if (self->erasures.up [peer])
            eraser_tell (self, peer, out);
}

void
eraser_meet (eraser_t *self, uint32_t peer, outbox_t *out)
{
    erasures_meet (&self->erasures, peer);
    eraser_tell (self, peer, out);
}

void
eraser_leave (eraser_t *self, uint32_t peer)
{
    erasures_leave (&self->erasures, peer);
}

//  ---- an erasure

void
eraser_wish (eraser_t *self, uint32_t peer, const usher_erase_t *erase, outbox_t *out)
{
    usher_msg_t noted = { .id = USHER_MSG_erasure,
                          .erasure = { .request = erase->request, .outcome = USHER_outcome_failed } };
    if (erase->viewer_id.size == 0 || !erasures_wait (&self->erasures, peer, erase)) {
        turn_put (self->turn, peer, &noted, out);
        return;
    }
    if (turn_begin (self->turn) && !tombstones_wish (tombs (self), erase->viewer_id, self->turn->now_ms))
        turn_write_failed (self->turn, "erase");
    noted.erasure.outcome = USHER_outcome_done;
    turn_put (self->turn, peer, &noted, out);
    for (uint32_t other = 0; other < ERASURES_PEERS; other++)
        if (self->erasures.up [other])
            tell_forget (&(teller_t){ self, other, out }, erase->viewer_id, self->turn->now_ms);
}

void
eraser_search (eraser_t *self, outbox_t *out)
{
    tombstones_search_t found;
    if (!turn_begin (self->turn))
        return;
    if (!tombstones_search (tombs (self), &found)) {
        turn_write_failed (self->turn, "search");
        return;
    }
    usher_str_t viewer_id = usher_bytes (found.viewer_id, found.viewer_id_size);
    erasures_count (&self->erasures, viewer_id, 0, 0, found.removed);
    usher_msg_t done = { .id = USHER_MSG_erasure };
    uint32_t peer;
    while (found.done && erasures_take (&self->erasures, viewer_id, &peer, &done.erasure)) {
        done.erasure.outcome = USHER_outcome_done;
        done.erasure.erased_ms = found.erased_ms;
        turn_put (self->turn, peer, &done, out);
    }
}

static bool
put_tombstone (eraser_t *self, const usher_forgotten_t *forgotten)
{
    return tombstones_put (tombs (self), forgotten, forgotten->erased_ms / 1000 + self->tombstone_s);
}

//  An owner that died since it let go, or let the viewer leave memory, is told of the wish again and says so once more, with a later
//  instant. Where the wish was granted meanwhile that would come behind the answer; as the owner held nothing, it takes the one that was.
static bool
is_granted (const eraser_t *self, const usher_forgotten_t *forgotten, bool *granted)
{
    *granted = false;
    return !forgotten->held_nothing || tombstones_granted (tombs (self), forgotten->viewer_id, granted);
}

//  Writes the tombstone, and removes the rows unless that was done for this instant before: an owner that was asked twice
//  answers twice, and what it has written since was collected later. *buried is false where DynamoDB has to
//  do it first.
static bool
bury (eraser_t *self, const usher_forgotten_t *forgotten, bool *buried, uint64_t *profiles, uint64_t *rows)
{
    uint64_t before_ms;
    *profiles = *rows = 0;
    *buried = true;
    if (!tombstones_find (tombs (self), forgotten->viewer_id, 0, &before_ms))
        return false;
    //  One that DynamoDB is at will name the instant, which may be later than what the owner says now.
    if (self->dynamo->core &&
        (forgotten->erased_ms > before_ms || dynamo_is_erasing (self->dynamo->core, forgotten))) {
        *buried = false;
        return true;
    }
    return put_tombstone (self, forgotten) &&
           (forgotten->erased_ms <= before_ms ||
            store_erase (self->turn->store, forgotten->viewer_id, profiles, rows));
}

//  A viewer's rows are gone, or go with this transaction.
static void
count_erased (eraser_t *self, usher_str_t viewer_id, uint64_t profiles, uint64_t rows, outbox_t *out)
{
    self->turn->added.erased++;
    erasures_count (&self->erasures, viewer_id, profiles, rows, 0);
    eraser_search (self, out);
}

void
eraser_bury (eraser_t *self, const usher_forgotten_t *forgotten, outbox_t *out)
{
    uint64_t profiles, rows;
    bool buried, granted;
    if (!turn_begin (self->turn))
        return;
    if (!is_granted (self, forgotten, &granted) ||
        (!granted && !bury (self, forgotten, &buried, &profiles, &rows)))
        turn_write_failed (self->turn, "erase");
    else if (granted)
        return;
    else if (buried)
        count_erased (self, forgotten->viewer_id, profiles, rows, out);
    else
        dynamo_erase (self->dynamo->core, forgotten);
}

void
eraser_buried (eraser_t *self, const usher_forgotten_t *forgotten, uint64_t profiles, uint64_t rows,
               outbox_t *out)
{
    if (!turn_begin (self->turn))
        return;
    if (put_tombstone (self, forgotten))
        count_erased (self, forgotten->viewer_id, profiles, rows, out);
    else
        turn_write_failed (self->turn, "erase");
}
