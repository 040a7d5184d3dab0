/* A kubeconfig that leads to one of our clusters: a certificate user and a token user, a context for each. */
#pragma once

#include "core/object/value.h"
#include "sim/backend/host/pki.h"

/* `name` is the cluster's; contexts are NAME and NAME-token. Owned. */
Value *kubeconfig_new(const char *name, const Pki *pki, const char *server);
