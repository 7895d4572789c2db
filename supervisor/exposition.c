//  exposition - many processes' Prometheus texts made into one

#include "exposition.h"
#include "buffer.h"
#include "memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_MOST 1024
#define NAME_BYTES 128

typedef struct {
    char name [NAME_BYTES];
    buffer_t help, type, samples;
} family_t;

struct exposition {
    family_t *families;
    size_t count;
};

exposition_t *
exposition_new (void)
{
    exposition_t *self = memory_new (1, sizeof *self);
    self->families = memory_new (FAMILIES_MOST, sizeof *self->families);
    return self;
}

void
exposition_destroy (exposition_t **self_p)
{
    exposition_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        buffer_free (&self->families [i].help);
        buffer_free (&self->families [i].type);
        buffer_free (&self->families [i].samples);
    }
    free (self->families);
    free (self);
    *self_p = NULL;
}

//  Finds or makes a family. Returns NULL when the name is too long or there are too many.
static family_t *
family_get (exposition_t *self, const char *name, size_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (strlen (self->families [i].name) == size && memcmp (self->families [i].name, name, size) == 0)
            return &self->families [i];
    if (size == 0 || size >= NAME_BYTES || self->count == FAMILIES_MOST)
        return NULL;
    family_t *family = &self->families [self->count++];
    memcpy (family->name, name, size);
    return family;
}

static size_t
name_size (const char *line)
{
    size_t size = 0;
    while (isalnum ((unsigned char)line [size]) || line [size] == '_' || line [size] == ':')
        size++;
    return isdigit ((unsigned char)line [0]) ? 0 : size;
}

//  Does a sample's name belong to the family? A histogram's and a summary's have endings.
static bool
family_has (const family_t *self, const char *name, size_t size)
{
    static const char *const endings [] = { "", "_bucket", "_sum", "_count" };
    size_t stem = strlen (self->name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (size == stem + strlen (endings [i]) && memcmp (name, self->name, stem) == 0 &&
            memcmp (name + stem, endings [i], size - stem) == 0)
            return true;
    return false;
}

//  "# TYPE name counter": kept the first time. Returns the family it names.
static family_t *
add_comment (exposition_t *self, const char *line, size_t size)
{
    bool help = strncmp (line, "# HELP ", 7) == 0;
    if (!help && strncmp (line, "# TYPE ", 7) != 0)
        return NULL;
    family_t *family = family_get (self, line + 7, name_size (line + 7));
    buffer_t *where = family ? help ? &family->help : &family->type : NULL;
    if (where && !where->size) {
        buffer_add (where, line, size);
        buffer_add_text (where, "\n");
    }
    return family;
}

static void
add_sample (family_t *family, const char *process, const char *line, size_t size, size_t name)
{
    char label [96];
    snprintf (label, sizeof label, "process=\"%s\"", process ? process : "");
    buffer_t *out = &family->samples;
    const char *rest = line + name;
    buffer_add (out, line, name);
    if (process && *rest == '{') {
        buffer_add_text (out, "{");
        buffer_add_text (out, label);
        rest++;
        if (*rest != '}')
            buffer_add_text (out, ",");
    } else if (process) {
        buffer_add_text (out, "{");
        buffer_add_text (out, label);
        buffer_add_text (out, "}");
    }
    buffer_add (out, rest, size - (size_t)(rest - line));
    buffer_add_text (out, "\n");
}

//  The end of "{label="value",...}"; the text itself when there are no labels, NULL when they do not end.
static const char *
skip_labels (const char *text)
{
    bool quoted = false;
    if (*text != '{')
        return text;
    for (text++; *text && *text != '\n'; text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (quoted && text [0] == '\\' && text [1])
            text++;
        else if (*text == '}' && !quoted)
            return text + 1;
    }
    return NULL;
}

//  Do labels, a blank and a number follow the name? strtod reads NaN and +Inf too.
static bool
is_sample (const char *rest)
{
    char *end;
    const char *value = skip_labels (rest);
    if (!value || *value != ' ')
        return false;
    value += strspn (value, " ");
    strtod (value, &end);
    return end > value && strchr (" \n", *end);
}

void
exposition_add (exposition_t *self, const char *process, const char *text)
{
    family_t *current = NULL;
    for (size_t size; *text; text += size + (text [size] == '\n')) {
        size = strcspn (text, "\n");
        if (*text == '#') {
            family_t *named = add_comment (self, text, size);
            current = named ? named : current;
            continue;
        }
        size_t name = name_size (text);
        if (name == 0 || !is_sample (text + name))
            continue;
        family_t *family =
            current && family_has (current, text, name) ? current : family_get (self, text, name);
        if (family)
            add_sample (family, process, text, size, name);
    }
}

char *
exposition_text (const exposition_t *self, size_t most)
{
    buffer_t out = { 0 };
    for (size_t i = 0; i < self->count; i++) {
        const family_t *family = &self->families [i];
        if (!family->samples.size ||
            out.size + family->help.size + family->type.size + family->samples.size > most)
            continue;
        if (family->help.size)
            buffer_add (&out, family->help.data, family->help.size);
        if (family->type.size)
            buffer_add (&out, family->type.data, family->type.size);
        buffer_add (&out, family->samples.data, family->samples.size);
    }
    char *text = memory_copy (out.data ? out.data : "", out.size);
    buffer_free (&out);
    return text;
}
