//  usher-persister: see persister.c

#include "persister.h"

//  One transaction takes what several turns bring, while each brings more.
static bool
turn_or_gather (void *self, usher_time_t now, outbox_t *out)
{
    return !persister_gathers (self, now) && persister_service.turn (self, now, out);
}

int
main (int argc, char **argv)
{
    service_spec_t spec = persister_service;
    spec.turn = turn_or_gather;
    return service_main (argc, argv, &spec);
}
