/* The node's Lease (component-helpers/apimachinery/lease): created with the Node as owner, then updated every 10 s. */
#include "core/kubelet/node_lease.h"

#include "core/base/timestamp.h"

#define LEASE_NAMESPACE "kube-node-lease"

static void
on_written(Op *op, const char *id, const char *error)
{
    Kubelet *kubelet = op->kubelet;
    kubelet->lease_in_flight = false;
    if (error == NULL)
        value_replace(&kubelet->lease, value_ref(op->value));
    else if (op->code == 404 || op->code == 409)
        value_replace(&kubelet->lease, NULL); /* read or make it anew at the next tick */
}

static void
on_read(Op *op, const char *id, const char *error)
{
    Kubelet *kubelet = op->kubelet;
    kubelet->lease_in_flight = false;
    if (error == NULL) {
        value_replace(&kubelet->lease, value_ref(op->value));
        lease_renew(kubelet);
        return;
    }
    if (op->code != 404)
        return;
    const char *name = kubelet->config.node_name;
    const char *uid = object_uid(kubelet->node);
    kubelet->lease_in_flight = true;
    client_create(kubelet->client, "coordination.k8s.io", "leases", LEASE_NAMESPACE,
                  value_new_f("{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: %s, namespace: %s, "
                              "ownerReferences: [{apiVersion: v1, kind: Node, name: %s, uid: %s}]}, spec: {holderIdentity: %s, "
                              "leaseDurationSeconds: %i, renewTime: %V}}",
                              name, LEASE_NAMESPACE, name, uid, name, kubelet->config.lease_duration_ns / NS_PER_S,
                              value_new_string_take(timestamp_micro_text(kubelet_now(kubelet)))),
                  op_api_done, op_new(kubelet, NULL, on_written));
}

void
lease_renew(Kubelet *kubelet)
{
    if (kubelet->lease_in_flight)
        return;
    kubelet->lease_in_flight = true;
    if (kubelet->lease == NULL) {
        client_get(kubelet->client, "coordination.k8s.io", "leases", LEASE_NAMESPACE, kubelet->config.node_name, op_api_done,
                   op_new(kubelet, NULL, on_read));
        return;
    }
    g_autoptr(ValueBuilder) lease = value_builder_new(kubelet->lease);
    value_builder_set_at(lease, "spec.holderIdentity", value_new_string(kubelet->config.node_name));
    value_builder_set_at(lease, "spec.leaseDurationSeconds", value_new_int(kubelet->config.lease_duration_ns / NS_PER_S));
    value_builder_set_at(lease, "spec.renewTime", value_new_string_take(timestamp_micro_text(kubelet_now(kubelet))));
    client_update(kubelet->client, "coordination.k8s.io", "leases", NULL, value_builder_end(g_steal_pointer(&lease)),
                  op_api_done, op_new(kubelet, NULL, on_written));
}
