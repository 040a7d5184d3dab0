/* Equality, order and digest of values. */
#include "core/object/value_private.h"

/* ---- order and equality ---- */

static int
double_compare(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    /* not-a-number sorts last and equals itself */
    return (a != a) - (b != b);
}

static int
entries_compare(const Container *a, const Container *b)
{
    uint32_t shared = MIN(a->size, b->size);

    for (uint32_t i = 0; i < shared; i++) {
        int order = 0;
        if (a->head.type == VALUE_MAP) {
            const MapEntry *x = &container_entries(a)[i], *y = &container_entries(b)[i];
            if (x->key != y->key)
                order = value_text_compare(x->key->text, x->key->len, y->key->text, y->key->len);
            if (order == 0)
                order = value_compare(x->value, y->value);
        } else {
            order = value_compare(container_items(a)[i], container_items(b)[i]);
        }
        if (order != 0)
            return order;
    }
    return a->size < b->size ? -1 : a->size > b->size;
}

int
value_compare(const Value *a, const Value *b)
{
    if (a == b)
        return 0;
    ValueType type = value_type(a);
    if (type != value_type(b))
        return type < value_type(b) ? -1 : 1;
    switch (type) {
    case VALUE_NULL:
        return 0;
    case VALUE_BOOL:
        return (int)value_bool(a) - (int)value_bool(b);
    case VALUE_INT:
        return value_int(a) < value_int(b) ? -1 : value_int(a) > value_int(b);
    case VALUE_DOUBLE:
        return double_compare(value_double(a), value_double(b));
    case VALUE_STRING:
        return value_text_compare(value_text(a), value_string_len(a), value_text(b),
                                  value_string_len(b));
    case VALUE_ARRAY:
    case VALUE_MAP:
        return entries_compare((const Container *)a, (const Container *)b);
    }
    return 0;
}

bool
value_equal(const Value *a, const Value *b)
{
    if (a == b)
        return true;
    if (value_type(a) != value_type(b) || value_size(a) != value_size(b) ||
        value_string_len(a) != value_string_len(b))
        return false;
    if (value_type(a) >= VALUE_ARRAY && (a->flags & b->flags & VALUE_HAS_DIGEST) != 0 &&
        ((const Container *)a)->digest != ((const Container *)b)->digest)
        return false;
    return value_compare(a, b) == 0;
}

/* ---- digest: multiply and fold, 16 bytes at a time, read as little-endian ---- */

#define DIGEST_A UINT64_C(0xa0761d6478bd642f)
#define DIGEST_B UINT64_C(0xe7037ed1a0b428db)

static inline uint64_t
digest_mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
read_le64(const unsigned char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof(word));
    return GUINT64_FROM_LE(word);
}

uint64_t
value_digest_bytes(const void *bytes, size_t len, uint64_t seed)
{
    const unsigned char *from = bytes;
    unsigned char tail[16] = {0};
    size_t left = len;

    for (; left > 16; left -= 16, from += 16)
        seed = digest_mix(read_le64(from) ^ DIGEST_A, read_le64(from + 8) ^ seed);
    if (left > 0)
        memcpy(tail, from, left);
    seed = digest_mix(read_le64(tail) ^ DIGEST_A, read_le64(tail + 8) ^ seed);
    return digest_mix(DIGEST_B ^ len, seed ^ DIGEST_A);
}

static uint64_t
container_digest(const Container *container)
{
    uint64_t digest = digest_mix(container->head.type + DIGEST_A, container->size + DIGEST_B);

    for (uint32_t i = 0; i < container->size; i++) {
        const Value *value = container_items(container)[i];
        if (container->head.type == VALUE_MAP) {
            const MapEntry *entry = &container_entries(container)[i];
            digest = value_digest_bytes(entry->key->text, entry->key->len, digest);
            value = entry->value;
        }
        digest = digest_mix(digest ^ DIGEST_A, value_digest(value) ^ DIGEST_B);
    }
    return digest;
}

uint64_t
value_digest(const Value *value)
{
    ValueType type = value_type(value);
    uint64_t bits = 0;
    double d;

    switch (type) {
    case VALUE_NULL:
    case VALUE_BOOL:
        bits = value_bool(value);
        break;
    case VALUE_INT:
        bits = (uint64_t)value_int(value);
        break;
    case VALUE_DOUBLE:
        d = value_double(value);
        memcpy(&bits, &d, sizeof(bits));
        break;
    case VALUE_STRING:
        return value_digest_bytes(value_text(value), value_string_len(value), VALUE_STRING);
    case VALUE_ARRAY:
    case VALUE_MAP: {
        Container *container = (Container *)value;
        if ((value->flags & VALUE_HAS_DIGEST) != 0)
            return container->digest;
        uint64_t digest = container_digest(container);
        if (value->refs > 0) { /* a cache is no change: nobody can see it */
            container->digest = digest;
            container->head.flags |= VALUE_HAS_DIGEST;
        }
        return digest;
    }
    }
    return digest_mix(bits ^ DIGEST_A, (uint64_t)type + DIGEST_B);
}
