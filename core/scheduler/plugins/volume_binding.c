/* Claims that are bound keep the pod where their volumes can be reached; claims of a class with
 * WaitForFirstConsumer are matched with volumes, or provisioned, for the node that is chosen. */
#include "core/scheduler/plugins/plugins.h"
#include "core/scheduler/volumes.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/object/quantity.h"

#include <string.h>

bool
claim_is_bound(const Value *claim)
{
    if (*value_text_at(claim, "spec.volumeName") == '\0')
        return false;
    return object_annotation(claim, "pv.kubernetes.io/bind-completed") != NULL ||
           strcmp(value_text_at(claim, "status.phase"), "Bound") == 0;
}

static const Value *
claim_get(const Cycle *cycle, uint32_t index)
{
    return cluster_cache_get(cycle->cache, TABLE_CLAIMS,
                             symbols_text(cycle->cache->symbols, cycle->class_->claims[index]));
}

static const Value *
claim_storage_class(const Cycle *cycle, const Value *claim)
{
    return cluster_cache_get(cycle->cache, TABLE_STORAGE_CLASSES,
                             value_text_at(claim, "spec.storageClassName"));
}

static bool
waits_for_consumer(const Cycle *cycle, const Value *claim)
{
    return *value_text_at(claim, "spec.volumeName") == '\0' &&
           strcmp(value_text_at(claim_storage_class(cycle, claim), "volumeBindingMode"),
                  "WaitForFirstConsumer") == 0;
}

/* ---- pre-filter ------------------------------------------------------------------------------ */

static Symbol
reasonf(Cycle *cycle, const char *format, const char *a, const char *b)
{
    GString *text = g_string_new(NULL);
    const char *arguments[] = {a, b};
    int next = 0;
    for (const char *c = format; *c != '\0'; c++) {
        if (*c == '%')
            g_string_append(text, arguments[next++]);
        else
            g_string_append_c(text, *c);
    }
    Symbol symbol = symbols_intern(cycle->cache->symbols, text->str);
    g_string_free(text, TRUE);
    return symbol;
}

/* What is wrong with the claim wherever the pod goes; 0: nothing. */
static Symbol
claim_problem(Cycle *cycle, uint32_t index)
{
    const Value *claim = claim_get(cycle, index);
    const char *key = symbols_text(cycle->cache->symbols, cycle->class_->claims[index]);
    const char *name = strchr(key, '/') + 1;
    if (claim == NULL && cycle->class_->claim_is_ephemeral[index])
        return reasonf(
            cycle,
            "waiting for ephemeral volume controller to create the persistentvolumeclaim \"%\"",
            name, "");
    if (claim == NULL)
        return reasonf(cycle, "persistentvolumeclaim \"%\" not found", name, "");
    if (strcmp(value_text_at(claim, "status.phase"), "Lost") == 0)
        return reasonf(cycle,
                       "persistentvolumeclaim \"%\" bound to non-existent persistentvolume \"%\"",
                       name, value_text_at(claim, "spec.volumeName"));
    if (object_is_deleting(claim))
        return reasonf(cycle, "persistentvolumeclaim \"%\" is being deleted", name, "");
    return 0;
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    bool immediate = false;
    if (cycle->class_->n_claims == 0) {
        ret_status->code = STATUS_SKIP;
        return;
    }
    for (uint32_t i = 0; i < cycle->class_->n_claims; i++) {
        Symbol problem = claim_problem(cycle, i);
        if (problem != 0) {
            status_add(ret_status, STATUS_UNRESOLVABLE, problem);
            return;
        }
        const Value *claim = claim_get(cycle, i);
        immediate |= !claim_is_bound(claim) && !waits_for_consumer(cycle, claim);
    }
    if (immediate)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_UNBOUND_IMMEDIATE);
}

/* ---- matching a volume ----------------------------------------------------------------------- */

static bool
array_has(const Value *array, const Value *item)
{
    VALUE_ARRAY_FOREACH (each, array)
        if (value_equal(each, item))
            return true;
    return false;
}

static const char *
volume_mode(const Value *object)
{
    const char *mode = value_text_at(object, "spec.volumeMode");
    return *mode != '\0' ? mode : "Filesystem";
}

static bool
volume_reaches(const Value *volume, const Value *node)
{
    const Value *required = value_at(volume, "spec.nodeAffinity.required");
    return required == NULL || node_selector_matches(required, node);
}

typedef struct Search {
    Cycle *cycle;
    const NodeInfo *node;
    const Value *claim;
    const char *claim_key;
    const GArray *taken; /* VolumeDecision of the pod's other claims */
    int64_t wanted;
    const Value *best;
    int64_t best_size;
    bool best_is_ours; /* its claimRef names the claim already */
} Search;

static bool
volume_free(const Search *search, const char *key, const Value *volume, bool *ret_ours)
{
    const Value *reference = value_at(volume, "spec.claimRef");
    const char *assumed = g_hash_table_lookup(search->cycle->cache->volume_claims, key);
    *ret_ours =
        reference != NULL &&
        strcmp(value_text_at(reference, "namespace"), object_namespace(search->claim)) == 0 &&
        strcmp(value_text_at(reference, "name"), object_name(search->claim)) == 0;
    if ((reference != NULL && !*ret_ours) ||
        (assumed != NULL && strcmp(assumed, search->claim_key) != 0))
        return false;
    for (guint i = 0; i < search->taken->len; i++)
        if (g_array_index(search->taken, VolumeDecision, i).volume == volume)
            return false;
    const char *phase = value_text_at(volume, "status.phase");
    return *ret_ours || strcmp(phase, "Available") == 0;
}

static bool
volume_suits(const Search *search, const Value *volume)
{
    const Value *claim = search->claim;
    if (strcmp(value_text_at(volume, "spec.storageClassName"),
               value_text_at(claim, "spec.storageClassName")) != 0 ||
        strcmp(volume_mode(volume), volume_mode(claim)) != 0 || object_is_deleting(volume))
        return false;
    VALUE_ARRAY_FOREACH (mode, value_at(claim, "spec.accessModes"))
        if (!array_has(value_at(volume, "spec.accessModes"), mode))
            return false;
    const Value *selector = value_at(claim, "spec.selector");
    if (selector != NULL) {
        Symbols *symbols = search->cycle->cache->symbols;
        g_autoptr(Matcher) matcher = matcher_new(symbols, selector);
        g_autofree Labels *labels = labels_new(symbols, object_labels(volume));
        if (!matcher_matches(matcher, labels))
            return false;
    }
    return volume_reaches(volume, search->node->node);
}

/* The smallest volume that suits; one that was reserved for the claim comes first. */
static bool
consider_volume(const char *key, const Value *volume, void *data)
{
    Search *search = data;
    bool ours;
    if (!volume_free(search, key, volume, &ours) || (search->best_is_ours && !ours))
        return true;
    int64_t size = quantity_units(quantity_of(value_at(volume, "spec.capacity.storage")));
    if (size < search->wanted || !volume_suits(search, volume))
        return true;
    if (search->best == NULL || (ours && !search->best_is_ours) || size < search->best_size) {
        search->best = volume;
        search->best_size = size;
        search->best_is_ours = ours;
    }
    return true;
}

/* ---- provisioning ---------------------------------------------------------------------------- */

static bool
topology_allowed(const Value *storage_class, const NodeInfo *node)
{
    const Value *terms = value_get(storage_class, "allowedTopologies");
    if (value_size(terms) == 0)
        return true;
    VALUE_ARRAY_FOREACH (term, terms) {
        bool matches = true;
        VALUE_ARRAY_FOREACH (expression, value_get(term, "matchLabelExpressions")) {
            const char *label = object_label(node->node, value_text_at(expression, "key"));
            g_autoptr(Value) value = value_new_string(label != NULL ? label : "");
            matches = matches && label != NULL && array_has(value_get(expression, "values"), value);
        }
        if (matches)
            return true;
    }
    return false;
}

static bool
can_provision(const Cycle *cycle, const Value *claim, const NodeInfo *node)
{
    const Value *storage_class = claim_storage_class(cycle, claim);
    const char *provisioner = value_text_at(storage_class, "provisioner");
    return *provisioner != '\0' && strcmp(provisioner, "kubernetes.io/no-provisioner") != 0 &&
           topology_allowed(storage_class, node);
}

/* ---- a node ---------------------------------------------------------------------------------- */

static void
decide_unbound(Cycle *cycle, const NodeInfo *node, uint32_t index, Status *ret_status,
               GArray *decisions)
{
    const Value *claim = claim_get(cycle, index);
    const char *selected = object_annotation(claim, "volume.kubernetes.io/selected-node");
    VolumeDecision decision = {.claim = cycle->class_->claims[index]};
    if (selected != NULL && *selected != '\0') {
        if (strcmp(selected, node->name) != 0)
            status_add(ret_status, STATUS_UNRESOLVABLE, REASON_VOLUME_BIND_CONFLICT);
    } else {
        Search search = {.cycle = cycle,
                         .node = node,
                         .claim = claim,
                         .claim_key = symbols_text(cycle->cache->symbols, decision.claim),
                         .taken = decisions,
                         .wanted = quantity_units(
                             quantity_of(value_at(claim, "spec.resources.requests.storage")))};
        cluster_cache_each(cycle->cache, TABLE_VOLUMES, "", consider_volume, &search);
        decision.volume = search.best;
        if (search.best == NULL && !can_provision(cycle, claim, node))
            status_add(ret_status, STATUS_UNRESOLVABLE, REASON_VOLUME_BIND_CONFLICT);
    }
    g_array_append_val(decisions, decision);
}

bool
volumes_decide(Cycle *cycle, const NodeInfo *node, Status *ret_status, GArray *ret_decisions)
{
    GArray *decisions =
        ret_decisions != NULL ? ret_decisions : g_array_new(FALSE, FALSE, sizeof(VolumeDecision));
    for (uint32_t i = 0; i < cycle->class_->n_claims && ret_status->code == STATUS_SUCCESS; i++) {
        const Value *claim = claim_get(cycle, i);
        if (!claim_is_bound(claim)) {
            decide_unbound(cycle, node, i, ret_status, decisions);
            continue;
        }
        const Value *volume =
            cluster_cache_get(cycle->cache, TABLE_VOLUMES, value_text_at(claim, "spec.volumeName"));
        if (volume == NULL)
            status_add(ret_status, STATUS_UNRESOLVABLE, REASON_VOLUME_MISSING);
        else if (!volume_reaches(volume, node->node))
            status_add(ret_status, STATUS_UNRESOLVABLE, REASON_VOLUME_NODE_AFFINITY);
    }
    if (ret_decisions == NULL)
        g_array_free(decisions, TRUE);
    return ret_status->code == STATUS_SUCCESS;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    volumes_decide(cycle, node, ret_status, NULL);
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (!(event->kinds & EVENT_CLAIM))
        return true;
    for (uint32_t i = 0; i < pod->class_->n_claims; i++)
        if (strcmp(symbols_text(cache->symbols, pod->class_->claims[i]), event->key) == 0)
            return true;
    return false;
}

const Plugin VOLUME_BINDING = {
    .name = "VolumeBinding",
    .events = EVENT_CLAIM | EVENT_VOLUME | EVENT_STORAGE_CLASS | EVENT_NODE_ADD | EVENT_NODE_LABEL,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
};
