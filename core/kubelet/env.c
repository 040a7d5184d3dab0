/* A container's environment (makeEnvironmentVariables of kubelet_pods.go): services first, then envFrom, then env; later ones
 * win, and $(VAR) refers to what stands before. */
#include "core/base/text.h"
#include "core/kubelet/internal.h"

typedef struct Environment {
    PodWorker *worker;
    const Value *container;
    const char *pod_ip;
    GPtrArray *list; /* "NAME=value" */
    char *error;
} Environment;

static const char *
lookup(char *const *env, const char *name, size_t length)
{
    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        if (strncmp(env[i], name, length) == 0 && env[i][length] == '=')
            return env[i] + length + 1;
    }
    return NULL;
}

/* third_party/forked/golang/expansion */
char *
env_expand(const char *text, char *const *env)
{
    GString *out = g_string_new(NULL);
    for (const char *p = text; *p != '\0'; p++) {
        const char *end;
        if (p[0] == '$' && p[1] == '$') {
            g_string_append_c(out, '$');
            p++;
        } else if (p[0] == '$' && p[1] == '(' && (end = strchr(p, ')')) != NULL) {
            const char *value = lookup(env, p + 2, (size_t)(end - p - 2));
            if (value != NULL)
                g_string_append(out, value);
            else
                g_string_append_len(out, p, end - p + 1);
            p = end;
        } else {
            g_string_append_c(out, *p);
        }
    }
    return g_string_free(out, FALSE);
}

char **
env_expand_array(const Value *array, char *const *env)
{
    if (value_size(array) == 0)
        return NULL;
    char **list = g_new0(char *, value_size(array) + 1);
    for (size_t i = 0; i < value_size(array); i++)
        list[i] = env_expand(value_text(value_item(array, i)), env);
    return list;
}

static void
set(Environment *e, const char *name, const char *value)
{
    char *entry = g_strdup_printf("%s=%s", name, value);
    size_t length = strlen(name);
    for (guint i = 0; i + 1 < e->list->len; i++) {
        if (strncmp(e->list->pdata[i], name, length) == 0 && ((char *)e->list->pdata[i])[length] == '=') {
            g_free(e->list->pdata[i]);
            e->list->pdata[i] = entry;
            return;
        }
    }
    g_ptr_array_insert(e->list, (int)e->list->len - 1, entry); /* before the closing NULL */
}

/* ---- services ----------------------------------------------------------------------------------------- */

static char *
variable_name(const char *service)
{
    char *name = g_ascii_strup(service, -1);
    for (char *p = name; *p != '\0'; p++)
        *p = *p == '-' ? '_' : *p;
    return name;
}

static void
add_service(Environment *e, const Value *service)
{
    const char *ip = value_text_at(service, "spec.clusterIP");
    const Value *ports = value_at(service, "spec.ports");
    if (*ip == '\0' || g_str_equal(ip, "None") || value_size(ports) == 0)
        return;
    g_autofree char *prefix = variable_name(object_name(service));
    const Value *first = value_item(ports, 0);
    g_autofree char *host_name = g_strdup_printf("%s_SERVICE_HOST", prefix);
    g_autofree char *port_name = g_strdup_printf("%s_SERVICE_PORT", prefix);
    g_autofree char *port = g_strdup_printf("%" G_GINT64_FORMAT, value_int(value_get(first, "port")));
    set(e, host_name, ip);
    set(e, port_name, port);
    VALUE_ARRAY_FOREACH (item, ports) {
        if (!value_has(item, "name"))
            continue;
        g_autofree char *part = variable_name(value_text(value_get(item, "name")));
        g_autofree char *name = g_strdup_printf("%s_SERVICE_PORT_%s", prefix, part);
        g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, value_int(value_get(item, "port")));
        set(e, name, number);
    }
    bool is_first = true;
    VALUE_ARRAY_FOREACH (item, ports) {
        const char *protocol = value_has(item, "protocol") ? value_text(value_get(item, "protocol")) : "TCP";
        g_autofree char *lower = g_ascii_strdown(protocol, -1);
        int64_t number = value_int(value_get(item, "port"));
        g_autofree char *url = g_strdup_printf("%s://%s:%" G_GINT64_FORMAT, lower, ip, number);
        g_autofree char *link = g_strdup_printf("%s_PORT", prefix);
        g_autofree char *base = g_strdup_printf("%s_PORT_%" G_GINT64_FORMAT "_%s", prefix, number, protocol);
        g_autofree char *proto_name = g_strdup_printf("%s_PROTO", base);
        g_autofree char *number_name = g_strdup_printf("%s_PORT", base);
        g_autofree char *addr_name = g_strdup_printf("%s_ADDR", base);
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
        if (is_first)
            set(e, link, url);
        is_first = false;
        set(e, base, url);
        set(e, proto_name, lower);
        set(e, number_name, text);
        set(e, addr_name, ip);
    }
}

static void
add_services(Environment *e)
{
    Kubelet *kubelet = e->worker->kubelet;
    const Value *links = value_at(e->worker->pod, "spec.enableServiceLinks");
    bool all = links == NULL || value_bool(links);
    if (!informer_has_synced(kubelet->services)) {
        if (!e->worker->is_static)
            e->error = g_strdup("services have not yet been read at least once, cannot construct envvars");
        return;
    }
    const char *namespace_ = object_namespace(e->worker->pod);
    const Value *master = informer_get_named(kubelet->services, "default", "kubernetes");
    if (master != NULL)
        add_service(e, master);
    if (!all)
        return;
    InformerIter iter;
    informer_iter_init(&iter, kubelet->services, namespace_);
    const char *key;
    for (const Value *service; (service = informer_iter_next(&iter, &key)) != NULL;)
        add_service(e, service);
}

/* ---- sources ---------------------------------------------------------------------------------------------- */

static char *
secret_text(const Value *value)
{
    size_t length;
    uint8_t *bytes = text_base64_decode(value_text(value), &length);
    return bytes != NULL ? (char *)bytes : g_strdup("");
}

/* The object a reference names, or NULL: absent and optional, or with the error set. */
static const Value *
referred(Environment *e, const Value *reference, const char *resource, const char *noun)
{
    const Value *object;
    const char *name = value_text(value_get(reference, "name"));
    ObjectState state = objects_get(e->worker->kubelet, resource, object_namespace(e->worker->pod), name, &object);
    if (state == OBJECT_FOUND)
        return object;
    if (!value_bool(value_get(reference, "optional")))
        e->error = g_strdup_printf("%s \"%s\" not found", noun, name);
    return NULL;
}

static void
add_from(Environment *e, const Value *source)
{
    bool secret = value_has(source, "secretRef");
    const Value *reference = value_get(source, secret ? "secretRef" : "configMapRef");
    const Value *object = referred(e, reference, secret ? "secrets" : "configmaps", secret ? "secret" : "configmap");
    const char *prefix = value_text(value_get(source, "prefix"));
    VALUE_MAP_FOREACH (key, value, value_get(object, "data")) {
        g_autofree char *name = g_strdup_printf("%s%s", prefix, key);
        g_autofree char *text = secret ? secret_text(value) : g_strdup(value_text(value));
        set(e, name, text);
    }
}

static void
add_key(Environment *e, const char *name, const Value *reference, bool secret)
{
    const Value *object = referred(e, reference, secret ? "secrets" : "configmaps", secret ? "secret" : "configmap");
    if (object == NULL)
        return;
    const char *key = value_text(value_get(reference, "key"));
    const Value *value = value_get(value_get(object, "data"), key);
    if (value == NULL) {
        if (!value_bool(value_get(reference, "optional")))
            e->error = g_strdup_printf("couldn't find key %s in %s %s/%s", key, secret ? "Secret" : "ConfigMap",
                                       object_namespace(e->worker->pod), object_name(object));
        return;
    }
    g_autofree char *text = secret ? secret_text(value) : g_strdup(value_text(value));
    set(e, name, text);
}

static void
add_variable(Environment *e, const Value *variable)
{
    const char *name = value_text(value_get(variable, "name"));
    const Value *from = value_get(variable, "valueFrom");
    g_autofree char *text = NULL;
    if (value_has(from, "configMapKeyRef")) {
        add_key(e, name, value_get(from, "configMapKeyRef"), false);
        return;
    }
    if (value_has(from, "secretKeyRef")) {
        add_key(e, name, value_get(from, "secretKeyRef"), true);
        return;
    }
    if (value_has(from, "fieldRef"))
        text = field_value(e->worker, value_text_at(from, "fieldRef.fieldPath"), e->pod_ip, &e->error);
    else if (value_has(from, "resourceFieldRef"))
        text = resource_value(e->worker, value_get(from, "resourceFieldRef"), e->container, &e->error);
    else
        text = env_expand(value_text(value_get(variable, "value")), (char *const *)e->list->pdata);
    if (text != NULL)
        set(e, name, text);
}

char **
env_build(PodWorker *worker, const Value *container, const char *pod_ip, char **ret_error)
{
    Environment e = {.worker = worker, .container = container, .pod_ip = pod_ip, .list = g_ptr_array_new()};
    g_ptr_array_add(e.list, NULL);
    add_services(&e);
    VALUE_ARRAY_FOREACH (source, value_get(container, "envFrom")) {
        if (e.error == NULL)
            add_from(&e, source);
    }
    VALUE_ARRAY_FOREACH (variable, value_get(container, "env")) {
        if (e.error == NULL)
            add_variable(&e, variable);
    }
    char **list = (char **)g_ptr_array_free(e.list, FALSE);
    if (e.error == NULL)
        return list;
    g_strfreev(list);
    *ret_error = e.error;
    return NULL;
}
