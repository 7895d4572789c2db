//  known - what a session knows beside its folds: newest attributes, largest totals

#include "known.h"
#include "snowplow/device.h"
#include "text.h"
#include "window.h"

#include <stddef.h>
#include <xxhash.h>

//  ---- totals

static void
raise (double *total, double value)
{
    //  A NaN compares false; infinities were refused at the door. Most events have none, and need not look at the total.
    if (value > 0 && value > *total)
        *total = value;
}

static void
raise_count (uint32_t *total, uint32_t value)
{
    if (value && value > *total)
        *total = value;
}

void
known_take_totals (usher_session_record_t *self, const usher_event_t *event)
{
    raise (&self->time_played_s, event->time_played_s);
    raise (&self->time_paused_s, event->time_paused_s);
    raise (&self->time_buffering_s, event->time_buffering_s);
    raise (&self->time_ads_s, event->time_ads_s);
    raise (&self->time_muted_s, event->time_muted_s);
    raise (&self->content_s, event->content_s);
    raise_count (&self->ads, event->ads);
    raise_count (&self->ad_breaks, event->ad_breaks);
    if (event->has & USHER_HAS_SESSION)
        self->has_totals = 1;
}

//  ---- attributes

static void
take_player (usher_session_record_t *self, const usher_event_t *event)
{
    texts_set (self, &self->media_label, event->media_label);
    texts_set (self, &self->media_type, event->media_type);
    texts_set (self, &self->player_type, event->player_type);
    texts_set (self, &self->quality, event->quality);
    self->duration_s = event->duration_s;
    self->rate = event->rate;
    self->volume = event->volume;
    self->flags = event->flags;
}

static void
take_ad (usher_session_record_t *self, const usher_event_t *event)
{
    texts_set (self, &self->ad_id, event->ad_id);
    texts_set (self, &self->ad_name, event->ad_name);
    texts_set (self, &self->creative_id, event->creative_id);
    self->pod_position = event->pod_position;
    self->ad_duration_s = event->ad_duration_s;
    self->skippable = event->skippable;
}

static void
take_break (usher_session_record_t *self, const usher_event_t *event)
{
    texts_set (self, &self->break_id, event->break_id);
    texts_set (self, &self->break_name, event->break_name);
    texts_set (self, &self->break_type, event->break_type);
}

static void
take_quality (usher_session_record_t *self, const usher_event_t *event)
{
    self->bitrate = event->bitrate;
    self->fps = event->fps;
}

static void
take_error (usher_session_record_t *self, const usher_event_t *event)
{
    texts_set (self, &self->error_text, event->error_text);
}

//  The user agent is read when it is another one than before, not with every event.
static void
take_device (usher_session_record_t *self, usher_str_t user_agent)
{
    uint64_t hash = user_agent.size ? XXH64 (user_agent.data, user_agent.size, 0) : 0;
    if (hash == self->agent_hash)
        return;
    device_t device = device_read (user_agent);
    self->agent_hash = hash;
    self->device = device.device;
    self->os = device.os;
}

static void
take_who (usher_session_record_t *self, const usher_event_t *event)
{
    texts_set (self, &self->platform, event->platform);
    texts_set (self, &self->app_id, event->app_id);
    texts_set (self, &self->country, event->country);
    texts_set (self, &self->city, event->city);
    self->identified = event->identified;
    take_device (self, event->user_agent);
}

static void
take_rate (usher_session_record_t *self, const usher_event_t *event)
{
    self->avg_rate = event->avg_rate;
}

//  key is the collector's instant of the newest so far; at that instant the order in full decides. That one is in the
//  window: what left it is earlier by the device too, so what comes before it now would be late. A window that is not open
//  has none at that instant: see session_follows.
static bool
is_newest_of (const session_t *session, const window_event_t *record, uint32_t group, uint64_t key)
{
    if (record->collected_ms != key)
        return record->collected_ms > key;
    for (size_t at = 0; at < session->count; at++)
        if ((session->window [at].groups & group) && session->window [at].collected_ms == key &&
            window_order_collected (&session->window [at], record) > 0)
            return false;
    return true;
}

//  Which groups an event has, and what takes them. The place in the table is the group's bit in window_event_t.groups, which
//  is stored.
static const struct {
    size_t key;    //  where in the record the instant is
    void (*take) (usher_session_record_t *self, const usher_event_t *event);
} groups [] = {
    { offsetof (usher_session_record_t, player_key), take_player },
    { offsetof (usher_session_record_t, ad_key), take_ad },
    { offsetof (usher_session_record_t, break_key), take_break },
    { offsetof (usher_session_record_t, quality_key), take_quality },
    { offsetof (usher_session_record_t, error_key), take_error },
    { offsetof (usher_session_record_t, who_key), take_who },
    { offsetof (usher_session_record_t, rate_key), take_rate },
};

static uint8_t
groups_of (const usher_event_t *event)
{
    bool who = event->platform.size || event->app_id.size || event->country.size || event->user_agent.size;
    const bool has [] = {
        event->has & USHER_HAS_PLAYER,  (event->has & USHER_HAS_AD) || event->ad_id.size,
        event->has & USHER_HAS_BREAK,   event->has & USHER_HAS_QUALITY,
        event->has & USHER_HAS_ERROR,   who,
        event->has & USHER_HAS_SESSION,
    };
    unsigned found = 0;
    for (size_t row = 0; row < sizeof has / sizeof *has; row++)
        found |= (unsigned)has [row] << row;
    return (uint8_t)found;
}

static uint64_t *
key_of (usher_session_record_t *self, size_t row)
{
    return (uint64_t *)(void *)((char *)self + groups [row].key);
}

static void
group_take (usher_session_record_t *self, size_t row, const usher_event_t *event)
{
    *key_of (self, row) = event->collected_ms;
    groups [row].take (self, event);
}

//  Returns whether it is something that people look at.
static bool
progress_take (usher_session_record_t *self, const usher_event_t *event)
{
    if (event->kind == USHER_event_kind_percent_progress)
        raise_count (&self->percent, event->percent + 1);
    return event->kind != USHER_event_kind_ping && event->kind != USHER_event_kind_percent_progress;
}

bool
known_take_attributes (session_t *session, const usher_event_t *event, window_event_t *record)
{
    usher_session_record_t *self = &session->known;
    unsigned found = groups_of (event);
    for (size_t row = 0; found >> row; row++) {
        if (!(found >> row & 1))
            continue;
        if (is_newest_of (session, record, 1u << row, *key_of (self, row)))
            group_take (self, row, event);
        record->groups |= (uint8_t)(1u << row);
    }
    return progress_take (self, event);
}

bool
known_is_silent (const usher_event_t *event)
{
    bool totals = event->time_played_s > 0 || event->time_paused_s > 0 || event->time_buffering_s > 0 ||
                  event->time_ads_s > 0 || event->time_muted_s > 0 || event->content_s > 0 || event->ads ||
                  event->ad_breaks;
    return !totals && groups_of (event) == 0;
}
