//  media_kinds - which names of player events are which kind

#ifndef MEDIA_KINDS_H
#define MEDIA_KINDS_H

#include "message.h"

//  The kind of an event_name of the media plugin, play_event and so on; USHER_event_kind_other for all that is none.
usher_event_kind_t media_kind_of_name (usher_str_t event_name);

//  The kind of an older event, by the type that its media_player_event says: what HTML5 and YouTube call it. Fills
//  picture_in_picture with whether it says that the player is now in that mode. USHER_event_kind_other for types that
//  say nothing about a playback.
usher_event_kind_t media_kind_of_type (usher_str_t type, bool *picture_in_picture);

#endif
