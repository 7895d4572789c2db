//  media_data - what the entities of a player event and its own data say, put into a draft

#include "snowplow/media_data.h"
#include "snowplow/media_kinds.h"

#include <math.h>
#include <string.h>

#define FLAG(key, flag)                                                                                      \
    {                                                                                                        \
        key, sizeof key - 1, AS_FLAG, offsetof (draft_t, event.flags), flag                                  \
    }

static const member_t player_members [] = {
    MEMBER ("currentTime", AS_SECONDS, video_s),
    MEMBER ("duration", AS_SECONDS, duration_s),
    MEMBER ("label", AS_TEXT, media_label),
    MEMBER ("mediaType", AS_TEXT, media_type),
    MEMBER ("playerType", AS_TEXT, player_type),
    MEMBER ("playbackRate", AS_SECONDS, rate),
    MEMBER ("quality", AS_TEXT, quality),
    MEMBER ("volume", AS_PLUS_ONE, volume),
    FLAG ("livestream", USHER_LIVE),
    FLAG ("muted", USHER_MUTED),
    FLAG ("fullscreen", USHER_FULLSCREEN),
    FLAG ("pictureInPicture", USHER_PICTURE_IN_PICTURE),
    FLAG ("paused", USHER_PLAYER_PAUSED),
    FLAG ("ended", USHER_PLAYER_ENDED),
    //  of model 1
    FLAG ("isLive", USHER_LIVE),
    MEMBER ("percentProgress", AS_COUNT, percent),
};

//  The tracker leaves out counters that are zero.
static const member_t session_members [] = {
    MEMBER ("mediaSessionId", AS_TEXT, session_id),   MEMBER ("pingInterval", AS_COUNT, ping_s),
    MEMBER ("timePlayed", AS_TOTAL, time_played_s),   MEMBER ("timePlayedMuted", AS_TOTAL, time_muted_s),
    MEMBER ("timePaused", AS_TOTAL, time_paused_s),   MEMBER ("timeBuffering", AS_TOTAL, time_buffering_s),
    MEMBER ("timeSpentAds", AS_TOTAL, time_ads_s),    MEMBER ("contentWatched", AS_TOTAL, content_s),
    MEMBER ("avgPlaybackRate", AS_SECONDS, avg_rate), MEMBER ("ads", AS_COUNT, ads),
    MEMBER ("adsClicked", AS_COUNT, ads_clicked),     MEMBER ("adsSkipped", AS_COUNT, ads_skipped),
    MEMBER ("adBreaks", AS_COUNT, ad_breaks),
};

static const member_t ad_members [] = {
    MEMBER ("adId", AS_TEXT, ad_id),
    MEMBER ("name", AS_TEXT, ad_name),
    MEMBER ("creativeId", AS_TEXT, creative_id),
    MEMBER ("podPosition", AS_COUNT, pod_position),
    MEMBER ("duration", AS_SECONDS, ad_duration_s),
    MEMBER ("skippable", AS_YES_OR_NO, skippable),
};

static const member_t break_members [] = {
    MEMBER ("breakId", AS_TEXT, break_id),
    MEMBER ("name", AS_TEXT, break_name),
    MEMBER ("breakType", AS_TEXT, break_type),
};

#define ERROR(key, as, field)                                                                                \
    {                                                                                                        \
        key, sizeof key - 1, as, offsetof (draft_t, field), LIMIT_event_error_text                           \
    }

//  What media_player of model 1 does not say. video_element has nothing that a profile holds.
static const member_t html_members [] = {
    MEMBER ("mediaType", AS_MEDIA_TYPE, media_type),
    FLAG ("fullscreen", USHER_FULLSCREEN),
    FLAG ("pictureInPicture", USHER_PICTURE_IN_PICTURE),
    ERROR ("error", AS_ERROR, error_name),
};

static const member_t youtube_members [] = {
    MEMBER ("playbackQuality", AS_TEXT, quality),
    ERROR ("error", AS_TEXT, error_name),
};

//  Of the event itself. It says what is from now on, so it comes after the player, which says what was or is.
static const member_t own_members [] = {
    MEMBER ("percentProgress", AS_COUNT, percent), MEMBER ("newQuality", AS_TEXT, quality),
    MEMBER ("bitrate", AS_BIG_COUNT, bitrate),     MEMBER ("framesPerSecond", AS_COUNT, fps),
    MEMBER ("newVolume", AS_PLUS_ONE, volume),     MEMBER ("newRate", AS_SECONDS, rate),
    FLAG ("fullscreen", USHER_FULLSCREEN),         FLAG ("pictureInPicture", USHER_PICTURE_IN_PICTURE),
    ERROR ("errorName", AS_TEXT, error_name),      ERROR ("errorDescription", AS_TEXT, error_description),
    ERROR ("errorCode", AS_TEXT, error_code),
};

static const member_t older_members [] = {
    DRAFT_TEXT ("type", event_type),
    MEMBER ("label", AS_TEXT, media_label),
};

//  In the order in which kept bodies are read. Those that help a media_player of model 1 come after it; beside a newer
//  one, which says the same itself, they do not count.
static const struct {
    const char *schema, *key;
    uint32_t model;
    uint32_t has;
    const char *helps;    //  the player's type, of those that do
    const member_t *members;
    size_t count;
} entities [MEDIA_ENTITIES] = {
#define ENTITY(schema, key, model, has, helps, members)                                                      \
    {                                                                                                        \
        schema, key, model, has, helps, members, sizeof members / sizeof *members                            \
    }
#define SNOWPLOW "com.snowplowanalytics.snowplow"
#define KEY "com_snowplowanalytics_snowplow_"
    ENTITY (SNOWPLOW "/media_player", KEY "media_player", 2, USHER_HAS_PLAYER, NULL, player_members),
    ENTITY (SNOWPLOW ".media/session", KEY "media_session", 1, USHER_HAS_SESSION, NULL, session_members),
    ENTITY (SNOWPLOW ".media/ad", KEY "media_ad", 1, USHER_HAS_AD, NULL, ad_members),
    ENTITY (SNOWPLOW ".media/ad_break", KEY "media_ad_break", 1, USHER_HAS_BREAK, NULL, break_members),
    ENTITY ("org.whatwg/media_element", "org_whatwg_media_element", 1, USHER_HAS_PLAYER,
            "org.whatwg-media_element", html_members),
    ENTITY ("com.youtube/youtube", "com_youtube_youtube", 1, USHER_HAS_PLAYER, "com.youtube-youtube",
            youtube_members),
};
#define PLAYER_READ 1u

//  ---- which entity

//  Behind the text if it comes next, else NULL.
static const char *
step_over (const char *at, const char *end, const char *text)
{
    size_t size = strlen (text);
    return (size_t)(end - at) >= size && memcmp (at, text, size) == 0 ? at + size : NULL;
}

//  The number from 1 on that comes next and ends at stop, or at the end where stop is 0; 0 if there is none.
static uint32_t
read_model (const char *at, const char *end, char stop)
{
    uint32_t model = 0;
    for (; at < end && *at >= '0' && *at <= '9' && model < 100000; at++) {
        if (model == 0 && *at == '0')
            return 0;
        model = model * 10 + (uint32_t)(*at - '0');
    }
    return at < end ? (*at == stop ? model : 0) : (stop == 0 ? model : 0);
}

static media_entity_t
find_entity (const json_value_t *text, const char *head, bool is_key)
{
    char plain [160];
    const char *at = text->data, *end = at + text->size, *rest;
    if (text->type != '"' || text->size > sizeof plain)
        return (media_entity_t){ .row = -1 };
    if (text->escaped) {
        end = plain + json_value_unescape (text, plain);
        at = plain;
    }
    at = step_over (at, end, head);
    for (int row = 0; at && row < MEDIA_ENTITIES; row++) {
        if (!(rest = step_over (at, end, is_key ? entities [row].key : entities [row].schema)) ||
            !(rest = step_over (rest, end, is_key ? "_" : "/jsonschema/")))
            continue;
        uint32_t model = read_model (rest, end, is_key ? 0 : '-');
        if (model)
            return (media_entity_t){ row, model };
    }
    return (media_entity_t){ .row = -1 };
}

media_entity_t
media_entity_of_schema (const json_value_t *schema)
{
    return find_entity (schema, "iglu:", false);
}

media_entity_t
media_entity_of_key (const json_value_t *key)
{
    return find_entity (key, "contexts_", true);
}

//  ---- what it says

//  Reads the object that comes next; nulls are left out where they say nothing.
static void
read_data (media_t *self, json_scan_t *scan, const member_t *members, size_t count, bool skip_null)
{
    json_value_t key, value;
    json_scan_enter (scan);
    while (json_scan_member (scan, &key) && json_scan_value (scan, &value))
        if ((!skip_null || value.type != 'n') && !draft_fill (self->draft, members, count, &key, &value))
            self->failed = true;
}

static void
read_entity (media_t *self, json_scan_t *scan, int row)
{
    self->draft->event.has |= entities [row].has;
    read_data (self, scan, entities [row].members, entities [row].count, false);
}

void
media_take_entity (media_t *self, json_scan_t *scan, media_entity_t entity)
{
    json_value_t value;
    int row = entity.row;
    bool counts = row >= 0 && !(self->read >> row & 1) && json_scan_type (scan) == '{';
    if (counts && entity.model == entities [row].model && !entities [row].helps) {
        self->read |= 1u << row;
        read_entity (self, scan, row);
    } else if (json_scan_value (scan, &value) && counts && entity.model > self->kept [row].model) {
        self->kept [row].model = entity.model;
        self->kept [row].data = value;
    }
}

void
media_take_own (media_t *self, json_scan_t *scan)
{
    json_scan_value (scan, &self->own);
}

//  What an entity is for. One of a newer model that has no such member has become something else.
static const char *
missing_member (const usher_event_t *event, int row)
{
    switch (entities [row].helps ? 0 : entities [row].has) {
    case USHER_HAS_PLAYER:
        return isnan (event->video_s) ? "currentTime" : NULL;
    case USHER_HAS_SESSION:
        return event->session_id.size ? NULL : "mediaSessionId";
    case USHER_HAS_AD:
        return event->ad_id.size ? NULL : "adId";
    case USHER_HAS_BREAK:
        return event->break_id.size ? NULL : "breakId";
    default:
        return NULL;
    }
}

static void
read_kept (media_t *self, int row)
{
    json_scan_t scan;
    usher_event_t *event = &self->draft->event;
    uint32_t model = self->kept [row].model;
    if (!model || self->read >> row & 1 || (entities [row].helps && self->read & PLAYER_READ))
        return;
    json_scan_open (&scan, self->kept [row].data.data, self->kept [row].data.size);
    read_entity (self, &scan, row);
    if (entities [row].helps)
        event->player_type = usher_str (entities [row].helps);
    if (model < entities [row].model)
        return;
    self->read |= 1u << row;
    const char *missing = missing_member (event, row);
    if (model > entities [row].model && missing) {
        draft_fail (self->draft, "%s/jsonschema/%u: a newer model than is known, without %s",
                    entities [row].schema, model, missing);
        self->failed = true;
    }
}

//  ---- the event

bool
media_is_player_event (media_t *self)
{
    draft_t *draft = self->draft;
    self->older = usher_str_eq (draft->event_vendor, usher_str (SNOWPLOW)) &&
                  usher_str_eq (draft->event_name, usher_str ("media_player_event"));
    if (usher_str_eq (draft->event_vendor, usher_str (SNOWPLOW ".media")))
        draft->event.kind = media_kind_of_name (draft->event_name);
    return self->older || draft->event.kind != USHER_event_kind_other;
}

static void
read_own (media_t *self)
{
    json_scan_t scan;
    if (self->own.type != '{')
        return;
    json_scan_open (&scan, self->own.data, self->own.size);
    if (self->older)
        read_data (self, &scan, older_members, sizeof older_members / sizeof *older_members, true);
    else
        read_data (self, &scan, own_members, sizeof own_members / sizeof *own_members, true);
}

//  The kind of an older event, and what its type says.
static void
conclude_older (draft_t *draft)
{
    usher_event_t *event = &draft->event;
    bool picture_in_picture;
    event->kind = media_kind_of_type (draft->event_type, &picture_in_picture);
    if (event->kind == USHER_event_kind_picture_in_picture_change) {
        event->flags &= ~(uint32_t)USHER_PICTURE_IN_PICTURE;
        event->flags |= picture_in_picture ? USHER_PICTURE_IN_PICTURE : 0;
    }
}

//  What the event's own object said beyond the player's.
static void
conclude (draft_t *draft)
{
    usher_event_t *event = &draft->event;
    event->viewer_id = draft->user_id.size ? draft->user_id : draft->domain_userid;
    event->identified = draft->user_id.size > 0;
    if (event->kind == USHER_event_kind_quality_change)
        event->has |= USHER_HAS_QUALITY;
    if (event->kind != USHER_event_kind_error)
        return;
    event->has |= USHER_HAS_ERROR;
    event->error_text = draft->error_name.size          ? draft->error_name
                        : draft->error_description.size ? draft->error_description
                                                        : draft->error_code;
}

decode_result_t
media_finish (media_t *self)
{
    draft_t *draft = self->draft;
    for (int row = 0; row < MEDIA_ENTITIES; row++)
        read_kept (self, row);
    read_own (self);
    if (self->failed)
        return DECODE_BAD;
    if (self->older) {
        if (!draft->event_type.size)
            return draft_fail (draft, "media_player_event: type is missing");
        conclude_older (draft);
        if (draft->event.kind == USHER_event_kind_other)
            return DECODE_PASSED_BY;
    }
    conclude (draft);
    return draft_finish (draft);
}
