#define _GNU_SOURCE
#include "message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "options.h"

static const uint64_t LOW_62 = (1ull << 62) - 1;

static uint64_t clock_ns(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

/* Two messages of one nanosecond differ in the 12 bits before the time. */
static int write_uuid(char *out, uint64_t time_ns)
{
    static unsigned counter;
    uint64_t ms = clock_ns(CLOCK_REALTIME) / 1000000;
    uint64_t tail = (2ull << 62) | (time_ns & LOW_62);
    return sprintf(out, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16), (unsigned)(ms & 0xffff),
                   counter++ & 0xfff, (unsigned)(tail >> 48), (unsigned long long)(tail & 0xffffffffffffull));
}

static const char *next_key(void)
{
    static size_t next;
    if (!opt.keys.count)
        die(2, "the message has $K, but there is no --keys");
    return opt.keys.lines[next++ % opt.keys.count];
}

size_t message_write(char *out, const char *template, uint64_t time_ns, uint32_t ack_id)
{
    char *at = out;
    for (const char *from = template; *from; from++) {
        if (at - out > MESSAGE_MAX - 128)
            die(2, "the message is too long");
        if (*from != '$') {
            *at++ = *from;
            continue;
        }
        switch (*++from) {
        case 'T': at += sprintf(at, "%019llu", (unsigned long long)time_ns); break;
        case 'U': at += write_uuid(at, time_ns); break;
        case 'K': at += sprintf(at, "%.100s", next_key()); break;
        case 'A': at += sprintf(at, "%u", ack_id); break;
        default: die(2, "the message has a $ that stands for nothing");
        }
    }
    *at = 0;
    return (size_t)(at - out);
}

/* The number of so many digits at `text`, 0 if there are none. */
static uint64_t digits(const uint8_t *text, unsigned count, unsigned base)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = (unsigned)(text[i] <= '9' ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10);
        if (digit >= base)
            return 0;
        value = value * base + digit;
    }
    return value;
}

static uint64_t stamp_at(const uint8_t *text)
{
    if (opt.stamp_kind == STAMP_DIGITS)
        return digits(text, 19, 10);
    return ((digits(text + 19, 4, 16) << 48) | digits(text + 24, 12, 16)) & LOW_62;
}

unsigned stamps_in(const uint8_t *text, size_t size, void (*found)(uint64_t time_ns))
{
    const size_t before = strlen(opt.stamp), width = opt.stamp_kind == STAMP_DIGITS ? 19 : 36;
    const uint8_t *end = text + size;
    unsigned count = 0;
    while ((text = memmem(text, (size_t)(end - text), opt.stamp, before))) {
        text += before;
        if ((size_t)(end - text) < width)
            break;
        uint64_t time_ns = stamp_at(text);
        text += width;
        if (time_ns) {
            count++;
            found(time_ns);
        }
    }
    return count;
}
