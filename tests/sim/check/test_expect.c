#include "sim/check/expect.h"
#include "tests/sim/check/small.h"

TCase *expect_suite(void);

typedef struct Case {
    const char *expect;
    bool met;
    const char *reason; /* part of it */
} Case;

static const Case CASES[] = {
    {"{kind: Deployment, name: web}", true, "1 found"},
    {"{kind: deploy, name: web, exists: true}", true, NULL},
    {"{kind: Deployment, name: api}", false, "expected at least 1, found 0"},
    {"{kind: Deployment, name: api, absent: true}", true, NULL},
    {"{kind: Deployment, name: web, absent: true}", false, "expected none, found 1"},
    {"{kind: Pod, selector: app=web, count: 2}", true, NULL},
    {"{kind: Pod, selector: app=web, count: 3}", false, "expected 3, found 2"},
    {"{kind: Pod, selector: app=web, atLeast: 1, atMost: 2}", true, NULL},
    {"{kind: Pod, selector: app=web, atLeast: 3}", false, "expected at least 3, found 2"},
    {"{kind: Pod, selector: app=web, condition: Ready}", true, NULL},
    {"{kind: Pod, selector: app=web, condition: Ready=False}", false, "condition Ready is True"},
    {"{kind: Pod, selector: app=web, condition: Ready!=False}", true, NULL},
    {"{kind: Pod, selector: app=web, condition: Flying}", false, "has no condition Flying"},
    {"{kind: Pod, namespace: kube-system, selector: app=web}", false, NULL},
    {"{kind: Pod, namespace: '*', selector: app=web, count: 2}", true, NULL},
    {"{kind: Node, name: worker-1, condition: Ready}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.spec.replicas}', equals: 2}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.spec.replicas}', equals: 3}", false, "is \"2\", expected equals \"3\""},
    {"{kind: Deployment, name: web, jsonpath: '{.spec.replicas}', notEquals: 3}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.spec.replicas}', atLeast: 2, atMost: 2}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.spec.replicas}', atLeast: 3}", false, "atLeast"},
    {"{kind: Deployment, name: web, jsonpath: '{.status.unavailableReplicas}', atMost: 0}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.metadata.labels.tier}', oneOf: [back, front]}", true, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.metadata.labels.tier}', oneOf: [back]}", false, NULL},
    {"{kind: Deployment, name: web, jsonpath: '{.metadata.labels.tier}', contains: ron}", true, NULL},
    {"{kind: Pod, selector: app=web, where: {spec.nodeName: worker-1}, count: 1}", true, NULL},
    {"{kind: Pod, selector: app=web, where: {spec.nodeName: {not: worker-1}}, count: 1}", true, NULL},
    {"{kind: Pod, where: {status.phase: {oneOf: [Running, Pending]}}, count: 2}", true, NULL},
    {"{event: {reason: Started, object: 'Pod/web-*'}}", true, NULL},
    {"{event: {reason: Started, type: Warning}}", false, NULL},
    {"{event: {reason: Scheduled, message: worker-1}}", true, NULL},
    {"{all: [{kind: Node, name: worker-1}, {kind: Node, name: worker-9}]}", false, "worker-9"},
    {"{any: [{kind: Node, name: worker-9}, {kind: Node, name: worker-1}]}", true, NULL},
    {"{any: [{kind: Node, name: worker-8}, {kind: Node, name: worker-9}]}", false, "; and "},
    {"{not: {kind: Node, name: worker-9}}", true, NULL},
    {"{not: {kind: Node, name: worker-1}}", false, "not expected"},
};

START_TEST(expectations_hold_or_say_what_was_found)
{
    g_autoptr(World) world = small_world(WEB);
    world_run_for(world, 30 * NS_PER_S);
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(Value) expect = yaml(CASES[i].expect);
        g_autoptr(GError) error = NULL;
        g_auto(ExpectResult) result = {0};
        ck_assert_msg(expect_validate(expect, world_types(world), "expect", &error), "%s: %s", CASES[i].expect,
                      error != NULL ? error->message : "");
        expect_check(world, expect, &result);
        ck_assert_msg(result.met == CASES[i].met, "%s: %s", CASES[i].expect, result.reason);
        ck_assert_msg(CASES[i].reason == NULL || strstr(result.reason, CASES[i].reason) != NULL, "%s: %s",
                      CASES[i].expect, result.reason);
    }
}
END_TEST

START_TEST(an_unmet_expectation_names_whom_to_ask_why)
{
    g_autoptr(World) world = small_world(WEB);
    g_autoptr(Value) gone = yaml("{kind: Pod, name: lost}"), scaled = yaml("{kind: Deployment, name: web, condition: No}");
    g_auto(ExpectResult) result = {0};
    expect_check(world, gone, &result);
    ck_assert_str_eq(result.subject, "Pod/default/lost");
    expect_check(world, scaled, &result);
    ck_assert_str_eq(result.subject, "Deployment/default/web");
}
END_TEST

static const char *const REFUSED[][2] = {
    {"{kind: Pod, colour: red}", "here.colour: unknown field"},
    {"{kind: Deploymant}", "here.kind: \"Deploymant\" is unknown; near it are"},
    {"{name: web}", "here.kind: required"},
    {"{kind: Pod, selector: 'a in ('}", "here.selector: "},
    {"{kind: Pod, jsonpath: '{.a[}'}", "here.jsonpath: "},
    {"{kind: Pod, where: {'{.a[}': b}}", "here.where: "},
    {"{all: []}", "here.all: must be a list"},
    {"{all: [{kind: Pod}, {kind: Nope}]}", "here.all[1].kind"},
    {"{not: []}", "here.not: must be a map"},
    {"[]", "here: must be a map"},
    {"{event: Killing}", "here.event: must be a map"},
};

START_TEST(malformed_expectations_are_refused_by_field)
{
    g_autoptr(ApiTypes) types = api_types_new();
    for (size_t i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
        g_autoptr(Value) expect = yaml(REFUSED[i][0]);
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!expect_validate(expect, types, "here", &error), "%s", REFUSED[i][0]);
        ck_assert_msg(g_str_has_prefix(error->message, REFUSED[i][1]), "%s: %s", REFUSED[i][0], error->message);
    }
}
END_TEST

TCase *
expect_suite(void)
{
    return test_case("expect", expectations_hold_or_say_what_was_found, an_unmet_expectation_names_whom_to_ask_why,
                     malformed_expectations_are_refused_by_field);
}
