//  metrics - a process's numbers as Prometheus text

#include "metrics.h"

#include <inttypes.h>
#include <string.h>

void
metrics_write (const metric_t *rows, size_t count, FILE *out)
{
    for (size_t row = 0; row < count; row++) {
        const metric_t *metric = &rows [row];
        if (row == 0 || strcmp (metric->name, rows [row - 1].name) != 0)
            fprintf (out, "# HELP usher_%s %s\n# TYPE usher_%s %s\n", metric->name, metric->help,
                     metric->name, metric->kind == METRIC_COUNTER ? "counter" : "gauge");
        fprintf (out, "usher_%s%s%s%s %" PRIu64 "\n", metric->name, metric->labels ? "{" : "",
                 metric->labels ? metric->labels : "", metric->labels ? "}" : "", metric->value);
    }
}
