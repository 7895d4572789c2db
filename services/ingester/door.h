//  door - what of a viewer's name gets past the ingester: with a key for pseudonyms no raw viewer id
//
//  What comes back as a string is a view of the row, or of the door until it is asked again.

#ifndef DOOR_H
#define DOOR_H

#include "keyed_digest.h"
#include "source.h"

typedef struct {
    usher_str_t key;    //  of pseudonyms; empty: viewer ids stay what they are
    char digest [KEYED_DIGEST_HEX + 1];
    char text [128];
} door_t;

//  key, NULL for none, must live as long.
void door_open (door_t *self, const char *key);

//  The id by which the viewer is known behind the door.
usher_str_t door_viewer_id (door_t *self, usher_str_t viewer_id);

//  What may be kept of a bad event. It may say in any way whose it is, so with pseudonyms only what tells whether it is the
//  same as another one. At most what quarantine.payload takes.
usher_str_t door_payload (door_t *self, const source_row_t *row);

//  What is wrong, and where, as far as it quotes nothing of the event: values stand last, behind a colon. What the collector
//  refused begins with the kind of failure. At most what quarantine.reason takes.
usher_str_t door_reason (const door_t *self, const source_row_t *row, const char *reason);

#endif
