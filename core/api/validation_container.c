/* Containers: names, images, ports, environment, mounts, probes and hooks. */
#include "core/api/validation_private.h"

#define ENV_NAME_TEXT "a valid environment variable name must consist only of printable ASCII characters other than '='"

typedef enum { CONTAINER_APP, CONTAINER_INIT, CONTAINER_EPHEMERAL } ContainerSort;

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* ---- ports ---- */

static void
check_ports(const Path *at, const Value *ports)
{
    for (size_t i = 0; i < value_size(ports); i++) {
        const Value *port = value_item(ports, i), *name = value_get(port, "name"), *number = value_get(port, "containerPort");
        const Path *here = NTH(at, i);
        g_autofree char *problem = is_empty(name) ? NULL : port_name_problem(value_text(name));

        if (problem != NULL)
            bad_invalid(AT(here, "name"), name, problem);
        for (size_t k = 0; k < i && !is_empty(name) && problem == NULL; k++)
            if (value_equal(value_get(value_item(ports, k), "name"), name)) {
                bad_duplicate(AT(here, "name"), name);
                break;
            }
        if (value_int(number) == 0)
            bad_required(AT(here, "containerPort"), "");
        else
            check_port(AT(here, "containerPort"), number);
        if (value_int(value_get(port, "hostPort")) != 0)
            check_port(AT(here, "hostPort"), value_get(port, "hostPort"));
        check_enum(AT(here, "protocol"), value_get(port, "protocol"), protocols, REQUIRED);
        if (!is_empty(value_get(port, "hostIP")))
            check_ip(AT(here, "hostIP"), value_get(port, "hostIP"));
    }
}

/* ---- environment ---- */

static void
check_env_name(const Path *at, const Value *name, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~' || *c == '=') {
            bad_invalid(at, name, ENV_NAME_TEXT);
            return;
        }
}

static void
check_key_ref(const Path *at, const Value *ref)
{
    const Value *name = value_get(ref, "name"), *key = value_get(ref, "key");

    check_dns_subdomain(AT(at, "name"), name);
    if (is_empty(key))
        bad_required(AT(at, "key"), "");
    else
        check_config_key(AT(at, "key"), value_text(key));
}

static void
check_field_ref(const Path *at, const Value *ref)
{
    static const char *const known[] = {"metadata.name",           "metadata.namespace", "metadata.uid",   "spec.nodeName",
                                        "spec.serviceAccountName", "status.hostIP",      "status.hostIPs", "status.podIP",
                                        "status.podIPs",           NULL};
    const Value *path = value_get(ref, "fieldPath");
    const char *text = value_text(path);

    if (is_empty(path)) {
        bad_required(AT(at, "fieldPath"), "");
        return;
    }
    if (g_str_has_prefix(text, "metadata.labels['") || g_str_has_prefix(text, "metadata.annotations['"))
        return;
    if (!g_str_has_prefix(text, "metadata.") && !g_str_has_prefix(text, "spec.") && !g_str_has_prefix(text, "status.")) {
        g_autofree char *detail = g_strdup_printf("error converting fieldPath: field label not supported: %s", text);

        bad_invalid(AT(at, "fieldPath"), path, detail);
        return;
    }
    check_enum(AT(at, "fieldPath"), path, known, REQUIRED);
}

static void
check_resource_ref(const Path *at, const Value *ref)
{
    static const char *const known[] = {"limits.cpu",        "limits.ephemeral-storage", "limits.memory",
                                        "requests.cpu",      "requests.ephemeral-storage", "requests.memory", NULL};
    const Value *resource = value_get(ref, "resource");
    const char *text = value_text(resource);

    if (is_empty(resource))
        bad_required(AT(at, "resource"), "");
    else if (!text_in(text, known) && !g_str_has_prefix(text, "limits.hugepages-") &&
             !g_str_has_prefix(text, "requests.hugepages-"))
        bad_unsupported(AT(at, "resource"), resource, known);
}

static void
check_value_from(const Path *at, const Value *from, const Value *value)
{
    size_t sources = 0;

    VALUE_MAP_FOREACH (type, source, from) {
        sources++;
        if (strcmp(type, "fieldRef") == 0)
            check_field_ref(AT(at, type), source);
        else if (strcmp(type, "resourceFieldRef") == 0)
            check_resource_ref(AT(at, type), source);
        else if (strcmp(type, "configMapKeyRef") == 0 || strcmp(type, "secretKeyRef") == 0)
            check_key_ref(AT(at, type), source);
    }
    if (sources == 0)
        bad_invalid_text(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
                                 "`fileKeyRef`");
    else if (!is_empty(value))
        bad_invalid_text(at, "", "may not be specified when `value` is not empty");
    else if (sources > 1)
        bad_invalid_text(at, "", "may not have more than one field specified at a time");
}

static void
check_env(const Path *at, const Value *env)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (variable, env) {
        const Path *here = NTH(at, i++);
        const Value *name = value_get(variable, "name"), *from = value_get(variable, "valueFrom");

        if (is_empty(name))
            bad_required(AT(here, "name"), "");
        else
            check_env_name(AT(here, "name"), name, value_text(name));
        if (!value_is_null(from))
            check_value_from(AT(here, "valueFrom"), from, value_get(variable, "value"));
    }
}

static void
check_env_from(const Path *at, const Value *sources)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (source, sources) {
        const Path *here = NTH(at, i++);
        const Value *map = value_get(source, "configMapRef"), *secret = value_get(source, "secretRef");
        const char *type = map != NULL ? "configMapRef" : "secretRef";

        if (!is_empty(value_get(source, "prefix")))
            check_env_name(AT(here, "prefix"), value_get(source, "prefix"), value_text(value_get(source, "prefix")));
        if (map == NULL && secret == NULL) {
            bad_invalid_text(here, "", "must specify one of: `configMapRef` or `secretRef`");
            continue;
        }
        if (map != NULL && secret != NULL)
            bad_invalid_text(here, "", "may not have more than one field specified at a time");
        if (is_empty(value_get(value_get(source, type), "name")))
            bad_required(AT(AT(here, type), "name"), "");
        else
            check_dns_subdomain(AT(AT(here, type), "name"), value_get(value_get(source, type), "name"));
    }
}

/* ---- mounts ---- */

static const Value *
named(const Value *list, const Value *name)
{
    VALUE_ARRAY_FOREACH (item, list)
        if (value_equal(value_get(item, "name"), name))
            return item;
    return NULL;
}

static void
check_sub_path(const Path *at, const Value *path)
{
    if (*value_text(path) == '/')
        bad_invalid(at, path, "must be a relative path");
    if (has_backsteps(value_text(path)))
        bad_invalid(at, path, "must not contain '..'");
}

static void
check_mounts(const Path *at, const Value *container, const Value *volumes)
{
    const Value *mounts = value_get(container, "volumeMounts"), *devices = value_get(container, "volumeDevices");

    for (size_t i = 0; i < value_size(mounts); i++) {
        const Value *mount = value_item(mounts, i), *name = value_get(mount, "name"), *path = value_get(mount, "mountPath");
        const Path *here = NTH(at, i);

        if (is_empty(name))
            bad_required(AT(here, "name"), "");
        else if (named(volumes, name) == NULL)
            bad_not_found(AT(here, "name"), name);
        check_required(AT(here, "mountPath"), path);
        for (size_t k = 0; k < i; k++)
            if (value_equal(value_get(value_item(mounts, k), "mountPath"), path)) {
                bad_invalid(AT(here, "mountPath"), path, "must be unique");
                break;
            }
        if (named(devices, name) != NULL)
            bad_invalid(AT(here, "name"), name, "must not already exist in volumeDevices");
        check_sub_path(AT(here, "subPath"), value_get(mount, "subPath"));
        if (!is_empty(value_get(mount, "subPath")) && !is_empty(value_get(mount, "subPathExpr")))
            bad_invalid(AT(here, "subPathExpr"), value_get(mount, "subPathExpr"),
                        "subPathExpr and subPath are mutually exclusive");
        check_sub_path(AT(here, "subPathExpr"), value_get(mount, "subPathExpr"));
        check_enum(AT(here, "mountPropagation"), value_get(mount, "mountPropagation"),
                   TEXTS("Bidirectional", "HostToContainer", "None"), OPTIONAL);
        if (text_is(value_get(mount, "mountPropagation"), "Bidirectional") &&
            !value_bool_at(container, "securityContext.privileged"))
            bad_forbidden(AT(here, "mountPropagation"),
                          "Bidirectional mount propagation is available only to privileged containers");
    }
}

static void
check_devices(const Path *at, const Value *container, const Value *volumes)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (device, value_get(container, "volumeDevices")) {
        const Path *here = NTH(at, i++);
        const Value *name = value_get(device, "name"), *path = value_get(device, "devicePath");
        const Value *volume = named(volumes, name);

        if (is_empty(name))
            bad_required(AT(here, "name"), "");
        else if (volume == NULL)
            bad_not_found(AT(here, "name"), name);
        else if (value_get(volume, "persistentVolumeClaim") == NULL && value_get(volume, "ephemeral") == NULL)
            bad_invalid(AT(here, "name"), name,
                        "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
        if (is_empty(path))
            bad_required(AT(here, "devicePath"), "");
        else if (has_backsteps(value_text(path)))
            bad_invalid(AT(here, "devicePath"), path, "can not contain backsteps ('..')");
        if (named(value_get(container, "volumeMounts"), name) != NULL)
            bad_invalid(AT(here, "name"), name, "must not already exist in volumeMounts");
    }
}

/* ---- probes and hooks ---- */

static void
check_handler(const Path *at, const Value *handler)
{
    static const char *const types[] = {"exec", "httpGet", "tcpSocket", "grpc", "sleep"};
    size_t found = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        const Value *action = value_get(handler, types[i]);
        const Path *here = AT(at, types[i]);

        if (value_is_null(action))
            continue;
        if (found++ > 0) {
            bad_forbidden(here, "may not specify more than 1 handler type");
            continue;
        }
        if (i == 0 && value_size(value_get(action, "command")) == 0)
            bad_required(AT(here, "command"), "");
        if (i == 1)
            check_required(AT(here, "path"), value_get(action, "path"));
        if (i == 1 || i == 2)
            check_port_number_or_name(AT(here, "port"), value_get(action, "port"));
        if (i == 1)
            check_enum(AT(here, "scheme"), value_get(action, "scheme"), TEXTS("HTTP", "HTTPS"), OPTIONAL);
        if (i == 3)
            check_port(AT(here, "port"), value_get(action, "port"));
    }
    if (found == 0)
        bad_required(at, "must specify a handler type");
}

static void
check_probe(const Path *at, const Value *probe, bool success_is_one)
{
    static const char *const numbers[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
                                          "failureThreshold"};
    const Value *grace = value_get(probe, "terminationGracePeriodSeconds"), *success = value_get(probe, "successThreshold");

    if (value_is_null(probe))
        return;
    check_handler(at, probe);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        check_not_negative(AT(at, numbers[i]), value_get(probe, numbers[i]));
    if (grace != NULL && value_int(grace) <= 0)
        bad_invalid(AT(at, "terminationGracePeriodSeconds"), grace, "must be greater than 0");
    if (success_is_one && success != NULL && value_int(success) != 1)
        bad_invalid(AT(at, "successThreshold"), success, "must be 1");
}

static void
check_lifecycle(const Path *at, const Value *lifecycle)
{
    if (!value_is_null(value_get(lifecycle, "postStart")))
        check_handler(AT(at, "postStart"), value_get(lifecycle, "postStart"));
    if (!value_is_null(value_get(lifecycle, "preStop")))
        check_handler(AT(at, "preStop"), value_get(lifecycle, "preStop"));
}

static void
check_probes(const Path *at, const Value *container)
{
    check_lifecycle(AT(at, "lifecycle"), value_get(container, "lifecycle"));
    check_probe(AT(at, "livenessProbe"), value_get(container, "livenessProbe"), true);
    check_probe(AT(at, "readinessProbe"), value_get(container, "readinessProbe"), false);
    if (value_at(container, "readinessProbe.terminationGracePeriodSeconds") != NULL)
        bad_invalid(AT(AT(at, "readinessProbe"), "terminationGracePeriodSeconds"),
                    value_at(container, "readinessProbe.terminationGracePeriodSeconds"), "must not be set for readinessProbes");
    check_probe(AT(at, "startupProbe"), value_get(container, "startupProbe"), true);
}

/* ---- containers ---- */

static void
check_image(const Path *at, const Value *image)
{
    const char *text = value_text(image);
    size_t length = strlen(text);

    if (length == 0)
        bad_required(at, "");
    else if (g_ascii_isspace(text[0]) || g_ascii_isspace(text[length - 1]))
        bad_invalid(at, image, "must not have leading or trailing whitespace");
}

static void
check_container(const Path *at, const Value *container, const Value *volumes)
{
    const Value *policy = value_get(container, "terminationMessagePolicy");

    if (is_empty(value_get(container, "name")))
        bad_required(AT(at, "name"), "");
    else
        check_dns_label(AT(at, "name"), value_get(container, "name"));
    check_image(AT(at, "image"), value_get(container, "image"));
    if (is_empty(policy))
        bad_required(AT(at, "terminationMessagePolicy"), "");
    else
        check_enum(AT(at, "terminationMessagePolicy"), policy, TEXTS("File", "FallbackToLogsOnError"), OPTIONAL);
    check_ports(AT(at, "ports"), value_get(container, "ports"));
    check_env(AT(at, "env"), value_get(container, "env"));
    check_env_from(AT(at, "envFrom"), value_get(container, "envFrom"));
    check_mounts(AT(at, "volumeMounts"), container, volumes);
    check_devices(AT(at, "volumeDevices"), container, volumes);
    check_enum(AT(at, "imagePullPolicy"), value_get(container, "imagePullPolicy"), TEXTS("Always", "IfNotPresent", "Never"),
               REQUIRED);
    check_resources(AT(at, "resources"), value_get(container, "resources"));
    check_security_context(AT(at, "securityContext"), value_get(container, "securityContext"));
}

static void
check_by_sort(const Path *at, const Value *container, ContainerSort sort, bool hidden_ports)
{
    static const char *const not_for_init[] = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"};
    static const char *const not_for_ephemeral[] = {"ports",        "livenessProbe", "readinessProbe",
                                                    "startupProbe", "lifecycle",     "resources"};
    const Value *restart = value_get(container, "restartPolicy");
    bool sidecar = text_is(restart, "Always");
    size_t i = 0;

    if (sort == CONTAINER_EPHEMERAL) {
        for (size_t k = 0; k < G_N_ELEMENTS(not_for_ephemeral); k++)
            if (value_size(value_get(container, not_for_ephemeral[k])) > 0)
                bad_forbidden(AT(at, not_for_ephemeral[k]), "cannot be set for an Ephemeral Container");
        return;
    }
    check_enum(AT(at, "restartPolicy"), restart, TEXTS("Always", "OnFailure", "Never"), OPTIONAL);
    if (sort == CONTAINER_INIT && !sidecar) {
        for (size_t k = 0; k < G_N_ELEMENTS(not_for_init); k++)
            if (!value_is_null(value_get(container, not_for_init[k])))
                bad_forbidden(AT(at, not_for_init[k]), "may not be set for init containers without restartPolicy=Always");
    } else {
        check_probes(at, container);
    }
    VALUE_ARRAY_FOREACH (port, value_get(container, "ports")) {
        const Path *here = NTH(AT(at, "ports"), i++);

        if (hidden_ports && !value_equal(value_get(port, "hostPort"), value_get(port, "containerPort")))
            bad_invalid(AT(here, "containerPort"), value_get(port, "containerPort"),
                        "must match `hostPort` when `hostNetwork` is true");
    }
}

static bool
name_taken(const Value *list, size_t before, const Value *name)
{
    for (size_t i = 0; i < before && i < value_size(list); i++)
        if (value_equal(value_get(value_item(list, i), "name"), name))
            return true;
    return false;
}

static void
check_container_list(const Path *spec_at, const Value *spec, const char *field, ContainerSort sort)
{
    const Value *list = value_get(spec, field), *apps = value_get(spec, "containers");
    const Value *inits = value_get(spec, "initContainers"), *volumes = value_get(spec, "volumes");
    bool host_network = value_bool(value_get(spec, "hostNetwork"));

    for (size_t i = 0; i < value_size(list); i++) {
        const Value *container = value_item(list, i), *name = value_get(container, "name");
        const Path *here = NTH(AT(spec_at, field), i);

        check_container(here, container, volumes);
        if (!is_empty(name) &&
            (name_taken(list, i, name) || (sort != CONTAINER_APP && name_taken(apps, SIZE_MAX, name)) ||
             (sort == CONTAINER_EPHEMERAL && name_taken(inits, SIZE_MAX, name))))
            bad_duplicate(AT(here, "name"), name);
        check_by_sort(here, container, sort, host_network);
        if (sort == CONTAINER_EPHEMERAL && !is_empty(value_get(container, "targetContainerName")) &&
            !name_taken(apps, SIZE_MAX, value_get(container, "targetContainerName")))
            bad_not_found(AT(here, "targetContainerName"), value_get(container, "targetContainerName"));
    }
}

/* Two containers must not want the same port of the node. */
static void
check_host_ports(const Path *spec_at, const Value *spec)
{
    const Value *list = value_get(spec, "containers");
    g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; i < value_size(list); i++) {
        size_t k = 0;

        VALUE_ARRAY_FOREACH (port, value_get(value_item(list, i), "ports")) {
            const Path *here = NTH(AT(NTH(AT(spec_at, "containers"), i), "ports"), k++);
            char *text;

            if (value_int(value_get(port, "hostPort")) == 0)
                continue;
            text = g_strdup_printf("%s/%s/%" G_GINT64_FORMAT, value_text(value_get(port, "protocol")),
                                   value_text(value_get(port, "hostIP")), value_int(value_get(port, "hostPort")));
            if (g_ptr_array_find_with_equal_func(taken, text, g_str_equal, NULL)) {
                g_autoptr(Value) shown = value_new_string(text);

                bad_duplicate(AT(here, "hostPort"), shown);
            }
            g_ptr_array_add(taken, text);
        }
    }
}

void
check_containers(const Path *spec_at, const Value *spec)
{
    if (value_size(value_get(spec, "containers")) == 0)
        bad_required(AT(spec_at, "containers"), "");
    check_container_list(spec_at, spec, "containers", CONTAINER_APP);
    check_host_ports(spec_at, spec);
    check_container_list(spec_at, spec, "initContainers", CONTAINER_INIT);
    check_container_list(spec_at, spec, "ephemeralContainers", CONTAINER_EPHEMERAL);
}
