//  report - what the supervisor tells people and machines about the roster

#ifndef REPORT_H
#define REPORT_H

#include "config.h"
#include "roster.h"

#include <stdio.h>

//  A JSON document: {"supervisor":{"pid","state","uptime_ms"},"processes":[{"name","state","pid","uptime_ms","restarts",
//  "beat_age_ms","note"}...]}; what is not known is null. The caller frees it.
char *report_status (const roster_t *roster, const char *state, int64_t started_ms, int64_t now_ms);

//  Prometheus text about every process. The caller frees it.
char *report_metrics (const roster_t *roster, int64_t now_ms);

//  Where to look, for people.
void report_where (const config_t *config, FILE *out);

#endif
