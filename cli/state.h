/* Where clusters lie on this machine: $XDG_DATA_HOME/timonel/clusters/NAME (by default below ~/.local/share).
 *
 *   cluster.yaml  the cluster document it was made of      store.db  its objects       pki/  its keys
 *   kubeconfig    how to reach it                          lock      held while it runs; holds the process id
 *
 * A cluster without a name lives for one session, in a folder "session-PID" of the same place. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct ClusterState {
    char *name; /* NULL: a session without a name */
    char *directory;
    char *document, *store, *pki, *kubeconfig, *lock;
    int lock_fd; /* -1 while not ours */
} ClusterState;

/* DNS-1123 label: 1 to 63 of a-z, 0-9 and -, not at the ends. */
bool cluster_name_is_valid(const char *name);
/* Makes nothing yet. name NULL: a session of this process. */
ClusterState *cluster_state_new(const char *name, GError **error);
/* Unlocks; a session's folder is removed. */
void cluster_state_free(ClusterState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClusterState, cluster_state_free)

bool cluster_state_exists(const ClusterState *state);
/* Makes the folder and takes the lock. EXISTS when a running process holds it. */
bool cluster_state_lock(ClusterState *state, GError **error);
/* The process that runs it, or 0. */
int cluster_state_pid(const ClusterState *state);
/* Removes all files of a stopped cluster. */
bool cluster_state_delete(ClusterState *state, GError **error);
/* Names of all that are there, sorted; sessions as "session-PID". Owned: g_strfreev. */
char **cluster_state_list(void);
