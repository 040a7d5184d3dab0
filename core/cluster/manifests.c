#include "core/cluster/manifests.h"

#include <string.h>

#include "core/base/embed.h"
#include "core/object/yaml.h"

extern const EmbeddedFile CLUSTER_MANIFESTS[];

static void
fill_in(GString *text, const char *name, const char *value)
{
    g_autofree char *place = g_strdup_printf("${%s}", name);
    g_string_replace(text, place, value, 0);
}

/* The file's documents as an array. The files are part of the program: a wrong one asserts. */
static Value *
read_manifests(const char *file, const Topology *topology, const TopologyNode *node)
{
    const EmbeddedFile *source = embedded_file(CLUSTER_MANIFESTS, file);
    g_assert(source != NULL);
    GString *text = g_string_new(source->text);
    fill_in(text, "KUBERNETES_VERSION", topology->kubernetes_version);
    fill_in(text, "POD_CIDR", topology->pod_cidr);
    fill_in(text, "SERVICE_CIDR", topology->service_cidr);
    fill_in(text, "CLUSTER_DOMAIN", topology->cluster_domain);
    fill_in(text, "DNS_IP", topology->dns_ip);
    if (node != NULL) {
        fill_in(text, "NODE_NAME", node->name);
        fill_in(text, "NODE_IP", node->ip);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) documents = yaml_parse_all(text->str, text->len, &error);
    if (documents == NULL)
        g_error("%s: %s", file, error->message);
    g_string_free(text, TRUE);
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    for (guint i = 0; i < documents->len; i++) {
        const YamlDocument *document = documents->pdata[i];
        value_builder_append(list, value_ref(document->value));
    }
    return value_builder_end(g_steal_pointer(&list));
}

Value *
cluster_static_pods(const Topology *topology, const TopologyNode *node)
{
    if (!node->control_plane)
        return value_new_array();
    return read_manifests("static-pods.yaml", topology, node);
}

Value *
cluster_addons(const Topology *topology)
{
    return read_manifests("addons.yaml", topology, NULL);
}

static void
add_images(GPtrArray *images, const Value *pod_spec)
{
    VALUE_ARRAY_FOREACH(container, value_get(pod_spec, "containers"))
    {
        g_ptr_array_add(images, g_strdup(value_text(value_get(container, "image"))));
    }
}

char **
cluster_node_images(const Topology *topology, const TopologyNode *node)
{
    GPtrArray *images = g_ptr_array_new();
    g_autoptr(Value) pods = cluster_static_pods(topology, node);
    g_autoptr(Value) addons = cluster_addons(topology);
    VALUE_ARRAY_FOREACH(pod, pods)
    {
        add_images(images, value_get(pod, "spec"));
    }
    if (strcmp(node->os, "linux") == 0) {
        VALUE_ARRAY_FOREACH(object, addons)
        {
            add_images(images, value_at(object, "spec.template.spec"));
        }
    }
    g_ptr_array_add(images, NULL);
    return (char **)g_ptr_array_free(images, FALSE);
}
