/* Random streams. Each component draws from its own, derived from the run's seed and the component's name,
 * so that adding a component does not shift another's numbers. Not for secrets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t state[4]; /* xoshiro256**; never all zero */
} Rng;

Rng rng_derive(uint64_t seed, const char *name);

uint64_t rng_next(Rng *rng);                                     /* 64 even bits */
uint64_t rng_below(Rng *rng, uint64_t bound);                    /* 0 <= n < bound, unbiased; 0 for bound 0 */
int64_t rng_between(Rng *rng, int64_t low, int64_t high);        /* low <= n <= high */
double rng_double(Rng *rng);                                     /* 0 <= d < 1, 53 bits */
bool rng_chance(Rng *rng, double probability);                   /* true that often */
void rng_fill(Rng *rng, void *bytes, size_t len);                /* the same bytes on every machine */

/* Kubernetes' suffix for generated names: letters and digits without vowels and look-alikes (apimachinery
 * util/rand). Writes len characters and a NUL. */
void rng_name_suffix(Rng *rng, char *ret_text, size_t len);
