/* Counters of requests, as Prometheus text under the names of kube-apiserver. Sorted by label, so
 * the text is stable. */
#include "core/apiserver/private.h"

#define METRICS_SERIES_MAX 4096

struct ApiMetrics {
    GTree *requests; /* "verb group version resource code" labels -> count */
};

static gint
metrics_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

struct ApiMetrics *
metrics_new(void)
{
    struct ApiMetrics *metrics = g_new0(struct ApiMetrics, 1);

    metrics->requests = g_tree_new_full(metrics_compare, NULL, g_free, g_free);
    return metrics;
}

void
metrics_free(struct ApiMetrics *metrics)
{
    if (metrics == NULL)
        return;
    g_tree_unref(metrics->requests);
    g_free(metrics);
}

void
metrics_count(struct ApiMetrics *metrics, const ApiRequest *request, int code)
{
    char labels[320];
    uint64_t *count;

    g_snprintf(labels, sizeof labels,
               "code=\"%d\",group=\"%s\",resource=\"%s\",subresource=\"%s\",verb=\"%s\"", code,
               request->group, request->resource,
               request->subresource == NULL ? "" : request->subresource,
               api_verb_name(request->verb));
    count = g_tree_lookup(metrics->requests, labels);
    if (count == NULL) {
        if (code == 404 || g_tree_nnodes(metrics->requests) >= METRICS_SERIES_MAX)
            return; /* names from outside do not fill the table */
        count = g_new0(uint64_t, 1);
        g_tree_insert(metrics->requests, g_strdup(labels), count);
    }
    (*count)++;
}

static gboolean
metrics_write_one(gpointer key, gpointer value, gpointer data)
{
    g_string_append_printf(data, "apiserver_request_total{%s} %" G_GUINT64_FORMAT "\n",
                           (const char *)key, *(uint64_t *)value);
    return FALSE;
}

char *
api_server_metrics(const ApiServer *server)
{
    GString *text = g_string_new(
        "# HELP apiserver_request_total Requests answered, by verb, resource and code.\n"
        "# TYPE apiserver_request_total counter\n");

    g_tree_foreach(server->metrics->requests, metrics_write_one, text);
    g_string_append(text, "# HELP apiserver_storage_objects Stored objects by resource.\n"
                          "# TYPE apiserver_storage_objects gauge\n");
    for (guint i = 0; i < server->resources->len; i++) {
        const ApiResource *resource = g_ptr_array_index(server->resources, i);

        g_string_append_printf(text, "apiserver_storage_objects{resource=\"%s\"} %zu\n",
                               api_kind_qualified(resource->kind),
                               pmap_count(store_committed(resource->bucket)));
    }
    g_string_append_printf(text,
                           "# HELP apiserver_registered_watchers Watches that are open.\n"
                           "# TYPE apiserver_registered_watchers gauge\n"
                           "apiserver_registered_watchers %d\n",
                           g_tree_nnodes(server->watches));
    g_string_append_printf(
        text,
        "# HELP etcd_debugging_mvcc_current_revision The store's committed revision.\n"
        "# TYPE etcd_debugging_mvcc_current_revision gauge\n"
        "etcd_debugging_mvcc_current_revision %" G_GINT64_FORMAT "\n",
        store_revision(server->store));
    return g_string_free(text, FALSE);
}
