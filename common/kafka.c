//  kafka - a librdkafka configuration made from usher.yaml, for the source in the ingester and the sink in the collector

#include "kafka.h"
#include "log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

//  Levels of librdkafka's lines, as in syslog(3), whose header has names that are ours.
enum { LEVEL_ERROR = 3, LEVEL_NOTICE = 5 };

typedef struct {
    rd_kafka_conf_t *conf;
    const kafka_property_t *own;
    size_t own_count;
    char *reason;
    size_t reason_size;
} maker_t;

static bool
set (maker_t *self, const char *where, const char *name, const char *value)
{
    char text [512];
    if (rd_kafka_conf_set (self->conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return true;
    snprintf (self->reason, self->reason_size, "%s: %s: %s", where, name, text);
    return false;
}

//  A promise hangs on some properties: another value is refused rather than broken silently.
static bool
is_free (maker_t *self, const char *where, const char *name)
{
    for (size_t row = 0; row < self->own_count; row++)
        if (self->own [row].why && strcmp (self->own [row].name, name) == 0) {
            snprintf (self->reason, self->reason_size, "%s: %s cannot be set: %s", where, name,
                      self->own [row].why);
            return false;
        }
    return true;
}

//  Cuts blanks off both ends, in place.
static char *
trim (char *text)
{
    while (isspace ((unsigned char)*text))
        text++;
    for (size_t size = strlen (text); size && isspace ((unsigned char)text [size - 1]);)
        text [--size] = 0;
    return text;
}

//  One line: name=value, or nothing, or a # comment.
static bool
set_line (maker_t *self, char *line, unsigned number)
{
    char where [48];
    snprintf (where, sizeof where, "kafka.properties, line %u", number);
    line = trim (line);
    if (!*line || *line == '#')
        return true;
    char *value = strchr (line, '=');
    if (!value) {
        snprintf (self->reason, self->reason_size, "%s: '%.60s' is not name=value", where, line);
        return false;
    }
    *value++ = 0;
    const char *name = trim (line);
    return is_free (self, where, name) && set (self, where, name, trim (value));
}

static bool
set_lines (maker_t *self, const char *properties)
{
    char line [8192];
    unsigned number = 1;
    for (const char *at = properties; *at; number++) {
        size_t size = strcspn (at, "\n");
        if (size >= sizeof line) {
            snprintf (self->reason, self->reason_size, "kafka.properties, line %u: longer than %zu bytes",
                      number, sizeof line - 1);
            return false;
        }
        memcpy (line, at, size);
        line [size] = 0;
        if (!set_line (self, line, number))
            return false;
        at += size + (at [size] == '\n');
    }
    return true;
}

static bool
set_all (maker_t *self, const config_t *config)
{
    if (!set (self, "kafka.brokers", "bootstrap.servers", config->kafka.brokers))
        return false;
    for (size_t row = 0; row < self->own_count; row++)
        if (!set (self, "built in", self->own [row].name, self->own [row].value))
            return false;
    return set_lines (self, config->kafka.properties);
}

rd_kafka_conf_t *
kafka_conf_new (const config_t *config, const kafka_property_t *own, size_t own_count, char *reason,
                size_t reason_size)
{
    maker_t maker = { rd_kafka_conf_new (), own, own_count, reason, reason_size };
    if (set_all (&maker, config)) {
        rd_kafka_conf_set_log_cb (maker.conf, kafka_log);
        return maker.conf;
    }
    rd_kafka_conf_destroy (maker.conf);
    return NULL;
}

void
kafka_log (const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    //  A connection's failure comes again by librdkafka's other way, to the error callback or, without one, as ERROR.
    bool twice = strcmp (facility, "FAIL") == 0;
    if (level <= LEVEL_ERROR && !twice)
        log_error ("librdkafka", "facility=%s text=\"%s\"", facility, text);
    else if (level <= LEVEL_NOTICE && !twice)
        log_warning ("librdkafka", "facility=%s text=\"%s\"", facility, text);
    else
        log_debug ("librdkafka", "facility=%s text=\"%s\"", facility, text);
}
