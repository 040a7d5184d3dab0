#include <string.h>

#include "tests/cli/kubectl/bench.h"

static const char two_documents[] = "apiVersion: v1\n"
                                    "kind: ConfigMap\n"
                                    "metadata:\n"
                                    "  name: a\n"
                                    "data:\n"
                                    "  k: v\n"
                                    "---\n"
                                    "apiVersion: apps/v1\n"
                                    "kind: Deployment\n"
                                    "metadata:\n"
                                    "  name: web\n"
                                    "spec:\n"
                                    "  replicas: 2\n"
                                    "  selector: {matchLabels: {app: web}}\n"
                                    "  template:\n"
                                    "    metadata: {labels: {app: web}}\n"
                                    "    spec:\n"
                                    "      containers:\n"
                                    "      - name: c\n"
                                    "        image: nginx\n";

static Bench *
bench_with_file(const char *text)
{
    Bench *bench = bench_new();
    bench->file_name = "web.yaml";
    bench->file_text = text;
    return bench;
}

START_TEST(apply_creates_then_leaves_then_changes)
{
    g_autoptr(Bench) bench = bench_with_file(two_documents);
    bench_expect(bench, "apply -f web.yaml", 0,
                 "configmap/a created\ndeployment.apps/web created\n", "");
    bench_expect(bench, "apply -f web.yaml", 0,
                 "configmap/a unchanged\ndeployment.apps/web unchanged\n", "");
    g_auto(GStrv) parts = g_strsplit(two_documents, "replicas: 2", 2);
    g_autofree char *three = g_strjoinv("replicas: 3", parts);
    bench->file_text = three;
    bench_expect(bench, "apply -f web.yaml --dry-run=client", 0,
                 "configmap/a unchanged (dry run)\ndeployment.apps/web configured (dry run)\n", "");
    bench_expect(bench, "apply -f web.yaml", 0,
                 "configmap/a unchanged\ndeployment.apps/web configured\n", "");
    ck_assert_int_eq(value_int_at(fake_api_get(bench->api, "apps", "deployments", "default", "web"),
                                  "spec.replicas"),
                     3);
}
END_TEST

START_TEST(apply_takes_out_what_the_file_lost_and_keeps_what_others_added)
{
    g_autoptr(Bench) bench = bench_with_file(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v, l: w}}");
    bench_run(bench, "apply -f web.yaml");
    fake_api_edit(bench->api, "", "configmaps", "default", "a", "data.other",
                  value_new_string("x"));
    bench->file_text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {l: w}}";
    bench_expect(bench, "apply -f web.yaml", 0, "configmap/a configured\n", "");
    const Value *map = fake_api_get(bench->api, "", "configmaps", "default", "a");
    ck_assert_ptr_null(value_at(map, "data.k"));
    ck_assert_str_eq(value_text_at(map, "data.other"), "x");
}
END_TEST

START_TEST(a_bad_document_keeps_all_others_from_being_applied)
{
    g_auto(GStrv) parts = g_strsplit(two_documents, "image: nginx", 2);
    g_autofree char *bad = g_strjoinv("imagee: nginx", parts);
    g_autoptr(Bench) bench = bench_with_file(bad);
    bench_expect(bench, "apply -f web.yaml", 1, "",
                 "error: error validating \"web.yaml\": error validating data: unknown field "
                 "\"spec.template.spec.containers[0].imagee\"; if you choose to ignore these "
                 "errors, turn validation "
                 "off with --validate=false\n"
                 "web.yaml:20: spec.template.spec.containers[0].imagee: unknown field\n");
    ck_assert_uint_eq(fake_api_count(bench->api, "", "configmaps"), 0);
}
END_TEST

START_TEST(manifests_that_cannot_be_read_are_refused)
{
    static const struct {
        const char *line, *text, *err;
    } cases[] = {
        {"apply", "", "error: must specify one of -f and -k\n"},
        {"apply -f none.yaml", "", "error: the path \"none.yaml\" does not exist\n"},
        {"apply -f web.yaml", "kind: Pod\n",
         "error: error validating \"web.yaml\": error validating data: apiVersion not set\n"
         "web.yaml:1: apiVersion not set\n"},
        {"apply -f web.yaml", "", "error: no objects passed to apply\n"},
        {"apply -f web.yaml", "apiVersion: v9\nkind: Foo\nmetadata: {name: x}\n",
         "error: resource mapping not found for name: \"x\" namespace: \"\" from \"web.yaml\": no "
         "matches for kind "
         "\"Foo\" in version \"v9\"\nensure CRDs are installed first\nweb.yaml:2: kind: unknown "
         "kind\n"},
        {"apply -f web.yaml -n x", "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}",
         "error: the namespace from the provided object \"b\" does not match the namespace \"x\". "
         "You must pass "
         "'--namespace=b' to perform this operation.\nweb.yaml:1: metadata.namespace: another "
         "namespace\n"},
        {"apply -f web.yaml --dry-run=maybe", "{apiVersion: v1, kind: Pod, metadata: {name: a}}",
         "error: Invalid dry-run value (maybe). Must be \"none\", \"server\", or \"client\".\n"},
        {"create", "", "error: must specify one of -f and -k\n"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Bench) bench = bench_with_file(cases[i].text);
        bench_expect(bench, cases[i].line, 1, "", cases[i].err);
    }
}
END_TEST

START_TEST(create_refuses_what_is_there)
{
    g_autoptr(Bench) bench =
        bench_with_file("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    bench_expect(bench, "create -f web.yaml", 0, "configmap/a created\n", "");
    bench_expect(bench, "create -f web.yaml", 1, "",
                 "Error from server (AlreadyExists): error when creating \"web.yaml\": configmaps "
                 "\"a\" already "
                 "exists\n");
    bench_expect(bench, "create -f web.yaml --dry-run=client -o name", 0, "configmap/a\n", "");
}
END_TEST

START_TEST(delete_says_what_is_gone_and_waits)
{
    g_autoptr(Bench) bench =
        bench_with_file("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    bench_run(bench, "create -f web.yaml");
    bench_expect(bench, "delete cm a", 0, "configmap \"a\" deleted from default namespace\n", "");
    bench_expect(bench, "delete cm a", 1, "",
                 "Error from server (NotFound): configmaps \"a\" not found\n");
    bench_expect(bench, "delete -f web.yaml", 1, "",
                 "Error from server (NotFound): error when deleting \"web.yaml\": configmaps \"a\" "
                 "not found\n");
    bench_expect(bench, "delete cm", 1, "",
                 "error: resource(s) were provided, but no name was specified\n");
    bench_expect(bench, "delete cm --all", 0, "No resources found\n", "");
    bench_put(bench, "", "nodes", "{apiVersion: v1, kind: Node, metadata: {name: w}}");
    bench_expect(bench, "delete node w --dry-run=server", 0,
                 "node \"w\" deleted (server dry run)\n", "");
}
END_TEST

TCase *
write_suite(void)
{
    return test_case("write", apply_creates_then_leaves_then_changes,
                     apply_takes_out_what_the_file_lost_and_keeps_what_others_added,
                     a_bad_document_keeps_all_others_from_being_applied,
                     manifests_that_cannot_be_read_are_refused, create_refuses_what_is_there,
                     delete_says_what_is_gone_and_waits);
}
