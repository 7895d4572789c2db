//  media_kinds - which names of player events are which kind

#include "snowplow/media_kinds.h"

#include <string.h>

//  The words of event_kind with their sizes.
static const usher_str_t stems [USHER_EVENT_KINDS] = {
#define STEM_event_kind(value) { #value, sizeof #value - 1 },
#define STEM_state(value)
#define STEM_status(value)
#define STEM_outcome(value)
#define STEM_device_class(value)
#define STEM_os_class(value)
#define STEM_dimension(value)
#define CHOICE(type, value) STEM_##type (value)
#include "messages.def"
};

usher_event_kind_t
media_kind_of_name (usher_str_t event_name)
{
    static const char suffix [] = "_event";
    size_t tail = sizeof suffix - 1;
    if (event_name.size <= tail || memcmp (event_name.data + event_name.size - tail, suffix, tail) != 0)
        return USHER_event_kind_other;
    size_t size = event_name.size - tail;
    for (usher_event_kind_t kind = USHER_event_kind_other + 1; kind < USHER_EVENT_KINDS; kind++)
        if (stems [kind].size == size && memcmp (stems [kind].data, event_name.data, size) == 0)
            return kind;
    return USHER_event_kind_other;
}

//  Events of HTMLMediaElement, the document and YouTube's player as the trackers' older plugins name them. Not here
//  are those that tell of loading or of the element and not of a playback: canplay, suspend, apichange and so on.
static const struct {
    const char *type;
    usher_event_kind_t kind;
} types [] = {
    { "play", USHER_event_kind_play },
    { "pause", USHER_event_kind_pause },
    { "ended", USHER_event_kind_end },
    { "error", USHER_event_kind_error },
    { "ready", USHER_event_kind_ready },
    { "loadedmetadata", USHER_event_kind_ready },
    { "percentprogress", USHER_event_kind_percent_progress },
    { "timeupdate", USHER_event_kind_ping },
    { "waiting", USHER_event_kind_buffer_start },
    { "buffering", USHER_event_kind_buffer_start },
    //  Also comes after each play, where the end of a stall that was not changes nothing.
    { "playing", USHER_event_kind_buffer_end },
    { "seeking", USHER_event_kind_seek_start },
    { "seeked", USHER_event_kind_seek_end },
    //  YouTube's is noticed when the position has jumped.
    { "seek", USHER_event_kind_seek_end },
    { "ratechange", USHER_event_kind_playback_rate_change },
    { "playbackratechange", USHER_event_kind_playback_rate_change },
    { "volumechange", USHER_event_kind_volume_change },
    { "fullscreenchange", USHER_event_kind_fullscreen_change },
    { "enterpictureinpicture", USHER_event_kind_picture_in_picture_change },
    { "leavepictureinpicture", USHER_event_kind_picture_in_picture_change },
    { "playbackqualitychange", USHER_event_kind_quality_change },
};

usher_event_kind_t
media_kind_of_type (usher_str_t type, bool *picture_in_picture)
{
    *picture_in_picture = usher_str_eq (type, usher_str ("enterpictureinpicture"));
    for (size_t row = 0; row < sizeof types / sizeof *types; row++)
        if (usher_str_eq (type, usher_str (types [row].type)))
            return types [row].kind;
    return USHER_event_kind_other;
}
