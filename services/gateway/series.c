//  series - seconds of the last hour, minutes of the last day, as columns of numbers

#include "series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"
#include "series_keys.h"
#include "stats.h"

//  A span is in the store a moment after it is over.
#define LATE_S 3

static const struct {
    const char *name;
    uint32_t step_s, kept_s;
} resolutions [] = { { "1s", 1, 3600 }, { "1m", 60, 86400 } };
#define RESOLUTIONS (sizeof resolutions / sizeof *resolutions)

//  How a column's number comes out of a tally: as it is, a mean over the seconds, a percentile of a histogram.
typedef enum { MOST, MEAN, SUM, STARTUP, STALLED } how_t;

#define FIELD_OF(field) offsetof (usher_aggregate_t, field)

static const struct {
    const char *name;
    how_t how;
    size_t at;    //  of the field; of a percentile which one
} metrics [] = {
    { "concurrent_sessions", MEAN, FIELD_OF (sessions) },
    { "concurrent_viewers", MEAN, FIELD_OF (viewers) },
    { "concurrent_sessions_max", MOST, FIELD_OF (sessions_max) },
    { "concurrent_viewers_max", MOST, FIELD_OF (viewers_max) },
    { "rebuffering", MEAN, FIELD_OF (rebuffering) },
    { "ad_breaks", SUM, FIELD_OF (ad_breaks) },
    { "ads_started", SUM, FIELD_OF (ads) },
    { "ads_skipped", SUM, FIELD_OF (ads_skipped) },
    { "ads_clicked", SUM, FIELD_OF (ads_clicked) },
    { "ads_completed", SUM, FIELD_OF (ads_completed) },
    { "errors", SUM, FIELD_OF (errors) },
    { "exits_before_start", SUM, FIELD_OF (exits) },
    { "startup_ms_p50", STARTUP, 0 },
    { "startup_ms_p75", STARTUP, 1 },
    { "startup_ms_p90", STARTUP, 2 },
    { "startup_ms_p95", STARTUP, 3 },
    { "startup_ms_p99", STARTUP, 4 },
    { "rebuffering_ratio_p50", STALLED, 0 },
    { "rebuffering_ratio_p75", STALLED, 1 },
    { "rebuffering_ratio_p90", STALLED, 2 },
    { "rebuffering_ratio_p95", STALLED, 3 },
    { "rebuffering_ratio_p99", STALLED, 4 },
};
#define METRICS (sizeof metrics / sizeof *metrics)

typedef struct {
    uint32_t seconds, partial;
    double values [METRICS];
} point_t;

struct series {
    series_query_t query;
    size_t count;
    point_t *points;
    tally_t open;           //  the parts of one span so far
    tally_t total;          //  of the whole range
    series_keys_t *keys;    //  NULL: no dimension is asked for
};

//  ---- the question

static bool
refuse (char wrong [SERIES_WRONG], const char *text)
{
    snprintf (wrong, SERIES_WRONG, "%s", text);
    return false;
}

//  Tells which of the names is none, and all that are.
static void
metric_refuse (char wrong [SERIES_WRONG], const char *name, size_t size)
{
    int length =
        snprintf (wrong, SERIES_WRONG, "metric: '%.*s' is none of ", size < 64 ? (int)size : 64, name);
    for (size_t row = 0; row < METRICS && length < SERIES_WRONG; row++)
        length += snprintf (wrong + length, SERIES_WRONG - (size_t)length, "%s%s", row ? ", " : "",
                            metrics [row].name);
}

//  Reads a list of names. Returns the bits of their rows; 0 when one is unknown.
static uint32_t
metrics_read (const char *list, char wrong [SERIES_WRONG])
{
    uint32_t bits = 0;
    for (const char *name = list; *name;) {
        size_t size = strcspn (name, ","), row = 0;
        while (row < METRICS &&
               (strlen (metrics [row].name) != size || strncmp (metrics [row].name, name, size) != 0))
            row++;
        if (row == METRICS) {
            metric_refuse (wrong, name, size);
            return 0;
        }
        bits |= 1u << row;
        name += size + (name [size] == ',');
    }
    return bits ? bits : (1u << METRICS) - 1;
}

//  Reads Unix seconds; standard where there is nothing. False: it is no number.
static bool
seconds_read (const char *text, uint64_t standard, uint64_t *seconds)
{
    char *end;
    *seconds = *text ? strtoull (text, &end, 10) : standard;
    return !*text || (*end == 0 && *text >= '0' && *text <= '9');
}

//  Dimensions that sessions are spread over; the others have one key.
static bool
dimension_read (const char *name, usher_dimension_t *which)
{
    static const usher_dimension_t open [] = { USHER_dimension_state,  USHER_dimension_status,
                                               USHER_dimension_medium, USHER_dimension_country,
                                               USHER_dimension_device, USHER_dimension_app };
    for (size_t at = 0; at < sizeof open / sizeof *open; at++)
        if (strcmp (usher_dimension_names [open [at]], name) == 0) {
            *which = open [at];
            return true;
        }
    return false;
}

static bool
range_read (series_query_t *query, size_t row, const series_words_t *words, uint64_t now_s,
            char wrong [SERIES_WRONG])
{
    uint64_t step = resolutions [row].step_s, kept = resolutions [row].kept_s;
    uint64_t end = (now_s - LATE_S + step - 1) / step * step, begin = end - kept;
    query->step_s = resolutions [row].step_s;
    if (!seconds_read (words->from, begin, &query->from_s) || !seconds_read (words->to, end, &query->to_s))
        return refuse (wrong, "from, to: expected Unix seconds");
    query->from_s = (query->from_s > begin ? query->from_s : begin) / step * step;
    query->to_s = query->to_s < end ? (query->to_s + step - 1) / step * step : end;
    if (query->to_s < query->from_s)
        query->to_s = query->from_s;
    return true;
}

bool
series_read_query (series_query_t *query, const series_words_t *words, uint64_t now_s,
                   char wrong [SERIES_WRONG])
{
    size_t row = 0;
    const char *resolution = *words->resolution ? words->resolution : "1m";
    while (row < RESOLUTIONS && strcmp (resolutions [row].name, resolution) != 0)
        row++;
    if (row == RESOLUTIONS)
        return refuse (wrong, "resolution: expected 1s (the last hour) or 1m (the last day)");
    query->metrics = metrics_read (words->metric, wrong);
    if (!query->metrics)
        return false;
    query->by = *words->by != 0;
    if (query->by && !dimension_read (words->by, &query->dimension))
        return refuse (wrong, "by: expected state, status, medium, country, device or app");
    return range_read (query, row, words, now_s, wrong);
}

//  ---- rows

series_t *
series_new (const series_query_t *query)
{
    series_t *self = memory_new (1, sizeof *self);
    self->query = *query;
    self->count = (size_t)((query->to_s - query->from_s) / query->step_s);
    self->points = memory_new (self->count + 1, sizeof *self->points);
    if (query->by)
        self->keys = series_keys_new (query->dimension, self->count);
    return self;
}

void
series_destroy (series_t **self_p)
{
    if (!*self_p)
        return;
    free ((*self_p)->points);
    series_keys_destroy (&(*self_p)->keys);
    free (*self_p);
    *self_p = NULL;
}

const series_query_t *
series_query (const series_t *self)
{
    return &self->query;
}

void
series_clear (series_t *self)
{
    memset (self->points, 0, self->count * sizeof *self->points);
    memset (&self->open, 0, sizeof self->open);
    memset (&self->total, 0, sizeof self->total);
    if (self->keys)
        series_keys_clear (self->keys);
}

static double
percentile (const histogram_t *histogram, unsigned percent, double unit)
{
    if (!histogram_count (histogram))
        return (double)NAN;
    return (double)histogram_percentile (histogram, percent) / unit;
}

static double
value_of (const tally_t *tally, size_t row)
{
    const char *fields = (const char *)&tally->sum;
    uint64_t field = 0;
    if (metrics [row].how <= SUM)
        memcpy (&field, fields + metrics [row].at, sizeof field);
    switch (metrics [row].how) {
    case MEAN:
        //  To a thousandth: a mean of 60 has no more to say.
        return round ((double)field * 1000 / tally->sum.seconds) / 1000;
    case SUM:
        return (int64_t)field < 0 ? 0 : (double)field;
    case STARTUP:
        return percentile (&tally->startup_ms, stats_percentiles [metrics [row].at], 1);
    case STALLED:
        return percentile (&tally->stalled_ppm, stats_percentiles [metrics [row].at], 1e6);
    default:
        return (double)field;
    }
}

static size_t
index_of (const series_t *self, uint64_t at_s)
{
    return (size_t)((at_s - self->query.from_s) / self->query.step_s);
}

//  All parts of a span are there: its point is made.
static void
span_close (series_t *self)
{
    const tally_t *open = &self->open;
    if (!open->sum.seconds)
        return;
    point_t *point = &self->points [index_of (self, open->sum.at_s)];
    point->seconds = open->sum.seconds;
    point->partial = open->sum.partial;
    for (size_t row = 0; row < METRICS; row++)
        if (self->query.metrics >> row & 1)
            point->values [row] = value_of (open, row);
    tally_add (&self->total, open);
    memset (&self->open, 0, sizeof self->open);
}

void
series_add (series_t *self, usher_str_t body)
{
    usher_frame_t frame;
    usher_msg_t msg;
    usher_records_open (&frame, body.data, body.size);
    if (usher_decode (&frame, &msg) || msg.id != USHER_MSG_aggregate ||
        msg.aggregate.at_s < self->query.from_s || msg.aggregate.at_s >= self->query.to_s)
        return;
    if (msg.aggregate.at_s != self->open.sum.at_s)
        span_close (self);
    if (!tally_merge (&self->open, &msg.aggregate))
        return;
    self->open.sum.at_s = msg.aggregate.at_s;
    if (self->keys)
        series_keys_add (self->keys, index_of (self, msg.aggregate.at_s), &frame);
}

//  ---- writing

static void
write_seconds (const series_t *self, buffer_t *out, const char *name, bool partial)
{
    json_key (out, name);
    json_open (out, '[');
    for (size_t at = 0; at < self->count; at++)
        json_uint (out, partial ? self->points [at].partial : self->points [at].seconds);
    json_close (out, ']');
}

static void
write_column (const series_t *self, buffer_t *out, size_t row)
{
    json_key (out, metrics [row].name);
    json_open (out, '[');
    for (size_t at = 0; at < self->count; at++)
        json_number (out, self->points [at].seconds ? self->points [at].values [row] : (double)NAN);
    json_close (out, ']');
}

void
series_write (series_t *self, buffer_t *out)
{
    span_close (self);
    json_open (out, '{');
    json_key (out, "step_s");
    json_uint (out, self->query.step_s);
    json_key (out, "from");
    json_time (out, self->query.from_s * 1000);
    json_key (out, "to");
    json_time (out, self->query.to_s * 1000);
    write_seconds (self, out, "seconds", false);
    write_seconds (self, out, "partial_seconds", true);
    json_key (out, "columns");
    json_open (out, '{');
    for (size_t row = 0; row < METRICS; row++)
        if (self->query.metrics >> row & 1)
            write_column (self, out, row);
    json_close (out, '}');
    if (self->keys)
        series_keys_write (self->keys, out);
    json_key (out, "total");
    json_open (out, '{');
    json_key (out, "seconds");
    json_uint (out, self->total.sum.seconds);
    stats_write_tally (out, &self->total);
    json_close (out, '}');
    json_close (out, '}');
}
