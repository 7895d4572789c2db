//  persister_bench - a persister on a real file, a peer that talks to it, and what it answered

#include "persister_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
take_frame (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    bench_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    assert_int_equal (link, USHER_LINK_store);
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK)
        parcel_put (&self->answers, peer, &msg);
}

static void
open_persister (bench_t *self)
{
    char why [512] = "";
    store_opening_t opening;
    self->persister = persister_new (self->directory, 7, 30, self->now, &opening, why, sizeof why);
    if (!self->persister)
        fail_msg ("%s", why);
}

void
bench_open (bench_t *self)
{
    *self = (bench_t){ .now = { .wall_ms = BENCH_NOW_S * 1000LL, .mono_ms = 1 } };
    strcpy (self->directory, "/tmp/usher-test-XXXXXX");
    assert_non_null (mkdtemp (self->directory));
    self->out = outbox_new (take_frame, self);
    open_persister (self);
}

void
bench_close (bench_t *self)
{
    static const char *const files [] = { "store.db", "store.db-wal", "store.db-shm", "store.db.lock",
                                          "store.db.unsure" };
    char path [128];
    persister_destroy (&self->persister);
    outbox_destroy (&self->out);
    parcel_close (&self->answers);
    for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
        snprintf (path, sizeof path, "%s/%s", self->directory, files [at]);
        unlink (path);
    }
    rmdir (self->directory);
}

void
bench_restart (bench_t *self)
{
    persister_destroy (&self->persister);
    open_persister (self);
}

void
bench_tell_as (bench_t *self, uint32_t peer, const usher_msg_t *msg)
{
    for (size_t at = 0; at < persister_service.route_count; at++)
        if (persister_service.routes [at].id == msg->id) {
            persister_service.routes [at].handler (self->persister, peer, msg, self->out);
            return;
        }
    fail_msg ("no route for message %d", msg->id);
}

void
bench_tell (bench_t *self, const usher_msg_t *msg)
{
    bench_tell_as (self, BENCH_PEER, msg);
}

void
bench_turn (bench_t *self)
{
    parcel_empty (&self->answers);
    self->next = 0;
    persister_service.turn (self->persister, self->now, self->out);
    outbox_flush (self->out);
}

usher_msg_t
bench_answer_to (bench_t *self, uint32_t peer, usher_msg_id_t id)
{
    usher_msg_t msg;
    uint32_t to;
    if (!parcel_next (&self->answers, &self->next, &to, &msg))
        fail_msg ("no answer where message %d was expected", id);
    assert_int_equal (msg.id, id);
    assert_int_equal (to, peer);
    return msg;
}

usher_msg_t
bench_answer (bench_t *self, usher_msg_id_t id)
{
    return bench_answer_to (self, BENCH_PEER, id);
}

void
bench_no_answer (bench_t *self)
{
    assert_int_equal (self->next, self->answers.used);
}

usher_msg_t
bench_write (const char *viewer, uint64_t old_epoch, uint64_t old_version, uint64_t epoch, uint64_t version)
{
    return (usher_msg_t){ .id = USHER_MSG_write,
                          .write = { .viewer_id = usher_str (viewer),
                                     .old_epoch = old_epoch,
                                     .old_version = old_version,
                                     .epoch = epoch,
                                     .version = version,
                                     .slot = usher_slot (usher_str (viewer)),
                                     .live = 1,
                                     .expires_s = BENCH_EXPIRES_S,
                                     .profile = usher_str ("a profile") } };
}

usher_msg_t
bench_history (const char *viewer, const char *key)
{
    return (usher_msg_t){ .id = USHER_MSG_history,
                          .history = { .viewer_id = usher_str (viewer),
                                       .key_tstamp = usher_str (key),
                                       .event_id = usher_str ("e1"),
                                       .kind = USHER_event_kind_ad_break_start,
                                       .video_s = 12.5,
                                       .ads_clicked = 1,
                                       .ads_skipped = 2,
                                       .ad_id = usher_str ("288"),
                                       .status = USHER_status_watching_ad,
                                       .state = USHER_state_ad_paused,
                                       .session_id = usher_str ("s1"),
                                       .media_label = usher_str ("Film"),
                                       .expires_s = BENCH_EXPIRES_S } };
}

usher_outcome_t
bench_outcome (bench_t *self, const usher_msg_t *write)
{
    bench_tell (self, write);
    bench_turn (self);
    usher_msg_t written = bench_answer (self, USHER_MSG_written);
    assert_true (usher_str_eq (written.written.viewer_id, write->write.viewer_id));
    assert_int_equal (written.written.epoch, write->write.epoch);
    assert_int_equal (written.written.version, write->write.version);
    bench_no_answer (self);
    return written.written.outcome;
}

usher_msg_t
bench_load (bench_t *self, const char *viewer)
{
    usher_msg_t load = { .id = USHER_MSG_load, .load = { .viewer_id = usher_str (viewer) } };
    bench_tell (self, &load);
    bench_turn (self);
    return bench_answer (self, USHER_MSG_loaded);
}

const char *
bench_history_keys (bench_t *self, const char *viewer)
{
    static char keys [65536];
    char *end = keys;
    usher_msg_t get = { .id = USHER_MSG_history_get,
                        .history_get = { .request = 9, .viewer_id = usher_str (viewer), .limit = 1000 } };
    bench_tell (self, &get);
    bench_turn (self);
    *end = 0;
    for (;;) {
        const usher_msg_t msg = bench_answer (self, USHER_MSG_history_row);
        if (msg.history_row.last)
            break;
        usher_str_t key = msg.history_row.key_tstamp;
        end += snprintf (end, sizeof keys - (size_t)(end - keys), "%.*s ", (int)key.size, key.data);
    }
    bench_no_answer (self);
    return keys;
}

int
bench_history_rows (bench_t *self, const char *viewer)
{
    int rows = 0;
    for (const char *blank = bench_history_keys (self, viewer); (blank = strchr (blank, ' ')); blank++)
        rows++;
    return rows;
}

void
bench_put_row (bench_t *self, const char *viewer, const char *key, uint64_t expires_s)
{
    const usher_msg_t loaded = bench_load (self, viewer);
    uint64_t epoch = loaded.loaded.epoch, version = loaded.loaded.version;
    usher_msg_t row = bench_history (viewer, key),
                write = bench_write (viewer, epoch, version, 1, version + 1);
    row.history.expires_s = write.write.expires_s = expires_s;
    bench_tell (self, &row);
    assert_int_equal (bench_outcome (self, &write), USHER_outcome_done);
}
