//  Any puts and removals in any order against a plain list: every session is found, as it was said last, and nothing else.

#include "chance.h"
#include "last_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

//  Viewers of both slots, sessions of each; enough for a table to grow and to be searched around its end.
enum { SLOTS = 2, VIEWERS = 200, SESSIONS = 3, ROUNDS = 60000, CHECK_EACH = 500 };

typedef struct {
    last_value_t *values;
    uint64_t held [SLOTS][VIEWERS][SESSIONS];    //  version; 0 not held
    bool marked [SLOTS][VIEWERS][SESSIONS];
    size_t count [SLOTS];
    uint64_t dice, version;
} world_t;

static uint64_t
roll (world_t *self, uint64_t sides)
{
    return chance_pick (&self->dice, sides);
}

typedef struct {
    char viewer [300], session [32], title [48], city [64];
} names_t;

//  What a version of a session says. Every seventh viewer has a long name, the first session has none.
static usher_session_t
session_of (names_t *names, uint32_t slot, size_t viewer, size_t session, uint64_t version)
{
    memset (names, 0, sizeof *names);
    memset (names->viewer, 'v', viewer % 7 ? 8 : 280);
    snprintf (names->viewer + (viewer % 7 ? 8 : 280), 16, "%zu", viewer);
    if (session)
        snprintf (names->session, sizeof names->session, "session-%zu", session);
    snprintf (names->title, sizeof names->title, "title-%d", (int)(version % 11));
    memset (names->city, 'c', version % sizeof names->city);
    return (usher_session_t){ .slot = slot,
                              .viewer_id = usher_str (names->viewer),
                              .session_id = usher_str (names->session),
                              .epoch = 1 + version % 3,
                              .version = version,
                              .state = (uint32_t)(version % USHER_STATES),
                              .position_s = (double)version / 8,
                              .media_label = usher_str (names->title),
                              .platform = usher_str (version % 2 ? "web" : ""),
                              .city = usher_bytes (names->city, version % sizeof names->city),
                              .exited = version % 2 };
}

static void
check_one (const world_t *self, uint32_t slot, size_t viewer, size_t session)
{
    names_t names;
    uint64_t version = self->held [slot][viewer][session];
    usher_msg_t said = { .id = USHER_MSG_session,
                         .session = session_of (&names, slot, viewer, session, version) };
    usher_msg_t held = { .id = USHER_MSG_session };
    size_t place = last_value_find (self->values, slot, said.session.viewer_id, said.session.session_id);
    assert_int_equal (place != LAST_VALUE_NONE, version != 0);
    if (!version)
        return;
    const last_value_entry_t *entry = last_value_at (self->values, slot, place);
    last_value_decode (entry, slot, &held.session);
    assert_true (usher_equal (&said, &held));
    assert_int_equal (entry->marked, self->marked [slot][viewer][session]);
    assert_int_equal (entry->note, (uint8_t)version);
}

//  How many sessions a walk over a viewer meets.
static size_t
sessions_met (const world_t *self, uint32_t slot, usher_str_t viewer_id)
{
    size_t met = 0, place = last_value_first (self->values, slot, viewer_id);
    for (; place != LAST_VALUE_NONE; met++)
        place = last_value_next (self->values, slot, viewer_id, place);
    return met;
}

static void
check_all (const world_t *self)
{
    size_t total = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        size_t met = 0;
        for (size_t place = 0; place < last_value_places (self->values, slot); place++)
            met += last_value_at (self->values, slot, place) != NULL;
        assert_int_equal (met, self->count [slot]);
        assert_int_equal (last_value_count (self->values, slot), self->count [slot]);
        total += met;
        for (size_t viewer = 0; viewer < VIEWERS; viewer++) {
            names_t names;
            size_t held = 0;
            for (size_t session = 0; session < SESSIONS; session++) {
                check_one (self, slot, viewer, session);
                held += self->held [slot][viewer][session] != 0;
            }
            usher_session_t of = session_of (&names, slot, viewer, 0, 0);
            assert_int_equal (sessions_met (self, slot, of.viewer_id), held);
        }
    }
    assert_int_equal (last_value_total (self->values), total);
    assert_int_equal (last_value_bytes (self->values) != 0, total != 0);
}

static void
put (world_t *self, uint32_t slot, size_t viewer, size_t session, bool gone)
{
    names_t names;
    uint64_t *held = &self->held [slot][viewer][session], version = ++self->version;
    usher_session_t said = session_of (&names, slot, viewer, session, version);
    said.gone = gone;
    size_t place = last_value_find (self->values, slot, said.viewer_id, said.session_id);
    place = last_value_put (self->values, place, &said);
    assert_int_equal (place == LAST_VALUE_NONE, gone);
    if (!gone)
        last_value_note (self->values, slot, place, (uint8_t)version);
    self->count [slot] += (size_t)!gone - (*held != 0);
    *held = gone ? 0 : version;
    self->marked [slot][viewer][session] = !gone;
}

//  Looking ahead changes nothing, whoever is looked for: sessions that are held, that are not, and messages that are none.
static void
expect (world_t *self)
{
    names_t names [LOT_MESSAGES];
    lot_t lot = { .count = (size_t)roll (self, LOT_MESSAGES + 1) };
    for (size_t at = 0; at < lot.count; at++) {
        uint32_t slot = (uint32_t)roll (self, SLOTS + 1);
        lot.messages [at] = (usher_msg_t){ .id = roll (self, 4) ? USHER_MSG_session : USHER_MSG_announce };
        if (lot.messages [at].id == USHER_MSG_session)
            lot.messages [at].session =
                session_of (&names [at], slot, (size_t)roll (self, VIEWERS * 2), 0, self->version);
    }
    last_value_expect (self->values, &lot);
}

//  As a snapshot ends: what is not marked goes, while all places are gone through.
static void
sweep (world_t *self, uint32_t slot)
{
    for (size_t place = 0; place < last_value_places (self->values, slot);) {
        const last_value_entry_t *entry = last_value_at (self->values, slot, place);
        if (entry && !entry->marked)
            last_value_remove (self->values, slot, place);
        else
            place++;
    }
    for (size_t viewer = 0; viewer < VIEWERS; viewer++)
        for (size_t session = 0; session < SESSIONS; session++)
            if (self->held [slot][viewer][session] && !self->marked [slot][viewer][session]) {
                self->held [slot][viewer][session] = 0;
                self->count [slot]--;
            }
}

static void
test_any_order (void **state)
{
    (void)state;
    world_t self = { .values = last_value_new (), .dice = 1 };
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t slot = (uint32_t)roll (&self, SLOTS);
        //  Tides: now most come, now most go.
        bool gone = roll (&self, 10) < (round / 10000 % 2 ? 8u : 2u);
        put (&self, slot, roll (&self, VIEWERS), roll (&self, SESSIONS), gone);
        if (round % 10 == 0)
            expect (&self);
        if (round % 3000 == 1000) {
            last_value_unmark (self.values, slot);
            memset (self.marked [slot], 0, sizeof self.marked [slot]);
        }
        if (round % 3000 == 1400)
            sweep (&self, slot);
        if (round % CHECK_EACH == 0)
            check_all (&self);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        last_value_unmark (self.values, slot);
        memset (self.marked [slot], 0, sizeof self.marked [slot]);
        sweep (&self, slot);
    }
    check_all (&self);
    last_value_destroy (&self.values);
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_any_order) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
