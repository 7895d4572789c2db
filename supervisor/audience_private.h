//  audience_private - what the files of the audience share, and nobody else includes
//
//  audience.c owns viewers and the heap, audience_tab.c what a tab does, audience_ads.c what it does in an ad
//  break, audience_chance.c how chance comes out of the seed.

#ifndef AUDIENCE_PRIVATE_H
#define AUDIENCE_PRIVATE_H

#include "audience.h"

#define COUNT(table) (sizeof (table) / sizeof (table) [0])
#define NEVER INT64_MAX
#define AD_MARKS_MAX 8

typedef struct {
    const char *slug;
    const char *label;
    const char *media_type;
    int duration_s;       //  0: live
    int break_every_s;    //  mid-rolls; 0: none
    bool pre_roll, post_roll;
} title_t;

typedef struct {
    const char *platform;
    const char *user_agent;
    const char *player_type;
    const char *resolution;
    unsigned weight;
    bool pauses_for_ads;    //  the page pauses the film itself to show an ad, so a pause_event is sent
} device_t;

typedef enum {
    PHASE_AWAY,
    PHASE_LOADED,
    PHASE_STARTING,
    PHASE_PLAYING,
    PHASE_PAUSED,
    PHASE_SEEKING,
    PHASE_STALLED,
    PHASE_BREAK,
    PHASE_AD,
    PHASE_AD_PAUSED,
    PHASE_ENDED,
    PHASE_COUNT
} phase_t;

typedef enum { MARK_QUARTILE, MARK_CLICK, MARK_PAUSE, MARK_SKIP, MARK_LEAVE, MARK_COMPLETE } mark_kind_t;

typedef struct {
    int at_permille;
    mark_kind_t kind;
} mark_t;

typedef struct {
    tracker_identity_t identity;
    const device_t *device;
    unsigned open_tabs;
    unsigned skip_permille;    //  how likely this viewer skips an ad that can be skipped
    unsigned click_permille;
    int64_t patience_ms;    //  mean time between two things done while watching
} viewer_t;

typedef struct {
    uint64_t random;
    viewer_t *viewer;
    const title_t *title;
    tracker_t tracker;
    phase_t phase;
    int64_t now_ms;     //  time of the last thing that happened
    int64_t due_ms;     //  of the next one: what the heap is ordered by
    int64_t wake_ms;    //  of the phase's next step
    int64_t act_ms;     //  while playing: when the viewer does something
    int64_t ping_ms;
    int64_t seek_from_ms;
    int64_t cue_ms;     //  position of the next ad break, NEVER for none
    size_t boundary;    //  next percentage to report
    unsigned paused_pings;
    unsigned ads_left;
    size_t mark, marks_count;
    mark_t marks [AD_MARKS_MAX];
    bool post_roll_due;
    bool after_end;    //  the ad break is a post-roll
} tab_t;

struct _audience_t {
    audience_options_t options;
    int64_t ping_ms;
    viewer_t *viewers;
    tab_t *tabs;
    tab_t **heap;
    tracker_body_t body;
    size_t last_tab;
    audience_counters_t counters;
};

//  The next 64 bits of a stream.
uint64_t chance_next (uint64_t *state);

//  A number from low to high, both included.
int64_t tab_between (tab_t *tab, int64_t low, int64_t high);

//  An index below count.
size_t tab_index (tab_t *tab, size_t count);

//  True in `permille` of a thousand cases.
bool tab_chance (tab_t *tab, unsigned permille);

//  A time, exponential around a mean, at least 1 ms.
int64_t tab_about (tab_t *tab, int64_t mean_ms);

//  A random (version 4) UUID as text.
void chance_uuid (uint64_t *random, char text [UUID_TEXT_SIZE]);

//  A time of the audience as the device's clock shows it.
int64_t audience_stamp (const audience_t *self, int64_t ms);

//  Writes an event with its JSON data into the body of this step, some milliseconds after the one before.
void tab_emit (audience_t *self, tab_t *tab, media_event_t event, const char *data);

//  The same for an event whose data is percentProgress.
void tab_emit_percent (audience_t *self, tab_t *tab, media_event_t event, int percent);

//  Enters a phase, whose next step is after after_ms.
void tab_go (tab_t *tab, phase_t phase, int64_t after_ms);

//  Plays on until the viewer does something.
void tab_watch_on (tab_t *tab);

//  Goes away, to come back after a time around mean_away_ms.
void tab_leave (audience_t *self, tab_t *tab, int64_t mean_away_ms);

//  The position of the first mid-roll after a position, or NEVER.
int64_t tab_cue_after (const tab_t *tab, int64_t position_ms);

//  Does to the playing film what chance says.
void tab_act (audience_t *self, tab_t *tab);

//  Begins the ad break that is due: pre-roll, mid-roll or post-roll.
void tab_break_open (audience_t *self, tab_t *tab);

//  The next ad of the break, or its end.
void tab_break_step (audience_t *self, tab_t *tab);

//  The next of the ad's marks.
void tab_ad_step (audience_t *self, tab_t *tab);

//  Goes on with a paused ad.
void tab_ad_paused_step (audience_t *self, tab_t *tab);

//  Sets when the tab is due next.
void tab_schedule (tab_t *tab);

//  Does what is due: a ping, or the next step of the phase.
void tab_step (audience_t *self, tab_t *tab);

#endif
