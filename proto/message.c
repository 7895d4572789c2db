//  message - the rows of messages.def as tables, for the codec and for printing

#include "codec_private.h"

//  Names of each enumeration. A type's rows stand together in messages.def, so a filter by type is enough.
const char *const usher_event_kind_names [] = {
#define ONLY_event_kind(value) #value,
#define ONLY_state(value)
#define ONLY_status(value)
#define ONLY_outcome(value)
#define ONLY_device_class(value)
#define ONLY_os_class(value)
#define ONLY_dimension(value)
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_event_kind
#undef ONLY_state
#define ONLY_event_kind(value)
#define ONLY_state(value) #value,
};
const char *const usher_state_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_state
#undef ONLY_status
#define ONLY_state(value)
#define ONLY_status(value) #value,
};
const char *const usher_status_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_status
#undef ONLY_outcome
#define ONLY_status(value)
#define ONLY_outcome(value) #value,
};
const char *const usher_outcome_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_outcome
#undef ONLY_device_class
#define ONLY_outcome(value)
#define ONLY_device_class(value) #value,
};
const char *const usher_device_class_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_device_class
#undef ONLY_os_class
#define ONLY_device_class(value)
#define ONLY_os_class(value) #value,
};
const char *const usher_os_class_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
#undef ONLY_os_class
#undef ONLY_dimension
#define ONLY_os_class(value)
#define ONLY_dimension(value) #value,
};
const char *const usher_dimension_names [] = {
#define CHOICE(type, value) ONLY_##type (value)
#include "messages.def"
};

const usher_link_t usher_links [USHER_LINKS] = {
#define LINK(link, client, binder) { #link, #client, #binder },
#include "messages.def"
};

#define LIMIT_U32(limit) limit
#define LIMIT_U64(limit) limit
#define LIMIT_F64(limit) limit
#define LIMIT_STR(limit) limit
#define LIMIT_ENUM(limit) USHER_LAST_##limit
#define NAMES_U32(limit) NULL
#define NAMES_U64(limit) NULL
#define NAMES_F64(limit) NULL
#define NAMES_STR(limit) NULL
#define NAMES_ENUM(limit) usher_##limit##_names

//  One table of fields a message. The last row keeps a message without fields legal C.
#define MESSAGE(message, id, link, direction, doc) static const usher_field_t message##_fields [] = {
#define FIELD(message, field, kind, limit, doc)                                                              \
    {                                                                                                        \
        #field,                                                                                              \
        USHER_##kind,                                                                                        \
        offsetof (usher_##message##_t, field),                                                               \
        LIMIT_##kind (limit),                                                                                \
        NAMES_##kind (limit),                                                                                \
        doc                                                                                                  \
    },
#define END(message)                                                                                         \
    {                                                                                                        \
        NULL, USHER_U32, 0, 0, NULL, NULL                                                                    \
    }                                                                                                        \
    }                                                                                                        \
    ;
#include "messages.def"

const usher_layout_t usher_layouts [] = {
#define MESSAGE(message, id, link, direction, doc)                                                           \
    { #message,                                                                                              \
      id,                                                                                                    \
      #link,                                                                                                 \
      #direction,                                                                                            \
      sizeof message##_fields / sizeof *message##_fields - 1,                                                \
      message##_fields,                                                                                      \
      sizeof (usher_##message##_t),                                                                          \
      doc },
#include "messages.def"
};
const size_t usher_layout_count = sizeof usher_layouts / sizeof *usher_layouts;
