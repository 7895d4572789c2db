//  stats - counts over all sessions, kept up to date change by change

#include "stats.h"

#include <stdlib.h>
#include <string.h>

#include "hash_map.h"
#include "json.h"
#include "memory.h"
#include "view.h"
#include "walk.h"

//  Titles shown; labels longer than this are cut.
#define TOP_MEDIA 10
#define LABEL_BYTES 256

typedef struct {
    uint64_t hash;
    uint64_t sessions;    //  0: a free place
    uint32_t size;
    char label [LABEL_BYTES];
} title_t;

struct stats {
    uint64_t states [USHER_STATES], statuses [USHER_STATUSES];
    uint64_t concurrent_viewers, live_viewers;
    uint64_t breaks, started, skipped, clicked, completed, errors;
    title_t *titles;
    size_t title_count, title_room;
    hash_map_t title_index;    //  hash of the label to place plus 1
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
    hash_map_free (&(*self_p)->title_index);
    free ((*self_p)->titles);
    free (*self_p);
    *self_p = NULL;
}

static title_t *
title_of (stats_t *self, usher_str_t label)
{
    uint64_t hash = walk_hash (label);
    uint64_t *place = hash_map_put (&self->title_index, hash);
    if (*place)
        return &self->titles [*place - 1];
    if (self->title_count == self->title_room) {
        self->title_room = self->title_room ? self->title_room * 2 : 16;
        self->titles = memory_resize (self->titles, self->title_room, sizeof *self->titles);
    }
    title_t *title = &self->titles [self->title_count++];
    *title = (title_t){ .hash = hash, .size = label.size < LABEL_BYTES ? label.size : LABEL_BYTES };
    if (title->size)
        memcpy (title->label, label.data, title->size);
    *place = self->title_count;
    return title;
}

static void
title_count_change (stats_t *self, usher_str_t label, uint64_t by)
{
    title_t *title = title_of (self, label);
    title->sessions += by;
    if (title->sessions)
        return;
    //  Nobody watches it: the last title takes its place.
    hash_map_remove (&self->title_index, title->hash);
    title_t *last = &self->titles [--self->title_count];
    if (title == last)
        return;
    *title = *last;
    *hash_map_put (&self->title_index, title->hash) = (uint64_t)(title - self->titles) + 1;
}

//  by is 1, or the number that takes 1 away.
static void
count_session (stats_t *self, const usher_session_t *session, uint64_t by)
{
    self->states [session->state] += by;
    self->errors += by * session->errors;
    if (session->state != USHER_state_failed && session->state != USHER_state_lost)
        self->statuses [session->status] += by;
    if (!view_is_live (session))
        return;
    self->breaks += by * session->ad_breaks;
    self->started += by * session->ads;
    self->skipped += by * session->ads_skipped;
    self->clicked += by * session->ads_clicked;
    self->completed += by * session->ads_completed;
    title_count_change (self, session->media_label, by);
}

static void
count_viewer (stats_t *self, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id, uint64_t by)
{
    bool concurrent = false, live = false;
    size_t at = last_value_next (sessions, slot, viewer_id, 0);
    while (at < last_value_count (sessions, slot)) {
        usher_session_t session;
        last_value_decode (last_value_at (sessions, slot, at), &session);
        count_session (self, &session, by);
        concurrent = concurrent || view_is_concurrent (&session);
        live = live || view_is_live (&session);
        at = last_value_next (sessions, slot, viewer_id, at + 1);
    }
    self->concurrent_viewers += concurrent ? by : 0;
    self->live_viewers += live ? by : 0;
}

void
stats_add (stats_t *self, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id)
{
    count_viewer (self, sessions, slot, viewer_id, 1);
}

void
stats_subtract (stats_t *self, const last_value_t *sessions, uint32_t slot, usher_str_t viewer_id)
{
    count_viewer (self, sessions, slot, viewer_id, UINT64_MAX);
}

uint64_t
stats_concurrent_sessions (const stats_t *self)
{
    return self->states [USHER_state_watching] + self->states [USHER_state_rebuffering] +
           self->states [USHER_state_seeking] + self->states [USHER_state_ad];
}

uint64_t
stats_concurrent_viewers (const stats_t *self)
{
    return self->concurrent_viewers;
}

static void
write_count (buffer_t *out, const char *key, uint64_t value)
{
    json_key (out, key);
    json_uint (out, value);
}

//  Names are ours, so upper case letters need no escape.
static void
write_named (buffer_t *out, const char *key, const char *const *names, const uint64_t *values, size_t count)
{
    json_key (out, key);
    json_open (out, '{');
    for (size_t at = 0; at < count; at++) {
        json_upper (out, names [at]);
        buffer_add (out, ":", 1);
        json_uint (out, values [at]);
    }
    json_close (out, '}');
}

static bool
is_before (const title_t *a, const title_t *b)
{
    if (a->sessions != b->sessions)
        return a->sessions > b->sessions;
    return a->hash < b->hash;
}

static void
write_top (const stats_t *self, buffer_t *out)
{
    const title_t *top [TOP_MEDIA + 1];
    size_t count = 0;
    for (size_t at = 0; at < self->title_count; at++) {
        size_t place = count;
        for (; place && is_before (&self->titles [at], top [place - 1]); place--)
            top [place] = top [place - 1];
        top [place] = &self->titles [at];
        count = count < TOP_MEDIA ? count + 1 : TOP_MEDIA;
    }
    json_key (out, "top_media");
    json_open (out, '[');
    for (size_t at = 0; at < count; at++) {
        json_open (out, '{');
        json_key (out, "media_label");
        json_text (out, usher_bytes (top [at]->label, top [at]->size));
        write_count (out, "sessions", top [at]->sessions);
        json_close (out, '}');
    }
    json_close (out, ']');
}

void
stats_write (const stats_t *self, buffer_t *out, uint64_t now_ms, double messages_per_second, bool partial)
{
    json_open (out, '{');
    json_key (out, "now");
    json_time (out, now_ms);
    write_count (out, "concurrent_sessions", stats_concurrent_sessions (self));
    write_count (out, "concurrent_viewers", self->concurrent_viewers);
    write_count (out, "live_viewers", self->live_viewers);
    write_named (out, "sessions_by_state", usher_state_names, self->states, USHER_STATES);
    write_named (out, "sessions_by_status", usher_status_names, self->statuses, USHER_STATUSES);
    json_key (out, "ads");
    json_open (out, '{');
    write_count (out, "breaks", self->breaks);
    write_count (out, "started", self->started);
    write_count (out, "skipped", self->skipped);
    write_count (out, "clicked", self->clicked);
    write_count (out, "completed", self->completed);
    json_close (out, '}');
    write_count (out, "rebuffering", self->states [USHER_state_rebuffering]);
    write_count (out, "errors", self->errors);
    write_top (self, out);
    json_key (out, "messages_per_second");
    json_number (out, messages_per_second);
    json_key (out, "partial");
    json_bool (out, partial);
    json_close (out, '}');
}
