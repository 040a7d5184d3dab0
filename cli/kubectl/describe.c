/* kubectl describe: an object, what belongs to it, and its events. */
#include "cli/kubectl/describe.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"
#include "core/object/jsonpath.h"
#include "core/object/selector.h"

#define ANNOTATION_MAX 140
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* ---- words ---- */

const char *
or_none(const char *text)
{
    return text == NULL || *text == '\0' ? "<none>" : text;
}

char *
describe_time(const Value *timestamp)
{
    int64_t ns;
    if (!timestamp_parse(value_string(timestamp), &ns))
        return g_strdup("Mon, 01 Jan 0001 00:00:00 +0000");
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ns / NS_PER_S);
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    return g_strdup_printf(
        "%s, %02d %s %04d %02d:%02d:%02d +0000", days[g_date_time_get_day_of_week(time) - 1],
        g_date_time_get_day_of_month(time), months[g_date_time_get_month(time) - 1],
        g_date_time_get_year(time), g_date_time_get_hour(time), g_date_time_get_minute(time),
        g_date_time_get_second(time));
}

char *
describe_since(Describing *d, const Value *timestamp)
{
    int64_t ns;
    return timestamp_parse(value_string(timestamp), &ns) ? duration_human(kube_now(d->kube) - ns)
                                                         : g_strdup("<unknown>");
}

char *
describe_text(const Value *value)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (!value_is_null(value))
        jsonpath_append_value(text, value);
    return g_strdup(text->str);
}

char *
describe_pairs(const Value *map)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_MAP_FOREACH (key, label, map)
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? "," : "", key, value_text(label));
    return g_strdup(or_none(text->str));
}

char *
describe_selector(const Value *label_selector)
{
    g_autoptr(Selector) selector = selector_from_object(label_selector, NULL);
    g_autofree char *text = selector != NULL ? selector_text(selector) : NULL;
    return g_strdup(or_none(text));
}

/* ---- lines ---- */

void
describe_line(Describing *d, int level, const char *format, ...)
{
    for (int i = 0; i < level; i++)
        g_string_append(d->out, "  ");
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(d->out, format, args);
    va_end(args);
    g_string_append_c(d->out, '\n');
}

void
describe_name(Describing *d, const Value *object, bool namespaced)
{
    describe_line(d, 0, "Name:\t%s", object_name(object));
    if (namespaced)
        describe_line(d, 0, "Namespace:\t%s", object_namespace(object));
}

void
describe_map(Describing *d, const char *title, const Value *map)
{
    g_string_append_printf(d->out, "%s:\t", title);
    if (value_size(map) == 0)
        g_string_append(d->out, "<none>\n");
    bool first = true;
    VALUE_MAP_FOREACH (key, text, map) {
        g_string_append_printf(d->out, "%s%s=%s\n", first ? "" : "\t", key, value_text(text));
        first = false;
    }
}

static void
annotation_lines(Describing *d, const char *key, const char *value)
{
    g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
    g_string_append_printf(d->out, "%s:\n", key);
    for (char **line = lines; *line != NULL; line++) {
        bool last = line[1] == NULL;
        if (last && **line == '\0' && line != lines)
            break;
        g_string_append_printf(d->out, "\t  %.*s%s\n", ANNOTATION_MAX - 2, *line,
                               strlen(*line) > ANNOTATION_MAX - 2 ? "..." : "");
    }
}

void
describe_annotations(Describing *d, const char *title, const Value *map)
{
    bool first = true;
    g_string_append_printf(d->out, "%s:\t", title);
    VALUE_MAP_FOREACH (key, value, map) {
        const char *text = value_text(value);
        if (strcmp(key, LAST_APPLIED) == 0)
            continue;
        g_string_append(d->out, first ? "" : "\t");
        first = false;
        if (strlen(text) + strlen(key) + 2 > ANNOTATION_MAX || strchr(text, '\n') != NULL)
            annotation_lines(d, key, text);
        else
            g_string_append_printf(d->out, "%s: %s\n", key, text);
    }
    if (first)
        g_string_append(d->out, "<none>\n");
}

void
describe_controlled_by(Describing *d, const Value *object)
{
    const Value *owner = object_controller(object);
    if (owner != NULL)
        describe_line(d, 0, "Controlled By:\t%s/%s", value_text(value_get(owner, "kind")),
                      value_text(value_get(owner, "name")));
}

void
describe_conditions(Describing *d, const Value *conditions, bool with_reason)
{
    if (value_size(conditions) == 0)
        return;
    describe_line(d, 0, "Conditions:");
    describe_line(d, 1, with_reason ? "Type\tStatus\tReason" : "Type\tStatus");
    if (with_reason)
        describe_line(d, 1, "----\t------\t------");
    VALUE_ARRAY_FOREACH (condition, conditions) {
        const char *type = value_text(value_get(condition, "type"));
        const char *status = value_text(value_get(condition, "status"));
        if (with_reason)
            describe_line(d, 1, "%s \t%s\t%s", type, status,
                          value_text(value_get(condition, "reason")));
        else
            describe_line(d, 1, "%s \t%s ", type, status);
    }
}

void
describe_resources(Describing *d, int level, const char *title, const Value *map)
{
    if (value_size(map) == 0)
        return;
    describe_line(d, level, "%s:", title);
    VALUE_MAP_FOREACH (name, quantity, map) {
        g_autofree char *text = describe_text(quantity);
        describe_line(d, level + 1, "%s:\t%s", name, text);
    }
}

void
describe_texts(Describing *d, const char *title, const Value *array)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (item, array)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", value_text(item));
    describe_line(d, 0, "%s:\t%s", title, or_none(text->str));
}

Value *
describe_list(Describing *d, const char *group, const char *resource, const char *namespace_,
              const char *labels, const char *fields)
{
    const ApiKind *kind = api_types_by_resource(d->kube->env->types, group, NULL, resource);
    g_autofree char *error = NULL;
    return kind != NULL ? kube_list(d->kube, kind, namespace_, labels, fields, &error) : NULL;
}

/* ---- events ---- */

static int64_t
event_time(const Value *event)
{
    int64_t last = timestamp_of(value_string(value_get(event, "lastTimestamp")));
    return last != 0 ? last : timestamp_of(value_string(value_get(event, "eventTime")));
}

static int
compare_events(const void *a, const void *b)
{
    const Value *left = *(const Value *const *)a, *right = *(const Value *const *)b;
    int64_t x = event_time(left), y = event_time(right);
    if (x != y)
        return x < y ? -1 : 1;
    return strcmp(object_name(left), object_name(right));
}

static void
event_line(Describing *d, const Value *event)
{
    int64_t count = value_int(value_get(event, "count"));
    const Value *first_time = value_get(event, "firstTimestamp");
    if (value_is_null(first_time))
        first_time = value_get(event, "eventTime");
    const Value *last_time = value_get(event, "lastTimestamp");
    const Value *series = value_get(event, "series");
    if (series != NULL && count <= 1) {
        count = value_int(value_get(series, "count"));
        last_time = value_get(series, "lastObservedTime");
    }
    g_autofree char *first = describe_since(d, first_time);
    g_autofree char *last = describe_since(d, last_time);
    g_autofree char *age =
        count > 1 ? g_strdup_printf("%s (x%" G_GINT64_FORMAT " over %s)", last, count, first)
                  : g_strdup(first);
    const char *source = value_text_at(event, "source.component");
    g_autofree char *message = g_strstrip(g_strdup(value_text(value_get(event, "message"))));
    describe_line(d, 1, "%s\t%s\t%s\t%s\t%s", value_text(value_get(event, "type")),
                  value_text(value_get(event, "reason")), age,
                  *source != '\0' ? source : value_text(value_get(event, "reportingComponent")),
                  message);
}

static bool
is_about(const Value *event, const Value *object)
{
    const Value *about = value_get(event, "involvedObject");
    const char *uid = value_text(value_get(about, "uid"));
    return strcmp(value_text(value_get(about, "name")), object_name(object)) == 0 &&
           strcmp(value_text(value_get(about, "kind")), object_kind(object)) == 0 &&
           (*uid == '\0' || strcmp(uid, object_uid(object)) == 0 ||
            strcmp(object_kind(object), "Node") == 0);
}

void
describe_events(Describing *d, const Value *object)
{
    const char *namespace_ = object_namespace(object);
    g_autofree char *fields = g_strdup_printf("involvedObject.name=%s,involvedObject.kind=%s",
                                              object_name(object), object_kind(object));
    g_autoptr(Value) list =
        describe_list(d, "", "events", *namespace_ != '\0' ? namespace_ : NULL, NULL, fields);
    g_autoptr(GPtrArray) events = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (event, value_get(list, "items"))
        if (is_about(event, object))
            g_ptr_array_add(events, (void *)event);
    if (events->len == 0) {
        describe_line(d, 0, "Events:\t<none>");
        return;
    }
    qsort(events->pdata, events->len, sizeof(void *), compare_events);
    describe_line(d, 0, "Events:");
    describe_line(d, 1, "Type\tReason\tAge\tFrom\tMessage");
    describe_line(d, 1, "----\t------\t----\t----\t-------");
    for (guint i = 0; i < events->len; i++)
        event_line(d, g_ptr_array_index(events, i));
}

/* ---- the command ---- */

static const Describer *
find(const ApiKind *kind)
{
    const Describer *const tables[] = {DESCRIBE_WORKLOADS, DESCRIBE_CLUSTER, DESCRIBE_NETWORK,
                                       DESCRIBE_STORAGE, DESCRIBE_CONFIG};
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const Describer *describer = tables[i]; describer->resource != NULL; describer++)
            if (strcmp(describer->group, kind->group) == 0 &&
                strcmp(describer->resource, kind->resource) == 0)
                return describer;
    return NULL;
}

static char *
describe_object(Kube *kube, const ApiKind *kind, const Value *object)
{
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    Describing d = {.kube = kube, .out = text, .kind = kind, .object = object};
    const Describer *describer = find(kind);
    if (describer != NULL)
        describer->run(&d, object);
    else
        describe_unknown(&d, object);
    if (kube_flag_bool(kube, "show-events") && (describer == NULL || !describer->no_events))
        describe_events(&d, object);
    tabs_write(out, text->str, 0, 2);
    return g_strdup(out->str);
}

/* "describe pod web" without such a pod: all whose names begin with "web". */
static bool
select_by_prefix(Kube *kube, KubeItems *items)
{
    const char *prefix = kube_arg(kube, 1);
    const ApiKind *kind = kube_n_args(kube) == 2 && strchr(kube_arg(kube, 0), ',') == NULL
                              ? kube_kind_quiet(kube, kube_arg(kube, 0))
                              : NULL;
    g_autofree char *error = NULL;
    if (kind == NULL || items->errors->len != 1)
        return false;
    g_autoptr(Value) list = kube_list(kube, kind, kube->namespace_, NULL, NULL, &error);
    VALUE_ARRAY_FOREACH (object, value_get(list, "items"))
        if (g_str_has_prefix(object_name(object), prefix))
            kube_items_add(items, kind, object_namespace(object), object_name(object),
                           value_ref(object));
    if (items->items->len == 0)
        return false;
    g_ptr_array_set_size(items->errors, 0);
    return true;
}

static int
describe_run(Kube *kube)
{
    if (kube_n_args(kube) == 0 && !kube_flag_given(kube, "filename")) {
        kube_err(kube, "You must specify the type of resource to describe. Use \"kubectl "
                       "api-resources\" for a "
                       "complete list of supported resources.\n\n");
        return kube_fail_usage(kube, "Required resource not specified.");
    }
    g_autoptr(KubeItems) items =
        kube_select(kube, SELECT_FETCH | SELECT_ALL_OK, 0, kube_n_args(kube));
    if (items == NULL)
        return 1;
    if (items->items->len == 0)
        select_by_prefix(kube, items);
    if (items->items->len == 0 && items->errors->len == 0)
        kube_err(kube, "No resources found in %s namespace.\n", kube->namespace_);
    for (guint i = 0; i < items->items->len; i++) {
        KubeItem *item = kube_item(items, i);
        g_autofree char *text = describe_object(kube, item->kind, item->object);
        kube_out(kube, "%s%s", i > 0 ? "\n\n" : "", text);
    }
    return kube_items_end(kube, items);
}

static const KubeFlag describe_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_ALL_NAMESPACES,
    {"show-events", 0, FLAG_BOOL, "true", NULL, "The object's events at the end"},
    {"chunk-size", 0, FLAG_INT, "500", NULL, "How many objects to ask for at a time; 0: all"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_DESCRIBE = {
    .name = "describe",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    .summary = "Show details of a specific resource or group of resources",
    .help = "What is said of it in several objects is put together: its state, what belongs to it "
            "and what happened to "
            "it. A name that does not exist is taken as the beginning of names.",
    .examples = "  kubectl describe pod web\n  kubectl describe node/worker-1\n  kubectl describe "
                "pods -l app=web",
    .flags = describe_flags,
    .run = describe_run,
};
