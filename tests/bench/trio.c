//  trio - an ingester core, a shard core and a publisher core in one process

#include "trio.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

static void
pile_up (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    core_t *self = arg;
    pile_t *pile = &self->sent [link];
    (void)peer;
    if (pile->room - pile->used < size + sizeof size) {
        pile->room = (pile->used + size + sizeof size) * 2;
        pile->data = memory_resize (pile->data, pile->room, 1);
    }
    memcpy (pile->data + pile->used, &size, sizeof size);
    memcpy (pile->data + pile->used + sizeof size, data, size);
    pile->used += size + sizeof size;
    self->bytes += size;
}

static void
publish (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    core_t *self = arg;
    (void)topic, (void)topic_size, (void)data;
    self->bytes += size;
}

static void
handle (core_t *to, usher_link_id_t link, const usher_msg_t *msg)
{
    for (size_t row = 0; row < to->route_count; row++)
        if (to->routes [row].id == msg->id && to->routes [row].link == link)
            to->routes [row].handler (to->state, 0, msg, to->out);
}

static void
lot_work (void *arg, const lot_t *lot)
{
    core_t *to = arg;
    to->lot (to->state, lot, to->out);
}

void
core_deliver (core_t *to, core_t *from, usher_link_id_t link)
{
    pile_t *pile = &from->sent [link];
    lot_t lot = { .count = 0 };
    for (size_t at = 0, size; at < pile->used; at += sizeof size + size) {
        memcpy (&size, pile->data + at, sizeof size);
        usher_frame_t frame;
        usher_msg_t msg;
        if (usher_frame_open (&frame, pile->data + at + sizeof size, size) != USHER_OK)
            abort ();
        if (to->lot)
            lot_take (&lot, 0, frame.next, (size_t)(frame.end - frame.next), lot_work, to);
        else
            while (usher_decode (&frame, &msg) == USHER_OK)
                handle (to, link, &msg);
    }
    if (to->lot)
        lot_flush (&lot, lot_work, to);
    pile->used = 0;
}

static void
answer (trio_t *self, const usher_msg_t *asked)
{
    usher_msg_t msg = { 0 };
    self->asked [asked->id]++;
    if (asked->id == USHER_MSG_claim)
        msg = (usher_msg_t){ .id = USHER_MSG_granted, .granted = { 1 } };
    else if (asked->id == USHER_MSG_load_live)
        msg = (usher_msg_t){ .id = USHER_MSG_live_page, .live_page = { .last = 1 } };
    else if (asked->id == USHER_MSG_load)
        msg = (usher_msg_t){ .id = USHER_MSG_loaded, .loaded = { .viewer_id = asked->load.viewer_id } };
    else if (asked->id == USHER_MSG_write)
        msg = (usher_msg_t){ .id = USHER_MSG_written,
                             .written = { asked->write.viewer_id, asked->write.epoch, asked->write.version,
                                          USHER_outcome_done,
                                          asked->write.row ? asked->write.row : ++self->rows } };
    else
        return;
    handle (&self->shard, USHER_LINK_store, &msg);
}

void
trio_store_answers (trio_t *self)
{
    core_t *shard = &self->shard;
    pile_t pile = shard->sent [USHER_LINK_store];
    shard->sent [USHER_LINK_store] = (pile_t){ 0 };
    for (size_t at = 0, size; at < pile.used; at += sizeof size + size) {
        memcpy (&size, pile.data + at, sizeof size);
        usher_frame_t frame;
        usher_msg_t msg;
        if (usher_frame_open (&frame, pile.data + at + sizeof size, size) != USHER_OK)
            abort ();
        while (usher_decode (&frame, &msg) == USHER_OK)
            answer (self, &msg);
    }
    free (pile.data);
    outbox_flush (shard->out);
}

static void
begin (trio_t *self, usher_time_t now)
{
    core_t *ingester = &self->ingester, *shard = &self->shard, *publisher = &self->publisher;
    static const char owners [USHER_SLOTS] = { 0 };
    usher_msg_t slots = { .id = USHER_MSG_slots, .slots = { 1, 1, usher_bytes (owners, USHER_SLOTS) } };
    handle (ingester, USHER_LINK_control, &slots);
    handle (shard, USHER_LINK_control, &slots);
    ingester_peer_up (ingester->state, USHER_LINK_events, 0, "shard-0", ingester->out);
    ingester_begin (ingester->state, 0, 1, 0);
    shard_peer_up (shard->state, USHER_LINK_events, 0, "ingester", shard->out);
    shard_peer_up (shard->state, USHER_LINK_store, 0, "persister", shard->out);
    shard_peer_up (shard->state, USHER_LINK_changes, 0, "publisher", shard->out);
    publisher_peer_up (publisher->state, USHER_LINK_changes, 0, "shard-0", publisher->out);
    for (int again = 0; again < 3; again++) {
        outbox_flush (shard->out);
        trio_store_answers (self);
        shard_turn (shard->state, now, shard->out);
    }
    if (!shard_ready (shard->state))
        abort ();
}

void
trio_open (trio_t *self, usher_time_t now)
{
    *self = (trio_t){ .config = config_load (NULL, "/nowhere") };
    self->config->shards = 1;
    self->ingester =
        (core_t){ .name = "ingester", .routes = ingester_routes, .route_count = ingester_route_count };
    self->shard = (core_t){
        .name = "shard", .routes = shard_routes, .route_count = shard_route_count, .lot = shard_events
    };
    self->publisher = (core_t){ .name = "publisher", .lot = publisher_changes };
    self->ingester.state = ingester_new (self->config, USHER_SOURCE_FILE, "bench");
    self->shard.state = shard_new (self->config, 0, now);
    self->publisher.state = publisher_new (1, publish, &self->publisher);
    self->ingester.out = outbox_new (pile_up, &self->ingester);
    self->shard.out = outbox_new (pile_up, &self->shard);
    self->publisher.out = outbox_new (pile_up, &self->publisher);
    begin (self, now);
}
