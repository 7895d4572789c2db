//  audience_tab - what a tab does: an automaton whose phase has one function that says what comes next
//
//  A phase's step runs when the tab is due, writes events into the body of the step, and names the next phase and
//  when. What there is to watch and what people do, how often, is in tables.

#include "audience_private.h"

#include <stdio.h>
#include <string.h>

//  ---------------------------------------------------------------------------------------------------------
//  What there is to watch, most popular first

static const title_t titles [] = {
    { "bugs-bunny", "Bugs Bunny", "video", 596, 180, true, false },
    { "harbour-live", "Harbour Live", "video", 0, 300, true, false },
    { "night-train", "Night Train to Évora", "video", 5400, 900, false, false },
    { "short-tides", "Tides", "video", 148, 0, true, true },
    { "cup-final", "Cup Final", "video", 0, 420, false, false },
    { "lighthouse-1", "The Lighthouse, S1 E1", "video", 2520, 600, true, false },
    { "lighthouse-2", "The Lighthouse, S1 E2", "video", 2460, 600, true, true },
    { "news-at-six", "News at Six", "video", 900, 300, true, false },
    { "bread", "Bread: a \"slow\" film", "video", 1260, 420, false, false },
    { "glass-city", "Glass City", "video", 6900, 1200, false, false },
    { "garden", "東京の庭", "video", 1800, 600, false, false },
    { "trailer-owls", "Owls (trailer)", "video", 75, 0, false, false },
    { "radio-hour", "Radio Hour", "audio", 3600, 900, true, false },
    { "cooking-7", "Seven Minutes, Seven Pans", "video", 420, 150, true, true },
    { "northern", "Northern Lights & Other Stories", "video", 3300, 700, false, false },
    { "kids-robots", "Robots in the Attic", "video", 660, 0, false, false },
};

static const int boundaries_percent [] = { 10, 25, 50, 75, 90 };

//  Zipf: the title of rank r is chosen 1/r as often as the first.
static const title_t *
s_title_choose (tab_t *tab)
{
    int64_t sum = 0;
    for (size_t rank = 1; rank <= COUNT (titles); rank++)
        sum += 100000 / (int64_t)rank;
    int64_t at = tab_between (tab, 0, sum - 1);
    size_t rank = 1;
    while (rank < COUNT (titles) && (at -= 100000 / (int64_t)rank) >= 0)
        rank++;
    return &titles [rank - 1];
}

//  ---------------------------------------------------------------------------------------------------------
//  What every phase needs

int64_t
audience_stamp (const audience_t *self, int64_t ms)
{
    return self->options.start_ms + (int64_t)((double)(ms - self->options.start_ms) / self->options.speed);
}

//  Events of one body are some milliseconds apart, as in a browser.
void
tab_emit (audience_t *self, tab_t *tab, media_event_t event, const char *data)
{
    char id [UUID_TEXT_SIZE];
    chance_uuid (&tab->random, id);
    tab->now_ms += tab_between (tab, 2, 12);
    tracker_event (&tab->tracker, &self->body, event, id, tab->now_ms, audience_stamp (self, tab->now_ms),
                   data);
    self->counters.events [event]++;
}

void
tab_emit_percent (audience_t *self, tab_t *tab, media_event_t event, int percent)
{
    char data [40];
    snprintf (data, sizeof data, "{\"percentProgress\":%d}", percent);
    tab_emit (self, tab, event, data);
}

void
tab_go (tab_t *tab, phase_t phase, int64_t after_ms)
{
    tab->phase = phase;
    tab->wake_ms = tab->now_ms + after_ms;
}

void
tab_watch_on (tab_t *tab)
{
    tab_go (tab, PHASE_PLAYING, 0);
    tab->act_ms = tab->now_ms + tab_about (tab, tab->viewer->patience_ms);
}

//  Gone, and nobody says so: trackers have no goodbye.
void
tab_leave (audience_t *self, tab_t *tab, int64_t mean_away_ms)
{
    tab_go (tab, PHASE_AWAY, 3000 + tab_about (tab, mean_away_ms));
    tab->ping_ms = NEVER;
    tab->viewer->open_tabs--;
    self->counters.present--;
    self->counters.left++;
}

int64_t
tab_cue_after (const tab_t *tab, int64_t position_ms)
{
    int64_t every_ms = (int64_t)tab->title->break_every_s * 1000;
    if (every_ms == 0)
        return NEVER;
    int64_t cue_ms = (position_ms / every_ms + 1) * every_ms;
    return tab->title->duration_s && cue_ms > (int64_t)tab->title->duration_s * 1000 - 20000 ? NEVER : cue_ms;
}

static size_t
s_boundary_after (const tab_t *tab, int64_t position_ms)
{
    size_t index = 0;
    int64_t duration_ms = tab->tracker.player.duration_ms;
    while (index < COUNT (boundaries_percent) &&
           position_ms * 100 >= boundaries_percent [index] * duration_ms)
        index++;
    return index;
}

//  percent_progress is sent when the highest boundary reached is a new one; a live stream has none.
static void
s_emit_progress (audience_t *self, tab_t *tab)
{
    const tracker_player_t *player = &tab->tracker.player;
    size_t reached = player->duration_ms ? s_boundary_after (tab, player->position_ms) : 0;
    if (reached <= tab->boundary)
        return;
    tab->boundary = reached;
    tab_emit_percent (self, tab, EVENT_PERCENT_PROGRESS,
                      (int)(player->position_ms * 100 / player->duration_ms));
}

//  ---------------------------------------------------------------------------------------------------------
//  Coming

static void
s_session_begin (audience_t *self, tab_t *tab)
{
    const device_t *device = tab->viewer->device;
    tracker_t *tracker = &tab->tracker;
    char id [UUID_TEXT_SIZE];
    chance_uuid (&tab->random, id);
    chance_uuid (&tab->random, tracker->page_id);
    tracker_begin (tracker, id, audience_stamp (self, tab->now_ms));
    tab->title = s_title_choose (tab);
    tracker->slug = tab->title->slug;
    tracker->ad.shown = tracker->ad_break.shown = false;
    tracker->player = (tracker_player_t){ .label = tab->title->label,
                                          .media_type = tab->title->media_type,
                                          .player_type = device->player_type,
                                          .duration_ms = (int64_t)tab->title->duration_s * 1000,
                                          .rate_permille = 1000,
                                          .volume = 100,
                                          .fullscreen = -1,
                                          .picture_in_picture = -1,
                                          .live = tab->title->duration_s == 0,
                                          .paused = true };
    tab->cue_ms = tab->title->pre_roll ? 0 : tab_cue_after (tab, 0);
    tab->post_roll_due = tab->title->post_roll;
    tab->after_end = false;
    tab->boundary = 0;
    tab->paused_pings = 0;
    tab->ping_ms = tab->now_ms + self->ping_ms;
    self->counters.sessions++;
}

static void
s_open_page (audience_t *self, tab_t *tab)
{
    char id [UUID_TEXT_SIZE];
    s_session_begin (self, tab);
    chance_uuid (&tab->random, id);
    tracker_page_view (&tab->tracker, &self->body, id, audience_stamp (self, tab->now_ms));
    self->counters.page_views++;
    tab_emit (self, tab, EVENT_READY, "{}");
    tab_go (tab, PHASE_LOADED, 200 + tab_about (tab, 2500));
}

static void
s_away_step (audience_t *self, tab_t *tab)
{
    viewer_t *viewer = tab->viewer;
    if (viewer->open_tabs++ == 0) {
        chance_uuid (&tab->random, viewer->identity.domain_session);
        viewer->identity.visit++;
    }
    self->counters.present++;
    s_open_page (self, tab);
}

static void
s_loaded_step (audience_t *self, tab_t *tab)
{
    if (tab_chance (tab, 30)) {
        tab_leave (self, tab, 60000);
        return;
    }
    tab->tracker.player.paused = false;
    tab_emit (self, tab, EVENT_PLAY, "{}");
    int64_t startup_ms = 150 + tab_about (tab, 1100);
    if (startup_ms > 1200)
        tab_emit (self, tab, EVENT_BUFFER_START, "{}");
    tab_go (tab, PHASE_STARTING, startup_ms);
}

//  Some do not wait for a slow start.
static void
s_starting_step (audience_t *self, tab_t *tab)
{
    if (tab->tracker.totals.buffering) {
        if (tab_chance (tab, 60)) {
            tab_leave (self, tab, 60000);
            return;
        }
        tab_emit (self, tab, EVENT_BUFFER_END, "{}");
    }
    tab_watch_on (tab);
}

//  ---------------------------------------------------------------------------------------------------------
//  The other phases

static void
s_end (audience_t *self, tab_t *tab)
{
    tracker_player_t *player = &tab->tracker.player;
    player->position_ms = player->duration_ms;
    player->paused = player->ended = true;
    tab_emit (self, tab, EVENT_END, "{}");
    tab_go (tab, PHASE_ENDED, tab->post_roll_due ? 400 : 1000 + tab_about (tab, 15000));
}

static bool
s_at_end (const tab_t *tab)
{
    const tracker_player_t *player = &tab->tracker.player;
    return player->duration_ms && player->position_ms >= player->duration_ms;
}

static void
s_playing_step (audience_t *self, tab_t *tab)
{
    s_emit_progress (self, tab);
    if (s_at_end (tab))
        s_end (self, tab);
    else if (tab->tracker.player.position_ms >= tab->cue_ms)
        tab_break_open (self, tab);
    else if (tab->now_ms >= tab->act_ms)
        tab_act (self, tab);
}

static void
s_paused_step (audience_t *self, tab_t *tab)
{
    if (tab_chance (tab, 120)) {
        tab_leave (self, tab, 150000);
        return;
    }
    tab->tracker.player.paused = false;
    tab_emit (self, tab, EVENT_PLAY, "{}");
    tab_watch_on (tab);
}

static void
s_seeking_step (audience_t *self, tab_t *tab)
{
    tab_emit (self, tab, EVENT_SEEK_END, "{}");
    s_emit_progress (self, tab);
    tab_watch_on (tab);
}

static void
s_stalled_step (audience_t *self, tab_t *tab)
{
    tab_emit (self, tab, EVENT_BUFFER_END, "{}");
    tab_watch_on (tab);
}

static void
s_replay (audience_t *self, tab_t *tab)
{
    tracker_player_t *player = &tab->tracker.player;
    tab->after_end = false;
    player->position_ms = 0;
    player->paused = player->ended = false;
    tab_emit (self, tab, EVENT_PLAY, "{}");
    tab_watch_on (tab);
}

//  After the end: the post-roll, another title, the same again, or home.
static void
s_ended_step (audience_t *self, tab_t *tab)
{
    if (tab->post_roll_due) {
        tab->post_roll_due = false;
        tab->after_end = true;
        tab_break_open (self, tab);
    } else if (tab_chance (tab, 500))
        s_open_page (self, tab);
    else if (tab_chance (tab, 300))
        s_replay (self, tab);
    else
        tab_leave (self, tab, 150000);
}

//  The tracker goes on with its interval, but sends one ping while the player is paused, then none.
static void
s_ping (audience_t *self, tab_t *tab)
{
    tab->ping_ms += self->ping_ms;
    if (!tab->tracker.player.paused)
        tab->paused_pings = 0;
    else if (tab->paused_pings++ > 0)
        return;
    tab_emit (self, tab, EVENT_PING, "{}");
}

static void (*const phase_steps [PHASE_COUNT]) (audience_t *, tab_t *) = {
    [PHASE_AWAY] = s_away_step,         [PHASE_LOADED] = s_loaded_step,
    [PHASE_STARTING] = s_starting_step, [PHASE_PLAYING] = s_playing_step,
    [PHASE_PAUSED] = s_paused_step,     [PHASE_SEEKING] = s_seeking_step,
    [PHASE_STALLED] = s_stalled_step,   [PHASE_BREAK] = tab_break_step,
    [PHASE_AD] = tab_ad_step,           [PHASE_AD_PAUSED] = tab_ad_paused_step,
    [PHASE_ENDED] = s_ended_step,
};

//  ---------------------------------------------------------------------------------------------------------
//  Time

//  When a playing film gets to the next percentage, ad break or its end, or its viewer does something.
static int64_t
s_playing_wake (const tab_t *tab)
{
    const tracker_player_t *player = &tab->tracker.player;
    int64_t target_ms = tab->cue_ms;
    if (player->duration_ms) {
        int64_t percent =
            tab->boundary < COUNT (boundaries_percent) ? boundaries_percent [tab->boundary] : 100;
        int64_t boundary_ms = (player->duration_ms * percent + 99) / 100;
        target_ms = boundary_ms < target_ms ? boundary_ms : target_ms;
    }
    if (target_ms == NEVER)
        return tab->act_ms;
    int64_t left_ms = target_ms > player->position_ms ? target_ms - player->position_ms : 0;
    int64_t reach_ms = tab->now_ms + (left_ms * 1000 + player->rate_permille - 1) / player->rate_permille;
    return reach_ms < tab->act_ms ? reach_ms : tab->act_ms;
}

void
tab_schedule (tab_t *tab)
{
    if (tab->phase == PHASE_PLAYING)
        tab->wake_ms = s_playing_wake (tab);
    //  The tracker holds a seek's events together, so no ping comes between them.
    tab->due_ms = tab->ping_ms < tab->wake_ms && tab->phase != PHASE_SEEKING ? tab->ping_ms : tab->wake_ms;
    if (tab->due_ms < tab->now_ms)
        tab->due_ms = tab->now_ms;
}

void
tab_step (audience_t *self, tab_t *tab)
{
    tracker_player_t *player = &tab->tracker.player;
    bool ping = tab->ping_ms < tab->wake_ms && tab->phase != PHASE_SEEKING;
    if (tab->phase == PHASE_PLAYING)
        player->position_ms += (tab->due_ms - tab->now_ms) * player->rate_permille / 1000;
    tab->now_ms = tab->due_ms;
    if (ping)
        s_ping (self, tab);
    else
        phase_steps [tab->phase](self, tab);
    tab_schedule (tab);
}
