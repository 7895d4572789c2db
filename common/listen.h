//  listen - a listening TCP socket of our own
//
//  The HTTP libraries could open theirs, but then nobody knew by its errno that a port is taken.

#ifndef LISTEN_H
#define LISTEN_H

#include <stdint.h>

//  Listens on a numeric address. Returns the socket, non-blocking, which the caller owns; or -1 after logging which
//  address `what` could not have and what to do.
int listen_open (const char *what, const char *bind_address, uint16_t port);

#endif
