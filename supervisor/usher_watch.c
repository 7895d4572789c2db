//  usher_watch - prints the feed in the terminal
//
//  Status changes as lines for people; with --all every message of the feed by its table. It goes on when the publisher is
//  started again, and ends with Ctrl-C.

#include "link.h"
#include "usher.h"
#include "usher_ask.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

//  Names in capitals, as the reference's feed has them.
static void
print_capitals (const char *name)
{
    for (; *name; name++)
        putchar (toupper ((unsigned char)*name));
}

static void
print_announce (const usher_announce_t *announce)
{
    time_t seconds = (time_t)(announce->collected_ms / 1000);
    struct tm tm;
    char time [16];
    strftime (time, sizeof time, "%H:%M:%S", gmtime_r (&seconds, &tm));
    printf ("%s.%03uZ  %-36.*s  ", time, (unsigned)(announce->collected_ms % 1000),
            (int)announce->viewer_id.size, announce->viewer_id.data);
    print_capitals (usher_status_names [announce->status]);
    printf ("  after %s", usher_event_kind_names [announce->kind]);
    if (!isnan (announce->video_s))
        printf (" at %.1f s", announce->video_s);
    if (announce->ads_clicked || announce->ads_skipped)
        printf (", ads clicked %u skipped %u", announce->ads_clicked, announce->ads_skipped);
    if (announce->ad_id.size)
        printf (", ad %.*s", (int)announce->ad_id.size, announce->ad_id.data);
    printf ("\n");
}

static void
on_feed (void *arg, usher_link_id_t link, const void *topic, size_t topic_size, const void *data, size_t size)
{
    const bool *all = arg;
    (void)link;
    (void)topic;
    (void)topic_size;
    usher_frame_t frame;
    usher_msg_t msg;
    usher_error_t error = usher_frame_open (&frame, data, size);
    while (!error && (error = usher_decode (&frame, &msg)) == USHER_OK) {
        if (*all) {
            usher_print (&msg, stdout);
            printf ("\n");
        } else if (msg.id == USHER_MSG_announce)
            print_announce (&msg.announce);
    }
    if (error != USHER_END)
        fprintf (stderr, "usher: a frame of the feed cannot be read: %s\n", usher_error_text (error));
    fflush (stdout);
}

int
usher_watch (int argc, char **argv)
{
    usher_where_t where;
    const char *flag = NULL;
    const usher_option_t options [] = { { "all", &flag, true }, { NULL, NULL, false } };
    if (!usher_options (argc, argv, options, NULL, &where))
        return 1;
    bool all = flag != NULL;
    if (!usher_supervisor_runs (&where)) {
        usher_where_term (&where);
        return 1;
    }
    link_events_t events = { .feed = on_feed, .arg = &all };
    void *context = zmq_ctx_new (), *socket;
    link_t *link = link_new (context, (service_link_t){ USHER_LINK_feed, SERVICE_SUBSCRIBE },
                             where.config->run_dir, "usher", 0, where.config->shards, 1, &events);
    int code = link ? 0 : 1;
    while (link && code == 0 && !ferror (stdout)) {
        link_sockets (link, &socket, 1);
        zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
        if (zmq_poll (&item, 1, -1) < 0)
            code = 1;
        link_read (link);
    }
    link_destroy (&link);
    zmq_ctx_term (context);
    usher_where_term (&where);
    return code;
}
