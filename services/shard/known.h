//  known - what a session knows beside its folds: newest attributes, largest totals
//
//  Attributes come in groups; each is that of the newest event that has the group, by the collector's time: no clock that
//  steps and no event between two others changes which of them is newer. Totals are the tracker's own, merged by maximum.

#ifndef KNOWN_H
#define KNOWN_H

#include "session.h"

//  Raises the totals. Also of events that are too late for anything else.
void known_take_totals (usher_session_record_t *self, const usher_event_t *event);

//  Takes the groups of which this event is the newest, and notes in its record those it has. The record is in the open
//  window, or follows (session_follows).
//  Returns whether something that people look at may have changed.
bool known_take_attributes (session_t *session, const usher_event_t *event, window_event_t *record);

//  Is there nothing in a ping that either of them would take?
bool known_is_silent (const usher_event_t *event);

#endif
