#include "core/controllers/node/zones.h"

#include <string.h>

#include "core/api/meta.h"

typedef struct Zone {
    char *name;
    ZoneState state, next_state;
    size_t ready, not_ready; /* of the pass under way */
    bool seen;
    double rate;        /* nodes a second; 0: stopped */
    int64_t allowed_ns; /* when the next may go: a bucket of one */
    GPtrArray *queue;   /* node names, owned */
} Zone;

struct Zones {
    ZonesOptions options;
    GTree *by_name; /* name -> Zone, in order of names */
    bool all_down;
};

ZoneState
zone_state(size_t ready, size_t not_ready, double unhealthy_threshold)
{
    if (ready == 0 && not_ready > 0)
        return ZONE_FULL_DISRUPTION;
    if (not_ready > 2 && (double)not_ready / (double)(ready + not_ready) >= unhealthy_threshold)
        return ZONE_PARTIAL_DISRUPTION;
    return ZONE_NORMAL;
}

static void
zone_free(gpointer data)
{
    Zone *zone = data;
    g_free(zone->name);
    g_ptr_array_unref(zone->queue);
    g_free(zone);
}

static gint
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

Zones *
zones_new(const ZonesOptions *options)
{
    Zones *zones = g_new0(Zones, 1);
    zones->options = *options;
    zones->by_name = g_tree_new_full(compare_names, NULL, NULL, zone_free);
    return zones;
}

void
zones_free(Zones *zones)
{
    if (zones == NULL)
        return;
    g_tree_unref(zones->by_name);
    g_free(zones);
}

static Zone *
zone_ensure(Zones *zones, const char *name)
{
    Zone *zone = g_tree_lookup(zones->by_name, name);
    if (zone != NULL)
        return zone;
    zone = g_new0(Zone, 1);
    zone->name = g_strdup(name);
    zone->rate = zones->options.rate;
    zone->queue = g_ptr_array_new_with_free_func(g_free);
    g_tree_insert(zones->by_name, zone->name, zone);
    return zone;
}

#define ZONE_FOREACH(zone, zones)                                                                  \
    for (GTreeNode *zone##_node = g_tree_node_first((zones)->by_name); zone##_node != NULL;        \
         zone##_node = g_tree_node_next(zone##_node))                                              \
        for (Zone *zone = g_tree_node_value(zone##_node); zone != NULL; zone = NULL)

void
zones_begin(Zones *zones)
{
    ZONE_FOREACH(zone, zones)
    {
        zone->ready = zone->not_ready = 0;
        zone->seen = false;
    }
}

void
zones_count(Zones *zones, const char *name, bool ready)
{
    Zone *zone = zone_ensure(zones, name);
    zone->seen = true;
    if (ready)
        zone->ready++;
    else
        zone->not_ready++;
}

static void
zone_set_rate(const Zones *zones, Zone *zone)
{
    const ZonesOptions *options = &zones->options;
    size_t size = zone->ready + zone->not_ready;
    zone->rate = options->rate;
    if (zone->state == ZONE_PARTIAL_DISRUPTION)
        zone->rate = (int64_t)size > options->large_cluster_size ? options->secondary_rate : 0;
}

ZonesChange
zones_end(Zones *zones)
{
    bool was_down = zones->all_down, any = false, all_down = true;
    ZONE_FOREACH(zone, zones)
    {
        if (!zone->seen)
            continue;
        any = true;
        zone->next_state =
            zone_state(zone->ready, zone->not_ready, zones->options.unhealthy_threshold);
        all_down &= zone->next_state == ZONE_FULL_DISRUPTION;
    }
    zones->all_down = any && all_down;
    ZONE_FOREACH(zone, zones)
    {
        if (!zone->seen || (zone->state == zone->next_state && was_down == zones->all_down))
            continue;
        zone->state = zone->next_state;
        zone_set_rate(zones, zone);
        if (zones->all_down) {
            zone->rate = 0;
            g_ptr_array_set_size(zone->queue, 0);
        }
    }
    return was_down == zones->all_down ? ZONES_STEADY
           : zones->all_down           ? ZONES_ALL_DOWN
                                       : ZONES_RECOVERED;
}

static guint
queue_find(const Zone *zone, const char *node)
{
    for (guint i = 0; i < zone->queue->len; i++)
        if (strcmp(g_ptr_array_index(zone->queue, i), node) == 0)
            return i;
    return G_MAXUINT;
}

void
zones_queue(Zones *zones, const char *name, const char *node)
{
    Zone *zone = zone_ensure(zones, name);
    if (queue_find(zone, node) == G_MAXUINT)
        g_ptr_array_add(zone->queue, g_strdup(node));
}

void
zones_unqueue(Zones *zones, const char *name, const char *node)
{
    Zone *zone = g_tree_lookup(zones->by_name, name);
    guint index = zone != NULL && zone->queue->len > 0 ? queue_find(zone, node) : G_MAXUINT;
    if (index != G_MAXUINT)
        g_ptr_array_remove_index(zone->queue, index);
}

char *
zones_next(Zones *zones, int64_t now, int64_t *ret_next_ns)
{
    *ret_next_ns = 0;
    ZONE_FOREACH(zone, zones)
    {
        if (zone->queue->len == 0 || zone->rate <= 0)
            continue;
        if (zone->allowed_ns <= now) {
            zone->allowed_ns = now + (int64_t)((double)NS_PER_S / zone->rate);
            return g_ptr_array_steal_index(zone->queue, 0);
        }
        if (*ret_next_ns == 0 || zone->allowed_ns < *ret_next_ns)
            *ret_next_ns = zone->allowed_ns;
    }
    return NULL;
}

ZoneState
zones_state_of(const Zones *zones, const char *name)
{
    const Zone *zone = g_tree_lookup(zones->by_name, name);
    return zone != NULL ? zone->state : ZONE_INITIAL;
}

char *
zone_of_node(const Value *node)
{
    const char *region = object_label(node, "topology.kubernetes.io/region");
    const char *zone = object_label(node, "topology.kubernetes.io/zone");
    if (region == NULL && zone == NULL)
        return g_strdup("");
    return g_strdup_printf("%s:%s", region != NULL ? region : "", zone != NULL ? zone : "");
}
