#include <string.h>

#include "cli/kubeconfig_file.h"
#include "core/api/status.h"
#include "sim/backend/host/http_client.h"
#include "sim/backend/host/http_server.h"
#include "tests/cli/kubectl/bench.h"

/* Answers GET of one pod, a watch of two lines, and 404 for all else. */
static void
serve(const HttpRequest *request, HttpResponder *responder, void *data)
{
    const char *body =
        "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"message\":\"gone\"}";
    int code = 404;
    if (strcmp(request->target, "/api/v1/namespaces/default/pods/web") == 0) {
        body = "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"}}";
        code = 200;
    } else if (strcmp(request->target, "/api/v1/pods?watch=true") == 0) {
        body = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"7\"}}}\n"
               "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"resourceVersion\":\"8\"}}}\n";
        code = 200;
    }
    const HttpHeader header = {"Content-Type", "application/json"};
    g_autoptr(GBytes) bytes = g_bytes_new_static(body, strlen(body));
    responder->ops->start(responder, code, &header, 1, (gint64)strlen(body));
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}

static void
answered(ApiResponse *take, void *data)
{
    *(ApiResponse **)data = take;
}

static ApiResponse *
ask(Transport *transport, const char *name)
{
    ApiResponse *response = NULL;
    transport->ops->call(transport, api_request_new(API_VERB_GET, "", "pods", "default", name),
                         answered, &response);
    while (response == NULL)
        g_main_context_iteration(NULL, TRUE);
    return response;
}

static void
noted(const WatchEvent *event, void *data)
{
    GString *text = data;
    if (event == NULL)
        g_string_append(text, "end");
    else
        g_string_append_printf(text, "%s %d ", watch_event_name(event->type), (int)event->revision);
}

START_TEST(requests_travel_over_http)
{
    const HttpServerOptions server_options = {.address = "127.0.0.1", .handler = serve};
    HttpServer *server = http_server_new(&server_options, NULL);
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u", http_server_port(server));
    const HttpTransportOptions options = {.server = url};
    Transport *transport = http_transport_new(&options, NULL);
    g_autoptr(ApiResponse) found = ask(transport, "web");
    ck_assert_int_eq(found->code, 200);
    ck_assert_str_eq(value_text_at(found->object, "metadata.name"), "web");
    g_autoptr(ApiResponse) gone = ask(transport, "none");
    ck_assert_int_eq(gone->code, 404);
    ck_assert_str_eq(status_message(gone->object), "gone");
    g_autoptr(GString) events = g_string_new(NULL);
    transport->ops->watch(transport, api_request_new(API_VERB_WATCH, "", "pods", NULL, NULL), noted,
                          events);
    while (!g_str_has_suffix(events->str, "end"))
        g_main_context_iteration(NULL, TRUE);
    ck_assert_str_eq(events->str, "ADDED 7 DELETED 8 end");
    http_server_free(server);
    g_autoptr(ApiResponse) refused = ask(transport, "web");
    ck_assert_int_eq(refused->code, 503);
    ck_assert(g_str_has_prefix(status_message(refused->object),
                               "The connection to the server 127.0.0.1:"));
    transport->ops->free(transport);
}
END_TEST

START_TEST(a_kubeconfig_names_its_server)
{
    g_autoptr(Value) config = value_new_f(
        "{current-context: a, contexts: [{name: a, context: {cluster: c, user: u, namespace: "
        "shop}}], clusters: [{name: c, "
        "cluster: {server: 'https://x:1'}}], users: [{name: u, user: {token: secret}}]}");
    const KubeconfigOverrides none = {0}, other = {.context = "b"},
                              named = {.namespace_ = "n", .server = "http://y"};
    g_autoptr(GError) error = NULL;
    g_autoptr(KubeconfigTarget) target = kubeconfig_target(config, &none, &error);
    ck_assert_str_eq(target->server, "https://x:1");
    ck_assert_str_eq(target->namespace_, "shop");
    ck_assert_str_eq(target->token, "secret");
    g_autoptr(KubeconfigTarget) overridden = kubeconfig_target(config, &named, &error);
    ck_assert_str_eq(overridden->server, "http://y");
    ck_assert_str_eq(overridden->namespace_, "n");
    ck_assert_ptr_null(kubeconfig_target(config, &other, &error));
    ck_assert_str_eq(error->message, "context \"b\" does not exist");
}
END_TEST

TCase *
http_suite(void)
{
    return test_case("http", requests_travel_over_http, a_kubeconfig_names_its_server);
}
