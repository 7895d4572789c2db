//  tally - what all sessions come to, in a span of time or now: sums and histograms that add up

#include "tally.h"
#include "records.h"

#define SUMS 12

//  The sums of an aggregate, in one order.
static void
sums_of (usher_aggregate_t *of, uint64_t *sums [SUMS])
{
    uint64_t *all [SUMS] = { &of->sessions, &of->viewers,     &of->rebuffering,  &of->ad_breaks,
                             &of->ads,      &of->ads_skipped, &of->ads_clicked,  &of->ads_completed,
                             &of->errors,   &of->exits,       &of->sessions_max, &of->viewers_max };
    for (size_t at = 0; at < SUMS; at++)
        sums [at] = all [at];
}

static void
sum_merge (usher_aggregate_t *self, usher_aggregate_t part)
{
    uint64_t *mine [SUMS], *theirs [SUMS];
    sums_of (self, mine);
    sums_of (&part, theirs);
    //  The last two are the largest of a second. Sums may be negative: two's complement adds up by itself.
    for (size_t at = 0; at < SUMS - 2; at++)
        *mine [at] += *theirs [at];
    for (size_t at = SUMS - 2; at < SUMS; at++)
        *mine [at] = *mine [at] > *theirs [at] ? *mine [at] : *theirs [at];
    self->seconds += part.seconds;
    self->partial += part.partial;
}

bool
tally_merge (tally_t *self, const usher_aggregate_t *part)
{
    if (!histogram_merge (&self->startup_ms, part->startup_ms) ||
        !histogram_merge (&self->stalled_ppm, part->stalled_ppm))
        return false;
    sum_merge (&self->sum, *part);
    return true;
}

void
tally_add (tally_t *self, const tally_t *part)
{
    sum_merge (&self->sum, part->sum);
    histogram_sum (&self->startup_ms, &part->startup_ms);
    histogram_sum (&self->stalled_ppm, &part->stalled_ppm);
}

void
tally_write (const tally_t *self, buffer_t *out)
{
    buffer_t startup = { 0 }, stalled = { 0 };
    histogram_write (&self->startup_ms, &startup);
    histogram_write (&self->stalled_ppm, &stalled);
    usher_msg_t msg = { .id = USHER_MSG_aggregate, .aggregate = self->sum };
    msg.aggregate.startup_ms = usher_bytes (startup.data, startup.size);
    msg.aggregate.stalled_ppm = usher_bytes (stalled.data, stalled.size);
    records_add (out, &msg);
    buffer_free (&startup);
    buffer_free (&stalled);
}
