/* One command line under way: what it writes, and its calls to the API server. */
#include "cli/kubectl/kube.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/status.h"

/* ---- output ---- */

void
kube_write(Kube *kube, int stream, const char *text)
{
    kube->env->write(stream, text, strlen(text), kube->env->data);
}

static void
write_format(Kube *kube, int stream, const char *prefix, const char *suffix, const char *format,
             va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    g_autofree char *whole = g_strconcat(prefix, text, suffix, NULL);
    kube_write(kube, stream, whole);
}

void
kube_out(Kube *kube, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_format(kube, 1, "", "", format, args);
    va_end(args);
}

void
kube_err(Kube *kube, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_format(kube, 2, "", "", format, args);
    va_end(args);
}

int
kube_fail(Kube *kube, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_format(kube, 2, "error: ", "\n", format, args);
    va_end(args);
    return 1;
}

int
kube_fail_usage(Kube *kube, const char *format, ...)
{
    g_autofree char *see = g_strdup_printf("\nSee '%s --help' for usage.\n", kube->path);
    va_list args;
    va_start(args, format);
    write_format(kube, 2, "error: ", see, format, args);
    va_end(args);
    return 1;
}

/* cmdutil.MultilineError of the causes of an Invalid status. */
static char *
invalid_text(const Value *status)
{
    const Value *details = value_get(status, "details"), *causes = value_get(details, "causes");
    g_autoptr(GString) text = g_string_new("The request is invalid");
    const char *kind = value_text(value_get(details, "kind"));
    const char *name = value_text(value_get(details, "name"));
    if (*kind != '\0' || *name != '\0')
        g_string_printf(text, "The %s \"%s\" is invalid", kind, name);
    else if (value_size(causes) == 0 && *status_message(status) != '\0')
        g_string_append_printf(text, ": %s", status_message(status));
    if (value_size(causes) == 0) {
        g_string_append_c(text, '\n');
        return g_strdup(text->str);
    }
    g_string_append(text, ": ");
    if (value_size(causes) > 1)
        g_string_append_c(text, '\n');
    VALUE_ARRAY_FOREACH (cause, causes)
        g_string_append_printf(text, "%s%s: %s\n", value_size(causes) > 1 ? "* " : "",
                               value_text(value_get(cause, "field")),
                               value_text(value_get(cause, "message")));
    return g_strdup(text->str);
}

char *
kube_status_text(const Value *status, const char *verb, const char *source)
{
    const char *reason = status_reason(status), *message = status_message(status);
    if (strcmp(reason, "Invalid") == 0)
        return invalid_text(status);
    if (g_str_has_prefix(message, "The connection to the server ") ||
        g_str_has_prefix(message, "Unable to connect to the server: "))
        return g_strconcat(message, "\n", NULL);
    g_autofree char *where =
        source != NULL ? g_strdup_printf("error when %s \"%s\": ", verb, source) : g_strdup("");
    if (strcmp(reason, "Unauthorized") == 0)
        return g_strdup_printf("error: You must be logged in to the server (%s)\n", message);
    if (*reason != '\0')
        return g_strdup_printf("Error from server (%s): %s%s\n", reason, where, message);
    return g_strdup_printf("Error from server: %s%s\n", where, message);
}

int
kube_fail_status(Kube *kube, const Value *status)
{
    return kube_fail_take(kube, kube_status_text(status, NULL, NULL));
}

int
kube_fail_take(Kube *kube, char *take_error)
{
    g_autofree char *text = take_error;
    if (text != NULL)
        kube_write(kube, 2, text);
    return 1;
}

int64_t
kube_now(const Kube *kube)
{
    return clock_now(kube->env->ports->clock);
}

/* ---- waiting ---- */

typedef struct Deadline {
    bool (*done)(void *data);
    void *data;
    TimerId timer;
    bool over;
} Deadline;

static void
deadline_passed(void *data)
{
    Deadline *deadline = data;
    deadline->timer = 0;
    deadline->over = true;
}

static bool
deadline_done(void *data)
{
    Deadline *deadline = data;
    return deadline->over || deadline->done(deadline->data);
}

bool
kube_wait(Kube *kube, bool (*done)(void *data), void *data, int64_t timeout_ns)
{
    if (timeout_ns < 0)
        return kube->env->wait(done, data, kube->env->data);
    Clock *clock = kube->env->ports->clock;
    Deadline deadline = {.done = done, .data = data};
    deadline.timer = clock_timer_in(clock, timeout_ns, deadline_passed, &deadline);
    bool went_on = kube->env->wait(deadline_done, &deadline, kube->env->data);
    clock_cancel(clock, &deadline.timer);
    return went_on && done(data);
}

/* ---- calls ---- */

/* Outlives the call when the person gave up before the answer. */
typedef struct Pending {
    ApiResponse *response;
    bool abandoned;
} Pending;

static void
answered(ApiResponse *take_response, void *data)
{
    Pending *pending = data;
    if (pending->abandoned) {
        api_response_free(take_response);
        g_free(pending);
        return;
    }
    pending->response = take_response;
}

static bool
pending_done(void *data)
{
    return ((Pending *)data)->response != NULL;
}

ApiResponse *
kube_call(Kube *kube, ApiRequest *take)
{
    Transport *transport = kube->env->transport;
    Pending *pending = g_new0(Pending, 1);
    if (take->user_agent == NULL)
        take->user_agent = g_strdup("kubectl");
    transport->ops->call(transport, take, answered, pending);
    bool went_on =
        pending->response != NULL || kube->env->wait(pending_done, pending, kube->env->data);
    if (!went_on && pending->response == NULL) {
        pending->abandoned = true;
        return NULL;
    }
    ApiResponse *response = pending->response;
    g_free(pending);
    for (char **warning = response->warnings; warning != NULL && *warning != NULL; warning++)
        kube_err(kube, "Warning: %s\n", *warning);
    return response;
}

ApiRequest *
kube_request(ApiVerb verb, const ApiKind *kind, const char *namespace_, const char *name)
{
    ApiRequest *request = api_request_new(verb, kind->group, kind->resource,
                                          kind->namespaced ? namespace_ : NULL, name);
    g_free(request->version);
    request->version = g_strdup(kind->version);
    return request;
}

Value *
kube_ask(Kube *kube, ApiRequest *take, char **ret_error)
{
    g_autoptr(ApiResponse) response = kube_call(kube, take);
    if (response == NULL) {
        *ret_error = g_strdup("error: interrupted\n");
        return NULL;
    }
    if (!api_response_ok(response)) {
        *ret_error = kube_status_text(response->object, NULL, NULL);
        return NULL;
    }
    return value_ref(response->object);
}

static Value *
with_kind(const ApiKind *kind, const Value *object)
{
    if (value_has(object, "kind") && value_has(object, "apiVersion"))
        return value_ref(object);
    Value *result = value_set(object, "kind", value_new_string(kind->kind));
    value_edit(&result, "apiVersion", value_new_string(api_kind_api_version(kind)));
    return result;
}

Value *
kube_get(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
         char **ret_error)
{
    g_autoptr(Value) object =
        kube_ask(kube, kube_request(API_VERB_GET, kind, namespace_, name), ret_error);
    return object != NULL ? with_kind(kind, object) : NULL;
}

Value *
kube_list(Kube *kube, const ApiKind *kind, const char *namespace_, const char *label_selector,
          const char *field_selector, char **ret_error)
{
    g_autoptr(ValueBuilder) items = value_builder_new_array();
    g_autofree char *next = NULL, *revision = NULL;
    int64_t limit = kube_flag_find(kube->command, "chunk-size") != NULL
                        ? kube_flag_int(kube, "chunk-size")
                        : KUBE_CHUNK_SIZE;
    do {
        ApiRequest *request = kube_request(API_VERB_LIST, kind, namespace_, NULL);
        request->list.label_selector = g_strdup(label_selector);
        request->list.field_selector = g_strdup(field_selector);
        request->list.limit = limit;
        request->list.continue_token = g_steal_pointer(&next);
        g_autoptr(Value) page = kube_ask(kube, request, ret_error);
        if (page == NULL)
            return NULL;
        VALUE_ARRAY_FOREACH (item, value_get(page, "items"))
            value_builder_append(items, with_kind(kind, item));
        g_free(revision);
        revision = g_strdup(value_text_at(page, "metadata.resourceVersion"));
        next = g_strdup(value_string_at(page, "metadata.continue"));
    } while (next != NULL && *next != '\0');
    return value_new_f("{apiVersion: %s, kind: %s, metadata: {resourceVersion: %s}, items: %V}",
                       api_kind_api_version(kind), kind->list_kind, revision,
                       value_builder_end(g_steal_pointer(&items)));
}

Value *
kube_patch(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
           const char *subresource, PatchType type, Value *take_patch, char **ret_error)
{
    ApiRequest *request = kube_request(API_VERB_PATCH, kind, namespace_, name);
    DryRun dry_run = DRY_RUN_NONE;
    if (kube_flag_find(kube->command, "dry-run") != NULL)
        kube_dry_run(kube, &dry_run);
    request->subresource = g_strdup(subresource);
    request->patch_type = type;
    request->body = take_patch;
    request->dry_run = dry_run == DRY_RUN_SERVER;
    if (kube_flag_find(kube->command, "field-manager") != NULL &&
        *kube_flag(kube, "field-manager") != '\0')
        request->field_manager = g_strdup(kube_flag(kube, "field-manager"));
    g_autoptr(Value) object = kube_ask(kube, request, ret_error);
    return object == NULL        ? NULL
           : subresource != NULL ? value_ref(object)
                                 : with_kind(kind, object);
}

/* ---- dry run ---- */

bool
kube_dry_run(Kube *kube, DryRun *ret_dry_run)
{
    const char *value = kube_flag(kube, "dry-run");
    if (*value == '\0' || strcmp(value, "none") == 0 || strcmp(value, "false") == 0)
        *ret_dry_run = DRY_RUN_NONE;
    else if (strcmp(value, "client") == 0)
        *ret_dry_run = DRY_RUN_CLIENT;
    else if (strcmp(value, "server") == 0)
        *ret_dry_run = DRY_RUN_SERVER;
    else {
        if (strcmp(value, "unchanged") == 0)
            kube_fail(kube, "--dry-run flag without a value was specified. A value must be set: "
                            "\"none\", \"server\", or \"client\".");
        else
            kube_fail(kube,
                      "Invalid dry-run value (%s). Must be \"none\", \"server\", or \"client\".",
                      value);
        return false;
    }
    return true;
}

const char *
dry_run_suffix(DryRun dry_run)
{
    return dry_run == DRY_RUN_CLIENT   ? " (dry run)"
           : dry_run == DRY_RUN_SERVER ? " (server dry run)"
                                       : "";
}
