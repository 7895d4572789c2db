//  audience_tracker - the Snowplow tracker with media plugin that a simulated player carries
//
//  The half of the audience that speaks. It is told what a player does and writes what browser-tracker 4.10
//  with its media plugin sends for it: the media v2 event, the player, session, ad and ad break entities, the
//  keys of the tracker protocol, and the running totals of the session, counted as the plugin counts them
//  (zero totals are left out). It decides nothing: behaviour lives in audience.c.
//
//  Time is int64_t milliseconds, positions are milliseconds of content, playback rates are thousandths, so the
//  same calls give the same bytes on every machine. No clock, no socket, no allocation.

#ifndef AUDIENCE_TRACKER_H
#define AUDIENCE_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

//  Every event of media v2, with its name as in iglu:com.snowplowanalytics.snowplow.media/NAME/jsonschema/1-0-0.
#define MEDIA_EVENTS(X)                                                                                      \
    X (READY, "ready_event")                                                                                 \
    X (PLAY, "play_event")                                                                                   \
    X (PAUSE, "pause_event")                                                                                 \
    X (PING, "ping_event")                                                                                   \
    X (END, "end_event")                                                                                     \
    X (SEEK_START, "seek_start_event")                                                                       \
    X (SEEK_END, "seek_end_event")                                                                           \
    X (BUFFER_START, "buffer_start_event")                                                                   \
    X (BUFFER_END, "buffer_end_event")                                                                       \
    X (PERCENT_PROGRESS, "percent_progress_event")                                                           \
    X (QUALITY_CHANGE, "quality_change_event")                                                               \
    X (VOLUME_CHANGE, "volume_change_event")                                                                 \
    X (PLAYBACK_RATE_CHANGE, "playback_rate_change_event")                                                   \
    X (FULLSCREEN_CHANGE, "fullscreen_change_event")                                                         \
    X (PICTURE_IN_PICTURE_CHANGE, "picture_in_picture_change_event")                                         \
    X (ERROR, "error_event")                                                                                 \
    X (AD_BREAK_START, "ad_break_start_event")                                                               \
    X (AD_BREAK_END, "ad_break_end_event")                                                                   \
    X (AD_START, "ad_start_event")                                                                           \
    X (AD_QUARTILE, "ad_quartile_event")                                                                     \
    X (AD_COMPLETE, "ad_complete_event")                                                                     \
    X (AD_SKIP, "ad_skip_event")                                                                             \
    X (AD_CLICK, "ad_click_event")                                                                           \
    X (AD_PAUSE, "ad_pause_event")                                                                           \
    X (AD_RESUME, "ad_resume_event")

typedef enum {
#define X(id, name) EVENT_##id,
    MEDIA_EVENTS (X)
#undef X
        EVENT_COUNT
} media_event_t;

#define UUID_TEXT_SIZE 37
//  Longest content whose seconds are told apart for contentWatched; a longer live stream stops counting there.
#define TRACKER_SECONDS_MAX (4 * 3600)

//  Who sends: what a browser keeps in cookies and what the page configures.
typedef struct {
    char duid [UUID_TEXT_SIZE];    //  domain_userid, always there
    char user_id [48];             //  empty for a viewer who has not signed in
    char domain_session [UUID_TEXT_SIZE];
    unsigned visit;            //  domain_sessionidx, from 1
    const char *platform;      //  p: web mob cnsl tv
    const char *user_agent;    //  ua; NULL: that of the request
    const char *time_zone;
    const char *language;
    const char *resolution;
    const char *app_id;
    const char *page_root;    //  scheme and host of the site, no slash at its end
} tracker_identity_t;

//  The player entity. Strings that are NULL and flags that are negative are unknown yet and left out.
typedef struct {
    const char *label;
    const char *media_type;
    const char *player_type;
    const char *quality;
    int64_t position_ms;
    int64_t duration_ms;    //  0 for a live stream
    int rate_permille;
    int volume;
    int fullscreen;
    int picture_in_picture;
    bool live;
    bool paused;
    bool ended;
    bool muted;
} tracker_player_t;

typedef struct {
    char id [16];
    const char *name;
    char creative [16];
    unsigned pod_position;
    int64_t duration_ms;
    bool skippable;
    bool shown;    //  false: no ad entity on events
} tracker_ad_t;

typedef struct {
    char id [16];
    const char *name;
    const char *type;
    int64_t start_ms;
    unsigned pod_size;
    bool shown;
} tracker_break_t;

//  Running totals as the media plugin keeps them, and the evidence of the last event they are counted from.
typedef struct {
    int64_t seen_at_ms;
    int64_t position_ms;
    int rate_permille;
    bool started, paused, muted, ad_playing, buffering;
    int64_t played_ms, played_muted_ms, paused_ms, buffering_ms, ads_ms, rated_ms;
    unsigned ads, breaks, skipped, clicked, watched_s;
    uint8_t seconds [TRACKER_SECONDS_MAX / 8];
} tracker_totals_t;

//  One page with one player on it; the entities are the caller's to change between events.
typedef struct {
    const tracker_identity_t *who;
    char page_id [UUID_TEXT_SIZE];
    char media_session [UUID_TEXT_SIZE];
    const char *slug;            //  last part of the page's address
    int64_t started_stamp_ms;    //  the session's startedAt, on the device's clock
    unsigned ping_s;             //  0: the default, which the plugin doesn't send
    tracker_player_t player;
    tracker_ad_t ad;
    tracker_break_t ad_break;
    tracker_totals_t totals;
} tracker_t;

//  One HTTP body being written into the caller's buffer. `full` once something did not fit.
typedef struct {
    char *data;
    size_t size;
    size_t length;
    unsigned events;
    int64_t sent_stamp_ms;
    bool full;
} tracker_body_t;

//  Starts a body in `data` of `size` bytes; stm of its events is sent_stamp_ms (epoch ms, device clock).
void tracker_body_open (tracker_body_t *self, char *data, size_t size, int64_t sent_stamp_ms);

//  Ends the body and terminates it with a 0. Returns false if it did not fit, or has no event.
bool tracker_body_close (tracker_body_t *self);

//  Starts a media session: the totals are 0 again. session_id is copied, at most 36 bytes.
void tracker_begin (tracker_t *self, const char *session_id, int64_t started_stamp_ms);

//  Writes a page view.
void tracker_page_view (const tracker_t *self, tracker_body_t *body, const char *event_id, int64_t stamp_ms);

//  Writes one media event and brings the totals up to it. now_ms is time as the player lives it, stamp_ms the
//  device's clock (the two differ when a simulation runs faster than time); `data` is the event's JSON.
void tracker_event (tracker_t *self, tracker_body_t *body, media_event_t event, const char *event_id,
                    int64_t now_ms, int64_t stamp_ms, const char *data);

//  The name of an event, as "play_event".
const char *media_event_name (media_event_t event);

#endif
