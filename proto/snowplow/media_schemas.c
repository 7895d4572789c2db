//  media_schemas - the schemas of the media plugin and of the web page entity, and whether data keeps to them

#include "snowplow/media_schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNOWPLOW "com.snowplowanalytics.snowplow"
#define MEDIA "com.snowplowanalytics.snowplow.media"

typedef enum { BOOLEAN, INTEGER, NUMBER, STRING, ONE_OF, DATE_TIME, UUID } type_t;
enum { OPTIONAL, REQUIRED };
enum { NOT_NULL, NULLABLE };

typedef struct {
    const char *vendor;
    const char *name;
    const char *version;
} schema_t;

typedef struct {
    const char *schema;    //  the schema's name; they differ from each other even without the vendor
    const char *name;
    type_t type;
    int required;
    int nullable;
    int64_t min, max;       //  of a number; max is the length of a string in code points; 0 and 0: no limit
    const char *allowed;    //  ONE_OF: the words, blanks between them
} property_t;

// clang-format off
static const schema_t schemas[] = {
    {MEDIA, "ad_break_end_event", "1-0-0" },
    { MEDIA, "ad_break_start_event", "1-0-0" },
    { MEDIA, "ad_click_event", "1-0-0" },
    { MEDIA, "ad_complete_event", "1-0-0" },
    { MEDIA, "ad_pause_event", "1-0-0" },
    { MEDIA, "ad_quartile_event", "1-0-0" },
    { MEDIA, "ad_resume_event", "1-0-0" },
    { MEDIA, "ad_skip_event", "1-0-0" },
    { MEDIA, "ad_start_event", "1-0-0" },
    { MEDIA, "buffer_end_event", "1-0-0" },
    { MEDIA, "buffer_start_event", "1-0-0" },
    { MEDIA, "end_event", "1-0-0" },
    { MEDIA, "error_event", "1-0-0" },
    { MEDIA, "fullscreen_change_event", "1-0-0" },
    { MEDIA, "pause_event", "1-0-0" },
    { MEDIA, "percent_progress_event", "1-0-0" },
    { MEDIA, "picture_in_picture_change_event", "1-0-0" },
    { MEDIA, "ping_event", "1-0-0" },
    { MEDIA, "play_event", "1-0-0" },
    { MEDIA, "playback_rate_change_event", "1-0-0" },
    { MEDIA, "quality_change_event", "1-0-0" },
    { MEDIA, "ready_event", "1-0-0" },
    { MEDIA, "seek_end_event", "1-0-0" },
    { MEDIA, "seek_start_event", "1-0-0" },
    { MEDIA, "volume_change_event", "1-0-0" },
    { SNOWPLOW, "media_player", "2-0-0" },
    { MEDIA, "ad", "1-0-0" },
    { MEDIA, "ad_break", "1-0-0" },
    { MEDIA, "session", "1-0-0" },
    { SNOWPLOW, "web_page", "1-0-0" },
};

static const property_t properties[] = {
    { "ad_click_event", "percentProgress", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "ad_pause_event", "percentProgress", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "ad_quartile_event", "percentProgress", INTEGER, REQUIRED, NOT_NULL, 0, 100, NULL },
    { "ad_resume_event", "percentProgress", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "ad_skip_event", "percentProgress", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "error_event", "errorCode", STRING, OPTIONAL, NULLABLE, 0, 256, NULL },
    { "error_event", "errorName", STRING, OPTIONAL, NULLABLE, 0, 256, NULL },
    { "error_event", "errorDescription", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "fullscreen_change_event", "fullscreen", BOOLEAN, REQUIRED, NOT_NULL, 0, 0, NULL },
    { "percent_progress_event", "percentProgress", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "picture_in_picture_change_event", "pictureInPicture", BOOLEAN, REQUIRED, NOT_NULL, 0, 0, NULL },
    { "playback_rate_change_event", "previousRate", NUMBER, OPTIONAL, NULLABLE, 0, 16, NULL },
    { "playback_rate_change_event", "newRate", NUMBER, REQUIRED, NOT_NULL, 0, 16, NULL },
    { "quality_change_event", "previousQuality", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "quality_change_event", "newQuality", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "quality_change_event", "bitrate", INTEGER, OPTIONAL, NULLABLE, 0, 9007199254740991, NULL },
    { "quality_change_event", "framesPerSecond", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "quality_change_event", "automatic", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "volume_change_event", "previousVolume", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "volume_change_event", "newVolume", INTEGER, REQUIRED, NOT_NULL, 0, 100, NULL },
    { "media_player", "currentTime", NUMBER, REQUIRED, NOT_NULL, 0, 2147483647, NULL },
    { "media_player", "duration", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "media_player", "ended", BOOLEAN, REQUIRED, NOT_NULL, 0, 0, NULL },
    { "media_player", "fullscreen", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "media_player", "livestream", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "media_player", "label", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "media_player", "loop", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "media_player", "mediaType", ONE_OF, OPTIONAL, NULLABLE, 0, 0, "video audio" },
    { "media_player", "muted", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "media_player", "paused", BOOLEAN, REQUIRED, NOT_NULL, 0, 0, NULL },
    { "media_player", "pictureInPicture", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "media_player", "playbackRate", NUMBER, OPTIONAL, NULLABLE, 0, 16, NULL },
    { "media_player", "playerType", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "media_player", "quality", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "media_player", "volume", INTEGER, OPTIONAL, NULLABLE, 0, 100, NULL },
    { "ad", "name", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "ad", "adId", STRING, REQUIRED, NOT_NULL, 0, 256, NULL },
    { "ad", "creativeId", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "ad", "podPosition", INTEGER, OPTIONAL, NULLABLE, 1, 65535, NULL },
    { "ad", "duration", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "ad", "skippable", BOOLEAN, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "ad_break", "name", STRING, OPTIONAL, NULLABLE, 0, 4096, NULL },
    { "ad_break", "breakId", STRING, REQUIRED, NOT_NULL, 0, 256, NULL },
    { "ad_break", "startTime", NUMBER, REQUIRED, NOT_NULL, 0, 2147483647, NULL },
    { "ad_break", "breakType", ONE_OF, OPTIONAL, NULLABLE, 0, 0, "linear nonlinear companion" },
    { "ad_break", "podSize", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "mediaSessionId", STRING, REQUIRED, NOT_NULL, 0, 256, NULL },
    { "session", "startedAt", DATE_TIME, OPTIONAL, NULLABLE, 0, 0, NULL },
    { "session", "pingInterval", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "timePlayed", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "timePlayedMuted", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "timePaused", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "contentWatched", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "timeBuffering", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "timeSpentAds", NUMBER, OPTIONAL, NULLABLE, 0, 2147483647, NULL },
    { "session", "ads", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "adsClicked", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "adsSkipped", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "adBreaks", INTEGER, OPTIONAL, NULLABLE, 0, 65535, NULL },
    { "session", "avgPlaybackRate", NUMBER, OPTIONAL, NULLABLE, 0, 16, NULL },
    { "web_page", "id", UUID, REQUIRED, NOT_NULL, 0, 0, NULL },
};
// clang-format on

#define SCHEMA_COUNT (sizeof schemas / sizeof schemas [0])
#define PROPERTY_COUNT (sizeof properties / sizeof properties [0])

//  ---- Schema addresses

static bool
is_name_byte (char byte, bool dot)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '-' || (dot && byte == '.');
}

//  Cut the part before the next slash off the text; empty if it holds a byte that no name has.
static span_t
cut_part (span_t *rest, bool dot)
{
    size_t size = 0;
    while (size < rest->size && is_name_byte (rest->data [size], dot))
        size++;
    span_t part = { rest->data, size };
    if (size == rest->size || rest->data [size] != '/')
        return (span_t){ rest->data, 0 };
    rest->data += size + 1;
    rest->size -= size + 1;
    return part;
}

//  Three numbers without leading zeros, hyphens between them, the first at least 1.
static bool
is_version (span_t text)
{
    size_t parts = 0, at = 0;
    while (at < text.size) {
        size_t start = at;
        while (at < text.size && text.data [at] >= '0' && text.data [at] <= '9')
            at++;
        bool leading_zero = at > start && text.data [start] == '0' && (at - start > 1 || parts == 0);
        if (at == start || leading_zero || ++parts > 3)
            return false;
        if (at == text.size)
            return parts == 3;
        if (text.data [at++] != '-')
            return false;
    }
    return false;
}

int
iglu_parse (span_t text, iglu_t *iglu)
{
    if (text.size < 5 || memcmp (text.data, "iglu:", 5) != 0)
        return -1;
    span_t rest = { text.data + 5, text.size - 5 };
    iglu->vendor = cut_part (&rest, true);
    iglu->name = cut_part (&rest, false);
    iglu->format = cut_part (&rest, false);
    iglu->version = rest;
    bool whole = iglu->vendor.size && iglu->name.size && iglu->format.size && is_version (rest);
    return whole ? 0 : -1;
}

//  ---- Values

bool
uuid_is_valid (span_t text)
{
    if (text.size != 36)
        return false;
    for (size_t index = 0; index < 36; index++) {
        char byte = text.data [index];
        bool hyphen = index == 8 || index == 13 || index == 18 || index == 23;
        bool hex =
            (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
        if (hyphen ? byte != '-' : !hex)
            return false;
    }
    return true;
}

//  Does the text follow the pattern, in which 0 stands for any digit and another byte for itself?
static bool
fits (const char *text, size_t size, const char *pattern)
{
    if (size < strlen (pattern))
        return false;
    for (size_t index = 0; pattern [index]; index++) {
        bool digit = text [index] >= '0' && text [index] <= '9';
        if (pattern [index] == '0' ? !digit : text [index] != pattern [index])
            return false;
    }
    return true;
}

static int
two_digits (const char *text)
{
    return (text [0] - '0') * 10 + (text [1] - '0');
}

//  Z or an offset, and nothing behind it.
static bool
is_zone (const char *text, size_t size)
{
    if (size == 1)
        return *text == 'Z' || *text == 'z';
    if (size != 6 || (*text != '+' && *text != '-') || !fits (text + 1, size - 1, "00:00"))
        return false;
    return two_digits (text + 1) < 24 && two_digits (text + 4) < 60;
}

static bool
is_day (const char *text)
{
    static const int lengths [] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int year = two_digits (text) * 100 + two_digits (text + 2);
    int month = two_digits (text + 5);
    int day = two_digits (text + 8);
    if (month < 1 || month > 12 || day < 1 || day > lengths [month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return leap || month != 2 || day < 29;
}

//  RFC 3339 with a zone.
static bool
is_date_time (const char *text, size_t size)
{
    if (!fits (text, size, "0000-00-00T00:00:00") || !is_day (text))
        return false;
    if (two_digits (text + 11) > 23 || two_digits (text + 14) > 59 || two_digits (text + 17) > 60)
        return false;
    size_t at = 19;
    if (at < size && text [at] == '.') {
        size_t before = ++at;
        while (at < size && text [at] >= '0' && text [at] <= '9')
            at++;
        if (at == before)
            return false;
    }
    return is_zone (text + at, size - at);
}

//  Is a string value one of the words in the list?
static bool
is_one_of (span_t string, const char *words)
{
    while (*words) {
        size_t size = strcspn (words, " ");
        if (string.size == size + 2 && memcmp (string.data + 1, words, size) == 0)
            return true;
        words += size + (words [size] == ' ');
    }
    return false;
}

//  1e400 becomes infinity here, which is too large, not unreadable. strtod needs a terminated text; no tracker
//  writes a number of more than 63 characters, and such a one is refused.
static bool
is_in_range (span_t number, int64_t min, int64_t max)
{
    char text [64];
    if (number.size >= sizeof text)
        return false;
    memcpy (text, number.data, number.size);
    text [number.size] = 0;
    double value = strtod (text, NULL);
    return value >= (double)min && value <= (double)max;
}

static bool
is_integer (span_t number)
{
    for (size_t index = 0; index < number.size; index++)
        if (strchr (".eE", number.data [index]))
            return false;
    return true;
}

static const char *
check_number (const property_t *property, span_t value)
{
    if (json_text_kind (value) != '0')
        return property->type == INTEGER ? "not an integer" : "not a number";
    if (property->type == INTEGER && !is_integer (value))
        return "not an integer";
    return is_in_range (value, property->min, property->max) ? NULL : "out of range";
}

static const char *
check_string (const property_t *property, span_t value)
{
    if (json_text_kind (value) != '"')
        return "not a string";
    span_t text = { value.data + 1, value.size - 2 };
    if (property->type == DATE_TIME)
        return is_date_time (text.data, text.size) ? NULL : "not a date-time with a zone";
    if (property->type == UUID)
        return uuid_is_valid (text) ? NULL : "not a UUID";
    if (property->type == ONE_OF)
        return is_one_of (value, property->allowed) ? NULL : "not one of the allowed words";
    return json_text_string_length (value) <= (size_t)property->max ? NULL : "too long";
}

//  What is wrong with the value; NULL if nothing is.
static const char *
check_value (const property_t *property, span_t value)
{
    char kind = json_text_kind (value);
    if (kind == 'n')
        return property->nullable ? NULL : "null";
    if (property->type == BOOLEAN)
        return kind == 't' || kind == 'f' ? NULL : "not a boolean";
    return property->type == INTEGER || property->type == NUMBER ? check_number (property, value)
                                                                 : check_string (property, value);
}

//  ---- Objects

static const schema_t *
find_schema (const iglu_t *iglu)
{
    for (size_t index = 0; index < SCHEMA_COUNT; index++)
        if (span_is (iglu->name, schemas [index].name) && span_is (iglu->vendor, schemas [index].vendor))
            return &schemas [index];
    return NULL;
}

static bool
same_model (span_t version, const char *known)
{
    size_t size = strcspn (known, "-") + 1;
    return version.size >= size && memcmp (version.data, known, size) == 0;
}

//  A schema's rows in the table of properties, which stand together; none of an empty one.
typedef struct {
    const property_t *first;
    size_t count;
} property_rows_t;

static property_rows_t
find_rows (const schema_t *schema)
{
    size_t first = 0;
    while (first < PROPERTY_COUNT && strcmp (properties [first].schema, schema->name) != 0)
        first++;
    size_t end = first;
    while (end < PROPERTY_COUNT && strcmp (properties [end].schema, schema->name) == 0)
        end++;
    return (property_rows_t){ &properties [first], end - first };
}

static int
schema_fault (char *fault, span_t name, const char *what)
{
    int size = (int)(name.size < 80 ? name.size : 80);
    snprintf (fault, SCHEMA_FAULT_MAX, "%.*s: %s", size, name.data, what);
    return -1;
}

//  Find the value of each row; one without a value keeps size 0. Every member must have a row. Values are
//  judged later: of a key that comes twice the last one counts.
static int
find_values (property_rows_t rows, span_t data, span_t *values, char *fault)
{
    json_text_walk_t walk = json_text_walk (data);
    span_t key, value;
    while (json_text_next (&walk, &key, &value)) {
        size_t row = 0;
        while (row < rows.count && !json_text_is (key, rows.first [row].name))
            row++;
        if (row == rows.count)
            return schema_fault (fault, key, "not a property of this schema");
        values [row] = value;
    }
    return 0;
}

static int
check_properties (property_rows_t rows, span_t data, char *fault)
{
    span_t values [PROPERTY_COUNT] = { 0 };
    if (find_values (rows, data, values, fault) != 0)
        return -1;
    for (size_t row = 0; row < rows.count; row++) {
        const property_t *property = &rows.first [row];
        const char *what = property->required ? "missing" : NULL;
        if (values [row].size)
            what = check_value (property, values [row]);
        if (what)
            return schema_fault (fault, span_of (property->name), what);
    }
    return 0;
}

int
media_schema_check (const iglu_t *iglu, span_t data, char fault [SCHEMA_FAULT_MAX])
{
    const schema_t *schema = find_schema (iglu);
    if (!schema || !same_model (iglu->version, schema->version))
        return 0;
    if (!span_is (iglu->version, schema->version) || !span_is (iglu->format, "jsonschema"))
        return schema_fault (fault, iglu->version, "no such version of this schema");
    if (json_text_kind (data) != '{')
        return schema_fault (fault, span_of ("data"), "not an object");
    return check_properties (find_rows (schema), data, fault);
}
