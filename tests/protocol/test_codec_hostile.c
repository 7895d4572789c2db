//  test_codec_hostile - bytes that our encoder never writes, and msgpack-c as a second opinion on those that it does

#include "codec_bench.h"
#include "allocations.h"

#include <math.h>

#define BYTES(text)                                                                                          \
    {                                                                                                        \
        text, sizeof text - 1                                                                                \
    }

//  ---- types

//  Whole items that no field of any kind takes, or whose length has nothing behind it.
static const struct {
    const char *data;
    size_t size;
} foreign [] = {
    BYTES ("\xc1"),                                    //  never used
    BYTES ("\xc2"),                                    //  false
    BYTES ("\xc3"),                                    //  true
    BYTES ("\xd0\x80"),                                //  int 8
    BYTES ("\xd1\x80\x00"),                            //  int 16
    BYTES ("\xd2\x00\x00\x00\x01"),                    //  int 32
    BYTES ("\xd3\x00\x00\x00\x00\x00\x00\x00\x01"),    //  int 64
    BYTES ("\xca\x3f\x80\x00\x00"),                    //  float 32
    BYTES ("\xa0"),                                    //  empty fixstr
    BYTES ("\xa1x"),                                   //  fixstr
    BYTES ("\xd9\x01x"),                               //  str 8
    BYTES ("\xda\x00\x01x"),                           //  str 16
    BYTES ("\xdb\xff\xff\xff\xff"),                    //  str 32 of 4 GiB
    BYTES ("\xd4\x01x"),                               //  fixext 1
    BYTES ("\xd8\x01xxxxxxxxxxxxxxxx"),                //  fixext 16
    BYTES ("\xc7\x01\x01x"),                           //  ext 8
    BYTES ("\xc9\xff\xff\xff\xff\x01"),                //  ext 32 of 4 GiB
    BYTES ("\x80"),                                    //  empty map
    BYTES ("\x81\x01\x01"),                            //  map
    BYTES ("\xdf\xff\xff\xff\xff"),                    //  map 32 of 4 G pairs
    BYTES ("\x90"),                                    //  empty array
    BYTES ("\x91\x91\x91\x91\x91\x91\x90"),            //  nested arrays
    BYTES ("\xdc\xff\xff"),                            //  array 16
    BYTES ("\xdd\xff\xff\xff\xff"),    //  array 32 of 4 G items: 32 GiB to a reader that builds it
    BYTES ("\xc4\x02x"),               //  bin 8 that is cut
    BYTES ("\xc5\xff\xffx"),           //  bin 16 that is cut
    BYTES ("\xc6\xff\xff\xff\xff"),    //  bin 32 of 4 GiB
    BYTES ("\xc6\xff"),                //  bin 32 without its length
    BYTES ("\xcb\x00\x00"),            //  float 64 that is cut
    BYTES ("\xcf\x00"),                //  uint 64 that is cut
};

//  Each in the place of each field of each message, and where a message or its id should be.
static void
test_foreign_types (void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof foreign / sizeof *foreign; at++)
        for_each_field (layout, field)
        {
            msgpack_sbuffer out;
            msgpack_sbuffer_init (&out);
            bench_pack_zeros (&out, layout, field, 1);
            msgpack_sbuffer_write (&out, foreign [at].data, foreign [at].size);
            assert_int_equal (bench_decode_exact (out.data, out.size), USHER_E_SHAPE);
            msgpack_sbuffer_destroy (&out);
        }
    for (size_t at = 0; at < sizeof foreign / sizeof *foreign; at++) {
        char data [64] = { (char)0x92 };
        memcpy (data + 1, foreign [at].data, foreign [at].size);
        assert_int_equal (bench_decode_exact (data, foreign [at].size + 1), USHER_E_SYNTAX);
        assert_int_equal (bench_decode_exact (foreign [at].data, foreign [at].size), USHER_E_SYNTAX);
        usher_frame_t frame;
        uint8_t *exact = bench_exact (foreign [at].data, foreign [at].size);
        assert_int_equal (usher_frame_open (&frame, exact, foreign [at].size), USHER_E_SYNTAX);
        free (exact);
    }
}

//  A kind's own item in the place of another kind.
static void
test_mixed_kinds (void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t size;
    } items [] = { BYTES ("\x00"), BYTES ("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), BYTES ("\xc4\x00"),
                   BYTES ("\xc0") };
    static const unsigned own [] = {
        [USHER_U32] = 1, [USHER_U64] = 1, [USHER_ENUM] = 1, [USHER_F64] = 2 | 8, [USHER_STR] = 4
    };
    for (size_t at = 0; at < sizeof items / sizeof *items; at++)
        for_each_field (layout, field)
        {
            msgpack_sbuffer out;
            msgpack_sbuffer_init (&out);
            bench_pack_zeros (&out, layout, field, 1);
            msgpack_sbuffer_write (&out, items [at].data, items [at].size);
            assert_int_equal (bench_decode_exact (out.data, out.size),
                              own [field->kind] >> at & 1 ? USHER_OK : USHER_E_SHAPE);
            msgpack_sbuffer_destroy (&out);
        }
}

//  Fields may be skipped up to the end of the message and not beyond it.
static void
test_skips (void **state)
{
    (void)state;
    for (size_t row = 0; row < usher_layout_count; row++) {
        const usher_layout_t *layout = &usher_layouts [row];
        uint8_t data [16] = { 0x90, 0xcc, (uint8_t)layout->id };
        size_t left = layout->field_count, size = 3;
        for (; left >= 32; left -= 32)
            data [size++] = 0xe0;
        data [size] = (uint8_t)(0x100 - left);
        size += left > 0;
        data [0] = (uint8_t)(0x90 | (size - 2));
        assert_int_equal (bench_decode_exact (data, size), USHER_OK);
        data [0]++;
        data [size] = 0xff;
        assert_int_equal (bench_decode_exact (data, size + 1), USHER_E_SHAPE);
        data [size] = 0;
        assert_int_equal (bench_decode_exact (data, size + 1), USHER_E_SHAPE);
        assert_int_equal (bench_decode_exact (data, size), USHER_E_SHAPE);
    }
}

//  A number may come in any of its lengths; only the value counts.
static void
test_long_numbers (void **state)
{
    (void)state;
    assert_int_equal (bench_decode_exact ("\xdc\x00\x02\xcd\x00\x0a\xcf\0\0\0\0\0\0\0\x07", 15), USHER_OK);
    assert_int_equal (bench_decode_exact ("\x92\x0a\xcf\0\0\0\x01\0\0\0\0", 11), USHER_E_RANGE);
}

static void
test_unknown_ids (void **state)
{
    (void)state;
    for (unsigned id = 0; id < 256; id++) {
        uint8_t data [] = { 0x91, 0xcc, (uint8_t)id };
        assert_int_equal (bench_decode_exact (data, sizeof data),
                          usher_layout (id) ? USHER_OK : USHER_E_UNKNOWN);
    }
    assert_int_equal (bench_decode_exact ("\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 10), USHER_E_UNKNOWN);
    assert_int_equal (bench_decode_exact ("\x91\xcf\x00\x00\x00\x01\x00\x00\x00\x01", 10), USHER_E_UNKNOWN);
    usher_msg_t msg = { .id = 0 };
    uint8_t data [64];
    assert_int_equal (usher_encode (&msg, data, sizeof data), 0);
}

static void
test_wrong_schema (void **state)
{
    (void)state;
    uint8_t data [USHER_FRAME_HEAD];
    usher_frame_t frame;
    usher_frame_begin (data, sizeof data);
    assert_int_equal (usher_frame_open (&frame, data, sizeof data), USHER_OK);
    for (unsigned bit = 8; bit < 40; bit++) {
        data [bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal (usher_frame_open (&frame, data, sizeof data), USHER_E_SCHEMA);
        data [bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal (usher_frame_open (&frame, NULL, 0), USHER_E_SYNTAX);
}

//  ---- memory

//  Reads every sample and every foreign item; the counter must see what encoding by msgpack's own buffer takes.
static void
test_no_allocation (void **state)
{
    (void)state;
    static uint8_t data [1 << 20];
    size_t size = usher_frame_begin (data, sizeof data);
    for_each_sample (msg, bench_pool (64)) size += usher_encode (&msg, data + size, sizeof data - size);
    usher_schema ();
    size_t before = allocations_count ();
    //  volatile, or the compiler would leave both calls out.
    void *volatile block = malloc (1);
    free (block);
    assert_true (allocations_count () > before);
    before = allocations_count ();
    usher_frame_t frame;
    usher_msg_t msg;
    usher_frame_open (&frame, data, size);
    while (usher_decode (&frame, &msg) == USHER_OK)
        ;
    for (size_t at = 0; at < sizeof foreign / sizeof *foreign; at++) {
        usher_records_open (&frame, foreign [at].data, foreign [at].size);
        usher_decode (&frame, &msg);
    }
    size_t after = allocations_count ();
    assert_int_equal (after, before);
}

//  ---- msgpack-c reads what we write

static void
object_check (const msgpack_object *object, const void *value, usher_kind_t kind)
{
    const usher_str_t *text = value;
    switch (kind) {
    case USHER_U32:
    case USHER_ENUM:
        assert_int_equal (object->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
        assert_int_equal (object->via.u64, *(const uint32_t *)value);
        break;
    case USHER_U64:
        assert_int_equal (object->type, MSGPACK_OBJECT_POSITIVE_INTEGER);
        assert_true (object->via.u64 == *(const uint64_t *)value);
        break;
    case USHER_F64:
        if (isnan (*(const double *)value)) {
            assert_int_equal (object->type, MSGPACK_OBJECT_NIL);
            break;
        }
        assert_int_equal (object->type, MSGPACK_OBJECT_FLOAT64);
        assert_memory_equal (&object->via.f64, value, sizeof (double));
        break;
    case USHER_STR:
        assert_int_equal (object->type, MSGPACK_OBJECT_BIN);
        assert_int_equal (object->via.bin.size, text->size);
        if (text->size)
            assert_memory_equal (object->via.bin.ptr, text->data, text->size);
        break;
    }
}

static void
array_check (const msgpack_object *object, usher_msg_t *msg)
{
    const usher_layout_t *layout = usher_layout (msg->id);
    assert_int_equal (object->type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal (object->via.array.ptr [0].via.u64, layout->id);
    size_t col = 0;
    //  What did not travel is zero now; the caller sees whether it was before.
    for (size_t at = 1; at < object->via.array.size; at++) {
        const msgpack_object *item = &object->via.array.ptr [at];
        int64_t skip = item->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ? -item->via.i64 : 0;
        for (; skip; skip--)
            bench_zero_field (msg, &layout->fields [col++]);
        if (item->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
            continue;
        object_check (item, sample_field (msg, &layout->fields [col]), layout->fields [col].kind);
        col++;
    }
    while (col < layout->field_count)
        bench_zero_field (msg, &layout->fields [col++]);
}

static void
test_msgpack_c (void **state)
{
    (void)state;
    for_each_sample (msg, bench_pool (bench_longest ()))
    {
        size_t room = usher_encode_bound (&msg) + USHER_FRAME_HEAD, at = 0;
        uint8_t *data = malloc (room);
        size_t size = usher_frame_begin (data, room);
        size += usher_encode (&msg, data + size, room - size);
        msgpack_unpacked item;
        msgpack_unpacked_init (&item);
        assert_int_equal (msgpack_unpack_next (&item, (char *)data, size, &at), MSGPACK_UNPACK_SUCCESS);
        assert_int_equal (item.data.via.u64, usher_schema ());
        int result = msgpack_unpack_next (&item, (char *)data, size, &at);
        assert_true (result == MSGPACK_UNPACK_SUCCESS || result == MSGPACK_UNPACK_EXTRA_BYTES);
        usher_msg_t sent = msg;
        array_check (&item.data, &sent);
        assert_true (usher_equal (&sent, &msg));
        assert_int_equal (at, size);
        msgpack_unpacked_destroy (&item);
        free (data);
    }
}

int
main (void)
{
    allocations_open ();
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_foreign_types), cmocka_unit_test (test_mixed_kinds),
        cmocka_unit_test (test_skips),         cmocka_unit_test (test_long_numbers),
        cmocka_unit_test (test_unknown_ids),   cmocka_unit_test (test_wrong_schema),
        cmocka_unit_test (test_no_allocation), cmocka_unit_test (test_msgpack_c),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
