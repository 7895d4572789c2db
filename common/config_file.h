//  config_file - reads usher.yaml into the settings
//
//  libcyaml reads the file by a schema made from the rows, every value as text; what a text means is for config_rows.
//  Private to config.

#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "config.h"

//  Sets what the file sets. Returns false after writing one line to stderr that names file, line and key at fault.
bool config_file_read (config_t *self, const char *file);

#endif
