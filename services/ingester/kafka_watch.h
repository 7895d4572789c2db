//  kafka_watch - does a partition stand still though there is something to read in it?
//
//  A fetcher of librdkafka that stops for ever after brokers went and came says nothing: no error, no end, no message. So a
//  partition from which nothing comes for a while is looked at: where is its end? Where something is there, and still has not
//  come a while later, the partition is begun anew. Pure: whoever asks the brokers tells what they said.

#ifndef KAFKA_WATCH_H
#define KAFKA_WATCH_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t since_ms;    //  monotonic: the last message, or the last look
    bool behind;         //  at the last look there was something to read
    uint32_t begun;      //  times it was begun anew since the last message
} kafka_watch_t;

//  A message came, or reading begins.
void kafka_watch_moved (kafka_watch_t *self, int64_t now_ms);

//  Is it time to look? patience_ms after the last message or look; twice as long each time that it was begun anew in vain, up to 32
//  times as long.
bool kafka_watch_due (const kafka_watch_t *self, int64_t now_ms, int64_t patience_ms);

//  A look: end is the first offset that is not there, negative if nobody answered; next the first one that was not read. Returns
//  true when the partition is to be begun anew: the second look in a row that finds something to read.
bool kafka_watch_look (kafka_watch_t *self, int64_t now_ms, int64_t next, int64_t end);

#endif
