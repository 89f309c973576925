#define _GNU_SOURCE
#include "traffic.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "histogram.h"
#include "message.h"
#include "options.h"
#include "processor.h"

static bool measuring;
static histogram times;
static uint64_t sent, sent_measured;         /* messages */
static uint64_t counted, counted_measured;   /* deliveries or acks */
static uint64_t refused, given_up;           /* acks with an error; messages that had no free slot in an open loop */
static uint64_t conflated;                   /* states that a slow follower got instead of what it missed */
static char first_refusal[300];
static uint64_t message_time;                /* of the frame that is being handled */

/* ---------------------------------------------------------------------------------------------- what is received */

static void delivered(uint64_t time_ns)
{
    counted++;
    if (measuring && message_time > time_ns) {
        counted_measured++;
        histogram_add(&times, message_time - time_ns);
    }
}

static void note_refusal(const uint8_t *text, size_t size)
{
    if (!refused++)
        snprintf(first_refusal, sizeof first_refusal, "%.*s", (int)(size < 250 ? size : 250), (const char *)text);
}

static bool is_refusal(const uint8_t *text, size_t size)
{
    return size > 10 && memmem(text, size < 32 ? size : 32, "[{\"error\"", 9);
}

static void send_command(connection *c, int slot, uint64_t time_ns);

static void acked(connection *c, const uint8_t *text, size_t size, uint64_t time_ns)
{
    uint32_t id = 0;
    for (size_t i = 2; i < size && isdigit(text[i]); i++)
        id = id * 10 + (uint32_t)(text[i] - '0');
    if (is_refusal(text, size))
        note_refusal(text, size);
    if (c->role != COMMANDER)
        return;
    uint32_t slot = id % (uint32_t)opt.window;
    if (!c->sent_at[slot] || c->generation[slot] != id / (uint32_t)opt.window)
        die(1, "an ack that nobody waits for: %.*s", (int)(size < 100 ? size : 100), (const char *)text);
    counted++;
    if (measuring) {
        counted_measured++;
        histogram_add(&times, time_ns - c->sent_at[slot]);
    }
    c->sent_at[slot] = 0;
    if (!stopping && opt.rate == 0)
        send_command(c, (int)slot, time_ns);
}

static uint64_t deliveries_beside;           /* what commanders that follow were told */
static void beside(uint64_t time_ns) { (void)time_ns; deliveries_beside++; }

void traffic_received(connection *c, const uint8_t *text, size_t size, uint64_t time_ns)
{
    message_time = time_ns;
    if (!opt.raw && size > 2 && text[0] == '4' && text[1] == '3')
        acked(c, text, size, time_ns);
    else if (c->role == FOLLOWER)
        stamps_in(text, size, delivered);
    else if (c->role == COMMANDER && opt.stamp)
        stamps_in(text, size, beside);
    else if (c->role == SLOW_READER && size > 12 && !memcmp(text, "42[\"snapshot\"", 13))
        conflated++;
}

/* -------------------------------------------------------------------------------------------------- what is sent */

static char message[MESSAGE_MAX];

static void send_message(connection *c, uint64_t time_ns, uint32_t ack_id)
{
    if (c->state != READY)
        return;
    connection_text(c, message, message_write(message, opt.message, time_ns, ack_id));
    sent++;
    sent_measured += measuring;
}

static void publish(uint64_t time_ns)
{
    static uint64_t turn_of;
    connection *c = &all[opt.conns + (int)(turn_of++ % (uint64_t)opt.publishers)];
    send_message(c, time_ns, (uint32_t)(turn_of % 1000000));
    connection_flush(c);
}

static void send_command(connection *c, int slot, uint64_t time_ns)
{
    uint32_t id = ++c->generation[slot] * (uint32_t)opt.window + (uint32_t)slot;
    c->sent_at[slot] = time_ns;
    send_message(c, time_ns, id);
}

static void command_if_free(connection *c, uint64_t time_ns)
{
    for (int slot = 0; slot < opt.window; slot++)
        if (!c->sent_at[slot]) {
            send_command(c, slot, time_ns);
            connection_flush(c);
            return;
        }
    given_up++;
}

/* Events that all followers have, as far as the sums tell. */
static uint64_t completed(void) { return counted / (uint64_t)opt.conns + (opt.mode == FANOUT ? refused : 0); }

static void send_due(uint64_t time_ns, uint64_t *due, uint64_t gap)
{
    static uint64_t turn_of;
    if (opt.rate > 0)
        for (; *due <= time_ns; *due += gap) {
            if (opt.mode == FANOUT)
                publish(*due);
            else
                command_if_free(&all[turn_of++ % (uint64_t)total], *due);
        }
    else if (opt.mode == FANOUT)
        while (sent < completed() + (uint64_t)opt.window)
            publish(now_ns());
}

/* --------------------------------------------------------------------------------------------- slow followers */

static connection *slow_first(void) { return all + opt.conns + opt.publishers; }

/* Ten times a second: slow ones read their share, and what never-readers have not read is noted. */
static void read_slowly(uint64_t time_ns)
{
    static uint64_t next;
    if (time_ns < next)
        return;
    next = time_ns + 100000000;
    for (int i = 0; i < opt.never + opt.slow; i++) {
        connection *c = slow_first() + i;
        int unread = 0;
        if (c->state != READY)
            continue;
        if (c->role == SLOW_READER)
            connection_read(c, (size_t)opt.slow_bytes_per_s / 10);
        else if (ioctl(c->fd, FIONREAD, &unread) == 0)
            c->unread = (uint64_t)unread;
    }
}

static void print_slow(uint64_t began)
{
    int gone_never = 0, gone_slow = 0;
    double last_s = 0;
    uint64_t unread_max = 0;
    for (int i = 0; i < opt.never + opt.slow; i++) {
        connection *c = slow_first() + i;
        if (c->unread > unread_max)
            unread_max = c->unread;
        if (c->state != CLOSED)
            continue;
        gone_never += c->role == NEVER_READER;
        gone_slow += c->role == SLOW_READER;
        double s = (double)(c->closed_at - began) / 1e9;
        if (s > last_s)
            last_s = s;
    }
    printf(",\"never_gone\":%d,\"slow_gone\":%d,\"last_gone_s\":%.2f,\"unread_max\":%lu,\"conflated\":%lu", gone_never,
           gone_slow, last_s, (unsigned long)unread_max, (unsigned long)conflated);
}

/* ------------------------------------------------------------------------------------------------------- the run */

/* Milliseconds to wait for events: to the last one before something is due, which is then waited for actively. */
static int patience(uint64_t due, uint64_t time_ns)
{
    if (opt.rate == 0)
        return 20;
    return due <= time_ns + 1000000 ? 0 : (int)((due - time_ns) / 1000000 - 1 > 20 ? 20 : (due - time_ns) / 1000000 - 1);
}

/* Until nothing is under way any more, so that what was lost can be told from what was on its way. */
static void drain(void)
{
    uint64_t wanted = opt.mode == FANOUT ? (sent - refused) * (uint64_t)opt.conns : sent;
    for (uint64_t until = now_ns() + ns(3); now_ns() < until && counted < wanted;)
        turn(1);
}

int traffic_run(double connected_s)
{
    uint64_t began = now_ns(), from = began + ns(opt.warmup_s), until = from + ns(opt.duration_s);
    uint64_t due = began, gap = opt.rate > 0 ? ns(1 / opt.rate) : 0, moved = began, moved_count = 0, time_ns = began;
    double cpu[8] = {0}, core = 0;
    uint64_t bytes = 0;
    bool stalled = false;
    if (opt.mode == COMMAND && opt.rate == 0)
        for (int i = 0; i < total; i++) {
            for (int slot = 0; slot < opt.window; slot++)
                send_command(&all[i], slot, now_ns());
            connection_flush(&all[i]);
        }
    for (; time_ns < until && !stalled; time_ns = now_ns()) {
        if (!measuring && time_ns >= from) {
            for (int i = 0; i < opt.cpu_count; i++)
                cpu[i] = processor_us(i);
            core = opt.core < 0 ? 0 : core_busy_us(opt.core);
            bytes = totals.bytes_in;
            measuring = true;
            from = now_ns();
            until = from + ns(opt.duration_s);
        }
        send_due(time_ns, &due, gap);
        read_slowly(time_ns);
        turn(patience(due, time_ns));
        if (counted != moved_count) {
            moved_count = counted;
            moved = time_ns;
        }
        stalled = time_ns > moved + ns(opt.stall_s) || totals.closed >= total;
    }
    double seconds = measuring ? (double)(now_ns() - from) / 1e9 : 1;
    for (int i = 0; i < opt.cpu_count; i++)
        cpu[i] = processor_us(i) - cpu[i];
    core = opt.core < 0 ? 0 : core_busy_us(opt.core) - core;
    bytes = totals.bytes_in - bytes;
    measuring = false;
    stopping = true;
    if (!stalled)
        drain();
    printf("{\"connected_s\":%.3f,\"seconds\":%.3f,\"count\":%lu,\"per_s\":%.1f,\"sent_per_s\":%.1f", connected_s,
           seconds, (unsigned long)counted_measured, (double)counted_measured / seconds, (double)sent_measured / seconds);
    printf(",\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f", histogram_us(&times, .5),
           histogram_us(&times, .99), histogram_us(&times, .999), (double)times.max / 1e3);
    printf(",\"bytes_in\":%lu,\"beside\":%lu,\"cpu_us\":{", (unsigned long)bytes, (unsigned long)deliveries_beside);
    for (int i = 0; i < opt.cpu_count; i++)
        printf("%s\"%.*s\":%.0f", i ? "," : "", (int)strcspn(opt.cpu[i], "="), opt.cpu[i], cpu[i]);
    if (opt.core >= 0)
        printf("%s\"core\":%.0f", opt.cpu_count ? "," : "", core);
    long lost = (long)(opt.mode == FANOUT ? (sent - refused) * (uint64_t)opt.conns : sent) - (long)counted;
    printf("},\"lost\":%ld,\"refused\":%lu,\"given_up\":%lu,\"pings\":%lu,\"closed\":%d,\"stalled\":%s", lost,
           (unsigned long)refused, (unsigned long)given_up, (unsigned long)totals.pings, totals.closed,
           stalled ? "true" : "false");
    if (opt.never + opt.slow)
        print_slow(began);
    puts("}");
    if (refused)
        fprintf(stderr, "load: %lu refused, the first: %s\n", (unsigned long)refused, first_refusal);
    return stalled || totals.closed ? 1 : 0;
}
