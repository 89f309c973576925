/* A client connection: WebSocket (RFC 6455), and over it the handshakes of Engine.IO v4 and Socket.IO v5. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum state { CONNECTING, UPGRADING, OPENING, ENTERING, JOINING, READY, CLOSED };
enum role { FOLLOWER, NEVER_READER, SLOW_READER, PUBLISHER, COMMANDER, HOLDER };

typedef struct {
    int fd, number;
    enum state state;
    enum role role;
    bool waits_to_write;
    uint8_t *in, *out;              /* what was received and is not a whole frame; what could not be sent yet */
    uint32_t in_size, in_room, out_size, out_sent, out_room;
    uint64_t *sent_at;              /* commander: when each of its slots was sent, 0: free */
    uint32_t *generation;           /* commander: how often each slot was used */
    uint64_t closed_at, unread;     /* slow ones: when the server let it go, and what lay unread before */
    uint64_t received;              /* bytes */
} connection;

/* Counted over all connections. */
extern struct totals {
    int started, pending, ready, closed;
    uint64_t bytes_in, pings;
} totals;

/* What the mode does with a text message of a connection that is ready; `time_ns` is when it was received. */
extern void (*on_message)(connection *c, const uint8_t *text, size_t size, uint64_t time_ns);

extern bool stopping;               /* from here on a lost connection is no failure */

void connections_begin(void);
void connection_start(connection *c, enum role role);
void connection_text(connection *c, const char *text, size_t size);
void connection_flush(connection *c);
void connection_read(connection *c, size_t bytes_max);

/* Waits for events and handles them; the number of events. */
int turn(int timeout_ms);

#endif
