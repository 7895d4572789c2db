//  fold - what the events of a session, in their order, make of it

#include "fold.h"

#include <math.h>

//  A set of states, to write rows with.
#define S(state) (1u << USHER_state_##state)
#define PLAYING (S (watching) | S (rebuffering) | S (seeking))
#define IN_ADS (S (ad) | S (ad_paused))
#define ANY (S (starting) | PLAYING | S (paused) | IN_ADS | S (ended))

//  The product's rules: from these states, this event makes this move. What is not listed changes nothing. to is
//  used by FOLD_GO, FOLD_STALL and FOLD_PROGRESS; the other moves name their own end.
static const struct {
    usher_event_kind_t kind;
    uint32_t from;
    fold_move_t move;
    usher_state_t to;
} moves [] = {
    { USHER_event_kind_play, S (starting) | S (rebuffering) | S (seeking) | S (paused) | S (ended), FOLD_GO,
      USHER_state_watching },
    { USHER_event_kind_pause, S (starting) | PLAYING, FOLD_GO, USHER_state_paused },
    { USHER_event_kind_ping, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_percent_progress, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_quality_change, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_volume_change, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_playback_rate_change, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_fullscreen_change, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_picture_in_picture_change, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_ready, S (starting), FOLD_PROGRESS, USHER_state_watching },
    { USHER_event_kind_buffer_start, S (starting) | S (watching), FOLD_STALL, USHER_state_rebuffering },
    { USHER_event_kind_buffer_end, S (rebuffering), FOLD_UNSTALL, USHER_state_watching },
    { USHER_event_kind_seek_start, S (watching), FOLD_STALL, USHER_state_seeking },
    { USHER_event_kind_seek_end, S (seeking), FOLD_UNSTALL, USHER_state_watching },
    { USHER_event_kind_ad_break_start, ANY, FOLD_ENTER_AD, USHER_state_ad },
    { USHER_event_kind_ad_break_end, IN_ADS, FOLD_LEAVE_AD, USHER_state_watching },
    { USHER_event_kind_ad_start, ANY & ~IN_ADS, FOLD_ENTER_AD_ALONE, USHER_state_ad },
    { USHER_event_kind_ad_complete, IN_ADS, FOLD_LEAVE_AD_ALONE, USHER_state_watching },
    { USHER_event_kind_ad_skip, IN_ADS, FOLD_LEAVE_AD_ALONE, USHER_state_watching },
    { USHER_event_kind_ad_pause, S (ad), FOLD_GO, USHER_state_ad_paused },
    { USHER_event_kind_ad_resume, S (ad_paused), FOLD_GO, USHER_state_ad },
    { USHER_event_kind_end, ANY, FOLD_GO, USHER_state_ended },
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

//  Where an ad outside a break, or a break, lets go to.
static usher_state_t
after_break (usher_state_t before)
{
    return before == USHER_state_ended ? USHER_state_ended : USHER_state_watching;
}

usher_state_t
fold_next (usher_state_t state, usher_event_kind_t kind, usher_state_t before, bool alone, bool moved)
{
    for (size_t row = 0; row < sizeof moves / sizeof *moves; row++) {
        if (moves [row].kind != kind || !is_in (state, moves [row].from))
            continue;
        switch (moves [row].move) {
        case FOLD_GO:
        case FOLD_STALL:
        case FOLD_ENTER_AD:
        case FOLD_ENTER_AD_ALONE:
            return moves [row].to;
        case FOLD_UNSTALL:
            return before;
        case FOLD_LEAVE_AD:
            return after_break (before);
        case FOLD_LEAVE_AD_ALONE:
            return alone ? before : state;
        case FOLD_PROGRESS:
            return moved ? moves [row].to : state;
        }
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
    //  First play to first progress, less the progress made in the meantime.
    double progress_ms = isnan (self->first_play_s) ? 0 : (event->video_s - self->first_play_s) * 1000;
    double spent_ms = (double)(event->order_ms - self->first_play_ms) - (progress_ms > 0 ? progress_ms : 0);
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
    bool moved = take_position (self, event);
    bool unstall = event->kind == USHER_event_kind_buffer_end || event->kind == USHER_event_kind_seek_end;
    usher_state_t next = fold_next (self->state, event->kind, unstall ? self->before_stall : self->before_ad,
                                    self->marks & FOLD_AD_ALONE, moved);
    remember (self, next, event->kind);
    if (next != self->state || !(self->marks & FOLD_BEGUN))
        self->since_ms = event->collected_ms;
    self->state = next;
    self->marks |= FOLD_BEGUN;
    take_start_up (self, event, moved);
    take_ad (self, event);
    if (event->kind == USHER_event_kind_error) {
        self->errors++;
        self->error_ms = event->collected_ms;
    } else if (moved)
        self->error_ms = 0;
    self->sent_clicked = larger (self->sent_clicked, event->ads_clicked);
    self->sent_skipped = larger (self->sent_skipped, event->ads_skipped);
    if (event->collected_ms > self->seen_ms)
        self->seen_ms = event->collected_ms;
    self->order_ms = event->order_ms;
    if (event->ping_s)
        self->ping_ms = event->ping_s * 1000;
}
