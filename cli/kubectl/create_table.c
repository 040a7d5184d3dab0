#include "cli/kubectl/create.h"

#include <string.h>

extern const KubeCommand CREATE_NAMESPACE, CREATE_DEPLOYMENT, CREATE_SERVICE, CREATE_CONFIGMAP,
    CREATE_SECRET, CREATE_SERVICEACCOUNT, CREATE_JOB, CREATE_CRONJOB, CREATE_QUOTA, CREATE_PDB,
    CREATE_PRIORITYCLASS, CREATE_TOKEN;

const KubeCommand *const CREATE_CHILDREN[] = {
    &CREATE_CONFIGMAP,
    &CREATE_CRONJOB,
    &CREATE_DEPLOYMENT,
    &CREATE_JOB,
    &CREATE_NAMESPACE,
    &CREATE_PDB,
    &CREATE_PRIORITYCLASS,
    &CREATE_QUOTA,
    &CREATE_SECRET,
    &CREATE_SERVICE,
    &CREATE_SERVICEACCOUNT,
    &CREATE_TOKEN,
    NULL,
};

const char *
create_name(Kube *kube)
{
    if (kube->dash_at == 1 || (kube->dash_at < 0 && kube_n_args(kube) == 1))
        return kube_arg(kube, 0);
    kube_fail_usage(kube, "exactly one NAME is required, got %zu", kube_n_args(kube));
    return NULL;
}

Value *
create_command_words(Kube *kube)
{
    if (kube->dash_at < 0 || (size_t)kube->dash_at >= kube_n_args(kube))
        return NULL;
    ValueBuilder *words = value_builder_new_array();
    for (size_t i = (size_t)kube->dash_at; i < kube_n_args(kube); i++)
        value_builder_append(words, value_new_string(kube_arg(kube, i)));
    return value_builder_end(words);
}

bool
create_pairs(Kube *kube, const char *text, Value **map)
{
    g_auto(GStrv) pairs = g_strsplit(text, ",", KUBE_WORDS_MAX);
    for (char **pair = pairs; *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        if (equals == NULL || equals == *pair) {
            kube_fail(kube, "unexpected format: %s, expected key=value", *pair);
            return false;
        }
        g_autofree char *key = g_strndup(*pair, (gsize)(equals - *pair));
        value_replace(map, value_set(*map, key, value_new_string(equals + 1)));
    }
    return true;
}
