//  aggregates - what all live sessions come to, kept up to date change by change

#include "aggregates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "metrics.h"
#include "wheel.h"

//  A mark: is the session counted as concurrent; does the wheel have it; from OTHER on one bit a dimension: is it in other there.
enum { MARK_CONCURRENT = 1, MARK_WATCHED = 2, MARK_OTHER = 4 };

//  A session that stalls, in the wheel.
typedef struct {
    wheel_node_t node;    //  first: a node is its stall
    uint32_t slot, viewer_size, session_size;
    char names [];
} stall_t;

struct aggregates {
    dimension_t *dimensions [USHER_DIMENSIONS];
    tally_t now, second;
    wheel_t *wheel;
    stall_t *due;    //  given out last
};

//  ---- what a session says

static bool
is_live (const usher_session_t *session)
{
    return session->state != USHER_state_ended && session->state != USHER_state_failed &&
           session->state != USHER_state_lost;
}

static bool
is_stalled (const usher_session_t *session)
{
    return session->state == USHER_state_rebuffering;
}

static bool
is_concurrent (const usher_session_t *session, uint64_t now_ms)
{
    if (is_stalled (session))
        return now_ms < session->since_ms + AGGREGATES_STALL_MS;
    return session->state == USHER_state_watching || session->state == USHER_state_seeking ||
           session->state == USHER_state_ad;
}

static bool
by_concurrent (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    (void)session;
    *key = usher_bytes ("", 0);
    return mark & MARK_CONCURRENT;
}

static bool
by_live (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    (void)mark;
    *key = usher_bytes ("", 0);
    return is_live (session);
}

static bool
by_state (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    (void)mark;
    *key = usher_str (usher_state_names [session->state]);
    return true;
}

static bool
by_status (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    (void)mark;
    *key = usher_str (usher_status_names [session->status]);
    return session->state != USHER_state_failed && session->state != USHER_state_lost;
}

static bool
by_medium (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    *key = session->media_label;
    return mark & MARK_CONCURRENT;
}

static bool
by_country (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    *key = session->country;
    return mark & MARK_CONCURRENT;
}

static bool
by_device (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    *key = usher_str (usher_device_class_names [session->device]);
    return mark & MARK_CONCURRENT;
}

static bool
by_app (const usher_session_t *session, uint8_t mark, usher_str_t *key)
{
    *key = session->app_id;
    return mark & MARK_CONCURRENT;
}

//  Each tells whether a session counts in the dimension, and under which key.
static const struct {
    bool (*key_of) (const usher_session_t *session, uint8_t mark, usher_str_t *key);
    uint8_t other;    //  the bit of the mark, where the source has the say how many keys there are; else 0
} dimensions [USHER_DIMENSIONS] = {
    [USHER_dimension_concurrent] = { by_concurrent, 0 },
    [USHER_dimension_live] = { by_live, 0 },
    [USHER_dimension_state] = { by_state, 0 },
    [USHER_dimension_status] = { by_status, 0 },
    [USHER_dimension_medium] = { by_medium, MARK_OTHER },
    [USHER_dimension_country] = { by_country, MARK_OTHER << 1 },
    [USHER_dimension_device] = { by_device, 0 },
    [USHER_dimension_app] = { by_app, MARK_OTHER << 2 },
};

//  ---- life

aggregates_t *
aggregates_new (void)
{
    aggregates_t *self = memory_new (1, sizeof *self);
    for (usher_dimension_t which = 0; which < USHER_DIMENSIONS; which++)
        self->dimensions [which] = dimension_new (which);
    self->wheel = wheel_new ();
    return self;
}

void
aggregates_destroy (aggregates_t **self_p)
{
    aggregates_t *self = *self_p;
    if (!self)
        return;
    uint32_t slot;
    usher_str_t viewer_id, session_id;
    while (aggregates_due (self, UINT64_MAX, &slot, &viewer_id, &session_id))
        ;
    for (usher_dimension_t which = 0; which < USHER_DIMENSIONS; which++)
        dimension_destroy (&self->dimensions [which]);
    wheel_destroy (&self->wheel);
    free (self);
    *self_p = NULL;
}

//  ---- dimensions

//  Does another session of the viewer count under the same key, so that the viewer is counted there already?
static bool
is_shared (usher_dimension_t which, usher_str_t key, bool other, const aggregates_counted_t *others,
           size_t count)
{
    for (size_t at = 0; at < count; at++) {
        usher_str_t its_key;
        if (!dimensions [which].key_of (&others [at].session, others [at].mark, &its_key))
            continue;
        bool its_other = (others [at].mark & dimensions [which].other) != 0;
        if (other == its_other && (other || usher_str_eq (key, its_key)))
            return true;
    }
    return false;
}

//  Where one session counts in one dimension.
typedef struct {
    bool counts, other;
    usher_str_t key;
} spot_t;

static spot_t
spot_of (usher_dimension_t which, const usher_session_t *session, uint8_t mark)
{
    spot_t spot = { .other = (mark & dimensions [which].other) != 0 };
    spot.counts = session && dimensions [which].key_of (session, mark, &spot.key);
    return spot;
}

static void
spot_add (aggregates_t *self, usher_dimension_t which, const spot_t *spot, int by,
          const aggregates_counted_t *others, size_t count)
{
    if (!spot->counts)
        return;
    bool shared = is_shared (which, spot->key, spot->other, others, count);
    dimension_add (self->dimensions [which], spot->key, spot->other, by, shared ? 0 : by);
}

//  Moves a session to where it counts now. Returns its bit of the mark.
static uint8_t
dimension_move (aggregates_t *self, usher_dimension_t which, const aggregates_counted_t *old,
                const usher_session_t *session, uint8_t mark, const aggregates_counted_t *others,
                size_t count)
{
    spot_t from = spot_of (which, old ? &old->session : NULL, old ? old->mark : 0);
    spot_t to = spot_of (which, session, mark);
    if (from.counts && to.counts && usher_str_eq (from.key, to.key) && !from.other)
        return 0;
    spot_add (self, which, &from, -1, others, count);
    to.other =
        to.counts && dimensions [which].other && dimension_is_full_for (self->dimensions [which], to.key);
    spot_add (self, which, &to, 1, others, count);
    return to.other ? dimensions [which].other : 0;
}

//  Does a session count in the same places as before? Most changes are of its position and its times. One that is in other
//  somewhere may have a place of its own by now.
static bool
is_settled (const aggregates_counted_t *old, const usher_session_t *session, uint8_t mark)
{
    const usher_session_t *was = &old->session;
    return (uint8_t)(old->mark & ~MARK_WATCHED) == (mark & MARK_CONCURRENT) && was->state == session->state &&
           was->status == session->status && was->device == session->device &&
           usher_str_eq (was->media_label, session->media_label) &&
           usher_str_eq (was->country, session->country) && usher_str_eq (was->app_id, session->app_id);
}

//  ---- sums and histograms

#define COUNTERS 7

//  What is added up of a session.
typedef struct {
    uint64_t counters [COUNTERS];
    bool live, over;
    uint64_t startup_ms, stalled_ppm;    //  plus 1; 0 unknown
} facts_t;

static uint64_t
stalled_of (const usher_session_t *session)
{
    double stalled = session->time_buffering_s, played = session->time_played_s;
    if (!(stalled >= 0) || !(played >= 0) || !(stalled + played > 0))
        return 0;
    return stalled >= played ? 1000001 : 1 + (uint64_t)(stalled / played * 1e6);
}

static facts_t
facts_of (const usher_session_t *session)
{
    if (!session)
        return (facts_t){ 0 };
    return (facts_t){ { session->ad_breaks, session->ads, session->ads_skipped, session->ads_clicked,
                        session->ads_completed, session->errors, session->exited },
                      is_live (session),
                      !is_live (session),
                      session->startup_ms,
                      stalled_of (session) };
}

//  by is 1, or the number that takes 1 away. ads: with the five that are about ads.
static void
counters_add (usher_aggregate_t *sum, const facts_t *facts, uint64_t by, bool ads)
{
    uint64_t *sums [COUNTERS] = { &sum->ad_breaks,     &sum->ads,    &sum->ads_skipped, &sum->ads_clicked,
                                  &sum->ads_completed, &sum->errors, &sum->exits };
    for (size_t at = ads ? 0 : 5; at < COUNTERS; at++)
        *sums [at] += by * facts->counters [at];
}

static void
histogram_move (histogram_t *self, uint64_t from, uint64_t to)
{
    if (from == to)
        return;
    if (from)
        histogram_add (self, from - 1, -1);
    if (to)
        histogram_add (self, to - 1, 1);
}

static bool
counters_differ (const facts_t *a, const facts_t *b)
{
    return a->live != b->live || memcmp (a->counters, b->counters, sizeof a->counters) != 0;
}

//  All sessions held: one that leaves is taken out.
static void
now_change (tally_t *self, const facts_t *old, const facts_t *facts)
{
    if (counters_differ (old, facts)) {
        counters_add (&self->sum, old, UINT64_MAX, old->live);
        counters_add (&self->sum, facts, 1, facts->live);
    }
    histogram_move (&self->startup_ms, old->startup_ms, facts->startup_ms);
    histogram_move (&self->stalled_ppm, old->stalled_ppm, facts->stalled_ppm);
}

//  What happened: a start-up when it becomes known, a session's stalls when it is over.
static void
second_change (tally_t *self, const facts_t *old, const facts_t *facts)
{
    if (counters_differ (old, facts)) {
        counters_add (&self->sum, old, UINT64_MAX, true);
        counters_add (&self->sum, facts, 1, true);
    }
    histogram_move (&self->startup_ms, old->startup_ms, facts->startup_ms);
    histogram_move (&self->stalled_ppm, old->over ? old->stalled_ppm : 0,
                    facts->over ? facts->stalled_ppm : 0);
}

//  ---- stalls

static void
watch (aggregates_t *self, const usher_session_t *session)
{
    size_t size = session->viewer_id.size + session->session_id.size;
    stall_t *stall = memory_new (1, sizeof *stall + size + 1);
    stall->slot = session->slot;
    stall->viewer_size = session->viewer_id.size;
    stall->session_size = session->session_id.size;
    memcpy (stall->names, session->viewer_id.data, stall->viewer_size);
    if (stall->session_size)
        memcpy (stall->names + stall->viewer_size, session->session_id.data, stall->session_size);
    wheel_put (self->wheel, &stall->node, session->since_ms + AGGREGATES_STALL_MS);
}

bool
aggregates_due (aggregates_t *self, uint64_t now_ms, uint32_t *slot, usher_str_t *viewer_id,
                usher_str_t *session_id)
{
    free (self->due);
    self->due = (stall_t *)wheel_due (self->wheel, now_ms);
    if (!self->due)
        return false;
    *slot = self->due->slot;
    *viewer_id = usher_bytes (self->due->names, self->due->viewer_size);
    *session_id = usher_bytes (self->due->names + self->due->viewer_size, self->due->session_size);
    return true;
}

uint8_t
aggregates_unwatched (uint8_t mark)
{
    return mark & (uint8_t)~MARK_WATCHED;
}

//  One that is in the wheel comes up early enough, unless a correction says that its stall began earlier.
static bool
wants_watch (const aggregates_counted_t *old, const usher_session_t *session, uint8_t mark)
{
    if (!session || !is_stalled (session) || !(mark & MARK_CONCURRENT))
        return false;
    return !(mark & MARK_WATCHED) ||
           (old && is_stalled (&old->session) && session->since_ms < old->session.since_ms);
}

//  ---- a change

static uint8_t
mark_of (const usher_session_t *session, uint8_t old, uint64_t now_ms)
{
    if (!session)
        return 0;
    return (uint8_t)((is_concurrent (session, now_ms) ? MARK_CONCURRENT : 0) | (old & MARK_WATCHED));
}

//  What is partial counts as present, and as nothing that happened: it is counted once the whole is known.
static bool
is_whole (const usher_session_t *session)
{
    return session && !(session->flags & USHER_PARTIAL);
}

static void
second_note (aggregates_t *self, const aggregates_counted_t *old, const usher_session_t *session)
{
    const usher_session_t *known = old && is_whole (&old->session) ? &old->session : NULL;
    if (!is_whole (session) || (!known && session->restored))
        return;
    facts_t before = facts_of (known), after = facts_of (session);
    second_change (&self->second, &before, &after);
}

uint8_t
aggregates_change (aggregates_t *self, const aggregates_counted_t *old, const usher_session_t *session,
                   const aggregates_counted_t *others, size_t count, uint64_t now_ms)
{
    uint8_t mark = mark_of (session, old ? old->mark : 0, now_ms);
    bool settled = old && session && is_settled (old, session, mark);
    for (usher_dimension_t which = 0; which < USHER_DIMENSIONS && !settled; which++)
        mark |= dimension_move (self, which, old, session, mark, others, count);
    facts_t before = facts_of (old ? &old->session : NULL), after = facts_of (session);
    now_change (&self->now, &before, &after);
    second_note (self, old, session);
    if (wants_watch (old, session, mark)) {
        watch (self, session);
        mark |= MARK_WATCHED;
    }
    return mark;
}

//  ---- questions

dimension_count_t
aggregates_count (const aggregates_t *self, usher_dimension_t which, usher_str_t key)
{
    return dimension_count (self->dimensions [which], key);
}

dimension_count_t
aggregates_other (const aggregates_t *self, usher_dimension_t which)
{
    return dimension_other (self->dimensions [which]);
}

const tally_t *
aggregates_now (const aggregates_t *self)
{
    return &self->now;
}

void
aggregates_metrics (const aggregates_t *self, FILE *out)
{
    const usher_str_t all = usher_bytes ("", 0);
    dimension_count_t concurrent = aggregates_count (self, USHER_dimension_concurrent, all);
    const metric_t rows [] = {
        { "concurrent_sessions", METRIC_GAUGE, "Sessions that play now.", NULL, concurrent.sessions },
        { "concurrent_viewers", METRIC_GAUGE, "Viewers with a session that plays now.", NULL,
          concurrent.viewers },
        { "live_viewers", METRIC_GAUGE, "Viewers with a session that is not over.", NULL,
          aggregates_count (self, USHER_dimension_live, all).viewers },
        { "startup_ms", METRIC_GAUGE, "Start-up times of the sessions held.", "quantile=\"0.5\"",
          histogram_percentile (&self->now.startup_ms, 50) },
        { "startup_ms", METRIC_GAUGE, "Start-up times of the sessions held.", "quantile=\"0.95\"",
          histogram_percentile (&self->now.startup_ms, 95) },
        { "rebuffering_ppm", METRIC_GAUGE, "Rebuffering ratios of the sessions held, in millionths.",
          "quantile=\"0.5\"", histogram_percentile (&self->now.stalled_ppm, 50) },
        { "rebuffering_ppm", METRIC_GAUGE, "Rebuffering ratios of the sessions held, in millionths.",
          "quantile=\"0.95\"", histogram_percentile (&self->now.stalled_ppm, 95) },
    };
    metrics_write (rows, sizeof rows / sizeof *rows, out);
    metric_t states [USHER_STATES];
    char labels [USHER_STATES][48];
    for (size_t state = 0; state < USHER_STATES; state++) {
        snprintf (labels [state], sizeof labels [state], "state=\"%s\"", usher_state_names [state]);
        states [state] = (metric_t){
            "sessions", METRIC_GAUGE, "Sessions held.", labels [state],
            aggregates_count (self, USHER_dimension_state, usher_str (usher_state_names [state])).sessions
        };
    }
    metrics_write (states, USHER_STATES, out);
}

void
aggregates_take_second (aggregates_t *self, tally_t *second)
{
    const usher_str_t all = usher_bytes ("", 0);
    dimension_count_t concurrent = aggregates_count (self, USHER_dimension_concurrent, all);
    usher_str_t stalled = usher_str (usher_state_names [USHER_state_rebuffering]);
    *second = self->second;
    memset (&self->second, 0, sizeof self->second);
    second->sum.sessions = second->sum.sessions_max = concurrent.sessions;
    second->sum.viewers = second->sum.viewers_max = concurrent.viewers;
    second->sum.rebuffering = aggregates_count (self, USHER_dimension_state, stalled).sessions;
}

void
aggregates_write_keys (const aggregates_t *self, size_t limit, buffer_t *out)
{
    for (usher_dimension_t which = 0; which < USHER_DIMENSIONS; which++)
        dimension_write (self->dimensions [which], limit, out);
}
