//  config_file - reads usher.yaml into the settings

#include "config_file.h"

#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_complaint.h"
#include "config_rows.h"
#include "memory.h"

#define FILE_BYTES_MAX 1048576

//  What libcyaml loads a section into: a text for each row, and the sections below it. Each section fills only
//  what is its own.
typedef struct texts {
    char *text [CONFIG_ROWS_MAX];
    struct texts *below [CONFIG_SECTIONS_MAX];
} texts_t;

typedef struct {
    cyaml_schema_field_t fields [CONFIG_SECTIONS_MAX][CONFIG_ROWS_MAX + CONFIG_SECTIONS_MAX + 1];
    cyaml_schema_value_t top;
} schema_t;

static size_t
section_index (const char *path)
{
    size_t i = 0;
    while (strcmp (config_sections [i].path, path))
        i++;
    return i;
}

//  Every key is optional and may be empty: a section whose keys are all comments is a good section.
static void
schema_init (schema_t *self)
{
    size_t used [CONFIG_SECTIONS_MAX] = { 0 };
    const enum cyaml_flag flags = (enum cyaml_flag) (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL);
    memset (self, 0, sizeof *self);
    for (size_t i = 0; i < config_row_count; i++) {
        size_t s = section_index (config_rows [i].section);
        cyaml_schema_field_t *field = &self->fields [s][used [s]++];
        field->key = config_rows [i].key;
        field->data_offset = (uint32_t)(offsetof (texts_t, text) + i * sizeof (char *));
        field->value.type = CYAML_STRING;
        field->value.flags = flags;
        field->value.data_size = sizeof (char);
        field->value.string.max = CYAML_UNLIMITED;
    }
    for (size_t i = 1; i < config_section_count; i++) {
        size_t s = section_index (config_sections [i].parent);
        cyaml_schema_field_t *field = &self->fields [s][used [s]++];
        field->key = config_sections [i].key;
        field->data_offset = (uint32_t)(offsetof (texts_t, below) + i * sizeof (texts_t *));
        field->value.type = CYAML_MAPPING;
        field->value.flags = flags;
        field->value.data_size = sizeof (texts_t);
        field->value.mapping.fields = self->fields [i];
    }
    self->top.type = CYAML_MAPPING;
    self->top.flags = CYAML_FLAG_POINTER;
    self->top.data_size = sizeof (texts_t);
    self->top.mapping.fields = self->fields [0];
}

//  Returns the file's text, ended by 0, or NULL after saying why.
static char *
file_read (const char *file)
{
    FILE *in = fopen (file, "re");
    char *content = memory_new (1, FILE_BYTES_MAX + 1);
    size_t size = in ? fread (content, 1, FILE_BYTES_MAX + 1, in) : 0;
    bool bad = !in || ferror (in);
    if (bad)
        fprintf (stderr, "%s: cannot be read (%s); give --config the path of a readable file\n", file,
                 strerror (errno));
    else if (size > FILE_BYTES_MAX)
        fprintf (stderr, "%s: is larger than %d bytes, so it is no configuration\n", file, FILE_BYTES_MAX);
    if (in)
        fclose (in);
    if (bad || size > FILE_BYTES_MAX) {
        free (content);
        return NULL;
    }
    content [size] = 0;
    return content;
}

//  The text that the file has for a row, or NULL.
static const char *
texts_get (const texts_t *top, size_t row)
{
    const texts_t *texts = top;
    size_t s = section_index (config_rows [row].section);
    if (s && strcmp (config_sections [s].parent, "") != 0)
        texts = texts->below [section_index (config_sections [s].parent)];
    if (s && texts)
        texts = texts->below [s];
    return texts ? texts->text [row] : NULL;
}

static bool
apply_texts (config_t *self, const texts_t *texts, const char *file, const char *content)
{
    char path [128];
    for (size_t i = 0; i < config_row_count; i++) {
        const char *text = texts_get (texts, i);
        if (!text || config_row_set (self, &config_rows [i], text))
            continue;
        config_row_path (&config_rows [i], path, sizeof path);
        fprintf (stderr, "%s:%u: %s is '%.60s'; it must be ", file, config_find_line (content, path, false),
                 path, config_row_shown (&config_rows [i], text));
        config_row_allows (&config_rows [i], stderr);
        fprintf (stderr, "\n");
        return false;
    }
    return true;
}

bool
config_file_read (config_t *self, const char *file)
{
    char *content = file_read (file);
    if (!content)
        return false;
    schema_t schema;
    schema_init (&schema);
    config_complaint_t complaint = { .line = 0 };
    cyaml_config_t how = { .log_fn = config_complaint_note,
                           .log_ctx = &complaint,
                           .log_level = CYAML_LOG_ERROR,
                           .mem_fn = cyaml_mem,
                           .flags = CYAML_CFG_NO_ALIAS };
    texts_t *texts = NULL;
    cyaml_err_t result = cyaml_load_data ((const uint8_t *)content, strlen (content), &how, &schema.top,
                                          (cyaml_data_t **)&texts, NULL);
    bool good = result == CYAML_OK;
    if (!complaint.problem [0])
        snprintf (complaint.problem, sizeof complaint.problem, "%s", cyaml_strerror (result));
    if (!good)
        config_complaint_say (&complaint, file, content);
    else if (texts)    //  a file without any key loads as nothing
        good = apply_texts (self, texts, file, content);
    cyaml_free (&how, &schema.top, texts, 0);
    free (content);
    return good;
}
