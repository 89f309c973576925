#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "message.h"
#include "options.h"

struct totals totals;
void (*on_message)(connection *c, const uint8_t *text, size_t size, uint64_t time_ns);
bool stopping;

static int poller;
static uint8_t received[1 << 20];

static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};
static const int SLOW_RECEIVE_BUFFER = 16384;
static const uint64_t FRAME_MAX = 64u << 20;
static const int FAILURES_SHOWN = 5;

void connections_begin(void)
{
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die(1, "epoll_create1: %s", strerror(errno));
}

static bool reads_by_the_clock(const connection *c) { return c->role == NEVER_READER || c->role == SLOW_READER; }

static void lost(connection *c, const char *why)
{
    static int shown;
    if (c->state == CLOSED)
        return;
    if (!stopping && !(reads_by_the_clock(c) && c->state == READY) && shown++ < FAILURES_SHOWN)
        fprintf(stderr, "load: connection %d (state %d) lost: %s\n", c->number, (int)c->state, why);
    if (c->state == READY)
        totals.ready--;
    else
        totals.pending--;
    c->state = CLOSED;
    c->closed_at = now_ns();
    totals.closed += !(reads_by_the_clock(c));
    close(c->fd);
    c->fd = -1;
}

/* Never-readers stay in the poller without an interest: the kernel still tells of a reset. */
static void watch(connection *c, int operation)
{
    bool reads = c->state != READY || !reads_by_the_clock(c);
    struct epoll_event event = {.data.ptr = c};
    event.events = (reads ? EPOLLIN : 0u) | (c->waits_to_write ? EPOLLOUT : 0u);
    if (epoll_ctl(poller, operation, c->fd, &event) < 0)
        die(1, "epoll_ctl: %s", strerror(errno));
}

static void wait_to_write(connection *c, bool waits)
{
    if (c->waits_to_write == waits)
        return;
    c->waits_to_write = waits;
    watch(c, EPOLL_CTL_MOD);
}

void connection_flush(connection *c)
{
    while (c->out_sent < c->out_size) {
        ssize_t n = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            wait_to_write(c, true);
            return;
        }
        if (n < 0) {
            lost(c, strerror(errno));
            return;
        }
        c->out_sent += (uint32_t)n;
    }
    c->out_sent = c->out_size = 0;
    wait_to_write(c, false);
}

static uint8_t *room_for(connection *c, size_t size)
{
    if (c->out_size + size > c->out_room) {
        c->out_room = (uint32_t)(c->out_size + size + 256);
        c->out = grown(c->out, c->out_room);
    }
    return c->out + c->out_size;
}

/* Appends one masked frame; it leaves with the next flush. */
static void append(connection *c, int opcode, const uint8_t *payload, size_t size)
{
    uint8_t *at = room_for(c, size + 14);
    size_t head = 2;
    at[0] = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        at[1] = (uint8_t)(0x80 | size);
    } else if (size < 65536) {
        at[1] = 0x80 | 126;
        at[2] = (uint8_t)(size >> 8);
        at[3] = (uint8_t)size;
        head = 4;
    } else {
        at[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            at[2 + i] = (uint8_t)((uint64_t)size >> (56 - 8 * i));
        head = 10;
    }
    memcpy(at + head, MASK, 4);
    head += 4;
    for (size_t i = 0; i < size; i++)
        at[head + i] = payload[i] ^ MASK[i & 3];
    c->out_size += (uint32_t)(head + size);
}

void connection_text(connection *c, const char *text, size_t size) { append(c, 1, (const uint8_t *)text, size); }

static void say(connection *c, const char *text)
{
    connection_text(c, text, strlen(text));
    connection_flush(c);
}

void connection_start(connection *c, enum role role)
{
    int one = 1;
    c->role = role;
    c->state = CONNECTING;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die(1, "socket: %s (raise ulimit -n?)", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (reads_by_the_clock(c))
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &SLOW_RECEIVE_BUFFER, sizeof SLOW_RECEIVE_BUFFER);
    if (opt.sources > 1) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(c->number % opt.sources));
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0)
            die(1, "bind: %s", strerror(errno));
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    if (inet_pton(AF_INET, opt.host, &to.sin_addr) != 1)
        die(2, "--host: '%s' is not an IPv4 address", opt.host);
    totals.started++;
    totals.pending++;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        lost(c, strerror(errno));
        return;
    }
    c->waits_to_write = true;
    watch(c, EPOLL_CTL_ADD);
}

static void upgrade(connection *c)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        opt.path, opt.host, opt.port);
    c->state = UPGRADING;
    memcpy(room_for(c, (size_t)size), text, (size_t)size);
    c->out_size += (uint32_t)size;
    connection_flush(c);
}

static void become_ready(connection *c)
{
    c->state = READY;
    totals.pending--;
    totals.ready++;
    if (reads_by_the_clock(c))
        watch(c, EPOLL_CTL_MOD);
}

static void join(connection *c)
{
    bool joins = opt.join && (opt.join_all || (c->role != COMMANDER && c->role != PUBLISHER));
    static char text[MESSAGE_MAX + 3] = "420";
    if (!joins) {
        become_ready(c);
        return;
    }
    message_write(text + 3, opt.join, now_ns(), 0);
    c->state = JOINING;
    say(c, opt.raw ? text + 3 : text);
    if (opt.raw && c->state == JOINING)
        become_ready(c);
}

static void enter(connection *c)
{
    char text[8192] = "40";
    if (opt.tokens.count)
        snprintf(text, sizeof text, "40{\"token\":\"%s\"}", opt.tokens.lines[(size_t)c->number % opt.tokens.count]);
    c->state = ENTERING;
    say(c, text);
}

static bool is_joined(connection *c, const uint8_t *text, size_t size)
{
    if (size < 3 || memcmp(text, "430", 3))
        return false;
    if (size > 12 && !memcmp(text, "430[{\"error\"", 12)) {
        char why[512];
        snprintf(why, sizeof why, "join refused: %.*s", (int)(size < 400 ? size : 400), (const char *)text);
        lost(c, why);
        return false;
    }
    return true;
}

static void handle_text(connection *c, const uint8_t *text, size_t size, uint64_t time_ns)
{
    if (!opt.raw && size == 1 && text[0] == '2') {
        totals.pings++;
        say(c, "3");
        return;
    }
    switch (c->state) {
    case READY: on_message(c, text, size, time_ns); return;
    case OPENING:
        if (size && text[0] == '0')
            enter(c);
        else
            lost(c, "no Engine.IO handshake");
        return;
    case ENTERING:
        if (size >= 2 && !memcmp(text, "40", 2))
            join(c);
        else if (size >= 2 && !memcmp(text, "44", 2))
            lost(c, "CONNECT refused");
        return;
    case JOINING:
        if (is_joined(c, text, size))
            become_ready(c);
        return;
    default: return;
    }
}

static void handle_frame(connection *c, int opcode, const uint8_t *payload, size_t size, uint64_t time_ns)
{
    if (opcode == 1 || opcode == 2)
        handle_text(c, payload, size, time_ns);
    else if (opcode == 8)
        lost(c, "closed by the server");
    else if (opcode == 9) {
        append(c, 10, payload, size);
        connection_flush(c);
    }
}

/* The size of the HTTP answer, 0 while it is not whole. */
static size_t accept_upgrade(connection *c, const uint8_t *data, size_t size)
{
    const uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
    char why[128];
    if (!end)
        return 0;
    if (size < 12 || memcmp(data, "HTTP/1.1 101", 12)) {
        snprintf(why, sizeof why, "upgrade refused: %.*s", (int)(size < 60 ? size : 60), (const char *)data);
        lost(c, why);
        return size;
    }
    if (opt.raw)
        join(c);
    else
        c->state = OPENING;
    return (size_t)(end - data) + 4;
}

/* Handles whole frames; returns the bytes used. */
static size_t parse(connection *c, const uint8_t *data, size_t size, uint64_t time_ns)
{
    size_t used = c->state == UPGRADING ? accept_upgrade(c, data, size) : 0;
    if (c->state == UPGRADING)
        return 0;
    while (used + 2 <= size && c->state != CLOSED) {
        const uint8_t *frame = data + used;
        size_t left = size - used, head = 2;
        uint64_t payload = frame[1] & 0x7f;
        if (frame[1] & 0x80) {
            lost(c, "a masked frame from the server");
            return size;
        }
        if (payload >= 126) {
            size_t bytes = payload == 126 ? 2 : 8;
            if (left < 2 + bytes)
                break;
            payload = 0;
            for (size_t i = 0; i < bytes; i++)
                payload = payload << 8 | frame[2 + i];
            head += bytes;
        }
        if (payload > FRAME_MAX) {
            lost(c, "a frame too large");
            return size;
        }
        if (left < head + payload)
            break;
        handle_frame(c, frame[0] & 0x0f, frame + head, (size_t)payload, time_ns);
        used += head + (size_t)payload;
    }
    return used;
}

static void keep(connection *c, const uint8_t *data, size_t size)
{
    if (c->in_size + size > c->in_room) {
        c->in_room = (uint32_t)(c->in_size + size + 1024);
        c->in = grown(c->in, c->in_room);
    }
    memcpy(c->in + c->in_size, data, size);
    c->in_size += (uint32_t)size;
}

void connection_read(connection *c, size_t bytes_max)
{
    ssize_t n = recv(c->fd, received, bytes_max < sizeof received ? bytes_max : sizeof received, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        lost(c, n ? strerror(errno) : "the server ended the connection");
        return;
    }
    uint64_t time_ns = now_ns();
    totals.bytes_in += (uint64_t)n;
    c->received += (uint64_t)n;
    if (!c->in_size) {
        size_t used = parse(c, received, (size_t)n, time_ns);
        if (c->state != CLOSED && used < (size_t)n)
            keep(c, received + used, (size_t)n - used);
    } else {
        keep(c, received, (size_t)n);
        size_t used = parse(c, c->in, c->in_size, time_ns);
        if (c->state == CLOSED)
            return;
        memmove(c->in, c->in + used, c->in_size - used);
        c->in_size -= (uint32_t)used;
    }
    if (c->state != CLOSED && c->out_size && !c->waits_to_write)
        connection_flush(c);
}

static void handle_event(connection *c, uint32_t events)
{
    if (c->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            lost(c, strerror(error));
        else if (events & EPOLLOUT)
            upgrade(c);
        return;
    }
    if (events & EPOLLOUT)
        connection_flush(c);
    if (c->state == READY && reads_by_the_clock(c)) {
        if (events & (EPOLLHUP | EPOLLERR))
            lost(c, "let go by the server");
    } else if (c->state != CLOSED && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        connection_read(c, sizeof received);
    }
}

int turn(int timeout_ms)
{
    static struct epoll_event events[1024];
    int n = epoll_wait(poller, events, 1024, timeout_ms);
    if (n < 0 && errno != EINTR)
        die(1, "epoll_wait: %s", strerror(errno));
    for (int i = 0; i < n; i++) {
        connection *c = events[i].data.ptr;
        if (c->state != CLOSED)
            handle_event(c, events[i].events);
    }
    return n;
}
