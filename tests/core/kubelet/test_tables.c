/* Pure parts: what a pod needs next, phases, back-off, patches, expansion, the size of things. */
#include "core/base/text.h"
#include "core/kubelet/internal.h"
#include "tests/core/kubelet/suites.h"
#include "tests/support/runner.h"

/* Containers of a case: "name state exit" joined by commas; state r(unning), e(xited), c(reated). All in sandbox s. */
static RuntimeView *
view_of(const char *containers, const char *sandbox)
{
    RuntimeView *view = runtime_view_new_empty();
    if (sandbox != NULL)
        runtime_view_add_sandbox(view, &(PodSandboxStatus){.id = "s", .pod_uid = "u", .ready = g_str_equal(sandbox, "ready"),
                                                           .ip = "10.0.0.1", .created_at = 1});
    g_auto(GStrv) parts = g_strsplit(containers, ",", -1);
    for (size_t i = 0; parts[i] != NULL && *parts[i] != '\0'; i++) {
        g_auto(GStrv) words = g_strsplit(g_strstrip(parts[i]), " ", -1);
        ContainerState state = *words[1] == 'r' ? CONTAINER_RUNNING : *words[1] == 'e' ? CONTAINER_EXITED : CONTAINER_CREATED;
        runtime_view_add_container(view, &(ContainerStatus){.id = words[0], .sandbox_id = "s", .name = words[0], .image = "i",
                                                            .state = state, .created_at = 1, .started_at = 1,
                                                            .exit_code = words[2] != NULL ? atoi(words[2]) : 0});
    }
    runtime_view_sort(view);
    return view;
}

/* Names that begin with "bad" fail their liveness probe; with "slow" have not started. */
static void
verdicts(const Value *container, const char *id, ProbeVerdicts *ret_verdicts, void *data)
{
    *ret_verdicts = (ProbeVerdicts){.started = !g_str_has_prefix(id, "slow"), .ready = true,
                                    .liveness_failed = g_str_has_prefix(id, "bad")};
}

static char *
describe(const Value *pod, const PodActions *actions)
{
    GString *text = g_string_new(NULL);
    if (actions->kill_pod)
        g_string_append(text, "kill-pod ");
    if (actions->create_sandbox)
        g_string_append(text, "sandbox ");
    for (guint i = 0; i < actions->kill->len; i++)
        g_string_append_printf(text, "kill:%s ", ((ContainerKill *)actions->kill->pdata[i])->name);
    for (guint i = 0; i < actions->start->len; i++) {
        ContainerStart start = g_array_index(actions->start, ContainerStart, i);
        g_string_append_printf(text, "start:%s ",
                               value_text(value_get(value_item(pod_container_list(pod, start.kind), start.index), "name")));
    }
    if (text->len > 0)
        g_string_truncate(text, text->len - 1);
    return g_string_free(text, FALSE);
}

#define TWO "containers: [{name: a}, {name: b}]"
#define INIT "initContainers: [{name: i1}, {name: i2}], containers: [{name: a}]"
#define SIDE "initContainers: [{name: side, restartPolicy: Always}, {name: i2}], containers: [{name: a}]"

START_TEST(the_next_actions_follow_from_what_is_wanted_and_what_runs)
{
    static const struct {
        const char *spec, *policy, *containers, *sandbox, *wanted;
    } CASES[] = {
        {TWO, "Always", "", NULL, "kill-pod sandbox start:a start:b"},
        {TWO, "Always", "", "ready", "start:a start:b"},
        {TWO, "Always", "a r, b r", "ready", ""},
        {TWO, "Always", "a e 0, b r", "ready", "start:a"},
        {TWO, "Always", "a e 1, b e 0", "ready", "start:a start:b"},
        {TWO, "OnFailure", "a e 1, b e 0", "ready", "start:a"},
        {TWO, "OnFailure", "a e 0, b e 0", "ready", "kill-pod"},
        {TWO, "Never", "a e 1, b e 0", "ready", "kill-pod"},
        {TWO, "Never", "a e 1, b r", "ready", ""},
        {TWO, "Always", "a r, b r", "dead", "kill-pod sandbox start:a start:b"},
        {TWO, "OnFailure", "a e 0, b e 1", "dead", "kill-pod sandbox start:b"},
        {TWO, "OnFailure", "a e 0, b e 0", "dead", "kill-pod"},
        {TWO, "Never", "a e 0, b e 1", "dead", "kill-pod"},
        {TWO, "Always", "a c, b r", "ready", "start:a"},
        {"containers: [{name: bad}, {name: b}]", "Always", "bad r, b r", "ready", "kill:bad start:bad"},
        {"containers: [{name: bad}, {name: b}]", "Never", "bad r, b r", "ready", "kill:bad"},
        {"containers: [{name: a, restartPolicy: Never}, {name: b}]", "Always", "a e 1, b r", "ready", ""},
        {"containers: [{name: a, restartPolicy: Never, restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: "
         "[42]}}]}, {name: b}]", "Never", "a e 42, b r", "ready", "start:a"},
        {INIT, "Always", "", NULL, "kill-pod sandbox start:i1"},
        {INIT, "Always", "", "ready", "start:i1"},
        {INIT, "Always", "i1 r", "ready", ""},
        {INIT, "Always", "i1 e 0", "ready", "start:i2"},
        {INIT, "Always", "i1 e 1", "ready", "start:i1"},
        {INIT, "Never", "i1 e 1", "ready", "kill-pod"},
        {INIT, "Always", "i1 e 0, i2 e 0", "ready", "start:a"},
        {INIT, "Always", "i1 e 0, i2 e 0, a e 1", "ready", "start:a"},
        {INIT, "Always", "a r", "ready", ""},
        {SIDE, "Always", "", "ready", "start:side"},
        {SIDE, "Always", "side r", "ready", "start:i2"},
        {SIDE, "Always", "side r, i2 r", "ready", ""},
        {SIDE, "Always", "side e 1, i2 r", "ready", "start:side"},
        {SIDE, "Always", "side e 0, i2 e 0, a r", "ready", "start:side"},
        {SIDE, "Never", "side r, i2 e 0, a e 0", "ready", "kill-pod"},
        {"initContainers: [{name: slow, restartPolicy: Always}], containers: [{name: a}]", "Always", "slow r", "ready", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *text = g_strdup_printf("{metadata: {name: p}, spec: {restartPolicy: %s, %s}}", CASES[i].policy,
                                                CASES[i].spec);
        g_autoptr(Value) pod = value_new_f(text);
        g_autoptr(RuntimeView) view = view_of(CASES[i].containers, CASES[i].sandbox);
        g_autoptr(PodActions) actions = pod_actions_compute(pod, view, verdicts, NULL);
        g_autofree char *got = describe(pod, actions);
        ck_assert_msg(g_str_equal(got, CASES[i].wanted), "case %zu: wanted \"%s\", got \"%s\"", i, CASES[i].wanted, got);
    }
}
END_TEST

START_TEST(a_pods_phase_follows_from_its_containers)
{
    static const struct {
        const char *spec, *policy, *containers;
        bool terminal;
        const char *wanted;
    } CASES[] = {
        {TWO, "Always", "", false, "Pending"},
        {TWO, "Always", "a r", false, "Pending"},
        {TWO, "Always", "a r, b r", false, "Running"},
        {TWO, "Always", "a r, b e 1", false, "Running"},
        {TWO, "Always", "a e 0, b e 0", false, "Running"},
        {TWO, "OnFailure", "a e 0, b e 0", false, "Succeeded"},
        {TWO, "OnFailure", "a e 0, b e 1", false, "Running"},
        {TWO, "Never", "a e 0, b e 1", false, "Failed"},
        {TWO, "Never", "a e 0, b e 0", false, "Succeeded"},
        {TWO, "Always", "a e 0, b e 0", true, "Succeeded"},
        {TWO, "Always", "a e 0, b e 137", true, "Failed"},
        {INIT, "Always", "i1 r", false, "Pending"},
        {INIT, "Always", "i1 e 1", false, "Pending"},
        {INIT, "Never", "i1 e 1", false, "Failed"},
        {INIT, "Always", "i1 e 0, i2 e 0, a r", false, "Running"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *text = g_strdup_printf("{metadata: {name: p}, spec: {restartPolicy: %s, %s}}", CASES[i].policy,
                                                CASES[i].spec);
        g_autoptr(Value) pod = value_new_f(text);
        g_autoptr(RuntimeView) view = view_of(CASES[i].containers, "ready");
        StatusInput in = {.pod = pod, .view = view, .now = NS_PER_S, .terminal = CASES[i].terminal, .probe = verdicts};
        g_autoptr(Value) status = status_build(&in);
        ck_assert_msg(g_str_equal(value_text(value_get(status, "phase")), CASES[i].wanted), "case %zu: wanted %s, got %s", i,
                      CASES[i].wanted, value_text(value_get(status, "phase")));
    }
}
END_TEST

START_TEST(back_off_doubles_up_to_five_minutes_and_is_forgotten_after_ten)
{
    static const int WANTED[] = {10, 20, 40, 80, 160, 300, 300};
    int64_t delay = 0, updated = 0, now = 1000 * NS_PER_S, max = 300 * NS_PER_S;
    for (size_t i = 0; i < G_N_ELEMENTS(WANTED); i++) {
        backoff_next(&delay, &updated, now, now, 10 * NS_PER_S, max);
        ck_assert_int_eq((int)(delay / NS_PER_S), WANTED[i]);
        ck_assert(backoff_active(delay, updated, now, now + delay - 1, max));
        ck_assert(!backoff_active(delay, updated, now, now + delay, max));
        now += delay;
    }
    now += 601 * NS_PER_S;
    ck_assert(!backoff_active(delay, updated, now, now, max));
    backoff_next(&delay, &updated, now, now, 10 * NS_PER_S, max);
    ck_assert_int_eq((int)(delay / NS_PER_S), 10);
}
END_TEST

START_TEST(a_status_patch_holds_only_what_changed)
{
    g_autoptr(Value) pod = value_new_f("{metadata: {uid: u}}");
    g_autoptr(Value) old = value_new_f("{phase: Pending, conditions: [{type: Ready, status: \"False\"}, {type: Mine, status: "
                                       "\"True\"}]}");
    g_autoptr(Value) new_ = value_new_f("{phase: Running, conditions: [{type: Ready, status: \"True\"}]}");
    g_autoptr(Value) patch = status_patch(pod, old, new_);
    g_autoptr(Value) wanted = value_new_f("{metadata: {uid: u}, status: {phase: Running, conditions: [{type: Ready, status: "
                                          "\"True\"}]}}");
    ck_assert(value_equal(patch, wanted));
    ck_assert_ptr_null(status_patch(pod, new_, new_));
}
END_TEST

START_TEST(readiness_gates_are_waited_for)
{
    g_autoptr(Value) pod = value_new_f("{metadata: {name: p}, spec: {restartPolicy: Always, readinessGates: [{conditionType: lb}, "
                                       "{conditionType: dns}], containers: [{name: a}]}, status: {conditions: [{type: dns, "
                                       "status: \"False\"}]}}");
    g_autoptr(RuntimeView) view = view_of("a r", "ready");
    StatusInput in = {.pod = pod, .view = view, .now = NS_PER_S, .probe = verdicts};
    g_autoptr(Value) status = status_build(&in);
    const Value *ready = condition_find(value_get(status, "conditions"), "Ready");
    ck_assert_str_eq(value_text(value_get(ready, "reason")), "ReadinessGatesNotReady");
    ck_assert_str_eq(value_text(value_get(ready, "message")),
                     "corresponding condition of pod readiness gate \"lb\" does not exist., the status of pod readiness gate "
                     "\"dns\" is not \"True\", but False");
    ck_assert(condition_is(value_get(status, "conditions"), "ContainersReady", "True"));
    ck_assert_ptr_nonnull(condition_find(value_get(status, "conditions"), "dns"));
}
END_TEST

START_TEST(variables_are_expanded_as_kubernetes_does)
{
    static const char *const CASES[][2] = {{"$(A)", "1"},       {"x$(A)y", "x1y"}, {"$(B)", "$(B)"},
                                           {"$$(A)", "$(A)"},   {"$A", "$A"},      {"$(A", "$(A"},
                                           {"$(A)$(A)", "11"},  {"$", "$"}};
    char *env[] = {(char *)"A=1", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *got = env_expand(CASES[i][0], env);
        ck_assert_str_eq(got, CASES[i][1]);
    }
}
END_TEST

START_TEST(a_worker_and_a_kubelet_are_small)
{
    ck_assert_uint_le(sizeof(PodWorker), 1024);
    ck_assert_uint_le(sizeof(struct Kubelet), 2048);
}
END_TEST

TCase *
tables_case(void)
{
    return test_case("tables", the_next_actions_follow_from_what_is_wanted_and_what_runs,
                     a_pods_phase_follows_from_its_containers, back_off_doubles_up_to_five_minutes_and_is_forgotten_after_ten,
                     a_status_patch_holds_only_what_changed, readiness_gates_are_waited_for,
                     variables_are_expanded_as_kubernetes_does, a_worker_and_a_kubelet_are_small);
}
