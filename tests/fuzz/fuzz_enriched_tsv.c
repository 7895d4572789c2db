//  fuzz_enriched_tsv - any bytes as an enriched event of 131 columns
//
//  As it comes, and again with the parts between its tabs in just those columns that are read: mutated rows rarely
//  have 131 columns, and would hardly ever get behind the counting.

#include "fuzz.h"
#include "snowplow/enriched_tsv.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX 65536

//  Where the parts go, counted from 1, and what stands there when there is no such part.
static const struct {
    int column;
    const char *fallback;
} places [] = {
    { 127, "play_event" },
    { 59, "" },
    { 53, "" },
    { 123, "" },
    { 13, "alice" },
    { 4, "2026-11-23 06:45:20.549" },
    { 5, "" },
    { 16, "" },
    { 7, "" },
    { 1, "" },
    { 2, "" },
    { 19, "" },
    { 21, "" },
    { 78, "" },
    { 126, "com.snowplowanalytics.snowplow.media" },
};
#define PLACES ((int)(sizeof places / sizeof *places))

//  Appends the part of the input, or the fallback, that belongs into a column.
static size_t
put_column (char *row, int column, const char *const *parts, const size_t *sizes)
{
    int place = 0;
    while (place < PLACES && places [place].column != column)
        place++;
    if (place == PLACES)
        return 0;
    const char *part = parts [place] ? parts [place] : places [place].fallback;
    size_t size = parts [place] ? sizes [place] : strlen (part);
    memcpy (row, part, size);
    return size;
}

static void
fuzz_parts (const char *data, size_t size)
{
    const char *parts [PLACES] = { 0 }, *end = data + size;
    size_t sizes [PLACES] = { 0 };
    for (int place = 0; place < PLACES && data; place++) {
        const char *tab = data < end ? memchr (data, '\t', (size_t)(end - data)) : NULL;
        parts [place] = data;
        sizes [place] = (size_t)((tab ? tab : end) - data);
        data = tab ? tab + 1 : NULL;
    }
    usher_event_t event;
    char *row = malloc (size + 1024), *at = row;
    for (int column = 1; column <= ENRICHED_TSV_COLUMNS; column++) {
        at += put_column (at, column, parts, sizes);
        *at++ = '\t';
    }
    //  The last column has no tab behind it; the block ends there, for the sanitizer.
    size = (size_t)(at - row) - 1;
    row = realloc (row, size);
    fuzz_decode (enriched_tsv_decode, (const uint8_t *)row, size, &event);
    free (row);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    usher_event_t event;
    if (size > INPUT_BYTES_MAX)
        return -1;
    fuzz_decode (enriched_tsv_decode, data, size, &event);
    fuzz_parts ((const char *)data, size);
    return 0;
}
