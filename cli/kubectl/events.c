/* kubectl events */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"
#include "core/base/timestamp.h"

typedef struct Showing {
    Kube *kube;
    Describing d;
    bool all, headers;
    char *kind, *name; /* --for; NULL */
    char **types;
} Showing;

static int64_t
time_of(const Value *event)
{
    static const char *const fields[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                         "firstTimestamp"};
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        int64_t ns;
        if (timestamp_parse(value_string_at(event, fields[i]), &ns))
            return ns;
    }
    return 0;
}

static int
compare(const void *a, const void *b)
{
    const Value *left = *(const Value *const *)a, *right = *(const Value *const *)b;
    int64_t x = time_of(left), y = time_of(right);
    return x != y ? (x < y ? -1 : 1) : strcmp(object_name(left), object_name(right));
}

static bool
is_shown(const Showing *showing, const Value *event)
{
    const Value *about = value_get(event, "involvedObject");
    if (showing->kind != NULL &&
        (strcmp(value_text(value_get(about, "kind")), showing->kind) != 0 ||
         strcmp(value_text(value_get(about, "name")), showing->name) != 0))
        return false;
    bool typed = showing->types[0] == NULL;
    for (char **type = showing->types; *type != NULL; type++)
        typed = typed || g_ascii_strcasecmp(*type, value_text(value_get(event, "type"))) == 0;
    return typed;
}

static void
row(Showing *showing, GString *text, const Value *event)
{
    const Value *about = value_get(event, "involvedObject");
    int64_t count = value_int(value_get(event, "count"));
    const Value *last = value_get(event, "lastTimestamp"),
                *first = value_get(event, "firstTimestamp");
    if (value_is_null(first))
        first = value_get(event, "eventTime");
    if (value_is_null(last))
        last = first;
    g_autofree char *since = describe_since(&showing->d, last),
                    *from = describe_since(&showing->d, first);
    g_autofree char *seen =
        count > 1 ? g_strdup_printf("%s (x%" G_GINT64_FORMAT " over %s)", since, count, from)
                  : g_strdup(since);
    g_autofree char *message = g_strstrip(g_strdup(value_text(value_get(event, "message"))));
    if (showing->all)
        g_string_append_printf(text, "%s\t", object_namespace(event));
    g_string_append_printf(
        text, "%s\t%s\t%s\t%s/%s\t%s\n", seen, value_text(value_get(event, "type")),
        value_text(value_get(event, "reason")), value_text(value_get(about, "kind")),
        value_text(value_get(about, "name")), message);
}

static void
print(Showing *showing, GPtrArray *events)
{
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    if (showing->headers)
        g_string_append_printf(text, "%sLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
                               showing->all ? "NAMESPACE\t" : "");
    showing->headers = false;
    for (guint i = 0; i < events->len; i++)
        row(showing, text, g_ptr_array_index(events, i));
    tabs_write(out, text->str, 6, 3);
    kube_write(showing->kube, 1, out->str);
}

static bool
watched(const WatchEvent *event, void *data)
{
    Showing *showing = data;
    if (event->type == WATCH_ERROR)
        return true;
    if ((event->type != WATCH_ADDED && event->type != WATCH_MODIFIED) ||
        !is_shown(showing, event->object))
        return false;
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    g_ptr_array_add(one, event->object);
    print(showing, one);
    return false;
}

static int
show(Showing *showing)
{
    Kube *kube = showing->kube;
    const ApiKind *kind = kube_kind_named(kube, "", "events");
    char *error = NULL;
    g_autoptr(Value) list =
        kube_list(kube, kind, showing->all ? NULL : kube->namespace_, NULL, NULL, &error);
    g_autoptr(GPtrArray) events = g_ptr_array_new();
    if (list == NULL)
        return kube_fail_take(kube, error);
    VALUE_ARRAY_FOREACH (event, value_get(list, "items"))
        if (is_shown(showing, event))
            g_ptr_array_add(events, (void *)event);
    bool watch = kube_flag_bool(kube, "watch");
    if (events->len == 0 && !watch) {
        if (showing->all)
            kube_err(kube, "No events found.\n");
        else
            kube_err(kube, "No events found in %s namespace.\n", kube->namespace_);
        return 0;
    }
    if (events->len > 0) {
        qsort(events->pdata, events->len, sizeof(void *), compare);
        print(showing, events);
    }
    if (!watch)
        return 0;
    ApiRequest *request =
        kube_request(API_VERB_WATCH, kind, showing->all ? NULL : kube->namespace_, NULL);
    request->list.resource_version = g_strdup(value_text_at(list, "metadata.resourceVersion"));
    return kube_watch(kube, request, watched, showing, -1);
}

static int
events_run(Kube *kube)
{
    Showing showing = {.kube = kube,
                       .d = {.kube = kube},
                       .all = kube_flag_bool(kube, "all-namespaces"),
                       .headers = !kube_flag_bool(kube, "no-headers")};
    g_auto(GStrv) types = kube_flag_list(kube, "types");
    const char *about = kube_flag(kube, "for"), *slash = strchr(about, '/');
    showing.types = types;
    if (*about != '\0' && slash == NULL)
        return kube_fail(kube, "--for must be in resource/name form");
    if (slash != NULL) {
        g_autofree char *type = g_strndup(about, (gsize)(slash - about));
        const ApiKind *kind = kube_kind(kube, type);
        if (kind == NULL)
            return 1;
        showing.kind = (char *)kind->kind;
        showing.name = (char *)slash + 1;
        showing.all = showing.all || !kind->namespaced;
    }
    return show(&showing);
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_ALL_NAMESPACES,
    {"for", 0, FLAG_TEXT, NULL, NULL, "Only about this object: TYPE/NAME"},
    {"types", 0, FLAG_LIST, NULL, NULL, "Normal, Warning"},
    {"watch", 'w', FLAG_BOOL, "false", NULL, "Go on with new ones"},
    {"no-headers", 0, FLAG_BOOL, "false", NULL, "No line of headers"},
    {"chunk-size", 0, FLAG_INT, "500", NULL, "How many objects to ask for at a time; 0: all"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_EVENTS = {
    .name = "events",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "[--for TYPE/NAME] [--watch] [--types=Normal,Warning]",
    .summary = "List events",
    .examples = "  kubectl events --for pod/web -w\n  kubectl events --types=Warning -A",
    .flags = flags,
    .run = events_run,
};
