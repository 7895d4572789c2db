//  tracker_row - one enriched event in the making: 131 cells, and the fault that ends it

#include "snowplow/tracker_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t length_max;
} columns [] = {
#define X(name, length_max) { #name, length_max },
    TRACKER_COLUMNS (X)
#undef X
};

const char *
tracker_kind_name (tracker_kind_t kind)
{
    static const char *const names [] = {
        [TRACKER_EVENT] = "event",
        [TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION] = "collector_payload_format_violation",
        [TRACKER_ADAPTER_FAILURES] = "adapter_failures",
        [TRACKER_PROTOCOL_VIOLATIONS] = "tracker_protocol_violations",
        [TRACKER_ENRICHMENT_FAILURES] = "enrichment_failures",
        [TRACKER_SCHEMA_VIOLATIONS] = "schema_violations",
    };
    return names [kind];
}

//  A cut or hostile text as one line of valid UTF-8.
static void
reason_tidy (char *reason)
{
    const char *end = reason + strlen (reason);
    char *to = reason;
    for (const char *at = reason; at < end;) {
        const char *from = at;
        uint32_t point = utf8_next (&at, end);
        size_t size = (size_t)(at - from);
        if (point < 0x20 || point == 0x7F || (point == 0xFFFD && size == 1))
            *to++ = '?';
        else {
            memmove (to, from, size);
            to += size;
        }
    }
    *to = 0;
}

int
tracker_fault_set (tracker_fault_t *self, tracker_kind_t kind, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    vsnprintf (self->reason, sizeof self->reason, format, args);
    va_end (args);
    self->kind = kind;
    reason_tidy (self->reason);
    return -1;
}

void
tracker_row_reset (tracker_row_t *self)
{
    tracker_text_reset (&self->store);
    memset (self->cells, 0, sizeof self->cells);
}

void
tracker_row_free (tracker_row_t *self)
{
    tracker_text_free (&self->store);
}

const char *
tracker_column_name (tracker_column_t column)
{
    return columns [column].name;
}

tracker_text_t *
tracker_row_begin (tracker_row_t *self, tracker_column_t column)
{
    self->cells [column].at = self->store.size;
    self->cells [column].size = 0;
    return &self->store;
}

void
tracker_row_end (tracker_row_t *self, tracker_column_t column)
{
    self->cells [column].size = self->store.size - self->cells [column].at;
}

void
tracker_row_set (tracker_row_t *self, tracker_column_t column, span_t value)
{
    tracker_text_put (tracker_row_begin (self, column), value.data, value.size);
    tracker_row_end (self, column);
}

void
tracker_row_set_clean (tracker_row_t *self, tracker_column_t column, span_t raw)
{
    tracker_text_put_clean (tracker_row_begin (self, column), raw);
    tracker_row_end (self, column);
}

span_t
tracker_row_get (const tracker_row_t *self, tracker_column_t column)
{
    if (self->cells [column].size == 0)
        return (span_t){ "", 0 };
    return (span_t){ self->store.data + self->cells [column].at, self->cells [column].size };
}

int
tracker_row_check (const tracker_row_t *self, tracker_fault_t *fault)
{
    for (tracker_column_t column = 0; column < TRACKER_COLUMN_COUNT; column++) {
        size_t length_max = columns [column].length_max;
        //  A text has never more UTF-16 units than bytes, so short ones need no counting.
        if (length_max == 0 || self->cells [column].size <= length_max)
            continue;
        size_t length = utf16_length (tracker_row_get (self, column));
        if (length > length_max)
            return tracker_fault_set (fault, TRACKER_ENRICHMENT_FAILURES, "%s: %zu characters, at most %zu",
                                      columns [column].name, length, length_max);
    }
    return 0;
}

void
tracker_row_print (const tracker_row_t *self, tracker_text_t *out)
{
    for (tracker_column_t column = 0; column < TRACKER_COLUMN_COUNT; column++) {
        span_t cell = tracker_row_get (self, column);
        if (column > 0)
            tracker_text_putc (out, '\t');
        tracker_text_put (out, cell.data, cell.size);
    }
}
