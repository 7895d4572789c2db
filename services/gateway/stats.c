//  stats - what the publisher says all sessions come to, as JSON

#include "stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "memory.h"

//  Keys shown of each dimension in /v1/stats.
#define TOP_KEYS 10
//  As long as the publisher cuts a title.
#define LABEL_BYTES 512

const unsigned stats_percentiles [STATS_PERCENTILES] = { 50, 75, 90, 95, 99 };

struct stats {
    bool known;
    buffer_t frame;    //  the last one; keys point into it
    tally_t now;
    usher_aggregate_key_t *keys;    //  by dimension, largest first, `other` last
    size_t count, room;
};

stats_t *
stats_new (void)
{
    return memory_new (1, sizeof (stats_t));
}

void
stats_destroy (stats_t **self_p)
{
    if (!*self_p)
        return;
    buffer_free (&(*self_p)->frame);
    free ((*self_p)->keys);
    free (*self_p);
    *self_p = NULL;
}

//  ---- taking

static void
key_add (stats_t *self, const usher_aggregate_key_t *key)
{
    if (self->count == self->room) {
        self->room = self->room ? self->room * 2 : 64;
        self->keys = memory_resize (self->keys, self->room, sizeof *self->keys);
    }
    self->keys [self->count++] = *key;
}

//  Is it a whole frame of what the publisher says? Reads its head.
static bool
is_sound (const void *data, size_t size, tally_t *now)
{
    usher_frame_t frame;
    usher_msg_t msg;
    *now = (tally_t){ 0 };
    if (usher_frame_open (&frame, data, size) || usher_decode (&frame, &msg) ||
        msg.id != USHER_MSG_aggregate || !tally_merge (now, &msg.aggregate))
        return false;
    usher_error_t error;
    while (!(error = usher_decode (&frame, &msg)))
        if (msg.id != USHER_MSG_aggregate_key)
            return false;
    return error == USHER_END;
}

bool
stats_take (stats_t *self, const void *data, size_t size)
{
    tally_t now;
    if (!is_sound (data, size, &now))
        return false;
    self->now = now;
    self->known = true;
    self->count = 0;
    buffer_clear (&self->frame, SIZE_MAX);
    buffer_add (&self->frame, data, size);
    usher_frame_t frame;
    usher_msg_t msg;
    usher_frame_open (&frame, self->frame.data, self->frame.size);
    usher_decode (&frame, &msg);
    while (usher_decode (&frame, &msg) == USHER_OK)
        key_add (self, &msg.aggregate_key);
    return true;
}

bool
stats_known (const stats_t *self)
{
    return self->known;
}

//  ---- finding

//  The next key of a dimension from *at on; NULL there is none.
static const usher_aggregate_key_t *
next_key (const stats_t *self, usher_dimension_t which, size_t *at)
{
    while (*at < self->count && self->keys [*at].dimension != which)
        ++*at;
    return *at < self->count ? &self->keys [(*at)++] : NULL;
}

//  What one key has; zeros where it has nothing. *exact: may some of it be in other?
static usher_aggregate_key_t
count_of (const stats_t *self, usher_dimension_t which, usher_str_t key, bool *exact)
{
    size_t at = 0;
    const usher_aggregate_key_t *found;
    *exact = true;
    while ((found = next_key (self, which, &at)))
        if (found->other)
            *exact = false;
        else if (usher_str_eq (found->key, key))
            return *found;
    return (usher_aggregate_key_t){ 0 };
}

static usher_aggregate_key_t
total_of (const stats_t *self, usher_dimension_t which)
{
    bool exact;
    return count_of (self, which, usher_bytes ("", 0), &exact);
}

//  ---- writing

static void
write_count (buffer_t *out, const char *key, uint64_t value)
{
    json_key (out, key);
    json_uint (out, value);
}

//  Sums of spans may be negative where corrections outweigh: shown as 0.
static uint64_t
clamped (uint64_t sum)
{
    return (int64_t)sum < 0 ? 0 : sum;
}

static void
write_rate (buffer_t *out, const char *key, uint64_t part, uint64_t whole)
{
    json_key (out, key);
    if (clamped (whole))
        json_number (out, (double)clamped (part) / (double)whole);
    else
        json_unknown (out);
}

static void
write_ads (buffer_t *out, const usher_aggregate_t *sum)
{
    json_key (out, "ads");
    json_open (out, '{');
    write_count (out, "breaks", clamped (sum->ad_breaks));
    write_count (out, "started", clamped (sum->ads));
    write_count (out, "skipped", clamped (sum->ads_skipped));
    write_count (out, "clicked", clamped (sum->ads_clicked));
    write_count (out, "completed", clamped (sum->ads_completed));
    write_rate (out, "completion_rate", sum->ads_completed, sum->ads);
    write_rate (out, "skip_rate", sum->ads_skipped, sum->ads);
    write_rate (out, "click_rate", sum->ads_clicked, sum->ads);
    json_close (out, '}');
}

//  unit divides a value into what is shown.
static void
write_histogram (buffer_t *out, const char *key, const histogram_t *histogram, double unit)
{
    uint64_t count = histogram_count (histogram);
    json_key (out, key);
    json_open (out, '{');
    write_count (out, "sessions", count);
    for (size_t at = 0; at < STATS_PERCENTILES; at++) {
        char name [8];
        snprintf (name, sizeof name, "p%u", stats_percentiles [at]);
        json_key (out, name);
        if (count)
            json_number (out, (double)histogram_percentile (histogram, stats_percentiles [at]) / unit);
        else
            json_unknown (out);
    }
    json_close (out, '}');
}

void
stats_write_tally (buffer_t *out, const tally_t *tally)
{
    write_ads (out, &tally->sum);
    write_count (out, "errors", clamped (tally->sum.errors));
    write_count (out, "exits_before_start", clamped (tally->sum.exits));
    write_histogram (out, "startup_ms", &tally->startup_ms, 1);
    write_histogram (out, "rebuffering_ratio", &tally->stalled_ppm, 1e6);
}

//  All names of an enumeration with what they have. Names are ours, so upper case letters need no escape.
static void
write_named (const stats_t *self, buffer_t *out, const char *member, usher_dimension_t which,
             const char *const *names, size_t count)
{
    bool exact;
    json_key (out, member);
    json_open (out, '{');
    for (size_t at = 0; at < count; at++) {
        json_upper (out, names [at]);
        buffer_add (out, ":", 1);
        json_uint (out, count_of (self, which, usher_str (names [at]), &exact).sessions);
    }
    json_close (out, '}');
}

//  States are told in capitals everywhere.
static void
write_key_text (buffer_t *out, const usher_aggregate_key_t *key)
{
    char name [32];
    if (key->dimension != USHER_dimension_state || key->key.size >= sizeof name) {
        json_text (out, key->key);
        return;
    }
    memcpy (name, key->key.data, key->key.size);
    name [key->key.size] = 0;
    json_upper (out, name);
}

//  The limit largest of a dimension, named by member. What the others have together goes to *rest.
static void
write_keys (const stats_t *self, buffer_t *out, usher_dimension_t which, const char *member, size_t limit,
            uint64_t *rest)
{
    size_t at = 0, shown = 0;
    const usher_aggregate_key_t *key;
    *rest = 0;
    json_open (out, '[');
    while ((key = next_key (self, which, &at))) {
        if (key->other || shown == limit) {
            *rest += key->sessions;
            continue;
        }
        shown++;
        json_open (out, '{');
        json_key (out, member);
        write_key_text (out, key);
        write_count (out, "sessions", key->sessions);
        write_count (out, "viewers", key->viewers);
        json_close (out, '}');
    }
    json_close (out, ']');
}

static void
write_dimensions (const stats_t *self, buffer_t *out)
{
    static const usher_dimension_t shown [] = { USHER_dimension_state, USHER_dimension_medium,
                                                USHER_dimension_country, USHER_dimension_device,
                                                USHER_dimension_app };
    json_key (out, "by");
    json_open (out, '{');
    for (size_t at = 0; at < sizeof shown / sizeof *shown; at++) {
        uint64_t rest;
        json_key (out, usher_dimension_names [shown [at]]);
        json_open (out, '{');
        json_key (out, "keys");
        write_keys (self, out, shown [at], "key", TOP_KEYS, &rest);
        write_count (out, "other_sessions", rest);
        json_close (out, '}');
    }
    json_close (out, '}');
}

void
stats_write (const stats_t *self, buffer_t *out, uint64_t now_ms, double messages_per_second, bool partial)
{
    bool exact;
    uint64_t rest;
    usher_aggregate_key_t concurrent = total_of (self, USHER_dimension_concurrent);
    json_open (out, '{');
    json_key (out, "now");
    json_time (out, now_ms);
    write_count (out, "concurrent_sessions", concurrent.sessions);
    write_count (out, "concurrent_viewers", concurrent.viewers);
    write_count (out, "live_viewers", total_of (self, USHER_dimension_live).viewers);
    write_named (self, out, "sessions_by_state", USHER_dimension_state, usher_state_names, USHER_STATES);
    write_named (self, out, "sessions_by_status", USHER_dimension_status, usher_status_names, USHER_STATUSES);
    write_count (out, "rebuffering",
                 count_of (self, USHER_dimension_state,
                           usher_str (usher_state_names [USHER_state_rebuffering]), &exact)
                     .sessions);
    stats_write_tally (out, &self->now);
    json_key (out, "top_media");
    write_keys (self, out, USHER_dimension_medium, "media_label", TOP_KEYS, &rest);
    write_dimensions (self, out);
    json_key (out, "messages_per_second");
    json_number (out, messages_per_second);
    json_key (out, "partial");
    json_bool (out, partial);
    json_close (out, '}');
}

void
stats_write_titles (const stats_t *self, buffer_t *out, size_t limit, bool partial)
{
    uint64_t rest;
    json_open (out, '{');
    json_key (out, "titles");
    write_keys (self, out, USHER_dimension_medium, "media_label", limit, &rest);
    write_count (out, "other_sessions", rest);
    json_key (out, "partial");
    json_bool (out, partial);
    json_close (out, '}');
}

void
stats_write_title (const stats_t *self, buffer_t *out, usher_str_t label, bool partial)
{
    bool exact;
    usher_str_t cut = usher_bytes (label.data, label.size < LABEL_BYTES ? label.size : LABEL_BYTES);
    usher_aggregate_key_t count = count_of (self, USHER_dimension_medium, cut, &exact);
    json_open (out, '{');
    json_key (out, "media_label");
    json_text (out, label);
    write_count (out, "sessions", count.sessions);
    write_count (out, "viewers", count.viewers);
    json_key (out, "exact");
    json_bool (out, exact || count.sessions);
    json_key (out, "partial");
    json_bool (out, partial);
    json_close (out, '}');
}
