//  config_rows - every setting there is, and what each may be

#include "config_rows.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GIB (1024ull * 1024 * 1024)

#define AT(member) offsetof (config_t, member)

const config_row_t config_rows [] = {
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
    { "ingester", "in_flight_bytes", NUMBER32, AT (ingester.in_flight_bytes), 65536, 1073741824, "16777216",
      NULL },
    { "ingester", "keep_bytes", NUMBER32, AT (ingester.keep_bytes), 65536, 1073741824, "67108864", NULL },
    { "kafka", "brokers", TEXT, AT (kafka.brokers), 0, 4096, "", NULL },
    { "kafka", "topic", TEXT, AT (kafka.topic), 1, 249, "snowplow-enriched-good", NULL },
    { "kafka", "bad_topic", TEXT, AT (kafka.bad_topic), 1, 249, "snowplow-enriched-bad", NULL },
    { "kafka", "group", TEXT, AT (kafka.group), 1, 255, "kafka-consumer-group", NULL },
    { "kafka", "start", CHOICE, AT (kafka.start), 0, 0, "earliest", "earliest, latest" },
    { "kafka", "out_of_range", CHOICE, AT (kafka.out_of_range), 0, 0, "earliest", "earliest, latest, stop" },
    { "kafka", "stall_s", NUMBER32, AT (kafka.stall_s), 1, 86400, "30", NULL },
    { "kafka", "member", TEXT, AT (kafka.member), 0, 200, "", NULL },
    { "kafka", "properties", TEXT, AT (kafka.properties), 0, 65536, "", NULL },
    { "shard", "checkpoint_s", NUMBER32, AT (shard.checkpoint_s), 1, 86400, "300", NULL },
    { "shard", "forget_s", NUMBER32, AT (shard.forget_s), 1, 604800, "3600", NULL },
    { "shard", "paused_timeout_s", NUMBER32, AT (shard.paused_timeout_s), 1, 604800, "1800", NULL },
    { "shard", "feed_soft_s", NUMBER32, AT (shard.feed_soft_s), 0, 3600, "10", NULL },
    { "shard", "awake_viewers", NUMBER32, AT (shard.awake_viewers), 1, 10000000, "20000", NULL },
    { "shard", "unwritten_bytes", NUMBER64, AT (shard.unwritten_bytes), 1048576, 64 * GIB, "268435456",
      NULL },
    { "store", "kind", CHOICE, AT (store.kind), 0, 0, "auto", "auto, sqlite, dynamodb" },
    { "store", "expire_days", NUMBER32, AT (store.expire_days), 1, 3650, "7", NULL },
    { "store", "region", TEXT, AT (store.region), 1, 64, NULL, NULL },
    { "store", "endpoint", TEXT, AT (store.endpoint), 0, 1000, NULL, NULL },
    { "store", "events_table", TEXT, AT (store.events_table), 3, 255, "video_events", NULL },
    { "store", "profiles_table", TEXT, AT (store.profiles_table), 3, 255, "viewer_profiles", NULL },
    { "store", "create_tables", CHOICE, AT (store.create_tables), 0, 0, "auto", "auto, yes, no" },
    { "store", "connections", NUMBER32, AT (store.connections), 1, 64, "16", NULL },
    { "privacy", "pseudonym_key", SECRET, AT (privacy.pseudonym_key), 16, 1024, "", NULL },
    { "privacy", "pseudonym_key_file", TEXT, AT (privacy.pseudonym_key_file), 0, 4096, "", NULL },
    { "privacy", "api_raw_ids", SWITCH, AT (privacy.api_raw_ids), 0, 1, "false", NULL },
    { "privacy", "tombstone_days", NUMBER32, AT (privacy.tombstone_days), 1, 3650, "30", NULL },
    { "gateway", "port", PORT, AT (gateway.port), 0, 65535, "8180", NULL },
    { "gateway", "max_clients", NUMBER32, AT (gateway.max_clients), 1, 1000000, "10000", NULL },
    { "gateway.dashboard", "port", PORT, AT (gateway.dashboard.port), 0, 65535, "8280", NULL },
    { "gateway.dashboard", "directory", TEXT, AT (gateway.dashboard.directory), 1, 4096, NULL, NULL },
    { "gateway.tracker", "port", PORT, AT (gateway.tracker.port), 0, 65535, "3000", NULL },
    { "gateway.tracker", "directory", TEXT, AT (gateway.tracker.directory), 1, 4096, NULL, NULL },
};

const size_t config_row_count = sizeof config_rows / sizeof *config_rows;
_Static_assert(sizeof config_rows / sizeof *config_rows <= CONFIG_ROWS_MAX, "make CONFIG_ROWS_MAX larger");

const config_section_t config_sections [] = {
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

const size_t config_section_count = sizeof config_sections / sizeof *config_sections;
_Static_assert(sizeof config_sections / sizeof *config_sections <= CONFIG_SECTIONS_MAX,
               "make CONFIG_SECTIONS_MAX larger");

//  ---- names and texts

char *
config_text (const char *format, ...)
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

const char *
config_row_path (const config_row_t *row, char *path, size_t size)
{
    snprintf (path, size, "%s%s%s", row->section, *row->section ? "." : "", row->key);
    return path;
}

const char *
config_row_variable (const config_row_t *row, char *name, size_t size)
{
    char path [128];
    snprintf (name, size, "USHER_%s", config_row_path (row, path, sizeof path));
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
text_is_good (const config_row_t *row, const char *text)
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
set_text (const config_row_t *row, const char *text, void *field)
{
    if (!text_is_good (row, text))
        return false;
    free (*(char **)field);
    *(char **)field = config_text ("%s", text);
    return true;
}

bool
config_row_set (config_t *self, const config_row_t *row, const char *text)
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

const char *
config_row_shown (const config_row_t *row, const char *text)
{
    return row->kind == SECRET ? "(not shown)" : text;
}

void
config_row_allows (const config_row_t *row, FILE *out)
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

void
config_rows_free (config_t *self)
{
    for (size_t i = 0; i < config_row_count; i++)
        if (config_rows [i].kind == TEXT || config_rows [i].kind == SECRET ||
            config_rows [i].kind == ADDRESS || config_rows [i].kind == CHOICE)
            free (*(char **)((char *)self + config_rows [i].offset));
}
