/* Leader election on a Lease.
 *
 *   FOLLOWING --(lease is free or expired, and our write won)--> LEADING --(no renewal for 10 s)-->
 * LOST
 *
 * Expiry is judged by our own clock: a lease is expired when we have seen it unchanged for its
 * duration. */
#include "core/client/leader.h"

#include "core/api/status.h"
#include "core/base/timestamp.h"

#include <string.h>

#define LEASE_DURATION_S 15
#define RENEW_DEADLINE_NS (10 * NS_PER_S)
#define RETRY_NS (2 * NS_PER_S)
#define RETRY_JITTER 1.2 /* while following */
#define LEASES_GROUP "coordination.k8s.io"
#define LEASES_NAMESPACE "kube-system"

struct LeaderElection {
    const Ports *ports;
    Client *client;
    char *lease, *identity;
    void (*started)(void *data);
    void (*stopped)(void *data);
    void *data;
    bool leading, lost;
    Value *observed;     /* the Lease's spec as last seen */
    Value *lease_object; /* our own last write, to renew without reading first */
    int64_t observed_at_ns, renewed_at_ns, sent_at_ns;
    TimerId retry, deadline;
};

static void try_now(void *data);

static void
retry_later(LeaderElection *election)
{
    int64_t delay = election->leading
                        ? RETRY_NS
                        : random_jitter(election->ports->random, RETRY_NS, RETRY_JITTER);
    clock_cancel(election->ports->clock, &election->retry);
    election->retry = clock_timer_in(election->ports->clock, delay, try_now, election);
}

static void
renew_deadline(void *data)
{
    LeaderElection *election = data;
    election->deadline = 0;
    election->leading = false;
    election->lost = true;
    clock_cancel(election->ports->clock, &election->retry);
    client_forget(election->client, election);
    log_error(election->ports->log,
              "failed to renew lease %s/%s: timed out waiting for the condition", LEASES_NAMESPACE,
              election->lease);
    trace_decision(election->ports->trace, election->identity, "stop leading", NULL,
                   "%s could not renew its lease %s and stops leading", election->identity,
                   election->lease);
    if (election->stopped != NULL)
        election->stopped(election->data);
}

static void
observe(LeaderElection *election, const Value *spec)
{
    if (election->observed != NULL && value_equal(election->observed, spec))
        return;
    value_replace(&election->observed, spec != NULL ? value_ref(spec) : value_new_map());
    election->observed_at_ns = clock_now(election->ports->clock);
}

static void
acquired(LeaderElection *election, const Value *lease)
{
    value_replace(&election->lease_object, value_ref(lease));
    observe(election, value_get(lease, "spec"));
    /* The deadline counts from when the renewal was sent: that is the time the Lease holds. */
    election->renewed_at_ns = election->sent_at_ns;
    clock_cancel(election->ports->clock, &election->deadline);
    election->deadline =
        clock_timer_at(election->ports->clock, election->renewed_at_ns + RENEW_DEADLINE_NS,
                       renew_deadline, election);
    bool first = !election->leading;
    election->leading = true;
    retry_later(election);
    if (!first)
        return;
    log_info(election->ports->log, "successfully acquired lease %s/%s", LEASES_NAMESPACE,
             election->lease);
    trace_decision(election->ports->trace, election->identity, "lead", NULL,
                   "%s became the leader of %s", election->identity, election->lease);
    if (election->started != NULL)
        election->started(election->data);
}

static void
written(ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    LeaderElection *election = data;
    if (api_response_ok(response)) {
        acquired(election, response->object);
        return;
    }
    log_error(election->ports->log, "failed to update lease %s/%s: %s", LEASES_NAMESPACE,
              election->lease, status_message(response->object));
    value_replace(&election->lease_object, NULL); /* read it anew */
    retry_later(election);
}

static Value *
lease_spec(const LeaderElection *election, const Value *old_spec)
{
    g_autofree char *now = timestamp_micro_text(clock_now(election->ports->clock));
    const char *holder = value_text(value_get(old_spec, "holderIdentity"));
    bool ours = strcmp(holder, election->identity) == 0;
    int64_t transitions = value_int(value_get(old_spec, "leaseTransitions"));
    if (old_spec != NULL && !ours)
        transitions++;
    const char *acquired_at = ours ? value_string(value_get(old_spec, "acquireTime")) : NULL;
    return value_new_f("{holderIdentity: %s, leaseDurationSeconds: %i, acquireTime: %s, "
                       "renewTime: %s, leaseTransitions: %i}",
                       election->identity, (int64_t)LEASE_DURATION_S,
                       acquired_at != NULL ? acquired_at : now, now, transitions);
}

static void
write_over(LeaderElection *election, const Value *lease)
{
    Value *spec = lease_spec(election, value_get(lease, "spec"));
    client_update(election->client, LEASES_GROUP, "leases", NULL, value_set(lease, "spec", spec),
                  written, election);
}

static void
create_lease(LeaderElection *election)
{
    Value *lease = value_new_f("{apiVersion: 'coordination.k8s.io/v1', kind: Lease, "
                               "metadata: {name: %s, namespace: %s}, spec: %V}",
                               election->lease, LEASES_NAMESPACE, lease_spec(election, NULL));
    client_create(election->client, LEASES_GROUP, "leases", LEASES_NAMESPACE, lease, written,
                  election);
}

static bool
is_held_by_another(const LeaderElection *election)
{
    const char *holder = value_text(value_get(election->observed, "holderIdentity"));
    int64_t duration_s = value_int(value_get(election->observed, "leaseDurationSeconds"));
    return holder[0] != '\0' && strcmp(holder, election->identity) != 0 &&
           election->observed_at_ns + duration_s * NS_PER_S > clock_now(election->ports->clock);
}

static void
was_read(ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    LeaderElection *election = data;
    if (response->code == 404) {
        create_lease(election);
        return;
    }
    if (!api_response_ok(response)) {
        log_error(election->ports->log, "error retrieving resource lock %s/%s: %s",
                  LEASES_NAMESPACE, election->lease, status_message(response->object));
        retry_later(election);
        return;
    }
    observe(election, value_get(response->object, "spec"));
    if (is_held_by_another(election))
        retry_later(election);
    else
        write_over(election, response->object);
}

static void
try_now(void *data)
{
    LeaderElection *election = data;
    election->retry = 0;
    election->sent_at_ns = clock_now(election->ports->clock);
    if (election->leading && election->lease_object != NULL)
        write_over(election, election->lease_object);
    else
        client_get(election->client, LEASES_GROUP, "leases", LEASES_NAMESPACE, election->lease,
                   was_read, election);
}

LeaderElection *
leader_election_new(const Ports *ports, Client *client, const char *lease, const char *identity,
                    void (*started)(void *data), void (*stopped)(void *data), void *data)
{
    LeaderElection *election = g_new0(LeaderElection, 1);
    election->ports = ports;
    election->client = client;
    election->lease = g_strdup(lease);
    election->identity = g_strdup(identity);
    election->started = started;
    election->stopped = stopped;
    election->data = data;
    log_info(ports->log, "attempting to acquire leader lease %s/%s...", LEASES_NAMESPACE, lease);
    election->retry = clock_timer_in(ports->clock, 0, try_now, election);
    return election;
}

void
leader_election_free(LeaderElection *election)
{
    if (election == NULL)
        return;
    clock_cancel(election->ports->clock, &election->retry);
    clock_cancel(election->ports->clock, &election->deadline);
    client_forget(election->client, election);
    value_unref(election->observed);
    value_unref(election->lease_object);
    g_free(election->lease);
    g_free(election->identity);
    g_free(election);
}

bool
leader_election_is_leader(const LeaderElection *election)
{
    return election->leading;
}
