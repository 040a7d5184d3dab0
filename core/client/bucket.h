/* A token bucket in integers (golang.org/x/time/rate, as client-go's flowcontrol and work queues
 * use it): full at first, `burst` at once, then one each interval; who must wait stands in line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct TokenBucket {
    int64_t interval_ns; /* between tokens; 0: no limit */
    int64_t burst;
    int64_t next_ns; /* when the bucket will be full again */
} TokenBucket;

static inline void
token_bucket_init(TokenBucket *bucket, double qps, int64_t burst)
{
    bucket->interval_ns = qps > 0 ? (int64_t)(1e9 / qps) : 0;
    bucket->burst = burst > 0 ? burst : 1;
    bucket->next_ns = INT64_MIN;
}

/* Takes a token, also one of the future: returns the time from which it may be used (now_ns when at
 * once). */
static inline int64_t
token_bucket_reserve(TokenBucket *bucket, int64_t now_ns)
{
    if (bucket->interval_ns == 0)
        return now_ns;
    int64_t start = bucket->next_ns > now_ns ? bucket->next_ns : now_ns;
    bucket->next_ns = start + bucket->interval_ns;
    int64_t usable = start - (bucket->burst - 1) * bucket->interval_ns;
    return usable > now_ns ? usable : now_ns;
}

/* Takes a token only if there is one now. */
static inline bool
token_bucket_try(TokenBucket *bucket, int64_t now_ns)
{
    TokenBucket before = *bucket;
    if (token_bucket_reserve(bucket, now_ns) <= now_ns)
        return true;
    *bucket = before;
    return false;
}
