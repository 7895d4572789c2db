//  window - the last events of a session in their order, apart from the fold of all before

#include "window.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

//  ---- order

//  Events that one request carries can share an instant: what opens comes before what closes, pause before play, end last.
//  One ad is over before the next one of its break begins: players tell both at once, and no ad lasts no time.
static int
rank (uint8_t kind)
{
    static const signed char ranks [USHER_EVENT_KINDS] = {
        [USHER_event_kind_ready] = -5,       [USHER_event_kind_ad_break_start] = -3,
        [USHER_event_kind_ad_start] = -2,    [USHER_event_kind_buffer_start] = -2,
        [USHER_event_kind_seek_start] = -2,  [USHER_event_kind_ad_pause] = -1,
        [USHER_event_kind_pause] = -1,       [USHER_event_kind_ad_quartile] = 1,
        [USHER_event_kind_buffer_end] = 2,   [USHER_event_kind_seek_end] = 2,
        [USHER_event_kind_ad_resume] = 2,    [USHER_event_kind_ad_click] = 2,
        [USHER_event_kind_play] = 3,         [USHER_event_kind_ad_skip] = -4,
        [USHER_event_kind_ad_complete] = -4, [USHER_event_kind_ad_break_end] = 5,
        [USHER_event_kind_end] = 6,
    };
    return ranks [kind];
}

static bool
same_number (double a, double b)
{
    return a == b || (isnan (a) && isnan (b));
}

//  Of UUIDs the bytes have the order of the texts.
static int
order_of_ids (const window_event_t *a, const window_event_t *b)
{
    if (a->has_uuid && b->has_uuid)
        return memcmp (a->uuid, b->uuid, UUID_BYTES);
    char one [UUID_TEXT], other [UUID_TEXT];
    usher_str_t x = window_event_id (a, one), y = window_event_id (b, other);
    uint32_t size = x.size < y.size ? x.size : y.size;
    int order = size ? memcmp (x.data, y.data, size) : 0;
    return order ? order : (x.size > y.size) - (x.size < y.size);
}

int
session_order (const window_event_t *a, const window_event_t *b)
{
    if (a->order_ms != b->order_ms)
        return a->order_ms < b->order_ms ? -1 : 1;
    if (a->order_total_us != b->order_total_us)
        return a->order_total_us < b->order_total_us ? -1 : 1;
    if (rank (a->kind) != rank (b->kind))
        return rank (a->kind) < rank (b->kind) ? -1 : 1;
    int order = order_of_ids (a, b);
    //  Without ids the position tells them apart (see is_same); an unknown one comes first.
    if (order == 0 && !same_number (a->video_s, b->video_s))
        order = isnan (a->video_s) || a->video_s < b->video_s ? -1 : 1;
    return order < 0 ? -1 : order > 0;
}

int
window_order_collected (const window_event_t *a, const window_event_t *b)
{
    if (a->collected_ms != b->collected_ms)
        return a->collected_ms < b->collected_ms ? -1 : 1;
    return session_order (a, b);
}

//  An event is known by its id; one without is known by all that it says.
static bool
is_same (const window_event_t *a, const window_event_t *b)
{
    if (a->has_uuid || b->has_uuid || a->text_id.size || b->text_id.size)
        return a->has_uuid == b->has_uuid && order_of_ids (a, b) == 0;
    return a->order_ms == b->order_ms && a->kind == b->kind && same_number (a->video_s, b->video_s);
}

//  ---- clocks

//  How far the device's clock is ahead of the collector's.
static int64_t
lead_of (const window_event_t *record)
{
    return (int64_t)(record->order_ms - record->collected_ms);
}

static void
lead_note (session_t *self, int64_t lead_ms, bool first)
{
    if (first || lead_ms < self->lead_min_ms)
        self->lead_min_ms = lead_ms;
    if (first || lead_ms > self->lead_max_ms)
        self->lead_max_ms = lead_ms;
}

static bool
has_begun (const session_t *self)
{
    return self->base.marks & FOLD_BEGUN;
}

void
window_recount (session_t *self)
{
    bool first = !has_begun (self);
    self->lead_min_ms = self->lead_max_ms = first ? 0 : (int64_t)(self->base.clock_ms - self->base.seen_ms);
    strip_reader_t reader = strip_open (&self->strip);
    window_event_t event;
    for (size_t at = 0; self->window ? at < self->count : strip_read (&reader, &event); at++) {
        lead_note (self, lead_of (self->window ? &self->window [at] : &event), first);
        first = false;
    }
}

//  Where all leads lie that near to each other no walk finds a step: the device's time alone is the order.
static bool
is_one_clock (const session_t *self)
{
    return (uint64_t)self->lead_max_ms - (uint64_t)self->lead_min_ms <= FOLD_STEP_MS;
}

//  ---- one clock

static uint64_t
newest_order (const session_t *self)
{
    return self->count ? self->window [self->count - 1].order_ms : self->base.order_ms;
}

static bool
is_late (const session_t *self, const window_event_t *record)
{
    //  All events of the base's last instant left the window together: what comes for that instant now has no place.
    bool folded = has_begun (self) && record->order_ms <= self->base.order_ms;
    return folded || record->order_ms + SESSION_WINDOW_MS < newest_order (self);
}

static size_t
place_of (const session_t *self, const window_event_t *record)
{
    size_t at = self->count;
    while (at > 0 && session_order (record, &self->window [at - 1]) < 0)
        at--;
    return at;
}

//  ---- several clocks

//  An event and its run: 0 goes on from the base.
typedef struct {
    uint32_t run;
    bool fresh;
    window_event_t record;
} run_t;

enum { RUNS_MAX = WINDOW_EVENTS_MAX + 1 };

static int
run_compare_collected (const void *a, const void *b)
{
    return window_order_collected (&((const run_t *)a)->record, &((const run_t *)b)->record);
}

static int
run_compare (const void *a, const void *b)
{
    const run_t *x = a, *y = b;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    return session_order (&x->record, &y->record);
}

static bool
is_step (int64_t from_ms, int64_t to_ms)
{
    uint64_t step =
        from_ms < to_ms ? (uint64_t)to_ms - (uint64_t)from_ms : (uint64_t)from_ms - (uint64_t)to_ms;
    return step > FOLD_STEP_MS;
}

//  The window, and fresh unless it is NULL, in order. Returns how many.
static size_t
runs_find (const session_t *self, const window_event_t *fresh, run_t *runs)
{
    size_t count = 0;
    for (; count < self->count; count++)
        runs [count] = (run_t){ .record = self->window [count] };
    if (fresh)
        runs [count++] = (run_t){ .fresh = true, .record = *fresh };
    qsort (runs, count, sizeof *runs, run_compare_collected);
    bool begun = has_begun (self);
    int64_t lead_ms = (int64_t)(self->base.clock_ms - self->base.seen_ms);
    uint32_t run = 0;
    for (size_t at = 0; at < count; at++) {
        if ((at > 0 || begun) && is_step (lead_ms, lead_of (&runs [at].record)))
            run++;
        lead_ms = lead_of (&runs [at].record);
        runs [at].run = run;
    }
    qsort (runs, count, sizeof *runs, run_compare);
    return count;
}

//  Is one so much older than another that the window cannot hold both?
static bool
is_outlived (const run_t *self, const run_t *newest)
{
    if (self->run == newest->run)
        return self->record.order_ms + SESSION_WINDOW_MS < newest->record.order_ms;
    return self->record.collected_ms + SESSION_WINDOW_MS < newest->record.collected_ms;
}

static bool
is_run_late (const session_t *self, const run_t *one, const run_t *newest)
{
    bool folded = one->run == 0 ? one->record.order_ms <= self->base.order_ms
                                : one->record.collected_ms < self->base.seen_ms;
    return (has_begun (self) && folded) || is_outlived (one, newest);
}

//  ---- open

void
window_open (session_t *self)
{
    //  Room for one that comes.
    self->window = memory_new (self->strip.count + 1, sizeof *self->window);
    self->count = 0;
    strip_reader_t reader = strip_open (&self->strip);
    while (self->count < self->strip.count && strip_read (&reader, &self->window [self->count]))
        self->count++;
}

void
window_close (session_t *self)
{
    strip_t strip = { .before_ms = self->base.order_ms, .last_ms = self->base.order_ms };
    for (size_t at = 0; at < self->count; at++)
        strip_append (&strip, &self->window [at]);
    window_free (self);
    self->strip = strip;
}

void
window_free (session_t *self)
{
    strip_free (&self->strip);
    free (self->window);
    self->window = NULL;
    self->count = 0;
}

//  ---- putting

static bool
find_known (const session_t *self, const window_event_t *record, size_t *found)
{
    for (size_t at = self->count; at-- > 0;)
        if (is_same (&self->window [at], record)) {
            *found = at;
            return true;
        }
    return false;
}

static void
put_at (session_t *self, size_t at, const window_event_t *record)
{
    memmove (&self->window [at + 1], &self->window [at], (self->count - at) * sizeof *self->window);
    self->window [at] = *record;
    self->count++;
}

static window_place_t
put_by_device (session_t *self, const window_event_t *record)
{
    if (is_late (self, record))
        return (window_place_t){ .outcome = WINDOW_LATE };
    window_place_t place = { .outcome = WINDOW_PLACED, .at = place_of (self, record) };
    put_at (self, place.at, record);
    return place;
}

static window_place_t
put_among_clocks (session_t *self, const window_event_t *record)
{
    run_t runs [RUNS_MAX];
    window_place_t place = { .outcome = WINDOW_PLACED, .shuffled = true };
    size_t count = runs_find (self, record, runs);
    while (!runs [place.at].fresh)
        place.at++;
    if (is_run_late (self, &runs [place.at], &runs [count - 1]))
        return (window_place_t){ .outcome = WINDOW_LATE };
    for (size_t at = 0; at < count; at++)
        self->window [at] = runs [at].record;
    self->count = count;
    return place;
}

window_place_t
window_put (session_t *self, const window_event_t *record)
{
    window_place_t place = { .outcome = WINDOW_KNOWN };
    if (find_known (self, record, &place.at))
        return place;
    if (!is_one_clock (self))
        window_recount (self);    //  the others may have left
    int64_t lead_min_ms = self->lead_min_ms, lead_max_ms = self->lead_max_ms;
    lead_note (self, lead_of (record), self->count == 0 && !has_begun (self));
    place = is_one_clock (self) ? put_by_device (self, record) : put_among_clocks (self, record);
    if (place.outcome == WINDOW_LATE) {
        self->lead_min_ms = lead_min_ms;
        self->lead_max_ms = lead_max_ms;
    }
    return place;
}

void
window_remove (session_t *self, size_t at)
{
    self->count--;
    memmove (&self->window [at], &self->window [at + 1], (self->count - at) * sizeof *self->window);
}

bool
window_follows (const session_t *self, const window_event_t *record)
{
    int64_t lead_ms = lead_of (record);
    int64_t min_ms = lead_ms < self->lead_min_ms ? lead_ms : self->lead_min_ms;
    int64_t max_ms = lead_ms > self->lead_max_ms ? lead_ms : self->lead_max_ms;
    return (uint64_t)max_ms - (uint64_t)min_ms <= FOLD_STEP_MS && record->order_ms > self->strip.last_ms &&
           !strip_may_have (&self->strip, strip_digest (record));
}

void
window_append (session_t *self, const window_event_t *record)
{
    lead_note (self, lead_of (record), false);
    strip_append (&self->strip, record);
}

void
window_add (session_t *self, const window_event_t *record, const uint8_t *bytes, size_t size)
{
    lead_note (self, lead_of (record), false);
    strip_add (&self->strip, record, bytes, size);
}

//  ---- trimming

static void
fold_away (session_t *self, const window_event_t *record)
{
    fold_apply (&self->base, record);
    if (record->has_row == 1)
        self->base.row_ms = record->collected_ms;
}

void
window_fold (session_t *self, size_t count)
{
    if (self->window) {
        for (size_t at = 0; at < count; at++)
            fold_away (self, &self->window [at]);
        self->count -= count;
        memmove (self->window, self->window + count, self->count * sizeof *self->window);
        return;
    }
    strip_reader_t reader = strip_open (&self->strip);
    window_event_t event;
    while (reader.count < count && strip_read (&reader, &event))
        fold_away (self, &event);
    strip_leave (&self->strip, &reader);
}

//  How many at the front are too old.
static size_t
window_outlived (const session_t *self)
{
    size_t gone = 0;
    if (is_one_clock (self)) {
        while (self->window [gone].order_ms + SESSION_WINDOW_MS < newest_order (self))
            gone++;
        return gone;
    }
    run_t runs [RUNS_MAX];
    size_t count = runs_find (self, NULL, runs);
    while (gone < count && is_outlived (&runs [gone], &runs [count - 1]))
        gone++;
    return gone;
}

//  All events of one instant leave together, as only the instant is remembered of what left; but a crowd at one instant that
//  would keep the window at twice its size is parted all the same.
static size_t
window_excess (const session_t *self)
{
    size_t gone = window_outlived (self), whole = gone;
    while (self->count - gone > SESSION_WINDOW_EVENTS) {
        gone++;
        if (self->window [gone].order_ms != self->window [gone - 1].order_ms)
            whole = gone;
    }
    return self->count - whole > WINDOW_EVENTS_MAX ? gone : whole;
}

//  The same of a window that is not open, has one clock and nothing that is too old.
static size_t
strip_excess (const strip_t *strip)
{
    size_t gone = 0, whole = 0;
    uint64_t before_ms = 0;
    strip_reader_t reader = strip_open (strip);
    for (window_event_t event; strip_read (&reader, &event); gone++) {
        if (gone > 0 && event.order_ms != before_ms)
            whole = gone;
        before_ms = event.order_ms;
        if (strip->count - gone <= SESSION_WINDOW_EVENTS)
            break;
    }
    return strip->count - whole > WINDOW_EVENTS_MAX ? gone : whole;
}

static void
strip_trim (session_t *self)
{
    strip_reader_t reader = strip_open (&self->strip);
    while (reader.count < self->strip.count &&
           strip_next_ms (&reader) + SESSION_WINDOW_MS < self->strip.last_ms) {
        window_event_t event;
        strip_read (&reader, &event);
        fold_away (self, &event);
    }
    if (reader.count)
        strip_leave (&self->strip, &reader);
    if (self->strip.count > SESSION_WINDOW_EVENTS)
        window_fold (self, strip_excess (&self->strip));
}

void
window_trim (session_t *self)
{
    if (self->window)
        window_fold (self, window_excess (self));
    else
        strip_trim (self);
}
