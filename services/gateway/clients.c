//  clients - what each browser still has to be sent

#include "clients.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "hash_map.h"
#include "json.h"
#include "memory.h"
#include "ring.h"
#include "view.h"
#include "walk.h"

//  Viewers on a page of a snapshot.
#define PAGE_VIEWERS 250
//  Titles remembered of one viewer's change.
#define TITLES 16
#define STATS_MS 1000

//  A viewer that changed since the last batch.
typedef struct {
    uint32_t slot;
    char *viewer_id;
    uint32_t viewer_size;
    uint64_t titles [TITLES];
    size_t title_count;
} dirty_t;

struct client {
    client_kind_t kind;
    filter_t filter;
    uint64_t next;          //  number in the ring
    uint64_t stats_sent;    //  number of the stats
    bool greeted, in_snapshot, first_page;
    walk_t walk;
    int64_t waits_since_ms;    //  0: does not wait
};

struct clients {
    mirror_t *mirror;
    stats_t *stats;
    ring_t *ring;
    dirty_t *dirty;
    size_t dirty_count, dirty_room;
    hash_map_t dirty_index;    //  hash of a viewer to place plus 1
    int64_t batch_ms;
    uint64_t woken;    //  clients were told of the ring up to here
    size_t counts_by_kind [2];
    buffer_t stats_text;
    uint64_t stats_number;
    int64_t stats_ms;
    uint64_t messages_before;
    double messages_per_second;
    clients_counts_t counts;
};

//  ---- what the mirror tells

static void
dirty_titles (clients_t *self, dirty_t *dirty)
{
    const last_value_t *sessions = mirror_sessions (self->mirror);
    view_viewer_t viewer;
    if (!view_read (&viewer, sessions, dirty->slot, usher_bytes (dirty->viewer_id, dirty->viewer_size)))
        return;
    for (size_t at = 0; at < viewer.count; at++) {
        uint64_t title = walk_hash (viewer.sessions [at].media_label);
        size_t place = 0;
        while (place < dirty->title_count && dirty->titles [place] != title)
            place++;
        if (place == dirty->title_count && place < TITLES)
            dirty->titles [dirty->title_count++] = title;
    }
}

static void
dirty_mark (clients_t *self, uint32_t slot, usher_str_t viewer_id)
{
    uint64_t *place = hash_map_put (&self->dirty_index, walk_hash (viewer_id));
    if (*place)
        return;
    if (self->dirty_count == self->dirty_room) {
        self->dirty_room = self->dirty_room ? self->dirty_room * 2 : 64;
        self->dirty = memory_resize (self->dirty, self->dirty_room, sizeof *self->dirty);
    }
    dirty_t *dirty = &self->dirty [self->dirty_count++];
    *dirty = (dirty_t){ .slot = slot,
                        .viewer_id = memory_copy (viewer_id.data, viewer_id.size),
                        .viewer_size = viewer_id.size };
    *place = self->dirty_count;
    //  Who filters by the title that is left now must hear of it.
    dirty_titles (self, dirty);
}

static void
on_changing (void *arg, uint32_t slot, usher_str_t viewer_id)
{
    clients_t *self = arg;
    if (self->counts_by_kind [CLIENT_LIVE])
        dirty_mark (self, slot, viewer_id);
}

static void
on_announced (void *arg, const usher_announce_t *announce)
{
    clients_t *self = arg;
    self->counts.messages++;
    if (!self->counts_by_kind [CLIENT_LIVE] && !self->counts_by_kind [CLIENT_WS])
        return;
    buffer_t text = { 0 };
    view_write_announce (&text, announce);
    ring_add (self->ring, RING_MESSAGE, walk_hash (announce->viewer_id), NULL, 0, text.data, text.size);
    buffer_free (&text);
}

clients_t *
clients_new (void)
{
    clients_t *self = memory_new (1, sizeof *self);
    const mirror_events_t events = { on_changing, on_announced, self };
    self->mirror = mirror_new (&events);
    self->stats = stats_new ();
    self->ring = ring_new (CLIENTS_TEXTS, CLIENTS_BYTES);
    return self;
}

static void
dirty_clear (clients_t *self)
{
    for (size_t at = 0; at < self->dirty_count; at++)
        free (self->dirty [at].viewer_id);
    self->dirty_count = 0;
    hash_map_free (&self->dirty_index);
}

void
clients_destroy (clients_t **self_p)
{
    clients_t *self = *self_p;
    if (!self)
        return;
    dirty_clear (self);
    free (self->dirty);
    buffer_free (&self->stats_text);
    ring_destroy (&self->ring);
    stats_destroy (&self->stats);
    mirror_destroy (&self->mirror);
    free (self);
    *self_p = NULL;
}

mirror_t *
clients_mirror (clients_t *self)
{
    return self->mirror;
}

stats_t *
clients_stats (const clients_t *self)
{
    return self->stats;
}

//  ---- clients

//  Starts over: all that the client has is replaced.
static void
snapshot_begin (clients_t *self, client_t *client)
{
    client->next = ring_head (self->ring);
    client->in_snapshot = client->first_page = filter_has_viewers (&client->filter);
    client->walk = (walk_t){ 0 };
}

client_t *
clients_add (clients_t *self, client_kind_t kind)
{
    client_t *client = memory_new (1, sizeof *client);
    client->kind = kind;
    client->filter = filter_all ();
    client->next = ring_head (self->ring);
    if (kind == CLIENT_LIVE)
        snapshot_begin (self, client);
    self->counts_by_kind [kind]++;
    return client;
}

void
clients_remove (clients_t *self, client_t **client_p)
{
    if (!*client_p)
        return;
    self->counts_by_kind [(*client_p)->kind]--;
    free (*client_p);
    *client_p = NULL;
}

size_t
clients_count (const clients_t *self, client_kind_t kind)
{
    return self->counts_by_kind [kind];
}

void
clients_waits (client_t *client, int64_t mono_ms)
{
    if (!client->waits_since_ms)
        client->waits_since_ms = mono_ms;
}

void
clients_took (client_t *client)
{
    client->waits_since_ms = 0;
}

bool
clients_is_stuck (const client_t *client, int64_t mono_ms)
{
    return client->waits_since_ms && mono_ms - client->waits_since_ms >= CLIENTS_STUCK_MS;
}

//  ---- subscribing

const char *
clients_subscribe (clients_t *self, client_t *client, const char *text, size_t size)
{
    if (client->kind != CLIENT_LIVE)
        return NULL;    //  the reference's feed ignores what it is sent
    const char *wrong = filter_read (&client->filter, text, size);
    if (wrong)
        return wrong;
    snapshot_begin (self, client);
    return NULL;
}

static bool
wants (const client_t *client, const ring_item_t *item)
{
    if (!item->text)
        return false;
    if (client->kind == CLIENT_WS)
        return item->kind == RING_MESSAGE;
    if (item->kind == RING_MESSAGE)
        return client->filter.messages;
    return filter_wants (&client->filter, item->viewer, item->titles, item->title_count);
}

//  ---- batches

static void
begin (buffer_t *out, const char *type)
{
    json_open (out, '{');
    json_key (out, "type");
    json_word (out, type);
}

static void
write_place (const clients_t *self, buffer_t *out, uint32_t slot)
{
    json_key (out, "epoch");
    json_uint (out, mirror_epoch (self->mirror));
    json_key (out, "seq");
    json_uint (out, mirror_seq (self->mirror, slot));
    json_close (out, '}');
}

static void
batch_viewer (clients_t *self, dirty_t *dirty)
{
    usher_str_t viewer_id = usher_bytes (dirty->viewer_id, dirty->viewer_size);
    view_viewer_t viewer;
    buffer_t text = { 0 };
    dirty_titles (self, dirty);
    if (view_read (&viewer, mirror_sessions (self->mirror), dirty->slot, viewer_id)) {
        begin (&text, "viewer");
        json_key (&text, "viewer");
        view_write_viewer (&text, &viewer, mirror_slot_partial (self->mirror, dirty->slot));
    } else {
        begin (&text, "gone");
        json_key (&text, "viewer_id");
        json_text (&text, viewer_id);
    }
    write_place (self, &text, dirty->slot);
    ring_add (self->ring, RING_VIEWER, walk_hash (viewer_id), dirty->titles, dirty->title_count, text.data,
              text.size);
    self->counts.texts++;
    buffer_free (&text);
}

bool
clients_turn (clients_t *self, int64_t mono_ms)
{
    if (self->dirty_count && mono_ms - self->batch_ms >= 1000 / CLIENTS_BATCHES_PER_SECOND) {
        self->batch_ms = mono_ms;
        self->counts.batches++;
        for (size_t at = 0; at < self->dirty_count; at++)
            batch_viewer (self, &self->dirty [at]);
        dirty_clear (self);
    }
    bool news = ring_head (self->ring) > self->woken;
    self->woken = ring_head (self->ring);
    return news;
}

bool
clients_partial (const clients_t *self, int64_t mono_ms)
{
    return mirror_partial (self->mirror, mono_ms) || !stats_known (self->stats);
}

void
clients_write_stats (const clients_t *self, buffer_t *out, int64_t mono_ms, int64_t wall_ms)
{
    stats_write (self->stats, out, (uint64_t)wall_ms, self->messages_per_second,
                 clients_partial (self, mono_ms));
}

bool
clients_tick (clients_t *self, int64_t mono_ms, int64_t wall_ms)
{
    int64_t passed_ms = mono_ms - self->stats_ms;
    if (passed_ms < STATS_MS)
        return false;
    self->messages_per_second =
        (double)(self->counts.messages - self->messages_before) * 1000 / (double)passed_ms;
    if (!self->stats_ms)
        self->messages_per_second = 0;
    self->messages_before = self->counts.messages;
    self->stats_ms = mono_ms;
    self->stats_number++;
    buffer_clear (&self->stats_text, 65536);
    begin (&self->stats_text, "stats");
    json_key (&self->stats_text, "stats");
    clients_write_stats (self, &self->stats_text, mono_ms, wall_ms);
    json_close (&self->stats_text, '}');
    return self->counts_by_kind [CLIENT_LIVE] > 0;
}

//  ---- what comes next

typedef struct {
    const clients_t *self;
    const filter_t *filter;
    buffer_t *out;
} page_t;

static bool
page_viewer (void *arg, uint32_t slot, usher_str_t viewer_id)
{
    page_t *page = arg;
    const filter_t *filter = page->filter;
    uint64_t hash = walk_hash (viewer_id);
    if (!filter->title_count && !filter_wants (filter, hash, NULL, 0))
        return false;
    view_viewer_t viewer;
    uint64_t titles [VIEW_SESSIONS];
    view_read (&viewer, mirror_sessions (page->self->mirror), slot, viewer_id);
    for (size_t at = 0; at < viewer.count; at++)
        titles [at] = walk_hash (viewer.sessions [at].media_label);
    if (!filter_wants (filter, hash, titles, viewer.count))
        return false;
    view_write_viewer (page->out, &viewer, mirror_slot_partial (page->self->mirror, slot));
    return true;
}

static void
next_page (clients_t *self, client_t *client, buffer_t *out)
{
    begin (out, "snapshot");
    if (client->first_page) {
        json_key (out, "reset");
        json_bool (out, true);
    }
    json_key (out, "viewers");
    json_open (out, '[');
    page_t page = { self, &client->filter, out };
    walk_on (&client->walk, mirror_sessions (self->mirror), PAGE_VIEWERS, page_viewer, &page);
    json_close (out, ']');
    client->first_page = false;
    client->in_snapshot = client->walk.slot < USHER_SLOTS;
    json_key (out, "last");
    json_bool (out, !client->in_snapshot);
    json_close (out, '}');
}

static void
next_hello (clients_t *self, client_t *client, int64_t wall_ms, buffer_t *out)
{
    client->greeted = true;
    begin (out, "hello");
    json_key (out, "epoch");
    json_uint (out, mirror_epoch (self->mirror));
    json_key (out, "now");
    json_time (out, (uint64_t)wall_ms);
    json_close (out, '}');
}

//  The ring has run over the client.
static void
overrun (clients_t *self, client_t *client)
{
    if (client->kind == CLIENT_LIVE) {
        //  Pages of a snapshot that are sent already may be old by now, so it begins again too.
        self->counts.resets++;
        snapshot_begin (self, client);
        return;
    }
    self->counts.skipped += ring_tail (self->ring) - client->next;
    client->next = ring_tail (self->ring);
}

static void
write_item (const client_t *client, const ring_item_t *item, buffer_t *out)
{
    if (client->kind == CLIENT_WS || item->kind == RING_VIEWER) {
        buffer_add (out, item->text, item->size);
        return;
    }
    begin (out, "message");
    json_key (out, "message");
    json_raw (out, item->text, item->size);
    json_close (out, '}');
}

static bool
next_item (clients_t *self, client_t *client, buffer_t *out)
{
    while (client->next < ring_head (self->ring)) {
        const ring_item_t *item = ring_at (self->ring, client->next++);
        if (!wants (client, item))
            continue;
        write_item (client, item, out);
        return true;
    }
    return false;
}

static bool
wants_stats (const clients_t *self, const client_t *client)
{
    return client->kind == CLIENT_LIVE && client->filter.stats && client->stats_sent < self->stats_number;
}

static bool
next_live (clients_t *self, client_t *client, int64_t wall_ms, buffer_t *out)
{
    if (!client->greeted) {
        next_hello (self, client, wall_ms, out);
        return true;
    }
    if (wants_stats (self, client)) {
        client->stats_sent = self->stats_number;
        buffer_add (out, self->stats_text.data, self->stats_text.size);
        return true;
    }
    if (!client->in_snapshot)
        return false;
    next_page (self, client, out);
    return true;
}

bool
clients_next (clients_t *self, client_t *client, int64_t wall_ms, buffer_t *out)
{
    if (client->next < ring_tail (self->ring))
        overrun (self, client);
    if (client->kind == CLIENT_LIVE && next_live (self, client, wall_ms, out))
        return true;
    return next_item (self, client, out);
}

bool
clients_has_next (const clients_t *self, const client_t *client)
{
    if (client->kind == CLIENT_LIVE &&
        (!client->greeted || client->in_snapshot || wants_stats (self, client)))
        return true;
    return client->next < ring_head (self->ring);
}

const clients_counts_t *
clients_counts (const clients_t *self)
{
    return &self->counts;
}
