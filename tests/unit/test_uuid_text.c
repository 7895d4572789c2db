//  test_uuid_text - the texts that are read as sixteen bytes are those that come out again as they were, and no others

#include "uuid_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static const char TEXT [] = "01234567-89ab-cdef-fedc-ba9876543210";

static void
test_bytes (void **state)
{
    (void)state;
    static const uint8_t bytes [UUID_BYTES] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                                0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
    uint8_t read [UUID_BYTES];
    assert_true (uuid_read (usher_bytes (TEXT, UUID_TEXT), read));
    assert_memory_equal (read, bytes, sizeof bytes);
    for (size_t size = 0; size < UUID_TEXT; size++)
        assert_false (uuid_read (usher_bytes (TEXT, size), read));
    assert_false (uuid_read (usher_bytes (TEXT, UUID_TEXT + 1), read));
}

static bool
is_digit (int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
}

//  Each byte in each place, and beside another that is wrong as well.
static void
test_any_byte_anywhere (void **state)
{
    (void)state;
    for (size_t at = 0; at < UUID_TEXT; at++)
        for (int byte = 0; byte < 256; byte++) {
            char text [UUID_TEXT], written [UUID_TEXT];
            uint8_t bytes [UUID_BYTES];
            memcpy (text, TEXT, sizeof text);
            text [at] = (char)byte;
            bool sound = TEXT [at] == '-' ? byte == '-' : is_digit (byte);
            assert_int_equal (uuid_read (usher_bytes (text, sizeof text), bytes), sound);
            if (sound) {
                uuid_write (bytes, written);
                assert_memory_equal (written, text, sizeof text);
            }
            text [at ? at - 1 : at + 1] = (char)byte;
            if (!is_digit (byte))
                assert_false (uuid_read (usher_bytes (text, sizeof text), bytes));
        }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_bytes),
        cmocka_unit_test (test_any_byte_anywhere),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
