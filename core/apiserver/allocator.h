/* Which addresses and ports of a range are taken. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/port/random.h"

typedef struct Bits {
    uint64_t *words;
    uint32_t size, used;
} Bits;

void bits_init(Bits *bits, uint32_t size);
void bits_clear(Bits *bits);
bool bits_take(Bits *bits, uint32_t index); /* false: it is taken */
void bits_release(Bits *bits, uint32_t index);
bool bits_take_random(Bits *bits, Random *random, uint32_t from, uint32_t *ret_index);

struct IpAllocator {
    char *cidr;
    uint32_t base;
    Bits bits;
};

struct PortAllocator {
    int min, max;
    Bits bits;
};

bool ipv4_parse(const char *text, uint32_t *ret_address);
char *ipv4_text(uint32_t address);
struct IpAllocator *ip_allocator_new(const char *cidr);
void ip_allocator_free(struct IpAllocator *allocator);
/* False when the text is no address of the range. */
bool ip_allocator_index(const struct IpAllocator *allocator, const char *text, uint32_t *ret_index);
char *ip_allocator_next(struct IpAllocator *allocator,
                        Random *random); /* owned; NULL: the range is full */
struct PortAllocator *port_allocator_new(int min, int max);
void port_allocator_free(struct PortAllocator *allocator);
