//  simulate - sends a simulated audience's requests to a collector
//
//  At most 64 lanes, each one kept-alive connection with a queue. A tab always uses the same lane, so its requests
//  stay in order, one under way at a time, as a tracker's do. A request that is not answered, or not with 2xx,
//  stays at the head of its lane and is tried again later, twice as late each time, with jitter; the answers that a
//  tracker takes for final (400, 401, 403, 410, 422) drop it. All queues together are bounded: what the audience
//  says beyond that is dropped and counted. The audience doesn't wait for the collector, as people don't.

#include "simulate.h"
#include "audience.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES_MAX 64
#define QUEUE_BYTES_MAX (64 * 1024 * 1024)
#define STEPS_PER_TURN 256         //  so that connections get their turn when the audience is behind
#define POLL_MAX_MS 200            //  how late a stop is noticed
#define REQUEST_TIMEOUT_MS 5000    //  the tracker's
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 15000
#define STATUS_EVERY_MS 60000
#define DRAIN_DEADLINE_MS 3000
#define RAMP_UP_PER_VIEWER_MS 60
#define RAMP_UP_MAX_MS 60000
#define COLLECTOR_PATH "/com.snowplowanalytics.snowplow/tp2"

typedef struct _request_t request_t;

struct _request_t {
    request_t *next;
    size_t length;
    unsigned events;
    char body [];
};

typedef struct {
    CURL *easy;
    request_t *head, **tail;
    bool under_way;
    int64_t not_before_ms;
    int64_t backoff_ms;
} lane_t;

typedef struct {
    uint64_t requests, events, retries, dropped_events, refused_events;
    size_t waiting, waiting_bytes;
    bool failing;
} tally_t;

typedef struct {
    const simulate_options_t *options;
    audience_t *audience;
    CURLM *multi;
    struct curl_slist *headers;
    char url [1024];
    lane_t lanes [LANES_MAX];
    size_t lanes_count;
    uint64_t jitter;
    int64_t started_ms;
    int64_t start_epoch_ms;
    int64_t status_ms;
    tally_t tally;
} simulate_t;

static int64_t
s_clock_ms (clockid_t clock)
{
    struct timespec now;
    clock_gettime (clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static size_t
s_discard (char *data, size_t size, size_t count, void *self)
{
    (void)data;
    (void)self;
    return size * count;
}

//  ---------------------------------------------------------------------------------------------------------
//  Lanes

static void
s_lane_start (simulate_t *self, lane_t *lane, int64_t now_ms)
{
    if (lane->under_way || !lane->head || now_ms < lane->not_before_ms)
        return;
    const char *body = lane->head->body;
    curl_easy_setopt (lane->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt (lane->easy, CURLOPT_POSTFIELDSIZE, (long)lane->head->length);
    lane->under_way = curl_multi_add_handle (self->multi, lane->easy) == CURLM_OK;
}

static void
s_lane_push (simulate_t *self, lane_t *lane, const char *body, size_t length, unsigned events)
{
    if (self->tally.waiting_bytes + length > QUEUE_BYTES_MAX) {
        self->tally.dropped_events += events;
        return;
    }
    request_t *request = malloc (sizeof *request + length);
    if (!request)
        abort ();
    *request = (request_t){ .length = length, .events = events };
    memcpy (request->body, body, length);
    *lane->tail = request;
    lane->tail = &request->next;
    self->tally.waiting++;
    self->tally.waiting_bytes += length;
}

static void
s_lane_pop (simulate_t *self, lane_t *lane)
{
    request_t *request = lane->head;
    lane->head = request->next;
    if (!lane->head)
        lane->tail = &lane->head;
    self->tally.waiting--;
    self->tally.waiting_bytes -= request->length;
    free (request);
}

//  Between half and all of the doubled delay, so that the lanes don't come back together.
static void
s_lane_back_off (simulate_t *self, lane_t *lane, int64_t now_ms)
{
    lane->backoff_ms = lane->backoff_ms ? lane->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (lane->backoff_ms > BACKOFF_MAX_MS)
        lane->backoff_ms = BACKOFF_MAX_MS;
    self->jitter = self->jitter * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
    int64_t half_ms = lane->backoff_ms / 2;
    lane->not_before_ms = now_ms + half_ms + (int64_t)((self->jitter >> 33) % (uint64_t)half_ms);
}

//  The answers after which browser-tracker doesn't try again.
static bool
s_final_refusal (long status)
{
    return status == 400 || status == 401 || status == 403 || status == 410 || status == 422;
}

//  Said once at each change; when the collector is back, no lane goes on waiting.
static void
s_say_failing (simulate_t *self, bool failing, CURLcode code, long status)
{
    if (failing == self->tally.failing)
        return;
    self->tally.failing = failing;
    if (!failing) {
        fprintf (stderr, "simulate: the collector answers again\n");
        for (size_t index = 0; index < self->lanes_count; index++)
            self->lanes [index].not_before_ms = 0;
    } else if (code != CURLE_OK)
        fprintf (stderr, "simulate: no answer from %s: %s; events are kept and tried again\n", self->url,
                 curl_easy_strerror (code));
    else
        fprintf (stderr, "simulate: %s answers %ld; events are kept and tried again\n", self->url, status);
}

static void
s_lane_answered (simulate_t *self, lane_t *lane, CURLcode code, int64_t now_ms)
{
    long status = 0;
    curl_easy_getinfo (lane->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle (self->multi, lane->easy);
    lane->under_way = false;
    bool accepted = code == CURLE_OK && status >= 200 && status < 300;
    if (!accepted && (code != CURLE_OK || !s_final_refusal (status))) {
        self->tally.retries++;
        s_lane_back_off (self, lane, now_ms);
        s_say_failing (self, true, code, status);
        return;
    }
    self->tally.requests++;
    *(accepted ? &self->tally.events : &self->tally.refused_events) += lane->head->events;
    lane->backoff_ms = lane->not_before_ms = 0;
    s_lane_pop (self, lane);
    s_say_failing (self, false, code, status);
}

static bool
s_lane_open (simulate_t *self, lane_t *lane)
{
    lane->tail = &lane->head;
    lane->easy = curl_easy_init ();
    if (!lane->easy)
        return false;
    curl_easy_setopt (lane->easy, CURLOPT_URL, self->url);
    curl_easy_setopt (lane->easy, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt (lane->easy, CURLOPT_USERAGENT, "Mozilla/5.0 (X11; Linux x86_64) usher-simulate");
    curl_easy_setopt (lane->easy, CURLOPT_WRITEFUNCTION, s_discard);
    curl_easy_setopt (lane->easy, CURLOPT_TIMEOUT_MS, (long)REQUEST_TIMEOUT_MS);
    curl_easy_setopt (lane->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (lane->easy, CURLOPT_PRIVATE, lane);
    return true;
}

static void
s_lane_close (simulate_t *self, lane_t *lane)
{
    if (lane->under_way)
        curl_multi_remove_handle (self->multi, lane->easy);
    curl_easy_cleanup (lane->easy);
    while (lane->head)
        s_lane_pop (self, lane);
}

//  ---------------------------------------------------------------------------------------------------------
//  The loop

static int64_t
s_audience_time (const simulate_t *self, int64_t now_ms)
{
    return self->start_epoch_ms + (int64_t)((double)(now_ms - self->started_ms) * self->options->speed);
}

static void
s_generate (simulate_t *self, int64_t now_ms)
{
    char body [AUDIENCE_BODY_MAX];
    size_t length;
    int64_t until_ms = s_audience_time (self, now_ms);
    for (int step = 0; step < STEPS_PER_TURN; step++) {
        if (!audience_step (self->audience, until_ms, body, sizeof body, &length))
            return;
        lane_t *lane = &self->lanes [audience_last_tab (self->audience) % self->lanes_count];
        s_lane_push (self, lane, body, length, audience_last_events (self->audience));
    }
}

static void
s_send (simulate_t *self, int64_t now_ms)
{
    int running, left;
    CURLMsg *message;
    for (size_t index = 0; index < self->lanes_count; index++)
        s_lane_start (self, &self->lanes [index], now_ms);
    curl_multi_perform (self->multi, &running);
    while ((message = curl_multi_info_read (self->multi, &left))) {
        lane_t *lane = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &lane);
        s_lane_answered (self, lane, code, now_ms);
        s_lane_start (self, lane, now_ms);
    }
}

static void
s_status (simulate_t *self, const char *what, int64_t now_ms)
{
    const audience_counters_t *audience = audience_counters (self->audience);
    const tally_t *tally = &self->tally;
    fprintf (stderr,
             "simulate: %s%" PRId64 " s, %zu of %zu players open, %" PRIu64 " sessions, %" PRIu64
             " events in %" PRIu64 " requests, %zu waiting, %" PRIu64 " retries, %" PRIu64
             " events refused, %" PRIu64 " dropped\n",
             what, (now_ms - self->started_ms) / 1000, audience->present, audience->tabs, audience->sessions,
             tally->events, tally->requests, tally->waiting, tally->retries, tally->refused_events,
             tally->dropped_events);
}

//  How long nothing needs doing: until the audience's next event, at most until a stop should be noticed.
static int
s_wait_ms (const simulate_t *self, int64_t now_ms)
{
    int64_t ahead_ms = audience_next_ms (self->audience) - s_audience_time (self, now_ms);
    double wait_ms = (double)ahead_ms / self->options->speed;
    return wait_ms < 0 ? 0 : wait_ms > POLL_MAX_MS ? POLL_MAX_MS : (int)wait_ms + 1;
}

static bool
s_over (const simulate_t *self, int64_t now_ms)
{
    return self->options->duration_s &&
           now_ms - self->started_ms >= (int64_t)self->options->duration_s * 1000;
}

static void
s_loop (simulate_t *self, volatile sig_atomic_t *stop)
{
    int64_t now_ms = s_clock_ms (CLOCK_MONOTONIC);
    while (!*stop && !s_over (self, now_ms)) {
        s_generate (self, now_ms);
        s_send (self, now_ms);
        if (now_ms >= self->status_ms) {
            s_status (self, "", now_ms);
            self->status_ms = now_ms + STATUS_EVERY_MS;
        }
        curl_multi_poll (self->multi, NULL, 0, s_wait_ms (self, now_ms), NULL);
        now_ms = s_clock_ms (CLOCK_MONOTONIC);
    }
}

//  What was said already is sent, if the collector takes it in time.
static void
s_drain (simulate_t *self)
{
    int64_t now_ms = s_clock_ms (CLOCK_MONOTONIC), deadline_ms = now_ms + DRAIN_DEADLINE_MS;
    while (self->tally.waiting && now_ms < deadline_ms) {
        s_send (self, now_ms);
        curl_multi_poll (self->multi, NULL, 0, POLL_MAX_MS / 10, NULL);
        now_ms = s_clock_ms (CLOCK_MONOTONIC);
    }
}

//  ---------------------------------------------------------------------------------------------------------
//  Beginning and end

static bool
s_url_make (const char *collector_url, char *url, size_t size)
{
    size_t length = strlen (collector_url);
    while (length && collector_url [length - 1] == '/')
        length--;
    if (strncmp (collector_url, "http://", 7) != 0 && strncmp (collector_url, "https://", 8) != 0)
        return false;
    CURLU *parsed = curl_url ();
    bool valid = parsed && curl_url_set (parsed, CURLUPART_URL, collector_url, 0) == CURLUE_OK;
    curl_url_cleanup (parsed);
    return valid && (size_t)snprintf (url, size, "%.*s" COLLECTOR_PATH, (int)length, collector_url) < size;
}

static bool
s_open (simulate_t *self)
{
    const simulate_options_t *options = self->options;
    int64_t ramp_up_ms = (int64_t)options->viewers * RAMP_UP_PER_VIEWER_MS;
    audience_options_t audience_options = { .start_ms = self->start_epoch_ms,
                                            .speed = options->speed,
                                            .ping_s = options->ping_s,
                                            .ramp_up_ms =
                                                ramp_up_ms < RAMP_UP_MAX_MS ? ramp_up_ms : RAMP_UP_MAX_MS };
    if (!s_url_make (options->collector_url, self->url, sizeof self->url)) {
        fprintf (stderr, "simulate: collector: \"%s\" is not an http:// or https:// address\n",
                 options->collector_url);
        return false;
    }
    if (!(options->speed > 0 && options->speed <= 1000)) {
        fprintf (stderr, "simulate: speed: %g is not above 0 and at most 1000\n", options->speed);
        return false;
    }
    self->audience = audience_new (options->viewers, options->seed, &audience_options);
    if (!self->audience) {
        fprintf (stderr, "simulate: viewers must be 1 to %d (here %zu), ping 0 to 300 s (here %u)\n",
                 AUDIENCE_VIEWERS_MAX, options->viewers, options->ping_s);
        return false;
    }
    self->headers = curl_slist_append (NULL, "Content-Type: application/json; charset=UTF-8");
    self->multi = curl_multi_init ();
    if (!self->headers || !self->multi)
        abort ();
    curl_multi_setopt (self->multi, CURLMOPT_MAXCONNECTS, (long)LANES_MAX);
    size_t tabs = audience_counters (self->audience)->tabs;
    self->lanes_count = tabs < LANES_MAX ? tabs : LANES_MAX;
    for (size_t index = 0; index < self->lanes_count; index++)
        if (!s_lane_open (self, &self->lanes [index]))
            abort ();
    return true;
}

static void
s_close (simulate_t *self)
{
    for (size_t index = 0; index < self->lanes_count; index++)
        s_lane_close (self, &self->lanes [index]);
    if (self->multi)
        curl_multi_cleanup (self->multi);
    curl_slist_free_all (self->headers);
    audience_destroy (&self->audience);
}

int
simulate_run (const simulate_options_t *options, volatile sig_atomic_t *stop)
{
    if (curl_global_init (CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fprintf (stderr, "simulate: libcurl does not start\n");
        return -1;
    }
    simulate_t self = { .options = options, .jitter = options->seed };
    self.started_ms = s_clock_ms (CLOCK_MONOTONIC);
    self.start_epoch_ms = s_clock_ms (CLOCK_REALTIME);
    self.status_ms = self.started_ms + STATUS_EVERY_MS;
    bool open = s_open (&self);
    if (open) {
        fprintf (stderr, "simulate: %zu viewers, seed %" PRIu64 ", speed %g, to %s\n", options->viewers,
                 options->seed, options->speed, self.url);
        s_loop (&self, stop);
        s_drain (&self);
        s_status (&self, "done: ", s_clock_ms (CLOCK_MONOTONIC));
        if (self.tally.waiting)
            fprintf (stderr, "simulate: %zu requests could not be sent before the end\n", self.tally.waiting);
    }
    s_close (&self);
    curl_global_cleanup ();
    return open ? 0 : -1;
}
