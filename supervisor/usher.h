//  usher - what the verbs of the usher command share

#ifndef USHER_H
#define USHER_H

#include "config.h"
#include <getopt.h>

//  Where the supervisor is that a verb talks to.
typedef struct {
    const char *dir;            //  --dir, default demo
    const char *config_file;    //  --config, else usher.yaml if there is one here, else NULL
    config_t *config;
} usher_where_t;

//  A verb gets the words behind `usher`, its own name first, and returns the exit code.
int usher_up (int argc, char **argv);
int usher_status (int argc, char **argv);
int usher_restart (int argc, char **argv);
int usher_stop (int argc, char **argv);
int usher_watch (int argc, char **argv);
int usher_erase (int argc, char **argv);
int usher_replay (int argc, char **argv);
int usher_simulate (int argc, char **argv);

//  One option of a verb: its text goes to *text.
typedef struct {
    const char *name;
    const char **text;
    bool flag;    //  takes no value; *text becomes "1"
} usher_option_t;

//  Reads --dir, --config and the options, then the configuration. At most one word that is no option goes to *word
//  (NULL: none is allowed). Returns false after one line on stderr that says what is wrong.
bool usher_options (int argc, char **argv, const usher_option_t *options, const char **word,
                    usher_where_t *where);
void usher_where_term (usher_where_t *where);

//  Reads a number within limits. Returns false after one line on stderr.
bool usher_number (const char *option, const char *text, double min, double max, double *number);

#endif
