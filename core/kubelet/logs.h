/* A container's log as `kubectl logs` asks for it: which container, which lines, how written. */
#pragma once

#include "core/kubelet/internal.h"
#include "core/stream/kubelet_wire.h"

/* Finds the container whose log is wanted. Returns its log's path (owned), and its id and whether it runs; NULL with
 * *ret_code (HTTP) and *ret_text (owned) when there is none (validateContainerLogStatus). */
char *log_find(Kubelet *kubelet, const KubeletRequest *request, char **ret_id, bool *ret_running, int *ret_code,
               char **ret_text);

/* What is stored, filtered by the options and written out. *ret_left is what limit_bytes still allows (-1: no limit). */
GBytes *log_read(Kubelet *kubelet, const KubeletRequest *request, const char *path, int64_t *ret_left);
/* Appends one line as the options want it. */
void log_append(GString *text, const KubeletRequest *request, const LogLine *line);
