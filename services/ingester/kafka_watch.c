//  kafka_watch - does a partition stand still though there is something to read in it?

#include "kafka_watch.h"

enum { PATIENCE_DOUBLED_MAX = 5 };

void
kafka_watch_moved (kafka_watch_t *self, int64_t now_ms)
{
    *self = (kafka_watch_t){ .since_ms = now_ms };
}

bool
kafka_watch_due (const kafka_watch_t *self, int64_t now_ms, int64_t patience_ms)
{
    uint32_t doubled = self->begun < PATIENCE_DOUBLED_MAX ? self->begun : PATIENCE_DOUBLED_MAX;
    return now_ms - self->since_ms >= patience_ms << doubled;
}

bool
kafka_watch_look (kafka_watch_t *self, int64_t now_ms, int64_t next, int64_t end)
{
    bool was_behind = self->behind;
    self->since_ms = now_ms;
    //  Who knows nothing new goes on as before.
    if (end < 0)
        return false;
    self->behind = end > next;
    if (!was_behind || !self->behind)
        return false;
    self->behind = false;
    self->begun++;
    return true;
}
