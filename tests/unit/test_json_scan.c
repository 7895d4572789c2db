//  test_json_scan - what is read sixteen bytes at a time is read as byte by byte, wherever in a block it stands
//
//  Built twice: with this machine's instructions, and with the loops that other machines have.

#include "snowplow/json_scan.h"
#include "snowplow/utf8.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZES 70

//  A string of so many letters, without a byte to spare behind its quote; the letter at place is replaced.
static bool
scan_string (size_t size, size_t place, const char *replaced, json_value_t *value, const char **fault)
{
    static char *text;
    size_t more = strlen (replaced);
    free (text);
    text = malloc (size + more + 1);
    memset (text, 'x', size + more + 1);
    memcpy (text + 1 + place, replaced, more);
    text [0] = text [size + more] = '"';
    json_scan_t scan;
    json_scan_open (&scan, text, size + more + 1);
    bool good = json_scan_value (&scan, value) && json_scan_done (&scan);
    *fault = scan.fault;
    return good;
}

static void
test_string (void **state)
{
    json_value_t value;
    const char *fault;
    (void)state;
    for (size_t size = 1; size < SIZES; size++)
        for (size_t place = 0; place < size; place++) {
            assert_true (scan_string (size, place, "", &value, &fault));
            assert_int_equal (value.size, size - 1);
            assert_false (value.escaped);
            assert_true (scan_string (size, place, "\\n", &value, &fault));
            assert_true (value.escaped && value.size == size + 1);
            assert_true (scan_string (size, place, "\xc3\xa4", &value, &fault));
            assert_true (!value.escaped && value.size == size + 1);
            assert_false (scan_string (size, place, "\x1f", &value, &fault));
            assert_string_equal (fault, "control character in a string");
            assert_false (scan_string (size, place, "\\x", &value, &fault));
            assert_string_equal (fault, "no such escape");
        }
}

static void
test_string_without_end (void **state)
{
    (void)state;
    for (size_t size = 1; size < SIZES; size++) {
        char *text = malloc (size);
        json_scan_t scan;
        json_value_t value;
        memset (text, 'x', size);
        *text = '"';
        json_scan_open (&scan, text, size);
        assert_false (json_scan_value (&scan, &value));
        assert_string_equal (scan.fault, "string without an end");
        free (text);
    }
}

static void
check_utf8 (size_t size, size_t place, const char *bytes, bool expected)
{
    size_t more = strlen (bytes) + (*bytes == 0);
    char *text = malloc (size + more);
    memset (text, 'x', size + more);
    memcpy (text + place, bytes, more);
    if (utf8_is_valid (text, size + more) != expected)
        fail_msg ("%zu bytes, %02x at %zu", size + more, (unsigned char)*bytes, place);
    free (text);
}

static void
test_utf8 (void **state)
{
    (void)state;
    for (size_t size = 0; size < SIZES; size++)
        for (size_t place = 0; place <= size; place++) {
            check_utf8 (size, place, "x", true);
            check_utf8 (size, place, "\xc3\xa4", true);
            check_utf8 (size, place, "\xf0\x9f\x98\x80", true);
            check_utf8 (size, place, "", false);    //  U+0000
            check_utf8 (size, place, "\x80", false);
            check_utf8 (size, place, "\xed\xa0\x80", false);
        }
}

//  ---- numbers

//  The double is the nearest, to the last bit.
static void
check_number (const char *text)
{
    json_value_t value = { .type = '0', .data = text, .size = strlen (text) };
    double number = json_value_number (&value), expected = strtod (text, NULL);
    if (memcmp (&number, &expected, sizeof number) != 0)
        fail_msg ("%s is %.17g, not %.17g", text, expected, number);
}

static void
test_number (void **state)
{
    static const char *const texts [] = {
        "0",
        "-0",
        "-0.0",
        "0.1",
        "596.474195",
        "9007199254740992",
        "9007199254740993",
        "9007199254740991",
        "-9007199254740993",
        "0.9007199254740993",
        "90071992547409.93",
        "1234567890123456",
        "12345678901234567",
        "0.000000000000001",
        "0.0000000000000001",
        "1e22",
        "1E-7",
        "1.5e3",
        "4.35",
        "0.3",
        "2.675",
        "5e-324",
        "1.7976931348623157e308",
    };
    char text [40];
    (void)state;
    for (size_t row = 0; row < sizeof texts / sizeof *texts; row++)
        check_number (texts [row]);
    for (uint64_t seed = 1; seed < 200000; seed++) {
        uint64_t number = seed * 0x9e3779b97f4a7c15u;
        snprintf (text, sizeof text, "%llu.%0*llu", (unsigned long long)(number >> 40 >> seed % 24),
                  1 + (int)(seed % 9), (unsigned long long)(number & 0xffffff));
        check_number (text);
    }
}

static void
test_not_a_number (void **state)
{
    static const json_value_t values [] = {
        { .type = '"', .data = "", .size = 0 },     { .type = '"', .data = "1x", .size = 2 },
        { .type = '"', .data = "-", .size = 1 },    { .type = '"', .data = "1.", .size = 2 },
        { .type = '"', .data = "01", .size = 2 },   { .type = '0', .data = "1e999", .size = 5 },
        { .type = 't', .data = "true", .size = 4 },
    };
    (void)state;
    for (size_t row = 0; row < sizeof values / sizeof *values; row++)
        assert_true (isnan (json_value_number (&values [row])));
    assert_true (json_value_number (&(json_value_t){ .type = '"', .data = "-1.5", .size = 4 }) == -1.5);
}

//  A key that is expected: just its bytes, or it is read as any other.
static void
test_a_key_that_is_expected (void **state)
{
    static const struct {
        const char *text;
        bool first, second;    //  are they a and bc as they are expected?
    } rows [] = {
        { "{\"a\":1,\"bc\":2}", true, true },   { "{ \"a\":1,\"bc\":2}", false, true },
        { "{\"a\":1, \"bc\":2}", true, false }, { "{\"a\" :1,\"bc\":2}", false, true },
        { "{\"a\":1,\"bc\" :2}", true, false }, { "{\"\\u0061\":1,\"bc\":2}", false, true },
        { "{\"b\":1,\"bd\":2}", false, false }, { "{\"a\":1,\"bcd\":2}", true, false },
    };
    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        json_scan_t scan;
        json_value_t key, value;
        json_scan_open (&scan, rows [row].text, strlen (rows [row].text));
        assert_true (json_scan_enter (&scan));
        assert_int_equal (json_scan_member_is (&scan, "a", 1), rows [row].first);
        assert_true (rows [row].first || json_scan_member (&scan, &key));
        assert_true (json_scan_value (&scan, &value));
        assert_true (json_value_number (&value) == 1);
        assert_int_equal (json_scan_member_is (&scan, "bc", 2), rows [row].second);
        assert_true (rows [row].second || json_scan_member (&scan, &key));
        assert_true (json_scan_value (&scan, &value));
        assert_false (json_scan_member_is (&scan, "bc", 2));
        assert_false (json_scan_member (&scan, &key));
        assert_true (json_scan_done (&scan));
    }
    //  Wherever the text ends, it is not there.
    static const char whole [] = "{\"a\":1,\"bc\":2}";
    for (size_t size = 0; size < 12; size++) {
        json_scan_t scan;
        json_value_t value;
        json_scan_open (&scan, whole, size);
        bool first = json_scan_enter (&scan) && json_scan_member_is (&scan, "a", 1);
        assert_int_equal (first, size >= 5);
        if (first && json_scan_value (&scan, &value))
            assert_false (json_scan_member_is (&scan, "bc", 2));
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_string),       cmocka_unit_test (test_string_without_end),
        cmocka_unit_test (test_utf8),         cmocka_unit_test (test_number),
        cmocka_unit_test (test_not_a_number), cmocka_unit_test (test_a_key_that_is_expected),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
