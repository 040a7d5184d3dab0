#include "cli/kubectl/create.h"

const KubeCommand *const CREATE_CHILDREN[] = {NULL};

const char *
create_name(Kube *kube)
{
    if (kube_n_args(kube) == 1)
        return kube_arg(kube, 0);
    kube_fail_usage(kube, "exactly one NAME is required, got %zu", kube_n_args(kube));
    return NULL;
}
