//  log - one line an event, logfmt or JSON, to standard error
//
//  A line is built in memory and written with one write, so lines of many processes on one terminal do not mix.
//  Callers write logfmt pairs; for JSON the pairs are read back, which is slower and only paid by who asks for it.
//  What a process logs as is set once at start, which is why this file, alone, keeps state of its own.

#include "log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 8192
#define FIELDS_BYTES 4096

static struct {
    char process [64];
    log_level_t level;
    bool json;
} settings = { "usher", LOG_INFO, false };

static const char *const level_names [] = { "debug", "info", "warning", "error" };

typedef struct {
    char text [LINE_BYTES];
    size_t length;
} line_t;

void
log_open (const char *process, const char *level, const char *format)
{
    snprintf (settings.process, sizeof settings.process, "%s", process);
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++)
        if (strcmp (level, level_names [i]) == 0)
            settings.level = (log_level_t)i;
    settings.json = strcmp (format, "json") == 0;
}

//  Room for the line's end is kept back, so a cut line still ends well.
static void
line_char (line_t *self, char c)
{
    if (self->length < LINE_BYTES - 8)
        self->text [self->length++] = c;
}

static void
line_text (line_t *self, const char *text)
{
    while (*text)
        line_char (self, *text++);
}

//  A JSON string's inside is also a good quoted logfmt value.
static void
line_escaped (line_t *self, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text [i];
        if (c == '"' || c == '\\')
            line_char (self, '\\');
        line_char (self, c < 0x20 ? ' ' : (char)c);
    }
}

static void
line_quoted (line_t *self, const char *text, size_t size)
{
    line_char (self, '"');
    line_escaped (self, text, size);
    line_char (self, '"');
}

static void
line_time (line_t *self)
{
    struct timespec now;
    struct tm tm;
    char text [40];
    clock_gettime (CLOCK_REALTIME, &now);
    gmtime_r (&now.tv_sec, &tm);
    size_t length = strftime (text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf (text + length, sizeof text - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
    line_text (self, text);
}

//  A number as JSON has it: a leading zero or a second dot makes it a word.
static bool
looks_like_number (const char *text, size_t size)
{
    size_t i = size && text [0] == '-', digits = 0, dots = 0;
    if (size > i + 1 && text [i] == '0' && text [i + 1] != '.')
        return false;
    for (; i < size; i++) {
        if (text [i] == '.' && digits && i + 1 < size)
            dots++;
        else if (text [i] >= '0' && text [i] <= '9')
            digits++;
        else
            return false;
    }
    return digits && dots <= 1;
}

//  Reads one value at text, writes it as JSON, and returns where it ended.
static const char *
line_json_value (line_t *self, const char *text)
{
    if (*text == '"') {
        const char *end = ++text;
        line_char (self, '"');
        while (*end && *end != '"')
            end += end [0] == '\\' && end [1] ? 2 : 1;
        for (; text < end; text++)
            line_char (self, (unsigned char)*text < 0x20 ? ' ' : *text);
        line_char (self, '"');
        return *end ? end + 1 : end;
    }
    size_t size = strcspn (text, " ");
    if (looks_like_number (text, size))
        for (size_t i = 0; i < size; i++)
            line_char (self, text [i]);
    else
        line_quoted (self, text, size);
    return text + size;
}

static void
line_json_fields (line_t *self, const char *fields)
{
    for (fields += strspn (fields, " "); *fields; fields += strspn (fields, " ")) {
        size_t key = strcspn (fields, "= ");
        line_text (self, ",");
        line_quoted (self, fields, key);
        line_char (self, ':');
        fields += key;
        if (*fields == '=')
            fields = line_json_value (self, fields + 1);
        else
            line_text (self, "true");
    }
}

static void
line_json (line_t *self, log_level_t level, const char *event, const char *fields)
{
    line_text (self, "{\"time\":\"");
    line_time (self);
    line_text (self, "\",\"level\":\"");
    line_text (self, level_names [level]);
    line_text (self, "\",\"process\":");
    line_quoted (self, settings.process, strlen (settings.process));
    line_text (self, ",\"event\":");
    line_quoted (self, event, strlen (event));
    line_json_fields (self, fields);
    memcpy (self->text + self->length, "}\n", 2);
    self->length += 2;
}

static void
line_logfmt (line_t *self, log_level_t level, const char *event, const char *fields)
{
    line_text (self, "time=");
    line_time (self);
    line_text (self, " level=");
    line_text (self, level_names [level]);
    line_text (self, " process=");
    line_text (self, settings.process);
    line_text (self, " event=");
    line_quoted (self, event, strlen (event));
    if (*fields)
        line_char (self, ' ');
    for (; *fields; fields++)
        line_char (self, (unsigned char)*fields < 0x20 ? ' ' : *fields);
    self->text [self->length++] = '\n';
}

__attribute__ ((format (printf, 3, 0))) static void
log_write (log_level_t level, const char *event, const char *format, va_list arguments)
{
    if (level < settings.level)
        return;
    char fields [FIELDS_BYTES];
    vsnprintf (fields, sizeof fields, format, arguments);
    line_t line;
    line.length = 0;
    if (settings.json)
        line_json (&line, level, event, fields);
    else
        line_logfmt (&line, level, event, fields);
    //  Nobody can be told that standard error does not take it.
    ssize_t written = write (STDERR_FILENO, line.text, line.length);
    (void)written;
}

#define LOG_FUNCTION(name, level)                                                                            \
    void log_##name (const char *event, const char *format, ...)                                             \
    {                                                                                                        \
        va_list arguments;                                                                                   \
        va_start (arguments, format);                                                                        \
        log_write (level, event, format, arguments);                                                         \
        va_end (arguments);                                                                                  \
    }

LOG_FUNCTION (debug, LOG_DEBUG)
LOG_FUNCTION (info, LOG_INFO)
LOG_FUNCTION (warning, LOG_WARNING)
LOG_FUNCTION (error, LOG_ERROR)
