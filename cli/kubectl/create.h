/* The subcommands of kubectl create. */
#pragma once

#include "cli/kubectl/kube.h"

extern const KubeCommand *const CREATE_CHILDREN[];

#define CREATE_FLAGS                                                                               \
    KUBE_FLAGS_OUTPUT, KUBE_FLAGS_DRY_RUN, KUBE_FLAGS_VALIDATE,                                    \
        KUBE_FLAGS_MANAGER("kubectl-create"),                                                      \
    {                                                                                              \
        "save-config", 0, FLAG_BOOL, "false", NULL,                                                \
            "Keep this configuration in the annotation that apply compares with"                   \
    }

/* The one name of "create KIND NAME"; NULL: the error is printed. */
const char *create_name(Kube *kube);
/* What follows "--", as an array; NULL when nothing. Owned. */
Value *create_command_words(Kube *kube);
/* "a=b,c=d" into *map (owned, replaced). False: printed. */
bool create_pairs(Kube *kube, const char *text, Value **map);
