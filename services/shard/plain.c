//  plain - a viewer who sleeps and is as most are: one live session, one partition; and an event that leaves it asleep

#include "plain.h"
#include "fold_bytes.h"
#include "known.h"
#include "memory.h"
#include "text.h"
#include "window.h"

#include <string.h>

enum {
    PLAIN_BYTES_MAX = 32768,    //  of a block, before an event comes
    DIGESTS_STEP = 4            //  room for so many more
};

const plain_t *
plain_of (const uint8_t *packed)
{
    const packed_t *head = (const void *)packed;
    return head->plain ? (const void *)packed : NULL;
}

static plain_t *
plain_in (seat_t *seat)
{
    return (void *)*seat_packed (seat);
}

//  ---- places

static size_t
even (size_t at)
{
    return (at + 1) / 2 * 2;
}

static size_t
texts_at (const plain_t *self)
{
    return sizeof *self + self->packed.id_size;
}

static size_t
words_at (const plain_t *self)
{
    return texts_at (self) + self->texts_size;
}

static size_t
now_at (const plain_t *self)
{
    return words_at (self) + self->words_size;
}

static size_t
base_at (const plain_t *self)
{
    return now_at (self) + self->now_size;
}

static size_t
digests_at (const plain_t *self)
{
    return even (base_at (self) + self->base_size);
}

static size_t
events_at (const plain_t *self)
{
    return digests_at (self) + self->digests * sizeof (uint16_t);
}

static uint64_t
instant_of (const plain_t *self)
{
    return (uint64_t)self->instant_s * 1000;
}

static uint8_t *
byte_at (const plain_t *self, size_t at)
{
    return (uint8_t *)(uintptr_t)self + at;
}

usher_str_t
plain_viewer_id (const plain_t *self)
{
    return usher_bytes (byte_at (self, sizeof *self), self->packed.id_size);
}

usher_str_t
plain_texts (const plain_t *self)
{
    return usher_bytes (byte_at (self, texts_at (self)), self->texts_size);
}

usher_str_t
plain_words (const plain_t *self)
{
    return usher_bytes (byte_at (self, words_at (self)), self->words_size);
}

//  A block's bytes if so many are used: what the allocator would give it anyway, four sizes from one power of two to the next.
static size_t
room_for (size_t used)
{
    size_t step = 16;
    while (step * 8 < used)
        step *= 2;
    return (used + step - 1) / step * step;
}

//  ---- one way

static bool
is_small (int64_t value)
{
    return value == (int32_t)value;
}

bool
plain_suits (const actor_t *actor)
{
    const viewer_t *viewer = &actor->viewer;
    if (viewer->session_count != 1 || viewer->position_count != 1 || actor->erased_ms)
        return false;
    const session_t *session = &viewer->sessions [0];
    const fold_t *now = &session->now;
    const strip_t *strip = &session->strip;
    //  Grace is of no account any more once all that silence is counted from is behind it.
    bool grace = session->grace_ms > now->seen_ms || (now->error_ms && session->grace_ms > now->error_ms);
    //  Where a tracker sends running totals, no event leaves anybody asleep, and words are smaller.
    return session->shown && !session->known.expired_ms && !session->known.has_totals && !grace &&
           (now->marks & FOLD_BEGUN) && is_small (session->lead_min_ms) && is_small (session->lead_max_ms) &&
           strip->count > 0 && strip->count <= SESSION_WINDOW_EVENTS &&
           viewer->positions [0].partition <= UINT16_MAX && now->order_ms / 1000 <= UINT32_MAX;
}

//  The order of its first event as far as an int32_t goes.
static bool
first_tell (plain_t *self, const strip_t *strip)
{
    strip_reader_t reader = strip_open (strip);
    int64_t distance_ms = (int64_t)(strip_next_ms (&reader) - instant_of (self));
    self->first_ms = (int32_t)distance_ms;
    return is_small (distance_ms);
}

uint8_t *
plain_new (const actor_t *actor, usher_str_t words)
{
    const viewer_t *viewer = &actor->viewer;
    const session_t *session = &viewer->sessions [0];
    const usher_position_record_t *position = &viewer->positions [0];
    usher_str_t texts = texts_all (&session->known), digests = strip_digests (&session->strip),
                events = strip_bytes (&session->strip);
    uint8_t now [FOLD_BYTES_MAX], base [FOLD_BYTES_MAX];
    uint32_t instant_s = (uint32_t)(session->now.order_ms / 1000);
    uint64_t instant_ms = (uint64_t)instant_s * 1000;
    size_t now_size = fold_bytes_put (now, &session->now, instant_ms),
           base_size = fold_bytes_put (base, &session->base, instant_ms);
    plain_t head = { .packed = { (uint16_t)viewer->id.size, true },
                     .source = (uint8_t)position->source,
                     .partition = (uint16_t)position->partition,
                     .generation = position->generation,
                     .offset = position->offset,
                     .count = (uint8_t)session->strip.count,
                     .digests =
                         (uint8_t)((session->strip.count + DIGESTS_STEP - 1) / DIGESTS_STEP * DIGESTS_STEP),
                     .session_id_size = (uint16_t)session->known.session_id.size,
                     .texts_size = (uint16_t)texts.size,
                     .words_size = (uint16_t)words.size,
                     .now_size = (uint16_t)now_size,
                     .base_size = (uint16_t)base_size,
                     .tail = (uint16_t)events.size,
                     .lead_min_ms = (int32_t)session->lead_min_ms,
                     .lead_max_ms = (int32_t)session->lead_max_ms,
                     .instant_s = instant_s,
                     .fed_ms = session->fed_ms };
    size_t room = room_for (sizeof head + viewer->id.size + texts.size + words.size + now_size + base_size +
                            1 + head.digests * sizeof (uint16_t) + events.size);
    if (room > PLAIN_BYTES_MAX || !first_tell (&head, &session->strip))
        return NULL;
    head.room = (uint16_t)room;
    uint8_t *block = memory_resize (NULL, room, 1);
    memcpy (block, &head, sizeof head);
    memcpy (block + sizeof head, viewer->id.data, viewer->id.size);
    if (texts.size)
        memcpy (block + texts_at (&head), texts.data, texts.size);
    memcpy (block + words_at (&head), words.data, words.size);
    memcpy (block + now_at (&head), now, now_size);
    memcpy (block + base_at (&head), base, base_size);
    memcpy (block + digests_at (&head), digests.data, digests.size);
    memcpy (block + events_at (&head), events.data, events.size);
    return block;
}

//  ---- the other way

//  Its strip where it lies: what the strip may not do is make room.
static strip_t
strip_here (const plain_t *self, uint64_t last_ms)
{
    return (strip_t){ .count = self->count,
                      .gone = self->gone,
                      .room = self->digests,
                      .head = self->head,
                      .tail = self->tail,
                      .size = (uint32_t)(self->room - events_at (self)),
                      .last_ms = last_ms,
                      .digests = (uint16_t *)(void *)byte_at (self, digests_at (self)),
                      .bytes = byte_at (self, events_at (self)) };
}

//  What an event may change of the session, its strip where it lies.
static void
session_see (const plain_t *self, session_t *session)
{
    fold_bytes_take (byte_at (self, now_at (self)), self->now_size, &session->now, instant_of (self));
    session->strip = strip_here (self, session->now.order_ms);
    session->lead_min_ms = self->lead_min_ms;
    session->lead_max_ms = self->lead_max_ms;
    session->fed_ms = self->fed_ms;
}

void
plain_restore (const plain_t *self, actor_t *actor)
{
    viewer_t *viewer = &actor->viewer;
    session_t *session = &viewer->sessions [0];
    viewer->positions [0] =
        (usher_position_record_t){ self->source, self->generation, self->partition, self->offset };
    session_see (self, session);
    fold_bytes_take (byte_at (self, base_at (self)), self->base_size, &session->base, instant_of (self));
    roll_due_t due = roll_due (actor->seat);
    session->unfed = due.feed_ms < ROLL_NEVER;
    actor->soft = due.checkpoint_ms > 0;
    actor->checkpoint_ms = (int64_t)due.checkpoint_ms;
    const strip_t here = session->strip;
    strip_set (&session->strip, here.count, session->base.order_ms, here.last_ms, strip_bytes (&here),
               strip_digests (&here));
}

//  ---- an event

static bool
is_next (const plain_t *self, const usher_event_t *event)
{
    usher_str_t name = session_name (event);
    return event->kind == USHER_event_kind_ping && event->offset > self->offset &&
           event->source == self->source && event->partition == self->partition &&
           event->generation == self->generation && name.size == self->session_id_size &&
           (name.size == 0 || memcmp (name.data, plain_texts (self).data, name.size) == 0) &&
           known_is_silent (event);
}

static bool
has_outlived (const plain_t *self, uint64_t newest_ms)
{
    return self->count >= SESSION_WINDOW_EVENTS ||
           instant_of (self) + (uint64_t)(int64_t)self->first_ms + SESSION_WINDOW_MS < newest_ms;
}

//  Has room for so many bytes where now or the base lie, or behind the events: all behind them moves.
static plain_t *
block_grow (seat_t *seat, size_t used)
{
    plain_t *self = plain_in (seat);
    if (used <= self->room)
        return self;
    size_t room = room_for (used);
    uint8_t **packed = seat_packed (seat);
    *packed = memory_resize (*packed, room, 1);
    self = plain_in (seat);
    self->room = (uint16_t)room;
    return self;
}

//  The events of a strip that lie at its block's front.
static void
events_settle (plain_t *self)
{
    uint8_t *events = byte_at (self, events_at (self));
    memmove (events, events + self->head, self->tail - self->head);
    self->tail = (uint16_t)(self->tail - self->head);
    self->head = 0;
}

//  Gives a fold other bytes, which may be more or fewer.
static plain_t *
fold_replace (seat_t *seat, bool base, const uint8_t *bytes, size_t size)
{
    plain_t *self = plain_in (seat);
    size_t old = base ? self->base_size : self->now_size;
    if (size != old) {
        events_settle (self);
        if (size > old)
            self = block_grow (seat, events_at (self) + 1 + self->tail + size - old);
        size_t behind = (base ? base_at (self) : now_at (self)) + old;
        uint8_t *digests = byte_at (self, digests_at (self));
        size_t digests_size = events_at (self) - digests_at (self) + self->tail;
        size_t between = base ? 0 : self->base_size;
        plain_t after = *self;
        *(base ? &after.base_size : &after.now_size) = (uint16_t)size;
        uint8_t *from = byte_at (self, behind), *to = from + size - old;
        //  What lies behind moves in an order in which nothing is written over.
        if (size > old) {
            memmove (byte_at (self, digests_at (&after)), digests, digests_size);
            memmove (to, from, between);
        } else {
            memmove (to, from, between);
            memmove (byte_at (self, digests_at (&after)), digests, digests_size);
        }
        *self = after;
    }
    memcpy (byte_at (self, base ? base_at (self) : now_at (self)), bytes, size);
    return self;
}

//  Room for one more event of so many bytes.
static plain_t *
strip_room (seat_t *seat, size_t size)
{
    plain_t *self = plain_in (seat);
    if (self->gone + self->count == self->digests && self->gone) {
        uint16_t *digests = (uint16_t *)(void *)byte_at (self, digests_at (self));
        memmove (digests, digests + self->gone, self->count * sizeof *digests);
        self->gone = 0;
    } else if (self->count == self->digests) {
        self = block_grow (seat, events_at (self) + DIGESTS_STEP * sizeof (uint16_t) + self->tail);
        uint8_t *events = byte_at (self, events_at (self));
        memmove (events + DIGESTS_STEP * sizeof (uint16_t), events, self->tail);
        self->digests += DIGESTS_STEP;
    }
    if (events_at (self) + self->tail + size > self->room && self->head)
        events_settle (self);
    return block_grow (seat, events_at (self) + self->tail + size);
}

//  What the window's oldest events leave behind goes to the base.
static void
base_take (seat_t *seat, session_t *session)
{
    plain_t *self = plain_in (seat);
    uint8_t bytes [FOLD_BYTES_MAX];
    fold_bytes_take (byte_at (self, base_at (self)), self->base_size, &session->base, instant_of (self));
    session->strip.before_ms = session->base.order_ms;
    window_trim (session);
    self->count = (uint8_t)session->strip.count;
    self->gone = (uint8_t)session->strip.gone;
    self->head = (uint16_t)session->strip.head;
    strip_reader_t reader = strip_open (&session->strip);
    self->first_ms = (int32_t)(strip_next_ms (&reader) - instant_of (self));
    fold_replace (seat, true, bytes, fold_bytes_put (bytes, &session->base, instant_of (self)));
}

bool
plain_take (seat_t *seat, const usher_event_t *event, int64_t told_ms, session_t *session)
{
    plain_t *self = plain_in (seat);
    window_event_t record;
    if (!self->packed.plain || self->fed_ms <= told_ms || !is_next (self, event))
        return false;
    session_see (self, session);
    if (!session_follows (session, event, session->now.seen_ms, &record) ||
        !fold_rests (&session->now, &record) || self->room > PLAIN_BYTES_MAX ||
        !is_small ((int64_t)(record.order_ms - instant_of (self))) ||
        !is_small ((int64_t)(record.order_ms - record.collected_ms)))
        return false;
    uint8_t coded [STRIP_EVENT_MAX + STRIP_ID_MAX], now [FOLD_BYTES_MAX];
    size_t size = strip_event_put (coded, &record, session->strip.last_ms);
    fold_apply (&session->now, &record);
    size_t now_size = fold_bytes_put (now, &session->now, instant_of (self));
    bool trims = has_outlived (self, record.order_ms);
    fold_replace (seat, false, now, now_size);
    self = strip_room (seat, size);
    session->strip = strip_here (self, session->strip.last_ms);
    window_add (session, &record, coded, size);
    self->count = (uint8_t)session->strip.count;
    self->tail = (uint16_t)session->strip.tail;
    self->lead_min_ms = (int32_t)session->lead_min_ms;
    self->lead_max_ms = (int32_t)session->lead_max_ms;
    self->offset = event->offset;
    if (trims)
        base_take (seat, session);
    return true;
}
