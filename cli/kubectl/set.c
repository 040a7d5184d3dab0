/* kubectl set: image, env, resources, selector, serviceaccount */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/object/selector.h"

/* Changes one container (owned in, owned out); NULL: printed. */
typedef Value *(*ContainerFunc)(Kube *kube, Value *take_container, size_t first_pair,
                                bool *ret_hit);

static bool
name_matches(const char *pattern, const char *name)
{
    return *pattern == '\0' || g_pattern_match_simple(pattern, name);
}

/* The object with func done to its containers (and init containers); NULL: printed. */
static Value *
with_containers(Kube *kube, const KubeItem *item, ContainerFunc func, size_t first_pair,
                bool *ret_hit)
{
    static const char *const lists[] = {"spec.containers", "spec.initContainers"};
    g_autoptr(Value) object = value_ref(item->object);
    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
        g_autofree char *path = template_at(item->kind, lists[l]);
        const Value *containers = value_at(item->object, path);
        if (containers == NULL)
            continue;
        ValueBuilder *made = value_builder_new_array();
        VALUE_ARRAY_FOREACH (container, containers) {
            Value *changed = func(kube, value_ref(container), first_pair, ret_hit);
            if (changed == NULL) {
                value_builder_free(made);
                return NULL;
            }
            value_builder_append(made, changed);
        }
        value_edit(&object, path, value_builder_end(made));
    }
    return g_steal_pointer(&object);
}

static int
set_each(Kube *kube, ContainerFunc func, size_t first_pair, const char *operation,
         const char *missing)
{
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, first_pair);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        KubeItem *item = kube_item(items, i);
        bool hit = false;
        if (template_path(item->kind) == NULL) {
            status |= kube_fail(
                kube, "%s/%s: the object is not a pod or does not have a pod template: %s",
                item->kind->resource, item->name, item->kind->kind);
            continue;
        }
        Value *changed = with_containers(kube, item, func, first_pair, &hit);
        if (changed == NULL)
            return 1;
        if (!hit) {
            value_unref(changed);
            status |= kube_fail(kube, "unable to find container named \"%s\"", missing);
            continue;
        }
        if (value_equal(changed, item->object)) {
            value_unref(changed);
            continue;
        }
        status |= change_item(kube, item, changed, operation, operation);
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

/* ---- image ---- */

static Value *
set_image(Kube *kube, Value *take_container, size_t first_pair, bool *ret_hit)
{
    Value *container = take_container;
    g_autofree char *name = g_strdup(value_text(value_get(container, "name")));
    for (size_t i = first_pair; i < kube_n_args(kube); i++) {
        const char *equals = strchr(kube_arg(kube, i), '=');
        g_autofree char *wanted = g_strndup(kube_arg(kube, i), (gsize)(equals - kube_arg(kube, i)));
        if (strcmp(wanted, "*") != 0 && strcmp(wanted, name) != 0)
            continue;
        *ret_hit = true;
        value_replace(&container, value_set(container, "image", value_new_string(equals + 1)));
    }
    return container;
}

static int
image_run(Kube *kube)
{
    size_t first;
    if (!change_pairs(kube, "image", &first))
        return 1;
    if (first == kube_n_args(kube))
        return kube_fail(kube, "at least one image update is required");
    for (size_t i = first; i < kube_n_args(kube); i++)
        if (strchr(kube_arg(kube, i), '=') == NULL)
            return kube_fail(kube, "invalid image specification: %s", kube_arg(kube, i));
    g_autofree char *missing =
        g_strndup(kube_arg(kube, first), strcspn(kube_arg(kube, first), "="));
    return set_each(kube, set_image, first, "image updated", missing);
}

/* ---- env ---- */

static Value *
set_env(Kube *kube, Value *take_container, size_t first_pair, bool *ret_hit)
{
    g_autoptr(Value) container = take_container;
    if (!name_matches(kube_flag(kube, "containers"), value_text(value_get(container, "name"))))
        return g_steal_pointer(&container);
    *ret_hit = true;
    const Value *old = value_get(container, "env");
    g_autoptr(Value) env = old != NULL ? value_ref(old) : value_new_array();
    g_auto(GStrv) pairs = kube_flag_list(kube, "env");
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (char **pair = pairs; *pair != NULL; pair++)
        g_ptr_array_add(all, *pair);
    for (size_t i = first_pair; i < kube_n_args(kube); i++)
        g_ptr_array_add(all, (void *)kube_arg(kube, i));
    for (guint i = 0; i < all->len; i++) {
        const char *pair = g_ptr_array_index(all, i), *equals = strchr(pair, '=');
        g_autofree char *name =
            g_strndup(pair, equals != NULL ? (gsize)(equals - pair) : strlen(pair) - 1);
        size_t at = 0;
        while (at < value_size(env) &&
               strcmp(value_text_at(value_item(env, at), "name"), name) != 0)
            at++;
        if (equals != NULL)
            value_replace(
                &env,
                value_set_item(env, at, value_new_f("{name: %s, value: %s}", name, equals + 1)));
        else if (at < value_size(env))
            value_replace(&env, value_remove_item(env, at));
    }
    return value_size(env) > 0 || old != NULL ? value_set(container, "env", value_ref(env))
                                              : g_steal_pointer(&container);
}

static Value *
list_env(Kube *kube, Value *take_container, size_t first_pair, bool *ret_hit)
{
    *ret_hit = true;
    kube_out(kube, "# container %s\n", value_text(value_get(take_container, "name")));
    VALUE_ARRAY_FOREACH (variable, value_get(take_container, "env")) {
        const char *name = value_text(value_get(variable, "name"));
        if (value_has(variable, "valueFrom"))
            kube_out(kube, "# %s from its valueFrom\n", name);
        else
            kube_out(kube, "%s=%s\n", name, value_text(value_get(variable, "value")));
    }
    return take_container;
}

static int
env_run(Kube *kube)
{
    size_t first;
    if (!change_pairs(kube, "environment", &first))
        return 1;
    if (kube_flag_bool(kube, "list"))
        return set_each(kube, list_env, first, "env updated", "*");
    if (first == kube_n_args(kube) && !kube_flag_given(kube, "env"))
        return kube_fail(kube, "at least one environment variable must be provided");
    return set_each(kube, set_env, first, "env updated", kube_flag(kube, "containers"));
}

/* ---- resources ---- */

static Value *
quantities(Kube *kube, const Value *old, const char *flag)
{
    Value *map = old != NULL ? value_ref(old) : value_new_map();
    g_auto(GStrv) pairs = g_strsplit(kube_flag(kube, flag), ",", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        if (equals == NULL) {
            kube_fail(kube, "invalid argument syntax %s, expected <resource>=<value>", *pair);
            value_unref(map);
            return NULL;
        }
        g_autofree char *name = g_strndup(*pair, (gsize)(equals - *pair));
        value_replace(&map, value_set(map, name, value_new_string(equals + 1)));
    }
    return map;
}

static Value *
set_resources(Kube *kube, Value *take_container, size_t first_pair, bool *ret_hit)
{
    g_autoptr(Value) container = take_container;
    if (!name_matches(kube_flag(kube, "containers"), value_text(value_get(container, "name"))))
        return g_steal_pointer(&container);
    *ret_hit = true;
    static const char *const flags[] = {"limits", "requests"};
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        g_autofree char *path = g_strconcat("resources.", flags[i], NULL);
        if (*kube_flag(kube, flags[i]) == '\0')
            continue;
        Value *map = quantities(kube, value_at(container, path), flags[i]);
        if (map == NULL)
            return NULL;
        value_edit(&container, path, map);
    }
    return g_steal_pointer(&container);
}

static int
resources_run(Kube *kube)
{
    if (*kube_flag(kube, "limits") == '\0' && *kube_flag(kube, "requests") == '\0')
        return kube_fail(kube, "you must specify an update to requests or limits (in the form of "
                               "--requests/--limits)");
    return set_each(kube, set_resources, kube_n_args(kube), "resource requirements updated",
                    kube_flag(kube, "containers"));
}

/* ---- selector, serviceaccount ---- */

static int
selector_run(Kube *kube)
{
    size_t n = kube_n_args(kube);
    if (n < 2 || strchr(kube_arg(kube, n - 1), '=') == NULL)
        return kube_fail(kube, "at least one resource and one selector (key=value) are required");
    g_auto(GStrv) pairs = g_strsplit(kube_arg(kube, n - 1), ",", -1);
    g_autoptr(Value) map = value_new_map();
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        g_autofree char *key =
            equals != NULL ? g_strndup(*pair, (gsize)(equals - *pair)) : g_strdup(*pair);
        value_replace(&map,
                      value_set(map, key, value_new_string(equals != NULL ? equals + 1 : "")));
    }
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, n - 1);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        KubeItem *item = kube_item(items, i);
        if (strcmp(item->kind->kind, "Service") != 0)
            status |= kube_fail(kube, "setting a selector is only supported for Services");
        else
            status |=
                change_item(kube, item, value_set_at(item->object, "spec.selector", value_ref(map)),
                            "selector updated", "selector updated");
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static int
service_account_run(Kube *kube)
{
    size_t n = kube_n_args(kube);
    if (n < 2)
        return kube_fail(kube, "serviceaccount is required");
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, n - 1);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        KubeItem *item = kube_item(items, i);
        if (template_path(item->kind) == NULL)
            return kube_fail(kube, "%s has no pod template", item->kind->resource);
        g_autofree char *path = template_at(item->kind, "spec.serviceAccountName");
        status |= change_item(
            kube, item, value_set_at(item->object, path, value_new_string(kube_arg(kube, n - 1))),
            "serviceaccount updated", "serviceaccount updated");
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

#define SET_FLAGS                                                                                  \
    KUBE_FLAGS_FILES, KUBE_FLAGS_SELECTOR, KUBE_FLAGS_OUTPUT, KUBE_FLAGS_DRY_RUN,                  \
        KUBE_FLAGS_MANAGER("kubectl-set"),                                                         \
        {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind in the namespace"},          \
    {                                                                                              \
        "local", 0, FLAG_BOOL, "false", NULL, "Accepted; use --dry-run=client"                     \
    }

static const KubeFlag image_flags[] = {SET_FLAGS, KUBE_FLAGS_END};
static const KubeFlag env_flags[] = {
    SET_FLAGS,
    {"env", 'e', FLAG_ARRAY, NULL, NULL, "KEY=VALUE; may be repeated"},
    {"containers", 'c', FLAG_TEXT, "*", NULL, "The containers; wildcards may be used"},
    {"list", 0, FLAG_BOOL, "false", NULL, "Print the variables that are there"},
    {"overwrite", 0, FLAG_BOOL, "true", NULL, "Accepted; variables are replaced"},
    KUBE_FLAGS_END};
static const KubeFlag resources_flags[] = {
    SET_FLAGS,
    {"containers", 'c', FLAG_TEXT, "*", NULL, "The containers; wildcards may be used"},
    {"limits", 0, FLAG_TEXT, NULL, NULL, "cpu=200m,memory=512Mi"},
    {"requests", 0, FLAG_TEXT, NULL, NULL, "cpu=100m,memory=256Mi"},
    KUBE_FLAGS_END};

static const KubeCommand image = {
    .name = "image",
    .usage = "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ...",
    .summary = "Update the image of a pod template",
    .examples = "  kubectl set image deployment/web nginx=nginx:1.29 sidecar=busybox:1.37",
    .flags = image_flags,
    .run = image_run};
static const KubeCommand env = {.name = "env",
                                .usage = "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
                                .summary = "Update environment variables on a pod template",
                                .examples = "  kubectl set env deployment/web STORAGE_DIR=/local\n "
                                            " kubectl set env deployment/web ENV-",
                                .flags = env_flags,
                                .run = env_run};
static const KubeCommand resources = {
    .name = "resources",
    .usage = "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS])",
    .summary = "Update resource requests/limits on objects with pod templates",
    .examples = "  kubectl set resources deployment web -c=nginx --limits=cpu=200m,memory=512Mi",
    .flags = resources_flags,
    .run = resources_run};
static const KubeCommand selector = {.name = "selector",
                                     .usage = "(-f FILENAME | TYPE NAME) EXPRESSIONS",
                                     .summary = "Set the selector on a resource",
                                     .flags = image_flags,
                                     .run = selector_run};
static const KubeCommand service_account = {.name = "serviceaccount",
                                            .aliases = "sa",
                                            .usage = "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
                                            .summary = "Update the service account of a resource",
                                            .flags = image_flags,
                                            .run = service_account_run};

static const KubeCommand *const children[] = {&env,      &image,           &resources,
                                              &selector, &service_account, NULL};

const KubeCommand KUBECTL_SET = {
    .name = "set",
    .group = "Basic Commands (Beginner)",
    .usage = "SUBCOMMAND",
    .summary = "Set specific features on objects",
    .children = children,
};
