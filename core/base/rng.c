#include "core/base/rng.h"

#include <glib.h>
#include <string.h>

static uint64_t
splitmix_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

Rng
rng_derive(uint64_t seed, const char *name)
{
    uint64_t state = seed;
    Rng rng;

    /* every byte of the name stirs the whole state */
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0'; at++)
        state = splitmix_next(&state) ^ *at;
    for (int i = 0; i < 4; i++)
        rng.state[i] = splitmix_next(&state);
    return rng;
}

static inline uint64_t
rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t
rng_next(Rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t
rng_below(Rng *rng, uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* numbers under the threshold would make the first remainders likelier: draw again */
    uint64_t threshold = (UINT64_MAX - bound + 1) % bound;
    uint64_t draw = rng_next(rng);
    while (draw < threshold)
        draw = rng_next(rng);
    return draw % bound;
}

int64_t
rng_between(Rng *rng, int64_t low, int64_t high)
{
    g_assert(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t draw = span == UINT64_MAX ? rng_next(rng) : rng_below(rng, span + 1);
    return (int64_t)((uint64_t)low + draw);
}

double
rng_double(Rng *rng)
{
    return (double)(rng_next(rng) >> 11) * (1.0 / 9007199254740992.0);
}

bool
rng_chance(Rng *rng, double probability)
{
    return rng_double(rng) < probability;
}

void
rng_fill(Rng *rng, void *bytes, size_t len)
{
    unsigned char *to = bytes;

    while (len > 0) {
        uint64_t word = GUINT64_TO_LE(rng_next(rng));
        size_t part = MIN(len, sizeof(word));
        memcpy(to, &word, part);
        to += part;
        len -= part;
    }
}

void
rng_name_suffix(Rng *rng, char *ret_text, size_t len)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";

    for (size_t i = 0; i < len; i++)
        ret_text[i] = alphabet[rng_below(rng, sizeof(alphabet) - 1)];
    ret_text[len] = '\0';
}
