/* kubectl get */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "cli/kubectl/table.h"
#include "core/api/meta.h"
#include "core/api/status.h"

typedef struct Getting {
    Kube *kube;
    KubePrinter *printer;
    TableOptions table;
    const ApiKind *kind; /* of a watch */
    bool events;
    int status;
} Getting;

static bool
all_namespaces(Kube *kube)
{
    return kube_flag_bool(kube, "all-namespaces");
}

/* ---- tables of what was found ---- */

static void
write_tables(Getting *getting, const KubeItems *items)
{
    size_t n = items->items->len;
    g_autoptr(GString) out = g_string_new(NULL);
    for (size_t from = 0, to; from < n; from = to) {
        const ApiKind *kind = kube_item(items, from)->kind;
        g_autofree const Value **objects = g_new0(const Value *, n + 1);
        for (to = from; to < n && kube_item(items, to)->kind == kind; to++)
            objects[to - from] = kube_item(items, to)->object;
        TableOptions options = getting->table;
        options.with_namespace = all_namespaces(getting->kube) && kind->namespaced;
        if (from > 0)
            g_string_append_c(out, '\n');
        table_write(getting->kube, out, kind, objects, to - from, &options);
    }
    kube_write(getting->kube, 1, out->str);
}

static void
say_nothing_found(Kube *kube, const KubeItems *items)
{
    if (items->errors->len > 0 || kube_flag_bool(kube, "ignore-not-found"))
        return;
    if (all_namespaces(kube) || (items->kind != NULL && !items->kind->namespaced))
        kube_err(kube, "No resources found\n");
    else
        kube_err(kube, "No resources found in %s namespace.\n", kube->namespace_);
}

static int
print_found(Getting *getting, KubeItems *items)
{
    Kube *kube = getting->kube;
    if (!kube_printer_is_table(getting->printer)) {
        if (items->items->len == 0 && (items->errors->len > 0 || items->single))
            return kube_items_end(kube, items);
        int status = kube_print_items(kube, getting->printer, items);
        return kube_items_end(kube, items) != 0 ? 1 : status;
    }
    getting->table.with_kind = getting->table.with_kind || items->several_kinds;
    if (items->items->len == 0)
        say_nothing_found(kube, items);
    else
        write_tables(getting, items);
    return kube_items_end(kube, items);
}

/* ---- -w ---- */

static void
print_event(Getting *getting, const char *event, const Value *object)
{
    Kube *kube = getting->kube;
    if (!kube_printer_is_table(getting->printer)) {
        if (getting->events) {
            g_autoptr(Value) wrapped = value_new_f("{type: %s, object: %v}", event, object);
            kube_print(kube, getting->printer, getting->kind, wrapped);
        } else {
            kube_print(kube, getting->printer, getting->kind, object);
        }
        return;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    getting->table.event = getting->events ? event : NULL;
    table_write(kube, out, getting->kind, &object, 1, &getting->table);
    getting->table.no_headers = true;
    kube_write(kube, 1, out->str);
}

static bool
watched(const WatchEvent *event, void *data)
{
    Getting *getting = data;
    if (event->type == WATCH_BOOKMARK)
        return false;
    if (event->type == WATCH_ERROR) {
        getting->status = kube_fail_status(getting->kube, event->object);
        return true;
    }
    g_autoptr(Value) object =
        value_set(event->object, "kind", value_new_string(getting->kind->kind));
    value_edit(&object, "apiVersion", value_new_string(api_kind_api_version(getting->kind)));
    print_event(getting, watch_event_name(event->type), object);
    return false;
}

static int
get_watch(Getting *getting, KubeItems *items)
{
    Kube *kube = getting->kube;
    const KubeItem *named = items->single && items->items->len == 1 ? kube_item(items, 0) : NULL;
    if (items->errors->len > 0)
        return kube_items_end(kube, items);
    getting->kind = named != NULL ? named->kind : items->kind;
    if (items->several_kinds || getting->kind == NULL || (named == NULL && items->revision == NULL))
        return kube_fail(kube, "you may only specify a single resource type");
    g_autoptr(GPtrArray) shape = g_ptr_array_new_with_free_func(g_free);
    getting->table.shape = shape;
    getting->table.with_namespace = all_namespaces(kube) && getting->kind->namespaced;
    for (guint i = 0; i < items->items->len && !kube_flag_bool(kube, "watch-only"); i++)
        print_event(getting, "ADDED", kube_item(items, i)->object);
    ApiRequest *request = kube_request(API_VERB_WATCH, getting->kind,
                                       named != NULL          ? named->namespace_
                                       : all_namespaces(kube) ? NULL
                                                              : kube->namespace_,
                                       NULL);
    const char *fields = kube_flag(kube, "field-selector"), *labels = kube_flag(kube, "selector");
    if (named != NULL)
        request->list.field_selector = g_strdup_printf("metadata.name=%s", named->name);
    else
        request->list.field_selector = *fields != '\0' ? g_strdup(fields) : NULL;
    request->list.label_selector = *labels != '\0' ? g_strdup(labels) : NULL;
    request->list.resource_version =
        named != NULL ? g_strdup(value_text_at(named->object, "metadata.resourceVersion"))
                      : g_strdup(items->revision);
    kube_watch(kube, request, watched, getting, -1);
    getting->table.shape = NULL;
    return getting->status;
}

/* ---- the command ---- */

static int
get_raw(Kube *kube)
{
    g_autoptr(GError) error = NULL;
    if (kube->env->get_raw == NULL)
        return kube_fail(kube, "raw paths cannot be read here");
    g_autofree char *text = kube->env->get_raw(kube_flag(kube, "raw"), &error, kube->env->data);
    if (text == NULL)
        return kube_fail(kube, "%s", error->message);
    kube_write(kube, 1, text);
    return 0;
}

static int
get_run(Kube *kube)
{
    if (kube_flag_given(kube, "raw"))
        return get_raw(kube);
    if (kube_n_args(kube) == 0 && !kube_flag_given(kube, "filename")) {
        kube_err(
            kube,
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a "
            "complete list of supported resources.\n\n");
        return kube_fail(
            kube, "Required resource not specified.\nUse \"kubectl explain <resource>\" for a "
                  "detailed description of that resource (e.g. kubectl explain pods).\nSee "
                  "'kubectl get -h' for help and examples");
    }
    g_autoptr(KubePrinter) printer = kube_printer_new(kube, kube_flag(kube, "output"));
    if (printer == NULL)
        return 1;
    g_auto(GStrv) label_columns = kube_flag_list(kube, "label-columns");
    g_autoptr(KubeItems) items =
        kube_select(kube, SELECT_FETCH | SELECT_ALL_OK, 0, kube_n_args(kube));
    if (items == NULL)
        return 1;
    if (*kube_flag(kube, "sort-by") != '\0' &&
        kube_sort_items(kube, items, kube_flag(kube, "sort-by")) != 0)
        return 1;
    Getting getting = {
        .kube = kube,
        .printer = printer,
        .events = kube_flag_bool(kube, "output-watch-events"),
        .table = {.wide = kube_printer_is_wide(printer),
                  .no_headers = kube_flag_bool(kube, "no-headers"),
                  .show_labels = kube_flag_bool(kube, "show-labels"),
                  .with_kind = kube_flag_bool(kube, "show-kind"),
                  .label_columns = label_columns},
    };
    if (kube_flag_bool(kube, "watch") || kube_flag_bool(kube, "watch-only"))
        return get_watch(&getting, items);
    return print_found(&getting, items);
}

static const KubeFlag get_flags[] = {
    KUBE_FLAGS_ALL_NAMESPACES,
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_FIELD_SELECTOR,
    {"output", 'o', FLAG_TEXT, NULL, NULL,
     "How to print: json, yaml, name, wide, jsonpath=..., jsonpath-as-json=..., jsonpath-file=..., "
     "custom-columns=NAME:.path,..., custom-columns-file=..."},
    {"template", 0, FLAG_TEXT, NULL, NULL, "The template of -o jsonpath"},
    {"allow-missing-template-keys", 0, FLAG_BOOL, "true", NULL,
     "Print nothing for fields of a template that are absent"},
    {"show-managed-fields", 0, FLAG_BOOL, "false", NULL,
     "Keep metadata.managedFields in json and yaml"},
    {"watch", 'w', FLAG_BOOL, "false", NULL, "After the list, go on with each change"},
    {"watch-only", 0, FLAG_BOOL, "false", NULL, "Print each change without the list first"},
    {"output-watch-events", 0, FLAG_BOOL, "false", NULL, "Say of each change what it is"},
    {"sort-by", 0, FLAG_TEXT, NULL, NULL, "JSONPath of the field to sort by (.metadata.name)"},
    {"show-labels", 0, FLAG_BOOL, "false", NULL, "All labels as the last column"},
    {"label-columns", 'L', FLAG_LIST, NULL, NULL, "Labels to print as columns"},
    {"no-headers", 0, FLAG_BOOL, "false", NULL, "No line of headers"},
    {"show-kind", 0, FLAG_BOOL, "false", NULL, "The kind before each name"},
    {"ignore-not-found", 0, FLAG_BOOL, "false", NULL, "Status 0 when it does not exist"},
    {"chunk-size", 0, FLAG_INT, "500", NULL, "How many objects to ask for at a time; 0: all"},
    {"raw", 0, FLAG_TEXT, NULL, NULL, "A path of the server to read as it is"},
    {"server-print", 0, FLAG_BOOL, "true", NULL, "Accepted; tables are made here"},
    {"subresource", 0, FLAG_TEXT, NULL, NULL, "status or scale"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_GET = {
    .name = "get",
    .group = "Basic Commands (Intermediate)",
    .usage = "(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE/NAME ...)",
    .summary = "Display one or many resources",
    .help = "Prints a table of the most important fields. Several kinds may be given with commas; "
            "\"all\" stands "
            "for what people mostly look for. Use \"kubectl api-resources\" for all kinds.",
    .examples =
        "  kubectl get pods\n  kubectl get pods -o wide -w\n  kubectl get deploy/web svc/web\n"
        "  kubectl get pods -l app=web -A --sort-by=.metadata.creationTimestamp\n"
        "  kubectl get pod web -o jsonpath='{.status.podIP}'",
    .flags = get_flags,
    .run = get_run,
};
