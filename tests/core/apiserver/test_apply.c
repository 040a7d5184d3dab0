#include "tests/core/apiserver/fixture.h"
#include "tests/core/apiserver/suites.h"

static const Value *
apply(Fixture *f, const char *manager, bool force, const char *body)
{
    ApiRequest *request = request_new(f, API_VERB_PATCH, "deployments.apps", "default", "d", body);

    request->patch_type = PATCH_APPLY;
    request->field_manager = g_strdup(manager);
    request->force = force;
    return send_request(f, request);
}

#define HEAD "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d"
#define SPEC                                                                                       \
    "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: "  \
    "[{name: c, image: "

START_TEST(applying_creates_owns_and_conflicts)
{
    Fixture *f = fixture_new();

    apply(f, "one", false, HEAD "}, spec: {replicas: 2, " SPEC "nginx}]}}}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ck_assert_str_eq(value_text_at(f->response->object, "metadata.managedFields[0].manager"),
                     "one");
    ck_assert_str_eq(value_text_at(f->response->object, "metadata.managedFields[0].operation"),
                     "Apply");
    apply(f, "one", false, HEAD "}, spec: {replicas: 2, " SPEC "nginx}]}}}}");
    ck_assert_int_eq(code(f), 200);
    apply(f, "two", false, HEAD "}, spec: {replicas: 5}}");
    ck_assert_int_eq(code(f), 409);
    ck_assert_str_eq(
        said(f),
        "Apply failed with 1 conflict: conflict with \"one\" using apps/v1: .spec.replicas");
    ck_assert_str_eq(value_text_at(f->response->object, "details.causes[0].reason"),
                     "FieldManagerConflict");
    apply(f, "two", true, HEAD "}, spec: {replicas: 5}}");
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_int_eq(value_int_at(f->response->object, "spec.replicas"), 5);
    /* One no longer owns the replicas: leaving them out does not take them away. */
    apply(f, "one", false, HEAD "}, spec: {" SPEC "nginx}]}}}}");
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_int_eq(value_int_at(f->response->object, "spec.replicas"), 5);
    fixture_free(f);
}
END_TEST

START_TEST(what_a_manager_leaves_out_goes)
{
    Fixture *f = fixture_new();

    apply(f, "one", false, HEAD ", labels: {x: y, z: w}}, spec: {" SPEC "nginx}]}}}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    apply(f, "one", false,
          HEAD ", labels: {x: y}}, spec: {" SPEC "nginx, env: [{name: A, value: B}]}]}}}}");
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_ptr_null(object_label(f->response->object, "z"));
    ck_assert_str_eq(object_label(f->response->object, "x"), "y");
    ck_assert_uint_eq(value_size(value_at(f->response->object, "spec.template.spec.containers")),
                      1);
    ck_assert_str_eq(
        value_text_at(f->response->object, "spec.template.spec.containers[0].env[0].value"), "B");
    ck_assert_str_eq(
        value_text_at(f->response->object, "spec.template.spec.containers[0].imagePullPolicy"),
        "Always");
    fixture_free(f);
}
END_TEST

START_TEST(an_update_is_noted_with_the_fields_that_it_changed)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    ask(f, API_VERB_CREATE, "configmaps", "default", NULL, "{metadata: {name: a}, data: {k: v}}");
    ck_assert(value_at(f->response->object,
                       "metadata.managedFields[0].fieldsV1['f:data']['f:k']") != NULL);
    request = request_new(f, API_VERB_PATCH, "configmaps", "default", "a", "{data: {k: w}}");
    request->patch_type = PATCH_MERGE;
    request->field_manager = g_strdup("editor");
    send_request(f, request);
    ck_assert_uint_eq(value_size(value_at(f->response->object, "metadata.managedFields")), 2);
    ck_assert_str_eq(value_text_at(f->response->object, "metadata.managedFields[1].manager"),
                     "editor");
    ck_assert(value_at(f->response->object,
                       "metadata.managedFields[0].fieldsV1['f:data']['f:k']") == NULL);
    fixture_free(f);
}
END_TEST

TCase *
apply_case(void)
{
    return test_case("apply", applying_creates_owns_and_conflicts, what_a_manager_leaves_out_goes,
                     an_update_is_noted_with_the_fields_that_it_changed);
}
