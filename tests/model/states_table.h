//  states_table - what fold_next does, as a table to read

#ifndef STATES_TABLE_H
#define STATES_TABLE_H

#include <stdio.h>

//  Writes docs/states.md.
void states_print (FILE *out);

#endif
