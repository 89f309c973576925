#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

options opt = {
    .host = "127.0.0.1", .sources = 1, .conns = 100, .publishers = 1, .window = 1, .ramp = 64, .duration_s = 3,
    .warmup_s = 0.5, .settle_s = 0.3, .timeout_s = 60, .stall_s = 5, .slow_bytes_per_s = 100000,
    .core = -1,
};

static const char USAGE[] =
    "usage: load --mode fanout|command|hold|probe --port N [options]\n"
    "  fanout    followers count what publishers send: deliveries/s, time from sending to delivery\n"
    "  command   connections with commands in flight: acks/s, time from sending to ack\n"
    "  hold      connects, says so on stdout, answers pings until stdin ends\n"
    "  probe     one connection pings every millisecond: how long the server did not answer\n"
    "\n"
    "  --host A --path P --raw        where, and whether plain WebSocket instead of Socket.IO\n"
    "  --sources N                    connect from 127.0.0.1 … 127.0.0.N in turn\n"
    "  --tokens FILE                  a token per line, used in turn in CONNECT\n"
    "  --join TEXT --join-all         what followers (with the flag: all) say once connected;\n"
    "                                 $K in it is the next key\n"
    "  --message TEMPLATE             $T 19 digits of time, $U a UUIDv7 with the time in it, $K a key, $A the ack's id\n"
    "  --keys FILE                    a key per line\n"
    "  --stamp TEXT --stamp-kind digits|uuid   what stands before the time in a delivery\n"
    "  --conns N --publishers N --window N --rate R --ramp N\n"
    "  --duration S --warmup S --settle S --timeout S --stall S\n"
    "  --never N --slow N --slow-bytes N   followers that never read, or so many bytes a second (fanout)\n"
    "  --cpu NAME=PID,PID…            processes whose time on the processor is reported (repeatable)\n"
    "  --core N                       a core whose busy time is reported\n"
    "\n"
    "One JSON object on stdout. Exit status: 0 good, 1 the run failed, 2 wrong usage.\n";

void die(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(code);
}

void *grown(void *memory, size_t size)
{
    memory = realloc(memory, size);
    if (!memory)
        die(1, "out of memory (%zu bytes)", size);
    return memory;
}

void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        die(1, "out of memory");
    return memory;
}

static int integer(const char *name, const char *text, long low, long high)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || *end || end == text || value < low || value > high)
        die(2, "--%s: '%s' is not an integer in %ld..%ld", name, text, low, high);
    return (int)value;
}

static double number(const char *name, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || value < 0)
        die(2, "--%s: '%s' is not a number from 0", name, text);
    return value;
}

static lines read_lines(const char *path)
{
    lines read = {0};
    FILE *file = fopen(path, "r");
    if (!file)
        die(2, "%s: %s", path, strerror(errno));
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, file) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line)
            continue;
        read.lines = grown(read.lines, (read.count + 1) * sizeof *read.lines);
        read.lines[read.count++] = strdup(line);
    }
    free(line);
    fclose(file);
    if (!read.count)
        die(2, "%s: has no line", path);
    return read;
}

static int choice(const char *name, const char *text, const char *const *choices)
{
    for (int i = 0; choices[i]; i++)
        if (!strcmp(text, choices[i]))
            return i;
    die(2, "--%s: '%s' is not known", name, text);
}

void parse_options(int argc, char **argv)
{
    static const char *const MODES[] = {"fanout", "command", "hold", "probe", NULL};
    static const char *const STAMPS[] = {"digits", "uuid", NULL};
    enum { MODE = 256, HOST, PORT, PATH, RAW, SOURCES, TOKENS, JOIN, JOIN_ALL, MESSAGE, KEYS, STAMP, STAMP_KIND, CONNS,
           PUBLISHERS, WINDOW, RATE, RAMP, DURATION, WARMUP, SETTLE, TIMEOUT, STALL, NEVER, SLOW, SLOW_BYTES, CPU, CORE };
    static const struct option known[] = {
        {"mode", 1, 0, MODE}, {"host", 1, 0, HOST}, {"port", 1, 0, PORT}, {"path", 1, 0, PATH}, {"raw", 0, 0, RAW},
        {"sources", 1, 0, SOURCES}, {"tokens", 1, 0, TOKENS}, {"join", 1, 0, JOIN}, {"join-all", 0, 0, JOIN_ALL},
        {"message", 1, 0, MESSAGE}, {"keys", 1, 0, KEYS}, {"stamp", 1, 0, STAMP}, {"stamp-kind", 1, 0, STAMP_KIND},
        {"conns", 1, 0, CONNS}, {"publishers", 1, 0, PUBLISHERS}, {"window", 1, 0, WINDOW}, {"rate", 1, 0, RATE},
        {"ramp", 1, 0, RAMP}, {"duration", 1, 0, DURATION}, {"warmup", 1, 0, WARMUP}, {"settle", 1, 0, SETTLE},
        {"timeout", 1, 0, TIMEOUT}, {"stall", 1, 0, STALL}, {"never", 1, 0, NEVER}, {"slow", 1, 0, SLOW},
        {"slow-bytes", 1, 0, SLOW_BYTES}, {"cpu", 1, 0, CPU}, {"core", 1, 0, CORE},
        {"help", 0, 0, 'h'}, {0, 0, 0, 0}};
    int which, mode = -1;
    while ((which = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (which) {
        case MODE: mode = choice("mode", optarg, MODES); break;
        case HOST: opt.host = optarg; break;
        case PORT: opt.port = integer("port", optarg, 1, 65535); break;
        case PATH: opt.path = optarg; break;
        case RAW: opt.raw = true; break;
        case SOURCES: opt.sources = integer("sources", optarg, 1, 254); break;
        case TOKENS: opt.tokens = read_lines(optarg); break;
        case JOIN: opt.join = optarg; break;
        case JOIN_ALL: opt.join_all = true; break;
        case MESSAGE: opt.message = optarg; break;
        case KEYS: opt.keys = read_lines(optarg); break;
        case STAMP: opt.stamp = optarg; break;
        case STAMP_KIND: opt.stamp_kind = (enum stamp)choice("stamp-kind", optarg, STAMPS); break;
        case CONNS: opt.conns = integer("conns", optarg, 1, 1000000); break;
        case PUBLISHERS: opt.publishers = integer("publishers", optarg, 1, 100000); break;
        case WINDOW: opt.window = integer("window", optarg, 1, 65536); break;
        case RATE: opt.rate = number("rate", optarg); break;
        case RAMP: opt.ramp = integer("ramp", optarg, 1, 100000); break;
        case DURATION: opt.duration_s = number("duration", optarg); break;
        case WARMUP: opt.warmup_s = number("warmup", optarg); break;
        case SETTLE: opt.settle_s = number("settle", optarg); break;
        case TIMEOUT: opt.timeout_s = number("timeout", optarg); break;
        case STALL: opt.stall_s = number("stall", optarg); break;
        case NEVER: opt.never = integer("never", optarg, 0, 100000); break;
        case SLOW: opt.slow = integer("slow", optarg, 0, 100000); break;
        case SLOW_BYTES: opt.slow_bytes_per_s = integer("slow-bytes", optarg, 100, 1 << 30); break;
        case CPU:
            if (opt.cpu_count == 8)
                die(2, "--cpu: at most 8 times");
            opt.cpu[opt.cpu_count++] = optarg;
            break;
        case CORE: opt.core = integer("core", optarg, 0, 4095); break;
        case 'h': fputs(USAGE, stdout); exit(0);
        default: fputs(USAGE, stderr); exit(2);
        }
    }
    if (optind < argc)
        die(2, "unexpected argument '%s'", argv[optind]);
    if (mode < 0 || !opt.port)
        die(2, "--mode and --port are needed (see --help)");
    opt.mode = (enum mode)mode;
    if (!opt.path)
        opt.path = opt.raw ? "/" : "/socket.io/?EIO=4&transport=websocket";
    if ((opt.mode == FANOUT || opt.mode == COMMAND) && !opt.message)
        die(2, "this mode needs --message");
    if (opt.mode == FANOUT && !opt.stamp)
        die(2, "--mode fanout needs --stamp");
    if (opt.mode == COMMAND && (opt.raw || !strstr(opt.message, "$A")))
        die(2, "--mode command needs Socket.IO and $A in the message");
}
