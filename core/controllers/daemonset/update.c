/* The rolling update of a DaemonSet (pkg/controller/daemon/update.go): old pods make room, or new
 * ones come beside them. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/daemonset/view.h"

static int64_t
desired_nodes(const DaemonView *view)
{
    int64_t desired = 0;
    for (guint i = 0; i < view->nodes->len; i++)
        desired += g_array_index(view->nodes, DaemonNode, i).should_run;
    return desired;
}

int64_t
daemon_max_surge(const DaemonView *view)
{
    return int_or_percent(value_at(view->set, "spec.updateStrategy.rollingUpdate.maxSurge"),
                          desired_nodes(view), ROUND_UP, 0);
}

static int64_t
max_unavailable(const DaemonView *view)
{
    int64_t most =
        int_or_percent(value_at(view->set, "spec.updateStrategy.rollingUpdate.maxUnavailable"),
                       desired_nodes(view), ROUND_UP, 1);
    return most == 0 && daemon_max_surge(view) == 0 ? 1 : most;
}

/* The one new and the one old pod of a node; false when there are two of either. */
static bool
find_pods(const DaemonView *view, const DaemonNode *node, const Value **ret_new,
          const Value **ret_old)
{
    *ret_new = *ret_old = NULL;
    for (guint i = 0; node->pods != NULL && i < node->pods->len; i++) {
        const Value *pod = objects_item(node->pods, i);
        if (object_is_deleting(pod))
            continue;
        const Value **slot = daemon_pod_is_updated(view, pod) ? ret_new : ret_old;
        if (*slot != NULL)
            return false;
        *slot = pod;
    }
    return true;
}

static void
take(GPtrArray *from, int64_t count, GPtrArray *to)
{
    for (guint i = 0; i < from->len && (int64_t)i < count; i++)
        g_ptr_array_add(to, g_ptr_array_index(from, i));
}

static void
update_in_place(const DaemonView *view, GPtrArray *pods_to_delete)
{
    int64_t unavailable = 0;
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    for (guint i = 0; i < view->nodes->len; i++) {
        const DaemonNode *node = &g_array_index(view->nodes, DaemonNode, i);
        const Value *new_, *old;
        if (!node->should_run && node->pods == NULL)
            continue;
        if (!find_pods(view, node, &new_, &old) || (new_ == NULL) == (old == NULL)) {
            unavailable++; /* managing it comes first */
        } else if (new_ != NULL) {
            unavailable += !daemon_pod_is_available(view, new_);
        } else if (!daemon_pod_is_available(view, old)) {
            unavailable++; /* replacing it costs nothing more */
            g_ptr_array_add(pods_to_delete, (gpointer)old);
        } else {
            g_ptr_array_add(candidates, (gpointer)old);
        }
    }
    take(candidates, max_unavailable(view) - unavailable, pods_to_delete);
}

static void
update_with_surge(const DaemonView *view, GPtrArray *nodes_to_fill, GPtrArray *pods_to_delete)
{
    int64_t surge = 0;
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    for (guint i = 0; i < view->nodes->len; i++) {
        const DaemonNode *node = &g_array_index(view->nodes, DaemonNode, i);
        const Value *new_, *old;
        if (!find_pods(view, node, &new_, &old)) {
            surge++;
        } else if (old != NULL && new_ == NULL) {
            if (!node->should_run)
                continue;
            g_ptr_array_add(daemon_pod_is_available(view, old) ? candidates : nodes_to_fill,
                            (gpointer)node->node);
        } else if (old != NULL && new_ != NULL) {
            if (daemon_pod_is_available(view, new_))
                g_ptr_array_add(pods_to_delete, (gpointer)old);
            else
                surge++;
        }
    }
    take(candidates, daemon_max_surge(view) - surge, nodes_to_fill);
}

void
daemon_rolling_update(const DaemonView *view, GPtrArray *nodes_to_fill, GPtrArray *pods_to_delete)
{
    if (daemon_max_surge(view) == 0)
        update_in_place(view, pods_to_delete);
    else
        update_with_surge(view, nodes_to_fill, pods_to_delete);
}
