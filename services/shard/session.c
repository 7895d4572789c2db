//  session - one playback of one medium: its events in order, what they fold to, and what it knows besides

#include "session.h"
#include "known.h"
#include "memory.h"
#include "sum.h"
#include "text.h"
#include "window.h"

#include <math.h>
#include <stdlib.h>

enum {
    SESSION_ID_MAX = 1024,               //  bytes; the limit of session_record.session_id
    EXIT_FLOOR_MS = 1000,                //  an attempt that ends sooner was none
    RUNNING_TIMES_MAX_S = 1000000000,    //  all that are longer are equal
    FOLD_BOUND = 512                     //  bytes of a fold, and of what heads the window, stored
};

void
session_init (session_t *self, usher_str_t session_id)
{
    *self = (session_t){ .known = { .duration_s = NAN, .rate = NAN, .avg_rate = NAN, .ad_duration_s = NAN } };
    texts_set (&self->known, &self->known.session_id, session_id);
    fold_init (&self->base);
    self->now = self->base;
}

void
session_clear (session_t *self)
{
    texts_free (&self->known);
    window_free (self);
    *self = (session_t){ 0 };
}

//  ---- an event

usher_str_t
session_name (const usher_event_t *event)
{
    usher_str_t name = event->session_id.size ? event->session_id : event->media_label;
    if (name.size > SESSION_ID_MAX)
        name.size = SESSION_ID_MAX;
    return name;
}

//  The running times are told in decimals; their sum's last digits depend on who adds.
static uint64_t
microseconds (double seconds)
{
    if (!(seconds > 0))
        return 0;
    return seconds < RUNNING_TIMES_MAX_S ? (uint64_t)(seconds * 1e6 + 0.5)
                                         : (uint64_t)RUNNING_TIMES_MAX_S * 1000000;
}

static window_event_t
record_of (const usher_event_t *event)
{
    window_event_t record = {
        .order_ms = event->created_ms ? event->created_ms : event->collected_ms,
        .order_total_us = microseconds (event->time_played_s + event->time_paused_s +
                                        event->time_buffering_s + event->time_ads_s),
        .kind = (uint8_t)event->kind,
        .collected_ms = event->collected_ms,
        .video_s = event->video_s,
        .ads_clicked = event->ads_clicked,
        .ads_skipped = event->ads_skipped,
        .ad_id = event->ad_id,
        .percent = (uint8_t)event->percent,
        .ping_s = (uint16_t)event->ping_s,
        .bitrate = event->bitrate < UINT32_MAX ? (uint32_t)event->bitrate : UINT32_MAX,
    };
    record.has_uuid = uuid_read (event->event_id, record.uuid);
    if (!record.has_uuid)
        record.text_id = event->event_id;
    return record;
}

//  Folds one event and notes in it which history row it asks for. Returns whether that changed.
static bool
fold_noting (fold_t *fold, window_event_t *record)
{
    bool first = !(fold->marks & FOLD_BEGUN);
    usher_status_t before = fold_status (fold->state);
    window_event_t old = *record;
    fold_apply (fold, record);
    //  Which key the row gets is the viewer's business: other sessions may have a row at the same instant.
    bool wanted = first || fold_status (fold->state) != before;
    record->row_state = wanted ? (uint8_t)fold->state : 0;
    record->row_status = wanted ? (uint8_t)fold_status (fold->state) : 0;
    record->row_clicked = wanted ? fold_clicked (fold) : 0;
    record->row_skipped = wanted ? fold_skipped (fold) : 0;
    record->row_wanted = wanted;
    return old.row_wanted != wanted || old.row_state != record->row_state ||
           old.row_clicked != record->row_clicked || old.row_skipped != record->row_skipped;
}

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

//  A tracker that got no answer sends an event again, and the collector gives the copy a time of its own. The earliest
//  copy is the event, whichever came first.
static session_effect_t
take_copy (session_t *self, window_event_t *record, size_t at)
{
    session_effect_t effect = { .outcome = SESSION_DUPLICATE };
    const window_event_t *other = &self->window [at];
    if (record->collected_ms >= other->collected_ms)
        return effect;
    effect.replaced_ms = other->collected_ms;
    effect.replaced_row = other->has_row;
    record->groups = other->groups;
    window_remove (self, at);
    window_put (self, record);
    self->now = self->base;
    refold (self, 0);
    effect.rows = effect.reordered = effect.hard = effect.changed = true;
    return effect;
}

//  What of a fold tells whether an event was a hard fact.
typedef struct {
    usher_state_t state;
    uint32_t clicked, skipped;
} glance_t;

static glance_t
glance_of (const fold_t *fold)
{
    return (glance_t){ fold->state, fold_clicked (fold), fold_skipped (fold) };
}

static void
effect_note (session_effect_t *effect, const session_t *self, glance_t before, const usher_event_t *event,
             bool visible, const window_event_t *newest)
{
    glance_t now = glance_of (&self->now);
    bool ads = now.clicked != before.clicked || now.skipped != before.skipped;
    effect->announce = newest && (ads || newest->row_wanted);
    //  A session that silence had ended may go on.
    effect->hard =
        effect->rows || ads || is_hard (event->kind) || now.state != before.state || self->known.expired_ms;
    effect->changed = effect->hard || visible;
}

static session_effect_t
take_new (session_t *self, const usher_event_t *event, window_place_t place)
{
    glance_t before = glance_of (&self->now);
    window_event_t *record = &self->window [place.at];
    bool relabels =
        (event->has & USHER_HAS_PLAYER) && !usher_str_eq (event->media_label, self->known.media_label);
    bool visible = known_take_attributes (self, event, record);
    session_effect_t effect = { .outcome = SESSION_APPLIED };
    if (place.shuffled)
        self->now = self->base;
    effect.rows = refold (self, place.shuffled ? 0 : place.at);
    bool newest = place.at + 1 == self->count;
    //  Rows name the medium: a new name has them written again.
    bool relabelled = relabels && usher_str_eq (event->media_label, self->known.media_label);
    effect.rows = effect.rows || relabelled;
    effect.reordered = !newest || place.shuffled || relabelled;
    effect_note (&effect, self, before, event, visible, newest ? record : NULL);
    window_trim (self);
    return effect;
}

static session_effect_t
take_open (session_t *self, const usher_event_t *event)
{
    window_event_t record = record_of (event);
    window_place_t place = window_put (self, &record);
    if (place.outcome == WINDOW_KNOWN)
        return take_copy (self, &record, place.at);
    known_take_totals (&self->known, event);
    if (place.outcome == WINDOW_LATE)
        return (session_effect_t){ .outcome = SESSION_LATE };
    return take_new (self, event, place);
}

session_effect_t
session_take (session_t *self, const usher_event_t *event)
{
    if (self->window)
        return take_open (self, event);
    window_open (self);
    session_effect_t effect = take_open (self, event);
    window_close (self);
    return effect;
}

bool
session_follows (const session_t *self, const usher_event_t *event, uint64_t evidence_ms,
                 window_event_t *record)
{
    bool relabels =
        (event->has & USHER_HAS_PLAYER) && !usher_str_eq (event->media_label, self->known.media_label);
    if (!(self->now.marks & FOLD_BEGUN) || event->collected_ms <= evidence_ms || relabels)
        return false;
    *record = record_of (event);
    return window_follows (self, record);
}

session_effect_t
session_take_next (session_t *self, const usher_event_t *event, window_event_t *record)
{
    glance_t before = glance_of (&self->now);
    known_take_totals (&self->known, event);
    bool visible = known_take_attributes (self, event, record);
    session_effect_t effect = { .outcome = SESSION_APPLIED, .rows = fold_noting (&self->now, record) };
    effect_note (&effect, self, before, event, visible, record);
    return effect;
}

//  ---- what it tells others

void
session_row (const session_t *self, const window_event_t *record, char *id, usher_history_t *row)
{
    row->event_id = window_event_id (record, id);
    row->kind = record->kind;
    row->video_s = isnan (record->video_s) ? 0 : record->video_s;
    row->ads_clicked = record->row_clicked;
    row->ads_skipped = record->row_skipped;
    row->ad_id = record->ad_id;
    row->status = record->row_status;
    row->state = record->row_state;
    row->session_id = self->known.session_id;
    row->media_label = self->known.media_label;
}

//  Left before the video started, without an error. An end tells when; silence does not, but it was no moment.
static bool
session_exited (const session_t *self)
{
    const fold_t *now = &self->now;
    usher_state_t state = session_state (self);
    bool attempt = now->first_play_ms && !now->startup_ms && !now->errors && !isnan (now->position_s);
    if (state == USHER_state_ended)
        return attempt && now->order_ms >= now->first_play_ms + EXIT_FLOOR_MS;
    return attempt && state == USHER_state_lost;
}

static void
describe_totals (const session_t *self, usher_session_t *out)
{
    usher_sum_record_t totals = { 0 };
    sum_add (&totals, self);
    out->ads = totals.ads;
    out->ads_clicked = totals.clicked;
    out->ads_skipped = totals.skipped;
    out->ads_completed = totals.completed;
    out->ad_breaks = totals.breaks;
    out->time_played_s = totals.played_s;
    out->time_paused_s = totals.paused_s;
    out->time_buffering_s = totals.buffering_s;
    out->time_ads_s = totals.ads_s;
    out->time_muted_s = totals.muted_s;
    out->content_s = totals.content_s;
    out->stalls = totals.stalls;
    out->errors = totals.errors;
}

static void
describe_fold (const session_t *self, usher_session_t *out)
{
    const fold_t *now = &self->now;
    out->state = session_state (self);
    out->status = session_status (self);
    out->since_ms = self->known.expired_ms ? self->known.expired_ms : now->since_ms;
    out->seen_ms = now->seen_ms;
    out->position_s = now->position_s;
    out->skip_streak = now->skip_streak;
    out->quartile = now->quartile;
    out->in_ad =
        (now->marks & FOLD_IN_AD ? USHER_IN_AD : 0) | (now->marks & FOLD_IN_BREAK ? USHER_IN_BREAK : 0);
    out->startup_ms = now->startup_ms;
    out->bitrate_changes = now->bitrate_changes;
    out->exited = session_exited (self);
}

static void
describe_ad (const usher_session_record_t *known, usher_session_t *out)
{
    out->ad_id = known->ad_id;
    out->ad_name = known->ad_name;
    out->creative_id = known->creative_id;
    out->pod_position = known->pod_position;
    out->ad_duration_s = known->ad_duration_s;
    out->skippable = known->skippable;
    out->break_id = known->break_id;
    out->break_name = known->break_name;
    out->break_type = known->break_type;
}

static void
describe_known (const usher_session_record_t *known, usher_session_t *out)
{
    out->session_id = known->session_id;
    out->duration_s = known->duration_s;
    out->percent = known->percent;
    out->rate = known->rate;
    out->avg_rate = known->avg_rate;
    out->volume = known->volume;
    out->flags = known->flags;
    out->media_label = known->media_label;
    out->media_type = known->media_type;
    out->player_type = known->player_type;
    out->quality = known->quality;
    out->bitrate = known->bitrate;
    out->fps = known->fps;
    out->platform = known->platform;
    out->app_id = known->app_id;
    out->device = known->device;
    out->os = known->os ? usher_str (usher_os_class_names [known->os]) : (usher_str_t){ 0 };
    out->country = known->country;
    out->city = known->city;
    out->identified = known->identified;
    out->error_text = known->error_text;
}

void
session_describe (const session_t *self, usher_session_t *out)
{
    describe_known (&self->known, out);
    describe_ad (&self->known, out);
    describe_fold (self, out);
    describe_totals (self, out);
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
session_store_bound (const session_t *self)
{
    usher_msg_t known = { .id = USHER_MSG_session_record, .session_record = self->known };
    return usher_encode_bound (&known) + FOLD_BOUND + strip_bytes (&self->strip).size;
}

size_t
session_store (const session_t *self, void *data, size_t size)
{
    usher_msg_t msg = { .id = USHER_MSG_session_record, .session_record = self->known };
    size_t used = append (data, 0, size, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_fold_record, .fold_record = self->base };
    used = append (data, used, size, &msg);
    msg = (usher_msg_t){ .id = USHER_MSG_window_strip };
    msg.window_strip = (usher_window_strip_t){ self->strip.count, strip_bytes (&self->strip) };
    used = append (data, used, size, &msg);
    return used == SIZE_MAX ? 0 : used;
}

static bool
is_sound (const usher_session_record_t *known, const fold_t *base)
{
    //  LOST and FAILED are no states of a fold, and nothing else comes from silence: such bytes are damaged.
    return base->state <= USHER_state_ended && base->before_ad <= USHER_state_ended &&
           base->before_stall <= USHER_state_ended &&
           (known->expired_ms == 0 || known->expired_state > USHER_state_ended);
}

bool
session_restore (session_t *self, const usher_session_record_t *record, usher_frame_t *frame,
                 usher_msg_t *next)
{
    session_init (self, (usher_str_t){ 0 });
    self->known = *record;
    texts_own (&self->known);
    if (usher_decode (frame, next) != USHER_OK || next->id != USHER_MSG_fold_record ||
        !is_sound (&self->known, &next->fold_record))
        return false;
    self->base = next->fold_record;
    if (usher_decode (frame, next) != USHER_OK || next->id != USHER_MSG_window_strip ||
        !strip_restore (&self->strip, next->window_strip.count, self->base.order_ms,
                        next->window_strip.events))
        return false;
    session_settle (self);
    usher_decode (frame, next);
    return true;
}

void
session_settle (session_t *self)
{
    window_recount (self);
    self->now = self->base;
    strip_reader_t reader = strip_open (&self->strip);
    for (window_event_t event; strip_read (&reader, &event);)
        fold_apply (&self->now, &event);
}
