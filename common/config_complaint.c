//  config_complaint - what is wrong with a file of settings, and in which line

#include "config_complaint.h"

#include <stdlib.h>
#include <string.h>

#include "config_rows.h"

//  ---- the line of a key

//  Skips an indentation and compares the key that follows. Returns its depth in blanks, -1 for no key line.
static int
line_key (const char *line, const char **key, size_t *size)
{
    size_t blanks = strspn (line, " "), length = strcspn (line, "\n");
    if (blanks >= length || line [blanks] == '#')
        return -1;
    const char *at = line + blanks, *colon = memchr (at, ':', length - blanks);
    if (!colon)
        return -1;
    *key = at;
    *size = (size_t)(colon - at);
    while (*size && (at [*size - 1] == ' ' || at [*size - 1] == '"' || at [*size - 1] == '\''))
        --*size;
    if (*size && (**key == '"' || **key == '\''))
        (*key)++, (*size)--;
    return (int)blanks;
}

unsigned
config_find_line (const char *content, const char *path, bool last)
{
    const char *parts [4];
    size_t part_sizes [4], wanted = 0, met = 0, size;
    int depths [4] = { 0 };
    unsigned found = 0, number = 1;
    for (const char *at = path; at && wanted < 4; at = strchr (at, '.') ? strchr (at, '.') + 1 : NULL) {
        parts [wanted] = at;
        part_sizes [wanted++] = strcspn (at, ".");
    }
    for (const char *line = content, *key; line && *line; number++) {
        int depth = line_key (line, &key, &size);
        while (depth >= 0 && met && depth <= depths [met - 1])
            met--;
        if (depth >= 0 && (met > 0 || depth == 0) && size == part_sizes [met] &&
            memcmp (key, parts [met], size) == 0) {
            if (met + 1 == wanted && (last || !found))
                found = number;
            else if (met + 1 < wanted)
                depths [met++] = depth;
        }
        line = strchr (line, '\n');
        line = line ? line + 1 : NULL;
    }
    return found;
}

//  ---- what libcyaml says

//  A path too long for its buffer stays as it is: no key of ours is.
static void
path_prepend (char *path, size_t size, const char *name)
{
    size_t length = strlen (path), extra = strlen (name) + (length > 0);
    if (length + extra >= size)
        return;
    memmove (path + extra, path, length + 1);
    memcpy (path, name, strlen (name));
    if (length)
        path [extra - 1] = '.';
}

void
config_complaint_note (cyaml_log_t level, void *arg, const char *format, va_list arguments)
{
    config_complaint_t *self = arg;
    char text [256], name [64];
    vsnprintf (text, sizeof text, format, arguments);
    text [strcspn (text, "\n")] = 0;
    const char *place = strstr (text, "(line: "), *field = strstr (text, "in mapping field '");
    if (level < CYAML_LOG_ERROR || strstr (text, "Backtrace:"))
        return;
    if (text [0] != ' ' && !self->problem [0])
        snprintf (self->problem, sizeof self->problem, "%s", strncmp (text, "Load: ", 6) ? text : text + 6);
    if (text [0] == ' ' && place && !self->line)
        self->line = (unsigned)strtoul (place + strlen ("(line: "), NULL, 10);
    if (text [0] == ' ' && field && sscanf (field, "in mapping field '%63[^']", name) == 1)
        path_prepend (self->path, sizeof self->path, name);
}

//  ---- how we say it

size_t
config_distance (const char *a, const char *b)
{
    size_t row [64], width = strlen (b);
    if (width >= 64)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row [j] = j;
    for (size_t i = 1; a [i - 1]; i++) {
        size_t corner = row [0];
        row [0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t change = corner + (a [i - 1] != b [j - 1]);
            corner = row [j];
            size_t least = row [j] < row [j - 1] ? row [j] + 1 : row [j - 1] + 1;
            row [j] = change < least ? change : least;
        }
    }
    return row [width];
}

//  Calls each with every key that a section may hold.
static void
each_key (const char *section, void (*each) (void *arg, const char *key), void *arg)
{
    for (size_t i = 0; i < config_row_count; i++)
        if (strcmp (config_rows [i].section, section) == 0)
            each (arg, config_rows [i].key);
    for (size_t i = 1; i < config_section_count; i++)
        if (strcmp (config_sections [i].parent, section) == 0)
            each (arg, config_sections [i].key);
}

typedef struct {
    const char *word, *best;
    size_t best_distance, count;
} nearest_t;

static void
consider (void *arg, const char *key)
{
    nearest_t *self = arg;
    size_t away = config_distance (self->word, key);
    if (away < self->best_distance)
        self->best = key, self->best_distance = away;
}

static void
print_key (void *arg, const char *key)
{
    nearest_t *self = arg;
    fprintf (stderr, "%s%s", self->count++ ? ", " : "", key);
}

static void
say_unknown (const char *file, const char *content, const char *section, const char *key)
{
    char path [512];
    snprintf (path, sizeof path, "%s%s%s", section, *section ? "." : "", key);
    nearest_t nearest = { .word = key, .best_distance = 3 };
    each_key (section, consider, &nearest);
    fprintf (stderr, "%s:%u: unknown key %s; ", file, config_find_line (content, path, false), path);
    if (nearest.best)
        fprintf (stderr, "did you mean %s?", nearest.best);
    else {
        fprintf (stderr, "%s has ", *section ? section : "the file");
        each_key (section, print_key, &nearest);
    }
    fprintf (stderr, "\n");
}

void
config_complaint_say (const config_complaint_t *self, const char *file, const char *content)
{
    static const char unknown [] = "Unexpected key: ", twice [] = "Mapping field already seen: ";
    const char *problem = self->problem, *path = self->path;
    unsigned line = config_find_line (content, path, false);
    if (!line)
        line = self->line ? self->line : 1;
    if (strncmp (problem, unknown, strlen (unknown)) == 0)
        say_unknown (file, content, path, problem + strlen (unknown));
    else if (strncmp (problem, twice, strlen (twice)) == 0)
        fprintf (stderr, "%s:%u: %s is set twice; keep one\n", file, config_find_line (content, path, true),
                 path);
    else if (strstr (problem, "Expecting MAPPING"))
        fprintf (stderr, "%s:%u: %s must be a section, with its keys indented below it\n", file, line,
                 *path ? path : "the file");
    else if (strstr (problem, "Expecting STRING"))
        fprintf (stderr, "%s:%u: %s must be one value, not a section or a list\n", file, line, path);
    else
        fprintf (stderr, "%s:%u: this is not YAML that we can read%s%s: %s\n", file,
                 self->line ? self->line : 1, *path ? ", near " : "", path, problem);
}
