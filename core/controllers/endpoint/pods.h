/* What Endpoints and EndpointSlices have in common: the pods behind a Service. */
#pragma once

#include "core/controllers/common/membership.h"

/* The index of Services by selector, and the membership of pods in them. */
Membership *service_membership_new(ControllerContext *context, MembershipChanged changed,
                                   void *data);
/* A Service with selector that is not ExternalName. */
bool service_has_pods(const Value *service);
/* Does the change of a pod matter to the Services that choose it (endpoint.podEndpointsChanged)? */
bool pod_endpoint_changed(const Value *old, const Value *new_);
/* Must it be listed (ShouldPodBeInEndpoints; terminating ones too if so said)? */
bool pod_belongs_in_endpoints(const Value *pod, bool include_terminating);
/* The number behind a Service port's targetPort on this pod; 0 when the pod has no port of that
 * name. */
int64_t service_target_port(const Value *service_port, const Value *pod);
bool service_is_headless(const Value *service);
/* Gather time of a service with that many pods, so that a sync, which walks them, runs seldom: 1 ms
 * a pod beyond 100. */
int64_t service_gather_delay(const Membership *membership, const char *service_key);
