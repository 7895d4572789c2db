//  fuzz_tracker - any bytes as a tracker's request: every outcome is a row that our decoder reads, or a sound bad row
//
//  An input is `path?query`, a line of content type, a line of user agent, and the body; what is missing is as trackers
//  have it.

#include "fuzz.h"
#include "snowplow/enriched_tsv.h"
#include "snowplow/tracker.h"
#include "snowplow/utf8.h"

#include <jansson.h>
#include <string.h>

static void
fixed_uuid (void *arg, char uuid [37])
{
    (void)arg;
    memcpy (uuid, "99999999-9999-4999-8999-999999999999", 37);
}

//  Cuts the text up to the byte off the rest; the fallback where it is empty.
static span_t
cut (span_t *rest, char byte, const char *fallback)
{
    const char *end = rest->size ? memchr (rest->data, byte, rest->size) : NULL;
    span_t part = { rest->data, end ? (size_t)(end - rest->data) : rest->size };
    size_t taken = part.size + (end != NULL);
    rest->data += taken;
    rest->size -= taken;
    return part.size ? part : span_of (fallback);
}

//  What the decoder may find wrong with a row that the tracker's rules let pass: no viewer, or more than the rules look
//  at, since data of a schema that they do not have is taken as it is.
static bool
is_known_reason (const char *reason)
{
    static const char *const known [] = { "no_identity", "viewer id is longer", "nested too deep",
                                          "a newer model than is known",
                                          "media_player_event: type is missing" };
    for (size_t row = 0; row < sizeof known / sizeof *known; row++)
        if (strstr (reason, known [row]))
            return true;
    fprintf (stderr, "quarantined: %s\n", reason);
    return false;
}

static void
check_row (const tracker_outcome_t *outcome)
{
    usher_event_t event;
    size_t tabs = 0;
    FUZZ_CHECK (outcome->reason [0] == 0);
    FUZZ_CHECK (!memchr (outcome->body, '\n', outcome->size));
    FUZZ_CHECK (utf8_is_valid (outcome->body, outcome->size));
    for (size_t at = 0; at < outcome->size; at++)
        tabs += outcome->body [at] == '\t';
    FUZZ_CHECK (tabs == ENRICHED_TSV_COLUMNS - 1);
    static draft_t draft;
    draft_open (&draft, outcome->size);
    if (enriched_tsv_decode (&draft, outcome->body, outcome->size) == DECODE_BAD)
        FUZZ_CHECK (is_known_reason (draft.reason));
    fuzz_decode (enriched_tsv_decode, (const uint8_t *)outcome->body, outcome->size, &event);
}

//  A bad row is a JSON object of one line that anybody can read, and says why.
static void
check_bad_row (const tracker_outcome_t *outcome)
{
    json_t *row = json_loadb (outcome->body, outcome->size, JSON_ALLOW_NUL, NULL);
    const char *reason = json_string_value (json_object_get (row, "reason"));
    fuzz_check_reason (outcome->reason);
    FUZZ_CHECK (!strchr (outcome->reason, '\n'));
    FUZZ_CHECK (reason && strcmp (reason, outcome->reason) == 0);
    FUZZ_CHECK (json_is_object (json_object_get (row, "request")));
    json_decref (row);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    span_t rest = { (const char *)data, size };
    span_t address = cut (&rest, '\n', "/com.snowplowanalytics.snowplow/tp2");
    tracker_request_t request = { .path = cut (&address, '?', "/i"), .query = address };
    request.content_type = cut (&rest, '\n', "application/json; charset=UTF-8");
    request.user_agent = cut (&rest, '\n', "agent");
    request.body = rest;
    request.method = span_of (rest.size ? "POST" : "GET");
    request.referer = span_of ("http://example.com/");
    request.ip = span_of ("127.0.0.1");
    request.network_userid = span_of ("11111111-2222-4333-8444-555555555555");
    request.collector_ms = 1795416420000;
    request.etl_ms = request.collector_ms + 250;
    request.collector = "collector";
    request.etl = "etl";
    request.uuid_new = fixed_uuid;
    tracker_outcomes_t *outcomes = tracker_read (&request);
    FUZZ_CHECK (outcomes->count >= 1 && outcomes->count <= TRACKER_ITEMS_MAX);
    for (size_t item = 0; item < outcomes->count; item++)
        if (outcomes->items [item].kind == TRACKER_EVENT)
            check_row (&outcomes->items [item]);
        else
            check_bad_row (&outcomes->items [item]);
    tracker_outcomes_destroy (&outcomes);
    return 0;
}
