//  log - one line an event, logfmt or JSON, to standard error

#ifndef LOG_H
#define LOG_H

#include <stdarg.h>

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } log_level_t;

//  Sets who writes, from which level, and how. level and format as in usher.yaml; both were checked there.
void log_open (const char *process, const char *level, const char *format);

//  Writes event (a few fixed words) and fields: a format that prints key=value pairs, values quoted by %s callers where
//  they hold blanks. Never a raw viewer id. log_info ("store opened", "file=%s rows=%d", file, rows).
void log_debug (const char *event, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void log_info (const char *event, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void log_warning (const char *event, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void log_error (const char *event, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

#endif
