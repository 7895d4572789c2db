//  flattened - the reference's message: eight JSON members that its Snowbridge script makes of an enriched event
//
//  collector_tstamp, event_id, event_name, viewer_id, adsClicked, adsSkipped, adId, video_ts.
//  Of media events only play, pause, ping, end and the ad breaks pass the reference's filter; other names are
//  passed by. `PoC user` is what the script writes for a viewer without any id: nobody.
//
//  The other form of JSON (sdk_json.h) is told by a member that the script never writes. Until one is met a message
//  is taken for a flattened one, so the form does not depend on the order of the members.

#ifndef FLATTENED_H
#define FLATTENED_H

#include "snowplow/event_draft.h"

//  Fills the draft's event from a JSON object. Sets the draft's enriched, and the result means nothing, if it is
//  an enriched event.
decode_result_t flattened_decode (draft_t *draft, const char *data, size_t size);

#endif
