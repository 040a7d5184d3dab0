/* Making a pod's volumes ready, and keeping their contents up to date.
 *
 *   WANTED --begin--> BUSY --done--> READY            (contents may be published again: volumes_refresh)
 *                      '--error--> FAILED --retry_at--> BUSY     back-off 500 ms doubling to 2m2s
 */
#include "core/kubelet/internal.h"

#define RETRY_FIRST_NS (500 * NS_PER_MS)
#define RETRY_MAX_NS (122 * NS_PER_S)
#define MOUNT_PATIENCE_NS (123 * NS_PER_S) /* podAttachAndMountTimeout */

static const Value *
volume_at(const PodWorker *worker, unsigned index)
{
    return value_item(value_at(worker->pod, "spec.volumes"), index);
}

static const char *
volume_name(const Value *volume)
{
    return value_text(value_get(volume, "name"));
}

const char *
volume_plugin(const Value *volume)
{
    static const char *const PLUGINS[][2] = {
        {"configMap", "kubernetes.io~configmap"},     {"secret", "kubernetes.io~secret"},
        {"projected", "kubernetes.io~projected"},     {"downwardAPI", "kubernetes.io~downward-api"},
        {"hostPath", "kubernetes.io~host-path"},      {"persistentVolumeClaim", "kubernetes.io~csi"},
        {"ephemeral", "kubernetes.io~csi"},           {"csi", "kubernetes.io~csi"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(PLUGINS); i++) {
        if (value_has(volume, PLUGINS[i][0]))
            return PLUGINS[i][1];
    }
    return "kubernetes.io~empty-dir";
}

static bool
has_contents(const Value *volume)
{
    return value_has(volume, "configMap") || value_has(volume, "secret") || value_has(volume, "projected") ||
           value_has(volume, "downwardAPI");
}

void
volumes_clear(PodWorker *worker)
{
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        value_unref(worker->volumes[i].tokens);
        value_unref(worker->volumes[i].pv);
    }
    g_clear_pointer(&worker->volumes, g_free);
    worker->n_volumes = 0;
}

bool
volumes_ready(const PodWorker *worker)
{
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        if (worker->volumes[i].stage != VOLUME_READY)
            return false;
    }
    return true;
}

/* ---- outcome -------------------------------------------------------------------------------------------- */

static void
complain_of_waiting(PodWorker *worker)
{
    int64_t now = kubelet_now(worker->kubelet);
    if (worker->wait_since == 0 || now - worker->wait_since < MOUNT_PATIENCE_NS)
        return;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        if (worker->volumes[i].stage != VOLUME_READY)
            g_ptr_array_add(names, (char *)volume_name(volume_at(worker, i)));
    }
    g_autofree char *list = format_list(names);
    worker_event(worker, "Warning", "FailedMount",
                 "Unable to attach or mount volumes: unmounted volumes=%s, unattached volumes=[], failed to process "
                 "volumes=[]: context deadline exceeded", list);
    worker->wait_since = now;
}

static void
settled(PodWorker *worker)
{
    if (worker->volumes_busy > 0)
        return;
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        if (worker->volumes[i].stage == VOLUME_FAILED)
            worker_retry_at(worker, worker->volumes[i].retry_at);
        int64_t refresh = worker->volumes[i].refresh_at;
        if (refresh != 0 && (worker->refresh_at == 0 || refresh < worker->refresh_at))
            worker->refresh_at = refresh;
    }
    if (!volumes_ready(worker))
        complain_of_waiting(worker);
    sync_volumes_done(worker);
}

static void
volume_failed(PodWorker *worker, unsigned index, const char *error)
{
    VolumeState *state = &worker->volumes[index];
    state->stage = VOLUME_FAILED;
    state->backoff = state->backoff == 0 ? RETRY_FIRST_NS : MIN(state->backoff * 2, RETRY_MAX_NS);
    state->retry_at = kubelet_now(worker->kubelet) + state->backoff;
    worker_event(worker, "Warning", "FailedMount", "MountVolume.SetUp failed for volume \"%s\" : %s",
                 volume_name(volume_at(worker, index)), error);
}

static void
on_done(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    PodWorker *worker = op->worker;
    worker->volumes_busy--;
    if (error != NULL)
        volume_failed(worker, op->index, error);
    else
        worker->volumes[op->index].stage = VOLUME_READY;
    settled(worker);
}

static Op *
volume_op(PodWorker *worker, unsigned index, OpFunc done)
{
    Op *op = op_new(worker->kubelet, worker, done);
    op->index = index;
    return op;
}

/* ---- contents -------------------------------------------------------------------------------------------- */

static void
publish(PodWorker *worker, unsigned index, OpFunc done, const Value *contents)
{
    Host *host = worker->kubelet->host;
    const Value *volume = volume_at(worker, index);
    worker->volumes[index].digest = value_digest(contents);
    host->ops->publish_volume(host, worker->uid, volume_plugin(volume), volume_name(volume), contents, worker->pod,
                              op_host_done, volume_op(worker, index, done));
}

/* Returns whether it is under way; else it failed. */
static bool
begin_contents(PodWorker *worker, unsigned index)
{
    g_autofree char *error = NULL;
    g_autoptr(Value) contents = volume_contents(worker, volume_at(worker, index), &worker->volumes[index], &error);
    if (contents != NULL) {
        publish(worker, index, on_done, contents);
        return true;
    }
    volume_failed(worker, index, error);
    return false;
}

static void
on_refreshed(Op *op, const char *id, const char *error)
{
    if (op->worker != NULL && error != NULL)
        op->worker->volumes[op->index].digest = 0;
}

static void
refresh_contents(PodWorker *worker, unsigned index)
{
    g_autofree char *error = NULL;
    g_autoptr(Value) contents = volume_contents(worker, volume_at(worker, index), &worker->volumes[index], &error);
    if (contents == NULL) {
        worker_event(worker, "Warning", "FailedMount", "MountVolume.SetUp failed for volume \"%s\" : %s",
                     volume_name(volume_at(worker, index)), error);
        return;
    }
    if (value_digest(contents) == worker->volumes[index].digest)
        return;
    worker_decision(worker, "refresh", "publish volume %s anew", volume_name(volume_at(worker, index)));
    publish(worker, index, on_refreshed, contents);
}

/* ---- tokens (TokenRequest, renewed at 80 % of their life) --------------------------------------------- */

static int
missing_token(const PodWorker *worker, unsigned index)
{
    const Value *sources = value_at(volume_at(worker, index), "projected.sources");
    for (unsigned i = 0; i < value_size(sources); i++) {
        char key[16];
        g_snprintf(key, sizeof key, "%u", i);
        if (value_has(value_item(sources, i), "serviceAccountToken") && !value_has(worker->volumes[index].tokens, key))
            return (int)i;
    }
    return -1;
}

static void request_token(PodWorker *worker, unsigned index, int source, bool refresh);

static void
on_token(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    bool refresh = op->flag;
    if (worker == NULL || (!refresh && !op_is_current(op)) || worker->state != WORKER_SYNC)
        return;
    VolumeState *state = &worker->volumes[op->index];
    if (error != NULL) {
        g_autofree char *text = g_strdup_printf("failed to fetch token: %s", error);
        if (refresh) {
            worker->refresh_at = kubelet_now(op->kubelet) + op->kubelet->config.object_refresh_ns;
            worker_set_timer(worker);
            return;
        }
        worker->volumes_busy--;
        volume_failed(worker, op->index, text);
        settled(worker);
        return;
    }
    int64_t now = kubelet_now(op->kubelet);
    int64_t life = format_time_parse(value_string_at(op->value, "status.expirationTimestamp")) - now;
    int64_t asked = value_int_at_or(op->value, "spec.expirationSeconds", 3600) * NS_PER_S;
    life = life > 0 ? MIN(life, asked) : asked;
    value_replace(&state->tokens, value_set(state->tokens, op->text, value_new_string(value_text_at(op->value, "status.token"))));
    state->refresh_at = now + life / 10 * 8 - (int64_t)random_below(op->kubelet->ports->random, 10) * NS_PER_S;
    int next = missing_token(worker, op->index);
    if (next >= 0) {
        request_token(worker, op->index, next, refresh);
        return;
    }
    if (refresh) {
        worker->refresh_at = worker->refresh_at == 0 ? state->refresh_at : MIN(worker->refresh_at, state->refresh_at);
        refresh_contents(worker, op->index);
        worker_set_timer(worker);
    } else if (!begin_contents(worker, op->index)) {
        worker->volumes_busy--;
        settled(worker);
    }
}

static void
request_token(PodWorker *worker, unsigned index, int source, bool refresh)
{
    const Value *item = value_item(value_at(volume_at(worker, index), "projected.sources"), (size_t)source);
    const Value *token = value_get(item, "serviceAccountToken");
    const char *audience = value_string(value_get(token, "audience"));
    const char *account = value_text_at(worker->pod, "spec.serviceAccountName");
    int64_t seconds = value_int_at_or(token, "expirationSeconds", 3600);
    Value *request = value_new_f("{apiVersion: authentication.k8s.io/v1, kind: TokenRequest, spec: {audiences: ?%V, "
                                 "expirationSeconds: %i, boundObjectRef: {apiVersion: v1, kind: Pod, name: %s, uid: %s}}}",
                                 audience != NULL && *audience != '\0' ? value_new_f("[%s]", audience) : NULL, seconds,
                                 object_name(worker->pod), worker->uid);
    Op *op = volume_op(worker, index, on_token);
    op->flag = refresh;
    op->text = g_strdup_printf("%d", source);
    client_create_subresource(worker->kubelet->client, "", "serviceaccounts", object_namespace(worker->pod),
                              *account != '\0' ? account : "default", "token", request, op_api_done, op);
}

/* ---- persistent volumes ---------------------------------------------------------------------------------- */

static void
mount_pv(PodWorker *worker, unsigned index)
{
    Host *host = worker->kubelet->host;
    const Value *pv = worker->volumes[index].pv;
    const Value *volume = volume_at(worker, index);
    const char *path = value_string_at(pv, "spec.hostPath.path");
    const char *type = path != NULL ? value_text_at(pv, "spec.hostPath.type") : "";
    if (path == NULL)
        path = value_string_at(pv, "spec.local.path");
    Op *op = volume_op(worker, index, on_done);
    if (path != NULL) {
        host->ops->check_host_path(host, path, *type != '\0' ? type : "DirectoryOrCreate", op_host_done, op);
    } else if (host->ops->mount_persistent_volume != NULL) {
        bool readonly = value_bool_at(volume, "persistentVolumeClaim.readOnly");
        host->ops->mount_persistent_volume(host, worker->uid, pv, readonly, worker->pod, op_host_done, op);
    } else {
        op_free(op);
        worker->volumes_busy--;
        volume_failed(worker, index, "no volume plugin matched: this node cannot mount volumes of this type");
        settled(worker);
    }
}

static void
on_pv(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    PodWorker *worker = op->worker;
    if (error != NULL) {
        worker->volumes_busy--;
        volume_failed(worker, op->index, error);
        settled(worker);
        return;
    }
    value_replace(&worker->volumes[op->index].pv, value_ref(op->value));
    mount_pv(worker, op->index);
}

static void
on_pvc(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    PodWorker *worker = op->worker;
    const char *bound = value_text_at(op->value, "spec.volumeName");
    g_autofree char *text = NULL;
    if (error != NULL)
        text = g_strdup_printf("error processing PVC %s/%s: failed to fetch PVC from API server: %s",
                               object_namespace(worker->pod), op->text, error);
    else if (!g_str_equal(value_text_at(op->value, "status.phase"), "Bound") || *bound == '\0')
        text = g_strdup_printf("error processing PVC %s/%s: PVC is not bound", object_namespace(worker->pod), op->text);
    if (text != NULL) {
        worker->volumes_busy--;
        volume_failed(worker, op->index, text);
        settled(worker);
        return;
    }
    client_get(op->kubelet->client, "", "persistentvolumes", NULL, bound, op_api_done, volume_op(worker, op->index, on_pv));
}

static void
begin_claim(PodWorker *worker, unsigned index, const Value *volume)
{
    Op *op = volume_op(worker, index, on_pvc);
    op->text = value_has(volume, "ephemeral")
                   ? g_strdup_printf("%s-%s", object_name(worker->pod), volume_name(volume))
                   : g_strdup(value_text_at(volume, "persistentVolumeClaim.claimName"));
    client_get(worker->kubelet->client, "", "persistentvolumeclaims", object_namespace(worker->pod), op->text, op_api_done,
               op);
}

/* ---- beginning ---------------------------------------------------------------------------------------------- */

static uint64_t
size_bytes(const Value *quantity)
{
    if (quantity == NULL)
        return 0;
    g_autoptr(Value) map = value_set(NULL, "memory", value_ref(quantity));
    ResourceList list = {0};
    int64_t pods;
    resource_list_parse(map, &list, &pods);
    uint64_t bytes = (uint64_t)MAX(list.memory, 0);
    resource_list_clear(&list);
    return bytes;
}

static void
begin(PodWorker *worker, unsigned index)
{
    Host *host = worker->kubelet->host;
    const Value *volume = volume_at(worker, index);
    worker->volumes[index].stage = VOLUME_BUSY;
    worker->volumes_busy++;
    int token = missing_token(worker, index);
    if (token >= 0) {
        request_token(worker, index, token, false);
    } else if (has_contents(volume)) {
        if (!begin_contents(worker, index))
            worker->volumes_busy--;
    } else if (value_has(volume, "hostPath")) {
        host->ops->check_host_path(host, value_text_at(volume, "hostPath.path"), value_text_at(volume, "hostPath.type"),
                                   op_host_done, volume_op(worker, index, on_done));
    } else if (value_has(volume, "persistentVolumeClaim") || value_has(volume, "ephemeral")) {
        begin_claim(worker, index, volume);
    } else {
        host->ops->make_empty_dir(host, worker->uid, volume_name(volume), value_text_at(volume, "emptyDir.medium"),
                                  size_bytes(value_at(volume, "emptyDir.sizeLimit")), worker->pod, op_host_done,
                                  volume_op(worker, index, on_done));
    }
}

void
volumes_mount(PodWorker *worker)
{
    int64_t now = kubelet_now(worker->kubelet);
    worker->volumes_busy = 1; /* holds settled back until all have begun */
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        VolumeState *state = &worker->volumes[i];
        bool wait = state->stage == VOLUME_FAILED && state->retry_at > now;
        if (state->stage != VOLUME_READY && !wait)
            begin(worker, i);
    }
    worker->volumes_busy--;
    settled(worker);
}

void
volumes_refresh(PodWorker *worker)
{
    int64_t now = kubelet_now(worker->kubelet);
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        VolumeState *state = &worker->volumes[i];
        if (state->stage != VOLUME_READY || !has_contents(volume_at(worker, i)))
            continue;
        if (state->refresh_at != 0 && state->refresh_at <= now) {
            g_autoptr(Value) old = g_steal_pointer(&state->tokens);
            state->refresh_at = 0;
            int source = missing_token(worker, i);
            value_replace(&state->tokens, old != NULL ? value_new_map() : NULL);
            if (source >= 0)
                request_token(worker, i, source, true);
        } else if (worker->refresh_wanted) {
            refresh_contents(worker, i);
        }
        if (state->refresh_at != 0 && (worker->refresh_at == 0 || state->refresh_at < worker->refresh_at))
            worker->refresh_at = state->refresh_at;
    }
    worker->refresh_wanted = false;
}

/* ---- mounts -------------------------------------------------------------------------------------------------- */

char *
volume_mount_path(PodWorker *worker, const Value *mount, char *const *env, char **ret_error)
{
    Host *host = worker->kubelet->host;
    const char *name = value_text(value_get(mount, "name"));
    const Value *volume = NULL, *pv = NULL;
    for (unsigned i = 0; i < worker->n_volumes; i++) {
        if (g_str_equal(volume_name(volume_at(worker, i)), name)) {
            volume = volume_at(worker, i);
            pv = worker->volumes[i].pv;
        }
    }
    if (volume == NULL) {
        *ret_error = g_strdup_printf("cannot find volume \"%s\" to mount into container", name);
        return NULL;
    }
    const char *path = value_string_at(volume, "hostPath.path");
    if (path == NULL)
        path = value_string_at(pv, "spec.hostPath.path");
    if (path == NULL)
        path = value_string_at(pv, "spec.local.path");
    g_autofree char *base = path != NULL ? g_strdup(path)
                                         : host->ops->volume_path(host, worker->uid, volume_plugin(volume),
                                                                  pv != NULL ? object_name(pv) : name);
    const char *sub = value_string(value_get(mount, "subPath"));
    g_autofree char *expanded = env_expand(sub != NULL ? sub : value_text(value_get(mount, "subPathExpr")), env);
    return *expanded != '\0' ? g_build_filename(base, expanded, NULL) : g_steal_pointer(&base);
}
