//  session - one playback of one medium: its events in order, what they fold to, and what it knows besides

#include "session.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PING_MS = 30000, PING_SLACK_MS = 10000, PING_MIN_MS = 1000, PING_MAX_MS = 300000 };

//  ---- texts

//  Replaces an owned string.
static void
text_set (usher_str_t *field, usher_str_t value)
{
    if (usher_str_eq (*field, value))
        return;
    free ((void *)(uintptr_t)field->data);
    *field = value.size ? usher_bytes (memory_copy (value.data, value.size), value.size) : (usher_str_t){ 0 };
}

//  Calls text_set on every string of a record: to own what was a view (copy), or to let go (not).
static void
texts_each (void *record, usher_msg_id_t id, bool copy)
{
    const usher_layout_t *layout = usher_layout (id);
    for (size_t col = 0; col < layout->field_count; col++) {
        if (layout->fields [col].kind != USHER_STR)
            continue;
        usher_str_t *field = (usher_str_t *)((char *)record + layout->fields [col].offset), view = *field;
        if (copy) {
            *field = (usher_str_t){ 0 };
            text_set (field, view);
        } else
            text_set (field, (usher_str_t){ 0 });
    }
}

void
session_init (session_t *self, usher_str_t session_id)
{
    *self = (session_t){ .known = { .duration_s = NAN, .rate = NAN } };
    text_set (&self->known.session_id, session_id);
    fold_init (&self->base);
    self->now = self->base;
}

void
session_clear (session_t *self)
{
    texts_each (&self->known, USHER_MSG_session_record, false);
    for (size_t at = 0; at < self->count; at++)
        texts_each (&self->window [at], USHER_MSG_window_record, false);
    free (self->window);
    *self = (session_t){ 0 };
}

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

static usher_window_record_t
record_of (const usher_event_t *event)
{
    return (usher_window_record_t){
        .order_ms = event->created_ms ? event->created_ms : event->collected_ms,
        .order_total =
            event->time_played_s + event->time_paused_s + event->time_buffering_s + event->time_ads_s,
        .event_id = event->event_id,
        .kind = event->kind,
        .collected_ms = event->collected_ms,
        .video_s = event->video_s,
        .ads_clicked = event->ads_clicked,
        .ads_skipped = event->ads_skipped,
        .ad_id = event->ad_id,
        .percent = event->percent,
        .ping_s = event->ping_s,
    };
}

//  An event is known by its id; one without is known by all that it says.
static bool
is_same (const usher_window_record_t *a, const usher_window_record_t *b)
{
    if (a->event_id.size || b->event_id.size)
        return usher_str_eq (a->event_id, b->event_id);
    return a->order_ms == b->order_ms && a->kind == b->kind && same_number (a->video_s, b->video_s);
}

//  ---- the window

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

static bool
is_known (const session_t *self, const usher_window_record_t *record)
{
    for (size_t at = self->count; at-- > 0;)
        if (is_same (&self->window [at], record))
            return true;
    return false;
}

//  Puts a record in its place; returns where.
static size_t
window_insert (session_t *self, const usher_window_record_t *record)
{
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 4;
        self->window = memory_resize (self->window, self->room, sizeof *self->window);
    }
    size_t at = self->count;
    while (at > 0 && session_order (record, &self->window [at - 1]) < 0)
        at--;
    memmove (&self->window [at + 1], &self->window [at], (self->count - at) * sizeof *self->window);
    self->window [at] = *record;
    texts_each (&self->window [at], USHER_MSG_window_record, true);
    self->count++;
    return at;
}

//  How many of the oldest events are out of the window. Those of one instant leave together, as only the instant is
//  remembered of them; a crowd at one instant that would keep the window at twice its size is parted all the same.
static size_t
window_excess (const session_t *self)
{
    size_t gone = 0, whole = 0;
    while (self->window [gone].order_ms + SESSION_WINDOW_MS < newest_order (self))
        gone++;
    whole = gone;
    while (self->count - gone > SESSION_WINDOW_EVENTS) {
        gone++;
        if (self->window [gone].order_ms != self->window [gone - 1].order_ms)
            whole = gone;
    }
    return self->count - whole > 2 * SESSION_WINDOW_EVENTS ? gone : whole;
}

//  Folds the oldest events away that are out of the window.
static void
window_trim (session_t *self)
{
    size_t gone = window_excess (self);
    for (size_t at = 0; at < gone; at++) {
        usher_window_record_t *record = &self->window [at];
        fold_apply (&self->base, record);
        if (record->has_row)
            self->base.row_ms = record->collected_ms;
        texts_each (record, USHER_MSG_window_record, false);
    }
    memmove (self->window, self->window + gone, (self->count - gone) * sizeof *self->window);
    self->count -= gone;
}

//  Folds one event and notes in it which history row it asks for. Returns whether that changed.
static bool
fold_noting (fold_t *fold, usher_window_record_t *record)
{
    bool first = !(fold->marks & FOLD_BEGUN);
    usher_status_t before = fold_status (fold->state);
    usher_window_record_t old = *record;
    fold_apply (fold, record);
    //  Which key the row gets is the viewer's business: other sessions may have a row at the same instant.
    bool wanted = first || fold_status (fold->state) != before;
    record->row_state = wanted ? fold->state : 0;
    record->row_status = wanted ? fold_status (fold->state) : 0;
    record->row_clicked = wanted ? fold_clicked (fold) : 0;
    record->row_skipped = wanted ? fold_skipped (fold) : 0;
    record->row_wanted = wanted;
    return old.row_wanted != wanted || old.row_state != record->row_state ||
           old.row_clicked != record->row_clicked || old.row_skipped != record->row_skipped;
}

//  ---- attributes and totals

static void
raise (double *total, double value)
{
    //  A NaN compares false; infinities were refused at the door.
    if (value > *total)
        *total = value;
}

static void
raise_count (uint32_t *total, uint32_t value)
{
    if (value > *total)
        *total = value;
}

static void
take_totals (session_t *self, const usher_event_t *event)
{
    usher_session_record_t *known = &self->known;
    raise (&known->time_played_s, event->time_played_s);
    raise (&known->time_paused_s, event->time_paused_s);
    raise (&known->time_buffering_s, event->time_buffering_s);
    raise (&known->time_ads_s, event->time_ads_s);
    raise (&known->time_muted_s, event->time_muted_s);
    raise (&known->content_s, event->content_s);
    raise_count (&known->ads, event->ads);
    raise_count (&known->ad_breaks, event->ad_breaks);
}

static void
take_player (usher_session_record_t *known, const usher_event_t *event)
{
    text_set (&known->media_label, event->media_label);
    text_set (&known->media_type, event->media_type);
    text_set (&known->player_type, event->player_type);
    text_set (&known->quality, event->quality);
    known->duration_s = event->duration_s;
    known->rate = event->rate;
    known->volume = event->volume;
    known->flags = event->flags;
}

static void
take_ad_entity (usher_session_record_t *known, const usher_event_t *event)
{
    text_set (&known->ad_id, event->ad_id);
    text_set (&known->ad_name, event->ad_name);
}

static void
take_break (usher_session_record_t *known, const usher_event_t *event)
{
    text_set (&known->break_id, event->break_id);
    text_set (&known->break_name, event->break_name);
    text_set (&known->break_type, event->break_type);
}

static void
take_quality (usher_session_record_t *known, const usher_event_t *event)
{
    known->bitrate = event->bitrate;
    known->fps = event->fps;
}

static void
take_error (usher_session_record_t *known, const usher_event_t *event)
{
    text_set (&known->error_text, event->error_text);
}

static void
take_who (usher_session_record_t *known, const usher_event_t *event)
{
    text_set (&known->platform, event->platform);
    text_set (&known->app_id, event->app_id);
}

//  Is a record the newest that has a group of attributes? key is the instant of the newest so far; at that instant the
//  order in full decides. That one is in the window: what left it has an earlier instant than any that may still come.
static bool
is_newest_of (const session_t *self, const usher_window_record_t *record, uint32_t group, uint64_t key)
{
    if (record->order_ms != key)
        return record->order_ms > key;
    for (size_t at = self->count; at-- > 0 && self->window [at].order_ms >= key;)
        if ((self->window [at].groups & group) && self->window [at].order_ms == key &&
            session_order (&self->window [at], record) > 0)
            return false;
    return true;
}

//  Each group of attributes comes from the newest event that has it; record notes which ones this has. Returns whether
//  one that people look at changed.
static bool
take_attributes (session_t *self, const usher_event_t *event, usher_window_record_t *record)
{
    usher_session_record_t *known = &self->known;
    bool has_who = event->platform.size || event->app_id.size;
    const struct {
        bool has;
        uint64_t *key;
        void (*take) (usher_session_record_t *known, const usher_event_t *event);
    } groups [] = {
        { event->has & USHER_HAS_PLAYER, &known->player_key, take_player },
        { (event->has & USHER_HAS_AD) || event->ad_id.size, &known->ad_key, take_ad_entity },
        { event->has & USHER_HAS_BREAK, &known->break_key, take_break },
        { event->has & USHER_HAS_QUALITY, &known->quality_key, take_quality },
        { event->has & USHER_HAS_ERROR, &known->error_key, take_error },
        { has_who, &known->who_key, take_who },
    };
    for (size_t row = 0; row < sizeof groups / sizeof *groups; row++) {
        if (!groups [row].has)
            continue;
        record->groups |= 1u << row;
        if (!is_newest_of (self, record, 1u << row, *groups [row].key))
            continue;
        *groups [row].key = record->order_ms;
        groups [row].take (known, event);
    }
    if (event->kind == USHER_event_kind_percent_progress)
        raise_count (&known->percent, event->percent + 1);
    return event->kind != USHER_event_kind_ping && event->kind != USHER_event_kind_percent_progress;
}

//  ---- an event

//  What can lead from one state to another is hard even where it changes nothing now: one that comes late may turn it
//  into a change. Positions and totals heal with the next ping.
static bool
is_hard (usher_event_kind_t kind)
{
    switch (kind) {
    case USHER_event_kind_ping:
    case USHER_event_kind_percent_progress:
    case USHER_event_kind_quality_change:
    case USHER_event_kind_volume_change:
    case USHER_event_kind_playback_rate_change:
    case USHER_event_kind_fullscreen_change:
    case USHER_event_kind_picture_in_picture_change:
    case USHER_event_kind_ready:
    case USHER_event_kind_ad_quartile:
        return false;
    default:
        return true;
    }
}

//  Evidence of life gives a lost session back what it was.
static void
restore (session_t *self, const usher_event_t *event)
{
    if (self->known.expired_ms == 0 ||
        (event->collected_ms <= self->now.seen_ms && event->kind != USHER_event_kind_end))
        return;
    self->known.expired_ms = 0;
    self->known.expired_state = 0;
    self->now.error_ms = 0;
}

static bool
refold (session_t *self, size_t from)
{
    bool rows = false;
    if (from + 1 < self->count) {
        //  Something came late: what follows it may mean something else now.
        self->now = self->base;
        from = 0;
    }
    for (size_t at = from; at < self->count; at++)
        rows = fold_noting (&self->now, &self->window [at]) || rows;
    return rows;
}

session_effect_t
session_take (session_t *self, const usher_event_t *event)
{
    usher_window_record_t record = record_of (event);
    if (is_known (self, &record))
        return (session_effect_t){ .outcome = SESSION_DUPLICATE };
    take_totals (self, event);
    if (is_late (self, &record))
        return (session_effect_t){ .outcome = SESSION_LATE };
    usher_state_t state = session_state (self);
    fold_t before = self->now;
    restore (self, event);
    bool relabels =
        (event->has & USHER_HAS_PLAYER) && !usher_str_eq (event->media_label, self->known.media_label);
    bool visible = take_attributes (self, event, &record);
    size_t at = window_insert (self, &record);
    session_effect_t effect = { .outcome = SESSION_APPLIED };
    effect.rows = refold (self, at);
    bool ads = fold_clicked (&before) != fold_clicked (&self->now) ||
               fold_skipped (&before) != fold_skipped (&self->now);
    bool newest = at + 1 == self->count;
    //  Rows name the medium: a new name has them written again.
    bool relabelled = relabels && usher_str_eq (event->media_label, self->known.media_label);
    effect.rows = effect.rows || relabelled;
    effect.reordered = !newest || relabelled;
    effect.announce = newest && (ads || self->window [at].row_wanted);
    effect.hard = effect.rows || ads || is_hard (event->kind) || session_state (self) != state;
    effect.changed = effect.hard || visible;
    window_trim (self);
    return effect;
}

//  ---- state and time

usher_state_t
session_state (const session_t *self)
{
    return self->known.expired_ms ? self->known.expired_state : self->now.state;
}

usher_status_t
session_status (const session_t *self)
{
    return fold_status (self->now.state);
}

static uint64_t
ping_timeout_ms (const session_t *self)
{
    uint64_t ping_ms = self->now.ping_ms ? self->now.ping_ms : DEFAULT_PING_MS;
    if (ping_ms < PING_MIN_MS)
        ping_ms = PING_MIN_MS;
    if (ping_ms > PING_MAX_MS)
        ping_ms = PING_MAX_MS;
    return ping_ms * 5 / 2 + PING_SLACK_MS;
}

uint64_t
session_deadline (const session_t *self, const config_t *config, usher_state_t *becomes)
{
    static const uint32_t pinging = 1u << USHER_state_watching | 1u << USHER_state_rebuffering |
                                    1u << USHER_state_seeking | 1u << USHER_state_ad;
    if (self->known.expired_ms || self->now.state == USHER_state_ended)
        return UINT64_MAX;
    bool pings = pinging >> self->now.state & 1;
    bool starting = self->now.state == USHER_state_starting;
    uint64_t timeout = pings ? ping_timeout_ms (self) : (uint64_t)config->shard.paused_timeout_s * 1000;
    uint64_t since = self->now.seen_ms > self->grace_ms ? self->now.seen_ms : self->grace_ms;
    bool error = self->now.error_ms && (pings || starting);
    *becomes = error ? USHER_state_failed : USHER_state_lost;
    if (error) {
        since = self->now.error_ms > self->grace_ms ? self->now.error_ms : self->grace_ms;
        timeout = ping_timeout_ms (self);
    }
    return since + timeout;
}

void
session_expire (session_t *self, usher_state_t state, uint64_t at_ms)
{
    self->known.expired_ms = at_ms;
    self->known.expired_state = state;
}

uint64_t
session_forget_at (const session_t *self, const config_t *config)
{
    uint64_t ended_ms = self->known.expired_ms;
    if (ended_ms == 0 && self->now.state != USHER_state_ended)
        return UINT64_MAX;
    if (ended_ms == 0)
        ended_ms = self->now.seen_ms;
    return ended_ms + (uint64_t)config->shard.forget_s * 1000;
}

//  ---- what it tells others

bool
session_row_wanted (const session_t *self, size_t at, usher_history_t *row)
{
    const usher_window_record_t *record = &self->window [at];
    if (!record->row_wanted)
        return false;
    row->event_id = record->event_id;
    row->kind = record->kind;
    row->video_s = isnan (record->video_s) ? 0 : record->video_s;
    row->ads_clicked = record->row_clicked;
    row->ads_skipped = record->row_skipped;
    row->ad_id = record->ad_id;
    row->status = record->row_status;
    row->state = record->row_state;
    row->session_id = self->known.session_id;
    row->media_label = self->known.media_label;
    return true;
}

static uint32_t
larger (uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void
session_describe (const session_t *self, usher_session_t *out)
{
    const usher_session_record_t *known = &self->known;
    const fold_t *now = &self->now;
    out->session_id = known->session_id;
    out->state = session_state (self);
    out->status = session_status (self);
    out->since_ms = known->expired_ms ? known->expired_ms : now->since_ms;
    out->seen_ms = now->seen_ms;
    out->position_s = now->position_s;
    out->duration_s = known->duration_s;
    out->percent = known->percent;
    out->rate = known->rate;
    out->volume = known->volume;
    out->flags = known->flags;
    out->ads = larger (now->ads, known->ads);
    out->ads_clicked = fold_clicked (now);
    out->ads_skipped = fold_skipped (now);
    out->ads_completed = now->ads_completed;
    out->ad_breaks = larger (now->ad_breaks, known->ad_breaks);
    out->skip_streak = now->skip_streak;
    out->quartile = now->quartile;
    out->in_ad =
        (now->marks & FOLD_IN_AD ? USHER_IN_AD : 0) | (now->marks & FOLD_IN_BREAK ? USHER_IN_BREAK : 0);
    out->time_played_s = known->time_played_s;
    out->time_paused_s = known->time_paused_s;
    out->time_buffering_s = known->time_buffering_s;
    out->time_ads_s = known->time_ads_s;
    out->content_s = known->content_s;
    out->stalls = now->stalls;
    out->errors = now->errors;
    out->startup_ms = now->startup_ms;
    out->media_label = known->media_label;
    out->media_type = known->media_type;
    out->player_type = known->player_type;
    out->quality = known->quality;
    out->platform = known->platform;
    out->app_id = known->app_id;
    out->ad_id = known->ad_id;
    out->ad_name = known->ad_name;
    out->break_id = known->break_id;
    out->break_name = known->break_name;
    out->break_type = known->break_type;
    out->error_text = known->error_text;
}

//  ---- stored

//  Appends one record; 0 once it did not fit.
static size_t
append (void *data, size_t used, size_t size, const usher_msg_t *msg)
{
    size_t bytes = used == SIZE_MAX ? 0 : usher_encode (msg, (char *)data + used, size - used);
    return bytes ? used + bytes : SIZE_MAX;
}

size_t
session_store (const session_t *self, void *data, size_t size)
{
    usher_msg_t msg = { .id = USHER_MSG_session_record, .session_record = self->known };
    size_t used = append (data, 0, size, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_fold_record, .fold_record = self->base };
    used = append (data, used, size, &msg);
    for (size_t at = 0; at < self->count; at++) {
        msg = (usher_msg_t){ .id = USHER_MSG_window_record, .window_record = self->window [at] };
        used = append (data, used, size, &msg);
    }
    return used == SIZE_MAX ? 0 : used;
}

bool
session_restore (session_t *self, const usher_session_record_t *record, usher_frame_t *frame,
                 usher_msg_t *next)
{
    session_init (self, record->session_id);
    usher_session_record_t known = *record;
    texts_each (&self->known, USHER_MSG_session_record, false);
    texts_each (&known, USHER_MSG_session_record, true);
    self->known = known;
    if (usher_decode (frame, next) != USHER_OK || next->id != USHER_MSG_fold_record)
        return false;
    //  LOST and FAILED are no states of a fold: such bytes are damaged.
    const fold_t *base = &next->fold_record;
    if (base->state > USHER_state_ended || base->before_ad > USHER_state_ended ||
        base->before_stall > USHER_state_ended)
        return false;
    self->base = self->now = next->fold_record;
    while (usher_decode (frame, next) == USHER_OK && next->id == USHER_MSG_window_record) {
        window_insert (self, &next->window_record);
        fold_noting (&self->now, &self->window [self->count - 1]);
    }
    return true;
}
