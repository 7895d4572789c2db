//  codec - the tables' checksum, and the table of a message

#include "codec_private.h"

#include <string.h>
#include <xxhash.h>

//  Goes into the checksum: grows when fields are written in another way.
#define ENCODING 2

//  An enum is sent as the number of its word, so its words count.
static uint32_t
field_checksum (const usher_field_t *field, uint32_t checksum)
{
    uint64_t shape [] = { field->kind, field->max };
    checksum = XXH32 (field->name, strlen (field->name), checksum);
    checksum = XXH32 (shape, sizeof shape, checksum);
    for (uint64_t value = 0; field->kind == USHER_ENUM && value <= field->max; value++)
        checksum = XXH32 (field->names [value], strlen (field->names [value]), checksum);
    return checksum;
}

uint32_t
usher_schema (void)
{
    static uint32_t checksum;    //  a cache of a constant, not state
    if (checksum)
        return checksum;
    checksum = ENCODING;
    for (size_t row = 0; row < usher_layout_count; row++) {
        const usher_layout_t *layout = &usher_layouts [row];
        checksum = XXH32 (layout->name, strlen (layout->name), checksum + layout->id);
        for (size_t col = 0; col < layout->field_count; col++)
            checksum = field_checksum (&layout->fields [col], checksum);
    }
    //  The top bit makes msgpack write it as a 32-bit number always, so a head has one length.
    checksum |= 0x80000000u;
    return checksum;
}

const usher_layout_t *
usher_layout (uint64_t id)
{
    static const usher_layout_t *index [USHER_ID_MAX + 1];
    if (!index [usher_layouts [0].id])
        for (size_t row = 0; row < usher_layout_count; row++)
            index [usher_layouts [row].id] = &usher_layouts [row];
    return id <= USHER_ID_MAX ? index [id] : NULL;
}

const char *
usher_error_text (usher_error_t error)
{
    static const char *const texts [] = { "no error",
                                          "end of frame",
                                          "not the msgpack that we write",
                                          "written by another version of messages.def",
                                          "no such message",
                                          "a field too many or of the wrong type",
                                          "a value beyond its limit" };
    return (size_t)error < sizeof texts / sizeof *texts ? texts [error] : "unknown error";
}
