//  listen - a listening TCP socket of our own

#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

//  Connections that the kernel keeps for us.
#define BACKLOG 4096

//  Returns a listening socket, or -1 with errno.
static int
socket_listen (const struct addrinfo *address)
{
    int fd = socket (address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0)
        return -1;
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind (fd, address->ai_addr, address->ai_addrlen) == 0 && listen (fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close (fd);
    errno = error;
    return -1;
}

int
listen_open (const char *what, const char *bind_address, uint16_t port)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE };
    struct addrinfo *found = NULL;
    char service [8];
    snprintf (service, sizeof service, "%u", port);
    int error = getaddrinfo (bind_address, service, &hints, &found);
    int fd = error ? -1 : socket_listen (found);
    if (error)
        log_error ("bad address",
                   "key=bind address=%s reason=\"%s\" hint=\"give a numeric address, as 127.0.0.1\"",
                   bind_address, gai_strerror (error));
    else if (fd < 0)
        log_error ("cannot listen", "what=%s address=%s:%u reason=\"%s\" hint=\"%s\"", what, bind_address,
                   port, strerror (errno),
                   errno == EADDRINUSE
                       ? "another program has this port: stop it, or set another one in usher.yaml"
                       : "set another address or port in usher.yaml");
    if (found)
        freeaddrinfo (found);
    return fd;
}
