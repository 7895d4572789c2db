//  test_device - user agents of devices that people watch on, and their classes

#include "snowplow/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void
test_user_agents (void **state)
{
    (void)state;
    static const struct {
        const char *user_agent;
        usher_device_class_t device;
        usher_os_class_t os;
    } rows [] = {
#define ROW(device, os, user_agent) { user_agent, USHER_device_class_##device, USHER_os_class_##os }
        ROW (unknown, unknown, ""),
        ROW (other, other, "curl/8.5.0"),
        ROW (other, other,
             "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) "
             "Chrome/120.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)"),
        ROW (desktop, windows,
             "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 "
             "Safari/537.36 Edg/126.0"),
        ROW (desktop, macos,
             "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.4 "
             "Safari/605.1.15"),
        ROW (desktop, linux, "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ROW (desktop, chromeos, "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0"),
        ROW (phone, ios,
             "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
        ROW (tablet, ios, "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"),
        ROW (phone, android,
             "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"),
        ROW (tablet, android,
             "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"),
        ROW (phone, android, "Dalvik/2.1.0 (Linux; U; Android 13; SM-S911B Build/TP1A)"),
        ROW (phone, windows, "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) Mobile"),
        ROW (tv, tizen,
             "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 Chrome/76.0 TV Safari/537.36"),
        ROW (tv, webos, "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0 Safari/537.36"),
        ROW (tv, fireos,
             "Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633) AppleWebKit/537.36 Chrome/112.0"),
        ROW (tv, android, "Mozilla/5.0 (Linux; Android 10; BRAVIA 4K UR2) AppleWebKit/537.36 Chrome/110.0"),
        ROW (tv, linux, "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 Chrome/110.0 CrKey/1.56.500000"),
        ROW (tv, roku, "Roku/DVP-12.5 (12.5.0.4178-88)"),
        ROW (tv, tvos, "AppleTV11,1/11.1"),
        ROW (tv, other, "HbbTV/1.6.1 (+DRM; Vestel; MB180)"),
        ROW (tablet, fireos, "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 Silk/120.1"),
        ROW (console, playstation, "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15"),
        ROW (console, xbox, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) Edge/44.18363"),
        ROW (console, other, "Mozilla/5.0 (Nintendo Switch; WebApplet) AppleWebKit/609.4 NF/6.0.2.21.3"),
#undef ROW
    };
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        device_t device = device_read (usher_str (rows [row].user_agent));
        if (device.device != rows [row].device || device.os != rows [row].os)
            fail_msg ("%s: %s, %s", rows [row].user_agent, usher_device_class_names [device.device],
                      usher_os_class_names [device.os]);
    }
}

int
main (void)
{
    const struct CMUnitTest tests [] = { cmocka_unit_test (test_user_agents) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
