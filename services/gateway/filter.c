//  filter - what a client of /v1/live has subscribed to

#include "filter.h"

#include <jansson.h>
#include <string.h>

#include "walk.h"

filter_t
filter_all (void)
{
    return (filter_t){ .all = true, .stats = true, .messages = true };
}

//  ---- reading

//  Puts the hash of what follows a prefix into list. Returns false when word has another prefix, or the list is full.
static bool
named (const char *word, const char *prefix, uint64_t *list, size_t *count)
{
    size_t size = strlen (prefix);
    if (strncmp (word, prefix, size) != 0 || *count == FILTER_NAMES)
        return false;
    list [(*count)++] = walk_hash (usher_str (word + size));
    return true;
}

static bool
filter_add (filter_t *filter, const char *word)
{
    const struct {
        const char *word;
        bool *flag;
    } rows [] = { { "all", &filter->all }, { "stats", &filter->stats }, { "messages", &filter->messages } };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        if (strcmp (word, rows [row].word) == 0) {
            *rows [row].flag = true;
            return true;
        }
    return named (word, "viewer:", filter->viewers, &filter->viewer_count) ||
           named (word, "title:", filter->titles, &filter->title_count);
}

static const char *
words_read (filter_t *filter, const json_t *list)
{
    if (!json_is_array (list))
        return "expected {\"subscribe\":[...]}";
    for (size_t at = 0; at < json_array_size (list); at++) {
        const char *word = json_string_value (json_array_get (list, at));
        if (!word || !filter_add (filter, word))
            return "subscribe takes all, stats, messages, and up to 64 each of viewer:ID and title:LABEL";
    }
    return NULL;
}

const char *
filter_read (filter_t *filter, const char *text, size_t size)
{
    filter_t read = { 0 };
    json_t *json = json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *wrong = words_read (&read, json_object_get (json, "subscribe"));
    json_decref (json);
    if (!wrong)
        *filter = read;
    return wrong;
}

//  ---- asking

bool
filter_has_viewers (const filter_t *filter)
{
    return filter->all || filter->viewer_count || filter->title_count;
}

static bool
has (const uint64_t *list, size_t count, uint64_t hash)
{
    for (size_t at = 0; at < count; at++)
        if (list [at] == hash)
            return true;
    return false;
}

bool
filter_wants (const filter_t *filter, uint64_t viewer, const uint64_t *titles, size_t title_count)
{
    if (filter->all || has (filter->viewers, filter->viewer_count, viewer))
        return true;
    for (size_t at = 0; at < title_count; at++)
        if (has (filter->titles, filter->title_count, titles [at]))
            return true;
    return false;
}
