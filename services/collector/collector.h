//  collector - an embedded Snowplow collector; see collector.c

#ifndef COLLECTOR_H_INCLUDED
#define COLLECTOR_H_INCLUDED

#include "service.h"

extern const service_spec_t collector_service;

#endif
