/* Service addresses and node ports: bitmaps of what is taken, rebuilt from the stored Services at
 * start. Which free one is given comes from the world's random stream, as upstream's allocators
 * choose at random (but here the seed decides). */
#include "core/apiserver/allocator.h"

#include <stdio.h>
#include <string.h>

#define ALLOCATOR_TRIES 64
#define ALLOCATOR_SIZE_MAX (1u << 20) /* as upstream: at most 2^20 addresses of a range are used   \
                                       */

static bool
bits_get(const Bits *bits, uint32_t index)
{
    return (bits->words[index / 64] >> (index % 64)) & 1;
}

void
bits_init(Bits *bits, uint32_t size)
{
    bits->size = size;
    bits->used = 0;
    bits->words = g_new0(uint64_t, size / 64 + 1);
}

void
bits_clear(Bits *bits)
{
    g_clear_pointer(&bits->words, g_free);
}

bool
bits_take(Bits *bits, uint32_t index)
{
    if (bits_get(bits, index))
        return false;
    bits->words[index / 64] |= (uint64_t)1 << (index % 64);
    bits->used++;
    return true;
}

void
bits_release(Bits *bits, uint32_t index)
{
    if (!bits_get(bits, index))
        return;
    bits->words[index / 64] &= ~((uint64_t)1 << (index % 64));
    bits->used--;
}

/* A free index >= from, at random; false when there is none. */
bool
bits_take_random(Bits *bits, Random *random, uint32_t from, uint32_t *ret_index)
{
    uint32_t span = bits->size - from, start = (uint32_t)random_below(random, span);

    for (int i = 0; i < ALLOCATOR_TRIES; i++) {
        if (bits_take(bits, from + start)) {
            *ret_index = from + start;
            return true;
        }
        start = (uint32_t)random_below(random, span);
    }
    for (uint32_t i = 0; i < span; i++)
        if (bits_take(bits, from + (start + i) % span)) {
            *ret_index = from + (start + i) % span;
            return true;
        }
    return false;
}

/* ---- addresses
 * ------------------------------------------------------------------------------------------------
 */

bool
ipv4_parse(const char *text, uint32_t *ret_address)
{
    unsigned part[4];
    int length = 0;

    if (sscanf(text, "%3u.%3u.%3u.%3u%n", &part[0], &part[1], &part[2], &part[3], &length) != 4 ||
        text[length] != '\0')
        return false;
    for (int i = 0; i < 4; i++)
        if (part[i] > 255)
            return false;
    *ret_address = part[0] << 24 | part[1] << 16 | part[2] << 8 | part[3];
    return true;
}

char *
ipv4_text(uint32_t address)
{
    return g_strdup_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                           address & 255);
}

struct IpAllocator *
ip_allocator_new(const char *cidr)
{
    struct IpAllocator *allocator = g_new0(struct IpAllocator, 1);
    g_auto(GStrv) parts = g_strsplit(cidr, "/", 2);
    unsigned bits = parts[1] == NULL ? 24 : (unsigned)g_ascii_strtoull(parts[1], NULL, 10);
    uint64_t size = bits > 32 ? 2 : (uint64_t)1 << (32 - bits);

    g_assert(ipv4_parse(parts[0], &allocator->base) && bits >= 8 && bits <= 30);
    allocator->cidr = g_strdup(cidr);
    bits_init(&allocator->bits, (uint32_t)MIN(size, ALLOCATOR_SIZE_MAX));
    bits_take(&allocator->bits, 0); /* the network's own address */
    if (size <= ALLOCATOR_SIZE_MAX)
        bits_take(&allocator->bits, (uint32_t)size - 1); /* broadcast */
    return allocator;
}

void
ip_allocator_free(struct IpAllocator *allocator)
{
    if (allocator == NULL)
        return;
    bits_clear(&allocator->bits);
    g_free(allocator->cidr);
    g_free(allocator);
}

bool
ip_allocator_index(const struct IpAllocator *allocator, const char *text, uint32_t *ret_index)
{
    uint32_t address = 0;

    if (!ipv4_parse(text, &address) || address < allocator->base ||
        address - allocator->base >= allocator->bits.size)
        return false;
    *ret_index = address - allocator->base;
    return true;
}

/* Dynamic addresses come from above the part that is kept for addresses chosen by hand
 * (min(max(16, size/16), 256), ServiceIPStaticSubrange). */
char *
ip_allocator_next(struct IpAllocator *allocator, Random *random)
{
    uint32_t kept = MIN(MAX(16, allocator->bits.size / 16), 256), index = 0;

    if (kept >= allocator->bits.size)
        kept = 1;
    if (!bits_take_random(&allocator->bits, random, kept, &index) &&
        !bits_take_random(&allocator->bits, random, 1, &index))
        return NULL;
    return ipv4_text(allocator->base + index);
}

/* ---- ports
 * ------------------------------------------------------------------------------------------------------
 */

struct PortAllocator *
port_allocator_new(int min, int max)
{
    struct PortAllocator *allocator = g_new0(struct PortAllocator, 1);

    allocator->min = min == 0 ? 30000 : min;
    allocator->max = max == 0 ? 32767 : max;
    g_assert(allocator->min <= allocator->max);
    bits_init(&allocator->bits, (uint32_t)(allocator->max - allocator->min + 1));
    return allocator;
}

void
port_allocator_free(struct PortAllocator *allocator)
{
    if (allocator == NULL)
        return;
    bits_clear(&allocator->bits);
    g_free(allocator);
}
