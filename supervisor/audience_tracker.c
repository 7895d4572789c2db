//  audience_tracker - the Snowplow tracker with media plugin that a simulated player carries
//
//  First the totals, then a bounded writer of text, then entities, then whole requests. Entities are JSON
//  inside a JSON string (the protocol's `co` and `ue_pr` are texts), so each is written to a scratch buffer and
//  quoted into the body. The order of members is the recorded browser's (shared samples of tracker 4.10).

#include "audience_tracker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SCRATCH_SIZE 4096
#define MEDIA_SCHEMA "iglu:com.snowplowanalytics.snowplow.media/"
#define SNOWPLOW_SCHEMA "iglu:com.snowplowanalytics.snowplow/"

static const char *const event_names [EVENT_COUNT] = {
#define X(id, name) [EVENT_##id] = name,
    MEDIA_EVENTS (X)
#undef X
};

const char *
media_event_name (media_event_t event)
{
    return event_names [event];
}

//  ---------------------------------------------------------------------------------------------------------
//  Totals

static void
s_second_seen (tracker_totals_t *self, int64_t second)
{
    if (second < 0 || second >= TRACKER_SECONDS_MAX)
        return;
    uint8_t bit = (uint8_t)(1u << (second & 7));
    if ((self->seconds [second >> 3] & bit) == 0) {
        self->seconds [second >> 3] |= bit;
        self->watched_s++;
    }
}

//  The plugin marks each second from the last event's position to this one's while playing; a seek forward
//  counts as seen too. That is what it sends, so that is what is counted here.
static void
s_totals_watch (tracker_totals_t *self, const tracker_player_t *player)
{
    int64_t to = player->position_ms / 1000;
    if (self->started && !self->paused)
        for (int64_t second = self->position_ms / 1000; second < to; second++)
            s_second_seen (self, second);
    if (!player->paused)
        s_second_seen (self, to);
}

//  Time since the last event belongs to the ad if one was playing, else to playing or to the pause.
static void
s_totals_pass (tracker_totals_t *self, int64_t elapsed_ms)
{
    if (self->buffering)
        self->buffering_ms += elapsed_ms;
    if (self->ad_playing)
        self->ads_ms += elapsed_ms;
    else if (self->paused)
        self->paused_ms += elapsed_ms;
    else {
        self->played_ms += elapsed_ms;
        self->rated_ms += elapsed_ms * self->rate_permille / 1000;
        if (self->muted)
            self->played_muted_ms += elapsed_ms;
    }
}

static void
s_totals_count (tracker_totals_t *self, media_event_t event)
{
    self->ads += event == EVENT_AD_START;
    self->breaks += event == EVENT_AD_BREAK_START;
    self->skipped += event == EVENT_AD_SKIP;
    self->clicked += event == EVENT_AD_CLICK;
    if (event == EVENT_AD_START || event == EVENT_AD_RESUME)
        self->ad_playing = true;
    if (event == EVENT_AD_PAUSE || event == EVENT_AD_COMPLETE || event == EVENT_AD_SKIP)
        self->ad_playing = false;
    if (event == EVENT_BUFFER_START)
        self->buffering = true;
    if (event == EVENT_BUFFER_END)
        self->buffering = false;
}

static void
s_totals_update (tracker_totals_t *self, const tracker_player_t *player, media_event_t event, int64_t now_ms)
{
    if (self->started)
        s_totals_pass (self, now_ms - self->seen_at_ms);
    s_totals_watch (self, player);
    s_totals_count (self, event);
    self->started = true;
    self->seen_at_ms = now_ms;
    self->position_ms = player->position_ms;
    self->paused = player->paused;
    self->muted = player->muted;
    self->rate_permille = player->rate_permille;
}

//  ---------------------------------------------------------------------------------------------------------
//  Text

static void
s_add (tracker_body_t *self, const char *text, size_t length)
{
    //  One byte stays free for the terminator.
    if (self->full || length >= self->size - self->length) {
        self->full = true;
        return;
    }
    memcpy (self->data + self->length, text, length);
    self->length += length;
}

static void
s_put (tracker_body_t *self, const char *text)
{
    s_add (self, text, strlen (text));
}

__attribute__ ((format (printf, 2, 3))) static void
s_print (tracker_body_t *self, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    size_t space = self->size - self->length;
    int length = self->full ? -1 : vsnprintf (self->data + self->length, space, format, arguments);
    va_end (arguments);
    if (length < 0 || (size_t)length >= space)
        self->full = true;
    else
        self->length += (size_t)length;
}

//  A JSON string; UTF-8 passes as it is.
static void
s_quote (tracker_body_t *self, const char *text)
{
    s_put (self, "\"");
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            s_put (self, "\\");
        if (byte < 0x20)
            s_print (self, "\\u%04x", byte);
        else
            s_add (self, text, 1);
    }
    s_put (self, "\"");
}

//  A number of thousandths without trailing zeros, free of the locale's decimal point.
static void
s_thousandths (tracker_body_t *self, int64_t value)
{
    char text [32];
    int length = snprintf (text, sizeof text, "%" PRId64 ".%03d", value / 1000, (int)(value % 1000));
    while (text [length - 1] == '0')
        length--;
    if (text [length - 1] == '.')
        length--;
    s_add (self, text, (size_t)length);
}

static void
s_member (tracker_body_t *self, const char *name, const char *value)
{
    s_print (self, ",\"%s\":", name);
    s_quote (self, value);
}

static void
s_member_bool (tracker_body_t *self, const char *name, bool value)
{
    s_print (self, ",\"%s\":%s", name, value ? "true" : "false");
}

static void
s_member_thousandths (tracker_body_t *self, const char *name, int64_t value)
{
    s_print (self, ",\"%s\":", name);
    s_thousandths (self, value);
}

//  The plugin leaves out what is zero: absent means 0.
static void
s_member_unless_zero (tracker_body_t *self, const char *name, int64_t value)
{
    if (value)
        s_print (self, ",\"%s\":%" PRId64, name, value);
}

static void
s_time_unless_zero (tracker_body_t *self, const char *name, int64_t value_ms)
{
    if (value_ms)
        s_member_thousandths (self, name, value_ms);
}

//  ---------------------------------------------------------------------------------------------------------
//  Entities

static void
s_player_print (tracker_body_t *self, const tracker_player_t *player)
{
    s_put (self,
           "{\"schema\":\"" SNOWPLOW_SCHEMA "media_player/jsonschema/2-0-0\",\"data\":{\"currentTime\":");
    s_thousandths (self, player->position_ms);
    s_member_bool (self, "paused", player->paused);
    s_member_bool (self, "ended", player->ended);
    s_member (self, "label", player->label);
    s_member (self, "mediaType", player->media_type);
    s_member (self, "playerType", player->player_type);
    s_time_unless_zero (self, "duration", player->duration_ms);
    s_member_bool (self, "muted", player->muted);
    s_member_bool (self, "loop", false);
    if (player->live)
        s_member_bool (self, "livestream", true);
    s_member_thousandths (self, "playbackRate", player->rate_permille);
    s_print (self, ",\"volume\":%d", player->volume);
    if (player->quality)
        s_member (self, "quality", player->quality);
    if (player->fullscreen >= 0)
        s_member_bool (self, "fullscreen", player->fullscreen > 0);
    if (player->picture_in_picture >= 0)
        s_member_bool (self, "pictureInPicture", player->picture_in_picture > 0);
    s_put (self, "}}");
}

static void
s_stamp_print (tracker_body_t *self, int64_t stamp_ms)
{
    time_t seconds = (time_t)(stamp_ms / 1000);
    struct tm utc;
    char text [24];
    gmtime_r (&seconds, &utc);
    strftime (text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    s_print (self, "\"%s.%03dZ\"", text, (int)(stamp_ms % 1000));
}

static void
s_session_print (tracker_body_t *self, const tracker_t *tracker)
{
    const tracker_totals_t *totals = &tracker->totals;
    s_put (self, ",{\"schema\":\"" MEDIA_SCHEMA "session/jsonschema/1-0-0\",\"data\":{\"mediaSessionId\":");
    s_quote (self, tracker->media_session);
    s_put (self, ",\"startedAt\":");
    s_stamp_print (self, tracker->started_stamp_ms);
    s_member_unless_zero (self, "pingInterval", tracker->ping_s);
    s_time_unless_zero (self, "timePaused", totals->paused_ms);
    s_time_unless_zero (self, "timePlayed", totals->played_ms);
    s_time_unless_zero (self, "timePlayedMuted", totals->played_muted_ms);
    s_time_unless_zero (self, "timeSpentAds", totals->ads_ms);
    s_time_unless_zero (self, "timeBuffering", totals->buffering_ms);
    s_member_unless_zero (self, "ads", totals->ads);
    s_member_unless_zero (self, "adBreaks", totals->breaks);
    s_member_unless_zero (self, "adsSkipped", totals->skipped);
    s_member_unless_zero (self, "adsClicked", totals->clicked);
    if (totals->played_ms)
        s_member_thousandths (self, "avgPlaybackRate", totals->rated_ms * 1000 / totals->played_ms);
    s_member_unless_zero (self, "contentWatched", totals->watched_s);
    s_put (self, "}}");
}

static void
s_ad_print (tracker_body_t *self, const tracker_ad_t *ad)
{
    s_print (self, ",{\"schema\":\"" MEDIA_SCHEMA "ad/jsonschema/1-0-0\",\"data\":{\"podPosition\":%u",
             ad->pod_position);
    s_member (self, "adId", ad->id);
    s_member (self, "name", ad->name);
    s_member (self, "creativeId", ad->creative);
    s_member_thousandths (self, "duration", ad->duration_ms);
    s_member_bool (self, "skippable", ad->skippable);
    s_put (self, "}}");
}

static void
s_break_print (tracker_body_t *self, const tracker_break_t *ad_break)
{
    s_put (self, ",{\"schema\":\"" MEDIA_SCHEMA "ad_break/jsonschema/1-0-0\",\"data\":{\"startTime\":");
    s_thousandths (self, ad_break->start_ms);
    s_member (self, "breakId", ad_break->id);
    s_member (self, "name", ad_break->name);
    s_member (self, "breakType", ad_break->type);
    s_print (self, ",\"podSize\":%u}}", ad_break->pod_size);
}

static void
s_page_print (tracker_body_t *self, const tracker_t *tracker)
{
    s_put (self, "{\"schema\":\"" SNOWPLOW_SCHEMA "web_page/jsonschema/1-0-0\",\"data\":{\"id\":");
    s_quote (self, tracker->page_id);
    s_put (self, "}}");
}

//  ---------------------------------------------------------------------------------------------------------
//  Requests

void
tracker_body_open (tracker_body_t *self, char *data, size_t size, int64_t sent_stamp_ms)
{
    *self = (tracker_body_t){ .data = data, .size = size, .sent_stamp_ms = sent_stamp_ms, .full = size == 0 };
    s_put (self, "{\"schema\":\"" SNOWPLOW_SCHEMA "payload_data/jsonschema/1-0-4\",\"data\":[");
}

bool
tracker_body_close (tracker_body_t *self)
{
    s_put (self, "]}");
    if (self->full || self->events == 0)
        return false;
    self->data [self->length] = 0;
    return true;
}

void
tracker_begin (tracker_t *self, const char *session_id, int64_t started_stamp_ms)
{
    snprintf (self->media_session, sizeof self->media_session, "%s", session_id);
    self->started_stamp_ms = started_stamp_ms;
    memset (&self->totals, 0, sizeof self->totals);
}

//  The keys that every event of a browser carries, from `eid` to `dtm`.
static void
s_event_open (const tracker_t *tracker, tracker_body_t *body, const char *event_id, int64_t stamp_ms)
{
    const tracker_identity_t *who = tracker->who;
    s_member (body, "eid", event_id);
    s_put (body, ",\"tv\":\"js-4.10.1\",\"tna\":\"sp1\"");
    s_member (body, "aid", who->app_id);
    s_member (body, "p", who->platform);
    if (who->user_agent)
        s_member (body, "ua", who->user_agent);
    s_put (body, ",\"cookie\":\"1\",\"cs\":\"UTF-8\"");
    s_member (body, "lang", who->language);
    s_member (body, "res", who->resolution);
    s_put (body, ",\"cd\":\"24\"");
    s_member (body, "tz", who->time_zone);
    s_print (body, ",\"dtm\":\"%" PRId64 "\"", stamp_ms);
    s_member (body, "vp", who->resolution);
    s_member (body, "ds", who->resolution);
    s_print (body, ",\"vid\":\"%u\"", who->visit);
    s_member (body, "sid", who->domain_session);
    s_member (body, "duid", who->duid);
    if (who->user_id [0])
        s_member (body, "uid", who->user_id);
    s_print (body, ",\"url\":\"%s/watch/%s\"", who->page_root, tracker->slug);
}

static void
s_event_close (tracker_body_t *body)
{
    s_print (body, ",\"stm\":\"%" PRId64 "\"}", body->sent_stamp_ms);
    body->events++;
}

static void
s_contexts_open (tracker_body_t *self)
{
    s_put (self, "{\"schema\":\"" SNOWPLOW_SCHEMA "contexts/jsonschema/1-0-0\",\"data\":[");
}

//  Puts a finished scratch text into the body as one string member.
static void
s_member_text (tracker_body_t *body, const char *name, tracker_body_t *text)
{
    body->full = body->full || text->full;
    text->data [text->length] = 0;
    s_member (body, name, text->data);
}

void
tracker_page_view (const tracker_t *self, tracker_body_t *body, const char *event_id, int64_t stamp_ms)
{
    char scratch [SCRATCH_SIZE];
    tracker_body_t text = { .data = scratch, .size = sizeof scratch };
    s_contexts_open (&text);
    s_page_print (&text, self);
    s_put (&text, "]}");

    s_put (body, body->events ? ",{\"e\":\"pv\"" : "{\"e\":\"pv\"");
    s_event_open (self, body, event_id, stamp_ms);
    s_member (body, "page", self->player.label);
    s_member_text (body, "co", &text);
    s_event_close (body);
}

static void
s_entities_print (tracker_body_t *text, const tracker_t *tracker)
{
    s_contexts_open (text);
    s_player_print (text, &tracker->player);
    s_session_print (text, tracker);
    if (tracker->ad.shown)
        s_ad_print (text, &tracker->ad);
    if (tracker->ad_break.shown)
        s_break_print (text, &tracker->ad_break);
    s_put (text, ",");
    s_page_print (text, tracker);
    s_put (text, "]}");
}

void
tracker_event (tracker_t *self, tracker_body_t *body, media_event_t event, const char *event_id,
               int64_t now_ms, int64_t stamp_ms, const char *data)
{
    s_totals_update (&self->totals, &self->player, event, now_ms);

    char scratch [SCRATCH_SIZE];
    tracker_body_t text = { .data = scratch, .size = sizeof scratch };
    s_put (body, body->events ? ",{\"e\":\"ue\"" : "{\"e\":\"ue\"");
    s_event_open (self, body, event_id, stamp_ms);
    s_print (&text,
             "{\"schema\":\"" SNOWPLOW_SCHEMA
             "unstruct_event/jsonschema/1-0-0\",\"data\":{\"schema\":\"" MEDIA_SCHEMA
             "%s/jsonschema/1-0-0\",\"data\":%s}}",
             event_names [event], data);
    s_member_text (body, "ue_pr", &text);

    text = (tracker_body_t){ .data = scratch, .size = sizeof scratch };
    s_entities_print (&text, self);
    s_member_text (body, "co", &text);
    s_event_close (body);
}
