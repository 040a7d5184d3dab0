#include <string.h>

#include "core/base/rng.h"
#include "tests/tui/suites.h"

static Live *the_live(Live *set);

/* One world for all tests of this file; each test runs in a fork of its own. */
static Live *
the_live(Live *set)
{
    static Live *live;
    if (set != NULL)
        live = set;
    return live;
}

static void
make_world(void)
{
    Live *live = live_for_test();
    live_add_pod(live, "alpha");
    live_add_pod(live, "beta");
    live_step_for(live, 15 * NS_PER_S);
    the_live(live);
}

static const TuiOptions OPTIONS = {
    .cluster_name = "test", .can_keep = true, .kubectl = kubectl_for_test};

static TuiState *
new_state(void)
{
    return tui_state_new(the_live(NULL), &OPTIONS, 80, 24);
}

#define assert_shown(state, text) assert_shows(state, text, true)
#define assert_not_shown(state, text) assert_shows(state, text, false)

static void
assert_shows(TuiState *state, const char *text, bool expected)
{
    g_autofree char *screen = screen_text(state, false);
    ck_assert_msg((strstr(screen, text) != NULL) == expected, "\"%s\" is %sshown:\n%s", text,
                  expected ? "not " : "", screen);
}

START_TEST(the_picture_shows_nodes_pods_and_messages_that_were_sent)
{
    g_autoptr(TuiState) state = new_state();
    assert_shown(state, "● worker-1");
    assert_shown(state, "● alpha");
    assert_shown(state, "kube-scheduler");
    assert_shown(state, "PUT leases");
}
END_TEST

START_TEST(the_selection_walks_through_pods_nodes_and_components)
{
    g_autoptr(TuiState) state = new_state();
    TuiTarget target;
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.kind, "Node");
    ck_assert_str_eq(target.node, "control-plane-1");
    type_keys(state, "<Right>");
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.name, "worker-1");
    type_keys(state, "<Down>");
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.kind, "Pod");
    type_keys(state, "<Home>");
    ck_assert(tui_target(state, &target));
    ck_assert_ptr_null(target.resource);
    ck_assert_str_eq(target.process, "kube-apiserver");
}
END_TEST

START_TEST(a_table_is_filtered_as_one_types_and_whole_again_after_escape)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, ":po<Enter>/ALP");
    assert_shown(state, "alpha");
    assert_not_shown(state, "beta");
    assert_not_shown(state, "kube-proxy");
    type_keys(state, "<Esc>");
    assert_shown(state, "beta");
    type_keys(state, "/no such pod<Enter>");
    assert_shown(state, "no pods here match /no such pod");
}
END_TEST

START_TEST(a_table_can_be_sorted_by_any_column_both_ways)
{
    g_autoptr(TuiState) state = new_state();
    TuiTarget target;
    type_keys(state, ":pods default<Enter>sS<Home>");
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.name, "beta");
    type_keys(state, "S<Home>");
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.name, "alpha");
    assert_shown(state, "NAME↑");
}
END_TEST

START_TEST(the_selection_of_a_table_stays_on_its_object_when_others_come)
{
    g_autoptr(TuiState) state = new_state();
    TuiTarget target;
    type_keys(state, ":pods default<Enter><End>");
    live_add_pod(state->live, "aaa");
    tui_update(state, &(TuiEvent){.type = TUI_EVENT_MOVED});
    ck_assert(tui_target(state, &target));
    ck_assert_str_eq(target.name, "beta");
    assert_shown(state, "3/3");
}
END_TEST

START_TEST(an_unknown_word_is_refused_with_what_is_near)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, ":deploiments<Enter>");
    assert_shown(state, "neither a command nor a kind");
    assert_shown(state, "deployments");
    ck_assert_uint_eq(state->views->len, 1);
}
END_TEST

START_TEST(commands_and_kinds_are_completed_by_tab)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, ":deploy<Tab>");
    ck_assert_str_eq(state->prompt.text->str, "deployments ");
    type_keys(state, "<C-u>st<Tab>");
    assert_shown(state, "statefulsets  storageclasses");
    type_keys(state, "<C-u>pods kube-s<Tab>");
    ck_assert_str_eq(state->prompt.text->str, "pods kube-system ");
}
END_TEST

START_TEST(a_prompt_edits_characters_not_bytes_and_remembers)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, ":ñandú日<Back><Left><Delete>x");
    ck_assert_str_eq(state->prompt.text->str, "ñandx");
    type_keys(state, "<C-u>pods<Enter>:svc<Enter>:<Up><Up>");
    ck_assert_str_eq(state->prompt.text->str, "pods");
    type_keys(state, "<Down>");
    ck_assert_str_eq(state->prompt.text->str, "svc");
    type_keys(state, "<C-w><Back>");
    ck_assert_int_eq(state->prompt.type, PROMPT_NONE);
    for (int i = 0; i < PROMPT_BYTES_MAX; i++)
        type_keys(state, i == 0 ? ":" : "日本");
    ck_assert_uint_le(state->prompt.text->len, PROMPT_BYTES_MAX);
}
END_TEST

START_TEST(kubectl_runs_a_line_and_its_output_stays_readable)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, "!get pods<Enter>");
    assert_shown(state, "$ kubectl get pods");
    assert_shown(state, "ran: get pods");
    type_keys(state, "!fail<Enter>");
    assert_shown(state, "ran: get pods");
    assert_shown(state, "exit status 1");
    type_keys(state, "<Esc><Esc><Tab><Down><Tab><Right><Down>d");
    assert_shown(state, "ran: describe pods/");
}
END_TEST

START_TEST(a_fault_hits_what_is_selected_and_can_be_mended)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, "<Right>f");
    guint power = 0;
    while (strcmp(fault_class_item(power)->type, "node-power-off") != 0)
        power++;
    for (guint i = 0; i < power; i++)
        type_keys(state, "<Down>");
    type_keys(state, "<Enter>");
    if (state->prompt.type == PROMPT_VALUE)
        type_keys(state, "<Enter>");
    ck_assert_uint_eq(state->faults->len, 1);
    assert_shown(state, "worker-1");
    live_step_for(state->live, 60 * NS_PER_S);
    tui_update(state, &(TuiEvent){.type = TUI_EVENT_MOVED});
    assert_shown(state, "worker-1 NotReady");
    type_keys(state, "f<Home><Enter>");
    ck_assert_uint_eq(state->faults->len, 0);
    assert_shown(state, "mended");
    live_step_for(state->live, 60 * NS_PER_S);
    tui_update(state, &(TuiEvent){.type = TUI_EVENT_MOVED});
    assert_not_shown(state, "NotReady");
}
END_TEST

START_TEST(a_fault_asks_for_what_the_selection_does_not_tell_and_can_be_given_up)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, "<Home>f<Home><Enter>");
    ck_assert_int_eq(state->prompt.type, PROMPT_VALUE);
    type_keys(state, "<Esc>");
    ck_assert_int_eq(state->prompt.type, PROMPT_NONE);
    ck_assert_ptr_null(state->fault);
    type_keys(state, "f<Home><Enter>no-such-pod<Enter><Enter><Enter>");
    ck_assert_uint_eq(state->faults->len, 0);
}
END_TEST

START_TEST(leaving_asks_whether_to_stop_or_to_keep_the_cluster)
{
    static const struct {
        const char *keys;
        bool left;
        TuiOutcome outcome;
    } CASES[] = {
        {"q", false, TUI_STOP},
        {"q<Esc>", false, TUI_STOP},
        {"qs", true, TUI_STOP},
        {"qk", true, TUI_KEEP},
        {"qc", false, TUI_STOP},
        {":quit<Enter>s", true, TUI_STOP},
        {"q<Enter>", false, TUI_STOP},
        {"<C-c>k", true, TUI_KEEP},
        {":pods<Enter>q", false, TUI_STOP},
        {"q<Up><Enter>", true, TUI_KEEP},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(TuiState) state = new_state();
        TuiOutcome outcome = TUI_STOP;
        type_keys(state, CASES[i].keys);
        ck_assert_msg(tui_has_left(state, &outcome) == CASES[i].left, "%s", CASES[i].keys);
        ck_assert_int_eq(outcome, CASES[i].outcome);
    }
}
END_TEST

START_TEST(time_goes_on_by_one_event_or_one_second_and_back_by_ten)
{
    g_autoptr(TuiState) state = new_state();
    int64_t before = world_now(live_world(state->live));
    type_keys(state, ",");
    ck_assert_int_eq(world_now(live_world(state->live)), before + NS_PER_S);
    uint64_t events = engine_events_run(world_engine(live_world(state->live)));
    type_keys(state, ".");
    ck_assert_uint_eq(engine_events_run(world_engine(live_world(state->live))), events + 1);
    before = world_now(live_world(state->live));
    type_keys(state, ":pods default<Enter>b");
    ck_assert_int_eq(world_now(live_world(state->live)), before - 10 * NS_PER_S);
    assert_shown(state, "alpha");
    type_keys(state, "bbb");
    assert_not_shown(state, "alpha");
}
END_TEST

START_TEST(the_pace_is_changed_by_keys)
{
    g_autoptr(TuiState) state = new_state();
    assert_shown(state, "paused");
    type_keys(state, "<Space>");
    ck_assert_int_eq(live_pace(state->live)->mode, PACE_FACTOR);
    type_keys(state, "+");
    ck_assert_int_eq(live_pace(state->live)->factor, 2000);
    assert_shown(state, "×2");
    type_keys(state, "--");
    ck_assert_int_eq(live_pace(state->live)->factor, 500);
    type_keys(state, "<Space>");
    ck_assert_int_eq(live_pace(state->live)->mode, PACE_PAUSED);
}
END_TEST

START_TEST(help_names_every_key_of_the_tables)
{
    g_autoptr(TuiState) state = new_state();
    type_keys(state, "?");
    g_autoptr(GPtrArray) lines = lines_new();
    tui_help_lines(state, NULL, lines);
    guint needed = 0;
    for (const TuiKey *key = TUI_KEYS; key->run != NULL; key++)
        needed += key->help != NULL;
    ck_assert_uint_ge(lines->len, needed);
    assert_shown(state, "choose a component, a node or a pod");
}
END_TEST

START_TEST(no_keys_in_any_order_and_size_break_anything)
{
    static const char KEYS[] = "?fwyevo+-.,/ahtnqkSsgWr:p!<>";
    static const int SIZES[][2] = {{1, 1},   {20, 5},   {38, 10},  {40, 10},
                                   {80, 24}, {100, 30}, {200, 60}, {500, 200}};
    g_autoptr(TuiState) state = new_state();
    Rng rng = rng_derive(7, "keys");
    for (int i = 0; i < 400; i++) {
        uint64_t draw = rng_next(&rng);
        TuiEvent event = {.type = TUI_EVENT_KEY};
        if (draw % 8 == 0) {
            const int *size = SIZES[draw / 8 % G_N_ELEMENTS(SIZES)];
            event = (TuiEvent){TUI_EVENT_RESIZE, 0, size[0], size[1]};
        } else if (draw % 8 < 4) {
            event.key = TUI_KEY_UP + (int)(draw / 8 % 13);
        } else {
            event.key = KEYS[draw / 8 % (sizeof KEYS - 1)];
        }
        tui_update(state, &event);
        state->left = false;
        g_autofree char *text = screen_text(state, draw % 2 == 0);
        ck_assert(g_utf8_validate(text, -1, NULL));
        ck_assert_uint_le(state->views->len, TUI_VIEWS_MAX);
    }
}
END_TEST

TCase *
update_case(void)
{
    TCase *tcase = test_case(
        "update", the_picture_shows_nodes_pods_and_messages_that_were_sent,
        the_selection_walks_through_pods_nodes_and_components,
        a_table_is_filtered_as_one_types_and_whole_again_after_escape,
        a_table_can_be_sorted_by_any_column_both_ways,
        the_selection_of_a_table_stays_on_its_object_when_others_come,
        an_unknown_word_is_refused_with_what_is_near, commands_and_kinds_are_completed_by_tab,
        a_prompt_edits_characters_not_bytes_and_remembers,
        kubectl_runs_a_line_and_its_output_stays_readable,
        a_fault_hits_what_is_selected_and_can_be_mended,
        a_fault_asks_for_what_the_selection_does_not_tell_and_can_be_given_up,
        leaving_asks_whether_to_stop_or_to_keep_the_cluster,
        time_goes_on_by_one_event_or_one_second_and_back_by_ten, the_pace_is_changed_by_keys,
        help_names_every_key_of_the_tables, no_keys_in_any_order_and_size_break_anything);
    tcase_add_unchecked_fixture(tcase, make_world, NULL);
    tcase_set_timeout(tcase, 60);
    return tcase;
}
