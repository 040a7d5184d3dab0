#include "core/scheduler/pod_class.h"

#include "core/api/meta.h"
#include "core/api/pod.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_MILLI_CPU 100
#define DEFAULT_MEMORY ((int64_t)200 * 1024 * 1024)

/* ---- digest ---------------------------------------------------------------------------------- */

static uint64_t
containers_digest(uint64_t digest, const Value *containers)
{
    digest = digest_mix(digest, value_size(containers));
    VALUE_ARRAY_FOREACH (container, containers) {
        digest = digest_mix(digest, value_digest(value_get(container, "resources")));
        digest = digest_mix(digest, value_digest(value_get(container, "ports")));
        digest = digest_mix(digest, value_digest(value_get(container, "image")));
        digest = digest_mix(digest, value_digest(value_get(container, "restartPolicy")));
    }
    return digest;
}

static const Value *
spreading_owner(const Value *pod)
{
    const Value *owner = object_controller(pod);
    const char *kind = value_text_at(owner, "kind");
    bool spreads = strcmp(kind, "ReplicaSet") == 0 || strcmp(kind, "StatefulSet") == 0 ||
                   strcmp(kind, "ReplicationController") == 0;
    return spreads ? owner : NULL;
}

static char *
volume_claim(const Value *pod, const Value *volume, bool *ret_ephemeral)
{
    const char *name = value_string_at(volume, "persistentVolumeClaim.claimName");
    *ret_ephemeral = name == NULL && value_has(volume, "ephemeral");
    if (name != NULL)
        return g_strdup_printf("%s/%s", object_namespace(pod), name);
    if (*ret_ephemeral)
        return g_strdup_printf("%s/%s-%s", object_namespace(pod), object_name(pod),
                               value_text_at(volume, "name"));
    return NULL;
}

uint64_t
pod_class_digest(const Value *pod)
{
    static const char *const fields[] = {
        "schedulerName", "priority", "preemptionPolicy",          "nodeSelector", "affinity",
        "tolerations",   "overhead", "topologySpreadConstraints", "resources"};
    const Value *metadata = value_get(pod, "metadata"), *spec = value_get(pod, "spec");
    uint64_t digest = value_digest(value_get(metadata, "namespace"));
    digest = digest_mix(digest, value_digest(value_get(metadata, "labels")));
    digest = digest_mix(digest, value_digest(value_get(spreading_owner(pod), "uid")));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        digest = digest_mix(digest, value_digest(value_get(spec, fields[i])));
    digest = containers_digest(digest, value_get(spec, "containers"));
    digest = containers_digest(digest, value_get(spec, "initContainers"));
    VALUE_ARRAY_FOREACH (volume, value_get(spec, "volumes")) {
        bool ephemeral;
        g_autofree char *claim = volume_claim(pod, volume, &ephemeral);
        if (claim != NULL)
            for (const char *c = claim; *c != '\0'; c++)
                digest = digest_mix(digest, (uint64_t)(unsigned char)*c);
    }
    return digest;
}

/* ---- terms ----------------------------------------------------------------------------------- */

PodTerm *
pod_term_ref(PodTerm *term)
{
    term->refs++;
    return term;
}

void
pod_term_unref(PodTerm *term)
{
    if (term == NULL || --term->refs > 0)
        return;
    g_free(term->namespaces);
    matcher_unref(term->namespace_selector);
    matcher_unref(term->selector);
    g_free(term);
}

static void
pod_term_seal(PodTerm *term)
{
    uint64_t digest = matcher_digest(term->selector);
    for (uint32_t i = 0; i < term->n_namespaces; i++)
        digest = digest_mix(digest, term->namespaces[i]);
    if (term->namespace_selector != NULL)
        digest = digest_mix(digest, matcher_digest(term->namespace_selector));
    term->digest = digest;
}

PodTerm *
pod_term_new_simple(Symbol namespace_, Matcher *take)
{
    PodTerm *term = g_new0(PodTerm, 1);
    term->refs = 1;
    term->n_namespaces = 1;
    term->namespaces = g_new(Symbol, 1);
    term->namespaces[0] = namespace_;
    term->selector = take;
    pod_term_seal(term);
    return term;
}

static int
symbol_compare(const void *a, const void *b)
{
    const Symbol *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static PodTerm *
pod_term_new(Symbols *symbols, const Value *value, Symbol own_namespace, int64_t weight)
{
    PodTerm *term = g_new0(PodTerm, 1);
    term->refs = 1;
    term->weight = (int32_t)weight;
    term->topology_key = symbols_intern(symbols, value_text_at(value, "topologyKey"));
    term->selector = matcher_new(symbols, value_get(value, "labelSelector"));
    const Value *namespaces = value_get(value, "namespaces");
    const Value *namespace_selector = value_get(value, "namespaceSelector");
    bool own = value_size(namespaces) == 0 && !value_is_map(namespace_selector);
    term->n_namespaces = own ? 1 : (uint32_t)value_size(namespaces);
    term->namespaces = g_new(Symbol, MAX(term->n_namespaces, 1));
    term->namespaces[0] = own_namespace;
    for (uint32_t i = 0; !own && i < term->n_namespaces; i++)
        term->namespaces[i] = symbols_intern(symbols, value_text(value_item(namespaces, i)));
    if (!own)
        qsort(term->namespaces, term->n_namespaces, sizeof(Symbol), symbol_compare);
    if (value_is_map(namespace_selector))
        term->namespace_selector = matcher_new(symbols, namespace_selector);
    pod_term_seal(term);
    return term;
}

static void
terms_init(PodTerms *terms, Symbols *symbols, const Value *list, Symbol own_namespace)
{
    terms->n = (uint32_t)value_size(list);
    terms->items = g_new0(PodTerm *, MAX(terms->n, 1));
    uint32_t i = 0;
    VALUE_ARRAY_FOREACH (item, list) {
        const Value *weighted = value_get(item, "podAffinityTerm");
        terms->items[i++] = pod_term_new(symbols, weighted != NULL ? weighted : item, own_namespace,
                                         value_int_at(item, "weight"));
    }
}

static void
terms_clear(PodTerms *terms)
{
    for (uint32_t i = 0; i < terms->n; i++)
        pod_term_unref(terms->items[i]);
    g_free(terms->items);
}

static void
class_read_affinity(PodClass *class_, Symbols *symbols, const Value *affinity)
{
    static const char required[] = "requiredDuringSchedulingIgnoredDuringExecution";
    static const char preferred[] = "preferredDuringSchedulingIgnoredDuringExecution";
    const Value *with = value_get(affinity, "podAffinity"),
                *anti = value_get(affinity, "podAntiAffinity");
    Symbol own = class_->namespace_;
    terms_init(&class_->required_affinity, symbols, value_get(with, required), own);
    terms_init(&class_->required_anti_affinity, symbols, value_get(anti, required), own);
    terms_init(&class_->preferred_affinity, symbols, value_get(with, preferred), own);
    terms_init(&class_->preferred_anti_affinity, symbols, value_get(anti, preferred), own);
}

static void
class_read_constraints(PodClass *class_, Symbols *symbols, const Value *list)
{
    class_->n_constraints = (uint32_t)value_size(list);
    class_->constraints = g_new0(SpreadConstraint, MAX(class_->n_constraints, 1));
    SpreadConstraint *constraint = class_->constraints;
    VALUE_ARRAY_FOREACH (item, list) {
        Matcher *matcher = matcher_new(symbols, value_get(item, "labelSelector"));
        VALUE_ARRAY_FOREACH (key, value_get(item, "matchLabelKeys")) {
            Symbol symbol = symbols_intern(symbols, value_text(key));
            Symbol value = labels_get(class_->labels, symbol);
            if (value != 0)
                matcher_add_value(matcher, symbol, value);
        }
        constraint->topology_key = symbols_intern(symbols, value_text_at(item, "topologyKey"));
        constraint->max_skew = (int32_t)value_int_at(item, "maxSkew");
        constraint->min_domains = (int32_t)value_int_at_or(item, "minDomains", 1);
        constraint->hard = strcmp(value_text_at(item, "whenUnsatisfiable"), "ScheduleAnyway") != 0;
        constraint->honor_affinity =
            strcmp(value_text_at(item, "nodeAffinityPolicy"), "Ignore") != 0;
        constraint->honor_taints = strcmp(value_text_at(item, "nodeTaintsPolicy"), "Honor") == 0;
        constraint->self_match = matcher_matches(matcher, class_->labels);
        constraint->term = pod_term_new_simple(class_->namespace_, matcher);
        constraint++;
    }
}

/* ---- resources ------------------------------------------------------------------------------- */

static void
container_nonzero(const Value *container, int64_t *ret_cpu, int64_t *ret_memory)
{
    const Value *requests = value_at(container, "resources.requests");
    ResourceList list = {0};
    int64_t pods = 0;
    resource_list_parse(requests, &list, &pods);
    *ret_cpu = value_has(requests, "cpu") ? list.milli_cpu : DEFAULT_MILLI_CPU;
    *ret_memory = value_has(requests, "memory") ? list.memory : DEFAULT_MEMORY;
    resource_list_clear(&list);
}

/* As PodRequests with NonMissingContainerRequests: sidecars count beside the containers, other init
 * containers by their peak. */
static void
class_read_nonzero(PodClass *class_, const Value *spec)
{
    int64_t cpu = 0, memory = 0, sidecar_cpu = 0, sidecar_memory = 0, peak_cpu = 0, peak_memory = 0;
    VALUE_ARRAY_FOREACH (container, value_get(spec, "containers")) {
        int64_t c, m;
        container_nonzero(container, &c, &m);
        cpu += c;
        memory += m;
    }
    VALUE_ARRAY_FOREACH (init, value_get(spec, "initContainers")) {
        int64_t c, m;
        container_nonzero(init, &c, &m);
        if (strcmp(value_text_at(init, "restartPolicy"), "Always") == 0) {
            sidecar_cpu += c;
            sidecar_memory += m;
            c = m = 0;
        }
        peak_cpu = MAX(peak_cpu, sidecar_cpu + c);
        peak_memory = MAX(peak_memory, sidecar_memory + m);
    }
    cpu = MAX(cpu + sidecar_cpu, peak_cpu);
    memory = MAX(memory + sidecar_memory, peak_memory);
    ResourceList overhead = {0}, whole = {0};
    int64_t pods = 0;
    const Value *pod_level = value_at(spec, "resources.requests");
    resource_list_parse(value_get(spec, "overhead"), &overhead, &pods);
    resource_list_parse(pod_level, &whole, &pods);
    class_->nonzero_cpu =
        (value_has(pod_level, "cpu") ? whole.milli_cpu : cpu) + overhead.milli_cpu;
    class_->nonzero_memory =
        (value_has(pod_level, "memory") ? whole.memory : memory) + overhead.memory;
    resource_list_clear(&overhead);
    resource_list_clear(&whole);
}

static void
class_read_requests(PodClass *class_, Symbols *symbols, const Value *pod)
{
    ResourceList list = {0};
    pod_requests(pod, &list);
    class_->milli_cpu = list.milli_cpu;
    class_->memory = list.memory;
    class_->ephemeral_storage = list.ephemeral_storage;
    class_->scalars = g_new0(ScalarAmount, MAX(value_size(list.scalars), 1));
    VALUE_MAP_FOREACH (name, amount, list.scalars)
        if (value_int(amount) != 0)
            class_->scalars[class_->n_scalars++] =
                (ScalarAmount){.name = symbols_intern(symbols, name), .amount = value_int(amount)};
    resource_list_clear(&list);
    class_read_nonzero(class_, value_get(pod, "spec"));
}

/* ---- ports, images, claims, names ------------------------------------------------------------ */

typedef struct PortReader {
    GArray *ports;
    Symbols *symbols;
} PortReader;

static void
port_read(const char *protocol, const char *ip, int64_t port, void *data)
{
    PortReader *reader = data;
    HostPort host_port = {
        .protocol = symbols_intern(reader->symbols,
                                   protocol != NULL && *protocol != '\0' ? protocol : "TCP"),
        .ip = symbols_intern(reader->symbols, ip != NULL && *ip != '\0' ? ip : "0.0.0.0"),
        .port = (int32_t)port};
    g_array_append_val(reader->ports, host_port);
}

static void
images_add(GArray *images, Symbols *symbols, const Value *containers)
{
    VALUE_ARRAY_FOREACH (container, containers) {
        const char *image = value_text_at(container, "image");
        const char *colon = strrchr(image, ':'), *slash = strrchr(image, '/');
        bool tagged = colon != NULL && (slash == NULL || colon > slash);
        g_autofree char *full = tagged ? g_strdup(image) : g_strconcat(image, ":latest", NULL);
        Symbol symbol = symbols_intern(symbols, full);
        g_array_append_val(images, symbol);
    }
}

static void
class_read_lists(PodClass *class_, Symbols *symbols, const Value *pod)
{
    const Value *spec = value_get(pod, "spec");
    GArray *ports = g_array_new(FALSE, FALSE, sizeof(HostPort));
    pod_each_host_port(pod, port_read, &(PortReader){.ports = ports, .symbols = symbols});
    class_->n_ports = ports->len;
    class_->ports = (HostPort *)(void *)g_array_free(ports, FALSE);

    GArray *images = g_array_new(FALSE, FALSE, sizeof(Symbol));
    images_add(images, symbols, value_get(spec, "initContainers"));
    images_add(images, symbols, value_get(spec, "containers"));
    class_->n_images = class_->n_containers = images->len;
    class_->images = (Symbol *)(void *)g_array_free(images, FALSE);

    const Value *volumes = value_get(spec, "volumes");
    class_->claims = g_new0(Symbol, MAX(value_size(volumes), 1));
    class_->claim_is_ephemeral = g_new0(bool, MAX(value_size(volumes), 1));
    VALUE_ARRAY_FOREACH (volume, volumes) {
        bool ephemeral;
        g_autofree char *claim = volume_claim(pod, volume, &ephemeral);
        if (claim == NULL)
            continue;
        class_->claim_is_ephemeral[class_->n_claims] = ephemeral;
        class_->claims[class_->n_claims++] = symbols_intern(symbols, claim);
    }
}

static int
symbol_text_compare(gconstpointer a, gconstpointer b, gpointer symbols)
{
    return strcmp(symbols_text(symbols, *(const Symbol *)a),
                  symbols_text(symbols, *(const Symbol *)b));
}

/* The node names one term allows, or NULL when it does not ask for names (nodeaffinity PreFilter).
 */
static GArray *
term_node_names(Symbols *symbols, const Value *term)
{
    GArray *names = NULL;
    VALUE_ARRAY_FOREACH (field, value_get(term, "matchFields")) {
        if (strcmp(value_text_at(field, "key"), "metadata.name") != 0 ||
            strcmp(value_text_at(field, "operator"), "In") != 0)
            continue;
        GArray *next = g_array_new(FALSE, FALSE, sizeof(Symbol));
        VALUE_ARRAY_FOREACH (value, value_get(field, "values")) {
            Symbol symbol = symbols_intern(symbols, value_text(value));
            bool keep = names == NULL;
            for (guint i = 0; names != NULL && i < names->len; i++)
                keep |= g_array_index(names, Symbol, i) == symbol;
            if (keep)
                g_array_append_val(next, symbol);
        }
        if (names != NULL)
            g_array_free(names, TRUE);
        names = next;
    }
    return names;
}

static void
class_read_node_names(PodClass *class_, Symbols *symbols, const Value *spec)
{
    const Value *terms = value_at(
        spec,
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    if (value_size(terms) == 0)
        return;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Symbol));
    class_->limited_to_names = true;
    VALUE_ARRAY_FOREACH (term, terms) {
        GArray *names = term_node_names(symbols, term);
        if (names == NULL) {
            class_->limited_to_names = false;
            break;
        }
        g_array_append_vals(all, names->data, names->len);
        g_array_free(names, TRUE);
    }
    g_array_sort_with_data(all, symbol_text_compare,
                           symbols); /* not by number: askers shift numbers */
    class_->n_node_names = class_->limited_to_names ? all->len : 0;
    class_->node_names = (Symbol *)(void *)g_array_free(all, FALSE);
}

PodClass *
pod_class_new(Symbols *symbols, const Value *pod, uint64_t digest)
{
    const Value *spec = value_get(pod, "spec");
    PodClass *class_ = g_new0(PodClass, 1);
    const char *scheduler = value_text_at(spec, "schedulerName");
    class_->digest = digest;
    class_->sample = value_ref(pod);
    class_->namespace_ = symbols_intern(symbols, object_namespace(pod));
    class_->scheduler_name =
        symbols_intern(symbols, *scheduler != '\0' ? scheduler : "default-scheduler");
    class_->labels = labels_new(symbols, object_labels(pod));
    class_->priority = pod_priority(pod);
    class_->preempts_never = strcmp(value_text_at(spec, "preemptionPolicy"), "Never") == 0;
    class_read_requests(class_, symbols, pod);
    class_read_lists(class_, symbols, pod);
    class_read_affinity(class_, symbols, value_get(spec, "affinity"));
    class_read_constraints(class_, symbols, value_get(spec, "topologySpreadConstraints"));
    class_read_node_names(class_, symbols, spec);
    class_->pod_sets = g_ptr_array_new();
    class_->owned_terms = g_ptr_array_new();
    class_->matched_terms = g_ptr_array_new();
    return class_;
}

void
pod_class_free(PodClass *class_)
{
    if (class_ == NULL)
        return;
    for (uint32_t i = 0; i < class_->n_constraints; i++)
        pod_term_unref(class_->constraints[i].term);
    terms_clear(&class_->required_affinity);
    terms_clear(&class_->required_anti_affinity);
    terms_clear(&class_->preferred_affinity);
    terms_clear(&class_->preferred_anti_affinity);
    pod_term_unref(class_->default_term);
    g_ptr_array_free(class_->pod_sets, TRUE);
    g_ptr_array_free(class_->owned_terms, TRUE);
    g_ptr_array_free(class_->matched_terms, TRUE);
    g_free(class_->labels);
    g_free(class_->scalars);
    g_free(class_->ports);
    g_free(class_->images);
    g_free(class_->claims);
    g_free(class_->claim_is_ephemeral);
    g_free(class_->constraints);
    g_free(class_->node_names);
    value_unref(class_->sample);
    g_free(class_);
}
