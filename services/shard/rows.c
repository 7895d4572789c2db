//  rows - history messages that wait for a write, end to end: of each key the newest counts

#include "rows.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

//  One message: where it lies, and its key.
typedef struct {
    size_t at, size;
    usher_str_t key;
} row_t;

static int
compare_keys (const void *a, const void *b)
{
    const row_t *x = a, *y = b;
    uint32_t size = x->key.size < y->key.size ? x->key.size : y->key.size;
    int order = memcmp (x->key.data, y->key.data, size);
    if (order == 0 && x->key.size != y->key.size)
        order = x->key.size < y->key.size ? -1 : 1;
    //  The newest first.
    return order ? order : (x->at < y->at) - (x->at > y->at);
}

static int
compare_places (const void *a, const void *b)
{
    const row_t *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

static size_t
rows_find (const uint8_t *data, size_t size, row_t **rows)
{
    usher_frame_t frame;
    usher_msg_t msg;
    size_t count = 0, room = 64, at = 0;
    *rows = memory_new (room, sizeof **rows);
    usher_records_open (&frame, data, size);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        if (count == room)
            *rows = memory_resize (*rows, room *= 2, sizeof **rows);
        size_t next = (size_t)(frame.next - data);
        (*rows) [count++] = (row_t){ at, next - at, msg.history.key_tstamp };
        at = next;
    }
    return count;
}

size_t
rows_squeeze (void *data, size_t size)
{
    row_t *rows;
    size_t count = rows_find (data, size, &rows), kept = 0, used = 0;
    qsort (rows, count, sizeof *rows, compare_keys);
    for (size_t at = 0; at < count; at++)
        if (kept == 0 || !usher_str_eq (rows [at].key, rows [kept - 1].key))
            rows [kept++] = rows [at];
    qsort (rows, kept, sizeof *rows, compare_places);
    for (size_t at = 0; at < kept; at++) {
        memmove ((uint8_t *)data + used, (uint8_t *)data + rows [at].at, rows [at].size);
        used += rows [at].size;
    }
    free (rows);
    return used;
}
