//  sleep - an actor as bytes, between two events of its viewer

#include "sleep.h"
#include "memory.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

bool
sleep_allowed (const actor_t *actor)
{
    return actor->loaded && !actor->hard && !actor->reload && actor->held_count == 0 &&
           actor->writing_size == 0 && actor->viewer.rows_used == 0 && actor->dirty.count == 0 &&
           actor->in_flight.count == 0;
}

//  ---- both ways: what is written here is read here, in the same order

static void
pack_count (pack_t *pack, size_t *count)
{
    uint64_t number = *count;
    pack_number (pack, &number);
    *count = number;
}

//  Small numbers to both sides of zero as small numbers.
static void
pack_difference (pack_t *pack, int64_t *value)
{
    uint64_t number = *value < 0 ? ~(uint64_t)*value * 2 + 1 : (uint64_t)*value * 2;
    pack_number (pack, &number);
    *value = (int64_t)(number & 1 ? ~(number / 2) : number / 2);
}

static void
pack_shard_part (pack_t *pack, actor_t *actor)
{
    uint64_t soft = actor->soft;
    uint64_t *const numbers [] = {
        &soft,
        &actor->stored_epoch,
        &actor->stored_version,
        &actor->writing_version,
        &actor->erased_ms,
        &actor->viewer.feed_version,
    };
    pack_numbers (pack, numbers, sizeof numbers / sizeof *numbers);
    actor->soft = soft;
    pack_difference (pack, &actor->checkpoint_ms);
}

//  What the feed knows of it, and what its window found out about clocks that left it since.
static void
pack_session_part (pack_t *pack, session_t *session)
{
    uint64_t flags = session->shown | session->unfed << 1 | session->restored << 2;
    uint64_t *const numbers [] = { &flags, &session->grace_ms, &session->feed_version };
    pack_numbers (pack, numbers, sizeof numbers / sizeof *numbers);
    session->shown = flags & 1;
    session->unfed = flags & 2;
    session->restored = flags & 4;
    pack_difference (pack, &session->fed_ms);
    pack_difference (pack, &session->lead_min_ms);
    pack_difference (pack, &session->lead_max_ms);
}

//  ---- one way

static void
session_pack (pack_t *pack, session_t *session)
{
    strip_t *strip = &session->strip;
    usher_str_t events = strip_bytes (strip), digests = strip_digests (strip);
    uint64_t count = strip->count;
    pack_record (pack, USHER_MSG_session_record, &session->known, NULL);
    pack_record (pack, USHER_MSG_fold_record, &session->base, NULL);
    pack_record (pack, USHER_MSG_fold_record, &session->now, &session->base);
    pack_number (pack, &count);
    pack_text (pack, &events);
    pack_text (pack, &digests);
    pack_session_part (pack, session);
}

uint8_t *
sleep_pack (actor_t *actor, pack_t *pack)
{
    viewer_t *viewer = &actor->viewer;
    pack_begin (pack);
    pack_text (pack, &viewer->id);
    pack_shard_part (pack, actor);
    pack_count (pack, &viewer->position_count);
    for (size_t at = 0; at < viewer->position_count; at++)
        pack_record (pack, USHER_MSG_position_record, &viewer->positions [at], NULL);
    pack_record (pack, USHER_MSG_sum_record, &viewer->sum, NULL);
    pack_count (pack, &viewer->session_count);
    for (size_t at = 0; at < viewer->session_count; at++)
        session_pack (pack, &viewer->sessions [at]);
    return memory_copy (pack->data, pack->used);
}

//  ---- the other way

static void
session_unpack (pack_t *pack, session_t *session)
{
    usher_str_t events, digests;
    uint64_t count;
    pack_record (pack, USHER_MSG_session_record, &session->known, NULL);
    texts_own (&session->known, USHER_MSG_session_record);
    pack_record (pack, USHER_MSG_fold_record, &session->base, NULL);
    pack_record (pack, USHER_MSG_fold_record, &session->now, &session->base);
    pack_number (pack, &count);
    pack_text (pack, &events);
    pack_text (pack, &digests);
    strip_set (&session->strip, (uint32_t)count, session->base.order_ms, session->now.order_ms, events,
               digests);
    pack_session_part (pack, session);
}

void
sleep_unpack (actor_t *actor, uint8_t *packed)
{
    pack_t pack;
    pack_open (&pack, packed, SIZE_MAX);
    viewer_t *viewer = &actor->viewer;
    usher_str_t id;
    pack_text (&pack, &id);
    viewer_init (viewer, id);
    actor->loaded = true;
    pack_shard_part (&pack, actor);
    pack_count (&pack, &viewer->position_count);
    viewer->positions = memory_new (viewer->position_count, sizeof *viewer->positions);
    for (size_t at = 0; at < viewer->position_count; at++)
        pack_record (&pack, USHER_MSG_position_record, &viewer->positions [at], NULL);
    pack_record (&pack, USHER_MSG_sum_record, &viewer->sum, NULL);
    pack_count (&pack, &viewer->session_count);
    viewer->sessions = memory_new (viewer->session_count, sizeof *viewer->sessions);
    for (size_t at = 0; at < viewer->session_count; at++)
        session_unpack (&pack, &viewer->sessions [at]);
}

usher_str_t
sleep_viewer_id (uint8_t *packed)
{
    pack_t pack;
    pack_open (&pack, packed, SIZE_MAX);
    usher_str_t id;
    pack_text (&pack, &id);
    return id;
}
