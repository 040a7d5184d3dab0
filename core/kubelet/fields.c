/* fieldRef and resourceFieldRef, of environments and downwardAPI volumes (pkg/fieldpath, pkg/api/v1/resource). */
#include "core/base/text.h"
#include "core/kubelet/internal.h"

/* metadata.annotations as a file: key="value" lines in order of keys. */
static char *
format_map(const Value *map)
{
    GString *text = g_string_new(NULL);
    VALUE_MAP_FOREACH (key, value, map) {
        g_autofree char *quoted = text_quote(value_text(value));
        g_string_append_printf(text, "%s%s=%s", text->len > 0 ? "\n" : "", key, quoted);
    }
    return g_string_free(text, FALSE);
}

/* metadata.labels['app'] */
static char *
subscript(const Value *pod, const char *path)
{
    const Value *map = g_str_has_prefix(path, "metadata.labels[") ? object_labels(pod) : object_annotations(pod);
    const char *from = strchr(path, '\''), *to = strrchr(path, '\'');
    if (from == NULL || to <= from)
        return g_strdup("");
    g_autofree char *key = g_strndup(from + 1, (size_t)(to - from - 1));
    return g_strdup(value_text(value_get(map, key)));
}

char *
field_value(const PodWorker *worker, const char *path, const char *pod_ip, char **ret_error)
{
    const Value *pod = worker->pod;
    const char *host_ip = value_text(value_get(value_item(worker->kubelet->host_ips, 0), "ip"));
    const char *account = value_text_at(pod, "spec.serviceAccountName");
    const struct {
        const char *path, *value;
    } KNOWN[] = {
        {"metadata.name", object_name(pod)},
        {"metadata.namespace", object_namespace(pod)},
        {"metadata.uid", object_uid(pod)},
        {"spec.nodeName", worker->kubelet->config.node_name},
        {"spec.serviceAccountName", account},
        {"status.hostIP", host_ip},
        {"status.hostIPs", host_ip},
        {"status.podIP", pod_ip != NULL ? pod_ip : ""},
        {"status.podIPs", pod_ip != NULL ? pod_ip : ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(KNOWN); i++) {
        if (g_str_equal(path, KNOWN[i].path))
            return g_strdup(KNOWN[i].value);
    }
    if (g_str_equal(path, "metadata.labels"))
        return format_map(object_labels(pod));
    if (g_str_equal(path, "metadata.annotations"))
        return format_map(object_annotations(pod));
    if (g_str_has_prefix(path, "metadata.labels[") || g_str_has_prefix(path, "metadata.annotations["))
        return subscript(pod, path);
    *ret_error = g_strdup_printf("unsupported fieldPath: %s", path);
    return NULL;
}

/* One resource of {cpu: 500m}: milli for cpu, else bytes. */
static int64_t
amount(const char *resource, const Value *quantity)
{
    if (quantity == NULL)
        return 0;
    bool cpu = g_str_equal(resource, "cpu");
    g_autoptr(Value) map = value_set(NULL, cpu ? "cpu" : "memory", value_ref(quantity));
    ResourceList list = {0};
    int64_t pods;
    resource_list_parse(map, &list, &pods);
    int64_t result = cpu ? list.milli_cpu : list.memory;
    resource_list_clear(&list);
    return result;
}

char *
resource_value(const PodWorker *worker, const Value *selector, const Value *container, char **ret_error)
{
    const char *name = value_string(value_get(selector, "containerName"));
    if (name != NULL && *name != '\0')
        container = pod_find_container(worker->pod, name, NULL);
    const char *resource = value_text(value_get(selector, "resource")); /* "limits.cpu" */
    const char *dot = strchr(resource, '.');
    if (container == NULL || dot == NULL) {
        *ret_error = container == NULL ? g_strdup_printf("container %s not found", name)
                                       : g_strdup_printf("unsupported container resource : %s", resource);
        return NULL;
    }
    bool limits = g_str_has_prefix(resource, "limits.");
    const char *kind = dot + 1;
    const Value *resources = value_get(container, "resources");
    const Value *found = value_get(value_get(resources, limits ? "limits" : "requests"), kind);
    if (found == NULL && limits)
        found = value_get(value_get(worker->kubelet->facts, "allocatable"), kind);
    int64_t have = amount(kind, found);
    int64_t divisor = amount(kind, value_get(selector, "divisor"));
    if (divisor == 0)
        divisor = g_str_equal(kind, "cpu") ? 1000 : 1;
    return g_strdup_printf("%" G_GINT64_FORMAT, (have + divisor - 1) / divisor);
}
