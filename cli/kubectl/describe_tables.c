#include "cli/kubectl/describe.h"
const Describer DESCRIBE_WORKLOADS[] = {{"", "pods", describe_pod, false},
                                        {NULL, NULL, NULL, false}};
const Describer DESCRIBE_CLUSTER[] = {{NULL, NULL, NULL, false}};
const Describer DESCRIBE_NETWORK[] = {{NULL, NULL, NULL, false}};
const Describer DESCRIBE_STORAGE[] = {{NULL, NULL, NULL, false}};
const Describer DESCRIBE_CONFIG[] = {{NULL, NULL, NULL, false}};
