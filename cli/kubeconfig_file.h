/* Kubeconfig files as kubectl reads them (client-go tools/clientcmd): $KUBECONFIG's list merged,
 * else ~/.kube/config. */
#pragma once

#include "core/object/value.h"

/* What the command line says above the files; NULL for not given. */
typedef struct KubeconfigOverrides {
    const char *file; /* --kubeconfig: only this one, and it must exist */
    const char *context, *cluster, *user, *namespace_;
    const char *server, *token, *ca_file, *cert_file, *key_file;
    bool insecure;
} KubeconfigOverrides;

/* How to reach a server, all from files already read. */
typedef struct KubeconfigTarget {
    char *server, *namespace_;
    char *ca_pem, *cert_pem, *key_pem, *token;
    bool insecure;
    char *path; /* the file to write changes to */
} KubeconfigTarget;

/* The merged document (an empty one when there are no files); owned. *ret_path: the file that
 * changes go to; owned. */
Value *kubeconfig_load(const char *file, char **ret_path, GError **error);
/* server is NULL when no context and no override names one. */
KubeconfigTarget *kubeconfig_target(const Value *config, const KubeconfigOverrides *overrides,
                                    GError **error);
void kubeconfig_target_free(KubeconfigTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubeconfigTarget, kubeconfig_target_free)
