/* kubectl wait */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/object/jsonpath.h"

typedef enum { FOR_CONDITION, FOR_JSONPATH, FOR_DELETE, FOR_CREATE } WaitKind;

typedef struct Waiting {
    WaitKind kind;
    char *type, *status; /* of a condition */
    JsonPath *path;
    char *wanted; /* NULL: any value */
    const char *uid;
} Waiting;

static void
waiting_clear(Waiting *waiting)
{
    g_free(waiting->type);
    g_free(waiting->status);
    g_free(waiting->wanted);
    jsonpath_free(waiting->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Waiting, waiting_clear)

static bool
parse_jsonpath(Kube *kube, const char *text, Waiting *waiting)
{
    g_autoptr(GError) error = NULL;
    /* The value follows the closing brace: {.status.phase}=Running. */
    const char *end = strrchr(text, '}'), *equals = strchr(end != NULL ? end : text, '=');
    g_autofree char *expression =
        equals != NULL ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
    g_autofree char *relaxed = jsonpath_relax(expression, &error);
    waiting->kind = FOR_JSONPATH;
    waiting->path = relaxed != NULL ? jsonpath_parse(relaxed, &error) : NULL;
    if (waiting->path == NULL) {
        kube_fail(kube, "%s", error->message);
        return false;
    }
    if (equals != NULL) {
        size_t length = strlen(equals + 1);
        bool quoted =
            length >= 2 && (equals[1] == '\'' || equals[1] == '"') && equals[length] == equals[1];
        waiting->wanted = quoted ? g_strndup(equals + 2, length - 2) : g_strdup(equals + 1);
    }
    return true;
}

static bool
parse_for(Kube *kube, Waiting *waiting)
{
    const char *word = kube_flag(kube, "for");
    if (g_ascii_strcasecmp(word, "delete") == 0) {
        waiting->kind = FOR_DELETE;
        return true;
    }
    if (g_ascii_strcasecmp(word, "create") == 0) {
        waiting->kind = FOR_CREATE;
        return true;
    }
    if (g_str_has_prefix(word, "jsonpath="))
        return parse_jsonpath(kube, word + strlen("jsonpath="), waiting);
    if (g_str_has_prefix(word, "condition=")) {
        const char *type = word + strlen("condition="), *equals = strchr(type, '=');
        waiting->kind = FOR_CONDITION;
        waiting->type = equals != NULL ? g_strndup(type, (gsize)(equals - type)) : g_strdup(type);
        waiting->status = g_strdup(equals != NULL ? equals + 1 : "true");
        return true;
    }
    kube_fail(kube, "unrecognized condition: \"%s\"", word);
    return false;
}

static bool
condition_holds(const Waiting *waiting, const Value *object)
{
    VALUE_ARRAY_FOREACH (condition, value_at(object, "status.conditions")) {
        if (g_ascii_strcasecmp(value_text(value_get(condition, "type")), waiting->type) != 0)
            continue;
        const Value *seen = value_get(condition, "observedGeneration");
        if (seen != NULL && value_int(seen) < object_generation(object))
            return false;
        return g_ascii_strcasecmp(value_text(value_get(condition, "status")), waiting->status) == 0;
    }
    return false;
}

static bool
jsonpath_holds(const Waiting *waiting, const Value *object)
{
    g_autoptr(GPtrArray) found =
        jsonpath_find(waiting->path, object, JSONPATH_MISSING_KEYS_ARE_EMPTY, NULL);
    if (found == NULL || found->len == 0)
        return false;
    if (waiting->wanted == NULL)
        return !value_is_null(g_ptr_array_index(found, 0));
    g_autoptr(GString) text = g_string_new(NULL);
    jsonpath_append_value(text, g_ptr_array_index(found, 0));
    return strcmp(text->str, waiting->wanted) == 0;
}

static bool
holds(const Value *object, void *data)
{
    const Waiting *waiting = data;
    if (waiting->kind == FOR_DELETE)
        return object == NULL ||
               (waiting->uid != NULL && strcmp(waiting->uid, object_uid(object)) != 0);
    if (object == NULL)
        return false;
    return waiting->kind == FOR_CREATE      ? true
           : waiting->kind == FOR_CONDITION ? condition_holds(waiting, object)
                                            : jsonpath_holds(waiting, object);
}

static int
wait_item(Kube *kube, const KubeItem *item, Waiting *waiting, int64_t end_ns)
{
    char *error = NULL;
    waiting->uid = item->object != NULL ? object_uid(item->object) : NULL;
    Await outcome = kube_await(kube, item->kind, item->namespace_, item->name, holds, waiting,
                               MAX(end_ns - kube_now(kube), 0), &error);
    if (outcome == AWAIT_FAILED)
        return kube_fail_take(kube, error);
    if (outcome == AWAIT_TIMEOUT)
        return kube_fail(kube, "timed out waiting for the condition on %s/%s", item->kind->resource,
                         item->name);
    if (outcome == AWAIT_CANCELLED)
        return 1;
    g_autofree char *label = kube_item_label(item->kind, item->name);
    kube_out(kube, "%s condition met\n", label);
    return 0;
}

static int
wait_run(Kube *kube)
{
    g_auto(Waiting) waiting = {0};
    if (!kube_flag_given(kube, "for"))
        return kube_fail(kube, "required flag(s) \"for\" not set");
    if (!parse_for(kube, &waiting))
        return 1;
    int64_t timeout = kube_flag_duration(kube, "timeout");
    if (timeout < 0)
        timeout = 7 * 24 * 3600 * NS_PER_S;
    bool named = waiting.kind == FOR_CREATE && !kube_flag_given(kube, "selector") &&
                 !kube_flag_bool(kube, "all");
    g_autoptr(KubeItems) items = kube_select(kube, named ? 0 : SELECT_FETCH, 0, kube_n_args(kube));
    if (items == NULL)
        return 1;
    if (waiting.kind == FOR_DELETE) {
        /* What is gone already is what was waited for. */
        for (guint i = items->errors->len; i > 0; i--)
            if (g_str_has_prefix(g_ptr_array_index(items->errors, i - 1),
                                 "Error from server (NotFound)"))
                g_ptr_array_remove_index(items->errors, i - 1);
    } else if (items->items->len == 0 && items->errors->len == 0) {
        return kube_fail(kube, "no matching resources found");
    }
    int64_t end_ns = kube_now(kube) + timeout;
    int status = 0;
    for (guint i = 0; i < items->items->len; i++)
        status |= wait_item(kube, kube_item(items, i), &waiting, end_ns);
    return kube_items_end(kube, items) | status;
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_FIELD_SELECTOR,
    KUBE_FLAGS_ALL_NAMESPACES,
    {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind in the namespace"},
    {"for", 0, FLAG_TEXT, NULL, NULL,
     "condition=NAME[=VALUE], jsonpath='{.path}'[=VALUE], create or delete; required"},
    {"timeout", 0, FLAG_DURATION, "30s", NULL, "How long to wait; negative: a week"},
    {"output", 'o', FLAG_TEXT, NULL, NULL, "Accepted"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_WAIT = {
    .name = "wait",
    .group = "Advanced Commands",
    .usage = "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
             "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
    .summary = "Wait for a specific condition on one or many resources",
    .examples = "  kubectl wait --for=condition=Ready pod/web --timeout=60s\n  kubectl wait "
                "--for=delete pod/web\n"
                "  kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web",
    .flags = flags,
    .run = wait_run,
};
