//  test_forms - each form of the same recorded sessions gives the same profiles, byte for byte, but for what a form lacks
//
//  The recordings went from the browser through Snowplow's own programs; tests/data has what each of them wrote. Here
//  they go through the decoder into viewers, whose stored profiles are compared. Where an event lay in its source is
//  left out of them: that is no part of a form.

#include "viewer.h"
#include "memory.h"

#include "test_decode.h"
#include "test_event.h"
#include "test_recording.h"

enum { VIEWERS_MAX = 16 };

typedef struct {
    const char *requests, *rows, *sdk, *flattened;
    size_t events, flat_events;
} recording_t;

static const recording_t recordings [] = {
    { "requests-browser-4.10.json", "enriched-browser-4.10.tsv", "snowbridge-sdk-json-browser-4.10.ndjson",
      "snowbridge-flattened-browser-4.10.ndjson", 43, 19 },
    { "requests-node-4.8.0.json", "enriched-node-4.8.0.tsv", "snowbridge-sdk-json-node-4.8.0.ndjson",
      "snowbridge-flattened-node-4.8.0.ndjson", 1, 1 },
};
#define RECORDINGS (sizeof recordings / sizeof *recordings)

//  What the flattened form lacks of an event; docs/inputs.md has the same list. Of the rest it says the same as the
//  others do.
static const char *const lacking [] = {
    "created_ms",    "session_id",    "media_label",   "duration_s",
    "time_played_s", "time_paused_s", "time_ads_s",    "time_buffering_s",
    "content_s",     "time_muted_s",  "avg_rate",      "ads",
    "ad_breaks",     "ping_s",        "percent",       "flags",
    "rate",          "volume",        "quality",       "media_type",
    "player_type",   "platform",      "app_id",        "ad_name",
    "creative_id",   "pod_position",  "skippable",     "break_id",
    "break_name",    "break_type",    "ad_duration_s", "error_text",
    "bitrate",       "fps",           "user_agent",    "country",
    "city",          "has",
};
#define LACKING (sizeof lacking / sizeof *lacking)

//  ---- an audience of one form

typedef struct {
    decoder_t *decoder;
    uint32_t source;
    bool reduced;    //  leave out what the flattened form lacks
    size_t viewer_count, events;
    viewer_t viewers [VIEWERS_MAX];
} audience_t;

static const usher_field_t *
field_of (const char *name)
{
    const usher_layout_t *layout = usher_layout (USHER_MSG_event);
    for (size_t col = 0; col < layout->field_count; col++)
        if (strcmp (layout->fields [col].name, name) == 0)
            return &layout->fields [col];
    fail_msg ("an event has no %s", name);
    return NULL;
}

static size_t
field_size (const usher_field_t *field)
{
    return field->kind == USHER_STR                               ? sizeof (usher_str_t)
           : field->kind == USHER_U64 || field->kind == USHER_F64 ? sizeof (uint64_t)
                                                                  : sizeof (uint32_t);
}

//  A flattened message that has nothing beyond what it must: its other fields are what lacking looks like.
static usher_event_t
event_of_nothing (void)
{
    static const char message [] =
        "{\"collector_tstamp\":\"2026-11-23T06:45:20Z\",\"event_name\":\"play_event\",\"viewer_id\":\"x\"}";
    decoder_t *decoder = decoder_new ();
    usher_event_t nothing;
    const char *reason;
    assert_int_equal (decode_event (decoder, message, sizeof message - 1, &nothing, &reason), DECODE_EVENT);
    decoder_destroy (&decoder);
    return nothing;
}

//  What the reference's filter and script leave of an event. Returns false if it is nothing.
static bool
event_reduce (usher_event_t *event)
{
    static const usher_event_kind_t kinds [] = {
        USHER_event_kind_play, USHER_event_kind_pause,          USHER_event_kind_ping,
        USHER_event_kind_end,  USHER_event_kind_ad_break_start, USHER_event_kind_ad_break_end
    };
    usher_event_t nothing = event_of_nothing ();
    bool passes = false;
    for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++)
        passes = passes || event->kind == kinds [at];
    for (size_t at = 0; at < LACKING; at++) {
        const usher_field_t *field = field_of (lacking [at]);
        memcpy ((char *)event + field->offset, (char *)&nothing + field->offset, field_size (field));
    }
    event->has = event->ad_id.size ? USHER_HAS_AD : 0;
    return passes;
}

static viewer_t *
viewer_for (audience_t *self, usher_str_t id)
{
    for (size_t at = 0; at < self->viewer_count; at++)
        if (usher_str_eq (self->viewers [at].id, id))
            return &self->viewers [at];
    assert_true (self->viewer_count < VIEWERS_MAX);
    viewer_init (&self->viewers [self->viewer_count], id);
    return &self->viewers [self->viewer_count++];
}

//  A line_fn.
static void
audience_take (void *arg, int number, char *line)
{
    audience_t *self = arg;
    usher_event_t event;
    const char *reason = "";
    decode_result_t result = decode_bytes (self->decoder, line, strlen (line), &event, &reason);
    if (result == DECODE_BAD)
        fail_msg ("line %d: %s", number, reason);
    if (result == DECODE_PASSED_BY || (self->reduced && !event_reduce (&event)))
        return;
    event.source = self->source;
    event.partition = (uint32_t)number % 3;
    event.offset = (uint64_t)number;
    viewer_t *viewer = viewer_for (self, event.viewer_id);
    assert_int_equal (viewer_take (viewer, &event, 1).outcome, VIEWER_APPLIED);
    viewer_rows_forget (viewer);
    self->events++;
}

static audience_t
audience_new (uint32_t source)
{
    return (audience_t){ .decoder = decoder_new (), .source = source };
}

static audience_t
audience_read (uint32_t source, const char *file, bool reduced)
{
    audience_t self = audience_new (source);
    self.reduced = reduced;
    each_line (file, audience_take, &self);
    return self;
}

//  From what the trackers sent, through our own collector's half.
static audience_t
audience_collect (const char *file)
{
    audience_t self = audience_new (0);
    char *text = unit_read_file (file);
    json_t *list = json_loads (text, 0, NULL), *recorded;
    size_t index;
    int number = 0;
    json_array_foreach (list, index, recorded)
    {
        tracker_request_t request;
        recording_request (&request, recorded);
        if (span_is (request.method, "OPTIONS"))
            continue;
        tracker_outcomes_t *outcomes = tracker_read (&request);
        for (size_t item = 0; item < outcomes->count; item++)
            if (outcomes->items [item].kind == TRACKER_EVENT)
                audience_take (&self, ++number, outcomes->items [item].body);
        tracker_outcomes_destroy (&outcomes);
    }
    json_decref (list);
    free (text);
    return self;
}

static void
audience_free (audience_t *self)
{
    for (size_t at = 0; at < self->viewer_count; at++)
        viewer_clear (&self->viewers [at]);
    decoder_destroy (&self->decoder);
}

//  ---- comparing

static size_t
profile_bytes (viewer_t *viewer, uint8_t **data)
{
    viewer->position_count = 0;
    size_t bound = viewer_store_bound (viewer);
    *data = memory_new (bound, 1);
    size_t size = viewer_store (viewer, *data, bound);
    assert_true (size > 0);
    return size;
}

static void
assert_same_profiles (audience_t *one, audience_t *other)
{
    assert_int_equal (one->viewer_count, other->viewer_count);
    for (size_t at = 0; at < one->viewer_count; at++) {
        viewer_t *viewer = &one->viewers [at];
        uint8_t *data, *again;
        size_t size = profile_bytes (viewer, &data);
        size_t other_size = profile_bytes (viewer_for (other, viewer->id), &again);
        if (size != other_size || memcmp (data, again, size) != 0)
            fail_msg ("the profiles of %.*s differ", (int)viewer->id.size, viewer->id.data);
        free (data);
        free (again);
    }
    assert_int_equal (one->viewer_count, other->viewer_count);
}

//  ---- tests

static void
test_the_rich_forms_give_the_same_profiles (void **state)
{
    (void)state;
    for (size_t at = 0; at < RECORDINGS; at++) {
        const recording_t *recording = &recordings [at];
        audience_t rows = audience_read (1, recording->rows, false);
        audience_t sdk = audience_read (2, recording->sdk, false);
        audience_t own = audience_collect (recording->requests);
        assert_int_equal (rows.events, recording->events);
        assert_int_equal (sdk.events, recording->events);
        assert_int_equal (own.events, recording->events);
        assert_same_profiles (&rows, &sdk);
        assert_same_profiles (&rows, &own);
        audience_free (&rows);
        audience_free (&sdk);
        audience_free (&own);
    }
}

//  Of the same events without the fields that it lacks.
static void
test_the_flattened_form_gives_the_same_but_for_what_it_lacks (void **state)
{
    (void)state;
    for (size_t at = 0; at < RECORDINGS; at++) {
        const recording_t *recording = &recordings [at];
        audience_t rows = audience_read (1, recording->rows, true);
        audience_t flattened = audience_read (2, recording->flattened, false);
        assert_int_equal (rows.events, recording->flat_events);
        assert_int_equal (flattened.events, recording->flat_events);
        assert_same_profiles (&rows, &flattened);
        audience_free (&rows);
        audience_free (&flattened);
    }
}

static void
compare_line (void *arg, int number, char *line)
{
    usher_event_t event, nothing = event_of_nothing ();
    const char *reason;
    (void)number;
    assert_int_equal (decode_bytes (arg, line, strlen (line), &event, &reason), DECODE_EVENT);
    for (size_t at = 0; at < LACKING; at++)
        if (!event_field_is_same (&event, &nothing, field_of (lacking [at])))
            fail_msg ("it has %s: take it off the list, here and in docs/inputs.md", lacking [at]);
}

//  The list is no longer than it must be.
static void
test_the_flattened_form_lacks_all_that_is_listed (void **state)
{
    for (size_t at = 0; at < RECORDINGS; at++)
        each_line (recordings [at].flattened, compare_line, *state);
}

static void
test_the_list_is_in_the_documents (void **state)
{
    (void)state;
    FILE *file = fopen ("docs/inputs.md", "r");
    assert_non_null (file);
    static char text [65536];
    text [fread (text, 1, sizeof text - 1, file)] = 0;
    fclose (file);
    for (size_t at = 0; at < LACKING; at++) {
        char name [64];
        snprintf (name, sizeof name, "`%s`", lacking [at]);
        if (!strstr (text, name))
            fail_msg ("docs/inputs.md does not say that the flattened form lacks %s", name);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_the_rich_forms_give_the_same_profiles),
        cmocka_unit_test (test_the_flattened_form_gives_the_same_but_for_what_it_lacks),
        cmocka_unit_test_setup_teardown (test_the_flattened_form_lacks_all_that_is_listed, decode_setup,
                                         decode_teardown),
        cmocka_unit_test (test_the_list_is_in_the_documents),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
