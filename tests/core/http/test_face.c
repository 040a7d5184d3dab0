#include "core/http/face.h"
#include "core/stream/kubelet_wire.h"
#include "tests/core/apiserver/fixture.h"

TCase *face_case(void);

/* Keeps what is answered as text. */
typedef struct TestResponder {
    HttpResponder base;
    int code;
    GString *headers, *body;
    int ends;
    void (*gone)(void *data);
    void *gone_data;
} TestResponder;

static void
test_start(HttpResponder *responder, int code, const HttpHeader *headers, size_t n_headers,
           gint64 length)
{
    TestResponder *test = (TestResponder *)responder;

    ck_assert_int_eq(test->code, 0);
    test->code = code;
    for (size_t i = 0; i < n_headers; i++)
        g_string_append_printf(test->headers, "%s: %s\n", headers[i].name, headers[i].value);
}

static void
test_write(HttpResponder *responder, GBytes *bytes)
{
    TestResponder *test = (TestResponder *)responder;

    ck_assert_int_ne(test->code, 0);
    g_string_append_len(test->body, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes));
}

static void
test_end(HttpResponder *responder)
{
    ((TestResponder *)responder)->ends++;
}

static void
test_on_gone(HttpResponder *responder, void (*func)(void *data), void *data)
{
    ((TestResponder *)responder)->gone = func;
    ((TestResponder *)responder)->gone_data = data;
}

static const HttpResponderOps test_ops = {
    .start = test_start, .write = test_write, .end = test_end, .on_gone = test_on_gone};

typedef struct Web {
    Fixture *f;
    HttpFace *face;
    TestResponder responder;
} Web;

static void
responder_reset(TestResponder *responder)
{
    if (responder->headers != NULL) {
        g_string_free(responder->headers, TRUE);
        g_string_free(responder->body, TRUE);
    }
    *responder = (TestResponder){
        .base.ops = &test_ops, .headers = g_string_new(NULL), .body = g_string_new(NULL)};
}

static Web *
web_new(void)
{
    Web *web = g_new0(Web, 1);

    web->f = fixture_new();
    web->face = http_face_new(web->f->server);
    return web;
}

static void
web_free(Web *web)
{
    http_face_free(web->face);
    fixture_free(web->f);
    g_string_free(web->responder.headers, TRUE);
    g_string_free(web->responder.body, TRUE);
    g_free(web);
}

/* "Name: value" lines; a certificate of the user admin comes along unless the headers say
 * "Anonymous: yes". */
static int
web_ask(Web *web, const char *method, const char *target, const char *header_text, const char *body)
{
    static const char *const organizations[] = {"system:masters", NULL};
    g_auto(GStrv) lines = g_strsplit(header_text, "\n", 16);
    HttpHeader headers[16];
    HttpRequest request = {.method = method, .target = target, .headers = headers, .body = body};

    for (char **line = lines; *line != NULL; line++) {
        char *colon = strstr(*line, ": ");

        if (colon == NULL)
            continue;
        *colon = '\0';
        headers[request.n_headers++] = (HttpHeader){*line, colon + 2};
    }
    request.body_length = body == NULL ? 0 : strlen(body);
    if (http_request_header(&request, "Anonymous") == NULL) {
        request.peer_common_name = "admin";
        request.peer_organizations = organizations;
    }
    responder_reset(&web->responder);
    http_face_handle(web->face, &request, &web->responder.base);
    return web->responder.code;
}

static bool
body_has(const Web *web, const char *part)
{
    return strstr(web->responder.body->str, part) != NULL;
}

#define T_ACCEPT                                                                                   \
    "Accept: "                                                                                     \
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/"                                    \
    "json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
#define CONFIG_MAP "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}"

static const struct {
    const char *method, *target, *headers, *body;
    int code;
    const char *part;
} raw_requests[] = {
    {"GET", "/version", "", NULL, 200, "\"gitVersion\": \"v1.35.0\""},
    {"GET", "/version/", "Anonymous: yes", NULL, 200, "gitVersion"},
    {"GET", "/readyz", "Anonymous: yes", NULL, 200, "ok"},
    {"GET", "/livez?verbose", "Anonymous: yes", NULL, 200, "livez check passed"},
    {"GET", "/metrics", "Anonymous: yes", NULL, 403, "Forbidden"},
    {"GET", "/metrics", "", NULL, 200, "apiserver_request_total{"},
    {"GET", "/api", "", NULL, 200, "APIVersions"},
    {"GET", "/api", "Anonymous: yes", NULL, 403, "cannot get path"},
    {"GET", "/apis",
     "Accept: "
     "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
     NULL, 200, "APIGroupDiscoveryList"},
    {"GET", "/apis/apps", "", NULL, 200, "\"preferredVersion\""},
    {"GET", "/apis/apps/v1", "", NULL, 200, "deployments/scale"},
    {"GET", "/api/v1", "", NULL, 200, "pods/eviction"},
    {"GET", "/apis/none/v1", "", NULL, 404, "could not find"},
    {"GET", "/openapi/v3", "", NULL, 200, "/openapi/v3/apis/apps/v1?hash="},
    {"GET", "/openapi/v3/api/v1", "", NULL, 200, "io.k8s.api.core.v1.Pod"},
    {"GET", "/openapi/v3/api/v1?hash=wrong", "", NULL, 301, ""},
    {"GET", "/api/v1/namespaces/default/pods/none", "", NULL, 404, "pods \\\"none\\\" not found"},
    {"GET", "/api/v1/namespaces", T_ACCEPT, NULL, 200, "\"kind\":\"Table\""},
    {"GET", "/api/v1/namespaces", "Accept: application/yaml", NULL, 200, "kind: NamespaceList"},
    {"GET", "/api/v1/namespaces", "Accept: text/html", NULL, 406, "NotAcceptable"},
    {"GET", "/api/v1/namespaces/default",
     "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", NULL, 200,
     "PartialObjectMetadata"},
    {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
     "Accept: application/json;as=Table;g=meta.k8s.io;v=v1", "{}", 406, ""},
    {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "", "{\"spec\":{}}", 201,
     "\"allowed\":true"},
    {"POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "", "{}", 201,
     "\"username\":\"admin\""},
    {"POST", "/api/v1/namespaces/default/configmaps", "", CONFIG_MAP, 201, "\"uid\":"},
    {"POST", "/api/v1/namespaces/default/configmaps", "", CONFIG_MAP, 409, "AlreadyExists"},
    {"POST", "/api/v1/namespaces/default/configmaps", "Content-Type: text/xml", CONFIG_MAP, 415,
     "UnsupportedMediaType"},
    {"POST", "/api/v1/namespaces/default/configmaps", "", "{\"metadata\":", 400, "BadRequest"},
    {"POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Strict", "",
     "{\"metadata\":{\"name\":\"b\"},\"data\":{},\"data\":{}}", 400,
     "duplicate field \\\"data\\\""},
    {"POST", "/api/v1/namespaces/default/configmaps?dryRun=Some", "", CONFIG_MAP, 422,
     "supported values"},
    {"POST", "/api/v1/namespaces/default/configmaps", "Content-Type: application/yaml",
     "metadata: {name: yam}\n", 201, "yam"},
    {"PATCH", "/api/v1/namespaces/default/configmaps/a",
     "Content-Type: application/merge-patch+json", "{\"data\":{\"k\":\"w\"}}", 200, "\"k\":\"w\""},
    {"PATCH", "/api/v1/namespaces/default/configmaps/a", "Content-Type: application/json", "{}",
     415, "accepted media types"},
    {"PUT", "/api/v1/namespaces/default/configmaps/a", "", CONFIG_MAP, 200, "\"k\":\"v\""},
    {"GET", "/api/v1/namespaces/default/configmaps?limit=1", "", NULL, 200, "\"continue\":"},
    {"GET", "/api/v1/namespaces/default/configmaps?labelSelector=%3D%3D", "", NULL, 400,
     "unable to parse"},
    {"GET", "/api/v1/namespaces/default/configmaps/%2e%2e", "", NULL, 400, "malformed"},
    {"GET", "/api/v1/namespaces/default/configmaps?timeoutSeconds=1&watch=True&resourceVersion=x",
     "", NULL, 400, "must be a number"},
    {"OPTIONS", "/api/v1/pods", "", NULL, 405, "MethodNotAllowed"},
    {"GET", "/api/v1/pods", "Anonymous: yes", NULL, 403, "cannot list resource"},
    {"GET", "/api/v1/pods", "Anonymous: yes\nAuthorization: Bearer wrong", NULL, 401,
     "Unauthorized"},
    {"GET", "/api/v1/namespaces/default/pods/p/log", "", NULL, 404, "not found"},
    {"DELETE", "/api/v1/namespaces/default/configmaps/a", "",
     "{\"propagationPolicy\":\"Background\"}", 200, "Success"},
    {"DELETE", "/api/v1/namespaces/default/configmaps", "", NULL, 200, "ConfigMapList"},
};

START_TEST(each_raw_request_gets_its_code_and_text)
{
    Web *web = web_new();

    for (size_t i = 0; i < G_N_ELEMENTS(raw_requests); i++) {
        int got = web_ask(web, raw_requests[i].method, raw_requests[i].target,
                          raw_requests[i].headers, raw_requests[i].body);

        ck_assert_msg(got == raw_requests[i].code && body_has(web, raw_requests[i].part),
                      "%s %s: %d, wanted %d with %s\n%.600s", raw_requests[i].method,
                      raw_requests[i].target, got, raw_requests[i].code, raw_requests[i].part,
                      web->responder.body->str);
        ck_assert_int_eq(web->responder.ends, 1);
    }
    web_free(web);
}
END_TEST

START_TEST(a_watch_writes_one_event_a_line_until_the_client_goes)
{
    Web *web = web_new();
    size_t length;

    ck_assert_int_eq(web_ask(web, "GET", "/api/v1/namespaces/default/pods?watch=true", "", NULL),
                     200);
    make_pod(web->f, "a");
    make_pod(web->f, "b");
    ck_assert(g_str_has_prefix(web->responder.body->str,
                               "{\"type\":\"ADDED\",\"object\":{\"apiVersion\":\"v1\""));
    ck_assert(body_has(web, "}\n{\"type\":\"ADDED\""));
    ck_assert_int_eq(web->responder.ends, 0);
    web->responder.gone(web->responder.gone_data);
    ck_assert_int_eq(web->responder.ends, 1);
    length = web->responder.body->len;
    make_pod(web->f, "c");
    ck_assert_uint_eq(web->responder.body->len, length);
    web_free(web);
}
END_TEST

START_TEST(a_watch_of_tables_has_column_definitions_in_its_first_event_only)
{
    Web *web = web_new();

    make_pod(web->f, "a");
    web_ask(web, "GET",
            "/api/v1/namespaces/default/pods?watch=true&resourceVersion=0&timeoutSeconds=5",
            T_ACCEPT, NULL);
    ck_assert(body_has(web, "\"columnDefinitions\":["));
    g_string_truncate(web->responder.body, 0);
    make_pod(web->f, "b");
    ck_assert(body_has(web, "\"kind\":\"Table\""));
    ck_assert(!body_has(web, "\"columnDefinitions\":["));
    test_world_run_for(web->f->world, 6 * NS_PER_S);
    ck_assert_int_eq(web->responder.ends, 1);
    web_free(web);
}
END_TEST

START_TEST(a_document_that_the_client_has_is_not_sent_again)
{
    Web *web = web_new();
    g_autofree char *etag = NULL, *header = NULL;
    char *begin;

    web_ask(web, "GET", "/apis/apps/v1", "", NULL);
    begin = strstr(web->responder.headers->str, "Etag: ") + 6;
    etag = g_strndup(begin, strcspn(begin, "\n"));
    header = g_strconcat("If-None-Match: ", etag, NULL);
    ck_assert_int_eq(web_ask(web, "GET", "/apis/apps/v1", header, NULL), 304);
    ck_assert_uint_eq(web->responder.body->len, 0);
    web_free(web);
}
END_TEST

START_TEST(a_large_answer_is_compressed_for_those_who_take_it)
{
    Web *web = web_new();

    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("pod-%d", i);

        make_pod(web->f, name);
    }
    web_ask(web, "GET", "/api/v1/pods", "Accept-Encoding: gzip", NULL);
    ck_assert_ptr_nonnull(strstr(web->responder.headers->str, "Content-Encoding: gzip"));
    ck_assert_uint_eq((uint8_t)web->responder.body->str[0], 0x1f);
    web_ask(web, "GET", "/api/v1/pods", "", NULL);
    ck_assert(body_has(web, "\"kind\":\"PodList\""));
    web_free(web);
}
END_TEST

START_TEST(a_service_account_token_opens_the_door_until_its_account_is_gone)
{
    Web *web = web_new();
    g_autoptr(Value) answer = NULL;
    g_autofree char *header = NULL;

    ck_assert_int_eq(web_ask(web, "POST",
                             "/api/v1/namespaces/default/serviceaccounts/default/token", "",
                             "{\"spec\":{}}"),
                     201);
    answer = json_parse(web->responder.body->str, web->responder.body->len, NULL);
    header = g_strconcat("Anonymous: yes\nAuthorization: Bearer ",
                         value_text_at(answer, "status.token"), NULL);
    ck_assert_int_eq(web_ask(web, "GET", "/api/v1/pods", header, NULL), 200);
    web_ask(web, "DELETE", "/api/v1/namespaces/default/serviceaccounts/default", "", NULL);
    ck_assert_int_eq(web_ask(web, "GET", "/api/v1/pods", header, NULL), 401);
    web_free(web);
}
END_TEST

/* A kubelet that says two lines and waits, or refuses the container "none". */
static void
kubelet_opened(NetServer *server, NetMessage message, NetStream *stream, const char *from,
               void *data)
{
    Net *net = data;
    KubeletRequest *request = message.body;
    KubeletFrame *frames[] = {kubelet_frame_new(KUBELET_ACCEPTED),
                              kubelet_frame_data(KUBELET_STDOUT, "one\n", 4),
                              kubelet_frame_code(KUBELET_END, 0, NULL)};

    ck_assert_int_eq(request->kind, KUBELET_LOGS);
    ck_assert_str_eq(request->container, "c");
    ck_assert_int_eq(request->tail_lines, 5);
    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++)
        if (request->follow && frames[i]->kind == KUBELET_END)
            kubelet_frame_free(frames[i]);
        else
            net->ops->send(net, stream,
                           (NetMessage){frames[i], (GDestroyNotify)kubelet_frame_free, 10, NULL});
    kubelet_request_free(request);
}

static void
bind_pod(Web *web, const char *name)
{
    ask(web->f, API_VERB_CREATE, "nodes", NULL, NULL, "{metadata: {name: n1}}");
    make_pod(web->f, name);
    ask(web->f, API_VERB_CREATE, "pods/binding", "default", name,
        "{target: {kind: Node, name: n1}}");
}

START_TEST(a_log_comes_from_the_kubelet_of_the_pod)
{
    Web *web = web_new();
    const Ports *node = test_world_ports(web->f->world, "n1");
    static const NetServerHandler handler = {.open = kubelet_opened};

    bind_pod(web, "a");
    web_ask(web, "GET", "/api/v1/namespaces/default/pods/a/log?container=other", "", NULL);
    ck_assert_int_eq(web->responder.code, 400);
    ck_assert(body_has(web, "container other is not valid for pod a"));
    web_ask(web, "GET", "/api/v1/namespaces/default/pods/a/log", "", NULL);
    test_world_settle(web->f->world);
    ck_assert_int_eq(web->responder.code, 500);
    ck_assert(body_has(web, "connection refused"));
    node->net->ops->listen(node->net, KUBELET_PORT, &handler, node->net);
    web_ask(web, "GET", "/api/v1/namespaces/default/pods/a/log?tailLines=5", "", NULL);
    test_world_settle(web->f->world);
    ck_assert_int_eq(web->responder.code, 200);
    ck_assert_str_eq(web->responder.body->str, "one\n");
    ck_assert_int_eq(web->responder.ends, 1);
    web_ask(web, "GET", "/api/v1/namespaces/default/pods/a/log?tailLines=5&follow=true", "", NULL);
    test_world_settle(web->f->world);
    ck_assert_int_eq(web->responder.ends, 0);
    web->responder.gone(web->responder.gone_data);
    ck_assert_int_eq(web->responder.ends, 1);
    web_free(web);
}
END_TEST

TCase *
face_case(void)
{
    return test_case("face", each_raw_request_gets_its_code_and_text,
                     a_watch_writes_one_event_a_line_until_the_client_goes,
                     a_watch_of_tables_has_column_definitions_in_its_first_event_only,
                     a_document_that_the_client_has_is_not_sent_again,
                     a_large_answer_is_compressed_for_those_who_take_it,
                     a_service_account_token_opens_the_door_until_its_account_is_gone,
                     a_log_comes_from_the_kubelet_of_the_pod);
}
