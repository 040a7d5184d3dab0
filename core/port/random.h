/* Port: one stream of random numbers a component, derived from the world's seed and the component's name, so
 * that adding a component does not shift another's numbers. Never for keys or tokens that guard a real door. */
#pragma once

#include <stdint.h>

typedef struct Random Random;

typedef struct RandomOps {
    uint64_t (*next)(Random *random); /* 64 uniform bits */
} RandomOps;

struct Random {
    const RandomOps *ops;
};

static inline uint64_t
random_next(Random *random)
{
    return random->ops->next(random);
}

/* Uniform in [0, bound), without bias; bound > 0. */
uint64_t random_below(Random *random, uint64_t bound);
/* Uniform in [0, 1) with 53 bits. */
double random_unit(Random *random);
/* A version 4 UUID as text; caller frees. */
char *random_uuid(Random *random);
/* `length` characters of Kubernetes' name alphabet (apimachinery util/rand: bcdfghjklmnpqrstvwxz2456789). */
char *random_suffix(Random *random, unsigned length);
/* duration * (1 .. 1 + factor), as wait.Jitter. */
int64_t random_jitter(Random *random, int64_t duration_ns, double factor);
