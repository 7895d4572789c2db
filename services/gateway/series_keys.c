//  series_keys - one dimension of a series: what its keys had at the end of each span

#include "series_keys.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"

typedef struct {
    usher_str_t key;    //  ours
    //  By point.
    uint32_t *sessions, *viewers;
} column_t;

//  What is known of a point: nothing, the largest keys, all keys.
typedef enum { GAP, LARGEST, ALL } known_t;

struct series_keys {
    usher_dimension_t which;
    size_t points, count;
    uint8_t *known;
    column_t columns [SERIES_KEYS_MAX];
    bool more;    //  keys that had no place
};

series_keys_t *
series_keys_new (usher_dimension_t which, size_t points)
{
    series_keys_t *self = memory_new (1, sizeof *self);
    self->which = which;
    self->points = points;
    self->known = memory_new (points + 1, 1);
    return self;
}

void
series_keys_clear (series_keys_t *self)
{
    for (size_t at = 0; at < self->count; at++) {
        free ((char *)(uintptr_t)self->columns [at].key.data);
        free (self->columns [at].sessions);
        free (self->columns [at].viewers);
    }
    self->count = 0;
    self->more = false;
    memset (self->known, GAP, self->points);
}

void
series_keys_destroy (series_keys_t **self_p)
{
    series_keys_t *self = *self_p;
    if (!self)
        return;
    series_keys_clear (self);
    free (self->known);
    free (self);
    *self_p = NULL;
}

//  The column of a key; NULL there is no place for one.
static column_t *
column_of (series_keys_t *self, usher_str_t key)
{
    for (size_t at = 0; at < self->count; at++)
        if (usher_str_eq (self->columns [at].key, key))
            return &self->columns [at];
    if (self->count == SERIES_KEYS_MAX)
        return NULL;
    column_t *column = &self->columns [self->count++];
    column->key = usher_bytes (memory_copy (key.data, key.size), key.size);
    column->sessions = memory_new (self->points + 1, sizeof *column->sessions);
    column->viewers = memory_new (self->points + 1, sizeof *column->viewers);
    return column;
}

static void
point_clear (series_keys_t *self, size_t at)
{
    self->known [at] = ALL;
    for (size_t column = 0; column < self->count; column++)
        self->columns [column].sessions [at] = self->columns [column].viewers [at] = 0;
}

static void
key_add (series_keys_t *self, size_t at, const usher_aggregate_key_t *key)
{
    if (key->other) {
        self->known [at] = LARGEST;
        return;
    }
    column_t *column = column_of (self, key->key);
    if (!column) {
        self->more = true;
        return;
    }
    column->sessions [at] = (uint32_t)key->sessions;
    column->viewers [at] = (uint32_t)key->viewers;
}

void
series_keys_add (series_keys_t *self, size_t at, usher_frame_t *frame)
{
    usher_msg_t msg;
    point_clear (self, at);
    while (usher_decode (frame, &msg) == USHER_OK)
        if (msg.id == USHER_MSG_aggregate_key && msg.aggregate_key.dimension == self->which)
            key_add (self, at, &msg.aggregate_key);
}

//  ---- writing

static void
write_column (const series_keys_t *self, buffer_t *out, const char *name, const column_t *column,
              const uint32_t *values)
{
    json_key (out, name);
    json_open (out, '[');
    for (size_t at = 0; at < self->points; at++)
        if (self->known [at] == ALL || (self->known [at] == LARGEST && column->sessions [at]))
            json_uint (out, values [at]);
        else
            json_unknown (out);
    json_close (out, ']');
}

void
series_keys_write (const series_keys_t *self, buffer_t *out)
{
    json_key (out, "by");
    json_word (out, usher_dimension_names [self->which]);
    json_key (out, "keys");
    json_open (out, '[');
    for (size_t at = 0; at < self->count; at++) {
        const column_t *column = &self->columns [at];
        json_open (out, '{');
        json_key (out, "key");
        json_text (out, column->key);
        write_column (self, out, "sessions", column, column->sessions);
        write_column (self, out, "viewers", column, column->viewers);
        json_close (out, '}');
    }
    json_close (out, ']');
    json_key (out, "more_keys");
    json_bool (out, self->more);
}
