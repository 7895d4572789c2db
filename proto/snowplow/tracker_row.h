//  tracker_row - one enriched event in the making: 131 cells, and the fault that ends it
//
//  A row is filled cell by cell, in any order; a later value replaces an earlier one. When a rule is broken
//  the event ends as a bad row instead: tracker_fault says of which kind and why, in words that name what and
//  where. Rows are reused from event to event, so a whole request costs a handful of allocations.

#ifndef TRACKER_ROW_H_INCLUDED
#define TRACKER_ROW_H_INCLUDED

#include "snowplow/tracker_columns.h"
#include "snowplow/tracker_text.h"

//  What became of an event or of a whole request: the stages of Enrich, in its order.
typedef enum {
    TRACKER_EVENT,
    TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
    TRACKER_ADAPTER_FAILURES,
    TRACKER_PROTOCOL_VIOLATIONS,
    TRACKER_ENRICHMENT_FAILURES,
    TRACKER_SCHEMA_VIOLATIONS
} tracker_kind_t;

//  The kind's name as in Snowplow's bad rows, e.g. "schema_violations".
const char *tracker_kind_name (tracker_kind_t kind);

#define TRACKER_REASON_MAX 400

typedef struct {
    tracker_kind_t kind;
    char reason [TRACKER_REASON_MAX];    //  one line of valid UTF-8
} tracker_fault_t;

//  Fill the fault; returns -1, so that a rule can end with it. Text of strangers in the reason loses its
//  control characters, and what is too long is cut.
int tracker_fault_set (tracker_fault_t *self, tracker_kind_t kind, const char *format, ...)
    __attribute__ ((format (printf, 3, 4), nonnull (3)));

//  For %.*s: a span, cut to what a reason can bear.
#define TRACKER_SPAN(span) (int)((span).size < 120 ? (span).size : 120), (span).size ? (span).data : ""

typedef struct {
    tracker_text_t store;
    struct {
        size_t at, size;
    } cells [TRACKER_COLUMN_COUNT];
} tracker_row_t;

//  Empty all cells; give the memory back.
void tracker_row_reset (tracker_row_t *self);
void tracker_row_free (tracker_row_t *self);

//  The column's name as in Snowplow's own list.
const char *tracker_column_name (tracker_column_t column);

//  Put a value that is known to hold no tab and no newline.
void tracker_row_set (tracker_row_t *self, tracker_column_t column, span_t value);

//  Put a stranger's text, cleaned as a text column.
void tracker_row_set_clean (tracker_row_t *self, tracker_column_t column, span_t raw);

//  Begin to write a cell in place: append to what this returns, then end it.
tracker_text_t *tracker_row_begin (tracker_row_t *self, tracker_column_t column);
void tracker_row_end (tracker_row_t *self, tracker_column_t column);

//  The cell's value; empty when nothing was put. Valid until the next put.
span_t tracker_row_get (const tracker_row_t *self, tracker_column_t column);

//  Is every cell within its column's limit? Returns 0, or -1 with an enrichment failure.
int tracker_row_check (const tracker_row_t *self, tracker_fault_t *fault);

//  Append the row as one line without its newline: 131 columns, tabs between them.
void tracker_row_print (const tracker_row_t *self, tracker_text_t *out);

#endif
