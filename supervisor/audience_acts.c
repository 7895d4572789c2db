//  audience_acts - what viewers, and networks, do to a playing film, and how often: rows of a table

#include "audience_private.h"

#include <stdio.h>

typedef struct {
    const char *label;
    int bitrate, frames_per_second;
} quality_t;

static const quality_t qualities [] = {
    { "640x360", 900000, 30 },
    { "1280x720", 2800000, 30 },
    { "1920x1080", 5200000, 60 },
    { "3840x2160", 15800000, 60 },
};

static const int rates_permille [] = { 1000, 1250, 1500, 2000, 500 };

static const char *const errors [] = {
    "{\"errorCode\":\"2\",\"errorName\":\"MEDIA_ERR_NETWORK\",\"errorDescription\":\"segment 417 timed "
    "out\"}",
    "{\"errorCode\":\"3\",\"errorName\":\"MEDIA_ERR_DECODE\",\"errorDescription\":\"decoder gave up\"}",
    "{\"errorCode\":\"403\",\"errorName\":\"forbidden\",\"errorDescription\":\"licence for \\\"film\\\" "
    "expired\"}",
};

static void
s_pause (audience_t *self, tab_t *tab)
{
    tab->tracker.player.paused = true;
    tab_emit (self, tab, EVENT_PAUSE, "{}");
    tab_go (tab, PHASE_PAUSED, 800 + tab_about (tab, 25000));
}

static void
s_seek (audience_t *self, tab_t *tab)
{
    int64_t position_ms = tab->tracker.player.position_ms;
    tab->seek_from_ms = position_ms;
    tab_emit (self, tab, EVENT_SEEK_START, "{}");
    int64_t jump_ms =
        tab_chance (tab, 650) ? tab_between (tab, 10000, 120000) : -tab_between (tab, 10000, 60000);
    int64_t limit_ms = tab->title->duration_s ? tab->tracker.player.duration_ms - 1000 : position_ms;
    int64_t to_ms = position_ms + jump_ms;
    to_ms = to_ms > limit_ms ? limit_ms : to_ms;
    tab->tracker.player.position_ms = to_ms < 0 ? 0 : to_ms;
    tab_go (tab, PHASE_SEEKING, tab_between (tab, 80, 1800));
}

static void
s_change_volume (audience_t *self, tab_t *tab)
{
    char data [64];
    tracker_player_t *player = &tab->tracker.player;
    int previous = player->volume;
    player->muted = tab_chance (tab, 200) ? !player->muted : player->muted;
    player->volume = (int)tab_between (tab, 0, 20) * 5;
    snprintf (data, sizeof data, "{\"previousVolume\":%d,\"newVolume\":%d}", previous, player->volume);
    tab_emit (self, tab, EVENT_VOLUME_CHANGE, data);
    tab_watch_on (tab);
}

static void
s_change_fullscreen (audience_t *self, tab_t *tab)
{
    tracker_player_t *player = &tab->tracker.player;
    player->fullscreen = player->fullscreen > 0 ? 0 : 1;
    tab_emit (self, tab, EVENT_FULLSCREEN_CHANGE,
              player->fullscreen ? "{\"fullscreen\":true}" : "{\"fullscreen\":false}");
    tab_watch_on (tab);
}

static void
s_change_picture_in_picture (audience_t *self, tab_t *tab)
{
    tracker_player_t *player = &tab->tracker.player;
    player->picture_in_picture = player->picture_in_picture > 0 ? 0 : 1;
    tab_emit (self, tab, EVENT_PICTURE_IN_PICTURE_CHANGE,
              player->picture_in_picture ? "{\"pictureInPicture\":true}" : "{\"pictureInPicture\":false}");
    tab_watch_on (tab);
}

static void
s_change_rate (audience_t *self, tab_t *tab)
{
    char data [80];
    int previous = tab->tracker.player.rate_permille;
    int rate = rates_permille [tab_index (tab, COUNT (rates_permille))];
    tab->tracker.player.rate_permille = rate;
    snprintf (data, sizeof data, "{\"previousRate\":%d.%03d,\"newRate\":%d.%03d}", previous / 1000,
              previous % 1000, rate / 1000, rate % 1000);
    tab_emit (self, tab, EVENT_PLAYBACK_RATE_CHANGE, data);
    tab_watch_on (tab);
}

static void
s_change_quality (audience_t *self, tab_t *tab)
{
    char data [200], previous [48] = "";
    const quality_t *quality = &qualities [tab_index (tab, COUNT (qualities))];
    if (tab->tracker.player.quality)
        snprintf (previous, sizeof previous, "\"previousQuality\":\"%s\",", tab->tracker.player.quality);
    snprintf (data, sizeof data,
              "{%s\"newQuality\":\"%s\",\"bitrate\":%d,\"framesPerSecond\":%d,\"automatic\":%s}", previous,
              quality->label, quality->bitrate, quality->frames_per_second,
              tab_chance (tab, 850) ? "true" : "false");
    tab->tracker.player.quality = quality->label;
    tab_emit (self, tab, EVENT_QUALITY_CHANGE, data);
    tab_watch_on (tab);
}

static void
s_stall (audience_t *self, tab_t *tab)
{
    tab_emit (self, tab, EVENT_BUFFER_START, "{}");
    tab_go (tab, PHASE_STALLED, 300 + tab_about (tab, 3500));
}

//  Half of the errors end the session: the page is loaded again, by some at once.
static void
s_fail (audience_t *self, tab_t *tab)
{
    tab_emit (self, tab, EVENT_ERROR, errors [tab_index (tab, COUNT (errors))]);
    if (tab_chance (tab, 500))
        tab_leave (self, tab, tab_chance (tab, 500) ? 5000 : 180000);
    else
        tab_watch_on (tab);
}

static void
s_close_laptop (audience_t *self, tab_t *tab)
{
    tab_leave (self, tab, 150000);
}

typedef struct {
    unsigned weight;
    void (*act) (audience_t *, tab_t *);
} action_t;

static const action_t actions [] = {
    { 30, s_pause },
    { 18, s_seek },
    { 12, s_change_volume },
    { 10, s_change_fullscreen },
    { 3, s_change_picture_in_picture },
    { 4, s_change_rate },
    { 12, s_change_quality },
    { 10, s_stall },
    { 2, s_fail },
    { 7, s_close_laptop },
};

void
tab_act (audience_t *self, tab_t *tab)
{
    int64_t sum = 0;
    for (size_t index = 0; index < COUNT (actions); index++)
        sum += actions [index].weight;
    int64_t at = tab_between (tab, 0, sum - 1);
    size_t index = 0;
    while ((at -= actions [index].weight) >= 0)
        index++;
    actions [index].act (self, tab);
}
