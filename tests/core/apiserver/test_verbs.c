#include "tests/core/apiserver/fixture.h"
#include "tests/core/apiserver/suites.h"

START_TEST(a_new_server_has_the_namespaces_service_and_classes_of_the_system)
{
    Fixture *f = fixture_new();

    ck_assert_uint_eq(
        value_size(value_get(ask(f, API_VERB_LIST, "namespaces", NULL, NULL, NULL), "items")), 4);
    ask(f, API_VERB_GET, "services", "default", "kubernetes", NULL);
    ck_assert_str_eq(value_text_at(f->response->object, "spec.clusterIP"), "10.96.0.1");
    ask(f, API_VERB_GET, "priorityclasses.scheduling.k8s.io", NULL, "system-node-critical", NULL);
    ck_assert_int_eq(value_int_at(f->response->object, "value"), 2000001000);
    ask(f, API_VERB_GET, "endpointslices.discovery.k8s.io", "default", "kubernetes", NULL);
    ck_assert_int_eq(code(f), 200);
    fixture_free(f);
}
END_TEST

START_TEST(creating_fills_in_what_the_server_decides)
{
    Fixture *f = fixture_new();
    const Value *pod = make_pod(f, "web");

    ck_assert_msg(code(f) == 201, "%s", said(f));
    ck_assert_uint_eq(strlen(object_uid(pod)), 36);
    ck_assert_str_eq(value_text_at(pod, "metadata.creationTimestamp"), "2026-01-01T00:00:00Z");
    ck_assert_str_eq(object_namespace(pod), "default");
    ck_assert_str_eq(value_text_at(pod, "status.phase"), "Pending");
    ck_assert_str_eq(value_text_at(pod, "spec.restartPolicy"), "Always");
    ck_assert_str_eq(value_text_at(pod, "spec.serviceAccountName"), "default");
    ck_assert_int_eq(value_int_at(pod, "spec.priority"), 0);
    ck_assert_uint_eq(value_size(value_at(pod, "spec.tolerations")), 2);
    ck_assert_uint_eq(value_size(value_at(pod, "spec.containers[0].volumeMounts")), 1);
    ck_assert(object_resource_version(pod) > 0);
    fixture_free(f);
}
END_TEST

START_TEST(creating_what_exists_is_refused)
{
    Fixture *f = fixture_new();

    make_pod(f, "web");
    make_pod(f, "web");
    ck_assert_int_eq(code(f), 409);
    ck_assert_str_eq(said(f), "pods \"web\" already exists");
    fixture_free(f);
}
END_TEST

START_TEST(a_generated_name_has_the_prefix_and_five_more)
{
    Fixture *f = fixture_new();
    const Value *map =
        ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {generateName: 'c-'}}");

    ck_assert_msg(code(f) == 201, "%s", said(f));
    ck_assert_uint_eq(strlen(object_name(map)), 7);
    fixture_free(f);
}
END_TEST

START_TEST(what_is_missing_is_not_found)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_GET, "pods", "default", "none", NULL);
    ck_assert_int_eq(code(f), 404);
    ck_assert_str_eq(said(f), "pods \"none\" not found");
    ask(f, API_VERB_CREATE, "configmaps", "nowhere", NULL, "{metadata: {name: a}}");
    ck_assert_str_eq(said(f), "namespaces \"nowhere\" not found");
    ask(f, API_VERB_GET, "deployments.apps", "default", "d", NULL);
    ck_assert_str_eq(said(f), "deployments.apps \"d\" not found");
    fixture_free(f);
}
END_TEST

START_TEST(an_unknown_field_warns_or_refuses_as_asked)
{
    Fixture *f = fixture_new();
    ApiRequest *request = request_new(f, API_VERB_CREATE, "configmaps", "default", NULL,
                                      "{metadata: {name: a}, dta: {}}");

    request->field_validation = FIELD_VALIDATION_STRICT;
    send_request(f, request);
    ck_assert_int_eq(code(f), 400);
    ck_assert_str_eq(said(f), "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: "
                              "strict decoding error: unknown "
                              "field \"dta\"");
    request = request_new(f, API_VERB_CREATE, "configmaps", "default", NULL,
                          "{metadata: {name: a}, dta: {}}");
    request->field_validation = FIELD_VALIDATION_WARN;
    send_request(f, request);
    ck_assert_int_eq(code(f), 201);
    ck_assert_str_eq(f->response->warnings[0], "unknown field \"dta\"");
    fixture_free(f);
}
END_TEST

START_TEST(an_update_with_an_old_resource_version_conflicts)
{
    Fixture *f = fixture_new();
    Value *map = value_ref(ask(f, API_VERB_CREATE, "configmaps", "default", NULL,
                               "{metadata: {name: a}, data: {k: v}}"));
    ApiRequest *request;

    for (int i = 0; i < 2; i++) {
        request = request_new(f, API_VERB_UPDATE, "configmaps", "default", "a", NULL);
        request->body = value_set_at(map, "data.k", value_new_string(i == 0 ? "w" : "x"));
        send_request(f, request);
        ck_assert_int_eq(code(f), i == 0 ? 200 : 409);
    }
    ck_assert_str_eq(said(f), "Operation cannot be fulfilled on configmaps \"a\": the object has "
                              "been modified; please apply "
                              "your changes to the latest version and try again");
    ask(f, API_VERB_UPDATE, "configmaps", "default", "a", "{metadata: {name: a}, data: {k: y}}");
    ck_assert_int_eq(code(f), 200);
    value_unref(map);
    fixture_free(f);
}
END_TEST

START_TEST(an_update_that_changes_nothing_is_not_written)
{
    Fixture *f = fixture_new();
    int64_t revision;

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a}, data: {k: v}}");
    revision = store_revision(f->store);
    ask(f, API_VERB_UPDATE, "configmaps", "default", "a", "{metadata: {name: a}, data: {k: v}}");
    ck_assert_int_eq(code(f), 200);
    ck_assert_int_eq(store_revision(f->store), revision);
    fixture_free(f);
}
END_TEST

START_TEST(a_change_of_the_spec_counts_the_generation_and_status_stays_apart)
{
    static const char *body =
        "{metadata: {name: d}, spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: "
        "{metadata: "
        "{labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}, status: {replicas: 9}}";
    Fixture *f = fixture_new();
    ApiRequest *request;

    ask(f, API_VERB_CREATE, "deployments.apps", "default", NULL, body);
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ck_assert_int_eq(object_generation(f->response->object), 1);
    ck_assert_int_eq(value_int_at(f->response->object, "status.replicas"), 0);
    request =
        request_new(f, API_VERB_PATCH, "deployments.apps", "default", "d", "{spec: {replicas: 3}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_int_eq(object_generation(f->response->object), 2);
    request = request_new(f, API_VERB_PATCH, "deployments.apps/status", "default", "d",
                          "{spec: {replicas: 7}, status: {replicas: 3}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_int_eq(code(f), 200);
    ck_assert_int_eq(object_generation(f->response->object), 2);
    ck_assert_int_eq(value_int_at(f->response->object, "spec.replicas"), 3);
    ck_assert_int_eq(value_int_at(f->response->object, "status.replicas"), 3);
    fixture_free(f);
}
END_TEST

START_TEST(patches_of_three_kinds_change_the_object)
{
    static const struct {
        PatchType type;
        const char *body;
        const char *want;
    } cases[] = {
        {PATCH_JSON, "[{op: replace, path: '/data/k', value: j}]", "j"},
        {PATCH_MERGE, "{data: {k: m}}", "m"},
        {PATCH_STRATEGIC, "{data: {k: s}}", "s"},
    };
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a}, data: {k: v}}");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ApiRequest *request =
            request_new(f, API_VERB_PATCH, "configmaps", "default", "a", cases[i].body);

        request->patch_type = cases[i].type;
        send_request(f, request);
        ck_assert_msg(code(f) == 200, "%s", said(f));
        ck_assert_str_eq(value_text_at(f->response->object, "data.k"), cases[i].want);
    }
    fixture_free(f);
}
END_TEST

START_TEST(a_dry_run_answers_and_stores_nothing)
{
    Fixture *f = fixture_new();
    ApiRequest *request =
        request_new(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a}}");

    request->dry_run = true;
    send_request(f, request);
    ck_assert_int_eq(code(f), 201);
    ask(f, API_VERB_GET, "configmaps", "default", "a", NULL);
    ck_assert_int_eq(code(f), 404);
    fixture_free(f);
}
END_TEST

START_TEST(a_list_has_pages_that_are_of_one_moment)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    for (int i = 0; i < 5; i++) {
        request = request_new(f, API_VERB_CREATE, "configmaps", "default", NULL, NULL);
        request->body = value_new_f("{metadata: {name: %V}}", value_new_stringf("m%d", i));
        send_request(f, request);
    }
    request = request_new(f, API_VERB_LIST, "configmaps", "default", NULL, NULL);
    request->list.limit = 2;
    send_request(f, request);
    ck_assert_uint_eq(value_size(value_get(f->response->object, "items")), 2);
    ck_assert_int_eq(value_int_at(f->response->object, "metadata.remainingItemCount"), 3);
    request = request_new(f, API_VERB_LIST, "configmaps", "default", NULL, NULL);
    request->list.limit = 10;
    request->list.continue_token =
        g_strdup(value_text_at(f->response->object, "metadata.continue"));
    ask(f, API_VERB_DELETE, "configmaps", "default", "m3", NULL);
    send_request(f, request);
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_uint_eq(value_size(value_get(f->response->object, "items")), 3);
    ck_assert_str_eq(value_text_at(f->response->object, "items[1].metadata.name"), "m3");
    fixture_free(f);
}
END_TEST

START_TEST(an_unknown_field_selector_is_refused_by_name)
{
    Fixture *f = fixture_new();
    ApiRequest *request = request_new(f, API_VERB_LIST, "configmaps", "default", NULL, NULL);

    request->list.field_selector = g_strdup("spec.foo=bar");
    send_request(f, request);
    ck_assert_int_eq(code(f), 400);
    ck_assert(g_str_has_suffix(said(f), "field label not supported: spec.foo"));
    fixture_free(f);
}
END_TEST

START_TEST(anonymous_users_are_forbidden)
{
    Fixture *f = fixture_new();
    ApiRequest *request = request_new(f, API_VERB_LIST, "pods", "default", NULL, NULL);

    api_user_unref(request->user);
    request->user = NULL;
    send_request(f, request);
    ck_assert_int_eq(code(f), 403);
    ck_assert_str_eq(said(f), "pods is forbidden: User \"system:anonymous\" cannot list resource "
                              "\"pods\" in API group \"\" in "
                              "the namespace \"default\"");
    fixture_free(f);
}
END_TEST

START_TEST(two_servers_of_one_store_see_the_same_and_share_addresses)
{
    Fixture *f = fixture_new();
    ApiServer *other = api_server_new(f->ports, f->types, f->store, NULL), *first = f->server;

    f->server = other;
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: a}, spec: {clusterIP: '10.96.0.77', ports: [{port: 80}]}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    f->server = first;
    ask(f, API_VERB_GET, "services", "default", "a", NULL);
    ck_assert_int_eq(code(f), 200);
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: b}, spec: {clusterIP: '10.96.0.77', ports: [{port: 80}]}}");
    ck_assert_int_eq(code(f), 422);
    api_server_free(other);
    ask(f, API_VERB_DELETE, "services", "default", "a", NULL);
    ck_assert_int_eq(code(f), 200);
    fixture_free(f);
}
END_TEST

START_TEST(a_server_that_dies_before_the_sync_answers_no_more)
{
    Fixture *f = fixture_new();
    StoreOptions options = {.clock = f->ports->clock};
    Store *store = store_new(&options, store_driver_memory_new(f->ports->clock, NS_PER_MS), NULL);
    ApiServer *server = api_server_new(f->ports, f->types, store, NULL);
    ApiServer *kept = f->server;
    int before;

    test_world_settle(f->world);
    f->server = server;
    before = code(f);
    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: dies}}");
    ck_assert_int_eq(code(f), before);
    api_server_free(server);
    f->server = kept;
    test_world_settle(f->world);
    ck_assert_int_eq(code(f), before);
    ck_assert_ptr_nonnull(
        pmap_get(store_committed(store_bucket(store, "configmaps")), "default/dies"));
    store_free(store);
    fixture_free(f);
}
END_TEST

START_TEST(ephemeral_containers_come_and_stay)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    make_pod(f, "a");
    request = request_new(f, API_VERB_PATCH, "pods/ephemeralcontainers", "default", "a",
                          "{spec: {ephemeralContainers: [{name: d, image: busybox}]}}");
    request->patch_type = PATCH_STRATEGIC;
    send_request(f, request);
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_str_eq(value_text_at(f->response->object, "spec.ephemeralContainers[0].image"),
                     "busybox");
    ck_assert_int_eq(object_generation(f->response->object), 2);
    request = request_new(f, API_VERB_PATCH, "pods/ephemeralcontainers", "default", "a",
                          "{spec: {ephemeralContainers: null}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_int_eq(code(f), 422);
    ck_assert_str_eq(said(f), "Pod \"a\" is invalid: spec.ephemeralContainers: Forbidden: existing "
                              "ephemeral containers \"d\" may not be removed");
    fixture_free(f);
}
END_TEST

TCase *
verbs_case(void)
{
    return test_case(
        "verbs", a_new_server_has_the_namespaces_service_and_classes_of_the_system,
        creating_fills_in_what_the_server_decides, creating_what_exists_is_refused,
        a_generated_name_has_the_prefix_and_five_more, what_is_missing_is_not_found,
        an_unknown_field_warns_or_refuses_as_asked,
        an_update_with_an_old_resource_version_conflicts,
        an_update_that_changes_nothing_is_not_written,
        a_change_of_the_spec_counts_the_generation_and_status_stays_apart,
        patches_of_three_kinds_change_the_object, a_dry_run_answers_and_stores_nothing,
        a_list_has_pages_that_are_of_one_moment, an_unknown_field_selector_is_refused_by_name,
        anonymous_users_are_forbidden, two_servers_of_one_store_see_the_same_and_share_addresses,
        a_server_that_dies_before_the_sync_answers_no_more, ephemeral_containers_come_and_stay);
}
