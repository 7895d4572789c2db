//  media_data - what the entities of a player event and its own data say, put into a draft
//
//  The enriched TSV and the SDK's JSON hold the same bodies in different wrappers. In the one an entity is known by
//  its schema, in the other by a key of an object whose members come in any order; so what counts does not depend
//  on the order. Of the entities of a kind the first of the model that we know counts. Bodies whose turn comes later
//  are kept as views: the older entities, those of a model that is newer than ours, and the event's own data.

#ifndef MEDIA_DATA_H
#define MEDIA_DATA_H

#include "snowplow/event_draft.h"

#define MEDIA_ENTITIES 6

typedef struct {
    draft_t *draft;
    struct {
        uint32_t model;
        json_value_t data;
    } kept [MEDIA_ENTITIES];
    json_value_t own;
    uint32_t read;    //  bit n: entity n needs nothing more
    bool older;       //  a media_player_event
    bool failed;      //  the draft says why
} media_t;

//  Which entity, and of which model of its schema; row -1 for what is none of ours.
typedef struct {
    int row;
    uint32_t model;
} media_entity_t;

//  Of iglu:vendor/name/jsonschema/model-revision-addition.
media_entity_t media_entity_of_schema (const json_value_t *schema);

//  Of contexts_vendor_name_model.
media_entity_t media_entity_of_key (const json_value_t *key);

//  Takes the value that comes next as an entity's data; steps over what does not count.
void media_take_entity (media_t *self, json_scan_t *scan, media_entity_t entity);

//  Takes the value that comes next as the event's own data.
void media_take_own (media_t *self, json_scan_t *scan);

//  Is an event of the draft's event_vendor and event_name one of a player? Fills the event's kind, but for an older
//  one, whose kind is in its data.
bool media_is_player_event (media_t *self);

//  Reads what was kept and ends the draft. All JSON must have been read to its end without a fault.
decode_result_t media_finish (media_t *self);

#endif
