//  enriched_tsv - an enriched event: 131 columns between tabs, with JSON in two of them

#include "snowplow/enriched_tsv.h"
#include "snowplow/instant.h"

#include <string.h>

//  Columns are counted from 1, as in Snowplow's documents.
enum {
    COLUMN_COLLECTOR_TSTAMP = 4,
    COLUMN_CREATED_TSTAMP = 5,
    COLUMN_USER_ID = 13,
    COLUMN_DOMAIN_USERID = 16,
    COLUMN_CONTEXTS = 53,
    COLUMN_UNSTRUCT_EVENT = 59,
    COLUMN_DERIVED_CONTEXTS = 123,
    COLUMN_EVENT_VENDOR = 126,
    COLUMN_EVENT_NAME = 127
};

//  Columns that are taken over as they are.
static const struct {
    int column;
    const char *name;
    size_t offset;
    size_t limit;
} texts [] = {
#define TEXT(column, name, field)                                                                            \
    {                                                                                                        \
        column, name, offsetof (draft_t, event.field), LIMIT_event_##field                                   \
    }
    TEXT (1, "app_id", app_id),        TEXT (2, "platform", platform), TEXT (7, "event_id", event_id),
    TEXT (19, "geo_country", country), TEXT (21, "geo_city", city),    TEXT (78, "useragent", user_agent),
};

static const member_t player_members [] = {
    MEMBER ("currentTime", AS_SECONDS, video_s),
    MEMBER ("duration", AS_SECONDS, duration_s),
    MEMBER ("label", AS_TEXT, media_label),
    MEMBER ("mediaType", AS_TEXT, media_type),
    MEMBER ("playerType", AS_TEXT, player_type),
    MEMBER ("playbackRate", AS_SECONDS, rate),
    MEMBER ("quality", AS_TEXT, quality),
    MEMBER ("volume", AS_PLUS_ONE, volume),
#define FLAG(key, flag)                                                                                      \
    {                                                                                                        \
        key, AS_FLAG, offsetof (draft_t, event.flags), flag                                                  \
    }
    FLAG ("livestream", USHER_LIVE),
    FLAG ("isLive", USHER_LIVE),    //  its name in media_player 1-0-0
    FLAG ("muted", USHER_MUTED),
    FLAG ("fullscreen", USHER_FULLSCREEN),
    FLAG ("pictureInPicture", USHER_PICTURE_IN_PICTURE),
    FLAG ("paused", USHER_PLAYER_PAUSED),
    FLAG ("ended", USHER_PLAYER_ENDED),
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

//  Of the event itself. It says what is from now on, so it comes after the player, which says what was or is.
static const member_t event_members [] = {
    MEMBER ("percentProgress", AS_COUNT, percent),
    MEMBER ("newQuality", AS_TEXT, quality),
    MEMBER ("bitrate", AS_BIG_COUNT, bitrate),
    MEMBER ("framesPerSecond", AS_COUNT, fps),
    MEMBER ("newVolume", AS_PLUS_ONE, volume),
    MEMBER ("newRate", AS_SECONDS, rate),
    FLAG ("fullscreen", USHER_FULLSCREEN),
    FLAG ("pictureInPicture", USHER_PICTURE_IN_PICTURE),
    { "errorName", AS_TEXT, offsetof (draft_t, error_name), LIMIT_event_error_text },
    { "errorDescription", AS_TEXT, offsetof (draft_t, error_description), LIMIT_event_error_text },
    { "errorCode", AS_TEXT, offsetof (draft_t, error_code), LIMIT_event_error_text },
};

//  Which schemas are which entity: up to the model, and the models that we know.
static const struct {
    const char *schema;
    const char *models;
    uint32_t has;
    const member_t *members;
    size_t count;
} entities [] = {
#define ENTITY(schema, models, has, members)                                                                 \
    {                                                                                                        \
        "iglu:com.snowplowanalytics.snowplow" schema "/jsonschema/", models, has, members,                   \
            sizeof members / sizeof *members                                                                 \
    }
    ENTITY ("/media_player", "12", USHER_HAS_PLAYER, player_members),
    ENTITY (".media/session", "1", USHER_HAS_SESSION, session_members),
    ENTITY (".media/ad", "1", USHER_HAS_AD, ad_members),
    ENTITY (".media/ad_break", "1", USHER_HAS_BREAK, break_members),
};
#define ENTITIES ((int)(sizeof entities / sizeof *entities))

typedef struct {
    const char *data;
    size_t size;
} column_t;

typedef struct {
    draft_t *draft;
    json_scan_t scan;
    bool failed;    //  the draft says why
} reader_t;

//  ---- JSON columns

//  The entity of a schema, -1 if it is none of ours.
static int
find_entity (const json_value_t *schema)
{
    char plain [160];
    const char *data = schema->data;
    size_t size = schema->size;
    if (schema->type != '"' || size > sizeof plain)
        return -1;
    if (schema->escaped) {
        size = json_value_unescape (schema, plain);
        data = plain;
    }
    for (int row = 0; row < ENTITIES; row++) {
        size_t stem = strlen (entities [row].schema);
        if (size > stem + 1 && memcmp (data, entities [row].schema, stem) == 0 && data [stem + 1] == '-' &&
            strchr (entities [row].models, data [stem]))
            return row;
    }
    return -1;
}

//  Reads the object that comes next; nulls are left out where they say nothing.
static void
read_data (reader_t *self, const member_t *members, size_t count, bool skip_null)
{
    json_value_t key, value;
    json_scan_enter (&self->scan);
    while (!self->failed && json_scan_member (&self->scan, &key) && json_scan_value (&self->scan, &value))
        if (!skip_null || value.type != 'n')
            self->failed = !draft_fill (self->draft, members, count, &key, &value);
}

//  Reads an entity's data, unless an earlier one of its kind was read.
static void
read_entity (reader_t *self, int entity)
{
    json_value_t ignored;
    usher_event_t *event = &self->draft->event;
    if (entity < 0 || event->has & entities [entity].has || json_scan_type (&self->scan) != '{') {
        json_scan_value (&self->scan, &ignored);
        return;
    }
    event->has |= entities [entity].has;
    read_data (self, entities [entity].members, entities [entity].count, false);
}

//  {"schema": ..., "data": {...}}. The schema comes first as a rule; where it does not the data is read again.
static void
read_item (reader_t *self)
{
    json_value_t key, schema = { 0 }, early = { 0 };
    int entity = -1;
    if (json_scan_type (&self->scan) != '{') {
        json_scan_value (&self->scan, &early);
        return;
    }
    json_scan_enter (&self->scan);
    while (!self->failed && json_scan_member (&self->scan, &key)) {
        if (json_value_is (&key, "schema") && json_scan_value (&self->scan, &schema))
            entity = find_entity (&schema);
        else if (!json_value_is (&key, "data"))
            json_scan_value (&self->scan, &(json_value_t){ 0 });
        else if (schema.type)
            read_entity (self, entity);
        else
            json_scan_value (&self->scan, &early);
    }
    if (early.type != '{' || self->scan.fault || self->failed)
        return;
    json_scan_t rest = self->scan;
    json_scan_open (&self->scan, early.data, early.size);
    read_entity (self, entity);
    self->scan = rest;
}

static void
read_list (reader_t *self)
{
    json_scan_enter (&self->scan);
    while (!self->failed && json_scan_item (&self->scan))
        read_item (self);
}

//  The event's own object lies two data deep.
static void
read_event (reader_t *self)
{
    json_value_t key;
    json_scan_enter (&self->scan);
    while (!self->failed && json_scan_member (&self->scan, &key)) {
        if (json_value_is (&key, "data") && json_scan_type (&self->scan) == '{')
            read_data (self, event_members, sizeof event_members / sizeof *event_members, true);
        else
            json_scan_value (&self->scan, &(json_value_t){ 0 });
    }
}

//  Reads a column's outer object; what is in its data is read by read.
static bool
read_column (draft_t *draft, const char *name, column_t column, char type, void (*read) (reader_t *self))
{
    if (!column.size)
        return true;
    json_value_t key;
    reader_t reader = { .draft = draft };
    json_scan_open (&reader.scan, column.data, column.size);
    json_scan_enter (&reader.scan);
    while (!reader.failed && json_scan_member (&reader.scan, &key)) {
        if (json_value_is (&key, "data") && json_scan_type (&reader.scan) == type)
            read (&reader);
        else
            json_scan_value (&reader.scan, &(json_value_t){ 0 });
    }
    if (reader.failed)
        return false;
    if (json_scan_done (&reader.scan))
        return true;
    draft_fail (draft, "%s: JSON: %s at byte %td", name, reader.scan.fault,
                reader.scan.at - reader.scan.start);
    return false;
}

//  ---- the row

//  Returns how many columns there are; those beyond what fits are only counted.
static size_t
split (const char *data, size_t size, column_t *columns)
{
    const char *at = data, *end = data + size, *tab;
    size_t count = 0;
    do {
        tab = memchr (at, '\t', (size_t)(end - at));
        if (++count <= ENRICHED_TSV_COLUMNS)
            columns [count] = (column_t){ at, (size_t)((tab ? tab : end) - at) };
        at = tab ? tab + 1 : end;
    } while (tab);
    return count;
}

static usher_str_t
column_str (const column_t *columns, int column)
{
    return usher_bytes (columns [column].data, columns [column].size);
}

static bool
read_texts (draft_t *draft, const column_t *columns)
{
    int who = columns [COLUMN_USER_ID].size ? COLUMN_USER_ID : COLUMN_DOMAIN_USERID;
    if (!draft_fill_text (draft, who == COLUMN_USER_ID ? "user_id" : "domain_userid", &draft->event.viewer_id,
                          SIZE_MAX, columns [who].data, columns [who].size))
        return false;
    if (!draft_fill_text (draft, "collector_tstamp", &draft->collected, SIZE_MAX,
                          columns [COLUMN_COLLECTOR_TSTAMP].data, columns [COLUMN_COLLECTOR_TSTAMP].size))
        return false;
    for (size_t row = 0; row < sizeof texts / sizeof *texts; row++) {
        const column_t *column = &columns [texts [row].column];
        usher_str_t *field = (usher_str_t *)(void *)((char *)draft + texts [row].offset);
        if (!draft_fill_text (draft, texts [row].name, field, texts [row].limit, column->data, column->size))
            return false;
    }
    return true;
}

//  What the event's own object said beyond the player's.
static void
conclude (draft_t *draft)
{
    usher_event_t *event = &draft->event;
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
enriched_tsv_decode (draft_t *draft, const char *data, size_t size)
{
    column_t columns [ENRICHED_TSV_COLUMNS + 1] = { 0 };
    usher_event_t *event = &draft->event;
    size_t count = split (data, size, columns);
    if (count != ENRICHED_TSV_COLUMNS)
        return draft_fail (draft, "%zu columns instead of %d", count, ENRICHED_TSV_COLUMNS);
    event->kind = draft_kind (column_str (columns, COLUMN_EVENT_NAME));
    if (event->kind == USHER_event_kind_other ||
        !usher_str_eq (column_str (columns, COLUMN_EVENT_VENDOR),
                       usher_str ("com.snowplowanalytics.snowplow.media")))
        return DECODE_PASSED_BY;
    if (!read_texts (draft, columns) ||
        !read_column (draft, "derived_contexts", columns [COLUMN_DERIVED_CONTEXTS], '[', read_list) ||
        !read_column (draft, "contexts", columns [COLUMN_CONTEXTS], '[', read_list) ||
        !read_column (draft, "unstruct_event", columns [COLUMN_UNSTRUCT_EVENT], '{', read_event))
        return DECODE_BAD;
    conclude (draft);
    //  A device may have no clock, or one that is before 1970.
    instant_read (columns [COLUMN_CREATED_TSTAMP].data, columns [COLUMN_CREATED_TSTAMP].size,
                  &event->created_ms);
    return draft_finish (draft);
}
