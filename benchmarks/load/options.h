/* What the command line asks for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum mode { FANOUT, COMMAND, HOLD, PROBE };
enum stamp { STAMP_DIGITS, STAMP_UUID };

typedef struct {
    char **lines;
    size_t count;
} lines;

typedef struct {
    enum mode mode;
    const char *host, *path;
    int port, sources;
    bool raw;                 /* plain WebSocket messages instead of Socket.IO packets */
    lines tokens, keys;       /* CONNECT tokens; what $K stands for */
    const char *join;         /* what a follower says once it is connected, a template; NULL: nothing */
    bool join_all;            /* commanders and publishers join, too */
    const char *message;      /* template of what is sent, see message.h */
    const char *stamp;        /* what stands before a time in what is received */
    enum stamp stamp_kind;
    int conns, publishers, window, ramp;
    double rate;              /* messages per second in all; 0: closed loop */
    double duration_s, warmup_s, settle_s, timeout_s, stall_s;
    int never, slow, slow_bytes_per_s;
    const char *cpu[8];       /* NAME=PID,PID… */
    int cpu_count;
    int core;                 /* whose busy time is reported; -1: none */
} options;

extern options opt;

void parse_options(int argc, char **argv);
void die(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void *grown(void *memory, size_t size);
void *zeroed(size_t count, size_t size);

#endif
