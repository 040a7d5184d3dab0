/* node-ipam-controller: a piece of the cluster's pod network for each node
 * (pkg/controller/nodeipam, range allocator). IPv4. */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass node_ipam_controller_class;

/* The ranges of one size within a network, handed out in turn; pure. */
typedef struct CidrSet {
    uint32_t base;
    int mask, node_mask;
    uint8_t *used; /* one byte a range */
    uint32_t count, next;
} CidrSet;

bool cidr_set_init(CidrSet *set, const char *network, int node_mask);
void cidr_set_clear(CidrSet *set);
/* "10.244.3.0/24", owned; NULL when all are given away. */
char *cidr_set_allocate(CidrSet *set);
/* Marks or frees the range that holds this one; false when it lies outside. */
bool cidr_set_occupy(CidrSet *set, const char *cidr, bool used);
