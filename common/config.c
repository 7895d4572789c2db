//  config - usher.yaml and the environment, read once at start by every process
//
//  Every setting is one row of the table below: where it is in the file, its environment variable (the same path in
//  capitals: collector.port is USHER_COLLECTOR_PORT), what it may be, and its default. libcyaml reads the file by a
//  schema made from the rows, every value as text; one reader turns texts of the file, the environment and the
//  defaults into values, so all three are checked alike. libcyaml does not tell the line of a value that we
//  refuse, nor the right one of an unknown key: find_line looks it up.

#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX 1048576
#define GIB (1024ull * 1024 * 1024)

//  A SECRET may be empty, and is never printed. NUMBER limits are numbers; CHOICE has its words in the last column.
typedef enum { PORT, NUMBER32, NUMBER64, SWITCH, TEXT, SECRET, ADDRESS, CHOICE } kind_t;

typedef struct {
    const char *section, *key;
    kind_t kind;
    size_t offset;
    uint64_t min, max;
    const char *fallback;    //  NULL: depends on where we are, see place_defaults
    const char *choices;
} row_t;

#define AT(member) offsetof (config_t, member)

static const row_t rows [] = {
    //  section             key                  kind      where                          min  max            default      choices
    { "", "bind", ADDRESS, AT (bind), 0, 0, "127.0.0.1", NULL },
    { "", "run_dir", TEXT, AT (run_dir), 1, 4096, NULL, NULL },
    { "", "data_dir", TEXT, AT (data_dir), 1, 4096, NULL, NULL },
    { "", "log_level", CHOICE, AT (log_level), 0, 0, "info", "debug, info, warning, error" },
    { "", "log_format", CHOICE, AT (log_format), 0, 0, "logfmt", "logfmt, json" },
    { "", "shards", NUMBER32, AT (shards), 1, 64, "2", NULL },
    { "collector", "enabled", SWITCH, AT (collector.enabled), 0, 1, "true", NULL },
    { "collector", "sink", CHOICE, AT (collector.sink), 0, 0, "journal", "journal, kafka" },
    { "collector", "port", PORT, AT (collector.port), 1, 65535, "9090", NULL },
    { "collector", "paths", TEXT, AT (collector.paths), 0, 4096, "", NULL },
    { "collector", "max_body_bytes", NUMBER32, AT (collector.max_body_bytes), 1024, 67108864, "1048576",
      NULL },
    { "collector", "max_connections", NUMBER32, AT (collector.max_connections), 1, 1000000, "10000", NULL },
    { "collector", "cookie_name", TEXT, AT (collector.cookie_name), 1, 64, "sp", NULL },
    { "collector", "cookie_days", NUMBER32, AT (collector.cookie_days), 0, 3650, "365", NULL },
    { "collector", "cookie_secure", SWITCH, AT (collector.cookie_secure), 0, 1, "true", NULL },
    { "collector", "cookie_http_only", SWITCH, AT (collector.cookie_http_only), 0, 1, "true", NULL },
    { "collector", "cookie_same_site", CHOICE, AT (collector.cookie_same_site), 0, 0, "None",
      "None, Lax, Strict" },
    { "collector", "mask_ip_octets", NUMBER32, AT (collector.mask_ip_octets), 0, 4, "0", NULL },
    { "collector", "mask_ip_segments", NUMBER32, AT (collector.mask_ip_segments), 0, 8, "0", NULL },
    { "collector", "max_journal_bytes", NUMBER64, AT (collector.max_journal_bytes), 1048576, 1024 * GIB,
      "1073741824", NULL },
    { "ingester", "source", CHOICE, AT (ingester.source), 0, 0, "journal", "journal, file, kafka" },
    { "ingester", "file", TEXT, AT (ingester.file), 0, 4096, "", NULL },
    { "ingester", "in_flight_bytes", NUMBER32, AT (ingester.in_flight_bytes), 65536, 1073741824, "8388608",
      NULL },
    { "ingester", "keep_bytes", NUMBER32, AT (ingester.keep_bytes), 65536, 1073741824, "67108864", NULL },
    { "kafka", "brokers", TEXT, AT (kafka.brokers), 0, 4096, "", NULL },
    { "kafka", "topic", TEXT, AT (kafka.topic), 1, 249, "snowplow-enriched-good", NULL },
    { "kafka", "bad_topic", TEXT, AT (kafka.bad_topic), 1, 249, "snowplow-enriched-bad", NULL },
    { "kafka", "group", TEXT, AT (kafka.group), 1, 255, "kafka-consumer-group", NULL },
    { "kafka", "start", CHOICE, AT (kafka.start), 0, 0, "earliest", "earliest, latest" },
    { "kafka", "out_of_range", CHOICE, AT (kafka.out_of_range), 0, 0, "earliest", "earliest, latest, stop" },
    { "kafka", "member", TEXT, AT (kafka.member), 0, 200, "", NULL },
    { "kafka", "properties", TEXT, AT (kafka.properties), 0, 65536, "", NULL },
    { "shard", "checkpoint_s", NUMBER32, AT (shard.checkpoint_s), 1, 86400, "300", NULL },
    { "shard", "forget_s", NUMBER32, AT (shard.forget_s), 1, 604800, "3600", NULL },
    { "shard", "paused_timeout_s", NUMBER32, AT (shard.paused_timeout_s), 1, 604800, "1800", NULL },
    { "shard", "feed_soft_s", NUMBER32, AT (shard.feed_soft_s), 0, 3600, "10", NULL },
    { "shard", "awake_viewers", NUMBER32, AT (shard.awake_viewers), 1, 10000000, "20000", NULL },
    { "store", "kind", CHOICE, AT (store.kind), 0, 0, "auto", "auto, sqlite, dynamodb" },
    { "store", "expire_days", NUMBER32, AT (store.expire_days), 1, 3650, "7", NULL },
    { "privacy", "pseudonym_key", SECRET, AT (privacy.pseudonym_key), 16, 1024, "", NULL },
    { "privacy", "pseudonym_key_file", TEXT, AT (privacy.pseudonym_key_file), 0, 4096, "", NULL },
    { "privacy", "api_raw_ids", SWITCH, AT (privacy.api_raw_ids), 0, 1, "false", NULL },
    { "privacy", "tombstone_days", NUMBER32, AT (privacy.tombstone_days), 1, 3650, "30", NULL },
    { "store", "region", TEXT, AT (store.region), 1, 64, NULL, NULL },
    { "store", "endpoint", TEXT, AT (store.endpoint), 0, 1000, NULL, NULL },
    { "store", "events_table", TEXT, AT (store.events_table), 3, 255, "video_events", NULL },
    { "store", "profiles_table", TEXT, AT (store.profiles_table), 3, 255, "viewer_profiles", NULL },
    { "store", "create_tables", CHOICE, AT (store.create_tables), 0, 0, "auto", "auto, yes, no" },
    { "store", "connections", NUMBER32, AT (store.connections), 1, 64, "16", NULL },
    { "gateway", "port", PORT, AT (gateway.port), 0, 65535, "8180", NULL },
    { "gateway", "max_clients", NUMBER32, AT (gateway.max_clients), 1, 1000000, "10000", NULL },
    { "gateway.dashboard", "port", PORT, AT (gateway.dashboard.port), 0, 65535, "8280", NULL },
    { "gateway.dashboard", "directory", TEXT, AT (gateway.dashboard.directory), 1, 4096, NULL, NULL },
    { "gateway.tracker", "port", PORT, AT (gateway.tracker.port), 0, 65535, "3000", NULL },
    { "gateway.tracker", "directory", TEXT, AT (gateway.tracker.directory), 1, 4096, NULL, NULL },
};
#define ROWS (sizeof rows / sizeof *rows)

static const struct {
    const char *path, *parent, *key;
} sections [] = {
    { "", NULL, NULL },
    { "collector", "", "collector" },
    { "ingester", "", "ingester" },
    { "kafka", "", "kafka" },
    { "shard", "", "shard" },
    { "store", "", "store" },
    { "privacy", "", "privacy" },
    { "gateway", "", "gateway" },
    { "gateway.dashboard", "gateway", "dashboard" },
    { "gateway.tracker", "gateway", "tracker" },
};
#define SECTIONS (sizeof sections / sizeof *sections)

//  What libcyaml loads a section into: a text for each row, and the sections below it. Each section fills only
//  what is its own.
typedef struct texts {
    char *text [ROWS];
    struct texts *below [SECTIONS];
} texts_t;

//  What libcyaml has complained about so far.
typedef struct {
    char problem [256];
    char path [256];
    unsigned line;
} complaint_t;

static void *
allocate (size_t size)
{
    void *memory = calloc (1, size);
    if (!memory)
        abort ();
    return memory;
}

__attribute__ ((format (printf, 1, 2))) static char *
text_new (const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start (arguments, format);
    int length = vasprintf (&text, format, arguments);
    va_end (arguments);
    if (length < 0)
        abort ();
    return text;
}

static const char *
row_path (const row_t *row, char *path, size_t size)
{
    snprintf (path, size, "%s%s%s", row->section, *row->section ? "." : "", row->key);
    return path;
}

static const char *
row_variable (const row_t *row, char *name, size_t size)
{
    char path [128];
    snprintf (name, size, "USHER_%s", row_path (row, path, sizeof path));
    for (char *c = name; *c; c++)
        *c = *c == '.' ? '_' : (char)toupper ((unsigned char)*c);
    return name;
}

//  ---- one value

//  Is word one of a list "a, b, c"?
static bool
listed (const char *list, const char *word)
{
    size_t length = strlen (word);
    for (const char *at = list; at; at = strchr (at, ',') ? strchr (at, ',') + 2 : NULL)
        if (length && strncmp (at, word, length) == 0 && (at [length] == ',' || at [length] == 0))
            return true;
    return false;
}

//  Digits only: strtoull would take a sign and blanks.
static bool
read_number (const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    if (!*text || strspn (text, "0123456789") != strlen (text))
        return false;
    errno = 0;
    *number = strtoull (text, NULL, 10);
    return errno == 0 && *number >= min && *number <= max;
}

static bool
read_switch (const char *text, bool *on)
{
    *on = listed ("true, yes, on, 1", text);
    return *on || listed ("false, no, off, 0", text);
}

static bool
text_is_good (const row_t *row, const char *text)
{
    struct in_addr address;
    size_t length = strlen (text);
    if (row->kind == ADDRESS)
        return inet_pton (AF_INET, text, &address) == 1;
    if (row->kind == CHOICE)
        return listed (row->choices, text);
    if (row->kind == SECRET && length == 0)
        return true;
    return length >= row->min && length <= row->max;
}

static bool
set_text (const row_t *row, const char *text, void *field)
{
    if (!text_is_good (row, text))
        return false;
    free (*(char **)field);
    *(char **)field = text_new ("%s", text);
    return true;
}

//  Puts text into the row's field. Returns false when the row does not allow it.
static bool
set_value (config_t *self, const row_t *row, const char *text)
{
    void *field = (char *)self + row->offset;
    uint64_t number;
    switch (row->kind) {
    case TEXT:
    case SECRET:
    case ADDRESS:
    case CHOICE:
        return set_text (row, text, field);
    case SWITCH:
        return read_switch (text, field);
    default:
        if (!read_number (text, row->min, row->max, &number))
            return false;
    }
    if (row->kind == PORT)
        *(uint16_t *)field = (uint16_t)number;
    else if (row->kind == NUMBER32)
        *(uint32_t *)field = (uint32_t)number;
    else
        *(uint64_t *)field = number;
    return true;
}

//  A value that was refused, as a person may see it.
static const char *
shown (const row_t *row, const char *text)
{
    return row->kind == SECRET ? "(not shown)" : text;
}

static void
print_allowed (const row_t *row, FILE *out)
{
    switch (row->kind) {
    case ADDRESS:
        fprintf (out, "an IPv4 address such as 127.0.0.1 or 0.0.0.0");
        break;
    case CHOICE:
        fprintf (out, strchr (row->choices, ',') ? "one of %s" : "%s", row->choices);
        break;
    case SWITCH:
        fprintf (out, "true or false");
        break;
    case TEXT:
    case SECRET:
        fprintf (out, "a text of %u to %u bytes", (unsigned)row->min, (unsigned)row->max);
        break;
    case PORT:
        fprintf (out, "a port, 1 to 65535%s", row->min == 0 ? ", or 0 for none" : "");
        break;
    default:
        fprintf (out, "a number from %llu to %llu", (unsigned long long)row->min,
                 (unsigned long long)row->max);
    }
}

//  ---- the line of a key

//  Skips an indentation and compares the key that follows. Returns its depth in blanks, -1 for no key line.
static int
line_key (const char *line, const char **key, size_t *size)
{
    size_t blanks = strspn (line, " "), length = strcspn (line, "\n");
    if (blanks >= length || line [blanks] == '#')
        return -1;
    const char *at = line + blanks, *colon = memchr (at, ':', length - blanks);
    if (!colon)
        return -1;
    *key = at;
    *size = (size_t)(colon - at);
    while (*size && (at [*size - 1] == ' ' || at [*size - 1] == '"' || at [*size - 1] == '\''))
        --*size;
    if (*size && (**key == '"' || **key == '\''))
        (*key)++, (*size)--;
    return (int)blanks;
}

//  The number of the (first or last) line that holds the key of a dotted path, in block style; 0 if there is none.
static unsigned
find_line (const char *file, const char *path, bool last)
{
    const char *parts [4];
    size_t part_sizes [4], wanted = 0, met = 0, size;
    int depths [4] = { 0 };
    unsigned found = 0, number = 1;
    for (const char *at = path; at && wanted < 4; at = strchr (at, '.') ? strchr (at, '.') + 1 : NULL) {
        parts [wanted] = at;
        part_sizes [wanted++] = strcspn (at, ".");
    }
    for (const char *line = file, *key; line && *line; number++) {
        int depth = line_key (line, &key, &size);
        while (depth >= 0 && met && depth <= depths [met - 1])
            met--;
        if (depth >= 0 && (met > 0 || depth == 0) && size == part_sizes [met] &&
            memcmp (key, parts [met], size) == 0) {
            if (met + 1 == wanted && (last || !found))
                found = number;
            else if (met + 1 < wanted)
                depths [met++] = depth;
        }
        line = strchr (line, '\n');
        line = line ? line + 1 : NULL;
    }
    return found;
}

//  ---- what libcyaml says, and how we say it

//  A path too long for its buffer stays as it is: no key of ours is.
static void
path_prepend (char *path, size_t size, const char *name)
{
    size_t length = strlen (path), extra = strlen (name) + (length > 0);
    if (length + extra >= size)
        return;
    memmove (path + extra, path, length + 1);
    memcpy (path, name, strlen (name));
    if (length)
        path [extra - 1] = '.';
}

//  The first error is the reason; the backtrace that follows leads from there to the top.
static void
on_complaint (cyaml_log_t level, void *arg, const char *format, va_list arguments)
{
    complaint_t *self = arg;
    char text [256], name [64];
    vsnprintf (text, sizeof text, format, arguments);
    text [strcspn (text, "\n")] = 0;
    const char *place = strstr (text, "(line: "), *field = strstr (text, "in mapping field '");
    if (level < CYAML_LOG_ERROR || strstr (text, "Backtrace:"))
        return;
    if (text [0] != ' ' && !self->problem [0])
        snprintf (self->problem, sizeof self->problem, "%s", strncmp (text, "Load: ", 6) ? text : text + 6);
    if (text [0] == ' ' && place && !self->line)
        self->line = (unsigned)strtoul (place + strlen ("(line: "), NULL, 10);
    if (text [0] == ' ' && field && sscanf (field, "in mapping field '%63[^']", name) == 1)
        path_prepend (self->path, sizeof self->path, name);
}

//  How far two words are apart: typing errors are one or two away.
static size_t
distance (const char *a, const char *b)
{
    size_t row [64], width = strlen (b);
    if (width >= 64)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row [j] = j;
    for (size_t i = 1; a [i - 1]; i++) {
        size_t corner = row [0];
        row [0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t change = corner + (a [i - 1] != b [j - 1]);
            corner = row [j];
            size_t least = row [j] < row [j - 1] ? row [j] + 1 : row [j - 1] + 1;
            row [j] = change < least ? change : least;
        }
    }
    return row [width];
}

//  Calls each with every key that a section may hold.
static void
each_key (const char *section, void (*each) (void *arg, const char *key), void *arg)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp (rows [i].section, section) == 0)
            each (arg, rows [i].key);
    for (size_t i = 1; i < SECTIONS; i++)
        if (strcmp (sections [i].parent, section) == 0)
            each (arg, sections [i].key);
}

typedef struct {
    const char *word, *best;
    size_t best_distance, count;
} nearest_t;

static void
consider (void *arg, const char *key)
{
    nearest_t *self = arg;
    size_t away = distance (self->word, key);
    if (away < self->best_distance)
        self->best = key, self->best_distance = away;
}

static void
print_key (void *arg, const char *key)
{
    nearest_t *self = arg;
    fprintf (stderr, "%s%s", self->count++ ? ", " : "", key);
}

static void
say_unknown (const char *file, const char *content, const char *section, const char *key)
{
    char path [512];
    snprintf (path, sizeof path, "%s%s%s", section, *section ? "." : "", key);
    nearest_t nearest = { .word = key, .best_distance = 3 };
    each_key (section, consider, &nearest);
    fprintf (stderr, "%s:%u: unknown key %s; ", file, find_line (content, path, false), path);
    if (nearest.best)
        fprintf (stderr, "did you mean %s?", nearest.best);
    else {
        fprintf (stderr, "%s has ", *section ? section : "the file");
        each_key (section, print_key, &nearest);
    }
    fprintf (stderr, "\n");
}

//  Puts libcyaml's complaint into our words.
static void
say_complaint (const char *file, const char *content, const complaint_t *complaint)
{
    static const char unknown [] = "Unexpected key: ", twice [] = "Mapping field already seen: ";
    const char *problem = complaint->problem, *path = complaint->path;
    unsigned line = find_line (content, path, false);
    if (!line)
        line = complaint->line ? complaint->line : 1;
    if (strncmp (problem, unknown, strlen (unknown)) == 0)
        say_unknown (file, content, path, problem + strlen (unknown));
    else if (strncmp (problem, twice, strlen (twice)) == 0)
        fprintf (stderr, "%s:%u: %s is set twice; keep one\n", file, find_line (content, path, true), path);
    else if (strstr (problem, "Expecting MAPPING"))
        fprintf (stderr, "%s:%u: %s must be a section, with its keys indented below it\n", file, line,
                 *path ? path : "the file");
    else if (strstr (problem, "Expecting STRING"))
        fprintf (stderr, "%s:%u: %s must be one value, not a section or a list\n", file, line, path);
    else
        fprintf (stderr, "%s:%u: this is not YAML that we can read%s%s: %s\n", file,
                 complaint->line ? complaint->line : 1, *path ? ", near " : "", path, problem);
}

//  ---- the file

typedef struct {
    cyaml_schema_field_t fields [SECTIONS][ROWS + SECTIONS + 1];
    cyaml_schema_value_t top;
} schema_t;

static size_t
section_index (const char *path)
{
    size_t i = 0;
    while (strcmp (sections [i].path, path))
        i++;
    return i;
}

//  Every key is optional and may be empty: a section whose keys are all comments is a good section.
static void
schema_init (schema_t *self)
{
    size_t used [SECTIONS] = { 0 };
    const enum cyaml_flag flags = (enum cyaml_flag) (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL);
    memset (self, 0, sizeof *self);
    for (size_t i = 0; i < ROWS; i++) {
        size_t s = section_index (rows [i].section);
        cyaml_schema_field_t *field = &self->fields [s][used [s]++];
        field->key = rows [i].key;
        field->data_offset = (uint32_t)(offsetof (texts_t, text) + i * sizeof (char *));
        field->value.type = CYAML_STRING;
        field->value.flags = flags;
        field->value.data_size = sizeof (char);
        field->value.string.max = CYAML_UNLIMITED;
    }
    for (size_t i = 1; i < SECTIONS; i++) {
        size_t s = section_index (sections [i].parent);
        cyaml_schema_field_t *field = &self->fields [s][used [s]++];
        field->key = sections [i].key;
        field->data_offset = (uint32_t)(offsetof (texts_t, below) + i * sizeof (texts_t *));
        field->value.type = CYAML_MAPPING;
        field->value.flags = flags;
        field->value.data_size = sizeof (texts_t);
        field->value.mapping.fields = self->fields [i];
    }
    self->top.type = CYAML_MAPPING;
    self->top.flags = CYAML_FLAG_POINTER;
    self->top.data_size = sizeof (texts_t);
    self->top.mapping.fields = self->fields [0];
}

//  Returns the file's text, ended by 0, or NULL after saying why.
static char *
file_read (const char *file)
{
    FILE *in = fopen (file, "re");
    char *content = allocate (FILE_BYTES_MAX + 1);
    size_t size = in ? fread (content, 1, FILE_BYTES_MAX + 1, in) : 0;
    bool bad = !in || ferror (in);
    if (bad)
        fprintf (stderr, "%s: cannot be read (%s); give --config the path of a readable file\n", file,
                 strerror (errno));
    else if (size > FILE_BYTES_MAX)
        fprintf (stderr, "%s: is larger than %d bytes, so it is no configuration\n", file, FILE_BYTES_MAX);
    if (in)
        fclose (in);
    if (bad || size > FILE_BYTES_MAX) {
        free (content);
        return NULL;
    }
    content [size] = 0;
    return content;
}

//  The text that the file has for a row, or NULL.
static const char *
texts_get (const texts_t *top, size_t row)
{
    const texts_t *texts = top;
    size_t s = section_index (rows [row].section);
    if (s && strcmp (sections [s].parent, "") != 0)
        texts = texts->below [section_index (sections [s].parent)];
    if (s && texts)
        texts = texts->below [s];
    return texts ? texts->text [row] : NULL;
}

static bool
apply_texts (config_t *self, const texts_t *texts, const char *file, const char *content)
{
    char path [128];
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = texts_get (texts, i);
        if (!text || set_value (self, &rows [i], text))
            continue;
        row_path (&rows [i], path, sizeof path);
        fprintf (stderr, "%s:%u: %s is '%.60s'; it must be ", file, find_line (content, path, false), path,
                 shown (&rows [i], text));
        print_allowed (&rows [i], stderr);
        fprintf (stderr, "\n");
        return false;
    }
    return true;
}

static bool
apply_file (config_t *self, const char *file)
{
    char *content = file_read (file);
    if (!content)
        return false;
    schema_t schema;
    schema_init (&schema);
    complaint_t complaint = { .line = 0 };
    cyaml_config_t how = { .log_fn = on_complaint,
                           .log_ctx = &complaint,
                           .log_level = CYAML_LOG_ERROR,
                           .mem_fn = cyaml_mem,
                           .flags = CYAML_CFG_NO_ALIAS };
    texts_t *texts = NULL;
    cyaml_err_t result = cyaml_load_data ((const uint8_t *)content, strlen (content), &how, &schema.top,
                                          (cyaml_data_t **)&texts, NULL);
    bool good = result == CYAML_OK;
    if (!complaint.problem [0])
        snprintf (complaint.problem, sizeof complaint.problem, "%s", cyaml_strerror (result));
    if (!good)
        say_complaint (file, content, &complaint);
    else if (texts)    //  a file without any key loads as nothing
        good = apply_texts (self, texts, file, content);
    cyaml_free (&how, &schema.top, texts, 0);
    free (content);
    return good;
}

//  ---- the environment and the defaults

//  The reference's own variable: where it is set, its topic is the source and nobody wants a collector. All of
//  it can be said otherwise in the file.
static void
kafka_defaults (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    if (!brokers || !*brokers)
        return;
    free (self->ingester.source);
    self->ingester.source = text_new ("kafka");
    self->collector.enabled = false;
}

//  It comes before the file's kafka.brokers, as every variable does, and behind USHER_KAFKA_BROKERS.
static bool
kafka_environment (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    if (!brokers || !*brokers)
        return true;
    if (strlen (brokers) > 4096) {
        fprintf (stderr, "environment: KAFKA_BOOTSTRAP_SERVERS is longer than 4096 bytes\n");
        return false;
    }
    free (self->kafka.brokers);
    self->kafka.brokers = text_new ("%s", brokers);
    return true;
}

static bool
apply_environment (config_t *self)
{
    char name [160];
    for (size_t i = 0; i < ROWS; i++) {
        const char *text = getenv (row_variable (&rows [i], name, sizeof name));
        if (!text || set_value (self, &rows [i], text))
            continue;
        fprintf (stderr, "environment: %s is '%.60s'; it must be ", name, shown (&rows [i], text));
        print_allowed (&rows [i], stderr);
        fprintf (stderr, "\n");
        return false;
    }
    return true;
}

//  The folder that holds the build folder: programs are in <here>/build/bin.
static void
find_home (char *home, size_t size)
{
    ssize_t length = readlink ("/proc/self/exe", home, size - 1);
    home [length < 0 ? 0 : length] = 0;
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr (home, '/');
        if (slash)
            *slash = 0;
    }
}

//  The first of two variables that says something, else "".
static const char *
variable (const char *name, const char *other)
{
    const char *value = getenv (name);
    if (!value || !*value)
        value = getenv (other);
    return value ? value : "";
}

static void
place_defaults (config_t *self, const char *dir)
{
    char home [4096];
    find_home (home, sizeof home);
    self->run_dir = text_new ("%s/run", dir);
    self->data_dir = text_new ("%s/data", dir);
    self->gateway.dashboard.directory = text_new ("%s/frontends/viewer/dist", home);
    self->gateway.tracker.directory = text_new ("%s/frontends/tracker/dist", home);
    self->store.region = text_new ("%s", variable ("AWS_REGION", "AWS_DEFAULT_REGION"));
    self->store.endpoint = text_new ("%s", variable ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"));
    for (size_t i = 0; i < ROWS; i++)
        if (rows [i].fallback)
            set_value (self, &rows [i], rows [i].fallback);
    kafka_defaults (self);
}

//  The key may stand in a file, without the line's end that an editor leaves behind it.
static bool
read_key_file (config_t *self)
{
    const char *path = self->privacy.pseudonym_key_file;
    if (!*path)
        return true;
    char text [1024 + 2] = "";
    FILE *in = fopen (path, "re");
    if (in && fgets (text, sizeof text, in))
        text [strcspn (text, "\r\n")] = 0;
    if (in)
        fclose (in);
    if (strlen (text) < 16 || strlen (text) > 1024) {
        fprintf (stderr, "privacy.pseudonym_key_file: %s must be readable, its first line 16 to 1024 bytes\n",
                 path);
        return false;
    }
    free (self->privacy.pseudonym_key);
    self->privacy.pseudonym_key = text_new ("%s", text);
    return true;
}

static void
set_word (char **field, const char *word)
{
    free (*field);
    *field = text_new ("%s", word);
}

//  Settings of the store that follow from others where nobody has said. The reference is told by variables of Kafka
//  and AWS alone where it writes; the same ones mean DynamoDB here.
static void
decide_store (config_t *self)
{
    const char *brokers = getenv ("KAFKA_BOOTSTRAP_SERVERS");
    bool aws = *variable ("AWS_REGION", "AWS_DEFAULT_REGION") && brokers && *brokers;
    if (strcmp (self->store.kind, "auto") == 0)
        set_word (&self->store.kind, aws || *self->store.endpoint ? "dynamodb" : "sqlite");
    if (strcmp (self->store.create_tables, "auto") == 0)
        set_word (&self->store.create_tables, *self->store.endpoint ? "yes" : "no");
    //  What stands at an endpoint of one's own rarely minds; AWS does.
    if (!*self->store.region && *self->store.endpoint)
        set_word (&self->store.region, "us-east-1");
}

static bool
store_makes_sense (const config_t *self)
{
    const char *endpoint = self->store.endpoint;
    if (strcmp (self->store.kind, "dynamodb") != 0)
        return true;
    if (*endpoint && strncmp (endpoint, "http://", 7) != 0 && strncmp (endpoint, "https://", 8) != 0) {
        fprintf (stderr,
                 "store.endpoint (AWS_ENDPOINT_URL) is '%.60s'; it must begin with http:// or https://\n",
                 endpoint);
        return false;
    }
    if (!*self->store.region)
        fprintf (stderr, "store.kind is dynamodb, so AWS_REGION (or store.region) must name the region\n");
    return *self->store.region != 0;
}

//  What no single row can see.
static bool
makes_sense (const config_t *self)
{
    if (!store_makes_sense (self))
        return false;
    if (strcmp (self->ingester.source, "file") == 0 && !*self->ingester.file) {
        fprintf (stderr,
                 "ingester.source is file, so ingester.file (USHER_INGESTER_FILE) must name the file\n");
        return false;
    }
    if (strcmp (self->ingester.source, "kafka") == 0 && !*self->kafka.brokers) {
        fprintf (stderr,
                 "ingester.source is kafka, so KAFKA_BOOTSTRAP_SERVERS or kafka.brokers must name them\n");
        return false;
    }
    if (strcmp (self->collector.sink, "kafka") == 0 && !*self->kafka.brokers) {
        fprintf (stderr,
                 "collector.sink is kafka, so KAFKA_BOOTSTRAP_SERVERS or kafka.brokers must name them\n");
        return false;
    }
    return true;
}

config_t *
config_load (const char *file, const char *dir)
{
    config_t *self = allocate (sizeof *self);
    place_defaults (self, dir);
    if ((!file || apply_file (self, file)) && kafka_environment (self) && apply_environment (self) &&
        read_key_file (self)) {
        decide_store (self);
        if (makes_sense (self))
            return self;
    }
    config_destroy (&self);
    return NULL;
}

void
config_destroy (config_t **self_p)
{
    config_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < ROWS; i++)
        if (rows [i].kind == TEXT || rows [i].kind == SECRET || rows [i].kind == ADDRESS ||
            rows [i].kind == CHOICE)
            free (*(char **)((char *)self + rows [i].offset));
    free (self);
    *self_p = NULL;
}
