//  print_states - usher-states: prints docs/states.md
//
//  Usage: usher-states > docs/states.md

#include "states_table.h"

int
main (void)
{
    states_print (stdout);
    return fflush (stdout) ? 1 : 0;
}
