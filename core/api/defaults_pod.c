/* Defaults of pods and pod templates that depend on other fields. */
#include <string.h>

#include "core/api/defaults.h"
#include "core/api/defaults_private.h"

const char *
image_pull_policy(const char *image)
{
    const char *name = strrchr(image, '/');
    const char *tag = strrchr(name ? name : image, ':');
    bool pinned = strchr(image, '@') != NULL;
    bool latest = !pinned && *image && (!tag || strcmp(tag, ":latest") == 0);
    /* name:latest@digest still says latest. */
    if (pinned) {
        g_autofree char *bare = g_strndup(image, (gsize)(strchr(image, '@') - image));
        latest = g_str_has_suffix(bare, ":latest");
    }
    return latest ? "Always" : "IfNotPresent";
}

/* ---- only in Pods ----------------------------------------------------------------------------------------- */

static void
requests_from_limits(Value **container)
{
    const Value *limits = value_at(*container, "resources.limits");
    if (value_size(limits) == 0)
        return;
    g_autoptr(Value) requests = value_ref(value_at(*container, "resources.requests"));
    g_autoptr(Value) before = value_ref(requests);
    if (!requests)
        requests = value_new_map();
    VALUE_MAP_FOREACH (key, quantity, limits)
        if (!value_has(requests, key))
            value_replace(&requests, value_set(requests, key, value_ref(quantity)));
    if (requests != before)
        value_edit(container, "resources.requests", g_steal_pointer(&requests));
}

static void
host_port(Value **port)
{
    if (value_int_at(*port, "hostPort") == 0)
        value_edit(port, "hostPort", value_new_int(value_int_at(*port, "containerPort")));
}

static void
host_ports(Value **container)
{
    default_items(container, "ports", host_port);
}

void
default_pod(Value **pod)
{
    default_items(pod, "spec.containers", requests_from_limits);
    default_items(pod, "spec.initContainers", requests_from_limits);
    default_missing(pod, "spec.enableServiceLinks", value_new_bool(true));
    if (value_bool_at(*pod, "spec.hostNetwork")) {
        default_items(pod, "spec.containers", host_ports);
        default_items(pod, "spec.initContainers", host_ports);
    }
    /* Pod-level requests follow pod-level limits where no container asks for the resource itself. */
    g_autoptr(Value) limits = value_ref(value_at(*pod, "spec.resources.limits"));
    VALUE_MAP_FOREACH (key, quantity, limits) {
        bool asked = value_has(value_at(*pod, "spec.resources.requests"), key);
        VALUE_ARRAY_FOREACH (container, value_at(*pod, "spec.containers"))
            asked = asked || value_has(value_at(container, "resources.requests"), key);
        if (asked)
            continue;
        g_autoptr(Value) requests = value_ref(value_at(*pod, "spec.resources.requests"));
        if (!requests)
            requests = value_new_map();
        value_edit(pod, "spec.resources.requests", value_set(requests, key, value_ref(quantity)));
    }
}

/* ---- in templates too ------------------------------------------------------------------------------------- */

static void
container(Value **object)
{
    if (!*value_text_at(*object, "imagePullPolicy"))
        value_edit(object, "imagePullPolicy", value_new_string(image_pull_policy(value_text_at(*object, "image"))));
}

static void
volume(Value **object)
{
    bool sourced = false;
    for (size_t i = 0; i < value_size(*object); i++)
        sourced = sourced || strcmp(value_key_at(*object, i), "name") != 0;
    if (!sourced)
        value_edit(object, "emptyDir", value_new_map());
    const Value *image = value_get(*object, "image");
    if (image && !*value_text_at(image, "pullPolicy"))
        value_edit(object, "image.pullPolicy", value_new_string(image_pull_policy(value_text_at(image, "reference"))));
}

void
default_pod_spec(Value **spec)
{
    default_items(spec, "containers", container);
    default_items(spec, "initContainers", container);
    default_items(spec, "ephemeralContainers", container);
    default_items(spec, "volumes", volume);
    /* serviceAccount is the old name of serviceAccountName; the API shows both. */
    const char *name = value_text_at(*spec, "serviceAccountName");
    const char *old = value_text_at(*spec, "serviceAccount");
    if (*name && strcmp(name, old) != 0)
        value_edit(spec, "serviceAccount", value_new_string(name));
    else if (!*name && *old)
        value_edit(spec, "serviceAccountName", value_new_string(old));
}
