//  enriched_tsv - an enriched event: 131 columns between tabs, with JSON in two of them
//
//  What Enrich writes and what our collector writes. The events of the media plugin
//  and the older media_player_event are events; the rest is passed by. The viewer is user_id, else domain_userid.
//  Player, session, ad and ad break come from the contexts (media_data.h); the first of each kind counts, and one in
//  derived_contexts before one in contexts, as in the Analytics SDK.

#ifndef ENRICHED_TSV_H
#define ENRICHED_TSV_H

#include "snowplow/event_draft.h"

#define ENRICHED_TSV_COLUMNS 131

//  Fills the draft's event from one row without its newline.
decode_result_t enriched_tsv_decode (draft_t *draft, const char *data, size_t size);

#endif
