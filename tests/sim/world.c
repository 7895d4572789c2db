//  world - all service cores in one thread, on a seeded clock and network

#include "world.h"
#include "fake_topic.h"
#include "ingester.h"
#include "memory.h"
#include "persister.h"
#include "publisher.h"
#include "shard.h"
#include "slot_map.h"

#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 5, REBIRTH_STEPS = 400, FULL_STEPS = 3000, ROWS_PER_READ = 20, EDGES = 9, ROUTES_MAX = 16 };

#define GENERATION 77u

typedef struct {
    size_t size;
    uint8_t *data;
} frame_t;

//  Frames under way in one direction.
typedef struct {
    size_t count, room;
    frame_t *frames;
} queue_t;

//  An edge between a client and a binder. Peers are numbered as service.h says.
typedef struct {
    usher_link_id_t link;
    world_process_t client, binder;
    uint32_t client_peer;    //  how the client calls the binder
    uint32_t binder_peer;    //  how the binder calls the client
    bool up;
    queue_t to_binder, to_client;
} edge_t;

typedef struct {
    void *state;    //  NULL: dead
    service_spec_t spec;
    int rebirth;    //  steps until it is born again
    outbox_t *out;
} process_t;

//  Who wants an erasure. It outlives the gateway, as a person does.
typedef struct {
    char viewer_id [64];
    uint64_t request, erased_ms;
    bool up;
    int64_t again_ms;    //  mono; when to ask again after a refusal
} asker_t;

struct world {
    uint64_t random;
    usher_time_t now;
    asker_t asker;
    const world_row_t *rows;
    size_t row_count, row_next;
    bool begun, held;
    fake_topic_t *topic;    //  NULL: rows are a journal's
    bool faults;            //  of the step that is under way
    const char *directory;
    int deaths;
    int full_steps;    //  steps that the store's disk stays full
    fake_dynamo_t *dynamo;
    int trouble_steps;    //  steps that it works badly, or not at all
    process_t processes [WORLD_PROCESSES];
    size_t edge_count;
    edge_t edges [EDGES];
    world_process_t at_work;    //  whose outbox is being filled
    uint8_t owners [USHER_SLOTS];
    config_t config;
};

uint64_t
world_random (world_t *self, uint64_t below)
{
    //  splitmix64, from its author's public description.
    uint64_t z = self->random += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

void *
world_state (const world_t *self, world_process_t process)
{
    return self->processes [process].state;
}

const fake_dynamo_t *
world_dynamo (const world_t *self)
{
    return self->dynamo;
}

int
world_deaths (const world_t *self)
{
    return self->deaths;
}

//  ---- network

static void
queue_put (queue_t *queue, const void *data, size_t size)
{
    if (queue->count == queue->room) {
        queue->room = queue->room ? queue->room * 2 : 8;
        queue->frames = memory_resize (queue->frames, queue->room, sizeof *queue->frames);
    }
    queue->frames [queue->count++] = (frame_t){ size, memory_copy (data, size) };
}

static void
queue_clear (queue_t *queue)
{
    for (size_t at = 0; at < queue->count; at++)
        free (queue->frames [at].data);
    free (queue->frames);
    *queue = (queue_t){ 0 };
}

static void
on_send (void *arg, usher_link_id_t link, uint32_t peer, const void *data, size_t size)
{
    world_t *self = arg;
    for (size_t at = 0; at < self->edge_count; at++) {
        edge_t *edge = &self->edges [at];
        if (edge->link != link || !edge->up)
            continue;
        if (edge->client == self->at_work && edge->client_peer == peer)
            queue_put (&edge->to_binder, data, size);
        else if (edge->binder == self->at_work && edge->binder_peer == peer)
            queue_put (&edge->to_client, data, size);
    }
}

static void
handle (world_t *self, world_process_t which, usher_link_id_t link, uint32_t peer, const usher_msg_t *msg)
{
    process_t *process = &self->processes [which];
    for (size_t row = 0; row < process->spec.route_count; row++)
        if (process->spec.routes [row].id == msg->id && process->spec.routes [row].link == link)
            process->spec.routes [row].handler (process->state, peer, msg, process->out);
}

static outbox_t *
work_begin (world_t *self, world_process_t which)
{
    self->at_work = which;
    return self->processes [which].out;
}

static void
work_end (world_t *self, world_process_t which)
{
    outbox_flush (self->processes [which].out);
}

static void
handle_lot (void *arg, const lot_t *lot)
{
    process_t *process = arg;
    process->spec.lot (process->state, lot, process->out);
}

//  Delivers the oldest frame of a queue.
static void
deliver (world_t *self, queue_t *queue, world_process_t to, usher_link_id_t link, uint32_t peer)
{
    frame_t taken = queue->frames [0];
    memmove (queue->frames, queue->frames + 1, --queue->count * sizeof *queue->frames);
    usher_frame_t frame;
    usher_msg_t msg;
    work_begin (self, to);
    usher_error_t error = usher_frame_open (&frame, taken.data, taken.size);
    process_t *process = &self->processes [to];
    if (!error && process->spec.lot && process->spec.lot_link == link) {
        lot_t lot = { .count = 0 };
        lot_take (&lot, peer, frame.next, (size_t)(frame.end - frame.next), handle_lot, process);
        lot_flush (&lot, handle_lot, process);
    } else
        while (!error && (error = usher_decode (&frame, &msg)) == USHER_OK)
            handle (self, to, link, peer, &msg);
    work_end (self, to);
    free (taken.data);
}

static void
edge_up (world_t *self, edge_t *edge)
{
    process_t *client = &self->processes [edge->client], *binder = &self->processes [edge->binder];
    edge->up = true;
    work_begin (self, edge->client);
    client->spec.peer_up (client->state, edge->link, edge->client_peer, "binder", client->out);
    work_end (self, edge->client);
    work_begin (self, edge->binder);
    if (binder->spec.peer_up)
        binder->spec.peer_up (binder->state, edge->link, edge->binder_peer, "client", binder->out);
    work_end (self, edge->binder);
}

static void
edge_step (world_t *self, edge_t *edge)
{
    if (!self->processes [edge->client].state || !self->processes [edge->binder].state)
        return;
    if (!edge->up)
        edge_up (self, edge);
    else if (edge->to_binder.count && world_random (self, 2))
        deliver (self, &edge->to_binder, edge->binder, edge->link, edge->binder_peer);
    else if (edge->to_client.count)
        deliver (self, &edge->to_client, edge->client, edge->link, edge->client_peer);
}

//  ---- who asks for erasures

static void
erase_ask (asker_t *asker, outbox_t *out)
{
    usher_msg_t msg = { .id = USHER_MSG_erase, .erase = { asker->request, usher_str (asker->viewer_id) } };
    if (asker->up && asker->request && !asker->erased_ms)
        outbox_put (out, USHER_LINK_store, 0, &msg);
}

static void
asker_peer_up (void *arg, usher_link_id_t link, uint32_t peer, const char *name, outbox_t *out)
{
    asker_t *asker = arg;
    (void)link, (void)peer, (void)name;
    asker->up = true;
    asker->again_ms = 0;
    erase_ask (asker, out);
}

static void
asker_tick (void *arg, usher_time_t now, outbox_t *out)
{
    asker_t *asker = arg;
    if (!asker->again_ms || now.mono_ms < asker->again_ms)
        return;
    asker->again_ms = 0;
    erase_ask (asker, out);
}

static void
on_erasure (void *arg, uint32_t peer, const usher_msg_t *msg, outbox_t *out)
{
    asker_t *asker = arg;
    (void)peer, (void)out;
    if (msg->erasure.request != asker->request)
        return;
    if (msg->erasure.outcome != USHER_outcome_done)
        asker->again_ms = 1;
    else if (msg->erasure.erased_ms)
        asker->erased_ms = msg->erasure.erased_ms;
}

void
world_erase (world_t *self, const char *viewer_id)
{
    asker_t *asker = &self->asker;
    snprintf (asker->viewer_id, sizeof asker->viewer_id, "%s", viewer_id);
    asker->request++;
    asker->erased_ms = 0;
    asker->again_ms = 1;
}

uint64_t
world_erased_ms (const world_t *self)
{
    return self->asker.erased_ms;
}

//  ---- processes

static void
publish_nothing (void *arg, const void *topic, size_t topic_size, const void *data, size_t size)
{
    (void)arg, (void)topic, (void)topic_size, (void)data, (void)size;
}

static void
give_slots (world_t *self, world_process_t which)
{
    usher_msg_t msg = { .id = USHER_MSG_slots };
    msg.slots = (usher_slots_t){ 1, WORLD_SHARDS, usher_bytes (self->owners, USHER_SLOTS) };
    work_begin (self, which);
    handle (self, which, USHER_LINK_control, 0, &msg);
    work_end (self, which);
}

static void
use_dynamo (world_t *self, persister_t *persister)
{
    const dynamo_options_t options = fake_dynamo_options (self->random);
    const dynamo_port_t port = fake_dynamo_port (self->dynamo);
    persister_use_dynamo (persister, &options, &port);
}

static void
birth (world_t *self, world_process_t which)
{
    process_t *process = &self->processes [which];
    store_opening_t opening;
    char why [512];
    switch (which) {
    case WORLD_PERSISTER:
        self->full_steps = 0;
        process->state = persister_new (self->directory, 7, 30, self->now, &opening, why, sizeof why);
        if (process->state && self->dynamo)
            use_dynamo (self, process->state);
        break;
    case WORLD_PUBLISHER:
        process->state = publisher_new ((uint64_t)self->now.wall_ms, publish_nothing, self);
        break;
    case WORLD_SHARD_0:
    case WORLD_SHARD_1:
        process->state = shard_new (&self->config, which - WORLD_SHARD_0, self->now);
        break;
    case WORLD_GATEWAY:
        self->asker.up = false;
        process->state = &self->asker;
        break;
    default:
        process->state =
            ingester_new (&self->config, self->topic ? USHER_SOURCE_KAFKA : USHER_SOURCE_JOURNAL, "source");
        self->begun = false;
        if (self->topic)
            fake_topic_join (self->topic, process->state);
        break;
    }
    if (!process->state)
        abort ();
    give_slots (self, which);
}

static void
state_destroy (world_process_t which, void **state)
{
    switch (which) {
    case WORLD_PERSISTER:
        persister_destroy ((persister_t **)state);
        break;
    case WORLD_PUBLISHER:
        publisher_destroy (state);
        break;
    case WORLD_SHARD_0:
    case WORLD_SHARD_1:
        shard_destroy ((shard_t **)state);
        break;
    case WORLD_GATEWAY:
        *state = NULL;
        break;
    default:
        ingester_destroy ((ingester_t **)state);
        break;
    }
}

void
world_kill (world_t *self, world_process_t which)
{
    process_t *process = &self->processes [which];
    if (!process->state)
        return;
    self->deaths++;
    process->rebirth = 1 + (int)world_random (self, REBIRTH_STEPS);
    state_destroy (which, &process->state);
    for (size_t at = 0; at < self->edge_count; at++) {
        edge_t *edge = &self->edges [at];
        if (edge->client != which && edge->binder != which)
            continue;
        //  Only a binder is told that a client is gone.
        process_t *binder = &self->processes [edge->binder];
        if (edge->up && edge->client == which && binder->state && binder->spec.peer_down)
            binder->spec.peer_down (binder->state, edge->link, edge->binder_peer);
        edge->up = false;
        queue_clear (&edge->to_binder);
        queue_clear (&edge->to_client);
    }
}

void
world_lose_store (world_t *self, int steps)
{
    world_kill (self, WORLD_PERSISTER);
    self->processes [WORLD_PERSISTER].rebirth = steps;
}

void
world_hold (world_t *self, bool held)
{
    self->held = held;
}

void
world_be_small (world_t *self, uint64_t unwritten_bytes, uint32_t in_flight_bytes)
{
    self->config.shard.unwritten_bytes = unwritten_bytes;
    self->config.ingester.in_flight_bytes = in_flight_bytes;
}

//  ---- the ingester's shell, over rows in memory

static void
journal_read (world_t *self, ingester_t *ingester, outbox_t *out)
{
    uint64_t generation, next;
    if (!self->begun && ingester_knows_position (ingester, &generation, &next)) {
        self->row_next = generation ? next : 0;
        ingester_begin (ingester, 0, GENERATION, self->row_next);
        self->begun = true;
    }
    for (int taken = 0;
         taken < ROWS_PER_READ && self->row_next < self->row_count && ingester_wants (ingester); taken++) {
        const world_row_t *row = &self->rows [self->row_next];
        if (row->from_ms > self->now.wall_ms)
            break;
        source_row_t read = { .offset = self->row_next,
                              .next = self->row_next + 1,
                              .reason = "",
                              .data = row->data,
                              .size = row->size };
        self->row_next++;
        ingester_take (ingester, &read, out);
    }
}

static void
ingester_read (world_t *self)
{
    if (self->held)
        return;
    ingester_t *ingester = self->processes [WORLD_INGESTER].state;
    outbox_t *out = work_begin (self, WORLD_INGESTER);
    ingester_see_time (ingester, self->now);
    if (self->topic)
        fake_topic_turn (self->topic, self, self->now.wall_ms, out, self->faults);
    else
        journal_read (self, ingester, out);
    ingester_flush (ingester, self->now, out);
    work_end (self, WORLD_INGESTER);
}

static void
process_step (world_t *self, world_process_t which)
{
    process_t *process = &self->processes [which];
    if (!process->state) {
        if (--process->rebirth <= 0)
            birth (self, which);
        return;
    }
    if (which == WORLD_INGESTER) {
        ingester_read (self);
        if (ingester_must_rewind (process->state)) {
            world_kill (self, which);
            return;
        }
    }
    outbox_t *out = work_begin (self, which);
    if (process->spec.turn)
        process->spec.turn (process->state, self->now, out);
    if (process->spec.tick)
        process->spec.tick (process->state, self->now, out);
    work_end (self, which);
}

//  A full disk lets nothing grow for a while: the file may not have more pages than it has.
static void
disk_step (world_t *self, bool faults)
{
    persister_t *persister = self->processes [WORLD_PERSISTER].state;
    if (!persister)
        return;
    if (faults && self->full_steps == 0 && world_random (self, 3000) == 0) {
        self->full_steps = 1 + (int)world_random (self, FULL_STEPS);
        store_limit_pages (persister_store (persister), 1);
    } else if (self->full_steps && --self->full_steps == 0)
        store_limit_pages (persister_store (persister), 0);
}

//  A DynamoDB that has trouble loses, throttles, and answers half; now and then it is gone altogether.
static void
dynamo_step (world_t *self, bool faults)
{
    if (!self->dynamo)
        return;
    if (faults && self->trouble_steps == 0 && world_random (self, 2000) == 0) {
        self->trouble_steps = 1 + (int)world_random (self, FULL_STEPS);
        fake_dynamo_trouble (self->dynamo, world_random (self, 4) ? 30 : 101);
    } else if (self->trouble_steps && --self->trouble_steps == 0)
        fake_dynamo_trouble (self->dynamo, 0);
}

void
world_step (world_t *self, unsigned mortals)
{
    self->now.wall_ms += STEP_MS;
    self->now.mono_ms += STEP_MS;
    self->faults = mortals > 0;
    disk_step (self, mortals);
    dynamo_step (self, mortals);
    if (world_random (self, 3) == 0)
        process_step (self, (world_process_t)world_random (self, WORLD_PROCESSES));
    else
        edge_step (self, &self->edges [world_random (self, self->edge_count)]);
    if (mortals && world_random (self, 700) == 0)
        world_kill (self, (world_process_t)world_random (self, mortals));
}

bool
world_is_still (const world_t *self)
{
    for (size_t at = 0; at < WORLD_PROCESSES; at++)
        if (!self->processes [at].state)
            return false;
    for (size_t at = 0; at < self->edge_count; at++)
        if (!self->edges [at].up)
            return false;
    //  A shard that is still loading who is live, which takes a while of DynamoDB, has not told the publisher.
    for (world_process_t which = WORLD_SHARD_0; self->dynamo && which <= WORLD_SHARD_1; which++)
        if (!shard_ready (self->processes [which].state))
            return false;
    bool read =
        self->topic ? fake_topic_at_end (self->topic) : self->begun && self->row_next == self->row_count;
    return read && ingester_idle (self->processes [WORLD_INGESTER].state);
}

//  ---- the world

static void
specs_set (world_t *self)
{
    static const service_route_t publisher_routes [] = {
        { USHER_LINK_snapshots, USHER_MSG_snapshot_request, publisher_snapshot_request },
        { USHER_LINK_store, USHER_MSG_aggregate_kept, publisher_aggregate_kept },
    };
    const service_spec_t shard = { .routes = shard_routes,
                                   .route_count = shard_route_count,
                                   .lot_link = USHER_LINK_events,
                                   .lot = shard_events,
                                   .peer_up = shard_peer_up,
                                   .peer_down = shard_peer_down,
                                   .turn = shard_turn,
                                   .tick = shard_tick };
    self->processes [WORLD_PERSISTER].spec = persister_service;
    self->processes [WORLD_SHARD_0].spec = self->processes [WORLD_SHARD_1].spec = shard;
    self->processes [WORLD_PUBLISHER].spec =
        (service_spec_t){ .routes = publisher_routes,
                          .route_count = sizeof publisher_routes / sizeof *publisher_routes,
                          .lot_link = USHER_LINK_changes,
                          .lot = publisher_changes,
                          .peer_up = publisher_peer_up,
                          .peer_down = publisher_peer_down,
                          .turn = publisher_turn,
                          .tick = publisher_tick };
    self->processes [WORLD_INGESTER].spec = (service_spec_t){ .routes = ingester_routes,
                                                              .route_count = ingester_route_count,
                                                              .peer_up = ingester_peer_up,
                                                              .tick = ingester_tick };
    static const service_route_t asker_routes [] = { { USHER_LINK_store, USHER_MSG_erasure, on_erasure } };
    self->processes [WORLD_GATEWAY].spec = (service_spec_t){
        .routes = asker_routes, .route_count = 1, .peer_up = asker_peer_up, .tick = asker_tick
    };
}

static void
edge_add (world_t *self, usher_link_id_t link, world_process_t client, world_process_t binder,
          uint32_t client_peer, uint32_t binder_peer)
{
    self->edges [self->edge_count++] =
        (edge_t){ link, client, binder, client_peer, binder_peer, false, { 0 }, { 0 } };
}

static uint64_t
draw (void *arg, uint64_t below)
{
    return world_random (arg, below);
}

world_t *
world_new (uint64_t seed, const world_row_t *rows, size_t row_count, const char *directory, int64_t start_ms,
           bool dynamo)
{
    world_t *self = memory_new (1, sizeof *self);
    self->random = seed;
    self->rows = rows;
    self->row_count = row_count;
    self->directory = directory;
    self->topic = seed % 2 ? fake_topic_new (rows, row_count) : NULL;
    self->now = (usher_time_t){ start_ms, 1000000 };
    self->config = (config_t){ .shards = WORLD_SHARDS };
    self->config.ingester.in_flight_bytes = 65536;
    self->config.ingester.keep_bytes = (uint32_t)world_random (self, 20000);
    self->config.shard.checkpoint_s = 300;
    self->config.shard.forget_s = 3600;
    self->config.shard.paused_timeout_s = 1800;
    self->config.shard.feed_soft_s = 10;
    self->config.shard.awake_viewers = 1;    //  all others sleep whenever they can
    self->config.shard.unwritten_bytes = UINT64_MAX;
    self->config.store.expire_days = 7;
    if (dynamo)
        self->dynamo = fake_dynamo_new (draw, self);
    slot_map_fill (self->owners, WORLD_SHARDS);
    specs_set (self);
    for (uint32_t number = 0; number < WORLD_SHARDS; number++) {
        edge_add (self, USHER_LINK_events, WORLD_INGESTER, WORLD_SHARD_0 + number, number, 0);
        edge_add (self, USHER_LINK_store, WORLD_SHARD_0 + number, WORLD_PERSISTER, 0, number);
        edge_add (self, USHER_LINK_changes, WORLD_SHARD_0 + number, WORLD_PUBLISHER, 0, number);
    }
    edge_add (self, USHER_LINK_store, WORLD_INGESTER, WORLD_PERSISTER, 0, WORLD_SHARDS);
    edge_add (self, USHER_LINK_store, WORLD_GATEWAY, WORLD_PERSISTER, 0, WORLD_SHARDS + 1);
    edge_add (self, USHER_LINK_store, WORLD_PUBLISHER, WORLD_PERSISTER, 0, WORLD_SHARDS + 2);
    for (world_process_t which = 0; which < WORLD_PROCESSES; which++) {
        self->processes [which].out = outbox_new (on_send, self);
        birth (self, which);
    }
    return self;
}

void
world_destroy (world_t **self_p)
{
    world_t *self = *self_p;
    for (world_process_t which = 0; which < WORLD_PROCESSES; which++) {
        world_kill (self, which);
        outbox_destroy (&self->processes [which].out);
    }
    fake_topic_destroy (&self->topic);
    if (self->dynamo)
        fake_dynamo_destroy (&self->dynamo);
    free (self);
    *self_p = NULL;
}
