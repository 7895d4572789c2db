//  sum - totals over sessions

#include "sum.h"

static uint32_t
larger (uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static usher_sum_record_t
totals_of (const session_t *session)
{
    const usher_session_record_t *known = &session->known;
    const fold_t *now = &session->now;
    usher_sum_record_t totals = {
        .sessions = 1,
        .played_s = known->time_played_s,
        .paused_s = known->time_paused_s,
        .buffering_s = known->time_buffering_s,
        .ads_s = known->time_ads_s,
        .muted_s = known->time_muted_s,
        .content_s = known->content_s,
        .ads = larger (now->ads, known->ads),
        .clicked = fold_clicked (now),
        .skipped = fold_skipped (now),
        .completed = now->ads_completed,
        .breaks = larger (now->ad_breaks, known->ad_breaks),
        .stalls = now->stalls,
        .errors = now->errors,
    };
    if (known->has_totals)
        return totals;
    totals.played_s = now->played_ms / 1000.0;
    totals.paused_s = now->paused_ms / 1000.0;
    totals.buffering_s = now->stalled_ms / 1000.0;
    totals.ads_s = now->in_ads_ms / 1000.0;
    totals.content_s = now->content_ms / 1000.0;
    return totals;
}

static void
count (uint32_t *total, uint32_t more)
{
    *total = more > UINT32_MAX - *total ? UINT32_MAX : *total + more;
}

void
sum_merge (usher_sum_record_t *self, const usher_sum_record_t *other)
{
    count (&self->sessions, other->sessions);
    self->played_s += other->played_s;
    self->paused_s += other->paused_s;
    self->buffering_s += other->buffering_s;
    self->ads_s += other->ads_s;
    self->muted_s += other->muted_s;
    self->content_s += other->content_s;
    count (&self->ads, other->ads);
    count (&self->clicked, other->clicked);
    count (&self->skipped, other->skipped);
    count (&self->completed, other->completed);
    count (&self->breaks, other->breaks);
    count (&self->stalls, other->stalls);
    count (&self->errors, other->errors);
}

void
sum_add (usher_sum_record_t *self, const session_t *session)
{
    usher_sum_record_t totals = totals_of (session);
    sum_merge (self, &totals);
}

void
sum_describe (const usher_sum_record_t *self, usher_session_t *out)
{
    out->earlier = self->sessions;
    out->earlier_played_s = self->played_s;
    out->earlier_paused_s = self->paused_s;
    out->earlier_buffering_s = self->buffering_s;
    out->earlier_ads_s = self->ads_s;
    out->earlier_muted_s = self->muted_s;
    out->earlier_content_s = self->content_s;
    out->earlier_ads = self->ads;
    out->earlier_clicked = self->clicked;
    out->earlier_skipped = self->skipped;
    out->earlier_completed = self->completed;
    out->earlier_breaks = self->breaks;
    out->earlier_stalls = self->stalls;
    out->earlier_errors = self->errors;
}
