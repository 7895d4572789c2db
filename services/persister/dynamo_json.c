//  dynamo_json - what is said to DynamoDB: requests as JSON, answers read

#include "dynamo_json.h"
#include "base64.h"
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

//  The magnitudes that a DynamoDB number can have; beyond them a position is unknown.
#define NUMBER_MIN 1e-130
#define NUMBER_MAX 9.9e125

//  ---- attribute values

static void
text_value (buffer_t *out, usher_str_t text)
{
    json_open (out, '{');
    json_key (out, "S");
    json_text (out, text);
    json_close (out, '}');
}

//  Numbers travel as strings.
static void
number_value (buffer_t *out, usher_str_t digits)
{
    json_open (out, '{');
    json_key (out, "N");
    json_text (out, digits);
    json_close (out, '}');
}

static void
uint_value (buffer_t *out, uint64_t number)
{
    char digits [24];
    snprintf (digits, sizeof digits, "%" PRIu64, number);
    number_value (out, usher_str (digits));
}

static void
bytes_value (buffer_t *out, usher_str_t bytes)
{
    json_open (out, '{');
    json_key (out, "B");
    json_raw (out, "\"", 1);
    base64_add (out, bytes.data, bytes.size);
    buffer_add (out, "\"", 1);
    json_close (out, '}');
}

static void
text_attribute (buffer_t *out, const char *name, usher_str_t text)
{
    json_key (out, name);
    text_value (out, text);
}

static void
uint_attribute (buffer_t *out, const char *name, uint64_t number)
{
    json_key (out, name);
    uint_value (out, number);
}

//  What is unknown, or no number of DynamoDB's, is left out.
static void
double_attribute (buffer_t *out, const char *name, double number)
{
    if (!isfinite (number) || fabs (number) > NUMBER_MAX)
        return;
    buffer_t digits = { 0 };
    json_number (&digits, fabs (number) < NUMBER_MIN ? 0 : number);
    json_key (out, name);
    number_value (out, usher_bytes (digits.data, digits.size));
    buffer_free (&digits);
}

//  The reference keeps ad ids as numbers; other texts stay what they are.
static void
ad_attribute (buffer_t *out, usher_str_t ad_id)
{
    buffer_t value = { 0 };
    json_ad_id (&value, ad_id);
    json_key (out, "adId");
    if (*value.data == '"')
        text_value (out, ad_id);
    else
        number_value (out, usher_bytes (value.data, value.size));
    buffer_free (&value);
}

static void
capitals_attribute (buffer_t *out, const char *name, const char *word)
{
    json_key (out, name);
    json_open (out, '{');
    json_key (out, "S");
    json_upper (out, word);
    json_close (out, '}');
}

//  ---- rows

void
dynamo_rows_begin (buffer_t *out, const dynamo_tables_t *tables)
{
    json_open (out, '{');
    json_key (out, "RequestItems");
    json_open (out, '{');
    json_key (out, tables->events);
    json_open (out, '[');
}

static void
row_key (buffer_t *out, const usher_history_t *row)
{
    text_attribute (out, "viewer_id", row->viewer_id);
    text_attribute (out, "collector_tstamp", row->key_tstamp);
}

static void
row_attributes (buffer_t *out, const usher_history_t *row)
{
    char name [64];
    snprintf (name, sizeof name, "%s_event", usher_event_kind_names [row->kind]);
    row_key (out, row);
    double_attribute (out, "video_ts", row->video_s);
    uint_attribute (out, "adsClicked", row->ads_clicked);
    uint_attribute (out, "adsSkipped", row->ads_skipped);
    ad_attribute (out, row->ad_id);
    capitals_attribute (out, "status", usher_status_names [row->status]);
    text_attribute (out, "event_id", row->event_id);
    text_attribute (out, "event_name", usher_str (name));
    capitals_attribute (out, "state", usher_state_names [row->state]);
    text_attribute (out, "session_id", row->session_id);
    text_attribute (out, "media_label", row->media_label);
    uint_attribute (out, "expires_at", row->expires_s);
}

void
dynamo_rows_add (buffer_t *out, const usher_history_t *row)
{
    json_open (out, '{');
    json_key (out, row->remove ? "DeleteRequest" : "PutRequest");
    json_open (out, '{');
    json_key (out, row->remove ? "Key" : "Item");
    json_open (out, '{');
    if (row->remove)
        row_key (out, row);
    else
        row_attributes (out, row);
    buffer_add_text (out, "}}}");
}

void
dynamo_rows_end (buffer_t *out)
{
    buffer_add_text (out, "]}}");
}

//  ---- profiles

void
dynamo_writes_begin (buffer_t *out)
{
    json_open (out, '{');
    json_key (out, "Statements");
    json_open (out, '[');
}

static void
insert_profile (buffer_t *out, const dynamo_tables_t *tables, const usher_write_t *write)
{
    char text [512];
    snprintf (text, sizeof text,
              "INSERT INTO \"%s\" VALUE {'viewer_id': ?, 'epoch': ?, 'version': ?, 'expires_at': ?, "
              "'profile': ?%s}",
              tables->profiles, write->live ? ", 'live_slot': ?" : "");
    json_word (out, text);
    json_key (out, "Parameters");
    json_open (out, '[');
    text_value (out, write->viewer_id);
}

static void
update_profile (buffer_t *out, const dynamo_tables_t *tables, const usher_write_t *write)
{
    char text [512];
    snprintf (
        text, sizeof text,
        "UPDATE \"%s\" SET \"epoch\" = ? SET \"version\" = ? SET \"expires_at\" = ? SET \"profile\" = ? "
        "%s WHERE \"viewer_id\" = ? AND \"epoch\" = ? AND \"version\" = ?",
        tables->profiles, write->live ? "SET \"live_slot\" = ?" : "REMOVE \"live_slot\"");
    json_word (out, text);
    json_key (out, "Parameters");
    json_open (out, '[');
}

void
dynamo_writes_add (buffer_t *out, const dynamo_tables_t *tables, const usher_write_t *write)
{
    bool first = write->old_epoch == 0 && write->old_version == 0;
    json_open (out, '{');
    json_key (out, "Statement");
    if (first)
        insert_profile (out, tables, write);
    else
        update_profile (out, tables, write);
    uint_value (out, write->epoch);
    uint_value (out, write->version);
    uint_value (out, write->expires_s);
    bytes_value (out, write->profile);
    if (write->live)
        uint_value (out, write->slot);
    if (!first) {
        text_value (out, write->viewer_id);
        uint_value (out, write->old_epoch);
        uint_value (out, write->old_version);
    }
    buffer_add_text (out, "]}");
}

void
dynamo_writes_end (buffer_t *out)
{
    buffer_add_text (out, "]}");
}

void
dynamo_reads_begin (buffer_t *out, const dynamo_tables_t *tables)
{
    json_open (out, '{');
    json_key (out, "RequestItems");
    json_open (out, '{');
    json_key (out, tables->profiles);
    json_open (out, '{');
    json_key (out, "ConsistentRead");
    json_bool (out, true);
    json_key (out, "Keys");
    json_open (out, '[');
}

void
dynamo_reads_add (buffer_t *out, usher_str_t viewer_id)
{
    json_open (out, '{');
    text_attribute (out, "viewer_id", viewer_id);
    json_close (out, '}');
}

void
dynamo_reads_end (buffer_t *out)
{
    buffer_add_text (out, "]}}}");
}

//  ---- queries

void
dynamo_query_live (buffer_t *out, const dynamo_tables_t *tables, uint32_t slot, usher_str_t after)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, tables->profiles);
    json_key (out, "IndexName");
    json_word (out, DYNAMO_LIVE_INDEX);
    json_key (out, "KeyConditionExpression");
    json_word (out, "live_slot = :slot");
    json_key (out, "ExpressionAttributeValues");
    json_open (out, '{');
    uint_attribute (out, ":slot", slot);
    json_close (out, '}');
    if (after.size) {
        json_key (out, "ExclusiveStartKey");
        json_open (out, '{');
        uint_attribute (out, "live_slot", slot);
        text_attribute (out, "viewer_id", after);
        json_close (out, '}');
    }
    json_close (out, '}');
}

void
dynamo_query_rows (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id, usher_str_t after,
                   uint64_t now_s, uint32_t limit)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, tables->events);
    json_key (out, "KeyConditionExpression");
    json_word (out, "viewer_id = :viewer");
    json_key (out, "FilterExpression");
    //  A row of the reference has no expires_at.
    json_word (out, "attribute_not_exists (expires_at) OR expires_at > :now");
    json_key (out, "ExpressionAttributeValues");
    json_open (out, '{');
    text_attribute (out, ":viewer", viewer_id);
    uint_attribute (out, ":now", now_s);
    json_close (out, '}');
    json_key (out, "ScanIndexForward");
    json_bool (out, false);
    json_key (out, "ConsistentRead");
    json_bool (out, true);
    json_key (out, "Limit");
    json_uint (out, limit);
    if (after.size) {
        json_key (out, "ExclusiveStartKey");
        json_open (out, '{');
        text_attribute (out, "viewer_id", viewer_id);
        text_attribute (out, "collector_tstamp", after);
        json_close (out, '}');
    }
    json_close (out, '}');
}

//  ---- erasure

void
dynamo_query_keys (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, tables->events);
    json_key (out, "KeyConditionExpression");
    json_word (out, "viewer_id = :viewer");
    json_key (out, "ProjectionExpression");
    json_word (out, "collector_tstamp");
    json_key (out, "ExpressionAttributeValues");
    json_open (out, '{');
    text_attribute (out, ":viewer", viewer_id);
    json_close (out, '}');
    json_key (out, "ConsistentRead");
    json_bool (out, true);
    json_key (out, "Limit");
    json_uint (out, DYNAMO_ERASE_ROWS);
    json_close (out, '}');
}

void
dynamo_delete (buffer_t *out, const dynamo_tables_t *tables, usher_str_t viewer_id)
{
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, tables->profiles);
    json_key (out, "Key");
    json_open (out, '{');
    text_attribute (out, "viewer_id", viewer_id);
    json_close (out, '}');
    json_key (out, "ReturnValues");
    json_word (out, "ALL_OLD");
    json_close (out, '}');
}

//  ---- the counter

void
dynamo_claim (buffer_t *out, const dynamo_tables_t *tables)
{
    char key [DYNAMO_COUNTER_BYTES];
    static const char name [] = "usher epochs ";
    memset (key, '.', sizeof key);
    memcpy (key, name, sizeof name - 1);
    json_open (out, '{');
    json_key (out, "TableName");
    json_word (out, tables->profiles);
    json_key (out, "Key");
    json_open (out, '{');
    text_attribute (out, "viewer_id", usher_bytes (key, sizeof key));
    json_close (out, '}');
    json_key (out, "UpdateExpression");
    json_word (out, "ADD epoch :one");
    json_key (out, "ExpressionAttributeValues");
    json_open (out, '{');
    uint_attribute (out, ":one", 1);
    json_close (out, '}');
    json_key (out, "ReturnValues");
    json_word (out, "UPDATED_NEW");
    json_close (out, '}');
}

//  ---- answers

static usher_str_t
value_of (const json_t *item, const char *name, const char *type)
{
    const json_t *value = json_object_get (json_object_get (item, name), type);
    return json_is_string (value) ? usher_bytes (json_string_value (value), json_string_length (value))
                                  : usher_str ("");
}

usher_str_t
dynamo_text (const json_t *item, const char *name)
{
    return value_of (item, name, "S");
}

uint64_t
dynamo_number (const json_t *item, const char *name)
{
    usher_str_t digits = value_of (item, name, "N");
    return digits.size ? strtoull (digits.data, NULL, 10) : 0;
}

bool
dynamo_read_profile (const json_t *item, usher_loaded_t *loaded, uint64_t *expires_s, bool *live,
                     buffer_t *bytes)
{
    usher_str_t profile = value_of (item, "profile", "B");
    buffer_clear (bytes, SIZE_MAX);
    buffer_reserve (bytes, profile.size + 1);
    *loaded = (usher_loaded_t){ .viewer_id = dynamo_text (item, "viewer_id"),
                                .epoch = dynamo_number (item, "epoch"),
                                .version = dynamo_number (item, "version") };
    *expires_s = dynamo_number (item, "expires_at");
    *live = json_object_get (item, "live_slot") != NULL;
    if (!loaded->viewer_id.size || !base64_read (bytes, profile.data, profile.size))
        return false;
    loaded->profile = usher_bytes (bytes->data, bytes->size);
    return true;
}

//  Cut to what a message may hold: the table may have another writer.
static usher_str_t
text_within (const json_t *item, const char *name, uint32_t limit)
{
    usher_str_t text = dynamo_text (item, name);
    return usher_bytes (text.data, text.size < limit ? text.size : limit);
}

void
dynamo_read_row (const json_t *item, usher_history_row_t *row)
{
    usher_str_t position = value_of (item, "video_ts", "N"), number = value_of (item, "adId", "N");
    row->key_tstamp = text_within (item, "collector_tstamp", 192);
    row->event_id = text_within (item, "event_id", 128);
    row->event_name = text_within (item, "event_name", 128);
    row->video_s = position.size ? strtod (position.data, NULL) : NAN;
    row->ads_clicked = (uint32_t)dynamo_number (item, "adsClicked");
    row->ads_skipped = (uint32_t)dynamo_number (item, "adsSkipped");
    row->ad_id = number.size ? number : text_within (item, "adId", 1024);
    row->status = text_within (item, "status", 32);
    row->state = text_within (item, "state", 32);
    row->session_id = text_within (item, "session_id", 1024);
    row->media_label = text_within (item, "media_label", 4096);
}
