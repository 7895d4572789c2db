//  test_aws - how often a store is asked that says no, and where the keys to sign with come from

#include "aws_credentials.h"
#include "pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_delays_are_jittered_and_bounded (void **state)
{
    pacer_t pacer;
    int64_t longest = 0;
    (void)state;
    pacer_init (&pacer, 1);
    for (uint32_t attempt = 1; attempt < 60; attempt++)
        for (int draw_number = 0; draw_number < 50; draw_number++) {
            int64_t delay = pacer_delay_ms (&pacer, attempt);
            assert_in_range (delay, 0, PACER_DELAY_MAX_MS);
            longest = attempt == 1 && delay > longest ? delay : longest;
        }
    assert_in_range (longest, PACER_DELAY_MIN_MS / 2, PACER_DELAY_MIN_MS);
    for (int failure = 0; failure < 200; failure++)
        pacer_fail (&pacer, 1000);
    assert_false (pacer_allows (&pacer, 999, 0, 16) ||
                  pacer_allows (&pacer, 1000 + PACER_DELAY_MAX_MS, 1, 16));
    assert_true (pacer_allows (&pacer, 1000 + PACER_DELAY_MAX_MS, 0, 16));
    for (int success = 0; success < 1000; success++)
        pacer_succeed (&pacer);
    assert_true (pacer_allows (&pacer, 1000, 15, 16) && !pacer_allows (&pacer, 1000, 16, 16));
}

//  Pairs, then NULL: what getenv is to find.
static const char *const *environment;

static char *
look_up (const char *name)
{
    for (const char *const *pair = environment; *pair; pair += 2)
        if (strcmp (*pair, name) == 0)
            return (char *)(uintptr_t)pair [1];
    return NULL;
}

static void
test_keys_are_fetched_before_they_expire (void **state)
{
    static const char *const container [] = { "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys",
                                              "AWS_CONTAINER_AUTHORIZATION_TOKEN", "word", NULL };
    static const char answer [] = "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
                                  "\"Expiration\":\"2026-11-23T14:00:00Z\"}";
    const int64_t expires_ms = 1795442400000, minute = 60000;
    char why [256];
    aws_request_t request;
    (void)state;
    environment = container;
    aws_credentials_t *keys = aws_credentials_new (look_up, why, sizeof why);
    assert_true (aws_credentials_next (keys, 1, &request));
    assert_string_equal (request.url, "http://169.254.170.2/keys");
    assert_string_equal (request.header, "Authorization: word");
    assert_false (aws_credentials_next (keys, 1, &request));    //  one at a time
    assert_true (aws_credentials_answered (keys, expires_ms - 60 * minute, 200, answer, sizeof answer - 1));
    assert_string_equal (aws_credentials_token (keys), "T");
    assert_false (aws_credentials_next (keys, expires_ms - 6 * minute, &request));
    assert_true (aws_credentials_next (keys, expires_ms - 5 * minute, &request));
    assert_false (aws_credentials_answered (keys, expires_ms - 5 * minute, 0, "no route", 8));
    assert_true (aws_credentials_valid (keys, expires_ms - 1) && !aws_credentials_valid (keys, expires_ms));
    assert_false (aws_credentials_next (keys, expires_ms - 5 * minute + 1000, &request));
    assert_true (aws_credentials_next (keys, expires_ms - 4 * minute, &request));
    aws_credentials_destroy (&keys);
}

static void
test_settings_of_keys_that_cannot_be_used (void **state)
{
    static const char *const half [] = { "AWS_ACCESS_KEY_ID", "K", NULL };
    static const char *const far [] = { "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys",
                                        NULL };
    static const char *const near [] = { "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                         "http://127.0.0.1.example.com/", NULL };
    static const char *const none [] = { "AWS_EC2_METADATA_DISABLED", "true", NULL };
    static const struct {
        const char *const *environment;
        const char *word;
    } cases [] = {
        { half, "AWS_SECRET_ACCESS_KEY" }, { far, "https" }, { near, "https" }, { none, "AWS_ACCESS_KEY_ID" }
    };
    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        char why [512] = "";
        environment = cases [at].environment;
        assert_null (aws_credentials_new (look_up, why, sizeof why));
        assert_non_null (strstr (why, cases [at].word));
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_delays_are_jittered_and_bounded),
        cmocka_unit_test (test_keys_are_fetched_before_they_expire),
        cmocka_unit_test (test_settings_of_keys_that_cannot_be_used),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
