//  mirror - the publisher's picture, kept exact over a feed that may lose frames

#include "mirror.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

//  Held for a doubtful slot; beyond it all of them go, and the snapshot that follows is asked for again.
#define HELD_FRAMES 256
#define HELD_BYTES (1 << 20)
//  Held in all.
#define HELD_TOTAL_BYTES (64 << 20)
//  A request without an answer for so long is made again.
#define REQUEST_MS 5000
//  The publisher speaks each second.
#define SILENT_MS 3500

#define NO_SLOT (-1)

typedef struct {
    uint64_t seq;
    uint8_t *data;
    size_t size;
} held_t;

typedef struct {
    uint64_t seq;    //  applied so far
    bool based;      //  what is held is exactly number seq
    bool synced;     //  and no later number is known to be missing
    held_t *held;    //  by number
    size_t held_count, held_bytes;
} slot_t;

struct mirror {
    mirror_events_t events;
    last_value_t *sessions;
    uint64_t epoch;
    slot_t slots [USHER_SLOTS];
    size_t held_bytes;
    uint8_t filling [USHER_SLOTS / 8];
    int64_t tide_ms;    //  mono; 0 none yet
    uint64_t request;
    bool asking;
    int64_t progress_ms;
    uint8_t asked [USHER_SLOTS / 8];
    int open;    //  slot whose snapshot is being read
    uint64_t open_seq;
    mirror_counts_t counts;
    lot_t lot;        //  of frames in step; their numbers count as applied
    bool settling;    //  it is being worked
};

mirror_t *
mirror_new (const mirror_events_t *events)
{
    mirror_t *self = memory_new (1, sizeof *self);
    self->events = *events;
    self->sessions = last_value_new ();
    self->open = NO_SLOT;
    memset (self->filling, 0xff, sizeof self->filling);
    return self;
}

//  ---- frames held for later

static void
held_drop (mirror_t *self, slot_t *slot, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        slot->held_bytes -= slot->held [at].size;
        self->held_bytes -= slot->held [at].size;
        free (slot->held [at].data);
    }
    slot->held_count -= count;
    if (slot->held_count)
        memmove (slot->held, slot->held + count, slot->held_count * sizeof *slot->held);
    else {
        free (slot->held);
        slot->held = NULL;
    }
}

//  Where a number belongs among the held; frames mostly come in order, so it is looked for from behind.
static size_t
held_place (const slot_t *slot, uint64_t seq)
{
    size_t at = slot->held_count;
    while (at && slot->held [at - 1].seq >= seq)
        at--;
    return at;
}

static void
held_add (mirror_t *self, slot_t *slot, uint64_t seq, const void *data, size_t size)
{
    size_t at = held_place (slot, seq);
    if (at < slot->held_count && slot->held [at].seq == seq) {
        self->counts.duplicates++;
        return;
    }
    if (slot->held_count == HELD_FRAMES || slot->held_bytes + size > HELD_BYTES ||
        self->held_bytes + size > HELD_TOTAL_BYTES) {
        held_drop (self, slot, slot->held_count);
        self->counts.overflows++;
        return;
    }
    if (!slot->held)
        slot->held = memory_new (HELD_FRAMES, sizeof *slot->held);
    memmove (slot->held + at + 1, slot->held + at, (slot->held_count - at) * sizeof *slot->held);
    slot->held [at] = (held_t){ seq, memory_copy (data, size), size };
    slot->held_count++;
    slot->held_bytes += size;
    self->held_bytes += size;
}

void
mirror_destroy (mirror_t **self_p)
{
    mirror_t *self = *self_p;
    if (!self)
        return;
    for (size_t slot = 0; slot < USHER_SLOTS; slot++)
        held_drop (self, &self->slots [slot], self->slots [slot].held_count);
    last_value_destroy (&self->sessions);
    free (self);
    *self_p = NULL;
}

//  ---- the picture

static bool
is_held (const mirror_t *self, const usher_session_t *session, size_t place)
{
    if (place == LAST_VALUE_NONE)
        return false;
    const last_value_entry_t *held = last_value_at (self->sessions, session->slot, place);
    return last_value_epoch (held) == session->epoch && held->version == session->version;
}

static void
put (mirror_t *self, const usher_session_t *session)
{
    size_t place = last_value_find (self->sessions, session->slot, session->viewer_id, session->session_id);
    if (session->gone && place == LAST_VALUE_NONE)
        return;
    //  A session that is as it was is only marked as still there.
    if (!session->gone && is_held (self, session, place)) {
        last_value_mark (self->sessions, session->slot, place);
        return;
    }
    if (self->events.changing)
        self->events.changing (self->events.arg, session->slot, session->viewer_id);
    last_value_put (self->sessions, place, session);
}

//  tags are the slots of the frames.
static void
work (void *arg, const lot_t *lot)
{
    mirror_t *self = arg;
    last_value_expect (self->sessions, lot);
    for (size_t at = 0; at < lot->count; at++) {
        const usher_msg_t *msg = &lot->messages [at];
        if (msg->id == USHER_MSG_session && msg->session.slot == lot->tags [at])
            put (self, &msg->session);
        else if (msg->id == USHER_MSG_announce && self->events.announced)
            self->events.announced (self->events.arg, &msg->announce);
    }
}

void
mirror_settle (mirror_t *self)
{
    //  Who is told of a change may ask for the sessions: they are as they were then.
    if (self->settling)
        return;
    self->settling = true;
    lot_flush (&self->lot, work, self);
    self->settling = false;
}

//  Applies the messages behind the head of a frame.
static void
apply (mirror_t *self, uint32_t slot, const void *data, size_t size)
{
    self->settling = true;
    lot_take (&self->lot, slot, data, size, work, self);
    self->settling = false;
    self->slots [slot].seq++;
}

//  Applies what is held as far as the numbers go on; then the slot is in step again, or still lacks one.
static void
catch_up (mirror_t *self, uint32_t at)
{
    slot_t *slot = &self->slots [at];
    size_t done = 0;
    while (done < slot->held_count && slot->held [done].seq <= slot->seq + 1) {
        if (slot->held [done].seq == slot->seq + 1)
            apply (self, at, slot->held [done].data, slot->held [done].size);
        done++;
    }
    held_drop (self, slot, done);
    slot->synced = slot->held_count == 0;
}

//  A publisher that started anew: nothing that is known holds until it says so.
static bool
epoch_check (mirror_t *self, uint64_t epoch)
{
    if (epoch <= self->epoch)
        return epoch == self->epoch;
    mirror_settle (self);
    self->epoch = epoch;
    self->asking = false;
    self->open = NO_SLOT;
    for (size_t at = 0; at < USHER_SLOTS; at++) {
        slot_t *slot = &self->slots [at];
        held_drop (self, slot, slot->held_count);
        slot->seq = 0;
        slot->based = slot->synced = false;
    }
    return true;
}

//  ---- the feed

static void
on_numbered (mirror_t *self, const usher_numbered_t *head, const void *data, size_t size)
{
    slot_t *slot = &self->slots [head->slot];
    if (!epoch_check (self, head->epoch) || (slot->based && head->seq <= slot->seq)) {
        self->counts.duplicates++;
        return;
    }
    if (slot->synced && head->seq == slot->seq + 1) {
        apply (self, head->slot, data, size);
        return;
    }
    if (slot->synced)
        self->counts.gaps++;
    slot->synced = false;
    held_add (self, slot, head->seq, data, size);
    if (slot->based && slot->held_count)
        catch_up (self, head->slot);
}

static uint64_t
number_at (const char *data)
{
    uint64_t number = 0;
    for (size_t byte = 8; byte > 0; byte--)
        number = number << 8 | (uint8_t)data [byte - 1];
    return number;
}

static void
on_tide (mirror_t *self, const usher_tide_t *tide, int64_t mono_ms)
{
    if (tide->seqs.size != USHER_SLOTS * 8 || tide->filling.size != sizeof self->filling ||
        !epoch_check (self, tide->epoch))
        return;
    self->tide_ms = mono_ms;
    memcpy (self->filling, tide->filling.data, sizeof self->filling);
    for (size_t at = 0; at < USHER_SLOTS; at++)
        if (self->slots [at].synced && number_at (tide->seqs.data + at * 8) > self->slots [at].seq) {
            self->slots [at].synced = false;
            self->counts.gaps++;
        }
}

bool
mirror_frame (mirror_t *self, const void *data, size_t size, int64_t mono_ms)
{
    usher_frame_t frame;
    usher_msg_t msg;
    if (usher_frame_open (&frame, data, size) || usher_decode (&frame, &msg))
        return false;
    self->counts.frames++;
    if (msg.id == USHER_MSG_numbered)
        on_numbered (self, &msg.numbered, frame.next, (size_t)(frame.end - frame.next));
    else if (msg.id == USHER_MSG_tide)
        on_tide (self, &msg.tide, mono_ms);
    return msg.id == USHER_MSG_numbered || msg.id == USHER_MSG_tide;
}

//  ---- snapshots

//  The slot was read to its end: what it did not name is gone.
static void
snapshot_close (mirror_t *self)
{
    if (self->open == NO_SLOT)
        return;
    uint32_t slot = (uint32_t)self->open;
    size_t at = 0;
    while (at < last_value_places (self->sessions, slot)) {
        const last_value_entry_t *entry = last_value_at (self->sessions, slot, at);
        if (!entry || entry->marked) {
            at++;
            continue;
        }
        char viewer [1024];
        usher_str_t viewer_id = usher_bytes (viewer, entry->viewer_size);
        memcpy (viewer, last_value_viewer (entry).data, entry->viewer_size);
        if (self->events.changing)
            self->events.changing (self->events.arg, slot, viewer_id);
        last_value_remove (self->sessions, slot, at);
    }
    self->open = NO_SLOT;
    self->slots [slot].seq = self->open_seq;
    self->slots [slot].based = true;
    catch_up (self, slot);
}

static void
snapshot_open (mirror_t *self, const usher_snapshot_slot_t *head)
{
    slot_t *slot = &self->slots [head->slot];
    if (slot->based && slot->seq >= head->seq) {
        //  The feed was faster: what we have is as new, and nothing was missing up to here.
        catch_up (self, head->slot);
        return;
    }
    slot->based = slot->synced = false;
    self->open = (int)head->slot;
    self->open_seq = head->seq;
    last_value_unmark (self->sessions, head->slot);
}

void
mirror_snapshot_slot (mirror_t *self, const usher_snapshot_slot_t *head, int64_t mono_ms)
{
    if (!self->asking || head->request != self->request)
        return;
    mirror_settle (self);
    snapshot_close (self);
    self->progress_ms = mono_ms;
    //  The first page of a new publisher may come before its feed does.
    if (head->epoch > self->epoch) {
        epoch_check (self, head->epoch);
        self->asking = true;
    }
    if (head->last)
        self->asking = false;
    else if (head->epoch == self->epoch)
        snapshot_open (self, head);
}

void
mirror_session (mirror_t *self, const usher_session_t *session)
{
    mirror_settle (self);
    if (self->open == (int)session->slot && !session->gone)
        put (self, session);
}

void
mirror_publisher_up (mirror_t *self)
{
    self->asking = false;
    self->open = NO_SLOT;
    for (size_t at = 0; at < USHER_SLOTS; at++)
        self->slots [at].synced = false;
}

bool
mirror_wants (mirror_t *self, int64_t mono_ms, usher_msg_t *msg)
{
    if ((self->asking && mono_ms - self->progress_ms < REQUEST_MS) || mirror_complete (self))
        return false;
    memset (self->asked, 0, sizeof self->asked);
    for (size_t at = 0; at < USHER_SLOTS; at++)
        if (!self->slots [at].synced)
            self->asked [at / 8] |= (uint8_t)(1u << at % 8);
    self->open = NO_SLOT;
    self->asking = true;
    self->progress_ms = mono_ms;
    self->counts.requests++;
    *msg = (usher_msg_t){ .id = USHER_MSG_snapshot_request,
                          .snapshot_request = { ++self->request,
                                                usher_bytes (self->asked, sizeof self->asked) } };
    return true;
}

//  ---- questions

size_t
mirror_doubtful (const mirror_t *self)
{
    size_t count = 0;
    for (size_t at = 0; at < USHER_SLOTS; at++)
        count += !self->slots [at].synced;
    return count;
}

bool
mirror_complete (const mirror_t *self)
{
    return self->epoch && mirror_doubtful (self) == 0;
}

bool
mirror_slot_partial (const mirror_t *self, uint32_t slot)
{
    return !self->slots [slot].synced || (self->filling [slot / 8] >> slot % 8 & 1);
}

bool
mirror_partial (const mirror_t *self, int64_t mono_ms)
{
    if (!self->tide_ms || mono_ms - self->tide_ms > SILENT_MS)
        return true;
    for (uint32_t slot = 0; slot < USHER_SLOTS; slot++)
        if (mirror_slot_partial (self, slot))
            return true;
    return false;
}

const last_value_t *
mirror_sessions (mirror_t *self)
{
    mirror_settle (self);
    return self->sessions;
}

uint64_t
mirror_epoch (const mirror_t *self)
{
    return self->epoch;
}

uint64_t
mirror_seq (const mirror_t *self, uint32_t slot)
{
    return self->slots [slot].seq;
}

const mirror_counts_t *
mirror_counts (const mirror_t *self)
{
    return &self->counts;
}
