//  test_answer - the collector's replies, as they were measured on the real one

#include "answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define NEW_ID "99999999-9999-4999-8999-999999999999"
#define TIME_MS 1795416420000LL    //  Mon, 23 Nov 2026 06:47:00

static const answer_rules_t rules = { .cookie_name = "sp",
                                      .cookie_days = 365,
                                      .cookie_secure = true,
                                      .cookie_http_only = true,
                                      .cookie_same_site = "None",
                                      .paths = "com.acme/track, /x/y,/a/b=/c/d",
                                      .max_body_bytes = 1000 };

static ask_t
ask_new (const char *method, const char *path)
{
    return (ask_t){ .method = span_of (method), .path = span_of (path), .peer = span_of ("10.0.0.1") };
}

static const char *
header (const answer_t *answer, const char *name)
{
    for (size_t index = 0; index < answer->header_count; index++)
        if (strcmp (answer->headers [index].name, name) == 0)
            return answer->headers [index].value;
    return NULL;
}

static const struct {
    const char *method, *path;
    int status;
    const char *body;    //  NULL: the pixel
    bool take;
} cases [] = {
    { "POST", "/com.snowplowanalytics.snowplow/tp2", 200, "ok", true },
    { "POST", "/any/thing", 200, "ok", true },
    { "POST", "/i", 404, "404 not found", false },
    { "POST", "/a/b/c", 404, "404 not found", false },
    { "POST", "/a/", 404, "404 not found", false },
    { "POST", "/a", 404, "404 not found", false },
    { "GET", "/i", 200, NULL, true },
    { "HEAD", "/ice.png", 200, NULL, true },
    { "GET", "/com.snowplowanalytics.snowplow/tp2", 200, NULL, true },
    { "GET", "/health", 200, "OK", false },
    { "HEAD", "/sink-health", 200, "OK", false },
    { "GET", "/r/tp2", 404, "redirects disabled", false },
    { "POST", "/r/tp2", 404, "redirects disabled", false },
    { "GET", "/", 404, "404 not found", false },
    { "GET", "/crossdomain.xml", 404, "404 not found", false },
    { "PUT", "/com.snowplowanalytics.snowplow/tp2", 404, "404 not found", false },
    { "DELETE", "/i", 404, "404 not found", false },
    { "OPTIONS", "/com.snowplowanalytics.snowplow/tp2", 200, "", false },
    { "OPTIONS", "/", 200, "", false },
    { "", "", 404, "404 not found", false },
};

static void
test_routes (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof cases / sizeof cases [0]; index++) {
        ask_t ask = ask_new (cases [index].method, cases [index].path);
        answer_t answer;
        answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
        if (answer.status != cases [index].status || answer.take != cases [index].take)
            fail_msg ("%s %s: %d", cases [index].method, cases [index].path, answer.status);
        if (cases [index].body)
            assert_string_equal (answer.body, cases [index].body);
        else
            assert_string_equal (answer.content_type, "image/gif");
    }
}

static void
test_pixel (void **state)
{
    (void)state;
    static const unsigned char gif [43] = { 0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0xf0,
                                            0x00, 0x00, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x21, 0xf9, 0x04,
                                            0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00, 0x00, 0x00, 0x01,
                                            0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b };
    ask_t ask = ask_new ("GET", "/i");
    answer_t answer;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.body_size, sizeof gif);
    assert_memory_equal (answer.body, gif, sizeof gif);
    assert_string_equal (header (&answer, "Cache-Control"), "no-cache, no-store, must-revalidate");
}

static void
test_headers (void **state)
{
    (void)state;
    ask_t ask = ask_new ("POST", "/a/b");
    answer_t answer;
    ask.origin = span_of ("http://site:3000");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (answer.content_type, "text/plain; charset=UTF-8");
    assert_string_equal (header (&answer, "Access-Control-Allow-Origin"), "http://site:3000");
    assert_string_equal (header (&answer, "Access-Control-Allow-Credentials"), "true");
    assert_string_equal (header (&answer, "P3P"),
                         "policyref=\"/w3c/p3p.xml\", CP=\"NOI DSP COR NID PSA OUR IND COM NAV STA\"");
    assert_string_equal (header (&answer, "Set-Cookie"),
                         "sp=" NEW_ID
                         "; Expires=Tue, 23 Nov 2027 06:47:00 GMT; Path=/; Secure; HttpOnly; SameSite=None");
    ask.origin = span_of ("null");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (header (&answer, "Access-Control-Allow-Origin"), "null");
    ask.origin = span_of ("a\r\nb");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (header (&answer, "Access-Control-Allow-Origin"), "*");
    ask = ask_new ("OPTIONS", "/a/b");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (header (&answer, "Access-Control-Allow-Origin"), "*");
    assert_string_equal (header (&answer, "Access-Control-Allow-Headers"), "Content-Type, SP-Anonymous");
    assert_string_equal (header (&answer, "Access-Control-Max-Age"), "3600");
    assert_null (header (&answer, "Set-Cookie"));
    assert_null (answer.content_type);
}

//  What query and cookie say, and which id comes of it.
static const struct {
    const char *query, *cookie, *id;
} id_cases [] = {
    { "", "", NEW_ID },
    { "", "a=1; sp=abc; b=2", "abc" },
    { "", "xsp=1;sp=abc", "abc" },
    { "", "sp=", NEW_ID },
    { "e=pv&nuid=n", "sp=abc", "n" },
    { "nuid=%61%2D%C3%A9%4", "sp=abc", "a-\xC3\xA9%4" },
    { "nuid=a%00b", "", "a?b" },
    { "nuid=", "sp=abc", "abc" },
    { "", "sp=a%2Db", "a%2Db" },
    { "xnuid=n", "", NEW_ID },
};

static void
test_identity (void **state)
{
    (void)state;
    answer_t answer;
    for (size_t index = 0; index < sizeof id_cases / sizeof id_cases [0]; index++) {
        ask_t ask = ask_new ("GET", "/i");
        ask.query = span_of (id_cases [index].query);
        ask.cookie = span_of (id_cases [index].cookie);
        answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
        assert_string_equal (answer.network_userid, id_cases [index].id);
    }
    ask_t ask = ask_new ("GET", "/i");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (answer.ip, "10.0.0.1");
    ask.forwarded_for = span_of (" 1.2.3.4, 5.6.7.8");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (answer.ip, "1.2.3.4");
    ask.anonymous = true;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_null (header (&answer, "Set-Cookie"));
}

//  What cannot be a cookie's value is no cookie: percent-escapes must not write headers.
static void
test_cookies (void **state)
{
    (void)state;
    answer_rules_t other = rules;
    answer_t answer;
    ask_t ask = ask_new ("GET", "/i");
    ask.query = span_of ("nuid=n%0d%0aSet-Cookie:x");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (answer.network_userid, "n\r\nSet-Cookie:x");
    assert_null (header (&answer, "Set-Cookie"));
    ask.query = span_of ("nuid=n");
    other.cookie_days = 1;
    other.cookie_secure = other.cookie_http_only = false;
    other.cookie_same_site = "Lax";
    answer_decide (&answer, &other, &ask, TIME_MS, true, NEW_ID);
    assert_string_equal (header (&answer, "Set-Cookie"),
                         "sp=n; Expires=Tue, 24 Nov 2026 06:47:00 GMT; Path=/; SameSite=Lax");
    other.cookie_days = 0;
    ask.query = span_of ("");
    ask.cookie = span_of ("sp=abc");
    answer_decide (&answer, &other, &ask, TIME_MS, true, NEW_ID);
    assert_null (header (&answer, "Set-Cookie"));
    assert_string_equal (answer.network_userid, NEW_ID);
}

static void
test_paths (void **state)
{
    (void)state;
    static const char *const mapped [] = { "/com.acme/track", "/x/y" };
    answer_t answer;
    for (size_t index = 0; index < 2; index++) {
        ask_t ask = ask_new ("POST", mapped [index]);
        answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
        assert_true (span_is (answer.path, "/com.snowplowanalytics.snowplow/tp2"));
    }
    ask_t ask = ask_new ("POST", "/a/b");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_true (span_is (answer.path, "/c/d"));
    ask = ask_new ("POST", "/com.acme/trac");
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_true (span_is (answer.path, "/com.acme/trac"));
}

static void
test_bad_paths (void **state)
{
    (void)state;
    static const struct {
        const char *list, *bad;    //  NULL: all are good
    } lists [] = {
        { NULL, NULL },     { "", NULL },         { " , ", NULL },          { "a/b, /c/d=e/f", NULL },
        { "a/b,c", "c" },   { "a/b/c", "a/b/c" }, { "/a/", "/a/" },         { "//a/b", "//a/b" },
        { "a/b=", "a/b=" }, { "=a/b", "=a/b" },   { "a/b=c=d", "a/b=c=d" },
    };
    for (size_t index = 0; index < sizeof lists / sizeof lists [0]; index++) {
        span_t bad = span_of (NULL);
        bool good = answer_check_paths (lists [index].list, &bad);
        if (good != (lists [index].bad == NULL) || (!good && !span_is (bad, lists [index].bad)))
            fail_msg ("%s: %.*s", lists [index].list, (int)bad.size, bad.data);
    }
}

static void
test_refusals (void **state)
{
    (void)state;
    ask_t ask = ask_new ("POST", "/a/b");
    answer_t answer;
    ask.body_size = 1000;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.status, 200);
    ask.body_size = 1001;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.status, 413);
    assert_false (answer.take);
    answer_refuse (&answer, &ask, ANSWER_UNAVAILABLE);
    assert_int_equal (answer.status, 503);
    assert_null (header (&answer, "Set-Cookie"));
    assert_string_equal (header (&answer, "Access-Control-Allow-Origin"), "*");
    ask.body_size = 0;
    ask.line_size = 20480;
    ask.headers_size = 40960;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.status, 200);
    ask.line_size++;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.status, 400);
    ask.line_size = 0;
    ask.headers_size++;
    answer_decide (&answer, &rules, &ask, TIME_MS, true, NEW_ID);
    assert_int_equal (answer.status, 400);
    ask = ask_new ("GET", "/health");
    answer_decide (&answer, &rules, &ask, TIME_MS, false, NEW_ID);
    assert_int_equal (answer.status, 503);
    assert_string_equal (answer.body, "Service Unavailable");
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_routes),    cmocka_unit_test (test_pixel),    cmocka_unit_test (test_headers),
        cmocka_unit_test (test_identity),  cmocka_unit_test (test_cookies),  cmocka_unit_test (test_paths),
        cmocka_unit_test (test_bad_paths), cmocka_unit_test (test_refusals),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
