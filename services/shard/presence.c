//  presence - what silence makes of a session
//
//  A function of the events and the source's clock: which of them moved first does not show.

#include "session.h"

//  After what silence, since when, a session is what.
typedef struct {
    uint64_t since_ms, timeout_ms;
    usher_state_t becomes;
} silence_t;

usher_state_t
session_state (const session_t *self)
{
    return self->known.expired_ms ? self->known.expired_state : self->now.state;
}

usher_status_t
session_status (const session_t *self)
{
    return fold_status (self->now.state);
}

//  Must not be asked of an ended one.
static silence_t
silence_of (const session_t *self, const config_t *config)
{
    static const uint32_t pinging = 1u << USHER_state_watching | 1u << USHER_state_rebuffering |
                                    1u << USHER_state_seeking | 1u << USHER_state_ad;
    bool pings = pinging >> self->now.state & 1;
    if (self->now.error_ms && (pings || self->now.state == USHER_state_starting))
        return (silence_t){ self->now.error_ms, fold_timeout_ms (&self->now), USHER_state_failed };
    uint64_t timeout_ms =
        pings ? fold_timeout_ms (&self->now) : (uint64_t)config->shard.paused_timeout_s * 1000;
    return (silence_t){ self->now.seen_ms, timeout_ms, USHER_state_lost };
}

uint64_t
session_deadline (const session_t *self, const config_t *config)
{
    if (self->known.expired_ms || self->now.state == USHER_state_ended)
        return UINT64_MAX;
    silence_t silence = silence_of (self, config);
    uint64_t since_ms = silence.since_ms > self->grace_ms ? silence.since_ms : self->grace_ms;
    return since_ms + silence.timeout_ms;
}

usher_state_t
session_expire (session_t *self, const config_t *config)
{
    //  Grace delays the telling, not the instant that is told.
    silence_t silence = silence_of (self, config);
    self->known.expired_ms = silence.since_ms + silence.timeout_ms;
    self->known.expired_state = silence.becomes;
    return silence.becomes;
}

void
session_reconsider (session_t *self, const config_t *config, uint64_t clock_ms)
{
    if (self->known.expired_ms == 0)
        return;
    self->known.expired_ms = 0;
    self->known.expired_state = 0;
    if (self->now.state == USHER_state_ended)
        return;
    silence_t silence = silence_of (self, config);
    if (silence.since_ms + silence.timeout_ms <= clock_ms)
        session_expire (self, config);
}

uint64_t
session_forget_at (const session_t *self, const config_t *config)
{
    uint64_t ended_ms = self->known.expired_ms;
    if (ended_ms == 0 && self->now.state != USHER_state_ended)
        return UINT64_MAX;
    if (ended_ms == 0)
        ended_ms = self->now.seen_ms;
    return ended_ms + (uint64_t)config->shard.forget_s * 1000;
}
