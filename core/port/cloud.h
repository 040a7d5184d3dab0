/* Port: the cloud that the cloud controller manager talks to. Every op completes by a later event; errors are texts. */
#pragma once

#include <stdbool.h>

typedef struct Cloud Cloud;
/* result is an address or an id, borrowed; error NULL on success. */
typedef void (*CloudFunc)(const char *result, const char *error, void *data);

typedef struct CloudOps {
    /* Does the instance behind this node name exist (result "running", "stopped" or "")? */
    void (*instance)(Cloud *cloud, const char *node, CloudFunc done, void *data);
    /* Makes or updates the load balancer of a Service; result is its address. */
    void (*ensure_load_balancer)(Cloud *cloud, const char *service, CloudFunc done, void *data);
    void (*delete_load_balancer)(Cloud *cloud, const char *service, CloudFunc done, void *data);
} CloudOps;

struct Cloud {
    const CloudOps *ops;
};
