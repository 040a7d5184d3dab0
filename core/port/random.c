#include "core/port/random.h"

#include <glib.h>

uint64_t
random_below(Random *random, uint64_t bound)
{
    g_assert(bound > 0);
    uint64_t threshold = (0 - bound) % bound; /* values below it would be over-represented */
    for (;;) {
        uint64_t value = random_next(random);
        if (value >= threshold)
            return value % bound;
    }
}

double
random_unit(Random *random)
{
    return (double)(random_next(random) >> 11) * (1.0 / 9007199254740992.0);
}

char *
random_uuid(Random *random)
{
    uint64_t high = random_next(random), low = random_next(random);
    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
    return g_strdup_printf("%08x-%04x-%04x-%04x-%012" G_GINT64_MODIFIER "x", (unsigned)(high >> 32),
                           (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff,
                           (unsigned)(low >> 48), low & UINT64_C(0xffffffffffff));
}

char *
random_suffix(Random *random, unsigned length)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    char *text = g_malloc(length + 1);
    for (unsigned i = 0; i < length; i++)
        text[i] = alphabet[random_below(random, sizeof alphabet - 1)];
    text[length] = '\0';
    return text;
}

int64_t
random_jitter(Random *random, int64_t duration_ns, double factor)
{
    return duration_ns + (int64_t)(random_unit(random) * factor * (double)duration_ns);
}
