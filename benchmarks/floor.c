/* The floor: what the kernel alone charges for a request and its answer.
 *
 * One thread, epoll, no parsing: it finds the empty line that ends each request head and sends one
 * fixed answer for each, all that arrived together in one send. What a server needs more than this
 * is what it costs. It is not a server: it reads no bodies, checks nothing, and believes its client.
 *
 *     floor PORT [close]      with `close` every answer ends its connection
 */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 512, DESCRIPTORS = 65536, READ_BYTES = 65536, MOST_ANSWERS = 64 };

#define KEPT                                                                                     \
    "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"                \
    "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"
#define CLOSING                                                                                  \
    "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"                \
    "Connection: close\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!"

/* How much of "\r\n\r\n" each connection has seen last, so that a head may be cut anywhere. */
static unsigned char matched[DESCRIPTORS];
static char input[READ_BYTES];
static char answers[MOST_ANSWERS * sizeof(CLOSING)];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(int port) {
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* inherited by accept */
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, 2048) < 0) fail("listen");
    return listener;
}

static void watch(int poller, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static void accept_all(int poller, int listener) {
    for (;;) {
        int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (connection < 0) return;
        if (connection >= DESCRIPTORS) {
            close(connection);
            continue;
        }
        matched[connection] = 0;
        watch(poller, connection);
    }
}

static const char END[] = "\r\n\r\n";

static unsigned step(unsigned state, char byte) {
    return byte == END[state] ? state + 1 : byte == '\r';
}

/* How many heads end in what has just been read. What was cut is followed byte by byte, the rest
 * found by the C library, which is quicker than any parser. */
static int heads_ended(int connection, const char *data, size_t length) {
    const char *at = data, *end = data + length;
    unsigned state = matched[connection];
    int count = 0;
    while (at < end) {
        if (state == 0) {
            at = memchr(at, '\r', (size_t)(end - at));
            if (at == NULL) break;
            if (end - at >= 4 && memcmp(at, END, 4) != 0) {
                at += 2; /* the end of a line within the head */
                continue;
            }
        }
        state = step(state, *at++);
        if (state == 4) {
            count++;
            state = 0;
        }
    }
    matched[connection] = (unsigned char)state;
    return count;
}

/* Returns 0 when the connection is to be closed. */
static int serve(int connection, size_t answer_bytes, int closing) {
    ssize_t length = recv(connection, input, sizeof input, 0);
    if (length < 0) return errno == EAGAIN;
    if (length == 0) return 0;
    int count = heads_ended(connection, input, (size_t)length);
    while (count > 0) {
        int now = count < MOST_ANSWERS ? count : MOST_ANSWERS;
        ssize_t wanted = (ssize_t)(answer_bytes * (size_t)now);
        if (send(connection, answers, (size_t)wanted, MSG_NOSIGNAL) != wanted || closing) return 0;
        count -= now;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: floor PORT [close]\n");
        return 2;
    }
    int closing = argc > 2 && strcmp(argv[2], "close") == 0;
    const char *answer = closing ? CLOSING : KEPT;
    size_t answer_bytes = strlen(answer);
    for (int copy = 0; copy < MOST_ANSWERS; copy++)
        memcpy(answers + (size_t)copy * answer_bytes, answer, answer_bytes);

    int listener = listen_on(atoi(argv[1]));
    int poller = epoll_create1(0);
    watch(poller, listener);
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int at = 0; at < ready; at++) {
            int descriptor = events[at].data.fd;
            if (descriptor == listener)
                accept_all(poller, listener);
            else if (!serve(descriptor, answer_bytes, closing))
                close(descriptor); /* leaves the poller by itself */
        }
    }
}
