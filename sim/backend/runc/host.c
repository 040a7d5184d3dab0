/* The Host's table: facts of the machine that the node runs on. Volumes are in volumes.c, probes in probe.c, logs in log.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include "sim/backend/runc/node_private.h"

#define PODS_DEFAULT 110
#define EVICTION_MEMORY (UINT64_C(100) << 20) /* evictionHard memory.available */
#define EVICTION_DISK_PERCENT 10              /* evictionHard nodefs.available */

static char *
first_line(const char *path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : g_strdup("");
}

/* The value of PRETTY_NAME. */
static char *
os_image(void)
{
    char *name = g_get_os_info(G_OS_INFO_KEY_PRETTY_NAME);
    return name != NULL ? name : g_strdup("Linux");
}

static Value *
node_info(const RuncNode *node)
{
    struct utsname names;
    uname(&names);
    g_autofree char *machine = first_line("/etc/machine-id"), *boot = first_line("/proc/sys/kernel/random/boot_id");
    g_autofree char *image = os_image();
    const char *arch = strcmp(names.machine, "x86_64") == 0    ? "amd64"
                       : strcmp(names.machine, "aarch64") == 0 ? "arm64"
                                                               : names.machine;
    return value_new_f("{machineID: %s, systemUUID: %s, bootID: %s, kernelVersion: %s, osImage: %s, operatingSystem: "
                       "linux, architecture: %s, containerRuntimeVersion: %s, kubeletVersion: %s, kubeProxyVersion: %s}",
                       machine, machine, boot, names.release, image, arch,
                       node->runtime.base.runtime.ops->version((Runtime *)&node->runtime),
                       node->options.kubelet_version, "");
}

static char *
kibibytes(uint64_t bytes)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT "Ki", bytes / 1024);
}

static char *
cpu_text(uint64_t milli)
{
    return milli % 1000 == 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, milli / 1000)
                             : g_strdup_printf("%" G_GUINT64_FORMAT "m", milli);
}

static Value *
runc_node_facts(Host *host)
{
    const RuncNode *node = runc_host_node(host);
    struct statvfs disk = {0};
    statvfs(node->dir, &disk);
    uint64_t storage = (uint64_t)disk.f_blocks * disk.f_frsize, memory = node->memory_total;
    g_autofree char *cpu = cpu_text(node->cpu_total_milli), *capacity = kibibytes(memory);
    g_autofree char *allocatable = kibibytes(memory > EVICTION_MEMORY ? memory - EVICTION_MEMORY : 0);
    g_autofree char *capacity_storage = kibibytes(storage);
    g_autofree char *allocatable_storage = g_strdup_printf("%" G_GUINT64_FORMAT, storage / 10 * 9);
    g_autofree char *pods = g_strdup_printf("%" G_GINT64_FORMAT, node->options.pods > 0 ? node->options.pods : PODS_DEFAULT);
    return value_new_f("{nodeInfo: %V, capacity: {cpu: %s, memory: %s, 'ephemeral-storage': %s, 'hugepages-2Mi': '0', "
                       "pods: %s}, allocatable: {cpu: %s, memory: %s, 'ephemeral-storage': %s, 'hugepages-2Mi': '0', "
                       "pods: %s}, addresses: [{type: InternalIP, address: %s}, {type: Hostname, address: %s}]}",
                       node_info(node), cpu, capacity, capacity_storage, pods, cpu, allocatable, allocatable_storage,
                       pods, node->options.ip, node->options.name);
}

static uint64_t
available_memory(void)
{
    g_autofree char *text = first_line("/proc/meminfo");
    const char *line = strstr(text, "MemAvailable:");
    return line != NULL ? g_ascii_strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024 : 0;
}

static void
runc_pressure(Host *host, HostPressure *ret_pressure)
{
    const RuncNode *node = runc_host_node(host);
    struct statvfs disk;
    uint64_t available = MIN(available_memory(), node->memory_total);
    *ret_pressure = (HostPressure){
        .memory = available < EVICTION_MEMORY,
        .disk = statvfs(node->dir, &disk) == 0 && disk.f_bavail * 100 < disk.f_blocks * EVICTION_DISK_PERCENT,
        .memory_available = available};
}

static Value *
runc_static_pods(Host *host)
{
    Host *other = runc_host_node(host)->options.components_host;
    return other != NULL ? other->ops->static_pods(other) : value_new_array();
}

static void
runc_set_static_pods_listener(Host *host, void (*changed)(void *data), void *data)
{
    Host *other = runc_host_node(host)->options.components_host;
    if (other != NULL)
        other->ops->set_static_pods_listener(other, changed, data);
}

const HostOps runc_host_ops = {
    .node_facts = runc_node_facts,
    .pressure = runc_pressure,
    .publish_volume = runc_publish_volume,
    .make_empty_dir = runc_make_empty_dir,
    .check_host_path = runc_check_host_path,
    .mount_persistent_volume = runc_mount_persistent_volume,
    .volume_path = runc_volume_path,
    .remove_pod_dirs = runc_remove_pod_dirs,
    .probe = runc_probe,
    .read_log = runc_read_log,
    .watch_log = runc_watch_log,
    .unwatch_log = runc_unwatch_log,
    .remove_log = runc_remove_log,
    .static_pods = runc_static_pods,
    .set_static_pods_listener = runc_set_static_pods_listener,
};
