//  sdk_json - an enriched event as Snowplow's Analytics SDKs and Snowbridge's spEnrichedToJson write it

#include "snowplow/sdk_json.h"
#include "snowplow/media_data.h"

#include <string.h>

static const char CONTEXTS [] = "contexts_", EVENT [] = "unstruct_event_";

static const member_t members [] = {
    DRAFT_TEXT ("collector_tstamp", collected),
    DRAFT_TEXT ("dvce_created_tstamp", created),
    DRAFT_TEXT ("event_vendor", event_vendor),
    DRAFT_TEXT ("event_name", event_name),
    DRAFT_TEXT ("user_id", user_id),
    DRAFT_TEXT ("domain_userid", domain_userid),
    MEMBER ("event_id", AS_TEXT, event_id),
    MEMBER ("app_id", AS_TEXT, app_id),
    MEMBER ("platform", AS_TEXT, platform),
    MEMBER ("geo_country", AS_TEXT, country),
    MEMBER ("geo_city", AS_TEXT, city),
    MEMBER ("useragent", AS_TEXT, user_agent),
};

static bool
begins (const json_value_t *key, const char *head)
{
    size_t size = strlen (head);
    return key->size > size && memcmp (key->data, head, size) == 0;
}

bool
sdk_json_is_member (const json_value_t *key)
{
    //  Enrich always fills these, but for the vendor of an event without data.
    static const char *const names [] = { "event_vendor", "etl_tstamp", "v_collector", "v_etl" };
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        if (json_value_is (key, names [at]))
            return true;
    return begins (key, CONTEXTS) || begins (key, EVENT);
}

static void
read_list (media_t *media, json_scan_t *scan, const json_value_t *key)
{
    media_entity_t entity = media_entity_of_key (key);
    json_scan_enter (scan);
    while (json_scan_item (scan))
        media_take_entity (media, scan, entity);
}

static void
read_member (media_t *media, json_scan_t *scan, const json_value_t *key)
{
    json_value_t value;
    char type = json_scan_type (scan);
    if (type == '[' && begins (key, CONTEXTS))
        read_list (media, scan, key);
    else if (type == '{' && begins (key, EVENT))
        media_take_own (media, scan);
    else if (json_scan_value (scan, &value) &&
             !draft_fill (media->draft, members, sizeof members / sizeof *members, key, &value))
        media->failed = true;
}

decode_result_t
sdk_json_decode (draft_t *draft, const char *data, size_t size)
{
    media_t media = { .draft = draft };
    json_scan_t scan;
    json_value_t key;
    json_scan_open (&scan, data, size);
    json_scan_enter (&scan);
    while (json_scan_member (&scan, &key))
        read_member (&media, &scan, &key);
    if (!json_scan_done (&scan))
        return draft_fail (draft, "JSON: %s at byte %td", scan.fault, scan.at - scan.start);
    if (!media_is_player_event (&media))
        return DECODE_PASSED_BY;
    return media_finish (&media);
}
