//  codec_bench - what the codec's tests share: all samples, exact buffers, messages packed by hand

#include "codec_bench.h"

size_t
bench_longest (void)
{
    size_t longest = 0;
    for_each_field (layout, field) if (field->kind == USHER_STR && field->max > longest) longest = field->max;
    return longest;
}

usher_str_t
bench_pool (size_t size)
{
    static char *pool;    //  for the life of the test
    size_t most = bench_longest () + 1;
    if (!pool) {
        pool = malloc (most);
        for (size_t at = 0; at < most; at++)
            pool [at] = (char)(at * 7 + at / 251 + 1);
    }
    assert_true (size <= most);
    return usher_bytes (pool, size);
}

uint8_t *
bench_exact (const void *data, size_t size)
{
    //  A block of no bytes is one that nobody may touch.
    uint8_t *copy = malloc (size);
    if (size)
        memcpy (copy, data, size);
    return copy;
}

size_t
bench_encode (const usher_msg_t *msg, uint8_t **data)
{
    size_t bound = usher_encode_bound (msg);
    uint8_t *room = malloc (bound);
    size_t size = usher_encode (msg, room, bound);
    assert_true (size > 0);
    *data = bench_exact (room, size);
    free (room);
    return size;
}

usher_error_t
bench_decode_exact (const void *data, size_t size)
{
    uint8_t *copy = bench_exact (data, size);
    usher_frame_t frame;
    usher_msg_t msg;
    memset (&msg, 0xa5, sizeof msg);
    usher_records_open (&frame, copy, size);
    usher_error_t error = usher_decode (&frame, &msg);
    if (error)
        assert_int_equal (msg.id, 0);
    free (copy);
    return error;
}

static void
pack_zero (msgpack_packer *packer, usher_kind_t kind)
{
    if (kind == USHER_STR)
        msgpack_pack_bin (packer, 0);
    else if (kind == USHER_F64)
        msgpack_pack_double (packer, 0);
    else
        msgpack_pack_uint64 (packer, 0);
}

void
bench_pack_zeros (msgpack_sbuffer *out, const usher_layout_t *layout, const usher_field_t *field, size_t more)
{
    size_t count = field ? (size_t)(field - layout->fields) : layout->field_count;
    msgpack_packer packer;
    msgpack_packer_init (&packer, out, msgpack_sbuffer_write);
    msgpack_pack_array (&packer, 1 + count + more);
    msgpack_pack_uint64 (&packer, layout->id);
    for (size_t col = 0; col < count; col++)
        pack_zero (&packer, layout->fields [col].kind);
}

void
bench_zero_field (usher_msg_t *msg, const usher_field_t *field)
{
    static const size_t sizes [] = { [USHER_U32] = sizeof (uint32_t),
                                     [USHER_U64] = sizeof (uint64_t),
                                     [USHER_F64] = sizeof (double),
                                     [USHER_STR] = sizeof (usher_str_t),
                                     [USHER_ENUM] = sizeof (uint32_t) };
    memset (sample_field (msg, field), 0, sizes [field->kind]);
}

size_t
bench_array_size (const uint8_t *data)
{
    return data [0] == 0xdc ? (size_t)data [1] << 8 | data [2] : data [0] & 0x0f;
}
