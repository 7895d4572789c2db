//  test_media_schemas - every property of the media schemas against the list of them in tests/data/media-schemas.tsv
//
//  The list was written off the published schemas, not off the code's table. Each of its lines is
//  tried with values on, within and beyond its limits, with null, with other types and missing.

#include "test_tracker.h"
#include "snowplow/media_schemas.h"

#define LINES_MAX 128
#define VALUE_MAX 8192

typedef enum { VENDOR, NAME, VERSION, PROPERTY, TYPE, NEEDED, NULLABLE, MIN, MAX, FIELDS } field_t;

typedef struct {
    const char *fields [FIELDS];
} line_t;

typedef struct {
    char *text;
    line_t lines [LINES_MAX];
    size_t count;
} list_t;

static void
list_read (list_t *self)
{
    char *rest = self->text = unit_read_file ("media-schemas.tsv");
    strsep (&rest, "\n");
    for (char *line = strsep (&rest, "\n"); line && *line; line = strsep (&rest, "\n")) {
        assert_true (self->count < LINES_MAX);
        for (size_t field = 0; field < FIELDS; field++)
            assert_non_null (self->lines [self->count].fields [field] = strsep (&line, "\t"));
        self->count++;
    }
    assert_int_equal (self->count, 74);
}

static bool
has (const line_t *line, field_t field, const char *text)
{
    return strcmp (line->fields [field], text) == 0;
}

static bool
same_schema (const line_t *one, const line_t *other)
{
    return has (one, NAME, other->fields [NAME]) && has (one, VENDOR, other->fields [VENDOR]);
}

//  A value that is good by everything the line says.
static void
good_value (const line_t *line, char *value)
{
    if (has (line, TYPE, "boolean"))
        strcpy (value, "true");
    else if (!has (line, TYPE, "string"))
        strcpy (value, line->fields [MAX]);
    else if (has (line, MAX, "uuid"))
        strcpy (value, "\"7ADE561F-fd24-4e56-8a84-aa239b620730\"");
    else if (has (line, MAX, "date-time"))
        strcpy (value, "\"2024-11-16T13:33:23.5Z\"");
    else
        sprintf (value, "\"%.*s\"", (int)strcspn (line->fields [MAX], " "), line->fields [MAX]);
}

//  Put the needed properties of the line's schema, and the line's own with this value; NULL leaves it out.
static void
put_object (const list_t *list, const line_t *line, const char *own, tracker_text_t *out)
{
    char before = '{', value [VALUE_MAX];
    for (size_t index = 0; index < list->count; index++) {
        const line_t *other = &list->lines [index];
        bool is_own = other == line;
        if (!same_schema (line, other) || *other->fields [PROPERTY] == 0 ||
            (is_own ? !own : !has (other, NEEDED, "yes")))
            continue;
        good_value (other, value);
        tracker_text_printf (out, "%c\"%s\":%s", before, other->fields [PROPERTY], is_own ? own : value);
        before = ',';
    }
    tracker_text_puts (out, before == '{' ? "{}" : "}");
}

static bool
is_good (const list_t *list, const line_t *line, const char *version, const char *own)
{
    tracker_text_t data = { 0 };
    char fault [SCHEMA_FAULT_MAX];
    iglu_t iglu = { span_of (line->fields [VENDOR]), span_of (line->fields [NAME]), span_of ("jsonschema"),
                    span_of (version ? version : line->fields [VERSION]) };
    put_object (list, line, own, &data);
    bool good = media_schema_check (&iglu, tracker_text_span (&data), fault) == 0;
    tracker_text_free (&data);
    return good;
}

static void
expect (const list_t *list, const line_t *line, const char *own, bool good)
{
    if (is_good (list, line, NULL, own) != good)
        fail_msg ("%s.%s: %.100s is %s", line->fields [NAME], line->fields [PROPERTY], own ? own : "nothing",
                  good ? "refused" : "taken");
}

//  ---- What each type takes

static void
try_number (const list_t *list, const line_t *line)
{
    char value [64];
    long long min = strtoll (line->fields [MIN], NULL, 10), max = strtoll (line->fields [MAX], NULL, 10);
    bool integer = has (line, TYPE, "integer");
    expect (list, line, line->fields [MIN], true);
    expect (list, line, line->fields [MAX], true);
    snprintf (value, sizeof value, "%lld", min - 1);
    expect (list, line, value, false);
    //  Beyond 2^53 a double does not tell neighbours apart.
    snprintf (value, sizeof value, "%lld", max + (max > INT32_MAX ? 1000 : 1));
    expect (list, line, value, false);
    snprintf (value, sizeof value, "%lld.0", max);
    expect (list, line, value, !integer);
    snprintf (value, sizeof value, "%llde0", max);
    expect (list, line, value, !integer);
    expect (list, line, "1E400", false);
}

//  Length counts code points.
static void
try_length (const list_t *list, const line_t *line)
{
    for (int more = 0; more < 2; more++) {
        tracker_text_t text = { 0 };
        tracker_text_putc (&text, '"');
        for (long left = strtol (line->fields [MAX], NULL, 10) + more; left > 0; left--)
            tracker_text_puts (&text, left % 2 ? "\xC3\xA9" : "\\\"");
        tracker_text_puts (&text, "\"");
        tracker_text_putc (&text, 0);
        expect (list, line, text.data, more == 0);
        tracker_text_free (&text);
    }
}

static void
try_words (const list_t *list, const line_t *line)
{
    char value [64];
    for (const char *word = line->fields [MAX]; *word; word += strspn (word, " ")) {
        size_t size = strcspn (word, " ");
        snprintf (value, sizeof value, "\"%.*s\"", (int)size, word);
        expect (list, line, value, true);
        snprintf (value, sizeof value, "\"%.*s\"", (int)size - 1, word);
        expect (list, line, value, false);
        word += size;
    }
    expect (list, line, "\"\"", false);
}

static void
try_string (const list_t *list, const line_t *line)
{
    if (*line->fields [MAX] >= '0' && *line->fields [MAX] <= '9')
        try_length (list, line);
    else if (has (line, MAX, "uuid"))
        expect (list, line, "\"7ade561f-fd24-4e56-8a84-aa239b62073\"", false);
    else if (has (line, MAX, "date-time"))
        expect (list, line, "\"2024-11-16T13:33:23\"", false);
    else
        try_words (list, line);
}

//  ---- The tests

//  Of one type all others are wrong; null is good where it is allowed, absence where it is not needed.
static void
test_properties (void **state)
{
    (void)state;
    static const struct {
        const char *type, *value;
    } types [] = { { "boolean", "true" }, { "boolean", "false" }, { "number", "1" },
                   { "string", "\"1\"" }, { "array", "[]" },      { "object", "{}" } };
    list_t list = { 0 };
    list_read (&list);
    for (size_t index = 0; index < list.count; index++) {
        const line_t *line = &list.lines [index];
        if (*line->fields [PROPERTY] == 0)
            continue;
        const char *kind = has (line, TYPE, "integer") ? "number" : line->fields [TYPE];
        for (size_t type = 0; type < sizeof types / sizeof types [0]; type++)
            if (strcmp (types [type].type, kind) != 0)
                expect (&list, line, types [type].value, false);
        expect (&list, line, "null", has (line, NULLABLE, "yes"));
        expect (&list, line, NULL, has (line, NEEDED, "no"));
        if (strcmp (kind, "number") == 0)
            try_number (&list, line);
        else if (strcmp (kind, "string") == 0)
            try_string (&list, line);
        else
            expect (&list, line, "false", true);
    }
    free (list.text);
}

//  Each schema is known in its one version, and takes no property but its own.
static void
test_schemas (void **state)
{
    (void)state;
    list_t list = { 0 };
    list_read (&list);
    for (size_t index = 0; index < list.count; index++) {
        line_t line = list.lines [index];
        char value [VALUE_MAX], other [16];
        good_value (&line, value);
        assert_true (is_good (&list, &list.lines [index], NULL, value));
        snprintf (other, sizeof other, "%.4s1", line.fields [VERSION]);
        assert_false (is_good (&list, &list.lines [index], other, value));
        iglu_t iglu = { span_of (line.fields [VENDOR]), span_of (line.fields [NAME]), span_of ("jsonschema"),
                        span_of (line.fields [VERSION]) };
        assert_int_equal (media_schema_check (&iglu, span_of ("{\"nobody\":1}"), value), -1);
        assert_int_equal (media_schema_check (&iglu, span_of ("[]"), value), -1);
    }
    free (list.text);
}

int
main (void)
{
    const struct CMUnitTest tests [] = {
        cmocka_unit_test (test_properties),
        cmocka_unit_test (test_schemas),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
