#include "tests/core/apiserver/fixture.h"

Fixture *
fixture_new(void)
{
    static const char *const groups[] = {"system:masters", "system:authenticated", NULL};
    Fixture *f = g_new0(Fixture, 1);
    StoreOptions store_options;

    f->world = test_world_new(1);
    f->ports = test_world_ports(f->world, "control-plane");
    f->types = api_types_new();
    store_options = (StoreOptions){.clock = f->ports->clock};
    f->store = store_new(&store_options, store_driver_memory_new(NULL, 0), NULL);
    f->server = api_server_new(f->ports, f->types, f->store,
                               &(ApiServerOptions){.advertise_address = "10.0.0.1"});
    f->user = api_user_new("admin", groups);
    f->heard = g_string_new(NULL);
    ask(f, API_VERB_CREATE, "serviceaccounts", "default", NULL, "{metadata: {name: default}}");
    return f;
}

void
fixture_free(Fixture *f)
{
    store_check(f->store);
    api_server_free(f->server);
    store_free(f->store);
    api_response_free(f->response);
    api_user_unref(f->user);
    api_types_free(f->types);
    test_world_free(f->world);
    g_string_free(f->heard, TRUE);
    g_free(f);
}

ApiRequest *
request_new(Fixture *f, ApiVerb verb, const char *resource, const char *namespace_,
            const char *name, const char *body)
{
    g_auto(GStrv) parts = g_strsplit(resource, "/", 2);
    const char *dot = strchr(parts[0], '.');
    g_autofree char *plain =
        dot == NULL ? g_strdup(parts[0]) : g_strndup(parts[0], (size_t)(dot - parts[0]));
    ApiRequest *request =
        api_request_new(verb, dot == NULL ? "" : dot + 1, plain, namespace_, name);

    request->subresource = g_strdup(parts[1]);
    request->body = body == NULL ? NULL : value_new_f(body);
    request->user = api_user_ref(f->user);
    request->user_agent = g_strdup("test/1");
    return request;
}

static void
keep_response(ApiResponse *take_response, void *data)
{
    Fixture *f = data;

    api_response_free(f->response);
    f->response = take_response;
}

const Value *
send_request(Fixture *f, ApiRequest *take)
{
    api_server_handle(f->server, take, keep_response, f);
    return f->response->object;
}

const Value *
ask(Fixture *f, ApiVerb verb, const char *resource, const char *namespace_, const char *name,
    const char *body)
{
    return send_request(f, request_new(f, verb, resource, namespace_, name, body));
}

int
code(const Fixture *f)
{
    return f->response->code;
}

const char *
said(const Fixture *f)
{
    return status_message(f->response->object);
}

void
hear_to_text(const WatchEvent *event, void *data)
{
    static const char marks[] = "+~-b!";
    Fixture *f = data;

    if (event == NULL)
        g_string_append(f->heard, "end ");
    else
        g_string_append_printf(f->heard, "%c%s ", marks[event->type], object_name(event->object));
}

ApiServerWatch *
listen_to(Fixture *f, const char *resource, const char *namespace_, const char *version,
          const char *field_selector)
{
    ApiRequest *request = request_new(f, API_VERB_WATCH, resource, namespace_, NULL, NULL);

    request->list.resource_version = g_strdup(version);
    request->list.field_selector = g_strdup(field_selector);
    return api_server_watch(f->server, request, hear_to_text, f);
}

const Value *
make_pod(Fixture *f, const char *name)
{
    ApiRequest *request = request_new(f, API_VERB_CREATE, "pods", "default", NULL, NULL);

    request->body = value_new_f(
        "{metadata: {name: %s, labels: {app: web}}, spec: {containers: [{name: c, image: nginx}]}}",
        name);
    return send_request(f, request);
}
