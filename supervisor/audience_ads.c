//  audience_ads - what happens in an ad break
//
//  A break has a pod of ads. When an ad begins, its marks are planned: quartiles, completion, and by chance a
//  click, a pause, a skip, or the viewer closing the laptop; then they happen one after the other.

#include "audience_private.h"

#include <stdio.h>

static const char *const ad_names [] = { "Podcast Ad", "Running Shoes", "Oat & Barley", "City Bank",
                                         "Winter Tyres" };

void
tab_break_open (audience_t *self, tab_t *tab)
{
    tracker_t *tracker = &tab->tracker;
    tracker_break_t *ad_break = &tracker->ad_break;
    *ad_break = (tracker_break_t){ .type = "linear", .start_ms = tracker->player.position_ms, .shown = true };
    ad_break->name = tab->after_end ? "post-roll" : tab->cue_ms == 0 ? "pre-roll" : "mid-roll";
    snprintf (ad_break->id, sizeof ad_break->id, "ab-%u", tracker->totals.breaks + 1);
    ad_break->pod_size = tab->ads_left = (unsigned)tab_between (tab, 1, 3);
    if (!tab->after_end)
        tab->cue_ms = tab_cue_after (tab, tracker->player.position_ms);
    tab_emit (self, tab, EVENT_AD_BREAK_START, "{}");
    if (tab->viewer->device->pauses_for_ads && !tab->after_end) {
        tracker->player.paused = true;
        tab_emit (self, tab, EVENT_PAUSE, "{}");
    }
    tab_go (tab, PHASE_BREAK, tab_between (tab, 150, 900));
}

static void
s_mark_add (tab_t *tab, int at_permille, mark_kind_t kind)
{
    size_t index = tab->marks_count++;
    while (index > 0 && tab->marks [index - 1].at_permille > at_permille) {
        tab->marks [index] = tab->marks [index - 1];
        index--;
    }
    tab->marks [index] = (mark_t){ at_permille, kind };
}

//  What will happen in this ad; a skip, or leaving, makes an end of what follows it.
static void
s_ad_plan (tab_t *tab)
{
    const viewer_t *viewer = tab->viewer;
    tab->mark = tab->marks_count = 0;
    s_mark_add (tab, 250, MARK_QUARTILE);
    s_mark_add (tab, 500, MARK_QUARTILE);
    s_mark_add (tab, 750, MARK_QUARTILE);
    s_mark_add (tab, 1000, MARK_COMPLETE);
    if (tab_chance (tab, viewer->click_permille))
        s_mark_add (tab, (int)tab_between (tab, 100, 990), MARK_CLICK);
    if (tab_chance (tab, 25))
        s_mark_add (tab, (int)tab_between (tab, 100, 900), MARK_PAUSE);
    if (tab->tracker.ad.skippable && tab_chance (tab, viewer->skip_permille))
        s_mark_add (tab, (int)tab_between (tab, 200, 800), MARK_SKIP);
    if (tab_chance (tab, 25))
        s_mark_add (tab, (int)tab_between (tab, 50, 950), MARK_LEAVE);
}

static void
s_ad_wait (tab_t *tab, int from_permille)
{
    tab_go (tab, PHASE_AD,
            tab->tracker.ad.duration_ms * (tab->marks [tab->mark].at_permille - from_permille) / 1000);
}

static void
s_ad_open (audience_t *self, tab_t *tab)
{
    tracker_ad_t *ad = &tab->tracker.ad;
    size_t index = tab_index (tab, COUNT (ad_names));
    *ad = (tracker_ad_t){ .name = ad_names [index], .shown = true };
    snprintf (ad->id, sizeof ad->id, "%zu", 288 + index);
    snprintf (ad->creative, sizeof ad->creative, "%zu", 4321 + index * 7);
    ad->pod_position = tab->tracker.ad_break.pod_size - tab->ads_left-- + 1;
    ad->duration_ms = tab_between (tab, 2, 6) * 5000;
    ad->skippable = tab_chance (tab, 700);
    tab_emit (self, tab, EVENT_AD_START, "{}");
    s_ad_plan (tab);
    s_ad_wait (tab, 0);
}

static void
s_break_close (audience_t *self, tab_t *tab)
{
    tracker_t *tracker = &tab->tracker;
    tab_emit (self, tab, EVENT_AD_BREAK_END, "{}");
    tracker->ad_break.shown = false;
    if (tab->after_end) {
        tab_go (tab, PHASE_ENDED, 1000 + tab_about (tab, 15000));
        return;
    }
    if (tracker->player.paused) {
        tracker->player.paused = false;
        tab_emit (self, tab, EVENT_PLAY, "{}");
    }
    tab_watch_on (tab);
}

void
tab_break_step (audience_t *self, tab_t *tab)
{
    if (tab->ads_left)
        s_ad_open (self, tab);
    else
        s_break_close (self, tab);
}

void
tab_ad_step (audience_t *self, tab_t *tab)
{
    static const media_event_t mark_events [] = { [MARK_QUARTILE] = EVENT_AD_QUARTILE,
                                                  [MARK_CLICK] = EVENT_AD_CLICK,
                                                  [MARK_PAUSE] = EVENT_AD_PAUSE,
                                                  [MARK_SKIP] = EVENT_AD_SKIP };
    mark_t mark = tab->marks [tab->mark++];
    if (mark.kind == MARK_LEAVE) {
        tab_leave (self, tab, 150000);
        return;
    }
    if (mark.kind == MARK_COMPLETE)
        tab_emit (self, tab, EVENT_AD_COMPLETE, "{}");
    else
        tab_emit_percent (self, tab, mark_events [mark.kind], mark.at_permille / 10);

    if (mark.kind == MARK_COMPLETE || mark.kind == MARK_SKIP) {
        tab->tracker.ad.shown = false;
        tab_go (tab, PHASE_BREAK, tab_between (tab, 100, 700));
    } else if (mark.kind == MARK_PAUSE)
        tab_go (tab, PHASE_AD_PAUSED, 1000 + tab_about (tab, 8000));
    else
        s_ad_wait (tab, mark.at_permille);
}

void
tab_ad_paused_step (audience_t *self, tab_t *tab)
{
    int at_permille = tab->marks [tab->mark - 1].at_permille;
    tab_emit_percent (self, tab, EVENT_AD_RESUME, at_permille / 10);
    s_ad_wait (tab, at_permille);
}
