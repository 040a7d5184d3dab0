/* Streams of pods: logs, exec, attach. */
#pragma once

#include "cli/kubectl/kube.h"

typedef struct PodStream {
    Kube *kube;
    const char *prefix; /* before each line of output; NULL */
    bool line_open;     /* the last output did not end a line */
    bool ended;
    Value *status; /* of its end; NULL for the plain end */
    TransportStream *stream;
} PodStream;

/* Opens, carries everything to the output until the end. False: streams cannot be had, and that is
 * printed; or the person gave up. */
bool pod_stream_run(PodStream *stream, ApiRequest *take, bool with_input, bool raw);
/* The exit status that the end of an exec or attach says; prints what is wrong. */
int pod_stream_exit(PodStream *stream);

/* The pod that TYPE/NAME or NAME means: a workload stands for its first pod. NULL: printed. Owned.
 */
Value *stream_pod(Kube *kube, const char *type, const char *name);
/* From the words at `index` (which may be two): *ret_next is what follows. */
Value *stream_pod_from_args(Kube *kube, size_t index, size_t *ret_next);
/* -c, or the default one, which is said when there are several. NULL: printed. */
const char *stream_container(Kube *kube, const Value *pod, bool quiet);
