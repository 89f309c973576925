/* A log-linear histogram of nanoseconds: 64 steps per power of two, so a quantile is at most 1.6 % off. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define STEP_BITS 6
#define STEPS (1u << STEP_BITS)

typedef struct {
    uint64_t count, sum, max;
    uint64_t buckets[64 * STEPS];
} histogram;

static inline unsigned bucket_of(uint64_t value)
{
    if (value < STEPS)
        return (unsigned)value;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
    return (exponent - STEP_BITS + 1) * STEPS + (unsigned)((value >> (exponent - STEP_BITS)) & (STEPS - 1));
}

/* The middle of a bucket. */
static inline double value_of(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned exponent = bucket / STEPS + STEP_BITS - 1, step = bucket % STEPS;
    uint64_t width = 1ull << (exponent - STEP_BITS);
    return (double)((1ull << exponent) + step * width) + (double)width / 2;
}

static inline void histogram_add(histogram *h, uint64_t value)
{
    h->buckets[bucket_of(value)]++;
    h->count++;
    h->sum += value;
    if (value > h->max)
        h->max = value;
}

/* A quantile in microseconds; 0 when nothing was counted. */
static inline double histogram_us(const histogram *h, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)h->count), passed = 0;
    if (!h->count)
        return 0;
    for (unsigned i = 0; i < 64 * STEPS; i++) {
        passed += h->buckets[i];
        if (passed > wanted || passed == h->count)
            return value_of(i) / 1000.0;
    }
    return (double)h->max / 1000.0;
}

#endif
