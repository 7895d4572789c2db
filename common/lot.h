//  lot - the next messages of a link, read together
//
//  Who holds millions of things waits for memory with each that it looks for. Who knows several of the next ones can ask for
//  all of them first, and waits about as long as for one (last_value_expect). Frames of a live system are small, so a lot
//  goes on from one frame to the next, and who reads them flushes it when nothing more is there.

#ifndef LOT_H
#define LOT_H

#include "message.h"

#define LOT_MESSAGES 16
//  Of frames that are kept till their messages are worked; longer ones are worked at once.
#define LOT_BYTES 8192

//  Starts with count and used 0.
typedef struct {
    size_t count;
    uint32_t tags [LOT_MESSAGES];    //  what their taker says of the frame: who sent it, what it is about
    usher_str_t bytes [LOT_MESSAGES];
    usher_msg_t messages [LOT_MESSAGES];
    size_t used;
    uint8_t frames [LOT_BYTES];
} lot_t;

//  Works the messages of a lot, in their order.
typedef void (lot_work_fn) (void *arg, const lot_t *lot);

//  Adds the messages of a frame, without its head. Whenever the lot is full it is worked; what is left waits for the next frame.
//  Returns why there are no more: USHER_END, or what is wrong with one, and those before it are taken.
usher_error_t lot_take (lot_t *self, uint32_t tag, const void *data, size_t size, lot_work_fn *work,
                        void *arg);

//  Works what waits.
void lot_flush (lot_t *self, lot_work_fn *work, void *arg);

#endif
