//  door - what of a viewer's name gets past the ingester: with a key for pseudonyms no raw viewer id

#include "door.h"

#include <stdio.h>
#include <string.h>

//  Bytes; limits of quarantine.reason and .payload in messages.def.
enum { REASON_MAX = 1024, PAYLOAD_MAX = 1048576 };

void
door_open (door_t *self, const char *key)
{
    *self = (door_t){ .key = usher_str (key ? key : "") };
}

usher_str_t
door_viewer_id (door_t *self, usher_str_t viewer_id)
{
    if (!self->key.size)
        return viewer_id;
    keyed_digest_hex (self->key, viewer_id, self->digest);
    return usher_str (self->digest);
}

usher_str_t
door_payload (door_t *self, const source_row_t *row)
{
    if (!self->key.size)
        return usher_bytes (row->data, row->size < PAYLOAD_MAX ? row->size : PAYLOAD_MAX);
    keyed_digest_hex (self->key, usher_bytes (row->data, row->size), self->digest);
    snprintf (self->text, sizeof self->text, "%zu bytes, HMAC-SHA256 %s", row->size, self->digest);
    return usher_str (self->text);
}

usher_str_t
door_reason (const door_t *self, const source_row_t *row, const char *reason)
{
    const char *end = self->key.size ? strstr (reason, ": ") : NULL;
    if (end && !row->bad)
        end = strstr (end + 1, ": ");
    size_t size = end ? (size_t)(end - reason) : strlen (reason);
    return usher_bytes (reason, size < REASON_MAX ? size : REASON_MAX);
}
