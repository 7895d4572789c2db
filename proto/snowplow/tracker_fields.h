//  tracker_fields - the parameters of the tracker protocol: which exist, and how each becomes a column
//
//  One table says it all: a parameter's name, since which payload_data schema a POST may carry it, by which
//  rule it is read, and into which column it goes. Rows of the same column
//  stand in order of precedence: the later one wins.

#ifndef TRACKER_FIELDS_H_INCLUDED
#define TRACKER_FIELDS_H_INCLUDED

#include "snowplow/tracker_row.h"

#define TRACKER_PARAMS_MAX 128

//  The newest payload_data schema is 1-0-4.
#define TRACKER_PAYLOAD_NEWEST 4

//  The parameters of one event, decoded.
typedef struct {
    tracker_text_t store;
    struct {
        bool present;
        size_t at, size;
    } values [TRACKER_PARAMS_MAX];
} tracker_params_t;

void tracker_params_reset (tracker_params_t *self);
void tracker_params_free (tracker_params_t *self);

//  The number of a parameter, -1 if the protocol has none of this name.
int tracker_param_find (span_t name);

//  May a POST under payload_data 1-0-`addition` carry this parameter?
bool tracker_param_allowed (int param, int addition);

//  Write a parameter's value in place: append to what begin returns, then end it. What was there is replaced.
tracker_text_t *tracker_params_begin (tracker_params_t *self, int param);
void tracker_params_end (tracker_params_t *self, int param);

//  A parameter's value. False if it did not come; an empty one did.
bool tracker_params_get (const tracker_params_t *self, const char *name, span_t *value);

//  Put all of `over` over what is here, as query parameters of a POST override its items.
void tracker_params_override (tracker_params_t *self, const tracker_params_t *over);

//  Append the parameters as a JSON object of strings, for a bad row's payload.
void tracker_params_print (const tracker_params_t *self, tracker_text_t *out);

//  Read every parameter into its column. Returns 0, or -1 with the first rule that was broken.
int tracker_fields_read (const tracker_params_t *params, tracker_row_t *row, tracker_fault_t *fault);

//  Put a time column from text; `what` names the text in the fault. Returns 0, or -1 with fault.
int tracker_field_time (tracker_row_t *row, tracker_column_t column, const char *what, span_t text,
                        tracker_fault_t *fault);

#endif
