//  fold_bytes - a fold as bytes that nearly keep their places, to be written over when an event has changed it

#include "fold_bytes.h"
#include "bits.h"
#include "record_words.h"

#include <math.h>
#include <string.h>

//  How many bytes a field has.
enum { NONE, ONE, FOUR, EIGHT };

enum {
    ONE_END = 256,
    THOUSANDTHS_END_S = 4000000,    //  seconds that four bytes have room for
    CODE_BITS = 2,
    CODES_A_WORD = 64 / CODE_BITS,
    CODES_BYTES = (COUNT_fold_record * CODE_BITS + 7) / 8
};

//  How a fold is gone through: the codes of its fields, the number of the next one, where its bytes are.
typedef struct {
    uint64_t codes [2];
    unsigned at;
    uint8_t *next;
    const uint8_t *from;
    uint64_t instant_ms;
} walk_t;

//  ---- one way

static inline void
put (walk_t *self, uint64_t value, unsigned code)
{
    memcpy (self->next, &value, sizeof value);
    self->next += code == ONE ? 1 : code == FOUR ? 4 : code == EIGHT ? 8 : 0;
    self->codes [self->at / CODES_A_WORD] |= (uint64_t)code << self->at % CODES_A_WORD * CODE_BITS;
}

static inline void
put_count (walk_t *self, uint32_t value)
{
    if (value)
        put (self, value, value < ONE_END ? ONE : FOUR);
    self->at++;
}

//  As it is, or by its distance to the instant: the last bit says which. What is neither small has eight bytes.
static inline void
put_whole (walk_t *self, uint64_t value)
{
    if (value) {
        uint64_t distance = zigzag (value - self->instant_ms);
        uint64_t small = distance < value ? distance << 1 : value << 1 | 1;
        bool large = (distance < value ? distance : value) > UINT32_MAX / 2;
        put (self, large ? value : small, large ? EIGHT : small < ONE_END ? ONE : FOUR);
    }
    self->at++;
}

static inline void
put_seconds (walk_t *self, double value)
{
    bool small = value >= 0 && value < THOUSANDTHS_END_S;
    uint64_t thousandths = small ? (uint64_t)(value * 1e3 + 0.5) : 0;
    if (!small || bits_of ((double)thousandths / 1e3) != bits_of (value)) {
        if (bits_of (value) != bits_of ((double)NAN))
            put (self, bits_of (value), EIGHT);
    } else if (thousandths % 1000 == 0 && thousandths < ONE_END * 1000)
        put (self, thousandths / 1000, ONE);
    else
        put (self, thousandths, FOUR);
    self->at++;
}

//  ---- the other way

static inline unsigned
take_code (walk_t *self)
{
    unsigned at = self->at++;
    return self->codes [at / CODES_A_WORD] >> at % CODES_A_WORD * CODE_BITS & 3;
}

static inline uint64_t
take (walk_t *self, unsigned code)
{
    uint64_t value = 0;
    if (code == ONE)
        value = *self->from++;
    else if (code == FOUR) {
        memcpy (&value, self->from, sizeof (uint32_t));
        self->from += sizeof (uint32_t);
    } else if (code == EIGHT) {
        memcpy (&value, self->from, sizeof value);
        self->from += sizeof value;
    }
    return value;
}

static inline uint32_t
take_count (walk_t *self)
{
    return (uint32_t)take (self, take_code (self));
}

static inline uint64_t
take_whole (walk_t *self)
{
    unsigned code = take_code (self);
    uint64_t value = take (self, code);
    if (code == NONE || code == EIGHT)
        return value;
    return value & 1 ? value >> 1 : self->instant_ms + zigzag_back (value >> 1);
}

static inline double
take_seconds (walk_t *self)
{
    unsigned code = take_code (self);
    uint64_t value = take (self, code);
    return code == NONE   ? NAN
           : code == ONE  ? (double)value
           : code == FOUR ? (double)value / 1e3
                          : double_of (value);
}

//  ---- the fields of each message, of which those of a fold are used

#define PUT_U32(walk, value, limit) put_count (walk, value);
#define PUT_ENUM(walk, value, limit) put_count (walk, (uint32_t)(value));
#define PUT_U64(walk, value, limit) put_whole (walk, value);
#define PUT_F64(walk, value, limit) put_seconds (walk, value);
#define PUT_STR(walk, value, limit)
#define TAKE_U32(walk, value, limit) value = take_count (walk);
#define TAKE_ENUM(walk, value, limit) value = (usher_##limit##_t)take_count (walk);
#define TAKE_U64(walk, value, limit) value = take_whole (walk);
#define TAKE_F64(walk, value, limit) value = take_seconds (walk);
#define TAKE_STR(walk, value, limit)

#define MESSAGE(message, id, link, direction, doc)                                                           \
    __attribute__ ((unused)) static inline void message##_put (walk_t *walk,                                 \
                                                               const usher_##message##_t *record)            \
    {                                                                                                        \
        (void)walk, (void)record;
#define FIELD(message, field, kind, limit, doc) PUT_##kind (walk, record->field, limit)
#define END(message) }
#include "messages.def"

#define MESSAGE(message, id, link, direction, doc)                                                           \
    __attribute__ ((unused)) static inline void message##_take (walk_t *walk, usher_##message##_t *record)   \
    {                                                                                                        \
        (void)walk, (void)record;
#define FIELD(message, field, kind, limit, doc) TAKE_##kind (walk, record->field, limit)
#define END(message) }
#include "messages.def"

_Static_assert(CODES_BYTES <= 2 * sizeof (uint64_t), "codes for all fields");
_Static_assert(CODES_BYTES + (COUNT_fold_record + 1) * sizeof (uint64_t) <= FOLD_BYTES_MAX, "room for all");

size_t
fold_bytes_put (uint8_t *to, const fold_t *fold, uint64_t instant_ms)
{
    walk_t walk = { .next = to + CODES_BYTES, .instant_ms = instant_ms };
    fold_record_put (&walk, fold);
    memcpy (to, walk.codes, CODES_BYTES);
    return walk.codes [0] || walk.codes [1] ? (size_t)(walk.next - to) : 0;
}

void
fold_bytes_take (const uint8_t *from, size_t size, fold_t *fold, uint64_t instant_ms)
{
    walk_t walk = { .from = from + CODES_BYTES, .instant_ms = instant_ms };
    if (size)
        memcpy (walk.codes, from, CODES_BYTES);
    fold_record_take (&walk, fold);
}
