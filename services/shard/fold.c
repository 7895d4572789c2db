//  fold - what the events of a session, in their order, make of it

#include "fold.h"

#include <math.h>

//  A set of states, to write rows with.
#define S(state) (1u << USHER_state_##state)
#define PLAYING (S (watching) | S (rebuffering) | S (seeking))
#define IN_ADS (S (ad) | S (ad_paused))
#define ANY (S (starting) | PLAYING | S (paused) | IN_ADS | S (ended))

//  The product's rules: from these states, this event makes this move. What is not listed changes nothing. to is
//  used by FOLD_GO, FOLD_STALL and FOLD_PROGRESS; the other moves name their own end. By the event.
static const struct {
    uint32_t from;
    fold_move_t move;
    usher_state_t to;
} moves [USHER_EVENT_KINDS] = {
    [USHER_event_kind_play] = { S (starting) | S (rebuffering) | S (seeking) | S (paused) | S (ended),
                                FOLD_GO, USHER_state_watching },
    [USHER_event_kind_pause] = { S (starting) | PLAYING, FOLD_GO, USHER_state_paused },
    [USHER_event_kind_ping] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_percent_progress] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_quality_change] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_volume_change] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_playback_rate_change] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_fullscreen_change] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_picture_in_picture_change] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_ready] = { S (starting), FOLD_PROGRESS, USHER_state_watching },
    [USHER_event_kind_buffer_start] = { S (starting) | S (watching), FOLD_STALL, USHER_state_rebuffering },
    [USHER_event_kind_buffer_end] = { S (rebuffering), FOLD_UNSTALL, USHER_state_watching },
    [USHER_event_kind_seek_start] = { S (watching), FOLD_STALL, USHER_state_seeking },
    [USHER_event_kind_seek_end] = { S (seeking), FOLD_UNSTALL, USHER_state_watching },
    [USHER_event_kind_ad_break_start] = { ANY, FOLD_ENTER_AD, USHER_state_ad },
    [USHER_event_kind_ad_break_end] = { IN_ADS, FOLD_LEAVE_AD, USHER_state_watching },
    [USHER_event_kind_ad_start] = { ANY & ~IN_ADS, FOLD_ENTER_AD_ALONE, USHER_state_ad },
    [USHER_event_kind_ad_complete] = { IN_ADS, FOLD_LEAVE_AD_ALONE, USHER_state_watching },
    [USHER_event_kind_ad_skip] = { IN_ADS, FOLD_LEAVE_AD_ALONE, USHER_state_watching },
    [USHER_event_kind_ad_pause] = { S (ad), FOLD_GO, USHER_state_ad_paused },
    [USHER_event_kind_ad_resume] = { S (ad_paused), FOLD_GO, USHER_state_ad },
    [USHER_event_kind_end] = { ANY, FOLD_GO, USHER_state_ended },
};

enum {
    DEFAULT_PING_MS = 30000,    //  the trackers' own
    PING_SLACK_MS = 10000,
    PING_MIN_MS = 1000,
    PING_MAX_MS = 300000,
    REST_MAX_MS = 30 * 60 * 1000,    //  a pause counts so long without a sign of life
    RATE_MAX = 4,                    //  a position that moves on faster was sought
    RATE_SLACK_MS = 1000
};

static const usher_status_t statuses [] = {
    [USHER_state_starting] = USHER_status_watching_video,
    [USHER_state_watching] = USHER_status_watching_video,
    [USHER_state_rebuffering] = USHER_status_watching_video,
    [USHER_state_seeking] = USHER_status_watching_video,
    [USHER_state_paused] = USHER_status_paused_video,
    [USHER_state_ad] = USHER_status_watching_ad,
    [USHER_state_ad_paused] = USHER_status_watching_ad,
    [USHER_state_ended] = USHER_status_completed_video,
};

usher_status_t
fold_status (usher_state_t state)
{
    return statuses [state];
}

void
fold_init (fold_t *self)
{
    *self = (fold_t){ .position_s = NAN, .first_play_s = NAN };
}

static uint32_t
larger (uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

uint32_t
fold_clicked (const fold_t *self)
{
    return larger (self->ads_clicked, self->sent_clicked);
}

uint32_t
fold_skipped (const fold_t *self)
{
    return larger (self->ads_skipped, self->sent_skipped);
}

static bool
is_in (usher_state_t state, uint32_t set)
{
    return set >> state & 1;
}

bool
fold_rests (const fold_t *self, const fold_event_t *event)
{
    return !is_in (self->state, moves [event->kind].from) && event->ads_clicked <= fold_clicked (self) &&
           event->ads_skipped <= fold_skipped (self);
}

//  Where an ad outside a break, or a break, lets go to.
static usher_state_t
after_break (usher_state_t before)
{
    return before == USHER_state_ended ? USHER_state_ended : USHER_state_watching;
}

usher_state_t
fold_next (usher_state_t state, usher_event_kind_t kind, usher_state_t before, bool alone, bool moved)
{
    if (!is_in (state, moves [kind].from))
        return state;
    switch (moves [kind].move) {
    case FOLD_GO:
    case FOLD_STALL:
    case FOLD_ENTER_AD:
    case FOLD_ENTER_AD_ALONE:
        return moves [kind].to;
    case FOLD_UNSTALL:
        return before;
    case FOLD_LEAVE_AD:
        return after_break (before);
    case FOLD_LEAVE_AD_ALONE:
        return alone ? before : state;
    case FOLD_PROGRESS:
        return moved ? moves [kind].to : state;
    }
    return state;
}

//  ---- what else an event leaves behind

//  Returns whether the position has moved on, and takes it over.
static bool
take_position (fold_t *self, const fold_event_t *event)
{
    if (isnan (event->video_s))
        return false;
    bool moved = !isnan (self->position_s) && event->video_s > self->position_s;
    self->position_s = event->video_s;
    return moved;
}

//  ---- time

uint64_t
fold_timeout_ms (const fold_t *self)
{
    uint64_t ping_ms = self->ping_ms ? self->ping_ms : DEFAULT_PING_MS;
    if (ping_ms < PING_MIN_MS)
        ping_ms = PING_MIN_MS;
    if (ping_ms > PING_MAX_MS)
        ping_ms = PING_MAX_MS;
    return ping_ms * 5 / 2 + PING_SLACK_MS;
}

bool
fold_clock_steps (const fold_t *self, const fold_event_t *event)
{
    //  Two differences that may be negative, and how far apart they are: unsigned numbers wrap to the same.
    int64_t step = (int64_t)(event->order_ms - event->collected_ms - (self->clock_ms - self->seen_ms));
    return (self->marks & FOLD_BEGUN) && (step > FOLD_STEP_MS || step < -FOLD_STEP_MS);
}

static uint64_t
time_between (uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

//  From the newest event to this one: by the device's clock, by the collector's where the device's steps.
static uint64_t
take_elapsed (fold_t *self, const fold_event_t *event)
{
    if (!(self->marks & FOLD_BEGUN))
        return 0;
    if (!fold_clock_steps (self, event))
        return time_between (self->order_ms, event->order_ms);
    uint64_t elapsed_ms = time_between (self->seen_ms, event->collected_ms);
    //  The start-up clock goes on in the new time.
    if (self->first_play_ms)
        self->first_play_ms += event->order_ms - self->order_ms - elapsed_ms;
    return elapsed_ms;
}

static void
add (uint32_t *total, uint64_t more)
{
    *total = more > UINT32_MAX - *total ? UINT32_MAX : *total + (uint32_t)more;
}

//  What passed since the newest event belongs to the state it left behind, as far as that was alive.
static void
take_time (fold_t *self, const fold_event_t *event, uint64_t elapsed_ms)
{
    uint64_t alive_ms = fold_timeout_ms (self);
    if (is_in (self->state, S (paused) | S (ad_paused)))
        alive_ms = REST_MAX_MS;
    uint64_t passed_ms = elapsed_ms < alive_ms ? elapsed_ms : alive_ms;
    if (self->state == USHER_state_watching)
        add (&self->played_ms, passed_ms);
    else if (self->state == USHER_state_paused)
        add (&self->paused_ms, passed_ms);
    else if (self->state == USHER_state_rebuffering)
        add (&self->stalled_ms, passed_ms);
    else if (is_in (self->state, IN_ADS))
        add (&self->in_ads_ms, passed_ms);
    double progress_ms = (event->video_s - self->position_s) * 1000;
    if (self->state == USHER_state_watching && progress_ms > 0 &&
        progress_ms <= (double)passed_ms * RATE_MAX + RATE_SLACK_MS)
        add (&self->content_ms, (uint64_t)progress_ms);
}

static void
take_quality (fold_t *self, const fold_event_t *event)
{
    if (event->kind != USHER_event_kind_quality_change || event->bitrate == 0)
        return;
    self->bitrate_changes += event->bitrate != self->bitrate;
    self->bitrate = event->bitrate;
}

//  FAILED is an error after which nothing moves for the timeout. Evidence beyond that time restored the session, whether
//  or not anybody had looked at the clock in between.
static void
take_error (fold_t *self, const fold_event_t *event, bool moved)
{
    if (event->kind == USHER_event_kind_error) {
        self->errors++;
        self->error_ms = event->collected_ms;
    } else if (moved || event->collected_ms >= self->error_ms + fold_timeout_ms (self))
        self->error_ms = 0;
}

static void
take_start_up (fold_t *self, const fold_event_t *event, bool moved)
{
    if (event->kind == USHER_event_kind_play && self->first_play_ms == 0) {
        self->first_play_ms = event->order_ms;
        self->first_play_s = event->video_s;
        return;
    }
    if (!moved || self->startup_ms || self->first_play_ms == 0 || event->order_ms < self->first_play_ms)
        return;
    double since_ms = (double)(event->order_ms - self->first_play_ms);
    double progress_ms = isnan (self->first_play_s) ? 0 : (event->video_s - self->first_play_s) * 1000;
    if (progress_ms > since_ms * RATE_MAX + RATE_SLACK_MS) {
        self->first_play_s = event->video_s;    //  sought: nothing was played yet
        return;
    }
    //  First play to first progress, less the progress made in the meantime.
    double spent_ms = since_ms - (progress_ms > 0 ? progress_ms : 0);
    self->startup_ms = 1 + (spent_ms > 0 ? (uint64_t)spent_ms : 0);
}

static void
take_ad (fold_t *self, const fold_event_t *event)
{
    switch (event->kind) {
    case USHER_event_kind_ad_break_start:
        self->ad_breaks++;
        self->marks |= FOLD_IN_BREAK;
        break;
    case USHER_event_kind_ad_break_end:
    case USHER_event_kind_end:
        self->marks &= ~(uint32_t)(FOLD_IN_BREAK | FOLD_IN_AD | FOLD_AD_ALONE);
        break;
    case USHER_event_kind_ad_start:
        self->ads++;
        self->quartile = 0;
        self->marks |= FOLD_IN_AD;
        break;
    case USHER_event_kind_ad_quartile:
        self->quartile = larger (self->quartile, event->percent);
        break;
    case USHER_event_kind_ad_complete:
        self->ads_completed++;
        self->quartile = 100;
        self->skip_streak = 0;
        self->marks &= ~(uint32_t)FOLD_IN_AD;
        break;
    case USHER_event_kind_ad_skip:
        self->ads_skipped++;
        self->skip_streak++;
        self->marks &= ~(uint32_t)FOLD_IN_AD;
        break;
    case USHER_event_kind_ad_click:
        self->ads_clicked++;
        break;
    default:
        break;
    }
}

static void
remember (fold_t *self, usher_state_t next, usher_event_kind_t kind)
{
    bool was_in_ads = is_in (self->state, IN_ADS), will_be = is_in (next, IN_ADS);
    if (will_be && !was_in_ads) {
        self->before_ad = self->state;
        if (kind == USHER_event_kind_ad_start)
            self->marks |= FOLD_AD_ALONE;
    }
    if (kind == USHER_event_kind_ad_break_start || (was_in_ads && !will_be))
        self->marks &= ~(uint32_t)FOLD_AD_ALONE;
    //  Not where an ad lets go to a stall that it interrupted: that one began before the ad.
    if (next != self->state && (kind == USHER_event_kind_buffer_start || kind == USHER_event_kind_seek_start))
        self->before_stall = self->state;
    if (self->state == USHER_state_watching && next == USHER_state_rebuffering)
        self->stalls++;
}

void
fold_apply (fold_t *self, const fold_event_t *event)
{
    take_time (self, event, take_elapsed (self, event));
    bool moved = take_position (self, event);
    bool unstall = event->kind == USHER_event_kind_buffer_end || event->kind == USHER_event_kind_seek_end;
    usher_state_t next = fold_next (self->state, event->kind, unstall ? self->before_stall : self->before_ad,
                                    self->marks & FOLD_AD_ALONE, moved);
    remember (self, next, event->kind);
    if (next != self->state || !(self->marks & FOLD_BEGUN))
        self->since_ms = event->collected_ms;
    self->state = next;
    take_start_up (self, event, moved);
    take_ad (self, event);
    take_quality (self, event);
    take_error (self, event, moved);
    self->sent_clicked = larger (self->sent_clicked, event->ads_clicked);
    self->sent_skipped = larger (self->sent_skipped, event->ads_skipped);
    if (event->collected_ms >= self->seen_ms) {
        self->seen_ms = event->collected_ms;
        self->clock_ms = event->order_ms;
    }
    self->order_ms = event->order_ms;
    if (event->ping_s)
        self->ping_ms = event->ping_s * 1000;
    self->marks |= FOLD_BEGUN;
}
