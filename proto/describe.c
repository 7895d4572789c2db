//  describe - usher-describe: prints what messages.def says, for people, for tests and for fuzzers
//
//  usher-describe messages    MESSAGES.md
//  usher-describe vectors     golden vectors: the schema's checksum, then a line `message/shape hex` for each sample
//  usher-describe values      the same samples as JSON lines, for readers in other languages
//  usher-describe seeds DIR   a frame of each sample, and one of all, as files for the fuzzer to start from
//
//  proto/MESSAGES.md and tests/protocol/vectors.txt are committed; tests/protocol/test_printed.sh finds stale ones.
//  Exit codes: 0 done, 1 could not write, 2 called wrongly.

#include "sample.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

//  Strings at their limit are cut to this, or the vectors would be megabytes.
#define VECTOR_STR 64

//  Larger than any sample with strings of VECTOR_STR bytes; all of them together fit into ALL_BYTES.
#define SAMPLE_BYTES 16384
#define ALL_BYTES (1024 * 1024)

//  ---- samples

//  Bytes that a reader who takes them for text, or cuts them at a zero, gets wrong.
static usher_str_t
vector_pool (char pool [VECTOR_STR])
{
    for (int at = 0; at < VECTOR_STR; at++)
        pool [at] = (char)(at * 4 + 3);
    pool [1] = 0;
    return usher_bytes (pool, VECTOR_STR);
}

typedef bool (each_sample_fn) (void *arg, const usher_layout_t *layout, const char *shape,
                               const usher_msg_t *msg);

//  Calls fn for every shape of every message until it returns false. Returns whether it never did.
static bool
each_sample (each_sample_fn *fn, void *arg)
{
    char bytes [VECTOR_STR];
    usher_str_t pool = vector_pool (bytes);
    for (size_t row = 0; row < usher_layout_count; row++)
        for (unsigned shape = 0; shape < SAMPLE_SHAPES; shape++) {
            usher_msg_t msg;
            if (sample_make (&usher_layouts [row], shape, pool, &msg) &&
                !fn (arg, &usher_layouts [row], sample_shape_names [shape], &msg))
                return false;
        }
    return true;
}

static size_t
sample_encode (const usher_msg_t *msg, uint8_t *data, size_t size)
{
    size_t length = usher_encode (msg, data, size);
    if (length == 0) {
        fprintf (stderr, "usher-describe: no sample of message %u: too long, or beyond a limit\n",
                 (unsigned)msg->id);
        exit (1);
    }
    return length;
}

static void
print_hex (const void *data, size_t size)
{
    for (size_t at = 0; at < size; at++)
        printf ("%02x", ((const uint8_t *)data) [at]);
}

static bool
print_vector (void *arg, const usher_layout_t *layout, const char *shape, const usher_msg_t *msg)
{
    (void)arg;
    uint8_t data [SAMPLE_BYTES];
    size_t size = sample_encode (msg, data, sizeof data);
    printf ("%s/%s ", layout->name, shape);
    print_hex (data, size);
    putchar ('\n');
    return true;
}

static int
print_vectors (void)
{
    printf ("schema %08" PRIx32 "\n", usher_schema ());
    each_sample (print_vector, NULL);
    return 0;
}

//  ---- values

static void
print_double (double value)
{
    //  JSON has no word for it.
    if (isnan (value))
        printf ("\"nan\"");
    else
        printf ("%.17g", value);
}

static void
print_value (const void *value, usher_kind_t kind)
{
    switch (kind) {
    case USHER_U32:
    case USHER_ENUM:
        printf ("%" PRIu32, *(const uint32_t *)value);
        break;
    case USHER_U64:
        printf ("%" PRIu64, *(const uint64_t *)value);
        break;
    case USHER_F64:
        print_double (*(const double *)value);
        break;
    case USHER_STR:
        putchar ('"');
        print_hex (((const usher_str_t *)value)->data, ((const usher_str_t *)value)->size);
        putchar ('"');
        break;
    }
}

static const char *const kind_names [] = {
    [USHER_U32] = "U32", [USHER_U64] = "U64", [USHER_F64] = "F64", [USHER_STR] = "STR", [USHER_ENUM] = "ENUM"
};

//  A field is [name, kind, value]; a string's value is hex, as it may hold any bytes.
static bool
print_values_line (void *arg, const usher_layout_t *layout, const char *shape, const usher_msg_t *msg)
{
    (void)arg;
    usher_msg_t copy = *msg;
    printf ("{\"name\":\"%s/%s\",\"id\":%u,\"fields\":[", layout->name, shape, layout->id);
    for (size_t col = 0; col < layout->field_count; col++) {
        const usher_field_t *field = &layout->fields [col];
        printf ("%s[\"%s\",\"%s\",", col ? "," : "", field->name, kind_names [field->kind]);
        print_value (sample_field (&copy, field), field->kind);
        putchar (']');
    }
    puts ("]}");
    return true;
}

static int
print_values (void)
{
    each_sample (print_values_line, NULL);
    return 0;
}

//  ---- seeds

typedef struct {
    const char *dir;
    uint8_t *all;    //  one frame that holds every sample
    size_t used;
} seeds_t;

static bool
write_file (const char *dir, const char *name, const void *data, size_t size)
{
    char path [4096];
    snprintf (path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen (path, "wb");
    bool good = file && fwrite (data, 1, size, file) == size;
    if (file && fclose (file))
        good = false;
    if (!good)
        perror (path);
    return good;
}

static bool
write_seed (void *arg, const usher_layout_t *layout, const char *shape, const usher_msg_t *msg)
{
    seeds_t *self = arg;
    uint8_t data [SAMPLE_BYTES];
    size_t size = usher_frame_begin (data, sizeof data);
    size += sample_encode (msg, data + size, sizeof data - size);
    self->used += sample_encode (msg, self->all + self->used, ALL_BYTES - self->used);
    char name [128];
    snprintf (name, sizeof name, "%s-%s", layout->name, shape);
    return write_file (self->dir, name, data, size);
}

static int
write_seeds (const char *dir)
{
    seeds_t seeds = { .dir = dir, .all = malloc (ALL_BYTES) };
    if (!seeds.all)
        abort ();
    seeds.used = usher_frame_begin (seeds.all, ALL_BYTES);
    bool good = each_sample (write_seed, &seeds) && write_file (dir, "all", seeds.all, seeds.used);
    free (seeds.all);
    return good ? 0 : 1;
}

//  ---- MESSAGES.md

typedef struct {
    const char *name;
    const char *const *values;
    size_t count;
    const char *doc;
} enumeration_t;

static const enumeration_t enumerations [] = {
    { "event_kind", usher_event_kind_names, USHER_EVENT_KINDS, "What a player event says." },
    { "state", usher_state_names, USHER_STATES, "The states of a session." },
    { "status", usher_status_names, USHER_STATUSES, "The four that the reference knows." },
    { "outcome", usher_outcome_names, USHER_OUTCOMES, "What became of something asked for." },
    { "device_class", usher_device_class_names, USHER_DEVICE_CLASSES, "What somebody watches on." },
    { "os_class", usher_os_class_names, USHER_OS_CLASSES, "What it runs." },
    { "dimension", usher_dimension_names, USHER_DIMENSIONS, "What sessions are counted by." },
};
static const size_t enumeration_count = sizeof enumerations / sizeof *enumerations;

static const char head [] =
    "# Messages\n"
    "\n"
    "Printed by `usher-describe messages` from [messages.def](messages.def). Do not edit: change the table "
    "and print it\n"
    "again; a stale copy fails the tests.\n"
    "\n"
    "## The frame\n"
    "\n"
    "A frame is one ZeroMQ message part (behind the topic on the feed). It holds msgpack items, one after "
    "the other:\n"
    "\n"
    "1. the schema's checksum, written in five bytes as uint 32 (`ce`). A reader with other tables refuses "
    "the frame;\n"
    "2. then messages, each an array `[id, item, item, ...]` with the fields in the order of the tables "
    "below.\n"
    "\n"
    "| kind | msgpack | zero |\n"
    "| --- | --- | --- |\n"
    "| U32 | unsigned integer, the shortest form is written, any is read | 0 |\n"
    "| U64 | unsigned integer, the shortest form is written, any is read | 0 |\n"
    "| F64 | float 64; nil, which is read as NaN, says unknown | 0.0 |\n"
    "| STR | bin 8, 16 or 32: bytes, mostly UTF-8 | empty |\n"
    "| ENUM | unsigned integer: the value's place in its enumeration | the first value |\n"
    "\n"
    "A writer leaves out fields that hold their zero: a negative number -n stands for n of them, and those "
    "behind the "
    "last item are zero too. NaN is nil. A reader gives fields that are not there "
    "their zero. More\n"
    "fields than a message has, other types (array 32, str, ext, map, float 32), or a "
    "value beyond\n"
    "its limit: the message is refused, and with it what follows in the frame. Reading allocates nothing.\n"
    "\n"
    "A stored profile is the same without the checksum: records of an older build, with fewer fields, stay "
    "readable.\n"
    "So fields are only ever added at a message's end, and ids are never used again.\n"
    "\n";

static const char links_head [] =
    "## Links\n"
    "\n"
    "Inside a host a link is `ipc://RUN/<link>`, `events` one for each shard (`events-0`, ...). The client "
    "connects a\n"
    "DEALER, the binder owns the ROUTER; on `feed` they are SUB and PUB. Every DEALER link opens with "
    "`hello`.\n"
    "Directions: *ask* goes to the binder, *tell* to the client, *both* either way.\n"
    "\n"
    "| link | client | binder | ask | tell |\n"
    "| --- | --- | --- | --- | --- |\n";

//  The messages of one link and direction, as links into this page.
static void
print_link_messages (const char *link, const char *direction)
{
    const char *comma = "";
    for (size_t row = 0; row < usher_layout_count; row++) {
        const usher_layout_t *layout = &usher_layouts [row];
        if (strcmp (layout->link, link) || strcmp (layout->direction, direction))
            continue;
        printf ("%s[%s](#%s)", comma, layout->name, layout->name);
        comma = ", ";
    }
}

static void
print_links (void)
{
    fputs (links_head, stdout);
    for (size_t row = 0; row < USHER_LINKS; row++) {
        printf ("| %s | %s | %s | ", usher_links [row].name, usher_links [row].client,
                usher_links [row].binder);
        print_link_messages (usher_links [row].name, "ask");
        fputs (" | ", stdout);
        print_link_messages (usher_links [row].name, "tell");
        puts (" |");
    }
    puts ("\nA message of link *every* or *any* may travel on more than one; *stored* ones live in the store "
          "only.\n");
}

static const char *
enumeration_name (const char *const *values)
{
    for (size_t row = 0; row < enumeration_count; row++)
        if (enumerations [row].values == values)
            return enumerations [row].name;
    fputs ("usher-describe: an enumeration is missing in its table here\n", stderr);
    exit (1);
}

static void
print_limit (const usher_field_t *field)
{
    if (field->kind == USHER_ENUM)
        printf ("[%s](#%s-values)", enumeration_name (field->names), enumeration_name (field->names));
    else if (field->kind == USHER_STR)
        printf ("%" PRIu64 " bytes", field->max);
    else if (field->kind == USHER_F64)
        printf ("none");
    else if (field->max == UINT64_MAX)
        printf ("2^64 - 1");
    else if (field->max == UINT32_MAX)
        printf ("2^32 - 1");
    else
        printf ("%" PRIu64, field->max);
}

static void
print_message (const usher_layout_t *layout)
{
    printf ("### %s\n\n%s\n\nid %u, link %s, direction %s\n\n", layout->name, layout->doc, layout->id,
            layout->link, layout->direction);
    if (layout->field_count == 0) {
        puts ("No fields.\n");
        return;
    }
    puts ("| field | kind | limit | |\n| --- | --- | --- | --- |");
    for (size_t col = 0; col < layout->field_count; col++) {
        printf ("| %s | %s | ", layout->fields [col].name, kind_names [layout->fields [col].kind]);
        print_limit (&layout->fields [col]);
        printf (" | %s |\n", layout->fields [col].doc);
    }
    putchar ('\n');
}

static void
print_enumeration (const enumeration_t *self)
{
    printf ("### %s values\n\n%s\n\n| number | name |\n| --- | --- |\n", self->name, self->doc);
    for (size_t value = 0; value < self->count; value++)
        printf ("| %zu | %s |\n", value, self->values [value]);
    putchar ('\n');
}

static int
print_messages (void)
{
    fputs (head, stdout);
    print_links ();
    puts ("## Messages\n");
    for (size_t row = 0; row < usher_layout_count; row++)
        print_message (&usher_layouts [row]);
    puts ("## Enumerations\n");
    for (size_t row = 0; row < enumeration_count; row++)
        print_enumeration (&enumerations [row]);
    printf ("Schema checksum of these tables: `%08" PRIx32 "`.\n", usher_schema ());
    return 0;
}

//  ---- main

static const struct {
    const char *verb;
    int (*print) (void);
} verbs [] = { { "messages", print_messages }, { "vectors", print_vectors }, { "values", print_values } };

static int
run (int argc, char **argv)
{
    if (argc == 3 && strcmp (argv [1], "seeds") == 0)
        return write_seeds (argv [2]);
    for (size_t row = 0; argc == 2 && row < sizeof verbs / sizeof *verbs; row++)
        if (strcmp (argv [1], verbs [row].verb) == 0)
            return verbs [row].print ();
    fputs ("usage: usher-describe messages | vectors | values | seeds DIR\n", stderr);
    return 2;
}

int
main (int argc, char **argv)
{
    int code = run (argc, argv);
    if (fflush (stdout) || ferror (stdout)) {
        perror ("usher-describe: standard output");
        return 1;
    }
    return code;
}
