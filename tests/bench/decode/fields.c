//  fields - which fields the compared parsers read of an event, and where they put them

#include "fields.h"

#include <stdlib.h>
#include <string.h>

#define TABLE(rows)                                                                                          \
    {                                                                                                        \
        rows, sizeof rows / sizeof *rows                                                                     \
    }

#define ROW(key, kind, below)                                                                                \
    {                                                                                                        \
        key, sizeof key - 1, kind, below                                                                     \
    }

static const fields_row_t player_rows [] = {
    ROW ("currentTime", FIELDS_NUMBER, NULL), ROW ("duration", FIELDS_NUMBER, NULL),
    ROW ("label", FIELDS_TEXT, NULL),         ROW ("mediaType", FIELDS_TEXT, NULL),
    ROW ("playerType", FIELDS_TEXT, NULL),    ROW ("playbackRate", FIELDS_NUMBER, NULL),
    ROW ("quality", FIELDS_TEXT, NULL),       ROW ("volume", FIELDS_NUMBER, NULL),
    ROW ("livestream", FIELDS_FLAG, NULL),    ROW ("muted", FIELDS_FLAG, NULL),
    ROW ("fullscreen", FIELDS_FLAG, NULL),    ROW ("pictureInPicture", FIELDS_FLAG, NULL),
    ROW ("paused", FIELDS_FLAG, NULL),        ROW ("ended", FIELDS_FLAG, NULL),
};
static const fields_row_t session_rows [] = {
    ROW ("mediaSessionId", FIELDS_TEXT, NULL),    ROW ("pingInterval", FIELDS_NUMBER, NULL),
    ROW ("timePlayed", FIELDS_NUMBER, NULL),      ROW ("timePlayedMuted", FIELDS_NUMBER, NULL),
    ROW ("timePaused", FIELDS_NUMBER, NULL),      ROW ("timeBuffering", FIELDS_NUMBER, NULL),
    ROW ("timeSpentAds", FIELDS_NUMBER, NULL),    ROW ("contentWatched", FIELDS_NUMBER, NULL),
    ROW ("avgPlaybackRate", FIELDS_NUMBER, NULL), ROW ("ads", FIELDS_NUMBER, NULL),
    ROW ("adsClicked", FIELDS_NUMBER, NULL),      ROW ("adsSkipped", FIELDS_NUMBER, NULL),
    ROW ("adBreaks", FIELDS_NUMBER, NULL),
};
static const fields_row_t ad_rows [] = {
    ROW ("adId", FIELDS_TEXT, NULL),       ROW ("name", FIELDS_TEXT, NULL),
    ROW ("creativeId", FIELDS_TEXT, NULL), ROW ("podPosition", FIELDS_NUMBER, NULL),
    ROW ("duration", FIELDS_NUMBER, NULL), ROW ("skippable", FIELDS_FLAG, NULL),
};
static const fields_row_t break_rows [] = {
    ROW ("breakId", FIELDS_TEXT, NULL),
    ROW ("name", FIELDS_TEXT, NULL),
    ROW ("breakType", FIELDS_TEXT, NULL),
};
static const fields_row_t event_rows [] = {
    ROW ("percentProgress", FIELDS_NUMBER, NULL), ROW ("newQuality", FIELDS_TEXT, NULL),
    ROW ("bitrate", FIELDS_NUMBER, NULL),         ROW ("framesPerSecond", FIELDS_NUMBER, NULL),
    ROW ("newVolume", FIELDS_NUMBER, NULL),       ROW ("newRate", FIELDS_NUMBER, NULL),
    ROW ("fullscreen", FIELDS_FLAG, NULL),        ROW ("pictureInPicture", FIELDS_FLAG, NULL),
    ROW ("errorName", FIELDS_TEXT, NULL),         ROW ("errorDescription", FIELDS_TEXT, NULL),
    ROW ("errorCode", FIELDS_TEXT, NULL),
};
static const fields_table_t player = TABLE (player_rows), session = TABLE (session_rows),
                            ad = TABLE (ad_rows), ad_break = TABLE (break_rows), event = TABLE (event_rows);

static const fields_row_t flattened_rows [] = {
    ROW ("collector_tstamp", FIELDS_TEXT, NULL),
    ROW ("event_name", FIELDS_TEXT, NULL),
    ROW ("viewer_id", FIELDS_TEXT, NULL),
    ROW ("event_id", FIELDS_TEXT, NULL),
    ROW ("adsClicked", FIELDS_NUMBER, NULL),
    ROW ("adsSkipped", FIELDS_NUMBER, NULL),
    ROW ("adId", FIELDS_TEXT, NULL),
    ROW ("video_ts", FIELDS_NUMBER, NULL),
};
#define SNOWPLOW "com_snowplowanalytics_snowplow_media_"
static const fields_row_t sdk_json_rows [] = {
    ROW ("app_id", FIELDS_TEXT, NULL),
    ROW ("platform", FIELDS_TEXT, NULL),
    ROW ("event_id", FIELDS_TEXT, NULL),
    ROW ("geo_country", FIELDS_TEXT, NULL),
    ROW ("geo_city", FIELDS_TEXT, NULL),
    ROW ("useragent", FIELDS_TEXT, NULL),
    ROW ("user_id", FIELDS_TEXT, NULL),
    ROW ("domain_userid", FIELDS_TEXT, NULL),
    ROW ("collector_tstamp", FIELDS_TEXT, NULL),
    ROW ("dvce_created_tstamp", FIELDS_TEXT, NULL),
    ROW ("event_vendor", FIELDS_TEXT, NULL),
    ROW ("event_name", FIELDS_TEXT, NULL),
    ROW ("contexts_" SNOWPLOW "player_2", FIELDS_ARRAY, &player),
    ROW ("contexts_" SNOWPLOW "session_1", FIELDS_ARRAY, &session),
    ROW ("contexts_" SNOWPLOW "ad_1", FIELDS_ARRAY, &ad),
    ROW ("contexts_" SNOWPLOW "ad_break_1", FIELDS_ARRAY, &ad_break),
    ROW ("unstruct_event_" SNOWPLOW "quality_change_event_1", FIELDS_OBJECT, &event),
    ROW ("unstruct_event_" SNOWPLOW "percent_progress_event_1", FIELDS_OBJECT, &event),
};
static const fields_row_t item_rows [] = { ROW ("schema", FIELDS_SCHEMA, NULL),
                                           ROW ("data", FIELDS_DATA, NULL) };
static const fields_table_t item = TABLE (item_rows);
static const fields_row_t contexts_rows [] = { ROW ("data", FIELDS_ARRAY, &item) };
static const fields_row_t inner_rows [] = { ROW ("data", FIELDS_OBJECT, &event) };
static const fields_table_t inner = TABLE (inner_rows);
static const fields_row_t unstruct_rows [] = { ROW ("data", FIELDS_OBJECT, &inner) };

const fields_table_t fields_flattened = TABLE (flattened_rows), fields_sdk_json = TABLE (sdk_json_rows),
                     fields_contexts = TABLE (contexts_rows), fields_unstruct = TABLE (unstruct_rows);

const fields_row_t *
fields_find (const fields_table_t *table, const char *key, size_t size)
{
    for (size_t row = 0; row < table->count; row++)
        if (table->rows [row].size == size && memcmp (table->rows [row].key, key, size) == 0)
            return &table->rows [row];
    return NULL;
}

const fields_table_t *
fields_of_schema (const char *schema, size_t size)
{
    static const struct {
        const char *stem;
        size_t size;
        const fields_table_t *table;
    } schemas [] = {
#define SCHEMA(name, table)                                                                                  \
    { "iglu:com.snowplowanalytics.snowplow" name "/jsonschema/",                                             \
      sizeof "iglu:com.snowplowanalytics.snowplow" name "/jsonschema/" - 1, table }
        SCHEMA ("/media_player", &player),
        SCHEMA (".media/session", &session),
        SCHEMA (".media/ad", &ad),
        SCHEMA (".media/ad_break", &ad_break),
    };
    for (size_t row = 0; row < sizeof schemas / sizeof *schemas; row++)
        if (size > schemas [row].size && memcmp (schema, schemas [row].stem, schemas [row].size) == 0)
            return schemas [row].table;
    return NULL;
}

void
fields_put_text (fields_t *self, const char *data, size_t size)
{
    if (self->texts == FIELDS_MAX)
        abort ();
    self->text [self->texts].data = data;
    self->text [self->texts++].size = size;
}

void
fields_put_number (fields_t *self, double number)
{
    if (self->numbers == FIELDS_MAX)
        abort ();
    self->number [self->numbers++] = number;
}

void
fields_put_flag (fields_t *self, bool flag)
{
    if (self->flags == FIELDS_MAX)
        abort ();
    self->flag [self->flags++] = flag;
}
