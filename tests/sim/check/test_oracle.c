#include "sim/check/oracle.h"
#include "core/api/meta.h"
#include "tests/sim/check/small.h"

TCase *oracle_suite(void);

static const Value *
first_pod(World *world)
{
    PMapIter iter = pmap_seek_prefix(world_objects(world, "", "pods"), "default/");
    return pmap_next(&iter) ? iter.value : NULL;
}

/* Alters a field of a stored object behind the API server's back. */
static void
alter(World *world, const char *kind, const char *namespace_, const char *name, const char *path, const char *value)
{
    FaultTarget *target = world_fault_target(world);
    g_autoptr(Value) altered = yaml(value);
    GError *error = NULL;
    bool done = target->ops->corrupt_field(target, kind, namespace_, name, path, altered, &error);
    ck_assert_msg(done, "%s", error != NULL ? error->message : "");
}

static bool
was_broken(const Oracles *oracles, const char *rule)
{
    for (size_t i = 0; i < oracles_breach_count(oracles); i++)
        if (strcmp(oracles_breach(oracles, i)->class->name, rule) == 0)
            return true;
    return false;
}

START_TEST(a_cluster_at_work_breaks_no_rule)
{
    g_autoptr(World) world = small_world(WEB);
    g_autoptr(Oracles) oracles = oracles_new(world);
    world_run_for(world, 60 * NS_PER_S);
    bool whole = oracles_look(oracles);
    const OracleBreach *breach = oracles_breach(oracles, 0);
    ck_assert_msg(whole, "%s: %s %s", breach->class->name, breach->subject, breach->text);
}
END_TEST

START_TEST(a_pod_that_changes_its_node_is_seen)
{
    g_autoptr(World) world = small_world(WEB);
    g_autoptr(Oracles) oracles = oracles_new(world);
    world_run_for(world, 20 * NS_PER_S);
    const Value *pod = first_pod(world);
    const char *node = value_text_at(pod, "spec.nodeName");
    g_autofree char *name = g_strdup(object_name(pod));
    alter(world, "Pod", "default", name, "spec.nodeName", strcmp(node, "worker-1") == 0 ? "worker-2" : "worker-1");
    world_run_for(world, NS_PER_S);
    ck_assert(was_broken(oracles, "one-binding"));
}
END_TEST

START_TEST(a_node_with_too_little_room_is_seen)
{
    g_autoptr(World) world = small_world(WEB);
    g_autoptr(Oracles) oracles = oracles_new(world);
    world_run_for(world, 20 * NS_PER_S);
    ck_assert(oracles_look(oracles));
    alter(world, "Node", NULL, "worker-1", "status.allocatable.cpu", "'100m'");
    oracles_look(oracles);
    ck_assert(was_broken(oracles, "node-overcommit"));
    ck_assert_str_eq(oracles_breach(oracles, 0)->subject, "Node/worker-1");
}
END_TEST

START_TEST(the_same_breach_is_kept_once)
{
    g_autoptr(World) world = small_world(WEB);
    g_autoptr(Oracles) oracles = oracles_new(world);
    world_run_for(world, 20 * NS_PER_S);
    alter(world, "Node", NULL, "worker-1", "status.allocatable.cpu", "'100m'");
    oracles_look(oracles);
    size_t count = oracles_breach_count(oracles);
    oracles_look(oracles);
    ck_assert_uint_eq(oracles_breach_count(oracles), count);
    ck_assert_ptr_null(oracles_breach(oracles, count));
}
END_TEST

START_TEST(oracles_do_not_change_the_run)
{
    uint64_t digests[2];
    for (int i = 0; i < 2; i++) {
        g_autoptr(World) world = small_world(WEB);
        g_autoptr(Oracles) oracles = i == 0 ? oracles_new(world) : NULL;
        world_run_for(world, 20 * NS_PER_S);
        if (oracles != NULL)
            oracles_look(oracles);
        digests[i] = engine_digest(world_engine(world));
        g_clear_pointer(&oracles, oracles_free);
    }
    ck_assert_uint_eq(digests[0], digests[1]);
}
END_TEST

START_TEST(reconciled_means_status_equals_spec)
{
    g_autoptr(World) world = small_world(WEB);
    g_autofree char *reason = NULL, *subject = NULL;
    ck_assert(!world_is_reconciled(world, &reason, &subject));
    ck_assert_str_eq(subject, "Deployment/default/web");
    world_run_for(world, 30 * NS_PER_S);
    g_clear_pointer(&reason, g_free);
    g_clear_pointer(&subject, g_free);
    ck_assert_msg(world_is_reconciled(world, &reason, &subject), "%s", reason);
}
END_TEST

TCase *
oracle_suite(void)
{
    return test_case("oracle", a_cluster_at_work_breaks_no_rule, a_pod_that_changes_its_node_is_seen,
                     a_node_with_too_little_room_is_seen, the_same_breach_is_kept_once, oracles_do_not_change_the_run,
                     reconciled_means_status_equals_spec);
}
