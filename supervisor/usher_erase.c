//  usher_erase - erases a viewer: DELETE /v1/viewers/VIEWER at the gateway, and what it answered

#include "usher.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

//  The gateway answers within 10 s.
#define DEADLINE_S 20L

//  What the gateway says is printed by curl itself. Returns the HTTP status, 0 when there was none.
static long
erase (CURL *curl, uint16_t port, const char *viewer)
{
    char url [4096], reason [CURL_ERROR_SIZE] = "";
    long status = 0;
    char *escaped = curl_easy_escape (curl, viewer, 0);
    snprintf (url, sizeof url, "http://127.0.0.1:%u/v1/viewers/%s", port, escaped);
    curl_free (escaped);
    curl_easy_setopt (curl, CURLOPT_URL, url);
    curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, "DELETE");
    curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt (curl, CURLOPT_TIMEOUT, DEADLINE_S);
    if (curl_easy_perform (curl) != CURLE_OK)
        fprintf (
            stderr,
            "usher: the gateway on port %u did not answer: %s; is it up? nothing is known to be erased, try "
            "again\n",
            port, reason);
    curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

int
usher_erase (int argc, char **argv)
{
    usher_where_t where;
    const char *viewer = NULL;
    const usher_option_t options [] = { { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, &viewer, &where))
        return 1;
    uint16_t port = where.config->gateway.port;
    usher_where_term (&where);
    if (strlen (viewer) > 1024) {
        fprintf (stderr, "usher: a viewer's id has at most 1024 bytes\n");
        return 1;
    }
    curl_global_init (CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init ();
    long status = erase (curl, port, viewer);
    curl_easy_cleanup (curl);
    curl_global_cleanup ();
    if (status)
        printf ("\n");
    return status == 200 || status == 202 ? 0 : 1;
}
