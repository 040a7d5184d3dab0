/* Leader election by a Lease in kube-system (client-go tools/leaderelection: 15 s, renew by 10 s, retry every 2 s). */
#pragma once

#include "core/client/client.h"

typedef struct LeaderElection LeaderElection;

/* identity is copied: "control-plane-1_<uuid>". started is called when this process becomes leader; stopped when it could not
 * renew (the process should then exit, as the real ones do). */
LeaderElection *leader_election_new(const Ports *ports, Client *client, const char *lease, const char *identity,
                                    void (*started)(void *data), void (*stopped)(void *data), void *data);
void leader_election_free(LeaderElection *election);
bool leader_election_is_leader(const LeaderElection *election);
