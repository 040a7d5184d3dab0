#include "tests/core/apiserver/fixture.h"
#include "tests/core/apiserver/suites.h"

static void
bind(Fixture *f, const char *pod)
{
    ask(f, API_VERB_CREATE, "pods/binding", "default", pod, "{target: {kind: Node, name: n1}}");
}

START_TEST(a_pod_on_no_node_goes_at_once)
{
    Fixture *f = fixture_new();

    make_pod(f, "a");
    ask(f, API_VERB_DELETE, "pods", "default", "a", NULL);
    ck_assert_int_eq(code(f), 200);
    ask(f, API_VERB_GET, "pods", "default", "a", NULL);
    ck_assert_int_eq(code(f), 404);
    fixture_free(f);
}
END_TEST

START_TEST(a_bound_pod_gets_its_grace_period_which_can_only_shrink)
{
    Fixture *f = fixture_new();

    make_pod(f, "a");
    bind(f, "a");
    ask(f, API_VERB_DELETE, "pods", "default", "a", NULL);
    ck_assert_int_eq(value_int_at(f->response->object, "metadata.deletionGracePeriodSeconds"), 30);
    ck_assert_str_eq(value_text_at(f->response->object, "metadata.deletionTimestamp"),
                     "2026-01-01T00:00:30Z");
    ask(f, API_VERB_DELETE, "pods", "default", "a", "{gracePeriodSeconds: 60}");
    ck_assert_int_eq(value_int_at(f->response->object, "metadata.deletionGracePeriodSeconds"), 30);
    ask(f, API_VERB_DELETE, "pods", "default", "a", "{gracePeriodSeconds: 5}");
    ck_assert_str_eq(value_text_at(f->response->object, "metadata.deletionTimestamp"),
                     "2026-01-01T00:00:05Z");
    ask(f, API_VERB_DELETE, "pods", "default", "a", "{gracePeriodSeconds: 0}");
    ask(f, API_VERB_GET, "pods", "default", "a", NULL);
    ck_assert_int_eq(code(f), 404);
    fixture_free(f);
}
END_TEST

START_TEST(an_object_with_finalizers_waits_for_the_last_of_them)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL,
        "{metadata: {name: a, finalizers: ['x.io/y']}}");
    ask(f, API_VERB_DELETE, "configmaps", "default", "a", NULL);
    ck_assert(object_is_deleting(f->response->object));
    request = request_new(f, API_VERB_PATCH, "configmaps", "default", "a",
                          "{metadata: {finalizers: null}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_int_eq(code(f), 200);
    ask(f, API_VERB_GET, "configmaps", "default", "a", NULL);
    ck_assert_int_eq(code(f), 404);
    fixture_free(f);
}
END_TEST

START_TEST(the_propagation_policy_becomes_a_finalizer)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a}}");
    ask(f, API_VERB_DELETE, "configmaps", "default", "a", "{propagationPolicy: Foreground}");
    ck_assert(object_has_finalizer(f->response->object, "foregroundDeletion"));
    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: b}}");
    ask(f, API_VERB_DELETE, "configmaps", "default", "b", "{propagationPolicy: Background}");
    ck_assert_str_eq(value_text_at(f->response->object, "status"), "Success");
    ck_assert_str_eq(value_text_at(f->response->object, "details.name"), "b");
    fixture_free(f);
}
END_TEST

START_TEST(a_wrong_uid_in_the_precondition_conflicts)
{
    Fixture *f = fixture_new();

    make_pod(f, "a");
    ask(f, API_VERB_DELETE, "pods", "default", "a", "{preconditions: {uid: other}}");
    ck_assert_int_eq(code(f), 409);
    fixture_free(f);
}
END_TEST

START_TEST(a_namespace_terminates_until_it_is_finalized_and_takes_nothing_new)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "namespaces", NULL, NULL, "{metadata: {name: shop}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ask(f, API_VERB_DELETE, "namespaces", NULL, "shop", NULL);
    ck_assert_str_eq(value_text_at(f->response->object, "status.phase"), "Terminating");
    ask(f, API_VERB_CREATE, "configmaps", "shop", NULL, "{metadata: {name: a}}");
    ck_assert_int_eq(code(f), 403);
    ck_assert_str_eq(said(f), "configmaps \"a\" is forbidden: unable to create new content in "
                              "namespace shop because it is "
                              "being terminated");
    ask(f, API_VERB_UPDATE, "namespaces/finalize", NULL, "shop",
        "{metadata: {name: shop}, spec: {}}");
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ask(f, API_VERB_GET, "namespaces", NULL, "shop", NULL);
    ck_assert_int_eq(code(f), 404);
    ask(f, API_VERB_DELETE, "namespaces", NULL, "default", NULL);
    ck_assert_int_eq(code(f), 403);
    fixture_free(f);
}
END_TEST

START_TEST(deleting_a_collection_deletes_what_is_selected)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a, labels: {x: y}}}");
    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: b}}");
    request = request_new(f, API_VERB_DELETECOLLECTION, "configmaps", "default", NULL, NULL);
    request->list.label_selector = g_strdup("x=y");
    send_request(f, request);
    ck_assert_int_eq(code(f), 200);
    ask(f, API_VERB_LIST, "configmaps", "default", NULL, NULL);
    ck_assert_uint_eq(value_size(value_get(f->response->object, "items")), 1);
    fixture_free(f);
}
END_TEST

START_TEST(an_eviction_asks_the_budget)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    make_pod(f, "a");
    request =
        request_new(f, API_VERB_PATCH, "pods/status", "default", "a", "{status: {phase: Running}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ask(f, API_VERB_CREATE, "poddisruptionbudgets.policy", "default", NULL,
        "{metadata: {name: p}, spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    request = request_new(f, API_VERB_PATCH, "poddisruptionbudgets.policy/status", "default", "p",
                          "{status: {observedGeneration: 1, disruptionsAllowed: 0}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ask(f, API_VERB_CREATE, "pods/eviction", "default", "a", "{metadata: {name: a}}");
    ck_assert_int_eq(code(f), 429);
    ck_assert_str_eq(said(f), "Cannot evict pod as it would violate the pod's disruption budget.");
    ck_assert_str_eq(value_text_at(f->response->object, "details.causes[0].reason"),
                     "DisruptionBudget");
    ask(f, API_VERB_DELETE, "poddisruptionbudgets.policy", "default", "p", NULL);
    ask(f, API_VERB_CREATE, "pods/eviction", "default", "a", "{metadata: {name: a}}");
    ck_assert_int_eq(code(f), 201);
    fixture_free(f);
}
END_TEST

TCase *
delete_case(void)
{
    return test_case("delete", a_pod_on_no_node_goes_at_once,
                     a_bound_pod_gets_its_grace_period_which_can_only_shrink,
                     an_object_with_finalizers_waits_for_the_last_of_them,
                     the_propagation_policy_becomes_a_finalizer,
                     a_wrong_uid_in_the_precondition_conflicts,
                     a_namespace_terminates_until_it_is_finalized_and_takes_nothing_new,
                     deleting_a_collection_deletes_what_is_selected, an_eviction_asks_the_budget);
}
