//  test_viewer - many sessions, sums, copies of an event, and viewers who mean harm

#include "memory.h"
#include "viewer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILE_MAX = 262144 };    //  the limit of write.profile

static const uint64_t START_MS = 1790000000000;

static viewer_t viewer;
static uint64_t offset;

static int
setup (void **state)
{
    (void)state;
    viewer_init (&viewer, usher_bytes ("viewer", 6));
    return 0;
}

static int
teardown (void **state)
{
    (void)state;
    viewer_clear (&viewer);
    return 0;
}

static usher_event_t
event_of (const char *session_id, const char *event_id, usher_event_kind_t kind, uint64_t at_s)
{
    return (usher_event_t){ .session_id = usher_str (session_id),
                            .event_id = usher_str (event_id),
                            .kind = kind,
                            .collected_ms = START_MS + at_s * 1000,
                            .created_ms = START_MS + at_s * 1000,
                            .video_s = NAN,
                            .has = USHER_HAS_SESSION };
}

//  Applies an event and folds away what is too much. Returns what became of it.
static viewer_outcome_t
take (usher_event_t event)
{
    event.offset = ++offset;
    viewer_outcome_t outcome = viewer_take (&viewer, &event, 1).outcome;
    for (session_t *session; (session = viewer_excess (&viewer));)
        viewer_fold (&viewer, session);
    return outcome;
}

//  A session of that number, at_s seconds after the start, that played 10 s and skipped an ad.
static void
watch (int number, uint64_t at_s)
{
    char session_id [16], event_id [32];
    snprintf (session_id, sizeof session_id, "s%02d", number);
    snprintf (event_id, sizeof event_id, "%s-play", session_id);
    take (event_of (session_id, event_id, USHER_event_kind_play, at_s));
    snprintf (event_id, sizeof event_id, "%s-skip", session_id);
    usher_event_t event = event_of (session_id, event_id, USHER_event_kind_ad_skip, at_s + 10);
    event.time_played_s = 10;
    take (event);
}

//  ---- sessions

static void
test_old_sessions_are_summed_up (void **state)
{
    (void)state;
    for (int number = 0; number < 20; number++)
        watch (number, (uint64_t)number * 600);
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS);
    assert_int_equal (viewer.sum.sessions, 4);
    assert_true (viewer.sum.played_s == 40);
    assert_int_equal (viewer.sum.skipped, 4);
    assert_true (usher_str_eq (viewer.sessions [0].known.session_id, usher_str ("s04")));
    //  What the feed says: those that it does not show.
    for (size_t at = 0; at < viewer.session_count; at++)
        viewer.sessions [at].shown = at > 1;
    usher_session_t out = { 0 };
    viewer_describe_earlier (&viewer, &out);
    assert_int_equal (out.earlier, 6);
    assert_true (out.earlier_played_s == 60);
    assert_int_equal (out.earlier_skipped, 6);
}

//  While an event of it may still come in time a session stays.
static void
test_new_sessions_stay (void **state)
{
    (void)state;
    for (int number = 0; number < 20; number++)
        watch (number, (uint64_t)number);
    assert_int_equal (viewer.session_count, 20);
    watch (20, 3590);
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS);
    assert_int_equal (viewer.sum.sessions, 5);
    //  Not for ever: there is a limit to the number too.
    for (int number = 21; number < 90; number++)
        watch (number, 3600 + (uint64_t)number * 2);
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS_MAX);
    assert_int_equal (viewer.session_count + viewer.sum.sessions, 90);
}

static void
test_a_folded_session_is_not_counted_twice (void **state)
{
    (void)state;
    for (int number = 0; number < 20; number++)
        watch (number, (uint64_t)number * 600);
    usher_event_t event = event_of ("s00", "late", USHER_event_kind_ping, 20);
    event.time_played_s = 20;
    assert_int_equal (take (event), VIEWER_LATE);
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS);
    assert_int_equal (viewer.sum.sessions, 4);
}

static void
test_sums_are_stored (void **state)
{
    (void)state;
    for (int number = 0; number < 20; number++)
        watch (number, (uint64_t)number * 600);
    size_t size = viewer_store_bound (&viewer);
    uint8_t *data = memory_new (size, 1);
    size = viewer_store (&viewer, data, size);
    viewer_t other;
    viewer_init (&other, viewer.id);
    assert_true (viewer_restore (&other, data, size));
    assert_memory_equal (&other.sum, &viewer.sum, sizeof viewer.sum);
    assert_int_equal (other.session_count, VIEWER_SESSIONS);
    viewer_clear (&other);
    free (data);
}

//  ---- copies

//  The rows that the store would be asked to write (+) and to remove (-), by key.
static void
rows_read (char *text, size_t size)
{
    usher_frame_t frame;
    usher_msg_t msg;
    size_t used = 0;
    usher_records_open (&frame, viewer.rows, viewer.rows_used);
    while (usher_decode (&frame, &msg) == USHER_OK)
        used += (size_t)snprintf (text + used, size - used, "%c%.*s\n", msg.history.remove ? '-' : '+',
                                  (int)msg.history.key_tstamp.size, msg.history.key_tstamp.data);
    viewer_rows_forget (&viewer);
}

//  A tracker that heard no answer sends again. The collector's time of the first copy is the event's, whichever
//  came first from the pipeline.
static void
test_the_earliest_copy_counts (void **state)
{
    (void)state;
    char rows [512];
    usher_event_t event = event_of ("s", "e1", USHER_event_kind_play, 5);
    event.collected_ms += 40000;
    assert_int_equal (take (event), VIEWER_APPLIED);
    rows_read (rows, sizeof rows);
    assert_string_equal (rows, "+2026-09-21T14:14:05.000Z\n");
    event.collected_ms -= 40000;
    assert_int_equal (take (event), VIEWER_DUPLICATE);
    rows_read (rows, sizeof rows);
    assert_string_equal (rows, "-2026-09-21T14:14:05.000Z\n+2026-09-21T14:13:25.000Z\n");
    assert_true (viewer.sessions [0].now.seen_ms == START_MS + 5000);
    event.collected_ms += 60000;
    assert_int_equal (take (event), VIEWER_DUPLICATE);
    assert_int_equal (viewer.rows_used, 0);
}

//  ---- harm

//  An input without sessions names them by the medium, which may be longer than an id.
static void
test_a_long_label_names_a_session (void **state)
{
    (void)state;
    static char label [4096];
    memset (label, 'x', sizeof label);
    usher_event_t event = event_of ("", "e1", USHER_event_kind_play, 5);
    event.media_label = usher_bytes (label, sizeof label);
    assert_int_equal (take (event), VIEWER_APPLIED);
    size_t size = viewer_store_bound (&viewer);
    uint8_t *data = memory_new (size, 1);
    assert_true (viewer_store (&viewer, data, size) > 0);
    free (data);
}

//  Everything as long as it may be.
static usher_event_t
event_huge (const char *text, int session, int number, char *session_id, char *event_id)
{
    snprintf (session_id, 1025, "%04u%.1020s", session % 10000u, text);
    snprintf (event_id, 129, "%04u-%04u%.119s", session % 10000u, number % 10000u, text);
    usher_event_t event = event_of (session_id, event_id, USHER_event_kind_play, (uint64_t)number / 2);
    usher_str_t s4096 = usher_bytes (text, 4096), s1024 = usher_bytes (text, 1024);
    event.kind = number % 2 ? USHER_event_kind_play : USHER_event_kind_pause;
    event.has = 63;
    event.media_label = event.player_type = event.quality = event.ad_name = event.break_name = s4096;
    event.error_text = event.user_agent = event.creative_id = s4096;
    event.ad_id = event.break_id = event.app_id = s1024;
    event.city = usher_bytes (text, 512);
    event.platform = usher_bytes (text, 255);
    event.country = usher_bytes (text, 8);
    event.media_type = event.break_type = usher_bytes (text, 16);
    event.bitrate = event.created_ms * 1000;
    return event;
}

static void
test_a_profile_fits_whatever_comes (void **state)
{
    (void)state;
    static char text [4097], session_id [1025], event_id [129];
    memset (text, 'x', 4096);
    for (int session = 0; session < VIEWER_SESSIONS_MAX + 4; session++)
        for (int number = 0; number < 2 * SESSION_WINDOW_EVENTS; number++)
            take (event_huge (text, session, number, session_id, event_id));
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS_MAX);
    assert_true (viewer_store_bound (&viewer) > PROFILE_MAX);
    for (session_t *session; (session = viewer_shrink (&viewer, PROFILE_MAX));)
        viewer_fold (&viewer, session);
    assert_true (viewer.session_count > 0);
    uint8_t *data = memory_new (PROFILE_MAX, 1);
    size_t size = viewer_store (&viewer, data, PROFILE_MAX);
    assert_true (size > 0);
    viewer_t other;
    viewer_init (&other, viewer.id);
    assert_true (viewer_restore (&other, data, size));
    assert_int_equal (other.session_count, viewer.session_count);
    viewer_clear (&other);
    free (data);
}

//  Whatever was left is taken back; the windows' own rows follow, for the last of a key counts.
static void
test_rows_that_may_have_been_left_are_mended (void **state)
{
    (void)state;
    char rows [512];
    take (event_of ("s", "first", USHER_event_kind_play, 5));
    take (event_of ("s", "ping", USHER_event_kind_ping, 6));
    viewer_rows_forget (&viewer);
    size_t size = viewer_store_bound (&viewer);
    uint8_t *data = memory_new (size, 1), unsure [512];
    size = viewer_store (&viewer, data, size);
    viewer_t other;
    viewer_init (&other, viewer.id);
    assert_true (viewer_restore (&other, data, size));
    const char *const keys [] = { "2026-09-21T14:13:25.000Z", "2026-09-21T14:14:07.000Z" };
    size_t used = 0;
    for (size_t at = 0; at < 2; at++) {
        const usher_msg_t row = {
            .id = USHER_MSG_history,
            .history = { .viewer_id = viewer.id, .key_tstamp = usher_str (keys [at]), .remove = 1 }
        };
        used += usher_encode (&row, unsure + used, sizeof unsure - used);
    }
    viewer_clear (&viewer);
    viewer = other;
    viewer_mend (&viewer, usher_bytes (unsure, used), 1);
    rows_read (rows, sizeof rows);
    assert_string_equal (rows,
                         "-2026-09-21T14:13:25.000Z\n-2026-09-21T14:14:07.000Z\n+2026-09-21T14:13:25.000Z\n");
    free (data);
}

//  While the store is gone, rows that are written again and again do not pile up.
static void
test_rows_do_not_pile_up (void **state)
{
    (void)state;
    static char text [4097], session_id [1025], event_id [129];
    memset (text, 'x', 4096);
    for (int number = 0; number < 32; number++)
        take (event_huge (text, 0, number, session_id, event_id));
    for (int name = 0; name < 31; name++) {
        usher_event_t event = event_huge (text, 0, 32, session_id, event_id);
        snprintf (event_id, sizeof event_id, "name-%d", name);
        event.event_id = usher_str (event_id);
        event.kind = USHER_event_kind_ping;
        event.created_ms = event.collected_ms += (uint64_t)name;
        event.media_label.size -= (uint32_t)name;
        take (event);
    }
    assert_true (viewer.rows_used > 0 && viewer.rows_room < 1024 * 1024);
    //  Nothing is lost by it: the newest name is in each row.
    char first [192] = "";
    usher_frame_t frame;
    usher_msg_t msg;
    usher_str_t newest = { 0 };
    usher_records_open (&frame, viewer.rows, viewer.rows_used);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        if (first [0] == 0)
            snprintf (first, sizeof first, "%.*s", (int)msg.history.key_tstamp.size,
                      msg.history.key_tstamp.data);
        if (usher_str_eq (msg.history.key_tstamp, usher_str (first)))
            newest = msg.history.media_label;
    }
    assert_int_equal (newest.size, 4096 - 30);
}

//  An ordinary viewer with all sessions that there may be is left alone.
static void
test_ordinary_profiles_are_left_alone (void **state)
{
    (void)state;
    char event_id [64];
    for (int number = 0; number < VIEWER_SESSIONS; number++)
        for (int at = 0; at < SESSION_WINDOW_EVENTS; at++) {
            char session_id [64];
            snprintf (session_id, sizeof session_id, "5b6c1c3e-0000-4000-8000-0000000000%02d", number);
            snprintf (event_id, sizeof event_id, "5b6c1c3e-0000-4000-8000-00000000%02d%02d", number, at);
            usher_event_t event = event_of (session_id, event_id, USHER_event_kind_play, (uint64_t)at);
            event.media_label = usher_str ("A film with an ordinary name");
            event.has |= USHER_HAS_PLAYER;
            take (event);
        }
    assert_null (viewer_shrink (&viewer, PROFILE_MAX));
    assert_int_equal (viewer.session_count, VIEWER_SESSIONS);
    assert_int_equal (viewer.sessions [0].strip.count, SESSION_WINDOW_EVENTS);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test_setup_teardown (test_old_sessions_are_summed_up, setup, teardown),
        cmocka_unit_test_setup_teardown (test_new_sessions_stay, setup, teardown),
        cmocka_unit_test_setup_teardown (test_a_folded_session_is_not_counted_twice, setup, teardown),
        cmocka_unit_test_setup_teardown (test_sums_are_stored, setup, teardown),
        cmocka_unit_test_setup_teardown (test_the_earliest_copy_counts, setup, teardown),
        cmocka_unit_test_setup_teardown (test_a_long_label_names_a_session, setup, teardown),
        cmocka_unit_test_setup_teardown (test_a_profile_fits_whatever_comes, setup, teardown),
        cmocka_unit_test_setup_teardown (test_rows_that_may_have_been_left_are_mended, setup, teardown),
        cmocka_unit_test_setup_teardown (test_rows_do_not_pile_up, setup, teardown),
        cmocka_unit_test_setup_teardown (test_ordinary_profiles_are_left_alone, setup, teardown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
