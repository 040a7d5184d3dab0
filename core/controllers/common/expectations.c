#include "core/controllers/common/expectations.h"

typedef struct Expected {
    int64_t additions;
    GHashTable *uids; /* a set, only ever looked up */
    int64_t since;
} Expected;

struct Expectations {
    GHashTable *by_key; /* only ever looked up */
};

static void
expected_free(gpointer data)
{
    Expected *expected = data;
    g_hash_table_destroy(expected->uids);
    g_free(expected);
}

Expectations *
expectations_new(void)
{
    Expectations *expectations = g_new0(Expectations, 1);
    expectations->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, expected_free);
    return expectations;
}

void
expectations_free(Expectations *expectations)
{
    if (expectations == NULL)
        return;
    g_hash_table_destroy(expectations->by_key);
    g_free(expectations);
}

void
expectations_set(Expectations *expectations, const char *key, int64_t additions,
                 const GPtrArray *uids, int64_t now)
{
    Expected *expected = g_new0(Expected, 1);
    expected->additions = additions;
    expected->since = now;
    expected->uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; uids != NULL && i < uids->len; i++)
        g_hash_table_add(expected->uids, g_strdup(g_ptr_array_index(uids, i)));
    g_hash_table_replace(expectations->by_key, g_strdup(key), expected);
}

void
expectations_creation_observed(Expectations *expectations, const char *key)
{
    expectations_lower(expectations, key, 1);
}

void
expectations_deletion_observed(Expectations *expectations, const char *key, const char *uid)
{
    Expected *expected = g_hash_table_lookup(expectations->by_key, key);
    if (expected != NULL)
        g_hash_table_remove(expected->uids, uid);
}

void
expectations_lower(Expectations *expectations, const char *key, int64_t additions)
{
    Expected *expected = g_hash_table_lookup(expectations->by_key, key);
    if (expected != NULL)
        expected->additions -= additions;
}

bool
expectations_satisfied(const Expectations *expectations, const char *key, int64_t now)
{
    const Expected *expected = g_hash_table_lookup(expectations->by_key, key);
    return expected == NULL ||
           (expected->additions <= 0 && g_hash_table_size(expected->uids) == 0) ||
           now - expected->since > EXPECTATIONS_TIMEOUT_NS;
}

void
expectations_delete(Expectations *expectations, const char *key)
{
    g_hash_table_remove(expectations->by_key, key);
}
