//  message - the C shape of every row in messages.def

#ifndef MESSAGE_H
#define MESSAGE_H

#include "codec.h"

//  USHER_event_kind_play, USHER_state_watching, USHER_status_paused_video, ...
typedef uint32_t usher_event_kind_t;
typedef uint32_t usher_state_t;
typedef uint32_t usher_status_t;
typedef uint32_t usher_outcome_t;
typedef uint32_t usher_device_class_t;
typedef uint32_t usher_os_class_t;
typedef uint32_t usher_dimension_t;

//  One enumeration holds all choices in file order; the firsts below make each type start at 0.
enum {
#define CHOICE(type, value) USHER_ORDER_##type##_##value,
#include "messages.def"
};
enum {
#define CHOICE(type, value) USHER_##type##_##value = USHER_ORDER_##type##_##value - USHER_FIRST_##type,
#define USHER_FIRST_event_kind USHER_ORDER_event_kind_other
#define USHER_FIRST_state USHER_ORDER_state_starting
#define USHER_FIRST_status USHER_ORDER_status_watching_video
#define USHER_FIRST_outcome USHER_ORDER_outcome_done
#define USHER_FIRST_device_class USHER_ORDER_device_class_unknown
#define USHER_FIRST_os_class USHER_ORDER_os_class_unknown
#define USHER_FIRST_dimension USHER_ORDER_dimension_concurrent
#include "messages.def"
};

#define USHER_EVENT_KINDS (USHER_ORDER_state_starting)
#define USHER_STATES (USHER_ORDER_status_watching_video - USHER_ORDER_state_starting)
#define USHER_STATUSES (USHER_ORDER_outcome_done - USHER_ORDER_status_watching_video)
#define USHER_OUTCOMES 3
#define USHER_DEVICE_CLASSES (USHER_ORDER_os_class_unknown - USHER_ORDER_device_class_unknown)
#define USHER_OS_CLASSES 15
#define USHER_DIMENSIONS 8

//  "play", "rebuffering", "watching_video", ...
extern const char *const usher_event_kind_names [];
extern const char *const usher_state_names [];
extern const char *const usher_status_names [];
extern const char *const usher_outcome_names [];
extern const char *const usher_device_class_names [];
extern const char *const usher_os_class_names [];
extern const char *const usher_dimension_names [];

//  USHER_LINK_events, ...
typedef enum {
#define LINK(link, client, binder) USHER_LINK_##link,
#include "messages.def"
    USHER_LINKS
} usher_link_id_t;

typedef struct {
    const char *name, *client, *binder;
} usher_link_t;
extern const usher_link_t usher_links [USHER_LINKS];

//  USHER_MSG_event, ...
typedef enum {
#define MESSAGE(message, id, link, direction, doc) USHER_MSG_##message = id,
#include "messages.def"
} usher_msg_id_t;

//  usher_event_t, ...
#define HOLD_U32(field, limit) uint32_t field;
#define HOLD_U64(field, limit) uint64_t field;
#define HOLD_F64(field, limit) double field;
#define HOLD_STR(field, limit) usher_str_t field;
#define HOLD_ENUM(field, limit) usher_##limit##_t field;
#define MESSAGE(message, id, link, direction, doc) typedef struct {
#define FIELD(message, field, kind, limit, doc) HOLD_##kind (field, limit)
#define END(message)                                                                                         \
    }                                                                                                        \
    usher_##message##_t;
#include "messages.def"

//  A message is a plain value; its strings are views, so it must not outlive what they point into.
struct usher_msg {
    usher_msg_id_t id;
    union {
#define MESSAGE(message, id, link, direction, doc) usher_##message##_t message;
#include "messages.def"
    };
};

//  The bits of has and flags in an event, and of flags in a session.
enum {
    USHER_HAS_PLAYER = 1,
    USHER_HAS_SESSION = 2,
    USHER_HAS_AD = 4,
    USHER_HAS_BREAK = 8,
    USHER_HAS_QUALITY = 16,
    USHER_HAS_ERROR = 32
};
enum {
    USHER_LIVE = 1,
    USHER_MUTED = 2,
    USHER_FULLSCREEN = 4,
    USHER_PICTURE_IN_PICTURE = 8,
    USHER_PLAYER_PAUSED = 16,
    USHER_PLAYER_ENDED = 32,
    USHER_PARTIAL = 64
};
enum { USHER_IN_AD = 1, USHER_IN_BREAK = 2 };

//  The values of source in an event.
enum { USHER_SOURCE_JOURNAL, USHER_SOURCE_FILE, USHER_SOURCE_KAFKA };

#endif
