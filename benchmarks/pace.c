/* The paced client: requests at their own times, whatever the server does, and how long each took.
 *
 * A client that waits for one answer before it asks again asks less often while the server is slow,
 * and so hides just the waiting it should show. Here the times are drawn beforehand, RATE a second
 * at random as independent users would come, the same for every run with the same arguments. A
 * request's time counts from when it was due until its answer is complete, the wait for a free
 * connection too. Connections are kept and used in turn, as a proxy uses those it keeps.
 *
 *     pace PORT PATH CONNECTIONS RATE SECONDS BODY
 *
 * Every answer must be a 200 with exactly BODY and a Content-Length. Prints one JSON object.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 512, ANSWER_BYTES = 8192 };

static const int64_t STRAGGLERS_NS = 5000000000LL; /* how long late answers are waited for */

struct connection {
    int descriptor;
    int busy;
    int64_t due_ns;
    size_t filled;
    char answer[ANSWER_BYTES + 1];
};

static struct connection connections[MOST_CONNECTIONS];
static struct pollfd polled[MOST_CONNECTIONS];
static struct sockaddr_in server;
static char request[1024];
static size_t request_bytes;
static const char *body;
static int64_t *due_ns;   /* after the start, ascending */
static int64_t *taken_ns; /* of the answers, in the order they came */
static size_t done;
static int turn; /* the connection that is next to be used */
static long connect_errors, read_errors, status_errors, body_errors, timeout_errors;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void close_connection(int index) {
    struct connection *c = &connections[index];
    if (c->descriptor >= 0) close(c->descriptor);
    c->descriptor = -1;
    c->busy = 0;
    c->filled = 0;
    polled[index].fd = -1; /* poll passes over it */
}

/* Connections are opened when they are first used: a server of one request at a time would wait
 * for the request of a connection that has none. */
static void open_connection(int index) {
    struct connection *c = &connections[index];
    int one = 1;
    c->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->descriptor, (struct sockaddr *)&server, sizeof server) < 0) {
        connect_errors++;
        close_connection(index);
        return;
    }
    polled[index].fd = c->descriptor;
    polled[index].events = POLLIN;
}

/* Returns 1 if the request is on its way, 0 if the caller is to try another connection, -1 if the
 * server refuses connections and the request is lost. */
static int ask(int index, int64_t due_ns) {
    struct connection *c = &connections[index];
    if (c->descriptor < 0) open_connection(index);
    if (c->descriptor < 0) return -1;
    if (send(c->descriptor, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes) {
        close_connection(index); /* the server had closed it between two requests, as it may */
        return 0;
    }
    c->busy = 1;
    c->due_ns = due_ns;
    return 1;
}

/* Returns 1 when the answer is complete, -1 when it can never be, 0 while it needs more. */
static int judge(struct connection *c) {
    c->answer[c->filled] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return c->filled == ANSWER_BYTES ? -1 : 0;
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (!length || length > end) return -1;
    size_t wanted = strtoul(length + 17, NULL, 10);
    size_t head = (size_t)(end + 4 - c->answer);
    if (head + wanted > ANSWER_BYTES) return -1;
    if (c->filled < head + wanted) return 0;
    if (strncmp(c->answer + 8, " 200", 4) != 0)
        status_errors++;
    else if (c->filled != head + wanted || wanted != strlen(body) ||
             memcmp(c->answer + head, body, wanted) != 0)
        body_errors++;
    return 1;
}

static void read_answer(int index) {
    struct connection *c = &connections[index];
    ssize_t got = recv(c->descriptor, c->answer + c->filled, ANSWER_BYTES - c->filled, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        if (c->busy) read_errors++;
        close_connection(index);
        return;
    }
    c->filled += (size_t)got;
    int verdict = c->busy ? judge(c) : -1;
    if (verdict == 0) return;
    if (verdict < 0) {
        body_errors++;
        close_connection(index);
        return;
    }
    taken_ns[done++] = now_ns() - c->due_ns;
    int closing = strcasestr(c->answer, "\r\nconnection: close") != NULL;
    c->busy = 0;
    c->filled = 0;
    if (closing) close_connection(index);
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static double percentile_us(double share) {
    if (done == 0) return 0;
    size_t at = (size_t)(share * (double)done);
    return (double)taken_ns[at < done ? at : done - 1] / 1000.0;
}

static void print_result(double seconds) {
    qsort(taken_ns, done, sizeof *taken_ns, ascending);
    printf("{\"requests\": %zu, \"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"max_us\": %.1f, \"errors\": {\"connect\": %ld, \"read\": %ld, \"status\": %ld, "
           "\"body\": %ld, \"timeout\": %ld}}\n",
           done, seconds, percentile_us(0.5), percentile_us(0.99), percentile_us(1.0),
           connect_errors, read_errors, status_errors, body_errors, timeout_errors);
}

static int is_any_busy(int count) {
    for (int index = 0; index < count; index++)
        if (connections[index].busy) return 1;
    return 0;
}

/* Draws the times of all requests; returns how many there are. */
static long draw(double rate, double duration_seconds) {
    size_t room = (size_t)(rate * duration_seconds * 2) + 100;
    uint64_t state = 88172645463325252ULL; /* xorshift64 */
    double at_seconds = 0;
    long total = 0;
    due_ns = calloc(room, sizeof *due_ns);
    taken_ns = calloc(room, sizeof *taken_ns);
    while ((size_t)total < room) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double uniform = ((double)(state >> 11) + 1) / 9007199254740993.0; /* in (0, 1) */
        at_seconds += -log(uniform) / rate;
        if (at_seconds >= duration_seconds) break;
        due_ns[total++] = (int64_t)(at_seconds * 1e9);
    }
    return total;
}

/* Sends what is due, as far as connections are free, oldest first; returns how many were sent. */
static long send_due(int count, long sent, long total, int64_t start_ns) {
    for (int tried = 0; tried < count && sent < total; tried++) {
        if (start_ns + due_ns[sent] > now_ns()) break;
        int index = turn;
        turn = (turn + 1) % count;
        if (!connections[index].busy && ask(index, start_ns + due_ns[sent]) != 0) sent++;
    }
    return sent;
}

static void run(int count, double rate, double duration_seconds) {
    long total = draw(rate, duration_seconds), sent = 0;
    for (int index = 0; index < count; index++) {
        connections[index].descriptor = -1;
        close_connection(index);
    }
    int64_t start_ns = now_ns();
    int64_t end_ns = start_ns + (int64_t)(duration_seconds * 1e9) + STRAGGLERS_NS;
    while (now_ns() < end_ns && (sent < total || is_any_busy(count))) {
        sent = send_due(count, sent, total, start_ns);
        int64_t wait_ns = sent < total ? start_ns + due_ns[sent] - now_ns() : 10000000;
        if (wait_ns > 10000000) wait_ns = 10000000;
        if (wait_ns <= 0) wait_ns = 100000; /* due, but every connection is busy */
        struct timespec wait = {.tv_nsec = (long)wait_ns};
        if (ppoll(polled, (nfds_t)count, &wait, NULL) <= 0) continue;
        for (int index = 0; index < count; index++)
            if (polled[index].revents) read_answer(index);
    }
    for (int index = 0; index < count; index++) timeout_errors += connections[index].busy;
    timeout_errors += total - sent;
    print_result((double)(now_ns() - start_ns) / 1e9);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: pace PORT PATH CONNECTIONS RATE SECONDS BODY\n");
        return 2;
    }
    int count = atoi(argv[3]);
    if (count < 1 || count > MOST_CONNECTIONS) {
        fprintf(stderr, "pace: from 1 to %d connections\n", MOST_CONNECTIONS);
        return 2;
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(argv[1]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    body = argv[6];
    request_bytes = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n\r\n",
                                     argv[2], argv[1]);
    if (request_bytes >= sizeof request) {
        fprintf(stderr, "pace: PATH is too long\n");
        return 2;
    }
    run(count, atof(argv[4]), atof(argv[5]));
    return 0;
}
