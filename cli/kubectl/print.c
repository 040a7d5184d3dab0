/* -o: objects as JSON, YAML, names, templates. Tables are in table.c. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "cli/kubectl/table.h"
#include "core/api/meta.h"
#include "core/object/json.h"
#include "core/object/jsonpath.h"
#include "core/object/quantity.h"

typedef enum {
    PRINT_TABLE,
    PRINT_WIDE,
    PRINT_JSON,
    PRINT_YAML,
    PRINT_NAME,
    PRINT_JSONPATH,
    PRINT_JSONPATH_AS_JSON,
    PRINT_CUSTOM_COLUMNS,
} PrintForm;

struct KubePrinter {
    PrintForm form;
    JsonPath *path;
    CustomColumns *columns;
    bool show_managed_fields;
    size_t n_printed;
};

static const struct {
    const char *word;
    PrintForm form;
} forms[] = {
    {"", PRINT_TABLE},
    {"wide", PRINT_WIDE},
    {"json", PRINT_JSON},
    {"kyaml", PRINT_YAML},
    {"yaml", PRINT_YAML},
    {"name", PRINT_NAME},
    {"jsonpath", PRINT_JSONPATH},
    {"jsonpath-as-json", PRINT_JSONPATH_AS_JSON},
    {"custom-columns", PRINT_CUSTOM_COLUMNS},
};

static bool
printer_fail(Kube *kube, const char *output)
{
    if (g_str_has_prefix(output, "go-template") || g_str_has_prefix(output, "template"))
        kube_fail(kube, "Go templates are not supported here; jsonpath and custom-columns are");
    else
        kube_fail(
            kube,
            "unable to match a printer suitable for the output format \"%s\", allowed formats are: "
            "custom-columns,custom-columns-file,json,jsonpath,jsonpath-as-json,"
            "jsonpath-file,name,wide,yaml",
            output);
    return false;
}

/* The argument after "=", or the contents of the file it names. NULL: the error is printed. */
static char *
printer_argument(Kube *kube, const char *word, const char *argument)
{
    if (!g_str_has_suffix(word, "-file"))
        return g_strdup(argument);
    g_autoptr(GError) error = NULL;
    size_t length;
    if (kube->env->read_file == NULL) {
        kube_fail(kube, "files cannot be read here: %s", argument);
        return NULL;
    }
    char *text = kube->env->read_file(argument, &length, &error, kube->env->data);
    if (text == NULL)
        kube_fail(kube, "error reading --template %s, %s", argument, error->message);
    return text;
}

static bool
printer_set(Kube *kube, KubePrinter *printer, const char *output)
{
    const char *equals = strchr(output, '=');
    g_autofree char *word =
        equals != NULL ? g_strndup(output, (gsize)(equals - output)) : g_strdup(output);
    g_autofree char *base =
        g_str_has_suffix(word, "-file") ? g_strndup(word, strlen(word) - 5) : g_strdup(word);
    size_t i = 0;
    while (i < G_N_ELEMENTS(forms) && strcmp(forms[i].word, base) != 0)
        i++;
    if (i == G_N_ELEMENTS(forms))
        return printer_fail(kube, word);
    printer->form = forms[i].form;
    if (printer->form < PRINT_JSONPATH)
        return true;
    const char *given = equals != NULL ? equals + 1 : kube_flag(kube, "template");
    if (*given == '\0') {
        kube_fail(kube, printer->form == PRINT_CUSTOM_COLUMNS
                            ? "custom-columns format specified but no custom columns given"
                            : "template format specified but no template given");
        return false;
    }
    g_autofree char *argument = printer_argument(kube, word, given);
    if (argument == NULL)
        return false;
    if (printer->form == PRINT_CUSTOM_COLUMNS) {
        bool headers = kube_flag_find(kube->command, "no-headers") == NULL ||
                       !kube_flag_bool(kube, "no-headers");
        printer->columns =
            custom_columns_new(kube, argument, g_str_has_suffix(word, "-file"), headers);
        return printer->columns != NULL;
    }
    g_autoptr(GError) error = NULL;
    printer->path = jsonpath_parse(argument, &error);
    if (printer->path == NULL)
        kube_fail(kube, "error parsing jsonpath %s, %s", argument, error->message);
    return printer->path != NULL;
}

KubePrinter *
kube_printer_new(Kube *kube, const char *output)
{
    KubePrinter *printer = g_new0(KubePrinter, 1);
    const char *template_ =
        kube_flag_find(kube->command, "template") != NULL ? kube_flag(kube, "template") : "";
    printer->show_managed_fields = kube_flag_find(kube->command, "show-managed-fields") != NULL &&
                                   kube_flag_bool(kube, "show-managed-fields");
    if (*output == '\0' && *template_ != '\0')
        output = "go-template";
    if (printer_set(kube, printer, output))
        return printer;
    kube_printer_free(printer);
    return NULL;
}

void
kube_printer_free(KubePrinter *printer)
{
    if (printer == NULL)
        return;
    jsonpath_free(printer->path);
    custom_columns_free(printer->columns);
    g_free(printer);
}

bool
kube_printer_is_table(const KubePrinter *printer)
{
    return printer->form <= PRINT_WIDE;
}

bool
kube_printer_is_wide(const KubePrinter *printer)
{
    return printer->form == PRINT_WIDE;
}

bool
kube_printer_is_custom_columns(const KubePrinter *printer)
{
    return printer->form == PRINT_CUSTOM_COLUMNS;
}

Value *
kube_without_managed_fields(const Value *object)
{
    if (!value_has(value_get(object, "metadata"), "managedFields"))
        return value_ref(object);
    return value_remove_at(object, "metadata.managedFields");
}

static Value *
shown(const KubePrinter *printer, const Value *object)
{
    return printer->show_managed_fields ? value_ref(object) : kube_without_managed_fields(object);
}

static int
print_jsonpath(Kube *kube, KubePrinter *printer, const Value *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    JsonPathMissing missing =
        kube_flag_find(kube->command, "allow-missing-template-keys") == NULL ||
                kube_flag_bool(kube, "allow-missing-template-keys")
            ? JSONPATH_MISSING_KEYS_ARE_EMPTY
            : JSONPATH_MISSING_KEYS_FAIL;
    bool ok;
    if (printer->form == PRINT_JSONPATH) {
        ok = jsonpath_print(printer->path, object, missing, out, &error);
    } else {
        g_autoptr(GPtrArray) found = jsonpath_find(printer->path, object, missing, &error);
        g_autoptr(ValueBuilder) array = value_builder_new_array();
        for (guint i = 0; found != NULL && i < found->len; i++)
            value_builder_append(array, value_ref(g_ptr_array_index(found, i)));
        json_write_pretty(out, value_builder_peek(array));
        g_string_append_c(out, '\n');
        ok = found != NULL;
    }
    if (ok)
        kube_write(kube, 1, out->str);
    return ok ? 0 : kube_fail(kube, "error executing jsonpath: %s", error->message);
}

int
kube_print(Kube *kube, KubePrinter *printer, const ApiKind *kind, const Value *object)
{
    g_autoptr(Value) clean = shown(printer, object);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *label = NULL;
    switch (printer->form) {
    case PRINT_JSON:
        json_write_pretty(out, clean);
        g_string_append_c(out, '\n');
        break;
    case PRINT_YAML:
        if (printer->n_printed > 0)
            g_string_append(out, "---\n");
        yaml_write(out, clean);
        break;
    case PRINT_NAME:
        label = kube_item_label(kind, object_name(object));
        g_string_append_printf(out, "%s\n", label);
        break;
    case PRINT_CUSTOM_COLUMNS:
        custom_columns_write(printer->columns, out, &clean, 1, printer->n_printed == 0);
        break;
    case PRINT_JSONPATH:
    case PRINT_JSONPATH_AS_JSON:
        return print_jsonpath(kube, printer, clean);
    default:
        table_write_object(kube, out, kind, clean, kube_printer_is_wide(printer));
    }
    printer->n_printed++;
    kube_write(kube, 1, out->str);
    return 0;
}

static Value *
list_of(const KubePrinter *printer, const KubeItems *items)
{
    ValueBuilder *array = value_builder_new_array();
    for (guint i = 0; i < items->items->len; i++)
        value_builder_append(array, shown(printer, kube_item(items, i)->object));
    return value_new_f("{apiVersion: v1, kind: List, metadata: {resourceVersion: \"\"}, items: %V}",
                       value_builder_end(array));
}

int
kube_print_items(Kube *kube, KubePrinter *printer, const KubeItems *items)
{
    size_t n = items->items->len;
    if (printer->form == PRINT_NAME) {
        for (size_t i = 0; i < n; i++)
            kube_print(kube, printer, kube_item(items, i)->kind, kube_item(items, i)->object);
        return 0;
    }
    if (printer->form == PRINT_CUSTOM_COLUMNS) {
        g_autofree Value **objects = g_new0(Value *, n + 1);
        g_autoptr(GString) out = g_string_new(NULL);
        for (size_t i = 0; i < n; i++)
            objects[i] = kube_item(items, i)->object;
        custom_columns_write(printer->columns, out, objects, n, true);
        kube_write(kube, 1, out->str);
        return 0;
    }
    if (items->single && n == 1)
        return kube_print(kube, printer, kube_item(items, 0)->kind, kube_item(items, 0)->object);
    if (items->single)
        return 0;
    g_autoptr(Value) list = list_of(printer, items);
    return kube_print(kube, printer, NULL, list);
}

int
kube_print_done(Kube *kube, const ApiKind *kind, const Value *object, const char *operation,
                DryRun dry_run)
{
    const char *output =
        kube_flag_find(kube->command, "output") != NULL ? kube_flag(kube, "output") : "";
    g_autoptr(KubePrinter) printer = kube_printer_new(kube, output);
    if (printer == NULL)
        return 1;
    if (!kube_printer_is_table(printer))
        return kube_print(kube, printer, kind, object);
    g_autofree char *label = kube_item_label(kind, object_name(object));
    kube_out(kube, "%s %s%s\n", label, operation, dry_run_suffix(dry_run));
    return 0;
}

/* ---- sorting ---- */

typedef struct Sortable {
    KubeItem *item;
    const Value *key; /* NULL sorts first */
    guint position;
} Sortable;

static int
compare_keys(const Value *a, const Value *b)
{
    Quantity left, right;
    if (a == NULL || b == NULL)
        return (a != NULL) - (b != NULL);
    if (quantity_parse_value(a, &left, NULL) && quantity_parse_value(b, &right, NULL))
        return quantity_compare(left, right);
    return value_compare(a, b);
}

static int
compare_sortables(const void *a, const void *b)
{
    const Sortable *left = a, *right = b;
    int order = compare_keys(left->key, right->key);
    return order != 0 ? order : left->position < right->position ? -1 : 1;
}

int
kube_sort_items(Kube *kube, KubeItems *items, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *relaxed = jsonpath_relax(text, &error);
    g_autoptr(JsonPath) path = relaxed != NULL ? jsonpath_parse(relaxed, &error) : NULL;
    if (path == NULL)
        return kube_fail(kube, "%s", error->message);
    size_t n = items->items->len, found_any = 0;
    g_autofree Sortable *sortables = g_new0(Sortable, n + 1);
    for (size_t i = 0; i < n; i++) {
        KubeItem *item = kube_item(items, i);
        g_autoptr(GPtrArray) found =
            jsonpath_find(path, item->object, JSONPATH_MISSING_KEYS_ARE_EMPTY, NULL);
        sortables[i] = (Sortable){item, NULL, (guint)i};
        if (found != NULL && found->len > 0)
            sortables[i].key = g_ptr_array_index(found, 0);
        found_any += sortables[i].key != NULL;
    }
    if (n > 0 && found_any == 0)
        return kube_fail(kube, "couldn't find any field with path \"%s\" in the list of objects",
                         relaxed);
    qsort(sortables, n, sizeof *sortables, compare_sortables);
    for (size_t i = 0; i < n; i++)
        g_ptr_array_index(items->items, i) = sortables[i].item;
    return 0;
}
