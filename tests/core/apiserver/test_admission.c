#include "tests/core/apiserver/fixture.h"
#include "tests/core/apiserver/suites.h"

START_TEST(a_limit_range_gives_defaults_and_bounds)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "limitranges", "default", NULL,
        "{metadata: {name: l}, spec: {limits: [{type: Container, default: {cpu: 500m}, "
        "defaultRequest: {cpu: 100m}, "
        "max: {cpu: '1'}}]}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    make_pod(f, "a");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ck_assert_str_eq(value_text_at(f->response->object, "spec.containers[0].resources.limits.cpu"),
                     "500m");
    ck_assert_str_eq(
        value_text_at(f->response->object, "spec.containers[0].resources.requests.cpu"), "100m");
    ck_assert_str_eq(
        object_annotation(f->response->object, "kubernetes.io/limit-ranger"),
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c");
    ask(f, API_VERB_CREATE, "pods", "default", NULL,
        "{metadata: {name: b}, spec: {containers: [{name: c, image: x, resources: {limits: {cpu: "
        "'2'}}}]}}");
    ck_assert_int_eq(code(f), 403);
    ck_assert_str_eq(
        said(f), "pods \"b\" is forbidden: maximum cpu usage per Container is 1, but limit is 2");
    fixture_free(f);
}
END_TEST

START_TEST(a_quota_counts_and_refuses)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "resourcequotas", "default", NULL,
        "{metadata: {name: q}, spec: {hard: {pods: '1', configmaps: '0'}}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    make_pod(f, "a");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    make_pod(f, "b");
    ck_assert_int_eq(code(f), 403);
    ck_assert_str_eq(said(f), "pods \"b\" is forbidden: exceeded quota: q, requested: pods=1, "
                              "used: pods=1, limited: pods=1");
    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: c}}");
    ck_assert_int_eq(code(f), 403);
    fixture_free(f);
}
END_TEST

START_TEST(a_pod_needs_a_class_and_an_account_that_exist)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "pods", "default", NULL,
        "{metadata: {name: b}, spec: {priorityClassName: none, containers: [{name: c, image: "
        "x}]}}");
    ck_assert_str_eq(said(f), "pods \"b\" is forbidden: no PriorityClass with name none was found");
    ask(f, API_VERB_CREATE, "pods", "default", NULL,
        "{metadata: {name: b}, spec: {serviceAccountName: none, containers: [{name: c, image: "
        "x}]}}");
    ck_assert_str_eq(said(f), "pods \"b\" is forbidden: error looking up service account "
                              "default/none: serviceaccount \"none\" "
                              "not found");
    ask(f, API_VERB_CREATE, "pods", "kube-system", NULL,
        "{metadata: {name: b}, spec: {priorityClassName: system-node-critical, containers: [{name: "
        "c, image: x}]}}");
    ck_assert_int_eq(code(f), 403); /* kube-system has no default account yet */
    fixture_free(f);
}
END_TEST

START_TEST(services_get_addresses_and_ports_and_give_them_back)
{
    Fixture *f = fixture_new();
    g_autofree char *first = NULL;

    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}], "
        "selector: {x: y}}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    first = g_strdup(value_text_at(f->response->object, "spec.clusterIP"));
    ck_assert(g_str_has_prefix(first, "10."));
    ck_assert_str_eq(value_text_at(f->response->object, "spec.clusterIPs[0]"), first);
    ck_assert_str_eq(value_text_at(f->response->object, "spec.ipFamilies[0]"), "IPv4");
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}}");
    ck_assert_int_eq(code(f), 422);
    ck_assert_str_eq(said(f), "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: "
                              "30080: provided port is already "
                              "allocated");
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: b}, spec: {clusterIP: '1.2.3.4', ports: [{port: 80}]}}");
    ck_assert_int_eq(code(f), 422);
    ask(f, API_VERB_DELETE, "services", "default", "a", NULL);
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: b}, spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ask(f, API_VERB_CREATE, "services", "default", NULL,
        "{metadata: {name: h}, spec: {clusterIP: None, ports: [{port: 80}]}}");
    ck_assert_str_eq(value_text_at(f->response->object, "spec.clusterIPs[0]"), "None");
    fixture_free(f);
}
END_TEST

START_TEST(a_scale_changes_the_replicas_of_its_workload)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    ask(f, API_VERB_CREATE, "deployments.apps", "default", NULL,
        "{metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: "
        "{labels: {a: b}}, spec: "
        "{containers: [{name: c, image: nginx}]}}}}");
    ask(f, API_VERB_GET, "deployments.apps/scale", "default", "d", NULL);
    ck_assert_str_eq(object_kind(f->response->object), "Scale");
    ck_assert_str_eq(value_text_at(f->response->object, "status.selector"), "a=b");
    request = request_new(f, API_VERB_PATCH, "deployments.apps/scale", "default", "d",
                          "{spec: {replicas: 5}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_int_eq(value_int_at(f->response->object, "spec.replicas"), 5);
    ask(f, API_VERB_GET, "deployments.apps", "default", "d", NULL);
    ck_assert_int_eq(value_int_at(f->response->object, "spec.replicas"), 5);
    ck_assert_int_eq(object_generation(f->response->object), 2);
    fixture_free(f);
}
END_TEST

START_TEST(events_are_one_thing_under_two_groups_and_expire)
{
    Fixture *f = fixture_new();

    ask(f, API_VERB_CREATE, "events", "default", NULL,
        "{metadata: {name: e}, involvedObject: {kind: Pod, name: a, namespace: default}, reason: "
        "Killing, message: bye, type: "
        "Normal, count: 1}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ask(f, API_VERB_GET, "events.events.k8s.io", "default", "e", NULL);
    ck_assert_str_eq(value_text_at(f->response->object, "regarding.name"), "a");
    ck_assert_str_eq(value_text_at(f->response->object, "note"), "bye");
    test_world_run_for(f->world, 3601 * NS_PER_S);
    ask(f, API_VERB_GET, "events", "default", "e", NULL);
    ck_assert_int_eq(code(f), 404);
    fixture_free(f);
}
END_TEST

TCase *
admission_case(void)
{
    return test_case("admission", a_limit_range_gives_defaults_and_bounds,
                     a_quota_counts_and_refuses, a_pod_needs_a_class_and_an_account_that_exist,
                     services_get_addresses_and_ports_and_give_them_back,
                     a_scale_changes_the_replicas_of_its_workload,
                     events_are_one_thing_under_two_groups_and_expire);
}
