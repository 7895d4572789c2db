//  metrics - a process's numbers as Prometheus text
//
//  Names and help follow Prometheus' naming rules; promtool checks them in the tests.

#ifndef METRICS_H
#define METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { METRIC_COUNTER, METRIC_GAUGE } metric_kind_t;

typedef struct {
    const char *name;    //  without usher_; a counter's ends with _total
    metric_kind_t kind;
    const char *help;      //  a sentence
    const char *labels;    //  class="2xx", or NULL; rows of one name stand together
    uint64_t value;
} metric_t;

//  Writes the rows, with help and type before the first of each name.
void metrics_write (const metric_t *rows, size_t count, FILE *out);

#endif
