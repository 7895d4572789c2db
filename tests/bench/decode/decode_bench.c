//  decode_bench - what it costs to read an event, in each form, with each JSON parser: `decode_bench FORM FILE...`
//
//  FORM is flattened, sdk_json or enriched_tsv; the events are the lines of the files that the decoder finds to be player
//  events. Every parser reads the same fields of them, and they must agree. Rounds take turns, so that all of them have the same
//  share of a busy machine; counted is this process's CPU. Prints a line a parser: name, bytes an event, then the
//  nanoseconds an event of every round. The last line is the decoder of proto/, which makes a whole event message.

#include "../clock.h"
#include "fields.h"
#include "snowplow/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 15
#define ROUND_EVENTS 20000
#define EVENTS_MAX 256
#define PADDING 64
#define COLUMNS 131

static const parser_t *const parsers [] = {
    &parser_json_scan,
    &parser_jansson,
#ifdef HAVE_YYJSON
    &parser_yyjson,
#endif
#ifdef HAVE_SIMDJSON
    &parser_simdjson,
#endif
};
#define PARSERS ((int)(sizeof parsers / sizeof *parsers))

typedef struct {
    const char *form;
    decoder_t *decoder;
    struct {
        char *data;
        size_t size;
    } events [EVENTS_MAX];
    size_t count, bytes;
} bench_t;

static void
fail (const char *what, const char *where)
{
    fprintf (stderr, "decode_bench: %s: %s\n", what, where);
    exit (1);
}

//  ---- the events

static void
add_line (bench_t *self, const char *line, size_t size)
{
    usher_event_t event;
    const char *reason;
    if (decode_event (self->decoder, line, size, &event, &reason) != DECODE_EVENT)
        return;
    if (self->count == EVENTS_MAX)
        fail ("too many events", self->form);
    char *copy = calloc (1, size + PADDING);
    self->events [self->count].data = memcpy (copy, line, size);
    self->events [self->count++].size = size;
    self->bytes += size;
}

static void
add_file (bench_t *self, const char *path)
{
    FILE *file = fopen (path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!file)
        fail ("cannot open", path);
    while ((size = getline (&line, &room, file)) > 1)
        add_line (self, line, (size_t)size - (line [size - 1] == '\n'));
    free (line);
    fclose (file);
}

//  ---- one event

//  Reads the plain columns, and the JSON in three of them.
static bool
read_tsv (const parser_t *parser, void *arg, const char *data, size_t size, fields_t *fields)
{
    static const unsigned char plain [] = { 1, 2, 4, 5, 7, 13, 16, 19, 21, 78, 126, 127 };
    const char *starts [COLUMNS + 2], *end = data + size, *tab;
    int count = 0;
    for (starts [++count] = data; (tab = memchr (data, '\t', (size_t)(end - data))) && count <= COLUMNS;)
        starts [++count] = data = tab + 1;
    if (count != COLUMNS)
        return false;
    starts [COLUMNS + 1] = end + 1;
    for (size_t at = 0; at < sizeof plain; at++)
        fields_put_text (fields, starts [plain [at]],
                         (size_t)(starts [plain [at] + 1] - starts [plain [at]]) - 1);
    static const struct {
        int column;
        const fields_table_t *table;
    } json [] = { { 123, &fields_contexts }, { 53, &fields_contexts }, { 59, &fields_unstruct } };
    for (int at = 0; at < 3; at++) {
        const char *start = starts [json [at].column];
        size_t length = (size_t)(starts [json [at].column + 1] - start) - 1;
        if (length && !parser->read (arg, start, length, json [at].table, fields))
            return false;
    }
    return true;
}

static bool
read_event (const bench_t *self, const parser_t *parser, void *arg, size_t event, fields_t *fields)
{
    const char *data = self->events [event].data;
    size_t size = self->events [event].size;
    fields->texts = fields->numbers = fields->flags = 0;
    parser->rewind (arg);
    if (strcmp (self->form, "enriched_tsv") == 0)
        return read_tsv (parser, arg, data, size, fields);
    bool flattened = strcmp (self->form, "flattened") == 0;
    return parser->read (arg, data, size, flattened ? &fields_flattened : &fields_sdk_json, fields);
}

//  Do two parsers read the same?
static bool
same (const fields_t *one, const fields_t *other)
{
    if (one->texts != other->texts || one->numbers != other->numbers || one->flags != other->flags)
        return false;
    for (size_t at = 0; at < one->texts; at++)
        if (one->text [at].size != other->text [at].size ||
            memcmp (one->text [at].data, other->text [at].data, one->text [at].size) != 0)
            return false;
    return memcmp (one->number, other->number, one->numbers * sizeof *one->number) == 0 &&
           memcmp (one->flag, other->flag, one->flags * sizeof *one->flag) == 0;
}

static void
compare_all (const bench_t *self, void *const *args)
{
    static fields_t first, other;
    for (size_t event = 0; event < self->count; event++)
        for (int at = 0; at < PARSERS; at++)
            if (!read_event (self, parsers [0], args [0], event, &first) ||
                !read_event (self, parsers [at], args [at], event, &other) || !same (&first, &other))
                fail ("reads something else than json_scan", parsers [at]->name);
}

//  ---- rounds

//  Nanoseconds an event; of the decoder if parser is NULL.
static double
run_round (const bench_t *self, const parser_t *parser, void *arg)
{
    static fields_t fields;
    usher_event_t event;
    const char *reason;
    size_t good = 0;
    uint64_t before = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
    for (size_t turn = 0; turn < ROUND_EVENTS; turn++) {
        size_t at = turn % self->count;
        if (parser)
            good += read_event (self, parser, arg, at, &fields);
        else
            good += decode_event (self->decoder, self->events [at].data, self->events [at].size, &event,
                                  &reason) == DECODE_EVENT;
    }
    double took = (double)(clock_ns (CLOCK_PROCESS_CPUTIME_ID) - before);
    if (good != ROUND_EVENTS)
        fail ("did not read every event", parser ? parser->name : "decoder");
    return took / ROUND_EVENTS;
}

static void
measure (const bench_t *self, void *const *args)
{
    double took [PARSERS + 1][ROUNDS];
    for (int round = -1; round < ROUNDS; round++)
        for (int at = 0; at <= PARSERS; at++) {
            double ns = run_round (self, at < PARSERS ? parsers [at] : NULL, at < PARSERS ? args [at] : NULL);
            //  The first round warms up.
            if (round >= 0)
                took [at][round] = ns;
        }
    for (int at = 0; at <= PARSERS; at++) {
        printf ("%s %.0f", at < PARSERS ? parsers [at]->name : "decoder",
                (double)self->bytes / (double)self->count);
        for (int round = 0; round < ROUNDS; round++)
            printf (" %.1f", took [at][round]);
        putchar ('\n');
    }
}

int
main (int argc, char **argv)
{
    if (argc < 3)
        fail ("usage", "decode_bench FORM FILE...");
    bench_t self = { .form = argv [1], .decoder = decoder_new () };
    void *args [PARSERS];
    for (int at = 2; at < argc; at++)
        add_file (&self, argv [at]);
    if (!self.count)
        fail ("no player events", argv [2]);
    for (int at = 0; at < PARSERS; at++)
        args [at] = parsers [at]->open ();
    compare_all (&self, args);
    measure (&self, args);
    for (int at = 0; at < PARSERS; at++)
        parsers [at]->close (args [at]);
    for (size_t at = 0; at < self.count; at++)
        free (self.events [at].data);
    decoder_destroy (&self.decoder);
    return 0;
}
