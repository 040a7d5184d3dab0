/* A container's OCI configuration (runtime-spec config.json) from the pod's and the container's API objects. */
#include <stdlib.h>
#include <string.h>

#include "core/object/quantity.h"
#include "sim/backend/runc/node_private.h"

#define CPU_PERIOD_US 100000
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What containerd gives a container by default. */
static const char *const DEFAULT_CAPABILITIES[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    "CAP_AUDIT_WRITE", NULL};
/* In the order of their numbers. */
static const char *const ALL_CAPABILITIES[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE", NULL};

/* The container's own setting, or the pod's. */
static const Value *
security(const RuncContainer *container, const char *field)
{
    const Value *own = value_get(value_get(container->definition, "securityContext"), field);
    return own != NULL ? own : value_get(value_at(container->sandbox->pod, "spec.securityContext"), field);
}

static bool
is_privileged(const RuncContainer *container)
{
    return value_bool(security(container, "privileged"));
}

/* ---- capabilities ---- */

/* What this process itself may pass on: a machine may lack some. */
static uint64_t
own_capabilities(void)
{
    g_autofree char *text = NULL;
    const char *line;
    if (!g_file_get_contents("/proc/self/status", &text, NULL, NULL) || (line = strstr(text, "\nCapBnd:")) == NULL)
        return 0;
    return g_ascii_strtoull(line + strlen("\nCapBnd:") + 1, NULL, 16);
}

static bool
names_capability(const Value *list, const char *capability)
{
    VALUE_ARRAY_FOREACH (item, list) {
        const char *name = value_text(item);
        if (g_ascii_strcasecmp(name, "ALL") == 0 || g_ascii_strcasecmp(name, capability + 4) == 0 ||
            g_ascii_strcasecmp(name, capability) == 0)
            return true;
    }
    return false;
}

static bool
has_all(const Value *list)
{
    return names_capability(list, "CAP_ALL");
}

static Value *
capabilities(const RuncContainer *container)
{
    const Value *add = value_at(container->definition, "securityContext.capabilities.add");
    const Value *drop = value_at(container->definition, "securityContext.capabilities.drop");
    uint64_t possible = own_capabilities();
    ValueBuilder *list = value_builder_new_array();
    for (size_t i = 0; ALL_CAPABILITIES[i] != NULL; i++) {
        const char *name = ALL_CAPABILITIES[i];
        bool wanted = is_privileged(container) || g_strv_contains(DEFAULT_CAPABILITIES, name);
        if (names_capability(drop, name))
            wanted = is_privileged(container);
        if (names_capability(add, name) && !(has_all(add) && !has_all(drop) && names_capability(drop, name)))
            wanted = true;
        if (wanted && (possible >> i & 1) != 0)
            value_builder_append(list, value_new_string(name));
    }
    g_autoptr(Value) set = value_builder_end(list);
    if (value_int(security(container, "runAsUser")) != 0) /* an unprivileged user's are lost by execve */
        return value_new_f("{bounding: %v}", set);
    return value_new_f("{bounding: %v, effective: %v, permitted: %v}", set, set, set);
}

/* ---- the process ---- */

static Value *
user(const RuncContainer *container)
{
    const Value *pod = value_at(container->sandbox->pod, "spec.securityContext");
    ValueBuilder *groups = value_builder_new_array();
    VALUE_ARRAY_FOREACH (group, value_get(pod, "supplementalGroups"))
        value_builder_append(groups, value_ref(group));
    if (value_has(pod, "fsGroup"))
        value_builder_append(groups, value_ref(value_get(pod, "fsGroup")));
    return value_new_f("{uid: %i, gid: %i, additionalGids: %V}", value_int(security(container, "runAsUser")),
                       value_int(security(container, "runAsGroup")), value_builder_end(groups));
}

static Value *
arguments(const ContainerConfig *config)
{
    static const char *const SHELL[] = {"sh", NULL};
    const char *const *command = config->command, *const *args = config->args;
    bool none = (command == NULL || command[0] == NULL) && (args == NULL || args[0] == NULL);
    ValueBuilder *list = value_builder_new_array();
    for (size_t i = 0; command != NULL && command[i] != NULL; i++)
        value_builder_append(list, value_new_string(command[i]));
    for (size_t i = 0; (none || args != NULL) && (none ? SHELL : args)[i] != NULL; i++)
        value_builder_append(list, value_new_string((none ? SHELL : args)[i]));
    return value_builder_end(list);
}

static Value *
environment(const RuncContainer *container, const ContainerConfig *config)
{
    ValueBuilder *list = value_builder_new_array();
    value_builder_append(list, value_new_string(DEFAULT_PATH));
    value_builder_append(list, value_new_stringf("HOSTNAME=%s", container->sandbox->hostname));
    value_builder_append(list, value_new_string("HOME=/root"));
    for (size_t i = 0; config->env != NULL && config->env[i] != NULL; i++)
        value_builder_append(list, value_new_string(config->env[i]));
    return value_builder_end(list);
}

static int64_t
requested(const RuncContainer *container, const char *kind, const char *resource, int scale)
{
    const Value *list = value_get(value_get(container->definition, "resources"), kind);
    const Value *amount = value_get(list, resource);
    return amount != NULL ? quantity_scaled(quantity_of(amount), scale) : 0;
}

/* GetContainerOOMScoreAdjust of pkg/kubelet/qos, no lower than the machine allows us. */
static int64_t
oom_score(const RuncContainer *container)
{
    g_autofree char *own = NULL;
    int64_t least = g_file_get_contents("/proc/self/oom_score_adj", &own, NULL, NULL) ? atoi(own) : 0;
    const char *qos = value_text_at(container->sandbox->pod, "status.qosClass");
    int64_t request = requested(container, "requests", "memory", 0);
    int64_t score = 1000 - 1000 * (request >> 10) / MAX((int64_t)(container->sandbox->node->memory_total >> 10), 1);
    if (strcmp(qos, "Guaranteed") == 0)
        score = -997;
    else if (request == 0)
        score = 1000;
    else
        score = CLAMP(score, 3, 999);
    return MAX(score, least);
}

static Value *
process(const RuncContainer *container, const ContainerConfig *config)
{
    const Value *escalate = value_at(container->definition, "securityContext.allowPrivilegeEscalation");
    return value_new_f("{terminal: %b, user: %V, args: %V, env: %V, cwd: %s, capabilities: %V, noNewPrivileges: %b, "
                       "oomScoreAdj: %i}",
                       false, user(container), arguments(config), environment(container, config),
                       config->working_dir != NULL && *config->working_dir != '\0' ? config->working_dir : "/",
                       capabilities(container), escalate != NULL && !value_bool(escalate), oom_score(container));
}

/* ---- mounts ---- */

static void
add_mount(ValueBuilder *list, const char *target, const char *type, const char *source, const char *options)
{
    ValueBuilder *words = value_builder_new_array();
    g_auto(GStrv) parts = g_strsplit(options, ",", -1);
    for (size_t i = 0; parts[i] != NULL; i++)
        value_builder_append(words, value_new_string(parts[i]));
    value_builder_append(list, value_new_f("{destination: %s, type: %s, source: %s, options: %V}", target, type, source,
                                           value_builder_end(words)));
}

static void
add_file(ValueBuilder *list, const RuncContainer *container, const char *directory, const char *name, const char *target)
{
    g_autofree char *source = g_build_filename(directory, name, NULL);
    bool readonly = value_bool(security(container, "readOnlyRootFilesystem"));
    add_mount(list, target, "bind", source, readonly ? "rbind,rprivate,ro" : "rbind,rprivate,rw");
}

static Value *
mounts(const RuncContainer *container, const ContainerConfig *config)
{
    const char *sandbox = container->sandbox->dir;
    ValueBuilder *list = value_builder_new_array();
    add_mount(list, "/proc", "proc", "proc", "nosuid,noexec,nodev");
    add_mount(list, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
    add_mount(list, "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
    add_mount(list, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k");
    add_mount(list, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
    add_mount(list, "/sys", "sysfs", "sysfs", is_privileged(container) ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro");
    add_file(list, container, sandbox, "hosts", "/etc/hosts");
    add_file(list, container, sandbox, "resolv.conf", "/etc/resolv.conf");
    add_file(list, container, sandbox, "hostname", "/etc/hostname");
    for (size_t i = 0; i < config->n_mounts; i++) {
        const RuntimeMount *mount = &config->mounts[i];
        const char *propagation = g_strcmp0(mount->propagation, "Bidirectional") == 0     ? "rshared"
                                  : g_strcmp0(mount->propagation, "HostToContainer") == 0 ? "rslave"
                                                                                          : "rprivate";
        g_autofree char *options = g_strdup_printf("rbind,%s,%s", propagation, mount->readonly ? "ro" : "rw");
        add_mount(list, mount->container_path, "bind", mount->host_path, options);
    }
    const char *message = value_string_at(container->definition, "terminationMessagePath");
    add_mount(list, message != NULL ? message : "/dev/termination-log", "bind", container->message_file,
              "rbind,rprivate,rw");
    return value_builder_end(list);
}

/* ---- linux ---- */

static Value *
resources(const RuncContainer *container)
{
    int64_t limit = requested(container, "limits", "cpu", -3), request = requested(container, "requests", "cpu", -3);
    int64_t memory = requested(container, "limits", "memory", 0);
    ValueBuilder *all = value_builder_new(NULL);
    if (request == 0)
        request = limit;
    value_builder_set_at(all, "cpu.shares", value_new_int(CLAMP(request * 1024 / 1000, 2, 262144)));
    if (limit > 0) {
        value_builder_set_at(all, "cpu.quota", value_new_int(MAX(limit * CPU_PERIOD_US / 1000, 1000)));
        value_builder_set_at(all, "cpu.period", value_new_int(CPU_PERIOD_US));
    }
    if (memory > 0)
        value_builder_set_at(all, "memory.limit", value_new_int(memory));
    if (is_privileged(container))
        value_builder_set(all, "devices", value_new_f("[{allow: true, access: rwm}]"));
    else
        value_builder_set(all, "devices", value_new_f("[{allow: false, access: rwm}]"));
    return value_builder_end(all);
}

static void
add_namespace(ValueBuilder *list, const char *type, const char *directory, const char *file)
{
    g_autofree char *path = directory != NULL ? g_build_filename(directory, file, NULL) : NULL;
    value_builder_append(list, value_new_f("{type: %s, path: ?%s}", type, path));
}

static Value *
namespaces(const RuncContainer *container)
{
    const RuncSandbox *sandbox = container->sandbox;
    const Value *spec = value_get(sandbox->pod, "spec");
    ValueBuilder *list = value_builder_new_array();
    g_autofree char *net = sandbox_netns(sandbox);
    add_namespace(list, "mount", NULL, NULL);
    add_namespace(list, "uts", sandbox->dir, "uts");
    value_builder_append(list, value_new_f("{type: network, path: %s}", net));
    if (!value_bool(value_get(spec, "hostPID")))
        add_namespace(list, "pid", NULL, NULL);
    if (!value_bool(value_get(spec, "hostIPC")))
        add_namespace(list, "ipc", sandbox->dir, "ipc");
    return value_builder_end(list);
}

static Value *
linux_part(const RuncContainer *container)
{
    ValueBuilder *all = value_builder_new(NULL);
    value_builder_set(all, "cgroupsPath", value_new_string(container->cgroup));
    value_builder_set(all, "namespaces", namespaces(container));
    value_builder_set(all, "resources", resources(container));
    ValueBuilder *sysctls = value_builder_new(NULL);
    VALUE_ARRAY_FOREACH (item, value_at(container->sandbox->pod, "spec.securityContext.sysctls"))
        value_builder_set(sysctls, value_text(value_get(item, "name")), value_ref(value_get(item, "value")));
    value_builder_set(all, "sysctl", value_builder_end(sysctls));
    if (!is_privileged(container)) {
        value_builder_set(all, "maskedPaths",
                          value_new_f("['/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', "
                                      "'/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', "
                                      "'/proc/sched_debug', '/proc/scsi', '/sys/firmware']"));
        value_builder_set(all, "readonlyPaths",
                          value_new_f("['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']"));
    }
    return value_builder_end(all);
}

Value *
config_make(RuncContainer *container, const ContainerConfig *config)
{
    return value_new_f("{ociVersion: '1.0.2', process: %V, root: {path: rootfs, readonly: %b}, mounts: %V, linux: %V}",
                       process(container, config), value_bool(security(container, "readOnlyRootFilesystem")),
                       mounts(container, config), linux_part(container));
}
