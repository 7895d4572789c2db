//  enriched_tsv - an enriched event: 131 columns between tabs, with JSON in two of them

#include "snowplow/enriched_tsv.h"
#include "snowplow/bytes16.h"
#include "snowplow/media_data.h"

#include <string.h>

//  Columns are counted from 1, as in Snowplow's documents.
enum {
    COLUMN_CONTEXTS = 53,
    COLUMN_UNSTRUCT_EVENT = 59,
    COLUMN_DERIVED_CONTEXTS = 123,
    COLUMN_EVENT_VENDOR = 126,
    COLUMN_EVENT_NAME = 127
};

//  Columns that are taken over as they are.
static const struct {
    int column;
    member_t member;
} texts [] = {
    { 1, MEMBER ("app_id", AS_TEXT, app_id) },           { 2, MEMBER ("platform", AS_TEXT, platform) },
    { 4, DRAFT_TEXT ("collector_tstamp", collected) },   { 5, DRAFT_TEXT ("dvce_created_tstamp", created) },
    { 7, MEMBER ("event_id", AS_TEXT, event_id) },       { 13, DRAFT_TEXT ("user_id", user_id) },
    { 16, DRAFT_TEXT ("domain_userid", domain_userid) }, { 19, MEMBER ("geo_country", AS_TEXT, country) },
    { 21, MEMBER ("geo_city", AS_TEXT, city) },          { 78, MEMBER ("useragent", AS_TEXT, user_agent) },
};

typedef struct {
    const char *data;
    size_t size;
} column_t;

typedef struct {
    size_t count;
    column_t columns [ENRICHED_TSV_COLUMNS + 1];    //  from 1 on
} row_t;

//  ---- JSON columns

//  {"schema": ..., "data": {...}}. The schema comes first as a rule; where it does not the data is read again.
static void
read_item (media_t *media, json_scan_t *scan)
{
    json_value_t key, schema = { 0 }, early = { 0 };
    media_entity_t entity = { .row = -1 };
    if (json_scan_type (scan) != '{') {
        json_scan_value (scan, &early);
        return;
    }
    json_scan_enter (scan);
    while (json_scan_member (scan, &key)) {
        if (json_value_is (&key, "schema") && json_scan_value (scan, &schema))
            entity = media_entity_of_schema (&schema);
        else if (json_value_is (&key, "data") && schema.type)
            media_take_entity (media, scan, entity);
        else
            json_scan_value (scan, json_value_is (&key, "data") ? &early : &(json_value_t){ 0 });
    }
    if (early.type != '{' || scan->fault)
        return;
    json_scan_t again;
    json_scan_open (&again, early.data, early.size);
    media_take_entity (media, &again, entity);
}

static void
read_list (media_t *media, json_scan_t *scan)
{
    json_scan_enter (scan);
    while (json_scan_item (scan))
        read_item (media, scan);
}

//  The event's own object lies two data deep.
static void
read_event (media_t *media, json_scan_t *scan)
{
    json_value_t key;
    json_scan_enter (scan);
    while (json_scan_member (scan, &key)) {
        if (json_value_is (&key, "data"))
            media_take_own (media, scan);
        else
            json_scan_value (scan, &(json_value_t){ 0 });
    }
}

//  Reads a column's outer object; what is in its data is read by read.
static bool
read_column (media_t *media, const char *name, column_t column, char type,
             void (*read) (media_t *media, json_scan_t *scan))
{
    if (!column.size)
        return true;
    json_value_t key;
    json_scan_t scan;
    json_scan_open (&scan, column.data, column.size);
    json_scan_enter (&scan);
    while (json_scan_member (&scan, &key)) {
        if (json_value_is (&key, "data") && json_scan_type (&scan) == type)
            read (media, &scan);
        else
            json_scan_value (&scan, &(json_value_t){ 0 });
    }
    if (json_scan_done (&scan))
        return true;
    draft_fail (media->draft, "%s: JSON: %s at byte %td", name, scan.fault, scan.at - scan.start);
    return false;
}

//  ---- the row

//  A column ends at tab. Those beyond what fits are only counted.
static const char *
end_column (row_t *row, const char *start, const char *tab)
{
    if (++row->count <= ENRICHED_TSV_COLUMNS)
        row->columns [row->count] = (column_t){ start, (size_t)(tab - start) };
    return tab + 1;
}

//  Most columns are empty or a few bytes long, so a search for each next tab costs more than a look at all bytes.
static void
split (row_t *row, const char *data, size_t size)
{
    const char *at = data, *start = data, *end = data + size;
    row->count = 0;
    for (; end - at >= BYTES16; at += BYTES16)
        for (uint32_t tabs = bytes16_equal (bytes16_load (at), '\t'); tabs; tabs &= tabs - 1)
            start = end_column (row, start, at + __builtin_ctz (tabs));
    for (; at < end; at++)
        if (*at == '\t')
            start = end_column (row, start, at);
    end_column (row, start, end);
}

static usher_str_t
column_str (const column_t *columns, int column)
{
    return usher_bytes (columns [column].data, columns [column].size);
}

static bool
read_texts (draft_t *draft, const column_t *columns)
{
    for (size_t row = 0; row < sizeof texts / sizeof *texts; row++) {
        const column_t *column = &columns [texts [row].column];
        const member_t *member = &texts [row].member;
        usher_str_t *field = (usher_str_t *)(void *)((char *)draft + member->offset);
        if (!draft_fill_text (draft, member->key, field, member->limit, column->data, column->size))
            return false;
    }
    return true;
}

decode_result_t
enriched_tsv_decode (draft_t *draft, const char *data, size_t size)
{
    row_t row;
    const column_t *columns = row.columns;
    media_t media = { .draft = draft };
    split (&row, data, size);
    if (row.count != ENRICHED_TSV_COLUMNS)
        return draft_fail (draft, "%zu columns instead of %d", row.count, ENRICHED_TSV_COLUMNS);
    draft->event_vendor = column_str (columns, COLUMN_EVENT_VENDOR);
    draft->event_name = column_str (columns, COLUMN_EVENT_NAME);
    if (!media_is_player_event (&media))
        return DECODE_PASSED_BY;
    if (!read_texts (draft, columns) ||
        !read_column (&media, "derived_contexts", columns [COLUMN_DERIVED_CONTEXTS], '[', read_list) ||
        !read_column (&media, "contexts", columns [COLUMN_CONTEXTS], '[', read_list) ||
        !read_column (&media, "unstruct_event", columns [COLUMN_UNSTRUCT_EVENT], '{', read_event))
        return DECODE_BAD;
    return media_finish (&media);
}
