//  test_door - what of a viewer's name gets past the ingester, with a key for pseudonyms and without

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ingester.h"
#include "keyed_digest.h"

#include <stdlib.h>
#include <string.h>

//  HMAC-SHA256 of "alice" under the key, as Python's hmac gives it.
#define KEY "a key of sixteen bytes or more"
#define ALICE "845008c5cbfaf29ebff12a2be2d88d9ce492d88d9d466f024515dd4b2fc338ed"

typedef struct {
    config_t config;
    ingester_t *ingester;
    outbox_t *out;
    char viewer_id [1025], reason [1025], payload [1025];    //  of the last event, of the last bad one
    uint32_t slot_shard;                                     //  where it went
    uint64_t offset;                                         //  of the next row
} door_t;

static void
copy (char *to, usher_str_t text)
{
    assert_true (text.size < 1025);
    memcpy (to, text.data, text.size);
    to [text.size] = 0;
}

static void
on_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    door_t *self = arg;
    usher_frame_t frame;
    usher_msg_t msg;
    (void)link;
    assert_int_equal (usher_frame_open (&frame, data, size), USHER_OK);
    while (usher_decode (&frame, &msg) == USHER_OK) {
        if (msg.id == USHER_MSG_event) {
            copy (self->viewer_id, msg.event.viewer_id);
            self->slot_shard = peer;
        }
        if (msg.id == USHER_MSG_quarantine) {
            copy (self->reason, msg.quarantine.reason);
            copy (self->payload, msg.quarantine.payload);
        }
    }
}

static void
door_open (door_t *self, char *key)
{
    *self = (door_t){ .config = { .shards = 2 } };
    self->config.privacy.pseudonym_key = key;
    self->config.ingester.in_flight_bytes = self->config.ingester.keep_bytes = 65536;
    self->out = outbox_new (on_send, self);
    self->ingester = ingester_new (&self->config, USHER_SOURCE_FILE, "file");
    char owners [USHER_SLOTS];
    for (size_t slot = 0; slot < sizeof owners; slot++)
        owners [slot] = (char)(slot % 2);
    usher_msg_t slots = { .id = USHER_MSG_slots, .slots = { 1, 2, usher_bytes (owners, sizeof owners) } };
    for (size_t row = 0; row < ingester_route_count; row++)
        if (ingester_routes [row].id == slots.id)
            ingester_routes [row].handler (self->ingester, 0, &slots, self->out);
    for (uint32_t shard = 0; shard < 2; shard++)
        ingester_peer_up (self->ingester, USHER_LINK_events, shard, "shard", self->out);
    ingester_peer_up (self->ingester, USHER_LINK_store, 0, "persister", self->out);
    ingester_begin (self->ingester, 0, 1, 0);
    self->offset = 0;
}

static void
take (door_t *self, const char *text, const char *refused)
{
    const source_row_t row = { .offset = self->offset,
                               .next = self->offset + 1,
                               .bad = refused != NULL,
                               .reason = refused ? refused : "",
                               .data = text,
                               .size = strlen (text) };
    self->offset++;
    ingester_take (self->ingester, &row, self->out);
    ingester_flush (self->ingester, (usher_time_t){ 1, 1 }, self->out);
    outbox_flush (self->out);
}

static void
door_close (door_t *self)
{
    ingester_destroy (&self->ingester);
    outbox_destroy (&self->out);
}

static const char event [] =
    "{\"collector_tstamp\":\"2026-01-01T00:00:00.000Z\",\"event_id\":\"e1\",\"event_name\":\"play_event\","
    "\"viewer_id\":\"alice\",\"adsClicked\":0,\"adsSkipped\":0,\"adId\":\"1\",\"video_ts\":0}";

static void
test_a_pseudonym_is_an_hmac_and_decides_the_shard (void **state)
{
    (void)state;
    door_t door;
    char key [] = KEY;
    door_open (&door, key);
    take (&door, event, NULL);
    assert_string_equal (door.viewer_id, ALICE);
    assert_true (keyed_digest_is_hex (usher_str (door.viewer_id)));
    assert_int_equal (door.slot_shard, usher_slot (usher_str (ALICE)) % 2);
    door_close (&door);
}

static void
test_a_bad_event_says_nothing_of_whose_it_is (void **state)
{
    (void)state;
    static const struct {
        const char *refused, *kept;
    } cases [] = {
        { "tracker_protocol_violations: networkUserId: not a UUID: \"alice\"",
          "tracker_protocol_violations" },
        { "tracker_protocol_violations: querystring: malformed percent-escape in alice",
          "tracker_protocol_violations" },
    };
    door_t door;
    char key [] = KEY;
    door_open (&door, key);
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        take (&door, "uid=alice", cases [at].refused);
        assert_string_equal (door.reason, cases [at].kept);
        assert_non_null (strstr (door.payload, "9 bytes, HMAC-SHA256 "));
        assert_null (strstr (door.payload, "alice"));
    }
    take (&door,
          "{\"collector_tstamp\":\"alice\",\"event_id\":\"e\",\"event_name\":\"play_event\",\"viewer_id\":"
          "\"alice\"}",
          NULL);
    assert_string_equal (door.reason, "collector_tstamp: not an instant");
    door_close (&door);
}

static void
test_without_a_key_everything_stays_what_it_is (void **state)
{
    (void)state;
    door_t door;
    char key [] = "";
    door_open (&door, key);
    take (&door, event, NULL);
    assert_string_equal (door.viewer_id, "alice");
    take (&door, "uid=alice", "adapter_failures: path: no adapter for alice");
    assert_string_equal (door.reason, "adapter_failures: path: no adapter for alice");
    assert_string_equal (door.payload, "uid=alice");
    door_close (&door);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_a_pseudonym_is_an_hmac_and_decides_the_shard),
        cmocka_unit_test (test_a_bad_event_says_nothing_of_whose_it_is),
        cmocka_unit_test (test_without_a_key_everything_stays_what_it_is),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
