/* A world beside people: pace, steps, and going back by replay. */
#include "core/api/pod.h"
#include "sim/world/live.h"
#include "tests/sim/world/fixture.h"

static Live *
live_fixture(void)
{
    g_autoptr(Value) cluster = value_new_f(
        "{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: t},"
        " spec: {controlPlane: {count: 1}, nodeGroups: [{name: worker, count: 2}]}}");
    Live *live = live_new(&(LiveOptions){.cluster = cluster}, NULL);
    ck_assert_ptr_nonnull(live);
    return live;
}

static int
post_pod(World *world)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, "", "pods", "default", NULL);
    request->body = value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: ["
                                "{name: web, image: 'nginx:1.27'}]}}");
    g_autoptr(ApiResponse) response = world_call(world, request);
    return response->code;
}

START_TEST(going_back_makes_the_same_instant_again)
{
    g_autoptr(Live) live = live_fixture();
    live_step_for(live, 20 * NS_PER_S);
    ck_assert_int_eq(post_pod(live_world(live)), 201);
    live_step_for(live, 5 * NS_PER_S);
    int64_t instant = world_now(live_world(live));
    uint64_t digest = engine_digest(world_engine(live_world(live)));
    live_step_for(live, 30 * NS_PER_S);
    ck_assert(live_rewind(live, instant, NULL));
    ck_assert_int_eq(world_now(live_world(live)), instant);
    ck_assert_uint_eq(engine_digest(world_engine(live_world(live))), digest);
    live_step_for(live, 60 * NS_PER_S);
    ck_assert_str_eq(pod_phase(world_peek(live_world(live), "", "pods", "default", "web")), "Running");
}
END_TEST

START_TEST(before_an_input_was_given_it_did_not_happen)
{
    g_autoptr(Live) live = live_fixture();
    live_step_for(live, 20 * NS_PER_S);
    int64_t before = world_now(live_world(live));
    live_step_for(live, NS_PER_S);
    ck_assert_int_eq(post_pod(live_world(live)), 201);
    ck_assert(live_rewind(live, before, NULL));
    ck_assert_ptr_null(world_peek(live_world(live), "", "pods", "default", "web"));
}
END_TEST

START_TEST(a_pace_is_a_word_or_a_factor)
{
    static const struct {
        const char *word;
        bool good;
    } CASES[] = {{"max", true},  {"paused", true}, {"1", true},  {"0.5", true}, {"3600", true},
                 {"", false},    {"fast", false},  {"0", false}, {"-1", false}, {"1x", false},
                 {"nan", false}, {"1e300", false}};
    g_autoptr(Live) live = live_fixture();
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(live_set_pace(live, CASES[i].word, &error) == CASES[i].good, "%s", CASES[i].word);
        ck_assert_int_eq(error == NULL, CASES[i].good);
    }
}
END_TEST

TCase *
live_case(void)
{
    TCase *tcase = test_case("live", going_back_makes_the_same_instant_again,
                             before_an_input_was_given_it_did_not_happen, a_pace_is_a_word_or_a_factor);
    tcase_set_timeout(tcase, 60);
    return tcase;
}
