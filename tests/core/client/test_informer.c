#include "core/base/pmap.h"
#include "core/client/informer.h"
#include "tests/core/client/suites.h"

typedef struct {
    TestWorld *world;
    FakeApi *api;
    Client *client;
    Informer *informer;
    GString *told;
    CauseId cause;
} Bench;

static Bench bench;

static void
changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
        void *data)
{
    bench.cause = cause;
    g_string_append_printf(bench.told, "%s%s %s;", initial ? "first " : "",
                           old == NULL    ? "add"
                           : new_ == NULL ? "delete"
                                          : "update",
                           key);
}

static void
synced(void *data)
{
    g_string_append(bench.told, "synced;");
}

static const InformerHandler handler = {.changed = changed, .synced = synced};

static void
put(const char *name, const char *node)
{
    fake_api_put(bench.api, "", "pods",
                 value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: d, "
                             "labels: {app: %s}}, spec: {nodeName: %s}}",
                             name, name, node));
}

static void
by_node(const Value *object, GPtrArray *ret_strings)
{
    g_ptr_array_add(ret_strings, g_strdup(value_text_at(object, "spec.nodeName")));
}

static void
setup(const char *label_selector)
{
    bench = (Bench){.world = test_world_new(1), .told = g_string_new(NULL)};
    bench.api = fake_api_new(test_world_ports(bench.world, "api"), NULL);
    const Ports *ports = test_world_ports(bench.world, "node-1");
    bench.client = client_new(ports, NULL, fake_api_transport(bench.api, "t"), NULL);
    bench.informer = informer_new(ports, bench.client, "", "pods", NULL, label_selector, NULL);
    informer_add_index(bench.informer, "node", by_node);
    informer_add_handler(bench.informer, &handler, NULL);
    put("a", "n1");
    put("b", "n2");
}

static void
start(void)
{
    informer_start(bench.informer);
    test_world_settle(bench.world);
}

static void
teardown(void)
{
    informer_free(bench.informer);
    client_free(bench.client);
    fake_api_free(bench.api);
    g_string_free(bench.told, TRUE);
    test_world_free(bench.world);
}

static void
check_told(const char *wanted)
{
    ck_assert_str_eq(bench.told->str, wanted);
    g_string_truncate(bench.told, 0);
}

static void
check_index(const char *node, const char *wanted)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const GPtrArray *found = informer_by_index(bench.informer, "node", node);
    for (unsigned i = 0; found != NULL && i < found->len; i++)
        g_string_append_printf(names, "%s;", value_text_at(found->pdata[i], "metadata.name"));
    ck_assert_str_eq(names->str, wanted);
}

START_TEST(the_first_list_is_told_in_key_order_and_then_each_change)
{
    setup(NULL);
    start();
    check_told("first add d/a;first add d/b;synced;");
    ck_assert(informer_has_synced(bench.informer));
    put("c", "n1");
    put("a", "n2");
    fake_api_remove(bench.api, "", "pods", "d", "b");
    test_world_settle(bench.world);
    check_told("add d/c;update d/a;delete d/b;");
    check_index("n1", "c;");
    check_index("n2", "a;");
    check_index("n3", "");
    ck_assert_uint_eq(informer_count(bench.informer), 2);
    ck_assert_ptr_nonnull(informer_get_named(bench.informer, "d", "c"));
    ck_assert_ptr_null(informer_get(bench.informer, "d/b"));
    ck_assert_uint_gt(bench.cause, 0);
    teardown();
}
END_TEST

START_TEST(the_cache_is_the_servers_own_version_when_it_comes_along)
{
    setup(NULL);
    start();
    put("c", "n1");
    test_world_settle(bench.world);
    ck_assert_ptr_eq(informer_state(bench.informer), fake_api_state(bench.api, "", "pods"));
    fake_api_share_state(bench.api, false);
    put("d", "n1");
    test_world_settle(bench.world);
    ck_assert_ptr_ne(informer_state(bench.informer), fake_api_state(bench.api, "", "pods"));
    fake_api_share_state(bench.api, true);
    put("e", "n1");
    test_world_settle(bench.world);
    ck_assert_ptr_eq(informer_state(bench.informer), fake_api_state(bench.api, "", "pods"));
    check_index("n1", "a;c;d;e;");
    teardown();
}
END_TEST

START_TEST(with_a_selector_the_cache_holds_only_what_matches)
{
    setup("app in (a, c)");
    start();
    put("c", "n1");
    fake_api_edit(bench.api, "", "pods", "d", "a", "metadata.labels.app", value_new_string("z"));
    test_world_settle(bench.world);
    check_told("first add d/a;synced;add d/c;delete d/a;");
    ck_assert_uint_eq(informer_count(bench.informer), 1);
    teardown();
}
END_TEST

START_TEST(a_lost_watch_goes_on_where_it_was)
{
    setup(NULL);
    start();
    test_world_run_for(bench.world, 5 * NS_PER_S);
    check_told("first add d/a;first add d/b;synced;");
    fake_api_break_watches(bench.api);
    put("c", "n1");
    test_world_run_for(bench.world, 60 * NS_PER_S);
    check_told("add d/c;");
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "LIST"), 1);
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "WATCH"), 2);
    teardown();
}
END_TEST

START_TEST(after_lost_history_it_lists_anew_and_tells_the_difference)
{
    setup(NULL);
    start();
    test_world_run_for(bench.world, 5 * NS_PER_S);
    check_told("first add d/a;first add d/b;synced;");
    fake_api_break_watches(bench.api);
    put("c", "n1");
    put("a", "n3");
    fake_api_remove(bench.api, "", "pods", "d", "b");
    fake_api_compact(bench.api);
    test_world_run_for(bench.world, 60 * NS_PER_S);
    check_told("update d/a;add d/c;delete d/b;");
    check_index("n3", "a;");
    check_index("n2", "");
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "LIST"), 2);
    teardown();
}
END_TEST

START_TEST(while_the_server_is_down_it_backs_off_and_then_catches_up)
{
    setup(NULL);
    fake_api_set_down(bench.api, true);
    start();
    test_world_run_for(bench.world, 120 * NS_PER_S);
    ck_assert(!informer_has_synced(bench.informer));
    fake_api_set_down(bench.api, false);
    test_world_run_for(bench.world, 61 * NS_PER_S);
    check_told("first add d/a;first add d/b;synced;");
    fake_api_set_down(bench.api, true);
    test_world_run_for(bench.world, 60 * NS_PER_S);
    put("c", "n1");
    fake_api_set_down(bench.api, false);
    test_world_run_for(bench.world, 61 * NS_PER_S);
    check_told("add d/c;");
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "LIST"), 1);
    teardown();
}
END_TEST

START_TEST(a_late_handler_is_told_of_what_is_there)
{
    setup(NULL);
    start();
    g_string_truncate(bench.told, 0);
    informer_add_handler(bench.informer, &handler, NULL);
    check_told("first add d/a;first add d/b;synced;");
    teardown();
}
END_TEST

START_TEST(iteration_keeps_to_its_namespace)
{
    setup(NULL);
    fake_api_put(bench.api, "", "pods",
                 value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: d-2}}"));
    start();
    const char *key;
    InformerIter iter;
    g_autoptr(GString) keys = g_string_new(NULL);
    informer_iter_init(&iter, bench.informer, "d");
    while (informer_iter_next(&iter, &key) != NULL)
        g_string_append_printf(keys, "%s;", key);
    ck_assert_str_eq(keys->str, "d/a;d/b;");
    informer_iter_init(&iter, bench.informer, NULL);
    ck_assert_ptr_nonnull(informer_iter_next(&iter, &key));
    ck_assert_str_eq(key, "d-2/x");
    teardown();
}
END_TEST

static void
count_call(void *data)
{
    (*(int *)data)++;
}

START_TEST(a_factory_shares_informers_and_says_when_all_are_in)
{
    setup(NULL);
    const Ports *ports = test_world_ports(bench.world, "node-2");
    InformerFactory *factory = informer_factory_new(ports, bench.client);
    Informer *pods = informer_factory_get(factory, "", "pods");
    Informer *nodes = informer_factory_get(factory, "", "nodes");
    ck_assert_ptr_ne(pods, nodes);
    ck_assert_ptr_eq(informer_factory_get(factory, "", "pods"), pods);
    int calls = 0;
    informer_factory_start(factory);
    informer_factory_when_synced(factory, count_call, &calls);
    ck_assert_int_eq(calls, 0);
    test_world_settle(bench.world);
    ck_assert_int_eq(calls, 1);
    informer_factory_when_synced(factory, count_call, &calls);
    ck_assert_int_eq(calls, 1);
    test_world_settle(bench.world);
    ck_assert_int_eq(calls, 2);
    informer_factory_free(factory);
    teardown();
}
END_TEST

START_TEST(an_informer_freed_while_listing_hears_nothing)
{
    setup(NULL);
    informer_start(bench.informer);
    informer_free(g_steal_pointer(&bench.informer));
    test_world_settle(bench.world);
    check_told("");
    teardown();
}
END_TEST

TCase *
informer_case(void)
{
    return test_case("informer", the_first_list_is_told_in_key_order_and_then_each_change,
                     the_cache_is_the_servers_own_version_when_it_comes_along,
                     with_a_selector_the_cache_holds_only_what_matches,
                     a_lost_watch_goes_on_where_it_was,
                     after_lost_history_it_lists_anew_and_tells_the_difference,
                     while_the_server_is_down_it_backs_off_and_then_catches_up,
                     a_late_handler_is_told_of_what_is_there, iteration_keeps_to_its_namespace,
                     a_factory_shares_informers_and_says_when_all_are_in,
                     an_informer_freed_while_listing_hears_nothing);
}
