//  window - the last events of a session in their order, apart from the fold of all before

#include "window.h"
#include "memory.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

//  ---- order

//  Events that one request carries can share an instant: what opens comes before what closes, pause before play, end last.
//  One ad is over before the next one of its break begins: players tell both at once, and no ad lasts no time.
static int
rank (usher_event_kind_t kind)
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

int
session_order (const usher_window_record_t *a, const usher_window_record_t *b)
{
    if (a->order_ms != b->order_ms)
        return a->order_ms < b->order_ms ? -1 : 1;
    if (a->order_total != b->order_total)
        return a->order_total < b->order_total ? -1 : 1;
    if (rank (a->kind) != rank (b->kind))
        return rank (a->kind) < rank (b->kind) ? -1 : 1;
    uint32_t size = a->event_id.size < b->event_id.size ? a->event_id.size : b->event_id.size;
    int order = size ? memcmp (a->event_id.data, b->event_id.data, size) : 0;
    if (order == 0 && a->event_id.size != b->event_id.size)
        order = a->event_id.size < b->event_id.size ? -1 : 1;
    //  Without ids the position tells them apart (see is_same); an unknown one comes first.
    if (order == 0 && !same_number (a->video_s, b->video_s))
        order = isnan (a->video_s) || a->video_s < b->video_s ? -1 : 1;
    return order < 0 ? -1 : order > 0;
}

int
window_order_collected (const usher_window_record_t *a, const usher_window_record_t *b)
{
    if (a->collected_ms != b->collected_ms)
        return a->collected_ms < b->collected_ms ? -1 : 1;
    return session_order (a, b);
}

//  Neither is empty where the sizes are equal. Ids are random, so nearly all are told apart without a call.
static bool
is_same_id (usher_str_t a, usher_str_t b)
{
    return a.size == b.size && a.data [0] == b.data [0] && a.data [a.size / 2] == b.data [a.size / 2] &&
           usher_str_eq (a, b);
}

//  An event is known by its id; one without is known by all that it says.
static bool
is_same (const usher_window_record_t *a, const usher_window_record_t *b)
{
    if (a->event_id.size || b->event_id.size)
        return is_same_id (a->event_id, b->event_id);
    return a->order_ms == b->order_ms && a->kind == b->kind && same_number (a->video_s, b->video_s);
}

//  ---- clocks

//  How far the device's clock is ahead of the collector's.
static int64_t
lead_of (const usher_window_record_t *record)
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

void
window_recount (session_t *self)
{
    bool first = !(self->base.marks & FOLD_BEGUN);
    self->lead_min_ms = self->lead_max_ms = first ? 0 : (int64_t)(self->base.clock_ms - self->base.seen_ms);
    for (size_t at = 0; at < self->count; at++) {
        lead_note (self, lead_of (&self->window [at]), first);
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
is_late (const session_t *self, const usher_window_record_t *record)
{
    //  All events of the base's last instant left the window together: what comes for that instant now has no place.
    bool folded = (self->base.marks & FOLD_BEGUN) && record->order_ms <= self->base.order_ms;
    return folded || record->order_ms + SESSION_WINDOW_MS < newest_order (self);
}

static size_t
place_of (const session_t *self, const usher_window_record_t *record)
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
    usher_window_record_t record;
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
runs_find (const session_t *self, const usher_window_record_t *fresh, run_t *runs)
{
    size_t count = 0;
    for (; count < self->count; count++)
        runs [count] = (run_t){ .record = self->window [count] };
    if (fresh)
        runs [count++] = (run_t){ .fresh = true, .record = *fresh };
    qsort (runs, count, sizeof *runs, run_compare_collected);
    bool begun = self->base.marks & FOLD_BEGUN;
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
    return ((self->base.marks & FOLD_BEGUN) && folded) || is_outlived (one, newest);
}

//  ---- marks

//  Equal for events that are the same. Ids are random.
static uint32_t
mark_of (const usher_window_record_t *record)
{
    uint32_t first, last;
    size_t size = record->event_id.size;
    if (size < sizeof first)
        return (uint32_t)record->order_ms * 31 + record->kind + (uint32_t)size;
    memcpy (&first, record->event_id.data, sizeof first);
    memcpy (&last, record->event_id.data + size - sizeof last, sizeof last);
    return first ^ last * 2654435761u;
}

static size_t
mark_find (const session_t *self, uint32_t mark)
{
    size_t at = 0;
    while (at < self->count && self->marks [at] != mark)
        at++;
    return at;
}

//  Before the record, one of so many that are left, leaves the window.
static void
mark_drop (session_t *self, const usher_window_record_t *record, size_t left)
{
    self->marks [mark_find (self, mark_of (record))] = self->marks [left - 1];
}

//  ---- putting

static bool
find_known (const session_t *self, const usher_window_record_t *record, size_t *found)
{
    if (mark_find (self, mark_of (record)) == self->count)
        return false;
    for (size_t at = self->count; at-- > 0;)
        if (is_same (&self->window [at], record)) {
            *found = at;
            return true;
        }
    return false;
}

//  Events leave at the front and come at the end, so the window moves through its block and back only when it has come
//  to the end.
static void
make_room (session_t *self)
{
    if (self->gone + self->count < self->room)
        return;
    usher_window_record_t *block = self->window ? self->window - self->gone : NULL;
    if (self->gone)
        memmove (block, self->window, self->count * sizeof *block);
    if (self->gone < self->count / 2 + 1) {
        self->room = self->room + self->room / 2 + 4;
        block = memory_resize (block, self->room, sizeof *block);
        self->marks = memory_resize (self->marks, self->room, sizeof *self->marks);
    }
    self->window = block;
    self->gone = 0;
}

void
window_free (session_t *self)
{
    for (size_t at = 0; at < self->count; at++)
        texts_free (&self->window [at], USHER_MSG_window_record);
    if (self->window)
        free (self->window - self->gone);
    free (self->marks);
    self->window = NULL;
    self->marks = NULL;
    self->count = self->room = self->gone = 0;
}

static void
put_at (session_t *self, size_t at, const usher_window_record_t *record)
{
    make_room (self);
    memmove (&self->window [at + 1], &self->window [at], (self->count - at) * sizeof *self->window);
    self->window [at] = *record;
    texts_own (&self->window [at], USHER_MSG_window_record);
    self->marks [self->count++] = mark_of (record);
}

static window_place_t
put_by_device (session_t *self, const usher_window_record_t *record)
{
    if (is_late (self, record))
        return (window_place_t){ .outcome = WINDOW_LATE };
    window_place_t place = { .outcome = WINDOW_PLACED, .at = place_of (self, record) };
    put_at (self, place.at, record);
    return place;
}

static window_place_t
put_among_clocks (session_t *self, const usher_window_record_t *record)
{
    run_t runs [RUNS_MAX];
    window_place_t place = { .outcome = WINDOW_PLACED, .shuffled = true };
    size_t count = runs_find (self, record, runs);
    while (!runs [place.at].fresh)
        place.at++;
    if (is_run_late (self, &runs [place.at], &runs [count - 1]))
        return (window_place_t){ .outcome = WINDOW_LATE };
    put_at (self, self->count, record);
    usher_window_record_t own = self->window [self->count - 1];
    for (size_t at = 0; at < count; at++)
        self->window [at] = runs [at].fresh ? own : runs [at].record;
    return place;
}

window_place_t
window_put (session_t *self, const usher_window_record_t *record)
{
    window_place_t place = { .outcome = WINDOW_KNOWN };
    if (find_known (self, record, &place.at))
        return place;
    if (!is_one_clock (self))
        window_recount (self);    //  the others may have left
    int64_t lead_min_ms = self->lead_min_ms, lead_max_ms = self->lead_max_ms;
    lead_note (self, lead_of (record), self->count == 0 && !(self->base.marks & FOLD_BEGUN));
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
    mark_drop (self, &self->window [at], self->count);
    texts_free (&self->window [at], USHER_MSG_window_record);
    self->count--;
    memmove (&self->window [at], &self->window [at + 1], (self->count - at) * sizeof *self->window);
}

bool
window_append (session_t *self, const usher_window_record_t *record)
{
    if (self->count == WINDOW_EVENTS_MAX)
        return false;
    put_at (self, self->count, record);
    return true;
}

//  ---- trimming

void
window_fold (session_t *self, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        usher_window_record_t *record = &self->window [at];
        mark_drop (self, record, self->count - at);
        fold_apply (&self->base, record);
        if (record->has_row == 1)
            self->base.row_ms = record->collected_ms;
        texts_free (record, USHER_MSG_window_record);
    }
    if (count == 0)
        return;
    self->count -= count;
    self->window += count;
    self->gone += count;
}

//  Do two neighbours leave together, as only the instant is remembered of what left?
static bool
is_one_instant (const usher_window_record_t *a, const usher_window_record_t *b)
{
    return a->order_ms == b->order_ms;
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

//  How many of the oldest events are out of the window. A crowd at one instant that would keep the window at twice its
//  size is parted all the same.
static size_t
window_excess (const session_t *self)
{
    size_t gone = window_outlived (self), whole = gone;
    while (self->count - gone > SESSION_WINDOW_EVENTS) {
        gone++;
        if (!is_one_instant (&self->window [gone], &self->window [gone - 1]))
            whole = gone;
    }
    return self->count - whole > 2 * SESSION_WINDOW_EVENTS ? gone : whole;
}

void
window_trim (session_t *self)
{
    window_fold (self, window_excess (self));
}
