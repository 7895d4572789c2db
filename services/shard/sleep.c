//  sleep - an actor as bytes, between two events of its viewer
//
//  A head says how long its id is; then the id, words (words.h) and texts, as the functions here put and take them. Of a plain
//  sleeper (plain.h) some lie elsewhere.

#include "sleep.h"
#include "bits.h"
#include "memory.h"
#include "plain.h"
#include "record_words.h"
#include "text.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

bool
sleep_allowed (const actor_t *actor)
{
    return actor->loaded && !actor->hard && !actor->reload && actor->held_count == 0 &&
           actor->viewer.rows_used == 0 && actor->dirty.count == 0;
}

//  ---- what outlives a sleep beside records: a word each

#define ACTOR_WORDS(actor, WORD)                                                                             \
    WORD (uint32_t, (actor)->viewer.slot)                                                                    \
    WORD (bool, (actor)->soft)                                                                               \
    WORD (uint64_t, (actor)->stored_epoch)                                                                   \
    WORD (uint64_t, (actor)->stored_version)                                                                 \
    WORD (uint64_t, (actor)->stored_row)                                                                     \
    WORD (uint64_t, (actor)->writing_version)                                                                \
    WORD (uint64_t, (actor)->erased_ms)                                                                      \
    WORD (int64_t, (actor)->checkpoint_ms)                                                                   \
    WORD (uint64_t, (actor)->viewer.feed_version)                                                            \
    WORD (size_t, (actor)->viewer.session_count)                                                             \
    WORD (size_t, (actor)->viewer.position_count)

//  What the feed knows of it.
#define SESSION_WORDS(session, WORD)                                                                         \
    WORD (bool, (session)->shown)                                                                            \
    WORD (bool, (session)->restored)                                                                         \
    WORD (uint64_t, (session)->grace_ms)                                                                     \
    WORD (uint64_t, (session)->feed_version)

//  What a plain sleeper keeps elsewhere: what the feed is owed, what its window found out about clocks that left it since, and
//  what its strip holds.
#define WINDOW_WORDS(session, WORD)                                                                          \
    WORD (bool, (session)->unfed)                                                                            \
    WORD (int64_t, (session)->fed_ms)                                                                        \
    WORD (int64_t, (session)->lead_min_ms)                                                                   \
    WORD (int64_t, (session)->lead_max_ms)                                                                   \
    WORD (uint32_t, (session)->strip.count)

#define word_of_int64_t(value) zigzag ((uint64_t)(value))
#define word_of_bool(value) (value)
#define word_of_uint32_t(value) (value)
#define word_of_uint64_t(value) (value)
#define word_of_size_t(value) (value)
#define int64_t_of_word(word) (int64_t) zigzag_back (word)
#define bool_of_word(word) (word)
#define uint32_t_of_word(word) (uint32_t) (word)
#define uint64_t_of_word(word) (word)
#define size_t_of_word(word) (word)

#define ONE(type, place) +1
#define PUT(type, place) *next++ = word_of_##type (place);
#define TAKE(type, place) place = type##_of_word (*next++);

enum {
    COUNT_ACTOR = 0 ACTOR_WORDS (0, ONE),
    COUNT_SESSION = 0 SESSION_WORDS (0, ONE),
    COUNT_WINDOW = 0 WINDOW_WORDS (0, ONE)
};

_Static_assert(COUNT_session_record <= WORDS_MAX && COUNT_fold_record <= WORDS_MAX, "a record in one go");

//  Bytes of all numbers of a part.
enum {
    ACTOR_BOUND = WORDS_BOUND (COUNT_ACTOR) + WORDS_BOUND (COUNT_sum_record),
    POSITION_BOUND = WORDS_BOUND (COUNT_position_record),
    SESSION_BOUND = WORDS_BOUND (COUNT_session_record) + 2 * WORDS_BOUND (COUNT_fold_record) +
                    WORDS_BOUND (COUNT_SESSION) + WORDS_BOUND (COUNT_WINDOW + 1)
};

//  ---- one way

static const uint64_t NOTHING [WORDS_MAX];

static uint8_t *
put_text (uint8_t *to, usher_str_t text)
{
    if (text.size)
        memcpy (to, text.data, text.size);
    return to + text.size;
}

//  Some words, whatever they are of.
static uint8_t *
put_words (uint8_t *to, const uint64_t *words, size_t count, uint64_t *instant_ms)
{
    return words_put (to, words, words_mask (words, count), count, instant_ms);
}

//  What is now is told by what differs from the base.
static uint8_t *
put_folds (uint8_t *to, const session_t *session, uint64_t *instant_ms)
{
    uint64_t base [COUNT_fold_record], words [COUNT_fold_record];
    uint64_t mask = fold_record_to_words (&session->base, NOTHING, base);
    to = words_put (to, base, mask, COUNT_fold_record, instant_ms);
    mask = fold_record_to_words (&session->now, base, words);
    return words_put (to, words, mask, COUNT_fold_record, instant_ms);
}

static uint8_t *
put_session (uint8_t *to, const session_t *session, bool plain, uint64_t *instant_ms)
{
    uint64_t words [WORDS_MAX], *next = words;
    SESSION_WORDS (session, PUT)
    to = put_words (to, words, COUNT_SESSION, instant_ms);
    uint64_t mask = session_record_to_words (&session->known, NOTHING, words);
    to = words_put (to, words, mask, COUNT_session_record, instant_ms);
    if (plain)
        return to;
    to = put_text (to, texts_all (&session->known));
    usher_str_t events = strip_bytes (&session->strip);
    next = words;
    WINDOW_WORDS (session, PUT)
    *next = events.size;
    to = put_words (to, words, COUNT_WINDOW + 1, instant_ms);
    to = put_folds (to, session, instant_ms);
    return put_text (put_text (to, strip_digests (&session->strip)), events);
}

static uint8_t *
put_viewer (uint8_t *to, const actor_t *actor, bool plain)
{
    const viewer_t *viewer = &actor->viewer;
    uint64_t words [WORDS_MAX], *next = words, instant_ms = 0;
    ACTOR_WORDS (actor, PUT)
    to = put_words (to, words, COUNT_ACTOR, &instant_ms);
    uint64_t mask = sum_record_to_words (&viewer->sum, NOTHING, words);
    to = words_put (to, words, mask, COUNT_sum_record, &instant_ms);
    for (size_t at = 0; at < viewer->position_count && !plain; at++) {
        mask = position_record_to_words (&viewer->positions [at], NOTHING, words);
        to = words_put (to, words, mask, COUNT_position_record, &instant_ms);
    }
    for (size_t at = 0; at < viewer->session_count; at++)
        to = put_session (to, &viewer->sessions [at], plain, &instant_ms);
    return to;
}

static size_t
window_size (const session_t *session)
{
    return strip_digests (&session->strip).size + strip_bytes (&session->strip).size;
}

static size_t
viewer_bound (const viewer_t *viewer)
{
    size_t bound = sizeof (packed_t) + viewer->id.size + ACTOR_BOUND +
                   viewer->position_count * POSITION_BOUND + viewer->session_count * SESSION_BOUND;
    for (size_t at = 0; at < viewer->session_count; at++) {
        const session_t *session = &viewer->sessions [at];
        bound += texts_all (&session->known).size + window_size (session);
    }
    return bound;
}

//  NULL: it is not plain.
static uint8_t *
pack_plain (const actor_t *actor, uint8_t *start)
{
    if (!plain_suits (actor))
        return NULL;
    return plain_new (actor, usher_bytes (start, (size_t)(put_viewer (start, actor, true) - start)));
}

uint8_t *
sleep_pack (const actor_t *actor, buffer_t *working)
{
    const viewer_t *viewer = &actor->viewer;
    buffer_clear (working, SIZE_MAX);
    uint8_t *start = (uint8_t *)buffer_reserve (working, viewer_bound (viewer));
    uint8_t *packed = pack_plain (actor, start);
    if (packed)
        return packed;
    packed_t head = { (uint16_t)viewer->id.size, false };
    memcpy (start, &head, sizeof head);
    uint8_t *end = put_viewer (put_text (start + sizeof head, viewer->id), actor, false);
    //  A window lies behind the last words: there is what is read with them for nothing.
    size_t behind = viewer->session_count ? window_size (&viewer->sessions [viewer->session_count - 1]) : 0;
    size_t slack = behind < WORDS_SLACK ? WORDS_SLACK - behind : 0;
    return memory_copy (start, (size_t)(end - start) + slack);
}

//  ---- the other way

static const uint8_t *
take_text (const uint8_t *from, size_t size, usher_str_t *text)
{
    *text = usher_bytes (from, size);
    return from + size;
}

//  Texts lie behind, or elsewhere.
static const uint8_t *
take_known (const uint8_t *from, usher_session_record_t *known, const char *texts, uint64_t *instant_ms)
{
    uint64_t words [WORDS_MAX];
    from = words_take (from, words, COUNT_session_record, instant_ms);
    session_record_from_words (known, words, texts ? texts : (const char *)from);
    size_t size = texts_own (known);
    return texts ? from : from + size;
}

static const uint8_t *
take_folds (const uint8_t *from, session_t *session, uint64_t *instant_ms)
{
    uint64_t words [WORDS_MAX], others [WORDS_MAX];
    from = words_take (from, words, COUNT_fold_record, instant_ms);
    fold_record_from_words (&session->base, words, NULL);
    from = words_take (from, others, COUNT_fold_record, instant_ms);
    for (size_t at = 0; at < COUNT_fold_record; at++)
        words [at] ^= others [at];
    fold_record_from_words (&session->now, words, NULL);
    return from;
}

static const uint8_t *
take_session (const uint8_t *from, session_t *session, const plain_t *plain, uint64_t *instant_ms)
{
    uint64_t words [WORDS_MAX], *next = words;
    usher_str_t events, digests;
    from = words_take (from, words, COUNT_SESSION, instant_ms);
    SESSION_WORDS (session, TAKE)
    from = take_known (from, &session->known, plain ? plain_texts (plain).data : NULL, instant_ms);
    if (plain)
        return from;
    from = words_take (from, words, COUNT_WINDOW + 1, instant_ms);
    next = words;
    WINDOW_WORDS (session, TAKE)
    uint32_t count = session->strip.count;
    size_t events_size = *next;
    from = take_folds (from, session, instant_ms);
    from = take_text (from, count * sizeof *session->strip.digests, &digests);
    from = take_text (from, events_size, &events);
    strip_set (&session->strip, count, session->base.order_ms, session->now.order_ms, events, digests);
    return from;
}

//  What lies first behind the id.
static const uint8_t *
take_actor (const uint8_t *packed, actor_t *actor, uint64_t *instant_ms)
{
    const plain_t *plain = plain_of (packed);
    uint64_t words [WORDS_MAX], *next = words;
    usher_str_t id = sleep_viewer_id (packed);
    const char *begin = plain ? plain_words (plain).data : id.data + id.size;
    const uint8_t *from = words_take ((const uint8_t *)begin, words, COUNT_ACTOR, instant_ms);
    ACTOR_WORDS (actor, TAKE)
    return from;
}

void
sleep_unpack (actor_t *actor, const uint8_t *packed)
{
    viewer_t *viewer = &actor->viewer;
    const plain_t *plain = plain_of (packed);
    uint64_t words [WORDS_MAX], instant_ms = 0;
    usher_str_t id = sleep_viewer_id (packed);
    const uint8_t *from = take_actor (packed, actor, &instant_ms);
    actor->loaded = true;
    viewer->id = usher_bytes (memory_copy (id.data, id.size), id.size);
    from = words_take (from, words, COUNT_sum_record, &instant_ms);
    sum_record_from_words (&viewer->sum, words, NULL);
    viewer->positions = memory_new (viewer->position_count, sizeof *viewer->positions);
    for (size_t at = 0; at < viewer->position_count && !plain; at++) {
        from = words_take (from, words, COUNT_position_record, &instant_ms);
        position_record_from_words (&viewer->positions [at], words, NULL);
    }
    viewer->sessions = memory_new (viewer->session_count, sizeof *viewer->sessions);
    for (size_t at = 0; at < viewer->session_count; at++)
        from = take_session (from, &viewer->sessions [at], plain, &instant_ms);
    if (plain)
        plain_restore (plain, actor);
}

usher_str_t
sleep_viewer_id (const uint8_t *packed)
{
    const plain_t *plain = plain_of (packed);
    if (plain)
        return plain_viewer_id (plain);
    packed_t head;
    memcpy (&head, packed, sizeof head);
    return usher_bytes (packed + sizeof head, head.id_size);
}
