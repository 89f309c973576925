/* The limit of one core: the smallest server that gives an event to all followers. One frame per event, one send() per
 * follower and event; with a second argument one send() per follower and tick, whatever came in it.
 *
 *   limit PORT [tick]
 *
 * It speaks just enough Socket.IO for the load generator: CONNECT, `join` and an `awareness` event. It never looks
 * whether a follower keeps up, and it believes that every client sends the key of the RFC's example.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOLLOWERS_MAX 65536
#define SWITCHING                                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                  \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
#define OPENED "0{\"sid\":\"x\",\"upgrades\":[],\"pingInterval\":25000,\"pingTimeout\":20000}"
#define JOIN "[\"join\","
#define AWARENESS "[\"awareness\","

typedef struct {
    int fd, upgraded, place;                 /* its place among the followers, -1: none */
    uint8_t *in;
    uint32_t size, room;
} client;

static client *followers[FOLLOWERS_MAX];
static int follower_count, poller, per_tick;
static uint8_t input[1 << 20];
static uint8_t frames[1 << 22];              /* of this tick, not sent yet */
static size_t frames_size;

static size_t head(uint8_t *out, size_t size)
{
    out[0] = 0x81;
    if (size < 126) {
        out[1] = (uint8_t)size;
        return 2;
    }
    out[1] = 126;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)size;
    return 4;
}

static void write_all(client *c, const void *data, size_t size)
{
    ssize_t sent = send(c->fd, data, size, MSG_NOSIGNAL);
    (void)sent;
}

static void say(client *c, const char *text, size_t size)
{
    uint8_t frame[1024];
    size_t before = head(frame, size);
    memcpy(frame + before, text, size);
    write_all(c, frame, before + size);
}

static void deliver(void)
{
    for (int i = 0; i < follower_count; i++)
        write_all(followers[i], frames, frames_size);
    frames_size = 0;
}

static void broadcast(const uint8_t *packet, size_t size)
{
    frames_size += head(frames + frames_size, size);
    memcpy(frames + frames_size, packet, size);
    frames_size += size;
    if (!per_tick || frames_size > sizeof frames / 2)
        deliver();
}

static int begins(const uint8_t *text, size_t size, const char *with)
{
    return size >= strlen(with) && !memcmp(text, with, strlen(with));
}

static void handle_packet(client *c, uint8_t *packet, size_t size)
{
    char ack[64];
    size_t at = 2;
    if (begins(packet, size, "40")) {
        say(c, "40{\"sid\":\"x\"}", 13);
        return;
    }
    if (!begins(packet, size, "42"))
        return;
    while (at < size && packet[at] >= '0' && packet[at] <= '9')
        at++;
    if (begins(packet + at, size - at, JOIN) && c->place < 0 && follower_count < FOLLOWERS_MAX) {
        c->place = follower_count;
        followers[follower_count++] = c;
    } else if (begins(packet + at, size - at, AWARENESS)) {
        broadcast(packet, size);
    }
    if (at > 2)
        say(c, ack, (size_t)snprintf(ack, sizeof ack, "43%.*s[{}]", (int)(at - 2), (char *)packet + 2));
}

static void drop(client *c)
{
    close(c->fd);
    if (c->place >= 0) {
        followers[c->place] = followers[--follower_count];
        followers[c->place]->place = c->place;
    }
    free(c->in);
    free(c);
}

/* Handles whole frames; returns the bytes used. */
static size_t parse(client *c, uint8_t *data, size_t size)
{
    size_t used = 0;
    if (!c->upgraded) {
        uint8_t *end = memmem(data, size, "\r\n\r\n", 4);
        if (!end)
            return 0;
        write_all(c, SWITCHING, sizeof SWITCHING - 1);
        say(c, OPENED, sizeof OPENED - 1);
        c->upgraded = 1;
        used = (size_t)(end - data) + 4;
    }
    while (size - used >= 6) {
        uint8_t *frame = data + used;
        size_t payload = frame[1] & 0x7f, before = 2;
        if (payload == 126) {
            payload = (size_t)frame[2] << 8 | frame[3];
            before = 4;
        }
        if (size - used < before + 4 + payload)
            break;
        uint8_t *mask = frame + before, *text = mask + 4;
        for (size_t i = 0; i < payload; i++)
            text[i] ^= mask[i & 3];
        if ((frame[0] & 15) == 1)
            handle_packet(c, text, payload);
        used += before + 4 + payload;
    }
    return used;
}

static void receive(client *c)
{
    ssize_t n = recv(c->fd, input, sizeof input, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        drop(c);
        return;
    }
    if (c->size + (size_t)n > c->room) {
        c->room = c->size + (uint32_t)n + 512;
        c->in = realloc(c->in, c->room);
        if (!c->in)
            abort();
    }
    memcpy(c->in + c->size, input, (size_t)n);
    c->size += (uint32_t)n;
    size_t used = parse(c, c->in, c->size);
    memmove(c->in, c->in + used, c->size - used);
    c->size -= (uint32_t)used;
}

static void accept_all(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        client *c = calloc(1, sizeof *c);
        if (!c)
            abort();
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c->fd = fd;
        c->place = -1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

int main(int argc, char **argv)
{
    static struct epoll_event events[512];
    struct rlimit files;
    int one = 1;
    if (argc < 2) {
        fputs("usage: limit PORT [tick]\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    per_tick = argc > 2;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&place, sizeof place) || listen(listener, 4096)) {
        perror("limit");
        return 1;
    }
    poller = epoll_create1(0);
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int n = epoll_wait(poller, events, 512, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                receive(events[i].data.ptr);
            else
                accept_all(listener);
        }
        if (frames_size)
            deliver();
    }
}
