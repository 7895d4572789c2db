//  test_partial - a viewer whom the store does not give is shown as partial, and counted once, when the profile is there

#include "picture.h"
#include "shard_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

//  A shard, and what a publisher makes of what it says.
typedef struct {
    shard_bench_t shard;
    picture_t *picture;
    size_t told, partial, gone, announced;
    uint64_t version;    //  of the newest session message
    uint64_t offset;
} bench_t;

static bench_t bench;

static void
told (void *arg, const usher_msg_t *msg)
{
    bench_t *self = arg;
    self->announced += msg->id == USHER_MSG_announce;
    if (msg->id != USHER_MSG_session)
        return;
    assert_int_equal (msg->session.epoch, 7);
    assert_true (msg->session.version > self->version);
    self->version = msg->session.version;
    self->told++;
    self->gone += msg->session.gone;
    self->partial += (msg->session.flags & USHER_PARTIAL) != 0;
    picture_put (self->picture, &msg->session, SHARD_BENCH_START_MS);
}

static void
bench_begin (void)
{
    bench = (bench_t){ .picture = picture_new () };
    shard_bench_begin (&bench.shard, UINT64_MAX);
    bench.shard.told = told;
    bench.shard.told_arg = &bench;
    shard_bench_batch (&bench.shard, 1, SHARD_BENCH_START_MS);
}

static void
bench_end (void)
{
    shard_bench_end (&bench.shard);
    picture_destroy (&bench.picture);
}

static void
event (usher_event_kind_t kind)
{
    bench.offset++;
    shard_bench_event (&bench.shard, "somebody", kind, bench.offset * 1000, bench.offset);
}

//  The store gives somebody a stored profile.
static void
load (const uint8_t *profile, size_t size)
{
    usher_msg_t msg = { .id = USHER_MSG_loaded };
    msg.loaded =
        (usher_loaded_t){ .viewer_id = usher_str ("somebody"), .profile = usher_bytes (profile, size) };
    msg.loaded.epoch = msg.loaded.version = size ? 1 : 0;
    shard_bench_hand (&bench.shard, USHER_LINK_store, &msg);
    shard_bench_turn (&bench.shard, 10);
}

//  The session of somebody as the publisher has it. Returns false where it has none.
static bool
shown (const char *session_id, usher_session_t *session)
{
    uint32_t slot = usher_slot (usher_str ("somebody"));
    const last_value_t *sessions = picture_sessions (bench.picture);
    size_t at = last_value_find (sessions, slot, usher_str ("somebody"), usher_str (session_id));
    if (at == LAST_VALUE_NONE)
        return false;
    last_value_decode (last_value_at (sessions, slot, at), slot, session);
    return true;
}

//  Ads that the publisher has counted as started since it was asked last.
static uint64_t
ads_counted (void)
{
    tally_t second = { 0 };
    aggregates_take_second (picture_aggregates (bench.picture), &second);
    return second.sum.ads;
}

//  Seconds of the loop in which nothing comes.
static void
wait_for (int seconds)
{
    for (int second = 0; second < seconds; second++)
        shard_bench_turn (&bench.shard, 1000);
}

//  A life of three ads, whose profile is what it leaves behind.
static size_t
earlier_life (uint8_t *profile, bool ended)
{
    bench_begin ();
    event (USHER_event_kind_play);
    load (NULL, 0);
    for (int ad = 0; ad < 3; ad++) {
        event (USHER_event_kind_ad_start);
        event (USHER_event_kind_ad_complete);
    }
    if (ended)
        event (USHER_event_kind_end);
    while (shard_bench_answer (&bench.shard))
        continue;
    assert_int_equal (ads_counted (), 3);
    size_t size = bench.shard.profile_size;
    memcpy (profile, bench.shard.profile, size);
    bench_end ();
    return size;
}

static void
test_shown_while_it_waits (void **state)
{
    (void)state;
    usher_session_t session;
    bench_begin ();
    event (USHER_event_kind_play);
    shard_bench_turn (&bench.shard, 1000);
    assert_int_equal (bench.told, 0);
    wait_for (2);
    assert_true (shown ("session", &session));
    assert_true (session.flags & USHER_PARTIAL);
    assert_int_equal (session.state, USHER_state_watching);
    //  A change is told at once; nothing is written or announced of somebody who may be somebody else.
    event (USHER_event_kind_pause);
    assert_true (shown ("session", &session) && session.state == USHER_state_paused);
    assert_int_equal (bench.partial, bench.told);
    assert_int_equal (bench.announced + bench.shard.rows, 0);
    assert_int_equal (shard_counters (bench.shard.shard)->held, 2);
    load (NULL, 0);
    assert_true (shown ("session", &session) && !(session.flags & USHER_PARTIAL));
    assert_int_equal (session.state, USHER_state_paused);
    assert_int_equal (bench.announced, 2);
    assert_int_equal (bench.shard.rows, 2);
    assert_int_equal (bench.shard.shard->partials + bench.gone, 0);
    assert_int_equal (shard_counters (bench.shard.shard)->applied, 2);
    bench_end ();
}

static void
test_counted_once (void **state)
{
    (void)state;
    static uint8_t profile [16384];
    size_t size = earlier_life (profile, false);
    uint64_t offset = 100;
    usher_session_t session;
    bench_begin ();
    bench.offset = offset;
    event (USHER_event_kind_ad_start);
    wait_for (3);
    event (USHER_event_kind_ad_complete);
    event (USHER_event_kind_ad_start);
    assert_true (shown ("session", &session) && session.ads == 2);
    assert_int_equal (ads_counted (), 0);
    //  Three ads are of long ago, two are news.
    load (profile, size);
    assert_true (shown ("session", &session) && session.ads == 5);
    assert_int_equal (ads_counted (), 2);
    event (USHER_event_kind_ad_complete);
    event (USHER_event_kind_ad_start);
    assert_int_equal (ads_counted (), 1);
    bench_end ();
    //  Who was nowhere is news as a whole.
    bench_begin ();
    event (USHER_event_kind_ad_start);
    wait_for (3);
    assert_int_equal (ads_counted (), 0);
    load (NULL, 0);
    assert_int_equal (ads_counted (), 1);
    bench_end ();
}

//  A replay of what the store has: what only the partial viewer showed is gone.
static void
test_gone_with_the_profile (void **state)
{
    (void)state;
    static uint8_t profile [16384];
    size_t size = earlier_life (profile, true);
    usher_session_t session;
    bench_begin ();
    event (USHER_event_kind_play);
    wait_for (3);
    assert_true (shown ("session", &session));
    //  The session ended so long ago that it is shown no more, and the event is one that it knows.
    shard_bench_batch (&bench.shard, 2, SHARD_BENCH_START_MS + 100000000);
    load (profile, size);
    assert_false (shown ("session", &session));
    assert_int_equal (shard_counters (bench.shard.shard)->duplicate, 1);
    bench_end ();
}

static void
test_silence (void **state)
{
    (void)state;
    usher_session_t session;
    bench_begin ();
    event (USHER_event_kind_play);
    wait_for (3);
    shard_bench_batch (&bench.shard, 2, SHARD_BENCH_START_MS + 600000);
    wait_for (1);
    assert_true (shown ("session", &session) && session.state == USHER_state_lost);
    shard_bench_batch (&bench.shard, 3, SHARD_BENCH_START_MS + 5000000);
    wait_for (1);
    assert_false (shown ("session", &session));
    //  It is not the profile that was lost: nobody counted it.
    assert_int_equal (shard_counters (bench.shard.shard)->lost, 0);
    bench_end ();
}

static void
test_erased (void **state)
{
    (void)state;
    usher_session_t session;
    bench_begin ();
    event (USHER_event_kind_play);
    wait_for (3);
    assert_true (shown ("session", &session));
    usher_msg_t msg = { .id = USHER_MSG_forget,
                        .forget = { usher_str ("somebody"), SHARD_BENCH_START_MS + 60000 } };
    shard_bench_hand (&bench.shard, USHER_LINK_store, &msg);
    assert_false (shown ("session", &session));
    wait_for (3);
    assert_false (shown ("session", &session));
    //  What was collected later is somebody whom we may know.
    bench.offset = 100;
    event (USHER_event_kind_play);
    assert_true (shown ("session", &session));
    bench_end ();
}

static void
test_a_publisher_that_starts (void **state)
{
    (void)state;
    usher_session_t session;
    bench_begin ();
    event (USHER_event_kind_play);
    wait_for (3);
    picture_destroy (&bench.picture);
    bench.picture = picture_new ();
    shard_peer_up (bench.shard.shard, USHER_LINK_changes, 0, "publisher", bench.shard.out);
    usher_msg_t msg = { .id = USHER_MSG_fill };
    shard_bench_hand (&bench.shard, USHER_LINK_changes, &msg);
    shard_bench_turn (&bench.shard, 10);
    assert_true (shown ("session", &session) && session.flags & USHER_PARTIAL);
    bench_end ();
}

//  An earlier owner told of it in whole, and counted it: a part does not take its place.
static void
test_a_whole_stays (void **state)
{
    (void)state;
    usher_session_t session = { .slot = usher_slot (usher_str ("somebody")),
                                .viewer_id = usher_str ("somebody"),
                                .session_id = usher_str ("session"),
                                .epoch = 6,
                                .version = 1,
                                .ads = 3 };
    bench_begin ();
    assert_true (picture_put (bench.picture, &session, SHARD_BENCH_START_MS));
    assert_int_equal (ads_counted (), 3);
    event (USHER_event_kind_ad_start);
    wait_for (3);
    assert_true (bench.partial > 0);
    assert_true (shown ("session", &session) && session.ads == 3 && !(session.flags & USHER_PARTIAL));
    assert_int_equal (ads_counted (), 0);
    bench_end ();
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_shown_while_it_waits),
        cmocka_unit_test (test_counted_once),
        cmocka_unit_test (test_gone_with_the_profile),
        cmocka_unit_test (test_silence),
        cmocka_unit_test (test_erased),
        cmocka_unit_test (test_a_publisher_that_starts),
        cmocka_unit_test (test_a_whole_stays),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
