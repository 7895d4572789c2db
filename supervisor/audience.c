//  audience - simulated viewers who behave believably, as requests of the tracker protocol
//
//  The viewers, and a binary heap of their tabs by the time of the next step; what a tab does is in audience_tab.c.

#include "audience_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define PING_DEFAULT_S 30
//  A request leaves this long after the step that made it; longer than the events of one body are apart.
#define SEND_DELAY_MS 90

//  ---------------------------------------------------------------------------------------------------------
//  Who watches

static const device_t devices [] = {
    { "web", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "html5", "1920x1080", 58, true },
    { "mob", "Mozilla/5.0 (Linux; Android 14) Mobile", "exoplayer", "412x915", 24, false },
    { "tv", "Mozilla/5.0 (Web0S; Linux/SmartTV)", "shaka", "1920x1080", 12, false },
    { "cnsl", "Mozilla/5.0 (PlayStation 5)", "dash.js", "1280x720", 6, true },
};

typedef struct {
    const char *time_zone, *language;
} place_t;

static const place_t places [] = {
    { "Europe/Lisbon", "pt-PT" },    { "Europe/Berlin", "de-DE" },     { "Europe/London", "en-GB" },
    { "America/New_York", "en-US" }, { "America/Sao_Paulo", "pt-BR" }, { "Asia/Tokyo", "ja-JP" },
    { "Asia/Kolkata", "en-IN" },     { "Australia/Sydney", "en-AU" },  { "Africa/Nairobi", "sw-KE" },
};

//  ---------------------------------------------------------------------------------------------------------
//  The heap

static void
s_heap_sink (audience_t *self, size_t index)
{
    tab_t **heap = self->heap;
    tab_t *tab = heap [index];
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= self->counters.tabs)
            break;
        //  Ties go by the tab's number, so that the order is the same everywhere.
        if (child + 1 < self->counters.tabs &&
            (heap [child + 1]->due_ms < heap [child]->due_ms ||
             (heap [child + 1]->due_ms == heap [child]->due_ms && heap [child + 1] < heap [child])))
            child++;
        if (tab->due_ms < heap [child]->due_ms || (tab->due_ms == heap [child]->due_ms && tab < heap [child]))
            break;
        heap [index] = heap [child];
        index = child;
    }
    heap [index] = tab;
}

//  ---------------------------------------------------------------------------------------------------------
//  The audience

static void *
s_calloc (size_t count, size_t size)
{
    void *memory = calloc (count, size);
    if (!memory)
        abort ();
    return memory;
}

static const device_t *
s_device_choose (uint64_t *random)
{
    uint64_t at = chance_next (random) % 100;
    const device_t *device = devices;
    while (at >= device->weight)
        at -= device++->weight;
    return device;
}

static void
s_viewer_init (const audience_t *self, viewer_t *viewer, size_t index, uint64_t *random)
{
    const place_t *place = &places [chance_next (random) % COUNT (places)];
    viewer->device = s_device_choose (random);
    viewer->identity = (tracker_identity_t){ .platform = viewer->device->platform,
                                             .user_agent = viewer->device->user_agent,
                                             .time_zone = place->time_zone,
                                             .language = place->language,
                                             .resolution = viewer->device->resolution,
                                             .app_id = self->options.app_id,
                                             .page_root = self->options.page_root };
    chance_uuid (random, viewer->identity.duid);
    if (chance_next (random) % 100 < 70)
        snprintf (viewer->identity.user_id, sizeof viewer->identity.user_id, "viewer-%06zu@example.com",
                  index + 1);
    viewer->skip_permille = chance_next (random) % 100 < 20 ? 960 : 180;
    viewer->click_permille = chance_next (random) % 100 < 15 ? 250 : 20;
    viewer->patience_ms = 15000 + (int64_t)(chance_next (random) % 75000);
}

//  One viewer in ten has a second tab, which opens later in the ramp-up or after it.
static void
s_tab_init (audience_t *self, viewer_t *viewer, uint64_t *random, int64_t earliest_ms)
{
    tab_t *tab = &self->tabs [self->counters.tabs];
    tab->random = chance_next (random);
    tab->viewer = viewer;
    tab->tracker.who = &viewer->identity;
    tab->tracker.ping_s = self->options.ping_s;
    tab->ping_ms = NEVER;
    tab->now_ms = self->options.start_ms;
    tab->wake_ms = earliest_ms + tab_between (tab, 0, self->options.ramp_up_ms);
    tab_schedule (tab);
    self->heap [self->counters.tabs++] = tab;
}

static bool
s_options_valid (size_t count, const audience_options_t *options)
{
    return count >= 1 && count <= AUDIENCE_VIEWERS_MAX && options->speed > 0 && options->ping_s <= 300 &&
           options->ramp_up_ms >= 0 && options->start_ms >= 0;
}

audience_t *
audience_new (size_t count, uint64_t seed, const audience_options_t *options)
{
    if (!s_options_valid (count, options))
        return NULL;
    audience_t *self = s_calloc (1, sizeof *self);
    self->options = *options;
    if (!self->options.app_id)
        self->options.app_id = "usher-simulate";
    if (!self->options.page_root)
        self->options.page_root = "http://localhost:3000";
    self->ping_ms = (int64_t)(options->ping_s ? options->ping_s : PING_DEFAULT_S) * 1000;
    self->viewers = s_calloc (count, sizeof *self->viewers);
    self->tabs = s_calloc (count * 2, sizeof *self->tabs);
    self->heap = s_calloc (count * 2, sizeof (tab_t *));
    uint64_t random = seed;
    for (size_t index = 0; index < count; index++) {
        viewer_t *viewer = &self->viewers [index];
        s_viewer_init (self, viewer, index, &random);
        s_tab_init (self, viewer, &random, options->start_ms);
        if (chance_next (&random) % 100 < 10)
            s_tab_init (self, viewer, &random, options->start_ms + 20000);
    }
    for (size_t index = self->counters.tabs / 2; index-- > 0;)
        s_heap_sink (self, index);
    return self;
}

void
audience_destroy (audience_t **self_p)
{
    assert (self_p);
    audience_t *self = *self_p;
    if (self) {
        free (self->viewers);
        free (self->tabs);
        free (self->heap);
        free (self);
        *self_p = NULL;
    }
}

int64_t
audience_next_ms (const audience_t *self)
{
    return self->heap [0]->due_ms;
}

bool
audience_step (audience_t *self, int64_t now_ms, char *buffer, size_t size, size_t *length)
{
    assert (size >= AUDIENCE_BODY_MAX);
    while (audience_next_ms (self) <= now_ms) {
        tab_t *tab = self->heap [0];
        tracker_body_open (&self->body, buffer, size, audience_stamp (self, tab->due_ms) + SEND_DELAY_MS);
        tab_step (self, tab);
        s_heap_sink (self, 0);
        self->last_tab = (size_t)(tab - self->tabs);
        assert (!self->body.full);
        if (tracker_body_close (&self->body)) {
            *length = self->body.length;
            self->counters.bodies++;
            self->counters.events_total += self->body.events;
            return true;
        }
    }
    return false;
}

size_t
audience_last_tab (const audience_t *self)
{
    return self->last_tab;
}

unsigned
audience_last_events (const audience_t *self)
{
    return self->body.events;
}

const audience_counters_t *
audience_counters (const audience_t *self)
{
    return &self->counters;
}
