//  messages - what an audience that takes turns sends, in two forms

#include "messages.h"
#include "memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATUS_EACH = 20, TURN_MS = 30000, CREATED_BEFORE_MS = 266, COLUMNS = 131 };
enum { PING, PLAY, PAUSE, KINDS };

static const char *const kinds [KINDS] = { "ping_event", "play_event", "pause_event" };

struct messages {
    uint64_t viewers;
    bool enriched;
    char rows [KINDS]
              [MESSAGE_MAX];    //  of tests/data: the first of each kind with totals, all of one session
};

//  One message, before it has a form.
typedef struct {
    unsigned kind;
    uint64_t viewer, turn;
    char event_id [40], collected [32], created [32], viewer_id [40];
} told_t;

//  ---- rows of tests/data

static const char *
column_of (const char *row, size_t number)
{
    for (; number > 1 && row; number--) {
        row = strchr (row, '\t');
        row = row ? row + 1 : NULL;
    }
    return row;
}

static bool
rows_read (messages_t *self)
{
    FILE *file = fopen ("tests/data/enriched-browser-4.10.tsv", "r");
    char line [MESSAGE_MAX];
    while (file && fgets (line, sizeof line, file)) {
        line [strcspn (line, "\n")] = 0;
        const char *name = column_of (line, 127);
        for (size_t kind = 0; name && kind < KINDS; kind++)
            if (!self->rows [kind][0] && strncmp (name, kinds [kind], strlen (kinds [kind])) == 0 &&
                strstr (line, "\"timePlayed\":"))
                memcpy (self->rows [kind], line, sizeof line);
    }
    if (file)
        fclose (file);
    return self->rows [PING][0] && self->rows [PLAY][0] && self->rows [PAUSE][0];
}

messages_t *
messages_new (const char *form, uint64_t viewers)
{
    messages_t *self = memory_new (1, sizeof *self);
    self->viewers = viewers;
    self->enriched = strcmp (form, "enriched") == 0;
    if (self->enriched ? !rows_read (self) : strcmp (form, "flattened") != 0)
        messages_destroy (&self);
    return self;
}

void
messages_destroy (messages_t **self_p)
{
    free (*self_p);
    *self_p = NULL;
}

//  ---- one message

static void
time_write (uint64_t at_ms, char between, char *text, size_t size)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    gmtime_r (&seconds, &parts);
    size_t used = strftime (text, size, between == 'T' ? "%Y-%m-%dT%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &parts);
    snprintf (text + used, size - used, ".%03u%s", (unsigned)(at_ms % 1000), between == 'T' ? "Z" : "");
}

static told_t
tell (const messages_t *self, uint64_t number)
{
    told_t told = { .viewer = number % self->viewers, .turn = number / self->viewers };
    uint64_t at_ms = START_MS + told.turn * TURN_MS + told.viewer % TURN_MS;
    uint64_t phase = told.turn + told.viewer % STATUS_EACH;
    told.kind = told.turn == 0 ? PLAY : phase % STATUS_EACH ? PING : phase / STATUS_EACH % 2 ? PAUSE : PLAY;
    char between = self->enriched ? ' ' : 'T';
    time_write (at_ms, between, told.collected, sizeof told.collected);
    time_write (at_ms - CREATED_BEFORE_MS, between, told.created, sizeof told.created);
    snprintf (told.event_id, sizeof told.event_id, "%08x-%04x-4000-8000-%012" PRIx64,
              (unsigned)(number * 2654435761u), (unsigned)(number & 0xffff), number);
    snprintf (told.viewer_id, sizeof told.viewer_id, "viewer-%029" PRIu64, told.viewer);
    return told;
}

static size_t
flattened_write (const told_t *told, char *text)
{
    return (size_t)snprintf (
        text, MESSAGE_MAX,
        "{\"adId\":0,\"adsClicked\":0,\"adsSkipped\":0,\"collector_tstamp\":\"%s\","
        "\"event_id\":\"%s\",\"event_name\":\"%s\",\"video_ts\":%" PRIu64 ".5,\"viewer_id\":\"%s\"}",
        told->collected, told->event_id, kinds [told->kind], told->turn * 30, told->viewer_id);
}

//  Copies one column; position and running total go on by 30 s a turn.
static size_t
column_write (const told_t *told, const char *column, size_t size, char *text)
{
    static const char *const moving [] = { "\"currentTime\":", "\"timePlayed\":" };
    size_t used = 0;
    for (size_t at = 0; at < size;) {
        size_t key = 0;
        while (key < 2 && strncmp (column + at, moving [key], strlen (moving [key])))
            key++;
        if (key == 2) {
            text [used++] = column [at++];
            continue;
        }
        at += strlen (moving [key]);
        at += strspn (column + at, "0123456789");
        used += (size_t)sprintf (text + used, "%s%" PRIu64, moving [key], told->turn * 30);
    }
    return used;
}

static size_t
enriched_write (const told_t *told, const char *row, char *text)
{
    size_t used = 0;
    for (size_t number = 1; number <= COLUMNS; number++) {
        const char *own = number == 4    ? told->collected
                          : number == 5  ? told->created
                          : number == 7  ? told->event_id
                          : number == 13 ? told->viewer_id
                                         : NULL;
        size_t size = strcspn (row, "\t");
        if (own)
            used += (size_t)sprintf (text + used, "%s", own);
        else
            used += column_write (told, row, size, text + used);
        text [used++] = '\t';
        row += size + (row [size] == '\t');
    }
    return used - 1;
}

size_t
messages_write (const messages_t *self, uint64_t number, char *text)
{
    told_t told = tell (self, number);
    return self->enriched ? enriched_write (&told, self->rows [told.kind], text)
                          : flattened_write (&told, text);
}
