/* Static pods: from manifests of this machine, run whether or not there is an API server; each is shown in the API by a mirror
 * pod, which is made anew when somebody deletes it (pkg/kubelet/config/common.go, pkg/kubelet/pod/mirror_client.go). */
#include "core/api/defaults.h"
#include "core/base/text.h"
#include "core/kubelet/internal.h"

/* A pod as it is run: name-node, uid from the manifest, annotated with where it came from. */
static Value *
complete(Kubelet *kubelet, const Value *manifest)
{
    char uid[33];
    g_autofree char *seed = g_strdup_printf("%016" G_GINT64_MODIFIER "x%s", (uint64_t)value_digest(manifest),
                                            kubelet->config.node_name);
    g_autofree char *sum = text_sha256(seed, strlen(seed));
    g_strlcpy(uid, sum, sizeof uid);
    g_autofree char *name = g_strdup_printf("%s-%s", object_name(manifest), kubelet->config.node_name);
    const char *namespace_ = object_namespace(manifest);
    g_autoptr(ValueBuilder) pod = value_builder_new(manifest);
    value_builder_set(pod, "apiVersion", value_new_string("v1"));
    value_builder_set(pod, "kind", value_new_string("Pod"));
    value_builder_set_at(pod, "metadata.name", value_new_string(name));
    value_builder_set_at(pod, "metadata.namespace", value_new_string(*namespace_ != '\0' ? namespace_ : "default"));
    value_builder_set_at(pod, "metadata.uid", value_new_string(uid));
    g_autoptr(Value) notes = value_ref(object_annotations(manifest));
    value_replace(&notes, value_set(notes, "kubernetes.io/config.hash", value_new_string(uid)));
    value_replace(&notes, value_set(notes, "kubernetes.io/config.source", value_new_string("file")));
    value_replace(&notes, value_set(notes, "kubernetes.io/config.seen", format_time_value(kubelet_now(kubelet))));
    value_builder_set_at(pod, "metadata.annotations", g_steal_pointer(&notes));
    value_builder_set_at(pod, "spec.nodeName", value_new_string(kubelet->config.node_name));
    const char *defaults[][2] = {{"restartPolicy", "Always"}, {"dnsPolicy", "ClusterFirst"},
                                 {"schedulerName", "default-scheduler"}};
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) {
        g_autofree char *path = g_strdup_printf("spec.%s", defaults[i][0]);
        if (!value_has(value_get(manifest, "spec"), defaults[i][0]))
            value_builder_set_at(pod, path, value_new_string(defaults[i][1]));
    }
    if (value_at(manifest, "spec.tolerations") == NULL)
        value_builder_set_at(pod, "spec.tolerations", value_new_f("[{operator: Exists, effect: NoExecute}]"));
    g_autoptr(Value) whole = value_builder_end(g_steal_pointer(&pod));
    const ApiTypes *types = client_types(kubelet->client);
    const ApiKind *kind = types != NULL ? api_types_by_resource(types, "", NULL, "pods") : NULL;
    return kind != NULL ? api_default(types, kind, whole) : g_steal_pointer(&whole);
}

static void
on_mirror_made(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->mirror_in_flight = false;
    if (error != NULL) {
        worker_retry_at(worker, kubelet_now(op->kubelet) + op->kubelet->config.sync_retry_ns);
        worker_set_timer(worker);
        return;
    }
    if (op->flag) { /* it was deleted; when the watch has not told yet, it will */
        if (worker->api == NULL)
            mirror_pod_sync(worker);
        return;
    }
    status_api_changed(worker, op->value);
    worker->status_dirty = true;
    status_flush(worker);
}

void
mirror_pod_sync(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    if (!worker->is_static || worker->mirror_in_flight || !kubelet->api_loaded || !kubelet->registered)
        return;
    const char *hash = object_annotation(worker->api, "kubernetes.io/config.mirror");
    bool stale = worker->api != NULL &&
                 (object_is_deleting(worker->api) || worker->removed || g_strcmp0(hash, worker->uid) != 0);
    Op *op = NULL;
    if (stale) {
        op = op_new(kubelet, worker, on_mirror_made);
        op->flag = true;
        worker->mirror_in_flight = true;
        client_delete(kubelet->client, "", "pods", object_namespace(worker->api), object_name(worker->api),
                      value_new_f("{apiVersion: v1, kind: DeleteOptions, gracePeriodSeconds: 0, preconditions: {uid: %s}}",
                                  object_uid(worker->api)),
                      op_api_done, op);
        return;
    }
    if (worker->api != NULL || worker->removed) {
        status_flush(worker);
        return;
    }
    g_autoptr(ValueBuilder) pod = value_builder_new(worker->pod);
    value_builder_remove_at(pod, "metadata.uid");
    value_builder_set_at(pod, "metadata.annotations['kubernetes.io/config.mirror']", value_new_string(worker->uid));
    const char *node = kubelet->config.node_name;
    value_builder_set_at(pod, "metadata.ownerReferences",
                         value_new_f("[{apiVersion: v1, kind: Node, name: %s, uid: %s, controller: true}]", node,
                                     object_uid(kubelet->node)));
    worker->mirror_in_flight = true;
    op = op_new(kubelet, worker, on_mirror_made);
    client_create(kubelet->client, "", "pods", object_namespace(worker->pod), value_builder_end(g_steal_pointer(&pod)),
                  op_api_done, op);
}

static void
collect_static(PodWorker *worker, void *data)
{
    if (worker->is_static && !worker->removed)
        g_ptr_array_add(data, g_strdup(worker->uid));
}

static void
load(Kubelet *kubelet)
{
    g_autoptr(Value) manifests = kubelet->host->ops->static_pods(kubelet->host);
    g_autoptr(GPtrArray) old = g_ptr_array_new_with_free_func(g_free);
    kubelet_each_worker(kubelet, collect_static, old);
    g_autoptr(GPtrArray) fresh = g_ptr_array_new_with_free_func(g_free);
    VALUE_ARRAY_FOREACH (manifest, manifests) {
        g_autoptr(Value) pod = complete(kubelet, manifest);
        guint index;
        if (g_ptr_array_find_with_equal_func(old, object_uid(pod), g_str_equal, &index)) {
            g_ptr_array_remove_index(old, index);
            continue;
        }
        if (kubelet_find_worker(kubelet, object_uid(pod)) != NULL)
            continue; /* the same manifest came back while its pod is still going down */
        worker_new(kubelet, pod, true);
        g_ptr_array_add(fresh, g_strdup(object_uid(pod)));
    }
    for (guint i = 0; i < old->len; i++) {
        PodWorker *worker = kubelet_find_worker(kubelet, old->pdata[i]);
        worker->removed = true;
        mirror_pod_sync(worker);
        worker_removed(worker);
    }
    for (guint i = 0; i < fresh->len; i++) {
        PodWorker *worker = kubelet_find_worker(kubelet, fresh->pdata[i]);
        if (worker != NULL)
            worker_wake(worker);
    }
}

static void
on_static_changed(void *data)
{
    load(data);
}

static void
sync_mirror(PodWorker *worker, void *data)
{
    mirror_pod_sync(worker);
}

/* Mirror pods whose manifest is gone. */
static void
remove_strangers(Kubelet *kubelet)
{
    InformerIter iter;
    informer_iter_init(&iter, kubelet->pods, NULL);
    const char *key;
    for (const Value *pod; (pod = informer_iter_next(&iter, &key)) != NULL;) {
        if (!pod_is_mirror(pod))
            continue;
        PodWorker *worker = kubelet_find_named(kubelet, object_namespace(pod), object_name(pod));
        if (worker != NULL && worker->is_static) {
            status_api_changed(worker, pod);
            continue;
        }
        client_delete(kubelet->client, "", "pods", object_namespace(pod), object_name(pod),
                      value_new_f("{apiVersion: v1, kind: DeleteOptions, gracePeriodSeconds: 0, preconditions: {uid: %s}}",
                                  object_uid(pod)),
                      NULL, NULL);
    }
}

void
static_pods_start(Kubelet *kubelet)
{
    if (!kubelet->static_loaded) {
        kubelet->static_loaded = true;
        kubelet->host->ops->set_static_pods_listener(kubelet->host, on_static_changed, kubelet);
        load(kubelet);
    }
    if (!kubelet->api_loaded || !kubelet->registered)
        return;
    remove_strangers(kubelet);
    kubelet_each_worker(kubelet, sync_mirror, NULL);
}
