/* Messages from a template, with the time of sending in them, and that time found again in what is received.
 *
 * In a template `$T` becomes 19 digits (nanoseconds of CLOCK_MONOTONIC), `$U` a UUIDv7 whose last 62 bits are the same
 * number, `$K` the next of the keys, `$A` the ack's id.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_MAX 65536

uint64_t now_ns(void);

static inline uint64_t ns(double seconds) { return (uint64_t)(seconds * 1e9); }

/* Writes what the template says into `out` (MESSAGE_MAX bytes), with a zero behind it, and returns its length. */
size_t message_write(char *out, const char *template, uint64_t time_ns, uint32_t ack_id);

/* Calls `found` with the time of every stamp in the text; returns how many there were. */
unsigned stamps_in(const uint8_t *text, size_t size, void (*found)(uint64_t time_ns));

#endif
