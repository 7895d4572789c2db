//  view - what the world sees of a session, a viewer and an announcement, as JSON

#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

//  Is this session in front of somebody; is it still going on, be it paused.
static bool
is_playing (const usher_session_t *session)
{
    return session->state == USHER_state_watching || session->state == USHER_state_rebuffering ||
           session->state == USHER_state_seeking || session->state == USHER_state_ad;
}

static bool
is_live (const usher_session_t *session)
{
    return session->state != USHER_state_ended && session->state != USHER_state_failed &&
           session->state != USHER_state_lost;
}

//  Playing before live before the rest; then the newest evidence; then the name, so that the order is one.
static int
compare (const void *a, const void *b)
{
    const usher_session_t *x = a, *y = b;
    int rank_x = is_playing (x) * 2 + is_live (x), rank_y = is_playing (y) * 2 + is_live (y);
    if (rank_x != rank_y)
        return rank_y - rank_x;
    if (x->seen_ms != y->seen_ms)
        return x->seen_ms < y->seen_ms ? 1 : -1;
    size_t size = x->session_id.size < y->session_id.size ? x->session_id.size : y->session_id.size;
    int order = size ? memcmp (x->session_id.data, y->session_id.data, size) : 0;
    return order ? order : (int)x->session_id.size - (int)y->session_id.size;
}

//  Beyond the limit the least of all makes room.
static void
place (view_viewer_t *viewer, const usher_session_t *session)
{
    if (viewer->count < VIEW_SESSIONS) {
        viewer->sessions [viewer->count++] = *session;
        return;
    }
    size_t least = 0;
    for (size_t at = 1; at < viewer->count; at++)
        if (compare (&viewer->sessions [at], &viewer->sessions [least]) > 0)
            least = at;
    if (compare (session, &viewer->sessions [least]) < 0)
        viewer->sessions [least] = *session;
}

bool
view_read (view_viewer_t *viewer, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id)
{
    viewer->slot = slot;
    viewer->viewer_id = viewer_id;
    viewer->count = 0;
    size_t at = last_value_first (sessions, slot, viewer_id);
    while (at != LAST_VALUE_NONE) {
        usher_session_t session;
        last_value_decode (last_value_at (sessions, slot, at), slot, &session);
        place (viewer, &session);
        at = last_value_next (sessions, slot, viewer_id, at);
    }
    qsort (viewer->sessions, viewer->count, sizeof *viewer->sessions, compare);
    return viewer->count > 0;
}

//  ---- writing

static void
text (buffer_t *out, const char *key, usher_str_t value)
{
    json_key (out, key);
    json_text (out, value);
}

static void
number (buffer_t *out, const char *key, double value)
{
    json_key (out, key);
    json_number (out, value);
}

static void
count (buffer_t *out, const char *key, uint64_t value)
{
    json_key (out, key);
    json_uint (out, value);
}

//  Numbers that travel plus one, so that 0 can be "unknown".
static void
known (buffer_t *out, const char *key, uint64_t value)
{
    json_key (out, key);
    if (value)
        json_uint (out, value - 1);
    else
        json_unknown (out);
}

//  Numbers of which 0 says that nobody knows.
static void
given (buffer_t *out, const char *key, uint64_t value)
{
    json_key (out, key);
    if (value)
        json_uint (out, value);
    else
        json_unknown (out);
}

static void
flag (buffer_t *out, const char *key, bool value)
{
    json_key (out, key);
    json_bool (out, value);
}

static void
instant (buffer_t *out, const char *key, uint64_t unix_ms)
{
    json_key (out, key);
    json_time (out, unix_ms);
}

static void
name (buffer_t *out, const char *key, const char *const *names, uint32_t value)
{
    json_key (out, key);
    json_upper (out, names [value]);
}

static void
write_ad (buffer_t *out, const usher_session_t *session)
{
    json_key (out, "ad");
    if (!(session->in_ad & USHER_IN_AD)) {
        json_unknown (out);
        return;
    }
    json_open (out, '{');
    text (out, "ad_id", session->ad_id);
    text (out, "name", session->ad_name);
    text (out, "creative_id", session->creative_id);
    given (out, "pod_position", session->pod_position);
    number (out, "duration", session->ad_duration_s);
    json_key (out, "skippable");
    if (session->skippable)
        json_bool (out, session->skippable == 2);
    else
        json_unknown (out);
    count (out, "quartile", session->quartile);
    json_close (out, '}');
}

static void
write_break (buffer_t *out, const usher_session_t *session)
{
    json_key (out, "ad_break");
    if (!(session->in_ad & USHER_IN_BREAK)) {
        json_unknown (out);
        return;
    }
    json_open (out, '{');
    text (out, "break_id", session->break_id);
    text (out, "name", session->break_name);
    text (out, "type", session->break_type);
    json_close (out, '}');
}

static void
write_state (buffer_t *out, const usher_session_t *session)
{
    name (out, "status", usher_status_names, session->status);
    name (out, "state", usher_state_names, session->state);
    instant (out, "since", session->since_ms);
    instant (out, "last_seen", session->seen_ms);
}

static void
write_player (buffer_t *out, const usher_session_t *session)
{
    number (out, "position", session->position_s);
    number (out, "duration", session->duration_s);
    known (out, "percent", session->percent);
    number (out, "playback_rate", session->rate);
    known (out, "volume", session->volume);
    flag (out, "muted", session->flags & USHER_MUTED);
    flag (out, "fullscreen", session->flags & USHER_FULLSCREEN);
    flag (out, "picture_in_picture", session->flags & USHER_PICTURE_IN_PICTURE);
    text (out, "quality", session->quality);
    given (out, "bitrate", session->bitrate);
    given (out, "frame_rate", session->fps);
}

static void
write_ads (buffer_t *out, const usher_session_t *session)
{
    count (out, "ads", session->ads);
    count (out, "ads_clicked", session->ads_clicked);
    count (out, "ads_skipped", session->ads_skipped);
    count (out, "ads_completed", session->ads_completed);
    count (out, "ad_breaks", session->ad_breaks);
    count (out, "skip_streak", session->skip_streak);
    write_ad (out, session);
    write_break (out, session);
}

static void
write_totals (buffer_t *out, const usher_session_t *session)
{
    number (out, "time_played", session->time_played_s);
    number (out, "time_paused", session->time_paused_s);
    number (out, "time_buffering", session->time_buffering_s);
    number (out, "time_in_ads", session->time_ads_s);
    number (out, "time_muted", session->time_muted_s);
    number (out, "content_watched", session->content_s);
    number (out, "average_rate", session->avg_rate);
}

static void
write_experience (buffer_t *out, const usher_session_t *session)
{
    known (out, "startup_ms", session->startup_ms);
    flag (out, "exit_before_start", session->exited);
    count (out, "stalls", session->stalls);
    //  Nothing watched, no ratio: the division gives what is written as null.
    number (out, "rebuffering_ratio", session->time_buffering_s / session->time_played_s);
    count (out, "bitrate_changes", session->bitrate_changes);
    count (out, "errors", session->errors);
    text (out, "last_error", session->error_text);
}

static void
write_device (buffer_t *out, const usher_session_t *session)
{
    text (out, "platform", session->platform);
    text (out, "app_id", session->app_id);
    json_key (out, "device");
    json_word (out, usher_device_class_names [session->device]);
    text (out, "os", session->os);
    text (out, "country", session->country);
    text (out, "city", session->city);
}

void
view_write_session (buffer_t *out, const usher_session_t *session)
{
    json_open (out, '{');
    text (out, "session_id", session->session_id);
    text (out, "media_label", session->media_label);
    text (out, "media_type", session->media_type);
    text (out, "player_type", session->player_type);
    flag (out, "live", session->flags & USHER_LIVE);
    write_state (out, session);
    write_player (out, session);
    write_ads (out, session);
    write_totals (out, session);
    write_experience (out, session);
    write_device (out, session);
    count (out, "epoch", session->epoch);
    count (out, "version", session->version);
    json_close (out, '}');
}

//  The session that spoke last knows best what the others were.
static const usher_session_t *
newest_of (const view_viewer_t *viewer)
{
    const usher_session_t *newest = &viewer->sessions [0];
    for (size_t at = 1; at < viewer->count; at++)
        if (viewer->sessions [at].epoch > newest->epoch ||
            (viewer->sessions [at].epoch == newest->epoch && viewer->sessions [at].version > newest->version))
            newest = &viewer->sessions [at];
    return newest;
}

//  The sums over the sessions shown and those before them, in the earlier_ fields.
static usher_session_t
sum_up (const view_viewer_t *viewer)
{
    usher_session_t sum = *newest_of (viewer);
    sum.earlier += (uint32_t)viewer->count;
    for (size_t at = 0; at < viewer->count; at++) {
        const usher_session_t *one = &viewer->sessions [at];
        sum.earlier_played_s += one->time_played_s;
        sum.earlier_paused_s += one->time_paused_s;
        sum.earlier_buffering_s += one->time_buffering_s;
        sum.earlier_ads_s += one->time_ads_s;
        sum.earlier_muted_s += one->time_muted_s;
        sum.earlier_content_s += one->content_s;
        sum.earlier_ads += one->ads;
        sum.earlier_clicked += one->ads_clicked;
        sum.earlier_skipped += one->ads_skipped;
        sum.earlier_completed += one->ads_completed;
        sum.earlier_breaks += one->ad_breaks;
        sum.earlier_stalls += one->stalls;
        sum.earlier_errors += one->errors;
    }
    return sum;
}

static void
write_sums (buffer_t *out, const view_viewer_t *viewer)
{
    usher_session_t sum = sum_up (viewer);
    json_key (out, "totals");
    json_open (out, '{');
    count (out, "sessions", sum.earlier);
    number (out, "time_played", sum.earlier_played_s);
    number (out, "time_paused", sum.earlier_paused_s);
    number (out, "time_buffering", sum.earlier_buffering_s);
    number (out, "time_in_ads", sum.earlier_ads_s);
    number (out, "time_muted", sum.earlier_muted_s);
    number (out, "content_watched", sum.earlier_content_s);
    count (out, "ads", sum.earlier_ads);
    count (out, "ads_clicked", sum.earlier_clicked);
    count (out, "ads_skipped", sum.earlier_skipped);
    count (out, "ads_completed", sum.earlier_completed);
    count (out, "ad_breaks", sum.earlier_breaks);
    count (out, "stalls", sum.earlier_stalls);
    count (out, "errors", sum.earlier_errors);
    json_close (out, '}');
}

void
view_write_viewer (buffer_t *out, const view_viewer_t *viewer, bool partial)
{
    for (size_t at = 0; at < viewer->count; at++)
        partial = partial || viewer->sessions [at].flags & USHER_PARTIAL;
    json_open (out, '{');
    text (out, "viewer_id", viewer->viewer_id);
    //  Where a person is known, the viewer's id is the user's; else it is the browser's.
    json_key (out, "user_id");
    if (newest_of (viewer)->identified)
        json_text (out, viewer->viewer_id);
    else
        json_unknown (out);
    write_state (out, &viewer->sessions [0]);
    flag (out, "partial", partial);
    write_sums (out, viewer);
    json_key (out, "sessions");
    json_open (out, '[');
    for (size_t at = 0; at < viewer->count; at++)
        view_write_session (out, &viewer->sessions [at]);
    json_close (out, ']');
    json_close (out, '}');
}

void
view_write_announce (buffer_t *out, const usher_announce_t *announce)
{
    char event_name [64];
    snprintf (event_name, sizeof event_name, "%s_event", usher_event_kind_names [announce->kind]);
    json_open (out, '{');
    text (out, "viewer_id", announce->viewer_id);
    instant (out, "collector_tstamp", announce->collected_ms);
    text (out, "event_id", announce->event_id);
    text (out, "event_name", usher_str (event_name));
    number (out, "video_ts", announce->video_s);
    count (out, "adsClicked", announce->ads_clicked);
    count (out, "adsSkipped", announce->ads_skipped);
    json_key (out, "adId");
    json_ad_id (out, announce->ad_id);
    name (out, "status", usher_status_names, announce->status);
    json_close (out, '}');
}

void
view_write_history (buffer_t *out, const usher_history_row_t *row)
{
    usher_str_t tstamp = row->key_tstamp;
    const char *mark = tstamp.size ? memchr (tstamp.data, '#', tstamp.size) : NULL;
    if (mark)
        tstamp.size = (uint32_t)(mark - tstamp.data);
    json_open (out, '{');
    text (out, "collector_tstamp", tstamp);
    text (out, "event_id", row->event_id);
    text (out, "event_name", row->event_name);
    number (out, "video_ts", row->video_s);
    count (out, "adsClicked", row->ads_clicked);
    count (out, "adsSkipped", row->ads_skipped);
    json_key (out, "adId");
    json_ad_id (out, row->ad_id);
    text (out, "status", row->status);
    text (out, "state", row->state);
    text (out, "session_id", row->session_id);
    text (out, "media_label", row->media_label);
    json_close (out, '}');
}
