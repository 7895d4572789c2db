//  test_tracker_requests - what a whole request is judged for, and what one event of it is lost for alone
//
//  The cases are those that were measured on Enrich 3.8.0.

#include "test_tracker.h"

//  Where a request ends and what the reason must hold.
typedef struct {
    const char *name;
    const char *path, *query, *body, *content_type, *nuid;    //  NULL: as unit_request has it; no body: a GET
    tracker_kind_t kind;
    const char *reason;
} request_case_t;

#define I "/i"

// clang-format off
static const request_case_t request_cases[] = {
    { "good post", NULL, NULL, NEWEST ("[" PV "]"), NULL, NULL, TRACKER_EVENT, "" },
    { "good get", I, "e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "get has no contract", I, "e=pv&nobody=knows", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "get on tp2", NULL, "e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "plain content type", NULL, NULL, NEWEST ("[" PV "]"), "application/json", NULL, TRACKER_EVENT, "" },
    { "bad escape", I, "e=pv&page=%zz", NULL, NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in page" },
    { "bad escape, unknown key", I, "e=pv&x=%4", NULL, NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in x" },
    { "bad cookie", I, "e=pv", NULL, NULL, "abc", TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "networkUserId: not a UUID" },
    { "no query", I, "", NULL, NULL, NULL, TRACKER_ADAPTER_FAILURES, "querystring: empty" },
    { "no body", NULL, NULL, "", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body: not JSON: empty" },
    { "no body, but a query", NULL, "e=pv", "", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body: not JSON: empty" },
    { "no query on tp2", NULL, "", NULL, NULL, NULL, TRACKER_ADAPTER_FAILURES, "querystring: empty" },
    { "tp1 takes no body", "/com.snowplowanalytics.snowplow/tp1", "e=pv", "garbage", NULL, NULL, TRACKER_EVENT, "" },
    { "bad escape before bad path", "/com.acme/track", "e=%", NULL, NULL, NULL,
      TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION, "percent-escape in e" },
    { "bad escape before bad body", NULL, "e=%g0", "garbage", NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in e" },
    { "bad escape in a name", I, "e=pv&%x=1", NULL, NULL, NULL, TRACKER_COLLECTOR_PAYLOAD_FORMAT_VIOLATION,
      "percent-escape in %x" },
    { "bad path before bad body", "/com.acme/track", NULL, "garbage", NULL, NULL, TRACKER_ADAPTER_FAILURES, "no adapter" },
    { "no adapter", "/com.acme/track", NULL, NEWEST ("[" PV "]"), NULL, NULL, TRACKER_ADAPTER_FAILURES,
      "no adapter for /com.acme/track" },
    { "not JSON", NULL, NULL, "garbage", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "not JSON: value expected at byte 0" },
    { "half", NULL, NULL, "{\"schema\":", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "ends too early at byte 10" },
    { "array", NULL, NULL, "[]", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body: not an object" },
    { "no schema", NULL, NULL, "{\"data\":[" PV "]}", NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.schema: missing" },
    { "unknown schema", NULL, NULL, PAYLOAD ("1-0-5", "[" PV "]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.schema: no version" },
    { "another schema", NULL, NULL, "{\"schema\":\"" SP "contexts/jsonschema/1-0-0\",\"data\":[" PV "]}", NULL, NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "body.schema: no version of payload_data" },
    { "another model", NULL, NULL, PAYLOAD ("2-0-0", "[" PV "]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.schema" },
    { "empty data", NULL, NULL, NEWEST ("[]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.data: empty" },
    { "data no array", NULL, NULL, NEWEST ("{}"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "body.data" },
    { "number", NULL, NULL, NEWEST ("[{\"e\":\"pv\",\"p\":\"web\",\"tv\":1}]"), NULL, NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "body.data[0].\"tv\": not a string" },
    { "unknown key", NULL, NULL, NEWEST ("[" PV ",{\"zz\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[1].\"zz\": not a key" },
    { "cv in a post", NULL, NULL, NEWEST ("[{\"cv\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS, "\"cv\"" },
    { "item no object", NULL, NULL, NEWEST ("[1]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[0]: not an object" },
    { "required", NULL, NULL, NEWEST ("[{\"e\":\"pv\",\"tv\":\"t\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "body.data[0].p: missing" },
    { "ttm is too new", NULL, NULL,
      PAYLOAD ("1-0-3", "[{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"ttm\":\"1\"}]"), NULL, NULL,
      TRACKER_PROTOCOL_VIOLATIONS, "not a key of payload_data 1-0-3" },
    { "stm since 1-0-3", NULL, NULL,
      PAYLOAD ("1-0-2", "[{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"stm\":\"1\"}]"), NULL, NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "\"stm\"" },
    { "content type without blank", NULL, NULL, NEWEST ("[" PV "]"), "application/json;charset=utf-8", NULL,
      TRACKER_EVENT, "" },
    { "content type in capitals", NULL, NULL, NEWEST ("[" PV "]"), "Application/JSON ; charset=UTF-8", NULL,
      TRACKER_EVENT, "" },
    { "text", NULL, NULL, NEWEST ("[" PV "]"), "text/plain;charset=UTF-8", NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "contentType: not application/json: \"text/plain" },
    { "longer content type", NULL, NULL, NEWEST ("[" PV "]"), "application/json5", NULL, TRACKER_PROTOCOL_VIOLATIONS,
      "contentType" },
    { "no content type", NULL, NULL, NEWEST ("[" PV "]"), "", NULL, TRACKER_PROTOCOL_VIOLATIONS, "contentType" },
    { "no e", I, "p=web", NULL, NULL, NULL, TRACKER_ENRICHMENT_FAILURES, "e: missing" },
    { "unknown e", I, "e=xx", NULL, NULL, NULL, TRACKER_ENRICHMENT_FAILURES, "e: not a known event code: \"xx\"" },
    { "last duplicate wins", I, "e=xx&e=pv", NULL, NULL, NULL, TRACKER_EVENT, "" },
    { "query overrides the body", NULL, "e=xx", NEWEST ("[" PV "]"), NULL, NULL, TRACKER_ENRICHMENT_FAILURES,
      "\"xx\"" },
};
// clang-format on

static void
test_requests (void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof request_cases / sizeof request_cases [0]; index++) {
        const request_case_t *row = &request_cases [index];
        tracker_request_t request;
        unit_request (&request);
        request.method = span_of (row->body ? "POST" : "GET");
        request.query = span_of (row->query);
        request.body = span_of (row->body);
        request.path = row->path ? span_of (row->path) : request.path;
        request.content_type = row->content_type ? span_of (row->content_type) : request.content_type;
        request.network_userid = row->nuid ? span_of (row->nuid) : request.network_userid;
        tracker_outcomes_t *outcomes = tracker_read (&request);
        assert_int_equal (outcomes->count, 1);
        const tracker_outcome_t *outcome = &outcomes->items [0];
        if (outcome->kind != row->kind || !strstr (outcome->reason, row->reason))
            fail_msg ("%s: %s: %s", row->name, tracker_kind_name (outcome->kind), outcome->reason);
        assert_int_equal (strlen (outcome->body), outcome->size);
        tracker_outcomes_destroy (&outcomes);
        assert_null (outcomes);
    }
}

//  Every key of payload_data with the addition that brought it.
static const char *const payload_keys [] = {
    "tna aid p dtm tz e tid eid tv duid nuid uid vid ip res url page refr fp ctype cookie lang f_pdf f_qt "
    "f_realp f_wma f_dir "
    "f_fla f_java f_gears f_ag cd ds cs vp mac pp_mix pp_max pp_miy pp_may ad_ba ad_ca ad_ad ad_uid tr_id "
    "tr_af tr_tt tr_tx "
    "tr_sh tr_ci tr_st tr_co tr_cu ti_id ti_sk ti_nm ti_na ti_ca ti_pr ti_qu ti_cu sa sn st sp se_ca se_ac "
    "se_la se_pr se_va "
    "ue_na ue_pr ue_px co cx",
    "ua",
    "tnuid",
    "stm sid",
    "ttm",
};

//  Is a POST of payload_data 1-0-`addition` with this key within the schema? What the key's value is worth comes later.
static bool
is_allowed (const char *key, size_t size, int addition)
{
    tracker_request_t request;
    tracker_text_t body = { 0 };
    tracker_text_printf (&body,
                         "{\"schema\":\"" SP
                         "payload_data/jsonschema/1-0-%d\",\"data\":[{\"e\":\"pv\",\"p\":\"web\","
                         "\"tv\":\"t\",\"%.*s\":\"\"}]}",
                         addition, (int)size, key);
    unit_request (&request);
    request.body = tracker_text_span (&body);
    tracker_outcomes_t *outcomes = tracker_read (&request);
    bool allowed = outcomes->items [0].kind != TRACKER_PROTOCOL_VIOLATIONS;
    tracker_outcomes_destroy (&outcomes);
    tracker_text_free (&body);
    return allowed;
}

static void
test_payload_keys (void **state)
{
    (void)state;
    size_t keys = 0;
    for (int since = 0; since <= 4; since++)
        for (const char *key = payload_keys [since]; *key; keys++) {
            size_t size = strcspn (key, " ");
            for (int addition = 0; addition <= 4; addition++)
                if (is_allowed (key, size, addition) != (addition >= since))
                    fail_msg ("%.*s in 1-0-%d", (int)size, key, addition);
            key += size + (key [size] == ' ');
        }
    assert_int_equal (keys, 80);
    assert_false (is_allowed ("cv", 2, 4));
    assert_false (is_allowed ("nobody", 6, 4));
}

//  What the query says counts for every event of the body.
static void
test_query_overrides (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.query = span_of ("aid=first&aid=over&uid=u&cv=c");
    request.body = span_of (NEWEST ("[" PV ",{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"aid\":\"mine\"}]"));
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 2);
    for (size_t index = 0; index < 2; index++) {
        const char *line = outcomes->items [index].body;
        assert_int_equal (outcomes->items [index].kind, TRACKER_EVENT);
        assert_true (span_is (line_cell (line, COL_app_id), "over"));
        assert_true (span_is (line_cell (line, COL_user_id), "u"));
        assert_true (span_is (line_cell (line, COL_v_collector), "c"));
    }
    tracker_outcomes_destroy (&outcomes);
}

//  An address is masked in the row and in a bad row, whether the connection brought it or a parameter.
static void
test_masked (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.ip = span_of ("94.15.223.151");
    request.mask = (tracker_ip_mask_t){ 2, 4 };
    request.body = span_of (
        NEWEST ("[" PV ",{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"ip\":\"2605:2700:0:3::4713:93e3\"},"
                "{\"e\":\"x\",\"p\":\"web\",\"tv\":\"t\"}]"));
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 3);
    assert_true (span_is (line_cell (outcomes->items [0].body, COL_user_ipaddress), "94.15.x.x"));
    assert_true (span_is (line_cell (outcomes->items [1].body, COL_user_ipaddress), "2605:2700:0:3:x:x:x:x"));
    assert_non_null (strstr (outcomes->items [2].body, "\"ipAddress\":\"94.15.x.x\""));
    tracker_outcomes_destroy (&outcomes);
}

//  Of three events the middle one is bad: it is lost alone, and its bad row tells of it.
static void
test_lost_alone (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.body =
        span_of (NEWEST ("[" PV ",{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"vid\":\"x\\ty\"}," PV "]"));
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 3);
    assert_int_equal (outcomes->items [0].kind, TRACKER_EVENT);
    assert_int_equal (outcomes->items [1].kind, TRACKER_ENRICHMENT_FAILURES);
    assert_int_equal (outcomes->items [2].kind, TRACKER_EVENT);
    assert_string_equal (outcomes->items [1].reason, "vid: not a 32-bit integer: \"x?y\"");
    assert_non_null (strstr (outcomes->items [1].body,
                             "\"event\":{\"e\":\"pv\",\"p\":\"web\",\"tv\":\"t\",\"vid\":\"x\\ty\"}"));
    tracker_outcomes_destroy (&outcomes);
}

//  More events than the limit, or JSON nested without end, lose the request and no memory.
static void
test_bounds (void **state)
{
    (void)state;
    tracker_request_t request;
    tracker_text_t body = { 0 };
    unit_request (&request);
    tracker_text_puts (&body, "{\"schema\":\"" SP "payload_data/jsonschema/1-0-4\",\"data\":[" PV);
    for (int index = 0; index < TRACKER_ITEMS_MAX; index++)
        tracker_text_puts (&body, "," PV);
    tracker_text_puts (&body, "]}");
    request.body = tracker_text_span (&body);
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 1);
    assert_int_equal (outcomes->items [0].kind, TRACKER_PROTOCOL_VIOLATIONS);
    tracker_outcomes_destroy (&outcomes);
    tracker_text_reset (&body);
    for (int index = 0; index < 100000; index++)
        tracker_text_putc (&body, '[');
    request.body = tracker_text_span (&body);
    outcomes = tracker_read (&request);
    assert_string_equal (outcomes->items [0].reason, "body: not JSON: nested too deeply at byte 128");
    tracker_outcomes_destroy (&outcomes);
    tracker_text_free (&body);
}

//  Anonymous requests leave no trace of who sent them, not even in a bad row.
static void
test_anonymous (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.anonymous = true;
    request.body = span_of (NEWEST ("[" PV ",{\"e\":\"x\",\"p\":\"web\",\"tv\":\"t\"}]"));
    request.user_agent = span_of ("a\tb\r\nc");
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 2);
    const char *line = outcomes->items [0].body;
    assert_true (span_is (line_cell (line, COL_user_ipaddress), "unknown"));
    assert_true (span_is (line_cell (line, COL_network_userid), "00000000-0000-0000-0000-000000000000"));
    assert_true (span_is (line_cell (line, COL_useragent), "a    bc"));
    assert_null (strstr (outcomes->items [1].body, "127.0.0.1"));
    assert_null (strstr (outcomes->items [1].body, UNIT_NUID));
    tracker_outcomes_destroy (&outcomes);
}

//  An address is masked in a bad row too, the connection's and a parameter's.
static void
test_masked_bad_row (void **state)
{
    (void)state;
    tracker_request_t request;
    unit_request (&request);
    request.mask = (tracker_ip_mask_t){ 2, 4 };
    request.ip = span_of ("94.15.223.151");
    request.body =
        span_of (NEWEST ("[{\"e\":\"x\",\"p\":\"web\",\"tv\":\"t\",\"ip\":\"81.2.69.160, 10.0.0.1\"}]"));
    tracker_outcomes_t *outcomes = tracker_read (&request);
    assert_int_equal (outcomes->count, 1);
    assert_int_equal (outcomes->items [0].kind, TRACKER_ENRICHMENT_FAILURES);
    const char *body = outcomes->items [0].body;
    assert_non_null (strstr (body, "\"94.15.x.x\""));
    assert_non_null (strstr (body, "\"ip\":\"81.2.x"));
    assert_true (!strstr (body, "223") && !strstr (body, ".69.") && !strstr (body, "10.0"));
    tracker_outcomes_destroy (&outcomes);
}

//  Every prefix of a good body, and every body with one byte changed, gets an answer and no crash.
static void
test_hostile (void **state)
{
    (void)state;
    char body [] = NEWEST (
        "[{\"e\":\"ue\",\"p\":\"web\",\"tv\":\"t\",\"url\":\"http://h:1/"
        "p?_sp=a.1#f\",\"ue_pr\":\"{\\\"schema\\\":"
        "\\\"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0\\\",\\\"data\\\":{"
        "\\\"schema\\\":\\\"iglu:a/b/jsonschema/1-0-0\\\",\\\"data\\\":[1.5e3,\\\"\\\\u00e9\\\"]}}\"}]");
    static const char bytes [] = { 0,   '"', '\\', '{', '}',  '[',        ']',       ',',
                                   ':', '%', '1',  'u', '\n', (char)0xC3, (char)0xFF };
    tracker_request_t request;
    unit_request (&request);
    for (size_t at = 0; at < sizeof body - 1; at++) {
        char *copy = malloc (at + 1);
        memcpy (copy, body, at);
        request.body = (span_t){ copy, at };
        tracker_outcomes_t *outcomes = tracker_read (&request);
        assert_int_equal (outcomes->count, 1);
        assert_int_not_equal (outcomes->items [0].kind, TRACKER_EVENT);
        tracker_outcomes_destroy (&outcomes);
        free (copy);
        for (size_t byte = 0; byte < sizeof bytes; byte++) {
            char before = body [at];
            body [at] = bytes [byte];
            request.body = (span_t){ body, sizeof body - 1 };
            outcomes = tracker_read (&request);
            assert_int_equal (outcomes->count, 1);
            tracker_outcomes_destroy (&outcomes);
            body [at] = before;
        }
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_requests),        cmocka_unit_test (test_payload_keys),
        cmocka_unit_test (test_query_overrides), cmocka_unit_test (test_masked),
        cmocka_unit_test (test_lost_alone),      cmocka_unit_test (test_bounds),
        cmocka_unit_test (test_anonymous),       cmocka_unit_test (test_masked_bad_row),
        cmocka_unit_test (test_hostile),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
