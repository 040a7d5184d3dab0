/* Keys of maps. The field names of Kubernetes' own kinds lie in a constant sorted table and are never
 * counted; every other key is a counted text. */
#include "core/object/value_private.h"

#define KNOWN_KEY_SIZE 32

typedef struct {
    uint32_t refs; /* 0 */
    uint32_t len;
    char text[KNOWN_KEY_SIZE];
} KnownKey;

#define KEY(name) {0, sizeof(name) - 1, name},

/* Sorted by bytes (tests/core/object holds it to that). */
static const KnownKey known_keys[] = {
#include "core/object/value_keys.inc"
};

static ValueKey *
known_key_find(const char *text, size_t len)
{
    size_t low = 0, high = G_N_ELEMENTS(known_keys);

    while (low < high) {
        size_t middle = (low + high) / 2;
        const KnownKey *key = &known_keys[middle];
        int order = value_text_compare(key->text, key->len, text, len);
        if (order == 0)
            return (ValueKey *)key;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

ValueKey *
value_key_new(const char *text, size_t len)
{
    ValueKey *key = len < KNOWN_KEY_SIZE ? known_key_find(text, len) : NULL;

    if (key != NULL)
        return key;
    key = g_malloc(offsetof(ValueKey, text) + len + 1);
    key->refs = 1;
    key->len = (uint32_t)len;
    memcpy(key->text, text, len);
    key->text[len] = '\0';
    return key;
}
