//  sdk_json - an enriched event as Snowplow's Analytics SDKs and Snowbridge's spEnrichedToJson write it
//
//  The 131 columns as members of one object, empty ones left out. Each entity is a member of
//  its own, contexts_VENDOR_NAME_MODEL with an array, and so is the event's own data, unstruct_event_VENDOR_NAME_MODEL
//  with an object. The members come in any order, so only at the end is it known whether it is a player's event.

#ifndef SDK_JSON_H
#define SDK_JSON_H

#include "snowplow/event_draft.h"

//  Is this a member that an enriched event has, and never the reference's flattened message?
bool sdk_json_is_member (const json_value_t *key);

//  Fills the draft's event from a JSON object.
decode_result_t sdk_json_decode (draft_t *draft, const char *data, size_t size);

#endif
