#include "tests/core/apiserver/fixture.h"
#include "tests/core/apiserver/suites.h"

START_TEST(a_watch_from_now_hears_what_is_there_and_what_comes)
{
    Fixture *f = fixture_new();
    ApiServerWatch *watch;

    make_pod(f, "a");
    watch = listen_to(f, "pods", NULL, NULL, NULL);
    make_pod(f, "b");
    ask(f, API_VERB_DELETE, "pods", "default", "a", NULL);
    ck_assert_str_eq(f->heard->str, "+a +b -a ");
    api_server_unwatch(watch);
    make_pod(f, "c");
    ck_assert_str_eq(f->heard->str, "+a +b -a ");
    fixture_free(f);
}
END_TEST

START_TEST(a_watch_from_a_revision_hears_what_came_after_it)
{
    Fixture *f = fixture_new();
    g_autofree char *revision = NULL;

    make_pod(f, "a");
    revision = g_strdup_printf("%d", (int)store_revision(f->store));
    make_pod(f, "b");
    listen_to(f, "pods", "default", revision, NULL);
    make_pod(f, "c");
    ck_assert_str_eq(f->heard->str, "+b +c ");
    fixture_free(f);
}
END_TEST

START_TEST(a_watch_from_too_long_ago_ends_with_gone)
{
    Fixture *f = fixture_new();

    make_pod(f, "a");
    make_pod(f, "b");
    store_compact(f->store, store_revision(f->store));
    ck_assert_ptr_null(listen_to(f, "pods", NULL, "3", NULL));
    ck_assert_str_eq(f->heard->str, "! end ");
    fixture_free(f);
}
END_TEST

START_TEST(a_kubelet_hears_only_of_its_own_pods_from_their_binding_on)
{
    Fixture *f = fixture_new();

    listen_to(f, "pods", NULL, NULL, "spec.nodeName=n1");
    make_pod(f, "a");
    make_pod(f, "b");
    ask(f, API_VERB_CREATE, "pods/binding", "default", "a", "{target: {kind: Node, name: n1}}");
    ck_assert_msg(code(f) == 201, "%s", said(f));
    ask(f, API_VERB_CREATE, "pods/binding", "default", "b", "{target: {kind: Node, name: n2}}");
    ck_assert_str_eq(f->heard->str, "+a ");
    ask(f, API_VERB_CREATE, "pods/binding", "default", "a", "{target: {kind: Node, name: n2}}");
    ck_assert_int_eq(code(f), 409);
    fixture_free(f);
}
END_TEST

START_TEST(an_object_that_leaves_the_selection_is_told_as_deleted)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    listen_to(f, "pods", "default", NULL, "status.phase=Pending");
    make_pod(f, "a");
    request =
        request_new(f, API_VERB_PATCH, "pods/status", "default", "a", "{status: {phase: Running}}");
    request->patch_type = PATCH_MERGE;
    send_request(f, request);
    ck_assert_msg(code(f) == 200, "%s", said(f));
    ck_assert_str_eq(f->heard->str, "+a -a ");
    fixture_free(f);
}
END_TEST

START_TEST(initial_events_end_with_a_marked_bookmark)
{
    Fixture *f = fixture_new();
    ApiRequest *request;

    make_pod(f, "a");
    request = request_new(f, API_VERB_WATCH, "pods", "default", NULL, NULL);
    request->list.send_initial_events = true;
    request->list.watch_bookmarks = true;
    request->list.rv_match = RV_MATCH_NOT_OLDER_THAN;
    request->list.timeout_seconds = 90;
    api_server_watch(f->server, request, hear_to_text, f);
    ck_assert_str_eq(f->heard->str, "+a b ");
    test_world_run_for(f->world, 95 * NS_PER_S);
    ck_assert_str_eq(f->heard->str, "+a b b end ");
    fixture_free(f);
}
END_TEST

TCase *
watch_case(void)
{
    return test_case("watch", a_watch_from_now_hears_what_is_there_and_what_comes,
                     a_watch_from_a_revision_hears_what_came_after_it,
                     a_watch_from_too_long_ago_ends_with_gone,
                     a_kubelet_hears_only_of_its_own_pods_from_their_binding_on,
                     an_object_that_leaves_the_selection_is_told_as_deleted,
                     initial_events_end_with_a_marked_bookmark);
}
