/* A load generator for live servers: one thread, epoll, C, so that the server is what is measured.
 *
 * Build: cc -O2 -o load *.c. Run with --help for the modes. `benchmarks/generator.py` builds and runs it.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "connection.h"
#include "histogram.h"
#include "message.h"
#include "options.h"
#include "traffic.h"

connection *all;
int total;

static enum role role_of(int number)
{
    if (opt.mode == COMMAND)
        return COMMANDER;
    if (opt.mode != FANOUT)
        return HOLDER;
    if (number < opt.conns)
        return FOLLOWER;
    if (number < opt.conns + opt.publishers)
        return PUBLISHER;
    return number < opt.conns + opt.publishers + opt.never ? NEVER_READER : SLOW_READER;
}

static void prepare(void)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    total = opt.conns + (opt.mode == FANOUT ? opt.publishers + opt.never + opt.slow : 0);
    if ((rlim_t)total + 16 > files.rlim_cur)
        die(2, "%d connections need more open files than %lu (ulimit -n)", total, (unsigned long)files.rlim_cur);
    all = zeroed((size_t)total, sizeof *all);
    for (int i = 0; i < total; i++) {
        all[i].number = i;
        if (opt.mode == COMMAND) {
            all[i].sent_at = zeroed((size_t)opt.window, sizeof(uint64_t));
            all[i].generation = zeroed((size_t)opt.window, sizeof(uint32_t));
        }
    }
    connections_begin();
    on_message = traffic_received;
}

static double connect_all(void)
{
    uint64_t began = now_ns(), until = began + ns(opt.timeout_s);
    while (totals.ready < total) {
        while (totals.started < total && totals.pending < opt.ramp)
            connection_start(&all[totals.started], role_of(totals.started));
        turn(10);
        if (totals.closed || totals.ready + totals.pending < totals.started)
            die(1, "connections were lost while connecting (%d of %d are ready)", totals.ready, total);
        if (now_ns() > until)
            die(1, "only %d of %d connections were ready after %.0f s", totals.ready, total, opt.timeout_s);
    }
    return (double)(now_ns() - began) / 1e9;
}

static void idle_for(double seconds)
{
    for (uint64_t until = now_ns() + ns(seconds); now_ns() < until;)
        turn(5);
}

/* Keeps the connections until it is killed or stdin says or ends something. */
static int hold(double connected_s)
{
    printf("{\"ready\":%d,\"connected_s\":%.3f}\n", totals.ready, connected_s);
    fflush(stdout);
    for (struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN}; poll(&input, 1, 0) == 0;)
        turn(50);
    stopping = true;
    printf("{\"closed\":%d}\n", totals.closed);
    return totals.closed ? 1 : 0;
}

static histogram answers;
static uint64_t pinged;
static void ponged(connection *c, const uint8_t *text, size_t size, uint64_t time_ns)
{
    (void)c;
    if (size == 6 && !memcmp(text, "3probe", 6) && pinged) {
        histogram_add(&answers, time_ns - pinged);
        pinged = 0;
    }
}

/* The server answers an Engine.IO ping in the turn that reads it, so the longest answer is its longest turn. */
static int probe(void)
{
    on_message = ponged;
    puts("{\"ready\":1}");
    fflush(stdout);
    uint64_t until = now_ns() + ns(opt.duration_s), next = now_ns();
    while (now_ns() < until && !totals.closed) {
        if (!pinged && now_ns() >= next) {
            pinged = now_ns();
            next = pinged + 1000000;
            connection_text(&all[0], "2probe", 6);
            connection_flush(&all[0]);
        }
        turn(1);
    }
    if (pinged)
        histogram_add(&answers, now_ns() - pinged);
    stopping = true;
    printf("{\"count\":%lu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"closed\":%d}\n", (unsigned long)answers.count,
           histogram_us(&answers, .5), histogram_us(&answers, .99), (double)answers.max / 1e3, totals.closed);
    return totals.closed ? 1 : 0;
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    prepare();
    double connected_s = connect_all();
    idle_for(opt.settle_s);
    if (totals.closed)
        die(1, "%d connections were closed before the run", totals.closed);
    if (opt.mode == HOLD)
        return hold(connected_s);
    if (opt.mode == PROBE)
        return probe();
    return traffic_run(connected_s);
}
