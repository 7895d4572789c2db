//  flattened - the reference's message: eight JSON members that its Snowbridge script makes of an enriched event

#include "snowplow/flattened.h"
#include "snowplow/media_kinds.h"
#include "snowplow/sdk_json.h"

static const member_t members [] = {
    DRAFT_TEXT ("collector_tstamp", collected),
    DRAFT_TEXT ("event_name", event_name),
    DRAFT_TEXT ("viewer_id", event.viewer_id),
    MEMBER ("event_id", AS_TEXT, event_id),
    MEMBER ("adsClicked", AS_COUNT, ads_clicked),
    MEMBER ("adsSkipped", AS_COUNT, ads_skipped),
    MEMBER ("adId", AS_AD_ID, ad_id),
    MEMBER ("video_ts", AS_SECONDS, video_s),
};

//  Steps over a key. *member: its row, or NULL; draft->enriched: it is another form's. As a rule it is the key that was there in
//  the message before. Returns false behind the last one, or at a fault.
static inline bool
next_member (draft_t *draft, json_scan_t *scan, size_t at, const member_t **member)
{
    *member = draft_member_expected (draft, at);
    if (*member && json_scan_member_is (scan, (*member)->key, (*member)->key_size))
        return true;
    json_value_t key;
    if (!json_scan_member (scan, &key))
        return false;
    *member = draft_member_note (draft, at, members, sizeof members / sizeof *members, &key);
    draft->enriched = !*member && sdk_json_is_member (&key);
    return true;
}

//  Returns false with a reason, or with draft->enriched: it is another form.
static bool
read_members (draft_t *draft, const char *data, size_t size)
{
    json_scan_t scan;
    json_value_t value;
    const member_t *member;
    bool good = true;
    json_scan_open (&scan, data, size);
    json_scan_enter (&scan);
    for (size_t at = 0; next_member (draft, &scan, at, &member); at++) {
        if (draft->enriched || !json_scan_value (&scan, &value))
            break;
        good = (!member || draft_fill_member (draft, member, &value)) && good;
    }
    if (draft->enriched || json_scan_done (&scan))
        return good && !draft->enriched;
    draft_fail (draft, "JSON: %s at byte %td", scan.fault, scan.at - scan.start);
    return false;
}

//  What passes the reference's filter.
static bool
is_flattened_kind (usher_event_kind_t kind)
{
    return kind == USHER_event_kind_play || kind == USHER_event_kind_pause || kind == USHER_event_kind_ping ||
           kind == USHER_event_kind_end || kind == USHER_event_kind_ad_break_start ||
           kind == USHER_event_kind_ad_break_end;
}

decode_result_t
flattened_decode (draft_t *draft, const char *data, size_t size)
{
    usher_event_t *event = &draft->event;
    if (!read_members (draft, data, size))
        return DECODE_BAD;
    if (!draft->event_name.size)
        return draft_fail (draft, "event_name is missing");
    event->kind = media_kind_of_name (draft->event_name);
    if (!is_flattened_kind (event->kind))
        return DECODE_PASSED_BY;
    if (usher_str_eq (event->viewer_id, usher_str ("PoC user")))
        event->viewer_id = (usher_str_t){ 0 };
    event->has = event->ad_id.size ? USHER_HAS_AD : 0;
    return draft_finish (draft);
}
