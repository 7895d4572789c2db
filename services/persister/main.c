//  usher-persister: see persister.c

#include "persister.h"

int
main (int argc, char **argv)
{
    return service_main (argc, argv, &persister_service);
}
