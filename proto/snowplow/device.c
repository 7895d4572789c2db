//  device - what somebody watches on, read from the user agent

#include "device.h"

#include <string.h>

//  The first row whose words are all there says it; so the special stand before the general.
static const struct {
    const char *word, *and;
    usher_device_class_t device;
    usher_os_class_t os;
} rows [] = {
#define ROW(word, and, device, os)                                                                           \
    {                                                                                                        \
        word, and, USHER_device_class_##device, USHER_os_class_##os                                          \
    }
    ROW ("bot/", "", other, other),
    ROW ("crawler", "", other, other),
    ROW ("spider", "", other, other),
    ROW ("PlayStation", "", console, playstation),
    ROW ("Xbox", "", console, xbox),
    ROW ("Nintendo", "", console, other),
    ROW ("Roku", "", tv, roku),
    ROW ("AppleTV", "", tv, tvos),
    ROW ("Apple TV", "", tv, tvos),
    ROW ("tvOS", "", tv, tvos),
    ROW ("Android", " AFT", tv, fireos),
    ROW ("Web0S", "", tv, webos),
    ROW ("webOS.TV", "", tv, webos),
    ROW ("Tizen", "TV", tv, tizen),
    ROW ("Tizen", "", phone, tizen),
    ROW ("Android", "BRAVIA", tv, android),
    ROW ("Android", "Android TV", tv, android),
    ROW ("Android", "GoogleTV", tv, android),
    ROW ("Android", "CrKey", tv, android),
    ROW ("CrKey", "", tv, linux),
    ROW ("SMART-TV", "", tv, other),
    ROW ("SmartTV", "", tv, other),
    ROW ("Smart TV", "", tv, other),
    ROW ("HbbTV", "", tv, other),
    ROW ("Android", " KF", tablet, fireos),
    ROW ("Windows Phone", "", phone, windows),
    ROW ("iPad", "", tablet, ios),
    ROW ("iPhone", "", phone, ios),
    ROW ("iPod", "", phone, ios),
    ROW ("Android", "Mobile", phone, android),
    //  An application of its own does not say Mobile; most of them are on phones.
    ROW ("Android", "Dalvik/", phone, android),
    ROW ("Android", "", tablet, android),
    ROW ("CrOS", "", desktop, chromeos),
    ROW ("Windows", "", desktop, windows),
    ROW ("Macintosh", "", desktop, macos),
    ROW ("Linux", "", desktop, linux),
#undef ROW
};

static bool
has_word (usher_str_t text, const char *word)
{
    return memmem (text.data, text.size, word, strlen (word)) != NULL;
}

device_t
device_read (usher_str_t user_agent)
{
    if (user_agent.size == 0)
        return (device_t){ 0 };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        if (has_word (user_agent, rows [row].word) && has_word (user_agent, rows [row].and))
            return (device_t){ rows [row].device, rows [row].os };
    return (device_t){ USHER_device_class_other, USHER_os_class_other };
}
