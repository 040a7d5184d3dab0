/* One blocking GET from a cluster of this machine, for commands that ask it something beside the Kubernetes API. */
#pragma once

#include "core/object/value.h"

#define HTTPS_ANSWER_MAX (4u * 1024 * 1024)
#define HTTPS_SECONDS 10

/* Asks the server of a kubeconfig (its first cluster) as its token user; the server's certificate is checked against the
 * kubeconfig's authority. The body (owned) and the HTTP status; NULL with an error when there was no answer. */
char *https_get(const Value *kubeconfig, const char *path, int *ret_status, GError **error);
