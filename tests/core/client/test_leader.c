#include "core/client/leader.h"
#include "tests/core/client/suites.h"

typedef struct {
    Client *client;
    LeaderElection *election;
    int started, stopped;
} Candidate;

typedef struct {
    TestWorld *world;
    FakeApi *api;
    Candidate a, b;
} Bench;

static Bench bench;

static void
started(void *data)
{
    ((Candidate *)data)->started++;
}

static void
stopped(void *data)
{
    ((Candidate *)data)->stopped++;
}

static void
join(Candidate *candidate, const char *name)
{
    const Ports *ports = test_world_ports(bench.world, name);
    candidate->client = client_new(ports, NULL, fake_api_transport(bench.api, name), NULL);
    candidate->election = leader_election_new(ports, candidate->client, "kube-scheduler", name,
                                              started, stopped, candidate);
}

static void
leave(Candidate *candidate)
{
    leader_election_free(g_steal_pointer(&candidate->election));
    client_free(g_steal_pointer(&candidate->client));
}

static void
setup(void)
{
    bench = (Bench){.world = test_world_new(1)};
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
}

static void
teardown(void)
{
    leave(&bench.a);
    leave(&bench.b);
    fake_api_free(bench.api);
    test_world_free(bench.world);
}

static const char *
holder(void)
{
    return value_text_at(
        fake_api_get(bench.api, "coordination.k8s.io", "leases", "kube-system", "kube-scheduler"),
        "spec.holderIdentity");
}

START_TEST(the_first_candidate_leads_and_the_second_waits)
{
    setup();
    join(&bench.a, "a");
    test_world_run_for(bench.world, NS_PER_S);
    join(&bench.b, "b");
    test_world_run_for(bench.world, 120 * NS_PER_S);
    ck_assert_int_eq(bench.a.started, 1);
    ck_assert_int_eq(bench.a.stopped, 0);
    ck_assert_int_eq(bench.b.started, 0);
    ck_assert(leader_election_is_leader(bench.a.election));
    ck_assert_str_eq(holder(), "a");
    teardown();
}
END_TEST

START_TEST(when_the_leader_dies_the_other_takes_over_within_20_seconds)
{
    setup();
    join(&bench.a, "a");
    test_world_run_for(bench.world, NS_PER_S);
    join(&bench.b, "b");
    test_world_run_for(bench.world, 30 * NS_PER_S);
    leave(&bench.a);
    test_world_run_for(bench.world, 12 * NS_PER_S);
    ck_assert_int_eq(bench.b.started, 0);
    test_world_run_for(bench.world, 10 * NS_PER_S);
    ck_assert_int_eq(bench.b.started, 1);
    ck_assert_str_eq(holder(), "b");
    ck_assert_int_eq(value_int_at(fake_api_get(bench.api, "coordination.k8s.io", "leases",
                                               "kube-system", "kube-scheduler"),
                                  "spec.leaseTransitions"),
                     1);
    teardown();
}
END_TEST

START_TEST(a_leader_that_cannot_renew_for_10_seconds_stops)
{
    setup();
    join(&bench.a, "a");
    test_world_run_for(bench.world, 10 * NS_PER_S);
    fake_api_set_down(bench.api, true);
    test_world_run_for(bench.world, 7 * NS_PER_S);
    ck_assert_int_eq(bench.a.stopped, 0);
    test_world_run_for(bench.world, 5 * NS_PER_S);
    ck_assert_int_eq(bench.a.stopped, 1);
    ck_assert(!leader_election_is_leader(bench.a.election));
    test_world_run_for(bench.world, 60 * NS_PER_S);
    ck_assert_int_eq(bench.a.stopped, 1);
    ck_assert_int_eq(bench.a.started, 1);
    teardown();
}
END_TEST

START_TEST(of_two_that_start_together_one_leads)
{
    setup();
    join(&bench.a, "a");
    join(&bench.b, "b");
    test_world_run_for(bench.world, 60 * NS_PER_S);
    ck_assert_int_eq(bench.a.started + bench.b.started, 1);
    teardown();
}
END_TEST

TCase *
leader_case(void)
{
    return test_case("leader", the_first_candidate_leads_and_the_second_waits,
                     when_the_leader_dies_the_other_takes_over_within_20_seconds,
                     a_leader_that_cannot_renew_for_10_seconds_stops,
                     of_two_that_start_together_one_leads);
}
