//  test_codec - every row of messages.def: there and back, at its limits, cut, bent, and from a stranger
//
//  Argument: the committed vectors.txt. All tests follow from the tables; test_codec_hostile.c has what never comes
//  from our own encoder.

#include "codec_bench.h"

static void
round_trip (const usher_msg_t *msg)
{
    uint8_t *data;
    size_t size = bench_encode (msg, &data);
    usher_msg_t back;
    usher_frame_t frame;
    usher_records_open (&frame, data, size);
    assert_int_equal (usher_decode (&frame, &back), USHER_OK);
    assert_true (usher_equal (msg, &back));
    assert_int_equal (usher_decode (&frame, &back), USHER_END);
    free (data);
}

static void
test_round_trip (void **state)
{
    (void)state;
    usher_str_t pools [] = { bench_pool (64), bench_pool (bench_longest ()) };
    for (size_t at = 0; at < sizeof pools / sizeof *pools; at++)
        for_each_sample (msg, pools [at]) round_trip (&msg);
}

//  A buffer that is one byte too small gets nothing beyond its end, and the caller is told; one that fits, though it is less
//  than the bound, gets all.
static void
test_no_room (void **state)
{
    (void)state;
    for_each_sample (msg, bench_pool (64))
    {
        uint8_t *data, *exact;
        size_t size = bench_encode (&msg, &data);
        exact = malloc (size);
        assert_int_equal (usher_encode (&msg, exact, size), size);
        assert_memory_equal (exact, data, size);
        free (exact);
        free (data);
        for (size_t room = 0; room < size; room++) {
            data = malloc (room + 1);
            assert_int_equal (usher_encode (&msg, data, room), 0);
            free (data);
        }
    }
    uint8_t head [USHER_FRAME_HEAD];
    for (size_t room = 0; room < sizeof head; room++)
        assert_int_equal (usher_frame_begin (head, room), 0);
    assert_int_equal (usher_frame_begin (head, sizeof head), USHER_FRAME_HEAD);
}

//  Numbers that a 64-bit field is limited to would need a check that the codec does not make.
static void
test_tables (void **state)
{
    (void)state;
    for (size_t row = 0; row < usher_layout_count; row++) {
        const usher_layout_t *layout = &usher_layouts [row];
        assert_ptr_equal (usher_layout (layout->id), layout);
        assert_true (layout->size <= sizeof (usher_msg_t));
        for (size_t col = 0; col < layout->field_count; col++) {
            const usher_field_t *field = &layout->fields [col];
            assert_true (field->kind != USHER_U64 || field->max == UINT64_MAX);
            assert_true (field->kind == USHER_U64 || field->max <= UINT32_MAX);
        }
    }
    for (uint64_t id = 0; id < 300; id++)
        assert_true (!usher_layout (id) || usher_layout (id)->id == id);
}

//  One beyond the limit of each field in turn, on the way out and on the way in.
static void
test_beyond_limit (void **state)
{
    (void)state;
    const char *text = bench_pool (bench_longest () + 1).data;
    for_each_field (layout, field)
    {
        if (field->kind == USHER_U64 || field->kind == USHER_F64 || field->max == UINT32_MAX)
            continue;
        usher_msg_t msg;
        sample_make (layout, SAMPLE_ZERO, bench_pool (0), &msg);
        if (field->kind == USHER_STR)
            *(usher_str_t *)sample_field (&msg, field) = usher_bytes (text, field->max + 1);
        else
            *(uint32_t *)sample_field (&msg, field) = (uint32_t)field->max + 1;
        size_t bound = usher_encode_bound (&msg);
        uint8_t *data = malloc (bound);
        assert_int_equal (usher_encode (&msg, data, bound), 0);
        free (data);

        msgpack_sbuffer out;
        msgpack_sbuffer_init (&out);
        bench_pack_zeros (&out, layout, field, 1);
        msgpack_packer packer;
        msgpack_packer_init (&packer, &out, msgpack_sbuffer_write);
        if (field->kind == USHER_STR)
            msgpack_pack_bin_with_body (&packer, text, field->max + 1);
        else
            msgpack_pack_uint64 (&packer, field->max + 1);
        assert_int_equal (bench_decode_exact (out.data, out.size), USHER_E_RANGE);
        msgpack_sbuffer_destroy (&out);
    }
}

//  Arrays have a count, so a message that was cut is never a shorter message.
static void
test_message_truncated (void **state)
{
    (void)state;
    for_each_sample (msg, bench_pool (64))
    {
        uint8_t *data;
        size_t size = bench_encode (&msg, &data);
        assert_int_equal (bench_decode_exact (data, 0), USHER_END);
        for (size_t cut = 1; cut < size; cut++)
            assert_true (bench_decode_exact (data, cut) > USHER_END);
        free (data);
    }
}

//  A frame that was cut gives the messages before the cut as they were, then an error, or a clean end between two.
static void
test_frame_truncated (void **state)
{
    (void)state;
    size_t ends [512], count = 0, size = 0;
    static uint8_t whole [1 << 20];
    size = usher_frame_begin (whole, sizeof whole);
    ends [count++] = size;
    for_each_sample (msg, bench_pool (64))
    {
        size_t more = usher_encode (&msg, whole + size, sizeof whole - size);
        assert_true (more > 0 && count < sizeof ends / sizeof *ends);
        size += more;
        ends [count++] = size;
    }
    for (size_t cut = 0; cut <= size; cut += cut < 4096 ? 1 : 7) {
        uint8_t *data = bench_exact (whole, cut);
        usher_frame_t frame;
        usher_error_t error = usher_frame_open (&frame, data, cut);
        assert_int_equal (error, cut < USHER_FRAME_HEAD ? USHER_E_SYNTAX : USHER_OK);
        size_t read = 0;
        usher_msg_t msg;
        while (error == USHER_OK && (error = usher_decode (&frame, &msg)) == USHER_OK)
            read++;
        if (cut >= USHER_FRAME_HEAD) {
            assert_true (ends [read] <= cut && (read + 1 == count || cut < ends [read + 1]));
            assert_int_equal (error == USHER_END, ends [read] == cut);
        }
        free (data);
    }
}

//  Whatever one bit does, reading stays inside (AddressSanitizer watches) and what is read can be written.
static void
test_bit_flips (void **state)
{
    (void)state;
    for_each_sample (msg, bench_pool (64))
    {
        uint8_t *data, again [16384];
        size_t size = bench_encode (&msg, &data);
        for (size_t bit = 0; bit < size * 8; bit++) {
            data [bit / 8] ^= (uint8_t)(1u << bit % 8);
            usher_frame_t frame;
            usher_msg_t back;
            usher_records_open (&frame, data, size);
            usher_error_t error;
            while ((error = usher_decode (&frame, &back)) == USHER_OK)
                assert_true (usher_encode (&back, again, sizeof again) > 0);
            assert_int_equal (back.id, 0);
            data [bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free (data);
    }
}

//  What an older build stored: the first fields only. And what any build leaves out.
static void
test_missing_fields (void **state)
{
    (void)state;
    for_each_field (layout, field)
    {
        size_t count = (size_t)(field - layout->fields) + 1;
        usher_msg_t msg, back;
        sample_make (layout, SAMPLE_FILLED, bench_pool (0), &msg);
        for (size_t col = count; col < layout->field_count; col++)
            bench_zero_field (&msg, &layout->fields [col]);
        uint8_t *data;
        size_t size = bench_encode (&msg, &data);
        assert_true (bench_array_size (data) <= count + 1);
        usher_frame_t frame;
        usher_records_open (&frame, data, size);
        memset (&back, 0xa5, sizeof back);
        assert_int_equal (usher_decode (&frame, &back), USHER_OK);
        assert_true (usher_equal (&msg, &back));
        free (data);
    }
    usher_msg_t drain = { .id = USHER_MSG_drain };
    uint8_t *data;
    assert_int_equal (bench_encode (&drain, &data), 2);
    free (data);
}

static void
test_too_many_fields (void **state)
{
    (void)state;
    for (size_t row = 0; row < usher_layout_count; row++) {
        msgpack_sbuffer out;
        msgpack_sbuffer_init (&out);
        bench_pack_zeros (&out, &usher_layouts [row], NULL, 1);
        msgpack_sbuffer_write (&out, "\0", 1);
        assert_int_equal (bench_decode_exact (out.data, out.size), USHER_E_SHAPE);
        msgpack_sbuffer_destroy (&out);
    }
}

//  ---- the committed vectors

static const char *vectors_path;

static size_t
hex_read (const char *text, uint8_t *data)
{
    size_t size = 0;
    unsigned byte;
    while (sscanf (text + size * 2, "%2x", &byte) == 1)
        data [size++] = (uint8_t)byte;
    return size;
}

static void
vector_check (const char *name, const char *hex, const usher_msg_t *msg)
{
    uint8_t wanted [16384], *data;
    size_t wanted_size = hex_read (hex, wanted), size = bench_encode (msg, &data);
    if (size != wanted_size || memcmp (data, wanted, size))
        fail_msg ("%s is not written as vectors.txt has it", name);
    free (data);
}

static void
test_vectors (void **state)
{
    (void)state;
    char pool [64];
    for (int at = 0; at < 64; at++)
        pool [at] = (char)(at == 1 ? 0 : at * 4 + 3);
    FILE *file = fopen (vectors_path, "r");
    assert_non_null (file);
    static char line [65536];
    assert_non_null (fgets (line, sizeof line, file));
    assert_int_equal (strtoul (line + strlen ("schema "), NULL, 16), usher_schema ());
    for_each_sample (msg, usher_bytes (pool, sizeof pool))
    {
        assert_non_null (fgets (line, sizeof line, file));
        char *hex = strchr (line, ' ');
        assert_non_null (hex);
        *hex = 0;
        vector_check (line, hex + 1, &msg);
    }
    assert_null (fgets (line, sizeof line, file));
    fclose (file);
}

int
main (int argc, char **argv)
{
    if (argc != 2) {
        fputs ("usage: test_codec VECTORS\n", stderr);
        return 2;
    }
    vectors_path = argv [1];
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_tables),
        cmocka_unit_test (test_round_trip),
        cmocka_unit_test (test_no_room),
        cmocka_unit_test (test_beyond_limit),
        cmocka_unit_test (test_message_truncated),
        cmocka_unit_test (test_frame_truncated),
        cmocka_unit_test (test_bit_flips),
        cmocka_unit_test (test_missing_fields),
        cmocka_unit_test (test_too_many_fields),
        cmocka_unit_test (test_vectors),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
