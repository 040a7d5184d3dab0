/* The objects that a command line means: files, TYPE NAME..., TYPE/NAME..., TYPE with a selector
 * (cli-runtime's resource builder). */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/api/meta.h"

static void
item_free(void *data)
{
    KubeItem *item = data;
    g_free(item->namespace_);
    g_free(item->name);
    g_free(item->source);
    value_unref(item->object);
    g_free(item);
}

static void
documents_free(void *documents)
{
    g_ptr_array_unref(documents);
}

KubeItems *
kube_items_new(void)
{
    KubeItems *items = g_new0(KubeItems, 1);
    items->items = g_ptr_array_new_with_free_func(item_free);
    items->errors = g_ptr_array_new_with_free_func(g_free);
    items->documents = g_ptr_array_new_with_free_func(documents_free);
    return items;
}

void
kube_items_free(KubeItems *items)
{
    if (items == NULL)
        return;
    g_ptr_array_unref(items->items);
    g_ptr_array_unref(items->errors);
    g_ptr_array_unref(items->documents);
    g_free(items->revision);
    g_free(items);
}

KubeItem *
kube_items_add(KubeItems *items, const ApiKind *kind, const char *namespace_, const char *name,
               Value *take_object)
{
    KubeItem *item = g_new0(KubeItem, 1);
    item->kind = kind;
    item->namespace_ = g_strdup(namespace_ != NULL && *namespace_ != '\0' ? namespace_ : NULL);
    item->name = g_strdup(name);
    item->object = take_object;
    g_ptr_array_add(items->items, item);
    return item;
}

int
kube_items_end(Kube *kube, KubeItems *items)
{
    for (guint i = 0; i < items->errors->len; i++)
        kube_write(kube, 2, g_ptr_array_index(items->errors, i));
    return items->errors->len > 0 ? 1 : 0;
}

typedef struct Selecting {
    Kube *kube;
    KubeItems *items;
    unsigned how;
} Selecting;

static bool
all_namespaces(const Kube *kube)
{
    return kube_flag_find(kube->command, "all-namespaces") != NULL &&
           kube_flag_bool(kube, "all-namespaces");
}

static const char *
flag_if_any(const Kube *kube, const char *name)
{
    if (kube_flag_find(kube->command, name) == NULL || *kube_flag(kube, name) == '\0')
        return NULL;
    return kube_flag(kube, name);
}

static bool
all_is_given(const Kube *kube)
{
    return kube_flag_find(kube->command, "all") != NULL && kube_flag_bool(kube, "all");
}

/* ---- names ---- */

static void
add_named(Selecting *selecting, const ApiKind *kind, const char *name)
{
    Kube *kube = selecting->kube;
    const char *namespace_ = kind->namespaced ? kube->namespace_ : NULL;
    Value *object = NULL;
    if (selecting->how & SELECT_FETCH) {
        g_autoptr(ApiResponse) response =
            kube_call(kube, kube_request(API_VERB_GET, kind, namespace_, name));
        if (response == NULL) {
            g_ptr_array_add(selecting->items->errors, g_strdup("error: interrupted\n"));
            return;
        }
        if (!api_response_ok(response)) {
            bool ignore = kube_flag_find(kube->command, "ignore-not-found") != NULL &&
                          kube_flag_bool(kube, "ignore-not-found") && response->code == 404;
            if (!ignore)
                g_ptr_array_add(selecting->items->errors,
                                kube_status_text(response->object, NULL, NULL));
            return;
        }
        object = value_ref(response->object);
        value_edit(&object, "kind", value_new_string(kind->kind));
        value_edit(&object, "apiVersion", value_new_string(api_kind_api_version(kind)));
    }
    kube_items_add(selecting->items, kind, namespace_, name, object);
}

/* ---- lists ---- */

static bool
add_listed(Selecting *selecting, const ApiKind *kind)
{
    Kube *kube = selecting->kube;
    g_autofree char *error = NULL;
    const char *namespace_ = kind->namespaced && !all_namespaces(kube) ? kube->namespace_ : NULL;
    g_autoptr(Value) list = kube_list(kube, kind, namespace_, flag_if_any(kube, "selector"),
                                      flag_if_any(kube, "field-selector"), &error);
    if (list == NULL) {
        g_ptr_array_add(selecting->items->errors, g_steal_pointer(&error));
        return false;
    }
    VALUE_ARRAY_FOREACH (object, value_get(list, "items")) {
        if (selecting->items->items->len >= KUBE_ITEMS_MAX)
            break;
        kube_items_add(selecting->items, kind, object_namespace(object), object_name(object),
                       value_ref(object));
    }
    g_free(selecting->items->revision);
    selecting->items->revision = g_strdup(value_text_at(list, "metadata.resourceVersion"));
    return true;
}

static bool
is_category(const ApiKind *kind, const char *word)
{
    for (const char *const *category = kind->categories; category != NULL && *category; category++)
        if (strcmp(*category, word) == 0)
            return true;
    return false;
}

/* "pods,svc", "all": kinds in order. NULL: the error is printed. */
static GPtrArray *
kinds_of(Selecting *selecting, const char *words)
{
    Kube *kube = selecting->kube;
    g_autoptr(GPtrArray) kinds = g_ptr_array_new();
    g_auto(GStrv) parts = g_strsplit(words, ",", KUBE_WORDS_MAX);
    for (char **part = parts; *part != NULL; part++) {
        if (kube_kind_quiet(kube, *part) == NULL) {
            g_autoptr(GPtrArray) all = kube_kinds(kube);
            guint before = kinds->len;
            for (guint i = 0; i < all->len; i++)
                if (is_category(g_ptr_array_index(all, i), *part))
                    g_ptr_array_add(kinds, g_ptr_array_index(all, i));
            if (kinds->len > before)
                continue;
        }
        const ApiKind *kind = kube_kind(kube, *part);
        if (kind == NULL)
            return NULL;
        g_ptr_array_add(kinds, (void *)kind);
    }
    return g_steal_pointer(&kinds);
}

/* ---- words ---- */

static bool
select_slashed(Selecting *selecting, size_t from, size_t to)
{
    Kube *kube = selecting->kube;
    for (size_t i = from; i < to; i++) {
        const char *word = kube_arg(kube, i), *slash = strchr(word, '/');
        if (slash == NULL) {
            kube_fail(
                kube,
                "there is no need to specify a resource type as a separate argument when passing "
                "arguments in resource/name form (e.g. '%s resource/<resource_name>' instead of "
                "'%s "
                "resource resource/<resource_name>'",
                kube->path, kube->path);
            return false;
        }
        if (slash == word || slash[1] == '\0' || strchr(slash + 1, '/') != NULL) {
            kube_fail(kube, "arguments in resource/name form must have a single resource and name");
            return false;
        }
        g_autofree char *type = g_strndup(word, (gsize)(slash - word));
        const ApiKind *kind = kube_kind(kube, type);
        if (kind == NULL)
            return false;
        for (guint k = 0; k < selecting->items->items->len; k++)
            if (kube_item(selecting->items, k)->kind != kind)
                selecting->items->several_kinds = true;
        add_named(selecting, kind, slash + 1);
    }
    selecting->items->single = to - from == 1;
    return true;
}

static bool
select_by_type(Selecting *selecting, size_t from, size_t to)
{
    Kube *kube = selecting->kube;
    g_autoptr(GPtrArray) kinds = kinds_of(selecting, kube_arg(kube, from));
    if (kinds == NULL)
        return false;
    selecting->items->several_kinds = kinds->len > 1;
    if (kinds->len == 1)
        selecting->items->kind = g_ptr_array_index(kinds, 0);
    bool selected = flag_if_any(kube, "selector") != NULL ||
                    flag_if_any(kube, "field-selector") != NULL || all_is_given(kube);
    if (to - from > 1 && selected) {
        kube_fail(kube, all_is_given(kube)
                            ? "cannot set --all and a name at the same time"
                            : "name cannot be provided when a selector is specified");
        return false;
    }
    if (to - from > 1 && all_namespaces(kube)) {
        kube_fail(kube, "a resource cannot be retrieved by name across all namespaces");
        return false;
    }
    if (to - from == 1 && !selected && !(selecting->how & SELECT_ALL_OK)) {
        kube_fail(kube, "resource(s) were provided, but no name was specified");
        return false;
    }
    for (guint k = 0; k < kinds->len; k++) {
        const ApiKind *kind = g_ptr_array_index(kinds, k);
        for (size_t i = from + 1; i < to; i++)
            add_named(selecting, kind, kube_arg(kube, i));
        if (to - from == 1)
            add_listed(selecting, kind);
    }
    selecting->items->single = to - from == 2 && kinds->len == 1;
    return true;
}

/* Those of files, read anew from the server when asked for. */
static bool
select_files(Selecting *selecting)
{
    Kube *kube = selecting->kube;
    KubeItems *files = kube_manifests(kube, false);
    if (files == NULL)
        return false;
    if (!(selecting->how & SELECT_FETCH)) {
        kube_items_free(selecting->items);
        selecting->items = files;
        return true;
    }
    for (guint i = 0; i < files->items->len; i++) {
        KubeItem *item = kube_item(files, i);
        const char *own = kube->namespace_;
        kube->namespace_ = item->namespace_ != NULL ? item->namespace_ : own;
        add_named(selecting, item->kind, item->name != NULL ? item->name : "");
        kube->namespace_ = own;
        if (item->kind != kube_item(files, 0)->kind)
            selecting->items->several_kinds = true;
    }
    selecting->items->single = files->items->len == 1;
    kube_items_free(files);
    return true;
}

KubeItems *
kube_select(Kube *kube, unsigned how, size_t first_arg, size_t end_arg)
{
    Selecting selecting = {.kube = kube, .items = kube_items_new(), .how = how};
    bool files = kube_flag_find(kube->command, "filename") != NULL &&
                 (kube_flag_given(kube, "filename") || kube_flag_given(kube, "kustomize"));
    bool ok;
    end_arg = MIN(end_arg, kube_n_args(kube));
    if (files && end_arg > first_arg) {
        kube_fail(kube, "when paths, URLs, or stdin is provided as input, you may not specify a "
                        "resource by arguments as well");
        ok = false;
    } else if (files) {
        ok = select_files(&selecting);
    } else if (end_arg <= first_arg) {
        kube_fail(kube, "You must provide one or more resources by argument or filename.\n"
                        "Example resource specifications include:\n   '-f rsrc.yaml'\n"
                        "   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'");
        ok = false;
    } else {
        bool slashed = false;
        for (size_t i = first_arg; i < end_arg; i++)
            slashed = slashed || strchr(kube_arg(kube, i), '/') != NULL;
        ok = slashed ? select_slashed(&selecting, first_arg, end_arg)
                     : select_by_type(&selecting, first_arg, end_arg);
    }
    if (ok)
        return selecting.items;
    kube_items_free(selecting.items);
    return NULL;
}
