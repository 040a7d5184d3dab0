#include "core/controllers/node/ipam.h"

#include <stdio.h>
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"

#define RANGES_MAX 65536

typedef struct IpamController {
    Controller base;
    Informer *nodes;
    CidrSet set;
    bool enabled;
} IpamController;

static bool
parse_cidr(const char *text, uint32_t *ret_address, int *ret_mask)
{
    unsigned a, b, c, d, mask;
    char end;
    if (text == NULL || sscanf(text, "%3u.%3u.%3u.%3u/%2u%c", &a, &b, &c, &d, &mask, &end) != 5 ||
        a > 255 || b > 255 || c > 255 || d > 255 || mask > 32)
        return false;
    *ret_address = a << 24 | b << 16 | c << 8 | d;
    *ret_mask = (int)mask;
    return true;
}

bool
cidr_set_init(CidrSet *set, const char *network, int node_mask)
{
    *set = (CidrSet){.node_mask = node_mask};
    if (!parse_cidr(network, &set->base, &set->mask) || node_mask < set->mask || node_mask > 32 ||
        node_mask - set->mask > 16)
        return false;
    set->count = UINT32_C(1) << (node_mask - set->mask);
    set->base &= set->mask == 0 ? 0 : UINT32_MAX << (32 - set->mask);
    set->used = g_new0(uint8_t, MIN(set->count, RANGES_MAX));
    return true;
}

void
cidr_set_clear(CidrSet *set)
{
    g_clear_pointer(&set->used, g_free);
}

char *
cidr_set_allocate(CidrSet *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t index = (set->next + i) % set->count;
        if (set->used[index])
            continue;
        set->used[index] = 1;
        set->next = (index + 1) % set->count;
        uint32_t address =
            set->base + (set->node_mask == 32 ? index : index << (32 - set->node_mask));
        return g_strdup_printf("%u.%u.%u.%u/%d", address >> 24, address >> 16 & 255,
                               address >> 8 & 255, address & 255, set->node_mask);
    }
    return NULL;
}

bool
cidr_set_occupy(CidrSet *set, const char *cidr, bool used)
{
    uint32_t address;
    int mask;
    if (!parse_cidr(cidr, &address, &mask) || address < set->base)
        return false;
    uint32_t index = (address - set->base) >> (32 - set->node_mask);
    if (index >= set->count)
        return false;
    set->used[index] = used;
    return true;
}

typedef struct Assignment {
    IpamController *controller;
    char *cidr;
} Assignment;

static void
assignment_free(gpointer data)
{
    g_free(((Assignment *)data)->cidr);
    g_free(data);
}

static char *
on_assigned(const ApiResponse *response, void *data)
{
    const Assignment *assignment = data;
    if (api_response_ok(response))
        return NULL;
    cidr_set_occupy(&assignment->controller->set, assignment->cidr, false);
    return response_is(response, "NotFound") ? NULL : g_strdup(response_error(response));
}

static void
sync_node(const char *key, Sync *sync, void *data)
{
    IpamController *controller = data;
    const Value *node = informer_get(controller->nodes, key);
    if (node == NULL || object_is_deleting(node))
        return;
    const char *known = value_text_at(node, "spec.podCIDR");
    if (*known != '\0') {
        cidr_set_occupy(&controller->set, known, true);
        return;
    }
    g_autofree char *cidr = cidr_set_allocate(&controller->set);
    if (cidr == NULL) {
        event_record(controller->base.recorder, node, "Normal", "CIDRNotAvailable",
                     "Node %s status is now: CIDRNotAvailable", key);
        sync_fail(sync, "CIDR allocation failed; there are no remaining CIDRs left to allocate in "
                        "the accepted range");
        return;
    }
    controller_decide(&controller->base, "assign", node, "Node", "node %s gets the pod network %s",
                      key, cidr);
    Assignment *assignment = g_new(Assignment, 1);
    *assignment = (Assignment){controller, g_strdup(cidr)};
    Value *patch = value_new_f("{metadata: {uid: %s}, spec: {podCIDR: %s, podCIDRs: [%s]}}",
                               object_uid(node), cidr, cidr);
    client_patch(controller->base.client, "", "nodes", NULL, key, NULL, PATCH_STRATEGIC, patch,
                 sync_call, sync_begin_checked(sync, on_assigned, assignment, assignment_free));
}

static void
node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
             void *data)
{
    IpamController *controller = data;
    if (!controller->enabled)
        return;
    const char *cidr = value_text_at(new_ != NULL ? new_ : old, "spec.podCIDR");
    if (*cidr != '\0')
        cidr_set_occupy(&controller->set, cidr, new_ != NULL);
    else if (new_ != NULL && (old == NULL || value_at(old, "spec.podCIDR") != NULL))
        controller_enqueue(&controller->base, key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = node_changed};
    IpamController *controller = g_new0(IpamController, 1);
    controller_init(&controller->base, context, &node_ipam_controller_class, "cidrAllocator", 8,
                    sync_node);
    controller->nodes = context_informer(context, "", "nodes");
    const Value *allocate = value_get(context->config, "allocateNodeCIDRs");
    const char *network = value_string(value_get(context->config, "clusterCIDR"));
    controller->enabled = (allocate == NULL || value_bool(allocate)) && network != NULL;
    if (controller->enabled && !cidr_set_init(&controller->set, network,
                                              (int)config_int(context, "nodeCIDRMaskSize", 24))) {
        log_error(
            context->ports->log,
            "node-ipam-controller: clusterCIDR %s cannot be cut into node ranges; no node gets one",
            network);
        controller->enabled = false;
    }
    informer_add_handler(controller->nodes, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    cidr_set_clear(&((IpamController *)base)->set);
    g_free(base);
}

const ControllerClass node_ipam_controller_class = {"node-ipam-controller", start, NULL, stop};
