/* Owners are indexed by the first pair of their selector ("ns|key=value"), or by "ns|*" when it has
 * none; a pod asks for each of its labels. An owner's set of pod keys is made on first use and
 * dropped when its selector changes. A key may stay in a set that its pod has left unseen (a lost
 * deletion): who reads the set looks again at the pod. */
#include "core/controllers/common/membership.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"

struct Membership {
    Informer *owners, *pods;
    const char *index;
    MembershipSelector selector;
    MembershipChanged changed;
    void *data;
    GHashTable *sets; /* owner's key -> GTree of pod keys; only ever looked up */
};

void
membership_index(const Value *owner, const Value *selector, GPtrArray *ret_strings)
{
    if (!value_is_map(selector))
        return;
    const Value *labels = value_is_map(value_get(selector, "matchLabels"))
                              ? value_get(selector, "matchLabels")
                              : selector;
    const char *text = value_string(value_value_at(labels, 0));
    g_ptr_array_add(ret_strings, text != NULL ? g_strdup_printf("%s|%s=%s", object_namespace(owner),
                                                                value_key_at(labels, 0), text)
                                              : g_strdup_printf("%s|*", object_namespace(owner)));
}

static void
add_matching(const Membership *membership, const char *string, const Value *pod, GPtrArray *owners)
{
    const GPtrArray *found = informer_indexed(membership->owners, membership->index, string);
    for (guint i = 0; i < found->len; i++)
        if (label_selector_matches(membership->selector(objects_item(found, i)),
                                   object_labels(pod)))
            objects_add(owners, objects_item(found, i));
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(object_name(*(const Value *const *)a), object_name(*(const Value *const *)b));
}

GPtrArray *
membership_owners(const Membership *membership, const Value *pod)
{
    GPtrArray *owners = objects_new();
    const char *namespace_ = object_namespace(pod);
    GString *string = g_string_new(NULL);
    VALUE_MAP_FOREACH (key, text, object_labels(pod)) {
        g_string_printf(string, "%s|%s=%s", namespace_, key, value_text(text));
        add_matching(membership, string->str, pod, owners);
    }
    g_string_printf(string, "%s|*", namespace_);
    add_matching(membership, string->str, pod, owners);
    g_string_free(string, TRUE);
    g_ptr_array_sort(owners, compare_names);
    return owners;
}

static void
tell_owners(Membership *membership, const char *pod_key, const Value *pod, const Value *old,
            const Value *new_, uint64_t cause)
{
    g_autoptr(GPtrArray) owners = membership_owners(membership, pod);
    for (guint i = 0; i < owners->len; i++) {
        const Value *owner = objects_item(owners, i);
        g_autofree char *key = object_key(owner);
        GTree *set = g_hash_table_lookup(membership->sets, key);
        if (set != NULL && pod == new_)
            g_tree_replace(set, g_strdup(pod_key), NULL);
        else if (set != NULL)
            g_tree_remove(set, pod_key);
        if (membership->changed != NULL)
            membership->changed(key, owner, old, new_, cause, membership->data);
    }
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    Membership *membership = data;
    if (new_ == NULL || (old != NULL && !value_equal(object_labels(old), object_labels(new_))))
        tell_owners(membership, key, old, old, new_, cause);
    if (new_ != NULL)
        tell_owners(membership, key, new_, old, new_, cause);
}

static void
owner_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    Membership *membership = data;
    if (new_ == NULL || !value_equal(membership->selector(old), membership->selector(new_)))
        g_hash_table_remove(membership->sets, key);
}

static gint
compare_keys(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static GTree *
set_ensure(Membership *membership, const char *owner_key, const Value *owner)
{
    GTree *set = g_hash_table_lookup(membership->sets, owner_key);
    if (set != NULL)
        return set;
    set = g_tree_new_full(compare_keys, NULL, g_free, NULL);
    g_hash_table_insert(membership->sets, g_strdup(owner_key), set);
    InformerIter iter;
    informer_iter_init(&iter, membership->pods, object_namespace(owner));
    const char *key;
    const Value *pod;
    while ((pod = informer_iter_next(&iter, &key)) != NULL)
        if (label_selector_matches(membership->selector(owner), object_labels(pod)))
            g_tree_replace(set, g_strdup(key), NULL);
    return set;
}

GPtrArray *
membership_pods(Membership *membership, const char *owner_key, const Value *owner)
{
    GPtrArray *pods = objects_new();
    if (!value_is_map(membership->selector(owner)))
        return pods;
    GTree *set = set_ensure(membership, owner_key, owner);
    for (GTreeNode *node = g_tree_node_first(set); node != NULL; node = g_tree_node_next(node)) {
        const Value *pod = informer_get(membership->pods, g_tree_node_key(node));
        if (pod != NULL && label_selector_matches(membership->selector(owner), object_labels(pod)))
            objects_add(pods, pod);
    }
    return pods;
}

size_t
membership_count(const Membership *membership, const char *owner_key)
{
    GTree *set = g_hash_table_lookup(membership->sets, owner_key);
    return set != NULL ? (size_t)g_tree_nnodes(set) : 0;
}

Membership *
membership_new(Informer *owners, const char *index, IndexFunc index_func, Informer *pods,
               MembershipSelector selector, MembershipChanged changed, void *data)
{
    static const InformerHandler pod_handler = {.changed = pod_changed},
                                 owner_handler = {.changed = owner_changed};
    Membership *membership = g_new0(Membership, 1);
    *membership = (Membership){.owners = owners,
                               .pods = pods,
                               .index = index,
                               .selector = selector,
                               .changed = changed,
                               .data = data,
                               .sets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                             (GDestroyNotify)g_tree_unref)};
    informer_add_index(owners, index, index_func);
    informer_add_handler(pods, &pod_handler, membership);
    informer_add_handler(owners, &owner_handler, membership);
    return membership;
}

void
membership_free(Membership *membership)
{
    if (membership == NULL)
        return;
    g_hash_table_destroy(membership->sets);
    g_free(membership);
}
